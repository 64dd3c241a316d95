//! Running a module on requests, with a clock.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use fedward_host::{Evaluator, Host, Limits, Module, Stats, Strategy};
use hdrhistogram::Histogram;
use serde::Deserialize;

use crate::answers::Unseen;
use crate::times::{histogram, record};
use crate::{
    BenchError, Failure, Found, HostCalls, Instance, Load, ModuleInfo, Report, Request, RequestReport, Requests, SCHEMA_VERSION, Timed,
    Times, Verdict, digest, shown,
};

/// What to measure, and for how long.
#[derive(Debug, Clone, Copy)]
pub struct Plan<'p> {
    /// What the module is called.
    pub name: &'p str,
    /// The module in the binary format.
    pub wasm: &'p [u8],
    /// How instances live.
    pub instance: Instance,
    /// How many threads evaluate at the same time; 0 counts as 1, and more than [`Plan::MAX_THREADS`] as that.
    pub threads: usize,
    /// When it is enough.
    pub stop: Stop,
}

impl Plan<'_> {
    /// The most threads: the host has room for so many fresh instances at once.
    pub const MAX_THREADS: usize = 64;

    /// How many threads there will be.
    pub(crate) fn threads(&self) -> usize {
        self.threads.clamp(1, Self::MAX_THREADS)
    }
}

/// When measuring ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// After so much time, but not before every request was evaluated once.
    After(Duration),
    /// When every request was evaluated so often.
    Rounds(u64),
}

impl Stop {
    /// Whether evaluation `number` of a run on so many requests is one too many.
    fn is_reached(self, number: u64, requests: u64, start: Instant) -> bool {
        match self {
            Stop::After(time) => number >= requests && start.elapsed() >= time,
            Stop::Rounds(rounds) => number >= rounds.saturating_mul(requests),
        }
    }
}

/// Loads the module, has it check the settings, evaluates every request once, and then again and again with a clock.
///
/// `progress` counts evaluations.
///
/// # Errors
/// A module that does not load, settings that it refuses, no threads. A request that fails is no error: it is in [`Report::failed`].
pub fn measure(plan: &Plan<'_>, found: Found, progress: &AtomicUsize) -> Result<Report, BenchError> {
    let strategy = match plan.instance {
        Instance::Fresh => Strategy::Fresh,
        Instance::Kept => Strategy::Kept,
    };
    let unusable = |message: &str| BenchError::Load { module: shown(plan.name), message: shown(message) };
    if !plan.wasm.starts_with(b"\0asm") {
        return Err(unusable("not a WebAssembly module"));
    }
    let loaded = Module::timed(&Host::new(Limits::default()), strategy, plan.wasm).map_err(|error| unusable(&error.to_string()))?;
    check_settings(&loaded.module, &found.requests)?;

    let mut report = Report {
        schema_version: SCHEMA_VERSION,
        fedward: env!("CARGO_PKG_VERSION").to_owned(),
        machine: format!("{} {}", std::env::consts::ARCH, std::env::consts::OS),
        module: ModuleInfo { name: shown(plan.name), bytes: plan.wasm.len() as u64, sha256: digest::bytes(plan.wasm) },
        settings_sha256: digest::settings(&found),
        requests: Requests { count: found.requests.len(), sha256: digest::requests(&found), accepted: 0, rejected: 0 },
        instance: plan.instance,
        threads: plan.threads(),
        load: Load {
            compile_ns: nanoseconds(loaded.compile),
            compiled_bytes: loaded.compiled_bytes as u64,
            load_ns: nanoseconds(loaded.load),
            first_ns: None,
        },
        memory_bytes: 0,
        memory_bytes_all: 0,
        host_calls: HostCalls::default(),
        timed: None,
        per_request: Vec::new(),
        failed: found.failed,
        skipped: found.skipped,
    };
    let sound = once(&loaded.module, found.requests, progress, &mut report);
    if !sound.is_empty() {
        again(plan.stop, &loaded.module, &sound, progress, &mut report)?;
    }
    Ok(report)
}

