//! Small charts for people, on a terminal: stacks, sparklines, bars, an axis of hours.
//!
//! A value that is not known is drawn as such, never as zero. Drawn with blocks and colours, with blocks of different shade, or in plain ASCII ([`Ink`]).

use std::fmt::Write as _;

/// How charts are drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ink {
    /// Unicode blocks in colours.
    Colour,
    /// Unicode blocks; what is stacked differs in shade.
    Shade,
    /// ASCII alone.
    Plain,
}

/// Colours of what is stacked: codes of a terminal's foreground.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hue {
    /// For what burns.
    Red = 31,
    /// For batteries.
    Green = 32,
    /// For sun.
    Yellow = 33,
    /// For water.
    Blue = 34,
    /// For wind.
    Cyan = 36,
    /// For the grid.
    Grey = 90,
}

/// How something is drawn that is stacked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fill {
    /// In colour.
    pub hue: Hue,
    /// Without colour.
    pub shade: char,
    /// In ASCII.
    pub letter: char,
}

/// One of several rows that are stacked: a value a column.
#[derive(Clone, Debug)]
pub struct Layer {
    /// The values.
    pub values: Vec<Option<f64>>,
    /// How it is drawn.
    pub fill: Fill,
}

const EIGHTHS: [char; 9] = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
const RAMP: [char; 8] = ['_', '.', '-', ':', '=', '+', '*', '#'];

impl Ink {
    /// What stands for something that is not known.
    pub fn unknown(self) -> char {
        if self == Ink::Plain { '?' } else { '·' }
    }

    /// The sign of a fill in a legend.
    pub fn sign(self, fill: Fill) -> String {
        match self {
            Ink::Colour => paint("█", fill.hue),
            Ink::Shade => fill.shade.to_string(),
            Ink::Plain => fill.letter.to_string(),
        }
    }
}

fn paint(text: &str, hue: Hue) -> String {
    format!("\x1b[{}m{text}\x1b[0m", hue as u8)
}

/// Rates of steps of so many hours each as means of `width` equal columns; a column that nothing is known of has none.
pub fn columns(rates: &[Option<f64>], hours: &[f64], width: usize) -> Vec<Option<f64>> {
    let day: f64 = hours.iter().sum();
    let mut known = vec![(0.0, 0.0); width];
    let mut begin = 0.0;
    for (rate, hours) in rates.iter().zip(hours) {
        let end = begin + hours;
        let first = column(begin, day, width);
        for (at, (sum, time)) in known.iter_mut().enumerate().skip(first) {
            let (from, to) = (edge(at, day, width), edge(at + 1, day, width));
            if from >= end {
                break;
            }
            if let Some(rate) = rate {
                let part = (to.min(end) - from.max(begin)).max(0.0);
                *sum += rate * part;
                *time += part;
            }
        }
        begin = end;
    }
    // A sliver of a neighbour is not knowledge of a column.
    let enough = day / float(width.max(1)) / 10.0;
    known.into_iter().map(|(sum, time)| (time > enough).then(|| sum / time)).collect()
}

/// Where a column begins.
fn edge(column: usize, day: f64, width: usize) -> f64 {
    day * float(column) / float(width.max(1))
}

/// The column a moment is in; the last for what comes after.
pub fn column(at: f64, day: f64, width: usize) -> usize {
    let mut column = 0;
    // Counted up: a chart has few columns, and no cast loses anything.
    while column + 1 < width && edge(column + 1, day, width) <= at + 1e-9 {
        column += 1;
    }
    column
}

#[allow(clippy::cast_precision_loss, reason = "columns of a terminal")]
fn float(number: usize) -> f64 {
    number as f64
}

/// A whole number of levels, from 0 to `most`.
fn level(share: f64, most: usize) -> usize {
    (0..most).take_while(|level| float(*level) + 0.5 <= share * float(most)).count()
}

/// A line of one character a column, from the least to the greatest.
pub fn spark(values: &[Option<f64>], low: f64, high: f64, ink: Ink) -> String {
    let span = if high > low { high - low } else { 1.0 };
    let draw = |value: &Option<f64>| match value {
        None => ink.unknown(),
        Some(value) => {
            let level = level(((value - low) / span).clamp(0.0, 1.0), RAMP.len() - 1);
            if ink == Ink::Plain { RAMP[level] } else { EIGHTHS[level + 1] }
        }
    };
    values.iter().map(draw).collect()
}

