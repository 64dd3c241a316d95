//! Corpus F: what the renderers are asked for, beside the programs of Helm and Kustomize themselves: a chart such as `helm create` makes, one
//! with eleven such charts in it, and a hundred overlays over one base, with an Application for each. Kustomize reads Kubernetes' API where
//! there is a patch, which takes longer than everything else: so there are overlays with a patch and without one.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::process::{output, root};

use super::corpus::write;
use super::measure::Case;
use super::repository;

const CHARTS: usize = 11;
const OVERLAYS: usize = 100;

/// A folder of caches that cannot be made: every process unpacks the renderers itself.
const NO_CACHE: &str = "XDG_CACHE_HOME=/dev/null/none";

/// A file of the chart.
macro_rules! chart {
    ($($path:literal),* $(,)?) => { [$(($path, include_str!(concat!("chart/", $path)))),*] };
}

/// `CHART` is the chart's name in all of them.
const FILES: [(&str, &str); 9] = chart![
    "values.yaml",
    "templates/_names.tpl",
    "templates/NOTES.txt",
    "templates/account.yaml",
    "templates/deployment.yaml",
    "templates/ingress.yaml",
    "templates/scaling.yaml",
    "templates/service.yaml",
    "templates/tests/reached.yaml",
];

/// Where the corpus lies.
pub(super) struct Corpus {
    /// One chart.
    small: PathBuf,
    /// One with eleven in it.
    large: PathBuf,
    /// Repositories of overlays: those with a patch, those without.
    repositories: [PathBuf; 2],
}

/// What the overlays of each repository are called.
pub(super) const KINDS: [&str; 2] = ["100 overlays", "100 overlays without a patch"];

impl Corpus {
    pub(super) fn at(folder: &Path) -> Self {
        Corpus {
            small: folder.join("f/small"),
            large: folder.join("f/large"),
            repositories: [folder.join("f-patched"), folder.join("f-plain")],
        }
    }

    pub(super) fn write(&self) -> Result<()> {
        chart(&self.small, "web", &[])?;
        let names: Vec<String> = (0..CHARTS).map(|index| format!("part-{index}")).collect();
        chart(&self.large, "whole", &names)?;
        for name in &names {
            chart(&self.large.join("charts").join(name), name, &[])?;
        }
        for (folder, is_patched) in self.repositories.iter().zip([true, false]) {
            repository::base(folder, 0)?;
            for index in 0..OVERLAYS {
                let name = format!("web-{index}");
                if is_patched {
                    write(&folder.join(format!("overlays/{name}/kustomization.yaml")), &patched(&name, index))?;
                } else {
                    repository::overlay(folder, &name, 0)?;
                }
                let application = repository::application(&name, index, &format!("path: overlays/{name}"));
                write(&folder.join(format!("apps/{name}.yaml")), &application)?;
            }
            repository::track(folder)?;
        }
        Ok(())
    }

    /// What is measured; the peers' part of it where they are installed.
    pub(super) fn cases(&self, fedward: &Path, peers: &Peers) -> Vec<Case> {
        let mut cases = Vec::new();
        let program = fedward.to_string_lossy();
        for (name, chart) in [("small chart", &self.small), ("11 subcharts", &self.large)] {
            let chart = chart.to_string_lossy();
            cases.push(Case::new(&format!("F: {name}, fedward"), fedward, &["render", &chart]));
            if let Ok(helm) = &peers.helm {
                cases.push(Case::new(&format!("F: {name}, helm"), &helm.program, &["template", &chart]));
            }
        }
        let small = self.small.to_string_lossy();
        cases.push(Case::new("F: small chart, fedward without its cache", "env".as_ref(), &[NO_CACHE, &program, "render", &small]));
        for (name, folder) in KINDS.iter().zip(&self.repositories) {
            let folder = folder.to_string_lossy();
            let map = format!("{}={folder}", repository::URL);
            cases.push(Case::new(&format!("F: {name}, fedward"), fedward, &["check", &folder, "--repo", &map]));
            if let Ok(kustomize) = &peers.kustomize {
                let threads = std::thread::available_parallelism().map_or(1, usize::from);
                let each = format!("printf '%s\\n' \"$1\"/overlays/* | xargs -n 1 -P {threads} \"$0\" build");
                let kustomize = kustomize.program.to_string_lossy();
                cases.push(Case::new(&format!("F: {name}, kustomize"), "sh".as_ref(), &["-c", &each, &kustomize, &folder]));
            }
        }
        cases
    }
}

