//! The one configuration of the engine, for compiling ahead of time and for running.

use std::hash::{Hash, Hasher};
use std::num::NonZeroUsize;

use sha2::{Digest, Sha256};
use wasmtime::wasmparser::WasmFeatures;
use wasmtime::{Config, Enabled, Engine, InstanceAllocationStrategy, OptLevel, PoolingAllocationConfig};

use crate::state::MAX_TABLES;
use crate::{Limits, LoadError};

/// How a module's instances live.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Strategy {
    /// A new instance for every call, as in a cluster: for modules of third parties. Memory comes from a pool.
    Fresh,
    /// One instance for each [`Evaluator`](crate::Evaluator), called again and again: for modules that are known to keep no state
    /// between calls. It is several times faster, and scales over threads.
    Kept,
}

/// The WebAssembly proposals that policies' toolchains (Rust, Go, TinyGo, Swift, AssemblyScript) emit, and nothing else.
///
/// Stated as a whole, so that no Cargo feature which another crate turns on in Wasmtime can add one. `FUNCTION_REFERENCES` is for
/// Go from 1.26 on. Left out on purpose: threads, several or 64-bit memories, garbage-collected types, exceptions, components.
const PROPOSALS: WasmFeatures = WasmFeatures::FLOATS
    .union(WasmFeatures::MUTABLE_GLOBAL)
    .union(WasmFeatures::SIGN_EXTENSION)
    .union(WasmFeatures::SATURATING_FLOAT_TO_INT)
    .union(WasmFeatures::MULTI_VALUE)
    .union(WasmFeatures::BULK_MEMORY)
    .union(WasmFeatures::BULK_MEMORY_OPT)
    .union(WasmFeatures::REFERENCE_TYPES)
    .union(WasmFeatures::CALL_INDIRECT_OVERLONG)
    .union(WasmFeatures::SIMD)
    .union(WasmFeatures::EXTENDED_CONST)
    .union(WasmFeatures::TAIL_CALL)
    .union(WasmFeatures::FUNCTION_REFERENCES);

/// An engine to run modules with.
///
/// # Errors
/// The machine cannot give what the configuration needs.
pub(crate) fn engine(strategy: Strategy, limits: &Limits) -> Result<Engine, LoadError> {
    let mut config = config(target_lexicon::HOST.to_string().as_str())?;
    config.max_wasm_stack(limits.stack_bytes);
    config.async_stack_size(limits.stack_bytes.saturating_mul(2));
    if strategy == Strategy::Fresh {
        config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool()));
        if let Ok(engine) = Engine::new(&config) {
            return Ok(engine);
        }
        // Where address space is short (`ulimit -v`), one instance at a time may still fit.
        config.allocation_strategy(InstanceAllocationStrategy::OnDemand);
    }
    Engine::new(&config).map_err(engine_error)
}

/// An engine whose code is made quickly, and is slow: for what runs once.
///
/// # Errors
/// The machine cannot give what the configuration needs.
pub(crate) fn quick_engine(limits: &Limits) -> Result<Engine, LoadError> {
    let mut config = config(target_lexicon::HOST.to_string().as_str())?;
    config.cranelift_opt_level(OptLevel::None);
    config.max_wasm_stack(limits.stack_bytes);
    config.async_stack_size(limits.stack_bytes.saturating_mul(2));
    Engine::new(&config).map_err(engine_error)
}

/// Compiles a module for [`Module::from_precompiled`](crate::Module::from_precompiled), in a build script for example. The result
/// runs on every CPU of the target, whatever CPU compiled it.
///
/// `target` is a target triple, as Cargo's `TARGET` names it; `None` means the triple that this crate was compiled for. Wasmtime is
/// built with the code generator of this machine's architecture alone; a program for another compiles its modules when it runs.
///
/// # Errors
/// [`LoadError::Invalid`] if `wasm` is no module; [`LoadError::Engine`] if code for the target cannot be generated.
pub fn precompile(wasm: &[u8], target: Option<&str>) -> Result<Vec<u8>, LoadError> {
    let host = target_lexicon::HOST.to_string();
    let mut config = config(target.unwrap_or(&host))?;
    // A memory that is not empty at the start is mapped, however large it is, and never copied. Not so for modules from elsewhere: one byte at
    // each end of a memory would make an image of all of it.
    config.memory_guaranteed_dense_image_size(128 << 20);
    let engine = Engine::new(&config).map_err(engine_error)?;
    engine.precompile_module(wasm).map_err(invalid)
}

