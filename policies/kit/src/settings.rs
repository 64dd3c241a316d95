//! Settings: declared by reading them, so that one function gives the typed values, all errors at once, the JSON Schema and the
//! settings table of a policy's README.

mod common;

use std::collections::BTreeMap;

use bumpalo::Bump;
use serde_json::json;

use crate::node::{Node, Origin, Session};
use crate::suggest;
use crate::text::Glob;
use crate::value::Value;

pub use common::{Common, OnUpdate};

/// Reads a policy's settings, remembers every mistake with its path, and notes what there is to set.
pub struct Reader<'a> {
    node: Node<'a>,
    errors: Vec<String>,
    names: Vec<&'static str>,
    fields: Vec<Field>,
    /// Whether anybody wants to know what there is to set.
    describes: bool,
}

/// One setting, for the schema and the docs.
#[derive(Debug, Clone, PartialEq)]
pub struct Field {
    /// camelCase.
    pub name: &'static str,
    /// What it does, in a sentence or two.
    pub doc: &'static str,
    /// JSON Schema of the value, with its default.
    pub schema: serde_json::Value,
}

/// Settings of a policy.
pub trait Settings: Sized {
    /// Whether the policy mends objects itself where a rule says so ([`crate::rule::Report::mended`]), instead of rejecting them. A constant,
    /// so that nothing of it is in the modules of policies that never do.
    const MENDS: Option<fn(&Self) -> bool> = None;

    /// What several rules of the policy ask of an object, found out once; see [`crate::rule::Check::facts`].
    type Facts<'a>: Default;

    /// Reads every field; see [`Reader`].
    fn read(reader: &mut Reader<'_>) -> Self;
}

/// What settings say.
pub struct Read<S> {
    /// The settings that every policy has.
    pub common: Common,
    /// The policy's own.
    pub own: S,
    /// Every mistake, with its path.
    pub errors: Vec<String>,
}

/// The common settings and a policy's own ones. What it does not set itself of the common ones `above` has: those of a suite.
pub fn read<S: Settings>(node: Node<'_>, rules: &dyn Fn() -> Vec<&'static str>, above: Option<&Common>) -> Read<S> {
    read_with(node, |reader| (Common::read(reader, rules, above), S::read(reader)))
}

/// What there is to set, the common settings first.
pub fn fields<S: Settings>(rules: &dyn Fn() -> Vec<&'static str>) -> Vec<Field> {
    fields_with(|reader| {
        Common::read(reader, rules, None);
        S::read(reader);
    })
}

/// Reads the fields of a map, of which there are no others.
pub(crate) fn read_with<S>(node: Node<'_>, read: impl FnOnce(&mut Reader<'_>) -> (Common, S)) -> Read<S> {
    let mut reader = Reader { node, errors: Vec::new(), names: Vec::with_capacity(16), fields: Vec::new(), describes: false };
    reader.map(node);
    let (common, own) = read(&mut reader);
    reader.unknown_keys();
    Read { common, own, errors: reader.errors }
}

