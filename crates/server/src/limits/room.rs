//! Room for large bodies, which all of them share: a body's first 64 KB are its connection's own, and what it has beyond must find room
//! here. So small requests go on when large ones take all there is, and memory has a bound that does not multiply.

use std::sync::Arc;

use axum::body::Bytes;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// What every body may have without asking.
pub(crate) const OWN_BYTES: usize = 64 << 10;

/// What room is counted in.
const PIECE_BYTES: usize = 1 << 10;

/// Room for large bodies.
#[derive(Clone, Debug)]
pub(crate) struct Room(Arc<Semaphore>);

/// The room a body has taken.
#[derive(Debug, Default)]
pub(crate) struct Taken(Option<OwnedSemaphorePermit>);

/// A body that gives its room back when nobody has it any more.
struct Kept {
    bytes: Vec<u8>,
    _taken: Taken,
}

impl AsRef<[u8]> for Kept {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Room {
    /// So many megabytes.
    pub(crate) fn new(megabytes: usize) -> Self {
        Self(Arc::new(Semaphore::new((megabytes << 20) / PIECE_BYTES)))
    }

    /// Takes more, until a body of so many bytes has room; whether there is.
    pub(crate) fn reach(&self, taken: &mut Taken, bytes: usize) -> bool {
        let wanted = bytes.saturating_sub(OWN_BYTES).div_ceil(PIECE_BYTES);
        let has = taken.0.as_ref().map_or(0, OwnedSemaphorePermit::num_permits);
        if wanted <= has {
            return true;
        }
        let Ok(more) = u32::try_from(wanted - has) else { return false };
        let Ok(more) = self.0.clone().try_acquire_many_owned(more) else { return false };
        match &mut taken.0 {
            Some(permit) => permit.merge(more),
            none => *none = Some(more),
        }
        true
    }

    /// Pieces nobody has taken.
    #[cfg(test)]
    fn left(&self) -> usize {
        self.0.available_permits()
    }
}

/// A body with the room it has taken.
pub(crate) fn kept(bytes: Vec<u8>, taken: Taken) -> Bytes {
    if taken.0.is_none() { bytes.into() } else { Bytes::from_owner(Kept { bytes, _taken: taken }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_large_takes_room_and_gives_it_back() {
        let room = Room::new(1);
        let (mut small, mut large, mut late) = (Taken::default(), Taken::default(), Taken::default());
        assert!(room.reach(&mut small, OWN_BYTES));
        assert_eq!(room.left(), 1024);
        assert!(room.reach(&mut large, OWN_BYTES + 1) && room.reach(&mut large, OWN_BYTES + (1000 << 10)));
        assert_eq!(room.left(), 24);
        assert!(!room.reach(&mut late, OWN_BYTES + (25 << 10)) && room.reach(&mut late, OWN_BYTES + (24 << 10)));
        let body = kept(vec![1, 2, 3], large);
        let part = body.slice(1..2);
        drop((body, late));
        assert_eq!(room.left(), 24);
        drop(part);
        assert_eq!(room.left(), 1024);
    }
}
