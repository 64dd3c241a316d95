//! `fedward.yaml`: what a repository says of how it is to be checked.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::{fs, io};

use anyhow::{Context as _, Result, anyhow, bail};
use fedward_engine::Ignore;
use fedward_kit::finding::Severity;
use fedward_kit::text::Glob;
use fedward_manifest::{Document, Limits, Source, Span, parse, split};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The name of the file.
pub(crate) const FILE_NAME: &str = "fedward.yaml";

/// How a repository is checked. Every field may be left out.
#[derive(Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Config {
    /// Policies by id.
    #[serde(default)]
    pub(crate) policies: BTreeMap<String, PolicyConfig>,
    /// Severities of rules of any policy, by id. They win over those in a policy's settings.
    #[serde(default)]
    pub(crate) severities: BTreeMap<String, Level>,
    /// Which files of a folder are read.
    #[serde(default)]
    pub(crate) paths: Paths,
    /// Further files and folders whose objects rules may look at, but which are not judged. Relative to this file.
    #[serde(default)]
    pub(crate) context: Vec<String>,
    /// The namespace of objects that name none.
    pub(crate) namespace: Option<String>,
    /// Whether what is not among the loaded objects does not exist.
    pub(crate) closed_world: Option<bool>,
    /// The least severity that makes the exit code 1.
    pub(crate) fail_on: Option<Level>,
    /// Bounds on what reading may cost.
    #[serde(default)]
    pub(crate) limits: LimitsConfig,
    /// Findings that do not count.
    #[serde(default)]
    pub(crate) ignore: Vec<IgnoreConfig>,
}

/// A policy.
#[derive(Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct PolicyConfig {
    /// Whether it runs.
    pub(crate) enabled: Option<bool>,
    /// Its settings, as in a ClusterAdmissionPolicy; `docs/settings.md` lists them.
    #[serde(default)]
    pub(crate) settings: serde_json::Map<String, serde_json::Value>,
}

/// A severity, or none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Level {
    Error,
    Warning,
    Info,
    Off,
}

impl Level {
    pub(crate) fn severity(self) -> Option<Severity> {
        match self {
            Level::Error => Some(Severity::Error),
            Level::Warning => Some(Severity::Warning),
            Level::Info => Some(Severity::Info),
            Level::Off => None,
        }
    }
}

/// Globs on paths relative to the folder that is walked.
#[derive(Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Paths {
    /// Only files that match one of these.
    #[serde(default)]
    pub(crate) include: Vec<String>,
    /// No files that match one of these.
    #[serde(default)]
    pub(crate) exclude: Vec<String>,
}

/// Bounds on what reading may cost; `docs/input.md` has the defaults.
#[derive(Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct LimitsConfig {
    /// Documents in one file.
    pub(crate) documents: Option<usize>,
    /// Bytes of one document.
    pub(crate) document_bytes: Option<usize>,
    /// Values in one document.
    pub(crate) nodes: Option<usize>,
    /// Collections in one another.
    pub(crate) depth: Option<usize>,
    /// Values that aliases may expand to.
    pub(crate) alias_nodes: Option<usize>,
    /// Objects in one run.
    pub(crate) objects: Option<usize>,
}

impl LimitsConfig {
    pub(crate) fn apply(&self, limits: &mut Limits, objects: &mut usize) {
        let fields = [
            (&mut limits.documents, self.documents),
            (&mut limits.document_bytes, self.document_bytes),
            (&mut limits.nodes, self.nodes),
            (&mut limits.depth, self.depth),
            (&mut limits.alias_nodes, self.alias_nodes),
            (objects, self.objects),
        ];
        for (field, value) in fields {
            *field = value.unwrap_or(*field);
        }
    }
}

/// A finding, or several, that do not count.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct IgnoreConfig {
    /// The rule's id.
    pub(crate) rule: String,
    /// Which files; `*` stands for any text.
    pub(crate) path: Option<String>,
    /// Which objects, as `Kind namespace/name`; `*` stands for any text.
    pub(crate) object: Option<String>,
    /// Why it is right here.
    pub(crate) reason: String,
    /// The last day on which the entry applies, `YYYY-MM-DD`.
    pub(crate) expires: Option<String>,
}

/// A configuration with its file.
#[derive(Debug, Default)]
pub(crate) struct Loaded {
    pub(crate) config: Config,
    /// Where it was read, if anywhere.
    pub(crate) file: Option<PathBuf>,
    source: Option<Arc<Source>>,
    document: Option<Document>,
}

impl Loaded {
    /// The file that is named, or `fedward.yaml` in the first folder that is checked.
    ///
    /// # Errors
    /// A file that cannot be read, does not parse or does not fit.
    pub(crate) fn find(named: Option<&Path>, paths: &[PathBuf]) -> Result<Self> {
        if let Some(file) = named {
            return Self::read(file);
        }
        let folder = paths.iter().find(|path| path.is_dir());
        let Some(file) = folder.map(|folder| folder.join(FILE_NAME)) else { return Ok(Self::default()) };
        if file.is_file() { Self::read(&file) } else { Ok(Self::default()) }
    }

