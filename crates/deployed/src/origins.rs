//! From what is rendered to what a person edits.

mod base;
pub(crate) mod charts;
mod lines;
mod objects;
pub(crate) mod parts;
mod patching;
pub(crate) mod values;

use std::collections::HashMap;
use std::sync::Arc;

use fedward_gitops::Checkout;
use fedward_kit::finding::ObjectId;
use fedward_manifest::{Document, Limits, Source, Span, parse, split};
use fedward_outcome::{Location, Related};
use fedward_render::KUSTOMIZATIONS;

use crate::Deployed;
use crate::pieces::{Made, Piece, Release};
use crate::worlds::deployers;
use charts::Chart;
use lines::Aligned;
use objects::Objects;
use patching::Patches;

/// Files that rendered texts were made of.
pub(crate) struct Origins<'d> {
    pub(crate) deployed: &'d Deployed,
    /// The Applications of each text.
    deployers: HashMap<Arc<str>, Vec<usize>>,
    /// The first of them, and which of its sources it is.
    made_by: HashMap<Arc<str>, (usize, usize)>,
    files: HashMap<(usize, String), Option<Arc<Source>>>,
    /// What texts hold, by their address, with the text that keeps it.
    documents: HashMap<usize, (Arc<Source>, Arc<[Document]>)>,
    /// What they hold by name, by the same address.
    objects: HashMap<usize, Arc<Objects>>,
    /// The patches of each kustomization.
    patches: HashMap<(usize, String), Arc<Patches>>,
    aligned: HashMap<Arc<str>, Arc<Aligned>>,
    /// Charts with those that they build on, by their checkout and where they are in it.
    charts: HashMap<(usize, String), Arc<Chart>>,
}

/// Where something rendered is written.
pub(crate) struct Placed {
    pub(crate) location: Location,
    /// Whether the very line is known.
    pub(crate) exact: bool,
    /// The rendered line.
    pub(crate) text: String,
    /// The value that was put into it.
    pub(crate) value: Option<Related>,
}

impl<'d> Origins<'d> {
    pub(crate) fn new(deployed: &'d Deployed) -> Self {
        Origins {
            deployed,
            deployers: deployers(deployed),
            made_by: made_by(deployed),
            files: HashMap::new(),
            documents: HashMap::new(),
            objects: HashMap::new(),
            patches: HashMap::new(),
            aligned: HashMap::new(),
            charts: HashMap::new(),
        }
    }

    /// The Applications that deploy a text, by its name.
    pub(crate) fn deployers(&self, name: &str) -> &[usize] {
        self.deployers.get(name).map(Vec::as_slice).unwrap_or_default()
    }

    /// The first Application that deploys a rendered text, and the number of the source that it is of.
    fn deployer(&self, name: &str) -> Option<(usize, usize)> {
        self.made_by.get(name).copied()
    }

    /// Where a place in a rendered text is written; `None` if it is in no such text.
    pub(crate) fn place(&mut self, location: &Location, object: Option<&ObjectId>) -> Option<Placed> {
        let piece = self.deployed.sandbox.piece(location.source.name())?;
        let line = location.start().line;
        let text = piece.source.line_text(line).trim().to_owned();
        let unknown = |source: Arc<Source>| Placed {
            location: Location { span: Span::at(0), source, pointer: location.pointer.clone() },
            exact: false,
            text: text.clone(),
            value: None,
        };
        if let Made::Plugin(place) = &piece.made {
            // Nobody knows which file a program made it of. The Application may be rendered itself.
            let plugin = Location { source: Arc::clone(place.source()), span: place.span(), pointer: String::new() };
            let mut location = self.place(&plugin, None).map_or(plugin, |placed| placed.location);
            self.deployed.rename(&mut location, &mut HashMap::new());
            return Some(Placed { location, exact: false, text, value: None });
        }
        let source = self.source(&piece);
        // An archive has no lines that anybody could edit, but what its templates are given may.
        if source.text().is_empty() {
            return Some(Placed { value: self.given(&piece, line, &text), ..unknown(source) });
        }
        let at = |span: Span| Location { source: Arc::clone(&source), span, pointer: location.pointer.clone() };
        match &piece.made {
            Made::Jsonnet | Made::Plugin(_) => Some(unknown(source)),
            Made::Kustomize(_) => {
                let found = base::find(self, &piece, &source, location, object);
                let (location, exact) = found.map_or_else(|| (at(Span::at(0)), false), |(location, exact)| (location, exact));
                Some(Placed { location, exact, text, value: None })
            }
            Made::Helm(release) => {
                let Some((template_line, exact)) = self.aligned(&piece, release, &source).find(line) else { return Some(unknown(source)) };
                let value = if exact { values::trace(self, &piece, release, &text, source.line_text(template_line)) } else { None };
                Some(Placed { location: at(content(&source, template_line)), exact, text, value })
            }
        }
    }

    /// The value in a rendered line of a template that lies in an archive.
    fn given(&mut self, piece: &Piece, line: u32, text: &str) -> Option<Related> {
        let Made::Helm(release) = &piece.made else { return None };
        piece.inside.as_ref()?;
        let (called, path) = charts::parts(&piece.name);
        let chart = self.chart(release);
        let template = called.iter().try_fold(&*chart, |chart, called| chart.child(called))?.template(path)?;
        let (template_line, exact) = self.aligned(piece, release, template).find(line)?;
        exact.then(|| values::trace(self, piece, release, text, template.line_text(template_line))).flatten()
    }

