//! `cargo xtask new-rule`: everything that a rule needs, to be filled in.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, bail};

use crate::process::{cargo, root, succeed};

const RULE: &str = r#"//! Reports …
//!
//! ## What it does
//! …
//!
//! ## Why it is bad
//! …
//!
//! ## Example
//! ```yaml
//! kind: …
//! ```
//!
//! ## Use instead
//! ```yaml
//! kind: …
//! ```
//!
//! ## References
//! …

use fedward_kit::rule::{Check, Condition, Report, Rule};

use crate::settings::Settings;

const FOUND: Condition = Condition::error("found", "…");

/// The rule.
pub const RULE: Rule<Settings> = Rule { id: "{id}", summary: "…", conditions: &[FOUND], supersedes: &[], check };

fn check(cx: &Check<'_, Settings>) {
    if cx.is("", "…") {
        cx.report(Report::new(&FOUND, cx.object.get("…"), "…").help("…"));
    }
}
"#;

/// Makes the files and the entries of a rule. Its tests fail until they are filled in.
pub(crate) fn run(policy: &str, id: &str) -> Result<()> {
    if !is_kebab(id) {
        bail!("`{id}` is not kebab-case, such as `broad-ci-trust`");
    }
    let root = root();
    let folder = root.join("policies").join(policy);
    let lib = folder.join("src/lib.rs");
    let text = fs::read_to_string(&lib).with_context(|| format!("no such policy: `{policy}`"))?;
    let module = id.replace('-', "_");
    let file = folder.join(format!("src/rules/{module}.rs"));
    let fixtures = root.join("fixtures/rules").join(id);
    if file.exists() || fixtures.exists() {
        bail!("rule `{id}` exists");
    }
    let text = listed(&text, &module).with_context(|| format!("`{}` has no list of rules as expected", lib.display()))?;
    let catalogue = root.join("docs/catalogue.md");
    let rows = fs::read_to_string(&catalogue).context("cannot read docs/catalogue.md")?;

    put(&file, &RULE.replace("{id}", id))?;
    // A case is a pair of files of the same name that differ only in the offending lines.
    for kind in ["reject", "accept"] {
        put(&fixtures.join(kind).join("plain.yaml"), "")?;
    }
    put(&lib, &text)?;
    put(&catalogue, &format!("{}\n| – | {id} | {policy} |\n", rows.trim_end()))?;
    let mut format = cargo();
    format.args(["fmt", "--package", policy]);
    succeed(&mut format)?;
    println!(
        "fill in `policies/{policy}/src/rules/{module}.rs` and the cases in `fixtures/rules/{id}`, then:\n  \
         UPDATE_EXPECT=1 cargo test --release -p fedward-tests --test fixtures -- {id}\n  cargo xtask gen write"
    );
    Ok(())
}

fn put(path: &Path, text: &str) -> Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).with_context(|| format!("cannot make `{}`", folder.display()))?;
    }
    fs::write(path, text).with_context(|| format!("cannot write `{}`", path.display()))
}

fn is_kebab(id: &str) -> bool {
    id.split('-').all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit()))
}

/// A policy's `lib.rs` with one more rule: its module in `pub mod rules`, itself in the list, both in alphabetical order.
fn listed(text: &str, module: &str) -> Option<String> {
    let (head, rest) = text.split_once("pub mod rules {\n")?;
    let (modules, rest) = rest.split_once("\n}\n")?;
    let mut modules: Vec<String> = modules.lines().map(str::to_owned).collect();
    modules.push(format!("    pub mod {module};"));
    modules.sort();
    let (before, list) = rest.split_once("rules: &Rule::list([")?;
    let (list, after) = list.split_once(']')?;
    // What every policy has comes last.
    let (mut own, shared): (Vec<String>, Vec<String>) = list
        .split(',')
        .map(|entry| entry.trim().to_owned())
        .filter(|entry| !entry.is_empty())
        .partition(|entry| entry.starts_with("rules::"));
    own.push(format!("rules::{module}::RULE"));
    own.sort();
    own.extend(shared);
    Some(format!("{head}pub mod rules {{\n{}\n}}\n{before}rules: &Rule::list([{}]{after}", modules.join("\n"), own.join(", ")))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn a_rule_is_listed_in_order() {
        let text = "/// The rules.\npub mod rules {\n    pub mod alpha;\n    pub mod gamma;\n}\n\npub static POLICY: Policy<S> = Policy {\n    \
                    rules: &Rule::list([rules::alpha::RULE, rules::gamma::RULE, fedward_kit::rules::wrong_field_type::rule()]),\n};\n";
        let expected = "/// The rules.\npub mod rules {\n    pub mod alpha;\n    pub mod beta;\n    pub mod gamma;\n}\n\npub static POLICY: \
                        Policy<S> = Policy {\n    rules: &Rule::list([rules::alpha::RULE, rules::beta::RULE, rules::gamma::RULE, \
                        fedward_kit::rules::wrong_field_type::rule()]),\n};\n";
        assert_eq!(listed(text, "beta").unwrap(), expected);
    }

    #[test]
    fn the_policies_can_be_extended() {
        for policy in [
            "enforce-audience-issuer",
            "forbid-federated-cluster-admin",
            "forbid-identity-sharing",
            "forbid-static-credentials",
            "require-identity-labels",
            "verify-argocd-identity",
            "verify-token-projection",
        ] {
            let text = fs::read_to_string(root().join("policies").join(policy).join("src/lib.rs")).unwrap();
            assert!(listed(&text, "zeta").unwrap().contains("rules::zeta::RULE"), "{policy}");
        }
    }

    #[test]
    fn only_kebab_case_is_an_id() {
        assert!(is_kebab("broad-ci-trust"));
        for wrong in ["", "Broad", "broad_trust", "broad--trust", "-broad", "../broad"] {
            assert!(!is_kebab(wrong), "{wrong}");
        }
    }
}
