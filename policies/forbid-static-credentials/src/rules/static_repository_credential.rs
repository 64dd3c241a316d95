//! Reports passwords and keys with which Argo CD signs in to repositories.
//!
//! ## What it does
//! Looks into Argo CD's Secrets of the types `repository`, `repo-creds`, `repository-write`, `repo-write-creds` and `scm-creds` for
//! `password`, `bearerToken`, `sshPrivateKey`, `tlsClientCertKey`, `githubAppPrivateKey`, `gcpServiceAccountKey` and
//! `azureServicePrincipalClientSecret`.
//!
//! It is an error for a repository of Azure (`dev.azure.com`, `*.visualstudio.com`, `*.azurecr.io`), to which Argo CD can sign in with a
//! workload identity. It is a warning for a repository or registry of AWS or Google Cloud, for a key of a service account or the secret of
//! a service principal whatever the host, and for a GitHub App if the settings forbid it. Everything else, such as a deploy key for a Git
//! host that knows no workload identity, is a note.
//!
//! A `username` alone is nothing, and a Secret with `useAzureWorkloadIdentity: "true"` is left alone: a credential beside it is a
//! contradiction, about which the policy for Argo CD's sign-in has its own rule. Encrypted values, and those of SealedSecrets and
//! ExternalSecrets, are not known, and values that are still to be filled in are nobody's credential.
//!
//! ## Why it is bad
//! A personal access token can do what its owner can, in every repository, until somebody notices. It is copied with the Secret, and it
//! has to be rotated by hand before it expires and the deployments stop.
//!
//! ## Example
//! ```yaml
//! kind: Secret
//! metadata:
//!   name: shop-repo
//!   namespace: argocd
//!   labels:
//!     argocd.argoproj.io/secret-type: repository
//! stringData:
//!   url: https://dev.azure.com/contoso-shop/shop/_git/shop
//!   password: …
//! ```
//!
//! ## Use instead
//! ```yaml
//! kind: Secret
//! metadata:
//!   name: shop-repo
//!   namespace: argocd
//!   labels:
//!     argocd.argoproj.io/secret-type: repository
//! stringData:
//!   url: https://dev.azure.com/contoso-shop/shop/_git/shop
//!   useAzureWorkloadIdentity: "true"
//! ```
//!
//! ## Settings
//! `allowedSecretNames`, `allowGithubApp`
//!
//! ## References
//! Argo CD: "Private Repositories" (Azure workload identity), `pkg/apis/application/v1alpha1/repository_types.go`.

use fedward_kit::node::Node;
use fedward_kit::rule::{Check, Condition, Report, Rule};
use fedward_kit::{secret, url};

use crate::cloud::Cloud;
use crate::registry;
use crate::settings::Settings;
use crate::stored;

const AZURE: Condition = Condition::error("azure", "the repository is one of Azure");
const CLOUD: Condition = Condition::warning("cloud", "the repository, or the credential, is one of a cloud");
const APP: Condition = Condition::warning("github-app", "the key of a GitHub App, where the settings do not allow it");
const OTHER: Condition = Condition::info("other", "the repository is one that knows no workload identity");

/// The rule.
pub const RULE: Rule<Settings> = Rule {
    id: "static-repository-credential",
    summary: "Argo CD signs in to a repository with a stored password or key",
    conditions: &[AZURE, CLOUD, APP, OTHER],
    supersedes: &[],
    check,
};

const TYPES: [&str; 5] = ["repository", "repo-creds", "repository-write", "repo-write-creds", "scm-creds"];
const APP_KEY: &str = "githubAppPrivateKey";
/// Credentials of a cloud, whatever the repository.
const CLOUD_KEYS: [&str; 2] = ["gcpServiceAccountKey", "azureServicePrincipalClientSecret"];
const KEYS: [&str; 7] = ["password", "bearerToken", "sshPrivateKey", "tlsClientCertKey", APP_KEY, CLOUD_KEYS[0], CLOUD_KEYS[1]];
/// What Go's `strconv.ParseBool` takes for true, as Argo CD does.
const TRUE: [&str; 6] = ["1", "t", "T", "TRUE", "true", "True"];

