//! Rules about the repository itself, native and without settings: policy `argocd-repository`. A file each, with its page.

mod bad_release_name;
mod directory_over_tool;
mod excluded_kind;
mod forbidden_by_project;
mod ignored_git_files;
mod ignored_template_field;
mod malformed_project;
mod missing_values_files;
mod misspelt_project;
mod non_string_metadata;
mod object_of_two_applications;
mod repeated_object;
mod shadowed_helm_values;
mod silently_ignored_manifest;
mod stray_link;
mod templated_project;
mod unknown_build_variable;
mod unknown_sync_word;
mod unrenderable_application;
mod unresolved_template_tag;
mod unstrict_go_template;
mod unusable_application_set;
mod unused_source_ref;
mod wrong_generate_paths;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use fedward_kit::finding::ObjectId;
use fedward_kit::policy::RuleDescriptor;
use fedward_kit::rule::Condition;
use fedward_manifest::{Node, Source, Span};
use fedward_outcome::{Finding, Location, Native, NativeFinding, Related};

use crate::discovery::Discovery;
use crate::place::Place;
use crate::repositories::Repositories;
use crate::value::Value;

pub(crate) use misspelt_project::{DEFAULT as DEFAULT_PROJECT, meant as meant_project};
pub(crate) use stray_link::REASON as STRAY_LINK;

/// The id under which these rules are listed.
pub const POLICY: &str = "argocd-repository";

/// One line about them.
pub const SUMMARY: &str = "what Argo CD makes of a repository is what was meant";

/// How a rule looks at what was discovered.
type Run = fn(&Check<'_>) -> Vec<Report>;

/// The rules.
const ALL: [(RuleDescriptor, Run); 24] = [
    (bad_release_name::RULE, bad_release_name::check),
    (directory_over_tool::RULE, directory_over_tool::check),
    (excluded_kind::RULE, excluded_kind::check),
    (forbidden_by_project::RULE, forbidden_by_project::check),
    (ignored_git_files::RULE, ignored_git_files::check),
    (ignored_template_field::RULE, ignored_template_field::check),
    (malformed_project::RULE, malformed_project::check),
    (missing_values_files::RULE, missing_values_files::check),
    (misspelt_project::RULE, misspelt_project::check),
    (non_string_metadata::RULE, non_string_metadata::check),
    (object_of_two_applications::RULE, object_of_two_applications::check),
    (repeated_object::RULE, repeated_object::check),
    (shadowed_helm_values::RULE, shadowed_helm_values::check),
    (silently_ignored_manifest::RULE, silently_ignored_manifest::check),
    (stray_link::RULE, stray_link::check),
    (templated_project::RULE, templated_project::check),
    (unknown_build_variable::RULE, unknown_build_variable::check),
    (unknown_sync_word::RULE, unknown_sync_word::check),
    (unrenderable_application::RULE, unrenderable_application::check),
    (unresolved_template_tag::RULE, unresolved_template_tag::check),
    (unstrict_go_template::RULE, unstrict_go_template::check),
    (unusable_application_set::RULE, unusable_application_set::check),
    (unused_source_ref::RULE, unused_source_ref::check),
    (wrong_generate_paths::RULE, wrong_generate_paths::check),
];

/// The rules, without their code.
#[must_use]
pub fn descriptors() -> Vec<RuleDescriptor> {
    ALL.into_iter().map(|(rule, _)| rule).collect()
}

/// What the rules look at.
struct Check<'a> {
    discovery: &'a Discovery,
    repositories: &'a Repositories,
}

/// A finding in the making.
struct Report {
    condition: &'static Condition,
    place: Spot,
    message: String,
    help: String,
    related: Vec<(Place, String)>,
    leaves_unjudged: bool,
}

/// Where a finding is.
enum Spot {
    /// A value.
    Place(Place),
    /// A whole file, by the name that outputs give it.
    File(String),
}

impl Report {
    fn at(condition: &'static Condition, place: &Place, message: impl Into<String>) -> Self {
        Report {
            condition,
            place: Spot::Place(place.clone()),
            message: message.into(),
            help: String::new(),
            related: Vec::new(),
            leaves_unjudged: false,
        }
    }

    fn on_file(condition: &'static Condition, file: &str, message: impl Into<String>) -> Self {
        Report {
            condition,
            place: Spot::File(file.to_owned()),
            message: message.into(),
            help: String::new(),
            related: Vec::new(),
            leaves_unjudged: false,
        }
    }

    fn help(mut self, help: impl Into<String>) -> Self {
        self.help = help.into();
        self
    }

    /// Nothing of an Application, or of a set, is judged because of this.
    fn leaves_unjudged(mut self) -> Self {
        self.leaves_unjudged = true;
        self
    }

    fn related(mut self, place: &Place, message: impl Into<String>) -> Self {
        self.related.push((place.clone(), message.into()));
        self
    }
}

