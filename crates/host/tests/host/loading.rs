//! Which modules load, from what, and what is said of the others.

use fedward_host::{Host, Limits, LoadError, Module, NoHostCalls, Origin, Strategy, precompile};

use crate::guests::{STRATEGIES, echo, guest_call, importing, wasm};

fn refused(wasm: &[u8]) -> LoadError {
    let host = Host::new(Limits::default());
    let [fresh, kept] = STRATEGIES.map(|strategy| Module::from_wasm(&host, strategy, wasm).err().expect("the module must be refused"));
    assert_eq!(fresh.to_string(), kept.to_string());
    fresh
}

fn refused_text(text: &str) -> LoadError {
    refused(&wat::parse_str(text).unwrap())
}

/// Loads `compiled` with `echo` to fall back to, and checks that whatever was loaded works.
fn origin(compiled: &[u8], strategy: Strategy) -> Origin {
    // SAFETY: what the tests pass is the compiler's output, or damaged in ways that the check of the header finds.
    #[expect(unsafe_code, reason = "the call under test")]
    let module = unsafe { Module::from_precompiled(&Host::new(Limits::default()), strategy, compiled, &echo()) }.unwrap();
    assert_eq!(module.evaluator().call("validate", b"ping", &mut NoHostCalls).unwrap(), b"ping");
    module.origin()
}

#[test]
fn what_was_compiled_ahead_is_not_compiled_again() {
    let compiled = precompile(&echo(), None).unwrap();
    for strategy in STRATEGIES {
        assert_eq!(origin(&compiled, strategy), Origin::Precompiled);
    }
}

#[test]
fn what_is_not_for_this_engine_is_compiled_instead() {
    let compiled = precompile(&echo(), None).unwrap();
    let other_configuration = wasmtime::Engine::default().precompile_module(&echo()).unwrap();
    let mut other_version = compiled.clone();
    // Two bytes long, and no other text of two digits is in a compiled module.
    let version = b"\x0248";
    let places: Vec<usize> = (0..compiled.len()).filter(|at| compiled[*at..].starts_with(version)).collect();
    assert_eq!(places.len(), 1, "the engine's major version");
    other_version[places[0] + 1] = b'3';
    for (what, bytes) in [
        ("nothing", Vec::new()),
        ("the module itself", echo()),
        ("zeros", vec![0; 4096]),
        ("an ELF magic number", b"\x7fELF".to_vec()),
        ("a half", compiled[..compiled.len() / 2].to_vec()),
        ("a header", compiled[..64].to_vec()),
        ("another configuration", other_configuration),
        ("another version", other_version),
    ] {
        assert_eq!(origin(&bytes, Strategy::Kept), Origin::Compiled, "{what}");
    }
}

#[test]
fn what_is_timed_works_and_is_refused_like_any_other() {
    for strategy in STRATEGIES {
        let mut limits = Limits::default();
        let timed = Module::timed(&Host::new(limits.clone()), strategy, &echo()).unwrap();
        assert_eq!(timed.module.evaluator().call("validate", b"ping", &mut NoHostCalls).unwrap(), b"ping");
        assert_eq!(timed.module.origin(), Origin::Compiled);
        assert!(timed.compiled_bytes > echo().len());
        limits.module_bytes = 7;
        let told = |host: &Host, wasm: &[u8]| Module::timed(host, strategy, wasm).err().unwrap().to_string();
        assert_eq!(told(&Host::new(limits), b"\0asm\x01\0\0\0"), "the module has 8 bytes, over the limit of 7");
        assert_eq!(told(&Host::new(Limits::default()), b"no module"), refused(b"no module").to_string());
    }
}

#[test]
fn what_is_no_module_cannot_be_compiled_ahead_either() {
    assert!(matches!(precompile(b"no module", None), Err(LoadError::Invalid { .. })));
    assert!(matches!(precompile(&echo(), Some("no-such-machine")), Err(LoadError::Engine { .. })));
}

#[test]
fn a_broken_binary_is_refused() {
    let whole = echo();
    let mut wrong_version = whole.clone();
    wrong_version[4] = 9;
    for (what, bytes) in [
        ("nothing", Vec::new()),
        ("text", b"(module)".to_vec()),
        ("a header", whole[..8].to_vec()),
        ("a half", whole[..whole.len() / 2].to_vec()),
        ("an unknown version", wrong_version),
        ("zeros", vec![0; 1000]),
    ] {
        let error = refused(&bytes);
        if what == "a header" {
            assert_eq!(error.to_string(), "missing export `__guest_call`: a waPC module exports `memory` and `__guest_call`");
        } else {
            assert!(matches!(error, LoadError::Invalid { .. }), "{what}: {error}");
        }
    }
}

#[test]
fn a_module_that_was_cut_short_is_refused() {
    let host = Host::new(Limits::default());
    let whole = echo();
    // Only what ends before the last section, which holds names, is a module.
    let loads = |end: &usize| Module::from_wasm(&host, Strategy::Kept, &whole[..*end]).is_ok();
    assert_eq!((0..whole.len()).filter(loads).count(), 1);
}

#[test]
fn a_module_over_the_limit_is_refused() {
    let wasm = echo();
    let mut limits = Limits::default();
    limits.module_bytes = wasm.len();
    assert!(Module::from_wasm(&Host::new(limits.clone()), Strategy::Kept, &wasm).is_ok());
    limits.module_bytes -= 1;
    let error = Module::from_wasm(&Host::new(limits), Strategy::Kept, &wasm).err().unwrap();
    assert_eq!(error.to_string(), format!("the module has {} bytes, over the limit of {}", wasm.len(), wasm.len() - 1));
}

