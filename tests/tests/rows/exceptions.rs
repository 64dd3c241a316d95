//! Which rules and rows have no plant, and why.

/// Rules that judge no pod, and what they judge.
pub(crate) const NO_PODS: &[(&str, &str)] = &[
    ("account-without-credential", "a service account"),
    ("addon-manager-labels", "roles and bindings"),
    ("aws-auth-masters", "a ConfigMap"),
    ("azure-admin-role-assignment", "an assignment of a role in Azure"),
    ("broad-aws-trust", "a trust policy"),
    ("broad-ci-trust", "a credential, or a trust policy"),
    ("broken-binding-subject", "a binding"),
    ("cluster-admin-equivalent", "a binding"),
    ("cluster-wide-edit", "a binding"),
    ("control-plane-identity", "a cluster of Azure"),
    ("credential-without-parent", "a credential"),
    ("credentials-in-url", "every string of an object, in a pod or not"),
    ("dangerous-aggregated-role", "a role"),
    ("duplicate-credential", "a credential"),
    ("federated-account-cluster-admin", "a binding"),
    ("federated-admin-in-protected-namespace", "a binding"),
    ("federated-default-account", "a service account, a credential or an association"),
    ("federated-group-cluster-admin", "a binding"),
    ("federated-namespace-admin", "a binding"),
    ("federated-user-cluster-admin", "a binding"),
    ("identity-in-sidecar", "pods of several containers, which no row has"),
    ("identity-with-many-subjects", "a credential"),
    ("indirect-identity-use", "a binding"),
    ("issuer-not-allowed", "a credential, or a trust policy"),
    ("issuer-subject-mismatch", "a credential"),
    ("long-lived-account-token", "a Secret"),
    ("mass-group-privileged", "a binding"),
    ("not-one-audience", "a credential"),
    ("sensor-shares-account", "what a Sensor starts"),
    ("shared-identity", "a service account"),
    ("oidc-client-secret", "a ConfigMap"),
    ("sso-mapped-cluster-admin", "a service account"),
    ("static-cluster-credential", "a Secret"),
    ("static-repository-credential", "a Secret"),
    ("subject-and-claims-expression", "a credential"),
    ("too-many-credentials", "a credential"),
    ("two-aws-identities", "a service account"),
    ("two-identity-webhooks", "the webhook's own Deployment"),
    ("unneeded-step-identity", "several steps of a workflow, which no row has"),
    ("unresolved-role", "a binding"),
    ("unusable-issuer", "a credential"),
    ("weak-identity-webhook", "a webhook configuration"),
    ("wrong-aks-issuer", "a credential"),
    ("wrong-credential-name", "a credential"),
    ("wrong-subject-format", "a credential"),
];

/// Rules about what only some rows (all their files, or one of them) have, those rows, and why the others cannot break them.
pub(crate) const ONLY: &[(&str, &[&str], &str)] = &[
    (
        "identity-label-in-selector",
        &[
            "apps/Deployment",
            "apps/StatefulSet",
            "apps/DaemonSet",
            "apps/ReplicaSet",
            "batch/Job",
            "argoproj.io/Rollout",
            "v1/ReplicationController",
            // They hold a Deployment.
            "apiextensions.crossplane.io/Composition",
            "kro.run/ResourceGraphDefinition",
            "kubernetes.crossplane.io/Object",
        ],
        "no selector of their own, or one that can be changed",
    ),
    ("artifact-gc-without-identity", &["argoproj.io/Workflow", "argoproj.io/CronWorkflow"], "only workflows have artifacts"),
    (
        "identity-annotation-on-wrong-object",
        &[
            "v1/Pod",
            "v1/PodTemplate",
            "v1/ReplicationController",
            "apps/Deployment",
            "apps/StatefulSet",
            "apps/DaemonSet",
            "apps/ReplicaSet",
            "batch/Job",
            "batch/CronJob",
            "argoproj.io/Rollout",
            "argoproj.io/Experiment",
            "argoproj.io/AnalysisTemplate",
            "argoproj.io/Workflow",
            "argoproj.io/CronWorkflow",
            "argoproj.io/Sensor",
            "argoproj.io/EventSource",
            "argoproj.io/EventBus",
            "apiextensions.crossplane.io/Composition",
            "kro.run/ResourceGraphDefinition",
            "kubernetes.crossplane.io/Object",
        ],
        "their operators may pass annotations on to the accounts that they make",
    ),
    (
        "unneeded-api-token",
        &[
            "v1/Pod",
            "v1/PodTemplate",
            "v1/ReplicationController",
            "apps/Deployment",
            "apps/StatefulSet",
            "apps/DaemonSet",
            "apps/ReplicaSet",
            "batch/Job",
            "batch/CronJob",
            "argoproj.io/Rollout",
            "argoproj.io/Experiment",
            "argoproj.io/AnalysisTemplate",
            "keda.sh/ScaledJob",
            "jobset.x-k8s.io/JobSet",
            // They hold a Deployment.
            "apiextensions.crossplane.io/Composition",
            "kro.run/ResourceGraphDefinition",
            "kubernetes.crossplane.io/Object",
            // The pod is a Job's.
            "argoproj.io/Workflow@resource",
        ],
        "their pods call the API server for their controllers' sake, or an operator writes the rest of the pod",
    ),
];

