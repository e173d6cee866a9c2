//! Rows and the hash chain: records to bytes and back, each row vouching for everything before it.
//!
//! A row is a version byte, the chain's hash before its first record (32 bytes), then for each record its length (LEB128), four
//! bytes of a hash, and its bytes. In version 2 these are the first of the record's leaf hash, `SHA-256(0x00 || bytes)`, the hash by which
//! the record stands in the journal's Merkle tree (RFC 6962); the chain goes from row to row: `hash = SHA-256(hash before || leaf
//! hashes of the row)`, zeros before the first. In version 1 the chain went from record to record, `SHA-256(hash before || number as u64
//! little-endian || bytes)`, and the four bytes are of that. They name the exact record that does not fit; the 32 in the next row prove the rest.

mod chain;
mod openings;

use lab3_tlog::leaf_hash;

use crate::record::{Record, Stored};
use crate::storage::Row;
use chain::Chain;
use openings::Openings;

pub use openings::{Salt, erase};

/// A hash of the chain.
pub type ChainHash = [u8; 32];

/// A record's leaf hash in the journal's Merkle tree.
pub type Leaf = [u8; 32];

/// The hash before the first record.
pub const CHAIN_START: ChainHash = [0; 32];

/// The row format this version writes. Older ones stay readable.
const ROW_VERSION: u8 = 2;

/// Records in a row: few enough that finding one costs little, enough that the hash in the row's head costs little.
const ROW_RECORDS_MAX: u32 = 64;

/// Bytes after which a row is closed early, whatever it holds.
const ROW_BYTES_CLOSE: usize = 16 * 1024;

/// Bytes of the row's version, and of that with the chain's hash before its first record.
const VERSION_LEN: usize = 1;
const HEAD_LEN: usize = VERSION_LEN + 32;

/// Bytes of a record's chain hash kept beside it.
const CHECK_LEN: usize = 4;

/// What is wrong with a journal, and exactly where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("journal record {sequence}: {what}")]
pub struct Damage {
    /// The first record that does not fit.
    pub sequence: u64,
    /// What does not fit.
    pub what: String,
}

impl Damage {
    fn new(sequence: u64, what: impl Into<String>) -> Self {
        Self { sequence, what: what.into() }
    }
}

/// A row whose records are not chained yet: the hashes are left out, to be filled in by [`Unsealed::seal`].
#[derive(Debug)]
pub struct Unsealed(Row);

impl Unsealed {
    /// Chains the row on from `head`, which becomes the chain's hash after it, and adds its records' leaf hashes to `leaves`.
    pub fn seal(self, head: &mut ChainHash, leaves: &mut Vec<Leaf>) -> Row {
        let Self(mut row) = self;
        row.body[VERSION_LEN..HEAD_LEN].copy_from_slice(head);
        let first = leaves.len();
        let mut at = HEAD_LEN;
        while let Some((len, rest)) = read_len(&row.body[at..]) {
            let check = row.body.len() - rest.len();
            let record = check + CHECK_LEN;
            at = record + len;
            let leaf = leaf_hash(&row.body[record..at]);
            row.body[check..record].copy_from_slice(&leaf[..CHECK_LEN]);
            leaves.push(leaf);
        }
        *head = chain::after(head, &leaves[first..]);
        row
    }
}

/// Encodes records into rows.
#[derive(Debug)]
pub struct RowWriter {
    next: u64,
    open: Option<Row>,
    done: Vec<Unsealed>,
    scratch: Vec<u8>,
    /// Bytes of the last row: the next is likely alike, and then need not grow.
    row_bytes: usize,
}

impl RowWriter {
    /// A writer that goes on after record `last`.
    pub fn new(last: u64) -> Self {
        Self { next: last + 1, open: None, done: Vec::new(), scratch: Vec::new(), row_bytes: 0 }
    }

    /// The number the next record will have.
    pub fn next(&self) -> u64 {
        self.next
    }

