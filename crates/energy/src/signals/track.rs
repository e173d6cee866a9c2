//! What the readers of the formats give: values as they stand in the file, signal by signal.

use std::collections::BTreeMap;

use super::finding::{FINDINGS_MAX, Finding};
use super::kind::Kind;
use super::unit::Unit;
use crate::Mark;

/// One value of a file.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Reading {
    /// When it begins to hold, in seconds since 1970.
    pub(super) at_s: i64,
    /// How long it holds, where the file says; never 0.
    pub(super) span_s: Option<u32>,
    /// In the track's unit.
    pub(super) value: f64,
    /// Where it is from.
    pub(super) mark: Mark,
    /// Its row, counted as the format counts.
    pub(super) row: usize,
}

/// Which signal of a file a value belongs to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    pub(super) zone: Option<String>,
    pub(super) source: String,
    pub(super) kind: Kind,
    pub(super) detail: Option<String>,
}

/// One signal of a file, not yet checked.
#[derive(Clone, Debug)]
pub(super) struct Track {
    pub(super) unit: Unit,
    /// Whether the file or a hint names the unit; otherwise it is a guess.
    pub(super) unit_stated: bool,
    /// What a row is called: `row`, `entry`.
    pub(super) row_word: &'static str,
    pub(super) readings: Vec<Reading>,
    pub(super) findings: Vec<Finding>,
    /// Findings beyond those kept.
    pub(super) more: usize,
    /// Rows without a value, and the first of them.
    pub(super) no_value: usize,
    pub(super) no_value_first: usize,
    /// When those rows are, in seconds since 1970, where a step has to be told from the times.
    pub(super) empty_at_s: Vec<i64>,
    /// Values the publisher estimated.
    pub(super) estimated: usize,
}

impl Track {
    /// A track whose unit the format states.
    pub(super) fn new(unit: Unit, row_word: &'static str) -> Self {
        Track {
            unit,
            unit_stated: true,
            row_word,
            readings: Vec::new(),
            findings: Vec::new(),
            more: 0,
            no_value: 0,
            no_value_first: 0,
            empty_at_s: Vec::new(),
            estimated: 0,
        }
    }

    /// Takes a value, or counts that there is none.
    pub(super) fn take(&mut self, reading: Option<Reading>, row: usize) {
        match reading {
            Some(reading) => self.readings.push(reading),
            None => self.miss(row),
        }
    }

    /// Counts a row without a value.
    pub(super) fn miss(&mut self, row: usize) {
        if self.no_value == 0 {
            self.no_value_first = row;
        }
        self.no_value += 1;
    }

    /// Adds a finding that is not there yet; past as many as are kept, counts it.
    pub(super) fn note(&mut self, finding: Finding) {
        if self.findings.len() >= FINDINGS_MAX {
            self.more += 1;
        } else if !self.findings.contains(&finding) {
            self.findings.push(finding);
        }
    }
}

/// The signals of a file, in the order of their keys.
pub(super) type Tracks = BTreeMap<Key, Track>;
