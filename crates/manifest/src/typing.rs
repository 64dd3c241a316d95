//! What a scalar means, as Kubernetes' own decoder (`sigs.k8s.io/yaml`, which is go-yaml v2) has it: YAML 1.1's words
//! and numbers, then JSON. `tests/scalars.json` holds what that decoder answered.

use crate::number::Floats;

/// What an untagged plain scalar, or one with a tag, resolves to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Resolved {
    Null,
    Bool(bool),
    Int(i64),
    Uint(u64),
    Float(f64),
    Str,
}

/// The tags that change what a scalar means; every other tag makes it a string.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tag {
    Str,
    Int,
    Float,
    Bool,
    Null,
    Timestamp,
    Binary,
    Merge,
    /// Any other, `!` included.
    Other,
}

impl Tag {
    /// The tag `tag:yaml.org,2002:<name>`.
    pub(crate) fn core(name: &str) -> Self {
        match name {
            "str" => Self::Str,
            "int" => Self::Int,
            "float" => Self::Float,
            "bool" => Self::Bool,
            "null" => Self::Null,
            "timestamp" => Self::Timestamp,
            "binary" => Self::Binary,
            "merge" => Self::Merge,
            _ => Self::Other,
        }
    }

    /// As people write it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Str => "!!str",
            Self::Int => "!!int",
            Self::Float => "!!float",
            Self::Bool => "!!bool",
            Self::Null => "!!null",
            Self::Timestamp => "!!timestamp",
            Self::Binary => "!!binary",
            Self::Merge => "!!merge",
            Self::Other => "its tag",
        }
    }
}

/// Resolves a plain scalar without a tag.
pub(crate) fn resolve(text: &str, floats: Floats) -> Resolved {
    match text.as_bytes() {
        [] => Resolved::Null,
        [b'0'..=b'9' | b'+' | b'-', ..] => word(text).unwrap_or_else(|| number(text, floats)),
        [b'.', ..] => word(text).unwrap_or_else(|| go_float(text, floats).map_or(Resolved::Str, Resolved::Float)),
        [b'y' | b'Y' | b'n' | b'N' | b't' | b'T' | b'f' | b'F' | b'o' | b'O' | b'~', ..] if text.len() <= 5 => {
            word(text).unwrap_or(Resolved::Str)
        }
        _ => Resolved::Str,
    }
}

/// Resolves a scalar with a tag, however it is quoted; `None` where the text does not fit the tag.
pub(crate) fn resolve_tagged(tag: Tag, text: &str, floats: Floats) -> Option<Resolved> {
    let resolved = match tag {
        Tag::Str | Tag::Other | Tag::Merge | Tag::Binary => return Some(Resolved::Str),
        Tag::Timestamp => return looks_like_timestamp(text).then_some(Resolved::Str),
        Tag::Int | Tag::Float | Tag::Bool | Tag::Null => resolve(text, floats),
    };
    match (tag, resolved) {
        #[expect(clippy::cast_precision_loss, reason = "that is what the tag asks for")]
        (Tag::Float, Resolved::Int(value)) => Some(Resolved::Float(value as f64)),
        (Tag::Float, Resolved::Float(_))
        | (Tag::Int, Resolved::Int(_) | Resolved::Uint(_))
        | (Tag::Bool, Resolved::Bool(_))
        | (Tag::Null, Resolved::Null) => Some(resolved),
        _ => None,
    }
}

fn word(text: &str) -> Option<Resolved> {
    Some(match text {
        "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => Resolved::Bool(true),
        "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => Resolved::Bool(false),
        "~" | "null" | "Null" | "NULL" => Resolved::Null,
        ".nan" | ".NaN" | ".NAN" => Resolved::Float(f64::NAN),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => Resolved::Float(f64::INFINITY),
        "-.inf" | "-.Inf" | "-.INF" => Resolved::Float(f64::NEG_INFINITY),
        _ => return None,
    })
}

