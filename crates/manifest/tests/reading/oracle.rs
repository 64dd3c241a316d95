//! Our reading against what Kubernetes' own decoder answered; `tests/oracle` says how the answers were recorded.

use fedward_manifest::{Document, Node, Parsed, ProblemKind};

use crate::{json, one, read};

/// Documents that we take and Kubernetes' decoder does not, or the other way round, and why.
const DIFFERENCES: [(&str, &str); 10] = [
    (r#""\x41\u00e9\U0001F600\/\e\_\N\L\P""#, "`\\/` is an escape of YAML 1.2 and of JSON"),
    (r#"{"a":1.0,"b":1e3,"c":[],"d":{},"e":"\/\u0041"}"#, "the same; Kubernetes reads JSON as JSON, where it is right"),
    (r#"a: "\ud83d\ude00""#, "JSON's way to write what is beyond the basic plane"),
    ("- \ta", "YAML 1.2 lets tabs separate"),
    ("\ta: 1", "a tab before the first key indents nothing"),
    ("%YAML 1.2\n---\na: yes", "version 1.2 is what the world writes; the types are Kubernetes' all the same"),
    ("a: [?]", "YAML 1.2 lets a text begin with `?`"),
    ("a: [-]", "YAML 1.2 has no text that is only `-`"),
    ("a: \u{85}b", "no line break in YAML 1.2"),
    ("a: x\u{2028}y", "no line break in YAML 1.2"),
];

/// As Go prints it: keys sorted.
fn sorted(node: Node<'_>) -> String {
    if node.is_map() {
        let mut entries: Vec<_> = node.entries().collect();
        entries.sort_by_key(|entry| entry.key);
        let entries: Vec<_> = entries.iter().map(|entry| format!("{}:{}", quoted(entry.key), sorted(entry.value))).collect();
        format!("{{{}}}", entries.join(","))
    } else if node.is_seq() {
        format!("[{}]", node.items().map(sorted).collect::<Vec<_>>().join(","))
    } else {
        json(node)
    }
}

fn quoted(key: &str) -> String {
    let escaped: String = key.chars().flat_map(|c| if "\"\\".contains(c) { vec!['\\', c] } else { vec![c] }).collect();
    format!("\"{}\"", escaped.replace('\n', "\\n"))
}

/// What we make of a document: its JSON, unless something else than a duplicate key is wrong with it.
fn ours(text: &str) -> Option<String> {
    let mut all = read(text);
    assert!(all.len() <= 1, "{text:?}");
    let Some(Parsed { document, problems, .. }) = all.pop() else { return Some("null".to_owned()) };
    let sound = problems.iter().all(|problem| problem.kind == ProblemKind::DuplicateKey);
    document.filter(|_| sound).map(|document| sorted(document.root()))
}

fn answers() -> Document {
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/scalars.json")).unwrap();
    one(&text)
}

#[test]
fn every_scalar_key_and_merge_reads_as_in_kubernetes() {
    let answers = answers();
    let mut wrong = Vec::new();
    for answer in answers.root().items() {
        let text = answer.get("yaml").unwrap().as_str().unwrap();
        let theirs = answer.get("json").map(|json| json.as_str().unwrap().to_owned());
        let ours = ours(text);
        let differs = DIFFERENCES.iter().any(|(document, _)| *document == text);
        if (ours != theirs) != differs {
            wrong.push(format!("{text:?}\n  ours:   {ours:?}\n  theirs: {theirs:?}"));
        }
    }
    assert!(answers.root().len() > 600);
    assert!(wrong.is_empty(), "{} differ\n{}", wrong.len(), wrong.join("\n"));
}
