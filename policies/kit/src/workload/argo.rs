//! Argo Workflows: which pods a workflow spec makes, with which labels and which service account.
//!
//! Mirrors `workflow/controller/workflowpod.go` (metadata and service account of a pod) and the merge rules of `templateRef` and
//! `workflowTemplateRef` in `pkg/apis/workflow/v1alpha1/workflow_types.go`.

use super::{Account, Container, Layer, Pod, collect as collect_object, container};
use crate::context::Context;
use crate::finding::ObjectRef;
use crate::node::{Format, Node};
use crate::text;

/// How far references between templates are followed.
const MAX_REFERENCES: usize = 200;

/// The spec that runs, and what it brings to every pod.
#[derive(Clone, Copy)]
struct Run<'a> {
    row: &'static str,
    spec: Node<'a>,
    /// The referenced WorkflowTemplate's spec, where the templates come from one (`workflowTemplateRef`).
    base: Option<Node<'a>>,
    namespace: &'a str,
    /// Whether whoever runs the template decides what is not set here.
    is_template: bool,
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
    let is_template = object.peek("kind").peek_str().is_some_and(|kind| kind.ends_with("WorkflowTemplate"));
    let mut run = Run { row, spec, base: None, namespace, is_template };
    let reference = spec.get("workflowTemplateRef");
    if reference.is_present()
        && let Some(template) = referenced(reference, namespace, context)
    {
        run.base = Some(template.get("spec"));
    }
    let mut walk = Walk { run, context, depth, seen: Vec::new(), found };
    // The executing spec's own templates, then those that `workflowTemplateRef` brings.
    for spec in std::iter::once(spec).chain(run.base) {
        for template in spec.get("templates").items() {
            walk.template(template, None);
        }
    }
    walk.agent();
}

/// The WorkflowTemplate or ClusterWorkflowTemplate that a reference names.
fn referenced<'a>(reference: Node<'a>, namespace: &'a str, context: &Context<'a>) -> Option<Node<'a>> {
    let cluster = reference.get("clusterScope").bool() == Some(true);
    let object = ObjectRef {
        api_version: "argoproj.io/v1alpha1",
        kind: if cluster { "ClusterWorkflowTemplate" } else { "WorkflowTemplate" },
        namespace: if cluster { "" } else { namespace },
        name: reference.get("name").str().unwrap_or(""),
    };
    context.get(object, reference).found()
}

struct Walk<'a, 'f, 'c> {
    run: Run<'a>,
    context: &'c Context<'a>,
    depth: usize,
    /// (template, name) pairs that were followed already.
    seen: Vec<(String, String)>,
    found: &'f mut Vec<Pod<'a>>,
}

impl<'a> Walk<'a, '_, '_> {
    /// A template of the run itself, or (with the referenced WorkflowTemplate's spec) one of another object.
    fn template(&mut self, template: Node<'a>, home: Option<Node<'a>>) {
        if makes_pod(template) {
            let pod = self.pod(template, home);
            self.found.push(pod);
        }
        if home.is_none() {
            let manifest = template.get("resource").get("manifest");
            if manifest.filled().is_some_and(|text| text::classify(text) != text::Value::NotKnown || text.contains("apiVersion"))
                && let Ok(nested) = manifest.open(Format::Yaml)
            {
                collect_object(nested, self.run.namespace, self.context, self.depth + 1, self.found);
            }
        }
        for step in template
            .get("steps")
            .items()
            .flat_map(|group| if group.peek_items().next().is_some() { group.items().collect() } else { vec![group] })
        {
            self.call(step, home);
        }
        for task in template.get("dag").get("tasks").items() {
            self.call(task, home);
        }
    }

    /// A step or task: an inline template, or a reference to one of another object.
    fn call(&mut self, call: Node<'a>, home: Option<Node<'a>>) {
        let inline = call.get("inline");
        if inline.is_present() {
            self.template(inline, home);
        }
        let hooks = call.get("hooks").entries().map(|(_, hook)| hook.get("templateRef"));
        for reference in std::iter::once(call.get("templateRef")).chain(hooks).collect::<Vec<_>>() {
            self.reference(reference);
        }
    }

    fn reference(&mut self, reference: Node<'a>) {
        let (Some(object), Some(name)) = (reference.get("name").filled(), reference.get("template").filled()) else { return };
        let key = (object.to_owned(), name.to_owned());
        if self.seen.len() >= MAX_REFERENCES || self.seen.contains(&key) {
            return;
        }
        self.seen.push(key);
        let Some(target) = referenced(reference, self.run.namespace, self.context) else { return };
        let spec = target.get("spec");
        self.named(spec, name);
    }

