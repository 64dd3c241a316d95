//! What the objects say, one by one, read as the policies read them.

use std::collections::HashMap;

use bumpalo::Bump;
use fedward_engine::{Asker, Survey};
use fedward_kit::azure::{ManagedIdentity, RoleAssignment};
use fedward_kit::context::{Context, Lookup, Unknown};
use fedward_kit::identity::{self, ServiceAccount};
use fedward_kit::node::{Node, Origin, Session};
use fedward_kit::trust::{self, Credential, PodIdentity};
use fedward_kit::value::Value;
use fedward_kit::workload::{self, Account, Pod};
use fedward_kit::{iam, index, text};

use crate::model::{Cloud, CredentialKind};

/// A namespace and a name.
pub(crate) type Name = (String, String);

/// The group of roles and bindings.
pub(crate) const RBAC: &str = "rbac.authorization.k8s.io";

/// What all objects say.
#[derive(Default)]
pub(crate) struct Facts {
    /// The service accounts' numbers.
    pub(crate) accounts: Vec<usize>,
    pub(crate) credentials: Vec<CredentialFact>,
    pub(crate) identities: Vec<ManagedFact>,
    pub(crate) roles: Vec<AwsRoleFact>,
    pub(crate) assignments: Vec<AssignmentFact>,
    /// Bindings by their numbers.
    pub(crate) bindings: HashMap<usize, BindingFact>,
    /// Pods, with the numbers of their objects.
    pub(crate) pods: Vec<PodFact>,
    /// Objects that have tokens of an account issued to themselves.
    pub(crate) consumers: Vec<(usize, Name)>,
}

/// A credential.
pub(crate) struct CredentialFact {
    pub(crate) number: usize,
    /// Where in the object it is; none for the object itself.
    pub(crate) pointer: Option<String>,
    pub(crate) kind: CredentialKind,
    pub(crate) subject: Option<String>,
    pub(crate) issuer: Option<String>,
    /// The service account that the subject is.
    pub(crate) account: Option<Name>,
    pub(crate) of: CredentialOf,
}

/// Whose credential it is.
pub(crate) enum CredentialOf {
    /// That of the identity which is called so ([`Credential::parent_key`]); `None` if the object does not say.
    Azure(Option<String>),
    /// That of the role with this ARN.
    Role(Option<String>),
    /// That of the object itself, by its place in [`Facts::roles`].
    Itself(usize),
    /// That of the role which the account names, if not of the one with this ARN.
    Account(Option<String>),
}

/// A managed identity of Azure.
pub(crate) struct ManagedFact {
    pub(crate) number: usize,
    pub(crate) name: String,
    pub(crate) keys: Vec<String>,
    pub(crate) client_id: Option<String>,
    pub(crate) principal_id: Option<String>,
    /// The ConfigMap and the key that it writes its object id into.
    pub(crate) principal_config: Option<Config>,
}

/// Namespace, name and key of a value in a ConfigMap.
pub(crate) type Config = (String, String, String);

/// A role of AWS that workloads can assume.
pub(crate) struct AwsRoleFact {
    pub(crate) number: usize,
    pub(crate) name: Option<String>,
    pub(crate) arn: Option<String>,
}

/// A role of Azure that is assigned.
pub(crate) struct AssignmentFact {
    pub(crate) number: usize,
    pub(crate) role: String,
    pub(crate) scope: Option<String>,
    pub(crate) conditional: bool,
    pub(crate) principal: Principal,
}

/// To whom.
pub(crate) enum Principal {
    /// The object id.
    Id(String),
    /// Where that is written.
    Config(Config),
    /// The identity, as [`ManagedIdentity::keys`] has it.
    Named(String),
    /// The object does not say.
    NotKnown,
}

impl Principal {
    /// What people call it.
    pub(crate) fn title(&self) -> Option<String> {
        match self {
            Principal::Id(id) => Some(id.clone()),
            Principal::Config((namespace, name, key)) => Some(format!("`{key}` of ConfigMap {namespace}/{name}")),
            Principal::Named(name) => Some(name.trim_start_matches('/').to_owned()),
            Principal::NotKnown => None,
        }
    }
}

/// A binding.
pub(crate) struct BindingFact {
    pub(crate) role_kind: String,
    pub(crate) role: String,
    /// Empty for the whole cluster.
    pub(crate) namespace: String,
}

