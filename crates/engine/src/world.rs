//! What a context rule can see: the loaded objects, by name, by kind, and by the questions of the index.
//!
//! Plain files often hold several copies of one application (a base and overlays, an environment a folder), so that a name alone
//! does not say which object is meant. The nearest wins: same file, same folder, then each parent folder up to the root. Candidates that
//! are equally near and differ are ambiguous, and a rule is told that it cannot know. Where an object itself has copies, what it
//! sees by listing is bounded by the largest folder that holds no other copy of it ([`World::scope`]).
//!
//! What is deployed (by an Application of Argo CD, say) sees its own deployment first, then the others of its cluster, and then what may be
//! in any cluster (`views.rs`): the path of an object begins with its cluster and its deployment.
//!
//! Every table is sorted by path, and the candidates nearest to a path stand beside its place in that order: no question scans all
//! objects.

use std::borrow::Cow;
use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::ops::Range;
use std::sync::{Arc, OnceLock};

use fedward_kit::index;
use fedward_manifest::Document;
use fedward_policyset::Labels;

use crate::load::{Deployment, Loaded, Object};
use crate::payload::{self, Masks};
use crate::request::labels;
use crate::resources::Kinds;
use crate::views::{View, Views};

/// Everything loaded.
pub(crate) struct World {
    pub(crate) loaded: Vec<Loaded>,
    pub(crate) objects: Vec<Object>,
    /// What nothing is known of does not exist.
    pub(crate) closed: bool,
    pub(crate) kinds: Kinds,
    tables: Tables,
    /// For each object the length of the path prefix that bounds what it sees.
    scopes: Vec<usize>,
    texts: Vec<OnceLock<Arc<[u8]>>>,
}

/// Group, kind, namespace, name.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Name(String, String, String, String);

/// Group, kind, and a namespace (`None` for all of them).
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct KindIn(pub(crate) String, pub(crate) String, pub(crate) Option<String>);

/// The answer to a question for one object.
pub(crate) enum Found {
    One(usize),
    /// Nothing of that name, though others of the kind in the namespace.
    Absent,
    /// Nothing of the kind in the namespace.
    Unseen,
    /// Nothing of that name, though not all of what is deployed to the cluster is among the inputs.
    Unrendered,
    /// Several that differ, equally near.
    Ambiguous,
}

/// How many equally near candidates are compared before they count as ambiguous.
const MAX_COMPARED: usize = 32;

impl World {
    pub(crate) fn new(loaded: Vec<Loaded>, objects: Vec<Object>, keys: Vec<Vec<index::Key>>, kinds: Kinds, closed: bool) -> Self {
        World::with(loaded, objects, keys, kinds, closed, &[])
    }

    pub(crate) fn with(
        loaded: Vec<Loaded>,
        objects: Vec<Object>,
        keys: Vec<Vec<index::Key>>,
        kinds: Kinds,
        closed: bool,
        deployments: &[Deployment],
    ) -> Self {
        let tables = Tables::of(&loaded, &objects, keys, deployments);
        World::of(loaded, objects, tables, kinds, closed)
    }

    /// The world of objects whose tables are made.
    pub(crate) fn of(loaded: Vec<Loaded>, objects: Vec<Object>, tables: Tables, kinds: Kinds, closed: bool) -> Self {
        let texts = objects.iter().map(|_| OnceLock::new()).collect();
        let mut world = World { loaded, objects, closed, kinds, tables, scopes: Vec::new(), texts };
        world.scopes = world.bounds();
        world
    }

    /// The path of an object's file, below its deployment and cluster where it has them.
    pub(crate) fn path(&self, number: usize) -> &Arc<str> {
        path(&self.objects, &self.tables.views, number)
    }

    /// Whether what the asker does not see does not exist.
    pub(crate) fn is_closed(&self, asker: usize) -> bool {
        self.is_closed_from(self.view(asker))
    }

    /// The same from a view.
    pub(crate) fn is_closed_from(&self, view: View) -> bool {
        self.closed && self.tables.views.is_whole(view)
    }

    /// From where an object sees others. What is no object sees plain files.
    pub(crate) fn view(&self, asker: usize) -> View {
        self.objects.get(asker).map_or(View::Plain, |object| self.tables.views.of(object))
    }

