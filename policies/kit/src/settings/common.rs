//! The settings that every policy has.

use serde_json::json;

use super::{Reader, did_you_mean, list};
use crate::finding::Severity;
use crate::text::Glob;
use crate::value::Value;

/// What to do on UPDATE with findings that the object had before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnUpdate {
    /// Only new findings reject, the others warn.
    #[default]
    RejectNew,
    /// All findings count.
    RejectAll,
}

/// The settings that every policy has.
#[derive(Debug, Clone, Default)]
pub struct Common {
    /// Severities by rule; `None` is off.
    severities: Vec<(String, Option<Severity>)>,
    /// See [`OnUpdate`].
    pub on_update: OnUpdate,
    /// Namespaces whose objects are not judged.
    pub exempt_namespaces: Vec<Glob>,
    /// Service accounts (`namespace/name`) that count as federated whatever the objects say.
    pub federated_service_accounts: Vec<Glob>,
}

impl Common {
    pub(crate) fn read(reader: &mut Reader<'_>, rules: &dyn Fn() -> Vec<&'static str>, above: Option<&Common>) -> Self {
        let words = ["error", "warning", "info", "off"];
        let schema = || {
            let properties: serde_json::Map<_, _> = rules().into_iter().map(|rule| (rule.to_owned(), json!({ "enum": words }))).collect();
            json!({ "type": "object", "properties": properties, "additionalProperties": false, "default": {} })
        };
        let node = reader.field(
            "severities",
            "Severity of a rule, by its id: `error`, `warning`, `info` or `off`. Replaces the severities of all its conditions.",
            schema,
        );
        if node.is_present() && !matches!(node.value(), Some(Value::Map(_))) {
            reader.wrong(node, "a map from rule ids to severities is required");
        }
        let mut severities = above.map_or_else(Vec::new, |above| above.severities.clone());
        // Most settings change none, and are read for every request.
        let rules = if node.peek_entries().next().is_some() { rules() } else { Vec::new() };
        for (rule, value) in node.peek_entries() {
            if !rules.contains(&rule) {
                reader.wrong(value, &format!("no such rule{}", did_you_mean(rule, &rules)));
            }
            // Kubernetes reads an unquoted `off` as `false`.
            let is_off = matches!(value.value(), Some(Value::Bool(false)));
            let severity = match if is_off { "off" } else { value.peek_str().unwrap_or("") } {
                "error" => Some(Severity::Error),
                "warning" => Some(Severity::Warning),
                "info" => Some(Severity::Info),
                "off" => None,
                other => {
                    reader.wrong(value, &format!("one of {} is required{}", list(&words), did_you_mean(other, &words)));
                    continue;
                }
            };
            severities.push((rule.to_owned(), severity));
        }
        let mut common = Common {
            severities,
            on_update: reader
                .choice("onUpdate", &[("rejectNew", OnUpdate::RejectNew), ("rejectAll", OnUpdate::RejectAll)], "rejectNew",
                    "On UPDATE: `rejectNew` rejects only findings that the object did not have before and warns of the others; `rejectAll` rejects both.")
                .unwrap_or_default(),
            exempt_namespaces: reader.globs("exemptNamespaces", &[], "Namespaces whose objects are not judged; `*` stands for any text."),
            federated_service_accounts: reader.globs("federatedServiceAccounts", &[],
                "Service accounts, as `namespace/name`, that count as federated whatever the objects say; `*` stands for any text."),
        };
        if let Some(above) = above {
            let sets = |name| reader.node.peek(name).is_present();
            if !sets("onUpdate") {
                common.on_update = above.on_update;
            }
            if !sets("exemptNamespaces") {
                common.exempt_namespaces.clone_from(&above.exempt_namespaces);
            }
            if !sets("federatedServiceAccounts") {
                common.federated_service_accounts.clone_from(&above.federated_service_accounts);
            }
        }
        common
    }

    /// The severity in force for a rule's condition; `None` is off.
    pub fn severity(&self, rule: &str, default: Severity) -> Option<Severity> {
        self.set(rule).unwrap_or(Some(default))
    }

    /// Whether the settings say anything about severities.
    pub(crate) fn has_severities(&self) -> bool {
        !self.severities.is_empty()
    }

    /// Whether a rule is not turned off.
    pub fn is_on(&self, rule: &str) -> bool {
        self.set(rule) != Some(None)
    }

    /// The last one counts, where a map has a key twice.
    fn set(&self, rule: &str) -> Option<Option<Severity>> {
        self.severities.iter().rev().find(|(name, _)| name == rule).map(|(_, severity)| *severity)
    }
}
