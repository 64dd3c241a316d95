//! Questions that a list of a whole kind would answer only at a price that grows with the square of the input: who uses this
//! service account, which federated credentials name it, what else belongs to that identity.
//!
//! fedward's own engine answers them from an index of everything it loaded, through the ordinary `kubernetes/list_*` capabilities with
//! `apiVersion: index.fedward/v1` and a field selector; each answer holds at most [`CAP`] objects, the nearest ones first, and says in
//! `metadata.remainingItemCount` how many more there are. In a cluster no such group exists: there the same questions are answered
//! by listing the real kinds. [`keys()`] is what the engine files an object under.

mod exposure;
mod keys;
mod users;

use crate::context::{Context, List};
use crate::finding::ObjectRef;
use crate::node::Node;
use crate::request::group_of;
use crate::{trust, workload};
pub use exposure::{is_exposed, routes_to, selects, services_with};
pub use keys::{Key, keys, mentions};
use keys::{account_keys, aws_trust_keys, binding_keys, credential_keys, has, pod_identity_keys, workload_keys};
pub use users::{counts, is_argo_cd, is_hook, users_of};

/// The group and version of the index.
pub const API_VERSION: &str = "index.fedward/v1";
/// How many objects an answer of the index holds at most.
pub const CAP: usize = 100;
/// The same for questions with field masks, which ask who there is rather than what.
pub const SAMPLE: usize = 6;

/// Objects with pods that use a service account; selector `serviceAccount=<name>`, in the account's namespace.
pub const WORKLOAD: &str = "Workload";
/// Federated credentials of every form; selectors `subject=system:serviceaccount:<namespace>:<name>`, `parent=<identity>`,
/// `subjectNamespace=<namespace>`, `clientId=<id>`.
pub const CREDENTIAL: &str = "FederatedCredential";
/// Objects that have tokens of a service account issued to themselves; selector `serviceAccount=<name>`, in the account's namespace.
pub const TOKEN_CONSUMER: &str = "TokenConsumer";
/// Service accounts that carry a federation mark, by namespace; selector empty.
pub const FEDERATED_ACCOUNT: &str = "FederatedServiceAccount";
/// Service accounts by the identity that they name; selectors `clientId=<id>`, `roleArn=<arn>`, `gcpAccount=<e-mail>`, and for those with
/// a client id `azureName=<name of the account>`. All namespaces.
pub const IDENTITY_ACCOUNT: &str = "IdentityServiceAccount";

/// Roles with a trust policy by the service accounts that it names, selector `subject=system:serviceaccount:<namespace>:<name>`, and by
/// their own name, selector `role=<name>`; IAM OIDC providers, selector `issuer=<issuer without scheme>`; eksctl's configurations by the
/// service accounts that they make roles for, selector as that of roles. All namespaces.
pub const AWS_TRUST: &str = "AwsTrust";

