//! What the inventory is, as its JSON form has it.

use fedward_engine::Surveyed;
use fedward_kit::finding::ObjectId;
use fedward_outcome::Location;
use schemars::JsonSchema;
use serde::Serialize;

/// Every identity, and who uses it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Inventory {
    /// In the order of their providers, ids and names.
    pub identities: Vec<Identity>,
    /// The service accounts that use them; identities name them by their place in this list, from 0.
    pub accounts: Vec<Account>,
    /// The roles that bindings of these accounts name; bindings name them by their place in this list, from 0.
    pub roles: Vec<Role>,
    /// Roles of a cloud whose principal is none of the identities, as far as is known.
    pub unattached_assignments: Vec<Assignment>,
    /// Workloads that may use any of them: which service account their pods have is not known.
    pub workloads_without_known_account: Vec<User>,
}

impl Inventory {
    /// Whether accounts are of several clusters, and not told apart by their names alone.
    pub(crate) fn has_clusters(&self) -> bool {
        let mut clusters = self.accounts.iter().map(|account| &account.cluster).filter(|cluster| !cluster.is_empty());
        clusters.next().is_some_and(|first| clusters.any(|other| other != first))
    }
}

/// Whose identity it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Cloud {
    /// Microsoft Entra: an application or a managed identity.
    Azure,
    /// AWS: a role.
    Aws,
    /// Google Cloud: a service account.
    Gcp,
    /// People, who act as the account through Argo's single sign-on.
    ArgoSso,
    /// Federated, but with whom is not known.
    Unknown,
}

impl Cloud {
    /// What people call an identity of it.
    pub fn title(self) -> &'static str {
        match self {
            Cloud::Azure => "Azure identity",
            Cloud::Aws => "AWS role",
            Cloud::Gcp => "Google service account",
            Cloud::ArgoSso => "people through Argo's single sign-on",
            Cloud::Unknown => "identity",
        }
    }
}

/// How the id of an identity is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum IdFrom {
    /// A service account or an association names it.
    Account,
    /// The object that makes the identity has it in its status.
    Status,
    /// It is the only one that the accounts name which its credentials let in.
    Credentials,
}

/// An identity of a cloud.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Identity {
    /// Whose it is.
    pub cloud: Cloud,
    /// The client id, the ARN of the role, the address of the service account, the rule of the single sign-on. `null` if it is not known.
    pub id: Option<String>,
    /// How the id is known to belong to the rest.
    pub id_from: Option<IdFrom>,
    /// What objects call it: the name or the resource id of an identity, the name of a role.
    pub name: Option<String>,
    /// Whether more than one workload uses it.
    pub shared: bool,
    /// How many workloads use it: controllers and pods of nobody. Neither hooks of a release nor what a controller makes count, the parts of
    /// Argo CD count as one, and copies of one object once.
    pub workloads: usize,
    /// The objects that make it.
    pub declared: Vec<Declared>,
    /// What lets others act as it.
    pub credentials: Vec<Credential>,
    /// The service accounts that use it, by their places in the list of all.
    pub accounts: Vec<usize>,
    /// Its roles in the cloud, as far as objects assign them.
    pub assignments: Vec<Assignment>,
    /// What is not known of it.
    pub not_known: Vec<String>,
}

/// An object on its place.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct Declared {
    /// The object.
    pub object: Object,
    /// Where it stands.
    pub location: Place,
}

/// An object.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Object {
    /// The cluster that Argo CD deploys it to, by its address or else its name; for what a chart or a kustomization alone comes to, that one.
    /// Left out for what nothing deploys.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub cluster: String,
    /// `v1`, `apps/v1` …
    pub api_version: String,
    /// Its kind.
    pub kind: String,
    /// Its namespace; left out for cluster-scoped objects.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub namespace: String,
    /// Its name.
    pub name: String,
}

impl Object {
    /// `Kind namespace/name`, or without the namespace.
    pub fn title(&self) -> String {
        let Object { kind, namespace, name, .. } = self;
        if namespace.is_empty() { format!("{kind} {name}") } else { format!("{kind} {namespace}/{name}") }
    }
}

impl From<Surveyed<'_>> for Object {
    fn from(surveyed: Surveyed<'_>) -> Self {
        let ObjectId { api_version, kind, namespace, name } = surveyed.id;
        Object { cluster: surveyed.cluster.to_owned(), api_version, kind, namespace, name }
    }
}

/// A place in a file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema)]
pub struct Place {
    /// The file.
    pub file: String,
    /// The line, from 1.
    pub line: u32,
    /// The column, from 1, in Unicode scalar values.
    pub column: u32,
    /// Whether the line is no more than near: what is meant was rendered of this file, and where in it is not known.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub near: bool,
}

impl From<&Location> for Place {
    fn from(location: &Location) -> Self {
        let start = location.start();
        Place { file: location.source.name().to_string(), line: start.line, column: start.column, near: false }
    }
}

/// What lets somebody act as an identity.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Credential {
    /// What it is.
    pub kind: CredentialKind,
    /// The object.
    pub object: Object,
    /// Where it stands.
    pub location: Place,
    /// Whom it lets in; `null` if that is not known.
    pub subject: Option<String>,
    /// Who issues the tokens; `null` if that is not known, or the same for all.
    pub issuer: Option<String>,
    /// The service account that it lets in, by its place in the list of all; `null` if it is somebody else, or not known.
    pub account: Option<usize>,
}

