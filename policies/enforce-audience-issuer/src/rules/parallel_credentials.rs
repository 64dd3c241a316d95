//! Reports federated credentials of one identity that a template deploys at the same time.
//!
//! ## What it does
//! Looks at ARM templates, as they are written or as Bicep compiles them: credentials of the same identity of which neither waits for the
//! other by `dependsOn`, directly or through other resources, and loops (`copy`) of credentials of one identity without `mode: serial`, or
//! with batches of several. The later credential carries the finding.
//!
//! Nothing is said where the order, the identity or the deployment itself is not known: of a `dependsOn` that names something by an
//! expression which cannot be followed, of conditions that differ, of credentials in templates of their own.
//!
//! ## Why it is bad
//! Azure writes one credential of an identity at a time and refuses the others with 409 (conflict): the deployment fails, now and then.
//!
//! ## Example
//! ```json
//! {"type": "Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials", "name": "shop/main"},
//! {"type": "Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials", "name": "shop/release"}
//! ```
//!
//! ## Use instead
//! ```json
//! {"type": "Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials", "name": "shop/main"},
//! {"type": "Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials", "name": "shop/release",
//!  "dependsOn": ["[resourceId('Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials', 'shop', 'main')]"]}
//! ```
//!
//! ## References
//! Microsoft Entra workload identity federation, "Important considerations and restrictions" (concurrent updates); ARM: "Resource
//! iteration" (serial or parallel); Bicep: `@batchSize`.

use fedward_kit::rule::{Check, Condition, Report, Rule};
use fedward_kit::trust;

use crate::settings::Settings;

const LOOP: Condition = Condition::warning("loop", "a loop makes credentials of one identity at the same time");
const SIBLINGS: Condition = Condition::warning("siblings", "nothing orders two credentials of one identity");

/// The rule.
pub const RULE: Rule<Settings> = Rule {
    id: "parallel-credentials",
    summary: "a template makes several federated credentials of one identity at the same time",
    conditions: &[LOOP, SIBLINGS],
    supersedes: &[],
    check,
};

fn check(cx: &Check<'_, Settings>) {
    if !cx.is(trust::GROUP, "FederatedCredential") {
        return;
    }
    // Both are found where the whole template is known.
    let spec = cx.object.peek("spec");
    let (copy, beside) = (spec.peek("parallel"), spec.peek("beside"));
    if copy.is_present() {
        cx.report(
            Report::new(&LOOP, copy, "this loop makes credentials of one identity at the same time, and Azure refuses all but one")
                .help("add `\"mode\": \"serial\"` and `\"batchSize\": 1`; in Bicep `@batchSize(1)` above the resource"),
        );
    }
    if beside.is_present() {
        let report = Report::new(
            &SIBLINGS,
            spec.peek("name"),
            "this credential does not wait for another one of its identity: made at the same time, Azure refuses one of them",
        );
        cx.report(
            beside
                .peek_items()
                .fold(report, |report, other| report.related(other, "may be made at the same time"))
                .help("name the other credential in `dependsOn`, so that they are made one after the other"),
        );
    }
}
