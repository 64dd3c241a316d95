//! The mistakes, as what they put into the slots.

/// What goes into the slots.
#[derive(Clone, Copy)]
pub(crate) struct Plant {
    pub(crate) rule: &'static str,
    /// Of the rule's policy.
    pub(crate) settings: &'static str,
    pub(crate) namespace: &'static str,
    pub(crate) labels: &'static str,
    pub(crate) annotations: &'static str,
    pub(crate) selector: &'static str,
    pub(crate) account: &'static str,
    pub(crate) command: &'static str,
    pub(crate) env: &'static str,
    pub(crate) mounts: &'static str,
    pub(crate) volumes: &'static str,
    pub(crate) collector: &'static str,
    pub(crate) outputs: &'static str,
    /// More objects.
    pub(crate) more: &'static str,
    /// The slots that the mistake needs: a row without one of them cannot have it.
    pub(crate) needs: &'static [&'static str],
}

pub(crate) const HARMLESS: Plant = Plant {
    rule: "",
    settings: "{}",
    namespace: "shop",
    labels: "app: x",
    annotations: "example.org/team: shop",
    selector: "tier: web",
    account: "plain",
    command: "[run]",
    env: "- {name: LEVEL, value: info}",
    mounts: "- {name: scratch, mountPath: /scratch}",
    volumes: "- {name: scratch, emptyDir: {}}",
    collector: "parallelism: 1",
    outputs: "daemon: false",
    more: "",
    needs: &[],
};

const LABELLED: Plant = Plant { labels: "azure.workload.identity/use: \"true\"", account: "federated", ..HARMLESS };

/// A token that Azure's SDKs read.
const READ: Plant = Plant {
    env: "- {name: AZURE_FEDERATED_TOKEN_FILE, value: /token/t}",
    mounts: "- {name: token, mountPath: /token}",
    needs: &["<env>", "<mounts>", "<volumes>"],
    ..HARMLESS
};

/// A right of another account, which shows that the bindings of the namespace are there.
const BINDING: &str = "\
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: plain, namespace: shop}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: view}
subjects: [{kind: ServiceAccount, name: plain, namespace: shop}]";

/// A token for Azure with another path than anybody's webhook has.
const OWN: &str = "- {name: token, projected: {sources: [{serviceAccountToken: {path: t, audience: \"api://AzureADTokenExchange\"}}]}}";

