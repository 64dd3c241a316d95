//! The file in force: found, read, checked, with the place of every field.

#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use fedward_engine::{INPUT_POLICY, Ignore};
use fedward_kit::policy::Descriptor;
use fedward_kit::text::Glob;
use serde_json::{Map, Value, json};

use crate::date::is_date;
use crate::model::{Config, IgnoreConfig};
use crate::placed::{Placed, escape};
use crate::words::did_you_mean;
use crate::{ConfigError, find};

/// A configuration with its file.
#[derive(Debug, Default)]
pub struct Loaded {
    /// What it says; everything is left out where there is no file.
    pub config: Config,
    /// Where it was read, if anywhere.
    pub file: Option<PathBuf>,
    text: Option<Placed>,
}

/// Where the module behind a reference is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ModulePlace {
    /// A built-in policy, by id.
    Builtin(String),
    /// A file.
    File(PathBuf),
}

impl Loaded {
    /// The file that is named, or else the nearest `fedward.yaml` upwards from the first path, but not above the root of its repository
    /// or, without one, the working directory.
    ///
    /// `policies` are all that there are, the reader's own among them.
    ///
    /// # Errors
    /// A file that cannot be read, does not parse, does not fit, or names what does not exist.
    pub fn find(named: Option<&Path>, paths: &[PathBuf], policies: &[Descriptor]) -> Result<Self, ConfigError> {
        let Some(file) = named.map(Path::to_owned).or_else(|| find::nearest(paths)) else { return Ok(Self::default()) };
        let text = Placed::read(&file)?;
        let loaded = Loaded { config: text.get()?, file: Some(file), text: Some(text) };
        let mistakes = loaded.mistakes(policies);
        if mistakes.is_empty() { Ok(loaded) } else { Err(ConfigError(mistakes)) }
    }

    /// The folder of the file, to which its paths are relative.
    pub fn folder(&self) -> Option<&Path> {
        let folder = self.file.as_deref()?.parent()?;
        Some(if folder.as_os_str().is_empty() { Path::new(".") } else { folder })
    }

    /// Further files and folders that rules may look at.
    pub fn context(&self) -> Vec<PathBuf> {
        let folder = self.folder().filter(|folder| *folder != Path::new(".")).unwrap_or(Path::new(""));
        self.config.context.iter().map(|path| folder.join(path)).collect()
    }

    /// Where the modules of policy manifests are.
    pub fn modules(&self, policies: &[Descriptor]) -> Vec<(String, ModulePlace)> {
        let folder = self.folder().filter(|folder| *folder != Path::new(".")).unwrap_or(Path::new(""));
        let place = |text: &String| match policies.iter().find(|policy| policy.id == text) {
            Some(policy) => ModulePlace::Builtin(policy.id.to_owned()),
            None => ModulePlace::File(folder.join(text)),
        };
        self.config.modules.iter().map(|(reference, text)| (reference.clone(), place(text))).collect()
    }

    /// The place of a field, or of its nearest parent that is there, as `name:line:column`; empty without a file.
    pub fn at(&self, pointer: &str) -> String {
        self.text.as_ref().map_or(String::new(), |text| text.at(pointer))
    }

    /// The ignore entries with their places.
    pub fn ignores(&self) -> Vec<Ignore> {
        let Some(text) = &self.text else { return Vec::new() };
        let entry = |(index, entry): (usize, &IgnoreConfig)| Ignore {
            rule: entry.rule.clone(),
            path: entry.path.clone().map(Glob::new),
            object: entry.object.clone().map(Glob::new),
            reason: entry.reason.clone(),
            expires: entry.expires.clone(),
            source: Arc::clone(text.source()),
            span: text.span(&format!("/ignore/{index}")),
        };
        self.config.ignore.iter().enumerate().map(entry).collect()
    }

    /// The settings that a policy gets: its own, with the severities of the top level.
    pub fn settings(&self, policy: &Descriptor) -> Map<String, Value> {
        let mut settings = self.config.policies.get(policy.id).map(|own| own.settings.clone()).unwrap_or_default();
        let own = self.config.severities.iter().filter(|(rule, _)| policy.rules.iter().any(|known| known.id == **rule));
        let own: Map<String, Value> = own.filter_map(|(rule, level)| Some((rule.clone(), serde_json::to_value(level).ok()?))).collect();
        if !own.is_empty() {
            let severities = settings.entry("severities").or_insert_with(|| json!({}));
            if let Some(severities) = severities.as_object_mut() {
                severities.extend(own);
            }
        }
        settings
    }

