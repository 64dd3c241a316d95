//! Reports AKS issuers in federated credentials that are not written exactly as AKS' tokens carry them.
//!
//! ## What it does
//! The issuer of an AKS cluster is `https://<region>.oic.prod-aks.azure.com/<tenant>/<id>/`, in older clusters
//! `https://oidc.prod-aks.azure.com/<id>/`, and in other clouds the same with `.us` or `.cn`. All of it is in lower case, and **the
//! slash at the end belongs to it**. Azure compares issuers letter by letter.
//!
//! Azure Red Hat OpenShift (`https://<region>.oic.aro.azure.com/<tenant>/<id>`, without a slash) is another issuer and is left alone.
//!
//! ## Why it is bad
//! A credential with a slightly different issuer is accepted and never matches a token: sign-in fails with `AADSTS700211`. The missing
//! slash is the most common cause.
//!
//! ## Example
//! ```yaml
//! issuer: https://westeurope.oic.prod-aks.azure.com/3c1f0b52-8a4e-4b8e-9d0e-5f6a7b8c9d01/9b2d4c6e-1f3a-4d5b-8c7e-0a1b2c3d4e5f
//! ```
//!
//! ## Use instead
//! ```yaml
//! issuer: https://westeurope.oic.prod-aks.azure.com/3c1f0b52-8a4e-4b8e-9d0e-5f6a7b8c9d01/9b2d4c6e-1f3a-4d5b-8c7e-0a1b2c3d4e5f/
//! ```
//!
//! ## References
//! Azure/azure-workload-identity, troubleshooting ("the most common cause is … missing the trailing /"); AKS documentation, "Create an
//! OpenID Connect provider".

use fedward_kit::finding::PatchStep;
use fedward_kit::rule::{Check, Condition, Report, Rule};
use fedward_kit::text::is_guid;
use fedward_kit::trust::Credential;
use fedward_kit::url;

use crate::settings::Settings;
use crate::trusted;

const NO_SLASH: Condition = Condition::error("no-slash", "the slash at the end is missing");
const HOST: Condition = Condition::error("host", "the host is not quite one of AKS");
const PATH: Condition = Condition::error("path", "the path is not one or two GUIDs");
const LETTER_CASE: Condition = Condition::error("letter-case", "some letters are in upper case");

/// The rule.
pub const RULE: Rule<Settings> = Rule {
    id: "wrong-aks-issuer",
    summary: "an AKS issuer is not written as AKS' tokens carry it",
    conditions: &[NO_SLASH, HOST, PATH, LETTER_CASE],
    supersedes: &[],
    check,
};

fn check(cx: &Check<'_, Settings>) {
    let Some(credential) = Credential::of(cx.object) else { return };
    let Some(node) = credential.issuer_in(cx.context, cx.request.namespace) else { return };
    let Some(text) = trusted::plain(node).map(str::trim) else { return };
    let Some(parts) = url::split(text) else { return };
    let host = parts.host.to_ascii_lowercase();
    // A user name in a URL, and the password that may follow it, are `unusable-issuer`'s matter.
    if !host.contains("prod-aks") || !parts.user_info.is_empty() {
        return;
    }
    if !is_aks_host(&host) {
        // `<region>.oidc.` and `oic.` without a region: the two hosts' names mixed up.
        let meant = match host.split_once(".oidc.") {
            Some((region, rest)) => format!("{region}.oic.{rest}"),
            None => format!("oidc.{}", host.strip_prefix("oic.").unwrap_or("")),
        };
        let report = Report::new(&HOST, node, format!("`{}` is not a host of AKS issuers", parts.host));
        cx.report(if is_aks_host(&meant) {
            report.help(format!("write `{meant}`")).fix(PatchStep::set(node, &text.replacen(parts.host, &meant, 1)))
        } else {
            report.help("copy the issuer from the cluster: `<region>.oic.prod-aks.azure.com`, or `.us` or `.cn` in other clouds")
        });
        return;
    }
    if !parts.tail.is_empty() || parts.path.contains("/.well-known/") || parts.path.ends_with("/openid/v1/jwks") {
        return;
    }
    let (path, has_slash) = parts.path.strip_suffix('/').map_or((parts.path, false), |path| (path, true));
    let ids: Vec<&str> = path.split('/').skip(1).collect();
    if !matches!(ids.len(), 1 | 2) || !ids.iter().all(|id| is_guid(id)) {
        cx.report(
            Report::new(&PATH, node, format!("the path of the AKS issuer `{text}` is not `/<tenant>/<id>/` with two GUIDs"))
                .help("copy the issuer from the cluster (`oidcIssuerProfile.issuerUrl`)"),
        );
        return;
    }
    if !has_slash {
        cx.report(
            Report::new(&NO_SLASH, node, format!("the AKS issuer `{text}` lacks the slash at its end, which is a part of it"))
                .help(format!("write `{text}/`"))
                .fix(PatchStep::set(node, &format!("{text}/"))),
        );
    }
    if text.bytes().any(|byte| byte.is_ascii_uppercase()) {
        cx.report(
            Report::new(&LETTER_CASE, node, format!("the AKS issuer `{text}` has upper-case letters, but AKS writes it in lower case"))
                .help("write it in lower case: Azure compares issuers letter by letter")
                .fix(PatchStep::set(node, &text.to_ascii_lowercase())),
        );
    }
}

/// `oidc.prod-aks.azure.<cloud>` or `<region>.oic.prod-aks.azure.<cloud>`.
fn is_aks_host(host: &str) -> bool {
    let Some(name) = ["com", "us", "cn"].iter().find_map(|cloud| host.strip_suffix(cloud)?.strip_suffix(".prod-aks.azure.")) else {
        return false;
    };
    let is_region = |region: &str| !region.is_empty() && region.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    name == "oidc" || name.strip_suffix(".oic").is_some_and(is_region)
}

#[cfg(test)]
mod tests {
    use super::is_aks_host;

    #[test]
    fn knows_aks_hosts() {
        for host in ["oidc.prod-aks.azure.com", "westeurope.oic.prod-aks.azure.com", "chinanorth2.oic.prod-aks.azure.cn"] {
            assert!(is_aks_host(host), "{host}");
        }
        for host in ["oic.prod-aks.azure.com", "westeurope.oidc.prod-aks.azure.com", "prod-aks.azure.com", "a.b.oic.prod-aks.azure.com"] {
            assert!(!is_aks_host(host), "{host}");
        }
    }
}
