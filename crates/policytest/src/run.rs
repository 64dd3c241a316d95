//! Running cases, on all cores, with results in the order of the files.

use std::collections::{BTreeSet, HashMap};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use fedward_engine::{Code, Codes, EngineError, Found, INPUT_RULES, Modules, Options, Policy, RENDER_POLICIES, Role, Sets, User};
use fedward_host::{Cache, Host};
use fedward_outcome::Finding;
use serde_json::Value;

use crate::compare::{Compared, Difference, compare};
use crate::given::{Behind, Files, Objects};
use crate::got::{Got, UNREADABLE};
use crate::model::{Case, Operation};
use crate::read::{CaseFile, PlacedSuite, Subject};

/// What cases are run with.
#[derive(Clone, Copy)]
pub struct Runner<'r> {
    /// The host of the modules.
    pub host: &'r Host,
    /// The modules behind references.
    pub modules: &'r (dyn Modules + Sync),
    /// The files behind paths.
    pub files: &'r dyn Files,
    /// How many cases run at once; 0 counts as 1.
    pub threads: usize,
}

/// What came of a case.
#[derive(Debug)]
pub struct CaseResult {
    /// The case file.
    pub file: String,
    /// Where the case stands in it, from 1.
    pub line: u32,
    /// The column.
    pub column: u32,
    /// Its suite's policy.
    pub policy: String,
    /// Its name.
    pub name: String,
    /// What came of it.
    pub verdict: Verdict,
    /// What may explain it.
    pub notes: Vec<String>,
    /// How long it took.
    pub time: Duration,
    /// Which it is: the file, the suite, the case.
    pub(crate) index: [usize; 3],
}

/// What came of a case.
#[derive(Debug)]
pub enum Verdict {
    /// It gave what was expected.
    Passed,
    /// It gave something else.
    Failed {
        /// What was.
        differences: Vec<Difference>,
        /// The `expect` that would hold, or why none can be written.
        now: Result<Value, String>,
    },
    /// Its expectation was rewritten.
    Updated,
    /// It could not be run, and why.
    Broken(String),
    /// A document that was met, and has no case.
    Skipped,
}

/// Modules of which manifests find each once, however many cases run them.
struct Remembering<'r> {
    modules: &'r (dyn Modules + Sync),
    codes: Codes,
}

impl Modules for Remembering<'_> {
    fn find(&self, reference: &str, manifest: &str) -> Result<Found, String> {
        self.modules.find(reference, manifest)
    }

    fn cache(&self) -> Option<&Cache> {
        self.modules.cache()
    }

    fn codes(&self) -> Option<&Codes> {
        Some(&self.codes)
    }
}

/// A suite's policy.
enum Prepared {
    Module(Code),
    Manifests(Behind),
    Broken(String),
}

