//! A report as text for people.

use std::cmp::Reverse;
use std::io::{self, Write};
use std::time::Duration;

use crate::compare::count;
use crate::{Comparison, Instance, Report, RequestReport, Row, Times, Verdict};

/// Lines of the table of requests. JSON has all of them.
const MAX_LINES: usize = 20;
/// Lines of what failed, and of what was skipped.
const MAX_TOLD: usize = 100;

/// Writes a report, and what it is compared with, as text. Nothing but the figures that a clock makes differs between runs.
///
/// # Errors
/// Those of `out`.
pub fn human(report: &Report, comparison: Option<&Comparison>, out: &mut dyn Write) -> io::Result<()> {
    head(report, out)?;
    times(report, out)?;
    if let Some(comparison) = comparison {
        compared(comparison, out)?;
    }
    let failed: Vec<String> = report.failed.iter().map(|failure| format!("{}: {}", failure.name, failure.reason)).collect();
    told("could not be evaluated", &failed, out)?;
    let skipped: Vec<String> = report.skipped.iter().map(|skipped| format!("{}: {}", skipped.name, skipped.reason)).collect();
    told("skipped", &skipped, out)
}

fn head(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let module = &report.module;
    writeln!(out, "module     {}, {}, sha256 {}", module.name, size(module.bytes), module.sha256.get(..12).unwrap_or_default())?;
    let instance = match report.instance {
        Instance::Fresh => "fresh: a new one for each evaluation, as in a cluster",
        Instance::Kept => "kept: one for each thread",
    };
    writeln!(out, "instances  {instance}")?;
    let requests = &report.requests;
    match requests.count {
        0 => writeln!(out, "requests   none, so that nothing was measured")?,
        count => writeln!(out, "requests   {count}: {} accepted, {} rejected", requests.accepted, requests.rejected)?,
    }
    writeln!(out)?;
    writeln!(out, "compiled   in {} on all cores, to {}", time(report.load.compile_ns), size(report.load.compiled_bytes))?;
    writeln!(out, "loaded     in {}, once compiled", time(report.load.load_ns))?;
    let Some(first) = report.load.first_ns else { return Ok(()) };
    writeln!(out, "first      evaluation in {}", time(first))?;
    write!(out, "memory     {} at most", size(report.memory_bytes))?;
    if report.memory_bytes_all > report.memory_bytes {
        write!(out, ", and {} after many evaluations", size(report.memory_bytes_all))?;
    }
    writeln!(out)?;
    let calls = &report.host_calls;
    match calls.count {
        0 => writeln!(out, "host calls none"),
        number => writeln!(
            out,
            "host calls {number}, {} of questions, {} of answers (every request once)",
            count_bytes(calls.request_bytes),
            count_bytes(calls.response_bytes)
        ),
    }
}

fn times(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let Some(timed) = &report.timed else { return Ok(()) };
    let threads = count(report.threads, "thread");
    writeln!(
        out,
        "\n{} evaluations in {} on {threads}, {:.0} a second{}\n",
        timed.times.count,
        time(Duration::try_from_secs_f64(timed.seconds).map_or(0, |time| time.as_nanos() as u64)),
        timed.per_second,
        if report.threads > 1 { " together" } else { "" }
    )?;
    writeln!(out, "{:>9}{:>9}{:>9}{:>9}{:>9}{:>9}", "min", "p50", "p90", "p95", "p99", "max")?;
    let mut requests: Vec<(&RequestReport, &Times)> =
        report.per_request.iter().filter_map(|request| Some((request, request.times.as_ref()?))).collect();
    if requests.len() > 1 {
        line("all requests", &timed.times, out)?;
    }
    let more = requests.len().saturating_sub(MAX_LINES);
    if more > 0 {
        requests.sort_by_key(|(_, times)| Reverse(times.p50_ns));
        requests.truncate(MAX_LINES);
    }
    for (request, times) in requests {
        let mark = if request.verdict == Verdict::Rejected { ", rejected" } else { "" };
        line(&format!("{}{mark}", request.name), times, out)?;
    }
    if more > 0 {
        writeln!(out, "… and {more} with a shorter p50 (`--format json` has all)")?;
    }
    Ok(())
}

fn line(name: &str, times: &Times, out: &mut dyn Write) -> io::Result<()> {
    for value in [times.min_ns, times.p50_ns, times.p90_ns, times.p95_ns, times.p99_ns, times.max_ns] {
        write!(out, "{:>9}", time(value))?;
    }
    // Names are of any length, so they come last.
    writeln!(out, "  {name}")
}

fn compared(comparison: &Comparison, out: &mut dyn Write) -> io::Result<()> {
    let worse = comparison.rows.iter().filter(|row| row.is_worse).count();
    let verdict = if worse == 0 { "nothing got worse".to_owned() } else { format!("{} got worse", count(worse, "figure")) };
    writeln!(out, "\nagainst the baseline: {verdict} (times may be {} % longer)\n", comparison.threshold_percent)?;
    writeln!(out, "       {:20}{:>12}{:>12}", "", "before", "now")?;
    for row in &comparison.rows {
        let (name, show) = words(row);
        let mark = if row.is_worse { "worse" } else { "" };
        let line = format!("{mark:7}{name:20}{:>12}{:>12} {:>9}", show(row.before), show(row.now), change(row));
        writeln!(out, "{}", line.trim_end())?;
    }
    for note in &comparison.notes {
        writeln!(out, "note: {note}")?;
    }
    Ok(())
}

