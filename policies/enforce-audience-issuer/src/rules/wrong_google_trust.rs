//! Reports IAM members and workload identity providers of Google Cloud that let in nobody, or too many.
//!
//! ## What it does
//! Looks at `IAMPolicy`, `IAMPartialPolicy`, `IAMPolicyMember` and `IAMWorkloadIdentityPoolProvider` of Config Connector, at Crossplane's
//! `WorkloadIdentityPoolProvider`, and at the same resources of Terraform.
//!
//! * A member names a service account that the checked set does not hold, though it holds others of that namespace:
//!   `serviceAccount:<project>.svc.id.goog[<namespace>/<name>]`, or `principal://…/subject/ns/<namespace>/sa/<name>`. In a cluster that is
//!   only recorded: all clusters of a project share one pool.
//! * A member is a whole pool (`principalSet://…/*`) or every pod of a cluster (`…/kubernetes.cluster/…`): an error where all pods of a
//!   project may act as a service account, a warning otherwise. `allUsers` that may act as one are an error.
//! * A provider maps `google.subject` to a constant, and no `attributeCondition` looks at the token: everybody is the same subject.
//! * A provider trusts GitHub, GitLab or HCP Terraform, whose tokens anybody gets, without an `attributeCondition`.
//!
//! A namespace as a member (`…/namespace/<namespace>`) is documented practice. So is a provider without `allowedAudiences`: Google then
//! asks for the provider's own name. A missing `issuerUri` is the matter of `unusable-issuer`.
//!
//! ## Why it is bad
//! What every pod, or anybody with an account at GitHub, may do is not tied to a workload any more. A member that does not exist has no
//! effect until somebody creates the account, and then gets the rights.
//!
//! ## Example
//! ```yaml
//! apiVersion: iam.cnrm.cloud.google.com/v1beta1
//! kind: IAMPolicyMember
//! metadata:
//!   name: reports
//! spec:
//!   resourceRef: {kind: IAMServiceAccount, name: reports}
//!   role: roles/iam.workloadIdentityUser
//!   member: principalSet://iam.googleapis.com/projects/112233445566/locations/global/workloadIdentityPools/shop.svc.id.goog/*
//! ```
//!
//! ## Use instead
//! ```yaml
//! apiVersion: iam.cnrm.cloud.google.com/v1beta1
//! kind: IAMPolicyMember
//! metadata:
//!   name: reports
//! spec:
//!   resourceRef: {kind: IAMServiceAccount, name: reports}
//!   role: roles/iam.workloadIdentityUser
//!   member: principal://iam.googleapis.com/projects/112233445566/locations/global/workloadIdentityPools/shop.svc.id.goog/subject/ns/shop/sa/reports
//! ```
//!
//! ## References
//! Google Kubernetes Engine, "About Workload Identity Federation for GKE" (principals); IAM, "Principal identifiers", "Configure Workload
//! Identity Federation with deployment pipelines" (attribute conditions); Config Connector, `IAMWorkloadIdentityPoolProvider`.

use fedward_kit::issuer;
use fedward_kit::node::Node;
use fedward_kit::rule::{Check, Condition, Report, Rule};
use fedward_kit::trust::{self, GROUP};

use crate::rules::unresolved_subject::{is_missing, report_missing};
use crate::settings::Settings;
use crate::trusted::{self, plain};

const EVERY_POD: Condition = Condition::error("anybody-acts", "every pod of a project, or anybody, may act as a service account");
const WHOLE_POOL: Condition = Condition::warning("whole-pool", "a member is a whole pool or every pod of a cluster");
const CONSTANT: Condition =
    Condition::error("constant-subject", "`google.subject` is the same for everybody, and no condition tells them apart");
const NO_CONDITION: Condition =
    Condition::warning("no-condition", "a provider takes tokens of an issuer that anybody can use, without a condition");
const NO_ACCOUNT: Condition =
    Condition::warning("no-account", "a member's service account does not exist, though others of its namespace do");
const UNCERTAIN: Condition = Condition::info("no-account-here", "the same in a cluster, or in a base that something patches");

/// The rule.
pub const RULE: Rule<Settings> = Rule {
    id: "wrong-google-trust",
    summary: "an IAM member or a workload identity provider of Google Cloud lets in nobody, or too many",
    conditions: &[EVERY_POD, WHOLE_POOL, CONSTANT, NO_CONDITION, NO_ACCOUNT, UNCERTAIN],
    supersedes: &[],
    check,
};

/// Issuers, without scheme, whose tokens anybody gets who signs up.
const OPEN_ISSUERS: [&str; 3] = ["token.actions.githubusercontent.com", "gitlab.com", "app.terraform.io"];

fn check(cx: &Check<'_, Settings>) {
    let spec = cx.object.peek("spec");
    match (cx.request.group, cx.request.kind) {
        ("iam.cnrm.cloud.google.com" | GROUP, "IAMPolicyMember") => member(cx, spec.get("member"), spec.get("role")),
        ("iam.cnrm.cloud.google.com" | GROUP, "IAMPolicy" | "IAMPartialPolicy") => {
            for binding in spec.get("bindings").items() {
                for entry in binding.get("members").items() {
                    let named = entry.peek("member");
                    member(cx, if named.is_present() { named } else { entry }, binding.get("role"));
                }
            }
        }
        _ => provider(cx),
    }
}