/// What an overlay for one environment usually says.
fn patched(name: &str, index: usize) -> String {
    format!(
        "namespace: {name}
resources: [../../bases/base-0]
labels: [{{pairs: {{environment: {name}}}}}]
images: [{{name: registry.example/shop/part-0, newTag: \"{index}\"}}]
configMapGenerator: [{{name: settings, literals: [environment={name}]}}]
patches:
- patch: |-
    apiVersion: apps/v1
    kind: Deployment
    metadata: {{name: part-0}}
    spec: {{replicas: {}}}
",
        index % 5 + 1
    )
}

/// Writes a chart that is called `name` and has charts of these names in it.
fn chart(folder: &Path, name: &str, parts: &[String]) -> Result<()> {
    let mut head = format!("apiVersion: v2\nname: {name}\nversion: 0.1.0\nappVersion: \"1.16.0\"\ntype: application\n");
    if !parts.is_empty() {
        head.push_str("dependencies:\n");
    }
    for part in parts {
        head.push_str(&format!("- {{name: {part}, version: 0.1.0, condition: {part}.enabled}}\n"));
    }
    write(&folder.join("Chart.yaml"), &head)?;
    FILES.iter().try_for_each(|(path, text)| write(&folder.join(path), &text.replace("CHART", name)))
}

/// The programs that are compared with, in the versions whose libraries we have.
pub(super) struct Peers {
    helm: Result<Peer>,
    kustomize: Result<Peer>,
}

struct Peer {
    program: PathBuf,
    version: String,
}

impl Peers {
    pub(super) fn find() -> Self {
        Peers { helm: Peer::find("helm", "helm.sh/helm/v4"), kustomize: Peer::find("kustomize", "sigs.k8s.io/kustomize/kustomize/v5") }
    }

    /// A line for each.
    pub(super) fn shown(&self) -> [String; 2] {
        [("helm", &self.helm), ("kustomize", &self.kustomize)].map(|(name, peer)| match peer {
            Ok(found) => format!("{name} {}", found.version),
            Err(reason) => format!("{name}: left out ({reason:#})"),
        })
    }
}

impl Peer {
    /// The program on the `PATH`, if it is made of the version of `module` that `renderers/go.mod` has.
    fn find(name: &str, module: &str) -> Result<Self> {
        let program = on_path(name).context("not on the PATH; `.ci/run` installs it")?;
        let ours = std::fs::read_to_string(root().join("renderers/go.mod")).context("cannot read renderers/go.mod")?;
        let ours = ours.lines().find_map(|line| line.trim().strip_prefix(module)).context("renderers/go.mod lacks it")?.trim().to_owned();
        let version = version(&program).context("of no known version")?;
        if version != ours {
            bail!("version {version}, and ours is {ours}");
        }
        Ok(Peer { program, version })
    }
}

/// The program of that name.
pub(super) fn on_path(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).map(|folder| folder.join(name)).find(|program| program.is_file())
}

/// What `go install` builds does not know its own version, but the toolchain does.
pub(super) fn version(program: &Path) -> Option<String> {
    let modules = output(Command::new("go").args(["version", "-m"]).arg(program)).ok()?;
    modules.lines().find_map(|line| line.trim().strip_prefix("mod")?.split_whitespace().nth(1)).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn charts_and_overlays_are_whole() {
        let folder = std::env::temp_dir().join(format!("fedward-renders-{}", std::process::id()));
        let corpus = Corpus::at(&folder);
        corpus.write().unwrap();
        let count = |path: &Path| std::fs::read_dir(path).unwrap().count();
        assert_eq!(count(&corpus.small.join("templates")), FILES.len() - 1);
        assert_eq!(count(&corpus.large.join("charts")), CHARTS);
        for repository in &corpus.repositories {
            assert_eq!(["apps", "overlays", "bases"].map(|name| count(&repository.join(name))), [OVERLAYS, OVERLAYS, 1]);
        }
        let named = std::fs::read_to_string(corpus.large.join("charts/part-3/templates/service.yaml")).unwrap();
        assert!(named.contains("include \"part-3.name\"") && !named.contains("CHART"), "{named}");
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
