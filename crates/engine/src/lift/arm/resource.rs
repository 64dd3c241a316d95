//! Resources of a template, and the objects that they become.

use fedward_manifest::{Builder, Document, Limits, Node};

use super::expression::{Expression, is_expression, unescaped};
use super::order::{canonical, is_type};
use super::scope::{Number, Piece, Resolved, Scopes};
use crate::lift::{Name, key_place, object};
use crate::load::text;

/// Types that are read (lower case), and what they become.
const KINDS: [(&str, &str); 4] = [
    ("microsoft.managedidentity/userassignedidentities/federatedidentitycredentials", "FederatedCredential"),
    ("microsoft.authorization/roleassignments", "RoleAssignment"),
    ("microsoft.containerservice/managedclusters", "ManagedCluster"),
    ("microsoft.kubernetesconfiguration/extensions", "ClusterExtension"),
];

/// What becomes of a type of Azure, given in lower case.
pub(in crate::lift) fn becomes(kind: &str) -> Option<&'static str> {
    KINDS.iter().find(|(known, _)| *known == kind).map(|(_, becomes)| *becomes)
}

/// A resource.
pub(super) struct Resource<'d> {
    pub(super) node: Node<'d>,
    /// The whole type, in lower case.
    pub(super) kind: String,
    /// The whole name: `parent/child`.
    pub(super) names: Vec<Piece>,
    /// Its symbolic name.
    pub(super) symbol: Option<&'d str>,
    /// Where its expressions are looked up.
    pub(super) scope: Number,
    /// Whether the template makes it, as far as it is known.
    pub(super) is_deployed: bool,
    /// The condition that decides whether it does, one text for all that say the same.
    pub(super) condition: Option<String>,
}

/// What else is known of a resource.
pub(super) struct Deployed<'d, 'a> {
    pub(super) file: &'a str,
    pub(super) group: &'a str,
    pub(super) level: Option<&'static str>,
    pub(super) beside: &'a [Node<'d>],
    pub(super) region: Option<Node<'d>>,
}

impl<'d> Resource<'d> {
    /// Reads a resource; `parent` is the type and the name of the one that it stands in.
    pub(super) fn of(node: Node<'d>, parent: Option<(&str, &[Piece])>, scopes: &Scopes<'d>, scope: Number) -> Self {
        // Bicep's newer compilers write the version behind the type of extensibility resources.
        let kind = text(node, "type").unwrap_or_default().split('@').next().unwrap_or_default().to_ascii_lowercase();
        let own = node.get("name").map(|name| scopes.pieces(name, scope)).unwrap_or_default();
        let (kind, names) = match parent {
            Some((above, names)) if !is_type(&kind) => {
                (format!("{above}/{kind}"), names.iter().cloned().chain([Piece::Known("/".to_owned())]).chain(own).collect())
            }
            _ => (kind, own),
        };
        let condition = node.get("condition").map(|condition| (condition, scopes.resolve(condition, scope)));
        let (is_deployed, condition) = match condition {
            Some((_, Resolved::Node(found, _))) if found.as_bool().is_some() => (found.as_bool() != Some(false), None),
            Some((condition, _)) => (true, Some(canonical(&scopes.pieces(condition, scope)))),
            None => (true, None),
        };
        let is_existing = node.get("existing").and_then(Node::as_bool) == Some(true);
        Resource { node, kind, names, symbol: node.key(), scope, is_deployed: is_deployed && !is_existing, condition }
    }

    /// Of a federated credential the name of its identity and its own.
    pub(super) fn credential(&self) -> Option<(Vec<Piece>, Vec<Piece>)> {
        becomes(&self.kind).filter(|kind| *kind == "FederatedCredential").and_then(|_| split(&self.names))
    }

