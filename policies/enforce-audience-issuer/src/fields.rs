//! Where identities are written: the fields whose values name a client, a tenant, an audience, a host that signs in … One table, so that
//! a rule about such values looks at all of them.

use std::cell::OnceCell;

use fedward_kit::identity::{AWS_ROLE_ARN, AZURE_CLIENT_ID, AZURE_TENANT_ID, GCP_ACCOUNT};
use fedward_kit::node::{Format, Node};
use fedward_kit::rule::Check;
use fedward_kit::text::{self, Value};
use fedward_kit::trust::{Credential, PodIdentity};
use fedward_kit::{iam, projection, secret};

use crate::settings::Settings;

/// What the value of a field is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Holds {
    /// The client id of an application or managed identity.
    ClientId,
    /// The id of a tenant.
    TenantId,
    /// The audience of a token.
    Audience,
    /// The URL of a host that signs in.
    Authority,
    /// The name of an Azure cloud.
    Environment,
    /// A certificate.
    Certificate,
    /// The name of a person or group, which may look like anything.
    Principal,
    /// Anything else that an identity depends on: an issuer, a subject, a role, a URL.
    Other,
}

/// A field that is there and holds a text.
#[derive(Clone, Copy)]
pub(crate) struct Field<'a> {
    /// The field.
    pub node: Node<'a>,
    /// Its text, never empty.
    pub text: &'a str,
    /// What it is.
    pub holds: Holds,
    /// How people call it: the field, the annotation, the variable.
    pub name: &'a str,
    /// The map, or the list of variables, that the field stands in.
    pub scope: Node<'a>,
}

impl<'a> Field<'a> {
    /// What the value really is: beside what every placeholder looks like, ids that merely name themselves.
    pub(crate) fn kind(&self) -> Value {
        let kind = text::classify(self.text);
        let names_itself = || {
            let letters: String = self.text.chars().filter(char::is_ascii_alphanumeric).map(|letter| letter.to_ascii_lowercase()).collect();
            SELF_NAMES.contains(&letters.strip_prefix("azure").unwrap_or(&letters))
        };
        let is_id = matches!(self.holds, Holds::ClientId | Holds::TenantId);
        if kind == Value::Plain && is_id && names_itself() { Value::Placeholder } else { kind }
    }

    /// The value at the end of a message, behind a colon: nothing for what a Secret holds.
    pub(crate) fn shown(&self, object: Node<'a>) -> String {
        if secret::is_secret(object) { String::new() } else { format!(": `{}`", self.text) }
    }
}

/// Ids as samples write them: `tid`, `client-id` …, letters only.
const SELF_NAMES: [&str; 8] = ["tid", "cid", "tenant", "tenantid", "client", "clientid", "guid", "uuid"];

/// Variables of containers, and of the exec plugin in Argo CD's cluster Secrets.
const VARIABLES: [(&str, Holds); 15] = [
    ("AZURE_CLIENT_ID", Holds::ClientId),
    ("AZURE_TENANT_ID", Holds::TenantId),
    ("AZURE_AUTHORITY_HOST", Holds::Authority),
    ("AZURE_FEDERATED_TOKEN_FILE", Holds::Other),
    ("AZURE_ENVIRONMENT", Holds::Environment),
    ("AAD_ENVIRONMENT_NAME", Holds::Environment),
    ("AAD_SERVER_APPLICATION_ID", Holds::Other),
    ("AZURE_SUBSCRIPTION_ID", Holds::Other),
    ("ARM_CLIENT_ID", Holds::ClientId),
    ("ARM_TENANT_ID", Holds::TenantId),
    ("AWS_ROLE_ARN", Holds::Other),
    ("AWS_WEB_IDENTITY_TOKEN_FILE", Holds::Other),
    ("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", Holds::Other),
    ("GOOGLE_APPLICATION_CREDENTIALS", Holds::Other),
    ("GOOGLE_CLOUD_PROJECT", Holds::Other),
];