/// Deployments of Azure's mutating webhook; selector empty. All namespaces.
pub const IDENTITY_WEBHOOK: &str = "IdentityWebhook";
/// Mutating policies (Kyverno, Gatekeeper, Kubewarden) that mention Azure's pod label; selector empty. All namespaces.
pub const LABEL_MUTATOR: &str = "LabelMutator";
/// EKS Pod Identity associations, those in eksctl's configurations included; selectors `serviceAccount=<namespace>/<name>`,
/// `roleArn=<arn>`. All namespaces.
pub const POD_IDENTITY: &str = "PodIdentity";
/// ConfigMaps of Argo's workflow controller, which hold defaults for every workflow; selector empty. All namespaces.
pub const WORKFLOW_CONTROLLER: &str = "WorkflowController";
/// Objects that tell a controller a client id, so that its service account needs none; selector empty. All namespaces.
pub const CLIENT_ID_SUPPLIER: &str = "ClientIdSupplier";
/// AKS clusters with workload identity turned on, which run Azure's webhook themselves; selector empty. All namespaces.
pub const IDENTITY_CLUSTER: &str = "IdentityCluster";
/// Flux Kustomizations that put values in the place of `${NAME}` after the build; selector empty. All namespaces.
pub const SUBSTITUTION: &str = "Substitution";
/// Role bindings and cluster role bindings by what they name; selectors `subject=<namespace>/<name>` for a service account,
/// `namespace=<namespace>` for any of a namespace, and `group=<name>` for a group. All namespaces.
pub const BINDING: &str = "Binding";
/// Argo CD's templates of credentials for repositories: Secrets, and what makes them; selector empty. All namespaces.
pub const ARGOCD_TEMPLATE: &str = "ArgoCdTemplate";
/// Objects that count as users of a service account, see [`users_of`]; selector `serviceAccount=<name>`, in the account's namespace.
pub const ACCOUNT_USER: &str = "ServiceAccountUser";
/// Services; selector `label=<key>=<value>`, the first pair of the Service's own selector, in the Service's namespace.
pub const SERVICE: &str = "Service";
/// Ingresses and routes of the Gateway API by the Services that they lead to; selector `service=<name>`, in the Service's namespace.
pub const ROUTE: &str = "Route";
/// The service account that the asker's own application creates; selector `name=<name>`, in the account's namespace.
pub const OWN_ACCOUNT: &str = "OwnServiceAccount";
/// Every kind of the index.
pub const KINDS: [&str; 19] = [
    ACCOUNT_USER,
    SERVICE,
    ROUTE,
    WORKLOAD,
    CREDENTIAL,
    TOKEN_CONSUMER,
    FEDERATED_ACCOUNT,
    IDENTITY_ACCOUNT,
    IDENTITY_WEBHOOK,
    LABEL_MUTATOR,
    POD_IDENTITY,
    WORKFLOW_CONTROLLER,
    CLIENT_ID_SUPPLIER,
    IDENTITY_CLUSTER,
    AWS_TRUST,
    SUBSTITUTION,
    BINDING,
    ARGOCD_TEMPLATE,
    OWN_ACCOUNT,
];

/// Kinds that are listed for [`workloads_of`] in a cluster.
const WORKLOAD_KINDS: [(&str, &str); 5] =
    [("apps/v1", "Deployment"), ("apps/v1", "StatefulSet"), ("apps/v1", "DaemonSet"), ("batch/v1", "CronJob"), ("batch/v1", "Job")];
const ACCOUNT: (&str, &str) = ("v1", "ServiceAccount");
/// Kinds that are listed for [`credentials_for`] in a cluster: Azure Service Operator's.
const CREDENTIAL_KINDS: [(&str, &str); 1] = [("managedidentity.azure.com/v1api20230131", "FederatedIdentityCredential")];

/// Objects with pods that run as the service account. `None` where the host cannot say.
pub fn workloads_of<'a>(context: &Context<'a>, namespace: &str, name: &str, anchor: Node<'a>) -> Option<List<'a>> {
    if context.indexed {
        return context.list(API_VERSION, WORKLOAD, namespace, &format!("serviceAccount={name}"), anchor);
    }
    let selector = format!("serviceAccount={name}");
    listed(context, &WORKLOAD_KINDS, &[namespace], anchor, &|object| {
        has(workload_keys(object, object.session().text(namespace)), &selector)
    })
}

/// What the bindings of a service account are filed under, and of each of the groups that it belongs to.
pub fn bindings_of(namespace: &str, name: &str) -> [(Key, Option<String>); 4] {
    let of_group = |group: String| (Key::new(BINDING, "", format!("group={group}")), Some(group));
    [
        (Key::new(BINDING, "", format!("subject={namespace}/{name}")), None),
        of_group(format!("system:serviceaccounts:{namespace}")),
        of_group("system:serviceaccounts".to_owned()),
        of_group("system:authenticated".to_owned()),
    ]
}

/// Whether a binding gives the service account, or a group of service accounts that it belongs to, any right. `None` where the host
/// cannot say: where no binding of the namespace's accounts is loaded and there may be others, and in every cluster, since all bindings
/// would have to be listed for one pod.
pub fn is_bound<'a>(context: &Context<'a>, namespace: &str, name: &str, anchor: Node<'a>) -> Option<bool> {
    if !context.indexed {
        return None;
    }
    let list = |selector: &str| context.list_masked((API_VERSION, BINDING), "", selector, &["metadata.name"], anchor);
    let [own, of_namespace, of_all, _] = bindings_of(namespace, name).map(|(key, _)| key.selector);
    let own = list(&own)?;
    if !own.items.is_empty() || [of_namespace, of_all].iter().any(|group| list(group).is_some_and(|list| !list.items.is_empty())) {
        return Some(true);
    }
    // Where the bindings of its neighbours are, its own would be.
    let is_known = own.complete || !list(&format!("namespace={namespace}"))?.items.is_empty();
    is_known.then_some(false)
}

