//! Environment variables that hold credentials.

use fedward_kit::finding::ObjectRef;
use fedward_kit::node::Node;
use fedward_kit::rule::Check;
use fedward_kit::text;
use fedward_kit::text::{any_matches, has};
use fedward_kit::workload::{Container, Pod};

use crate::cloud::Cloud;
use crate::settings::Settings;
use crate::stored;

/// What a variable is known for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Known {
    pub(crate) cloud: Cloud,
    /// Whether SDKs and tools take it before a workload identity.
    pub(crate) wins: bool,
}

/// Variables that SDKs and tools read credentials from. Azure: the SDKs' `EnvironmentCredential`, Terraform's `azurerm`, kubelogin, Azure
/// CLI, Azure Storage's tools, Azure Pipelines' agent; AWS: every SDK.
const KNOWN: [(&str, Cloud, bool); 19] = [
    ("AZURE_CLIENT_SECRET", Cloud::Azure, true),
    ("AZURE_CLIENT_CERTIFICATE_PATH", Cloud::Azure, true),
    ("AZURE_CLIENT_CERTIFICATE_PASSWORD", Cloud::Azure, true),
    ("AZURE_PASSWORD", Cloud::Azure, true),
    ("ARM_CLIENT_SECRET", Cloud::Azure, true),
    ("ARM_CLIENT_CERTIFICATE_PATH", Cloud::Azure, true),
    ("ARM_CLIENT_CERTIFICATE_PASSWORD", Cloud::Azure, true),
    ("AAD_SERVICE_PRINCIPAL_CLIENT_SECRET", Cloud::Azure, false),
    ("AAD_USER_PRINCIPAL_PASSWORD", Cloud::Azure, false),
    ("AZURE_STORAGE_KEY", Cloud::Azure, false),
    ("AZURE_STORAGE_CONNECTION_STRING", Cloud::Azure, false),
    ("AZURE_STORAGE_SAS_TOKEN", Cloud::Azure, false),
    ("AZURE_DEVOPS_EXT_PAT", Cloud::Azure, false),
    ("SYSTEM_ACCESSTOKEN", Cloud::Azure, false),
    ("ADO_PAT", Cloud::Azure, false),
    ("AZP_TOKEN", Cloud::Azure, false),
    ("AWS_SECRET_ACCESS_KEY", Cloud::Aws, true),
    ("AWS_ACCESS_KEY_ID", Cloud::Aws, true),
    ("AWS_SESSION_TOKEN", Cloud::Aws, true),
];

/// AWS' variables of one credential, the secret one first.
pub(crate) const AWS: [&str; 3] = ["AWS_SECRET_ACCESS_KEY", "AWS_ACCESS_KEY_ID", "AWS_SESSION_TOKEN"];

fn known(name: &str) -> Option<Known> {
    KNOWN.iter().find(|(known, ..)| *known == name).map(|(_, cloud, wins)| Known { cloud: *cloud, wins: *wins })
}

/// A variable of a container that holds a credential, or would.
#[derive(Clone)]
pub(crate) struct Variable<'a> {
    pub(crate) name: &'a str,
    /// `None` for those of the setting.
    pub(crate) known: Option<Known>,
    /// The entry of `env`, or of `envFrom`.
    pub(crate) entry: Node<'a>,
    /// Whether the entry is one of `env`, which can be removed alone.
    pub(crate) is_own: bool,
    /// Where it comes from, for messages.
    pub(crate) source: String,
    /// The name of the Secret that it comes from; empty where there is none.
    pub(crate) secret: &'a str,
    /// Why it may hold nothing.
    pub(crate) idle: Option<&'static str>,
}

/// How many variables of one `envFrom` entry are looked at: nobody reads more findings at one place.
const MAX_KEYS: usize = 20;

/// The credentials among a container's variables. `keys` remembers what each Secret and ConfigMap has.
pub(crate) fn variables<'a>(cx: &Check<'a, Settings>, pod: &Pod<'a>, container: Container<'a>, keys: &mut Keys<'a>) -> Vec<Variable<'a>> {
    let mut found: Vec<Variable<'a>> = Vec::new();
    for entry in container.node.get("env").items() {
        let Some(name) = entry.text("name") else { continue };
        let known = known(name);
        if known.is_none() && !any_matches(&cx.settings.extra_env_patterns, name) {
            continue;
        }
        found.extend(of_entry(cx, pod, entry).map(|(source, secret, idle)| Variable {
            name,
            known,
            entry,
            is_own: true,
            source,
            secret,
            idle,
        }));
    }
    for entry in container.node.get("envFrom").items() {
        found.extend(from_all(cx, pod, entry, keys));
    }
    found
}

type Origin<'a> = (String, &'a str, Option<&'static str>);

