//! Argo CD's own pods, as far as they are known: they are what signs in.

use fedward_kit::finding::ObjectRef;
use fedward_kit::identity::{self, ServiceAccount, is_labelled};
use fedward_kit::node::Node;
use fedward_kit::rule::Check;
use fedward_kit::workload::{self, Container, Pod};

use crate::settings::Settings;

/// A part of Argo CD.
#[derive(Clone, Copy)]
pub(crate) struct Part {
    /// What people call it, and what its object is called in all of Argo CD's own manifests.
    pub name: &'static str,
    /// The kinds that it comes as.
    kinds: &'static [&'static str],
}

/// What reads repositories.
pub(crate) const REPO_SERVER: Part = Part { name: "argocd-repo-server", kinds: &["Deployment"] };
/// What people talk to.
pub(crate) const SERVER: Part = Part { name: "argocd-server", kinds: &["Deployment"] };
/// What deploys to clusters.
pub(crate) const CONTROLLER: Part = Part { name: "argocd-application-controller", kinds: &["StatefulSet", "Deployment"] };

/// The variable that names the file of a token of Azure.
pub(crate) const TOKEN_FILE: &str = "AZURE_FEDERATED_TOKEN_FILE";
/// Files at which Azure's webhook mounts tokens, over its versions.
const WEBHOOK_FOLDERS: [&str; 3] =
    ["/var/run/secrets/azure/tokens/", "/var/run/secrets/azure/wi/", "/var/run/secrets/tokens/azure-identity-token"];

impl Part {
    /// Its pod in a namespace; `None` where it is not known under the name that it has in Argo CD's own manifests.
    pub(crate) fn pod<'a>(self, cx: &Check<'a, Settings>, anchor: Node<'a>) -> Option<Pod<'a>> {
        let (namespace, name) = (cx.request.namespace, self.name);
        let object = self
            .kinds
            .iter()
            .find_map(|kind| cx.context.get(ObjectRef { api_version: "apps/v1", kind, namespace, name }, anchor).found())?;
        workload::pods(object, namespace, cx.context).into_iter().next()
    }
}

/// Whether a token of Azure reaches the pod: by the label, or by its own hand.
pub(crate) fn has_token(pod: &Pod<'_>) -> bool {
    is_labelled(pod) || pod.containers.iter().any(|container| container.env(TOKEN_FILE).is_some() || container.has_env_from())
}

/// Whether a container has a file, as far as one can tell: a mount lies above it, or the webhook brings it.
pub(crate) fn has_file(pod: &Pod<'_>, file: &str) -> bool {
    let is_webhooks = is_labelled(pod) && WEBHOOK_FOLDERS.iter().any(|folder| file.starts_with(folder));
    let file = file.strip_prefix("/run/").map_or_else(|| file.to_owned(), |rest| format!("/var/run/{rest}"));
    let covers = |container: &Container<'_>| {
        container.node.peek("volumeMounts").peek_items().any(|mount| {
            let path = mount.peek_text("mountPath").unwrap_or("").trim_end_matches('/');
            let path = path.strip_prefix("/run/").map_or_else(|| path.to_owned(), |rest| format!("/var/run/{rest}"));
            file.strip_prefix(path.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        })
    };
    is_webhooks || pod.containers.iter().any(covers)
}

/// The service account of a pod, if it is known.
pub(crate) fn account<'a>(cx: &Check<'a, Settings>, pod: &Pod<'a>) -> Option<ServiceAccount<'a>> {
    identity::account_of(pod, cx.context).found()
}
