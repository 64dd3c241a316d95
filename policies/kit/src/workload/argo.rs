//! Argo Workflows: which pods a workflow spec makes, with which labels and which service account.
//!
//! Mirrors `workflow/controller/workflowpod.go` and `agent.go` (metadata, service account and patches of a pod), and the merge rules of
//! `templateRef`, `workflowTemplateRef` and the controller's `workflowDefaults` in `pkg/apis/workflow/v1alpha1/workflow_types.go`.

use super::{Account, Container, Layer, Pod, collect as collect_object, container};
use crate::context::Context;
use crate::finding::ObjectRef;
use crate::index;
use crate::node::{Format, Node};
use crate::text;

/// How many templates of other objects are followed.
const MAX_REFERENCES: usize = 200;

/// The usual name of the workflow controller's ConfigMap; charts put the release's name before it.
pub(crate) const CONTROLLER_CONFIG: &str = "workflow-controller-configmap";

/// Whether an object is the workflow controller's ConfigMap.
pub(crate) fn is_controller_config(object: Node<'_>) -> bool {
    object.peek_text("kind") == Some("ConfigMap")
        && object.peek("metadata").peek_text("name").is_some_and(|name| name.ends_with(CONTROLLER_CONFIG))
}

/// A section of the controller's ConfigMap: a key of its own, or (before Argo Workflows 3) a field of the text under `config`.
pub fn controller_setting<'a>(config: Node<'a>, name: &'a str) -> Option<Node<'a>> {
    let data = config.peek("data");
    let own = data.peek(name);
    if own.is_present() { own.open(Format::Yaml).ok() } else { Some(data.peek("config").open(Format::Yaml).ok()?.peek(name)) }
}

pub(super) fn collect<'a>(
    row: &'static str,
    object: Node<'a>,
    spec: Node<'a>,
    namespace: &'a str,
    context: &Context<'a>,
    depth: usize,
    found: &mut Vec<Pod<'a>>,
) {
    let is_template = object.peek_text("kind").is_some_and(|kind| kind.ends_with("WorkflowTemplate"));
    let mut specs = vec![spec];
    let reference = spec.get("workflowTemplateRef");
    if reference.is_present()
        && let Some(template) = referenced(reference, namespace, context)
    {
        specs.push(template.get("spec"));
    }
    let mut walk =
        Walk { row, spec, specs, namespace, is_template, context, depth, queue: Vec::new(), seen: Vec::new(), agent: false, found };
    walk.queue.extend(walk.specs.iter().flat_map(|spec| spec.get("templates").items()).map(|template| (template, None)));
    let hooks: Vec<_> = walk.specs.iter().flat_map(|spec| spec.get("hooks").entries()).collect();
    for (_, hook) in hooks {
        walk.reference(hook.get("templateRef"));
    }
    let defaults = index::workflow_controller(context, namespace, spec).and_then(|config| controller_setting(config, "workflowDefaults"));
    walk.specs.extend(defaults.map(|defaults| defaults.get("spec")));
    walk.run();
}

/// The WorkflowTemplate or ClusterWorkflowTemplate that a reference names.
fn referenced<'a>(reference: Node<'a>, namespace: &'a str, context: &Context<'a>) -> Option<Node<'a>> {
    let cluster = reference.get("clusterScope").bool() == Some(true);
    let object = ObjectRef {
        api_version: "argoproj.io/v1alpha1",
        kind: if cluster { "ClusterWorkflowTemplate" } else { "WorkflowTemplate" },
        namespace: if cluster { "" } else { namespace },
        name: reference.text("name").unwrap_or(""),
    };
    context.get(object, reference).found()
}

/// The other object that a template stands in.
#[derive(Clone, Copy)]
struct Home<'a> {
    spec: Node<'a>,
    name: &'a str,
    cluster: bool,
}

struct Walk<'a, 'f, 'c> {
    row: &'static str,
    /// The spec that runs.
    spec: Node<'a>,
    /// The same, then those that fill what it leaves out: of the WorkflowTemplate that it names, of the controller's
    /// defaults. An earlier one wins, field by field.
    specs: Vec<Node<'a>>,
    namespace: &'a str,
    /// Whether whoever runs the template decides what is not set here.
    is_template: bool,
    context: &'c Context<'a>,
    depth: usize,
    /// Templates to look at. No recursion: a chain of references must not use up the stack.
    queue: Vec<(Node<'a>, Option<Home<'a>>)>,
    /// Templates of other objects that were followed already: cluster-wide or not, object, template.
    seen: Vec<(bool, &'a str, &'a str)>,
    /// Whether an `http` or `plugin` template asks for the agent pod.
    agent: bool,
    found: &'f mut Vec<Pod<'a>>,
}

