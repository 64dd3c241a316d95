//! The file in force: found, read, checked, with the place of every field.

#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use fedward_engine::{Ignore, SUITE};
use fedward_kit::policy::Descriptor;
use fedward_kit::text::Glob;
use fedward_manifest::{Entry, Kind, Node};
use serde_json::{Map, Value, json};

use crate::date::is_date;
use crate::model::{Config, IgnoreConfig};
use crate::placed::{Mistake, Placed, escape};
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
    /// The folder of the file, to which its paths are relative.
    pub fn folder(&self) -> Option<&Path> {
        let folder = self.file.as_deref()?.parent()?;
        Some(if folder.as_os_str().is_empty() { Path::new(".") } else { folder })
    }

    /// Further files and folders that rules may look at.
    pub fn context(&self) -> Vec<PathBuf> {
        self.config.context.iter().map(|path| self.beside(path)).collect()
    }

    /// Where the modules of policy manifests are.
    pub fn modules(&self, policies: &[Descriptor]) -> Vec<(String, ModulePlace)> {
        let is_builtin = |text: &str| text == SUITE || policies.iter().any(|policy| policy.id == text);
        let place =
            |text: &String| if is_builtin(text) { ModulePlace::Builtin(text.clone()) } else { ModulePlace::File(self.beside(text)) };
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

    /// What is wrong beyond the form. This goes by the text, where everything still stands that did not fit.
    fn mistakes(&self, policies: &[Descriptor]) -> Vec<Mistake> {
        let Some((text, root)) = self.text.as_ref().and_then(|text| Some((text, text.root()?))) else { return Vec::new() };
        let mut wrong = Vec::new();
        let mut add = |node: Node<'_>, what: &str| wrong.push(text.wrong(node.place(), what));
        // Every policy has settings; a list of native rules has none.
        let ids = || policies.iter().filter(|policy| !policy.settings.is_empty()).map(|policy| policy.id);
        let is_native = |id: &str| policies.iter().any(|policy| policy.id == id && policy.settings.is_empty());
        let rules = || policies.iter().flat_map(|policy| policy.rules.iter().map(|rule| rule.id));
        let no_rule = |rule: &str| format!("no such rule: `{rule}`{}", did_you_mean(rule, rules()));
        let entries = |field: &str| root.get(field).into_iter().flat_map(Node::entries);
        for Entry { key: id, value } in entries("policies") {
            if is_native(id) {
                add(value, &format!("the rules of `{id}` are no policy and have no settings; `severities` has their severities"));
            } else if !ids().any(|known| known == id) {
                add(value, &format!("no such policy: `{id}`{}", did_you_mean(id, ids())));
            }
        }
        for Entry { key: rule, value } in entries("severities").filter(|entry| !rules().any(|known| known == entry.key)) {
            add(value, &no_rule(rule));
        }
        for list in ["include", "exclude"] {
            for item in items(root.get("paths").and_then(|paths| paths.get(list))) {
                if let Some(Err(error)) = item.as_str().map(globset::Glob::new) {
                    add(item, &format!("no glob: {}", error.kind()));
                }
            }
        }
        for Entry { key: reference, value } in entries("modules") {
            let Some(place) = value.as_str().filter(|place| !ids().chain([SUITE]).any(|known| known == *place)) else { continue };
            let path = self.beside(place);
            if let Err(error) = path.metadata() {
                let what = format!("`{reference}`: no built-in policy, and cannot read `{}`: {}", path.display(), crate::words::io(&error));
                add(value, &what);
            }
        }
        if let Some(namespace) = root.get("namespace").filter(|node| node.as_str().is_some_and(|name| !is_namespace(name))) {
            add(namespace, NAMESPACE);
        }
        let is_deep = |depth: &Node<'_>| match depth.kind() {
            Kind::Int(depth) => depth > MAX_DEPTH,
            kind => matches!(kind, Kind::Uint(_)),
        };
        if let Some(depth) = root.get("limits").and_then(|limits| limits.get("depth")).filter(is_deep) {
            add(depth, &format!("at most {MAX_DEPTH}: modules read nothing deeper"));
        }
        for item in items(root.get("context")) {
            let path = item.as_str().map(|path| self.beside(path));
            if let Some((path, Err(error))) = path.map(|path| (path.clone(), path.metadata())) {
                add(item, &format!("cannot read `{}`: {}", path.display(), crate::words::io(&error)));
            }
        }
        for entry in items(root.get("ignore")) {
            let field = |name| entry.get(name).and_then(|node| Some((node, node.as_str()?)));
            if let Some((node, rule)) = field("rule").filter(|(_, rule)| !rules().any(|known| known == *rule)) {
                add(node, &no_rule(rule));
            }
            if let Some((node, _)) = field("reason").filter(|(_, reason)| reason.trim().is_empty()) {
                add(node, "an ignore entry needs a reason");
            }
            if let Some((node, _)) = field("expires").filter(|(_, date)| !is_date(date)) {
                add(node, "`expires` is a date of the form YYYY-MM-DD");
            }
        }
        wrong
    }

    /// A path of the file.
    fn beside(&self, path: &str) -> PathBuf {
        self.folder().filter(|folder| *folder != Path::new(".")).unwrap_or(Path::new("")).join(path)
    }
}

