//! `POST /lab3/energy/exports/share` and `GET /lab3/energy/exports`: what surplus earned, shared among members, and what was shared lately.

mod earned;
pub(crate) mod signed;

use lab3_energy::{Among, ExportShared, Fact as Energy, ShareExports, ShareRule, Sharing};
use lab3_engine::{Command, Energy as EnergyCommand, Fact, Submission};
use lab3_ledger::Purpose;
use lab3_trust::{Principal, Touched, judge};
use lab3_units::{Asset, Code, Did, Id, Problem, Time};
use serde::Serialize;
use utoipa::ToSchema;

use super::{Kwh, Name};
use crate::App;
use crate::http::WATCH_METERS;
use crate::http::body::Sent;
use crate::http::doc::Doc;
use crate::http::finance::names::Names;
use crate::http::key::fresh_id;
use crate::http::parameters::{Asked, parameters};
use crate::http::permit::{Permit, Touches, Touching};
use crate::http::problem::unexpected;
use crate::http::reply::{Answer, Mic, Shown, marked, reply, sized_reply};
use crate::json::{Kwh as AskedKwh, List, Positive, TransactionId, Whole, Word, request};
use crate::site::GRID;
use earned::{Earned, Wanted};

/// Sharings on a page.
const LIMIT: usize = 1_000;

/// Bytes a member takes in the reply, about.
const MEMBER_BYTES: usize = 100;

request! {
    /// A member, and what it weighs.
    #[example({ "did": "did:kaizen:alice", "weight": 3 })]
    pub(crate) struct ShareMember {
        /// Who.
        pub did: Did,
        /// What it weighs by the rule `weights`; by the others it is left out.
        pub weight: Option<Whole<1, 1_000_000_000_000>>,
    }
}

request! {
    /// What shall be shared, and among whom.
    #[example({
        "payer_did": "did:kaizen:hive-energy",
        "device": "grid",
        "from": "2026-11-22T00:00:00Z",
        "to": "2026-11-23T00:00:00Z",
        "amount_gic": 12.5,
        "rule": "weights",
        "members": [{ "did": "did:kaizen:alice", "weight": 3 }, { "did": "did:kaizen:bob", "weight": 1 }]
    })]
    pub(crate) struct ShareExportsRequest {
        /// Who buys the surplus, or passes on what the grid paid: it is taken from this wallet.
        pub payer_did: Did,
        /// The meter that counted what was fed in.
        pub device: Name,
        /// When the first hour begins.
        pub from: Time,
        /// When the last hour ends; it is over.
        pub to: Time,
        /// What was earned. When left out, what the meter counted at the signal `price_export`, rounded down once to a KS.
        pub amount_gic: Option<Positive>,
        /// What was fed in, where amount_gic is given and it is known.
        pub exported_kwh: Option<AskedKwh>,
        /// Where the price holds, where there are several and amount_gic is left out.
        pub price_zone: Option<Name>,
        /// Who publishes the price, likewise.
        pub price_source: Option<Name>,
        /// `equal`; `weights`, as the members have them; `generation`, by the Wh certified in that time to whomever they were issued to.
        pub rule: ShareRule,
        /// Among whom; by `generation` all who generated when left out.
        pub members: Option<List<ShareMember, 1, { lab3_energy::MEMBERS_MAX }>>,
    }
}

parameters! {
    /// Whose sharings.
    pub(crate) struct ExportsQuery {
        /// Who paid; everybody's when left out.
        pub payer_did: Option<Did>,
    }
}

/// What was shared.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ShareExportsReply {
    /// The first of its transactions; the others have `_1`, `_2` ... behind it.
    #[schema(value_type = String, example = "tx_06f2x1w0v7r9h3kz8q5d4c2bgm")]
    tx_id: TransactionId,
    /// When the first hour began.
    #[schema(value_type = String, format = DateTime)]
    from: Shown<Time>,
    /// When the last hour ended.
    #[schema(value_type = String, format = DateTime)]
    to: Shown<Time>,
    /// What was shared.
    #[schema(value_type = f64, example = 12.5)]
    amount_gic: Mic,
    /// What was fed in, where it is known.
    #[schema(value_type = Option<f64>, required)]
    exported_kwh: Option<Kwh>,
    /// Whether the desk computed both from the meter's readings.
    measured: bool,
    /// By which rule.
    #[schema(example = "weights")]
    rule: &'static str,
    /// What each got, by their DIDs. They add up to the amount.
    members: Vec<MemberReply>,
    /// The journal record it stands in.
    sequence: u64,
}

/// A member's share.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct MemberReply {
    /// Who.
    #[schema(example = "did:kaizen:alice")]
    did: Box<str>,
    /// What it weighs: 1 by the rule `equal`, Wh by `generation`.
    weight: u64,
    /// What it got; who pays keeps its own.
    #[schema(value_type = f64, example = 9.375)]
    amount_gic: Mic,
}

/// What was shared lately.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ExportsReply {
    /// The newest first: at most 32 of a payer, and a thousand in all.
    sharings: Vec<SharingReply>,
}

