//! Which volume a path of a container lies in.

use fedward_kit::node::Node;
use fedward_kit::projection;
use fedward_kit::workload::{Container, Pod};

/// A Secret that is mounted where a path lies.
pub(crate) struct Mounted<'a> {
    /// The volume's source, or its part of a projected volume.
    pub(crate) source: Node<'a>,
    /// The Secret's name.
    pub(crate) name: &'a str,
    /// The Secret's key at the path.
    pub(crate) key: &'a str,
}

/// The Secret that a container sees a file of at `path`. The longest mount that covers the path counts.
pub(crate) fn secret_at<'a>(pod: &Pod<'a>, container: Container<'a>, path: &'a str) -> Option<Mounted<'a>> {
    let tidy = projection::join(path, "");
    let covering = |mount: &Node<'a>| {
        let base = projection::join(mount.text("mountPath").unwrap_or(""), "");
        let rest = tidy.strip_prefix(&base)?;
        (rest.is_empty() || rest.starts_with('/') || base == "/").then_some(base.len())
    };
    let mounts = container.node.get("volumeMounts").items().filter_map(|mount| Some((covering(&mount)?, mount)));
    let (length, mount) = mounts.max_by_key(|(length, _)| *length)?;
    let inside = tidy.get(length..).unwrap_or("").trim_start_matches('/');
    let sub_path = mount.text("subPath").unwrap_or("").trim_matches('/');
    let file = match (sub_path.is_empty(), inside.is_empty()) {
        (true, _) => inside.to_owned(),
        (false, true) => sub_path.to_owned(),
        (false, false) => format!("{sub_path}/{inside}"),
    };
    let name = mount.text("name")?;
    let volume = pod.volumes.iter().find(|volume| volume.text("name") == Some(name))?;
    let own = volume.get("secret");
    let parts = volume.at(&["projected", "sources"]).items().map(|source| (source.get("secret"), "name"));
    std::iter::once((own, "secretName")).chain(parts).find_map(|(source, field)| {
        let name = source.get(field).filled()?;
        let mut items = source.get("items").items().peekable();
        let key = match items.peek() {
            None => source.session().text(&file),
            Some(_) => items.find(|item| item.text("path") == Some(&*file)).and_then(|item| item.text("key"))?,
        };
        Some(Mounted { source, name, key })
    })
}
