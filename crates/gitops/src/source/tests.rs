#![allow(clippy::panic, clippy::unwrap_used, reason = "tests")]

use std::fmt::Write as _;
use std::fs;
use std::sync::Mutex;

use super::*;
use crate::renderer::TemplateRequest;
use crate::repositories::Mapping;
use crate::test_text::value;

/// Writes down what it is asked for, and renders nothing.
#[derive(Default)]
struct Asked(Mutex<Vec<String>>);

impl Renderer for Asked {
    fn render(&self, request: &SourceRequest<'_>) -> Render {
        let mut out = format!("{} ", path::shown(request.path));
        match request.tool {
            Tool::Helm(helm) => {
                let files: Vec<String> =
                    helm.values_files.iter().map(|file| format!("{}={}", file.name, String::from_utf8_lossy(&file.bytes))).collect();
                write!(out, "helm {} in {} values [{}] {:?}", helm.release, helm.namespace, files.join(" "), helm.values).unwrap();
                for parameter in &helm.parameters {
                    write!(out, " {}{}={}", parameter.name, if parameter.force_string { "!" } else { "" }, parameter.value).unwrap();
                }
                for (name, file) in &helm.file_parameters {
                    write!(out, " {name}=@{}", file.name).unwrap();
                }
                write!(out, " {:?} {:?}", helm.kube_version, helm.api_versions).unwrap();
            }
            Tool::Kustomize(kustomize) => {
                let Kustomize { images, labels, annotations, components, replicas, namespace, .. } = kustomize;
                write!(out, "kustomize {images:?} {labels:?} {annotations:?} {components:?} {replicas:?} {namespace}").unwrap();
            }
            Tool::Jsonnet(jsonnet) => {
                write!(out, "jsonnet {} {:?} {:?} {:?}", jsonnet.file, jsonnet.libraries, jsonnet.external, jsonnet.arguments).unwrap();
            }
            Tool::Plugin(plugin) => {
                let variables = plugin.variables(&crate::plugin::Kubernetes::default());
                let own = variables.iter().find(|(name, _)| name == "ARGOCD_ENV_OF").map_or("", |(_, value)| value);
                write!(out, "plugin {} of {own} at {}", plugin.name, plugin.place.position().column).unwrap();
            }
        }
        self.0.lock().unwrap().push(out);
        Render::Done(Vec::new())
    }

    fn fill(&self, _: &TemplateRequest<'_>) -> Result<Vec<Result<String, String>>, String> {
        Err("not asked for".to_owned())
    }
}

use crate::renderer::Kustomize;

const URL: &str = "https://git.example/team/repo";

#[derive(Default)]
struct Stage {
    files: Vec<(&'static str, &'static str)>,
    links: Vec<(&'static str, &'static str)>,
    /// Files of another repository.
    others: Vec<(&'static str, &'static str)>,
    settings: Settings,
    limits: Limits,
}

