//! Findings in what is deployed, on the lines that a person edits: once, however many Applications deploy what is written there.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use fedward_gitops::rules;
use fedward_kit::finding::{MAX_RELATED, Severity};
use fedward_manifest::Span;
use fedward_outcome::{Finding, Location, Outcome, Related, Rendered, SuppressionKind};

use crate::Deployed;
use crate::hidden::{self, Hidden};
use crate::inline::{self, Ignoring};
use crate::origins::Origins;

/// Names of what deploys that are given.
pub(crate) const NAMED: usize = 3;

/// Moves all that an outcome says of what is deployed to its files, and says each thing once.
pub(crate) fn fold(deployed: &Deployed, origins: &mut Origins<'_>, ignoring: Option<&Ignoring<'_>>, outcome: &mut Outcome) {
    let hidden = Hidden::new(deployed, origins, outcome);
    let findings = std::mem::take(&mut outcome.findings);
    let mut placed: Vec<Placed> = findings.into_iter().map(|finding| place(origins, outcome, finding)).collect();
    let mut stale = Vec::new();
    if let Some(ignoring) = ignoring {
        let mut inlines = inline::read(deployed, origins, placed.iter().filter_map(|placed| placed.value.as_ref()));
        for Placed { finding, value, .. } in placed.iter_mut().filter(|placed| placed.finding.suppressed.is_none()) {
            // A line that is only near what is meant says nothing of it.
            if finding.rendered.as_ref().is_some_and(|rendered| rendered.exact) {
                inlines.apply(finding);
            }
            if let Some(value) = value {
                inlines.apply_at(value, finding);
            }
        }
        // What is judged as it stands, such as an Application, may have entries for what comes of it.
        let is_unused = |finding: &Finding| finding.rule == "stale-ignore" && finding.condition == "unused";
        let used: HashSet<(Arc<str>, Span)> = inlines.used().collect();
        placed.retain(|Placed { finding, .. }| {
            !is_unused(finding) || !used.contains(&(Arc::clone(finding.location.source.name()), finding.location.span))
        });
        let told: Vec<&Finding> = placed.iter().map(|placed| &placed.finding).collect();
        stale = inline::stale(&inlines, ignoring, &outcome.rules, &told);
    }
    let ignored = ignored(&placed);
    stale.retain(|finding| !is_unused_elsewhere_used(finding, &ignored));
    placed.extend(stale.into_iter().map(|finding| Placed { finding, by: Vec::new(), is_plain: true, value: None }));
    outcome.findings = folded(deployed, placed, &ignored);
    for one in &mut outcome.not_evaluated {
        if let Some(placed) = origins.place(&one.location, one.object.as_ref()) {
            one.location = placed.location;
        }
    }
    for mutation in &mut outcome.mutations {
        if let Some(placed) = origins.place(&mutation.location, mutation.object.as_ref()) {
            mutation.location = placed.location;
        }
    }
    for skipped in &mut outcome.skipped {
        if let Some(piece) = deployed.sandbox.piece(&skipped.file) {
            skipped.file = origins.source(&piece).name().to_string();
            skipped.line = None;
        }
    }
    let mut met = HashSet::new();
    outcome.skipped.retain(|skipped| met.insert((skipped.file.clone(), skipped.line, skipped.reason.clone())));
    hidden.apply(outcome);
}

/// A finding on its line.
struct Placed {
    finding: Finding,
    /// The Applications that deploy what it is in.
    by: Vec<usize>,
    /// Whether the file itself is deployed, as it stands.
    is_plain: bool,
    /// Where the value is set that it is about.
    value: Option<Location>,
}

fn place(origins: &mut Origins<'_>, outcome: &Outcome, mut finding: Finding) -> Placed {
    let name = Arc::clone(finding.location.source.name());
    let by = origins.deployers(&name).to_vec();
    let mut all_related = std::mem::take(&mut finding.related);
    for related in &mut all_related {
        if let Some(placed) = origins.place(&related.location, None) {
            related.location = placed.location;
        }
    }
    for manifest in &mut finding.manifests {
        if let Some(placed) = origins.place(&manifest.location, None) {
            Arc::make_mut(manifest).location = placed.location;
        }
    }
    // What several Applications deploy is one place.
    relate(&mut finding, all_related);
    let Some(placed) = origins.place(&finding.location, finding.object.as_ref()) else {
        return Placed { finding, by, is_plain: true, value: None };
    };
    let secrets = outcome.secrets.get(&name).map(Vec::as_slice).unwrap_or_default();
    let text = hidden::line(&finding.location.source, finding.location.start().line, secrets);
    let is_same = placed.text == placed.location.source.slice(placed.location.span);
    finding.location = placed.location;
    let value = placed.value.as_ref().map(|related| related.location.clone());
    relate(&mut finding, placed.value.into_iter().collect());
    // They are for the rendered text, which nobody edits.
    finding.edits.clear();
    finding.rendered = Some(Rendered { by: Vec::new(), count: 0, text: if is_same { String::new() } else { text }, exact: placed.exact });
    Placed { finding, by, is_plain: false, value }
}

/// Lines of files.
type Lines = HashSet<(Arc<str>, u32)>;

