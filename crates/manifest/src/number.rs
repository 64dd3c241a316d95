//! Numbers that are not whole, as Go reads and writes them.

use std::fmt::{self, Write};

/// What is made of numbers that are not whole.
#[derive(Clone, Copy)]
pub struct Floats {
    /// The value of decimal digits with point and exponent; `None` beyond 64 bits.
    pub(crate) value: fn(&str) -> Option<f64>,
    /// A key of that value and text.
    pub(crate) key: fn(f64, &str) -> String,
}

impl Floats {
    /// Values, and keys spelled as Kubernetes' decoder spells them.
    pub const EXACT: Self = Self { value: finite, key: |value, _| float_key(value) };
    /// That it is a number and not which one: every value is 0, and keys are as they are written. Code that only names this has no
    /// tables for conversion in it, which are 30 KB of WebAssembly.
    pub const AS_WRITTEN: Self = Self { value: |text| is_finite(text).then_some(0.0), key: |_, text| text.to_owned() };
}

impl fmt::Debug for Floats {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(if *self == Self::EXACT { "EXACT" } else { "AS_WRITTEN" })
    }
}

impl PartialEq for Floats {
    fn eq(&self, other: &Self) -> bool {
        // What they do tells them apart; addresses of functions need not.
        (self.value)("1.0") == (other.value)("1.0")
    }
}

impl Eq for Floats {}

/// Out of range is an error in Go, not infinity.
fn finite(text: &str) -> Option<f64> {
    text.parse::<f64>().ok().filter(|value| value.is_finite())
}

/// Whether decimal digits with point and exponent are a 64-bit float, but for a sliver at its upper end: what has
/// [`f64::MAX`]'s first 17 digits is taken for too large.
#[must_use]
pub fn is_finite(text: &str) -> bool {
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, ""));
    let mantissa = mantissa.trim_start_matches(['-', '+']);
    let length = |text: &str| i64::try_from(text.len()).unwrap_or(i64::MAX);
    let digits = || mantissa.bytes().filter(u8::is_ascii_digit);
    let zeros = digits().take_while(|digit| *digit == b'0').count();
    let is_zero = digits().count() == zeros;
    // How many digits stand before the point of the number without its leading zeros.
    let before = length(mantissa.split('.').next().unwrap_or_default()).saturating_sub(i64::try_from(zeros).unwrap_or(i64::MAX));
    let (sign, exponent) = match exponent.strip_prefix('-') {
        Some(exponent) => (-1, exponent),
        None => (1, exponent.trim_start_matches('+')),
    };
    let exponent = exponent.bytes().fold(0_i64, |sum, digit| sum.saturating_mul(10).saturating_add(i64::from(digit.wrapping_sub(b'0'))));
    let before = before.saturating_add(sign * exponent);
    is_zero || before < 309 || before == 309 && digits().skip(zeros).lt(*b"17976931348623158")
}

/// Shortest decimal digits that read back as the same number, without sign and point, and the decimal exponent of the
/// first one.
fn digits(scientific: &str) -> (String, i32) {
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((scientific, "0"));
    let digits: String = mantissa.chars().filter(char::is_ascii_digit).collect();
    (digits, exponent.parse().unwrap_or_default())
}

/// As Go's `encoding/json` writes a float64: plain between 1e-6 and 1e21, with an exponent elsewhere. The number is
/// finite; one that is not becomes `null`, which never happens for what a document holds.
pub(crate) fn write_json_float(value: f64, out: &mut Vec<u8>) {
    if !value.is_finite() {
        out.extend_from_slice(b"null");
        return;
    }
    let (digits, exponent) = digits(&format!("{:e}", value.abs()));
    let mut text = String::with_capacity(24);
    if value.is_sign_negative() {
        text.push('-');
    }
    if value == 0.0 || (-6..21).contains(&exponent) {
        plain(&digits, exponent, &mut text);
    } else {
        scientific(&digits, exponent, 1, &mut text);
    }
    out.extend_from_slice(text.as_bytes());
}

/// As Kubernetes' YAML decoder spells a float that is a map's key: Go's `FormatFloat(value, 'g', -1, 32)`.
pub(crate) fn float_key(value: f64) -> String {
    #[expect(clippy::cast_possible_truncation, reason = "keys go through 32 bits there")]
    let value = value as f32;
    if value.is_nan() {
        return ".nan".to_owned();
    }
    let mut text = String::new();
    if value.is_sign_negative() {
        text.push('-');
    }
    if value.is_infinite() {
        text.push_str(".inf");
        return text;
    }
    let (digits, exponent) = digits(&format!("{:e}", value.abs()));
    // Go's bounds for the shortest form.
    if (-4..6).contains(&exponent) {
        plain(&digits, exponent, &mut text);
    } else {
        scientific(&digits, exponent, 2, &mut text);
    }
    text
}

fn plain(digits: &str, exponent: i32, out: &mut String) {
    let point = usize::try_from(exponent + 1).unwrap_or_default();
    if exponent < 0 {
        out.push_str("0.");
        out.extend(std::iter::repeat_n('0', usize::try_from(-exponent - 1).unwrap_or_default()));
        out.push_str(digits);
        return;
    }
    let zeros = std::iter::repeat_n('0', point.saturating_sub(digits.len()));
    out.extend(digits.chars().take(point).chain(zeros));
    if digits.len() > point {
        out.push('.');
        out.extend(digits.chars().skip(point));
    }
}

fn scientific(digits: &str, exponent: i32, exponent_digits: usize, out: &mut String) {
    out.extend(digits.chars().take(1));
    if digits.len() > 1 {
        out.push('.');
        out.extend(digits.chars().skip(1));
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    // Writing to a string cannot fail.
    let _ = write!(out, "e{sign}{:0exponent_digits$}", exponent.unsigned_abs());
}
