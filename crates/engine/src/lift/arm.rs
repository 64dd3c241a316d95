//! ARM deployment templates, as Bicep compiles them or as they are written by hand.
//!
//! * Resources: of a list, of a map (Bicep's symbolic names, `languageVersion` 2.0), children inside their parent, nested deployments of
//!   any depth. What is `existing` or whose `condition` is `false` is not deployed.
//! * Values: expressions are followed where they lead to what is written in the document, see [`scope`]; findings are then where it is
//!   written. All others stay as they are written, and policies take them for not known. `[[` begins a text with a bracket.
//! * A credential's identity is known by its name, or by the expression that names it; see `resource.rs`.

mod expression;
mod order;
mod resource;
mod scope;

use std::collections::HashMap;

use fedward_manifest::{Document, Limits, Node};

use super::{Lifted, Made};
use crate::load::text;
use order::canonical;
pub(super) use resource::becomes;
use resource::{Deployed, Resource};
use scope::{Number, Piece, Scopes};

/// How deep templates may hold templates. Azure takes a few levels.
pub(super) const MAX_TEMPLATES: usize = 16;

/// Whether a document is a template.
pub(super) fn is_template(root: Node<'_>) -> bool {
    text(root, "$schema").is_some_and(|schema| schema.to_ascii_lowercase().contains("deploymenttemplate.json"))
        && root.get("resources").is_some()
}

/// Lifts the resources of a template that are read.
pub(super) fn lift(root: Node<'_>, stem: &str, limits: &Limits) -> Lifted {
    let mut templates = Templates {
        limits,
        stem,
        file: file(root),
        scopes: Scopes::default(),
        made: Made { generated: is_compiled(root), ..Made::default() },
    };
    let scope = templates.scopes.root(root);
    templates.template(root, Place { scope, group: String::new(), level: level(root) }, 0);
    if templates.made.documents.is_empty() {
        return Lifted::NotUnderstood("an ARM template without federated credentials, role assignments, clusters or extensions".to_owned());
    }
    Lifted::Objects(templates.made)
}

/// Whether a compiler wrote the template.
fn is_compiled(root: Node<'_>) -> bool {
    root.get("metadata").is_some_and(|metadata| metadata.get("_generator").is_some())
}

/// What tells a document from others.
fn file(root: Node<'_>) -> String {
    format!("{}:{}", root.document().source().name(), root.span().start)
}

/// Where a template is deployed, and where its expressions are looked up.
#[derive(Clone)]
struct Place {
    scope: Number,
    /// The resource group, where it is another than that of the outermost template.
    group: String,
    level: Option<&'static str>,
}

