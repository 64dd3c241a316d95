//! What an Application deploys as text.

use std::fmt::Write as _;

use fedward_gitops::{Application, Discovery, Resource};
use fedward_manifest::edit::{self, Edit, Step};
use fedward_manifest::{Source, Span};
use serde_json::Value;

/// What Argo CD would apply, as a stream of YAML: the objects in the order of the sources, each in the namespace that it goes to. Kinds that
/// Argo CD leaves out are not among them, and of several with one name the last is. `name` says what a file is called.
pub(crate) fn text(application: &Application, discovery: &Discovery, name: &dyn Fn(&str) -> String) -> String {
    let mut out = String::new();
    for resource in application.resources.iter().filter(|resource| !discovery.is_excluded(application, resource)) {
        let _ = writeln!(out, "---\n# Source: {}", name(resource.manifest.file()).replace(char::is_control, " "));
        out.push_str(object(resource).trim_end());
        out.push('\n');
    }
    out
}

/// An object to the end of its last line, where a comment may be; and what is added there.
fn whole_lines(source: &Source, span: Span, edits: &[Edit]) -> Span {
    let text = source.text();
    let after = text.get(span.end as usize..).unwrap_or_default();
    let is_line = source.slice(span).ends_with('\n');
    let rest = if is_line { 0 } else { after.find('\n').map_or(after.len(), |end| end + 1) };
    let end = span.end.saturating_add(u32::try_from(rest).unwrap_or(0));
    Span::new(span.start, edits.iter().map(|edit| edit.span.end).fold(end, u32::max))
}

/// An object as it is written, with its namespace.
fn object(resource: &Resource) -> String {
    let node = resource.manifest.node();
    let is_bare = resource.manifest.text("/metadata/namespace").is_empty() && !resource.namespace.is_empty();
    // Where nobody knows whether a kind has a namespace, Argo CD takes it for one that has.
    let namespace = Value::from(if is_bare { resource.namespace.as_str() } else { "" });
    let step = Step::Add { path: "/metadata/namespace", value: &namespace };
    let document = resource.manifest.place.document();
    let is_whole = node.id() == document.root().id();
    let edits = if is_bare { node.edits([step]).ok() } else { Some(Vec::new()) };
    match edits.filter(|_| is_whole) {
        Some(mut edits) => {
            let span = whole_lines(document.source(), node.text_span(), &edits);
            for edit in &mut edits {
                edit.span.start = edit.span.start.saturating_sub(span.start);
                edit.span.end = edit.span.end.saturating_sub(span.start);
            }
            edit::apply(document.source().slice(span), &edits)
        }
        // Items of lists, and what no edit can be made to: an object of JSON is one of YAML, too.
        None => {
            let mut json = Vec::new();
            node.write_json(&mut json);
            let mut value: Value = serde_json::from_slice(&json).unwrap_or_default();
            if is_bare && let Some(metadata) = value.get_mut("metadata").and_then(Value::as_object_mut) {
                metadata.insert("namespace".to_owned(), namespace);
            }
            serde_json::to_string_pretty(&value).unwrap_or_default()
        }
    }
}
