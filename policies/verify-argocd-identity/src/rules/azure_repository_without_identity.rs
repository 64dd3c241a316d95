//! Reports repositories of Azure for which Argo CD has neither its workload identity nor anything else to sign in with.
//!
//! ## What it does
//! Looks at Argo CD's Secrets for repositories at `dev.azure.com`, `*.visualstudio.com` and `*.azurecr.io` (and the registries of the
//! national clouds) that have no `useAzureWorkloadIdentity: "true"` and no credential. Templates of credentials (type `repo-creds`, or
//! `repo-write-creds`) count: one applies if the repository's address begins with its `url`, letter case aside. It is a warning where such
//! templates are among the files and none applies, and a note where none was seen. A `username` alone counts as a credential for Argo CD,
//! which then applies no template: that is a warning, too.
//!
//! Templates themselves are reported without looking further. In a cluster repositories are not: the policy does not read Secrets there.
//!
//! ## Why it is bad
//! Argo CD asks for the repository without signing in, and Azure answers 401 or 203, unless the project or registry is public. A slip in
//! the address is enough: `https://harbour@dev.azure.com/harbour` does not begin with `https://dev.azure.com/harbour`.
//!
//! ## Example
//! ```yaml
//! metadata:
//!   labels:
//!     argocd.argoproj.io/secret-type: repository
//! stringData:
//!   url: https://dev.azure.com/harbour/shop/_git/shop
//! ```
//!
//! ## Use instead
//! ```yaml
//! metadata:
//!   labels:
//!     argocd.argoproj.io/secret-type: repository
//! stringData:
//!   url: https://dev.azure.com/harbour/shop/_git/shop
//!   useAzureWorkloadIdentity: "true"
//! ```
//!
//! ## References
//! Argo CD: "Private Repositories" (Azure workload identity); `util/db/repository_secrets.go` (`getRepositoryCredentialIndex`),
//! `pkg/apis/application/v1alpha1/repository_types.go` (`HasCredentials`).

use fedward_kit::context::List;
use fedward_kit::finding::PatchStep;
use fedward_kit::index;
use fedward_kit::rule::{Check, Condition, Report, Rule};

use crate::credentials;
use crate::registered::{Address, FLAG, Flag, Known, Protocol, Registered, Repository};
use crate::settings::Settings;

const NO_TEMPLATE: Condition = Condition::warning("no-credential", "it has none, and none of the templates that were seen applies");
const NOT_SEEN: Condition = Condition::info("no-template-seen", "it has none, and no template was seen");
const USERNAME: Condition = Condition::warning("username-only", "it has a user name only, so that no template applies");

/// The rule.
pub const RULE: Rule<Settings> = Rule {
    id: "azure-repository-without-identity",
    summary: "Argo CD has nothing to sign in to a repository of Azure with",
    conditions: &[NO_TEMPLATE, NOT_SEEN, USERNAME],
    supersedes: &[],
    check,
};

fn check(cx: &Check<'_, Settings>) {
    let Some(repository) = Repository::under(cx).filter(|repository| repository.flag == Flag::Off && cx.request.is_final) else { return };
    let Some(url) = repository.url.text() else { return };
    let address = Address::of(url);
    if !address.is_azure(cx.settings) || address.is_ssh || credentials::any(&repository.secret) {
        return;
    }
    let (condition, message) = if repository.is_template {
        (&NO_TEMPLATE, "the template has nothing to sign in to Azure with")
    } else {
        let templates = index::argocd_templates(cx.context, cx.object);
        match applies(&repository, url, templates) {
            None => return,
            Some(_) if repository.secret.has("username") => (
                &USERNAME,
                "the repository of Azure has a `username` and nothing to prove it with; no template of credentials applies then",
            ),
            Some(condition) => (condition, "Argo CD has nothing to sign in to this repository of Azure with"),
        }
    };
    let report = Report::new(condition, repository.secret.field("url"), message)
        .help("set `useAzureWorkloadIdentity: \"true\"`, here or in a template whose `url` the address begins with");
    // Argo CD does not heed the flag for OCI artifacts, and what base64 says is not written by hand.
    let is_easy = repository.protocol != Protocol::Oci && repository.secret.value("url").is_verbatim();
    let is_free = repository.secret.fields(FLAG).is_empty();
    cx.report(if is_easy && is_free { report.fix(PatchStep::set(repository.secret.value(FLAG), "true")) } else { report });
}

/// Which condition holds; `None` where a template applies, or may.
fn applies(repository: &Repository<'_>, url: &str, templates: Option<List<'_>>) -> Option<&'static Condition> {
    let list = templates?;
    let of = if repository.secret.secret_type().contains("write") { "repo-write-creds" } else { "repo-creds" };
    let mut seen = false;
    for template in list.items.iter().filter_map(|object| Registered::of(*object)).filter(|template| template.secret_type() == of) {
        seen = true;
        let may_apply = match template.known("url") {
            Known::Text(prefix) => normal(url).starts_with(&normal(prefix)),
            Known::Absent | Known::No => true,
        };
        // A user name alone keeps all templates away.
        if may_apply && !repository.secret.has("username") {
            return None;
        }
    }
    if repository.secret.has("username") || (seen || list.complete) && list.more == 0 { Some(&NO_TEMPLATE) } else { Some(&NOT_SEEN) }
}

/// An address as Argo CD compares it with a template's: `git.NormalizeGitURL`, as far as it matters to HTTPS.
fn normal(url: &str) -> String {
    let lower = url.trim().to_ascii_lowercase();
    lower.strip_suffix(".git").unwrap_or(&lower).to_owned()
}