    /// A mistake in the settings of a policy, as the policy tells it (`settings.field.0: what`), on its place: in `file`, settings of
    /// the command line that are laid over these, or here.
    pub fn mistake(&self, policy: &str, file: Option<&Placed>, told: &str) -> String {
        let (path, what) = told.split_once(": ").unwrap_or(("", told));
        let Some(path) = path.strip_prefix("settings") else { return format!("policy `{policy}`: {told}") };
        let mut in_file: Vec<&str> = path.split('.').collect();
        if in_file.len() == 1 {
            in_file = vec![""];
        }
        let pointer = in_file.join("/");
        let top = pointer.split('/').nth(1).map(|field| format!("/{field}")).unwrap_or_default();
        let own = format!("/policies/{}/settings{pointer}", escape(policy));
        let severity = pointer.strip_prefix("/severities").map(|rest| format!("/severities{rest}")).unwrap_or_default();
        let here = self.text.as_ref();
        let place = match (file, here) {
            (Some(file), _) if file.has(&top) => file.at(&pointer),
            (_, Some(here)) if !severity.is_empty() && here.has(&severity) => here.at(&severity),
            (_, Some(here)) if here.has(&format!("/policies/{}/settings", escape(policy))) => here.at(&own),
            (Some(file), _) => file.at(&pointer),
            (_, Some(here)) => here.at(&own),
            (None, None) => return format!("policy `{policy}`: {told}"),
        };
        let field = path.trim_start_matches('.').replace("~1", "/").replace("~0", "~");
        let field = if field.is_empty() { String::new() } else { format!("`{field}`: ") };
        format!("{place}: settings of `{policy}`: {field}{what}")
    }

    /// What is wrong beyond the form.
    fn mistakes(&self, policies: &[Descriptor]) -> Vec<String> {
        let Some(text) = &self.text else { return Vec::new() };
        let mut wrong = Vec::new();
        let mut add = |pointer: &str, what: String| wrong.push(format!("{}: {what}", text.at(pointer)));
        let ids = || policies.iter().map(|policy| policy.id).filter(|id| *id != INPUT_POLICY);
        let rules = || policies.iter().flat_map(|policy| policy.rules.iter().map(|rule| rule.id));
        let no_rule = |rule: &str| format!("no such rule: `{rule}`{}", did_you_mean(rule, rules()));
        for id in self.config.policies.keys() {
            let pointer = format!("/policies/{}", escape(id));
            if id == INPUT_POLICY {
                add(&pointer, format!("the rules of `{INPUT_POLICY}` always run and have no settings; `severities` has their severities"));
            } else if !ids().any(|known| known == id) {
                add(&pointer, format!("no such policy: `{id}`{}", did_you_mean(id, ids())));
            }
        }
        for rule in self.config.severities.keys().filter(|rule| !rules().any(|known| known == **rule)) {
            add(&format!("/severities/{}", escape(rule)), no_rule(rule));
        }
        if self.config.namespace.as_deref().is_some_and(|namespace| !is_namespace(namespace)) {
            add("/namespace", NAMESPACE.to_owned());
        }
        if self.config.limits.depth.is_some_and(|depth| depth > MAX_DEPTH) {
            add("/limits/depth", format!("at most {MAX_DEPTH}: modules read nothing deeper"));
        }
        for (index, path) in self.context().iter().enumerate() {
            if let Err(error) = path.metadata() {
                add(&format!("/context/{index}"), format!("cannot read `{}`: {}", path.display(), crate::words::io(&error)));
            }
        }
        for (reference, place) in self.modules(policies) {
            if let ModulePlace::File(path) = place
                && let Err(error) = path.metadata()
            {
                let what = format!("no built-in policy, and cannot read `{}`: {}", path.display(), crate::words::io(&error));
                add(&format!("/modules/{}", escape(&reference)), what);
            }
        }
        for (index, entry) in self.config.ignore.iter().enumerate() {
            let pointer = |field: &str| format!("/ignore/{index}/{field}");
            if !rules().any(|known| known == entry.rule) {
                add(&pointer("rule"), no_rule(&entry.rule));
            }
            if entry.reason.trim().is_empty() {
                add(&pointer("reason"), "an ignore entry needs a reason".to_owned());
            }
            if entry.expires.as_deref().is_some_and(|date| !is_date(date)) {
                add(&pointer("expires"), "`expires` is a date of the form YYYY-MM-DD".to_owned());
            }
        }
        wrong
    }
}

/// Modules read JSON of 128 levels, a few of which are the request's own. Much deeper texts would exhaust the stack.
const MAX_DEPTH: usize = 120;

const NAMESPACE: &str =
    "a namespace has lower-case letters, digits and `-`, with a letter or digit at both ends, and at most 63 characters";

/// Whether a text can be the name of a namespace: a label of RFC 1123.
pub fn is_namespace(text: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=63).contains(&text.len()) && text.bytes().all(inner) && !text.starts_with('-') && !text.ends_with('-')
}
