//! Where what is found in a render comes from: the lines of values, patches and templates that a person edits.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

mod common;

use std::path::Path;
use std::process::Command;

use common::{run, write};

/// The findings of a run about that label.
fn found(folder: &Path, args: &[&str]) -> Vec<serde_json::Value> {
    let (out, err, _) = run(folder, &[args, &["--format", "json"]].concat());
    let said: serde_json::Value = serde_json::from_str(&out).unwrap_or_else(|_| panic!("{out}{err}"));
    let findings = said["findings"].as_array().unwrap().iter();
    findings.filter(|finding| finding["rule"] == "wrong-azure-label-value").cloned().collect()
}

fn text(value: &serde_json::Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn place(location: &serde_json::Value) -> String {
    format!("{}:{}", text(&location["file"]), location["line"])
}

/// For each object, where its value is set.
fn set(folder: &Path, args: &[&str]) -> Vec<String> {
    let line = |finding: &serde_json::Value| {
        let related = finding["related"].as_array().into_iter().flatten();
        let values = related.filter(|related| text(&related["message"]).ends_with(" is set here"));
        let values: Vec<String> = values.map(|related| format!("{} {}", place(related), text(&related["message"]))).collect();
        format!("{}: {}", text(&finding["object"]["name"]), values.join(", "))
    };
    let mut lines: Vec<String> = found(folder, args).iter().map(line).collect();
    lines.sort();
    lines
}

fn chart(folder: &Path, at: &str, name: &str, more: &str, values: &str, template: &str) {
    write(folder, &format!("{at}/Chart.yaml"), &format!("apiVersion: v2\nname: {name}\nversion: 1.0.0\n{more}"));
    write(folder, &format!("{at}/values.yaml"), values);
    if !template.is_empty() {
        let text = common::LABELLED
            .replace("NAME", "{{ .Template.BasePath | replace \"/\" \"-\" | trimSuffix \"-templates\" }}")
            .replace("VALUE", &format!("{{{{ {template} | quote }}}}"));
        write(folder, &format!("{at}/templates/deployment.yaml"), &text);
    }
}

/// Packs a chart, and takes its folder away.
fn pack(folder: &Path, chart: &str, archive: &str) {
    let (above, name) = chart.rsplit_once('/').unwrap();
    let output = Command::new("tar").arg("-czf").arg(folder.join(archive)).arg("-C").arg(folder.join(above)).arg(name).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    std::fs::remove_dir_all(folder.join(chart)).unwrap();
}

fn application(folder: &Path, helm: &str) {
    write(
        folder,
        "apps/web.yaml",
        &format!(
            "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {{name: web, namespace: argocd}}\nspec:\n  project: default\n  destination: {{server: 'https://kubernetes.default.svc', namespace: shop}}\n  source:\n    repoURL: https://git.example/shop\n    path: web\n    helm:\n{helm}"
        ),
    );
}

const CHECK: [&str; 4] = ["check", ".", "--repo", "https://git.example/shop=."];

#[test]
fn values_of_charts_in_charts_are_on_their_lines() {
    if !common::renders() {
        return;
    }
    let place = tempfile::tempdir().unwrap();
    let folder = place.path();
    let needs = "dependencies:
  - {name: db, version: ^1, alias: main}
  - {name: db, version: ^1, alias: other}
  - {name: own, version: ^1, import-values: [{child: given, parent: taken}]}
  - {name: beside, version: ^1, repository: 'file://../beside'}
";
    let own = "main:\n  use: 'yes'\nglobal:\n  use: 'yes'\n";
    chart(folder, "web", "web", needs, own, ".Values.taken.use");
    // What is above it wins.
    chart(folder, "web/charts/db", "db", "", "use: 'true'\n", ".Values.use");
    chart(folder, "web/charts/db/charts/log", "log", "", "use: 'true'\n", "$.Values.use");
    chart(folder, "web/charts/own", "own", "", "use: 'yes'\ngiven:\n  use: 'yes'\n", ".Values.use");
    chart(folder, "web/charts/shared", "shared", "", "global: {use: 'true'}\n", ".Values.global.use");
    chart(folder, "beside", "beside", "", "use: 'true'\n", ".Values.use");
    chart(folder, "web/charts/packed", "packed", "", "use: 'true'\n", ".Values.use");
    chart(folder, "web/charts/packed/charts/inner", "inner", "", "use: 'yes'\n", ".Values.use");
    pack(folder, "web/charts/packed", "web/charts/packed-1.0.0.tgz");
    write(folder, "web/prod.yaml", "main:\n  use: 'yes'\n  log:\n    use: 'yes'\n");
    write(folder, "web/late.yaml", "other: {log: {use: 'yes'}}\n");
    application(
        folder,
        "      valueFiles: [prod.yaml, late.yaml]\n      values: |\n        beside:\n          use: 'yes'\n      parameters:\n        - name: packed.use\n          value: 'yes'\n        - {name: other.use, value: 'yes', forceString: true}\n",
    );
    let expected = [
        "web-charts-beside: apps/web.yaml:14 `beside.use` is set here",
        "web-charts-main-charts-log: web/prod.yaml:4 `main.log.use` is set here",
        "web-charts-main: web/prod.yaml:2 `main.use` is set here",
        "web-charts-other-charts-log: web/late.yaml:1 `other.log.use` is set here",
        "web-charts-other: apps/web.yaml:18 `other.use` is set here",
        "web-charts-own: web/charts/own/values.yaml:1 `own.use` is set here",
        "web-charts-packed-charts-inner: web/charts/packed-1.0.0.tgz/charts/inner/values.yaml:1 `packed.inner.use` is set here",
        "web-charts-packed: apps/web.yaml:17 `packed.use` is set here",
        "web-charts-shared: web/values.yaml:4 `global.use` is set here",
        "web: web/charts/own/values.yaml:3 `taken.use` is set here",
    ];
    assert_eq!(set(folder, &CHECK), expected);
    // What takes a value's place is not where the value is set.
    application(
        folder,
        "      valuesObject: {main: {use: 'yes', log: {use: 'yes'}}, beside: {use: 'yes'}}\n      valueFiles: [prod.yaml]\n",
    );
    let said = set(folder, &CHECK);
    assert!(said.contains(&"web-charts-main: apps/web.yaml:11 `main.use` is set here".to_owned()), "{said:?}");
    assert!(said.contains(&"web-charts-beside: apps/web.yaml:11 `beside.use` is set here".to_owned()), "{said:?}");
}

/// A finding's place, and whether a comment has it ignored.
fn places(folder: &Path, args: &[&str]) -> Vec<String> {
    let line = |finding: &serde_json::Value| {
        let ignored = if finding["suppressed"].is_null() { "" } else { " ignored" };
        format!("{}: {}{ignored}", text(&finding["object"]["name"]), place(&finding["location"]))
    };
    let mut lines: Vec<String> = found(folder, args).iter().map(line).collect();
    lines.sort();
    lines
}

fn stale(folder: &Path, args: &[&str]) -> Vec<String> {
    let (out, _, _) = run(folder, &[args, &["--format", "json"]].concat());
    let said: serde_json::Value = serde_json::from_str(&out).unwrap();
    let findings = said["findings"].as_array().unwrap().iter();
    findings.filter(|finding| finding["rule"] == "stale-ignore").map(|finding| place(&finding["location"])).collect()
}

#[test]
fn ignore_entries_beside_values_count() {
    if !common::renders() {
        return;
    }
    let place = tempfile::tempdir().unwrap();
    let folder = place.path();
    let entry = "# fedward: ignore[wrong-azure-label-value] the webhook of this cluster takes it";
    chart(folder, "web", "web", "", &format!("use: 'true' {entry}\n"), ".Values.use");
    chart(folder, "web/charts/db", "db", "", &format!("{entry}\nuse: 'yes'\n"), ".Values.use");
    chart(folder, "web/charts/log", "log", "", "use: 'yes'\n", ".Values.use");
    chart(folder, "web/charts/own", "own", "", "", ".Values.use");
    write(folder, "web/prod.yaml", &format!("use: 'yes' {entry}\n"));
    application(
        folder,
        &format!(
            "      valueFiles: [prod.yaml]\n      parameters:\n        - name: own.use\n          value: 'yes' {entry}\n        - {{name: own.other, value: 'yes'}} {entry}\n"
        ),
    );
    let template = "templates/deployment.yaml:10";
    let expected = [
        format!("web-charts-db: web/charts/db/{template} ignored"),
        format!("web-charts-log: web/charts/log/{template}"),
        format!("web-charts-own: web/charts/own/{template} ignored"),
        format!("web: web/{template} ignored"),
    ];
    assert_eq!(places(folder, &CHECK), expected);
    // What nothing that is found comes from is said.
    assert_eq!(stale(folder, &CHECK), ["apps/web.yaml:15", "web/values.yaml:1"]);
    let none = [&CHECK[..], &["--no-ignores"]].concat();
    assert!(places(folder, &none).iter().all(|line| !line.ends_with("ignored")) && stale(folder, &none).is_empty());
}

#[test]
fn documents_of_a_template_are_told_apart() {
    if !common::renders() {
        return;
    }
    let place = tempfile::tempdir().unwrap();
    let folder = place.path();
    let document = |name: &str, value: &str| {
        let name = format!("{{{{ .Release.Name }}}}-{name}");
        common::LABELLED.replace("NAME", &name).replace("VALUE", &format!("{{{{ .Values.{value} | quote }}}}"))
    };
    let entry = "# fedward: ignore[wrong-azure-label-value] the webhook of this cluster takes it";
    chart(folder, "web", "web", "", &format!("use: 'yes'\n{entry}\nuse2: 'no'\nnames: [c, d]\n"), "");
    let template = |text: &str| write(folder, "web/templates/all.yaml", text);
    application(folder, "      skipCrds: true\n");
    // Markers in actions are none, and Helm puts other kinds elsewhere.
    let service = "{{- /*\n---\n*/}}\napiVersion: v1\nkind: Service\nmetadata:\n  name: s\n---\n";
    template(&format!("{}---\n{service}{}", document("a", "use"), document("b", "use2")));
    assert_eq!(places(folder, &CHECK), ["web-a: web/templates/all.yaml:10", "web-b: web/templates/all.yaml:31 ignored"]);
    let both = ["web-a: web/values.yaml:1 `use` is set here", "web-b: web/values.yaml:3 `use2` is set here"];
    assert_eq!(set(folder, &CHECK), both);
    assert!(stale(folder, &CHECK).is_empty());
    // The lines of both are the same, and so is the value.
    template(&format!("{}---\n{}", document("a", "use2"), document("b", "use2")));
    let said: Vec<String> = found(folder, &CHECK).iter().map(place_and).collect();
    assert_eq!(said, ["web/templates/all.yaml:10 true", "web/templates/all.yaml:23 true"]);
    assert!(stale(folder, &CHECK).is_empty());
    // As many come out as there are, but one of them twice: nobody knows which.
    let own = document("{{ . }}", "use").replace(".Release", "$.Release").replace(".Values", "$.Values");
    template(&format!(
        "{{{{ if .Values.none }}}}\n{}{{{{ end }}}}\n{{{{- range .Values.names }}}}\n---\n{own}{{{{- end }}}}\n",
        document("a", "use2")
    ));
    let said: Vec<String> = found(folder, &CHECK).iter().map(place_and).collect();
    assert_eq!(said, ["web/templates/all.yaml:1 false"; 2]);
    assert_eq!(stale(folder, &CHECK), ["web/values.yaml:2"]);
    let (out, ..) = run(folder, &CHECK);
    assert!(out.contains("only the file that this comes from is known, not the line"), "{out}");
    // There is only one that it can be.
    template(&format!("{service}{{{{- range .Values.names }}}}\n---\n{own}{{{{- end }}}}\n"));
    let line = "web/templates/all.yaml:20";
    assert_eq!(places(folder, &CHECK), [format!("web-c: {line}"), format!("web-d: {line}")]);
}

/// A finding's place, and whether it is exact.
fn place_and(finding: &serde_json::Value) -> String {
    format!("{} {}", place(&finding["location"]), finding["origin"]["exact"])
}

#[test]
fn a_patch_is_named_for_the_objects_that_it_changes() {
    if !common::renders() {
        return;
    }
    let place = tempfile::tempdir().unwrap();
    let folder = place.path();
    let label = "/spec/template/metadata/labels/azure.workload.identity~1use";
    for name in ["web", "web-admin"] {
        write(folder, &format!("base/{name}.yaml"), &common::LABELLED.replace("NAME", name).replace("VALUE", "\"true\""));
    }
    write(folder, "base/kustomization.yaml", "resources: [web.yaml, web-admin.yaml]\n");
    let operation = |path: &str, value: &str| format!("- op: replace\n  path: {path}\n  value: {value}\n");
    // Each is right for one of them; the last one sets what holds it.
    write(folder, "over/web.yaml", &operation(label, "'yes'"));
    write(folder, "over/other.yaml", &operation(label, "'no'"));
    let (labels, _) = label.rsplit_once('/').unwrap();
    write(folder, "over/admin.yaml", &operation(labels, "\n    app: web\n    azure.workload.identity/use: 'on'"));
    let entry = "# fedward: ignore[wrong-azure-label-value] as the webhook has it";
    let kustomization = "resources: [../base]\nnamePrefix: own-\npatches:\n- {path: web.yaml, target: {name: web}}\n- {path: other.yaml, target: {name: we}}\n- {path: other.yaml, target: {name: web, labelSelector: app=other}}\n- {path: admin.yaml, target: {kind: Deploy.*, name: .*-admin}}\n";
    write(folder, "over/kustomization.yaml", kustomization);
    assert_eq!(places(folder, &["check", "over"]), ["own-web-admin: over/admin.yaml:5", "own-web: over/web.yaml:3"]);
    // A patch in the kustomization has lines, and entries, of its own.
    let inline = format!(
        "resources: [../base]\npatches:\n- target: {{name: web}}\n  patch: |-\n    - op: replace\n      path: {label}\n      value: 'yes' {entry}\n- patch: |-\n    apiVersion: apps/v1\n    kind: Deployment\n    metadata: {{name: web-admin, namespace: shop}}\n    spec: {{template: {{metadata: {{labels: {{azure.workload.identity/use: 'no'}}}}}}}}\n"
    );
    write(folder, "inline/kustomization.yaml", &inline);
    assert_eq!(
        places(folder, &["check", "inline"]),
        ["web-admin: inline/kustomization.yaml:12", "web: inline/kustomization.yaml:7 ignored"]
    );
    assert!(stale(folder, &["check", "inline"]).is_empty());
}

/// Where an Application fails, with who deploys it; the name of the Application is that of its folder.
fn failures(folder: &Path) -> Vec<String> {
    let (out, err, _) = run(folder, &[&CHECK[..], &["--format", "json"]].concat());
    let said: serde_json::Value = serde_json::from_str(&out).unwrap_or_else(|_| panic!("{out}{err}"));
    let findings = said["findings"].as_array().unwrap().iter().filter(|finding| finding["rule"] == "unrenderable-application");
    let line = |finding: &serde_json::Value| {
        let by = finding["origin"]["deployed_by"].as_array().into_iter().flatten().map(text).collect::<Vec<_>>().join(", ");
        format!("{} {by}", place(&finding["location"]))
    };
    let mut lines: Vec<String> = findings.map(line).collect();
    lines.sort();
    lines
}

#[test]
fn what_does_not_render_is_found_where_it_is_mended() {
    if !common::renders() {
        return;
    }
    let place = tempfile::tempdir().unwrap();
    let folder = place.path();
    let of = |name: &str, path: &str, helm: &str| {
        write(
            folder,
            &format!("apps/{name}.yaml"),
            &format!(
                "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {{name: {name}, namespace: argocd}}\nspec:\n  project: default\n  destination: {{server: 'https://kubernetes.default.svc', namespace: shop}}\n  source: {{repoURL: 'https://git.example/shop', path: {path}{helm}}}\n"
            ),
        );
    };
    let template = |name: &str, text: &str| {
        chart(folder, name, name, "", "use: 1\n", "");
        write(folder, &format!("{name}/templates/a.yaml"), text);
        of(name, name, "");
    };
    template("call", "kind: A\n\na: {{ .Values.x.y.z }}\n");
    of("call-too", "call", "");
    template("parse", "kind: A\n\na: {{ if }\n");
    template("helper", "kind: A\na: {{ include \"helper.a\" . }}\n");
    write(folder, "helper/templates/_a.tpl", "{{- define \"helper.a\" -}}\n{{ index .Values.use 1 }}\n{{- end }}\n");
    template("yaml", "kind: A\n\na: b: c\n");
    template("under", "kind: A\n");
    chart(folder, "under/charts/below", "below", "", "", "");
    write(folder, "under/charts/below/templates/a.yaml", "kind: A\na: {{ nope }}\n");
    template("schema", "kind: A\n");
    write(folder, "schema/values.schema.json", r#"{"required": ["z"]}"#);
    chart(folder, "schema/charts/below", "below", "", "o:\n  p: x\n", "");
    write(folder, "schema/charts/below/values.schema.json", r#"{"properties": {"o": {"properties": {"p": {"type": "integer"}}}}}"#);
    template("values", "kind: A\n");
    of("values", "values", ", helm: {valueFiles: [prod.yaml]}");
    write(folder, "values/prod.yaml", "a: 1\nb: c: d\n");
    let kustomization = |name: &str, text: &str| {
        write(folder, &format!("{name}/kustomization.yaml"), text);
        of(name, name, "");
    };
    kustomization("missing", "namespace: a\nresources:\n- ../base\n- gone.yaml\n");
    kustomization("keys", "configMapGenerator:\n- name: a\n  files:\n  - kustomization.yaml\n  - run.sh=gone.sh\n");
    kustomization("over-keys", "resources: [../keys]\n");
    kustomization("envs", "secretGenerator:\n- name: a\n  envs:\n  - ./gone.env\n");
    kustomization("env", "secretGenerator:\n- name: a\n  env: gone.env\n");
    kustomization("round", "resources:\n- ../round-too\n");
    write(folder, "round-too/kustomization.yaml", "resources:\n\n- ../round\n");
    kustomization("field", "resources: []\nnope: 1\n");
    kustomization("empty", "resources: [../nothing]\n");
    write(folder, "nothing/kustomization.yaml", "# nothing\n");
    kustomization("below", "resources: [../base]\n");
    write(folder, "base/kustomization.yaml", "resources: [a.yaml]\n");
    write(folder, "base/a.yaml", "kind: A\n\na: b: c\n");
    // Nobody says which file it is.
    kustomization("target", "resources: [a.yaml]\npatches: [{path: p.yaml}]\n");
    write(folder, "target/a.yaml", "apiVersion: v1\nkind: A\nmetadata: {name: a}\n");
    write(folder, "target/p.yaml", "apiVersion: v1\nkind: B\nmetadata: {name: b}\n");
    let by = |place: &str, name: &str| format!("{place} Application argocd/{name}");
    let expected = [
        "apps/target.yaml:7 ".to_owned(),
        // What several fail at is told once.
        by("base/a.yaml:3", "below, Application argocd/missing"),
        by("call/templates/a.yaml:3", "call-too, Application argocd/call"),
        by("env/kustomization.yaml:3", "env"),
        by("envs/kustomization.yaml:4", "envs"),
        by("field/kustomization.yaml:2", "field"),
        by("helper/templates/_a.tpl:2", "helper"),
        by("keys/kustomization.yaml:5", "keys"),
        by("keys/kustomization.yaml:5", "over-keys"),
        by("nothing/kustomization.yaml:1", "empty"),
        by("parse/templates/a.yaml:3", "parse"),
        by("round-too/kustomization.yaml:3", "round"),
        by("schema/charts/below/values.yaml:2", "schema"),
        by("under/charts/below/templates/a.yaml:2", "under"),
        by("values/prod.yaml:2", "values"),
        by("yaml/templates/a.yaml:1", "yaml"),
    ];
    assert_eq!(failures(folder), expected);
    write(folder, "base/a.yaml", "apiVersion: v1\nkind: A\nmetadata: {name: a}\n");
    assert!(failures(folder).contains(&by("missing/kustomization.yaml:4", "missing")), "{:?}", failures(folder));
    // Naming a chart that an Application fails at would not help.
    let (_, said, _) = run(folder, &[&CHECK[..], &["--verbose"]].concat());
    let skipped = "call/templates/a.yaml: a template of the Helm chart in `call`: Application argocd/call-too, which has it, is failed";
    let (out, ..) = run(folder, &[&CHECK[..], &["--verbose"]].concat());
    assert!(out.contains(skipped), "{out}{said}");
    // A folder by itself.
    let (out, _, _) = run(folder, &["check", "call"]);
    assert!(out.contains("--> call/templates/a.yaml:3:1"), "{out}");
}
