//! The policy's settings.

use fedward_kit::settings::Reader;
use fedward_kit::text::Glob;

/// See the `doc` of each field in [`fedward_kit::settings::Settings::read`].
#[derive(Debug, Clone)]
pub struct Settings {
    /// Hosts that may get a token of Microsoft Entra, besides Azure's own.
    pub extra_azure_hosts: Vec<Glob>,
    /// The namespace that Argo CD runs in; empty where it is not known.
    pub argocd_namespace: String,
}

impl fedward_kit::settings::Settings for Settings {
    type Facts<'a> = ();

    fn read(reader: &mut Reader<'_>) -> Self {
        Settings {
            extra_azure_hosts: reader.globs(
                "extraAzureHosts",
                &[],
                "Hosts of repositories and registries that may get a token of Microsoft Entra, besides Azure's own, such as a registry's own domain; `*` stands for any text.",
            ),
            argocd_namespace: reader.string(
                "argocdNamespace",
                "The namespace that Argo CD runs in. If it is set, Secrets for Argo CD in other namespaces are reported.",
            ),
        }
    }
}
