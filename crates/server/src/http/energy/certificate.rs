//! `POST /lab3/energy/certificates/{certificate_id}/split`, `hand` and `claim`: what an owner does with a certificate.

use axum::response::Response;
use lab3_energy::carbon::certificates::Fact as Certificates;
use lab3_energy::{Certify, Fact as Energy};
use lab3_engine::{Actor, Command, Energy as EnergyCommand, Fact, Key, Submission, item_id};
use lab3_units::{Amount, Code, Did, Id, Owner, Problem, Time};
use serde::Serialize;
use utoipa::ToSchema;

use crate::App;
use crate::http::body::Sent;
use crate::http::doc::Doc;
use crate::http::key::fresh_id;
use crate::http::parameters::Named;
use crate::http::permit::{Permit, Touches, Touching};
use crate::http::problem::{Refused, unexpected};
use crate::http::reply::{Answer, done};
use crate::json::{CertificateId, Whole, request};

request! {
    /// Make two of one.
    #[example({ "first_wh": 1000 })]
    pub(crate) struct SplitRequest {
        /// Whole Wh of the first; the second has the rest.
        pub first_wh: Whole<1, 1_000_000_000_000>,
    }
}

request! {
    /// Give it to somebody.
    #[example({ "to_did": "did:kaizen:bob" })]
    pub(crate) struct HandRequest {
        /// To whom.
        pub to_did: Did,
    }
}

request! {
    /// Claim it for what was consumed.
    #[example({ "hour": "2026-11-23T11:00:00Z" })]
    pub(crate) struct ClaimRequest {
        /// The hour of the consumption: that of the certificate.
        pub hour: Time,
    }
}

/// What became of a certificate.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CertifiedReply {
    /// Which.
    #[schema(value_type = String, example = "ce_06f2x1w0v7r9h3kz8q5d4c2bgm")]
    certificate_id: CertificateId,
    /// `issued`, `split`, `handed` or `claimed`.
    #[schema(example = "issued")]
    state: &'static str,
    /// Whole Wh that were certified, when it was issued.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    energy_wh: Option<i64>,
    /// What it is now, when it was split.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Vec<String>>, nullable = false)]
    into: Option<[CertificateId; 2]>,
    /// The journal record this stands in.
    sequence: u64,
}

impl Touching for CertificateId {
    fn touches(&self) -> Touches<'_> {
        Touches::Certificate(self.0)
    }
}

fn refusing(doc: Doc) -> Doc {
    doc.names::<CertificateId>("certificate_id", "The certificate.", Code::ID_MALFORMED)
        .answers::<CertifiedReply>("What became of it")
        .refuses(&[Code::CERTIFICATE_UNKNOWN, Code::CERTIFICATE_USED, Code::BOOKS_LIMIT])
}

pub(crate) fn split_doc() -> Doc {
    refusing(Doc::new("energy", "split_certificate", "Make two certificates of one").reads::<SplitRequest>())
}

pub(crate) fn hand_doc() -> Doc {
    refusing(Doc::new("energy", "hand_certificate", "Give a certificate to somebody").reads::<HandRequest>())
}

pub(crate) fn claim_doc() -> Doc {
    let doc = Doc::new("energy", "claim_certificate", "Claim a certificate for what was consumed in its hour, once");
    refusing(doc.reads::<ClaimRequest>())
}

pub(crate) async fn split(app: App, permit: Permit<(Named<CertificateId>, Sent<SplitRequest>)>) -> Answer {
    let (actor, (Named(CertificateId(id)), Sent { body, key })) = permit.open();
    let record = key.map_or_else(fresh_id, |key| key.id);
    let into = [item_id(record, 0), item_id(record, 1)];
    let first_wh = Amount::new(i64::try_from(body.first_wh.0).unwrap_or(i64::MAX));
    owned(&app, actor, key, record, id, |by| Certify::Split { id, by, first_wh, into }).await
}

pub(crate) async fn hand(app: App, permit: Permit<(Named<CertificateId>, Sent<HandRequest>)>) -> Answer {
    let (actor, (Named(CertificateId(id)), Sent { body, key })) = permit.open();
    let (record, to) = (key.map_or_else(fresh_id, |key| key.id), Owner::from(&body.to_did));
    owned(&app, actor, key, record, id, |by| Certify::Hand { id, by, to }).await
}

pub(crate) async fn claim(app: App, permit: Permit<(Named<CertificateId>, Sent<ClaimRequest>)>) -> Answer {
    let (actor, (Named(CertificateId(id)), Sent { body, key })) = permit.open();
    let record = key.map_or_else(fresh_id, |key| key.id);
    owned(&app, actor, key, record, id, |by| Certify::Claim { id, by, hour: body.hour }).await
}

/// Does it in the name of who owns it: whether he asks was judged at the door, and the register looks again.
async fn owned(app: &App, actor: Actor, key: Option<Key>, record: Id, id: Id, command: impl FnOnce(Owner) -> Certify) -> Answer {
    let owner = app.engine().read(move |desk| desk.state.energy.register().get(id).map(|certificate| certificate.owner.clone())).await?;
    let command = if let Some(owner) = owner {
        Command::Energy(EnergyCommand::Certify(Box::new(command(owner))))
    } else {
        let detail = "There is no such certificate. Its id stands in the reply that issued it.";
        Command::Refused(Problem::new(Code::CERTIFICATE_UNKNOWN, detail).in_field("certificate_id"))
    };
    certify(app, actor, key, record, command).await
}

/// Has it decided, and answers from the record.
pub(super) async fn certify(app: &App, actor: Actor, key: Option<Key>, record: Id, command: Command) -> Result<Response, Refused> {
    let committed = app.engine().submit(Submission::new(actor, key, record, command)).await?;
    let Fact::Energy(Energy::Certified(fact)) = &committed.stored.record.fact else { return Err(unexpected(&committed).into()) };
    let reply = |id: Id, state, energy_wh, into: Option<[Id; 2]>| CertifiedReply {
        certificate_id: CertificateId(id),
        state,
        energy_wh,
        into: into.map(|into| into.map(CertificateId)),
        sequence: committed.stored.sequence,
    };
    let reply = match fact {
        Certificates::Issued { id, certificate } => reply(*id, "issued", Some(certificate.energy_wh.units()), None),
        Certificates::Split { id, into, .. } => reply(*id, "split", None, Some(*into)),
        Certificates::Handed { id, .. } => reply(*id, "handed", None, None),
        Certificates::Claimed { id, .. } => reply(*id, "claimed", None, None),
    };
    Ok(done(app, &reply, &committed))
}
