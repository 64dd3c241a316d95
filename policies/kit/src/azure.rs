//! Objects about identities of Azure: the identities themselves, and the roles that are assigned to them.

use crate::node::Node;
use crate::request::group_of;
use crate::trust;

/// A user-assigned managed identity, as Azure Service Operator and Crossplane have it.
#[derive(Clone, Copy)]
pub struct ManagedIdentity<'a> {
    /// The object.
    pub object: Node<'a>,
    /// The name on Azure's side.
    pub name: Node<'a>,
    /// The client id, which only the running operator knows; absent in most manifests.
    pub client_id: Node<'a>,
    /// The object id of its service principal, the same.
    pub principal_id: Node<'a>,
    /// The resource id, the same.
    pub resource_id: Node<'a>,
    /// The ConfigMap into which Azure Service Operator writes the object id: a map with `name` and `key`.
    pub principal_config: Option<Node<'a>>,
}

impl<'a> ManagedIdentity<'a> {
    /// Reads an object that is an identity; `None` for any other.
    pub fn of(object: Node<'a>) -> Option<Self> {
        if object.peek_text("kind")? != "UserAssignedIdentity" {
            return None;
        }
        let (spec, status, metadata) = (object.peek("spec"), object.peek("status"), object.peek("metadata"));
        let named = |own: Node<'a>| if own.peek_str().is_some_and(|name| !name.is_empty()) { own } else { metadata.peek("name") };
        match group_of(object.peek_text("apiVersion")?) {
            "managedidentity.azure.com" => Some(ManagedIdentity {
                object,
                name: named(spec.peek("azureName")),
                client_id: status.peek("clientId"),
                principal_id: status.peek("principalId"),
                resource_id: status.peek("id"),
                principal_config: Some(spec.peek("operatorSpec").peek("configMaps").peek("principalId")),
            }),
            "managedidentity.azure.upbound.io" | "managedidentity.azure.m.upbound.io" => {
                let seen = status.peek("atProvider");
                Some(ManagedIdentity {
                    object,
                    name: named(metadata.peek("annotations").peek("crossplane.io/external-name")),
                    client_id: seen.peek("clientId"),
                    principal_id: seen.peek("principalId"),
                    resource_id: seen.peek("id"),
                    principal_config: None,
                })
            }
            _ => None,
        }
    }

    /// The texts by which [`trust::Credential::parent_key`] may call it.
    pub fn keys(&self, namespace: &str) -> Vec<String> {
        let text = |node: Node<'a>| node.peek_str().filter(|text| !text.is_empty());
        let name = text(self.object.peek("metadata").peek("name")).map(|name| format!("{namespace}/{name}"));
        name.into_iter().chain(text(self.resource_id).map(str::to_ascii_lowercase)).collect()
    }
}

/// A role that is assigned to somebody, in any of its forms: a custom resource, or a document that the engine lifted.
#[derive(Clone, Copy)]
pub struct RoleAssignment<'a> {
    /// What names the role.
    pub role: Node<'a>,
    /// What names the scope.
    pub scope: Node<'a>,
    /// What kind of principal it is.
    pub principal_type: Node<'a>,
    /// A condition that limits it.
    pub condition: Node<'a>,
    /// The principal's object id.
    pub principal_id: Node<'a>,
    /// Where Azure Service Operator takes that from instead: a map with the `name` and `key` of a ConfigMap.
    pub principal_config: Node<'a>,
    /// The name of the object that Crossplane takes it from.
    pub principal_reference: Node<'a>,
}

