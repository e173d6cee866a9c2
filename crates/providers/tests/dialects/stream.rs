//! Streams of providers, read into pieces.

use lab3_providers::Piece;
use lab3_providers::dialect::{Back, Broken};

/// The pieces of a stream, how reading it ended, and whether it came to its own end.
pub type Read = (Vec<Piece>, Result<(), Broken>, bool);

/// What is read of a stream that comes in bytes of this size.
pub fn read_in(back: &dyn Back, stream: &str, size: usize) -> Read {
    let (mut reader, mut pieces) = (back.reader(), Vec::new());
    let result = stream.as_bytes().chunks(size).try_for_each(|bytes| reader.read(bytes, &mut pieces));
    (pieces, result, reader.is_done())
}

/// What is read of a stream: the same whatever sizes it comes in.
#[track_caller]
pub fn read(back: &dyn Back, stream: &str) -> Read {
    let whole = read_in(back, stream, stream.len());
    for size in 1..stream.len() {
        assert_eq!(read_in(back, stream, size), whole, "in pieces of {size}: {stream}");
    }
    whole
}

/// A stream that nothing is wrong with gives these pieces.
#[track_caller]
pub fn check_read(back: &dyn Back, stream: &str, expected: &[Piece], is_done: bool) {
    assert_eq!(read(back, stream), (expected.to_vec(), Ok(()), is_done), "{stream}");
}