/// A scalar that begins with a digit or a sign.
pub(crate) fn number(text: &str, floats: Floats) -> Resolved {
    let without_underscores;
    let plain = if text.contains('_') {
        without_underscores = text.replace('_', "");
        without_underscores.as_str()
    } else {
        text
    };
    if let Some(value) = go_int(plain) {
        return value;
    }
    if is_yaml_float(plain)
        && let Some(value) = (floats.value)(plain)
    {
        return Resolved::Float(value);
    }
    odd_binary(plain).unwrap_or(Resolved::Str)
}

/// Go's `ParseInt(text, 0, 64)`, then `ParseUint` of the same.
fn go_int(text: &str) -> Option<Resolved> {
    let (negative, signed, rest) = match text.as_bytes().first()? {
        b'-' => (true, true, text.get(1..)?),
        b'+' => (false, true, text.get(1..)?),
        _ => (false, false, text),
    };
    let (radix, digits) = match rest.as_bytes() {
        [b'0', b'x' | b'X', ..] => (16, rest.get(2..)?),
        [b'0', b'b' | b'B', ..] => (2, rest.get(2..)?),
        [b'0', b'o' | b'O', ..] => (8, rest.get(2..)?),
        [b'0', _, ..] => (8, rest.get(1..)?),
        _ => (10, rest),
    };
    // `from_str_radix` would take a second sign.
    if !digits.as_bytes().first()?.is_ascii_alphanumeric() {
        return None;
    }
    let value = u64::from_str_radix(digits, radix).ok()?;
    match i64::try_from(value) {
        Ok(value) => Some(Resolved::Int(if negative { -value } else { value })),
        Err(_) if negative => (value == i64::MIN.unsigned_abs()).then_some(Resolved::Int(i64::MIN)),
        Err(_) => (!signed).then_some(Resolved::Uint(value)),
    }
}

/// What is left of go-yaml's own reading of `0b`, for which a second sign may stand after the prefix.
fn odd_binary(text: &str) -> Option<Resolved> {
    let digits = text.strip_prefix("0b")?;
    i64::from_str_radix(digits, 2).ok().map(Resolved::Int)
}

/// `[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?`
fn is_yaml_float(text: &str) -> bool {
    let rest = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (mantissa, exponent) = match rest.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (rest, None),
    };
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (mantissa, None),
    };
    let mantissa_is_right = match (whole, fraction) {
        ("", fraction) => fraction.is_some_and(is_digits),
        (whole, None) => is_digits(whole),
        (whole, Some(fraction)) => is_digits(whole) && (fraction.is_empty() || is_digits(fraction)),
    };
    mantissa_is_right && exponent.is_none_or(|exponent| is_digits(exponent.strip_prefix(['-', '+']).unwrap_or(exponent)))
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Go's `ParseFloat` of a scalar that begins with a point, where an underscore may stand between two digits.
fn go_float(text: &str, floats: Floats) -> Option<f64> {
    let bytes = text.as_bytes();
    let digit = |at: Option<usize>| at.and_then(|at| bytes.get(at)).is_some_and(u8::is_ascii_digit);
    let mut underscores = bytes.iter().enumerate().filter(|(_, byte)| **byte == b'_').map(|(at, _)| at);
    if !underscores.all(|at| digit(at.checked_sub(1)) && digit(Some(at + 1))) {
        return None;
    }
    let plain = text.replace('_', "");
    if is_yaml_float(&plain) { (floats.value)(&plain) } else { None }
}

/// A year of four digits and a month: the shape of every timestamp that Go's decoder takes. It also checks the rest.
fn looks_like_timestamp(text: &str) -> bool {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    digits == 4 && text.as_bytes().get(4) == Some(&b'-') && text.bytes().all(|byte| byte.is_ascii_digit() || b"-:.TtZz+ ".contains(&byte))
}
