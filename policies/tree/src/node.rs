//! A cursor into a parsed object: the value (or its absence) together with the path that leads there.
//!
//! Rules read with [`Node`]s, so that a finding on any node knows its place, even where the field is missing, sits in a document
//! inside a string, or belongs to another object that the rule asked the host for.

use std::cell::Cell;

use bumpalo::Bump;

use crate::finding::{ObjectRef, Place};
use crate::value::Value;

/// What one evaluation shares: the arena, the embedded documents opened so far, the fields of a wrong type met so far.
///
/// It holds no heap memory of its own and is never dropped; everything goes with the arena.
pub struct Session<'a> {
    bump: &'a Bump,
    opened: Cell<Option<&'a Opened<'a>>>,
    mistyped: Cell<Option<&'a Mistyped<'a>>>,
}

struct Opened<'a> {
    text: *const u8,
    format: Format,
    result: Result<Node<'a>, Unreadable>,
    next: Option<&'a Opened<'a>>,
}

/// A field that a rule wanted to read and that has the wrong type.
#[derive(Clone, Copy)]
pub struct Mistyped<'a> {
    /// The field as it is.
    pub node: Node<'a>,
    /// What belongs there: `a string`, `a map` …
    pub expected: &'static str,
    next: Option<&'a Mistyped<'a>>,
}

impl<'a> Session<'a> {
    /// A session whose nodes live in `bump`.
    pub fn new(bump: &'a Bump) -> &'a Self {
        bump.alloc(Session { bump, opened: Cell::new(None), mistyped: Cell::new(None) })
    }

    /// The arena.
    pub fn bump(&self) -> &'a Bump {
        self.bump
    }

    /// Copies a string into the arena.
    pub fn text(&self, text: &str) -> &'a str {
        self.bump.alloc_str(text)
    }

    /// The root of a parsed value that has `origin`.
    pub fn root(&'a self, value: Value<'a>, origin: Origin<'a>) -> Node<'a> {
        let doc = self.bump.alloc(Doc { session: self, origin });
        Node { step: self.bump.alloc(Step { doc, parent: None, key: Key::Root, value: Some(self.bump.alloc(value)) }) }
    }

    /// The wrongly typed fields that rules met, newest first; the same field may appear more than once.
    pub fn mistyped(&self) -> impl Iterator<Item = Mistyped<'a>> {
        std::iter::successors(self.mistyped.get().copied(), |last| last.next.copied())
    }
}

/// A parsed document: the object under admission, another object, or a text inside one of them.
struct Doc<'a> {
    session: &'a Session<'a>,
    origin: Origin<'a>,
}

/// Where a document comes from, which decides how places in it are written.
#[derive(Clone, Copy)]
pub enum Origin<'a> {
    /// The object under admission. Fields of a wrong type are remembered as findings only here and in its embedded documents.
    Request,
    /// Something whose places never appear in a finding: the settings, `oldObject`.
    Aside,
    /// Another object, found through the host.
    Context {
        /// Which object.
        object: ObjectRef<'a>,
        /// The node of the object under admission that led there: findings inside the other object are reported on it.
        anchor: Node<'a>,
    },
    /// A document in a string.
    Embedded {
        /// The string.
        outer: Node<'a>,
    },
}

struct Step<'a> {
    doc: &'a Doc<'a>,
    parent: Option<&'a Step<'a>>,
    key: Key<'a>,
    value: Option<&'a Value<'a>>,
}

#[derive(Clone, Copy)]
enum Key<'a> {
    Root,
    Field(&'a str),
    /// A field whose text is base64; the value is what it says.
    Decoded(&'a str),
    Index(usize),
}

/// A value, or its absence, and the way there. Copying it costs nothing.
#[derive(Clone, Copy)]
pub struct Node<'a> {
    step: &'a Step<'a>,
}

/// How the text of an embedded document is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Strict JSON, as Go's `encoding/json` reads it.
    Json,
    /// YAML (of which JSON is a part), as Kubernetes reads it.
    Yaml,
}

