//! The register of certificates: what may be done with them, and what was.

use std::collections::BTreeMap;
use std::sync::Arc;

use lab3_units::{Amount, Id, Owner, Time};
use serde::{Deserialize, Serialize};

use super::{Certificate, Claim, Fact, Issue, Refusal, State};

/// Milliseconds in an hour.
const HOUR_MS: i64 = 3_600_000;

/// mWh in a Wh.
const MWH: i64 = 1000;

/// Every certificate there is or was. Nothing is forgotten: what was claimed must be known to be refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Register {
    certificates_max: usize,
    certificates: BTreeMap<Id, Certificate>,
    /// What was issued for a device's hour.
    issued: BTreeMap<(Arc<str>, Time), Issued>,
}

/// A certificate as it was issued.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Issued {
    id: Id,
    energy_wh: Amount,
    owner: Owner,
}

impl Register {
    /// An empty register of at most so many certificates, those that were split or claimed included.
    pub fn new(certificates_max: usize) -> Self {
        Self { certificates_max, certificates: BTreeMap::new(), issued: BTreeMap::new() }
    }

    /// The certificate with that id.
    pub fn get(&self, id: Id) -> Option<&Certificate> {
        self.certificates.get(&id)
    }

    /// All certificates, by their ids.
    pub fn iter(&self) -> impl Iterator<Item = (Id, &Certificate)> {
        self.certificates.iter().map(|(&id, certificate)| (id, certificate))
    }

    /// To whom how many Wh were issued for hours that begin within that time, its end not included: as it was issued, whatever became of it.
    pub fn issued_within(&self, from: Time, to: Time) -> impl Iterator<Item = (&Owner, Amount)> {
        let within = self.issued.iter().filter(move |((_, hour), _)| *hour >= from && *hour < to);
        within.map(|(_, issued)| (&issued.owner, issued.energy_wh))
    }

    /// May this be certified? Errors: the id is in use, the hour is none or certified already, there is less than a Wh, or the register is full.
    pub fn issue(&self, issue: Issue) -> Result<Fact, Refusal> {
        let Issue { id, generated_mwh, hour, source, device, owner } = issue;
        self.room(1)?;
        self.is_new(id)?;
        if hour.millis().rem_euclid(HOUR_MS) != 0 {
            return Err(Refusal::NotAnHour);
        }
        if let Some(earlier) = self.issued.get(&(device.clone(), hour)) {
            return Err(Refusal::AlreadyIssued(earlier.id));
        }
        let energy_wh = Amount::new(generated_mwh.units().div_euclid(MWH));
        if !energy_wh.is_positive() {
            return Err(Refusal::NoEnergy);
        }
        Ok(Fact::Issued { id, certificate: Certificate { energy_wh, hour, source, device, owner, state: State::Active } })
    }

    /// May `by` make two of it, the first of so many Wh?
    ///
    /// Errors: there is none, it is another's, split or claimed, a part would be empty, an id is in use, or the register is full.
    pub fn split(&self, id: Id, by: &Owner, first_wh: Amount, into: [Id; 2]) -> Result<Fact, Refusal> {
        let certificate = self.usable(id, by)?;
        self.room(2)?;
        self.is_new(into[0])?;
        self.is_new(into[1])?;
        if into[0] == into[1] {
            return Err(Refusal::IdTaken);
        }
        if !first_wh.is_positive() || first_wh >= certificate.energy_wh {
            return Err(Refusal::NoEnergy);
        }
        Ok(Fact::Split { id, into, first_wh })
    }

    /// May `by` hand it to somebody? Errors: there is none, or it is another's, split or claimed.
    pub fn hand(&self, id: Id, by: &Owner, to: Owner) -> Result<Fact, Refusal> {
        self.usable(id, by).map(|_| Fact::Handed { id, to })
    }

    /// May `by` claim all of it at `at` for what was consumed in the hour that begins at `hour`?
    ///
    /// Errors: there is none, it is another's, split or claimed already (by whom and when), or it is for another hour.
    pub fn claim(&self, id: Id, by: &Owner, hour: Time, at: Time) -> Result<Fact, Refusal> {
        let certificate = self.usable(id, by)?;
        if certificate.hour != hour {
            return Err(Refusal::OtherHour(certificate.hour));
        }
        Ok(Fact::Claimed { id, claim: Claim { by: by.clone(), at } })
    }

