//! What an evaluation met that only a cluster knows, or that is not computed here.
//!
//! It is written down when it is met, since the error that comes of it does not always come out: of two errors, `&&` and `||` give
//! one, and which one says nothing about what a cluster would have made of both.

use std::cell::RefCell;

use cel::ExecutionError;

use crate::errors::failed;

thread_local! {
    /// What was met first, in our words.
    static MET: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Before an evaluation.
pub(crate) fn forget() {
    MET.with_borrow_mut(|met| *met = None);
}

/// What was met first since [`forget`]. If there is a value nevertheless, it does not depend on it.
pub(crate) fn met() -> Option<String> {
    MET.with_borrow(Clone::clone)
}

/// A variable that has a value in a cluster was asked for.
pub(crate) fn variable(name: &str) {
    note(|| match name {
        "authorizer" => "`authorizer` is not known offline".to_owned(),
        name => format!("`{name}` is not known"),
    });
}

/// A function may have a value in a cluster, and has none here. `message` must not repeat a value.
pub(crate) fn value(function: &str, message: &str) -> ExecutionError {
    note(|| format!("`{function}`: {message}"));
    failed(function, message)
}

fn note(text: impl FnOnce() -> String) {
    MET.with_borrow_mut(|met| {
        met.get_or_insert_with(text);
    });
}
