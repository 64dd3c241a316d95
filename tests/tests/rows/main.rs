//! Mistakes planted in every kind that makes pods: each must be found, by its rule, on its line.
//!
//! `tests/rows/<group>_<Kind>[@variant].yaml` is a manifest of a row of the kit's table, with slots. A plant is what a rule's mistake puts
//! into the slots; the line that is wrong ends with `# here`. What is not there is reported on the next thing around
//! it: an absent label on the line before the entry with `# label`, or where the manifest itself says `# absent label`; an absent account
//! where it says `# absent account`. Every rule has a plant, or is in [`NO_PODS`] with the reason. Where a row
//! cannot have a mistake, [`ONLY`], [`NO_SLOT`] and [`CANNOT`] say why.
//!
//! Slots on a line of their own take the entries of a map or list: `<labels>`, `<annotations>` of the pod; `<own-labels>`,
//! `<own-annotations>` of the object; `<selector>`, `<env>`, `<mounts>`, `<volumes>`; `<identity>`, the annotations of an account that the
//! kind makes itself. `<account>`, `<own-account>`, `<namespace>`, `<kind>` and `<command>` are values, `<template>` a whole pod template.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::string_slice, reason = "tests")]

mod exceptions;
mod plants;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, LazyLock};

use fedward_engine::{Input, Options, Policy, Role, run};
use fedward_host::{Host, Limits};
use fedward_kit::workload::{ROWS, Row};
use libtest_mimic::{Arguments, Failed, Trial};
use serde_json::{Value, json};

use exceptions::{CANNOT, NO_PODS, NO_SLOT, NONE, ONLY};
use plants::{HARMLESS, PLANTS, Plant};

const TEMPLATE: &str = "\
metadata:
  labels:
    <labels>
  annotations:
    <annotations>
spec:
  serviceAccountName: <account>
  containers:
    - name: main
      image: registry.example/app:1
      command: <command>
      env:
        <env>
      volumeMounts:
        <mounts>
  volumes:
    <volumes>";

const ACCOUNTS: &str = "\
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: plain, namespace: <namespace>}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: federated, namespace: <namespace>, annotations: {<azure>}}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: aws, namespace: <namespace>, annotations: {<aws>}}
";
const AZURE: &str = "azure.workload.identity/client-id: 2f7d9a31-64c5-4a0b-9a53-7cf5b0c1d822";
const AWS: &str = "eks.amazonaws.com/role-arn: arn:aws:iam::112233445566:role/shop";

/// A manifest with slots.
struct File {
    /// The row's name, with the variant.
    name: String,
    row: &'static Row,
    text: String,
}

fn files() -> Vec<File> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("rows");
    let mut paths: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
        .into_iter()
        .map(|path| {
            let name = path.file_stem().unwrap().to_string_lossy().replacen('_', "/", 1);
            let row = name.split('@').next().unwrap().to_owned();
            let row = ROWS.iter().find(|known| known.name == row).unwrap_or(&FALLBACK);
            let text = fill(&fs::read_to_string(path).unwrap(), "<template>", TEMPLATE);
            File { name, row, text }
        })
        .collect()
}

const FALLBACK: Row = Row { name: "generic/fallback", group: "example.org", kinds: &["Widget"], shape: fedward_kit::workload::Shape::None };

impl File {
    /// The kinds of the row that the file is for.
    fn kinds(&self) -> Vec<&'static str> {
        let is_for = |kind: &&&str| self.text.contains("kind: <kind>\n") || self.text.contains(&format!("kind: {kind}\n"));
        self.row.kinds.iter().filter(is_for).copied().collect()
    }
}

static POLICIES: LazyLock<BTreeMap<&'static str, Arc<Vec<Policy>>>> = LazyLock::new(|| {
    let settings: BTreeSet<&str> = PLANTS.iter().map(|plant| plant.settings).collect();
    settings.into_iter().map(|settings| (settings, Arc::new(policies(settings)))).collect()
});

