//! Who may do what, as the journal has it so far.

use std::collections::BTreeMap;
use std::sync::Arc;

use lab3_units::{Amount, Code, Did, Problem, Time};
use serde::{Deserialize, Serialize};

use crate::member::Member;
use crate::shards::Shards;
use crate::{
    Bearer, By, Deed, Fact, Frozen, Holder, Inscription, Key, KeyCreated, KeyHash, KeyId, KeyText, Note, PolicyLines, Principal, PublicKey,
    Rotated, Treasurers,
};

/// Who may do what. Cheap to clone: what is there for every citizen is shared until it changes.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct State {
    /// When the Hive was closed, once it was.
    closed: Option<Time>,
    /// By number.
    keys: Shards<u32, Arc<Key>>,
    ids: Shards<KeyId, u32>,
    /// By DID.
    members: Shards<Box<str>, Arc<Member>>,
    /// By the family of a service's keys: what it held today.
    held: Shards<u32, Held>,
    inscription: Option<Arc<Inscription>>,
    treasurers: Option<Arc<Treasurers>>,
    /// Rules that were changed, and their values.
    policy: Arc<BTreeMap<Box<str>, Box<str>>>,
}

/// What a service held in one day.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Held {
    /// The day, counted from 1970 (UTC).
    day: i64,
    amount: Amount,
}

impl State {
    /// Folds a fact of the record taken `at` into the state. Cannot fail.
    pub fn apply(&mut self, at: Time, fact: &Fact) {
        match &fact.deed {
            Deed::KeyCreated(created) => self.created(at, &fact.by, created),
            Deed::KeyRevoked { number, .. } => self.change_key(*number, |key| key.revoked = Some(at)),
            Deed::KeyRotated { old, until, number, id, hash } => self.rotated(at, &fact.by, *old, *until, (*number, *id, *hash)),
            Deed::Delegated { service, citizen } => self.change_member(citizen, |member| member.serve(*service)),
            Deed::Undelegated { service, citizen } => {
                self.change_member(citizen, |member| member.services.retain(|known| known != service));
            }
            Deed::DidKeys(change) => {
                self.closed.get_or_insert(at);
                self.change_member(&change.0.did, |member| member.change_keys(&change.0));
            }
            Deed::Noted(note) => self.noted(at, note),
            Deed::TreasurersNamed { treasurers, .. } => self.treasurers = Some(Arc::new(treasurers.clone())),
            Deed::PolicyChanged { lines, .. } => self.change_policy(lines),
            Deed::Frozen { citizen, until, reason, .. } => {
                let frozen = Frozen { until: *until, reason: reason.clone() };
                self.change_member(citizen, |member| member.frozen = Some(frozen));
            }
            Deed::Thawed { citizen, .. } => self.change_member(citizen, |member| {
                if let Some(frozen) = &mut member.frozen {
                    frozen.until = at;
                }
            }),
            Deed::Sealed(_) => {
                self.closed.get_or_insert(at);
            }
            Deed::Inscribed(inscription) => self.inscription = Some(Arc::new(inscription.clone())),
            // The books do not change, only the words beside them.
            Deed::Erased { .. } => {}
            Deed::Resumed(resumption) => {
                if let Some(inscription) = &mut self.inscription {
                    let Inscription { journal, log_key, .. } = Arc::make_mut(inscription);
                    (*journal, *log_key) = (resumption.journal, resumption.log_key);
                }
            }
        }
    }

    /// Whether nobody has to be named yet: no key, no DID key, no stored secret, no seal so far.
    pub const fn is_open(&self) -> bool {
        self.closed.is_none()
    }

    /// When the Hive was closed.
    pub const fn closed(&self) -> Option<Time> {
        self.closed
    }

    /// The key of that number.
    pub fn key(&self, number: u32) -> Option<&Key> {
        self.keys.get(&number).map(|key| &**key)
    }

