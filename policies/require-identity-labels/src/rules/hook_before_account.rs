//! Reports hooks that run before their application has created the service account that they run as.
//!
//! ## What it does
//! Argo CD applies an application in phases (`PreSync`, `Sync`, `PostSync`), and each phase in waves; Helm runs its hooks before or after
//! everything else. A Job, Pod or Workflow that is a hook is reported if its service account belongs to the same application and comes in
//! a later phase or a later wave. Helm's `pre-install` and `pre-upgrade` count as `PreSync` where no hook of Argo CD is set, and
//! `helm.sh/hook-weight` as the wave where no `argocd.argoproj.io/sync-wave` is. In one wave the account comes first.
//!
//! The same application is what stands in the same folder. Accounts from elsewhere (another folder, `--context`) are there before, and so
//! is `default`. In a cluster nothing is reported: objects arrive there one by one.
//!
//! Where neither the hook nor the account has an annotation of Argo CD, Helm may be all that runs them. Of such a hook what Helm does at
//! an installation is told. If the account is there by then (the hook is one of `pre-upgrade` alone), the hook fails under Argo CD only,
//! which runs it at the first sync, too: that is recorded only.
//!
//! ## Why it is bad
//! At the first sync the account does not exist yet: the API server refuses the hook's pod, and so does Azure's webhook. The hook
//! never ends, and the phase that would create the account never begins.
//!
//! ## Example
//! ```yaml
//! apiVersion: v1
//! kind: ServiceAccount
//! metadata:
//!   name: migrate
//! ---
//! apiVersion: batch/v1
//! kind: Job
//! metadata:
//!   name: migrate
//!   annotations:
//!     argocd.argoproj.io/hook: PreSync
//! spec:
//!   template:
//!     spec:
//!       serviceAccountName: migrate
//! ```
//!
//! ## Use instead
//! ```yaml
//! apiVersion: v1
//! kind: ServiceAccount
//! metadata:
//!   name: migrate
//!   annotations:
//!     argocd.argoproj.io/hook: PreSync
//!     argocd.argoproj.io/sync-wave: "-1"
//! ---
//! apiVersion: batch/v1
//! kind: Job
//! metadata:
//!   name: migrate
//!   annotations:
//!     argocd.argoproj.io/hook: PreSync
//! spec:
//!   template:
//!     spec:
//!       serviceAccountName: migrate
//! ```
//!
//! ## References
//! Argo CD, "Sync Phases and Waves", and `gitops-engine/pkg/sync` (`sync_phase.go`, `sync_tasks.go`, `hook/helm/type.go`); Helm, "Chart
//! Hooks".

use fedward_kit::index;
use fedward_kit::node::Node;
use fedward_kit::rule::{Check, Condition, Report, Rule};
use fedward_kit::text;
use fedward_kit::workload::Account;

use crate::settings::Settings;

const LATER: Condition = Condition::warning("created-later", "the application creates the hook's service account in a later phase or wave");
const UNCERTAIN: Condition =
    Condition::info("perhaps-later", "the same for a hook that finds its account under Helm, or in a base that something patches");

/// The rule.
pub const RULE: Rule<Settings> = Rule {
    id: "hook-before-account",
    summary: "a hook runs before its application creates its service account",
    conditions: &[LATER, UNCERTAIN],
    supersedes: &[],
    check,
};

const HOOK: &str = "argocd.argoproj.io/hook";
const WAVE: &str = "argocd.argoproj.io/sync-wave";
const HELM_HOOK: &str = "helm.sh/hook";
const HELM_WEIGHT: &str = "helm.sh/hook-weight";

fn check(cx: &Check<'_, Settings>) {
    // Others make their pods at another time, and nothing waits for those.
    if !(cx.is("batch", "Job") || cx.is("", "Pod") || cx.is("argoproj.io", "Workflow")) {
        return;
    }
    let Some(hook) = Time::of(cx.object).filter(|hook| hook.by != By::Nobody) else { return };
    let mut seen: Vec<&str> = Vec::new();
    for pod in cx.pods() {
        let Account::Named { name, node } = pod.account else { continue };
        let skipped = name == "default" || seen.contains(&name) || !node.in_request() || text::classify(name) != text::Value::Plain;
        if skipped {
            continue;
        }
        seen.push(name);
        let Some(account) = index::own_account(cx.context, pod.namespace, name, node) else { continue };
        let Some(time) = Time::of(account).filter(|time| (time.phase, time.wave) > (hook.phase, hook.wave)) else { continue };
        let by = Runs::of(&hook, &time);
        let condition = if cx.request.is_final && by != Runs::Unless { &LATER } else { &UNCERTAIN };
        let message = by.message(&hook, name, &time);
        let help = match (hook.by, time.phase == hook.phase) {
            (_, true) if by == Runs::Helm => "give the account the hook's weight or a smaller one".to_owned(),
            (_, true) => "put the account into the hook's wave or an earlier one".to_owned(),
            (By::Helm, false) => {
                // An account that is made at upgrades only would be missing before the first.
                let same = if hook.at_install == Some(Phase::Pre) { "the same" } else { "`pre-install,pre-upgrade` as" };
                format!(
                    "give the account {same} `{HELM_HOOK}` and a smaller `{HELM_WEIGHT}`; if others run as it, give the hook one of its own: hooks are made anew each time"
                )
            }
            (By::Argo | By::Nobody, false) => format!(
                "make the account a hook of `{}` with an earlier `{WAVE}`; if others run as it, give the hook one of its own: hooks are made anew at each sync",
                hook.phase.name()
            ),
        };
        cx.report(Report::new(condition, node, message).help(help).related(account.get("metadata").get("name"), "the service account"));
    }
}

