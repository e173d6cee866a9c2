//! Exports shared by the signature of who pays, on a closed Hive whose journal is inscribed.

use lab3_energy::carbon::certificates::{Issue, Source};
use lab3_energy::{Among, Certify, ShareExports};
use lab3_engine::{Command, Energy, Submission, Will};
use lab3_trust::{Act, Intent, Signature, SignedEarned, SignedMembers, SignedShare};
use lab3_units::{Amount, Duration, Id, Owner, Time};

use super::governed::statement;
use super::{Actor, Hive, key, member, secret};

const HOUR_MS: i64 = 3_600_000;

/// What the desk counts, and the most that is signed for it.
pub const COUNTED: (i64, i64) = (29_000, 30_000);

impl Hive {
    /// Shares by each rule what was said, and what was counted: of meters of their own, all must go well.
    pub fn share_signed(&mut self) {
        self.clock.advance(Duration::from_secs(7200));
        let end = Time::from_millis(self.engine.now().millis() / HOUR_MS * HOUR_MS);
        for who in 0..3 {
            let hour = Time::from_millis(end.millis() - HOUR_MS);
            let (generated_mwh, device) = (self.dice.units(3_000_000), format!("roof {who}").into());
            let id = Id::from_bytes([u8::try_from(200 + who).unwrap(); 16]);
            let issue = Issue { id, generated_mwh, hour, source: Source::Solar, device, owner: Owner::from(&member(who)) };
            self.take_signed(Submission::new(self.operator(), None, id, Command::Energy(Energy::Certify(Box::new(Certify::Issue(issue))))));
        }
        let rules = [
            SignedMembers::Equal([1, 2, 7].map(member).into()),
            SignedMembers::Weights([(member(0), 3), (member(3), 1), (member(8), 999)].into()),
            SignedMembers::Generation,
        ];
        let said = |exported_mwh| SignedEarned::Said { amount: Amount::new(20_000), exported_mwh };
        let counted = SignedEarned::Counted { amount_max: Amount::new(COUNTED.1) };
        for (at, rule) in rules.into_iter().enumerate() {
            for (number, earned) in [said(None), said(Some(Amount::new(77))), counted].into_iter().enumerate() {
                let device = format!("meter {number}").into();
                let begin = Time::from_millis(end.millis() - HOUR_MS);
                self.share(at, SignedShare { from: member(at), device, begin, end, earned, among: rule.clone() });
            }
        }
    }

    /// Shares as its payer signs.
    fn share(&mut self, who: usize, signed: SignedShare) {
        let SignedShare { from: payer, device, begin: from, end: to, earned, among } = signed.clone();
        let (amount, exported_mwh, measured) = match earned {
            SignedEarned::Said { amount, exported_mwh } => (amount, exported_mwh, false),
            SignedEarned::Counted { .. } => (Amount::new(COUNTED.0), Some(Amount::new(5)), true),
        };
        let among = match among {
            SignedMembers::Equal(members) => Among::Equal(members.into_iter().collect()),
            SignedMembers::Weights(members) => Among::Weights(members.into_iter().collect()),
            SignedMembers::Generation => Among::Generation(Vec::new()),
        };
        let id = Id::from_bytes([&self.dice.next().to_be_bytes()[..]; 2].concat().try_into().unwrap());
        let statement = statement(id, self.engine.now(), Act::ShareExports(Box::new(signed)));
        let signature = Signature::sign(&secret(who), statement.text().as_bytes());
        let intent = Intent { not_after: statement.not_after, fee_max: statement.act.most(), key: key(who), signature };
        let will = Will::Intent(intent.verify(&statement).unwrap(), None);
        let share = ShareExports { id, payer, device, from, to, amount, exported_mwh, measured, among };
        let submission = Submission::new(Actor::Signed, None, id, Command::Energy(Energy::ShareExports(Box::new(share))));
        self.take_signed(Submission { will: Some(Box::new(will)), ..submission });
    }

    fn take_signed(&mut self, submission: Submission) {
        self.runtime.block_on(self.engine.submit(submission)).unwrap();
    }
}
