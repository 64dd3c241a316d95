//! Holds every rule to the conventions: names, pages, fixtures, lists.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use fedward_artifacts::catalogue::{Documented, rules};
use fedward_artifacts::metadata::Metadata;
use fedward_artifacts::origin::Origin;
use fedward_artifacts::root;

const SECTIONS: [&str; 5] = ["What it does", "Why it is bad", "Example", "Use instead", "References"];

fn all() -> Vec<Documented> {
    rules(&root()).unwrap()
}

/// Whether rules are of no policy that runs in a cluster.
fn is_native(policy: &str) -> bool {
    [fedward_engine::INPUT_POLICY, fedward_gitops::rules::POLICY].contains(&policy)
}

fn is_kebab(id: &str) -> bool {
    id.split('-').all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit()))
}

/// Fails with everything that is wrong, not only the first.
fn none(wrong: Vec<String>) {
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn ids_are_kebab_case_and_belong_to_one_policy() {
    let mut owners: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for builtin in fedward_modules::ALL {
        for rule in builtin.policy.describe().rules {
            owners.entry(rule.id).or_default().push(builtin.id);
        }
    }
    for native in all().iter().filter(|rule| is_native(rule.policy)) {
        owners.entry(native.rule.id).or_default().push(native.policy);
    }
    let mut wrong = Vec::new();
    for (id, owners) in owners {
        if !is_kebab(id) {
            wrong.push(format!("`{id}` is not kebab-case"));
        }
        if owners.len() > 1 && owners.len() != fedward_modules::ALL.len() {
            wrong.push(format!("`{id}` is in {owners:?}: a rule is in one policy or in all"));
        }
    }
    none(wrong);
}

#[test]
fn a_rule_is_listed_once_and_superseded_rules_exist() {
    let known: BTreeSet<&str> = all().iter().map(|rule| rule.rule.id).collect();
    let mut wrong = Vec::new();
    for builtin in fedward_modules::ALL {
        let mut seen = BTreeSet::new();
        for rule in builtin.policy.describe().rules {
            if !seen.insert(rule.id) {
                wrong.push(format!("`{}` is twice in `{}`", rule.id, builtin.id));
            }
            for other in rule.supersedes.iter().filter(|other| !known.contains(*other)) {
                wrong.push(format!("`{}` supersedes `{other}`, which does not exist", rule.id));
            }
        }
    }
    for native in all().iter().filter(|rule| is_native(rule.policy)) {
        for other in native.rule.supersedes.iter().filter(|other| !known.contains(*other)) {
            wrong.push(format!("`{}` supersedes `{other}`, which does not exist", native.rule.id));
        }
    }
    none(wrong);
}

#[test]
fn conditions_are_kebab_case_and_unique_in_their_rule() {
    let mut wrong = Vec::new();
    for rule in all() {
        let mut seen = BTreeSet::new();
        if rule.rule.conditions.is_empty() {
            wrong.push(format!("`{}` has no condition", rule.rule.id));
        }
        for condition in rule.rule.conditions {
            if !is_kebab(condition.name) || !seen.insert(condition.name) {
                wrong.push(format!("condition `{}` of `{}` is not kebab-case or not unique", condition.name, rule.rule.id));
            }
            if condition.when.is_empty() || condition.when.ends_with('.') {
                wrong.push(format!("condition `{}` of `{}` says when as a phrase, without a full stop", condition.name, rule.rule.id));
            }
        }
    }
    none(wrong);
}

#[test]
fn every_page_has_its_sections_in_order() {
    let mut wrong = Vec::new();
    for rule in all() {
        if rule.doc.lines().next().is_none_or(|line| line.is_empty() || line.starts_with('#')) {
            wrong.push(format!("{}: the first line says what is reported", rule.source));
        }
        let titles: Vec<&str> = rule.doc.lines().filter_map(|line| line.strip_prefix("## ")).collect();
        let mut rest = titles.iter();
        for section in SECTIONS {
            if !rest.any(|title| *title == section) {
                wrong.push(format!("{}: no section `{section}` at its place", rule.source));
            }
        }
        for title in titles.iter().filter(|title| !SECTIONS.contains(title) && **title != "Settings") {
            wrong.push(format!("{}: section `{title}` is none of a page's sections", rule.source));
        }
        if rule.rule.summary.is_empty() || rule.rule.summary.ends_with('.') {
            wrong.push(format!("{}: the summary is a phrase, without a full stop", rule.source));
        }
    }
    none(wrong);
}

#[test]
fn examples_are_yaml() {
    let mut wrong = Vec::new();
    for rule in all().iter().filter(|rule| rule.policy != fedward_engine::INPUT_POLICY) {
        for block in rule.doc.split("```yaml\n").skip(1) {
            let text = block.split("```").next().unwrap_or_default();
            // Documents are read one by one: an example may show several.
            for document in text.split("\n---\n") {
                if let Err(error) = fedward_engine::from_yaml::<serde_json::Value>(document) {
                    wrong.push(format!("{}: an example does not parse: {error}\n{document}", rule.source));
                }
            }
        }
    }
    none(wrong);
}

#[test]
fn settings_that_a_page_names_exist() {
    let mut wrong = Vec::new();
    for builtin in fedward_modules::ALL {
        let descriptor = builtin.policy.describe();
        let known: BTreeSet<&str> = descriptor.settings.iter().map(|field| field.name).collect();
        for rule in all().iter().filter(|rule| rule.policy == builtin.id) {
            let section = rule.doc.split("\n## Settings\n").nth(1).unwrap_or_default();
            let section = section.split("\n## ").next().unwrap_or_default();
            let named = section.split('`').skip(1).step_by(2).filter(|name| name.bytes().all(|byte| byte.is_ascii_alphanumeric()));
            // Only camelCase with a capital inside is certainly the name of a setting.
            for name in named.filter(|name| name.bytes().any(|byte| byte.is_ascii_uppercase()) && !known.contains(name)) {
                if name.starts_with(|first: char| first.is_ascii_lowercase()) {
                    wrong.push(format!("{}: no such setting: `{name}`", rule.source));
                }
            }
        }
    }
    none(wrong);
}

#[test]
fn every_rule_has_fixtures() {
    let mut wrong = Vec::new();
    for rule in all() {
        for kind in ["accept", "reject"] {
            let folder = format!("{}/{}/{kind}", fixtures(rule.policy), rule.rule.id);
            let is_empty = fs::read_dir(root().join(&folder)).map_or(0, Iterator::count) == 0;
            if is_empty != NO_FIXTURES.contains(&rule.rule.id) {
                wrong.push(format!("`{folder}` {}", if is_empty { "has no fixtures" } else { "has some: NO_FIXTURES is wrong" }));
            }
        }
    }
    none(wrong);
}

/// Rules without fixtures: a link out of this repository cannot be in it, so `crates/gitops/src/rules.rs` makes one.
const NO_FIXTURES: [&str; 1] = ["stray-link"];

/// Where the fixtures of a policy's rules are.
fn fixtures(policy: &str) -> &'static str {
    if policy == fedward_gitops::rules::POLICY { "fixtures/gitops/rules" } else { "fixtures/rules" }
}

