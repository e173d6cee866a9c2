//! `POST /lab3/intents`: what a citizen or the treasurers signed, brought by anybody. The signatures count, not who brings them.

use lab3_engine::{Actor, Command, Key, Order, Submission, Will};
use lab3_finance::{Contribute, Grant, Mint, Transfer};
use lab3_trust::{Act, ChangeDidKeys, ChangePolicy, Freeze, MemoHash, NameTreasurers, PolicyLines, Principal, Statement};
use lab3_units::{Amount, Code, Problem, Time};
use serde::Serialize;
use sha2::{Digest, Sha256};
use utoipa::ToSchema;

use crate::App;
use crate::http::body::Sent;
use crate::http::doc::Doc;
use crate::http::energy::exports::signed;
use crate::http::permit::{Permit, Touches, Touching};
use crate::http::reply::{Answer, Shown, done};
use crate::http::trust::signatures::{TreasurerSignature, approval_of, intent_of};
use crate::json::{Lines, List, Words, check_rule, request};

request! {
    /// A signed intent.
    #[example({
        "intent": "lab3 intent 1\nhive: riverside\njournal: jn_06f2x1w0v7r9h3kz8q5d4c2bgm\nid: tx_06f2x1w0v7r9h3kz8q5d4c2bgn\nnot-after: 2027-01-31T12:00:00Z\nact: transfer\nfrom: did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK\nto: did:kaizen:bob\namount-ks: 50000000\nfee-max-ks: 500\nmemo: -\n",
        "public_key": "z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK",
        "signature": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=="
    })]
    pub(crate) struct IntentRequest {
        /// The text that was signed, to the byte.
        pub intent: Lines<524_288>,
        /// The key it was signed with, as a `did:key` has it.
        pub public_key: Option<Words<1, 64>>,
        /// The signature (Ed25519) in base 64.
        pub signature: Option<Words<1, 128>>,
        /// Instead of these two, where treasurers sign: the signature of each.
        pub signatures: Option<List<TreasurerSignature, 1, 32>>,
        /// The words whose hash stands in the line `memo`.
        pub memo: Option<Words<1, 500>>,
        /// The salt of that hash: 32 hexadecimal digits.
        pub memo_salt: Option<Words<32, 32>>,
    }
}

impl Touching for IntentRequest {
    fn touches(&self) -> Touches<'_> {
        // Whose money it takes is whose signature it needs; the writer looks.
        Touches::Nothing
    }
}

/// An intent that was carried out.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct IntentReply {
    /// Its id.
    #[schema(example = "tx_06f2x1w0v7r9h3kz8q5d4c2bgn")]
    tx_id: String,
    /// `transfer`, `contribute`, `share-exports` or `did-key`; `grant`, `mint`, `policy`, `treasurers` or `freeze`.
    #[schema(example = "transfer")]
    act: &'static str,
    /// When.
    #[schema(value_type = String, format = DateTime, example = "2025-10-31T14:30:00Z")]
    timestamp: Shown<Time>,
    /// The journal record it stands in.
    sequence: u64,
}

pub(crate) fn doc() -> Doc {
    Doc::new("trust", "intent", "Carry out what a citizen or the treasurers signed")
        .about(
            "A citizen signs a transfer, a contribution, how exports are shared, a change of her keys (`public_key`, `signature`); treasurers sign grants, new money, \
             rules, who they are, freezes (`signatures`). Anybody may bring it. It is good once, on this Hive, until the time it names; the \
             journal keeps the signatures.",
        )
        .reads::<IntentRequest>()
        .answers::<IntentReply>("It is done")
        .refuses(&[Code::INTENT_INVALID, Code::ACCOUNT_FROZEN, Code::MIC_INSUFFICIENT, Code::SAME_PARTY, Code::BOOKS_LIMIT, Code::STANDING])
        .refuses(&[Code::NOT_ALLOWED, Code::NOT_LOCAL, Code::UNNAMED, Code::KEY_INVALID, Code::POOL_INSUFFICIENT])
        .refuses(&[Code::HOUR_CLOSED, Code::CERTIFICATE_UNKNOWN, Code::SIGNAL_UNKNOWN, Code::READINGS_UNAVAILABLE, Code::QUEUE_FULL])
}

pub(crate) async fn intent(app: App, permit: Permit<Sent<IntentRequest>>) -> Answer {
    let principal = permit.principal().clone();
    let (_, Sent { body, .. }) = permit.open();
    let statement = statement(&app, &body.intent.0)?;
    let (act, id) = (statement.act.as_str(), statement.id);
    let Willed { command, will, actor } = willed(&app, &body, &statement, principal).await?;
    let key = Key { id, fingerprint: fingerprint(&body.intent.0) };
    let submission = Submission { will: will.map(Box::new), ..Submission::new(actor, Some(key), id, command) };
    let committed = app.engine().submit(submission).await?;
    let record = &committed.stored.record;
    let reply = IntentReply { tx_id: id.text("tx").to_string(), act, timestamp: Shown(record.at), sequence: committed.stored.sequence };
    Ok(done(&app, &reply, &committed))
}

/// What is willed, as the writer takes it.
struct Willed {
    command: Command,
    /// For money; other acts keep what was signed in their fact.
    will: Option<Will>,
    actor: Actor,
}

impl Willed {
    fn pays(command: Command, will: Will) -> Self {
        Self { command, will: Some(will), actor: Actor::Signed }
    }

