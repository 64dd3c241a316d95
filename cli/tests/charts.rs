//! `--helm-repo-cache`: charts of Helm repositories out of a folder, by name, version and repository.

#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use std::fs;
use std::path::Path;
use std::process::Command;

/// A folder with an Application of a chart, and a folder of charts.
struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Option<Self> {
        common::renders().then(|| Place(tempfile::tempdir().unwrap()))
    }

    fn write(&self, name: &str, text: &str) {
        common::write(self.0.path(), name, text);
    }

    /// The archive of a chart `cache`, under a name.
    fn archive(&self, name: &str) {
        let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/gitops/render/helm/umbrella/chart/charts/cache-1.2.3.tgz");
        let path = self.0.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::copy(own, path).unwrap();
    }

    fn application(&self, source: &str) {
        self.write(
            "app.yaml",
            &format!(
                "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {{name: shop, namespace: argocd}}\nspec:\n  source: {{{source}}}\n  destination: {{name: prod, namespace: shop}}\n"
            ),
        );
    }

    /// What `render --app shop` prints, what it says, and its exit code.
    fn render(&self, args: &[&str]) -> (String, String, i32) {
        common::run(self.0.path(), &[&["render", "--app", "shop"], args].concat())
    }

    fn cached(&self) -> (String, String, i32) {
        self.render(&["--helm-repo-cache", "cache"])
    }
}

const DIGEST: &str = "83e6bbf3d98a6964c750ef6b8caa1752c23c15014c53e136029903200ed8a964";

fn index(address: &str, versions: &[(&str, &str)]) -> String {
    let mut text = "apiVersion: v1\nentries:\n  cache:\n".to_owned();
    for (version, digest) in versions {
        text.push_str(&format!("  - {{name: cache, version: {version}, digest: {digest}, urls: ['{address}/cache-{version}.tgz']}}\n"));
    }
    text
}

#[test]
fn a_version_is_taken_as_it_is_written_or_the_highest_in_a_range() {
    let Some(place) = Place::new() else { return };
    for version in ["1.2.3", "1.2.10", "2.0.0", "2.1.0-rc.1"] {
        place.archive(&format!("cache/cache-{version}.tgz"));
    }
    // Another chart, whose name begins alike.
    place.archive("cache/cache-extra-9.0.0.tgz");
    for (wanted, taken, note) in [
        ("1.2.3", "1.2.3", false),
        ("v1.2.3", "1.2.3", false),
        ("2.1.0-rc.1", "2.1.0-rc.1", false),
        ("1.x", "1.2.10", true),
        ("~1.2", "1.2.10", true),
        ("'*'", "2.0.0", true),
        ("'>=1.0 <2.0'", "1.2.10", true),
        ("'>=1.0.0-0'", "2.1.0-rc.1", true),
    ] {
        place.application(&format!("repoURL: 'https://charts.example', chart: cache, targetRevision: {wanted}"));
        let (out, said, code) = place.cached();
        assert_eq!(code, 0, "{wanted}: {said}");
        assert!(out.contains(&format!("# Source: cache/cache-{taken}.tgz\n")), "{wanted}: {out}");
        assert_eq!(said.contains(&format!("version {taken} was taken for")), note, "{wanted}: {said}");
    }
    for (wanted, why) in [
        ("1.2.4", "the charts `cache` that are here have versions"),
        ("'>3'", "none of which is `>3`"),
        ("latest", "`latest` is no version of chart `cache`"),
    ] {
        place.application(&format!("repoURL: 'https://charts.example', chart: cache, targetRevision: {wanted}"));
        let (out, said, code) = place.cached();
        assert_eq!((out.as_str(), code), ("", 3), "{wanted}: {said}");
        assert!(said.contains(why), "{wanted}: {said}");
    }
    place.application("repoURL: 'https://charts.example', chart: other, targetRevision: 1.0.0");
    assert!(place.cached().1.contains("there is no chart `other` in the folder of charts"));
    assert!(place.render(&[]).1.contains("has to be fetched: map a folder that has it with `--repo https://charts.example=PATH`, or put it into the one of `--helm-repo-cache`"));
}

