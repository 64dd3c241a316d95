#![allow(clippy::unwrap_used, reason = "tests")]

use std::process::Command;

use super::*;

fn git(folder: &Path, args: &[&str]) {
    let identity = ["-c", "user.name=a", "-c", "user.email=a@b.example", "-c", "commit.gpgsign=false", "-c", "init.defaultBranch=work"];
    assert!(Command::new("git").arg("-C").arg(folder).args(identity).args(args).output().unwrap().status.success(), "{args:?}");
}

fn is_here(repositories: &Repositories, url: &str, revision: &str) -> Option<usize> {
    match repositories.find(url, revision) {
        Found::Here(checkout) => repositories.checkouts().iter().position(|other| Arc::ptr_eq(other, checkout)),
        _ => None,
    }
}

#[test]
fn a_checkout_stands_for_its_remotes_at_what_is_checked_out() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a.yaml"), "").unwrap();
    git(folder.path(), &["init", "-q"]);
    git(folder.path(), &["add", "."]);
    git(folder.path(), &["commit", "-q", "-m", "first"]);
    git(folder.path(), &["tag", "v2"]);
    git(folder.path(), &["remote", "add", "upstream", "git@git.example:team/repo.git"]);
    let open = |revisions: &[String]| Repositories::open(folder.path(), ".", &[], revisions, &Limits::default()).unwrap();
    let repositories = open(&[]);
    let url = "https://git.example/team/repo";
    let commit = repositories.main().unwrap().commit().unwrap().to_owned();
    for revision in ["", "HEAD", "work", "refs/heads/work", "v2", "refs/tags/v2", "main", "master", &commit, commit.get(..8).unwrap()] {
        assert_eq!(is_here(&repositories, url, revision), Some(0), "{revision}");
    }
    for revision in ["v1", "release", "0123456", "1.*"] {
        assert!(matches!(repositories.find(url, revision), Found::OtherRevision), "{revision}");
    }
    assert!(matches!(repositories.find("https://git.example/team/other", ""), Found::Unknown));
    assert_eq!(is_here(&open(&["release".to_owned()]), url, "release"), Some(0));

    // Where the default branch is known, the usual names of one mean nothing.
    git(folder.path(), &["update-ref", "refs/remotes/origin/stable", "HEAD"]);
    git(folder.path(), &["symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/stable"]);
    let repositories = open(&[]);
    assert_eq!(is_here(&repositories, url, "stable"), Some(0));
    assert_eq!(is_here(&repositories, url, "main"), None);
}

#[test]
fn mappings_count_first_and_the_most_exact_most() {
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let map = |url: &str, revision: Option<&str>, path: &Path| Mapping {
        url: url.to_owned(),
        revision: revision.map(str::to_owned),
        path: path.to_owned(),
        shown: "two".to_owned(),
    };
    let mappings = [
        map("https://git.example/a", None, one.path()),
        map("git@git.example:a.git", Some("v1"), two.path()),
        map("https://git.example/b", Some("v1"), two.path()),
    ];
    let repositories = Repositories::open(one.path(), ".", &mappings, &[], &Limits::default()).unwrap();
    assert_eq!(repositories.checkouts().len(), 2);
    assert_eq!(is_here(&repositories, "https://git.example/a", "any"), Some(0));
    assert_eq!(is_here(&repositories, "https://git.example/a.git", "v1"), Some(1));
    assert!(matches!(repositories.find("https://git.example/b", "v2"), Found::OtherRevision));
    assert!(
        Repositories::open(one.path(), ".", &[map("https://a.example", None, &one.path().join("no"))], &[], &Limits::default()).is_err()
    );
}

#[test]
fn mappings_are_read() {
    let read = |text: &str| mapping(text).map(|mapping| (mapping.url, mapping.revision, mapping.path));
    let path = PathBuf::from("../x");
    assert_eq!(read("https://git.example/a=../x"), Ok(("https://git.example/a".to_owned(), None, path.clone())));
    assert_eq!(read("https://git.example/a@v1=../x"), Ok(("https://git.example/a".to_owned(), Some("v1".to_owned()), path.clone())));
    assert_eq!(read("git@git.example:a/b=../x"), Ok(("git@git.example:a/b".to_owned(), None, path.clone())));
    assert_eq!(read("git@git.example:a/b@v1=../x"), Ok(("git@git.example:a/b".to_owned(), Some("v1".to_owned()), path.clone())));
    assert_eq!(
        read("https://git.example/a@release/1=../x"),
        Ok(("https://git.example/a".to_owned(), Some("release/1".to_owned()), path.clone()))
    );
    assert_eq!(read("ssh://git@git.example:22/a=../x"), Ok(("ssh://git@git.example:22/a".to_owned(), None, path)));
    for text in ["https://git.example/a", "=x", "a=", "https://git.example/a@=x"] {
        assert!(read(text).is_err(), "{text}");
    }
}
