//! What must be signed, what may be, and with which parameters: our subset of what RFC 9421 allows.

use crate::base::name;
use crate::digest;
use crate::error::SignatureError;
use crate::key_id::KeyId;
use crate::request::Request;
use crate::structured::{Bare, List};

/// The tag that says a signature is meant for us.
pub const TAG: &str = "lab3";
/// Seconds that `created` may be from now, either way, unless one says otherwise.
pub const WINDOW_SECONDS: u32 = 300;
/// Components a signature may have.
pub const COMPONENTS_MAX: usize = 16;
/// Signatures a request may carry: proxies put theirs beside the client's.
pub const SIGNATURES_MAX: usize = 4;
/// Bytes of the longest nonce.
pub const NONCE_BYTES_MAX: usize = 256;
/// Bytes of each header that is parsed.
pub(crate) const FIELD_BYTES_MAX: usize = 4096;

/// Always signed.
pub(crate) const ALWAYS: [&str; 4] = ["@method", "@authority", "@path", "@query"];
/// Signed when there is a body.
pub(crate) const WITH_BODY: [&str; 2] = [digest::HEADER, "content-type"];
/// Signed when they are sent: they say what is done, or what the body is.
pub(crate) const WHEN_SENT: [&str; 4] = [digest::HEADER, "content-type", "content-encoding", "idempotency-key"];
/// Signed if the client likes.
const MAY_BE: [&str; 4] = ["accept", "content-length", "date", "user-agent"];

/// What a signature's parameters say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Terms {
    pub key_id: KeyId,
    pub created: i64,
    pub expires: Option<i64>,
    pub nonce: Option<String>,
}

/// Whether the component is signed.
pub(crate) fn covers(list: &List, component: &str) -> bool {
    list.items.iter().any(|item| matches!(&item.value, Bare::String(name) if name == component))
}

/// Refuses a list of components that leaves out what must be signed, or has what may not be.
pub(crate) fn check_components(request: &Request<'_>, list: &List) -> Result<(), SignatureError> {
    if list.items.len() > COMPONENTS_MAX {
        return Err(SignatureError::Components);
    }
    for item in &list.items {
        let name = name(item)?;
        if !(ALWAYS.contains(&name) || WHEN_SENT.contains(&name) || MAY_BE.contains(&name)) {
            return Err(SignatureError::Component { component: name.to_owned() });
        }
        // Two lines are signed as one with a comma; who reads the first only would read something else.
        if request.lines(name).nth(1).is_some() {
            return Err(SignatureError::Lines { header: name.to_owned() });
        }
    }
    let sent = WHEN_SENT.into_iter().filter(|name| request.sends(name));
    ALWAYS.into_iter().chain(sent).try_for_each(|component| require(list, component))?;
    // Said early where the client announces a body; where it does not, the body itself shows.
    if request.lines("content-length").any(|length| length != b"0") { require_body(list) } else { Ok(()) }
}

/// Refuses a list that leaves out what says which body it is.
pub(crate) fn require_body(list: &List) -> Result<(), SignatureError> {
    WITH_BODY.into_iter().try_for_each(|component| require(list, component))
}

fn require(list: &List, component: &'static str) -> Result<(), SignatureError> {
    if covers(list, component) { Ok(()) } else { Err(SignatureError::Unsigned { component }) }
}

/// Reads the parameters, and refuses those that are unknown or not as they should be.
pub(crate) fn terms(list: &List) -> Result<Terms, SignatureError> {
    for (parameter, value) in &list.params {
        match parameter.as_str() {
            "created" | "expires" | "keyid" | "nonce" => {}
            "alg" if *value == Bare::String("ed25519".to_owned()) => {}
            "alg" => return Err(SignatureError::Algorithm),
            "tag" if *value == Bare::String(TAG.to_owned()) => {}
            "tag" => return Err(SignatureError::ParameterForm { parameter: "tag", expected: "\"lab3\"" }),
            _ => return Err(SignatureError::Parameter { parameter: parameter.clone() }),
        }
    }
    let created = seconds(list, "created")?;
    let created =
        created.ok_or(SignatureError::ParameterForm { parameter: "created", expected: "given: seconds since 1970, an integer" })?;
    let key_id = text(list, "keyid")?.ok_or(SignatureError::KeyId)?;
    let nonce = text(list, "nonce")?;
    // What was parsed is visible ASCII; what a client is about to sign need not be.
    let is_text = |nonce: &str| nonce.bytes().all(|byte| matches!(byte, b' '..=b'~'));
    if nonce.is_some_and(|nonce| nonce.is_empty() || nonce.len() > NONCE_BYTES_MAX || !is_text(nonce)) {
        return Err(SignatureError::Nonce);
    }
    Ok(Terms { key_id: KeyId::parse(key_id)?, created, expires: seconds(list, "expires")?, nonce: nonce.map(str::to_owned) })
}

impl Terms {
    /// Refuses a signature made long ago or in the future, or past its end. The moments are seconds since 1970.
    pub(crate) fn check_time(&self, now: i64, window_seconds: u32) -> Result<(), SignatureError> {
        let created = self.created;
        if created.abs_diff(now) > u64::from(window_seconds) {
            return Err(SignatureError::Time { created, now, window_seconds });
        }
        match self.expires {
            Some(expires) if expires < now || expires < created => Err(SignatureError::Expired { expires, now }),
            _ => Ok(()),
        }
    }
}

pub(crate) fn parameter<'a>(list: &'a List, name: &str) -> Option<&'a Bare> {
    list.params.iter().find(|(other, _)| other == name).map(|(_, value)| value)
}

fn seconds(list: &List, name: &'static str) -> Result<Option<i64>, SignatureError> {
    match parameter(list, name) {
        None => Ok(None),
        Some(Bare::Integer(seconds)) => Ok(Some(*seconds)),
        Some(_) => Err(SignatureError::ParameterForm { parameter: name, expected: "seconds since 1970, an integer" }),
    }
}

fn text<'a>(list: &'a List, name: &'static str) -> Result<Option<&'a str>, SignatureError> {
    match parameter(list, name) {
        None => Ok(None),
        Some(Bare::String(text)) => Ok(Some(text)),
        Some(_) => Err(SignatureError::ParameterForm { parameter: name, expected: "a \"string\" in quotes" }),
    }
}
