//! Reports subjects of service accounts that are not written as tokens carry them.
//!
//! ## What it does
//! The subject of a service account's token is `system:serviceaccount:<namespace>:<name>`, all in lower case. Azure compares it letter
//! by letter, and so does AWS with `StringEquals`. Reported are subjects that begin like one, in any letter case and with any spaces
//! or quotes around them, or that stand beside a cluster's issuer, and have another form; and wildcards where they are plain letters:
//! in a credential's `subject` and under `StringEquals`. They are patterns under `StringLike`, and in a `claimsMatchingExpression`.
//!
//! ## Why it is bad
//! A wrong subject is accepted when it is written. No token matches it: the exchange fails with `AADSTS700213`, or `AccessDenied`.
//!
//! ## Example
//! ```yaml
//! subject: system:serviceaccount:argo-events
//! ```
//!
//! ## Use instead
//! ```yaml
//! subject: system:serviceaccount:argo-events:argo-sa
//! ```
//!
//! ## References
//! Kubernetes, "Managing Service Accounts" (user names of service accounts); Microsoft Entra workload identity federation ("wildcard
//! characters aren't supported in any federated identity credential property value"); IAM user guide, "String condition operators".

use fedward_kit::finding::PatchStep;
use fedward_kit::node::Node;
use fedward_kit::rule::{Check, Condition, Report, Rule};
use fedward_kit::trust::Credential;
use fedward_kit::{iam, issuer};

use crate::settings::Settings;
use crate::trusted;

const FORM: Condition = Condition::error("form", "the subject is not `system:serviceaccount:<namespace>:<name>`");
const WILDCARD: Condition = Condition::error("wildcard", "the subject has a wildcard where it is compared letter by letter");

/// The rule.
pub const RULE: Rule<Settings> = Rule {
    id: "wrong-subject-format",
    summary: "the subject of a service account is not written as its tokens carry it",
    conditions: &[FORM, WILDCARD],
    supersedes: &[],
    check,
};

fn check(cx: &Check<'_, Settings>) {
    if let Some(credential) = Credential::of(cx.object)
        && let Some(node) = credential.subject_in(cx.context, cx.request.namespace)
        && let Some(text) = trusted::plain(node)
    {
        let issuer = credential.issuer_in(cx.context, cx.request.namespace).and_then(trusted::plain);
        // A GitHub subject beside a cluster's issuer: `issuer-subject-mismatch` says so.
        let is_clusters = issuer.is_some_and(|issuer| issuer::kind(issuer).is_cluster()) && !text.starts_with("repo:");
        if is_clusters || looks_like_account(text) {
            judge(cx, node, text, "Azure");
        }
    }
    for statement in iam::policy(cx.object).map(iam::statements).unwrap_or_default() {
        if !statement.allows("sts:AssumeRoleWithWebIdentity") {
            continue;
        }
        for test in statement.tests_of("sub") {
            for value in test.values() {
                let Some(text) = trusted::plain(value).filter(|text| looks_like_account(text)) else { continue };
                if !test.is_pattern() || !text.contains(['*', '?']) {
                    judge(cx, value, text, "AWS");
                }
            }
        }
    }
}

fn judge<'a>(cx: &Check<'a, Settings>, node: Node<'a>, text: &'a str, cloud: &str) {
    if text.contains(['*', '?']) {
        let help = if cloud == "AWS" {
            "name the service accounts in full, or use `StringLike`"
        } else {
            "name one service account; every further one needs a credential of its own"
        };
        let message = format!("the wildcard in the subject `{text}` is a plain letter to {cloud}: no token matches it");
        cx.report(Report::new(&WILDCARD, node, message).help(help));
        return;
    }
    let Some(wrong) = wrong(text) else { return };
    let report = Report::new(&FORM, node, format!("the subject `{text}` is not `system:serviceaccount:<namespace>:<name>`: {wrong}"));
    let tidy = tidied(text);
    cx.report(if self::wrong(&tidy).is_none() {
        report.help(format!("write `{tidy}`")).fix(PatchStep::set(node, &tidy))
    } else {
        report.help("write the namespace and the name of one service account")
    });
}

