//! The way of event data through an Argo Workflow: from its arguments into the templates that it runs, its own and those of others.
//!
//! Mirrors how Argo Workflows replaces `{{workflow.parameters.…}}`, `{{inputs.parameters.…}}` and `{{item}}`. Expressions (`{{=…}}`) that do
//! more than name a parameter are not followed: they may check what they are given.

use fedward_kit::context::Context;
use fedward_kit::finding::ObjectRef;
use fedward_kit::node::Node;
use fedward_kit::text::ByName;

use crate::written::Written;

/// How many calls of templates one value is followed through.
const MAX_CALLS: usize = 5_000;
/// What [`ByName`] calls the elements of a list that is looped over: no parameter has such a name.
const ITEM: &str = " item";

/// What a parameter holds, as the number that [`ByName`] takes: event data behind something else, event data at the very beginning, or
/// none at all.
const INSIDE: usize = 0;
const BEGINS: usize = 1;
const CLEAN: usize = 2;

/// A template that runs, and the inputs that hold event data.
struct Visited<'a> {
    template: Node<'a>,
    inputs: ByName<'a>,
}

/// The templates of an object.
struct Home<'a> {
    cluster: bool,
    /// Empty for the run itself.
    name: &'a str,
    templates: Vec<Node<'a>>,
    names: ByName<'a>,
}

impl<'a> Home<'a> {
    fn new(cluster: bool, name: &'a str, templates: Vec<Node<'a>>) -> Self {
        let mut names = ByName::new();
        for (index, template) in templates.iter().enumerate() {
            names.entry(template.text("name").unwrap_or("").into()).or_insert(index);
        }
        Home { cluster, name, templates, names }
    }

    fn template(&self, name: &str) -> Option<Node<'a>> {
        self.templates.get(*self.names.get(name)?).copied()
    }
}

/// One piece of event data in one workflow.
pub(crate) struct Flow<'a> {
    namespace: &'a str,
    context: &'a Context<'a>,
    /// The workflow's own spec, and that of the WorkflowTemplate that it names.
    specs: Vec<Node<'a>>,
    homes: Vec<Home<'a>>,
    /// The `workflow.parameters` that hold it.
    globals: ByName<'a>,
    /// Sorted by the address of the template.
    visited: Vec<Visited<'a>>,
    queue: Vec<(usize, Node<'a>, ByName<'a>)>,
    calls: usize,
}

impl<'a> Flow<'a> {
    /// The workflow with this spec.
    pub(crate) fn new(spec: Node<'a>, namespace: &'a str, context: &'a Context<'a>) -> Self {
        let (globals, visited, queue) = (ByName::new(), Vec::new(), Vec::new());
        let mut flow = Flow { namespace, context, specs: vec![spec], homes: Vec::new(), globals, visited, queue, calls: 0 };
        let reference = spec.get("workflowTemplateRef");
        flow.specs.extend(flow.object(reference).map(|object| object.get("spec")));
        let templates = flow.specs.iter().flat_map(|spec| spec.get("templates").items()).collect();
        flow.homes.push(Home::new(false, "", templates));
        flow
    }

    /// Follows what is written into the arguments, and forgets what was followed before.
    pub(crate) fn follow(&mut self, written: &Written<'a>) {
        self.globals = self.arguments(written);
        (self.visited, self.queue, self.calls) = (Vec::new(), Vec::new(), 0);
        if self.globals.is_empty() {
            return;
        }
        // The entrypoint's inputs are the arguments of the same name.
        let mut given = self.globals.clone();
        for parameter in self.specs.iter().flat_map(|spec| spec.get("arguments").get("parameters").items()) {
            given.entry(parameter.text("name").unwrap_or("").into()).or_insert(CLEAN);
        }
        for (field, given) in [("entrypoint", given), ("onExit", ByName::new())] {
            let name = self.specs.iter().find_map(|spec| spec.get(field).filled());
            if let Some(template) = name.and_then(|name| self.own(0, name)) {
                self.queue.push((0, template, given));
            }
        }
        for (_, hook) in self.specs.iter().flat_map(|spec| spec.get("hooks").entries()).collect::<Vec<_>>() {
            self.call(hook, 0, &ByName::new());
        }
        while let Some((home, template, inputs)) = self.queue.pop() {
            self.visit(home, template, inputs);
        }
    }

