//! Reports words about syncing that Argo CD does not know.
//!
//! ## What it does
//! The annotations `argocd.argoproj.io/hook`, `hook-delete-policy`, `sync-wave`, `sync-options` and `compare-options` of all rendered objects
//! are looked at, and the `syncOptions` of Applications. Hooks are PreSync, Sync, PostSync, SyncFail, PreDelete, PostDelete and Skip, with
//! these capitals. Options are compared as a whole, so that `Prune=False` and `Prune = false` are none.
//!
//! ## Why it is bad
//! An object whose hook is none of these is a hook of no phase: it is neither applied nor reported. A wave that is no whole number is 0, a
//! policy or an option that is not known is passed over: what `Prune=False` was to keep is deleted.
//!
//! ## Example
//! ```yaml
//! apiVersion: batch/v1
//! kind: Job
//! metadata:
//!   name: migrate
//!   annotations:
//!     argocd.argoproj.io/hook: presync
//! ```
//!
//! ## Use instead
//! ```yaml
//! apiVersion: batch/v1
//! kind: Job
//! metadata:
//!   name: migrate
//!   annotations:
//!     argocd.argoproj.io/hook: PreSync
//! ```
//!
//! ## References
//! Argo CD `docs/user-guide/sync-waves.md`, `docs/user-guide/sync-options.md`, `docs/user-guide/compare-options.md`; `pkg/sync/hook/hook.go` of its engine.

use fedward_kit::policy::RuleDescriptor;
use fedward_kit::rule::Condition;

use super::{Check, Report};
use crate::place::Place;

const HOOK: Condition = Condition::error("hook", "a hook of no phase: the object is never applied");
const WAVE: Condition = Condition::warning("wave", "a wave that is no whole number counts as 0");
const POLICY: Condition = Condition::warning("delete-policy", "a delete policy that Argo CD does not know");
const OPTION: Condition = Condition::warning("option", "a sync option that Argo CD does not know");
const VALUE: Condition = Condition::warning("value", "a sync option whose value Argo CD does not know");
const COMPARE: Condition = Condition::warning("compare-option", "an option of comparing that Argo CD does not know");

pub(super) const RULE: RuleDescriptor = RuleDescriptor {
    id: "unknown-sync-word",
    summary: "a hook, wave, policy or option of syncing that Argo CD does not know",
    conditions: &[HOOK, WAVE, POLICY, OPTION, VALUE, COMPARE],
    supersedes: &[],
};

const HOOKS: [&str; 7] = ["PreSync", "Sync", "PostSync", "SyncFail", "PreDelete", "PostDelete", "Skip"];
const POLICIES: [&str; 3] = ["HookSucceeded", "HookFailed", "BeforeHookCreation"];
/// With what they can be; some count for Applications only.
const OPTIONS: [(&str, &[&str]); 14] = [
    ("Prune", &["true", "false", "confirm"]),
    ("Delete", &["true", "false", "confirm"]),
    ("Validate", FLAG),
    ("PruneLast", FLAG),
    ("Replace", FLAG),
    ("Force", FLAG),
    ("ServerSideApply", FLAG),
    ("SkipDryRunOnMissingResource", FLAG),
    ("ClientSideApplyMigration", FLAG),
    ("CreateNamespace", FLAG),
    ("ApplyOutOfSyncOnly", FLAG),
    ("FailOnSharedResource", FLAG),
    ("PrunePropagationPolicy", &["foreground", "background", "orphan"]),
    ("RespectIgnoreDifferences", FLAG),
];
const FLAG: &[&str] = &["true", "false"];
/// What `compare-options` has.
const COMPARISONS: [&str; 5] =
    ["IgnoreExtraneous", "ServerSideDiff=true", "ServerSideDiff=false", "IncludeMutationWebhook=true", "IncludeMutationWebhook=false"];

pub(super) fn check(check: &Check<'_>) -> Vec<Report> {
    let mut reports = Vec::new();
    for application in &check.discovery.applications {
        for option in application.object.at(&["spec", "syncPolicy"]).into_iter().flat_map(|policy| policy.list("syncOptions")) {
            options([option.as_str().unwrap_or_default()].into_iter(), &option.place, &mut reports);
        }
        for resource in &application.resources {
            let document = resource.manifest.place.document();
            let annotations = resource.manifest.node().find("/metadata/annotations");
            let written = |key: &str| {
                let node = annotations?.get(&format!("argocd.argoproj.io/{key}"))?;
                Some((node.as_str()?, Place::new(document, node)))
            };
            if let Some((text, place)) = written("hook") {
                let known = words(text).any(|word| HOOKS.contains(&word));
                for word in words(text).filter(|word| !HOOKS.contains(word)) {
                    let meant =
                        HOOKS.iter().find(|hook| hook.eq_ignore_ascii_case(word)).map(|hook| format!(" (`{hook}` is)")).unwrap_or_default();
                    let fate = if known { "is passed over" } else { "makes a hook of no phase: the object is never applied" };
                    reports.push(Report::at(&HOOK, &place, format!("`{word}` is no hook{meant} and {fate}")));
                }
            }
            if let Some((text, place)) = written("hook-delete-policy") {
                for word in words(text).filter(|word| !POLICIES.contains(word)) {
                    let message = format!("`{word}` is no delete policy of hooks: those are {}", POLICIES.join(", "));
                    reports.push(Report::at(&POLICY, &place, message));
                }
            }
            if let Some((text, place)) = written("sync-wave") {
                let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
                if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
                    reports.push(Report::at(&WAVE, &place, format!("`{text}` is no whole number, and counts as wave 0")));
                }
            }
            if let Some((text, place)) = written("sync-options") {
                options(words(text), &place, &mut reports);
            }
            if let Some((text, place)) = written("compare-options") {
                for word in words(text).filter(|word| !COMPARISONS.contains(word)) {
                    let message = format!("`{word}` is no option of comparing and is passed over: there are {}", COMPARISONS.join(", "));
                    reports.push(Report::at(&COMPARE, &place, message));
                }
            }
        }
    }
    reports
}

fn options<'t>(words: impl Iterator<Item = &'t str>, place: &Place, reports: &mut Vec<Report>) {
    for word in words {
        let (name, value) = word.split_once('=').map_or((word, None), |(name, value)| (name, Some(value)));
        let Some((_, values)) = OPTIONS.iter().find(|(option, _)| *option == name.trim()) else {
            let meant = OPTIONS.iter().map(|(option, _)| *option).find(|option| option.eq_ignore_ascii_case(name.trim()));
            let meant = meant.map(|option| format!(" (`{option}` is)")).unwrap_or_default();
            reports.push(Report::at(&OPTION, place, format!("`{}` is no sync option{meant} and is passed over", name.trim())));
            continue;
        };
        if !value.is_some_and(|value| values.contains(&value)) || name != name.trim() {
            let all: Vec<String> = values.iter().map(|value| format!("`{}={value}`", name.trim())).collect();
            let message = format!("sync option `{word}` is passed over: there are {}", all.join(", "));
            reports.push(Report::at(&VALUE, place, message).help("write it with these capitals and without spaces"));
        }
    }
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(',').map(str::trim).filter(|word| !word.is_empty())
}
