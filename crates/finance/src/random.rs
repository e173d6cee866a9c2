//! Random finance against a simple model: no MIC appears but by minting, none goes anywhere the model does not say.

use std::collections::BTreeMap;

use lab3_ledger::Event;
use lab3_units::{Amount, Did, FeeRate, Problem};
use proptest::prelude::*;

use crate::testing::{Hive, blank_sheet, did};
use crate::{
    CloseEpoch, Contribute, Desk, Fact, Grant, Mint, Policy, Recipient, Share, Transfer, Wallets, balance, close_epoch, contribute, grant,
    mint, pool, transfer, transfer_linked,
};

/// One random request. Citizens are numbers, amounts are KS.
#[derive(Clone, Debug)]
enum Ask {
    Transfer(u8, u8, i64),
    Linked(Vec<(u8, u8, i64)>),
    Grant(u8, i64),
    Contribute(u8, i64),
    Mint(u8, i64),
    Close,
}

/// What the books should say, in plain numbers.
#[derive(Clone, Debug, Default)]
struct Model {
    wallets: BTreeMap<u8, i64>,
    pool: i64,
    reserve: i64,
    supply: i64,
    fees: i64,
}

const SHARES: [(Recipient, &str); 2] = [(Recipient::Pool, "66.6666667"), (Recipient::Reserve, "33.3333333")];

fn citizen(number: u8) -> Did {
    did(&format!("did:kaizen:c{number}"))
}

/// The fee as the specification says it: 0.001 percent is one part in 100,000, rounded up.
fn fee(amount: i64) -> i64 {
    (amount + 99_999) / 100_000
}

impl Model {
    fn transfer(&mut self, from: u8, to: u8, amount: i64) -> bool {
        let needed = amount + fee(amount);
        let has = self.wallets.get(&from).copied().unwrap_or(0);
        if from == to || has < needed {
            return false;
        }
        *self.wallets.entry(from).or_default() -= needed;
        *self.wallets.entry(to).or_default() += amount;
        self.pool += fee(amount);
        self.fees += fee(amount);
        true
    }

    /// Does what was asked, or says no and stays as it was.
    fn run(&mut self, ask: &Ask) -> bool {
        let before = self.clone();
        let done = match ask {
            Ask::Transfer(from, to, amount) => self.transfer(*from, *to, *amount),
            Ask::Linked(items) => items.iter().all(|&(from, to, amount)| self.transfer(from, to, amount)),
            Ask::Grant(to, amount) => {
                self.pool -= amount;
                *self.wallets.entry(*to).or_default() += amount;
                self.pool >= 0
            }
            Ask::Contribute(from, amount) => {
                self.pool += amount;
                let wallet = self.wallets.entry(*from).or_default();
                *wallet -= amount;
                *wallet >= 0
            }
            Ask::Mint(to, amount) => {
                *self.wallets.entry(*to).or_default() += amount;
                self.supply += amount;
                true
            }
            Ask::Close => {
                // 1001 KS by two thirds and one third: 667.33 and 333.67, so the KS left over goes to the second.
                (self.pool, self.reserve, self.supply) = (self.pool + 667, self.reserve + 334, self.supply + 1001);
                true
            }
        };
        if !done {
            *self = before;
        }
        done
    }
}

fn asks() -> impl Strategy<Value = Ask> {
    let who = 0_u8..4;
    let amount = prop_oneof![1_i64..3_000_000, Just(1), Just(100_000), Just(100_001)];
    prop_oneof![
        4 => (who.clone(), who.clone(), amount.clone()).prop_map(|(from, to, amount)| Ask::Transfer(from, to, amount)),
        2 => prop::collection::vec((who.clone(), who.clone(), amount.clone()), 0..40).prop_map(Ask::Linked),
        1 => (who.clone(), amount.clone()).prop_map(|(to, amount)| Ask::Grant(to, amount)),
        1 => (who.clone(), amount.clone()).prop_map(|(from, amount)| Ask::Contribute(from, amount)),
        2 => (who, amount).prop_map(|(to, amount)| Ask::Mint(to, amount)),
        1 => Just(Ask::Close),
    ]
}

fn decide(desk: &Desk<'_>, ask: &Ask) -> Result<(Fact, Vec<Event>), Problem> {
    let (reason, amount) = (Box::<str>::from("why"), |units: &i64| Amount::new(*units));
    let command =
        |from: &u8, to: &u8, units: &i64| Transfer { from: citizen(*from), to: citizen(*to), amount: amount(units), reason: "".into() };
    match ask {
        Ask::Transfer(from, to, units) => {
            let command = command(from, to, units);
            transfer(desk, &command, Wallets::of(desk.ledger, &command))
        }
        Ask::Linked(items) => {
            let commands: Vec<Transfer> = items.iter().map(|(from, to, units)| command(from, to, units)).collect();
            transfer_linked(desk, commands.iter())
        }
        Ask::Grant(to, units) => grant(desk, &Grant { recipient: citizen(*to), amount: amount(units), project: reason, approved: false }),
        Ask::Contribute(from, units) => contribute(desk, &Contribute { from: citizen(*from), amount: amount(units), reason }),
        Ask::Mint(to, units) => mint(desk, &Mint { to: citizen(*to), amount: amount(units), reason }),
        Ask::Close => close_epoch(desk, &CloseEpoch { epoch: None }, |_, _| Ok(blank_sheet())),
    }
}

fn fees_in(events: &[Event]) -> i64 {
    let fee = |event: &Event| match event {
        Event::Transferred { kind: lab3_ledger::Kind::Fee, amount, .. } => amount.units(),
        _ => 0,
    };
    events.iter().map(fee).sum()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(200) })]

    #[test]
    fn every_unit_is_where_the_model_says(asks in prop::collection::vec(asks(), 1..60)) {
        let shares = SHARES.map(|(recipient, percent)| Share { recipient, percent: FeeRate::from_percent(percent).unwrap() });
        let (pool_initial, epoch_reward) = (Amount::new(5_000_000), Amount::new(1001));
        let policy = Policy { pool_initial, epoch_reward, epoch_shares: shares.to_vec(), ..Policy::default() };
        let mut hive = Hive::with_policy(policy);
        let mut model = Model { pool: 5_000_000, supply: 5_000_000, ..Model::default() };
        let mut fees = 0;
        for ask in &asks {
            let decided = hive.run(|desk| decide(desk, ask).inspect(|(_, events)| fees += fees_in(events)));
            prop_assert_eq!(decided.is_ok(), model.run(ask), "{:?}: {:?}", ask, decided.err());
            let status = pool(&hive.desk());
            prop_assert_eq!((status.balance.units(), status.supply.units(), fees), (model.pool, model.supply, model.fees));
            for (number, units) in &model.wallets {
                prop_assert_eq!(balance(&hive.desk(), &citizen(*number)).balance.units(), *units);
            }
            let everywhere = model.pool + model.reserve + model.wallets.values().sum::<i64>();
            prop_assert_eq!((everywhere, hive.balance_of("hive:reserve").units()), (model.supply, model.reserve));
            prop_assert_eq!(hive.ledger.verify(), Ok(()));
        }
        hive.verify();
    }
}