/// A configuration that may have mistakes. Its policies can be asked about their settings all the same, so that all mistakes are told at
/// once.
#[derive(Debug, Default)]
pub struct Draft {
    loaded: Loaded,
    mistakes: Vec<Mistake>,
}

impl Draft {
    /// The file that is named, or else the nearest `fedward.yaml` upwards from the first path, but not above the root of its repository
    /// or, without one, the working directory.
    ///
    /// `policies` are all that there are, lists of native rules among them: those are the ones without settings.
    ///
    /// # Errors
    /// A file that cannot be read, or does not parse.
    pub fn find(named: Option<&Path>, paths: &[PathBuf], policies: &[Descriptor]) -> Result<Self, ConfigError> {
        let Some(file) = named.map(Path::to_owned).or_else(|| find::nearest(paths)) else { return Ok(Self::default()) };
        Ok(Self::new(Placed::read(&file)?, file, policies))
    }

    fn new(mut text: Placed, file: PathBuf, policies: &[Descriptor]) -> Self {
        let (config, mut mistakes) = text.fit();
        let loaded = Loaded { config, file: Some(file), text: Some(text) };
        mistakes.extend(loaded.mistakes(policies));
        Draft { loaded, mistakes }
    }

    /// What it says, as far as it fits.
    pub fn loaded(&self) -> &Loaded {
        &self.loaded
    }

    /// The configuration, if nothing is wrong with it.
    ///
    /// # Errors
    /// What does not fit, or names what does not exist; and `settings`, what policies say of theirs.
    pub fn finish(self, settings: Vec<String>) -> Result<Loaded, ConfigError> {
        let mut told = Mistake::texts(self.mistakes);
        told.extend(settings);
        if told.is_empty() { Ok(self.loaded) } else { Err(ConfigError(told)) }
    }
}

/// The items of a list, if there is one.
fn items(node: Option<Node<'_>>) -> impl Iterator<Item = Node<'_>> {
    node.into_iter().filter(|node| node.is_seq()).flat_map(Node::items)
}

/// Modules read JSON of 128 levels, a few of which are the request's own. Much deeper texts would exhaust the stack.
const MAX_DEPTH: i64 = 120;

const NAMESPACE: &str =
    "a namespace has lower-case letters, digits and `-`, with a letter or digit at both ends, and at most 63 characters";

/// Whether a text can be the name of a namespace: a label of RFC 1123.
pub fn is_namespace(text: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=63).contains(&text.len()) && text.bytes().all(inner) && !text.starts_with('-') && !text.ends_with('-')
}
