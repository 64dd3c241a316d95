use fedward_manifest::ProblemKind;

use crate::{all_json, json, one, problem, read};

#[test]
fn a_tree_is_written_as_json() {
    let text = "a: 1\nb:\n  - x\n  - {z: [true, ~, 'it''s']}\nc: |\n  one\n  two\nd: \"\\u00e9\\n\"\n";
    let document = one(text);
    assert_eq!(json(document.root()), r#"{"a":1,"b":["x",{"z":[true,null,"it's"]}],"c":"one\ntwo\n","d":"é\n"}"#);
    assert_eq!(json(document.root().find("/b/1").unwrap()), r#"{"z":[true,null,"it's"]}"#);
}

#[test]
fn every_node_knows_its_place() {
    let text = "a:\n  b: 'x'\n  c:\n  - 1\n  d:\ne: &n {f: [2 , 3]}\ng: >- # why\n  one\n  two\n\nh: *n\n";
    let document = one(text);
    let source = document.source();
    let at = |pointer: &str| document.root().find(pointer).unwrap();
    let text_at = |pointer: &str| source.slice(at(pointer).span()).to_owned();
    assert_eq!(text_at("/a"), "b: 'x'\n  c:\n  - 1\n  d:");
    assert_eq!(source.slice(at("/a").place()), "a");
    assert_eq!(text_at("/a/b"), "'x'");
    assert_eq!(text_at("/a/c"), "- 1");
    assert_eq!(text_at("/a/c/0"), "1");
    assert_eq!(text_at("/a/d"), "");
    assert_eq!(source.slice(at("/a/d").place()), "d");
    assert_eq!(text_at("/e"), "{f: [2 , 3]}");
    assert_eq!(text_at("/e/f"), "[2 , 3]");
    assert_eq!(text_at("/g"), ">- # why\n  one\n  two\n\n");
    assert_eq!(text_at("/h"), "*n");
    assert_eq!(text_at("/h/f/1"), "3");
    assert_eq!(source.slice(at("/h/f").key_span().unwrap()), "f");
    assert_eq!(json(at("/h")), r#"{"f":[2,3]}"#);
}

#[test]
fn a_pointer_leads_to_the_nearest_parent() {
    let document = one("a/b: {~c: [1, {d: 2}]}\n'': x\n");
    let root = document.root();
    assert_eq!(json(root.find("/a~1b/~0c/1/d").unwrap()), "2");
    assert_eq!(json(root.find("/").unwrap()), "\"x\"");
    assert!(root.find("").unwrap().is_map());
    let lookup = root.pointer("/a~1b/~0c/7/d");
    assert_eq!((json(lookup.node).as_str(), lookup.absent, lookup.is_exact()), ("[1,{\"d\":2}]", "/7/d", false));
    assert!(root.find("/a~1b/~0c/01").is_none());
    assert!(root.find("nothing").is_none());
}

#[test]
fn documents_are_split_before_they_are_parsed() {
    assert_eq!(all_json("---foo: 1\n---\nb: [\n---\nc: 3\n"), ["{\"---foo\":1}", "-", "{\"c\":3}"]);
    assert_eq!(all_json("--- text\n--- |\n  ---x\n"), ["\"text\"", "\"---x\\n\"",]);
}

#[test]
fn the_last_of_two_keys_wins_and_both_places_are_told() {
    let text = "a: 1\nb: 2\na: 3\n";
    let problem = problem(text);
    assert_eq!(problem.kind, ProblemKind::DuplicateKey);
    assert_eq!(problem.message, "key `a` stands twice; the last one wins");
    assert_eq!((problem.span.start, problem.related[0].span.start), (10, 0));
    assert_eq!(json(read(text)[0].document.as_ref().unwrap().root()), r#"{"b":2,"a":3}"#);
}
