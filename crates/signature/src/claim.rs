//! A signature on its way to be believed: said ([`Claim`]), proven for the head ([`Head`]), proven for all of it ([`Signed`]).

use ed25519_dalek::{Signature, VerifyingKey};

use crate::base::base;
use crate::digest::{self, ContentDigest};
use crate::error::SignatureError;
use crate::key_id::KeyId;
use crate::request::Request;
use crate::structured::{Bare, Item, List, Member, dictionary};
use crate::subset::{self, FIELD_BYTES_MAX, SIGNATURES_MAX, TAG, Terms};

/// The header with the components and parameters.
pub(crate) const INPUT: &str = "signature-input";
/// The header with the bytes.
pub(crate) const SIGNATURE: &str = "signature";

/// What the head of a request says about who signed it. Nothing of it is proven.
#[derive(Clone, Debug)]
#[must_use = "a claim proves nothing until it is verified"]
pub struct Claim {
    terms: Terms,
    list: List,
    base: String,
    signature: [u8; 64],
    digest: Option<ContentDigest>,
}

/// A head that its key signed. The body may still be another.
#[derive(Clone, Debug)]
#[must_use = "the body is not proven until it is checked"]
pub struct Head {
    claim: Claim,
}

/// A request that its key signed, head and body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signed {
    terms: Terms,
}

/// A list of components and the bytes that go with it: any set, not only ours.
#[derive(Debug)]
pub(crate) struct Found {
    pub list: List,
    pub signature: [u8; 64],
}

impl Claim {
    /// Reads the signature that is meant for us. `now` is seconds since 1970; `created` may be `window_seconds` from it, either way
    /// ([`crate::WINDOW_SECONDS`] unless the operator says otherwise). Errors: there is none, it is not well-formed, it leaves out what must
    /// be signed, or its time is not now.
    pub fn parse(request: &Request<'_>, now: i64, window_seconds: u32) -> Result<Self, SignatureError> {
        let Found { list, signature } = find(request)?;
        subset::check_components(request, &list)?;
        let terms = subset::terms(&list)?;
        terms.check_time(now, window_seconds)?;
        let digest =
            if subset::covers(&list, digest::HEADER) { Some(ContentDigest::parse(&bounded(request, digest::HEADER)?)?) } else { None };
        Ok(Self { base: base(request, &list)?, terms, list, signature, digest })
    }

    /// Whose key it is said to be.
    pub fn key_id(&self) -> &KeyId {
        &self.terms.key_id
    }

    /// The text the signature is over, as received: what a client compares with the text it signed.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// Checks the signature with the Ed25519 key of that id.
    pub fn verify(self, key: &[u8; 32]) -> Result<Head, SignatureError> {
        check(&self.base, &self.signature, key)?;
        Ok(Head { claim: self })
    }
}

impl Head {
    /// Whose key it is.
    pub fn key_id(&self) -> &KeyId {
        self.claim.key_id()
    }

    /// Checks the body, as it was sent (not decoded). Errors: it is another, or there is one and its digest and type were not signed.
    pub fn check_body(self, body: &[u8]) -> Result<Signed, SignatureError> {
        let Claim { terms, list, digest, .. } = self.claim;
        if !body.is_empty() {
            subset::require_body(&list)?;
        }
        if digest.is_some_and(|digest| !digest.fits(body)) {
            return Err(SignatureError::Digest);
        }
        Ok(Signed { terms })
    }
}

impl Signed {
    /// Whose key it is.
    pub fn key_id(&self) -> &KeyId {
        &self.terms.key_id
    }

    /// When it was signed, by the client's clock: seconds since 1970.
    pub fn created(&self) -> i64 {
        self.terms.created
    }

    /// The client's nonce, which nobody here remembers.
    pub fn nonce(&self) -> Option<&str> {
        self.terms.nonce.as_deref()
    }
}

/// The signature that is meant for us.
pub(crate) fn find(request: &Request<'_>) -> Result<Found, SignatureError> {
    let (label, list) = ours(members(request, INPUT)?)?;
    let signature = members(request, SIGNATURE)?.into_iter().find_map(|(other, member)| (other == label).then_some(member));
    let signature = match signature {
        Some(Member::Item(Item { value: Bare::Bytes(bytes), params })) if params.is_empty() => bytes.try_into().ok(),
        _ => None,
    };
    match signature {
        Some(signature) => Ok(Found { list, signature }),
        None => Err(SignatureError::NoBytes { label }),
    }
}

/// The one with our tag, or the only one if it has none.
fn ours(mut members: Vec<(String, Member)>) -> Result<(String, List), SignatureError> {
    let is_alone = members.len() == 1;
    members.retain(|(_, member)| match member {
        Member::List(list) => subset::parameter(list, "tag").map_or(is_alone, |tag| *tag == Bare::String(TAG.to_owned())),
        Member::Item(_) => is_alone,
    });
    let Some((label, member)) = members.pop() else { return Err(SignatureError::NoneOurs) };
    match member {
        _ if !members.is_empty() => Err(SignatureError::SeveralOurs),
        Member::List(list) => Ok((label, list)),
        Member::Item(_) => Err(SignatureError::NoList { label }),
    }
}

/// The signatures a header names.
fn members(request: &Request<'_>, header: &'static str) -> Result<Vec<(String, Member)>, SignatureError> {
    let members = dictionary(&bounded(request, header)?).map_err(|fault| SignatureError::form(header, fault))?;
    if members.len() > SIGNATURES_MAX { Err(SignatureError::Many) } else { Ok(members) }
}

/// A header that is going to be parsed.
fn bounded(request: &Request<'_>, header: &'static str) -> Result<String, SignatureError> {
    if !request.sends(header) {
        return Err(SignatureError::Missing { header });
    }
    // Before the lines are joined, each with a comma and a space.
    if request.lines(header).map(|line| line.len().saturating_add(2)).sum::<usize>() > FIELD_BYTES_MAX {
        return Err(SignatureError::Long { header });
    }
    request.field(header)
}

/// Whether it is this key's signature over the text. Strict: no keys or points of small order, one spelling of a signature.
pub(crate) fn check(base: &str, signature: &[u8; 64], key: &[u8; 32]) -> Result<(), SignatureError> {
    let key = VerifyingKey::from_bytes(key).map_err(|_| SignatureError::Forged)?;
    key.verify_strict(base.as_bytes(), &Signature::from_bytes(signature)).map_err(|_| SignatureError::Forged)
}