#[test]
fn every_unknown_import_is_named() {
    let module = importing(
        r#"(import "env" "abort" (func)) (import "wapc" "__host_calls" (func)) (import "env" "abort" (func))
           (import "wasi_unstable" "fd_write" (func)) (import "wasi_snapshot_preview1" "fd_clone" (func))"#,
        &guest_call("(i32.const 1)"),
    );
    assert_eq!(
        refused(&module).to_string(),
        "unknown import `env.abort`, `wapc.__host_calls`, `wasi_unstable.fd_write`, `wasi_snapshot_preview1.fd_clone`; \
         a policy may import `wapc` and `wasi_snapshot_preview1`"
    );
}

#[test]
fn an_import_of_the_wrong_type_is_named() {
    let error = refused_text(
        r#"(module (import "wapc" "__console_log" (func (param i64))) (memory (export "memory") 1)
            (func (export "__guest_call") (param i32 i32) (result i32) (i32.const 1)))"#,
    );
    assert!(matches!(error, LoadError::ImportType { .. }));
    assert!(error.to_string().contains("`wapc::__console_log`"), "{error}");
}

#[test]
fn a_missing_export_is_named() {
    let call = r#"(func (export "__guest_call") (param i32 i32) (result i32) (i32.const 1))"#;
    let missing = |text: &str| match refused_text(text) {
        LoadError::MissingExport { name } => name,
        other => panic!("{other}"),
    };
    assert_eq!(missing(&format!("(module {call})")), "memory");
    assert_eq!(missing(&format!(r#"(module (memory (export "mem") 1) {call})"#)), "memory");
    assert_eq!(missing(r#"(module (memory (export "memory") 1))"#), "__guest_call");
}

#[test]
fn an_export_of_the_wrong_type_is_named() {
    let call = r#"(func (export "__guest_call") (param i32 i32) (result i32) (i32.const 1))"#;
    let memory = r#"(memory (export "memory") 1)"#;
    for (fields, name) in [
        (format!(r#"{memory} (func (export "__guest_call") (param i32) (result i32) (i32.const 1))"#), "__guest_call"),
        (format!(r#"{memory} (func (export "__guest_call") (param i64 i32) (result i32) (i32.const 1))"#), "__guest_call"),
        (format!(r#"{memory} (global (export "__guest_call") i32 (i32.const 1))"#), "__guest_call"),
        (format!(r#"{call} (global (export "memory") i32 (i32.const 1))"#), "memory"),
        (format!(r#"{call} {memory} (func (export "_start") (param i32))"#), "_start"),
        (format!(r#"{call} {memory} (func (export "wapc_init") (result i32) (i32.const 1))"#), "wapc_init"),
    ] {
        match refused_text(&format!("(module {fields})")) {
            LoadError::ExportType { name: found, .. } => assert_eq!(found, name),
            other => panic!("{fields}: {other}"),
        }
    }
}

/// Go from 1.26 on emits typed function references.
#[test]
fn a_typed_function_reference_works() {
    let module = wasm(&format!(
        r#"(type $answer (func (result i32))) (elem declare func $one) (func $one (type $answer) (i32.const 1))
           (table $typed 2 (ref null $answer))
           (func $through (param (ref null $answer)) (result i32) (call_ref $answer (ref.as_non_null (local.get 0))))
           {}"#,
        guest_call(
            "(table.set $typed (i32.const 1) (ref.func $one))
             (call $guest_response (i32.const 0) (i32.const 0)) (call $through (table.get $typed (i32.const 1)))"
        )
    ));
    for strategy in STRATEGIES {
        let module = Module::from_wasm(&Host::new(Limits::default()), strategy, &module).unwrap();
        assert_eq!(module.evaluator().call("validate", b"", &mut NoHostCalls).unwrap(), b"");
    }
}

#[test]
fn what_toolchains_emit_is_accepted() {
    for fields in [
        // Rust's default features: sign extension, saturating conversion, bulk memory, several results.
        "(func (param i32) (result i32) (i32.extend8_s (local.get 0)))",
        "(func (param f64) (result i32) (i32.trunc_sat_f64_s (local.get 0)))",
        "(func (memory.fill (i32.const 0) (i32.const 0) (i32.const 1)))",
        "(func (result i32 i32) (i32.const 1) (i32.const 2))",
        r#"(global (export "sp") (mut i32) (i32.const 1))"#,
        "(func (result v128) (i8x16.popcnt (v128.const i64x2 1 2)))",
        "(global i32 (i32.add (i32.const 1) (i32.const 2)))",
        "(func $tail (return_call $tail))",
        "(table 1 funcref) (table 1 funcref) (func (param i32) (result funcref) (table.get 1 (local.get 0)))",
    ] {
        let module = wasm(&format!("{fields} {}", guest_call("(i32.const 1)")));
        let host = Host::new(Limits::default());
        assert!(Module::from_wasm(&host, Strategy::Fresh, &module).is_ok(), "{fields}");
    }
}

#[test]
fn what_no_policy_needs_is_refused() {
    for fields in [
        r#"(memory (export "memory") 1 1 shared)"#,
        r#"(memory (export "memory") i64 1)"#,
        r#"(memory (export "memory") 1) (memory 1)"#,
        "(type (struct (field i32)))",
        "(type (array i32))",
        "(func (param externref))",
        "(tag (param i32))",
        "(func (param v128 v128) (result v128) (i8x16.relaxed_swizzle (local.get 0) (local.get 1)))",
        "(func (param i64 i64 i64 i64) (result i64 i64) (i64.add128 (local.get 0) (local.get 1) (local.get 2) (local.get 3)))",
    ] {
        let error = refused(&wasm(&format!("{fields} {}", guest_call("(i32.const 1)"))));
        assert!(matches!(error, LoadError::Invalid { .. }), "{fields}: {error}");
    }
}
