//! Generators that need nothing but the ApplicationSet and the clusters: lists, clusters, matrix.

use serde_json::{Map, Value as Json};

use super::Set;
use super::generators::{Level, Seen};
use super::selector::Selector;
use crate::clusters::{Cluster, IN_CLUSTER, IN_CLUSTER_SERVER};
use crate::documents::Parsed;
use crate::parameters::{Parameters, display};
use crate::reason::Stop;
use crate::value::Value;

/// Annotations that Argo CD or kubectl write for themselves.
const OWN_ANNOTATIONS: [&str; 7] = [
    "argocd.argoproj.io/refresh",
    "argocd.argoproj.io/refresh-timestamp",
    "argocd.argoproj.io/hydrate",
    "argocd.argoproj.io/hydrate-timestamp",
    "argocd.argoproj.io/tracking-id",
    "argocd.argoproj.io/installation-id",
    "kubectl.kubernetes.io/last-applied-configuration",
];

impl Set<'_> {
    /// `elements`, then those of `elementsYaml`.
    pub(super) fn list(&self, generator: &Value) -> Result<Vec<Parameters>, Stop> {
        let mut sets = Vec::new();
        for element in generator.list("elements") {
            if element.is_null() {
                sets.push(Parameters::default());
                continue;
            }
            let Some(map) = element.as_map() else {
                return Err(Stop::failed(&element.place, format!("an element is {} and must be a map", element.kind())));
            };
            let mut set = Parameters::default();
            for (key, value) in map {
                match (self.engine.go, key.as_str()) {
                    (true, _) => set.set(key, value.to_json()),
                    (false, "values") => {
                        let Some(values) = value.as_map() else {
                            return Err(Stop::failed(&value.place, format!("`values` is {} and must be a map", value.kind())));
                        };
                        for (key, value) in values {
                            set.set(format!("values.{key}"), text(&format!("values.{key}"), value)?);
                        }
                    }
                    (false, key) => set.set(key, text(key, value)?),
                }
            }
            sets.push(set);
        }
        if let Some(yaml) = generator.get("elementsYaml").filter(|yaml| yaml.as_str() != Some("")) {
            sets.extend(self.elements(yaml)?);
        }
        Ok(sets)
    }

    /// The maps of a list that is written in a text. Unlike `elements`, they are not made flat.
    fn elements(&self, yaml: &Value) -> Result<Vec<Parameters>, Stop> {
        let fail = |what: &str| Stop::failed(&yaml.place, format!("`elementsYaml` {what}"));
        let source = fedward_manifest::Source::from_text(yaml.place.source().name().as_ref(), yaml.as_str().unwrap_or_default().to_owned());
        let source = std::sync::Arc::new(source.map_err(|_| fail("is too long"))?);
        let parsed = Parsed::new(source, &self.around.limits.documents);
        let Some(document) = parsed.only().map_err(|problem| fail(&format!("is no YAML: {}", problem.message)))? else {
            return Ok(Vec::new());
        };
        let value = Value::read(document, document.root());
        let Some(items) = value.as_list() else { return Err(fail(&format!("is {} and must be a list of maps", value.kind()))) };
        let map = |item: &Value| match item.to_json() {
            Json::Object(map) => Ok(Parameters::new(map)),
            Json::Null => Ok(Parameters::default()),
            _ => Err(fail(&format!("has {} in its list, where a map must be", item.kind()))),
        };
        items.iter().map(map).collect()
    }

    /// The clusters that are selected, by name, and the one that Argo CD runs in.
    pub(super) fn clusters(&self, generator: &Value) -> Result<Vec<Parameters>, Stop> {
        let selector = generator.get("selector").map(Selector::read).transpose()?.unwrap_or_default();
        let clusters = self.around.clusters;
        if !clusters.complete && clusters.known.is_empty() {
            return Err(Stop::deferred(
                &generator.place,
                "which clusters there are is not in the repository: list them in a file, `--clusters FILE`",
            ));
        }
        let chosen: Vec<&Cluster> = clusters.known.values().filter(|cluster| selector.matches(&cluster.labels)).collect();
        let mut sets = Vec::new();
        for cluster in &chosen {
            let mut set = self.cluster(cluster);
            self.append_values(generator, &mut set)?;
            sets.push(set);
        }
        // It has no Secret of its own, unless somebody made one, and so no labels to be selected by.
        if selector.is_empty() && !chosen.iter().any(|cluster| cluster.server == IN_CLUSTER_SERVER) {
            let mut set = Parameters::default();
            set.set("name", IN_CLUSTER);
            set.set("nameNormalized", IN_CLUSTER);
            set.set("server", IN_CLUSTER_SERVER);
            set.set("project", "");
            self.append_values(generator, &mut set)?;
            sets.push(set);
        }
        if generator.flag("flatList") {
            let mut all = Parameters::default();
            for (index, set) in sets.iter().enumerate() {
                set.string_maps().iter().for_each(|pointer| all.mark_strings(&format!("/clusters/{index}{pointer}")));
            }
            all.set("clusters", sets.into_iter().map(|set| Json::Object(set.values)).collect::<Vec<_>>());
            sets = vec![all];
        }
        Ok(sets)
    }

    fn cluster(&self, cluster: &Cluster) -> Parameters {
        let mut set = Parameters::default();
        set.set("name", cluster.name.as_str());
        set.set("nameNormalized", sanitise(&cluster.name));
        set.set("server", cluster.server.as_str());
        set.set("project", cluster.project.as_deref().unwrap_or_default());
        let annotations = cluster.annotations.iter().filter(|(key, _)| !OWN_ANNOTATIONS.contains(&key.as_str()));
        if self.engine.go {
            let mut metadata = Map::new();
            let strings = |map: Vec<(&String, &String)>| -> Json {
                map.into_iter().map(|(key, value)| (key.clone(), Json::from(value.as_str()))).collect::<Map<_, _>>().into()
            };
            if !cluster.annotations.is_empty() {
                metadata.insert("annotations".to_owned(), strings(annotations.collect()));
            }
            if !cluster.labels.is_empty() {
                metadata.insert("labels".to_owned(), strings(cluster.labels.iter().collect()));
            }
            set.set("metadata", metadata);
            set.mark_strings("/metadata/annotations");
            set.mark_strings("/metadata/labels");
        } else {
            annotations.for_each(|(key, value)| set.set(format!("metadata.annotations.{key}"), value.as_str()));
            cluster.labels.iter().for_each(|(key, value)| set.set(format!("metadata.labels.{key}"), value.as_str()));
        }
        set
    }

    /// Every set of the first generator with every one of the second, which may use the first's parameters.
    pub(super) fn matrix(&mut self, generator: &Value, level: Level, seen: &mut Seen) -> Result<Vec<Parameters>, Stop> {
        let children: Vec<&Value> = generator.list("generators").collect();
        let [first, second] = children.as_slice() else {
            return Err(Stop::failed(&generator.place, format!("a matrix has two generators, this one {}", children.len())));
        };
        let level = level.below();
        let firsts = self.nested(first, level, None, seen)?;
        let uses_templates = second.any_text(&mut |text| text.contains("{{"));
        let before = seen.clone();
        let mut shared = None;
        let mut sets = Vec::new();
        for one in &firsts {
            let seconds = match shared.take() {
                Some(seconds) => seconds,
                None => {
                    // However often it runs, it is the same entry of the text.
                    seen.clone_from(&before);
                    self.nested(second, level, Some(one), seen)?
                }
            };
            self.spend(seconds.len(), generator)?;
            for two in &seconds {
                sets.push(if self.engine.go { combined(one, two) } else { flat_combined(one, two, generator)? });
            }
            if !uses_templates {
                shared = Some(seconds);
            }
        }
        Ok(sets)
    }
}

