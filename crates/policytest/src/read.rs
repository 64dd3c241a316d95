//! Case files: read, and checked beyond their form.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use fedward_config::{ConfigError, Placed, is_namespace, words};
use fedward_manifest::Source;

use crate::model::{Case, Given, Suite};

/// A case file.
#[derive(Debug)]
pub struct CaseFile {
    /// Its path as outputs show it.
    pub name: String,
    /// Its documents, in their order.
    pub suites: Vec<PlacedSuite>,
    /// Whether it was named itself, and not met in a folder: then it has to have cases.
    pub is_named: bool,
    /// What is wrong with it, a line each; it runs no case then.
    pub mistakes: Vec<String>,
}

/// A document of a case file, with the place of every field.
#[derive(Debug)]
pub struct PlacedSuite {
    /// What it says.
    pub suite: Suite,
    pub(crate) text: Placed,
}

/// A case file is no larger.
const MAX_BYTES: usize = 16 << 20;
/// Cases of one file at most.
const MAX_CASES: usize = 10_000;
/// Findings that a case expects at most: every one is held against every one that is found.
const MAX_FINDINGS: usize = 1_000;

impl CaseFile {
    /// Reads one. `name` is its path.
    ///
    /// # Errors
    /// Everything that is wrong with it, with line and column.
    pub fn read(name: &str, bytes: Vec<u8>) -> Result<Self, ConfigError> {
        if bytes.len() > MAX_BYTES {
            return Err(ConfigError(vec![format!("{name}: larger than {} MiB", MAX_BYTES >> 20)]));
        }
        let mut suites = Vec::new();
        let mut wrong = Vec::new();
        let mut count = 0;
        for placed in Placed::documents(name, bytes)? {
            match placed.get::<Suite>() {
                Ok((suite, text)) => {
                    count += suite.cases.len();
                    let placed = PlacedSuite { suite, text };
                    wrong.extend(placed.mistakes());
                    suites.push(placed);
                }
                Err(ConfigError(told)) => wrong.extend(told),
            }
        }
        if count > MAX_CASES {
            wrong.push(format!("{name}: more than {MAX_CASES} cases"));
        }
        if !wrong.is_empty() {
            return Err(ConfigError(wrong));
        }
        Ok(CaseFile { name: name.to_owned(), suites, is_named: false, mistakes: Vec::new() })
    }

    /// The files and folders that its cases name, whether they are there or not: of a module that is built in, a name that no file has.
    pub fn paths(&self) -> impl Iterator<Item = PathBuf> {
        let folder = Path::new(&self.name).parent().unwrap_or(Path::new(""));
        let named = self.suites.iter().flat_map(|placed| {
            let given =
                placed.suite.cases.iter().flat_map(|case| case.objects.iter().chain(&case.context).chain(&case.old).chain(&case.request));
            let paths = given.filter_map(|given| if let Given::Path(path) = given { Some(path.as_str()) } else { None });
            let policy = placed.suite.policy.as_str();
            paths.chain([policy.strip_prefix("file://").unwrap_or(policy)])
        });
        named.map(|path| folder.join(path))
    }

    /// One with mistakes: it runs no case, and fails.
    pub fn mistaken(name: &str, ConfigError(mistakes): ConfigError) -> Self {
        CaseFile { name: name.to_owned(), suites: Vec::new(), is_named: true, mistakes }
    }

    /// Line and column of the first mistake.
    pub(crate) fn first_mistake(&self) -> (u32, u32) {
        let place = self.mistakes.first().and_then(|told| told.strip_prefix(self.name.as_str())?.strip_prefix(':'));
        let mut numbers = place.into_iter().flat_map(|place| place.split(':')).map_while(|number| number.parse().ok());
        (numbers.next().unwrap_or(1), numbers.next().unwrap_or(1))
    }

    /// How many cases there are.
    pub fn len(&self) -> usize {
        self.suites.iter().map(|suite| suite.suite.cases.len()).sum()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// What the policy of a suite is.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Subject {
    /// A built-in policy or another module, by its reference.
    Module(String),
    /// A file with manifests, or a folder of such, by its path.
    Manifests(String),
}

impl Suite {
    pub(crate) fn subject(&self) -> Subject {
        let policy = self.policy.as_str();
        let has = |extension: &str| policy.ends_with(extension);
        if policy.contains("://") {
            Subject::Module(policy.to_owned())
        } else if has(".wasm") {
            Subject::Module(format!("file://{policy}"))
        } else if has(".yaml") || has(".yml") || has(".json") || has("/") || policy.starts_with(['.', '/']) {
            Subject::Manifests(policy.to_owned())
        } else {
            Subject::Module(format!("registry://{policy}"))
        }
    }

    /// Whether its cases are for a raw policy.
    pub(crate) fn is_raw(&self) -> bool {
        self.cases.iter().any(|case| case.raw.is_some())
    }
}

impl PlacedSuite {
    pub(crate) fn source(&self) -> &Arc<Source> {
        self.text.source()
    }

    /// Line and column of a field, or of its nearest parent that is there.
    pub(crate) fn position(&self, pointer: &str) -> (u32, u32) {
        let at = self.text.source().position(self.text.span(pointer).start);
        (at.line, at.column)
    }

