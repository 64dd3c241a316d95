//! Runs every payload of a folder through every module of it on Kubewarden's own waPC host, each in a fresh instance as
//! Kubewarden's policy server does, and writes down what they answered. `tests/tests/peer.rs` writes the folder and compares.
//!
//! * `<id>.wasm`: modules.
//! * `payloads`: records; the payload of one `validate` each.
//! * `<id>.answers`: written; records that begin with `+` for an answer, `-` for a failure of the guest, `?` for any other.
//! * `<id>.nanos`: written; for how many nanoseconds the calls took.
//!
//! A record is its length in bytes, as four bytes with the lowest first, and the bytes.

use std::path::{Path, PathBuf};
use std::time::Instant;
use std::{env, fs};

use anyhow::{Context as _, Result, bail};
use wapc::WapcHost;
use wasmtime_provider::WasmtimeEngineProviderBuilder;

fn main() -> Result<()> {
    let folder = PathBuf::from(env::args().nth(1).context("a folder is required")?);
    let payloads = records(&fs::read(folder.join("payloads")).context("no `payloads`")?)?;
    for entry in fs::read_dir(&folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "wasm") {
            run(&path, &payloads).with_context(|| path.display().to_string())?;
        }
    }
    Ok(())
}

fn run(path: &Path, payloads: &[Vec<u8>]) -> Result<()> {
    let wasm = fs::read(path)?;
    let module = WasmtimeEngineProviderBuilder::new().module_bytes(&wasm).build_pre()?;
    let mut answers = Vec::new();
    let begin = Instant::now();
    for payload in payloads {
        let provider = module.rehydrate(None)?;
        let refuse = |_, binding: &str, _: &str, _: &str, _: &[u8]| Err(format!("unknown binding: {binding}").into());
        let host = WapcHost::new(Box::new(provider), Some(Box::new(refuse)))?;
        let answer = match host.call("validate", payload) {
            Ok(answer) => [b"+".as_slice(), &answer].concat(),
            Err(wapc::errors::Error::GuestCallFailure(text)) => format!("-{text}").into_bytes(),
            Err(error) => format!("?{error}").into_bytes(),
        };
        answers.extend((answer.len() as u32).to_le_bytes());
        answers.extend(answer);
    }
    let nanos = begin.elapsed().as_nanos();
    fs::write(path.with_extension("answers"), answers)?;
    fs::write(path.with_extension("nanos"), nanos.to_string())?;
    Ok(())
}

fn records(mut bytes: &[u8]) -> Result<Vec<Vec<u8>>> {
    let mut found = Vec::new();
    while let Some((length, rest)) = bytes.split_first_chunk::<4>() {
        let Some((record, rest)) = rest.split_at_checked(u32::from_le_bytes(*length) as usize) else {
            bail!("a record is cut off");
        };
        found.push(record.to_vec());
        bytes = rest;
    }
    Ok(found)
}
