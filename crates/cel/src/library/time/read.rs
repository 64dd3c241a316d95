//! Durations, dates and times out of texts, as Go's `time` reads them.

use super::fields::{date_of, days_of};
use super::{DAY, SECOND};

/// Go's `time.ParseDuration`: a sign, then numbers with units.
pub(super) fn duration(text: &str) -> Option<i64> {
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

/// `15:04:05` as seconds, and what follows. Go takes an hour of one digit.
fn parse_clock(text: &str) -> Option<(i64, &str)> {
    let (hour, rest) = text.split_once(':')?;
    let (minute, second, rest) = (rest.get(..2)?, rest.get(3..5)?, rest.get(5..)?);
    if !matches!(hour.len(), 1 | 2) || text.get(hour.len() + 3..hour.len() + 4)? != ":" {
        return None;
    }
    let (hour, minute, second) = (number(hour)?, number(minute)?, number(second)?);
    (hour < 24 && minute < 60 && second < 60).then_some((hour * 3600 + minute * 60 + second, rest))
}

/// An offset as seconds east of UTC: `Z`, or hours and minutes, of which Go takes 24 and 60, too.
fn parse_offset(text: &str) -> Option<i32> {
    if text == "Z" {
        return Some(0);
    }
    let sign = if text.starts_with('-') { -60 } else { 60 };
    let (hours, minutes) =
        text.strip_prefix(['+', '-'])?.split_once(':').filter(|(hours, minutes)| hours.len() == 2 && minutes.len() == 2)?;
    let (hours, minutes) = (number(hours)?, number(minutes)?);
    (hours <= 24 && minutes <= 60).then(|| i32::try_from(sign * (hours * 60 + minutes)).ok()).flatten()
}

/// RFC 3339, as Go reads it: nanoseconds since 1970, and how many seconds its clock is east of UTC.
pub(super) fn timestamp(text: &str) -> Option<(i128, i32)> {
    let days = parse_date(text.get(..10)?)?;
    if text.get(10..11)? != "T" {
        return None;
    }
    let (seconds, rest) = parse_clock(text.get(11..)?)?;
    let (fraction, zone) = match rest.strip_prefix(['.', ',']) {
        Some(rest) => {
            let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
            rest.split_at_checked(digits).filter(|_| digits > 0)?
        }
        None => ("", rest),
    };
    let nanos: i128 = format!("{:0<9}", fraction.get(..fraction.len().min(9))?).parse().ok()?;
    let east = parse_offset(zone)?;
    Some((i128::from(days * DAY + seconds - i64::from(east)) * SECOND + nanos, east))
}

/// Whether a text is a date, `2006-01-02`.
pub(crate) fn is_date(text: &str) -> bool {
    parse_date(text).is_some()
}

/// Whether a text is a date and a time with a zone, in either case.
pub(crate) fn is_date_time(text: &str) -> bool {
    timestamp(&text.to_ascii_uppercase()).is_some()
}
