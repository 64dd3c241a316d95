//! Reports repositories of Argo CD that send Azure's tokens to a host that is none of Azure's, or may do so.
//!
//! ## What it does
//! With `useAzureWorkloadIdentity: "true"` Argo CD sends a token to whatever host the repository's `url` names. Known hosts are
//! `dev.azure.com`, `*.visualstudio.com`, `*.azurecr.io`, `*.azurecr.us`, `*.azurecr.cn`, and those of the setting `extraAzureHosts`.
//!
//! * Another host is an error.
//! * A template of credentials applies to every repository whose address begins with its `url`. One that fixes no host (`https://`, or
//!   nothing at all) is an error; one that ends with the host is a warning, since `https://dev.azure.com` also begins
//!   `https://dev.azure.com.evil.example/x`; one for all organisations of `dev.azure.com` is a note.
//! * An address for SSH is a warning: no token is used there.
//!
//! Addresses that are not known, and those that are still to be filled in, are not judged.
//!
//! ## Why it is bad
//! The token is good for the whole of Azure DevOps, with all rights of the identity, for about an hour. For Helm, Argo CD hands a token of
//! Azure Resource Manager to the address that the registry itself names. Whoever runs the host can use it; so can whoever can add a
//! repository to a project.
//!
//! ## Example
//! ```yaml
//! metadata:
//!   labels:
//!     argocd.argoproj.io/secret-type: repo-creds
//! stringData:
//!   url: https://
//!   useAzureWorkloadIdentity: "true"
//! ```
//!
//! ## Use instead
//! ```yaml
//! metadata:
//!   labels:
//!     argocd.argoproj.io/secret-type: repo-creds
//! stringData:
//!   url: https://dev.azure.com/harbour/
//!   useAzureWorkloadIdentity: "true"
//! ```
//!
//! ## Settings
//! `extraAzureHosts`
//!
//! ## References
//! Argo CD: `util/git/creds.go` (`AzureWorkloadIdentityCreds`), `util/helm/creds.go`, `util/db/repository_secrets.go`.

use fedward_kit::rule::{Check, Condition, Report, Rule};

use crate::registered::{Address, FLAG, Known, Protocol, Repository};
use crate::settings::Settings;

const FOREIGN: Condition = Condition::error("foreign-host", "the host is none of Azure's");
const OPEN: Condition = Condition::error("no-host", "a template of credentials fixes no host");
const UNENDED: Condition = Condition::warning("unended-host", "a template of credentials ends with the host, without a slash");
const WHOLE: Condition = Condition::info("whole-host", "a template of credentials is for all organisations of Azure DevOps");
const SSH: Condition = Condition::warning("ssh", "the address is for SSH, where no token is used");

/// The rule.
pub const RULE: Rule<Settings> = Rule {
    id: "identity-token-to-foreign-host",
    summary: "Argo CD sends a token of Azure to a host that is none of Azure's, or may do so",
    conditions: &[FOREIGN, OPEN, UNENDED, WHOLE, SSH],
    supersedes: &[],
    check,
};

fn check(cx: &Check<'_, Settings>) {
    let Some(repository) = Repository::with_identity(cx).filter(|repository| repository.protocol != Protocol::Oci) else { return };
    let url = match repository.url {
        Known::Text(url) => url,
        Known::Absent if repository.is_template && cx.request.is_final => "",
        Known::Absent | Known::No => return,
    };
    let address = Address::of(url);
    // The flag counts for nothing there: `identity-flag-on-oci`.
    if repository.protocol == Protocol::Git && address.scheme.eq_ignore_ascii_case("oci") {
        return;
    }
    let help = "let the `url` begin with a host of Azure and its organisation, ended by a slash";
    let (condition, message, help) = if address.is_ssh {
        (&SSH, "an address for SSH has no use for a token of Azure", "write the address for HTTPS, or remove the flag")
    } else if repository.is_template && address.host.is_empty() {
        (&OPEN, "the template fixes no host: a token of Azure goes to every repository that it applies to", help)
    } else if address.host.is_empty() {
        return;
    } else if !address.is_azure(cx.settings) {
        (&FOREIGN, "the host is none of Azure's: it gets a token of Azure", "remove the flag, or list the host in `extraAzureHosts`")
    } else if !repository.is_template {
        return;
    } else if !address.ends_host {
        (&UNENDED, "the template also applies to longer names of hosts, which then get a token of Azure", "end the host with a slash")
    } else if address.path.is_empty() && address.host.eq_ignore_ascii_case("dev.azure.com") {
        (&WHOLE, "the template is for all organisations of Azure DevOps", "add the organisation, and a slash")
    } else {
        return;
    };
    cx.report(
        Report::new(condition, repository.secret.field("url"), message)
            .help(help)
            .related(repository.secret.field(FLAG), "the workload identity"),
    );
}
