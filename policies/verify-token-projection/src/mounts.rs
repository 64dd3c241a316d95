//! Where a container finds its files.

use std::cell::OnceCell;

use fedward_kit::identity::Provider;
use fedward_kit::node::Node;
use fedward_kit::projection::{self, Token};
use fedward_kit::text::{self, ByName};
use fedward_kit::token_use::{AWS_FILE, AZURE_FILE};
use fedward_kit::workload::{Container, Pod};

/// The variables that name the file of a token, and whose SDK reads them.
pub(crate) const FILES: [(&str, Provider); 2] = [(AZURE_FILE, Provider::Azure), (AWS_FILE, Provider::AwsIrsa)];

/// Where every pod has its token for the API server; a variable that names it is `missing-token-audience`'s matter.
pub(crate) const OWN_TOKEN: &str = "/var/run/secrets/kubernetes.io/serviceaccount/token";

/// More mounts than any operator's pod has; each is looked at for every container.
const MANY: usize = 100;

/// A path as it is compared: without doubled slashes, and `/run` written as `/var/run`, which is a link to it in most images. `None` for
/// what is no plain absolute path of Linux.
pub(crate) fn tidy(path: &str) -> Option<String> {
    let is_plain = path.starts_with('/')
        && !path.contains('\\')
        && text::classify(path) == text::Value::Plain
        && !path.split('/').any(|part| part == "." || part == "..");
    let path = is_plain.then(|| projection::join(path, ""))?;
    Some(if path.starts_with("/run/") { ["/var", &path].concat() } else { path })
}

/// Whether [`tidy`] makes this folder of the path, which is the same and cheaper to ask where a folder is known.
pub(crate) fn is_folder(path: &str, folder: &str) -> bool {
    let parts = |path| str::split(path, '/').filter(|part: &&str| !part.is_empty());
    let mut first = parts(path);
    let linked = (first.next() == Some("run") && first.next().is_some()).then_some("var");
    path.starts_with('/') && linked.into_iter().chain(parts(path)).eq(parts(folder))
}

/// The part of a tidy path inside a folder, empty for the folder itself; `None` if it lies elsewhere.
pub(crate) fn inside<'p>(folder: &str, path: &'p str) -> Option<&'p str> {
    let rest = if folder == "/" { path } else { path.strip_prefix(folder)? };
    if rest.is_empty() { Some(rest) } else { rest.strip_prefix('/') }
}

/// The mounts of a container.
pub(crate) fn mounts<'a>(container: Container<'a>) -> impl Iterator<Item = Node<'a>> {
    container.node.get("volumeMounts").items()
}

/// The nearest mounts that a file lies in, each with the file's path inside. `None` where a mount's path is not known.
pub(crate) fn covering<'a>(pod: &Pod<'a>, container: Container<'a>, file: &str) -> Option<Vec<(Node<'a>, String)>> {
    let mut found: Vec<(Node<'a>, String)> = Vec::new();
    // Some operators add mounts that stand beside the containers to one of theirs.
    for mount in mounts(container).chain(pod.spec.peek("volumeMounts").peek_items().take(MANY)) {
        let folder = tidy(mount.text("mountPath").unwrap_or(""))?;
        let Some(rest) = inside(&folder, file) else { continue };
        let nearest = found.first().map_or(usize::MAX, |(_, rest)| rest.len());
        if rest.len() < nearest {
            found.clear();
        }
        if rest.len() <= nearest {
            found.push((mount, rest.to_owned()));
        }
    }
    Some(found)
}

/// Whether mounts or variables may come from somewhere that is not looked at: patches and defaults of Argo workflows, templates of
/// Tekton steps.
pub(crate) fn is_patched<'a>(pod: &Pod<'a>, container: Container<'a>) -> bool {
    let has = |node: Node<'a>, field: &'static str| node.peek(field).is_present();
    let by_argo = |spec: Node<'a>| has(spec, "podSpecPatch") || has(spec, "templateDefaults") || has(spec, "workflowTemplateRef");
    pod.workflow.is_some_and(by_argo)
        || has(pod.node, "podSpecPatch")
        || container.node.parent().and_then(Node::parent).is_some_and(|task| has(task, "stepTemplate"))
}

/// The volumes of a pod by name, looked up only where somebody asks.
pub(crate) struct Volumes<'p, 'a> {
    pod: &'p Pod<'a>,
    names: OnceCell<ByName<'a>>,
}

impl<'p, 'a> Volumes<'p, 'a> {
    pub(crate) fn of(pod: &'p Pod<'a>) -> Self {
        Volumes { pod, names: OnceCell::new() }
    }

    pub(crate) fn find(&self, name: &str) -> Option<Node<'a>> {
        let names = self.names.get_or_init(|| {
            let mut names = ByName::new();
            for (at, volume) in self.pod.volumes.iter().enumerate() {
                names.insert(volume.text("name").unwrap_or("").into(), at);
            }
            names
        });
        self.pod.volumes.get(*names.get(name)?).copied()
    }

    /// The volume of a mount.
    pub(crate) fn mounted(&self, mount: Node<'a>) -> Option<Node<'a>> {
        self.find(mount.text("name")?)
    }
}

/// The tokens that a volume projects.
pub(crate) fn tokens_of(volume: Node<'_>) -> Vec<Token<'_>> {
    let sources = volume.get("projected").get("sources").items().map(|source| source.get("serviceAccountToken"));
    sources
        .filter(|node| node.is_present())
        .map(|node| Token {
            volume,
            volume_name: volume.text("name").unwrap_or(""),
            node,
            audience: node.get("audience"),
            path: node.get("path"),
            expiration: node.get("expirationSeconds"),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{inside, is_folder, tidy};

    #[test]
    fn paths_are_compared_as_the_kernel_sees_them() {
        assert_eq!(tidy("//run/secrets//t/").as_deref(), Some("/var/run/secrets/t"));
        assert_eq!(tidy("/runner/t").as_deref(), Some("/runner/t"));
        for (path, folder) in [("//run/secrets//t/", "/var/run/secrets/t"), ("/runner/t", "/runner/t"), ("/run", "/run"), ("/", "/")] {
            assert!(is_folder(path, folder), "{path}");
            assert_eq!(tidy(path).as_deref(), Some(folder), "{path}");
            for other in ["/var/run/secrets", "/var/run/secrets/t/u", "/var/runner/t", "/var/run", "var/run"] {
                assert!(!is_folder(path, other) && tidy(path).as_deref() != Some(other), "{path} {other}");
            }
        }
        for strange in ["", "t", "/a/../t", "/a/$(DIR)/t", "/a/{{t}}", "C:\\var\\t", "/a\\t"] {
            assert_eq!(tidy(strange), None, "{strange}");
        }
        assert_eq!(
            (inside("/a", "/a/b/c"), inside("/a", "/a"), inside("/a", "/ab"), inside("/", "/a")),
            (Some("b/c"), Some(""), None, Some("a"))
        );
    }
}