    /// Adds a record and says its number. What people wrote in it goes beside the row, its commitment into it.
    pub fn push(&mut self, record: &mut Record, salt: Option<Salt>) -> Result<u64, postcard::Error> {
        let openings = Openings::close(record, salt);
        let encoded = encode(record, &mut self.scratch);
        openings.give_back(record);
        let bytes = encoded?;
        let sequence = self.next;
        self.next += 1;
        let row = self.open.get_or_insert_with(|| {
            let mut body = Vec::with_capacity(self.row_bytes + self.row_bytes / 8);
            body.push(ROW_VERSION);
            body.extend_from_slice(&CHAIN_START);
            Row { first: sequence, len: 0, body, openings: Vec::new() }
        });
        openings.write(row.len, &mut row.openings);
        write_len(&mut row.body, bytes.len());
        row.body.extend_from_slice(&[0; CHECK_LEN]);
        row.body.extend_from_slice(bytes);
        row.len += 1;
        if row.len == ROW_RECORDS_MAX || row.body.len() >= ROW_BYTES_CLOSE {
            self.close();
        }
        Ok(sequence)
    }

    /// The rows since the last call.
    pub fn take(&mut self) -> Vec<Unsealed> {
        self.close();
        std::mem::take(&mut self.done)
    }

    fn close(&mut self) {
        if let Some(row) = self.open.take() {
            self.row_bytes = row.body.len();
            self.done.push(Unsealed(row));
        }
    }
}

/// Encodes into `scratch`, which grows to what the largest record needs and stays so: writing into a slice takes half the
/// instructions of growing a vector byte by byte.
fn encode<'a>(record: &Record, scratch: &'a mut Vec<u8>) -> Result<&'a [u8], postcard::Error> {
    loop {
        match write_into(record, scratch) {
            Ok(len) => return Ok(&scratch[..len]),
            Err(postcard::Error::SerializeBufferFull) => {
                let grown = (scratch.len() * 2).max(512);
                scratch.resize(grown, 0);
            }
            Err(error) => return Err(error),
        }
    }
}

/// The record, and behind it what was signed for it, if anything was.
fn write_into(record: &Record, out: &mut [u8]) -> Result<usize, postcard::Error> {
    let len = postcard::to_slice(record, out)?.len();
    let Some(signed) = &record.signed else { return Ok(len) };
    let (_, rest) = out.split_at_mut_checked(len).ok_or(postcard::Error::SerializeBufferFull)?;
    Ok(len + postcard::to_slice(signed, rest)?.len())
}

/// A record's bytes as they stand in its leaf; commitments are written where they stand.
pub fn write_entry(record: &Record) -> Result<Vec<u8>, postcard::Error> {
    let mut scratch = Vec::new();
    encode(record, &mut scratch).map(<[u8]>::to_vec)
}

fn write_len(out: &mut Vec<u8>, mut len: usize) {
    while len >= 0x80 {
        out.push((len & 0x7f).to_le_bytes()[0] | 0x80);
        len >>= 7;
    }
    out.push(len.to_le_bytes()[0]);
}

fn read_len(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let mut len = 0;
    for (at, &byte) in bytes.iter().enumerate().take(5) {
        len |= usize::from(byte & 0x7f) << (7 * at);
        if byte & 0x80 == 0 {
            return Some((len, &bytes[at + 1..]));
        }
    }
    None
}

/// The records of a row as bytes, with the first bytes of their chain hashes.
struct Frames<'a> {
    sequence: u64,
    left: u32,
    rest: &'a [u8],
}

impl<'a> Iterator for Frames<'a> {
    type Item = Result<(u64, &'a [u8], &'a [u8]), Damage>;

    fn next(&mut self) -> Option<Self::Item> {
        let sequence = self.sequence;
        if self.left == 0 {
            let rest = std::mem::take(&mut self.rest);
            return (!rest.is_empty()).then(|| Err(Damage::new(sequence.saturating_sub(1), "bytes follow the row's last record")));
        }
        let cut = || Damage::new(sequence, "the row ends before the record does");
        let frame = read_len(self.rest).and_then(|(len, rest)| {
            let (check, rest) = rest.split_at_checked(CHECK_LEN)?;
            let (bytes, rest) = rest.split_at_checked(len)?;
            self.rest = rest;
            Some((sequence, check, bytes))
        });
        self.sequence += 1;
        self.left = if frame.is_some() { self.left - 1 } else { 0 };
        if frame.is_none() {
            self.rest = &[];
        }
        Some(frame.ok_or_else(cut))
    }
}

