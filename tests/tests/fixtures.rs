//! Every file under `fixtures/rules/<rule-id>/{accept,reject}/` is a test.
//!
//! Only the rule under test is on. A reject case must give exactly the findings of the `.findings` file beside it (`UPDATE_EXPECT=1`
//! writes it), must have an accept twin of the same name, and must give nothing with the rule off. An accept case must give nothing.
//! Module and native build must agree, and every fix must remove its finding without making another. So must its text edits, which must
//! make of the object what the fix does, and leave everything else as it is.
//!
//! The first line of a case may be `# fedward-test: {…}`, see [`Header`].

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::string_slice, reason = "tests")]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicUsize;
use std::{env, fs};

use fedward_engine::{Input, Options, Policy, Runtime, run};
use fedward_host::{Host, Limits};
use fedward_outcome::{Finding, Outcome};
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
}

struct Case {
    rule: String,
    file: PathBuf,
    reject: bool,
}

fn main() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/rules");
    let mut trials = Vec::new();
    for rule in sorted(&root) {
        let id = rule.file_name().unwrap().to_string_lossy().into_owned();
        for reject in [false, true] {
            let folder = rule.join(if reject { "reject" } else { "accept" });
            for file in sorted(&folder).into_iter().filter(|file| file.extension().is_some_and(|extension| extension != "findings")) {
                let name = format!("{id}/{}/{}", if reject { "reject" } else { "accept" }, file.file_stem().unwrap().to_string_lossy());
                let case = Case { rule: id.clone(), file, reject };
                trials.push(Trial::test(name, move || test(&case)));
            }
        }
    }
    assert!(!trials.is_empty(), "no fixtures under {}", root.display());
    libtest_mimic::run(&Arguments::from_args(), trials).exit();
}

fn sorted(folder: &Path) -> Vec<PathBuf> {
    let mut entries: Vec<PathBuf> = fs::read_dir(folder).into_iter().flatten().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    entries
}

fn test(case: &Case) -> Result<(), Failed> {
    let text = fs::read_to_string(&case.file)?;
    let name = case.file.file_name().unwrap().to_string_lossy().into_owned();
    let header: Header = match text.lines().next().and_then(|line| line.strip_prefix("# fedward-test:")) {
        Some(json) => serde_json::from_str(json)?,
        None => Header::default(),
    };
    let check = |text: &str, on: bool, runtime| check(case, &header, &name, text, on, runtime);
    let outcome = check(&text, true, Runtime::Both)?;
    let found = print(&outcome);
    if !case.reject {
        return if found.is_empty() { Ok(()) } else { Err(format!("an accept case gives findings:\n{found}").into()) };
    }
    if !case.file.parent().unwrap().parent().unwrap().join("accept").join(&name).is_file() {
        return Err("no accept twin of the same name".into());
    }
    if found.is_empty() {
        return Err("a reject case gives nothing".into());
    }
    let off = print(&check(&text, false, Runtime::Module)?);
    if !off.is_empty() {
        return Err(format!("with the rule off there are still findings:\n{off}").into());
    }
    let expected = case.file.with_extension("findings");
    if env::var_os("UPDATE_EXPECT").is_some() {
        fs::write(&expected, &found)?;
    }
    let want = fs::read_to_string(&expected).unwrap_or_default();
    if want != found {
        return Err(diff("findings differ from the expected ones; UPDATE_EXPECT=1 writes them", &want, &found));
    }
    for finding in outcome.findings.iter().filter(|finding| !finding.fix.is_empty()) {
        let namespace = header.namespace.as_deref().unwrap_or("default");
        let check = |text: &str| check(text, true, Runtime::Module);
        let objects = mended(finding, &outcome, &text, namespace, &check)?;
        edited(finding, &outcome, &text, namespace, &objects, &check)?;
    }
    Ok(())
}

fn diff(what: &str, one: &str, other: &str) -> Failed {
    format!("{what}\n{}", similar::TextDiff::from_lines(one, other).unified_diff()).into()
}

fn check(case: &Case, header: &Header, name: &str, text: &str, on: bool, runtime: Runtime) -> Result<Outcome, Failed> {
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
    let input = Input { name: name.to_owned(), bytes: text.as_bytes().to_vec(), named: true, judged: true };
    let (mut outcome, _) = run(vec![input], &policies, &options, &AtomicUsize::new(0));
    if let Some(failed) = outcome.not_evaluated.first() {
        return Err(format!("could not be judged: {}", failed.reason).into());
    }
    outcome.findings.retain(|finding| finding.rule == case.rule && finding.suppressed.is_none());
    Ok(outcome)
}

fn print(outcome: &Outcome) -> String {
    let mut text = String::new();
    for finding in &outcome.findings {
        let (start, end) = (finding.location.start(), finding.location.end());
        let place = format!("{}:{}-{}:{}", start.line, start.column, end.line, end.column);
        writeln!(text, "{} {} {place} {}", finding.severity.name(), finding.rule, finding.message).unwrap();
        if !finding.help.is_empty() {
            writeln!(text, "  help: {}", finding.help).unwrap();
        }
        for related in &finding.related {
            let start = related.location.start();
            writeln!(text, "  {}:{} {}", start.line, start.column, related.message).unwrap();
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
    let key =
        |finding: &Finding| (finding.rule.clone(), finding.condition.clone(), finding.location.pointer.clone(), finding.object.clone());
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
