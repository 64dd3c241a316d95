//! Reports Sensors that let an event decide what runs with an identity, or write a part of it.
//!
//! ## What it does
//! Follows what the parameters of a Sensor's triggers take from an event (`dataKey`, `dataTemplate`, or the whole event) into what is
//! started: over its fields, and through the arguments of a Workflow into the inputs of its templates, also of those that stand in a
//! WorkflowTemplate.
//! * An error where the event decides the service account, templates, a `podSpecPatch`, or, of a pod with an identity, its labels or its
//!   image.
//! * An error where event data becomes a part of code that runs with an identity: of `script.source`, of the text after `sh -c`, or of
//!   the program's name.
//! * A warning where an argument of a program with an identity begins with event data, so that it can be an option.
//!
//! A pod has an identity if its service account has one, or if the pod has Azure's label or projects a token for a cloud. Event data
//! inside an argument (`--destination=registry.example/{{…}}`), behind `--`, as a numbered argument of a shell's text or as an environment
//! variable is left alone, and so is the event's context (`contextKey`), which its sender does not write. A filter of the dependency whose
//! regular expression fits the whole value and lets only letters, digits and harmless marks through makes event data harmless as code.
//! The labels of a Workflow do not reach its pods.
//!
//! ## Why it is bad
//! A tag, a branch or a title is what its author made it. `$(curl …)` in one is run by the shell that it is written into, with the
//! identity of the step; `--config=…` is an option of the program that gets it.
//!
//! ## Example
//! ```yaml
//! kind: Sensor
//! spec:
//!   triggers:
//!     - template:
//!         argoWorkflow:
//!           source:
//!             resource:
//!               kind: Workflow
//!               spec:
//!                 entrypoint: push
//!                 serviceAccountName: push # has an identity
//!                 arguments:
//!                   parameters: [{name: tag}]
//!                 templates:
//!                   - name: push
//!                     container:
//!                       image: registry.example/build:1
//!                       command: [sh, -c]
//!                       args: ["push registry.example/shop:{{workflow.parameters.tag}}"]
//!           parameters:
//!             - src: {dependencyName: release, dataKey: body.release.tag_name}
//!               dest: spec.arguments.parameters.0.value
//! ```
//!
//! ## Use instead
//! ```yaml
//! kind: Sensor
//! spec:
//!   triggers:
//!     - template:
//!         argoWorkflow:
//!           source:
//!             resource:
//!               kind: Workflow
//!               spec:
//!                 entrypoint: push
//!                 serviceAccountName: push
//!                 arguments:
//!                   parameters: [{name: tag}]
//!                 templates:
//!                   - name: push
//!                     container:
//!                       image: registry.example/build:1
//!                       command: [sh, -c]
//!                       args: ['push "registry.example/shop:$TAG"']
//!                       env: [{name: TAG, value: "{{workflow.parameters.tag}}"}]
//!           parameters:
//!             - src: {dependencyName: release, dataKey: body.release.tag_name}
//!               dest: spec.arguments.parameters.0.value
//! ```
//!
//! ## References
//! Argo Events, "Parameterization" and `pkg/sensors/triggers/params.go`; "Data Filter" (values are regular expressions); Argo Workflows,
//! "Workflow Variables"; CWE-78, CWE-88.

use fedward_kit::identity::is_labelled;
use fedward_kit::node::Node;
use fedward_kit::order;
use fedward_kit::rule::{Check, Condition, Report, Rule};
use fedward_kit::workload::{self, Container, Pod, Triggered};
use fedward_kit::{audience, projection};

use crate::executed::{self, Part};
use crate::flow::{Flow, is_above};
use crate::settings::Settings;
use crate::sharing;
use crate::written::{self, Written};

const DECIDES: Condition =
    Condition::error("decides", "the event decides the service account, a template, a patch, or labels or image of a pod with an identity");
const CODE: Condition = Condition::error("becomes-code", "event data becomes a part of code that runs with an identity");
const ARGUMENT: Condition =
    Condition::warning("begins-argument", "an argument of a program that runs with an identity begins with event data");

/// The rule.
pub const RULE: Rule<Settings> = Rule {
    id: "event-data-injection",
    summary: "an event decides what runs with an identity, or becomes a part of it",
    conditions: &[DECIDES, CODE, ARGUMENT],
    supersedes: &[],
    check,
};

/// Where event data ends.
struct Sink<'a> {
    condition: &'static Condition,
    node: Node<'a>,
    message: String,
}