/// A pod of an object.
pub(crate) struct PodFact {
    pub(crate) number: usize,
    pub(crate) title: String,
    pub(crate) account: PodAccount,
    /// Whether the object counts as a user ([`index::counts`]).
    pub(crate) counted: bool,
}

/// The service account of a pod.
pub(crate) enum PodAccount {
    /// The object of that number.
    Object(usize),
    /// An account that is not among the files, or of which several copies may be meant.
    Named(Name, Missing),
    /// One that the object makes itself, with what federates it.
    Own(Name, Marks),
    /// The caller's, or one that a template will name.
    NotKnown,
}

/// Why the object of an account is not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Missing {
    Absent,
    Ambiguous,
}

/// What an account says of itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Marks {
    pub(crate) client_id: Option<String>,
    pub(crate) role_arn: Option<String>,
    pub(crate) google: Option<String>,
    /// The account signs in to Google Cloud as itself.
    pub(crate) google_direct: bool,
    pub(crate) sso_rule: Option<String>,
    /// Whose identity it names by a value that is still to be filled in, or that only another system knows.
    pub(crate) unfilled: Vec<Cloud>,
}

impl Marks {
    pub(crate) fn of(account: ServiceAccount<'_>) -> Self {
        let mut marks = Marks::default();
        for (_, node) in account.marks() {
            let (cloud, value) = match node.key().as_str() {
                identity::AZURE_CLIENT_ID => (Cloud::Azure, &mut marks.client_id),
                identity::AWS_ROLE_ARN => (Cloud::Aws, &mut marks.role_arn),
                identity::GCP_ACCOUNT => (Cloud::Gcp, &mut marks.google),
                identity::GCP_DIRECT => {
                    marks.google_direct = true;
                    continue;
                }
                identity::ARGO_SSO_RULE => {
                    marks.sso_rule = owned(node.peek_str());
                    continue;
                }
                _ => continue,
            };
            *value = known(node.peek_str());
            if value.is_none() {
                marks.unfilled.push(cloud);
            }
        }
        marks
    }

    pub(crate) fn is_empty(&self) -> bool {
        *self == Marks::default()
    }
}

pub(crate) fn owned(text: Option<&str>) -> Option<String> {
    text.filter(|text| !text.is_empty()).map(str::to_owned)
}

/// The same, of a text that names something itself.
fn known(text: Option<&str>) -> Option<String> {
    owned(text.filter(|text| text::classify(text) == text::Value::Plain))
}

/// An object with what the kit needs to look at it.
pub(crate) struct Look<'a> {
    pub(crate) number: usize,
    pub(crate) object: Node<'a>,
    pub(crate) namespace: &'a str,
    /// The cluster that it is deployed to; nothing where nothing deploys it.
    pub(crate) cluster: &'a str,
    pub(crate) context: &'a Context<'a>,
}

