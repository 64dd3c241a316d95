//! Reports trust in GitHub or GitLab pipelines that is not narrowed down to a project.
//!
//! ## What it does
//! Looks at what lets in tokens of GitHub Actions and GitLab CI: trust policies of AWS roles, and the `claimsMatchingExpression` and
//! `subject` of federated credentials.
//! * An error where anybody's pipeline is let in: no condition on the subject, or a wildcard in the name of the organisation
//!   (`repo:*`, `repo:acme*/…`).
//! * A warning where every project of an organisation or group is (`repo:acme/*`, `project_path:acme/*`).
//! * Pull requests of one repository (`repo:acme/shop:pull_request`): a warning if the object gives the role AWS' administrator policies,
//!   recorded otherwise.
//!
//! Trust that also depends on other claims of the issuer (`job_workflow_ref`, `repository_owner_id` …) is left alone.
//!
//! ## Why it is bad
//! A pipeline of the issuer is anybody's code. Organisation names that begin alike can be registered by anyone, every new project of an
//! organisation gets the identity, and a pull request runs what its author wrote.
//!
//! ## Example
//! ```yaml
//! claimsMatchingExpression: {value: "claims['sub'] matches 'repo:acme/*'", languageVersion: 1}
//! ```
//!
//! ## Use instead
//! ```yaml
//! claimsMatchingExpression: {value: "claims['sub'] matches 'repo:acme/shop:ref:refs/heads/*'", languageVersion: 1}
//! ```
//!
//! ## References
//! GitHub Actions, "Configuring OpenID Connect in Amazon Web Services" and "OpenID Connect reference"; GitLab, "Connect to cloud services"
//! (`sub`); Microsoft Entra, "Flexible federated identity credentials".

use fedward_kit::iam::{self, Statement};
use fedward_kit::issuer::{self, Kind};
use fedward_kit::node::Node;
use fedward_kit::rule::{Check, Condition, Report, Rule};
use fedward_kit::trust::Credential;

use crate::settings::Settings;
use crate::trusted::plain;

const ANYBODY: Condition = Condition::error("anybody", "nothing narrows the trust down to an organisation");
const ORGANISATION: Condition = Condition::warning("whole-organisation", "every project of an organisation or group is trusted");
const PRIVILEGED_PULL_REQUESTS: Condition =
    Condition::warning("privileged-pull-requests", "pull requests are trusted with an administrator's role");
const PULL_REQUESTS: Condition = Condition::info("pull-requests", "pull requests are trusted");

/// The rule.
pub const RULE: Rule<Settings> = Rule {
    id: "broad-ci-trust",
    summary: "trust in GitHub or GitLab pipelines is not narrowed down to a project",
    conditions: &[ANYBODY, ORGANISATION, PRIVILEGED_PULL_REQUESTS, PULL_REQUESTS],
    supersedes: &[],
    check,
};

fn check(cx: &Check<'_, Settings>) {
    if let Some(credential) = Credential::of(cx.object) {
        if let Some(subject) = plain(credential.subject).filter(|subject| subject.starts_with("repo:") && is_pull_request(subject)) {
            report(cx, credential.subject, subject, Some(Breadth::PullRequests));
        }
        let value = credential.claims.peek("value");
        let expression = if value.is_present() { value } else { credential.claims };
        if let Some((pattern, is_pattern)) = expression.peek_str().and_then(subject_pattern) {
            report(cx, expression, pattern, breadth(pattern, is_pattern));
        }
    }
    for statement in iam::policy(cx.object).map(iam::statements).unwrap_or_default() {
        if statement.allows("sts:AssumeRoleWithWebIdentity") {
            check_statement(cx, &statement);
        }
    }
}

fn check_statement<'a>(cx: &Check<'a, Settings>, statement: &Statement<'a>) {
    let ci = statement.issuers.iter().find(|(_, name)| matches!(issuer::kind(name), Kind::GitHub | Kind::GitLab));
    let tests = statement.tests_of("sub");
    let claims: Vec<&str> = statement.tests.iter().filter(|test| test.is_positive()).filter_map(|test| Some(test.claim()?.1)).collect();
    if claims.iter().any(|claim| !claim.eq_ignore_ascii_case("sub") && !claim.eq_ignore_ascii_case("aud")) {
        return;
    }
    if tests.is_empty() {
        if let Some((_, name)) = ci {
            cx.report(
                Report::new(&ANYBODY, statement.node.get("Condition"), format!("pipelines of anybody on `{name}` may assume the role"))
                    .help(format!("add a condition on `{name}:sub` that names the repository and the branch or environment")),
            );
        }
        return;
    }
    // All tests hold at once: the narrowest counts. Of a test's values one is enough: the widest counts.
    let widest = tests.iter().map(|test| {
        let values = test.values().into_iter().filter_map(|value| Some((value, value.peek_str()?)));
        values.map(|(value, text)| (breadth(text, test.is_pattern()), value)).max_by_key(|(breadth, _)| *breadth)
    });
    if let Some((Some(breadth), value)) = widest.flatten().min_by_key(|(breadth, _)| *breadth) {
        let pattern = value.peek_str().unwrap_or("");
        if ci.is_some() || breadth != Breadth::Anybody || is_ci(pattern) {
            report(cx, value, pattern, Some(breadth));
        }
    }
}

