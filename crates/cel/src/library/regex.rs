//! Regular expressions: `matches` (CEL), `find` and `findAll` (Kubernetes).
//!
//! A cluster uses RE2, as Go has it. `regex-lite` has the same linear time and the same ASCII classes. What it reads differently, and
//! what it lacks or has no room for (Unicode classes, `\Q…\E`), is not known.

mod syntax;

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use cel::common::types::{CelBool, CelInt, CelList, CelString};
use cel::{DeclarationError, Env, ExecutionError};
use regex_lite::{Regex, RegexBuilder};

use super::Library;
use super::lists::strings;
use crate::errors::failed;
use crate::unknown;

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
        if syntax::is_broken(pattern) {
            return Err(failed(function, "not a regular expression"));
        }
        let regex = Some(pattern).filter(|pattern| !syntax::reads_differently(pattern));
        let regex = regex.and_then(|pattern| RegexBuilder::new(pattern).size_limit(SIZE).build().ok());
        let regex = regex.ok_or_else(|| unknown::value(function, "regular expressions of this form or size are not supported offline"))?;
        if seen.len() >= PATTERNS {
            seen.clear();
        }
        let regex = Rc::new(regex);
        seen.insert(pattern.to_owned(), Rc::clone(&regex));
        Ok(regex)
    })
}
