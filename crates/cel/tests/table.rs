//! The table of cases on a native build: quick to run, and to debug. `crates/conditions` runs it in the sandbox.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

use std::sync::atomic::{AtomicU64, Ordering};

use fedward_cel::session::Session;
use serde_json::{Value, json};

const CASES: &str = include_str!("../cases/cases.txt");
const VARIABLES: &str = include_str!("../cases/variables.json");

/// The numbers of variables and conditions, none of which is told twice.
static NEXT: AtomicU64 = AtomicU64::new(1);

fn outcome(session: &mut Session, expression: &str) -> String {
    let compiled = session.compile(json!({ "expressions": [expression] }).to_string().as_bytes()).unwrap();
    let compiled: Value = serde_json::from_slice(&compiled).unwrap();
    if let Some(message) = compiled.pointer("/0/problems/0/message") {
        return format!("refused: {}", message.as_str().unwrap());
    }
    let variables: Value = serde_json::from_str(VARIABLES).unwrap();
    let known = ["object", "oldObject", "request"].map(|name| Some(variables[name].to_string()));
    evaluate(session, known.each_ref().map(Option::as_deref), expression)
}

/// What comes of a condition over `object`, `oldObject` and `request`, of which those that are `None` are not known.
fn evaluate(session: &mut Session, known: [Option<&str>; 3], expression: &str) -> String {
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let answer = session.evaluate(&payload(number, Some(known), &[(number, expression)], &[(number, 1)])).unwrap();
    match answer.as_slice() {
        [0] => "true".to_owned(),
        [1, 0, 0, 0, 0] => "false".to_owned(),
        [2, 0, 0, 0, 0, _, _, _, _, text @ ..] => format!("error: {}", str::from_utf8(text).unwrap()),
        [4, 0, 0, 0, 0, _, _, _, _, text @ ..] => format!("not known: {}", str::from_utf8(text).unwrap()),
        other => panic!("{expression}: {other:?}"),
    }
}

/// A payload: the number of variables and, if they are told, which are known; expressions that are told, each with its number; and of
/// policies, the number of the first expression and how many they have.
fn payload(number: u64, told: Option<[Option<&str>; 3]>, expressions: &[(u64, &str)], policies: &[(u64, u32)]) -> Vec<u8> {
    let text = |payload: &mut Vec<u8>, text: &str| {
        payload.extend_from_slice(&(text.len() as u32).to_le_bytes());
        payload.extend_from_slice(text.as_bytes());
    };
    let mut payload = number.to_le_bytes().to_vec();
    match told {
        None => payload.push(0),
        Some(known) => {
            payload.push((0..).zip(known).fold(1 << 4, |which, (index, known)| which | u8::from(known.is_some()) << index));
            known.into_iter().flatten().for_each(|json| text(&mut payload, json));
        }
    }
    payload.extend_from_slice(&(expressions.len() as u32).to_le_bytes());
    for (number, expression) in expressions {
        payload.extend_from_slice(&number.to_le_bytes());
        text(&mut payload, expression);
    }
    payload.extend_from_slice(&(policies.len() as u32).to_le_bytes());
    for (first, count) in policies {
        payload.extend_from_slice(&first.to_le_bytes());
        payload.extend_from_slice(&count.to_le_bytes());
    }
    payload
}

