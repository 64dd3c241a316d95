//! Guests, and a host that answers them.

use std::sync::Arc;

use fedward_host::{Host, HostCalls, Limits, LoadError, Module, Strategy};

/// Every `wapc` import, so that a guest's text holds only what is special about it. Memory: the operation is put at 64 KiB, the
/// payload at 128 KiB, host answers at 192 KiB.
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

/// A module out of `fields`, with memory of eight pages unless `fields` declare one.
pub(crate) fn wasm(fields: &str) -> Vec<u8> {
    let memory = if fields.contains("(memory") {
        ""
    } else {
        r#"(memory (export "memory") 8)"#
    };
    wat::parse_str(format!("(module {IMPORTS} {memory} {fields})")).unwrap()
}

/// A module whose `__guest_call` has `body`; `$op_len` and `$len` are its parameters and `$n` a local.
pub(crate) fn calling(body: &str) -> Vec<u8> {
    wasm(&format!(
        r#"(func (export "__guest_call") (param $op_len i32) (param $len i32) (result i32) (local $n i32) {body})"#
    ))
}

/// Responds with its payload.
pub(crate) fn echo() -> Vec<u8> {
    calling(
        "(call $guest_request (global.get $op) (global.get $payload))
         (call $guest_response (global.get $payload) (local.get $len)) (i32.const 1)",
    )
}

/// Loads `wasm` into a host with `limits`.
pub(crate) fn load(wasm: &[u8], strategy: Strategy, limits: &Limits) -> Result<Module, LoadError> {
    Module::from_wasm(&Host::new(limits.clone()), strategy, wasm)
}

/// Both strategies: what a test says of one it says of the other.
pub(crate) const STRATEGIES: [Strategy; 2] = [Strategy::Fresh, Strategy::Kept];

/// Answers `echo` with the payload, `large` with as many bytes as the payload says, and everything else with an error.
#[derive(Default)]
pub(crate) struct Recorder {
    /// Every call as `binding/namespace/operation`.
    pub(crate) calls: Vec<String>,
    pub(crate) logged: Vec<String>,
}

impl HostCalls for Recorder {
    fn call(
        &mut self,
        binding: &str,
        namespace: &str,
        operation: &str,
        payload: &[u8],
    ) -> Result<Arc<[u8]>, String> {
        self.calls
            .push(format!("{binding}/{namespace}/{operation}"));
        match operation {
            "echo" => Ok(payload.into()),
            "large" => {
                Ok(vec![b'x'; std::str::from_utf8(payload).unwrap().parse().unwrap()].into())
            }
            _ => Err(format!("unknown operation: {operation}")),
        }
    }

    fn log(&mut self, text: &str) {
        self.logged.push(text.to_owned());
    }
}