    /// The fact that comes of asking at `at` for what this one says, by the questions above: it may follow if it is the same. For whoever checks a register.
    ///
    /// Errors: those of the questions.
    pub fn again(&self, fact: &Fact, at: Time) -> Result<Fact, Refusal> {
        let known = |id: &Id| self.certificates.get(id).ok_or(Refusal::Unknown);
        match fact.clone() {
            Fact::Issued { id, certificate } => {
                let Certificate { energy_wh, hour, source, device, owner, .. } = certificate;
                let generated_mwh = Amount::new(energy_wh.units().saturating_mul(MWH));
                self.issue(Issue { id, generated_mwh, hour, source, device, owner })
            }
            Fact::Split { id, into, first_wh } => self.split(id, &known(&id)?.owner, first_wh, into),
            Fact::Handed { id, to } => self.hand(id, &known(&id)?.owner, to),
            Fact::Claimed { id, claim } => self.claim(id, &claim.by, known(&id)?.hour, at),
        }
    }

    /// Takes a fact in. Facts are what the questions above gave, in their order; one that contradicts the register changes nothing.
    pub fn apply(&mut self, fact: &Fact) {
        match fact {
            Fact::Issued { id, certificate } => {
                if self.certificates.contains_key(id) {
                    return;
                }
                let issued = Issued { id: *id, energy_wh: certificate.energy_wh, owner: certificate.owner.clone() };
                self.issued.insert((certificate.device.clone(), certificate.hour), issued);
                self.certificates.insert(*id, certificate.clone());
            }
            Fact::Split { id, into, first_wh } => {
                let Some(whole) = self.active(*id) else { return };
                let first = Certificate { energy_wh: *first_wh, ..whole.clone() };
                let second = Certificate { energy_wh: whole.energy_wh.saturating_sub(*first_wh), ..whole.clone() };
                whole.state = State::Split(*into);
                self.certificates.extend(into.iter().copied().zip([first, second]));
            }
            Fact::Handed { id, to } => {
                if let Some(certificate) = self.active(*id) {
                    certificate.owner = to.clone();
                }
            }
            Fact::Claimed { id, claim } => {
                if let Some(certificate) = self.active(*id) {
                    certificate.state = State::Claimed(claim.clone());
                }
            }
        }
    }

    fn usable(&self, id: Id, by: &Owner) -> Result<&Certificate, Refusal> {
        let certificate = self.certificates.get(&id).ok_or(Refusal::Unknown)?;
        certificate.usable_by(by).map(|()| certificate)
    }

    fn active(&mut self, id: Id) -> Option<&mut Certificate> {
        self.certificates.get_mut(&id).filter(|certificate| certificate.state == State::Active)
    }

    fn room(&self, count: usize) -> Result<(), Refusal> {
        if self.certificates.len() + count > self.certificates_max { Err(Refusal::Full) } else { Ok(()) }
    }