/// Federated credentials whose subject is the service account. `None` where the host cannot say.
pub fn credentials_for<'a>(context: &Context<'a>, namespace: &str, name: &str, anchor: Node<'a>) -> Option<List<'a>> {
    credentials(context, &format!("subject=system:serviceaccount:{namespace}:{name}"), anchor)
}

/// Federated credentials by any selector of [`CREDENTIAL`]. `None` where the host cannot say.
pub fn credentials<'a>(context: &Context<'a>, selector: &str, anchor: Node<'a>) -> Option<List<'a>> {
    if context.indexed {
        return context.list(API_VERSION, CREDENTIAL, "", selector, anchor);
    }
    listed(context, &CREDENTIAL_KINDS, &[""], anchor, &|object| {
        let namespace = object.peek("metadata").peek_text("namespace").unwrap_or("");
        credential_keys(object, namespace).is_some_and(|keys| has(keys, selector))
    })
}

/// EKS Pod Identity associations by any selector of [`POD_IDENTITY`]; in a cluster, those of ACK. `None` where the host cannot say.
pub fn pod_identities<'a>(context: &Context<'a>, selector: &str, anchor: Node<'a>) -> Option<List<'a>> {
    if context.indexed {
        return context.list(API_VERSION, POD_IDENTITY, "", selector, anchor);
    }
    listed(context, &[("eks.services.k8s.aws/v1alpha1", "PodIdentityAssociation")], &[""], anchor, &|object| {
        pod_identity_keys(object, "").is_some_and(|keys| has(keys, selector))
    })
}

/// ClusterRoleBindings that bind the service account to `cluster-admin`. `None` where the host cannot say.
pub fn cluster_admin_bindings<'a>(context: &Context<'a>, namespace: &str, name: &str, anchor: Node<'a>) -> Option<List<'a>> {
    let selector = format!("subject={namespace}/{name}");
    let is_admin = |object: Node<'a>| {
        object.peek_text("kind") == Some("ClusterRoleBinding") && object.peek("roleRef").peek_text("name") == Some("cluster-admin")
    };
    if context.indexed {
        let mut list = context.list(API_VERSION, BINDING, "", &selector, anchor)?;
        list.items.retain(|object| is_admin(*object));
        return Some(list);
    }
    listed(context, &[("rbac.authorization.k8s.io/v1", "ClusterRoleBinding")], &[""], anchor, &|object| {
        is_admin(object) && binding_keys(object, "").is_some_and(|keys| has(keys, &selector))
    })
}

/// Roles whose trust policy names the service account. `None` where the host cannot say.
pub fn roles_for<'a>(context: &Context<'a>, namespace: &str, name: &str, anchor: Node<'a>) -> Option<List<'a>> {
    aws_trust(context, "Role", &format!("subject=system:serviceaccount:{namespace}:{name}"), anchor)
}

/// What gives the service account a role without the account's naming one: roles whose trust policy names it, and eksctl's
/// configurations. `None` in every cluster, where all roles would have to be listed for each account.
pub fn roles_granting<'a>(context: &Context<'a>, namespace: &str, name: &str, anchor: Node<'a>) -> Option<List<'a>> {
    let selector = format!("subject=system:serviceaccount:{namespace}:{name}");
    if context.indexed { context.list(API_VERSION, AWS_TRUST, "", &selector, anchor) } else { None }
}

/// Roles of that name with a trust policy, whichever AWS account they are for. `None` where the host cannot say.
pub fn roles_named<'a>(context: &Context<'a>, name: &str, anchor: Node<'a>) -> Option<List<'a>> {
    aws_trust(context, "Role", &format!("role={name}"), anchor)
}

/// IAM OIDC providers of an issuer. `None` where the host cannot say.
pub fn oidc_providers<'a>(context: &Context<'a>, issuer: &str, anchor: Node<'a>) -> Option<List<'a>> {
    aws_trust(context, "OpenIDConnectProvider", &issuer_selector(issuer), anchor)
}

