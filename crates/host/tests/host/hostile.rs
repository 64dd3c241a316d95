//! Guests that misbehave: each ends in its own error, in time, and harms nobody else.

use std::time::{Duration, Instant};

use fedward_host::{CallError, Evaluator, Host, Limits, Module, NoHostCalls, Phase, Strategy};

use crate::guests::{Recorder, STRATEGIES, echo, guest_call, importing, only_with_payload, wasm};

/// Nothing here takes this long unless nothing ends it.
const FAR_TOO_LONG: Duration = Duration::from_secs(20);

/// Small bounds, so that tests are fast, except for time: a busy machine must not change what a test finds.
fn limits() -> Limits {
    let mut limits = Limits::default();
    limits.call_time = FAR_TOO_LONG * 2;
    limits.init_time = FAR_TOO_LONG * 2;
    limits.memory_bytes = 4 << 20;
    limits.table_elements = 1_000;
    limits.response_bytes = 100_000;
    limits.host_calls = 50;
    limits.host_request_bytes = 10_000;
    limits.host_response_bytes = 20_000;
    limits.log_bytes = 30_000;
    limits.log_lines = 100;
    limits
}

/// Bounds that an endless guest meets soon, and that the well-behaved guests beside it do not.
fn hurried() -> Limits {
    let mut limits = limits();
    limits.call_time = Duration::from_millis(250);
    limits.init_time = Duration::from_millis(150);
    limits
}

/// The error of a guest that does `body` when it gets a payload, with `fields` beside its function. Checks that the guest, and
/// another of the same host, work afterwards.
fn misbehave(fields: &str, body: &str, limits: Limits) -> CallError {
    let module = wasm(&format!("{fields} {}", only_with_payload(body)));
    let [fresh, kept] = STRATEGIES.map(|strategy| {
        let host = Host::new(limits.clone());
        let mut bystander = Module::from_wasm(&host, strategy, &echo()).unwrap().evaluator();
        assert_eq!(bystander.call("validate", b"before", &mut NoHostCalls).unwrap(), b"before");
        let mut evaluator = Module::from_wasm(&host, strategy, &module).unwrap().evaluator();
        evaluator.call("validate", b"", &mut NoHostCalls).unwrap();

        let error = error_in_time(&mut evaluator);
        assert_eq!(error_in_time(&mut evaluator), error, "the second time");
        assert_eq!(evaluator.call("validate", b"", &mut NoHostCalls).unwrap(), b"");
        assert!(evaluator.stats().instantiated, "an instance was called again after an error");
        assert_eq!(bystander.call("validate", b"after", &mut NoHostCalls).unwrap(), b"after");
        error
    });
    assert_eq!(fresh, kept);
    fresh
}

fn error_in_time(evaluator: &mut Evaluator) -> CallError {
    let start = Instant::now();
    let error = evaluator.call("validate", b"do it", &mut Recorder::default()).unwrap_err();
    assert!(start.elapsed() < FAR_TOO_LONG, "nothing ended the guest");
    error
}

/// The error of a guest whose initialisation misbehaves, and a check that another of the same host works.
fn misbehave_at_start(fields: &str) -> CallError {
    misbehave_at_start_with("", fields, limits())
}

fn misbehave_at_start_with(imports: &str, fields: &str, limits: Limits) -> CallError {
    let module = importing(imports, &format!("{fields} {}", guest_call("(i32.const 1)")));
    let [fresh, kept] = STRATEGIES.map(|strategy| {
        let host = Host::new(limits.clone());
        let mut evaluator = Module::from_wasm(&host, strategy, &module).unwrap().evaluator();
        let error = error_in_time(&mut evaluator);
        assert_eq!(error_in_time(&mut evaluator), error, "the second time");
        let mut bystander = Module::from_wasm(&host, strategy, &echo()).unwrap().evaluator();
        assert_eq!(bystander.call("validate", b"after", &mut NoHostCalls).unwrap(), b"after");
        error
    });
    assert_eq!(fresh, kept);
    fresh
}

#[test]
fn an_endless_call_meets_its_deadline() {
    let expected = CallError::Deadline { limit: hurried().call_time, phase: Phase::Call };
    assert_eq!(misbehave("", "(loop $forever (br $forever)) unreachable", hurried()), expected);
    assert_eq!(expected.to_string(), "evaluation exceeded the time limit of 250 ms");
}

