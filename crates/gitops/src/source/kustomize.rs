//! How a kustomization is edited and built.

use super::helm::capabilities;
use super::{At, is_kustomization};
use crate::checkout::Entry;
use crate::path;
use crate::reason::Stop;
use crate::renderer::Kustomize;
use crate::value::{Data, Value};

pub(super) fn request(source: &Value, at: &At<'_>) -> Result<Kustomize, Stop> {
    let empty = Value::map(&source.place);
    let options = source.get("kustomize").unwrap_or(&empty);
    let (kube_version, api_versions) = capabilities(source)?;
    let expand = |text: &str| at.environment.expand(text);
    let mut replicas = Vec::new();
    for replica in options.list("replicas") {
        let count = replica.get("count").map(|count| (count, whole(count)));
        match count {
            Some((_, Some(count))) => replicas.push((replica.text("name").to_owned(), count)),
            Some((count, None)) => return Err(Stop::failed(&count.place, "`count` is no whole number")),
            None => replicas.push((replica.text("name").to_owned(), 0)),
        }
    }
    let substitutes = options.flag("commonAnnotationsEnvsubst");
    let annotation = |(key, value): (&str, &str)| (key.to_owned(), if substitutes { expand(value) } else { value.to_owned() });
    Ok(Kustomize {
        name_prefix: options.text("namePrefix").to_owned(),
        name_suffix: options.text("nameSuffix").to_owned(),
        images: options.texts("images").map(expand).collect(),
        replicas,
        labels: options.entries("commonLabels").map(|(key, value)| (key.to_owned(), expand(value))).collect(),
        force_labels: options.flag("forceCommonLabels"),
        labels_without_selector: options.flag("labelWithoutSelector"),
        labels_include_templates: options.flag("labelIncludeTemplates"),
        annotations: options.entries("commonAnnotations").map(annotation).collect(),
        force_annotations: options.flag("forceCommonAnnotations"),
        namespace: options.text("namespace").to_owned(),
        patches: options.list("patches").map(Value::to_json).collect(),
        components: components(options, at),
        build_options: at.around.settings.build_options.clone(),
        kube_version,
        api_versions,
    })
}

fn whole(value: &Value) -> Option<i64> {
    match &value.data {
        Data::Number(number) => number.as_i64(),
        Data::String(text) => text.strip_prefix('+').unwrap_or(text).parse().ok(),
        _ => None,
    }
}

/// The components that are added. Where missing ones are to be passed over, Argo CD stops at the first that is there.
fn components(options: &Value, at: &At<'_>) -> Vec<String> {
    let components = options.texts("components").map(str::to_owned);
    if !options.flag("ignoreMissingComponents") {
        return components.collect();
    }
    let is_there = |component: &String| {
        let Some(folder) = path::join(at.folder, component) else { return false };
        let Ok((folder, Entry::Folder)) = at.checkout.follow(&folder) else { return false };
        at.checkout
            .below(&folder)
            .any(|(file, _)| path::folder(file) == folder && is_kustomization(path::name(file)) && at.checkout.is_file(file))
    };
    components.into_iter().find(is_there).into_iter().collect()
}
