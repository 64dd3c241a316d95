//! The command line.

mod argocd;
mod render;

use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum};
use fedward_kit::finding::Severity;

pub(crate) use argocd::{Argocd, Known};
pub(crate) use render::Render;

const EXIT_CODES: &str = "\
Exit codes, the first that applies of 2, 3, 1, 4, 0:
  0  everything was judged, and nothing reaches --fail-on
  1  findings at or above --fail-on; a document that does not parse is one
  2  wrong usage or configuration, an input or output that was named and cannot be read or written
  3  something could not be judged or rendered, or a file below a folder could not be read
  4  nothing was judged, and nothing that was found counts (--allow-empty makes it 0)";

/// Workload identity federation checks for Kubernetes manifests.
///
/// fedward runs offline the very policy modules that a cluster runs, and puts every finding on its file, line and column.
#[derive(Debug, Parser)]
#[command(
    name = "fedward",
    version,
    max_term_width = 120,
    after_help = format!("Begin with `fedward check PATH`; `fedward check --help` has examples.\n\n{EXIT_CODES}")
)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Check manifests.
    Check(Box<Check>),
    /// List the cloud identities that manifests use, who uses each, and what it may do.
    ///
    /// Each identity comes with the federated credentials that lead to it, the service accounts and workloads that use it, their bindings in
    /// the cluster and its roles in the cloud, as far as the files say; each with its place. What is not known is said to be so.
    Identities(Box<Identities>),
    /// Measure what a policy module costs on requests.
    ///
    /// The module is compiled, loaded and asked about the settings, and evaluates every request once. Then it evaluates them in turn,
    /// again and again, with a clock. There is no cluster: a module that asks for other objects is told that nothing is known of them.
    Bench(Box<Bench>),
    /// Run tests of policies.
    Test(Test),
    /// Write the manifests of a reference deployment, with names and ids of your own.
    Init(Init),
    /// Print what a chart, a kustomization, a Jsonnet file or an Application of Argo CD renders to.
    ///
    /// The real Helm, Kustomize and Jsonnet run in a sandbox that reads one repository and nothing else. What would have to be fetched
    /// (remote bases, charts that are not in `charts/`) is not rendered, and the exit code is 3. With --app it is what Argo CD would deploy.
    Render(Box<Render>),
    /// What Argo CD calls as a config management plugin: manifests that were checked, or none.
    Cmp(crate::commands::cmp::Cmp),
    /// List the policies and their rules.
    Rules(Rules),
    /// Print what a rule reports, why, and what to do instead; or a policy's rules and settings.
    Explain(Explain),
    /// Print the configuration in force, and where each value comes from.
    Config(Config),
    /// Print a completion script for a shell.
    Completions(Completions),
}

/// Where objects come from and what is asked of them.
#[derive(Debug, clap::Args)]
#[command(after_help = format!("\
Examples:
  fedward check deploy/
  helm template ./chart | fedward check - --stdin-filename chart.yaml
  kubectl kustomize overlays/prod | fedward check -
  fedward check app/ --context platform/
  fedward check . --format sarif=fedward.sarif --format human
  fedward check . --changed-since origin/main
  fedward check . --format github

In a folder, every .yaml, .yml and .json file is read that is not hidden and that .gitignore and .ignore do not exclude. \
To read others, name them, or give --hidden or --no-gitignore. What Applications of Argo CD deploy is rendered, and so is a chart or a \
kustomization that is named itself (docs/argocd.md). Templates of other Helm charts are skipped, and what another kustomization builds on \
is judged as it stands; what comes of them can be checked as above.

--context, --include, --exclude, --policies, --policy, --settings, --old, --repo, --revision and --format can be given several times.

