//! Policy manifests to policies that run: modules found, settings validated, expressions compiled.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use fedward_conditions::{Conditions, Evaluator, Group, Problem};
use fedward_host::{Host, Module};
use fedward_manifest::Node;
use fedward_outcome::{Location, Manifest, NotEvaluated, Outcome, Related, Skipped};
use fedward_policyset::{self as policyset, Body, Kind, Resource};
use serde_json::Value;

use crate::gates::Gates;
use crate::input::unusable_policy::{self, Wrong};
use crate::load::{Loaded, Object, Role};
use crate::modules::{Codes, Modules};
use crate::payload;
use crate::policies::{self, Code, Member, Policy, Unusable};
use crate::project::RENDER_POLICIES;
use crate::suite::Parts;
use crate::world::fingerprint;

/// How policy manifests are run.
#[derive(Clone, Copy)]
pub struct Sets<'m> {
    /// The host of their modules.
    pub host: &'m Host,
    /// Their modules.
    pub modules: &'m dyn Modules,
    /// Only the policies of inputs that are for this ([`Role::Policies`]) run, and no others, not even built-in ones. Otherwise those
    /// of the judged inputs run, and the built-in policies that they do not name.
    pub only_given: bool,
}

/// What the manifests give.
#[derive(Default)]
pub(crate) struct Set {
    pub(crate) policies: Vec<Policy>,
    /// The built-in policies that some manifest names, whether or not it can be used.
    pub(crate) named: BTreeSet<&'static str>,
    /// The interpreter of conditions, where any policy has some.
    pub(crate) cel: Option<Module>,
    /// How many policies were taken up.
    pub(crate) manifests: usize,
    /// How many documents are meant as policies, usable or not.
    pub(crate) met: usize,
}

/// The group of policy manifests, and its kinds that are none.
const GROUP: &str = "policies.kubewarden.io";
const OTHERS: [&str; 1] = ["PolicyServer"];

/// Policies of one run at most.
const MAX_POLICIES: usize = 2_000;

/// Reads the policies among the objects, and those of `servers` (documents of the form of `policies.yml`).
pub(crate) fn read(loaded: &[Loaded], objects: &[Object], servers: &[usize], sets: Sets<'_>, outcome: &mut Outcome) -> Set {
    let mut reader =
        Reader { sets, outcome, set: Set::default(), codes: Codes::default(), cel: None, seen: HashMap::new(), modules: Vec::new() };
    let is_wanted = |role: Role| if sets.only_given { role == Role::Policies } else { role.is_judged() };
    let mut deployed = HashSet::new();
    for object in objects.iter().filter(|object| is_wanted(object.role) && object.review.is_none()) {
        let Some(one) = loaded.get(object.document) else { continue };
        let Some(root) = one.document.as_ref().and_then(|document| document.node(object.node)) else { continue };
        // What is deployed to several clusters is one policy.
        if matches!(object.role, Role::Deployed(_)) && object.group == GROUP && !deployed.insert(json(root).to_string()) {
            continue;
        }
        let Some(kind) = policyset::is_policy(&object.api_version(), &object.kind) else {
            if object.group == GROUP && !OTHERS.contains(&object.kind.as_str()) {
                let place = Place { one, root, object: Some(object) };
                reader.set.met += 1;
                reader.wrong(
                    &place,
                    Wrong::Field,
                    "/kind",
                    &format!("there is no kind `{}` in `{GROUP}`: no policy of it runs", object.kind),
                );
            }
            continue;
        };
        reader.set.met += 1;
        if object.draft {
            let line = Some(one.source.position(root.place().start).line);
            let how = if object.role == Role::Policies { RENDER_POLICIES } else { ": it does not run before it is rendered" };
            let reason = format!("a policy that a kustomization of the input changes{how}");
            reader.outcome.skipped.push(Skipped { file: one.source.name().to_string(), line, reason });
            continue;
        }
        let (policy, problems) = policyset::read(kind, &json(root), &object.namespace);
        let place = Place { one, root, object: Some(object) };
        reader.problems(&place, &problems);
        if let Some(policy) = policy {
            reader.policy(&place, policy, "");
        }
    }
    for one in servers.iter().filter_map(|number| loaded.get(*number)) {
        let Some(document) = &one.document else { continue };
        reader.set.met += 1;
        let (policies, problems) = policyset::read_server(&json(document.root()));
        let place = Place { one, root: document.root(), object: None };
        reader.problems(&place, &problems);
        for policy in policies {
            let prefix = format!("/{}", policy.name.replace('~', "~0").replace('/', "~1"));
            reader.policy(&place, policy, &prefix);
        }
    }
    let Reader { mut set, cel, modules, .. } = reader;
    set.cel = cel.map(|(module, _)| module);
    mark_shared(&mut set.policies, &modules);
    set
}

