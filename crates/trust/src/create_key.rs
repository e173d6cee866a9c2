//! Making a key: never for more than its maker may, or may hand out.

use lab3_units::{Code, Did, Problem, Time};

use crate::judge::{judge, not_allowed, working};
use crate::text::{check_note, check_word};
use crate::{Deed, Desk, Holder, KeyCreated, KeyHash, KeyId, Kind, Owned, Principal, Rule, Scope, Scopes, State, Touched};

/// Keys of one DID that can work at once.
const KEYS_MAX: usize = 64;

/// What making a key asks for.
pub const CREATE_KEY: Rule = Rule::new(&[Kind::Operator, Kind::Citizen], Scope::Keys, Owned::NewKey);

/// Citizens a service can be given at its making; more are delegated later.
const CITIZENS_MAX: usize = 4096;

/// A request to make a key. The secret stays with the asker: only its hash comes here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreateKey {
    /// Its public part.
    pub id: KeyId,
    /// Hash of its text.
    pub hash: KeyHash,
    /// Whose it shall be.
    pub holder: Holder,
    /// What it shall be good for.
    pub scopes: Scopes,
    /// When it shall stop working.
    pub expires: Option<Time>,
    /// What it is for, at most 200 characters.
    pub note: Box<str>,
    /// The citizens a service may act for.
    pub citizens: Vec<Did>,
}

impl CreateKey {
    /// Whose key it would be.
    pub fn touched(&self) -> Touched<'_> {
        if let Holder::Citizen(did) = &self.holder { Touched::Citizen(did) } else { Touched::Hive }
    }
}

/// What a principal may hand out, and until when.
pub(crate) struct Giver {
    pub(crate) scopes: Scopes,
    pub(crate) expires: Option<Time>,
}

/// Makes a key. The first one closes the open Hive.
///
/// Errors: as [`judge()`]; `NOT_ALLOWED` (`scopes`, `expires`) for more than the maker has; `FIELD_RANGE` (`scopes`, `expires`, `note`,
/// `citizens`, `daily_cap_gic`) for what no such key can be; `STANDING` when there is a key of that id (`id`), or its
/// holder has 64 that work (`holder`).
pub fn create_key(desk: &Desk<'_>, principal: &Principal, command: &CreateKey) -> Result<Deed, Problem> {
    judge(desk.state, desk.now, principal, &CREATE_KEY, &command.touched())?;
    let giver = giver(desk, principal)?;
    if *principal == Principal::Desk && command.holder.kind() != Kind::Operator {
        return Err(
            not_allowed("On the folder itself only operators' keys are made. Make one, start the desk, and use it.").in_field("kind")
        );
    }
    check_scopes(command, &giver)?;
    check_expiry(desk.now, command.expires, &giver)?;
    check_holder(command)?;
    check_note(&command.note, "note")?;
    check_number(desk, command.holder.did())?;
    if desk.state.key_of(command.id).is_some() {
        return Err(Problem::new(Code::STANDING, "There is a key of that id. Draw another at random.").in_field("id"));
    }
    let CreateKey { id, hash, holder, scopes, expires, note, citizens } = command.clone();
    let number = desk.state.next_number();
    Ok(Deed::KeyCreated(Box::new(KeyCreated { number, id, hash, holder, scopes, expires, note, citizens })))
}

fn check_number(desk: &Desk<'_>, did: Option<&Did>) -> Result<(), Problem> {
    let Some(did) = did else { return Ok(()) };
    let working = desk.state.keys_for(did).filter(|key| key.standing(desk.now).works()).count();
    if working < KEYS_MAX {
        return Ok(());
    }
    Err(Problem::new(Code::STANDING, format!("{did} has {working} keys that work, and cannot have more. Revoke some.")).in_field("holder"))
}

impl State {
    /// What the principal could hand out, if it may make keys at all.
    pub fn can_give(&self, now: Time, principal: &Principal) -> Scopes {
        giver(&Desk { state: self, now }, principal).map_or(Scopes::NONE, |giver| giver.scopes)
    }
}

/// What the principal, which has been judged, may hand out.
pub(crate) fn giver(desk: &Desk<'_>, principal: &Principal) -> Result<Giver, Problem> {
    let unlimited = |scopes| Ok(Giver { scopes, expires: None });
    match principal {
        Principal::Local => unlimited(Scopes::ALL),
        Principal::Desk => unlimited(Kind::Operator.widest()),
        Principal::Signed { .. } => unlimited(Kind::Citizen.widest()),
        Principal::Key(bearer) => {
            let (key, _) = working(desk.state, desk.now, bearer.number)?;
            Ok(Giver { scopes: key.scopes, expires: key.expires })
        }
        Principal::Nobody => unlimited(Scopes::NONE),
    }
}

/// Refuses to hand out what the giver has not.
pub(crate) fn check_given(scopes: Scopes, giver: &Giver) -> Result<(), Problem> {
    let beyond = scopes.beyond(giver.scopes);
    if beyond.is_empty() {
        return Ok(());
    }
    let detail = format!("Nobody hands out more than is his: {beyond} is beyond what you can give ({}). Leave it out.", giver.scopes);
    Err(not_allowed(detail).in_field("scopes"))
}

