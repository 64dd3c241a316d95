//! Reports `$NAME` in sources that names no variable of Argo CD's build environment.
//!
//! ## What it does
//! Argo CD puts its build environment into parameters of charts, paths of values files, and images, labels and (where asked for) annotations
//! of kustomizations. A name in one of these that is none of `ARGOCD_APP_…` is reported. `$$` stands for a `$`.
//!
//! ## Why it is bad
//! Nothing is left of it: a password with a `$` in it, or a path with a variable from somewhere else, is deployed shortened, and no error
//! tells of it.
//!
//! ## Example
//! ```yaml
//! apiVersion: argoproj.io/v1alpha1
//! kind: Application
//! metadata: {name: shop, namespace: argocd}
//! spec:
//!   source:
//!     repoURL: https://git.example/team/repo
//!     path: charts/shop
//!     helm:
//!       parameters: [{name: image.tag, value: $CI_COMMIT_SHA}]
//! ```
//!
//! ## Use instead
//! ```yaml
//! apiVersion: argoproj.io/v1alpha1
//! kind: Application
//! metadata: {name: shop, namespace: argocd}
//! spec:
//!   source:
//!     repoURL: https://git.example/team/repo
//!     path: charts/shop
//!     helm:
//!       parameters: [{name: image.tag, value: $ARGOCD_APP_REVISION}]
//! ```
//!
//! ## References
//! Argo CD `docs/user-guide/build-environment.md`; Go `os.Expand`.

use fedward_kit::policy::RuleDescriptor;
use fedward_kit::rule::Condition;

use super::{Check, Report};
use crate::environment::unknown;
use crate::source::SourceType;
use crate::value::Value;

const UNKNOWN: Condition = Condition::warning("unknown", "a name is none of the build environment, so that nothing is left of it");

pub(super) const RULE: RuleDescriptor = RuleDescriptor {
    id: "unknown-build-variable",
    summary: "`$NAME` that is none of Argo CD's build environment",
    conditions: &[UNKNOWN],
    supersedes: &[],
};

pub(super) fn check(check: &Check<'_>) -> Vec<Report> {
    let mut reports = Vec::new();
    for application in &check.discovery.applications {
        let is_multiple = application.sources.len() > 1 || application.object.at(&["spec", "sources"]).is_some();
        for source in &application.sources {
            let Some(kind) = source.kind else { continue };
            for value in fields(&source.effective, kind) {
                let text = value.as_str().unwrap_or_default();
                // `$values/…` is another source, where there are several.
                let text = if is_multiple && text.starts_with('$') && is_path(&source.effective, value) {
                    text.split_once('/').map_or("", |(_, rest)| rest)
                } else {
                    text
                };
                for name in unknown(text) {
                    let message = format!("nothing is left of `${name}`: Argo CD has no such variable");
                    reports.push(Report::at(&UNKNOWN, &value.place, message).help("write `$$` for a `$`"));
                }
            }
        }
    }
    reports
}

/// The fields of a source that the environment is put into.
fn fields(source: &Value, kind: SourceType) -> Vec<&Value> {
    let mut fields: Vec<&Value> = Vec::new();
    match kind {
        SourceType::Helm => {
            let Some(helm) = source.get("helm") else { return fields };
            fields.extend(helm.list("valueFiles"));
            fields.extend(helm.list("parameters").filter_map(|parameter| parameter.get("value")));
            fields.extend(helm.list("fileParameters").filter_map(|parameter| parameter.get("path")));
        }
        SourceType::Kustomize => {
            let Some(kustomize) = source.get("kustomize") else { return fields };
            fields.extend(kustomize.list("images"));
            let map = |key: &str| kustomize.get(key).and_then(Value::as_map).into_iter().flatten().map(|(_, value)| value);
            fields.extend(map("commonLabels"));
            fields.extend(map("commonAnnotations").filter(|_| kustomize.flag("commonAnnotationsEnvsubst")));
        }
        SourceType::Directory => {
            let jsonnet = source.at(&["directory", "jsonnet"]);
            let variables = ["extVars", "tlas"].into_iter().flat_map(|key| jsonnet.into_iter().flat_map(move |jsonnet| jsonnet.list(key)));
            fields.extend(variables.filter_map(|variable| variable.get("value")));
        }
        SourceType::Plugin => {}
    }
    fields
}

/// Whether a value is the path of a file, which may begin with another source's name.
fn is_path(source: &Value, value: &Value) -> bool {
    let Some(helm) = source.get("helm") else { return false };
    let mut paths = helm.list("valueFiles").chain(helm.list("fileParameters").filter_map(|parameter| parameter.get("path")));
    paths.any(|path| path.place == value.place)
}
