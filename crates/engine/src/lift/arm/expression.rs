//! Expressions of ARM templates: `[format('{0}/{1}', parameters('identity'), 'ci')]`.
//!
//! The grammar is that of Microsoft's "Syntax and expressions in ARM templates": calls, texts in single quotes (a quote in one is
//! doubled), integers, and access to fields and items of what a call gives.

use std::fmt;

/// An expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Expression {
    /// `'text'`
    Text(String),
    /// `7`
    Number(i64),
    /// `name(arguments)`, the name in lower case.
    Call(String, Vec<Expression>),
    /// `of.key`, or `of[key]`.
    Access(Box<Expression>, Box<Expression>),
}

/// Azure's own limit for the length of an expression.
const MAX_LENGTH: usize = 24_576;
/// How deep calls may hold calls. More are not read.
const MAX_DEPTH: u32 = 40;

/// Whether a text is an expression: `[…]`, and not the escape `[[…`.
pub(super) fn is_expression(text: &str) -> bool {
    text.starts_with('[') && text.ends_with(']') && !text.starts_with("[[")
}

/// A text that is no expression, as the template means it: `[[` begins one that is written with a bracket.
pub(super) fn unescaped(text: &str) -> &str {
    if text.starts_with("[[") { text.get(1..).unwrap_or(text) } else { text }
}

impl Expression {
    /// Reads an expression with its brackets; `None` if it is not well-formed.
    pub(super) fn parse(text: &str) -> Option<Self> {
        if !is_expression(text) || text.len() > MAX_LENGTH {
            return None;
        }
        let mut reader = Reader { rest: text.strip_prefix('[')?.strip_suffix(']')? };
        let found = reader.expression(MAX_DEPTH)?;
        reader.skip_space();
        reader.rest.is_empty().then_some(found)
    }

    /// The text, if it is one that is written out.
    pub(super) fn as_text(&self) -> Option<&str> {
        match self {
            Expression::Text(text) => Some(text),
            _ => None,
        }
    }
}

/// One way of writing for all that mean the same: without spaces.
impl fmt::Display for Expression {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Expression::Text(text) => write!(out, "'{}'", text.replace('\'', "''")),
            Expression::Number(number) => write!(out, "{number}"),
            Expression::Call(name, arguments) => {
                write!(out, "{name}(")?;
                for (index, argument) in arguments.iter().enumerate() {
                    write!(out, "{}{argument}", if index > 0 { "," } else { "" })?;
                }
                out.write_str(")")
            }
            Expression::Access(of, key) => write!(out, "{of}[{key}]"),
        }
    }
}

struct Reader<'t> {
    rest: &'t str,
}

impl<'t> Reader<'t> {
    fn skip_space(&mut self) {
        self.rest = self.rest.trim_start();
    }

    fn take(&mut self, letter: char) -> bool {
        self.skip_space();
        let after = self.rest.strip_prefix(letter);
        self.rest = after.unwrap_or(self.rest);
        after.is_some()
    }

    fn while_(&mut self, fits: impl Fn(char) -> bool) -> &'t str {
        let end = self.rest.find(|letter| !fits(letter)).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at_checked(end).unwrap_or((self.rest, ""));
        self.rest = rest;
        word
    }

    fn expression(&mut self, depth: u32) -> Option<Expression> {
        let depth = depth.checked_sub(1)?;
        let mut found = if self.take('\'') {
            Expression::Text(self.quoted()?)
        } else if self.rest.starts_with(|first: char| first == '-' || first.is_ascii_digit()) {
            Expression::Number(self.while_(|letter| letter == '-' || letter.is_ascii_digit()).parse().ok()?)
        } else {
            // Functions of the template's own have a namespace: `contoso.uniqueName(…)`.
            let name = self.while_(|letter| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '.')).to_ascii_lowercase();
            if name.is_empty() || !self.take('(') {
                return None;
            }
            Expression::Call(name, self.arguments(depth)?)
        };
        // Each access is a level of the tree, though not of the text.
        for _ in 0..depth {
            let key = if self.take('.') {
                let name = self.while_(|letter| letter.is_ascii_alphanumeric() || letter == '_');
                Expression::Text(Some(name).filter(|name| !name.is_empty())?.to_owned())
            } else if self.take('[') {
                let key = self.expression(depth)?;
                if !self.take(']') {
                    return None;
                }
                key
            } else {
                return Some(found);
            };
            found = Expression::Access(Box::new(found), Box::new(key));
        }
        None
    }

    fn arguments(&mut self, depth: u32) -> Option<Vec<Expression>> {
        let mut found = Vec::new();
        if self.take(')') {
            return Some(found);
        }
        loop {
            found.push(self.expression(depth)?);
            if self.take(')') {
                return Some(found);
            }
            if !self.take(',') {
                return None;
            }
        }
    }

    /// What follows an opening quote.
    fn quoted(&mut self) -> Option<String> {
        let mut text = String::new();
        loop {
            let (part, rest) = self.rest.split_once('\'')?;
            text.push_str(part);
            self.rest = rest;
            match rest.strip_prefix('\'') {
                Some(rest) => {
                    text.push('\'');
                    self.rest = rest;
                }
                None => return Some(text),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::{Expression, is_expression, unescaped};

    #[test]
    fn expressions_are_read_and_written_one_way() {
        for (text, want) in [
            ("[parameters('name')]", "parameters('name')"),
            ("[ Format( '{0}/{1}' , variables('a') , 'b''s' ) ]", "format('{0}/{1}',variables('a'),'b''s')"),
            ("[variables('all').first[1]['a b'].c]", "variables('all')['first'][1]['a b']['c']"),
            ("[contoso.name(-7)]", "contoso.name(-7)"),
            ("['text']", "'text'"),
            ("[resourceGroup().id]", "resourcegroup()['id']"),
        ] {
            assert_eq!(Expression::parse(text).unwrap().to_string(), want, "{text}");
        }
    }

    #[test]
    fn other_texts_are_none() {
        for text in ["[client id]", "[]", "[a(]", "[a(,)]", "['a]", "[a() b]", "[a().]", "[a('b')c('d')]", "[[a()]", "a()", "[x('a',)]"] {
            assert!(Expression::parse(text).is_none(), "{text}");
        }
        let deep = |depth: usize| format!("[{}'a'{}]", "f(".repeat(depth), ")".repeat(depth));
        assert!(Expression::parse(&deep(30)).is_some());
        assert!(Expression::parse(&deep(10_000)).is_none());
        assert!(Expression::parse(&format!("[a(){}]", ".b".repeat(1000))).is_none());
    }

    #[test]
    fn two_brackets_are_one() {
        assert!(!is_expression("[[a()]") && is_expression("[a()]"));
        assert_eq!(["[[a]", "[a]", "a"].map(unescaped), ["[a]", "[a]", "a"]);
    }
}
