//! The frame of an energy chart: a scale of kW at the left, time below, and what each sort of source looks like.

use std::fmt::Write as _;

use lab3_units::Time;

use super::Page;
use crate::chart::{Fill, Hue, Ink, Layer, bars, column, columns, round_up, stack, ticks, wrap};

/// Columns of the scale.
const GUTTER: usize = 8;
/// Columns of a label of hours, and a blank.
const LABEL: usize = 8;
/// Lines of a stack.
const HEIGHT: usize = 8;

/// Sun.
pub const SUN: Fill = Fill { hue: Hue::Yellow, shade: '█', letter: '*' };
/// Wind.
pub const WIND: Fill = Fill { hue: Hue::Cyan, shade: '▓', letter: '~' };
/// Running water.
pub const WATER: Fill = Fill { hue: Hue::Blue, shade: '▚', letter: 'w' };
/// Batteries.
pub const BATTERY: Fill = Fill { hue: Hue::Green, shade: '▒', letter: '+' };
/// What burns.
pub const GENERATOR: Fill = Fill { hue: Hue::Red, shade: '▞', letter: '!' };
/// The grid.
pub const GRID: Fill = Fill { hue: Hue::Grey, shade: '░', letter: '#' };

/// Time from left to right.
#[derive(Clone, Debug)]
pub struct Frame {
    /// What it is drawn on.
    pub page: Page,
    /// Hours of each step.
    pub hours: Vec<f64>,
    /// Columns for all steps.
    pub columns: usize,
}

impl Frame {
    /// A frame over steps of so many hours each.
    pub fn new(page: Page, hours: Vec<f64>) -> Self {
        Self { page, hours, columns: page.width.saturating_sub(GUTTER).max(8) }
    }

    /// Hours of all steps.
    pub fn day(&self) -> f64 {
        self.hours.iter().sum()
    }

    /// Where a step begins, in hours; past the last, where all end.
    pub fn begin_of(&self, step: usize) -> f64 {
        self.hours.iter().take(step).sum()
    }

    /// The column a moment is in, in hours from the begin.
    pub fn column(&self, at: f64) -> usize {
        column(at, self.day(), self.columns)
    }

    /// A row's means over columns.
    pub fn row(&self, values: &[Option<f64>]) -> Vec<Option<f64>> {
        columns(values, &self.hours, self.columns)
    }

    /// Energies of steps as mean powers of columns, kW.
    pub fn power(&self, energies: &[Option<f64>]) -> Vec<Option<f64>> {
        let powers: Vec<Option<f64>> =
            energies.iter().zip(&self.hours).map(|(energy, hours)| energy.map(|energy| energy / hours)).collect();
        self.row(&powers)
    }

    /// A line behind the gutter.
    pub fn line(text: &str) -> String {
        format!("{:GUTTER$}{text}", "").trim_end().to_owned()
    }

    /// A stack of powers with its scale.
    pub fn stack(&self, layers: &[Layer], now: Option<usize>) -> Vec<String> {
        let sum = |column: usize| layers.iter().filter_map(|layer| layer.values.get(column).copied().flatten()).sum::<f64>();
        let top = round_up((0..self.columns).map(sum).fold(0.0, f64::max));
        let scale = |row: usize| match row {
            0 => format!("{top} kW"),
            _ if row == HEIGHT / 2 => format!("{}", top / 2.0),
            _ => String::new(),
        };
        let edge = if self.page.ink == Ink::Plain { '|' } else { '│' };
        let lines = stack(layers, top, HEIGHT, now, self.page.ink).into_iter().enumerate();
        lines.map(|(row, line)| format!("{:>width$}{edge}{line}", scale(row), width = GUTTER - 1).trim_end().to_owned()).collect()
    }

    /// The line below a stack.
    pub fn axis(&self, line: &str) -> String {
        let corner = if self.page.ink == Ink::Plain { '+' } else { '└' };
        format!("{corner:>GUTTER$}{line}")
    }

