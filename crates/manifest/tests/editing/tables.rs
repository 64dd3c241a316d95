//! Patches on texts, by the shape of what is written there.

use crate::edited;

/// Patch, text before, text after.
fn check(patch: &str, before: &str, after: &str) {
    assert_eq!(edited(before, patch), after, "of {before}");
}

#[test]
fn scalars_keep_their_quotes() {
    let patch = r#"[{"op":"replace","path":"/a","value":"new one"}]"#;
    check(patch, "a: old # why\nb: 1\n", "a: new one # why\nb: 1\n");
    check(patch, "a: 'old'\n", "a: 'new one'\n");
    check(patch, "a: \"old\"\n", "a: \"new one\"\n");
    check(patch, "a: old\n  on two lines\nb: 1\n", "a: new one\nb: 1\n");
    check(patch, "a:\n  old\nb: 1\n", "a:\n  new one\nb: 1\n");
    check(patch, "a:\nb: 1\n", "a: new one\nb: 1\n");
    check(patch, "a: # none\nb: 1\n", "a: new one # none\nb: 1\n");
    check(patch, "a:", "a: new one");
    check(patch, "a: ~\n", "a: new one\n");
    check(patch, "{a: old, b: 1}\n", "{a: new one, b: 1}\n");
    check(patch, "{\"a\":\"old\",\"b\":1}", "{\"a\":\"new one\",\"b\":1}");
    check(patch, "a: |\n  old\n  text\nb: 1\n", "a: new one\nb: 1\n");
    check(patch, "a: >- # why\n  old\n  text\n\nb: 1\n", "a: new one # why\n\nb: 1\n");
    check(patch, "a: |\n  old", "a: new one\n");
    check(patch, "\u{feff}a: old\r\nb: 1\r\n", "\u{feff}a: new one\r\nb: 1\r\n");
}