/// When an object is applied.
struct Time {
    phase: Phase,
    wave: i64,
    by: By,
    /// The phase of an installation by Helm alone; `None` where it then is not applied.
    at_install: Option<Phase>,
    /// Whether it has annotations of Argo CD.
    is_for_argo: bool,
}

/// Who runs a hook before its account is there.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Runs {
    /// Argo CD: its annotations say that it is what applies them.
    Argo,
    /// Helm, and Argo CD if it is what applies them.
    Helm,
    /// Argo CD if it is what applies them; Helm runs the hook when the account is there.
    Unless,
}

impl Runs {
    /// The same for a hook and an account that Argo CD applies later.
    fn of(hook: &Time, account: &Time) -> Self {
        if hook.is_for_argo || account.is_for_argo {
            return Runs::Argo;
        }
        // An account that an installation does not make is missing, too.
        let is_later = |phase| account.at_install.is_none_or(|other| (other, account.wave) > (phase, hook.wave));
        if hook.at_install.is_some_and(is_later) { Runs::Helm } else { Runs::Unless }
    }

    fn message(self, hook: &Time, name: &str, account: &Time) -> String {
        let [(phase, wave), (later, in_wave)] = [hook, account].map(|time| (time.phase.name(), time.wave));
        match self {
            Runs::Argo => {
                format!(
                    "the hook runs in phase `{phase}`, wave {wave}, as `{name}`, which the application creates in phase `{later}`, wave {in_wave}"
                )
            }
            Runs::Helm => {
                format!("the hook runs {} as `{name}`, which Helm creates {}", hook.in_helm(), account.in_helm())
            }
            Runs::Unless => format!(
                "Argo CD runs the hook at the first sync, too, in phase `{phase}`, wave {wave}, as `{name}`, which it creates in phase `{later}`, wave {in_wave}; Helm runs it when the account is there"
            ),
        }
    }
}

/// In the order of a sync.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Phase {
    Pre,
    Sync,
    Post,
    Fail,
}

impl Phase {
    fn name(self) -> &'static str {
        match self {
            Phase::Pre => "PreSync",
            Phase::Sync => "Sync",
            Phase::Post => "PostSync",
            Phase::Fail => "SyncFail",
        }
    }

    /// The phase of a hook of Argo CD, which tells letter cases apart.
    fn of_argo(hook: &str) -> Option<Self> {
        [Phase::Pre, Phase::Sync, Phase::Post, Phase::Fail].into_iter().find(|phase| phase.name() == hook)
    }

    fn of_helm(hook: &str) -> Option<Self> {
        match hook {
            "pre-install" | "pre-upgrade" => Some(Phase::Pre),
            "post-install" | "post-upgrade" => Some(Phase::Post),
            _ => None,
        }
    }
}

/// Who makes a hook of an object.
#[derive(Clone, Copy, PartialEq, Eq)]
enum By {
    Argo,
    Helm,
    Nobody,
}

impl Time {
    /// The first time that the object is applied in a sync; `None` where it never is.
    fn of(object: Node<'_>) -> Option<Self> {
        let annotations = object.peek("metadata").peek("annotations");
        Self::said(|key| annotations.peek(key).peek_str())
    }

