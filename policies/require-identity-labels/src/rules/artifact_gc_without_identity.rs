//! Reports Argo workflows that delete keyless artifacts with a pod that has no identity.
//!
//! ## What it does
//! With an artifact GC strategy (`OnWorkflowCompletion`, `OnWorkflowDeletion`), Argo deletes artifacts from a pod of its own. That pod
//! takes neither the workflow's service account nor its pod metadata: only what `artifactGC` says. Where artifacts lie in a store that is
//! reached without keys (Azure or S3 with `useSDKCreds`, Google Cloud without a key), a missing `artifactGC.serviceAccountName` is
//! reported, and for Azure a missing pod label in `artifactGC.podMetadata`.
//!
//! The store is read from the artifact, the template's `archiveLocation`, the workflow's `artifactRepositoryRef`, or the controller's
//! ConfigMap. Where none of them is known, nothing is reported.
//!
//! ## Why it is bad
//! The pod runs as `default`, cannot sign in, and the workflow hangs on its finalizer, or the artifacts stay for ever.
//!
//! ## Example
//! ```yaml
//! apiVersion: argoproj.io/v1alpha1
//! kind: Workflow
//! metadata:
//!   generateName: report-
//! spec:
//!   entrypoint: write
//!   serviceAccountName: report
//!   artifactGC:
//!     strategy: OnWorkflowDeletion
//!   templates:
//!     - name: write
//!       metadata:
//!         labels:
//!           azure.workload.identity/use: "true"
//!       container:
//!         image: report:1
//!       outputs:
//!         artifacts:
//!           - name: report
//!             path: /tmp/report
//!             azure:
//!               endpoint: https://reports.blob.core.windows.net
//!               container: reports
//!               blob: report
//!               useSDKCreds: true
//! ```
//!
//! ## Use instead
//! ```yaml
//! apiVersion: argoproj.io/v1alpha1
//! kind: Workflow
//! metadata:
//!   generateName: report-
//! spec:
//!   entrypoint: write
//!   serviceAccountName: report
//!   artifactGC:
//!     strategy: OnWorkflowDeletion
//!     serviceAccountName: report
//!     podMetadata:
//!       labels:
//!         azure.workload.identity/use: "true"
//!   templates:
//!     - name: write
//!       metadata:
//!         labels:
//!           azure.workload.identity/use: "true"
//!       container:
//!         image: report:1
//!       outputs:
//!         artifacts:
//!           - name: report
//!             path: /tmp/report
//!             azure:
//!               endpoint: https://reports.blob.core.windows.net
//!               container: reports
//!               blob: report
//!               useSDKCreds: true
//! ```
//!
//! ## References
//! argoproj/argo-workflows: `workflow/controller/artifact_gc.go` (`getArtifactGCPodInfo`, `createArtifactGCPod`), artifact repository
//! configuration.

use fedward_kit::context::Context;
use fedward_kit::finding::{ObjectRef, PatchStep};
use fedward_kit::identity::AZURE_USE;
use fedward_kit::index;
use fedward_kit::node::{Format, Node};
use fedward_kit::rule::{Check, Condition, Report, Rule};
use fedward_kit::workload::controller_setting;

use crate::pods::{Owner, owners};
use crate::settings::Settings;

const NO_ACCOUNT: Condition = Condition::warning("no-account", "the pod that deletes keyless artifacts runs as `default`");
const NO_LABEL: Condition = Condition::warning("no-label", "the pod that deletes artifacts on Azure lacks the pod label");

/// The rule.
pub const RULE: Rule<Settings> = Rule {
    id: "artifact-gc-without-identity",
    summary: "an Argo workflow deletes keyless artifacts with a pod that has no identity",
    conditions: &[NO_ACCOUNT, NO_LABEL],
    supersedes: &[],
    check,
};

fn check(cx: &Check<'_, Settings>) {
    for owner in owners(cx) {
        let is_workflow = owner.kind.ends_with("Workflow") || owner.kind.ends_with("WorkflowTemplate");
        if is_workflow && owner.group == "argoproj.io" && owner.node.in_request() {
            workflow(cx, owner);
        }
    }
}

