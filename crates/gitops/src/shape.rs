//! The types of the fields that are read: the API server refuses an object in which one of them is of another.

use crate::place::Place;
use crate::value::{Data, Value};

/// The type of a field.
#[derive(Debug)]
pub(crate) enum Shape {
    Text,
    Flag,
    Whole,
    /// A whole number, or a text.
    WholeOrText,
    /// Anything at all.
    Any,
    List(&'static Shape),
    /// A map with texts.
    Texts,
    /// A map with flags.
    Flags,
    /// Fields; others are not looked at.
    Fields(&'static [(&'static str, Shape)]),
}

use Shape::{Any, Fields, Flag, Flags, List, Text, Texts, Whole, WholeOrText};

/// The first field of another type: what is wrong, and where.
pub(crate) fn mismatch(value: &Value, shape: &Shape, path: &str) -> Option<(Place, String)> {
    let wrong = |wanted: &str| Some((value.place.clone(), format!("`{path}` is {} and must be {wanted}", value.kind())));
    match (shape, &value.data) {
        // A null is as good as nothing.
        (_, Data::Null) | (Any, _) | (Text | WholeOrText, Data::String(_)) | (Flag, Data::Bool(_)) => None,
        (Whole | WholeOrText, Data::Number(number)) if number.is_i64() || number.is_u64() => None,
        (List(item), Data::List(items)) => {
            items.iter().enumerate().find_map(|(index, value)| mismatch(value, item, &format!("{path}[{index}]")))
        }
        (Texts, Data::Map(map)) => map.iter().find_map(|(key, value)| mismatch(value, &Text, &below(path, key))),
        (Flags, Data::Map(map)) => map.iter().find_map(|(key, value)| mismatch(value, &Flag, &below(path, key))),
        (Fields(fields), Data::Map(_)) => {
            let mut fields = fields.iter().filter_map(|(name, shape)| Some((name, shape, value.get(name)?)));
            fields.find_map(|(name, shape, value)| mismatch(value, shape, &below(path, name)))
        }
        (Text, _) => wrong("a string"),
        (Flag, _) => wrong("a boolean"),
        (Whole, _) => wrong("a whole number"),
        (WholeOrText, _) => wrong("a whole number or a string"),
        (List(_), _) => wrong("a list"),
        (Texts | Flags | Fields(_), _) => wrong("a map"),
    }
}