    /// The same, from the values of annotations.
    fn said<'t>(value: impl Fn(&'static str) -> Option<&'t str>) -> Option<Self> {
        let list = |key| value(key).unwrap_or("").split(',').map(str::trim);
        let number = |key| value(key).and_then(|text| text.parse::<i64>().ok());
        let wave = number(WAVE).or_else(|| number(HELM_WEIGHT)).unwrap_or(0);
        let is_for_argo = value(HOOK).is_some() || value(WAVE).is_some();
        let time = |phase, by, at_install| Some(Time { phase, wave, by, at_install, is_for_argo });
        // What Argo CD knows of its own makes it ignore Helm's.
        if list(HOOK).any(|hook| Phase::of_argo(hook).is_some() || matches!(hook, "Skip" | "PreDelete" | "PostDelete")) {
            return time(list(HOOK).filter_map(Phase::of_argo).min()?, By::Argo, None);
        }
        match value(HELM_HOOK) {
            Some(hooks) if hooks != "crd-install" => {
                let at_install = list(HELM_HOOK).filter(|hook| hook.ends_with("-install")).filter_map(Phase::of_helm).min();
                time(list(HELM_HOOK).filter_map(Phase::of_helm).min()?, By::Helm, at_install)
            }
            // A value that Argo CD does not know makes an object that is never applied.
            _ if value(HOOK).is_some() => None,
            _ => time(Phase::Sync, By::Nobody, Some(Phase::Sync)),
        }
    }

    /// When Helm applies it in an installation, in words.
    fn in_helm(&self) -> String {
        match self.at_install {
            Some(Phase::Pre) => format!("at `pre-install` with weight {}", self.wave),
            Some(Phase::Sync) => "after every hook of `pre-install`".to_owned(),
            Some(Phase::Post | Phase::Fail) => format!("at `post-install` with weight {}", self.wave),
            None => "at upgrades only".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{HELM_HOOK, HELM_WEIGHT, HOOK, Runs, Time, WAVE};

    /// Annotations, and the phase and wave that they come to.
    type Case<'t> = (&'t [(&'t str, &'t str)], Option<(&'t str, i64)>);

    #[test]
    fn phases_and_waves_are_those_of_argo_cd() {
        let cases: [Case<'_>; 14] = [
            (&[], Some(("Sync", 0))),
            (&[(WAVE, "-3")], Some(("Sync", -3))),
            (&[(WAVE, "first"), (HELM_WEIGHT, "4")], Some(("Sync", 4))),
            (&[(HOOK, "PostSync, PreSync")], Some(("PreSync", 0))),
            (&[(HOOK, "Skip")], None),
            (&[(HOOK, "PostDelete")], None),
            (&[(HOOK, "presync")], None),
            (&[(HELM_HOOK, "pre-install,pre-upgrade"), (HELM_WEIGHT, "-5")], Some(("PreSync", -5))),
            (&[(HELM_HOOK, "pre-install"), (HELM_WEIGHT, "-5"), (WAVE, "2")], Some(("PreSync", 2))),
            (&[(HELM_HOOK, "post-install")], Some(("PostSync", 0))),
            (&[(HELM_HOOK, "crd-install")], Some(("Sync", 0))),
            (&[(HELM_HOOK, "test")], None),
            (&[(HELM_HOOK, "pre-install"), (HOOK, "Sync")], Some(("Sync", 0))),
            (&[(HELM_HOOK, "pre-install"), (HOOK, "presync")], Some(("PreSync", 0))),
        ];
        for (annotations, want) in cases {
            let value = |key: &str| annotations.iter().find(|(name, _)| *name == key).map(|(_, value)| *value);
            assert_eq!(Time::said(value).map(|time| (time.phase.name(), time.wave)), want, "{annotations:?}");
        }
    }

    #[test]
    fn helm_and_argo_cd_are_told_apart() {
        type Annotations<'t> = &'t [(&'t str, &'t str)];
        let cases: [(Annotations<'_>, Annotations<'_>, &str); 9] = [
            (&[(HELM_HOOK, "pre-install")], &[], "the hook runs at `pre-install` with weight 0"),
            (&[(HELM_HOOK, "pre-install")], &[(HELM_HOOK, "post-install")], "the hook runs at `pre-install`"),
            (&[(HELM_HOOK, "post-install")], &[(HELM_HOOK, "post-install"), (HELM_WEIGHT, "1")], "the hook runs at `post-install`"),
            (&[(HELM_HOOK, "pre-install")], &[(HELM_HOOK, "post-upgrade")], "the hook runs at `pre-install`"),
            (&[(HELM_HOOK, "pre-upgrade")], &[], "Argo CD runs the hook at the first sync, too"),
            (&[(HELM_HOOK, "pre-upgrade,post-install")], &[], "Argo CD runs the hook at the first sync, too"),
            (&[(HELM_HOOK, "pre-upgrade"), (WAVE, "1")], &[], "the hook runs in phase `PreSync`, wave 1"),
            (&[(HELM_HOOK, "pre-upgrade")], &[(HOOK, "Sync")], "the hook runs in phase `PreSync`, wave 0"),
            (&[(HOOK, "PreSync")], &[], "the hook runs in phase `PreSync`, wave 0"),
        ];
        for (hook, account, want) in cases {
            let time =
                |annotations: Annotations<'_>| Time::said(|key| annotations.iter().find(|(name, _)| *name == key).map(|(_, value)| *value));
            let message = time(hook).zip(time(account)).map(|(hook, account)| Runs::of(&hook, &account).message(&hook, "a", &account));
            assert!(message.as_ref().is_some_and(|message| message.starts_with(want)), "{hook:?} {account:?}: {message:?}");
        }
    }
}
