//! waPC as upstream's host speaks it.

use fedward_host::{CallError, Limits, NoHostCalls, Stats, Strategy};

use crate::guests::{MEMORY, Recorder, STRATEGIES, answer, answer_and_log, echo, evaluator, guest_call, wasm};

/// Texts for guests to say, and names for a host call to `bind`/`name`/`echo` with the payload `text`.
const TEXTS: &str = r#"(data (i32.const 0) "bindname" "echo" "text" "nope" "\ff!" "line\n")"#;
const HOST_CALL: &str = "(call $host_call (i32.const 0) (i32.const 4) (i32.const 4) (i32.const 4)
    (i32.const 8) (i32.const 4) (i32.const 12) (i32.const 4))";
const FAILING_HOST_CALL: &str = "(call $host_call (i32.const 0) (i32.const 4) (i32.const 4) (i32.const 4)
    (i32.const 16) (i32.const 4) (i32.const 0) (i32.const 0))";
const RESPOND: &str = "(call $guest_response (i32.const 12) (i32.const 4))";
const FAIL: &str = "(call $guest_error (i32.const 16) (i32.const 4))";

fn saying(body: &str) -> Vec<u8> {
    wasm(&format!("{TEXTS} {}", guest_call(body)))
}

fn guest_error(text: &str) -> Result<String, CallError> {
    Err(CallError::Guest { text: text.to_owned() })
}

