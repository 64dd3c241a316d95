//! What was rendered is not rendered again, until something changes that it was made of.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use fedward_render::{Cache, CacheError, Disk, Helm, Jsonnet, Kustomize, Limits, Outcome, Renderer, Source, Templates, Values, Variable};

const CHART: &str = "apiVersion: v2\nname: web\nversion: 1.0.0\n";
const FILES: &[(&str, &str)] = &[
    ("charts/web/Chart.yaml", CHART),
    ("charts/web/values.yaml", "size: 1\nother: 1\n"),
    ("charts/web/templates/a.yaml", "kind: A\nsize: {{ .Values.size }} {{ .Values.other }}\n"),
    ("charts/web/templates/files.yaml", "kind: Files\ncount: {{ len (.Files.Glob \"conf/*\") }}\n"),
    ("charts/web/conf/a.txt", "a"),
    ("env/prod.yaml", "size: 2\n"),
    ("base/kustomization.yaml", "resources: [a.yaml]\n"),
    ("base/a.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n"),
    ("over/kustomization.yaml", "resources: [../base]\nnamePrefix: x-\n"),
    ("app.jsonnet", "{ kind: 'J', with: import 'lib.libsonnet' }"),
    ("lib.libsonnet", "{ a: 1 }"),
];

/// A repository, and a cache beside it.
struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    /// `None` if there is nothing to test.
    fn new() -> Option<Self> {
        assert!(fedward_render::available() || std::env::var_os("CI").is_none(), "this build has no renderers");
        let place = Place { folder: tempfile::tempdir().unwrap() };
        for (name, text) in FILES {
            place.write(name, text);
        }
        fedward_render::available().then_some(place)
    }

    fn root(&self) -> PathBuf {
        self.folder.path().join("repo")
    }

    fn cache(&self) -> PathBuf {
        self.folder.path().join("cache")
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.root().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// What each source comes to in a new run with the cache, which must be what it comes to without; and how many were rendered for that.
    fn run(&self, sources: &[Source]) -> (Vec<Outcome>, usize) {
        let cache = Arc::new(Cache::open(&self.cache()).unwrap());
        let renderer = Renderer::new(Arc::new(Disk::open(&self.root()).unwrap()), Limits::default());
        let found = {
            let renderer = renderer.with_cache(Arc::clone(&cache));
            sources.iter().map(|source| renderer.render(source)).collect::<Vec<_>>()
        };
        assert_eq!(cache.finish(), None);
        let fresh = Renderer::open(&self.root()).unwrap();
        assert_eq!(found, sources.iter().map(|source| fresh.render(source)).collect::<Vec<_>>());
        let counts = cache.counts();
        assert_eq!(counts.found + counts.rendered, sources.len());
        (found, counts.rendered)
    }

    /// The files of results.
    fn entries(&self) -> Vec<PathBuf> {
        let all = fs::read_dir(self.cache()).unwrap().map(|entry| entry.unwrap().path());
        all.filter(|path| path.file_name().unwrap().len() == 64).collect()
    }
}

fn helm() -> Source {
    Source::Helm(Helm { chart: "charts/web".into(), values: vec![Values::File("env/prod.yaml".into())], ..Helm::default() })
}

fn kustomize() -> Source {
    Source::Kustomize(Kustomize { folder: "over".into(), ..Kustomize::default() })
}

fn jsonnet() -> Source {
    Source::Jsonnet(Jsonnet { file: "app.jsonnet".into(), ..Jsonnet::default() })
}

fn all() -> [Source; 3] {
    [helm(), kustomize(), jsonnet()]
}

