//! What calls cost on this machine: `cargo run --release -p fedward-host --example cost [module.wasm]`.
//!
//! Every figure is the least and the median of several rounds. A module given on the command line is only loaded and cached.

use std::error::Error;
use std::hint::black_box;
use std::thread;
use std::time::{Duration, Instant};

use fedward_host::{Cache, CallError, Host, Limits, Module, NoHostCalls, Strategy, precompile};

/// Responds with its payload; without one loops, with one of a byte traps, with one of two bytes takes all memory.
const ECHO: &str = r#"(module
    (import "wapc" "__guest_request" (func $request (param i32 i32)))
    (import "wapc" "__guest_response" (func $respond (param i32 i32)))
    (memory (export "memory") 17)
    (data (i32.const 1024) "some data that every instance begins with")
    (func (export "wapc_init") (i32.store (i32.const 2048) (i32.const 1)))
    (func (export "__guest_call") (param $op_len i32) (param $len i32) (result i32)
        (if (i32.eqz (local.get $len)) (then (loop $forever (br $forever))))
        (if (i32.eq (local.get $len) (i32.const 1)) (then unreachable))
        (if (i32.eq (local.get $len) (i32.const 2)) (then (loop $more (drop (memory.grow (i32.const 1))) (br $more))))
        (call $request (i32.const 0) (i32.const 4096))
        (call $respond (i32.const 4096) (local.get $len))
        (i32.const 1)))"#;

fn main() -> Result<(), Box<dyn Error>> {
    let wasm = wat::parse_str(ECHO)?;
    let payload = vec![b'x'; 1200];

    let compiled = precompile(&wasm, None)?;
    for strategy in [Strategy::Kept, Strategy::Fresh] {
        report(&format!("{strategy:?}: a new host, a module compiled ahead, its first call"), 50, || {
            #[expect(unsafe_code, reason = "the bytes were compiled above")]
            // SAFETY: they are what `precompile` returned.
            let module = unsafe { Module::from_precompiled(&Host::new(Limits::default()), strategy, &compiled, &wasm) }?;
            module.evaluator().call("validate", &payload, &mut NoHostCalls)?;
            Ok::<(), Box<dyn Error>>(())
        })?;
    }

    for strategy in [Strategy::Kept, Strategy::Fresh] {
        let host = Host::new(Limits::default());
        let module = Module::from_wasm(&host, strategy, &wasm)?;
        for threads in [1, 2] {
            let took = round(&module, threads, &payload);
            println!("{strategy:?} instance, {threads} threads: {:.2} µs a call", took.as_secs_f64() * 1e6);
        }
        let mut evaluator = module.evaluator();
        report(&format!("{strategy:?}: a trap and the next call"), 200, || {
            let trapped = evaluator.call("validate", b"1", &mut NoHostCalls).is_err();
            assert!(trapped);
            evaluator.call("validate", &payload, &mut NoHostCalls).map(drop)
        })?;
        report(&format!("{strategy:?}: out of memory (128 MiB) and the next call"), 50, || {
            let refused = evaluator.call("validate", b"22", &mut NoHostCalls).is_err();
            assert!(refused);
            evaluator.call("validate", &payload, &mut NoHostCalls).map(drop)
        })?;
        for milliseconds in [5, 50, 200] {
            let mut limits = Limits::default();
            limits.call_time = Duration::from_millis(milliseconds);
            let mut evaluator = module.evaluator_with(limits);
            evaluator.call("validate", &payload, &mut NoHostCalls)?;
            let mut beyond: Vec<Duration> = (0..20)
                .map(|_| {
                    let start = Instant::now();
                    let outcome = evaluator.call("validate", b"", &mut NoHostCalls);
                    assert!(matches!(outcome, Err(CallError::Deadline { .. })));
                    start.elapsed().saturating_sub(Duration::from_millis(milliseconds))
                })
                .collect();
            print(&format!("{strategy:?}: beyond a deadline of {milliseconds} ms"), &mut beyond);
        }
    }

    let Some(path) = std::env::args().nth(1) else { return Ok(()) };
    let wasm = std::fs::read(path)?;
    let start = Instant::now();
    let compiled = precompile(&wasm, None)?;
    println!("module: {} bytes, compiled in {:?} to {} bytes", wasm.len(), start.elapsed(), compiled.len());
    let host = Host::new(Limits::default());
    report("load what was compiled ahead", 50, || {
        #[expect(unsafe_code, reason = "the bytes were compiled above")]
        // SAFETY: they are what `precompile` returned.
        let module = unsafe { Module::from_precompiled(&host, Strategy::Kept, &compiled, &wasm) };
        module.map(drop)
    })?;
    let directory = std::env::temp_dir().join(format!("fedward-host-cost-{}", std::process::id()));
    let cache = Cache::open(&directory)?;
    cache.load(&host, Strategy::Fresh, &wasm)?;
    report("load from the disk cache", 50, || cache.load(&host, Strategy::Fresh, &wasm).map(drop))?;
    let mut evaluator = cache.load(&host, Strategy::Fresh, &wasm)?.module.evaluator();
    report("fresh instance, `protocol_version`", 500, || {
        evaluator.call("protocol_version", b"", &mut NoHostCalls).map(drop).or(Ok::<(), CallError>(()))
    })?;
    std::fs::remove_dir_all(directory)?;
    Ok(())
}

/// The time of one call when `threads` threads make calls for a while, at its best.
fn round(module: &Module, threads: u32, payload: &[u8]) -> Duration {
    const CALLS: u32 = 20_000;
    let one = || {
        thread::scope(|scope| {
            let workers: Vec<_> = (0..threads)
                .map(|_| {
                    scope.spawn(|| {
                        let mut evaluator = module.evaluator();
                        let start = Instant::now();
                        for _ in 0..CALLS {
                            let answered = evaluator.call("validate", black_box(payload), &mut NoHostCalls).is_ok();
                            assert!(answered);
                        }
                        start.elapsed() / CALLS
                    })
                })
                .collect();
            workers.into_iter().filter_map(|worker| worker.join().ok()).max().unwrap_or_default()
        })
    };
    (0..5).map(|_| one()).min().unwrap_or_default()
}

fn report<E>(what: &str, times: usize, mut act: impl FnMut() -> Result<(), E>) -> Result<(), E> {
    let mut took = Vec::new();
    for _ in 0..times {
        let start = Instant::now();
        act()?;
        took.push(start.elapsed());
    }
    print(what, &mut took);
    Ok(())
}

fn print(what: &str, took: &mut [Duration]) {
    took.sort();
    let at = |index: usize| took.get(index).copied().unwrap_or_default();
    println!("{what}: least {:?}, median {:?}, most {:?}", at(0), at(took.len() / 2), at(took.len().saturating_sub(1)));
}
