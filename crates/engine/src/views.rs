//! Who sees what: files that nothing deploys see one another; what is deployed sees what is deployed to the same cluster, and what stands
//! beside all clusters.

use std::collections::HashMap;
use std::sync::Arc;

use crate::load::{Deployment, Loaded, Object, Role};

/// A set of objects that see one another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum View {
    /// Of files that nothing deploys, and whatever deployed objects there are as plain files.
    Plain,
    /// What may be in any cluster: files that nothing deploys, and what is only to be looked at.
    Anywhere,
    /// What is only to be looked at (`--context`): a person says that it is there.
    Context,
    /// What is deployed to a cluster, by number.
    Cluster(usize),
}

/// For each object who sees it, and by what path.
pub(crate) struct Views {
    /// For each document, the path that decides what is near: that of the file, below its deployment and cluster where it has them.
    paths: Vec<Arc<str>>,
    /// For each deployment the number of its cluster.
    clusters: Vec<usize>,
}

/// What a path below a cluster begins with: no file is called so, and all of these sort before those of files.
const MARK: char = '\u{1}';

impl Views {
    pub(crate) fn new(loaded: &[Loaded], objects: &[Object], deployments: &[Deployment]) -> Self {
        let mut known: HashMap<&str, usize> = HashMap::new();
        let clusters: Vec<usize> = deployments
            .iter()
            .map(|deployment| {
                let next = known.len();
                *known.entry(&deployment.cluster).or_insert(next)
            })
            .collect();
        let mut paths: Vec<Arc<str>> = loaded.iter().map(|one| Arc::clone(one.source.name())).collect();
        let mut last = None;
        for object in objects {
            let Role::Deployed(number) = object.role else { continue };
            if last.replace(object.document) == Some(object.document) {
                continue;
            }
            if let (Some(path), Some(cluster)) = (paths.get_mut(object.document), clusters.get(number)) {
                // Numbers of one width, so that they sort.
                *path = format!("{MARK}{cluster:08}/{number:08}/{path}").into();
            }
        }
        Views { paths, clusters }
    }

    /// The path of an object, for telling what is near.
    pub(crate) fn path(&self, object: &Object) -> Option<&Arc<str>> {
        self.paths.get(object.document)
    }

    /// The lengths of the parts of a path that lead to a cluster and to a deployment; both 0 for a file that nothing deploys.
    pub(crate) fn bounds(path: &str) -> [usize; 2] {
        if !path.starts_with(MARK) {
            return [0, 0];
        }
        let mut slashes = path.match_indices('/').map(|(at, _)| at + 1);
        [slashes.next().unwrap_or(0), slashes.next().unwrap_or(0)]
    }

    /// From where an object sees others.
    pub(crate) fn of(&self, object: &Object) -> View {
        match object.role {
            Role::Deployed(number) => self.clusters.get(number).map_or(View::Plain, |cluster| View::Cluster(*cluster)),
            _ => View::Plain,
        }
    }

    /// Where an object is seen.
    pub(crate) fn seen(&self, object: &Object) -> &'static [View] {
        // Without deployments nobody looks from anywhere else.
        match object.role {
            Role::Aside => &[View::Plain],
            Role::Judged | Role::Context if self.clusters.is_empty() => &[View::Plain],
            Role::Judged => &[View::Plain, View::Anywhere],
            Role::Context => &[View::Plain, View::Anywhere, View::Context],
            Role::Policies | Role::Old | Role::Deployed(_) => &[],
        }
    }
}
