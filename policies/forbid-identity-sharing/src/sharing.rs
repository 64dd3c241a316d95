//! Who shares what: the accounts of an object's pods, what they sign in to, and who else uses them.

use std::cell::Cell;

use fedward_kit::identity::{self, Provider};
use fedward_kit::index;
pub(crate) use fedward_kit::index::is_argo_cd;
use fedward_kit::node::Node;
use fedward_kit::rule::Check;
use fedward_kit::text::Glob;
use fedward_kit::workload::Pod;

use crate::settings::Settings;

/// How many of the others a message names.
const NAMED: usize = 3;

/// The pods of the object whose service account is known, the first of each account.
pub(crate) fn by_account<'a>(cx: &Check<'a, Settings>) -> Vec<(&'a Pod<'a>, &'a str)> {
    let mut found: Vec<(&'a Pod<'a>, &'a str)> = Vec::new();
    for pod in cx.pods() {
        let Some(name) = pod.account.name() else { continue };
        if !found.iter().any(|(known, other)| *other == name && known.namespace == pod.namespace) {
            found.push((pod, name));
        }
    }
    found
}

/// What several rules of this policy ask of an object.
#[derive(Default)]
pub struct Facts<'a> {
    /// The pod that was asked about last, and what it signs in to: rule after rule asks about the only one that most objects have.
    last: Cell<Option<(&'a Pod<'a>, SignsIn<'a>)>>,
}

/// What a pod signs in to, and the node that says so.
type SignsIn<'a> = Option<(Provider, Node<'a>)>;

/// What a pod signs in to as its service account; `None` where nothing says so. Accounts that people act as are not meant.
pub(crate) fn signs_in<'a>(cx: &Check<'a, Settings>, pod: &'a Pod<'a>) -> SignsIn<'a> {
    if let Some((_, known)) = cx.facts.last.get().filter(|(last, _)| std::ptr::eq(*last, pod)) {
        return known;
    }
    let found = ask(cx, pod);
    cx.facts.last.set(Some((pod, found)));
    found
}

fn ask<'a>(cx: &Check<'a, Settings>, pod: &Pod<'a>) -> SignsIn<'a> {
    let marks = identity::account_of(pod, cx.context).found().map(|account| account.marks()).unwrap_or_default();
    // Credentials are asked for only where the account itself says nothing: in a cluster that is a list of its own.
    marks.into_iter().find(is_cloud).or_else(|| account_signs_in(cx, pod.namespace, pod.account.name()?, pod.account.node()))
}

/// The same for a service account by its name.
pub(crate) fn account_signs_in<'a>(cx: &Check<'a, Settings>, namespace: &'a str, name: &'a str, anchor: Node<'a>) -> SignsIn<'a> {
    identity::federation(cx.context, cx.common, namespace, name, anchor).into_iter().find(is_cloud)
}

fn is_cloud((provider, _): &(Provider, Node<'_>)) -> bool {
    *provider != Provider::ArgoSso
}

/// The owners of a service account, if the settings name any.
pub(crate) fn owners<'s>(settings: &'s Settings, namespace: &str, name: &str) -> Option<Vec<&'s Glob>> {
    if settings.identity_owners.is_empty() {
        return None;
    }
    let account = format!("{namespace}/{name}");
    let mut lists = settings.identity_owners.iter().filter(|(glob, _)| glob.matches(&account)).peekable();
    lists.peek()?;
    Some(lists.flat_map(|(_, owners)| owners).collect())
}

/// The object under admission, or another, as `Kind/name`.
pub(crate) fn title(object: Node<'_>) -> String {
    let metadata = object.peek("metadata");
    let name = metadata.peek_text("name").or_else(|| metadata.peek_text("generateName")).unwrap_or("");
    format!("{}/{name}", object.peek_text("kind").unwrap_or(""))
}

/// Others that use the same thing.
pub(crate) struct Others<'a> {
    /// Those that are known by name, each once.
    pub(crate) known: Vec<Node<'a>>,
    /// How many more there are.
    pub(crate) more: usize,
}

impl Others<'_> {
    /// How many there are, without the object itself.
    pub(crate) fn count(&self) -> usize {
        self.known.len() + self.more
    }

    /// Their names, as a message has them.
    pub(crate) fn names(&self, name: impl Fn(Node<'_>) -> String) -> String {
        let names: Vec<String> = self.known.iter().take(NAMED).map(|other| format!("`{}`", name(*other))).collect();
        match (self.count() - names.len(), names.split_last()) {
            (0, Some((last, []))) => last.clone(),
            (0, Some((last, rest))) => format!("{} and {last}", rest.join(", ")),
            (more, _) => format!("{} and {more} more", names.join(", ")),
        }
    }
}

/// What a pod signs in to as its service account and the other workloads that run as it, where those are too many.
pub(crate) fn shared<'a>(cx: &Check<'a, Settings>, pod: &'a Pod<'a>, name: &str) -> Option<(Provider, Others<'a>)> {
    let others = || other_users(cx, pod, name).filter(|others| others.count() >= cx.settings.max_workloads);
    // What is asked first is what is cheap and mostly ends it: the index has the users at hand, a cluster lists every kind of them.
    if cx.context.indexed {
        let others = others()?;
        signs_in(cx, pod).map(|(provider, _)| (provider, others))
    } else {
        let (provider, _) = signs_in(cx, pod)?;
        others().map(|others| (provider, others))
    }
}

/// The other workloads that run as a pod's service account. `None` where there are none, or nobody knows.
pub(crate) fn other_users<'a>(cx: &Check<'a, Settings>, pod: &Pod<'a>, name: &str) -> Option<Others<'a>> {
    let list = index::users_of(cx.context, pod.namespace, name, pod.account.node()).filter(|list| !list.items.is_empty())?;
    let own = title(cx.object);
    others(list.items, list.more, &own, is_argo_cd(cx.request.name), |other| {
        let is_made_by_own =
            |owner: Node<'_>| owner.peek_text("kind") == Some(cx.request.kind) && owner.peek_text("name") == Some(cx.request.name);
        let is_made = other.peek("metadata").peek("ownerReferences").peek_items().any(is_made_by_own);
        if is_made { own.clone() } else { title(other) }
    })
}

/// Those of a list that are not the object itself, which is called `own`, each once. The parts of Argo CD count as one.
pub(crate) fn others<'a>(
    items: Vec<Node<'a>>,
    more: usize,
    own: &str,
    own_is_argo_cd: bool,
    name: impl Fn(Node<'a>) -> String,
) -> Option<Others<'a>> {
    let mut known: Vec<(String, Node<'a>)> = Vec::new();
    let (mut met_own, mut met_argo_cd) = (false, own_is_argo_cd);
    for item in items {
        let name = name(item);
        if name == own {
            met_own = true;
        } else if !known.iter().any(|(other, _)| *other == name) {
            let is_argo_cd = is_argo_cd(item.peek("metadata").peek_text("name").unwrap_or(""));
            if !(is_argo_cd && met_argo_cd) {
                known.push((name, item));
            }
            met_argo_cd |= is_argo_cd;
        }
    }
    // What was not met is among those that were not given.
    let more = more.saturating_sub(usize::from(!met_own));
    (!known.is_empty()).then(|| Others { known: known.into_iter().map(|(_, node)| node).collect(), more })
}
