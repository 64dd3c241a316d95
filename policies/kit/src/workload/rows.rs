//! The table: where each kind keeps its pods.

use super::{Account, Layer, Pod, argo, collect as collect_object, events, tekton};
use crate::context::Context;
use crate::node::Node;

/// One row of the table.
pub struct Row {
    /// The name of the row, `group/Kind`.
    pub name: &'static str,
    /// The API group.
    pub group: &'static str,
    /// The kinds.
    pub kinds: &'static [&'static str],
    /// How the pods are found.
    pub shape: Shape,
}

/// A way to find pods. Paths are fields from the object's root; `[]` stands for every element of a list.
pub enum Shape {
    /// The object is a pod.
    Pod,
    /// Pod templates (`metadata` and `spec`) at these paths.
    Templates(&'static [&'static [&'static str]]),
    /// An Argo Rollout: a template with overlays by strategy, or a reference to a Deployment, which is judged itself.
    Rollout,
    /// An Argo workflow spec at this path.
    Workflow(&'static [&'static str]),
    /// An Argo Events Sensor.
    Sensor,
    /// Parts that lie apart: pods' metadata, and the map that holds the service account, containers and volumes.
    Split(&'static [(&'static [&'static str], &'static [&'static str])]),
    /// A kind that makes its own service account, unless the pods name another.
    OwnAccount {
        /// Path of the map that holds the service account, containers and volumes.
        spec: &'static [&'static str],
        /// Path of the pods' metadata.
        metadata: &'static [&'static str],
        /// Path of the account's metadata.
        account: &'static [&'static str],
        /// Path of the account's name; where it is not set, only the controller knows the name.
        name: &'static [&'static str],
    },
    /// A Tekton run.
    Tekton,
    /// Spark: labels, annotations and `serviceAccount` stand in the map itself.
    Flat(&'static [&'static [&'static str]]),
    /// Whole objects at these paths.
    Objects(&'static [&'static [&'static str]]),
    /// Makes no pods itself.
    None,
}

const TEMPLATE: Shape = Shape::Templates(&[&["spec", "template"]]);

const fn row(name: &'static str, group: &'static str, kinds: &'static [&'static str], shape: Shape) -> Row {
    Row { name, group, kinds, shape }
}

/// Every kind whose pods are known for certain.
pub const ROWS: &[Row] = &[
    row("v1/Pod", "", &["Pod"], Shape::Pod),
    row("v1/PodTemplate", "", &["PodTemplate"], Shape::Templates(&[&["template"]])),
    row("v1/ReplicationController", "", &["ReplicationController"], TEMPLATE),
    row("apps/Deployment", "apps", &["Deployment"], TEMPLATE),
    row("apps/StatefulSet", "apps", &["StatefulSet"], TEMPLATE),
    row("apps/DaemonSet", "apps", &["DaemonSet"], TEMPLATE),
    row("apps/ReplicaSet", "apps", &["ReplicaSet"], TEMPLATE),
    row("batch/Job", "batch", &["Job"], TEMPLATE),
    row("batch/CronJob", "batch", &["CronJob"], Shape::Templates(&[&["spec", "jobTemplate", "spec", "template"]])),
    row("argoproj.io/Rollout", "argoproj.io", &["Rollout"], Shape::Rollout),
    row("argoproj.io/Experiment", "argoproj.io", &["Experiment"], Shape::Templates(&[&["spec", "templates", "[]", "template"]])),
    row(
        "argoproj.io/AnalysisTemplate",
        "argoproj.io",
        &["AnalysisTemplate", "ClusterAnalysisTemplate"],
        Shape::Templates(&[&["spec", "metrics", "[]", "provider", "job", "spec", "template"]]),
    ),
    row("argoproj.io/Workflow", "argoproj.io", &["Workflow", "WorkflowTemplate", "ClusterWorkflowTemplate"], Shape::Workflow(&["spec"])),
    row("argoproj.io/CronWorkflow", "argoproj.io", &["CronWorkflow"], Shape::Workflow(&["spec", "workflowSpec"])),
    // What it submits has the same field as a workflow's spec: `workflowTemplateRef`.
    row("argoproj.io/WorkflowEventBinding", "argoproj.io", &["WorkflowEventBinding"], Shape::Workflow(&["spec", "submit"])),
    row("argoproj.io/Sensor", "argoproj.io", &["Sensor"], Shape::Sensor),
    row(
        "argoproj.io/EventSource",
        "argoproj.io",
        &["EventSource"],
        Shape::Split(&[(&["spec", "template", "metadata"], &["spec", "template"])]),
    ),
    row(
        "argoproj.io/EventBus",
        "argoproj.io",
        &["EventBus"],
        Shape::Split(&[
            (&["spec", "nats", "native", "metadata"], &["spec", "nats", "native"]),
            (&["spec", "jetstream", "metadata"], &["spec", "jetstream"]),
        ]),
    ),
    // An Application holds values, not pods: what it deploys is rendered.
    row("argoproj.io/Application", "argoproj.io", &["Application", "ApplicationSet", "AppProject"], Shape::None),
    row(
        "pkg.crossplane.io/DeploymentRuntimeConfig",
        "pkg.crossplane.io",
        &["DeploymentRuntimeConfig"],
        Shape::OwnAccount {
            spec: &["spec", "deploymentTemplate", "spec", "template", "spec"],
            metadata: &["spec", "deploymentTemplate", "spec", "template", "metadata"],
            account: &["spec", "serviceAccountTemplate", "metadata"],
            name: &["spec", "serviceAccountTemplate", "metadata", "name"],
        },
    ),
    row(
        "pkg.crossplane.io/ControllerConfig",
        "pkg.crossplane.io",
        &["ControllerConfig"],
        // The object's own annotations go to the account.
        Shape::OwnAccount {
            spec: &["spec"],
            metadata: &["spec", "metadata"],
            account: &["metadata"],
            name: &["spec", "serviceAccountName"],
        },
    ),
    row(
        "apiextensions.crossplane.io/Composition",
        "apiextensions.crossplane.io",
        &["Composition"],
        Shape::Objects(&[&["spec", "resources", "[]", "base"], &["spec", "pipeline", "[]", "input", "resources", "[]", "base"]]),
    ),
    row(
        "kro.run/ResourceGraphDefinition",
        "kro.run",
        &["ResourceGraphDefinition"],
        Shape::Objects(&[&["spec", "resources", "[]", "template"]]),
    ),
    row(
        "kubernetes.crossplane.io/Object",
        "kubernetes.crossplane.io",
        &["Object"],
        Shape::Objects(&[&["spec", "forProvider", "manifest"]]),
    ),
    row(
        "monitoring.coreos.com/Prometheus",
        "monitoring.coreos.com",
        &["Prometheus", "PrometheusAgent", "Alertmanager", "ThanosRuler"],
        Shape::Split(&[(&["spec", "podMetadata"], &["spec"])]),
    ),
    row(
        "postgresql.cnpg.io/Cluster",
        "postgresql.cnpg.io",
        &["Cluster"],
        Shape::OwnAccount {
            spec: &["spec"],
            metadata: &["spec", "inheritedMetadata"],
            account: &["spec", "serviceAccountTemplate", "metadata"],
            name: &["metadata", "name"],
        },
    ),
    row("keda.sh/ScaledJob", "keda.sh", &["ScaledJob"], Shape::Templates(&[&["spec", "jobTargetRef", "template"]])),
    row("serving.knative.dev/Service", "serving.knative.dev", &["Service", "Configuration"], TEMPLATE),
    row("tekton.dev/PipelineRun", "tekton.dev", &["PipelineRun", "TaskRun"], Shape::Tekton),
    row("prow.k8s.io/ProwJob", "prow.k8s.io", &["ProwJob"], Shape::Split(&[(&["metadata"], &["spec", "pod_spec"])])),
    row(
        "jobset.x-k8s.io/JobSet",
        "jobset.x-k8s.io",
        &["JobSet"],
        Shape::Templates(&[&["spec", "replicatedJobs", "[]", "template", "spec", "template"]]),
    ),
    row(
        "actions.github.com/AutoscalingRunnerSet",
        "actions.github.com",
        &["AutoscalingRunnerSet"],
        Shape::Templates(&[&["spec", "template"], &["spec", "listenerTemplate"]]),
    ),
    row(
        "sparkoperator.k8s.io/SparkApplication",
        "sparkoperator.k8s.io",
        &["SparkApplication", "ScheduledSparkApplication"],
        Shape::Flat(&[&["spec", "driver"], &["spec", "executor"], &["spec", "template", "driver"], &["spec", "template", "executor"]]),
    ),
];

pub(super) fn collect<'a>(row: &Row, object: Node<'a>, namespace: &'a str, context: &Context<'a>, depth: usize, found: &mut Vec<Pod<'a>>) {
    match &row.shape {
        Shape::Pod => found
            .push(Pod { title: "pod".to_owned(), ..Pod::bare(row.name, object, object.get("metadata"), object.get("spec"), namespace) }),
        Shape::Templates(paths) => {
            for template in paths.iter().flat_map(|path| follow(object, path)) {
                found.push(Pod::template(row.name, template, namespace));
            }
        }
        Shape::Rollout => rollout(row.name, object, namespace, found),
        Shape::Workflow(path) => argo::collect(row.name, object, object.at(path), namespace, context, depth, found),
        Shape::Sensor => events::collect(row.name, object, namespace, context, depth, found),
        Shape::Split(parts) => {
            for (metadata, spec) in *parts {
                let spec = object.at(spec);
                // `spec.template` of an EventSource and the like are optional: the pod exists all the same, as the default account.
                if spec.is_present() || parts.len() == 1 {
                    let mut pod = Pod::bare(row.name, spec, object.at(metadata), spec, namespace);
                    let single = spec.get("container");
                    if single.is_present() {
                        pod.containers.push(super::container(single, false));
                    }
                    found.push(pod);
                }
            }
        }
        Shape::OwnAccount { spec, metadata, account, name } => {
            let spec = object.at(spec);
            let mut pod = Pod::bare(row.name, spec, object.at(metadata), spec, namespace);
            if !pod.account.is_set() {
                pod.account_metadata = Some(object.at(account));
                pod.account = match Account::at(object.at(name)) {
                    Account::Default(node) => Account::Caller(node),
                    account => account,
                };
            }
            found.push(pod);
        }
        Shape::Tekton => tekton::collect(row.name, object, namespace, context, found),
        Shape::Flat(paths) => {
            for spec in paths.iter().flat_map(|path| follow(object, path)) {
                let mut pod = Pod::bare(row.name, spec, spec, spec, namespace);
                // These containers are described by the map itself.
                pod.containers = vec![super::container(spec, false)];
                found.push(pod);
            }
        }
        Shape::Objects(paths) => {
            for nested in paths.iter().flat_map(|path| follow(object, path)) {
                collect_object(nested, namespace, context, depth + 1, found);
            }
        }
        Shape::None => {}
    }
}

/// The present nodes at a path with `[]` for every element of a list.
fn follow<'a>(from: Node<'a>, path: &[&'static str]) -> Vec<Node<'a>> {
    let mut nodes = vec![from];
    for part in path {
        nodes = match *part {
            "[]" => nodes.into_iter().flat_map(Node::items).collect(),
            field => nodes.into_iter().map(|node| node.get(field)).collect(),
        };
    }
    nodes.retain(|node| node.is_present());
    nodes
}

fn rollout<'a>(row: &'static str, object: Node<'a>, namespace: &'a str, found: &mut Vec<Pod<'a>>) {
    let spec = object.get("spec");
    if spec.get("workloadRef").is_present() {
        return;
    }
    let template = Pod::template(row, spec.get("template"), namespace);
    let strategy = spec.get("strategy");
    let (canary, blue_green) = (strategy.get("canary"), strategy.get("blueGreen"));
    let phases = [
        [canary.get("canaryMetadata"), canary.get("stableMetadata")],
        [blue_green.get("activeMetadata"), blue_green.get("previewMetadata")],
    ];
    // With metadata for both phases no pod has that of the template alone.
    if !phases.iter().any(|pair| pair.iter().all(|overlay| overlay.is_present())) {
        found.push(template.clone());
    }
    let experiments = canary.get("steps").items().flat_map(|step| step.get("experiment").get("templates").items());
    let overlays = phases.into_iter().flatten().chain(experiments.map(|template| template.get("metadata")));
    for overlay in overlays.filter(|overlay| overlay.is_present()) {
        // The pod during one phase of the roll-out: the overlay's labels win, but what is missing belongs into the template.
        let mut pod = template.clone();
        pod.layers.insert(0, Layer::of(overlay));
        found.push(pod);
    }
}
