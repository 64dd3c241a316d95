//! Reports controllers that are told to sign in to a cloud with a stored credential.
//!
//! ## What it does
//! | object | what is reported |
//! |---|---|
//! | External Secrets: `SecretStore`, `ClusterSecretStore` | `azurekv` with `authSecretRef`, or `authType: ServicePrincipal`; `auth.secretRef` of `aws` and `gcpsm` |
//! | External Secrets: generators | `auth.secretRef` of `ECRAuthorizationToken` and `GCRAccessToken`, `auth.servicePrincipal` of `ACRAccessToken` |
//! | Cluster API | `AzureClusterIdentity` of type `ServicePrincipal`, `ManualServicePrincipal` or `ServicePrincipalCertificate`; `AWSClusterStaticIdentity` |
//! | Azure Service Operator | the Secrets `aso-credential` and `aso-controller-settings` with `AZURE_CLIENT_SECRET` or `AZURE_CLIENT_CERTIFICATE` |
//! | Crossplane: providers of AWS, Azure and Google Cloud | `credentials.source: Secret` |
//! | KEDA: `TriggerAuthentication`, `ClusterTriggerAuthentication` | `secretTargetRef` with AWS' keys, `GoogleApplicationCredentials`, or `activeDirectoryClientPassword`; `connection`, which may be one of Azure, is a note |
//! | cert-manager: `Issuer`, `ClusterIssuer` | `azureDNS.clientSecretSecretRef`, `route53.secretAccessKeySecretRef`, `cloudDNS.serviceAccountSecretRef` |
//! | Secrets Store CSI driver | `nodePublishSecretRef` of a pod's volume; `useVMManagedIdentity` of a `SecretProviderClass` is a note |
//! | Argo Workflows: workflows, and ConfigMaps with artifact repositories | `accountKeySecret` (`azure`) and `accessKeySecret` (`s3`) without `useSDKCreds`, `serviceAccountKeySecret` (`gcs`) |
//! | Argo Events: `EventSource`, `Sensor` | keys of AWS, shared access keys and connection strings of Azure, `credentialSecret` of Google Cloud |
//!
//! `s3` with the endpoint of another store than AWS' is left alone: such a store has no workload identity.
//!
//! ## Why it is bad
//! A controller's credential is often the strongest of a cluster: it reads every secret, or makes and deletes what runs outside. Each of
//! these controllers can sign in with the token of a service account.
//!
//! ## Example
//! ```yaml
//! kind: SecretStore
//! metadata:
//!   name: vault
//! spec:
//!   provider:
//!     azurekv:
//!       authType: ServicePrincipal
//!       authSecretRef:
//!         clientId: {name: vault-login, key: id}
//!         clientSecret: {name: vault-login, key: secret}
//! ```
//!
//! ## Use instead
//! ```yaml
//! kind: SecretStore
//! metadata:
//!   name: vault
//! spec:
//!   provider:
//!     azurekv:
//!       authType: WorkloadIdentity
//!       serviceAccountRef:
//!         name: vault-reader
//! ```
//!
//! ## Settings
//! `allowedSecretNames`
//!
//! ## References
//! The reference of each controller's API.

use fedward_kit::node::{Format, Node};
use fedward_kit::request::group_of;
use fedward_kit::rule::{Check, Condition, Report, Rule};
use fedward_kit::text::has;
use fedward_kit::value::Value;

use crate::settings::Settings;
use crate::stored;

const STORED: Condition = Condition::warning("stored", "a controller signs in to a cloud with a stored credential");
const UNCLEAR: Condition = Condition::info("unclear", "it may be one of a cloud, or is the identity of the node");

/// The rule.
pub const RULE: Rule<Settings> = Rule {
    id: "static-controller-credential",
    summary: "a controller signs in to a cloud with a stored credential",
    conditions: &[STORED, UNCLEAR],
    supersedes: &[],
    check,
};

fn check<'a>(cx: &Check<'a, Settings>) {
    let (group, kind, spec) = (cx.request.group, cx.request.kind, cx.object.peek("spec"));
    match (group, kind) {
        ("", "Secret") => operator_secret(cx),
        ("", "ConfigMap") => artifact_repositories(cx),
        ("external-secrets.io", "SecretStore" | "ClusterSecretStore") => secret_store(cx, spec.get("provider")),
        ("generators.external-secrets.io", "ECRAuthorizationToken" | "GCRAccessToken") => stored(cx, spec.get("auth").get("secretRef")),
        ("generators.external-secrets.io", "ACRAccessToken") => stored(cx, spec.get("auth").get("servicePrincipal")),
        ("infrastructure.cluster.x-k8s.io", "AzureClusterIdentity") => cluster_identity(cx, spec),
        ("infrastructure.cluster.x-k8s.io", "AWSClusterStaticIdentity") => stored(cx, spec.get("secretRef")),
        (_, "ProviderConfig" | "ClusterProviderConfig") if is_provider_of_cloud(group) => provider(cx, spec),
        ("keda.sh", "TriggerAuthentication" | "ClusterTriggerAuthentication") => triggers(cx, spec),
        ("cert-manager.io", "Issuer" | "ClusterIssuer") => solvers(cx, spec),
        ("secrets-store.csi.x-k8s.io", "SecretProviderClass") => node_identity(cx, spec.get("parameters").get("useVMManagedIdentity")),
        ("argoproj.io", "EventSource") => event_sources(cx, spec),
        ("argoproj.io", "Sensor") => sensor(cx, spec),
        _ => {}
    }
    if group == "argoproj.io" && kind.contains("Workflow") {
        artifacts(cx, cx.object, 0);
    }
    csi_volumes(cx);
}

