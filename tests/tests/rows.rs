//! Mistakes planted in every kind that makes pods: each must be found, by its rule, on its line.
//!
//! A row is a manifest with slots; a plant is what goes into them. The line that is wrong ends with `# here`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::string_slice, reason = "tests")]

use std::collections::BTreeSet;
use std::sync::atomic::AtomicUsize;

use fedward_engine::{Input, Options, Policy, run};
use fedward_host::{Host, Limits};
use fedward_kit::workload::ROWS;
use libtest_mimic::{Arguments, Failed, Trial};
use serde_json::Value;

/// The row's name as in the kit's table, and a manifest. `<labels>`, `<annotations>`, `<env>` and `<volumes>` stand for the entries of
/// a map or list at their indentation, `<account>` for the name of a service account.
const MANIFESTS: &[(&str, &str)] = &[
    (
        "v1/Pod",
        "apiVersion: v1\nkind: Pod\nmetadata:\n  name: x\n  namespace: shop\n  labels:\n    <labels>\n  annotations:\n    <annotations>\nspec:\n  serviceAccountName: <account>\n  containers:\n    - name: main\n      env:\n        <env>\n  volumes:\n    <volumes>\n",
    ),
    ("v1/PodTemplate", "apiVersion: v1\nkind: PodTemplate\nmetadata: {name: x, namespace: shop}\ntemplate:\n  <template>\n"),
    (
        "v1/ReplicationController",
        "apiVersion: v1\nkind: ReplicationController\nmetadata: {name: x, namespace: shop}\nspec:\n  template:\n    <template>\n",
    ),
    (
        "apps/Deployment",
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: x, namespace: shop}\nspec:\n  template:\n    <template>\n",
    ),
    (
        "apps/StatefulSet",
        "apiVersion: apps/v1\nkind: StatefulSet\nmetadata: {name: x, namespace: shop}\nspec:\n  template:\n    <template>\n",
    ),
    ("apps/DaemonSet", "apiVersion: apps/v1\nkind: DaemonSet\nmetadata: {name: x, namespace: shop}\nspec:\n  template:\n    <template>\n"),
    (
        "apps/ReplicaSet",
        "apiVersion: apps/v1\nkind: ReplicaSet\nmetadata: {name: x, namespace: shop}\nspec:\n  template:\n    <template>\n",
    ),
    ("batch/Job", "apiVersion: batch/v1\nkind: Job\nmetadata: {name: x, namespace: shop}\nspec:\n  template:\n    <template>\n"),
    (
        "batch/CronJob",
        "apiVersion: batch/v1\nkind: CronJob\nmetadata: {name: x, namespace: shop}\nspec:\n  jobTemplate:\n    spec:\n      template:\n        <template>\n",
    ),
    (
        "argoproj.io/Rollout",
        "apiVersion: argoproj.io/v1alpha1\nkind: Rollout\nmetadata: {name: x, namespace: shop}\nspec:\n  strategy: {canary: {}}\n  template:\n    <template>\n",
    ),
    (
        "argoproj.io/Experiment",
        "apiVersion: argoproj.io/v1alpha1\nkind: Experiment\nmetadata: {name: x, namespace: shop}\nspec:\n  templates:\n    - name: canary\n      template:\n        <template>\n",
    ),
    (
        "argoproj.io/AnalysisTemplate",
        "apiVersion: argoproj.io/v1alpha1\nkind: AnalysisTemplate\nmetadata: {name: x, namespace: shop}\nspec:\n  metrics:\n    - name: probe\n      provider:\n        job:\n          spec:\n            template:\n              <template>\n",
    ),
    (
        "argoproj.io/Workflow",
        "apiVersion: argoproj.io/v1alpha1\nkind: Workflow\nmetadata: {name: x, namespace: shop}\nspec:\n  entrypoint: main\n  serviceAccountName: <account>\n  volumes:\n    <volumes>\n  templates:\n    - name: main\n      metadata:\n        labels:\n          <labels>\n        annotations:\n          <annotations>\n      container:\n        image: registry.example/x:1\n        env:\n          <env>\n",
    ),
    (
        "argoproj.io/CronWorkflow",
        "apiVersion: argoproj.io/v1alpha1\nkind: CronWorkflow\nmetadata: {name: x, namespace: shop}\nspec:\n  schedule: '0 0 * * *'\n  workflowSpec:\n    entrypoint: main\n    serviceAccountName: <account>\n    volumes:\n      <volumes>\n    templates:\n      - name: main\n        metadata:\n          labels:\n            <labels>\n          annotations:\n            <annotations>\n        container:\n          image: registry.example/x:1\n          env:\n            <env>\n",
    ),
    (
        "argoproj.io/Sensor",
        "apiVersion: argoproj.io/v1alpha1\nkind: Sensor\nmetadata: {name: x, namespace: shop}\nspec:\n  template:\n    serviceAccountName: <account>\n    metadata:\n      labels:\n        <labels>\n      annotations:\n        <annotations>\n    container:\n      env:\n        <env>\n    volumes:\n      <volumes>\n  triggers: []\n",
    ),
    (
        "argoproj.io/EventSource",
        "apiVersion: argoproj.io/v1alpha1\nkind: EventSource\nmetadata: {name: x, namespace: shop}\nspec:\n  template:\n    serviceAccountName: <account>\n    metadata:\n      labels:\n        <labels>\n      annotations:\n        <annotations>\n    container:\n      env:\n        <env>\n    volumes:\n      <volumes>\n",
    ),
    (
        "argoproj.io/EventBus",
        "apiVersion: argoproj.io/v1alpha1\nkind: EventBus\nmetadata: {name: x, namespace: shop}\nspec:\n  jetstream:\n    serviceAccountName: <account>\n    metadata:\n      labels:\n        <labels>\n      annotations:\n        <annotations>\n",
    ),
    (
        "pkg.crossplane.io/DeploymentRuntimeConfig",
        "apiVersion: pkg.crossplane.io/v1beta1\nkind: DeploymentRuntimeConfig\nmetadata: {name: x}\nspec:\n  deploymentTemplate:\n    spec:\n      template:\n        metadata:\n          labels:\n            <labels>\n          annotations:\n            <annotations>\n        spec:\n          containers:\n            - name: package-runtime\n              env:\n                <env>\n          volumes:\n            <volumes>\n",
    ),
    (
        "apiextensions.crossplane.io/Composition",
        "apiVersion: apiextensions.crossplane.io/v1\nkind: Composition\nmetadata: {name: x}\nspec:\n  resources:\n    - name: app\n      base:\n        apiVersion: apps/v1\n        kind: Deployment\n        metadata: {name: x, namespace: shop}\n        spec:\n          template:\n            <template>\n",
    ),
    (
        "kro.run/ResourceGraphDefinition",
        "apiVersion: kro.run/v1alpha1\nkind: ResourceGraphDefinition\nmetadata: {name: x}\nspec:\n  resources:\n    - id: app\n      template:\n        apiVersion: apps/v1\n        kind: Deployment\n        metadata: {name: x, namespace: shop}\n        spec:\n          template:\n            <template>\n",
    ),
    (
        "kubernetes.crossplane.io/Object",
        "apiVersion: kubernetes.crossplane.io/v1alpha2\nkind: Object\nmetadata: {name: x}\nspec:\n  forProvider:\n    manifest:\n      apiVersion: apps/v1\n      kind: Deployment\n      metadata: {name: x, namespace: shop}\n      spec:\n        template:\n          <template>\n",
    ),
    (
        "monitoring.coreos.com/Prometheus",
        "apiVersion: monitoring.coreos.com/v1\nkind: Prometheus\nmetadata: {name: x, namespace: shop}\nspec:\n  serviceAccountName: <account>\n  podMetadata:\n    labels:\n      <labels>\n    annotations:\n      <annotations>\n  containers:\n    - name: proxy\n      env:\n        <env>\n  volumes:\n    <volumes>\n",
    ),
    (
        "postgresql.cnpg.io/Cluster",
        "apiVersion: postgresql.cnpg.io/v1\nkind: Cluster\nmetadata: {name: x, namespace: shop}\nspec:\n  inheritedMetadata:\n    labels:\n      <labels>\n    annotations:\n      <annotations>\n",
    ),
    (
        "keda.sh/ScaledJob",
        "apiVersion: keda.sh/v1alpha1\nkind: ScaledJob\nmetadata: {name: x, namespace: shop}\nspec:\n  jobTargetRef:\n    template:\n      <template>\n",
    ),
    (
        "serving.knative.dev/Service",
        "apiVersion: serving.knative.dev/v1\nkind: Service\nmetadata: {name: x, namespace: shop}\nspec:\n  template:\n    <template>\n",
    ),
    (
        "tekton.dev/PipelineRun",
        "apiVersion: tekton.dev/v1\nkind: PipelineRun\nmetadata:\n  name: x\n  namespace: shop\n  labels:\n    <labels>\n  annotations:\n    <annotations>\nspec:\n  taskRunTemplate:\n    serviceAccountName: <account>\n",
    ),
    (
        "prow.k8s.io/ProwJob",
        "apiVersion: prow.k8s.io/v1\nkind: ProwJob\nmetadata:\n  name: x\n  namespace: shop\n  labels:\n    <labels>\n  annotations:\n    <annotations>\nspec:\n  pod_spec:\n    serviceAccountName: <account>\n    containers:\n      - name: test\n        env:\n          <env>\n    volumes:\n      <volumes>\n",
    ),
    (
        "jobset.x-k8s.io/JobSet",
        "apiVersion: jobset.x-k8s.io/v1alpha2\nkind: JobSet\nmetadata: {name: x, namespace: shop}\nspec:\n  replicatedJobs:\n    - name: workers\n      template:\n        spec:\n          template:\n            <template>\n",
    ),
    (
        "actions.github.com/AutoscalingRunnerSet",
        "apiVersion: actions.github.com/v1alpha1\nkind: AutoscalingRunnerSet\nmetadata: {name: x, namespace: shop}\nspec:\n  template:\n    <template>\n",
    ),
    (
        "sparkoperator.k8s.io/SparkApplication",
        "apiVersion: sparkoperator.k8s.io/v1beta2\nkind: SparkApplication\nmetadata: {name: x, namespace: shop}\nspec:\n  driver:\n    serviceAccount: <account>\n    labels:\n      <labels>\n    annotations:\n      <annotations>\n    env:\n      <env>\n",
    ),
    (
        "generic fallback",
        "apiVersion: example.org/v1\nkind: Widget\nmetadata: {name: x, namespace: shop}\nspec:\n  worker:\n    template:\n      <template>\n",
    ),
];

