//! What `helm template` is called with.

use super::At;
use crate::reason::Stop;
use crate::renderer::{Helm, Parameter};
use crate::value::Value;

pub(super) fn request(source: &Value, at: &At<'_>) -> Result<Helm, Stop> {
    let empty = Value::map(&source.place);
    let helm = source.get("helm").unwrap_or(&empty);
    at.owner.refs.check(source)?;
    let (kube_version, api_versions) = capabilities(source)?;
    // A helm block's namespace, a kustomize block's (overrides can bring one), the destination's.
    let own = [helm.text("namespace"), source.at(&["kustomize", "namespace"]).and_then(Value::as_str).unwrap_or_default()];
    let namespace = own.into_iter().find(|namespace| !namespace.is_empty()).unwrap_or(at.owner.namespace);
    let release = helm.text("releaseName");
    let values = match helm.get("valuesObject") {
        // An object wins, and text is not looked at then.
        Some(object) => Some(object.to_json().to_string()),
        None => Some(helm.text("values").to_owned()).filter(|values| !values.is_empty()),
    };
    let mut parameters: Vec<Parameter> = Vec::new();
    for parameter in helm.list("parameters") {
        let name = parameter.text("name").to_owned();
        let force_string = parameter.flag("forceString");
        let value = escape(&at.environment.expand(parameter.text("value")));
        // Of two with one name, the last one counts.
        parameters.retain(|other| other.name != name || other.force_string != force_string);
        parameters.push(Parameter { name, value, force_string });
    }
    let mut file_parameters = Vec::new();
    for parameter in helm.list("fileParameters") {
        let Some(path) = parameter.get("path") else {
            return Err(Stop::failed(&parameter.place, "a file parameter needs a `path`"));
        };
        file_parameters.push((parameter.text("name").to_owned(), at.parameter_file(path)?));
    }
    Ok(Helm {
        release: if release.is_empty() { at.owner.name.to_owned() } else { release.to_owned() },
        namespace: namespace.to_owned(),
        values_files: at.values_files(helm)?,
        values,
        parameters,
        file_parameters,
        skip_crds: helm.flag("skipCrds"),
        skip_tests: helm.flag("skipTests"),
        skip_schema_validation: helm.flag("skipSchemaValidation"),
        kube_version,
        api_versions,
    })
}

/// The version of Kubernetes and the versions of APIs that a source names.
pub(super) fn capabilities(source: &Value) -> Result<(Option<String>, Vec<String>), Stop> {
    let blocks = || ["helm", "kustomize"].into_iter().filter_map(|block| source.get(block));
    let written = blocks().filter_map(|block| block.get("kubeVersion")).find(|version| version.as_str() != Some(""));
    let kube_version = match written {
        None => None,
        Some(version) => {
            let text = version.as_str().unwrap_or_default();
            let parsed =
                parse_version(text).ok_or_else(|| Stop::failed(&version.place, format!("`{text}` is no version of Kubernetes")))?;
            Some(parsed)
        }
    };
    let lists = blocks().map(|block| block.texts("apiVersions").map(str::to_owned).collect::<Vec<_>>());
    Ok((kube_version, lists.into_iter().find(|list| !list.is_empty()).unwrap_or_default()))
}

/// Kubernetes' generic versions: at least two numbers, with or without a `v` before and anything but a number after them.
fn parse_version(text: &str) -> Option<String> {
    let text = text.trim().trim_start_matches('v');
    let end = text.find(|character: char| !character.is_ascii_digit() && character != '.').unwrap_or(text.len());
    let (numbers, rest) = text.split_at(end);
    let parts: Vec<&str> = numbers.split('.').collect();
    let is_number = |part: &&str| !part.is_empty() && (*part == "0" || !part.starts_with('0'));
    let has_rest = rest.is_empty() || rest.starts_with(['-', '+']);
    (parts.len() >= 2 && parts.iter().all(is_number) && has_rest).then(|| parts.join("."))
}

/// The value of a parameter of Argo CD's as `--set` has it: commas are escaped, except in a list in braces and where they already are.
#[must_use]
pub fn escape(value: &str) -> String {
    if value.starts_with('{') && value.ends_with('}') {
        return value.to_owned();
    }
    let mut out = String::with_capacity(value.len());
    let mut before = None;
    for character in value.chars() {
        if character == ',' && before != Some('\\') {
            out.push('\\');
        }
        out.push(character);
        before = Some(character);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commas_are_escaped_but_in_lists() {
        assert_eq!(escape("a,b"), "a\\,b");
        assert_eq!(escape("a\\,b"), "a\\,b");
        assert_eq!(escape("{a,b}"), "{a,b}");
        assert_eq!(escape("{a,b"), "{a\\,b");
        assert_eq!(escape(",a,,b"), "\\,a\\,\\,b");
    }

    #[test]
    fn versions_of_kubernetes_are_generic() {
        for (text, expected) in [
            ("v1.33.1", Some("1.33.1")),
            ("1.33", Some("1.33")),
            ("1.33.1-eks-a84eabc", Some("1.33.1")),
            ("v1.30.0+k3s1", Some("1.30.0")),
            ("1", None),
            ("latest", None),
            ("1.33.x", None),
        ] {
            assert_eq!(parse_version(text).as_deref(), expected, "{text}");
        }
    }
}
