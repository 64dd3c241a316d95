//! Modules as they are after they have started.

use std::sync::Arc;

use fedward_host::{Evaluator, FileError, FileType, Folder, Host, Limits, Module, NoHostCalls, SnapshotError, Stat, Strategy, snapshot};

use crate::guests::{STRATEGIES, guest_call, importing, wasm};
use crate::wasi::import;

/// An empty folder.
struct Nothing;

impl Folder for Nothing {
    fn stat(&self, path: &str) -> Result<Stat, FileError> {
        if path.is_empty() { Ok(Stat { file_type: FileType::Folder, size: 0 }) } else { Err(FileError::Missing) }
    }

    fn link_stat(&self, path: &str) -> Result<Stat, FileError> {
        self.stat(path)
    }

    fn read(&self, _path: &str, _limit: usize) -> Result<Vec<u8>, FileError> {
        Err(FileError::Missing)
    }

    fn list(&self, _path: &str) -> Result<Vec<(String, FileType)>, FileError> {
        Ok(Vec::new())
    }

    fn link(&self, _path: &str) -> Result<String, FileError> {
        Err(FileError::Missing)
    }
}

fn taken(wasm: &[u8], calls: &[(&str, &[u8])]) -> Result<Vec<u8>, SnapshotError> {
    snapshot(wasm, "/root", Arc::new(Nothing), calls)
}

fn evaluator(wasm: &[u8], strategy: Strategy) -> Evaluator {
    Module::from_wasm(&Host::new(Limits::default()), strategy, wasm).unwrap().evaluator()
}

/// Starts with 7 in a global and at address 200,000, in a memory that has grown, and adds one to each at every call. Answers with the calls so far, in
/// memory and in a global of each type, and with the size of the memory.
fn counter() -> Vec<u8> {
    wasm(&format!(
        r#"(memory (export "memory") 8 100)
        (data (i32.const 40) "kept") (data (i32.const 200000) "\01")
        (global $i (mut i32) (i32.const 0)) (global $l (mut i64) (i64.const 0))
        (global $f (mut f32) (f32.const 0)) (global $d (mut f64) (f64.const 0))
        (global $same i64 (i64.const -5))
        (func $one (global.set $i (i32.add (global.get $i) (i32.const 1))) (global.set $l (i64.sub (global.get $l) (i64.const 1)))
            (global.set $f (f32.add (global.get $f) (f32.const 0.5))) (global.set $d (f64.add (global.get $d) (f64.const 0.25)))
            (i32.store8 (i32.const 200000) (i32.add (i32.load8_u (i32.const 200000)) (i32.const 1))))
        (func (export "_initialize") (drop (memory.grow (i32.const 2))) (call $one) (i32.store8 (i32.const 600000) (i32.const 9)))
        {}"#,
        guest_call(
            "(call $one) (i32.store (i32.const 0) (global.get $i)) (i64.store (i32.const 4) (global.get $l)) (f32.store (i32.const 12) (global.get $f))
            (f64.store (i32.const 16) (global.get $d)) (i64.store (i32.const 24) (global.get $same))
            (i32.store8 (i32.const 32) (i32.load8_u (i32.const 200000))) (i32.store8 (i32.const 33) (memory.size))
            (i32.store8 (i32.const 34) (i32.load8_u (i32.const 600000)))
            (call $guest_response (i32.const 0) (i32.const 44)) (i32.const 1)"
        )
    ))
}

/// What the counter answers at its call of that number.
fn expected(call: u8) -> Vec<u8> {
    let call = i32::from(call) + 1;
    let mut bytes = call.to_le_bytes().to_vec();
    bytes.extend((-i64::from(call)).to_le_bytes());
    bytes.extend((call as f32 / 2.0).to_le_bytes());
    bytes.extend((f64::from(call) / 4.0).to_le_bytes());
    bytes.extend((-5_i64).to_le_bytes());
    bytes.extend([call as u8 + 1, 10, 9, 0, 0, 0, 0, 0]);
    bytes.extend(b"kept");
    bytes
}

#[test]
fn an_instance_goes_on_where_the_snapshot_was_taken() {
    let after = taken(&counter(), &[("one", b""), ("two", b"")]).unwrap();
    for strategy in STRATEGIES {
        assert_eq!(evaluator(&counter(), strategy).call("any", b"", &mut NoHostCalls).unwrap(), expected(1));
        // Each is an instance of its own.
        for _ in 0..2 {
            assert_eq!(evaluator(&after, strategy).call("any", b"", &mut NoHostCalls).unwrap(), expected(3));
        }
    }
}

#[test]
fn fresh_instances_begin_with_the_snapshot_every_time() {
    let after = taken(&counter(), &[("one", b"")]).unwrap();
    let mut evaluator = evaluator(&after, Strategy::Fresh);
    for _ in 0..3 {
        assert_eq!(evaluator.call("any", b"", &mut NoHostCalls).unwrap(), expected(2));
    }
}