/// All policies; the one that knows the settings has them.
fn policies(settings: &str) -> Vec<Policy> {
    let host = Host::new(Limits::default());
    let given: Value = serde_json::from_str(settings).unwrap();
    let policy = |builtin| Policy::builtin(&host, builtin, &given).unwrap_or_else(|_| Policy::builtin(&host, builtin, &json!({})).unwrap());
    fedward_modules::ALL.iter().map(policy).collect()
}

fn main() {
    let mut trials = vec![
        Trial::test("every rule has a plant or judges no pods", every_rule),
        Trial::test("every kind of every row has a manifest", every_kind),
        Trial::test("every exception is needed", every_exception),
    ];
    for file in files() {
        for kind in file.kinds() {
            for plant in PLANTS {
                let is_only = ONLY.iter().find(|(rule, ..)| *rule == plant.rule);
                let outside = is_only.is_some_and(|(_, rows, _)| !rows.iter().any(|row| *row == file.row.name || *row == file.name));
                let has = |slot: &&&str| file.text.contains(**slot) || **slot == "<account>" && file.text.contains("<identity>");
                if plant.needs.iter().any(|slot| is_exempt(NO_SLOT, &file.name, slot))
                    || outside && !plant.needs.iter().all(|slot| has(&slot))
                {
                    continue;
                }
                let cannot = outside || is_exempt(CANNOT, &file.name, plant.rule);
                let (name, plant) = (file.name.clone(), *plant);
                let text = fill(&file.text, "<kind>", kind);
                trials.push(Trial::test(format!("{name}/{kind}/{}", plant.rule), move || test(&name, &text, &plant, cannot)));
            }
        }
    }
    libtest_mimic::run(&Arguments::from_args(), trials).exit();
}

/// Whether an exception speaks of a row's file: by the row's name all of them, with the variant one.
fn is_exempt(list: &[(&str, &[&str], &str)], file: &str, what: &str) -> bool {
    list.iter().any(|(row, of, _)| of.contains(&what) && (*row == file || file.split('@').next() == Some(row)))
}

fn every_rule() -> Result<(), Failed> {
    let rules: BTreeSet<&str> =
        fedward_modules::ALL.iter().flat_map(|builtin| builtin.policy.describe().rules).map(|rule| rule.id).collect();
    let planted: BTreeSet<&str> = PLANTS.iter().map(|plant| plant.rule).collect();
    let podless: BTreeSet<&str> = NO_PODS.iter().map(|(rule, _)| *rule).collect();
    let told: BTreeSet<&str> = planted.union(&podless).copied().collect();
    let wrong: Vec<&&str> = rules.symmetric_difference(&told).chain(planted.intersection(&podless)).collect();
    if wrong.is_empty() { Ok(()) } else { Err(format!("neither planted nor without pods, or both, or no rule: {wrong:?}").into()) }
}

fn every_kind() -> Result<(), Failed> {
    let here: BTreeSet<(&str, &str)> = files().iter().flat_map(|file| file.kinds().into_iter().map(|kind| (file.row.name, kind))).collect();
    let all = ROWS.iter().filter(|row| NONE.iter().all(|(none, _)| *none != row.name));
    let missing: Vec<_> = all.flat_map(|row| row.kinds.iter().map(|kind| (row.name, *kind))).filter(|one| !here.contains(one)).collect();
    if missing.is_empty() { Ok(()) } else { Err(format!("kinds without a manifest: {missing:?}").into()) }
}

fn every_exception() -> Result<(), Failed> {
    let files = files();
    let speaks = |row: &str, file: &File| row == file.name || row == file.row.name;
    let mut wrong = Vec::new();
    for (row, slots, _) in NO_SLOT {
        let has = |slot: &str| files.iter().any(|file| speaks(row, file) && file.text.contains(slot));
        wrong.extend(slots.iter().filter(|slot| has(slot)).map(|slot| format!("{row} has {slot}")));
    }
    let rules: BTreeSet<&str> = PLANTS.iter().map(|plant| plant.rule).collect();
    for (row, of, _) in CANNOT {
        wrong.extend(of.iter().filter(|rule| !rules.contains(*rule)).map(|rule| format!("{row}: {rule}")));
    }
    for (row, ..) in NO_SLOT.iter().chain(CANNOT).filter(|(row, ..)| !files.iter().any(|file| speaks(row, file))) {
        wrong.push((*row).to_owned());
    }
    for (rule, rows, _) in ONLY {
        wrong.extend(rows.iter().filter(|row| !files.iter().any(|file| speaks(row, file))).map(|row| format!("{rule}: {row}")));
    }
    if wrong.is_empty() { Ok(()) } else { Err(format!("exceptions that speak of nothing: {wrong:?}").into()) }
}