/// The name of a row, and how its figures are written.
fn words(row: &Row) -> (&'static str, fn(u64) -> String) {
    match row.what {
        "p50_ns" => ("p50", time),
        "p99_ns" => ("p99", time),
        "memory_bytes" => ("memory", size),
        "host_calls" => ("host calls", |number| number.to_string()),
        "host_request_bytes" => ("bytes of questions", |number| number.to_string()),
        "host_response_bytes" => ("bytes of answers", |number| number.to_string()),
        other => (other, |number| number.to_string()),
    }
}

fn change(row: &Row) -> String {
    match (row.before, row.now) {
        (before, now) if before == now => String::new(),
        (0, _) => String::new(),
        (before, now) => format!("{:+.1} %", (now as f64 / before as f64 - 1.0) * 100.0),
    }
}

fn told(what: &str, lines: &[String], out: &mut dyn Write) -> io::Result<()> {
    if lines.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n{what}: {}", lines.len())?;
    for line in lines.iter().take(MAX_TOLD) {
        writeln!(out, "  {line}")?;
    }
    match lines.len().saturating_sub(MAX_TOLD) {
        0 => Ok(()),
        more => writeln!(out, "  … and {more} more (`--format json` has all)"),
    }
}

/// Three digits and a unit.
fn time(nanoseconds: u64) -> String {
    const UNITS: [&str; 4] = ["ns", "µs", "ms", "s"];
    let mut value = nanoseconds as f64;
    let mut units = UNITS.iter();
    let mut unit = *units.next().unwrap_or(&"");
    for next in units {
        // 999.5 would be written with four digits.
        if value < 999.5 {
            break;
        }
        (value, unit) = (value / 1000.0, *next);
    }
    if unit == "ns" { format!("{nanoseconds} ns") } else { three_digits(value, unit) }
}

/// Memory comes in whole pages, so that most of these are whole numbers.
fn size(bytes: u64) -> String {
    const UNITS: [(u64, &str); 3] = [(1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
    match UNITS.iter().find(|(unit, _)| bytes >= *unit) {
        None => count_bytes(bytes),
        Some((unit, name)) if bytes.is_multiple_of(*unit) => format!("{} {name}", bytes / unit),
        Some((unit, name)) => three_digits(bytes as f64 / *unit as f64, name),
    }
}

fn three_digits(value: f64, unit: &str) -> String {
    let digits = match value {
        _ if value >= 99.95 => 0,
        _ if value >= 9.995 => 1,
        _ => 2,
    };
    format!("{value:.digits$} {unit}")
}

fn count_bytes(bytes: u64) -> String {
    format!("{bytes} byte{}", if bytes == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;
    use crate::{compare, report};

    #[test]
    fn figures_have_three_digits_and_a_unit() {
        for (nanoseconds, text) in [
            (0, "0 ns"),
            (999, "999 ns"),
            (1000, "1.00 µs"),
            (1234, "1.23 µs"),
            (9_999, "10.0 µs"),
            (12_340, "12.3 µs"),
            (999_499, "999 µs"),
            (999_500, "1.00 ms"),
            (5_000_000_000, "5.00 s"),
            (u64::MAX, "18446744074 s"),
        ] {
            assert_eq!(time(nanoseconds), text);
        }
        for (bytes, text) in [
            (1, "1 byte"),
            (999, "999 bytes"),
            (1023, "1023 bytes"),
            (1025, "1.00 KiB"),
            (1 << 20, "1 MiB"),
            (1_258_291, "1.20 MiB"),
            (262_144, "256 KiB"),
        ] {
            assert_eq!(size(bytes), text);
        }
    }

    #[test]
    fn a_report_for_people() {
        let before = report::sample();
        let mut now = report::sample();
        now.timed.as_mut().unwrap().times.p50_ns = 1500;
        now.memory_bytes_all = 2 << 20;
        now.failed.push(crate::Failure { name: "c.json".to_owned(), reason: "the module trapped".to_owned() });
        let mut out = Vec::new();
        human(&now, Some(&compare(&before, &now, 10).unwrap()), &mut out).unwrap();
        insta::assert_snapshot!(String::from_utf8(out).unwrap());
    }

    #[test]
    fn columns_never_touch() {
        let before = report::sample();
        let mut now = report::sample();
        now.timed.as_mut().unwrap().times.p50_ns *= 404;
        let mut out = Vec::new();
        human(&now, Some(&compare(&before, &now, 10).unwrap()), &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(text.contains(" µs +40300.0 %\n"), "{text}");
    }

    #[test]
    fn of_many_requests_the_slowest_are_shown() {
        let mut report = report::sample();
        let one = report.per_request.first().unwrap().clone();
        let slow = |number: u64| RequestReport {
            name: format!("{number}.json"),
            times: one.times.map(|times| Times { p50_ns: number * 1000, ..times }),
            ..one.clone()
        };
        report.per_request = (1..=50).map(slow).collect();
        let mut out = Vec::new();
        human(&report, None, &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(text.contains("  50.json\n") && text.contains("  31.json\n") && !text.contains("  30.json\n"), "{text}");
        assert!(text.ends_with("… and 30 with a shorter p50 (`--format json` has all)\n"), "{text}");
    }
}
