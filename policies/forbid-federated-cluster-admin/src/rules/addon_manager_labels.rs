//! Reports labels of the cluster add-on manager on roles and bindings of one's own.
//!
//! ## What it does
//! `addonmanager.kubernetes.io/mode` on a role or binding is a warning. `kubernetes.io/cluster-service` alone, which older add-on
//! managers looked at, is recorded only. Objects in `kube-system` and objects called `system:…` are not reported: they may be add-ons.
//!
//! ## Why it is bad
//! The add-on manager believes that it owns what carries its label: with `Reconcile` it deletes every such object that is not among its
//! own manifests, or puts it back after every change. Copied from a cloud's own manifests, the label makes a binding disappear, or
//! come back after it was revoked.
//!
//! ## Example
//! ```yaml
//! kind: ClusterRoleBinding
//! metadata:
//!   name: deployer
//!   labels:
//!     addonmanager.kubernetes.io/mode: Reconcile
//!     kubernetes.io/cluster-service: "true"
//! ```
//!
//! ## Use instead
//! ```yaml
//! kind: ClusterRoleBinding
//! metadata:
//!   name: deployer
//! ```
//!
//! ## References
//! Kubernetes: `cluster/addons/addon-manager/README.md`.

use fedward_kit::finding::PatchStep;
use fedward_kit::rule::{Check, Condition, Report, Rule};

use crate::binding::GROUP;
use crate::settings::Settings;

const MANAGED: Condition = Condition::warning("managed", "a role or binding carries the add-on manager's mode");
const CLUSTER_SERVICE: Condition = Condition::info("cluster-service", "it carries the older label alone");

/// The rule.
pub const RULE: Rule<Settings> = Rule {
    id: "addon-manager-labels",
    summary: "a role or binding carries labels of the cluster add-on manager",
    conditions: &[MANAGED, CLUSTER_SERVICE],
    supersedes: &[],
    check,
};

const MODE: &str = "addonmanager.kubernetes.io/mode";
const SERVICE: &str = "kubernetes.io/cluster-service";

fn check(cx: &Check<'_, Settings>) {
    let is_rbac = cx.request.group == GROUP && matches!(cx.request.kind, "ClusterRole" | "ClusterRoleBinding" | "Role" | "RoleBinding");
    if !is_rbac || cx.request.namespace == "kube-system" || cx.request.name.starts_with("system:") {
        return;
    }
    let labels = cx.object.get("metadata").get("labels");
    let (mode, service) = (labels.get(MODE), labels.get(SERVICE));
    let (condition, label, key) = match (mode.is_present(), service.is_present()) {
        (true, _) => (&MANAGED, mode, MODE),
        (false, true) => (&CLUSTER_SERVICE, service, SERVICE),
        (false, false) => return,
    };
    let mut fix = PatchStep::remove(label);
    if mode.is_present() && service.is_present() {
        fix.extend(PatchStep::remove(service));
    }
    cx.report(
        Report::new(condition, label, format!("label `{key}` hands this {} to the cluster's add-on manager", cx.request.kind))
            .on_key()
            .help("remove the label; it belongs to objects that the cluster itself installs")
            .fix(fix),
    );
}
