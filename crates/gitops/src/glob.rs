//! The four kinds of patterns that Argo CD has paths matched with. Each is made one text or a regular expression, which matches in linear time.

use std::borrow::Cow;

use regex_lite::{Regex, RegexBuilder};

use crate::path;

/// Characters of one pattern at most, and bytes of what is made of it.
const MAX_PATTERN: usize = 4096;
const MAX_COMPILED: usize = 4 << 20;

/// A pattern.
#[derive(Clone, Debug)]
pub(crate) struct Glob {
    form: Form,
    /// Whether it matches bytes: then each is one character to the form.
    bytes: bool,
}

/// What a pattern comes to.
#[derive(Clone, Debug)]
enum Form {
    /// One text. Most patterns of projects are kinds, groups and addresses, and making an expression of each for every object takes longer
    /// than the rest of a check.
    Text(String),
    Regex(Regex),
}

/// Why a text is no pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum GlobError {
    /// Its syntax.
    #[error("not a pattern: {0}")]
    Syntax(&'static str),
    /// Its length, or what it would cost.
    #[error("the pattern is too long")]
    TooLong,
}

use GlobError::Syntax;

impl Glob {
    /// As `github.com/gobwas/glob` without separators, with which the directory source's `include` and `exclude` and the destinations of
    /// projects are matched: `*` and `?` match a slash.
    pub(crate) fn crossing(pattern: &str) -> Result<Self, GlobError> {
        gobwas(pattern, None)
    }

    /// The same with the separator `/`, which only `**` crosses: the source repositories of projects.
    pub(crate) fn separated(pattern: &str) -> Result<Self, GlobError> {
        gobwas(pattern, Some('/'))
    }

    /// As Go's `path.Match`: the directories of the git generator.
    pub(crate) fn path(pattern: &str) -> Result<Self, GlobError> {
        path_match(pattern)
    }

    /// As a pathspec of `git ls-files`: the files of the git generator. `*` crosses slashes, and a folder stands for what is in it.
    pub(crate) fn pathspec(pattern: &str) -> Result<Self, GlobError> {
        pathspec(pattern)
    }

    /// As `github.com/bmatcuk/doublestar`: values files, and the files of the git generator where that is turned on.
    pub(crate) fn doublestar(pattern: &str) -> Result<Self, GlobError> {
        doublestar(pattern)
    }

    /// Whether the whole text matches.
    #[must_use]
    pub(crate) fn matches(&self, text: &str) -> bool {
        let text = if self.bytes { byte_wise(text).into() } else { Cow::Borrowed(text) };
        match &self.form {
            Form::Text(only) => *only == *text,
            Form::Regex(regex) => regex.is_match(&text),
        }
    }
}

/// Whether Argo CD takes a values file for a pattern.
pub(crate) fn is_pattern(path: &str) -> bool {
    path.contains(['*', '?', '['])
}

/// What no character matches.
const NOTHING: &str = "[^\\u{0}-\\u{10ffff}]";

/// A regular expression in the making.
struct Builder {
    regex: String,
    /// The one text that it matches so far, unless it has more than texts in it.
    text: Option<String>,
}

impl Default for Builder {
    fn default() -> Self {
        Builder { regex: String::new(), text: Some(String::new()) }
    }
}

impl Builder {
    fn literal(&mut self, character: char) {
        self.regex.push_str(&regex_lite::escape(character.encode_utf8(&mut [0; 4])));
        if let Some(text) = &mut self.text {
            text.push(character);
        }
    }

    fn raw(&mut self, text: &str) {
        self.regex.push_str(text);
        self.text = None;
    }

    /// Any characters, or one, but not the separator.
    fn any(&mut self, separator: Option<char>, many: bool) {
        match separator {
            Some(separator) => {
                self.raw("[^");
                self.literal(separator);
                self.raw("]");
            }
            None => self.raw("."),
        }
        if many {
            self.raw("*");
        }
    }

