//! Timestamps and durations, as Go's `time` has them, in UTC.
//!
//! The `cel` crate's own need time zone tables of a megabyte. Kubernetes reads fields of a timestamp in UTC unless a zone is named;
//! naming one is not supported.

use std::cmp::Ordering;

use cel::common::traits::{Adder, Comparer, Subtractor};
use cel::common::types::{CelInt, CelString, DURATION_TYPE, TIMESTAMP_TYPE, Type};
use cel::common::value::{CowVal, StaticVal, Val};
use cel::{DeclarationError, Env, ExecutionError};

use super::Library;
use crate::errors::failed;

pub(super) const LIBRARY: Library = Library {
    global: &[("duration", &[1]), ("timestamp", &[1])],
    member: &[
        ("getFullYear", &[0]),
        ("getMonth", &[0]),
        ("getDayOfMonth", &[0]),
        ("getDate", &[0]),
        ("getDayOfWeek", &[0]),
        ("getDayOfYear", &[0]),
        ("getHours", &[0]),
        ("getMinutes", &[0]),
        ("getSeconds", &[0]),
        ("getMilliseconds", &[0]),
    ],
    register,
};

const SECOND: i128 = 1_000_000_000;
const DAY: i64 = 86_400;

/// Nanoseconds, in the 64 bits that Go has for them.
#[derive(Debug, Clone, PartialEq)]
struct Duration(i64);

/// Nanoseconds since 1970, in the years 1 to 9999.
#[derive(Debug, Clone, PartialEq)]
struct Timestamp(i128);

const FIRST: i128 = -62_135_596_800 * SECOND;
const LAST: i128 = 253_402_300_800 * SECOND - 1;

impl Timestamp {
    fn new(nanos: i128) -> Result<Self, ExecutionError> {
        if (FIRST..=LAST).contains(&nanos) { Ok(Self(nanos)) } else { Err(failed("timestamp", "not in the years 1 to 9999")) }
    }

    fn seconds(&self) -> i64 {
        self.0.div_euclid(SECOND) as i64
    }

    /// Year, month from 1, day from 1.
    fn date(&self) -> (i64, i64, i64) {
        date_of(self.seconds().div_euclid(DAY))
    }
}

impl Duration {
    fn new(nanos: i128) -> Result<Self, ExecutionError> {
        i64::try_from(nanos).map(Self).map_err(|_| failed("duration", "longer than 290 years"))
    }
}

/// The parts of [`Val`] that both types have.
macro_rules! moment {
    ($name:ident, $type:expr) => {
        impl Val for $name {
            fn get_type(&self) -> &Type {
                <Self as Val>::cel_type()
            }
            fn cel_type() -> &'static Type {
                static TYPE: Type = $type;
                &TYPE
            }
            fn equals(&self, other: &dyn Val) -> bool {
                other.downcast_ref::<$name>().is_some_and(|other| self == other)
            }
            fn clone_as_boxed<'v>(&self) -> Box<dyn Val + 'v> {
                Box::new(self.clone())
            }
            fn as_any(&self) -> Option<&dyn std::any::Any> {
                Some(self)
            }
            fn as_adder<'b, 'v>(&'b self) -> Option<&'b (dyn Adder + 'v)>
            where
                Self: 'v,
            {
                Some(self)
            }
            fn as_subtractor<'b, 'v>(&'b self) -> Option<&'b (dyn Subtractor + 'v)>
            where
                Self: 'v,
            {
                Some(self)
            }
            fn as_comparer(&self) -> Option<&dyn Comparer> {
                Some(self)
            }
        }

        impl StaticVal for $name {}

        impl Comparer for $name {
            fn compare(&self, other: &dyn Val) -> Result<Ordering, ExecutionError> {
                other.downcast_ref::<$name>().map(|other| self.0.cmp(&other.0)).ok_or_else(|| mixed("comparison", self, other))
            }
        }
    };
}
moment!(Duration, DURATION_TYPE);
moment!(Timestamp, TIMESTAMP_TYPE);

fn mixed(operator: &str, left: &dyn Val, right: &dyn Val) -> ExecutionError {
    ExecutionError::no_such_overload(operator, vec![left.get_type().name().to_owned(), right.get_type().name().to_owned()])
}

impl Adder for Duration {
    fn add<'b, 'v>(&'b self, other: &(dyn Val + 'v)) -> Result<CowVal<'b, 'v>, ExecutionError>
    where
        Self: 'v,
    {
        let own = i128::from(self.0);
        match (other.downcast_ref::<Duration>(), other.downcast_ref::<Timestamp>()) {
            (Some(other), _) => Ok(CowVal::owned(Self::new(own + i128::from(other.0))?)),
            (_, Some(other)) => Ok(CowVal::owned(Timestamp::new(own + other.0)?)),
            _ => Err(mixed("_+_", self, other)),
        }
    }
}

impl Subtractor for Duration {
    fn sub<'b, 'v>(&'b self, other: &(dyn Val + 'v)) -> Result<CowVal<'b, 'v>, ExecutionError>
    where
        Self: 'v,
    {
        let other = other.downcast_ref::<Duration>().ok_or_else(|| mixed("_-_", self, other))?;
        Ok(CowVal::owned(Self::new(i128::from(self.0) - i128::from(other.0))?))
    }
}

impl Adder for Timestamp {
    fn add<'b, 'v>(&'b self, other: &(dyn Val + 'v)) -> Result<CowVal<'b, 'v>, ExecutionError>
    where
        Self: 'v,
    {
        let other = other.downcast_ref::<Duration>().ok_or_else(|| mixed("_+_", self, other))?;
        Ok(CowVal::owned(Self::new(self.0 + i128::from(other.0))?))
    }
}

