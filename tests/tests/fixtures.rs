//! Every file under `fixtures/rules/<rule-id>/{accept,reject}/` is a test, and so is every folder there with all its files.
//!
//! Only the rule under test is on. A reject case must give exactly the findings of the `.findings` file beside it (`UPDATE_EXPECT=1`
//! writes it), must have an accept twin of the same name, and must give nothing with the rule off. An accept case must give nothing.
//! Module and native build must agree, and every fix must remove its finding without making another. So must its text edits, which must
//! make of the object what the fix does, and leave everything else as it is.
//!
//! The first line of a case, or of one of its files, may be `# fedward-test: {…}`, see [`Header`].

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::string_slice, reason = "tests")]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicUsize;
use std::{env, fs};

use fedward_engine::{Input, Options, Policy, Role, Runtime, Sets, run_sets};
use fedward_host::{Host, Limits};
use fedward_outcome::{Finding, Location, Outcome};
use fedward_tests::guests::Known;
use libtest_mimic::{Arguments, Failed, Trial};
use serde::Deserialize;

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Header {
    /// Settings of the rule's policy.
    #[serde(default)]
    settings: serde_json::Map<String, serde_json::Value>,
    /// Whether what is not in the file does not exist.
    #[serde(default)]
    closed_world: bool,
    /// The default namespace.
    namespace: Option<String>,
    /// Whether the modules see what they would see in a cluster: no index, and a complete world.
    #[serde(default)]
    cluster: bool,
    /// Beginnings of paths in the case's folder whose objects are only looked at, as with `--context`.
    #[serde(default)]
    context: Vec<String>,
}

struct Case {
    rule: String,
    /// A file, or a folder.
    path: PathBuf,
    reject: bool,
}

/// A case's files by their names: the file's own, or paths in the folder.
type Files = BTreeMap<String, String>;

fn main() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/rules");
    let mut trials = Vec::new();
    for rule in sorted(&root) {
        let id = rule.file_name().unwrap().to_string_lossy().into_owned();
        for reject in [false, true] {
            let folder = rule.join(if reject { "reject" } else { "accept" });
            for path in sorted(&folder).into_iter().filter(|path| path.extension().is_none_or(|extension| extension != "findings")) {
                let name = format!("{id}/{}/{}", if reject { "reject" } else { "accept" }, path.file_stem().unwrap().to_string_lossy());
                let case = Case { rule: id.clone(), path, reject };
                trials.push(Trial::test(name, move || test(&case)));
            }
        }
    }
    assert!(!trials.is_empty(), "no fixtures under {}", root.display());
    trials.push(Trial::test("every condition of every rule has a case", every_condition));
    libtest_mimic::run(&Arguments::from_args(), trials).exit();
}

fn sorted(folder: &Path) -> Vec<PathBuf> {
    let mut entries: Vec<PathBuf> = fs::read_dir(folder).into_iter().flatten().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    entries
}

/// Reads a case; only files of folders have paths as names.
fn read(path: &Path) -> Result<Files, Failed> {
    if path.is_file() {
        return Ok(BTreeMap::from([(path.file_name().unwrap().to_string_lossy().into_owned(), fs::read_to_string(path)?)]));
    }
    let (mut files, mut folders) = (Files::new(), vec![path.to_owned()]);
    while let Some(folder) = folders.pop() {
        for entry in sorted(&folder) {
            if entry.is_dir() {
                folders.push(entry);
            } else {
                let name = entry.strip_prefix(path)?.to_string_lossy().replace('\\', "/");
                files.insert(name, fs::read_to_string(&entry)?);
            }
        }
    }
    Ok(files)
}

/// Conditions that no case can meet, and why.
const NO_CASE: &[(&str, &str, &str)] =
    &[("stale-ignore", "expired", "only entries of the configuration expire"), ("unparsable-document", "not-text", "cases are text")];

fn every_condition() -> Result<(), Failed> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/rules");
    let mut met = BTreeSet::new();
    for rule in sorted(&root) {
        let id = rule.file_name().unwrap().to_string_lossy().into_owned();
        for path in sorted(&rule.join("reject")).into_iter().filter(|path| path.extension().is_none_or(|extension| extension != "findings"))
        {
            let case = Case { rule: id.clone(), path, reject: true };
            let files = read(&case.path)?;
            let outcome = check(&case, &header(&files)?, &files, true, Runtime::Native)?;
            met.extend(outcome.findings.into_iter().map(|finding| (finding.rule, finding.condition)));
        }
    }
    let rules = fedward_modules::ALL.iter().flat_map(|builtin| builtin.policy.describe().rules).chain(fedward_engine::INPUT_RULES);
    let mut wrong = BTreeSet::new();
    for rule in rules {
        for condition in rule.conditions {
            let is_met = met.contains(&(rule.id.to_owned(), condition.name.to_owned()));
            let is_known = NO_CASE.iter().any(|(id, name, _)| (*id, *name) == (rule.id, condition.name));
            if is_met == is_known {
                wrong.insert(format!(
                    "{}: {} ({})",
                    rule.id,
                    condition.name,
                    if is_met { "has a case: NO_CASE is wrong" } else { "no case" }
                ));
            }
        }
    }
    if wrong.is_empty() { Ok(()) } else { Err(wrong.into_iter().collect::<Vec<_>>().join("\n").into()) }
}

