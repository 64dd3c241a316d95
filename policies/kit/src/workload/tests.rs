//! Every row of the table, and what Argo's merging makes of a workflow.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::string_slice, reason = "tests")]

use bumpalo::Bump;

use super::{Account, ROWS, pods};
use crate::context::{Context, Host, NOT_KNOWN};
use crate::identity::account_of;
use crate::node::{Format, Node, Origin, Session};

/// A host with these objects; `index` ones answer every question to the index.
struct Objects {
    named: Vec<(&'static str, &'static str, serde_json::Value)>,
    index: Vec<serde_json::Value>,
}

impl Host for Objects {
    fn kubernetes(&self, operation: &str, payload: &[u8]) -> Result<Vec<u8>, String> {
        let question: serde_json::Value = serde_json::from_slice(payload).unwrap();
        if operation != "get_resource" {
            return Ok(serde_json::to_vec(&serde_json::json!({ "items": self.index, "metadata": {} })).unwrap());
        }
        let found = self.named.iter().find(|(kind, name, _)| question["kind"] == *kind && question["name"] == *name);
        found.map_or_else(|| Err(format!("{NOT_KNOWN}absent")), |(_, _, object)| Ok(serde_json::to_vec(object).unwrap()))
    }
}

fn json(yaml: &str) -> serde_json::Value {
    let bump = Bump::new();
    let value = fedward_tree::embedded::read(yaml, Format::Yaml, &bump).unwrap();
    to_json(Session::new(&bump).root(value, Origin::Aside))
}

fn to_json(node: Node<'_>) -> serde_json::Value {
    use crate::value::Value;
    match node.value() {
        None | Some(Value::Null) => serde_json::Value::Null,
        Some(Value::Bool(value)) => (*value).into(),
        Some(Value::Int(value)) => (*value).into(),
        Some(Value::Float) => "a float".into(),
        Some(Value::Str(value)) => (*value).into(),
        Some(Value::Seq(_)) => node.peek_items().map(to_json).collect(),
        Some(Value::Map(_)) => {
            serde_json::Value::Object(node.peek_entries().map(|(key, value)| (key.to_owned(), to_json(value))).collect())
        }
    }
}

/// One line for each pod: title, service account, value of label `id` and where it is or belongs, containers, volumes, and whether the
/// object itself decides the pod.
fn summary_with(yaml: &str, host: &Objects) -> Vec<String> {
    let bump = Bump::new();
    let session = Session::new(&bump);
    let value = fedward_tree::embedded::read(yaml, Format::Yaml, &bump).unwrap();
    let object = session.root(value, Origin::Request);
    let context = Context::new(host, session, true);
    pods(object, "shop", context)
        .iter()
        .map(|pod| {
            let account = match pod.account {
                Account::Named { name, .. } => name.to_owned(),
                Account::Default(_) => "(default)".to_owned(),
                Account::Caller(_) => "(caller)".to_owned(),
                Account::NotKnown(_) => "(not known)".to_owned(),
            };
            let own = match account_of(pod, context).found() {
                Some(account) if account.client_id().is_some() => " +id",
                _ => "",
            };
            let label = pod.label("id");
            let place = label.place();
            let foreign = place.object.map_or_else(String::new, |object| format!("{}:", object.name));
            let containers: Vec<&str> = pod.containers.iter().map(|container| container.name).collect();
            let certain = if pod.certain { "" } else { " (guessed)" };
            let reached = if pod.is_of(object) { "" } else { " (reached)" };
            format!(
                "{} {}/{account}{own} id={}@{foreign}{}{} [{}] {}{certain}{reached}",
                pod.title,
                pod.namespace,
                label.str().unwrap_or("-"),
                place.path,
                place.embedded.concat(),
                containers.join(","),
                pod.volumes.len()
            )
        })
        .collect()
}

fn summary(yaml: &str) -> Vec<String> {
    summary_with(yaml, &Objects { named: Vec::new(), index: Vec::new() })
}

