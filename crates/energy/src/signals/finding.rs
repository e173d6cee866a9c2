//! What a reader noticed, each in a form for programs and in a sentence for people.

use std::fmt;

use lab3_units::Time;
use serde::{Deserialize, Serialize};

use super::kind::{Kind, Quantity};

/// Findings kept of one signal; more are counted.
pub const FINDINGS_MAX: usize = 200;

/// What a reader noticed. The values are imported all the same: what must not be is an [`super::ImportError`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "finding", rename_all = "snake_case")]
#[allow(missing_docs, reason = "the sentence below says what each number is")]
pub enum Finding {
    /// Steps have no value.
    Gap { from: Time, to: Time, steps: u64, filled: bool },
    /// Rows have no value.
    NoValue { rows: usize, first: String },
    /// The same time with the same value again.
    Repeated { rows: usize, first: Time },
    /// The same time with another value.
    Duplicate { at: Time, dropped: f64, kept: f64, row: String },
    /// Rows that are earlier than the row before.
    Disorder { rows: usize, first: String },
    /// Times between the steps.
    OffGrid { rows: usize, first: Time, step_s: u32 },
    /// Steps get longer or shorter.
    StepChange { at: Time, from_s: u32, to_s: u32 },
    /// Each value is a mean over more than its step.
    Rolling { window_s: u32, step_s: u32 },
    /// Nobody said in which zone local times are.
    NoZone,
    /// The clock is set back: a day is longer.
    LongDay { day: String, zone: String, minutes: u32, told_twice: bool },
    /// The clock is set forward: a day is shorter.
    ShortDay { day: String, zone: String, minutes: u32, left_out: usize },
    /// Positions without a point have the value of the one before.
    Unchanged { steps: u64 },
    /// Values were in another unit.
    Converted { from: String, to: String, factor: f64 },
    /// Prices are in money that is not MIC.
    Currency { currency: Option<String>, mic: f64, stated: bool },
    /// All of the values are too small or too large for their unit.
    Implausible { quantity: Quantity, typical: f64, unit: String, looks_like: String, state: String },
    /// Some values are outside of what one believes.
    Outside { values: usize, first: Time, value: f64, least: f64, greatest: f64, unit: String },
    /// The publisher estimated values.
    Estimated { values: usize },
    /// The file does not say which kind it is.
    KindAssumed { kind: Kind },
    /// A part of the document was not imported.
    LeftOut { what: String, why: String },
    /// The publisher adds a warning.
    Warning { text: String },
    /// More of these.
    More { findings: usize },
}

