//! What a plugin printed as a piece of what is rendered.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use fedward_gitops::renderer::{Render, SourceRequest};
use fedward_gitops::{Manifest, Origin, plugin};
use fedward_manifest::Source as Text;

use super::Stopped;
use crate::pieces::{Made, Piece};
use crate::sandbox::Sandbox;

impl Sandbox {
    /// Has what a person names for it build what a plugin would.
    pub(crate) fn plugged(&self, request: &SourceRequest<'_>, plugin: &plugin::Plugin) -> Render {
        let text = match self.plugins().run(request, plugin) {
            Ok(text) => text,
            Err(Stopped::Deferred(why)) => return Render::Deferred(why),
            Err(Stopped::Failed(why)) => return Render::Failed(why),
        };
        let mut hasher = DefaultHasher::new();
        // What several Applications have built in one folder is written in as many places.
        (&text, plugin.place.to_string()).hash(&mut hasher);
        let id = format!("{}#{}#{:016x}", request.checkout.shown(request.path), request.application, hasher.finish());
        let read = Text::from_text(id, text).map_err(|error| format!("cannot be read: {error}")).map(Arc::new);
        let read = read.and_then(|source| plugin::objects(&source).map(|manifests| (source, manifests)));
        match read {
            Ok((source, manifests)) => {
                self.keep(Piece {
                    source,
                    checkout: Arc::clone(request.checkout),
                    file: None,
                    inside: None,
                    name: plugin.name.clone(),
                    changed_by: Vec::new(),
                    made: Made::Plugin(plugin.place.clone()),
                });
                let origin = Origin { file: plugin.place.source().name().to_string(), line: Some(plugin.place.position().line) };
                Render::Done(manifests.into_iter().map(|manifest| Manifest { origin: Some(origin.clone()), ..manifest }).collect())
            }
            Err(why) => Render::Failed(format!("what `--plugin {}` prints {why}", plugin.name)),
        }
    }
}
