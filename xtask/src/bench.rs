//! `cargo xtask bench`: what fedward costs, beside what others cost on the same machine in the same run.

mod corpus;
mod measure;
mod render;
mod report;
mod repository;

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::artifacts;
use crate::process::{cargo, output, root, succeed};
use crate::shipped;
use corpus::Corpora;
use measure::Case;
use report::{Bar, Limit};

/// How often every process runs, apart from one run to warm up.
const RUNS: usize = 7;
/// Corpus A by the program that `cargo build --release` makes.
const RELEASE: &str = "A: fedward, release build";
/// A folder of JSON schemas for kubeconform; without it, kubeconform fetches them once.
const SCHEMAS: &str = "FEDWARD_BENCH_SCHEMAS";

/// Builds, measures, prints, and writes `docs/benchmarks.md`.
pub(crate) fn run() -> Result<()> {
    // Before our own build raises it.
    let load = std::fs::read_to_string("/proc/loadavg").ok().and_then(|text| text.split(' ').next()?.parse::<f64>().ok());
    let root = root();
    // Features of both at once, so that the probe links what the program does.
    let built =
        shipped::build(None, &["--package", "fedward", "--package", "fedward-artifacts", "--example", "probe", "--bin", "fedward"])?;
    // What everybody builds, for what building twice brings.
    succeed(cargo().args(["build", "--release", "--locked", "--package", "fedward"]))?;
    let release = root.join("target/release/fedward");
    let dist = root.join("target/dist");
    artifacts(&["dist", &dist.to_string_lossy()])?;
    let (fedward, probe) = (built.join("fedward"), built.join("examples/probe"));
    let folder = root.join("target/bench");
    eprintln!("writing the corpora");
    let corpora = Corpora::at(&folder);
    // In a process of its own: a child's peak memory is never below that of the process which starts it.
    let ourselves = std::env::current_exe().context("cannot find our own program")?;
    succeed(Command::new(ourselves).args(["bench", "corpora"]))?;
    let kubeconform = Kubeconform::find(&folder, &corpora);
    let peers = render::Peers::find();

    eprintln!("measuring, {RUNS} runs of each");
    let mut cases = cases(&corpora, &fedward, &probe, kubeconform.as_ref().ok());
    cases.push(Case::new(RELEASE, &release, &["check", &corpora.large.to_string_lossy()]));
    cases.extend(corpora.renders.cases(&fedward, &peers));
    measure::all(&mut cases, RUNS)?;
    let calls = output(Command::new(&probe).arg("calls"))?;
    let programs = [("the program that is given away", &*fedward), ("the program of `cargo build --release`", &*release)];
    let bars = bars(&cases, &calls, &corpora, &dist, programs)?;

    let mut tools = vec![format!("fedward {}", env!("CARGO_PKG_VERSION"))];
    tools.push(match &kubeconform {
        Ok(found) => format!("kubeconform {}", found.version),
        Err(reason) => format!("kubeconform: left out ({reason:#})"),
    });
    tools.extend(peers.shown());
    tools.push(output(Command::new("rustc").arg("--version")).map(|text| text.trim().to_owned()).unwrap_or_default());
    let text = report::write(&cases, &bars, &tools, RUNS, load);
    println!("{text}");
    std::fs::write(root.join("docs/benchmarks.md"), text).context("cannot write docs/benchmarks.md")
}

/// Writes the corpora only.
pub(crate) fn write_corpora() -> Result<()> {
    Corpora::at(&root().join("target/bench")).write()
}

fn cases(corpora: &Corpora, fedward: &Path, probe: &Path, kubeconform: Option<&Kubeconform>) -> Vec<Case> {
    let check = |name: &str, path: &Path, more: &[&str]| {
        let path = path.to_string_lossy();
        Case::new(name, fedward, &[&["check", &path], more].concat())
    };
    let (program, large) = (fedward.to_string_lossy(), corpora.large.to_string_lossy());
    let mut cases = vec![
        check("A: fedward", &corpora.large, &[]),
        check("A: fedward, a set of 20 policies", &corpora.large, &["--policies", &corpora.policies.to_string_lossy()]),
        check("A: fedward, one thread", &corpora.large, &["--threads", "1"]),
        check("A: fedward, two threads", &corpora.large, &["--threads", "2"]),
        Case::new("A: two processes at once, one thread each", probe, &["twice", &program, "check", &large, "--threads", "1"]),
        Case::new("A: bare parser events", probe, &["events", &large]),
        // Whatever its Applications deploy is not in it; what looking for that costs, E measures.
        check("B: fedward", &corpora.files, &["--no-argocd"]),
        check("C: fedward", &corpora.one, &[]),
    ];
    for (name, [few, many]) in [("one account", &corpora.one_account), ("an account each", &corpora.own_account)] {
        cases.push(check(&format!("D: {name}, 1,000"), few, &[]));
        cases.push(check(&format!("D: {name}, 10,000"), many, &[]));
    }
    cases.push(check("no findings", &corpora.no_findings, &[]));
    for format in ["human", "json", "sarif"] {
        cases.push(check(&format!("10,000 findings, {format}"), &corpora.findings, &["--format", format]));
    }
    for (count, folder) in ["100", "1,000"].iter().zip(&corpora.repositories) {
        let map = format!("{}={}", repository::URL, folder.display());
        cases.push(check(&format!("E: {count} Applications"), folder, &["--repo", &map]));
    }
    // The run to warm up fills the second one's cache.
    let ([_, many], [first, second]) = (&corpora.repositories, &corpora.caches);
    let map = format!("{}={}", repository::URL, many.display());
    let cached = |name: &str, cache: &Path| check(name, many, &["--repo", &map, "--cache", &cache.to_string_lossy()]);
    cases.push(cached("E: 1,000 Applications, an empty cache", first).without(first));
    cases.push(cached("E: 1,000 Applications, the cache of a run before", second));
    if let Some(kubeconform) = kubeconform {
        for (name, path) in [("A", &corpora.large), ("B", &corpora.files), ("C", &corpora.one)] {
            cases.push(kubeconform.case(&format!("{name}: kubeconform"), path));
        }
    }
    cases
}

