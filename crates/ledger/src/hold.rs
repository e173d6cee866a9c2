//! Holds: amounts set aside until a deadline. Slots of ended holds are used again, last ended first.

use lab3_units::{Amount, Id, Time};
use serde::{Deserialize, Serialize};

use crate::AccountNo;
use crate::account::NO_HOLD;
use crate::chunks::Chunks;

/// An open hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hold {
    /// Its id.
    pub id: Id,
    /// Sequence number of the record that placed it.
    pub placed: u64,
    /// The account it stands on.
    pub account: AccountNo,
    /// What it sets aside.
    pub amount: Amount,
    /// When it ends by itself.
    pub deadline: Time,
    /// What the module that placed it needs to recognise it by.
    pub code: u32,
    pub(crate) older: u32,
    pub(crate) newer: u32,
}

/// A request to set an amount aside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlaceHold {
    /// The id it shall have; unique among open holds.
    pub id: Id,
    /// The account it shall stand on.
    pub account: AccountNo,
    /// How much; may be nothing.
    pub amount: Amount,
    /// When it ends by itself.
    pub deadline: Time,
    /// What the module needs to recognise it by.
    pub code: u32,
    /// How many holds may be open on the account, this one included.
    pub open_max: u32,
}

/// A place for a hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Slot {
    Open(Hold),
    Free { next: u32 },
}

/// The slots, and the chain of free ones.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Slots {
    places: Chunks<Slot>,
    free: u32,
    open_len: u64,
}

impl Default for Slots {
    fn default() -> Self {
        Self { places: Chunks::default(), free: NO_HOLD, open_len: 0 }
    }
}

impl Slots {
    pub(crate) fn open_len(&self) -> u64 {
        self.open_len
    }

    pub(crate) fn get(&self, slot: u32) -> Option<&Hold> {
        match self.places.get(slot as usize) {
            Some(Slot::Open(hold)) => Some(hold),
            _ => None,
        }
    }

    pub(crate) fn get_mut(&mut self, slot: u32) -> Option<&mut Hold> {
        match self.places.get_mut(slot as usize) {
            Some(Slot::Open(hold)) => Some(hold),
            _ => None,
        }
    }

    /// Puts the hold into a slot and says which.
    pub(crate) fn insert(&mut self, hold: Hold) -> u32 {
        self.open_len += 1;
        let reused = self.free;
        if let Some(slot @ Slot::Free { .. }) = self.places.get_mut(reused as usize) {
            if let Slot::Free { next } = *slot {
                self.free = next;
            }
            *slot = Slot::Open(hold);
            return reused;
        }
        self.places.push(Slot::Open(hold));
        u32::try_from(self.places.len() - 1).unwrap_or(NO_HOLD)
    }

    /// Empties the slot.
    pub(crate) fn remove(&mut self, slot: u32) -> Option<Hold> {
        let place = self.places.get_mut(slot as usize)?;
        match std::mem::replace(place, Slot::Free { next: self.free }) {
            Slot::Open(hold) => {
                self.free = slot;
                self.open_len -= 1;
                Some(hold)
            }
            free @ Slot::Free { .. } => {
                *place = free;
                None
            }
        }
    }

    /// Every open hold with its slot.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (u32, &Hold)> {
        (0_u32..).zip(self.places.iter()).filter_map(|(slot, place)| match place {
            Slot::Open(hold) => Some((slot, hold)),
            Slot::Free { .. } => None,
        })
    }
}