fn below(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

const PAIR: Shape = Fields(&[("name", Text), ("value", Text)]);
const VARIABLES: Shape = List(&Fields(&[("name", Text), ("value", Text), ("code", Flag)]));
const METADATA: Shape =
    Fields(&[("name", Text), ("namespace", Text), ("labels", Texts), ("annotations", Texts), ("finalizers", List(&Text))]);

const HELM: Shape = Fields(&[
    ("valueFiles", List(&Text)),
    ("parameters", List(&Fields(&[("name", Text), ("value", Text), ("forceString", Flag)]))),
    ("releaseName", Text),
    ("values", Text),
    ("valuesObject", Fields(&[])),
    ("fileParameters", List(&Fields(&[("name", Text), ("path", Text)]))),
    ("version", Text),
    ("passCredentials", Flag),
    ("ignoreMissingValueFiles", Flag),
    ("skipCrds", Flag),
    ("skipTests", Flag),
    ("skipSchemaValidation", Flag),
    ("namespace", Text),
    ("kubeVersion", Text),
    ("apiVersions", List(&Text)),
]);

const KUSTOMIZE: Shape = Fields(&[
    ("namePrefix", Text),
    ("nameSuffix", Text),
    ("images", List(&Text)),
    ("commonLabels", Texts),
    ("version", Text),
    ("commonAnnotations", Texts),
    ("forceCommonLabels", Flag),
    ("forceCommonAnnotations", Flag),
    ("namespace", Text),
    ("commonAnnotationsEnvsubst", Flag),
    ("replicas", List(&Fields(&[("name", Text), ("count", WholeOrText)]))),
    ("patches", List(&Fields(&[("path", Text), ("patch", Text), ("target", Texts), ("options", Flags)]))),
    ("components", List(&Text)),
    ("ignoreMissingComponents", Flag),
    ("labelWithoutSelector", Flag),
    ("labelIncludeTemplates", Flag),
    ("kubeVersion", Text),
    ("apiVersions", List(&Text)),
]);

const DIRECTORY: Shape = Fields(&[
    ("recurse", Flag),
    ("jsonnet", Fields(&[("extVars", VARIABLES), ("tlas", VARIABLES), ("libs", List(&Text))])),
    ("exclude", Text),
    ("include", Text),
    ("disableExtensionFilter", Flag),
]);

const PLUGIN: Shape = Fields(&[
    ("name", Text),
    ("env", List(&PAIR)),
    ("parameters", List(&Fields(&[("name", Text), ("string", Text), ("map", Texts), ("array", List(&Text))]))),
]);

/// A source of an Application.
pub(crate) const SOURCE: Shape = Fields(&[
    ("repoURL", Text),
    ("path", Text),
    ("targetRevision", Text),
    ("helm", HELM),
    ("kustomize", KUSTOMIZE),
    ("directory", DIRECTORY),
    ("plugin", PLUGIN),
    ("chart", Text),
    ("ref", Text),
    ("name", Text),
    ("tagPrefix", Text),
]);

const APPLICATION_SPEC: Shape = Fields(&[
    ("source", SOURCE),
    ("sources", List(&SOURCE)),
    ("destination", Fields(&[("server", Text), ("name", Text), ("namespace", Text)])),
    ("project", Text),
    (
        "syncPolicy",
        Fields(&[
            ("automated", Fields(&[("prune", Flag), ("selfHeal", Flag), ("allowEmpty", Flag), ("enabled", Flag)])),
            ("syncOptions", List(&Text)),
            (
                "retry",
                Fields(&[
                    ("limit", Whole),
                    ("refresh", Flag),
                    ("backoff", Fields(&[("duration", Text), ("factor", Whole), ("maxDuration", Text)])),
                ]),
            ),
            ("managedNamespaceMetadata", Fields(&[("labels", Texts), ("annotations", Texts)])),
        ]),
    ),
    (
        "ignoreDifferences",
        List(&Fields(&[
            ("group", Text),
            ("kind", Text),
            ("name", Text),
            ("namespace", Text),
            ("jsonPointers", List(&Text)),
            ("jqPathExpressions", List(&Text)),
            ("managedFieldsManagers", List(&Text)),
        ])),
    ),
    ("info", List(&PAIR)),
    ("revisionHistoryLimit", Whole),
    (
        "sourceHydrator",
        Fields(&[
            ("drySource", SOURCE),
            ("syncSource", Fields(&[("targetBranch", Text), ("path", Text), ("repoURL", Text)])),
            ("hydrateTo", Fields(&[("targetBranch", Text)])),
        ]),
    ),
]);

/// An Application.
pub(crate) const APPLICATION: Shape = Fields(&[("metadata", METADATA), ("spec", APPLICATION_SPEC)]);

/// The template of an ApplicationSet, or what a patch of one says.
pub(crate) const TEMPLATE: Shape = APPLICATION;

const SELECTOR: Shape =
    Fields(&[("matchLabels", Texts), ("matchExpressions", List(&Fields(&[("key", Text), ("operator", Text), ("values", List(&Text))])))]);
const PATHS: Shape = List(&Fields(&[("path", Text), ("exclude", Flag)]));
const FROM_REPOSITORY: Shape = Fields(&[
    ("repoURL", Text),
    ("revision", Text),
    ("directories", PATHS),
    ("files", PATHS),
    ("pathParamPrefix", Text),
    ("values", Texts),
    ("template", TEMPLATE),
]);
const WITH_VALUES: Shape = Fields(&[("values", Texts), ("template", TEMPLATE)]);

/// A generator that holds no others.
const LEAVES: &[(&str, Shape)] = &[
    ("list", Fields(&[("elements", List(&Any)), ("elementsYaml", Text), ("template", TEMPLATE)])),
    ("clusters", Fields(&[("selector", SELECTOR), ("values", Texts), ("flatList", Flag), ("template", TEMPLATE)])),
    ("git", FROM_REPOSITORY),
    ("oci", FROM_REPOSITORY),
    ("scmProvider", WITH_VALUES),
    ("pullRequest", WITH_VALUES),
    (
        "clusterDecisionResource",
        Fields(&[("configMapRef", Text), ("name", Text), ("labelSelector", SELECTOR), ("values", Texts), ("template", TEMPLATE)]),
    ),
    ("plugin", WITH_VALUES),
    ("selector", SELECTOR),
];

/// A generator, as far as it is one of those; [`crate::appset`] looks into the others.
pub(crate) const GENERATOR: Shape = Fields(LEAVES);

/// What an ApplicationSet says besides of its generators.
pub(crate) const APPLICATION_SET: Shape = Fields(&[
    ("metadata", METADATA),
    (
        "spec",
        Fields(&[
            ("goTemplate", Flag),
            ("goTemplateOptions", List(&Text)),
            ("generators", List(&Fields(&[]))),
            ("template", TEMPLATE),
            ("templatePatch", Text),
            ("syncPolicy", Fields(&[("preserveResourcesOnDeletion", Flag), ("applicationsSync", Text)])),
        ]),
    ),
]);

const KINDS: Shape = List(&Fields(&[("group", Text), ("kind", Text), ("name", Text)]));

/// A project.
pub(crate) const PROJECT: Shape = Fields(&[
    ("metadata", METADATA),
    (
        "spec",
        Fields(&[
            ("sourceRepos", List(&Text)),
            ("destinations", List(&Fields(&[("server", Text), ("name", Text), ("namespace", Text)]))),
            ("clusterResourceWhitelist", KINDS),
            ("clusterResourceBlacklist", KINDS),
            ("namespaceResourceWhitelist", KINDS),
            ("namespaceResourceBlacklist", KINDS),
            ("sourceNamespaces", List(&Text)),
            ("permitOnlyProjectScopedClusters", Flag),
            ("roles", List(&Fields(&[("name", Text), ("policies", List(&Text)), ("groups", List(&Text))]))),
            (
                "syncWindows",
                List(&Fields(&[
                    ("kind", Text),
                    ("schedule", Text),
                    ("duration", Text),
                    ("timeZone", Text),
                    ("applications", List(&Text)),
                    ("namespaces", List(&Text)),
                    ("clusters", List(&Text)),
                ])),
            ),
        ]),
    ),
]);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_text::value;

    fn wrong(text: &str, shape: &Shape) -> String {
        mismatch(&value(text).1, shape, "").map(|(place, message)| format!("{place} {message}")).unwrap_or_default()
    }

    #[test]
    fn fields_of_another_type_are_found() {
        for (text, expected) in [
            ("spec: {source: {path: a, helm: {parameters: [{name: a, value: 'true'}]}}}", ""),
            ("spec: {source: null, destination: {}}", ""),
            (
                "spec: {source: {helm: {parameters: [{name: a, value: true}]}}}",
                "test.yaml:1:54 `spec.source.helm.parameters[0].value` is a boolean and must be a string",
            ),
            ("spec: {sources: {}}", "test.yaml:1:17 `spec.sources` is a map and must be a list"),
            ("spec: {source: {targetRevision: 1.0}}", "test.yaml:1:33 `spec.source.targetRevision` is a number and must be a string"),
            ("spec: {source: {helm: {values: {a: b}}}}", "test.yaml:1:32 `spec.source.helm.values` is a map and must be a string"),
            ("spec: {source: {kustomize: {replicas: [{name: a, count: 2}, {name: b, count: '3'}]}}}", ""),
            (
                "spec: {source: {kustomize: {replicas: [{name: a, count: 1.5}]}}}",
                "test.yaml:1:57 `spec.source.kustomize.replicas[0].count` is a number and must be a whole number or a string",
            ),
            ("metadata: {labels: {a: 1}}", "test.yaml:1:24 `metadata.labels.a` is a number and must be a string"),
            ("spec: text", "test.yaml:1:7 `spec` is a string and must be a map"),
        ] {
            assert_eq!(wrong(text, &APPLICATION), expected, "{text}");
        }
    }
}
