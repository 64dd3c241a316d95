//! The Helm chart of `deploy/kubewarden/chart`: its generated files, and the objects that its templates have to come to.
//!
//! [`objects`] says in code what the templates say in Helm's language. It is what the tests judge, on every machine; where `helm` is
//! installed they hold the templates to it, and `cargo xtask ci-extended` requires that.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, anyhow};
use serde_json::{Map, Value, json};

use crate::deploy::{CUSTOM, SECRETS, audited_resources, split};
use crate::files::{Generated, MARK};
use crate::manifest::{ByGroup, looked_at};
use crate::origin::{Origin, RELEASE};
use crate::package::Package;
use crate::yaml;

/// Where the chart is.
pub const FOLDER: &str = "deploy/kubewarden/chart";
const NAME: &str = "fedward-policies";

/// The chart's generated files.
///
/// # Errors
/// None in practice: lists of text become JSON.
pub fn generate(packages: &[Package]) -> Result<Vec<Generated>> {
    let chart = json!({
        "apiVersion": "v2",
        "name": NAME,
        "description": "fedward's Kubewarden policies on workload identity federation",
        "type": "application",
        "version": RELEASE.0,
        "appVersion": RELEASE.0,
        "home": Origin::default().source_url,
    });
    let policies: Map<String, Value> =
        packages.iter().map(|package| Ok((package.id().to_owned(), policy(package)?))).collect::<Result<_>>()?;
    let (chart, schema) = (yaml::write(&chart), format!("{:#}", schema(packages)));
    let schema = schema.strip_prefix('{').unwrap_or(&schema);
    Ok(vec![
        Generated { path: format!("{FOLDER}/Chart.yaml"), text: format!("# {MARK}.\n{chart}") },
        Generated {
            path: format!("{FOLDER}/values.schema.json"),
            text: format!("{{ \"$comment\": \"{MARK} from crates/artifacts/src/chart.rs and the policies' settings.\",{schema}\n"),
        },
        Generated {
            path: format!("{FOLDER}/files/policies.json"),
            text: format!("{:#}\n", json!({ "comment": format!("{MARK} from the policies' metadata."), "policies": policies })),
        },
    ])
}

/// What the templates are told of a policy.
fn policy(package: &Package) -> Result<Value> {
    let metadata = &package.metadata;
    let (core, custom) = split(&metadata.rules);
    let audited = audited_resources(&metadata.rules);
    let by_group = |groups: &ByGroup<'_>| -> Vec<Value> {
        groups.iter().map(|(group, names)| json!({ "apiGroups": [group], "resources": names })).collect()
    };
    let mut audit = audited.clone();
    audit.values_mut().for_each(|names| _ = names.remove(SECRETS));
    let rules: Vec<&str> = package.builtin.policy.describe().rules.iter().map(|rule| rule.id).collect();
    Ok(json!({
        "annotations": {
            "io.kubewarden.policy.category": metadata.annotation("io.kubewarden.policy.category"),
            "io.kubewarden.policy.severity": metadata.annotation("io.kubewarden.policy.severity"),
        },
        // What a module can do only counts where its settings have it do so: the chart judges.
        "mutating": false,
        "rules": { "core": serde_json::to_value(core)?, "custom": serde_json::to_value(custom)? },
        "contextAwareResources": serde_json::to_value(&metadata.context_aware_resources)?,
        "access": by_group(&looked_at(&metadata.context_aware_resources)),
        "audit": by_group(&audit),
        "auditsSecrets": audited.values().any(|names| names.contains(SECRETS)),
        "ruleIds": rules,
    }))
}

/// The schema of the chart's values. Helm holds what people set to it, and so do the tests.
fn schema(packages: &[Package]) -> Value {
    let closed = |properties: Value| json!({ "type": "object", "additionalProperties": false, "properties": properties });
    let settings = |package: &Package| -> Map<String, Value> {
        let fields = package.builtin.policy.describe().settings;
        let mut schema = fedward_kit::settings::schema(package.id(), &fields);
        relax(&mut schema);
        schema.get("properties").and_then(Value::as_object).cloned().unwrap_or_default()
    };
    let mut policies = Map::new();
    for package in packages.iter().filter(|package| !package.is_suite()) {
        let own = json!({ "enabled": { "type": "boolean" }, "settings": closed(settings(package).into()) });
        policies.insert(package.id().to_owned(), closed(own));
    }
    let mut common = packages.iter().find(|package| package.is_suite()).map(settings).unwrap_or_default();
    common.remove("policies");
    let name = json!({ "type": "string", "pattern": "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$" });
    let mut schema = closed(json!({
        "use": { "enum": ["suite", "policies"] },
        "mode": { "enum": ["audit", "monitor", "protect"] },
        "module": closed(json!({
            "registry": { "type": "string", "pattern": "^[A-Za-z0-9.-]+(:[0-9]+)?(/[a-z0-9]+([._-]+[a-z0-9]+)*)*$" },
            "tag": { "type": "string", "pattern": "^([A-Za-z0-9_][A-Za-z0-9._-]{0,127})?$" },
        })),
        "policyServer": name,
        "nameSuffix": { "type": "string", "pattern": "^(-[a-z0-9]([-a-z0-9]*[a-z0-9])?)?$" },
        "failurePolicy": { "enum": ["", "Fail", "Ignore"] },
        "timeoutSeconds": { "type": "integer", "minimum": 1, "maximum": 30 },
        "namespaceSelector": { "type": "object" },
        "absentGroups": { "type": "array", "items": { "type": "string", "minLength": 1 } },
        "audit": closed(json!({ "enabled": { "type": "boolean" }, "secrets": { "type": "boolean" } })),
        "access": closed(json!({
            "create": { "type": "boolean" }, "namespace": name, "policyServer": name, "auditScanner": name,
        })),
        "settings": closed(common.into()),
        "policies": closed(policies.into()),
        // Helm's own.
        "global": { "type": "object" },
    }));
    if let Some(fields) = schema.as_object_mut() {
        fields.insert("$schema".to_owned(), "http://json-schema.org/draft-07/schema#".into());
        fields.insert("title".to_owned(), format!("Values of {NAME}").into());
    }
    schema
}

