//! What a case names and nobody can use: it proves nothing, and no case passes because of it.

use fedward_policytest::{CaseFile, Counts, Verdict, human, json, junit};

use crate::{FILE, Memory, TILL, guest, read, run, says, suite, told};

/// What comes of a case on these files.
fn with(files: &[(&str, &str)], policy: &str, fields: &str, expect: &str) -> Vec<String> {
    told(&run(&[read(&suite(policy, fields, &[expect]))], &Memory::with(files)))
}

const REQUEST: &str = "{uid: \"1\", operation: CREATE, kind: {group: '', version: v1, kind: ConfigMap}, resource: {group: '', version: v1, resource: configmaps}, name: till, namespace: shop, userInfo: {username: ada, groups: [dev]}, object: {apiVersion: v1, kind: ConfigMap, metadata: {name: till}}}";

#[test]
fn a_request_is_one_request() {
    let two = format!("{REQUEST}\n---\n{REQUEST}\n");
    let payload = format!("{{request: {REQUEST}, settings: {{}}}}");
    let half = format!("{{request: {REQUEST}}}");
    let list = format!("[{TILL}]");
    for (text, wanted) in [
        (two.as_str(), "a.policy-test.yaml:3:29: `r.yaml` has 2 requests, and a case is about one: a case for each"),
        (&list, "r.yaml:1:1: a list is no request: an AdmissionReview, or the AdmissionRequest in one, is required"),
        (&payload, "r.yaml:1:1: `request` beside `settings` is what a module is sent"),
        (&half, "r.yaml:1:1: no `apiVersion: admission.k8s.io/v1` and `kind: AdmissionReview` beside `request`"),
        (TILL, "r.yaml:1:1: an object is no request"),
        ("text", "r.yaml:1:1: no request"),
        ("", "a.policy-test.yaml:3:29: `r.yaml` has nothing in it"),
    ] {
        let said = with(&[("r.yaml", text)], &guest("accepts"), "request: r.yaml", "{allowed: true}");
        assert!(said[0].strip_prefix("broken: ").is_some_and(|said| said.starts_with(wanted)), "{text}\n{said:?}");
    }
    assert_eq!(with(&[("r.yaml", REQUEST)], &guest("accepts"), "request: r.yaml", "{allowed: true}"), ["ok"]);
    let review = format!("{{apiVersion: admission.k8s.io/v1, kind: AdmissionReview, request: {REQUEST}}}");
    assert_eq!(with(&[("r.yaml", &review)], &guest("accepts"), "request: r.yaml", "{allowed: true}"), ["ok"]);
}

#[test]
fn what_holds_no_policy_says_why() {
    let broken = "apiVersion: policies.kubewarden.io/v1\nkind: ClusterAdmissionPolicy\nmetadata: {name: a\n";
    let files = [
        ("one.yaml", TILL),
        ("broken.yaml", broken),
        ("other.yaml", "replicas: 3\n"),
        ("./set/kustomization.yaml", "resources: [../base]\n"),
    ];
    let none = "no policy manifest, and no policy server's file: nothing would be judged";
    for (policy, wanted) in [
        ("broken.yaml", "broken.yaml:3:11: the map opened with `{` is not closed".to_owned()),
        ("other.yaml", format!("policy `other.yaml`: {none}")),
        (
            "./set",
            format!("policy `./set`: {none}; `./set/kustomization.yaml` is a kustomization: what `fedward render FOLDER` prints can run,"),
        ),
    ] {
        let said = with(&files, policy, "objects: [one.yaml]", "{reached: false}");
        assert!(said[0].strip_prefix("broken: ").is_some_and(|said| said.starts_with(&wanted)), "{policy}\n{said:?}");
    }
}

#[test]
fn fields_of_a_request_have_types() {
    for (from, to, column, wanted) in [
        ("name: till, n", "name: n, n", 159, "`name` of a request is a string: quote it"),
        ("namespace: shop", "namespace: 7", 176, "`namespace` of a request is a string: quote it"),
        ("version: v1, kind", "version: 1, kind", 67, "`kind.version` of a request is a string: quote it"),
        ("[dev]", "[no]", 212, "`userInfo.groups` of a request is a list of strings: quote it"),
        ("{username: ada, groups: [dev]}", "ada", 197, "`userInfo` of a request is a map"),
        ("CREATE", "PATCH", 33, "an admission request with the operation `PATCH`, which does not exist"),
        ("operation: CREATE, ", "", 13, "an admission request without `operation`, which every request that was sent has"),
    ] {
        let text = format!(
            "policy: {}\ncases:\n- name: a\n  request: {}\n  expect: {{reached: true}}\n",
            guest("accepts"),
            REQUEST.replace(from, to)
        );
        let said = told(&run(&[read(&text)], &Memory::default()));
        let place = format!("broken: {FILE}:4:{column}: {wanted}");
        assert!(
            said[0].starts_with(&place) || (said[0].starts_with(&format!("broken: {FILE}:4:")) && said[0].ends_with(wanted)),
            "{said:?}\n{place}"
        );
    }
}

