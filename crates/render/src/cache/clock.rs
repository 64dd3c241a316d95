//! Templates that may come out otherwise although no file changes: they ask for the time, or for chance.

use std::io::Read as _;

use memchr::memmem;

/// Functions of templates, by their names. They are looked for where templates are written, in `{{ … }}`; a word of a comment or a string there
/// counts, too: what has it is only rendered once more. A name that a template puts together while it runs is not seen.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Words(&'static [&'static [&'static [u8]]]);

const OF_TIME: &[&[u8]] = &[
    b"ago",
    b"date",
    b"dateInZone",
    b"date_in_zone",
    b"durationRound",
    b"genCA",
    b"genCAWithKey",
    b"genSelfSignedCert",
    b"genSelfSignedCertWithKey",
    b"genSignedCert",
    b"genSignedCertWithKey",
    b"htmlDate",
    b"htmlDateInZone",
    b"now",
];

const OF_CHANCE: &[&[u8]] = &[
    b"bcrypt",
    b"encryptAES",
    b"genPrivateKey",
    b"htpasswd",
    b"randAlpha",
    b"randAlphaNum",
    b"randAscii",
    b"randBytes",
    b"randInt",
    b"randNumeric",
    b"shuffle",
    b"uuidv4",
];

/// What a new instance does not answer the same every time: chance is the same in all of them.
pub(crate) const TIME: Words = Words(&[OF_TIME]);

/// The same for an instance that was asked before.
pub(crate) const TIME_AND_CHANCE: Words = Words(&[OF_TIME, OF_CHANCE]);

/// For what runs no templates.
pub(crate) const NONE: Words = Words(&[]);

/// How an archive begins.
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// Bytes of an archive's content that are looked at.
const MAX_ARCHIVE: u64 = 64 << 20;

/// Bytes of a letter, with a quote.
const RUNE: usize = 5;

impl Words {
    /// Whether one of them is in a file, or may be: archives are looked into, archives in archives are not.
    pub(super) fn are_in_file(self, bytes: &[u8]) -> bool {
        if self.0.is_empty() {
            return false;
        }
        if !bytes.starts_with(&GZIP) {
            return self.are_in(bytes);
        }
        let mut content = Vec::new();
        let read = flate2::read::MultiGzDecoder::new(bytes).take(MAX_ARCHIVE + 1).read_to_end(&mut content);
        let is_seen = read.is_ok_and(|read| read as u64 <= MAX_ARCHIVE) && memmem::find(&content, b".tgz").is_none();
        !is_seen || self.are_in(&content)
    }

    /// Whether one of them is in texts that are written as JSON.
    pub(super) fn are_in_json(self, text: &str) -> bool {
        !self.0.is_empty() && self.are_in(text.as_bytes())
    }

    fn are_in(self, bytes: &[u8]) -> bool {
        let mut rest = bytes;
        while let Some(start) = memmem::find(rest, b"{{") {
            let (action, after) = split(rest.get(start + 2..).unwrap_or_default());
            if self.are_called(action) {
                return true;
            }
            rest = after;
        }
        false
    }

    fn are_called(self, action: &[u8]) -> bool {
        let is_one = |word: &[u8]| self.0.iter().any(|list| list.binary_search(&word).is_ok());
        let mut before = b' ';
        let mut at = 0;
        while let Some(&byte) = action.get(at) {
            let word = action.get(at..).unwrap_or_default();
            let length = word.iter().take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_').count();
            let word = word.get(..length).unwrap_or_default();
            // Fields and variables may have such names. Where text is written in JSON or YAML, `\n` may stand before a word.
            if !matches!(before, b'.' | b'$') && (is_one(word) || before == b'\\' && word.get(1..).is_some_and(is_one)) {
                return true;
            }
            before = byte;
            at += length.max(1);
        }
        false
    }
}

/// The action that text begins with, behind its `{{`, and what comes after it. Where it ends is not sure if what is in it is not what a template
/// has: then all of the text is taken for it.
fn split(text: &[u8]) -> (&[u8], &[u8]) {
    let mut at = 0;
    let end = loop {
        let rest = text.get(at..).unwrap_or_default();
        let Some(next) = rest.iter().position(|byte| matches!(byte, b'}' | b'/' | b'`' | b'"' | b'\'')) else { break None };
        let rest = rest.get(next..).unwrap_or_default();
        at += next;
        let skipped = match rest {
            [b'}', b'}', ..] => break Some(at),
            [b'/', b'*', inside @ ..] => memmem::find(inside, b"*/").map(|end| end + 4),
            [b'}' | b'/', ..] => Some(1),
            [b'`', inside @ ..] => memchr::memchr(b'`', inside).map(|end| end + 2),
            [quote, inside @ ..] => {
                let end = quoted(*quote, backslashes(text.get(..at).unwrap_or_default()), inside);
                // A quote before several letters is an apostrophe.
                end.filter(|end| *quote == b'"' || *end <= RUNE || inside.starts_with(b"\\")).map(|end| end + 1)
            }
            [] => None,
        };
        match skipped {
            Some(skipped) => at += skipped,
            None => break None,
        }
    };
    end.and_then(|end| text.split_at_checked(end)).unwrap_or((text, &[]))
}

