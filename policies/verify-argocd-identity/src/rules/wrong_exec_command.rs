//! Reports programs that Argo CD cannot run to sign in to a cluster, or should not.
//!
//! ## What it does
//! Looks at `execProviderConfig` of cluster Secrets:
//!
//! * `argocd-k8s-auth` speaks `client.authentication.k8s.io/v1beta1`, and nothing else: another `apiVersion` is an error.
//! * Its first argument is `aws`, `azure` or `gcp`: anything else is a warning.
//! * Other programs are not in Argo CD's image. Well-known ones (`kubelogin`, `aws`, `aws-iam-authenticator`, `gke-gcloud-auth-plugin`,
//!   `gcloud`) are a note, any other a warning.
//!
//! ## Why it is bad
//! The program runs in Argo CD's own pods, with its identity and its access to all clusters: whoever can write the Secret runs what they
//! like there.
//!
//! ## Example
//! ```yaml
//! stringData:
//!   config: |
//!     {"execProviderConfig": {"command": "argocd-k8s-auth", "args": ["azure"],
//!       "apiVersion": "client.authentication.k8s.io/v1"}}
//! ```
//!
//! ## Use instead
//! ```yaml
//! stringData:
//!   config: |
//!     {"execProviderConfig": {"command": "argocd-k8s-auth", "args": ["azure"],
//!       "apiVersion": "client.authentication.k8s.io/v1beta1"}}
//! ```
//!
//! ## References
//! Argo CD: "Declarative Setup" (clusters), `cmd/argocd-k8s-auth`; client-go: `plugin/pkg/client/auth/exec`.

use fedward_kit::rule::{Check, Condition, Report, Rule};

use crate::cluster::{Cluster, Login};
use crate::registered::{Known, known};
use crate::settings::Settings;

const VERSION: Condition = Condition::error("api-version", "`argocd-k8s-auth` with another version of the protocol");
const ARGUMENT: Condition = Condition::warning("argument", "`argocd-k8s-auth` with a cloud that it does not know");
const UNKNOWN: Condition = Condition::warning("unknown-program", "a program that nobody knows");
const OTHER: Condition = Condition::info("other-program", "a well-known program that is not in Argo CD's image");

/// The rule.
pub const RULE: Rule<Settings> = Rule {
    id: "wrong-exec-command",
    summary: "Argo CD runs a program to sign in to a cluster that it cannot run, or should not",
    conditions: &[VERSION, ARGUMENT, UNKNOWN, OTHER],
    supersedes: &[],
    check,
};

const RIGHT: &str = "client.authentication.k8s.io/v1beta1";
const WELL_KNOWN: [&str; 5] = ["kubelogin", "aws", "aws-iam-authenticator", "gke-gcloud-auth-plugin", "gcloud"];

fn check(cx: &Check<'_, Settings>) {
    let Some(config) = Cluster::under(cx).and_then(|cluster| cluster.config()) else { return };
    let Some(login) = Login::of(config) else { return };
    let command = login.exec.peek("command");
    if !login.is_own() {
        let Some(program) = login.program().filter(|program| !program.is_empty()) else { return };
        let help = "take `argocd-k8s-auth`, which signs in to Azure, AWS and Google Cloud with the workload identity";
        let report = match WELL_KNOWN.iter().find(|known| **known == program) {
            Some(known) => Report::new(&OTHER, command, format!("`{known}` is not in Argo CD's image: somebody has to put it there")),
            None => {
                Report::new(&UNKNOWN, command, "Argo CD runs a program of somebody's own, with its identity and its access to all clusters")
            }
        };
        return cx.report(report.help(help));
    }
    let version = login.exec.peek("apiVersion");
    let is_right = match known(version) {
        Known::Text(text) => text == RIGHT,
        Known::Absent => !cx.request.is_final,
        Known::No => true,
    };
    if !is_right {
        let what = if version.is_absent() { "there is no `apiVersion`" } else { "`apiVersion` is another one" };
        cx.report(
            Report::new(&VERSION, version, format!("`argocd-k8s-auth` speaks `{RIGHT}` only, and {what}")).help(format!("write `{RIGHT}`")),
        );
    }
    let cloud = login.cloud();
    // Arguments of another type have another rule.
    let is_known = match known(cloud) {
        Known::Text(text) => matches!(text, "aws" | "azure" | "gcp"),
        Known::Absent => !cx.request.is_final,
        Known::No => true,
    };
    if !is_known {
        cx.report(
            Report::new(&ARGUMENT, cloud, "the first argument of `argocd-k8s-auth` is no cloud that it knows")
                .help("write `azure`, `aws` or `gcp`"),
        );
    }
}