const SPEC: &str = "{serviceAccountName: web, initContainers: [{name: i}], containers: [{name: c}], volumes: [{name: v}]}";

/// Rows whose pods are whole templates at a path.
#[test]
fn templates() {
    let cases = [
        ("v1", "PodTemplate", "template"),
        ("v1", "ReplicationController", "spec.template"),
        ("apps/v1", "Deployment", "spec.template"),
        ("apps/v1", "StatefulSet", "spec.template"),
        ("apps/v1", "DaemonSet", "spec.template"),
        ("apps/v1", "ReplicaSet", "spec.template"),
        ("batch/v1", "Job", "spec.template"),
        ("batch/v1", "CronJob", "spec.jobTemplate.spec.template"),
        ("argoproj.io/v1alpha1", "Rollout", "spec.template"),
        ("argoproj.io/v1alpha1", "Experiment", "spec.templates.0.template"),
        ("argoproj.io/v1alpha1", "AnalysisTemplate", "spec.metrics.0.provider.job.spec.template"),
        ("argoproj.io/v1alpha1", "ClusterAnalysisTemplate", "spec.metrics.0.provider.job.spec.template"),
        ("keda.sh/v1alpha1", "ScaledJob", "spec.jobTargetRef.template"),
        ("serving.knative.dev/v1", "Service", "spec.template"),
        ("serving.knative.dev/v1", "Configuration", "spec.template"),
        ("jobset.x-k8s.io/v1alpha2", "JobSet", "spec.replicatedJobs.0.template.spec.template"),
        ("actions.github.com/v1alpha1", "AutoscalingRunnerSet", "spec.template"),
        ("actions.github.com/v1alpha1", "AutoscalingRunnerSet", "spec.listenerTemplate"),
    ];
    for (api_version, kind, path) in cases {
        let mut body = format!("{{metadata: {{labels: {{id: x}}}}, spec: {SPEC}}}");
        for part in path.split('.').rev() {
            body = if part == "0" { format!("[{body}]") } else { format!("{{{part}: {body}}}") };
        }
        let yaml = format!("{{apiVersion: {api_version}, kind: {kind}, {}", body.strip_prefix('{').unwrap());
        let pointer = format!("/{}/metadata/labels/id", path.replace('.', "/"));
        assert_eq!(summary(&yaml), [format!("pod template shop/web id=x@{pointer} [i,c] 1")], "{kind} {path}");
    }
}

