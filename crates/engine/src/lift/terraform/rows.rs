//! Which types of resources are read, and the objects that they become.

use std::collections::HashMap;

use fedward_manifest::{Builder, Document, Encoding, Format, Limits, Node, Span};

use super::Instance;
use super::attributes::{Attributes, Marked};
use crate::lift::{Name, arm, object};

/// What becomes of an instance.
pub(super) enum Outcome {
    /// An object.
    Object(Document),
    /// Its type is read, but not what it says.
    LeftOut(String),
    /// Its type is not read.
    NotRead,
}

/// A type: the object's kind, the fields of `spec` and the attributes that they are, and what else there is to write.
struct Row {
    kind: &'static str,
    becomes: &'static str,
    fields: &'static [(&'static str, &'static str)],
    more: Option<fn(&mut Writer<'_, '_, '_>)>,
}

const fn row(
    kind: &'static str,
    becomes: &'static str,
    fields: &'static [(&'static str, &'static str)],
    more: Option<fn(&mut Writer<'_, '_, '_>)>,
) -> Row {
    Row { kind, becomes, fields, more }
}

const EXTENSION: &[(&str, &str)] =
    &[("name", "name"), ("extensionType", "extension_type"), ("configurationSettings", "configuration_settings")];

const ROWS: [Row; 18] = [
    row(
        "azurerm_federated_identity_credential",
        "FederatedCredential",
        &[("name", "name"), ("issuer", "issuer"), ("subject", "subject"), ("audiences", "audience")],
        Some(|writer| writer.identity(&["user_assigned_identity_id", "parent_id"])),
    ),
    row(
        "azuread_application_federated_identity_credential",
        "FederatedCredential",
        &[("name", "display_name"), ("issuer", "issuer"), ("subject", "subject"), ("audiences", "audiences")],
        Some(|writer| writer.identity(&["application_id", "application_object_id"])),
    ),
    row(
        "azuread_application_flexible_federated_identity_credential",
        "FederatedCredential",
        &[
            ("name", "display_name"),
            ("issuer", "issuer"),
            ("claimsMatchingExpression", "claims_matching_expression"),
            ("audiences", "audience"),
        ],
        Some(|writer| writer.identity(&["application_id"])),
    ),
    row(
        "azurerm_role_assignment",
        "RoleAssignment",
        &[("principalId", "principal_id"), ("principalType", "principal_type"), ("scope", "scope"), ("condition", "condition")],
        Some(|writer| writer.one_of(&[("roleDefinitionId", "role_definition_id"), ("roleDefinitionName", "role_definition_name")])),
    ),
    row(
        "azurerm_kubernetes_cluster",
        "ManagedCluster",
        &[("name", "name"), ("disableLocalAccounts", "local_account_disabled")],
        Some(|writer| writer.cluster()),
    ),
    row("azurerm_kubernetes_cluster_extension", "ClusterExtension", EXTENSION, None),
    row("azurerm_arc_kubernetes_cluster_extension", "ClusterExtension", EXTENSION, None),
    // In `azapi` a resource is as in an ARM template.
    row("azapi_resource", "", &[], None),
    row("aws_iam_role", "AssumeRolePolicy", &[("name", "name")], Some(|writer| writer.trust_policy())),
    row(
        "aws_iam_openid_connect_provider",
        "OpenIDConnectProvider",
        &[("clientIDs", "client_id_list")],
        Some(|writer| writer.provider_url()),
    ),
    row(
        "aws_eks_pod_identity_association",
        "PodIdentityAssociation",
        &[("clusterName", "cluster_name"), ("namespace", "namespace"), ("serviceAccount", "service_account"), ("roleARN", "role_arn")],
        None,
    ),
    row(
        "aws_eks_access_entry",
        "AccessEntry",
        &[("clusterName", "cluster_name"), ("principalARN", "principal_arn"), ("kubernetesGroups", "kubernetes_groups"), ("type", "type")],
        None,
    ),
    row(
        "aws_eks_access_policy_association",
        "AccessEntry",
        &[("clusterName", "cluster_name"), ("principalARN", "principal_arn")],
        Some(|writer| writer.access_policy()),
    ),
    row(
        "google_service_account_iam_member",
        "IAMPolicyMember",
        &[("member", "member"), ("role", "role")],
        Some(|writer| writer.resource("IAMServiceAccount", "service_account_id")),
    ),
    row(
        "google_project_iam_member",
        "IAMPolicyMember",
        &[("member", "member"), ("role", "role")],
        Some(|writer| writer.resource("Project", "project")),
    ),
    row("google_service_account_iam_binding", "IAMPolicy", &[], Some(|writer| writer.binding("IAMServiceAccount", "service_account_id"))),
    row("google_project_iam_binding", "IAMPolicy", &[], Some(|writer| writer.binding("Project", "project"))),
    row(
        "google_iam_workload_identity_pool_provider",
        "IAMWorkloadIdentityPoolProvider",
        &[("attributeMapping", "attribute_mapping"), ("attributeCondition", "attribute_condition")],
        Some(|writer| writer.pool_provider()),
    ),
];

/// The types that are read.
#[cfg(test)]
pub(super) fn kinds() -> impl Iterator<Item = &'static str> {
    ROWS.iter().map(|row| row.kind)
}

/// Whether instances of a type are read.
pub(super) fn is_read(kind: &str) -> bool {
    ROWS.iter().any(|row| row.kind == kind)
}

/// The object that an instance becomes. `regions` are those of identities, by their ids in lower case.
pub(super) fn of<'d>(instance: &Instance<'d>, regions: &HashMap<String, Node<'d>>, limits: &Limits) -> Outcome {
    let Some(row) = ROWS.iter().find(|row| row.kind == instance.kind) else { return Outcome::NotRead };
    let attributes = instance.attributes;
    let becomes = if row.kind == "azapi_resource" {
        let kind = attributes.known("type").and_then(Node::as_str).unwrap_or_default().split('@').next().unwrap_or_default();
        match arm::becomes(&kind.to_ascii_lowercase()) {
            Some(becomes) => becomes,
            None => return Outcome::NotRead,
        }
    } else {
        row.becomes
    };
    let name = Name { text: instance.address, place: attributes.known("name").map_or_else(|| instance.node.span(), Node::span) };
    let mut problem = None;
    let document = object(instance.node, becomes, name, limits, |builder| {
        let mut writer = Writer { builder, attributes, regions, limits, becomes, problem: &mut problem };
        if row.kind == "azapi_resource" {
            writer.azapi();
        }
        for (field, attribute) in row.fields {
            writer.field(field, attributes.get(attribute));
        }
        if let Some(more) = row.more {
            more(&mut writer);
        }
    });
    match (problem, document) {
        (Some(problem), _) => Outcome::LeftOut(problem),
        (None, Some(document)) => Outcome::Object(document),
        (None, None) => Outcome::LeftOut("more values than `limits` allows".to_owned()),
    }
}

