//! Our own fixtures as cases: each says of its rule what `.findings` beside it says. Rules of the reader are of no policy, and have none.

use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicUsize;
use std::{env, fs};

use fedward_engine::{Input, Role};
use fedward_host::{Host, Limits};
use fedward_policytest::{Behind, CaseFile, Files, Runner, Verdict};
use fedward_tests::guests::Known;
use serde_json::{Map, Value, json};

/// What a case cannot say, and why.
const NO_CASE: [(&str, &str); 3] = [
    ("aws-auth-masters/accept/empty-map.yaml", "it does not parse, on purpose: no policy sees it"),
    ("labelled-default-account/reject/bases-from-elsewhere", "its paths lead out of the case, which has a folder around it here"),
    ("wrong-azure-label-value/accept/templates-without-a-chart", "nothing in it can be used, on purpose"),
];

/// The folder of a rule.
struct Fixtures(PathBuf);

impl Files for Fixtures {
    fn read(&self, _suite: &str, path: &str, role: Role) -> Result<Behind, String> {
        let (mut files, mut left) = (Vec::new(), vec![self.0.join(path)]);
        while let Some(next) = left.pop() {
            if next.is_dir() {
                left.extend(fs::read_dir(next).unwrap().map(|entry| entry.unwrap().path()));
                continue;
            }
            let name = next.strip_prefix(&self.0).unwrap().to_string_lossy().replace('\\', "/");
            files.push(Input { named: name == path, name, bytes: fs::read(&next).unwrap(), role });
        }
        files.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(Behind { is_folder: !files.iter().any(|file| file.named), inputs: files, ..Behind::default() })
    }
}

/// The files of a case, below the rule's folder.
fn files(root: &Path, case: &str) -> Vec<String> {
    Fixtures(root.to_owned()).read("", case, Role::Judged).unwrap().inputs.into_iter().map(|input| input.name).collect()
}

/// A line of `.findings` as an expectation; none for help, fixes and related places.
fn finding(line: &str, case: &str) -> Option<Value> {
    let mut words = line.splitn(4, ' ');
    let (severity, rule, place, message) = (words.next()?, words.next()?, words.next()?, words.next()?);
    let start = place.split('-').next().filter(|_| !severity.is_empty())?;
    // Of a folder the places have files, of a file they have not; a folder's name may have a `-`.
    let place = if case.contains('.') { format!("{case}:{start}") } else { format!("{case}/{}", place.rsplit_once('-')?.0) };
    Some(json!({ "severity": severity, "rule": rule, "at": place, "message": message }))
}

/// The cases of a rule, of one of its policies, as the text of a case file.
fn suite(root: &Path, rule: &str, builtin: &fedward_kit::policy::Builtin) -> Option<(String, usize)> {
    let rules = builtin.policy.describe().rules;
    // The other rules meet what has the wrong type, and their findings would be in the way.
    rules.iter().find(|known| known.id == rule).filter(|_| rule != "wrong-field-type")?;
    let off: Map<String, Value> = rules.iter().filter(|known| known.id != rule).map(|known| (known.id.to_owned(), "off".into())).collect();
    let mut cases = Vec::new();
    for verdict in ["accept", "reject"] {
        let mut entries: Vec<PathBuf> = fs::read_dir(root.join(verdict)).into_iter().flatten().map(|entry| entry.unwrap().path()).collect();
        entries.sort();
        for path in entries.iter().filter(|path| path.extension().is_none_or(|extension| extension != "findings")) {
            let case = format!("{verdict}/{}", path.file_name().unwrap().to_string_lossy());
            if NO_CASE.iter().any(|(name, _)| *name == format!("{rule}/{case}")) {
                continue;
            }
            let names = files(root, &case);
            let text = |name: &String| fs::read_to_string(root.join(name)).unwrap();
            let header = names.iter().find_map(|name| text(name).lines().next()?.strip_prefix("# fedward-test:").map(str::to_owned));
            let header: Value = header.map(|header| serde_json::from_str(&header).unwrap()).unwrap_or_default();
            let mut settings = header["settings"].as_object().cloned().unwrap_or_default();
            settings.insert("severities".to_owned(), off.clone().into());
            let found = fs::read_to_string(path.with_extension("findings")).unwrap_or_default();
            let found: Vec<Value> = found.lines().filter_map(|line| finding(line, &case)).collect();
            let rejected = found.iter().any(|finding| finding["severity"] == "error");
            let prefixes: Vec<String> =
                header["context"].as_array().into_iter().flatten().map(|prefix| format!("{case}/{}", prefix.as_str().unwrap())).collect();
            let is_context = |name: &&String| prefixes.iter().any(|prefix| name.starts_with(prefix));
            let (context, objects): (Vec<&String>, Vec<&String>) =
                if prefixes.is_empty() { (Vec::new(), vec![&case]) } else { names.iter().partition(is_context) };
            let mut one = json!({
                "name": case, "objects": objects, "context": context, "settings": settings,
                "closedWorld": header["closedWorld"] == true, "cluster": header["cluster"] == true,
                "expect": { "allowed": !rejected, "findings": found },
            });
            if let Some(namespace) = header["namespace"].as_str() {
                one["namespace"] = namespace.into();
            }
            cases.push(one);
        }
    }
    let count = cases.len();
    Some((json!({ "policy": builtin.id, "cases": cases }).to_string(), count))
}

#[test]
fn every_fixture_of_a_policy_is_a_case_that_passes() {
    let rules = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/rules");
    let host = Host::new(Limits::default());
    let (mut wrong, mut ran, mut unseen) = (Vec::new(), 0, Vec::new());
    for entry in fs::read_dir(&rules).unwrap() {
        let root = entry.unwrap().path();
        let rule = root.file_name().unwrap().to_string_lossy().into_owned();
        for builtin in fedward_modules::ALL {
            let Some((text, count)) = suite(&root, &rule, builtin) else { continue };
            let file = CaseFile::read("fixtures.policy-test.json", text.into_bytes()).unwrap();
            let runner = Runner { host: &host, modules: &Known, files: &Fixtures(root.clone()), threads: 2 };
            let results = runner.run(&[file], &|_, _| true, &AtomicUsize::new(0));
            assert_eq!(results.len(), count);
            ran += count;
            for result in results {
                match result.verdict {
                    Verdict::Passed => {}
                    Verdict::Failed { differences, .. } if differences.iter().all(|difference| difference.field == "reached") => {
                        unseen.push(format!("{rule}/{}", result.name));
                    }
                    other => wrong.push(format!("{rule}/{}: {other:#?}", result.name)),
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {ran}\n{}", wrong.len(), wrong[..wrong.len().min(8)].join("\n"));
    assert!(ran > 500, "only {ran}");
    assert!(unseen.iter().all(|name| name.contains("/accept/")), "{unseen:#?}");
    assert!(unseen.len() * 20 < ran, "{} of {ran} are not judged at all: {unseen:#?}", unseen.len());
}