    /// Whether an object is seen by name from somewhere.
    pub(crate) fn is_seen(&self, number: usize, from: View) -> bool {
        let wider = if from == View::Plain { from } else { View::Anywhere };
        self.objects.get(number).is_some_and(|object| seen(&self.tables.views, object).any(|view| view == from || view == wider))
    }

    /// An object's JSON, with its namespace filled in; made once.
    pub(crate) fn text(&self, number: usize) -> Arc<[u8]> {
        let written = || {
            let mut out = Vec::with_capacity(1024);
            self.write(number, &mut out, payload::write_object);
            out.into()
        };
        self.texts.get(number).map_or_else(written, |text| Arc::clone(text.get_or_init(written)))
    }

    /// Writes what the masks name of an object, straight from its tree: a list of the many users of one account takes a tenth of them.
    pub(crate) fn write_masked(&self, number: usize, masks: &Masks<'_>, out: &mut Vec<u8>) {
        self.write(number, out, |document, object, out| payload::write_masked(document, object, masks, out));
    }

    fn write(&self, number: usize, out: &mut Vec<u8>, write: impl FnOnce(&Document, &Object, &mut Vec<u8>)) {
        let object = self.objects.get(number);
        let document = |object: &Object| self.loaded.get(object.document)?.document.as_ref();
        match object.and_then(|object| Some((document(object)?, object))) {
            Some((document, object)) => write(document, object, out),
            None => out.extend_from_slice(b"null"),
        }
    }

    /// The object of that name that is nearest to the asker.
    pub(crate) fn get(&self, asker: usize, group: &str, kind: &str, namespace: &str, object_name: &str) -> Found {
        let view = self.view(asker);
        let also = (view != View::Plain).then_some(View::Anywhere);
        let views = || [view].into_iter().chain(also);
        let mut key = (view, Name(group.to_owned(), kind.to_owned(), namespace.to_owned(), object_name.to_owned()));
        let by_name = |view| {
            key.0 = view;
            self.tables.by_name.get(&key)
        };
        let Some(candidates) = views().find_map(by_name) else {
            let mut key = (view, KindIn(group.to_owned(), kind.to_owned(), Some(namespace.to_owned())));
            let is_there = |of: View| {
                key.0 = of;
                let list = self.tables.by_kind.get(&key).map(Vec::as_slice).unwrap_or_default();
                !(if of == view { self.visible(asker, list) } else { list }).is_empty()
            };
            return match views().any(is_there) {
                _ if !self.tables.views.is_whole(view) => Found::Unrendered,
                true => Found::Absent,
                false => Found::Unseen,
            };
        };
        if let [only] = candidates.as_slice() {
            return Found::One(*only);
        }
        let nearest = self.nearest(self.path(asker), candidates);
        let Some((first, rest)) = candidates.get(nearest).and_then(<[usize]>::split_first) else { return Found::Ambiguous };
        if rest.is_empty() {
            return Found::One(*first);
        }
        let same = rest.len() < MAX_COMPARED && rest.iter().all(|other| self.text(*other) == self.text(*first));
        if same { Found::One(*first) } else { Found::Ambiguous }
    }

    /// The labels of a namespace, if they are known: in a closed world one that is not there has none.
    pub(crate) fn namespace_labels(&self, asker: usize, name: &str) -> Option<Labels> {
        match self.get(asker, "", "Namespace", "", name) {
            Found::One(number) => {
                let object = self.objects.get(number)?;
                Some(labels(self.loaded.get(object.document)?.document.as_ref()?.node(object.node)?))
            }
            Found::Ambiguous | Found::Unrendered => None,
            Found::Absent | Found::Unseen => self.closed.then(Labels::new),
        }
    }

