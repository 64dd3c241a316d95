//! The fields of a case file.

use regex_lite::Regex;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

/// One document of a case file: cases of one policy.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Suite {
    /// What is tested: the id of a built-in policy; a module, as a path (`….wasm`) or a reference (`registry://…`); or the path of a file
    /// with policy manifests or a policy server's `policies.yml`, or of a folder of such (`./policies/`).
    #[schemars(length(min = 1))]
    pub policy: String,
    /// Settings of the module. Manifests bring their own.
    #[serde(default, deserialize_with = "given")]
    pub settings: Option<Map<String, Value>>,
    /// What is asked of it.
    #[schemars(length(min = 1))]
    pub cases: Vec<Case>,
}

/// A request, or several, and what the policy is to say.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Case {
    /// What is the case, in words. No other case of the suite has the same.
    #[schemars(regex(pattern = r"\S"))]
    pub name: String,
    /// Settings of the module for this case, instead of the suite's.
    #[serde(default, deserialize_with = "given")]
    pub settings: Option<Map<String, Value>>,
    /// The objects that are judged: paths of files and folders, relative to this file, or the objects themselves.
    /// A case that expects `invalidSettings` needs none.
    #[serde(default)]
    pub objects: Vec<Given>,
    /// Objects that the policy may look at.
    #[serde(default)]
    pub context: Vec<Given>,
    /// What is applied already: what is there too is an UPDATE, what is only there a DELETE.
    #[serde(default)]
    pub old: Vec<Given>,
    /// What happens to the objects; CREATE, if left out.
    #[serde(default, deserialize_with = "given")]
    pub operation: Option<Operation>,
    /// The user that the policy sees.
    #[serde(default, deserialize_with = "given")]
    pub user: Option<String>,
    /// The user's groups; `system:authenticated`, if left out.
    #[serde(default, deserialize_with = "given")]
    pub groups: Option<Vec<String>>,
    /// The namespace of objects that name none; `default`, if left out.
    #[serde(default, deserialize_with = "given")]
    pub namespace: Option<String>,
    /// Whether what is not in the case does not exist. Else it is not known.
    #[serde(default)]
    pub closed_world: bool,
    /// Whether built-in policies see what they see in a cluster: nothing but the objects that they ask for, all of which are there.
    #[serde(default)]
    pub cluster: bool,
    /// A recorded AdmissionReview, or the AdmissionRequest in one, or the path of a file with either; instead of objects.
    #[serde(default, deserialize_with = "given")]
    pub request: Option<Given>,
    /// What a raw policy is asked, as its `request`; instead of objects.
    #[serde(default, deserialize_with = "given")]
    pub raw: Option<Value>,
    /// What the policy is to say.
    pub expect: Option<Expect>,
}

/// What a policy is to say. Only what is here is checked; but every object must be judged, unless `reached`, `notEvaluated` or
/// `invalidSettings` says otherwise.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Expect {
    /// Whether every object is accepted.
    #[serde(default, deserialize_with = "given")]
    pub allowed: Option<bool>,
    /// Every finding, in any order; an empty list says that there is none.
    #[serde(default, deserialize_with = "given")]
    pub findings: Option<Vec<ExpectedFinding>>,
    /// What some rejection says.
    #[serde(default, deserialize_with = "given")]
    pub message: Option<Pattern>,
    /// Every warning, in any order.
    #[serde(default, deserialize_with = "given")]
    pub warnings: Option<Vec<Pattern>>,
    /// The object as the policy changes it: the fields that stand here, and lists as a whole.
    #[serde(default, deserialize_with = "something")]
    pub mutated: Option<Value>,
    /// What the policy changes, as a JSON Patch; an empty list says that nothing changes. Any patch that does the same is
    /// the same.
    #[serde(default, deserialize_with = "something")]
    pub patch: Option<Value>,
    /// Why the policy cannot judge an object.
    #[serde(default, deserialize_with = "given")]
    pub not_evaluated: Option<Pattern>,
    /// What the module says of settings that it refuses.
    #[serde(default, deserialize_with = "given")]
    pub invalid_settings: Option<Pattern>,
    /// Whether any object reaches the policy; true, if left out.
    #[serde(default, deserialize_with = "given")]
    pub reached: Option<bool>,
}

/// A finding, by what is said of it here.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ExpectedFinding {
    /// Its rule; `rejected-by-policy` for what modules of others say.
    #[serde(default, deserialize_with = "given")]
    pub rule: Option<String>,
    /// Its severity.
    #[serde(default, deserialize_with = "given")]
    pub severity: Option<Severity>,
    /// What it says.
    #[serde(default, deserialize_with = "given")]
    pub message: Option<Pattern>,
    /// Where it begins.
    #[serde(default, deserialize_with = "given")]
    pub at: Option<At>,
    /// Where it is in its object, as a JSON Pointer.
    #[serde(default, deserialize_with = "given")]
    pub path: Option<String>,
}

/// What happens to objects.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum Operation {
    /// They are new.
    Create,
    /// They replace themselves.
    Update,
    /// They go.
    Delete,
}

