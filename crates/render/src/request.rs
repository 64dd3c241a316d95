//! A source as the module reads it (`renderers/main.go`).

use serde_json::{Value, json};

use crate::source::{Helm, Jsonnet, Source, Values, Variable};
use crate::{Kustomize, paths};

/// The request; an error names the path that leads out of the root.
pub(crate) fn request(source: &Source) -> Result<Value, String> {
    Ok(match source {
        Source::Helm(helm) => json!({ "helm": of_helm(helm)? }),
        Source::Kustomize(kustomize) => json!({ "kustomize": of_kustomize(kustomize)? }),
        Source::Jsonnet(jsonnet) => json!({ "jsonnet": of_jsonnet(jsonnet)? }),
    })
}

/// The guest's path for a path of the source.
fn guest(path: &str) -> Result<String, String> {
    paths::guest(path).ok_or_else(|| path.to_owned())
}

fn of_helm(helm: &Helm) -> Result<Value, String> {
    let mut values = Vec::new();
    for value in &helm.values {
        values.push(match value {
            // An address, which the module tells from a path as Helm does.
            Values::File(address) if address.contains("://") => json!({ "file": address }),
            Values::File(path) => json!({ "file": guest(path)? }),
            Values::Text { name, text } => json!({ "file": name, "text": text }),
        });
    }
    let mut set_file = Vec::new();
    for text in &helm.set_file {
        // Helm reads these itself, commas and all: only what begins at the root is written anew.
        set_file.push(text.replace("=/", &format!("={}/", paths::MOUNT)));
    }
    Ok(json!({
        "chart": guest(&helm.chart)?,
        "releaseName": helm.release_name,
        "namespace": helm.namespace,
        "kubeVersion": helm.kube_version.as_deref().unwrap_or_default(),
        "apiVersions": helm.api_versions,
        "values": values,
        "setJson": helm.set_json,
        "set": helm.set,
        "setString": helm.set_string,
        "setFile": set_file,
        "setLiteral": helm.set_literal,
        "folder": guest(helm.folder.as_deref().unwrap_or(&helm.chart))?,
        "includeCrds": helm.include_crds,
        "skipTests": helm.skip_tests,
        "skipSchemaValidation": helm.skip_schema_validation,
    }))
}

fn of_kustomize(kustomize: &Kustomize) -> Result<Value, String> {
    Ok(json!({
        "folder": guest(&kustomize.folder)?,
        "edits": kustomize.edits(),
        "loadRestrictionsNone": kustomize.load_restrictions_none,
    }))
}

fn of_jsonnet(jsonnet: &Jsonnet) -> Result<Value, String> {
    let variables = |variables: &[Variable]| {
        variables.iter().map(|given| json!({ "name": given.name, "value": given.value, "code": given.code })).collect::<Vec<_>>()
    };
    let libs = jsonnet.libs.iter().map(|path| guest(path)).collect::<Result<Vec<_>, _>>()?;
    Ok(json!({
        "file": guest(&jsonnet.file)?,
        "extVars": variables(&jsonnet.ext_vars),
        "tlas": variables(&jsonnet.tlas),
        "libs": libs,
    }))
}
