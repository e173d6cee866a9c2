//! Forecasts of a signal from its own past: a few plain models, of which a back-test chooses, with the interval that the back-test's errors give.
//!
//! The models are the ones every other has to beat: the same hour of the day or week before, the mean of the same hours of some days, each with or without the
//! error of the present hour, which fades. None needs to be trained, and none can run away.

use crate::{Mark, Series};

/// Days of the past that the back-test goes through.
const TRIED_DAYS: usize = 28;

/// How much of the present error can be left after an hour, in percent: of a cloud, and of weather that lasts for days.
const FADINGS_PERCENT: [u8; 4] = [0, 70, 90, 98];

/// Of a hundred values, so many are expected between low and high.
pub const WITHIN_PERCENT: usize = 80;

/// What is expected.
#[derive(Clone, Debug, PartialEq)]
pub struct Forecast {
    /// The values, marked as forecast.
    pub expected: Series,
    /// For each step a value that few are below.
    pub low: Vec<f64>,
    /// For each step a value that few are above.
    pub high: Vec<f64>,
    /// The model that was chosen.
    pub model: Model,
    /// Its mean absolute error in the back-test.
    pub error: f64,
}

/// A way to expect the future from the past.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Model {
    /// After how many steps the signal is expected to be the same again.
    pub period: usize,
    /// The mean of so many periods.
    pub cycles: usize,
    /// Whether what the present step differs by is expected of the next, fading.
    pub corrected: bool,
    /// How much of that difference is left after an hour, in percent.
    pub fading_percent: u8,
}

impl Model {
    /// Every model for steps of that length: of a day and of a week, of one period and of several.
    fn all(step_s: u32) -> Vec<Self> {
        let day = usize::try_from(86_400 / step_s.max(1)).unwrap_or(1).max(1);
        let kinds = [(day, 1), (day, 3), (day, 7), (7 * day, 1), (7 * day, 4)];
        let with = |(period, cycles), fading_percent| Self { period, cycles, corrected: fading_percent > 0, fading_percent };
        kinds.iter().flat_map(|kind| FADINGS_PERCENT.map(|fading_percent| with(*kind, fading_percent))).collect()
    }

    /// How much of the past it looks at.
    fn needs(&self) -> usize {
        self.period * self.cycles + 1
    }

    /// The next `count` values. The past has at least as many as it needs.
    fn next(&self, past: &[f64], count: usize, step_h: f64) -> Vec<f64> {
        let usual = |position: usize| self.usual(past, position);
        let last = past.len() - 1;
        let error = if self.corrected { past[last] - usual(last) } else { 0.0 };
        let fades = (f64::from(self.fading_percent) / 100.0).powf(step_h);
        let mut left = 1.0;
        let value = |ahead: usize| {
            left *= fades;
            usual(past.len() + ahead) + error * left
        };
        (0..count).map(value).collect()
    }

    /// The mean of the same steps of the periods before; past the end, of the last periods there are.
    fn usual(&self, past: &[f64], position: usize) -> f64 {
        // So many whole periods back that it is known.
        let back = (position + 1).saturating_sub(past.len()).div_ceil(self.period).max(1);
        let sum: f64 = (back..back + self.cycles).filter_map(|cycle| position.checked_sub(cycle * self.period)).map(|at| past[at]).sum();
        sum / f64::from(u32::try_from(self.cycles).unwrap_or(u32::MAX))
    }
}

/// What is expected of the next `count` steps. `None` when the past is shorter than two days.
///
/// What never was below zero is not expected to be.
pub fn forecast(past: &Series, count: usize) -> Option<Forecast> {
    let step_h = f64::from(past.step_s) / 3600.0;
    let (model, mut errors) = choose(&past.values, past.step_s, count)?;
    let error = mean_size(&errors);
    errors.sort_by(f64::total_cmp);
    let least = least(&past.values);
    let values: Vec<f64> = model.next(&past.values, count, step_h).into_iter().map(|value| value.max(least)).collect();
    let beyond = (100 - WITHIN_PERCENT) / 2;
    let at = |percent: usize| errors.get(errors.len() * percent / 100).copied().unwrap_or(0.0);
    let shifted = |by: f64| values.iter().map(|value| (value + by).max(least)).collect();
    let (low, high) = (shifted(at(beyond).min(0.0)), shifted(at(100 - beyond).max(0.0)));
    Some(Forecast { expected: Series::new(past.end(), past.step_s, values, Mark::Forecast), low, high, model, error })
}

/// The model with the least mean error in the back-test, and its errors.
fn choose(past: &[f64], step_s: u32, count: usize) -> Option<(Model, Vec<f64>)> {
    let step_h = f64::from(step_s) / 3600.0;
    let models = Model::all(step_s).into_iter().filter(|model| past.len() > model.needs() + count.min(model.period));
    let tried = models.map(|model| (model, errors(&model, past, count, step_h)));
    tried.min_by(|(_, a), (_, b)| mean_size(a).total_cmp(&mean_size(b)))
}

/// What values are not expected to be below.
fn least(past: &[f64]) -> f64 {
    if past.iter().all(|value| *value >= 0.0) { 0.0 } else { f64::NEG_INFINITY }
}

/// Who expects the same signal again and again: the model is chosen anew once a day.
#[derive(Clone, Debug)]
pub struct Foresight {
    step_s: u32,
    chosen: Option<(usize, Model)>,
}

impl Foresight {
    /// Of a signal with steps of that length.
    pub fn new(step_s: u32) -> Self {
        Self { step_s, chosen: None }
    }

