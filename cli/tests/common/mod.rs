//! What several targets ask.

#![allow(clippy::unwrap_used, reason = "tests")]
#![allow(dead_code, reason = "each target uses some of it")]

use std::fs;
use std::path::Path;
use std::process::Command;

/// A run of the command: standard output, standard error and the exit code.
pub(crate) fn run(folder: &Path, args: &[&str]) -> (String, String, i32) {
    let output = Command::new(env!("CARGO_BIN_EXE_fedward")).args(args).current_dir(folder).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (text(output.stdout), text(output.stderr), output.status.code().unwrap())
}

/// Writes a file, and the folders that it lies in.
pub(crate) fn write(folder: &Path, name: &str, text: &str) {
    let path = folder.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

/// Git, as somebody who signs nothing.
pub(crate) fn git(folder: &Path, args: &[&str]) {
    let identity = ["-c", "user.name=a", "-c", "user.email=a@b.example", "-c", "commit.gpgsign=false", "-c", "protocol.file.allow=always"];
    let output = Command::new("git").arg("-C").arg(folder).args(identity).args(args).output().unwrap();
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// Whether this build renders charts and kustomizations. Where renderers are required, a build without them fails the test: it would pass over what
/// it is for.
pub(crate) fn renders() -> bool {
    let version = Command::new(env!("CARGO_BIN_EXE_fedward")).arg("--version").output().unwrap();
    let renders = String::from_utf8(version.stdout).unwrap().contains("\nrenderer helm v");
    let is_required = std::env::var_os("CI").is_some() || std::env::var_os("FEDWARD_RENDERERS").is_some_and(|wish| wish == "require");
    assert!(renders || !is_required, "this build has no renderers");
    renders
}

/// A Deployment with a label of which `VALUE` may be wrong.
pub(crate) const LABELLED: &str = "apiVersion: apps/v1
kind: Deployment
metadata:
  name: NAME
  namespace: shop
spec:
  template:
    metadata:
      labels:
        azure.workload.identity/use: VALUE
    spec:
      serviceAccountName: web
";
