//! Objects to the JSON that a policy is given.

use fedward_kit::finding::ObjectId;
use fedward_manifest::{Document, Node};

use crate::load::{Object, text};
use crate::request::{Form, Operation};

/// Writes the object as the API server would have it: with its namespace, even where the manifest leaves it to the context.
pub(crate) fn write_object(document: &Document, object: &Object, out: &mut Vec<u8>) {
    let Some(node) = document.node(object.node) else { return out.extend_from_slice(b"null") };
    if lacks_namespace(node, object) {
        write_entries(node, object, &Masks::whole(), out);
    } else {
        node.write_json(out);
    }
}

/// Writes the object as a policy is asked about it: a namespace that is no text stays, so that the policy can say so. Nobody else sees it so.
pub(crate) fn write_asked(document: &Document, object: &Object, out: &mut Vec<u8>) {
    let namespace = document.node(object.node).and_then(|node| node.get("metadata")?.get("namespace"));
    match document.node(object.node) {
        Some(node) if namespace.is_some_and(|namespace| !namespace.is_null() && namespace.as_str().is_none()) => node.write_json(out),
        _ => write_object(document, object, out),
    }
}

/// Whether the manifest leaves the object's namespace to the context. An empty one does, and what is no text names none: the same as
/// [`crate::load::object`] takes for absent, so that nothing knows an object by two namespaces.
fn lacks_namespace(node: Node<'_>, object: &Object) -> bool {
    let metadata = node.get("metadata").filter(|metadata| metadata.is_map());
    !object.namespace.is_empty() && metadata.is_some_and(|metadata| text(metadata, "namespace").is_none())
}

/// Fields that are asked for, as a tree: dotted paths, transparent to lists (Kubewarden's `field_masks`).
#[derive(Default)]
pub(crate) struct Masks<'m> {
    /// Everything from here on.
    is_whole: bool,
    below: Vec<(&'m str, Masks<'m>)>,
}

impl<'m> Masks<'m> {
    /// Those of a question to a cluster, and what identifies an object.
    pub(crate) fn new(paths: &'m [impl AsRef<str>]) -> Self {
        Self::of_paths(["apiVersion", "kind", "metadata.name", "metadata.namespace"].into_iter().chain(paths.iter().map(AsRef::as_ref)))
    }

    /// Without what identifies an object.
    pub(crate) fn of_paths(paths: impl IntoIterator<Item = &'m str>) -> Self {
        let mut masks = Masks::default();
        paths.into_iter().for_each(|path| masks.add(path));
        masks
    }

    /// Masks that keep everything.
    fn whole() -> Self {
        Masks { is_whole: true, below: Vec::new() }
    }

    fn add(&mut self, path: &'m str) {
        let mut at = self;
        for step in path.split('.') {
            let known = at.below.iter().position(|(name, _)| *name == step);
            let index = known.unwrap_or_else(|| {
                at.below.push((step, Masks::default()));
                at.below.len() - 1
            });
            let Some((_, below)) = at.below.get_mut(index) else { return };
            at = below;
        }
        at.is_whole = true;
    }

    fn of(&self, key: &str) -> Option<&Masks<'m>> {
        self.below.iter().find(|(name, _)| *name == key).map(|(_, below)| below)
    }

    /// What the masks keep of a field; `None` where that is nothing.
    fn part(&self, key: &str) -> Option<&Masks<'m>> {
        if self.is_whole { Some(self) } else { self.of(key) }
    }

    /// Writes what the masks name of a value.
    fn write(&self, node: Node<'_>, out: &mut Vec<u8>) {
        if self.is_whole || !(node.is_map() || node.is_seq()) {
            return node.write_json(out);
        }
        let (open, close) = if node.is_map() { (b'{', b'}') } else { (b'[', b']') };
        out.push(open);
        let start = out.len();
        if node.is_map() {
            for entry in node.entries() {
                let Some(below) = self.of(entry.key) else { continue };
                write_key(entry.key, start, out);
                below.write(entry.value, out);
            }
        } else {
            for item in node.items() {
                if out.len() > start {
                    out.push(b',');
                }
                self.write(item, out);
            }
        }
        out.push(close);
    }
}