/// Reports a field that refers to a stored credential, if it is there and the settings do not accept what it names.
fn stored<'a>(cx: &Check<'a, Settings>, node: Node<'a>) {
    if node.is_present() && !is_allowed(cx, node) {
        let key = node.key();
        cx.report(
            Report::new(&STORED, node, format!("`{key}` has the controller sign in to a cloud with a stored credential"))
                .help(HELP)
                .on_key(),
        );
    }
}

const HELP: &str = "let the controller sign in with a workload identity instead";

/// Whether a reference names an accepted Secret: as a name alone, itself, or in the first of its fields.
fn is_allowed<'a>(cx: &Check<'a, Settings>, node: Node<'a>) -> bool {
    if cx.settings.allowed_secret_names.is_empty() {
        return false;
    }
    if let Some(name) = node.peek_str() {
        return cx.settings.allows_secret(cx.request.namespace, name);
    }
    let inner = node.peek_entries().map(|(_, value)| value);
    let name = std::iter::once(node).chain(inner).find_map(|node| Some((node, node.peek_text("name")?)));
    name.is_some_and(|(node, name)| {
        let namespace = node.peek_text("namespace").unwrap_or(cx.request.namespace);
        cx.settings.allows_secret(namespace, name)
    })
}

fn secret_store<'a>(cx: &Check<'a, Settings>, provider: Node<'a>) {
    let azure = provider.get("azurekv");
    let (kind, reference) = (azure.get("authType"), azure.get("authSecretRef"));
    match kind.str() {
        // The default is a service principal.
        None | Some("ServicePrincipal") if reference.is_present() => stored(cx, reference),
        Some("ServicePrincipal") => named(cx, kind),
        _ => {}
    }
    for name in ["aws", "gcpsm"] {
        stored(cx, provider.get(name).get("auth").get("secretRef"));
    }
}

/// Reports a field whose value names the way to sign in.
fn named<'a>(cx: &Check<'a, Settings>, node: Node<'a>) {
    let message = format!(
        "`{}` is `{}`, which has the controller sign in to a cloud with a stored credential",
        node.key(),
        node.peek_str().unwrap_or("")
    );
    cx.report(Report::new(&STORED, node, message).help(HELP));
}

fn cluster_identity<'a>(cx: &Check<'a, Settings>, spec: Node<'a>) {
    let kind = spec.get("type");
    let is_static =
        kind.str().is_some_and(|kind| matches!(kind, "ServicePrincipal" | "ManualServicePrincipal" | "ServicePrincipalCertificate"));
    if is_static && !is_allowed(cx, spec.get("clientSecret")) {
        named(cx, kind);
    }
}

/// Whether a Crossplane provider is one of a cloud with workload identity.
fn is_provider_of_cloud(group: &str) -> bool {
    let Some((name, rest)) = group.split_once('.') else { return false };
    matches!(name, "aws" | "azure" | "azuread" | "gcp")
        && matches!(rest, "upbound.io" | "m.upbound.io" | "crossplane.io" | "jet.crossplane.io")
}

fn provider<'a>(cx: &Check<'a, Settings>, spec: Node<'a>) {
    let credentials = spec.get("credentials");
    let source = credentials.get("source");
    if source.str() == Some("Secret") && !is_allowed(cx, credentials) {
        named(cx, source);
    }
}

/// KEDA's names for credentials of clouds.
const TRIGGERS: [&str; 5] =
    ["awsAccessKeyID", "awsSecretAccessKey", "awsSessionToken", "GoogleApplicationCredentials", "activeDirectoryClientPassword"];

fn triggers<'a>(cx: &Check<'a, Settings>, spec: Node<'a>) {
    // One credential of AWS has several parts.
    let mut has_aws = false;
    for entry in spec.get("secretTargetRef").items() {
        let parameter = entry.get("parameter");
        let Some(name) = parameter.str().filter(|_| !cx.settings.allows_secret(cx.request.namespace, entry.text("name").unwrap_or("")))
        else {
            continue;
        };
        if TRIGGERS.contains(&name) {
            let is_aws = name.starts_with("aws");
            if !(is_aws && std::mem::replace(&mut has_aws, true)) {
                let message = format!("KEDA signs in to the cloud with a stored `{name}`");
                cx.report(Report::new(&STORED, parameter, message).help("set `podIdentity` instead"));
            }
        } else if name == "connection" {
            let message = "KEDA signs in with a stored connection string, which may be one of Azure";
            cx.report(Report::new(&UNCLEAR, parameter, message).help("if it is, set `podIdentity` instead"));
        }
    }
}

