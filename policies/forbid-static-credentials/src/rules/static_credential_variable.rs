//! Reports environment variables that hold long-lived credentials of a cloud.
//!
//! ## What it does
//! Looks at `env` and `envFrom` of every container for the variables that SDKs and tools read credentials from:
//!
//! * Azure: `AZURE_CLIENT_SECRET`, `AZURE_CLIENT_CERTIFICATE_PATH`, `AZURE_CLIENT_CERTIFICATE_PASSWORD`, `AZURE_PASSWORD`, the same of
//!   Terraform (`ARM_…`), kubelogin's `AAD_SERVICE_PRINCIPAL_CLIENT_SECRET` and `AAD_USER_PRINCIPAL_PASSWORD`, `AZURE_STORAGE_KEY`,
//!   `AZURE_STORAGE_CONNECTION_STRING`, `AZURE_STORAGE_SAS_TOKEN`, and personal access tokens of Azure DevOps (`AZURE_DEVOPS_EXT_PAT`,
//!   `SYSTEM_ACCESSTOKEN`, `ADO_PAT`, `AZP_TOKEN`);
//! * AWS: `AWS_SECRET_ACCESS_KEY`, `AWS_ACCESS_KEY_ID`, `AWS_SESSION_TOKEN`, reported together;
//! * those of the setting `extraEnvPatterns`.
//!
//! It is an error if the pod has a workload identity of the same cloud and the SDK takes the variable first. It is a warning if the pod
//! has none, if the variable is for something that the identity does not replace by itself (a storage key), if
//! `AZURE_TOKEN_CREDENTIALS` tells the SDK to use the workload identity alone, or if `skip-containers` keeps the webhook from the
//! container.
//!
//! It is a note if the variable is empty, its reference `optional`, or its value still to be filled in, and if AWS' keys stand beside the
//! endpoint of another store (`S3_ENDPOINT…`, `AWS_ENDPOINT_URL…`, MinIO, Ceph).
//!
//! What only names a secret is none: references of Bank-Vaults (`vault:path#key`), akv2k8s (`name@azurekeyvault`) and vals
//! (`ref+awsssm://path`). Nor is the account of Azure Storage's emulator (`UseDevelopmentStorage=true`).
//!
//! Which variables an `envFrom` brings is known from the ConfigMap that it names, and offline from the Secret: in a cluster the policy
//! reads no Secrets.
//!
//! ## Why it is bad
//! A secret in the environment is valid for months, is shown by whatever prints the environment, and has to be rotated by hand. Beside a
//! workload identity it also wins without a word: the credential chains of Azure and AWS try the environment first, so that the pod works
//! until the secret expires, as somebody else than its service account says.
//!
//! ## Example
//! ```yaml
//! kind: Pod
//! metadata:
//!   labels:
//!     azure.workload.identity/use: "true"
//! spec:
//!   serviceAccountName: billing
//!   containers:
//!     - name: billing
//!       env:
//!         - name: AZURE_CLIENT_SECRET
//!           valueFrom:
//!             secretKeyRef: {name: billing-login, key: client-secret}
//! ```
//!
//! ## Use instead
//! ```yaml
//! kind: Pod
//! metadata:
//!   labels:
//!     azure.workload.identity/use: "true"
//! spec:
//!   serviceAccountName: billing
//!   containers:
//!     - name: billing
//! ```
//!
//! ## Settings
//! `allowedSecretNames`, `extraEnvPatterns`
//!
//! ## References
//! Azure SDKs: `DefaultAzureCredential`, `AZURE_TOKEN_CREDENTIALS`; AWS SDKs and tools: standardized credential providers; Terraform's
//! `azurerm`: authenticating with a service principal and a client secret.

use std::cell::OnceCell;

use fedward_kit::finding::PatchStep;
use fedward_kit::identity::{AWS_SKIP, AZURE_SKIP, is_skipped};
use fedward_kit::node::Node;
use fedward_kit::order;
use fedward_kit::rule::{Check, Condition, Report, Rule};
use fedward_kit::workload::{Container, Pod};

use crate::cloud::{Cloud, Identities};
use crate::environment::{AWS, Keys, Variable, has_other_store, names_other_store, variables};
use crate::settings::Settings;

const SHADOWS: Condition =
    Condition::error("shadows-identity", "the pod has a workload identity of the same cloud, and the variable is used in its place");
const STORED: Condition =
    Condition::warning("stored", "the pod has no such identity, or the variable is not what keeps it from being used");
const IDLE: Condition = Condition::info("idle", "the variable may hold nothing, or keys of a store that is not AWS'");

/// The rule.
pub const RULE: Rule<Settings> = Rule {
    id: "static-credential-variable",
    summary: "an environment variable holds a long-lived credential of a cloud",
    conditions: &[SHADOWS, STORED, IDLE],
    supersedes: &[],
    check,
};