#[test]
fn single_kinds() {
    let cases = [
        (
            "{apiVersion: v1, kind: Pod, metadata: {labels: {id: x}}, spec: {serviceAccount: old, containers: [{name: c}]}}",
            vec!["pod shop/old id=x@/metadata/labels/id [c] 0"],
        ),
        // Both names: the current one counts.
        (
            "{apiVersion: v1, kind: Pod, metadata: {}, spec: {serviceAccount: old, serviceAccountName: new, containers: []}}",
            vec!["pod shop/new id=-@/metadata/labels/id [] 0"],
        ),
        (
            "{apiVersion: argoproj.io/v1alpha1, kind: EventSource, spec: {template: {metadata: {labels: {id: x}}, serviceAccountName: web, container: {name: c}, volumes: [{name: v}]}}}",
            vec!["pod template shop/web id=x@/spec/template/metadata/labels/id [c] 1"],
        ),
        // An EventSource without a template is a pod all the same.
        (
            "{apiVersion: argoproj.io/v1alpha1, kind: EventSource, spec: {github: {}}}",
            vec!["pod template shop/(default) id=-@/spec/template/metadata/labels/id [] 0"],
        ),
        (
            "{apiVersion: argoproj.io/v1alpha1, kind: EventBus, spec: {jetstream: {serviceAccountName: web, metadata: {labels: {id: x}}}}}",
            vec!["pod template shop/web id=x@/spec/jetstream/metadata/labels/id [] 0"],
        ),
        (
            "{apiVersion: argoproj.io/v1alpha1, kind: EventBus, spec: {nats: {native: {serviceAccountName: web, metadata: {labels: {id: x}}}}}}",
            vec!["pod template shop/web id=x@/spec/nats/native/metadata/labels/id [] 0"],
        ),
        ("{apiVersion: argoproj.io/v1alpha1, kind: Application, spec: {source: {helm: {values: 'containers: [{name: c}]'}}}}", vec![]),
        (
            "{apiVersion: monitoring.coreos.com/v1, kind: Prometheus, spec: {podMetadata: {labels: {id: x}}, serviceAccountName: web, volumes: [{name: v}]}}",
            vec!["pod template shop/web id=x@/spec/podMetadata/labels/id [] 1"],
        ),
        (
            "{apiVersion: prow.k8s.io/v1, kind: ProwJob, metadata: {labels: {id: x}}, spec: {pod_spec: {serviceAccountName: web, containers: [{name: c}]}}}",
            vec!["pod template shop/web id=x@/metadata/labels/id [c] 0"],
        ),
        (
            "{apiVersion: sparkoperator.k8s.io/v1beta2, kind: SparkApplication, spec: {driver: {labels: {id: x}, serviceAccount: web}, executor: {}}}",
            vec![
                "pod template shop/web id=x@/spec/driver/labels/id [] 0",
                "pod template shop/(default) id=-@/spec/executor/labels/id [] 0",
            ],
        ),
        (
            "{apiVersion: sparkoperator.k8s.io/v1beta2, kind: ScheduledSparkApplication, spec: {template: {driver: {labels: {id: x}, serviceAccount: web}}}}",
            vec!["pod template shop/web id=x@/spec/template/driver/labels/id [] 0"],
        ),
        (
            "{apiVersion: apiextensions.crossplane.io/v1, kind: Composition, spec: {pipeline: [{input: {resources: [{base: {apiVersion: apps/v1, kind: Deployment, metadata: {namespace: other}, spec: {template: {spec: {serviceAccountName: web}}}}}]}}]}}",
            vec!["pod template other/web id=-@/spec/pipeline/0/input/resources/0/base/spec/template/metadata/labels/id [] 0"],
        ),
        (
            "{apiVersion: apiextensions.crossplane.io/v1, kind: Composition, spec: {resources: [{base: {apiVersion: v1, kind: Pod, spec: {serviceAccountName: web}}}]}}",
            vec!["pod shop/web id=-@/spec/resources/0/base/metadata/labels/id [] 0"],
        ),
        (
            "{apiVersion: kro.run/v1alpha1, kind: ResourceGraphDefinition, spec: {resources: [{template: {apiVersion: v1, kind: Pod, spec: {serviceAccountName: web}}}]}}",
            vec!["pod shop/web id=-@/spec/resources/0/template/metadata/labels/id [] 0"],
        ),
        (
            "{apiVersion: kubernetes.crossplane.io/v1alpha2, kind: Object, spec: {forProvider: {manifest: {apiVersion: v1, kind: PodList, items: [{apiVersion: v1, kind: Pod, spec: {serviceAccountName: web}}]}}}}",
            vec!["pod shop/web id=-@/spec/forProvider/manifest/items/0/metadata/labels/id [] 0"],
        ),
        ("{apiVersion: v1, kind: ConfigMap, data: {x: y}}", vec![]),
    ];
    for (yaml, want) in cases {
        assert_eq!(summary(yaml), want, "{yaml}");
    }
}

