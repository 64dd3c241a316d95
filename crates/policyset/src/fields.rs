//! The fields that manifests have. What is not here the API server drops (custom resources) or nobody reads (`policies.yml`).

use crate::Kind;

/// Fields of every policy's spec.
const COMMON: [&str; 11] = [
    "policyServer",
    "mode",
    "rules",
    "failurePolicy",
    "backgroundAudit",
    "matchPolicy",
    "matchConditions",
    "objectSelector",
    "sideEffects",
    "timeoutSeconds",
    "message",
];
/// Fields of a policy that runs one module.
const SINGLE: [&str; 4] = ["module", "settings", "mutating", "timeoutEvalSeconds"];
/// Fields of a group.
const GROUP: [&str; 2] = ["policies", "expression"];
/// Fields of cluster-wide policies.
const CLUSTER: [&str; 2] = ["namespaceSelector", "allowInsideAdmissionControllerNamespace"];
/// Fields that single policies and groups share in `policies.yml`.
pub(crate) const SERVER: [&str; 3] = ["namespacedName", "policyMode", "message"];
/// Fields of a single policy there, beside those of a member.
pub(crate) const SERVER_SINGLE: [&str; 3] = ["allowedToMutate", "contextAwareResources", "hostCapabilities"];
/// Fields of a group there.
pub(crate) const SERVER_GROUP: [&str; 2] = ["policies", "expression"];

/// Fields of a group's member. Members of cluster-wide groups have `contextAwareResources`, too, and in `policies.yml` also
/// `hostCapabilities`.
pub const MEMBER: [&str; 3] = ["module", "settings", "timeoutEvalSeconds"];
/// Fields of a rule.
pub const RULE: [&str; 5] = ["apiGroups", "apiVersions", "resources", "operations", "scope"];
/// Fields of a match condition.
pub const CONDITION: [&str; 2] = ["name", "expression"];
/// Fields of an entry of `contextAwareResources`.
pub const RESOURCE: [&str; 2] = ["apiVersion", "kind"];

/// The fields of a manifest's `spec`; for `policies.yml` those of an entry, single or group.
#[must_use]
pub fn fields(kind: Kind) -> Vec<&'static str> {
    let parts: &[&[&str]] = match kind {
        Kind::Cluster => &[&COMMON, &SINGLE, &CLUSTER, &["contextAwareResources"]],
        Kind::Namespaced => &[&COMMON, &SINGLE],
        Kind::ClusterGroup => &[&COMMON, &GROUP, &CLUSTER],
        Kind::NamespacedGroup => &[&COMMON, &GROUP],
        Kind::Server => &[&SERVER, &SERVER_SINGLE, &SERVER_GROUP, &MEMBER],
    };
    parts.concat()
}
