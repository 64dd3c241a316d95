//! Absolute URLs, taken apart where they stand: nothing is decoded, copied or normalised.

/// The parts of an absolute URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Url<'a> {
    /// Before `://`, as it is written.
    pub scheme: &'a str,
    /// Before an `@`; empty where there is none.
    pub user_info: &'a str,
    /// The host, as it is written; an IPv6 address keeps its brackets.
    pub host: &'a str,
    /// After the host's `:`; empty where there is none.
    pub port: &'a str,
    /// From the first `/` to `?` or `#`; empty where there is none.
    pub path: &'a str,
    /// `?`, `#` and what follows; empty where there is none.
    pub tail: &'a str,
}

/// Takes a URL apart; `None` for a text without `scheme://` and a host.
pub fn split(text: &str) -> Option<Url<'_>> {
    let (scheme, rest) = text.split_once("://")?;
    let is_scheme = scheme.starts_with(|first: char| first.is_ascii_alphabetic())
        && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte));
    if !is_scheme {
        return None;
    }
    let (authority, rest) = cut(rest, &['/', '?', '#']);
    let (path, tail) = cut(rest, &['?', '#']);
    let (user_info, address) = authority.rsplit_once('@').unwrap_or(("", authority));
    let host_end = if address.starts_with('[') { address.find(']').map_or(address.len(), |end| end + 1) } else { 0 };
    let (host, port) = match address.get(host_end..).and_then(|after| after.find(':')) {
        Some(colon) => (address.get(..host_end + colon)?, address.get(host_end + colon + 1..)?),
        None => (address, ""),
    };
    (!host.is_empty()).then_some(Url { scheme, user_info, host, port, path, tail })
}

/// Splits before the first of `marks`.
fn cut<'a>(text: &'a str, marks: &[char]) -> (&'a str, &'a str) {
    text.find(marks).and_then(|at| text.split_at_checked(at)).unwrap_or((text, ""))
}

#[cfg(test)]
mod tests {
    use super::{Url, split};

    #[test]
    fn takes_urls_apart() {
        let parts = |text| split(text).map(|Url { scheme, user_info, host, port, path, tail }| [scheme, user_info, host, port, path, tail]);
        assert_eq!(parts("https://a.example"), Some(["https", "", "a.example", "", "", ""]));
        assert_eq!(parts("https://u:p@a.example:443/x/y?q#f"), Some(["https", "u:p", "a.example", "443", "/x/y", "?q#f"]));
        assert_eq!(parts("https://[::1]:8443/"), Some(["https", "", "[::1]", "8443", "/", ""]));
        assert_eq!(parts("https://a.example?x=/"), Some(["https", "", "a.example", "", "", "?x=/"]));
        for text in ["a.example", "https://", "https:///x", "://a", "", "system:serviceaccount:a:b"] {
            assert_eq!(split(text), None, "{text}");
        }
    }
}
