//! Random histories of certificates: no Wh is claimed twice, none is lost, and a fact taken in twice changes nothing.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]

use std::collections::BTreeMap;

use lab3_energy::carbon::certificates::{Fact, Issue, Refusal, Register, Source, State};
use lab3_units::{Amount, Id, Owner, Time};
use proptest::prelude::*;

const HOUR_MS: i64 = 3_600_000;

/// What somebody tries. Ids, owners, hours and devices are few, so that they meet.
#[derive(Clone, Debug)]
enum Try {
    Issue { id: u8, mwh: i64, hour: i64, device: u8, owner: u8 },
    Split { id: u8, by: u8, first_wh: i64, into: [u8; 2] },
    Hand { id: u8, by: u8, to: u8 },
    Claim { id: u8, by: u8, hour: i64, at: i64 },
}

fn attempt() -> impl Strategy<Value = Try> {
    let (id, who, hour) = (0..24_u8, 0..3_u8, 0..3_i64);
    prop_oneof![
        (id.clone(), -10..9000_i64, hour.clone(), 0..3_u8, who.clone()).prop_map(|(id, mwh, hour, device, owner)| Try::Issue {
            id,
            mwh,
            hour,
            device,
            owner
        }),
        (id.clone(), who.clone(), -1..9_i64, [id.clone(), id.clone()]).prop_map(|(id, by, first_wh, into)| Try::Split {
            id,
            by,
            first_wh,
            into
        }),
        (id.clone(), who.clone(), who.clone()).prop_map(|(id, by, to)| Try::Hand { id, by, to }),
        (id, who, hour, 0..1000_i64).prop_map(|(id, by, hour, at)| Try::Claim { id, by, hour, at }),
    ]
}

fn id(number: u8) -> Id {
    Id::from_bytes([number; 16])
}

fn owner(number: u8) -> Owner {
    Owner::hive(["alice", "bob", "carol"][usize::from(number)])
}

fn hour(number: i64) -> Time {
    Time::from_millis(number * HOUR_MS)
}

fn ask(register: &Register, attempt: &Try) -> Result<Fact, Refusal> {
    match attempt {
        Try::Issue { id: number, mwh, hour: at, device, owner: whose } => register.issue(Issue {
            id: id(*number),
            generated_mwh: Amount::new(*mwh),
            hour: hour(*at),
            source: Source::Wind,
            device: format!("mill {device}").into(),
            owner: owner(*whose),
        }),
        Try::Split { id: number, by, first_wh, into } => register.split(id(*number), &owner(*by), Amount::new(*first_wh), into.map(id)),
        Try::Hand { id: number, by, to } => register.hand(id(*number), &owner(*by), owner(*to)),
        Try::Claim { id: number, by, hour: of, at } => register.claim(id(*number), &owner(*by), hour(*of), Time::from_millis(*at)),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(1000) })]

    #[test]
    fn no_watt_hour_is_claimed_twice_and_none_is_lost(attempts in prop::collection::vec(attempt(), 0..120)) {
        let mut register = Register::new(20);
        // Whole Wh by device and hour, kept here a second time: issued, and claimed.
        let mut issued: BTreeMap<(String, Time), i64> = BTreeMap::new();
        let mut claimed: BTreeMap<(String, Time), i64> = BTreeMap::new();
        let mut claims = 0;
        for attempt in &attempts {
            let Ok(fact) = ask(&register, attempt) else { continue };
            match &fact {
                Fact::Issued { certificate, .. } => {
                    let earlier = issued.insert((certificate.device.to_string(), certificate.hour), certificate.energy_wh.units());
                    prop_assert_eq!(earlier, None, "certified twice");
                }
                Fact::Claimed { id, .. } => {
                    let certificate = register.get(*id).unwrap();
                    *claimed.entry((certificate.device.to_string(), certificate.hour)).or_default() += certificate.energy_wh.units();
                    claims += 1;
                }
                Fact::Split { .. } | Fact::Handed { .. } => {}
            }
            register.apply(&fact);
            if !matches!(fact, Fact::Handed { .. }) {
                let once = register.clone();
                register.apply(&fact);
                prop_assert_eq!(&register, &once, "a fact taken in twice");
            }
            prop_assert!(register.iter().count() <= 20);
        }

        let (mut living, mut spent): (BTreeMap<_, i64>, usize) = (BTreeMap::new(), 0);
        for (_, certificate) in register.iter() {
            prop_assert!(certificate.energy_wh.is_positive());
            let key = (certificate.device.to_string(), certificate.hour);
            match certificate.state {
                State::Split(_) => {}
                State::Active => *living.entry(key).or_default() += certificate.energy_wh.units(),
                State::Claimed(_) => {
                    *living.entry(key).or_default() += certificate.energy_wh.units();
                    spent += 1;
                }
            }
        }
        prop_assert_eq!(&living, &issued, "active and claimed are what was issued");
        prop_assert_eq!(spent, claims);
        for (key, claimed) in claimed {
            prop_assert!(claimed <= issued[&key], "{key:?}: {claimed} Wh claimed of {}", issued[&key]);
        }
    }
}
