//! Small readings of text that several rules share.

use std::borrow::Cow;
use std::collections::BTreeMap;

/// Numbers by name. The YAML parser has a map of this very type: in a module it costs nothing, where any other takes 4 KB.
pub type ByName<'a> = BTreeMap<Cow<'a, str>, usize>;

/// A pattern in which `*` stands for any text, `/` included.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Glob(String);

impl Glob {
    /// A pattern; every text is one.
    pub fn new(pattern: impl Into<String>) -> Self {
        Glob(pattern.into())
    }

    /// Whether the whole of `text` matches. Linear in the text for each `*`.
    pub fn matches(&self, text: &str) -> bool {
        let mut parts = self.0.split('*');
        let Some(mut rest) = parts.next().and_then(|first| text.strip_prefix(first)) else { return false };
        let mut parts = parts.peekable();
        if parts.peek().is_none() {
            return rest.is_empty();
        }
        while let Some(part) = parts.next() {
            if parts.peek().is_none() {
                return rest.ends_with(part);
            }
            match rest.split_once(part) {
                Some((_, after)) => rest = after,
                None => return false,
            }
        }
        true
    }

    /// The pattern.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Whether any of `globs` matches.
pub fn any_matches(globs: &[Glob], text: &str) -> bool {
    globs.iter().any(|glob| glob.matches(text))
}

/// Whether a text contains a word. For short words in short texts, where the standard library's search would spend its time on
/// preparing.
pub fn has(text: &str, word: &str) -> bool {
    places(text, word).next().is_some()
}

fn places(text: &str, word: &str) -> impl Iterator<Item = usize> {
    let windows = text.as_bytes().windows(word.len().max(1)).enumerate();
    windows.filter(|(_, window)| window.first() == word.as_bytes().first() && *window == word.as_bytes()).map(|(at, _)| at)
}

/// Whether a text has the form of a GUID, in any letter case.
pub fn is_guid(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.len() == 36
        && bytes.iter().enumerate().all(|(index, byte)| match index {
            8 | 13 | 18 | 23 => *byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

/// Whether a GUID is all zeros, which is always a placeholder.
pub fn is_zero_guid(text: &str) -> bool {
    is_guid(text) && text.bytes().all(|byte| byte == b'0' || byte == b'-')
}

/// What a value that identifies something really is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Value {
    /// A value to be judged.
    Plain,
    /// Something that somebody still has to fill in.
    Placeholder,
    /// Something that only another system knows: a template expression, a sealed or encrypted value.
    NotKnown,
}

/// Tells values from placeholders and from what cannot be known here (rules.md §0 and §6.0).
///
/// `<…>`, `${…}`, `#{…}#`, `__x__`, `XXX`, `***`, words such as `REPLACE` or `CHANGEME`, `[…]` as the whole value and the zero GUID are
/// placeholders. `{{…}}`, SOPS' `ENC[…]`, compiled ARM expressions such as `[reference(…)]` and Terraform's `(known after apply)` are not
/// known.
pub fn classify(text: &str) -> Value {
    let text = text.trim();
    // Most values have none of the signs that all but words are made of.
    let is_sign = |byte| matches!(byte, b'{' | b'$' | b'(' | b'<' | b'#' | b'[' | b'_' | b'*');
    if !text.bytes().any(is_sign) {
        return if is_zero_guid(text) || has_placeholder_word(text) { Value::Placeholder } else { Value::Plain };
    }
    if has(text, "{{") || text.starts_with("ENC[") || has(text, "$(") || text.starts_with('(') && text.ends_with(')') {
        return Value::NotKnown;
    }
    if let Some(inner) = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')) {
        return if inner.contains('(') && inner.contains(')') { Value::NotKnown } else { Value::Placeholder };
    }
    let bracketed = text.find('<').is_some_and(|open| text.get(open..).is_some_and(|rest| rest.contains('>')));
    let dollar = (has(text, "${") || has(text, "#{")) && text.contains('}');
    let dunder = text.len() > 4 && text.starts_with("__") && text.ends_with("__");
    if bracketed || dollar || dunder || is_zero_guid(text) || has_placeholder_word(text) {
        return Value::Placeholder;
    }
    // UPPER_SNAKE_NAMES as whole values: somebody's variable name.
    let snake = text.len() >= 6
        && text.contains('_')
        && text.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_')
        && text.bytes().any(|byte| byte.is_ascii_uppercase());
    if snake { Value::Placeholder } else { Value::Plain }
}

const ANYWHERE: [&str; 10] =
    ["***", "CHANGEME", "CHANGE_ME", "CHANGE-ME", "UPDATE_ME", "UPDATE-ME", "FILL IN", "FILL_IN", "PATCHED_BY_OVERLAY", "PLACEHOLDER"];
const WORDS: [&str; 12] = [
    "YOUR_",
    "YOUR-",
    "YOUR ",
    "REPLACE_ME",
    "REPLACE-ME",
    "REPLACE ME",
    "REPLACE_WITH",
    "REPLACE-WITH",
    "REPLACE WITH",
    "REPLACE_THIS",
    "REPLACE-THIS",
    "REPLACE THIS",
];

/// Whether two letters are what a word of [`has_placeholder_word`] begins with.
fn begins_placeholder(pair: &[u8]) -> bool {
    let [one, two] = pair else { return false };
    if !matches!(one, b'*' | b'C' | b'F' | b'P' | b'R' | b'U' | b'X' | b'Y' | b'c' | b'f' | b'p' | b'r' | b'u' | b'x' | b'y') {
        return false;
    }
    let pair = [one.to_ascii_uppercase(), two.to_ascii_uppercase()];
    matches!(&pair, b"**" | b"CH" | b"FI" | b"PA" | b"PL" | b"RE" | b"UP" | b"XX" | b"YO")
}

/// Words that somebody left for somebody else. In lower case a word can also be part of a name (`replacement-service`), so there it
/// has to say a little more.
fn has_placeholder_word(text: &str) -> bool {
    // Most values have no such two letters, and end here.
    if !text.as_bytes().windows(2).any(begins_placeholder) {
        return false;
    }
    let upper = &*text.to_ascii_uppercase();
    let starts_word = |word: &&str| {
        places(upper, word).any(|at| !upper.as_bytes().get(..at).is_some_and(|head| head.last().is_some_and(u8::is_ascii_alphanumeric)))
    };
    let is_filler = |part: &str| part == "REPLACEME" || (part.len() >= 3 && part.bytes().all(|byte| byte == b'X'));
    upper.split(|letter: char| !letter.is_ascii_alphanumeric()).any(is_filler)
        || has(text, "XXX")
        || has(text, "REPLACE")
        || ANYWHERE.iter().any(|word| has(upper, word))
        || WORDS.iter().any(starts_word)
}

#[cfg(test)]
mod tests {
    use super::{ANYWHERE, Glob, Value, WORDS, classify, is_guid};

    #[test]
    fn every_word_of_a_placeholder_is_found() {
        for word in ANYWHERE.into_iter().chain(WORDS).chain(["REPLACE", "replaceme", "XXX", "xxx"]) {
            assert_eq!(classify(&format!("a.{word}.b")), Value::Placeholder, "{word}");
        }
        assert_eq!(classify("registry.example/pay:1.4"), Value::Plain);
    }

    #[test]
    fn globs() {
        for (pattern, text, want) in [
            ("a/b", "a/b", true),
            ("a/b", "a/bc", false),
            ("a/*", "a/b", true),
            ("*/b", "a/b", true),
            ("*", "", true),
            ("a*c", "abbc", true),
            ("a*c", "abcd", false),
            ("a*b*c", "a-b-c", true),
            ("a*b*c", "a-c-b", false),
            ("aa*aa", "aaa", false),
        ] {
            assert_eq!(Glob::new(pattern).matches(text), want, "{pattern} {text}");
        }
    }

    #[test]
    fn guids() {
        assert!(is_guid("6f1b1c9e-2d0a-4b7c-9a57-0c8d6f2e4a11"));
        assert!(!is_guid("6f1b1c9e-2d0a-4b7c-9a57-0c8d6f2e4a1"));
        assert!(!is_guid("6f1b1c9e_2d0a_4b7c_9a57_0c8d6f2e4a11"));
    }

    #[test]
    fn placeholders() {
        for text in [
            "<client-id>",
            "${CLIENT_ID}",
            "#{clientId}#",
            "__msiClientId__",
            "[client id]",
            "XXXX",
            "00000000-0000-0000-0000-000000000000",
            "APPLICATION_CLIENT_ID",
            "<update_me>",
            "changeme",
            "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx",
            "456XXX",
            "arn:aws:iam::xxx:role/a",
            "your-client-id",
            "https://dev.azure.com/YOUR_ORG/app",
            "replace_with_client_id",
            "REPLACE",
        ] {
            assert_eq!(classify(text), Value::Placeholder, "{text}");
        }
        for text in [
            "{{ .Values.clientId }}",
            "ENC[AES256_GCM,data:x]",
            "[reference(resourceId('a', 'b')).clientId]",
            "$(CLIENT_ID)",
            "(known after apply)",
            "(sensitive value)",
        ] {
            assert_eq!(classify(text), Value::NotKnown, "{text}");
        }
        for text in [
            "serviceAccount:P.svc.id.goog[ns/sa]",
            "6f1b1c9e-2d0a-4b7c-9a57-0c8d6f2e4a11",
            "api://AzureADTokenExchange",
            "true",
            "AWS",
            "system:serviceaccount:apps:replace-operator",
            "https://git.example/apps/replacement-service.git",
            "maxxx",
            "savour-it",
            "shop (blue)",
        ] {
            assert_eq!(classify(text), Value::Plain, "{text}");
        }
    }
}