fn bars(cases: &[Case], calls: &str, corpora: &Corpora, dist: &Path, programs: [(&str, &Path); 2]) -> Result<Vec<Bar>> {
    const MIB: f64 = 1_048_576.0;
    let find = |name: &str| cases.iter().find(|case| case.name == name);
    let mut bars = Vec::new();
    let mut ratio = |what: &str, one: &str, other: &str, wall: bool, cpu: bool, limit: Limit| {
        let (Some(one), Some(other)) = (find(one), find(other)) else { return };
        if wall {
            bars.push(Bar::ratio(&format!("{what}, wall"), one.wall(), other.wall(), limit));
        }
        if cpu {
            bars.push(Bar::ratio(&format!("{what}, CPU"), one.cpu(), other.cpu(), limit));
        }
    };
    ratio("A: kubeconform / fedward", "A: kubeconform", "A: fedward", true, true, Limit::AtLeast(3.5, 6.0));
    ratio(
        "A: kubeconform / fedward with a set of 20 policies",
        "A: kubeconform",
        "A: fedward, a set of 20 policies",
        true,
        true,
        Limit::AtLeast(3.5, 6.0),
    );
    ratio("A: `cargo build --release` / `cargo xtask shipped`", RELEASE, "A: fedward", true, true, Limit::None);
    ratio("B: kubeconform / fedward", "B: kubeconform", "B: fedward", true, true, Limit::AtLeast(2.0, 4.0));
    ratio("A: fedward / bare parser events", "A: fedward", "A: bare parser events", false, true, Limit::AtMost(7.0, 4.0));
    for name in ["one account", "an account each"] {
        let (many, few) = (format!("D: {name}, 10,000"), format!("D: {name}, 1,000"));
        ratio(&format!("D: 10 times the objects, {name}"), &many, &few, true, true, Limit::AtMost(12.0, 10.5));
    }
    ratio("E: 10 times the Applications", "E: 1,000 Applications", "E: 100 Applications", true, true, Limit::AtMost(12.0, 10.5));
    ratio(
        "E: second run / first",
        "E: 1,000 Applications, the cache of a run before",
        "E: 1,000 Applications, an empty cache",
        true,
        true,
        Limit::AtMost(0.2, 0.05),
    );
    let (at_least, at_most) = (Limit::AtLeast(1.5, 4.0), Limit::AtMost(3.0, 1.0));
    ratio("F: small chart, helm / fedward", "F: small chart, helm", "F: small chart, fedward", true, true, at_least);
    let unpacked = "F: small chart, fedward without its cache";
    ratio("F: small chart, helm / fedward without its cache", "F: small chart, helm", unpacked, true, true, Limit::None);
    ratio("F: 11 subcharts, fedward / helm", "F: 11 subcharts, fedward", "F: 11 subcharts, helm", true, true, at_most);
    for kind in render::KINDS {
        let [kustomize, fedward] = ["kustomize", "fedward"].map(|program| format!("F: {kind}, {program}"));
        ratio(&format!("F: {kind}, kustomize / fedward"), &kustomize, &fedward, true, true, at_least);
    }
    ratio("A: one thread / two threads", "A: fedward, one thread", "A: fedward, two threads", true, false, Limit::AtLeast(1.6, 1.8));
    // Two processes share nothing of ours: what they lose against one, the machine takes.
    ratio(
        "A: two processes at once / one",
        "A: two processes at once, one thread each",
        "A: fedward, one thread",
        true,
        false,
        Limit::None,
    );
    for format in ["human", "json", "sarif"] {
        let some = format!("10,000 findings, {format}");
        ratio(&format!("10,000 findings / none, {format}"), &some, "no findings", true, true, Limit::AtMost(1.5, 1.2));
    }
    if let Some(start) = find("C: fedward") {
        bars.push(Bar::pair("C: process start to exit, ms", start.wall().map(|time| time.as_secs_f64() * 1e3), Limit::AtMost(25.0, 10.0)));
    }
    if let Some(large) = find("A: fedward") {
        let input = std::fs::metadata(&corpora.large).context("corpus A is gone")?.len() as f64 / MIB;
        let limit = Limit::AtMost(10.0 * input + 64.0, 6.0 * input + 32.0);
        bars.push(Bar::one(&format!("A: peak memory, MiB (input {input:.1})"), large.peak() as f64 / MIB, limit));
    }
    for (what, program) in programs {
        let size = std::fs::metadata(program).with_context(|| format!("{what} is gone"))?.len() as f64 / MIB;
        bars.push(Bar::one(&format!("{what}, MiB"), size, Limit::AtMost(70.0, 50.0)));
    }
    bars.extend(sizes(dist)?);
    bars.extend(per_call(calls));
    Ok(bars)
}