/// Writes the `spec` of an object.
struct Writer<'w, 's, 'd> {
    builder: &'w mut Builder<'s>,
    attributes: Attributes<'d>,
    regions: &'w HashMap<String, Node<'d>>,
    limits: &'w Limits,
    becomes: &'static str,
    problem: &'w mut Option<String>,
}

impl<'d> Writer<'_, '_, 'd> {
    /// A field, unless it is known that nothing is set.
    fn field(&mut self, field: &str, value: Marked<'d>) {
        if !value.is_unset() {
            self.builder.key(field, value.key_place());
            value.write(self.builder);
        }
    }

    fn text(&mut self, field: &str, text: &str, place: Span) {
        self.builder.key(field, place).string(text, place);
    }

    /// The first of several ways to say something that is known; if none is, the first.
    fn one_of(&mut self, ways: &[(&str, &str)]) {
        let is_filled = |attribute: &str| self.attributes.known(attribute).and_then(Node::as_str).is_some_and(|text| !text.is_empty());
        let known = ways.iter().find(|(_, attribute)| is_filled(attribute));
        if let Some((field, attribute)) = known.or_else(|| ways.first()) {
            self.field(field, self.attributes.get(attribute));
        }
    }

    /// The identity of a credential, if it is known: all that are not would seem to be the same one.
    fn identity(&mut self, attributes: &[&str]) {
        let Some(id) = attributes.iter().find_map(|attribute| self.attributes.known(attribute)) else { return };
        let Some(text) = id.as_str() else { return };
        self.field("parent", Marked::plain(id));
        if let Some(region) = self.regions.get(&text.to_ascii_lowercase()) {
            self.field("region", Marked::plain(*region));
        }
    }

    fn cluster(&mut self) {
        let attributes = self.attributes;
        for (profile, attribute) in [("oidcIssuerProfile", "oidc_issuer_enabled"), ("workloadIdentity", "workload_identity_enabled")] {
            let value = attributes.get(attribute);
            let place = value.key_place();
            if profile == "workloadIdentity" {
                self.builder.key("securityProfile", place).map(place);
            }
            self.builder.key(profile, place).map(place);
            self.field("enabled", value);
            self.builder.end();
            if profile == "workloadIdentity" {
                self.builder.end();
            }
        }
        if let Some(entra) = attributes.get("azure_active_directory_role_based_access_control").block() {
            self.builder.key("aadProfile", entra.key_place()).map(entra.place());
            self.field("adminGroupObjectIDs", entra.get("admin_group_object_ids"));
            self.builder.end();
        }
        if let Some(identity) = attributes.get("identity").block() {
            self.builder.key("identity", identity.key_place()).map(identity.place());
            self.field("type", identity.get("type"));
            self.builder.key("userAssignedIdentities", identity.place()).list(identity.place());
            for id in identity.get("identity_ids").items() {
                self.builder.map(id.place()).key("reference", id.place());
                self.reference(id);
                self.builder.end();
            }
            self.builder.end().end();
        }
        if let Some(kubelet) = attributes.get("kubelet_identity").block() {
            self.builder.key("identityProfile", kubelet.key_place()).map(kubelet.place());
            self.builder.key("kubeletidentity", kubelet.place()).map(kubelet.place()).key("resourceReference", kubelet.place());
            self.reference(kubelet.get("user_assigned_identity_id"));
            self.builder.end().end();
        }
    }

