//! Reports trust policies of AWS roles that let in more service accounts than one, or none at all.
//!
//! ## What it does
//! Reads the trust policies of roles (AWS Controllers for Kubernetes, both Crossplane providers, policy documents) as far as they trust
//! a cluster: the OIDC provider is a known cluster's, or a `:sub` begins with `system:serviceaccount`. Amazon Cognito, Google and
//! other identity providers are left alone.
//!
//! For IAM roles for service accounts (`sts:AssumeRoleWithWebIdentity`) reported are statements without a condition on `<issuer>:sub`,
//! with a `StringLike` that spans namespaces or a whole namespace, with conditions on another issuer than the trusted one, and
//! without a condition on `<issuer>:aud`. For EKS Pod Identity: a missing `sts:AssumeRole` or `sts:TagSession`, and a trust that is not
//! narrowed down to a namespace and a service account by `aws:RequestTag` conditions (recorded only: the association narrows it too).
//!
//! Where several conditions on `:sub` hold at once, the narrowest counts.
//!
//! Of every OIDC provider, a cluster's or not, reported is a trust that lets nobody in: its actions are known and
//! `sts:AssumeRoleWithWebIdentity` is none of them, or there is a scheme in the provider's ARN or in the key of a condition.
//!
//! ## Why it is bad
//! Whoever may start a pod under any service account that fits gets the role. Without a condition on `:sub` this is every pod of the
//! cluster.
//!
//! ## Example
//! ```yaml
//! kind: Role
//! spec:
//!   assumeRolePolicyDocument: |
//!     {"Version": "2012-10-17", "Statement": [{
//!       "Effect": "Allow",
//!       "Principal": {"Federated": "arn:aws:iam::123456789012:oidc-provider/oidc.clusters.example"},
//!       "Action": "sts:AssumeRoleWithWebIdentity",
//!       "Condition": {"StringLike": {"oidc.clusters.example:sub": "system:serviceaccount:*:*"}}
//!     }]}
//! ```
//!
//! ## Use instead
//! ```yaml
//! kind: Role
//! spec:
//!   assumeRolePolicyDocument: |
//!     {"Version": "2012-10-17", "Statement": [{
//!       "Effect": "Allow",
//!       "Principal": {"Federated": "arn:aws:iam::123456789012:oidc-provider/oidc.clusters.example"},
//!       "Action": "sts:AssumeRoleWithWebIdentity",
//!       "Condition": {"StringEquals": {
//!         "oidc.clusters.example:sub": "system:serviceaccount:shop:api",
//!         "oidc.clusters.example:aud": "sts.amazonaws.com"
//!       }}
//!     }]}
//! ```
//!
//! ## References
//! EKS user guide, "Assign IAM roles to Kubernetes service accounts" and "EKS Pod Identity role trust policy"; IAM user guide, "Condition
//! keys for web identity federation".

use fedward_kit::audience::AWS_POD_IDENTITY;
use fedward_kit::finding::PatchStep;
use fedward_kit::iam::{self, Statement, Test};
use fedward_kit::issuer;
use fedward_kit::node::Node;
use fedward_kit::rule::{Check, Condition, Report, Rule};
use fedward_kit::text::{self, Glob, Value};

use crate::settings::Settings;

const NO_SUBJECT: Condition = Condition::error("no-subject", "a cluster is trusted without a condition on `:sub`");
const ANY_NAMESPACE: Condition = Condition::error("any-namespace", "the pattern for `:sub` spans namespaces");
const WHOLE_NAMESPACE: Condition =
    Condition::warning("whole-namespace", "the pattern for `:sub` fits several service accounts of a namespace");
const OTHER_ISSUER: Condition = Condition::error("other-issuer", "a condition is on the claims of another issuer than the trusted one");
const NO_AUDIENCE: Condition = Condition::warning("no-audience", "a cluster is trusted without a condition on `:aud`");
const NO_WEB_IDENTITY: Condition =
    Condition::error("no-web-identity", "an OIDC provider is trusted, but not for `sts:AssumeRoleWithWebIdentity`");
const SCHEME: Condition = Condition::error("scheme", "there is a scheme in the ARN of an OIDC provider, or in the key of a condition");
const NO_ASSUME_ROLE: Condition = Condition::error("no-assume-role", "EKS Pod Identity is trusted without `sts:AssumeRole`");
const NO_TAG_SESSION: Condition = Condition::warning("no-tag-session", "EKS Pod Identity is trusted without `sts:TagSession`");
const NO_REQUEST_TAGS: Condition = Condition::info("no-request-tags", "EKS Pod Identity is trusted for every service account");

/// The rule.
pub const RULE: Rule<Settings> = Rule {
    id: "broad-aws-trust",
    summary: "the trust policy of an AWS role lets in more service accounts than one, or none",
    conditions: &[
        NO_SUBJECT,
        ANY_NAMESPACE,
        WHOLE_NAMESPACE,
        OTHER_ISSUER,
        NO_AUDIENCE,
        NO_WEB_IDENTITY,
        SCHEME,
        NO_ASSUME_ROLE,
        NO_TAG_SESSION,
        NO_REQUEST_TAGS,
    ],
    supersedes: &[],
    check,
};