/// Kinds that make their service account themselves, unless the pods name another.
#[test]
fn own_accounts() {
    let id = "annotations: {azure.workload.identity/client-id: 6f1b1c9e-2d0a-4b7c-9a57-0c8d6f2e4a11}";
    let runtime = |account: &str, pod: &str| {
        format!(
            "{{apiVersion: pkg.crossplane.io/v1beta1, kind: DeploymentRuntimeConfig, spec: {{serviceAccountTemplate: {{metadata: {{{id}{account}}}}}, deploymentTemplate: {{spec: {{template: {{metadata: {{labels: {{id: x}}}}, spec: {{{pod}}}}}}}}}}}}}"
        )
    };
    let at = "id=x@/spec/deploymentTemplate/spec/template/metadata/labels/id [] 0";
    assert_eq!(summary(&runtime("", "")), [format!("pod template shop/(caller) +id {at}")]);
    assert_eq!(summary(&runtime(", name: own", "")), [format!("pod template shop/own +id {at}")]);
    assert_eq!(summary(&runtime("", "serviceAccountName: other")), [format!("pod template shop/other {at}")]);

    let controller = format!(
        "{{apiVersion: pkg.crossplane.io/v1alpha1, kind: ControllerConfig, metadata: {{name: a, {id}}}, spec: {{metadata: {{labels: {{id: x}}}}}}}}"
    );
    assert_eq!(summary(&controller), ["pod template shop/(caller) +id id=x@/spec/metadata/labels/id [] 0"]);

    let database = format!(
        "{{apiVersion: postgresql.cnpg.io/v1, kind: Cluster, metadata: {{name: db}}, spec: {{serviceAccountTemplate: {{metadata: {{{id}}}}}, inheritedMetadata: {{labels: {{id: x}}}}}}}}"
    );
    assert_eq!(summary(&database), ["pod template shop/db +id id=x@/spec/inheritedMetadata/labels/id [] 0"]);
}

#[test]
fn rollouts() {
    let rollout = |strategy: &str| {
        format!("{{apiVersion: argoproj.io/v1alpha1, kind: Rollout, spec: {{template: {{spec: {SPEC}}}, strategy: {strategy}}}}}")
    };
    let plain = "pod template shop/web id=-@/spec/template/metadata/labels/id [i,c] 1";
    let overlay = |path: &str| format!("pod template shop/web id=x@/spec/strategy/{path}/labels/id [i,c] 1");
    assert_eq!(summary(&rollout("{canary: {canaryMetadata: {labels: {id: x}}}}")), [plain.to_owned(), overlay("canary/canaryMetadata")]);
    // Both phases have metadata: no pod has the template's alone.
    assert_eq!(
        summary(&rollout("{blueGreen: {activeMetadata: {labels: {id: x}}, previewMetadata: {labels: {id: x}}}}")),
        [overlay("blueGreen/activeMetadata"), overlay("blueGreen/previewMetadata")]
    );
    assert_eq!(
        summary(&rollout(
            "{canary: {steps: [{setWeight: 5}, {experiment: {templates: [{specRef: canary, metadata: {labels: {id: x}}}]}}]}}"
        )),
        [plain.to_owned(), overlay("canary/steps/1/experiment/templates/0/metadata")]
    );
    // The Deployment is judged itself.
    assert!(summary("{apiVersion: argoproj.io/v1alpha1, kind: Rollout, spec: {workloadRef: {kind: Deployment, name: web}}}").is_empty());
}