/// Whether a subject was meant to be a service account's.
fn looks_like_account(text: &str) -> bool {
    let start = text.trim_start_matches(|letter: char| letter.is_whitespace() || matches!(letter, '"' | '\''));
    start.get(.."system:serviceaccount".len()).is_some_and(|start| start.eq_ignore_ascii_case("system:serviceaccount"))
}

/// What is wrong with a subject; `None` if it is right.
fn wrong(text: &str) -> Option<&'static str> {
    let bare = text.trim();
    if bare.len() != text.len() {
        return Some("there are spaces around it");
    }
    if bare.starts_with(['"', '\'']) || bare.ends_with(['"', '\'']) {
        return Some("the quotes are a part of it");
    }
    let Some(rest) = text.strip_prefix("system:serviceaccount:") else {
        let is_case = text.get(.."system:serviceaccount:".len()).is_some_and(|start| start.eq_ignore_ascii_case("system:serviceaccount:"));
        return Some(if is_case { "tokens have it in lower case" } else { "it does not begin with `system:serviceaccount:`" });
    };
    let Some((namespace, name)) = rest.split_once(':') else { return Some("the name of the service account is missing") };
    if !is_label(namespace) {
        return Some("no namespace has such a name");
    }
    let is_name = name.len() <= 253 && name.split('.').all(|part| is_label(part) || (part.len() > 63 && has_label_letters(part)));
    (!is_name).then_some("no service account has such a name")
}

/// The subject that was meant, if the mistake is one of letters around it.
fn tidied(text: &str) -> String {
    let lower = text.trim_matches(|letter: char| letter.is_whitespace() || matches!(letter, '"' | '\'')).to_ascii_lowercase();
    match lower.strip_prefix("system:serviceaccounts:").or_else(|| lower.strip_prefix("system:serviceaccount:")) {
        Some(rest) if !rest.contains(':') => format!("system:serviceaccount:{}", rest.replacen('/', ":", 1)),
        Some(rest) => format!("system:serviceaccount:{rest}"),
        None => lower,
    }
}

/// A label of RFC 1123, as namespaces are named.
fn is_label(text: &str) -> bool {
    text.len() <= 63 && has_label_letters(text)
}

fn has_label_letters(text: &str) -> bool {
    let letter = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    text.bytes().all(|byte| letter(byte) || byte == b'-')
        && text.bytes().next().is_some_and(letter)
        && text.bytes().next_back().is_some_and(letter)
}

#[cfg(test)]
mod tests {
    use super::{looks_like_account, tidied, wrong};

    #[test]
    fn judges_subjects() {
        for text in ["system:serviceaccount:shop:api", "system:serviceaccount:shop-1:api.v2"] {
            assert_eq!(wrong(text), None, "{text}");
        }
        for text in [
            "system:serviceaccount:shop",
            "system:serviceaccount:shop:",
            "system:serviceaccount::api",
            "system:serviceaccount:shop:api:x",
            "system:serviceaccount:Shop:api",
            "system:serviceaccount:shop:api ",
            "\"system:serviceaccount:shop:api\"",
            "system:serviceaccount:shop.x:api",
            "system:serviceaccounts:shop:api",
        ] {
            assert!(wrong(text).is_some(), "{text}");
            assert!(looks_like_account(text), "{text}");
        }
    }

    #[test]
    fn tidies_what_surrounds_a_subject() {
        for text in [
            " system:serviceaccount:shop:api",
            "'system:serviceaccount:shop:api'",
            "System:ServiceAccount:shop:api",
            "system:serviceaccounts:shop:api",
            "system:serviceaccount:shop/api",
        ] {
            assert_eq!(tidied(text), "system:serviceaccount:shop:api", "{text}");
        }
    }
}