/// A kind of credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum CredentialKind {
    /// A federated identity credential of Microsoft Entra.
    FederatedCredential,
    /// The trust policy of an AWS role.
    TrustPolicy,
    /// An association of EKS Pod Identity.
    PodIdentityAssociation,
}

impl CredentialKind {
    /// What people call it.
    pub fn title(self) -> &'static str {
        match self {
            CredentialKind::FederatedCredential => "federated credential",
            CredentialKind::TrustPolicy => "trust policy",
            CredentialKind::PodIdentityAssociation => "pod identity association",
        }
    }
}

/// What is known of a service account's object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum AccountState {
    /// It is among the files.
    Declared,
    /// It is not among the files.
    Absent,
    /// Several copies of it that differ are equally near, so that it is not known which of them is meant.
    Ambiguous,
    /// The kind that uses it makes it itself.
    Own,
}

/// A service account, and who runs as it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Account {
    /// The cluster that Argo CD deploys it to, or what uses it; as of an object.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub cluster: String,
    /// Its namespace.
    pub namespace: String,
    /// Its name; empty where only the kind that makes it knows it.
    pub name: String,
    /// What is known of its object.
    pub state: AccountState,
    /// Where it stands, if it is among the files.
    pub location: Option<Place>,
    /// Whether something in the input changes its object before it is applied.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub draft: bool,
    /// Who uses it.
    pub users: Vec<User>,
    /// What it may do in the cluster, as far as objects say.
    pub bindings: Vec<Binding>,
    /// How many more bindings of its groups there are.
    #[serde(skip_serializing_if = "is_zero")]
    pub bindings_more: usize,
    /// The gravest of what its bindings allow.
    pub power: Power,
}

/// An object that uses a service account.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct User {
    /// The object.
    pub object: Object,
    /// Where it stands.
    pub location: Place,
    /// Whether it has tokens of the account issued to itself, without any pod.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub without_pods: bool,
    /// Which of its pods, at most 20: `pod template`, ``template `build` ``.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub pods: Vec<String>,
    /// How many more there are.
    #[serde(skip_serializing_if = "is_zero")]
    pub pods_more: usize,
    /// Whether it is one of the workloads that are counted; hooks of a release and what a controller makes are not.
    pub counted: bool,
    /// Whether something in the input changes it before it is applied.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub draft: bool,
}

/// A binding of a role to a service account, or to a group that it belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Binding {
    /// The object.
    pub object: Object,
    /// Where it stands.
    pub location: Place,
    /// The group, where it is not the account itself that is bound.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// The role, by its place in the list of all.
    pub role: usize,
    /// Where the role counts: a namespace, or (`null`) the whole cluster.
    pub in_namespace: Option<String>,
    /// The gravest of what the role allows there.
    pub power: Power,
}

/// How far rights lead.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Power {
    /// No further than they say.
    #[default]
    Plain,
    /// What the role allows is not known.
    NotKnown,
    /// To more, indirectly.
    Indirect,
    /// One step away from everything.
    Dangerous,
    /// To everything: cluster-admin, or what amounts to it.
    ClusterAdmin,
}

/// What is known of a role.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RoleState {
    /// It is among the files.
    Declared,
    /// Every cluster has it.
    BuiltIn,
    /// It is not among the files.
    Absent,
    /// Several copies of it that differ are equally near, so that it is not known which of them is meant.
    Ambiguous,
}

/// A role of the cluster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Role {
    /// `Role` or `ClusterRole`.
    pub kind: String,
    /// The namespace of a `Role`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// What is known of its object.
    pub state: RoleState,
    /// Where it stands, if it is among the files.
    pub location: Option<Place>,
    /// Whether its rules are those of other roles.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub aggregated: bool,
    /// Its rules, at most 50, as Kubernetes writes them.
    #[schemars(with = "Vec<serde_json::Map<String, serde_json::Value>>")]
    pub rules: Vec<fedward_rbac::Rule>,
    /// How many more there are.
    #[serde(skip_serializing_if = "is_zero")]
    pub rules_more: usize,
    /// Whether the rules are all that the role allows, as far as objects are among the files.
    pub certain: bool,
    /// What it allows beyond what it seems to, bound in the whole cluster: phrases after "may".
    pub in_cluster: Rights,
    /// The same, bound in one namespace.
    pub in_namespace: Rights,
}

/// What rights lead to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Rights {
    /// How far.
    pub power: Power,
    /// What they allow, the gravest first.
    pub may: Vec<String>,
}

/// A role of the cloud that is assigned.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct Assignment {
    /// The object.
    pub object: Object,
    /// Where it stands.
    pub location: Place,
    /// The role, as the object names it.
    pub role: String,
    /// Where it counts, as the object says; `null` if it does not.
    pub scope: Option<String>,
    /// Whether a condition limits it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub conditional: bool,
    /// Whose it is, where it is none of the identities': an object id, or what holds one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub principal: Option<String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
fn is_zero(count: &usize) -> bool {
    *count == 0
}
