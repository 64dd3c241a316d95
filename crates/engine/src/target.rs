//! What a patch of a kustomization changes.

use fedward_manifest::Node;
use regex_lite::Regex;

use crate::load::text;
use crate::selector::Labels;

/// Characters of a pattern at most that is read: names are short.
const LONGEST: usize = 1_024;

/// The namespace of objects that have none of their own.
const DEFAULT: &str = "default";

/// The objects that a patch changes, as Kustomize has it: each field that is given has to fit.
#[derive(Debug, Clone, Default)]
pub struct Target {
    group: Pattern,
    version: Pattern,
    kind: Pattern,
    name: Pattern,
    namespace: Pattern,
    /// `None` for what cannot be read.
    labels: Option<Labels>,
    annotations: Option<Labels>,
}

/// What a field has to be.
#[derive(Debug, Clone, Default)]
enum Pattern {
    /// It may be anything; so it may where the pattern cannot be read.
    #[default]
    Any,
    /// This text.
    Text(String),
    /// What an expression fits as a whole.
    Regex(Regex),
}

/// An object as a patch meets it.
#[derive(Debug, Clone, Copy, Default)]
pub struct Met<'m> {
    /// Its API group.
    pub group: &'m str,
    /// The version in it.
    pub version: &'m str,
    /// Its kind.
    pub kind: &'m str,
    /// Its names: as it is written, and as it is by now.
    pub names: &'m [&'m str],
    /// Its namespaces, alike; empty where it has none.
    pub namespaces: &'m [&'m str],
    /// Its `metadata`, written and by now; none where it is not known what labels and annotations it has by then.
    pub metadata: &'m [Node<'m>],
}

impl Target {
    /// Reads the `target` of a patch.
    #[must_use]
    pub fn read(target: Node<'_>) -> Self {
        let pattern = |key: &str| text(target, key).map_or(Pattern::Any, Pattern::read);
        let labels = |key: &str| Labels::parse(text(target, key).unwrap_or_default());
        Target {
            group: pattern("group"),
            version: pattern("version"),
            kind: pattern("kind"),
            name: pattern("name"),
            namespace: pattern("namespace"),
            labels: labels("labelSelector"),
            annotations: labels("annotationSelector"),
        }
    }

    /// The object that a strategic merge patch names.
    #[must_use]
    pub fn named(patch: Node<'_>) -> Self {
        let exact = |text: Option<&str>| text.filter(|text| !text.is_empty()).map_or(Pattern::Any, |text| Pattern::Text(text.to_owned()));
        let metadata = |key: &str| exact(patch.get("metadata").and_then(|metadata| text(metadata, key)));
        let (group, version) = match text(patch, "apiVersion") {
            Some(api_version) => {
                api_version.split_once('/').map_or((Some(""), Some(api_version)), |(group, version)| (Some(group), Some(version)))
            }
            None => (None, None),
        };
        // The group of a core kind is no text that is left out.
        let group = group.map_or(Pattern::Any, |group| Pattern::Text(group.to_owned()));
        Target {
            group,
            version: exact(version),
            kind: exact(text(patch, "kind")),
            name: metadata("name"),
            namespace: metadata("namespace"),
            ..Target::default()
        }
    }

    /// The only name that it may be, if there is one.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        if let Pattern::Text(name) = &self.name { Some(name) } else { None }
    }

    /// Whether a patch changes an object, or may.
    #[must_use]
    pub fn hits(&self, met: &Met<'_>) -> bool {
        let one_of = |pattern: &Pattern, texts: &[&str]| texts.iter().any(|text| pattern.fits(text));
        let namespace = |pattern: &Pattern| {
            matches!(pattern, Pattern::Any) || met.namespaces.iter().any(|text| pattern.fits(if text.is_empty() { DEFAULT } else { text }))
        };
        let has = |labels: &Option<Labels>, key: &str| {
            let Some(labels) = labels else { return true };
            met.metadata.is_empty() || met.metadata.iter().any(|metadata| labels.match_in(metadata.get(key)))
        };
        self.kind.fits(met.kind)
            && one_of(&self.name, met.names)
            && self.group.fits(met.group)
            && self.version.fits(met.version)
            && namespace(&self.namespace)
            && has(&self.labels, "labels")
            && has(&self.annotations, "annotations")
    }
}

