//! Places in files, as case files name them.

/// A path of the case file's folder, without `.` and `..`.
pub(super) fn joined(folder: &str, path: &str) -> String {
    let mut parts: Vec<&str> = if path.starts_with('/') { vec![""] } else { folder.split('/').filter(|part| !part.is_empty()).collect() };
    if folder.starts_with('/') && !path.starts_with('/') {
        parts.insert(0, "");
    }
    for part in path.split('/').filter(|part| !part.is_empty() && *part != ".") {
        match (part, parts.last()) {
            ("..", Some(last)) if *last != ".." && !last.is_empty() => drop(parts.pop()),
            _ => parts.push(part),
        }
    }
    parts.join("/")
}

/// A path as seen from the case file's folder, if it is below it or beside it.
pub(super) fn relative(folder: &str, path: &str) -> String {
    let from: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    let to: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    let shared = from.iter().zip(&to).take_while(|(one, other)| one == other).count();
    let up = from.iter().skip(shared).map(|_| "..");
    up.chain(to.iter().skip(shared).copied()).collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths() {
        for (folder, path, file) in [
            ("tests", "a.yaml", "tests/a.yaml"),
            ("tests/b", "../a.yaml", "tests/a.yaml"),
            ("", "./a.yaml", "a.yaml"),
            ("", "../a.yaml", "../a.yaml"),
            ("/x/y", "../a.yaml", "/x/a.yaml"),
        ] {
            assert_eq!(joined(folder, path), file);
            assert_eq!(joined(folder, &relative(folder, file)), file);
        }
        assert_eq!(joined("tests", "/x/a.yaml"), "/x/a.yaml");
    }
}
