//! Paths as a guest knows them: absolute, under a name that no repository has by accident.

pub(crate) use fedward_renderers::MOUNT;

/// The guest's path for one that is relative to the root, with `.` and `..` taken out. `None` if it leads out of the root.
pub(crate) fn guest(relative: &str) -> Option<String> {
    let mut names: Vec<&str> = Vec::new();
    for name in relative.split('/') {
        match name {
            "" | "." => {}
            ".." => {
                names.pop()?;
            }
            name => names.push(name),
        }
    }
    if relative.starts_with('/') {
        return None;
    }
    Some(names.into_iter().fold(MOUNT.to_owned(), |path, name| path + "/" + name))
}

/// The path relative to the root for one of the guest's; any other path stays as it is.
pub(crate) fn relative(guest: &str) -> &str {
    match guest.strip_prefix(MOUNT) {
        Some("") => ".",
        Some(inside) => inside.strip_prefix('/').unwrap_or(guest),
        None => guest,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_stays_inside_or_is_none() {
        for (path, expected) in [
            ("", Some("/@root")),
            (".", Some("/@root")),
            ("a//b/../c/.", Some("/@root/a/c")),
            ("..", None),
            ("a/../../b", None),
            ("/a", None),
        ] {
            assert_eq!(guest(path).as_deref(), expected, "{path}");
        }
        for (path, expected) in [("/@root", "."), ("/@root/a/b", "a/b"), ("/@roots", "/@roots"), ("a", "a")] {
            assert_eq!(relative(path), expected);
        }
    }
}
