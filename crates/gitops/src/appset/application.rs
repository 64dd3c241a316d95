//! An Application out of a template and a set of parameters.

use std::collections::HashSet;
use std::sync::Arc;

use fedward_manifest::Source;

use super::{Set, patch};
use crate::documents::Parsed;
use crate::parameters::Parameters;
use crate::place::Place;
use crate::reason::{Reason, Stop};
use crate::shape::{APPLICATION, mismatch};
use crate::value::{Data, Value};

/// What Argo CD adds, so that what an Application deployed goes with it.
const FINALIZER: &str = "resources-finalizer.argocd.argoproj.io";

impl Set<'_> {
    /// The Application of one set of parameters.
    pub(super) fn application(&self, template: &Value, parameters: &Parameters) -> Result<Value, Stop> {
        let mut application = self.bare(template);
        // Without any parameters, Argo CD takes the template as it is, and adds nothing.
        if !parameters.values.is_empty() {
            application = self.engine.fill_value(&application, parameters, &[])?;
            let keeps = self.spec.at(&["syncPolicy", "preserveResourcesOnDeletion"]).is_some_and(|keep| keep.data == Data::Bool(true));
            if !keeps {
                add_finalizer(&mut application);
            }
        }
        if let Some(patch) = self.spec.get("templatePatch") {
            self.patch(&mut application, patch, parameters)?;
        }
        let place = application.get("metadata").map_or(&application.place, |metadata| &metadata.place).clone();
        if let Some(metadata) = application.get_mut("metadata") {
            metadata.insert("namespace", Value::string(self.namespace, &place));
        }
        application.insert("apiVersion", Value::string("argoproj.io/v1alpha1", &place));
        application.insert("kind", Value::string("Application", &place));
        Ok(application)
    }

    /// What of a template becomes an Application.
    fn bare(&self, template: &Value) -> Value {
        let place = &template.place;
        let mut metadata = Value::map(template.get("metadata").map_or(place, |metadata| &metadata.place));
        for key in ["name", "labels", "annotations", "finalizers"] {
            if let Some(value) = template.at(&["metadata", key]) {
                metadata.insert(key, value.clone());
            }
        }
        let mut application = Value::map(place);
        application.insert("metadata", metadata);
        application.insert("spec", template.get("spec").cloned().unwrap_or_else(|| Value::map(place)));
        application
    }

    fn patch(&self, application: &mut Value, written: &Value, parameters: &Parameters) -> Result<(), Stop> {
        let place = &written.place;
        let text = self.engine.fill(written.as_str().unwrap_or_default(), parameters, place)?;
        let source = Source::from_text(place.source().name().as_ref(), text);
        let source = Arc::new(source.map_err(|_| Stop::failed(place, "`templatePatch` is too long"))?);
        let parsed = Parsed::new(source, &self.around.limits.documents);
        let document = parsed.only().map_err(|problem| {
            let position = parsed.source.position(problem.span.start);
            Stop::failed(place, format!("line {} of what `templatePatch` becomes is no YAML: {}", position.line, problem.message))
        })?;
        let Some(document) = document else { return Ok(()) };
        // Its text is filled in: what comes of it is written where the patch is.
        let patch = Value::from_json(&Value::read(document, document.root()).to_json(), place);
        if patch.as_map().is_none() && !patch.is_null() {
            return Err(Stop::failed(place, format!("`templatePatch` is {} and must be a map", patch.kind())));
        }
        if let Some((_, text)) = mismatch(&patch, &APPLICATION, "") {
            return Err(Stop::failed(place, format!("in `templatePatch`, {text}")));
        }
        let project = application.at(&["spec", "project"]).cloned();
        patch::apply(application, &patch)?;
        if application.get("spec").is_none() {
            application.insert("spec", Value::map(place));
        }
        // No patch moves an Application to another project.
        if let Some(spec) = application.get_mut("spec") {
            match project {
                Some(project) => spec.insert("project", project),
                None => _ = spec.remove("project"),
            }
        }
        Ok(())
    }
}

fn add_finalizer(application: &mut Value) {
    let Some(metadata) = application.get_mut("metadata") else { return };
    if metadata.list("finalizers").next().is_none() {
        let place = metadata.place.clone();
        metadata.insert("finalizers", Value::new(Data::List(vec![Value::string(FINALIZER, &place)]), &place));
    }
}

/// Applications with what keeps Argo CD from making one: no name, or that of one before.
pub(super) fn checked(applications: Vec<Value>) -> Vec<(Value, Option<Reason>)> {
    let mut names = HashSet::new();
    let check = |application: Value| {
        let name = application.at(&["metadata", "name"]);
        let place: &Place = name.or(application.get("metadata")).map_or(&application.place, |name| &name.place);
        let name = name.and_then(Value::as_str).unwrap_or_default();
        let wrong = if name.is_empty() {
            Some(Reason::at(place, "an Application of the set has no name"))
        } else if !names.insert(name.to_owned()) {
            Some(Reason::at(place, format!("another Application of the set is called `{name}`, too")))
        } else {
            None
        };
        (application, wrong)
    };
    applications.into_iter().map(check).collect()
}