const TEMPLATE: &str = "metadata:\n  labels:\n    <labels>\n  annotations:\n    <annotations>\nspec:\n  serviceAccountName: <account>\n  containers:\n    - name: main\n      env:\n        <env>\n  volumes:\n    <volumes>";

/// What goes into the slots; an empty slot gets something harmless.
struct Plant {
    rule: &'static str,
    labels: &'static str,
    annotations: &'static str,
    account: &'static str,
    env: &'static str,
    volumes: &'static str,
    /// The slot that holds the mistake: a row without it is left out.
    slot: &'static str,
}

const HARMLESS: Plant = Plant {
    rule: "",
    labels: "app: x",
    annotations: "example.org/team: shop",
    account: "plain",
    env: "- {name: LEVEL, value: info}",
    volumes: "- {name: scratch, emptyDir: {}}",
    slot: "",
};

const PLANTS: &[Plant] = &[
    Plant { rule: "wrong-azure-label-value", labels: "azure.workload.identity/use: \"True\" # here", slot: "<labels>", ..HARMLESS },
    Plant {
        rule: "wrong-token-expiration",
        labels: "azure.workload.identity/use: \"true\"",
        annotations: "azure.workload.identity/service-account-token-expiration: \"600\" # here",
        account: "federated",
        slot: "<annotations>",
        ..HARMLESS
    },
    Plant { rule: "misspelt-identity-key", labels: "azure.workload-identity/use: \"true\" # here", slot: "<labels>", ..HARMLESS },
    Plant {
        rule: "label-without-identity",
        labels: "azure.workload.identity/use: \"true\"",
        account: "plain # here",
        slot: "<account>",
        ..HARMLESS
    },
    Plant {
        rule: "missing-service-account",
        labels: "azure.workload.identity/use: \"true\"",
        account: "nobody # here",
        slot: "<account>",
        ..HARMLESS
    },
    Plant {
        rule: "wrong-authority-host",
        env: "- {name: AZURE_AUTHORITY_HOST, value: \"http://login.microsoftonline.com/\"} # here",
        slot: "<env>",
        ..HARMLESS
    },
    Plant {
        rule: "misspelt-audience",
        volumes: "- {name: token, projected: {sources: [{serviceAccountToken: {path: t, audience: \"api://azureadtokenexchange\"}}]}} # here",
        slot: "<volumes>",
        ..HARMLESS
    },
    Plant { rule: "wrong-field-type", labels: "azure.workload.identity/use: true # here", slot: "<labels>", ..HARMLESS },
];

