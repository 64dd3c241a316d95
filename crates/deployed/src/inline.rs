//! Ignore entries in what no cluster gets the comments of: files of kustomizations, where a finding is placed, and files of values, where the value
//! is set that a finding is about.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use fedward_engine::{Inlines, Rules};
use fedward_kit::finding::Severity;
use fedward_manifest::Source;
use fedward_outcome::{Finding, Location};

use crate::Deployed;
use crate::origins::Origins;
use crate::pieces::Made;

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

/// The entries of every file that a kustomization was rendered of, and of all values of charts. `values`: where values are set that findings are
/// about, which may be in an Application.
pub(crate) fn read<'v>(deployed: &Deployed, origins: &mut Origins<'_>, values: impl Iterator<Item = &'v Location>) -> Inlines {
    let mut inlines = Inlines::default();
    let (mut changed, mut releases) = (HashSet::new(), HashSet::new());
    let mut files: Vec<Arc<Source>> = Vec::new();
    for piece in deployed.sandbox.pieces() {
        match &piece.made {
            Made::Kustomize(_) => {
                files.push(origins.source(&piece));
                for kustomization in &piece.changed_by {
                    // All objects of a kustomization have the same patches.
                    if changed.insert((Arc::as_ptr(&piece.checkout).addr(), kustomization.clone())) {
                        let patches = origins.patches(&piece.checkout, kustomization);
                        files.extend(patches.files.iter().cloned());
                        patches.inside.iter().flat_map(|documents| documents.iter()).for_each(|document| inlines.add(document));
                    }
                }
            }
            Made::Helm(release) if releases.insert(Arc::as_ptr(release).addr()) => {
                files.extend(release.helm.values_files.iter().filter_map(|file| origins.shown(&file.name)));
                files.extend(origins.chart(release).all_values());
            }
            Made::Helm(_) | Made::Jsonnet | Made::Plugin(_) => {}
        }
    }
    files.extend(values.map(|location| Arc::clone(&location.source)));
    let mut met = HashSet::new();
    for file in files {
        if met.insert(Arc::clone(file.name())) && Inlines::may_be_in(file.text()) {
            origins.documents(&file).iter().for_each(|document| inlines.add(document));
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
