//! Values that come with a patch, as block or flow text.

use serde_json::Value;

use super::{
    page::Page,
    scalar::{self, Place},
};
use crate::tree::Style;

/// A value in block style: what stands behind its key or dash, and lines that follow, with their indentation.
pub(super) struct Written {
    pub(super) head: String,
    pub(super) lines: Vec<String>,
}

impl Written {
    pub(super) fn joined(&self, line_break: &str) -> String {
        self.lines.join(line_break)
    }
}

/// How a flow collection is written.
#[derive(Clone, Debug)]
pub(super) struct FlowStyle {
    pub(super) place: Place,
    /// Between a key and its value.
    pub(super) colon: String,
    /// Between items on one line.
    pub(super) comma: &'static str,
    /// For collections over several lines: the line break with the indentation of the items, and how much further in the next ones are.
    pub(super) lines: Option<(String, String)>,
}

impl FlowStyle {
    /// On one line, in YAML.
    pub(super) fn yaml() -> Self {
        Self { place: Place::Flow, colon: ": ".to_owned(), comma: ", ", lines: None }
    }

    /// A value whose items, if it has any, are further in than the collection that this is the style of.
    pub(super) fn write(&self, value: &Value, like: Style) -> String {
        let mut out = String::new();
        let (base, unit) = self.lines.clone().filter(|_| self.place == Place::Json).unwrap_or_default();
        self.append(value, like, &base, &unit, &mut out);
        out
    }

    pub(super) fn entry(&self, key: &str, value: &Value, key_like: Style) -> String {
        format!("{}{}{}", scalar::string(key, key_like, self.place), self.colon, self.write(value, Style::Plain))
    }

    /// `base` is the line break and indentation of where this value stands; empty for one line.
    fn append(&self, value: &Value, like: Style, base: &str, unit: &str, out: &mut String) {
        let inner = if base.is_empty() { String::new() } else { format!("{base}{unit}") };
        let separate = |first: bool, out: &mut String| {
            out.push_str(match (first, inner.is_empty()) {
                (true, _) => "",
                (false, true) => self.comma,
                (false, false) => ",",
            });
            out.push_str(&inner);
        };
        match value {
            Value::Object(entries) if !entries.is_empty() => {
                out.push('{');
                for (index, (key, value)) in entries.iter().enumerate() {
                    separate(index == 0, out);
                    out.push_str(&scalar::string(key, Style::Plain, self.place));
                    out.push_str(&self.colon);
                    self.append(value, Style::Plain, &inner, unit, out);
                }
                out.push_str(base);
                out.push('}');
            }
            Value::Array(items) if !items.is_empty() => {
                out.push('[');
                for (index, value) in items.iter().enumerate() {
                    separate(index == 0, out);
                    self.append(value, Style::Plain, &inner, unit, out);
                }
                out.push_str(base);
                out.push(']');
            }
            value => out.push_str(&scalar::write(value, like, self.place)),
        }
    }
}

impl Page<'_> {
    /// A value in block style whose key or dash is at `column`. Text of several lines becomes a literal, if `literal`.
    pub(super) fn write(&self, value: &Value, column: usize, like: Style, literal: bool) -> Written {
        let mut written = Written { head: String::new(), lines: Vec::new() };
        match value {
            Value::Object(entries) if !entries.is_empty() => self.append_lines(value, column + self.step, literal, &mut written.lines),
            Value::Array(items) if !items.is_empty() => self.append_lines(value, column + self.list_step, literal, &mut written.lines),
            Value::String(text) if literal && is_literal(text) => {
                let (header, body) = match text.strip_suffix('\n') {
                    Some(body) => ("|", body),
                    None => ("|-", text.as_str()),
                };
                let indent = " ".repeat(column + self.step);
                let line = |line: &str| if line.is_empty() { String::new() } else { format!("{indent}{line}") };
                written.head = header.to_owned();
                written.lines = body.split('\n').map(line).collect();
            }
            value => written.head = scalar::write(value, like, Place::Block),
        }
        written
    }

    /// An entry of a map at `column`, without the indentation of its first line.
    pub(super) fn entry(&self, key: &str, value: &Value, column: usize, like: (Style, Style), literal: bool) -> String {
        let written = self.write(value, column, like.1, literal);
        let mut entry = scalar::string(key, like.0, Place::Block);
        entry.push(':');
        self.finish(entry, &written)
    }

    /// An item of a list at `column`, without the indentation of its first line.
    pub(super) fn item(&self, value: &Value, column: usize, literal: bool) -> String {
        let mut lines = Vec::new();
        self.append_item(value, column, literal, &mut lines);
        let first = lines.first_mut().map(|line| line.split_off(column.min(line.len())));
        if let (Some(text), Some(line)) = (first, lines.first_mut()) {
            *line = text;
        }
        lines.join(self.line_break)
    }

    /// A list or map in block style that stands behind a dash, at `column`, without the indentation of its first line.
    pub(super) fn compact(&self, value: &Value, column: usize) -> String {
        let mut lines = Vec::new();
        self.append_lines(value, column, false, &mut lines);
        lines.join(self.line_break).split_off(column)
    }

    fn finish(&self, mut text: String, written: &Written) -> String {
        if !written.head.is_empty() {
            text.push(' ');
            text.push_str(&written.head);
        }
        for line in &written.lines {
            text.push_str(self.line_break);
            text.push_str(line);
        }
        text
    }

    fn append_lines(&self, value: &Value, column: usize, literal: bool, lines: &mut Vec<String>) {
        let indent = " ".repeat(column);
        match value {
            Value::Object(entries) => {
                for (key, value) in entries {
                    let written = self.write(value, column, Style::Plain, literal);
                    let space = if written.head.is_empty() { "" } else { " " };
                    lines.push(format!("{indent}{}:{space}{}", scalar::string(key, Style::Plain, Place::Block), written.head));
                    lines.extend(written.lines);
                }
            }
            Value::Array(items) => items.iter().for_each(|item| self.append_item(item, column, literal, lines)),
            _ => {}
        }
    }

    fn append_item(&self, value: &Value, column: usize, literal: bool, lines: &mut Vec<String>) {
        let indent = " ".repeat(column);
        let inner = match value {
            Value::Object(entries) => !entries.is_empty(),
            Value::Array(items) => !items.is_empty(),
            _ => false,
        };
        let first = lines.len();
        if inner {
            self.append_lines(value, column + 2, literal, lines);
            if let Some(line) = lines.get_mut(first) {
                *line = format!("{indent}- {}", line.trim_start_matches(' '));
            }
        } else {
            let written = self.write(value, column, Style::Plain, literal);
            lines.push(format!("{indent}- {}", written.head));
            lines.extend(written.lines);
        }
    }
}

/// Whether a text can be written as a literal without saying more than where it ends.
fn is_literal(text: &str) -> bool {
    let body = text.strip_suffix('\n').unwrap_or(text);
    let odd = |line: &str| line.ends_with([' ', '\t']) || line.starts_with('\t');
    let content = body.split('\n');
    body.contains('\n')
        && !body.starts_with([' ', '\n'])
        && !body.ends_with('\n')
        && !content.clone().any(odd)
        && !body.chars().any(|char| char != '\n' && scalar::is_escaped(char))
}