    fn is_new(&self, id: Id) -> Result<(), Refusal> {
        if self.certificates.contains_key(&id) { Err(Refusal::IdTaken) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::carbon::certificates::Source;

    fn id(number: u128) -> Id {
        Id::from_bytes(number.to_be_bytes())
    }

    fn solar(number: u128, generated_mwh: i64, hour: i64) -> Issue {
        let (hour, generated_mwh) = (Time::from_millis(hour * HOUR_MS), Amount::new(generated_mwh));
        Issue { id: id(number), generated_mwh, hour, source: Source::Solar, device: "roof".into(), owner: alice() }
    }

    fn alice() -> Owner {
        Owner::hive("alice")
    }

    /// With certificate 1: 5 Wh of hour 7, Alice's.
    fn register() -> Register {
        let mut register = Register::new(10);
        let fact = register.issue(solar(1, 5999, 7)).unwrap();
        register.apply(&fact);
        register
    }

    #[test]
    fn whole_watt_hours_are_certified_once_for_a_devices_hour() {
        let register = register();
        assert_eq!(register.get(id(1)).unwrap().energy_wh, Amount::new(5));
        assert_eq!(register.issue(solar(2, 4000, 7)), Err(Refusal::AlreadyIssued(id(1))));
        assert_eq!(register.issue(solar(1, 4000, 8)), Err(Refusal::IdTaken));
        assert_eq!(register.issue(solar(2, 999, 8)), Err(Refusal::NoEnergy));
        assert_eq!(register.issue(solar(2, -4000, 8)), Err(Refusal::NoEnergy));
        let between = Issue { hour: Time::from_millis(8 * HOUR_MS + 1), ..solar(2, 4000, 8) };
        assert_eq!(register.issue(between), Err(Refusal::NotAnHour));
    }

    #[test]
    fn a_second_claim_is_refused_with_who_and_when() {
        let mut register = register();
        let (hour, at) = (Time::from_millis(7 * HOUR_MS), Time::from_millis(9 * HOUR_MS));
        assert_eq!(register.claim(id(1), &alice(), at, at), Err(Refusal::OtherHour(hour)));
        assert_eq!(register.claim(id(1), &Owner::hive("bob"), hour, at), Err(Refusal::NotOwner(alice())));
        let fact = register.claim(id(1), &alice(), hour, at).unwrap();
        register.apply(&fact);
        let issued = Register::new(1).issue(solar(1, 5999, 7)).unwrap();
        register.apply(&issued);
        let refusal = register.claim(id(1), &alice(), hour, at).unwrap_err();
        assert_eq!(refusal, Refusal::Claimed(Claim { by: alice(), at }));
        assert_eq!(refusal.to_string(), "it was claimed by hive:alice at 1970-01-01T09:00:00Z");
        assert_eq!(register.split(id(1), &alice(), Amount::new(1), [id(2), id(3)]), Err(refusal.clone()));
        assert_eq!(register.hand(id(1), &alice(), Owner::hive("bob")), Err(refusal));
        assert_eq!(register.claim(id(9), &alice(), hour, at), Err(Refusal::Unknown));
    }

    #[test]
    fn the_parts_are_the_whole_and_the_whole_is_no_more() {
        let mut register = register();
        for (first_wh, into, refusal) in [
            (0, [2, 3], Refusal::NoEnergy),
            (5, [2, 3], Refusal::NoEnergy),
            (2, [2, 2], Refusal::IdTaken),
            (2, [1, 2], Refusal::IdTaken),
            (2, [2, 1], Refusal::IdTaken),
        ] {
            assert_eq!(register.split(id(1), &alice(), Amount::new(first_wh), into.map(id)), Err(refusal), "{first_wh} {into:?}");
        }
        let fact = register.split(id(1), &alice(), Amount::new(2), [id(2), id(3)]).unwrap();
        register.apply(&fact);
        assert_eq!([2, 3].map(|part| register.get(id(part)).unwrap().energy_wh.units()), [2, 3]);
        let hour = Time::from_millis(7 * HOUR_MS);
        assert_eq!(register.claim(id(1), &alice(), hour, hour), Err(Refusal::Split([id(2), id(3)])));
        let given = register.hand(id(2), &alice(), Owner::hive("bob")).unwrap();
        register.apply(&given);
        assert!(register.claim(id(2), &Owner::hive("bob"), hour, hour).is_ok());
        assert_eq!(register.claim(id(2), &alice(), hour, hour), Err(Refusal::NotOwner(Owner::hive("bob"))));
    }

    #[test]
    fn a_full_register_takes_no_more() {
        let mut register = Register::new(2);
        let fact = register.issue(solar(1, 5000, 1)).unwrap();
        register.apply(&fact);
        assert_eq!(register.split(id(1), &alice(), Amount::new(2), [id(2), id(3)]), Err(Refusal::Full));
        let fact = register.issue(solar(2, 5000, 2)).unwrap();
        register.apply(&fact);
        assert_eq!(register.issue(solar(3, 5000, 3)), Err(Refusal::Full));
    }
}
