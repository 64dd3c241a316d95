//! What `terraform show -json` (or `tofu show -json`) prints of a state or of a plan.
//!
//! * Instances: `values` or `planned_values`, the modules in it of any depth. Data sources are not deployed, and left out.
//! * Values: of a plan `resource_changes[].change.after_unknown` says which are not known yet. A field that is missing is not known
//!   either. What `sensitive_values` or `after_sensitive` name is never read, nor shown.
//! * An object is named by the address of its instance: `module.shop.azurerm_federated_identity_credential.ci["main"]`.

mod attributes;
mod rows;

use std::collections::HashMap;

use fedward_manifest::{Limits, Node, Span};

use super::{Lifted, Made};
use crate::load::text;
use attributes::{Attributes, Marks};

/// The types of resources that are read.
#[cfg(test)]
pub(super) fn kinds() -> impl Iterator<Item = &'static str> {
    rows::kinds()
}

/// Whether a document is Terraform's: one of its JSON formats, or its own file of the state.
pub(crate) fn looks_like(root: Node<'_>) -> bool {
    let has = |key| root.get(key).is_some();
    let is_printed = text(root, "format_version").is_some()
        && (root.len() == 1 || ["terraform_version", "values", "planned_values", "provider_schemas"].into_iter().any(has));
    is_printed || is_file_of_state(root)
}

fn is_file_of_state(root: Node<'_>) -> bool {
    root.get("lineage").is_some() && root.get("serial").is_some() && text(root, "terraform_version").is_some()
}

/// Lifts the instances of types that are read.
pub(super) fn lift(root: Node<'_>, limits: &Limits) -> Lifted {
    if is_file_of_state(root) {
        return Lifted::NotUnderstood("a file of Terraform's own; what is read is the output of `terraform show -json`".to_owned());
    }
    let version = text(root, "format_version").unwrap_or_default();
    if !matches!(version.split('.').next(), Some("0" | "1")) {
        return Lifted::NotUnderstood(format!("version {version} of Terraform's JSON format, of which 1 is read"));
    }
    let mut made = Made { generated: true, ..Made::default() };
    let instances = instances(root);
    // Where identities are, by their ids.
    let mut regions: HashMap<String, Node<'_>> = HashMap::new();
    for instance in instances.iter().filter(|instance| instance.kind == "azurerm_user_assigned_identity") {
        if let (Some(id), Some(region)) = (instance.attributes.known("id"), instance.attributes.known("location")) {
            regions.insert(id.as_str().unwrap_or_default().to_ascii_lowercase(), region);
        }
    }
    for instance in &instances {
        match rows::of(instance, &regions, limits) {
            rows::Outcome::Object(document) => made.documents.push(document),
            rows::Outcome::LeftOut(why) => made.left_out.push((instance.node.span(), format!("`{}`: {why}", instance.address))),
            rows::Outcome::NotRead => {}
        }
    }
    if made.documents.is_empty() && made.left_out.is_empty() {
        return Lifted::NotUnderstood(
            "a Terraform document without federated credentials, trust policies, role assignments or clusters".to_owned(),
        );
    }
    Lifted::Objects(made)
}

/// A resource as it is, or will be.
struct Instance<'d> {
    node: Node<'d>,
    /// Its type.
    kind: &'d str,
    address: &'d str,
    attributes: Attributes<'d>,
}

/// Every managed instance, in the order of the document.
fn instances(root: Node<'_>) -> Vec<Instance<'_>> {
    let planned = root.get("planned_values");
    let Some(values) = planned.or_else(|| root.get("values")) else { return Vec::new() };
    let changes = if planned.is_some() { changes(root) } else { HashMap::new() };
    let mut found = Vec::new();
    let mut waiting: Vec<Node<'_>> = values.get("root_module").into_iter().collect();
    // The reader bounds how deep modules hold modules.
    while let Some(module) = waiting.pop() {
        for node in module.get("resources").into_iter().flat_map(Node::items) {
            // A deposed instance is on its way out.
            if text(node, "mode") != Some("managed") || node.get("deposed_key").is_some() {
                continue;
            }
            let (Some(kind), Some(address), Some(values)) = (text(node, "type"), text(node, "address"), node.get("values")) else {
                continue;
            };
            let change = changes.get(address);
            let attributes = Attributes {
                values,
                unknown: Marks(change.and_then(|change| change.get("after_unknown"))),
                secret: [Marks(node.get("sensitive_values")), Marks(change.and_then(|change| change.get("after_sensitive")))],
            };
            found.push(Instance { node, kind, address, attributes });
        }
        let modules: Vec<Node<'_>> = module.get("child_modules").into_iter().flat_map(Node::items).collect();
        waiting.extend(modules.into_iter().rev());
    }
    found
}

/// The changes of a plan, by address.
fn changes(root: Node<'_>) -> HashMap<&str, Node<'_>> {
    let all = root.get("resource_changes").into_iter().flat_map(Node::items).filter(|change| change.get("deposed").is_none());
    all.filter_map(|change| Some((text(change, "address")?, change.get("change")?))).collect()
}

/// Where a Terraform document holds what must not be shown: everything but the values of instances that are read, and of these what is
/// marked as secret.
pub(crate) fn secrets(root: Node<'_>, spans: &mut Vec<Span>) {
    for entry in root.entries() {
        match entry.key {
            "values" | "planned_values" if !is_file_of_state(root) => {
                let others = entry.value.entries().filter(|entry| entry.key != "root_module");
                spans.extend(others.map(|entry| entry.value.span()));
            }
            "format_version" | "terraform_version" => {}
            _ => spans.push(entry.value.span()),
        }
    }
    let planned = root.get("planned_values").is_some();
    if let (true, Some(values)) = (planned, root.get("values")) {
        spans.push(values.span());
    }
    for instance in instances(root) {
        if rows::is_read(instance.kind) {
            instance.attributes.secrets(spans);
        } else {
            spans.push(instance.attributes.values.span());
        }
    }
}
