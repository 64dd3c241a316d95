//! The name formats that the API server holds RBAC objects to, as far as they decide whether an object can exist at all.

use crate::selector::Labels;

/// A name that can stand in a URL path (`IsValidPathSegmentName` in apimachinery): all that RBAC objects' names must be.
pub(crate) fn is_path_segment(name: &str) -> bool {
    !name.is_empty() && name != "." && name != ".." && !name.contains(['/', '%'])
}

/// A DNS subdomain (RFC 1123), as service accounts are named.
pub(crate) fn is_dns_subdomain(name: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    name.len() <= 253 && name.split('.').all(|part| is_framed(part, inner, |byte| inner(byte) || byte == b'-'))
}

/// A label's key: a name of at most 63 characters, after a DNS subdomain and a `/` if there is one.
pub(crate) fn is_label_key(key: &str) -> bool {
    match key.split_once('/') {
        Some((prefix, name)) => is_dns_subdomain(prefix) && is_label_name(name),
        None => is_label_name(key),
    }
}

/// A label's value: empty, or like the name of a key.
pub(crate) fn is_label_value(value: &str) -> bool {
    value.is_empty() || is_label_name(value)
}

/// Whether all keys and values are labels.
pub(crate) fn are_labels(labels: &Labels) -> bool {
    labels.iter().all(|(key, value)| is_label_key(key) && is_label_value(value))
}

fn is_label_name(name: &str) -> bool {
    name.len() <= 63 && is_framed(name, |byte| byte.is_ascii_alphanumeric(), |byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
}

/// Not empty, with `ends` at both ends and `inner` between them.
fn is_framed(text: &str, ends: impl Fn(u8) -> bool, inner: impl Fn(u8) -> bool) -> bool {
    let bytes = text.as_bytes();
    matches!((bytes.first(), bytes.last()), (Some(first), Some(last)) if ends(*first) && ends(*last))
        && bytes.iter().all(|byte| inner(*byte))
}
