//! The objects of a file by what they are called, looked for once: a file may have a finding for each of its objects.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use fedward_manifest::{Document, Node, NodeId};

use super::base::text;

/// Bytes of a name that is looked for in parts: no cluster takes one that is longer than 253.
const LONGEST: usize = 512;

/// The objects of a file.
#[derive(Debug)]
pub(crate) struct Objects {
    pub(super) documents: Arc<[Document]>,
    kinds: HashMap<String, OfKind>,
}

/// A document, and a node of it.
type At = (usize, NodeId);

/// Those of a kind.
#[derive(Debug, Default)]
struct OfKind {
    /// Of several with one name the first, and whether there are several.
    names: HashMap<String, (At, bool)>,
    /// The lengths that names have, in bytes.
    lengths: BTreeSet<usize>,
}

impl OfKind {
    /// The only one.
    fn only(&self) -> Option<At> {
        let mut all = self.names.values();
        all.next().filter(|(_, several)| !several && all.next().is_none()).map(|(at, _)| *at)
    }
}

impl Objects {
    pub(super) fn new(documents: Arc<[Document]>) -> Self {
        let mut kinds: HashMap<String, OfKind> = HashMap::new();
        for (number, document) in documents.iter().enumerate() {
            for object in document.objects().objects {
                let (at, name) = ((number, object.node.id()), text(object.node, "/metadata/name"));
                let of_kind = kinds.entry(text(object.node, "/kind").to_owned()).or_default();
                of_kind.lengths.insert(name.len());
                of_kind.names.entry(name.to_owned()).and_modify(|(_, several)| *several = true).or_insert((at, false));
            }
        }
        Objects { documents, kinds }
    }

    /// The object of a kind whose name the given one was made of, if there is only one such.
    pub(super) fn same(&self, kind: &str, name: &str) -> Option<Node<'_>> {
        let of_kind = self.kinds.get(kind)?;
        let node = |(document, node): At| self.documents.get(document)?.node(node);
        if let Some((exact, _)) = of_kind.names.get(name) {
            return node(*exact);
        }
        // With a prefix and a suffix: names are short, and there may be many of them.
        let mut within: Option<(&str, At)> = None;
        let lengths = of_kind.lengths.iter().copied().filter(|length| (1..name.len()).contains(length) && name.len() <= LONGEST);
        for length in lengths {
            for start in 0..=name.len() - length {
                let Some(part) = name.get(start..start + length) else { continue };
                let Some((at, several)) = of_kind.names.get(part) else { continue };
                if *several || within.is_some_and(|(other, _)| other != part) {
                    return None;
                }
                within = Some((part, *at));
            }
        }
        within.map(|(_, at)| at).or_else(|| of_kind.only()).and_then(node)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use std::time::{Duration, Instant};

    use fedward_manifest::Source;

    use super::*;
    use crate::origins::documents;

    fn objects(text: &str) -> Objects {
        let source = Arc::new(Source::from_text("base.yaml", text.to_owned()).unwrap());
        Objects::new(documents(&source).into())
    }

    fn of(kind: &str, name: &str) -> String {
        format!("---\nkind: {kind}\nmetadata: {{name: {name}}}\n")
    }

    #[test]
    fn the_name_that_another_was_made_of_is_found() {
        let all = objects(&[of("Pod", "web"), of("Pod", "web-admin"), of("Pod", "görli"), of("Service", "web"), of("Job", "''")].concat());
        let found = |kind: &str, name: &str| all.same(kind, name).map(|node| text(node, "/metadata/name").to_owned());
        for (kind, name, expected) in [
            ("Pod", "web", Some("web")),
            ("Pod", "prod-web", Some("web")),
            ("Pod", "prod-web-1", Some("web")),
            ("Pod", "prod-web-web", Some("web")),
            ("Pod", "prod-görli", Some("görli")),
            // Either may be meant.
            ("Pod", "prod-web-admin", None),
            ("Pod", "other", None),
            ("Service", "other", Some("web")),
            ("Job", "other", Some("")),
            ("Deployment", "web", None),
        ] {
            assert_eq!(found(kind, name).as_deref(), expected, "{kind} {name}");
        }
        let twice = objects(&[of("Pod", "web"), of("Pod", "web")].concat());
        assert!(twice.same("Pod", "web").is_some() && twice.same("Pod", "prod-web").is_none());
    }

    #[test]
    fn a_name_of_any_length_is_looked_for_in_no_time() {
        let all = objects(&(1..500).map(|length| of("Pod", &"a".repeat(length))).collect::<String>());
        let start = Instant::now();
        for _ in 0..100 {
            assert!(all.same("Pod", &"b".repeat(1 << 20)).is_none());
        }
        assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
    }

    #[test]
    fn names_with_a_prefix_take_no_square_of_the_objects() {
        const OBJECTS: usize = 50_000;
        let all = objects(&(0..OBJECTS).map(|number| of("Pod", &format!("a{number:05}"))).collect::<String>());
        let start = Instant::now();
        for number in 0..OBJECTS {
            assert!(all.same("Pod", &format!("prod-a{number:05}")).is_some());
        }
        assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());
    }
}