{EXIT_CODES}"))]
pub(crate) struct Check {
    #[command(flatten)]
    pub(crate) input: Input,
    /// Only these policies, even those that the configuration turns off; `fedward rules` lists them. What reading finds (policy `input`), and what Argo CD refuses (policy `argocd-repository`), is always reported; `argocd-repository` alone is that and nothing else.
    #[arg(long, value_name = "POLICY")]
    pub(crate) policy: Vec<String>,
    /// The policies of a cluster: files and folders with ClusterAdmissionPolicies and their like, or a policy server's `policies.yml`.
    /// Only they run. Without this, policy manifests among the input run, and the built-in policies that they do not name; `builtin`
    /// runs the built-in ones only.
    #[arg(long, value_name = "PATH|builtin", conflicts_with_all = ["policy", "settings"], help_heading = "Policies")]
    pub(crate) policies: Vec<PathBuf>,
    /// Show what policies changed, as a diff.
    #[arg(long, help_heading = "Policies")]
    pub(crate) show_mutations: bool,
    /// What happens to the objects, where policies ask.
    #[arg(long, value_name = "OPERATION", ignore_case = true, default_value = "CREATE", conflicts_with = "old", help_heading = "Policies")]
    pub(crate) operation: Operation,
    /// What is applied already: files, folders, or a revision of the Git repository around each path. An object that is in both is an
    /// UPDATE, one that is only there a DELETE.
    #[arg(long, value_name = "PATH|REV", help_heading = "Policies")]
    pub(crate) old: Vec<PathBuf>,
    /// Take every document for a request to raw policies, which only a policy server's file (`policies.yml`) can have.
    #[arg(long, requires = "policies", conflicts_with_all = ["operation", "old", "user", "groups"], help_heading = "Policies")]
    pub(crate) raw: bool,
    /// Judge only what a change touches: files that differ from the last commit that this revision and the one that is checked out have in
    /// common, committed or not, new ones included, and the Applications of Argo CD that are made of them or rendered from them. All else is
    /// still there for rules to look at, as far as nothing has to be rendered for that. (docs/argocd.md says what touches an Application.)
    #[arg(long, value_name = "REV", conflicts_with = "raw")]
    pub(crate) changed_since: Option<String>,
    /// The user that policies see.
    #[arg(long, value_name = "NAME", help_heading = "Policies")]
    pub(crate) user: Option<String>,
    /// The user's groups.
    #[arg(long, value_name = "GROUP", value_delimiter = ',', help_heading = "Policies")]
    pub(crate) groups: Vec<String>,
    /// Settings of a policy: a YAML or JSON file whose fields replace those of the configuration.
    #[arg(long, value_name = "POLICY=FILE")]
    pub(crate) settings: Vec<String>,
    #[command(flatten)]
    pub(crate) argocd: Argocd,
    /// The least severity that makes the exit code 1; `error`, if the configuration has none either.
    #[arg(long, value_name = "SEVERITY")]
    pub(crate) fail_on: Option<Threshold>,
    /// Output format: `human`, `json`, `sarif`, `github` (annotations), `gitlab` (Code Quality), `junit`, `azure` (issues of a pipeline) or
    /// `termination-log` (at most 4096 bytes), with `=FILE` to write to a file. Files take their names at the end of the run, all of them
    /// or none.
    #[arg(long, value_name = "FORMAT[=FILE]", default_value = "human")]
    pub(crate) format: Vec<String>,
    /// The file to write to, for the first format that names none.
    #[arg(long, short, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// Exit 0 even if nothing was judged.
    #[arg(long)]
    pub(crate) allow_empty: bool,
    /// How many threads read and evaluate, at most 4 for each core; 0 takes all cores.
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = threads)]
    pub(crate) threads: usize,
    /// Findings, and what else keeps the run from passing: no summary, no notes.
    #[arg(long, short, conflicts_with = "verbose")]
    pub(crate) quiet: bool,
    /// Also what was skipped and ignored.
    #[arg(long, short)]
    pub(crate) verbose: bool,
}