/// Asks the module about every settings that requests have.
fn check_settings(module: &Module, requests: &[Request]) -> Result<(), BenchError> {
    #[derive(Deserialize)]
    struct Answer {
        valid: bool,
        message: Option<String>,
    }
    let mut evaluator = module.evaluator();
    let mut known = HashSet::new();
    for request in requests {
        if !known.insert(request.settings()) {
            continue;
        }
        // Those of most runs are the same for all.
        let what = if known.len() == 1 { "the settings".to_owned() } else { format!("the settings of {}", request.name) };
        let answer =
            evaluator.validate_settings(request.settings(), &mut Unseen::default()).map_err(|error| BenchError::settings(&what, &error))?;
        let answer: Answer = serde_json::from_slice(answer).map_err(|_| BenchError::Settings {
            settings: what.clone(),
            message: "its answer does not say whether they are valid".to_owned(),
        })?;
        if !answer.valid {
            let message = shown(&answer.message.unwrap_or_else(|| "it does not say why".to_owned()));
            return Err(BenchError::SettingsRefused { settings: what, message });
        }
    }
    Ok(())
}

/// Evaluates every request once, in order, on one thread: what is counted here does not depend on how long the run is. The result are
/// the requests that can be evaluated.
fn once(module: &Module, requests: Vec<Request>, progress: &AtomicUsize, report: &mut Report) -> Vec<Request> {
    #[derive(Deserialize)]
    struct Answer {
        accepted: bool,
    }
    let (mut evaluator, mut host) = (module.evaluator(), Unseen::default());
    let mut sound = Vec::new();
    for request in requests {
        progress.fetch_add(1, Ordering::Relaxed);
        let (took, answer) = evaluate(&mut evaluator, &mut host, &request);
        let answer = answer.and_then(|answer| {
            serde_json::from_slice::<Answer>(answer).map_err(|_| "the module's answer is no validation response".to_owned())
        });
        let verdict = match answer {
            Ok(Answer { accepted: true }) => Verdict::Accepted,
            Ok(Answer { accepted: false }) => Verdict::Rejected,
            Err(reason) => {
                report.failed.push(Failure { name: request.name, reason: shown(&reason) });
                continue;
            }
        };
        let Stats { host_calls, host_request_bytes, host_response_bytes, memory_bytes, .. } = evaluator.stats();
        let host_calls = HostCalls { count: host_calls.into(), request_bytes: host_request_bytes, response_bytes: host_response_bytes };
        let memory_bytes = memory_bytes as u64;
        report.load.first_ns.get_or_insert(nanoseconds(took));
        match verdict {
            Verdict::Accepted => report.requests.accepted += 1,
            Verdict::Rejected => report.requests.rejected += 1,
        }
        report.memory_bytes = report.memory_bytes.max(memory_bytes);
        report.host_calls.count += host_calls.count;
        report.host_calls.request_bytes += host_calls.request_bytes;
        report.host_calls.response_bytes += host_calls.response_bytes;
        report.per_request.push(RequestReport {
            name: request.name.clone(),
            bytes: request.payload.len() as u64,
            verdict,
            memory_bytes,
            host_calls,
            times: None,
        });
        sound.push(request);
    }
    report.memory_bytes_all = report.memory_bytes;
    sound
}

/// One evaluation, and how long it took. The answer lives in the evaluator.
fn evaluate<'e>(evaluator: &'e mut Evaluator, host: &mut Unseen, request: &Request) -> (Duration, Result<&'e [u8], String>) {
    let start = Instant::now();
    let answer = evaluator.validate(&request.payload, host);
    let took = start.elapsed();
    (took, answer.map_err(|error| error.to_string()))
}

/// What is known of one request while threads evaluate it.
struct Progress<'r> {
    request: &'r Request,
    times: Mutex<Histogram<u32>>,
    /// Once failed, it is not tried again: a module that runs out of time would take all of it.
    has_failed: AtomicBool,
    failure: Mutex<Option<String>>,
}

/// What the threads share.
struct Race<'r> {
    stop: Stop,
    start: Instant,
    /// The number of the next evaluation.
    next: AtomicU64,
    failed: AtomicU64,
    requests: Vec<Progress<'r>>,
}

/// What one thread did.
struct Lap {
    times: Histogram<u64>,
    took: Duration,
    memory_bytes: u64,
}

