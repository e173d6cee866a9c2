//! Latencies by size, for percentiles: a fixed number of buckets, eight to a doubling, so that none is wider than an eighth
//! of its latency. A bucket answers with the mean of what fell into it.
//!
//! Old samples fade: all counts are halved when an hour has passed since the last halving, and when 1024 are reached. How
//! often is decided with the report and stored as a fact ([`Sample`]).

use lab3_units::Time;
use serde::{Deserialize, Serialize};

/// Samples at which the older ones are halved.
const SAMPLES_MAX: u32 = 1024;

/// Milliseconds after which samples are halved.
const AGE_MS: u64 = 60 * 60 * 1000;

/// Halvings that leave nothing of the most samples there can be.
const HALVINGS_MAX: u8 = 11;

/// Where a latency fell in a provider's histogram.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sample {
    /// The bucket.
    pub bucket: u8,
    /// How often the older samples were halved before.
    pub halvings: u8,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Bucket {
    count: u32,
    sum_ms: u64,
}

/// The latencies of a provider's successful queries.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Histogram {
    /// Up to the largest bucket in use.
    buckets: Vec<Bucket>,
    samples: u32,
    /// When samples were last halved, or the first one came.
    aged: Time,
}

/// The bucket of a latency: below 8 ms one each, then eight to a doubling, 0 to 239.
fn bucket_of(ms: u32) -> u8 {
    let Some(octave) = ms.checked_ilog2().and_then(|log| log.checked_sub(3)) else { return u8::try_from(ms).unwrap_or(0) };
    u8::try_from(octave * 8 + (ms >> octave)).unwrap_or(u8::MAX)
}

impl Histogram {
    /// Where a latency reported at `now` falls.
    pub(crate) fn place(&self, now: Time, ms: u32) -> Sample {
        let full = u8::from(self.samples >= SAMPLES_MAX);
        Sample { bucket: bucket_of(ms), halvings: (self.hours(now) + full).min(HALVINGS_MAX) }
    }

    /// Takes in a latency that was placed.
    pub(crate) fn add(&mut self, at: Time, sample: Sample, ms: u32) {
        for bucket in &mut self.buckets {
            *bucket = bucket.halved(sample.halvings);
        }
        if sample.halvings > 0 || self.samples == 0 {
            self.aged = at;
        }
        let index = usize::from(sample.bucket);
        if self.buckets.len() <= index {
            self.buckets.resize(index + 1, Bucket::default());
        }
        if let Some(bucket) = self.buckets.get_mut(index) {
            bucket.count += 1;
            bucket.sum_ms += u64::from(ms);
        }
        self.samples = self.buckets.iter().map(|bucket| bucket.count).sum();
    }

    /// The latency that `percent` of a hundred queries did not exceed, in milliseconds; `None` when none is remembered.
    pub(crate) fn percentile(&self, now: Time, percent: u32) -> Option<u32> {
        let halvings = self.hours(now).min(HALVINGS_MAX);
        let buckets = self.buckets.iter().map(|bucket| bucket.halved(halvings));
        let samples: u32 = buckets.clone().map(|bucket| bucket.count).sum();
        let rank = (samples * percent).div_ceil(100);
        let mut below = 0;
        let found = buckets.filter(|bucket| bucket.count > 0).find(|bucket| {
            below += bucket.count;
            below >= rank
        })?;
        u32::try_from(found.sum_ms / u64::from(found.count)).ok()
    }

    /// Whole hours since the last halving.
    fn hours(&self, now: Time) -> u8 {
        if self.samples == 0 { 0 } else { u8::try_from(now.millis_since(self.aged) / AGE_MS).unwrap_or(HALVINGS_MAX).min(HALVINGS_MAX) }
    }
}

impl Bucket {
    /// So many times half as many samples, with the same mean.
    fn halved(self, times: u8) -> Self {
        let count = self.count.checked_shr(u32::from(times)).unwrap_or(0);
        if count == self.count {
            return self;
        }
        Self { count, sum_ms: self.sum_ms * u64::from(count) / u64::from(self.count) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lab3_units::Duration;

    const START: Time = Time::from_millis(1_000_000);

    fn histogram(latencies: impl IntoIterator<Item = u32>, at: Time) -> Histogram {
        let mut histogram = Histogram::default();
        for ms in latencies {
            let sample = histogram.place(at, ms);
            histogram.add(at, sample, ms);
        }
        histogram
    }

    fn check(latencies: impl IntoIterator<Item = u32>, p50: Option<u32>, p95: Option<u32>) {
        let histogram = histogram(latencies, START);
        assert_eq!((histogram.percentile(START, 50), histogram.percentile(START, 95)), (p50, p95));
    }

    #[test]
    fn percentiles_are_within_an_eighth() {
        check([], None, None);
        check([600], Some(600), Some(600));
        check([0, 0, 0], Some(0), Some(0));
        check([u32::MAX], Some(u32::MAX), Some(u32::MAX));
        check((0..100).map(|n| if n < 94 { 600 } else { 9000 }), Some(600), Some(9000));
        check((0..100).map(|n| if n < 95 { 600 } else { 9000 }), Some(600), Some(600));
        check(1..=1000, Some(495), Some(927));
        check((0..100_000).map(|_| 600), Some(600), Some(600));
    }

    #[test]
    fn buckets_are_ordered_and_narrow() {
        let mut last = 0;
        for ms in (0..40_000).chain([1 << 20, 1 << 31, u32::MAX]) {
            let bucket = bucket_of(ms);
            assert!(bucket >= last, "{ms}");
            last = bucket;
        }
        assert_eq!([0, 7, 8, 15, 16, 17, 18, 600, u32::MAX].map(bucket_of), [0, 7, 8, 15, 16, 16, 17, 57, 239]);
    }

    #[test]
    fn old_samples_fade() {
        let mut histogram = histogram((0..1000).map(|_| 100), START);
        let later = START.after(Duration::from_secs(4 * 3600));
        assert_eq!(histogram.place(later, 900), Sample { bucket: bucket_of(900), halvings: 4 });
        for _ in 0..100 {
            histogram.add(later, histogram.place(later, 900), 900);
        }
        assert_eq!((histogram.percentile(later, 50), histogram.samples), (Some(900), 162));
        assert_eq!(histogram.percentile(later.after(Duration::from_secs(12 * 3600)), 50), None);
    }

    #[test]
    fn the_number_of_samples_is_bounded() {
        let histogram = histogram(0..10_000, START);
        assert!(histogram.samples <= SAMPLES_MAX && histogram.buckets.len() <= 240, "{}", histogram.samples);
    }
}
