//! Durations and timestamps as texts, as cel-go writes them.

use super::fields::Local;
use super::{Duration, SECOND, Timestamp};

/// Nanoseconds as seconds, as Go's `Duration.Seconds` divides them.
pub(super) fn seconds(nanos: i64) -> f64 {
    const NANOS: i64 = SECOND as i64;
    (nanos / NANOS) as f64 + (nanos % NANOS) as f64 / NANOS as f64
}

/// Seconds with `s`: as many digits as tell the floating-point number from its neighbours, and no exponent.
pub(super) fn duration(duration: &Duration) -> String {
    format!("{}s", seconds(duration.0))
}

/// RFC 3339, with the offset that the timestamp was read with, and no zeros at the end of the fraction.
pub(super) fn timestamp(timestamp: &Timestamp) -> String {
    let local = Local(timestamp.nanos + i128::from(timestamp.east) * SECOND);
    let (year, month, day) = local.date();
    let (hours, minutes, seconds) = (local.hours(), local.minutes(), local.seconds_of_minute());
    let mut text = format!("{year:04}-{month:02}-{day:02}T{hours:02}:{minutes:02}:{seconds:02}");
    if local.nanos() != 0 {
        text.push_str(format!(".{:09}", local.nanos()).trim_end_matches('0'));
    }
    match timestamp.east / 60 {
        0 => text.push('Z'),
        east => {
            let (sign, east) = (if east < 0 { '-' } else { '+' }, east.unsigned_abs());
            text.push_str(&format!("{sign}{:02}:{:02}", east / 60, east % 60));
        }
    }
    text
}
