//! Running a module on requests, with a clock.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use fedward_host::{Evaluator, Host, Limits, Module, Stats, Strategy};
use hdrhistogram::Histogram;
use serde::Deserialize;

use crate::context::host;
use crate::times::{histogram, record};
use crate::{
    BenchError, Context, Failure, Found, HostCalls, Instance, Load, ModuleInfo, Report, Request, RequestReport, Requests, SCHEMA_VERSION,
    Timed, Times, Verdict, digest, settings, shown,
};

/// What to measure, and for how long.
#[derive(Clone, Copy)]
pub struct Plan<'p> {
    /// What the module is called.
    pub name: &'p str,
    /// The module in the binary format.
    pub wasm: &'p [u8],
    /// What the module may ask for; without one, nothing is known.
    pub context: Option<&'p Context>,
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
    settings::check(plan, &loaded.module, &found.requests)?;

    let mut report = Report {
        schema_version: SCHEMA_VERSION,
        fedward: env!("CARGO_PKG_VERSION").to_owned(),
        machine: format!("{} {}", std::env::consts::ARCH, std::env::consts::OS),
        module: ModuleInfo { name: shown(plan.name), bytes: plan.wasm.len() as u64, sha256: digest::bytes(plan.wasm) },
        settings_sha256: digest::settings(&found),
        requests: Requests { count: found.requests.len(), sha256: digest::requests(&found), accepted: 0, rejected: 0 },
        context_sha256: plan.context.map(|context| context.sha256().to_owned()),
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
    let sound = once(plan, &loaded.module, found.requests, progress, &mut report);
    if !sound.is_empty() {
        again(plan, &loaded.module, &sound, progress, &mut report)?;
    }
    Ok(report)
}

/// Evaluates every request once, in order, on one thread: what is counted here does not depend on how long the run is. The result are
/// the requests that can be evaluated.
fn once(plan: &Plan<'_>, module: &Module, requests: Vec<Request>, progress: &AtomicUsize, report: &mut Report) -> Vec<Request> {
    #[derive(Deserialize)]
    struct Answer {
        accepted: bool,
    }
    let (mut evaluator, mut host) = (module.evaluator(), host(plan.context, plan.wasm));
    let mut sound = Vec::new();
    for request in requests {
        progress.fetch_add(1, Ordering::Relaxed);
        let (took, answer) = evaluate(&mut evaluator, &mut *host, &request);
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
fn evaluate<'e>(
    evaluator: &'e mut Evaluator,
    host: &mut dyn fedward_host::HostCalls,
    request: &Request,
) -> (Duration, Result<&'e [u8], String>) {
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
    plan: &'r Plan<'r>,
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
fn again(plan: &Plan<'_>, module: &Module, requests: &[Request], progress: &AtomicUsize, report: &mut Report) -> Result<(), BenchError> {
    let threads = report.threads;
    let new = |request| {
        let times = Mutex::new(histogram(2)?);
        Some(Progress { request, times, has_failed: AtomicBool::new(false), failure: Mutex::default() })
    };
    let requests: Vec<Progress<'_>> = requests.iter().filter_map(new).collect();
    let race = Race { plan, start: Instant::now(), next: AtomicU64::new(0), failed: AtomicU64::new(0), requests };
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
    let (mut evaluator, mut host) = (module.evaluator(), host(race.plan.context, race.plan.wasm));
    // A kept instance is made here, and code and memory are warm; no clock runs yet.
    let _ = evaluate(&mut evaluator, &mut *host, race.requests.first()?.request);
    let mut lap = Lap { times: histogram(3)?, took: Duration::ZERO, memory_bytes: 0 };
    let start = Instant::now();
    loop {
        let number = race.next.fetch_add(1, Ordering::Relaxed);
        if race.plan.stop.is_reached(number, count, race.start) || race.failed.load(Ordering::Relaxed) == count {
            break;
        }
        let Some(request) = usize::try_from(number % count).ok().and_then(|index| race.requests.get(index)) else { break };
        if request.has_failed.load(Ordering::Relaxed) {
            continue;
        }
        progress.fetch_add(1, Ordering::Relaxed);
        let (took, answer) = evaluate(&mut evaluator, &mut *host, request.request);
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
mod tests;
