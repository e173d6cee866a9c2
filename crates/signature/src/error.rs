//! Why a signed request is refused: which header is meant, and what would help.

use crate::base::BASE_BYTES_MAX;
use crate::key_id::KEY_ID_BYTES_MAX;
use crate::structured::Fault;
use crate::subset::{COMPONENTS_MAX, FIELD_BYTES_MAX, NONCE_BYTES_MAX, SIGNATURES_MAX};

/// Why a signed request is refused, or cannot be signed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// A header without which there is no signature.
    #[error("there is no {header} header: a signed request has Signature-Input and Signature")]
    Missing {
        /// The header's name.
        header: &'static str,
    },
    /// A header longer than any honest one.
    #[error("the {header} header has more than {FIELD_BYTES_MAX} bytes")]
    Long {
        /// The header's name.
        header: &'static str,
    },
    /// A header that is no dictionary of structured fields (RFC 9651).
    #[error("the {header} header is not well-formed: at byte {at} there should be {expected}")]
    Form {
        /// The header's name.
        header: &'static str,
        /// Bytes before the fault.
        at: usize,
        /// What belongs there.
        expected: &'static str,
    },
    /// More than [`SIGNATURES_MAX`].
    #[error("signature-input: there are more than {SIGNATURES_MAX} signatures")]
    Many,
    /// None of the signatures is meant for us.
    #[error(
        "signature-input: no signature is meant for this server: give it the parameter tag=\"lab3\"; a single one may go without a tag"
    )]
    NoneOurs,
    /// Two with our tag.
    #[error("signature-input: two signatures have the tag \"lab3\"; sign once")]
    SeveralOurs,
    /// `Signature-Input` has not a list of components under the label.
    #[error("signature-input: {label} should be a list of components: {label}=(\"@method\" ...);created=...;keyid=\"...\"")]
    NoList {
        /// The signature's label.
        label: String,
    },
    /// `Signature` has not 64 bytes under the label.
    #[error("signature: {label} should be the 64 bytes of an Ed25519 signature in base 64 between colons")]
    NoBytes {
        /// The signature's label.
        label: String,
    },
    /// More than [`COMPONENTS_MAX`].
    #[error("signature-input: more than {COMPONENTS_MAX} components")]
    Components,
    /// A component nobody here knows what to do with.
    #[error(
        "signature-input: {component} cannot be signed here; sign @method, @authority, @path, @query, content-digest, content-type and \
         idempotency-key (accept, content-encoding, content-length, date and user-agent may be signed, too)"
    )]
    Component {
        /// The component's name.
        component: String,
    },
    /// A parameter of a component.
    #[error("signature-input: the parameter {parameter} of {component} is not supported; sign {component} as it is")]
    ComponentParameter {
        /// The component's name.
        component: String,
        /// The parameter's name.
        parameter: String,
    },
    /// A component that stands in the list twice.
    #[error("signature-input: {component} is listed twice")]
    Twice {
        /// The component's name.
        component: String,
    },
    /// A component that must be signed and is not.
    #[error("signature-input: {component} must be signed; put it into the list of components")]
    Unsigned {
        /// The component's name.
        component: &'static str,
    },
    /// A component that is listed and has no header.
    #[error("{component} is signed, but there is no such header")]
    NotSent {
        /// The component's name.
        component: String,
    },
    /// A signed header on two lines, which a signature cannot tell from one line with a comma.
    #[error("the {header} header is sent twice; send it on one line")]
    Lines {
        /// The header's name.
        header: String,
    },
    /// A value that cannot stand in a line of text.
    #[error("{component} has characters that cannot be signed; only visible ASCII can")]
    Value {
        /// The component's name.
        component: String,
    },
    /// More than 64 KiB.
    #[error("signature-input: the signed parts have more than {BASE_BYTES_MAX} bytes")]
    Large,
    /// A parameter nobody here knows what to do with.
    #[error("signature-input: the parameter {parameter} is not supported; created, expires, keyid, alg, nonce and tag are")]
    Parameter {
        /// The parameter's name.
        parameter: String,
    },
    /// A parameter that is missing, or is not what it should be.
    #[error("signature-input: the parameter {parameter} should be {expected}")]
    ParameterForm {
        /// The parameter's name.
        parameter: &'static str,
        /// What it should be.
        expected: &'static str,
    },
    /// Another algorithm.
    #[error("signature-input: alg should be \"ed25519\", the only algorithm here")]
    Algorithm,
    /// No key id, or not a DID's.
    #[error(
        "signature-input: keyid should be did:key:z6Mk..., or a DID and which of its keys: did:kaizen:alice#laptop (at most {KEY_ID_BYTES_MAX} characters)"
    )]
    KeyId,
    /// A nonce that is empty, long, or not ASCII.
    #[error("signature-input: nonce should have 1 to {NONCE_BYTES_MAX} characters, visible ASCII and spaces")]
    Nonce,
    /// Signed too long ago, or in the future.
    #[error("signature-input: created={created} is more than {window_seconds} s from now, {now}; sign again, and check the clock")]
    Time {
        /// When it is said to have been signed, in seconds since 1970.
        created: i64,
        /// The server's time, in seconds since 1970.
        now: i64,
        /// How far the two may be apart.
        window_seconds: u32,
    },
    /// Past its own end.
    #[error("signature-input: expires={expires} is past, or before created; it is {now}; sign again")]
    Expired {
        /// When it ended, in seconds since 1970.
        expires: i64,
        /// The server's time, in seconds since 1970.
        now: i64,
    },
    /// The signature is not this key's over what was received.
    #[error(
        "signature: it is not this key's over what was received; compare the signed text with the server's: a proxy may change the authority or the path"
    )]
    Forged,
    /// `Content-Digest` has no hash to check.
    #[error("content-digest: it should have sha-256=:...: or sha-512=:...:, the hash of the body in base 64 between colons")]
    DigestForm,
    /// The body is another.
    #[error("content-digest: it is not the hash of the body that was received")]
    Digest,
    /// To be signed, and has what signing makes.
    #[error("the {header} header is there already; signing writes it")]
    Present {
        /// The header's name.
        header: &'static str,
    },
}

impl SignatureError {
    /// The header that is meant, in lower case, or the component: `signature-input`, `content-digest`, `@path`.
    pub fn header(&self) -> &str {
        match self {
            Self::Missing { header } | Self::Long { header } | Self::Form { header, .. } | Self::Present { header } => header,
            Self::Lines { header } => header,
            Self::NotSent { component } | Self::Value { component } => component,
            Self::NoBytes { .. } | Self::Forged => "signature",
            Self::DigestForm | Self::Digest => "content-digest",
            Self::Many
            | Self::NoneOurs
            | Self::SeveralOurs
            | Self::NoList { .. }
            | Self::Components
            | Self::Component { .. }
            | Self::ComponentParameter { .. }
            | Self::Twice { .. }
            | Self::Unsigned { .. }
            | Self::Large
            | Self::Parameter { .. }
            | Self::ParameterForm { .. }
            | Self::Algorithm
            | Self::KeyId
            | Self::Nonce
            | Self::Time { .. }
            | Self::Expired { .. } => "signature-input",
        }
    }

    pub(crate) fn form(header: &'static str, fault: Fault) -> Self {
        Self::Form { header, at: fault.at, expected: fault.expected }
    }
}
