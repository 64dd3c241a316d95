//! Places of findings to places in files.

use std::sync::Arc;

use fedward_kit::finding::{Finding, ObjectId, Place};
use fedward_manifest::{Encoding, Format, Limits, Node, Source, Span};
use fedward_outcome::{Location, Related};

use crate::edits;
use crate::payload;
use crate::world::World;

/// The place of an object: its root.
pub(crate) fn object(world: &World, number: usize) -> Location {
    place(world, number, &Place::new(None, String::new()))
}

/// Puts a finding on its place.
pub(crate) fn finding(world: &World, number: usize, given: &[usize], policy: &str, finding: Finding) -> fedward_outcome::Finding {
    let related = finding.related.iter().map(|related| {
        let number = match &related.place.object {
            None => number,
            Some(id) => owner(world, given, id).unwrap_or(number),
        };
        Related { location: place(world, number, &related.place), message: related.message.clone() }
    });
    let (fix, edits) = edits::of(world, number, &finding);
    fedward_outcome::Finding {
        related: related.collect(),
        location: place(world, number, &finding.place),
        rule: finding.rule,
        condition: finding.condition,
        policy: policy.to_owned(),
        severity: finding.severity,
        message: finding.message,
        help: finding.help,
        docs: finding.docs,
        related_more: finding.related_more,
        object: world.objects.get(number).map(payload::id),
        fix,
        edits,
        suppressed: None,
        rendered: None,
        manifests: Vec::new(),
    }
}

/// Which of the objects that a policy was shown it speaks of.
pub(crate) fn owner(world: &World, given: &[usize], id: &ObjectId) -> Option<usize> {
    given.iter().copied().find(|number| world.objects.get(*number).is_some_and(|object| payload::id(object) == *id))
}

pub(crate) fn place(world: &World, number: usize, place: &Place) -> Location {
    let loaded = world.objects.get(number).and_then(|object| Some((object, world.loaded.get(object.document)?)));
    let mut pointer = place.path.clone();
    for inner in &place.embedded {
        pointer.push('#');
        pointer.push_str(inner);
    }
    let Some((object, loaded)) = loaded else { return Location { source: nowhere(), span: Span::at(0), pointer } };
    let root = loaded.document.as_ref().and_then(|document| document.node(object.node));
    let encoding = if object.kind == "Secret" && place.path.starts_with("/data/") { Encoding::Base64 } else { Encoding::Text };
    let span = root.map_or(loaded.chunk.span, |root| span(root, place, encoding));
    Location { source: Arc::clone(&loaded.source), span, pointer }
}

fn span(root: Node<'_>, place: &Place, encoding: Encoding) -> Span {
    let lookup = root.pointer(&place.path);
    if !lookup.is_exact() || (place.embedded.is_empty() && place.offset.is_none()) {
        return at(lookup.node, place.key);
    }
    within(lookup.node, &place.embedded, place, encoding).unwrap_or_else(|| lookup.node.place())
}

/// Follows pointers into documents inside strings. Only the outermost string, in the `data` of a Secret, may be encoded.
fn within(node: Node<'_>, pointers: &[String], place: &Place, encoding: Encoding) -> Option<Span> {
    let parsed = node.embedded(encoding, Format::Auto, &Limits::default()).ok()?;
    let Some((pointer, inner)) = pointers.split_first() else {
        // An offset: where the text breaks.
        return parsed.iter().flat_map(|parsed| &parsed.problems).find(|problem| problem.kind.is_fatal()).map(|problem| problem.span);
    };
    let document = parsed.iter().filter_map(|parsed| parsed.document.as_ref()).find(|document| !document.is_empty())?;
    let lookup = document.root().pointer(pointer);
    if inner.is_empty() && place.offset.is_none() || !lookup.is_exact() {
        Some(at(lookup.node, place.key))
    } else {
        within(lookup.node, inner, place, Encoding::Text).or_else(|| Some(lookup.node.place()))
    }
}

fn at(node: Node<'_>, key: bool) -> Span {
    if key { node.key_span().unwrap_or_else(|| node.place()) } else { node.place() }
}

fn nowhere() -> Arc<Source> {
    // An empty text is always a source.
    Source::from_text("", String::new()).map(Arc::new).unwrap_or_else(|_| nowhere())
}