fn solvers<'a>(cx: &Check<'a, Settings>, spec: Node<'a>) {
    for solver in spec.get("acme").get("solvers").items() {
        let dns = solver.get("dns01");
        for (name, field) in
            [("azureDNS", "clientSecretSecretRef"), ("route53", "secretAccessKeySecretRef"), ("cloudDNS", "serviceAccountSecretRef")]
        {
            stored(cx, dns.get(name).get(field));
        }
    }
}

fn node_identity<'a>(cx: &Check<'a, Settings>, switch: Node<'a>) {
    if switch.peek_str() == Some("true") {
        let message = "`useVMManagedIdentity` signs in with the identity of the node, which every pod there has";
        cx.report(Report::new(&UNCLEAR, switch, message).help("set `clientID`, so that each pod signs in with its own identity"));
    }
}

fn csi_volumes<'a>(cx: &Check<'a, Settings>) {
    for pod in cx.pods().iter().filter(|pod| pod.node.foreign().is_none()) {
        for volume in &pod.volumes {
            let csi = volume.get("csi");
            if csi.text("driver") == Some("secrets-store.csi.k8s.io") {
                stored(cx, csi.get("nodePublishSecretRef"));
            }
        }
    }
}

/// Secrets of Azure Service Operator.
fn operator_secret(cx: &Check<'_, Settings>) {
    if !matches!(cx.request.name, "aso-credential" | "aso-controller-settings") {
        return;
    }
    let Some(secret) = stored::secret_under(cx) else { return };
    for key in ["AZURE_CLIENT_SECRET", "AZURE_CLIENT_CERTIFICATE"] {
        let value = stored::value(secret, key);
        if stored::is_plain(value) {
            let message = format!("Azure Service Operator signs in with the stored `{key}`");
            cx.report(Report::new(&STORED, value, message).help("set `USE_WORKLOAD_IDENTITY_AUTH: \"true\"` instead").on_key());
        }
    }
}

/// What every text with a stored credential of an artifact repository has.
const KEY_SECRETS: [&str; 3] = ["accessKeySecret", "accountKeySecret", "serviceAccountKeySecret"];

/// Artifact repositories stand in ConfigMaps as YAML.
fn artifact_repositories<'a>(cx: &Check<'a, Settings>) {
    for (_, value) in cx.object.peek("data").peek_entries() {
        let may_have = value.peek_str().is_some_and(|text| KEY_SECRETS.iter().any(|word| has(text, word)));
        if may_have && let Ok(text) = value.open(Format::Yaml) {
            artifacts(cx, text, 0);
        }
    }
}

/// How deep an artifact may lie.
const MAX_DEPTH: usize = 24;

/// Artifacts stand in many places of a workflow, and are told by their fields.
fn artifacts<'a>(cx: &Check<'a, Settings>, node: Node<'a>, depth: usize) {
    if depth > MAX_DEPTH {
        return;
    }
    for (key, value) in node.peek_entries() {
        let secret = match key {
            "s3" if is_of_aws(value.peek("endpoint")) => "accessKeySecret",
            "azure" => "accountKeySecret",
            "gcs" => "serviceAccountKeySecret",
            _ => {
                artifacts(cx, value, depth + 1);
                continue;
            }
        };
        if value.peek("useSDKCreds").value() != Some(&Value::Bool(true)) {
            stored(cx, value.peek(secret));
        }
    }
    for item in node.peek_items() {
        artifacts(cx, item, depth + 1);
    }
}

/// Whether an endpoint of S3 is AWS' own, which is what no endpoint means.
fn is_of_aws(endpoint: Node<'_>) -> bool {
    endpoint.peek_str().is_none_or(|host| host.is_empty() || has(host, "amazonaws.com"))
}

/// Where Argo Events takes credentials of clouds from: in each event source of a kind.
const EVENTS: [(&str, &str); 6] = [
    ("azureEventsHub", "sharedAccessKey"),
    ("azureServiceBus", "connectionString"),
    ("azureQueueStorage", "connectionString"),
    ("sqs", "accessKey"),
    ("sns", "accessKey"),
    ("pubSub", "credentialSecret"),
];

fn event_sources<'a>(cx: &Check<'a, Settings>, spec: Node<'a>) {
    for (kind, field) in EVENTS {
        for (_, source) in spec.get(kind).entries() {
            if is_of_aws(source.peek("endpoint")) {
                stored(cx, source.get(field));
            }
        }
    }
}

fn sensor<'a>(cx: &Check<'a, Settings>, spec: Node<'a>) {
    for trigger in spec.get("triggers").items() {
        let template = trigger.get("template");
        for (kind, field) in [("awsLambda", "accessKey"), ("azureEventHubs", "sharedAccessKey"), ("azureServiceBus", "connectionString")] {
            stored(cx, template.get(kind).get(field));
        }
        // Workflows that the sensor submits.
        for kind in ["k8s", "argoWorkflow"] {
            let resource = template.get(kind).get("source").get("resource");
            let is_workflow = resource.peek_text("apiVersion").is_some_and(|version| group_of(version) == "argoproj.io");
            if is_workflow {
                artifacts(cx, resource, 0);
            }
        }
    }
}
