//! Paths in a repository: relative to its root, with `/`, as Go's `path` and `filepath` treat them.

/// A path without `.`, `..` and double slashes; empty for the root. `None` if it leads out of it.
#[must_use]
pub fn clean(path: &str) -> Option<String> {
    join("", path)
}

/// A path relative to a clean folder. A leading slash does not count: joining never starts over.
#[must_use]
pub fn join(folder: &str, path: &str) -> Option<String> {
    let mut parts: Vec<&str> = parts(folder).collect();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => _ = parts.pop()?,
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

/// The parts of a clean path; none for the root.
pub(crate) fn parts(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter(|part| !part.is_empty())
}

/// The folder of a clean path; the root's is the root.
pub(crate) fn folder(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// The last part of a clean path.
#[must_use]
pub fn name(path: &str) -> &str {
    path.rsplit_once('/').map_or(path, |(_, name)| name)
}

/// The path of `path` below `folder`, both clean; `None` if it is not there.
#[must_use]
pub fn below<'p>(folder: &str, path: &'p str) -> Option<&'p str> {
    if folder.is_empty() {
        return Some(path);
    }
    let rest = path.strip_prefix(folder)?;
    if rest.is_empty() { Some(rest) } else { rest.strip_prefix('/') }
}

/// A folder as messages have it.
pub(crate) fn shown(path: &str) -> &str {
    if path.is_empty() { "." } else { path }
}

/// Go's `path.Dir` of a clean path.
pub(crate) fn go_dir(path: &str) -> &str {
    shown(folder(path))
}

/// Go's `path.Base` of a clean path.
pub(crate) fn go_base(path: &str) -> &str {
    shown(name(path))
}

/// The order of Go's `filepath.Walk`: the names of a folder sorted, and what a folder holds right after it.
pub(crate) fn walk_order(left: &str, right: &str) -> std::cmp::Ordering {
    let key = |byte: u8| if byte == b'/' { 0 } else { byte };
    left.bytes().map(key).cmp(right.bytes().map(key))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_never_leave_the_root() {
        assert_eq!(clean("./a//b/../c/").as_deref(), Some("a/c"));
        assert_eq!(clean("/a").as_deref(), Some("a"));
        assert_eq!(clean(".").as_deref(), Some(""));
        assert_eq!(clean("a/../../b"), None);
        assert_eq!(join("a/b", "../../..").as_deref(), None);
        assert_eq!(join("a/b", "../..").as_deref(), Some(""));
    }

    #[test]
    fn parts_of_paths_are_those_of_go() {
        assert_eq!((go_dir("a/b.yaml"), go_base("a/b.yaml")), ("a", "b.yaml"));
        assert_eq!((go_dir("b.yaml"), go_base("b.yaml")), (".", "b.yaml"));
        assert_eq!(go_base(""), ".");
        assert_eq!((below("a", "a/b"), below("a", "ab"), below("", "ab"), below("a", "a")), (Some("b"), None, Some("ab"), Some("")));
    }

    #[test]
    fn a_folder_is_walked_before_what_sorts_after_its_name() {
        let mut paths = ["a.yaml", "a/b", "a", "a-b/c", "a-b"];
        paths.sort_by(|left, right| walk_order(left, right));
        assert_eq!(paths, ["a", "a/b", "a-b", "a-b/c", "a.yaml"]);
    }
}
