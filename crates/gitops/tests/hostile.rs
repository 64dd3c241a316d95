//! Repositories that want out, or want everything. Every folder under `fixtures/hostile/gitops` is one (`UPDATE_EXPECT=1` writes what is
//! expected); what cannot be checked in, links and large files, is made here. Each ends soon, with a reason of its own, shows nothing from
//! outside, and the Application `good` beside it is rendered.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

mod common;

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use std::{env, fs};

use common::{Replay, findings, print, sorted};
use fedward_gitops::{Discovery, Repositories, Settings, State};
use fedward_kit::finding::Severity;
use fedward_outcome::Outcome;
use fedward_report::Gate;

/// What no output may have in it.
const SECRET: &str = "outside of the repository";

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/hostile/gitops")
}

/// [`common::look`], which has to end soon, whatever is in there.
fn look<T>(folder: &Path, settings: Option<&Settings>, look: impl FnOnce(&Discovery, &Repositories, &Replay) -> T) -> T {
    let start = Instant::now();
    let found = common::look(folder, settings, look).unwrap();
    assert!(start.elapsed() < Duration::from_secs(20), "{}: {:?}", folder.display(), start.elapsed());
    found
}

/// What became of the Applications and sets, and the rules that report them.
fn told(discovery: &Discovery, repositories: &Repositories, replay: &Replay) -> String {
    let mut text = print(discovery, replay);
    for finding in findings(discovery, repositories) {
        let place = finding.location.start();
        text += &format!("{} {}:{}: {}\n", finding.rule, finding.location.source.name(), place.line, finding.message);
    }
    text
}

/// What became of an Application.
fn state<'d>(discovery: &'d Discovery, name: &str) -> &'d State {
    &discovery.applications.iter().find(|application| application.name == name).unwrap_or_else(|| panic!("no `{name}`")).state
}

#[track_caller]
fn is_stopped(state: &State, expected: &str) {
    let reason = match state {
        State::Failed(reason) => &reason.text,
        State::Deferred(reasons) | State::Partial(reasons) => &reasons[0].text,
        State::Rendered => panic!("rendered"),
    };
    assert!(reason.contains(expected) && !reason.contains(SECRET), "{reason}");
}

#[test]
fn every_repository_ends_with_reasons() {
    let mut wrong = Vec::new();
    for folder in sorted(&fixtures()).into_iter().filter(|path| path.is_dir()) {
        let name = folder.file_name().unwrap().to_string_lossy().into_owned();
        let found = look(&folder.join("repo"), None, |discovery, repositories, replay| {
            assert_eq!(*state(discovery, "good"), State::Rendered, "{name}");
            told(discovery, repositories, replay)
        });
        assert!(!found.contains(SECRET), "{name}: {found}");
        assert!(found.len() < 200_000, "{name}: {} bytes", found.len());
        // As a terminal would get it, so that the file is harmless itself.
        let found: String = found.lines().map(|line| format!("{}\n", fedward_report::printable(line))).collect();
        let path = folder.join("expected");
        if env::var_os("UPDATE_EXPECT").is_some() {
            fs::write(&path, &found).unwrap();
        }
        if fs::read_to_string(&path).unwrap_or_default() != found {
            wrong.push(format!("{name}:\n{found}"));
        }
    }
    assert!(wrong.is_empty(), "not as expected; UPDATE_EXPECT=1 writes it\n{}", wrong.join("\n"));
}

