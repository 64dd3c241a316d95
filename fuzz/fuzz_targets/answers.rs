//! What a module answers: the engine reads any bytes, and findings with any places, and reports what it can.
#![no_main]

use std::sync::LazyLock;
use std::sync::atomic::AtomicUsize;

use fedward_engine::{Input, Options, Policy, Role, run};
use fedward_fuzz::check_places;
use fedward_host::{Host, Limits};
use fedward_modules::Builtin;
use libfuzzer_sys::fuzz_target;
use serde_json::{Value, json};

/// An object with a document in a string, so that places of all kinds have something to lead to.
const OBJECT: &str =
    "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: orders\n  labels: {app: orders}\ndata:\n  list: |\n    - name: a\n";

static HOST: LazyLock<Host> = LazyLock::new(|| Host::new(Limits::default()));

fuzz_target!(|bytes: &[u8]| {
    let Some((flags, rest)) = bytes.split_first() else { return };
    let answer = if flags & 1 == 0 {
        rest.to_vec()
    } else {
        let Ok(findings) = std::str::from_utf8(rest) else { return };
        json!({ "accepted": false, "audit_annotations": { "findings": findings } }).to_string().into_bytes()
    };
    let guest = guest(&answer);
    // A policy of the program lives as long as the program; a kilobyte a run is little beside what libFuzzer keeps.
    let known = &fedward_modules::ALL[0];
    let builtin = Builtin { id: known.id, metadata: known.metadata, wasm: guest.leak(), compiled: b"none", policy: known.policy };
    let policy = Policy::builtin(&HOST, Box::leak(Box::new(builtin)), &Value::Null).expect("a guest that loads");
    let input = Input { name: "fuzz.yaml".to_owned(), bytes: OBJECT.into(), named: true, role: Role::Judged };
    let (outcome, _) = run(vec![input], &[policy], &Options { threads: 1, ..Options::default() }, &AtomicUsize::new(0));
    check_places(&outcome);
});

/// A module that takes any settings, and answers every `validate` with the same bytes.
fn guest(answer: &[u8]) -> Vec<u8> {
    let data: String = answer.iter().map(|byte| format!("\\{byte:02x}")).collect();
    let pages = answer.len() / 65536 + 2;
    let text = format!(
        r#"(module
            (import "wapc" "__guest_response" (func $respond (param i32 i32)))
            (memory (export "memory") {pages})
            (data (i32.const 0) "{{\"valid\":true}}")
            (data (i32.const 1024) "{data}")
            (func (export "__guest_call") (param $op_len i32) (param i32) (result i32)
                (if (i32.eq (local.get $op_len) (i32.const 8))
                    (then (call $respond (i32.const 1024) (i32.const {})))
                    (else (call $respond (i32.const 0) (i32.const 14))))
                (i32.const 1)))"#,
        answer.len()
    );
    wat::parse_str(text).expect("a guest that parses")
}
