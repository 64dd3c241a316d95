//! Reports Azure role assignments that make a workload's identity administrator of AKS clusters.
//!
//! ## What it does
//! A role assignment (of Azure Service Operator, of Crossplane, or in ARM, Bicep and Terraform documents) is reported if its role
//! administers AKS clusters, or can give itself that: Azure Kubernetes Service RBAC Cluster Admin, RBAC Admin, Cluster Admin Role,
//! Contributor Role; Owner, Contributor, User Access Administrator, Role Based Access Control Administrator.
//!
//! At the scope of a subscription or wider, Owner, the two access administrators and RBAC Cluster Admin are errors; everything else is a
//! warning, and so is all of it where only the deployment knows who gets the role. With a `condition` (delegation within limits) it is
//! recorded only.
//!
//! Not reported: assignments to users and groups (`principalType`), and scopes in which no cluster can lie, such as a registry.
//!
//! ## Why it is bad
//! The assignment bypasses everything that the cluster's own RBAC says: the identity, from wherever it is federated, is cluster
//! administrator of every cluster in scope, those that come later included.
//!
//! ## Example
//! ```yaml
//! apiVersion: authorization.azure.com/v1api20220401
//! kind: RoleAssignment
//! spec:
//!   owner:
//!     armId: /subscriptions/3d1f7a52-8c4e-4f0e-9a6b-5b7c2d9e1f40
//!   principalType: ServicePrincipal
//!   principalIdFromConfig: {name: deployer, key: principalId}
//!   roleDefinitionReference:
//!     wellKnownName: Azure Kubernetes Service RBAC Cluster Admin
//! ```
//!
//! ## Use instead
//! ```yaml
//! apiVersion: authorization.azure.com/v1api20220401
//! kind: RoleAssignment
//! spec:
//!   owner:
//!     armId: /subscriptions/3d1f7a52-8c4e-4f0e-9a6b-5b7c2d9e1f40/resourceGroups/shop/providers/Microsoft.ContainerRegistry/registries/shop
//!   principalType: ServicePrincipal
//!   principalIdFromConfig: {name: deployer, key: principalId}
//!   roleDefinitionReference:
//!     wellKnownName: AcrPush
//! ```
//!
//! ## References
//! Azure built-in roles (containers, privileged, general); AKS: "Use Azure role-based access control for Kubernetes authorization".
//! Azure Service Operator: `authorization.azure.com` reference; provider-upjet-azure: `authorization.azure.upbound.io`.

use fedward_kit::azure::RoleAssignment;
use fedward_kit::rule::{Check, Condition, Report, Rule};
use fedward_kit::text;

use crate::settings::Settings;

const BROAD: Condition = Condition::error("broad", "a role that administers clusters, or gives it away, in a subscription or wider");
const ADMIN: Condition = Condition::warning("admin", "such a role in a narrower scope, or Contributor");
const LIMITED: Condition = Condition::info("limited", "such a role within the limits of a condition");

/// The rule.
pub const RULE: Rule<Settings> = Rule {
    id: "azure-admin-role-assignment",
    summary: "an Azure role assignment makes a workload's identity administrator of AKS clusters",
    conditions: &[BROAD, ADMIN, LIMITED],
    supersedes: &[],
    check,
};

/// A role: the id of its definition, its name, whether it is an error in a whole subscription.
const ROLES: [(&str, &str, bool); 8] = [
    ("b1ff04bb-8a4e-4dc4-8eb5-8693973ce19b", "Azure Kubernetes Service RBAC Cluster Admin", true),
    ("3498e952-d568-435e-9b2c-8d77e338d7f7", "Azure Kubernetes Service RBAC Admin", false),
    ("0ab0b1a8-8aac-4efd-b8c2-3ee1fb270be8", "Azure Kubernetes Service Cluster Admin Role", false),
    ("ed7f3fbd-7b88-4dd4-9017-9adb7ce333f8", "Azure Kubernetes Service Contributor Role", false),
    ("b24988ac-6180-42a0-ab88-20f7382dd24c", "Contributor", false),
    ("8e3af657-a8ff-443c-a75c-2fe8c4bcb635", "Owner", true),
    ("18d7d88d-d35e-4fb5-a5c3-7773c20a72d9", "User Access Administrator", true),
    ("f58310d9-a9f6-439a-9e8d-f62e7b41a168", "Role Based Access Control Administrator", true),
];

/// How wide a scope is, as far as clusters are concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scope {
    /// A subscription, a management group, or everything.
    Broad,
    /// Something that may hold clusters, or is one; also what is not known.
    Narrow,
    /// A resource that is no cluster.
    Elsewhere,
}

fn check(cx: &Check<'_, Settings>) {
    let Some(assignment) = RoleAssignment::of(cx.object) else { return };
    if matches!(assignment.principal_type.str(), Some("User" | "Group" | "ForeignGroup" | "Device")) {
        return;
    }
    let Some((_, role, is_grave)) = assignment.role.str().and_then(find) else { return };
    let who = if assignment.principal_type.peek_str() == Some("ServicePrincipal") { "a workload's identity" } else { "an identity" };
    let is_open = assignment.principal_type.filled().is_some_and(|kind| text::classify(kind) == text::Value::NotKnown);
    let scope = scope(assignment.scope.peek_str().unwrap_or(""));
    let (condition, reach) = match scope {
        Scope::Elsewhere => return,
        _ if assignment.condition.filled().is_some() => (&LIMITED, ", within the limits of a condition"),
        Scope::Broad if *is_grave && !is_open => (&BROAD, ", in a whole subscription or more"),
        Scope::Broad => (&ADMIN, ", in a whole subscription or more"),
        Scope::Narrow => (&ADMIN, ""),
    };
    cx.report(
        Report::new(condition, assignment.role, format!("`{role}` is assigned to {who}{reach}: it can administer AKS clusters"))
            .help("assign the role that its task needs, at the scope of one resource; rights in a cluster belong into the cluster's RBAC")
            .related(assignment.scope, "the scope"),
    );
}

