//! Ignore entries in the files of kustomizations: Kustomize drops comments, so that they count where a finding is placed.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use fedward_engine::{Inlines, Rules};
use fedward_kit::finding::Severity;
use fedward_outcome::Finding;

use crate::Deployed;
use crate::origins::Origins;
use crate::sandbox::Made;

/// What is said of ignore entries.
#[derive(Debug, Clone, Copy)]
pub struct Ignoring<'i> {
    /// Rules that there are, whether or not they ran.
    pub known_rules: &'i [String],
    /// Severities that the configuration gives to rules; `None` is off.
    pub severities: &'i BTreeMap<String, Option<Severity>>,
    /// Whether not all that Applications deploy is judged: then nobody knows which entries are used.
    pub is_narrowed: bool,
}

/// The entries of every file that a kustomization was rendered of.
pub(crate) fn read(deployed: &Deployed, origins: &mut Origins<'_>) -> Inlines {
    let mut inlines = Inlines::default();
    let (mut met, mut changed) = (HashSet::new(), HashSet::new());
    for piece in deployed.sandbox.pieces() {
        if !matches!(piece.made, Made::Kustomize(_)) {
            continue;
        }
        let mut files = vec![origins.source(&piece)];
        // All objects of a kustomization have the same patches.
        if changed.insert((Arc::as_ptr(&piece.checkout).addr(), piece.changed_by.clone())) {
            files.extend(origins.patches(&piece));
        }
        for file in files {
            if met.insert(Arc::clone(file.name())) && Inlines::may_be_in(file.text()) {
                origins.documents(&file).iter().for_each(|document| inlines.add(document));
            }
        }
    }
    inlines
}

/// Reports those that are stale, unless the file was judged itself and said so.
pub(crate) fn stale(inlines: &Inlines, ignoring: &Ignoring<'_>, runs: &[String], told: &[&Finding]) -> Vec<Finding> {
    let mut stale = inlines.stale(&Rules { runs, known: ignoring.known_rules, is_narrowed: ignoring.is_narrowed });
    let key = |finding: &Finding| (Arc::clone(finding.location.source.name()), finding.location.span, finding.rule.clone());
    let told: HashSet<_> = told.iter().map(|finding| key(finding)).collect();
    stale.retain_mut(|finding| {
        let severity = ignoring.severities.get(&finding.rule);
        finding.severity = severity.copied().flatten().unwrap_or(finding.severity);
        severity != Some(&None) && !told.contains(&key(finding))
    });
    stale
}