fn check<'a>(cx: &Check<'a, Settings>) {
    let Some(secret) = stored::secret_under(cx).filter(|secret| TYPES.contains(&secret::argocd_type(*secret))) else { return };
    if secret::value(secret, "useAzureWorkloadIdentity").peek_str().is_some_and(|flag| TRUE.contains(&flag)) {
        return;
    }
    let address = secret::value(secret, "url");
    let host = address.peek_str().map(host_of).unwrap_or_default();
    for key in KEYS {
        let value = secret::value(secret, key);
        if stored::is_plain(value) {
            report(cx, key, value, host);
        }
    }
}

fn report<'a>(cx: &Check<'a, Settings>, key: &str, value: Node<'a>, host: &str) {
    let cloud = cloud_of(host);
    let whom = if host.is_empty() { "repositories".to_owned() } else { format!("`{host}`") };
    let what = format!("Argo CD signs in to {whom} with the stored `{key}`");
    let report = if key == APP_KEY {
        if cx.settings.allow_github_app {
            return;
        }
        Report::new(&APP, value, format!("{what}, which the settings do not allow"))
    } else if cloud == Some(Cloud::Azure) {
        Report::new(&AZURE, value, what)
            .help("set `useAzureWorkloadIdentity: \"true\"` and give the repo server's service account a federated identity")
    } else if cloud.is_some() || CLOUD_KEYS.contains(&key) {
        Report::new(&CLOUD, value, what).help("let the repo server sign in with its workload identity, where the repository takes one")
    } else {
        Report::new(&OTHER, value, what).help("give it no more rights than to read, and an end")
    };
    cx.report(report.on_key());
}

/// The host of a repository's address: a URL, or Git's short form for SSH.
fn host_of(address: &str) -> &str {
    let rest = address.split_once("://").map_or(address, |(_, rest)| rest);
    match url::split(address) {
        Some(parts) => parts.host,
        None => {
            let authority = rest.split(['/', ':']).next().unwrap_or("");
            authority.rsplit_once('@').map_or(authority, |(_, host)| host)
        }
    }
}

/// The cloud whose repositories or registries a host has.
fn cloud_of(host: &str) -> Option<Cloud> {
    let lower = host.to_ascii_lowercase();
    let is_below = |domain: &str| lower.strip_suffix(domain).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
    if is_below("dev.azure.com") || is_below("visualstudio.com") {
        Some(Cloud::Azure)
    } else if lower.starts_with("git-codecommit.") && lower.contains(".amazonaws.com") {
        Some(Cloud::Aws)
    } else if lower == "source.developers.google.com" {
        Some(Cloud::Google)
    } else {
        registry::cloud_of(&lower)
    }
}

#[cfg(test)]
mod tests {
    use super::{Cloud, cloud_of, host_of};

    #[test]
    fn addresses_have_hosts_of_clouds() {
        let cloud = |address| cloud_of(host_of(address));
        for address in [
            "https://contoso@dev.azure.com/contoso/shop/_git/shop",
            "git@ssh.dev.azure.com:v3/contoso/shop/shop",
            "https://contoso.visualstudio.com/shop/_git/shop",
            "shop.azurecr.io/charts",
            "oci://shop.azurecr.us/charts",
        ] {
            assert_eq!(cloud(address), Some(Cloud::Azure), "{address}");
        }
        assert_eq!(cloud("https://git-codecommit.eu-west-1.amazonaws.com/v1/repos/shop"), Some(Cloud::Aws));
        assert_eq!(cloud("112233445566.dkr.ecr.eu-west-1.amazonaws.com"), Some(Cloud::Aws));
        assert_eq!(cloud("europe-docker.pkg.dev/shop"), Some(Cloud::Google));
        for address in
            ["https://git.example/shop", "git@git.example:shop", "https://dev.azure.com.evil.example/x", "https://notdev.azure.com.example"]
        {
            assert_eq!(cloud(address), None, "{address}");
        }
    }
}