#[test]
fn tekton() {
    let pipeline = json("{apiVersion: tekton.dev/v1, kind: Pipeline, metadata: {name: build, labels: {id: p}}}");
    let host = Objects { named: vec![("Pipeline", "build", pipeline)], index: Vec::new() };
    let run = "{apiVersion: tekton.dev/v1, kind: PipelineRun, metadata: {name: r}, spec: {pipelineRef: {name: build}, taskRunTemplate: {serviceAccountName: web, podTemplate: {volumes: [{name: v}]}}, taskRunSpecs: [{pipelineTaskName: push, serviceAccountName: pusher, metadata: {labels: {id: t}}}]}}";
    assert_eq!(
        summary_with(run, &host),
        [
            "pod of task `push` shop/pusher id=t@/spec/taskRunSpecs/0/metadata/labels/id [] 1",
            "pod template shop/web id=p@build:/metadata/labels/id [] 1",
        ]
    );
    let embedded = "{apiVersion: tekton.dev/v1, kind: PipelineRun, metadata: {labels: {id: r}}, spec: {taskRunTemplate: {serviceAccountName: web}, taskRunSpecs: [{pipelineTaskName: push, serviceAccountName: pusher}], pipelineSpec: {tasks: [{name: test, taskSpec: {metadata: {labels: {id: t}}, steps: [{name: s}], volumes: [{name: v}]}}], finally: [{name: push, taskRef: {name: p}}]}}}";
    assert_eq!(
        summary(embedded),
        [
            "pod of task `test` shop/web id=t@/spec/pipelineSpec/tasks/0/taskSpec/metadata/labels/id [s] 1",
            "pod of task `push` shop/pusher id=r@/metadata/labels/id [] 0",
        ]
    );
    let old = "{apiVersion: tekton.dev/v1beta1, kind: PipelineRun, metadata: {}, spec: {serviceAccountName: web, serviceAccountNames: [{taskName: push, serviceAccountName: pusher}]}}";
    assert_eq!(
        summary(old),
        ["pod of task `push` shop/pusher id=-@/metadata/labels/id [] 0", "pod template shop/web id=-@/metadata/labels/id [] 0",]
    );
    let task = "{apiVersion: tekton.dev/v1, kind: TaskRun, metadata: {labels: {id: r}}, spec: {serviceAccountName: web, taskSpec: {steps: [{name: s}]}}}";
    assert_eq!(summary(task), ["pod template shop/web id=r@/metadata/labels/id [s] 0"]);
}

const WORKFLOW: &str = "apiVersion: argoproj.io/v1alpha1\nkind: Workflow\n";

fn workflow(spec: &str) -> String {
    format!("{WORKFLOW}spec: {spec}")
}

#[test]
fn workflow_templates_and_their_accounts() {
    // Only some templates make pods; Argo calls the main container `main`; the first account in the order template, defaults, spec.
    let spec = "{podMetadata: {labels: {id: p}}, serviceAccountName: flow, volumes: [{name: v}], templates: [
        {name: a, container: {name: ignored}, sidecars: [{name: s}]},
        {name: b, metadata: {labels: {id: t}}, serviceAccountName: own, script: {source: x}},
        {name: c, steps: [[{name: x, template: a}]]}, {name: d, dag: {tasks: []}}, {name: e, suspend: {}},
        {name: f, containerSet: {containers: [{name: one}, {name: two}]}, volumes: [{name: w}]},
        {name: g, data: {}}]}";
    assert_eq!(
        summary(&workflow(spec)),
        [
            "template `a` shop/flow id=p@/spec/podMetadata/labels/id [main,s] 1",
            "template `b` shop/own id=t@/spec/templates/1/metadata/labels/id [main] 1",
            "template `f` shop/flow id=p@/spec/podMetadata/labels/id [one,two] 2",
            "template `g` shop/flow id=p@/spec/podMetadata/labels/id [] 1",
        ]
    );
    let defaults = "{templateDefaults: {serviceAccountName: def, metadata: {labels: {id: d}}}, serviceAccountName: flow, podMetadata: {labels: {id: p}}, templates: [{name: a, container: {}}]}";
    assert_eq!(summary(&workflow(defaults)), ["template `a` shop/def id=d@/spec/templateDefaults/metadata/labels/id [main] 0"]);
    assert_eq!(
        summary(&workflow("{templates: [{name: a, container: {}}]}")),
        ["template `a` shop/(default) id=-@/spec/templates/0/metadata/labels/id [main] 0"]
    );
    let template = "{apiVersion: argoproj.io/v1alpha1, kind: WorkflowTemplate, spec: {templates: [{name: a, container: {}}]}}";
    assert_eq!(summary(template), ["template `a` shop/(caller) id=-@/spec/templates/0/metadata/labels/id [main] 0"]);
    let cron = "{apiVersion: argoproj.io/v1alpha1, kind: CronWorkflow, spec: {workflowMetadata: {labels: {id: w}}, workflowSpec: {serviceAccountName: flow, templates: [{name: a, container: {}}]}}}";
    assert_eq!(summary(cron), ["template `a` shop/flow id=-@/spec/workflowSpec/templates/0/metadata/labels/id [main] 0"]);
}