    /// What is wrong beyond the form.
    fn mistakes(&self) -> Vec<String> {
        let suite = &self.suite;
        let mut wrong: Vec<(String, String)> = Vec::new();
        let mut add = |pointer: String, what: &str| wrong.push((pointer, what.to_owned()));
        let ids = || fedward_modules::ALL.iter().chain([&fedward_modules::SUITE]).map(|builtin| builtin.id);
        if suite.policy.trim().is_empty() {
            add("/policy".to_owned(), "a policy is required");
        } else if !suite.policy.contains(['/', '.']) && !ids().any(|id| id == suite.policy) {
            let hint = words::did_you_mean(&suite.policy, ids());
            add(
                "/policy".to_owned(),
                &format!("no such built-in policy: `{}`{hint}; a file needs its extension, a folder its `/`", suite.policy),
            );
        }
        let manifests = matches!(suite.subject(), Subject::Manifests(_));
        if suite.settings.is_some() && manifests {
            add("/settings".to_owned(), "the manifests have settings of their own");
        }
        let mut names = HashSet::new();
        for (index, case) in suite.cases.iter().enumerate() {
            let at = format!("/cases/{index}");
            if case.name.trim().is_empty() {
                add(format!("{at}/name"), "a name is required");
            } else if !names.insert(case.name.as_str()) {
                add(format!("{at}/name"), "another case of the suite has this name");
            }
            if case.settings.is_some() && manifests {
                add(format!("{at}/settings"), "the manifests have settings of their own");
            }
            if case.raw.is_some() && manifests {
                add(format!("{at}/raw"), "raw policies are tested by their modules");
            } else if case.raw.is_none() && suite.is_raw() && case.asks() {
                add(at.clone(), "the cases of a suite are for a raw policy (`raw`) all, or none");
            }
            for (field, what) in case.conflicts() {
                add(format!("{at}/{field}"), &what);
            }
            if !case.asks() && !case.is_about_settings() {
                let nothing = ["objects", "old"].into_iter().find(|field| self.text.has(&format!("{at}/{field}")));
                match nothing {
                    Some(field) => add(format!("{at}/{field}"), &format!("`{field}` has nothing in it")),
                    None => add(at, "`objects`, `old`, `request` or `raw` is required"),
                }
            }
        }
        let mut told: Vec<(u32, String)> = wrong
            .into_iter()
            .map(|(pointer, what)| (self.text.span(&pointer).start, format!("{}: {what}", self.text.at(&pointer))))
            .collect();
        told.sort();
        told.into_iter().map(|(_, text)| text).collect()
    }
}

impl Case {
    /// Whether the policy is asked anything but what it says of its settings.
    fn asks(&self) -> bool {
        !self.objects.is_empty() || !self.old.is_empty() || self.request.is_some() || self.raw.is_some()
    }

    /// Whether it expects the settings to be refused, so that there is nothing to judge.
    fn is_about_settings(&self) -> bool {
        self.expect.as_ref().is_some_and(|expect| expect.invalid_settings.is_some())
    }

    /// Fields that mean nothing beside others, or that have no meaning at all.
    fn conflicts(&self) -> Vec<(&'static str, String)> {
        let mut wrong = Vec::new();
        let request = [
            ("objects", !self.objects.is_empty()),
            ("old", !self.old.is_empty()),
            ("operation", self.operation.is_some()),
            ("user", self.user.is_some()),
            ("groups", self.groups.is_some()),
            ("namespace", self.namespace.is_some()),
        ];
        let world = [
            ("request", self.request.is_some()),
            ("context", !self.context.is_empty()),
            ("closedWorld", self.closed_world),
            ("cluster", self.cluster),
        ];
        let mut beside = |fields: &[(&'static str, bool)], what: &str| {
            let given = fields.iter().filter(|(_, given)| *given);
            wrong.extend(given.map(|(field, _)| (*field, format!("`{field}` means nothing beside `{what}`"))));
        };
        if self.raw.is_some() {
            beside(&request, "raw");
            beside(&world, "raw");
        } else if self.request.is_some() {
            beside(&request, "request");
        } else if !self.old.is_empty() {
            beside(&[("operation", self.operation.is_some())], "old");
        }
        if self.namespace.as_deref().is_some_and(|namespace| !is_namespace(namespace)) {
            wrong.push(("namespace", "no name of a namespace".to_owned()));
        }
        if let Some(expect) = &self.expect {
            if expect.findings.as_ref().is_some_and(|findings| findings.len() > MAX_FINDINGS) {
                wrong.push(("expect/findings", format!("more than {MAX_FINDINGS} findings")));
            }
            if self.raw.is_some() && expect.findings.is_some() {
                wrong.push(("expect/findings", "a raw policy has no findings; `message` and `warnings` say what it says".to_owned()));
            }
            let patch = expect.patch.clone().map(serde_json::from_value::<json_patch::Patch>);
            if let Some(Err(error)) = patch {
                let what = match &expect.patch {
                    Some(patch) if !patch.is_array() => "a list of steps is required".to_owned(),
                    _ => error.to_string(),
                };
                wrong.push(("expect/patch", format!("no JSON Patch: {what}")));
            }
        }
        wrong
    }
}