fn aws_trust<'a>(context: &Context<'a>, kind: &str, selector: &str, anchor: Node<'a>) -> Option<List<'a>> {
    if context.indexed {
        return context.list(API_VERSION, AWS_TRUST, "", selector, anchor);
    }
    // In a cluster: the objects of AWS Controllers for Kubernetes.
    listed(context, &[("iam.services.k8s.aws/v1alpha1", kind)], &[""], anchor, &|object| {
        aws_trust_keys(object, "").is_some_and(|keys| has(keys, selector))
    })
}

fn issuer_selector(issuer: &str) -> String {
    format!("issuer={}", crate::issuer::bare(issuer).to_ascii_lowercase())
}

/// Objects that have tokens of the service account issued to themselves. `None` where the host cannot say, as in every cluster: the
/// kinds belong to many operators.
pub fn token_consumers<'a>(context: &Context<'a>, namespace: &str, name: &str, anchor: Node<'a>) -> Option<List<'a>> {
    if context.indexed { context.list(API_VERSION, TOKEN_CONSUMER, namespace, &format!("serviceAccount={name}"), anchor) } else { None }
}

/// In a cluster: stores of External Secrets among [`token_consumers`], if there are any. They are the one kind that a policy can look at
/// wherever it is served.
pub fn secret_stores_of<'a>(context: &Context<'a>, namespace: &str, name: &str, anchor: Node<'a>) -> Option<List<'a>> {
    let uses =
        |object: Node<'a>| trust::token_consumer(object).iter().any(|(other, own)| *own == name && other.unwrap_or(namespace) == namespace);
    let of = |kind, namespace| listed(context, &[("external-secrets.io/v1", kind)], &[namespace], anchor, &uses);
    let (own, cluster) = (of("SecretStore", namespace), of("ClusterSecretStore", ""));
    own.into_iter().chain(cluster).find(|list| !list.items.is_empty())
}

/// Federated service accounts of a namespace. `None` where the host cannot say.
pub fn federated_accounts<'a>(context: &Context<'a>, namespace: &str, anchor: Node<'a>) -> Option<List<'a>> {
    if context.indexed {
        return context.list(API_VERSION, FEDERATED_ACCOUNT, namespace, "", anchor);
    }
    listed(context, &[ACCOUNT], &[namespace], anchor, &|object| !crate::identity::ServiceAccount::of(object).marks().is_empty())
}

/// Service accounts of all namespaces that name an identity; see [`IDENTITY_ACCOUNT`] for the selectors. `None` where the host cannot say.
pub fn accounts_with_identity<'a>(context: &Context<'a>, selector: &str, anchor: Node<'a>) -> Option<List<'a>> {
    if context.indexed {
        return context.list(API_VERSION, IDENTITY_ACCOUNT, "", selector, anchor);
    }
    listed(context, &[ACCOUNT], &[""], anchor, &|object| has(account_keys(object, ""), selector))
}

/// The same, with names, namespaces and in a cluster annotations only, and offline at most [`SAMPLE`] of them.
pub fn names_with_identity<'a>(context: &Context<'a>, selector: &str, anchor: Node<'a>) -> Option<List<'a>> {
    const NAME: [&str; 2] = ["metadata.name", "metadata.namespace"];
    const MARKS: [&str; 5] = ["apiVersion", "kind", "metadata.annotations", "metadata.name", "metadata.namespace"];
    if context.indexed {
        return context.list_masked((API_VERSION, IDENTITY_ACCOUNT), "", selector, &NAME, anchor);
    }
    listed_masked(context, &[ACCOUNT], &[""], &MARKS, anchor, &|object| has(account_keys(object, ""), selector))
}

/// Deployments of Azure's mutating webhook. `None` where the host cannot say.
pub fn identity_webhooks<'a>(context: &Context<'a>, anchor: Node<'a>) -> Option<List<'a>> {
    if context.indexed {
        return context.list(API_VERSION, IDENTITY_WEBHOOK, "", "", anchor);
    }
    let namespaces = ["azure-workload-identity-system", "kube-system"];
    listed(context, &[("apps/v1", "Deployment")], &namespaces, anchor, &|object| crate::webhook::deploys_webhook(object))
}

/// Mutating policies that mention Azure's pod label. `None` in a cluster: there the policy sees the object after mutation.
pub fn label_mutators<'a>(context: &Context<'a>, anchor: Node<'a>) -> Option<List<'a>> {
    if context.indexed { context.list(API_VERSION, LABEL_MUTATOR, "", "", anchor) } else { None }
}

