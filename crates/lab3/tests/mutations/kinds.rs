//! The kinds of changes to a stored Hive. Each says in words what it did.
//!
//! A thief of the data alone changes the data folder; a thief of both folders also has the log's key and signs what he made.

use std::fs;

use lab3_tlog::Signer;

use crate::dice::Dice;
use crate::home::{CHECKPOINT, Home, JOURNAL, LOG, SECRET, SNAPSHOTS, STAMP, VIEWS};
use crate::honest::Honest;
use crate::lies;
use crate::rows::{Entry, Row, rows_of};

/// What a change is made in.
pub struct Scene<'a> {
    pub home: &'a Home,
    pub honest: &'a Honest,
    pub dice: &'a mut Dice,
}

/// A kind of change: its name, how often it is drawn, and what it does.
pub struct Kind {
    pub name: &'static str,
    pub weight: usize,
    pub make: fn(&mut Scene<'_>) -> String,
}

const fn kind(name: &'static str, weight: usize, make: fn(&mut Scene<'_>) -> String) -> Kind {
    Kind { name, weight, make }
}

pub const KINDS: &[Kind] = &[
    kind("byte of the journal's file", 10, flip_file),
    kind("page of the journal's file", 3, copy_page),
    kind("journal's file cut short", 3, cut_file),
    kind("byte of a row", 8, edit_row),
    kind("row deleted", 4, delete_row),
    kind("rows reordered", 4, swap_rows),
    kind("row inserted", 4, insert_row),
    kind("rows truncated", 4, truncate_rows),
    kind("record edited, chain forged", 14, edit_record),
    kind("record deleted, chain forged", 6, delete_record),
    kind("records reordered, chain forged", 6, swap_records),
    kind("record inserted, chain forged", 6, insert_record),
    kind("end truncated, chain forged", 5, truncate_records),
    kind("forged record at the end", 10, append_record),
    kind("log's key swapped", 5, swap_log_key),
    kind("inscribed key swapped", 4, swap_inscribed_key),
    kind("member's key swapped", 5, swap_member_key),
    kind("yesterday's data", 4, yesterday),
    kind("yesterday's data and signer", 5, yesterday_both),
    kind("another past", 6, another_past),
    kind("signer's checkpoint", 3, edit_checkpoint),
    kind("snapshot damaged", 4, damage_snapshot),
    kind("snapshot forged", 3, forge_snapshot),
    kind("views", 5, edit_views),
    kind("words edited", 5, edit_words),
    kind("words deleted", 3, delete_words),
];

impl Scene<'_> {
    /// Puts the honest Hive there, as it was closed or as a kill left it.
    fn begin(&mut self) {
        let files = if self.dice.below(3) == 0 { &self.honest.killed } else { &self.honest.closed };
        files.put(self.home);
    }

    /// Signs what was made, if the thief has the signer's folder too; says who he is.
    fn sign(&mut self) -> &'static str {
        if self.dice.below(2) == 0 {
            return "by who has the data";
        }
        self.home.sign_again();
        "by who has both folders"
    }

    /// Writes these records, in rows of any length, every hash right.
    fn write(&mut self, entries: &[Entry]) {
        self.home.write_rows(&rows_of(entries, 1 + self.dice.below(64)));
    }

    /// A change of the list of records.
    fn forge(&mut self, change: impl FnOnce(&mut Vec<Entry>, &mut Dice) -> String) -> String {
        self.begin();
        let mut entries = self.home.entries();
        let what = change(&mut entries, self.dice);
        self.write(&entries);
        format!("{what}, {}", self.sign())
    }

    /// A change of the list of rows.
    fn shuffle(&mut self, change: impl FnOnce(&mut Vec<Row>, &mut Dice) -> String) -> String {
        self.begin();
        let mut rows = self.home.rows();
        let what = change(&mut rows, self.dice);
        self.home.write_rows(&rows);
        what
    }
}