/// Shows an object to `with`, which may ask about others.
pub(crate) fn look<T>(survey: &Survey, number: usize, with: impl for<'a, 's> FnOnce(Look<'a>, &'a Asker<'s>) -> T) -> Option<T> {
    let text = survey.text(number);
    let bump = Bump::with_capacity(text.len().saturating_mul(4).clamp(4096, 1 << 20));
    let session = Session::new(&bump);
    let asker = survey.asker(number);
    let object = session.root(Value::from_json(bump.alloc_slice_copy(&text), &bump).ok()?, Origin::Aside);
    let namespace = object.peek("metadata").peek("namespace").peek_str().unwrap_or("");
    let context = Context::new(&asker, session, true);
    let cluster = survey.cluster(number);
    Some(with(Look { number, object, namespace, cluster, context }, &asker))
}

impl Facts {
    /// Reads all objects.
    pub(crate) fn of(survey: &Survey) -> Self {
        let mut facts = Facts::default();
        for number in survey.numbers() {
            look(survey, number, |look, _| facts.read(survey, &look));
        }
        facts
    }

    fn read<'a>(&mut self, survey: &Survey, look: &Look<'a>) {
        let Look { number, object, namespace, cluster, .. } = *look;
        let field = |field: &'static str| object.peek(field).peek_str().unwrap_or("");
        let (group, kind) = (fedward_kit::request::group_of(field("apiVersion")), field("kind"));
        if (field("apiVersion"), kind) == ("v1", "ServiceAccount") {
            self.accounts.push(number);
        } else if let Some(credential) = Credential::of(object) {
            self.credential(look, &credential);
        } else if let Some(association) = PodIdentity::of(object) {
            let account = association.namespace.peek_str().zip(association.service_account.peek_str());
            self.credentials.push(CredentialFact {
                number,
                pointer: None,
                kind: CredentialKind::PodIdentityAssociation,
                subject: account.map(|(namespace, name)| format!("{namespace}/{name}")),
                issuer: None,
                account: account.map(|(namespace, name)| (namespace.to_owned(), name.to_owned())),
                of: CredentialOf::Role(known(association.role_arn.peek_str())),
            });
        } else if kind == "ClusterConfig" && group == "eksctl.io" {
            self.eksctl(number, object);
        } else if let Some(identity) = ManagedIdentity::of(object) {
            let config = identity.principal_config.and_then(|at| config(at, namespace, cluster));
            self.identities.push(ManagedFact {
                number,
                name: identity.name.peek_str().unwrap_or("").to_owned(),
                keys: identity.keys(namespace).into_iter().map(|key| of_cluster(cluster, key)).collect(),
                client_id: owned(identity.client_id.peek_str()).map(|id| id.to_ascii_lowercase()),
                principal_id: owned(identity.principal_id.peek_str()).map(|id| id.to_ascii_lowercase()),
                principal_config: config,
            });
        } else if let Some(assignment) = RoleAssignment::of(object) {
            self.assignment(look, &assignment);
        } else if let Some(policy) = iam::policy(object) {
            self.aws_role(look, policy);
        } else if group == RBAC && matches!(kind, "RoleBinding" | "ClusterRoleBinding") {
            let role = object.peek("roleRef");
            self.bindings.insert(
                number,
                BindingFact {
                    role_kind: role.peek("kind").peek_str().unwrap_or("ClusterRole").to_owned(),
                    role: role.peek("name").peek_str().unwrap_or("").to_owned(),
                    namespace: if kind == "RoleBinding" { namespace.to_owned() } else { String::new() },
                },
            );
        } else {
            for (other, name) in trust::token_consumer(object) {
                self.consumers.push((number, (other.unwrap_or(namespace).to_owned(), name.to_owned())));
            }
            self.workload(survey, look);
        }
    }

    fn credential<'a>(&mut self, look: &Look<'a>, credential: &Credential<'a>) {
        let Look { number, namespace, cluster, context, .. } = *look;
        let subject = credential.subject_in(context, namespace).and_then(Node::peek_str);
        self.credentials.push(CredentialFact {
            number,
            pointer: None,
            kind: CredentialKind::FederatedCredential,
            subject: owned(subject),
            issuer: owned(credential.issuer_in(context, namespace).and_then(Node::peek_str)),
            account: subject.and_then(one_account),
            of: CredentialOf::Azure(credential.parent_key(namespace).map(|key| of_cluster(cluster, key))),
        });
    }

    /// What eksctl's configuration lets in: accounts that it makes a role and its trust policy for, and associations.
    fn eksctl(&mut self, number: usize, object: Node<'_>) {
        let iam = object.peek("iam");
        let of_account =
            iam.peek("serviceAccounts").peek_items().map(|entry| (entry.peek("metadata").peek("name"), entry.peek("attachRoleARN")));
        let of_association =
            iam.peek("podIdentityAssociations").peek_items().map(|entry| (entry.peek("serviceAccountName"), entry.peek("roleARN")));
        let arns: HashMap<String, Option<String>> =
            of_account.chain(of_association).map(|(name, arn)| (name.place().path, known(arn.peek_str()))).collect();
        for (namespace, name, provider, node) in trust::eksctl_accounts(object) {
            let pointer = node.place().path;
            let arn = arns.get(&pointer).cloned().flatten();
            let is_association = provider == identity::Provider::AwsPodIdentity;
            self.credentials.push(CredentialFact {
                number,
                pointer: Some(pointer),
                kind: if is_association { CredentialKind::PodIdentityAssociation } else { CredentialKind::TrustPolicy },
                subject: Some(if is_association {
                    format!("{namespace}/{name}")
                } else {
                    format!("system:serviceaccount:{namespace}:{name}")
                }),
                issuer: None,
                account: Some((namespace.to_owned(), name.to_owned())),
                of: if is_association { CredentialOf::Role(arn) } else { CredentialOf::Account(arn) },
            });
        }
    }

    fn assignment(&mut self, look: &Look<'_>, assignment: &RoleAssignment<'_>) {
        let id = owned(assignment.principal_id.peek_str());
        let reference =
            owned(assignment.principal_reference.peek_str()).map(|name| of_cluster(look.cluster, format!("{}/{name}", look.namespace)));
        let principal = match (id, config(assignment.principal_config, look.namespace, look.cluster), reference) {
            // An expression of a template, or a placeholder, is nobody.
            (Some(id), ..) if text::is_guid(&id) => Principal::Id(id.to_ascii_lowercase()),
            (None, Some(config), _) => Principal::Config(config),
            (None, None, Some(key)) => Principal::Named(key),
            _ => Principal::NotKnown,
        };
        self.assignments.push(AssignmentFact {
            number: look.number,
            role: assignment.role.peek_str().unwrap_or("").to_owned(),
            scope: owned(assignment.scope.peek_str()),
            conditional: assignment.condition.peek_str().is_some_and(|text| !text.is_empty()),
            principal,
        });
    }

    /// A role of AWS, if tokens of workloads, or EKS Pod Identity, lead to it.
    fn aws_role(&mut self, look: &Look<'_>, policy: Node<'_>) {
        let Look { number, object, .. } = *look;
        let statements = iam::statements(policy);
        let by_token = statements.iter().any(|statement| statement.allows("sts:AssumeRoleWithWebIdentity"));
        if !by_token && !statements.iter().any(|statement| statement.trusts_service("pods.eks.amazonaws.com")) {
            return;
        }
        let status = object.peek("status");
        let arn = [status.peek("ackResourceMetadata").peek("arn"), status.peek("atProvider").peek("arn")];
        let role = self.roles.len();
        self.roles.push(AwsRoleFact {
            number,
            name: owned(iam::role_name(object)),
            arn: arn.into_iter().find_map(|node| owned(node.peek_str())),
        });
        let issuer = statements.iter().flat_map(|statement| &statement.issuers).map(|(_, issuer)| *issuer).next();
        for subject in iam::subjects(policy) {
            self.credentials.push(CredentialFact {
                number,
                pointer: None,
                kind: CredentialKind::TrustPolicy,
                subject: owned(Some(subject)),
                issuer: owned(issuer),
                account: one_account(subject),
                of: CredentialOf::Itself(role),
            });
        }
    }

    fn workload(&mut self, survey: &Survey, look: &Look<'_>) {
        let Look { number, object, namespace, context, .. } = *look;
        let counted = index::counts(object);
        for pod in workload::pods(object, namespace, context) {
            if pod.is_of(object) {
                let account = account(survey, look, &pod);
                self.pods.push(PodFact { number, title: pod.title, account, counted });
            }
        }
    }
}