    /// The name of its loop.
    pub(super) fn copy_name(&self) -> Option<&'d str> {
        text(self.node.get("copy")?, "name")
    }

    /// The object that it becomes, if its type is read.
    pub(super) fn object(&self, scopes: &Scopes<'d>, facts: &Deployed<'d, '_>, stem: &str, limits: &Limits) -> Option<Document> {
        let kind = becomes(&self.kind)?;
        let place = self.node.get("name").map_or_else(|| self.node.place(), Node::span);
        let written = text(self.node, "name").unwrap_or(stem);
        let whole = known(&self.names).filter(|name| !name.is_empty());
        let properties = self.node.get("properties");
        let writer = Writer { scopes, scope: self.scope, hops: MAX_HOPS };
        object(self.node, kind, Name { text: whole.as_deref().unwrap_or(written), place }, limits, |builder| {
            let own = match self.credential() {
                Some((_, own)) => known(&own),
                None => whole.clone(),
            };
            builder.key("name", place).string(own.as_deref().unwrap_or(written), place);
            for key in ["scope", "extensionType"] {
                if let Some(value) = self.node.get(key) {
                    builder.key(key, key_place(value));
                    writer.property(builder, value);
                }
            }
            match kind {
                "FederatedCredential" => self.relations(builder, scopes, facts),
                "RoleAssignment" => {
                    if let Some(level) = facts.level.filter(|_| self.node.get("scope").is_none()) {
                        builder.key("scope", self.node.place()).string(level, self.node.place());
                    }
                }
                "ManagedCluster" => self.identities(builder, scopes, facts),
                _ => {}
            }
            let taken = |key: &str| {
                matches!(key, "name" | "parent" | "identity" | "parallel" | "beside" | "region")
                    || kind == "ManagedCluster" && key == "identityProfile"
                    || matches!(key, "scope" | "extensionType") && self.node.get(key).is_some()
                    || kind == "RoleAssignment" && key == "scope" && facts.level.is_some()
            };
            for entry in properties.into_iter().flat_map(Node::entries).filter(|entry| !taken(entry.key)) {
                builder.key(entry.key, key_place(entry.value));
                writer.property(builder, entry.value);
            }
        })
    }

    /// What a credential has to do with others: its identity, the region of that, and what is made at the same time.
    fn relations(&self, builder: &mut Builder<'_>, scopes: &Scopes<'d>, facts: &Deployed<'d, '_>) {
        let Some((parent, _)) = self.credential() else { return };
        let place = self.node.get("name").map_or_else(|| self.node.place(), Node::span);
        // Whether it will be one of the identity's credentials is not known where a condition decides.
        if self.condition.is_none() {
            builder.key("parent", place).string(&identity(&parent, facts), place);
        }
        if let Some((region, name)) = facts.region.and_then(|region| Some((region, known(&scopes.pieces(region, self.scope))?))) {
            builder.key("region", region.span()).string(&name, region.span());
        }
        // One identity each: nothing is made at the same time.
        let is_looped = !canonical(&parent).contains("copyindex(");
        if let Some(copy) = self.node.get("copy").filter(|copy| is_looped && is_parallel(*copy)) {
            builder.key("parallel", key_place(copy)).string(text(copy, "name").unwrap_or_default(), key_place(copy));
        }
        if !facts.beside.is_empty() {
            builder.key("beside", place).list(place);
            for other in facts.beside {
                let place = other.get("name").map_or_else(|| other.place(), Node::span);
                builder.string(text(*other, "name").unwrap_or_default(), place);
            }
            builder.end();
        }
    }

    /// The identities of a cluster, as Azure Service Operator names them.
    fn identities(&self, builder: &mut Builder<'_>, scopes: &Scopes<'d>, facts: &Deployed<'d, '_>) {
        let reference = |builder: &mut Builder<'_>, text: &str, place| {
            let is_id = text.starts_with('/');
            let named = if is_id { text.to_owned() } else { self.reference(text, scopes, facts).unwrap_or_else(|| text.to_owned()) };
            builder.map(place).key(if named.starts_with('/') { "armId" } else { "name" }, place).string(&named, place).end();
        };
        if let Some(identity) = self.node.get("identity").filter(|identity| identity.is_map()) {
            builder.key("identity", key_place(identity)).map(identity.span());
            if let Some(kind) = identity.get("type") {
                builder.key("type", key_place(kind)).copy(kind);
            }
            if let Some(all) = identity.get("userAssignedIdentities").filter(|all| all.is_map()) {
                builder.key("userAssignedIdentities", key_place(all)).list(all.span());
                for entry in all.entries() {
                    let place = key_place(entry.value);
                    builder.map(place).key("reference", place);
                    reference(builder, entry.key, place);
                    builder.end();
                }
                builder.end();
            }
            builder.end();
        }
        let profile = self.node.get("properties").and_then(|properties| properties.get("identityProfile"));
        if let Some(profile) = profile.filter(|profile| profile.is_map()) {
            builder.key("identityProfile", key_place(profile)).map(profile.span());
            for entry in profile.entries() {
                if let Some(id) = entry.value.get("resourceId")
                    && let Some(text) = id.as_str()
                {
                    builder.key(entry.key, key_place(entry.value)).map(entry.value.span()).key("resourceReference", key_place(id));
                    reference(builder, text, id.span());
                    builder.end();
                }
            }
            builder.end();
        }
    }

    /// The name of the identity that an expression gives the id of, as [`identity`] writes it for credentials.
    fn reference(&self, text: &str, scopes: &Scopes<'d>, facts: &Deployed<'d, '_>) -> Option<String> {
        let mut expression = Expression::parse(text)?;
        // Bicep writes keys of maps as `format('{0}', resourceId(…))`.
        if let Expression::Call(function, arguments) = &expression
            && let ("format", [Expression::Text(pattern), inner]) = (function.as_str(), arguments.as_slice())
            && pattern == "{0}"
        {
            expression = inner.clone();
        }
        match &expression {
            Expression::Call(function, arguments) if function == "resourceid" => match arguments.as_slice() {
                [Expression::Text(kind), name] if kind.eq_ignore_ascii_case("Microsoft.ManagedIdentity/userAssignedIdentities") => {
                    Some(identity(&scopes.pieces_of(name, self.scope), facts))
                }
                _ => None,
            },
            _ => known(&scopes.pieces_of(&expression, self.scope)),
        }
    }
}