/// A row taken apart: its version, the chain's hash before it, its records' bytes.
fn frames(row: &Row) -> Result<(u8, ChainHash, Frames<'_>), Damage> {
    match row.body.split_first() {
        Some((&version @ 1..=ROW_VERSION, rest)) => {
            let (before, rest) = rest.split_first_chunk::<32>().ok_or_else(|| Damage::new(row.first, "the row has no head"))?;
            Ok((version, *before, Frames { sequence: row.first, left: row.len, rest }))
        }
        Some((version, _)) => Err(Damage::new(row.first, format!("row format {version} is not one this version reads"))),
        None => Err(Damage::new(row.first, "the row is empty")),
    }
}

/// The leaf hashes of a row's records.
pub fn leaves(row: &Row) -> Result<Vec<Leaf>, Damage> {
    frames(row)?.2.map(|frame| frame.map(|(_, _, bytes)| leaf_hash(bytes))).collect()
}

/// The bytes of a row's records, as they stand in the leaves, with their numbers.
pub fn entries(row: &Row) -> Result<Vec<(u64, &[u8])>, Damage> {
    frames(row)?.2.map(|frame| frame.map(|(sequence, _, bytes)| (sequence, bytes))).collect()
}

/// A record from the bytes of its leaf, with the commitments where people wrote something.
pub fn read_entry(sequence: u64, bytes: &[u8]) -> Result<Stored, Damage> {
    let unreadable = |error: postcard::Error| Damage::new(sequence, format!("cannot be read: {error}"));
    let (mut record, rest) = postcard::take_from_bytes::<Record>(bytes).map_err(unreadable)?;
    if !rest.is_empty() {
        let (signed, rest) = postcard::take_from_bytes(rest).map_err(unreadable)?;
        record.signed = Some(Box::new(signed));
        if !rest.is_empty() {
            return Err(Damage::new(sequence, "bytes follow its end"));
        }
    }
    Ok(Stored { sequence, record })
}

/// Checks that a row continues the chain from `before`, and gives the chain's hash after it.
pub fn check_row(row: &Row, before: &ChainHash) -> Result<ChainHash, Damage> {
    let (version, stated, frames) = frames(row)?;
    let mut chain = Chain::new(version, before);
    for frame in frames {
        let (sequence, check, bytes) = frame?;
        if chain.take(sequence, bytes)[..CHECK_LEN] != *check {
            let stranger = version == 1 && sequence == row.first && stated != *before;
            let what =
                if stranger { "it follows another history than the records before it" } else { "its content does not match its hash" };
            return Err(Damage::new(sequence, what));
        }
    }
    if stated == *before {
        Ok(chain.end())
    } else {
        Err(Damage::new(row.first, "the hash in its row's head is not that of the record before"))
    }
}

/// Checks a row as [`check_row`] does and hands each record on, what people wrote in it left out.
pub fn read_checked(row: &Row, before: &ChainHash, mut each: impl FnMut(Stored) -> Result<(), Damage>) -> Result<ChainHash, Damage> {
    let head = check_row(row, before)?;
    for frame in frames(row)?.2 {
        let (sequence, _, bytes) = frame?;
        each(read_entry(sequence, bytes)?)?;
    }
    Ok(head)
}

/// Every record of a row, without checking the chain.
pub fn read_row(row: &Row) -> Result<Vec<Stored>, Damage> {
    read_some(row, None)
}

/// One record of a row, without checking the chain.
pub fn read_one(row: &Row, wanted: u64) -> Result<Option<Stored>, Damage> {
    Ok(read_some(row, Some(wanted))?.pop())
}

fn read_some(row: &Row, wanted: Option<u64>) -> Result<Vec<Stored>, Damage> {
    let (version, _, frames) = frames(row)?;
    let mut found = Vec::new();
    for frame in frames {
        let (sequence, _, bytes) = frame?;
        if wanted.is_none_or(|wanted| wanted == sequence) {
            let mut stored = read_entry(sequence, bytes)?;
            if version > 1 {
                openings::open(&mut stored, row)?;
            }
            found.push(stored);
        }
    }
    Ok(found)
}
