//! Fixes as text edits of the file.

use fedward_kit::finding::{Finding, PatchStep};
use fedward_manifest::edit::{Edit, Step};

use crate::world::World;

/// The edits that do to the file what the finding's fix does to its object; none where it has no fix, or one that cannot be written.
pub(crate) fn of(world: &World, number: usize, finding: &Finding) -> Vec<Edit> {
    let place = &finding.place;
    // Paths lead from the root of the object under admission.
    if finding.fix.is_empty() || place.object.is_some() || !place.embedded.is_empty() {
        return Vec::new();
    }
    let Some(object) = world.objects.get(number) else { return Vec::new() };
    let document = world.loaded.get(object.document).and_then(|loaded| loaded.document.as_ref());
    let Some(root) = document.and_then(|document| document.node(object.node)) else { return Vec::new() };
    let steps = finding.fix.iter().map(|step| match step {
        PatchStep::Add { path, value } => Step::Add { path, value },
        PatchStep::Replace { path, value } => Step::Replace { path, value },
        PatchStep::Remove { path } => Step::Remove { path },
    });
    root.edits(steps).unwrap_or_default()
}