fn of_entry<'a>(cx: &Check<'a, Settings>, pod: &Pod<'a>, entry: Node<'a>) -> Option<Origin<'a>> {
    let from = entry.get("valueFrom");
    for (field, kind) in [("secretKeyRef", "Secret"), ("configMapKeyRef", "ConfigMap")] {
        let reference = from.get(field);
        if reference.is_absent() {
            continue;
        }
        let name = reference.text("name").unwrap_or("");
        let is_secret = kind == "Secret";
        if is_secret && cx.settings.allows_secret(pod.namespace, name) {
            return None;
        }
        let idle = (reference.get("optional").bool() == Some(true)).then_some("is optional");
        return Some((format!("from {kind} `{name}`"), if is_secret { name } else { "" }, idle));
    }
    if from.is_present() {
        return None;
    }
    let value = entry.get("value");
    if value.filled().is_some_and(stored::is_no_secret) {
        return None;
    }
    let idle = match value.filled().map(text::classify) {
        None => Some("is empty"),
        Some(text::Value::Plain) => None,
        Some(text::Value::Placeholder | text::Value::NotKnown) => Some("is still to be filled in"),
    };
    Some(("in plain text".to_owned(), "", idle))
}

/// Names of credentials among the keys of Secrets and ConfigMaps that were looked at, by kind and name.
#[derive(Default)]
pub(crate) struct Keys<'a>(Vec<(Source<'a>, Vec<&'a str>)>);

/// Kind, namespace, name, and the prefix of an `envFrom`.
type Source<'a> = (&'static str, &'a str, &'a str, &'a str);

/// How many Secrets and ConfigMaps of one object are looked at.
const MAX_SOURCES: usize = 200;

fn from_all<'a>(cx: &Check<'a, Settings>, pod: &Pod<'a>, entry: Node<'a>, keys: &mut Keys<'a>) -> Vec<Variable<'a>> {
    let prefix = entry.text("prefix").unwrap_or("");
    let references = [("Secret", entry.get("secretRef").get("name")), ("ConfigMap", entry.get("configMapRef").get("name"))];
    let Some((kind, name, node)) = references.into_iter().find_map(|(kind, node)| Some((kind, node.filled()?, node))) else {
        return Vec::new();
    };
    if kind == "Secret" && cx.settings.allows_secret(pod.namespace, name) {
        return Vec::new();
    }
    let source = (kind, pod.namespace, name, prefix);
    if !keys.0.iter().any(|(known, _)| *known == source) {
        if keys.0.len() >= MAX_SOURCES {
            return Vec::new();
        }
        keys.0.push((source, credentials(cx, pod, kind, node, prefix)));
    }
    let names = keys.0.iter().find(|(known, _)| *known == source).map(|(_, names)| names.as_slice());
    let variable = |variable: &&'a str| Variable {
        name: variable,
        known: known(variable),
        entry: node,
        is_own: false,
        source: format!("from {kind} `{name}`"),
        secret: if kind == "Secret" { name } else { "" },
        idle: None,
    };
    names.unwrap_or_default().iter().map(variable).collect()
}

fn credentials<'a>(cx: &Check<'a, Settings>, pod: &Pod<'a>, kind: &'static str, name: Node<'a>, prefix: &str) -> Vec<&'a str> {
    let text = name.peek_str().unwrap_or("");
    let object = if kind == "Secret" {
        stored::secret(cx, pod.namespace, text, name)
    } else {
        cx.context.get(ObjectRef { api_version: "v1", kind, namespace: pod.namespace, name: text }, name).found()
    };
    let Some(object) = object else { return Vec::new() };
    let mut found = Vec::new();
    for key in stored::keys(object) {
        let variable = name.session().text(&format!("{prefix}{key}"));
        let is_credential = known(variable).is_some() || any_matches(&cx.settings.extra_env_patterns, variable);
        if is_credential && !found.contains(&variable) && stored::is_plain(stored::value(object, key)) {
            found.push(variable);
            if found.len() == MAX_KEYS {
                break;
            }
        }
    }
    found
}

/// Whether a container's keys of AWS are for a store that only speaks AWS' protocol.
pub(crate) fn has_other_store(container: Container<'_>) -> bool {
    container.node.get("env").items().any(|entry| {
        let name = entry.peek_text("name").unwrap_or("");
        let is_endpoint = ["S3_ENDPOINT", "AWS_ENDPOINT", "AWS_S3_ENDPOINT"].iter().any(|start| name.starts_with(start));
        let is_of_aws = entry.peek_text("value").is_some_and(|value| has(value, "amazonaws.com"));
        is_endpoint && !is_of_aws || names_other_store(name)
    })
}

/// Whether a name is that of a store which speaks AWS' protocol.
pub(crate) fn names_other_store(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    ["minio", "ceph", "rook"].iter().any(|word| has(&name, word))
}
