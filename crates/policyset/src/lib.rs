//! Kubewarden's policy manifests: what they say, and which requests reach them.
//!
//! [`read()`] takes a `ClusterAdmissionPolicy`, an `AdmissionPolicy` or a policy group (`policies.kubewarden.io`, every served version),
//! [`read_server`] the `policies.yml` of a policy server. Both give what they understood and every [`Problem`], each with a JSON Pointer
//! into the manifest. [`Matching`] then decides as the API server does for the webhook that Kubewarden's controller makes of the policy.
//!
//! Nothing here runs a module, evaluates CEL or knows files: the engine does.

mod at;
pub mod fields;
mod matching;
mod names;
mod read;
mod rules;
mod selector;
mod server;
mod spec;

pub use fields::fields;
pub use matching::{AsksForLabels, Attributes, Matching, Miss, Reach, Rule, Scope};
pub use read::{is_policy, read};
pub use selector::{LabelSelector, Labels};
pub use server::read_server;
pub use spec::{Body, Condition, FailurePolicy, Kind, Member, Mode, Policy, Problem, Resource};