impl<'a> RoleAssignment<'a> {
    /// Reads an object that is an assignment of a role; `None` for any other.
    pub fn of(object: Node<'a>) -> Option<Self> {
        if object.peek_text("kind")? != "RoleAssignment" {
            return None;
        }
        let spec = object.get("spec");
        let first = |nodes: [Node<'a>; 2]| nodes.into_iter().find(|node| node.peek_str().is_some_and(|text| !text.is_empty()));
        let group = group_of(object.peek_text("apiVersion")?);
        let fields = match group {
            "authorization.azure.com" | trust::GROUP => spec,
            "authorization.azure.upbound.io" | "authorization.azure.m.upbound.io" => spec.get("forProvider"),
            _ => return None,
        };
        let (role, scope) = if group == "authorization.azure.com" {
            let (role, owner) = (spec.get("roleDefinitionReference"), spec.get("owner"));
            // The name of another resource of the cluster: its kind tells the scope.
            (first([role.get("armId"), role.get("wellKnownName")])?, first([owner.get("armId"), owner.get("kind")]).unwrap_or(owner))
        } else {
            (first([fields.get("roleDefinitionId"), fields.get("roleDefinitionName")])?, fields.get("scope"))
        };
        Some(RoleAssignment {
            role,
            scope,
            principal_type: fields.get("principalType"),
            condition: fields.get("condition"),
            principal_id: fields.peek("principalId"),
            principal_config: spec.peek("principalIdFromConfig"),
            principal_reference: fields.peek("principalIdRef").peek("name"),
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use bumpalo::Bump;
    use serde_json::{Value as Json, json};

    use super::{ManagedIdentity, RoleAssignment};
    use crate::node::{Node, Origin, Session};
    use crate::value::Value;

    fn object<'a>(version: &str, kind: &str, fields: &Json, bump: &'a Bump) -> Node<'a> {
        let mut object = json!({ "apiVersion": version, "kind": kind, "metadata": { "name": "till" } });
        object.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        Session::new(bump).root(Value::from_json(bump.alloc_str(&object.to_string()).as_bytes(), bump).unwrap(), Origin::Aside)
    }

    #[test]
    fn identities_of_both_operators() {
        let bump = Bump::new();
        let seen = json!({ "clientId": "c", "principalId": "p", "id": "/subscriptions/X" });
        let exported = json!({ "operatorSpec": { "configMaps": { "principalId": { "name": "n", "key": "k" } } } });
        for (version, fields) in [
            ("managedidentity.azure.com/v1api20230131", json!({ "spec": exported, "status": seen })),
            ("managedidentity.azure.m.upbound.io/v1beta1", json!({ "status": { "atProvider": seen } })),
        ] {
            let identity = ManagedIdentity::of(object(version, "UserAssignedIdentity", &fields, &bump)).unwrap();
            let texts = [identity.name, identity.client_id, identity.principal_id].map(|node| node.peek_str().unwrap());
            assert_eq!(texts, ["till", "c", "p"], "{version}");
            assert_eq!(identity.keys("shop"), ["shop/till", "/subscriptions/x"]);
            assert_eq!(identity.principal_config.and_then(|at| at.peek_text("key")).is_some(), version.contains("azure.com"));
        }
        assert!(ManagedIdentity::of(object("other.example/v1", "UserAssignedIdentity", &json!({}), &bump)).is_none());
    }

    #[test]
    fn assignments_in_every_form() {
        let bump = Bump::new();
        let operator = json!({ "spec": {
            "owner": { "armId": "/s" }, "roleDefinitionReference": { "wellKnownName": "AcrPush" }, "principalIdFromConfig": { "name": "n", "key": "k" },
        } });
        let crossplane =
            json!({ "spec": { "forProvider": { "scope": "/s", "roleDefinitionName": "AcrPush", "principalIdRef": { "name": "n" } } } });
        let document = json!({ "spec": { "scope": "/s", "roleDefinitionId": "AcrPush", "principalId": "n" } });
        for (version, fields) in [
            ("authorization.azure.com/v1api20220401", operator),
            ("authorization.azure.upbound.io/v1beta1", crossplane),
            ("trust.fedward/v1", document),
        ] {
            let assignment = RoleAssignment::of(object(version, "RoleAssignment", &fields, &bump)).unwrap();
            assert_eq!([assignment.role, assignment.scope].map(|node| node.peek_str().unwrap()), ["AcrPush", "/s"], "{version}");
            let principals = [assignment.principal_id, assignment.principal_config.peek("name"), assignment.principal_reference];
            assert_eq!(principals.into_iter().filter_map(Node::peek_str).collect::<Vec<_>>(), ["n"], "{version}");
        }
        assert!(RoleAssignment::of(object("authorization.azure.com/v1", "RoleAssignment", &json!({}), &bump)).is_none());
    }
}