/// Annotations of service accounts.
const ANNOTATIONS: [(&str, Holds); 5] = [
    (AZURE_CLIENT_ID, Holds::ClientId),
    (AZURE_TENANT_ID, Holds::TenantId),
    (AWS_ROLE_ARN, Holds::Other),
    ("eks.amazonaws.com/audience", Holds::Audience),
    (GCP_ACCOUNT, Holds::Other),
];

/// A kind and its fields.
struct Row {
    groups: &'static [&'static str],
    kinds: &'static [&'static str],
    /// Objects of the kind that count.
    only: Only,
    fields: &'static [(&'static [&'static str], Holds)],
}

enum Only {
    All,
    /// Those of this name.
    Named(&'static str),
    /// Secrets that Argo CD takes for one of these.
    ArgoCd(&'static [&'static str]),
}

/// In a path: every element of a list.
const EACH: &str = "[]";
/// In a path: the text is JSON, or YAML.
const JSON: &str = "{json}";
const YAML: &str = "{yaml}";
/// In a path: every entry of a map that is one of [`VARIABLES`].
const ENV: &str = "{env}";

/// The first element of a Secret's path is a key, of `stringData` or `data`.
const ROWS: &[Row] = &[
    Row {
        groups: &[""],
        kinds: &["Secret"],
        only: Only::ArgoCd(&["cluster"]),
        fields: &[
            (&["server"], Holds::Other),
            (&["config", JSON, "execProviderConfig", "env", ENV], Holds::Other),
            (&["config", JSON, "tlsClientConfig", "caData"], Holds::Certificate),
            (&["config", JSON, "tlsClientConfig", "serverName"], Holds::Other),
            (&["config", JSON, "awsAuthConfig", "clusterName"], Holds::Other),
            (&["config", JSON, "awsAuthConfig", "roleARN"], Holds::Other),
        ],
    },
    Row {
        groups: &[""],
        kinds: &["Secret"],
        only: Only::ArgoCd(&["repository", "repo-creds", "repository-write", "repo-write-creds"]),
        fields: &[
            (&["url"], Holds::Other),
            (&["azureServicePrincipalClientId"], Holds::ClientId),
            (&["azureServicePrincipalTenantId"], Holds::TenantId),
        ],
    },
    Row {
        groups: &[""],
        kinds: &["ConfigMap"],
        only: Only::Named("azure-wi-webhook-config"),
        fields: &[(&["data", "AZURE_TENANT_ID"], Holds::TenantId), (&["data", "AZURE_ENVIRONMENT"], Holds::Environment)],
    },
    Row {
        groups: &[""],
        kinds: &["ConfigMap"],
        only: Only::Named("argocd-cm"),
        fields: &[
            (&["data", "url"], Holds::Other),
            (&["data", "oidc.config", YAML, "issuer"], Holds::Other),
            // Any client id: not only Entra signs people in.
            (&["data", "oidc.config", YAML, "clientID"], Holds::Other),
        ],
    },
    Row {
        groups: &["rbac.authorization.k8s.io"],
        kinds: &["ClusterRoleBinding", "RoleBinding"],
        only: Only::All,
        fields: &[(&["subjects", EACH, "name"], Holds::Principal)],
    },
    Row {
        groups: &["argoproj.io"],
        kinds: &["Application"],
        only: Only::All,
        fields: &[
            (&["spec", "source", "repoURL"], Holds::Other),
            (&["spec", "sources", EACH, "repoURL"], Holds::Other),
            (&["spec", "destination", "server"], Holds::Other),
        ],
    },
    Row {
        groups: &["argoproj.io"],
        kinds: &["ApplicationSet"],
        only: Only::All,
        fields: &[
            (&["spec", "template", "spec", "source", "repoURL"], Holds::Other),
            (&["spec", "template", "spec", "sources", EACH, "repoURL"], Holds::Other),
            (&["spec", "template", "spec", "destination", "server"], Holds::Other),
            (&["spec", "generators", EACH, "git", "repoURL"], Holds::Other),
        ],
    },
    Row {
        groups: &["storage.k8s.io"],
        kinds: &["CSIDriver"],
        only: Only::All,
        fields: &[(&["spec", "tokenRequests", EACH, "audience"], Holds::Audience)],
    },
    Row {
        groups: &["kubelet.config.k8s.io"],
        kinds: &["CredentialProviderConfig"],
        only: Only::All,
        fields: &[(&["providers", EACH, "tokenAttributes", "serviceAccountTokenAudience"], Holds::Audience)],
    },
    Row {
        groups: &["secrets-store.csi.x-k8s.io"],
        kinds: &["SecretProviderClass"],
        only: Only::All,
        fields: &[
            (&["spec", "parameters", "clientID"], Holds::ClientId),
            (&["spec", "parameters", "tenantID"], Holds::TenantId),
            (&["spec", "parameters", "tenantId"], Holds::TenantId),
            (&["spec", "parameters", "userAssignedIdentityID"], Holds::ClientId),
            (&["spec", "parameters", "keyvaultName"], Holds::Other),
        ],
    },
    Row {
        groups: &["external-secrets.io"],
        kinds: &["SecretStore", "ClusterSecretStore"],
        only: Only::All,
        fields: &[
            (&["spec", "provider", "azurekv", "tenantId"], Holds::TenantId),
            (&["spec", "provider", "azurekv", "vaultUrl"], Holds::Other),
            (&["spec", "provider", "azurekv", "identityId"], Holds::Other),
            (&["spec", "provider", "aws", "role"], Holds::Other),
            (&["spec", "provider", "gcpsm", "projectID"], Holds::Other),
        ],
    },
    Row {
        groups: &["keda.sh"],
        kinds: &["TriggerAuthentication", "ClusterTriggerAuthentication"],
        only: Only::All,
        fields: &[
            (&["spec", "podIdentity", "identityId"], Holds::ClientId),
            (&["spec", "podIdentity", "identityTenantId"], Holds::TenantId),
            (&["spec", "podIdentity", "identityAuthorityHost"], Holds::Authority),
            (&["spec", "podIdentity", "roleArn"], Holds::Other),
        ],
    },
    Row {
        groups: &["infrastructure.cluster.x-k8s.io"],
        kinds: &["AzureClusterIdentity"],
        only: Only::All,
        fields: &[(&["spec", "clientID"], Holds::ClientId), (&["spec", "tenantID"], Holds::TenantId)],
    },
    Row {
        groups: &["cert-manager.io"],
        kinds: &["Issuer", "ClusterIssuer"],
        only: Only::All,
        fields: &[
            (&["spec", "acme", "solvers", EACH, "dns01", "azureDNS", "tenantID"], Holds::TenantId),
            (&["spec", "acme", "solvers", EACH, "dns01", "azureDNS", "subscriptionID"], Holds::Other),
            (&["spec", "acme", "solvers", EACH, "dns01", "azureDNS", "environment"], Holds::Environment),
            (&["spec", "acme", "solvers", EACH, "dns01", "azureDNS", "managedIdentity", "clientID"], Holds::ClientId),
            (&["spec", "acme", "solvers", EACH, "dns01", "azureDNS", "managedIdentity", "tenantID"], Holds::TenantId),
            (&["spec", "acme", "solvers", EACH, "dns01", "route53", "role"], Holds::Other),
        ],
    },
    Row {
        groups: &["azure.upbound.io", "azure.m.upbound.io", "azuread.upbound.io", "azuread.m.upbound.io"],
        kinds: &["ProviderConfig", "ClusterProviderConfig"],
        only: Only::All,
        fields: &[
            (&["spec", "clientID"], Holds::ClientId),
            (&["spec", "tenantID"], Holds::TenantId),
            (&["spec", "subscriptionID"], Holds::Other),
        ],
    },
    Row {
        groups: &["source.toolkit.fluxcd.io"],
        kinds: &["GitRepository", "OCIRepository", "HelmRepository"],
        only: Only::All,
        fields: &[(&["spec", "url"], Holds::Other)],
    },
    Row {
        groups: &["iam.cnrm.cloud.google.com", "trust.fedward"],
        kinds: &["IAMPolicyMember", "IAMWorkloadIdentityPoolProvider"],
        only: Only::All,
        fields: &[
            (&["spec", "member"], Holds::Other),
            (&["spec", "oidc", "issuerUri"], Holds::Other),
            (&["spec", "oidc", "allowedAudiences", EACH], Holds::Audience),
        ],
    },
    Row {
        groups: &["iam.cnrm.cloud.google.com", "trust.fedward"],
        kinds: &["IAMPolicy"],
        only: Only::All,
        fields: &[(&["spec", "bindings", EACH, "members", EACH], Holds::Other)],
    },
    Row {
        groups: &["iam.cnrm.cloud.google.com"],
        kinds: &["IAMPartialPolicy"],
        only: Only::All,
        fields: &[(&["spec", "bindings", EACH, "members", EACH, "member"], Holds::Other)],
    },
    Row {
        groups: &["authorization.azure.com", "trust.fedward"],
        kinds: &["RoleAssignment"],
        only: Only::All,
        fields: &[
            (&["spec", "principalId"], Holds::Other),
            (&["spec", "scope"], Holds::Other),
            (&["spec", "owner", "armId"], Holds::Other),
            (&["spec", "roleDefinitionId"], Holds::Other),
            (&["spec", "roleDefinitionReference", "armId"], Holds::Other),
        ],
    },
    Row {
        groups: &["trust.fedward"],
        kinds: &["ClusterExtension"],
        only: Only::All,
        fields: &[
            (&["spec", "configurationSettings", "azure.workloadIdentity.clientId"], Holds::ClientId),
            (&["spec", "configurationSettings", "azure.workloadIdentity.entraSSOClientId"], Holds::ClientId),
            (&["spec", "configurationSettings", "workloadIdentity.clientId"], Holds::ClientId),
            (&["spec", "configurationSettings", "workloadIdentity.entraSSOClientId"], Holds::ClientId),
        ],
    },
];