#[test]
fn a_folder_that_is_called_as_the_repository_tells_charts_of_one_name_apart() {
    let Some(place) = Place::new() else { return };
    place.archive("cache/cache-1.2.3.tgz");
    place.archive("cache/charts.example/stable/cache-1.5.0.tgz");
    place.archive("cache/registry.example/team/cache-1.7.0.tgz");
    for (source, taken) in [
        ("repoURL: 'https://charts.example/stable', chart: cache, targetRevision: 1.x", "charts.example/stable/cache-1.5.0"),
        ("repoURL: 'https://charts.example/stable/', chart: cache, targetRevision: 1.x", "charts.example/stable/cache-1.5.0"),
        ("repoURL: 'https://charts.example/other', chart: cache, targetRevision: 1.x", "cache-1.2.3"),
        ("repoURL: registry.example/team, chart: cache, targetRevision: 1.x", "registry.example/team/cache-1.7.0"),
        ("repoURL: 'oci://registry.example/team/cache', path: ., targetRevision: 1.7.0", "registry.example/team/cache-1.7.0"),
    ] {
        place.application(source);
        let (out, said, code) = place.cached();
        assert!(code == 0 && out.contains(&format!("# Source: cache/{taken}.tgz\n")), "{source}: {out}{said}");
    }
}

#[test]
fn an_index_says_what_else_there_is_and_whose_an_archive_is() {
    let Some(place) = Place::new() else { return };
    place.archive("cache/cache-1.2.3.tgz");
    place.write("cache/own-index.yaml", &index("https://charts.example", &[("1.4.0", "abc0"), ("1.2.3", DIGEST), ("1.0.0", "abc0")]));
    place.write("cache/other-index.yaml", &index("https://elsewhere.example", &[("1.2.3", "abc0")]));
    place.application("repoURL: 'https://charts.example', chart: cache, targetRevision: ~1.2");
    let (out, said, code) = place.cached();
    assert!(code == 0 && said.is_empty() && out.contains("cache-1.2.3.tgz"), "{out}{said}");
    place.application("repoURL: 'https://charts.example', chart: cache, targetRevision: 1.x");
    let (_, said, code) = place.cached();
    assert!(code == 3 && said.contains("chart `cache` 1.4.0 of `https://charts.example` has to be fetched: it is in the index"), "{said}");
    // By its digest, the archive is not theirs.
    place.application("repoURL: 'https://elsewhere.example', chart: cache, targetRevision: 1.2.3");
    let (_, said, code) = place.cached();
    assert!(code == 3 && said.contains("has to be fetched: it is in the index"), "{said}");
}

#[test]
fn dependencies_that_are_not_vendored_are_taken_from_there() {
    let Some(place) = Place::new() else { return };
    place.archive("cache/cache-1.2.3.tgz");
    let chart = |dependency: &str| {
        format!(
            "apiVersion: v2\nname: web\nversion: 1.0.0\ndependencies:\n- {{name: cache, version: {dependency}, repository: 'https://charts.example'}}\n"
        )
    };
    place.write("web/Chart.yaml", &chart("1.2.3"));
    place.write("web/templates/map.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: web}\n");
    place.application("repoURL: 'https://git.example/shop', path: web");
    let mapped = ["--repo", "https://git.example/shop=."];
    let (out, said, code) = place.render(&mapped);
    assert!(out.is_empty() && code == 3 && said.contains("charts to fetch, in Chart.yaml but not in charts/: cache"), "{out}{said}");
    let with_cache = [mapped[0], mapped[1], "--helm-repo-cache", "cache"];
    let (out, said, code) = place.render(&with_cache);
    assert!(code == 0 && said.is_empty(), "{said}");
    assert!(out.contains("# Source: web/templates/map.yaml\n") && out.contains("# Source: cache/cache-1.2.3.tgz\n"), "{out}");
    // Nothing is written.
    assert!(!place.0.path().join("web/charts").exists());
    place.write("web/Chart.yaml", &chart("^1.0"));
    let (_, said, code) = place.render(&with_cache);
    assert!(code == 0 && said.contains("of chart `cache`, version 1.2.3 was taken for `^1.0`"), "{said}");
    place.write("web/Chart.lock", "dependencies:\n- {name: cache, version: 1.2.9, repository: 'https://charts.example'}\n");
    assert!(place.render(&with_cache).1.contains("charts to fetch"));
}

/// A chart `redis` of a version, as an archive: packed by hand, so that no test needs a Helm.
fn packed(place: &Place, name: &str, chart: &str, version: &str) {
    let folder = place.0.path().join("pack").join(chart);
    fs::create_dir_all(folder.join("templates")).unwrap();
    fs::write(folder.join("Chart.yaml"), format!("apiVersion: v2\nname: {chart}\nversion: {version}\n")).unwrap();
    let map = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: '{{ .Chart.Name }}-{{ .Chart.Version }}'}\n";
    fs::write(folder.join("templates/map.yaml"), map).unwrap();
    let archive = place.0.path().join(name);
    fs::create_dir_all(archive.parent().unwrap()).unwrap();
    let done = Command::new("tar").arg("-czf").arg(archive).arg("-C").arg(place.0.path().join("pack")).arg(chart).status().unwrap();
    assert!(done.success());
}

