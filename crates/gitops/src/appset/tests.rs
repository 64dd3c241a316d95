#![allow(clippy::panic, clippy::unwrap_used, reason = "tests")]

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use super::*;
use crate::clusters::Clusters;
use crate::renderer::{Render, SourceRequest, TemplateRequest};
use crate::repositories::Mapping;
use crate::test_text::{documents, value};

/// A double for Go's templates: it puts in `{{ .a.b }}` and knows `missingkey=error`, and nothing else.
pub(crate) struct Dots;

impl Renderer for Dots {
    fn render(&self, _: &SourceRequest<'_>) -> Render {
        Render::Deferred("the double renders nothing".to_owned())
    }

    fn fill(&self, request: &TemplateRequest<'_>) -> Result<Vec<Result<String, String>>, String> {
        let fail_on_missing =
            request.options.iter().rev().find(|option| option.starts_with("missingkey=")).is_some_and(|o| o == "missingkey=error");
        let values = serde_json::Value::Object(request.parameters.clone());
        let fill = |text: &&str| {
            let mut out = String::new();
            let mut rest = *text;
            while let Some((before, after)) = rest.split_once("{{") {
                let (tag, after) = after.split_once("}}").ok_or("unclosed action")?;
                let path = tag.trim().strip_prefix('.').ok_or("the double only knows paths")?;
                out.push_str(before);
                match values.pointer(&format!("/{}", path.replace('.', "/"))) {
                    Some(value) => out.push_str(&crate::parameters::display(value)),
                    None if fail_on_missing => return Err(format!("map has no entry for key \"{path}\"")),
                    None => out.push_str("<no value>"),
                }
                rest = after;
            }
            out.push_str(rest);
            Ok(out)
        };
        Ok(request.texts.iter().map(fill).collect())
    }
}

#[derive(Default)]
struct Stage {
    files: Vec<(&'static str, &'static str)>,
    clusters: Clusters,
    fixtures: Fixtures,
    settings: Settings,
    limits: Limits,
}