/// The text of an embedded document cannot be read: not as its format, or not within the limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unreadable;

impl<'a> Node<'a> {
    fn child(self, value: Option<&'a Value<'a>>, key: Key<'a>) -> Node<'a> {
        Node { step: self.session().bump.alloc(Step { doc: self.step.doc, parent: Some(self.step), key, value }) }
    }

    fn note_type(self, expected: &'static str) {
        if matches!(self.step.value, None | Some(Value::Null)) || !self.in_request() {
            return;
        }
        let session = self.session();
        let last = session.mistyped.get();
        session.mistyped.set(Some(session.bump.alloc(Mistyped { node: self, expected, next: last })));
    }

    /// Whether the node lies in the object under admission, embedded documents included.
    pub fn in_request(self) -> bool {
        match self.step.doc.origin {
            Origin::Request => true,
            Origin::Aside | Origin::Context { .. } => false,
            Origin::Embedded { outer } => outer.in_request(),
        }
    }

    /// The session that the node belongs to.
    pub fn session(self) -> &'a Session<'a> {
        self.step.doc.session
    }

    /// The value, `None` where the field is absent.
    pub fn value(self) -> Option<&'a Value<'a>> {
        self.step.value
    }

    /// Whether there is no such field, or it is `null`, which Kubernetes treats alike.
    pub fn is_absent(self) -> bool {
        matches!(self.step.value, None | Some(Value::Null))
    }

    /// Whether the field is there and not `null`.
    pub fn is_present(self) -> bool {
        !self.is_absent()
    }

    /// A field of a map. Reading a field of something that is neither absent nor a map is remembered as a wrong type.
    pub fn get(self, key: &'a str) -> Node<'a> {
        if !matches!(self.step.value, None | Some(Value::Null | Value::Map(_))) {
            self.note_type("a map");
        }
        self.peek(key)
    }

    /// Like [`Node::get`], for a field whose parent may rightly be of another type.
    pub fn peek(self, key: &'a str) -> Node<'a> {
        self.child(self.step.value.and_then(|value| field(value, key)), Key::Field(key))
    }

    /// The string in a field, if there is one: like [`Node::peek`] and [`Node::peek_str`] where nobody needs the place, and cheaper.
    pub fn peek_text(self, key: &str) -> Option<&'a str> {
        match field(self.step.value?, key)? {
            Value::Str(text) => Some(text),
            _ => None,
        }
    }

    /// The string in a field, if there is one: what [`Node::get`] and [`Node::str`] say, without a node where nobody needs one.
    pub fn text(self, key: &'a str) -> Option<&'a str> {
        match self.step.value {
            None | Some(Value::Null) => None,
            Some(value) => match field(value, key) {
                Some(Value::Str(text)) => Some(text),
                // It may be of a wrong type, which is remembered.
                _ => self.get(key).str(),
            },
        }
    }

    /// The last element of a list that is a map in which the field `key` is the string `text`. A wrong type of the list is remembered.
    pub fn last_with(self, key: &str, text: &str) -> Option<Node<'a>> {
        let Some(Value::Seq(items)) = self.step.value else {
            self.note_type("a list");
            return None;
        };
        let is_it = |item: &Value<'_>| matches!(field(item, key), Some(Value::Str(found)) if is_same_text(found, text));
        let index = items.iter().rposition(is_it)?;
        items.get(index).map(|item| self.child(Some(item), Key::Index(index)))
    }

    /// Follows several fields.
    pub fn at(self, path: &[&'a str]) -> Node<'a> {
        path.iter().fold(self, |node, key| node.get(key))
    }

    /// The elements of a list; a wrong type is remembered and gives none.
    pub fn items(self) -> impl DoubleEndedIterator<Item = Node<'a>> {
        if !matches!(self.step.value, None | Some(Value::Null | Value::Seq(_))) {
            self.note_type("a list");
        }
        self.peek_items()
    }

    /// Like [`Node::items`], for something that may rightly be of another type.
    pub fn peek_items(self) -> impl DoubleEndedIterator<Item = Node<'a>> {
        let items = match self.step.value {
            Some(Value::Seq(items)) => *items,
            _ => &[],
        };
        items.iter().enumerate().map(move |(index, value)| self.child(Some(value), Key::Index(index)))
    }

    /// The entries of a map; a wrong type is remembered and gives none.
    pub fn entries(self) -> impl DoubleEndedIterator<Item = (&'a str, Node<'a>)> {
        if !matches!(self.step.value, None | Some(Value::Null | Value::Map(_))) {
            self.note_type("a map");
        }
        self.peek_entries()
    }

    /// Like [`Node::entries`], for something that may rightly be of another type.
    pub fn peek_entries(self) -> impl DoubleEndedIterator<Item = (&'a str, Node<'a>)> {
        let entries = match self.step.value {
            Some(Value::Map(entries)) => *entries,
            _ => &[],
        };
        entries.iter().map(move |(key, value)| (*key, self.child(Some(value), Key::Field(key))))
    }

    /// The string; anything else that is present is remembered as a wrong type.
    pub fn str(self) -> Option<&'a str> {
        if !matches!(self.step.value, None | Some(Value::Null | Value::Str(_))) {
            self.note_type("a string");
        }
        self.peek_str()
    }

    /// Like [`Node::str`], for a field that may rightly be of another type.
    pub fn peek_str(self) -> Option<&'a str> {
        match self.step.value {
            Some(Value::Str(text)) => Some(text),
            _ => None,
        }
    }