/// An unquoted `off` is `false` for Helm, and the policies take that for `off`.
fn relax(schema: &mut Value) {
    match schema {
        Value::Object(fields) => {
            if let Some(Value::Array(words)) = fields.get_mut("enum")
                && words.iter().any(|word| word == "off")
            {
                words.push(false.into());
            }
            fields.values_mut().for_each(relax);
        }
        Value::Array(items) => items.iter_mut().for_each(relax),
        _ => {}
    }
}

/// The chart's values, with those of somebody over them, as Helm puts them together: maps entry by entry, anything else as a whole.
///
/// # Errors
/// Values that are not YAML.
pub fn values(root: &Path, own: &str) -> Result<Value> {
    let path = root.join(FOLDER).join("values.yaml");
    let text = fs::read_to_string(&path).with_context(|| format!("cannot read `{}`", path.display()))?;
    let mut values: Value = fedward_engine::from_yaml(&text).map_err(|error| anyhow!(error))?;
    let own: Value = fedward_engine::from_yaml(own).map_err(|error| anyhow!(error))?;
    merge(&mut values, &own);
    Ok(values)
}

fn merge(into: &mut Value, from: &Value) {
    match (into, from) {
        (Value::Object(into), Value::Object(from)) => {
            for (key, value) in from {
                merge(into.entry(key.clone()).or_insert(Value::Null), value);
            }
        }
        (into, from) => *into = from.clone(),
    }
}

/// What the chart comes to with complete values.
///
/// # Errors
/// Values that the schema refuses.
pub fn objects(packages: &[Package], values: &Value) -> Result<Vec<Value>> {
    let text = |pointer: &str| values.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    let is = |pointer: &str| values.pointer(pointer) == Some(&true.into());
    let mut found = Vec::new();
    let chosen = chosen(packages, values)?;
    for (package, settings) in &chosen {
        let known = policy(package)?;
        for part in ["core", "custom"] {
            let rules = present(known.pointer(&format!("/rules/{part}")), values);
            if rules.is_empty() {
                continue;
            }
            let mode = text("/mode");
            let failure = if mode == "protect" { "Fail" } else { "Ignore" };
            let tag = if text("/module/tag").is_empty() { format!("v{}", RELEASE.0) } else { text("/module/tag").to_owned() };
            let mut spec = json!({
                "module": format!("registry://{}/{}:{tag}", text("/module/registry"), package.id()),
                "policyServer": text("/policyServer"),
                "mode": if mode == "protect" { "protect" } else { "monitor" },
                "mutating": known.get("mutating"),
                "backgroundAudit": part == "core" && is("/audit/enabled"),
                "failurePolicy": if text("/failurePolicy").is_empty() { failure } else { text("/failurePolicy") },
                "timeoutSeconds": values.get("timeoutSeconds"),
                "rules": rules,
                "contextAwareResources": present(known.get("contextAwareResources"), values),
            });
            let mut conditions = Vec::new();
            if mode == "audit" {
                conditions.push(json!({ "name": "audit-only", "expression": "false" }));
            }
            let selector = values.get("namespaceSelector").filter(|selector| **selector != json!({}));
            if selector.is_some() {
                let expression = "has(request.namespace) && request.namespace != ''";
                conditions.push(json!({ "name": "in-a-namespace", "expression": expression }));
            }
            if let Some(fields) = spec.as_object_mut() {
                fields.extend(selector.map(|selector| ("namespaceSelector".to_owned(), selector.clone())));
                fields.extend((!conditions.is_empty()).then(|| ("matchConditions".to_owned(), conditions.into())));
                fields.extend((*settings != json!({})).then(|| ("settings".to_owned(), settings.clone())));
            }
            let name = format!("{}{}{}", package.id(), if part == "custom" { CUSTOM } else { "" }, text("/nameSuffix"));
            found.push(json!({
                "apiVersion": "policies.kubewarden.io/v1",
                "kind": "ClusterAdmissionPolicy",
                "metadata": { "name": name, "labels": labels(), "annotations": known.get("annotations") },
                "spec": spec,
            }));
        }
    }
    if is("/access/create") {
        let context: Vec<Value> = chosen.iter().map(|(package, _)| policy(package)).collect::<Result<_>>()?;
        let all = |field: &str| context.iter().flat_map(|known| present(known.get(field), values)).collect::<Vec<_>>();
        found.extend(access("fedward-context", &all("access"), text("/access/policyServer"), values));
        if is("/audit/enabled") {
            let mut listed = all("audit");
            if is("/audit/secrets") && context.iter().any(|known| known.get("auditsSecrets") == Some(&true.into())) {
                listed.push(json!({ "apiGroups": [""], "resources": [SECRETS] }));
            }
            found.extend(access("fedward-audit", &listed, text("/access/auditScanner"), values));
        }
    }
    Ok(found)
}