fn check_scopes(command: &CreateKey, giver: &Giver) -> Result<(), Problem> {
    let kind = command.holder.kind();
    let wrong = |detail| Err(Problem::new(Code::FIELD_RANGE, detail).in_field("scopes"));
    if command.scopes.is_empty() {
        return wrong(format!("A key needs a scope. The kind {kind} can have: {}.", kind.widest()));
    }
    let beyond = command.scopes.beyond(kind.widest());
    if !beyond.is_empty() {
        return wrong(format!("No key of the kind {kind} can have {beyond}. It can have: {}.", kind.widest()));
    }
    check_given(command.scopes, giver)
}

/// Refuses a key that would outlive its giver's, or is over already.
pub(crate) fn check_expiry(now: Time, expires: Option<Time>, giver: &Giver) -> Result<(), Problem> {
    if expires.is_some_and(|end| end <= now) {
        return Err(Problem::new(Code::FIELD_RANGE, "The key would have expired already. Name a later time.").in_field("expires"));
    }
    match giver.expires {
        Some(end) if expires.is_none_or(|expires| expires > end) => {
            Err(not_allowed(format!("Your own key expires at {end}; a key it makes cannot outlive it. Name that time or an earlier one."))
                .in_field("expires"))
        }
        _ => Ok(()),
    }
}