impl Subtractor for Timestamp {
    fn sub<'b, 'v>(&'b self, other: &(dyn Val + 'v)) -> Result<CowVal<'b, 'v>, ExecutionError>
    where
        Self: 'v,
    {
        match (other.downcast_ref::<Duration>(), other.downcast_ref::<Timestamp>()) {
            (Some(other), _) => Ok(CowVal::owned(Self::new(self.0 - i128::from(other.0))?)),
            (_, Some(other)) => Ok(CowVal::owned(Duration::new(self.0 - other.0)?)),
            _ => Err(mixed("_-_", self, other)),
        }
    }
}

fn register(env: &mut Env) -> Result<(), DeclarationError> {
    env.add_type(DURATION_TYPE)?;
    env.add_type(TIMESTAMP_TYPE)?;
    cel::add_overload!(env, fn duration: (CelString) -> Result<Duration>)?;
    cel::add_overload!(env, fn same_duration: (Duration) -> Duration, name = "duration")?;
    cel::add_overload!(env, fn timestamp: (CelString) -> Result<Timestamp>)?;
    cel::add_overload!(env, fn timestamp_of: (CelInt) -> Result<Timestamp>, name = "timestamp")?;
    cel::add_overload!(env, fn same_timestamp: (Timestamp) -> Timestamp, name = "timestamp")?;
    cel::add_overload!(env, fn unix: (Timestamp) -> CelInt, name = "int")?;
    cel::add_member_overload!(env, fn year: (Timestamp) -> CelInt, name = "getFullYear")?;
    cel::add_member_overload!(env, fn month: (Timestamp) -> CelInt, name = "getMonth")?;
    cel::add_member_overload!(env, fn day: (Timestamp) -> CelInt, name = "getDayOfMonth")?;
    cel::add_member_overload!(env, fn calendar_day: (Timestamp) -> CelInt, name = "getDate")?;
    cel::add_member_overload!(env, fn week_day: (Timestamp) -> CelInt, name = "getDayOfWeek")?;
    cel::add_member_overload!(env, fn year_day: (Timestamp) -> CelInt, name = "getDayOfYear")?;
    cel::add_member_overload!(env, fn hour: (Timestamp) -> CelInt, name = "getHours")?;
    cel::add_member_overload!(env, fn minute: (Timestamp) -> CelInt, name = "getMinutes")?;
    cel::add_member_overload!(env, fn second: (Timestamp) -> CelInt, name = "getSeconds")?;
    cel::add_member_overload!(env, fn millisecond: (Timestamp) -> CelInt, name = "getMilliseconds")?;
    cel::add_member_overload!(env, fn hours: (Duration) -> CelInt, name = "getHours")?;
    cel::add_member_overload!(env, fn minutes: (Duration) -> CelInt, name = "getMinutes")?;
    cel::add_member_overload!(env, fn seconds: (Duration) -> CelInt, name = "getSeconds")?;
    cel::add_member_overload!(env, fn milliseconds: (Duration) -> CelInt, name = "getMilliseconds")
}

