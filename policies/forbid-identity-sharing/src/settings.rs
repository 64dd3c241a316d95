//! The policy's settings.

use fedward_kit::settings::Reader;
use fedward_kit::text::Glob;

/// See the `doc` of each field in [`fedward_kit::settings::Settings::read`].
#[derive(Debug, Clone)]
pub struct Settings {
    /// How many workloads may run as one federated service account.
    pub max_workloads: usize,
    /// How many service accounts may name one identity.
    pub max_accounts: usize,
    /// How many subjects the credentials of one identity may name.
    pub max_subjects: usize,
    /// Whether a shared service account is an error.
    pub strict: bool,
    /// Which workloads may use a service account, by `namespace/name` of the account.
    pub identity_owners: Vec<(Glob, Vec<Glob>)>,
    /// Identities that several service accounts may name.
    pub shared_identities: Vec<Glob>,
}

impl fedward_kit::settings::Settings for Settings {
    type Facts<'a> = crate::sharing::Facts<'a>;

    fn read(reader: &mut Reader<'_>) -> Self {
        let mut most = |name, doc| usize::try_from(reader.int(name, 1, 1..=100_000, doc)).unwrap_or(1);
        Settings {
            max_workloads: most("maxWorkloads", "How many workloads may run as one federated service account."),
            max_accounts: most("maxAccounts", "How many service accounts may name one identity."),
            max_subjects: most("maxSubjects", "How many subjects the federated credentials of one identity may name."),
            strict: reader.bool("strict", false, "Whether a service account that is shared by too many workloads is an error. It is a warning otherwise."),
            identity_owners: reader.glob_lists(
                "identityOwners",
                "Who may use a service account: its `namespace/name`, and the workloads as `Kind/name`. Any other workload that uses it is an error, and those workloads share it on purpose; `*` stands for any text.",
            ),
            shared_identities: reader.globs(
                "sharedIdentities",
                &[],
                "Identities (a client id, the ARN of a role, a Google service account) that several service accounts share on purpose; `*` stands for any text.",
            ),
        }
    }
}
