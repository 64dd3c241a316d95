//! Secret values that an alias brings to places that are none: there rules read them, and may repeat them.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use fedward_kit::finding::PatchStep;
use fedward_manifest::{Kind, Node, Span};
use fedward_outcome::{Finding, Location, Outcome};
use serde_json::Value;

use crate::load::Loaded;

/// What stands for a value that is not shown.
const HIDDEN: &str = "•••";

/// A shorter value is part of many words: only where it stands alone in backticks is it taken for the value.
const MIN_INSIDE: usize = 4;

/// The secret values of a document that stand elsewhere in it, too. The places where they do are added to `spans`, which are those of the
/// secrets.
pub(super) fn values(one: &Loaded, spans: &mut Vec<Span>) -> BTreeSet<String> {
    let Some(document) = one.document.as_ref().filter(|_| !spans.is_empty() && one.source.slice(one.chunk.span).contains('*')) else {
        return BTreeSet::new();
    };
    let mut scalars = Vec::new();
    collect(document.root(), &mut scalars);
    scalars.sort_unstable_by_key(|(span, _)| *span);
    spans.sort_unstable();
    // Up to where the spans hide that begin so far.
    let ends: Vec<u32> = spans
        .iter()
        .scan(0, |end, span| {
            *end = span.end.max(*end);
            Some(*end)
        })
        .collect();
    let is_hidden = |span: Span| {
        let begun = spans.partition_point(|hidden| hidden.start <= span.start);
        begun.checked_sub(1).and_then(|last| ends.get(last)).is_some_and(|end| *end >= span.end)
    };
    let (hidden, open): (Vec<_>, Vec<_>) = scalars.iter().partition(|(span, _)| is_hidden(*span));
    let is_alias = |span: Span| one.source.slice(span).starts_with('*');
    let aliases: BTreeSet<&str> = scalars.iter().filter(|(span, _)| is_alias(*span)).map(|(_, value)| value.as_str()).collect();
    let single = hidden.iter().map(|(_, value)| value.as_str()).filter(|value| aliases.contains(value));
    // What stands in a list or map that is used again is met for each use.
    let inside = hidden.windows(2).filter_map(|pair| match pair {
        [(span, value), (next, _)] if span == next => Some(value.as_str()),
        _ => None,
    });
    let found: BTreeSet<String> = single.chain(inside).map(str::to_owned).collect();
    spans.extend(open.iter().filter(|(_, value)| found.contains(value)).map(|(span, _)| *span));
    found
}

/// The scalars of a document, apart from those that say little: their places and values.
fn collect(node: Node<'_>, scalars: &mut Vec<(Span, String)>) {
    match node.kind() {
        Kind::Map | Kind::Seq => node.items().for_each(|child| collect(child, scalars)),
        Kind::Null | Kind::Bool(_) | Kind::Str("") => {}
        Kind::Str(text) => scalars.push((node.span(), text.to_owned())),
        Kind::Int(_) | Kind::Uint(_) | Kind::Float(_) => {
            let mut json = Vec::new();
            node.write_json(&mut json);
            scalars.push((node.span(), String::from_utf8(json).unwrap_or_default()));
        }
    }
}

/// Takes the values of a file from all that is said of places in it. A fix that writes one of them is left out.
pub(super) fn hide(values: &HashMap<Arc<str>, BTreeSet<String>>, outcome: &mut Outcome) {
    if values.is_empty() {
        return;
    }
    for finding in &mut outcome.findings {
        // Longer ones first: one may be a part of another.
        let mut values: Vec<&str> =
            places(finding).filter_map(|place| values.get(place.source.name())).flatten().map(String::as_str).collect();
        values.sort_unstable_by_key(|value| std::cmp::Reverse(value.len()));
        values.dedup();
        for value in values {
            let written = Value::from(value).to_string();
            let texts = [&mut finding.message, &mut finding.help].into_iter();
            let texts = texts.chain(finding.related.iter_mut().map(|related| &mut related.message));
            let name = finding.object.as_mut().map(|object| &mut object.name);
            texts.chain(name).for_each(|text| mask(text, value));
            let writes = finding.fix.iter().any(|step| match step {
                PatchStep::Add { value: new, .. } | PatchStep::Replace { value: new, .. } => {
                    new.to_string().contains(written.trim_matches('"'))
                }
                PatchStep::Remove { .. } => false,
            });
            if writes {
                finding.fix.clear();
                finding.edits.clear();
            }
        }
    }
}

