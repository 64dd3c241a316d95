//! Reports clusters of Argo CD with two ways to sign in, of which only one counts.
//!
//! ## What it does
//! In the `config` of a cluster Secret `awsAuthConfig` wins over `execProviderConfig`, and both over `bearerToken` and over `username` with
//! `password`. Whatever loses is a warning. That a token or password is stored at all is the business of the policy
//! `forbid-static-credentials`.
//!
//! ## Why it is bad
//! What loses is never used, never missed, and rarely rotated, but whoever reads the Secret can use it. And who reads the first of two
//! ways takes it for the one that counts.
//!
//! ## Example
//! ```yaml
//! stringData:
//!   config: |
//!     {"awsAuthConfig": {"clusterName": "shop"},
//!      "execProviderConfig": {"command": "argocd-k8s-auth", "args": ["aws", "--cluster-name", "shop"]}}
//! ```
//!
//! ## Use instead
//! ```yaml
//! stringData:
//!   config: |
//!     {"awsAuthConfig": {"clusterName": "shop"}}
//! ```
//!
//! ## References
//! Argo CD: `pkg/apis/application/v1alpha1/types.go` (`RawRestConfig`).

use fedward_kit::node::Node;
use fedward_kit::rule::{Check, Condition, Report, Rule};

use crate::cluster::Cluster;
use crate::registered::{Known, known};
use crate::settings::Settings;

const DEAD: Condition = Condition::warning("never-used", "another way to sign in wins");

/// The rule.
pub const RULE: Rule<Settings> = Rule {
    id: "two-cluster-logins",
    summary: "a cluster has two ways to sign in, of which only one counts",
    conditions: &[DEAD],
    supersedes: &[],
    check,
};

fn check(cx: &Check<'_, Settings>) {
    let Some(config) = Cluster::under(cx).and_then(|cluster| cluster.config()) else { return };
    let (aws, exec) = (config.peek("awsAuthConfig"), config.peek("execProviderConfig"));
    let Some(winner) = [aws, exec].into_iter().find(|node| node.is_present()) else { return };
    let is_set = |node: Node<'_>| !matches!(known(node), Known::Absent | Known::Text(""));
    let beaten_exec = Some(exec).filter(|_| aws.is_present() && exec.is_present());
    let stored = ["bearerToken", "password"].map(|field| config.peek(field)).into_iter().filter(|node| is_set(*node));
    for loser in beaten_exec.into_iter().chain(stored) {
        cx.report(
            Report::new(&DEAD, loser, format!("`{}` is never used: `{}` wins", loser.key(), winner.key()))
                .help(format!("remove `{}`", loser.key()))
                .related(winner, "what wins")
                .on_key(),
        );
    }
}