#[test]
fn the_same_module_makes_the_same_snapshot() {
    // What it reads of clocks and of randomness ends up in its memory.
    let imports = ["clock_time_get", "random_get", "poll_oneoff"].map(import).concat();
    let reader = importing(
        &imports,
        &guest_call(
            "(drop (call $clock_time_get (i32.const 0) (i64.const 0) (i32.const 100)))
            (drop (call $clock_time_get (i32.const 1) (i64.const 0) (i32.const 108)))
            (drop (call $random_get (i32.const 116) (i32.const 16)))
            (i32.store (i32.const 216) (i32.const 1)) (i64.store (i32.const 224) (i64.const 5000))
            (drop (call $poll_oneoff (i32.const 200) (i32.const 300) (i32.const 1) (i32.const 340)))
            (drop (call $clock_time_get (i32.const 1) (i64.const 0) (i32.const 132)))
            (call $guest_response (i32.const 100) (i32.const 40)) (i32.const 1)",
        ),
    );
    let [one, other] = [0, 1].map(|_| taken(&reader, &[("read", b"")]).unwrap());
    assert_eq!(one, other);
    // Afterwards time passes again, and no clock went back.
    let number = |bytes: &[u8], at: usize| u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap());
    let mut kept = evaluator(&one, Strategy::Kept);
    let answer = kept.call("read", b"", &mut NoHostCalls).unwrap().to_vec();
    assert!(number(&answer, 0) > 1_600_000_000_000_000_000, "{answer:?}");
    assert!(number(&answer, 8) >= 1_000_000_000, "{answer:?}");
    assert!(number(&answer, 32) >= number(&answer, 8) + 5000, "{answer:?}");
}

#[test]
fn what_a_snapshot_cannot_hold_is_refused() {
    let silent = guest_call("(call $guest_response (i32.const 0) (i32.const 0)) (i32.const 1)");
    let with = |fields: &str| wasm(&format!("{fields} {silent}"));
    let table = "(table 2 funcref) (elem declare func $f)";
    for (module, reason) in [
        (with(&format!("{table} (func $f (table.set (i32.const 0) (ref.func $f)))")), "it changes its tables"),
        (with(&format!("{table} (func $f (drop (table.grow (ref.null func) (i32.const 1))))")), "it changes its tables"),
        (
            with(r#"(data $later "a") (func (memory.init $later (i32.const 0) (i32.const 0) (i32.const 1)))"#),
            "it has data that it reads later",
        ),
        (with("(global (mut funcref) (ref.null func))"), "a global that can change is no number"),
        (wat::parse_str("(module (memory i64 1))").unwrap(), "its memory has addresses of 64 bits"),
        (wat::parse_str("(module (memory 1 1 shared))").unwrap(), "its memory is shared by threads"),
        (wat::parse_str("(module (memory 1 (pagesize 1)))").unwrap(), "its memory has pages of a size of their own"),
        (wat::parse_str("(module (memory 1) (memory 1))").unwrap(), "it has several memories"),
    ] {
        match taken(&module, &[("any", b"")]) {
            Err(SnapshotError::Unsuitable(said)) => assert_eq!(said, reason),
            other => panic!("{reason}: {:?}", other.map(|bytes| bytes.len())),
        }
    }
    assert!(matches!(taken(&with(""), &[]), Err(SnapshotError::Unsuitable("nothing was called"))));
    assert!(matches!(taken(b"no module", &[]), Err(SnapshotError::Load(_))));
    assert!(matches!(taken(&wasm(&guest_call("unreachable")), &[("any", b"")]), Err(SnapshotError::Call(_))));
}

#[test]
#[should_panic(expected = "of the folder")]
fn a_panic_is_no_missing_thread() {
    struct Broken;
    impl Folder for Broken {
        fn stat(&self, _path: &str) -> Result<Stat, FileError> {
            panic!("of the folder")
        }

        fn link_stat(&self, path: &str) -> Result<Stat, FileError> {
            self.stat(path)
        }

        fn read(&self, path: &str, _limit: usize) -> Result<Vec<u8>, FileError> {
            self.stat(path).map(|_| Vec::new())
        }

        fn list(&self, path: &str) -> Result<Vec<(String, FileType)>, FileError> {
            self.stat(path).map(|_| Vec::new())
        }

        fn link(&self, path: &str) -> Result<String, FileError> {
            self.stat(path).map(|_| String::new())
        }
    }
    let _ = snapshot(&opening(), "/root", Arc::new(Broken), &[("any", b"")]);
}

/// Opens a file of its folder.
fn opening() -> Vec<u8> {
    importing(
        &import("path_open"),
        &guest_call(
            "(drop (call $path_open (i32.const 3) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 2) (i64.const 2) (i64.const 0) (i32.const 0)
                (i32.const 100)))
            (call $guest_response (i32.const 100) (i32.const 4)) (i32.const 1)",
        ),
    )
}

#[test]
fn a_file_that_is_open_is_refused() {
    assert!(matches!(taken(&opening(), &[("any", b"")]), Err(SnapshotError::Unsuitable(said)) if said.contains("files open")));
}
