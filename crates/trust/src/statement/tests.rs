//! One text for one statement: written, read back, and refused when a byte differs.

use lab3_units::{Amount, Id, Time};
use proptest::prelude::*;

use super::*;
use crate::testing::{ALICE, BOB, did};
use crate::{Change, PublicKey, SignedMembers};

fn statement(act: Act) -> Statement {
    Statement {
        hive: HiveName::parse("Hive of the Mill").unwrap(),
        journal: Id::from_bytes([1; 16]),
        id: Id::from_bytes([2; 16]),
        not_after: Time::parse("2026-11-30T00:00:00Z").unwrap(),
        act,
    }
}

fn pay() -> Act {
    let memo = Some(MemoHash::of(b"0123456789abcdef", "rent"));
    Act::Transfer { from: did(ALICE), to: did(BOB), amount: Amount::new(50_000_000), fee_max: Amount::new(500), memo }
}

fn key(secret: u8) -> PublicKey {
    PublicKey::of_secret(&[secret; 32])
}

const SAID: SignedEarned = SignedEarned::Said { amount: Amount::new(12_500_000), exported_mwh: Some(Amount::ZERO) };
const COUNTED: SignedEarned = SignedEarned::Counted { amount_max: Amount::new(7) };

fn share(earned: SignedEarned, among: SignedMembers) -> Act {
    let time = |text| Time::parse(text).unwrap();
    let (begin, end) = (time("2026-11-22T00:00:00Z"), time("2026-11-23T00:00:00Z"));
    Act::ShareExports(Box::new(SignedShare { from: did(ALICE), device: "the grid".into(), begin, end, earned, among }))
}

fn acts() -> Vec<Act> {
    let event = |change, recovery| Act::DidKey(DidKeyEvent { did: did(ALICE), number: 3, change, recovery });
    let amount = Amount::new(i64::MAX);
    vec![
        pay(),
        Act::Transfer { from: did(ALICE), to: did(BOB), amount, fee_max: Amount::ZERO, memo: None },
        Act::Grant { to: did(BOB), amount, memo: None },
        Act::Mint { to: did(BOB), amount: Amount::new(1), memo: Some(MemoHash::from_bytes([0xff; 32])) },
        Act::Policy(PolicyLines::new([("finance.fee", "0.001 %"), ("a", ""), ("b", "=: x")]).unwrap()),
        Act::Treasurers(Treasurers::new(2, [did(BOB), did(ALICE), did(ALICE)]).unwrap()),
        Act::Freeze { citizen: did(ALICE), hours: 72, reason: "her key: was stolen".into() },
        event(Change::Add(key(1)), None),
        event(Change::Revoke(key(1)), Some([7; 32])),
        event(Change::Rotate { old: key(1), new: key(2) }, None),
        event(Change::Recover(key(3)), Some([0; 32])),
        share(SAID, SignedMembers::Weights([(did(BOB), 1), (did(ALICE), 1_000_000_000_000)].into())),
        share(COUNTED, SignedMembers::Equal([did(ALICE), did(BOB)].into())),
        share(SignedEarned::Said { amount, exported_mwh: None }, SignedMembers::Generation),
    ]
}

#[test]
fn the_text_of_a_transfer() {
    // The memo: printf '30313233343536373839616263646566:rent' | openssl dgst -sha256 -binary | base64
    let text = "lab3 intent 1\nhive: Hive of the Mill\njournal: jn_00g40r40m30e209185gr38e1g4\nid: tx_01082040g2081040g1040g2081\n\
                not-after: 2026-11-30T00:00:00Z\nact: transfer\nfrom: did:kaizen:alice\nto: did:kaizen:bob\namount-ks: 50000000\n\
                fee-max-ks: 500\nmemo: MEMO\n";
    let memo = BASE64.encode(Sha256::digest("30313233343536373839616263646566:rent"));
    let ids = statement(pay());
    let text = text.replace("MEMO", &memo).replace("jn_00g40r40m30e209185gr38e1g4", &ids.journal.text("jn").to_string());
    let text = text.replace("tx_01082040g2081040g1040g2081", &ids.id.text("tx").to_string());
    assert_eq!(statement(pay()).text(), text);
}

#[test]
fn every_statement_reads_back() {
    for act in acts() {
        let statement = statement(act);
        assert_eq!(Statement::parse(&statement.text()), Ok(statement));
    }
}

/// The text of a transfer with `old` changed to `new` is refused, and the line named.
fn check(old: &str, new: &str, line: usize) {
    let text = statement(pay()).text();
    assert!(text.contains(old), "{old}");
    let refused = Statement::parse(&text.replacen(old, new, 1));
    assert_eq!(refused.map_err(|error| error.line), Err(line), "{old} {new}");
}

#[test]
fn other_texts_are_refused_with_their_line() {
    check("lab3 intent 1\n", "lab3 intent 2\n", 1);
    check("lab3 intent 1\n", "lab3 intent 1\r\n", 1);
    check("hive: Hive", "hive:  Hive", 2);
    check("hive: Hive", "hive:Hive", 2);
    check("journal: jn_", "journal: tx_", 3);
    check("id: tx_", "ID: tx_", 4);
    check("00:00Z", "00:00+00:00", 5);
    check("00:00Z", "00:00.000Z", 5);
    check("00Z\n", "00Z\nact: transfer\n", 7);
    check("act: transfer", "act: steal", 6);
    check("from: did:kaizen:alice", "from: alice", 7);
    check("amount-ks: 50000000", "amount-ks: +50000000", 9);
    check("amount-ks: 50000000", "amount-ks: 050000000", 9);
    check("amount-ks: 50000000", "amount-ks: -50000000", 9);
    check("amount-ks: 50000000", "amount-ks: 0", 9);
    check("amount-ks: 50000000", "amount-ks: 9223372036854775808", 9);
    check("fee-max-ks: 500", "fee-max-ks: -1", 10);
    check("fee-max-ks: 500\n", "", 10);
    check("memo: ", "memo: A", 11);
    check("=\n", "=", 11);
    check("=\n", "=\n\n", 12);
    check("=\n", "=\nmemo: -\n", 12);
}

