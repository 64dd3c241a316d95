//! Which cluster plugins are told of: the one that Helm assumes where nobody names another, as for every chart here.

use std::fs;

use fedward_gitops::plugin::Kubernetes;
use fedward_manifest::{Document, Node};
use fedward_render::{Helm, Outcome, Source};

/// A chart that prints it.
const CHART: [(&str, &str); 2] = [
    ("Chart.yaml", "apiVersion: v2\nname: capabilities\nversion: 0.0.1\n"),
    (
        "templates/capabilities.yaml",
        "kind: ConfigMap\nversion: {{ .Capabilities.KubeVersion.Version | quote }}\napiVersions: {{ .Capabilities.APIVersions | toJson }}\n",
    ),
];

/// Asks Helm; nothing of a cluster is known in a build without it.
pub(super) fn ask() -> Kubernetes {
    rendered().map(|document| read(&document)).unwrap_or_default()
}

fn rendered() -> Option<Document> {
    let folder = tempfile::tempdir().ok()?;
    fs::create_dir(folder.path().join("templates")).ok()?;
    for (name, text) in CHART {
        fs::write(folder.path().join(name), text).ok()?;
    }
    let helm = Helm { release_name: "capabilities".to_owned(), ..Helm::default() };
    let Outcome::Rendered(rendered) = fedward_render::render(folder.path(), &Source::Helm(helm)).ok()? else { return None };
    let source = fedward_manifest::Source::from_text("capabilities", rendered.text()).ok()?;
    crate::origins::documents(&source.into()).into_iter().next()
}

fn read(document: &Document) -> Kubernetes {
    let text = |node: Option<Node<'_>>| node.and_then(|node| node.as_str()).unwrap_or_default().to_owned();
    let root = document.root();
    let versions = root.get("apiVersions").into_iter().flat_map(Node::items);
    // Argo CD's `GetServerVersion` writes a version as Helm does.
    Kubernetes { version: text(root.get("version")), api_versions: versions.map(|version| text(Some(version))).collect() }
}
