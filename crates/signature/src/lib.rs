//! HTTP requests that carry a signature: a fixed subset of RFC 9421 (HTTP Message Signatures) and RFC 9530 (Digest Fields).
//!
//! Pure: the moment, the keys and the body come in as arguments. A server goes three steps, and each type can only be had by the step before:
//!
//! 1. [`Claim::parse`] reads the head of the request: who is said to have signed ([`Claim::key_id`]), and what.
//! 2. [`Claim::verify`] with the key that the caller found for that id: the head is theirs ([`Head`]). The body need not have come yet.
//! 3. [`Head::check_body`]: the body is theirs as well ([`Signed`]).
//!
//! A client calls [`sign()`].
//!
//! # What must be signed
//! `@method`, `@authority`, `@path` and `@query` (`?` when there is none); `content-digest` and `content-type` with a body; and, whenever they are
//! sent, `content-digest`, `content-type`, `content-encoding` and `idempotency-key`. `accept`, `content-length`, `date` and `user-agent` may be signed.
//! Anything else is refused, as are parameters of components (`;sf`, `;key`, `;bs`, `;req`, `;tr`): what is not understood cannot be relied on.
//!
//! The parameters are `created` and `keyid`; `alg` (`ed25519`), `expires`, `nonce` and `tag` may be given. Of several signatures ours is the one
//! with the tag `lab3`. The only algorithm is Ed25519, checked strictly (no keys or points of small order, one spelling of a signature).
//!
//! # What is not here
//! **Replay.** Who overhears a signed request can send the same bytes again while its time has not run out. That a write is done once is the
//! idempotency key's work: it is signed, so the repeated request finds the first one's record. A nonce is signed and handed on, and remembered by nobody.
//!
//! Where the key for a key id comes from, whether it may do what is asked, and the reading of headers and bodies: the caller's.

mod base;
mod claim;
mod digest;
mod error;
mod key_id;
mod request;
mod sign;
mod structured;
mod subset;
#[cfg(test)]
mod vectors;

pub use claim::{Claim, Head, Signed};
pub use digest::ContentDigest;
pub use error::SignatureError;
pub use key_id::KeyId;
pub use request::{Request, Scheme};
pub use sign::{Signer, sign};
pub use subset::{COMPONENTS_MAX, NONCE_BYTES_MAX, SIGNATURES_MAX, TAG, WINDOW_SECONDS};