/// Replaces a slot: on a line of its own by lines at its indentation, elsewhere by the text.
fn fill(manifest: &str, slot: &str, with: &str) -> String {
    let mut filled = String::new();
    for line in manifest.lines() {
        match line.find(slot) {
            Some(at) if line.trim() == slot => {
                for inner in with.lines() {
                    filled.push_str(&format!("{}{inner}\n", &line[..at]));
                }
            }
            _ => filled.push_str(&format!("{}\n", line.replace(slot, with))),
        }
    }
    filled
}

/// The 1-based line of the finding.
fn expected(text: &str) -> usize {
    let line = |mark: &str| text.lines().position(|line| line.ends_with(mark)).map(|index| index + 1);
    let absent_label = || line("# label").map(|first| line("# absent label").unwrap_or(first - 1));
    line("# here").or_else(absent_label).or_else(|| line("# absent account")).unwrap()
}

fn test(name: &str, manifest: &str, plant: &Plant, cannot: bool) -> Result<(), Failed> {
    let has = |slot: &str| manifest.contains(slot) || slot == "<account>" && manifest.contains("<identity>");
    if let Some(slot) = plant.needs.iter().find(|slot| !has(slot)) {
        return Err(format!("`{name}` has no slot {slot}").into());
    }
    let identity = match plant.account {
        "federated" => AZURE,
        "aws" => AWS,
        _ => HARMLESS.annotations,
    };
    // An account that a kind makes itself has the kind's name for it, and the annotations that the plant's account has.
    let own_account = if plant.account.contains("# here") { "x # here" } else { "x" };
    let more = if plant.more.is_empty() { String::new() } else { format!("---\n{}\n", plant.more) };
    let slots = [
        ("<own-account>", own_account),
        ("<identity>", identity),
        ("<namespace>", plant.namespace),
        ("<labels>", plant.labels),
        ("<annotations>", plant.annotations),
        ("<own-labels>", HARMLESS.labels),
        ("<own-annotations>", HARMLESS.annotations),
        ("<selector>", plant.selector),
        ("<account>", plant.account),
        ("<command>", plant.command),
        ("<env>", plant.env),
        ("<mounts>", plant.mounts),
        ("<volumes>", plant.volumes),
        ("<collector>", plant.collector),
        ("<outputs>", plant.outputs),
        ("<azure>", AZURE),
        ("<aws>", AWS),
    ];
    let text = slots.iter().fold(format!("{manifest}{ACCOUNTS}"), |text, (slot, with)| fill(&text, slot, with)) + &more;
    let input = Input { name: "row.yaml".to_owned(), bytes: text.clone().into_bytes(), named: true, role: Role::Judged };
    // A kind without a namespace of its own uses the default one for its pods.
    let options = Options { threads: 1, namespace: plant.namespace.to_owned(), ..Options::default() };
    let (outcome, _) = run(vec![input], &POLICIES[plant.settings], &options, &AtomicUsize::new(0));
    let line = expected(&text);
    let found: Vec<String> = outcome.findings.iter().map(|finding| format!("{}:{}", finding.location.start().line, finding.rule)).collect();
    let numbered = || text.lines().enumerate().map(|(number, line)| format!("{:3} {line}\n", number + 1)).collect::<String>();
    match (found.contains(&format!("{line}:{}", plant.rule)), cannot) {
        (true, false) | (false, true) => Ok(()),
        (false, false) => Err(format!("no {} on line {line}, but {found:?}\n{}", plant.rule, numbered()).into()),
        (true, true) => Err(format!("{} is found: the exception in CANNOT can go\n{}", plant.rule, numbered()).into()),
    }
}