const ACCOUNTS: &str = "---\napiVersion: v1\nkind: ServiceAccount\nmetadata: {name: plain, namespace: shop}\n---\napiVersion: v1\nkind: ServiceAccount\n\
metadata: {name: federated, namespace: shop, annotations: {azure.workload.identity/client-id: 2f7d9a31-64c5-4a0b-9a53-7cf5b0c1d822}}\n";

fn main() {
    let mut trials = vec![Trial::test("every row of the table has a manifest here", complete)];
    for (row, manifest) in MANIFESTS {
        let manifest = fill(manifest, "<template>", TEMPLATE);
        for plant in PLANTS.iter().filter(|plant| manifest.contains(plant.slot)) {
            let manifest = manifest.clone();
            trials.push(Trial::test(format!("{row}/{}", plant.rule), move || test(&manifest, plant)));
        }
    }
    libtest_mimic::run(&Arguments::from_args(), trials).exit();
}

/// Rows that make no pods, and those whose pods are parts of others, have none.
fn complete() -> Result<(), Failed> {
    const NONE: [&str; 3] = ["argoproj.io/WorkflowEventBinding", "argoproj.io/Application", "pkg.crossplane.io/ControllerConfig"];
    let here: BTreeSet<&str> = MANIFESTS.iter().map(|(row, _)| *row).chain(NONE).collect();
    let missing: Vec<&str> = ROWS.iter().map(|row| row.name).filter(|row| !here.contains(row)).collect();
    if missing.is_empty() { Ok(()) } else { Err(format!("rows without a manifest: {missing:?}").into()) }
}