    /// The objects of a kind that the asker sees, in the order of their paths.
    pub(crate) fn list(&self, asker: usize, kind: &KindIn) -> Cow<'_, [usize]> {
        self.listed(asker, &self.tables.by_kind, kind)
    }

    /// The objects filed under a key of the index that the asker sees, in the order of their paths.
    pub(crate) fn filed(&self, asker: usize, key: &index::Key) -> Cow<'_, [usize]> {
        self.listed(asker, &self.tables.index, key)
    }

    /// What the asker sees of a list that there is for each view. Of what may be in any cluster only what a person says is there counts:
    /// a list is for counting, and nobody knows where the others go.
    fn listed<'w, K: Clone + Eq + Hash>(&'w self, asker: usize, lists: &'w HashMap<(View, K), Vec<usize>>, key: &K) -> Cow<'w, [usize]> {
        let mut key = (self.view(asker), key.clone());
        let own = lists.get(&key).map(|list| self.visible(asker, list)).unwrap_or_default();
        if key.0 == View::Plain {
            return own.into();
        }
        key.0 = View::Context;
        let beside = lists.get(&key).map(Vec::as_slice).unwrap_or_default();
        // Paths below a cluster sort before those of files.
        if beside.is_empty() { own.into() } else { [own, beside].concat().into() }
    }

    /// The service account of that name, if it is certainly of the asker's own application: judged itself, final, and of the same folder.
    /// What stands elsewhere may be applied by anybody, at any time.
    pub(crate) fn own_account(&self, asker: usize, namespace: &str, name: &str) -> Option<usize> {
        let Found::One(number) = self.get(asker, "", "ServiceAccount", namespace, name) else { return None };
        // All of a deployment is one application, however many folders its files come from.
        let folder = |number| {
            let path = self.path(number);
            let [_, deployment] = Views::bounds(path);
            if deployment > 0 { path.get(..deployment) } else { path.rsplit_once('/').map(|(folder, _)| folder) }
        };
        let is_own = |object: &Object| object.role.is_judged() && !object.draft && folder(asker) == folder(number);
        self.objects.get(number).is_some_and(is_own).then_some(number)
    }

    /// The path prefix that bounds what the asker sees by listing.
    pub(crate) fn scope(&self, asker: usize) -> &str {
        let path = self.path(asker);
        self.scopes.get(asker).and_then(|length| path.get(..*length)).unwrap_or("")
    }

    fn visible<'l>(&self, asker: usize, list: &'l [usize]) -> &'l [usize] {
        list.get(self.under(self.scope(asker), list)).unwrap_or_default()
    }

    /// The part of a sorted list whose paths begin with `prefix`.
    fn under(&self, prefix: &str, list: &[usize]) -> Range<usize> {
        let start = list.partition_point(|number| &**self.path(*number) < prefix);
        let length = list.get(start..).unwrap_or_default().partition_point(|number| self.path(*number).starts_with(prefix));
        start..start + length
    }

    /// The candidates of a sorted list that share the longest leading part of `path`.
    fn nearest(&self, path: &str, candidates: &[usize]) -> Range<usize> {
        let at = candidates.partition_point(|number| &**self.path(*number) < path);
        let neighbours = [at.checked_sub(1), Some(at)].into_iter().flatten().filter_map(|index| candidates.get(index));
        let shared = neighbours.map(|number| common(path, self.path(*number))).max().unwrap_or(0);
        self.under(path.get(..shared).unwrap_or(""), candidates)
    }

    /// For every object, how much of its path no other copy of it shares.
    fn bounds(&self) -> Vec<usize> {
        let mut bounds: Vec<usize> = (0..self.objects.len()).map(|number| Views::bounds(self.path(number))[0]).collect();
        let own = self.tables.by_name.iter().filter(|((view, _), _)| matches!(view, View::Plain | View::Cluster(_)));
        for copies in own.map(|(_, copies)| copies).filter(|copies| copies.len() > 1) {
            // Copies in the very same file cannot be told apart by path: they are bounded as one.
            let files: Vec<&[usize]> = copies.chunk_by(|one, other| self.path(*one) == self.path(*other)).collect();
            let path = |index: usize| files.get(index).and_then(|file| file.first()).map(|number| self.path(*number));
            for (index, file) in files.iter().enumerate() {
                let Some(own) = path(index) else { continue };
                let neighbours = [index.checked_sub(1), index.checked_add(1)].into_iter().flatten().filter_map(path);
                let Some(shared) = neighbours.map(|other| common(own, other)).max() else { continue };
                // One component more than what is shared; the file itself if there is no further folder.
                let rest = own.get(shared..).unwrap_or("");
                let bound = shared + rest.find('/').map_or(rest.len(), |slash| slash + 1);
                for number in *file {
                    if let Some(entry) = bounds.get_mut(*number) {
                        *entry = bound;
                    }
                }
            }
        }
        bounds
    }
}