#[test]
fn no_name_reaches_a_terminal_as_it_is() {
    look(&fixtures().join("names/repo"), None, |discovery, repositories, _| {
        let findings = common::findings(discovery, repositories);
        let quoted = |finding: &&fedward_outcome::Finding| finding.message.contains('\u{1b}');
        assert!(findings.iter().filter(quoted).count() > 3, "the names are in no message: nothing is tested");
        let outcome = Outcome { findings, ..Outcome::default() };
        let tool = fedward_report::Tool { name: "fedward", version: "0", home: None };
        let gate = Gate { fail_on: Severity::Error, allow_empty: false, strict: false };
        type Format<'f> = &'f dyn Fn(&mut dyn Write) -> io::Result<()>;
        let formats: [(&str, Format<'_>); 8] = [
            ("human", &|out| fedward_report::human(&outcome, &gate, &fedward_report::Options::default(), out)),
            ("json", &|out| fedward_report::json(&outcome, &gate, &tool, out)),
            ("sarif", &|out| fedward_report::sarif(&outcome, &gate, &tool, &[], out)),
            ("github", &|out| fedward_report::github(&outcome, &gate, out)),
            ("gitlab", &|out| fedward_report::gitlab(&outcome, &gate, out)),
            ("junit", &|out| fedward_report::junit(&outcome, &gate, out)),
            ("azure", &|out| fedward_report::azure(&outcome, &gate, out)),
            ("termination-log", &|out| fedward_report::termination_log(&outcome, &gate, out)),
        ];
        for (format, write) in formats {
            let mut bytes = Vec::new();
            write(&mut bytes).unwrap();
            let text = String::from_utf8(bytes).unwrap();
            let is_obeyed = |letter: &char| {
                letter.is_control() && *letter != '\n' || matches!(*letter, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
            };
            assert_eq!(text.chars().find(is_obeyed), None, "{format}: {text}");
            // What stands in an element of XML begins no line of ours.
            let is_forged = text.lines().any(|line| line.starts_with("error: forged"));
            assert!(!is_forged || format == "junit", "{format}: {text}");
        }
    });
}

/// A folder with `repo` in it, and a secret beside that.
struct Place(tempfile::TempDir);

impl Place {
    fn new(files: &[(&str, &str)]) -> Self {
        let place = Place(tempfile::tempdir().unwrap());
        place.write("../outside/pod.yaml", &format!("apiVersion: v1\nkind: Pod\nmetadata: {{name: '{SECRET}'}}\n"));
        place.write("../outside/values.yaml", &format!("a: '{SECRET}'\n"));
        place.write("../outside/config.json", &format!("{{\"name\": \"{SECRET}\"}}"));
        place.write("good/pod.yaml", "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\n");
        place.write("good.yaml", &application("good", "path: good"));
        for (name, text) in files {
            place.write(name, text);
        }
        place
    }

    fn repo(&self) -> PathBuf {
        self.0.path().join("repo")
    }

    fn path(&self, name: &str) -> PathBuf {
        let path = match name.strip_prefix("../") {
            Some(outside) => self.0.path().join(outside),
            None => self.repo().join(name),
        };
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        path
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    /// A file of a gigabyte, of which the disk has nothing.
    fn large(&self, name: &str) {
        fs::File::create(self.path(name)).unwrap().set_len(1 << 30).unwrap();
    }
}

fn application(name: &str, source: &str) -> String {
    format!(
        "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {{name: {name}, namespace: argocd}}\nspec:\n  \
         source: {{repoURL: 'https://git.example/team/repo', {source}}}\n  destination: {{name: in-cluster, namespace: shop}}\n"
    )
}

const CHART: &str = "apiVersion: v2\nname: shop\nversion: 1.0.0\n";

/// What is made of each sort of link: an Application in whose folder it is, and how that ends.
#[cfg(unix)]
#[test]
fn no_link_leads_out() {
    use std::os::unix::fs::symlink;
    let set = "apiVersion: argoproj.io/v1alpha1\nkind: ApplicationSet\nmetadata: {name: set, namespace: argocd}\nspec:\n  generators:\n  \
               - git: {repoURL: 'https://git.example/team/repo', revision: HEAD, files: [{path: 'config/*.json'}]}\n  \
               template: {metadata: {name: '{{name}}'}}\n";
    let place = Place::new(&[
        ("file.yaml", &application("file", "path: file")),
        ("folder.yaml", &application("folder", "path: folder")),
        ("chain.yaml", &application("chain", "path: chain")),
        ("loop.yaml", &application("loop", "path: loop")),
        ("values.yaml", &application("values", "path: chart, helm: {valueFiles: [link.yaml]}")),
        ("through.yaml", &application("through", "path: chart, helm: {valueFiles: [/folder/values.yaml]}")),
        ("pattern.yaml", &application("pattern", "path: chart, helm: {valueFiles: ['*.yaml']}")),
        ("overrides.yaml", &application("overrides", "path: overrides")),
        ("chart/Chart.yaml", CHART),
        ("overrides/pod.yaml", "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\n"),
        ("set.yaml", set),
        ("file/pod.yaml", "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\n"),
    ]);
    for (link, target) in [
        ("file/link.yaml", "../../outside/pod.yaml"),
        ("folder", "../outside"),
        ("chain/one.yaml", "two.yaml"),
        ("chain/two.yaml", "../hop/pod.yaml"),
        ("hop", "folder"),
        ("loop/a.yaml", "b.yaml"),
        ("loop/b.yaml", "a.yaml"),
        ("chart/link.yaml", "../../outside/values.yaml"),
        ("overrides/.argocd-source.yaml", "../../outside/values.yaml"),
        ("config/a.json", "../../outside/config.json"),
    ] {
        symlink(target, place.path(link)).unwrap();
    }
    // As Argo CD is installed, one such link fails every Application, good or not.
    look(&place.repo(), None, |discovery, repositories, _| {
        assert_eq!(discovery.summary().rendered, 0);
        is_stopped(state(discovery, "good"), "is a link that is absolute or leads out of the repository");
        assert!(findings(discovery, repositories).iter().any(|finding| finding.rule == "stray-link"));
    });
    let settings = Settings { allow_stray_links: true, ..Settings::default() };
    look(&place.repo(), Some(&settings), |discovery, repositories, replay| {
        for (name, expected) in [
            ("file", "leads out of the repository"),
            ("folder", "leads out of the repository"),
            ("chain", "leads out of the repository"),
            ("loop", "too many links"),
            ("values", "leads out of the repository"),
            ("through", "leads out of the repository"),
            ("pattern", "leads out of the repository"),
            ("overrides", "leads out of the repository"),
        ] {
            is_stopped(state(discovery, name), expected);
        }
        assert_eq!(*state(discovery, "good"), State::Rendered);
        let told = told(discovery, repositories, replay);
        assert!(!told.contains(SECRET) && told.contains("unusable-application-set set.yaml"), "{told}");
    });
}

#[test]
fn a_gigabyte_is_not_read() {
    let place = Place::new(&[
        ("values.yaml", &application("values", "path: chart, helm: {valueFiles: [large.yaml]}")),
        ("parameter.yaml", &application("parameter", "path: chart, helm: {fileParameters: [{name: a, path: large.yaml}]}")),
        ("manifest.yaml", &application("manifest", "path: manifest")),
        ("overrides.yaml", &application("overrides", "path: overrides")),
        ("chart/Chart.yaml", CHART),
    ]);
    place.large("chart/large.yaml");
    place.large("manifest/large.yaml");
    place.large("overrides/.argocd-source.yaml");
    place.large("itself.yaml");
    look(&place.repo(), None, |discovery, _, _| {
        for name in ["values", "parameter", "manifest", "overrides"] {
            is_stopped(state(discovery, name), "is larger than 33554432 bytes");
        }
        assert_eq!(*state(discovery, "good"), State::Rendered);
        assert!(discovery.unread.iter().any(|(file, reason)| file == "itself.yaml" && reason.contains("larger")), "{:?}", discovery.unread);
    });
    #[cfg(target_os = "linux")]
    {
        let status = fs::read_to_string("/proc/self/status").unwrap();
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB")?.parse::<u64>().ok());
        // All tests of this process together.
        assert!(peak.unwrap() < 700_000, "{peak:?} kB");
    }
}

#[cfg(unix)]
#[test]
fn a_pipe_is_not_waited_for() {
    let place = Place::new(&[
        ("values.yaml", &application("values", "path: chart, helm: {valueFiles: [pipe.yaml]}")),
        ("manifest.yaml", &application("manifest", "path: manifest")),
        ("chart/Chart.yaml", CHART),
        ("manifest/pod.yaml", "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\n"),
    ]);
    for pipe in ["chart/pipe.yaml", "manifest/pipe.yaml", "pipe.yaml"] {
        assert!(std::process::Command::new("mkfifo").arg(place.path(pipe)).status().unwrap().success());
    }
    look(&place.repo(), None, |discovery, _, _| {
        is_stopped(state(discovery, "values"), "is not a file");
        // Argo CD passes over what is no ordinary file.
        assert_eq!(*state(discovery, "manifest"), State::Rendered);
        assert_eq!(*state(discovery, "good"), State::Rendered);
    });
}

/// The table of what is tested where names what there is.
#[test]
fn the_table_of_cases_is_true() {
    let table = fs::read_to_string(fixtures().join("README.md")).unwrap();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let rows: Vec<&str> = table.lines().filter(|line| line.starts_with("| ") && line.contains('`')).collect();
    assert!(rows.len() > 10, "{table}");
    for row in rows {
        for place in row.rsplit('|').nth(1).unwrap().split('`').skip(1).step_by(2) {
            match place.split_once(": ") {
                Some((file, function)) => {
                    let text = fs::read_to_string(root.join(file)).unwrap_or_else(|error| panic!("{file}: {error}"));
                    assert!(text.contains(&format!("fn {function}(")), "{file} has no `{function}`");
                }
                None => assert!(root.join(place).is_dir(), "{row}: no folder `{place}`"),
            }
        }
    }
    for folder in sorted(&fixtures()).into_iter().filter(|path| path.is_dir()) {
        let name = format!("`fixtures/hostile/gitops/{}`", folder.file_name().unwrap().to_string_lossy());
        assert!(table.contains(&name), "{name} is in no row");
    }
}
