//! How long instances live, and what they share.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread;

use fedward_host::{CallError, Evaluator, Host, HostCalls, Limits, Module, NoHostCalls, Strategy};

use crate::guests::{STRATEGIES, echo, evaluator, guest_call, wasm};

/// Responds with how often this instance was called; fails or traps when told to by the payload's length.
fn counter() -> Vec<u8> {
    wasm(&format!(
        "(global $count (mut i32) (i32.const 0)) {}",
        guest_call(
            "(global.set $count (i32.add (global.get $count) (i32.const 1)))
             (i32.store (i32.const 0) (global.get $count))
             (call $guest_response (i32.const 0) (i32.const 4))
             (if (i32.eq (local.get $len) (i32.const 2)) (then unreachable))
             (if (i32.eq (local.get $len) (i32.const 3)) (then (drop (call $host_call (i32.const 0) (i32.const 0)
                (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0)))))
             (i32.ne (local.get $len) (i32.const 1))"
        )
    ))
}

const FAIL: &[u8] = b"1";
const TRAP: &[u8] = b"22";
const HOST_CALL: &[u8] = b"333";

/// How often the instance behind `evaluator` was called.
fn count(evaluator: &mut Evaluator) -> u32 {
    u32::from_le_bytes(evaluator.call("validate", b"", &mut NoHostCalls).unwrap().try_into().unwrap())
}

#[test]
fn a_fresh_instance_remembers_nothing_and_a_kept_one_lives_on() {
    let mut fresh = evaluator(&counter(), Strategy::Fresh, &Limits::default());
    assert_eq!([count(&mut fresh), count(&mut fresh), count(&mut fresh)], [1, 1, 1]);
    let mut kept = evaluator(&counter(), Strategy::Kept, &Limits::default());
    assert_eq!([count(&mut kept), count(&mut kept), count(&mut kept)], [1, 2, 3]);
}

#[test]
fn a_guest_error_keeps_the_instance_and_a_trap_drops_it() {
    let mut kept = evaluator(&counter(), Strategy::Kept, &Limits::default());
    assert_eq!(count(&mut kept), 1);
    assert!(matches!(kept.call("validate", FAIL, &mut NoHostCalls), Err(CallError::Guest { .. })));
    assert_eq!(count(&mut kept), 3);
    assert!(matches!(kept.call("validate", TRAP, &mut NoHostCalls), Err(CallError::Trap { .. })));
    assert_eq!(count(&mut kept), 1);
}

#[test]
fn a_panic_of_the_host_drops_the_instance_and_nothing_else() {
    struct Panicking;
    impl HostCalls for Panicking {
        fn call(&mut self, _: &str, _: &str, _: &str, _: &[u8]) -> Result<Arc<[u8]>, String> {
            panic!("in the host")
        }
    }
    for strategy in STRATEGIES {
        let mut evaluator = evaluator(&counter(), strategy, &Limits::default());
        count(&mut evaluator);
        let call = AssertUnwindSafe(|| evaluator.call("validate", HOST_CALL, &mut Panicking).map(drop));
        assert!(catch_unwind(call).is_err());
        assert_eq!(count(&mut evaluator), 1);
    }
}

#[test]
fn an_instance_that_grew_is_not_kept() {
    let module =
        wasm(&guest_call("(drop (memory.grow (local.get $len))) (call $guest_response (i32.const 0) (i32.const 0)) (i32.const 1)"));
    let limits = kept_at_most(10);
    let mut evaluator = evaluator(&module, Strategy::Kept, &limits);
    let mut grow = |pages: usize| {
        evaluator.call("validate", &vec![0; pages], &mut NoHostCalls).unwrap();
        evaluator.stats()
    };
    assert!(grow(1).instantiated);
    assert!(!grow(1).instantiated);
    let large = grow(5);
    assert_eq!((large.instantiated, large.memory_bytes), (false, 15 << 16));
    assert!(grow(1).instantiated);
}

fn kept_at_most(pages: usize) -> Limits {
    let mut limits = Limits::default();
    limits.kept_memory_bytes = pages << 16;
    limits
}

#[test]
fn threads_share_a_module() {
    for strategy in STRATEGIES {
        let module = Module::from_wasm(&Host::new(Limits::default()), strategy, &echo()).unwrap();
        thread::scope(|scope| {
            for name in 0..4 {
                let module = module.clone();
                scope.spawn(move || {
                    let mut evaluator = module.evaluator();
                    for call in 0..2_000 {
                        let payload = format!("{name}: {call}");
                        let answer = evaluator.call("validate", payload.as_bytes(), &mut NoHostCalls).unwrap();
                        assert_eq!(answer, payload.as_bytes());
                    }
                });
            }
        });
    }
}

#[test]
fn an_evaluator_can_move_to_another_thread() {
    let mut kept = evaluator(&counter(), Strategy::Kept, &Limits::default());
    assert_eq!(count(&mut kept), 1);
    let moved = thread::spawn(move || count(&mut kept)).join().unwrap();
    assert_eq!(moved, 2);
}

#[test]
fn more_instances_at_once_than_the_pool_holds_is_an_error() {
    /// Calls the module again from inside its own host call, until there is no more room.
    struct Nesting<'m>(&'m Module);
    impl HostCalls for Nesting<'_> {
        fn call(&mut self, _: &str, _: &str, _: &str, _: &[u8]) -> Result<Arc<[u8]>, String> {
            let mut evaluator = self.0.evaluator();
            match evaluator.call("validate", HOST_CALL, &mut Nesting(self.0)) {
                Ok(depth) => Ok(depth.into()),
                Err(error) => Err(error.to_string()),
            }
        }
    }
    // Answers with the host's error text, or with the answer.
    let module = wasm(&guest_call(
        "(if (call $host_call (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0))
            (then (call $host_response (i32.const 0)) (call $guest_response (i32.const 0) (call $host_response_len)))
            (else (call $host_error (i32.const 0)) (call $guest_response (i32.const 0) (call $host_error_len))))
         (i32.const 1)",
    ));
    let module = Module::from_wasm(&Host::new(Limits::default()), Strategy::Fresh, &module).unwrap();
    let answer = thread::Builder::new()
        .stack_size(256 << 20)
        .spawn(move || {
            let mut evaluator = module.evaluator();
            evaluator.call("validate", b"", &mut Nesting(&module)).map(<[u8]>::to_vec)
        })
        .unwrap()
        .join()
        .unwrap();
    let text = String::from_utf8(answer.unwrap()).unwrap();
    assert!(text.starts_with("no room for an instance of the module: "), "{text}");
}
