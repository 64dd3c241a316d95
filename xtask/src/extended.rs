//! `cargo xtask ci-extended` and its parts: what takes too long for every change.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use anyhow::{Context as _, Result, bail};

use crate::process::{cargo, output, root, succeed};
use crate::test::{self, Tool};
use crate::{artifacts, bench, fuzz_words, image};

/// How long each target is fuzzed unless told.
const SECONDS: u32 = 120;
/// What starts another file in a seed: see `FILE` in `fuzz/src/lib.rs`.
const FILE: &str = "#=== ";

/// A fuzz target.
struct Target {
    name: &'static str,
    /// Where it starts from.
    seeds: Seeds,
    max_len: usize,
}

enum Seeds {
    /// The fixtures' texts, after a byte of flags where the target has them.
    Fixtures {
        flags: bool,
    },
    Texts(&'static [&'static str]),
    None,
}

const TARGETS: &[Target] = &[
    Target { name: "reader", seeds: Seeds::Fixtures { flags: false }, max_len: 4096 },
    Target { name: "engine", seeds: Seeds::Fixtures { flags: true }, max_len: 8192 },
    Target { name: "policies", seeds: Seeds::Fixtures { flags: true }, max_len: 4096 },
    Target { name: "objects", seeds: Seeds::None, max_len: 1024 },
    Target {
        name: "ignores",
        seeds: Seeds::Texts(&[
            "\nfedward: ignore[wrong-azure-label-value] this is right here",
            "fedward: ignore[legacy-pod-identity, wrong-azure-label-value]\n\n\n\nfedward: ignore[] nothing",
        ]),
        max_len: 1024,
    },
    Target {
        name: "answers",
        seeds: Seeds::Texts(&[
            "\0{\"accepted\":true}",
            "\0{\"accepted\":false,\"message\":\"no\",\"warnings\":[\"careful\"],\"audit_annotations\":{\"findings\":\"[]\"}}",
            "\u{1}[{\"rule\":\"misspelt-audience\",\"condition\":\"misspelt\",\"severity\":\"error\",\"path\":\"/data/list\",\"embedded\":[\"/0/name\"],\"message\":\"m\",\"docs\":\"d\",\
             \"related\":[{\"path\":\"/metadata\",\"key\":true,\"message\":\"r\"}],\"fix\":[{\"op\":\"remove\",\"path\":\"/data\"}]}]",
        ]),
        max_len: 2048,
    },
    Target { name: "host", seeds: Seeds::None, max_len: 2048 },
];

/// The tests, a build elsewhere, the image, the chart in Helm, the plugin in Argo CD's server, the comparisons with Kubewarden's host and
/// Kubernetes' CEL, every fuzz target, then the benchmarks.
pub(crate) fn run(words: &[&str]) -> Result<()> {
    let seconds = seconds(words)?;
    test::present(&FUZZ).context("step `fuzz`")?;
    has_helm().context("step `helm`")?;
    test::run(&[])?;
    helm()?;
    argocd()?;
    artifacts(&["reproduce"])?;
    image::run(false)?;
    peer()?;
    cel()?;
    fuzz_all(seconds)?;
    bench::run()
}

/// Compares our host with Kubewarden's.
pub(crate) fn peer() -> Result<()> {
    let mut cargo = cargo();
    cargo.args(["test", "--release", "--locked", "--package", "fedward-tests", "--test", "peer", "--", "--ignored", "--nocapture"]);
    succeed(&mut cargo)
}

/// Has Helm render the chart: `cargo xtask test` does that only where Helm happens to be installed.
pub(crate) fn helm() -> Result<()> {
    has_helm()?;
    let mut cargo = cargo();
    cargo.args(["test", "--release", "--locked", "--package", "fedward-tests", "--test", "deploy", "--", "chart"]);
    succeed(cargo.env("FEDWARD_REQUIRE_HELM", "1"))
}

/// Builds Argo CD's plugin server with Go, and has it ask our plugin. The first time it fetches and builds a good part of Argo CD, which takes some
/// seven minutes.
pub(crate) fn argocd() -> Result<()> {
    let program = go_program("argocd").context("Argo CD's plugin server is not built; it needs Go")?;
    let mut cargo = cargo();
    cargo.args(["test", "--release", "--locked", "--package", "fedward", "--test", "cmp", "--", "--ignored"]);
    succeed(cargo.env("FEDWARD_ARGOCD", program))
}

/// Builds Kubernetes' evaluator of match conditions with Go, and holds the table of `crates/cel` to it. The first time it fetches a part of Kubernetes.
pub(crate) fn cel() -> Result<()> {
    let program = go_program("cel").context("Kubernetes' evaluator is not built; it needs Go")?;
    let mut cargo = cargo();
    cargo.args(["test", "--release", "--locked", "--package", "fedward-cel", "--test", "table", "--", "--include-ignored", "--nocapture"]);
    succeed(cargo.env("FEDWARD_CEL", program))
}

/// Builds the Go module of that name in `tests`.
fn go_program(name: &str) -> Result<PathBuf> {
    let program = root().join("target").join(name).join(name);
    let mut go = Command::new("go");
    go.current_dir(root().join("tests").join(name)).args(["build", "-mod=readonly", "-o"]).arg(&program).arg(".").env("GOWORK", "off");
    succeed(&mut go)?;
    Ok(program)
}

