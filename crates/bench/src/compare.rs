//! A run against an earlier one.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Context, Found, Instance, Plan, Report, SCHEMA_VERSION};

/// Why two runs cannot be compared.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Mismatch {
    /// The baseline is no report.
    #[error("the baseline is not what `--save` writes: {message}")]
    Unreadable {
        /// Where, and what is wrong.
        message: String,
    },
    /// The baseline is of another format.
    #[error("the baseline has schema version {found}, and this fedward writes {SCHEMA_VERSION}: save it again")]
    Version {
        /// The baseline's version.
        found: u32,
    },
    /// What would be compared is not the same work.
    #[error("the baseline is of {before}, and this run of {now}")]
    Other {
        /// What the baseline was made with.
        before: String,
        /// What this run was made with.
        now: String,
    },
    /// Its times are of some requests only.
    #[error("the baseline is of a run in which {count} could not be evaluated")]
    Failed {
        /// How many requests failed in the baseline.
        count: usize,
    },
}

impl Report {
    /// A report that was saved as JSON.
    ///
    /// # Errors
    /// [`Mismatch::Unreadable`], [`Mismatch::Version`].
    pub fn from_json(json: &[u8]) -> Result<Self, Mismatch> {
        #[derive(Deserialize)]
        struct Version {
            schema_version: u32,
        }
        let unreadable = |error: serde_json::Error| Mismatch::Unreadable { message: crate::shown(&error.to_string()) };
        let Version { schema_version } = serde_json::from_slice(json).map_err(unreadable)?;
        if schema_version != SCHEMA_VERSION {
            return Err(Mismatch::Version { found: schema_version });
        }
        serde_json::from_slice(json).map_err(unreadable)
    }
}

/// What changed since the baseline.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Comparison {
    /// How many per cent a time may be longer.
    pub threshold_percent: u32,
    /// What else is different, and no reason not to compare.
    pub notes: Vec<String>,
    /// Everything that is compared.
    pub rows: Vec<Row>,
}

/// One figure of both runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Row {
    /// Which.
    pub what: &'static str,
    /// Of the baseline: nanoseconds, bytes or a number, as its name says.
    pub before: u64,
    /// Of this run.
    pub now: u64,
    /// Whether it is larger than it may be.
    pub is_worse: bool,
}

impl Comparison {
    /// Whether anything got worse.
    pub fn is_worse(&self) -> bool {
        self.rows.iter().any(|row| row.is_worse)
    }
}

/// Whether a run would do the work of the baseline, so that it can be told before anything is measured.
///
/// # Errors
/// As for [`compare()`].
pub fn is_comparable(before: &Report, plan: &Plan<'_>, found: &Found) -> Result<(), Mismatch> {
    same(
        before,
        &work(plan.instance, plan.threads(), found.requests.len(), &crate::digest::requests(found), plan.context.map(Context::sha256)),
    )
}

fn same(before: &Report, now: &[String; 4]) -> Result<(), Mismatch> {
    let of_before = work_of(before);
    if let Some((before, now)) = of_before.into_iter().zip(now).find(|(before, now)| before != *now) {
        return Err(Mismatch::Other { before: crate::shown(&before), now: now.clone() });
    }
    match before.failed.len() {
        0 => Ok(()),
        count => Err(Mismatch::Failed { count }),
    }
}

fn work_of(report: &Report) -> [String; 4] {
    let Report { instance, threads, requests, context_sha256, .. } = report;
    work(*instance, *threads, requests.count, &requests.sha256, context_sha256.as_deref())
}

/// What must be the same in both runs.
fn work(instance: Instance, threads: usize, requests: usize, digest: &str, context: Option<&str>) -> [String; 4] {
    let instances = match instance {
        Instance::Fresh => "fresh instances",
        Instance::Kept => "kept instances",
    };
    // The digest tells requests apart where their number does not.
    let requests = format!("{} (sha256 {})", count(requests, "request"), short(digest));
    let context = context.map_or_else(|| "no context".to_owned(), |digest| format!("a context (sha256 {})", short(digest)));
    [instances.to_owned(), count(threads, "thread"), requests, context]
}

/// Compares the median and the 99th percentile, which may be `threshold` per cent longer, and memory and host calls, which must not be
/// more. The module may be another one: that is what is compared.
///
/// # Errors
/// [`Mismatch`]: runs on other requests, with another kind of instance, with another number of threads.
pub fn compare(before: &Report, now: &Report, threshold: u32) -> Result<Comparison, Mismatch> {
    same(before, &work_of(now))?;

    let mut notes = Vec::new();
    let mut note = |what: &str, before: &str, now: &str| {
        if before != now {
            notes.push(format!("{what}: {} before, {} now", crate::shown(before), crate::shown(now)));
        }
    };
    note("module", short(&before.module.sha256), short(&now.module.sha256));
    note("settings", short(&before.settings_sha256), short(&now.settings_sha256));
    note("fedward", &before.fedward, &now.fedward);
    note("machine", &before.machine, &now.machine);
    let verdicts = |report: &Report| format!("{} accepted, {} rejected", report.requests.accepted, report.requests.rejected);
    note("verdicts", &verdicts(before), &verdicts(now));

    let mut rows = Vec::new();
    if let (Some(before), Some(now)) = (&before.timed, &now.timed) {
        for (what, before, now) in [("p50_ns", before.times.p50_ns, now.times.p50_ns), ("p99_ns", before.times.p99_ns, now.times.p99_ns)] {
            let allowed = u128::from(before) * (100 + u128::from(threshold));
            rows.push(Row { what, before, now, is_worse: u128::from(now) * 100 > allowed });
        }
    }
    for (what, before, now) in [
        ("memory_bytes", before.memory_bytes, now.memory_bytes),
        ("host_calls", before.host_calls.count, now.host_calls.count),
        ("host_request_bytes", before.host_calls.request_bytes, now.host_calls.request_bytes),
        ("host_response_bytes", before.host_calls.response_bytes, now.host_calls.response_bytes),
    ] {
        rows.push(Row { what, before, now, is_worse: now > before });
    }
    Ok(Comparison { threshold_percent: threshold, notes, rows })
}

