//! Reports tokens that are mounted by `subPath`, and so are never renewed.
//!
//! ## What it does
//! Looks for mounts of a volume with a projected service account token whose `subPath` is the token's file, or a folder above it.
//!
//! ## Why it is bad
//! The kubelet renews a token by pointing a link in the volume to a new file. A mount with a `subPath` shows the file that was there when
//! the container started: after the token's life, an hour by default, nobody accepts it any more, until the container starts again.
//!
//! ## Example
//! ```yaml
//! volumeMounts:
//!   - name: token
//!     mountPath: /var/run/secrets/tokens/azure-identity-token
//!     subPath: azure-identity-token
//! ```
//!
//! ## Use instead
//! ```yaml
//! volumeMounts:
//!   - name: token
//!     mountPath: /var/run/secrets/tokens
//! ```
//!
//! ## References
//! kubernetes/kubernetes issue 50345; Kubernetes, "Projected volumes" ("a container using a projected volume source as a `subPath` volume
//! mount will not receive updates").

use fedward_kit::finding::PatchStep;
use fedward_kit::node::Node;
use fedward_kit::projection::join;
use fedward_kit::rule::{Check, Condition, Report, Rule};
use fedward_kit::workload::Container;

use crate::mounts::{Volumes, inside, mounts, tidy, tokens_of};
use crate::settings::Settings;

const STALE: Condition = Condition::warning("sub-path", "a token is mounted by `subPath`");

/// The rule.
pub const RULE: Rule<Settings> = Rule {
    id: "stale-token-mount",
    summary: "a token is mounted by `subPath`, so that it is never renewed",
    conditions: &[STALE],
    supersedes: &[],
    check,
};

fn check(cx: &Check<'_, Settings>) {
    for pod in cx.pods() {
        let volumes = Volumes::of(pod);
        for container in &pod.containers {
            for mount in mounts(*container).filter(|mount| mount.in_request()) {
                let Some(part) = mount.get("subPath").filled().map(|path| join(path, "")) else { continue };
                let Some(volume) = volumes.mounted(mount) else { continue };
                let is_inside = |path: &str| inside(&part, &join(path, "")).is_some();
                let Some(token) = tokens_of(volume).into_iter().find(|token| token.path.str().is_some_and(is_inside)) else { continue };
                let message = format!("the token `{}` is mounted by `subPath`: it is never renewed", token.path.str().unwrap_or(""));
                let report = Report::new(&STALE, mount.get("subPath"), message)
                    .help("mount the whole volume at a folder of its own")
                    .related(token.path, "the token's path in the volume");
                let folder =
                    folder(*container, mount, &part).filter(|_| inside(&part, &join(token.path.str().unwrap_or(""), "")) == Some(""));
                cx.report(match folder {
                    Some(folder) => {
                        let mut fix = PatchStep::set(mount.get("mountPath"), &folder);
                        fix.extend(PatchStep::remove(mount.get("subPath")));
                        report.fix(fix)
                    }
                    None => report,
                });
            }
        }
    }
}

/// Where the whole volume can be mounted so that the token stays at its path. Only where nothing but secrets can be hidden by it.
fn folder<'a>(container: Container<'a>, mount: Node<'a>, part: &str) -> Option<String> {
    let path = mount.text("mountPath")?;
    let folder = join(path, "").strip_suffix(part)?.to_owned();
    let tidied = tidy(&folder).filter(|folder| inside("/var/run/secrets", folder).is_some_and(|rest| !rest.is_empty()))?;
    let is_taken = mounts(container).any(|other| other.text("mountPath").and_then(tidy).is_none_or(|other| other == tidied));
    (!is_taken).then_some(folder)
}