fn write(folder: &std::path::Path, files: &[(&str, &str)]) {
    for (name, text) in files {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
}

impl Stage {
    fn new(files: &[(&'static str, &'static str)]) -> Self {
        Stage { files: files.to_vec(), ..Stage::default() }
    }

    /// What the renderer is asked for, the objects, what is passed over, and what stops it.
    fn run(&self, source: &str) -> String {
        self.run_with(source, "[]")
    }

    /// The same for an Application with further sources.
    fn run_with(&self, source: &str, others: &str) -> String {
        let (folder, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        write(folder.path(), &self.files);
        write(other.path(), &self.others);
        #[cfg(unix)]
        for (target, name) in &self.links {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::os::unix::fs::symlink(target, path).unwrap();
        }
        let map = |url: &str, path: &std::path::Path, shown: &str| Mapping {
            url: url.to_owned(),
            revision: None,
            path: path.to_owned(),
            shown: shown.to_owned(),
        };
        let mappings = [
            map(URL, folder.path(), ""),
            map("https://git.example/other", other.path(), "other"),
            map("https://charts.example", other.path(), "other"),
        ];
        let repositories = Repositories::open(folder.path(), "", &mappings, &[], &self.limits).unwrap();
        let asked = Asked::default();
        let around = Around { repositories: &repositories, settings: &self.settings, renderer: &asked, limits: &self.limits };
        let (_, spec) = value(&format!("{{repoURL: '{URL}', {source}}}"));
        let (_, others) = value(others);
        let mut all = others.as_list().unwrap().to_vec();
        let is_multiple = !all.is_empty();
        all.push(spec.clone());
        let refs = Refs::new(&all, is_multiple).unwrap();
        let owner = Owner { instance: "web".to_owned(), name: "web", project: "shop", namespace: "space", refs };
        let source = render(&spec, &owner, around);
        let mut out = asked.0.lock().unwrap().join("\n");
        match &source.result {
            Ok(manifests) => {
                for manifest in manifests {
                    let position = manifest.place.position();
                    writeln!(out, "{} {} {}:{}", manifest.text("/kind"), manifest.text("/metadata/name"), manifest.file(), position.line)
                        .unwrap();
                }
            }
            Err(Stop::Deferred(reason)) => write!(out, "deferred: {}", reason.text).unwrap(),
            Err(Stop::Failed(reason)) => write!(out, "failed: {}", reason.text).unwrap(),
        }
        for ignored in &source.ignored {
            let looks = if ignored.looks_like_manifest { " (looks like a manifest)" } else { "" };
            writeln!(out, "ignored {}: {}{looks}", ignored.file, ignored.reason).unwrap();
        }
        out.trim_end().to_owned()
    }
}

const POD: &str = "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\n";

#[test]
fn paths_are_folders_of_the_repository() {
    let stage = Stage::new(&[("app/pod.yaml", POD)]);
    for (path, expected) in [
        ("app", "Pod a app/pod.yaml:1"),
        ("./app/", "Pod a app/pod.yaml:1"),
        ("app/../app", "Pod a app/pod.yaml:1"),
        (".", ""),
        ("/app", "failed: path `/app` is absolute: paths are relative to the repository's root"),
        ("../app", "failed: path `../app` leads out of the repository"),
        ("app/../../repo2", "failed: path `app/../../repo2` leads out of the repository"),
        ("other", "failed: path `other` does not exist"),
        ("app/pod.yaml", "failed: path `app/pod.yaml` is not a folder"),
    ] {
        assert_eq!(stage.run(&format!("path: '{path}'")), expected, "{path}");
    }
}

#[test]
#[cfg(unix)]
fn one_stray_link_fails_everything() {
    let stage = Stage { links: vec![("/etc", "elsewhere/link")], ..Stage::new(&[("app/pod.yaml", POD)]) };
    let stray = "failed: `elsewhere/link` is a link that is absolute or leads out of the repository, of which Argo CD then renders nothing";
    assert_eq!(stage.run("path: app"), stray);
    let allowed = Stage { settings: Settings { allow_stray_links: true, ..Settings::default() }, ..stage };
    assert_eq!(allowed.run("path: app"), "Pod a app/pod.yaml:1");
    // And even then it is not followed.
    assert_eq!(allowed.run("path: elsewhere/link"), "failed: path `elsewhere/link` leads out of the repository");
    let linked = Stage { links: vec![("app", "also")], ..Stage::new(&[("app/pod.yaml", POD)]) };
    assert_eq!(linked.run("path: also"), "Pod a app/pod.yaml:1");
}

#[test]
fn other_repositories_are_deferred() {
    let stage = Stage::default();
    let run = |source: &str| stage.run(source).split_once("deferred: ").map(|(_, why)| why.to_owned()).unwrap();
    assert_eq!(
        run("repoURL: 'https://user:pw@git.example/unknown', path: a"),
        "repository `https://git.example/unknown` is not here: map it with `--repo https://git.example/unknown=PATH`"
    );
    assert_eq!(
        run("repoURL: 'oci://registry.example/a', path: .",),
        "`oci://registry.example/a` is an OCI artifact, which has to be fetched"
    );
    assert_eq!(
        run("repoURL: 'https://helm.example', chart: web, targetRevision: 1.0.0"),
        "chart `web` 1.0.0 of `https://helm.example` has to be fetched: map a folder that has it with `--repo https://helm.example=PATH`, or put it into the one of `--helm-repo-cache`"
    );
    assert_eq!(
        run("path: ., plugin: {}"),
        "a plugin without a name builds it: which one that is, Argo CD finds out by asking its plugins (`plugin.name` would say it)"
    );
    assert_eq!(stage.run("path: ., plugin: {name: p, env: [{name: OF, value: '$ARGOCD_APP_NAME'}]}"), ". plugin p of web at 61");
}

#[test]
fn charts_are_found_where_their_repository_is_mapped() {
    let stage = Stage { others: vec![("web/Chart.yaml", "name: web\nversion: v1.2.3\n")], ..Stage::default() };
    assert_eq!(
        stage.run("repoURL: 'https://charts.example', chart: web, targetRevision: 1.2.3"),
        "web helm web in space values [] None None []"
    );
    assert_eq!(
        stage.run("repoURL: 'https://charts.example', chart: web, targetRevision: 1.2.4"),
        "deferred: the chart `web` that is here has version `v1.2.3`, not `1.2.4`"
    );
    assert_eq!(
        stage.run("repoURL: 'https://charts.example', chart: api, targetRevision: 1.2.4"),
        "deferred: there is no chart `api` in the folder that `https://charts.example` is mapped to"
    );
}

#[test]
fn files_choose_the_tool() {
    let kind = |files: &[(&'static str, &'static str)], source: &str| {
        let run = Stage::new(files).run(&format!("path: a{source}"));
        ["helm", "kustomize", "failed"].into_iter().find(|tool| run.contains(tool)).unwrap_or("directory").to_owned()
    };
    for (files, expected) in [
        (&["a/Chart.yaml"][..], "helm"),
        // Any name that ends so.
        (&["a/myChart.yaml"], "helm"),
        (&["a/Chart.yml"], "directory"),
        (&["a/kustomization.yaml"], "kustomize"),
        (&["a/kustomization.yml"], "kustomize"),
        (&["a/Kustomization"], "kustomize"),
        (&["a/KUSTOMIZATION"], "directory"),
        // The last one by name wins.
        (&["a/Chart.yaml", "a/kustomization.yaml"], "kustomize"),
        (&["a/Chart.yaml", "a/Kustomization"], "kustomize"),
        (&["a/zChart.yaml", "a/kustomization.yaml"], "helm"),
        // Only of the folder itself.
        (&["a/b/Chart.yaml", "a/x.txt"], "directory"),
    ] {
        let files: Vec<(&'static str, &'static str)> = files.iter().map(|file| (*file, "")).collect();
        assert_eq!(kind(&files, ""), expected, "{files:?}");
    }
    let chart = [("a/Chart.yaml", "")];
    assert_eq!(kind(&chart, ", directory: {recurse: true}"), "directory");
    // Names of files choose plain manifests, a block with nothing in it chooses nothing.
    assert_eq!(kind(&chart, ", directory: {include: '*'}"), "directory");
    assert_eq!(kind(&chart, ", directory: {}"), "helm");
    assert_eq!(kind(&chart, ", kustomize: {namePrefix: ''}"), "helm");
    assert_eq!(kind(&chart, ", kustomize: {commonAnnotationsEnvsubst: true}"), "helm");
    assert_eq!(kind(&chart, ", kustomize: {namePrefix: x}"), "kustomize");
    assert_eq!(kind(&[("a/x.txt", "")], ", helm: {valuesObject: {}}"), "helm");
    assert_eq!(kind(&[("a/x.txt", "")], ", helm: {values: ''}"), "directory");
    assert_eq!(
        Stage::new(&chart).run("path: a, helm: {skipCrds: true}, kustomize: {namePrefix: x}"),
        "failed: one source has several tools: Kustomize, Helm"
    );
}

#[test]
fn tools_that_are_turned_off_leave_plain_manifests() {
    let stage = Stage {
        settings: Settings { helm: false, ..Settings::default() },
        ..Stage::new(&[("a/Chart.yaml", "name: x\n"), ("a/pod.yaml", POD)])
    };
    let plain = "Pod a a/pod.yaml:1\nignored a/Chart.yaml: there is no `kind`";
    assert_eq!(stage.run("path: a"), plain);
    assert_eq!(stage.run("path: a, helm: {skipCrds: true}"), plain);
}

#[test]
fn overrides_beside_the_files_count_and_choose_the_tool() {
    let stage = Stage::new(&[
        ("a/Chart.yaml", "name: x"),
        ("a/.argocd-source.yaml", "helm: {releaseName: all, parameters: [{name: p, value: all}]}\npath: elsewhere\n"),
        ("a/.argocd-source-web.yaml", "helm: {releaseName: mine}\n"),
        ("a/.argocd-source-other.yaml", "helm: {releaseName: other}\n"),
    ]);
    assert_eq!(stage.run("path: a"), "a helm mine in space values [] None p=all None []");
    let kustomize = Stage::new(&[("a/Chart.yaml", "name: x"), ("a/.argocd-source.yaml", "kustomize: {images: [a=b:$ARGOCD_APP_NAME]}")]);
    assert_eq!(kustomize.run("path: a"), r#"a kustomize ["a=b:web"] [] [] [] []"#);
    for (text, expected) in [
        ("- a", "failed: `a/.argocd-source.yaml` is a list and must be a map"),
        ("helm: {values: {a: b}}", "failed: `helm.values` is a map and must be a string"),
        ("", "a helm web in space values [] None None []"),
    ] {
        let stage = Stage { files: vec![("a/Chart.yaml", "name: x"), ("a/.argocd-source.yaml", text)], ..Stage::default() };
        assert_eq!(stage.run("path: a"), expected);
    }
}

const CHART: &[(&str, &str)] = &[
    ("charts/web/Chart.yaml", "name: web"),
    ("charts/web/values.yaml", "v"),
    ("charts/web/prod.yaml", "p"),
    ("charts/web/values/a.yaml", "a"),
    ("charts/web/values/b.yaml", "b"),
    ("charts/web/values/deep/c.yaml", "c"),
    ("shared.yaml", "s"),
    ("web.yaml", "w"),
];

fn files(stage: &Stage, helm: &str) -> String {
    let run = stage.run(&format!("path: charts/web, helm: {{{helm}}}"));
    match run.split_once("values [") {
        Some((_, rest)) => rest.split_once(']').unwrap().0.to_owned(),
        None => run,
    }
}

#[test]
fn values_files_are_resolved() {
    let stage = Stage::new(CHART);
    for (helm, expected) in [
        ("valueFiles: [values.yaml, prod.yaml]", "charts/web/values.yaml=v charts/web/prod.yaml=p"),
        ("valueFiles: [../../shared.yaml, /shared.yaml]", "shared.yaml=s"),
        ("valueFiles: ['/$ARGOCD_APP_NAME.yaml']", "web.yaml=w"),
        // With a single source there is nothing to refer to: the variable is empty.
        ("valueFiles: [$values/shared.yaml]", "shared.yaml=s"),
        ("valueFiles: [values/*.yaml]", "charts/web/values/a.yaml=a charts/web/values/b.yaml=b"),
        ("valueFiles: [values/**/*.yaml]", "charts/web/values/a.yaml=a charts/web/values/b.yaml=b charts/web/values/deep/c.yaml=c"),
        // A file that is named as such stays where it is named.
        ("valueFiles: [values/*.yaml, values/a.yaml]", "charts/web/values/b.yaml=b charts/web/values/a.yaml=a"),
        ("valueFiles: [values.yaml, values.yaml]", "charts/web/values.yaml=v"),
        ("valueFiles: [missing.yaml, values.yaml], ignoreMissingValueFiles: true", "charts/web/values.yaml=v"),
        ("valueFiles: ['no*.yaml', values.yaml], ignoreMissingValueFiles: true", "charts/web/values.yaml=v"),
        ("valueFiles: [missing.yaml]", "failed: `missing.yaml` does not exist: there is no `charts/web/missing.yaml`"),
        ("valueFiles: ['no*.yaml']", "failed: no file matches `no*.yaml`"),
        ("valueFiles: [../../../out.yaml]", "failed: `../../../out.yaml` leads out of the repository"),
        ("valueFiles: [../../../out.yaml], ignoreMissingValueFiles: true", "failed: `../../../out.yaml` leads out of the repository"),
        ("valueFiles: [/]", "failed: `/` is the repository's root, not a file"),
        ("valueFiles: [values]", "failed: `charts/web/values`, which `values` means, is a folder"),
        ("valueFiles: ['values/*']", "failed: `charts/web/values/deep`, which `values/*` means, is a folder"),
        ("valueFiles: ['https://x.example/v.yaml']", "deferred: values file `https://x.example/v.yaml` has to be fetched"),
        ("valueFiles: ['s3://bucket/v.yaml']", "failed: `s3://bucket/v.yaml` has the URL scheme `s3`: https, http are allowed"),
    ] {
        assert_eq!(files(&stage, helm), expected, "{helm}");
    }
    let settings = Settings { values_file_schemes: vec!["s3".to_owned()], ..Settings::default() };
    let stage = Stage { settings, ..Stage::new(CHART) };
    assert_eq!(files(&stage, "valueFiles: ['S3://bucket/v.yaml']"), "deferred: values file `S3://bucket/v.yaml` has to be fetched");
}

#[test]
#[cfg(unix)]
fn links_to_values_stay_inside() {
    let settings = Settings { allow_stray_links: true, ..Settings::default() };
    let links = vec![
        ("../../shared.yaml", "charts/web/link.yaml"),
        ("/etc/hostname", "charts/web/out.yaml"),
        ("loop.yaml", "charts/web/loop.yaml"),
    ];
    let stage = Stage { settings, links, ..Stage::new(CHART) };
    assert_eq!(files(&stage, "valueFiles: [link.yaml]"), "charts/web/link.yaml=s");
    assert_eq!(files(&stage, "valueFiles: [out.yaml]"), "failed: `out.yaml` leads out of the repository");
    assert_eq!(
        files(&stage, "valueFiles: ['o*.yaml']"),
        "failed: `charts/web/out.yaml`, which matches `o*.yaml`, leads out of the repository"
    );
    assert_eq!(files(&stage, "valueFiles: [loop.yaml]"), "failed: `loop.yaml` leads through too many links");
}

#[test]
fn values_of_other_sources_are_from_the_root_of_their_repository() {
    let stage = Stage { others: vec![("env/prod.yaml", "o"), ("web.yaml", "ow")], ..Stage::new(CHART) };
    let run = |helm: &str, others: &str| {
        let run = stage.run_with(&format!("path: charts/web, helm: {{{helm}}}"), others);
        run.split_once("values [").and_then(|(_, rest)| rest.split_once(']')).map_or(run.clone(), |(files, _)| files.to_owned())
    };
    let other = "[{repoURL: 'https://git.example/other', ref: values, path: ignored}]";
    assert_eq!(run("valueFiles: [values.yaml, $values/env/prod.yaml]", other), "charts/web/values.yaml=v other/env/prod.yaml=o");
    // The environment is put in after the reference.
    assert_eq!(run("valueFiles: [$values/$ARGOCD_APP_NAME.yaml]", other), "other/web.yaml=ow");
    assert_eq!(run("valueFiles: [$values/env/*.yaml]", other), "other/env/prod.yaml=o");
    assert_eq!(run("valueFiles: [$values/../x.yaml]", other), "failed: `$values/../x.yaml` leads out of the repository");
    assert_eq!(
        run("valueFiles: [$other/x.yaml]", other),
        "failed: `$other/x.yaml` refers to `$other`, which is none of the sources with a `ref`: $values"
    );
    assert_eq!(
        run("valueFiles: [$values/x.yaml]", "[{repoURL: 'https://git.example/gone', ref: values}]"),
        "deferred: repository `https://git.example/gone` is not here: map it with `--repo https://git.example/gone=PATH`"
    );
}

#[test]
fn helm_is_called_with_what_the_source_says() {
    let stage = Stage::new(CHART);
    let run = |helm: &str| stage.run(&format!("path: charts/web, helm: {{{helm}}}"));
    assert_eq!(
        run(
            "releaseName: r, namespace: own, values: 'a: b', parameters: [{name: p, value: 'x,$ARGOCD_APP_REVISION_SHORT'}, {name: q, value: '1', forceString: true}], fileParameters: [{name: f, path: /shared.yaml}], kubeVersion: v1.31.2-eks, apiVersions: [a/v1]"
        ),
        "charts/web helm r in own values [] Some(\"a: b\") p=x\\,0000000 q!=1 f=@shared.yaml Some(\"1.31.2\") [\"a/v1\"]"
    );
    // An object wins over a text.
    assert_eq!(
        run("values: 'a: b', valuesObject: {c: {d: 1}}"),
        "charts/web helm web in space values [] Some(\"{\\\"c\\\":{\\\"d\\\":1}}\") None []"
    );
    assert_eq!(run("parameters: [{name: p, value: a}, {name: p, value: b}]"), "charts/web helm web in space values [] None p=b None []");
    assert_eq!(run("kubeVersion: newest"), "failed: `newest` is no version of Kubernetes");
    assert_eq!(
        run("fileParameters: [{name: f, path: gone.yaml}]"),
        "failed: `gone.yaml` does not exist: there is no `charts/web/gone.yaml`"
    );
}

#[test]
fn kustomize_is_called_with_what_the_source_says() {
    let stage = Stage::new(&[
        ("a/kustomization.yaml", ""),
        ("b/kustomization.yaml", "kind: Component"),
        ("c/Kustomization", "kind: Component"),
        ("d/x", ""),
    ]);
    let run = |kustomize: &str| stage.run(&format!("path: a, kustomize: {{{kustomize}}}"));
    assert_eq!(
        run(
            "namespace: ns, images: ['i=j:${ARGOCD_APP_REVISION_SHORT_8}'], commonLabels: {l: '$ARGOCD_APP_NAME'}, commonAnnotations: {a: '$ARGOCD_APP_NAME'}, replicas: [{name: d, count: 2}, {name: e, count: '3'}]"
        ),
        r#"a kustomize ["i=j:00000000"] [("l", "web")] [("a", "$ARGOCD_APP_NAME")] [] [("d", 2), ("e", 3)] ns"#
    );
    assert_eq!(
        run("commonAnnotations: {a: '$ARGOCD_APP_PROJECT_NAME'}, commonAnnotationsEnvsubst: true"),
        r#"a kustomize [] [] [("a", "shop")] [] []"#
    );
    assert_eq!(run("replicas: [{name: d, count: many}]"), "failed: `count` is no whole number");
    assert_eq!(run("components: [../gone, ../c]"), r#"a kustomize [] [] [] ["../gone", "../c"] []"#);
    // Argo CD 3.6 takes the first that is there, and no others.
    assert_eq!(run("components: [../gone, ../d, ../c, ../b], ignoreMissingComponents: true"), r#"a kustomize [] [] [] ["../c"] []"#);
}

#[test]
fn a_folder_of_manifests_is_read_as_argo_cd_does() {
    let stage = Stage::new(&[
        (
            "a/b.yaml",
            "# first\n---\napiVersion: v1\nkind: Pod\nmetadata: {name: one}\n---\n---\nkind: List\napiVersion: v1\nitems:\n- {apiVersion: v1, kind: Pod, metadata: {name: two}}\n",
        ),
        ("a/a.yml", "apiVersion: v1\nkind: Pod\nmetadata: {name: zero}\n"),
        ("a/c.json", "{\"apiVersion\": \"v1\", \"kind\": \"Pod\", \"metadata\": {\"name\": \"three\"}}\n"),
        ("a/d.txt", "apiVersion: v1\nkind: Pod\n"),
        ("a/skipped.yaml", "# +argocd:skip-file-rendering\nnonsense: [\n"),
        ("a/values.yaml", "replicas: 2\n"),
        ("a/null-list.yaml", "kind: ConfigMapList\napiVersion: v1\nitems: null\n"),
        ("a/.hidden.yaml", "apiVersion: v1\nkind: Pod\nmetadata: {name: hidden}\n"),
        ("a/deep/e.yaml", "apiVersion: v1\nkind: Pod\nmetadata: {name: deep}\n"),
    ]);
    let flat = "Pod hidden a/.hidden.yaml:1\nPod zero a/a.yml:1\nPod one a/b.yaml:3\nPod two a/b.yaml:11\nPod three a/c.json:1\n";
    assert_eq!(stage.run("path: a"), format!("{flat}ignored a/values.yaml: there is no `kind`"));
    assert_eq!(
        stage.run("path: a, directory: {recurse: true, include: '{*e.yaml,*.json}'}"),
        "Pod three a/c.json:1\nPod deep a/deep/e.yaml:1"
    );
    // What is excluded stays out, and a star crosses folders.
    assert_eq!(stage.run("path: a, directory: {recurse: true, include: '*e.yaml', exclude: 'd*'}"), "");
    assert_eq!(stage.run("path: a, directory: {include: '['}"), "");
    assert_eq!(stage.run("path: a, directory: {disableExtensionFilter: true, include: '*.txt'}"), "Pod  a/d.txt:1");
}

#[test]
fn files_that_cannot_be_read_fail_or_vanish() {
    let run = |name: &'static str, text: &'static str| Stage::new(&[("a/ok.yaml", POD), (name, text)]).run("path: a");
    let fails = |name: &'static str, text: &'static str| {
        let run = run(name, text);
        let run = run.split_once("failed: ").map_or(format!("did not fail: {run}"), |(_, why)| why.to_owned());
        run.split_once(" line ").map_or(run.clone(), |(before, _)| before.to_owned())
    };
    // With an object before it, or all the words of one, it is an error.
    assert_eq!(fails("a/x.yaml", "apiVersion: v1\nkind: Pod\n---\na: [b\n"), "`a/x.yaml` cannot be read,");
    assert_eq!(fails("a/x.yaml", "apiVersion: v1\nkind: Pod\n---\nnot: a manifest\n"), "`a/x.yaml` cannot be read,");
    assert_eq!(fails("a/x.yaml", "apiVersion: v1\nkind: Pod\nmetadata: {name: [a\n"), "`a/x.yaml` cannot be read,");
    assert_eq!(fails("a/x.yaml", "a: b\n---\napiVersion: v1\nkind: Pod\nmetadata: {}\n"), "`a/x.yaml` cannot be read,");
    // Without, it is passed over: so is a manifest with a wrong word in it.
    let vanishes = run("a/x.yaml", "apiVersion: v1\nkind: Pod\nmetdata: {name: [a\n");
    assert!(vanishes.starts_with("Pod a a/ok.yaml:1\nignored a/x.yaml: "), "{vanishes}");
    assert!(vanishes.ends_with(" (looks like a manifest)"), "{vanishes}");
    assert!(!run("a/x.yaml", "a: [b\n").contains("(looks like"));
    // JSON is stricter.
    assert_eq!(fails("a/x.json", "{\"a\": 1}"), "`a/x.json` fails the whole Application: there is no `kind`");
    assert_eq!(fails("a/x.json", "{\"kind\": \"A\"} {\"kind\": \"B\"}"), "`a/x.json` holds several objects: a file of JSON holds one");
    assert_eq!(fails("a/x.json", "{\"kind\": "), "`a/x.json` is no JSON,");
    assert_eq!(fails("a/x.json", "[]"), "`a/x.json` fails the whole Application: not a map");
    assert_eq!(fails("a/x.json", ""), "`a/x.json` is empty: a file of JSON holds one object");
    assert_eq!(fails("a/x.yaml", "kind: List\nitems: [{a: b}]\n"), "`a/x.yaml` has an item in its list that is no object with a `kind`,");
}

#[test]
fn manifests_are_only_so_large_together() {
    let limited = |bytes: u64| Stage {
        settings: Settings { combined_bytes: bytes, ..Settings::default() },
        ..Stage::new(&[("a/ok.yaml", POD), ("a/two.yaml", "# nothing here\n"), ("a/x.jsonnet", "local a = 'a very long file'; {}")])
    };
    assert_eq!(limited(50).run("path: a").lines().last().unwrap(), "failed: its manifests have more than 50 bytes together");
    assert!(limited(70).run("path: a").contains("Pod a a/ok.yaml:1"));
    assert!(limited(0).run("path: a").contains("Pod a a/ok.yaml:1"));
}

#[test]
#[cfg(unix)]
fn links_among_manifests_stay_inside() {
    let settings = Settings { allow_stray_links: true, ..Settings::default() };
    let stage = |links: Vec<(&'static str, &'static str)>| Stage {
        settings: settings.clone(),
        links,
        ..Stage::new(&[("b/pod.yaml", POD), ("a/none", "")])
    };
    assert_eq!(stage(vec![("../b/pod.yaml", "a/link.yaml")]).run("path: a"), "Pod a b/pod.yaml:1");
    assert_eq!(stage(vec![("gone.yaml", "a/link.yaml")]).run("path: a"), "ignored a/link.yaml: a link that leads nowhere");
    assert_eq!(stage(vec![("../b", "a/link.yaml")]).run("path: a"), "ignored a/link.yaml: not an ordinary file");
    assert_eq!(stage(vec![("/etc/hostname", "a/link.yaml")]).run("path: a"), "failed: `a/link.yaml` leads out of the repository");
    // Links to folders are not entered.
    assert_eq!(stage(vec![("../b", "a/folder")]).run("path: a, directory: {recurse: true}"), "");
}

#[test]
fn jsonnet_is_handed_on() {
    let stage = Stage::new(&[("a/x.jsonnet", "{}"), ("a/y.libsonnet", "{}"), ("vendor/z.libsonnet", "{}")]);
    assert_eq!(
        stage.run("path: a, directory: {jsonnet: {libs: [vendor], extVars: [{name: v, value: '$ARGOCD_APP_NAME'}], tlas: [{name: t, value: '1+1', code: true}]}}"),
        "a jsonnet a/x.jsonnet [\"a\", \"vendor\"] [Variable { name: \"v\", value: \"web\", code: false }] [Variable { name: \"t\", value: \"1+1\", code: true }]"
    );
    assert_eq!(stage.run("path: a, directory: {jsonnet: {libs: [../out]}}"), "failed: `../out` leads out of the repository");
}

#[test]
fn a_source_that_is_only_referred_to_renders_nothing() {
    assert_eq!(Stage::default().run("ref: values"), "");
    assert_eq!(Stage::new(&[("a/pod.yaml", POD)]).run("ref: values, path: a"), "Pod a a/pod.yaml:1");
}

#[test]
fn sources_are_checked_before_anything_else() {
    let check = |source: &str, many: bool| check(&value(source).1, many).map(|reason| reason.text).unwrap_or_default();
    assert_eq!(check("{repoURL: u, path: p}", false), "");
    assert_eq!(check("{repoURL: u, ref: r}", true), "");
    assert_eq!(check("{repoURL: u, ref: r}", false), "a source needs `repoURL`, and `path` or `chart`");
    assert_eq!(check("{repoURL: u}", true), "a source needs `repoURL`, and `path`, `chart` or `ref`");
    assert_eq!(check("{path: p}", false), "a source needs `repoURL`, and `path` or `chart`");
    assert_eq!(check("{repoURL: u, chart: c}", false), "a source with `chart` needs `targetRevision`, the chart's version");
}