fn short(digest: &str) -> &str {
    digest.get(..12).unwrap_or(digest)
}

/// `1 request`, `2 requests`.
pub(crate) fn count(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;
    use crate::Failure;
    use crate::report::sample;

    fn worse(before: &Report, now: &Report, threshold: u32) -> Vec<&'static str> {
        let rows = compare(before, now, threshold).unwrap().rows;
        rows.iter().filter(|row| row.is_worse).map(|row| row.what).collect()
    }

    fn slower(p50_ns: u64, p99_ns: u64) -> Report {
        let mut report = sample();
        let times = &mut report.timed.as_mut().unwrap().times;
        (times.p50_ns, times.p99_ns) = (p50_ns, p99_ns);
        report
    }

    #[test]
    fn times_may_be_longer_by_the_threshold_and_no_more() {
        let before = slower(1000, 5000);
        assert_eq!(worse(&before, &before, 0), [""; 0]);
        assert_eq!(worse(&before, &slower(1100, 5500), 10), [""; 0]);
        assert_eq!(worse(&before, &slower(1101, 5500), 10), ["p50_ns"]);
        assert_eq!(worse(&before, &slower(1100, 5501), 10), ["p99_ns"]);
        assert_eq!(worse(&before, &slower(1, 1), 0), [""; 0]);
        assert_eq!(worse(&slower(u64::MAX - 1, 1), &slower(u64::MAX, 1), 0), ["p50_ns"]);
    }

    #[test]
    fn memory_and_host_calls_may_not_grow_at_all() {
        let before = sample();
        let mut now = sample();
        now.memory_bytes += 1;
        now.host_calls.count += 1;
        now.host_calls.request_bytes += 1;
        now.host_calls.response_bytes += 1;
        assert_eq!(worse(&before, &now, 1000), ["memory_bytes", "host_calls", "host_request_bytes", "host_response_bytes"]);
        assert_eq!(worse(&now, &before, 0), [""; 0]);
    }

    #[test]
    fn another_module_is_what_one_compares() {
        let mut now = sample();
        now.module.sha256 = "ff".repeat(32);
        now.requests.accepted -= 1;
        now.requests.rejected += 1;
        let comparison = compare(&sample(), &now, 10).unwrap();
        assert!(!comparison.is_worse());
        assert_eq!(
            comparison.notes,
            ["module: 000000000000 before, ffffffffffff now", "verdicts: 2 accepted, 1 rejected before, 1 accepted, 2 rejected now"]
        );
    }

    #[test]
    fn other_work_is_not_compared() {
        let refused = |change: fn(&mut Report)| {
            let mut before = sample();
            change(&mut before);
            compare(&before, &sample(), 10).unwrap_err().to_string()
        };
        assert_eq!(
            refused(|before| before.instance = Instance::Kept),
            "the baseline is of kept instances, and this run of fresh instances"
        );
        assert_eq!(refused(|before| before.threads = 4), "the baseline is of 4 threads, and this run of 1 thread");
        assert_eq!(
            refused(|before| before.requests.sha256 = "aa".repeat(32)),
            "the baseline is of 3 requests (sha256 aaaaaaaaaaaa), and this run of 3 requests (sha256 111111111111)"
        );
        let failure = Failure { name: "a.json".to_owned(), reason: "why".to_owned() };
        let mut failed = sample();
        failed.failed.push(failure);
        assert_eq!(compare(&failed, &sample(), 10), Err(Mismatch::Failed { count: 1 }));
    }

    #[test]
    fn a_report_is_read_as_it_was_written() {
        let json = serde_json::to_vec(&sample()).unwrap();
        assert_eq!(Report::from_json(&json).unwrap(), sample());
        let mut other: serde_json::Value = serde_json::from_slice(&json).unwrap();
        *other.pointer_mut("/schema_version").unwrap() = 2.into();
        assert_eq!(Report::from_json(other.to_string().as_bytes()), Err(Mismatch::Version { found: 2 }));
        let told = Report::from_json(br#"{"schema_version": 1}"#).unwrap_err().to_string();
        assert_eq!(told, "the baseline is not what `--save` writes: missing field `fedward` at line 1 column 21");
        assert!(matches!(Report::from_json(b"\x1b["), Err(Mismatch::Unreadable { .. })));
    }
}