/// Lines of a stack, the highest first. `top` is what the full height stands for; `now` is a column drawn as a line where there is room.
pub fn stack(layers: &[Layer], top: f64, height: usize, now: Option<usize>, ink: Ink) -> Vec<String> {
    let width = layers.iter().map(|layer| layer.values.len()).max().unwrap_or(0);
    let piles: Vec<Option<Vec<f64>>> = (0..width).map(|column| pile(layers, column)).collect();
    let unit = if top > 0.0 { top / float(height.max(1)) } else { 1.0 };
    let line = |row: usize| {
        let mut line = String::new();
        for (column, pile) in piles.iter().enumerate() {
            let cell = Cell { layers, low: float(row) * unit, unit, row };
            match pile.as_ref().map(|pile| cell.drawn(pile, ink)) {
                Some(drawn) if drawn != " " => line.push_str(&drawn),
                None if row == 0 => line.push(ink.unknown()),
                _ if now == Some(column) => line.push(if ink == Ink::Plain { '|' } else { '┊' }),
                _ => line.push(' '),
            }
        }
        line
    };
    (0..height).rev().map(line).collect()
}

/// The levels at which each layer of a column ends; none when one of them is not known.
fn pile(layers: &[Layer], column: usize) -> Option<Vec<f64>> {
    let mut sum = 0.0;
    let each = layers.iter().map(|layer| {
        sum += layer.values.get(column).copied().flatten()?.max(0.0);
        Some(sum)
    });
    each.collect()
}

/// One character's room in a stack.
struct Cell<'a> {
    layers: &'a [Layer],
    /// What its lower edge stands for.
    low: f64,
    /// What its height stands for.
    unit: f64,
    row: usize,
}

impl Cell<'_> {
    fn drawn(&self, pile: &[f64], ink: Ink) -> String {
        let at = |share: f64| pile.iter().position(|end| *end > self.low + share * self.unit);
        if ink != Ink::Colour {
            // A little at the bottom is more than nothing.
            let middle = at(0.5).or_else(|| if self.row == 0 { at(0.02) } else { None });
            let Some(layer) = middle.and_then(|number| self.layers.get(number)) else { return " ".to_owned() };
            return ink.sign(layer.fill);
        }
        let Some(below) = at(0.02) else { return " ".to_owned() };
        let Some(layer) = self.layers.get(below) else { return " ".to_owned() };
        let share = pile.get(below).map_or(0.0, |end| (end - self.low) / self.unit);
        let filled = EIGHTHS[level(share.min(1.0), 8).max(1)];
        match at(0.95).and_then(|number| self.layers.get(number)).filter(|_| share < 0.95) {
            Some(above) if above.fill.hue != layer.fill.hue => {
                format!("\x1b[{};{}m{filled}\x1b[0m", layer.fill.hue as u8, above.fill.hue as u8 + 10)
            }
            Some(_) => paint("█", layer.fill.hue),
            None => paint(&filled.to_string(), layer.fill.hue),
        }
    }
}

/// A line with a bar from column to column for each span.
pub fn bars(spans: &[(usize, usize)], width: usize, ink: Ink) -> String {
    let is_in = |column: usize| spans.iter().any(|(from, to)| (*from..*to).contains(&column));
    (0..width)
        .map(|column| {
            if !is_in(column) {
                ' '
            } else if ink == Ink::Plain {
                '='
            } else {
                '▬'
            }
        })
        .collect()
}

/// The least of 1, 2, 3, 4, 5, 6, 8 times a power of ten that is not below a value: what an axis ends with.
pub fn round_up(value: f64) -> f64 {
    let power = 10_f64.powf(value.max(1e-3).log10().floor());
    [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0].into_iter().map(|step| step * power).find(|end| *end >= value - 1e-9).unwrap_or(value)
}

/// Words at their columns on one line; what would touch the one before, or stand out at the right, is left out.
pub fn ticks(labels: &[(usize, String)], width: usize) -> String {
    let mut line = String::new();
    for (column, label) in labels {
        let used = line.chars().count();
        if (used == 0 || used < *column) && column + label.chars().count() <= width {
            // Writing to a String cannot fail.
            let _ = write!(line, "{:blank$}{label}", "", blank = column - used);
        }
    }
    line
}

/// Text in lines of at most `width` characters, all but the first indented.
pub fn wrap(text: &str, width: usize, indent: usize) -> String {
    let (mut out, mut used) = (String::new(), 0);
    for word in text.split(' ') {
        let length = word.chars().count();
        if used > indent && used + 1 + length > width {
            let _ = write!(out, "\n{:indent$}", "");
            used = indent;
        } else if used > 0 && !out.is_empty() {
            out.push(' ');
            used += 1;
        }
        out.push_str(word);
        used += length;
    }
    out
}

#[cfg(test)]
mod tests;
