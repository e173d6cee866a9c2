//! What a log shows, and what it showed before: signatures, witnesses, bundles, roots, and two stories told by one key.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]

mod hive;
mod lies;
mod served;

use lab3_audit::{Class, Terms, Verdict, Visit, audit};
use lab3_tlog::{Checkpoint, Cosigner, Fork, Note, Seconds, VerifierKey};
use lies::{honest, record};
use served::{Log, ORIGIN, sign, signer};

fn classes(verdict: &Verdict) -> Vec<Class> {
    verdict.faults.iter().map(|fault| fault.class).collect()
}

#[track_caller]
fn check(log: &Log, terms: &Terms, expected: &[Class]) -> Verdict {
    let verdict = audit(&mut log.clone(), terms, |_, _| {});
    assert_eq!(classes(&verdict), expected, "{verdict}");
    let lost = expected.iter().any(|class| matches!(class, Class::Visit | Class::Root | Class::Served));
    assert!(verdict.visit.is_none() || !lost, "a visit is kept that does not hold");
    verdict
}

fn known(seed: u8) -> Terms {
    Terms { key: Some(signer(seed).verifier().clone()), ..Terms::default() }
}

/// The log as it was when it had so many records.
fn earlier(log: &Log, len: usize) -> Log {
    Log::of(log.entries[..len].to_vec())
}

fn visit(log: &Log) -> Visit {
    audit(&mut log.clone(), &Terms::default(), |_, _| {}).visit.unwrap()
}

#[test]
fn the_checkpoint_is_the_logs_own() {
    let log = honest();
    check(&log, &Terms::default(), &[]);
    check(&log, &known(7), &[]);
    // Another key is known; the log signs with it, or does not.
    check(&log, &known(8), &[Class::Checkpoint, Class::Checkpoint]);
    let both = Log { note: sign(&log.entries, &signer(8)).to_string().into_bytes(), ..log.clone() };
    // The journal names the key it began with.
    check(&both, &known(8), &[Class::Checkpoint, Class::Checkpoint]);
    check(&both, &Terms::default(), &[Class::Checkpoint]);
    check(&Log { key: "nonsense".into(), ..log.clone() }, &Terms::default(), &[Class::Checkpoint]);
    let text = String::from_utf8(log.note.clone()).unwrap();
    for forged in
        [text.replace(ORIGIN, "other.example"), text.replacen(ORIGIN, "other.example", 1), text.replace("\n\n", "\n"), String::new()]
    {
        check(&Log { note: forged.into_bytes(), ..log.clone() }, &known(7), &[Class::Checkpoint]);
    }
}

#[test]
fn enough_witnesses_have_cosigned() {
    let witness = |seed: u8| Cosigner::new(&format!("witness{seed}.example"), &[seed; 32]).unwrap();
    let mut log = honest();
    let mut note = Note::parse(&log.note).unwrap();
    let checkpoint = Checkpoint::parse(note.text()).unwrap();
    note.add(witness(1).cosign(&checkpoint, Seconds::new(1_700_000_000).unwrap()));
    note.add(witness(2).cosign(&checkpoint, Seconds::new(1_700_000_100).unwrap()));
    log.note = note.to_string().into_bytes();
    let keys: Vec<VerifierKey> = [1, 3, 2].iter().map(|&seed| witness(seed).verifier().clone()).collect();
    let terms = |keys: &[VerifierKey], needed| Terms { witnesses: keys.to_vec(), witnesses_needed: needed, ..Terms::default() };
    let verdict = check(&log, &terms(&keys, 2), &[]);
    assert_eq!(verdict.witnesses.iter().map(|(_, time)| time.get()).collect::<Vec<_>>(), [1_700_000_000, 1_700_000_100]);
    check(&log, &terms(&keys, 3), &[Class::Witnesses]);
    check(&log, &terms(&keys[..2], 2), &[Class::Witnesses]);
    // One forged in the name of a witness one trusts.
    let other = Checkpoint { size: 1, ..checkpoint };
    note.add(witness(1).cosign(&other, Seconds::new(1_700_000_000).unwrap()));
    log.note = note.to_string().into_bytes();
    check(&log, &terms(&keys, 1), &[Class::Checkpoint]);
}

/// The same checkpoint, cosigned by witness 1 at that time.
fn cosigned(note: &Note, at: u64) -> Note {
    let mut note = note.clone();
    let checkpoint = Checkpoint::parse(note.text()).unwrap();
    note.add(Cosigner::new("witness1.example", &[1; 32]).unwrap().cosign(&checkpoint, Seconds::new(at).unwrap()));
    note
}