    /// What treasurers decide, whoever brings it: they acted.
    fn decides(command: impl Into<lab3_trust::Command>) -> Self {
        let order = Order { principal: Principal::Nobody, command: command.into() };
        Self { command: Command::Trust(Box::new(order)), will: None, actor: Actor::Signed }
    }
}

async fn willed(app: &App, body: &IntentRequest, statement: &Statement, principal: Principal) -> Result<Willed, Problem> {
    Ok(match statement.act.clone() {
        Act::Transfer { from, to, amount, memo, fee_max } => {
            let (reason, salt) = memo_of(body, memo)?;
            let intent = intent_of(body, fee_max, statement)?;
            Willed::pays(Command::Transfer(Transfer { from, to, amount, reason }), Will::Intent(intent, salt))
        }
        Act::Contribute { from, amount, memo } => {
            let (reason, salt) = memo_of(body, memo)?;
            let intent = intent_of(body, Amount::ZERO, statement)?;
            Willed::pays(Command::Contribute(Contribute { from, amount, reason }), Will::Intent(intent, salt))
        }
        Act::ShareExports(share) => {
            memo_of(body, None)?;
            let intent = intent_of(body, share.counted_max(), statement)?;
            Willed::pays(signed::willed(app, &principal, statement.id, *share).await, Will::Intent(intent, None))
        }
        Act::DidKey(event) => {
            let intent = intent_of(body, Amount::ZERO, statement)?;
            let actor = Actor::of(&principal).unwrap_or(Actor::Signed);
            let principal = match principal {
                // Nobody is who signed.
                Principal::Nobody => Principal::Signed { did: event.did.clone(), key: intent.get().key },
                somebody => somebody,
            };
            let command = Box::new(ChangeDidKeys { event, intent }).into();
            Willed { command: Command::Trust(Box::new(Order { principal, command })), will: None, actor }
        }
        Act::Grant { to: recipient, amount, memo } => {
            let (project, salt) = memo_of(body, memo)?;
            let approval = approval_of(body, statement)?;
            Willed::pays(Command::Grant(Grant { recipient, amount, project, approved: true }), Will::Approval(approval, salt))
        }
        Act::Mint { to, amount, memo } => {
            let (reason, salt) = memo_of(body, memo)?;
            let approval = approval_of(body, statement)?;
            Willed::pays(Command::Mint(Mint { to, amount, reason }), Will::Approval(approval, salt))
        }
        Act::Policy(lines) => {
            check_rules(&lines)?;
            Willed::decides(ChangePolicy { lines, approval: Some(approval_of(body, statement)?) })
        }
        Act::Treasurers(treasurers) => Willed::decides(NameTreasurers { treasurers, approval: Some(approval_of(body, statement)?) }),
        Act::Freeze { citizen, hours, reason } => {
            Willed::decides(Freeze { citizen, hours, reason, approval: Some(approval_of(body, statement)?) })
        }
    })
}

/// Whether this desk knows the rules, told in the field that names them.
fn check_rules(lines: &PolicyLines) -> Result<(), Problem> {
    lines.iter().try_for_each(|(name, value)| check_rule(name, value).map(drop)).map_err(|problem| problem.in_field("intent"))
}

/// The statement, when it is one for this journal.
fn statement(app: &App, text: &str) -> Result<Statement, Problem> {
    let invalid = |detail: String| Problem::new(Code::INTENT_INVALID, detail).in_field("intent");
    let statement = Statement::parse(text).map_err(|error| invalid(format!("The intent cannot be read: {error}.")))?;
    let trust = app.engine().trust();
    let ours = trust.inscription().ok_or_else(|| invalid("This journal is not inscribed, so nothing can be signed for it.".to_owned()))?;
    if statement.hive != ours.hive || statement.journal != ours.journal {
        let detail = format!("The intent is for another journal. This is {}'s, {}.", ours.hive.as_str(), ours.journal.text("jn"));
        return Err(invalid(detail));
    }
    Ok(statement)
}

/// The words a hash stands for, and its salt.
fn memo_of(body: &IntentRequest, hash: Option<MemoHash>) -> Result<(Box<str>, Option<[u8; 16]>), Problem> {
    let (words, salt) = (body.memo.as_ref().map(|memo| memo.0.clone()), body.memo_salt.as_ref().map(|salt| &salt.0));
    let wrong = |field, detail: &'static str| Err(Problem::new(Code::INTENT_INVALID, detail).in_field(field));
    match (hash, words, salt) {
        (None, None, None) => Ok((Box::default(), None)),
        (None, _, _) => wrong("memo", "The intent has no memo (memo: -). Leave memo and memo_salt out, or sign their hash."),
        (Some(_), None, _) => wrong("memo", "The intent has a memo's hash: send the memo it is of."),
        (Some(_), _, None) => wrong("memo_salt", "The intent has a memo's hash: send the salt it was made with."),
        (Some(hash), Some(words), Some(salt)) => {
            let Some(salt) = u128::from_str_radix(salt, 16).ok().map(u128::to_be_bytes) else {
                return wrong("memo_salt", "The salt is 32 hexadecimal digits.");
            };
            if MemoHash::of(&salt, &words) != hash {
                return wrong("memo", "The memo is not the one whose hash was signed: SHA-256 of salt, colon, memo.");
            }
            Ok((words, Some(salt)))
        }
    }
}

/// Eight bytes of the text's hash; never 0.
fn fingerprint(text: &str) -> u64 {
    let hash: [u8; 32] = Sha256::digest(text).into();
    hash.first_chunk().map_or(1, |bytes| u64::from_le_bytes(*bytes) | 1)
}
