//! Reports Secrets that hold a token of a service account.
//!
//! ## What it does
//! A Secret of type `kubernetes.io/service-account-token` is a warning. It is an error if the account is bound to `cluster-admin` in the
//! whole cluster (a warning again for the base of a kustomization that something patches).
//!
//! Argo needs such Secrets since Kubernetes 1.24: one called `<account>.service-account-token`, and one that the account names in its
//! annotation `workflows.argoproj.io/service-account-token.name`, are a note.
//!
//! ## Why it is bad
//! The token never expires, and deleting the Secret is the only way to take it back. Whoever reads Secrets of the namespace is the
//! account, and if the account is federated, its cloud identity as well where a cloud accepts the API server's audience. Tokens that
//! pods mount, or that `kubectl create token` prints, last an hour and end with their pod.
//!
//! ## Example
//! ```yaml
//! kind: Secret
//! type: kubernetes.io/service-account-token
//! metadata:
//!   name: deployer-token
//!   annotations:
//!     kubernetes.io/service-account.name: deployer
//! ```
//!
//! ## Use instead
//! ```yaml
//! kind: Pod
//! spec:
//!   serviceAccountName: deployer
//!   volumes:
//!     - name: token
//!       projected:
//!         sources:
//!           - serviceAccountToken:
//!               audience: deliveries
//!               path: token
//! ```
//!
//! ## Settings
//! `allowedSecretNames`
//!
//! ## References
//! Kubernetes: "Managing Service Accounts" (long-lived API tokens), "Configure Service Accounts for Pods"; Argo Workflows: "Service
//! Account Secrets".

use fedward_kit::identity::{self, Provider};
use fedward_kit::index;
use fedward_kit::rule::{Check, Condition, Report, Rule};

use crate::settings::Settings;
use crate::stored;

const ADMIN: Condition = Condition::error("cluster-admin", "the account is bound to cluster-admin in the whole cluster");
const STORED: Condition = Condition::warning("stored", "any other account");
const ARGO: Condition = Condition::info("argo", "Argo needs the Secret");

/// The rule.
pub const RULE: Rule<Settings> = Rule {
    id: "long-lived-account-token",
    summary: "a Secret holds a token of a service account that never expires",
    conditions: &[ADMIN, STORED, ARGO],
    supersedes: &[],
    check,
};

const ACCOUNT: &str = "kubernetes.io/service-account.name";
const ARGO_NAME: &str = "workflows.argoproj.io/service-account-token.name";

fn check<'a>(cx: &Check<'a, Settings>) {
    let Some(secret) = stored::secret_under(cx) else { return };
    let kind = secret.get("type");
    if kind.str() != Some("kubernetes.io/service-account-token") {
        return;
    }
    let owner = secret.get("metadata").get("annotations").get(ACCOUNT);
    let Some(name) = owner.filled() else { return };
    let namespace = cx.request.namespace;
    let what = format!("the Secret holds a token of service account `{name}` that never expires");
    let account = identity::account(cx.context, namespace, name, owner).found();
    let argo = account.map(|account| account.annotation(ARGO_NAME)).filter(|named| named.filled() == Some(cx.request.name));
    if argo.is_some() || cx.request.name.strip_suffix(".service-account-token") == Some(name) {
        let report = Report::new(&ARGO, kind, format!("{what}; Argo needs it"));
        cx.report(match argo {
            Some(named) => report.related(named, "what names it"),
            None => report,
        });
        return;
    }
    let binding = index::cluster_admin_bindings(cx.context, namespace, name, owner).and_then(|list| list.items.into_iter().next());
    let report = if let Some(binding) = binding {
        let condition = if cx.request.is_final { &ADMIN } else { &STORED };
        Report::new(condition, kind, format!("{what}, and the account is bound to `cluster-admin`"))
            .related(binding.get("roleRef").get("name"), "the binding")
    } else {
        let federation = || identity::federation(cx.context, cx.common, namespace, name, owner);
        match federation().into_iter().find(|(provider, _)| *provider != Provider::ArgoSso) {
            Some((provider, mark)) => {
                Report::new(&STORED, kind, format!("{what}, and the account signs in to a cloud ({})", provider.name()))
                    .related(mark, "what says so")
            }
            None => Report::new(&STORED, kind, what),
        }
    };
    cx.report(
        report.help("let what uses it ask for tokens that expire: a projected volume, `kubectl create token`, or the TokenRequest API"),
    );
}
