//! The host's side of waPC, against a guest that makes any calls with any arguments.
#![no_main]

use std::cell::RefCell;
use std::sync::Arc;
use std::time::Duration;

use fedward_host::{Evaluator, Host, HostCalls, Limits, Module, Strategy};
use libfuzzer_sys::fuzz_target;

/// Reads its payload as a program: of every 36 bytes the first is an import, and what follows its arguments. Without a payload it
/// responds with nothing.
const GUEST: &str = r#"(module
    (import "wapc" "__guest_request" (func $guest_request (param i32 i32)))
    (import "wapc" "__guest_response" (func $guest_response (param i32 i32)))
    (import "wapc" "__guest_error" (func $guest_error (param i32 i32)))
    (import "wapc" "__host_call" (func $host_call (param i32 i32 i32 i32 i32 i32 i32 i32) (result i32)))
    (import "wapc" "__host_response_len" (func $host_response_len (result i32)))
    (import "wapc" "__host_response" (func $host_response (param i32)))
    (import "wapc" "__host_error_len" (func $host_error_len (result i32)))
    (import "wapc" "__host_error" (func $host_error (param i32)))
    (import "wapc" "__console_log" (func $console_log (param i32 i32)))
    (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "random_get" (func $random_get (param i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "environ_get" (func $environ_get (param i32 i32) (result i32)))
    (memory (export "memory") 4)
    (func (export "__guest_call") (param $op_len i32) (param $len i32) (result i32)
        (local $at i32) (local $end i32) (local $what i32) (local $a i32) (local $b i32) (local $c i32) (local $d i32)
        (if (i32.eqz (local.get $len)) (then (call $guest_response (i32.const 0) (i32.const 0)) (return (i32.const 1))))
        (call $guest_request (i32.const 0) (i32.const 0x20000))
        (local.set $at (i32.const 0x20000))
        (local.set $end (i32.add (local.get $at) (local.get $len)))
        (block $done (loop $next
            (br_if $done (i32.gt_u (i32.add (local.get $at) (i32.const 36)) (local.get $end)))
            (local.set $what (i32.rem_u (i32.load8_u (local.get $at)) (i32.const 13)))
            (local.set $a (i32.load offset=4 align=1 (local.get $at)))
            (local.set $b (i32.load offset=8 align=1 (local.get $at)))
            (local.set $c (i32.load offset=12 align=1 (local.get $at)))
            (local.set $d (i32.load offset=16 align=1 (local.get $at)))
            (if (i32.eq (local.get $what) (i32.const 0)) (then (call $guest_request (local.get $a) (local.get $b))))
            (if (i32.eq (local.get $what) (i32.const 1)) (then (call $guest_response (local.get $a) (local.get $b))))
            (if (i32.eq (local.get $what) (i32.const 2)) (then (call $guest_error (local.get $a) (local.get $b))))
            (if (i32.eq (local.get $what) (i32.const 3)) (then (drop (call $host_call
                (local.get $a) (local.get $b) (local.get $c) (local.get $d)
                (i32.load offset=20 align=1 (local.get $at)) (i32.load offset=24 align=1 (local.get $at))
                (i32.load offset=28 align=1 (local.get $at)) (i32.load offset=32 align=1 (local.get $at))))))
            (if (i32.eq (local.get $what) (i32.const 4)) (then (drop (call $host_response_len))))
            (if (i32.eq (local.get $what) (i32.const 5)) (then (call $host_response (local.get $a))))
            (if (i32.eq (local.get $what) (i32.const 6)) (then (drop (call $host_error_len))))
            (if (i32.eq (local.get $what) (i32.const 7)) (then (call $host_error (local.get $a))))
            (if (i32.eq (local.get $what) (i32.const 8)) (then (call $console_log (local.get $a) (local.get $b))))
            (if (i32.eq (local.get $what) (i32.const 9))
                (then (drop (call $fd_write (local.get $a) (local.get $b) (local.get $c) (local.get $d)))))
            (if (i32.eq (local.get $what) (i32.const 10)) (then (drop (call $random_get (local.get $a) (local.get $b)))))
            (if (i32.eq (local.get $what) (i32.const 11)) (then (drop (call $environ_get (local.get $a) (local.get $b)))))
            (if (i32.eq (local.get $what) (i32.const 12)) (then (return (local.get $a))))
            (local.set $at (i32.add (local.get $at) (i32.const 36)))
            (br $next)))
        (i32.const 1)))"#;

/// Answers with the first bytes of the payload, or refuses.
struct Answers;

impl HostCalls for Answers {
    fn call(&mut self, binding: &str, namespace: &str, operation: &str, payload: &[u8]) -> Result<Arc<[u8]>, String> {
        if payload.first().is_some_and(|first| first % 2 == 0) {
            Ok(payload.into())
        } else {
            Err(format!("{binding}{namespace}{operation}"))
        }
    }
}

thread_local! {
    static GUESTS: RefCell<Vec<Evaluator>> = RefCell::new({
        let mut limits = Limits::default();
        limits.call_time = Duration::from_secs(1);
        let host = Host::new(limits);
        let wasm = wat::parse_str(GUEST).unwrap();
        [Strategy::Fresh, Strategy::Kept].iter().map(|strategy| Module::from_wasm(&host, *strategy, &wasm).unwrap().evaluator()).collect()
    });
}

fuzz_target!(|program: &[u8]| {
    if program.len() > 0x10000 {
        return;
    }
    GUESTS.with_borrow_mut(|guests| {
        let mut answers = Vec::new();
        for guest in guests {
            answers.push(guest.call("validate", program, &mut Answers).map(<[u8]>::to_vec).map_err(|error| error.to_string()));
            assert_eq!(guest.call("validate", b"", &mut Answers).expect("a call that failed left something behind"), b"");
        }
        // Random bytes may be responded with; everything else is the same whichever way an instance lives.
        let is_random = program.chunks(36).any(|call| call[0] % 13 == 10);
        assert!(is_random || answers[0].is_ok() == answers[1].is_ok(), "{answers:?}");
    });
});
