//! The small parts all texts of a log are made of: decimals and base64, each value written in one way only.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::Hash;

/// An ASCII decimal without sign or leading zeros.
pub(crate) fn decimal(text: &str) -> Option<u64> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    plain.then(|| text.parse().ok()).flatten()
}

/// Standard base64 with padding (RFC 4648, section 4).
pub(crate) fn base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// The bytes of [`base64`]; no other spelling of them is taken.
pub(crate) fn from_base64(text: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text).ok()
}

/// One hash in [`base64`].
pub(crate) fn hash(text: &str) -> Option<Hash> {
    from_base64(text)?.try_into().ok()
}

/// The hashes, a line each.
pub(crate) fn hash_lines(hashes: &[Hash]) -> String {
    hashes.iter().flat_map(|hash| [base64(hash), "\n".to_owned()]).collect()
}

/// What [`hash_lines`] wrote, without the last newline; at most `max` of them.
pub(crate) fn hashes<'a>(lines: impl Iterator<Item = &'a str>, max: usize) -> Option<Vec<Hash>> {
    let hashes: Vec<Hash> = lines.take(max + 1).map(hash).collect::<Option<_>>()?;
    (hashes.len() <= max).then_some(hashes)
}