fn workflow<'a>(cx: &Check<'a, Settings>, owner: &Owner<'a>) {
    let spec = owner.node.get("spec");
    let spec = if owner.kind == "CronWorkflow" { spec.get("workflowSpec") } else { spec };
    let namespace = owner.pods.first().map_or(cx.request.namespace, |pod| pod.namespace);
    let controller = index::workflow_controller(cx.context, namespace, spec);
    let defaults =
        controller.and_then(|config| controller_setting(config, "workflowDefaults")).map(|defaults| defaults.get("spec").get("artifactGC"));
    let collector = spec.get("artifactGC");
    let mut store = None;
    for template in spec.get("templates").items() {
        for artifact in template.get("outputs").get("artifacts").items() {
            // The artifact's own settings, then the workflow's, then the controller's.
            let settings: Vec<Node<'a>> = [artifact.get("artifactGC"), collector].into_iter().chain(defaults).collect();
            let first = |path: &[&'static str]| settings.iter().map(|settings| settings.at(path)).find(|node| node.filled().is_some());
            if !first(&["strategy"])
                .and_then(Node::str)
                .is_some_and(|strategy| matches!(strategy, "OnWorkflowCompletion" | "OnWorkflowDeletion"))
            {
                continue;
            }
            let place = [artifact, template.get("archiveLocation")].into_iter().find(|place| has_location(*place));
            let place = place.or_else(|| *store.get_or_insert_with(|| repository(cx.context, spec, namespace, controller)));
            let Some(place) = place.filter(|place| is_keyless(*place)) else { continue };
            let patch = collector.get("podSpecPatch");
            let patched = patch.str().is_some_and(|text| text.contains("serviceAccountName"));
            if first(&["serviceAccountName"]).is_none() && !patched {
                cx.report(
                    Report::new(
                        &NO_ACCOUNT,
                        collector.get("serviceAccountName"),
                        "the pod that deletes these artifacts runs as `default`: it takes no service account from the workflow",
                    )
                    .help("set `artifactGC.serviceAccountName` to an account that may delete them, and for Azure the pod label in `artifactGC.podMetadata`")
                    .related(place, "a store that is reached without keys"),
                );
            } else if place.get("azure").is_present() && first(&["podMetadata", "labels", AZURE_USE]).is_none() {
                let label = collector.get("podMetadata").get("labels").get(AZURE_USE);
                cx.report(
                    Report::new(
                        &NO_LABEL,
                        label,
                        format!(
                            "the pod that deletes these artifacts has no label `{AZURE_USE}`: it takes no pod metadata from the workflow"
                        ),
                    )
                    .help("add the label to `artifactGC.podMetadata.labels`")
                    .related(place, "a store that is reached without keys")
                    .fix(PatchStep::set(label, "true")),
                );
            }
        }
    }
}

/// The repository that artifacts without a place of their own go to.
fn repository<'a>(context: &Context<'a>, spec: Node<'a>, namespace: &'a str, controller: Option<Node<'a>>) -> Option<Node<'a>> {
    let reference = spec.get("artifactRepositoryRef");
    if reference.is_present() {
        let name = reference.get("configMap").filled().unwrap_or("artifact-repositories");
        let object = ObjectRef { api_version: "v1", kind: "ConfigMap", namespace, name };
        let config = context.get(object, reference).found()?;
        let annotations = config.get("metadata").get("annotations");
        let key = reference.get("key").filled().or_else(|| annotations.text("workflows.argoproj.io/default-artifact-repository"))?;
        return config.get("data").get(key).open(Format::Yaml).ok();
    }
    controller_setting(controller?, "artifactRepository")
}

/// Whether a place says where it is, not only under which key.
fn has_location(place: Node<'_>) -> bool {
    [("azure", "container"), ("s3", "bucket"), ("gcs", "bucket")]
        .iter()
        .any(|(store, field)| place.get(store).get(field).filled().is_some())
}

/// Whether a store is reached with the pod's identity.
fn is_keyless(place: Node<'_>) -> bool {
    let by_sdk = ["azure", "s3"].iter().any(|store| place.get(store).get("useSDKCreds").bool() == Some(true));
    by_sdk || place.get("gcs").get("bucket").filled().is_some() && place.get("gcs").get("serviceAccountKeySecret").is_absent()
}
