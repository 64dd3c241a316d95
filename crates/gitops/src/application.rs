//! Applications: from what is written to what is to be applied.

use std::collections::HashMap;

use rayon::prelude::*;

use crate::clusters::{Clusters, IN_CLUSTER};
use crate::manifest::Manifest;
use crate::place::Place;
use crate::reason::{Reason, Stop};
use crate::shape::{APPLICATION, mismatch};
use crate::source::{self, Around, Owner, Refs, Source};
use crate::value::Value;

/// What became of an Application.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// All its sources are rendered.
    Rendered,
    /// Some of it could not be known.
    Partial(Vec<Reason>),
    /// Nothing of it could be.
    Deferred(Vec<Reason>),
    /// Argo CD would not deploy it.
    Failed(Reason),
}

/// An object of an Application, as it would be applied.
#[derive(Clone, Debug)]
pub struct Resource {
    /// The object.
    pub manifest: Manifest,
    /// Which source it is of.
    pub source: usize,
    /// The namespace that it is applied to: its own, or the destination's. Empty for what has none.
    pub namespace: String,
    /// Whether its kind has a namespace; `None` if nobody knows, and then Argo CD takes it for one that has.
    pub namespaced: Option<bool>,
}

/// What an Application says of where it goes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Destination {
    /// The cluster's address.
    pub server: String,
    /// Or its name.
    pub name: String,
    /// Of what names none.
    pub namespace: String,
}

/// What rendering an Application gave.
#[derive(Debug)]
pub(crate) struct Rendered {
    /// What became of it.
    pub(crate) state: State,
    /// Its sources, in their order.
    pub(crate) sources: Vec<Source>,
    /// Its objects, in the order of the sources. Of several with one kind, namespace and name, Argo CD takes the last.
    pub(crate) resources: Vec<Resource>,
    /// The others of those.
    pub(crate) repeated: Vec<Resource>,
}

/// Says of a kind, by group and name, whether it has namespaces.
pub type Scopes<'a> = &'a (dyn Fn(&str, &str) -> Option<bool> + Sync);

/// The destination of an Application.
pub(crate) fn destination(application: &Value) -> Destination {
    let text = |key: &str| application.at(&["spec", "destination", key]).and_then(Value::as_str).unwrap_or_default().to_owned();
    Destination { server: text("server"), name: text("name"), namespace: text("namespace") }
}

/// The project of an Application.
pub(crate) fn project(application: &Value) -> &str {
    let project = application.at(&["spec", "project"]).and_then(Value::as_str).unwrap_or_default();
    if project.is_empty() { "default" } else { project }
}

/// Resolves and renders the sources of an Application. `namespace` is the Application's own.
pub(crate) fn render(application: &Value, namespace: &str, clusters: &Clusters, scopes: Scopes<'_>, around: Around<'_>) -> Rendered {
    let failed = |reason| Rendered { state: State::Failed(reason), sources: Vec::new(), resources: Vec::new(), repeated: Vec::new() };
    let (sources, is_multiple) = match checked(application, clusters) {
        Ok(sources) => sources,
        Err(reason) => return failed(reason),
    };
    let refs = match Refs::new(&sources, is_multiple) {
        Ok(refs) => refs,
        Err(reason) => return failed(reason),
    };
    let name = application.at(&["metadata", "name"]).and_then(Value::as_str).unwrap_or_default();
    let destination = destination(application);
    let owner = Owner {
        instance: if namespace == around.settings.namespace { name.to_owned() } else { format!("{namespace}_{name}") },
        name,
        project: project(application),
        namespace: &destination.namespace,
        refs,
    };
    let sources: Vec<Source> = sources.par_iter().map(|spec| source::render(spec, &owner, around)).collect();
    let state = state(&sources);
    let (mut resources, mut repeated) = (Vec::new(), Vec::new());
    if !matches!(state, State::Failed(_)) {
        (resources, repeated) = normalised(&sources, &destination.namespace, scopes);
    }
    Rendered { state, sources, resources, repeated }
}