fn places(finding: &Finding) -> impl Iterator<Item = &Location> {
    finding.related.iter().map(|related| &related.location).chain([&finding.location])
}

fn mask(text: &mut String, value: &str) {
    if text.contains(value) {
        let in_backticks = format!("`{value}`");
        *text = if value.len() < MIN_INSIDE { text.replace(&in_backticks, &format!("`{HIDDEN}`")) } else { text.replace(value, HIDDEN) };
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use fedward_manifest::Limits;

    use super::*;
    use crate::load::{self, Input, Role};

    /// The values that are reused, and the texts that are hidden beside the secret's own.
    fn reused(text: &str) -> (Vec<String>, Vec<String>) {
        let input = Input { name: "a.yaml".to_owned(), bytes: text.as_bytes().to_vec(), named: true, role: Role::Judged };
        let loaded = load::read(vec![input], &Limits::default()).loaded;
        let one = loaded.first().unwrap();
        let mut spans = Vec::new();
        super::super::walk(one, one.document.as_ref().unwrap().root(), None, &mut spans);
        let own: BTreeSet<Span> = spans.iter().copied().collect();
        let values = values(one, &mut spans);
        let texts = spans.into_iter().filter(|span| !own.contains(span)).map(|span| one.source.slice(span).to_owned());
        (values.into_iter().collect(), texts.collect())
    }

    fn list(secret: &str, labels: &str) -> String {
        format!(
            "kind: List\napiVersion: v1\nitems:\n- kind: Secret\n  apiVersion: v1\n  stringData: {secret}\n- kind: Pod\n  apiVersion: v1\n  metadata:\n    labels: {labels}\n"
        )
    }

    #[test]
    fn a_secret_is_hidden_wherever_an_alias_brings_it() {
        let one = |value: &str, texts: &[&str]| (vec![value.to_owned()], texts.iter().map(|&text| text.to_owned()).collect::<Vec<_>>());
        assert_eq!(reused(&list("{p: &p sesame-7}", "{app: web, x: *p}")), one("sesame-7", &["*p"]));
        assert_eq!(reused(&list("{p: &p 4711}", "{x: *p}")), one("4711", &["*p"]));
        let before = "kind: List\napiVersion: v1\nx: &p sesame-7\nitems:\n- {kind: Secret, apiVersion: v1, stringData: {p: *p}}\n";
        assert_eq!(reused(before), one("sesame-7", &["sesame-7"]));
        // What a map that is used again holds stands in the secret itself.
        assert_eq!(reused(&list("&s {p: sesame-7}", "*s")), one("sesame-7", &[]));
        assert_eq!(reused(&list("&s {p: sesame-7}", "{<<: *s}")), one("sesame-7", &[]));
    }

    #[test]
    fn what_no_alias_brings_is_not_looked_for() {
        for (secret, labels) in [("{p: sesame-7}", "{x: sesame-7}"), ("{p: sesame-7}", "{x: &x web, y: *x}"), ("{p: &p yes}", "{x: *p}")] {
            assert_eq!(reused(&list(secret, labels)), (Vec::new(), Vec::new()), "{secret} {labels}");
        }
    }

    #[test]
    fn short_values_are_hidden_where_they_stand_alone() {
        let masked = |text: &str, value: &str| {
            let mut text = text.to_owned();
            mask(&mut text, value);
            text
        };
        assert_eq!(masked("the label is `x`, not `xy`", "x"), "the label is `•••`, not `xy`");
        assert_eq!(masked("account `shop/sesame-7`", "sesame-7"), "account `shop/•••`");
    }
}
