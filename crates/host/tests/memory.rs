//! Memory stays flat over many calls. A process of its own, so that nothing else allocates.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "tests")]

use fedward_host::{Host, Limits, Module, NoHostCalls, Strategy};

/// Responds with its payload, fails with it if it begins with `f`, and traps if it begins with `t`.
const GUEST: &str = r#"(module
    (import "wapc" "__guest_request" (func $request (param i32 i32)))
    (import "wapc" "__guest_response" (func $respond (param i32 i32)))
    (import "wapc" "__guest_error" (func $fail (param i32 i32)))
    (import "wapc" "__console_log" (func $log (param i32 i32)))
    (memory (export "memory") 1)
    (func (export "__guest_call") (param $op_len i32) (param $len i32) (result i32)
        (call $request (i32.const 0) (i32.const 1024))
        (call $log (i32.const 0) (local.get $op_len))
        (if (i32.eq (i32.load8_u (i32.const 1024)) (i32.const 0x74)) (then unreachable))
        (if (i32.eq (i32.load8_u (i32.const 1024)) (i32.const 0x66))
            (then (call $fail (i32.const 1024) (local.get $len)) (return (i32.const 0))))
        (call $respond (i32.const 1024) (local.get $len))
        (i32.const 1)))"#;

/// Resident memory of this process in bytes.
fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<usize>().unwrap() << 10
}

#[test]
fn memory_stays_flat() {
    let wasm = wat::parse_str(GUEST).unwrap();
    for (strategy, first, calls) in [
        (Strategy::Kept, "x", 100_000),
        (Strategy::Kept, "f", 100_000),
        (Strategy::Kept, "t", 2_000),
        (Strategy::Fresh, "x", 20_000),
        (Strategy::Fresh, "t", 2_000),
    ] {
        let mut evaluator = Module::from_wasm(&Host::new(Limits::default()), strategy, &wasm).unwrap().evaluator();
        let payload = first.repeat(1_200);
        let mut call = |times: u32| {
            for _ in 0..times {
                assert_eq!(evaluator.validate(payload.as_bytes(), &mut NoHostCalls).is_ok(), first == "x");
            }
            evaluator.stats().memory_bytes
        };
        assert_eq!(call(1_000), 1 << 16);
        let before = resident();
        assert_eq!(call(calls), 1 << 16);
        let grown = resident().saturating_sub(before);
        assert!(grown < 1 << 20, "{strategy:?}, {first}: grew by {grown} bytes");
    }
}
