//! `cargo xtask test`: everything that must pass, as named steps, cheapest first.
//!
//! All of it in release, so that one build of Wasmtime serves every step.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

use crate::process::{cargo, output, root, shown, succeed};
use crate::{artifacts, features};

struct Step {
    name: &'static str,
    run: fn() -> Result<()>,
    /// The program that it needs beyond cargo itself, and how to get it.
    tool: Option<Tool>,
}

/// A program that is asked for before anything is built.
pub(crate) struct Tool {
    /// A subcommand of cargo.
    pub(crate) subcommand: &'static str,
    /// How to get it.
    pub(crate) install: &'static str,
}

const STEPS: &[Step] = &[
    Step { name: "fmt", run: fmt, tool: Some(Tool { subcommand: "fmt", install: "rustup component add rustfmt" }) },
    Step { name: "features", run: features::check, tool: None },
    Step { name: "deny", run: deny, tool: Some(Tool { subcommand: "deny", install: "cargo install --locked cargo-deny" }) },
    Step { name: "renderers", run: renderers, tool: None },
    Step { name: "clippy", run: clippy, tool: Some(Tool { subcommand: "clippy", install: "rustup component add clippy" }) },
    Step { name: "gen", run: gen_check, tool: None },
    Step { name: "tests", run: tests, tool: None },
    Step { name: "doc", run: doc, tool: None },
];

/// Runs the named steps, or all, and stops at the first that fails.
pub(crate) fn run(names: &[&str]) -> Result<()> {
    let known: Vec<&str> = STEPS.iter().map(|step| step.name).collect();
    if let Some(name) = names.iter().find(|name| !known.contains(name)) {
        bail!("no such step: `{name}` (there are {})", known.join(", "));
    }
    let steps: Vec<&Step> = STEPS.iter().filter(|step| names.is_empty() || names.contains(&step.name)).collect();
    // A missing tool fails before anything is built, not half an hour later.
    for step in &steps {
        if let Some(tool) = &step.tool {
            present(tool).with_context(|| format!("step `{}`", step.name))?;
        }
    }
    let begin = Instant::now();
    let mut times = Vec::new();
    for (index, step) in steps.iter().enumerate() {
        eprintln!("[{}/{}] {}", index + 1, steps.len(), step.name);
        let start = Instant::now();
        (step.run)().with_context(|| format!("step `{}` failed (again with `cargo xtask test {}`)", step.name, step.name))?;
        let time = start.elapsed();
        eprintln!("[{}/{}] {}: passed in {}", index + 1, steps.len(), step.name, seconds(time));
        times.push(format!("{} {}", step.name, seconds(time)));
    }
    eprintln!("passed in {}: {}", seconds(begin.elapsed()), times.join(", "));
    Ok(())
}

fn seconds(time: Duration) -> String {
    format!("{:.1} s", time.as_secs_f64())
}

/// Fails with how to install it if the tool is not there.
pub(crate) fn present(tool: &Tool) -> Result<()> {
    let mut command = cargo();
    command.args([tool.subcommand, "--version"]).stdout(Stdio::null()).stderr(Stdio::null());
    if command.status().is_ok_and(|status| status.success()) {
        return Ok(());
    }
    bail!("`cargo {}` is not installed: run `{}`", tool.subcommand, tool.install)
}

fn traced(mut command: Command) -> Result<()> {
    eprintln!("  {}", shown(&command));
    succeed(&mut command)
}

fn fmt() -> Result<()> {
    let mut cargo = cargo();
    cargo.args(["fmt", "--all", "--check"]);
    traced(cargo)
}

fn deny() -> Result<()> {
    let mut cargo = cargo();
    cargo.args(["deny", "--workspace", "--locked", "check", "--hide-inclusion-graph", "bans", "licenses", "sources"]);
    traced(cargo)
}

/// The Go module, where there is a Go: a build without one has no renderers either.
fn renderers() -> Result<()> {
    let go = |program: &str, args: &[&str]| {
        let mut command = Command::new(program);
        command.current_dir(root().join("renderers")).args(args).env("GOWORK", "off");
        command
    };
    if go("go", &["version"]).stdout(Stdio::null()).status().is_err() {
        eprintln!("  Go is not installed: nothing to do");
        return Ok(());
    }
    let unformatted = output(&mut go("gofmt", &["-l", "."]))?;
    if !unformatted.trim().is_empty() {
        bail!("run `gofmt -w` in `renderers` on\n{unformatted}");
    }
    traced(go("go", &["vet", "-mod=readonly", "."]))
}

fn clippy() -> Result<()> {
    let mut cargo = cargo();
    cargo.args(["clippy", "--release", "--locked", "--workspace", "--all-targets", "--", "-D", "warnings"]);
    traced(cargo)
}

fn gen_check() -> Result<()> {
    artifacts(&["gen", "check"])
}

fn tests() -> Result<()> {
    let mut cargo = cargo();
    cargo.args(["test", "--release", "--locked", "--workspace"]);
    traced(cargo)
}

fn doc() -> Result<()> {
    let mut cargo = cargo();
    // Links into private items are for those who read the code.
    cargo.args(["doc", "--release", "--locked", "--workspace", "--no-deps", "--document-private-items"]).env("RUSTDOCFLAGS", "-Dwarnings");
    traced(cargo)
}
