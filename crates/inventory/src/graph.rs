//! The inventory as a picture: what stands in it, and what leads to what. The same for every notation.

use std::collections::{BTreeMap, BTreeSet};

use fedward_report::printable;

use crate::model::{AccountState, Inventory, Place, Power, RoleState};

/// Boxes that a picture has at most: more of them nobody can read.
pub(crate) const MAX_BOXES: usize = 400;
/// Arrows that a picture has at most: Mermaid refuses to draw more than 500, unless the page that it stands in says otherwise.
pub(crate) const MAX_ARROWS: usize = 499;
/// Users of one account that have boxes of their own.
const MAX_USERS: usize = 12;
/// Characters of a line of text.
const MAX_LINE: usize = 100;

/// What a box stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Identity,
    /// An identity that several workloads use.
    Shared,
    Account,
    User,
    Role,
    /// A role that leads to everything, or is a step away from it.
    Grave,
    CloudRole,
    /// Something that is not known.
    Unknown,
}

/// A box.
pub(crate) struct Item {
    pub(crate) id: String,
    pub(crate) kind: Kind,
    /// Its text, line by line. Nothing in it moves a cursor; a notation has to quote it.
    pub(crate) lines: Vec<String>,
}

/// An arrow.
pub(crate) struct Arrow {
    pub(crate) from: String,
    pub(crate) to: String,
    pub(crate) text: String,
}

/// A picture.
#[derive(Default)]
pub(crate) struct Graph {
    pub(crate) boxes: Vec<Item>,
    pub(crate) arrows: Vec<Arrow>,
    known: BTreeSet<String>,
    drawn: BTreeSet<(String, String, String)>,
    /// How many boxes there may be.
    most: usize,
    /// Boxes and arrows that found no room.
    left_out: BTreeSet<String>,
}

impl Graph {
    /// The picture of an inventory in so many boxes.
    pub(crate) fn of(inventory: &Inventory, most: usize) -> Self {
        let mut graph = Graph { most, ..Graph::default() };
        for (number, identity) in inventory.identities.iter().enumerate() {
            let id = format!("i{number}");
            let kind = if identity.shared { Kind::Shared } else { Kind::Identity };
            let texts = [Some(identity.cloud.title()), identity.id.as_deref().or(Some("not known")), identity.name.as_deref()];
            if !graph.add(&id, kind, texts.into_iter().flatten(), identity.declared.first().map(|declared| &declared.location)) {
                continue;
            }
            let mut credentials: BTreeMap<usize, Vec<&str>> = BTreeMap::new();
            for credential in &identity.credentials {
                if let Some(account) = credential.account {
                    credentials.entry(account).or_default().push(&credential.object.name);
                }
            }
            for account in &identity.accounts {
                if graph.account(inventory, *account) {
                    let by = credentials.get(account).map(|names| names.join(", ")).unwrap_or_default();
                    graph.arrow(&format!("a{account}"), &id, &by);
                }
            }
            for (assigned, assignment) in identity.assignments.iter().enumerate() {
                let role = format!("{id}r{assigned}");
                let texts = ["role in Azure", &assignment.role, assignment.scope.as_deref().unwrap_or("a scope that is not known")];
                if graph.add(&role, Kind::CloudRole, texts.into_iter(), Some(&assignment.location)) {
                    graph.arrow(&id, &role, "has");
                }
            }
        }
        if !graph.left_out.is_empty() {
            let text = format!("(+{} more, which JSON has)", graph.left_out.len());
            graph.boxes.push(Item { id: "more".to_owned(), kind: Kind::Unknown, lines: vec![text] });
        }
        graph
    }

    fn account(&mut self, inventory: &Inventory, number: usize) -> bool {
        let Some(account) = inventory.accounts.get(number) else { return false };
        let id = format!("a{number}");
        if self.known.contains(&id) {
            return true;
        }
        let name = format!("{}/{}", account.namespace, account.name);
        let (kind, state) = match account.state {
            AccountState::Declared => (Kind::Account, None),
            AccountState::Own => (Kind::Account, Some("made by the workload")),
            AccountState::Absent => (Kind::Unknown, Some("not among the files")),
            AccountState::Ambiguous => (Kind::Unknown, Some("several copies that differ")),
        };
        let cluster = inventory.has_clusters().then_some(account.cluster.as_str()).filter(|cluster| !cluster.is_empty());
        let cluster = cluster.map(|cluster| format!("in {cluster}"));
        let texts = ["service account", &name].into_iter().chain(cluster.as_deref()).chain(state);
        if !self.add(&id, kind, texts, account.location.as_ref()) {
            return false;
        }
        for (index, user) in account.users.iter().take(MAX_USERS).enumerate() {
            let box_id = format!("{id}u{index}");
            if self.add(&box_id, Kind::User, std::iter::once(user.object.title().as_str()), Some(&user.location)) {
                self.arrow(&box_id, &id, if user.without_pods { "has tokens issued" } else { "runs as" });
            }
        }
        if account.users.len() > MAX_USERS {
            let box_id = format!("{id}more");
            let text = format!("(+{} more)", account.users.len() - MAX_USERS);
            if self.add(&box_id, Kind::User, std::iter::once(text.as_str()), None) {
                self.arrow(&box_id, &id, "runs as");
            }
        }
        for binding in &account.bindings {
            let Some(role) = inventory.roles.get(binding.role) else { continue };
            let box_id = format!("r{}", binding.role);
            let kind = match (role.state, role.in_cluster.power.max(role.in_namespace.power)) {
                (RoleState::Absent | RoleState::Ambiguous, _) => Kind::Unknown,
                (_, Power::ClusterAdmin) => Kind::Grave,
                _ => Kind::Role,
            };
            let name = if role.namespace.is_empty() { role.name.clone() } else { format!("{}/{}", role.namespace, role.name) };
            if self.add(&box_id, kind, [role.kind.as_str(), &name].into_iter(), role.location.as_ref()) {
                let place = binding.in_namespace.as_deref().map_or("in the whole cluster".to_owned(), |name| format!("in {name}"));
                self.arrow(&id, &box_id, &place);
            }
        }
        true
    }

    /// Adds a box, if there is room or it is there already.
    fn add<'t>(&mut self, id: &str, kind: Kind, texts: impl Iterator<Item = &'t str>, place: Option<&Place>) -> bool {
        if self.known.contains(id) {
            return true;
        }
        if self.boxes.len() >= self.most {
            self.left_out.insert(id.to_owned());
            return false;
        }
        let mut lines: Vec<String> = texts.map(line).collect();
        let at = |place: &Place| if place.near { place.file.clone() } else { format!("{}:{}", place.file, place.line) };
        lines.extend(place.map(|place| line(&at(place))));
        self.boxes.push(Item { id: id.to_owned(), kind, lines });
        self.known.insert(id.to_owned());
        true
    }

    fn arrow(&mut self, from: &str, to: &str, text: &str) {
        let text = line(text);
        if !self.drawn.insert((from.to_owned(), to.to_owned(), text.clone())) {
            return;
        }
        if self.arrows.len() >= MAX_ARROWS {
            self.left_out.insert(format!("{from} {to} {text}"));
        } else {
            self.arrows.push(Arrow { from: from.to_owned(), to: to.to_owned(), text });
        }
    }
}

/// A text that is safe to show, and not too long.
fn line(text: &str) -> String {
    let mut shown: String = printable(text).chars().take(MAX_LINE).collect();
    if text.chars().nth(MAX_LINE).is_some() {
        shown.push('…');
    }
    shown
}
