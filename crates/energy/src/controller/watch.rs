//! Who expects a signal step by step, and learns from its errors what the signal is hardly worse than.
//!
//! Errors are kept by the time of day of the step they are about, over four weeks: at noon the sun may fail by more than at night.

use std::collections::VecDeque;

use crate::Foresight;
use crate::site::Outlook;

/// Days of errors that are kept.
const DAYS: usize = 28;

/// Which way a signal is worse.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Worse {
    /// Less is: sources.
    Less,
    /// More is: loads.
    More,
}

/// A signal under watch.
#[derive(Clone, Debug)]
pub struct Watch {
    foresight: Foresight,
    worse: Worse,
    /// The share of steps that may be worse than the pessimistic value.
    beyond: f64,
    day: usize,
    /// What was expected lately, the newest last: for which first step, and the row.
    issued: VecDeque<(usize, Vec<f64>)>,
    /// Errors by the time of day, and the one that is hardly exceeded.
    errors: Vec<(VecDeque<f64>, f64)>,
}

impl Watch {
    /// Of a signal with steps of that length, of which a share `beyond` (0.05, say) may be worse than the pessimistic row.
    pub fn new(step_s: u32, worse: Worse, beyond: f64) -> Self {
        let day = usize::try_from(86_400 / step_s.clamp(1, 86_400)).unwrap_or(1).max(1);
        let errors = vec![(VecDeque::new(), 0.0); day];
        Self { foresight: Foresight::new(step_s), worse, beyond: beyond.clamp(0.0, 1.0), day, issued: VecDeque::new(), errors }
    }

    /// The present step, which is the last of the past, and what is expected of those that follow: `count` values in all. Asked for the first time it learns
    /// from the four weeks before.
    pub fn ahead(&mut self, past: &[f64], count: usize) -> Outlook {
        if self.issued.is_empty() {
            for end in past.len().saturating_sub(DAYS * self.day).max(1)..past.len() {
                self.step(&past[..end], count);
            }
        }
        let expected = self.step(past, count);
        let first = past.len().saturating_sub(1);
        let least = if past.iter().all(|value| *value >= 0.0) { 0.0 } else { f64::NEG_INFINITY };
        let worst = |(lead, value): (usize, &f64)| {
            let error = if lead == 0 { 0.0 } else { self.errors[(first + lead) % self.day].1 };
            (value + error).max(least)
        };
        let pessimistic = expected.iter().enumerate().map(worst).collect();
        Outlook { expected, pessimistic }
    }

    fn step(&mut self, past: &[f64], count: usize) -> Vec<f64> {
        let Some((now, value)) = past.len().checked_sub(1).zip(past.last().copied()) else { return vec![0.0; count] };
        let found = self.issued.iter().filter_map(|(first, row)| Some(value - row.get(now.checked_sub(*first)?)?));
        let (errors, quantile) = &mut self.errors[now % self.day];
        errors.extend(found);
        let kept = DAYS * count.max(1);
        errors.drain(..errors.len().saturating_sub(kept));
        *quantile = hardly(errors, self.worse, self.beyond);
        let row = self.foresight.ahead(past, count);
        self.issued.push_back((now, row.clone()));
        let old = self.issued.len().saturating_sub(count.max(1));
        self.issued.drain(..old);
        row
    }
}

/// The error that is hardly exceeded, never to the better.
#[allow(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a share of a count of some thousand"
)]
fn hardly(errors: &VecDeque<f64>, worse: Worse, beyond: f64) -> f64 {
    let sign = if worse == Worse::More { 1.0 } else { -1.0 };
    let mut sizes: Vec<f64> = errors.iter().map(|error| error * sign).collect();
    sizes.sort_by(f64::total_cmp);
    let at = (sizes.len() as f64 * (1.0 - beyond)).floor() as usize;
    sizes.get(at.min(sizes.len().saturating_sub(1))).map_or(0.0, |size| sign * size.max(0.0))
}