    /// The key of that public part. Its [`Key::standing`] says whether it works.
    pub fn key_of(&self, id: KeyId) -> Option<&Key> {
        self.ids.get(&id).and_then(|number| self.key(*number))
    }

    /// Every key there ever was, by number.
    pub fn keys(&self) -> impl Iterator<Item = &Key> {
        (1..self.next_number()).filter_map(|number| self.key(number))
    }

    /// The API keys of a DID, in the order they were made.
    pub fn keys_for(&self, did: &Did) -> impl Iterator<Item = &Key> {
        self.member(did).into_iter().flat_map(|member| &member.api_keys).filter_map(|number| self.key(*number))
    }

    /// The number the next key gets.
    pub(crate) fn next_number(&self) -> u32 {
        u32::try_from(self.keys.len()).unwrap_or(u32::MAX).saturating_add(1)
    }

    /// Whose key this is. Comparing takes the same time whatever differs.
    ///
    /// Errors: `KEY_INVALID` when there is no such key, the same for a wrong secret; when the secret is right, with the reason why
    /// the key no longer works.
    pub fn authenticate(&self, now: Time, text: &KeyText) -> Result<Principal, Problem> {
        let Some(key) = self.key_of(text.id()).filter(|key| key.hash == text.hash()) else {
            let detail = "There is no such key here. Check that it is a key of this Hive, or ask the operator for one.";
            return Err(Problem::new(Code::KEY_INVALID, detail).in_field("Authorization"));
        };
        crate::judge::working(self, now, key.number)?;
        Ok(Principal::Key(Bearer { number: key.number, family: key.family, holder: key.holder.clone(), scopes: key.scopes }))
    }

    /// Whether the services with keys of that family may act for the citizen.
    pub fn acts_for(&self, family: u32, citizen: &Did) -> bool {
        self.member(citizen).is_some_and(|member| member.services.contains(&family))
    }

    /// The citizens a service may act for, by the number of one of its keys. Looks at every member.
    pub fn citizens_of(&self, service: u32) -> Vec<&str> {
        let Some(family) = self.key(service).map(|key| key.family) else { return Vec::new() };
        let served = self.members.iter().filter(|(_, member)| member.services.contains(&family));
        let mut citizens: Vec<&str> = served.map(|(did, _)| &**did).collect();
        citizens.sort_unstable();
        citizens
    }

    /// What a service may still hold today (UTC), in KS, by the number of its key; none when the key is no service's.
    pub fn left_today(&self, number: u32, now: Time) -> Option<Amount> {
        let key = self.key(number)?;
        let Holder::Service { daily_cap } = key.holder else { return None };
        let held = self.held.get(&key.family).filter(|held| held.day == day(now)).map_or(Amount::ZERO, |held| held.amount);
        Some(daily_cap.saturating_sub(held).max(Amount::ZERO))
    }

    /// Counts what the record taken `at`, made with the key of that number, placed in holds, in KS. The engine calls it for each
    /// such record, when it happens and at replay; for keys of others than services it does nothing.
    pub fn count_held(&mut self, at: Time, number: u32, amount: Amount) {
        let Some(family) = self.key(number).filter(|key| matches!(key.holder, Holder::Service { .. })).map(|key| key.family) else {
            return;
        };
        let Some(held) = self.held.entry(&family) else { return };
        if held.day != day(at) {
            *held = Held { day: day(at), amount: Amount::ZERO };
        }
        held.amount = held.amount.checked_add(amount).unwrap_or(Amount::MAX);
    }

    pub(crate) fn member(&self, did: &Did) -> Option<&Member> {
        self.members.get(did.as_str()).map(|member| &**member)
    }

    /// Whether the key signs for the DID at this place of the journal.
    pub fn holds(&self, did: &Did, key: &PublicKey) -> bool {
        self.keys_of(did).contains(key)
    }