fn check(cx: &Check<'_, Settings>) {
    if !cx.request.is_final || !cx.is("argoproj.io", "Sensor") {
        return;
    }
    let started = workload::triggered(cx.object);
    let pods = by_object(cx, &started);
    for (triggered, pods) in started.iter().zip(pods) {
        let all = written::of(cx.object, triggered);
        let object = triggered.object;
        let spec = Some(object.get("spec")).filter(|_| object.peek_text("kind") == Some("Workflow"));
        let own = object.peek("metadata").peek_text("namespace").filter(|own| !own.is_empty());
        let namespace = own.unwrap_or(cx.request.namespace);
        let mut flow = spec.filter(|_| !all.is_empty()).map(|spec| Flow::new(spec, namespace, cx.context));
        for one in &all {
            // Whoever decides the account decides everything else, too.
            let mut sinks: Vec<Sink<'_>> = decided(one, object).into_iter().collect();
            if sinks.is_empty() {
                if let Some(flow) = &mut flow {
                    flow.follow(one);
                }
                let search = Search { cx, written: one, object, flow: flow.as_ref() };
                pods.iter().for_each(|pod| search.pod(pod, &mut sinks));
            }
            report(cx, one, sinks);
        }
    }
}

/// The pods of each triggered object, those in templates that it runs included.
fn by_object<'a>(cx: &Check<'a, Settings>, started: &[Triggered<'a>]) -> Vec<Vec<&'a Pod<'a>>> {
    let address = |node: Node<'a>| node.value().map_or(0, |value| std::ptr::from_ref(value).addr());
    let mut known: Vec<(usize, usize)> =
        started.iter().enumerate().filter(|(_, one)| one.object.is_present()).map(|(index, one)| (address(one.object), index)).collect();
    order::sort(&mut known, &Ord::cmp);
    let mut found = vec![Vec::new(); started.len()];
    for pod in cx.all_pods() {
        let place = std::iter::successors(Some(pod.workflow.unwrap_or(pod.node)), |node| node.parent())
            .find_map(|node| known.binary_search_by_key(&address(node), |(address, _)| *address).ok());
        if let Some(pods) = place.and_then(|at| known.get(at)).and_then(|(_, index)| found.get_mut(*index)) {
            pods.push(pod);
        }
    }
    found
}

/// What event data decides whatever the pods are: fields by which a pod gets any service account.
fn decided<'a>(written: &Written<'a>, object: Node<'a>) -> Option<Sink<'a>> {
    let path = written.pointer.strip_prefix(&object.pointer())?;
    let last = path.rsplit('/').next().unwrap_or("");
    let is_structure = || {
        let parts: Vec<&str> = path.split('/').skip(1).map(|part| if part.parse::<usize>().is_ok() { "N" } else { part }).collect();
        const HOLDERS: [&[&str]; 7] = [
            &[],
            &["spec"],
            &["spec", "templates"],
            &["spec", "templates", "N"],
            &["spec", "template"],
            &["spec", "template", "spec"],
            &["spec", "workflowSpec"],
        ];
        HOLDERS.contains(&parts.as_slice())
    };
    let what = match last {
        "serviceAccountName" | "serviceAccount" => "the service account of what is started",
        "podSpecPatch" => "a patch of the pod",
        _ if written.raw && is_structure() => "what is started",
        _ => return None,
    };
    let message = format!("the event decides {what}, and so may take any service account of the namespace");
    Some(Sink { condition: &DECIDES, node: written.dest, message })
}

/// The search for where one parameter's event data ends.
struct Search<'s, 'a> {
    cx: &'s Check<'a, Settings>,
    written: &'s Written<'a>,
    object: Node<'a>,
    flow: Option<&'s Flow<'a>>,
}

