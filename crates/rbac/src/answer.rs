//! Answers, in Kubernetes' words.

use std::fmt::Write as _;

/// Where an object comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Source {
    /// A loaded object: its position among those that the index was made of. Of copies that are the same it is the first.
    Loaded(usize),
    /// An object that every cluster has.
    BuiltIn,
}

/// The kinds that a role reference can name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RoleKind {
    /// A role, of the binding's own namespace.
    Role,
    /// A cluster role.
    ClusterRole,
}

impl RoleKind {
    /// The kind as manifests write it.
    pub fn as_str(self) -> &'static str {
        match self {
            RoleKind::Role => "Role",
            RoleKind::ClusterRole => "ClusterRole",
        }
    }
}

/// What RBAC says. It never denies: where it has no opinion, another authorizer may still allow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// It is allowed.
    Allowed(Grant),
    /// Nothing that is loaded allows it. With errors it is not known whether something does; without, it is as sure as the
    /// loaded objects are complete. At most [`MAX_ERRORS`](crate::MAX_ERRORS), in the order of the bindings' namespaces and names.
    NoOpinion(Vec<EvaluationError>),
}

/// What allows an action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Grant {
    /// The group `system:masters`, which the API server lets do everything before RBAC is asked.
    SystemMasters,
    /// A binding. Of several the first counts: cluster role bindings before role bindings, then by name.
    Binding {
        /// The binding.
        binding: Source,
        /// Which of its `subjects`.
        subject: usize,
        /// The role that it names.
        role: Source,
        /// The role whose rule it is: another one if the role is aggregated.
        rules_of: Source,
        /// Which of its `rules`.
        rule: usize,
        /// The binding as Kubernetes describes it: `ClusterRoleBinding "x" of ClusterRole "y" to User "z"`.
        description: String,
    },
}

/// Why it is not known whether a binding allows an action.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EvaluationError {
    /// A binding's role is not loaded (Kubernetes' text).
    #[error("{}.rbac.authorization.k8s.io {} not found", kind.as_str().to_ascii_lowercase(), quoted(name))]
    RoleNotFound {
        /// The kind of the role.
        kind: RoleKind,
        /// Its namespace; empty for a cluster role.
        namespace: String,
        /// Its name.
        name: String,
        /// The binding.
        binding: Source,
    },
    /// Several objects of one name differ, and not all of them allow it.
    #[error("several differing copies of {kind} `{name}`")]
    Ambiguous {
        /// The kind of the object.
        kind: &'static str,
        /// Its namespace; empty for a cluster-scoped one.
        namespace: String,
        /// Its name.
        name: String,
        /// The first of the copies.
        first: Source,
    },
    /// The rules that are written in an aggregated cluster role allow it, but none that is aggregated does: either they are what
    /// the control plane made of roles that are not loaded, or it will overwrite them.
    #[error("the rules of the aggregated ClusterRole `{name}` are overwritten by the control plane")]
    AggregatedRules {
        /// Its name.
        name: String,
        /// The role.
        role: Source,
    },
    /// The question would take too long to answer.
    #[error("more bindings and rules than one question is worth")]
    TooMuch,
}

impl Decision {
    /// Whether it is allowed.
    pub fn is_allowed(&self) -> bool {
        matches!(self, Decision::Allowed(_))
    }

    /// Whether more objects, or fewer copies of them, could change the answer: it is not allowed, but a binding could not be judged.
    pub fn is_uncertain(&self) -> bool {
        matches!(self, Decision::NoOpinion(errors) if !errors.is_empty())
    }

    /// `status.reason` of a `SubjectAccessReview`; may be empty, as it is for `system:masters`.
    ///
    /// The texts are those of `Authorize` in Kubernetes' `plugin/pkg/auth/authorizer/rbac/rbac.go`, errors joined as
    /// `utilerrors.NewAggregate` joins them.
    pub fn reason(&self) -> String {
        match self {
            Decision::Allowed(Grant::SystemMasters) => String::new(),
            Decision::Allowed(Grant::Binding { description, .. }) => format!("RBAC: allowed by {description}"),
            Decision::NoOpinion(errors) => {
                let mut texts: Vec<String> = Vec::new();
                for text in errors.iter().map(ToString::to_string) {
                    if !texts.contains(&text) {
                        texts.push(text);
                    }
                }
                match texts.as_slice() {
                    [] => String::new(),
                    [only] => format!("RBAC: {only}"),
                    _ => format!("RBAC: [{}]", texts.join(", ")),
                }
            }
        }
    }
}

/// A text in quotes, as Go's `%q` writes it.
pub(crate) fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for letter in text.chars() {
        let written = match letter {
            '"' | '\\' => write!(out, "\\{letter}"),
            '\u{7}' => write!(out, "\\a"),
            '\u{8}' => write!(out, "\\b"),
            '\u{c}' => write!(out, "\\f"),
            '\n' => write!(out, "\\n"),
            '\r' => write!(out, "\\r"),
            '\t' => write!(out, "\\t"),
            '\u{b}' => write!(out, "\\v"),
            '\0'..='\u{1f}' | '\u{7f}' => write!(out, "\\x{:02x}", u32::from(letter)),
            // Go escapes what is not printable. Other invisible characters than these are left as they are.
            _ if letter != ' ' && (letter.is_control() || letter.is_whitespace()) => write!(out, "\\u{:04x}", u32::from(letter)),
            _ => write!(out, "{letter}"),
        };
        // Writing to a string does not fail.
        let _ = written;
    }
    out.push('"');
    out
}
