//! Semantic versions, as semver.org has them; build metadata does not order.

use std::cmp::Ordering;

use cel::common::types::{CelBool, CelInt, CelString};
use cel::common::value::Val;
use cel::{DeclarationError, Env, ExecutionError};

use super::Library;
use super::opaque::opaque;
use crate::errors::failed;

pub(super) const LIBRARY: Library = Library {
    global: &[("semver", &[1, 2]), ("isSemver", &[1, 2])],
    member: &[("major", &[0]), ("minor", &[0]), ("patch", &[0]), ("isGreaterThan", &[1]), ("isLessThan", &[1]), ("compareTo", &[1])],
    register,
};

#[derive(Debug, Clone)]
struct Version(semver::Version);
opaque!(Version, "kubernetes.Semver");

impl PartialEq for Version {
    fn eq(&self, other: &Self) -> bool {
        self.0.cmp_precedence(&other.0) == Ordering::Equal
    }
}

fn register(env: &mut Env) -> Result<(), DeclarationError> {
    env.add_type(Version::cel_type().to_owned())?;
    cel::add_overload!(env, fn version: (CelString) -> Result<Version>, name = "semver")?;
    cel::add_overload!(env, fn tolerant: (CelString, CelBool) -> Result<Version>, name = "semver")?;
    cel::add_overload!(env, fn is_version: (CelString) -> CelBool, name = "isSemver")?;
    cel::add_overload!(env, fn is_tolerant: (CelString, CelBool) -> CelBool, name = "isSemver")?;
    cel::add_member_overload!(env, fn major: (Version) -> Result<CelInt>)?;
    cel::add_member_overload!(env, fn minor: (Version) -> Result<CelInt>)?;
    cel::add_member_overload!(env, fn patch: (Version) -> Result<CelInt>)?;
    cel::add_member_overload!(env, fn greater: (Version, Version) -> CelBool, name = "isGreaterThan")?;
    cel::add_member_overload!(env, fn less: (Version, Version) -> CelBool, name = "isLessThan")?;
    cel::add_member_overload!(env, fn compare: (Version, Version) -> CelInt, name = "compareTo")
}

/// With `normalize`, a `v` in front goes, missing numbers are zero, and zeros in front of a number go.
fn parse(text: &str, normalize: bool) -> Option<Version> {
    if !normalize {
        return semver::Version::parse(text).ok().map(Version);
    }
    let mut parts: Vec<String> = text
        .strip_prefix('v')
        .unwrap_or(text)
        .splitn(3, '.')
        .map(|part| {
            let short = part.trim_start_matches('0');
            let zero = part.len() > 1 && !short.starts_with(|first: char| first.is_ascii_digit());
            if part.len() <= 1 { part.to_owned() } else { format!("{}{short}", if zero { "0" } else { "" }) }
        })
        .collect();
    if parts.len() < 3 && parts.last().is_some_and(|last| last.contains(['+', '-'])) {
        return None;
    }
    parts.resize(3, "0".to_owned());
    semver::Version::parse(&parts.join(".")).ok().map(Version)
}

fn version(text: &CelString<'_>) -> Result<Version, ExecutionError> {
    parse(text.inner(), false).ok_or_else(|| failed("semver", "not a semantic version"))
}

fn tolerant(text: &CelString<'_>, normalize: &CelBool) -> Result<Version, ExecutionError> {
    parse(text.inner(), *normalize.inner()).ok_or_else(|| failed("semver", "not a semantic version"))
}

fn is_version(text: &CelString<'_>) -> CelBool {
    parse(text.inner(), false).is_some().into()
}

fn is_tolerant(text: &CelString<'_>, normalize: &CelBool) -> CelBool {
    parse(text.inner(), *normalize.inner()).is_some().into()
}

fn number(function: &str, number: u64) -> Result<CelInt, ExecutionError> {
    i64::try_from(number).map(CelInt::from).map_err(|_| failed(function, "the number is too large"))
}

fn major(version: &Version) -> Result<CelInt, ExecutionError> {
    number("major", version.0.major)
}

fn minor(version: &Version) -> Result<CelInt, ExecutionError> {
    number("minor", version.0.minor)
}

fn patch(version: &Version) -> Result<CelInt, ExecutionError> {
    number("patch", version.0.patch)
}

fn greater(left: &Version, right: &Version) -> CelBool {
    left.0.cmp_precedence(&right.0).is_gt().into()
}

fn less(left: &Version, right: &Version) -> CelBool {
    left.0.cmp_precedence(&right.0).is_lt().into()
}

fn compare(left: &Version, right: &Version) -> CelInt {
    CelInt::from(left.0.cmp_precedence(&right.0) as i64)
}
