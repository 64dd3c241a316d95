//! The reference deployments under `fixtures/scenarios/<name>/`, each judged by every built-in policy.
//!
//! `secure/` must give nothing at all. `as-published/` must give exactly the findings of `as-published.findings` beside it
//! (`UPDATE_EXPECT=1` writes it). Settings come from the folder's `fedward.yaml`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::string_slice, reason = "tests")]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicUsize;
use std::{env, fs};

use fedward_engine::{Input, Options, Policy, Role, Runtime, from_yaml, run};
use fedward_host::{Host, Limits};
use fedward_outcome::Outcome;
use libtest_mimic::{Arguments, Failed, Trial};
use serde::Deserialize;

const CONFIG: &str = "fedward.yaml";

/// The part of `fedward.yaml` that scenarios use.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    #[serde(default)]
    policies: BTreeMap<String, PolicyConfig>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct PolicyConfig {
    #[serde(default)]
    settings: serde_json::Value,
}

fn main() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/scenarios");
    let mut trials = Vec::new();
    for scenario in entries(&root).into_iter().filter(|path| path.is_dir()) {
        let name = scenario.file_name().unwrap().to_string_lossy().into_owned();
        let folder = scenario.clone();
        trials.push(Trial::test(format!("{name}/secure"), move || secure(&folder.join("secure"))));
        trials.push(Trial::test(format!("{name}/as-published"), move || as_published(&scenario)));
    }
    assert!(!trials.is_empty(), "no scenarios under {}", root.display());
    libtest_mimic::run(&Arguments::from_args(), trials).exit();
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let mut entries: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    entries
}

fn secure(folder: &Path) -> Result<(), Failed> {
    let found = findings(folder)?;
    if found.is_empty() { Ok(()) } else { Err(format!("the secure set gives findings:\n{found}").into()) }
}

fn as_published(scenario: &Path) -> Result<(), Failed> {
    let found = findings(&scenario.join("as-published"))?;
    let expected = scenario.join("as-published.findings");
    if env::var_os("UPDATE_EXPECT").is_some() {
        fs::write(&expected, &found)?;
    }
    let want = fs::read_to_string(&expected).unwrap_or_default();
    if want.is_empty() {
        return Err(format!("no expected findings in {}", expected.display()).into());
    }
    if want == found { Ok(()) } else { Err(diff("findings differ from the expected ones; UPDATE_EXPECT=1 writes them", &want, &found)) }
}

/// What the modules find, once the native build has found the same.
fn findings(folder: &Path) -> Result<String, Failed> {
    let found = print(&check(folder, Runtime::Module)?);
    let native = print(&check(folder, Runtime::Native)?);
    if native == found { Ok(found) } else { Err(diff("the native build differs from the module", &native, &found)) }
}

fn diff(what: &str, one: &str, other: &str) -> Failed {
    format!("{what}\n{}", similar::TextDiff::from_lines(one, other).unified_diff()).into()
}

/// Runs all policies on every file of the folder but its configuration.
fn check(folder: &Path, runtime: Runtime) -> Result<Outcome, Failed> {
    let config: Config = match fs::read_to_string(folder.join(CONFIG)) {
        Ok(text) => from_yaml(&text)?,
        Err(_) => Config::default(),
    };
    let unknown = config.policies.keys().find(|id| fedward_modules::ALL.iter().all(|builtin| builtin.id != id.as_str()));
    if let Some(id) = unknown {
        return Err(format!("{CONFIG}: there is no policy `{id}`").into());
    }
    let host = Host::new(Limits::default());
    let mut policies = Vec::new();
    for builtin in fedward_modules::ALL {
        let settings = config.policies.get(builtin.id).map_or(serde_json::Value::Null, |policy| policy.settings.clone());
        policies.push(Policy::builtin(&host, builtin, &settings)?);
    }
    let mut inputs = Vec::new();
    read(folder, folder, &mut inputs)?;
    let (outcome, _) = run(inputs, &policies, &Options { runtime, ..Options::default() }, &AtomicUsize::new(0));
    if let Some(failed) = outcome.not_evaluated.first() {
        return Err(format!("could not be judged: {}", failed.reason).into());
    }
    if let Some(skipped) = outcome.skipped.first() {
        return Err(format!("{} was skipped: {}", skipped.file, skipped.reason).into());
    }
    if outcome.evaluated == 0 {
        return Err("nothing was judged".into());
    }
    Ok(outcome)
}

fn read(root: &Path, folder: &Path, inputs: &mut Vec<Input>) -> Result<(), Failed> {
    for path in entries(folder) {
        if path.is_dir() {
            read(root, &path, inputs)?;
        } else if path != root.join(CONFIG) {
            let name = path.strip_prefix(root)?.to_string_lossy().replace('\\', "/");
            inputs.push(Input { name, bytes: fs::read(&path)?, named: false, role: Role::Judged });
        }
    }
    Ok(())
}

/// A line for each finding, by place.
fn print(outcome: &Outcome) -> String {
    let mut lines: Vec<_> = outcome
        .findings
        .iter()
        .map(|finding| {
            let (file, start) = (finding.location.source.name().to_string(), finding.location.start());
            let text = format!("{} {} {}", finding.severity.name(), finding.rule, finding.message);
            (file, start.line, start.column, text)
        })
        .collect();
    lines.sort();
    let mut printed = String::new();
    for (file, line, column, text) in lines {
        writeln!(printed, "{file}:{line}:{column} {text}").unwrap();
    }
    printed
}
