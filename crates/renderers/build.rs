//! Builds the Go module in `renderers` for WebAssembly, lets it start and render once (`warm.rs`), compiles what it is then ahead of time, and
//! leaves that compressed for `include_bytes!`.
//!
//! Without Go, or with `FEDWARD_RENDERERS=skip`, the module is left out. `FEDWARD_RENDERERS=require` makes a missing Go an error.
//! Compiling takes a minute or two, so the result is kept in the target directory under a key of what it depends on: this script runs
//! again whenever `crates/host` changes, which seldom changes how modules are compiled.

#[expect(unreachable_pub, reason = "the library exports it")]
#[path = "src/mount.rs"]
mod mount;
mod warm;

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::{env, fs};

/// The libraries that the module is made of, as `go.mod` names them, and what people call them.
const LIBRARIES: [(&str, &str); 3] =
    [("helm.sh/helm/v4", "helm"), ("sigs.k8s.io/kustomize/kustomize/v5", "kustomize"), ("github.com/google/go-jsonnet", "jsonnet")];

/// 94 MB become 16 in four seconds; more effort gains little.
const LEVEL: i32 = 9;

/// The module is compressed in parts of so many bytes, so that all threads of a machine unpack it.
const PART: usize = 4 << 20;

/// What a snapshot depends on, apart from the module and its calls.
const SNAPSHOT: [&[u8]; 5] = [
    include_bytes!("../host/src/snapshot.rs"),
    include_bytes!("../host/src/evaluator.rs"),
    include_bytes!("../host/src/wasi.rs"),
    include_bytes!("../host/src/wasi/files.rs"),
    include_bytes!("../host/src/wasi/poll.rs"),
];

fn main() -> Result<(), Box<dyn Error>> {
    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?).join("../..").canonicalize()?;
    let source = root.join("renderers");
    let out = PathBuf::from(env::var("OUT_DIR")?);
    println!("cargo::rerun-if-env-changed=FEDWARD_RENDERERS");
    watch(&source)?;
    let go_mod = fs::read_to_string(source.join("go.mod"))?;
    let wish = env::var("FEDWARD_RENDERERS").unwrap_or_default();
    let go = if wish == "skip" { None } else { usable_go(&source, &go_mod, wish == "require")? };
    let built = match &go {
        Some(go) => build(&source, &out, go)?,
        None => Built::default(),
    };
    fs::write(out.join("renderers.zst"), built.compressed)?;
    let mut versions: Vec<(&str, &str)> = Vec::new();
    for (module, name) in LIBRARIES {
        let line = go_mod.lines().find_map(|line| line.trim().strip_prefix(module)).ok_or("go.mod lacks a library")?;
        versions.push((name, line.trim()));
    }
    versions.extend(go.as_ref().map(|go| ("go", go.version.as_str())));
    fs::write(out.join("versions.rs"), format!("&{versions:?}"))?;
    fs::write(out.join("sizes.rs"), format!("{:?}", built.sizes))?;
    fs::write(out.join("digest.rs"), format!("{:?}", built.digest))?;
    fs::write(out.join("part.rs"), PART.to_string())?;
    Ok(())
}

/// A Go that can build the module.
struct Go {
    program: PathBuf,
    version: String,
}

/// Tells cargo which files count: not what editors and tests leave there.
fn watch(folder: &Path) -> Result<(), Box<dyn Error>> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        if path.is_dir() {
            watch(&path)?;
        } else if name == "go.mod" || name == "go.sum" || (name.ends_with(".go") && !name.ends_with("_test.go")) {
            println!("cargo::rerun-if-changed={}", path.display());
        }
    }
    // A file that is added changes its folder.
    println!("cargo::rerun-if-changed={}", folder.display());
    Ok(())
}

/// The `go` of the `PATH`, unless it is too old and may not fetch a newer one.
fn usable_go(source: &Path, go_mod: &str, required: bool) -> Result<Option<Go>, Box<dyn Error>> {
    let missing = |reason: String| {
        if required {
            return Err(format!("{reason}, and FEDWARD_RENDERERS=require asks for it").into());
        }
        println!("cargo::warning={reason}: this build renders no Helm charts, kustomizations and Jsonnet files");
        Ok(None)
    };
    println!("cargo::rerun-if-env-changed=GOTOOLCHAIN");
    let name = format!("go{}", env::consts::EXE_SUFFIX);
    let found = env::split_paths(&env::var_os("PATH").unwrap_or_default()).map(|folder| folder.join(&name)).find(|path| path.is_file());
    let Some(program) = found else {
        println!("cargo::rerun-if-env-changed=PATH");
        return missing("Go is not installed".into());
    };
    println!("cargo::rerun-if-changed={}", program.display());
    // In the module's folder, where `go` may choose to be a newer one.
    let asked = go_command(&program, source).args(["env", "GOVERSION"]).output()?;
    let version = String::from_utf8_lossy(&asked.stdout).trim().to_owned();
    let needed = go_mod.lines().find_map(|line| line.strip_prefix("go ")).ok_or("go.mod has no version of Go")?.trim();
    if !asked.status.success() || numbers(&version) < numbers(needed) {
        return missing(format!("{} is too old ({needed} is needed)", if version.is_empty() { "Go" } else { &version }));
    }
    Ok(Some(Go { program, version }))
}