fn member<'a>(cx: &Check<'a, Settings>, node: Node<'a>, role: Node<'a>) {
    let Some(text) = node.peek_str().and_then(|_| plain(node)) else { return };
    let acts = cx.object.peek("spec").peek("resourceRef").peek_text("kind") == Some("IAMServiceAccount")
        || role
            .peek_str()
            .is_some_and(|role| role.ends_with("/iam.workloadIdentityUser") || role.ends_with("/iam.serviceAccountTokenCreator"));
    if let Some((who, is_anybody)) = everybody(text, acts) {
        let condition = if acts && is_anybody { &EVERY_POD } else { &WHOLE_POOL };
        let what = if acts { "may act as the service account" } else { "has the role" };
        let help = "name one service account: `principal://…/subject/ns/<namespace>/sa/<name>`, or one attribute of the pool's mapping";
        cx.report(Report::new(condition, node, format!("{who} {what}")).help(help));
    }
    if let Some((namespace, name)) = account(text)
        && is_missing(cx, node, namespace, name)
    {
        let is_certain = cx.request.is_final && cx.context.indexed;
        report_missing(cx, if is_certain { &NO_ACCOUNT } else { &UNCERTAIN }, node, namespace, name);
    }
}

/// Whom a member that is no one's in particular lets in, and whether that is anybody who runs something in the project, or anywhere.
fn everybody(member: &str, acts: bool) -> Option<(&'static str, bool)> {
    // Public data is meant to be public.
    if acts && matches!(member, "allUsers" | "allAuthenticatedUsers") {
        return Some(("anybody", true));
    }
    let (pool, rest) = member.strip_prefix("principalSet://")?.split_once("/workloadIdentityPools/")?.1.split_once('/')?;
    match (rest, pool.ends_with(".svc.id.goog")) {
        ("*", true) => Some(("every pod of every cluster of the project", true)),
        ("*", false) => Some(("everybody whom a provider of the pool lets in", false)),
        _ if rest.starts_with("kubernetes.cluster/") => Some(("every pod of the cluster", false)),
        _ => None,
    }
}

/// The namespace and name of the service account that a member is.
fn account(member: &str) -> Option<(&str, &str)> {
    if let Some(rest) = member.strip_prefix("serviceAccount:") {
        return rest.split_once(".svc.id.goog[")?.1.strip_suffix(']')?.split_once('/');
    }
    let subject = member.strip_prefix("principal://")?.split_once("/subject/")?.1;
    match subject.strip_prefix("ns/") {
        Some(rest) => rest.split_once("/sa/"),
        None => trust::service_account(subject),
    }
}

fn provider(cx: &Check<'_, Settings>) {
    let Some(provider) = trusted::google_provider(cx) else { return };
    let condition = provider.get("attributeCondition");
    // What only another system knows may well be a condition.
    if condition.peek_str().is_some_and(|text| !text.is_empty() && (!is_constant(text) || plain(condition).is_none())) {
        return;
    }
    let subject = provider.get("attributeMapping").get("google.subject");
    if let Some(text) = plain(subject).filter(|text| is_constant(text)) {
        let message = format!("`google.subject` is `{text}` for everybody whom the issuer knows: they are all the same subject");
        cx.report(Report::new(&CONSTANT, subject, message).help("map it to a claim that tells them apart, such as `assertion.sub`"));
    }
    if let Some(issuer) = trusted::issuer(cx).and_then(|trusted| plain(trusted.node))
        && OPEN_ISSUERS.contains(&issuer::bare(issuer))
    {
        let message = format!("anybody can get a token of `{issuer}`, and no condition says whose are let in");
        let help = "add a condition on whose they are: `assertion.repository_owner_id` of GitHub, `namespace_id` of GitLab, `terraform_organization_id`";
        cx.report(Report::new(&NO_CONDITION, condition, message).help(help));
    }
}

/// Whether an expression looks at nothing of the token.
fn is_constant(expression: &str) -> bool {
    !["assertion", "attribute.", "google."].iter().any(|word| expression.contains(word))
}

#[cfg(test)]
mod tests {
    use super::{account, everybody};

    const POOLS: &str = "iam.googleapis.com/projects/112233445566/locations/global/workloadIdentityPools";

    #[test]
    fn reads_accounts() {
        for (member, want) in [
            ("serviceAccount:shop.svc.id.goog[till/api]".to_owned(), Some(("till", "api"))),
            (format!("principal://{POOLS}/shop.svc.id.goog/subject/ns/till/sa/api"), Some(("till", "api"))),
            (format!("principal://{POOLS}/kiosk/subject/system:serviceaccount:till:api"), Some(("till", "api"))),
            (format!("principal://{POOLS}/kiosk/subject/repo:acme/shop:ref:refs/heads/main"), None),
            ("serviceAccount:reports@shop.iam.gserviceaccount.com".to_owned(), None),
            ("user:till@shop.example".to_owned(), None),
        ] {
            assert_eq!(account(&member), want, "{member}");
        }
    }

    #[test]
    fn knows_whole_pools() {
        for (rest, want) in [
            ("shop.svc.id.goog/*", Some(true)),
            ("kiosk/*", Some(false)),
            ("shop.svc.id.goog/kubernetes.cluster/https://container.googleapis.com/v1/projects/p", Some(false)),
            ("shop.svc.id.goog/namespace/till", None),
            ("kiosk/attribute.repository/acme/shop", None),
            ("kiosk/group/*", None),
        ] {
            assert_eq!(everybody(&format!("principalSet://{POOLS}/{rest}"), false).map(|(_, anybody)| anybody), want, "{rest}");
        }
        assert_eq!(everybody("allUsers", false), None);
        assert!(everybody("allUsers", true).is_some());
    }
}
