//! Reports cluster roles that put dangerous rights into `view`, `edit` or `admin`, and federated subjects of roles that grow by themselves.
//!
//! ## What it does
//! A ClusterRole with a label `rbac.authorization.k8s.io/aggregate-to-view`, `-edit` or `-admin` is reported if its own rules hold
//! rights that lead to more than they say and that the built-in role does not have already: for `view` anything beyond reading, for
//! `edit` and `admin` things such as impersonating users, `escalate`, webhooks or namespaces.
//!
//! A binding of a federated subject to a role that has an `aggregationRule` itself is reported too.
//!
//! Roles that the API server makes itself (label `kubernetes.io/bootstrapping`) are not reported.
//!
//! ## Why it is bad
//! Aggregation changes a built-in role for everybody who holds it, in every namespace, without any binding being touched. A role that
//! aggregates grows with every object that carries its label.
//!
//! ## Example
//! ```yaml
//! kind: ClusterRole
//! metadata:
//!   name: reports-view
//!   labels:
//!     rbac.authorization.k8s.io/aggregate-to-view: "true"
//! rules:
//!   - apiGroups: [""]
//!     resources: [secrets]
//!     verbs: [get, list]
//! ```
//!
//! ## Use instead
//! ```yaml
//! kind: ClusterRole
//! metadata:
//!   name: reports-view
//!   labels:
//!     rbac.authorization.k8s.io/aggregate-to-view: "true"
//! rules:
//!   - apiGroups: [reports.example.com]
//!     resources: [reports]
//!     verbs: [get, list, watch]
//! ```
//!
//! ## Settings
//! `allowed` (for bound roles)
//!
//! ## References
//! Kubernetes: RBAC, "Aggregated ClusterRoles" and "User-facing roles". The built-in `edit` reads secrets, runs pods, impersonates
//! service accounts and issues their tokens already, and `admin` also writes roles and role bindings; adding that again changes nothing.

use fedward_kit::rule::{Check, Condition, Report, Rule};

use crate::binding::{Binding, GROUP, Power, Role, is_bootstrapped, unless_draft};
use crate::rights::{self, ACT_AS, Danger, EXEC, RBAC, SECRETS, TOKENS, WORKLOADS};
use crate::settings::Settings;

const AGGREGATED: Condition = Condition::warning("aggregated", "the role's label puts dangerous rights into a built-in role");
const GROWING: Condition = Condition::warning("growing", "a federated subject is bound to a role with an `aggregationRule`");
const DRAFT: Condition = Condition::info("draft", "the same, in a base that a kustomization patches");

/// The rule.
pub const RULE: Rule<Settings> = Rule {
    id: "dangerous-aggregated-role",
    summary: "a cluster role puts dangerous rights into a built-in one, or a federated subject's role grows by itself",
    conditions: &[AGGREGATED, GROWING, DRAFT],
    supersedes: &[],
    check,
};

/// The labels, from the role that most subjects hold to the one that fewest hold, and what the role has anyway.
const TARGETS: [(&str, &str, &[&str]); 3] = [
    ("rbac.authorization.k8s.io/aggregate-to-view", "view", &[]),
    ("rbac.authorization.k8s.io/aggregate-to-edit", "edit", &[SECRETS, WORKLOADS, EXEC, ACT_AS, TOKENS]),
    ("rbac.authorization.k8s.io/aggregate-to-admin", "admin", &[SECRETS, WORKLOADS, EXEC, ACT_AS, TOKENS, RBAC]),
];

fn check(cx: &Check<'_, Settings>) {
    if cx.is(GROUP, "ClusterRole") {
        aggregated(cx);
    } else if let Some(binding) = Binding::under(cx).filter(|binding| binding.power(cx.settings) == Power::Other) {
        growing(cx, &binding);
    }
}

fn aggregated(cx: &Check<'_, Settings>) {
    let labels = cx.object.get("metadata").get("labels");
    if is_bootstrapped(cx.object) {
        return;
    }
    for (label, target, has) in TARGETS {
        let label = labels.get(label);
        if label.str() != Some("true") {
            continue;
        }
        let dangers: Vec<Danger<'_>> =
            rights::dangers(cx.object.get("rules"), true).into_iter().filter(|danger| !has.contains(&danger.what)).collect();
        if dangers.is_empty() {
            continue;
        }
        let what: Vec<String> = dangers.iter().map(Danger::text).collect();
        let report = Report::new(
            unless_draft(cx, &AGGREGATED, &DRAFT),
            label,
            format!("everybody who holds the built-in role `{target}` may also {}", what.join("; ")),
        )
        .on_key()
        .help("aggregate only rights on your own resources, and bind the others by name");
        cx.report(
            dangers
                .iter()
                .filter_map(|danger| Some((danger, danger.rule?)))
                .fold(report, |report, (danger, rule)| report.related(rule, format!("may {}", danger.text()))),
        );
        // The wider role contains what the narrower one has.
        return;
    }
}

fn growing<'a>(cx: &Check<'a, Settings>, binding: &Binding<'a>) {
    let Role::Known(role) = binding.resolve(cx) else { return };
    let aggregation = role.peek("aggregationRule");
    if aggregation.is_absent() {
        return;
    }
    for subject in binding.federated(cx) {
        cx.report(
            subject
                .report(
                    unless_draft(cx, &GROWING, &DRAFT),
                    format!(
                        "{} is bound to `{}` {}, which grows with every ClusterRole that carries its labels",
                        subject.title(),
                        binding.role_name(),
                        binding.reach()
                    ),
                )
                .related(aggregation, "the labels")
                .help("bind a role whose rules are written down"),
        );
    }
}