#[test]
fn what_is_named_is_used() {
    let chart = "apiVersion: v1\nkind: Pod\nmetadata:\n  name: {{ .Values.name }}\n";
    let list = "{apiVersion: v1, kind: List, items: [{apiVersion: v1, kind: ConfigMap, metadata: {name: a}}, {kind: Pod}]}";
    let files = [
        ("one.yaml", TILL),
        ("chart.yaml", chart),
        ("note.txt", "some text\n"),
        ("empty.yaml", "# nothing\n"),
        ("half.yaml", "{apiVersion: v1, kind: ConfigMap, metadata: {name: a}}\n---\n{replicas: 3}\n"),
        ("list.yaml", list),
        ("base/kustomization.yaml", "resources: []\n"),
        ("mixed/kustomization.yaml", "resources: [a.yaml]\n"),
        ("mixed/a.yaml", TILL),
    ];
    let objects = |second: &str| with(&files, &guest("accepts"), &format!("objects: [one.yaml, {second}]"), "{allowed: true}");
    for (second, wanted) in [
        ("{kind: Pod, metadata: {name: bad}}", "no object: `apiVersion` and `kind` are required"),
        ("{foo: bar}", "no object: `apiVersion` and `kind` are required"),
        ("note.txt", "note.txt:1:1: not YAML or JSON"),
        ("empty.yaml", "`empty.yaml` has nothing in it"),
        ("half.yaml", "`half.yaml` cannot be used, line 2: not a Kubernetes manifest"),
        ("list.yaml", "1 of a list without `apiVersion` and `kind`"),
        (list, "1 of a list without `apiVersion` and `kind`"),
        ("chart.yaml", "chart.yaml:4:"),
        ("base", "nothing in `base` can be used: base/kustomization.yaml: a kustomization"),
    ] {
        let said = objects(second);
        let is_text = second == "note.txt" && said[0].contains("not a Kubernetes manifest");
        assert!(said[0].starts_with("broken: ") && (said[0].contains(wanted) || is_text), "{second}: {said:?}");
    }
    let context = says(&guest("accepts"), &format!("objects: [{TILL}], context: [{{kind: Namespace}}]"), &["{allowed: true}"]);
    assert!(context[0].contains("a.policy-test.yaml:3:117: no object"), "{context:?}");
    // What a folder has besides is told, though the case passes.
    let text = suite(&guest("accepts"), "objects: [mixed]", &["{allowed: true}"]);
    let results = run(&[read(&text)], &Memory::with(&files));
    assert_eq!(told(&results), ["ok"]);
    let mut shown = Vec::new();
    human(&results, false, &mut shown).unwrap();
    assert!(String::from_utf8(shown).unwrap().contains("note: mixed/kustomization.yaml: a kustomization"), "{results:?}");
}

#[test]
fn a_policy_that_is_none_reaches_nothing() {
    for text in [TILL, "", "# nothing\n", "{apiVersion: policies.kubewarden.io/v1, kind: PolicyServer, metadata: {name: a}}"] {
        let said = with(&[("cm.yaml", text)], "cm.yaml", &format!("objects: [{TILL}]"), "{reached: false}");
        assert!(said[0].starts_with("broken: ") && said[0].contains("nothing"), "{text}: {said:?}");
    }
    let said = says(&guest("for-services"), "objects: [{foo: bar}]", &["{reached: false}"]);
    assert!(said[0].contains("no object"), "{said:?}");
}

#[test]
fn nothing_is_no_expectation() {
    for expect in ["{allowed: , findings: }", "{message: }", "{mutated: null}", "{patch: null}", "{allowed: true, findings: [{rule: }]}"] {
        let text = suite(&guest("accepts"), &format!("objects: [{TILL}]"), &[expect]);
        let error = CaseFile::read(FILE, text.into_bytes()).map(|_| ()).unwrap_err().to_string();
        assert!(error.contains("not nothing"), "{expect}: {error}");
    }
}

#[test]
fn documents_without_cases_are_told() {
    let text = format!(
        "policy: {0}\ncases: []\n---\n{1}",
        guest("accepts"),
        suite(&guest("accepts"), &format!("objects: [{TILL}]"), &["{allowed: true}"])
    );
    for (text, line) in [(text.as_str(), 2), ("", 1), ("# later\n", 1)] {
        let mut file = read(text);
        let results = run(std::slice::from_ref(&file), &Memory::default());
        assert!(matches!(results[0].verdict, Verdict::Skipped) && results[0].line == line, "{results:?}");
        assert_eq!(Counts::of(&results).skipped, 1);
        let mut shown = [Vec::new(), Vec::new(), Vec::new()];
        human(&results, false, &mut shown[0]).unwrap();
        json(&results, &mut shown[1]).unwrap();
        junit(&results, &mut shown[2]).unwrap();
        let shown = shown.map(|shown| String::from_utf8(shown).unwrap());
        assert!(shown[0].starts_with("skipped a.policy-test.yaml:") && shown[1].contains("\"skipped\": 1"), "{shown:?}");
        assert!(shown[2].contains("<skipped/>") && shown[2].contains(FILE), "{}", shown[2]);
        file.is_named = true;
        let results = run(&[file], &Memory::default());
        assert!(told(&results)[0].starts_with("broken: there is no case"), "{results:?}");
    }
}
