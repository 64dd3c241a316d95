//! The policy's settings.

use fedward_kit::audience::Cloud;
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
    /// The Azure cloud that everything belongs to; [`Cloud::Any`] where it is not said.
    pub cloud: Cloud,
    /// Audiences that are right, beside the clouds' and those of well-known systems.
    pub allowed_audiences: Vec<Glob>,
    /// Whether every other audience is an error.
    pub strict_audiences: bool,
    /// Sign-in hosts that are right, beside Microsoft Entra's.
    pub allowed_authority_hosts: Vec<Glob>,
    /// Regions in which managed identities have no federated credentials.
    pub unsupported_regions: Vec<String>,
}

impl fedward_kit::settings::Settings for Settings {
    type Facts<'a> = crate::fields::Facts<'a>;

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
            cloud: reader
                .choice(
                    "cloud",
                    &[
                        ("any", Cloud::Any),
                        ("public", Cloud::Public),
                        ("usgov", Cloud::UsGov),
                        ("china", Cloud::China),
                        ("usnat", Cloud::UsNat),
                        ("ussec", Cloud::UsSec),
                    ],
                    "any",
                    "The Azure cloud that identities and clusters belong to: audiences, sign-in hosts, environment names and AKS issuers of another cloud are then errors.",
                )
                .unwrap_or(Cloud::Any),
            allowed_audiences: reader.globs(
                "allowedAudiences",
                &[],
                "Audiences that are right, beside those of the clouds and of well-known systems; `*` stands for any text.",
            ),
            strict_audiences: reader.bool(
                "strictAudiences",
                false,
                "Whether an audience that is neither known nor in `allowedAudiences` is an error.",
            ),
            allowed_authority_hosts: reader.globs(
                "allowedAuthorityHosts",
                &[],
                "Host names that may sign in, beside Microsoft Entra's (Azure Stack, AD FS); `*` stands for any text.",
            ),
            unsupported_regions: reader.strings(
                "unsupportedRegions",
                &["malaysiasouth", "newzealandnorth"],
                "Regions of Azure in which managed identities cannot have federated credentials.",
            ),
        }
    }
}
