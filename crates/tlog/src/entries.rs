//! Entries as they stand in a `tile/data` file: each after its length, as four bytes, the most significant first.
//!
//! `tile/entries` of c2sp.org/tlog-tiles has two bytes of length. Ours may be longer than that allows.

use crate::tile::TILE_WIDTH;

/// Why bytes are no entries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EntriesError {
    /// More than 256, or other than as many as were asked for.
    #[error("the file has not as many entries as it should")]
    Count,
    /// An entry is longer than four bytes can say.
    #[error("an entry is longer than 4,294,967,295 bytes")]
    Long,
    /// The bytes end within an entry.
    #[error("the file ends within an entry")]
    Short,
}

/// The bytes of a `tile/data` file with these entries, at most 256.
pub fn encode_entries<E: AsRef<[u8]>>(entries: &[E]) -> Result<Vec<u8>, EntriesError> {
    if entries.len() > usize::from(TILE_WIDTH) {
        return Err(EntriesError::Count);
    }
    let mut bytes = Vec::with_capacity(entries.iter().map(|entry| 4 + entry.as_ref().len()).sum());
    for entry in entries.iter().map(AsRef::as_ref) {
        let len = u32::try_from(entry.len()).map_err(|_| EntriesError::Long)?;
        bytes.extend_from_slice(&len.to_be_bytes());
        bytes.extend_from_slice(entry);
    }
    Ok(bytes)
}

/// The entries of a `tile/data` file of this width: exactly so many.
pub fn decode_entries(bytes: &[u8], width: u16) -> Result<Vec<&[u8]>, EntriesError> {
    let mut rest = bytes;
    let mut entries = Vec::new();
    for _ in 0..width {
        let (len, after) = rest.split_first_chunk().ok_or(if rest.is_empty() { EntriesError::Count } else { EntriesError::Short })?;
        let len = usize::try_from(u32::from_be_bytes(*len)).map_err(|_| EntriesError::Short)?;
        let (entry, after) = after.split_at_checked(len).ok_or(EntriesError::Short)?;
        entries.push(entry);
        rest = after;
    }
    if rest.is_empty() { Ok(entries) } else { Err(EntriesError::Count) }
}
