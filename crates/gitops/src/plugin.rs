//! What Argo CD tells a config management plugin, and how it reads what the plugin prints: `getPluginEnvs` of its
//! `reposerver/repository/repository.go`, and `SplitYAML` of gitops-engine.

use std::collections::BTreeMap;
use std::sync::Arc;

use fedward_manifest::Source as Text;
use serde::{Deserialize, Serialize};

use crate::documents::Parsed;
use crate::environment::{self, Environment};
use crate::limits::Limits;
use crate::manifest::Manifest;
use crate::place::Place;
use crate::source::{objects_of, plain};
use crate::value::Value;

/// What the variables begin with that say of which Application a plugin is asked.
pub const APP: &str = "ARGOCD_APP_";
/// What the variables begin with that an Application sets itself.
pub const ENV: &str = "ARGOCD_ENV_";
/// What the variables begin with that are parameters of an Application.
pub const PARAM: &str = "PARAM_";
/// The variable with all parameters, as JSON.
pub const PARAMETERS: &str = "ARGOCD_APP_PARAMETERS";
/// The variable with the version of the cluster.
pub const KUBE_VERSION: &str = "KUBE_VERSION";
/// The variable with what the cluster serves, with commas between.
pub const KUBE_API_VERSIONS: &str = "KUBE_API_VERSIONS";

pub use crate::environment::{NAME, NAMESPACE, SOURCE_PATH};

/// A parameter of an Application for its plugin, as it is in [`PARAMETERS`]: fields in the order of Go's maps.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parameter {
    /// Its value, if it is a list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub array: Option<Vec<String>>,
    /// Its value, if it is a map.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub map: Option<BTreeMap<String, String>>,
    /// Its name.
    pub name: String,
    /// Its value, if it is a text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub string: Option<String>,
}

/// What a cluster is, as plugins are told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Kubernetes {
    /// Its version.
    pub version: String,
    /// What it serves.
    pub api_versions: Vec<String>,
}

/// What a plugin is asked for.
#[derive(Clone, Debug)]
pub struct Plugin {
    /// The name that the source has for it, often with a version at the end.
    pub name: String,
    /// Where the source says that a plugin builds it.
    pub place: Place,
    build: Environment,
    /// Names and values as they are written.
    env: Vec<(String, String)>,
    parameters: Vec<Parameter>,
}

impl Plugin {
    /// What a source asks of its plugin; `None` if it does not say of which.
    pub(crate) fn of(source: &Value, build: &Environment) -> Option<Self> {
        let plugin = source.get("plugin")?;
        let name = plugin.text("name");
        let pair = |entry: &Value| (entry.text("name").to_owned(), entry.text("value").to_owned());
        (!name.is_empty()).then(|| Plugin {
            name: name.to_owned(),
            place: plugin.place.clone(),
            build: build.clone(),
            env: plugin.list("env").map(pair).collect(),
            parameters: plugin.list("parameters").map(parameter).collect(),
        })
    }

    /// The variables that Argo CD sets, in its order: of two with one name the later counts.
    #[must_use]
    pub fn variables(&self, kubernetes: &Kubernetes) -> Vec<(String, String)> {
        let build = self.build.variables().map(|(name, value)| (name.to_owned(), value.to_owned()));
        let mut variables: Vec<(String, String)> = build.collect();
        variables.push((KUBE_VERSION.to_owned(), kubernetes.version.clone()));
        variables.push((KUBE_API_VERSIONS.to_owned(), kubernetes.api_versions.join(",")));
        let known = variables.clone();
        let expand = |text: &str| {
            environment::expand(text, |name| match name {
                "$" => "$",
                name => known.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value),
            })
        };
        variables.extend(self.env.iter().map(|(name, value)| (format!("{ENV}{name}"), expand(value))));
        // No list at all is `null` in Go.
        let all = if self.parameters.is_empty() { None } else { serde_json::to_string(&self.parameters).ok() };
        variables.push((PARAMETERS.to_owned(), all.unwrap_or_else(|| "null".to_owned())));
        for parameter in &self.parameters {
            let name = format!("{PARAM}{}", escaped(&parameter.name));
            let text = parameter.string.iter().map(|text| (name.clone(), text.clone()));
            let map = parameter.map.iter().flatten().map(|(key, value)| (format!("{name}_{}", escaped(key)), value.clone()));
            let array = parameter.array.iter().flatten().enumerate().map(|(index, value)| (format!("{name}_{index}"), value.clone()));
            variables.extend(text.chain(map).chain(array));
        }
        variables
    }
}

fn parameter(parameter: &Value) -> Parameter {
    Parameter {
        array: parameter.get("array").map(|_| parameter.texts("array").map(str::to_owned).collect()),
        map: parameter.get("map").map(|_| parameter.entries("map").map(|(key, value)| (key.to_owned(), value.to_owned())).collect()),
        name: parameter.text("name").to_owned(),
        string: parameter.get("string").and_then(Value::as_str).map(str::to_owned),
    }
}

/// A name as a part of a variable's.
fn escaped(name: &str) -> String {
    let is_kept = |character: char| character.is_ascii_uppercase() || character.is_ascii_digit() || character == '_';
    name.to_uppercase().chars().map(|character| if is_kept(character) { character } else { '_' }).collect()
}