impl Runner<'_> {
    /// Runs the cases of files that are wanted, by file and name. `progress` counts those that are done.
    pub fn run(&self, files: &[CaseFile], wanted: &(dyn Fn(&str, &str) -> bool + Sync), progress: &AtomicUsize) -> Vec<CaseResult> {
        let modules = Remembering { modules: self.modules, codes: Codes::default() };
        Runner { modules: &modules, ..*self }.run_with(files, wanted, progress)
    }

    fn run_with(&self, files: &[CaseFile], wanted: &(dyn Fn(&str, &str) -> bool + Sync), progress: &AtomicUsize) -> Vec<CaseResult> {
        let mut prepared: HashMap<(String, Subject, bool), usize> = HashMap::new();
        let mut policies: Vec<Prepared> = Vec::new();
        let mut jobs = Vec::new();
        for (file_index, file) in files.iter().enumerate() {
            for (suite_index, suite) in file.suites.iter().enumerate() {
                let mut own = None;
                for (case_index, case) in suite.suite.cases.iter().enumerate().filter(|(_, case)| wanted(&file.name, &case.name)) {
                    let policy = *own.get_or_insert_with(|| {
                        let key = (folder(&file.name).to_owned(), suite.suite.subject(), suite.suite.is_raw());
                        *prepared.entry(key).or_insert_with_key(|(_, subject, is_raw)| {
                            policies.push(self.prepare(&file.name, subject, *is_raw));
                            policies.len() - 1
                        })
                    });
                    jobs.push(Job { file, suite, case, policy, index: [file_index, suite_index, case_index] });
                }
            }
        }
        let results: Vec<OnceLock<CaseResult>> = jobs.iter().map(|_| OnceLock::new()).collect();
        let next = AtomicUsize::new(0);
        let work = || {
            while let Some((job, slot)) = {
                let index = next.fetch_add(1, Ordering::Relaxed);
                jobs.get(index).zip(results.get(index))
            } {
                let start = Instant::now();
                let (verdict, notes) = match policies.get(job.policy) {
                    Some(policy) => self.case(job, policy),
                    None => (Verdict::Broken("no policy".to_owned()), Vec::new()),
                };
                // Each slot is filled once.
                let _ = slot.set(job.result(verdict, notes, start.elapsed()));
                progress.fetch_add(1, Ordering::Relaxed);
            }
        };
        thread::scope(|scope| {
            let spawned = || thread::Builder::new().spawn_scoped(scope, work).ok();
            let handles: Vec<_> = (1..self.threads).map_while(|_| spawned()).collect();
            work();
            for handle in handles {
                // What a thread had in hand that ended by a panic has no result, and is told below.
                let _ = handle.join();
            }
        });
        let lost = || Verdict::Broken("fedward itself broke in this case: please report it".to_owned());
        let result = |(job, slot): (&Job<'_>, OnceLock<CaseResult>)| {
            slot.into_inner().unwrap_or_else(|| job.result(lost(), Vec::new(), Duration::ZERO))
        };
        let mut results: Vec<CaseResult> = jobs.iter().zip(results).map(result).collect();
        results.extend(files.iter().enumerate().flat_map(|(index, file)| without_cases(index, file, wanted)));
        results.sort_by_key(|result| result.index);
        results
    }

    fn prepare(&self, suite: &str, subject: &Subject, is_raw: bool) -> Prepared {
        let made = match subject {
            Subject::Manifests(path) => self.files.read(suite, path, Role::Policies).map(Prepared::Manifests),
            Subject::Module(reference) => {
                let code = self.modules.find(reference, suite).and_then(|found| Code::new(self.host, self.modules.cache(), found));
                code.and_then(|code| match (is_raw, code.is_raw()) {
                    (true, _) => code.into_raw().map(Prepared::Module),
                    (false, true) => Err("it is a raw policy, whose cases have `raw`".to_owned()),
                    (false, false) => Ok(Prepared::Module(code)),
                })
            }
        };
        made.unwrap_or_else(Prepared::Broken)
    }

    fn case(&self, job: &Job<'_>, policy: &Prepared) -> (Verdict, Vec<String>) {
        match self.got(job, policy) {
            Ok(got) => {
                let Compared { differences, now, notes } = compare(job.suite, job.index, &got);
                if differences.is_empty() {
                    // Nothing is to be explained; but what was left out is no part of what passes.
                    return (Verdict::Passed, got.left_out);
                }
                (Verdict::Failed { differences, now }, [got.left_out, got.notes, notes].concat())
            }
            Err(why) => (Verdict::Broken(why), Vec::new()),
        }
    }

    /// Runs one case.
    fn got(&self, job: &Job<'_>, prepared: &Prepared) -> Result<Got, String> {
        let (suite, case) = (job.suite, job.case);
        let id = suite.suite.policy.as_str();
        let settings = case.settings.as_ref().or(suite.suite.settings.as_ref()).cloned().map_or(Value::Null, Value::Object);
        let mut options = options(case);
        let count = AtomicUsize::new(0);
        match prepared {
            Prepared::Broken(why) => Err(format!("policy `{id}`: {why}")),
            Prepared::Module(code) => {
                let policy = match Policy::of(code, id, &settings) {
                    Ok(policy) => policy,
                    Err(EngineError::Settings { message, .. }) => return Ok(refused(message)),
                    Err(error) => return Err(error.to_string()),
                };
                let mut objects = Objects::of(case, suite, job.index[2], self.files)?;
                let names = objects.names();
                options.templates = std::mem::take(&mut objects.templates);
                let (outcome, _) = fedward_engine::run(std::mem::take(&mut objects.inputs), &[policy], &options, &count);
                let got = Got::new(outcome, &BTreeSet::new(), |outcome| objects.used(&names, outcome))?;
                Ok(Got { is_raw: options.raw, ..got })
            }
            Prepared::Manifests(manifests) => {
                let mut objects = Objects::of(case, suite, job.index[2], self.files)?;
                let names = objects.names();
                options.templates = std::mem::take(&mut objects.templates);
                options.templates.extend(manifests.templates.clone());
                let mut inputs = std::mem::take(&mut objects.inputs);
                inputs.extend(manifests.inputs.iter().cloned());
                let sets = Sets { host: self.host, modules: self.modules, only_given: true };
                let (outcome, _) = fedward_engine::run_sets(inputs, Vec::new(), sets, &options, &count);
                let policies: BTreeSet<String> = manifests.inputs.iter().map(|input| input.name.clone()).collect();
                // A file that is wrong says so itself.
                let is_wrong =
                    |finding: &Finding| UNREADABLE.contains(&&*finding.rule) && policies.contains(&**finding.location.source.name());
                if outcome.policies == 0 && !outcome.findings.iter().any(is_wrong) {
                    let unbuilt = outcome.skipped.iter().find(|skipped| skipped.reason.ends_with(RENDER_POLICIES));
                    let how = unbuilt.map(|skipped| format!("; `{}` is {}", skipped.file, skipped.reason)).unwrap_or_default();
                    return Err(format!("policy `{id}`: no policy manifest, and no policy server's file: nothing would be judged{how}"));
                }
                let mut got = Got::new(outcome, &policies, |outcome| objects.used(&names, outcome))?;
                got.left_out.extend(manifests.left_out.iter().cloned());
                Ok(got)
            }
        }
    }
}