/// Structured parameters: the first generator's win.
fn combined(first: &Parameters, second: &Parameters) -> Parameters {
    let mut both = second.clone();
    both.override_with(first);
    both
}

/// Flat parameters: everything becomes a text, and two texts for one key are an error.
fn flat_combined(first: &Parameters, second: &Parameters, generator: &Value) -> Result<Parameters, Stop> {
    let texts = |set: &Parameters| set.values.iter().map(|(key, value)| (key.clone(), display(value))).collect::<Vec<_>>();
    let mut both = Parameters::default();
    both.from_fixture = first.from_fixture || second.from_fixture;
    both.made_of = first.made_of.union(&second.made_of).cloned().collect();
    for (key, value) in texts(first).into_iter().chain(texts(second)) {
        if let Some(other) = both.values.get(&key).and_then(Json::as_str).filter(|other| *other != value) {
            let what =
                format!("both generators give `{key}`: `{other}` and `{value}` (a git generator's `pathParamPrefix` keeps paths apart)");
            return Err(Stop::failed(&generator.place, what));
        }
        both.set(key, value);
    }
    Ok(both)
}

fn text<'v>(key: &str, value: &'v Value) -> Result<&'v str, Stop> {
    let wrong = || {
        let what = format!("`{key}` is {} and must be a string, without `goTemplate: true`", value.kind());
        Stop::failed(&value.place, what)
    };
    value.as_str().ok_or_else(wrong)
}

/// A name made of what a DNS name may have.
pub(super) fn sanitise(name: &str) -> String {
    let is_good = |character: char| character.is_ascii_lowercase() || character.is_ascii_digit() || matches!(character, '-' | '.');
    // Lower case first: some characters become ASCII by it.
    let clean: String = name.to_lowercase().chars().map(|character| if is_good(character) { character } else { '-' }).collect();
    clean.get(..253).unwrap_or(&clean).trim_matches(['-', '.']).to_owned()
}
