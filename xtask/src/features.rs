//! Whether every selection of packages builds the same Wasmtime.
//!
//! Cargo unifies features over the packages of one command only. What the whole workspace asks of a crate that Wasmtime shares, the
//! host must ask for as well (through `crates/unify`), or two commands build two Wasmtimes, minutes apart.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Result, bail};

use crate::process::{cargo, output};

type Features = BTreeMap<String, BTreeSet<String>>;

/// Fails with what `crates/unify` lacks.
pub(crate) fn check() -> Result<()> {
    let host = tree(&["--package", "fedward-host", "--edges", "normal,build"])?;
    let all = tree(&["--workspace", "--edges", "normal,build,dev"])?;
    let missing = missing(&host, &all);
    if missing.is_empty() {
        return Ok(());
    }
    let lines: Vec<String> = missing.iter().map(|(package, features)| format!("  {package}: {}", features.join(", "))).collect();
    bail!("crates/unify lacks features that others ask for, so Wasmtime is built twice:\n{}", lines.join("\n"))
}

fn tree(args: &[&str]) -> Result<Features> {
    let mut cargo = cargo();
    cargo.args(["tree", "--locked", "--prefix", "none", "--format", "{p}|{f}"]).args(args);
    Ok(parse(&output(&mut cargo)?))
}

/// Lines such as `serde v1.0.0|default,derive (*)`.
fn parse(text: &str) -> Features {
    let mut found = Features::new();
    for line in text.lines() {
        let Some((package, features)) = line.trim_end_matches(" (*)").split_once('|') else { continue };
        let package = package.trim_end_matches(" (proc-macro)");
        found.entry(package.to_owned()).or_default().extend(features.split(',').filter(|name| !name.is_empty()).map(str::to_owned));
    }
    found
}

fn missing<'a>(host: &'a Features, all: &'a Features) -> Vec<(&'a str, Vec<&'a str>)> {
    host.iter()
        .filter_map(|(package, features)| {
            let lacking: Vec<&str> = all.get(package)?.difference(features).map(String::as_str).collect();
            (!lacking.is_empty()).then_some((package.as_str(), lacking))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_only_others_ask_for_is_missing() {
        let host = parse("a v1.0.0|x\nb v1.0.0 (proc-macro)|\nours v0.1.0 (/some/where)|\n");
        let all = parse("a v1.0.0|x,y (*)\na v1.0.0|z\nb v1.0.0 (proc-macro)|\nc v1.0.0|q\nours v0.1.0 (/some/where)|\n");
        assert_eq!(missing(&host, &all), vec![("a v1.0.0", vec!["y", "z"])]);
        assert_eq!(missing(&all, &all), vec![]);
    }
}