/// A sharing.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SharingReply {
    /// The first of its transactions.
    #[schema(value_type = String, example = "tx_06f2x1w0v7r9h3kz8q5d4c2bgm")]
    tx_id: TransactionId,
    /// Who paid.
    #[schema(example = "did:kaizen:hive-energy")]
    payer_did: Box<str>,
    /// The meter.
    #[schema(example = "grid")]
    device: Box<str>,
    /// When the first hour began.
    #[schema(value_type = String, format = DateTime)]
    from: Shown<Time>,
    /// When the last hour ended.
    #[schema(value_type = String, format = DateTime)]
    to: Shown<Time>,
    /// What was shared.
    #[schema(value_type = f64, example = 12.5)]
    amount_gic: Mic,
    /// What was fed in, where it is known.
    #[schema(value_type = Option<f64>, required)]
    exported_kwh: Option<Kwh>,
    /// Whether the desk computed both from the meter's readings.
    measured: bool,
    /// By which rule.
    #[schema(example = "weights")]
    rule: &'static str,
    /// Among how many.
    members: u32,
    /// When it was shared.
    #[schema(value_type = String, format = DateTime)]
    timestamp: Shown<Time>,
}

impl Touching for ShareExportsRequest {
    fn touches(&self) -> Touches<'_> {
        Touches::Citizen(&self.payer_did)
    }
}

impl Touching for ExportsQuery {
    fn touches(&self) -> Touches<'_> {
        self.payer_did.as_ref().map_or(Touches::Everybodys, Touches::Citizen)
    }
}

pub(crate) fn share_doc() -> Doc {
    Doc::new("energy", "share_exports", "Share what exports earned among members")
        .about(
            "The amount is split by the rule to the last KS, by largest remainders, and goes from the payer's wallet to theirs in one record, without a fee: a rule \
             divides it, nobody chooses whom to pay. An hour of a meter's exports is shared once by a payer. Who pays and is a member keeps its part. Without \
             amount_gic the meter's readings are counted: of the meters that measure the grid's connection for everybody, of any for who may read telemetry.",
        )
        .reads::<ShareExportsRequest>()
        .answers::<ShareExportsReply>("What each got")
        .refuses(&[Code::INTENT_MISSING, Code::ACCOUNT_FROZEN, Code::HOUR_CLOSED, Code::MIC_INSUFFICIENT, Code::BOOKS_LIMIT])
        .refuses(&[Code::CERTIFICATE_UNKNOWN, Code::SIGNAL_UNKNOWN, Code::READINGS_UNAVAILABLE, Code::QUEUE_FULL])
}

pub(crate) fn doc() -> Doc {
    Doc::new("energy", "exports", "What exports earned and was shared lately")
        .about("What a member got stands among its transactions.")
        .asks::<ExportsQuery>(&[])
        .asks_engine()
        .answers::<ExportsReply>("The sharings")
        .refuses(&[Code::DID_MALFORMED])
}

pub(crate) async fn share(app: App, permit: Permit<Sent<ShareExportsRequest>>) -> Answer {
    let principal = permit.principal().clone();
    let (actor, Sent { body, key }) = permit.open();
    let id = key.map_or_else(fresh_id, |key| key.id);
    let command = match command(&app, &principal, body, id).await {
        Ok(share) => Command::Energy(EnergyCommand::ShareExports(Box::new(share))),
        // Under a key that was used the answer is in the journal, also when readings are gone since.
        Err(problem) => Command::Refused(problem),
    };
    let committed = app.engine().submit(Submission::new(actor, key, id, command)).await?;
    let Fact::Energy(Energy::ExportShared(shared)) = &committed.stored.record.fact else { return Err(unexpected(&committed).into()) };
    let names = Names::ask(app.engine(), shared.shares.iter().map(|share| share.account)).await?;
    let told = sized_reply(&ShareExportsReply::new(shared, &names, committed.stored.sequence), 512 + MEMBER_BYTES * shared.shares.len());
    Ok(marked(&app, told, &committed.commit, committed.replayed))
}

/// The request as the writer takes it, with what was earned.
async fn command(app: &App, principal: &Principal, body: ShareExportsRequest, id: Id) -> Result<ShareExports, Problem> {
    let ShareExportsRequest { payer_did: payer, device, from, to, amount_gic, exported_kwh, price_zone, price_source, rule, members } =
        body;
    let among = among(rule, members.map(|members| members.0))?;
    let not_asked = |field: &'static str, why: &str| Err(Problem::new(Code::FIELD_RANGE, format!("{why} Leave it out.")).in_field(field));
    let (amount, exported_mwh, measured) = match amount_gic {
        Some(_) if price_zone.is_some() => return not_asked("price_zone", "With amount_gic no price is looked up."),
        Some(_) if price_source.is_some() => return not_asked("price_source", "With amount_gic no price is looked up."),
        None if exported_kwh.is_some() => return not_asked("exported_kwh", "Without amount_gic the meter's readings say what was fed in."),
        Some(Positive(amount)) => (amount, exported_kwh.map(|energy| energy.0), false),
        None => {
            let earned = count(app, principal, &device.0, (from, to), price_zone, price_source).await?;
            (earned.amount, Some(earned.exported_mwh), true)
        }
    };
    Ok(ShareExports { id, payer, device: device.0, from, to, amount, exported_mwh, measured, among })
}