impl<'a> Search<'_, 'a> {
    /// Whether the parameter writes to the field, or to something around it.
    fn is_written(&self, node: Node<'a>) -> bool {
        let root = |node: Node<'a>| std::iter::successors(Some(node), |node| node.parent()).last().unwrap_or(node);
        let pointer = || node.pointer();
        let is_hit = |pointer: &str| self.written.pointer == pointer || self.written.raw && is_above(&self.written.pointer, pointer);
        is_hit(&pointer()) && root(node).is_same(root(self.object))
    }

    /// Whether a text of a template holds the event data, and if so whether it begins with it.
    fn hit(&self, template: Node<'a>, node: Node<'a>) -> Option<bool> {
        if self.is_written(node) {
            return Some(self.written.begins);
        }
        self.flow?.hit(template, node.peek_str()?)
    }

    fn pod(&self, pod: &'a Pod<'a>, sinks: &mut Vec<Sink<'a>>) {
        let template = pod.node;
        let mut sink = |condition, node, message| sinks.push(Sink { condition, node, message });
        // A name or a patch that is an expression is known to nobody else.
        let account = pod.account.node();
        let patches = [template.peek("podSpecPatch"), pod.workflow.map_or(template.peek("podSpecPatch"), |spec| spec.peek("podSpecPatch"))];
        let through = |node: Node<'a>| {
            let flow = self.flow.filter(|_| !self.is_written(node))?;
            let text = node.peek_str()?;
            flow.hit(template, text).or_else(|| flow.global_hit(text))
        };
        if through(account).is_some() {
            sink(&DECIDES, account, format!("the event decides the service account of the {}", pod.title));
        }
        if let Some(patch) = patches.into_iter().find(|patch| !self.written.checked && through(*patch).is_some()) {
            sink(&DECIDES, patch, format!("event data becomes a part of the patch of the {}", pod.title));
        }
        let labels = pod.layers.iter().map(|layer| layer.labels).find(|labels| self.is_label(*labels));
        let parts: Vec<(Node<'a>, &str, &'static Condition)> =
            pod.containers.iter().flat_map(|container| self.container(template, container)).collect();
        if labels.is_none() && parts.is_empty() {
            return;
        }
        let Some(identity) = self.identity(pod) else { return };
        if let Some(labels) = labels {
            sink(&DECIDES, labels, format!("the event decides a label of the {}, {identity}", pod.title));
        }
        for (node, what, condition) in parts {
            sink(condition, node, format!("{what} of the {}, {identity}", pod.title));
        }
    }

    /// Whether the parameter writes a label, or all of them.
    fn is_label(&self, labels: Node<'a>) -> bool {
        self.is_written(labels) || is_above(&labels.pointer(), &self.written.pointer) && self.is_written(labels.peek(self.last(labels)))
    }

    /// The last step of what is written.
    fn last(&self, node: Node<'a>) -> &'a str {
        let step = self.written.pointer.rsplit('/').next().unwrap_or("");
        node.session().text(&step.replace("~1", "/").replace("~0", "~"))
    }

    /// What event data reaches in a container.
    fn container(&self, template: Node<'a>, container: &Container<'a>) -> Vec<(Node<'a>, &'static str, &'static Condition)> {
        let mut found = Vec::new();
        let image = container.node.peek("image");
        if self.hit(template, image) == Some(true) {
            found.push((image, "the event decides the image", &DECIDES));
        }
        if self.written.checked {
            return found;
        }
        for (node, part) in executed::parts(container, &|node| self.is_written(node)) {
            match (part, self.hit(template, node)) {
                (Part::Code, Some(_)) => found.push((node, "event data becomes a part of the code", &CODE)),
                (Part::Argument, Some(true)) => found.push((node, "event data begins an argument of the program", &ARGUMENT)),
                _ => {}
            }
        }
        found
    }

    /// What identity a pod has, as messages say it.
    fn identity(&self, pod: &'a Pod<'a>) -> Option<String> {
        let name = pod.account.name();
        if let (Some((provider, _)), Some(name)) = (sharing::signs_in(self.cx, pod), name) {
            return Some(format!("which runs as `{name}` and has an identity ({})", provider.name()));
        }
        let is_clouds = |text: &str| audience::provider(text).is_some();
        let signs_in = is_labelled(pod) || projection::tokens(pod).iter().any(|token| token.audience.peek_str().is_some_and(is_clouds));
        signs_in.then(|| "which signs in to a cloud".to_owned())
    }
}

/// One finding for each parameter: the worst of what its event data reaches.
fn report<'a>(cx: &Check<'a, Settings>, written: &Written<'a>, mut sinks: Vec<Sink<'a>>) {
    const WORST_LAST: [&Condition; 3] = [&ARGUMENT, &CODE, &DECIDES];
    let rank = |sink: &Sink<'_>| WORST_LAST.iter().position(|condition| *condition == sink.condition);
    let Some(worst) = sinks.iter().map(rank).max() else { return };
    let Some(at) = sinks.iter().position(|sink| rank(sink) == worst) else { return };
    let first = sinks.remove(at);
    let help = if first.condition == &DECIDES {
        "write event data into arguments only, and let the manifest decide everything else"
    } else if first.condition == &CODE {
        "pass it in an environment variable, in quotes (`\"$NAME\"`), instead of writing it into the code"
    } else {
        "put `--` or a fixed beginning (`--name=`) before it"
    };
    let mut report = Report::new(first.condition, written.dest, first.message).help(help);
    if !first.node.is_same(written.dest) {
        report = report.related(first.node, "where it ends");
    }
    for other in sinks {
        report = report.related(other.node, "where it ends, too");
    }
    cx.report(report);
}
