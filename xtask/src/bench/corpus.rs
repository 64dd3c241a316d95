//! The corpora, the same bytes every time.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use super::{render, repository};

const ISSUER: &str = "https://oidc.clusters.example/green";

/// Where each corpus lies.
pub(crate) struct Corpora {
    /// 10,000 Deployments in one file.
    pub(crate) large: PathBuf,
    /// 5,000 files in 50 folders.
    pub(crate) files: PathBuf,
    /// One Deployment.
    pub(crate) one: PathBuf,
    /// 1,000 and 10,000 Deployments of one namespace and one service account.
    pub(crate) one_account: [PathBuf; 2],
    /// The same with a service account each.
    pub(crate) own_account: [PathBuf; 2],
    /// 10,000 Deployments with one finding each, and without.
    pub(crate) findings: PathBuf,
    pub(crate) no_findings: PathBuf,
    /// 20 policies of a cluster.
    pub(crate) policies: PathBuf,
    /// Argo CD repositories with 100 and 1,000 Applications.
    pub(crate) repositories: [PathBuf; 2],
    /// Charts and overlays.
    pub(super) renders: render::Corpus,
    /// What a first and a second run on the larger of these keep.
    pub(crate) caches: [PathBuf; 2],
}

impl Corpora {
    /// Where they lie in `folder`.
    pub(crate) fn at(folder: &Path) -> Self {
        let file = |name: &str| folder.join(name);
        Corpora {
            large: file("a.yaml"),
            files: file("b"),
            one: file("c.yaml"),
            one_account: [file("d-one-1000.yaml"), file("d-one-10000.yaml")],
            own_account: [file("d-own-1000.yaml"), file("d-own-10000.yaml")],
            findings: file("findings.yaml"),
            no_findings: file("no-findings.yaml"),
            policies: file("policies.yaml"),
            repositories: [file("e-100"), file("e-1000")],
            renders: render::Corpus::at(folder),
            caches: [file("e-first"), file("e-second")],
        }
    }

    /// Writes all of them.
    pub(crate) fn write(&self) -> Result<()> {
        write(&self.large, &large())?;
        write_files(&self.files)?;
        write(&self.one, &Deployment::new("web", "shop", "web").text())?;
        for (files, one_account) in [(&self.one_account, true), (&self.own_account, false)] {
            for (file, count) in files.iter().zip([1_000, 10_000]) {
                write(file, &context(count, one_account))?;
            }
        }
        write(&self.findings, &labelled("true"))?;
        write(&self.no_findings, &labelled("\"true\""))?;
        write(&self.policies, &policies())?;
        for (folder, count) in self.repositories.iter().zip([100, 1_000]) {
            repository::write(folder, count)?;
        }
        self.renders.write()
    }
}

/// Policies as a cluster of many teams has them: the suite for everything, fourteen single ones for a namespace each, five with conditions.
fn policies() -> String {
    let modules = ["require-identity-labels", "enforce-audience-issuer", "forbid-federated-cluster-admin"];
    let mut text = String::new();
    for (index, module) in ["suite"].iter().chain(modules.iter().cycle()).take(20).enumerate() {
        let narrowed = match index {
            0 => String::new(),
            1..15 => format!("  namespaceSelector: {{matchLabels: {{kubernetes.io/metadata.name: team-{index}}}}}\n"),
            _ => format!("  matchConditions: [{{name: own, expression: \"object.metadata.name.endsWith('-{index}')\"}}]\n"),
        };
        let _ = write!(
            text,
            "---\napiVersion: policies.kubewarden.io/v1\nkind: ClusterAdmissionPolicy\nmetadata: {{name: policy-{index}}}\nspec:\n  \
             module: {module}\n  mutating: false\n  contextAwareResources: [{{apiVersion: v1, kind: ServiceAccount}}]\n  rules: \
             [{{apiGroups: [\"\", apps], apiVersions: [v1], resources: [deployments, serviceaccounts], operations: [CREATE, UPDATE]}}]\n\
             {narrowed}"
        );
    }
    text
}

