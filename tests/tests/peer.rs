//! Our host against Kubewarden's own: every object of every fixture through every module, the same answers, byte for byte.
//!
//! Kubewarden's host is a program of a workspace of its own, `tests/peer`, which cargo builds here first: minutes, and only in
//! `cargo xtask ci-extended`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::string_slice, reason = "tests")]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};
use std::{env, fs};

use fedward_engine::payloads;
use fedward_host::{CallError, Host, Limits, Module, NoHostCalls, Strategy};
use serde_json::json;

#[test]
#[ignore = "builds another Wasmtime: `cargo xtask ci-extended`"]
fn answers_are_those_of_kubewardens_host() {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("peer");
    fs::create_dir_all(&folder).unwrap();
    let mut payloads = objects(&tests.join("../fixtures"));
    // What no host sends.
    payloads.extend(["", "{", "null", "[]", "{\"request\": {}, \"settings\": 1}"].map(|text| text.as_bytes().to_vec()));
    fs::write(folder.join("payloads"), records(&payloads)).unwrap();
    for builtin in fedward_modules::ALL {
        fs::write(folder.join(builtin.id).with_extension("wasm"), builtin.wasm).unwrap();
    }
    let mut peer = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    peer.args(["run", "--release", "--locked", "--manifest-path"]).arg(tests.join("peer/Cargo.toml")).arg("--").arg(&folder);
    // What this cargo says to its own processes is not meant for that one.
    env::vars().filter(|(name, _)| name.starts_with("CARGO_") || name == "RUSTFLAGS").for_each(|(name, _)| _ = peer.env_remove(name));
    assert!(peer.status().unwrap().success(), "the peer failed");
    for builtin in fedward_modules::ALL {
        let theirs = split(&fs::read(folder.join(builtin.id).with_extension("answers")).unwrap());
        let nanos: u64 = fs::read_to_string(folder.join(builtin.id).with_extension("nanos")).unwrap().parse().unwrap();
        assert_eq!(theirs.len(), payloads.len(), "{}", builtin.id);
        let [fresh, kept] = [Strategy::Fresh, Strategy::Kept].map(|strategy| {
            let module = Module::from_wasm(&Host::new(Limits::default()), strategy, builtin.wasm).unwrap();
            let mut evaluator = module.evaluator();
            let begin = Instant::now();
            let ours: Vec<Vec<u8>> = payloads
                .iter()
                .map(|payload| match evaluator.call("validate", payload, &mut NoHostCalls) {
                    Ok(answer) => [b"+".as_slice(), answer].concat(),
                    Err(CallError::Guest { text }) => format!("-{text}").into_bytes(),
                    Err(error) => panic!("{}: {error}", builtin.id),
                })
                .collect();
            let time = begin.elapsed();
            for (index, payload) in payloads.iter().enumerate() {
                let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
                assert!(
                    ours[index] == theirs[index],
                    "{}: {}\nours: {}\ntheirs: {}",
                    builtin.id,
                    text(payload),
                    text(&ours[index]),
                    text(&theirs[index])
                );
            }
            time
        });
        let theirs = Duration::from_nanos(nanos);
        let per_call = |time: Duration| time / u32::try_from(payloads.len()).unwrap();
        let faster = |time: Duration| theirs.as_secs_f64() / time.as_secs_f64();
        println!(
            "{}: {} payloads; theirs {:?} a call; ours {:?} fresh ({:.1} times as fast), {:?} kept ({:.1} times)",
            builtin.id,
            payloads.len(),
            per_call(theirs),
            per_call(fresh),
            faster(fresh),
            per_call(kept),
            faster(kept),
        );
    }
}

/// The payloads of every object of every fixture.
fn objects(folder: &Path) -> Vec<Vec<u8>> {
    let mut found = Vec::new();
    let mut entries: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            found.extend(objects(&path));
        } else if path.extension().is_some_and(|extension| extension == "yaml") {
            found.extend(payloads(&fs::read_to_string(path).unwrap(), &json!({})));
        }
    }
    found
}

fn records(list: &[Vec<u8>]) -> Vec<u8> {
    list.iter().flat_map(|record| u32::try_from(record.len()).unwrap().to_le_bytes().into_iter().chain(record.iter().copied())).collect()
}

fn split(mut bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut found = Vec::new();
    while let Some((length, rest)) = bytes.split_first_chunk::<4>() {
        let (record, rest) = rest.split_at(u32::from_le_bytes(*length) as usize);
        found.push(record.to_vec());
        bytes = rest;
    }
    found
}