fn labels() -> Value {
    json!({
        "app.kubernetes.io/managed-by": "Helm", "app.kubernetes.io/part-of": "fedward", "helm.sh/chart": format!("{NAME}-{}", RELEASE.0),
    })
}

/// A role with its binding.
fn access(name: &str, listed: &[Value], account: &str, values: &Value) -> [Value; 2] {
    let name = format!("{name}{}", values.get("nameSuffix").and_then(Value::as_str).unwrap_or_default());
    let rules: Vec<Value> = listed
        .iter()
        .filter(|rule| rule.get("resources") != Some(&json!([])))
        .map(|rule| json!({ "apiGroups": rule.get("apiGroups"), "resources": rule.get("resources"), "verbs": ["get", "list", "watch"] }))
        .collect();
    let metadata = json!({ "name": name, "labels": labels() });
    let subject = json!({ "kind": "ServiceAccount", "namespace": values.pointer("/access/namespace"), "name": account });
    let group = "rbac.authorization.k8s.io";
    let version = format!("{group}/v1");
    [
        json!({ "apiVersion": version, "kind": "ClusterRole", "metadata": metadata, "rules": rules }),
        json!({
            "apiVersion": version, "kind": "ClusterRoleBinding", "metadata": metadata,
            "roleRef": { "apiGroup": group, "kind": "ClusterRole", "name": name }, "subjects": [subject],
        }),
    ]
}

/// Which policies run, with their settings.
fn chosen<'p>(packages: &'p [Package], values: &Value) -> Result<Vec<(&'p Package, Value)>> {
    let none = json!({});
    let common = values.get("settings").unwrap_or(&none);
    let of = |id: &str| values.pointer(&format!("/policies/{id}")).with_context(|| format!("values have no policy `{id}`"));
    let (suite, single): (Vec<&Package>, Vec<&Package>) = packages.iter().partition(|package| package.is_suite());
    if values.get("use") == Some(&"suite".into()) {
        // Only what is not so anyway.
        let mut policies = Map::new();
        for package in single {
            let mut own = of(package.id())?.clone();
            if let Some(fields) = own.as_object_mut() {
                fields.retain(|_, value| *value != json!(true) && *value != none);
            }
            if own != none {
                policies.insert(package.id().to_owned(), own);
            }
        }
        let mut settings = common.clone();
        if !policies.is_empty() {
            merge(&mut settings, &json!({ "policies": policies }));
        }
        return Ok(suite.into_iter().map(|package| (package, settings.clone())).collect());
    }
    let mut chosen = Vec::new();
    for package in single {
        let own = of(package.id())?;
        if own.get("enabled") != Some(&true.into()) {
            continue;
        }
        let mut settings = common.clone();
        // A policy refuses severities of rules that it does not have.
        let rules = package.builtin.policy.describe().rules;
        if let Some(Value::Object(severities)) = settings.get_mut("severities") {
            severities.retain(|name, _| rules.iter().any(|rule| rule.id == name));
        }
        merge(&mut settings, own.get("settings").unwrap_or(&none));
        chosen.push((package, settings));
    }
    Ok(chosen)
}

/// Rules, resources or kinds without those of groups that the cluster does not serve.
fn present(list: Option<&Value>, values: &Value) -> Vec<Value> {
    let absent = values.get("absentGroups").and_then(Value::as_array).cloned().unwrap_or_default();
    let items = list.and_then(Value::as_array).into_iter().flatten();
    items
        .filter_map(|item| {
            if let Some(version) = item.get("apiVersion").and_then(Value::as_str) {
                let group = version.split_once('/').map_or("", |(group, _)| group);
                return (!absent.contains(&group.into())).then(|| item.clone());
            }
            let groups: Vec<Value> = item
                .get("apiGroups")
                .and_then(Value::as_array)
                .into_iter()
                .flatten()
                .filter(|group| !absent.contains(group))
                .cloned()
                .collect();
            let mut item = item.clone();
            let is_empty = groups.is_empty();
            item.as_object_mut()?.insert("apiGroups".to_owned(), groups.into());
            (!is_empty).then_some(item)
        })
        .collect()
}