/// What a template without a resource group is deployed to, as the scope of what it assigns.
fn level(template: Node<'_>) -> Option<&'static str> {
    let schema = text(template, "$schema").unwrap_or_default().to_ascii_lowercase();
    let levels = [
        ("/subscriptiondeploymenttemplate", "/subscriptions/(this)"),
        ("/managementgroupdeploymenttemplate", "/providers/Microsoft.Management/managementGroups/(this)"),
        ("/tenantdeploymenttemplate", "/"),
    ];
    levels.into_iter().find(|(word, _)| schema.contains(word)).map(|(_, scope)| scope)
}

struct Templates<'d, 'a> {
    limits: &'a Limits,
    stem: &'a str,
    file: String,
    scopes: Scopes<'d>,
    made: Made,
}

impl<'d> Templates<'d, '_> {
    /// Lifts what a template deploys itself, and then what the templates in it do.
    fn template(&mut self, template: Node<'d>, place: Place, depth: usize) {
        let mut resources = Vec::new();
        self.collect(template, None, place.scope, &mut resources);
        let deployed = self.deployed(&resources);
        let lifted: Vec<Document> = resources
            .iter()
            .enumerate()
            .filter(|(_, resource)| resource.is_deployed)
            .filter_map(|(number, resource)| {
                let facts = Deployed {
                    file: &self.file,
                    group: &place.group,
                    level: place.level,
                    beside: deployed.beside.get(&number).map_or(&[][..], |found| found),
                    region: deployed.regions.get(&number).copied(),
                };
                resource.object(&self.scopes, &facts, self.stem, self.limits)
            })
            .collect();
        self.made.documents.extend(lifted);
        for resource in resources.iter().filter(|resource| resource.is_deployed && resource.kind == "microsoft.resources/deployments") {
            let Some(properties) = resource.node.get("properties") else { continue };
            let Some(inner) = properties.get("template").filter(|inner| inner.is_map()) else { continue };
            if depth == MAX_TEMPLATES {
                self.made.left_out.push((inner.span(), format!("templates nested deeper than {MAX_TEMPLATES}")));
                continue;
            }
            let options = properties.get("expressionEvaluationOptions");
            let is_inner = options.and_then(|options| text(options, "scope")).is_some_and(|scope| scope.eq_ignore_ascii_case("inner"));
            let scope = if is_inner { self.scopes.nested(inner, properties.get("parameters"), place.scope) } else { place.scope };
            self.template(inner, Place { scope, group: self.group(resource, &place), level: level(inner) }, depth + 1);
        }
    }

    /// The resource group that a nested deployment goes to.
    fn group(&self, deployment: &Resource<'d>, place: &Place) -> String {
        let mut group = String::new();
        for key in ["subscriptionId", "resourceGroup"] {
            if let Some(named) = deployment.node.get(key) {
                group.push_str(&canonical(&self.scopes.pieces(named, place.scope)));
                group.push('/');
            }
        }
        if group.is_empty() { place.group.clone() } else { group }
    }

    /// The resources of a template, or of a resource, with those inside them.
    fn collect(&self, holder: Node<'d>, parent: Option<(&str, &[Piece])>, scope: Number, found: &mut Vec<Resource<'d>>) {
        let Some(list) = holder.get("resources") else { return };
        for node in list.items().filter(|node| node.is_map()) {
            let resource = Resource::of(node, parent, &self.scopes, scope);
            let (kind, names) = (resource.kind.clone(), resource.names.clone());
            found.push(resource);
            // Whether a resource is deployed says nothing of those inside it.
            self.collect(node, Some((&kind, &names)), scope, found);
        }
    }

    /// What the credentials of a template have to do with the other resources in it.
    fn deployed(&self, resources: &[Resource<'d>]) -> Relations<'d> {
        let mut groups: HashMap<String, Vec<usize>> = HashMap::new();
        let mut identities: HashMap<String, Node<'d>> = HashMap::new();
        for (number, resource) in resources.iter().enumerate() {
            if let Some((parent, _)) = resource.credential().filter(|_| resource.is_deployed) {
                // Of two conditions one may rule the other out.
                groups.entry(format!("{} {}", canonical(&parent), resource.condition.as_deref().unwrap_or(""))).or_default().push(number);
            }
            if resource.kind == "microsoft.managedidentity/userassignedidentities"
                && let Some(region) = resource.node.get("location")
            {
                identities.insert(canonical(&resource.names), region);
            }
        }
        let mut ordered: Vec<Vec<usize>> = groups.into_values().collect();
        ordered.sort();
        let regions = resources.iter().enumerate().filter_map(|(number, resource)| {
            let (parent, _) = resource.credential()?;
            Some((number, *identities.get(&canonical(&parent))?))
        });
        let regions = regions.collect();
        let beside = order::beside(resources, &ordered, &self.scopes).into_iter();
        let places = |others: Vec<usize>| others.iter().filter_map(|other| resources.get(*other)).map(|other| other.node).collect();
        Relations { beside: beside.map(|(number, others)| (number, places(others))).collect(), regions }
    }
}

/// Facts of resources, by number.
struct Relations<'d> {
    /// Credentials of the same identity that may be deployed at the same time.
    beside: HashMap<usize, Vec<Node<'d>>>,
    /// Where the identity of a credential is.
    regions: HashMap<usize, Node<'d>>,
}
