//! `cargo xtask shipped`: the program that is given away, built twice. The first one counts which ways it takes through the fixtures, and the
//! compiler lays out the second by these counts. The benchmarks, which say what that brings, have inputs that it does not learn from.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, ensure};

use crate::process::{cargo, output, root, shown, succeed};

/// The profile in Cargo.toml.
const PROFILE: &str = "shipped";
/// What the program is known by when nothing else is built with it.
pub(crate) const PROGRAM: &[&str] = &["--package", "fedward"];
/// Kustomizations of policies that the fixtures are judged by as well: each policy by itself with a condition, and the suite.
const POLICIES: [&str; 2] = ["deploy/kubewarden/overlays/protect-namespaced", "deploy/kubewarden/overlays/suite-protect"];
/// Where their modules are.
const MODULES: &str = "deploy/kubewarden/fedward.yaml";
/// What it does while it counts, in the repository's root, each time as a process of its own. Findings are no failures.
const LESSONS: &[&[&str]] = &[
    &["check", "fixtures"],
    &["check", "fixtures", "--format", "json"],
    &["check", "fixtures", "--format", "sarif"],
    &["check", "fixtures", "--threads", "1"],
    &["check", "fixtures", "deploy", "docs", "--no-argocd"],
    &["identities", "fixtures"],
];

/// Builds the packages for a target, or for this machine, and gives the folder that has their programs.
pub(crate) fn build(target: Option<&str>, packages: &[&str]) -> Result<PathBuf> {
    let host = host()?;
    let target = target.unwrap_or(&host);
    let folder = root().join("target/profile").join(target);
    if folder.exists() {
        fs::remove_dir_all(&folder).context("cannot remove the counts of the last time")?;
    }
    fs::create_dir_all(&folder).context("cannot make the folder of counts")?;
    let merge = merger(&host)?;
    // With nothing else in it: all that is there is merged.
    let raw = folder.join("raw");

    eprintln!("building a program that counts");
    let built = compile(target, packages, &format!("-Cprofile-generate={}", raw.display()))?;
    let program = folder.join("fedward");
    // Built over by the second one.
    fs::copy(built.join("fedward"), &program).context("cannot copy the program that counts")?;
    learn(&program, &folder)?;
    let counts = folder.with_extension("profdata");
    succeed(Command::new(merge).arg("merge").arg("--output").arg(&counts).arg(&raw))?;

    eprintln!("building it by its counts");
    compile(target, packages, &format!("-Cprofile-use={}", counts.display()))
}

/// For `cargo xtask shipped`.
pub(crate) fn run() -> Result<()> {
    let program = build(None, PROGRAM)?.join("fedward");
    println!("{}", program.display());
    Ok(())
}

/// The machine's own target, as the compiler names it.
fn host() -> Result<String> {
    let said = output(Command::new("rustc").current_dir(root()).arg("-vV"))?;
    Ok(said.lines().find_map(|line| line.strip_prefix("host: ")).context("`rustc -vV` names no host")?.to_owned())
}

/// The program that adds up counts. It has to be of the compiler's own version, and comes with it as a component.
fn merger(host: &str) -> Result<PathBuf> {
    let sysroot = output(Command::new("rustc").current_dir(root()).args(["--print", "sysroot"]))?;
    let path = Path::new(sysroot.trim()).join("lib/rustlib").join(host).join("bin/llvm-profdata");
    if !path.exists() {
        succeed(Command::new("rustup").current_dir(root()).args(["component", "add", "llvm-tools"]))
            .context("what adds up counts is missing: the component `llvm-tools` of the toolchain")?;
    }
    ensure!(path.exists(), "`llvm-tools` is installed and has no `{}`", path.display());
    Ok(path)
}

fn compile(target: &str, packages: &[&str], flag: &str) -> Result<PathBuf> {
    let mut cargo = cargo();
    cargo.args(["build", "--profile", PROFILE, "--locked"]).args(packages);
    // With a target named, flags are for what runs on it and not for build scripts, which would count themselves.
    cargo.args(["--target", target]).env("CARGO_ENCODED_RUSTFLAGS", flag);
    // Without Go the renderers would be left out silently.
    cargo.env("FEDWARD_RENDERERS", "require");
    succeed(&mut cargo)?;
    Ok(root().join("target").join(target).join(PROFILE))
}

/// Lets the program do what it is asked most, and leaves its counts in the folder.
fn learn(program: &Path, folder: &Path) -> Result<()> {
    let file = folder.join("policies.yaml");
    let policies = POLICIES.map(|overlay| output(&mut command(program, &["render", overlay])));
    let policies = policies.into_iter().collect::<Result<Vec<_>>>()?;
    fs::write(&file, policies.join("---\n")).context("cannot write the policies")?;
    let file = file.to_string_lossy();
    let with_policies =
        ["human", "json"].map(|format| ["check", "fixtures", "--config", MODULES, "--policies", &*file, "--format", format]);
    let with_policies = with_policies.iter().map(|args| &args[..]);
    for args in LESSONS.iter().copied().chain(with_policies) {
        let mut command = command(program, args);
        let status = command.stdout(Stdio::null()).stderr(Stdio::null()).status();
        let status = status.with_context(|| format!("cannot run `{}`", shown(&command)))?;
        // Wrong usage would teach nothing, unnoticed.
        ensure!(matches!(status.code(), Some(0 | 1 | 3)), "`{}` failed while it counted ({status})", shown(&command));
    }
    Ok(())
}

fn command(program: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.current_dir(root()).args(args).stdin(Stdio::null());
    command
}
