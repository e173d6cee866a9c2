//! Rows as a forger writes them who knows the format: taken apart to records and their openings, and put together again with every
//! hash right. Written from `docs/journal.md`; the desk's own code for it is what is under test.

use lab3_tlog::leaf_hash;
use sha2::{Digest, Sha256};

/// A row of the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    pub first: i64,
    pub len: u32,
    pub body: Vec<u8>,
    pub openings: Vec<u8>,
}

/// A record's bytes, and the openings of its memos: length and what follows, the record's place left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub bytes: Vec<u8>,
    pub openings: Vec<Vec<u8>>,
}

impl Entry {
    /// A record without words.
    pub fn new(bytes: Vec<u8>) -> Self {
        Self { bytes, openings: Vec::new() }
    }
}

/// The records of rows.
pub fn entries_of(rows: &[Row]) -> Vec<Entry> {
    rows.iter().flat_map(entries_of_row).collect()
}

fn entries_of_row(row: &Row) -> Vec<Entry> {
    let mut at = 33;
    let mut entries = Vec::new();
    for _ in 0..row.len {
        let len = number(&row.body, &mut at);
        entries.push(Entry::new(row.body[at + 4..at + 4 + len].to_vec()));
        at += 4 + len;
    }
    let mut at = 0;
    while at < row.openings.len() {
        let place = number(&row.openings, &mut at);
        let start = at;
        let len = number(&row.openings, &mut at);
        at += if len == 0 { 0 } else { 16 + len - 1 };
        entries[place].openings.push(row.openings[start..at].to_vec());
    }
    entries
}

/// Rows of these records, so many in each but the last, chained from the first.
pub fn rows_of(entries: &[Entry], in_row: usize) -> Vec<Row> {
    let mut head = [0; 32];
    let mut first = 1;
    let mut rows = Vec::new();
    for part in entries.chunks(in_row) {
        let mut body = [&[2], &head[..]].concat();
        let mut openings = Vec::new();
        let mut chain = Sha256::new().chain_update(head);
        for (place, entry) in part.iter().enumerate() {
            let leaf = leaf_hash(&entry.bytes);
            chain.update(leaf);
            write(&mut body, entry.bytes.len());
            body.extend_from_slice(&leaf[..4]);
            body.extend_from_slice(&entry.bytes);
            for opening in &entry.openings {
                write(&mut openings, place);
                openings.extend_from_slice(opening);
            }
        }
        head = chain.finalize().into();
        rows.push(Row { first, len: u32::try_from(part.len()).unwrap(), body, openings });
        first += i64::try_from(part.len()).unwrap();
    }
    rows
}

/// LEB128, at a place that moves on.
fn number(bytes: &[u8], at: &mut usize) -> usize {
    let (mut value, mut shift) = (0, 0);
    loop {
        let byte = bytes[*at];
        *at += 1;
        value |= usize::from(byte & 0x7f) << shift;
        shift += 7;
        if byte & 0x80 == 0 {
            return value;
        }
    }
}

fn write(out: &mut Vec<u8>, mut value: usize) {
    while value >= 0x80 {
        out.push(u8::try_from(value & 0x7f).unwrap() | 0x80);
        value >>= 7;
    }
    out.push(u8::try_from(value).unwrap());
}
