//! Reports clusters in which Argo CD's identity may deploy anything, anywhere.
//!
//! ## What it does
//! A cluster Secret that signs in with an identity (`awsAuthConfig`, or a program) and has neither `namespaces` nor `project` is noted. It
//! is never more than a note: what the identity may do is decided in that cluster.
//!
//! ## Why it is bad
//! Argo CD then watches all namespaces, which needs rights in all of them, and every project may deploy there.
//!
//! ## Example
//! ```yaml
//! stringData:
//!   name: shop
//!   server: https://shop-4x7q.hcp.westeurope.azmk8s.io
//! ```
//!
//! ## Use instead
//! ```yaml
//! stringData:
//!   name: shop
//!   server: https://shop-4x7q.hcp.westeurope.azmk8s.io
//!   namespaces: shop,shop-jobs
//!   project: shop
//! ```
//!
//! ## References
//! Argo CD: "Declarative Setup" (clusters: `namespaces`, `clusterResources`, `project`).

use fedward_kit::rule::{Check, Condition, Report, Rule};

use crate::cluster::Cluster;
use crate::settings::Settings;

const WHOLE: Condition = Condition::info("no-limit", "neither `namespaces` nor `project` limits it");

/// The rule.
pub const RULE: Rule<Settings> = Rule {
    id: "whole-cluster-scope",
    summary: "Argo CD's identity may deploy anything, anywhere in a cluster",
    conditions: &[WHOLE],
    supersedes: &[],
    check,
};

fn check(cx: &Check<'_, Settings>) {
    let Some(cluster) = Cluster::under(cx).filter(|cluster| cx.request.is_final && !cluster.is_local()) else { return };
    let Some(config) = cluster.config() else { return };
    let signs_in = config.peek("awsAuthConfig").is_present() || config.peek("execProviderConfig").is_present();
    if signs_in && !cluster.secret.has("namespaces") && !cluster.secret.has("project") {
        cx.report(
            Report::new(&WHOLE, cluster.secret.field("server"), "every project may deploy to all namespaces of the cluster")
                .help("list the namespaces in `namespaces`, or name the `project` that the cluster is for"),
        );
    }
}
