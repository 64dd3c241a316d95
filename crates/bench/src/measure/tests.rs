#![allow(clippy::unwrap_used, reason = "tests")]

use serde_json::json;

use super::*;
use crate::answers::Unseen;
use crate::read;

/// Accepts what is shorter than 100 bytes, rejects what is shorter than 200, and then: traps, loops, asks its host, answers with no
/// verdict, grows, traps at the fourth time, each in steps of 100 bytes. Settings with more than two bytes are refused.
const MODULE: &str = r#"(module
    (import "wapc" "__guest_request" (func $request (param i32 i32)))
    (import "wapc" "__guest_response" (func $respond (param i32 i32)))
    (import "wapc" "__host_call" (func $host (param i32 i32 i32 i32 i32 i32 i32 i32) (result i32)))
    (memory (export "memory") 2)
    (data (i32.const 0) "{\"accepted\":true}{\"accepted\":false}{\"valid\":true}{\"valid\":false,\"message\":\"too long\"}kubewardenkuberneteslist_resources_all")
    (global $calls (mut i32) (i32.const 0))
    (func $step (param $len i32) (param $step i32) (result i32) (i32.eq (i32.div_u (local.get $len) (i32.const 100)) (local.get $step)))
    (func (export "__guest_call") (param $op i32) (param $len i32) (result i32)
        (if (i32.ne (local.get $op) (i32.const 8)) (then
            (if (i32.le_u (local.get $len) (i32.const 2))
                (then (call $respond (i32.const 35) (i32.const 14)))
                (else (call $respond (i32.const 49) (i32.const 36))))
            (return (i32.const 1))))
        (if (call $step (local.get $len) (i32.const 1)) (then (call $respond (i32.const 17) (i32.const 18)) (return (i32.const 1))))
        (if (call $step (local.get $len) (i32.const 2)) (then unreachable))
        (if (call $step (local.get $len) (i32.const 3)) (then (loop $forever (br $forever))))
        (if (call $step (local.get $len) (i32.const 4)) (then
            (drop (call $host (i32.const 85) (i32.const 10) (i32.const 95) (i32.const 10) (i32.const 105) (i32.const 18) (i32.const 0) (i32.const 2)))))
        (if (call $step (local.get $len) (i32.const 5)) (then (call $respond (i32.const 35) (i32.const 14)) (return (i32.const 1))))
        (if (call $step (local.get $len) (i32.const 6)) (then (drop (memory.grow (i32.const 1)))))
        (if (call $step (local.get $len) (i32.const 7)) (then
            (global.set $calls (i32.add (global.get $calls) (i32.const 1)))
            (if (i32.gt_u (global.get $calls) (i32.const 3)) (then unreachable))))
        (call $respond (i32.const 0) (i32.const 17))
        (i32.const 1)))"#;

/// Payloads with so many bytes, named by them.
fn requests(sizes: &[usize]) -> Found {
    let file = |size: &usize| {
        let frame = r#"{"settings":{},"request":""}"#.len();
        let payload = json!({ "request": "x".repeat(size - frame) });
        let bytes = payload.to_string().into_bytes();
        fedward_engine::Input { name: size.to_string(), bytes, named: true, role: fedward_engine::Role::Judged }
    };
    let found = read(sizes.iter().map(file).collect(), None).unwrap();
    assert!(found.requests.iter().all(|request| request.payload.len().to_string() == request.name));
    found
}

fn run(instance: Instance, threads: usize, stop: Stop, found: Found) -> Result<Report, BenchError> {
    let wasm = wat::parse_str(MODULE).unwrap();
    measure(&Plan { name: "sample.wasm", wasm: &wasm, context: None, instance, threads, stop }, found, &AtomicUsize::new(0))
}