/// Writes what the masks name of the object.
pub(crate) fn write_masked(document: &Document, object: &Object, masks: &Masks<'_>, out: &mut Vec<u8>) {
    match document.node(object.node) {
        Some(node) if node.is_map() => write_entries(node, object, masks, out),
        _ => write_object(document, object, out),
    }
}

/// Writes what the masks name of a map, with the object's namespace where the manifest leaves it to the
/// context.
fn write_entries(node: Node<'_>, object: &Object, masks: &Masks<'_>, out: &mut Vec<u8>) {
    let lacks_namespace = lacks_namespace(node, object);
    out.push(b'{');
    let start = out.len();
    for entry in node.entries() {
        let Some(below) = masks.part(entry.key) else { continue };
        write_key(entry.key, start, out);
        if lacks_namespace && entry.key == "metadata" {
            write_metadata(entry.value, &object.namespace, below, out);
        } else {
            below.write(entry.value, out);
        }
    }
    out.push(b'}');
}

/// Writes what the masks name of `metadata`, with this namespace instead of what stands there.
fn write_metadata(metadata: Node<'_>, namespace: &str, masks: &Masks<'_>, out: &mut Vec<u8>) {
    out.push(b'{');
    let start = out.len();
    for entry in metadata.entries().filter(|entry| entry.key != "namespace") {
        let Some(below) = masks.part(entry.key) else { continue };
        write_key(entry.key, start, out);
        below.write(entry.value, out);
    }
    write_key("namespace", start, out);
    write_string(namespace, out);
    out.push(b'}');
}

/// Writes the key of an entry of a map whose entries begin at `start`.
fn write_key(key: &str, start: usize, out: &mut Vec<u8>) {
    if out.len() > start {
        out.push(b',');
    }
    write_string(key, out);
    out.push(b':');
}

/// Writes the fields of a request for an object, without braces: all but `uid`, `object` and `oldObject`.
pub(crate) fn write_facts(object: &Object, operation: Operation, form: &Form<'_>, out: &mut Vec<u8>) {
    write_names(object, ["kind", "resource"], out);
    if form.is_full {
        // They differ from the two above only where the API server converts the object.
        out.push(b',');
        write_names(object, ["requestKind", "requestResource"], out);
        out.extend_from_slice(br#","options":{"apiVersion":"meta.k8s.io/v1","kind":"#);
        out.extend_from_slice(match operation {
            Operation::Create => b"\"CreateOptions\"}",
            Operation::Update => b"\"UpdateOptions\"}",
            Operation::Delete => b"\"DeleteOptions\"}",
        });
    }
    out.extend_from_slice(b",\"operation\":\"");
    out.extend_from_slice(operation.name().as_bytes());
    out.push(b'"');
    // A request for a Namespace is one in it (`handlers.create`).
    let is_namespace = form.is_full && object.group.is_empty() && object.kind == "Namespace";
    let namespace = if is_namespace { &object.name } else { &object.namespace };
    for (field, value) in [("name", &object.name), ("namespace", namespace)] {
        if !value.is_empty() {
            out.push(b',');
            write_string(field, out);
            out.push(b':');
            write_string(value, out);
        }
    }
    out.extend_from_slice(b",\"userInfo\":{\"username\":");
    write_string(if form.user.name.is_empty() { "fedward" } else { &form.user.name }, out);
    out.extend_from_slice(b",\"groups\":[");
    // Every user of a cluster who has signed in is in this group, and conditions may count on there being some.
    let everybody = ["system:authenticated".to_owned()];
    let groups = form.user.groups.as_deref().unwrap_or(&everybody);
    for (index, group) in groups.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        write_string(group, out);
    }
    out.push(b']');
    out.extend_from_slice(b"},\"dryRun\":true");
}

/// Writes what kind of object and resource a request is for, under the two names.
fn write_names(object: &Object, [kind, resource]: [&str; 2], out: &mut Vec<u8>) {
    for (index, (field, of, value)) in [(kind, "kind", &object.kind), (resource, "resource", &object.resource)].into_iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        write_string(field, out);
        out.extend_from_slice(b":{\"group\":");
        write_string(&object.group, out);
        out.extend_from_slice(b",\"version\":");
        write_string(&object.version, out);
        out.push(b',');
        write_string(of, out);
        out.push(b':');
        write_string(value, out);
        out.push(b'}');
    }
}

