//! Reports repositories of Argo CD that send Azure's tokens without TLS, or without checking whom they reach.
//!
//! ## What it does
//! With `useAzureWorkloadIdentity: "true"`, an address that begins with `http://` is an error, and so are `insecure: "true"` and, for Git,
//! `insecureIgnoreHostKey: "true"`, which both turn the check of certificates off. Templates of credentials have no such keys.
//!
//! ## Why it is bad
//! Whoever can listen, or answer in the host's place, gets the token, and with it everything that the identity may do.
//!
//! ## Example
//! ```yaml
//! stringData:
//!   url: https://dev.azure.com/harbour/shop/_git/shop
//!   useAzureWorkloadIdentity: "true"
//!   insecure: "true"
//! ```
//!
//! ## Use instead
//! ```yaml
//! stringData:
//!   url: https://dev.azure.com/harbour/shop/_git/shop
//!   useAzureWorkloadIdentity: "true"
//! ```
//!
//! ## References
//! Argo CD: `pkg/apis/application/v1alpha1/repository_types.go` (`IsInsecure`, `GetHelmCreds`), `util/db/repository_secrets.go`.

use fedward_kit::finding::PatchStep;
use fedward_kit::rule::{Check, Condition, Report, Rule};

use crate::registered::{Address, FLAG, Protocol, Repository};
use crate::settings::Settings;

const HTTP: Condition = Condition::error("http", "the address begins with `http://`");
const UNCHECKED: Condition = Condition::error("unchecked", "certificates are not checked");

/// The rule.
pub const RULE: Rule<Settings> = Rule {
    id: "identity-token-without-tls",
    summary: "Argo CD sends a token of Azure without TLS, or without checking whom it reaches",
    conditions: &[HTTP, UNCHECKED],
    supersedes: &[],
    check,
};

fn check(cx: &Check<'_, Settings>) {
    let Some(repository) = Repository::with_identity(cx).filter(|repository| repository.protocol != Protocol::Oci) else { return };
    let secret = &repository.secret;
    if repository.url.text().is_some_and(|url| Address::of(url).scheme.eq_ignore_ascii_case("http")) {
        cx.report(
            Report::new(&HTTP, secret.field("url"), "a token of Azure is sent without TLS")
                .help("let the address begin with `https://`")
                .related(secret.field(FLAG), "the workload identity"),
        );
    }
    let keys: &[&'static str] = if repository.protocol == Protocol::Helm { &["insecure"] } else { &["insecure", "insecureIgnoreHostKey"] };
    for key in keys.iter().filter(|key| !repository.is_template && repository.is_true(key)) {
        cx.report(
            Report::new(
                &UNCHECKED,
                secret.field(key),
                format!("`{key}` turns the check of certificates off, and a token of Azure is sent"),
            )
            .help(format!("remove `{key}`; for a certificate of your own add its authority to `argocd-tls-certs-cm`"))
            .related(secret.field(FLAG), "the workload identity")
            .on_key()
            .fix(secret.fields(key).into_iter().flat_map(PatchStep::remove).collect()),
        );
    }
}
