//! Reports AKS clusters with workload identity that leave a way in beside Microsoft Entra, or lack their issuer of tokens.
//!
//! ## What it does
//! Looks at managed clusters of Azure Service Operator, in ARM documents and in what Terraform prints, whose
//! `securityProfile.workloadIdentity.enabled` (`workload_identity_enabled`) is true:
//!
//! * It needs `oidcIssuerProfile.enabled`: a warning without.
//! * With an `aadProfile`, a `disableLocalAccounts` that is not true is a warning.
//! * `adminGroupObjectIDs` is noted: the members of these groups administer the cluster, whatever its bindings say.
//!
//! Nothing is said of other clusters, nor of values that only a deployment knows.
//!
//! ## Why it is bad
//! Without the issuer Azure cannot check a token. The local account is a certificate of a cluster
//! administrator that everybody with the right to list credentials can fetch, past Entra and its logs.
//!
//! ## Example
//! ```yaml
//! kind: ManagedCluster
//! spec:
//!   securityProfile:
//!     workloadIdentity:
//!       enabled: true
//! ```
//!
//! ## Use instead
//! ```yaml
//! kind: ManagedCluster
//! spec:
//!   oidcIssuerProfile:
//!     enabled: true
//!   securityProfile:
//!     workloadIdentity:
//!       enabled: true
//! ```
//!
//! ## References
//! AKS: "Deploy and configure workload identity", "Manage local accounts"; `Microsoft.ContainerService/managedClusters`.

use fedward_kit::finding::PatchStep;
use fedward_kit::node::Node;
use fedward_kit::rule::{Check, Condition, Report, Rule};
use fedward_kit::trust;
use fedward_kit::value::Value;

use crate::settings::Settings;

const NO_ISSUER: Condition = Condition::warning("no-issuer", "workload identity is on without the issuer of tokens");
const LOCAL: Condition = Condition::warning("local-accounts", "local accounts are on beside Microsoft Entra");
const GROUPS: Condition = Condition::info("admin-groups", "groups administer the cluster, whatever its bindings say");

/// The rule.
pub const RULE: Rule<Settings> = Rule {
    id: "weak-aks-sign-in",
    summary: "an AKS cluster with workload identity has a way in beside Microsoft Entra, or no issuer",
    conditions: &[NO_ISSUER, LOCAL, GROUPS],
    supersedes: &[],
    check,
};

fn check(cx: &Check<'_, Settings>) {
    if cx.request.kind != "ManagedCluster" || !matches!(cx.request.group, "containerservice.azure.com" | trust::GROUP) {
        return;
    }
    let spec = cx.object.get("spec");
    let identity = spec.peek("securityProfile").peek("workloadIdentity").peek("enabled");
    let issuer = spec.peek("oidcIssuerProfile").peek("enabled");
    if identity.value() != Some(&Value::Bool(true)) {
        return;
    }
    if is_off(cx, issuer) {
        cx.report(
            Report::new(&NO_ISSUER, issuer, "`workloadIdentity` is on, but no issuer of tokens")
                .help("set `oidcIssuerProfile.enabled: true` (`oidc_issuer_enabled` in Terraform)")
                .related(identity, "what is on")
                .fix(PatchStep::set_value(issuer, true.into())),
        );
    }
    let entra = spec.peek("aadProfile");
    let local = spec.peek("disableLocalAccounts");
    if entra.is_present() && is_off(cx, local) {
        cx.report(
            Report::new(&LOCAL, local, "local accounts are on: a cluster administrator's certificate, past Microsoft Entra")
                .help("set `disableLocalAccounts: true` (`local_account_disabled` in Terraform)")
                .related(entra, "Microsoft Entra")
                .fix(PatchStep::set_value(local, true.into())),
        );
    }
    let groups = entra.peek("adminGroupObjectIDs");
    if groups.peek_items().next().is_some() {
        cx.report(
            Report::new(&GROUPS, groups, "the members of these groups administer the cluster, whatever its bindings say")
                .help("keep the groups small, and their members eligible for a time only")
                .on_key(),
        );
    }
}

/// Whether a switch is off for certain: an expression of ARM may be anything.
fn is_off(cx: &Check<'_, Settings>, node: Node<'_>) -> bool {
    match node.value() {
        Some(Value::Bool(on)) => !on,
        None | Some(Value::Null) => cx.request.is_final,
        Some(_) => false,
    }
}
