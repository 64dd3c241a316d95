//! What Argo CD tells a plugin of an Application: its environment, and the parameters of its source.

use std::collections::BTreeMap;
use std::env;

use anyhow::{Context as _, Result, bail};
use fedward_config::words;
use fedward_gitops::SourceType;
use fedward_gitops::plugin::{self, Parameter};
use serde_json::{Value, json};

/// The parameters that there are.
const VALUES_FILES: &str = "helm-values-files";
const SET: &str = "helm-parameters";
const RELEASE_NAME: &str = "helm-release-name";
const RECURSE: &str = "directory-recurse";
const ALL: [&str; 4] = [VALUES_FILES, SET, RELEASE_NAME, RECURSE];

/// An Application, as its environment describes it.
#[derive(Debug, Default)]
pub(super) struct Parameters {
    variables: BTreeMap<String, String>,
    given: BTreeMap<String, Parameter>,
}

impl Parameters {
    /// Those of this process.
    pub(super) fn of_environment() -> Result<Self> {
        Self::new(env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?))))
    }

    fn new(variables: impl Iterator<Item = (String, String)>) -> Result<Self> {
        // Of the sidecar's own environment an Application learns nothing.
        let is_ours = |name: &str| {
            name.starts_with(plugin::APP)
                || name.starts_with(plugin::ENV)
                || [plugin::KUBE_VERSION, plugin::KUBE_API_VERSIONS].contains(&name)
        };
        let variables: BTreeMap<String, String> = variables.filter(|(name, _)| is_ours(name)).collect();
        let text = variables.get(plugin::PARAMETERS).map(String::as_str).filter(|text| !text.trim().is_empty()).unwrap_or("[]");
        let given: Option<Vec<Parameter>> =
            serde_json::from_str(text).with_context(|| format!("`{}` is not as Argo CD writes it", plugin::PARAMETERS))?;
        let mut by_name = BTreeMap::new();
        for one in given.unwrap_or_default() {
            if !ALL.contains(&one.name.as_str()) {
                let hint = words::did_you_mean(&one.name, ALL);
                bail!("the source has no parameter `{}`{}", fedward_report::printable(&one.name), hint);
            }
            if let Some(twice) = by_name.insert(one.name.clone(), one) {
                bail!("the parameter `{}` is given twice", twice.name);
            }
        }
        Ok(Parameters { variables, given: by_name })
    }

    fn variable(&self, name: &str) -> &str {
        self.variables.get(name).map_or("", String::as_str)
    }

    /// A text with the variables of the Application put in, as Argo CD does it: one that there is not leaves nothing.
    fn expand(&self, text: &str) -> String {
        fedward_gitops::expand(text, |name| match name {
            "$" => "$",
            name => self.variable(name),
        })
    }

    /// The namespace that the Application deploys to; empty if it says none.
    pub(super) fn namespace(&self) -> &str {
        self.variable(plugin::NAMESPACE)
    }

    /// The folder of the source in its repository.
    pub(super) fn source_path(&self) -> &str {
        self.variable(plugin::SOURCE_PATH)
    }

    /// The release's name: the Application's, without the namespace before it, unless a parameter has another.
    pub(super) fn release_name(&self) -> Option<String> {
        let given = self.given.get(RELEASE_NAME).and_then(|given| given.string.as_deref()).map(|text| self.expand(text));
        let own = self.variable(plugin::NAME).rsplit('_').next().map(str::to_owned);
        given.or(own).filter(|name| !name.is_empty())
    }

    /// The version of the cluster.
    pub(super) fn kube_version(&self) -> Option<String> {
        Some(self.variable(plugin::KUBE_VERSION).to_owned()).filter(|version| !version.is_empty())
    }

    /// What the cluster serves beside what every cluster does.
    pub(super) fn api_versions(&self) -> Vec<String> {
        self.variable(plugin::KUBE_API_VERSIONS).split(',').filter(|version| !version.is_empty()).map(str::to_owned).collect()
    }

    /// Values files, in their order.
    pub(super) fn values_files(&self) -> Vec<String> {
        self.given.get(VALUES_FILES).into_iter().flat_map(|given| given.array.iter().flatten()).map(|text| self.expand(text)).collect()
    }

    /// `--set`, with commas as Argo CD escapes them: all that are not escaped, unless the value is a list.
    pub(super) fn set(&self) -> Vec<String> {
        let values = self.given.get(SET).into_iter().flat_map(|given| given.map.iter().flatten());
        values.map(|(name, value)| format!("{name}={}", fedward_gitops::escape(&self.expand(value)))).collect()
    }

    /// Whether folders below count.
    pub(super) fn recurse(&self) -> Result<bool> {
        match self.given.get(RECURSE).and_then(|given| given.string.as_deref()) {
            None | Some("" | "false") => Ok(false),
            Some("true") => Ok(true),
            Some(other) => bail!("the parameter `{RECURSE}` is `true` or `false`, not `{}`", fedward_report::printable(other)),
        }
    }
}