    /// The id of an identity, as Azure Service Operator writes references.
    fn reference(&mut self, id: Marked<'d>) {
        self.builder.map(id.place());
        self.field("armId", id);
        self.builder.end();
    }

    /// The JSON in a text, at its place.
    fn trust_policy(&mut self) {
        let policy = self.attributes.get("assume_role_policy");
        match policy.known() {
            Some(text) => match self.parsed(text) {
                Some(document) => _ = self.builder.key("document", policy.key_place()).copy(document.root()),
                None => *self.problem = Some("`assume_role_policy` is no JSON".to_owned()),
            },
            None => self.field("document", policy),
        }
    }

    fn parsed(&self, text: Node<'d>) -> Option<Document> {
        let parsed = text.embedded(Encoding::Text, Format::Json, self.limits).ok()?;
        parsed.into_iter().find_map(|parsed| parsed.document).filter(|document| !document.is_empty())
    }

    /// AWS gives the URL back without its scheme, which can only be `https`.
    fn provider_url(&mut self) {
        let url = self.attributes.get("url");
        match url.known().and_then(Node::as_str) {
            Some(text) if !text.contains("://") => {
                self.builder.key("url", url.key_place()).string(&format!("https://{text}"), url.place());
            }
            _ => self.field("url", url),
        }
    }

    fn access_policy(&mut self) {
        let policy = self.attributes.get("policy_arn");
        self.builder.key("accessPolicies", policy.key_place()).list(policy.place()).map(policy.place());
        self.field("policyARN", policy);
        if let Some(scope) = self.attributes.get("access_scope").block() {
            self.builder.key("accessScope", scope.key_place()).map(scope.place());
            self.field("type", scope.get("type"));
            self.field("namespaces", scope.get("namespaces"));
            self.builder.end();
        }
        self.builder.end().end();
    }

    /// What a right is given on, as Config Connector writes it.
    fn resource(&mut self, kind: &str, attribute: &str) {
        let on = self.attributes.get(attribute);
        self.builder.key("resourceRef", on.key_place()).map(on.place());
        self.text("kind", kind, on.place());
        self.field("external", on);
        self.builder.end();
    }

    fn binding(&mut self, kind: &str, attribute: &str) {
        let (role, members) = (self.attributes.get("role"), self.attributes.get("members"));
        self.builder.key("bindings", members.key_place()).list(members.place()).map(members.place());
        self.field("role", role);
        self.field("members", members);
        self.builder.end().end();
        self.resource(kind, attribute);
    }

    fn pool_provider(&mut self) {
        let attributes = self.attributes;
        let pool = attributes.get("workload_identity_pool_id");
        self.builder.key("workloadIdentityPoolRef", pool.key_place()).map(pool.place());
        self.field("external", pool);
        self.builder.end();
        if let Some(oidc) = attributes.get("oidc").block() {
            self.builder.key("oidc", oidc.key_place()).map(oidc.place());
            self.field("issuerUri", oidc.get("issuer_uri"));
            self.field("allowedAudiences", oidc.get("allowed_audiences"));
            self.builder.end();
        }
        if let Some(aws) = attributes.get("aws").block() {
            self.builder.key("aws", aws.key_place()).map(aws.place());
            self.field("accountId", aws.get("account_id"));
            self.builder.end();
        }
    }

    /// A resource of Azure's own API: its properties stand in `body`, a map or a text with JSON.
    fn azapi(&mut self) {
        self.field("name", self.attributes.get("name"));
        if self.becomes == "FederatedCredential" {
            self.identity(&["parent_id"]);
        } else if self.becomes == "RoleAssignment" {
            self.field("scope", self.attributes.get("parent_id"));
        }
        let body = self.attributes.get("body");
        let parsed = body.known().filter(|node| node.as_str().is_some()).map(|text| self.parsed(text));
        let taken = ["name", "parent", "identity", "identityProfile", "parallel", "beside", "region"];
        let is_taken = |key: &str| taken.contains(&key) || key == "scope" && self.becomes == "RoleAssignment";
        match parsed {
            Some(Some(document)) => {
                let properties = document.root().get("properties");
                for entry in properties.into_iter().flat_map(Node::entries).filter(|entry| !is_taken(entry.key)) {
                    self.builder.key(entry.key, entry.value.key_span().unwrap_or_else(|| entry.value.place())).copy(entry.value);
                }
            }
            Some(None) => *self.problem = Some("`body` is no JSON".to_owned()),
            None => {
                let properties = body.get("properties");
                let entries: Vec<_> = properties.entries().into_iter().filter(|(key, _)| !is_taken(key)).collect();
                if properties.known().is_none() {
                    *self.problem = Some("its properties are known after apply".to_owned());
                }
                entries.into_iter().for_each(|(key, value)| self.field(key, value));
            }
        }
    }
}