/// What is read, and how: the same for all commands that look at manifests.
#[derive(Debug, clap::Args)]
pub(crate) struct Input {
    /// Files and folders; `-` reads standard input. Hidden and git-ignored files are read only where they are named.
    #[arg(required = true, value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,
    /// The name that standard input (`-`) has in outputs; `stdin.yaml`, if not given.
    #[arg(long, value_name = "NAME")]
    pub(crate) stdin_filename: Option<String>,
    /// The configuration, instead of the nearest `fedward.yaml` upwards from the first path (not above its repository, or, outside of
    /// one, the working directory).
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Let no ignore entry count, whether in the configuration or in a comment.
    #[arg(long)]
    pub(crate) no_ignores: bool,
    /// Further files and folders whose objects rules may look at, but which are not judged.
    #[arg(long, value_name = "PATH")]
    pub(crate) context: Vec<PathBuf>,
    /// Of folders, only files that match one of these globs (relative to the folder).
    #[arg(long, value_name = "GLOB")]
    pub(crate) include: Vec<String>,
    /// Of folders, no files and folders that match one of these globs.
    #[arg(long, value_name = "GLOB")]
    pub(crate) exclude: Vec<String>,
    /// Also read hidden files and folders (`.git` never is).
    #[arg(long)]
    pub(crate) hidden: bool,
    /// Also read files that `.gitignore` and `.ignore` exclude. (For findings, see `--no-ignores`.)
    #[arg(long)]
    pub(crate) no_gitignore: bool,
    /// The namespace of objects that name none; `default`, if the configuration has none either.
    #[arg(long, short = 'n', value_parser = namespace)]
    pub(crate) namespace: Option<String>,
    /// Treat what is not among the loaded objects as not existing, not as unknown.
    #[arg(long)]
    pub(crate) closed_world: bool,
}

/// Whose identities are listed, and how.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  fedward identities deploy/
  fedward identities . --shared
  fedward identities app/ --context platform/ --identity '*-workload-identity'
  fedward identities . --format json
  fedward identities . --format mermaid=identities.mmd --format human

What is read are the files that `fedward check` reads, with the same configuration; charts and kustomizations are not rendered, nor what \
Argo CD deploys: `fedward render PATH | fedward identities -` lists theirs. --context, --include, --exclude, --identity, --in-namespace and \
--format can be given several times. docs/identities.md says what each line means.

Exit codes, the first that applies of 2, 3, 1, 4, 0:
  0  there are identities, and everything was read
  1  a document that does not parse, or is no object as it stands: what is in it is not known
  2  wrong usage or configuration, an input or output that was named and cannot be read or written
  3  a file below a folder could not be read
  4  there is no identity that is asked for (--allow-empty makes it 0)")]
pub(crate) struct Identities {
    #[command(flatten)]
    pub(crate) input: Input,
    /// Only identities whose id or name fits this; `*` stands for any text.
    #[arg(long, value_name = "GLOB", help_heading = "Which identities")]
    pub(crate) identity: Vec<String>,
    /// Only identities that a service account in such a namespace uses; `*` stands for any text.
    #[arg(long, value_name = "GLOB", help_heading = "Which identities")]
    pub(crate) in_namespace: Vec<String>,
    /// Only identities that more than one workload uses.
    #[arg(long, help_heading = "Which identities")]
    pub(crate) shared: bool,
    #[command(flatten)]
    pub(crate) argocd: Argocd,
    /// Output format: `human`, `json`, `mermaid` or `dot`, with `=FILE` to write to a file. Files take their names at the end of the run,
    /// all of them or none.
    #[arg(long, value_name = "FORMAT[=FILE]", default_value = "human")]
    pub(crate) format: Vec<String>,
    /// The file to write to, for the first format that names none.
    #[arg(long, short, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// Exit 0 even if there is no identity.
    #[arg(long)]
    pub(crate) allow_empty: bool,
    /// How many threads read, at most 4 for each core; 0 takes all cores.
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = threads)]
    pub(crate) threads: usize,
    /// Identities only: no summary, no notes.
    #[arg(long, short, conflicts_with = "verbose")]
    pub(crate) quiet: bool,
    /// Also the rules of roles, every user of an account, and what was skipped.
    #[arg(long, short)]
    pub(crate) verbose: bool,
}

/// What is measured, on what, and how.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  fedward bench require-identity-labels deploy/
  fedward bench policy.wasm requests/ --settings settings.yaml --threads 0
  fedward bench policy.wasm requests/ --save baseline.json
  fedward bench policy.wasm requests/ --baseline baseline.json --threshold 25

docs/bench.md says what each figure means.

