//! What `fedward render` says where the command line is wrong: nothing of it is the chart's fault.

#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use std::fs;
use std::path::Path;
use std::process::Command;

fn chart(folder: &Path) {
    fs::create_dir_all(folder.join("web/templates")).unwrap();
    fs::write(folder.join("web/Chart.yaml"), "apiVersion: v2\nname: web\nversion: 0.1.0\n").unwrap();
    fs::write(folder.join("web/templates/fail.yaml"), "{{ if .Values.broken }}{{ fail \"failed parsing --set data\" }}{{ end }}\n")
        .unwrap();
}

#[test]
fn a_wrong_command_line_is_told_from_a_chart_that_does_not_render() {
    let folder = tempfile::tempdir().unwrap();
    chart(folder.path());
    if !common::renders() {
        return;
    }
    fs::write(folder.path().join("above.txt"), "").unwrap();
    for (args, code, said) in [
        (&["--set", "a"][..], 2, "error: failed parsing --set data: key \"a\" has no value\n"),
        (&["--set-json", "a={"], 2, "error: failed parsing --set-json data a={\n"),
        (&["--kube-version", "abc"], 2, "error: invalid kube version 'abc': "),
        (
            &["--set-file", "a=/etc/hostname"],
            2,
            "error: `--set-file`: `/etc/hostname` leads out of the root, outside of which nothing is read",
        ),
        (&["--set-file", "a=../above.txt", "--root", "web"], 2, "error: "),
        (&["--set-file", "a=none"], 2, "error: failed parsing --set-file data: open none: no such file or directory\n"),
        (&["--values", "none.yaml"], 2, "error: cannot read `none.yaml`: no such file or folder\n"),
        (&["--root", "none"], 2, "error: cannot read `none`: no such file or folder\n"),
        (&["--set", "broken=true"], 3, "web: helm does not render it: "),
        (&["--set", "broken=false"], 0, ""),
    ] {
        let output =
            Command::new(env!("CARGO_BIN_EXE_fedward")).current_dir(folder.path()).args(["render", "web"]).args(args).output().unwrap();
        let text = String::from_utf8(output.stderr).unwrap();
        assert!(text.starts_with(said), "{args:?}: {text}");
        assert_eq!(output.status.code(), Some(code), "{args:?}: {text}");
    }
}