#[test]
fn workflow_patches_and_the_agent() {
    let patched = "{serviceAccountName: flow, podSpecPatch: 'serviceAccountName: patched', templates: [{name: a, container: {}}, {name: b, container: {}, podSpecPatch: '{\"serviceAccountName\": \"own\", \"volumes\": [{\"name\": \"v\"}]}'}, {name: c, container: {}, podSpecPatch: 'serviceAccountName: \"{{inputs.parameters.sa}}\"'}]}";
    assert_eq!(
        summary(&workflow(patched)),
        [
            "template `a` shop/patched id=-@/spec/templates/0/metadata/labels/id [main] 0",
            "template `b` shop/own id=-@/spec/templates/1/metadata/labels/id [main] 1",
            "template `c` shop/(not known) id=-@/spec/templates/2/metadata/labels/id [main] 0",
        ]
    );
    // The agent takes nothing from templates, and mounts none of the workflow's volumes.
    let agent = "{serviceAccountName: flow, volumes: [{name: v}], podMetadata: {labels: {id: p}}, templateDefaults: {serviceAccountName: def}, templates: [{name: a, http: {url: x}, serviceAccountName: own, metadata: {labels: {id: t}}}]}";
    assert_eq!(summary(&workflow(agent)), ["agent pod shop/flow id=p@/spec/podMetadata/labels/id [] 0"]);
}

#[test]
fn workflow_references() {
    let library = json(
        "{apiVersion: argoproj.io/v1alpha1, kind: WorkflowTemplate, metadata: {name: library, namespace: shop}, spec: {podMetadata: {labels: {id: w}}, serviceAccountName: kept-at-home, templates: [
            {name: push, steps: [[{name: x, template: inner}]]}, {name: inner, metadata: {labels: {id: t}}, container: {}}, {name: build, container: {}}, {name: unused, container: {}}]}}",
    );
    let host = Objects { named: vec![("WorkflowTemplate", "library", library)], index: Vec::new() };
    // Labels come with the template, the service account stays with the workflow. What a referenced template calls is followed.
    let refers = "{serviceAccountName: flow, podMetadata: {labels: {id: p}}, hooks: {exit: {templateRef: {name: library, template: build}}}, templates: [{name: a, steps: [[{name: x, templateRef: {name: library, template: push}}]]}]}";
    assert_eq!(
        summary_with(&workflow(refers), &host),
        [
            "template `build` shop/flow id=w@library:/spec/podMetadata/labels/id [main] 0",
            "template `inner` shop/flow id=t@library:/spec/templates/1/metadata/labels/id [main] 0",
        ]
    );
    // The whole spec comes along: service account too, unless the workflow sets its own. Then nothing of it is the workflow's.
    assert_eq!(
        summary_with(&workflow("{workflowTemplateRef: {name: library}}"), &host),
        [
            "template `inner` shop/kept-at-home id=t@library:/spec/templates/1/metadata/labels/id [main] 0 (reached)",
            "template `build` shop/kept-at-home id=w@library:/spec/podMetadata/labels/id [main] 0 (reached)",
            "template `unused` shop/kept-at-home id=w@library:/spec/podMetadata/labels/id [main] 0 (reached)",
        ]
    );
    assert_eq!(
        summary_with(&workflow("{workflowTemplateRef: {name: library}, serviceAccountName: flow, podMetadata: {labels: {id: p}}}"), &host)
            [1],
        "template `build` shop/flow id=p@/spec/podMetadata/labels/id [main] 0"
    );
    let binding = "{apiVersion: argoproj.io/v1alpha1, kind: WorkflowEventBinding, spec: {event: {selector: 'true'}, submit: {workflowTemplateRef: {name: library}}}}";
    assert_eq!(summary_with(binding, &host).len(), 3);
    // A reference in a circle ends.
    let circle = json(
        "{apiVersion: argoproj.io/v1alpha1, kind: WorkflowTemplate, metadata: {name: circle}, spec: {templates: [{name: a, steps: [[{name: x, templateRef: {name: circle, template: a}}]]}]}}",
    );
    let host = Objects { named: vec![("WorkflowTemplate", "circle", circle)], index: Vec::new() };
    let circular =
        "{templates: [{name: a, dag: {tasks: [{name: x, templateRef: {name: circle, template: a}}, {name: y, inline: {container: {}}}]}}]}";
    assert_eq!(
        summary_with(&workflow(circular), &host),
        ["template shop/(default) id=-@/spec/templates/0/dag/tasks/1/inline/metadata/labels/id [main] 0"]
    );
}

