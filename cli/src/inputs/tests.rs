#![allow(clippy::unwrap_used, reason = "tests")]

use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::process::Command;

use super::*;

/// A folder of its own, gone when the test is.
struct Folder(PathBuf, [PathBuf; 1]);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("fedward-inputs-{name}-{}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        let root = [path.join("in")];
        Folder(path, root)
    }

    fn request(&self) -> Request<'_> {
        Request { paths: &self.1, gitignore: true, ..Request::default() }
    }

    fn file(&self, name: &str) -> PathBuf {
        let path = self.0.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, "kind: Pod\n").unwrap();
        path
    }

    /// The names that are read, and what is skipped and unread, as `name: reason`.
    fn read(&self, request: &Request<'_>) -> (Vec<String>, Vec<String>) {
        let inputs = read(request).unwrap();
        let short = |name: &str| name.replace(&*self.0.to_string_lossy(), "").trim_start_matches("/in/").to_owned();
        let skipped = inputs.skipped.iter().map(|skipped| format!("{}: {}", short(&skipped.file), skipped.reason));
        let unread = inputs.unread.iter().map(|unread| format!("unread {}: {}", short(&unread.file), unread.reason));
        (inputs.files.iter().map(|file| short(&file.name)).collect(), skipped.chain(unread).collect())
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A packed chart is no manifest, and may hold many.
#[test]
fn archives_are_told_of() {
    let folder = Folder::new("archives");
    folder.file("in/a.yaml");
    for name in ["in/web-1.0.0.tgz", "in/web/charts/base-1.0.0.tgz", "in/old/web-0.9.0.TGZ"] {
        fs::write(folder.file(name), b"\x1f\x8b\x08\0").unwrap();
    }
    let why = "a packed chart, of which `fedward render FILE | fedward check -` judges what it renders to";
    let exclude = ["old".to_owned()];
    let (files, told) = folder.read(&Request { exclude: &exclude, ..folder.request() });
    assert_eq!((files, told), (vec!["a.yaml".to_owned()], vec![format!("web-1.0.0.tgz: {why}")]));
    assert_eq!(folder.read(&folder.request()).1.len(), 2);
    let named = [folder.0.join("in/web-1.0.0.tgz")];
    let error = read(&Request { paths: &named, ..folder.request() }).unwrap_err().to_string();
    assert!(error.contains("is an archive, and no manifest"), "{error}");
}

#[test]
fn what_cannot_be_read_on_the_way_is_listed_and_the_rest_is_read() {
    let folder = Folder::new("unread");
    folder.file("in/a.yaml");
    folder.file("in/z.yaml");
    let large = folder.file("in/large.yaml");
    fs::OpenOptions::new().write(true).open(&large).unwrap().set_len(MAX_FILE + 1).unwrap();
    let locked = folder.file("in/locked/b.yaml").parent().unwrap().to_owned();
    fs::set_permissions(&locked, fs::Permissions::from_mode(0o000)).unwrap();
    // Root reads everything.
    let is_root = fs::read_dir(&locked).is_ok();
    let (files, told) = folder.read(&folder.request());
    fs::set_permissions(&locked, fs::Permissions::from_mode(0o755)).unwrap();
    let mut expected = vec!["unread large.yaml: larger than 512 MiB"];
    if is_root {
        assert_eq!(files, ["a.yaml", "locked/b.yaml", "z.yaml"]);
    } else {
        assert_eq!(files, ["a.yaml", "z.yaml"]);
        expected.push("unread locked: permission denied");
    }
    assert_eq!(told, expected);
}

#[test]
fn links_stay_in_the_folder() {
    let folder = Folder::new("links");
    folder.file("in/a.yaml");
    folder.file("in/sub/b.yaml");
    folder.file("out/c.yaml");
    symlink("a.yaml", folder.0.join("in/again.yaml")).unwrap();
    symlink("sub", folder.0.join("in/subagain")).unwrap();
    symlink("../out", folder.0.join("in/outside")).unwrap();
    symlink("../out/c.yaml", folder.0.join("in/c.yaml")).unwrap();
    symlink("nowhere", folder.0.join("in/gone.yaml")).unwrap();
    let (files, told) = folder.read(&folder.request());
    assert_eq!(files, ["a.yaml", "sub/b.yaml"]);
    assert_eq!(
        told,
        [
            "c.yaml: a link that leads out of the folder",
            "gone.yaml: a link that leads nowhere",
            "outside: a link that leads out of the folder"
        ]
    );
}

#[test]
fn a_pipe_is_read_only_where_it_is_named() {
    let folder = Folder::new("pipe");
    folder.file("in/a.yaml");
    let pipe = folder.0.join("in/pipe.yaml");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    symlink("pipe.yaml", folder.0.join("in/link.yaml")).unwrap();
    let (files, told) = folder.read(&folder.request());
    assert_eq!(files, ["a.yaml"]);
    assert_eq!(told, ["link.yaml: not an ordinary file", "pipe.yaml: not an ordinary file"]);
    let writer = pipe.clone();
    let writer = std::thread::spawn(move || fs::write(writer, "kind: Pod\n"));
    assert_eq!(folder.read(&Request { paths: &[pipe], ..folder.request() }).0, ["pipe.yaml"]);
    writer.join().unwrap().unwrap();
}

#[test]
fn charts_are_found_above_what_is_named_but_not_above_the_repository() {
    let folder = Folder::new("charts");
    for name in ["Chart.yaml", "in/templates/Chart.yaml", "in/templates/templates/a.yaml", "in/templates/b.yaml", "in/c.yaml"] {
        folder.file(name);
    }
    let templates = || {
        let inputs = read(&folder.request()).unwrap();
        let mut names: Vec<String> = inputs.templates.into_keys().map(|name| name.rsplit_once("/in/").unwrap().1.to_owned()).collect();
        names.sort_unstable();
        names
    };
    assert_eq!(templates(), ["templates/templates/a.yaml"]);
    folder.file("in/Chart.yaml");
    assert_eq!(templates(), ["templates/Chart.yaml", "templates/b.yaml", "templates/templates/a.yaml"]);
    fs::create_dir_all(folder.0.join("in/templates/.git")).unwrap();
    assert_eq!(templates(), ["templates/templates/a.yaml"]);
}

#[test]
fn hidden_and_ignored_files_are_read_on_demand() {
    let folder = Folder::new("hidden");
    for name in ["a.yaml", ".hidden.yaml", ".git/config.yaml", "build/b.yaml", "c.txt"] {
        folder.file(&format!("in/{name}"));
    }
    fs::write(folder.0.join("in/.gitignore"), "build/\n").unwrap();
    assert_eq!(folder.read(&folder.request()).0, ["a.yaml"]);
    assert_eq!(folder.read(&Request { hidden: true, ..folder.request() }).0, [".hidden.yaml", "a.yaml"]);
    assert_eq!(folder.read(&Request { gitignore: false, ..folder.request() }).0, ["a.yaml", "build/b.yaml"]);
}

#[test]
fn globs_of_the_configuration_are_relative_to_its_folder() {
    let folder = Folder::new("globs");
    for name in ["in/a.yaml", "in/vendor/b.yaml", "in/other/c.yaml"] {
        folder.file(name);
    }
    let exclude = ["in/vendor".to_owned()];
    let own = ["other/*".to_owned()];
    let files = folder.read(&Request { config_exclude: &exclude, folder: Some(&folder.0), ..folder.request() });
    assert_eq!(files.0, ["a.yaml", "other/c.yaml"]);
    assert_eq!(folder.read(&Request { include: &own, ..folder.request() }).0, ["other/c.yaml"]);
    assert_eq!(folder.read(&Request { exclude: &own, ..folder.request() }).0, ["a.yaml", "vendor/b.yaml"]);
}

#[test]
fn globs_do_not_choose_among_policies() {
    let folder = Folder::new("policies");
    for name in ["in/a.yaml", "policies/a.yaml", "policies/below/b.yaml"] {
        folder.file(name);
    }
    let policies = [folder.0.join("policies")];
    let (exclude, include) = (["policies".to_owned(), "**/below".to_owned()], ["in/*".to_owned()]);
    let request = Request {
        policies: &policies,
        exclude: &exclude,
        config_include: &include,
        config_exclude: &exclude,
        folder: Some(&folder.0),
        ..folder.request()
    };
    assert_eq!(folder.read(&request).0, ["a.yaml", "/policies/a.yaml", "/policies/below/b.yaml"]);
}