/// What is wrong with a repository, in the order of its files, for a host that gives severities and applies ignore entries. A rule that is
/// not `on` takes no finding's place; what it finds is still there, since something may be left unjudged because of it.
#[must_use]
pub fn native(discovery: &Discovery, repositories: &Repositories, on: &dyn Fn(&str) -> bool) -> Native {
    let check = Check { discovery, repositories };
    let mut findings: Vec<NativeFinding> = Vec::new();
    let mut met = HashSet::new();
    for (rule, run) in ALL {
        for found in run(&check).into_iter().filter_map(|report| finding(&rule, report)) {
            // Applications of one set have their mistakes in one template.
            let finding = &found.finding;
            let key = (finding.rule.clone(), Arc::clone(finding.location.source.name()), finding.location.span, finding.message.clone());
            if met.insert(key) {
                findings.push(found);
            }
        }
    }
    supersede(&mut findings, on);
    findings.sort_by(|NativeFinding { finding: left, .. }, NativeFinding { finding: right, .. }| {
        let key = |finding: &Finding| (Arc::clone(finding.location.source.name()), finding.location.span);
        key(left).cmp(&key(right)).then_with(|| left.rule.cmp(&right.rule)).then_with(|| left.message.cmp(&right.message))
    });
    Native { rules: ALL.iter().map(|(rule, _)| rule.id).collect(), findings }
}

fn finding(rule: &RuleDescriptor, report: Report) -> Option<NativeFinding> {
    let (location, object) = match &report.place {
        Spot::Place(place) => written_at(place),
        Spot::File(file) => {
            let source = Source::from_text(file.as_str(), String::new()).ok()?;
            (Location { source: Arc::new(source), span: Span::at(0), pointer: String::new() }, None)
        }
    };
    let finding = Finding {
        rule: rule.id.to_owned(),
        condition: report.condition.name.to_owned(),
        policy: POLICY.to_owned(),
        severity: report.condition.severity,
        message: report.message,
        help: report.help,
        docs: format!("docs/rules/{}.md", rule.id),
        related: report.related.into_iter().map(|(place, message)| Related { location: located(&place, String::new()), message }).collect(),
        location,
        related_more: 0,
        object,
        fix: Vec::new(),
        edits: Vec::new(),
        suppressed: None,
        rendered: None,
        manifests: Vec::new(),
    };
    Some(NativeFinding { finding, leaves_unjudged: report.leaves_unjudged })
}

/// Drops what a more specific rule says at the same place. What is not judged because of the one is so because of the other, then.
fn supersede(findings: &mut Vec<NativeFinding>, on: &dyn Fn(&str) -> bool) {
    type At = (&'static str, Arc<str>, Span);
    let place = |finding: &Finding| (Arc::clone(finding.location.source.name()), finding.location.span);
    // What is superseded, and whether something is left unjudged because of it.
    let mut superseded: HashMap<At, bool> = HashMap::new();
    let losers = |finding: &Finding| {
        let rule = ALL.iter().find(|(rule, _)| rule.id == finding.rule && on(rule.id));
        let (name, span) = place(finding);
        rule.into_iter().flat_map(|(rule, _)| rule.supersedes).map(move |id| (*id, Arc::clone(&name), span))
    };
    for NativeFinding { finding, .. } in findings.iter() {
        superseded.extend(losers(finding).map(|at| (at, false)));
    }
    findings.retain(|NativeFinding { finding, leaves_unjudged }| {
        let (name, span) = place(finding);
        let Some((rule, _)) = ALL.iter().find(|(rule, _)| rule.id == finding.rule) else { return true };
        let Some(leaves) = superseded.get_mut(&(rule.id, name, span)) else { return true };
        *leaves |= leaves_unjudged;
        false
    });
    for NativeFinding { finding, leaves_unjudged } in findings {
        *leaves_unjudged |= losers(finding).any(|at| superseded.get(&at) == Some(&true));
    }
}

/// The generators of some kinds in a set, wherever in it.
fn generators<'v>(set: &'v Value, kinds: &[&str]) -> Vec<&'v Value> {
    let mut found = Vec::new();
    let mut waiting: Vec<&Value> = set.get("spec").into_iter().flat_map(|spec| spec.list("generators")).collect();
    waiting.reverse();
    while let Some(entry) = waiting.pop() {
        found.extend(kinds.iter().filter_map(|kind| entry.get(kind)));
        let mut below: Vec<&Value> =
            ["matrix", "merge"].iter().filter_map(|kind| entry.get(kind)).flat_map(|kind| kind.list("generators")).collect();
        below.reverse();
        waiting.extend(below);
    }
    found
}

/// The templates of a set that count: its own, and those of its generators.
fn templates(set: &Value) -> impl Iterator<Item = &Value> {
    let spec = set.get("spec").into_iter();
    spec.flat_map(|spec| {
        let generators = spec.list("generators").flat_map(|entry| entry.as_map().into_iter().flatten());
        spec.get("template").into_iter().chain(generators.filter_map(|(_, generator)| generator.get("template")))
    })
}

