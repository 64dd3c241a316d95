//! A pointer outside the guest's memory, in every parameter of every import that is one.

use fedward_host::{CallError, Host, Limits, Module, NoHostCalls};

use crate::guests::{MEMORY, Recorder, STRATEGIES, guest_call, importing};

/// Something to point at: an operation that succeeds with a payload of four bytes.
const DATA: &str = r#"(data (i32.const 0) "echo" "text")"#;
const HOST_CALL: &str = "(drop (call $host_call (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0)
    (i32.const 0) (i32.const 4) (i32.const 4) (i32.const 4)))";
const FAILING_HOST_CALL: &str = "(drop (call $host_call (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0)
    (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0)))";

/// What a guest with `body` answers to a payload of four bytes, however its instance lives.
fn call(imports: &str, body: &str) -> Result<(), CallError> {
    let module = importing(
        imports,
        &format!("{DATA} {}", guest_call(&format!("{body} (call $guest_response (i32.const 0) (i32.const 0)) (i32.const 1)"))),
    );
    let [fresh, kept] = STRATEGIES.map(|strategy| {
        let mut evaluator = Module::from_wasm(&Host::new(Limits::default()), strategy, &module).unwrap().evaluator();
        evaluator.call("validate", b"text", &mut Recorder::default()).map(drop)
    });
    assert_eq!(fresh, kept);
    fresh
}

/// Calls with `P` and `L` in `body` standing for a pointer and the length of what it points at, if the guest says how long that is.
/// `size` is that length where the import knows it.
fn check(import: &'static str, imports: &str, body: &str, size: usize) {
    let attempt = |pointer: i64, length: i64| {
        let number = |value: i64| format!("(i32.const {})", (value as u32).cast_signed());
        call(imports, &body.replace('P', &number(pointer)).replace('L', &number(length)))
    };
    let told = body.contains('L');
    let memory = MEMORY as i64;
    let size = size as i64;
    assert_eq!(attempt(memory - size, size), Ok(()), "{import}: the end of the memory is in it: {body}");
    let mut bad = vec![(memory - size + 1, size), (memory, size), (-1, size), (-size, size), (i64::from(i32::MIN), size)];
    if told {
        bad.extend([(0, memory + 1), (memory - size, size + 1), (1, memory), (-1, 1), (memory + 1, 0), (-1, 0)]);
    }
    for (pointer, length) in bad {
        let outcome = attempt(pointer, length);
        assert_eq!(outcome, Err(CallError::Pointer { import }), "{import}: {length} bytes at {pointer}: {body}");
    }
    if told {
        // A length beyond every limit has the limit's error, unless there is none.
        assert!(attempt(0, -1).is_err() && attempt(-1, -1).is_err(), "{import}: {body}");
    }
}

#[test]
fn in_wapc() {
    let validate = "validate".len();
    check("__guest_request", "", "(call $guest_request (i32.const 0) P)", 4);
    check("__guest_request", "", "(call $guest_request P (i32.const 0))", validate);
    check("__guest_response", "", "(call $guest_response P L)", 4);
    check("__guest_error", "", "(call $guest_error P L)", 4);
    check("__console_log", "", "(call $console_log P L)", 4);
    check("__host_response", "", &format!("{HOST_CALL} (call $host_response P)"), 4);
    check("__host_error", "", &format!("{FAILING_HOST_CALL} (call $host_error P)"), "unknown operation: ".len());
    for place in 0..4 {
        let mut parameters = ["(i32.const 0) (i32.const 0)"; 4];
        parameters[place] = "P L";
        check("__host_call", "", &format!("(drop (call $host_call {}))", parameters.join(" ")), 4);
    }
}

#[test]
fn in_wasi() {
    // Vectors and subscriptions that are fine in themselves lie in zeroed memory: no bytes at address 0; a wait of no time.
    for (name, parameters, call, size) in [
        ("args_sizes_get", "i32 i32", "P (i32.const 0)", 4),
        ("args_sizes_get", "i32 i32", "(i32.const 0) P", 4),
        ("environ_sizes_get", "i32 i32", "P (i32.const 0)", 4),
        ("environ_sizes_get", "i32 i32", "(i32.const 0) P", 4),
        ("clock_res_get", "i32 i32", "(i32.const 0) P", 8),
        ("clock_time_get", "i32 i64 i32", "(i32.const 1) (i64.const 0) P", 8),
        ("fd_fdstat_get", "i32 i32", "(i32.const 1) P", 24),
        ("fd_filestat_get", "i32 i32", "(i32.const 1) P", 64),
        ("fd_read", "i32 i32 i32 i32", "(i32.const 0) (i32.const 0) (i32.const 0) P", 4),
        ("fd_write", "i32 i32 i32 i32", "(i32.const 1) (i32.const 0) (i32.const 0) P", 4),
        ("fd_write", "i32 i32 i32 i32", "(i32.const 1) P (i32.const 1) (i32.const 64)", 8),
        ("poll_oneoff", "i32 i32 i32 i32", "P (i32.const 64) (i32.const 1) (i32.const 256)", 48),
        ("poll_oneoff", "i32 i32 i32 i32", "(i32.const 512) P (i32.const 1) (i32.const 256)", 32),
        ("poll_oneoff", "i32 i32 i32 i32", "(i32.const 512) (i32.const 64) (i32.const 1) P", 4),
        ("random_get", "i32 i32", "P (i32.const 16)", 16),
    ] {
        let import = format!(r#"(import "wasi_snapshot_preview1" "{name}" (func $f (param {parameters}) (result i32)))"#);
        check(name, &import, &format!("(drop (call $f {call}))"), size);
    }
    // What a vector points at.
    let import = r#"(import "wasi_snapshot_preview1" "fd_write" (func $f (param i32 i32 i32 i32) (result i32)))"#;
    let write = "(i32.store (i32.const 512) P) (i32.store (i32.const 516) L)
        (drop (call $f (i32.const 2) (i32.const 512) (i32.const 1) (i32.const 64)))";
    check("fd_write", import, write, 4);
}

/// A length that WASI multiplies.
#[test]
fn in_many_vectors() {
    for (name, call) in [
        ("fd_write", "(i32.const 1) (i32.const 0) (i32.const 0x20000001) (i32.const 64)"),
        ("poll_oneoff", "(i32.const 0) (i32.const 0) (i32.const 0x05555556) (i32.const 64)"),
        ("poll_oneoff", "(i32.const 0) (i32.const 0) (i32.const -1) (i32.const 64)"),
    ] {
        let import = format!(r#"(import "wasi_snapshot_preview1" "{name}" (func $f (param i32 i32 i32 i32) (result i32)))"#);
        // Error 28 is "invalid".
        let body = format!("(if (i32.ne (call $f {call}) (i32.const 28)) (then unreachable))");
        assert_eq!(self::call(&import, &body), Ok(()), "{name}");
    }
}

#[test]
fn a_payload_that_does_not_fit_traps() {
    let module = importing("", &guest_call("(call $guest_request (i32.const 0) (i32.const 0)) (i32.const 1)"));
    for strategy in STRATEGIES {
        let mut evaluator = Module::from_wasm(&Host::new(Limits::default()), strategy, &module).unwrap().evaluator();
        let error = evaluator.call("validate", &vec![0; MEMORY + 1], &mut NoHostCalls).unwrap_err();
        assert_eq!(error, CallError::Pointer { import: "__guest_request" });
    }
}
