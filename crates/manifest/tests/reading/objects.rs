use crate::{json, one};

/// The objects of a text, each with the kind of the list that holds it.
fn objects(text: &str) -> (Vec<(String, Option<String>)>, bool) {
    let document = one(text);
    let objects = document.objects();
    let kind = |list: fedward_manifest::Node<'_>| list.get("kind").unwrap().as_str().unwrap().to_owned();
    (objects.objects.iter().map(|object| (json(object.node), object.list.map(kind))).collect(), objects.is_array)
}

fn alone(json: &str) -> (String, Option<String>) {
    (json.to_owned(), None)
}

fn within(json: &str, list: &str) -> (String, Option<String>) {
    (json.to_owned(), Some(list.to_owned()))
}

#[test]
fn a_document_is_an_object() {
    assert_eq!(objects("kind: Pod\n"), (vec![alone(r#"{"kind":"Pod"}"#)], false));
    assert_eq!(objects("text\n"), (vec![alone("\"text\"")], false));
    assert_eq!(objects("# nothing\n"), (vec![], false));
}

#[test]
fn lists_are_taken_apart() {
    let text = "kind: List\nitems:\n- {a: 1}\n- kind: PodList\n  metadata: {resourceVersion: '1'}\n  items: [{b: 2}, 3]\n- kind: List\n  items: []\n- {c: 3}\n";
    let expected =
        vec![within(r#"{"a":1}"#, "List"), within(r#"{"b":2}"#, "PodList"), within("3", "PodList"), within(r#"{"c":3}"#, "List")];
    assert_eq!(objects(text), (expected, false));
}

#[test]
fn what_only_looks_like_a_list_is_an_object() {
    for text in
        ["{kind: AllowList, metadata: {name: x}, items: [{a: 1}]}", "{kind: List, items: {}}", "{kind: Listing, items: []}", "{items: []}"]
    {
        assert_eq!(objects(text).0.len(), 1, "{text}");
        assert_eq!(objects(text).0[0].1, None);
    }
}

#[test]
fn arrays_are_told() {
    let expected = vec![alone(r#"{"kind":"A"}"#), within("1", "List"), alone(r#"[{"kind":"B"}]"#)];
    assert_eq!(objects("- kind: A\n- {kind: List, items: [1]}\n- [{kind: B}]\n"), (expected, true));
    assert_eq!(objects("[]"), (vec![], true));
}