/// The lines on which a comment has something ignored.
fn ignored(all: &[Placed]) -> Lines {
    let is_inline = |finding: &Finding| finding.suppressed.as_ref().is_some_and(|given| given.kind == SuppressionKind::Inline);
    let findings = all.iter().map(|placed| &placed.finding).filter(|finding| is_inline(finding));
    findings.map(|finding| (Arc::clone(finding.location.source.name()), finding.location.start().line)).collect()
}

/// What makes a finding in one Application the same as one in another.
#[derive(PartialEq, Eq, Hash, Clone)]
struct Key {
    rule: String,
    condition: String,
    file: Arc<str>,
    span: Span,
    pointer: String,
    severity: Severity,
    is_suppressed: bool,
    message: String,
    /// The rendered line.
    text: String,
}

impl Key {
    /// Names differ from one Application to the next where all else is the same: those of the object itself are left out of the texts.
    fn of(finding: &Finding) -> Self {
        let names = finding.object.as_ref().map(|object| [object.name.as_str(), object.namespace.as_str()]).unwrap_or_default();
        let mut names: Vec<&str> = names.into_iter().filter(|name| !name.is_empty()).collect();
        // The longer first, of which the other may be a part.
        names.sort_by_key(|name| std::cmp::Reverse(name.len()));
        let without = |text: &str| names.iter().fold(text.to_owned(), |text, name| text.replace(name, "\0"));
        let rendered = finding.rendered.as_ref().map(|rendered| rendered.text.as_str()).unwrap_or_default();
        Key {
            rule: finding.rule.clone(),
            condition: finding.condition.clone(),
            file: Arc::clone(finding.location.source.name()),
            span: finding.location.span,
            pointer: finding.location.pointer.clone(),
            severity: finding.severity,
            is_suppressed: finding.suppressed.is_some(),
            message: without(&finding.message),
            text: without(rendered),
        }
    }
}

/// Adds related places that are not there yet.
fn relate(finding: &mut Finding, more: Vec<Related>) {
    for related in more {
        let place = |related: &Related| (Arc::clone(related.location.source.name()), related.location.span);
        let is_same = |known: &Related| place(known) == place(&related) && known.message == related.message;
        if finding.related.len() < MAX_RELATED && !finding.related.iter().any(is_same) {
            finding.related.push(related);
        }
    }
}

fn folded(deployed: &Deployed, all: Vec<Placed>, ignored: &Lines) -> Vec<Finding> {
    let mut kept: Vec<(Finding, Vec<usize>)> = Vec::new();
    let mut known: HashMap<(Key, usize), usize> = HashMap::new();
    // How often an Application has had a finding with a key.
    let mut counts: HashMap<(Key, Vec<usize>), usize> = HashMap::new();
    for Placed { finding, by, is_plain, .. } in all {
        if by.is_empty() {
            kept.push((finding, by));
            continue;
        }
        if is_unused_elsewhere_used(&finding, ignored) {
            continue;
        }
        let key = Key::of(&finding);
        let number = if is_plain {
            0
        } else {
            let count = counts.entry((key.clone(), by.clone())).or_default();
            *count += 1;
            *count
        };
        match known.get(&(key.clone(), number)).and_then(|at| kept.get_mut(*at)) {
            Some((first, all)) => {
                // The values of each Application may be set in a file of its own.
                relate(first, finding.related);
                // So may the policy be another one.
                for manifest in finding.manifests {
                    if !first.manifests.iter().any(|known| known.to_string() == manifest.to_string()) {
                        first.manifests.push(manifest);
                    }
                }
                all.extend(by);
            }
            None => {
                known.insert((key, number), kept.len());
                kept.push((finding, by));
            }
        }
    }
    kept.into_iter().map(|(finding, by)| named(deployed, finding, by)).collect()
}

/// A finding with the names of what deploys it.
fn named(deployed: &Deployed, mut finding: Finding, mut by: Vec<usize>) -> Finding {
    if finding.policy == rules::POLICY {
        // What two render of one line is twice the same place.
        let place = |location: &Location| (Arc::clone(location.source.name()), location.span);
        let own = place(&finding.location);
        finding.related.retain(|related| place(&related.location) != own);
    }
    by.sort_unstable();
    by.dedup();
    if by.is_empty() || (finding.rendered.is_none() && finding.policy == rules::POLICY) {
        return finding;
    }
    let name = |number: &usize| deployed.title(*number);
    let names = by.iter().filter_map(name).take(NAMED).collect();
    let rendered = finding.rendered.get_or_insert(Rendered { by: Vec::new(), count: 1, text: String::new(), exact: true });
    rendered.count = by.len();
    rendered.by = names;
    finding
}

/// Whether an inline entry that is unused in one rendering is used in another.
fn is_unused_elsewhere_used(finding: &Finding, ignored: &Lines) -> bool {
    /// Lines of comments that may stand between an entry and its line.
    const NEAR: u32 = 4;
    let line = finding.location.start().line;
    finding.rule == "stale-ignore"
        && finding.condition == "unused"
        && (line..=line.saturating_add(NEAR)).any(|line| ignored.contains(&(Arc::clone(finding.location.source.name()), line)))
}