#[test]
fn an_endless_tail_call_meets_its_deadline() {
    let expected = CallError::Deadline { limit: hurried().call_time, phase: Phase::Call };
    assert_eq!(misbehave("(func $tail (return_call $tail))", "(call $tail) unreachable", hurried()), expected);
}

#[test]
fn an_endless_start_meets_its_deadline() {
    let expected = CallError::Deadline { limit: hurried().init_time, phase: Phase::Init };
    let endless = "(loop $forever (br $forever))";
    let endless_start = |fields: &str| misbehave_at_start_with("", fields, hurried());
    assert_eq!(endless_start(&format!(r#"(func (export "_start") {endless})"#)), expected);
    assert_eq!(endless_start(&format!(r#"(func (export "wapc_init") {endless})"#)), expected);
    assert_eq!(endless_start(&format!("(func $main {endless}) (start $main)")), expected);
    assert_eq!(expected.to_string(), "initialisation exceeded the time limit of 150 ms");
}

#[test]
fn no_time_at_all_is_over_at_the_first_look_at_the_clock() {
    let mut none = limits();
    none.call_time = Duration::ZERO;
    let module = wasm(&guest_call("(loop $forever (br $forever)) unreachable"));
    let mut evaluator = Module::from_wasm(&Host::new(none), Strategy::Kept, &module).unwrap().evaluator();
    assert_eq!(error_in_time(&mut evaluator), CallError::Deadline { limit: Duration::ZERO, phase: Phase::Call });
}

#[test]
fn a_limit_beyond_the_clock_is_no_limit() {
    let mut endless = Limits::default();
    endless.call_time = Duration::MAX;
    endless.init_time = Duration::MAX;
    let mut evaluator = Module::from_wasm(&Host::new(endless), Strategy::Kept, &echo()).unwrap().evaluator();
    assert_eq!(evaluator.call("validate", b"ping", &mut NoHostCalls).unwrap(), b"ping");
}

#[test]
fn a_memory_bomb_meets_its_limit() {
    let bomb = "(loop $more (drop (memory.grow (i32.const 1))) (br $more)) unreachable";
    assert_eq!(misbehave("", bomb, limits()), CallError::Memory { limit: 4 << 20 });
    let at_once = "(drop (memory.grow (i32.const 0xffff))) (i32.const 1)";
    assert_eq!(misbehave("", at_once, limits()), CallError::Memory { limit: 4 << 20 });
    let overflowing = "(drop (memory.grow (i32.const 0xffffffff))) (i32.const 1)";
    assert_eq!(misbehave("", overflowing, limits()), CallError::Memory { limit: 4 << 20 });
}

#[test]
fn a_memory_that_is_declared_huge_meets_its_limit() {
    let expected = CallError::Memory { limit: 4 << 20 };
    assert_eq!(misbehave_at_start(r#"(memory (export "memory") 65)"#), expected);
    assert_eq!(misbehave_at_start(r#"(memory (export "memory") 65536)"#), expected);
    assert_eq!(expected.to_string(), "the module exceeded the memory limit of 4194304 bytes");
}

#[test]
fn a_module_that_limits_itself_is_told_so() {
    // Growing beyond its own maximum answers -1, as the specification says.
    let body = "(if (i32.ne (memory.grow (i32.const 9)) (i32.const -1)) (then unreachable)) (i32.const 0)";
    let error = misbehave_softly(r#"(memory (export "memory") 8 16)"#, body);
    assert_eq!(error, CallError::Guest { text: "No error message set for call failure".into() });
}

fn misbehave_softly(fields: &str, body: &str) -> CallError {
    let module = wasm(&format!("{fields} {}", only_with_payload(body)));
    let mut evaluator = Module::from_wasm(&Host::new(limits()), Strategy::Kept, &module).unwrap().evaluator();
    error_in_time(&mut evaluator)
}

#[test]
fn a_table_bomb_meets_its_limit() {
    let bomb = "(loop $more (drop (table.grow $t (ref.null func) (i32.const 100))) (br $more)) unreachable";
    assert_eq!(misbehave("(table $t 1 funcref)", bomb, limits()), CallError::Table { limit: 1_000 });
    assert_eq!(misbehave_at_start("(table 1001 funcref)"), CallError::Table { limit: 1_000 });
}

#[test]
fn too_many_tables_are_refused() {
    let module = wasm(&format!("{} {}", "(table 1 funcref)".repeat(5), guest_call("(i32.const 1)")));
    for strategy in STRATEGIES {
        let loaded = Module::from_wasm(&Host::new(limits()), strategy, &module);
        let text = match loaded {
            Err(error) => error.to_string(),
            Ok(module) => module.evaluator().call("validate", b"", &mut NoHostCalls).unwrap_err().to_string(),
        };
        assert!(text.contains("table"), "{text}");
    }
}

#[test]
fn deep_recursion_meets_the_stack_limit() {
    let recursion = "(func $down (param i32) (result i32) (i32.add (call $down (local.get 0)) (i32.const 1)))";
    assert_eq!(misbehave(recursion, "(call $down (i32.const 1))", limits()), CallError::Stack { limit: 512 << 10, log: Vec::new() });
}

#[test]
fn the_stack_limit_is_the_hosts() {
    // 10,000 frames of some 32 bytes each fit in a megabyte, and not in 64 KiB.
    let recursion = "(func $down (param i32) (result i32)
        (if (result i32) (local.get 0)
            (then (i32.add (call $down (i32.sub (local.get 0) (i32.const 1))) (i32.const 1)))
            (else (i32.const 1))))";
    let module =
        wasm(&format!("{recursion} {}", guest_call("(call $guest_response (i32.const 0) (i32.const 0)) (call $down (i32.const 10000))")));
    let depth = |stack: usize| {
        let mut limits = limits();
        limits.stack_bytes = stack;
        let mut evaluator = Module::from_wasm(&Host::new(limits), Strategy::Kept, &module).unwrap().evaluator();
        evaluator.call("validate", b"", &mut NoHostCalls).map(drop)
    };
    assert_eq!(depth(1 << 20), Ok(()));
    assert_eq!(depth(64 << 10), Err(CallError::Stack { limit: 64 << 10, log: Vec::new() }));
}

#[test]
fn a_giant_response_meets_its_limit() {
    let expected = CallError::ResponseTooLarge { limit: 100_000 };
    assert_eq!(misbehave("", "(call $guest_response (i32.const 0) (i32.const 100001)) (i32.const 1)", limits()), expected);
    assert_eq!(misbehave("", "(call $guest_error (i32.const 0) (i32.const 100001)) (i32.const 0)", limits()), expected);
}

#[test]
fn a_response_at_its_limit_passes() {
    let body = "(call $guest_response (i32.const 0) (i32.const 100000)) (i32.const 1)";
    let module = wasm(&guest_call(body));
    let mut evaluator = Module::from_wasm(&Host::new(limits()), Strategy::Fresh, &module).unwrap().evaluator();
    assert_eq!(evaluator.call("validate", b"", &mut NoHostCalls).unwrap().len(), 100_000);
}

#[test]
fn a_log_flood_meets_its_limits() {
    let log = |length: u32| format!("(loop $more (call $console_log (i32.const 0) (i32.const {length})) (br $more)) unreachable");
    assert_eq!(misbehave("", &log(1_000), limits()), CallError::LogBytes { limit: 30_000 });
    assert_eq!(misbehave("", &log(400_000), limits()), CallError::LogBytes { limit: 30_000 });
    assert_eq!(misbehave("", &log(0), limits()), CallError::LogLines { limit: 100 });
    let line_ends = format!(r#"(data (i32.const 0) "{}")"#, "\\n".repeat(200));
    let once = "(call $console_log (i32.const 0) (i32.const 200)) unreachable";
    assert_eq!(misbehave(&line_ends, once, limits()), CallError::LogLines { limit: 100 });
}

#[test]
fn a_log_flood_at_the_start_meets_its_limits() {
    let flood = r#"(func (export "wapc_init") (loop $more (call $console_log (i32.const 0) (i32.const 9)) (br $more)))"#;
    assert_eq!(misbehave_at_start(flood), CallError::LogLines { limit: 100 });
}

/// A host call to `operation` with `payload` of which `length` bytes are told.
fn host_call(operation: &str, payload: &str, length: usize) -> (String, String) {
    let data = format!(r#"(data (i32.const 0) "{operation}{payload}")"#);
    let at = operation.len();
    let call = format!(
        "(call $host_call (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const {at}) (i32.const {at}) (i32.const {length}))"
    );
    (data, call)
}

#[test]
fn a_host_call_flood_meets_its_limit() {
    for operation in ["echo", "failing"] {
        let (data, call) = host_call(operation, "", 0);
        let flood = format!("(loop $more (drop {call}) (br $more)) unreachable");
        assert_eq!(misbehave(&data, &flood, limits()), CallError::HostCalls { limit: 50 });
    }
}

#[test]
fn a_giant_host_call_meets_its_limit() {
    let (data, call) = host_call("echo", "", 9_997);
    assert_eq!(misbehave(&data, &call, limits()), CallError::HostRequestTooLarge { limit: 10_000 });
    // Lengths that overflow when they are added.
    let all = "(call $host_call (i32.const 0) (i32.const -1) (i32.const 0) (i32.const -1) (i32.const 0) (i32.const -1) (i32.const 0) (i32.const -1))";
    assert_eq!(misbehave("", all, limits()), CallError::HostRequestTooLarge { limit: 10_000 });
}

#[test]
fn a_giant_answer_to_a_host_call_meets_its_limit() {
    let (data, call) = host_call("large", "20001", 5);
    assert_eq!(misbehave(&data, &call, limits()), CallError::HostResponseTooLarge { limit: 20_000 });
}

#[test]
fn traps_are_told_apart() {
    let trap = |fields: &str, body: &str| match misbehave(fields, body, limits()) {
        CallError::Trap { message, .. } => message,
        other => panic!("{other}"),
    };
    assert_eq!(trap("", "unreachable"), "wasm `unreachable` instruction executed");
    assert_eq!(trap("", "(i32.div_u (i32.const 1) (i32.const 0))"), "integer divide by zero");
    assert_eq!(trap("", "(i32.load (i32.const -8))"), "out of bounds memory access");
    assert_eq!(trap("(table 1 funcref)", "(call_indirect (result i32) (i32.const 5))"), "undefined element: out of bounds table access");
    assert_eq!(trap("(table 1 funcref)", "(call_indirect (result i32) (i32.const 0))"), "uninitialized element");
}

#[test]
fn a_start_that_traps_tells_its_log() {
    let start =
        r#"(data (i32.const 0) "panicked") (func (export "wapc_init") (call $console_log (i32.const 0) (i32.const 8)) unreachable)"#;
    let error = misbehave_at_start(start);
    let message = "wasm `unreachable` instruction executed".to_owned();
    assert_eq!(error, CallError::Trap { message, log: vec!["panicked".into()] });
}

#[test]
fn a_data_segment_out_of_bounds_is_a_trap() {
    let error = misbehave_at_start(r#"(data (i32.const 0x7fffffff) "x")"#);
    assert!(matches!(error, CallError::Trap { .. }), "{error}");
}

#[test]
fn a_wasi_sleep_ends_at_the_deadline() {
    // A subscription to a clock (kind 0, monotonic) for an hour.
    let imports = r#"(import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))"#;
    let sleep = r#"(func (export "_start")
        (i32.store (i32.const 16) (i32.const 1)) (i64.store (i32.const 24) (i64.const 3600000000000))
        (drop (call $poll (i32.const 0) (i32.const 100) (i32.const 1) (i32.const 200))))"#;
    assert_eq!(misbehave_at_start_with(imports, sleep, hurried()), CallError::Deadline { limit: hurried().init_time, phase: Phase::Init });
}

#[test]
fn a_wasi_log_flood_meets_its_limits() {
    let imports = r#"(import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))"#;
    let flood = |length: u32| {
        format!(
            r#"(func (export "_start") (i32.store (i32.const 0) (i32.const 100)) (i32.store (i32.const 4) (i32.const {length}))
            (loop $more (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8))) (br $more)))"#
        )
    };
    // No line end ever: what is held back is bounded too.
    assert_eq!(misbehave_at_start_with(imports, &flood(1_000), limits()), CallError::LogBytes { limit: 30_000 });
    let line_end = r#"(data (i32.const 100) "\n")"#;
    assert_eq!(misbehave_at_start_with(imports, &format!("{line_end} {}", flood(1)), limits()), CallError::LogLines { limit: 100 });
}
