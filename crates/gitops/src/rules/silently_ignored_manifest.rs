//! Reports manifests that Argo CD passes over without a word.
//!
//! ## What it does
//! Of a folder of plain manifests, Argo CD reads every file with the extension of one. A file that it cannot read, before any object in it
//! could be read, is an error only if all of `apiVersion:`, `kind:` and `metadata:` are in it. Otherwise it is taken for something else, such
//! as a file of values. One of these that has the words of a manifest all the same is reported.
//!
//! ## Why it is bad
//! The object is not deployed, and if it was, it is deleted with the next sync that prunes. Nothing tells of it: the Application is healthy
//! and in sync.
//!
//! ## Example
//! ```text
//! apiVersion: v1
//! kind: ServiceAccount
//! metdata:
//!   name: [shop
//! ```
//!
//! ## Use instead
//! ```yaml
//! apiVersion: v1
//! kind: ServiceAccount
//! metadata:
//!   name: shop
//! ```
//!
//! ## References
//! Argo CD `reposerver/repository/repository.go`, `getObjsFromYAMLOrJSON`.

use fedward_kit::policy::RuleDescriptor;
use fedward_kit::rule::Condition;

use super::{Check, Report};

const IGNORED: Condition = Condition::error("ignored", "a file that looks like a manifest is passed over");

pub(super) const RULE: RuleDescriptor = RuleDescriptor {
    id: "silently-ignored-manifest",
    summary: "a manifest that Argo CD passes over without a word",
    conditions: &[IGNORED],
    supersedes: &[],
};

pub(super) fn check(check: &Check<'_>) -> Vec<Report> {
    let sources = check.discovery.applications.iter().flat_map(|application| &application.sources);
    let ignored = sources.flat_map(|source| &source.ignored).filter(|ignored| ignored.looks_like_manifest);
    ignored
        .map(|ignored| {
            let message = format!("Argo CD passes this file over without a word, although it looks like a manifest: {}", ignored.reason);
            Report::on_file(&IGNORED, &ignored.file, message).help("mend it, or say `+argocd:skip-file-rendering` in a comment")
        })
        .collect()
}