#[test]
fn workflow_controller_defaults() {
    let config = |namespace: &str, account: &str| {
        json(&format!(
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: workflow-controller-configmap, namespace: {namespace}}}\ndata:\n  workflowDefaults: |\n    metadata: {{labels: {{id: not-a-pod}}}}\n    spec: {{serviceAccountName: {account}, podMetadata: {{labels: {{id: d}}}}, templateDefaults: {{volumes: [{{name: v}}]}}}}\n"
        ))
    };
    let run = workflow("{templates: [{name: a, container: {}}]}");
    let one = Objects { named: Vec::new(), index: vec![config("argo", "runner")] };
    let label = "workflow-controller-configmap:/data/workflowDefaults/spec/podMetadata/labels/id";
    assert_eq!(summary_with(&run, &one), [format!("template `a` shop/runner id=d@{label} [main] 1")]);
    // What the workflow sets itself wins.
    let own = workflow("{serviceAccountName: flow, podMetadata: {labels: {id: p}}, templates: [{name: a, container: {}}]}");
    assert_eq!(summary_with(&own, &one), ["template `a` shop/flow id=p@/spec/podMetadata/labels/id [main] 1"]);
    // Who runs a WorkflowTemplate may set the account; the labels apply to whoever does.
    let template = "{apiVersion: argoproj.io/v1alpha1, kind: WorkflowTemplate, spec: {templates: [{name: a, container: {}}]}}";
    assert_eq!(summary_with(template, &one), [format!("template `a` shop/(caller) id=d@{label} [main] 1")]);
    // Of several controllers the one in the workflow's namespace; none if nothing tells which.
    let near = Objects { named: Vec::new(), index: vec![config("argo", "runner"), config("shop", "near")] };
    assert_eq!(summary_with(&run, &near), [format!("template `a` shop/near id=d@{label} [main] 1")]);
    let several = Objects { named: Vec::new(), index: vec![config("argo", "runner"), config("other", "near")] };
    assert_eq!(summary_with(&run, &several), ["template `a` shop/(default) id=-@/spec/templates/0/metadata/labels/id [main] 0"]);
    // The single text of older controllers.
    let old = json(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: workflow-controller-configmap, namespace: argo}\ndata:\n  config: |\n    workflowDefaults: {spec: {serviceAccountName: runner}}\n",
    );
    let old = Objects { named: Vec::new(), index: vec![old] };
    assert_eq!(summary_with(&run, &old), ["template `a` shop/runner id=-@/spec/templates/0/metadata/labels/id [main] 0"]);
}

