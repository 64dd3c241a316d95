//! Other objects, asked of the host through Kubewarden's capabilities, with *not found* and *not known* kept apart.

use std::cell::Cell;

use crate::finding::ObjectRef;
use crate::json;
use crate::node::{Node, Origin, Session};
use crate::text::has;
use crate::value::Value;

/// The way to the host: Kubewarden's `kubernetes/*` operations.
pub trait Host {
    /// Calls `kubernetes/<operation>` with a JSON payload and gives the JSON answer.
    ///
    /// # Errors
    /// The host's error text, as Kubewarden words it.
    fn kubernetes(&self, operation: &str, payload: &[u8]) -> Result<Vec<u8>, String>;
}

/// Why the host cannot say whether something exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unknown {
    /// Offline: not among the loaded objects, though others of its kind in its namespace are.
    Absent,
    /// Offline: nothing of its kind in its namespace is loaded.
    Unseen,
    /// Offline: several loaded objects have that name and disagree.
    Ambiguous,
    /// Anything else: no permission, no such kind in the cluster, a value that only the running system knows.
    Other,
}

/// The answer to a question about one thing.
#[derive(Clone, Copy)]
pub enum Lookup<T> {
    /// It exists.
    Found(T),
    /// It does not exist.
    NotFound,
    /// The host cannot say. A rule never makes an error of this.
    NotKnown(Unknown),
}

impl<T> Lookup<T> {
    /// The thing, if it is known to exist.
    pub fn found(self) -> Option<T> {
        match self {
            Lookup::Found(thing) => Some(thing),
            Lookup::NotFound | Lookup::NotKnown(_) => None,
        }
    }

    /// Changes the thing.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Lookup<U> {
        match self {
            Lookup::Found(thing) => Lookup::Found(change(thing)),
            Lookup::NotFound => Lookup::NotFound,
            Lookup::NotKnown(why) => Lookup::NotKnown(why),
        }
    }
}

/// A list of objects, and whether it is all of them.
#[derive(Clone, Default)]
pub struct List<'a> {
    /// The objects.
    pub items: Vec<Node<'a>>,
    /// How many more exist that were not given.
    pub more: usize,
    /// Whether the host knows that there are no others.
    pub complete: bool,
}

/// The text that begins the error of a host which cannot know.
pub const NOT_KNOWN: &str = "fedward: not known: ";
/// The reasons after [`NOT_KNOWN`], as [`Unknown`] has them.
pub const REASONS: [(&str, Unknown); 3] = [("absent", Unknown::Absent), ("unseen", Unknown::Unseen), ("ambiguous", Unknown::Ambiguous)];

/// Other objects, each asked for once.
pub struct Context<'a> {
    host: &'a dyn Host,
    session: &'a Session<'a>,
    /// Whether the host answers questions to the index.
    pub indexed: bool,
    /// By hash, so that an object with thousands of names (a binding's subjects) does not cost the square of them.
    asked: [Cell<Option<&'a Asked<'a>>>; BUCKETS],
}

const BUCKETS: usize = 256;

/// In the manner of FNV-1a, eight bytes at a time. Chosen collisions cost time only, which the host bounds.
fn bucket(fields: &[(&str, Field<'_>)]) -> usize {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for (_, field) in fields {
        let Field::Text(text) = field else { continue };
        for chunk in text.as_bytes().chunks(8) {
            let mut word = [0; 8];
            if let Some(part) = word.get_mut(..chunk.len()) {
                part.copy_from_slice(chunk);
            }
            hash = (hash ^ u64::from_le_bytes(word)).wrapping_mul(0x0100_0000_01b3);
            hash ^= hash >> 29;
        }
    }
    (hash % BUCKETS as u64) as usize
}

/// One question and its answer. Lives in the arena.
struct Asked<'a> {
    operation: &'static str,
    /// The values of the question's fields: an operation has always the same fields.
    values: &'a [Field<'a>],
    answer: Result<Value<'a>, Option<Unknown>>,
    next: Option<&'a Asked<'a>>,
}

impl<'a> Context<'a> {
    /// A context that asks `host`.
    pub fn new(host: &'a dyn Host, session: &'a Session<'a>, indexed: bool) -> &'a Self {
        session.bump().alloc(Context { host, session, indexed, asked: [const { Cell::new(None) }; BUCKETS] })
    }

    /// The session of the evaluation.
    pub fn session(&self) -> &'a Session<'a> {
        self.session
    }

    /// One object. `anchor` is the node of the object under admission that names it.
    pub fn get(&self, object: ObjectRef<'_>, anchor: Node<'a>) -> Lookup<Node<'a>> {
        if object.name.is_empty() {
            return Lookup::NotFound;
        }
        let fields = [
            ("api_version", Field::Text(object.api_version)),
            ("disable_cache", Field::False),
            ("kind", Field::Text(object.kind)),
            ("name", Field::Text(object.name)),
            ("namespace", Field::text_or_null(object.namespace)),
        ];
        match self.ask("get_resource", &fields) {
            Ok(value) => Lookup::Found(self.node(value, anchor)),
            Err(None) => Lookup::NotFound,
            Err(Some(why)) => Lookup::NotKnown(why),
        }
    }