/// Where findings are told that are about a place, and the object that it is in.
#[must_use]
pub fn written_at(place: &Place) -> (Location, Option<ObjectId>) {
    let object = object_of(place);
    let pointer = object.as_ref().map_or_else(String::new, |object| place.pointer_from(object));
    (located(place, pointer), object.as_ref().and_then(|object| id(object.node())))
}

fn located(place: &Place, pointer: String) -> Location {
    Location { source: Arc::clone(place.source()), span: place.span(), pointer }
}

/// The object that a place is in.
fn object_of(place: &Place) -> Option<Place> {
    let document = place.document();
    let objects = document.objects().objects;
    let holder = objects.iter().rev().find(|object| object.node.id() <= place.node().id())?;
    Some(Place::new(document, holder.node))
}

fn id(node: Node<'_>) -> Option<ObjectId> {
    let text = |pointer: &str| node.find(pointer).and_then(Node::as_str).unwrap_or_default().to_owned();
    let kind = text("/kind");
    (!kind.is_empty()).then(|| ObjectId {
        api_version: text("/apiVersion"),
        kind,
        namespace: text("/metadata/namespace"),
        name: text("/metadata/name"),
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use std::fs;
    use std::path::Path;

    use super::*;
    use crate::renderer::NoRenderer;
    use crate::{Fixtures, Limits, Mapping, Options, Repositories, Wanted, discover};

    /// What is discovered in a folder, shown to `look`.
    fn looked<T>(folder: &Path, look: impl FnOnce(&Discovery, &Repositories) -> T) -> T {
        let limits = Limits::default();
        let mapping = Mapping { url: "https://git.example/r".to_owned(), revision: None, path: folder.to_owned(), shown: String::new() };
        let repositories = Repositories::open(folder, "", &[mapping], &[], &limits).unwrap();
        let discovery = discover(Options {
            repositories: &repositories,
            renderer: &NoRenderer,
            scopes: &|_, _| None,
            clusters: None,
            fixtures: &Fixtures::default(),
            settings: None,
            takes: &|_| true,
            wanted: Wanted::All,
            limits: &limits,
        });
        look(&discovery, &repositories)
    }

    #[cfg(unix)]
    #[test]
    fn a_stray_link_is_one_finding_however_many_applications_fail() {
        let folder = tempfile::tempdir().unwrap();
        let application = |name: &str| {
            format!(
                "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {{name: {name}}}\nspec:\n  source: {{repoURL: 'https://git.example/r', path: .}}\n  destination: {{name: in-cluster}}\n---\n"
            )
        };
        fs::write(folder.path().join("apps.yaml"), application("a") + &application("b")).unwrap();
        fs::create_dir(folder.path().join("docs")).unwrap();
        std::os::unix::fs::symlink("../../elsewhere", folder.path().join("docs/link")).unwrap();
        looked(folder.path(), |discovery, repositories| {
            assert_eq!(discovery.summary().failed, 2);
            let findings = native(discovery, repositories, &|_| true).findings;
            let found: Vec<(&str, &str, &str)> = findings
                .iter()
                .map(|NativeFinding { finding, .. }| {
                    (finding.rule.as_str(), finding.location.source.name().as_ref(), finding.message.as_str())
                })
                .collect();
            let message =
                "this link is absolute or leads out of the repository: Argo CD renders no Application with sources in it (2 here)";
            assert_eq!(found, [("stray-link", "docs/link", message)]);
        });
    }

    #[test]
    fn a_rule_that_is_off_takes_no_place_and_what_is_unjudged_is_known() {
        let folder = tempfile::tempdir().unwrap();
        let set = "apiVersion: argoproj.io/v1alpha1\nkind: ApplicationSet\nmetadata: {name: shops}\nspec:\n  generators:\n  \
                   - list: {elements: [{name: north}]}\n  template:\n    metadata: {name: '{{name}}'}\n    spec:\n      \
                   source: {repoURL: 'https://git.example/r', path: '{{nmae}}'}\n      destination: {name: in-cluster}\n";
        fs::write(folder.path().join("set.yaml"), set).unwrap();
        looked(folder.path(), |discovery, repositories| {
            let found = |on: &dyn Fn(&str) -> bool| -> Vec<(String, bool)> {
                let findings = native(discovery, repositories, on).findings;
                findings.into_iter().map(|native| (native.finding.rule, native.leaves_unjudged)).collect()
            };
            assert_eq!(found(&|_| true), [("unresolved-template-tag".to_owned(), true)]);
            let both = [("unrenderable-application".to_owned(), true), ("unresolved-template-tag".to_owned(), false)];
            assert_eq!(found(&|rule| rule != "unresolved-template-tag"), both);
        });
    }
}