fn duration(text: &CelString<'_>) -> Result<Duration, ExecutionError> {
    parse_duration(text.inner()).map(Duration).ok_or_else(|| failed("duration", "not a duration such as `1h30m`"))
}

fn same_duration(duration: &Duration) -> Duration {
    duration.clone()
}

fn same_timestamp(timestamp: &Timestamp) -> Timestamp {
    timestamp.clone()
}

/// Go's `time.ParseDuration`: a sign, then numbers with units.
fn parse_duration(text: &str) -> Option<i64> {
    const UNITS: [(&str, i128); 8] = [
        ("ns", 1),
        ("us", 1_000),
        ("\u{b5}s", 1_000),
        ("\u{3bc}s", 1_000),
        ("ms", 1_000_000),
        ("s", SECOND),
        ("m", 60 * SECOND),
        ("h", 3600 * SECOND),
    ];
    let mut rest = text.strip_prefix(['+', '-']).unwrap_or(text);
    if rest == "0" {
        return Some(0);
    }
    let mut total: i128 = 0;
    while total == 0 || !rest.is_empty() {
        let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
        let (whole, after) = rest.split_at_checked(digits(rest))?;
        let (fraction, after) = match after.strip_prefix('.') {
            Some(after) => after.split_at_checked(digits(after))?,
            None => ("", after),
        };
        if whole.is_empty() && fraction.is_empty() {
            return None;
        }
        let unit_length = after.find(|character: char| character.is_ascii_digit() || character == '.').unwrap_or(after.len());
        let (unit, after) = after.split_at_checked(unit_length)?;
        let nanos = UNITS.iter().find(|(name, _)| *name == unit)?.1;
        let whole: i64 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
        // Digits beyond a nanosecond's do not count.
        let fraction: String = fraction.chars().take(15).collect();
        let part: i128 = if fraction.is_empty() { 0 } else { fraction.parse().ok()? };
        total = total.checked_add(i128::from(whole) * nanos + part * nanos / 10_i128.checked_pow(u32::try_from(fraction.len()).ok()?)?)?;
        if total > i128::from(i64::MAX) + 1 {
            return None;
        }
        rest = after;
        if rest.is_empty() {
            break;
        }
    }
    i64::try_from(if text.starts_with('-') { -total } else { total }).ok()
}

fn timestamp(text: &CelString<'_>) -> Result<Timestamp, ExecutionError> {
    let nanos = parse_timestamp(text.inner()).ok_or_else(|| failed("timestamp", "not a date and time as RFC 3339 has them"))?;
    Timestamp::new(nanos)
}

fn timestamp_of(seconds: &CelInt) -> Result<Timestamp, ExecutionError> {
    Timestamp::new(i128::from(*seconds.inner()) * SECOND)
}

/// Digits and nothing else.
fn number(text: &str) -> Option<i64> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

/// `2006-01-02` as days since 1970.
fn parse_date(text: &str) -> Option<i64> {
    if text.len() != 10 || text.get(4..5)? != "-" || text.get(7..8)? != "-" {
        return None;
    }
    let (year, month, day) = (number(text.get(..4)?)?, number(text.get(5..7)?)?, number(text.get(8..)?)?);
    let days = days_of(year, month, day);
    // A day that a month does not have comes back as another.
    (date_of(days) == (year, month, day)).then_some(days)
}

