//! What policies said of objects to findings on their places.

use fedward_kit::policy::settle;
use fedward_outcome::{NotEvaluated, Outcome};

use crate::evaluate::Verdict;
use crate::policies::{self, Policy};
use crate::world::World;
use crate::{locate, payload};

/// Adds what verdicts (in the order of objects, then policies) say to an outcome. One object's findings of all policies are settled
/// together: the same mistake seen by two policies is one finding.
pub(crate) fn report(world: &World, policies: &[Policy], verdicts: &[Verdict], outcome: &mut Outcome) {
    for group in verdicts.chunk_by(|one, other| one.object == other.object) {
        let Some(number) = group.first().map(|verdict| verdict.object) else { continue };
        let mut findings = Vec::new();
        for verdict in group {
            match &verdict.result {
                Ok(found) => findings.extend(found.iter().cloned()),
                Err(reason) => outcome.not_evaluated.push(NotEvaluated {
                    location: locate::object(world, number),
                    object: world.objects.get(number).map(payload::id),
                    policy: policies.get(verdict.policy).map_or_else(String::new, |policy| policy.id.clone()),
                    reason: reason.clone(),
                }),
            }
        }
        let given: Vec<usize> = group.iter().flat_map(|verdict| verdict.given.iter().copied()).collect();
        for finding in settle(findings, |rule| policies::supersedes(policies, rule)) {
            let policy = policies::owner(policies, &finding.rule).map_or("", |policy| policy.id.as_str());
            outcome.findings.push(locate::finding(world, number, &given, policy, finding));
        }
    }
}
