//! What may be a name (apimachinery, `util/validation`).

/// What [`is_subdomain`] wants.
pub(crate) const SUBDOMAIN: &str =
    "it is at most 253 small letters, digits, `-` and `.`, and around each `.` and at the ends are letters or digits";
/// What [`is_qualified`] wants.
pub(crate) const QUALIFIED: &str =
    "it is at most 63 letters, digits, `-`, `_` and `.`, with letters or digits at the ends, and a DNS name and `/` in front at most";
/// What [`is_label_value`] wants.
pub(crate) const LABEL_VALUE: &str = "it is at most 63 letters, digits, `-`, `_` and `.`, with letters or digits at the ends, or empty";

/// Whether a text is a subdomain of RFC 1123. Its labels have no length of their own.
pub(crate) fn is_subdomain(text: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let is_label = |label: &str| !label.is_empty() && label.bytes().all(inner) && !label.starts_with('-') && !label.ends_with('-');
    text.len() <= 253 && text.split('.').all(is_label)
}

/// Whether a text is a qualified name: the key of a label, the name of a condition.
pub(crate) fn is_qualified(text: &str) -> bool {
    match text.split_once('/') {
        Some((prefix, name)) => is_subdomain(prefix) && is_name(name),
        None => is_name(text),
    }
}

/// Whether a text can be the value of a label.
pub(crate) fn is_label_value(text: &str) -> bool {
    text.is_empty() || is_name(text)
}

fn is_name(text: &str) -> bool {
    let at_ends = |character: char| character.is_ascii_alphanumeric();
    let inner = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    text.len() <= 63 && text.bytes().all(inner) && text.starts_with(at_ends) && text.ends_with(at_ends)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_api_server() {
        let (long, longer) = ("a".repeat(63), "a".repeat(64));
        for (text, subdomain, qualified, value) in [
            ("", false, false, true),
            ("no-root", true, true, true),
            ("no.root", true, true, true),
            ("no..root", false, true, true),
            ("No_Root", false, true, true),
            ("-a", false, false, false),
            ("a-", false, false, false),
            ("a.", false, false, false),
            ("a b", false, false, false),
            ("\u{e9}", false, false, false),
            ("example.com/tier", false, true, false),
            ("Example.com/tier", false, false, false),
            ("/tier", false, false, false),
            ("example.com/", false, false, false),
            ("a/b/c", false, false, false),
            (&long, true, true, true),
            (&longer, true, false, false),
            (&"a".repeat(254), false, false, false),
        ] {
            assert_eq!((is_subdomain(text), is_qualified(text), is_label_value(text)), (subdomain, qualified, value), "{text}");
        }
    }
}