/// `15:04:05` as seconds.
fn parse_clock(text: &str) -> Option<i64> {
    if text.len() != 8 || text.get(2..3)? != ":" || text.get(5..6)? != ":" {
        return None;
    }
    let (hour, minute, second) = (number(text.get(..2)?)?, number(text.get(3..5)?)?, number(text.get(6..)?)?);
    (hour < 24 && minute < 60 && second < 60).then_some(hour * 3600 + minute * 60 + second)
}

/// RFC 3339, as Go reads it, in nanoseconds.
fn parse_timestamp(text: &str) -> Option<i128> {
    let days = parse_date(text.get(..10)?)?;
    if text.get(10..11)? != "T" {
        return None;
    }
    let seconds = parse_clock(text.get(11..19)?)?;
    let rest = text.get(19..)?;
    let (fraction, zone) = match rest.strip_prefix(['.', ',']) {
        Some(rest) => {
            let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
            rest.split_at_checked(digits).filter(|_| digits > 0)?
        }
        None => ("", rest),
    };
    let nanos: i128 = format!("{:0<9}", fraction.get(..fraction.len().min(9))?).parse().ok()?;
    let offset = match zone {
        "Z" => 0,
        zone => {
            let sign = if zone.starts_with('-') { -1 } else { 1 };
            let clock = zone.strip_prefix(['+', '-'])?;
            sign * parse_clock(&format!("{clock}:00"))?
        }
    };
    Some(i128::from(days * DAY + seconds - offset) * SECOND + nanos)
}

/// Whether a text is a date, `2006-01-02`.
pub(super) fn is_date(text: &str) -> bool {
    parse_date(text).is_some()
}

/// Whether a text is a date and a time with a zone, in either case.
pub(super) fn is_date_time(text: &str) -> bool {
    parse_timestamp(&text.to_ascii_uppercase()).is_some()
}

/// Days since 1970 of a date of the Gregorian calendar: counted in eras of 400 years that begin in March.
fn days_of(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

/// The reverse of [`days_of`].
fn date_of(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day = days.rem_euclid(146_097);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day_of_year = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day_of_year + 2) / 153;
    let (day, month) = (day_of_year - (153 * month + 2) / 5 + 1, if month < 10 { month + 3 } else { month - 9 });
    (year + era * 400 + i64::from(month <= 2), month, day)
}

fn unix(timestamp: &Timestamp) -> CelInt {
    timestamp.seconds().into()
}

fn year(timestamp: &Timestamp) -> CelInt {
    timestamp.date().0.into()
}

fn month(timestamp: &Timestamp) -> CelInt {
    (timestamp.date().1 - 1).into()
}

fn day(timestamp: &Timestamp) -> CelInt {
    (timestamp.date().2 - 1).into()
}

fn calendar_day(timestamp: &Timestamp) -> CelInt {
    timestamp.date().2.into()
}

fn week_day(timestamp: &Timestamp) -> CelInt {
    // The first day of 1970 was a Thursday.
    (timestamp.seconds().div_euclid(DAY) + 4).rem_euclid(7).into()
}

fn year_day(timestamp: &Timestamp) -> CelInt {
    let days = timestamp.seconds().div_euclid(DAY);
    (days - days_of(timestamp.date().0, 1, 1)).into()
}

fn hour(timestamp: &Timestamp) -> CelInt {
    (timestamp.seconds().rem_euclid(DAY) / 3600).into()
}

fn minute(timestamp: &Timestamp) -> CelInt {
    (timestamp.seconds().rem_euclid(3600) / 60).into()
}

fn second(timestamp: &Timestamp) -> CelInt {
    timestamp.seconds().rem_euclid(60).into()
}

fn millisecond(timestamp: &Timestamp) -> CelInt {
    ((timestamp.0.rem_euclid(SECOND) / 1_000_000) as i64).into()
}

fn hours(duration: &Duration) -> CelInt {
    (duration.0 / 3_600_000_000_000).into()
}

fn minutes(duration: &Duration) -> CelInt {
    (duration.0 / 60_000_000_000).into()
}

fn seconds(duration: &Duration) -> CelInt {
    (duration.0 / 1_000_000_000).into()
}

fn milliseconds(duration: &Duration) -> CelInt {
    (duration.0 / 1_000_000).into()
}
