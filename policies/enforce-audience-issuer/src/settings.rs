//! The policy's settings.

use fedward_kit::settings::Reader;
use fedward_kit::text::Glob;

/// See the `doc` of each field in [`fedward_kit::settings::Settings::read`].
#[derive(Debug, Clone)]
pub struct Settings {
    /// The issuer of the cluster that the objects are for; empty where it is not said.
    pub cluster_issuer: String,
    /// Issuers that may be trusted beside the cluster's own.
    pub allowed_issuers: Vec<Glob>,
    /// Whether the EKS webhook runs with `--compose-role-arn`.
    pub compose_role_arn: bool,
}

impl fedward_kit::settings::Settings for Settings {
    fn read(reader: &mut Reader<'_>) -> Self {
        Settings {
            cluster_issuer: reader.string(
                "clusterIssuer",
                "The issuer of the cluster's service account tokens, exactly as the tokens carry it; other issuers are then not trusted for service accounts.",
            ),
            allowed_issuers: reader.globs(
                "allowedIssuers",
                &[],
                "Issuers that may be trusted beside `clusterIssuer`; `*` stands for any text. If set, every other issuer is reported.",
            ),
            compose_role_arn: reader.bool(
                "composeRoleArn",
                false,
                "Whether the EKS webhook runs with `--compose-role-arn`, so that a bare role name is right in the annotation.",
            ),
        }
    }
}
