//! What a policy is.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::Matching;

/// The kinds that hold policies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// `ClusterAdmissionPolicy`
    Cluster,
    /// `AdmissionPolicy`: for the objects of its own namespace.
    Namespaced,
    /// `ClusterAdmissionPolicyGroup`
    ClusterGroup,
    /// `AdmissionPolicyGroup`: for the objects of its own namespace.
    NamespacedGroup,
    /// An entry of a policy server's `policies.yml`.
    Server,
}

impl Kind {
    /// The kind as manifests spell it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Cluster => "ClusterAdmissionPolicy",
            Self::Namespaced => "AdmissionPolicy",
            Self::ClusterGroup => "ClusterAdmissionPolicyGroup",
            Self::NamespacedGroup => "AdmissionPolicyGroup",
            Self::Server => "policies.yml",
        }
    }

    /// Whether it is for the objects of one namespace.
    #[must_use]
    pub const fn is_namespaced(self) -> bool {
        matches!(self, Self::Namespaced | Self::NamespacedGroup)
    }

    /// Whether its manifests hold several policies and an expression.
    #[must_use]
    pub const fn is_group(self) -> bool {
        matches!(self, Self::ClusterGroup | Self::NamespacedGroup)
    }
}

/// Whether a rejection rejects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mode {
    /// It does.
    #[default]
    Protect,
    /// It is only logged.
    Monitor,
}

/// What an error of the webhook does, a condition that cannot be evaluated included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum FailurePolicy {
    /// The request is rejected.
    #[default]
    Fail,
    /// The policy does not count.
    Ignore,
}

/// A policy of a cluster.
#[derive(Debug, Clone, PartialEq)]
pub struct Policy {
    /// What holds it.
    pub kind: Kind,
    /// Its name; for `policies.yml` the key.
    pub name: String,
    /// Its namespace; `None` for cluster-wide ones.
    pub namespace: Option<String>,
    /// Whether it rejects.
    pub mode: Mode,
    /// Whether it may change objects. Groups never do.
    pub mutating: bool,
    /// What an error does.
    pub failure_policy: FailurePolicy,
    /// Replaces the policy's own message; for groups it is the message.
    pub message: Option<String>,
    /// Whether the audit scanner runs it.
    pub background_audit: bool,
    /// Seconds that the webhook's call may take, all evaluations together. `None` for `policies.yml`, which names no webhook.
    pub webhook_seconds: Option<u32>,
    /// Which requests reach it. `None` for `policies.yml`, which leaves that to webhooks that it does not name.
    pub matching: Option<Matching>,
    /// What is run.
    pub body: Body,
}

impl Policy {
    /// The name of the webhook configuration that the controller makes, by which the API server sorts
    /// (kubewarden-controller, `GetUniqueName`); for `policies.yml` the key.
    #[must_use]
    pub fn unique_name(&self) -> String {
        let (name, namespace) = (&self.name, self.namespace.as_deref().unwrap_or("default"));
        match self.kind {
            Kind::Cluster => format!("clusterwide-{name}"),
            Kind::Namespaced => format!("namespaced-{namespace}-{name}"),
            Kind::ClusterGroup => format!("clusterwide-group-{name}"),
            Kind::NamespacedGroup => format!("namespaced-group-{namespace}-{name}"),
            Kind::Server => name.clone(),
        }
    }
}

/// What a policy runs.
#[derive(Debug, Clone, PartialEq)]
pub enum Body {
    /// One module.
    Single(Member),
    /// Several, and what has to hold.
    Group {
        /// CEL over calls of the members: `a() && !b()`.
        expression: String,
        /// By name.
        members: BTreeMap<String, Member>,
    },
}

impl Body {
    /// The members with their names; a single one has the empty name.
    pub fn members(&self) -> impl Iterator<Item = (&str, &Member)> {
        let (single, group) = match self {
            Self::Single(member) => (Some(("", member)), None),
            Self::Group { members, .. } => (None, Some(members.iter().map(|(name, member)| (name.as_str(), member)))),
        };
        single.into_iter().chain(group.into_iter().flatten())
    }
}

/// A module with what it is given.
#[derive(Debug, Clone, PartialEq)]
pub struct Member {
    /// Where the module is, with its scheme: `registry://`, `https://`, `http://` or `file://`.
    pub module: String,
    /// Its settings.
    pub settings: Map<String, Value>,
    /// Where they stand in the manifest, as a JSON Pointer.
    pub settings_pointer: String,
    /// The resources that it may read.
    pub context_aware: Vec<Resource>,
    /// The host capabilities that it may use, as patterns (`*`, `oci/*`, `oci/v1/verify`). `None` where the manifest leaves them to
    /// the policy server: cluster-wide policies have all of them.
    pub host_capabilities: Option<Vec<String>>,
    /// How long one evaluation may take, in seconds.
    pub timeout_seconds: Option<u32>,
}

/// A kind that a policy may read, matched exactly.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resource {
    /// `v1`, `apps/v1` …
    pub api_version: String,
    /// The kind.
    pub kind: String,
}

/// A condition in CEL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    /// Its name.
    pub name: String,
    /// The expression.
    pub expression: String,
    /// Where the expression stands, as a JSON Pointer.
    pub pointer: String,
}

/// Something that is wrong with a manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Where, as a JSON Pointer; what is absent is named all the same.
    pub pointer: String,
    /// What.
    pub message: String,
    /// Whether the policy cannot be used because of it. Others (an unknown field, which the API server drops) are warnings.
    pub fatal: bool,
}
