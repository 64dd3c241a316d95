//! How an Argo CD is set up, as far as it changes what is deployed: from its ConfigMaps, where the repository has them.

use fedward_manifest::Node;

use crate::exclusions::Exclusions;
use crate::manifest::Manifest;

/// The settings that matter here, with Argo CD's defaults.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Where Argo CD itself is.
    pub namespace: String,
    /// `helm.valuesFileSchemes`
    pub values_file_schemes: Vec<String>,
    /// `helm.enable`
    pub helm: bool,
    /// `kustomize.enable`
    pub kustomize: bool,
    /// `jsonnet.enable`
    pub jsonnet: bool,
    /// `kustomize.buildOptions`
    pub build_options: Vec<String>,
    /// `reposerver.max.combined.directory.manifests.size`, in bytes; 0 is no limit.
    pub combined_bytes: u64,
    /// `reposerver.allow.oob.symlinks`
    pub allow_stray_links: bool,
    /// `reposerver.include.hidden.directories`
    pub hidden_directories: bool,
    /// `resource.exclusions`; `None` if these cannot be known, as with `resource.inclusions`.
    pub exclusions: Option<Exclusions>,
    /// `applicationsetcontroller.enable.new.git.file.globbing`
    pub new_file_globbing: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            namespace: "argocd".to_owned(),
            values_file_schemes: vec!["https".to_owned(), "http".to_owned()],
            helm: true,
            kustomize: true,
            jsonnet: true,
            build_options: Vec::new(),
            combined_bytes: 10_000_000,
            allow_stray_links: false,
            hidden_directories: false,
            exclusions: Some(Exclusions::default()),
            new_file_globbing: false,
        }
    }
}

impl Settings {
    /// Takes what a ConfigMap of Argo CD says. Whether it is one, and understood; what is not understood changes nothing.
    pub fn take(&mut self, manifest: &Manifest) -> Result<bool, String> {
        if manifest.kind() != ("", "ConfigMap") {
            return Ok(false);
        }
        let name = manifest.text("/metadata/name");
        if !matches!(name, "argocd-cm" | "argocd-cmd-params-cm") {
            return Ok(false);
        }
        let data = manifest.node().get("data");
        for entry in data.into_iter().flat_map(Node::entries) {
            let Some(value) = entry.value.as_str() else { continue };
            let value = value.trim();
            let flag = || flag(value).ok_or_else(|| format!("`{}` of ConfigMap `{name}` is `{value}`, neither true nor false", entry.key));
            match (name, entry.key) {
                ("argocd-cm", "helm.valuesFileSchemes") => {
                    let schemes = value.split(',').map(str::trim).filter(|scheme| !scheme.is_empty());
                    self.values_file_schemes = schemes.map(str::to_owned).collect();
                }
                // Anything but `false` is true.
                ("argocd-cm", "helm.enable") => self.helm = value != "false",
                ("argocd-cm", "kustomize.enable") => self.kustomize = value != "false",
                ("argocd-cm", "jsonnet.enable") => self.jsonnet = value != "false",
                ("argocd-cm", "kustomize.buildOptions") => self.build_options = value.split_whitespace().map(str::to_owned).collect(),
                ("argocd-cm", "resource.exclusions") if self.exclusions.is_some() => {
                    let read = Exclusions::read(value);
                    self.exclusions = read.ok_or_else(|| format!("`{}` of ConfigMap `{name}` is no list of kinds", entry.key))?.into();
                }
                ("argocd-cm", "resource.inclusions") if !value.is_empty() => self.exclusions = None,
                ("argocd-cmd-params-cm", "reposerver.max.combined.directory.manifests.size") => {
                    let error = || format!("`{}` of ConfigMap `{name}` is `{value}`, no quantity", entry.key);
                    self.combined_bytes = quantity(value).ok_or_else(error)?;
                }
                ("argocd-cmd-params-cm", "reposerver.allow.oob.symlinks") => self.allow_stray_links = flag()?,
                ("argocd-cmd-params-cm", "reposerver.include.hidden.directories") => self.hidden_directories = flag()?,
                ("argocd-cmd-params-cm", "applicationsetcontroller.enable.new.git.file.globbing") => self.new_file_globbing = flag()?,
                _ => {}
            }
        }
        if let Some(namespace) = manifest.node().find("/metadata/namespace").and_then(Node::as_str).filter(|name| !name.is_empty()) {
            namespace.clone_into(&mut self.namespace);
        }
        Ok(true)
    }
}

/// Go's `strconv.ParseBool`.
fn flag(text: &str) -> Option<bool> {
    match text {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Some(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Some(false),
        _ => None,
    }
}

/// A whole number with a suffix, as Kubernetes writes quantities.
fn quantity(text: &str) -> Option<u64> {
    let digits = text.find(|character: char| !character.is_ascii_digit()).unwrap_or(text.len());
    let (number, suffix) = text.split_at(digits);
    let factor: u64 = match suffix {
        "" => 1,
        "k" => 1000,
        "M" => 1_000_000,
        "G" => 1_000_000_000,
        "Ki" => 1 << 10,
        "Mi" => 1 << 20,
        "Gi" => 1 << 30,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(factor)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;
    use crate::test_text::documents;

    fn take(settings: &mut Settings, text: &str) -> Result<bool, String> {
        let document = documents(text).remove(0);
        settings.take(&Manifest::all(&document).next().unwrap())
    }

    #[test]
    fn settings_are_taken_from_config_maps() {
        let mut settings = Settings::default();
        let text = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: argocd-cm, namespace: gitops}\ndata:\n  helm.valuesFileSchemes: 'https, s3'\n  \
                    kustomize.enable: 'false'\n  kustomize.buildOptions: --enable-helm  --load-restrictor LoadRestrictionsNone\n";
        assert_eq!(take(&mut settings, text), Ok(true));
        assert_eq!(settings.values_file_schemes, ["https", "s3"]);
        assert_eq!(settings.build_options, ["--enable-helm", "--load-restrictor", "LoadRestrictionsNone"]);
        assert_eq!((settings.helm, settings.kustomize, settings.namespace.as_str()), (true, false, "gitops"));
        let text = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: argocd-cmd-params-cm}\ndata:\n  \
                    reposerver.max.combined.directory.manifests.size: 2Mi\n  reposerver.allow.oob.symlinks: 'true'\n  \
                    applicationsetcontroller.enable.new.git.file.globbing: 'true'\n";
        assert_eq!(take(&mut settings, text), Ok(true));
        assert_eq!((settings.combined_bytes, settings.allow_stray_links, settings.new_file_globbing), (2 << 20, true, true));
    }

    #[test]
    fn what_is_no_setting_changes_nothing() {
        let mut settings = Settings::default();
        assert_eq!(
            take(&mut settings, "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: other}\ndata: {helm.enable: 'false'}"),
            Ok(false)
        );
        assert_eq!(settings, Settings::default());
        let text =
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: argocd-cmd-params-cm}\ndata: {reposerver.allow.oob.symlinks: 'maybe'}";
        let error = take(&mut settings, text).unwrap_err();
        assert_eq!(error, "`reposerver.allow.oob.symlinks` of ConfigMap `argocd-cmd-params-cm` is `maybe`, neither true nor false");
    }
}
