//! What several targets ask.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::process::Command;

/// Whether this build renders charts and kustomizations. Where renderers are required, a build without them fails the test: it would pass over what
/// it is for.
pub(crate) fn renders() -> bool {
    let version = Command::new(env!("CARGO_BIN_EXE_fedward")).arg("--version").output().unwrap();
    let renders = String::from_utf8(version.stdout).unwrap().contains("\nrenderer helm v");
    let is_required = std::env::var_os("CI").is_some() || std::env::var_os("FEDWARD_RENDERERS").is_some_and(|wish| wish == "require");
    assert!(renders || !is_required, "this build has no renderers");
    renders
}
