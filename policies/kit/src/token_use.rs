//! What a pod's projected tokens are for: which provider's SDK reads which file.

use std::borrow::Cow;

use crate::context::Context;
use crate::finding::ObjectRef;
use crate::identity::Provider;
use crate::node::{Format, Node};
use crate::projection::{self, Token};
use crate::text::ByName;
use crate::workload::{Container, Pod};

/// A token that a pod projects by hand, and who reads it.
pub struct Projected<'a> {
    /// The token.
    pub token: Token<'a>,
    /// The first pod that projects it; pods of one workflow share volumes.
    pub pod: Pod<'a>,
    /// Who reads it, in the order of the containers.
    pub uses: Vec<Use<'a>>,
}

/// A provider's SDK that reads a token.
#[derive(Clone, Copy)]
pub struct Use<'a> {
    /// Whose.
    pub provider: Provider,
    /// What says so: the value of an environment variable, or the mount at a path that a webhook uses.
    pub node: Node<'a>,
    /// The variable, or `the path of the webhook's token`.
    pub by: &'static str,
    /// The container.
    pub container: Container<'a>,
    /// For Google Cloud, the audience that the credential configuration names.
    pub wanted: Option<&'a str>,
}

impl Use<'_> {
    /// What says so, for messages.
    pub fn by(&self) -> String {
        if self.by.contains(' ') { self.by.to_owned() } else { format!("`{}`", self.by) }
    }
}

impl<'a> Projected<'a> {
    /// The first reader of a provider.
    pub fn used_for(&self, provider: Provider) -> Option<&Use<'a>> {
        self.uses.iter().find(|using| using.provider == provider)
    }
}

/// The variable that tells Azure's SDKs where the token is.
pub const AZURE_FILE: &str = "AZURE_FEDERATED_TOKEN_FILE";
/// The variable that tells AWS' SDKs where the token of IRSA is.
pub const AWS_FILE: &str = "AWS_WEB_IDENTITY_TOKEN_FILE";
/// The variable that tells AWS' SDKs where the token for the container credentials endpoint is.
const AWS_AGENT_FILE: &str = "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE";
const GOOGLE_CREDENTIALS: &str = "GOOGLE_APPLICATION_CREDENTIALS";

/// Files at which the webhooks of all versions put their tokens: a pod that puts its own there means the same SDK.
const INJECTED: [(&str, Provider); 5] = [
    ("/var/run/secrets/azure/tokens/azure-identity-token", Provider::Azure),
    ("/var/run/secrets/azure/wi/token/azure-identity-token", Provider::Azure),
    ("/var/run/secrets/tokens/azure-identity-token", Provider::Azure),
    ("/var/run/secrets/eks.amazonaws.com/serviceaccount/token", Provider::AwsIrsa),
    ("/var/run/secrets/pods.eks.amazonaws.com/serviceaccount/eks-pod-identity-token", Provider::AwsPodIdentity),
];

