//! Charts, overlays and Jsonnet files that want out, or want everything: each ends in its own message, within the limits.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]
#![cfg(unix)]

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use fedward_render::{Disk, Helm, Jsonnet, Kustomize, Limits, Outcome, Renderer, Source, Values};

/// A folder with a root in it, and a secret beside the root.
struct Place(tempfile::TempDir);

impl Place {
    fn new(files: &[(&str, &str)]) -> Self {
        let place = Self(tempfile::tempdir().unwrap());
        place.write("../secret.txt", "top secret");
        place.write("../outside/values.yaml", "a: top secret");
        for (name, text) in files {
            place.write(name, text);
        }
        place
    }

    /// A chart called `c`.
    fn chart(files: &[(&str, &str)]) -> Self {
        let place = Self::new(&[("c/Chart.yaml", "apiVersion: v2\nname: c\nversion: 1.0.0\n")]);
        for (name, text) in files {
            place.write(&format!("c/{name}"), text);
        }
        place
    }

    fn root(&self) -> PathBuf {
        self.0.path().join("root")
    }

    fn path(&self, name: &str) -> PathBuf {
        match name.strip_prefix("../") {
            Some(outside) => self.0.path().join(outside),
            None => self.root().join(name),
        }
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn link(&self, name: &str, target: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        symlink(target, path).unwrap();
    }

    fn render_with(&self, limits: Limits, source: Source) -> Outcome {
        Renderer::new(Arc::new(Disk::open(&self.root()).unwrap()), limits).render(&source)
    }

    fn render(&self, source: Source) -> Outcome {
        self.render_with(Limits::default(), source)
    }

    fn helm(&self) -> Outcome {
        self.render(Source::Helm(Helm { chart: "c".into(), ..Helm::default() }))
    }

    fn kustomize(&self) -> Outcome {
        self.render(Source::Kustomize(Kustomize { folder: "k".into(), ..Kustomize::default() }))
    }

    fn jsonnet(&self) -> Outcome {
        self.render(Source::Jsonnet(Jsonnet { file: "j/main.jsonnet".into(), ..Jsonnet::default() }))
    }
}

/// Whether there is anything to test; without renderers all is deferred.
fn there() -> bool {
    assert!(fedward_render::available() || std::env::var_os("CI").is_none(), "this build has no renderers");
    fedward_render::available()
}

#[track_caller]
fn rendered(outcome: Outcome) -> String {
    match outcome {
        Outcome::Rendered(rendered) => rendered.text(),
        other => panic!("{other:?}"),
    }
}

#[track_caller]
fn fails(outcome: Outcome, expected: &str) {
    match outcome {
        Outcome::Failed(failed) => {
            assert!(failed.message.contains(expected), "{failed:?}");
            assert!(!failed.message.contains("top secret") && !failed.message.contains("@root"), "{failed:?}");
        }
        other => panic!("{other:?}"),
    }
}

#[track_caller]
fn hits_a_limit(outcome: Outcome, expected: &str) {
    match outcome {
        Outcome::Failed(failed) => assert!(failed.limit && failed.message.contains(expected), "{failed:?}"),
        Outcome::Rendered(rendered) => panic!("rendered {} bytes", rendered.text().len()),
        Outcome::Deferred(reason) => panic!("{reason}"),
    }
}

#[track_caller]
fn is_deferred(outcome: Outcome, expected: &str) {
    match outcome {
        Outcome::Deferred(reason) => assert!(reason.contains(expected) && !reason.contains("@root"), "{reason}"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_link_out_of_the_root_is_not_followed() {
    if !there() {
        return;
    }
    for target in ["/etc/passwd", "../../../secret.txt", "../../../root/../secret.txt"] {
        let place = Place::chart(&[("templates/a.yaml", "a: 1")]);
        place.link("c/templates/link.yaml", target);
        fails(place.helm(), "leads out of the repository");
    }
    let place = Place::chart(&[("templates/a.yaml", "a: {{ .Files.Get \"files/values.yaml\" }}")]);
    place.link("c/files", "../../outside");
    fails(place.helm(), "leads out of the repository");
    let place = Place::chart(&[]);
    place.link("c/charts/sub", "../../../outside");
    fails(place.helm(), "leads out of the repository");
    let place = Place::new(&[("k/kustomization.yaml", "resources: [link.yaml]")]);
    place.link("k/link.yaml", "../../secret.txt");
    fails(place.kustomize(), "leads out of the repository");
    let place = Place::new(&[("j/main.jsonnet", "importstr 'link'")]);
    place.link("j/link", "../../secret.txt");
    fails(place.jsonnet(), "leads out of the repository");
}

#[test]
fn a_link_inside_the_root_is_followed() {
    if !there() {
        return;
    }
    let place = Place::chart(&[("templates/a.yaml", "a: {{ .Values.a }}")]);
    place.write("shared/values.yaml", "a: shared");
    place.write("shared/b.yaml", "b: 2");
    place.link("c/values.yaml", "../shared/values.yaml");
    place.link("c/templates/more", "../../shared");
    let text = rendered(place.helm());
    assert!(text.contains("a: shared") && text.contains("b: 2"), "{text}");
}

#[test]
fn a_path_out_of_the_root_is_refused() {
    if !there() {
        return;
    }
    let place = Place::new(&[
        ("k/kustomization.yaml", "resources: [../../outside]"),
        ("outside/kustomization.yaml", "resources: []"),
        ("@root/kustomization.yaml", "resources: []"),
        ("j/main.jsonnet", "importstr '../../secret.txt'"),
        ("secret.txt", "of the root"),
    ]);
    fails(place.kustomize(), "leads out of the repository");
    fails(place.jsonnet(), "leads out of the repository");
    place.write("j/main.jsonnet", "importstr '/etc/passwd'");
    fails(place.jsonnet(), "leads out of the repository");
    for folder in ["..", "k/../..", "/k"] {
        fails(place.render(Source::Kustomize(Kustomize { folder: folder.into(), ..Kustomize::default() })), "leads out of the repository");
    }
    let values = vec![Values::File("../outside/values.yaml".into())];
    fails(place.render(Source::Helm(Helm { values, ..Helm::default() })), "leads out of the repository");
    let place = Place::chart(&[("templates/a.yaml", "a: {{ .Values.a }}")]);
    let set_file = vec!["a=../../secret.txt".into()];
    fails(place.render(Source::Helm(Helm { chart: "c".into(), set_file, ..Helm::default() })), "leads out of the repository");
}

#[test]
fn a_schema_refers_to_nothing_outside() {
    if !there() {
        return;
    }
    for reference in ["file:///etc/passwd", "https://schemas.example/a.json", "http://127.0.0.1:1/a.json"] {
        let place = Place::chart(&[("values.schema.json", &format!("{{\"$ref\": \"{reference}\"}}")), ("templates/a.yaml", "a: 1")]);
        fails(place.helm(), "schema");
    }
}

#[test]
fn what_never_ends_ends_in_time() {
    if !there() {
        return;
    }
    let limits = Limits { time: Duration::from_secs(2), ..Limits::default() };
    let place = Place::chart(&[("templates/a.yaml", "{{ range until 100000 }}{{ range until 100000 }}{{ $a := 1 }}{{ end }}{{ end }}")]);
    let start = Instant::now();
    hits_a_limit(place.render_with(limits.clone(), Source::Helm(Helm { chart: "c".into(), ..Helm::default() })), "longer than 2 s");
    assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
    let place = Place::new(&[("j/main.jsonnet", "local f(n) = if n == 0 then 0 else f(n - 1) + f(n - 1); f(60)")]);
    hits_a_limit(
        place.render_with(limits, Source::Jsonnet(Jsonnet { file: "j/main.jsonnet".into(), ..Jsonnet::default() })),
        "longer than 2 s",
    );
}

#[test]
fn what_wants_all_memory_does_not_get_it() {
    if !there() {
        return;
    }
    let place = Place::chart(&[("templates/a.yaml", "a: {{ repeat 100000000 \"abcdefgh\" }}")]);
    hits_a_limit(place.helm(), "memory");
    let place = Place::chart(&[(
        "templates/a.yaml",
        "{{ define \"a\" }}{{ $x := repeat 1000000 . }}{{ range until 1000 }}{{ $x = print $x $x }}{{ end }}{{ end }}a: {{ include \"a\" \"xxxxxxxx\" }}",
    )]);
    hits_a_limit(place.helm(), "memory");
    let place = Place::new(&[("j/main.jsonnet", "std.foldl(function(a, i) a + a, std.range(1, 64), 'xxxxxxxx')")]);
    hits_a_limit(place.jsonnet(), "memory");
}

#[test]
fn what_prints_too_much_is_cut_off() {
    if !there() {
        return;
    }
    let place = Place::chart(&[("templates/a.yaml", "a: {{ repeat 3000000 \"x\" }}")]);
    let limits = Limits { output_bytes: 1 << 20, ..Limits::default() };
    hits_a_limit(place.render_with(limits, Source::Helm(Helm { chart: "c".into(), ..Helm::default() })), "the output is larger than 1 MiB");
    assert!(rendered(place.helm()).len() > 3_000_000);
}

#[test]
fn what_calls_itself_ends() {
    if !there() {
        return;
    }
    let place = Place::chart(&[("templates/a.yaml", "{{ define \"x\" }}{{ include \"x\" . }}{{ end }}a: {{ include \"x\" . }}")]);
    fails(place.helm(), "nested reference name");
    let place = Place::chart(&[("values.yaml", "t: '{{ tpl .Values.t . }}'"), ("templates/a.yaml", "a: {{ tpl .Values.t . }}")]);
    hits_a_limit(place.helm(), "calls itself");
    let place = Place::chart(&[("templates/a.yaml", "{{ define \"x\" }}{{ template \"x\" . }}{{ end }}a: {{ template \"x\" . }}")]);
    fails(place.helm(), "exceeded maximum template depth");
    let place = Place::new(&[("j/main.jsonnet", "local f(x) = f(x + 1) + 1; f(0)")]);
    fails(place.jsonnet(), "max stack frames exceeded");
    let place = Place::new(&[("j/main.jsonnet", "import 'main.jsonnet'")]);
    fails(place.jsonnet(), "");
    let place =
        Place::chart(&[("values.yaml", &format!("a: {}1{}", "[".repeat(200_000), "]".repeat(200_000))), ("templates/a.yaml", "a: 1")]);
    fails(place.helm(), "");
}

#[test]
fn aliases_that_explode_are_refused() {
    if !there() {
        return;
    }
    let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..12 {
        let previous = format!("*a{}", level - 1);
        bomb += &format!("a{level}: &a{level} [{}]\n", [previous.as_str(); 10].join(", "));
    }
    let place = Place::chart(&[("values.yaml", &bomb), ("templates/a.yaml", "a: 1")]);
    fails(place.helm(), "excessive aliasing");
    let manifest = format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: a}}\n{bomb}");
    let place = Place::new(&[("k/kustomization.yaml", "resources: [a.yaml]\nnamePrefix: p-"), ("k/a.yaml", &manifest)]);
    match place.kustomize() {
        Outcome::Failed(_) => {}
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_archive_stays_in_its_folder() {
    if !there() {
        return;
    }
    for name in ["../evil.yaml", "/etc/evil.yaml", "sub/../../evil.yaml"] {
        let place = Place::chart(&[("templates/a.yaml", "a: 1")]);
        place.write("tar/evil", "evil: 1");
        let archive = place.path("c/charts/sub-1.0.0.tgz");
        fs::create_dir_all(archive.parent().unwrap()).unwrap();
        tar(&place.path("tar"), "evil", name, &archive);
        match place.helm() {
            Outcome::Failed(failed) => assert!(failed.message.contains("sub"), "{failed:?}"),
            other => panic!("{name}: {other:?}"),
        }
        assert!(!place.path("evil.yaml").exists() && !place.path("../evil.yaml").exists());
    }
}

/// An archive with one file in it, under any name.
fn tar(folder: &Path, file: &str, name: &str, archive: &Path) {
    let mut tar = std::process::Command::new("tar");
    tar.arg("-C").arg(folder).arg("-czPf").arg(archive).arg(format!("--transform=s|^{file}$|{name}|")).arg(file);
    assert!(tar.status().unwrap().success());
}

#[test]
fn a_link_in_an_archive_leads_nowhere() {
    if !there() {
        return;
    }
    for target in ["/etc/passwd", "../../../../secret.txt", "Chart.yaml"] {
        let place = Place::chart(&[("templates/a.yaml", "a: 1")]);
        place.write("tar/sub/Chart.yaml", "apiVersion: v2\nname: sub\nversion: 1.0.0\n");
        place.write("tar/sub/templates/b.yaml", "b: {{ .Files.Get \"link.txt\" | quote }}");
        place.link("tar/sub/link.txt", target);
        place.link("tar/sub/templates/link.yaml", target);
        let archive = place.path("c/charts/sub-1.0.0.tgz");
        fs::create_dir_all(archive.parent().unwrap()).unwrap();
        let mut tar = std::process::Command::new("tar");
        tar.arg("-C").arg(place.path("tar")).arg("-czf").arg(archive).arg("sub");
        assert!(tar.status().unwrap().success());
        match place.helm() {
            // A link in an archive is an entry without content.
            Outcome::Rendered(rendered) => {
                assert!(!rendered.text().contains("top secret") && !rendered.text().contains("root:"), "{rendered:?}")
            }
            Outcome::Failed(failed) => assert!(!failed.message.contains("top secret"), "{failed:?}"),
            Outcome::Deferred(reason) => panic!("{reason}"),
        }
    }
}

#[test]
fn bases_of_one_another_end() {
    if !there() {
        return;
    }
    let place = Place::new(&[("k/kustomization.yaml", "resources: [../b]"), ("b/kustomization.yaml", "resources: [../k]")]);
    fails(place.kustomize(), "cycle");
    let place =
        Place::new(&[("k/kustomization.yaml", "components: [../b]"), ("b/kustomization.yaml", "kind: Component\ncomponents: [../b]")]);
    fails(place.kustomize(), "cycle detected");
    let chart = "apiVersion: v2\nname: c\nversion: 1.0.0\ndependencies: [{name: c, version: 1.0.0, repository: 'file://../c'}]";
    let place = Place::new(&[("c/Chart.yaml", chart), ("c/templates/a.yaml", "a: 1")]);
    let start = Instant::now();
    // It is its own subchart, once.
    assert_eq!(rendered(place.helm()).matches("a: 1").count(), 2);
    assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
}

#[test]
fn a_gigabyte_is_not_read() {
    if !there() {
        return;
    }
    let large = |place: &Place, name: &str| fs::File::create(place.path(name)).unwrap().set_len(1 << 30).unwrap();
    let start = Instant::now();
    let place = Place::chart(&[("templates/a.yaml", "a: 1")]);
    large(&place, "c/values.yaml");
    fails(place.helm(), "larger than the maximum file size");
    let place = Place::chart(&[("templates/a.yaml", "a: 1")]);
    large(&place, "large.yaml");
    let values = vec![Values::File("large.yaml".into())];
    fails(place.render(Source::Helm(Helm { chart: "c".into(), values, ..Helm::default() })), "too large");
    let place = Place::new(&[("k/kustomization.yaml", "resources: [large.yaml]")]);
    large(&place, "k/large.yaml");
    fails(place.kustomize(), "the file is too large");
    assert!(start.elapsed() < Duration::from_secs(60), "{:?}", start.elapsed());
}

#[test]
fn a_kustomization_runs_no_program() {
    if !there() {
        return;
    }
    let function = |how: &str| {
        format!(
            "apiVersion: shop.example/v1\nkind: Own\nmetadata:\n  name: own\n  annotations:\n    config.kubernetes.io/function: |\n      {how}\n"
        )
    };
    for how in ["exec: {path: ./run.sh}", "container: {image: 'registry.example/run:1'}", "starlark: {path: run.star, name: run}"] {
        for field in ["generators", "transformers", "validators"] {
            let place = Place::new(&[
                ("k/kustomization.yaml", &format!("resources: [a.yaml]\n{field}: [own.yaml]\n")),
                ("k/a.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n"),
                ("k/own.yaml", &function(how)),
                ("k/run.sh", "#!/bin/sh\ntouch ran\n"),
                ("k/run.star", "print('ran')\n"),
            ]);
            make_executable(&place.path("k/run.sh"));
            fails(place.kustomize(), "external plugins disabled");
            assert!(!place.path("k/ran").exists() && !Path::new("ran").exists(), "{how} as {field}");
        }
    }
    // A plugin of the older sort: a program in a folder of plugins.
    let place = Place::new(&[
        ("k/kustomization.yaml", "generators: [own.yaml]\n"),
        ("k/own.yaml", "apiVersion: shop.example/v1\nkind: Own\nmetadata: {name: own}\n"),
        ("k/plugin/shop.example/v1/own/Own", "#!/bin/sh\ntouch ran\n"),
    ]);
    make_executable(&place.path("k/plugin/shop.example/v1/own/Own"));
    fails(place.kustomize(), "external plugins disabled");
    assert!(!place.path("k/ran").exists() && !Path::new("ran").exists());
}

fn make_executable(file: &Path) {
    fs::set_permissions(file, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
}

#[test]
fn a_pipe_is_not_waited_for() {
    if !there() {
        return;
    }
    let place = Place::chart(&[("templates/a.yaml", "a: 1")]);
    rustix::fs::mkfifoat(rustix::fs::CWD, place.path("c/templates/pipe.yaml"), 0o600.into()).unwrap();
    fails(place.helm(), "pipe.yaml");
    let place = Place::new(&[("k/kustomization.yaml", "resources: [pipe.yaml]")]);
    rustix::fs::mkfifoat(rustix::fs::CWD, place.path("k/pipe.yaml"), 0o600.into()).unwrap();
    fails(place.kustomize(), "pipe.yaml");
}

#[test]
fn what_must_be_fetched_is_deferred() {
    if !there() {
        return;
    }
    for (kustomization, reason) in [
        ("resources: ['https://git.example/org/repo//base?ref=v1']", "https://git.example/org/repo//base?ref=v1"),
        ("resources: ['git@git.example:org/repo.git']", "git@git.example:org/repo.git"),
        ("resources: [github.com/org/repo]", "github.com/org/repo"),
        ("resources: ['https://files.example/all.yaml']", "https://files.example/all.yaml"),
        ("components: ['https://git.example/org/repo//c']", "https://git.example/org/repo//c"),
        ("bases: ['ssh://git@git.example/org/repo']", "ssh://git@git.example/org/repo"),
        ("patches: [{path: 'https://files.example/patch.yaml'}]", "https://files.example/patch.yaml"),
        ("helmCharts: [{name: web, repo: 'https://charts.example', version: 1.0.0}]", "helmCharts"),
        ("helmChartInflationGenerator: [{chartName: web}]", "helmCharts"),
        ("resources: [../below]", "https://git.example/org/below"),
    ] {
        let place = Place::new(&[
            ("k/kustomization.yaml", kustomization),
            ("below/kustomization.yaml", "resources: ['https://git.example/org/below']"),
        ]);
        is_deferred(place.kustomize(), reason);
    }
    let chart = "apiVersion: v2\nname: c\nversion: 1.0.0\ndependencies: [{name: db, version: 1.0.0, repository: 'https://charts.example'}]";
    let place = Place::new(&[("c/Chart.yaml", chart)]);
    is_deferred(place.helm(), "db");
    let values = vec![Values::File("https://files.example/values.yaml".into())];
    let place = Place::chart(&[("templates/a.yaml", "a: 1")]);
    is_deferred(place.render(Source::Helm(Helm { chart: "c".into(), values, ..Helm::default() })), "https://files.example/values.yaml");
}

#[test]
fn a_broken_overlay_leaves_nothing_behind() {
    if !there() {
        return;
    }
    let place = Place::new(&[
        ("good/kustomization.yaml", "resources: [a.yaml]\nnamePrefix: p-\n"),
        ("good/a.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n"),
        ("broken/kustomization.yaml", "resources: [none.yaml]\n"),
        ("schema/kustomization.yaml", "resources: [../good/]\nopenapi: {path: schema.json}\ncrds: []\n"),
        ("schema/schema.json", "{\"definitions\": {}}"),
    ]);
    let renderer = Renderer::open(&place.root()).unwrap();
    let build = |folder: &str| renderer.render(&Source::Kustomize(Kustomize { folder: folder.into(), ..Kustomize::default() }));
    let first = rendered(build("good"));
    for _ in 0..3 {
        fails(build("broken"), "none.yaml");
        let _ = build("schema");
        assert_eq!(rendered(build("good")), first);
    }
}

#[test]
fn the_checkout_is_not_changed() {
    if !there() {
        return;
    }
    let text = "# a comment\nresources: [a.yaml]\n";
    let place = Place::new(&[("k/kustomization.yaml", text), ("k/a.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n")]);
    let source = Kustomize { folder: "k".into(), name_prefix: "x-".into(), namespace: "shop".into(), ..Kustomize::default() };
    let all = rendered(place.render(Source::Kustomize(source)));
    assert!(all.contains("name: x-a") && all.contains("namespace: shop"), "{all}");
    assert_eq!(fs::read_to_string(place.path("k/kustomization.yaml")).unwrap(), text);
    assert_eq!(fs::read_dir(place.path("k")).unwrap().count(), 2);
}