impl Finding {
    /// Whether somebody should look before relying on the values: they may be wrong, and nothing was changed because of it.
    pub fn is_doubt(&self) -> bool {
        match self {
            Finding::Gap { filled, .. } => !filled,
            Finding::Currency { stated, .. } => !stated,
            Finding::ShortDay { left_out, .. } => *left_out > 0,
            Finding::LongDay { told_twice, .. } => !told_twice,
            Finding::Duplicate { .. }
            | Finding::OffGrid { .. }
            | Finding::Rolling { .. }
            | Finding::NoZone
            | Finding::Implausible { .. }
            | Finding::Outside { .. }
            | Finding::KindAssumed { .. }
            | Finding::More { .. } => true,
            Finding::NoValue { .. }
            | Finding::Repeated { .. }
            | Finding::Disorder { .. }
            | Finding::StepChange { .. }
            | Finding::Unchanged { .. }
            | Finding::Converted { .. }
            | Finding::Estimated { .. }
            | Finding::LeftOut { .. }
            | Finding::Warning { .. } => false,
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Finding::Gap { from, to, steps, filled } => gap(f, *from, *to, *steps, *filled),
            Finding::NoValue { rows, first } => write!(f, "rows without a value: {rows}, the first is {first}"),
            Finding::Repeated { rows, first } => {
                write!(f, "rows that repeat a time with the same value: {rows}, the first {first}; dropped")
            }
            Finding::Duplicate { at, dropped, kept, row } => {
                write!(f, "{at} has two values, {dropped} and {kept}: the later in the file is kept ({row})")
            }
            Finding::Disorder { rows, first } => {
                write!(f, "rows earlier than the row before: {rows}, the first is {first}; put in order")
            }
            Finding::OffGrid { rows, first, step_s } => {
                write!(f, "times not on the grid of {step_s} s: {rows}, the first {first}; left out")
            }
            Finding::StepChange { at, from_s, to_s } => write!(f, "from {at} the steps are {to_s} s long, before {from_s} s"),
            Finding::Rolling { window_s, step_s } => {
                write!(f, "each value is a mean over {window_s} s, told every {step_s} s: taken as the value of its {step_s} s")
            }
            Finding::NoZone => write!(f, "times have no offset and are taken as UTC: state time_zone if they are local"),
            Finding::LongDay { day, zone, minutes, told_twice } => long_day(f, day, zone, *minutes, *told_twice),
            Finding::ShortDay { day, zone, minutes, left_out } => short_day(f, day, zone, *minutes, *left_out),
            Finding::Unchanged { steps } => {
                write!(f, "steps without a point of their own: {steps}; they have the value of the one before, as curve type A03 says")
            }
            Finding::Converted { from, to, factor } => write!(f, "values are in {from}: times {factor} they are in {to}"),
            Finding::Currency { currency, mic, stated } => money(f, currency.as_deref(), *mic, *stated),
            Finding::Implausible { quantity, typical, unit, looks_like, state } => {
                write!(f, "a {} of {typical} {unit} looks like {looks_like}: {state}; nothing was changed", quantity.words())
            }
            Finding::Outside { values, first, value, least, greatest, unit } => {
                write!(f, "values outside {least} to {greatest} {unit}: {values}, the first {value} at {first}")
            }
            Finding::Estimated { values } => write!(f, "values the publisher estimated: {values}; marked as filled"),
            Finding::KindAssumed { kind } => {
                write!(f, "the file does not say what it tells: taken as {}, state kind if it is another", kind.name())
            }
            Finding::LeftOut { what, why } => write!(f, "{what} is left out: {why}"),
            Finding::Warning { text } => write!(f, "the publisher warns: {text}"),
            Finding::More { findings } => write!(f, "findings not shown: {findings}"),
        }
    }
}

fn gap(f: &mut fmt::Formatter<'_>, from: Time, to: Time, steps: u64, filled: bool) -> fmt::Result {
    let done = if filled { "filled by a straight line" } else { "left, too long to fill" };
    let steps_are = if steps == 1 { "step has" } else { "steps have" };
    write!(f, "from {from} to {to} {steps} {steps_are} no value: {done}")
}

fn hours(minutes: u32) -> String {
    format!("{}", f64::from(minutes) / 60.0)
}

fn long_day(f: &mut fmt::Formatter<'_>, day: &str, zone: &str, minutes: u32, told_twice: bool) -> fmt::Result {
    let told = if told_twice {
        "the times that come twice are taken in order"
    } else {
        "the file has the times that come twice only once, taken as the first"
    };
    write!(f, "{day} has {} hours in {zone}: {told}", hours(minutes))
}

fn short_day(f: &mut fmt::Formatter<'_>, day: &str, zone: &str, minutes: u32, left_out: usize) -> fmt::Result {
    write!(f, "{day} has {} hours in {zone}", hours(minutes))?;
    if left_out == 0 {
        return Ok(());
    }
    write!(f, ": rows of the hour that is not there: {left_out}, left out; if the file has it every year, its times are not in {zone}")
}

fn money(f: &mut fmt::Formatter<'_>, currency: Option<&str>, mic: f64, stated: bool) -> fmt::Result {
    let currency = currency.unwrap_or("an unnamed currency");
    let told = if stated { "as stated" } else { "state mic_per_currency if it is not" };
    write!(f, "prices are in {currency}, one is taken as {mic} MIC: {told}")
}