impl<'a> Walk<'a, '_, '_> {
    fn run(&mut self) {
        let mut next = 0;
        while let Some((template, home)) = self.queue.get(next).copied() {
            next += 1;
            self.template(template, home);
        }
        if self.agent {
            let pod = self.agent();
            self.found.push(pod);
        }
    }

    fn template(&mut self, template: Node<'a>, home: Option<Home<'a>>) {
        if makes_pod(template) {
            let pod = self.pod(template, home);
            self.found.push(pod);
        }
        self.agent |= template.get("http").is_present() || template.get("plugin").is_present();
        if home.is_none() {
            let manifest = template.get("resource").get("manifest");
            if manifest.filled().is_some_and(|text| text::classify(text) != text::Value::NotKnown || text.contains("apiVersion"))
                && let Ok(nested) = manifest.open(Format::Yaml)
            {
                collect_object(nested, self.namespace, self.context, self.depth + 1, self.found);
            }
        }
        let mut calls = Vec::new();
        for group in template.get("steps").items() {
            let before = calls.len();
            calls.extend(group.peek_items());
            if calls.len() == before {
                calls.push(group);
            }
        }
        calls.extend(template.get("dag").get("tasks").items());
        for call in calls {
            self.call(call, home);
        }
    }

    /// A step or task: an inline template, a template of the same object, or one of another.
    fn call(&mut self, call: Node<'a>, home: Option<Home<'a>>) {
        let inline = call.get("inline");
        if inline.is_present() {
            self.queue.push((inline, home));
        }
        // The run's own templates are all looked at anyway.
        if let (Some(home), Some(name)) = (home, call.get("template").filled()) {
            self.named(home, name);
        }
        self.reference(call.get("templateRef"));
        for (_, hook) in call.get("hooks").entries() {
            self.reference(hook.get("templateRef"));
        }
    }

    fn reference(&mut self, reference: Node<'a>) {
        let (Some(object), Some(name)) = (reference.get("name").filled(), reference.get("template").filled()) else { return };
        let cluster = reference.get("clusterScope").bool() == Some(true);
        if self.seen.contains(&(cluster, object, name)) {
            return;
        }
        if let Some(target) = referenced(reference, self.namespace, self.context) {
            self.named(Home { spec: target.get("spec"), name: object, cluster }, name);
        }
    }

    /// A template of another object, once.
    fn named(&mut self, home: Home<'a>, name: &'a str) {
        let key = (home.cluster, home.name, name);
        if self.seen.len() >= MAX_REFERENCES || self.seen.contains(&key) {
            return;
        }
        self.seen.push(key);
        let template = home.spec.get("templates").items().find(|template| template.text("name") == Some(name));
        self.queue.extend(template.map(|template| (template, Some(home))));
    }

