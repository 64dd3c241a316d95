//! Builds the policy modules for WebAssembly, compiles them ahead of time, and leaves both for `include_bytes!`.
//!
//! The nested cargo has a target directory of its own (the outer one is locked) and is incremental. `FEDWARD_MODULES=skip` leaves the
//! modules out, for editors that only want types.

use std::error::Error;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

const POLICIES: [&str; 7] = [
    "enforce-audience-issuer",
    "forbid-federated-cluster-admin",
    "forbid-identity-sharing",
    "forbid-static-credentials",
    "require-identity-labels",
    "verify-argocd-identity",
    "verify-token-projection",
];
/// All of them in one.
const SUITE: &str = "suite";
/// The evaluator of CEL: no policy, but built and embedded like one.
const CEL: &str = "fedward-cel";
/// Its speed counts more than its size, which is nobody's bar.
const CEL_PROFILE: [&str; 4] = ["--config", "profile.module.opt-level=\"s\"", "--config", "profile.module.package.serde_json.opt-level=3"];
const TARGET: &str = "wasm32-unknown-unknown";
/// 64 KiB of stack instead of 1 MiB: a smaller memory to make, and deep recursion ends early.
const STACK: &str = "-Clink-arg=-zstack-size=65536";
/// An evaluator that calls itself for each level of an expression needs its megabyte.
const DEEP_STACK: &str = "-Clink-arg=-zstack-size=1048576";
/// The linker writes every address that it fills in as five bytes unless told to shorten them afterwards: 7 % of a module.
const SHORT_ADDRESSES: &str = "-Clink-arg=--compress-relocations";

fn main() -> Result<(), Box<dyn Error>> {
    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?).join("../..").canonicalize()?;
    let out = PathBuf::from(env::var("OUT_DIR")?);
    println!("cargo::rerun-if-env-changed=FEDWARD_MODULES");
    let sources = ["policies/kit", "policies/tree", "crates/cel", "crates/manifest"].into_iter().map(str::to_owned);
    for source in sources.chain(policies().map(|id| format!("policies/{id}"))) {
        // Not the whole folder: what people read there changes no module.
        for part in ["src", "Cargo.toml"] {
            println!("cargo::rerun-if-changed={}", root.join(&source).join(part).display());
        }
    }
    for id in policies() {
        println!("cargo::rerun-if-changed={}", root.join("policies").join(id).join("metadata.yml").display());
    }
    for input in ["Cargo.toml", "Cargo.lock", "rust-toolchain.toml"] {
        println!("cargo::rerun-if-changed={}", root.join(input).display());
    }
    let skip = env::var("FEDWARD_MODULES").is_ok_and(|value| value == "skip");
    // OUT_DIR is <target>/<profile>/build/<package>/out. Checkouts that share a target directory have their own modules in it.
    let mut checkout = DefaultHasher::new();
    root.hash(&mut checkout);
    let target = out.ancestors().nth(4).ok_or("OUT_DIR is not inside a target directory")?;
    let target_dir = target.join("modules").join(format!("{:08x}", checkout.finish() as u32));
    if !skip {
        install_target(&root)?;
    }
    let mut table = Vec::new();
    for id in policies() {
        embed(&root, &target_dir, &out, id, skip)?;
        let metadata = root.join("policies").join(id).join("metadata.yml");
        let krate = id.replace('-', "_");
        table.push(format!(
            "Builtin {{ id: {id:?}, metadata: include_str!({metadata:?}), wasm: include_bytes!(concat!(env!(\"OUT_DIR\"), \"/{id}.wasm\")), \
             compiled: include_bytes!(concat!(env!(\"OUT_DIR\"), \"/{id}.cwasm\")), policy: &{krate}::POLICY }}"
        ));
    }
    // The suite comes last.
    let suite = table.pop().unwrap_or_default();
    fs::write(out.join("table.rs"), format!("&[{}]", table.join(", ")))?;
    fs::write(out.join("suite.rs"), suite)?;
    embed(&root, &target_dir, &out, CEL, skip)
}

fn policies() -> impl Iterator<Item = &'static str> {
    POLICIES.into_iter().chain([SUITE])
}

/// Leaves `<id>.wasm` and `<id>.cwasm`, empty if modules are left out.
fn embed(root: &Path, target_dir: &Path, out: &Path, id: &str, skip: bool) -> Result<(), Box<dyn Error>> {
    let (wasm, compiled) = if skip { (Vec::new(), Vec::new()) } else { build(root, target_dir, id)? };
    fs::write(out.join(format!("{id}.wasm")), wasm)?;
    fs::write(out.join(format!("{id}.cwasm")), compiled)?;
    Ok(())
}

fn build(root: &Path, target_dir: &Path, id: &str) -> Result<(Vec<u8>, Vec<u8>), Box<dyn Error>> {
    let mut cargo = clean(Command::new(env::var("CARGO")?), root);
    let profile = if id == SUITE { "suite" } else { "module" };
    cargo.args(["rustc", "--quiet", "--locked", "--profile", profile, "--package", id, "--crate-type", "cdylib", "--target", TARGET]);
    cargo.arg("--target-dir").arg(target_dir);
    if id == CEL {
        cargo.args(CEL_PROFILE);
    }
    // For the link alone: in RUSTFLAGS two sizes would build every dependency twice.
    // Of a policy that is a part of another one nothing is exported.
    cargo.args(["--", "--cfg", "fedward_module", if id == CEL { DEEP_STACK } else { STACK }, SHORT_ADDRESSES]);
    run(&mut cargo, id)?;
    let wasm = fs::read(target_dir.join(TARGET).join(profile).join(format!("{}.wasm", id.replace('-', "_"))))?;
    let compiled = fedward_host::precompile(&wasm, Some(&env::var("TARGET")?))?;
    Ok((wasm, compiled))
}

/// `rustup target add`, where the toolchain file alone did not do it.
fn install_target(root: &Path) -> Result<(), Box<dyn Error>> {
    let mut rustc = clean(Command::new(env::var("RUSTC")?), root);
    let library = rustc.args(["--print", "target-libdir", "--target", TARGET]).output()?;
    if Path::new(String::from_utf8_lossy(&library.stdout).trim()).is_dir() {
        return Ok(());
    }
    let mut rustup = clean(Command::new("rustup"), root);
    rustup.args(["target", "add", TARGET]);
    run(&mut rustup, "the WebAssembly target").map_err(|error| format!("{error}\nrun `rustup target add {TARGET}` and build again").into())
}

/// Without what the outer cargo says to its own processes.
fn clean(mut command: Command, root: &Path) -> Command {
    command.current_dir(root);
    for (name, _) in env::vars_os() {
        let name = name.to_string_lossy().into_owned();
        let keep = matches!(name.as_str(), "CARGO_HOME" | "CARGO_NET_OFFLINE" | "CARGO_HTTP_PROXY" | "CARGO_HTTP_CAINFO")
            || name.starts_with("CARGO_REGISTR")
            || name.starts_with("CARGO_SOURCE");
        if !keep
            && (name.starts_with("CARGO")
                || name.starts_with("RUSTC")
                || matches!(name.as_str(), "RUSTFLAGS" | "TARGET" | "HOST" | "PROFILE" | "OUT_DIR"))
        {
            command.env_remove(name);
        }
    }
    command
}

fn run(command: &mut Command, what: &str) -> Result<(), Box<dyn Error>> {
    let status = command.status().map_err(|error| format!("cannot build {what}: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("building {what} failed").into()) }
}
