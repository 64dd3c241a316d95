//! Guests, and a host that answers them.

use std::sync::Arc;

use fedward_host::{CallError, Evaluator, Host, HostCalls, Limits, Module, Strategy};

/// Every `wapc` import, so that a guest's text holds only what is special about it, and the places where the guests put the operation,
/// the payload and host answers.
const IMPORTS: &str = r#"
    (import "wapc" "__guest_request" (func $guest_request (param i32 i32)))
    (import "wapc" "__guest_response" (func $guest_response (param i32 i32)))
    (import "wapc" "__guest_error" (func $guest_error (param i32 i32)))
    (import "wapc" "__host_call" (func $host_call (param i32 i32 i32 i32 i32 i32 i32 i32) (result i32)))
    (import "wapc" "__host_response_len" (func $host_response_len (result i32)))
    (import "wapc" "__host_response" (func $host_response (param i32)))
    (import "wapc" "__host_error_len" (func $host_error_len (result i32)))
    (import "wapc" "__host_error" (func $host_error (param i32)))
    (import "wapc" "__console_log" (func $console_log (param i32 i32)))
    (global $op i32 (i32.const 0x10000))
    (global $payload i32 (i32.const 0x20000))
    (global $answer i32 (i32.const 0x30000))
"#;

/// The size of the guests' memory, unless their text declares another.
pub(crate) const MEMORY: usize = 8 << 16;

/// A module out of `fields`, all other than imports.
pub(crate) fn wasm(fields: &str) -> Vec<u8> {
    importing("", fields)
}

/// A module out of more `imports` and `fields`.
pub(crate) fn importing(imports: &str, fields: &str) -> Vec<u8> {
    let memory = if fields.contains("(memory (export") { "" } else { r#"(memory (export "memory") 8)"# };
    wat::parse_str(format!("(module {imports} {IMPORTS} {memory} {fields})")).unwrap()
}

/// The function `__guest_call` with `body`; `$op_len` and `$len` are its parameters and `$n` a local.
pub(crate) fn guest_call(body: &str) -> String {
    format!(r#"(func (export "__guest_call") (param $op_len i32) (param $len i32) (result i32) (local $n i32) {body})"#)
}

/// Responds with its payload.
pub(crate) fn echo() -> Vec<u8> {
    wasm(&guest_call(ECHO))
}

const ECHO: &str = "(call $guest_request (global.get $op) (global.get $payload))
    (call $guest_response (global.get $payload) (local.get $len)) (i32.const 1)";

/// Does `body` if there is a payload, and otherwise responds with nothing: a guest that can be asked whether it still works.
pub(crate) fn only_with_payload(body: &str) -> String {
    guest_call(&format!(
        "(if (i32.eqz (local.get $len)) (then (call $guest_response (i32.const 0) (i32.const 0)) (return (i32.const 1)))) {body}"
    ))
}

/// Both strategies: what a test says of one it says of the other.
pub(crate) const STRATEGIES: [Strategy; 2] = [Strategy::Fresh, Strategy::Kept];

/// An evaluator of `wasm` in a host of its own.
pub(crate) fn evaluator(wasm: &[u8], strategy: Strategy, limits: &Limits) -> Evaluator {
    Module::from_wasm(&Host::new(limits.clone()), strategy, wasm).unwrap().evaluator()
}

/// The answer of a new evaluator of `wasm` as text, the same whichever way its instance lives.
pub(crate) fn answer(wasm: &[u8], payload: &str) -> Result<String, CallError> {
    answer_and_log(wasm, payload).0
}

/// The same, with what the guest did to its host.
pub(crate) fn answer_and_log(wasm: &[u8], payload: &str) -> (Result<String, CallError>, Recorder) {
    let [fresh, kept] = STRATEGIES.map(|strategy| {
        let mut recorder = Recorder::default();
        let mut evaluator = evaluator(wasm, strategy, &Limits::default());
        let answer = evaluator.call("validate", payload.as_bytes(), &mut recorder);
        (answer.map(|bytes| String::from_utf8(bytes.to_vec()).unwrap()), recorder)
    });
    assert_eq!(fresh, kept);
    fresh
}

/// Answers `echo` with the payload, `large` with as many bytes as the payload says, and everything else with an error.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Recorder {
    /// Every call as `binding/namespace/operation payload`.
    pub(crate) calls: Vec<String>,
    pub(crate) logged: Vec<String>,
}

impl HostCalls for Recorder {
    fn call(&mut self, binding: &str, namespace: &str, operation: &str, payload: &[u8]) -> Result<Arc<[u8]>, String> {
        let text = String::from_utf8_lossy(payload);
        self.calls.push(format!("{binding}/{namespace}/{operation} {text}"));
        match operation {
            "echo" => Ok(payload.into()),
            "large" => Ok(vec![b'x'; text.parse().unwrap()].into()),
            _ => Err(format!("unknown operation: {operation}")),
        }
    }

    fn log(&mut self, text: &str) {
        self.logged.push(text.to_owned());
    }
}
