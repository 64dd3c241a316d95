//! What several rules of this policy ask of a pod.

use std::cell::OnceCell;

use fedward_kit::context::Context;
use fedward_kit::finding::ObjectRef;
use fedward_kit::identity::AZURE_USE;
pub(crate) use fedward_kit::identity::{AWS_SKIP, is_labelled, is_skipped};
use fedward_kit::node::Node;
use fedward_kit::request::group_of;
use fedward_kit::rule::Check;
use fedward_kit::workload::Pod;
use fedward_kit::{audience, projection, token_use};

use crate::settings::Settings;

/// Whether the pod projects a token for Azure by hand: one of Azure's audience (the application may know the path from anywhere), or
/// one that Azure's variable names, or, where there is no such variable, one whose audience is a slip of Azure's. A wrong audience is
/// what other rules report.
pub(crate) fn projects_azure_token(pod: &Pod<'_>) -> bool {
    let is_named = |token: projection::Token<'_>| {
        pod.containers.iter().any(|container| {
            token_use::literal(*container, token_use::AZURE_FILE)
                .is_some_and(|(_, file)| projection::files(*container, token).contains(&projection::join(file, "")))
        })
    };
    let is_unnamed = || pod.containers.iter().all(|container| container.env(token_use::AZURE_FILE).is_none());
    let is_slip = |text: &str| audience::slip(text).is_some_and(|slip| audience::is_azure(slip.meant));
    let is_azure = |text: &str| audience::is_azure(text) || is_unnamed() && is_slip(text);
    projection::tokens(pod).into_iter().any(|token| token.audience.str().is_some_and(is_azure) || is_named(token))
}

/// Whether a field reference of the pod reads a label or annotation, so that it is live wherever the webhook looks.
pub(crate) fn is_read_by_pod(pod: &Pod<'_>, key: &str) -> bool {
    let reads = |item: Node<'_>| {
        let path = item.get("fieldRef").text("fieldPath").unwrap_or("");
        path.contains(key) || path == "metadata.annotations" || path == "metadata.labels"
    };
    let env = pod.containers.iter().flat_map(|container| container.node.get("env").items()).map(|entry| entry.get("valueFrom"));
    let files = pod.volumes.iter().flat_map(|volume| {
        let projected = volume.get("projected").get("sources").items().map(|source| source.get("downwardAPI"));
        std::iter::once(volume.get("downwardAPI")).chain(projected).flat_map(|source| source.get("items").items()).collect::<Vec<_>>()
    });
    env.chain(files).any(reads)
}

/// Whether the pod mounts a volume whose CSI driver has tokens of the pod's account issued to itself: inline, or through a claim.
pub(crate) fn has_csi_identity<'a>(context: &Context<'a>, pod: &Pod<'a>) -> bool {
    pod.volumes.iter().any(|volume| {
        let csi = volume.get("csi");
        if csi.is_present() {
            return signs_in(context, pod, csi);
        }
        let claim = volume.get("persistentVolumeClaim").get("claimName");
        let get = |kind, namespace, name: Node<'a>| {
            let object = ObjectRef { api_version: "v1", kind, namespace, name: name.str().unwrap_or("") };
            context.get(object, claim).found()
        };
        claim.is_present()
            && get("PersistentVolumeClaim", pod.namespace, claim)
                .and_then(|claim| get("PersistentVolume", "", claim.get("spec").get("volumeName")))
                .is_some_and(|volume| signs_in(context, pod, volume.get("spec").get("csi")))
    })
}

/// Whether a CSI volume signs in to Azure: by its driver, and by what its attributes say.
fn signs_in<'a>(context: &Context<'a>, pod: &Pod<'a>, csi: Node<'a>) -> bool {
    let attributes = csi.get("volumeAttributes");
    match csi.text("driver") {
        Some("secrets-store.csi.k8s.io") => {
            let name = attributes.get("secretProviderClass");
            let api_version = "secrets-store.csi.x-k8s.io/v1";
            let class = ObjectRef { api_version, kind: "SecretProviderClass", namespace: pod.namespace, name: name.str().unwrap_or("") };
            // A class that is not known may well be Azure's.
            context.get(class, name).found().is_none_or(|class| class.get("spec").text("provider").is_none_or(|name| name == "azure"))
        }
        Some("blob.csi.azure.com" | "file.csi.azure.com") => attributes
            .entries()
            .any(|(key, value)| key.eq_ignore_ascii_case("clientID") && value.peek_str().is_some_and(|text| !text.is_empty())),
        _ => false,
    }
}

/// The namespaces and service accounts of an object's pods that sign in to Azure by label or by hand.
pub(crate) struct SignedIn<'c, 'a> {
    cx: &'c Check<'a, Settings>,
    /// Sorted.
    found: OnceCell<Vec<(&'a str, &'a str)>>,
}

impl<'c, 'a> SignedIn<'c, 'a> {
    pub(crate) fn new(cx: &'c Check<'a, Settings>) -> Self {
        SignedIn { cx, found: OnceCell::new() }
    }

    /// Whether some pod of the object signs in as the pod's account.
    pub(crate) fn shares(&self, pod: &Pod<'a>) -> bool {
        let found = self.found.get_or_init(|| {
            let mut found = Vec::new();
            for pod in self.cx.all_pods().iter().filter(|pod| pod.label(AZURE_USE).is_present() || projects_azure_token(pod)) {
                let account = (pod.namespace, pod.account.name().unwrap_or_default());
                if let Err(at) = found.binary_search(&account) {
                    found.insert(at, account);
                }
            }
            found
        });
        pod.account.name().is_some_and(|name| found.binary_search(&(pod.namespace, name)).is_ok())
    }
}

/// An object with pods: the one under admission, one inside it, or one whose templates it runs.
pub(crate) struct Owner<'a> {
    pub(crate) node: Node<'a>,
    pub(crate) group: &'a str,
    pub(crate) kind: &'a str,
    pub(crate) pods: Vec<&'a Pod<'a>>,
}

/// What several rules of this policy ask of an object.
#[derive(Default)]
pub struct Facts<'a> {
    owners: OnceCell<Vec<Owner<'a>>>,
}

/// The objects that the request's pods stand in, each with its own.
pub(crate) fn owners<'c, 'a>(cx: &'c Check<'a, Settings>) -> &'c [Owner<'a>] {
    cx.facts.owners.get_or_init(|| find_owners(cx.pods()))
}

fn find_owners<'a>(pods: &'a [Pod<'a>]) -> Vec<Owner<'a>> {
    let mut found: Vec<Owner<'a>> = Vec::new();
    // The objects' addresses, sorted, and their places in `found`.
    let mut known: Vec<(usize, usize)> = Vec::new();
    for pod in pods {
        let is_object = |node: &Node<'a>| node.peek_text("apiVersion").is_some() && node.peek_text("kind").is_some();
        let Some(node) = std::iter::successors(Some(pod.node), |node| node.parent()).find(is_object) else { continue };
        let address = node.value().map_or(0, |value| std::ptr::from_ref(value).addr());
        let place = match known.binary_search_by_key(&address, |(address, _)| *address) {
            Ok(at) => known.get(at).map_or(0, |(_, place)| *place),
            Err(at) => {
                known.insert(at, (address, found.len()));
                let text = |field: &'static str| node.peek(field).peek_str().unwrap_or("");
                found.push(Owner { node, group: group_of(text("apiVersion")), kind: text("kind"), pods: Vec::new() });
                found.len() - 1
            }
        };
        if let Some(owner) = found.get_mut(place) {
            owner.pods.push(pod);
        }
    }
    found
}