/// Names what [`precompile`] would return for the same arguments, and for whatever else (`salt`) somebody makes of it: the bytes,
/// Wasmtime's version and this configuration. For build scripts that keep what takes long.
///
/// # Errors
/// [`LoadError::Engine`] if code for the target cannot be generated.
pub fn compiled_key(wasm: &[u8], target: Option<&str>, salt: &[u8]) -> Result<String, LoadError> {
    let host = target_lexicon::HOST.to_string();
    let engine = Engine::new(&config(target.unwrap_or(&host))?).map_err(engine_error)?;
    let mut key = Digesting(Sha256::new());
    engine.precompile_compatibility_hash().hash(&mut key);
    for part in [wasm, target.unwrap_or(&host).as_bytes(), salt] {
        key.write(&(part.len() as u64).to_le_bytes());
        key.write(part);
    }
    Ok(key.0.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Takes in what Wasmtime only gives to a hasher.
struct Digesting(Sha256);

impl Hasher for Digesting {
    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    fn finish(&self) -> u64 {
        0
    }
}

/// What compiled code depends on. Everything here goes into the compatibility check of compiled modules.
fn config(target: &str) -> Result<Config, LoadError> {
    let mut config = Config::new();
    // A named target, be it this machine's own, turns the detection of CPU features off: code is for the target's baseline.
    config.target(target).map_err(engine_error)?;
    settle(&mut config);
    if target.contains("windows") {
        config.native_unwind_info(true);
    }
    Ok(config)
}

/// Everything but the target.
fn settle(config: &mut Config) {
    config.wasm_features(WasmFeatures::all(), false);
    config.wasm_features(PROPOSALS, true);
    config.cranelift_opt_level(OptLevel::Speed);
    config.epoch_interruption(true);
    // The same whatever features other crates turn on in Wasmtime.
    config.concurrency_support(false);
    // Nobody reads a guest's back trace: a panic's message comes through the log. Without the tables for it, compiled modules are
    // smaller and load faster, and a trap costs less.
    config.wasm_backtrace_max_frames(None::<NonZeroUsize>);
    config.generate_address_map(false);
    config.debug_symbols(false);
    config.native_unwind_info(false);
}

/// Room for fresh instances: address space for each, memory only for what they touch.
fn pool() -> PoolingAllocationConfig {
    const MIB: usize = 1 << 20;
    /// Fresh instances at the same time, which is to say threads.
    const INSTANCES: u32 = 64;
    let mut pool = PoolingAllocationConfig::new();
    pool.total_core_instances(INSTANCES)
        .total_memories(INSTANCES)
        .total_tables(INSTANCES * MAX_TABLES as u32)
        .max_tables_per_module(MAX_TABLES as u32)
        .max_memories_per_module(1)
        // The size of Wasmtime's own record of one instance, which grows with the functions in tables.
        .max_core_instance_size(16 * MIB);
    if PoolingAllocationConfig::is_pagemap_scan_available() {
        // The kernel tells which pages were written: only those are reset, and they stay mapped.
        pool.pagemap_scan(Enabled::Yes).linear_memory_keep_resident(4 * MIB).table_keep_resident(MIB);
    } else {
        // All of this is reset every time, written or not.
        pool.linear_memory_keep_resident(MIB / 8).table_keep_resident(MIB / 64);
    }
    pool
}

/// Wasmtime's words for a module that it refuses.
pub(crate) fn invalid(error: wasmtime::Error) -> LoadError {
    LoadError::Invalid { message: chain(&error) }
}

/// Wasmtime's words for a configuration that it refuses.
pub(crate) fn engine_error(error: wasmtime::Error) -> LoadError {
    LoadError::Engine { message: chain(&error) }
}

/// An error and its causes on one line.
pub(crate) fn chain(error: &wasmtime::Error) -> String {
    error.chain().map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    /// Uses everything for which CPUs have instructions of their own: counting bits, rounding, fused and packed arithmetic.
    fn eager() -> Vec<u8> {
        wat::parse_str(
            r#"(module (memory 1)
                (func (param i64) (result i64) (i64.popcnt (i64.clz (i64.ctz (local.get 0)))))
                (func (param f64) (result f64) (f64.nearest (f64.floor (local.get 0))))
                (func (param v128) (result v128) (i8x16.popcnt (i8x16.swizzle (local.get 0) (f64x2.ceil (local.get 0)))))
                (func (param i32) (result i32) (i32.load (i32.add (local.get 0) (i32.const 8)))))"#,
        )
        .unwrap()
    }

    /// An engine on a CPU with the target's baseline and nothing more, as far as Wasmtime can tell.
    fn on_the_oldest_cpu() -> Engine {
        let mut config = config(&target_lexicon::HOST.to_string()).unwrap();
        #[expect(unsafe_code, reason = "denying what the CPU has is always sound")]
        // SAFETY: the answer is used to refuse code that needs the feature.
        unsafe {
            config.detect_host_feature(|_| Some(false));
        }
        Engine::new(&config).unwrap()
    }

    fn loads(engine: &Engine, compiled: &[u8]) -> bool {
        #[expect(unsafe_code, reason = "the bytes are this process's own compiler's")]
        // SAFETY: `compiled` comes straight from `precompile_module`.
        unsafe { wasmtime::Module::deserialize(engine, compiled) }.is_ok()
    }

    #[test]
    fn compiled_code_needs_no_feature_of_the_cpu_that_compiled_it() {
        let portable = precompile(&eager(), None).unwrap();
        assert!(loads(&on_the_oldest_cpu(), &portable));
    }

    /// The test above can fail: without a named target this CPU's features are used, and noticed.
    #[test]
    #[cfg(target_arch = "x86_64")]
    fn code_for_this_cpu_is_told_from_portable_code() {
        if !std::arch::is_x86_feature_detected!("sse4.1") {
            return;
        }
        let mut config = Config::new();
        settle(&mut config);
        let native = Engine::new(&config).unwrap();
        let compiled = native.precompile_module(&eager()).unwrap();
        assert!(loads(&native, &compiled));
        assert!(!loads(&on_the_oldest_cpu(), &compiled));
    }

    #[test]
    fn every_engine_runs_what_any_of_them_compiled() {
        let digest = |engine: &Engine| {
            let mut digesting = Digesting(Sha256::new());
            engine.precompile_compatibility_hash().hash(&mut digesting);
            digesting.0.finalize()
        };
        let mut limits = Limits::default();
        let kept = engine(Strategy::Kept, &limits).unwrap();
        limits.stack_bytes = 1 << 20;
        let fresh = engine(Strategy::Fresh, &limits).unwrap();
        let ahead = Engine::new(&config(&target_lexicon::HOST.to_string()).unwrap()).unwrap();
        assert_eq!(digest(&kept), digest(&fresh));
        assert_eq!(digest(&kept), digest(&ahead));
    }
}