/// What several rules of this policy ask of an object.
#[derive(Default)]
pub struct Facts<'a> {
    fields: OnceCell<Vec<Field<'a>>>,
}

/// Every identity field of the object that is there, not empty, and its own.
pub(crate) fn all<'c, 'a>(cx: &'c Check<'a, Settings>) -> &'c [Field<'a>] {
    cx.facts.fields.get_or_init(|| {
        let mut fields = Vec::new();
        each(cx, &mut |field| fields.push(field));
        fields
    })
}

fn each<'a>(cx: &Check<'a, Settings>, visit: &mut dyn FnMut(Field<'a>)) {
    let object = cx.object;
    if cx.is("", "ServiceAccount") {
        annotations(object.get("metadata"), visit);
    }
    for row in ROWS {
        if row.kinds.contains(&cx.request.kind) && row.groups.contains(&cx.request.group) && row.only.takes(cx) {
            for (path, holds) in row.fields {
                let (root, path) = match path.split_first() {
                    Some((key, rest)) if cx.is("", "Secret") => (secret::value(object, key), rest),
                    _ => (object, *path),
                };
                let name = path.iter().rev().find(|part| !part.starts_with(['[', '{'])).copied();
                follow(root, path, Visit { holds: *holds, name: name.unwrap_or(root.session().text(&root.key())) }, visit);
            }
        }
    }
    trust(object, visit);
    for pod in cx.pods() {
        if let Some(metadata) = pod.account_metadata.filter(|metadata| metadata.in_request()) {
            annotations(metadata, visit);
        }
        for container in &pod.containers {
            let scope = container.node.get("env");
            for entry in scope.items() {
                let Some(name) = entry.text("name") else { continue };
                if let Some((_, holds)) = VARIABLES.iter().find(|(known, _)| *known == name) {
                    give(entry.get("value"), *holds, name, scope, visit);
                }
            }
        }
        for token in projection::tokens(pod) {
            give(token.audience, Holds::Audience, "audience", token.node, visit);
        }
    }
}