#[test]
fn sensors_hold_whole_objects() {
    let sensor = |parameters: &str| {
        format!(
            "apiVersion: argoproj.io/v1alpha1
kind: Sensor
spec:
  template: {{serviceAccountName: listener, metadata: {{labels: {{id: x}}}}, container: {{name: c}}}}
  triggers:
    - template:
        k8s:
          {parameters}
          source:
            resource: {{apiVersion: argoproj.io/v1alpha1, kind: Workflow, metadata: {{namespace: builds}}, spec: {{serviceAccountName: flow, templates: [{{name: a, container: {{}}}}]}}}}
    - template: {{argoWorkflow: {{source: {{inline: '{{apiVersion: v1, kind: Pod, spec: {{serviceAccountName: web}}}}'}}}}}}
      dlqTrigger: {{template: {{k8s: {{source: {{resource: {{apiVersion: v1, kind: Pod, spec: {{serviceAccountName: dead}}}}}}}}}}}}
    - template: {{k8s: {{source: {{url: {{path: somewhere}}}}}}}}
"
        )
    };
    let resource = "/spec/triggers/0/template/k8s/source/resource";
    assert_eq!(
        summary(&sensor("operation: create")),
        [
            "sensor pod shop/listener id=x@/spec/template/metadata/labels/id [c] 0".to_owned(),
            format!("template `a` builds/flow id=-@{resource}/spec/templates/0/metadata/labels/id [main] 0"),
            "pod shop/web id=-@/spec/triggers/1/template/argoWorkflow/source/inline/metadata/labels/id [] 0".to_owned(),
            "pod shop/dead id=-@/spec/triggers/1/dlqTrigger/template/k8s/source/resource/metadata/labels/id [] 0".to_owned(),
        ]
    );
    // Event data over the service account: who runs is not known.
    let overwritten = summary(&sensor("parameters: [{src: {dependencyName: d, dataKey: body.sa}, dest: spec.serviceAccountName}]"));
    assert!(overwritten[1].starts_with("template `a` builds/(not known) "), "{overwritten:?}");
    assert!(overwritten[2].starts_with("pod shop/web "), "{overwritten:?}");
}

#[test]
fn manifests_in_workflows() {
    let yaml = workflow(
        "{serviceAccountName: flow, templates: [{name: a, resource: {manifest: '{apiVersion: batch/v1, kind: Job, spec: {template: {spec: {serviceAccountName: job}}}}'}}]}",
    );
    assert_eq!(
        summary(&yaml),
        [
            "template `a` shop/flow id=-@/spec/templates/0/metadata/labels/id [] 0",
            "pod template shop/job id=-@/spec/templates/0/resource/manifest/spec/template/metadata/labels/id [] 0",
        ]
    );
}

#[test]
fn fallback_guesses_and_keeps_off() {
    let unknown = format!(
        "{{apiVersion: ray.io/v1, kind: RayCluster, spec: {{headGroupSpec: {{template: {{metadata: {{labels: {{id: x}}}}, spec: {SPEC}}}}}}}}}"
    );
    assert_eq!(summary(&unknown), ["pod template shop/web id=x@/spec/headGroupSpec/template/metadata/labels/id [i,c] 1 (guessed)"]);
    for (api_version, kind) in [
        ("apiextensions.k8s.io/v1", "CustomResourceDefinition"),
        ("kustomize.config.k8s.io/v1beta1", "Kustomization"),
        ("kyverno.io/v1", "ClusterPolicy"),
        ("templates.gatekeeper.sh/v1", "ConstraintTemplate"),
        ("policies.kubewarden.io/v1", "ClusterAdmissionPolicy"),
        ("trust.fedward/v1", "ManagedCluster"),
    ] {
        let yaml = format!("{{apiVersion: {api_version}, kind: {kind}, spec: {{template: {{spec: {SPEC}}}}}}}");
        assert!(summary(&yaml).is_empty(), "{kind}");
    }
}

#[test]
fn every_row_has_a_name_of_its_own() {
    for (index, row) in ROWS.iter().enumerate() {
        assert!(ROWS.iter().skip(index + 1).all(|other| other.name != row.name), "{}", row.name);
        for kind in row.kinds {
            assert_eq!(ROWS.iter().filter(|other| other.group == row.group && other.kinds.contains(kind)).count(), 1, "{kind}");
        }
    }
}
