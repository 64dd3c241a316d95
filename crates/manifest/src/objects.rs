//! The objects that a document holds: Kubernetes lists and arrays, taken apart.

use crate::document::{Document, Node};

/// The objects of a document, in the order of the text.
#[derive(Clone, Debug, Default)]
pub struct Objects<'d> {
    /// What stands where objects are expected; whether each is a map is for the reader to see.
    pub objects: Vec<Object<'d>>,
    /// Whether the document is an array, which Kubernetes does not take but its tools do.
    pub is_array: bool,
}

/// One object of a document.
#[derive(Clone, Copy, Debug)]
pub struct Object<'d> {
    /// The object.
    pub node: Node<'d>,
    /// The list that directly holds it, such as one of kind `List` or `PodList`: its `apiVersion` and `kind` tell those
    /// of an object that has none.
    pub list: Option<Node<'d>>,
}

impl Document {
    /// The document's objects: itself, or those of a `List`, of any `*List` with an array of `items`, of an array at the
    /// root, and of lists in these. None if the document is empty.
    #[must_use]
    pub fn objects(&self) -> Objects<'_> {
        let root = self.root();
        let mut objects = Objects { objects: Vec::new(), is_array: root.is_seq() };
        if self.is_empty() {
            return objects;
        }
        // Depth is bounded by that of the document.
        let mut waiting = if root.is_seq() { vec![(root.items(), None)] } else { Vec::new() };
        objects.take(root, None, &mut waiting);
        while let Some((items, list)) = waiting.last_mut() {
            let list = *list;
            match items.next() {
                Some(node) => objects.take(node, list, &mut waiting),
                None => drop(waiting.pop()),
            }
        }
        objects
    }
}

type Waiting<'d> = Vec<(crate::Items<'d>, Option<Node<'d>>)>;

impl<'d> Objects<'d> {
    fn take(&mut self, node: Node<'d>, list: Option<Node<'d>>, waiting: &mut Waiting<'d>) {
        match list_items(node) {
            Some(items) => waiting.push((items.items(), Some(node))),
            None if self.is_array && node.id().0 == 0 => {}
            None => self.objects.push(Object { node, list }),
        }
    }
}

/// The items of a Kubernetes list. A kind of another meaning may end in `List`, too; then it has a name, as lists have not.
fn list_items(node: Node<'_>) -> Option<Node<'_>> {
    let kind = node.get("kind")?.as_str()?;
    let is_list = kind == "List" || kind.ends_with("List") && node.find("/metadata/name").is_none();
    node.get("items").filter(|items| is_list && items.is_seq())
}
