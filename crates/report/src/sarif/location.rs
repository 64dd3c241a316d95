//! Where something is.

use std::borrow::Cow;

use fedward_kit::finding::ObjectId;
use fedward_manifest::{Position, Source, Span};
use fedward_outcome::{Location, Related};
use serde::Serialize;

use super::{Message, ROOT};
use crate::human::describe;
use crate::uri::FileUri;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Place<'a> {
    /// Only on related places, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<usize>,
    physical_location: Physical<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    logical_locations: Option<[Logical<'a>; 1]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<Message<'a>>,
}

impl<'a> Place<'a> {
    pub(super) fn new(location: &'a Location, object: Option<&'a ObjectId>) -> Self {
        Place {
            id: None,
            physical_location: Physical {
                artifact_location: Artifact::new(location.source.name()),
                region: Some(Region::new(&location.source, location.span)),
            },
            logical_locations: object.map(|object| [Logical::new(object)]),
            message: None,
        }
    }

    pub(super) fn related(id: usize, related: &'a Related) -> Self {
        Place { id: Some(id), message: Some(Message::new(&*related.message)), ..Place::new(&related.location, None) }
    }

    /// A file, or the line where a document in it begins.
    pub(super) fn file(name: &'a str, line: Option<u32>) -> Self {
        let region = line.map(|line| Region { start_line: line, start_column: None, end_line: None, end_column: None });
        let physical_location = Physical { artifact_location: Artifact::new(name), region };
        Place { id: None, physical_location, logical_locations: None, message: None }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Physical<'a> {
    artifact_location: Artifact<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    region: Option<Region>,
}

/// A file.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Artifact<'a> {
    uri: Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    uri_base_id: Option<&'static str>,
}

impl<'a> Artifact<'a> {
    pub(super) fn new(name: &'a str) -> Self {
        match FileUri::new(name) {
            FileUri::Relative(uri) => Artifact { uri, uri_base_id: Some(ROOT) },
            FileUri::Absolute(uri) => Artifact { uri: uri.into(), uri_base_id: None },
        }
    }
}

/// A stretch of a file; the end column is that after the last character.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Region {
    start_line: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    start_column: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    end_line: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    end_column: Option<u32>,
}

impl Region {
    pub(super) fn new(source: &Source, span: Span) -> Self {
        let (start, end) = (position(source, span.start), position(source, span.end.max(span.start)));
        Region { start_line: start.0, start_column: Some(start.1), end_line: Some(end.0), end_column: Some(end.1) }
    }
}

/// Line and column as SARIF counts them: there is no line after the last line break, so the end of the text is a column of the last
/// line, and the line break counts (3.30.2).
fn position(source: &Source, offset: u32) -> (u32, u32) {
    let text = source.text();
    let Position { line, column, .. } = source.position(offset);
    if (offset as usize) < text.len() || line <= source.line_count() || line == 1 {
        return (line, column);
    }
    let length = if text.ends_with("\r\n") { 2 } else { 1 };
    let before = source.position(u32::try_from(text.len() - length).unwrap_or(u32::MAX));
    (before.line, before.column + length as u32)
}

/// An object.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Logical<'a> {
    name: &'a str,
    fully_qualified_name: String,
    kind: &'static str,
}

impl<'a> Logical<'a> {
    fn new(object: &'a ObjectId) -> Self {
        Logical { name: &object.name, fully_qualified_name: describe(object), kind: "resource" }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    fn at(text: &str, offset: u32) -> (u32, u32) {
        position(&Source::from_text("a.yaml", text.to_owned()).unwrap(), offset)
    }

    #[test]
    fn the_end_of_the_file_is_on_its_last_line() {
        assert_eq!(at("ab\ncd\n", 3), (2, 1));
        assert_eq!(at("ab\ncd\n", 6), (2, 4));
        assert_eq!(at("ab\r\ncd\r\n", 8), (2, 5));
        assert_eq!(at("ab\ncd", 5), (2, 3));
        assert_eq!(at("\n", 1), (1, 2));
        assert_eq!(at("", 0), (1, 1));
        assert_eq!(at("äö\n", 99), (1, 4));
    }
}
