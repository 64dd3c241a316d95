//! The policy manifest that a finding is of.

use std::fmt;

use crate::{Finding, Location};

/// The manifest of a policy that ran: a Kubernetes object, or an entry of a policy server's file.
#[derive(Debug, Clone)]
pub struct Manifest {
    /// Its kind; for an entry of a policy server's file the name that such files have, `policies.yml`.
    pub kind: &'static str,
    /// Its namespace; empty for what has none.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Where it is.
    pub location: Location,
    /// Whether another policy of the run has the same module, so that neither a rule nor a module says whose a finding is.
    pub shares_module: bool,
}

impl fmt::Display for Manifest {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let slash = if self.namespace.is_empty() { "" } else { "/" };
        let (file, line) = (self.location.source.name(), self.location.start().line);
        write!(out, "{} {}{slash}{} ({file}:{line})", self.kind, self.namespace, self.name)
    }
}

impl Finding {
    /// The policy manifests that it is of, as a person is told: the first few.
    #[must_use]
    pub fn said_by(&self) -> Option<String> {
        let all: Vec<String> = self.manifests.iter().map(ToString::to_string).collect();
        (!all.is_empty()).then(|| crate::few(&all))
    }

    /// Whether a person has to be told which policy it is of: several have its module, and no place that is shown with it is the policy's.
    #[must_use]
    pub fn is_ambiguous(&self) -> bool {
        let is_shown = |location: &Location| {
            let is_it = |other: &Location| other.source.name() == location.source.name() && other.span == location.span;
            self.related.iter().any(|related| is_it(&related.location))
        };
        self.manifests.iter().any(|manifest| manifest.shares_module && !is_shown(&manifest.location))
    }
}
