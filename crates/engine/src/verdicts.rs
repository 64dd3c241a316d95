//! What policies said of objects to findings on their places.

use std::cmp::Reverse;
use std::collections::HashMap;

use fedward_kit::finding::{Finding, PatchStep, Severity};
use fedward_kit::verdict::settle;
use fedward_outcome::{Mutation, NotEvaluated, Outcome, Related};
use fedward_policyset::Mode;
use rayon::prelude::*;

use crate::evaluate::{Evaluated, Mutated, Verdict};
use crate::input;
use crate::policies::{self, Policy};
use crate::world::World;
use crate::{locate, mask, payload};

/// Adds what verdicts (in the order of objects, then policies) say to an outcome. One object's findings of all policies are settled
/// together: the same mistake seen by two policies is one finding, of the policy that takes it most seriously.
pub(crate) fn report(world: &World, policies: &[Policy], verdicts: &[Verdict], outcome: &mut Outcome) {
    let told: Vec<Told> =
        verdicts.par_chunk_by(|one, other| one.object == other.object).map(|group| tell(world, policies, group)).collect();
    for told in told {
        outcome.findings.extend(told.findings);
        outcome.not_evaluated.extend(told.not_evaluated);
    }
}

/// What is said of one object.
#[derive(Default)]
struct Told {
    findings: Vec<fedward_outcome::Finding>,
    not_evaluated: Vec<NotEvaluated>,
}

fn tell(world: &World, policies: &[Policy], group: &[Verdict]) -> Told {
    let id = |policy: usize| policies.get(policy).map_or("", |policy| policy.id.as_str());
    let mut told = Told::default();
    let Some(number) = group.first().map(|verdict| verdict.object) else { return told };
    let mut found: Vec<(usize, Finding)> = Vec::new();
    for verdict in group {
        match &verdict.result {
            Ok(findings) => found.extend(findings.iter().map(|finding| (verdict.policy, finding.clone()))),
            Err(reason) => told.not_evaluated.push(NotEvaluated {
                location: locate::object(world, number),
                object: world.objects.get(number).map(payload::id),
                policy: id(verdict.policy).to_owned(),
                reason: reason.clone(),
            }),
        }
    }
    let given: Vec<usize> = group.iter().flat_map(|verdict| verdict.given.iter().copied()).collect();
    found.sort_by_key(|(_, finding)| Reverse(finding.severity));
    let (foreign, found): (Vec<_>, Vec<_>) = found.into_iter().partition(|(_, finding)| finding.rule == input::rejected_by_policy::RULE.id);
    // Whose each finding is: of equal ones the first is kept, and has the greatest weight.
    let mut owners: HashMap<Same, (Severity, Vec<usize>)> = HashMap::new();
    for (policy, finding) in &found {
        let (severity, owners) = owners.entry(same(finding)).or_insert_with(|| (finding.severity, Vec::new()));
        // A policy may say a thing twice.
        if *severity == finding.severity && owners.last() != Some(policy) {
            owners.push(*policy);
        }
    }
    let manifests = |owners: &[usize]| -> Vec<_> { owners.iter().filter_map(|owner| policies.get(*owner)?.manifest.clone()).collect() };
    let findings = found.into_iter().map(|(_, finding)| finding).collect();
    for finding in settle(findings, &|rule| policies::supersedes(policies, rule)) {
        let owners = owners.get(&same(&finding)).map(|(_, owners)| owners.as_slice()).unwrap_or_default();
        let owner = owners.first().and_then(|policy| policies.get(*policy));
        let name = owner.map_or("", |policy| policy.name_for(&finding.rule));
        told.findings
            .push(fedward_outcome::Finding { manifests: manifests(owners), ..locate::finding(world, number, &given, name, finding) });
    }
    // What others' policies say is told of each, whatever the others say.
    for (policy, finding) in foreign {
        let mut finding = locate::finding(world, number, &given, id(policy), finding);
        finding.manifests = manifests(&[policy]);
        let location = finding.manifests.first().map(|manifest| manifest.location.clone());
        finding.related.extend(location.map(|location| Related { location, message: "the policy".to_owned() }));
        told.findings.push(finding);
    }
    told
}

