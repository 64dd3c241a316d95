//! What is no result: what could not be judged or read, what was skipped, notes.

use fedward_outcome::{NotEvaluated, Outcome, Skipped, Unread};
use serde::{Serialize, Serializer};

use super::Message;
use super::location::Place;

const NOT_EVALUATED: (usize, &str) = (0, "not-evaluated");
const SKIPPED: (usize, &str) = (1, "skipped");
const NOTE: (usize, &str) = (2, "note");
const UNREAD: (usize, &str) = (3, "unread");

/// The kinds of notifications, by index.
pub(super) const DESCRIPTORS: &[Descriptor] = &[
    Descriptor { id: NOT_EVALUATED.1, short_description: Text { text: "Something could not be judged" } },
    Descriptor { id: SKIPPED.1, short_description: Text { text: "A file or document was skipped on purpose" } },
    Descriptor { id: NOTE.1, short_description: Text { text: "Worth knowing" } },
    Descriptor { id: UNREAD.1, short_description: Text { text: "A file or folder could not be read" } },
];

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Descriptor {
    id: &'static str,
    short_description: Text,
}

#[derive(Serialize)]
struct Text {
    text: &'static str,
}

/// The run as such.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Invocation<'a> {
    execution_successful: bool,
    tool_execution_notifications: Notifications<'a>,
}

impl<'a> Invocation<'a> {
    pub(super) fn new(outcome: &'a Outcome) -> Self {
        let execution_successful = outcome.not_evaluated.is_empty() && outcome.unread.is_empty();
        Invocation { execution_successful, tool_execution_notifications: Notifications(outcome) }
    }
}

/// Notifications, made one by one while they are written.
struct Notifications<'a>(&'a Outcome);

impl Serialize for Notifications<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let not_evaluated = self.0.not_evaluated.iter().map(Notification::not_evaluated);
        let skipped = self.0.skipped.iter().map(Notification::skipped);
        let notes = self.0.notes.iter().map(|note| Notification::new(NOTE, "note", Message::new(note.as_str())));
        let unread = self.0.unread.iter().map(Notification::unread);
        serializer.collect_seq(not_evaluated.chain(unread).chain(skipped).chain(notes))
    }
}

#[derive(Serialize)]
struct Notification<'a> {
    descriptor: Reference,
    level: &'static str,
    message: Message<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    locations: Option<[Place<'a>; 1]>,
}

#[derive(Serialize)]
struct Reference {
    id: &'static str,
    index: usize,
}

impl<'a> Notification<'a> {
    fn new((index, id): (usize, &'static str), level: &'static str, message: Message<'a>) -> Self {
        Notification { descriptor: Reference { id, index }, level, message, locations: None }
    }

    fn not_evaluated(not_evaluated: &'a NotEvaluated) -> Self {
        let text = format!("could not be judged by `{}`: {}", not_evaluated.policy, not_evaluated.reason);
        let place = Place::new(&not_evaluated.location, not_evaluated.object.as_ref());
        Notification { locations: Some([place]), ..Notification::new(NOT_EVALUATED, "error", Message::new(text)) }
    }

    fn unread(unread: &'a Unread) -> Self {
        let text = format!("cannot be read: {}", unread.reason);
        let place = Place::file(&unread.file, None);
        Notification { locations: Some([place]), ..Notification::new(UNREAD, "error", Message::new(text)) }
    }

    fn skipped(skipped: &'a Skipped) -> Self {
        let text = format!("skipped: {}", skipped.reason);
        let place = Place::file(&skipped.file, skipped.line);
        Notification { locations: Some([place]), ..Notification::new(SKIPPED, "note", Message::new(text)) }
    }
}