fn check(cx: &Check<'_, Settings>) {
    let statements = iam::policy(cx.object).map(iam::statements).unwrap_or_default();
    for statement in &statements {
        schemes(cx, statement);
        if statement.allows(WEB_IDENTITY) {
            web_identity(cx, statement);
        } else {
            not_web_identity(cx, statement, &statements);
        }
        if statement.trusts_service(AWS_POD_IDENTITY) {
            pod_identity(cx, statement);
        }
    }
    // What one statement lacks another may allow.
    let trusting = || statements.iter().filter(|statement| statement.trusts_service(AWS_POD_IDENTITY));
    let Some(first) = trusting().next() else { return };
    let lacks = |action: &str| trusting().all(|statement| statement.lacks(action));
    if lacks("sts:AssumeRole") {
        cx.report(
            Report::new(&NO_ASSUME_ROLE, first.action, "EKS Pod Identity may not assume the role: `sts:AssumeRole` is not allowed")
                .help("allow `sts:AssumeRole` and `sts:TagSession`"),
        );
    } else if lacks("sts:TagSession") {
        cx.report(
            Report::new(&NO_TAG_SESSION, first.action, "EKS Pod Identity tags its sessions, but `sts:TagSession` is not allowed")
                .help("add `sts:TagSession` to the actions"),
        );
    }
}

const WEB_IDENTITY: &str = "sts:AssumeRoleWithWebIdentity";

/// A provider that is trusted for other actions than the only one by which its tokens can be used.
fn not_web_identity<'a>(cx: &Check<'a, Settings>, statement: &Statement<'a>, statements: &[Statement<'a>]) {
    let Some((provider, issuer)) = statement.issuers.first() else { return };
    let is_allowed_elsewhere = || {
        let trusts = |other: &Statement<'_>| other.issuers.iter().any(|(_, name)| iam::same_issuer(name, issuer));
        statements.iter().any(|other| trusts(other) && !other.lacks(WEB_IDENTITY))
    };
    // With another principal beside the provider the statement lets that one in.
    let is_alone = statement.node.peek("Principal").peek_entries().count() == 1;
    if statement.issuers.len() == 1 && is_alone && statement.lacks(WEB_IDENTITY) && !is_allowed_elsewhere() {
        let message = format!("tokens of `{issuer}` can only be used with `{WEB_IDENTITY}`, which is not allowed");
        cx.report(
            Report::new(&NO_WEB_IDENTITY, statement.action, message)
                .help(format!("write `{WEB_IDENTITY}`"))
                .related(*provider, "the OIDC provider"),
        );
    }
}

/// AWS names an issuer without its scheme: with one, the provider does not exist, and no token has such a claim.
fn schemes<'a>(cx: &Check<'a, Settings>, statement: &Statement<'a>) {
    for (node, issuer) in &statement.issuers {
        let arn = node.peek_str().unwrap_or("");
        let Some((start, written)) = arn.split_once(":oidc-provider/").filter(|(_, written)| written != issuer) else { continue };
        cx.report(
            Report::new(&SCHEME, *node, format!("`{written}` has a scheme, but no OIDC provider of AWS has one in its ARN"))
                .help(format!("write `oidc-provider/{issuer}`"))
                .fix(PatchStep::set(*node, &format!("{start}:oidc-provider/{issuer}"))),
        );
    }
    for test in &statement.tests {
        let Some(key) = iam::without_scheme(test.key) else { continue };
        let message = format!("`{}` has a scheme, but no claim of a token is called by one", test.key);
        cx.report(Report::new(&SCHEME, test.node, message).help(format!("write `{key}`")).on_key());
    }
}

fn web_identity<'a>(cx: &Check<'a, Settings>, statement: &Statement<'a>) {
    let subjects = statement.tests_of("sub");
    let is_account = |value: &Node<'_>| value.peek_str().is_some_and(|text| text.starts_with("system:serviceaccount"));
    let is_cluster = statement.issuers.iter().any(|(_, name)| issuer::kind(name).is_cluster());
    if !is_cluster && !subjects.iter().any(|test| test.values().iter().any(is_account)) {
        return;
    }
    for test in &statement.tests {
        other_issuer(cx, statement, test);
    }
    let conditions = statement.node.get("Condition");
    let name = statement.issuers.first().map_or("<issuer>", |(_, name)| *name);
    match subjects.iter().map(|test| widest(test)).min_by_key(|(breadth, _)| *breadth) {
        None => cx.report(
            Report::new(&NO_SUBJECT, conditions, format!("every service account of the cluster `{name}` may assume the role"))
                .help(format!("add `StringEquals` on `{name}:sub` with `system:serviceaccount:<namespace>:<name>`")),
        ),
        Some((Breadth::Cluster, Some(value))) => cx.report(
            Report::new(
                &ANY_NAMESPACE,
                value,
                format!("`{}` lets in service accounts of several namespaces", value.peek_str().unwrap_or("")),
            )
            .help("name the service account in full, with `StringEquals`"),
        ),
        Some((Breadth::Namespace, Some(value))) => cx.report(
            Report::new(
                &WHOLE_NAMESPACE,
                value,
                format!("`{}` lets in several service accounts of the namespace", value.peek_str().unwrap_or("")),
            )
            .help("name the service account in full, with `StringEquals`"),
        ),
        Some(_) => {}
    }
    if statement.tests_of("aud").is_empty() {
        cx.report(
            Report::new(&NO_AUDIENCE, conditions, format!("tokens of the cluster `{name}` are accepted whatever their audience"))
                .help(format!("add `StringEquals` on `{name}:aud` with `sts.amazonaws.com`")),
        );
    }
}