/// The tokens that pods of the object under admission project, each once.
pub(crate) fn projected<'a>(context: &Context<'a>, pods: &[Pod<'a>]) -> Vec<Projected<'a>> {
    let mut found: Vec<Projected<'a>> = Vec::new();
    let mut known = ByName::new();
    for pod in pods {
        let tokens: Vec<Token<'a>> = projection::tokens(pod).into_iter().filter(|token| token.node.in_request()).collect();
        if tokens.is_empty() {
            continue;
        }
        let mut uses = uses(context, pod, &tokens);
        for (number, token) in tokens.into_iter().enumerate() {
            let uses = uses.get_mut(number).map(std::mem::take).unwrap_or_default();
            let place = token.node.value().map_or(0, |value| std::ptr::from_ref(value) as usize);
            let place = Cow::Owned(place.to_string());
            match known.get(&place).and_then(|at| found.get_mut(*at)) {
                Some(entry) => entry.uses.extend(uses),
                None => {
                    known.insert(place, found.len());
                    found.push(Projected { token, pod: pod.clone(), uses });
                }
            }
        }
    }
    found
}

/// Who reads each of the tokens.
fn uses<'a>(context: &Context<'a>, pod: &Pod<'a>, tokens: &[Token<'a>]) -> Vec<Vec<Use<'a>>> {
    let mut found: Vec<Vec<Use<'a>>> = tokens.iter().map(|_| Vec::new()).collect();
    for container in &pod.containers {
        let container = *container;
        let files: Vec<Vec<String>> = tokens.iter().map(|token| projection::files(container, *token)).collect();
        let mut note = |file: &str, by, provider, node, wanted| {
            for (files, uses) in files.iter().zip(&mut found) {
                if files.iter().any(|known| known == file) {
                    uses.push(Use { provider, node, by, container, wanted });
                }
            }
        };
        for (by, provider) in [(AZURE_FILE, Provider::Azure), (AWS_FILE, Provider::AwsIrsa), (AWS_AGENT_FILE, Provider::AwsPodIdentity)] {
            let Some((node, file)) = literal(container, by) else { continue };
            if by != AWS_AGENT_FILE || asks_pod_identity_agent(container) {
                note(&projection::join(file, ""), by, provider, node, None);
            }
        }
        if let Some((node, file, wanted)) = google_token(context, pod, container) {
            note(&projection::join(file, ""), GOOGLE_CREDENTIALS, Provider::Gcp, node, wanted);
        }
        for (file, provider) in INJECTED {
            note(file, "the path of the webhook's token", provider, container.node.get("volumeMounts"), None);
        }
    }
    found
}

/// The literal value of an environment variable.
pub fn literal<'a>(container: Container<'a>, name: &str) -> Option<(Node<'a>, &'a str)> {
    let node = container.env(name)?.get("value");
    Some((node, node.filled().filter(|text| !text.contains("$("))?))
}

/// Whether the container's credentials endpoint is the EKS Pod Identity agent: other endpoints have audiences of their own.
fn asks_pod_identity_agent(container: Container<'_>) -> bool {
    literal(container, "AWS_CONTAINER_CREDENTIALS_FULL_URI")
        .is_some_and(|(_, url)| url.contains("169.254.170.23") || url.contains("[fd00:ec2::23]"))
}

/// The token file that the credential configuration of Google Cloud names, where it stands in a ConfigMap that the container mounts, and
/// the audience that it names.
fn google_token<'a>(context: &Context<'a>, pod: &Pod<'a>, container: Container<'a>) -> Option<(Node<'a>, &'a str, Option<&'a str>)> {
    let (node, path) = literal(container, GOOGLE_CREDENTIALS)?;
    let path = projection::join(path, "");
    for mount in container.node.get("volumeMounts").items() {
        let base = projection::join(mount.text("mountPath").unwrap_or(""), "");
        let Some(inside) = path.strip_prefix(base.as_str()) else { continue };
        let sub_path = mount.text("subPath").unwrap_or("");
        let file = if sub_path.is_empty() { inside.trim_start_matches('/') } else { sub_path };
        let Some(volume) = pod.volumes.iter().find(|volume| volume.text("name") == mount.text("name")) else { continue };
        for source in
            std::iter::once(volume.get("configMap")).chain(volume.at(&["projected", "sources"]).items().map(|s| s.get("configMap")))
        {
            let Some(name) = source.get("name").filled() else { continue };
            let mut items = source.get("items").items().peekable();
            let key = match items.peek() {
                None => Some(file),
                Some(_) => items.find(|item| item.text("path") == Some(file)).and_then(|item| item.text("key")),
            };
            let Some(key) = key else { continue };
            let map = ObjectRef { api_version: "v1", kind: "ConfigMap", namespace: pod.namespace, name };
            let Some(map) = context.get(map, node).found() else { continue };
            let text = map.peek("data").peek(map.session().text(key));
            let Ok(credential) = text.open(Format::Json) else { continue };
            if credential.peek_text("type") == Some("external_account") {
                let token = credential.peek("credential_source").peek_text("file")?;
                return Some((node, token, credential.peek_text("audience")));
            }
        }
    }
    None
}
