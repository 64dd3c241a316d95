//! Reports federated subjects whose role comes to cluster-admin, or close to it, under another name.
//!
//! ## What it does
//! For every federated subject of a binding the role's own rules are read, and what leads to more than it says is listed in one
//! finding.
//!
//! * Error, in a ClusterRoleBinding: everything; `escalate` or `bind` on roles together with the right to write roles or bindings;
//!   impersonating users or groups; every verb on cluster role bindings.
//! * Warning: impersonating service accounts, issuing their tokens, reading secrets, writing admission webhooks, roles, bindings or
//!   namespaces, `nodes/proxy`, persistent volumes, client certificates; `escalate` or `bind` without that right to write.
//! * Recorded only: running pods, and rights on named objects (`resourceNames`), except binding `cluster-admin` and impersonating
//!   `system:masters`.
//!
//! In a RoleBinding rights on cluster-scoped resources do not count. What is left is at most a warning in a namespace of
//! `protectedNamespaces`; elsewhere, and for an account in its own namespace, it is one step lower and reading secrets or running pods
//! is nothing: that is what RoleBindings are for. For groups and e-mail addresses, and for the stock roles of well-known operators,
//! everything is one step lower.
//!
//! Roles that nobody federated is bound to are never reported. In a cluster the rule judges a role when it is bound; a role that
//! grows later is found by the next background audit of its bindings.
//!
//! ## Why it is bad
//! Each of these rights is one step away from everything: a token of a privileged service account, an edited webhook that sees every
//! object, a binding to `cluster-admin`.
//!
//! ## Example
//! ```yaml
//! kind: ClusterRole
//! metadata:
//!   name: deployer
//! rules:
//!   - apiGroups: [rbac.authorization.k8s.io]
//!     resources: [clusterroles, clusterrolebindings]
//!     verbs: ["*"]
//! ```
//!
//! ## Use instead
//! ```yaml
//! kind: Role
//! metadata:
//!   name: deployer
//!   namespace: shop
//! rules:
//!   - apiGroups: [apps]
//!     resources: [deployments]
//!     verbs: [get, list, watch, create, update, patch]
//! ```
//!
//! ## Settings
//! `detectEquivalent`, `protectedNamespaces`, `federatedUserPatterns`, `allowed`
//!
//! ## References
//! Kubernetes: RBAC good practices ("Kubernetes RBAC - privilege escalation risks"); authorization (`escalate`, `bind`,
//! `impersonate`).

use fedward_kit::finding::Severity;
use fedward_kit::node::Node;
use fedward_kit::rule::{Check, Condition, Report, Rule};

use crate::binding::{Binding, unless_draft};
use crate::preset;
use crate::rights::{Danger, EVERYTHING, SECRETS};
use crate::settings::Settings;
use crate::subject::{Federated, Who, lower};

const EQUIVALENT: Condition = Condition::error("equivalent", "the role comes to cluster-admin");
const DANGEROUS: Condition = Condition::warning("dangerous", "the role has rights that are one step away from it");
const INDIRECT: Condition =
    Condition::info("indirect", "the role lets it run pods anywhere, or has such rights on named objects or in one namespace");

/// The rule.
pub const RULE: Rule<Settings> = Rule {
    id: "cluster-admin-equivalent",
    summary: "a federated subject's role comes to cluster-admin under another name",
    conditions: &[EQUIVALENT, DANGEROUS, INDIRECT],
    supersedes: &[],
    check,
};

fn check(cx: &Check<'_, Settings>) {
    let Some(binding) = Binding::under(cx) else { return };
    let (mut dangers, role) = binding.dangers(cx);
    if !binding.is_cluster_wide() {
        // Everything in a namespace is what the two namespace rules report.
        dangers.retain(|danger| danger.what != EVERYTHING);
    }
    if dangers.is_empty() {
        return;
    }
    for subject in binding.federated(cx) {
        let preset = match subject.subject.who {
            Who::Account { name, .. } => {
                let objects: Vec<Node<'_>> = [Some(cx.object), role].into_iter().flatten().collect();
                preset::of(binding.role_name(), name, &objects)
            }
            _ => None,
        };
        let steps = usize::from(preset.is_some()) + usize::from(subject.is_human());
        let judged: Vec<(Severity, &Danger<'_>)> = dangers
            .iter()
            .filter_map(|danger| {
                let level = level(cx.settings, &binding, &subject, danger)?;
                Some(((0..steps).try_fold(level, |level, _| lower(level))?, danger))
            })
            .collect();
        if let Some(report) = report(cx, &binding, &subject, &judged, preset) {
            cx.report(report);
        }
    }
}

/// How much a right matters where this binding grants it.
fn level(settings: &Settings, binding: &Binding<'_>, subject: &Federated<'_>, danger: &Danger<'_>) -> Option<Severity> {
    if binding.is_cluster_wide() {
        return Some(danger.level);
    }
    if binding.is_protected(settings) && subject.home() != Some(binding.namespace) {
        return Some(danger.level.min(Severity::Warning));
    }
    if danger.what == SECRETS { None } else { lower(danger.level.min(Severity::Warning)) }
}

fn report<'a>(
    cx: &Check<'a, Settings>,
    binding: &Binding<'a>,
    subject: &Federated<'a>,
    judged: &[(Severity, &Danger<'a>)],
    preset: Option<&str>,
) -> Option<Report<'a>> {
    let worst = judged.iter().map(|(level, _)| *level).max()?;
    let condition = match worst {
        Severity::Error => &EQUIVALENT,
        Severity::Warning => &DANGEROUS,
        Severity::Info => &INDIRECT,
    };
    // What matters less than the worst goes without saying, unless there is little to say.
    let told: Vec<&Danger<'_>> = judged.iter().filter(|(level, _)| *level == worst).map(|(_, danger)| *danger).collect();
    let what: Vec<String> = told.iter().map(|danger| danger.text()).collect();
    let why = preset.map_or_else(String::new, |title| format!(", as the stock set-up of {title} has it"));
    let report = subject
        .report(
            unless_draft(cx, condition, &INDIRECT),
            format!("{} is bound to `{}` {} and so may {}{why}", subject.title(), binding.role_name(), binding.reach(), what.join("; ")),
        )
        .help("let the role list the verbs and resources that it needs, and bind it in the namespaces where it needs them");
    Some(told.iter().fold(report, |report, danger| match danger.rule {
        Some(rule) => report.related(rule, format!("may {}", danger.text())),
        None => report,
    }))
}