fn has_helm() -> Result<()> {
    output(Command::new("helm").arg("version")).context("`helm` is not installed: run `go install helm.sh/helm/v4/cmd/helm@v4.2.0`")?;
    Ok(())
}

/// `fuzz [TARGET]... [--seconds N]`.
pub(crate) fn fuzz(words: &[&str]) -> Result<()> {
    let at = words.iter().position(|word| *word == "--seconds").unwrap_or(words.len());
    let (names, rest) = words.split_at(at);
    let seconds = seconds(rest)?;
    test::present(&FUZZ)?;
    if names.is_empty() {
        return fuzz_all(seconds);
    }
    for name in names {
        let Some(target) = TARGETS.iter().find(|target| target.name == *name) else {
            let known: Vec<&str> = TARGETS.iter().map(|target| target.name).collect();
            bail!("no such target: `{name}` (there are {})", known.join(", "));
        };
        one(target, seconds)?;
    }
    Ok(())
}

const FUZZ: Tool = Tool { subcommand: "fuzz", install: "cargo install --locked cargo-fuzz" };

fn seconds(words: &[&str]) -> Result<u32> {
    match words {
        [] => Ok(SECONDS),
        ["--seconds", number] => number.parse().with_context(|| format!("`{number}` is no number of seconds")),
        _ => bail!("only `--seconds N` is possible here, not `{}`", words.join(" ")),
    }
}

/// Runs every target, also after one that failed.
fn fuzz_all(seconds: u32) -> Result<()> {
    let mut failed = Vec::new();
    for target in TARGETS {
        if let Err(error) = one(target, seconds) {
            eprintln!("{error:#}");
            failed.push(target.name);
        }
    }
    if failed.is_empty() { Ok(()) } else { bail!("fuzz targets failed: {} (their inputs are in `fuzz/artifacts`)", failed.join(", ")) }
}

fn one(target: &Target, seconds: u32) -> Result<()> {
    eprintln!("fuzzing `{}` for {seconds} s", target.name);
    let start = Instant::now();
    let folder = root().join("fuzz/corpus").join(target.name);
    fs::create_dir_all(&folder).with_context(|| format!("cannot make `{}`", folder.display()))?;
    let fixtures = cases(&root().join("fixtures"))?;
    match target.seeds {
        Seeds::Fixtures { flags } => {
            for (number, text) in fixtures.iter().enumerate() {
                let text = if flags { format!("\0{text}") } else { text.clone() };
                write(&folder, number, &text)?;
            }
        }
        Seeds::Texts(texts) => texts.iter().enumerate().try_for_each(|(number, text)| write(&folder, number, text))?,
        Seeds::None => {}
    }
    let words = root().join("target/fuzz-words");
    fs::create_dir_all(root().join("target"))?;
    fs::write(&words, fuzz_words::of(&fixtures)).with_context(|| format!("cannot write `{}`", words.display()))?;
    let mut cargo = cargo();
    // Nothing here is unsafe, so coverage alone does, and the pinned toolchain with it.
    cargo.args(["fuzz", "run", "--sanitizer", "none", target.name]).arg(&folder).arg("--").args([
        format!("-max_total_time={seconds}"),
        format!("-max_len={}", target.max_len),
        format!("-dict={}", words.display()),
        "-timeout=10".to_owned(),
        "-rss_limit_mb=2048".to_owned(),
        "-print_final_stats=1".to_owned(),
        "-verbosity=1".to_owned(),
    ]);
    succeed(&mut cargo).with_context(|| format!("target `{}` failed after {} s", target.name, start.elapsed().as_secs()))
}

fn write(folder: &Path, number: usize, text: &str) -> Result<()> {
    let path = folder.join(format!("seed-{number:05}"));
    fs::write(&path, text).with_context(|| format!("cannot write `{}`", path.display()))
}

/// The text of every file, and of every case of several files at once.
fn cases(folder: &Path) -> Result<Vec<String>> {
    let mut found = Vec::new();
    for path in entries(folder)? {
        if path.is_dir() {
            let is = |path: &Path, names: [&str; 2]| path.file_name().is_some_and(|name| names.iter().any(|known| name == *known));
            if is(folder, ["accept", "reject"]) || is(&path, ["secure", "as-published"]) {
                found.push(joined(&path, &path)?);
            }
            found.extend(cases(&path)?);
        } else if is_manifest(&path) {
            found.push(fs::read_to_string(&path)?);
        }
    }
    Ok(found)
}

fn joined(root: &Path, folder: &Path) -> Result<String> {
    let mut text = String::new();
    for path in entries(folder)? {
        if path.is_dir() {
            text.push_str(&joined(root, &path)?);
        } else if is_manifest(&path) {
            let name = path.strip_prefix(root).unwrap_or(&path);
            text.push_str(&format!("{FILE}{}\n{}", name.display(), fs::read_to_string(&path)?));
        }
    }
    Ok(text)
}

fn is_manifest(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "yaml" || extension == "json")
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| format!("cannot read `{}`", folder.display()))? {
        found.push(entry?.path());
    }
    found.sort();
    Ok(found)
}