/// The objects by what is asked for, once for each place that they are seen from, in the order of their paths.
pub(crate) struct Tables {
    views: Views,
    by_name: HashMap<(View, Name), Vec<usize>>,
    by_kind: HashMap<(View, KindIn), Vec<usize>>,
    index: HashMap<(View, index::Key), Vec<usize>>,
}

impl Tables {
    /// The tables of objects, each of which has keys of the index. In a pool of threads they are made side by side.
    pub(crate) fn of(loaded: &[Loaded], objects: &[Object], keys: Vec<Vec<index::Key>>, deployments: &[Deployment]) -> Self {
        let views = Views::new(loaded, objects, deployments);
        // Objects of one file stay in the order of its text.
        let order = (0..objects.len()).map(|number| (&**path(objects, &views, number), number)).collect();
        let filing = Filing { objects, views: &views, order };
        let kind = |object: &Object, namespace| KindIn(object.group.clone(), object.kind.clone(), namespace);
        // Growing hashes every name again, and most objects have one.
        let by_name = || filing.table(objects.len(), |object| [name(object)]);
        let filed = keys.iter().map(Vec::len).sum();
        let others = || {
            let by_kind = filing.table(0, |object| [kind(object, None), kind(object, Some(object.namespace.clone()))]);
            let mut keys = keys.into_iter();
            (by_kind, filing.table(filed, |_| keys.next().unwrap_or_default()))
        };
        let is_in_pool = rayon::current_thread_index().is_some();
        let (by_name, (by_kind, index)) = if is_in_pool { rayon::join(by_name, others) } else { (by_name(), others()) };
        Tables { views, by_name, by_kind, index }
    }
}

/// Files objects in tables.
struct Filing<'w> {
    objects: &'w [Object],
    views: &'w Views,
    /// The path of each object, and its number.
    order: Vec<(&'w str, usize)>,
}

impl Filing<'_> {
    /// Every object under its keys.
    fn table<K: Eq + Hash, I: IntoIterator<Item = K> + Clone>(
        &self,
        capacity: usize,
        mut keys: impl FnMut(&Object) -> I,
    ) -> HashMap<(View, K), Vec<usize>> {
        let mut table: HashMap<(View, K), Vec<usize>> = HashMap::with_capacity(capacity);
        for (number, object) in self.objects.iter().enumerate() {
            let mut keys = Some(keys(object));
            let mut views = seen(self.views, object).peekable();
            while let Some(view) = views.next() {
                // Nearly all objects are seen from one place only.
                let keys = if views.peek().is_some() { keys.clone() } else { keys.take() };
                for key in keys.into_iter().flatten() {
                    table.entry((view, key)).or_default().push(number);
                }
            }
        }
        for list in table.values_mut() {
            list.sort_by(|one, other| self.order.get(*one).cmp(&self.order.get(*other)));
        }
        table
    }
}

/// The path of an object's file, below its deployment and cluster where it has them.
fn path<'w>(objects: &'w [Object], views: &'w Views, number: usize) -> &'w Arc<str> {
    static NOWHERE: OnceLock<Arc<str>> = OnceLock::new();
    let path = objects.get(number).and_then(|object| views.path(object));
    path.unwrap_or_else(|| NOWHERE.get_or_init(|| Arc::from("")))
}

/// Where an object is seen.
fn seen(views: &Views, object: &Object) -> impl Iterator<Item = View> {
    let own = Some(views.of(object)).filter(|view| *view != View::Plain);
    own.into_iter().chain(views.seen(object).iter().copied())
}

fn name(object: &Object) -> Name {
    Name(object.group.clone(), object.kind.clone(), object.namespace.clone(), object.name.clone())
}

/// The length of the leading folders that two paths share, the whole path if they are equal.
fn common(one: &str, other: &str) -> usize {
    if one == other {
        return one.len();
    }
    let equal = one.bytes().zip(other.bytes()).take_while(|(a, b)| a == b).count();
    one.as_bytes().get(..equal).unwrap_or_default().iter().rposition(|byte| *byte == b'/').map_or(0, |slash| slash + 1)
}

/// A stable number for a question, to share its answer.
pub(crate) fn fingerprint(question: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    question.hash(&mut hasher);
    hasher.finish()
}
