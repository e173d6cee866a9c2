//! Changes by who knows the format and gets every hash right; of keys; and other pasts, put back or shown.

use std::fs;

use lab3_tlog::Signer;

use super::Scene;
use crate::home::SECRET;
use crate::lies;

pub fn edit_record(scene: &mut Scene<'_>) -> String {
    scene.forge(|entries, dice| {
        let start = dice.below(entries.len());
        let (at, what) = lies::edit(entries, start, dice);
        format!("record {}: {what}", at + 1)
    })
}

pub fn delete_record(scene: &mut Scene<'_>) -> String {
    scene.forge(|entries, dice| {
        let at = dice.below(entries.len());
        entries.remove(at);
        format!("record {}", at + 1)
    })
}

pub fn swap_records(scene: &mut Scene<'_>) -> String {
    scene.forge(|entries, dice| {
        let at = dice.below(entries.len());
        let other = dice.other(at, entries.len());
        entries.swap(at, other);
        format!("records {} and {}", at + 1, other + 1)
    })
}

pub fn insert_record(scene: &mut Scene<'_>) -> String {
    scene.forge(|entries, dice| {
        let (from, to) = (dice.below(entries.len()), dice.below(entries.len()));
        let mut copy = entries[from].clone();
        if dice.below(2) == 0 {
            copy = lies::with_new_id(&copy, dice);
        }
        entries.insert(to, copy);
        format!("a record like {} before {}", from + 1, to + 1)
    })
}

pub fn truncate_records(scene: &mut Scene<'_>) -> String {
    scene.forge(|entries, dice| {
        entries.truncate(dice.below(entries.len()));
        format!("{} records left", entries.len())
    })
}

pub fn append_record(scene: &mut Scene<'_>) -> String {
    let honest = scene.honest;
    scene.forge(|entries, dice| {
        let (what, entry) = lies::added(honest, dice);
        entries.push(entry);
        what
    })
}

/// A key of the log's name that is not the log's.
fn stranger(scene: &mut Scene<'_>) -> Signer {
    let mut seed = [0; 32];
    for byte in &mut seed {
        *byte = scene.dice.bits().to_le_bytes()[0];
    }
    Signer::new(scene.honest.key().name(), &seed).unwrap()
}

pub fn swap_log_key(scene: &mut Scene<'_>) -> String {
    scene.begin();
    let signer = stranger(scene);
    match scene.dice.below(3) {
        0 => {
            scene.home.write_secret(&signer);
            "another key in the signer's folder".to_owned()
        }
        1 => {
            scene.home.write_secret(&signer);
            scene.home.sign_again();
            "another key in the signer's folder, and what it signed".to_owned()
        }
        _ => {
            scene.home.remove(SECRET);
            "no key in the signer's folder".to_owned()
        }
    }
}

pub fn swap_inscribed_key(scene: &mut Scene<'_>) -> String {
    scene.begin();
    let signer = stranger(scene);
    let mut entries = scene.home.entries();
    let at = lies::inscribe(&mut entries, *signer.verifier().public());
    scene.write(&entries);
    let how = scene.dice.below(3);
    if how > 0 {
        scene.home.write_secret(&signer);
        scene.home.sign_again();
    }
    format!("record {}, {}", at + 1, if how > 0 { "and the key beside it, and what it signed" } else { "and nothing else" })
}

pub fn swap_member_key(scene: &mut Scene<'_>) -> String {
    scene.forge(|entries, dice| {
        let start = dice.below(entries.len());
        let (at, what) = lies::swap_key(entries, start, dice);
        format!("record {}: {what}", at + 1)
    })
}

pub fn yesterday(scene: &mut Scene<'_>) -> String {
    let past = scene.dice.of(&scene.honest.earlier);
    past.files.put(scene.home);
    for (name, bytes) in scene.honest.closed.0.iter().filter(|(name, _)| name.starts_with("data.signer/")) {
        fs::write(scene.home.at(name), bytes).unwrap();
    }
    format!("of {} records, beside today's signer", past.common)
}

pub fn yesterday_both(scene: &mut Scene<'_>) -> String {
    let past = scene.dice.of(&scene.honest.earlier);
    past.files.put(scene.home);
    format!("of {} records", past.common)
}

pub fn another_past(scene: &mut Scene<'_>) -> String {
    let past = scene.dice.of(&scene.honest.others);
    past.files.put(scene.home);
    if scene.dice.below(2) == 0 {
        // Shown cut: with fewer records than the honest one has, or as many.
        let mut entries = scene.home.entries();
        let most = entries.len() - past.common - 1;
        entries.truncate(past.common + 1 + scene.dice.below(most));
        scene.write(&entries);
        scene.home.sign_again();
        return format!("the same up to record {}, {} records, signed by the log's key", past.common, entries.len());
    }
    format!("the same up to record {}, signed by the log's key", past.common)
}
