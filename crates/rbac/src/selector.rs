//! Label selectors, as aggregation rules use them.
//!
//! `metav1.LabelSelectorAsSelector` in Kubernetes' apimachinery: all parts must hold, an empty selector selects everything, `NotIn` and
//! `DoesNotExist` hold where the label is absent.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::names;
use crate::read::{list, nullable, table};

/// Labels of an object.
pub(crate) type Labels = BTreeMap<String, String>;

/// A selector.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct Selector {
    #[serde(deserialize_with = "table")]
    pub(crate) match_labels: Labels,
    #[serde(deserialize_with = "list")]
    pub(crate) match_expressions: Vec<Requirement>,
}

/// A part of `matchExpressions`.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(default)]
pub(crate) struct Requirement {
    #[serde(deserialize_with = "nullable")]
    key: String,
    #[serde(deserialize_with = "nullable")]
    operator: String,
    #[serde(deserialize_with = "list")]
    values: Vec<String>,
}

impl Selector {
    /// Whether the labels are selected.
    pub(crate) fn matches(&self, labels: &Labels) -> bool {
        self.match_labels.iter().all(|(key, value)| labels.get(key) == Some(value))
            && self.match_expressions.iter().all(|requirement| requirement.matches(labels))
    }

    /// Whether the API server takes it (`ValidateLabelSelector`).
    pub(crate) fn is_valid(&self) -> bool {
        names::are_labels(&self.match_labels)
            && self.match_expressions.iter().all(|requirement| {
                let values = match requirement.operator.as_str() {
                    "In" | "NotIn" => !requirement.values.is_empty(),
                    "Exists" | "DoesNotExist" => requirement.values.is_empty(),
                    _ => false,
                };
                values && names::is_label_key(&requirement.key) && requirement.values.iter().all(|value| names::is_label_value(value))
            })
    }

    /// About how many comparisons [`Selector::matches`] may take.
    pub(crate) fn weight(&self) -> usize {
        1 + self.match_labels.len() + self.match_expressions.iter().map(|requirement| 1 + requirement.values.len()).sum::<usize>()
    }
}

impl Requirement {
    fn matches(&self, labels: &Labels) -> bool {
        let value = labels.get(&self.key);
        match self.operator.as_str() {
            "In" => value.is_some_and(|value| self.values.contains(value)),
            "NotIn" => value.is_none_or(|value| !self.values.contains(value)),
            "Exists" => value.is_some(),
            "DoesNotExist" => value.is_none(),
            _ => false,
        }
    }
}
