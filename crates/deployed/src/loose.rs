//! Charts and kustomizations that a person names, and that no Application need deploy.

use std::sync::Arc;

use fedward_gitops::renderer::{Helm, Kustomize, Render, Renderer as _, SourceRequest, Tool};
use fedward_gitops::{Checkout, Manifest};
use fedward_outcome::State;
use fedward_render::KUSTOMIZATIONS;

use crate::origins::join;
use crate::sandbox::Sandbox;

/// A folder that is rendered as `helm template` or `kustomize build` does it, with nothing else said.
pub(crate) struct Loose {
    /// `chart` or `kustomization`.
    pub(crate) kind: &'static str,
    pub(crate) checkout: Arc<Checkout>,
    /// From the root; empty for the root itself.
    pub(crate) folder: String,
    /// The objects, or why there are none.
    pub(crate) result: Result<Vec<Manifest>, (State, String)>,
}

impl Loose {
    /// Renders a folder; `None` if nothing would.
    pub(crate) fn render(sandbox: &Sandbox, checkout: &Arc<Checkout>, folder: &str, namespace: &str) -> Option<Self> {
        let is_there = |name: &str| checkout.is_file(&join(folder, name));
        let is_kustomization = KUSTOMIZATIONS.into_iter().any(is_there);
        if !is_kustomization && !is_there("Chart.yaml") {
            return None;
        }
        let helm = Helm { release: "release-name".to_owned(), namespace: namespace.to_owned(), ..Helm::default() };
        let kustomize = Kustomize::default();
        let tool = if is_kustomization { Tool::Kustomize(&kustomize) } else { Tool::Helm(&helm) };
        let result = match sandbox.render(&SourceRequest { checkout, path: folder, application: "", tool }) {
            Render::Done(manifests) => Ok(manifests),
            Render::Deferred(why) => Err((State::Deferred, why)),
            Render::Failed(why) => Err((State::Failed, why)),
        };
        let kind = if is_kustomization { "kustomization" } else { "chart" };
        Some(Loose { kind, checkout: Arc::clone(checkout), folder: folder.to_owned(), result })
    }

    /// What outputs call the folder.
    pub(crate) fn name(&self) -> String {
        let shown = self.checkout.shown(&self.folder);
        let shown = shown.trim_end_matches('/');
        if shown.is_empty() { ".".to_owned() } else { shown.to_owned() }
    }
}