#[test]
fn every_round_evaluates_every_request_once() {
    for (instance, threads) in [(Instance::Fresh, 1), (Instance::Fresh, 3), (Instance::Kept, 1), (Instance::Kept, 3)] {
        let report = run(instance, threads, Stop::Rounds(7), requests(&[50, 150, 60])).unwrap();
        let counts: Vec<u64> = report.per_request.iter().map(|request| request.times.unwrap().count).collect();
        assert_eq!(counts, [7, 7, 7]);
        assert_eq!(report.timed.unwrap().times.count, 21);
        assert_eq!((report.requests.accepted, report.requests.rejected), (2, 1));
        assert_eq!((report.memory_bytes, report.memory_bytes_all), (2 << 16, 2 << 16));
    }
}

#[test]
fn a_run_that_is_out_of_time_has_evaluated_every_request() {
    let report = run(Instance::Fresh, 2, Stop::After(Duration::ZERO), requests(&[50, 150, 60])).unwrap();
    assert!(report.per_request.iter().all(|request| request.times.is_some_and(|times| times.count >= 1)));
}

#[test]
fn what_fails_is_told_and_the_rest_is_measured() {
    let report = run(Instance::Fresh, 1, Stop::Rounds(3), requests(&[50, 250, 350, 550])).unwrap();
    let failed: Vec<String> = report.failed.iter().map(|failure| format!("{}: {}", failure.name, failure.reason)).collect();
    assert_eq!(
        failed,
        [
            "250: the module trapped: wasm `unreachable` instruction executed",
            "350: evaluation exceeded the time limit of 2000 ms",
            "550: the module's answer is no validation response",
        ]
    );
    assert_eq!(report.requests.count, 4);
    assert_eq!(report.timed.unwrap().times.count, 3);
    let none = run(Instance::Fresh, 1, Stop::Rounds(3), requests(&[250])).unwrap();
    assert_eq!((none.timed, none.load.first_ns, none.failed.len()), (None, None, 1));
    assert_eq!(run(Instance::Fresh, 1, Stop::Rounds(3), Found::default()).unwrap().timed, None);
}

#[test]
fn host_calls_and_memory_are_those_of_one_evaluation_each() {
    let names = "kubewardenkuberneteslist_resources_all".len() as u64;
    let answer = Unseen::default();
    let bytes =
        fedward_host::HostCalls::call(&mut { answer }, "kubewarden", "kubernetes", "list_resources_all", b"{}").unwrap().len() as u64;
    for stop in [Stop::Rounds(1), Stop::Rounds(50)] {
        let report = run(Instance::Fresh, 2, stop, requests(&[450, 50, 460, 650])).unwrap();
        let once = HostCalls { count: 1, request_bytes: names + 2, response_bytes: bytes };
        assert_eq!(report.per_request.iter().map(|request| request.host_calls.count).collect::<Vec<_>>(), [1, 0, 1, 0]);
        assert_eq!(report.per_request.first().unwrap().host_calls, once);
        assert_eq!(report.host_calls, HostCalls { count: 2, request_bytes: 2 * once.request_bytes, response_bytes: 2 * bytes });
        assert_eq!((report.memory_bytes, report.memory_bytes_all), (3 << 16, 3 << 16));
    }
}

