//! Corpus E: a repository that Argo CD deploys. Of ten Applications four are folders of manifests, three are releases of one of ten charts,
//! and three are overlays over one of ten bases.

use std::path::Path;
use std::process::Command;

use anyhow::Result;

use crate::process::succeed;

use super::corpus::{Deployment, account, service, write as write_text};

/// What the Applications call it.
pub(crate) const URL: &str = "https://git.example/platform/deploy";

const SHARED: usize = 10;

/// Writes one with so many Applications.
pub(super) fn write(folder: &Path, count: usize) -> Result<()> {
    for index in 0..SHARED {
        chart(folder, index)?;
        base(folder, index)?;
    }
    for index in 0..count {
        let name = format!("web-{index}");
        let shared = index / 10 % SHARED;
        let source = match index % 10 {
            0..4 => {
                objects(&folder.join("plain").join(&name), &name)?;
                format!("path: plain/{name}")
            }
            4..7 => {
                let values = format!("name: {name}\nreplicas: {}\n", index % 7 + 1);
                write_file(folder, &format!("values/{name}.yaml"), &values)?;
                format!("path: charts/chart-{shared}\n    helm: {{valueFiles: [/values/{name}.yaml]}}")
            }
            _ => {
                overlay(folder, &name, shared)?;
                format!("path: overlays/{name}")
            }
        };
        write_file(folder, &format!("apps/{name}.yaml"), &application(&name, index, &source))?;
    }
    track(folder)
}

/// Argo CD sees what Git tracks, and this checkout ignores what a bench writes.
pub(super) fn track(folder: &Path) -> Result<()> {
    for args in [["init", "--quiet"], ["add", "--all"]] {
        succeed(Command::new("git").arg("-C").arg(folder).args(args))?;
    }
    Ok(())
}

fn write_file(folder: &Path, name: &str, text: &str) -> Result<()> {
    write_text(&folder.join(name), text)
}

pub(super) fn application(name: &str, index: usize, source: &str) -> String {
    format!(
        "apiVersion: argoproj.io/v1alpha1
kind: Application
metadata:
  name: {name}
  namespace: argocd
spec:
  project: default
  source:
    repoURL: {URL}
    targetRevision: HEAD
    {source}
  destination:
    server: https://kubernetes.default.svc
    namespace: team-{}
",
        index % 200
    )
}

/// A deployment with its account and its service.
fn objects(folder: &Path, name: &str) -> Result<()> {
    write_text(&folder.join("deployment.yaml"), &Deployment::new(name, "shop", name).text().replace("  namespace: shop\n", ""))?;
    write_text(&folder.join("account.yaml"), &account(name, "shop").replace("  namespace: shop\n", ""))?;
    write_text(&folder.join("service.yaml"), &service(name, "shop").replace("  namespace: shop\n", ""))
}

/// An overlay over one of the bases.
pub(super) fn overlay(folder: &Path, name: &str, base: usize) -> Result<()> {
    let text = format!("resources: [../../bases/base-{base}]\nnamePrefix: {name}-\nlabels: [{{pairs: {{part: {name}}}}}]\n");
    write_file(folder, &format!("overlays/{name}/kustomization.yaml"), &text)
}

pub(super) fn base(folder: &Path, index: usize) -> Result<()> {
    let folder = folder.join(format!("bases/base-{index}"));
    write_text(&folder.join("kustomization.yaml"), "resources: [deployment.yaml, account.yaml, service.yaml]\n")?;
    objects(&folder, &format!("part-{index}"))
}

fn chart(folder: &Path, index: usize) -> Result<()> {
    let folder = folder.join(format!("charts/chart-{index}"));
    write_text(&folder.join("Chart.yaml"), &format!("apiVersion: v2\nname: chart-{index}\nversion: 1.{index}.0\n"))?;
    write_text(&folder.join("values.yaml"), "name: web\nreplicas: 2\n")?;
    let mark = "MARK";
    let templates = [
        ("deployment.yaml", Deployment::new(mark, "shop", mark).text().replace("replicas: 2", "replicas: {{ .Values.replicas }}")),
        ("account.yaml", account(mark, "shop")),
        ("service.yaml", service(mark, "shop")),
    ];
    for (name, text) in templates {
        let text = text.replace("  namespace: shop\n", "").replace(mark, "{{ .Values.name }}");
        write_text(&folder.join("templates").join(name), &text)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn applications_are_of_three_sorts() {
        let folder = std::env::temp_dir().join(format!("fedward-corpus-{}", std::process::id()));
        write(&folder, 100).unwrap();
        let count = |name: &str| std::fs::read_dir(folder.join(name)).unwrap().count();
        assert_eq!(["apps", "plain", "values", "overlays", "charts", "bases"].map(count), [100, 40, 30, 30, SHARED, SHARED]);
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
