//! Which value was put into a line of a template.

use std::sync::Arc;

use fedward_gitops::{Application, Value, renderer};
use fedward_manifest::{Document, Source};
use fedward_outcome::{Location, Related};

use super::{Origins, documents, join};
use crate::sandbox::Piece;

/// Where the value of `template`, a line with `{{ .Values.a.b }}` in it and no other action, is written, if `rendered` shows that value.
pub(super) fn trace(
    origins: &mut Origins<'_>,
    piece: &Piece,
    chart: &str,
    helm: &renderer::Helm,
    rendered: &str,
    template: &str,
) -> Option<Related> {
    // The values of a chart in a chart are others.
    if piece.name.matches("/charts/").count() > 0 {
        return None;
    }
    let (keys, value) = scalar(rendered, template)?;
    let path = keys.join(".");
    let related = |location| Some(Related { location, message: format!("`{path}` is set here") });
    if helm.parameters.iter().any(|parameter| parameter.name == path || parameter.name.starts_with(&format!("{path}."))) {
        let application = application(origins, piece)?;
        let place = parameters(application).find(|parameter| parameter.text("name") == path)?.get("value")?;
        return (place.as_str()? == value)
            .then(|| Location { source: Arc::clone(place.place.source()), span: place.place.span(), pointer: String::new() })
            .and_then(related);
    }
    if let Some(text) = &helm.values {
        let source = Arc::new(Source::from_text("values", text.clone()).ok()?);
        if let Some(found) = look_up(&documents(&source), &keys) {
            let application = application(origins, piece)?;
            let place = blocks(application).find_map(|helm| {
                let object = helm.get("valuesObject");
                object.map_or_else(|| helm.get("values"), |object| object.at(&keys))
            })?;
            let location = Location { source: Arc::clone(place.place.source()), span: place.place.span(), pointer: String::new() };
            return (found.1 == value).then_some(location).and_then(related);
        }
    }
    let names: Vec<String> = helm.values_files.iter().rev().map(|file| file.name.clone()).collect();
    let own = piece.checkout.shown(&join(chart, "values.yaml"));
    for name in names.iter().chain([&own]) {
        let Some(source) = origins.shown(name) else { continue };
        if let Some((span, found)) = look_up(&origins.documents(&source), &keys) {
            return (found == value).then_some(Location { source, span, pointer: String::new() }).and_then(related);
        }
    }
    None
}

fn application<'d>(origins: &Origins<'d>, piece: &Piece) -> Option<&'d Application> {
    let number = origins.deployers(piece.source.name()).first()?;
    origins.deployed.discovery.applications.get(*number)
}

/// The `helm` blocks of an Application's sources.
fn blocks(application: &Application) -> impl Iterator<Item = &Value> {
    application.sources.iter().filter_map(|source| source.effective.get("helm"))
}

fn parameters(application: &Application) -> impl Iterator<Item = &Value> {
    blocks(application).flat_map(|helm| helm.list("parameters"))
}

/// The keys of the one value that a line of a template puts in, and what stands there in the rendered line.
fn scalar<'t>(rendered: &'t str, template: &'t str) -> Option<(Vec<&'t str>, String)> {
    let (before, rest) = template.trim().split_once("{{")?;
    let (action, after) = rest.split_once("}}")?;
    if after.contains("{{") {
        return None;
    }
    let mut words = action.trim_matches(['-', ' ']).split('|').map(str::trim);
    let path = words.next()?.trim_start_matches('$').strip_prefix(".Values.")?;
    let is_key = |key: &str| !key.is_empty() && key.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_');
    let keys: Vec<&str> = path.split('.').collect();
    if !keys.iter().all(|key| is_key(key)) || !words.all(|word| matches!(word, "quote" | "squote" | "toString" | "trim")) {
        return None;
    }
    let value = rendered.trim().strip_prefix(before.trim_end())?.trim_start().strip_suffix(after.trim())?;
    Some((keys, value.trim().trim_matches(['"', '\'']).to_owned()))
}

/// Where keys lead in a file of values, and to which scalar.
fn look_up(documents: &[Document], keys: &[&str]) -> Option<(fedward_manifest::Span, String)> {
    let root = documents.iter().find(|document| !document.is_empty())?.root();
    let node = keys.iter().try_fold(root, |node, key| node.get(key))?;
    let text = node.as_str().map_or_else(
        || {
            let mut json = Vec::new();
            node.write_json(&mut json);
            String::from_utf8(json).unwrap_or_default()
        },
        str::to_owned,
    );
    Some((node.place(), text))
}

#[cfg(test)]
mod tests {
    use super::scalar;

    #[test]
    fn only_a_value_by_itself_is_traced() {
        let found = |rendered, template| scalar(rendered, template).map(|(keys, value)| (keys.join("."), value));
        assert_eq!(found("a: b", "a: {{ .Values.x.y }}"), Some(("x.y".to_owned(), "b".to_owned())));
        assert_eq!(found("a: \"b\"", "a: {{- $.Values.x | quote }}"), Some(("x".to_owned(), "b".to_owned())));
        assert_eq!(found("image: web:1.0", "image: web:{{ .Values.tag }}"), Some(("tag".to_owned(), "1.0".to_owned())));
        for template in [
            "a: {{ .Values.x | default \"b\" }}",
            "a: {{ include \"x\" . }}",
            "a: {{ .Values.x }}{{ .Values.y }}",
            "a: b",
            "{{ .Values.x-y }}",
        ] {
            assert_eq!(found("a: b", template), None, "{template}");
        }
    }
}