    /// Whether a text of a template that runs brings the event data in, and if so whether it begins with it.
    pub(crate) fn hit(&self, template: Node<'a>, text: &str) -> Option<bool> {
        let at = self.place(template).ok()?;
        hit(text, &self.globals, self.visited.get(at).map(|visited| &visited.inputs))
    }

    /// The same for a text of the whole workflow.
    pub(crate) fn global_hit(&self, text: &str) -> Option<bool> {
        hit(text, &self.globals, None)
    }

    /// The arguments of the workflow that something is written into: the value of one, or some of them as they are.
    fn arguments(&self, written: &Written<'a>) -> ByName<'a> {
        let list = self.specs.first().map(|spec| spec.get("arguments").get("parameters"));
        let mut found = ByName::new();
        let Some((list, above)) = list.map(|list| (list, list.pointer())) else { return found };
        let kind = if written.begins { BEGINS } else { INSIDE };
        let rest = written.pointer.strip_prefix(&above).and_then(|rest| rest.strip_prefix('/'));
        let (index, field) = rest.map_or((None, ""), |rest| {
            let (index, field) = rest.split_once('/').unwrap_or((rest, ""));
            (index.parse::<usize>().ok(), field)
        });
        let is_whole = written.raw && is_above(&written.pointer, &above);
        let is_value = field == "value" || written.raw && field.is_empty();
        if !is_whole && !is_value {
            return found;
        }
        let hit = list.items().enumerate().filter(|(number, _)| is_whole || Some(*number) == index);
        found.extend(hit.filter_map(|(_, parameter)| Some((parameter.text("name")?.into(), kind))));
        found
    }

    fn place(&self, template: Node<'a>) -> Result<usize, usize> {
        let address = |node: Node<'a>| node.value().map_or(0, |value| std::ptr::from_ref(value).addr());
        self.visited.binary_search_by_key(&address(template), |visited| address(visited.template))
    }

    fn own(&self, home: usize, name: &str) -> Option<Node<'a>> {
        self.homes.get(home)?.template(name)
    }

