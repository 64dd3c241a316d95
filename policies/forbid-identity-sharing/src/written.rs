//! What the parameters of a Sensor write over what it starts, and how much of it an event decides.
//!
//! Mirrors `pkg/sensors/triggers/params.go` (`ResolveParamValue`, `ApplyParams`) and `pkg/sensors/dependencies/filter.go` of Argo Events.

use fedward_kit::node::Node;
use fedward_kit::workload::Triggered;

/// A parameter that writes event data into an object.
pub(crate) struct Written<'a> {
    /// `dest`.
    pub(crate) dest: Node<'a>,
    /// Where it writes: a JSON Pointer inside the object's document.
    pub(crate) pointer: String,
    /// Whether it may write maps and lists: `useRawData`.
    pub(crate) raw: bool,
    /// Whether what it writes begins with event data, not with a text of the manifest.
    pub(crate) begins: bool,
    /// Whether a filter lets only harmless letters through.
    pub(crate) checked: bool,
}

/// How many parameters of one trigger are looked at.
const MAX: usize = 100;

/// What is written over a triggered object.
pub(crate) fn of<'a>(sensor: Node<'a>, triggered: &Triggered<'a>) -> Vec<Written<'a>> {
    let root = triggered.object.pointer();
    let mut found: Vec<Written<'a>> = Vec::new();
    for parameter in triggered.parameters.items().take(MAX) {
        let steps = steps(parameter.get("dest").filled().unwrap_or(""));
        found.extend(written(sensor, parameter, &root, &steps, triggered.object, false));
    }
    for parameter in triggered.template_parameters.items().take(MAX) {
        let steps = steps(parameter.get("dest").filled().unwrap_or(""));
        // A whole manifest as text is as good as one written as it is.
        let (inside, whole): (&[String], bool) = match steps.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
            [kind, "source", "resource", ..] if *kind == triggered.kind => (steps.get(3..).unwrap_or_default(), false),
            [kind, "source", "inline"] if *kind == triggered.kind => (&[], true),
            _ => continue,
        };
        found.extend(written(sensor, parameter, &root, inside, triggered.object, whole));
    }
    found
}

fn written<'a>(sensor: Node<'a>, parameter: Node<'a>, root: &str, steps: &[String], object: Node<'a>, whole: bool) -> Option<Written<'a>> {
    let dest = parameter.get("dest");
    let source = parameter.get("src");
    if dest.filled().is_none() || !is_event_data(source) {
        return None;
    }
    let mut pointer = root.to_owned();
    for step in steps {
        pointer.push('/');
        pointer.push_str(&step.replace('~', "~0").replace('/', "~1"));
    }
    let template = source.get("dataTemplate").filled();
    let is_appended = parameter.text("operation") == Some("append") && {
        let now = steps.iter().fold(object, |node, step| match step.parse::<usize>() {
            Ok(index) if node.peek_items().next().is_some() => node.peek_items().nth(index).unwrap_or_else(|| node.peek("-1")),
            _ => node.peek(node.session().text(step)),
        });
        now.peek_str().is_some_and(|text| !text.is_empty())
    };
    Some(Written {
        dest,
        pointer,
        raw: whole || source.get("useRawData").bool() == Some(true),
        begins: !is_appended && template.is_none_or(|template| template.trim_start().starts_with("{{")),
        checked: is_checked(sensor, source),
    })
}

/// Whether a source takes what the event's sender decides: its data, or, if it names nothing, the whole event. The context (`type`,
/// `subject` …) is the EventSource's own.
fn is_event_data(source: Node<'_>) -> bool {
    let has = |field| source.get(field).filled().is_some();
    match (source.get("dataTemplate").filled(), has("dataKey")) {
        (Some(template), false) => template.contains("{{"),
        (_, true) => true,
        (None, false) => source.is_present() && !has("contextKey") && !has("contextTemplate") && source.get("value").is_absent(),
    }
}

