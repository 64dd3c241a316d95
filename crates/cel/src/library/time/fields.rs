//! What a timestamp has in a time zone: a year, hours, a day of the week.

use cel::ExecutionError;
use cel::common::types::{CelInt, CelString};
use cel::common::value::CowVal;

use super::{DAY, SECOND, Timestamp};
use crate::errors::failed;
use crate::unknown;

/// A moment as a clock of some zone shows it: nanoseconds since 1970 began there.
#[derive(Clone, Copy)]
pub(super) struct Local(pub(super) i128);

impl Local {
    fn seconds(self) -> i64 {
        self.0.div_euclid(SECOND) as i64
    }

    fn days(self) -> i64 {
        self.seconds().div_euclid(DAY)
    }

    /// Year, month from 1, day from 1.
    pub(super) fn date(self) -> (i64, i64, i64) {
        date_of(self.days())
    }

    pub(super) fn year(self) -> i64 {
        self.date().0
    }

    pub(super) fn month(self) -> i64 {
        self.date().1 - 1
    }

    pub(super) fn day_of_month(self) -> i64 {
        self.date().2 - 1
    }

    pub(super) fn day(self) -> i64 {
        self.date().2
    }

    pub(super) fn day_of_week(self) -> i64 {
        // The first day of 1970 was a Thursday.
        (self.days() + 4).rem_euclid(7)
    }

    pub(super) fn day_of_year(self) -> i64 {
        self.days() - days_of(self.year(), 1, 1)
    }

    pub(super) fn hours(self) -> i64 {
        self.seconds().rem_euclid(DAY) / 3600
    }

    pub(super) fn minutes(self) -> i64 {
        self.seconds().rem_euclid(3600) / 60
    }

    pub(super) fn seconds_of_minute(self) -> i64 {
        self.seconds().rem_euclid(60)
    }

    pub(super) fn nanos(self) -> i128 {
        self.0.rem_euclid(SECOND)
    }

    pub(super) fn milliseconds(self) -> i64 {
        (self.nanos() / 1_000_000) as i64
    }
}

/// A field of the timestamp that is the first argument; in the zone that the second one names, else in UTC, which Kubernetes has cel-go
/// take, wherever the text was from that the timestamp was read from.
pub(super) fn answer<'b, 'v>(function: &str, args: &[CowVal<'b, 'v>], field: fn(Local) -> i64) -> Result<CowVal<'b, 'v>, ExecutionError> {
    let moment = args.first().and_then(|moment| moment.downcast_ref::<Timestamp>());
    let moment = moment.ok_or_else(|| failed(function, "not a timestamp"))?;
    let east = match args.get(1).and_then(|zone| zone.downcast_ref::<CelString<'v>>()) {
        Some(zone) => east(function, zone.inner())?,
        None => 0,
    };
    Ok(CowVal::owned(CelInt::from(field(Local(moment.nanos + i128::from(east) * SECOND)))))
}

/// How many seconds a zone is east of UTC. With a colon it is hours and minutes, which are numbers as Go's `strconv.Atoi` takes them,
/// however large, and the minutes have the sign of the text. Everything else is a name.
fn east(function: &str, zone: &str) -> Result<i64, ExecutionError> {
    let Some((hours, minutes)) = zone.split_once(':') else { return named(function, zone) };
    let number = |text: &str| text.parse::<i64>().map_err(|_| failed(function, "not a time zone such as `+02:00`"));
    let (hours, minutes) = (number(hours)?.wrapping_mul(60), number(minutes)?);
    let minutes = if zone.starts_with('-') { hours.wrapping_sub(minutes) } else { hours.wrapping_add(minutes) };
    // Through a duration, which goes round where it is too long, and a floating-point number of seconds.
    Ok(super::write::seconds(minutes.wrapping_mul(60 * SECOND as i64)) as i64)
}

fn named(function: &str, name: &str) -> Result<i64, ExecutionError> {
    match name {
        "" | "UTC" => Ok(0),
        // Go looks for no such file.
        name if name.contains("..") || name.starts_with(['/', '\\']) => Err(failed(function, "not the name of a time zone")),
        _ => Err(unknown::value(function, "time zones by name are not known offline, except `UTC`")),
    }
}

/// Days since 1970 of a date of the Gregorian calendar: counted in eras of 400 years that begin in March.
pub(super) fn days_of(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

/// The reverse of [`days_of`].
pub(super) fn date_of(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day = days.rem_euclid(146_097);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day_of_year = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day_of_year + 2) / 153;
    let (day, month) = (day_of_year - (153 * month + 2) / 5 + 1, if month < 10 { month + 3 } else { month - 9 });
    (year + era * 400 + i64::from(month <= 2), month, day)
}