/// What a case's first line says.
fn header(files: &Files) -> Result<Header, Failed> {
    let mut headers = files.values().filter_map(|text| text.lines().next()?.strip_prefix("# fedward-test:"));
    let header = headers.next().map(serde_json::from_str).transpose()?.unwrap_or_default();
    if headers.next().is_some() { Err("several files begin with `# fedward-test:`".into()) } else { Ok(header) }
}

fn test(case: &Case) -> Result<(), Failed> {
    let files = read(&case.path)?;
    let header = header(&files)?;
    let name = case.path.file_name().unwrap().to_string_lossy().into_owned();
    let check = |files: &Files, on: bool, runtime| check(case, &header, files, on, runtime);
    let print = |outcome: &Outcome| print(outcome, case.path.is_dir());
    let outcome = check(&files, true, Runtime::Both)?;
    let found = print(&outcome);
    if !case.reject {
        return if found.is_empty() { Ok(()) } else { Err(format!("an accept case gives findings:\n{found}").into()) };
    }
    if !case.path.parent().unwrap().parent().unwrap().join("accept").join(&name).exists() {
        return Err("no accept twin of the same name".into());
    }
    if found.is_empty() {
        return Err("a reject case gives nothing".into());
    }
    let off = print(&check(&files, false, Runtime::Module)?);
    if !off.is_empty() {
        return Err(format!("with the rule off there are still findings:\n{off}").into());
    }
    let expected = case.path.with_extension("findings");
    if env::var_os("UPDATE_EXPECT").is_some() {
        fs::write(&expected, &found)?;
    }
    let want = fs::read_to_string(&expected).unwrap_or_default();
    if want != found {
        return Err(diff("findings differ from the expected ones; UPDATE_EXPECT=1 writes them", &want, &found));
    }
    for finding in outcome.findings.iter().filter(|finding| !finding.fix.is_empty()) {
        let namespace = header.namespace.as_deref().unwrap_or("default");
        // A fix changes one file.
        let file = finding.location.source.name().to_string();
        let check = |changed: &str| {
            let with = |(name, text): (&String, &String)| (name.clone(), if *name == file { changed.to_owned() } else { text.clone() });
            check(&files.iter().map(with).collect(), true, Runtime::Module)
        };
        let objects = mended(finding, &outcome, &files[&file], namespace, &check)?;
        edited(finding, &outcome, &files[&file], namespace, &objects, &check)?;
    }
    Ok(())
}

fn diff(what: &str, one: &str, other: &str) -> Failed {
    format!("{what}\n{}", similar::TextDiff::from_lines(one, other).unified_diff()).into()
}

fn check(case: &Case, header: &Header, files: &Files, on: bool, runtime: Runtime) -> Result<Outcome, Failed> {
    let host = Host::new(Limits::default());
    let mut policies = Vec::new();
    for builtin in fedward_modules::ALL {
        let rules = builtin.policy.describe().rules;
        let owner = rules.iter().any(|rule| rule.id == case.rule);
        // A rule that all policies share is tested in each of them.
        if !owner {
            continue;
        }
        // What has the wrong type is met by the other rules: they stay on for that one, and their findings are left out below.
        let shared = case.rule == "wrong-field-type";
        let is_off = |id: &str| if id == case.rule { !on } else { !shared };
        let severities: serde_json::Map<String, serde_json::Value> =
            rules.iter().filter(|rule| is_off(rule.id)).map(|rule| (rule.id.to_owned(), "off".into())).collect();
        let mut settings = header.settings.clone();
        settings.insert("severities".to_owned(), severities.into());
        policies.push(Policy::builtin(&host, builtin, &settings.into())?);
    }
    let options = Options {
        namespace: header.namespace.clone().unwrap_or_else(|| "default".to_owned()),
        closed_world: header.closed_world || header.cluster,
        indexed: !header.cluster,
        input_severities: if on { BTreeMap::new() } else { BTreeMap::from([(case.rule.clone(), None)]) },
        threads: 1,
        runtime,
        ..Options::default()
    };
    let inputs = files.iter().map(|(name, text)| Input {
        name: name.clone(),
        bytes: text.as_bytes().to_vec(),
        // The files of a folder are met, not named.
        named: case.path.is_file(),
        role: if header.context.iter().any(|path| name.starts_with(path.as_str())) { Role::Context } else { Role::Judged },
    });
    let sets = Sets { host: &host, modules: &Known, only_given: false };
    let (mut outcome, _) = run_sets(inputs.collect(), policies, sets, &options, &AtomicUsize::new(0));
    // What a rule of the reader would say of what cannot be judged counts as not judged while the rule is off.
    let is_told = |reason: &str| !on && reason == format!("`{}` says what is wrong, and is off", case.rule);
    if let Some(failed) = outcome.not_evaluated.iter().find(|failed| !is_told(&failed.reason)) {
        return Err(format!("could not be judged: {}", failed.reason).into());
    }
    outcome.findings.retain(|finding| finding.rule == case.rule && finding.suppressed.is_none());
    Ok(outcome)
}