#[test]
fn a_context_is_what_the_module_may_ask_for() {
    let file = |text: &str| fedward_engine::Input {
        name: "shop.yaml".to_owned(),
        bytes: text.as_bytes().to_vec(),
        named: true,
        role: fedward_engine::Role::Context,
    };
    let (context, failed) =
        Context::read(vec![file("apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n---\napiVersion: v1\nkind: Pod\nspec: [\n")]);
    assert!(failed.len() == 1 && failed.first().unwrap().name.starts_with("shop.yaml:"), "{failed:?}");
    let wasm = fedward_modules::find("require-identity-labels").unwrap().wasm;
    let ask = |operation: &str, payload: &str| {
        host(Some(&context), wasm).call("kubewarden", "kubernetes", operation, payload.as_bytes()).map(|answer| answer.to_vec())
    };
    let namespace = ask("get_resource", r#"{"api_version":"v1","kind":"Namespace","name":"shop"}"#).unwrap();
    assert_eq!(serde_json::from_slice::<serde_json::Value>(&namespace).unwrap().pointer("/metadata/name"), Some(&"shop".into()));
    assert!(ask("get_resource", r#"{"api_version":"v1","kind":"Namespace","name":"post"}"#).is_err());
    // It is part of what was measured.
    let module = wat::parse_str(MODULE).unwrap();
    let plan = |context| Plan { name: "sample.wasm", wasm: &module, context, instance: Instance::Fresh, threads: 1, stop: Stop::Rounds(1) };
    let with = measure(&plan(Some(&context)), requests(&[50]), &AtomicUsize::new(0)).unwrap();
    assert!(crate::is_comparable(&with, &plan(Some(&context)), &requests(&[50])).is_ok());
    assert!(crate::is_comparable(&with, &plan(None), &requests(&[50])).unwrap_err().to_string().contains("context"));
}

#[test]
fn a_kept_instance_that_grows_is_seen() {
    let report = run(Instance::Kept, 1, Stop::Rounds(10), requests(&[650])).unwrap();
    // A thread has an instance of its own: one evaluation without a clock, then ten.
    assert_eq!((report.memory_bytes, report.memory_bytes_all), (3 << 16, 13 << 16));
}

#[test]
fn a_request_that_fails_later_is_told_and_not_tried_again() {
    let report = run(Instance::Kept, 1, Stop::Rounds(1000), requests(&[750, 50])).unwrap();
    // Of the instance that measures, the first evaluation has no clock, and the fourth of that request traps.
    let counts: Vec<u64> = report.per_request.iter().map(|request| request.times.unwrap().count).collect();
    assert_eq!(counts, [2, 1000]);
    let failure = report.failed.first().unwrap();
    assert_eq!(failure.name, "750");
    assert_eq!(failure.reason, "judged at first, and later: the module trapped: wasm `unreachable` instruction executed");
    let alone = run(Instance::Kept, 2, Stop::After(Duration::from_secs(600)), requests(&[750])).unwrap();
    assert_eq!(alone.failed.len(), 1);
}

#[test]
fn what_cannot_be_loaded_is_told_on_one_line() {
    let told = |wasm: &[u8]| {
        let plan = Plan { name: "a\u{1b}.wasm", wasm, context: None, instance: Instance::Fresh, threads: 1, stop: Stop::Rounds(1) };
        measure(&plan, Found::default(), &AtomicUsize::new(0)).unwrap_err().to_string()
    };
    assert_eq!(told(b"(module)"), "`a\u{241b}.wasm`: not a WebAssembly module");
    assert!(told(b"\0asm\x02\0\0\0\x1b[31m\n").starts_with("`a\u{241b}.wasm`: not a usable WebAssembly module: "));
    assert!(!told(b"\0asm\x02\0\0\0").contains('\n'));
    assert!(told(&wat::parse_str("(module)").unwrap()).contains("missing export `__guest_call`"));
}

#[test]
fn settings_are_checked_before_anything_runs() {
    let settings = json!({ "a": 1 });
    let found = |text: &str, settings: Option<&serde_json::Map<String, serde_json::Value>>| {
        let file = fedward_engine::Input {
            name: "a.json".to_owned(),
            bytes: text.as_bytes().to_vec(),
            named: true,
            role: fedward_engine::Role::Judged,
        };
        read(vec![file], settings).unwrap()
    };
    let told = |found| run(Instance::Fresh, 1, Stop::Rounds(1), found).unwrap_err().to_string();
    assert_eq!(told(found(r#"{"request": 1}"#, settings.as_object())), "the module refuses the settings: too long");
    let own = r#"{"request": 1}{"request": 2, "settings": {"b": 1}}"#;
    assert_eq!(told(found(own, None)), "the module refuses the settings of a.json:1: too long");
}