/// Whether a filter of the source's dependency lets only values through that cannot become code. Filters are regular expressions, and find
/// their match anywhere unless they say otherwise.
fn is_checked<'a>(sensor: Node<'a>, source: Node<'a>) -> bool {
    let (name, key) = (source.text("dependencyName"), source.get("dataKey").filled());
    let dependency = sensor.at(&["spec", "dependencies"]).items().find(|dependency| dependency.text("name") == name);
    let (Some(dependency), Some(key), true) = (dependency, key, source.get("dataTemplate").filled().is_none()) else { return false };
    let is_or = |field| dependency.get(field).str() == Some("or") || dependency.get("filters").peek(field).peek_str() == Some("or");
    if is_or("filtersLogicalOperator") || is_or("dataLogicalOperator") {
        return false;
    }
    dependency.get("filters").get("data").items().any(|filter| {
        let mut values = filter.get("value").items().peekable();
        filter.text("path") == Some(key)
            && filter.text("type") == Some("string")
            && matches!(filter.text("comparator"), None | Some("" | "="))
            && filter.get("template").filled().is_none()
            && values.peek().is_some()
            && values.all(|value| value.str().is_some_and(is_strict))
    })
}

/// Whether a regular expression matches whole texts of letters, digits and a few marks that mean nothing to a shell. What is not sure is
/// not strict.
fn is_strict(pattern: &str) -> bool {
    let Some(inner) = pattern.strip_prefix('^').and_then(|rest| rest.strip_suffix('$')) else { return false };
    let is_letter = |letter: char| letter.is_ascii_alphanumeric() || "_/:@,=-".contains(letter);
    let (mut in_class, mut last) = (false, ' ');
    let mut letters = inner.chars().peekable();
    while let Some(letter) = letters.next() {
        let is_fine = match letter {
            '\\' => letters.next().is_some_and(|escaped| "dw.-/_+".contains(escaped)),
            '[' if !in_class => {
                in_class = true;
                letters.peek() != Some(&'^')
            }
            ']' if in_class => {
                in_class = false;
                true
            }
            // A range of letters of one kind, or a hyphen at an end.
            '-' if in_class => {
                let next = letters.peek().copied().unwrap_or(' ');
                let is_kind = |kind: fn(&char) -> bool| kind(&last) && kind(&next);
                next == ']'
                    || last == '['
                    || is_kind(char::is_ascii_lowercase)
                    || is_kind(char::is_ascii_uppercase)
                    || is_kind(char::is_ascii_digit)
            }
            '.' | '+' if in_class => true,
            '(' | ')' | '{' | '}' | '+' | '*' | '?' if !in_class => letter != '(' || letters.peek() != Some(&'?'),
            other => is_letter(other),
        };
        if !is_fine {
            return false;
        }
        last = letter;
    }
    !in_class
}

/// The steps of a path as sjson reads it: separated by `.`, unless a `\` stands before; a `:` makes a name of a number.
fn steps(path: &str) -> Vec<String> {
    let mut steps = Vec::new();
    let mut step = String::new();
    let mut letters = path.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => step.extend(letters.next()),
            '.' => steps.push(std::mem::take(&mut step)),
            ':' if step.is_empty() => {}
            other => step.push(other),
        }
    }
    steps.push(step);
    steps
}

#[cfg(test)]
mod tests {
    use super::{is_strict, steps};

    #[test]
    fn reads_paths_as_sjson_does() {
        assert_eq!(steps("spec.arguments.parameters.0.value"), ["spec", "arguments", "parameters", "0", "value"]);
        assert_eq!(steps("metadata.labels.shop\\.example/tag"), ["metadata", "labels", "shop.example/tag"]);
        assert_eq!(steps("data.:7"), ["data", "7"]);
    }

    #[test]
    fn only_patterns_of_whole_harmless_texts_are_strict() {
        for pattern in ["^v[0-9]+\\.[0-9]+$", "^[a-z0-9._-]{1,63}$", "^refs/tags/[\\w.-]+$", "^(beta-)?[A-Za-z]+$", "^release$"] {
            assert!(is_strict(pattern), "{pattern}");
        }
        for pattern in [
            "release", "^v", "v$", "^.*$", "^v.+$", "^[^;]+$", "^[ -~]+$", "^a|b$", "^[a-Z]+$", "^(?s:.)$", "^[+-z]$", "^\\S+$", "^a b$",
            "^[a$",
        ] {
            assert!(!is_strict(pattern), "{pattern}");
        }
    }
}