fn text(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Rendered(rendered) => rendered.text(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn nothing_is_rendered_twice() {
    let Some(place) = Place::new() else { return };
    let (first, rendered) = place.run(&all());
    assert_eq!(rendered, 3);
    assert_eq!(first.iter().map(|outcome| text(outcome).len() > 10).collect::<Vec<_>>(), [true; 3]);
    assert_eq!(place.run(&all()), (first, 0));
    // A file that nobody looks at does not matter.
    place.write("other/file.yaml", "x");
    place.write("base/unused.txt", "x");
    assert_eq!(place.run(&all()).1, 0);
}

/// What a change is, the change, and how many sources are to be rendered after it.
type Change<'c> = (&'c str, &'c dyn Fn(&Place), usize);

#[test]
fn each_thing_that_was_looked_at_matters() {
    let Some(place) = Place::new() else { return };
    place.run(&all());
    let changes: &[Change<'_>] = &[
        ("a template", &|place| place.write("charts/web/templates/a.yaml", "kind: B\nsize: {{ .Values.other }}\n"), 1),
        (
            "a template of the same length",
            &|place| place.write("charts/web/templates/a.yaml", "kind: C\nsize: {{ .Values.size }} {{ .Values.other }}\n"),
            1,
        ),
        ("the chart's values", &|place| place.write("charts/web/values.yaml", "size: 1\nother: 3\n"), 1),
        ("a values file", &|place| place.write("env/prod.yaml", "size: 4\n"), 1),
        ("a template that is added", &|place| place.write("charts/web/templates/b.yaml", "kind: New\n"), 1),
        ("a template that is removed", &|place| fs::remove_file(place.root().join("charts/web/templates/b.yaml")).unwrap(), 0),
        ("a file that a glob finds", &|place| place.write("charts/web/conf/b.txt", "b"), 1),
        ("a file that was not there", &|place| place.write("charts/web/values.schema.json", "{\"type\": \"object\"}"), 1),
        ("a base", &|place| place.write("base/a.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: b}\n"), 1),
        ("a base's kustomization", &|place| place.write("base/kustomization.yaml", "resources: [a.yaml]\nnameSuffix: -y\n"), 1),
        ("an overlay", &|place| place.write("over/kustomization.yaml", "resources: [../base]\nnamePrefix: z-\n"), 1),
        ("an import", &|place| place.write("lib.libsonnet", "{ a: 2 }"), 1),
        ("a file that is removed", &|place| fs::remove_file(place.root().join("lib.libsonnet")).unwrap(), 1),
    ];
    let mut before = place.run(&all()).0;
    for (what, change, rendered) in changes {
        change(&place);
        let (after, count) = place.run(&all());
        // What was there before is known still.
        assert_eq!(count, *rendered, "{what}");
        assert!(after != before || *what == "a file that was not there", "{what}");
        assert_eq!(place.run(&all()), (after.clone(), 0), "{what}");
        before = after;
    }
}

#[test]
fn what_an_instance_has_seen_before_matters_as_well() {
    let Some(place) = Place::new() else { return };
    place.write("over-too/kustomization.yaml", "resources: [../base]\nnamePrefix: y-\n");
    let release = |name: &str| Source::Helm(Helm { chart: "charts/web".into(), release_name: name.into(), ..Helm::default() });
    let variable = |value: &str| {
        let given = Variable { name: "a".into(), value: value.into(), code: false };
        Source::Jsonnet(Jsonnet { file: "app.jsonnet".into(), ext_vars: vec![given], ..Jsonnet::default() })
    };
    let too = Source::Kustomize(Kustomize { folder: "over-too".into(), ..Kustomize::default() });
    let sources = [kustomize(), too, release("a"), release("b"), variable("a"), variable("b")];
    assert_eq!(place.run(&sources).1, 6);
    let changes = [
        ("base/a.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: b}\n"),
        ("charts/web/templates/a.yaml", "kind: B\n"),
        ("lib.libsonnet", "{ a: 2 }"),
    ];
    for (file, text) in changes {
        place.write(file, text);
        assert_eq!(place.run(&sources).1, 2, "{file}");
    }
}

#[cfg(unix)]
#[test]
fn where_a_link_leads_matters() {
    use std::os::unix::fs::symlink;
    let Some(place) = Place::new() else { return };
    place.write("base/b.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: b}\n");
    place.write("base/kustomization.yaml", "resources: [link.yaml]\n");
    let link = place.root().join("base/link.yaml");
    symlink("a.yaml", &link).unwrap();
    let (first, _) = place.run(&[kustomize()]);
    assert!(text(&first[0]).contains("x-a"));
    assert_eq!(place.run(&[kustomize()]).1, 0);
    fs::remove_file(&link).unwrap();
    symlink("b.yaml", &link).unwrap();
    let (second, rendered) = place.run(&[kustomize()]);
    assert!(text(&second[0]).contains("x-b"));
    assert_eq!(rendered, 1);
}

#[test]
fn requests_are_told_apart() {
    let Some(place) = Place::new() else { return };
    let releases = ["a", "b"].map(|name| Source::Helm(Helm { chart: "charts/web".into(), release_name: name.into(), ..Helm::default() }));
    assert_eq!(place.run(&releases).1, 2);
    let set = Source::Helm(Helm { chart: "charts/web".into(), release_name: "a".into(), set: vec!["size=9".into()], ..Helm::default() });
    assert_eq!(place.run(&[set, releases[0].clone()]).1, 1);
    // Another folder of the same content is the same, wherever it lies.
    let moved = Place { folder: tempfile::tempdir().unwrap() };
    fs::rename(place.root(), moved.root()).unwrap();
    fs::rename(place.cache(), moved.cache()).unwrap();
    assert_eq!(moved.run(&releases).1, 0);
}

#[test]
fn what_is_wrong_with_a_source_is_kept_and_what_a_limit_ended_is_not() {
    let Some(place) = Place::new() else { return };
    place.write("charts/web/templates/a.yaml", "{{ fail \"no\" }}");
    place.write("over/kustomization.yaml", "resources: ['https://git.example/base']\n");
    let (outcomes, _) = place.run(&all());
    assert!(matches!(&outcomes[..2], [Outcome::Failed(failed), Outcome::Deferred(_)] if !failed.limit), "{outcomes:?}");
    assert_eq!(place.run(&all()), (outcomes, 0));
    place.write("charts/web/templates/a.yaml", "{{ define \"a\" }}{{ include \"a\" . }}{{ include \"a\" . }}{{ end }}{{ range until 1000000 }}{{ range until 1000000 }}{{ end }}{{ end }}");
    let cache = Arc::new(Cache::open(&place.cache()).unwrap());
    let limits = Limits { time: std::time::Duration::from_millis(400), ..Limits::default() };
    for _ in 0..2 {
        let renderer = Renderer::new(Arc::new(Disk::open(&place.root()).unwrap()), limits.clone()).with_cache(Arc::clone(&cache));
        assert!(matches!(renderer.render(&helm()), Outcome::Failed(failed) if failed.limit));
    }
    assert_eq!(cache.counts().rendered, 2);
}

#[test]
fn what_asks_for_the_time_is_not_kept() {
    let Some(place) = Place::new() else { return };
    let run = || {
        let cache = Arc::new(Cache::open(&place.cache()).unwrap());
        let renderer = Renderer::new(Arc::new(Disk::open(&place.root()).unwrap()), Limits::default()).with_cache(Arc::clone(&cache));
        text(&renderer.render(&helm()));
        cache.counts().rendered
    };
    place.write("charts/web/templates/a.yaml", "kind: A\nat: {{ now | unixEpoch | quote }}\n");
    assert_eq!([run(), run()], [1, 1]);
    // A word of prose is none.
    place.write("charts/web/templates/a.yaml", "# what we know now\nkind: A\n");
    assert_eq!([run(), run()], [1, 0]);
}

#[test]
fn templates_of_application_sets_are_kept_too() {
    let Some(place) = Place::new() else { return };
    let parameters = serde_json::json!({ "name": "web" });
    let run = |texts: &[&str]| {
        let cache = Arc::new(Cache::open(&place.cache()).unwrap());
        let renderer = Renderer::new(Arc::new(Disk::open(&place.root()).unwrap()), Limits::default()).with_cache(Arc::clone(&cache));
        let filled = renderer.fill(&Templates {
            texts,
            parameters: parameters.as_object().unwrap(),
            string_maps: &[],
            options: &[],
            max_bytes: 1000,
        });
        (filled.unwrap(), cache.counts().rendered)
    };
    let expected = vec![Ok("a web".to_owned())];
    assert_eq!(run(&["a {{ .name }}"]), (expected.clone(), 1));
    assert_eq!(run(&["a {{ .name }}"]), (expected, 0));
    assert_eq!([run(&["{{ uuidv4 }}"]).1, run(&["{{ uuidv4 }}"]).1], [1, 1]);
}

#[test]
fn an_entry_that_is_not_whole_is_none() {
    let Some(place) = Place::new() else { return };
    place.run(&all());
    let entries = place.entries();
    assert_eq!(entries.len(), 3);
    for spoil in [
        &(|bytes: &mut Vec<u8>| bytes.truncate(bytes.len() / 2)) as &dyn Fn(&mut Vec<u8>),
        &|bytes| bytes.clear(),
        &|bytes| *bytes.last_mut().unwrap() ^= 1,
        &|bytes| bytes.extend([0; 100]),
    ] {
        for entry in &entries {
            let mut bytes = fs::read(entry).unwrap();
            spoil(&mut bytes);
            fs::write(entry, bytes).unwrap();
        }
        assert_eq!(place.run(&all()).1, 3);
        assert_eq!(place.run(&all()).1, 0);
    }
    // One under the name of another.
    fs::copy(&entries[0], &entries[1]).unwrap();
    assert_eq!(place.run(&all()).1, 1);
}

#[test]
fn a_folder_with_other_files_is_not_touched() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("letter"), "x").unwrap();
    assert!(matches!(Cache::open(folder.path()), Err(CacheError::Taken)));
    assert!(matches!(Cache::open(&folder.path().join("letter")), Err(CacheError::Io(_))));
    // Nothing is made before there is something to keep.
    let none = folder.path().join("none");
    assert_eq!(Cache::open(&none).unwrap().finish(), None);
    assert!(!none.exists());
}

