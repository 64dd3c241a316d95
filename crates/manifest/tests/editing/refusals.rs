//! What cannot be edited without changing something else, and what is large.

use fedward_manifest::{Builder, Encoding, Format, Limits, Node, edit::Refusal};
use serde_json::{Value, json};

use crate::{edited, edits, read};

fn refusal(text: &str, patch: &Value) -> Refusal {
    let documents = read(text);
    match edits(documents[0].root(), patch) {
        Ok(edits) => panic!("{text} is edited: {edits:?}"),
        Err(refusal) => refusal,
    }
}

fn remove(path: &str) -> Value {
    json!([{"op": "remove", "path": path}])
}

fn replace(path: &str) -> Value {
    json!([{"op": "replace", "path": path, "value": "new"}])
}

fn add(path: &str) -> Value {
    json!([{"op": "add", "path": path, "value": "new"}])
}

#[test]
fn what_is_used_elsewhere() {
    let text = "a: &a {x: 1, l: [1]}\nb: *a\nc: {<<: *a, z: 1}\nd: &d word\ne: *d\n";
    for patch in [replace("/a/x"), add("/a/new"), remove("/a/x"), add("/a/l/0"), replace("/d")] {
        assert_eq!(refusal(text, &patch), Refusal::Shared, "{patch}");
    }
    for patch in [replace("/b/x"), add("/b/new"), remove("/b/x"), add("/b/l/-"), remove("/c/x"), add("/c/l/0")] {
        assert_eq!(refusal(text, &patch), Refusal::Reused, "{patch}");
    }
    // An alias may come behind what is gone.
    assert_eq!(refusal(text, &remove("/a")), Refusal::Shared);
    assert_eq!(refusal("a: {k: &x 1}\nb: *x\n", &remove("/a")), Refusal::Shared);
    assert_eq!(refusal("a:\n  k: &x 1\nb: *x\n", &replace("/a")), Refusal::Shared);
    assert_eq!(refusal("a: [&x 1, 2]\nb: *x\n", &remove("/a/0")), Refusal::Shared);
    assert_eq!(refusal("a: {<<: {x: 1}, y: 2}\n", &remove("/a/x")), Refusal::Reused);
}

#[test]
fn keys_that_stand_twice() {
    assert_eq!(refusal("a: 1\na: 2\n", &remove("/a")), Refusal::Duplicate("a".to_owned()));
    assert_eq!(refusal("{a: 1, a: 2}", &remove("/a")), Refusal::Duplicate("a".to_owned()));
    assert_eq!(refusal("b: &b {a: 1}\nc:\n  a: 2\n  <<: *b\n  a: 3\n", &remove("/c/a")), Refusal::Duplicate("a".to_owned()));
    assert_eq!(edited("a: 1\na: 2\n", &replace("/a").to_string()), "a: 1\na: new\n");
}

#[test]
fn what_stands_in_the_way() {
    for text in ["? a\n: b\nz: 1\n", "!!str a: b\nz: 1\n", "&k a: b\nz: 1\n", "a: &x b\nz: 1\n", "{? a : b, z: 1}\n"] {
        assert_eq!(refusal(text, &remove("/a")), Refusal::Layout, "{text}");
    }
    for text in ["a: !!str b\n", "a: &x\n", "{a}\n", "a: &x b\n"] {
        assert_eq!(refusal(text, &replace("/a")), Refusal::Layout, "{text}");
    }
    // The comment would be lost.
    assert_eq!(refusal("{a: b, # why\n c: d}\n", &remove("/a")), Refusal::Layout);
    // A line break more would be one more in the text.
    assert_eq!(refusal("a: |\n  text", &add("/b")), Refusal::Layout);
    let wide = format!("a:\n{}b: 1\n", " ".repeat(10_000));
    assert_eq!(refusal(&wide, &add("/a/c")), Refusal::Layout);
}