fn check_holder(command: &CreateKey) -> Result<(), Problem> {
    let wrong = |field, detail: String| Err(Problem::new(Code::FIELD_RANGE, detail).in_field(field));
    match &command.holder {
        Holder::Service { daily_cap } if daily_cap.units() < 0 => {
            return wrong("daily_cap_gic", "A cap is zero or more.".to_owned());
        }
        Holder::Service { .. } if command.citizens.len() > CITIZENS_MAX => {
            return wrong("citizens", format!("At most {CITIZENS_MAX} citizens come with a key. Delegate the others afterwards."));
        }
        Holder::Steward { module } => check_word(module, "module")?,
        Holder::Meter { meter } => check_word(meter, "meter")?,
        Holder::Witness { name } => check_word(name, "name")?,
        _ => {}
    }
    if command.holder.kind() != Kind::Service && !command.citizens.is_empty() {
        return wrong("citizens", "Only a service acts for citizens. Leave them out.".to_owned());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{ALICE, BOB, Hive, citizen, did, signing, told};
    use lab3_units::Amount;

    type Told = Result<(), (Code, &'static str)>;

    const fn refused(code: Code, field: &'static str) -> Told {
        Err((code, field))
    }

    /// As [`told`], when what was made does not matter.
    fn outcome<T>(made: Result<T, Problem>) -> Told {
        told(made).map(|_| ()).map_err(|(code, field)| (code, field.leak() as &str))
    }

    #[test]
    fn the_first_key_closes_the_open_hive() {
        let mut hive = Hive::open();
        assert!(hive.state.is_open());
        let first = hive.make(&Principal::Local, Holder::Operator).unwrap();
        assert_eq!(hive.state.closed(), Some(hive.now));
        assert_eq!(told(hive.make(&Principal::Local, Holder::Auditor)).unwrap_err().0, Code::UNNAMED);
        assert_eq!(told(hive.make(&Principal::Nobody, Holder::Auditor)).unwrap_err().0, Code::UNNAMED);
        hive.make(&first, Holder::Auditor).unwrap();
        hive.verify();
    }

    /// What comes of a key an operator makes, once `change` has changed the request for a citizen's.
    fn check(change: impl FnOnce(&mut CreateKey), expected: Told) {
        let (mut hive, operator) = Hive::new();
        let mut command = CreateKey { scopes: Scopes::of(&[Scope::Read, Scope::Compute]), ..hive.asking(citizen(ALICE)) };
        change(&mut command);
        assert_eq!(outcome(hive.create(&operator, command)), expected);
        hive.verify();
    }

    #[test]
    fn what_no_such_key_can_be_is_refused() {
        check(|_| {}, Ok(()));
        check(|key| key.scopes = Scopes::NONE, refused(Code::FIELD_RANGE, "scopes"));
        check(|key| key.scopes = Scopes::of(&[Scope::Mint]), refused(Code::FIELD_RANGE, "scopes"));
        check(|key| key.scopes = Scopes::of(&[Scope::Money]), refused(Code::NOT_ALLOWED, "scopes"));
        check(|key| key.note = "a\nb".into(), refused(Code::FIELD_RANGE, "note"));
        check(|key| key.note = "a".repeat(201).into(), refused(Code::FIELD_RANGE, "note"));
        check(|key| key.expires = Time::parse("2026-10-31T14:30:00Z"), refused(Code::FIELD_RANGE, "expires"));
        check(|key| key.expires = Time::parse("2026-10-31T14:30:01Z"), Ok(()));
        check(|key| key.citizens = vec![did(BOB)], refused(Code::FIELD_RANGE, "citizens"));
        check(|key| key.id = crate::testing::text(Kind::Operator, 1).id(), refused(Code::STANDING, "id"));
        let service = |daily_cap| Holder::Service { daily_cap: Amount::new(daily_cap) };
        check(|key| (key.holder, key.citizens) = (service(0), vec![did(BOB)]), Ok(()));
        check(|key| key.holder = service(-1), refused(Code::FIELD_RANGE, "daily_cap_gic"));
        check(|key| (key.holder, key.citizens) = (service(0), vec![did(BOB); 4097]), refused(Code::FIELD_RANGE, "citizens"));
        let meter = |name: &str| (Holder::Meter { meter: name.into() }, Scopes::of(&[Scope::Meter]));
        check(|key| (key.holder, key.scopes) = meter("roof-1"), Ok(()));
        check(|key| (key.holder, key.scopes) = meter("roof 1"), refused(Code::FIELD_RANGE, "meter"));
        check(|key| (key.holder, key.scopes) = meter(""), refused(Code::FIELD_RANGE, "meter"));
    }

    #[test]
    fn nobody_hands_out_more_than_is_his() {
        let (mut hive, operator) = Hive::new();
        let narrow = hive.make_with(&operator, Holder::Operator, Scopes::of(&[Scope::Keys, Scope::Read])).unwrap();
        let wider = outcome(hive.make(&narrow, Holder::Auditor));
        assert_eq!(wider, refused(Code::NOT_ALLOWED, "scopes"));
        hive.make_with(&narrow, Holder::Auditor, Scopes::of(&[Scope::Read])).unwrap();
        let without_keys = hive.make_with(&operator, Holder::Operator, Scopes::of(&[Scope::Read])).unwrap();
        assert_eq!(outcome(hive.make(&without_keys, Holder::Auditor)), refused(Code::NOT_ALLOWED, ""));
        let auditor = hive.make(&operator, Holder::Auditor).unwrap();
        assert_eq!(outcome(hive.make(&auditor, Holder::Auditor)), refused(Code::NOT_ALLOWED, ""));
        hive.verify();
    }

    #[test]
    fn nobody_hands_out_for_longer_than_is_his() {
        let (mut hive, operator) = Hive::new();
        let end = Time::parse("2027-01-01T00:00:00Z");
        let command = CreateKey { expires: end, ..hive.asking(Holder::Operator) };
        let ending = hive.create(&operator, command).unwrap();
        let mut check = |expires, expected| {
            let command = CreateKey { expires, ..hive.asking(Holder::Auditor) };
            assert_eq!(outcome(hive.create(&ending, command)), expected);
        };
        check(None, refused(Code::NOT_ALLOWED, "expires"));
        check(Time::parse("2027-01-01T00:00:01Z"), refused(Code::NOT_ALLOWED, "expires"));
        check(end, Ok(()));
    }

    #[test]
    fn a_citizen_makes_keys_for_herself_only() {
        let (mut hive, _) = Hive::new();
        let alice = signing(1);
        let own = Holder::Citizen(alice.did().unwrap().clone());
        let key = hive.make(&alice, own.clone()).unwrap();
        hive.make_with(&key, own, Scopes::of(&[Scope::Money])).unwrap();
        for holder in [citizen(BOB), Holder::Auditor, Holder::Operator, Holder::Treasurer(alice.did().unwrap().clone())] {
            assert_eq!(outcome(hive.make(&key, holder.clone())), refused(Code::NOT_ALLOWED, ""), "{holder:?}");
            assert_eq!(outcome(hive.make(&alice, holder)), refused(Code::NOT_ALLOWED, ""));
        }
        assert_eq!(hive.state.keys_for(alice.did().unwrap()).count(), 2);
        hive.verify();
    }

    #[test]
    fn a_citizen_has_a_number_of_keys() {
        let (mut hive, operator) = Hive::new();
        let reads = Scopes::of(&[Scope::Read]);
        for _ in 0..KEYS_MAX {
            hive.make_with(&operator, citizen(ALICE), reads).unwrap();
        }
        assert_eq!(outcome(hive.make_with(&operator, citizen(ALICE), reads)), refused(Code::STANDING, "holder"));
        hive.make_with(&operator, citizen(BOB), reads).unwrap();
        hive.run(&operator, crate::RevokeKey { number: 2, reason: "".into() }).unwrap();
        hive.make_with(&operator, citizen(ALICE), reads).unwrap();
    }

    #[test]
    fn on_the_folder_itself_only_operators_keys_are_made() {
        let (mut hive, operator) = Hive::new();
        let Principal::Key(bearer) = &operator else { panic!() };
        hive.run(&operator, crate::RevokeKey { number: bearer.number, reason: "lost".into() }).unwrap();
        assert_eq!(outcome(hive.make(&operator, Holder::Auditor)), refused(Code::KEY_INVALID, "Authorization"));
        assert_eq!(outcome(hive.make(&Principal::Desk, Holder::Auditor)), refused(Code::NOT_ALLOWED, "kind"));
        hive.make(&Principal::Desk, Holder::Operator).unwrap();
        hive.verify();
    }
}
