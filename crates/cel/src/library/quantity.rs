//! Quantities of resources (`500m`, `1Gi`), as Kubernetes' `resource.Quantity` reads, rounds and compares them.

use cel::common::types::{CelBool, CelDouble, CelInt, CelString};
use cel::common::value::Val;
use cel::{DeclarationError, Env, ExecutionError};

use super::Library;
use super::opaque::opaque;
use crate::errors::failed;
use crate::unknown;

pub(super) const LIBRARY: Library = Library {
    global: &[("quantity", &[1]), ("isQuantity", &[1]), ("sign", &[1])],
    member: &[
        ("sign", &[0]),
        ("isInteger", &[0]),
        ("asInteger", &[0]),
        ("asApproximateFloat", &[0]),
        ("add", &[1]),
        ("sub", &[1]),
        ("isGreaterThan", &[1]),
        ("isLessThan", &[1]),
        ("compareTo", &[1]),
    ],
    register,
};

/// One, in the unit that everything is rounded up to.
const ONE: i128 = 1_000_000_000;
/// What larger numbers with a binary suffix are cut down to.
const MOST: i128 = i64::MAX as i128 * ONE;
/// Digits that the short form has, at most.
const SHORT_DIGITS: i32 = 18;
/// The unit's exponent.
const NANO: i32 = -9;

/// A number of nano-units.
#[derive(Debug, Clone)]
struct Quantity {
    nanos: i128,
    /// Kubernetes' short form, a number and its exponent, if it would use that. Only a number in short form can be an integer to it,
    /// and `1000m` is none.
    short: Option<(i64, i32)>,
}
opaque!(Quantity, "kubernetes.Quantity");

impl PartialEq for Quantity {
    fn eq(&self, other: &Self) -> bool {
        self.nanos == other.nanos
    }
}

fn register(env: &mut Env) -> Result<(), DeclarationError> {
    env.add_type(Quantity::cel_type().to_owned())?;
    cel::add_overload!(env, fn quantity: (CelString) -> Result<Quantity>)?;
    cel::add_overload!(env, fn is_quantity: (CelString) -> CelBool)?;
    cel::add_overload!(env, fn sign: (Quantity) -> CelInt)?;
    cel::add_member_overload!(env, fn sign: (Quantity) -> CelInt, id = "quantity_sign")?;
    cel::add_member_overload!(env, fn is_integer: (Quantity) -> CelBool)?;
    cel::add_member_overload!(env, fn as_integer: (Quantity) -> Result<CelInt>)?;
    cel::add_member_overload!(env, fn as_approximate_float: (Quantity) -> CelDouble)?;
    cel::add_member_overload!(env, fn add: (Quantity, Quantity) -> Result<Quantity>)?;
    cel::add_member_overload!(env, fn add_int: (Quantity, CelInt) -> Result<Quantity>, name = "add")?;
    cel::add_member_overload!(env, fn sub: (Quantity, Quantity) -> Result<Quantity>)?;
    cel::add_member_overload!(env, fn sub_int: (Quantity, CelInt) -> Result<Quantity>, name = "sub")?;
    cel::add_member_overload!(env, fn is_greater_than: (Quantity, Quantity) -> CelBool)?;
    cel::add_member_overload!(env, fn is_less_than: (Quantity, Quantity) -> CelBool)?;
    cel::add_member_overload!(env, fn compare_to: (Quantity, Quantity) -> CelInt)
}

/// Why a text is no quantity to us.
#[derive(Debug, PartialEq)]
enum Trouble {
    /// It is none.
    Malformed,
    /// It is one, with more digits than are computed with here.
    TooLong,
}

/// A suffix's meaning.
enum Suffix {
    Decimal(i32),
    /// A power of two.
    Binary(u32),
}

fn suffix(text: &str) -> Option<Suffix> {
    Some(match text {
        "" => Suffix::Decimal(0),
        "n" => Suffix::Decimal(-9),
        "u" => Suffix::Decimal(-6),
        "m" => Suffix::Decimal(-3),
        "k" => Suffix::Decimal(3),
        "M" => Suffix::Decimal(6),
        "G" => Suffix::Decimal(9),
        "T" => Suffix::Decimal(12),
        "P" => Suffix::Decimal(15),
        "E" => Suffix::Decimal(18),
        "Ki" => Suffix::Binary(10),
        "Mi" => Suffix::Binary(20),
        "Gi" => Suffix::Binary(30),
        "Ti" => Suffix::Binary(40),
        "Pi" => Suffix::Binary(50),
        "Ei" => Suffix::Binary(60),
        exponent => Suffix::Decimal(exponent.strip_prefix(['e', 'E'])?.parse().ok()?),
    })
}

