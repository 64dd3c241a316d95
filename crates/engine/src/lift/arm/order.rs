//! What Azure deploys at the same time: everything that no `dependsOn` puts in order.

use std::collections::HashMap;

use fedward_manifest::Node;

use super::expression::{Expression, is_expression};
use super::resource::Resource;
use super::scope::{Piece, Scopes};

/// Steps along dependencies that are taken for one template. Real ones have at most 800 resources.
const BUDGET: usize = 1_000_000;
/// Resources that are named for each.
const MAX_BESIDE: usize = 8;

/// For each resource of a group those before it, by number, that may be deployed at the same time. Resources whose order is not known,
/// because they or what they depend on name something in a way that is not understood, are in no list.
pub(super) fn beside<'d>(resources: &[Resource<'d>], groups: &[Vec<usize>], scopes: &Scopes<'d>) -> HashMap<usize, Vec<usize>> {
    let mut found = HashMap::new();
    if groups.iter().all(|group| group.len() < 2) {
        return found;
    }
    let names = Names::of(resources);
    let edges: Vec<Option<Vec<usize>>> = resources.iter().map(|resource| names.dependencies(resource, scopes)).collect();
    let mut left = BUDGET;
    for group in groups.iter().filter(|group| group.len() > 1) {
        let mut before: Vec<(usize, Vec<bool>)> = Vec::new();
        for one in group {
            // What it waits for; where that is not known, it may wait for everything.
            let Some(reached) = reach(*one, &edges, &mut left) else { continue };
            let mut others = Vec::new();
            for (other, theirs) in &before {
                let waits = |reached: &[bool], number: usize| reached.get(number).copied().unwrap_or(true);
                if !waits(&reached, *other) && !waits(theirs, *one) {
                    others.push(*other);
                }
            }
            if !others.is_empty() {
                others.truncate(MAX_BESIDE);
                found.insert(*one, others);
            }
            before.push((*one, reached));
        }
    }
    found
}

/// Which resources one waits for, directly or not; `None` where that is not known.
fn reach(from: usize, edges: &[Option<Vec<usize>>], left: &mut usize) -> Option<Vec<bool>> {
    *left = left.checked_sub(edges.len())?;
    let mut reached = vec![false; edges.len()];
    let mut waiting = vec![from];
    while let Some(number) = waiting.pop() {
        for next in edges.get(number)?.as_ref()? {
            *left = left.checked_sub(1)?;
            if let Some(seen) = reached.get_mut(*next).filter(|seen| !**seen) {
                *seen = true;
                waiting.push(*next);
            }
        }
    }
    Some(reached)
}

/// The ways in which `dependsOn` names resources.
struct Names<'d> {
    symbols: HashMap<&'d str, usize>,
    /// Types and names, names alone (several resources may have the same), names of loops.
    ids: HashMap<String, usize>,
    names: HashMap<String, Vec<usize>>,
}

impl<'d> Names<'d> {
    fn of(resources: &[Resource<'d>]) -> Self {
        let mut names = Names { symbols: HashMap::new(), ids: HashMap::new(), names: HashMap::new() };
        for (number, resource) in resources.iter().enumerate() {
            if let Some(symbol) = resource.symbol {
                names.symbols.insert(symbol, number);
            }
            let name = canonical(&resource.names);
            names.ids.insert(format!("{}|{name}", resource.kind), number);
            names.ids.insert(interleaved(&resource.kind, &name), number);
            names.names.entry(name).or_default().push(number);
            if let Some(copy) = resource.copy_name() {
                names.names.entry(copy.to_ascii_lowercase()).or_default().push(number);
            }
        }
        names
    }

    fn dependencies(&self, resource: &Resource<'d>, scopes: &Scopes<'d>) -> Option<Vec<usize>> {
        let Some(list) = resource.node.get("dependsOn") else { return Some(Vec::new()) };
        if !list.is_seq() {
            return None;
        }
        let mut found = Vec::new();
        for entry in list.items() {
            found.extend(self.dependency(entry, resource.scope, scopes)?);
        }
        Some(found)
    }

    fn dependency(&self, entry: Node<'d>, scope: usize, scopes: &Scopes<'d>) -> Option<Vec<usize>> {
        let text = entry.as_str()?;
        if let Some(number) = self.symbols.get(text) {
            return Some(vec![*number]);
        }
        if let Some(Expression::Call(function, arguments)) = Some(text).filter(|text| is_expression(text)).and_then(Expression::parse)
            && function.ends_with("resourceid")
        {
            // Before the type may stand a subscription, a resource group, or the resource that is extended.
            let at = arguments.iter().position(|argument| argument.as_text().is_some_and(is_type))?;
            let kind = arguments.get(at)?.as_text()?.to_ascii_lowercase();
            let names: Vec<String> = arguments.iter().skip(at + 1).map(|argument| canonical(&scopes.pieces_of(argument, scope))).collect();
            return self.ids.get(&format!("{kind}|{}", names.join("/"))).map(|number| vec![*number]);
        }
        let name = canonical(&scopes.pieces(entry, scope));
        let by_id = || self.ids.get(&name).map(|number| vec![*number]);
        self.names.get(&name).cloned().or_else(by_id)
    }
}

/// Whether a text is the type of a resource: `Microsoft.ManagedIdentity/userAssignedIdentities`.
pub(super) fn is_type(text: &str) -> bool {
    text.split_once('/').is_some_and(|(provider, _)| provider.contains('.'))
}

/// One text for a name, the same wherever the name is written in another way.
pub(super) fn canonical(pieces: &[Piece]) -> String {
    let texts = pieces.iter().map(|piece| match piece {
        Piece::Known(text) => text.to_ascii_lowercase(),
        Piece::Unknown(text) => format!("({text})"),
    });
    texts.collect()
}

/// `type/name/type/name`, as ids have them.
fn interleaved(kind: &str, name: &str) -> String {
    let (provider, kinds) = kind.split_once('/').unwrap_or((kind, ""));
    let mut found = provider.to_owned();
    let mut names = name.split('/');
    for kind in kinds.split('/') {
        found.extend(["/", kind, "/", names.next().unwrap_or("")]);
    }
    found
}