    /// A class of characters, as ranges.
    fn class(&mut self, negated: bool, ranges: &[(char, char)]) {
        self.raw(if negated { "[^" } else { "[" });
        for (low, high) in ranges {
            self.raw(&format!("\\u{{{:x}}}-\\u{{{:x}}}", u32::from(*low), u32::from(*high)));
        }
        self.raw("]");
    }

    fn finish(self) -> Result<Glob, GlobError> {
        if let Some(text) = self.text {
            return Ok(Glob { form: Form::Text(text), bytes: false });
        }
        let regex = RegexBuilder::new(&format!("^(?:{})$", self.regex)).dot_matches_new_line(true).size_limit(MAX_COMPILED).build();
        regex.map(|regex| Glob { form: Form::Regex(regex), bytes: false }).map_err(|_| GlobError::TooLong)
    }
}

/// The characters of a pattern, one after the other.
struct Reader<'p> {
    rest: std::iter::Peekable<std::str::Chars<'p>>,
}

impl<'p> Reader<'p> {
    fn new(pattern: &'p str) -> Result<Self, GlobError> {
        if pattern.len() > MAX_PATTERN { Err(GlobError::TooLong) } else { Ok(Reader { rest: pattern.chars().peekable() }) }
    }

    fn next(&mut self) -> Option<char> {
        self.rest.next()
    }

    fn peek(&mut self) -> Option<char> {
        self.rest.peek().copied()
    }

    fn takes(&mut self, character: char) -> bool {
        self.rest.next_if_eq(&character).is_some()
    }

    /// A character that a backslash may stand before.
    fn escaped(&mut self) -> Result<char, GlobError> {
        match self.next() {
            Some('\\') => self.next().ok_or(Syntax("nothing follows the last `\\`")),
            Some(character) => Ok(character),
            None => Err(Syntax("`[` without `]`")),
        }
    }
}

fn gobwas(pattern: &str, separator: Option<char>) -> Result<Glob, GlobError> {
    let (mut reader, mut out) = (Reader::new(pattern)?, Builder::default());
    let mut open = 0_usize;
    while let Some(character) = reader.next() {
        match character {
            '*' if reader.takes('*') => out.any(None, true),
            '*' => out.any(separator, true),
            '?' => out.any(separator, false),
            '[' => gobwas_class(&mut reader, &mut out)?,
            '{' => {
                open += 1;
                out.raw("(?:");
            }
            ',' if open > 0 => out.raw("|"),
            '}' if open > 0 => {
                open -= 1;
                out.raw(")");
            }
            '\\' => out.literal(reader.next().ok_or(Syntax("nothing follows the last `\\`"))?),
            character => out.literal(character),
        }
    }
    if open > 0 { Err(Syntax("`{` without `}`")) } else { out.finish() }
}

/// Either one range or characters, never both; `-` is a character in the latter.
fn gobwas_class(reader: &mut Reader<'_>, out: &mut Builder) -> Result<(), GlobError> {
    const UNCLOSED: GlobError = Syntax("`[` without `]`");
    let negated = reader.takes('!');
    let mut first = reader.next().ok_or(UNCLOSED)?;
    if reader.takes('-') {
        let last = reader.next().ok_or(UNCLOSED)?;
        if last < first {
            return Err(Syntax("a range in `[…]` ends before it begins"));
        }
        out.class(negated, &[(first, last)]);
        return if reader.takes(']') { Ok(()) } else { Err(Syntax("something follows a range in `[…]`")) };
    }
    let mut characters = Vec::new();
    while first != ']' {
        let character = if first == '\\' { reader.next().ok_or(UNCLOSED)? } else { first };
        characters.push((character, character));
        first = reader.next().ok_or(UNCLOSED)?;
    }
    if characters.is_empty() {
        return Err(Syntax("`[]`"));
    }
    out.class(negated, &characters);
    Ok(())
}

