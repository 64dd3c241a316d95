//! The command line.

use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum};
use fedward_kit::finding::Severity;

/// Workload identity federation checks for Kubernetes manifests.
///
/// fedward runs offline the very policy modules that a cluster runs, and puts every finding on its file, line and column.
#[derive(Debug, Parser)]
#[command(
    name = "fedward",
    version,
    max_term_width = 120,
    after_help = "Exit codes: 0 clean, 1 findings, 2 wrong usage or configuration, 3 something could not be judged, 4 nothing was judged."
)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Check manifests.
    Check(Box<Check>),
    /// List the rules.
    Rules(Rules),
    /// Print a rule's page: what it reports, why, and what to do instead.
    Explain(Explain),
    /// Print the configuration in force, and where each value comes from.
    Config(Config),
    /// Print a completion script for a shell.
    Completions(Completions),
}

/// Where objects come from and what is asked of them.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  fedward check deploy/\n  helm template ./chart | fedward check - --stdin-filename chart.yaml\n  fedward check . --format sarif=fedward.sarif --format human"
)]
pub(crate) struct Check {
    /// Files and folders; `-` reads standard input.
    #[arg(required = true, value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,
    /// The name that standard input has in outputs.
    #[arg(long, value_name = "NAME", default_value = "stdin.yaml")]
    pub(crate) stdin_filename: String,
    /// The configuration file, instead of `fedward.yaml` in the first folder that is checked.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Let no ignore entry count, whether in the configuration or in a comment.
    #[arg(long)]
    pub(crate) no_ignores: bool,
    /// Further files and folders whose objects rules may look at, but which are not judged.
    #[arg(long, value_name = "PATH")]
    pub(crate) context: Vec<PathBuf>,
    /// Only files that match one of these globs (relative to the folder that is walked).
    #[arg(long, value_name = "GLOB")]
    pub(crate) include: Vec<String>,
    /// No files that match one of these globs.
    #[arg(long, value_name = "GLOB")]
    pub(crate) exclude: Vec<String>,
    /// The namespace of objects that name none.
    #[arg(long, short = 'n')]
    pub(crate) namespace: Option<String>,
    /// Treat what is not among the loaded objects as not existing, not as unknown.
    #[arg(long)]
    pub(crate) closed_world: bool,
    /// Only these policies.
    #[arg(long, value_name = "POLICY")]
    pub(crate) policy: Vec<String>,
    /// Settings of a policy: a YAML or JSON file.
    #[arg(long, value_name = "POLICY=FILE")]
    pub(crate) settings: Vec<String>,
    /// The least severity that makes the exit code 1.
    #[arg(long, value_name = "SEVERITY")]
    pub(crate) fail_on: Option<Threshold>,
    /// Output format: `human`, `json` or `sarif`, with `=FILE` to write to a file. May be repeated.
    #[arg(long, value_name = "FORMAT[=FILE]", default_value = "human")]
    pub(crate) format: Vec<String>,
    /// Write the (first) format to a file.
    #[arg(long, short, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// Exit 0 even if nothing was judged.
    #[arg(long)]
    pub(crate) allow_empty: bool,
    /// How many threads evaluate; 0 takes all cores.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) threads: usize,
    /// Findings only: no summary, no notes.
    #[arg(long, short, conflicts_with = "verbose")]
    pub(crate) quiet: bool,
    /// Also what was skipped and ignored.
    #[arg(long, short)]
    pub(crate) verbose: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Rules {
    /// `human` or `json`.
    #[arg(long, default_value = "human")]
    pub(crate) format: ListFormat,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Explain {
    /// The rule's id, as findings and `fedward rules` name it.
    pub(crate) rule: String,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Config {
    /// The folder that would be checked.
    #[arg(default_value = ".")]
    pub(crate) path: PathBuf,
    /// The configuration file, instead of `fedward.yaml` in the folder.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// `human` or `json`.
    #[arg(long, default_value = "human")]
    pub(crate) format: ListFormat,
    /// Print the JSON Schema of the configuration file instead.
    #[arg(long)]
    pub(crate) schema: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Completions {
    /// Which shell.
    pub(crate) shell: clap_complete::Shell,
}

/// Formats of lists.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum ListFormat {
    Human,
    Json,
}

/// Severities on the command line.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Threshold {
    Error,
    Warning,
    Info,
}

impl From<Threshold> for Severity {
    fn from(threshold: Threshold) -> Self {
        match threshold {
            Threshold::Error => Severity::Error,
            Threshold::Warning => Severity::Warning,
            Threshold::Info => Severity::Info,
        }
    }
}