impl Only {
    fn takes(&self, cx: &Check<'_, Settings>) -> bool {
        match self {
            Only::All => true,
            Only::Named(name) => cx.request.name == *name,
            Only::ArgoCd(types) => types.contains(&secret::argocd_type(cx.object)),
        }
    }
}

/// Credentials, associations, OIDC providers and trust policies, in all their forms.
fn trust<'a>(object: Node<'a>, visit: &mut dyn FnMut(Field<'a>)) {
    if let Some(credential) = Credential::of(object).filter(|credential| !credential.observed) {
        for (node, name) in [(credential.issuer, "issuer"), (credential.subject, "subject"), (credential.parent, "parent")] {
            give(node, Holds::Other, name, object, visit);
        }
        for node in credential.audience_list() {
            give(node, Holds::Audience, "audience", object, visit);
        }
    }
    if let Some(association) = PodIdentity::of(object) {
        for (node, name) in
            [(association.namespace, "namespace"), (association.service_account, "serviceAccount"), (association.role_arn, "roleARN")]
        {
            give(node, Holds::Other, name, object, visit);
        }
    }
    if let Some((url, audiences)) = iam::oidc_provider(object) {
        give(url, Holds::Other, "url", object, visit);
        for node in audiences.items() {
            give(node, Holds::Audience, "audience", object, visit);
        }
    }
    for statement in iam::policy(object).map(iam::statements).unwrap_or_default() {
        for (node, _) in &statement.issuers {
            give(*node, Holds::Other, "Federated", object, visit);
        }
        for test in &statement.tests {
            let is_audience = test.claim().is_some_and(|(_, claim)| claim == "aud");
            for node in test.values().into_iter().filter(|node| node.peek_str().is_some()) {
                give(node, if is_audience { Holds::Audience } else { Holds::Other }, test.key, object, visit);
            }
        }
    }
}