/// Rows (all their files, or one of them) that have no place for what a slot takes.
pub(crate) const NO_SLOT: &[(&str, &[&str], &str)] = &[
    ("argoproj.io/EventBus", &["<command>", "<env>", "<mounts>", "<volumes>"], "the containers are the controller's own"),
    ("postgresql.cnpg.io/Cluster", &["<command>", "<env>", "<mounts>", "<volumes>"], "the containers are the operator's own"),
    (
        "pkg.crossplane.io/ControllerConfig",
        &["<command>", "<env>", "<mounts>"],
        "its `env` stands outside a container and is not looked at",
    ),
    ("sparkoperator.k8s.io/SparkApplication", &["<command>"], "Spark's images know what to run"),
    ("sparkoperator.k8s.io/SparkApplication", &["<volumes>"], "volumes stand beside driver and executor and are not looked at"),
    ("argoproj.io/Workflow@podMetadata", &["<collector>", "<outputs>"], "the same as `argoproj.io/Workflow`, which has them"),
    ("argoproj.io/Workflow@script", &["<collector>", "<outputs>"], "the same as `argoproj.io/Workflow`, which has them"),
    ("argoproj.io/Workflow@resource", &["<collector>", "<outputs>"], "the pod is a Job's"),
];

/// Mistakes for which a row has a place, and that are none there, or are not found.
pub(crate) const CANNOT: &[(&str, &[&str], &str)] = &[
    (
        "argoproj.io/Workflow@podMetadata",
        &["identity-label-on-wrong-object", "identity-annotation-on-wrong-object"],
        "only a template's own annotations are looked at",
    ),
    ("actions.github.com/AutoscalingRunnerSet@listener", &["labelled-default-account"], "the controller gives the listener an account"),
    (
        "postgresql.cnpg.io/Cluster",
        &[
            "missing-service-account",
            "labelled-default-account",
            "shared-service-account",
            "exposed-shared-account",
            "not-an-identity-owner",
        ],
        "the operator makes the account",
    ),
    (
        "pkg.crossplane.io/DeploymentRuntimeConfig",
        &[
            "missing-service-account",
            "labelled-default-account",
            "shared-service-account",
            "exposed-shared-account",
            "not-an-identity-owner",
        ],
        "Crossplane makes the account",
    ),
    (
        "pkg.crossplane.io/ControllerConfig",
        &[
            "missing-service-account",
            "labelled-default-account",
            "shared-service-account",
            "exposed-shared-account",
            "not-an-identity-owner",
        ],
        "Crossplane makes the account",
    ),
    (
        "pkg.crossplane.io/DeploymentRuntimeConfig",
        &["labelled-pod-in-system-namespace", "audience-disagreement"],
        "the pods run in Crossplane's namespace, which the object does not say",
    ),
    (
        "pkg.crossplane.io/ControllerConfig",
        &["labelled-pod-in-system-namespace"],
        "the pods run in Crossplane's namespace, which the object does not say",
    ),
];

/// Rows that make no pods.
pub(crate) const NONE: &[(&str, &str)] = &[
    ("argoproj.io/WorkflowEventBinding", "runs the template that it names, which is judged itself"),
    ("argoproj.io/Application", "holds values: what it deploys is rendered"),
];
