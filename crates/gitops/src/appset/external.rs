//! Generators that ask a service: what it would say is in a file of fixtures, or cannot be known.

use serde_json::{Map, Value as Json};

use super::Set;
use super::local::sanitise;
use super::slug::slug;
use crate::clusters::{IN_CLUSTER, IN_CLUSTER_SERVER};
use crate::fixtures::Found;
use crate::parameters::{Parameters, display, flatten};
use crate::reason::Stop;
use crate::value::Value;

impl Set<'_> {
    /// What a service finds for the generator that is `index` among those of its kind.
    pub(super) fn external(&self, kind: &str, generator: &Value, index: usize) -> Result<Vec<Parameters>, Stop> {
        let Some(found) = self.around.fixtures.find(self.namespace, self.name, kind, index) else {
            let what = format!("what `{kind}` finds is known to a service only: say it in the file of `--generators`");
            return Err(Stop::deferred(&generator.place, what));
        };
        let mut sets = match kind {
            "scmProvider" => found.items.iter().map(repository).collect(),
            "pullRequest" => found.items.iter().map(|item| self.pull_request(item)).collect(),
            "plugin" => found.items.iter().map(|item| Ok(self.plugin(item, generator))).collect(),
            _ => self.decisions(found, generator),
        }?;
        for set in &mut sets {
            set.from_fixture = true;
            if kind != "clusterDecisionResource" {
                self.append_values(generator, set)?;
            }
        }
        Ok(sets)
    }

    fn pull_request(&self, item: &Value) -> Result<Parameters, Stop> {
        const FIELDS: &[&str] =
            &["number", "title", "branch", "branch_slug", "target_branch", "target_branch_slug", "head_sha", "author", "labels"];
        check(item, FIELDS)?;
        let mut set = Parameters::default();
        let number = item.get("number").map(Value::to_json).unwrap_or_default();
        set.set("number", if let Json::String(text) = number { text } else { number.to_string() });
        for key in ["title", "branch", "target_branch", "head_sha", "author"] {
            set.set(key, item.text(key));
        }
        for key in ["branch", "target_branch"] {
            let name = format!("{key}_slug");
            let made = match item.get(&name).and_then(Value::as_str) {
                Some(given) => given.to_owned(),
                None => slug(item.text(key)).ok_or_else(|| {
                    Stop::deferred(&item.place, format!("how Argo CD spells `{key}` in ASCII is not known here: give `{name}`, too"))
                })?,
            };
            set.set(name, made);
        }
        let commit = item.text("head_sha");
        set.set("head_short_sha", short(commit, 8));
        set.set("head_short_sha_7", short(commit, 7));
        if self.engine.go {
            set.set("labels", item.texts("labels").collect::<Vec<_>>());
        }
        Ok(set)
    }

    fn plugin(&self, item: &Value, generator: &Value) -> Parameters {
        let Json::Object(values) = item.to_json() else { return Parameters::default() };
        let mut set = if self.engine.go {
            Parameters::new(values)
        } else {
            Parameters::new(flatten(&values).into_iter().map(|(key, value)| (key, display(&value).into())).collect())
        };
        let input = generator.at(&["input", "parameters"]).map(Value::to_json).unwrap_or_else(|| Map::new().into());
        let input: Map<String, Json> = Map::from_iter([("parameters".to_owned(), input)]);
        set.set("generator", Map::from_iter([("input".to_owned(), Json::Object(input))]));
        set
    }

    /// Decisions about clusters, each with the cluster that it names.
    fn decisions(&self, found: Found<'_>, generator: &Value) -> Result<Vec<Parameters>, Stop> {
        // Without one, Argo CD finds nothing.
        let Some(match_key) = found.match_key.filter(|key| !key.is_empty()) else { return Ok(Vec::new()) };
        let mut sets = Vec::new();
        for item in found.items {
            let Some(value) = item.get(match_key).map(|value| display(&value.to_json())).filter(|value| !value.is_empty()) else {
                continue;
            };
            let clusters = self.around.clusters;
            let server = match clusters.known.get(&value) {
                Some(cluster) => cluster.server.clone(),
                None if value == IN_CLUSTER && !clusters.known.values().any(|cluster| cluster.server == IN_CLUSTER_SERVER) => {
                    IN_CLUSTER_SERVER.to_owned()
                }
                None if clusters.complete => continue,
                None => {
                    let what = format!("cluster `{value}` is not in the repository: list it in a file, `--clusters FILE`");
                    return Err(Stop::deferred(&generator.place, what));
                }
            };
            let mut set = Parameters::default();
            set.set("name", value);
            set.set("server", server);
            for (key, value) in item.as_map().into_iter().flatten() {
                set.set(key, display(&value.to_json()));
            }
            let values: Map<String, Json> = generator.entries("values").map(|(key, value)| (key.to_owned(), Json::from(value))).collect();
            if !self.engine.go {
                values.into_iter().for_each(|(key, value)| set.set(format!("values.{key}"), value));
            } else if !values.is_empty() {
                set.set("values", values);
                set.mark_strings("/values");
            }
            sets.push(set);
        }
        Ok(sets)
    }
}

fn repository(item: &Value) -> Result<Parameters, Stop> {
    const FIELDS: &[&str] = &["organization", "repository", "repository_id", "url", "branch", "sha", "labels"];
    check(item, FIELDS)?;
    let mut set = Parameters::default();
    for key in ["organization", "repository", "url", "branch", "sha"] {
        set.set(key, item.text(key));
    }
    set.set("repository_id", item.get("repository_id").map(Value::to_json).unwrap_or_else(|| 0.into()));
    let commit = item.text("sha");
    set.set("short_sha", short(commit, 8));
    set.set("short_sha_7", short(commit, 7));
    set.set("labels", item.texts("labels").collect::<Vec<_>>().join(","));
    set.set("branchNormalized", sanitise(item.text("branch")));
    Ok(set)
}

fn check(item: &Value, fields: &[&str]) -> Result<(), Stop> {
    match item.as_map().into_iter().flatten().find(|(key, _)| !fields.contains(&key.as_str())) {
        Some((key, value)) => Err(Stop::deferred(&value.place, format!("`{key}` is none of {}", fields.join(", ")))),
        None => Ok(()),
    }
}

fn short(commit: &str, length: usize) -> &str {
    commit.get(..length).unwrap_or(commit)
}