pub(super) fn write(path: &Path, text: &str) -> Result<()> {
    let folder = path.parent().unwrap_or(path);
    fs::create_dir_all(folder).and_then(|()| fs::write(path, text)).with_context(|| format!("cannot write `{}`", path.display()))
}

pub(super) struct Deployment<'a> {
    name: &'a str,
    namespace: &'a str,
    account: &'a str,
    /// The value of the pod's Azure label as it is written; none without.
    label: Option<&'a str>,
    token: bool,
}

impl<'a> Deployment<'a> {
    pub(super) fn new(name: &'a str, namespace: &'a str, account: &'a str) -> Self {
        Deployment { name, namespace, account, label: None, token: false }
    }

    pub(super) fn text(&self) -> String {
        let Deployment { name, namespace, account, .. } = self;
        let label = self.label.map_or_else(String::new, |label| format!("\n        azure.workload.identity/use: {label}"));
        let mut text = format!(
            "apiVersion: apps/v1
kind: Deployment
metadata:
  name: {name}
  namespace: {namespace}
  labels:
    app.kubernetes.io/name: {name}
    app.kubernetes.io/part-of: shop
    app.kubernetes.io/managed-by: bench
spec:
  replicas: 2
  selector:
    matchLabels:
      app.kubernetes.io/name: {name}
  template:
    metadata:
      labels:
        app.kubernetes.io/name: {name}
        app.kubernetes.io/part-of: shop{label}
    spec:
      serviceAccountName: {account}
      containers:
        - name: main
          image: registry.example/shop/{name}:1.4.2
          args: [\"--listen\", \":8080\", \"--quiet\"]
          env:
            - name: LOG_LEVEL
              value: info
            - name: REGION
              value: west
            - name: POD_NAME
              valueFrom:
                fieldRef:
                  fieldPath: metadata.name
          ports:
            - containerPort: 8080
              name: http
          resources:
            limits:
              cpu: 500m
              memory: 256Mi
        - name: sidecar
          image: registry.example/shop/sidecar:1.0
          args: [\"--upstream\", \"http://localhost:8080\"]
"
        );
        if self.token {
            text.push_str(
                "          volumeMounts:
            - name: token
              mountPath: /var/run/secrets/tokens
      volumes:
        - name: token
          projected:
            sources:
              - serviceAccountToken:
                  audience: vault
                  expirationSeconds: 3600
                  path: token
",
            );
        }
        text
    }
}

pub(super) fn account(name: &str, namespace: &str) -> String {
    format!(
        "apiVersion: v1
kind: ServiceAccount
metadata:
  name: {name}
  namespace: {namespace}
  annotations:
    azure.workload.identity/client-id: {}
",
        guid(name)
    )
}

/// A GUID that depends on the text alone.
fn guid(text: &str) -> String {
    // FNV-1a, twice with different starts.
    let hash = |start: u64| text.bytes().fold(start, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    let (high, low) = (hash(0xcbf2_9ce4_8422_2325), hash(0x8422_2325_cbf2_9ce4));
    let (four, rest) = (low >> 48 & 0xfff | 0x8000, low & 0xffff_ffff_ffff);
    format!("{:08x}-{:04x}-4{:03x}-{four:04x}-{rest:012x}", high >> 32, high >> 16 & 0xffff, high & 0xfff)
}

/// An identity of Azure and the credential by which a service account signs in as it.
fn credential(account: &str, namespace: &str) -> String {
    format!(
        "apiVersion: managedidentity.azure.com/v1api20230131
kind: FederatedIdentityCredential
metadata:
  name: {account}
  namespace: {namespace}
spec:
  owner:
    name: {account}
  issuer: {ISSUER}
  subject: system:serviceaccount:{namespace}:{account}
  audiences:
    - api://AzureADTokenExchange
---
apiVersion: managedidentity.azure.com/v1api20230131
kind: UserAssignedIdentity
metadata:
  name: {account}
  namespace: {namespace}
spec:
  location: westeurope
  owner:
    name: shop
"
    )
}

fn push(text: &mut String, document: &str) {
    text.push_str("---\n");
    text.push_str(document);
}

fn large() -> String {
    let mut text = String::new();
    for index in 0..10_000 {
        let (name, namespace) = (format!("web-{index}"), format!("team-{}", index % 200));
        push(&mut text, &Deployment { token: index % 3 == 0, ..Deployment::new(&name, &namespace, &name) }.text());
    }
    text
}

fn labelled(label: &str) -> String {
    let mut text = String::new();
    for index in 0..10_000 {
        let (name, namespace) = (format!("web-{index}"), format!("team-{}", index % 200));
        push(&mut text, &account(&name, &namespace));
        push(&mut text, &Deployment { label: Some(label), ..Deployment::new(&name, &namespace, &name) }.text());
    }
    text
}

fn context(count: usize, one_account: bool) -> String {
    let mut text = String::new();
    for index in 0..count {
        let name = format!("web-{index}");
        let own = if one_account { "web" } else { &name };
        if index == 0 || !one_account {
            push(&mut text, &account(own, "shop"));
            push(&mut text, &credential(own, "shop"));
        }
        push(&mut text, &Deployment { label: Some("\"true\""), ..Deployment::new(&name, "shop", own) }.text());
    }
    text
}

fn write_files(folder: &Path) -> Result<()> {
    for index in 0..5_000 {
        let namespace = format!("team-{}", index / 100);
        let name = format!("part-{index}");
        let text = match index % 10 {
            0..4 => {
                // One of the two service accounts among the same ten files.
                let own = format!("part-{}", index / 10 * 10 + 4 + index % 2);
                Deployment { label: Some("\"true\""), ..Deployment::new(&name, &namespace, &own) }.text()
            }
            4..6 => account(&name, &namespace),
            6 => binding(&name, &namespace),
            7 => config_map(&name, &namespace),
            8 => application(&name, &namespace),
            _ => service(&name, &namespace),
        };
        write(&folder.join(&namespace).join(format!("{name}.yaml")), &text)?;
    }
    Ok(())
}

fn binding(name: &str, namespace: &str) -> String {
    format!(
        "apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata:
  name: {name}
  namespace: {namespace}
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: ClusterRole
  name: view
subjects:
  - kind: ServiceAccount
    name: {name}
    namespace: {namespace}
"
    )
}

fn config_map(name: &str, namespace: &str) -> String {
    let mut text = format!("apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}\n  namespace: {namespace}\ndata:\n");
    for index in 0..12 {
        let _ = writeln!(text, "  key-{index}: value {index} of {name}");
    }
    text
}

fn application(name: &str, namespace: &str) -> String {
    format!(
        "apiVersion: argoproj.io/v1alpha1
kind: Application
metadata:
  name: {name}
  namespace: argocd
spec:
  project: {namespace}
  source:
    repoURL: https://git.example/{namespace}/deploy.git
    path: apps/{name}
    targetRevision: main
  destination:
    server: https://kubernetes.default.svc
    namespace: {namespace}
"
    )
}

pub(super) fn service(name: &str, namespace: &str) -> String {
    format!(
        "apiVersion: v1
kind: Service
metadata:
  name: {name}
  namespace: {namespace}
spec:
  selector:
    app.kubernetes.io/name: {name}
  ports:
    - name: http
      port: 80
      targetPort: 8080
"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_those_of_the_common_work() {
        let size = large().len();
        assert!((11_500_000..13_500_000).contains(&size), "{size}");
        assert_eq!(large().matches("\nkind: Deployment\n").count(), 10_000);
        assert_eq!(context(1_000, false).matches("\nkind: FederatedIdentityCredential\n").count(), 1_000);
        assert_eq!(context(1_000, true).matches("\nkind: ServiceAccount\n").count(), 1);
    }

    #[test]
    fn guids_are_valid_and_differ() {
        assert_eq!(guid("a").len(), 36);
        assert_ne!(guid("a"), guid("b"));
        assert!(guid("web-1").split('-').map(str::len).eq([8, 4, 4, 4, 12]));
    }
}