#[test]
fn every_case_of_the_table_holds() {
    let mut session = Session::new();
    let mut wrong = Vec::new();
    let mut count = 0;
    for line in CASES.lines().filter(|line| !line.starts_with('#')) {
        let Some((expression, expected)) = line.split_once(" ==> ") else { continue };
        count += 1;
        let found = outcome(&mut session, expression);
        // What only says `error` or `refused:` leaves the words to the interpreter.
        let holds = match expected {
            "error" | "refused: " | "refused:" => found.starts_with(expected.trim_end()),
            expected => found == expected,
        };
        if !holds {
            wrong.push(format!("{expression}\n    expected {expected}\n    found    {found}"));
        }
    }
    assert!(count >= 120, "only {count} cases");
    assert!(wrong.is_empty(), "{} of {count}:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn paths_lead_where_they_are_written_to() {
    let mut session = Session::new();
    let object = r#"{"a":{"b":{"c":1,"n":null,"l":[1,{"d":2}]},"b.c":2,"x/y":{"z.c":3}},"a.b":4,"s":"t","n":null,"object":{"a":5},"twice":{"u":1,"t":1,"s":3,"t":2}}"#;
    let cases = [
        ("object.a.b.c == 1", "true"),
        ("object.a.`b.c` == 2 && object.`a.b` == 4 && object.a.`x/y`.`z.c` == 3", "true"),
        (".object.a.b.c == 1", "true"),
        ("object.object.a == 5", "true"),
        ("object.a.b.n == null && object.n == null", "true"),
        ("object.a.b.l == [1, dyn({'d': 2})] && object.a.b.l[1].d == 2", "true"),
        ("object.a.b == {'c': 1, 'n': dyn(null), 'l': dyn([1, {'d': 2}])} && object.a.b.size() == 3", "true"),
        ("object.twice.t == 2 && object.twice == {'s': 3, 't': 2, 'u': 1} && object.twice.size() == 3", "true"),
        ("'b.c' in object.a && object.a['b.c'] == 2 && object['a.b'] == 4 && object.a.map(k, k).size() == 3", "true"),
        ("object.a == object.a && object.a.b == object['a']['b'] && object.a != object.a.b", "true"),
        ("object.a.b.d == 1", "error: no such key: `d`"),
        ("object.d.b.c == 1", "error: no such key: `d`"),
        ("object.a.`b.d` == 1", "error: no such key: `b.d`"),
        ("object.s.t == 1", "error: no matching overload of `.` for (string, string)"),
        ("object.n.t == 1", "error: no matching overload of `.` for (null_type, string)"),
        ("object.a.b.l.t == 1", "error: no matching overload of `.` for (list, string)"),
        ("object.a.b.c.t.u == 1", "error: no matching overload of `.` for (int, string)"),
        ("request.name == ''", "not known: `request` is not known"),
        ("oldObject.metadata.name == ''", "error: no matching overload of `.` for (null_type, string)"),
        // What takes the place of an error takes it here, too.
        ("object.d.b || true", "true"),
        ("object.d.b && false", "false"),
        ("object.d.b || false", "error: no such key: `d`"),
        ("[1, 2].all(i, object.d.b == i)", "error: no such key: `d`"),
        ("[1, 2].exists(i, object.d.b == i || i == 2)", "true"),
        ("has(object.a.b) && has(object.a.b.n) && has(object.a.`b.c`) && !has(object.a.c)", "true"),
        // What can have no fields has none: cel-go.
        ("has(object.s.t) || has(object.n.t) || has(object.a.b.c.t)", "false"),
        (
            "[dyn(1), 'a', dyn(null), dyn(1.5), dyn(true), dyn(timestamp('2024-01-01T00:00:00Z')), dyn(duration('1s'))].exists(x, has(x.t))",
            "false",
        ),
        ("[{'t': null}].all(x, has(x.t) && !has(x.u) && !has(x.t.u))", "true"),
        ("[[1]].exists(x, has(x.t))", "error: no matching overload of `.` for (list, string)"),
        ("has(object.a) && !has(object.c) && has(object.`a.b`) && !has(oldObject.a) || true", "true"),
        ("has(oldObject.a)", "false"),
        ("has(object.a.b.l.t)", "error: no matching overload of `.` for (list, string)"),
        ("has(object.d.b) || true", "true"),
        ("[{'a': {'b': 7}}].all(object, has(object.a.b) && !has(object.s))", "true"),
        ("has(object.d.b)", "error: no such key: `d`"),
        ("has(object.a.b.d.e)", "error: no such key: `d`"),
        ("has(request.name)", "not known: `request` is not known"),
        ("object.a.?b.c.orValue(0) == 1 && object.a.?d.c.orValue(0) == 0 && object.?a.b.?c == optional.of(1)", "true"),
        ("object.d.?b.orValue(true)", "error: no such key: `d`"),
        // A variable of a comprehension hides one of the request, and nothing else does.
        ("[{'a': {'b': 7}}].all(object, object.a.b == 7)", "true"),
        ("[{'a': 7}].all(object, object.a == 7 && .object.a.b.c == 1)", "true"),
        ("[{'a': 7}].all(o, o.a == 7 && object.a.b.c == 1)", "true"),
        ("[{'a': 7}].map(object, object.a)[0] == 7 && object.a.b.c == 1", "true"),
        ("[object.a].all(object, object.b.c == 1)", "true"),
        ("{'k': {'b': 7}}.all(k, object, object.b == 7) && object.a.b.c == 1", "true"),
        ("optional.of({'b': 7}).optMap(object, object.b).value() == 7 && object.a.b.c == 1", "true"),
        ("[{'x': {'y': 1}}].all(object, object.a.b.c == 1)", "error: no such key: `a`"),
    ];
    let mut wrong = Vec::new();
    for (expression, expected) in cases {
        let found = evaluate(&mut session, [Some(object), Some("null"), None], expression);
        if found != expected {
            wrong.push(format!("{expression}\n    expected {expected}\n    found    {found}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn json_is_what_it_says() {
    let mut session = Session::new();
    let object = r#"{"z":[{"b":1,"a":"\u00e4","b":2},[],{}],"\u0061b\n":"q\"\\\n","":0,"i":-9223372036854775808,"u":9223372036854775808,
        "d":1e2,"w":1.0,"t":true,"f":false,"n":null,"o":{},"l":[]}"#;
    let cases = [
        ("object.z[0] == {'a': 'ä', 'b': dyn(2)} && object.z[0].size() == 2 && object.z[1] == [] && object.z[2] == {}", "true"),
        ("object['ab\\n'] == 'q\"\\\\\\n' && object[''] == 0 && object.size() == 12", "true"),
        ("type(object.i) == int && object.i == -9223372036854775808 && type(object.u) == double && object.u > 9.2e18", "true"),
        ("type(object.d) == double && object.d == 100.0 && type(object.w) == double", "true"),
        ("object.t && !object.f && type(object.n) == null_type && type(object.o) == map && type(object.l) == list", "true"),
        ("object.o == {} && object.l == [] && object.o.size() == 0", "true"),
        ("string(object['ab\\n']).size() == 4 && object.z[0].a + 'x' == 'äx'", "true"),
    ];
    for (expression, expected) in cases {
        assert_eq!(evaluate(&mut session, [Some(object), None, None], expression), expected, "{expression}");
    }
    for (whole, expected) in [("1", "1"), ("\"t\"", "'t'"), ("null", "null"), ("[1, 2]", "[1, 2]"), ("true", "true")] {
        assert_eq!(evaluate(&mut session, [Some(whole), None, None], &format!("object == {expected}")), "true", "{whole}");
    }
    for broken in ["", " ", "{", "{\"a\":}", "{\"a\":1,}", "1 2", "{\"s\":hunter2}", "1e999", "\"\\x\"", &"[".repeat(1000)] {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let found = session.evaluate(&payload(number, Some([Some(broken), None, None]), &[(number, "true")], &[(number, 1)]));
        assert_eq!(found, Err("the variables cannot be read: not usable JSON, or nested too deeply".to_owned()), "{broken}");
    }
    assert_eq!(session.evaluate(b"{}"), Err("the variables cannot be read: cut off".to_owned()));
}

#[test]
fn what_was_not_told_is_said_to_be_forgotten() {
    const FORGOTTEN: [u8; 1] = [3];
    let mut session = Session::new();
    let mut ask = |payload: Vec<u8>| session.evaluate(&payload).unwrap();
    let (one, other) = (Some([Some(r#"{"a":1}"#), None, None]), Some([Some(r#"{"a":2}"#), None, None]));
    assert_eq!(ask(payload(1, None, &[], &[])), FORGOTTEN);
    assert_eq!(ask(payload(1, one, &[], &[(1, 1)])), FORGOTTEN);
    assert_eq!(ask(payload(1, one, &[(1, "object.a == 1"), (2, "object.a == 2")], &[(1, 1), (2, 1), (3, 0)])), [0, 1, 0, 0, 0, 0, 0]);
    assert_eq!(ask(payload(1, None, &[], &[(1, 2), (2, 1)])), [1, 1, 0, 0, 0, 1, 0, 0, 0, 0]);
    assert_eq!(ask(payload(2, None, &[], &[(1, 1)])), FORGOTTEN);
    assert_eq!(ask(payload(2, other, &[], &[(1, 1), (2, 1)])), [1, 0, 0, 0, 0, 0]);
    assert_eq!(ask(payload(2, None, &[], &[(2, 1)])), [0]);
    assert_eq!(ask(payload(1, None, &[], &[(1, 1)])), FORGOTTEN);
    // The third is none that was told: the second is not the last of what is asked for.
    assert_eq!(ask(payload(2, None, &[], &[(2, 1), (2, 2)])), FORGOTTEN);
    assert_eq!(ask(payload(2, None, &[], &[(u64::MAX, 2)])), FORGOTTEN);
    // Two with the same text, and one that another takes the number of.
    assert_eq!(ask(payload(2, None, &[(3, "object.a == 2"), (1, "object.a == 2")], &[(1, 3)])), [0]);
}
