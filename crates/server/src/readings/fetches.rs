//! How the signals stand that are fetched on a schedule.

use std::sync::PoisonError;

use lab3_units::Time;

use super::Readings;

/// How one of them stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FetchStanding {
    /// Where it is fetched from, without what may be secret.
    pub from: String,
    /// How often, in seconds.
    pub every_s: u64,
    /// When it last went well, and how many values came.
    pub success: Option<(Time, u64)>,
    /// When it last failed, and why.
    pub failure: Option<(Time, String)>,
    /// How often it has failed since it last went well.
    pub failures: u32,
    /// When it is fetched next.
    pub next: Option<Time>,
}

/// Where whoever fetches notes how it went.
pub type Fetches = Vec<FetchStanding>;

impl Readings {
    /// Says what is fetched, in the order of the configuration.
    pub fn set_fetches(&self, fetches: Fetches) {
        *self.0.fetches.lock().unwrap_or_else(PoisonError::into_inner) = fetches;
    }

    /// Notes something of the one at that place.
    pub fn note_fetch(&self, at: usize, note: impl FnOnce(&mut FetchStanding)) {
        if let Some(standing) = self.0.fetches.lock().unwrap_or_else(PoisonError::into_inner).get_mut(at) {
            note(standing);
        }
    }

    /// How each stands.
    pub fn fetches(&self) -> Fetches {
        self.0.fetches.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