/// Either of the journal's files that has something in it.
fn journal_file(scene: &mut Scene<'_>) -> &'static str {
    scene.begin();
    if scene.home.has(LOG) && scene.dice.below(2) == 0 { LOG } else { JOURNAL }
}

fn flip(bytes: &mut [u8], dice: &mut Dice) -> String {
    let at = dice.below(bytes.len());
    let before = bytes[at];
    bytes[at] =
        if dice.below(2) == 0 { before ^ (1 << dice.below(8)) } else { before.wrapping_add(1 + u8::try_from(dice.below(255)).unwrap()) };
    format!("byte {at} from {before} to {}", bytes[at])
}

fn flip_file(scene: &mut Scene<'_>) -> String {
    let file = journal_file(scene);
    let mut what = String::new();
    scene.home.edit(file, |bytes| what = flip(bytes, scene.dice));
    format!("{file}: {what}")
}

fn copy_page(scene: &mut Scene<'_>) -> String {
    let file = journal_file(scene);
    let mut what = String::new();
    scene.home.edit(file, |bytes| {
        let pages = bytes.len() / 4096;
        let (from, to) = (scene.dice.below(pages), scene.dice.below(pages));
        if scene.dice.below(2) == 0 {
            bytes.copy_within(from * 4096..from * 4096 + 4096, to * 4096);
            what = format!("page {from} over page {to}");
        } else {
            bytes[to * 4096..to * 4096 + 4096].fill(0);
            what = format!("page {to} zeroed");
        }
    });
    format!("{file}: {what}")
}

fn cut_file(scene: &mut Scene<'_>) -> String {
    let file = journal_file(scene);
    let mut what = String::new();
    scene.home.edit(file, |bytes| {
        bytes.truncate(scene.dice.below(bytes.len()));
        what = format!("{} bytes left", bytes.len());
    });
    format!("{file}: {what}")
}

fn edit_row(scene: &mut Scene<'_>) -> String {
    scene.shuffle(|rows, dice| {
        let at = dice.below(rows.len());
        let row = &mut rows[at];
        match dice.below(8) {
            0 if row.len > 1 => {
                row.len -= 1;
                format!("row {at}: it says {} records", row.len)
            }
            0 | 1 => {
                row.len += 1;
                format!("row {at}: it says {} records", row.len)
            }
            2 => {
                row.body.truncate(dice.below(row.body.len()));
                format!("row {at} cut to {} bytes", row.body.len())
            }
            _ => format!("row {at}: {}", flip(&mut row.body, dice)),
        }
    })
}

fn delete_row(scene: &mut Scene<'_>) -> String {
    scene.shuffle(|rows, dice| {
        let at = dice.below(rows.len());
        let gone = rows.remove(at);
        // Half of the thieves close the gap.
        if dice.below(2) == 0 {
            rows[at..].iter_mut().for_each(|row| row.first -= i64::from(gone.len));
        }
        format!("row {at}, of {} records", gone.len)
    })
}

fn swap_rows(scene: &mut Scene<'_>) -> String {
    scene.shuffle(|rows, dice| {
        let at = dice.below(rows.len());
        let other = dice.other(at, rows.len());
        rows.swap(at, other);
        let mut next = 1;
        for row in rows.iter_mut() {
            row.first = next;
            next += i64::from(row.len);
        }
        format!("rows {at} and {other}")
    })
}

fn insert_row(scene: &mut Scene<'_>) -> String {
    scene.shuffle(|rows, dice| {
        let (from, to) = (dice.below(rows.len()), dice.below(rows.len() + 1));
        let mut copy = rows[from].clone();
        copy.first = rows.get(to).map_or_else(|| rows.last().map_or(1, |row| row.first + i64::from(row.len)), |row| row.first);
        let len = i64::from(copy.len);
        rows[to..].iter_mut().for_each(|row| row.first += len);
        rows.insert(to, copy);
        format!("row {from} once more before row {to}")
    })
}

fn truncate_rows(scene: &mut Scene<'_>) -> String {
    scene.shuffle(|rows, dice| {
        rows.truncate(dice.below(rows.len()));
        format!("{} rows left", rows.len())
    })
}

fn edit_record(scene: &mut Scene<'_>) -> String {
    scene.forge(|entries, dice| {
        let start = dice.below(entries.len());
        let (at, what) = lies::edit(entries, start, dice);
        format!("record {}: {what}", at + 1)
    })
}

fn delete_record(scene: &mut Scene<'_>) -> String {
    scene.forge(|entries, dice| {
        let at = dice.below(entries.len());
        entries.remove(at);
        format!("record {}", at + 1)
    })
}

fn swap_records(scene: &mut Scene<'_>) -> String {
    scene.forge(|entries, dice| {
        let at = dice.below(entries.len());
        let other = dice.other(at, entries.len());
        entries.swap(at, other);
        format!("records {} and {}", at + 1, other + 1)
    })
}

fn insert_record(scene: &mut Scene<'_>) -> String {
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

fn truncate_records(scene: &mut Scene<'_>) -> String {
    scene.forge(|entries, dice| {
        entries.truncate(dice.below(entries.len()));
        format!("{} records left", entries.len())
    })
}

fn append_record(scene: &mut Scene<'_>) -> String {
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
    seed.iter_mut().for_each(|byte| *byte = scene.dice.bits().to_le_bytes()[0]);
    Signer::new(scene.honest.key().name(), &seed).unwrap()
}

fn swap_log_key(scene: &mut Scene<'_>) -> String {
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

fn swap_inscribed_key(scene: &mut Scene<'_>) -> String {
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

fn swap_member_key(scene: &mut Scene<'_>) -> String {
    scene.forge(|entries, dice| {
        let start = dice.below(entries.len());
        let (at, what) = lies::swap_key(entries, start, dice);
        format!("record {}: {what}", at + 1)
    })
}

fn yesterday(scene: &mut Scene<'_>) -> String {
    let past = scene.dice.of(&scene.honest.earlier);
    past.files.put(scene.home);
    for (name, bytes) in scene.honest.closed.0.iter().filter(|(name, _)| name.starts_with("data.signer/")) {
        fs::write(scene.home.at(name), bytes).unwrap();
    }
    format!("of {} records, beside today's signer", past.common)
}

fn yesterday_both(scene: &mut Scene<'_>) -> String {
    let past = scene.dice.of(&scene.honest.earlier);
    past.files.put(scene.home);
    format!("of {} records", past.common)
}

fn another_past(scene: &mut Scene<'_>) -> String {
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

fn edit_checkpoint(scene: &mut Scene<'_>) -> String {
    scene.begin();
    if scene.dice.below(5) == 0 {
        scene.home.remove(CHECKPOINT);
        return "removed".to_owned();
    }
    let mut what = String::new();
    scene.home.edit(CHECKPOINT, |bytes| what = flip(bytes, scene.dice));
    what
}

fn damage_snapshot(scene: &mut Scene<'_>) -> String {
    scene.begin();
    let snapshots = scene.honest.closed.below(SNAPSHOTS);
    let (one, other) = (*scene.dice.of(&snapshots), *scene.dice.of(&snapshots));
    let mut what = "removed".to_owned();
    match scene.dice.below(4) {
        0 => scene.home.remove(one),
        1 => {
            scene.home.edit(one, |bytes| bytes.truncate(scene.dice.below(bytes.len())));
            "cut short".clone_into(&mut what);
        }
        2 => {
            fs::copy(scene.home.at(other), scene.home.at(one)).unwrap();
            what = format!("overwritten with {other}");
        }
        _ => scene.home.edit(one, |bytes| what = flip(bytes, scene.dice)),
    }
    format!("{one}: {what}")
}

/// A snapshot of another past, or of an earlier record, that says it is of this journal at this record.
fn forge_snapshot(scene: &mut Scene<'_>) -> String {
    scene.begin();
    let mut made = Vec::new();
    for name in scene.honest.closed.below(SNAPSHOTS) {
        for past in &scene.honest.others {
            made.extend(past.files.below(SNAPSHOTS).iter().map(|other| (name, &past.files.0[*other])));
        }
    }
    let (name, other) = scene.dice.of(&made);
    let stamp = scene.honest.closed.0[STAMP].clone().try_into().unwrap();
    let (honest, mut forged) = (lies::snapshot(&scene.honest.closed.0[*name], &stamp), lies::snapshot(other, &stamp));
    let from = forged.sequence;
    (forged.sequence, forged.at, forged.head) = (honest.sequence, honest.at, honest.head);
    let mut bytes = Vec::new();
    // Who has the data alone does not know the stamp.
    forged.write(&mut bytes, &[0; 32]).unwrap();
    fs::write(scene.home.at(name), bytes).unwrap();
    format!("{name}: the state of another past at record {from}")
}

fn edit_views(scene: &mut Scene<'_>) -> String {
    scene.begin();
    match scene.dice.below(5) {
        0 => {
            scene.home.remove(VIEWS);
            "removed".to_owned()
        }
        1 => {
            scene.home.edit(VIEWS, |bytes| bytes.truncate(scene.dice.below(bytes.len())));
            "cut short".to_owned()
        }
        2 | 3 => {
            let mut what = String::new();
            scene.home.edit(VIEWS, |bytes| what = flip(bytes, scene.dice));
            what
        }
        _ => lies::put_on_shelf(scene.home, scene.dice),
    }
}

/// Changes what stands beside rows: the words people wrote.
fn words(scene: &mut Scene<'_>, change: impl Fn(&mut Vec<u8>, &mut Dice) -> String) -> String {
    scene.begin();
    let rows = scene.home.rows().into_iter().filter(|row| !row.openings.is_empty()).collect::<Vec<_>>();
    let row = scene.dice.of(&rows);
    let mut openings = row.openings.clone();
    let what = change(&mut openings, scene.dice);
    scene.home.sql().execute("UPDATE records SET openings = nullif(?2, x'') WHERE first = ?1", (row.first, openings)).unwrap();
    format!("of the row from record {}: {what}", row.first)
}

fn edit_words(scene: &mut Scene<'_>) -> String {
    words(scene, |openings, dice| flip(openings, dice))
}

fn delete_words(scene: &mut Scene<'_>) -> String {
    words(scene, |openings, dice| {
        let left = if dice.below(2) == 0 { 0 } else { dice.below(openings.len()) };
        openings.truncate(left);
        format!("{left} bytes left")
    })
}
