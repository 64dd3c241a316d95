//! What the command lines do not do, or do not tell: charts beside a chart, changes of Argo CD, where documents come from.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::fs;
use std::path::Path;

use fedward_render::{Helm, Kind, Kustomize, Outcome, Patch, Rendered, Renderer, Source};
use serde_json::json;

/// A folder with these files; `None` if there is nothing to test, since without renderers all is deferred.
fn place(files: &[(&str, &str)]) -> Option<(tempfile::TempDir, Renderer)> {
    assert!(fedward_render::available() || std::env::var_os("CI").is_none(), "this build has no renderers");
    let place = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = place.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let renderer = Renderer::open(place.path()).unwrap();
    fedward_render::available().then_some((place, renderer))
}

#[track_caller]
fn rendered(outcome: Outcome) -> Rendered {
    match outcome {
        Outcome::Rendered(rendered) => rendered,
        other => panic!("{other:?}"),
    }
}

fn chart(path: &str) -> Source {
    Source::Helm(Helm { chart: path.into(), ..Helm::default() })
}

#[test]
fn a_chart_beside_it_is_taken_where_charts_has_none() {
    let parent = |version: &str| {
        format!(
            "apiVersion: v2\nname: web\nversion: 1.0.0\ndependencies: [{{name: db, version: '{version}', repository: 'file://../db'}}]\n"
        )
    };
    for (version, taken) in [("1.x.x", true), ("2.0.0", false)] {
        let Some((_place, renderer)) = place(&[
            ("charts/web/Chart.yaml", &parent(version)),
            ("charts/web/values.yaml", "db: {size: 5}"),
            ("charts/db/Chart.yaml", "apiVersion: v2\nname: db\nversion: 1.2.0\n"),
            ("charts/db/templates/a.yaml", "kind: Db\nsize: {{ .Values.size }}\n"),
        ]) else {
            return;
        };
        match renderer.render(&chart("charts/web")) {
            Outcome::Rendered(rendered) if taken => {
                assert_eq!(rendered.text(), "---\n# Source: web/charts/db/templates/a.yaml\nkind: Db\nsize: 5\n");
                assert_eq!(rendered.documents.first().and_then(|document| document.file.as_deref()), Some("charts/db/templates/a.yaml"));
            }
            Outcome::Failed(failed) if !taken => {
                assert_eq!(failed.message, "dependency db: charts/db has version 1.2.0, not 2.0.0");
            }
            other => panic!("{version}: {other:?}"),
        }
    }
}

#[test]
fn documents_say_which_file_they_come_from() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/gitops/render");
    if place(&[]).is_none() {
        return;
    }
    let renderer = Renderer::open(&root).unwrap();
    let umbrella = Helm { chart: "helm/umbrella/chart".into(), include_crds: true, ..Helm::default() };
    let of_chart = rendered(renderer.render(&Source::Helm(umbrella)));
    let from = |name: &str| {
        let document = of_chart.documents.iter().find(|document| document.name == name).unwrap_or_else(|| panic!("{name}: {of_chart:#?}"));
        (document.file.clone().unwrap(), document.inside.clone(), document.hook)
    };
    let folder = "helm/umbrella/chart";
    for (name, file, inside, hook) in [
        ("umbrella/templates/all.yaml", "templates/all.yaml", None, false),
        ("umbrella/charts/archive/templates/db.yaml", "charts/db/templates/db.yaml", None, false),
        ("umbrella/charts/db/charts/agent/templates/agent.yaml", "charts/db/charts/agent/templates/agent.yaml", None, false),
        ("umbrella/charts/cache/templates/cache.yaml", "charts/cache-1.2.3.tgz", Some("templates/cache.yaml"), false),
        ("umbrella/charts/db/crds/backup.yaml", "charts/db/crds/backup.yaml", None, false),
    ] {
        assert_eq!(from(name), (format!("{folder}/{file}"), inside.map(str::to_owned), hook), "{name}");
    }
    assert!(of_chart.documents.iter().any(|document| document.hook && document.text.contains("post-install")));

    let of_overlay = rendered(renderer.render(&Source::Kustomize(Kustomize { folder: "kustomize/names".into(), ..Kustomize::default() })));
    let deployment = of_overlay.documents.iter().find(|document| document.text.contains("kind: Deployment")).unwrap();
    assert_eq!(deployment.file.as_deref(), Some("kustomize/base/workload.yaml"));
    assert_eq!(deployment.changed_by, ["kustomize/names/kustomization.yaml"]);
    let map = of_overlay.documents.iter().find(|document| document.text.contains("kind: ConfigMap")).unwrap();
    assert_eq!((map.file.as_deref(), map.name.as_str()), (Some("kustomize/base/kustomization.yaml"), "ConfigMapGenerator"));
    for (path, kind) in [
        ("helm/web/chart", Some(Kind::Helm)),
        ("helm/umbrella/chart/charts/cache-1.2.3.tgz", Some(Kind::Helm)),
        ("kustomize/components", Some(Kind::Kustomize)),
        ("jsonnet/app/main.jsonnet", Some(Kind::Jsonnet)),
        ("jsonnet/app", None),
        ("helm/web/cases.json", None),
    ] {
        assert_eq!(renderer.detect(path), kind, "{path}");
    }
}