impl Stage {
    /// The state, and a line for each Application: its name, and what `show` says of it.
    fn run(&self, set: &str, show: impl Fn(&Value) -> String) -> String {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in &self.files {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let mapping = Mapping {
            url: "https://git.example/team/repo".to_owned(),
            revision: None,
            path: folder.path().to_owned(),
            shown: String::new(),
        };
        let repositories = Repositories::open(folder.path(), "", &[mapping], &[], &self.limits).unwrap();
        let around = Surroundings {
            repositories: &repositories,
            clusters: &self.clusters,
            fixtures: &self.fixtures,
            settings: &self.settings,
            renderer: &Dots,
            limits: &self.limits,
        };
        let generated = generate(&value(set).1, "argocd", around);
        let mut out = match &generated.state {
            SetState::Resolved => "resolved".to_owned(),
            SetState::FromFixture => "from fixture".to_owned(),
            SetState::Partial(reasons) => format!("partial: {}", join(reasons)),
            SetState::Deferred(reasons) => format!("deferred: {}", join(reasons)),
            SetState::Failed(reason) => format!("failed: {}", reason.text),
        };
        for note in &generated.notes {
            write!(out, "\nnote: {}", note.text).unwrap();
        }
        for (application, wrong) in &generated.applications {
            let name = application.at(&["metadata", "name"]).and_then(Value::as_str).unwrap_or("?");
            write!(out, "\n{name} {}", show(application)).unwrap();
            if let Some(wrong) = wrong {
                write!(out, " ({})", wrong.text).unwrap();
            }
        }
        out
    }

    /// [`Stage::run`] with the path of the source.
    fn paths(&self, generators: &str, rest: &str) -> String {
        let set = format!(
            "{{metadata: {{name: set}}, spec: {{generators: {generators}, template: {{metadata: {{name: '{{{{ name }}}}'}}, spec: {{source: {{path: '{{{{ path }}}}'}}}}}}{rest}}}}}"
        );
        self.run(&set, path)
    }

    /// The same with Go's templates.
    fn go_paths(&self, generators: &str, rest: &str) -> String {
        let set = format!(
            "{{metadata: {{name: set}}, spec: {{goTemplate: true, generators: {generators}, template: {{metadata: {{name: '{{{{ .name }}}}'}}, spec: {{source: {{path: '{{{{ .path }}}}'}}}}}}{rest}}}}}"
        );
        self.run(&set, path)
    }
}

fn path(application: &Value) -> String {
    application.at(&["spec", "source", "path"]).and_then(Value::as_str).unwrap_or("-").to_owned()
}

fn join(reasons: &[Reason]) -> String {
    reasons.iter().map(|reason| reason.text.as_str()).collect::<Vec<_>>().join("; ")
}

fn clusters(text: &str) -> Clusters {
    Clusters::read(&documents(text)).unwrap()
}

fn whole(application: &Value) -> String {
    application.to_json().to_string()
}

#[test]
fn a_list_is_flat_without_go_templates() {
    let stage = Stage::default();
    assert_eq!(stage.paths("[{list: {elements: [{name: a, path: p}, {name: b, values: {x: word}}]}}]", ""), "resolved\na p\nb {{ path }}");
    assert_eq!(
        stage.paths("[{list: {elements: [{name: a, path: 5}]}}]", ""),
        "failed: `path` is a number and must be a string, without `goTemplate: true`"
    );
    assert_eq!(
        stage.paths("[{list: {elements: [{name: a, values: {x: true}}]}}]", ""),
        "failed: `values.x` is a boolean and must be a string, without `goTemplate: true`"
    );
    assert_eq!(stage.go_paths("[{list: {elements: [{name: a, path: 5}, {name: b}]}}]", ""), "resolved\na 5\nb <no value>");
    assert_eq!(
        stage.go_paths("[{list: {elements: [{name: a}]}}]", ", goTemplateOptions: ['missingkey=error']"),
        "failed: map has no entry for key \"path\""
    );
}

#[test]
fn elements_in_a_text_follow_the_others() {
    let stage = Stage::default();
    let generators = "[{list: {elements: [{name: a, path: p}], elementsYaml: '[{name: b, path: q}, {name: c, path: 7}]'}}]";
    assert_eq!(stage.paths(generators, ""), "resolved\na p\nb q\nc {{ path }}");
    assert_eq!(stage.paths("[{list: {elementsYaml: '{a: b}'}}]", ""), "failed: `elementsYaml` is a map and must be a list of maps");
    assert_eq!(stage.paths("[{list: {elementsYaml: '# nothing'}}]", ""), "resolved");
}

#[test]
fn a_set_without_parameters_is_its_template() {
    let set = "{spec: {generators: [{list: {elements: [{}]}}], template: {metadata: {name: a}, spec: {project: '{{ p }}'}}}}";
    assert_eq!(
        Stage::default().run(set, whole),
        r#"resolved
a {"apiVersion":"argoproj.io/v1alpha1","kind":"Application","metadata":{"name":"a","namespace":"argocd"},"spec":{"project":"{{ p }}"}}"#
    );
}

#[test]
fn an_application_gets_a_finalizer_and_the_sets_namespace() {
    let run = |rest: &str| {
        let set = format!(
            "{{spec: {{generators: [{{list: {{elements: [{{id: a}}]}}}}], template: {{metadata: {{name: '{{{{id}}}}', namespace: other, unknown: x}}, spec: {{project: p}}}}{rest}}}}}"
        );
        Stage::default().run(&set, |application| application.get("metadata").unwrap().to_json().to_string())
    };
    let with = r#"resolved
a {"finalizers":["resources-finalizer.argocd.argoproj.io"],"name":"a","namespace":"argocd"}"#;
    assert_eq!(run(""), with);
    assert_eq!(run(", syncPolicy: {preserveResourcesOnDeletion: false}"), with);
    assert_eq!(run(", syncPolicy: {preserveResourcesOnDeletion: true}"), "resolved\na {\"name\":\"a\",\"namespace\":\"argocd\"}");
}

#[test]
fn names_are_needed_and_unique() {
    assert_eq!(
        Stage::default().paths("[{list: {elements: [{name: a, path: p}, {name: a, path: q}, {name: '', path: r}]}}]", ""),
        "resolved\na p\na q (another Application of the set is called `a`, too)\n r (an Application of the set has no name)"
    );
}

const REPOSITORY: &[(&str, &str)] = &[
    ("apps/a/x.yaml", ""),
    ("apps/B_c/x.yaml", ""),
    ("apps/b/deep/x.yaml", ""),
    ("apps/.hidden/x.yaml", ""),
    ("config/one.json", r#"{"name": "one", "cluster": {"address": "10.0.0.1", "port": 1048576}, "list": ["x"]}"#),
    ("config/two.yaml", "- name: two\n- name: three\n"),
    ("config/empty.yaml", ""),
    ("config/.hidden/four.yaml", "name: four\n"),
];

fn repository() -> Stage {
    Stage { files: REPOSITORY.to_vec(), ..Stage::default() }
}

fn git(rest: &str) -> String {
    format!("[{{git: {{repoURL: 'https://git.example/team/repo.git', revision: HEAD, {rest}}}}}]")
}

fn git_set(go: bool, rest: &str, template: &str) -> String {
    format!("{{spec: {{goTemplate: {go}, generators: {}, template: {{metadata: {{name: '{template}'}}}}}}}}", git(rest))
}

fn names(stage: &Stage, set: &str) -> String {
    stage.run(set, |_| String::new())
}

#[test]
fn folders_are_matched_and_hidden_ones_left_out() {
    let stage = repository();
    let name = "{{path}} {{path.basename}} {{path.basenameNormalized}} {{path[0]}} {{path[1]}}";
    assert_eq!(
        names(&stage, &git_set(false, "directories: [{path: 'apps/*'}]", name)),
        "resolved\napps/B_c B_c b-c apps B_c \napps/a a a apps a \napps/b b b apps b "
    );
    // What is excluded stays out, whatever includes it.
    assert_eq!(
        names(&stage, &git_set(false, "directories: [{path: apps/b, exclude: true}, {path: 'apps/*'}, {path: 'apps/*/*'}]", "{{path}}")),
        "resolved\napps/B_c \napps/a \napps/b/deep "
    );
    assert_eq!(names(&stage, &git_set(false, "directories: [{path: 'apps/['}]", "{{path}}")), "resolved");
    let hidden = Stage { settings: Settings { hidden_directories: true, ..Settings::default() }, ..repository() };
    assert_eq!(names(&hidden, &git_set(false, "directories: [{path: 'apps/.*'}]", "{{path}}")), "resolved\napps/.hidden ");
    let name = "{{ .path.path }} {{ .path.basename }} {{ .path.basenameNormalized }} {{ .path.segments }}";
    assert_eq!(names(&stage, &git_set(true, "directories: [{path: apps/B_c}]", name)), "resolved\napps/B_c B_c b-c [apps B_c] ");
    assert_eq!(
        names(
            &stage,
            &git_set(false, "pathParamPrefix: my, directories: [{path: apps/a}]", "{{my.path}} {{my.path.basename}} {{my.path[1]}}")
        ),
        "resolved\napps/a a a "
    );
    assert_eq!(
        names(&stage, &git_set(true, "pathParamPrefix: my, directories: [{path: apps/a}]", "{{ .my.path.path }}")),
        "resolved\napps/a "
    );
}

#[test]
fn folders_win_over_files() {
    let set = git_set(false, "directories: [{path: apps/a}], files: [{path: config/one.json}]", "{{path}}");
    assert_eq!(names(&repository(), &set), "resolved\napps/a ");
    assert_eq!(names(&repository(), &git_set(false, "", "{{path}}")), "failed: a git generator needs `directories` or `files`");
}

#[test]
fn files_are_read_and_stars_cross_folders() {
    let stage = repository();
    let name = "{{name}} {{path}} {{path.basename}} {{path.filename}} {{path.filenameNormalized}} {{cluster.port}} {{list.0}}";
    assert_eq!(
        names(&stage, &git_set(false, "files: [{path: '*.json'}]", name)),
        "resolved\none config config one.json one.json 1.048576e+06 x "
    );
    assert_eq!(
        names(&stage, &git_set(false, "files: [{path: 'config/*'}, {path: config/one.json, exclude: true}]", "{{name}} {{path}}")),
        "resolved\nfour config/.hidden \n{{name}} config \ntwo config \nthree config "
    );
    let name = "{{ .name }} {{ .path.path }} {{ .path.filename }} {{ .cluster.port }}";
    assert_eq!(names(&stage, &git_set(true, "files: [{path: config/one.json}]", name)), "resolved\none config one.json 1.048576e+06 ");
    let new = Stage { settings: Settings { new_file_globbing: true, ..Settings::default() }, ..repository() };
    assert_eq!(names(&new, &git_set(false, "files: [{path: 'config/*.yaml'}]", "{{name}}")), "resolved\n{{name}} \ntwo \nthree ");
    assert_eq!(names(&new, &git_set(false, "files: [{path: '**/four.yaml'}]", "{{name}}")), "resolved\nfour ");
}

#[test]
fn files_that_hold_no_parameters_fail_the_set() {
    let stage = |text| Stage { files: vec![("f.yaml", text)], ..Stage::default() };
    let set = git_set(false, "files: [{path: f.yaml}]", "{{name}}");
    assert_eq!(names(&stage("text"), &set), "failed: `f.yaml` is a string and must be a map or a list of maps");
    assert_eq!(names(&stage("[1]"), &set), "failed: `f.yaml` has something in its list that is no map");
    assert!(names(&stage("a: [b\n"), &set).starts_with("failed: `f.yaml` is neither YAML nor JSON: "));
    assert_eq!(
        names(&stage(""), &git_set(false, "files: [{path: ':(glob)f.yaml'}]", "{{name}}")),
        "deferred: not a pattern: words of Git at the beginning of a pathspec (`:(…)`, `:!`) are not read here"
    );
}

#[test]
#[cfg(unix)]
fn a_link_out_of_the_repository_is_not_read() {
    let outside = tempfile::tempdir().unwrap();
    fs::write(outside.path().join("secret.yaml"), "name: secret").unwrap();
    let folder = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink(outside.path().join("secret.yaml"), folder.path().join("f.yaml")).unwrap();
    let limits = Limits::default();
    let mapping = Mapping { url: "https://git.example/r".to_owned(), revision: None, path: folder.path().to_owned(), shown: String::new() };
    let repositories = Repositories::open(folder.path(), "", &[mapping], &[], &limits).unwrap();
    let (clusters, fixtures, settings) = (Clusters::default(), Fixtures::default(), Settings::default());
    let around = Surroundings {
        repositories: &repositories,
        clusters: &clusters,
        fixtures: &fixtures,
        settings: &settings,
        renderer: &Dots,
        limits: &limits,
    };
    let set = "{spec: {generators: [{git: {repoURL: 'https://git.example/r', revision: HEAD, files: [{path: f.yaml}]}}], template: {metadata: {name: '{{name}}'}}}}";
    let SetState::Failed(reason) = generate(&value(set).1, "argocd", around).state else { panic!("it failed") };
    assert_eq!(reason.text, "`f.yaml` leads out of the repository");
}

#[test]
fn another_repository_or_revision_is_deferred() {
    let stage = Stage::default();
    let set = |url: &str| {
        format!("{{spec: {{generators: [{{git: {{repoURL: '{url}', revision: v1, directories: [{{path: '*'}}]}}}}], template: {{}}}}}}")
    };
    assert_eq!(
        names(&stage, &set("https://me:secret@git.example/other")),
        "deferred: repository `https://git.example/other` is not here: map it with `--repo https://git.example/other=PATH`"
    );
}

#[test]
fn values_are_parameters_too() {
    let stage = repository();
    let values = "directories: [{path: apps/a}], values: {kind: 'app-{{path.basename}}', other: '{{values.kind}}'}";
    assert_eq!(names(&stage, &git_set(false, values, "{{values.kind}} {{values.other}}")), "resolved\napp-a {{values.kind}} ");
    let values = "directories: [{path: apps/a}], values: {kind: 'app-{{ .path.basename }}'}";
    assert_eq!(names(&stage, &git_set(true, values, "{{ .values.kind }}")), "resolved\napp-a ");
}

const CLUSTERS: &str = "clusters:\n- {name: Prod_1, server: 'https://prod.example', project: shop, labels: {tier: prod, a.example/x: word}, annotations: {team: web, argocd.argoproj.io/refresh: hard}}\n- {name: dev, server: 'https://dev.example', labels: {tier: dev}}\n";

#[test]
fn clusters_are_selected_by_their_labels() {
    let stage = Stage { clusters: clusters(CLUSTERS), ..Stage::default() };
    let set = |go: bool, rest: &str, name: &str| {
        format!("{{spec: {{goTemplate: {go}, generators: [{{clusters: {{{rest}}}}}], template: {{metadata: {{name: '{name}'}}}}}}}}")
    };
    let name = "{{name}} {{nameNormalized}} {{server}} {{project}} {{metadata.labels.tier}} {{metadata.annotations.team}}";
    assert_eq!(
        names(&stage, &set(false, "", name)),
        "resolved\nProd_1 prod-1 https://prod.example shop prod web \n\
         dev dev https://dev.example  dev {{metadata.annotations.team}} \n\
         in-cluster in-cluster https://kubernetes.default.svc  {{metadata.labels.tier}} {{metadata.annotations.team}} "
    );
    // A selector leaves out the cluster that Argo CD runs in: it has no labels.
    assert_eq!(names(&stage, &set(false, "selector: {matchLabels: {tier: dev}}", "{{name}}")), "resolved\ndev ");
    assert_eq!(
        names(&stage, &set(false, "selector: {matchExpressions: [{key: tier, operator: NotIn, values: [dev]}]}", "{{name}}")),
        "resolved\nProd_1 "
    );
    let name = "{{ .name }} {{ .metadata.labels.tier }} {{ .metadata.annotations }} {{ .values.v }}";
    assert_eq!(
        names(&stage, &set(true, "selector: {matchLabels: {tier: prod}}, values: {v: '{{ .name }}!'}", name)),
        "resolved\nProd_1 prod map[team:web] Prod_1! "
    );
    assert_eq!(
        names(&stage, &set(true, "flatList: true", "{{ .clusters.0.name }}-{{ .clusters.2.name }}")),
        "resolved\nProd_1-in-cluster "
    );
}

#[test]
fn a_secret_of_the_cluster_itself_stands_for_it() {
    let stage = Stage { clusters: clusters("clusters: [{name: here, server: 'https://kubernetes.default.svc'}]"), ..Stage::default() };
    assert_eq!(stage.paths("[{clusters: {}}]", ""), "resolved\nhere {{ path }}");
}

#[test]
fn unknown_clusters_are_deferred() {
    let stage = Stage::default();
    assert_eq!(
        stage.paths("[{clusters: {}}, {list: {elements: [{name: a, path: p}]}}]", ""),
        "partial: which clusters there are is not in the repository: list them in a file, `--clusters FILE`\na p"
    );
}

#[test]
fn a_matrix_has_every_pair() {
    let stage = repository();
    let list = |elements: &str| format!("{{list: {{elements: [{elements}]}}}}");
    let one = list("{name: a, x: '1'}, {name: b, x: '2'}");
    assert_eq!(
        stage.paths(&format!("[{{matrix: {{generators: [{one}, {}]}}}}]", list("{path: 'p-{{name}}'}, {path: q}")), ""),
        "resolved\na p-a\na q (another Application of the set is called `a`, too)\nb p-b\nb q (another Application of the set is called `b`, too)"
    );
    assert_eq!(
        stage.paths(&format!("[{{matrix: {{generators: [{one}, {}]}}}}]", list("{path: p, x: '1'}")), ""),
        "failed: both generators give `x`: `2` and `1` (a git generator's `pathParamPrefix` keeps paths apart)"
    );
    // With Go's templates the first one wins, and maps are merged.
    let one = list("{name: a, m: {x: '1', yy: '1'}}");
    let two = list("{name: other, path: '{{ .m.x }}', m: {yy: '2', z: '2'}}");
    let set = format!(
        "{{spec: {{goTemplate: true, generators: [{{matrix: {{generators: [{one}, {two}]}}}}], template: {{metadata: {{name: '{{{{ .name }}}} {{{{ .path }}}} {{{{ .m }}}}'}}}}}}}}"
    );
    assert_eq!(names(&stage, &set), "resolved\na 1 map[x:1 yy:1 z:2] ");
    for (generators, expected) in [
        ("", "failed: a matrix has two generators, this one 0"),
        ("{list: {elements: []}}", "failed: a matrix has two generators, this one 1"),
        ("{}, {}", "failed: there is no such generator here"),
        ("{list: {elements: []}, clusters: {}}, {}", "failed: one entry is several generators: list, clusters"),
    ] {
        assert_eq!(stage.paths(&format!("[{{matrix: {{generators: [{generators}]}}}}]"), ""), expected);
    }
}

#[test]
fn two_git_generators_in_a_matrix_need_a_prefix() {
    let stage = repository();
    let git = |rest: &str| format!("{{git: {{repoURL: 'https://git.example/team/repo', revision: HEAD, {rest}}}}}");
    let matrix = |one: &str, two: &str| {
        let set = format!(
            "{{spec: {{generators: [{{matrix: {{generators: [{}, {}]}}}}], template: {{metadata: {{name: '{{{{path}}}} {{{{my.path}}}}'}}}}}}}}",
            git(one),
            git(two)
        );
        names(&stage, &set)
    };
    let clash = matrix("directories: [{path: apps/a}]", "directories: [{path: apps/b}]");
    assert!(clash.starts_with("failed: both generators give `path"), "{clash}");
    assert_eq!(
        matrix("directories: [{path: apps/a}]", "pathParamPrefix: my, directories: [{path: '{{path[0]}}/b'}]"),
        "resolved\napps/a apps/b "
    );
}

#[test]
fn matrices_nest_once() {
    let stage = Stage::default();
    let inner = "{matrix: {generators: [{list: {elements: [{name: a}]}}, {list: {elements: [{path: p}]}}]}}";
    assert_eq!(stage.paths(&format!("[{{matrix: {{generators: [{inner}, {{list: {{elements: [{{z: z}}]}}}}]}}}}]"), ""), "resolved\na p");
    let deeper = format!("{{matrix: {{generators: [{inner}, {{list: {{elements: [{{z: z}}]}}}}]}}}}");
    assert_eq!(
        stage.paths(&format!("[{{matrix: {{generators: [{deeper}, {{list: {{elements: [{{yes: word}}]}}}}]}}}}]"), ""),
        "failed: there is no such generator here: no matrix and no merge in one that is in another"
    );
}

#[test]
fn a_matrix_bomb_stops_at_the_limit() {
    let elements: String = (0..200).map(|n| format!("{{a{n}: x}},")).collect();
    let list = format!("{{list: {{elements: [{elements}]}}}}");
    let bomb = format!("[{{matrix: {{generators: [{{matrix: {{generators: [{list}, {list}]}}}}, {list}]}}}}]");
    let stage = Stage { limits: Limits { parameter_sets: 1000, ..Limits::default() }, ..Stage::default() };
    assert_eq!(stage.paths(&bomb, ""), "deferred: the generators make more than 1000 sets of parameters");
}

#[test]
fn a_merge_changes_sets_with_the_same_keys() {
    let stage = Stage::default();
    let list = |elements: &str| format!("{{list: {{elements: [{elements}]}}}}");
    let merge = |keys: &str, lists: &[String]| format!("[{{merge: {{mergeKeys: {keys}, generators: [{}]}}}}]", lists.join(", "));
    let base = list("{name: a, path: p}, {name: b, path: p}");
    assert_eq!(stage.paths(&merge("[name]", &[base.clone(), list("{name: b, path: q}, {name: c, path: r}")]), ""), "resolved\na p\nb q");
    assert_eq!(
        stage.paths(&merge("[name]", &[base.clone(), list("{name: b, path: q}"), list("{name: b, path: r}")]), ""),
        "resolved\na p\nb r"
    );
    // A key that all lack is the same for all.
    assert_eq!(
        stage.paths(&merge("[nope]", &[base.clone(), list("{path: q}")]), ""),
        "failed: two sets of parameters of one generator have the merge keys `{\"nope\":null}`"
    );
    assert_eq!(
        stage.paths(&merge("[name]", &[base.clone(), list("{name: b, path: q}, {name: b, path: r}")]), ""),
        "failed: two sets of parameters of one generator have the merge keys `{\"name\":\"b\"}`"
    );
    assert_eq!(stage.paths(&merge("[]", &[base.clone(), base.clone()]), ""), "failed: a merge needs `mergeKeys`");
    assert_eq!(stage.paths(&merge("[name]", std::slice::from_ref(&base)), ""), "failed: a merge has at least two generators, this one 1");
    let deep = format!(
        "{{spec: {{goTemplate: true, generators: {}, template: {{metadata: {{name: '{{{{ .k }}}} {{{{ .m }}}}'}}}}}}}}",
        merge("[k]", &[list("{k: a, m: {x: 1, yy: 1}}"), list("{k: a, m: {yy: 2}}")])
    );
    assert_eq!(names(&stage, &deep), "resolved\na map[x:1 yy:2] ");
}

#[test]
fn a_selector_picks_among_what_was_generated() {
    let stage = Stage::default();
    assert_eq!(
        stage.paths("[{list: {elements: [{name: a, path: p}, {name: b, path: q}]}, selector: {matchLabels: {name: b}}}]", ""),
        "resolved\nb q"
    );
    assert_eq!(
        stage
            .go_paths("[{list: {elements: [{name: a, path: p, m: {k: 1}}, {name: b, path: q}]}, selector: {matchLabels: {m.k: '1'}}}]", ""),
        "resolved\na p"
    );
    // Inside of a matrix, too.
    assert_eq!(
        stage.paths("[{matrix: {generators: [{list: {elements: [{name: a}, {name: b}]}, selector: {matchLabels: {name: a}}}, {list: {elements: [{path: p}]}}]}}]", ""),
        "resolved\na p"
    );
}

#[test]
fn a_generators_template_goes_first() {
    let set = "{spec: {generators: [{list: {elements: [{id: a}], template: {metadata: {}, spec: {project: own, source: {path: own}}}}}, {list: {elements: [{id: b}]}}], template: {metadata: {name: '{{id}}'}, spec: {project: shared, source: {path: shared, repoURL: r}}}}}";
    let show = |application: &Value| application.get("spec").unwrap().to_json().to_string();
    assert_eq!(
        Stage::default().run(set, show),
        "resolved\na {\"project\":\"own\",\"source\":{\"path\":\"own\",\"repoURL\":\"r\"}}\nb {\"project\":\"shared\",\"source\":{\"path\":\"shared\",\"repoURL\":\"r\"}}"
    );
}

#[test]
fn a_patch_is_filled_in_and_merged() {
    let run = |patch: &str| {
        let set = format!(
            "spec:\n  generators: [{{list: {{elements: [{{id: a, prune: 'true'}}]}}}}]\n  template: {{metadata: {{name: '{{{{id}}}}'}}, spec: {{project: p, source: {{path: x}}}}}}\n  templatePatch: |\n{}",
            patch.lines().map(|line| format!("    {line}\n")).collect::<String>()
        );
        Stage::default().run(&set, |application| application.get("spec").unwrap().to_json().to_string())
    };
    assert_eq!(
        run(
            "spec:\n  project: other\n  source:\n    helm:\n      valueFiles: ['{{id}}.yaml']\n  syncPolicy:\n    automated:\n      prune: {{prune}}"
        ),
        "resolved\na {\"project\":\"p\",\"source\":{\"helm\":{\"valueFiles\":[\"a.yaml\"]},\"path\":\"x\"},\"syncPolicy\":{\"automated\":{\"prune\":true}}}"
    );
    // `spec:` with nothing in it takes everything away but the project.
    assert_eq!(run("spec:"), "resolved\na {\"project\":\"p\"}");
    assert_eq!(run("# nothing"), "resolved\na {\"project\":\"p\",\"source\":{\"path\":\"x\"}}");
    assert_eq!(
        run("spec: {syncPolicy: {automated: {prune: yes please}}}"),
        "failed: in `templatePatch`, `spec.syncPolicy.automated.prune` is a string and must be a boolean"
    );
    assert_eq!(run("- a"), "failed: `templatePatch` is a list and must be a map");
    assert!(run("a: [b").starts_with("failed: line "), "{}", run("a: [b"));
    // In JSON, too.
    assert_eq!(run("{\"spec\": {\"source\": {\"path\": \"{{id}}\"}}}"), "resolved\na {\"project\":\"p\",\"source\":{\"path\":\"a\"}}");
}

#[test]
fn keys_are_templates_too_and_nulls_are_lost() {
    let set = "{spec: {generators: [{list: {elements: [{id: a}]}}], template: {metadata: {name: x, labels: {'{{id}}': '{{id}}'}}, spec: {source: {helm: {valuesObject: {'k-{{id}}': {deep: ['{{id}}', 5]}, gone: null}}}}}}}";
    assert_eq!(
        Stage::default().run(set, whole),
        r#"resolved
x {"apiVersion":"argoproj.io/v1alpha1","kind":"Application","metadata":{"finalizers":["resources-finalizer.argocd.argoproj.io"],"labels":{"a":"a"},"name":"x","namespace":"argocd"},"spec":{"source":{"helm":{"valuesObject":{"k-a":{"deep":["a",5]}}}}}}"#
    );
}

#[test]
fn values_of_the_second_generator_wait_for_its_own_parameters() {
    let stage = repository();
    // `.path` comes from the second generator, `.name` from the first.
    let set = "{spec: {goTemplate: true, generators: [{matrix: {generators: [{list: {elements: [{name: a}]}}, {git: {repoURL: 'https://git.example/team/repo', revision: HEAD, directories: [{path: apps/b}], values: {one: '{{ .name }}', two: '{{ .path.basename }}'}}}]}}], template: {metadata: {name: '{{ .values.one }} {{ .values.two }}'}}}}";
    assert_eq!(names(&stage, set), "resolved\na b ");
}

#[test]
fn what_services_find_is_read_from_fixtures() {
    let text = "generators:\n- applicationSet: set\n  generator: pullRequest\n  found: [{number: 7, title: T, branch: Feature/X_y, target_branch: main, head_sha: 0123456789abcdef, author: me, labels: [l]}]\n- applicationSet: set\n  generator: scmProvider\n  found: [{organization: o, repository: r, url: u, branch: Main_x, sha: 0123456789abcdef, labels: [a, b]}]\n- applicationSet: set\n  generator: plugin\n  found: [{k: {num: 5}}]\n- applicationSet: set\n  generator: clusterDecisionResource\n  matchKey: clusterName\n  found: [{clusterName: dev, extra: 1}, {clusterName: nobody}, {other: x}]\n";
    let stage = Stage { clusters: clusters(CLUSTERS), fixtures: Fixtures::read(&value(text).0).unwrap(), ..Stage::default() };
    let run = |go: bool, generator: &str, name: &str| {
        names(
            &stage,
            &format!(
                "{{metadata: {{name: set}}, spec: {{goTemplate: {go}, generators: [{{{generator}}}], template: {{metadata: {{name: '{name}'}}}}}}}}"
            ),
        )
    };
    assert_eq!(
        run(
            false,
            "pullRequest: {values: {v: '{{number}}!'}}",
            "{{number}} {{branch_slug}} {{target_branch_slug}} {{head_short_sha}} {{head_short_sha_7}} {{values.v}} {{labels}}"
        ),
        "from fixture\n7 feature-x-y main 01234567 0123456 7! {{labels}} "
    );
    assert_eq!(run(true, "pullRequest: {}", "{{ .labels }}"), "from fixture\n[l] ");
    assert_eq!(
        run(
            false,
            "scmProvider: {}",
            "{{organization}}/{{repository}} {{branchNormalized}} {{short_sha}} {{short_sha_7}} {{labels}} {{repository_id}}"
        ),
        "from fixture\no/r main-x 01234567 0123456 a,b {{repository_id}} "
    );
    assert_eq!(run(false, "plugin: {input: {parameters: {p: q}}}", "{{k.num}}"), "from fixture\n5 ");
    assert_eq!(
        run(true, "plugin: {input: {parameters: {p: q}}}", "{{ .k.num }} {{ .generator.input.parameters.p }}"),
        "from fixture\n5 q "
    );
    assert_eq!(
        run(
            false,
            "clusterDecisionResource: {configMapRef: c, values: {v: w}}",
            "{{name}} {{server}} {{clusterName}} {{extra}} {{values.v}}"
        ),
        "from fixture\ndev https://dev.example dev 1 w "
    );
    assert_eq!(
        names(&Stage::default(), "{metadata: {name: set}, spec: {generators: [{scmProvider: {}}], template: {}}}"),
        "deferred: what `scmProvider` finds is known to a service only: say it in the file of `--generators`"
    );
}

#[test]
fn unknown_generators_are_only_noted() {
    let run = Stage::default().paths("[{lists: {}}, {list: {elements: [{name: a, path: p}]}}]", "");
    assert!(run.starts_with("resolved\nnote: there is no such generator: list, clusters, "), "{run}");
    assert!(run.ends_with("\na p"), "{run}");
}

#[test]
fn fields_of_another_type_fail_the_set() {
    let stage = Stage::default();
    assert_eq!(names(&stage, "{spec: {generators: {}, template: {}}}"), "failed: `spec.generators` is a map and must be a list");
    assert_eq!(names(&stage, "{metadata: {name: a}}"), "failed: there is no `spec`");
    assert_eq!(stage.paths("[{git: {repoURL: 5}}]", ""), "failed: `git.repoURL` is a number and must be a string");
}

#[test]
fn generated_values_keep_their_places() {
    let text = "spec:\n  generators:\n  - list:\n      elements:\n      - {name: a}\n  template:\n    metadata:\n      name: '{{name}}'\n    spec:\n      source:\n        path: apps/{{name}}\n  templatePatch: |\n    spec: {project: x, source: {repoURL: r}}\n";
    let folder = tempfile::tempdir().unwrap();
    let limits = Limits::default();
    let repositories = Repositories::open(Path::new(folder.path()), "", &[], &[], &limits).unwrap();
    let (clusters, fixtures, settings) = (Clusters::default(), Fixtures::default(), Settings::default());
    let around = Surroundings {
        repositories: &repositories,
        clusters: &clusters,
        fixtures: &fixtures,
        settings: &settings,
        renderer: &Dots,
        limits: &limits,
    };
    let (document, set) = value(text);
    let generated = generate(&set, "argocd", around);
    let (application, _) = generated.applications.first().unwrap();
    let place = |keys: &[&str]| application.at(keys).unwrap().place.clone();
    let root = crate::place::Place::root(&document);
    assert_eq!(place(&["metadata", "name"]).pointer_from(&root), "/spec/template/metadata/name");
    assert_eq!(place(&["spec", "source", "path"]).position().line, 11);
    assert_eq!(place(&["spec", "source", "repoURL"]).pointer_from(&root), "/spec/templatePatch");
}