    /// A template of a referenced WorkflowTemplate, and the templates of the same object that it calls.
    fn named(&mut self, spec: Node<'a>, name: &str) {
        let Some(template) = spec.get("templates").items().find(|template| template.get("name").str() == Some(name)) else { return };
        self.template(template, Some(spec));
        let local = template
            .get("steps")
            .items()
            .flat_map(|group| group.peek_items().collect::<Vec<_>>())
            .chain(template.get("dag").get("tasks").items());
        for call in local.collect::<Vec<_>>() {
            if let Some(next) = call.get("template").filled() {
                let key = (format!("{}#", spec.pointer()), next.to_owned());
                if self.seen.len() < MAX_REFERENCES && !self.seen.contains(&key) {
                    self.seen.push(key);
                    self.named(spec, next);
                }
            }
        }
    }

    fn pod(&self, template: Node<'a>, home: Option<Node<'a>>) -> Pod<'a> {
        let run = self.run;
        let defaults = run.spec.get("templateDefaults");
        let home_layer = Layer::of(template.get("metadata"));
        // The template's own metadata wins; of a referenced WorkflowTemplate its podMetadata comes along (Argo Workflows 3.7), and the
        // running workflow's fills what is still missing.
        let mut layers = vec![home_layer, Layer::of(defaults.get("metadata"))];
        layers.extend(home.map(|spec| Layer::of(spec.get("podMetadata"))));
        layers.push(Layer::of(run.spec.get("podMetadata")));
        layers.extend(run.base.map(|spec| Layer::of(spec.get("podMetadata"))));
        let volumes = [Some(template), Some(defaults), Some(run.spec), run.base]
            .into_iter()
            .flatten()
            .flat_map(|spec| spec.get("volumes").items())
            .collect();
        let name = template.get("name").str().unwrap_or("");
        Pod {
            row: run.row,
            node: template,
            title: if name.is_empty() { "template".to_owned() } else { format!("template `{name}`") },
            namespace: run.namespace,
            layers,
            home: home_layer,
            account: self.account(template, defaults),
            spec: run.spec,
            containers: containers(template),
            volumes,
            account_metadata: None,
            certain: true,
            workflow: Some(run.spec),
        }
    }

    fn account(&self, template: Node<'a>, defaults: Node<'a>) -> Account<'a> {
        let run = self.run;
        let patches = [Some(template), Some(run.spec), run.base].into_iter().flatten();
        for patch in patches.map(|spec| spec.get("podSpecPatch")) {
            let Some(text) = patch.filled().filter(|text| text.contains("serviceAccountName")) else { continue };
            match patch.open(Format::Yaml) {
                Ok(patch) if !text.contains("{{") => {
                    let name = patch.get("serviceAccountName");
                    if name.filled().is_some() {
                        return Account::at(name);
                    }
                }
                _ => return Account::NotKnown(patch),
            }
        }
        let own = run.spec.get("serviceAccountName");
        let fields =
            [Some(template), Some(defaults), Some(run.spec), run.base].into_iter().flatten().map(|spec| spec.get("serviceAccountName"));
        match fields.into_iter().find(|node| node.filled().is_some()) {
            Some(node) => Account::at(node),
            None if run.is_template => Account::Caller(own),
            None => Account::Default(own),
        }
    }

    /// `http` and `plugin` templates run in one agent pod per workflow: labels and service account come from the spec alone.
    fn agent(&mut self) {
        let run = self.run;
        let needs =
            run.spec.get("templates").items().any(|template| template.get("http").is_present() || template.get("plugin").is_present());
        if !needs {
            return;
        }
        let layer = Layer::of(run.spec.get("podMetadata"));
        let account = match Account::at(run.spec.get("serviceAccountName")) {
            Account::Default(node) if run.is_template => Account::Caller(node),
            account => account,
        };
        self.found.push(Pod {
            row: run.row,
            node: run.spec,
            title: "agent pod".to_owned(),
            namespace: run.namespace,
            layers: vec![layer],
            home: layer,
            account,
            spec: run.spec,
            containers: Vec::new(),
            volumes: run.spec.get("volumes").items().collect(),
            account_metadata: None,
            certain: true,
            workflow: Some(run.spec),
        });
    }
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
