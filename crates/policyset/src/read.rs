//! Policy manifests, field by field.
//!
//! Fields and defaults are those of the custom resources (kubewarden-controller, `api/policies/v1`); older
//! versions are read by the same names. Where the API server or the controller's webhook refuses a manifest, so does this.

use std::collections::{BTreeMap, HashSet};

use serde_json::{Map, Value};

use crate::at::{At, Problems};
use crate::fields::{self, fields};
use crate::matching::{Matching, Rule};
use crate::names;
use crate::rules::{of_namespace, rule};
use crate::selector::label_selector;
use crate::spec::{Body, Condition, FailurePolicy, Kind, Member, Mode, Policy, Problem, Resource};

/// The group of the custom resources.
const GROUP: &str = "policies.kubewarden.io/";
/// Conditions of a policy at most, as in webhooks.
const MAX_CONDITIONS: usize = 64;
/// Seconds that a webhook may take, and those that it has if nothing is said (the custom resource's default).
const WEBHOOK_SECONDS: (std::ops::RangeInclusive<u32>, u32) = (1..=30, 10);
/// Seconds that an evaluation may take. Older custom resources took one second, too; newer ones refuse it.
const EVALUATION_SECONDS: std::ops::RangeInclusive<u32> = 2..=30;

/// The kind of policy that a manifest holds, if it holds one.
#[must_use]
pub fn is_policy(api_version: &str, kind: &str) -> Option<Kind> {
    let kinds = [Kind::Cluster, Kind::Namespaced, Kind::ClusterGroup, Kind::NamespacedGroup];
    api_version.strip_prefix(GROUP).and_then(|_| kinds.into_iter().find(|known| known.name() == kind))
}

/// Reads a policy manifest. `None` if something fatal is wrong; every problem is listed, fatal or not.
#[must_use]
pub fn read(kind: Kind, manifest: &Value, default_namespace: &str) -> (Option<Policy>, Vec<Problem>) {
    let mut problems = Problems::default();
    let root = At::root(manifest);
    version(&root.get("apiVersion"), kind, &mut problems);
    let metadata = root.get("metadata");
    let name = metadata.get("name").text(&mut problems).unwrap_or_default();
    if !name.is_empty() && !names::is_subdomain(&name) {
        metadata.get("name").refuse(&mut problems, &format!("`{name}` cannot be a name: {}", names::SUBDOMAIN));
    }
    let spec = root.get("spec");
    spec.only(&mut problems, &[&fields(kind)]);
    let namespace = kind
        .is_namespaced()
        .then(|| metadata.get("namespace").optional_text(&mut problems).unwrap_or_else(|| default_namespace.to_owned()));
    let matching = matching(&spec, kind, namespace.clone(), &mut problems);
    let body = if kind.is_group() { group(&spec, kind, &mut problems) } else { member(&spec, kind, &mut problems).map(Body::Single) };
    let webhook_seconds = webhook(&spec, body.as_ref(), &mut problems);
    let message = spec.get("message");
    if kind.is_group() && message.value.is_none() {
        message.refuse(&mut problems, "a group needs a `message`");
    }
    let policy = body.map(|body| Policy {
        kind,
        name,
        namespace,
        mode: spec.get("mode").one_of(&mut problems, &[("protect", Mode::Protect), ("monitor", Mode::Monitor)]),
        mutating: !kind.is_group() && spec.get("mutating").required_bool(&mut problems),
        failure_policy: spec
            .get("failurePolicy")
            .one_of(&mut problems, &[("Fail", FailurePolicy::Fail), ("Ignore", FailurePolicy::Ignore)]),
        message: message.optional_text(&mut problems).filter(|text| !text.is_empty()),
        background_audit: spec.get("backgroundAudit").flag(&mut problems, true),
        webhook_seconds: Some(webhook_seconds),
        matching: Some(matching),
        body,
    });
    (policy.filter(|_| !problems.0.iter().any(|problem| problem.fatal)), problems.0)
}

