#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use std::process::Command;

use super::*;

fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    folder
}

fn git(folder: &Path, args: &[&str]) {
    let identity = ["-c", "user.name=a", "-c", "user.email=a@b.example", "-c", "commit.gpgsign=false", "-c", "init.defaultBranch=trunk"];
    assert!(Command::new("git").arg("-C").arg(folder).args(identity).args(args).output().unwrap().status.success(), "{args:?}");
}

fn open(folder: &tempfile::TempDir) -> Checkout {
    Checkout::open(folder.path(), "repo", &Limits::default()).unwrap()
}

fn paths(checkout: &Checkout) -> Vec<&str> {
    checkout.entries().map(|(path, _)| path).collect()
}

#[test]
fn without_git_all_files_count() {
    let folder = folder(&[("a/b.yaml", ""), ("a.yaml", ""), (".hidden/c", ""), ("a-b/d", "")]);
    let checkout = open(&folder);
    assert_eq!(paths(&checkout), [".hidden", ".hidden/c", "a", "a/b.yaml", "a-b", "a-b/d", "a.yaml"]);
    assert_eq!(checkout.below("a").map(|(path, _)| path).collect::<Vec<_>>(), ["a/b.yaml"]);
    assert_eq!(checkout.below("a-b").map(|(path, _)| path).collect::<Vec<_>>(), ["a-b/d"]);
    assert_eq!(checkout.below("").count(), 7);
    assert_eq!(checkout.shown("a.yaml"), "repo/a.yaml");
    assert_eq!(checkout.path_of("repo/a.yaml"), Some("a.yaml"));
    assert_eq!(checkout.path_of("repo/no.yaml"), None);
    assert!(checkout.known().is_none());
}

#[test]
fn with_git_tracked_files_count() {
    let folder = folder(&[("a/b.yaml", ""), ("gone.yaml", ""), ("new.yaml", ""), (".gitignore", "ignored\n"), ("ignored/x", "")]);
    git(folder.path(), &["init", "-q"]);
    git(folder.path(), &["add", "a", "gone.yaml", ".gitignore"]);
    git(folder.path(), &["commit", "-q", "-m", "first"]);
    git(folder.path(), &["tag", "v1"]);
    git(folder.path(), &["remote", "add", "origin", "git@git.example:team/repo.git"]);
    fs::remove_file(folder.path().join("gone.yaml")).unwrap();
    let checkout = open(&folder);
    assert_eq!(paths(&checkout), [".gitignore", "a", "a/b.yaml"]);
    let known = checkout.known().unwrap();
    assert_eq!(known.remotes, ["git@git.example:team/repo.git"]);
    assert_eq!(known.names.iter().map(String::as_str).collect::<Vec<_>>(), ["trunk", "v1"]);
    assert_eq!(checkout.commit().unwrap().len(), 40);
}

