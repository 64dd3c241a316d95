//! The documents of a template, and which of them a rendered one comes from.

use std::ops::Range;

use fedward_manifest::Source;

use crate::pieces::Output;

/// A document of a template.
#[derive(Debug)]
struct Part {
    /// Its lines, counted from 0.
    lines: Range<usize>,
    /// Its kind, if no action makes it.
    kind: Option<String>,
    hook: bool,
}

/// Where a rendered document comes from.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// There is only one.
    Whole,
    /// These lines of the template, counted from 0.
    Known(Range<usize>),
    /// One of several.
    OneOf(Vec<Range<usize>>),
}

/// The document of `template` that the one of the name `source` comes from; `made` is all that came out of the template, in its order.
pub(super) fn part_of(template: &Source, made: &[Output], source: &str) -> Origin {
    let Parts { all, once } = parts(template);
    let Some(own) = made.iter().find(|text| *text.name == *source).filter(|_| all.len() > 1) else { return Origin::Whole };
    let Some(kind) = &own.kind else { return Origin::Whole };
    // What is only comments is no object.
    let is_object = |text: &&Output| text.is_several || text.kind.is_some();
    // A template makes as many as it likes, each of which is looked at here: only of those that are as many as stand there.
    if once && all.iter().all(|part| part.kind.is_some()) && made.iter().filter(is_object).count() == all.len() {
        // Helm puts kinds in an order of its own, and hooks after everything else, but those that are alike stay as they stand.
        let there: Vec<&Part> = all.iter().filter(|part| part.kind.as_ref() == Some(kind) && part.hook == own.hook).collect();
        let here: Vec<&Output> = made.iter().filter(|text| text.kind.as_ref() == Some(kind) && text.hook == own.hook).collect();
        let number = here.iter().position(|text| *text.name == *source);
        if let Some(part) = number.filter(|_| here.len() == there.len()).and_then(|number| there.get(number)) {
            return Origin::Known(part.lines.clone());
        }
    }
    let could = all.iter().filter(|part| part.kind.as_ref().is_none_or(|other| other == kind));
    let mut could: Vec<Range<usize>> = could.map(|part| part.lines.clone()).collect();
    match could.len() {
        1 => could.pop().map_or(Origin::Whole, Origin::Known),
        // A kind that is in none of them is of a template that is called.
        0 => Origin::OneOf(all.into_iter().map(|part| part.lines).collect()),
        _ => Origin::OneOf(could),
    }
}

/// The kind that a line sets.
pub(crate) fn kind(line: &str) -> Option<&str> {
    let value = line.strip_prefix("kind:")?.split(" #").next()?.trim().trim_matches(['"', '\'']);
    (!value.is_empty() && !value.contains("{{")).then_some(value)
}

struct Parts {
    all: Vec<Part>,
    /// Whether each comes out once at most.
    once: bool,
}

/// The documents of a template that have something in them.
fn parts(template: &Source) -> Parts {
    let mut reader = Reader { once: true, ..Reader::default() };
    let mut rest = template.text();
    while let Some((before, after)) = rest.split_once("{{") {
        reader.plain(before);
        let (action, after) = split_action(after);
        reader.action(action);
        rest = after;
    }
    reader.plain(rest);
    reader.close();
    let line = |index: usize| template.line_text(u32::try_from(index + 1).unwrap_or(u32::MAX));
    let of = |lines: Range<usize>| Part {
        kind: lines.clone().find_map(|index| kind(line(index))).map(str::to_owned),
        hook: lines.clone().any(|index| is_hook(line(index))),
        lines,
    };
    Parts { all: reader.found.into_iter().map(of).collect(), once: reader.once }
}

fn is_hook(line: &str) -> bool {
    line.split_once(':').is_some_and(|(key, _)| key.trim().trim_matches(['"', '\'']) == "helm.sh/hook")
}

#[derive(Default)]
struct Reader {
    found: Vec<Range<usize>>,
    once: bool,
    /// The line, and whether something stands before on it.
    line: usize,
    is_within: bool,
    is_comment: bool,
    /// Where the document begins, and whether there is anything in it.
    start: usize,
    has_content: bool,
    /// For each block that is open, whether it may run several times, or elsewhere.
    open: Vec<bool>,
}