/// The two parts of a name.
fn split(names: &[Piece]) -> Option<(Vec<Piece>, Vec<Piece>)> {
    let (at, (before, after)) = names.iter().enumerate().find_map(|(at, piece)| match piece {
        Piece::Known(text) => Some((at, text.split_once('/')?)),
        Piece::Unknown(_) => None,
    })?;
    let part = |text: &str| Some(Piece::Known(text.to_owned())).filter(|_| !text.is_empty());
    let parent: Vec<Piece> = names.iter().take(at).cloned().chain(part(before)).collect();
    let own: Vec<Piece> = part(after).into_iter().chain(names.iter().skip(at + 1).cloned()).collect();
    (!parent.is_empty()).then_some((parent, own))
}

/// The text, if all of it is known.
fn known(pieces: &[Piece]) -> Option<String> {
    let texts: Option<Vec<&str>> = pieces
        .iter()
        .map(|piece| match piece {
            Piece::Known(text) => Some(text.as_str()),
            Piece::Unknown(_) => None,
        })
        .collect();
    texts.filter(|texts| !texts.is_empty()).map(|texts| texts.concat())
}

/// One text for an identity by which credentials of the same one are grouped: its name, or where that is not known, or the resource group
/// is another than that of the document's outermost template, an expression that no other document has.
fn identity(name: &[Piece], facts: &Deployed<'_, '_>) -> String {
    match known(name) {
        Some(name) if facts.group.is_empty() => name,
        _ => format!("[identity('{}', '{}', {})]", facts.file, facts.group, canonical(name)),
    }
}

/// Whether Azure makes the copies at the same time; if it makes one copy only, or one after the other, it does not.
fn is_parallel(copy: Node<'_>) -> bool {
    let is_serial = text(copy, "mode").is_some_and(|mode| mode.eq_ignore_ascii_case("serial"));
    let at_once = copy.get("batchSize").and_then(Node::as_i64).unwrap_or(1);
    let is_single = copy.get("count").and_then(Node::as_i64).is_some_and(|count| count < 2);
    let is_known = copy.get("mode").is_none_or(|mode| mode.as_str().is_some_and(|mode| !is_expression(mode)));
    is_known && !is_single && (!is_serial || at_once > 1)
}

/// How many expressions may stand in what expressions lead to.
const MAX_HOPS: u32 = 8;

/// Copies values of a template.
struct Writer<'d, 'a> {
    scopes: &'a Scopes<'d>,
    scope: Number,
    hops: u32,
}

impl<'d> Writer<'d, '_> {
    /// A property. What has no expressions in it is copied as it is written, so that it can be mended there.
    fn property(&self, builder: &mut Builder<'_>, node: Node<'d>) {
        if has_expressions(node) {
            self.copy(builder, node);
        } else {
            builder.copy(node);
        }
    }

    /// A value with everything in it, expressions as what they are known to be.
    fn copy(&self, builder: &mut Builder<'_>, node: Node<'d>) {
        match self.scopes.resolve(node, self.scope) {
            Resolved::Text(pieces) => match known(&pieces) {
                Some(text) => _ = builder.string(&text, node.span()),
                None => _ = builder.copy(node),
            },
            Resolved::Node(found, _) if found.id() == node.id() => self.inside(builder, found),
            // What is written elsewhere may be used again and again.
            Resolved::Node(found, scope) => match self.hops.checked_sub(1) {
                Some(hops) if self.scopes.spend(found.span().len() as usize) => {
                    Writer { scopes: self.scopes, scope, hops }.inside(builder, found);
                }
                _ => _ = builder.copy(node),
            },
        }
    }

    fn inside(&self, builder: &mut Builder<'_>, node: Node<'d>) {
        if node.is_map() {
            builder.map(node.span());
            for entry in node.entries() {
                builder.key(entry.key, key_place(entry.value));
                self.copy(builder, entry.value);
            }
            builder.end();
        } else if node.is_seq() {
            builder.list(node.span());
            node.items().for_each(|item| self.copy(builder, item));
            builder.end();
        } else {
            match node.as_str() {
                Some(text) if text.starts_with("[[") => builder.string(unescaped(text), node.span()),
                _ => builder.copy(node),
            };
        }
    }
}

fn has_expressions(node: Node<'_>) -> bool {
    node.as_str().is_some_and(|text| text.starts_with('[')) || node.items().any(has_expressions)
}