fn report<'a>(cx: &Check<'a, Settings>, node: Node<'a>, pattern: &str, breadth: Option<Breadth>) {
    let (condition, message, help) = match breadth {
        None => return,
        Some(Breadth::Anybody) => {
            (&ANYBODY, "lets in pipelines of organisations that anybody can register", "name the organisation and the project in full")
        }
        Some(Breadth::Organisation) => (
            &ORGANISATION,
            "lets in every project of the organisation, also those to come",
            "name the project and the branch or environment",
        ),
        Some(Breadth::PullRequests) => (
            if is_administrator(cx.object) { &PRIVILEGED_PULL_REQUESTS } else { &PULL_REQUESTS },
            "lets in the code of every pull request",
            "trust a branch or an environment, and give pull requests an identity of their own",
        ),
    };
    cx.report(Report::new(condition, node, format!("`{pattern}` {message}")).help(help));
}

/// Whom a subject lets in, from one project upwards.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Breadth {
    PullRequests,
    Organisation,
    Anybody,
}

/// `None` for subjects of one project, and for those of other systems.
fn breadth(subject: &str, is_pattern: bool) -> Option<Breadth> {
    let is_wild = |text: &str| is_pattern && text.contains(['*', '?']);
    if is_pattern && matches!(subject, "*" | "repo*" | "project_path*") {
        return Some(Breadth::Anybody);
    }
    let path = match (subject.strip_prefix("repo:"), subject.strip_prefix("project_path:")) {
        (Some(_), _) if is_pull_request(subject) => return Some(Breadth::PullRequests),
        (Some(rest), _) | (None, Some(rest)) => rest.split(':').next().unwrap_or(rest),
        (None, None) => return None,
    };
    let mut parts = path.split('/');
    let organisation = parts.next().unwrap_or("");
    let project = parts.next_back();
    if is_wild(organisation) {
        Some(Breadth::Anybody)
    } else if is_pattern && project == Some("*") {
        Some(Breadth::Organisation)
    } else {
        None
    }
}

fn is_ci(subject: &str) -> bool {
    subject.starts_with("repo") || subject.starts_with("project_path")
}

fn is_pull_request(subject: &str) -> bool {
    subject.ends_with(":pull_request")
}

/// The text that the subject is compared with, and whether it is a pattern, in an expression that speaks of nothing else:
/// `claims['sub'] matches '…'`.
fn subject_pattern(expression: &str) -> Option<(&str, bool)> {
    let rest = expression.trim().strip_prefix("claims['sub']")?.trim_start();
    let (rest, is_pattern) = rest.strip_prefix("matches").map(|rest| (rest, true)).or_else(|| Some((rest.strip_prefix("eq")?, false)))?;
    let text = rest.trim_start().strip_prefix('\'')?.strip_suffix('\'')?;
    (!text.contains('\'')).then_some((text, is_pattern))
}

/// Whether the object gives its role one of AWS' policies for administrators.
fn is_administrator(object: Node<'_>) -> bool {
    let spec = object.peek("spec");
    let lists = [spec.peek("policies"), spec.peek("forProvider").peek("managedPolicyArns")];
    let ends = [":policy/AdministratorAccess", ":policy/IAMFullAccess", ":policy/PowerUserAccess"];
    lists.iter().flat_map(|list| list.peek_items()).filter_map(|item| item.peek_str()).any(|arn| ends.iter().any(|end| arn.ends_with(end)))
}

#[cfg(test)]
mod tests {
    use super::{Breadth, breadth, subject_pattern};

    #[test]
    fn measures_subjects() {
        for (subject, want) in [
            ("repo:acme/shop:ref:refs/heads/main", None),
            ("repo:acme/shop:*", None),
            ("repo:acme/shop-*:ref:refs/heads/main", None),
            ("repo:acme/*", Some(Breadth::Organisation)),
            ("repo:acme/*:ref:refs/heads/main", Some(Breadth::Organisation)),
            ("repo:acme*/shop:*", Some(Breadth::Anybody)),
            ("repo:*", Some(Breadth::Anybody)),
            ("*", Some(Breadth::Anybody)),
            ("repo:acme/shop:pull_request", Some(Breadth::PullRequests)),
            ("project_path:acme/shop/*:ref_type:branch:ref:main", Some(Breadth::Organisation)),
            ("project_path:acme/shop:ref_type:branch:ref:main", None),
            ("system:serviceaccount:shop:*", None),
        ] {
            assert_eq!(breadth(subject, true), want, "{subject}");
        }
    }

    #[test]
    fn reads_expressions_about_the_subject_alone() {
        assert_eq!(subject_pattern("claims['sub'] matches 'repo:acme/*'"), Some(("repo:acme/*", true)));
        assert_eq!(subject_pattern("claims['sub'] eq 'repo:acme/shop:ref:x'"), Some(("repo:acme/shop:ref:x", false)));
        assert_eq!(subject_pattern("claims['sub'] matches 'a' and claims['job_workflow_ref'] matches 'b'"), None);
    }
}