/// Bytes of a string behind its first quote, with its last; `None` if it does not end on its line. `depth`: how many backslashes were before
/// the first quote. There is one where the template stands in a string of JSON or YAML: its own backslashes are doubled there.
fn quoted(quote: u8, depth: usize, inside: &[u8]) -> Option<usize> {
    let mut at = 0;
    loop {
        let rest = inside.get(at..)?;
        let next = memchr::memchr2(quote, b'\n', rest)?;
        if rest.get(next) == Some(&b'\n') {
            return None;
        }
        let backslashes = backslashes(inside.get(..at + next)?);
        at += next + 1;
        let escapes = match depth {
            0 => backslashes,
            1 if backslashes % 2 == 1 => backslashes / 2,
            // The string around it ends, or there are several.
            _ => return None,
        };
        if escapes % 2 == 0 {
            return Some(at);
        }
    }
}

/// How many backslashes text ends with.
fn backslashes(text: &[u8]) -> usize {
    text.iter().rev().take_while(|byte| **byte == b'\\').count()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use std::io::Write as _;

    use super::*;

    #[test]
    fn they_are_found_where_templates_call_them() {
        for words in [TIME, TIME_AND_CHANCE] {
            assert!(words.0.iter().all(|list| list.is_sorted()));
            for text in [
                "{{ now }}",
                "a {{- $x := now | date \"2006\" -}}",
                "{{ .Values.a }}{{(now)}}",
                "{{\n now\n}}",
                "{{ if ago",
                "{{ genCA \"a\" 1 }}",
                // What ends an action does not end it in a string, a rune or a comment.
                "{{ print \"}}\" now }}",
                "{{ print `\n}}` now }}",
                "{{ print '\"' \"}}\" now }}",
                r#"{{ print "\"}}\\" now }}"#,
                "{{- /* \"}} */ -}}{{ now }}",
                "{{/* }} */}}{{ `{{` }}{{ now }}",
                // In a string of YAML.
                r#"a: "{{ print \"}}\" now }}""#,
                r#"a: "{{ print \"\\\"}}\\\\\" now }}""#,
                // Nobody knows where these end.
                "{{ it's }} x {{ '}}' | now }}",
                "{{ \"a }}\n{{ print \"}}\" now }}",
            ] {
                assert!(words.are_in_file(text.as_bytes()), "{text}");
            }
            for text in [
                "now",
                "{{ .now }}",
                "{{ $now }}",
                "{{ nowhere }} now",
                "{{ .Values.date }}",
                "{{ include \"known\" . }}",
                "{{ \"}}\" }} now",
                "{{ '\"' }} now",
                r#"a: "{{ \"}}\" }} now""#,
                "{{ /* }} */ }} now",
                "",
            ] {
                assert!(!words.are_in_file(text.as_bytes()), "{text}");
            }
            assert!(words.are_in_json(r#"{"a":"{{\nnow }}"}"#));
            assert!(words.are_in_json(r#"{"a":"{{ print \"}}\" now }}"}"#));
            assert!(!words.are_in_json(r#"{"a":"{{\nknow }}"}"#));
            assert!(!words.are_in_json(r#"{"a":"{{ print \"}}\" }} now"}"#));
        }
        assert!(!TIME.are_in_file(b"{{ uuidv4 }}") && TIME_AND_CHANCE.are_in_file(b"{{ uuidv4 }}"));
        assert!(!NONE.are_in_file(b"{{ now }}") && !NONE.are_in_json("{{ now }}"));
    }

    #[test]
    fn a_long_action_takes_no_longer_than_it_is() {
        for part in ["} / ", "{{ } ", "\\", "'\"' ", "`` ", "/* */ "] {
            let text = format!("{{{{ {}", part.repeat(1 << 20));
            assert!(!TIME.are_in_file(text.as_bytes()), "{part}");
        }
    }

    #[test]
    fn archives_are_looked_into() {
        let pack = |text: &str| {
            let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            out.write_all(text.as_bytes()).unwrap();
            out.finish().unwrap()
        };
        assert!(TIME.are_in_file(&pack("x {{ now }}")));
        assert!(!TIME.are_in_file(&pack("x {{ .Values.a }}")));
        // One that nobody can look into, and one in another.
        assert!(TIME.are_in_file(&[0x1f, 0x8b, 1, 2, 3]));
        assert!(TIME.are_in_file(&pack("web/charts/db.tgz")));
    }
}
