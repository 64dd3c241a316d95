//! Sources that others take values files from.

use std::collections::BTreeMap;

use crate::reason::{Reason, Stop};
use crate::url;
use crate::value::Value;

/// The sources of an Application that have a `ref`, by `$` and that name.
#[derive(Default)]
pub(crate) struct Refs<'a> {
    sources: BTreeMap<String, &'a Value>,
    /// Whether the Application has `sources`: with a single `source` nothing refers to anything.
    is_multiple: bool,
}

impl<'a> Refs<'a> {
    /// Reads the `ref`s of an Application's sources.
    ///
    /// # Errors
    /// One is no name, or two are the same.
    pub(crate) fn new(sources: &'a [Value], is_multiple: bool) -> Result<Self, Reason> {
        let mut refs = Refs { sources: BTreeMap::new(), is_multiple };
        for source in sources.iter().filter(|_| is_multiple) {
            let Some(written) = source.get("ref").filter(|name| name.as_str() != Some("")) else { continue };
            let name = written.as_str().unwrap_or_default();
            if !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-')) {
                return Err(Reason::at(&written.place, format!("ref `{name}` has other characters than letters, digits, `_` and `-`")));
            }
            if refs.sources.insert(format!("${name}"), source).is_some() {
                return Err(Reason::at(&written.place, format!("two sources have the ref `{name}`")));
            }
        }
        Ok(refs)
    }

    /// The source that the path of a file refers to, and the rest of the path.
    pub(crate) fn of<'p>(&self, path: &'p str) -> Option<(&'a Value, &'p str)> {
        let (name, rest) = path.split_once('/').unwrap_or((path, ""));
        Some((self.sources.get(name)?, rest))
    }

    /// Checks what the files of a source refer to.
    pub(crate) fn check(&self, source: &Value) -> Result<(), Stop> {
        let Some(helm) = source.get("helm").filter(|_| self.is_multiple) else { return Ok(()) };
        let files = helm.list("valueFiles").chain(helm.list("fileParameters").filter_map(|parameter| parameter.get("path")));
        let mut revisions: BTreeMap<String, (&str, &str)> = BTreeMap::new();
        for file in files {
            let path = file.as_str().unwrap_or_default();
            if !path.starts_with('$') {
                continue;
            }
            let name = path.split_once('/').map_or(path, |(name, _)| name);
            let Some(target) = self.sources.get(name) else {
                let what = if self.sources.is_empty() {
                    format!("`{path}` refers to `{name}`, and no source has a `ref`")
                } else {
                    let known: Vec<&str> = self.sources.keys().map(String::as_str).collect();
                    format!("`{path}` refers to `{name}`, which is none of the sources with a `ref`: {}", known.join(", "))
                };
                return Err(Stop::failed(&file.place, what));
            };
            if !target.text("chart").is_empty() {
                return Err(Stop::failed(
                    &file.place,
                    format!("`{path}` refers to a source with `chart`: only Git sources can be referred to"),
                ));
            }
            let revision = target.text("targetRevision");
            let known = revisions.entry(url::normalise(target.text("repoURL"))).or_insert((revision, name));
            if known.0 != revision {
                let what = format!(
                    "`{name}` refers to revision `{revision}` and `{}` to `{}` of the same repository: Argo CD takes one revision of a repository only",
                    known.1, known.0
                );
                return Err(Stop::failed(&file.place, what));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;
    use crate::test_text::value;

    fn check(sources: &str) -> String {
        let value = value(sources).1;
        let sources = value.as_list().unwrap();
        match Refs::new(sources, true) {
            Err(reason) => reason.text,
            Ok(refs) => {
                sources.iter().find_map(|source| refs.check(source).err()).map(|stop| stop.reason().text.clone()).unwrap_or_default()
            }
        }
    }

    #[test]
    fn references_are_checked() {
        for (sources, expected) in [
            ("[{ref: a, repoURL: u}, {helm: {valueFiles: [$a/b.yaml, c.yaml]}}]", ""),
            ("[{ref: a.b}]", "ref `a.b` has other characters than letters, digits, `_` and `-`"),
            ("[{ref: a}, {ref: a}]", "two sources have the ref `a`"),
            (
                "[{ref: a}, {ref: c, helm: {valueFiles: [$b/x]}}]",
                "`$b/x` refers to `$b`, which is none of the sources with a `ref`: $a, $c",
            ),
            ("[{helm: {fileParameters: [{name: x, path: $b/x}]}}]", "`$b/x` refers to `$b`, and no source has a `ref`"),
            (
                "[{ref: a, chart: x}, {helm: {valueFiles: [$a/x]}}]",
                "`$a/x` refers to a source with `chart`: only Git sources can be referred to",
            ),
            (
                "[{ref: a, repoURL: u, targetRevision: v1}, {ref: b, repoURL: u, targetRevision: v2}, {helm: {valueFiles: [$a/x, $b/x]}}]",
                "`$b` refers to revision `v2` and `$a` to `v1` of the same repository: Argo CD takes one revision of a repository only",
            ),
            ("[{ref: a, repoURL: u, targetRevision: v1}, {ref: b, repoURL: u, targetRevision: v2}, {helm: {valueFiles: [$a/x]}}]", ""),
        ] {
            assert_eq!(check(sources), expected, "{sources}");
        }
    }

    #[test]
    fn with_a_single_source_nothing_is_referred_to() {
        let value = value("[{ref: a, helm: {valueFiles: [$a/x]}}]").1;
        let refs = Refs::new(value.as_list().unwrap(), false).unwrap();
        assert!(refs.of("$a/x").is_none());
        assert!(refs.check(value.as_list().unwrap().first().unwrap()).is_ok());
    }
}