    /// Labels at the begins of steps.
    pub fn ticks(&self, labels: impl IntoIterator<Item = (usize, String)>) -> String {
        let labels: Vec<_> = labels.into_iter().map(|(step, label)| (self.column(self.begin_of(step)), label)).collect();
        Self::line(&ticks(&labels, self.columns))
    }

    /// Hours since the begin, some six of them.
    pub fn elapsed(&self) -> String {
        let day = self.day();
        let each = [0.25, 0.5, 1.0, 2.0, 3.0, 4.0, 6.0, 12.0, 24.0, 48.0, 168.0, 720.0, 1440.0]
            .into_iter()
            .find(|each| self.column(*each) >= LABEL)
            .unwrap_or(8760.0);
        let moments = (0..=24_u32).map(|number| f64::from(number) * each).take_while(|at| *at < day - 1e-9);
        let labels: Vec<_> = moments.map(|at| (self.column(at), if at > 0.0 { format!("+{at} h") } else { "begin".to_owned() })).collect();
        Self::line(&ticks(&labels, self.columns))
    }

    /// A bar for each span, in hours from the begin, with a label beside it where there is room, else on the next line.
    pub fn bar(&self, spans: &[(f64, f64)], label: &str) -> String {
        let day = self.day();
        let spans: Vec<(usize, usize)> = spans
            .iter()
            .filter(|(from, to)| *to > 0.0 && *from < day)
            .map(|(from, to)| (self.column(*from), self.column(*from).max(self.column(to - 1e-6)) + 1))
            .collect();
        let line = bars(&spans, self.columns, self.page.ink);
        let first = spans.iter().map(|(from, _)| *from).min().unwrap_or(0);
        let last = spans.iter().map(|(_, to)| *to).max().unwrap_or(0);
        let length = label.chars().count() + 1;
        if last + length <= self.columns {
            Self::line(&format!("{} {label}", line.trim_end()))
        } else if length <= first {
            Self::line(&format!("{:>first$}{}", format!("{label} "), line.trim_start()))
        } else {
            let label = wrap(label, self.columns, 0);
            std::iter::once(&*line).chain(label.lines()).map(Self::line).collect::<Vec<_>>().join("\n")
        }
    }
}

/// Hours from one moment to another.
#[allow(clippy::cast_precision_loss, reason = "spans of years are far below 2^52 milliseconds")]
pub fn hours_between(from: Time, to: Time) -> f64 {
    to.millis().saturating_sub(from.millis()) as f64 / 3_600_000.0
}

/// A legend of signs and their meanings, in lines of a width. What colours a sign has no width: each takes one column.
pub fn legend(entries: &[(String, String)], width: usize) -> Vec<String> {
    let mut lines: Vec<(String, usize)> = Vec::new();
    for (sign, meaning) in entries {
        let length = meaning.chars().count() + 2;
        match lines.last_mut() {
            Some((line, used)) if *used + 2 + length <= width => {
                // Writing to a String cannot fail.
                let _ = write!(line, "  {sign} {meaning}");
                *used += 2 + length;
            }
            _ => lines.push((format!("{sign} {meaning}"), length)),
        }
    }
    lines.into_iter().map(|(line, _)| line).collect()
}

/// kWh as people read them.
pub fn kwh(energy: f64) -> String {
    format!("{:.1} kWh", zero(energy, 0.05))
}

/// Money as people read it.
pub fn mic(money: f64) -> String {
    format!("{:.2} MIC", zero(money, 0.005))
}

/// Carbon as people read it.
pub fn kilograms(grams: f64) -> String {
    format!("{:.2} kg CO2e", zero(grams / 1000.0, 0.005))
}

/// Nothing instead of a little below nothing.
fn zero(value: f64, least: f64) -> f64 {
    if value.abs() < least { 0.0 } else { value }
}
