//! Reports projects that Argo CD does not accept, or that permit something else than they seem to.
//!
//! ## What it does
//! Fields of another type than the API has, `!*` (which would deny everything), entries that stand twice, patterns that match nothing, and
//! sync windows that are for nothing or have no time are reported. A pattern for repositories with `{` in it matches nothing: Argo CD escapes
//! the brace before it compares. A schedule has five fields and no words like `@daily`, the day of the week ends with 6; a duration is one of
//! Go's, which has hours and no days. Time zones are not looked at: Argo CD takes UTC for one that it does not know.
//!
//! ## Why it is bad
//! Argo CD refuses the project through its own API and marks it otherwise; or an Application that was meant to be permitted is not. A window
//! whose time cannot be read opens never, and its error keeps Applications from being synced at all.
//!
//! ## Example
//! ```yaml
//! apiVersion: argoproj.io/v1alpha1
//! kind: AppProject
//! metadata: {name: shop, namespace: argocd}
//! spec:
//!   sourceRepos: ['https://git.example/{shop,web}/*']
//!   syncWindows:
//!   - {kind: deny, schedule: '0 22 * * *', duration: 8h}
//!   - {kind: deny, schedule: '@weekly', duration: 1d, applications: ['*']}
//! ```
//!
//! ## Use instead
//! ```yaml
//! apiVersion: argoproj.io/v1alpha1
//! kind: AppProject
//! metadata: {name: shop, namespace: argocd}
//! spec:
//!   sourceRepos: ['https://git.example/shop/*', 'https://git.example/web/*']
//!   syncWindows:
//!   - {kind: deny, schedule: '0 22 * * *', duration: 8h, applications: ['*']}
//!   - {kind: deny, schedule: '0 0 * * 0', duration: 24h, applications: ['*']}
//! ```
//!
//! ## References
//! Argo CD `pkg/apis/application/v1alpha1/app_project_types.go`, `ValidateProject`, `SyncWindow`; `util/git/git.go`, `NormalizeGitURL`.

use fedward_kit::policy::RuleDescriptor;
use fedward_kit::rule::Condition;

use std::collections::HashSet;

use super::{Check, Report};
use crate::glob::Glob;
use crate::schedule::{is_duration, schedule_problem};
use crate::shape::{PROJECT, mismatch};
use crate::value::Value;

const REFUSED: Condition = Condition::error("refused", "Argo CD does not accept the project");
const PATTERN: Condition = Condition::warning("pattern", "a pattern that matches nothing");

pub(super) const RULE: RuleDescriptor = RuleDescriptor {
    id: "malformed-project",
    summary: "a project that Argo CD does not accept or reads otherwise",
    conditions: &[REFUSED, PATTERN],
    supersedes: &[],
};

pub(super) fn check(check: &Check<'_>) -> Vec<Report> {
    let mut reports = Vec::new();
    for project in &check.discovery.projects {
        if let Some((place, message)) = mismatch(&project.object, &PROJECT, "") {
            reports.push(Report::at(&REFUSED, &place, message));
            continue;
        }
        let Some(spec) = project.object.get("spec") else { continue };
        lists(spec, &mut reports);
        roles(spec, &mut reports);
        windows(spec, &mut reports);
    }
    reports
}

fn lists(spec: &Value, reports: &mut Vec<Report>) {
    for key in ["sourceRepos", "sourceNamespaces"] {
        let mut seen = HashSet::new();
        for item in spec.list(key) {
            let text = item.as_str().unwrap_or_default();
            if text == "!*" && key == "sourceRepos" {
                reports.push(Report::at(&REFUSED, &item.place, "`!*` denies every repository, and Argo CD refuses it"));
            } else if !seen.insert(text) {
                reports.push(Report::at(&REFUSED, &item.place, format!("`{text}` stands twice in `{key}`")));
            }
            if key == "sourceRepos" && text.contains(['{', '}']) {
                let message = format!("`{text}` matches nothing: Argo CD escapes braces before it compares repositories");
                reports.push(Report::at(&PATTERN, &item.place, message).help("write an entry for each"));
            }
        }
    }
    let mut seen = HashSet::new();
    for destination in spec.list("destinations") {
        for key in ["name", "server", "namespace"] {
            let Some(value) = destination.get(key) else { continue };
            let text = value.as_str().unwrap_or_default();
            if text == "!*" {
                reports.push(Report::at(&REFUSED, &value.place, format!("`!*` as `{key}` denies everything, and Argo CD refuses it")));
            } else if Glob::crossing(text.strip_prefix('!').unwrap_or(text)).is_err() {
                reports.push(Report::at(&PATTERN, &value.place, format!("`{text}` is no pattern, and matches nothing")));
            }
        }
        let cluster = if destination.text("server").is_empty() { destination.text("name") } else { destination.text("server") };
        if !seen.insert((cluster, destination.text("namespace"))) {
            let message = format!("destination `{cluster}/{}` stands twice", destination.text("namespace"));
            reports.push(Report::at(&REFUSED, &destination.place, message));
        }
    }
}

fn roles(spec: &Value, reports: &mut Vec<Report>) {
    let mut seen = HashSet::new();
    for role in spec.list("roles") {
        if !seen.insert(role.text("name")) {
            reports.push(Report::at(&REFUSED, &role.place, format!("there are two roles `{}`", role.text("name"))));
        }
        for key in ["policies", "groups"] {
            let mut seen = HashSet::new();
            for item in role.list(key).filter(|item| !seen.insert(item.as_str().unwrap_or_default())) {
                let message = format!("`{}` stands twice in `{key}` of role `{}`", item.as_str().unwrap_or_default(), role.text("name"));
                reports.push(Report::at(&REFUSED, &item.place, message));
            }
        }
    }
}

fn windows(spec: &Value, reports: &mut Vec<Report>) {
    let mut seen = HashSet::new();
    for window in spec.list("syncWindows") {
        if ["applications", "namespaces", "clusters"].iter().all(|key| window.list(key).next().is_none()) {
            let message = "a window needs `applications`, `namespaces` or `clusters`";
            reports.push(Report::at(&REFUSED, &window.place, message));
        }
        if !matches!(window.text("kind"), "allow" | "deny") {
            let place = window.get("kind").map_or(&window.place, |kind| &kind.place);
            reports.push(Report::at(&REFUSED, place, format!("`{}` is no kind of window: `allow` and `deny` are", window.text("kind"))));
        }
        let field = |key: &str| (window.text(key), window.get(key).map_or(&window.place, |value| &value.place));
        for key in ["schedule", "duration"].iter().filter(|key| window.text(key).is_empty()) {
            reports.push(Report::at(&REFUSED, &window.place, format!("a window needs a `{key}`")));
        }
        let (schedule, place) = field("schedule");
        if !schedule.is_empty()
            && let Some(problem) = schedule_problem(schedule)
        {
            let message = format!("`{schedule}` is no schedule: {problem}");
            reports.push(Report::at(&REFUSED, place, message).help("write one as `0 22 * * 1-5`"));
        }
        let (duration, place) = field("duration");
        if !duration.is_empty() && !is_duration(duration) {
            let message = format!("`{duration}` is no duration: it is a number with `h`, `m` or `s`, or several of these");
            reports.push(Report::at(&REFUSED, place, message).help("write one as `8h` or `1h30m`; there are no days, so a day is `24h`"));
        }
        // Which fields make two windows one differs between versions of Argo CD: all of them always do.
        if !seen.insert(window.to_json().to_string()) {
            reports.push(Report::at(&REFUSED, &window.place, "this window stands twice"));
        }
    }
}
