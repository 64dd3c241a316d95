//! Reports the `config` of Argo CD's clusters where Argo CD cannot read it, or reads something else than people do.
//!
//! ## What it does
//! The key `config` of a cluster Secret is JSON. It is an error if a field has another type than Argo CD expects (`env` has to be a map
//! of strings, `insecure` a boolean without quotes), and if there is no `config` although the cluster is not the one that Argo CD runs in.
//! A field that stands twice is a warning, since the last one wins; it is an error if it decides about the identity and both differ.
//!
//! JSON that does not parse at all is an error in a cluster. Offline, `unparsable-embedded-document` shows where it breaks.
//!
//! Values that are encrypted or come from elsewhere, and texts with template expressions, are not known. The finding lies in the JSON where
//! it stands in `stringData`, and on the key where it stands in `data`.
//!
//! ## Why it is bad
//! Argo CD drops the whole configuration over one mistake, and the cluster gets no deployments any more.
//!
//! ## Example
//! ```yaml
//! stringData:
//!   config: |
//!     {"execProviderConfig": {"command": "argocd-k8s-auth", "args": ["azure"],
//!       "apiVersion": "client.authentication.k8s.io/v1beta1",
//!       "env": [{"name": "AAD_LOGIN_METHOD", "value": "workloadidentity"}]}}
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
//! Argo CD: "Declarative Setup" (clusters); `pkg/apis/application/v1alpha1/types.go` (`ClusterConfig`), `util/db/cluster.go`.

use std::collections::BTreeMap;

use fedward_kit::node::{Format, Node};
use fedward_kit::rule::{Check, Condition, Report, Rule};
use fedward_kit::value::Value;

use crate::cluster::Cluster;
use crate::registered::Known;
use crate::settings::Settings;

const NOT_JSON: Condition = Condition::error("not-json", "it is not JSON; reported in a cluster only");
const MISSING: Condition = Condition::error("missing", "a cluster elsewhere has none");
const TYPE: Condition = Condition::error("wrong-type", "a field has another type than Argo CD expects");
const TWICE: Condition = Condition::warning("twice", "a field stands twice");
const IDENTITY: Condition = Condition::error("identity-twice", "a field that decides about the identity stands twice, and both differ");

/// The rule.
pub const RULE: Rule<Settings> = Rule {
    id: "wrong-cluster-config",
    summary: "Argo CD cannot read the configuration of a cluster, or reads something else than people do",
    conditions: &[NOT_JSON, MISSING, TYPE, TWICE, IDENTITY],
    supersedes: &[],
    check,
};

/// What a field has to be.
#[derive(Clone, Copy)]
enum Is {
    Text,
    Boolean,
    Texts,
    TextMap,
    Map,
}

/// The fields that Argo CD reads, by the map that they stand in; the first one is the document itself.
const FIELDS: [(&str, &[(&str, Is)]); 4] = [
    (
        "",
        &[
            ("username", Is::Text),
            ("password", Is::Text),
            ("bearerToken", Is::Text),
            ("tlsClientConfig", Is::Map),
            ("awsAuthConfig", Is::Map),
            ("execProviderConfig", Is::Map),
            ("disableCompression", Is::Boolean),
            ("proxyUrl", Is::Text),
        ],
    ),
    (
        "tlsClientConfig",
        &[("insecure", Is::Boolean), ("serverName", Is::Text), ("caData", Is::Text), ("certData", Is::Text), ("keyData", Is::Text)],
    ),
    ("awsAuthConfig", &[("clusterName", Is::Text), ("roleARN", Is::Text), ("profile", Is::Text)]),
    (
        "execProviderConfig",
        &[("command", Is::Text), ("args", Is::Texts), ("env", Is::TextMap), ("apiVersion", Is::Text), ("installHint", Is::Text)],
    ),
];