#[test]
fn lists_have_one_order() {
    let check = |act: Act, from: &str, to: &str| {
        let text = statement(act).text();
        assert!(text.contains(from), "{text}");
        assert!(Statement::parse(&text.replace(from, to)).is_err(), "{from} {to}");
    };
    let acts = acts();
    check(acts[4].clone(), "set: a=\nset: b==: x\n", "set: b==: x\nset: a=\n");
    check(acts[4].clone(), "set: a=\n", "set: a=\nset: a=\n");
    check(acts[5].clone(), "treasurer: did:kaizen:alice\n", "treasurer: did:kaizen:alice\ntreasurer: did:kaizen:alice\n");
    check(acts[5].clone(), "needed: 2", "needed: 3");
    check(acts[7].clone(), "old: -", &format!("old: {}", key(1)));
    check(acts[8].clone(), "recovery: 07", "recovery: +7");
    check(acts[8].clone(), "change: revoke", "change: add");
    check(acts[10].clone(), "event: 3", "event: 03");
}

#[test]
fn the_text_of_a_sharing() {
    let after = |act: Act| statement(act).text().split_once("act: ").unwrap().1.to_owned();
    let acts = acts();
    let of = "share-exports\nfrom: did:kaizen:alice\ndevice: the grid\nbegin: 2026-11-22T00:00:00Z\nend: 2026-11-23T00:00:00Z\n";
    let weights = "rule: weights\nmember: did:kaizen:alice 1000000000000\nmember: did:kaizen:bob 1\n";
    assert_eq!(after(acts[11].clone()), format!("{of}amount-ks: 12500000\nexported-mwh: 0\n{weights}"));
    let equal = "rule: equal\nmember: did:kaizen:alice\nmember: did:kaizen:bob\n";
    assert_eq!(after(acts[12].clone()), format!("{of}counted-max-ks: 7\n{equal}"));
    assert_eq!(after(acts[13].clone()), format!("{of}amount-ks: 9223372036854775807\nexported-mwh: -\nrule: generation\n"));
}

#[test]
fn a_sharing_has_one_text() {
    let check = |act: usize, from: &str, to: &str| {
        let text = statement(acts()[act].clone()).text();
        assert!(text.contains(from), "{text}");
        assert!(Statement::parse(&text.replacen(from, to, 1)).is_err(), "{from} {to}");
    };
    let (alice, bob) = ("member: did:kaizen:alice 1000000000000\n", "member: did:kaizen:bob 1\n");
    check(11, &format!("{alice}{bob}"), &format!("{bob}{alice}"));
    check(11, bob, &format!("{bob}{bob}"));
    check(11, bob, "member: did:kaizen:alice 1\n");
    check(11, &format!("{alice}{bob}"), "");
    check(11, "bob 1\n", "bob 0\n");
    check(11, "bob 1\n", "bob 01\n");
    check(11, "bob 1\n", "bob  1\n");
    check(11, "bob 1\n", "bob\n");
    check(11, "alice 1000000000000\n", "alice 1000000000001\n");
    check(11, "rule: weights", "rule: equal");
    check(11, "exported-mwh: 0", "exported-mwh: -1");
    check(11, "exported-mwh: 0\n", "");
    check(11, "amount-ks: 12500000\n", "counted-max-ks: 12500000\n");
    check(11, "amount-ks: 12500000\n", "amount-ks: 12500000\ncounted-max-ks: 12500000\n");
    check(11, "device: the grid", "device: ");
    check(11, "device: the grid", &format!("device: {}", "x".repeat(65)));
    check(12, "counted-max-ks: 7", "counted-max-ks: 0");
    check(12, "rule: equal", "rule: generation");
    check(12, "counted-max-ks: 7\n", "counted-max-ks: 7\nexported-mwh: -\n");
    check(13, "rule: generation\n", "rule: generation\nmember: did:kaizen:bob\n");
}

#[test]
fn names_and_memos() {
    for text in ["", " a", "a ", "a\nb", "a\u{7f}", &"a".repeat(129)] {
        assert_eq!(HiveName::parse(text), None, "{text:?}");
    }
    assert_ne!(MemoHash::of(&[0; 16], "rent"), MemoHash::of(&[1; 16], "rent"));
}

proptest! {
    /// Whatever can be read is written the same: no two texts for one statement, no statement from half a text.
    #[test]
    fn what_can_be_read_is_written_the_same(
        act in 0..14_usize,
        at in any::<prop::sample::Index>(),
        with in "\\PC{0,3}|[\n:=-]{1,2}|[0-9a-z]",
        cut in 0..3_usize,
    ) {
        let text = statement(acts()[act].clone()).text();
        let at = at.index(text.len());
        let mut changed = text.clone();
        changed.replace_range(at..(at + cut).min(text.len()), &with);
        if let Ok(read) = Statement::parse(&changed) {
            prop_assert_eq!(read.text(), changed);
        }
        // A list cut between its lines is a shorter list: another statement.
        prop_assert!(Statement::parse(&text[..at]).is_err() || text[..at].ends_with('\n'));
    }
}