const TWICE: &str = "apiVersion: v2\nname: web\nversion: 1.0.0\ndependencies:\n- {name: redis, version: 1.0.0, alias: one, repository: 'https://charts.example'}\n- {name: redis, version: 2.0.0, alias: two, repository: 'https://charts.example'}\n";

#[test]
fn a_chart_that_is_needed_twice_is_there_twice_or_not_rendered() {
    let Some(place) = Place::new() else { return };
    packed(&place, "cache/redis-2.0.0.tgz", "redis", "2.0.0");
    place.write("web/Chart.yaml", TWICE);
    place.application("repoURL: 'https://git.example/shop', path: web");
    let args = ["--repo", "https://git.example/shop=.", "--helm-repo-cache", "cache"];
    let (out, said, code) = place.render(&args);
    assert!(out.is_empty() && code == 3 && said.contains("other versions are here: `redis` 1.0.0; put them"), "{out}{said}");
    packed(&place, "cache/redis-1.0.0.tgz", "redis", "1.0.0");
    let lock = "dependencies:\n- {name: redis, version: 1.0.0, repository: 'https://charts.example'}\n- {name: redis, version: 2.0.0, repository: 'https://charts.example'}\n";
    for lock in [None, Some(lock)] {
        if let Some(lock) = lock {
            place.write("web/Chart.lock", lock);
        }
        let (out, said, code) = place.render(&args);
        assert!(code == 0 && out.contains("name: 'one-1.0.0'") && out.contains("name: 'two-2.0.0'"), "{out}{said}");
    }
    // A folder is not taken, and that is said.
    fs::remove_file(place.0.path().join("cache/redis-1.0.0.tgz")).unwrap();
    place.write("cache/redis/Chart.yaml", "apiVersion: v2\nname: redis\nversion: 1.0.0\n");
    let (_, said, code) = place.render(&args);
    assert!(code == 3 && said.contains("chart `redis` in `cache/redis` is a folder"), "{said}");
    place.write("cache/redis-1.0.0.tgz", "no archive");
    fs::remove_dir_all(place.0.path().join("cache/redis")).unwrap();
    let (_, said, code) = place.render(&args);
    assert!(code == 3 && said.contains("is deferred") && said.contains("the archive `cache/redis-1.0.0.tgz`"), "{said}");
}

#[test]
fn a_vendored_chart_whose_name_begins_alike_is_another() {
    let Some(place) = Place::new() else { return };
    packed(&place, "cache/foo-1.0.0.tgz", "foo", "1.0.0");
    packed(&place, "web/charts/foo-bar-1.0.0.tgz", "foo-bar", "1.0.0");
    place.write(
        "web/Chart.yaml",
        "apiVersion: v2\nname: web\nversion: 1.0.0\ndependencies:\n- {name: foo, version: 1.0.0, repository: 'https://charts.example'}\n- {name: foo-bar, version: 1.0.0, repository: 'https://charts.example'}\n",
    );
    place.application("repoURL: 'https://git.example/shop', path: web");
    let (out, said, code) = place.render(&["--repo", "https://git.example/shop=.", "--helm-repo-cache", "cache"]);
    assert!(code == 0 && out.contains("name: 'foo-1.0.0'") && out.contains("name: 'foo-bar-1.0.0'"), "{out}{said}");
}

#[test]
fn what_cannot_be_read_here_is_said() {
    let Some(place) = Place::new() else { return };
    place.archive("cache/cache-1.2.3.tgz");
    place.application("repoURL: 'https://charts.example', chart: cache, targetRevision: 1.2.3, helm: {valueFiles: [values-prod.yaml]}");
    let (_, said, code) = place.cached();
    assert!(
        code == 3 && said.contains("`values-prod.yaml` is in `cache/cache-1.2.3.tgz`, which only Helm reads: unpack it there"),
        "{said}"
    );
    place.write("cache/cache-1.2.3.tgz", "no archive");
    place.application("repoURL: 'https://charts.example', chart: cache, targetRevision: 1.2.3");
    let (_, said, code) = place.cached();
    assert!(code == 3 && said.contains("the archive `cache/cache-1.2.3.tgz` is no chart that Helm can load, fetch it again"), "{said}");
    assert!(said.contains("Application argocd/shop is deferred"), "{said}");
    let (_, said, code) = place.render(&["--helm-repo-cache", "nowhere"]);
    assert_eq!((said.as_str(), code), ("error: cannot read `nowhere`: no such file or folder\n", 2));
}