/// Findings as text, with the names of files where there are several.
fn print(outcome: &Outcome, with_files: bool) -> String {
    let place = |location: &Location| {
        let (start, file) = (location.start(), location.source.name());
        if with_files { format!("{file}:{}:{}", start.line, start.column) } else { format!("{}:{}", start.line, start.column) }
    };
    let mut text = String::new();
    for finding in &outcome.findings {
        let end = finding.location.end();
        let place_of = format!("{}-{}:{}", place(&finding.location), end.line, end.column);
        writeln!(text, "{} {} {place_of} {}", finding.severity.name(), finding.rule, finding.message).unwrap();
        if !finding.help.is_empty() {
            writeln!(text, "  help: {}", finding.help).unwrap();
        }
        for related in &finding.related {
            writeln!(text, "  {} {}", place(&related.location), related.message).unwrap();
        }
        if finding.related_more > 0 {
            writeln!(text, "  and {} more places", finding.related_more).unwrap();
        }
        for step in &finding.fix {
            writeln!(text, "  fix: {}", serde_json::to_string(step).unwrap()).unwrap();
        }
    }
    text
}

/// Applies a finding's fix to its object and looks again. Returns all objects, with that one mended.
fn mended(
    finding: &Finding,
    before: &Outcome,
    text: &str,
    namespace: &str,
    check: &dyn Fn(&str) -> Result<Outcome, Failed>,
) -> Result<Vec<serde_json::Value>, Failed> {
    let id = finding.object.as_ref().unwrap();
    let patch: json_patch::Patch = serde_json::from_value(serde_json::to_value(&finding.fix)?)?;
    let mut patched = false;
    let mut mended = Vec::new();
    for (mut object, object_id) in fedward_engine::objects(text, namespace) {
        if !patched && object_id == *id {
            json_patch::patch(&mut object, &patch).map_err(|error| format!("the fix of `{}` does not apply: {error}", finding.message))?;
            patched = true;
        }
        mended.push(object);
    }
    let lines: Vec<String> = mended.iter().map(ToString::to_string).collect();
    is_gone(finding, before, &check(&lines.join("\n"))?)?;
    Ok(mended)
}

/// Applies a fix's text edits and looks again.
fn edited(
    finding: &Finding,
    before: &Outcome,
    text: &str,
    namespace: &str,
    mended: &[serde_json::Value],
    check: &dyn Fn(&str) -> Result<Outcome, Failed>,
) -> Result<(), Failed> {
    if finding.edits.is_empty() {
        return Err(format!("the fix of `{}` has no text edits", finding.message).into());
    }
    if finding.edits.windows(2).any(|pair| pair[0].span.end >= pair[1].span.start) {
        return Err(format!("the edits of `{}` are not apart and in order: {:?}", finding.message, finding.edits).into());
    }
    let after = fedward_manifest::edit::apply(text, &finding.edits);
    let objects: Vec<serde_json::Value> = fedward_engine::objects(&after, namespace).into_iter().map(|(object, _)| object).collect();
    if objects != mended {
        return Err(format!("the edits of `{}` do not do what the fix does:\n{after}", finding.message).into());
    }
    let comments = |text: &str| -> Vec<String> { text.lines().filter_map(|line| Some(line[line.find('#')?..].to_owned())).collect() };
    if comments(&after) != comments(text) {
        return Err(diff(&format!("the edits of `{}` touch a comment", finding.message), text, &after));
    }
    is_gone(finding, before, &check(&after)?)
}

/// Whether a finding is not there any more, and no new one is.
fn is_gone(finding: &Finding, before: &Outcome, after: &Outcome) -> Result<(), Failed> {
    let key = |finding: &Finding| {
        let place = (finding.location.source.name().clone(), finding.location.pointer.clone());
        (finding.rule.clone(), finding.condition.clone(), place, finding.object.clone())
    };
    let known: Vec<_> = before.findings.iter().map(key).collect();
    for left in &after.findings {
        if key(left) == key(finding) {
            return Err(format!("the fix of `{}` does not remove the finding: `{}`", finding.message, left.message).into());
        }
        if !known.contains(&key(left)) {
            return Err(format!("the fix of `{}` makes a new finding: `{}`", finding.message, left.message).into());
        }
    }
    Ok(())
}