/// The role that a definition's resource id, id or name means.
fn find(text: &str) -> Option<&'static (&'static str, &'static str, bool)> {
    let id = text.rsplit('/').next().unwrap_or(text);
    // A compiled template still shows the id: `[subscriptionResourceId('…', 'b24988ac-…')]`.
    let quoted = text.starts_with('[').then(|| text.split('\'').find(|part| text::is_guid(part))).flatten();
    let id = quoted.unwrap_or(id);
    ROLES.iter().find(|(guid, name, _)| guid.eq_ignore_ascii_case(id) || name.eq_ignore_ascii_case(text))
}

fn scope(text: &str) -> Scope {
    // A compiled template still shows the type: `[resourceId('Microsoft.KeyVault/vaults', …)]`.
    let quoted =
        text.starts_with('[').then(|| text.split('\'').find(|part| part.starts_with("Microsoft.") && part.contains('/'))).flatten();
    let text = quoted.unwrap_or(text);
    let lower = text.to_ascii_lowercase();
    let lower = lower.trim_end_matches('/');
    if text::classify(text) != text::Value::Plain || text.is_empty() && lower.is_empty() && !text.starts_with('/') {
        return Scope::Narrow;
    }
    if !text.starts_with('/') {
        // The kind of an Azure Service Operator resource, or ARM's form relative to the resource group.
        if lower.starts_with("microsoft.management/") {
            return Scope::Broad;
        }
        let narrow = matches!(lower, "resourcegroup" | "managedcluster")
            || lower.starts_with("microsoft.containerservice/managedclusters")
            || lower.starts_with("microsoft.resources/");
        return if narrow { Scope::Narrow } else { Scope::Elsewhere };
    }
    match lower.rsplit_once("/providers/") {
        Some((_, provider)) if provider.starts_with("microsoft.management/") => Scope::Broad,
        Some((_, provider)) if provider.starts_with("microsoft.containerservice/") => Scope::Narrow,
        Some(_) => Scope::Elsewhere,
        None if lower.contains("/resourcegroups/") => Scope::Narrow,
        None => Scope::Broad,
    }
}

#[cfg(test)]
mod tests {
    use super::{Scope, find, scope};

    #[test]
    fn scopes() {
        let subscription = "/subscriptions/3d1f7a52-8c4e-4f0e-9a6b-5b7c2d9e1f40";
        for (text, want) in [
            (subscription.to_owned(), Scope::Broad),
            (format!("{subscription}/"), Scope::Broad),
            ("/".to_owned(), Scope::Broad),
            ("/providers/Microsoft.Management/managementGroups/all".to_owned(), Scope::Broad),
            (format!("{subscription}/resourceGroups/shop"), Scope::Narrow),
            (format!("{subscription}/resourceGroups/shop/providers/Microsoft.ContainerService/managedClusters/shop"), Scope::Narrow),
            (format!("{subscription}/resourcegroups/shop/providers/Microsoft.ContainerRegistry/registries/shop"), Scope::Elsewhere),
            ("[resourceGroup().id]".to_owned(), Scope::Narrow),
            ("[resourceId('Microsoft.KeyVault/vaults', parameters('vault'))]".to_owned(), Scope::Elsewhere),
            ("[format('Microsoft.ContainerService/managedClusters/{0}', parameters('name'))]".to_owned(), Scope::Narrow),
            ("[tenantResourceId('Microsoft.Management/managementGroups', 'all')]".to_owned(), Scope::Broad),
            ("(known after apply)".to_owned(), Scope::Narrow),
            (String::new(), Scope::Narrow),
            ("ResourceGroup".to_owned(), Scope::Narrow),
            ("Microsoft.ContainerService/managedClusters/shop".to_owned(), Scope::Narrow),
            ("Microsoft.ContainerRegistry/registries/shop".to_owned(), Scope::Elsewhere),
            ("Vault".to_owned(), Scope::Elsewhere),
        ] {
            assert_eq!(scope(&text), want, "{text}");
        }
    }

    #[test]
    fn roles_by_id_and_name() {
        for text in [
            "b24988ac-6180-42a0-ab88-20f7382dd24c",
            "/subscriptions/x/providers/Microsoft.Authorization/roleDefinitions/B24988AC-6180-42A0-AB88-20F7382DD24C",
            "[subscriptionResourceId('Microsoft.Authorization/roleDefinitions', 'b24988ac-6180-42a0-ab88-20f7382dd24c')]",
            "contributor",
        ] {
            assert_eq!(find(text).map(|role| role.1), Some("Contributor"), "{text}");
        }
        assert!(find("AcrPush").is_none());
        assert!(find("7f951dda-4ed3-4680-a7ca-43fe172d538d").is_none());
    }
}
