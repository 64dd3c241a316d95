//! The table of cases, and that the order of objects never matters in it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::string_slice, reason = "tests")]

use std::sync::Arc;

use fedward_manifest::{Limits, Source, parse, split};
use fedward_rbac::{Action, Decision, EvaluationError, Grant, NonResourceAttributes, Rbac, ResourceAttributes, Source as From, User};
use serde_json::Value;

struct World {
    name: String,
    objects: Vec<Value>,
    cases: Vec<Value>,
}

fn worlds() -> Vec<World> {
    let source = Arc::new(Source::new("cases.yaml", include_bytes!("cases.yaml").to_vec()).unwrap());
    let limits = Limits::default();
    let chunk = split(&source, &limits).chunks.into_iter().next().unwrap();
    let parsed = parse(&source, chunk, &limits);
    assert!(parsed.problems.is_empty(), "{:?}", parsed.problems);
    let mut json = Vec::new();
    parsed.document.unwrap().root().write_json(&mut json);
    let worlds: Vec<Value> = serde_json::from_slice(&json).unwrap();
    let list = |world: &Value, field: &str| world[field].as_array().unwrap().clone();
    let read = |world: &Value| World {
        name: world["world"].as_str().unwrap().to_owned(),
        objects: list(world, "objects"),
        cases: list(world, "cases"),
    };
    worlds.iter().map(read).collect()
}

fn question(case: &Value) -> (User, Action) {
    let known =
        ["shows", "answer", "reason", "user", "groups", "account", "verb", "group", "resource", "subresource", "namespace", "name", "url"];
    for field in case.as_object().unwrap().keys() {
        assert!(known.contains(&field.as_str()), "unknown field `{field}`: {case}");
    }
    let text = |field: &str| case[field].as_str().unwrap_or_default().to_owned();
    let user = match case["account"].as_str().and_then(|account| account.split_once('/')) {
        Some((namespace, name)) => User::service_account(namespace, name),
        None => serde_json::from_value(case.clone()).unwrap(),
    };
    let action = match case["url"].as_str() {
        Some(url) => Action::NonResource(NonResourceAttributes { verb: text("verb"), path: url.to_owned() }),
        None => Action::Resource(ResourceAttributes {
            verb: text("verb"),
            group: text("group"),
            resource: text("resource"),
            subresource: text("subresource"),
            namespace: text("namespace"),
            name: text("name"),
        }),
    };
    (user, action)
}

fn answer(decision: &Decision) -> &'static str {
    match decision {
        Decision::Allowed(_) => "allowed",
        Decision::NoOpinion(errors) if errors.is_empty() => "no",
        Decision::NoOpinion(_) => "unknown",
    }
}

#[test]
fn every_case() {
    let mut wrong = Vec::new();
    let mut count = 0;
    for world in worlds() {
        let rbac = Rbac::new(&world.objects);
        for case in &world.cases {
            count += 1;
            let (user, action) = question(case);
            let decision = rbac.decide(&user, &action);
            let (got, reason) = (answer(&decision), decision.reason());
            if case["answer"] != got || case["reason"].as_str().is_some_and(|wanted| wanted != reason) {
                wrong.push(format!("{}: {}: {got}, {reason:?}", world.name, case["shows"]));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(count >= 150, "the table was cut: {count}");
}

#[test]
fn every_case_has_near_misses() {
    for world in worlds() {
        for wanted in ["allowed", "no"] {
            let refused = world.cases.iter().any(|case| case["answer"] == wanted);
            assert!(refused || world.name == "bindings that cannot be judged", "{}: nothing is {wanted}", world.name);
        }
        let mut shown: Vec<&str> = world.cases.iter().map(|case| case["shows"].as_str().unwrap()).collect();
        shown.sort_unstable();
        shown.dedup();
        assert_eq!(shown.len(), world.cases.len(), "{}: two cases show the same", world.name);
    }
}

/// A small generator (SplitMix64): the same numbers on every run.
pub(crate) struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) % end as u64).unwrap()
    }

    fn shuffled(&mut self, count: usize) -> Vec<usize> {
        let mut order: Vec<usize> = (0..count).collect();
        for at in (1..count).rev() {
            order.swap(at, self.below(at + 1));
        }
        order
    }
}

/// The decision with every object in place of its position.
fn resolved(decision: &Decision, objects: &[Value]) -> String {
    let object = |from: &From| match from {
        From::Loaded(at) => objects[*at].to_string(),
        From::BuiltIn => "built in".to_owned(),
    };
    let error = |error: &EvaluationError| match error {
        EvaluationError::RoleNotFound { binding: at, .. }
        | EvaluationError::Ambiguous { first: at, .. }
        | EvaluationError::AggregatedRules { role: at, .. } => {
            format!("{error} {}", object(at))
        }
        _ => error.to_string(),
    };
    match decision {
        Decision::Allowed(Grant::Binding { binding, subject, role, rules_of, rule, description }) => {
            format!("{description} {subject} {rule} {} {} {}", object(binding), object(role), object(rules_of))
        }
        Decision::Allowed(Grant::SystemMasters) => "masters".to_owned(),
        Decision::NoOpinion(errors) => errors.iter().map(error).collect::<Vec<_>>().join("\n"),
    }
}

/// All worlds together: objects of one name from different worlds are copies that differ.
#[test]
fn order_never_matters() {
    let mut numbers = Numbers(7);
    let mut worlds = worlds();
    let together = World {
        name: "all worlds".to_owned(),
        objects: worlds.iter().flat_map(|world| world.objects.clone()).collect(),
        cases: worlds.iter().flat_map(|world| world.cases.clone()).collect(),
    };
    worlds.push(together);
    for world in worlds {
        let rbac = Rbac::new(&world.objects);
        for _ in 0..20 {
            let order = numbers.shuffled(world.objects.len());
            let objects: Vec<Value> = order.iter().map(|at| world.objects[*at].clone()).collect();
            let other = Rbac::new(&objects);
            for case in &world.cases {
                let (user, action) = question(case);
                let (one, two) = (rbac.decide(&user, &action), other.decide(&user, &action));
                assert_eq!(resolved(&one, &world.objects), resolved(&two, &objects), "{}: {}", world.name, case["shows"]);
            }
        }
    }
}
