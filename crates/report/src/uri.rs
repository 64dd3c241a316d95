//! File names as URIs.

use std::borrow::Cow;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// All but what RFC 3986 calls unreserved, and the `/` between segments. `:` is among them: at the start of a relative reference it
/// would make a scheme of what stands before it.
const PATH: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'/');

/// A file's address.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum FileUri<'a> {
    /// To be read against the folder in which the run took place.
    Relative(Cow<'a, str>),
    /// Complete.
    Absolute(String),
}

impl<'a> FileUri<'a> {
    /// The address of a file as outputs name it, with `/`.
    pub(crate) fn new(name: &'a str) -> Self {
        if name.starts_with('/') {
            return FileUri::Absolute(format!("file://{}", encoded(name)));
        }
        if let [drive, b':', b'/', ..] = name.as_bytes()
            && drive.is_ascii_alphabetic()
        {
            let path = name.get(2..).unwrap_or_default();
            return FileUri::Absolute(format!("file:///{}:{}", char::from(*drive), encoded(path)));
        }
        FileUri::Relative(encoded(name))
    }
}

fn encoded(path: &str) -> Cow<'_, str> {
    utf8_percent_encode(path, PATH).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_uris() {
        let relative = |uri: &'static str| FileUri::Relative(uri.into());
        assert_eq!(FileUri::new("apps/web-1.yaml"), relative("apps/web-1.yaml"));
        assert_eq!(FileUri::new("my apps/ü#1?100%.yaml"), relative("my%20apps/%C3%BC%231%3F100%25.yaml"));
        assert_eq!(FileUri::new("c:web.yaml"), relative("c%3Aweb.yaml"));
        assert_eq!(FileUri::new("/srv/a b.yaml"), FileUri::Absolute("file:///srv/a%20b.yaml".into()));
        assert_eq!(FileUri::new("C:/srv/a.yaml"), FileUri::Absolute("file:///C:/srv/a.yaml".into()));
    }
}