/// An absent one is left to those who found the manifest.
fn version(at: &At<'_>, kind: Kind, problems: &mut Problems) {
    let Some(version) = at.value.and_then(Value::as_str).and_then(|text| text.strip_prefix(GROUP)) else { return };
    // Groups came with v1.
    let versions: &[&str] = if kind.is_group() { &["v1"] } else { &["v1", "v1alpha2"] };
    if !versions.contains(&version) {
        let known: Vec<String> = versions.iter().map(|version| format!("`{GROUP}{version}`")).collect();
        at.refuse(problems, &format!("there is no `{}` of this version: it is {}", kind.name(), known.join(" or ")));
    }
}

/// What only the webhook of the policy has, and which the API server refuses when the controller makes it. Gives the seconds that its
/// call may take.
fn webhook(spec: &At<'_>, body: Option<&Body>, problems: &mut Problems) -> u32 {
    spec.get("sideEffects").one_of(problems, &[("None", ()), ("NoneOnDryRun", ())]);
    let timeout = spec.get("timeoutSeconds");
    let (range, default) = WEBHOOK_SECONDS;
    let whole = timeout.number(problems, range);
    if timeout.value.is_some() && whole.is_none() {
        return default;
    }
    let whole = whole.unwrap_or(default);
    let evaluations: u32 = body.into_iter().flat_map(Body::members).filter_map(|(_, member)| member.timeout_seconds).sum();
    if evaluations > whole {
        let at = if matches!(body, Some(Body::Group { .. })) { spec.get("policies") } else { spec.get("timeoutEvalSeconds") };
        let without = if timeout.value.is_none() { ", which it is if nothing is said" } else { "" };
        let message = format!("evaluations may take {evaluations} seconds, longer than the webhook's `timeoutSeconds` of {whole}{without}");
        at.refuse(problems, &message);
    }
    whole
}

fn matching(spec: &At<'_>, kind: Kind, only_namespace: Option<String>, problems: &mut Problems) -> Matching {
    let rules = spec.get("rules");
    let read = |item: &At<'_>, problems: &mut Problems| {
        let rule = rule(item, problems);
        if kind.is_namespaced() { of_namespace(item, rule, problems) } else { rule }
    };
    let found: Vec<Rule> = rules.items(problems).iter().map(|item| read(item, problems)).collect();
    if found.is_empty() {
        rules.refuse(problems, "a policy needs at least one rule");
    }
    let conditions = spec.get("matchConditions");
    let conditions_found: Vec<Condition> = conditions.items(problems).iter().filter_map(|item| condition(item, problems)).collect();
    if conditions_found.len() > MAX_CONDITIONS {
        conditions.refuse(problems, &format!("a policy has at most {MAX_CONDITIONS} conditions"));
    }
    let mut names = HashSet::new();
    for condition in conditions_found.iter().filter(|condition| !names.insert(condition.name.as_str())) {
        problems.add(&condition.pointer, format!("two conditions have the name `{}`", condition.name), true);
    }
    let selector = |field: &'static str, problems: &mut Problems| {
        let at = spec.get(field);
        at.value.is_some().then(|| label_selector(&at, problems))
    };
    Matching {
        rules: found,
        equivalent: spec.get("matchPolicy").one_of(problems, &[("Equivalent", Flag(true)), ("Exact", Flag(false))]).0,
        namespace_selector: if kind.is_namespaced() { None } else { selector("namespaceSelector", problems) },
        object_selector: selector("objectSelector", problems),
        only_namespace,
        conditions: conditions_found,
    }
}

/// `true` unless a field says otherwise.
#[derive(Clone, Copy)]
struct Flag(bool);

impl Default for Flag {
    fn default() -> Self {
        Flag(true)
    }
}

