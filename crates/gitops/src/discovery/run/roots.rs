//! What nobody deploys here, and has Applications in it: charts and kustomizations that a person builds, and what is taken as it is written where
//! these cannot be built.

use std::collections::BTreeSet;
use std::sync::Arc;

use rayon::prelude::*;

use super::Run;
use crate::application::State;
use crate::discovery::found::{Role, role};
use crate::discovery::{Home, Parent, Root};
use crate::manifest::Manifest;
use crate::path;
use crate::reason::Reason;
use crate::renderer::{Helm, Kustomize, Render, Renderer, SourceRequest, Tool};
use crate::settings::Settings;
use crate::source::SourceType;

impl Run<'_> {
    /// Remembers the folders that the sources of an Application built.
    pub(super) fn note_built(&mut self, at: usize) {
        let Some(app) = self.out.applications.get(at) else { return };
        for source in &app.sources {
            // What a plugin was run on is built; what no plugin was run on may be a chart or a kustomization all the same.
            let is_tool = match source.kind {
                Some(SourceType::Helm | SourceType::Kustomize) => true,
                Some(SourceType::Plugin) => source.result.is_ok(),
                Some(SourceType::Directory) | None => false,
            };
            if let Some((checkout, folder)) = source.place.as_ref().filter(|_| is_tool) {
                let key = (Arc::as_ptr(checkout).addr(), folder.clone());
                *self.built.entry(key).or_default() |= source.result.is_ok();
            }
        }
    }

    /// Whether a folder of the main checkout was built, and that worked.
    fn is_built(&self, folder: &str) -> Option<bool> {
        let checkout = self.main.as_ref()?;
        self.built.get(&(Arc::as_ptr(checkout).addr(), folder.to_owned())).copied()
    }

    /// Builds the charts and kustomizations that have Applications and that nobody deploys.
    pub(super) fn roots(&mut self) -> bool {
        let Some(checkout) = &self.main else { return false };
        // Settings are read as they stand: the manifests of Argo CD itself are large, and are built in many ways.
        let is_unseen = |manifest: &Manifest| {
            role(manifest) != Some(Role::Settings) && !self.seen_files.contains(manifest.place.source().name().as_ref())
        };
        let used: BTreeSet<String> =
            self.held.iter().filter(|(manifest, _)| is_unseen(manifest)).flat_map(|(_, holders)| holders.clone()).collect();
        let kustomizations = checkout.layout().top_kustomizations(&used).into_iter().map(|folder| (folder, false));
        let charts = self.charts.iter().map(|folder| (folder.clone(), true));
        let now: Vec<(String, bool)> = kustomizations.chain(charts).filter(|(folder, _)| self.is_built(folder).is_none()).collect();
        let (checkout, renderer) = (Arc::clone(checkout), self.options.renderer);
        let (settings, namespace) = (self.out.settings.clone(), self.out.settings.namespace.clone());
        let renders: Vec<Render> =
            now.par_iter().map(|(folder, is_chart)| build(&checkout, folder, *is_chart, &settings, renderer)).collect();
        self.charts.clear();
        for ((folder, is_chart), render) in now.iter().zip(renders) {
            let at = self.out.roots.len();
            let (stopped, manifests) = match render {
                Render::Done(manifests) => (None, manifests),
                Render::Deferred(why) => (Some(State::Deferred(vec![Reason::new(why)])), Vec::new()),
                Render::Failed(why) => (Some(State::Failed(Reason::new(why))), Vec::new()),
            };
            self.built.insert((Arc::as_ptr(&checkout).addr(), folder.clone()), stopped.is_none());
            self.out.roots.push(Root { folder: folder.clone(), is_chart: *is_chart, stopped });
            for manifest in manifests {
                self.take(&manifest, Parent::Root(at), 0, &namespace);
            }
        }
        !now.is_empty()
    }

    /// Takes what is held by something that could not be built as it is written.
    pub(super) fn as_written(&mut self) -> bool {
        let held = std::mem::take(&mut self.held);
        let Some(main) = &self.main else { return false };
        // What was built holds all that it builds on, even where the result does not say where it comes from.
        let done: BTreeSet<String> =
            self.built.iter().filter(|(_, worked)| **worked).flat_map(|((_, folder), _)| main.layout().closure(folder)).collect();
        // Several objects of one file are each taken: what is seen from here on is no reason to pass over another.
        let seen = std::mem::take(&mut self.seen_files);
        let mut any = false;
        for (manifest, holders) in held {
            let is_seen = seen.contains(manifest.place.source().name().as_ref());
            if !is_seen && !holders.iter().any(|holder| done.contains(holder)) {
                any |= matches!(role(&manifest), Some(Role::Application | Role::Set));
                self.take(&manifest, Parent::AsWritten, 0, "");
            }
        }
        self.seen_files = seen;
        any
    }
}

fn build(checkout: &Home, folder: &str, is_chart: bool, settings: &Settings, renderer: &dyn Renderer) -> Render {
    let name = if folder.is_empty() { "chart" } else { path::name(folder) };
    let helm = Helm { release: name.to_owned(), namespace: settings.namespace.clone(), ..Helm::default() };
    let kustomize = Kustomize { build_options: settings.build_options.clone(), ..Kustomize::default() };
    let tool = if is_chart { Tool::Helm(&helm) } else { Tool::Kustomize(&kustomize) };
    renderer.render(&SourceRequest { checkout, path: folder, application: name, tool })
}