    /// The objects of a kind in a namespace (or in all, where `namespace` is empty) that match a field selector (or none, if empty).
    /// `None` where the host cannot say anything.
    pub fn list(&self, api_version: &str, kind: &str, namespace: &str, field_selector: &str, anchor: Node<'a>) -> Option<List<'a>> {
        self.list_masked((api_version, kind), namespace, field_selector, &[], anchor)
    }

    /// Like [`Context::list`], only with the fields that the masks name (dotted paths, transparent to lists); with all of them where there
    /// is no mask. A mask has to name `apiVersion`, `kind` and `metadata.name`, too, where they are wanted.
    pub fn list_masked(
        &self,
        (api_version, kind): (&str, &str),
        namespace: &str,
        field_selector: &str,
        masks: &[&str],
        anchor: Node<'a>,
    ) -> Option<List<'a>> {
        let fields = [
            ("api_version", Field::Text(api_version)),
            ("field_masks", Field::list_or_null(masks)),
            ("field_selector", Field::text_or_null(field_selector)),
            ("kind", Field::Text(kind)),
            ("label_selector", Field::Null),
            ("namespace", Field::Text(namespace)),
        ];
        let (operation, fields) = match (namespace, &fields) {
            ("", [all @ .., _]) => ("list_resources_all", all.as_slice()),
            (_, all) => ("list_resources_by_namespace", all.as_slice()),
        };
        let root = self.session.root(self.ask(operation, fields).ok()?, Origin::Aside);
        let metadata = root.get("metadata");
        let more = metadata.get("remainingItemCount").int().and_then(|count| usize::try_from(count).ok()).unwrap_or(0);
        let complete = metadata.get("continue").filled().is_none();
        let items = root.get("items").items().filter_map(|item| item.value()).map(|value| self.node(*value, anchor)).collect();
        Some(List { items, more, complete })
    }

    fn node(&self, value: Value<'a>, anchor: Node<'a>) -> Node<'a> {
        let aside = self.session.root(value, Origin::Aside);
        let metadata = aside.peek("metadata");
        let text = |node: Node<'a>| node.peek_str().unwrap_or("");
        let object = ObjectRef {
            api_version: text(aside.peek("apiVersion")),
            kind: text(aside.peek("kind")),
            namespace: text(metadata.peek("namespace")),
            name: text(metadata.peek("name")),
        };
        self.session.root(value, Origin::Context { object, anchor })
    }

    fn ask(&self, operation: &'static str, fields: &[(&str, Field<'_>)]) -> Result<Value<'a>, Option<Unknown>> {
        let Some(first) = self.asked.get(bucket(fields)) else { return Err(Some(Unknown::Other)) };
        let mut asked = first.get();
        while let Some(entry) = asked {
            if entry.operation == operation && entry.values.iter().eq(fields.iter().map(|(_, value)| value)) {
                return entry.answer;
            }
            asked = entry.next;
        }
        let bump = self.session.bump();
        let answer = match self.host.kubernetes(operation, question(fields).as_bytes()) {
            Ok(text) => Value::from_json(bump.alloc_slice_copy(&text), bump).map_err(|_| Some(Unknown::Other)),
            Err(text) => Err(classify(&text)),
        };
        let values = bump.alloc_slice_fill_iter(fields.iter().map(|(_, value)| value.kept(self.session)));
        first.set(Some(bump.alloc(Asked { operation, values, answer, next: first.get() })));
        answer
    }
}

/// The value of a field of a question.
#[derive(Clone, Copy, PartialEq)]
enum Field<'f> {
    Text(&'f str),
    List(&'f [&'f str]),
    False,
    Null,
}

impl<'f> Field<'f> {
    fn list_or_null(texts: &'f [&'f str]) -> Self {
        if texts.is_empty() { Field::Null } else { Field::List(texts) }
    }

    fn text_or_null(text: &'f str) -> Self {
        if text.is_empty() { Field::Null } else { Field::Text(text) }
    }

    /// The same in the arena.
    fn kept<'a>(self, session: &'a Session<'a>) -> Field<'a> {
        match self {
            Field::Text(text) => Field::Text(session.text(text)),
            Field::List(texts) => Field::List(session.bump().alloc_slice_fill_iter(texts.iter().map(|text| session.text(text)))),
            Field::False => Field::False,
            Field::Null => Field::Null,
        }
    }
}

fn question(fields: &[(&str, Field<'_>)]) -> String {
    let mut out = String::with_capacity(256);
    out.push('{');
    for (index, (name, value)) in fields.iter().enumerate() {
        out.push_str(if index > 0 { ",\"" } else { "\"" });
        out.push_str(name);
        out.push_str("\":");
        match value {
            Field::Text(text) => json::write_string(text, &mut out),
            Field::List(texts) => json::write_list(texts.iter(), &mut out, |text, out| json::write_string(text, out)),
            Field::False => out.push_str("false"),
            Field::Null => out.push_str("null"),
        }
    }
    out.push('}');
    out
}

/// `None` is *not found*.
fn classify(error: &str) -> Option<Unknown> {
    if let Some(reason) = error.strip_prefix(NOT_KNOWN) {
        return Some(REASONS.iter().find(|(name, _)| reason.starts_with(name)).map_or(Unknown::Other, |(_, why)| *why));
    }
    // The text of policy-evaluator's `get_resource` for an object that does not exist.
    if has(error, "Cannot find ") { None } else { Some(Unknown::Other) }
}
