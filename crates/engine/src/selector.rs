//! Label and field selectors of list questions.

use fedward_manifest::Node;

use crate::load::text;
use crate::world::World;

/// Both selectors of a question.
pub(crate) struct Selector {
    labels: Labels,
    fields: Vec<(Field, bool, String)>,
}

/// A selector of labels.
#[derive(Debug, Clone, Default)]
pub(crate) struct Labels(Vec<Requirement>);

#[derive(Debug, Clone)]
enum Requirement {
    In(String, Vec<String>),
    NotIn(String, Vec<String>),
    Exists(String),
    Missing(String),
}

enum Field {
    Name,
    Namespace,
    ServiceAccount,
}

impl Labels {
    /// Reads Kubernetes' selector syntax (`labels.Parse`), if it is that. No text selects everything.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let parts = top_level(text).into_iter().map(str::trim).filter(|part| !part.is_empty());
        parts.map(requirement).collect::<Option<_>>().map(Labels)
    }

    /// Whether they select what has these labels.
    pub(crate) fn match_in(&self, labels: Option<Node<'_>>) -> bool {
        let label = |key: &str| labels.and_then(|labels| labels.get(key)).and_then(|value| value.as_str());
        self.0.iter().all(|requirement| match requirement {
            Requirement::In(key, values) => label(key).is_some_and(|value| values.iter().any(|wanted| wanted == value)),
            Requirement::NotIn(key, values) => label(key).is_none_or(|value| !values.iter().any(|wanted| wanted == value)),
            Requirement::Exists(key) => label(key).is_some(),
            Requirement::Missing(key) => label(key).is_none(),
        })
    }
}

impl Selector {
    /// Reads Kubernetes' selector syntax ([`Labels`], `fields.ParseSelector`). Field selectors work on `metadata.name` and
    /// `metadata.namespace` and, for Pods, on `spec.serviceAccountName`, as in a real API server.
    pub(crate) fn parse(labels: &str, fields: &str, group: &str, kind: &str) -> Result<Self, String> {
        let labels = Labels::parse(labels).ok_or_else(|| format!("unable to parse label selector `{labels}`"))?;
        let mut parsed = Selector { labels, fields: Vec::new() };
        for part in fields.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            let (field, equal, value) = match (part.split_once("!="), part.split_once('=')) {
                (Some((field, value)), _) => (field, false, value),
                (None, Some((field, value))) => (field, true, value.trim_start_matches('=')),
                (None, None) => return Err(format!("invalid field selector `{part}`")),
            };
            let field = match (field.trim(), group, kind) {
                ("metadata.name", ..) => Field::Name,
                ("metadata.namespace", ..) => Field::Namespace,
                ("spec.serviceAccountName", "", "Pod") => Field::ServiceAccount,
                (other, ..) => return Err(format!("field label not supported: {other}")),
            };
            parsed.fields.push((field, equal, value.trim().to_owned()));
        }
        Ok(parsed)
    }

    /// Whether an object matches.
    pub(crate) fn matches(&self, world: &World, number: usize) -> bool {
        let Some(object) = world.objects.get(number) else { return false };
        let node =
            world.loaded.get(object.document).and_then(|loaded| loaded.document.as_ref()).and_then(|document| document.node(object.node));
        let labels = node.and_then(|node| node.get("metadata")).and_then(|metadata| metadata.get("labels"));
        self.labels.match_in(labels)
            && self.fields.iter().all(|(field, equal, wanted)| {
                let value = match field {
                    Field::Name => object.name.as_str(),
                    Field::Namespace => object.namespace.as_str(),
                    Field::ServiceAccount => {
                        node.and_then(|node| node.get("spec")).and_then(|spec| text(spec, "serviceAccountName")).unwrap_or("default")
                    }
                };
                (value == wanted) == *equal
            })
    }
}

/// Parts between commas that stand outside parentheses.
fn top_level(selector: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut depth, mut start) = (0i32, 0);
    for (index, character) in selector.char_indices() {
        match character {
            '(' => depth += 1,
            ')' => depth -= 1,
            ',' if depth == 0 => {
                parts.extend(selector.get(start..index));
                start = index + 1;
            }
            _ => {}
        }
    }
    parts.extend(selector.get(start..));
    parts
}

fn requirement(part: &str) -> Option<Requirement> {
    let list = |text: &str| {
        Some(text.trim().strip_prefix('(')?.strip_suffix(')')?.split(',').map(|item| item.trim().to_owned()).collect::<Vec<_>>())
    };
    if let Some((key, values)) =
        part.split_once(" notin ").or_else(|| part.split_once(" notin(").map(|_| part.split_at(part.find(" notin(").unwrap_or(0))))
    {
        return Some(Requirement::NotIn(key.trim().to_owned(), list(values.trim_start_matches(" notin"))?));
    }
    if let Some((key, values)) = part.split_once(" in ") {
        return Some(Requirement::In(key.trim().to_owned(), list(values)?));
    }
    if let Some((key, value)) = part.split_once("!=") {
        return Some(Requirement::NotIn(key.trim().to_owned(), vec![value.trim().to_owned()]));
    }
    if let Some((key, value)) = part.split_once("==").or_else(|| part.split_once('=')) {
        return Some(Requirement::In(key.trim().to_owned(), vec![value.trim().to_owned()]));
    }
    if let Some(key) = part.strip_prefix('!') {
        return Some(Requirement::Missing(key.trim().to_owned()));
    }
    (!part.contains(char::is_whitespace)).then(|| Requirement::Exists(part.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn selectors_are_read_in_every_form() {
        let labels = |text: &str| Selector::parse(text, "", "", "Pod").map(|parsed| parsed.labels.0).unwrap_or_default();
        assert!(matches!(labels("app=till").as_slice(), [Requirement::In(key, values)] if key == "app" && *values == ["till"]));
        assert!(matches!(labels("app==till, !old").as_slice(), [Requirement::In(..), Requirement::Missing(key)] if key == "old"));
        assert!(
            matches!(labels("app in (till, shop),tier").as_slice(), [Requirement::In(_, values), Requirement::Exists(_)] if *values == ["till", "shop"])
        );
        assert!(matches!(labels("app notin (till)").as_slice(), [Requirement::NotIn(key, _)] if key == "app"));
        assert!(matches!(labels("app!=till").as_slice(), [Requirement::NotIn(_, values)] if *values == ["till"]));
        assert!(Selector::parse("app in till", "", "", "Pod").is_err());
        for (fields, kind, is_known) in [
            ("metadata.name=till,metadata.namespace!=shop", "Secret", true),
            ("spec.serviceAccountName==till", "Pod", true),
            ("spec.serviceAccountName=till", "Secret", false),
            ("status.phase=Running", "Pod", false),
            ("metadata.name", "Pod", false),
        ] {
            assert_eq!(Selector::parse("", fields, "", kind).is_ok(), is_known, "{fields}");
        }
    }
}
