//! Reports labels and annotations that are near misses of identity keys.
//!
//! ## What it does
//! The labels and annotations of service accounts and pods are compared with the keys that the identity webhooks of Azure, EKS and GKE
//! read. A key that differs from one of them by letter case, by its separators, or by one or two letters is reported.
//!
//! ## Why it is bad
//! A key that nobody reads has no effect, and no component complains of it.
//!
//! ## Example
//! ```yaml
//! apiVersion: v1
//! kind: ServiceAccount
//! metadata:
//!   name: api
//!   annotations:
//!     azure.workload.identity/clientId: 6f1b1c9e-2d0a-4b7c-9a57-0c8d6f2e4a11
//! ```
//!
//! ## Use instead
//! ```yaml
//! apiVersion: v1
//! kind: ServiceAccount
//! metadata:
//!   name: api
//!   annotations:
//!     azure.workload.identity/client-id: 6f1b1c9e-2d0a-4b7c-9a57-0c8d6f2e4a11
//! ```
//!
//! ## References
//! Azure/azure-workload-identity: `pkg/webhook/consts.go`; aws/amazon-eks-pod-identity-webhook: `pkg/annotations.go`; GKE: workload
//! identity federation.

use fedward_kit::finding::PatchStep;
use fedward_kit::node::Node;
use fedward_kit::rule::{Check, Condition, Report, Rule};
use fedward_kit::suggest;
use fedward_kit::workload::Pod;

use crate::settings::Settings;

const NEAR_MISS: Condition = Condition::warning("near-miss", "a key is nearly one that an identity webhook reads");

/// The rule.
pub const RULE: Rule<Settings> = Rule {
    id: "misspelt-identity-key",
    summary: "a label or annotation is a near miss of a key that identity webhooks read",
    conditions: &[NEAR_MISS],
    supersedes: &[],
    check,
};

/// Where a key is read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    AccountAnnotation,
    PodLabel,
    PodAnnotation,
    /// On pods and accounts alike.
    Annotation,
}

use Place::{AccountAnnotation, Annotation, PodAnnotation, PodLabel};

/// The domains, and the names under them.
const KNOWN: [(&str, &[(&str, Place)]); 3] = [
    (
        "azure.workload.identity",
        &[
            ("use", PodLabel),
            ("client-id", AccountAnnotation),
            ("tenant-id", AccountAnnotation),
            ("service-account-token-expiration", Annotation),
            ("skip-containers", PodAnnotation),
            ("inject-proxy-sidecar", PodAnnotation),
            ("proxy-sidecar-port", PodAnnotation),
            ("use-identity-binding", PodAnnotation),
        ],
    ),
    (
        "eks.amazonaws.com",
        &[
            ("role-arn", AccountAnnotation),
            ("audience", AccountAnnotation),
            ("sts-regional-endpoints", AccountAnnotation),
            ("token-expiration", Annotation),
            ("skip-containers", PodAnnotation),
            ("skip-pod-identity-webhook", PodLabel),
            ("pod-identity", PodLabel),
        ],
    ),
    (
        "iam.gke.io",
        &[
            ("gcp-service-account", AccountAnnotation),
            ("return-principal-id-as-email", AccountAnnotation),
            ("credential-quota-project", AccountAnnotation),
        ],
    ),
];

fn check(cx: &Check<'_, Settings>) {
    if cx.is("", "ServiceAccount") {
        let metadata = cx.object.get("metadata");
        map(cx, metadata.get("labels"), &[]);
        map(cx, metadata.get("annotations"), &[AccountAnnotation, Annotation]);
    }
    for pod in cx.pods() {
        for layer in &pod.layers {
            map(cx, layer.labels, &[PodLabel]);
            map(cx, layer.annotations, &[PodAnnotation, Annotation]);
        }
    }
}

/// Looks at a map's keys; those that are read there can be put right.
fn map<'a>(cx: &Check<'a, Settings>, map: Node<'a>, read_here: &[Place]) {
    for (key, value) in map.entries() {
        let Some((domain, name, place)) = meant(key) else { continue };
        if !map.in_request() {
            return;
        }
        let right = format!("{domain}/{name}");
        let report = Report::new(&NEAR_MISS, value, format!("nothing reads `{key}`: the key is `{right}`")).on_key();
        let right = map.get(map.session().text(&right));
        let (Some(text), true, true) = (value.peek_str(), right.is_absent(), read_here.contains(&place)) else {
            let place = match place {
                AccountAnnotation => "an annotation of service accounts",
                PodLabel => "a label of pods",
                PodAnnotation => "an annotation of pods",
                Annotation => "an annotation of pods and service accounts",
            };
            cx.report(report.help(format!("remove it here; the right key is {place}")));
            continue;
        };
        let mut fix = PatchStep::remove(value);
        fix.extend(PatchStep::set(right, text));
        cx.report(report.help("rename it").fix(fix));
    }
}