fn check<'a>(cx: &Check<'a, Settings>) {
    let mut keys = Keys::default();
    for pod in cx.pods().iter().filter(|pod| pod.node.foreign().is_none()) {
        let identities = Identities::new(pod);
        for container in &pod.containers {
            let found = variables(cx, pod, *container, &mut keys);
            if !found.is_empty() {
                container_with(cx, pod, *container, &identities, &found);
            }
        }
    }
}

fn container_with<'a>(
    cx: &Check<'a, Settings>,
    pod: &Pod<'a>,
    container: Container<'a>,
    identities: &Identities<'_, 'a>,
    found: &[Variable<'a>],
) {
    let around = Around { pod, container, identities, is_alone: OnceCell::new(), skips: OnceCell::new() };
    // The keys of AWS are one credential: reported at the first of its variables, the secret one before the others.
    let aws = AWS.iter().find_map(|name| found.iter().find(|variable| variable.name == *name));
    for variable in found {
        let is_aws = AWS.contains(&variable.name);
        if is_aws && aws.is_some_and(|first| !std::ptr::eq(first, variable)) {
            continue;
        }
        let rest = found.iter().filter(|other| is_aws && AWS.contains(&other.name) && !std::ptr::eq(*other, variable));
        report(cx, &around, variable, &rest.collect::<Vec<_>>());
    }
}

/// What stands around a variable.
struct Around<'p, 'a> {
    pod: &'p Pod<'a>,
    container: Container<'a>,
    identities: &'p Identities<'p, 'a>,
    /// Whether Azure's SDK is told to use nothing but the workload identity.
    is_alone: OnceCell<bool>,
    /// Whether the webhooks of Azure and of EKS leave the container alone.
    skips: OnceCell<(bool, bool)>,
}

impl<'a> Around<'_, 'a> {
    /// The identity that the variable is used in place of.
    fn shadowed(&self, cx: &Check<'a, Settings>, variable: &Variable<'a>) -> Option<Node<'a>> {
        let known = variable.known.filter(|known| known.wins)?;
        let (pod, container) = (self.pod, self.container);
        let (azure, aws) = *self.skips.get_or_init(|| (is_skipped(pod, AZURE_SKIP, container), is_skipped(pod, AWS_SKIP, container)));
        let is_alone = || {
            let told = |name| container.env(name).and_then(|entry| entry.get("value").peek_str());
            *self.is_alone.get_or_init(|| told("AZURE_TOKEN_CREDENTIALS").is_some_and(|word| word.eq_ignore_ascii_case(ALONE)))
        };
        let is_kept = match known.cloud {
            Cloud::Azure => azure || variable.name.starts_with("AZURE_") && is_alone(),
            Cloud::Aws => aws,
            Cloud::Google => false,
        };
        if is_kept { None } else { self.identities.of(cx, known.cloud) }
    }
}

/// The value of `AZURE_TOKEN_CREDENTIALS` with which nothing else is tried.
const ALONE: &str = "WorkloadIdentityCredential";

fn report<'a>(cx: &Check<'a, Settings>, around: &Around<'_, 'a>, variable: &Variable<'a>, rest: &[&Variable<'a>]) {
    let Variable { name, source, .. } = variable;
    let container = around.container.name;
    let what = match variable.known {
        Some(known) => format!("a credential of {}", known.cloud.name()),
        None => "a credential, as the settings say".to_owned(),
    };
    let what = format!("`{name}` of container `{container}` holds {what}, {source}");
    let is_for_other_store = AWS.contains(name) && (has_other_store(around.container) || names_other_store(variable.secret));
    let mut report = if let Some(why) = variable.idle {
        Report::new(&IDLE, variable.entry, format!("{what}: it {why}")).help("remove it, so that nothing fills it")
    } else if is_for_other_store {
        Report::new(&IDLE, variable.entry, format!("{what}, for a store that is not AWS'"))
    } else if let Some(identity) = around.shadowed(cx, variable).filter(|_| cx.request.is_final) {
        let report = Report::new(&SHADOWS, variable.entry, format!("{what}, and is used in place of the pod's workload identity"))
            .help("remove it: what the pod then signs in with is the identity")
            .related(identity, "what gives the pod its identity");
        if variable.is_own && rest.iter().all(|other| other.is_own) { report.fix(removal(variable, rest)) } else { report }
    } else {
        Report::new(&STORED, variable.entry, what).help("let the pod sign in with a workload identity instead")
    };
    for other in rest.iter().filter(|other| !other.entry.is_same(variable.entry)) {
        report = report.related(other.entry, "what belongs to it");
    }
    cx.report(report);
}

/// Removes the entries, the last one first, so that the places of the others stay.
fn removal<'a>(variable: &Variable<'a>, rest: &[&Variable<'a>]) -> Vec<PatchStep> {
    let mut entries: Vec<Node<'a>> = rest.iter().map(|other| other.entry).chain([variable.entry]).collect();
    let index = |entry: &Node<'_>| entry.key().parse::<usize>().unwrap_or(0);
    order::sort(&mut entries, &|one, other| index(other).cmp(&index(one)));
    entries.into_iter().flat_map(PatchStep::remove).collect()
}
