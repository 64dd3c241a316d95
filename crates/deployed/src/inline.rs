//! Ignore entries in the files of kustomizations: Kustomize drops comments, so that they count where a finding is placed.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use fedward_engine::{Inlines, Rules};
use fedward_kit::finding::Severity;
use fedward_manifest::Source;
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
    let mut met = HashSet::new();
    for piece in deployed.sandbox.pieces() {
        if !matches!(piece.made, Made::Kustomize(_)) {
            continue;
        }
        let files: Vec<Arc<Source>> = [origins.source(&piece)].into_iter().chain(origins.patches(&piece)).collect();
        for file in files {
            // Most files have no entry, and are not read for any.
            if met.insert(Arc::clone(file.name())) && has_entries(&file) {
                origins.documents(&file).iter().for_each(|document| inlines.add(document));
            }
        }
    }
    inlines
}

fn has_entries(file: &Source) -> bool {
    file.text().contains("fedward") || file.text().contains("Fedward") || file.text().contains("FEDWARD")
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
