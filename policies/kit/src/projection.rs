//! Service account tokens that a pod projects by hand, and how its containers see them.

use crate::node::Node;
use crate::workload::{Container, Pod};

/// A `serviceAccountToken` source of a projected volume.
#[derive(Clone, Copy)]
pub struct Token<'a> {
    /// The volume.
    pub volume: Node<'a>,
    /// The volume's name.
    pub volume_name: &'a str,
    /// The source's map.
    pub node: Node<'a>,
    /// `audience`; absent means the API server itself.
    pub audience: Node<'a>,
    /// `path` inside the volume.
    pub path: Node<'a>,
    /// `expirationSeconds`.
    pub expiration: Node<'a>,
}

/// Every token that the pod's volumes project.
pub fn tokens<'a>(pod: &Pod<'a>) -> Vec<Token<'a>> {
    let mut found = Vec::new();
    for volume in &pod.volumes {
        for source in volume.get("projected").get("sources").items() {
            let node = source.get("serviceAccountToken");
            if node.is_present() {
                found.push(Token {
                    volume: *volume,
                    volume_name: volume.text("name").unwrap_or(""),
                    node,
                    audience: node.get("audience"),
                    path: node.get("path"),
                    expiration: node.get("expirationSeconds"),
                });
            }
        }
    }
    found
}

/// The file at which a container sees a token, for every mount of its volume: `mountPath/path`, slashes tidied. Mounts with a `subPath`
/// are left out.
pub fn files(container: Container<'_>, token: Token<'_>) -> Vec<String> {
    container
        .node
        .get("volumeMounts")
        .items()
        .filter(|mount| {
            mount.text("name") == Some(token.volume_name) && mount.get("subPath").is_absent() && mount.get("subPathExpr").is_absent()
        })
        .filter_map(|mount| Some(join(mount.text("mountPath")?, token.path.str()?)))
        .collect()
}

/// Joins and tidies a path: no doubled slashes, none at the end.
pub fn join(base: &str, path: &str) -> String {
    let mut joined = String::with_capacity(base.len() + path.len() + 1);
    for part in base.split('/').chain(path.split('/')).filter(|part| !part.is_empty()) {
        joined.push('/');
        joined.push_str(part);
    }
    if joined.is_empty() { "/".to_owned() } else { joined }
}

/// The token whose file an environment variable of the container names.
pub fn token_of_env<'a>(container: Container<'a>, variable: &str, tokens: &[Token<'a>]) -> Option<Token<'a>> {
    let file = join(container.env(variable)?.text("value")?, "");
    tokens.iter().copied().find(|token| files(container, *token).contains(&file))
}

/// Drivers whose volumes have tokens issued to themselves, so that the pod needs no label of its own.
const TOKEN_DRIVERS: [&str; 3] = ["secrets-store.csi.k8s.io", "blob.csi.azure.com", "file.csi.azure.com"];

/// Whether the pod mounts an inline volume of a CSI driver that signs in by itself.
///
/// Through a PersistentVolumeClaim the driver cannot be seen from the pod; rules that need it ask for the claim.
pub fn has_csi_identity(pod: &Pod<'_>) -> bool {
    pod.volumes.iter().any(|volume| {
        let csi = volume.get("csi");
        match csi.text("driver") {
            Some("secrets-store.csi.k8s.io") => true,
            Some(driver) if TOKEN_DRIVERS.contains(&driver) => csi
                .get("volumeAttributes")
                .peek_entries()
                .any(|(key, value)| key.eq_ignore_ascii_case("clientID") && value.peek_str().is_some_and(|text| !text.is_empty())),
            _ => false,
        }
    })
}