    /// The chart of a release, with those that it builds on, read once.
    pub(crate) fn chart(&mut self, release: &Release) -> Arc<Chart> {
        let key = (Arc::as_ptr(&release.checkout).addr(), release.chart.clone());
        if let Some(known) = self.charts.get(&key) {
            return Arc::clone(known);
        }
        let chart = Arc::new(charts::load(self, release));
        self.charts.insert(key, Arc::clone(&chart));
        chart
    }

    /// The file that a person edits; one without text if it is an archive or cannot be read.
    pub(crate) fn source(&mut self, piece: &Piece) -> Arc<Source> {
        if let Made::Plugin(place) = &piece.made {
            let plugin = Location { source: Arc::clone(place.source()), span: place.span(), pointer: String::new() };
            return self.place(&plugin, None).map_or(plugin.source, |placed| placed.location.source);
        }
        let file = piece.file.clone().unwrap_or_else(|| match &piece.made {
            Made::Helm(release) => join(&release.chart, "Chart.yaml"),
            Made::Kustomize(folder) => {
                let there = KUSTOMIZATIONS.iter().map(|name| join(folder, name)).find(|file| piece.checkout.is_file(file));
                there.unwrap_or_else(|| folder.clone())
            }
            Made::Jsonnet | Made::Plugin(_) => String::new(),
        });
        if piece.inside.is_none()
            && let Some(source) = self.file(&piece.checkout, &file)
        {
            return source;
        }
        let inside = piece.inside.as_ref().map(|inside| format!("/{inside}")).unwrap_or_default();
        nothing(&format!("{}{inside}", self.deployed.name(&piece.checkout.shown(&file))))
    }

    /// A file of a checkout, under the name that outputs give it.
    pub(crate) fn file(&mut self, checkout: &Arc<Checkout>, path: &str) -> Option<Arc<Source>> {
        let key = (Arc::as_ptr(checkout).addr(), path.to_owned());
        if let Some(known) = self.files.get(&key) {
            return known.clone();
        }
        let read = || {
            let source = checkout.text(path).ok()?;
            let name = self.deployed.name(source.name());
            if *name == **source.name() { Some(source) } else { Source::from_text(name, source.text().to_owned()).ok().map(Arc::new) }
        };
        let source = read();
        self.files.insert(key, source.clone());
        source
    }

    /// The documents of a text, read once: a base may have a finding for each of its objects.
    pub(crate) fn documents(&mut self, source: &Arc<Source>) -> Arc<[Document]> {
        let known = self.documents.entry(Arc::as_ptr(source).addr());
        let (_, documents) = known.or_insert_with(|| (Arc::clone(source), documents(source).into()));
        Arc::clone(documents)
    }

    /// The patches of a kustomization, read once.
    pub(crate) fn patches(&mut self, checkout: &Arc<Checkout>, changed: &str) -> Arc<Patches> {
        let key = (Arc::as_ptr(checkout).addr(), changed.to_owned());
        if let Some(known) = self.patches.get(&key) {
            return Arc::clone(known);
        }
        let patches = Arc::new(patching::load(self, checkout, changed));
        self.patches.insert(key, Arc::clone(&patches));
        patches
    }

    /// The objects of a text, by what they are called.
    pub(crate) fn objects(&mut self, source: &Arc<Source>) -> Arc<Objects> {
        let address = Arc::as_ptr(source).addr();
        if let Some(known) = self.objects.get(&address) {
            return Arc::clone(known);
        }
        // These keep the text, so that no other has its address.
        let objects = Arc::new(Objects::new(self.documents(source)));
        self.objects.insert(address, Arc::clone(&objects));
        objects
    }

    /// A file by the name that the checkout gives it.
    pub(crate) fn shown(&mut self, shown: &str) -> Option<Arc<Source>> {
        let (checkout, path) = self.deployed.repositories.locate(shown)?;
        let (checkout, path) = (Arc::clone(checkout), path.to_owned());
        self.file(&checkout, &path)
    }

    fn aligned(&mut self, piece: &Piece, release: &Release, template: &Source) -> Arc<Aligned> {
        let name = piece.source.name();
        let known = self.aligned.entry(Arc::clone(name));
        let align = || Arc::new(Aligned::new(&piece.source, template, parts::part_of(template, &release.outputs(&piece.name), name)));
        Arc::clone(known.or_insert_with(align))
    }
}

fn made_by(deployed: &Deployed) -> HashMap<Arc<str>, (usize, usize)> {
    let mut all = HashMap::new();
    for (number, application) in deployed.discovery.applications.iter().enumerate() {
        for resource in &application.resources {
            all.entry(Arc::clone(resource.manifest.place.source().name())).or_insert((number, resource.source));
        }
    }
    all
}

/// What stands on a line, without the white space around it.
pub(crate) fn content(source: &Source, line: u32) -> Span {
    let span = source.line_span(line);
    let text = source.slice(span);
    let start = text.len() - text.trim_start().len();
    let length = text.trim().len();
    let number = |at: usize| span.start.saturating_add(u32::try_from(at).unwrap_or(u32::MAX));
    Span::new(number(start), number(start + length))
}

/// The documents of a text that can be read.
pub(crate) fn documents(source: &Arc<Source>) -> Vec<Document> {
    let limits = Limits::default();
    split(source, &limits).chunks.into_iter().filter_map(|chunk| parse(source, chunk, &limits).document).collect()
}

/// A name in a folder of a checkout, whose root is empty.
pub(crate) fn join(folder: &str, name: &str) -> String {
    if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") }
}

/// A file of which nothing is known but its name.
fn nothing(name: &str) -> Arc<Source> {
    // An empty text is always a source.
    Source::from_text(name, String::new()).map(Arc::new).unwrap_or_else(|_| nothing(name))
}
