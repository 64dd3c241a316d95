//! The policy's settings.

use fedward_kit::settings::Reader;
use fedward_kit::text::{Glob, any_matches};

/// See the `doc` of each field in [`fedward_kit::settings::Settings::read`].
#[derive(Debug, Clone)]
pub struct Settings {
    /// Secrets that are accepted, and so is what refers to them.
    pub allowed_secret_names: Vec<Glob>,
    /// Whether Argo CD may sign in to Git as a GitHub App.
    pub allow_github_app: bool,
    /// More variables that hold credentials.
    pub extra_env_patterns: Vec<Glob>,
}

impl fedward_kit::settings::Settings for Settings {
    type Facts<'a> = ();

    fn read(reader: &mut Reader<'_>) -> Self {
        Settings {
            allowed_secret_names: reader.globs(
                "allowedSecretNames",
                &[],
                "Secrets that are accepted, and whatever refers to them: `name` in any namespace, or `namespace/name`; `*` stands for any text.",
            ),
            allow_github_app: reader.bool(
                "allowGithubApp",
                true,
                "Whether Argo CD may sign in to Git as a GitHub App, whose stored key only fetches tokens that last an hour.",
            ),
            extra_env_patterns: reader.globs(
                "extraEnvPatterns",
                &[],
                "Names of more environment variables that hold credentials; `*` stands for any text.",
            ),
        }
    }
}

impl Settings {
    /// Whether a Secret is accepted.
    pub(crate) fn allows_secret(&self, namespace: &str, name: &str) -> bool {
        !self.allowed_secret_names.is_empty()
            && (any_matches(&self.allowed_secret_names, name) || any_matches(&self.allowed_secret_names, &format!("{namespace}/{name}")))
    }
}