#[test]
fn a_repository_cannot_have_git_run_anything() {
    let folder = folder(&[("a.yaml", "")]);
    git(folder.path(), &["init", "-q"]);
    git(folder.path(), &["add", "."]);
    let ran = folder.path().join("ran");
    let program = folder.path().join("program");
    fs::write(&program, format!("#!/bin/sh\ntouch '{}'\n", ran.display())).unwrap();
    #[cfg(unix)]
    fs::set_permissions(&program, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    for key in ["core.fsmonitor", "core.sshCommand", "core.pager", "core.editor", "alias.ls-files", "credential.helper"] {
        git(folder.path(), &["config", key, program.to_str().unwrap()]);
    }
    assert_eq!(paths(&open(&folder)), ["a.yaml"]);
    assert!(!ran.exists());
}

#[test]
#[cfg(unix)]
fn links_never_lead_out() {
    use std::os::unix::fs::symlink;
    let outside = folder(&[("secret.yaml", "secret")]);
    let folder = folder(&[("a/b.yaml", "b"), ("c/d.yaml", "d")]);
    let link = |target: &str, name: &str| symlink(target, folder.path().join(name)).unwrap();
    link("a/b.yaml", "good.yaml");
    link("a", "also-good");
    link("../a/../c", "a/steps");
    let checkout = open(&folder);
    assert_eq!(checkout.stray_link(), None);
    assert_eq!(checkout.bytes("good.yaml").unwrap(), b"b");
    assert_eq!(checkout.bytes("also-good/b.yaml").unwrap(), b"b");
    assert_eq!(checkout.bytes("a/steps/d.yaml").unwrap(), b"d");
    assert_eq!(checkout.text("good.yaml").unwrap().name().as_ref(), "repo/a/b.yaml");

    link(outside.path().join("secret.yaml").to_str().unwrap(), "absolute.yaml");
    link("../../out", "a/outside.yaml");
    link("loop", "loop");
    link("nowhere", "nowhere.yaml");
    // Leaves the repository and comes back.
    link(&format!("../{}/c", folder.path().file_name().unwrap().to_str().unwrap()), "round");
    let checkout = open(&folder);
    assert_eq!(checkout.stray_link(), Some("a/outside.yaml"));
    assert_eq!(checkout.bytes("absolute.yaml").unwrap_err(), Lost::Outside);
    assert_eq!(checkout.bytes("a/outside.yaml").unwrap_err(), Lost::Outside);
    assert_eq!(checkout.bytes("loop").unwrap_err(), Lost::Loop);
    assert_eq!(checkout.bytes("nowhere.yaml").unwrap_err(), Lost::Missing);
    assert_eq!(checkout.bytes("round/d.yaml").unwrap_err(), Lost::Outside);
    assert_eq!(checkout.bytes("a").unwrap_err(), Lost::NotFile);
    assert_eq!(checkout.bytes("../secret.yaml").unwrap_err(), Lost::Outside);
}

#[test]
#[cfg(unix)]
fn a_folder_that_became_a_link_since_it_was_tracked_is_not_entered() {
    let outside = folder(&[("b.yaml", "secret")]);
    let folder = folder(&[("a/b.yaml", "b"), ("c.yaml", "c")]);
    git(folder.path(), &["init", "-q"]);
    git(folder.path(), &["add", "."]);
    fs::remove_dir_all(folder.path().join("a")).unwrap();
    std::os::unix::fs::symlink(outside.path(), folder.path().join("a")).unwrap();
    let checkout = open(&folder);
    assert_eq!(paths(&checkout), ["c.yaml"]);
    assert_eq!(checkout.bytes("a/b.yaml").unwrap_err(), Lost::Missing);
    // The same after it was listed.
    fs::remove_file(folder.path().join("a")).unwrap();
    fs::create_dir(folder.path().join("a")).unwrap();
    fs::write(folder.path().join("a/b.yaml"), "b").unwrap();
    let checkout = open(&folder);
    assert_eq!(checkout.bytes("a/b.yaml").unwrap(), b"b");
    fs::remove_dir_all(folder.path().join("a")).unwrap();
    std::os::unix::fs::symlink(outside.path(), folder.path().join("a")).unwrap();
    assert_eq!(checkout.bytes("a/b.yaml").unwrap_err(), Lost::Outside);
}

#[test]
fn what_is_too_much_is_said() {
    let folder = folder(&[("a/b/c.yaml", "abc"), ("d.yaml", "d")]);
    let open = |limits: Limits| Checkout::open(folder.path(), "repo", &limits);
    let error = open(Limits { entries: 2, ..Limits::default() }).unwrap_err();
    assert_eq!(error, "cannot list `repo`: more than 2 files and folders");
    let error = open(Limits { folders: 1, ..Limits::default() }).unwrap_err();
    assert_eq!(error, "cannot list `repo`: folders nested more than 1 deep");
    let checkout = open(Limits { file_bytes: 2, ..Limits::default() }).unwrap();
    assert_eq!(checkout.bytes("a/b/c.yaml").unwrap_err(), Lost::TooLarge(2));
}

#[test]
fn a_folder_is_of_the_checkout_if_git_tracks_something_in_it() {
    let folder = folder(&[("tracked/a", ""), ("other/a", ""), (".gitignore", "/ignored\n"), ("ignored/a", "")]);
    let root = folder.path().canonicalize().unwrap();
    // Without Git, whatever lies there is.
    let holds = |checkout: &Checkout| ["", "tracked", "ignored", "none"].map(|name| checkout.holds(&root.join(name)));
    assert_eq!(holds(&open(&folder)), [true; 4]);
    git(folder.path(), &["init", "--quiet"]);
    git(folder.path(), &["add", "tracked", ".gitignore"]);
    assert_eq!(holds(&open(&folder)), [true, true, false, false]);
    assert!(!open(&folder).holds(root.parent().unwrap()));
}
