//! What is no result: what could not be judged or read, what was skipped, notes.

use fedward_outcome::{Deployed, NotEvaluated, Outcome, Skipped, State, Unread, count_states};
use serde::{Serialize, Serializer};

use super::Message;
use super::location::Place;
use crate::entry;
use crate::gate::{Gate, Verdict};
use crate::summary::count;

const NOT_EVALUATED: (usize, &str) = (0, entry::NOT_EVALUATED);
const SKIPPED: (usize, &str) = (1, "skipped");
const NOTE: (usize, &str) = (2, "note");
const UNREAD: (usize, &str) = (3, entry::UNREAD);
const NOT_RENDERED: (usize, &str) = (4, entry::NOT_RENDERED);
const NOTHING: (usize, &str) = (5, entry::NOTHING);

/// The kinds of notifications, by index.
pub(super) const DESCRIPTORS: &[Descriptor] = &[
    Descriptor { id: NOT_EVALUATED.1, short_description: Text { text: "Something could not be judged" } },
    Descriptor { id: SKIPPED.1, short_description: Text { text: "A file or document was skipped on purpose" } },
    Descriptor { id: NOTE.1, short_description: Text { text: "Worth knowing" } },
    Descriptor { id: UNREAD.1, short_description: Text { text: "A file or folder could not be read" } },
    Descriptor { id: NOT_RENDERED.1, short_description: Text { text: "Something that is deployed is not rendered, or not all of it" } },
    Descriptor { id: NOTHING.1, short_description: Text { text: "Nothing was judged" } },
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
    #[serde(skip_serializing_if = "Option::is_none")]
    exit_code_description: Option<String>,
    tool_execution_notifications: Notifications<'a>,
}

impl<'a> Invocation<'a> {
    pub(super) fn new(outcome: &'a Outcome, gate: &'a Gate) -> Self {
        Invocation {
            execution_successful: matches!(gate.verdict(outcome), Verdict::Passed | Verdict::Findings),
            exit_code_description: gate.why(outcome),
            tool_execution_notifications: Notifications(outcome, gate),
        }
    }
}

/// Notifications, made one by one while they are written.
struct Notifications<'a>(&'a Outcome, &'a Gate);

impl Serialize for Notifications<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let not_evaluated = self.0.not_evaluated.iter().map(Notification::not_evaluated);
        let skipped = self.0.skipped.iter().map(Notification::skipped);
        let notes = self.0.notes.iter().map(|note| Notification::new(NOTE, "note", Message::new(note.as_str())));
        let unread = self.0.unread.iter().map(Notification::unread);
        let not_rendered = self.0.deployed.iter().filter(|one| !matches!(one.state, State::Rendered | State::Untouched));
        let not_rendered = not_rendered.map(|one| Notification::deployed(one, self.1.is_unknown(one)));
        let untouched = Notification::untouched(&self.0.deployed);
        let nothing = self.1.nothing(self.0).map(|text| Notification::new(NOTHING, "error", Message::new(text)));
        serializer.collect_seq(not_evaluated.chain(unread).chain(not_rendered).chain(untouched).chain(nothing).chain(skipped).chain(notes))
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

    fn deployed(deployed: &'a Deployed, is_unknown: bool) -> Self {
        let level = if is_unknown { "error" } else { "note" };
        let place = deployed.location.as_ref().map(|location| [Place::new(location, None)]);
        Notification { locations: place, ..Notification::new(NOT_RENDERED, level, Message::new(entry::not_rendered(deployed))) }
    }

    /// What a change does not touch, all together: that may be most of a repository.
    fn untouched(deployed: &[Deployed]) -> Option<Self> {
        let of = |kind: &str| count_states(deployed, &[kind]).untouched;
        let counts = ["Application", "ApplicationSet"].map(|kind| (of(kind), kind));
        let counts: Vec<String> = counts.into_iter().filter(|(number, _)| *number > 0).map(|(number, kind)| count(number, kind)).collect();
        let text = format!("not judged, since the change does not touch them: {}", counts.join(", "));
        (!counts.is_empty()).then(|| Notification::new(NOT_RENDERED, "note", Message::new(text)))
    }

    fn skipped(skipped: &'a Skipped) -> Self {
        let text = format!("skipped: {}", skipped.reason);
        let place = Place::file(&skipped.file, skipped.line);
        Notification { locations: Some([place]), ..Notification::new(SKIPPED, "note", Message::new(text)) }
    }
}