Exit codes, the first that applies of 2, 3, 1, 4, 0:
  0  every request was evaluated, and nothing got worse than the baseline allows
  1  something got worse: p50 or p99 by more than --threshold, memory or host calls at all
  2  wrong usage, a module or settings that cannot be used, a file that was named and cannot be read or written, another kind of baseline
  3  a request could not be evaluated (it does not parse, or the module fails on it), or a file below a folder could not be read
  4  there is no request")]
pub(crate) struct Bench {
    /// The id of a built-in policy, or a file: any Kubewarden module that speaks waPC.
    #[arg(value_name = "POLICY|FILE.wasm")]
    pub(crate) module: String,
    /// Files and folders with requests as YAML or JSON; `-` reads standard input.
    ///
    /// Each document is an admission request, an AdmissionReview with one, a payload (`{"request": …, "settings": …}`), or a Kubernetes
    /// object, of which a request to create it is made. Lists and arrays hold several.
    #[arg(required = true, value_name = "REQUESTS")]
    pub(crate) requests: Vec<PathBuf>,
    /// The settings, as a YAML or JSON file or as JSON itself, for every request. Without them, payloads have their own, and the others
    /// have none.
    #[arg(long, value_name = "FILE|JSON")]
    pub(crate) settings: Option<String>,
    /// Files and folders whose objects the module may ask for; without any, it is told that nothing is known. Can be given several times.
    #[arg(long, value_name = "PATH")]
    pub(crate) context: Vec<PathBuf>,
    /// A new instance for each evaluation, as in a cluster. This is the default.
    #[arg(long)]
    pub(crate) fresh: bool,
    /// One instance for each thread, called again and again, as `fedward check` does with its own modules.
    #[arg(long, conflicts_with = "fresh")]
    pub(crate) kept: bool,
    /// How many threads evaluate at the same time, at most 4 for each core, and 64; 0 takes all cores.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = threads)]
    pub(crate) threads: usize,
    /// How long to measure, once every request was evaluated.
    #[arg(long, value_name = "S", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=86_400))]
    pub(crate) seconds: u32,
    /// How often to evaluate every request, instead of for how long.
    #[arg(long, value_name = "N", conflicts_with = "seconds", value_parser = clap::value_parser!(u64).range(1..=1_000_000_000))]
    pub(crate) rounds: Option<u64>,
    /// Write what was measured to this file, as a baseline for later runs.
    #[arg(long, value_name = "FILE")]
    pub(crate) save: Option<PathBuf>,
    /// What an earlier run wrote with `--save`, on the same requests in the same manner; the module may be another.
    #[arg(long, value_name = "FILE")]
    pub(crate) baseline: Option<PathBuf>,
    /// How many per cent p50 and p99 may be longer than in the baseline.
    #[arg(long, value_name = "PERCENT", default_value_t = 10, value_parser = clap::value_parser!(u32).range(..=1_000_000), requires = "baseline")]
    pub(crate) threshold: u32,
    /// `human` or `json`.
    #[arg(long, default_value = "human")]
    pub(crate) format: ListFormat,
}

/// Where tests are and how they run.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  fedward test --init
  fedward test
  fedward test policies/ --filter owner --filter '/^no .* root$/'
  fedward test --format human --format junit=tests.xml
  fedward test --update

In a folder, every *.policy-test.yaml, .yml and .json is read that is not hidden and that .gitignore and .ignore do not exclude. A case \
file may name modules, manifests and objects below the folders that are given here, and nothing else. docs/testing.md has its fields.

Exit codes:
  0  every case passed
  1  a case failed
  2  wrong usage, a case file with mistakes, or a case that could not be run
  4  no case was found")]