#[test]
fn patches_are_put_behind_those_of_the_file() {
    let files = [
        (
            "k/kustomization.yaml",
            "resources: [a.yaml]\npatches: [{target: {kind: ConfigMap}, patch: '[{\"op\": \"add\", \"path\": \"/data\", \"value\": {\"a\": \"b\"}}]'}]\n",
        ),
        ("k/a.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n"),
        ("k/more.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {file: \"yes\"}\n"),
        ("bare/kustomization.yaml", "resources: [../k]\n"),
    ];
    let Some((_place, renderer)) = place(&files) else {
        return;
    };
    let target = json!({"kind": "ConfigMap"}).as_object().unwrap().clone();
    let patches = vec![
        Patch { patch: "- {op: replace, path: /data/a, value: later}".into(), target, ..Patch::default() },
        Patch { path: "more.yaml".into(), ..Patch::default() },
    ];
    let edited = Kustomize { folder: "k".into(), patches, ..Kustomize::default() };
    let text = rendered(renderer.render(&Source::Kustomize(edited.clone()))).text();
    assert_eq!(text, "apiVersion: v1\ndata:\n  a: later\n  file: \"yes\"\nkind: ConfigMap\nmetadata:\n  name: a\n");
    let bare = Kustomize { folder: "bare".into(), patches: edited.patches.into_iter().take(1).collect(), ..Kustomize::default() };
    assert!(rendered(renderer.render(&Source::Kustomize(bare))).text().contains("a: later"));
}

#[test]
fn what_is_random_is_the_same_in_every_run() {
    let Some((_place, renderer)) = place(&[
        ("Chart.yaml", "apiVersion: v2\nname: c\nversion: 1.0.0\n"),
        ("templates/a.yaml", "a: {{ randAlphaNum 20 }}\nb: {{ uuidv4 }}\n"),
    ]) else {
        return;
    };
    let [first, second] = [0, 1].map(|_| rendered(renderer.render(&chart("."))).text());
    assert_eq!(first, second);
    let [a, b] = [".", "./."].map(|path| rendered(renderer.render(&chart(path))).text());
    assert_eq!(a, b);
}

/// All instances begin with the memory of one that has rendered files of ours (`crates/renderers/warm.rs`), and none with that of another's render.
#[test]
fn a_render_finds_nothing_that_another_left() {
    // Values that a chart changes for itself, a template that another chart has too, and values of subcharts.
    let changing = "{{ $_ := set .Values \"word\" \"changed\" }}a: {{ include \"name\" . }}\n";
    let asking = "a: {{ .Values.word }} {{ include \"name\" . }}\n";
    let Some((_place, renderer)) = place(&[
        ("one/Chart.yaml", "apiVersion: v2\nname: one\nversion: 1.0.0\n"),
        ("one/values.yaml", "word: first\n"),
        ("one/templates/_names.tpl", "{{ define \"name\" }}of one{{ end }}{{ define \"warm.name\" }}warm of one{{ end }}"),
        ("one/templates/a.yaml", changing),
        ("two/Chart.yaml", "apiVersion: v2\nname: two\nversion: 1.0.0\n"),
        ("two/values.yaml", "word: second\n"),
        ("two/templates/_names.tpl", "{{ define \"name\" }}of two{{ end }}"),
        ("two/templates/a.yaml", "a: {{ .Values.word }} {{ include \"name\" . }}\n"),
        ("three/Chart.yaml", "apiVersion: v2\nname: three\nversion: 1.0.0\n"),
        ("three/templates/a.yaml", asking),
        ("four/Chart.yaml", "apiVersion: v2\nname: four\nversion: 1.0.0\n"),
        ("four/templates/a.yaml", "a: {{ include \"warm.name\" . }}\n"),
    ]) else {
        return;
    };
    for _ in 0..2 {
        assert!(rendered(renderer.render(&chart("one"))).text().ends_with("a: of one\n"));
        let two = rendered(renderer.render(&chart("two"))).text();
        assert!(two.ends_with("a: second of two\n"), "{two}");
        // Neither the templates of chart `one` nor those that the build rendered are there.
        for (folder, name) in [("three", "name"), ("four", "warm.name")] {
            match renderer.render(&chart(folder)) {
                Outcome::Failed(failed) => assert!(failed.message.contains(&format!("no template \"{name}\"")), "{failed}"),
                other => panic!("{other:?}"),
            }
        }
    }
}

#[test]
fn clocks_and_random_values_are_those_of_the_render() {
    let Some((_place, renderer)) = place(&[
        ("Chart.yaml", "apiVersion: v2\nname: c\nversion: 1.0.0\n"),
        (
            "templates/a.yaml",
            "now: {{ now | unixEpoch }}\nrandom: {{ uuidv4 }} {{ uuidv4 }} {{ randInt 0 1000000 }} {{ randInt 0 1000000 }}\n",
        ),
    ]) else {
        return;
    };
    let before = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    let texts = [0, 1].map(|_| rendered(renderer.render(&chart("."))).text());
    let field = |text: &str, name: &str| text.lines().find_map(|line| line.strip_prefix(name)).unwrap().to_owned();
    for text in &texts {
        let now: u64 = field(text, "now: ").parse().unwrap();
        assert!((before..before + 3600).contains(&now), "{text}");
    }
    let [first, second] = texts.map(|text| field(&text, "random: "));
    assert_eq!(first, second);
    let [one, other, few, more] = first.split(' ').collect::<Vec<_>>()[..] else { panic!("{first}") };
    assert!(one.len() == 36 && one != other && few != more, "{first}");
}

#[test]
fn several_threads_render_at_the_same_time() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/gitops/render");
    if place(&[]).is_none() {
        return;
    }
    let renderer = Renderer::open(&root).unwrap();
    let overlay = |name: &str| Source::Kustomize(Kustomize { folder: format!("kustomize/{name}"), ..Kustomize::default() });
    let names = ["base", "names", "patches", "components", "replacements", "transformers"];
    let alone: Vec<String> = names.map(|name| rendered(renderer.render(&overlay(name))).text()).to_vec();
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                for (name, alone) in names.iter().zip(&alone).rev() {
                    assert_eq!(&rendered(renderer.render(&overlay(name))).text(), alone, "{name}");
                }
            });
        }
    });
}
