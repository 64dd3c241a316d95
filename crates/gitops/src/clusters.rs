//! Clusters that Argo CD deploys to: Secrets with a label, or a list that a person gives.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use fedward_manifest::{Document, Node, decode_base64};

use crate::application::Destination;
use crate::manifest::Manifest;
use crate::place::Place;
use crate::reason::Reason;
use crate::value::Value;

/// The name and address of the cluster that Argo CD itself runs in.
pub(crate) const IN_CLUSTER: &str = "in-cluster";
pub(crate) const IN_CLUSTER_SERVER: &str = "https://kubernetes.default.svc";
const TYPE_LABEL: &str = "argocd.argoproj.io/secret-type";

/// A cluster. Of its Secret only what is no secret is read: never `config`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cluster {
    /// Its name.
    pub name: String,
    /// Its address.
    pub server: String,
    /// The project that it belongs to, if any.
    pub project: Option<String>,
    /// Labels of its Secret.
    pub labels: BTreeMap<String, String>,
    /// Annotations of its Secret.
    pub annotations: BTreeMap<String, String>,
    /// Where it is written.
    pub place: Place,
}

/// What is known of the clusters.
#[derive(Clone, Debug, Default)]
pub struct Clusters {
    /// Those that are known, by name. Of two with one name the last one counts.
    pub known: BTreeMap<String, Cluster>,
    /// Whether there are no others: a person gave the list.
    pub complete: bool,
    /// The names in `known`, by address.
    names: HashMap<String, String>,
}

/// The cluster that a destination means, as far as it is known. One cluster is one, however Applications name it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// Its name, if that is known.
    pub(crate) name: Option<String>,
    /// Its address, if that is known.
    pub(crate) server: Option<String>,
}

impl Target {
    /// What tells it from other clusters: its address, or else its name.
    #[must_use]
    pub fn id(&self) -> &str {
        self.server.as_deref().or(self.name.as_deref()).unwrap_or_default()
    }
}

impl Clusters {
    /// What a person says that there is: cluster Secrets, or a map with `clusters`, a list of `name`, `server`, `project`, `labels` and
    /// `annotations`.
    ///
    /// # Errors
    /// What is there is neither.
    pub fn read(documents: &[Arc<Document>]) -> Result<Self, Reason> {
        let mut clusters = Clusters { complete: true, ..Clusters::default() };
        for document in documents.iter().filter(|document| !document.is_empty()) {
            let root = Value::read(document, document.root());
            if root.as_map().is_some_and(|map| map.contains_key("clusters")) && root.get("kind").is_none() {
                for item in root.list("clusters") {
                    clusters.add(listed(item)?);
                }
                continue;
            }
            for manifest in Manifest::all(document) {
                let place = &manifest.place;
                let secret = secret(&manifest);
                clusters.add(secret.ok_or_else(|| Reason::at(place, "neither the Secret of a cluster nor a map with `clusters`"))?);
            }
        }
        Ok(clusters)
    }

    /// Adds one.
    pub(crate) fn add(&mut self, cluster: Cluster) {
        self.names.insert(address(&cluster.server).to_owned(), cluster.name.clone());
        self.known.insert(cluster.name.clone(), cluster);
    }

    /// The cluster that a destination means, whether it says its name or its address.
    #[must_use]
    pub fn target(&self, destination: &Destination) -> Target {
        let server = address(&destination.server);
        let name = if server.is_empty() { Some(&destination.name) } else { self.names.get(server) };
        let text = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        // Of a Secret without an address no more than its name is known.
        let known = name.and_then(|name| self.known.get(name)).filter(|cluster| !cluster.server.is_empty());
        if let Some(cluster) = known.filter(|cluster| server.is_empty() || address(&cluster.server) == server) {
            return Target { name: text(&cluster.name), server: text(address(&cluster.server)) };
        }
        // The cluster that Argo CD runs in has this name if no Secret gives it another.
        if server == IN_CLUSTER_SERVER || server.is_empty() && destination.name == IN_CLUSTER {
            return Target { name: Some(IN_CLUSTER.to_owned()), server: Some(IN_CLUSTER_SERVER.to_owned()) };
        }
        Target { name: text(&destination.name), server: text(server) }
    }
}

/// An address as it is compared.
fn address(server: &str) -> &str {
    server.trim_end_matches('/')
}

/// The cluster that a Secret is, if it is one. Values come from `data` or `stringData`.
pub(crate) fn secret(manifest: &Manifest) -> Option<Cluster> {
    let node = manifest.node();
    let is_cluster = manifest.kind() == ("", "Secret") && label(node, TYPE_LABEL) == Some("cluster");
    is_cluster.then(|| Cluster {
        name: field(node, "name").unwrap_or_default(),
        server: field(node, "server").unwrap_or_default(),
        project: field(node, "project"),
        labels: texts(node, "labels"),
        annotations: texts(node, "annotations"),
        place: manifest.place.clone(),
    })
}