#[test]
fn every_fixture_folder_and_rule_file_is_of_a_rule() {
    let all = all();
    let mut wrong = Vec::new();
    for folder in ["fixtures/rules", "fixtures/gitops/rules"] {
        for entry in fs::read_dir(root().join(folder)).unwrap() {
            let name = entry.unwrap().file_name().to_string_lossy().into_owned();
            if !all.iter().any(|rule| rule.rule.id == name && fixtures(rule.policy) == folder) {
                wrong.push(format!("`{folder}/{name}` is of no rule"));
            }
        }
    }
    let policies = fs::read_dir(root().join("policies")).unwrap().map(|policy| policy.unwrap().path());
    for crate_folder in policies.chain([root().join("crates/gitops")]) {
        let folder = crate_folder.join("src/rules");
        for file in fs::read_dir(folder).into_iter().flatten() {
            let path = file.unwrap().path();
            if path.is_file() && !all.iter().any(|rule| path.ends_with(&rule.source) || root().join(&rule.source) == path) {
                wrong.push(format!("`{}` is in no policy's list", path.display()));
            }
        }
    }
    none(wrong);
}

#[test]
fn the_catalogue_names_every_rule() {
    let catalogue = fs::read_to_string(root().join("docs/catalogue.md")).unwrap();
    let rows = catalogue.lines().filter_map(|line| line.strip_prefix("| ")?.strip_suffix(" |"));
    let rows: Vec<Vec<&str>> = rows.map(|row| row.split(" | ").collect()).collect();
    let mut wrong: Vec<String> = rows.iter().filter(|row| row.len() != 3).map(|row| format!("no row of three cells: {row:?}")).collect();
    wrong.extend(all().iter().filter_map(|rule| {
        let is_its = |row: &&Vec<&str>| {
            row.get(1).is_some_and(|ids| ids.split(", ").any(|id| id == rule.rule.id))
                && row.get(2).is_some_and(|policies| policies.split(", ").any(|policy| policy == rule.policy || policy == "all"))
        };
        (!rows.iter().any(|row| is_its(&row))).then(|| format!("`{}` of `{}` is not in docs/catalogue.md", rule.rule.id, rule.policy))
    }));
    none(wrong);
}

