//! What of the rules about a repository is told where a change narrows what is judged.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use fedward_gitops::{Changed, Place};
use fedward_manifest::Span;
use fedward_outcome::{Finding, Location};

use crate::Deployed;

/// What a change touches.
pub(crate) struct Touched<'d> {
    deployed: &'d Deployed,
    changed: &'d Changed,
    /// Where Applications and sets are written that are touched.
    objects: HashMap<Arc<str>, Vec<Span>>,
    /// What such Applications are rendered to.
    texts: HashSet<Arc<str>>,
}

impl<'d> Touched<'d> {
    pub(crate) fn new(deployed: &'d Deployed, changed: &'d Changed) -> Self {
        let mut touched = Touched { deployed, changed, objects: HashMap::new(), texts: HashSet::new() };
        let discovery = &deployed.discovery;
        for application in discovery.applications.iter().filter(|application| !application.is_left_out) {
            touched.add(&application.object.place);
            touched.add(application.place());
            touched.texts.extend(application.resources.iter().map(|resource| Arc::clone(resource.manifest.place.source().name())));
        }
        for set in discovery.sets.iter().filter(|set| !set.is_left_out) {
            touched.add(&set.object.place);
        }
        touched
    }

    fn add(&mut self, place: &Place) {
        let source = place.source();
        self.objects.entry(Arc::clone(source.name())).or_default().push(place.node().span());
    }

    /// Whether a finding is told: it is on what is touched, or relates to a file that is.
    pub(crate) fn finding(&self, finding: &Finding) -> bool {
        let name = finding.location.source.name();
        let holds = |span: &Span| span.start <= finding.location.span.start && finding.location.span.end <= span.end;
        self.file(&finding.location)
            || self.texts.contains(name)
            || self.objects.get(name).is_some_and(|spans| spans.iter().any(holds))
            || finding.related.iter().any(|related| self.file(&related.location))
    }

    /// Whether a place is in a file that is touched.
    fn file(&self, location: &Location) -> bool {
        let found = self.deployed.repositories.locate(location.source.name());
        found.is_some_and(|(checkout, path)| self.changed.touches(&checkout.root().join(path)))
    }
}
