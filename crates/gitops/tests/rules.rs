//! Every folder under `fixtures/gitops/rules/<rule-id>/{accept,reject}` is a repository and a test. A reject case must give exactly the
//! findings of the rule that the `.findings` file beside it says (`UPDATE_EXPECT=1` writes it), and must have an accept twin of its name;
//! an accept case must give none. Charts and kustomizations are not built.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]
#![allow(dead_code, reason = "what the tests of repositories use as well")]

mod common;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

use common::{look, sorted};
use fedward_gitops::rules;
use fedward_outcome::Finding;
use libtest_mimic::{Arguments, Failed, Trial};

/// Conditions that no folder can meet, and why.
const NO_CASE: &[(&str, &str, &str)] =
    &[("stray-link", "stray", "a link out of this repository would be one in this repository; see the test in the crate")];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/gitops/rules")
}

fn main() {
    let mut trials = Vec::new();
    for (rule, reject, case) in cases() {
        let name = format!("{rule}/{}/{}", if reject { "reject" } else { "accept" }, case.file_name().unwrap().to_string_lossy());
        trials.push(Trial::test(name, move || test(&rule, reject, &case)));
    }
    assert!(!trials.is_empty(), "no cases under {}", root().display());
    trials.push(Trial::test("every condition of every rule has a case", every_condition));
    libtest_mimic::run(&Arguments::from_args(), trials).exit();
}

fn cases() -> Vec<(String, bool, PathBuf)> {
    let mut cases = Vec::new();
    for rule in sorted(&root()) {
        let id = rule.file_name().unwrap().to_string_lossy().into_owned();
        for reject in [false, true] {
            let folder = rule.join(if reject { "reject" } else { "accept" });
            cases.extend(sorted(&folder).into_iter().filter(|path| path.is_dir()).map(|path| (id.clone(), reject, path)));
        }
    }
    cases
}

fn findings(folder: &Path) -> Result<Vec<Finding>, Failed> {
    Ok(look(folder, None, |discovery, repositories, _| common::findings(discovery, repositories))?)
}

fn test(rule: &str, reject: bool, case: &Path) -> Result<(), Failed> {
    if !rules::descriptors().iter().any(|known| known.id == rule) {
        return Err(format!("there is no rule `{rule}`").into());
    }
    let all = findings(case)?;
    let found = print(all.iter().filter(|finding| finding.rule == rule));
    if !reject {
        return if found.is_empty() { Ok(()) } else { Err(format!("an accept case gives findings:\n{found}").into()) };
    }
    if found.is_empty() {
        return Err("a reject case gives no finding".into());
    }
    let twin = root().join(rule).join("accept").join(case.file_name().unwrap());
    if !twin.is_dir() {
        return Err(format!("no accept case `{}`", twin.display()).into());
    }
    let path = case.with_extension("findings");
    if env::var_os("UPDATE_EXPECT").is_some() {
        fs::write(path, found)?;
        return Ok(());
    }
    let expected = fs::read_to_string(path)?;
    if found == expected { Ok(()) } else { Err(format!("expected:\n{expected}\nfound:\n{found}").into()) }
}

fn print<'f>(findings: impl Iterator<Item = &'f Finding>) -> String {
    let mut out = String::new();
    for finding in findings {
        let (start, end) = (finding.location.start(), finding.location.end());
        writeln!(
            out,
            "{} {} {}:{}:{}-{}:{} {}",
            finding.severity.name(),
            finding.condition,
            finding.location.source.name(),
            start.line,
            start.column,
            end.line,
            end.column,
            finding.message
        )
        .unwrap();
        if !finding.location.pointer.is_empty() {
            writeln!(out, "  at {}", finding.location.pointer).unwrap();
        }
        if let Some(object) = &finding.object {
            writeln!(out, "  in {} {}/{}", object.kind, object.namespace, object.name).unwrap();
        }
        if !finding.help.is_empty() {
            writeln!(out, "  help: {}", finding.help).unwrap();
        }
        for related in &finding.related {
            let start = related.location.start();
            writeln!(out, "  related {}:{}:{} {}", related.location.source.name(), start.line, start.column, related.message).unwrap();
        }
    }
    out
}

fn every_condition() -> Result<(), Failed> {
    let mut met = BTreeSet::new();
    for (rule, _, case) in cases().into_iter().filter(|(_, reject, _)| *reject) {
        met.extend(findings(&case)?.into_iter().filter(|finding| finding.rule == rule).map(|finding| (finding.rule, finding.condition)));
    }
    let mut wrong = Vec::new();
    for rule in rules::descriptors() {
        for condition in rule.conditions {
            let is_met = met.contains(&(rule.id.to_owned(), condition.name.to_owned()));
            let is_known = NO_CASE.iter().any(|(id, name, _)| (*id, *name) == (rule.id, condition.name));
            if is_met == is_known {
                wrong.push(format!("{}: {}", rule.id, condition.name));
            }
        }
    }
    if wrong.is_empty() { Ok(()) } else { Err(wrong.join("\n").into()) }
}
