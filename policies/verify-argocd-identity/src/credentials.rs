//! The keys of a repository's Secret that hold credentials.

use crate::registered::{Known, Registered};

/// A way to sign in that Argo CD takes only if all its keys have values; the first is the credential.
pub(crate) struct Way {
    /// The keys.
    pub keys: &'static [&'static str],
}

impl Way {
    /// Whether the Secret has all of it.
    pub(crate) fn is_in(&self, secret: &Registered<'_>) -> bool {
        self.keys.iter().all(|key| secret.has(key) && secret.known(key) != Known::Text("0"))
    }

    /// The key with the credential.
    pub(crate) fn credential(&self) -> &'static str {
        self.keys.first().copied().unwrap_or("")
    }
}

/// What Argo CD takes for Git before it thinks of the workload identity.
pub(crate) const BEFORE_IDENTITY: [Way; 5] = [
    Way { keys: &["password"] },
    Way { keys: &["bearerToken"] },
    Way { keys: &["sshPrivateKey"] },
    Way { keys: &["githubAppPrivateKey", "githubAppID"] },
    Way { keys: &["gcpServiceAccountKey"] },
];
/// What it takes after it.
pub(crate) const AFTER_IDENTITY: Way = Way { keys: &["azureServicePrincipalClientSecret"] };

/// Whether the Secret has anything to sign in with, a client certificate included.
pub(crate) fn any(secret: &Registered<'_>) -> bool {
    BEFORE_IDENTITY.iter().chain([&AFTER_IDENTITY]).any(|way| secret.has(way.credential())) || secret.has("tlsClientCertData")
}