fn sizes(dist: &Path) -> Result<Vec<Bar>> {
    let mut bars = Vec::new();
    for entry in std::fs::read_dir(dist).context("cannot read target/dist")? {
        let entry = entry.context("cannot read target/dist")?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if let Some(policy) = name.strip_suffix(".wasm") {
            let size = entry.metadata().context("cannot read target/dist")?.len();
            let limit = if policy == "suite" { Limit::AtMost(1_200.0, 800.0) } else { Limit::AtMost(400.0, 250.0) };
            bars.push(Bar::one(&format!("module `{policy}`, KiB"), size as f64 / 1024.0, limit));
        }
    }
    bars.sort_by(|one, other| one.what.cmp(&other.what));
    Ok(bars)
}

/// From lines such as `require-identity-labels 2 8.125`.
fn per_call(calls: &str) -> Vec<Bar> {
    let mut bars = Vec::new();
    let mut alone: Option<(&str, f64)> = None;
    let mut longest = 0.0_f64;
    for line in calls.lines() {
        let mut words = line.split_whitespace();
        let (Some(policy), Some(threads), Some(Ok(time))) = (words.next(), words.next(), words.next().map(str::parse::<f64>)) else {
            continue;
        };
        match alone {
            Some((same, one)) if same == policy => {
                let what = format!("one evaluation, `{policy}`, {threads} threads / one");
                bars.push(Bar::one(&what, time / one, Limit::AtMost(1.25, 1.1)));
                alone = None;
            }
            _ => {
                // The suite comes last.
                if policy == "suite" {
                    bars.push(Bar::one("one evaluation, `suite` / the longest policy", time / longest, Limit::AtMost(2.0, 1.5)));
                } else {
                    bars.push(Bar::one(&format!("one evaluation, `{policy}`, µs"), time, Limit::AtMost(20.0, 10.0)));
                    longest = longest.max(time);
                }
                alone = Some((policy, time));
            }
        }
    }
    bars
}

struct Kubeconform {
    program: PathBuf,
    version: String,
    args: Vec<String>,
}

impl Kubeconform {
    /// The program on the `PATH`, if it has schemas for our corpora.
    fn find(folder: &Path, corpora: &Corpora) -> Result<Self> {
        let program =
            render::on_path("kubeconform").context("not on the PATH; `go install github.com/yannh/kubeconform/cmd/kubeconform@v0.7.0`")?;
        let version = render::version(&program).or_else(|| output(Command::new(&program).arg("-v")).ok()).unwrap_or_default();
        let mut args = vec!["-summary".to_owned(), "-ignore-missing-schemas".to_owned()];
        match std::env::var(SCHEMAS) {
            Ok(schemas) => args.extend(["-schema-location".to_owned(), format!("{schemas}/{{{{.ResourceKind}}}}{{{{.KindSuffix}}}}.json")]),
            Err(_) => {
                let cache = folder.join("schemas");
                std::fs::create_dir_all(&cache).context("cannot make the folder for schemas")?;
                args.extend(["-cache".to_owned(), cache.to_string_lossy().into_owned()]);
            }
        }
        let found = Kubeconform { program, version: version.trim().to_owned(), args };
        // Nothing is compared where the other side has nothing to do.
        let said = output(Command::new(&found.program).args(&found.args).arg(&corpora.one))
            .with_context(|| format!("no schemas: none could be fetched, and {SCHEMAS} names no folder with them"))?;
        if !said.contains("Valid: 1") {
            anyhow::bail!("it found no schema for a Deployment: {}", said.trim());
        }
        Ok(found)
    }

    fn case(&self, name: &str, path: &Path) -> Case {
        let path = path.to_string_lossy();
        let mut args: Vec<&str> = self.args.iter().map(String::as_str).collect();
        args.push(&path);
        Case::new(name, &self.program, &args)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_become_two_bars_a_policy() {
        let bars = per_call("a 1 10.0\na 2 12.0\nb 1 30.0\nb 2 60.0\n");
        let found: Vec<(&str, bool)> = bars.iter().map(|bar| (bar.what.as_str(), bar.is_met())).collect();
        let expected = [
            ("one evaluation, `a`, µs", true),
            ("one evaluation, `a`, 2 threads / one", true),
            ("one evaluation, `b`, µs", false),
            ("one evaluation, `b`, 2 threads / one", false),
        ];
        assert_eq!(found, expected);
    }
}
