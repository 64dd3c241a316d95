//! Developer commands: `cargo xtask`.

mod bench;
mod extended;
mod features;
mod fuzz_words;
mod image;
mod new_rule;
mod process;
mod shipped;
mod test;

use std::process::ExitCode;

use anyhow::{Result, bail};

const USAGE: &str = "\
usage: cargo xtask COMMAND

  test [STEP]...          everything that must pass, or only the named steps
  ci-extended [--seconds N]
                          what takes long: the tests, helm, argocd, reproduce, image, peer, fuzz, then the benchmarks
  helm                    the chart as Helm renders it, against what the tests judge
  argocd                  the config management plugin, asked by Argo CD's own plugin server
  peer                    our host against Kubewarden's own, on every fixture
  fuzz [TARGET]... [--seconds N]
                          fuzz targets, each for so long (120 s)
  bench [corpora]         measure, and write docs/benchmarks.md; or only write what is measured
  gen write|check         generated files: write them, or say which are not current
  dist [--registry R] [--source-url U] [--contact ADDRESS]
                          what is given away, in target/dist: annotated modules, SBOMs, OCI layout, checksums
  shipped                 the program that is given away, built by what it was seen to do
  image                   the program linked statically, and the image of it, tried
  reproduce               the modules and dist once more from a copy with other paths: the same bytes
  new-rule POLICY ID      a rule's file, fixtures and entries";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    match run(&words) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(words: &[&str]) -> Result<()> {
    match words {
        ["test", steps @ ..] => test::run(steps),
        ["ci-extended", rest @ ..] => extended::run(rest),
        ["helm"] => extended::helm(),
        ["argocd"] => extended::argocd(),
        ["peer"] => extended::peer(),
        ["fuzz", rest @ ..] => extended::fuzz(rest),
        ["bench"] => bench::run(),
        ["bench", "corpora"] => bench::write_corpora(),
        ["gen", mode @ ("write" | "check")] => artifacts(&["gen", mode]),
        ["dist", options @ ..] => {
            let folder = process::root().join("target/dist");
            let folder = folder.to_string_lossy();
            artifacts(&[&["dist", &*folder][..], options].concat())
        }
        ["shipped"] => shipped::run(),
        ["image"] => image::run(true),
        ["reproduce"] => artifacts(&["reproduce"]),
        ["new-rule", policy, id] => new_rule::run(policy, id),
        ["help" | "--help" | "-h"] => {
            println!("{USAGE}");
            Ok(())
        }
        [] => bail!("a command is required\n\n{USAGE}"),
        _ => bail!("no such command: `{}`\n\n{USAGE}", words.join(" ")),
    }
}

/// What links the policies lives in a package of its own, so that this one stays small.
fn artifacts(args: &[&str]) -> Result<()> {
    let mut cargo = process::cargo();
    cargo.args(["run", "--release", "--quiet", "--locked", "--package", "fedward-artifacts", "--"]).args(args);
    process::succeed(&mut cargo)
}
