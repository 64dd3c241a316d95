//! Why something is not as it should be.

use crate::place::Place;

/// A reason for people: no capital, no full stop, user text in backticks, never a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    /// The reason.
    pub text: String,
    /// What it is about, if that is written somewhere.
    pub place: Option<Place>,
}

impl Reason {
    /// A reason about a value.
    pub(crate) fn at(place: &Place, text: impl Into<String>) -> Self {
        Reason { text: text.into(), place: Some(place.clone()) }
    }

    /// A reason about nothing that is written.
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Reason { text: text.into(), place: None }
    }

    /// The reason, with a place if it has none.
    pub(crate) fn or_at(mut self, place: &Place) -> Self {
        self.place.get_or_insert_with(|| place.clone());
        self
    }
}

/// Why there is no result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stop {
    /// It cannot be known from what is there.
    Deferred(Reason),
    /// Argo CD would fail, too.
    Failed(Reason),
}

impl Stop {
    /// The reason.
    #[must_use]
    pub fn reason(&self) -> &Reason {
        match self {
            Stop::Deferred(reason) | Stop::Failed(reason) => reason,
        }
    }

    pub(crate) fn failed(place: &Place, text: impl Into<String>) -> Self {
        Stop::Failed(Reason::at(place, text))
    }

    pub(crate) fn deferred(place: &Place, text: impl Into<String>) -> Self {
        Stop::Deferred(Reason::at(place, text))
    }
}
