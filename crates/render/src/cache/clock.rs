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

impl Words {
    /// Whether one of them is in a file, or may be: archives are looked into, archives in archives are not.
    pub(super) fn are_in_file(self, bytes: &[u8]) -> bool {
        if self.0.is_empty() {
            return false;
        }
        if !bytes.starts_with(&GZIP) {
            return self.are_in(bytes, false);
        }
        let mut content = Vec::new();
        let read = flate2::read::MultiGzDecoder::new(bytes).take(MAX_ARCHIVE + 1).read_to_end(&mut content);
        let is_seen = read.is_ok_and(|read| read as u64 <= MAX_ARCHIVE) && memmem::find(&content, b".tgz").is_none();
        !is_seen || self.are_in(&content, false)
    }

    /// Whether one of them is in texts that are written as JSON, where `\n` is an end of a line.
    pub(super) fn are_in_json(self, text: &str) -> bool {
        !self.0.is_empty() && self.are_in(text.as_bytes(), true)
    }

    fn are_in(self, bytes: &[u8], is_json: bool) -> bool {
        let mut rest = bytes;
        while let Some(start) = memmem::find(rest, b"{{") {
            let action = rest.get(start + 2..).unwrap_or_default();
            let end = memmem::find(action, b"}}").unwrap_or(action.len());
            let (action, after) = action.split_at_checked(end).unwrap_or((action, &[]));
            if self.are_called(action, is_json) {
                return true;
            }
            rest = after;
        }
        false
    }

    fn are_called(self, action: &[u8], is_json: bool) -> bool {
        let mut before = b' ';
        let mut at = 0;
        while let Some(&byte) = action.get(at) {
            let rest = action.get(at..).unwrap_or_default();
            let length = rest.iter().take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_').count();
            // Fields and variables may have such names.
            if length > 0
                && !matches!(before, b'.' | b'$')
                && rest.get(..length).is_some_and(|word| self.0.iter().any(|list| list.binary_search(&word).is_ok()))
            {
                return true;
            }
            before = byte;
            at += if is_json && byte == b'\\' { 2 } else { length.max(1) };
        }
        false
    }
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
            ] {
                assert!(words.are_in_file(text.as_bytes()), "{text}");
            }
            for text in ["now", "{{ .now }}", "{{ $now }}", "{{ nowhere }} now", "{{ .Values.date }}", "{{ include \"known\" . }}", ""] {
                assert!(!words.are_in_file(text.as_bytes()), "{text}");
            }
            assert!(words.are_in_json(r#"{"a":"{{\nnow }}"}"#));
            assert!(!words.are_in_json(r#"{"a":"{{\nknow }}"}"#));
        }
        assert!(!TIME.are_in_file(b"{{ uuidv4 }}") && TIME_AND_CHANCE.are_in_file(b"{{ uuidv4 }}"));
        assert!(!NONE.are_in_file(b"{{ now }}") && !NONE.are_in_json("{{ now }}"));
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