/// The ConfigMap of the workflow controller that runs the workflows of a namespace: the one in that namespace, or else the only one;
/// in a cluster the one in `argo`.
pub fn workflow_controller<'a>(context: &Context<'a>, namespace: &'a str, anchor: Node<'a>) -> Option<Node<'a>> {
    if context.indexed {
        let items = context.list(API_VERSION, WORKFLOW_CONTROLLER, "", "", anchor)?.items;
        let near = items.iter().find(|config| config.foreign().is_some_and(|object| object.namespace == namespace));
        return near.or(if items.len() == 1 { items.first() } else { None }).copied();
    }
    [namespace, "argo"].into_iter().find_map(|namespace| {
        let name = workload::CONTROLLER_CONFIG;
        context.get(ObjectRef { api_version: "v1", kind: "ConfigMap", namespace, name }, anchor).found()
    })
}

/// Objects that tell a controller a client id. `None` in a cluster: the kinds belong to many operators.
pub fn client_id_suppliers<'a>(context: &Context<'a>, anchor: Node<'a>) -> Option<List<'a>> {
    if context.indexed { context.list(API_VERSION, CLIENT_ID_SUPPLIER, "", "", anchor) } else { None }
}

/// AKS clusters with workload identity turned on. `None` in a cluster, which does not hold its own description.
pub fn identity_clusters<'a>(context: &Context<'a>, anchor: Node<'a>) -> Option<List<'a>> {
    if context.indexed { context.list(API_VERSION, IDENTITY_CLUSTER, "", "", anchor) } else { None }
}

/// The service account of that name, if the application that the object under admission belongs to creates it. `None` in a cluster, where
/// nothing says what else belongs to an application.
pub fn own_account<'a>(context: &Context<'a>, namespace: &str, name: &str, anchor: Node<'a>) -> Option<Node<'a>> {
    let list = |selector: &str| context.list(API_VERSION, OWN_ACCOUNT, namespace, selector, anchor);
    if context.indexed { list(&format!("name={name}"))?.items.first().copied() } else { None }
}

/// Flux Kustomizations that substitute variables. `None` in a cluster: there the policy sees the object after it.
pub fn flux_substitutions<'a>(context: &Context<'a>, anchor: Node<'a>) -> Option<List<'a>> {
    if context.indexed { context.list(API_VERSION, SUBSTITUTION, "", "", anchor) } else { None }
}

/// Argo CD's templates of credentials for repositories. `None` in a cluster, where no policy reads Secrets.
pub fn argocd_templates<'a>(context: &Context<'a>, anchor: Node<'a>) -> Option<List<'a>> {
    if context.indexed { context.list(API_VERSION, ARGOCD_TEMPLATE, "", "", anchor) } else { None }
}

/// In a cluster: the objects of these kinds in these namespaces (`""` is all of them) that are worth keeping, as far as the host can
/// give the lists; `None` if it can give none. A list that is missing makes the answer incomplete.
fn listed<'a>(
    context: &Context<'a>,
    kinds: &[(&str, &str)],
    namespaces: &[&str],
    anchor: Node<'a>,
    keep: &dyn Fn(Node<'a>) -> bool,
) -> Option<List<'a>> {
    listed_masked(context, kinds, namespaces, &[], anchor, keep)
}

/// The same, with the fields that the masks name.
fn listed_masked<'a>(
    context: &Context<'a>,
    kinds: &[(&str, &str)],
    namespaces: &[&str],
    masks: &[&str],
    anchor: Node<'a>,
    keep: &dyn Fn(Node<'a>) -> bool,
) -> Option<List<'a>> {
    let mut merged = List { complete: true, ..List::default() };
    let mut any = false;
    for (api_version, kind) in kinds {
        for namespace in namespaces {
            let Some(list) = context.list_masked((api_version, kind), namespace, "", masks, anchor) else {
                merged.complete = false;
                continue;
            };
            any = true;
            merged.complete &= list.complete;
            merged.items.extend(list.items.into_iter().filter(|object| keep(*object)));
        }
    }
    any.then_some(merged)
}

/// Whether a group is one of fedward's own, which no cluster serves.
pub fn is_own_group(api_version: &str) -> bool {
    group_of(api_version).ends_with(".fedward")
}