/// Replaces a slot on a line of its own by lines at its indentation.
fn fill(manifest: &str, slot: &str, with: &str) -> String {
    let mut filled = String::new();
    for line in manifest.lines() {
        match line.find(slot) {
            Some(at) if line.trim() == slot => {
                for inner in with.lines() {
                    filled.push_str(&format!("{}{inner}\n", &line[..at]));
                }
            }
            _ => filled.push_str(&format!("{}\n", line.replace(slot, with))),
        }
    }
    filled
}

fn test(manifest: &str, plant: &Plant) -> Result<(), Failed> {
    let slots = [
        ("<labels>", plant.labels),
        ("<annotations>", plant.annotations),
        ("<account>", plant.account),
        ("<env>", plant.env),
        ("<volumes>", plant.volumes),
    ];
    let text = slots.iter().fold(manifest.to_owned(), |text, (slot, with)| fill(&text, slot, with)) + ACCOUNTS;
    let host = Host::new(Limits::default());
    let policies: Vec<Policy> = fedward_modules::ALL.iter().map(|builtin| Policy::builtin(&host, builtin, &Value::Null).unwrap()).collect();
    let input = Input { name: "row.yaml".to_owned(), bytes: text.clone().into_bytes(), named: true, judged: true };
    // A kind without a namespace of its own uses the default one for its pods.
    let options = Options { threads: 1, namespace: "shop".to_owned(), ..Options::default() };
    let (outcome, _) = run(vec![input], &policies, &options, &AtomicUsize::new(0));
    let line = text.lines().position(|line| line.ends_with("# here")).unwrap() as u32 + 1;
    let found: Vec<String> = outcome.findings.iter().map(|finding| format!("{}:{}", finding.location.start().line, finding.rule)).collect();
    if found.contains(&format!("{line}:{}", plant.rule)) {
        Ok(())
    } else {
        Err(format!("no {} on line {line}, but {found:?}\n{text}", plant.rule).into())
    }
}
