//! Who may do what: the answers of Kubernetes' RBAC authorizer, computed from objects.
//!
//! [`Rbac::new`] reads `Role`, `ClusterRole`, `RoleBinding` and `ClusterRoleBinding` objects once; [`Rbac::decide`] answers what a
//! `SubjectAccessReview` asks. Semantics are those of Kubernetes 1.37 (`plugin/pkg/auth/authorizer/rbac`,
//! `pkg/registry/rbac/validation`, `pkg/apis/rbac`), and its page "Using RBAC Authorization" in prose. What goes beyond it:
//!
//! * **Aggregated cluster roles** have the rules that the control plane's aggregation controller would give them: those of every
//!   cluster role that a selector selects, and what these aggregate in turn. Rules that an aggregated role is written with are
//!   overwritten in a cluster, so they allow nothing, but an answer that hangs on them is not known
//!   ([`EvaluationError::AggregatedRules`]).
//! * **Roles and bindings that every cluster has** are there without being loaded: `cluster-admin`, `admin`, `edit`, `view`, what
//!   these aggregate, and what every authenticated user may do. A loaded object of the same kind and name takes their place.
//! * **Copies.** A cluster has one object of a kind, namespace and name; files may have several. Copies that are the same are one.
//!   Where they differ, an action is allowed if all of them allow it, and not known if some do ([`EvaluationError::Ambiguous`]).
//!   So the order of objects never matters.
//! * **Refused objects.** What the API server does not accept grants nothing ([`Rbac::refused`]).
//!
//! Only RBAC is asked. The node authorizer, webhooks and other authorizers of a cluster may allow more.
//!
//! ```
//! use fedward_rbac::{Action, Rbac, ResourceAttributes, User};
//!
//! let binding = serde_json::json!({
//!     "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding",
//!     "metadata": { "name": "readers", "namespace": "shop" },
//!     "roleRef": { "kind": "ClusterRole", "name": "view" },
//!     "subjects": [{ "kind": "ServiceAccount", "name": "till" }],
//! });
//! let rbac = Rbac::new([binding]);
//! let action = |verb: &str| {
//!     Action::Resource(ResourceAttributes { verb: verb.into(), resource: "pods".into(), namespace: "shop".into(), ..Default::default() })
//! };
//! let decision = rbac.decide(&User::service_account("shop", "till"), &action("list"));
//! assert_eq!(decision.reason(), r#"RBAC: allowed by RoleBinding "readers/shop" of ClusterRole "view" to ServiceAccount "till/shop""#);
//! assert!(!rbac.decide(&User::service_account("shop", "till"), &action("delete")).is_allowed());
//! ```

mod answer;
mod builtin;
mod decide;
mod index;
mod names;
mod object;
mod question;
mod read;
mod rule;
mod rules;
mod selector;

pub use answer::{Decision, EvaluationError, Grant, RoleKind, Source};
pub use builtin::KUBERNETES_VERSION;
pub use decide::{MAX_ERRORS, MAX_WORK};
pub use index::Rbac;
pub use object::Refusal;
pub use question::{Action, NonResourceAttributes, ResourceAttributes, User};
pub use rule::Rule;
pub use rules::RoleRules;