fn other_issuer<'a>(cx: &Check<'a, Settings>, statement: &Statement<'a>, test: &Test<'a>) {
    let Some((issuer, claim)) = test.claim().filter(|_| test.is_positive()) else { return };
    let is_known = |name: &str| text::classify(name) == Value::Plain;
    let trusted = &statement.issuers;
    if trusted.is_empty()
        || !is_known(issuer)
        || trusted.iter().any(|(node, name)| iam::same_issuer(name, issuer) || !node.peek_str().is_some_and(is_known))
    {
        return;
    }
    let mut report = Report::new(
        &OTHER_ISSUER,
        test.node,
        format!("the condition is on `{claim}` of `{issuer}`, but the statement trusts another issuer, whose tokens have no such claim"),
    )
    .on_key();
    if let Some((node, name)) = trusted.first() {
        report = report.help(format!("write `{name}:{claim}`")).related(*node, "the trusted issuer");
    }
    cx.report(report);
}

fn pod_identity<'a>(cx: &Check<'a, Settings>, statement: &Statement<'a>) {
    let has = |tag: &str| statement.tests.iter().any(|test| test.is_positive() && test.key.eq_ignore_ascii_case(tag));
    let missing: Vec<&str> = [NAMESPACE_TAG, ACCOUNT_TAG].into_iter().filter(|tag| !has(tag)).collect();
    if !missing.is_empty() {
        let message = "whoever may make Pod Identity associations can give the role to service accounts that it is not meant for";
        cx.report(
            Report::new(&NO_REQUEST_TAGS, statement.node.get("Condition"), message)
                .help(format!("add `StringEquals` on {}", missing.iter().map(|tag| format!("`{tag}`")).collect::<Vec<_>>().join(" and "))),
        );
    }
}

const NAMESPACE_TAG: &str = "aws:RequestTag/kubernetes-namespace";
const ACCOUNT_TAG: &str = "aws:RequestTag/kubernetes-service-account";

/// How many service accounts a pattern fits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Breadth {
    One,
    Namespace,
    Cluster,
}

/// The widest of a test's values.
fn widest<'a>(test: &Test<'a>) -> (Breadth, Option<Node<'a>>) {
    let values = test.values().into_iter().filter(|_| test.is_pattern());
    values
        .filter_map(|value| Some((breadth(value.peek_str()?), Some(value))))
        .max_by_key(|(breadth, _)| *breadth)
        .unwrap_or((Breadth::One, None))
}

fn breadth(pattern: &str) -> Breadth {
    // Policy variables such as `${aws:PrincipalTag/…}` are not known here.
    if !pattern.contains(['*', '?']) || text::classify(pattern) != Value::Plain {
        return Breadth::One;
    }
    match pattern.strip_prefix("system:serviceaccount:").map(|rest| rest.split_once(':')) {
        Some(Some((namespace, _))) if !namespace.contains(['*', '?']) => Breadth::Namespace,
        Some(_) => Breadth::Cluster,
        None if Glob::new(pattern.replace('?', "*")).matches("system:serviceaccount:a:b") => Breadth::Cluster,
        None => Breadth::One,
    }
}

#[cfg(test)]
mod tests {
    use super::{Breadth, breadth};

    #[test]
    fn measures_patterns() {
        for (pattern, want) in [
            ("system:serviceaccount:shop:api", Breadth::One),
            ("system:serviceaccount:shop:*", Breadth::Namespace),
            ("system:serviceaccount:shop:api-*", Breadth::Namespace),
            ("system:serviceaccount:*:api", Breadth::Cluster),
            ("system:serviceaccount:shop*", Breadth::Cluster),
            ("system:serviceaccount:*", Breadth::Cluster),
            ("system:*", Breadth::Cluster),
            ("*", Breadth::Cluster),
            ("repo:acme/*", Breadth::One),
        ] {
            assert_eq!(breadth(pattern), want, "{pattern}");
        }
    }
}