fn condition(at: &At<'_>, problems: &mut Problems) -> Option<Condition> {
    at.only(problems, &[&fields::CONDITION]);
    let (name, expression) = (at.get("name"), at.get("expression"));
    let found = (name.text(problems), expression.text(problems));
    if let Some(text) = found.0.as_ref().filter(|text| !names::is_qualified(text)) {
        name.refuse(problems, &format!("`{text}` cannot be the name of a condition: {}", names::QUALIFIED));
    }
    Some(Condition { name: found.0?, expression: found.1?, pointer: expression.pointer })
}

fn group(spec: &At<'_>, kind: Kind, problems: &mut Problems) -> Option<Body> {
    let policies = spec.get("policies");
    let mut members = BTreeMap::new();
    for (name, at) in policies.entries(problems) {
        member_name(name, &at, problems);
        at.only(problems, &[&fields::MEMBER, if kind == Kind::ClusterGroup { &["contextAwareResources"] } else { &[] }]);
        members.extend(member(&at, kind, problems).map(|member| (name.to_owned(), member)));
    }
    if policies.value.is_some() && members.is_empty() {
        policies.refuse(problems, "a group needs at least one member");
    }
    let expression = spec.get("expression").text(problems)?;
    policies.required(problems)?;
    Some(Body::Group { expression, members })
}

/// Refuses a member that the expression cannot call.
pub(crate) fn member_name(name: &str, at: &At<'_>, problems: &mut Problems) {
    if !is_identifier(name) {
        let mut message = format!("`{name}` cannot be the name of a member: the expression calls it as a function");
        if matches!(name, "true" | "false") {
            message.push_str(" (`yes`, `no`, `on`, `off`, `y` and `n` are read as booleans unless they are quoted)");
        }
        at.refuse(problems, &message);
    }
}

/// What CEL can call, and does not mean already (kubewarden-controller, `policygroup_validation.go`).
fn is_identifier(name: &str) -> bool {
    const RESERVED: [&str; 21] = [
        "true",
        "false",
        "null",
        "in",
        "as",
        "break",
        "const",
        "continue",
        "else",
        "for",
        "function",
        "if",
        "import",
        "let",
        "loop",
        "package",
        "namespace",
        "return",
        "var",
        "void",
        "while",
    ];
    name.starts_with(|first: char| first == '_' || first.is_ascii_alphabetic())
        && name.chars().all(|letter| letter == '_' || letter.is_ascii_alphanumeric())
        && !RESERVED.contains(&name)
}

pub(crate) fn member(at: &At<'_>, kind: Kind, problems: &mut Problems) -> Option<Member> {
    let settings = at.get("settings");
    let context = at.get("contextAwareResources");
    let mut context_aware = Vec::new();
    for item in context.items(problems) {
        item.only_or(problems, &[&fields::RESOURCE], unknown(kind), false);
        if let (Some(api_version), Some(kind)) = (item.get("apiVersion").text(problems), item.get("kind").text(problems)) {
            context_aware.push(Resource { api_version, kind });
        }
    }
    let timeout = at.get("timeoutEvalSeconds").number(problems, EVALUATION_SECONDS);
    Some(Member {
        module: with_scheme(&at.get("module").text(problems)?),
        settings_pointer: settings.pointer.clone(),
        settings: match settings.value {
            None | Some(Value::Null) => Map::new(),
            Some(Value::Object(fields)) => fields.clone(),
            Some(_) => {
                settings.refuse(problems, "settings are a map");
                return None;
            }
        },
        context_aware: if kind.is_namespaced() { Vec::new() } else { context_aware },
        // Deny-all unless said (policy-server); the custom resources have no such field, the controller grants them.
        host_capabilities: (kind == Kind::Server).then(|| at.get("hostCapabilities").texts(problems)),
        timeout_seconds: timeout,
    })
}

/// What becomes of a field that nobody knows.
pub(crate) const fn unknown(kind: Kind) -> &'static str {
    match kind {
        Kind::Server => "the policy server ignores it",
        _ => "the API server drops it",
    }
}

/// A module without a scheme is one of a registry.
fn with_scheme(module: &str) -> String {
    if module.contains("://") { module.to_owned() } else { format!("registry://{module}") }
}
