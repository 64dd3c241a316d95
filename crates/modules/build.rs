//! Builds the policy modules for WebAssembly, compiles them ahead of time, and leaves both for `include_bytes!`.
//!
//! The nested cargo (`nested.rs`) has a target directory of its own and is incremental. `FEDWARD_MODULES=skip` leaves the modules out,
//! for editors that only want types.

mod nested;

use std::error::Error;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::{Path, PathBuf};
use std::{env, fs};

use nested::{CEL, Nested, POLICIES, SUITE, cargo_home};

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
    for input in ["Cargo.toml", "Cargo.lock", "rust-toolchain.toml", "crates/modules/nested.rs"] {
        println!("cargo::rerun-if-changed={}", root.join(input).display());
    }
    let skip = env::var("FEDWARD_MODULES").is_ok_and(|value| value == "skip");
    // OUT_DIR is <target>/<profile>/build/<package>/out. Checkouts that share a target directory have their own modules in it.
    let mut checkout = DefaultHasher::new();
    root.hash(&mut checkout);
    let target = out.ancestors().nth(4).ok_or("OUT_DIR is not inside a target directory")?;
    let target_dir = target.join("modules").join(format!("{:08x}", checkout.finish() as u32));
    let nested = Nested { root, target_dir, cargo: env::var("CARGO")?.into(), rustc: env::var("RUSTC")?.into(), cargo_home: cargo_home()? };
    if !skip {
        nested.install_target()?;
    }
    let mut table = Vec::new();
    for id in policies() {
        embed(&nested, &out, id, skip)?;
        let metadata = nested.root.join("policies").join(id).join("metadata.yml");
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
    embed(&nested, &out, CEL, skip)
}

fn policies() -> impl Iterator<Item = &'static str> {
    POLICIES.into_iter().chain([SUITE])
}

/// Leaves `<id>.wasm` and `<id>.cwasm`, empty if modules are left out.
fn embed(nested: &Nested, out: &Path, id: &str, skip: bool) -> Result<(), Box<dyn Error>> {
    let wasm = if skip { Vec::new() } else { nested.build(id)? };
    let compiled = if skip { Vec::new() } else { fedward_host::precompile(&wasm, Some(&env::var("TARGET")?))? };
    fs::write(out.join(format!("{id}.wasm")), wasm)?;
    fs::write(out.join(format!("{id}.cwasm")), compiled)?;
    Ok(())
}