fn check(cx: &Check<'_, Settings>) {
    let Some(cluster) = Cluster::under(cx) else { return };
    let text = cluster.secret.value("config");
    let is_empty = cluster.secret.known("config") == Known::Absent || text.peek_str().is_some_and(|text| text.trim().is_empty());
    if is_empty {
        if cluster.server.text().is_some() && !cluster.is_local() && cx.request.is_final {
            let message = "the cluster has no `config`: Argo CD has nothing to sign in with";
            cx.report(Report::new(&MISSING, cluster.secret.field("config"), message).help("say how to sign in: `execProviderConfig`"));
        }
        return;
    }
    let Some(config) = cluster.config() else {
        let is_known = text.peek_str().is_some_and(|text| !text.contains("{{"));
        if is_known && !cx.context.indexed && text.open(Format::Json).is_err() {
            let help = "it is read as strict JSON: no comments, no trailing commas, double quotes only";
            cx.report(Report::new(&NOT_JSON, cluster.secret.field("config"), "`config` is not JSON").help(help));
        }
        return;
    };
    if !is_map(config) {
        return wrong_type(cx, config, "a map");
    }
    for (holder, fields) in FIELDS {
        let map = if holder.is_empty() { config } else { config.peek(holder) };
        for (name, is) in fields {
            check_type(cx, map.peek(name), *is);
        }
    }
    check_twice(cx, config, 0);
}

fn check_type<'a>(cx: &Check<'a, Settings>, node: Node<'a>, is: Is) {
    let is_text = |node: Node<'a>| node.is_absent() || node.peek_str().is_some();
    match (is, node.value()) {
        (_, None | Some(Value::Null))
        | (Is::Text, Some(Value::Str(_)))
        | (Is::Boolean, Some(Value::Bool(_)))
        | (Is::Map, Some(Value::Map(_))) => {}
        (Is::Texts, Some(Value::Seq(_))) => {
            node.peek_items().filter(|item| !is_text(*item)).for_each(|item| wrong_type(cx, item, "a string"))
        }
        (Is::TextMap, Some(Value::Map(_))) => {
            node.peek_entries().filter(|(_, value)| !is_text(*value)).for_each(|(_, value)| wrong_type(cx, value, "a string"));
        }
        (is, Some(_)) => wrong_type(
            cx,
            node,
            match is {
                Is::Text => "a string",
                Is::Boolean => "a boolean without quotes",
                Is::Texts => "a list of strings",
                Is::TextMap => "a map of strings",
                Is::Map => "a map",
            },
        ),
    }
}

fn wrong_type<'a>(cx: &Check<'a, Settings>, node: Node<'a>, expected: &str) {
    let found = node.value().map_or("nothing", Value::type_name);
    let key = node.key();
    let what = match node.parent() {
        None => "the document".to_owned(),
        Some(list) if matches!(list.value(), Some(Value::Seq(_))) => format!("an element of `{}`", list.key()),
        Some(_) => format!("`{key}`"),
    };
    cx.report(
        Report::new(&TYPE, node, format!("{what} is {found}, but {expected} is required: Argo CD refuses the whole `config`"))
            .help("see the fields of a cluster's `config` in Argo CD's page on declarative set-ups"),
    );
}

/// Fields that decide who signs in, and how.
const IDENTITY_FIELDS: [&str; 14] = [
    "AAD_LOGIN_METHOD",
    "AAD_ENVIRONMENT_NAME",
    "AAD_SERVER_APPLICATION_ID",
    "AZURE_AUTHORITY_HOST",
    "AZURE_CLIENT_ID",
    "AZURE_FEDERATED_TOKEN_FILE",
    "AZURE_TENANT_ID",
    "command",
    "args",
    "roleARN",
    "clusterName",
    "insecure",
    "caData",
    "execProviderConfig",
];

/// How deep maps may hold maps: deeper ones are none of Argo CD's.
const MAX_DEPTH: usize = 4;

fn check_twice<'a>(cx: &Check<'a, Settings>, map: Node<'a>, depth: usize) {
    let mut seen: BTreeMap<&str, Node<'a>> = BTreeMap::new();
    for (key, value) in map.peek_entries() {
        if let Some(first) = seen.insert(key, value) {
            let differs = first.value() != value.value();
            let condition = if differs && IDENTITY_FIELDS.contains(&key) { &IDENTITY } else { &TWICE };
            let differ = if differs { ", with another value" } else { "" };
            cx.report(
                Report::new(condition, value, format!("`{key}` stands twice{differ}; the last one counts"))
                    .help("keep one of them")
                    .on_key(),
            );
        }
        if is_map(value) && depth < MAX_DEPTH {
            check_twice(cx, value, depth + 1);
        }
    }
}

fn is_map(node: Node<'_>) -> bool {
    matches!(node.value(), Some(Value::Map(_)))
}