/// Reads a quantity: a sign, digits with a point, a suffix.
fn parse(text: &str) -> Result<Quantity, Trouble> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let negative = text.starts_with('-');
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    let (whole, rest) = unsigned.split_at_checked(digits(unsigned)).ok_or(Trouble::Malformed)?;
    let (fraction, rest) = match rest.strip_prefix('.') {
        Some(rest) => rest.split_at_checked(digits(rest)).ok_or(Trouble::Malformed)?,
        None => ("", rest),
    };
    if text.is_empty() {
        return Err(Trouble::Malformed);
    }
    let suffix = suffix(rest).ok_or(Trouble::Malformed)?;
    let has_digits = !whole.is_empty() || !fraction.is_empty();
    let whole = Some(whole.trim_start_matches('0')).filter(|whole| !whole.is_empty()).unwrap_or("0");

    let (exponent, power) = match suffix {
        Suffix::Decimal(exponent) => (exponent, 0),
        Suffix::Binary(power) => (0, power),
    };
    let scale = i64::from(exponent) - fraction.len() as i64;
    let all = format!("{whole}{fraction}");
    let precision = match power {
        0 => SHORT_DIGITS - all.len() as i32,
        power if fraction.is_empty() => 14 - all.len() as i32 - (power * 3 / 10) as i32,
        _ => -1,
    };
    let short = (precision >= 0 && scale >= i64::from(NANO) && scale <= 1000)
        .then(|| all.parse::<i64>().ok())
        .flatten()
        .and_then(|value| value.checked_mul(1 << power))
        .map(|value| (if negative { -value } else { value }, scale as i32));
    let significant = all.trim_start_matches('0').trim_end_matches('0');
    if significant.is_empty() {
        // In short form zero needs no digit.
        return if has_digits || short.is_some() { Ok(Quantity { nanos: 0, short }) } else { Err(Trouble::Malformed) };
    }
    // Zeros at the end count as powers of ten.
    let zeros = (all.len() - all.trim_end_matches('0').len()) as i64;
    let number: i128 = significant.parse().map_err(|_| Trouble::TooLong)?;
    let nanos = nanos(number.checked_mul(1 << power).ok_or(Trouble::TooLong)?, scale + zeros);
    let nanos = if power > 0 { nanos.map_or(MOST, |nanos| nanos.min(MOST)) } else { nanos.ok_or(Trouble::TooLong)? };
    let sign = |value: i128| if negative { -value } else { value };
    Ok(Quantity { nanos: sign(nanos), short: short.filter(|_| power == 0 || nanos < MOST) })
}

/// `number * 10^scale` in nano-units: rounded up, `None` if that is more than is computed with here.
fn nanos(number: i128, scale: i64) -> Option<i128> {
    let shift = scale - i64::from(NANO);
    let power = |shift: i64| u32::try_from(shift.unsigned_abs()).ok().and_then(|shift| 10_i128.checked_pow(shift));
    if shift >= 0 {
        power(shift).and_then(|power| number.checked_mul(power))
    } else {
        // A unit that is smaller than everything leaves one of ours.
        Some(power(shift).map_or(1, |power| number / power + i128::from(number % power != 0)))
    }
}

fn quantity(text: &CelString<'_>) -> Result<Quantity, ExecutionError> {
    parse(text.inner()).map_err(|trouble| match trouble {
        Trouble::Malformed => failed("quantity", "not a quantity"),
        Trouble::TooLong => too_long("quantity"),
    })
}

fn too_long(function: &str) -> ExecutionError {
    unknown::value(function, "numbers with this many digits are not computed with here")
}

fn is_quantity(text: &CelString<'_>) -> CelBool {
    (parse(text.inner()).err() != Some(Trouble::Malformed)).into()
}

fn sign(quantity: &Quantity) -> CelInt {
    CelInt::from(quantity.nanos.signum() as i64)
}

/// The number, if Kubernetes takes it for one: in short form, without an exponent below one, and small enough.
fn integer(quantity: &Quantity) -> Option<i64> {
    let (value, scale) = quantity.short?;
    10_i64.checked_pow(u32::try_from(scale).ok()?).and_then(|power| value.checked_mul(power))
}

fn is_integer(quantity: &Quantity) -> CelBool {
    integer(quantity).is_some().into()
}

fn as_integer(quantity: &Quantity) -> Result<CelInt, ExecutionError> {
    integer(quantity).map(CelInt::from).ok_or_else(|| failed("asInteger", "the quantity is no integer"))
}

fn as_approximate_float(quantity: &Quantity) -> CelDouble {
    CelDouble::from(quantity.nanos as f64 / ONE as f64)
}

fn plus(function: &str, left: &Quantity, right: &Quantity) -> Result<Quantity, ExecutionError> {
    let nanos = left.nanos.checked_add(right.nanos).ok_or_else(|| too_long(function))?;
    let short = match (left.short, right.short) {
        (Some((0, _)), short) | (short, Some((0, _))) => short,
        (Some((left, left_scale)), Some((right, right_scale))) => {
            let scale = left_scale.min(right_scale);
            let widen = |value: i64, from: i32| value.checked_mul(10_i64.checked_pow((from - scale) as u32)?);
            widen(left, left_scale).zip(widen(right, right_scale)).and_then(|(left, right)| left.checked_add(right)).map(|sum| (sum, scale))
        }
        _ => None,
    };
    Ok(Quantity { nanos, short })
}

fn negated(quantity: &Quantity) -> Quantity {
    let short = quantity.short.and_then(|(value, scale)| Some((value.checked_neg()?, scale)));
    Quantity { nanos: -quantity.nanos, short }
}

fn whole(number: &CelInt) -> Quantity {
    let number = *number.inner();
    Quantity { nanos: i128::from(number) * ONE, short: Some((number, 0)) }
}

fn add(left: &Quantity, right: &Quantity) -> Result<Quantity, ExecutionError> {
    plus("add", left, right)
}

fn add_int(left: &Quantity, right: &CelInt) -> Result<Quantity, ExecutionError> {
    plus("add", left, &whole(right))
}

fn sub(left: &Quantity, right: &Quantity) -> Result<Quantity, ExecutionError> {
    plus("sub", left, &negated(right))
}

fn sub_int(left: &Quantity, right: &CelInt) -> Result<Quantity, ExecutionError> {
    plus("sub", left, &negated(&whole(right)))
}

fn is_greater_than(left: &Quantity, right: &Quantity) -> CelBool {
    (left.nanos > right.nanos).into()
}

fn is_less_than(left: &Quantity, right: &Quantity) -> CelBool {
    (left.nanos < right.nanos).into()
}

fn compare_to(left: &Quantity, right: &Quantity) -> CelInt {
    CelInt::from(left.nanos.cmp(&right.nanos) as i64)
}
