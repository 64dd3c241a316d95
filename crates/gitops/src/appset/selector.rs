//! Label selectors: over parameters, whose values may be anything, and over the labels of clusters.

use std::collections::BTreeMap;

use crate::reason::Stop;
use crate::value::Value;

/// What is selected.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Selector {
    requirements: Vec<Requirement>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Requirement {
    key: String,
    operator: Operator,
    values: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operator {
    In,
    NotIn,
    Exists,
    DoesNotExist,
}

impl Selector {
    /// Reads a selector. One without requirements selects everything.
    ///
    /// # Errors
    /// It is none: an unknown operator, a key that no label can have, values where there must be none.
    pub(crate) fn read(selector: &Value) -> Result<Self, Stop> {
        let mut requirements = Vec::new();
        if let Some(labels) = selector.get("matchLabels").and_then(Value::as_map) {
            for (key, value) in labels {
                check_key(key, value)?;
                let values = vec![value.as_str().unwrap_or_default().to_owned()];
                requirements.push(Requirement { key: key.clone(), operator: Operator::In, values });
            }
        }
        for expression in selector.list("matchExpressions") {
            let operator = match expression.text("operator") {
                "In" => Operator::In,
                "NotIn" => Operator::NotIn,
                "Exists" => Operator::Exists,
                "DoesNotExist" => Operator::DoesNotExist,
                other => {
                    let place = expression.get("operator").map_or(&expression.place, |operator| &operator.place);
                    return Err(Stop::failed(place, format!("`{other}` is no operator: In, NotIn, Exists and DoesNotExist are")));
                }
            };
            let key = expression.text("key");
            check_key(key, expression.get("key").unwrap_or(expression))?;
            let values: Vec<String> = expression.texts("values").map(str::to_owned).collect();
            let wants_values = matches!(operator, Operator::In | Operator::NotIn);
            if wants_values == values.is_empty() {
                let what = if wants_values { "at least one value" } else { "no values" };
                return Err(Stop::failed(&expression.place, format!("`{}` needs {what}", expression.text("operator"))));
            }
            requirements.push(Requirement { key: key.to_owned(), operator, values });
        }
        Ok(Selector { requirements })
    }

    /// Whether there are no requirements.
    pub(crate) fn is_empty(&self) -> bool {
        self.requirements.is_empty()
    }

    /// Whether labels are selected.
    pub(crate) fn matches(&self, labels: &BTreeMap<String, String>) -> bool {
        self.requirements.iter().all(|requirement| {
            let value = labels.get(&requirement.key);
            let is_in = value.is_some_and(|value| requirement.values.contains(value));
            match requirement.operator {
                Operator::In => is_in,
                Operator::NotIn => !is_in,
                Operator::Exists => value.is_some(),
                Operator::DoesNotExist => value.is_none(),
            }
        })
    }
}

/// A key must be a qualified name: parameters such as `path[0]` cannot be selected by.
fn check_key(key: &str, place: &Value) -> Result<(), Stop> {
    let (prefix, name) = key.split_once('/').map_or((None, key), |(prefix, name)| (Some(prefix), name));
    let is_edge = |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric());
    let is_name = name.len() <= 63
        && is_edge(name.bytes().next())
        && is_edge(name.bytes().last())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
    let is_prefix = |prefix: &str| {
        let is_part = |part: &str| {
            !part.is_empty()
                && !part.starts_with('-')
                && !part.ends_with('-')
                && part.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
        };
        prefix.len() <= 253 && prefix.split('.').all(is_part)
    };
    if is_name && prefix.is_none_or(is_prefix) {
        Ok(())
    } else {
        Err(Stop::failed(&place.place, format!("`{key}` is no key that a label can have")))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::panic, clippy::unwrap_used, reason = "tests")]

    use super::*;
    use crate::test_text::value;

    fn selects(selector: &str, labels: &str) -> bool {
        let labels = value(labels).1;
        let labels = labels.as_map().unwrap().iter().map(|(key, value)| (key.clone(), value.as_str().unwrap().to_owned())).collect();
        Selector::read(&value(selector).1).unwrap().matches(&labels)
    }

    #[test]
    fn selectors_select() {
        for (selector, labels, expected) in [
            ("{}", "{}", true),
            ("matchLabels: {a: x}", "{a: x, b: w}", true),
            ("matchLabels: {a: x}", "{a: w}", false),
            ("matchLabels: {a: x}", "{}", false),
            ("matchLabels: {server: 'https://c.example:6443'}", "{server: 'https://c.example:6443'}", true),
            ("matchExpressions: [{key: a, operator: In, values: [x, w]}]", "{a: w}", true),
            ("matchExpressions: [{key: a, operator: NotIn, values: [x, w]}]", "{a: w}", false),
            ("matchExpressions: [{key: a, operator: NotIn, values: [x]}]", "{}", true),
            ("matchExpressions: [{key: a, operator: Exists}]", "{a: ''}", true),
            ("matchExpressions: [{key: a, operator: DoesNotExist}]", "{a: ''}", false),
            ("{matchLabels: {a: x}, matchExpressions: [{key: b, operator: Exists}]}", "{a: x}", false),
        ] {
            assert_eq!(selects(selector, labels), expected, "{selector} {labels}");
        }
    }

    #[test]
    fn what_is_no_selector_is_said() {
        for (selector, expected) in [
            ("matchExpressions: [{key: a, operator: in, values: [x]}]", "`in` is no operator: In, NotIn, Exists and DoesNotExist are"),
            ("matchExpressions: [{key: a, operator: In}]", "`In` needs at least one value"),
            ("matchExpressions: [{key: a, operator: Exists, values: [x]}]", "`Exists` needs no values"),
            ("matchLabels: {'path[0]': x}", "`path[0]` is no key that a label can have"),
            ("matchLabels: {'A.example/x': x}", "`A.example/x` is no key that a label can have"),
        ] {
            let Err(Stop::Failed(reason)) = Selector::read(&value(selector).1) else { panic!("{selector}") };
            assert_eq!(reason.text, expected);
        }
        assert!(Selector::read(&value("matchLabels: {metadata.labels.argocd.argoproj.io/secret-type: x}").1).is_ok());
    }
}
