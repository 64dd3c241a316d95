//! Why no policy saw anything: a run that judged nothing tells of each policy what keeps every request from it.

use std::collections::{BTreeMap, BTreeSet};

use fedward_outcome::few;
use fedward_policyset::{AsksForLabels, Attributes, Miss};

use crate::evaluate::Evaluated;
use crate::policies::{Policy, Takes};
use crate::request::{Facts, Request};
use crate::world::World;

/// Policies that are told of at most.
const MAX_TOLD: usize = 20;

/// A sentence for each policy that a manifest describes, for a run in which nothing reached any policy.
pub(crate) fn notes(world: &World, policies: &[Policy], requests: &[Request], evaluated: &Evaluated) -> Vec<String> {
    let described = || policies.iter().enumerate().filter(|(_, policy)| policy.manifest.is_some());
    let mut told: Vec<(usize, &Policy, Kept)> =
        described().take(MAX_TOLD).map(|(number, policy)| (number, policy, Kept::default())).collect();
    if told.is_empty() {
        return Vec::new();
    }
    for facts in requests.iter().filter_map(|request| Facts::new(world, request, AsksForLabels::ALL)) {
        for (_, policy, kept) in &mut told {
            kept.count(policy, &facts);
        }
    }
    let note = |(number, policy, kept): &(usize, &Policy, Kept)| note(policy, kept, evaluated.unmatched.get(number), requests.len());
    let mut notes: Vec<String> = told.iter().filter_map(note).collect();
    match described().count().saturating_sub(MAX_TOLD) {
        0 => {}
        more => notes.push(format!("(+{more} more policies that select nothing)")),
    }
    notes
}

/// `unmatched` are its match conditions that are false, and for how many of the objects each is.
fn note(policy: &Policy, kept: &Kept, unmatched: Option<&BTreeMap<String, usize>>, objects: usize) -> Option<String> {
    let mut reasons = kept.reasons(policy);
    let conditions = unmatched.into_iter().flatten();
    reasons.extend(conditions.map(|(name, count)| (*count, format!("its match condition `{name}` is false"))));
    let reasons: Vec<String> = match reasons.as_slice() {
        [] => return None,
        [(_, only)] => vec![only.clone()],
        several => several.iter().map(|(count, text)| format!("{text} ({count})")).collect(),
    };
    let what = match objects {
        1 => "does not select the only object".to_owned(),
        several => format!("selects none of the {several} objects"),
    };
    Some(format!("policy `{}`{} {what}: {}", policy.id, policy.place(), reasons.join("; ")))
}

/// What keeps requests from a policy, and how many each.
#[derive(Default)]
struct Kept {
    by_being_raw: usize,
    by_being_none: usize,
    by_exemption: usize,
    by_resource: usize,
    by_operation: usize,
    by_scope: usize,
    by_labels: usize,
    by_namespace: usize,
    by_namespace_labels: usize,
    exempt: BTreeSet<String>,
    resources: BTreeSet<String>,
    operations: BTreeSet<String>,
}

impl Kept {
    /// Counts a request that a policy does not see, its match conditions aside.
    fn count(&mut self, policy: &Policy, facts: &Facts<'_>) {
        let request = facts.attributes();
        if policy.raw != facts.is_raw() {
            *(if facts.is_raw() { &mut self.by_being_raw } else { &mut self.by_being_none }) += 1;
        } else if policy.is_kept_from(&request) {
            self.by_exemption += 1;
            self.exempt.insert(resource(&request));
        } else if policy.takes(facts, &request) != Takes::All {
            match policy.matching.misses(&request) {
                None => {}
                Some(Miss::Resource) => {
                    self.by_resource += 1;
                    self.resources.insert(resource(&request));
                }
                Some(Miss::Operation) => {
                    self.by_operation += 1;
                    self.operations.insert(format!("`{}`", request.operation));
                }
                Some(Miss::Scope) => self.by_scope += 1,
                Some(Miss::Labels) => self.by_labels += 1,
                Some(Miss::OnlyNamespace) => self.by_namespace += 1,
                Some(Miss::Namespace) => self.by_namespace_labels += 1,
            }
        }
    }

    /// In words, with how many requests each keeps away.
    fn reasons(&self, policy: &Policy) -> Vec<(usize, String)> {
        let said = |texts: &BTreeSet<String>| few(&texts.iter().cloned().collect::<Vec<_>>());
        let no_raw = if policy.is_annotated {
            "it judges objects, and `--raw` makes raw requests of all documents"
        } else {
            "its module has no metadata that make it a raw policy (`policyType: raw`; `kwctl annotate` adds them), and `--raw` makes raw requests \
             of all documents"
        };
        let own = policy.matching.only_namespace.as_deref();
        // Which its rules cannot say otherwise.
        let scope =
            if own.is_some() { "a policy of a namespace sees no cluster-scoped objects" } else { "its `rules` have another `scope`" };
        let own = own.unwrap_or_default();
        let all = [
            (self.by_being_raw, no_raw.to_owned()),
            (self.by_being_none, "it is a raw policy, which sees no objects (`--raw` makes raw requests of all documents)".to_owned()),
            (self.by_exemption, format!("API servers ask no webhook about {}", said(&self.exempt))),
            (self.by_resource, format!("its `rules` do not name {}", said(&self.resources))),
            (self.by_operation, format!("its `rules` do not name the operation {}", said(&self.operations))),
            (self.by_scope, scope.to_owned()),
            (self.by_labels, "its `objectSelector` selects other labels".to_owned()),
            (self.by_namespace, format!("it is for the namespace `{own}` alone")),
            (self.by_namespace_labels, "its `namespaceSelector` selects other namespaces".to_owned()),
        ];
        all.into_iter().filter(|(count, _)| *count > 0).collect()
    }
}

/// What a rule has to name.
fn resource(request: &Attributes<'_>) -> String {
    let Attributes { group, version, resource, subresource, .. } = request;
    let [slash, below] = [group, subresource].map(|part| if part.is_empty() { "" } else { "/" });
    format!("`{resource}{below}{subresource}` of `{group}{slash}{version}`")
}