#[test]
fn what_would_be_read_as_something_else_is_quoted() {
    check(r#"[{"op":"replace","path":"/a","value":"true"}]"#, "a: old\n", "a: \"true\"\n");
    check(r#"[{"op":"replace","path":"/a","value":"true"}]"#, "a: 'old'\n", "a: 'true'\n");
    check(r#"[{"op":"replace","path":"/a","value":true}]"#, "a: 'old'\n", "a: true\n");
    check(r#"[{"op":"replace","path":"/a","value":3600}]"#, "a: \"3600\"\n", "a: 3600\n");
    check(r#"[{"op":"replace","path":"/a","value":null}]"#, "a: \"3600\"\n", "a: null\n");
    check(r#"[{"op":"replace","path":"/a","value":"x, y"}]"#, "{a: old}\n", "{a: \"x, y\"}\n");
    check(r#"[{"op":"add","path":"/0x1","value":1}]"#, "a: b\n", "a: b\n\"0x1\": 1\n");
}

#[test]
fn texts_of_several_lines() {
    let patch = r#"[{"op":"replace","path":"/a","value":"one\n\ntwo\n"}]"#;
    check(patch, "a: old # why\nb: 1\n", "a: | # why\n  one\n\n  two\nb: 1\n");
    check(patch, "a: |-\n    old\nb: 1\n", "a: |\n  one\n\n  two\nb: 1\n");
    check(patch, "a: [1]\n", "a: |\n  one\n\n  two\n");
    check(patch, "a:\n- 1\n- 2\nb: 1\n", "a: |\n  one\n\n  two\nb: 1\n");
    check(patch, "{a: old}", "{a: \"one\\n\\ntwo\\n\"}");
    check(r#"[{"op":"replace","path":"/0","value":"one\ntwo"}]"#, "- old # why\n- x\n", "- |- # why\n  one\n  two\n- x\n");
    check(r#"[{"op":"add","path":"/-","value":"one\ntwo"}]"#, "- x", "- x\n- |-\n  one\n  two");
    check(r#"[{"op":"replace","path":"/a","value":" one\ntwo"}]"#, "a: old\n", "a: \" one\\ntwo\"\n");
}

#[test]
fn an_entry_goes_behind_its_siblings() {
    let patch = r#"[{"op":"add","path":"/metadata/labels/use","value":"true"}]"#;
    check(
        patch,
        "metadata:\n  labels:\n    app: web # for all\n  name: x\n",
        "metadata:\n  labels:\n    app: web # for all\n    use: \"true\"\n  name: x\n",
    );
    check(
        patch,
        "metadata:\n  labels:\n    app: web\n\n# next\nspec: 1\n",
        "metadata:\n  labels:\n    app: web\n    use: \"true\"\n\n# next\nspec: 1\n",
    );
    check(patch, "metadata:\n  labels:\n    app: web", "metadata:\n  labels:\n    app: web\n    use: \"true\"");
    check(patch, "metadata:\r\n  labels:\r\n    app: web\r\n", "metadata:\r\n  labels:\r\n    app: web\r\n    use: \"true\"\r\n");
    check(patch, "metadata:\n  labels:\n    app:\n  name: x\n", "metadata:\n  labels:\n    app:\n    use: \"true\"\n  name: x\n");
    check(patch, "metadata:\n  labels:\n    \"app\": web\n", "metadata:\n  labels:\n    \"app\": web\n    \"use\": \"true\"\n");
    check(
        patch,
        "metadata:\n  labels:\n    app: |\n      x\n---\na: 1\n",
        "metadata:\n  labels:\n    app: |\n      x\n    use: \"true\"\n---\na: 1\n",
    );
    check(
        patch,
        "metadata:\n  labels:\n    app: |+\n      x\n\n\n  b: 1\n",
        "metadata:\n  labels:\n    app: |+\n      x\n\n\n    use: \"true\"\n  b: 1\n",
    );
    check(patch, "metadata: {labels: {app: web}}\n", "metadata: {labels: {app: web, use: \"true\"}}\n");
    check(patch, "metadata: {labels: {}}\n", "metadata: {labels: {use: \"true\"}}\n");
    check(patch, "metadata:\n  labels: {} # none\n  name: x\n", "metadata:\n  labels: # none\n    use: \"true\"\n  name: x\n");
    check(patch, "metadata:\n    labels: {}\n", "metadata:\n    labels:\n        use: \"true\"\n");
}

#[test]
fn maps_that_are_missing() {
    let patch = r#"[{"op":"add","path":"/metadata/labels","value":{"app":"web","use":"true"}}]"#;
    let after = "metadata:\n  name: x\n  labels:\n    app: web\n    use: \"true\"\nspec: 1\n";
    check(patch, "metadata:\n  name: x\nspec: 1\n", after);
    check(patch, "metadata:\n  labels:\nspec: 1\n", "metadata:\n  labels:\n    app: web\n    use: \"true\"\nspec: 1\n");
    check(patch, "metadata:\n  labels: # none\nspec: 1\n", "metadata:\n  labels: # none\n    app: web\n    use: \"true\"\nspec: 1\n");
    check(patch, "metadata:\n  labels: null # none\n", "metadata:\n  labels: # none\n    app: web\n    use: \"true\"\n");
    check(
        patch,
        "{\"metadata\": {\"name\": \"x\"}}\n",
        "{\"metadata\": {\"name\": \"x\", \"labels\": {\"app\": \"web\", \"use\": \"true\"}}}\n",
    );
    check(
        patch,
        "{\n  \"metadata\": {\n    \"name\": \"x\"\n  }\n}\n",
        "{\n  \"metadata\": {\n    \"name\": \"x\",\n    \"labels\": {\n      \"app\": \"web\",\n      \"use\": \"true\"\n    }\n  }\n}\n",
    );
    check(
        patch,
        "{\n\t\"metadata\": {\n\t\t\"labels\": {}\n\t}\n}\n",
        "{\n\t\"metadata\": {\n\t\t\"labels\": {\n\t\t\t\"app\": \"web\",\n\t\t\t\"use\": \"true\"\n\t\t}\n\t}\n}\n",
    );
    check(patch, "{\"metadata\":{\"name\":\"x\"}}", "{\"metadata\":{\"name\":\"x\",\"labels\":{\"app\":\"web\",\"use\":\"true\"}}}");
    check(
        r#"[{"op":"add","path":"/items","value":[{"a":1,"b":[2]},[3,4],{}]}]"#,
        "kind: List\n",
        "kind: List\nitems:\n  - a: 1\n    b:\n      - 2\n  - - 3\n    - 4\n  - {}\n",
    );
    check(r#"[{"op":"add","path":"/b","value":[1]}]"#, "a:\n- 1\n", "a:\n- 1\nb:\n- 1\n");
}

#[test]
fn items_of_lists() {
    let add = r#"[{"op":"add","path":"/a/1","value":"new"}]"#;
    check(add, "a:\n- x # one\n- y\nb: 1\n", "a:\n- x # one\n- new\n- y\nb: 1\n");
    check(add, "a:\n  - x\n  # about y\n  - y\n", "a:\n  - x\n  - new\n  # about y\n  - y\n");
    check(add, "a: [x, y]\n", "a: [x, new, y]\n");
    check(add, "a: [x]\n", "a: [x, new]\n");
    check(add, "a: [\n  x, # one\n  y\n]\n", "a: [\n  x,\n  new, # one\n  y\n]\n");
    check(add, "{\"a\": [\n    \"x\"\n]}", "{\"a\": [\n    \"x\",\n    \"new\"\n]}");
    let first = r#"[{"op":"add","path":"/0","value":"new"}]"#;
    check(first, "# all\n- x\n", "# all\n- new\n- x\n");
    check(first, "[x]", "[new, x]");
    check(r#"[{"op":"add","path":"/0/0","value":"new"}]"#, "- - x\n  - y\n", "- - new\n  - x\n  - y\n");
    check(r#"[{"op":"add","path":"/-","value":{"a":1,"b":2}}]"#, "- x\n", "- x\n- a: 1\n  b: 2\n");
    check(r#"[{"op":"replace","path":"/0","value":{"a":1,"b":2}}]"#, "- x # old\n- y\n", "- a: 1\n  b: 2 # old\n- y\n");
    check(r#"[{"op":"replace","path":"/0","value":{"a":1,"b":2}}]"#, "-\n- y\n", "- a: 1\n  b: 2\n- y\n");
    check(r#"[{"op":"replace","path":"/0","value":1}]"#, "- a: 1\n  b: 2 # old\n- y\n", "- 1 # old\n- y\n");
    let last = r#"[{"op":"remove","path":"/a/1"}]"#;
    check(last, "a:\n- x # one\n- y # two\nb: 1\n", "a:\n- x # one\nb: 1\n");
    check(last, "a:\n- x\n- k: 1\n  l: |\n    text\n- z\n", "a:\n- x\n- z\n");
    check(last, "a: [x, y, z]\n", "a: [x, z]\n");
    check(last, "a: [x, y]\n", "a: [x]\n");
    check(last, "a:\n- x\n-\n- z\n", "a:\n- x\n- z\n");
    check(r#"[{"op":"remove","path":"/a/0"}]"#, "a: [x, y]\n", "a: [y]\n");
    check(r#"[{"op":"remove","path":"/a/0"}]"#, "a: [ x ]\n", "a: []\n");
    check(r#"[{"op":"remove","path":"/a/0"}]"#, "a:\n- x # one\nb: 1\n", "a: []\nb: 1\n");
    check(r#"[{"op":"remove","path":"/0/0"}]"#, "- - x\n  - y\n", "- - y\n");
    check(r#"[{"op":"remove","path":"/0/0"}]"#, "- - x # one\n- z\n", "- [] # one\n- z\n");
}

#[test]
fn a_list_replaced_keeps_what_stays() {
    let patch = r#"[{"op":"replace","path":"/a","value":["w"]}]"#;
    check(patch, "a:\n- x\n- w # this\n- z\n", "a:\n- w # this\n");
    check(patch, "a: [x, 'w', z]\n", "a: ['w']\n");
    check(r#"[{"op":"replace","path":"/a","value":["x","m","w"]}]"#, "a:\n- x # one\n- w # two\n", "a:\n- x # one\n- m\n- w # two\n");
    check(r#"[{"op":"replace","path":"/a","value":["p","q"]}]"#, "a:\n- x # one\n- 'w' # two\n", "a:\n- p # one\n- 'q' # two\n");
    check(r#"[{"op":"replace","path":"/a","value":{"k":1,"m":2}}]"#, "a: {l: 0, k: 1}\n", "a: {m: 2, k: 1}\n");
    check(r#"[{"op":"replace","path":"/a","value":{"k":1}}]"#, "a:\n- x\n", "a:\n  k: 1\n");
}

#[test]
fn an_entry_goes_with_its_lines() {
    let patch = r#"[{"op":"remove","path":"/m/a"}]"#;
    check(patch, "m:\n  # about a\n  a: 1 # one\n  b: 2\n", "m:\n  # about a\n  b: 2\n");
    check(patch, "m:\n  b: 2\n  a:\n    x: 1\n    y: 2\nn: 1\n", "m:\n  b: 2\nn: 1\n");
    check(patch, "m:\n  b: 2\n  a:\n  - 1\n  - 2\n", "m:\n  b: 2\n");
    check(patch, "m:\n  b: 2\n  a: 1", "m:\n  b: 2\n");
    check(patch, "m:\n  b: 2\n  a: |\n    x\n  c: 3\n", "m:\n  b: 2\n  c: 3\n");
    check(patch, "m: # all\n  a: 1 # one\nn: 1\n", "m: {} # all\nn: 1\n");
    check(patch, "m:\n  a: 1", "m: {}\n");
    check(patch, "m: {a: 1, b: 2}\n", "m: {b: 2}\n");
    check(patch, "m: {a: 1}\n", "m: {}\n");
    check(patch, "m: {b: 2, a: 1}\n", "m: {b: 2}\n");
    check(patch, "{\"m\": {\n  \"b\": 2,\n  \"a\": 1\n}}", "{\"m\": {\n  \"b\": 2\n}}");
    check(patch, "{\"m\": {\n  \"a\": 1,\n  \"b\": 2\n}}", "{\"m\": {\n  \"b\": 2\n}}");
    let item = r#"[{"op":"remove","path":"/0/a"}]"#;
    check(item, "- a: 1 # one\n  b: 2\n", "- b: 2\n");
    check(item, "- a: 1\n", "- {}\n");
    check(item, "- a: 1 # one\n  # about b\n  b: 2\n", "-  # one\n  # about b\n  b: 2\n");
    check(item, "- a:\n    x: 1\n  b: 2\n- c\n", "- b: 2\n- c\n");
}

#[test]
fn steps_together() {
    let rename = r#"[{"op":"remove","path":"/m/a"},{"op":"add","path":"/m/k","value":"x"}]"#;
    check(rename, "m:\n  a: x # one\n  b: 2\n", "m:\n  k: x # one\n  b: 2\n");
    check(rename, "m:\n  \"a\": 'x'\n", "m:\n  \"k\": 'x'\n");
    check(rename, "m: {a: x}\n", "m: {k: x}\n");
    check(rename, "m:\n  a: y # one\n", "m:\n  k: x # one\n");
    check(rename, "m:\n  a:\n  - 1\n  - 2\nk: 1\n", "m:\n  k: x\nk: 1\n");
    let moved = r#"[{"op":"remove","path":"/m/a/use"},{"op":"add","path":"/m/l","value":{"use":"x"}}]"#;
    check(moved, "m:\n  a:\n    use: x\nk: 1\n", "m:\n  a: {}\n  l:\n    use: x\nk: 1\n");
    check(moved, "m:\n  a:\n    use: x", "m:\n  a: {}\n  l:\n    use: x");
    check(
        r#"[{"op":"add","path":"/m/a/z","value":1},{"op":"add","path":"/m/z","value":1},{"op":"add","path":"/z","value":1}]"#,
        "m:\n  a:\n    b: 1",
        "m:\n  a:\n    b: 1\n    z: 1\n  z: 1\nz: 1",
    );
    check(
        r#"[{"op":"add","path":"/k","value":{}},{"op":"add","path":"/k/a","value":[1]},{"op":"add","path":"/k/a/0","value":0}]"#,
        "m: 1\n",
        "m: 1\nk:\n  a:\n    - 0\n    - 1\n",
    );
    check(
        r#"[{"op":"remove","path":"/0"},{"op":"remove","path":"/0"},{"op":"add","path":"/0","value":9}]"#,
        "- 1\n- 2\n- 3\n",
        "- 9\n- 3\n",
    );
    check(r#"[{"op":"replace","path":"/a","value":1}]"#, "a: 1 # same\n", "a: 1 # same\n");
}

#[test]
fn only_the_object_that_is_meant() {
    check(r#"[{"op":"add","path":"/b","value":1}]"#, "a: 1\n...\n---\nc: 1\n", "a: 1\nb: 1\n...\n---\nc: 1\n");
    check(r#"[{"op":"add","path":"/items/0/b","value":1}]"#, "items:\n- a: 1\n- a: 2\n", "items:\n- a: 1\n  b: 1\n- a: 2\n");
    check(r#"[{"op":"add","path":"/b","value":1}]"#, "{\"a\": 1}\n{\"c\": 1}\n", "{\"a\": 1, \"b\": 1}\n{\"c\": 1}\n");
}

#[test]
fn anchors_and_merge_keys() {
    let add = r#"[{"op":"add","path":"/b/new","value":1}]"#;
    check(add, "a: &a {x: 1}\nb:\n  <<: *a\n", "a: &a {x: 1}\nb:\n  <<: *a\n  new: 1\n");
    check(add, "a: &a {x: 1}\nb:\n  y: 1\n  <<: *a\n", "a: &a {x: 1}\nb:\n  y: 1\n  <<: *a\n  new: 1\n");
    check(r#"[{"op":"replace","path":"/b/x","value":2}]"#, "a: &a {x: 1}\nb:\n  <<: *a\n", "a: &a {x: 1}\nb:\n  <<: *a\n  x: 2\n");
    check(r#"[{"op":"replace","path":"/b","value":2}]"#, "a: &a x\nb: *a\n", "a: &a x\nb: 2\n");
    check(r#"[{"op":"remove","path":"/b"}]"#, "a: &a x\nb: *a\nc: 1\n", "a: &a x\nc: 1\n");
    check(r#"[{"op":"add","path":"/a/z","value":1}]"#, "a: &unused\n  x: 1\n", "a: &unused\n  x: 1\n  z: 1\n");
}