/// What two policies have to agree on to say the same: rule, condition, message and path.
type Same = (String, String, String, String);

fn same(finding: &Finding) -> Same {
    (finding.rule.clone(), finding.condition.clone(), finding.message.clone(), finding.place.path.clone())
}

/// Adds what policies changed.
pub(crate) fn mutations(world: &World, policies: &[Policy], mutations: &[Mutated], keeps_secrets: bool, outcome: &mut Outcome) {
    for mutated in mutations {
        let [mut before, mut after] = [mutated.before.clone(), mutated.after.clone()];
        if !keeps_secrets {
            mask::hide(&mut before, None);
            mask::hide(&mut after, Some(&mutated.before));
        }
        let patch = serde_json::to_value(json_patch::diff(&before, &after)).unwrap_or_default();
        let steps: Vec<PatchStep> = serde_json::from_value(patch).unwrap_or_default();
        outcome.mutations.push(Mutation {
            location: locate::object(world, mutated.object),
            object: world.objects.get(mutated.object).map(payload::id),
            policy: policies.get(mutated.policy).map_or_else(String::new, |policy| policy.id.clone()),
            before,
            after,
            patch: steps,
        });
    }
}

/// What is to be said of how policies ran, apart from what they found.
pub(crate) fn notes(policies: &[Policy], evaluated: &Evaluated, outcome: &Outcome) -> Vec<String> {
    let objects = |count: usize| if count == 1 { "1 object".to_owned() } else { format!("{count} objects") };
    let ignores = |(policy, count): (&usize, &usize)| {
        let (id, objects) = (&policies.get(*policy)?.id, objects(*count));
        Some(format!(
            "policy `{id}` did not see {objects}, for which a match condition has no value: `failurePolicy: Ignore` lets them pass"
        ))
    };
    let selects = |(policy, count): (&usize, &usize)| {
        let (id, objects) = (&policies.get(*policy)?.id, objects(*count));
        Some(format!(
            "policy `{id}` selects namespaces by labels that are not known here: it judged {objects} that it may not see in the cluster \
             (give the Namespaces with --context)"
        ))
    };
    let lists = |policy: &usize| {
        let id = &policies.get(*policy)?.id;
        Some(format!("policy `{id}` lists objects: what is not loaded (--context) it did not see, and in the cluster it may"))
    };
    let monitors = |policy: &Policy| {
        let count = outcome.findings.iter().filter(|finding| finding.policy == policy.id).count();
        (policy.mode == Mode::Monitor && count > 0)
            .then(|| format!("policy `{}` is in monitor mode: what it would reject is a warning at most", policy.id))
    };
    let settings = |policy: &Policy| {
        policy.manifest.as_ref()?;
        let first = policy.descriptors().next()?.id;
        let blind = if policy.members.iter().any(|member| member.is_blind) {
            "; its `contextAwareResources` grant nothing that it reads, so rules that look at other objects, such as a pod's service account, \
             say nothing, as in the cluster"
        } else {
            ""
        };
        let place = policy.place();
        Some(format!("`{first}` runs as `{}` says{place}, on what that selects and with its settings{blind}", policy.id))
    };
    let mut notes: Vec<String> = policies.iter().filter_map(settings).collect();
    notes.extend(evaluated.not_known.iter().filter_map(selects));
    notes.extend(evaluated.ignored.iter().filter_map(ignores));
    notes.extend(evaluated.with_gaps.iter().filter_map(lists));
    notes.extend(policies.iter().filter_map(monitors));
    let more = notes.len().saturating_sub(MAX_NOTES);
    if more > 0 {
        notes.truncate(MAX_NOTES);
        notes.push(format!("(+{more} more notes on policies)"));
    }
    notes
}

/// Notes on policies at most.
const MAX_NOTES: usize = 20;