/// What Argo CD's interface offers for a source of this kind.
pub(super) fn announcement(kind: Option<SourceType>) -> Value {
    match kind {
        Some(SourceType::Helm) => json!([
            {
                "name": VALUES_FILES, "title": "Values files", "collectionType": "array",
                "tooltip": "relative to the chart, or to the repository after a `/`; the last one has the most force",
            },
            {"name": SET, "title": "Parameters", "collectionType": "map", "tooltip": "as of `helm template --set`"},
            {"name": RELEASE_NAME, "title": "Release name", "string": "", "tooltip": "the name of the Application, if empty"},
        ]),
        Some(SourceType::Directory | SourceType::Plugin) => json!([
            {"name": RECURSE, "title": "Folders below, too", "itemType": "boolean", "string": "false"},
        ]),
        Some(SourceType::Kustomize) | None => json!([]),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    fn of(variables: &[(&str, &str)]) -> Result<Parameters> {
        Parameters::new(variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())))
    }

    #[test]
    fn what_argo_cd_says_is_understood() {
        let given = r#"[{"name":"helm-values-files","array":["$ARGOCD_ENV_STAGE.yaml","/all-$HOME$$.yaml"]},
            {"name":"helm-parameters","map":{"a.b":"1,2\\,3","c":"{x,y}","d":",4"}},{"name":"helm-release-name","string":""},
            {"name":"directory-recurse","string":"true"}]"#;
        let variables = [
            ("ARGOCD_APP_PARAMETERS", given),
            ("ARGOCD_ENV_STAGE", "prod"),
            ("HOME", "/root"),
            ("ARGOCD_APP_NAME", "team_web"),
            ("KUBE_API_VERSIONS", "v1,apps/v1,"),
        ];
        let parameters = of(&variables).unwrap();
        assert_eq!(parameters.values_files(), ["prod.yaml", "/all-$.yaml"]);
        assert_eq!(parameters.set(), ["a.b=1\\,2\\,3", "c={x,y}", "d=\\,4"]);
        assert_eq!(parameters.api_versions(), ["v1", "apps/v1"]);
        assert!(parameters.recurse().unwrap() && parameters.kube_version().is_none() && parameters.namespace().is_empty());
        assert_eq!(of(&[("ARGOCD_APP_NAME", "team_web")]).unwrap().release_name().as_deref(), Some("web"));
        assert_eq!(of(&[("ARGOCD_APP_PARAMETERS", "null")]).unwrap().values_files(), [""; 0]);
    }

    #[test]
    fn what_is_not_understood_fails() {
        let error = |text: &str| of(&[("ARGOCD_APP_PARAMETERS", text)]).unwrap_err().to_string();
        assert_eq!(
            error(r#"[{"name":"helm-value-files","array":[]}]"#),
            "the source has no parameter `helm-value-files` (did you mean `helm-values-files`?)"
        );
        assert!(error(r#"[{"name":"helm-parameters"},{"name":"helm-parameters"}]"#).ends_with("is given twice"));
        assert!(error("{").starts_with("`ARGOCD_APP_PARAMETERS` is not as"));
        let recurse = of(&[("ARGOCD_APP_PARAMETERS", r#"[{"name":"directory-recurse","string":"yes"}]"#)]).unwrap().recurse();
        assert_eq!(recurse.unwrap_err().to_string(), "the parameter `directory-recurse` is `true` or `false`, not `yes`");
    }
}