/// The fields that are read of a map.
pub(crate) fn fields_with(read: impl FnOnce(&mut Reader<'_>)) -> Vec<Field> {
    let bump = Bump::new();
    let node = Session::new(&bump).root(Value::Null, Origin::Aside);
    let mut reader = Reader { node, errors: Vec::new(), names: Vec::new(), fields: Vec::new(), describes: true };
    read(&mut reader);
    reader.fields
}

impl<'a> Reader<'a> {
    pub(crate) fn field(&mut self, name: &'static str, doc: &'static str, schema: impl FnOnce() -> serde_json::Value) -> Node<'a> {
        self.names.push(name);
        // Settings are read at every request, and a module never shows their schema.
        if !cfg!(target_arch = "wasm32") && self.describes {
            self.fields.push(Field { name, doc, schema: schema() });
        }
        self.node.peek(name)
    }

    pub(crate) fn wrong(&mut self, node: Node<'_>, what: &str) {
        self.errors.push(format!("settings{}: {what}", dotted(node)));
    }

    /// `true` or `false`.
    pub fn bool(&mut self, name: &'static str, default: bool, doc: &'static str) -> bool {
        let node = self.field(name, doc, || json!({ "type": "boolean", "default": default }));
        self.flag(node, default)
    }

    /// `true` or `false` in a field.
    pub(crate) fn flag(&mut self, node: Node<'_>, default: bool) -> bool {
        match node.value() {
            None | Some(Value::Null) => default,
            Some(Value::Bool(value)) => *value,
            Some(other) => {
                self.wrong(node, &format!("true or false is required, not {}", other.type_name()));
                default
            }
        }
    }

    /// A whole number from `range`.
    pub fn int(&mut self, name: &'static str, default: i64, range: std::ops::RangeInclusive<i64>, doc: &'static str) -> i64 {
        let schema = || json!({ "type": "integer", "minimum": range.start(), "maximum": range.end(), "default": default });
        let node = self.field(name, doc, schema);
        match node.value() {
            None | Some(Value::Null) => default,
            Some(Value::Int(value)) if range.contains(value) => *value,
            Some(_) => {
                self.wrong(node, &format!("a whole number from {} to {} is required", range.start(), range.end()));
                default
            }
        }
    }

    /// One of several words.
    pub fn choice<T: Copy>(
        &mut self,
        name: &'static str,
        choices: &[(&'static str, T)],
        default: &'static str,
        doc: &'static str,
    ) -> Option<T> {
        let words = || choices.iter().map(|(word, _)| *word).collect::<Vec<_>>();
        let node = self.field(name, doc, || json!({ "type": "string", "enum": words(), "default": default }));
        let word = if node.is_absent() { default } else { node.peek_str().unwrap_or("") };
        let found = choices.iter().find(|(name, _)| *name == word).map(|(_, value)| *value);
        if found.is_none() {
            let words = words();
            self.wrong(node, &format!("one of {} is required{}", list(&words), did_you_mean(word, &words)));
        }
        found.or_else(|| choices.iter().find(|(name, _)| *name == default).map(|(_, value)| *value))
    }

    /// A string; empty where it is not set.
    pub fn string(&mut self, name: &'static str, doc: &'static str) -> String {
        let node = self.field(name, doc, || json!({ "type": "string" }));
        if node.is_absent() {
            return String::new();
        }
        node.peek_str().map_or_else(
            || {
                self.wrong(node, "a string is required");
                String::new()
            },
            str::to_owned,
        )
    }

    /// A list of strings.
    pub fn strings(&mut self, name: &'static str, default: &[&str], doc: &'static str) -> Vec<String> {
        let node = self.field(name, doc, || json!({ "type": "array", "items": { "type": "string" }, "default": default }));
        if node.is_absent() {
            return default.iter().map(|item| (*item).to_owned()).collect();
        }
        if !matches!(node.value(), Some(Value::Seq(_))) {
            self.wrong(node, "a list of strings is required");
            return Vec::new();
        }
        let mut found = Vec::new();
        for item in node.peek_items() {
            match item.peek_str() {
                Some(text) => found.push(text.to_owned()),
                None => self.wrong(item, "a string is required"),
            }
        }
        found
    }

    /// A list of patterns in which `*` stands for any text.
    pub fn globs(&mut self, name: &'static str, default: &[&str], doc: &'static str) -> Vec<Glob> {
        self.strings(name, default, doc).into_iter().map(Glob::new).collect()
    }

    /// A map from patterns to lists of patterns; `*` stands for any text in all of them.
    pub fn glob_lists(&mut self, name: &'static str, doc: &'static str) -> Vec<(Glob, Vec<Glob>)> {
        let list = || json!({ "type": "array", "items": { "type": "string" } });
        let node = self.field(name, doc, || json!({ "type": "object", "additionalProperties": list(), "default": {} }));
        self.map(node);
        let mut found = Vec::new();
        for (key, value) in node.peek_entries() {
            if !matches!(value.value(), Some(Value::Seq(_))) || value.peek_items().any(|item| item.peek_str().is_none()) {
                self.wrong(value, "a list of strings is required");
            }
            found.push((Glob::new(key), value.peek_items().filter_map(Node::peek_str).map(Glob::new).collect()));
        }
        found
    }

    /// A map from names to strings.
    pub fn string_map(&mut self, name: &'static str, doc: &'static str) -> BTreeMap<String, String> {
        let node = self.field(name, doc, || json!({ "type": "object", "additionalProperties": { "type": "string" } }));
        let mut found = BTreeMap::new();
        if node.is_present() && !matches!(node.value(), Some(Value::Map(_))) {
            self.wrong(node, "a map from names to strings is required");
        }
        for (key, value) in node.peek_entries() {
            match value.peek_str() {
                Some(text) => _ = found.insert(key.to_owned(), text.to_owned()),
                None => self.wrong(value, "a string is required"),
            }
        }
        found
    }

    /// A list of maps with string fields. Each item is the values of `keys`, empty where one is not set; `required` keys must be there.
    pub fn records(&mut self, name: &'static str, keys: &[&'static str], required: &[&'static str], doc: &'static str) -> Vec<Vec<String>> {
        let node = self.field(name, doc, || {
            let properties: serde_json::Map<_, _> = keys.iter().map(|key| ((*key).to_owned(), json!({ "type": "string" }))).collect();
            let item = json!({ "type": "object", "properties": properties, "required": required, "additionalProperties": false });
            json!({ "type": "array", "items": item, "default": [] })
        });
        if node.is_present() && !matches!(node.value(), Some(Value::Seq(_))) {
            self.wrong(node, "a list is required");
        }
        let mut found = Vec::new();
        for item in node.peek_items() {
            if !matches!(item.value(), Some(Value::Map(_))) {
                self.wrong(item, "a map is required");
                continue;
            }
            for (key, value) in item.peek_entries() {
                if !keys.contains(&key) {
                    self.wrong(value, &format!("no such field{}", did_you_mean(key, keys)));
                } else if value.peek_str().is_none() {
                    self.wrong(value, "a string is required");
                }
            }
            for key in required {
                if item.peek(key).is_absent() {
                    self.wrong(item, &format!("`{key}` is required"));
                }
            }
            found.push(keys.iter().map(|key| item.peek(key).peek_str().unwrap_or("").to_owned()).collect());
        }
        found
    }

    /// Adds a mistake that only the policy can see.
    pub fn error(&mut self, name: &'static str, what: &str) {
        self.errors.push(format!("settings{}.{name}: {what}", dotted(self.node)));
    }

    fn unknown_keys(&mut self) {
        let names = std::mem::take(&mut self.names);
        self.only(self.node, &names, "setting");
    }

    /// Refuses keys of a map that are not among `names`, which are `what`s.
    pub(crate) fn only(&mut self, map: Node<'_>, names: &[&str], what: &str) {
        for (key, value) in map.peek_entries() {
            if !names.contains(&key) {
                self.wrong(value, &format!("no such {what}{}", did_you_mean(key, names)));
            }
        }
    }

    /// Refuses what is there and no map.
    pub(crate) fn map(&mut self, node: Node<'_>) {
        if node.is_present() && !matches!(node.value(), Some(Value::Map(_))) {
            self.wrong(node, "a map is required");
        }
    }

    /// Takes over the mistakes of settings that stand below.
    pub(crate) fn extend(&mut self, errors: Vec<String>) {
        self.errors.extend(errors);
    }
}

fn dotted(node: Node<'_>) -> String {
    // Settings stand at `/settings` of the payload.
    node.pointer().strip_prefix("/settings").unwrap_or_default().replace('/', ".")
}

fn list(words: &[&str]) -> String {
    words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}

fn did_you_mean(word: &str, words: &[&str]) -> String {
    suggest::nearest(word, words.iter().copied()).map_or_else(String::new, |near| format!(" (did you mean `{near}`?)"))
}

/// The JSON Schema of a policy's settings.
pub fn schema(policy: &str, fields: &[Field]) -> serde_json::Value {
    let mut schema = schema_of(fields);
    if let Some(schema) = schema.as_object_mut() {
        schema.insert("$schema".to_owned(), "https://json-schema.org/draft/2020-12/schema".into());
        schema.insert("title".to_owned(), format!("Settings of {policy}").into());
    }
    schema
}

/// The JSON Schema of a map with these fields and no others.
pub(crate) fn schema_of(fields: &[Field]) -> serde_json::Value {
    let properties: serde_json::Map<_, _> = fields
        .iter()
        .map(|field| {
            let mut schema = field.schema.clone();
            if let Some(schema) = schema.as_object_mut() {
                schema.insert("description".to_owned(), field.doc.into());
            }
            (field.name.to_owned(), schema)
        })
        .collect();
    json!({ "type": "object", "properties": properties, "additionalProperties": false })
}