/// Tells the manifests of policies that have a module in common. `modules` are those of each policy, in the same order.
fn mark_shared(policies: &mut [Policy], modules: &[BTreeSet<String>]) {
    let mut users: HashMap<&String, usize> = HashMap::new();
    for module in modules.iter().flatten() {
        *users.entry(module).or_default() += 1;
    }
    for (policy, modules) in policies.iter_mut().zip(modules) {
        if let Some(manifest) = policy.manifest.as_mut().filter(|_| modules.iter().any(|module| users.get(module) > Some(&1))) {
            Arc::make_mut(manifest).shares_module = true;
        }
    }
}

/// Whether a document of a file for policies is a `policies.yml`: a map that is no object, and the file is called so or any of its values
/// has a module or members. What is wrong with the others is said of each.
pub(crate) fn is_server(root: Node<'_>, file: &str) -> bool {
    let is_entry = |value: Node<'_>| value.is_map() && (value.get("module").is_some() || value.get("policies").is_some());
    let is_named = || matches!(file.rsplit(['/', '\\']).next(), Some("policies.yml" | "policies.yaml"));
    root.is_map()
        && root.get("apiVersion").is_none()
        && root.get("kind").is_none()
        && root.entries().next().is_some()
        && (is_named() || root.entries().any(|entry| is_entry(entry.value)))
}

fn json(node: Node<'_>) -> Value {
    let mut text = Vec::new();
    node.write_json(&mut text);
    // What the reader writes is JSON.
    serde_json::from_slice(&text).unwrap_or_default()
}

/// A manifest and its document.
struct Place<'d> {
    one: &'d Loaded,
    root: Node<'d>,
    object: Option<&'d Object>,
}

impl Place<'_> {
    fn location(&self, pointer: &str) -> Location {
        let span = self.root.pointer(pointer).node.place();
        Location { source: Arc::clone(&self.one.source), span, pointer: pointer.to_owned() }
    }
}

/// The policies that one name has.
struct Seen {
    first: Location,
    contents: HashSet<u64>,
}

struct Reader<'a> {
    sets: Sets<'a>,
    outcome: &'a mut Outcome,
    set: Set,
    /// A set names the same module again and again.
    codes: Codes,
    cel: Option<(Module, Evaluator)>,
    seen: HashMap<String, Seen>,
    /// The modules of each policy of the set: the id of a built-in one, or what it is looked for by.
    modules: Vec<BTreeSet<String>>,
}

