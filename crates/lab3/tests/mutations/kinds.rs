//! The kinds of changes to a stored Hive. Each says in words what it did.
//!
//! A thief of the data alone changes the data folder; a thief of both folders also has the log's key and signs what he made.

mod beside;
mod bytes;
mod forged;

use beside::{damage_snapshot, delete_words, edit_checkpoint, edit_views, edit_words, forge_snapshot};
use bytes::{copy_page, cut_file, delete_row, edit_row, flip_file, insert_row, swap_rows, truncate_rows};
use forged::{
    another_past, append_record, delete_record, edit_record, insert_record, swap_inscribed_key, swap_log_key, swap_member_key,
    swap_records, truncate_records, yesterday, yesterday_both,
};

use crate::dice::Dice;
use crate::home::Home;
use crate::honest::Honest;
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