    /// The WorkflowTemplate or ClusterWorkflowTemplate that a reference names.
    fn object(&self, reference: Node<'a>) -> Option<Node<'a>> {
        let name = reference.get("name").filled()?;
        let cluster = reference.get("clusterScope").bool() == Some(true);
        let object = ObjectRef {
            api_version: "argoproj.io/v1alpha1",
            kind: if cluster { "ClusterWorkflowTemplate" } else { "WorkflowTemplate" },
            namespace: if cluster { "" } else { self.namespace },
            name,
        };
        self.context.get(object, reference).found()
    }

    fn visit(&mut self, home: usize, template: Node<'a>, given: ByName<'a>) {
        let place = self.place(template);
        let mut inputs = place.ok().and_then(|at| self.visited.get(at)).map(|visited| visited.inputs.clone()).unwrap_or_default();
        let mut grows = place.is_err();
        for parameter in template.get("inputs").get("parameters").items() {
            let Some(name) = parameter.text("name") else { continue };
            // What the caller leaves out has the template's own value.
            let own = |field| hit(parameter.peek(field).peek_str().unwrap_or(""), &self.globals, None).map(usize::from);
            let kind = given.get(name).copied().or_else(|| own("value")).or_else(|| own("default")).filter(|kind| *kind != CLEAN);
            if let Some(kind) = kind
                && inputs.get(name).is_none_or(|known| *known < kind)
            {
                inputs.insert(name.into(), kind);
                grows = true;
            }
        }
        if !grows {
            return;
        }
        let known = Visited { template, inputs: inputs.clone() };
        match place {
            Ok(at) => _ = self.visited.get_mut(at).map(|visited| *visited = known),
            Err(at) => self.visited.insert(at, known),
        }
        for group in template.get("steps").items() {
            let mut calls = group.peek_items().peekable();
            if calls.peek().is_none() {
                self.call(group, home, &inputs);
            }
            for call in calls {
                self.call(call, home, &inputs);
            }
        }
        for call in template.get("dag").get("tasks").items() {
            self.call(call, home, &inputs);
        }
    }

    /// A step, a task or a hook.
    fn call(&mut self, call: Node<'a>, home: usize, inputs: &ByName<'a>) {
        self.calls += 1;
        if self.calls > MAX_CALLS {
            return;
        }
        let mut known = inputs.clone();
        if hit(call.peek_text("withParam").unwrap_or(""), &self.globals, Some(inputs)).is_some() {
            known.insert(ITEM.into(), BEGINS);
        }
        let mut given = ByName::new();
        for parameter in call.get("arguments").get("parameters").items() {
            let found = hit(parameter.peek_text("value").unwrap_or(""), &self.globals, Some(&known));
            given.extend(parameter.text("name").map(|name| (name.into(), found.map_or(CLEAN, usize::from))));
        }
        let (reference, inline) = (call.get("templateRef"), call.get("inline"));
        let target = if inline.is_present() {
            Some((home, inline))
        } else if reference.is_present() {
            self.referenced(reference)
        } else {
            call.get("template").filled().and_then(|name| self.own(home, name)).map(|template| (home, template))
        };
        self.queue.extend(target.map(|(home, template)| (home, template, given)));
        for (_, hook) in call.get("hooks").entries() {
            // A hook has no hooks of its own.
            if hook.get("hooks").is_absent() {
                self.call(hook, home, inputs);
            }
        }
    }

    fn referenced(&mut self, reference: Node<'a>) -> Option<(usize, Node<'a>)> {
        let (name, template) = (reference.get("name").filled()?, reference.get("template").filled()?);
        let cluster = reference.get("clusterScope").bool() == Some(true);
        let known = self.homes.iter().position(|home| home.cluster == cluster && home.name == name);
        let home = match known {
            Some(home) => home,
            None => {
                let object = self.object(reference)?;
                self.homes.push(Home::new(cluster, name, object.get("spec").get("templates").items().collect()));
                self.homes.len() - 1
            }
        };
        self.own(home, template).map(|template| (home, template))
    }
}

/// Whether a pointer leads to the other, or to something around it.
pub(crate) fn is_above(outer: &str, inner: &str) -> bool {
    inner.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Whether a text's placeholders bring event data in, and if so whether the text begins with it.
fn hit(text: &str, globals: &ByName<'_>, inputs: Option<&ByName<'_>>) -> Option<bool> {
    let mut found = None;
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("{{") {
        let Some((tag, behind)) = after.split_once("}}") else { break };
        let tag = tag.trim();
        let tag = tag.strip_prefix('=').map_or(tag, str::trim);
        let kind = match (tag.strip_prefix("workflow.parameters."), tag.strip_prefix("inputs.parameters.")) {
            (Some(name), _) => globals.get(name),
            (_, Some(name)) => inputs.and_then(|inputs| inputs.get(name)),
            _ if tag == "item" || tag.starts_with("item.") => inputs.and_then(|inputs| inputs.get(ITEM)),
            _ => None,
        };
        if let Some(kind) = kind {
            let is_first = rest.len() == text.len() && before.trim().is_empty();
            found = Some(found == Some(true) || *kind == BEGINS && is_first);
        }
        rest = behind;
    }
    found
}

#[cfg(test)]
mod tests {
    use fedward_kit::text::ByName;

    use super::{BEGINS, INSIDE, ITEM, hit, is_above};

    #[test]
    fn finds_event_data_in_texts() {
        let globals = ByName::from([("tag".into(), BEGINS), ("image".into(), INSIDE)]);
        let inputs = ByName::from([("url".into(), BEGINS), (ITEM.into(), BEGINS)]);
        for (text, want) in [
            ("{{workflow.parameters.tag}}", Some(true)),
            (" {{ workflow.parameters.tag }}:latest", Some(true)),
            ("{{=workflow.parameters.tag}}", Some(true)),
            ("v{{workflow.parameters.tag}}", Some(false)),
            ("{{workflow.parameters.image}}", Some(false)),
            ("{{inputs.parameters.url}}/{{item.name}}", Some(true)),
            ("{{inputs.parameters.other}}{{item}}", Some(false)),
            ("{{workflow.parameters.other}} {{=sprig.trim(workflow.parameters.tag)}} {{steps.a.outputs.result}} {{", None),
        ] {
            assert_eq!(hit(text, &globals, Some(&inputs)), want, "{text}");
        }
    }

    #[test]
    fn pointers_end_where_steps_do() {
        assert!(is_above("/spec", "/spec/templates") && is_above("/spec", "/spec") && is_above("", "/spec"));
        assert!(!is_above("/spec/templates/1", "/spec/templates/12"));
    }
}