fn path_match(pattern: &str) -> Result<Glob, GlobError> {
    let (mut reader, mut out) = (Reader::new(pattern)?, Builder::default());
    while let Some(character) = reader.next() {
        match character {
            '*' => out.any(Some('/'), true),
            '?' => out.any(Some('/'), false),
            '[' => {
                let negated = reader.takes('^');
                let mut ranges = Vec::new();
                while ranges.is_empty() || !reader.takes(']') {
                    if matches!(reader.peek(), Some('-' | ']')) {
                        return Err(Syntax("`[…]` begins with `-` or `]`"));
                    }
                    let low = reader.escaped()?;
                    let high = if reader.takes('-') {
                        if matches!(reader.peek(), Some('-' | ']')) {
                            return Err(Syntax("a range in `[…]` has no end"));
                        }
                        reader.escaped()?
                    } else {
                        low
                    };
                    ranges.push((low, high));
                    if reader.peek().is_none() {
                        return Err(Syntax("`[` without `]`"));
                    }
                }
                // A range that ends before it begins has nothing in it.
                ranges.retain(|(low, high)| low <= high);
                match (ranges.is_empty(), negated) {
                    (true, true) => out.raw("."),
                    (true, false) => out.raw(NOTHING),
                    _ => out.class(negated, &ranges),
                }
            }
            '\\' => out.literal(reader.next().ok_or(Syntax("nothing follows the last `\\`"))?),
            character => out.literal(character),
        }
    }
    out.finish()
}

fn doublestar(pattern: &str) -> Result<Glob, GlobError> {
    let (mut reader, mut out) = (Reader::new(pattern)?, Builder::default());
    let mut open = 0_usize;
    // Whether a part of the path begins here: only there do two stars stand for folders.
    let mut begins = true;
    while let Some(character) = reader.next() {
        let began = std::mem::replace(&mut begins, matches!(character, '/' | '{') || character == ',' && open > 0);
        match character {
            '*' if began && ends_part(reader.rest.clone(), 1, open > 0) => {
                reader.next();
                if reader.takes('/') {
                    out.raw("(?:.*/)?");
                    begins = true;
                } else {
                    out.raw(".*");
                }
            }
            '*' => out.any(Some('/'), true),
            '?' => out.any(Some('/'), false),
            '[' => doublestar_class(&mut reader, &mut out)?,
            '{' => {
                open += 1;
                out.raw("(?:");
            }
            ',' if open > 0 => out.raw("|"),
            '}' if open > 0 => {
                open -= 1;
                out.raw(")");
            }
            '}' => return Err(Syntax("`}` without `{`")),
            // The folder itself is among what `folder/**` stands for.
            '/' if ends_part(reader.rest.clone(), 2, open > 0) && !leads_on(&reader) => {
                reader.next();
                reader.next();
                out.raw("(?:/.*)?");
            }
            '\\' => out.literal(reader.next().ok_or(Syntax("nothing follows the last `\\`"))?),
            character => out.literal(character),
        }
    }
    if open > 0 { Err(Syntax("`{` without `}`")) } else { out.finish() }
}

/// Whether a number of stars come now, and then the end of a path's part.
fn ends_part(mut rest: std::iter::Peekable<std::str::Chars<'_>>, stars: usize, in_group: bool) -> bool {
    for _ in 0..stars {
        if rest.next() != Some('*') {
            return false;
        }
    }
    match rest.next() {
        None | Some('/') => true,
        Some(',' | '}') => in_group,
        Some(_) => false,
    }
}

/// Whether another part of the path follows two stars.
fn leads_on(reader: &Reader<'_>) -> bool {
    reader.rest.clone().nth(2) == Some('/')
}

fn doublestar_class(reader: &mut Reader<'_>, out: &mut Builder) -> Result<(), GlobError> {
    let negated = reader.takes('!') || reader.takes('^');
    if reader.peek() == Some(']') {
        return Err(Syntax("`[]`"));
    }
    let mut ranges = Vec::new();
    while !reader.takes(']') {
        let low = reader.escaped()?;
        let mut ahead = reader.rest.clone();
        let high = if ahead.next() == Some('-') && !matches!(ahead.next(), None | Some(']')) {
            reader.next();
            reader.escaped()?
        } else {
            low
        };
        ranges.push((low, high));
    }
    // A range that ends before it begins has nothing in it.
    ranges.retain(|(low, high)| low <= high);
    if ranges.is_empty() {
        out.raw(if negated { "." } else { NOTHING });
    } else {
        out.class(negated, &ranges);
    }
    Ok(())
}

