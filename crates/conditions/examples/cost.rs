//! What conditions cost: `cargo run --release -p fedward-conditions --example cost`.

use std::error::Error;
use std::time::{Duration, Instant};

use fedward_conditions::{Conditions, Evaluator, Outcome, Uses, Variables};
use fedward_host::{Host, Limits, Module, Strategy};

const ROUNDS: u32 = 2_000;

fn main() -> Result<(), Box<dyn Error>> {
    let host = Host::new(Limits::default());
    let start = Instant::now();
    #[expect(unsafe_code, reason = "the bytes are those of the build of this program")]
    // SAFETY: as the build script of `fedward-modules` left them.
    let module = unsafe { Module::from_precompiled(&host, Strategy::Kept, fedward_modules::CEL.compiled, fedward_modules::CEL.wasm) }?;
    println!("module: {} KB, loaded in {:?} ({:?})", fedward_modules::CEL.wasm.len() / 1000, start.elapsed(), module.origin());

    let mut evaluator = Evaluator::new(&module, host.limits());
    let typical = [
        ("exclude-leases", "!(request.resource.group == 'coordination.k8s.io' && request.resource.resource == 'leases')"),
        ("exclude-kubelet-requests", "!('system:nodes' in request.userInfo.groups)"),
        ("federated", "has(object.metadata.labels) && 'azure.workload.identity/use' in object.metadata.labels"),
    ];
    let start = Instant::now();
    let sets: Vec<Conditions> = (0..20).map(|_| compile(&mut evaluator, &typical)).collect::<Result<_, _>>()?;
    println!("20 policies with 3 conditions compiled, instance included: {:?}", start.elapsed());

    let object = object();
    let request = br#"{"kind":{"group":"apps","version":"v1","kind":"Deployment"},"resource":{"group":"apps","version":"v1","resource":"deployments"},"name":"orchard","namespace":"fruit","operation":"CREATE","userInfo":{"username":"gardener","groups":["growers","system:authenticated"]},"dryRun":false}"#;
    let variables = Variables { object: object.as_bytes(), old_object: b"null", request, namespace_object: None };
    println!("object of {} bytes", object.len());
    for (what, policies) in [("1 policy", 1), ("20 policies", 20)] {
        let sets: Vec<&Conditions> = sets.iter().take(policies).collect();
        println!("{what}, 3 conditions each: {:?} per object", measure(&mut evaluator, &variables, &sets));
    }
    let ends: Vec<Conditions> = (15..20)
        .map(|end| compile(&mut evaluator, &[("c", &format!("object.metadata.name.endsWith('-{end}')"))]))
        .collect::<Result<_, _>>()?;
    let ends: Vec<&Conditions> = ends.iter().collect();
    let mentioned = Variables { object: br#"{"metadata":{"name":"orchard-3"}}"#, ..variables };
    println!("5 policies, the end of a name each: {:?} per object of 33 bytes", measure(&mut evaluator, &mentioned, &ends));
    let only_request = compile(&mut evaluator, &[typical[0], typical[1]])?;
    println!("1 policy, 2 conditions on the request alone: {:?}", measure(&mut evaluator, &variables, &[&only_request]));
    let constant = compile(&mut evaluator, &[("c", "true")])?;
    println!("1 policy, `true`: {:?}", measure(&mut evaluator, &variables, &[&constant]));
    let comprehension = compile(
        &mut evaluator,
        &[("c", "object.spec.template.spec.containers.all(c, !c.image.endsWith(':latest') && c.image.matches('^[a-z.]+/'))")],
    )?;
    println!("1 policy, a comprehension with a pattern: {:?}", measure(&mut evaluator, &variables, &[&comprehension]));

    let bomb = compile(&mut evaluator, &[("bomb", "lists.range(1000000).all(a, lists.range(1000000).all(b, a + b >= 0))")])?;
    let start = Instant::now();
    let outcome = evaluator.bind(&variables, bomb.uses()).evaluate(&bomb);
    println!("a bomb: {:?}, {outcome:?}", start.elapsed());
    Ok(())
}

fn compile(evaluator: &mut Evaluator, conditions: &[(&str, &str)]) -> Result<Conditions, Box<dyn Error>> {
    Conditions::compile(evaluator, conditions)?.map_err(|problems| format!("{problems:?}").into())
}

/// The median.
fn measure(evaluator: &mut Evaluator, variables: &Variables<'_>, sets: &[&Conditions]) -> Duration {
    let uses = sets.iter().fold(Uses::default(), |all, set| all.and(set.uses()));
    let mut times: Vec<Duration> = (0..ROUNDS)
        .map(|_| {
            let start = Instant::now();
            let outcomes = evaluator.bind(variables, &uses).evaluate_all(sets);
            let matched = outcomes.iter().filter(|outcome| **outcome == Outcome::Match).count();
            std::hint::black_box(matched);
            start.elapsed()
        })
        .collect();
    times.sort();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

/// A Deployment of 1.2 KB.
fn object() -> String {
    let container = |name: &str| {
        format!(
            r#"{{"name":"{name}","image":"registry.example/{name}:1.2.3","ports":[{{"containerPort":8080,"protocol":"TCP"}}],"env":[{{"name":"LOG_LEVEL","value":"info"}},{{"name":"MODE","value":"harvest"}}],"resources":{{"limits":{{"memory":"1Gi","cpu":"500m"}},"requests":{{"memory":"512Mi","cpu":"100m"}}}}}}"#
        )
    };
    format!(
        r#"{{"apiVersion":"apps/v1","kind":"Deployment","metadata":{{"name":"orchard","namespace":"fruit","labels":{{"app":"orchard","azure.workload.identity/use":"true"}}}},"spec":{{"replicas":3,"selector":{{"matchLabels":{{"app":"orchard"}}}},"template":{{"metadata":{{"labels":{{"app":"orchard","azure.workload.identity/use":"true"}}}},"spec":{{"serviceAccountName":"picker","automountServiceAccountToken":false,"containers":[{},{}],"volumes":[{{"name":"token","projected":{{"sources":[{{"serviceAccountToken":{{"audience":"api://orchard","expirationSeconds":3600,"path":"token"}}}}]}}}}]}}}}}}}}"#,
        container("apple"),
        container("pear")
    )
}