/// The sources of an Application in which nothing is wrong by itself.
fn checked(application: &Value, clusters: &Clusters) -> Result<(Vec<Value>, bool), Reason> {
    if let Some((place, text)) = mismatch(application, &APPLICATION, "") {
        return Err(Reason { text, place: Some(place) });
    }
    let Some(spec) = application.get("spec") else { return Err(Reason::at(&application.place, "there is no `spec`")) };
    let (sources, is_multiple) = if let Some(hydrator) = spec.get("sourceHydrator") {
        (vec![dry_source(hydrator)?], false)
    } else if spec.list("sources").next().is_some() {
        (spec.list("sources").cloned().collect::<Vec<_>>(), true)
    } else if let Some(source) = spec.get("source") {
        (vec![source.clone()], false)
    } else {
        return Err(Reason::at(&spec.place, "there is no `source`, and there are no `sources`"));
    };
    if let Some(reason) = sources.iter().find_map(|source| source::check(source, is_multiple)) {
        return Err(reason);
    }
    let destination = destination(application);
    let place = spec.get("destination").map_or(&spec.place, |destination| &destination.place);
    if !destination.server.is_empty() && !destination.name.is_empty() {
        let what = format!("the destination has both `name`, `{}`, and `server`, `{}`", destination.name, destination.server);
        return Err(Reason::at(place, what));
    }
    if destination.server.is_empty() && destination.name.is_empty() {
        return Err(Reason::at(place, "the destination has neither `server` nor `name`"));
    }
    let is_known = destination.name.is_empty() || destination.name == IN_CLUSTER || clusters.known.contains_key(&destination.name);
    if clusters.complete && !is_known {
        return Err(Reason::at(place, format!("there is no cluster `{}`", destination.name)));
    }
    Ok((sources, is_multiple))
}

/// What a hydrator hydrates: the source that a person edits.
fn dry_source(hydrator: &Value) -> Result<Value, Reason> {
    let text = |keys: &[&str]| hydrator.at(keys).and_then(Value::as_str).unwrap_or_default();
    let missing = |what: &str| Reason::at(&hydrator.place, format!("a source hydrator needs `{what}`"));
    if text(&["drySource", "repoURL"]).is_empty() {
        return Err(missing("drySource.repoURL"));
    }
    if text(&["syncSource", "targetBranch"]).is_empty() {
        return Err(missing("syncSource.targetBranch"));
    }
    if hydrator.get("hydrateTo").is_some() && text(&["hydrateTo", "targetBranch"]).is_empty() {
        return Err(missing("hydrateTo.targetBranch"));
    }
    let mut source = hydrator.get("drySource").cloned().unwrap_or_else(|| Value::map(&hydrator.place));
    ["chart", "ref", "name", "tagPrefix"].iter().for_each(|key| _ = source.remove(key));
    Ok(source)
}

fn state(sources: &[Source]) -> State {
    let stops = || sources.iter().filter_map(|source| source.result.as_ref().err());
    if let Some(Stop::Failed(reason)) = stops().find(|stop| matches!(stop, Stop::Failed(_))) {
        return State::Failed(reason.clone());
    }
    let deferred: Vec<Reason> = stops().map(|stop| stop.reason().clone()).collect();
    let any_rendered = sources.iter().any(|source| source.result.is_ok() && !source.only_ref);
    match (deferred.is_empty(), any_rendered) {
        (true, _) => State::Rendered,
        (false, true) => State::Partial(deferred),
        (false, false) => State::Deferred(deferred),
    }
}

/// Objects with the namespaces that they go to, and those of which a later one takes the place.
fn normalised(sources: &[Source], namespace: &str, scopes: Scopes<'_>) -> (Vec<Resource>, Vec<Resource>) {
    let mut resources: Vec<Option<Resource>> = Vec::new();
    let mut repeated = Vec::new();
    let mut seen: HashMap<[String; 4], usize> = HashMap::new();
    for (index, source) in sources.iter().enumerate() {
        for manifest in source.result.iter().flatten() {
            let (group, kind) = manifest.kind();
            let namespaced = scopes(group, kind);
            let own = manifest.text("/metadata/namespace");
            let namespace = match (namespaced, own) {
                (Some(false), _) => "",
                (_, "") => namespace,
                (_, own) => own,
            };
            let name = manifest.text("/metadata/name");
            let key = [group.to_owned(), kind.to_owned(), namespace.to_owned(), name.to_owned()];
            let resource = Resource { manifest: manifest.clone(), source: index, namespace: namespace.to_owned(), namespaced };
            // A generated name is another one every time.
            if !name.is_empty()
                && let Some(before) = seen.insert(key, resources.len())
            {
                repeated.extend(resources.get_mut(before).and_then(Option::take));
            }
            resources.push(Some(resource));
        }
    }
    (resources.into_iter().flatten().collect(), repeated)
}

/// What an Application is called, for messages: its name, or what its name begins with.
pub(crate) fn name_of(application: &Value) -> (&str, &Place) {
    let metadata = application.get("metadata");
    let named = |key: &str| metadata.and_then(|metadata| metadata.get(key)).filter(|name| name.as_str() != Some(""));
    match named("name").or_else(|| named("generateName")) {
        Some(name) => (name.as_str().unwrap_or_default(), &name.place),
        None => ("", metadata.map_or(&application.place, |metadata| &metadata.place)),
    }
}