impl Pattern {
    fn read(pattern: &str) -> Self {
        if pattern.is_empty() || pattern.len() > LONGEST {
            return Pattern::Any;
        }
        if pattern.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') {
            return Pattern::Text(pattern.to_owned());
        }
        Regex::new(&format!("^(?:{pattern})$")).map_or(Pattern::Any, Pattern::Regex)
    }

    fn fits(&self, text: &str) -> bool {
        match self {
            Pattern::Any => true,
            Pattern::Text(own) => own == text,
            Pattern::Regex(regex) => regex.is_match(text),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use std::sync::Arc;

    use fedward_manifest::{Document, Limits, Source, parse, split};

    use super::*;

    fn document(text: &str) -> Document {
        let (source, limits) = (Arc::new(Source::from_text("a", text.to_owned()).unwrap()), Limits::default());
        let chunk = split(&source, &limits).chunks.into_iter().next().unwrap();
        parse(&source, chunk, &limits).document.unwrap()
    }

    const METADATA: &str = "{labels: {app: web}, annotations: {team: shop}}";

    fn hits(target: &Target) -> bool {
        let metadata = document(METADATA);
        target.hits(&Met {
            group: "apps",
            version: "v1",
            kind: "Deployment",
            names: &["web", "prod-web"],
            namespaces: &["", "prod"],
            metadata: &[metadata.root()],
        })
    }

    #[test]
    fn each_field_of_a_target_has_to_fit_as_a_whole() {
        for (target, expected) in [
            ("{}", true),
            ("{kind: Deployment, name: web}", true),
            ("{name: prod-web}", true),
            ("{name: we}", false),
            ("{name: 'w.*'}", true),
            ("{name: 'w'}", false),
            ("{name: 'prod|w.b'}", true),
            ("{name: 'prod|we'}", false),
            ("{kind: Deploy}", false),
            ("{kind: 'Deploy.*|Job'}", true),
            ("{group: apps, version: v1}", true),
            ("{group: batch}", false),
            ("{version: v2}", false),
            ("{namespace: default}", true),
            ("{namespace: pro.}", true),
            ("{namespace: stage}", false),
            ("{labelSelector: app=web}", true),
            ("{labelSelector: 'app in (till, shop)'}", false),
            ("{labelSelector: '!app'}", false),
            ("{annotationSelector: team=shop}", true),
            ("{annotationSelector: team!=shop}", false),
            // Nobody knows what these mean.
            ("{name: '(web'}", true),
            ("{labelSelector: app in web}", true),
        ] {
            assert_eq!(hits(&Target::read(document(target).root())), expected, "{target}");
        }
        assert!(Target::read(document("{labelSelector: app=other}").root()).hits(&Met { names: &["web"], ..Met::default() }));
    }

    #[test]
    fn a_patch_names_its_object() {
        for (patch, expected) in [
            ("{apiVersion: apps/v1, kind: Deployment, metadata: {name: web}}", true),
            ("{kind: Deployment, metadata: {name: web, namespace: prod}}", true),
            ("{apiVersion: v1, kind: Deployment, metadata: {name: web}}", false),
            ("{apiVersion: apps/v1, kind: Deployment, metadata: {name: w.b}}", false),
            ("{apiVersion: apps/v1, kind: Deployment, metadata: {name: web, namespace: stage}}", false),
        ] {
            assert_eq!(hits(&Target::named(document(patch).root())), expected, "{patch}");
        }
    }
}
