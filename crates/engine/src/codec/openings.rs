//! What people wrote, kept out of the leaves: a memo's place in its record has a commitment, the memo itself stands beside the row.
//!
//! The commitment is base64 of `SHA-256(salt ":" memo)`, the salt as 32 hexadecimal digits: a line of shell checks it. The
//! opening of a commitment is its salt and memo. Erased, it is gone for good: of the salt nothing is left to try memos with, and the leaf, and with
//! it the tree, stays as it was.
//!
//! Openings of a row: for each memo the number of its record within the row and the memo's length in bytes plus one, 0 when it was erased
//! (both LEB128); then, unless it was erased, salt (16 bytes) and memo.

use lab3_ledger::Event;
use lab3_trust::MemoHash;

use super::{Damage, read_len, write_len};
use crate::record::{Record, Stored};
use crate::storage::Row;

/// Bytes of a salt: nobody tries them all.
const SALT_LEN: usize = 16;

/// What makes a commitment to one memo unlike that to the same memo elsewhere.
pub type Salt = [u8; SALT_LEN];

/// The commitment to a memo: 44 characters.
fn commitment(salt: &Salt, memo: &str) -> String {
    MemoHash::of(salt, memo).to_string()
}

/// The memos taken out of a record while it is encoded.
#[derive(Debug, Default)]
pub struct Openings(Vec<(Salt, Box<str>)>);

impl Openings {
    /// Puts commitments in the place of what people wrote. The first has the salt its writer signed with, if any.
    pub fn close(record: &mut Record, mut salt: Option<Salt>) -> Self {
        let close = |memo: &mut Box<str>| {
            // Random but for the six bits that say so: who would try memos must try 2^122 salts.
            let salt = salt.take().unwrap_or_else(|| uuid::Uuid::new_v4().into_bytes());
            let committed = commitment(&salt, memo).into();
            (salt, std::mem::replace(memo, committed))
        };
        Self(words(record).map(close).collect())
    }

    /// Puts back into the record what was taken out; what is left is to be written.
    pub fn give_back(&self, record: &mut Record) {
        for (memo, (_, written)) in words(record).zip(&self.0) {
            memo.clone_from(written);
        }
    }

    /// Writes them as those of the row's record `place`.
    pub fn write(&self, place: u32, out: &mut Vec<u8>) {
        for (salt, memo) in &self.0 {
            write_len(out, place as usize);
            write_len(out, memo.len() + 1);
            out.extend_from_slice(salt);
            out.extend_from_slice(memo.as_bytes());
        }
    }
}

/// The places in a record where people's words stand.
fn words(record: &mut Record) -> impl Iterator<Item = &mut Box<str>> {
    record.entries.iter_mut().filter_map(|event| match event {
        Event::Transferred { kind, memo, .. } if kind.has_words() && !memo.is_empty() => Some(memo),
        _ => None,
    })
}

/// Puts the memos of a record that was read from this row in the place of their commitments; of an erased one nothing stays.
pub fn open(stored: &mut Stored, row: &Row) -> Result<(), Damage> {
    let sequence = stored.sequence;
    let mut all = Reader(&row.openings);
    let damage = |what: &str| Damage::new(sequence, what);
    for memo in words(&mut stored.record) {
        let opening = all.of_record(sequence - row.first).ok_or_else(|| damage("what was written in it is missing beside it"))?;
        *memo = match opening {
            Some((salt, written)) if commitment(salt, written) == **memo => written.into(),
            Some(_) => return Err(damage("what was written in it is not what it commits to")),
            None => Box::default(),
        };
    }
    Ok(())
}

/// A row's openings without those of the record in `place`, and how many were erased now. Nothing when they cannot be read.
pub fn erase(openings: &[u8], place: u64) -> Option<(Vec<u8>, usize)> {
    let (mut kept, mut erased) = (Vec::with_capacity(openings.len()), 0);
    let mut all = Reader(openings);
    while !all.0.is_empty() {
        let before = all.0;
        let (at, opening) = all.next()?;
        if at == place && opening.is_some() {
            erased += 1;
            write_len(&mut kept, usize::try_from(at).ok()?);
            write_len(&mut kept, 0);
        } else {
            kept.extend_from_slice(&before[..before.len() - all.0.len()]);
        }
    }
    Some((kept, erased))
}

/// Reads openings one by one.
struct Reader<'a>(&'a [u8]);

type Opening<'a> = Option<(&'a Salt, &'a str)>;

impl<'a> Reader<'a> {
    /// The next opening of the record in `place`; passes those of the records before.
    fn of_record(&mut self, place: u64) -> Option<Opening<'a>> {
        loop {
            let (at, opening) = self.next()?;
            if at == place {
                return Some(opening);
            }
        }
    }

    fn next(&mut self) -> Option<(u64, Opening<'a>)> {
        let (at, rest) = read_len(self.0)?;
        let (len, rest) = read_len(rest)?;
        let at = u64::try_from(at).ok()?;
        let Some(len) = len.checked_sub(1) else {
            self.0 = rest;
            return Some((at, None));
        };
        let (salt, rest) = rest.split_first_chunk::<SALT_LEN>()?;
        let (memo, rest) = rest.split_at_checked(len)?;
        self.0 = rest;
        Some((at, Some((salt, str::from_utf8(memo).ok()?))))
    }
}