fn pathspec(pattern: &str) -> Result<Glob, GlobError> {
    if pattern.starts_with(':') {
        return Err(Syntax("words of Git at the beginning of a pathspec (`:(…)`, `:!`) are not read here"));
    }
    let (Some(name), false) = (path::clean(pattern), pattern.starts_with('/')) else {
        return Err(Syntax("a pathspec that leads out of the repository"));
    };
    let mut out = Builder::default();
    if name.is_empty() {
        out.raw(".*");
        return out.finish();
    }
    let is_folder = pattern.ends_with('/');
    let name = byte_wise(&name);
    // A name is a name, whatever characters it has; one of a folder stands for all in it.
    name.chars().for_each(|character| out.literal(character));
    out.raw(if is_folder { "/.*" } else { "(?:/.*)?" });
    if let Ok(wild) = wildmatch(&if is_folder { format!("{name}/") } else { name }) {
        out.raw("|");
        out.raw(&wild.regex);
    }
    Ok(Glob { bytes: true, ..out.finish()? })
}

/// A text in which every byte of another is a character.
fn byte_wise(text: &str) -> String {
    text.bytes().map(char::from).collect()
}

/// Git's `wildmatch` without any flags.
fn wildmatch(pattern: &str) -> Result<Builder, GlobError> {
    let (mut reader, mut out) = (Reader::new(pattern)?, Builder::default());
    while let Some(character) = reader.next() {
        match character {
            '*' => out.any(None, true),
            '?' => out.any(None, false),
            '[' => {
                let negated = reader.takes('!') || reader.takes('^');
                let mut ranges = Vec::new();
                let mut is_first = true;
                while std::mem::take(&mut is_first) || !reader.takes(']') {
                    if reader.peek() == Some('[') {
                        let mut ahead = reader.rest.clone();
                        ahead.next();
                        if ahead.next() == Some(':') {
                            reader.rest = ahead;
                            ranges.extend(named_class(&mut reader)?);
                            continue;
                        }
                    }
                    let low = reader.escaped()?;
                    let mut ahead = reader.rest.clone();
                    let high = if ahead.next() == Some('-') && !matches!(ahead.next(), None | Some(']')) {
                        reader.next();
                        reader.escaped()?
                    } else {
                        low
                    };
                    if low <= high {
                        ranges.push((low, high));
                    }
                }
                if ranges.is_empty() {
                    return Err(Syntax("`[…]` with nothing in it"));
                }
                out.class(negated, &ranges);
            }
            '\\' => out.literal(reader.next().ok_or(Syntax("nothing follows the last `\\`"))?),
            character => out.literal(character),
        }
    }
    Ok(out)
}

/// The rest of `[:alpha:]` after its colon.
fn named_class(reader: &mut Reader<'_>) -> Result<&'static [(char, char)], GlobError> {
    let mut name = String::new();
    while let Some(character) = reader.rest.next_if(|character| character.is_ascii_lowercase()) {
        name.push(character);
    }
    if !(reader.takes(':') && reader.takes(']')) {
        return Err(Syntax("`[:` without `:]`"));
    }
    Ok(match name.as_str() {
        "alnum" => &[('0', '9'), ('A', 'Z'), ('a', 'z')],
        "alpha" => &[('A', 'Z'), ('a', 'z')],
        "blank" => &[(' ', ' '), ('\t', '\t')],
        "cntrl" => &[('\0', '\u{1f}'), ('\u{7f}', '\u{7f}')],
        "digit" => &[('0', '9')],
        "graph" => &[('!', '~')],
        "lower" => &[('a', 'z')],
        "print" => &[(' ', '~')],
        "punct" => &[('!', '/'), (':', '@'), ('[', '`'), ('{', '~')],
        "space" => &[('\t', '\r'), (' ', ' ')],
        "upper" => &[('A', 'Z')],
        "xdigit" => &[('0', '9'), ('A', 'F'), ('a', 'f')],
        _ => return Err(Syntax("an unknown name in `[:…:]`")),
    })
}

#[cfg(test)]
mod tests;
