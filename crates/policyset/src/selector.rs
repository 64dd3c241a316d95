//! Label selectors (`meta/v1` LabelSelector).

use std::collections::BTreeMap;

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
