//! Kinds that Argo CD leaves out.

use std::sync::Arc;

use fedward_manifest::{Limits, Source};

use crate::documents::Parsed;
use crate::glob::Glob;
use crate::value::Value;

/// `resource.exclusions`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exclusions {
    /// Whether nobody has changed them.
    pub is_default: bool,
    entries: Vec<Entry>,
}

/// Groups, kinds and clusters, as patterns; each an empty list for all.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Entry {
    groups: Patterns,
    kinds: Vec<String>,
    clusters: Patterns,
}

/// Patterns, each compared with every object. One that is none matches nothing.
#[derive(Clone, Debug, Default)]
struct Patterns {
    texts: Vec<String>,
    globs: Vec<Glob>,
}

impl Patterns {
    fn new(texts: Vec<String>) -> Self {
        Patterns { globs: texts.iter().filter_map(|text| Glob::crossing(text).ok()).collect(), texts }
    }

    fn fit(&self, text: &str) -> bool {
        self.texts.is_empty() || self.globs.iter().any(|glob| glob.matches(text))
    }
}

impl PartialEq for Patterns {
    fn eq(&self, other: &Self) -> bool {
        self.texts == other.texts
    }
}

impl Eq for Patterns {}

/// What Argo CD has been installed with since 3.0, as far as its versions agree.
const DEFAULT: [(&[&str], &[&str]); 7] = [
    (&["", "discovery.k8s.io"], &["Endpoints", "EndpointSlice"]),
    (&["coordination.k8s.io"], &["Lease"]),
    (
        &["authentication.k8s.io", "authorization.k8s.io"],
        &[
            "SelfSubjectReview",
            "TokenReview",
            "LocalSubjectAccessReview",
            "SelfSubjectAccessReview",
            "SelfSubjectRulesReview",
            "SubjectAccessReview",
        ],
    ),
    (&["certificates.k8s.io"], &["CertificateSigningRequest"]),
    (&["cert-manager.io"], &["CertificateRequest"]),
    (&["cilium.io"], &["CiliumIdentity", "CiliumEndpoint", "CiliumEndpointSlice"]),
    (
        &["kyverno.io", "reports.kyverno.io", "wgpolicyk8s.io"],
        &[
            "PolicyReport",
            "ClusterPolicyReport",
            "EphemeralReport",
            "ClusterEphemeralReport",
            "AdmissionReport",
            "ClusterAdmissionReport",
            "BackgroundScanReport",
            "ClusterBackgroundScanReport",
            "UpdateRequest",
        ],
    ),
];

impl Default for Exclusions {
    fn default() -> Self {
        let all = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        let entry = |(groups, kinds): (&[&str], &[&str])| Entry {
            groups: Patterns::new(all(groups)),
            kinds: all(kinds),
            clusters: Patterns::default(),
        };
        Exclusions { is_default: true, entries: DEFAULT.into_iter().map(entry).collect() }
    }
}

impl Exclusions {
    /// The list in a text; `None` if it is none.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let source = Arc::new(Source::from_text("resource.exclusions", text.to_owned()).ok()?);
        let parsed = Parsed::new(source, &Limits::default());
        let Some(document) = parsed.only().ok()? else { return Some(Exclusions { is_default: false, entries: Vec::new() }) };
        let value = Value::read(document, document.root());
        let texts = |entry: &Value, key: &str| entry.texts(key).map(str::to_owned).collect::<Vec<_>>();
        let patterns = |entry: &Value, key: &str| Patterns::new(texts(entry, key));
        let entry = |entry: &Value| Entry {
            groups: patterns(entry, "apiGroups"),
            kinds: texts(entry, "kinds"),
            clusters: patterns(entry, "clusters"),
        };
        let entries = if value.is_null() { Vec::new() } else { value.as_list()?.iter().map(entry).collect() };
        Some(Exclusions { is_default: false, entries })
    }

    /// Whether a kind is left out in a cluster. One whose address is not known is none of certain clusters.
    pub(crate) fn hit(&self, group: &str, kind: &str, server: Option<&str>) -> bool {
        self.entries.iter().any(|entry| {
            // Kinds are words, but for one.
            let is_kind = entry.kinds.is_empty() || entry.kinds.iter().any(|known| known == "*" || known == kind);
            let in_cluster = || entry.clusters.texts.is_empty() || server.is_some_and(|server| entry.clusters.fit(server));
            is_kind && entry.groups.fit(group) && in_cluster()
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn entries_have_groups_kinds_and_clusters() {
        let here = Some("https://prod.example");
        for (text, group, kind, expected) in [
            ("", "", "Endpoints", false),
            ("[]", "", "Endpoints", false),
            ("- kinds: [Lease]", "coordination.k8s.io", "Lease", true),
            ("- apiGroups: ['*.k8s.io']\n  kinds: ['*']", "coordination.k8s.io", "Lease", true),
            ("- apiGroups: ['*.k8s.io']\n  kinds: ['Lea*']", "coordination.k8s.io", "Lease", false),
            ("- apiGroups: ['']\n  kinds: [Lease]", "coordination.k8s.io", "Lease", false),
            ("- kinds: [Lease]\n  clusters: ['https://prod.*']", "coordination.k8s.io", "Lease", true),
            ("- kinds: [Lease]\n  clusters: ['https://test.*']", "coordination.k8s.io", "Lease", false),
        ] {
            assert_eq!(Exclusions::read(text).unwrap().hit(group, kind, here), expected, "{text}");
        }
        assert!(!Exclusions::read("- clusters: ['*']").unwrap().hit("", "Pod", None));
        assert_eq!(Exclusions::read("a: b"), None);
        assert!(Exclusions::default().hit("discovery.k8s.io", "EndpointSlice", None));
        assert!(!Exclusions::default().hit("", "Service", None));
    }
}