    /// The present step, which is the last of the past, and what is expected of those that follow: `count` values in all. With too short a past all is
    /// expected to stay as it is.
    pub fn ahead(&mut self, past: &[f64], count: usize) -> Vec<f64> {
        let Some(present) = past.last().copied() else { return vec![0.0; count] };
        let step_h = f64::from(self.step_s) / 3600.0;
        let is_old = |chosen: usize| past.len() >= chosen + model_day(step_h) || past.len() < chosen;
        if self.chosen.is_none_or(|(chosen, _)| is_old(chosen)) {
            self.chosen = choose(past, self.step_s, count).map(|(model, _)| (past.len(), model));
        }
        let Some((_, model)) = self.chosen else { return vec![present; count] };
        let least = least(past);
        let expected = model.next(past, count.saturating_sub(1), step_h).into_iter().map(|value| value.max(least));
        std::iter::once(present).chain(expected).take(count).collect()
    }
}

/// What a model would have been wrong by, had it been asked once a day. Positive: there was more than expected.
fn errors(model: &Model, past: &[f64], count: usize, step_h: f64) -> Vec<f64> {
    let day = model_day(step_h);
    let first = model.needs().max(past.len().saturating_sub(TRIED_DAYS * day));
    let origins = (first..past.len()).rev().step_by(day);
    let mut errors = Vec::new();
    for origin in origins {
        let known = past.len() - origin;
        let expected = model.next(&past[..origin], count.min(known), step_h);
        errors.extend(past[origin..].iter().zip(expected).map(|(was, expected)| was - expected));
    }
    errors
}

/// Steps of a day.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a day has at most 86,400 steps")]
fn model_day(step_h: f64) -> usize {
    ((24.0 / step_h).round() as usize).max(1)
}

#[allow(clippy::cast_precision_loss, reason = "there are no 2^52 errors")]
fn mean_size(errors: &[f64]) -> f64 {
    if errors.is_empty() { f64::INFINITY } else { errors.iter().map(|error| error.abs()).sum::<f64>() / errors.len() as f64 }
}

#[cfg(test)]
mod tests {
    use lab3_units::Time;

    use super::*;

    fn hours(values: Vec<f64>) -> Series {
        Series::new(Time::from_millis(0), 3600, values, Mark::Measured)
    }

    /// A value for each hour of the week.
    fn week(hour: usize) -> f64 {
        let (day, hour) = (hour / 24 % 7, hour % 24);
        f64::from(u32::try_from(hour * 10 + if day > 4 { 100 } else { 0 }).unwrap())
    }

    #[test]
    fn what_repeats_is_foreseen_without_error() {
        let past = hours((0..24 * 40).map(week).collect());
        let forecast = forecast(&past, 72).unwrap();
        let expected: Vec<f64> = (24 * 40..24 * 40 + 72).map(week).collect();
        assert_eq!(forecast.expected.values, expected);
        assert_eq!((forecast.model.period, forecast.error), (168, 0.0));
        assert_eq!((forecast.expected.start, forecast.expected.marks[0]), (past.end(), Mark::Forecast));
        assert_eq!((&forecast.low, &forecast.high), (&expected, &expected));
    }

    #[test]
    fn a_shift_of_today_is_expected_to_fade() {
        let mut values: Vec<f64> = (0..24 * 30).map(|hour| f64::from(u32::try_from(hour % 24).unwrap())).collect();
        // Each day differs by something that lasts all day.
        for (hour, value) in values.iter_mut().enumerate() {
            *value += f64::from(u32::try_from(hour / 24 * 7 % 13).unwrap()) * 5.0;
        }
        values.truncate(24 * 29 + 6);
        let forecast = forecast(&hours(values), 3).unwrap();
        assert!(forecast.model.corrected, "{:?}", forecast.model);
    }

    #[test]
    fn eighty_of_a_hundred_lie_within() {
        let mut state = 5_u64;
        let mut noise = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            f64::from(u32::try_from(state >> 40).unwrap()) / f64::from(1 << 24)
        };
        let values: Vec<f64> = (0..24 * 90).map(|_| 100.0 + 50.0 * noise()).collect();
        let (past, coming) = values.split_at(24 * 80);
        let forecast = forecast(&hours(past.to_vec()), coming.len()).unwrap();
        let within =
            coming.iter().zip(forecast.low.iter().zip(&forecast.high)).filter(|(was, (low, high))| (*low..=*high).contains(was)).count();
        let percent = 100 * within / coming.len();
        assert!((70..=90).contains(&percent), "{percent} % lie within");
    }

    #[test]
    fn the_sun_is_never_less_than_none() {
        let sun: Vec<f64> = (0..24 * 20)
            .map(|hour| f64::from(u32::try_from((hour * 7919 % 13) * usize::from((8..18).contains(&(hour % 24)))).unwrap()))
            .collect();
        let forecast = forecast(&hours(sun), 48).unwrap();
        assert!(forecast.expected.values.iter().chain(&forecast.low).all(|value| *value >= 0.0));
    }

    #[test]
    fn foresight_begins_with_the_present() {
        let values: Vec<f64> = (0..24 * 40).map(week).collect();
        let mut foresight = Foresight::new(3600);
        for now in [24 * 30, 24 * 30 + 5, 24 * 31] {
            assert_eq!(foresight.ahead(&values[..=now], 30), values[now..now + 30]);
        }
        assert_eq!(Foresight::new(3600).ahead(&[3.0, 4.0], 3), [4.0, 4.0, 4.0]);
        assert_eq!(Foresight::new(3600).ahead(&[], 2), [0.0, 0.0]);
    }

    #[test]
    fn too_short_a_past_foresees_nothing() {
        assert_eq!(forecast(&hours(vec![1.0; 30]), 24), None);
        assert_eq!(forecast(&hours(Vec::new()), 24), None);
        assert!(forecast(&hours(vec![1.0; 60]), 24).is_some());
    }
}
