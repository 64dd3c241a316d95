//! Reports variables that name a file beside the token that is mounted there.
//!
//! ## What it does
//! `AZURE_FEDERATED_TOKEN_FILE` and `AWS_WEB_IDENTITY_TOKEN_FILE` must name the file that results from the mount's `mountPath` and the
//! token's `path`. Reported is a file that lies in the mount of a volume with a projected token, where nothing of the volume has that
//! name. Of several mounts the one nearest to the file counts.
//!
//! Not reported: values with `$(…)`, paths of Windows, mounts with a `subPath`, volumes of another type, and volumes that also project
//! whole Secrets or ConfigMaps, whose files are not known. A file that no mount covers is `dangling-token`'s matter.
//!
//! ## Why it is bad
//! The SDK finds no file and fails, or silently tries the next kind of credential.
//!
//! ## Example
//! ```yaml
//! containers:
//!   - name: api
//!     env:
//!       - name: AZURE_FEDERATED_TOKEN_FILE
//!         value: /var/run/secrets/tokens/azure-token
//!     volumeMounts:
//!       - name: token
//!         mountPath: /var/run/secrets/tokens
//! volumes:
//!   - name: token
//!     projected:
//!       sources:
//!         - serviceAccountToken:
//!             path: azure-identity-token
//!             audience: api://AzureADTokenExchange
//! ```
//!
//! ## Use instead
//! ```yaml
//! containers:
//!   - name: api
//!     env:
//!       - name: AZURE_FEDERATED_TOKEN_FILE
//!         value: /var/run/secrets/tokens/azure-identity-token
//!     volumeMounts:
//!       - name: token
//!         mountPath: /var/run/secrets/tokens
//! volumes:
//!   - name: token
//!     projected:
//!       sources:
//!         - serviceAccountToken:
//!             path: azure-identity-token
//!             audience: api://AzureADTokenExchange
//! ```
//!
//! ## References
//! Kubernetes, "Configure service accounts for pods" (token volume projection); Azure Identity SDKs, `WorkloadIdentityCredential`; AWS
//! SDKs, web identity credentials.

use fedward_kit::finding::PatchStep;
use fedward_kit::identity::Provider;
use fedward_kit::node::Node;
use fedward_kit::projection::{Token, join};
use fedward_kit::rule::{Check, Condition, Report, Rule};
use fedward_kit::{audience, text, token_use};

use crate::mounts::{FILES, Volumes, covering, tidy, tokens_of};
use crate::settings::Settings;

const MISMATCH: Condition = Condition::error("mismatch", "the mounted token is another file than the variable names");
const DRAFT: Condition = Condition::info("draft", "the same, on a base that something patches");

/// The rule.
pub const RULE: Rule<Settings> = Rule {
    id: "token-path-mismatch",
    summary: "a variable names a file beside the token that is mounted there",
    conditions: &[MISMATCH, DRAFT],
    supersedes: &[],
    check,
};

fn check(cx: &Check<'_, Settings>) {
    for pod in cx.pods() {
        let volumes = Volumes::of(pod);
        for container in &pod.containers {
            for (variable, provider) in FILES {
                let Some((node, written)) = token_use::literal(*container, variable).filter(|(node, _)| node.in_request()) else {
                    continue;
                };
                let Some(mounts) = tidy(written).and_then(|file| covering(pod, *container, &file)) else { continue };
                let misses: Option<Vec<_>> =
                    mounts.into_iter().map(|(mount, rest)| Some((mount, missed(volumes.mounted(mount)?, mount, &rest)?))).collect();
                if let Some((mount, tokens)) = misses.and_then(|misses| misses.into_iter().next()) {
                    report(cx, (variable, provider), node, mount, &tokens);
                }
            }
        }
    }
}

/// The tokens of a mounted volume of which none, and nothing else in it, is the file; `None` if it may be there.
fn missed<'a>(volume: Node<'a>, mount: Node<'a>, file: &str) -> Option<Vec<Token<'a>>> {
    if mount.get("subPath").is_present() || mount.get("subPathExpr").is_present() {
        return None;
    }
    let tokens = tokens_of(volume);
    let file = join(file, "");
    let is_it = |path: Node<'a>| path.str().is_none_or(|path| text::classify(path) != text::Value::Plain || join(path, "") == file);
    let holds = |source: Node<'a>| {
        ["secret", "configMap", "downwardAPI", "clusterTrustBundle", "podCertificate"].into_iter().any(|kind| {
            let source = source.get(kind);
            let mut items = source.get("items").items().peekable();
            match (kind, items.peek()) {
                _ if source.is_absent() => false,
                // Every key becomes a file, or there may be more kinds of paths than one.
                ("secret" | "configMap", None) | ("podCertificate", _) => true,
                ("clusterTrustBundle", _) => is_it(source.get("path")),
                _ => items.any(|item| is_it(item.get("path"))),
            }
        })
    };
    let is_there = tokens.iter().any(|token| is_it(token.path)) || volume.get("projected").get("sources").items().any(holds);
    (!tokens.is_empty() && !is_there).then_some(tokens)
}

fn report<'a>(cx: &Check<'a, Settings>, (variable, provider): (&str, Provider), node: Node<'a>, mount: Node<'a>, tokens: &[Token<'a>]) {
    let folder = mount.text("mountPath").unwrap_or("");
    let named = join(node.peek_str().unwrap_or(""), "");
    // Which one is meant: the only one, or the only one of the provider.
    let of_provider = |token: &&Token<'a>| token.audience.peek_str().and_then(audience::provider) == Some(provider);
    let mut candidates = tokens.iter().filter(|token| tokens.len() == 1 || of_provider(token));
    let meant = candidates.next().filter(|_| candidates.next().is_none());
    let condition = if cx.request.is_final { &MISMATCH } else { &DRAFT };
    cx.report(match meant.and_then(|token| Some((token, join(folder, token.path.str()?)))) {
        Some((token, file)) => {
            Report::new(condition, node, format!("`{variable}` names `{named}`, but the token that is mounted there is `{file}`"))
                .help(format!("write `{file}`"))
                .related(token.path, "the token's path in the volume")
                .fix(PatchStep::set(node, &file))
        }
        None => {
            let message = format!("`{variable}` names `{named}`, but none of the tokens that are mounted there");
            tokens
                .iter()
                .fold(Report::new(condition, node, message), |report, token| report.related(token.path, "the path of a token"))
                .help("name the file of the token that is meant")
        }
    });
}
