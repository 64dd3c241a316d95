//! Regular expressions: `matches` (CEL), `find` and `findAll` (Kubernetes).
//!
//! A cluster uses RE2. `regex-lite` has the same linear time and the same ASCII classes; what it reads differently is refused first,
//! and what it lacks (Unicode classes, `\Q…\E`) it refuses itself.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use cel::common::types::{CelBool, CelInt, CelList, CelString};
use cel::{DeclarationError, Env, ExecutionError};
use regex_lite::{Regex, RegexBuilder};

use super::Library;
use super::lists::strings;
use crate::errors::failed;

pub(super) const LIBRARY: Library =
    Library { global: &[("matches", &[2])], member: &[("matches", &[1]), ("find", &[1]), ("findAll", &[1, 2])], register };

/// Patterns that are remembered, and then forgotten all at once.
const PATTERNS: usize = 256;
/// Bytes of a compiled pattern.
const SIZE: usize = 1 << 20;

fn register(env: &mut Env) -> Result<(), DeclarationError> {
    cel::add_overload!(env, fn matches: (CelString, CelString) -> Result<CelBool>)?;
    cel::add_member_overload!(env, fn matches: (CelString, CelString) -> Result<CelBool>)?;
    cel::add_member_overload!(env, fn find: (CelString, CelString) -> Result<CelString>)?;
    cel::add_member_overload!(env, fn find_all: (CelString, CelString) -> Result<CelList>)?;
    cel::add_member_overload!(env, fn find_some: (CelString, CelString, CelInt) -> Result<CelList>, name = "findAll")
}

fn matches(text: &CelString<'_>, pattern: &CelString<'_>) -> Result<CelBool, ExecutionError> {
    Ok(CelBool::from(compiled("matches", pattern)?.is_match(text.inner())))
}

fn find(text: &CelString<'_>, pattern: &CelString<'_>) -> Result<CelString<'static>, ExecutionError> {
    let pattern = compiled("find", pattern)?;
    Ok(CelString::from(pattern.find(text.inner()).map_or("", |found| found.as_str()).to_owned()))
}

fn find_all(text: &CelString<'_>, pattern: &CelString<'_>) -> Result<CelList<'static>, ExecutionError> {
    let pattern = compiled("findAll", pattern)?;
    Ok(strings(pattern.find_iter(text.inner()).map(|found| found.as_str())))
}

fn find_some(text: &CelString<'_>, pattern: &CelString<'_>, limit: &CelInt) -> Result<CelList<'static>, ExecutionError> {
    let Ok(limit) = usize::try_from(*limit.inner()) else { return find_all(text, pattern) };
    let pattern = compiled("findAll", pattern)?;
    Ok(strings(pattern.find_iter(text.inner()).take(limit).map(|found| found.as_str())))
}

fn compiled(function: &str, pattern: &CelString<'_>) -> Result<Rc<Regex>, ExecutionError> {
    thread_local! {
        static PATTERNS_SEEN: RefCell<HashMap<String, Rc<Regex>>> = RefCell::new(HashMap::new());
    }
    let pattern = pattern.inner();
    PATTERNS_SEEN.with_borrow_mut(|seen| {
        if let Some(regex) = seen.get(pattern) {
            return Ok(Rc::clone(regex));
        }
        if reads_differently(pattern) {
            return Err(failed(function, "the pattern uses what is not supported offline, or what RE2 does not know"));
        }
        let regex =
            RegexBuilder::new(pattern).size_limit(SIZE).build().map_err(|_| failed(function, "not a pattern that is supported offline"))?;
        if seen.len() >= PATTERNS {
            seen.clear();
        }
        let regex = Rc::new(regex);
        seen.insert(pattern.to_owned(), Rc::clone(&regex));
        Ok(regex)
    })
}

/// Whether `regex-lite` takes a pattern that RE2 refuses or reads in another way.
fn reads_differently(pattern: &str) -> bool {
    let bytes = pattern.as_bytes();
    let at = |index: usize| bytes.get(index).copied().unwrap_or_default();
    // Folding the case of letters beyond ASCII is RE2's alone.
    let mut folds = false;
    let mut index = 0;
    while index < bytes.len() {
        match (at(index), at(index + 1)) {
            // Word edges by other names, and code points as `\u`.
            (b'\\', b'<' | b'>' | b'u' | b'U') => return true,
            (b'\\', b'b') if at(index + 2) == b'{' => return true,
            (b'\\', _) => index += 1,
            (b'(', b'?') => {
                let flags = bytes.get(index + 2..).unwrap_or_default();
                let end = flags.iter().position(|flag| !flag.is_ascii_alphabetic() && *flag != b'-').unwrap_or(flags.len());
                let flags = flags.get(..end).unwrap_or_default();
                if at(index + 2 + end) != b'<' && flags.iter().any(|flag| matches!(flag, b'x' | b'R' | b'u')) {
                    return true;
                }
                folds |= flags.contains(&b'i');
            }
            _ => {}
        }
        index += 1;
    }
    folds && !pattern.is_ascii()
}