#[test]
fn a_payload_reaches_the_guest_and_its_response_comes_back() {
    assert_eq!(answer(&echo(), r#"{"request":{}}"#).unwrap(), r#"{"request":{}}"#);
    assert_eq!(answer(&echo(), "").unwrap(), "");
}

#[test]
fn the_operation_reaches_the_guest() {
    let body = "(call $guest_request (global.get $op) (global.get $payload))
        (call $guest_response (global.get $op) (local.get $op_len)) (i32.const 1)";
    assert_eq!(answer(&saying(body), "payload").unwrap(), "validate");
}

#[test]
fn the_three_operations_have_their_names() {
    let body = "(call $guest_request (global.get $op) (global.get $payload))
        (call $guest_response (global.get $op) (i32.sub (global.get $payload) (global.get $op))) (i32.const 1)";
    let mut evaluator = evaluator(&saying(body), Strategy::Fresh, &Limits::default());
    let host = &mut NoHostCalls;
    let name = |answer: Result<&[u8], CallError>| String::from_utf8(answer.unwrap().to_vec()).unwrap().trim_end_matches('\0').to_owned();
    assert_eq!(name(evaluator.protocol_version(host)), "protocol_version");
    assert_eq!(name(evaluator.validate_settings(b"{}", host)), "validate_settings");
    assert_eq!(name(evaluator.validate(b"{}", host)), "validate");
}

#[test]
fn what_the_guest_returns_decides_between_response_and_error() {
    let no_error = "No error message set for call failure";
    let nothing = "No error message OR response set for call success";
    for (said, failed, succeeded) in [
        (String::new(), guest_error(no_error), guest_error(nothing)),
        (RESPOND.to_owned(), guest_error(no_error), Ok("text".to_owned())),
        (FAIL.to_owned(), guest_error("nope"), guest_error("nope")),
        (format!("{RESPOND} {FAIL}"), guest_error("nope"), Ok("text".to_owned())),
    ] {
        assert_eq!(answer(&saying(&format!("{said} (i32.const 0)")), ""), failed, "{said} returns 0");
        assert_eq!(answer(&saying(&format!("{said} (i32.const 1)")), ""), succeeded, "{said} returns 1");
        assert_eq!(answer(&saying(&format!("{said} (i32.const -7)")), ""), succeeded, "{said} returns -7");
    }
}

#[test]
fn an_empty_response_is_a_response() {
    assert_eq!(answer(&saying("(call $guest_response (i32.const 0) (i32.const 0)) (i32.const 1)"), "").unwrap(), "");
}

#[test]
fn a_slot_never_holds_what_an_earlier_call_left() {
    // The first call responds, the second says nothing, the third fails.
    let module = wasm(&format!(
        "{TEXTS} (global $count (mut i32) (i32.const 0)) {}",
        guest_call(&format!(
            "(global.set $count (i32.add (global.get $count) (i32.const 1)))
             (if (i32.eq (global.get $count) (i32.const 1)) (then {RESPOND} {FAIL} (drop {HOST_CALL}) (return (i32.const 1))))
             (if (i32.eq (global.get $count) (i32.const 2)) (then (return (i32.const 1))))
             (i32.store (i32.const 100) (i32.add (call $host_response_len) (call $host_error_len)))
             (call $guest_response (i32.const 100) (i32.const 4)) (i32.const 1)"
        ))
    ));
    let mut evaluator = evaluator(&module, Strategy::Kept, &Limits::default());
    let mut host = Recorder::default();
    assert_eq!(evaluator.call("a", b"", &mut host).unwrap(), b"text");
    let nothing = CallError::Guest { text: "No error message OR response set for call success".into() };
    assert_eq!(evaluator.call("b", b"", &mut host).unwrap_err(), nothing);
    assert_eq!(evaluator.call("c", b"", &mut host).unwrap(), [0; 4], "lengths of the host's slots");
}

#[test]
fn starters_run_once_per_instance_in_their_order() {
    let start = |name: &str, at: u32| format!(r#"(func (export "{name}") (call $console_log (i32.const {at}) (i32.const 1)))"#);
    let starters = format!("{} {}", start("wapc_init", 1), start("_start", 0));
    let module = wasm(&format!(r#"(data (i32.const 0) "si") {starters} {}"#, guest_call(&format!("{RESPOND} (i32.const 1)"))));
    for (strategy, expected) in [(Strategy::Fresh, "sisi"), (Strategy::Kept, "si")] {
        let mut evaluator = evaluator(&module, strategy, &Limits::default());
        let mut host = Recorder::default();
        evaluator.call("validate", b"", &mut host).unwrap();
        evaluator.call("validate", b"", &mut host).unwrap();
        assert_eq!(host.logged.concat(), expected);
    }
}

#[test]
fn a_start_section_can_use_the_imports() {
    let module = format!("{TEXTS} (func $main (call $console_log (i32.const 12) (i32.const 4))) (start $main)");
    let module = wasm(&format!("{module} {}", guest_call(&format!("{RESPOND} (i32.const 1)"))));
    assert_eq!(answer_and_log(&module, "").1.logged, ["text"]);
}

#[test]
fn a_starter_has_no_request_to_read() {
    let module = format!(
        r#"{TEXTS} (func (export "wapc_init") (call $guest_request (i32.const 12) (i32.const 12)))
        {}"#,
        guest_call(&format!("{RESPOND} (i32.const 1)"))
    );
    assert_eq!(answer(&wasm(&module), "payload").unwrap(), "text");
}

#[test]
fn a_host_call_brings_its_answer() {
    let body = format!(
        "(if (i32.ne {HOST_CALL} (i32.const 1)) (then unreachable))
         (call $host_response (global.get $answer))
         (call $guest_response (global.get $answer) (call $host_response_len))
         (i32.eqz (call $host_error_len))"
    );
    let (answer, host) = answer_and_log(&saying(&body), "");
    assert_eq!(answer.unwrap(), "text");
    assert_eq!(host.calls, ["bind/name/echo text"]);
}

#[test]
fn a_host_call_that_fails_brings_its_text() {
    let body = format!(
        "(drop {HOST_CALL})
         (if (i32.ne {FAILING_HOST_CALL} (i32.const 0)) (then unreachable))
         (if (call $host_response_len) (then unreachable))
         (call $host_error (global.get $answer))
         (call $guest_error (global.get $answer) (call $host_error_len)) (i32.const 0)"
    );
    let (answer, host) = answer_and_log(&saying(&body), "");
    assert_eq!(answer, guest_error("unknown operation: nope"));
    assert_eq!(host.calls, ["bind/name/echo text", "bind/name/nope "]);
}

#[test]
fn a_host_without_capabilities_refuses() {
    let body = format!(
        "(drop {HOST_CALL}) (call $host_error (global.get $answer))
         (call $guest_error (global.get $answer) (call $host_error_len)) (i32.const 0)"
    );
    let mut evaluator = evaluator(&saying(&body), Strategy::Fresh, &Limits::default());
    let error = evaluator.call("validate", b"", &mut NoHostCalls).unwrap_err();
    assert_eq!(error, CallError::Guest { text: "unknown binding: bind".into() });
}

#[test]
fn a_broken_character_in_the_log_is_replaced_and_in_an_error_refused() {
    let log = answer_and_log(&saying(&format!("(call $console_log (i32.const 20) (i32.const 2)) {RESPOND} (i32.const 1)")), "");
    assert_eq!(log.1.logged, ["\u{fffd}!"]);
    let error = answer(&saying("(call $guest_error (i32.const 20) (i32.const 2)) (i32.const 0)"), "");
    assert_eq!(error, Err(CallError::Text { import: "__guest_error" }));
    let name = "(call $host_call (i32.const 0) (i32.const 4) (i32.const 20) (i32.const 2) (i32.const 0) (i32.const 4) (i32.const 0) (i32.const 0))";
    assert_eq!(answer(&saying(name), ""), Err(CallError::Text { import: "__host_call" }));
}

#[test]
fn a_trap_tells_the_last_log_lines() {
    let body = "(local.set $n (i32.const 0))
        (loop $again
            (call $console_log (i32.const 22) (i32.const 5))
            (br_if $again (i32.ne (local.tee $n (i32.add (local.get $n) (i32.const 1))) (i32.const 20))))
        (call $console_log (i32.const 16) (i32.const 4)) unreachable";
    let error = answer(&saying(body), "").unwrap_err();
    let mut log = vec!["line".to_owned(); 7];
    log.push("nope".to_owned());
    assert_eq!(error, CallError::Trap { message: "wasm `unreachable` instruction executed".into(), log });
    assert!(error.to_string().ends_with("it last logged: line | line | line | line | line | line | line | nope"), "{error}");
}

#[test]
fn statistics_are_of_the_last_call_alone() {
    let body =
        format!("(call $console_log (i32.const 22) (i32.const 5)) (drop {HOST_CALL}) (drop {FAILING_HOST_CALL}) {RESPOND} (i32.const 1)");
    for strategy in STRATEGIES {
        let mut evaluator = evaluator(&saying(&body), strategy, &Limits::default());
        for first in [true, false] {
            evaluator.call("validate", b"", &mut Recorder::default()).unwrap();
            let expected = Stats {
                host_calls: 2,
                host_request_bytes: 16 + 12,
                host_response_bytes: 4,
                log_bytes: 5,
                log_lines: 1,
                memory_bytes: MEMORY,
                instantiated: first || strategy == Strategy::Fresh,
            };
            assert_eq!(evaluator.stats(), expected);
        }
    }
}