/// `go1.26.8` as numbers.
fn numbers(version: &str) -> Vec<u32> {
    version
        .trim_start_matches("go")
        .split('.')
        .map(|part| part.chars().take_while(char::is_ascii_digit).collect::<String>().parse().unwrap_or(0))
        .collect()
}

fn go_command(program: &Path, source: &Path) -> Command {
    let mut command = Command::new(program);
    // What somebody set for their own programs must not change this one.
    command
        .current_dir(source)
        .env("GOWORK", "off")
        .env("CGO_ENABLED", "0")
        .env_remove("GOFLAGS")
        .env_remove("GOOS")
        .env_remove("GOARCH")
        .env_remove("GOWASM")
        .env_remove("GOEXPERIMENT");
    command
}

/// What the library embeds.
#[derive(Default)]
struct Built {
    /// Parts of the compiled module, each compressed by itself, with its length before it.
    compressed: Vec<u8>,
    /// As WebAssembly, and compiled.
    sizes: [usize; 2],
    /// What tells the module from others.
    digest: String,
}

/// The module.
fn build(source: &Path, out: &Path, go: &Go) -> Result<Built, Box<dyn Error>> {
    let wasm = out.join("renderers.wasm");
    let mut command = go_command(&go.program, source);
    command.env("GOOS", "wasip1").env("GOARCH", "wasm");
    command
        .args(["build", "-mod=readonly", "-trimpath", "-buildvcs=false", "-buildmode=c-shared", "-ldflags=-s -w -buildid=", "-o"])
        .arg(&wasm)
        .arg(".");
    let status = command.status().map_err(|error| format!("cannot run {}: {error}", go.program.display()))?;
    if !status.success() {
        return Err("building the renderers failed: put it right, or set FEDWARD_RENDERERS=skip to build without them".into());
    }
    let wasm = fs::read(wasm)?;
    let target = env::var("TARGET")?;
    // OUT_DIR is <target>/<profile>/build/<package>/out.
    let kept = out.ancestors().nth(4).ok_or("OUT_DIR is not inside a target directory")?.join("renderers");
    let mut salt = [LEVEL.to_le_bytes().as_slice(), &PART.to_le_bytes(), mount::MOUNT.as_bytes(), &warm::described()].concat();
    SNAPSHOT.iter().for_each(|part| salt.extend_from_slice(part));
    let key = fedward_host::compiled_key(&wasm, Some(&target), &salt)?;
    let file = kept.join(format!("{key}.zst"));
    if let Ok(compressed) = fs::read(&file)
        && let Some((compressed, size)) = compressed.split_last_chunk::<8>()
    {
        let sizes = [wasm.len(), usize::try_from(u64::from_le_bytes(*size))?];
        return Ok(Built { compressed: compressed.to_vec(), sizes, digest: key });
    }
    let calls = warm::CALLS.map(|(operation, payload)| (operation, payload.as_bytes()));
    let started = fedward_host::snapshot(&wasm, mount::MOUNT, Arc::new(warm::Files::new()), &calls)?;
    let compiled = fedward_host::precompile(&started, Some(&target))?;
    let mut compressed = Vec::new();
    for part in compiled.chunks(PART) {
        let part = zstd::bulk::compress(part, LEVEL)?;
        compressed.extend(u32::try_from(part.len())?.to_le_bytes());
        compressed.extend(part);
    }
    fs::create_dir_all(&kept)?;
    // Those of earlier versions are of no use any more.
    for old in fs::read_dir(&kept)? {
        fs::remove_file(old?.path())?;
    }
    let aside = kept.join(format!("{}.new", std::process::id()));
    fs::write(&aside, [compressed.as_slice(), (compiled.len() as u64).to_le_bytes().as_slice()].concat())?;
    fs::rename(&aside, &file)?;
    Ok(Built { compressed, sizes: [wasm.len(), compiled.len()], digest: key })
}
