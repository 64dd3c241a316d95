//! Timestamps and durations, as Go's `time` has them.
//!
//! The `cel` crate's own need time zone tables of a megabyte. Without them, fields of a timestamp are known in UTC and at fixed
//! offsets from it; in a zone that is named they are not known.

mod fields;
mod read;
mod write;

use std::cmp::Ordering;

use cel::common::traits::{Adder, Comparer, Subtractor};
use cel::common::types::{CelInt, CelString, DURATION_TYPE, STRING_TYPE, TIMESTAMP_TYPE, Type};
use cel::common::value::{CowVal, StaticVal, Val};
use cel::{DeclarationError, Env, ExecutionError};

use self::fields::Local;
pub(super) use self::read::{is_date, is_date_time};
use super::Library;
use crate::errors::failed;

pub(super) const LIBRARY: Library = Library {
    global: &[("duration", &[1]), ("timestamp", &[1])],
    member: &[
        ("getFullYear", &[0, 1]),
        ("getMonth", &[0, 1]),
        ("getDayOfMonth", &[0, 1]),
        ("getDate", &[0, 1]),
        ("getDayOfWeek", &[0, 1]),
        ("getDayOfYear", &[0, 1]),
        ("getHours", &[0, 1]),
        ("getMinutes", &[0, 1]),
        ("getSeconds", &[0, 1]),
        ("getMilliseconds", &[0, 1]),
    ],
    register,
};

const SECOND: i128 = 1_000_000_000;
const DAY: i64 = 86_400;

/// Nanoseconds, in the 64 bits that Go has for them.
#[derive(Debug, Clone, PartialEq)]
struct Duration(i64);

/// A moment in the years 1 to 9999.
#[derive(Debug, Clone)]
struct Timestamp {
    /// Nanoseconds since 1970.
    nanos: i128,
    /// How many seconds east of UTC the clock was that it was read from. Only its text says so again.
    east: i32,
}

impl PartialEq for Timestamp {
    fn eq(&self, other: &Self) -> bool {
        self.nanos == other.nanos
    }
}

const FIRST: i128 = -62_135_596_800 * SECOND;
const LAST: i128 = 253_402_300_800 * SECOND - 1;

impl Timestamp {
    fn new(nanos: i128, east: i32) -> Result<Self, ExecutionError> {
        if (FIRST..=LAST).contains(&nanos) { Ok(Self { nanos, east }) } else { Err(failed("timestamp", "not in the years 1 to 9999")) }
    }

    /// What orders timestamps.
    fn rank(&self) -> i128 {
        self.nanos
    }
}

impl Duration {
    fn new(nanos: i128) -> Result<Self, ExecutionError> {
        i64::try_from(nanos).map(Self).map_err(|_| failed("duration", "longer than 290 years"))
    }

    /// What orders durations.
    fn rank(&self) -> i64 {
        self.0
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
                other.downcast_ref::<$name>().map(|other| self.rank().cmp(&other.rank())).ok_or_else(|| mixed("comparison", self, other))
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
            (_, Some(other)) => Ok(CowVal::owned(Timestamp::new(own + other.nanos, other.east)?)),
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
        Ok(CowVal::owned(Self::new(self.nanos + i128::from(other.0), self.east)?))
    }
}

impl Subtractor for Timestamp {
    fn sub<'b, 'v>(&'b self, other: &(dyn Val + 'v)) -> Result<CowVal<'b, 'v>, ExecutionError>
    where
        Self: 'v,
    {
        match (other.downcast_ref::<Duration>(), other.downcast_ref::<Timestamp>()) {
            (Some(other), _) => Ok(CowVal::owned(Self::new(self.nanos - i128::from(other.0), self.east)?)),
            (_, Some(other)) => Ok(CowVal::owned(Duration::new(self.nanos - other.nanos)?)),
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
    cel::add_overload!(env, fn nanoseconds: (Duration) -> CelInt, name = "int")?;
    cel::add_overload!(env, fn timestamp_text: (Timestamp) -> CelString, name = "string")?;
    cel::add_overload!(env, fn duration_text: (Duration) -> CelString, name = "string")?;
    /// Of a timestamp alone, and with a zone.
    macro_rules! field {
        ($name:literal, $field:ident) => {
            env.add_member_overload($name, concat!($name, "_utc"), TIMESTAMP_TYPE, vec![], |args| {
                fields::answer($name, &args, Local::$field)
            })?;
            env.add_member_overload($name, concat!($name, "_zoned"), TIMESTAMP_TYPE, vec![STRING_TYPE], |args| {
                fields::answer($name, &args, Local::$field)
            })?;
        };
    }
    field!("getFullYear", year);
    field!("getMonth", month);
    field!("getDayOfMonth", day_of_month);
    field!("getDate", day);
    field!("getDayOfWeek", day_of_week);
    field!("getDayOfYear", day_of_year);
    field!("getHours", hours);
    field!("getMinutes", minutes);
    field!("getSeconds", seconds_of_minute);
    field!("getMilliseconds", milliseconds);
    cel::add_member_overload!(env, fn hours: (Duration) -> CelInt, name = "getHours")?;
    cel::add_member_overload!(env, fn minutes: (Duration) -> CelInt, name = "getMinutes")?;
    cel::add_member_overload!(env, fn seconds: (Duration) -> CelInt, name = "getSeconds")?;
    cel::add_member_overload!(env, fn milliseconds: (Duration) -> CelInt, name = "getMilliseconds")
}

fn duration(text: &CelString<'_>) -> Result<Duration, ExecutionError> {
    read::duration(text.inner()).map(Duration).ok_or_else(|| failed("duration", "not a duration such as `1h30m`"))
}

fn same_duration(duration: &Duration) -> Duration {
    duration.clone()
}

fn same_timestamp(timestamp: &Timestamp) -> Timestamp {
    timestamp.clone()
}

fn timestamp(text: &CelString<'_>) -> Result<Timestamp, ExecutionError> {
    let (nanos, east) = read::timestamp(text.inner()).ok_or_else(|| failed("timestamp", "not a date and time as RFC 3339 has them"))?;
    Timestamp::new(nanos, east)
}

fn timestamp_of(seconds: &CelInt) -> Result<Timestamp, ExecutionError> {
    Timestamp::new(i128::from(*seconds.inner()) * SECOND, 0)
}

fn unix(timestamp: &Timestamp) -> CelInt {
    (timestamp.nanos.div_euclid(SECOND) as i64).into()
}

fn nanoseconds(duration: &Duration) -> CelInt {
    duration.0.into()
}

fn timestamp_text(timestamp: &Timestamp) -> CelString<'static> {
    write::timestamp(timestamp).into()
}

fn duration_text(duration: &Duration) -> CelString<'static> {
    write::duration(duration).into()
}

/// A timestamp or a duration as a text, if a value is one.
pub(super) fn text(value: &dyn Val) -> Option<String> {
    value.downcast_ref::<Timestamp>().map(write::timestamp).or_else(|| value.downcast_ref::<Duration>().map(write::duration))
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
