//! What `fedward render` is asked.

use std::path::PathBuf;

use super::Known;

/// The flags for Helm and Jsonnet: an Application says itself what they are given.
const OF_TOOLS: [&str; 18] = [
    "release_name",
    "namespace",
    "values",
    "set",
    "set_string",
    "set_file",
    "set_json",
    "set_literal",
    "kube_version",
    "api_versions",
    "include_crds",
    "skip_tests",
    "skip_schema_validation",
    "ext_str",
    "ext_code",
    "tla_str",
    "tla_code",
    "jpath",
];

/// What is rendered, and with what. Flags have the names that `helm template` and `jsonnet` give them.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  fedward render charts/web --namespace web --values charts/web/values-prod.yaml --set replicas=3
  fedward render overlays/prod
  fedward render app.jsonnet --ext-str env=prod
  fedward render --list
  fedward render --app argocd/shop clusters/ --repo https://charts.example=../charts

With --app, what is printed are the objects of all sources, each in the namespace that it goes to; what Argo CD itself adds to them (labels and annotations that say whose they are) is not there. docs/argocd.md says more.

Exit codes: 0 rendered, 2 wrong usage, 3 not rendered, or not all of it: something must be fetched first, a limit was reached, or it is wrong.")]
pub(crate) struct Render {
    /// A chart (a folder or an archive), a folder with a kustomization, or a Jsonnet file. With --app or --list, where Applications are
    /// looked for: a folder or a file, by default the working directory.
    #[arg(value_name = "PATH", required_unless_present_any = ["app", "list"])]
    pub(crate) path: Option<PathBuf>,
    /// The folder outside of which nothing is read: the Git repository around the path. Outside of one it is the working directory, or the
    /// path's own folder where that lies elsewhere.
    #[arg(long, value_name = "FOLDER")]
    pub(crate) root: Option<PathBuf>,
    /// Print what Argo CD would deploy of this Application: its name, or its namespace, `/` and its name. ApplicationSets and other
    /// Applications may make it.
    #[arg(long, value_name = "NAME", conflicts_with_all = OF_TOOLS, help_heading = "Argo CD")]
    pub(crate) app: Option<String>,
    /// List the Applications that there are, and what becomes of each.
    #[arg(long, conflicts_with_all = OF_TOOLS, conflicts_with = "app", help_heading = "Argo CD")]
    pub(crate) list: bool,
    #[command(flatten)]
    pub(crate) known: Known,
    /// The release's name.
    #[arg(long, value_name = "NAME", default_value = "release-name", help_heading = "Helm")]
    pub(crate) release_name: String,
    /// The release's namespace.
    #[arg(long, short = 'n', default_value = "default", help_heading = "Helm")]
    pub(crate) namespace: String,
    /// A file with values. Of several, the last one has the most force.
    #[arg(long, short = 'f', value_name = "FILE", help_heading = "Helm")]
    pub(crate) values: Vec<PathBuf>,
    /// A value: `key=value`, or several with commas between them.
    #[arg(long, value_name = "KEY=VALUE", help_heading = "Helm")]
    pub(crate) set: Vec<String>,
    /// A value that is a string, whatever it looks like.
    #[arg(long, value_name = "KEY=VALUE", help_heading = "Helm")]
    pub(crate) set_string: Vec<String>,
    /// A value that is the text of a file of the repository.
    #[arg(long, value_name = "KEY=FILE", help_heading = "Helm")]
    pub(crate) set_file: Vec<String>,
    /// A value as JSON.
    #[arg(long, value_name = "KEY=JSON", help_heading = "Helm")]
    pub(crate) set_json: Vec<String>,
    /// A value that is taken as it stands, commas and all.
    #[arg(long, value_name = "KEY=VALUE", help_heading = "Helm")]
    pub(crate) set_literal: Vec<String>,
    /// The version of Kubernetes that the chart sees.
    #[arg(long, value_name = "VERSION", help_heading = "Helm")]
    pub(crate) kube_version: Option<String>,
    /// API versions that the chart sees in addition to Kubernetes' own.
    #[arg(long, short = 'a', value_name = "VERSION", value_delimiter = ',', help_heading = "Helm")]
    pub(crate) api_versions: Vec<String>,
    /// Also the custom resource definitions in the chart's `crds`.
    #[arg(long, help_heading = "Helm")]
    pub(crate) include_crds: bool,
    /// No test hooks.
    #[arg(long, help_heading = "Helm")]
    pub(crate) skip_tests: bool,
    /// Do not hold the values to the chart's schema.
    #[arg(long, help_heading = "Helm")]
    pub(crate) skip_schema_validation: bool,
    /// An external variable of Jsonnet that is a string.
    #[arg(long, value_name = "NAME=VALUE", help_heading = "Jsonnet")]
    pub(crate) ext_str: Vec<String>,
    /// An external variable of Jsonnet that is code.
    #[arg(long, value_name = "NAME=CODE", help_heading = "Jsonnet")]
    pub(crate) ext_code: Vec<String>,
    /// An argument of the top-level function that is a string.
    #[arg(long, value_name = "NAME=VALUE", help_heading = "Jsonnet")]
    pub(crate) tla_str: Vec<String>,
    /// An argument of the top-level function that is code.
    #[arg(long, value_name = "NAME=CODE", help_heading = "Jsonnet")]
    pub(crate) tla_code: Vec<String>,
    /// A folder in which imports are looked for.
    #[arg(long, short = 'J', value_name = "FOLDER", help_heading = "Jsonnet")]
    pub(crate) jpath: Vec<PathBuf>,
}

#[cfg(test)]
mod tests {
    use clap::Args as _;

    use super::{OF_TOOLS, Render};

    #[test]
    fn the_flags_for_tools_are_those_under_their_headings() {
        let command = Render::augment_args(clap::Command::new("render"));
        let of_tools = command.get_arguments().filter(|flag| matches!(flag.get_help_heading(), Some("Helm" | "Jsonnet")));
        assert_eq!(of_tools.map(|flag| flag.get_id().as_str()).collect::<Vec<_>>(), OF_TOOLS);
    }
}