    /// The string if it is not empty.
    pub fn filled(self) -> Option<&'a str> {
        self.str().filter(|text| !text.is_empty())
    }

    /// The boolean; anything else that is present is remembered as a wrong type.
    pub fn bool(self) -> Option<bool> {
        match self.step.value {
            Some(Value::Bool(value)) => Some(*value),
            _ => {
                self.note_type("a boolean");
                None
            }
        }
    }

    /// The whole number; anything else that is present is remembered as a wrong type.
    pub fn int(self) -> Option<i64> {
        match self.step.value {
            Some(Value::Int(value)) => Some(*value),
            _ => {
                self.note_type("a whole number");
                None
            }
        }
    }

    /// The node that this one is a field or element of.
    pub fn parent(self) -> Option<Node<'a>> {
        self.step.parent.map(|step| Node { step })
    }

    /// The name of the field, or the index of the element as text; empty for the root of a document.
    pub fn key(self) -> String {
        match self.step.key {
            Key::Root => String::new(),
            Key::Field(name) | Key::Decoded(name) => name.to_owned(),
            Key::Index(index) => index.to_string(),
        }
    }

    /// The RFC 6901 JSON Pointer inside the node's own document.
    pub fn pointer(self) -> String {
        let mut steps = Vec::new();
        let mut step = Some(self.step);
        while let Some(current) = step {
            steps.push(current.key);
            step = current.parent;
        }
        let mut pointer = String::new();
        for key in steps.into_iter().rev() {
            match key {
                Key::Root => {}
                Key::Field(name) | Key::Decoded(name) => {
                    pointer.push('/');
                    pointer.push_str(&name.replace('~', "~0").replace('/', "~1"));
                }
                Key::Index(index) => {
                    pointer.push('/');
                    pointer.push_str(&index.to_string());
                }
            }
        }
        pointer
    }

    /// The place of the node: its object, pointer, and the pointers inside embedded documents.
    pub fn place(self) -> Place {
        match self.step.doc.origin {
            Origin::Request | Origin::Aside => Place::new(None, self.pointer()),
            Origin::Context { object, .. } => Place::new(Some(object.to_owned()), self.pointer()),
            Origin::Embedded { outer } => {
                let mut place = outer.place();
                // Nothing inside base64 can be pointed at: the field that holds it is the place.
                if outer.is_verbatim() {
                    place.embedded.push(self.pointer());
                }
                place
            }
        }
    }

    /// Whether both are the same field of the same document; absent fields are the same as nothing.
    pub fn is_same(self, other: Node<'a>) -> bool {
        matches!((self.step.value, other.step.value), (Some(one), Some(two)) if std::ptr::eq(one, two))
    }

    /// Whether both nodes lie in the same object, documents inside its strings included.
    pub fn shares_object(self, other: Node<'a>) -> bool {
        std::ptr::eq(self.outermost(), other.outermost())
    }

    fn outermost(self) -> &'a Doc<'a> {
        let mut doc = self.step.doc;
        while let Origin::Embedded { outer } = doc.origin {
            doc = outer.step.doc;
        }
        doc
    }

    /// A field that holds base64, as the text that it says; absent where it is not base64 of a text.
    pub fn decoded(self, key: &'a str) -> Node<'a> {
        let text = self
            .get(key)
            .str()
            .and_then(|text| fedward_manifest::decode_base64(text.trim_ascii()))
            .and_then(|bytes| String::from_utf8(bytes).ok());
        let bump = self.session().bump;
        let value = text.map(|text| &*bump.alloc(Value::Str(bump.alloc_str(&text))));
        self.child(value, Key::Decoded(key))
    }

    /// Whether the node's place shows its value: not so for what base64 says. There neither a fix nor an offset can be given.
    pub fn is_verbatim(self) -> bool {
        !matches!(self.step.key, Key::Decoded(_))
            && match self.step.doc.origin {
                Origin::Embedded { outer } => outer.is_verbatim(),
                _ => true,
            }
    }

    /// The node of the object under admission that stands for this one: itself, or what led to the other object.
    pub fn anchor(self) -> Node<'a> {
        let mut node = self;
        loop {
            match node.root_origin() {
                Origin::Context { anchor, .. } => node = anchor,
                _ => return node,
            }
        }
    }

    /// The other object that the node lies in, if it is not the one under admission.
    pub fn foreign(self) -> Option<ObjectRef<'a>> {
        match self.root_origin() {
            Origin::Context { object, .. } => Some(object),
            _ => None,
        }
    }

    fn root_origin(self) -> Origin<'a> {
        self.outermost().origin
    }

    /// Reads the string as a document of its own. Opening the same text again costs nothing.
    ///
    /// # Errors
    /// Text that is not of the format. A node that is not a string is an empty document.
    pub fn open(self, format: Format) -> Result<Node<'a>, Unreadable> {
        let Some(text) = self.str() else { return Ok(self.document(Value::Null)) };
        let session = self.session();
        let mut known = session.opened.get();
        while let Some(entry) = known {
            if std::ptr::eq(entry.text, text.as_ptr()) && entry.format == format {
                return entry.result;
            }
            known = entry.next;
        }
        let result = crate::embedded::read(text, format, session.bump).map(|value| self.document(value));
        let entry = Opened { text: text.as_ptr(), format, result, next: session.opened.get() };
        session.opened.set(Some(session.bump.alloc(entry)));
        result
    }

    fn document(self, value: Value<'a>) -> Node<'a> {
        self.session().root(value, Origin::Embedded { outer: self })
    }
}

/// The value of a field; of several of that name the last.
fn field<'a>(map: &'a Value<'a>, key: &str) -> Option<&'a Value<'a>> {
    let &Value::Map(mut entries) = map else { return None };
    // Four at a time: the end of a loop is where a module looks whether its time is over.
    while let [before @ .., four, three, two, one] = entries {
        for (name, value) in [one, two, three, four] {
            if is_same_text(name, key) {
                return Some(value);
            }
        }
        entries = before;
    }
    entries.iter().rev().find(|(name, _)| is_same_text(name, key)).map(|(_, value)| value)
}

/// Whether two texts are equal, for keys: most differ in length or at their ends, and calling a comparison of memory costs more than that.
fn is_same_text(one: &str, other: &str) -> bool {
    one.len() == other.len() && one.as_bytes().last() == other.as_bytes().last() && one == other
}