/// A federated credential of the account `federated`.
const CREDENTIAL: &str = "\
apiVersion: managedidentity.azure.com/v1api20230131
kind: FederatedIdentityCredential
metadata: {name: federated, namespace: shop}
spec:
  owner: {name: shop}
  audiences: [\"api://AzureADTokenExchange\"]
  issuer: https://westeurope.oic.prod-aks.azure.com/8f2c4f0a-3d5e-4a52-9d0a-1f6f7d6b2c11/2b7e1516-28ae-4d2a-a6ab-f7158809cf4f/
  subject: system:serviceaccount:shop:federated";

/// Another workload that runs as `federated`.
const OTHER_USER: &str = "\
apiVersion: apps/v1
kind: Deployment
metadata: {name: other, namespace: shop}
spec:
  selector: {matchLabels: {app: other}}
  template:
    metadata: {labels: {app: other}}
    spec:
      serviceAccountName: federated
      containers: [{name: main, image: \"registry.example/other:1\"}]";

/// The same, and a Service that makes pods with the label `app: x` reachable from outside.
const EXPOSED: &str = "\
apiVersion: v1
kind: Service
metadata: {name: outside, namespace: shop}
spec: {type: LoadBalancer, selector: {app: x}, ports: [{port: 80}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: other, namespace: shop}
spec:
  selector: {matchLabels: {app: other}}
  template:
    metadata: {labels: {app: other}}
    spec:
      serviceAccountName: federated
      containers: [{name: main, image: \"registry.example/other:1\"}]";

pub(crate) const PLANTS: &[Plant] = &[
    Plant { rule: "shared-service-account", account: "federated # here", more: OTHER_USER, needs: &["<account>"], ..HARMLESS },
    Plant { rule: "exposed-shared-account", account: "federated # here", more: EXPOSED, needs: &["<labels>", "<account>"], ..HARMLESS },
    Plant {
        rule: "not-an-identity-owner",
        settings: r#"{"identityOwners": {"shop/federated": ["Deployment/nobody"]}}"#,
        account: "federated # here",
        needs: &["<account>"],
        ..HARMLESS
    },
    Plant { rule: "missing-azure-label", labels: "app: x # label", account: "federated", needs: &["<labels>", "<account>"], ..HARMLESS },
    Plant { rule: "wrong-azure-label-value", labels: "azure.workload.identity/use: \"True\" # here", needs: &["<labels>"], ..HARMLESS },
    Plant {
        rule: "identity-label-on-wrong-object",
        annotations: "azure.workload.identity/use: \"true\" # here",
        account: "federated",
        needs: &["<annotations>"],
        ..HARMLESS
    },
    Plant { rule: "label-without-identity", account: "plain # here", needs: &["<labels>", "<account>"], ..LABELLED },
    Plant { rule: "missing-service-account", account: "nobody # here", needs: &["<account>"], ..LABELLED },
    Plant { rule: "labelled-default-account", account: "default # here", needs: &["<labels>", "<account>"], ..LABELLED },
    Plant { rule: "legacy-pod-identity", labels: "aadpodidbinding: shop # here", needs: &["<labels>"], ..HARMLESS },
    Plant {
        rule: "missing-required-label",
        settings: r#"{"extraRequiredLabels": ["cost-center=4*"]}"#,
        labels: "azure.workload.identity/use: \"true\"\ncost-center: \"17\" # here",
        needs: &["<labels>"],
        ..LABELLED
    },
    Plant {
        rule: "wrong-skip-containers",
        annotations: "azure.workload.identity/skip-containers: a,b # here",
        needs: &["<annotations>"],
        ..LABELLED
    },
    Plant {
        rule: "wrong-token-expiration",
        annotations: "azure.workload.identity/service-account-token-expiration: \"600\" # here",
        needs: &["<annotations>"],
        ..LABELLED
    },
    Plant {
        rule: "proxy-sidecar-trap",
        annotations: "azure.workload.identity/inject-proxy-sidecar: \"false\" # here",
        needs: &["<labels>", "<annotations>"],
        ..LABELLED
    },
    Plant {
        rule: "env-shadows-identity",
        env: "- {name: AZURE_CLIENT_ID, value: 0c5e6b1a-7d28-4a6f-8a55-2f3b9a1d4e60} # here",
        needs: &["<labels>", "<account>", "<env>"],
        ..LABELLED
    },
    Plant {
        rule: "labelled-pod-in-system-namespace",
        namespace: "kube-system",
        labels: "azure.workload.identity/use: \"true\" # here",
        needs: &["<labels>"],
        ..LABELLED
    },
    Plant { rule: "app-in-webhook-scope", labels: "azure-workload-identity.io/system: \"true\" # here", needs: &["<labels>"], ..HARMLESS },
    Plant {
        rule: "webhook-skipped",
        labels: "eks.amazonaws.com/skip-pod-identity-webhook: \"true\" # here",
        account: "aws",
        needs: &["<labels>", "<account>"],
        ..HARMLESS
    },
    Plant {
        rule: "hard-coded-token-path",
        command: "[run, --token=/var/run/secrets/azure/tokens/azure-identity-token] # here",
        needs: &["<labels>", "<command>"],
        ..LABELLED
    },
    Plant {
        rule: "identity-annotation-on-wrong-object",
        annotations: "azure.workload.identity/client-id: 2f7d9a31-64c5-4a0b-9a53-7cf5b0c1d822 # here",
        needs: &["<annotations>"],
        ..HARMLESS
    },
    Plant {
        rule: "identity-label-in-selector",
        selector: "azure.workload.identity/use: \"true\" # here",
        needs: &["<selector>"],
        ..LABELLED
    },
    Plant {
        rule: "artifact-gc-without-identity",
        collector: "artifactGC: {strategy: OnWorkflowDeletion, serviceAccountName: federated} # here",
        outputs: "outputs: {artifacts: [{name: a, path: /a, azure: {endpoint: \"https://shop.example\", container: c, blob: b, useSDKCreds: true}}]}",
        needs: &["<collector>", "<outputs>"],
        ..LABELLED
    },
    Plant { rule: "misspelt-identity-key", labels: "azure.workload-identity/use: \"true\" # here", needs: &["<labels>"], ..HARMLESS },
    Plant {
        rule: "audience-disagreement",
        account: "federated",
        volumes: "- {name: token, projected: {sources: [{serviceAccountToken: {path: t, audience: \"api://AzureADTokenExchangeUSGov\"}}]}} # here",
        more: CREDENTIAL,
        needs: &["<account>", "<env>", "<mounts>", "<volumes>"],
        ..READ
    },
    Plant {
        rule: "audience-of-other-cloud",
        env: "- {name: AAD_ENVIRONMENT_NAME, value: AzureChinaCloud}\n- {name: AZURE_AUTHORITY_HOST, value: \"https://login.microsoftonline.com/\"} # here",
        needs: &["<env>"],
        ..HARMLESS
    },
    Plant {
        rule: "audience-of-other-provider",
        volumes: "- {name: token, projected: {sources: [{serviceAccountToken: {path: t, audience: sts.amazonaws.com}}]}} # here",
        ..READ
    },
    Plant {
        rule: "missing-token-audience",
        volumes: "- {name: token, projected: {sources: [{serviceAccountToken: {path: t}}]}} # here",
        ..READ
    },
    Plant {
        rule: "misspelt-audience",
        volumes: "- {name: token, projected: {sources: [{serviceAccountToken: {path: t, audience: \"api://azureadtokenexchange\"}}]}} # here",
        needs: &["<volumes>"],
        ..HARMLESS
    },
    Plant {
        rule: "placeholder-value",
        env: "- {name: AZURE_CLIENT_ID, value: \"<your-client-id>\"} # here",
        needs: &["<env>"],
        ..HARMLESS
    },
    Plant {
        rule: "missing-vault-audience",
        annotations: "vault.hashicorp.com/agent-inject: \"true\" # here",
        needs: &["<annotations>"],
        ..HARMLESS
    },
    Plant {
        rule: "wrong-api-server-tokens",
        command: "[kube-apiserver, \"--api-audiences=sts.amazonaws.com\"] # here",
        needs: &["<command>"],
        ..HARMLESS
    },
    Plant {
        rule: "unexpected-token-audience",
        volumes: "- {name: token, projected: {sources: [{serviceAccountToken: {path: t, audience: shop-internal}}]}} # here",
        needs: &["<volumes>"],
        ..HARMLESS
    },
    Plant {
        rule: "unresolved-subject",
        env: "- {name: AZURE_CLIENT_ID, value: 2f7d9a31-64c5-4a0b-9a53-7cf5b0c1d822}",
        account: "plain # here",
        more: CREDENTIAL,
        needs: &["<labels>", "<account>", "<env>"],
        ..LABELLED
    },
    Plant {
        rule: "wrong-authority-host",
        env: "- {name: AZURE_AUTHORITY_HOST, value: \"http://login.microsoftonline.com/\"} # here",
        needs: &["<env>"],
        ..HARMLESS
    },
    Plant {
        rule: "wrong-identity-binding",
        annotations: "azure.workload.identity/use-identity-binding: \"yes\" # here",
        needs: &["<annotations>"],
        ..HARMLESS
    },
    Plant { rule: "wrong-identity-id", env: "- {name: AZURE_CLIENT_ID, value: shop-app} # here", needs: &["<env>"], ..HARMLESS },
    Plant { rule: "wrong-field-type", labels: "azure.workload.identity/use: true # here", needs: &["<labels>"], ..HARMLESS },
    Plant {
        rule: "wrong-token-lifetime",
        volumes: "- {name: token, projected: {sources: [{serviceAccountToken: {path: t, audience: vault, expirationSeconds: 60}}]}} # here",
        needs: &["<volumes>"],
        ..HARMLESS
    },
    Plant { rule: "token-path-mismatch", env: "- {name: AZURE_FEDERATED_TOKEN_FILE, value: /token/other} # here", volumes: OWN, ..READ },
    Plant {
        rule: "dangling-token",
        env: "- {name: AZURE_FEDERATED_TOKEN_FILE, value: /var/run/secrets/tokens/t} # here",
        needs: &["<env>"],
        ..HARMLESS
    },
    Plant { rule: "stale-token-mount", mounts: "- {name: token, mountPath: /token/t, subPath: t} # here", volumes: OWN, ..READ },
    Plant {
        rule: "wrong-token-mode",
        volumes: "- {name: token, projected: {defaultMode: 511, sources: [{serviceAccountToken: {path: t, audience: vault}}]}} # here",
        needs: &["<volumes>"],
        ..HARMLESS
    },
    Plant {
        rule: "label-and-own-token",
        volumes: "- {name: token, projected: {sources: [{serviceAccountToken: {path: t, audience: \"api://AzureADTokenExchange\"}}]}} # here",
        needs: &["<labels>", "<volumes>"],
        ..LABELLED
    },
    Plant {
        rule: "reserved-volume-name",
        account: "aws",
        volumes: "- {name: aws-iam-token, emptyDir: {}} # here",
        needs: &["<account>", "<volumes>"],
        ..HARMLESS
    },
    Plant { rule: "unneeded-api-token", account: "federated # here", more: BINDING, needs: &["<labels>", "<account>"], ..LABELLED },
    Plant { rule: "incomplete-token-env", env: "- {name: AZURE_FEDERATED_TOKEN_FILE, value: /token/t} # here", volumes: OWN, ..READ },
    Plant {
        rule: "duplicate-token-path",
        volumes: "- {name: token, projected: {sources: [{serviceAccountToken: {path: t, audience: vault}}, {serviceAccountToken: {path: t}}]}} # here",
        needs: &["<volumes>"],
        ..HARMLESS
    },
    Plant {
        rule: "webhook-volume-collision",
        volumes: "- {name: token, projected: {sources: [{serviceAccountToken: {path: azure-identity-token, audience: vault}}]}} # here",
        needs: &["<labels>", "<mounts>", "<volumes>"],
        ..LABELLED
    },
    Plant { rule: "wrong-aws-identity", env: "- {name: AWS_ROLE_ARN, value: shop} # here", needs: &["<env>"], ..HARMLESS },
    Plant {
        rule: "static-credential-variable",
        env: "- {name: AZURE_CLIENT_SECRET, value: hunter2-swordfish} # here",
        needs: &["<env>"],
        ..HARMLESS
    },
    Plant {
        rule: "static-google-key",
        env: "- {name: GOOGLE_APPLICATION_CREDENTIALS, value: /keys/key.json} # here",
        mounts: "- {name: keys, mountPath: /keys}",
        volumes: "- {name: keys, secret: {secretName: shop-key}}",
        needs: &["<env>", "<mounts>", "<volumes>"],
        ..HARMLESS
    },
    Plant {
        rule: "static-registry-login",
        mounts: "- {name: docker, mountPath: /kaniko/.docker}",
        volumes: "- {name: docker, secret: {secretName: shop-registry}} # here",
        needs: &["<mounts>", "<volumes>"],
        ..HARMLESS
    },
    Plant {
        rule: "static-controller-credential",
        volumes: "- {name: vault, csi: {driver: secrets-store.csi.k8s.io, nodePublishSecretRef: {name: shop-login}}} # here",
        needs: &["<volumes>"],
        ..HARMLESS
    },
];
