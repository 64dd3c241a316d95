//! Times of many evaluations.

use std::time::Duration;

use hdrhistogram::{Counter, Histogram};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How many evaluations there were, and how long they took, in nanoseconds.
///
/// A percentile is the least of the measured times that so many per cent of all evaluations did not exceed, as precise as the histogram:
/// to 0.1 % over all requests, to 1 % for one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Times {
    /// Evaluations.
    pub count: u64,
    /// The shortest.
    pub min_ns: u64,
    /// The median.
    pub p50_ns: u64,
    /// The 90th percentile.
    pub p90_ns: u64,
    /// The 95th percentile.
    pub p95_ns: u64,
    /// The 99th percentile.
    pub p99_ns: u64,
    /// The longest.
    pub max_ns: u64,
}

impl Times {
    /// What a histogram of nanoseconds says; nothing if it is empty.
    pub(crate) fn of<C: Counter>(histogram: &Histogram<C>) -> Option<Self> {
        let at = |percent| histogram.value_at_quantile(percent / 100.0);
        (!histogram.is_empty()).then(|| Times {
            count: histogram.len(),
            min_ns: histogram.min(),
            p50_ns: at(50.0),
            p90_ns: at(90.0),
            p95_ns: at(95.0),
            p99_ns: at(99.0),
            max_ns: histogram.max(),
        })
    }
}

/// An empty histogram that grows with the longest time; `None` is for a precision that does not exist.
pub(crate) fn histogram<C: Counter>(digits: u8) -> Option<Histogram<C>> {
    Histogram::new(digits).ok()
}

/// Adds a time. No evaluation is allowed to take an hour, so that the histogram stays small.
pub(crate) fn record<C: Counter>(histogram: &mut Histogram<C>, took: Duration) {
    const HOUR: u64 = 3600 * 1_000_000_000;
    let nanoseconds = u64::try_from(took.as_nanos()).unwrap_or(HOUR).min(HOUR);
    // It grows as far as an hour needs.
    let _ = histogram.record(nanoseconds);
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn percentiles_of_known_times() {
        let mut all = histogram::<u64>(3).unwrap();
        assert_eq!(Times::of(&all), None);
        for microseconds in (1..=1000).rev() {
            record(&mut all, Duration::from_micros(microseconds));
        }
        let times = Times::of(&all).unwrap();
        assert_eq!(times.count, 1000);
        for (value, microseconds) in
            [(times.min_ns, 1), (times.p50_ns, 500), (times.p90_ns, 900), (times.p95_ns, 950), (times.p99_ns, 990), (times.max_ns, 1000)]
        {
            let exact = microseconds * 1000;
            assert!(value.abs_diff(exact) <= exact / 1000, "{value} for {exact}");
        }
    }

    #[test]
    fn one_evaluation_is_every_percentile() {
        let mut one = histogram::<u32>(2).unwrap();
        record(&mut one, Duration::from_nanos(100));
        let times = Times::of(&one).unwrap();
        assert_eq!([times.min_ns, times.p50_ns, times.p99_ns, times.max_ns], [100; 4]);
    }

    #[test]
    fn endless_times_take_no_endless_memory() {
        let mut all = histogram::<u64>(3).unwrap();
        record(&mut all, Duration::MAX);
        assert_eq!(Times::of(&all).unwrap().count, 1);
        assert!(all.buckets() < 64);
    }
}
