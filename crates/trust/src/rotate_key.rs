//! Replacing a key: the old one works a while longer, so that its users can change over.

use lab3_units::{Code, Duration, Problem};

use crate::create_key::{check_expiry, check_given, giver};
use crate::judge::{judge, not_allowed};
use crate::revoke_key::unknown_key;
use crate::{Deed, Desk, KeyHash, KeyId, Kind, MANAGE_KEY, Principal, Standing, Touched};

/// How long a replaced key works unless another span is asked for: a day.
pub const OVERLAP: Duration = Duration::from_secs(24 * 3600);

/// How long it can work at most: thirty days.
pub const OVERLAP_MAX: Duration = Duration::from_secs(30 * 24 * 3600);

/// A request to replace a key. Its successor is for the same holder, good for the same, until the same time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RotateKey {
    /// The number of the key to replace.
    pub number: u32,
    /// The successor's public part.
    pub id: KeyId,
    /// Hash of the successor's text.
    pub hash: KeyHash,
    /// How long the old one shall still work; [`OVERLAP`] when nothing is said.
    pub overlap: Option<Duration>,
}

/// Replaces a key. Whoever learns the successor's secret could use it, so it takes what making such a key takes, unless the key
/// replaces itself.
///
/// Errors: as [`judge()`]; `KEY_UNKNOWN` as for revoking; `NOT_ALLOWED` for a key good for more (`scopes`) or for longer (`expires`) than
/// one can give; `STANDING` when the key does not work or has been replaced (`number`), or the id is taken (`id`); `FIELD_RANGE`
/// (`overlap`).
pub fn rotate_key(desk: &Desk<'_>, principal: &Principal, command: &RotateKey) -> Result<Deed, Problem> {
    judge(desk.state, desk.now, principal, &MANAGE_KEY, &Touched::Key(command.number))?;
    let key = desk.state.key(command.number).ok_or_else(|| unknown_key(command.number))?;
    if *principal == Principal::Desk && key.holder.kind() != Kind::Operator {
        return Err(not_allowed("On the folder itself only operators' keys are rotated. Start the desk and use one.").in_field("number"));
    }
    if key.standing(desk.now) != Standing::Valid {
        let detail = format!("Key {} is {}: only a valid key is replaced. Create a new one.", key.number, key.standing(desk.now).as_str());
        return Err(Problem::new(Code::STANDING, detail).in_field("number"));
    }
    if !matches!(principal, Principal::Key(bearer) if bearer.number == key.number) {
        let giver = giver(desk, principal)?;
        check_given(key.scopes, &giver)?;
        check_expiry(desk.now, key.expires, &giver)?;
    }
    let overlap = command.overlap.unwrap_or(OVERLAP);
    if overlap > OVERLAP_MAX {
        return Err(Problem::new(Code::FIELD_RANGE, "The old key works 30 days longer at most.").in_field("overlap"));
    }
    if desk.state.key_of(command.id).is_some() {
        return Err(Problem::new(Code::STANDING, "There is a key of that id. Draw another at random.").in_field("id"));
    }
    let (until, number) = (desk.now.after(overlap), desk.state.next_number());
    Ok(Deed::KeyRotated { old: key.number, until, number, id: command.id, hash: command.hash })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{ALICE, BOB, Hive, citizen, signing, text, told};
    use crate::{CreateKey, Holder, KeyText, KeyTextError, RevokeKey, Scope, Scopes};
    use lab3_units::Time;

    fn rotate(hive: &Hive, number: u32) -> RotateKey {
        let key = text(Kind::Citizen, hive.state.next_number());
        RotateKey { number, id: key.id(), hash: key.hash(), overlap: None }
    }

    fn refused<T>(code: Code, field: &str) -> Result<T, (Code, String)> {
        Err((code, field.to_owned()))
    }

    #[test]
    fn both_keys_work_for_a_day_then_the_new_one() {
        let (mut hive, operator) = Hive::new();
        let old = hive.make_with(&operator, citizen(ALICE), Scopes::of(&[Scope::Read, Scope::Keys])).unwrap();
        let command = rotate(&hive, 2);
        assert!(matches!(hive.run(&old, command), Ok(Deed::KeyRotated { old: 2, number: 3, .. })));
        let (before, new) = (hive.bearer(2), hive.bearer(3));
        let works = |hive: &Hive, number| told(hive.state.authenticate(hive.now, &text(Kind::Citizen, number))).map(|_| ());
        assert_eq!((works(&hive, 2), works(&hive, 3)), (Ok(()), Ok(())));
        assert_eq!(told(hive.make(&before, citizen(ALICE))), refused(Code::NOT_ALLOWED, ""), "a replaced key manages no keys");
        assert_eq!(told(hive.run(&before, RevokeKey { number: 3, reason: "".into() })), refused(Code::NOT_ALLOWED, ""));
        let again = rotate(&hive, 2);
        assert_eq!(told(hive.run(&new, again)), refused(Code::STANDING, "number"));
        hive.pass_hours(24);
        assert_eq!((works(&hive, 2), works(&hive, 3)), (refused(Code::KEY_INVALID, "Authorization"), Ok(())));
        assert_eq!(hive.state.key(3).map(|key| (key.family, key.scopes)), hive.state.key(2).map(|key| (2, key.scopes)));
        hive.verify();
    }

    #[test]
    fn nobody_learns_a_wider_key_by_replacing_it() {
        let (mut hive, operator) = Hive::new();
        let alice = signing(1);
        let did = alice.did().unwrap().clone();
        hive.make(&alice, Holder::Citizen(did.clone())).unwrap();
        let narrow = hive.make_with(&alice, Holder::Citizen(did.clone()), Scopes::of(&[Scope::Keys])).unwrap();
        let money = rotate(&hive, 2);
        assert_eq!(told(hive.run(&operator, money.clone())), refused(Code::NOT_ALLOWED, "scopes"));
        assert_eq!(told(hive.run(&narrow, money.clone())), refused(Code::NOT_ALLOWED, "scopes"));
        assert_eq!(told(hive.run(&signing(2), money.clone())), refused(Code::NOT_ALLOWED, ""));
        let ending = CreateKey { expires: Time::parse("2027-01-01T00:00:00Z"), ..hive.asking(Holder::Citizen(did)) };
        let ending = hive.create(&alice, ending).unwrap();
        assert_eq!(told(hive.run(&ending, rotate(&hive, 2))), refused(Code::NOT_ALLOWED, "expires"));
        let own = rotate(&hive, 4);
        hive.run(&ending, own).unwrap();
        assert_eq!(hive.state.key(5).unwrap().expires, Time::parse("2027-01-01T00:00:00Z"));
        hive.run(&alice, rotate(&hive, 2)).unwrap();
        hive.verify();
    }

    #[test]
    fn a_foreign_key_and_a_missing_one_get_the_same_words() {
        let (mut hive, operator) = Hive::new();
        let alice = hive.make_with(&operator, citizen(ALICE), Scopes::of(&[Scope::Keys])).unwrap();
        hive.make_with(&operator, citizen(BOB), Scopes::of(&[Scope::Keys])).unwrap();
        let foreign = hive.run(&alice, RevokeKey { number: 3, reason: "".into() }).unwrap_err();
        let missing = hive.run(&alice, RevokeKey { number: 77, reason: "".into() }).unwrap_err();
        assert_eq!((foreign.code(), &foreign.detail), (missing.code(), &missing.detail));
        assert_eq!(told(hive.run(&operator, RevokeKey { number: 77, reason: "".into() })), refused(Code::KEY_UNKNOWN, "number"));
        assert_eq!(told(hive.run(&operator, rotate(&hive, 77))), refused(Code::KEY_UNKNOWN, "number"));
    }

    #[test]
    fn a_revoked_key_is_dead_at_once() {
        let (mut hive, operator) = Hive::new();
        let service = hive.make(&operator, Holder::Service { daily_cap: lab3_units::Amount::ZERO }).unwrap();
        hive.run(&service, RevokeKey { number: 2, reason: "found in a log".into() }).unwrap();
        assert_eq!(told(hive.run(&service, rotate(&hive, 2))), refused(Code::KEY_INVALID, "Authorization"));
        assert_eq!(told(hive.run(&operator, RevokeKey { number: 2, reason: "".into() })), refused(Code::STANDING, "number"));
        assert_eq!(told(hive.run(&operator, rotate(&hive, 2))), refused(Code::STANDING, "number"));
        let wrong = KeyText::make(Kind::Operator, text(Kind::Operator, 1).id().to_bytes(), &[99; 32]);
        assert_eq!(told(hive.state.authenticate(hive.now, &wrong)), refused(Code::KEY_INVALID, "Authorization"));
        assert_eq!(KeyText::parse("lab3_operator_x").map(|_| ()), Err(KeyTextError::Typo));
        hive.verify();
    }

    #[test]
    fn an_overlap_has_an_end() {
        let (mut hive, operator) = Hive::new();
        let command = |hive: &Hive, seconds| RotateKey { overlap: Some(Duration::from_secs(seconds)), ..rotate(hive, 1) };
        let long = command(&hive, 30 * 24 * 3600 + 1);
        assert_eq!(told(hive.run(&operator, long)), refused(Code::FIELD_RANGE, "overlap"));
        let none = command(&hive, 0);
        hive.run(&operator, none).unwrap();
        assert_eq!(hive.state.key(1).unwrap().standing(hive.now), Standing::Expired);
    }
}
