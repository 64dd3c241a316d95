//! Builds the Go module in `renderers` for WebAssembly, lets it start and render once (`warm.rs`), compiles what it is then ahead of time, and
//! leaves that compressed for `include_bytes!`.
//!
//! Without Go, or with `FEDWARD_RENDERERS=skip`, the module is left out. `FEDWARD_RENDERERS=require` makes a missing Go an error.
//! Compiling takes a minute or two, so the result is kept in the target directory under a key of what it depends on: this script runs
//! again whenever `crates/host` changes, which seldom changes what the module is after it has started, and how modules are compiled.

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
        Some(go) => build(&root, &out, go)?,
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
fn build(root: &Path, out: &Path, go: &Go) -> Result<Built, Box<dyn Error>> {
    let wasm = out.join("renderers.wasm");
    let mut command = go_command(&go.program, &root.join("renderers"));
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
    let kept = Kept(out.ancestors().nth(4).ok_or("OUT_DIR is not inside a target directory")?.join("renderers"));
    // Any line of the host may change a snapshot. Most change none, and what compiling makes of it is still there then.
    let salt = [mount::MOUNT.as_bytes(), &warm::described(), &sources(&root.join("crates/host/src"))?].concat();
    let snapshot = format!("{}.snapshot", fedward_host::compiled_key(&wasm, Some(&target), &salt)?);
    if let Some(key) = kept.read(&snapshot).and_then(|key| String::from_utf8(key).ok())
        && let Some((compressed, size)) = kept.compiled(&key)
    {
        return Ok(Built { compressed, sizes: [wasm.len(), size], digest: key });
    }
    let calls = warm::CALLS.map(|(operation, payload)| (operation, payload.as_bytes()));
    let started = fedward_host::snapshot(&wasm, mount::MOUNT, Arc::new(warm::Files::new()), &calls)?;
    let key = fedward_host::compiled_key(&started, Some(&target), &[LEVEL.to_le_bytes().as_slice(), &PART.to_le_bytes()].concat())?;
    let (compressed, size) = match kept.compiled(&key) {
        Some(known) => known,
        None => {
            let compiled = fedward_host::precompile(&started, Some(&target))?;
            (compress(&compiled)?, compiled.len())
        }
    };
    // What earlier versions left is of no use any more.
    kept.clear()?;
    kept.write(&format!("{key}.zst"), &[compressed.as_slice(), (size as u64).to_le_bytes().as_slice()].concat())?;
    kept.write(&snapshot, key.as_bytes())?;
    Ok(Built { compressed, sizes: [wasm.len(), size], digest: key })
}

/// Parts, each compressed by itself, with its length before it.
fn compress(compiled: &[u8]) -> Result<Vec<u8>, Box<dyn Error>> {
    let mut compressed = Vec::new();
    for part in compiled.chunks(PART) {
        let part = zstd::bulk::compress(part, LEVEL)?;
        compressed.extend(u32::try_from(part.len())?.to_le_bytes());
        compressed.extend(part);
    }
    Ok(compressed)
}

/// The files of a folder, in the order of their names, as bytes.
fn sources(folder: &Path) -> Result<Vec<u8>, Box<dyn Error>> {
    let mut paths: Vec<PathBuf> = fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.path())).collect::<Result<_, _>>()?;
    paths.sort();
    let mut all = Vec::new();
    for path in paths {
        all.extend(if path.is_dir() { sources(&path)? } else { fs::read(&path)? });
    }
    Ok(all)
}

/// The folder of the target directory in which results are kept.
struct Kept(PathBuf);

impl Kept {
    fn read(&self, name: &str) -> Option<Vec<u8>> {
        fs::read(self.0.join(name)).ok()
    }

    /// What was compiled under a key, compressed, and its size before.
    fn compiled(&self, key: &str) -> Option<(Vec<u8>, usize)> {
        let mut bytes = self.read(&format!("{key}.zst"))?;
        let size = *bytes.last_chunk::<8>()?;
        bytes.truncate(bytes.len() - size.len());
        Some((bytes, usize::try_from(u64::from_le_bytes(size)).ok()?))
    }

    fn clear(&self) -> std::io::Result<()> {
        fs::create_dir_all(&self.0)?;
        fs::read_dir(&self.0)?.try_for_each(|old| fs::remove_file(old?.path()))
    }

    fn write(&self, name: &str, bytes: &[u8]) -> std::io::Result<()> {
        let aside = self.0.join(format!("{}.new", std::process::id()));
        fs::write(&aside, bytes)?;
        fs::rename(&aside, self.0.join(name))
    }
}
