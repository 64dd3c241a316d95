//! Reports clusters of Azure to which Argo CD signs in with something else than its workload identity.
//!
//! ## What it does
//! Looks at cluster Secrets of Argo CD that run `argocd-k8s-auth azure`. Its variable `AAD_LOGIN_METHOD` is `workloadidentity` if it is not
//! set. `spn`, `ropc` and `devicecode` are errors: a stored secret, a password, a person with a browser. Everything else, such as `msi`
//! (the identity of the node) and `azurecli`, is a warning.
//!
//! ## Why it is bad
//! A secret expires, and can be copied. The identity of the node belongs to every pod there. Nobody answers a device code in a
//! controller's log.
//!
//! ## Example
//! ```yaml
//! stringData:
//!   config: |
//!     {"execProviderConfig": {"command": "argocd-k8s-auth", "args": ["azure"],
//!       "apiVersion": "client.authentication.k8s.io/v1beta1",
//!       "env": {"AAD_LOGIN_METHOD": "spn"}}}
//! ```
//!
//! ## Use instead
//! ```yaml
//! stringData:
//!   config: |
//!     {"execProviderConfig": {"command": "argocd-k8s-auth", "args": ["azure"],
//!       "apiVersion": "client.authentication.k8s.io/v1beta1",
//!       "env": {"AAD_LOGIN_METHOD": "workloadidentity"}}}
//! ```
//!
//! ## References
//! Argo CD: "Declarative Setup" (AKS); `cmd/argocd-k8s-auth/commands/azure_cgo.go`; kubelogin: login modes.

use fedward_kit::rule::{Check, Condition, Report, Rule};

use crate::cluster::{Cluster, Login};
use crate::registered::known;
use crate::settings::Settings;

const STORED: Condition = Condition::error("stored-or-asked", "a stored secret, a password, or somebody who is asked");
const OTHER: Condition = Condition::warning("other-method", "any other way to sign in, such as the identity of the node");

/// The rule.
pub const RULE: Rule<Settings> = Rule {
    id: "cluster-login-without-identity",
    summary: "Argo CD signs in to a cluster of Azure with something else than its workload identity",
    conditions: &[STORED, OTHER],
    supersedes: &[],
    check,
};

const METHOD: &str = "AAD_LOGIN_METHOD";
const RIGHT: &str = "workloadidentity";

fn check(cx: &Check<'_, Settings>) {
    let Some(config) = Cluster::under(cx).and_then(|cluster| cluster.config()) else { return };
    let Some(login) = Login::of(config).filter(Login::is_azure) else { return };
    let method = login.env.peek(METHOD);
    let Some(text) = known(method).text().filter(|text| *text != RIGHT && !text.is_empty()) else { return };
    let (condition, what) = match text {
        "spn" => (&STORED, "signs in with the stored secret of a service principal"),
        "ropc" => (&STORED, "signs in with a person's password"),
        "devicecode" => (&STORED, "asks a person to sign in, and nobody is there"),
        "msi" => (&OTHER, "signs in with the identity of the node"),
        "azurecli" => (&OTHER, "signs in as whoever has signed in to the command line"),
        _ => (&OTHER, "does not sign in with the workload identity"),
    };
    let help = format!("write `{RIGHT}`, with the client and the tenant of the identity");
    cx.report(Report::new(condition, method, format!("`{METHOD}` {what}")).help(help));
}
