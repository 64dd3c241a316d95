//! Reports token issuers that no cloud can use: no plain `https` URL, or one that nobody outside reaches.
//!
//! ## What it does
//! Looks at the issuer of federated credentials, IAM OIDC providers and Google workload identity pool providers. It has to be an
//! absolute `https` URL without spaces, user name, query, fragment or wildcard, without the path of the discovery document, and for
//! Azure of at most 600 characters. Azure and AWS fetch `<issuer>/.well-known/openid-configuration` themselves, so names that exist
//! only inside a cluster or a private network, and private addresses, are reported for them. Google accepts uploaded keys instead.
//!
//! An issuer of EKS that has not EKS' form (`https://oidc.eks.<region>.amazonaws.com/id/<32 letters>`, no slash at the end) is a
//! warning.
//!
//! An issuer that Azure Service Operator reads from a ConfigMap is judged where the ConfigMap is known, and passed over otherwise.
//!
//! ## Why it is bad
//! The credential is accepted when it is written. Every token exchange fails later, with `AADSTS90061` or `AADSTS700211` at Azure, and
//! with `InvalidIdentityToken` at AWS.
//!
//! ## Example
//! ```yaml
//! kind: FederatedIdentityCredential
//! spec:
//!   issuer: https://kubernetes.default.svc
//! ```
//!
//! ## Use instead
//! ```yaml
//! kind: FederatedIdentityCredential
//! spec:
//!   issuer: https://oidc.clusters.example/production
//! ```
//!
//! ## References
//! Microsoft Entra workload identity federation, "Important considerations and restrictions"; OpenID Connect Discovery 1.0, section 3
//! (`issuer`); IAM API reference, `CreateOpenIDConnectProvider`; Azure/azure-workload-identity, troubleshooting (`AADSTS90061`).

use fedward_kit::finding::PatchStep;
use fedward_kit::issuer::{self, Kind};
use fedward_kit::node::Node;
use fedward_kit::rule::{Check, Condition, Report, Rule};
use fedward_kit::url;

use crate::settings::Settings;
use crate::trusted::{self, Side};

const MISSING: Condition = Condition::error("missing", "there is no issuer");
const SPACES: Condition = Condition::error("spaces", "the issuer has spaces at its ends or inside");
const NOT_HTTPS: Condition = Condition::error("not-https", "the issuer is no absolute `https` URL");
const NOT_PLAIN: Condition = Condition::error("not-plain", "the issuer has a user name, a query, a fragment or a wildcard");
const DISCOVERY: Condition = Condition::error("discovery-document", "the issuer is the URL of the discovery document or of the keys");
const UNREACHABLE: Condition =
    Condition::error("unreachable", "Azure or AWS have to fetch the issuer's keys, and its host is not reachable from the internet");
const TOO_LONG: Condition = Condition::error("too-long", "Azure accepts at most 600 characters");
const EKS_FORM: Condition = Condition::warning("eks-form", "the host is one of EKS, and the path is not that of an EKS issuer");

/// The rule.
pub const RULE: Rule<Settings> = Rule {
    id: "unusable-issuer",
    summary: "a token issuer is no plain `https` URL, or cannot be reached",
    conditions: &[MISSING, SPACES, NOT_HTTPS, NOT_PLAIN, DISCOVERY, UNREACHABLE, TOO_LONG, EKS_FORM],
    supersedes: &[],
    check,
};