#[test]
fn witnesses_have_seen_all_that_is_shown() {
    let whole = honest();
    let cut = earlier(&whole, 500);
    let note = |log: &Log| Note::parse(&log.note).unwrap();
    let terms = |since: u64| Terms {
        witnesses: vec![Cosigner::new("witness1.example", &[1; 32]).unwrap().verifier().clone()],
        witnesses_needed: 1,
        witnessed_since: Seconds::new(since),
        ..known(7)
    };
    let with = |log: &Log, witnessed: &Note| Log { witnessed: Some(witnessed.to_string().into_bytes()), ..log.clone() };
    // The newest is cosigned, or what is shown a moment later and has it, too: that one is audited.
    check(&with(&whole, &cosigned(&note(&whole), 100)), &terms(100), &[]);
    let later = Log { note: cut.note.clone(), ..whole.clone() };
    let verdict = check(&with(&later, &cosigned(&note(&whole), 100)), &terms(100), &[]);
    assert_eq!(verdict.checkpoint.unwrap().size, whole.entries.len() as u64);
    assert_eq!(verdict.visit.unwrap().checkpoint().size, whole.entries.len() as u64);
    // They have seen less than is shown; too long ago; nothing.
    let verdict = check(&with(&whole, &cosigned(&note(&cut), 100)), &terms(100), &[Class::Witnesses]);
    assert!(verdict.faults[0].what.contains("of which the witnesses one trusts have seen 500"), "{verdict}");
    check(&with(&whole, &cosigned(&note(&whole), 100)), &terms(101), &[Class::Witnesses]);
    check(&with(&whole, &note(&whole)), &terms(100), &[Class::Witnesses]);
    let unread = Log { witnessed: Some(b"nothing".to_vec()), ..whole.clone() };
    check(&unread, &terms(100), &[Class::Witnesses]);
    // They have seen another past than is shown: of the same log, that is a proof.
    let other = other_past();
    let two = Log { note: earlier(&other, 502).note, ..whole.clone() };
    let verdict = check(&with(&two, &cosigned(&note(&whole), 100)), &terms(100), &[Class::Witnesses]);
    assert!(Fork::parse(verdict.fork.as_ref().unwrap().to_string().as_bytes()).is_ok() && verdict.visit.is_none(), "{verdict}");
}

#[test]
fn every_leaf_is_under_the_root() {
    let log = honest();
    let size = log.entries.len();
    let with = |change: fn(&mut Vec<Vec<u8>>)| {
        let mut other = log.clone();
        change(&mut other.entries);
        audit(&mut other, &Terms { faults_max: 1000, ..known(7) }, |_, _| {})
    };
    for verdict in [
        with(|entries| entries.swap(300, 301)),
        with(|entries| drop(entries.remove(70))),
        with(|entries| entries.insert(70, entries[70].clone())),
        with(|entries| *entries[70].last_mut().unwrap() ^= 1),
        with(|entries| entries[70].clear()),
    ] {
        let found = classes(&verdict);
        assert!(found.contains(&Class::Root) || found.contains(&Class::Served), "{verdict}");
        assert!(verdict.visit.is_none());
    }
    let cut = |bytes: Vec<u8>| check(&Log { tiles: vec![(1, bytes)], ..log.clone() }, &known(7), &[Class::Served]);
    let whole = lab3_tlog::encode_entries(&log.entries[256..512]).unwrap();
    cut(whole[..whole.len() - 1].to_vec());
    cut(Vec::new());
    cut([&whole[..], &[0, 0, 0, 0]].concat());
    assert!(size > 512);
}

#[test]
fn a_log_goes_on_from_what_it_showed() {
    let log = honest();
    let size = log.entries.len();
    for len in [0, 1, 2, 255, 256, 257, 500, size - 1, size] {
        let last =
            if len == 0 { Visit::new(signer(7).verifier().clone(), sign(&[], &signer(7))).unwrap() } else { visit(&earlier(&log, len)) };
        assert_eq!(Visit::parse(&last.to_string()), Ok(last.clone()));
        let verdict = check(&log, &Terms { last: Some(last), ..Terms::default() }, &[]);
        assert_eq!(verdict.follows, Some(len as u64));
    }
}

/// An honest Hive with another past: one record of the last ones is another.
fn other_past() -> Log {
    let mut log = honest();
    log.entries.truncate(500);
    for sequence in 0..3 {
        let id = lab3_units::Id::from_bytes([sequence; 16]);
        let record = lab3_engine::Record { id, ..record(&log, lab3_engine::Fact::Batch { items: 0 }, Vec::new()) };
        log.entries.push(postcard::to_stdvec(&record).unwrap());
    }
    log.signed_again()
}

#[test]
fn two_stories_of_one_key_are_proven_to_everybody() {
    let (log, other) = (honest(), other_past());
    let proven = |verdict: &Verdict| {
        let text = verdict.fork.as_ref().unwrap().to_string();
        assert_eq!(Fork::parse(text.as_bytes()).unwrap().key(), signer(7).verifier());
    };
    // The one seen was smaller, and as large.
    let terms = |seen: &Log| Terms { last: Some(visit(seen)), ..Terms::default() };
    proven(&check(&log, &terms(&other), &[Class::Visit]));
    proven(&check(&earlier(&log, 503), &terms(&other), &[Class::Visit]));
    // It was larger: a proof takes tiles of that tree, if they are still served.
    check(&earlier(&log, 500), &terms(&log), &[Class::Visit]);
    let restored = Log { larger: log.entries.clone(), ..other.clone() };
    proven(&check(&restored, &terms(&log), &[Class::Visit]));
    let verdict = check(&Log { larger: log.entries.clone(), ..earlier(&log, 500) }, &terms(&log), &[Class::Visit]);
    assert!(verdict.fork.is_none(), "an old checkpoint is no second story");
}

#[test]
fn yesterdays_books_under_todays_key_are_known() {
    let log = honest();
    let mut today = log.clone();
    let signed = sign(&log.entries, &signer(9));
    (today.key, today.note) = (signer(9).verifier().to_string(), signed.to_string().into_bytes());
    // Who was never there knows by the key the journal names.
    check(&today, &Terms::default(), &[Class::Checkpoint]);
    check(&today, &Terms { last: Some(visit(&log)), ..Terms::default() }, &[Class::Checkpoint, Class::Checkpoint]);
}

#[test]
fn a_visit_says_what_its_note_says() {
    let text = visit(&honest()).to_string();
    assert!(Visit::parse(&text).is_ok());
    for (from, to) in
        [("size ", "size 1"), ("root ", "root A"), ("visit@v1", "visit@v2"), ("key ", "kay "), ("\n\n", "\n"), ("\nsize", "\n\nsize")]
    {
        assert!(Visit::parse(&text.replacen(from, to, 1)).is_err(), "{from}");
    }
}