/// The objects of what a plugin printed; of none if there is nothing in it.
///
/// # Errors
/// It is no YAML, or something in it is no object.
pub fn objects(printed: &Arc<Text>) -> Result<Vec<Manifest>, String> {
    let parsed = Parsed::new(Arc::clone(printed), &Limits::default().documents);
    let mut manifests = Vec::new();
    for part in &parsed.parts {
        let line = |start| printed.position(start).line;
        let document = match &part.document {
            Ok(document) if plain::is_nothing(document) => continue,
            Ok(document) => document,
            Err(problem) => return Err(format!("is no YAML, line {}: {}", line(problem.span.start), problem.message)),
        };
        if let Some((span, what)) = plain::object_problem(document) {
            return Err(format!("is no object, line {}: {what}", line(span.start)));
        }
        manifests.extend(objects_of(document)?);
    }
    Ok(manifests)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;
    use crate::environment::Facts;
    use crate::test_text::value;

    fn plugin(text: &str) -> Option<Plugin> {
        let build = Environment::new(&Facts {
            application: "team_web",
            namespace: "shop",
            project: "default",
            commit: "0123456789abcdef",
            repository: "https://git.example/repo",
            path: "apps/web",
            target_revision: "HEAD",
        });
        Plugin::of(&value(text).1, &build)
    }

    #[test]
    fn variables_are_those_of_argo_cd() {
        let plugin = plugin(
            "plugin:\n  name: p\n  env:\n  - {name: STAGE, value: 'prod-$ARGOCD_APP_NAME-$KUBE_VERSION-$HOME$$'}\n  - {name: EMPTY}\n  \
             parameters:\n  - {name: some-string, string: '$ARGOCD_APP_NAME'}\n  - {name: files, array: [a.yaml, b.yaml]}\n  \
             - {name: set, map: {image.tag: v1, b: '2'}}\n  - {name: none, array: [], map: {}}\n",
        );
        let kubernetes = Kubernetes { version: "1.34.1".to_owned(), api_versions: vec!["v1".to_owned(), "apps/v1".to_owned()] };
        let all = plugin.unwrap().variables(&kubernetes);
        let of = |name: &str| all.iter().rfind(|(known, _)| known == name).map(|(_, value)| value.as_str());
        for (name, expected) in [
            ("ARGOCD_APP_NAME", Some("team_web")),
            ("ARGOCD_APP_NAMESPACE", Some("shop")),
            ("ARGOCD_APP_REVISION_SHORT", Some("0123456")),
            ("ARGOCD_APP_SOURCE_PATH", Some("apps/web")),
            ("KUBE_VERSION", Some("1.34.1")),
            ("KUBE_API_VERSIONS", Some("v1,apps/v1")),
            ("ARGOCD_ENV_STAGE", Some("prod-team_web-1.34.1-$")),
            ("ARGOCD_ENV_EMPTY", Some("")),
            ("STAGE", None),
            // Nothing is put into parameters.
            ("PARAM_SOME_STRING", Some("$ARGOCD_APP_NAME")),
            ("PARAM_FILES_0", Some("a.yaml")),
            ("PARAM_FILES_1", Some("b.yaml")),
            ("PARAM_SET_IMAGE_TAG", Some("v1")),
            ("PARAM_SET_B", Some("2")),
            ("PARAM_NONE", None),
        ] {
            assert_eq!(of(name), expected, "{name}");
        }
        let json = r#"[{"name":"some-string","string":"$ARGOCD_APP_NAME"},{"array":["a.yaml","b.yaml"],"name":"files"},{"map":{"b":"2","image.tag":"v1"},"name":"set"},{"array":[],"map":{},"name":"none"}]"#;
        assert_eq!(of(PARAMETERS), Some(json));
    }

    #[test]
    fn no_parameters_are_null_and_no_name_is_no_plugin() {
        let variables = plugin("plugin: {name: p}").unwrap().variables(&Kubernetes::default());
        assert!(variables.contains(&(PARAMETERS.to_owned(), "null".to_owned())), "{variables:?}");
        assert!(plugin("plugin: {}").is_none() && plugin("plugin: {env: [{name: A, value: b}]}").is_none());
    }

    #[test]
    fn what_is_printed_is_objects_or_an_error() {
        let of = |text: &str| {
            let text = Arc::new(Text::from_text("printed", text.to_owned()).unwrap());
            objects(&text).map(|all| all.iter().map(|one| one.text("/metadata/name").to_owned()).collect::<Vec<_>>().join(" "))
        };
        let of = |text: &str| of(text).unwrap_or_else(|why| why);
        assert_eq!(of(""), "");
        assert_eq!(of("\n---\n# nothing\n---\n"), "");
        assert_eq!(of("kind: A\nmetadata: {name: a}\n---\n{\"kind\": \"B\", \"metadata\": {\"name\": \"b\"}}\n"), "a b");
        assert_eq!(of("kind: List\nitems:\n- {kind: A, metadata: {name: a}}\n- {kind: B, metadata: {name: b}}\n"), "a b");
        assert!(of("kind: A\n---\na: [\n").starts_with("is no YAML, line "), "{}", of("kind: A\n---\na: [\n"));
        assert_eq!(of("kind: A\n---\nall is well\n"), "is no object, line 3: not a map");
        assert_eq!(of("a: b\n"), "is no object, line 1: there is no `kind`");
    }
}
