//! The real command lines.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use fedward_render::{Helm, Kustomize, Source, Values};

/// A command line to compare with.
pub(crate) struct Peer {
    program: &'static str,
    version: &'static str,
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.program, self.version)
    }
}

impl Peer {
    /// What to compare `source` with.
    pub(crate) fn of(source: &Source) -> Option<Self> {
        let program = match source {
            Source::Helm(_) => "helm",
            Source::Kustomize(_) => "kustomize",
            Source::Jsonnet(_) => return None,
        };
        let (_, version) = fedward_render::VERSIONS.iter().find(|(name, _)| *name == program).unwrap();
        Some(Self { program, version })
    }

    /// What it prints, or its message if it fails. `None` if it is not there, or another version is.
    pub(crate) fn run(&self, root: &Path, source: &Source) -> Option<String> {
        if !self.is_there() {
            return None;
        }
        let output = match source {
            Source::Helm(helm) => of_helm(root, helm),
            Source::Kustomize(kustomize) => of_kustomize(root, kustomize),
            Source::Jsonnet(_) => return None,
        };
        let text = if output.status.success() { output.stdout } else { output.stderr };
        Some(String::from_utf8(text).unwrap())
    }

    /// A `go install` says the module's version in the program itself.
    fn is_there(&self) -> bool {
        let Ok(path) = Command::new("go").args(["version", "-m"]).args(self.path()).output() else {
            return false;
        };
        let module = format!("\t{}\t", self.version);
        String::from_utf8_lossy(&path.stdout).lines().any(|line| line.starts_with("\tmod\t") && line.contains(&module))
    }

    fn path(&self) -> Option<PathBuf> {
        let path = std::env::var_os("PATH")?;
        std::env::split_paths(&path).map(|folder| folder.join(self.program)).find(|file| file.is_file())
    }
}

fn of_helm(root: &Path, helm: &Helm) -> Output {
    let mut command = Command::new("helm");
    // Paths of files are relative to the folder of the case; messages have them as they are given.
    let folder = root.join(helm.folder.as_deref().unwrap());
    command.current_dir(&folder).args(["template", &helm.release_name]).arg(root.join(&helm.chart)).args(["--namespace", &helm.namespace]);
    for (flag, texts) in [
        ("--api-versions", &helm.api_versions),
        ("--set", &helm.set),
        ("--set-string", &helm.set_string),
        ("--set-file", &helm.set_file),
        ("--set-json", &helm.set_json),
        ("--set-literal", &helm.set_literal),
    ] {
        for text in texts {
            command.args([flag, text]);
        }
    }
    if let Some(version) = &helm.kube_version {
        command.args(["--kube-version", version]);
    }
    for values in &helm.values {
        let Values::File(file) = values else { panic!("cases have files") };
        command.arg("--values").arg(root.join(file));
    }
    for (flag, set) in [
        ("--include-crds", helm.include_crds),
        ("--skip-tests", helm.skip_tests),
        ("--skip-schema-validation", helm.skip_schema_validation),
    ] {
        command.args(set.then_some(flag));
    }
    relative(command.output().unwrap(), root)
}

/// Edits are made in a copy, as Argo CD does.
fn of_kustomize(root: &Path, kustomize: &Kustomize) -> Output {
    let copy = tempfile::tempdir().unwrap();
    let copy = copy.path().canonicalize().unwrap();
    copy_folder(&root.join("kustomize"), &copy.join("kustomize"));
    let folder = copy.join(&kustomize.folder);
    let pairs = |pairs: &[(String, String)]| pairs.iter().map(|(name, value)| format!("{name}:{value}")).collect::<Vec<_>>();
    let flags = |flags: &[(&str, bool)]| flags.iter().filter(|(_, set)| *set).map(|(flag, _)| (*flag).to_owned()).collect::<Vec<_>>();
    let one = |text: &str| if text.is_empty() { vec![] } else { vec![text.to_owned()] };
    let label =
        flags(&[("--without-selector", kustomize.label_without_selector), ("--include-templates", kustomize.label_include_templates)]);
    let annotation = flags(&[("--force", kustomize.force_common_annotations)]);
    let replicas = kustomize.replicas.iter().map(|(name, count)| format!("{name}={count}")).collect();
    for (words, flags, arguments) in [
        (["set", "nameprefix"], vec![], one(&kustomize.name_prefix)),
        (["set", "namesuffix"], vec!["--".to_owned()], one(&kustomize.name_suffix)),
        (["set", "image"], vec![], kustomize.images.clone()),
        (["set", "replicas"], vec![], replicas),
        (["add", "label"], label, pairs(&kustomize.common_labels)),
        (["add", "annotation"], annotation, pairs(&kustomize.common_annotations)),
        (["set", "namespace"], vec![], one(&kustomize.namespace)),
        (["add", "component"], vec![], kustomize.components.clone()),
    ] {
        if arguments.is_empty() {
            continue;
        }
        let output = Command::new("kustomize").current_dir(&folder).arg("edit").args(words).args(flags).args(arguments).output().unwrap();
        if !output.status.success() {
            return relative(output, &copy);
        }
    }
    let mut build = Command::new("kustomize");
    build.arg("build").arg(&folder);
    if kustomize.load_restrictions_none {
        build.args(["--load-restrictor", "LoadRestrictionsNone"]);
    }
    relative(build.output().unwrap(), &copy)
}

/// Paths in messages, relative to the root.
fn relative(mut output: Output, root: &Path) -> Output {
    let text = String::from_utf8(output.stderr).unwrap();
    output.stderr = text.replace(&format!("{}/", root.display()), "").into_bytes();
    output
}

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_folder(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}