fn annotations<'a>(metadata: Node<'a>, visit: &mut dyn FnMut(Field<'a>)) {
    let scope = metadata.get("annotations");
    for (name, holds) in ANNOTATIONS {
        give(scope.get(name), holds, name, scope, visit);
    }
}

#[derive(Clone, Copy)]
struct Visit<'a> {
    holds: Holds,
    name: &'a str,
}

fn follow<'a>(node: Node<'a>, path: &[&'static str], what: Visit<'a>, visit: &mut dyn FnMut(Field<'a>)) {
    let Some((part, rest)) = path.split_first() else {
        return give(node, what.holds, what.name, node.parent().unwrap_or(node), visit);
    };
    if node.is_absent() {
        return;
    }
    match *part {
        EACH => {
            for item in node.peek_items() {
                follow(item, rest, what, visit);
            }
        }
        // A text of another format is the matter of other rules.
        JSON => _ = node.open(Format::Json).map(|document| follow(document, rest, what, visit)),
        YAML => _ = node.open(Format::Yaml).map(|document| follow(document, rest, what, visit)),
        ENV => {
            for (name, value) in node.peek_entries() {
                if let Some((_, holds)) = VARIABLES.iter().find(|(known, _)| *known == name) {
                    give(value, *holds, name, node, visit);
                }
            }
        }
        field => follow(node.peek(field), rest, what, visit),
    }
}

fn give<'a>(node: Node<'a>, holds: Holds, name: &'a str, scope: Node<'a>, visit: &mut dyn FnMut(Field<'a>)) {
    if let Some(text) = node.filled().filter(|_| node.in_request()) {
        visit(Field { node, text, holds, name, scope });
    }
}
