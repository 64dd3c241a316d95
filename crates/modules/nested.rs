//! How a module is built: a cargo of its own for each. The build script builds what is embedded, and `cargo xtask reproduce` (in
//! `crates/artifacts`) the same once more elsewhere, so both have this file.

use std::error::Error;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

/// The policies with a module of their own.
pub(crate) const POLICIES: [&str; 7] = [
    "enforce-audience-issuer",
    "forbid-federated-cluster-admin",
    "forbid-identity-sharing",
    "forbid-static-credentials",
    "require-identity-labels",
    "verify-argocd-identity",
    "verify-token-projection",
];
/// All of them in one.
pub(crate) const SUITE: &str = "suite";
/// The evaluator of CEL: no policy, but built and embedded like one.
pub(crate) const CEL: &str = "fedward-cel";
/// What a module has otherwise than the rest: what it is built with.
const PROFILES: [(&str, &str); 3] = [
    // Its speed counts more than its size, which is nobody's bar.
    (CEL, "profile.module.opt-level=3"),
    // The largest: as the others are built it is 20 KB too large.
    ("enforce-audience-issuer", "profile.module.package.fedward-kit.opt-level='z'"),
    ("enforce-audience-issuer", "profile.module.package.fedward-tree.opt-level='s'"),
];
const TARGET: &str = "wasm32-unknown-unknown";
/// 64 KiB of stack instead of 1 MiB: a smaller memory to make, and deep recursion ends early.
const STACK: &str = "-Clink-arg=-zstack-size=65536";
/// An evaluator that calls itself for each level of an expression needs its megabyte.
const DEEP_STACK: &str = "-Clink-arg=-zstack-size=1048576";
/// The linker writes every address that it fills in as five bytes unless told to shorten them afterwards: 7 % of a module.
const SHORT_ADDRESSES: &str = "-Clink-arg=--compress-relocations";

/// What a module is built with.
pub(crate) struct Nested {
    /// The checkout.
    pub(crate) root: PathBuf,
    /// Where the nested cargo builds: not in the outer one's directory, which is locked.
    pub(crate) target_dir: PathBuf,
    /// The cargo.
    pub(crate) cargo: OsString,
    /// Its compiler.
    pub(crate) rustc: OsString,
    /// Where its crates lie.
    pub(crate) cargo_home: PathBuf,
}

impl Nested {
    /// The module of a policy, of the suite, or of [`CEL`].
    ///
    /// # Errors
    /// What cargo fails with; it has said why.
    pub(crate) fn build(&self, id: &str) -> Result<Vec<u8>, Box<dyn Error>> {
        let mut cargo = self.command(&self.cargo);
        let profile = if id == SUITE { "suite" } else { "module" };
        cargo.args(["rustc", "--quiet", "--locked", "--profile", profile, "--package", id, "--crate-type", "cdylib", "--target", TARGET]);
        cargo.arg("--target-dir").arg(&self.target_dir).env("CARGO_ENCODED_RUSTFLAGS", self.paths()?.join("\u{1f}"));
        for (_, setting) in PROFILES.iter().filter(|(of, _)| *of == id) {
            cargo.args(["--config", setting]);
        }
        // For the link alone: in RUSTFLAGS two sizes would build every dependency twice.
        // Of a policy that is a part of another one nothing is exported.
        cargo.args(["--", "--cfg", "fedward_module", if id == CEL { DEEP_STACK } else { STACK }, SHORT_ADDRESSES]);
        run(&mut cargo, id)?;
        Ok(fs::read(self.target_dir.join(TARGET).join(profile).join(format!("{}.wasm", id.replace('-', "_"))))?)
    }

    /// Flags by which no path of this machine gets into a module: the names of source files stand in the places of panics. They are the
    /// same for every module, so that what modules share is compiled once, and cargo leaves them out of the names of symbols.
    fn paths(&self) -> Result<Vec<String>, Box<dyn Error>> {
        let mut maps = vec![(self.root.clone(), "/fedward".to_owned())];
        // A folder for each registry, whose name says which one it is.
        for entry in fs::read_dir(self.cargo_home.join("registry/src")).into_iter().flatten() {
            maps.push((entry?.path(), "/crates".to_owned()));
        }
        maps.push((self.cargo_home.join("git/checkouts"), "/crates".to_owned()));
        let said = |args: &[&str]| -> Result<String, Box<dyn Error>> {
            Ok(String::from_utf8(self.command(&self.rustc).args(args).output()?.stdout)?)
        };
        // Where the sources of the standard library are installed they are named by their path, elsewhere by the commit.
        let version = said(&["-vV"])?;
        let commit = version.lines().find_map(|line| line.strip_prefix("commit-hash: ")).unwrap_or("unknown");
        let sysroot = PathBuf::from(said(&["--print", "sysroot"])?.trim());
        maps.push((sysroot.join("lib/rustlib/src/rust"), format!("/rustc/{commit}")));
        maps.sort();
        Ok(maps.iter().map(|(from, to)| format!("--remap-path-prefix={}={to}", from.display())).collect())
    }

    /// `rustup target add`, where the toolchain file alone did not do it.
    ///
    /// # Errors
    /// A toolchain that cannot be completed, with what to do.
    pub(crate) fn install_target(&self) -> Result<(), Box<dyn Error>> {
        let library = self.command(&self.rustc).args(["--print", "target-libdir", "--target", TARGET]).output()?;
        if Path::new(String::from_utf8_lossy(&library.stdout).trim()).is_dir() {
            return Ok(());
        }
        let mut rustup = self.command(&"rustup".into());
        rustup.args(["target", "add", TARGET]);
        run(&mut rustup, "the WebAssembly target")
            .map_err(|error| format!("{error}\nrun `rustup target add {TARGET}` and build again").into())
    }

    /// A program at the root, without what an outer cargo says to its own processes.
    fn command(&self, program: &OsString) -> Command {
        let mut command = Command::new(program);
        command.current_dir(&self.root);
        for (name, _) in env::vars_os() {
            let name = name.to_string_lossy().into_owned();
            let keep = matches!(name.as_str(), "CARGO_NET_OFFLINE" | "CARGO_HTTP_PROXY" | "CARGO_HTTP_CAINFO")
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
        command.env("CARGO_HOME", &self.cargo_home);
        command
    }
}

/// Where cargo keeps the crates if nobody says otherwise.
///
/// # Errors
/// A user without a home.
pub(crate) fn cargo_home() -> Result<PathBuf, Box<dyn Error>> {
    let told = env::var_os("CARGO_HOME").map(PathBuf::from);
    Ok(told.or_else(|| env::home_dir().map(|home| home.join(".cargo"))).ok_or("no home directory and no CARGO_HOME")?)
}

fn run(command: &mut Command, what: &str) -> Result<(), Box<dyn Error>> {
    let status = command.status().map_err(|error| format!("cannot build {what}: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("building {what} failed").into()) }
}
