//! What several rules of this policy ask of a pod, and of the webhooks that will act on it.

use fedward_kit::identity::{self, AZURE_USE, Provider, is_labelled};
use fedward_kit::index;
use fedward_kit::node::Node;
use fedward_kit::rule::Check;
use fedward_kit::token_use::AWS_FILE;
use fedward_kit::webhook::{self, Version};
use fedward_kit::workload::Pod;

use crate::settings::Settings;

/// What Azure's webhook calls its volume, and its token in it, up to v1.5.1.
pub(crate) const OLD_NAME: &str = "azure-identity-token";
/// How the names of its volumes begin from v1.6.0 on.
pub(crate) const NEW_PREFIX: &str = "azure-workload-identity-reserved-";
/// Where it mounts from v1.6.0 on.
pub(crate) const NEW_FOLDER: &str = "/var/run/secrets/azure/wi";
/// The first version that does.
pub(crate) const NEW: Version = (1, 6, 0);

/// Whether the object is a whole pod specification, to which no operator adds volumes or mounts.
pub(crate) fn is_whole(pod: &Pod<'_>) -> bool {
    const OTHERS: [&str; 5] =
        ["argoproj.io/Rollout", "argoproj.io/Experiment", "argoproj.io/AnalysisTemplate", "keda.sh/ScaledJob", "jobset.x-k8s.io/JobSet"];
    ["v1/", "apps/", "batch/"].iter().any(|group| pod.row.starts_with(group)) || OTHERS.contains(&pod.row)
}

/// Whether Azure's webhook made the volume: a policy server sees a pod after it.
pub(crate) fn is_injected<'a>(cx: &Check<'a, Settings>, pod: &Pod<'a>, volume: &str) -> bool {
    !cx.context.indexed && pod.row == "v1/Pod" && (volume == OLD_NAME || volume.starts_with(NEW_PREFIX))
}

/// What is known of Azure's webhook.
#[derive(Clone, Copy)]
pub(crate) enum Webhook<'a> {
    /// A Deployment of the set, or of the cluster, has this image.
    Version(Version, Node<'a>),
    /// AKS runs it, whose builds have the changes of v1.6.0 earlier.
    AddOn,
    /// Nothing.
    NotKnown,
}

impl<'a> Webhook<'a> {
    pub(crate) fn of(cx: &Check<'a, Settings>, anchor: Node<'a>) -> Self {
        match webhook::version(cx.context, anchor) {
            Some((version, image)) if image.foreign().is_none_or(|object| object.namespace != "kube-system") => {
                Webhook::Version(version, image)
            }
            Some(_) => Webhook::AddOn,
            None if index::identity_clusters(cx.context, anchor).is_some_and(|list| !list.items.is_empty()) => Webhook::AddOn,
            None => Webhook::NotKnown,
        }
    }

    /// Whether it acts on the pod. Before v1.0 the service account's label decided, not the pod's.
    pub(crate) fn acts_on(self, cx: &Check<'a, Settings>, pod: &Pod<'a>) -> bool {
        is_labelled(pod)
            && match self {
                Webhook::Version(version, _) if version < webhook::POD_LABEL_ONLY => {
                    identity::account_of(pod, cx.context).found().is_some_and(|account| account.label(AZURE_USE).is_present())
                }
                _ => true,
            }
    }

    /// Whether it may be one that looks for a token of the pod's own, as up to v1.5.1.
    pub(crate) fn may_be_old(self) -> bool {
        match self {
            Webhook::Version(version, _) => version < NEW,
            Webhook::AddOn => false,
            Webhook::NotKnown => true,
        }
    }

    /// Whether it may be one of v1.6.0 or later.
    pub(crate) fn may_be_new(self) -> bool {
        match self {
            Webhook::Version(version, _) => version >= NEW,
            Webhook::AddOn | Webhook::NotKnown => true,
        }
    }

    /// The node that says which version it is.
    pub(crate) fn image(self) -> Option<Node<'a>> {
        match self {
            Webhook::Version(_, image) => Some(image),
            Webhook::AddOn | Webhook::NotKnown => None,
        }
    }
}

/// A volume of AWS' webhook, which keeps one that is there already.
pub(crate) struct Kept {
    /// The volume's name.
    pub name: &'static str,
    /// Whose token it is.
    pub provider: Provider,
    /// The token's path in it.
    pub path: &'static str,
    /// Where it is mounted.
    pub folder: &'static str,
    /// The variables that the webhook sets, unless the container has one of them: the token's file first.
    pub variables: [&'static str; 2],
}

/// The volumes of AWS' webhook.
pub(crate) const KEPT: [Kept; 2] = [
    Kept {
        name: "aws-iam-token",
        provider: Provider::AwsIrsa,
        path: "token",
        folder: "/var/run/secrets/eks.amazonaws.com/serviceaccount",
        variables: [AWS_FILE, "AWS_ROLE_ARN"],
    },
    Kept {
        name: "eks-pod-identity-token",
        provider: Provider::AwsPodIdentity,
        path: "eks-pod-identity-token",
        folder: "/var/run/secrets/pods.eks.amazonaws.com/serviceaccount",
        variables: ["AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "AWS_CONTAINER_CREDENTIALS_FULL_URI"],
    },
];
