//! What Argo CD wants rendered, in the words of the renderers.

use fedward_gitops::renderer::{self, SourceRequest, Tool};
use fedward_render::Source;
use serde_json::{Map, Value};

/// A request in the words of the renderers.
///
/// # Errors
/// What no renderer can be asked for, and values that are no text.
pub(crate) fn source(request: &SourceRequest<'_>) -> Result<Source, String> {
    Ok(match &request.tool {
        Tool::Helm(helm) => Source::Helm(of_helm(request.path, helm)?),
        Tool::Kustomize(kustomize) => Source::Kustomize(of_kustomize(request.path, kustomize)?),
        Tool::Jsonnet(jsonnet) => Source::Jsonnet(of_jsonnet(jsonnet)),
        Tool::Plugin(plugin) => return Err(format!("no renderer is plugin `{}`", plugin.name)),
    })
}

fn of_helm(chart: &str, helm: &renderer::Helm) -> Result<fedward_render::Helm, String> {
    let text = |file: &renderer::ValuesFile| {
        let text = std::str::from_utf8(&file.bytes).map_err(|_| format!("`{}` is not UTF-8", file.name))?;
        Ok::<_, String>((file.name.clone(), text.to_owned()))
    };
    let mut values = Vec::new();
    for file in &helm.values_files {
        let (name, text) = text(file)?;
        values.push(fedward_render::Values::Text { name, text });
    }
    if let Some(text) = &helm.values {
        values.push(fedward_render::Values::Text { name: "the values of the Application".to_owned(), text: text.clone() });
    }
    let pair = |parameter: &renderer::Parameter| format!("{}={}", parameter.name, parameter.value);
    let of_kind = |force: bool| helm.parameters.iter().filter(move |parameter| parameter.force_string == force).map(pair).collect();
    let mut set_literal = Vec::new();
    for (name, file) in &helm.file_parameters {
        set_literal.push(format!("{name}={}", text(file)?.1));
    }
    Ok(fedward_render::Helm {
        chart: chart.to_owned(),
        release_name: helm.release.clone(),
        namespace: if helm.namespace.is_empty() { "default".to_owned() } else { helm.namespace.clone() },
        kube_version: helm.kube_version.clone(),
        api_versions: helm.api_versions.clone(),
        values,
        set: of_kind(false),
        set_string: of_kind(true),
        set_literal,
        include_crds: !helm.skip_crds,
        skip_tests: helm.skip_tests,
        skip_schema_validation: helm.skip_schema_validation,
        ..fedward_render::Helm::default()
    })
}

fn of_kustomize(folder: &str, kustomize: &renderer::Kustomize) -> Result<fedward_render::Kustomize, String> {
    let mut replicas = Vec::new();
    for (name, count) in &kustomize.replicas {
        replicas.push((name.clone(), u64::try_from(*count).map_err(|_| format!("`{name}` cannot have {count} replicas"))?));
    }
    let text = |patch: &Value, key: &str| patch.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let map = |patch: &Value, key: &str| patch.get(key).and_then(Value::as_object).cloned().unwrap_or_else(Map::new);
    let patch = |patch: &Value| fedward_render::Patch {
        path: text(patch, "path"),
        patch: text(patch, "patch"),
        target: map(patch, "target"),
        options: map(patch, "options"),
    };
    Ok(fedward_render::Kustomize {
        folder: folder.to_owned(),
        name_prefix: kustomize.name_prefix.clone(),
        name_suffix: kustomize.name_suffix.clone(),
        images: kustomize.images.clone(),
        replicas,
        common_labels: kustomize.labels.clone(),
        force_common_labels: kustomize.force_labels,
        label_without_selector: kustomize.labels_without_selector,
        label_include_templates: kustomize.labels_include_templates,
        common_annotations: kustomize.annotations.clone(),
        force_common_annotations: kustomize.force_annotations,
        namespace: kustomize.namespace.clone(),
        patches: kustomize.patches.iter().map(patch).collect(),
        components: kustomize.components.clone(),
        load_restrictions_none: kustomize.build_options.iter().any(|option| option.ends_with("LoadRestrictionsNone")),
    })
}

fn of_jsonnet(jsonnet: &renderer::Jsonnet) -> fedward_render::Jsonnet {
    let variables = |variables: &[renderer::Variable]| {
        let of = |given: &renderer::Variable| fedward_render::Variable {
            name: given.name.clone(),
            value: given.value.clone(),
            code: given.code,
        };
        variables.iter().map(of).collect()
    };
    fedward_render::Jsonnet {
        file: jsonnet.file.clone(),
        ext_vars: variables(&jsonnet.external),
        tlas: variables(&jsonnet.arguments),
        libs: jsonnet.libraries.clone(),
    }
}
