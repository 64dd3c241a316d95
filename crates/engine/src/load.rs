//! Files to objects: split, parsed on all cores, flattened, told apart from what is no manifest.

use std::sync::Arc;

use fedward_manifest::{Chunk, Document, Limits, Node, NodeId, Problem, Source, SourceError, parse, split};
use rayon::prelude::*;

use crate::resources::{Kinds, Resource, Scope};

/// A file as it was read.
#[derive(Debug, Clone)]
pub struct Input {
    /// The path as outputs show it: relative, with `/`.
    pub name: String,
    /// The content.
    pub bytes: Vec<u8>,
    /// Whether the file was named itself, not met while walking a folder: then it is meant, whatever it looks like.
    pub named: bool,
    /// What its objects are for.
    pub role: Role,
}

/// What the objects of an input are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// They are judged, and rules about others may look at them.
    Judged,
    /// Rules about others may look at them (`--context`).
    Context,
    /// They are policies that run (`--policies`).
    Policies,
    /// They are what is applied already (`--old`): the objects before.
    Old,
    /// They are judged as part of the deployment of this number in [`Options::deployments`](crate::Options::deployments).
    Deployed(usize),
    /// The plain form of what is judged in deployments: rules about objects that nothing deploys may look at them.
    Aside,
}

/// What something deploys: an Application of Argo CD, for example. Its objects see one another first, then those of the other deployments
/// to the same cluster, and none of any other cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deployment {
    /// The cluster, by any name that tells it from others.
    pub cluster: String,
    /// What deploys, by any name that tells it from others.
    pub name: String,
    /// The namespace of objects that name none; empty for that of the run.
    pub namespace: String,
    /// Whether its objects are judged, and not only there for others to see.
    pub is_judged: bool,
    /// Whether all that it deploys is among the inputs. Otherwise nobody knows what is not in its cluster.
    pub is_whole: bool,
}

impl Role {
    /// Whether objects are judged.
    pub(crate) fn is_judged(self) -> bool {
        matches!(self, Role::Judged | Role::Deployed(_))
    }
}

/// One document of a file.
pub(crate) struct Loaded {
    pub(crate) source: Arc<Source>,
    pub(crate) chunk: Chunk,
    pub(crate) document: Option<Document>,
    pub(crate) problems: Vec<Problem>,
    /// Which input.
    pub(crate) input: usize,
    /// Whether a tool wrote it out of something else, so that nobody mends it here.
    pub(crate) generated: bool,
}

/// An object of a document.
#[derive(Debug, Clone)]
pub(crate) struct Object {
    /// Index of its [`Loaded`].
    pub(crate) document: usize,
    /// Its root in the document.
    pub(crate) node: NodeId,
    pub(crate) group: String,
    pub(crate) version: String,
    pub(crate) kind: String,
    pub(crate) name: String,
    /// Empty for cluster-scoped kinds.
    pub(crate) namespace: String,
    /// The resource plural.
    pub(crate) resource: String,
    /// What it is for.
    pub(crate) role: Role,
    /// Whether it is judged, and not only there for others to see.
    pub(crate) judged: bool,
    /// The admission request that it came in, where it came in an AdmissionReview.
    pub(crate) review: Option<NodeId>,
    /// Whether it is a request itself, for raw policies.
    pub(crate) raw: bool,
    /// Whether something in the input changes it before it is applied.
    pub(crate) draft: bool,
}

impl Object {
    /// Whether it is judged.
    pub(crate) fn is_judged(&self) -> bool {
        self.judged
    }

    /// `v1`, `apps/v1` …
    pub(crate) fn api_version(&self) -> String {
        if self.group.is_empty() { self.version.clone() } else { format!("{}/{}", self.group, self.version) }
    }
}

/// What is wrong with a file as a whole.
pub(crate) enum Broken {
    /// It is not text. The source is empty, and has the file's name.
    NotText(Arc<Source>, SourceError),
    /// Another problem.
    File(Arc<Source>, Problem),
}

/// What reading gives.
pub(crate) struct Read {
    pub(crate) loaded: Vec<Loaded>,
    pub(crate) broken: Vec<Broken>,
}

/// Reads every input. The order of the result is that of the inputs and, inside a file, of its text.
pub(crate) fn read(inputs: Vec<Input>, limits: &Limits) -> Read {
    let mut chunks = Vec::new();
    let mut broken = Vec::new();
    for (index, input) in inputs.into_iter().enumerate() {
        match Source::new(input.name.as_str(), input.bytes) {
            Ok(source) => {
                let source = Arc::new(source);
                let found = split(&source, limits);
                broken.extend(found.problems.into_iter().map(|problem| Broken::File(Arc::clone(&source), problem)));
                chunks.extend(found.chunks.into_iter().map(|chunk| (index, Arc::clone(&source), chunk)));
            }
            // An empty text is always a source.
            Err(error) => {
                broken.extend(Source::from_text(input.name, String::new()).ok().map(|name| Broken::NotText(Arc::new(name), error)))
            }
        }
    }
    let loaded = chunks
        .into_par_iter()
        .map(|(input, source, chunk)| {
            let parsed = parse(&source, chunk, limits);
            Loaded { source, chunk, document: parsed.document, problems: parsed.problems, input, generated: false }
        })
        .collect();
    Read { loaded, broken }
}

/// The objects of a document that say what they are: its root, or those of a list.
pub(crate) fn objects(document: &Document) -> Vec<Node<'_>> {
    let all = document.objects().objects.into_iter().map(|object| object.node);
    all.filter(|node| text(*node, "apiVersion").is_some() && text(*node, "kind").is_some()).collect()
}

/// A field that is a string with something in it.
pub(crate) fn text<'d>(node: Node<'d>, key: &str) -> Option<&'d str> {
    node.get(key)?.as_str().filter(|text| !text.is_empty())
}

/// What an object is, with its namespace filled in.
pub(crate) fn object(document: usize, node: Node<'_>, kinds: &Kinds, default_namespace: &str, role: Role) -> Object {
    let api_version = text(node, "apiVersion").unwrap_or_default();
    let group = api_version.split_once('/').map_or("", |(group, _)| group);
    let kind = text(node, "kind").unwrap_or_default();
    let resource = kinds.resource(group, kind);
    object_of(document, node, resource, default_namespace, role)
}

/// The same of an object whose resource is known.
pub(crate) fn object_of(document: usize, node: Node<'_>, resource: Resource, default_namespace: &str, role: Role) -> Object {
    let api_version = text(node, "apiVersion").unwrap_or_default();
    let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
    let kind = text(node, "kind").unwrap_or_default();
    let metadata = node.get("metadata");
    let field = |key| metadata.and_then(|metadata| text(metadata, key)).unwrap_or_default();
    let namespace = match resource.scope {
        Scope::Cluster => "",
        Scope::Namespaced => Some(field("namespace")).filter(|namespace| !namespace.is_empty()).unwrap_or(default_namespace),
    };
    Object {
        document,
        node: node.id(),
        group: group.to_owned(),
        version: version.to_owned(),
        kind: kind.to_owned(),
        name: Some(field("name")).filter(|name| !name.is_empty()).unwrap_or_else(|| field("generateName")).to_owned(),
        namespace: namespace.to_owned(),
        resource: resource.plural,
        role,
        judged: role.is_judged(),
        review: None,
        raw: false,
        draft: false,
    }
}