pub(crate) struct Test {
    /// Files and folders.
    #[arg(value_name = "PATH", default_value = ".")]
    pub(crate) paths: Vec<PathBuf>,
    /// Only cases whose file or name has this in it, or, between slashes, matches this regular expression. Can be given several times:
    /// one is enough.
    #[arg(long, value_name = "TEXT|/REGEX/")]
    pub(crate) filter: Vec<String>,
    /// Output format: `human`, `json` or `junit`, with `=FILE` to write to a file.
    #[arg(long, value_name = "FORMAT[=FILE]", default_value = "human")]
    pub(crate) format: Vec<String>,
    /// Rewrite the expectations of cases that fail as what the policy says, in place.
    #[arg(long)]
    pub(crate) update: bool,
    /// Write a first case file to begin with, which must not be there yet.
    #[arg(long, value_name = "FILE", num_args = 0..=1, default_missing_value = "first.policy-test.yaml", conflicts_with_all = ["update", "filter", "schema"])]
    pub(crate) init: Option<PathBuf>,
    /// The configuration, for what it says of `modules` and `paths.exclude`, instead of the nearest `fedward.yaml`.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Also read hidden files and folders (`.git` never is).
    #[arg(long)]
    pub(crate) hidden: bool,
    /// Also read files that `.gitignore` and `.ignore` exclude.
    #[arg(long)]
    pub(crate) no_gitignore: bool,
    /// How many cases run at once, at most 4 for each core; 0 takes all cores.
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = threads)]
    pub(crate) threads: usize,
    /// Print the JSON Schema of case files instead.
    #[arg(long)]
    pub(crate) schema: bool,
}

/// What is written, where, and with which values.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  fedward init --list
  fedward init eks-irsa --list > values.yaml
  fedward init eks-irsa shop/ --values values.yaml --set region=eu-west-1
  fedward init eks-irsa shop/ --values values.yaml --dry-run

Values come from --set, then from --values, then from what a parameter is by default. On a terminal you are asked for the others. \
docs/deployments has a page for each deployment.

Exit codes:
  0  everything was written
  2  wrong usage, a value that is missing or cannot be, a folder that is not empty or cannot be written")]
pub(crate) struct Init {
    /// The deployment; `--list` has them.
    #[arg(value_name = "DEPLOYMENT", required_unless_present = "list")]
    pub(crate) deployment: Option<String>,
    /// The folder to write to; one with the deployment's name, if not given.
    #[arg(value_name = "DIR")]
    pub(crate) folder: Option<PathBuf>,
    /// A value. Can be given several times.
    #[arg(long, value_name = "NAME=VALUE")]
    pub(crate) set: Vec<String>,
    /// A YAML or JSON file with values, by name.
    #[arg(long, value_name = "FILE")]
    pub(crate) values: Option<PathBuf>,
    /// Print the deployments, or what a deployment needs to be told, as a file for --values.
    #[arg(long, conflicts_with_all = ["folder", "set", "values", "dry_run", "force"])]
    pub(crate) list: bool,
    /// Write nothing; print what would be written, and the values.
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Write to a folder that is not empty: files of the same names are replaced, others stay.
    #[arg(long)]
    pub(crate) force: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Rules {
    /// `human` or `json`.
    #[arg(long, default_value = "human")]
    pub(crate) format: ListFormat,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Explain {
    /// The id of a rule or a policy, as findings and `fedward rules` name it.
    #[arg(value_name = "RULE|POLICY")]
    pub(crate) name: String,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Config {
    /// What would be checked: the nearest `fedward.yaml` upwards from it is the configuration, as for `check`.
    #[arg(default_value = ".")]
    pub(crate) path: PathBuf,
    /// The configuration, instead of the nearest `fedward.yaml`.
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

/// Operations on the command line.
#[derive(Debug, Clone, Copy, ValueEnum)]
#[value(rename_all = "UPPER")]
pub(crate) enum Operation {
    /// They are new.
    Create,
    /// They replace themselves.
    Update,
    /// They go.
    Delete,
}

impl From<Operation> for fedward_engine::Operation {
    fn from(operation: Operation) -> Self {
        match operation {
            Operation::Create => Self::Create,
            Operation::Update => Self::Update,
            Operation::Delete => Self::Delete,
        }
    }
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

fn namespace(text: &str) -> Result<String, &'static str> {
    let rule = "lower-case letters, digits and `-`, with a letter or digit at both ends, and at most 63 characters are required";
    if fedward_config::is_namespace(text) { Ok(text.to_owned()) } else { Err(rule) }
}

fn threads(text: &str) -> Result<usize, String> {
    let most = fedward_engine::max_threads();
    let number = text.parse().ok().filter(|number| *number <= most);
    number.ok_or_else(|| format!("a whole number from 0 (all cores) to {most} (4 for each core) is required"))
}