/// Evaluates the requests in turn, on as many threads as asked for, until it is enough.
fn again(stop: Stop, module: &Module, requests: &[Request], progress: &AtomicUsize, report: &mut Report) -> Result<(), BenchError> {
    let threads = report.threads;
    let new = |request| {
        let times = Mutex::new(histogram(2)?);
        Some(Progress { request, times, has_failed: AtomicBool::new(false), failure: Mutex::default() })
    };
    let requests: Vec<Progress<'_>> = requests.iter().filter_map(new).collect();
    let race = Race { stop, start: Instant::now(), next: AtomicU64::new(0), failed: AtomicU64::new(0), requests };
    let laps = thread::scope(|scope| {
        let run = || lap(module, &race, progress);
        let others: Vec<_> = (1..threads).map_while(|_| thread::Builder::new().spawn_scoped(scope, run).ok()).collect();
        let all_run = others.len() + 1 == threads;
        let own = run();
        let joined: Option<Vec<Lap>> = others.into_iter().map(|other| other.join().ok().flatten()).chain([own]).collect();
        joined.filter(|_| all_run)
    });
    let laps = laps.ok_or(BenchError::Threads(threads))?;

    let mut per_second = 0.0;
    let mut seconds: f64 = 0.0;
    let mut all: Option<Histogram<u64>> = None;
    for lap in laps {
        let took = lap.took.as_secs_f64();
        per_second += if took > 0.0 { lap.times.len() as f64 / took } else { 0.0 };
        seconds = seconds.max(took);
        report.memory_bytes_all = report.memory_bytes_all.max(lap.memory_bytes);
        match &mut all {
            // Both grow as far as they need.
            Some(all) => drop(all.add(&lap.times)),
            None => all = Some(lap.times),
        }
    }
    report.timed = all.as_ref().and_then(Times::of).map(|times| Timed { seconds, per_second, times });
    for (request, of) in race.requests.into_iter().zip(&mut report.per_request) {
        of.times = Times::of(&request.times.into_inner().unwrap_or_else(PoisonError::into_inner));
        let failure = request.failure.into_inner().unwrap_or_else(PoisonError::into_inner);
        report.failed.extend(failure.map(|reason| Failure { name: of.name.clone(), reason }));
    }
    Ok(())
}

/// One thread's part.
fn lap(module: &Module, race: &Race<'_>, progress: &AtomicUsize) -> Option<Lap> {
    let count = race.requests.len() as u64;
    let (mut evaluator, mut host) = (module.evaluator(), Unseen::default());
    // A kept instance is made here, and code and memory are warm; no clock runs yet.
    let _ = evaluate(&mut evaluator, &mut host, race.requests.first()?.request);
    let mut lap = Lap { times: histogram(3)?, took: Duration::ZERO, memory_bytes: 0 };
    let start = Instant::now();
    loop {
        let number = race.next.fetch_add(1, Ordering::Relaxed);
        if race.stop.is_reached(number, count, race.start) || race.failed.load(Ordering::Relaxed) == count {
            break;
        }
        let Some(request) = usize::try_from(number % count).ok().and_then(|index| race.requests.get(index)) else { break };
        if request.has_failed.load(Ordering::Relaxed) {
            continue;
        }
        progress.fetch_add(1, Ordering::Relaxed);
        let (took, answer) = evaluate(&mut evaluator, &mut host, request.request);
        match answer {
            Ok(_) => {
                record(&mut lap.times, took);
                record(&mut request.times.lock().unwrap_or_else(PoisonError::into_inner), took);
            }
            Err(reason) => {
                if !request.has_failed.swap(true, Ordering::Relaxed) {
                    race.failed.fetch_add(1, Ordering::Relaxed);
                    let reason = format!("judged at first, and later: {}", shown(&reason));
                    *request.failure.lock().unwrap_or_else(PoisonError::into_inner) = Some(reason);
                }
            }
        }
        lap.memory_bytes = lap.memory_bytes.max(evaluator.stats().memory_bytes as u64);
    }
    lap.took = start.elapsed();
    Some(lap)
}

fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use serde_json::json;

    use super::*;
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
        measure(&Plan { name: "sample.wasm", wasm: &wasm, instance, threads, stop }, found, &AtomicUsize::new(0))
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
            let plan = Plan { name: "a\u{1b}.wasm", wasm, instance: Instance::Fresh, threads: 1, stop: Stop::Rounds(1) };
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
}