fn account<'a>(survey: &Survey, look: &Look<'a>, pod: &Pod<'a>) -> PodAccount {
    let named = |name: &str| (pod.namespace.to_owned(), name.to_owned());
    if pod.account_metadata.is_some() && !matches!(pod.account, Account::NotKnown(_)) {
        let marks = identity::account_of(pod, look.context).found().map(Marks::of).unwrap_or_default();
        return PodAccount::Own(named(pod.account.name().unwrap_or("")), marks);
    }
    let Some(name) = pod.account.name() else { return PodAccount::NotKnown };
    match survey.find(look.number, "", "ServiceAccount", pod.namespace, name) {
        Lookup::Found(number) => PodAccount::Object(number),
        Lookup::NotKnown(Unknown::Ambiguous) => PodAccount::Named(named(name), Missing::Ambiguous),
        Lookup::NotFound | Lookup::NotKnown(_) => PodAccount::Named(named(name), Missing::Absent),
    }
}

/// The service account that a subject is; `None` for a pattern that lets in any number of them.
fn one_account(subject: &str) -> Option<Name> {
    let (namespace, name) = trust::service_account(subject).filter(|_| !subject.contains(['*', '?']))?;
    Some((namespace.to_owned(), name.to_owned()))
}

fn config(node: Node<'_>, namespace: &str, cluster: &str) -> Option<Config> {
    let field = |field: &'static str| node.peek(field).peek_str().map(str::to_owned);
    Some((of_cluster(cluster, namespace.to_owned()), field("name")?, field("key")?))
}

/// What objects of a cluster call an identity: one of the same name in another cluster is another one. What a cloud calls it is the same
/// everywhere.
fn of_cluster(cluster: &str, key: String) -> String {
    let is_of_cloud = key.starts_with('/') || text::is_guid(&key);
    if cluster.is_empty() || is_of_cloud { key } else { format!("{cluster}\u{1}/{key}") }
}
