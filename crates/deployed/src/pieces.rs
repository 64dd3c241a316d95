//! What rendering left: its parts, and what each was made with.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use fedward_gitops::{Checkout, Place, renderer};
use fedward_manifest::Source as Text;

use crate::origins::parts::kind;

/// A part of what was rendered: one template's document, one resource.
#[derive(Debug)]
pub(crate) struct Piece {
    /// What was rendered.
    pub(crate) source: Arc<Text>,
    /// The repository that it was made from.
    pub(crate) checkout: Arc<Checkout>,
    /// The file in it, if that is known.
    pub(crate) file: Option<String>,
    /// The template in the archive that the file is.
    pub(crate) inside: Option<String>,
    /// What the renderer calls it.
    pub(crate) name: String,
    /// The files that changed it afterwards.
    pub(crate) changed_by: Vec<String>,
    /// What it was made with.
    pub(crate) made: Made,
}

/// What a piece was made with.
#[derive(Debug, Clone)]
pub(crate) enum Made {
    /// A chart with values.
    Helm(Arc<Release>),
    /// A kustomization, in a folder of the checkout.
    Kustomize(String),
    /// A Jsonnet file.
    Jsonnet,
    /// A plugin, which this has build it.
    Plugin(Place),
}

/// A chart as it is asked for.
#[derive(Debug)]
pub(crate) struct Release {
    /// The repository of the chart.
    pub(crate) checkout: Arc<Checkout>,
    /// Its folder or archive there.
    pub(crate) chart: String,
    /// What it is rendered with.
    pub(crate) helm: renderer::Helm,
    values: OnceLock<Option<Arc<Text>>>,
    /// What came out of each template, by what the renderer calls it, in the order of the result.
    outputs: Mutex<HashMap<String, Arc<Vec<Output>>>>,
}

/// A text that came out of a template.
#[derive(Debug, Clone)]
pub(crate) struct Output {
    pub(crate) name: Arc<str>,
    /// The kind of its object, if that is only one.
    pub(crate) kind: Option<String>,
    /// Whether it is several documents.
    pub(crate) is_several: bool,
    pub(crate) hook: bool,
}

impl Output {
    pub(crate) fn new(source: &Text, hook: bool) -> Self {
        let lines = || source.text().lines();
        let is_several = lines().filter(|line| line.starts_with("---")).count() > 1;
        let kind = lines().find_map(kind).filter(|_| !is_several).map(str::to_owned);
        Output { name: Arc::clone(source.name()), kind, is_several, hook }
    }
}

impl Release {
    pub(crate) fn new(checkout: &Arc<Checkout>, chart: &str, helm: &renderer::Helm) -> Self {
        Release {
            checkout: Arc::clone(checkout),
            chart: chart.to_owned(),
            helm: helm.clone(),
            values: OnceLock::new(),
            outputs: Mutex::default(),
        }
    }

    /// The values that the Application itself has.
    pub(crate) fn values(&self) -> Option<Arc<Text>> {
        let read = || Text::from_text("values", self.helm.values.clone()?).ok().map(Arc::new);
        self.values.get_or_init(read).clone()
    }

    /// Notes what came out of a template.
    pub(crate) fn add(&self, name: &str, output: Output) {
        let mut outputs = self.outputs.lock().unwrap_or_else(PoisonError::into_inner);
        // Nobody else has them before the render is done.
        Arc::make_mut(outputs.entry(name.to_owned()).or_default()).push(output);
    }

    /// What came out of a template, in the order of the result.
    pub(crate) fn outputs(&self, name: &str) -> Arc<Vec<Output>> {
        self.outputs.lock().unwrap_or_else(PoisonError::into_inner).get(name).cloned().unwrap_or_default()
    }
}