/// The bytes that `cargo xtask dist` writes run, and say the version of the protocol that their metadata claims.
#[test]
fn an_annotated_module_runs() {
    use fedward_host::{Host, Limits, Module, NoHostCalls, Strategy};
    let host = Host::new(Limits::default());
    for builtin in fedward_modules::ALL.iter().chain([&fedward_modules::SUITE]) {
        let section = Metadata::read(builtin.metadata).unwrap().annotate(builtin.id, &Origin::default(), "how").to_section().unwrap();
        let annotated = fedward_artifacts::annotate::annotate(builtin.wasm, &section).unwrap();
        let module = Module::from_wasm(&host, Strategy::Fresh, &annotated).unwrap();
        assert_eq!(module.evaluator().call("protocol_version", b"", &mut NoHostCalls).unwrap(), b"\"v1\"", "{}", builtin.id);
    }
}

/// The manifest of each README can be pasted: it parses, asks for what the metadata ask for, and the module takes its settings.
#[test]
fn the_manifest_of_a_readme_can_be_pasted() {
    use fedward_engine::{Policy, from_yaml};
    use fedward_host::{Host, Limits};
    let host = Host::new(Limits::default());
    for builtin in fedward_modules::ALL.iter().chain([&fedward_modules::SUITE]) {
        let readme = fedward_artifacts::readme::text(&root(), builtin.id).unwrap();
        fedward_artifacts::readme::usage(&readme, builtin.id).unwrap();
        let blocks: Vec<&str> = readme.split("```yaml\n").skip(1).filter_map(|block| block.split("```").next()).collect();
        let objects: Vec<serde_json::Value> = blocks.iter().map(|block| from_yaml(block).unwrap()).collect();
        let policy = objects.iter().find(|object| object["kind"] == "ClusterAdmissionPolicy").unwrap();
        let metadata: serde_json::Value = from_yaml(builtin.metadata).unwrap();
        assert_eq!(policy["spec"]["mutating"], false, "{}", builtin.id);
        for field in ["rules", "contextAwareResources", "backgroundAudit"] {
            assert_eq!(policy["spec"][field], metadata[field], "{}: {field}", builtin.id);
        }
        assert_eq!(policy["metadata"]["name"], builtin.id);
        let settings = &policy["spec"]["settings"];
        assert!(settings.as_object().is_some_and(|settings| !settings.is_empty()), "{}: no settings", builtin.id);
        Policy::builtin(&host, builtin, settings).unwrap();
        let role = objects.iter().find(|object| object["kind"] == "ClusterRole").unwrap();
        let granted: usize = role["rules"].as_array().unwrap().iter().map(|rule| rule["resources"].as_array().unwrap().len()).sum();
        // A role names no versions.
        let group =
            |resource: &serde_json::Value| resource["apiVersion"].as_str().unwrap().rsplit_once('/').map(|(group, _)| group.to_owned());
        let looked_at = metadata["contextAwareResources"].as_array().unwrap().iter();
        let looked_at: BTreeSet<_> = looked_at.map(|resource| (group(resource), resource["kind"].to_string())).collect();
        assert_eq!(granted, looked_at.len(), "{}", builtin.id);
        assert!(objects.len() == 2, "{}: another block of YAML", builtin.id);
    }
}