impl Reader<'_> {
    fn problems(&mut self, place: &Place<'_>, problems: &[policyset::Problem]) {
        for problem in problems {
            let wrong = if problem.fatal { Wrong::Field } else { Wrong::Ignored };
            self.wrong(place, wrong, &problem.pointer, &problem.message);
        }
    }

    fn wrong(&mut self, place: &Place<'_>, wrong: Wrong, pointer: &str, message: &str) {
        let mut location = place.location(pointer);
        if wrong == Wrong::Ignored {
            // Its name is what is wrong with it.
            location.span = place.root.pointer(pointer).node.key_span().unwrap_or(location.span);
        }
        let mut report = unusable_policy::report(wrong, location.span, message);
        report.pointer = location.pointer;
        self.outcome.findings.push(report.finding(&place.one.source, place.object.map(payload::id)));
    }

    /// Makes a policy ready to run; whatever keeps it from that is reported. `prefix` leads to it in its document.
    fn policy(&mut self, place: &Place<'_>, policy: policyset::Policy, prefix: &str) {
        let id = policy.unique_name();
        if self.is_known(place, &policy, prefix) {
            return;
        }
        self.set.manifests += 1;
        if self.set.manifests > MAX_POLICIES {
            if self.set.manifests == MAX_POLICIES + 1 {
                let message = format!("more than {MAX_POLICIES} policies in one run: this one and the following do not run");
                self.wrong(place, Wrong::Field, prefix, &message);
            }
            return;
        }
        let mut members = Vec::new();
        let mut codes = Vec::new();
        let mut modules = BTreeSet::new();
        let mut usable = true;
        for (name, member) in policy.body.members() {
            match self.member(place, &id, name, member) {
                Some((code, made)) => {
                    let known = code.builtin.map(|builtin| builtin.id.to_owned());
                    modules.insert(known.unwrap_or_else(|| Codes::key(&member.module, place.one.source.name())));
                    codes.push(code);
                    members.push(made);
                }
                None => usable = false,
            }
        }
        let spec = if policy.kind == Kind::Server { prefix.to_owned() } else { "/spec".to_owned() };
        let conditions = policy.matching.as_ref().map(|matching| matching.conditions.as_slice()).unwrap_or_default();
        let conditions = match conditions {
            [] => Ok(None),
            some => self.conditions(place, some).map(Some),
        };
        let group = match &policy.body {
            Body::Single(_) => Ok(None),
            Body::Group { expression, members } => {
                let names: Vec<&str> = members.keys().map(String::as_str).collect();
                self.group(place, &format!("{spec}/expression"), expression, &names).map(Some)
            }
        };
        let (Ok(conditions), Ok(group), true) = (conditions, group, usable) else { return };
        let is_raw = codes.iter().any(|code| code.raw);
        let is_annotated = codes.iter().all(|code| code.rules.is_some());
        let manifest = Manifest {
            kind: policy.kind.name(),
            namespace: policy.namespace.unwrap_or_default(),
            name: policy.name,
            location: place.location(prefix),
            shares_module: false,
        };
        self.modules.push(modules);
        let matching = policy.matching.unwrap_or_else(|| {
            // `policies.yml` says nothing of webhooks: what the module is made for is shown to it.
            let rules = codes.iter().flat_map(|code| code.rules.clone().unwrap_or_else(|| vec![policies::anything()]));
            policies::everything(rules.collect())
        });
        self.set.policies.push(Policy {
            id,
            manifest: Some(Arc::new(manifest)),
            is_rendered: place.object.is_some_and(|object| matches!(object.role, Role::Deployed(_))),
            is_annotated,
            matching,
            offline: codes.into_iter().flat_map(|code| code.offline).collect(),
            conditions,
            members,
            group,
            raw: is_raw,
            mutating: policy.mutating,
            mode: policy.mode,
            failure_policy: policy.failure_policy,
            call_time: policy.webhook_seconds.map(|seconds| Duration::from_secs(seconds.into())),
            message: policy.message,
            parts: Parts::default(),
        });
    }

    /// Whether the very same policy was met: a manifest stands in a base and in what includes it. Another one of its name is reported.
    fn is_known(&mut self, place: &Place<'_>, policy: &policyset::Policy, prefix: &str) -> bool {
        let is_server = policy.kind == Kind::Server;
        // Entries of different policy servers may have one name, and are no webhooks that replace each other.
        let name = if is_server { format!("{}: {}", place.one.source.name(), policy.name) } else { policy.unique_name() };
        let pointer = if is_server { prefix } else { "/metadata/name" };
        let seen = self.seen.entry(name).or_insert_with(|| Seen { first: place.location(pointer), contents: HashSet::new() });
        if !seen.contents.insert(fingerprint(&format!("{policy:?}"))) {
            return true;
        }
        if seen.contents.len() > 1 {
            let related = Related { location: seen.first.clone(), message: "the first manifest of this name".to_owned() };
            let message = format!(
                "there is another `{}` of this name that says something else: a cluster has the one that is applied last, and here both run",
                policy.kind.name()
            );
            self.wrong(place, Wrong::Name, pointer, &message);
            if let Some(finding) = self.outcome.findings.last_mut() {
                finding.related.push(related);
            }
        }
        false
    }

    /// A member's module with its settings.
    fn member(&mut self, place: &Place<'_>, id: &str, name: &str, member: &policyset::Member) -> Option<(Code, Member)> {
        let at = member.settings_pointer.trim_end_matches("/settings");
        let code = self.code(&member.module, place.one.source.name());
        if let Ok(Code { builtin: Some(builtin), .. }) = &code {
            self.set.named.insert(builtin.id);
        }
        let settings = Value::Object(member.settings.clone());
        let made = code.map_err(Unusable::Module).and_then(|code| {
            if code.raw && place.object.is_some() {
                return Err(Unusable::Module("it is a raw policy, which only a policy server's own file can have".to_owned()));
            }
            let made = code.member(name.to_owned(), &settings)?;
            Ok((code, made))
        });
        let (code, mut made) = match made {
            Ok(made) => made,
            Err(Unusable::Module(reason)) => {
                // What it would say of the objects nobody knows.
                self.outcome.not_evaluated.push(NotEvaluated {
                    location: place.location(&format!("{at}/module")),
                    object: place.object.map(payload::id),
                    policy: id.to_owned(),
                    reason: format!("does not run: module `{}`: {reason}", member.module),
                });
                return None;
            }
            Err(Unusable::Settings(said)) => {
                for line in said.lines() {
                    // Our own modules name the field: `settings.field.0: what`.
                    let (pointer, what) = match line.strip_prefix("settings").and_then(|rest| rest.split_once(": ")) {
                        Some((path, what)) if path.is_empty() || path.starts_with('.') => (path.replace('.', "/"), what),
                        _ => (String::new(), line),
                    };
                    self.wrong(place, Wrong::Settings, &format!("{}{pointer}", member.settings_pointer), what);
                }
                if said.trim().is_empty() {
                    self.wrong(place, Wrong::Settings, &member.settings_pointer, "the module refuses the settings and does not say why");
                }
                return None;
            }
        };
        let gates = Gates { capabilities: member.host_capabilities.clone(), resources: member.context_aware.clone() };
        let granted = |resource: &Resource| gates.resource(&resource.api_version, &resource.kind).is_ok();
        made.indexed = code.builtin.is_some()
            && code.resources.iter().all(granted)
            && gates.capability("kubernetes", "list_resources_by_namespace").is_ok();
        made.is_blind = code.builtin.is_some() && !code.resources.is_empty() && !code.resources.iter().any(granted);
        made.timeout = member.timeout_seconds.map(|seconds| Duration::from_secs(seconds.into()));
        made.gates = Some(gates);
        Some((code, made))
    }

    fn code(&self, reference: &str, manifest: &str) -> Result<Code, String> {
        let codes = self.sets.modules.codes().unwrap_or(&self.codes);
        codes.get(self.sets.host, self.sets.modules, reference, manifest)
    }

    fn conditions(&mut self, place: &Place<'_>, conditions: &[policyset::Condition]) -> Result<Conditions, ()> {
        let pairs: Vec<(&str, &str)> = conditions.iter().map(|one| (one.name.as_str(), one.expression.as_str())).collect();
        let pointer = |problem: &Problem| {
            let known = conditions.iter().find(|condition| condition.name == problem.name).or(conditions.first());
            known.map_or_else(String::new, |condition| condition.pointer.clone())
        };
        let compiled = self.cel().and_then(|cel| Conditions::compile(cel, &pairs).map_err(|error| error.to_string()));
        self.compiled(place, compiled, pointer)
    }

    fn group(&mut self, place: &Place<'_>, pointer: &str, expression: &str, members: &[&str]) -> Result<Group, ()> {
        let compiled = self.cel().and_then(|cel| Group::compile(cel, expression, members).map_err(|error| error.to_string()));
        self.compiled(place, compiled, |_| pointer.to_owned())
    }

    fn compiled<T>(
        &mut self,
        place: &Place<'_>,
        compiled: Result<Result<T, Vec<Problem>>, String>,
        pointer: impl Fn(&Problem) -> String,
    ) -> Result<T, ()> {
        let problems = match compiled {
            Ok(Ok(done)) => return Ok(done),
            Ok(Err(problems)) => problems,
            Err(message) => vec![Problem { name: String::new(), message, offset: None }],
        };
        for problem in &problems {
            let at = problem.offset.map_or_else(String::new, |offset| format!(" (at byte {} of the expression)", offset + 1));
            self.wrong(place, Wrong::Expression, &pointer(problem), &format!("{problem}{at}"));
        }
        Err(())
    }

    /// The interpreter, loaded when it is first needed.
    fn cel(&mut self) -> Result<&mut Evaluator, String> {
        if self.cel.is_none() {
            let module = policies::embedded(self.sets.host, fedward_modules::CEL.compiled, fedward_modules::CEL.wasm)?;
            let evaluator = Evaluator::new(&module, self.sets.host.limits());
            self.cel = Some((module, evaluator));
        }
        self.cel.as_mut().map(|(_, evaluator)| evaluator).ok_or_else(String::new)
    }
}