#[test]
fn patches_that_do_not_fit() {
    for patch in
        [replace("/b"), remove("/b"), remove(""), add("/b/c"), add("/a/c"), add("/l/3"), remove("/l/-"), replace("/l/01"), add("a")]
    {
        let path = patch[0]["path"].as_str().unwrap().to_owned();
        assert_eq!(refusal("a: 1\nl: [1, 2]\n", &patch), Refusal::Path(path));
    }
    let steps: Vec<Value> = (0..2000).map(|_| json!({"op": "add", "path": "/l/0", "value": 1})).collect();
    assert_eq!(refusal("l: []\n", &steps.into()), Refusal::TooLarge);
    let many: Vec<Value> = vec![json!(1); 20_000];
    assert_eq!(refusal("l: 1\n", &json!([{"op": "add", "path": "/l", "value": many}])), Refusal::TooLarge);
}

#[test]
fn documents_in_strings() {
    let documents = read("a: |\n  b: 1\n");
    let inner = documents[0].root().get("a").unwrap().embedded(Encoding::Text, Format::Auto, &Limits::default()).unwrap();
    let root = inner[0].document.as_ref().unwrap().root();
    assert_eq!(edits(root, &replace("/b")), Err(Refusal::Embedded));
}

#[test]
fn parts_of_documents_that_were_put_together() {
    let text = "{\"outer\": {\"name\": \"x\", \"inner\": {\"a\": \"b\"}}}\n";
    let documents = read(text);
    let limits = Limits::default();
    let part: Node<'_> = documents[0].root().find("/outer/inner").unwrap();
    let place = part.span();
    let mut builder = Builder::new(documents[0].source(), &limits);
    builder.map(place).key("kind", place).string("Made", place).key("part", place).copy(part).end();
    let built = builder.finish().unwrap().document.unwrap();
    let edit = |patch: &Value| edits(built.root(), patch).map(|edits| fedward_manifest::edit::apply(text, &edits));
    assert_eq!(edit(&replace("/part/a")).unwrap(), "{\"outer\": {\"name\": \"x\", \"inner\": {\"a\": \"new\"}}}\n");
    assert_eq!(edit(&add("/part/c")).unwrap(), "{\"outer\": {\"name\": \"x\", \"inner\": {\"a\": \"b\", \"c\": \"new\"}}}\n");
    for patch in [add("/new"), remove("/part"), replace("/kind"), replace("")] {
        assert_eq!(edit(&patch), Err(Refusal::Built), "{patch}");
    }
}

#[test]
fn large_documents_are_edited_as_small_ones() {
    let map = |count: usize, prefix: &str| -> Value {
        (0..count).map(|at| (format!("{prefix}{at}"), json!(at))).collect::<serde_json::Map<_, _>>().into()
    };
    let list = |count: usize, by: usize| -> Value { (0..count).map(|at| json!(at * by)).collect() };
    let whole = |value: Value| json!([{"op": "replace", "path": "/a", "value": value}]);
    let block = |count: usize| format!("a:\n{}", (0..count).map(|at| format!("  k{at}: {at} # c\n")).collect::<String>());
    let merged =
        |count: usize| format!("m: &m {{x: 1}}\na:\n{}  <<: *m\n", (0..count).map(|at| format!("  k{at}: {at} # c\n")).collect::<String>());
    let flow = |count: usize| json!({ "a": map(count, "k") }).to_string();
    let items = |count: usize| format!("a:\n{}", (0..count).map(|at| format!("- {at}\n")).collect::<String>());
    type Case<'c> = (&'c str, &'c dyn Fn(usize) -> (String, Value));
    let cases: [Case<'_>; 8] = [
        ("entries of a block map", &|count| (block(count), whole(map(count, "n")))),
        ("entries of a map with a merge", &|count| (merged(count), whole(json!({"x": 1, "y": 2})))),
        ("entries of a flow map", &|count| (flow(count), whole(map(count, "n")))),
        ("a map emptied", &|count| (block(count), whole(json!({"k0": 0})))),
        ("items replaced", &|count| (items(count), whole(list(count, 2)))),
        ("items removed", &|count| (items(count), whole(list(count / 2, 2)))),
        ("items in between", &|count| (json!({"a": list(count, 2)}).to_string(), whole(list(count * 2, 1)))),
        ("comments without end", &|count| (format!("a:\n  b: 1\n{}", "   # c\n".repeat(count)), remove("/a/b"))),
    ];
    for (name, case) in cases {
        for count in [3, 4_800] {
            let (text, patch) = case(count);
            // The patch's result is compared inside.
            assert_ne!(edited(&text, &patch.to_string()), text, "{name}: {count}");
        }
    }
}