/// What the meter's exports earned in that time.
async fn count(
    app: &App,
    principal: &Principal,
    device: &str,
    (from, to): (Time, Time),
    zone: Option<Name>,
    source: Option<Name>,
) -> Result<Earned, Problem> {
    may_count(app, principal, device)?;
    // What the writer would refuse is not counted before.
    lab3_energy::check_span(app.engine().now(), from, to)?;
    let wanted = Wanted { device: device.into(), span: (from, to), zone, source };
    app.readings().ask(move |memory| wanted.earned(memory)).await
}

/// What a meter reads tells when somebody is at home: who may not look at it may not learn it from what it earned.
fn may_count(app: &App, principal: &Principal, device: &str) -> Result<(), Problem> {
    if device == GRID {
        return Ok(());
    }
    judge(&app.engine().trust(), app.engine().now(), principal, &WATCH_METERS, &Touched::Nothing).map_err(|_| {
        let detail = format!("What {device} reads is not yours to see. Send amount_gic, or name a meter of the grid's connection.");
        Problem::new(Code::NOT_ALLOWED, detail).in_field("device")
    })
}

fn among(rule: ShareRule, members: Option<Vec<ShareMember>>) -> Result<Among, Problem> {
    let is_missing = |field: String, detail: &'static str| Problem::new(Code::FIELD_MISSING, detail).in_field(field);
    let members = match (rule, members) {
        (ShareRule::Generation, None) => Vec::new(),
        (_, None) => return Err(is_missing("members".to_owned(), "Say among whom it is shared.")),
        (_, Some(members)) => members,
    };
    if rule == ShareRule::Weights {
        let weighted = (0..).zip(members).map(|(at, member): (usize, ShareMember)| {
            let weight =
                member.weight.ok_or_else(|| is_missing(format!("members[{at}].weight"), "By this rule each member has a weight."))?;
            Ok((member.did, weight.0))
        });
        return weighted.collect::<Result<_, Problem>>().map(Among::Weights);
    }
    if let Some(at) = members.iter().position(|member| member.weight.is_some()) {
        let problem = Problem::new(Code::FIELD_RANGE, format!("By the rule {} no weights are given. Leave it out.", rule.word()));
        return Err(problem.in_field(format!("members[{at}].weight")));
    }
    let dids = members.into_iter().map(|member| member.did).collect();
    Ok(if rule == ShareRule::Equal { Among::Equal(dids) } else { Among::Generation(dids) })
}

pub(crate) async fn exports(app: App, permit: Permit<Asked<ExportsQuery>>) -> Answer {
    let (_, Asked(query)) = permit.open();
    let look = move |desk: &lab3_engine::Desk<'_>| {
        let wallet = query.payer_did.map(|did| desk.state.ledger.find(did.as_str(), Asset::MIC, Purpose::Wallet));
        // Who has no wallet has paid nothing.
        let all = if wallet == Some(None) { Vec::new() } else { desk.state.energy.exports().latest(wallet.flatten(), LIMIT) };
        let told = all.into_iter().map(|(payer, sharing)| SharingReply::new(desk.state.ledger.owner_name(payer), sharing));
        told.collect::<Vec<_>>()
    };
    Ok(reply(&ExportsReply { sharings: app.engine().read(look).await? }))
}

impl ShareExportsReply {
    fn new(shared: &ExportShared, names: &Names, sequence: u64) -> Self {
        let member = |share: &lab3_energy::MemberShare| MemberReply {
            did: names.of(share.account).into(),
            weight: share.weight,
            amount_gic: Mic(share.amount),
        };
        Self {
            tx_id: TransactionId { id: shared.id, further: 0 },
            from: Shown(shared.from),
            to: Shown(shared.to),
            amount_gic: Mic(shared.amount),
            exported_kwh: shared.exported_mwh.map(Kwh),
            measured: shared.measured,
            rule: shared.rule.word(),
            members: shared.shares.iter().map(member).collect(),
            sequence,
        }
    }
}

impl SharingReply {
    fn new(payer: &str, sharing: &Sharing) -> Self {
        Self {
            tx_id: TransactionId { id: sharing.id, further: 0 },
            payer_did: payer.into(),
            device: sharing.device.clone(),
            from: Shown(sharing.from),
            to: Shown(sharing.to),
            amount_gic: Mic(sharing.amount),
            exported_kwh: sharing.exported_mwh.map(Kwh),
            measured: sharing.measured,
            rule: sharing.rule.word(),
            members: sharing.members,
            timestamp: Shown(sharing.at),
        }
    }
}
