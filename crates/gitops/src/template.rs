//! `{{ … }}` in ApplicationSets.

use std::cell::Cell;

use serde_json::Value as Json;

use crate::parameters::Parameters;
use crate::place::Place;
use crate::reason::Stop;
use crate::renderer::{Renderer, TemplateRequest};
use crate::value::{Data, Value};

/// How an ApplicationSet has its texts filled in.
pub(crate) struct Engine<'a> {
    /// Go's templates, instead of the plain ones.
    pub(crate) go: bool,
    /// Options for Go's.
    pub(crate) options: Vec<String>,
    pub(crate) renderer: &'a dyn Renderer,
    pub(crate) max_bytes: usize,
    /// Bytes that may still be made.
    pub(crate) budget: Cell<usize>,
}

impl Engine<'_> {
    /// A text with its parameters put in.
    ///
    /// # Errors
    /// The template is wrong, or there is nothing that could fill it in.
    pub(crate) fn fill(&self, text: &str, parameters: &Parameters, place: &Place) -> Result<String, Stop> {
        let mut filled = self.fill_all(&[(text, place)], parameters, &self.options)?;
        filled.pop().unwrap_or_else(|| Ok(text.to_owned())).map_err(|error| Stop::failed(place, error))
    }

    /// The same for several texts at once. What is wrong with one is said of it.
    pub(crate) fn fill_all(
        &self,
        texts: &[(&str, &Place)],
        parameters: &Parameters,
        options: &[String],
    ) -> Result<Vec<Result<String, String>>, Stop> {
        let filled = self.answers(texts, parameters, options)?;
        let bytes = filled.iter().flatten().fold(0, |sum: usize, text| sum.saturating_add(text.len()));
        match (self.budget.get().checked_sub(bytes), texts.first()) {
            (Some(left), _) => self.budget.set(left),
            (None, Some((_, place))) => return Err(Stop::deferred(place, "the templates of the set make too much text")),
            (None, None) => {}
        }
        Ok(filled)
    }

    fn answers(&self, texts: &[(&str, &Place)], parameters: &Parameters, options: &[String]) -> Result<Vec<Result<String, String>>, Stop> {
        if !self.go {
            return Ok(texts.iter().map(|(text, _)| fast(text, parameters, self.max_bytes)).collect());
        }
        // A text without an action is its own result.
        let actions: Vec<&str> = texts.iter().map(|(text, _)| *text).filter(|text| text.contains("{{")).collect();
        let mut answers = if actions.is_empty() {
            Vec::new()
        } else {
            let request = TemplateRequest {
                texts: &actions,
                parameters: &parameters.values,
                string_maps: &parameters.string_maps(),
                options,
                max_bytes: self.max_bytes,
            };
            let place = texts.iter().find(|(text, _)| text.contains("{{")).map(|(_, place)| *place);
            self.renderer.fill(&request).map_err(|why| {
                let reason = crate::reason::Reason { text: why, place: place.cloned() };
                Stop::Deferred(reason)
            })?
        }
        .into_iter();
        let missing = || Err("the template was not answered".to_owned());
        Ok(texts
            .iter()
            .map(|(text, _)| if text.contains("{{") { answers.next().unwrap_or_else(missing) } else { Ok((*text).to_owned()) })
            .collect())
    }

    /// Every text in a value filled in, keys of maps included, as Argo CD goes through a structure: nulls in maps are lost.
    ///
    /// `keep` are pointers from `value` to maps that are left as they are.
    pub(crate) fn fill_value(&self, value: &Value, parameters: &Parameters, keep: &[String]) -> Result<Value, Stop> {
        let mut texts = Vec::new();
        collect(value, "", keep, &mut texts);
        let filled = self.fill_all(&texts, parameters, &self.options)?;
        let mut answers = Vec::with_capacity(filled.len());
        for (answer, (_, place)) in filled.into_iter().zip(&texts) {
            answers.push(answer.map_err(|error| Stop::failed(place, error))?);
        }
        Ok(rebuild(value, "", keep, &mut answers.into_iter()))
    }
}

/// The texts of a value, in the order in which [`rebuild`] takes their answers.
fn collect<'v>(value: &'v Value, pointer: &str, keep: &[String], texts: &mut Vec<(&'v str, &'v Place)>) {
    match &value.data {
        Data::String(text) => texts.push((text, &value.place)),
        Data::List(items) => {
            items.iter().enumerate().for_each(|(index, item)| collect(item, &below(pointer, &index.to_string(), keep), keep, texts));
        }
        Data::Map(_) if keep.iter().any(|kept| kept == pointer) => {}
        Data::Map(map) => {
            for (key, value) in map.iter().filter(|(_, value)| !value.is_null()) {
                texts.push((key, &value.place));
                collect(value, &below(pointer, key, keep), keep, texts);
            }
        }
        Data::Null | Data::Bool(_) | Data::Number(_) => {}
    }
}

fn rebuild(value: &Value, pointer: &str, keep: &[String], answers: &mut impl Iterator<Item = String>) -> Value {
    let data = match &value.data {
        Data::String(text) => Data::String(answers.next().unwrap_or_else(|| text.clone())),
        Data::List(items) => {
            let item = |(index, item): (usize, &Value)| rebuild(item, &below(pointer, &index.to_string(), keep), keep, answers);
            Data::List(items.iter().enumerate().map(item).collect())
        }
        Data::Map(map) if keep.iter().any(|kept| kept == pointer) => Data::Map(map.clone()),
        Data::Map(map) => {
            let entries = map.iter().filter(|(_, value)| !value.is_null()).map(|(key, value)| {
                let filled = answers.next().unwrap_or_else(|| key.clone());
                (filled, rebuild(value, &below(pointer, key, keep), keep, answers))
            });
            Data::Map(entries.collect())
        }
        other => other.clone(),
    };
    Value::new(data, &value.place)
}

/// A pointer one step on; not needed where nothing is kept.
fn below(pointer: &str, key: &str, keep: &[String]) -> String {
    if keep.is_empty() { String::new() } else { format!("{pointer}/{key}") }
}

/// `fasttemplate` as Argo CD uses it: `{{ key }}` is replaced where the parameters have a string of that name, and stays otherwise. A text
/// without `{{ … }}` on one of its lines is left alone.
///
/// # Errors
/// A `{{` without `}}`, or too much text.
pub(crate) fn fast(text: &str, parameters: &Parameters, max_bytes: usize) -> Result<String, String> {
    let is_templated = text.lines().any(|line| line.split_once("{{").is_some_and(|(_, rest)| rest.contains("}}")));
    if !is_templated {
        return Ok(text.to_owned());
    }
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("{{") {
        out.push_str(before);
        let Some((tag, after)) = after.split_once("}}") else { return Err("`{{` without `}}`".to_owned()) };
        match parameters.values.get(tag.trim()) {
            Some(Json::String(value)) if !tag.trim().is_empty() => out.push_str(value),
            _ => {
                out.push_str("{{");
                out.push_str(tag);
                out.push_str("}}");
            }
        }
        if out.len() > max_bytes {
            return Err(format!("the template makes more than {max_bytes} bytes"));
        }
        rest = after;
    }
    out.push_str(rest);
    if out.len() > max_bytes { Err(format!("the template makes more than {max_bytes} bytes")) } else { Ok(out) }
}

/// The tags of a text that are still there.
pub(crate) fn tags(text: &str) -> impl Iterator<Item = &str> {
    text.split("{{").skip(1).filter_map(|rest| rest.split_once("}}")).map(|(tag, _)| tag.trim())
}

#[cfg(test)]
mod tests;
