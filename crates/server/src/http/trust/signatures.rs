//! The signatures an intent came with: a citizen's own, or treasurers'.

use lab3_trust::{Approval, Countersign, Intent, PublicKey, Signature, Statement, Verified};
use lab3_units::{Amount, Code, Did, Problem};

use crate::http::trust::intent::IntentRequest;
use crate::json::{Words, request};

request! {
    /// A treasurer's signature.
    #[example({
        "treasurer": "did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK",
        "public_key": "z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK",
        "signature": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=="
    })]
    pub(crate) struct TreasurerSignature {
        /// Whose it is.
        pub treasurer: Did,
        /// The key it was made with, as a `did:key` has it.
        pub public_key: Words<1, 64>,
        /// The signature (Ed25519) in base 64.
        pub signature: Words<1, 128>,
    }
}

/// The signature of the citizen who has to sign, checked over the statement.
///
/// Errors: `FIELD_MISSING` and `FIELD_RANGE` when other signatures came than are asked for; `INTENT_INVALID` when it does not fit.
pub(super) fn intent_of(body: &IntentRequest, fee_max: Amount, statement: &Statement) -> Result<Verified<Intent>, Problem> {
    let act = statement.act.as_str();
    if body.signatures.is_some() {
        let detail = format!("An intent to {act} is signed by one: send public_key and signature, and leave this out.");
        return Err(Problem::new(Code::FIELD_RANGE, detail).in_field("signatures"));
    }
    let missing =
        |field: &'static str| Problem::new(Code::FIELD_MISSING, format!("An intent to {act} needs its signer's {field}.")).in_field(field);
    let key = key_of(body.public_key.as_ref().ok_or_else(|| missing("public_key"))?, "")?;
    let signature = signature_of(body.signature.as_ref().ok_or_else(|| missing("signature"))?, "")?;
    Intent { not_after: statement.not_after, fee_max, key, signature }.verify(statement)
}

/// The treasurers' signatures, checked over the statement. Whether they are treasurers, and enough, the writer looks.
///
/// Errors: as [`intent_of`].
pub(super) fn approval_of(body: &IntentRequest, statement: &Statement) -> Result<Verified<Approval>, Problem> {
    let act = statement.act.as_str();
    for (field, sent) in [("public_key", body.public_key.is_some()), ("signature", body.signature.is_some())] {
        if sent {
            let detail = format!("An intent to {act} is signed by treasurers: send signatures, a list, and leave this out.");
            return Err(Problem::new(Code::FIELD_RANGE, detail).in_field(field));
        }
    }
    let Some(sent) = &body.signatures else {
        let detail =
            format!("An intent to {act} is signed by treasurers. Send their signatures: treasurer, public_key, signature of each.");
        return Err(Problem::new(Code::FIELD_MISSING, detail).in_field("signatures"));
    };
    let read = sent.0.iter().enumerate().map(|(at, sign)| {
        let place = format!("signatures[{at}].");
        Ok(Countersign {
            treasurer: sign.treasurer.clone(),
            key: key_of(&sign.public_key, &place)?,
            signature: signature_of(&sign.signature, &place)?,
        })
    });
    Approval { not_after: statement.not_after, signatures: read.collect::<Result<_, Problem>>()? }.verify(statement)
}

fn key_of(text: &Words<1, 64>, place: &str) -> Result<PublicKey, Problem> {
    PublicKey::parse(&text.0).ok_or_else(|| malformed(place, "public_key", "Ed25519 key as a did:key has it (z6Mk...)"))
}

fn signature_of(text: &Words<1, 128>, place: &str) -> Result<Signature, Problem> {
    Signature::parse(&text.0).ok_or_else(|| malformed(place, "signature", "signature of 64 bytes in base 64"))
}

fn malformed(place: &str, field: &str, what: &str) -> Problem {
    Problem::new(Code::INTENT_INVALID, format!("This is no {what}.")).in_field(format!("{place}{field}"))
}