    fn pod(&self, template: Node<'a>, home: Option<Home<'a>>) -> Pod<'a> {
        let home_layer = Layer::of(template.get("metadata"));
        // The template's own metadata wins; of a referenced WorkflowTemplate its podMetadata comes along (Argo Workflows 3.7), and the
        // running workflow's fills what is still missing.
        let mut layers = vec![home_layer];
        layers.extend(self.specs.iter().map(|spec| Layer::of(spec.get("templateDefaults").get("metadata"))));
        layers.extend(home.map(|home| Layer::of(home.spec.get("podMetadata"))));
        layers.extend(self.specs.iter().map(|spec| Layer::of(spec.get("podMetadata"))));
        let patches = [self.template_field(template, "podSpecPatch"), self.field("podSpecPatch")];
        let sources = std::iter::once(template).chain(self.specs.iter().map(|spec| spec.get("templateDefaults"))).chain(self.specs.clone());
        let mut volumes: Vec<_> = sources.flat_map(|source| source.get("volumes").items()).collect();
        volumes.extend(patches.iter().flatten().flat_map(|patch| patched_volumes(*patch)));
        let account = patched_account(&patches).unwrap_or_else(|| {
            self.account(self.template_field(template, "serviceAccountName").or_else(|| self.field("serviceAccountName")))
        });
        let name = template.text("name").unwrap_or("");
        Pod {
            row: self.row,
            node: template,
            title: if name.is_empty() { "template".to_owned() } else { format!("template `{name}`") },
            namespace: self.namespace,
            layers,
            home: home_layer,
            account,
            spec: self.spec,
            containers: containers(template),
            volumes,
            account_metadata: None,
            certain: true,
            workflow: Some(self.spec),
        }
    }

    /// `http` and `plugin` templates run in one agent pod per workflow: labels, service account and patches come from the spec alone,
    /// and none of the workflow's volumes is mounted.
    fn agent(&self) -> Pod<'a> {
        let spec = self.spec;
        let patches = [self.field("podSpecPatch")];
        let account = patched_account(&patches).unwrap_or_else(|| self.account(self.field("serviceAccountName")));
        Pod {
            row: self.row,
            node: spec,
            title: "agent pod".to_owned(),
            namespace: self.namespace,
            layers: self.specs.iter().map(|spec| Layer::of(spec.get("podMetadata"))).collect(),
            home: Layer::of(spec.get("podMetadata")),
            account,
            spec,
            containers: Vec::new(),
            volumes: patches.iter().flatten().flat_map(|patch| patched_volumes(*patch)).collect(),
            account_metadata: None,
            certain: true,
            workflow: Some(spec),
        }
    }

    fn account(&self, named: Option<Node<'a>>) -> Account<'a> {
        let field = self.spec.get("serviceAccountName");
        match named {
            // The controller's default yields to whoever runs the template.
            Some(node) if !self.is_template || node.shares_object(self.spec) => Account::at(node),
            _ if self.is_template => Account::Caller(field),
            _ => Account::Default(field),
        }
    }

    /// A field of the spec, wherever it comes from.
    fn field(&self, field: &'static str) -> Option<Node<'a>> {
        self.specs.iter().map(|spec| spec.get(field)).find(|node| node.filled().is_some())
    }

    /// A field of a template; the defaults for templates fill what it leaves out.
    fn template_field(&self, template: Node<'a>, field: &'static str) -> Option<Node<'a>> {
        let defaults = self.specs.iter().map(|spec| spec.get("templateDefaults"));
        std::iter::once(template).chain(defaults).map(|source| source.get(field)).find(|node| node.filled().is_some())
    }
}

/// The service account that a `podSpecPatch` sets, the template's before the workflow's.
fn patched_account<'a>(patches: &[Option<Node<'a>>]) -> Option<Account<'a>> {
    patches.iter().flatten().find_map(|patch| {
        let text = patch.filled().filter(|text| text.contains("serviceAccountName"))?;
        if text.contains("{{") {
            return Some(Account::NotKnown(*patch));
        }
        match patch.open(Format::Yaml) {
            Ok(spec) => Some(spec.peek("serviceAccountName")).filter(|name| name.filled().is_some()).map(Account::at),
            Err(_) => Some(Account::NotKnown(*patch)),
        }
    })
}

fn patched_volumes(patch: Node<'_>) -> Vec<Node<'_>> {
    if !patch.str().is_some_and(|text| text.contains("volumes")) {
        return Vec::new();
    }
    patch.open(Format::Yaml).map_or_else(|_| Vec::new(), |spec| spec.peek("volumes").peek_items().collect())
}

/// Only these templates make a pod of their own; steps, dag and suspend make none.
fn makes_pod(template: Node<'_>) -> bool {
    ["container", "script", "containerSet", "resource", "data"].iter().any(|field| template.get(field).is_present())
}

fn containers(template: Node<'_>) -> Vec<Container<'_>> {
    let mut found: Vec<Container<'_>> = template.get("initContainers").items().map(|node| container(node, true)).collect();
    for field in ["container", "script"] {
        let main = template.get(field);
        if main.is_present() {
            // Argo calls it `main`, whatever name the container has.
            found.push(Container { node: main, name: "main", init: false });
        }
    }
    found.extend(template.get("containerSet").get("containers").items().map(|node| container(node, false)));
    found.extend(template.get("sidecars").items().map(|node| container(node, false)));
    found
}
