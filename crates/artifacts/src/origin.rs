//! Where the artefacts come from and who made them: what a publisher sets, and what stands in the repository instead.

use anyhow::{Result, bail};

/// This version and when it was made, which is when its packages were created. Not the clock: two builds are the same.
pub const RELEASE: (&str, &str) = ("0.1.0", "2026-11-30T00:00:00Z");
/// Who made them. Kubewarden wants an address with it, whose host a publisher sets.
const NAME: &str = "fedward developers";

/// What a publisher sets. The hosts of the default are nobody's (RFC 2606).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// Registry and path that the modules are pushed to: without a scheme, a tag, or a slash at the end.
    pub registry: String,
    /// Where the project is.
    pub source_url: String,
    /// Whom to write to.
    pub contact: String,
}

impl Default for Origin {
    fn default() -> Self {
        Origin {
            registry: "registry.example/fedward".to_owned(),
            source_url: "https://fedward.example".to_owned(),
            contact: "developers@fedward.example".to_owned(),
        }
    }
}

impl Origin {
    /// Reads `--registry R`, `--source-url U` and `--contact ADDRESS`; the rest is the default.
    ///
    /// # Errors
    /// Other words, and values that Kubewarden or Artifact Hub would refuse.
    pub fn read(words: &[&str]) -> Result<Self> {
        let mut origin = Origin::default();
        let mut rest = words;
        while let [name, after @ ..] = rest {
            let [value, after @ ..] = after else { bail!("`{name}` has no value") };
            match *name {
                "--registry" => origin.registry = (*value).to_owned(),
                "--source-url" => origin.source_url = (*value).to_owned(),
                "--contact" => origin.contact = (*value).to_owned(),
                _ => bail!("no such option: `{name}` (there are `--registry`, `--source-url`, `--contact`)"),
            }
            rest = after;
        }
        if !is_repository(&origin.registry) {
            bail!("`{}` is no registry with a path, such as `registry.example/fedward`", origin.registry);
        }
        if !is_url(&origin.source_url) {
            bail!("`{}` is no web address, such as `https://fedward.example`", origin.source_url);
        }
        if !is_address(&origin.contact) {
            bail!("`{}` is no address, such as `developers@fedward.example`", origin.contact);
        }
        Ok(origin)
    }

    /// Where a policy's module is, without scheme and tag: the annotation `ociUrl`.
    pub fn repository(&self, id: &str) -> String {
        format!("{}/{id}", self.registry)
    }

    /// The same with the tag of this version.
    pub fn image(&self, id: &str) -> String {
        format!("{}:v{}", self.repository(id), RELEASE.0)
    }

    /// The annotation `author`: a name and an address, as in mail.
    pub fn author(&self) -> String {
        format!("{NAME} <{}>", self.contact)
    }

    /// The name in it.
    pub fn author_name(&self) -> &'static str {
        NAME
    }
}

/// Whether it is a registry and a path, as a reference to an image begins (`distribution/reference`).
pub fn is_repository(text: &str) -> bool {
    let Some((host, path)) = text.split_once('/') else { return false };
    let (name, port) = host.split_once(':').unwrap_or((host, "0"));
    let is_host = name == "localhost"
        || (name.contains('.')
            && name.split('.').all(|part| {
                !part.is_empty()
                    && !part.starts_with('-')
                    && !part.ends_with('-')
                    && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            }));
    let is_port = !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
    let is_part = |part: &str| {
        let edge = |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
        edge(part.bytes().next())
            && edge(part.bytes().last())
            && part.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"._-".contains(&byte))
    };
    is_host && is_port && path.split('/').all(is_part)
}

/// Whether it is a web address that a URL parser takes: a scheme, a host, and nothing that would have to be escaped.
pub fn is_url(text: &str) -> bool {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    rest.is_some_and(|rest| {
        let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
        host.bytes().next().is_some_and(|byte| byte.is_ascii_alphanumeric())
            && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-:".contains(&byte))
            && rest.bytes().all(|byte| byte.is_ascii_graphic() && !b"\"<>\\^`{|}".contains(&byte))
    })
}

/// Whether it is a mail address without anything unusual.
pub fn is_address(text: &str) -> bool {
    let Some((name, host)) = text.split_once('@') else { return false };
    let is_plain = |part: &str| {
        !part.is_empty()
            && !part.starts_with('.')
            && !part.ends_with('.')
            && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_+".contains(&byte))
    };
    is_plain(name) && is_plain(host) && host.contains('.')
}

/// Whether it is a list of names with addresses, as Kubewarden reads the annotation `author`.
pub fn is_author(text: &str) -> bool {
    text.split(',').all(|one| {
        let parts = one.trim().strip_suffix('>').and_then(|one| one.split_once(" <"));
        parts.is_some_and(|(name, address)| !name.trim().is_empty() && is_address(address))
    })
}

/// Whether it is a moment in the form of RFC 3339, in UTC and to the second, as everything here is.
pub fn is_moment(text: &str) -> bool {
    text.len() == 20
        && text.bytes().zip(*b"0000-00-00T00:00:00Z").all(|(byte, form)| if form == b'0' { byte.is_ascii_digit() } else { byte == form })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn a_publisher_sets_what_only_they_know() {
        assert_eq!(Origin::read(&[]).unwrap(), Origin::default());
        let words = ["--registry", "localhost:5000/a/b", "--contact", "us@a.example", "--source-url", "http://a.example:80/b"];
        let origin = Origin::read(&words).unwrap();
        assert_eq!(origin.image("suite"), format!("localhost:5000/a/b/suite:v{}", RELEASE.0));
        assert_eq!(origin.author(), "fedward developers <us@a.example>");
    }

    #[test]
    fn what_nobody_could_publish_under_is_refused() {
        let error = |words: &[&str]| Origin::read(words).unwrap_err().to_string();
        assert_eq!(error(&["--registry"]), "`--registry` has no value");
        assert!(error(&["--tag", "x"]).starts_with("no such option: `--tag`"));
        for wrong in
            ["registry.example", "https://registry.example/a", "registry.example/a:v1", "registry/a", "registry.example/A", "a.example/"]
        {
            assert!(error(&["--registry", wrong]).contains("is no registry"), "{wrong}");
        }
        for wrong in ["fedward.example", "https://", "https:///a", "ftp://a.example", "https://a.example/ b"] {
            assert!(error(&["--source-url", wrong]).contains("is no web address"), "{wrong}");
        }
        for wrong in ["developers", "@a.example", "a@b", "a b@c.example"] {
            assert!(error(&["--contact", wrong]).contains("is no address"), "{wrong}");
        }
    }

    #[test]
    fn authors_are_names_with_addresses() {
        assert!(is_author(&Origin::default().author()) && is_author("A B <a@b.example>, C <c@d.example>"));
        for wrong in ["", "fedward developers", "a@b.example", "A <a>", "A <a@b.example>,"] {
            assert!(!is_author(wrong), "{wrong}");
        }
    }

    /// A version that nobody dated would be published as created on the day of the one before.
    #[test]
    fn the_version_has_a_date_of_its_own() {
        assert_eq!(RELEASE.0, env!("CARGO_PKG_VERSION"), "set the version and its date together");
        assert!(is_moment(RELEASE.1) && !is_moment("2026-11-30") && !is_moment("2026-11-30T00:00:00+"));
    }
}