/// A label of the pod that is nearly the one that Azure's webhook selects on.
pub(crate) fn slip_of_use<'a>(pod: &Pod<'a>) -> Option<Node<'a>> {
    let mut labels = pod.layers.iter().flat_map(|layer| layer.labels.entries());
    labels.find(|(key, _)| meant(key).is_some_and(|(domain, name, _)| (domain, name) == KNOWN_USE)).map(|(_, value)| value)
}

/// Domain and name of [`fedward_kit::identity::AZURE_USE`].
const KNOWN_USE: (&str, &str) = ("azure.workload.identity", "use");

/// The known key that was meant, if this is a near miss of one.
fn meant(key: &str) -> Option<(&'static str, &'static str, Place)> {
    let (domain, name) = key.split_once('/')?;
    // Cheap tests first: nearly every key of the world ends here.
    let letters =
        |text: &str| text.chars().filter(char::is_ascii_alphanumeric).map(|letter| letter.to_ascii_lowercase()).collect::<String>();
    if !["azure", "eks", "gke"].iter().any(|word| domain.to_ascii_lowercase().contains(word)) {
        return None;
    }
    let (right, names) =
        KNOWN.iter().find(|(known, _)| domain == *known || letters(domain) == letters(known) || is_slip(domain, known, 3))?;
    let known = |(known, place): &(&'static str, Place)| (*right, *known, *place);
    if domain == *right {
        // Custom token endpoints have annotations `use-<suffix>` of their own.
        if names.iter().any(|(known, _)| *known == name) || (*right == "azure.workload.identity" && name.starts_with("use-")) {
            return None;
        }
    }
    names
        .iter()
        .find(|(known, _)| *known == name || letters(known) == letters(name))
        // Behind the right domain, any word but a known one is a slip of the one that it is a letter away from.
        .or_else(|| names.iter().find(|(known, _)| is_slip(name, known, 2) || (domain == *right && suggest::distance(name, known) == 1)))
        .map(known)
}

/// Whether two words differ by a few letters, of which short words may have fewer.
fn is_slip(word: &str, known: &str, most: usize) -> bool {
    word.len().abs_diff(known.len()) <= most && suggest::distance(word, known) <= most.min(known.len() / 4)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::expect_used, reason = "tests")]

    use super::meant;

    #[test]
    fn near_misses() {
        for (key, want) in [
            ("azure.workload-identity/use", "azure.workload.identity/use"),
            ("azure.workload.identity/clientId", "azure.workload.identity/client-id"),
            ("azure.workload.identity/Use", "azure.workload.identity/use"),
            ("azure.workload.identity/used", "azure.workload.identity/use"),
            ("azure.workload.identity/us", "azure.workload.identity/use"),
            ("azure.workload.identity/skip-container", "azure.workload.identity/skip-containers"),
            ("azure-workload-identity/client-id", "azure.workload.identity/client-id"),
            ("azure.workloads.identity/use", "azure.workload.identity/use"),
            ("eks.amazonaws.com/role_arn", "eks.amazonaws.com/role-arn"),
            ("eks.amazonaws.com/rolearn", "eks.amazonaws.com/role-arn"),
            ("eks.amazon.com/role-arn", "eks.amazonaws.com/role-arn"),
            ("iam.gke.io/gcp-serviceaccount", "iam.gke.io/gcp-service-account"),
        ] {
            let (domain, name, _) = meant(key).expect(key);
            assert_eq!(format!("{domain}/{name}"), want, "{key}");
        }
    }

    #[test]
    fn other_keys() {
        for key in [
            "azure.workload.identity/use",
            "azure.workload.identity/use-my-endpoint",
            "azure.workload.identity/owner",
            "azure-workload-identity.io/system",
            "eks.amazonaws.com/nodegroup",
            "eks.amazonaws.com/capacityType",
            "eks.amazonaws.com/compute-type",
            "eks.amazonaws.com/fargate-profile",
            "iam.gke.io/gke-metadata-server-enabled",
            "service.beta.kubernetes.io/azure-load-balancer-internal",
            "kubernetes.azure.com/mode",
            "cloud.google.com/gke-nodepool",
            "app.kubernetes.io/name",
            "plain",
        ] {
            assert!(meant(key).is_none(), "{key}");
        }
    }
}