/// What stands for a file with mistakes, and for documents without a case.
fn without_cases(index: usize, file: &CaseFile, wanted: &dyn Fn(&str, &str) -> bool) -> Vec<CaseResult> {
    let result = |suite: usize, (line, column): (u32, u32), policy: &str, name: &str, verdict: Verdict| CaseResult {
        file: file.name.clone(),
        line,
        column,
        policy: policy.to_owned(),
        name: name.to_owned(),
        verdict,
        notes: Vec::new(),
        time: Duration::ZERO,
        index: [index, suite, 0],
    };
    if !file.mistakes.is_empty() {
        return vec![result(0, file.first_mistake(), "", "the case file", Verdict::Broken(file.mistakes.join("\n")))];
    }
    if !wanted(&file.name, "") {
        return Vec::new();
    }
    let verdict = || match file.is_named {
        true => Verdict::Broken("there is no case in it".to_owned()),
        false => Verdict::Skipped,
    };
    if file.suites.is_empty() {
        return vec![result(0, (1, 1), "", "no case", verdict())];
    }
    let empty = file.suites.iter().enumerate().filter(|(_, suite)| suite.suite.cases.is_empty());
    empty.map(|(number, suite)| result(number, suite.position("/cases"), &suite.suite.policy, "no case", verdict())).collect()
}

fn refused(message: String) -> Got {
    let message = if message.trim().is_empty() { "the module does not say why".to_owned() } else { message };
    Got { invalid_settings: Some(message), ..Got::default() }
}

/// Only policies say something in a test, and no comment in an object talks them out of it.
fn options(case: &Case) -> Options {
    let defaults = Options::default();
    Options {
        namespace: case.namespace.clone().unwrap_or(defaults.namespace),
        closed_world: case.closed_world || case.cluster,
        indexed: !case.cluster,
        threads: 1,
        use_ignores: false,
        raw: case.raw.is_some(),
        requests: case.request.is_some(),
        // They are hidden where they are shown.
        keeps_secrets: true,
        known_rules: INPUT_RULES.iter().map(|rule| rule.id.to_owned()).collect(),
        operation: match case.operation {
            None | Some(Operation::Create) => fedward_engine::Operation::Create,
            Some(Operation::Update) => fedward_engine::Operation::Update,
            Some(Operation::Delete) => fedward_engine::Operation::Delete,
        },
        user: User { name: case.user.clone().unwrap_or_default(), groups: case.groups.clone() },
        ..Options::default()
    }
}

fn folder(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// A case that runs.
struct Job<'j> {
    file: &'j CaseFile,
    suite: &'j PlacedSuite,
    case: &'j Case,
    policy: usize,
    index: [usize; 3],
}

impl Job<'_> {
    fn result(&self, verdict: Verdict, notes: Vec<String>, time: Duration) -> CaseResult {
        let (line, column) = self.suite.position(&format!("/cases/{}", self.index[2]));
        CaseResult {
            file: self.file.name.clone(),
            line,
            column,
            policy: self.suite.suite.policy.clone(),
            name: self.case.name.clone(),
            verdict,
            notes,
            time,
            index: self.index,
        }
    }
}
