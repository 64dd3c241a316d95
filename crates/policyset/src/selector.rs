//! Label selectors (`meta/v1` LabelSelector).

use std::collections::BTreeMap;

use crate::at::{At, Problems};
use crate::names;

/// Labels of an object.
pub type Labels = BTreeMap<String, String>;

/// A label selector. The empty one selects everything.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LabelSelector {
    /// All have to hold.
    pub requirements: Vec<Requirement>,
}

/// What has to hold of one label.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Requirement {
    /// The label's key.
    pub key: String,
    /// How it is compared.
    pub operator: Operator,
    /// With what; empty for the operators without values.
    pub values: Vec<String>,
}

/// How a label is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operator {
    /// It is one of the values.
    In,
    /// It is none of the values, or absent.
    NotIn,
    /// It is there.
    Exists,
    /// It is not there.
    DoesNotExist,
}

impl LabelSelector {
    /// Whether it selects an object with these labels.
    #[must_use]
    pub fn selects(&self, labels: &Labels) -> bool {
        self.requirements.iter().all(|requirement| requirement.holds(labels.get(&requirement.key).map(String::as_str)))
    }

    /// Whether it selects an object with one more label than those that are known, or than none if nothing is. `None` if a label that
    /// is not known decides.
    #[must_use]
    pub fn selects_with(&self, (key, value): (&str, &str), labels: Option<&Labels>) -> Option<bool> {
        let mut decided = Some(true);
        for requirement in &self.requirements {
            let holds = match labels {
                _ if requirement.key == key => requirement.holds(Some(value)),
                Some(labels) => requirement.holds(labels.get(&requirement.key).map(String::as_str)),
                None => {
                    decided = None;
                    continue;
                }
            };
            if !holds {
                return Some(false);
            }
        }
        decided
    }
}

impl Requirement {
    fn holds(&self, value: Option<&str>) -> bool {
        let listed = || value.is_some_and(|value| self.values.iter().any(|known| known == value));
        match self.operator {
            Operator::In => listed(),
            Operator::NotIn => !listed(),
            Operator::Exists => value.is_some(),
            Operator::DoesNotExist => value.is_none(),
        }
    }
}

/// Reads a selector, refusing what no webhook may have (`meta/v1/validation`, ValidateLabelSelector).
pub(crate) fn label_selector(at: &At<'_>, problems: &mut Problems) -> LabelSelector {
    at.only(problems, &[&["matchLabels", "matchExpressions"]]);
    let mut requirements = Vec::new();
    for (key, at) in at.get("matchLabels").entries(problems) {
        check_key(key, &at, problems);
        if let Some(value) = at.any_text(problems) {
            check_value(&value, &at, problems);
            requirements.push(Requirement { key: key.to_owned(), operator: Operator::In, values: vec![value] });
        }
    }
    for item in at.get("matchExpressions").items(problems) {
        item.only(problems, &[&["key", "operator", "values"]]);
        let operators = [
            ("In", Some(Operator::In)),
            ("NotIn", Some(Operator::NotIn)),
            ("Exists", Some(Operator::Exists)),
            ("DoesNotExist", Some(Operator::DoesNotExist)),
        ];
        let mut values = Vec::new();
        for at in item.get("values").items(problems) {
            if let Some(value) = at.any_text(problems) {
                check_value(&value, &at, problems);
                values.push(value);
            }
        }
        let Some(operator) = item.get("operator").one_of(problems, &operators) else {
            item.get("operator").refuse(problems, "an expression needs an `operator`");
            continue;
        };
        let wants_values = matches!(operator, Operator::In | Operator::NotIn);
        if wants_values == values.is_empty() {
            let what = if wants_values { "needs `values`" } else { "takes no `values`" };
            item.get("values").refuse(problems, &format!("this operator {what}"));
        }
        if let Some(key) = item.get("key").text(problems) {
            check_key(&key, &item.get("key"), problems);
            requirements.push(Requirement { key, operator, values });
        }
    }
    LabelSelector { requirements }
}

fn check_key(key: &str, at: &At<'_>, problems: &mut Problems) {
    if !names::is_qualified(key) {
        at.refuse(problems, &format!("`{key}` cannot be the key of a label: {}", names::QUALIFIED));
    }
}

fn check_value(value: &str, at: &At<'_>, problems: &mut Problems) {
    if !names::is_label_value(value) {
        at.refuse(problems, &format!("`{value}` cannot be the value of a label: {}", names::LABEL_VALUE));
    }
}
