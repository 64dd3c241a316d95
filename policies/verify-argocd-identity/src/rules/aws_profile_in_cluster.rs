//! Reports clusters of Argo CD that name a profile of AWS.
//!
//! ## What it does
//! `awsAuthConfig.profile` in the `config` of a cluster Secret is a warning. Whether `roleARN` is the ARN of a role is checked by
//! `wrong-aws-identity`.
//!
//! ## Why it is bad
//! A profile stands in a file of keys that somebody has to mount into Argo CD's pods. With a role on their service accounts (IAM roles for
//! service accounts, or EKS Pod Identity) there is nothing to store.
//!
//! ## Example
//! ```yaml
//! stringData:
//!   config: |
//!     {"awsAuthConfig": {"clusterName": "shop", "profile": "/mount/aws"}}
//! ```
//!
//! ## Use instead
//! ```yaml
//! stringData:
//!   config: |
//!     {"awsAuthConfig": {"clusterName": "shop", "roleARN": "arn:aws:iam::111122223333:role/shop-deployer"}}
//! ```
//!
//! ## References
//! Argo CD: "Declarative Setup" (EKS).

use fedward_kit::rule::{Check, Condition, Report, Rule};

use crate::cluster::Cluster;
use crate::registered::{Known, known};
use crate::settings::Settings;

const PROFILE: Condition = Condition::warning("profile", "a profile is named");

/// The rule.
pub const RULE: Rule<Settings> = Rule {
    id: "aws-profile-in-cluster",
    summary: "Argo CD signs in to a cluster with a profile of AWS",
    conditions: &[PROFILE],
    supersedes: &[],
    check,
};

fn check(cx: &Check<'_, Settings>) {
    let Some(config) = Cluster::under(cx).and_then(|cluster| cluster.config()) else { return };
    let profile = config.peek("awsAuthConfig").peek("profile");
    if !matches!(known(profile), Known::Absent | Known::Text("")) {
        cx.report(
            Report::new(&PROFILE, profile, "a profile of AWS comes from a file of keys")
                .help("give the service accounts of Argo CD a role, and name the cluster's in `roleARN`")
                .on_key(),
        );
    }
}