    fn read(file: &Path) -> Result<Self> {
        let shown = file.display().to_string();
        let bytes = fs::read(file).map_err(|error| {
            if error.kind() == io::ErrorKind::NotFound {
                anyhow!("no such file: `{shown}`")
            } else {
                anyhow!("cannot read `{shown}`: {error}")
            }
        })?;
        let source = Arc::new(Source::new(shown.as_str(), bytes).with_context(|| format!("`{shown}`"))?);
        let limits = Limits::default();
        let mut document = None;
        for chunk in split(&source, &limits).chunks {
            let parsed = parse(&source, chunk, &limits);
            if let Some(problem) = parsed.problems.first() {
                let at = source.position(problem.span.start);
                bail!("{shown}:{}:{}: {}", at.line, at.column, problem.message);
            }
            if let Some(found) = parsed.document.filter(|document| !document.is_empty()) {
                if document.is_some() {
                    bail!("{shown}: more than one document");
                }
                document = Some(found);
            }
        }
        let config: Config = match &document {
            Some(document) => {
                let mut json = Vec::new();
                document.root().write_json(&mut json);
                serde_json::from_slice(&json).map_err(|error| anyhow!("{shown}: {}", plain(&error)))?
            }
            None => Config::default(),
        };
        let loaded = Loaded { config, file: Some(file.to_owned()), source: Some(source), document };
        loaded.validate(&shown)?;
        Ok(loaded)
    }

    fn validate(&self, shown: &str) -> Result<()> {
        let mut wrong = Vec::new();
        for (index, entry) in self.config.ignore.iter().enumerate() {
            let line = self.line(&format!("/ignore/{index}"));
            if entry.reason.trim().is_empty() {
                wrong.push(format!("{shown}:{line}: an ignore entry needs a reason"));
            }
            if entry.expires.as_deref().is_some_and(|date| !is_date(date)) {
                wrong.push(format!("{shown}:{line}: `expires` is a date of the form YYYY-MM-DD"));
            }
        }
        for policy in self.config.policies.keys().filter(|id| fedward_modules::find(id).is_none()) {
            wrong.push(format!("{shown}:{}: no such policy: `{policy}`", self.line(&format!("/policies/{policy}"))));
        }
        let rules = all_rules();
        for rule in self.config.severities.keys().filter(|rule| !rules.contains(rule)) {
            let near = fedward_kit::suggest::nearest(rule, rules.iter().map(String::as_str))
                .map_or(String::new(), |near| format!(" (did you mean `{near}`?)"));
            wrong.push(format!("{shown}:{}: no such rule: `{rule}`{near}", self.line(&format!("/severities/{rule}"))));
        }
        if wrong.is_empty() { Ok(()) } else { bail!("{}", wrong.join("\n")) }
    }

    fn span(&self, pointer: &str) -> Span {
        self.document.as_ref().map_or(Span::at(0), |document| document.root().pointer(pointer).node.place())
    }

    /// The line of a place in the file; 1 where there is none.
    pub(crate) fn line(&self, pointer: &str) -> u32 {
        self.source.as_ref().map_or(1, |source| source.position(self.span(pointer).start).line)
    }

    /// The ignore entries with their places.
    pub(crate) fn ignores(&self) -> Vec<Ignore> {
        let Some(source) = &self.source else { return Vec::new() };
        let entry = |(index, entry): (usize, &IgnoreConfig)| Ignore {
            rule: entry.rule.clone(),
            path: entry.path.clone().map(Glob::new),
            object: entry.object.clone().map(Glob::new),
            reason: entry.reason.clone(),
            expires: entry.expires.clone(),
            source: Arc::clone(source),
            span: self.span(&format!("/ignore/{index}")),
        };
        self.config.ignore.iter().enumerate().map(entry).collect()
    }

    /// The settings that a policy gets: its own, with the severities of the top level.
    pub(crate) fn settings(&self, policy: &str, rules: &[&str]) -> serde_json::Map<String, serde_json::Value> {
        let mut settings = self.config.policies.get(policy).map(|policy| policy.settings.clone()).unwrap_or_default();
        let own = self.config.severities.iter().filter(|(rule, _)| rules.contains(&rule.as_str()));
        let own: serde_json::Map<String, serde_json::Value> =
            own.filter_map(|(rule, level)| Some((rule.clone(), serde_json::to_value(level).ok()?))).collect();
        if !own.is_empty() {
            let severities = settings.entry("severities").or_insert_with(|| serde_json::json!({}));
            if let Some(severities) = severities.as_object_mut() {
                severities.extend(own);
            }
        }
        settings
    }
}

/// Every rule that there is.
pub(crate) fn all_rules() -> Vec<String> {
    let policies = fedward_modules::ALL.iter().flat_map(|builtin| builtin.policy.describe().rules).map(|rule| rule.id.to_owned());
    let mut rules: Vec<String> = policies.chain(fedward_engine::INPUT_RULES.iter().map(|rule| rule.id.to_owned())).collect();
    rules.sort();
    rules.dedup();
    rules
}

/// serde's words without its place, which counts in JSON that nobody wrote.
fn plain(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.split(" at line ").next().unwrap_or_default().to_owned()
}

fn is_date(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.len() == 10
        && bytes.iter().enumerate().all(|(index, byte)| if matches!(index, 4 | 7) { *byte == b'-' } else { byte.is_ascii_digit() })
}

/// Today in UTC, `YYYY-MM-DD`.
pub(crate) fn today() -> String {
    let seconds = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let (year, month, day) = civil(seconds / 86_400);
    format!("{year:04}-{month:02}-{day:02}")
}

/// The Gregorian date of a day since 1970-01-01.
fn civil(days: u64) -> (u64, u64, u64) {
    // Years are counted from March, so that the leap day is the last of its year; 719,468 days lie between 0000-03-01 and 1970-01-01.
    let days = days + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    (era * 400 + year_of_era + u64::from(month <= 2), month, day_of_year - (153 * shifted + 2) / 5 + 1)
}

#[cfg(test)]
mod tests {
    use super::civil;

    #[test]
    fn dates() {
        assert_eq!(civil(0), (1970, 1, 1));
        assert_eq!(civil(11_016), (2000, 2, 29));
        assert_eq!(civil(20_779), (2026, 11, 22));
    }
}