impl Reader {
    /// Made outside of actions.
    fn plain(&mut self, text: &str) {
        for (number, piece) in text.split('\n').enumerate() {
            if number > 0 {
                self.line += 1;
                (self.is_within, self.is_comment) = (false, false);
            }
            if !self.is_within && piece.starts_with("---") {
                self.close();
                self.start = self.line + 1;
                self.is_comment = true;
                self.once &= !self.open.contains(&true);
            }
            let text = piece.trim();
            self.is_comment |= text.starts_with('#');
            self.has_content |= !text.is_empty() && !self.is_comment;
            self.is_within |= !piece.is_empty();
        }
    }

    fn action(&mut self, action: &str) {
        let text = action.trim_matches(['-', ' ', '\t', '\n', '\r']);
        let word = text.split(|letter: char| letter.is_whitespace() || letter == '(').next().unwrap_or_default();
        match word {
            "range" | "define" | "block" => self.open.push(true),
            "if" | "with" => self.open.push(false),
            "end" => {
                self.open.pop();
            }
            "else" | "break" | "continue" => {}
            _ if word.starts_with("/*") || text.starts_with('$') && text.contains('=') => {}
            _ => self.has_content |= !self.is_comment,
        }
        self.line += action.matches('\n').count();
        self.is_within = true;
    }

    /// Ends a document before the line.
    fn close(&mut self) {
        // The last line may have no end.
        let end = if self.is_within { self.line + 1 } else { self.line };
        if std::mem::take(&mut self.has_content) {
            self.found.push(self.start..end);
        }
    }
}

/// What is between the braces of an action, and what follows it.
fn split_action(text: &str) -> (&str, &str) {
    let cut = |at: usize| (text.get(..at).unwrap_or(text), text.get(at + 2..).unwrap_or_default());
    let inside = text.trim_start_matches(['-', ' ', '\t', '\n', '\r']);
    let mut skipped = text.len() - inside.len();
    if inside.starts_with("/*") {
        skipped += inside.find("*/").unwrap_or(0);
    }
    let mut quote: Option<u8> = None;
    let mut bytes = text.bytes().enumerate().skip(skipped);
    while let Some((at, byte)) = bytes.next() {
        match quote {
            Some(own) if own == byte => quote = None,
            Some(own) if byte == b'\\' && own != b'`' => {
                bytes.next();
            }
            Some(_) => {}
            None if matches!(byte, b'"' | b'\'' | b'`') => quote = Some(byte),
            None if byte == b'}' && text.as_bytes().get(at + 1) == Some(&b'}') => return cut(at),
            None => {}
        }
    }
    (text, "")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    fn lines(text: &str) -> (Vec<(usize, usize)>, bool) {
        let Parts { all, once } = parts(&Source::from_text("a", text.to_owned()).unwrap());
        (all.into_iter().map(|part| (part.lines.start, part.lines.end)).collect(), once)
    }

    #[test]
    fn documents_are_told_apart_outside_of_actions() {
        assert_eq!(lines("# a\n---\nkind: A\n--- # b\n# c {{ .a }}\n---\nkind: B\n"), (vec![(2, 3), (6, 7)], true));
        assert_eq!(lines("{{- /*\n---\nit's\n*/ -}}\nkind: A\na: {{ `\n---\n}}` }}\nb: {{ \"}}\\\"\" }}\n"), (vec![(0, 9)], true));
        assert_eq!(lines("{{ $a := 1 }}\n---\n{{ include \"a\" . }}\n---\n{{ end }}\n"), (vec![(2, 3)], true));
        assert_eq!(lines("kind: A\n{{ range .a }}\n---\nkind: A\n{{ end }}"), (vec![(0, 2), (3, 5)], false));
        assert_eq!(lines("kind: A\n{{ if .a }}\n---\nkind: A\n{{ end }}\n"), (vec![(0, 2), (3, 5)], true));
    }
}