fn check(cx: &Check<'_, Settings>) {
    let Some(trusted) = trusted::issuer(cx) else { return };
    let node = trusted.node;
    let observed = trusted.credential.is_some_and(|credential| credential.observed);
    if node.is_absent() || node.peek_str() == Some("") {
        if !observed {
            let report = Report::new(&MISSING, node, "there is no issuer: nothing says whose tokens are trusted");
            cx.report(report.help("set the issuer URL of the cluster, exactly as its tokens carry it"));
        }
        return;
    }
    let Some(text) = trusted::plain(node) else { return };
    spaces(cx, node, text);
    let text = text.trim();
    // A text with a user name is told of below, without the password that may follow.
    let has_user = url::split(text).is_some_and(|parts| !parts.user_info.is_empty());
    if !has_user
        && let Some(short) = text.find("/.well-known/").and_then(|at| text.get(..=at)).or_else(|| text.strip_suffix("openid/v1/jwks"))
    {
        discovery(cx, node, text, short);
    }
    let length = text.chars().count();
    if trusted.side == Side::Azure && length > MAX {
        cx.report(Report::new(&TOO_LONG, node, format!("the issuer has {length} characters, but Azure accepts at most {MAX}")));
    }
    let Some(parts) = url::split(text) else {
        no_url(cx, node, text);
        return;
    };
    // A user name may come with a password.
    let shown = if parts.user_info.is_empty() { text } else { parts.host };
    if !parts.scheme.eq_ignore_ascii_case("https") {
        cx.report(
            Report::new(&NOT_HTTPS, node, format!("the issuer `{shown}` is an `{}` URL, but `https` is required", parts.scheme))
                .help("use the `https` issuer of the cluster: its tokens have to carry exactly the same text"),
        );
    }
    let extra = [
        (!parts.user_info.is_empty(), "a user name"),
        (parts.tail.starts_with('?'), "a query"),
        (parts.tail.contains('#'), "a fragment"),
        (text.contains('*'), "a wildcard"),
    ];
    let extra: Vec<String> = extra.iter().filter(|(is_there, _)| *is_there).map(|(_, what)| (*what).to_owned()).collect();
    if !extra.is_empty() {
        cx.report(
            Report::new(
                &NOT_PLAIN,
                node,
                format!("the issuer of `{}` has {}, which no token's issuer has", parts.host, extra.join(" and ")),
            )
            .help("write the issuer exactly as the cluster's tokens carry it, scheme, host and path only"),
        );
    }
    if trusted.side != Side::Gcp
        && let Some(why) = issuer::unreachable(text)
    {
        let cloud = if trusted.side == Side::Azure { "Azure" } else { "AWS" };
        cx.report(
            Report::new(
                &UNREACHABLE,
                node,
                format!("the issuer's host `{}` {why}, but {cloud} has to fetch its keys over the internet", parts.host),
            )
            .help("publish the cluster's discovery document and keys under a public `https` URL and make that its issuer"),
        );
    }
    if issuer::kind(text) == Kind::Eks && !is_eks_path(parts.path) {
        let report = Report::new(
            &EKS_FORM,
            node,
            format!("the issuer `{text}` is one of EKS, whose issuers end in `/id/` and 32 digits and upper-case letters"),
        );
        let without = text.trim_end_matches('/');
        let is_slash = url::split(without).is_some_and(|parts| is_eks_path(parts.path));
        cx.report(if is_slash {
            report.help("remove the slash at the end").fix(PatchStep::set(node, without))
        } else {
            report.help("copy the issuer from the cluster's description")
        });
    }
}

/// Entra's limit for issuer, subject and each audience.
const MAX: usize = 600;

fn spaces<'a>(cx: &Check<'a, Settings>, node: Node<'a>, text: &'a str) {
    let trimmed = text.trim();
    if trimmed.len() != text.len() {
        cx.report(
            Report::new(&SPACES, node, "the issuer has spaces around it, which block the exchange")
                .help("remove the spaces")
                .fix(PatchStep::set(node, trimmed)),
        );
    }
    if trimmed.contains(char::is_whitespace) {
        cx.report(Report::new(&SPACES, node, "the issuer has a space inside").help("remove the space"));
    }
}

fn no_url<'a>(cx: &Check<'a, Settings>, node: Node<'a>, text: &'a str) {
    let report = Report::new(&NOT_HTTPS, node, format!("the issuer `{text}` is no URL, but an absolute `https` URL is required"));
    let host = text.split(['/', ':']).next().unwrap_or("");
    let is_host = host.contains('.') && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-".contains(&byte));
    cx.report(if is_host && !text.contains("//") && !text.contains(char::is_whitespace) {
        report.help("put `https://` before it").fix(PatchStep::set(node, &format!("https://{text}")))
    } else {
        report.help("write the issuer exactly as the cluster's tokens carry it")
    });
}

fn discovery<'a>(cx: &Check<'a, Settings>, node: Node<'a>, text: &'a str, short: &'a str) {
    // Only AKS' issuers end in a slash.
    let issuer = if issuer::kind(text) == Kind::Aks { short } else { short.trim_end_matches('/') };
    cx.report(
        Report::new(&DISCOVERY, node, format!("`{text}` is a document of the issuer, not the issuer itself"))
            .help(format!("write `{issuer}`"))
            .fix(PatchStep::set(node, issuer)),
    );
}

/// `/id/<32 digits and upper-case letters>`.
fn is_eks_path(path: &str) -> bool {
    path.strip_prefix("/id/").is_some_and(|id| id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_digit() || byte.is_ascii_uppercase()))
}

#[cfg(test)]
mod tests {
    use super::is_eks_path;

    #[test]
    fn reads_eks_paths() {
        assert!(is_eks_path("/id/0123456789ABCDEF0123456789ABCDEF"));
        for path in
            ["/id/0123456789ABCDEF0123456789ABCDEF/", "/id/0123456789abcdef0123456789abcdef", "/id/", "/0123456789ABCDEF0123456789ABCDEF"]
        {
            assert!(!is_eks_path(path), "{path}");
        }
    }
}