fn label<'d>(node: Node<'d>, key: &str) -> Option<&'d str> {
    node.get("metadata")?.get("labels")?.get(key)?.as_str()
}

fn field(node: Node<'_>, key: &str) -> Option<String> {
    // What is in `stringData` wins over `data`, as the API server has it.
    if let Some(text) = node.get("stringData").and_then(|data| data.get(key)).and_then(Node::as_str) {
        return Some(text.to_owned());
    }
    let encoded = node.get("data")?.get(key)?.as_str()?;
    String::from_utf8(decode_base64(encoded)?).ok()
}

fn texts(node: Node<'_>, key: &str) -> BTreeMap<String, String> {
    let map = node.get("metadata").and_then(|metadata| metadata.get(key));
    map.into_iter().flat_map(Node::entries).filter_map(|entry| Some((entry.key.to_owned(), entry.value.as_str()?.to_owned()))).collect()
}

fn listed(item: &Value) -> Result<Cluster, Reason> {
    const FIELDS: [&str; 5] = ["name", "server", "project", "labels", "annotations"];
    if let Some((key, value)) = item.as_map().into_iter().flatten().find(|(key, _)| !FIELDS.contains(&key.as_str())) {
        return Err(Reason::at(&value.place, format!("`{key}` is no field of a cluster: those are {}", FIELDS.join(", "))));
    }
    let name = item.text("name");
    if name.is_empty() || item.text("server").is_empty() {
        return Err(Reason::at(&item.place, "a cluster needs a `name` and a `server`"));
    }
    let texts = |key: &str| item.entries(key).map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
    Ok(Cluster {
        name: name.to_owned(),
        server: item.text("server").to_owned(),
        project: item.get("project").and_then(Value::as_str).map(str::to_owned),
        labels: texts("labels"),
        annotations: texts("annotations"),
        place: item.place.clone(),
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

    use super::*;
    use crate::test_text::documents;

    #[test]
    fn secrets_and_lists_are_read() {
        let clusters = Clusters::read(&documents(
            "apiVersion: v1\nkind: Secret\nmetadata:\n  name: s\n  labels: {argocd.argoproj.io/secret-type: cluster, tier: prod}\n  annotations: {a: b}\n\
             data: {name: cHJvZA==, server: aHR0cHM6Ly9wcm9kLmV4YW1wbGU=}\nstringData: {project: shop, config: '{\"bearerToken\":\"x\"}'}\n\
             ---\n# nothing\n---\nclusters: [{name: dev, server: 'https://dev.example', labels: {tier: dev}}]\n",
        ))
        .unwrap();
        assert!(clusters.complete);
        let (dev, prod) = (&clusters.known["dev"], &clusters.known["prod"]);
        assert_eq!((dev.server.as_str(), &dev.project), ("https://dev.example", &None));
        assert_eq!((prod.server.as_str(), prod.project.as_deref()), ("https://prod.example", Some("shop")));
        assert_eq!(prod.labels["tier"], "prod");
        assert_eq!(prod.annotations["a"], "b");
        assert!(!format!("{prod:?}").contains("bearerToken"));
    }

    #[test]
    fn a_cluster_is_one_by_name_and_by_address() {
        let clusters = Clusters::read(&documents(
            "clusters:\n- {name: prod, server: 'https://prod.example/'}\n- {name: in-cluster, server: 'https://hub.example'}\n",
        ))
        .unwrap();
        let id = |clusters: &Clusters, server: &str, name: &str| {
            let destination = Destination { server: server.to_owned(), name: name.to_owned(), namespace: String::new() };
            clusters.target(&destination).id().to_owned()
        };
        for (server, name, expected) in [
            ("", "prod", "https://prod.example"),
            ("https://prod.example", "", "https://prod.example"),
            ("https://prod.example//", "", "https://prod.example"),
            ("", "other", "other"),
            ("https://other.example/", "", "https://other.example"),
            // A Secret gives that name to another cluster.
            ("", "in-cluster", "https://hub.example"),
            ("https://kubernetes.default.svc/", "", "https://kubernetes.default.svc"),
        ] {
            assert_eq!(id(&clusters, server, name), expected, "{server} {name}");
        }
        for (server, name) in [("", "in-cluster"), ("https://kubernetes.default.svc", "")] {
            assert_eq!(id(&Clusters::default(), server, name), "https://kubernetes.default.svc");
        }
    }

    #[test]
    fn what_is_neither_is_said() {
        for (text, expected) in [
            ("kind: ConfigMap\napiVersion: v1", "neither the Secret of a cluster nor a map with `clusters`"),
            ("clusters: [{name: a}]", "a cluster needs a `name` and a `server`"),
            (
                "clusters: [{name: a, server: b, token: c}]",
                "`token` is no field of a cluster: those are name, server, project, labels, annotations",
            ),
        ] {
            assert_eq!(Clusters::read(&documents(text)).unwrap_err().text, expected);
        }
    }
}