/// How much a finding matters.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The object is rejected.
    Error,
    /// It is accepted with a warning.
    Warning,
    /// It is recorded only.
    Info,
}

impl Severity {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Info => "info",
        }
    }
}

/// A field that stands there has a value, and `null` is none: an expectation of nothing would hold of everything.
fn given<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

/// The same of any JSON but `null`.
fn something<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    match Value::deserialize(deserializer)? {
        Value::Null => Err(D::Error::custom("a value is required, not nothing")),
        value => Ok(Some(value)),
    }
}

/// A path, or what would stand there.
#[derive(Debug)]
pub enum Given {
    /// Relative to the case file.
    Path(String),
    /// In the case file.
    Inline,
}

impl<'de> Deserialize<'de> for Given {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Value::deserialize(deserializer)? {
            Value::String(path) if !path.is_empty() => Ok(Given::Path(path)),
            Value::Object(_) => Ok(Given::Inline),
            _ => Err(D::Error::custom("a path or an object is required")),
        }
    }
}

impl JsonSchema for Given {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Given".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "description": "A path relative to the case file, or what would stand there.", "type": ["string", "object"], "minLength": 1 })
    }
}

/// A text that another contains, or, between slashes, a regular expression that is found in it.
#[derive(Debug, Clone)]
pub struct Pattern {
    pub(crate) text: String,
    regex: Option<Regex>,
}

impl Pattern {
    /// Reads one as it is written.
    ///
    /// # Errors
    /// What is wrong with a regular expression.
    pub fn new(text: String) -> Result<Self, String> {
        let regex = inner(&text).map(|inner| Regex::new(inner).map_err(|error| format!("`{text}` is no regular expression: {error}")));
        Ok(Pattern { regex: regex.transpose()?, text })
    }

    /// Whether it is found in a text.
    pub fn is_in(&self, text: &str) -> bool {
        match &self.regex {
            Some(regex) => regex.is_match(text),
            None => text.contains(&self.text),
        }
    }

    /// A text so that it stands for itself.
    pub(crate) fn literal(text: &str) -> String {
        if inner(text).is_some() { format!("/{}/", regex_lite::escape(text)) } else { text.to_owned() }
    }
}

fn inner(text: &str) -> Option<&str> {
    text.strip_prefix('/')?.strip_suffix('/').filter(|inner| !inner.is_empty())
}

impl<'de> Deserialize<'de> for Pattern {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Pattern::new(String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

impl JsonSchema for Pattern {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Pattern".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "description": "A part of the text, or, between slashes, a regular expression that is found in it.", "type": "string" })
    }
}

/// A place in a file: its path relative to the case file, a line, and perhaps a column, both from 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct At {
    pub(crate) file: String,
    pub(crate) line: u32,
    pub(crate) column: Option<u32>,
}

impl At {
    fn new(text: &str) -> Option<Self> {
        let number = |text: &str| text.parse().ok().filter(|number| *number > 0);
        let (rest, last) = text.rsplit_once(':')?;
        let last = number(last)?;
        let (file, line, column) = match rest.rsplit_once(':').and_then(|(file, line)| Some((file, number(line)?))) {
            Some((file, line)) => (file, line, Some(last)),
            None => (rest, last, None),
        };
        (!file.is_empty()).then(|| At { file: file.to_owned(), line, column })
    }
}

impl<'de> Deserialize<'de> for At {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        At::new(&text).ok_or_else(|| D::Error::custom("a place of the form file:line or file:line:column is required"))
    }
}

impl JsonSchema for At {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "At".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "description": "file:line or file:line:column; the file relative to the case file.", "type": "string", "pattern": "^.+:[1-9][0-9]*$" })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn patterns() {
        let is_in = |pattern: &str, text: &str| Pattern::new(pattern.to_owned()).unwrap().is_in(text);
        assert!(is_in("till", "no till runs") && !is_in("Till", "no till runs"));
        assert!(is_in("/^no .* runs$/", "no till runs") && !is_in("/^till/", "no till runs"));
        assert!(is_in("/", "a/b") && is_in("//", "a//b") && is_in("/a", "/a/b"));
        assert!(Pattern::new("/(/".to_owned()).unwrap_err().contains("no regular expression"));
        for text in ["/metadata/", "plain", "/a"] {
            assert!(is_in(&Pattern::literal(text), text), "{text}");
        }
        assert!(!is_in(&Pattern::literal("/a.c/"), "/abc/"));
    }

    #[test]
    fn places() {
        let at = |file: &str, line, column| Some(At { file: file.to_owned(), line, column });
        assert_eq!(At::new("a/b.yaml:3"), at("a/b.yaml", 3, None));
        assert_eq!(At::new("a/b.yaml:3:14"), at("a/b.yaml", 3, Some(14)));
        assert_eq!(At::new("c:d.yaml:3"), at("c:d.yaml", 3, None));
        for wrong in ["a.yaml", "a.yaml:", "a.yaml:0", ":3", "a.yaml:x:y"] {
            assert_eq!(At::new(wrong), None, "{wrong}");
        }
    }
}
