//! Who sees what: files that nothing deploys see one another; what is deployed sees what is deployed to the same cluster, and what stands
//! beside all clusters.

use std::collections::{HashMap, HashSet};
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
    /// The clusters of which not all is among the inputs.
    partial: HashSet<usize>,
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
        let numbered = deployments.iter().zip(&clusters);
        let partial = numbered.filter(|(deployment, _)| !deployment.is_whole).map(|(_, cluster)| *cluster).collect();
        Views { paths, clusters, partial }
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

    /// Whether all that is deployed to where one looks from is among the inputs. Plain files see nothing that is deployed.
    pub(crate) fn is_whole(&self, view: View) -> bool {
        match view {
            View::Cluster(cluster) => !self.partial.contains(&cluster),
            _ => true,
        }
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

#[cfg(test)]
mod tests {
    #![allow(clippy::indexing_slicing, reason = "tests")]

    use fedward_outcome::Outcome;

    use crate::gather::gather;
    use crate::load::{Deployment, Input, Role};
    use crate::world::{Found, KindIn, World};
    use crate::{Options, views::Views};

    fn account(file: &str, role: Role, note: &str) -> Input {
        let text = format!("apiVersion: v1\nkind: ServiceAccount\nmetadata: {{name: till, annotations: {{note: '{note}'}}}}\n");
        Input { name: file.to_owned(), bytes: text.into_bytes(), named: true, role }
    }

    /// Two Applications in one cluster, a third in another; a plain file, one that is deployed, and context.
    fn world() -> World {
        let deployment = |cluster: &str, name: &str| Deployment {
            cluster: cluster.to_owned(),
            name: name.to_owned(),
            namespace: "shop".to_owned(),
            is_judged: true,
            is_whole: true,
        };
        let deployments = vec![deployment("blue", "one"), deployment("blue", "two"), deployment("green", "three")];
        let options = Options { deployments, namespace: "shop".to_owned(), ..Options::default() };
        let inputs = vec![
            account("a.yaml", Role::Deployed(0), "one"),
            account("b.yaml", Role::Deployed(1), "two"),
            account("c.yaml", Role::Deployed(2), "three"),
            account("plain/d.yaml", Role::Judged, "plain"),
            account("plain/e.yaml", Role::Aside, "aside"),
            account("f.yaml", Role::Context, "context"),
        ];
        let gathered = gather(inputs, &options, &mut Outcome::default());
        World::with(gathered.loaded, gathered.objects, Vec::new(), gathered.kinds, false, &options.deployments)
    }

    fn listed(world: &World, asker: usize) -> Vec<usize> {
        let kind = KindIn(String::new(), "ServiceAccount".to_owned(), Some("shop".to_owned()));
        let mut list = world.list(asker, &kind).to_vec();
        list.sort_unstable();
        list
    }

    #[test]
    fn an_application_sees_itself_first_and_nothing_of_other_clusters() {
        let world = world();
        for asker in 0..4 {
            let found = world.get(asker, "", "ServiceAccount", "shop", "till");
            assert!(matches!(found, Found::One(number) if number == asker), "{asker}");
        }
        // Those of the other Application are copies, which bound what is listed; context may be anywhere.
        assert_eq!(listed(&world, 0), [0, 5]);
        assert_eq!(listed(&world, 2), [2, 5]);
    }

    #[test]
    fn what_an_application_lacks_is_looked_for_in_its_cluster_and_then_among_plain_files() {
        let mut world = world();
        world.objects.truncate(6);
        for (number, object) in world.objects.iter_mut().enumerate() {
            object.name = ["asker", "near", "far", "plain", "aside", "context"][number].to_owned();
        }
        let world = World::with(
            world.loaded,
            world.objects,
            Vec::new(),
            world.kinds,
            false,
            &[("blue", "one"), ("blue", "two"), ("green", "three")].map(|(cluster, name)| Deployment {
                cluster: cluster.to_owned(),
                name: name.to_owned(),
                namespace: String::new(),
                is_judged: true,
                is_whole: true,
            }),
        );
        let is_found = |asker: usize, name: &str| matches!(world.get(asker, "", "ServiceAccount", "shop", name), Found::One(_));
        let seen = |asker: usize| ["near", "far", "plain", "aside", "context"].map(|name| is_found(asker, name));
        assert_eq!(seen(0), [true, false, true, false, true], "an Application");
        assert_eq!(seen(2), [false, true, true, false, true], "one of another cluster");
        assert_eq!(seen(3), [false, false, true, true, true], "a plain file");
        assert_eq!(listed(&world, 0), [0, 1, 5]);
        assert_eq!(listed(&world, 3), [3, 4, 5]);
        assert!(world.own_account(0, "shop", "near").is_none());
    }

    #[test]
    fn what_is_not_rendered_is_not_known_to_be_missing() {
        for is_whole in [true, false] {
            let deployment = |name: &str, is_whole: bool| Deployment {
                cluster: "blue".to_owned(),
                name: name.to_owned(),
                namespace: "shop".to_owned(),
                is_judged: is_whole,
                is_whole,
            };
            let options = Options {
                deployments: vec![deployment("one", true), deployment("two", is_whole)],
                namespace: "shop".to_owned(),
                ..Options::default()
            };
            let inputs = vec![account("a.yaml", Role::Deployed(0), "one"), account("plain.yaml", Role::Judged, "plain")];
            let gathered = gather(inputs, &options, &mut Outcome::default());
            let world = World::with(gathered.loaded, gathered.objects, Vec::new(), gathered.kinds, true, &options.deployments);
            let get = |asker: usize, kind: &str| world.get(asker, "", kind, "shop", "gone");
            assert_eq!(matches!(get(0, "ServiceAccount"), Found::Absent), is_whole);
            assert_eq!(matches!(get(0, "ServiceAccount"), Found::Unrendered), !is_whole);
            assert_eq!(matches!(get(0, "Pod"), Found::Unseen), is_whole);
            assert_eq!((world.is_closed(0), world.is_closed(1)), (is_whole, true));
            // A plain file sees nothing that is deployed.
            assert!(matches!(get(1, "ServiceAccount"), Found::Absent));
        }
    }

    #[test]
    fn objects_of_inputs_that_are_not_judged_are_there_for_others() {
        let options = Options { unjudged: ["old.yaml".to_owned()].into(), ..Options::default() };
        let inputs = vec![account("old.yaml", Role::Judged, "old"), account("new.yaml", Role::Judged, "new")];
        let gathered = gather(inputs, &options, &mut Outcome::default());
        assert_eq!(gathered.objects.iter().map(|object| object.is_judged()).collect::<Vec<_>>(), [false, true]);
    }

    #[test]
    fn a_path_is_bounded_by_its_cluster_and_its_deployment() {
        assert_eq!(Views::bounds("\u{1}00000001/00000002/a/b.yaml"), [10, 19]);
        assert_eq!(Views::bounds("a/b.yaml"), [0, 0]);
    }
}
