//! A place in a manifest, read field by field, with what is wrong on the way.

use serde_json::Value;

use crate::read::unknown;
use crate::spec::{Kind, Problem};

/// What is wrong, in the order in which it was met.
#[derive(Default)]
pub(crate) struct Problems(pub(crate) Vec<Problem>);

impl Problems {
    pub(crate) fn add(&mut self, pointer: &str, message: String, fatal: bool) {
        self.0.push(Problem { pointer: pointer.to_owned(), message, fatal });
    }
}

/// A place in a manifest, present or not.
pub(crate) struct At<'v> {
    pub(crate) value: Option<&'v Value>,
    pub(crate) pointer: String,
}

impl<'v> At<'v> {
    pub(crate) fn root(value: &'v Value) -> Self {
        At { value: Some(value), pointer: String::new() }
    }

    /// A field; a null one counts as absent.
    pub(crate) fn get(&self, field: &str) -> At<'v> {
        let value = self.value.and_then(|value| value.get(field)).filter(|value| !value.is_null());
        At { value, pointer: format!("{}/{}", self.pointer, escaped(field)) }
    }

    pub(crate) fn refuse(&self, problems: &mut Problems, message: &str) {
        problems.add(&self.pointer, message.to_owned(), true);
    }

    fn field(&self) -> &str {
        self.pointer.rsplit('/').next().unwrap_or_default()
    }

    /// Names the fields that nobody reads.
    pub(crate) fn only(&self, problems: &mut Problems, known: &[&[&str]]) {
        self.only_or(problems, known, unknown(Kind::Cluster), false);
    }

    /// The same, saying what becomes of them.
    pub(crate) fn only_or(&self, problems: &mut Problems, known: &[&[&str]], otherwise: &str, fatal: bool) {
        let Some(Value::Object(fields)) = self.value else { return };
        for field in fields.keys().filter(|field| !known.iter().any(|known| known.contains(&field.as_str()))) {
            let pointer = format!("{}/{}", self.pointer, escaped(field));
            problems.add(&pointer, format!("there is no field `{field}`: {otherwise}"), fatal);
        }
    }

    /// Says what the cluster takes, though it cannot be meant.
    pub(crate) fn warn(&self, problems: &mut Problems, message: &str) {
        problems.add(&self.pointer, message.to_owned(), false);
    }

    pub(crate) fn required(&self, problems: &mut Problems) -> Option<&'v Value> {
        if self.value.is_none() {
            self.refuse(problems, &format!("`{}` is required", self.field()));
        }
        self.value
    }

    fn wrong_type(&self, problems: &mut Problems, wanted: &str) {
        self.refuse(problems, &format!("`{}` has to be {wanted}", self.field()));
    }

    /// A text that has to be there, with something in it.
    pub(crate) fn text(&self, problems: &mut Problems) -> Option<String> {
        self.required(problems)?;
        let text = self.any_text(problems)?;
        if text.trim().is_empty() {
            self.refuse(problems, &format!("`{}` is empty", self.field()));
            return None;
        }
        Some(text)
    }

    /// Whether it is a text of which something holds.
    pub(crate) fn is_text(&self, holds: impl Fn(&str) -> bool) -> bool {
        self.value.and_then(Value::as_str).is_some_and(holds)
    }

    pub(crate) fn optional_text(&self, problems: &mut Problems) -> Option<String> {
        self.value.and_then(|_| self.any_text(problems))
    }

    pub(crate) fn any_text(&self, problems: &mut Problems) -> Option<String> {
        match self.value {
            Some(Value::String(text)) => return Some(text.clone()),
            Some(_) => self.wrong_type(problems, "a text"),
            None => {}
        }
        None
    }

    pub(crate) fn flag(&self, problems: &mut Problems, default: bool) -> bool {
        match self.value {
            Some(Value::Bool(flag)) => return *flag,
            Some(_) => self.wrong_type(problems, "`true` or `false`"),
            None => {}
        }
        default
    }

    pub(crate) fn required_bool(&self, problems: &mut Problems) -> bool {
        self.required(problems).is_some() && self.flag(problems, false)
    }

    pub(crate) fn number(&self, problems: &mut Problems, range: std::ops::RangeInclusive<u32>) -> Option<u32> {
        let value = self.value?;
        let found = value.as_u64().and_then(|number| u32::try_from(number).ok()).filter(|number| range.contains(number));
        if found.is_none() {
            self.wrong_type(problems, &format!("a number from {} to {}", range.start(), range.end()));
        }
        found
    }

    /// One of several words; the default if absent.
    pub(crate) fn one_of<T: Copy + Default>(&self, problems: &mut Problems, words: &[(&str, T)]) -> T {
        let Some(value) = self.value else { return T::default() };
        if let Some((_, found)) = words.iter().find(|(word, _)| value.as_str() == Some(word)) {
            return *found;
        }
        let all: Vec<String> = words.iter().map(|(word, _)| format!("`{word}`")).collect();
        self.wrong_type(problems, &all.join(" or "));
        T::default()
    }

    pub(crate) fn items(&self, problems: &mut Problems) -> Vec<At<'v>> {
        match self.value {
            Some(Value::Array(items)) => {
                let at = |(index, value)| At { value: Some(value), pointer: format!("{}/{index}", self.pointer) };
                return items.iter().enumerate().map(at).collect();
            }
            Some(_) => self.wrong_type(problems, "a list"),
            None => {}
        }
        Vec::new()
    }

    pub(crate) fn texts(&self, problems: &mut Problems) -> Vec<String> {
        self.items(problems).iter().filter_map(|item| item.any_text(problems)).collect()
    }

    pub(crate) fn entries(&self, problems: &mut Problems) -> Vec<(&'v str, At<'v>)> {
        match self.value {
            Some(Value::Object(fields)) => return fields.keys().map(|key| (key.as_str(), self.get(key))).collect(),
            Some(_) => self.wrong_type(problems, "a map"),
            None => {}
        }
        Vec::new()
    }
}

fn escaped(field: &str) -> String {
    field.replace('~', "~0").replace('/', "~1")
}
