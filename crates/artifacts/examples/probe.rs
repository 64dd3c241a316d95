//! What `cargo xtask bench` measures inside a process: `probe events FILE`, `probe calls`,
//! `probe twice PROGRAM [ARG]...`.

use std::error::Error;
use std::hint::black_box;
use std::process::{Command, Stdio};
use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use fedward_host::{Host, Limits, Module, NoHostCalls, Strategy};

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match args.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["events", file] => events(&std::fs::read_to_string(file)?),
        ["calls"] => calls(),
        ["twice", program, args @ ..] => twice(program, args),
        _ => Err("one of `events FILE`, `calls`, `twice PROGRAM` is required".into()),
    }
}

/// The bare event loop of the parser that `crates/manifest` uses, over the same bytes.
fn events(text: &str) -> Result<(), Box<dyn Error>> {
    for event in granit_parser::Parser::new_from_str(text) {
        black_box(event?);
    }
    Ok(())
}

/// Two processes of the same at once: what the machine gives to two who share nothing of ours.
fn twice(program: &str, args: &[&str]) -> Result<(), Box<dyn Error>> {
    let start = || Command::new(program).args(args).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    let both = [start()?, start()?];
    for mut process in both {
        if !matches!(process.wait()?.code(), Some(0 | 1)) {
            return Err("a process failed".into());
        }
    }
    Ok(())
}

/// Prints `POLICY THREADS MICROSECONDS`: least time of one evaluation, over rounds.
fn calls() -> Result<(), Box<dyn Error>> {
    const DEPLOYMENT: &str = r#"{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"web","namespace":"shop","labels":{"app.kubernetes.io/name":"web","app.kubernetes.io/part-of":"shop","azure.workload.identity/use":"true"}},"spec":{"replicas":2,"selector":{"matchLabels":{"app.kubernetes.io/name":"web"}},"template":{"metadata":{"labels":{"app.kubernetes.io/name":"web","app.kubernetes.io/part-of":"shop","azure.workload.identity/use":"true"}},"spec":{"serviceAccountName":"web","containers":[{"name":"main","image":"registry.example/shop/web:1.4.2","args":["--listen",":8080","--quiet"],"env":[{"name":"LOG_LEVEL","value":"info"},{"name":"REGION","value":"west"},{"name":"POD_NAME","valueFrom":{"fieldRef":{"fieldPath":"metadata.name"}}}],"ports":[{"containerPort":8080,"name":"http"}],"resources":{"limits":{"cpu":"500m","memory":"256Mi"}}},{"name":"sidecar","image":"registry.example/shop/sidecar:1.0","args":["--upstream","http://localhost:8080"],"volumeMounts":[{"name":"token","mountPath":"/var/run/secrets/tokens"}]}],"volumes":[{"name":"token","projected":{"sources":[{"serviceAccountToken":{"audience":"vault","expirationSeconds":3600,"path":"token"}}]}}]}}}}"#;
    let payload = format!(
        r#"{{"settings":{{}},"request":{{"uid":"1","kind":{{"group":"apps","version":"v1","kind":"Deployment"}},"resource":{{"group":"apps","version":"v1","resource":"deployments"}},"operation":"CREATE","name":"web","namespace":"shop","userInfo":{{"username":"fedward"}},"object":{DEPLOYMENT}}}}}"#
    );
    let host = Host::new(Limits::default());
    let all = thread::available_parallelism()?.get();
    for builtin in fedward_modules::ALL.iter().chain([&fedward_modules::SUITE]) {
        let module = Module::from_wasm(&host, Strategy::Kept, builtin.wasm)?;
        // In turn, so that a slow moment of the machine hits both alike; the least of many short rounds.
        let mut best = [(1, Duration::MAX), (all, Duration::MAX)];
        for _ in 0..ROUNDS {
            for (threads, best) in &mut best {
                *best = round(&module, *threads, payload.as_bytes())?.min(*best);
            }
        }
        for (threads, took) in best {
            println!("{} {threads} {:.3}", builtin.id, took.as_secs_f64() * 1e6);
        }
    }
    Ok(())
}

/// Rounds of calls, and calls of a thread in one.
const ROUNDS: usize = 40;
const CALLS: u32 = 2_000;

/// One call's time when `threads` threads call at once: the slowest thread's mean.
fn round(module: &Module, threads: usize, payload: &[u8]) -> Result<Duration, Box<dyn Error>> {
    // All begin together, after a first call each that makes the instance.
    let ready = Barrier::new(threads);
    let times: Vec<Option<Duration>> = thread::scope(|scope| {
        let workers: Vec<_> = (0..threads)
            .map(|_| {
                scope.spawn(|| {
                    let mut evaluator = module.evaluator();
                    let mut call = || evaluator.call("validate", black_box(payload), &mut NoHostCalls).is_ok();
                    let first = call();
                    ready.wait();
                    if !first {
                        return None;
                    }
                    let start = Instant::now();
                    for _ in 0..CALLS {
                        if !call() {
                            return None;
                        }
                    }
                    Some(start.elapsed() / CALLS)
                })
            })
            .collect();
        workers.into_iter().map(|worker| worker.join().ok().flatten()).collect()
    });
    times.into_iter().collect::<Option<Vec<_>>>().and_then(|times| times.into_iter().max()).ok_or_else(|| "a call failed".into())
}
