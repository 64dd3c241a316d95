//! Numbers as Go writes them.

use std::fmt::Write;

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