/// Writes a JSON string.
pub(crate) fn write_string(text: &str, out: &mut Vec<u8>) {
    // A string always becomes JSON, and a Vec always takes it.
    let _ = serde_json::to_writer(out, text);
}

/// Which object, for findings.
pub(crate) fn id(object: &Object) -> ObjectId {
    ObjectId {
        api_version: object.api_version(),
        kind: object.kind.clone(),
        namespace: object.namespace.clone(),
        name: object.name.clone(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use std::sync::Arc;

    use fedward_manifest::{Document, Limits, Source, parse, split};

    use super::{Masks, write_asked, write_masked, write_object};
    use crate::load::{Object, Role, object};
    use crate::resources::Kinds;

    fn masked(text: &str, masks: &[&str]) -> String {
        let masks: Vec<String> = masks.iter().map(|mask| (*mask).to_owned()).collect();
        written(text, |document, object, out| write_masked(document, object, &Masks::new(&masks), out))
    }

    fn written(text: &str, write: impl FnOnce(&Document, &Object, &mut Vec<u8>)) -> String {
        let source = Arc::new(Source::new("a.yaml", text.as_bytes().to_vec()).unwrap());
        let limits = Limits::default();
        let document = parse(&source, *split(&source, &limits).chunks.first().unwrap(), &limits).document.unwrap();
        let object = object(0, document.root(), &Kinds::default(), "shop", Role::Judged);
        let mut out = Vec::new();
        write(&document, &object, &mut out);
        String::from_utf8(out).unwrap()
    }

    const POD: &str = "{apiVersion: v1, kind: Pod, metadata: {uid: x, name: till, labels: {a: b}}, \
                       spec: {containers: [{name: a, image: b}, c], nodeName: c}}";

    #[test]
    fn masks_keep_what_they_name_and_who_the_object_is() {
        let want =
            r#"{"apiVersion":"v1","kind":"Pod","metadata":{"name":"till","namespace":"shop"},"spec":{"containers":[{"image":"b"},"c"]}}"#;
        assert_eq!(masked(POD, &["spec.containers.image", "status"]), want);
    }

    #[test]
    fn a_mask_of_a_whole_field_wins_over_one_of_a_part() {
        let want = r#"{"apiVersion":"v1","kind":"Pod","metadata":{"uid":"x","name":"till","labels":{"a":"b"},"namespace":"shop"}}"#;
        assert_eq!(masked(POD, &["metadata.labels.a", "metadata"]), want);
    }

    #[test]
    fn an_object_that_has_its_namespace_keeps_it() {
        let text = "{apiVersion: v1, kind: Pod, metadata: {name: till, namespace: own}}";
        assert_eq!(masked(text, &["spec"]), r#"{"apiVersion":"v1","kind":"Pod","metadata":{"name":"till","namespace":"own"}}"#);
    }

    #[test]
    fn what_names_no_namespace_is_replaced() {
        for namespace in ["\"\"", "~", "no", "123", "[]", "{a: b}"] {
            let text = format!("{{apiVersion: v1, kind: Pod, metadata: {{namespace: {namespace}, name: till, uid: x}}, spec: c}}");
            let want = r#"{"apiVersion":"v1","kind":"Pod","metadata":{"name":"till","namespace":"shop"}}"#;
            assert_eq!(masked(&text, &[]), want, "{namespace}");
            let want = r#"{"apiVersion":"v1","kind":"Pod","metadata":{"name":"till","uid":"x","namespace":"shop"},"spec":"c"}"#;
            assert_eq!(written(&text, write_object), want, "{namespace}");
        }
        for namespace in ["123", "[]", "{a: b}"] {
            let text = format!("{{metadata: {{namespace: {namespace}}}, kind: Pod, apiVersion: v1}}");
            let kept = written(&text, write_asked);
            assert!(kept.starts_with(r#"{"metadata":{"namespace":"#) && !kept.contains("shop"), "{kept}");
        }
        for namespace in ["\"\"", "~", "own"] {
            let text = format!("{{apiVersion: v1, kind: Pod, metadata: {{namespace: {namespace}}}}}");
            assert_eq!(written(&text, write_asked), written(&text, write_object));
        }
        let text = "{apiVersion: v1, kind: Namespace, metadata: {name: till, namespace: ''}}";
        assert_eq!(written(text, write_object), r#"{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"till","namespace":""}}"#);
    }
}