#[cfg(unix)]
#[test]
fn it_is_for_this_user_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let Some(place) = Place::new() else { return };
    fs::create_dir(place.cache()).unwrap();
    fs::set_permissions(place.cache(), fs::Permissions::from_mode(0o777)).unwrap();
    place.run(&all());
    let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&place.cache()), 0o700);
    let files: Vec<PathBuf> = fs::read_dir(place.cache()).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(files.len(), 5);
    assert!(files.iter().all(|file| mode(file) == 0o600), "{files:?}");
    assert_eq!(fs::read_to_string(place.cache().join(".gitignore")).unwrap(), "*\n");
    // Where others may write, nothing is believed.
    fs::set_permissions(place.cache(), fs::Permissions::from_mode(0o770)).unwrap();
    let cache = Arc::new(Cache::open(&place.cache()).unwrap());
    let renderer = Renderer::new(Arc::new(Disk::open(&place.root()).unwrap()), Limits::default()).with_cache(Arc::clone(&cache));
    text(&renderer.render(&helm()));
    assert_eq!((cache.counts().found, cache.finish().is_some()), (0, true));
}

#[test]
fn a_folder_that_cannot_be_made_costs_the_cache_only() {
    let Some(place) = Place::new() else { return };
    let cache = Arc::new(Cache::open(&place.cache()).unwrap());
    // A file stands where the folder would have to be made.
    fs::write(place.cache(), "").unwrap();
    let renderer = Renderer::new(Arc::new(Disk::open(&place.root()).unwrap()), Limits::default()).with_cache(Arc::clone(&cache));
    text(&renderer.render(&helm()));
    assert!(cache.finish().is_some());
}

#[test]
fn several_may_use_it_at_once() {
    let Some(place) = Place::new() else { return };
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| place.run(&all()));
        }
    });
    assert_eq!(place.run(&all()).1, 0);
    assert_eq!(place.entries().len(), 3);
}
