//! What is said of Argo CD.

use std::path::PathBuf;

/// What is known of Argo CD. docs/argocd.md says more.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Argo CD")]
pub(crate) struct Argocd {
    /// Check what Argo CD deploys from this repository, whatever it holds. Without this, that is done where an Application or an
    /// ApplicationSet is among what is checked, for the Git repository around the first path.
    #[arg(long, value_name = "REPO", num_args = 0..=1, default_missing_value = ".")]
    pub(crate) argocd: Option<PathBuf>,
    /// Render nothing that Argo CD deploys: check only what stands there.
    #[arg(long, conflicts_with_all = ["argocd", "repo", "revision", "clusters", "generators", "helm_repo_cache", "plugin", "strict", "cache"])]
    pub(crate) no_argocd: bool,
    #[command(flatten)]
    pub(crate) known: Known,
    /// A folder of its own, made if need be, in which what was rendered is kept: it is not rendered again until a file that it depends on
    /// changes. Secret values may be in it.
    #[arg(long, value_name = "DIR")]
    pub(crate) cache: Option<PathBuf>,
    /// What is deferred makes the exit code 3, too.
    #[arg(long)]
    pub(crate) strict: bool,
}

/// Where things are that Argo CD would fetch or ask for.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Argo CD")]
pub(crate) struct Known {
    /// Where the files of a repository are, or the charts of a Helm repository; `URL@REVISION=PATH` for one revision. The repository that
    /// is checked stands for its own remotes. Can be given several times.
    #[arg(long, value_name = "URL=PATH")]
    pub(crate) repo: Vec<String>,
    /// A further name of the revision that is checked out. Can be given several times.
    #[arg(long, value_name = "REVISION")]
    pub(crate) revision: Vec<String>,
    /// All clusters that there are: cluster Secrets, or a map with `clusters`, a list of `name`, `server`, `labels` and so on.
    #[arg(long, value_name = "FILE")]
    pub(crate) clusters: Option<PathBuf>,
    /// What generators of ApplicationSets find that ask a service (scmProvider, pullRequest, plugin, clusterDecisionResource): a map with
    /// `generators`, a list of `applicationSet`, `generator` and `found`.
    #[arg(long, value_name = "FILE")]
    pub(crate) generators: Option<PathBuf>,
    /// A folder with charts of Helm repositories, as `helm pull` or Helm's own cache has them: NAME-VERSION.tgz, or NAME unpacked, in it or
    /// in folders of it that are called as their repositories. Charts of Applications and dependencies of charts are taken from it.
    #[arg(long, value_name = "FOLDER")]
    pub(crate) helm_repo_cache: Option<PathBuf>,
    /// Run COMMAND for sources that the config management plugin NAME builds, and take what it prints for their objects. It runs on this
    /// machine with your rights, in a copy of the repository, not in a sandbox. Can be given several times.
    #[arg(long, value_name = "NAME=COMMAND")]
    pub(crate) plugin: Vec<String>,
}

impl Known {
    /// Whether nothing is said.
    pub(crate) fn is_empty(&self) -> bool {
        let Known { repo, revision, clusters, generators, helm_repo_cache, plugin } = self;
        let is_file = [clusters, generators, helm_repo_cache].into_iter().any(Option::is_some);
        !is_file && [repo, revision, plugin].into_iter().all(Vec::is_empty)
    }
}
