//! The policy's settings.

use fedward_kit::settings::Reader;
use fedward_kit::text::Glob;

/// See the `doc` of each field in [`fedward_kit::settings::Settings::read`].
#[derive(Debug, Clone)]
pub struct Settings {
    /// Cluster roles that count as cluster-admin.
    pub privileged_cluster_roles: Vec<String>,
    /// Whether roles are judged by their rules, not only by their name.
    pub detect_equivalent: bool,
    /// User names that belong to machines.
    pub federated_user_patterns: Vec<Glob>,
    /// Namespaces in which admin rights lead to the whole cluster.
    pub protected_namespaces: Vec<Glob>,
    /// Whether a group of people with cluster-admin is an error.
    pub forbid_admin_groups: bool,
    /// Bindings that somebody answers for.
    pub allowed: Vec<Allowed>,
}

/// A binding that somebody answers for.
#[derive(Debug, Clone)]
pub struct Allowed {
    /// The role's name.
    pub role: Glob,
    /// The subject's kind; empty for any.
    pub kind: String,
    /// The subject: `namespace/name` of a service account, the name of a user or group.
    pub subject: Glob,
}

impl fedward_kit::settings::Settings for Settings {
    type Facts<'a> = ();

    fn read(reader: &mut Reader<'_>) -> Self {
        Settings {
            privileged_cluster_roles: reader.strings(
                "privilegedClusterRoles",
                &["cluster-admin"],
                "Cluster roles, by name, that count as cluster-admin.",
            ),
            detect_equivalent: reader.bool(
                "detectEquivalent",
                true,
                "Whether roles are also judged by their rules: a role of any name that comes to the same as cluster-admin is treated as such.",
            ),
            federated_user_patterns: reader.globs(
                "federatedUserPatterns",
                &["oidc:*", "aad:*"],
                "Names of users that belong to machines of another system, besides the forms that are always recognised; `*` stands for any text.",
            ),
            protected_namespaces: reader.globs(
                "protectedNamespaces",
                &[
                    "kube-system",
                    "argocd",
                    "flux-system",
                    "azure-workload-identity-system",
                    "azureserviceoperator-system",
                    "crossplane-system",
                    "gatekeeper-system",
                    "kubewarden",
                    "kyverno",
                ],
                "Namespaces whose administrator can take over the cluster; `*` stands for any text.",
            ),
            forbid_admin_groups: reader.bool(
                "forbidAdminGroups",
                false,
                "Whether cluster-admin for a group of people is an error. It is a warning otherwise.",
            ),
            allowed: allowed(reader),
        }
    }
}

fn allowed(reader: &mut Reader<'_>) -> Vec<Allowed> {
    let records = reader.records(
        "allowed",
        &["role", "kind", "subject", "reason"],
        &["role", "subject", "reason"],
        "Bindings that are accepted: the role's name, the subject (`namespace/name` of a service account, else the name), its kind (any, if left out) and the reason; `*` stands for any text in role and subject.",
    );
    let mut found = Vec::new();
    for record in records {
        let [role, kind, subject, reason] = record.as_slice() else { continue };
        if reason.trim().is_empty() {
            reader.error("allowed", "a reason is required");
        }
        if !matches!(kind.as_str(), "" | "ServiceAccount" | "User" | "Group") {
            reader.error("allowed", "`kind` is one of `ServiceAccount`, `User`, `Group`");
        }
        found.push(Allowed { role: Glob::new(role.as_str()), kind: kind.clone(), subject: Glob::new(subject.as_str()) });
    }
    found
}
