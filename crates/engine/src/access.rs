//! `kubernetes/can_i`: what the loaded RBAC objects allow.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use fedward_kit::context::NOT_KNOWN;
use fedward_rbac::{Action, Decision, Rbac, ResourceAttributes, User};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::views::View;
use crate::world::World;

const GROUP: &str = "rbac.authorization.k8s.io";
/// Answers that are kept: a question may cost milliseconds, and a policy asks the same one for many objects.
const MAX_KEPT: usize = 10_000;

/// A status as JSON, or why there is none.
type Answer = Result<Arc<[u8]>, String>;

/// The authorizers of a world, one for each cluster in it, made when the first question is asked.
#[derive(Default)]
pub(crate) struct Access {
    rbac: Mutex<HashMap<View, Arc<Rbac>>>,
    known: Mutex<HashMap<(View, Vec<u8>), Answer>>,
}

#[derive(Deserialize)]
struct Question {
    subject_access_review: Review,
}

#[derive(Deserialize)]
struct Review {
    #[serde(flatten)]
    user: User,
    resource_attributes: ResourceAttributes,
}

impl Access {
    /// Answers with the status of a SubjectAccessReview.
    ///
    /// # Errors
    /// What is not allowed by what is loaded may be allowed by what is not: unless the world is closed, that is not known. So is what
    /// hangs on a role that is not loaded, in every world.
    pub(crate) fn answer(&self, world: &World, asker: usize, payload: &[u8]) -> Answer {
        let key = (world.view(asker), payload.to_vec());
        if let Some(answer) = self.known.lock().unwrap_or_else(PoisonError::into_inner).get(&key) {
            return answer.clone();
        }
        let answer = self.decide(world, key.0, payload);
        let mut kept = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() < MAX_KEPT {
            kept.insert(key, answer.clone());
        }
        answer
    }

    fn decide(&self, world: &World, view: View, payload: &[u8]) -> Answer {
        let question: Question = serde_json::from_slice(payload).map_err(|error| format!("kubernetes/can_i: {error}"))?;
        let Review { user, resource_attributes } = question.subject_access_review;
        let rbac = {
            // Held while it is made: the others that ask wait for it.
            let mut known = self.rbac.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(known.entry(view).or_insert_with(|| Arc::new(Rbac::new(objects(world, view)))))
        };
        let decision = rbac.decide(&user, &Action::Resource(resource_attributes));
        match &decision {
            Decision::NoOpinion(_) if decision.is_uncertain() => Err(format!("{NOT_KNOWN}{}", decision.reason())),
            Decision::NoOpinion(_) if !world.is_closed_from(view) => Err(format!("{NOT_KNOWN}no loaded object allows it")),
            _ => {
                // The API server leaves an empty reason out.
                let reason = Some(decision.reason()).filter(|reason| !reason.is_empty());
                let mut status = json!({ "allowed": decision.is_allowed() });
                if let (Some(fields), Some(reason)) = (status.as_object_mut(), reason) {
                    fields.insert("reason".to_owned(), Value::from(reason));
                }
                Ok(status.to_string().into_bytes().into())
            }
        }
    }
}

/// The RBAC objects that are seen from somewhere, with their namespaces.
fn objects(world: &World, view: View) -> impl Iterator<Item = Value> {
    let own = move |number: &usize| world.objects.get(*number).is_some_and(|object| object.group == GROUP) && world.is_seen(*number, view);
    (0..world.objects.len()).filter(own).filter_map(|number| serde_json::from_slice(&world.text(number)).ok())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

    use fedward_outcome::Outcome;
    use serde_json::{Value, json};

    use super::Access;
    use crate::gather::gather;
    use crate::resources::Kinds;
    use crate::world::World;
    use crate::{Input, Options, Role};

    const BINDINGS: &str = "
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: readers}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: view}
subjects: [{kind: ServiceAccount, name: till}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: writers}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: is-not-loaded}
subjects: [{kind: User, name: ana}]
";

    fn ask(closed: bool, user: &str, verb: &str) -> Result<Value, String> {
        let input = Input { name: "rbac.yaml".to_owned(), bytes: BINDINGS.as_bytes().to_vec(), named: true, role: Role::Judged };
        let options = Options { namespace: "shop".to_owned(), ..Options::default() };
        let gathered = gather(vec![input], &options, &mut Outcome::default());
        let world = World::new(gathered.loaded, gathered.objects, Vec::new(), gathered.kinds, closed);
        let review = json!({ "user": user, "groups": [], "resource_attributes": { "verb": verb, "resource": "pods", "namespace": "shop", "version": "v1" } });
        let question = json!({ "subject_access_review": review, "disable_cache": false }).to_string();
        let access = Access::default();
        let answer = access.answer(&world, 0, question.as_bytes());
        assert_eq!(answer, access.answer(&world, 0, question.as_bytes()), "the second answer is the kept first one");
        answer.map(|answer| serde_json::from_slice(&answer).unwrap())
    }

    #[test]
    fn what_is_allowed_is_known_and_what_is_not_only_in_a_closed_world() {
        let till = "system:serviceaccount:shop:till";
        for closed in [false, true] {
            let answer = ask(closed, till, "list").unwrap();
            assert_eq!(answer["allowed"], true);
            assert_eq!(
                answer["reason"],
                r#"RBAC: allowed by RoleBinding "readers/shop" of ClusterRole "view" to ServiceAccount "till/shop""#
            );
        }
        assert_eq!(ask(true, till, "delete").unwrap(), json!({ "allowed": false }));
        assert_eq!(ask(false, till, "delete").unwrap_err(), "fedward: not known: no loaded object allows it");
    }

    #[test]
    fn a_role_that_is_not_loaded_leaves_the_answer_open() {
        let error = ask(true, "ana", "list").unwrap_err();
        assert!(error.starts_with("fedward: not known: ") && error.contains("is-not-loaded"), "{error}");
    }

    #[test]
    fn a_question_without_its_parts_is_an_error() {
        let world = World::new(Vec::new(), Vec::new(), Vec::new(), Kinds::default(), true);
        assert!(Access::default().answer(&world, 0, b"{}").unwrap_err().starts_with("kubernetes/can_i: "));
    }
}
