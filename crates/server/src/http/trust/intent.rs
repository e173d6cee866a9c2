//! `POST /lab3/intents`: what a citizen signed, brought by anybody. The signature counts, not who brings it.

use lab3_engine::{Actor, Command, Key, Order, Submission, Will};
use lab3_finance::{Contribute, Transfer};
use lab3_trust::{Act, ChangeDidKeys, Intent, MemoHash, Principal, PublicKey, Signature, Statement, Verified};
use lab3_units::{Amount, Code, Problem, Time};
use serde::Serialize;
use sha2::{Digest, Sha256};
use utoipa::ToSchema;

use crate::App;
use crate::http::body::Sent;
use crate::http::doc::Doc;
use crate::http::permit::{Permit, Touches, Touching};
use crate::http::reply::{Answer, Shown, done};
use crate::json::{Lines, Words, request};

request! {
    /// A signed intent.
    #[example({
        "intent": "lab3 intent 1\nhive: riverside\njournal: jn_06f2x1w0v7r9h3kz8q5d4c2bgm\nid: tx_06f2x1w0v7r9h3kz8q5d4c2bgn\nnot-after: 2027-01-31T12:00:00Z\nact: transfer\nfrom: did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK\nto: did:kaizen:bob\namount-ks: 50000000\nfee-max-ks: 500\nmemo: -\n",
        "public_key": "z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK",
        "signature": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=="
    })]
    pub(crate) struct IntentRequest {
        /// The text that was signed, to the byte.
        pub intent: Lines<4096>,
        /// The key it was signed with, as a `did:key` has it.
        pub public_key: Words<1, 64>,
        /// The signature (Ed25519) in base 64.
        pub signature: Words<1, 128>,
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
    /// `transfer`, `contribute` or `did-key`.
    #[schema(example = "transfer")]
    act: &'static str,
    /// When.
    #[schema(value_type = String, format = DateTime, example = "2025-10-31T14:30:00Z")]
    timestamp: Shown<Time>,
    /// The journal record it stands in.
    sequence: u64,
}

pub(crate) fn doc() -> Doc {
    Doc::new("trust", "intent", "Carry out what a citizen signed: a transfer, a contribution, a change of her keys")
        .about("Anybody may bring it. It is good once, on this Hive, until the time it names; the journal keeps the signature.")
        .reads::<IntentRequest>()
        .answers::<IntentReply>("It is done")
        .refuses(&[Code::INTENT_INVALID, Code::ACCOUNT_FROZEN, Code::MIC_INSUFFICIENT, Code::SAME_PARTY, Code::BOOKS_LIMIT, Code::STANDING])
        .refuses(&[Code::NOT_ALLOWED, Code::NOT_LOCAL, Code::UNNAMED, Code::KEY_INVALID])
}

pub(crate) async fn intent(app: App, permit: Permit<Sent<IntentRequest>>) -> Answer {
    let principal = permit.principal().clone();
    let (_, Sent { body, .. }) = permit.open();
    let statement = statement(&app, &body.intent.0)?;
    let (words, salt) = (body.memo.as_ref().map(|memo| memo.0.clone()), body.memo_salt.as_ref().map(|salt| salt.0.clone()));
    let (act, id) = (statement.act.as_str(), statement.id);
    let (command, will, actor) = match statement.act.clone() {
        Act::Transfer { from, to, amount, memo, fee_max } => {
            let (reason, salt) = memo_of(memo, words, salt)?;
            let intent = signed(&body, fee_max, &statement)?;
            (Command::Transfer(Transfer { from, to, amount, reason }), Some(Will::Intent(intent, salt)), Actor::Signed)
        }
        Act::Contribute { from, amount, memo } => {
            let (reason, salt) = memo_of(memo, words, salt)?;
            let intent = signed(&body, Amount::ZERO, &statement)?;
            (Command::Contribute(Contribute { from, amount, reason }), Some(Will::Intent(intent, salt)), Actor::Signed)
        }
        Act::DidKey(event) => {
            let intent = signed(&body, Amount::ZERO, &statement)?;
            let actor = Actor::of(&principal).unwrap_or(Actor::Signed);
            let principal = match principal {
                // Nobody is who signed.
                Principal::Nobody => Principal::Signed { did: event.did.clone(), key: intent.get().key },
                somebody => somebody,
            };
            let command = Box::new(ChangeDidKeys { event, intent }).into();
            (Command::Trust(Box::new(Order { principal, command })), None, actor)
        }
        Act::Grant { .. } | Act::Mint { .. } | Act::Policy(_) | Act::Treasurers(_) | Act::Freeze { .. } => {
            let detail = format!("`{act}` is not a citizen's to sign alone: its signatures go along with the request for it.");
            return Err(Problem::new(Code::INTENT_INVALID, detail).in_field("intent").into());
        }
    };
    let key = Key { id, fingerprint: fingerprint(&body.intent.0) };
    let submission = Submission { actor, id, key: Some(key), command, will: will.map(Box::new) };
    let committed = app.engine().submit(submission).await?;
    let record = &committed.stored.record;
    let reply = IntentReply { tx_id: id.text("tx").to_string(), act, timestamp: Shown(record.at), sequence: committed.stored.sequence };
    Ok(done(&app, &reply, &committed))
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

fn signed(body: &IntentRequest, fee_max: Amount, statement: &Statement) -> Result<Verified<Intent>, Problem> {
    let malformed = |field, what| Problem::new(Code::INTENT_INVALID, format!("This is no {what}.")).in_field(field);
    let key = PublicKey::parse(&body.public_key.0).ok_or_else(|| malformed("public_key", "Ed25519 key as a did:key has it (z6Mk...)"))?;
    let signature = Signature::parse(&body.signature.0).ok_or_else(|| malformed("signature", "signature of 64 bytes in base 64"))?;
    Intent { not_after: statement.not_after, fee_max, key, signature }.verify(statement)
}

/// The words a hash stands for, and its salt.
fn memo_of(hash: Option<MemoHash>, words: Option<Box<str>>, salt: Option<Box<str>>) -> Result<(Box<str>, Option<[u8; 16]>), Problem> {
    let wrong = |field, detail: &'static str| Err(Problem::new(Code::INTENT_INVALID, detail).in_field(field));
    match (hash, words, salt) {
        (None, None, None) => Ok((Box::default(), None)),
        (None, _, _) => wrong("memo", "The intent has no memo (memo: -). Leave memo and memo_salt out, or sign their hash."),
        (Some(_), None, _) => wrong("memo", "The intent has a memo's hash: send the memo it is of."),
        (Some(_), _, None) => wrong("memo_salt", "The intent has a memo's hash: send the salt it was made with."),
        (Some(hash), Some(words), Some(salt)) => {
            let Some(salt) = u128::from_str_radix(&salt, 16).ok().map(u128::to_be_bytes) else {
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