    /// The keys the DID signs with at this place of the journal. A `did:key` has the one in its name; nothing else is derived from a
    /// DID's text.
    pub fn keys_of(&self, did: &Did) -> Vec<PublicKey> {
        let registered = || self.member(did).map(|member| member.did_keys.clone());
        PublicKey::of_did(did).map(|key| vec![key]).or_else(registered).unwrap_or_default()
    }

    /// The number of the DID's next key event.
    pub fn next_event(&self, did: &Did) -> u32 {
        self.member(did).map_or(0, |member| member.events).saturating_add(1)
    }

    /// What was noted of the DID's document.
    pub fn note_of(&self, did: &Did) -> Option<&Note> {
        self.member(did)?.noted.as_deref()
    }

    /// The treasurers, once they are named.
    pub fn treasurers(&self) -> Option<&Treasurers> {
        self.treasurers.as_deref()
    }

    /// Whether the DID is a treasurer's.
    pub fn is_treasurer(&self, did: &Did) -> bool {
        self.treasurers().is_some_and(|treasurers| treasurers.has(did))
    }

    /// The value a rule was last changed to.
    pub fn policy(&self, name: &str) -> Option<&str> {
        self.policy.get(name).map(|value| &**value)
    }

    /// Whose journal this is, once it is inscribed.
    pub fn inscription(&self) -> Option<&Inscription> {
        self.inscription.as_deref()
    }

    /// The account's freeze, if it is frozen at `now`.
    pub fn frozen(&self, citizen: &Did, now: Time) -> Option<&Frozen> {
        self.last_freeze(citizen).filter(|frozen| now < frozen.until)
    }

    /// The account's last freeze, whether it is over or not.
    pub fn last_freeze(&self, citizen: &Did) -> Option<&Frozen> {
        self.member(citizen)?.frozen.as_ref()
    }

    fn noted(&mut self, at: Time, note: &Note) {
        self.closed.get_or_insert(at);
        self.change_member(&note.did, |member| {
            member.did_keys.clone_from(&note.keys);
            member.noted = Some(Box::new(note.clone()));
        });
    }

    fn change_policy(&mut self, lines: &PolicyLines) {
        let policy = Arc::make_mut(&mut self.policy);
        policy.extend(lines.iter().map(|(name, value)| (name.into(), value.into())));
    }

    fn created(&mut self, at: Time, by: &By, made: &KeyCreated) {
        self.closed.get_or_insert(at);
        let KeyCreated { number, id, hash, holder, scopes, expires, note, citizens } = made.clone();
        for citizen in &citizens {
            self.change_member(citizen, |member| member.serve(number));
        }
        let (family, by) = (number, by.clone());
        self.add_key(Key { number, id, hash, holder, scopes, created: at, by, expires, note, family, revoked: None, rotated: None });
    }

    fn rotated(&mut self, at: Time, by: &By, old: u32, until: Time, (number, id, hash): (u32, KeyId, KeyHash)) {
        let Some(replaced) = self.key(old) else { return };
        let successor = Key { number, id, hash, created: at, by: by.clone(), revoked: None, rotated: None, ..replaced.clone() };
        self.change_key(old, |key| key.rotated = Some(Rotated { to: number, until }));
        self.add_key(successor);
    }

    fn add_key(&mut self, key: Key) {
        let number = key.number;
        if let Some(did) = key.holder.did().cloned() {
            self.change_member(&did, |member| member.api_keys.push(number));
        }
        self.ids.insert(key.id, number);
        self.keys.insert(number, Arc::new(key));
    }

    fn change_key(&mut self, number: u32, change: impl FnOnce(&mut Key)) {
        if let Some(key) = self.keys.get_mut(&number) {
            change(Arc::make_mut(key));
        }
    }

    fn change_member(&mut self, did: &Did, change: impl FnOnce(&mut Member)) {
        if let Some(member) = self.members.entry(&Box::from(did.as_str())) {
            change(Arc::make_mut(member));
        }
    }
}

/// The day a moment lies in, counted from 1970 (UTC).
fn day(at: Time) -> i64 {
    at.millis().div_euclid(86_400_000)
}
