//! Reports identity fields that still hold a placeholder.
//!
//! ## What it does
//! Looks at the fields that an identity depends on (client and tenant ids, roles, audiences, issuers, subjects, sign-in hosts, an Argo CD
//! cluster's server and certificate, repository URLs) and reports values such as `<client-id>`, `${CLIENT_ID}`, `#{clientId}#`, `__id__`,
//! `XXX`, `changeme`, `UPPER_SNAKE_NAMES`, `[…]` as the whole value, the GUID of zeros, and ids that name themselves (`tenant-id`). No other
//! rule judges such a value.
//!
//! Not reported: template expressions (`{{ … }}`, compiled ARM expressions), references (`$(NAME)`, `$secret:key`), and encrypted values.
//!
//! Recorded only: a base that something in the set patches, and `${NAME}` where the set holds a Flux Kustomization that substitutes
//! variables after the build.
//!
//! ## Why it is bad
//! Copied examples reach clusters with their placeholders. Everything is created without complaint, and the sign-in fails at run time with
//! an error that names neither the file nor the field.
//!
//! ## Example
//! ```yaml
//! metadata:
//!   annotations:
//!     azure.workload.identity/client-id: <client-id>
//! ```
//!
//! ## Use instead
//! ```yaml
//! metadata:
//!   annotations:
//!     azure.workload.identity/client-id: 6f1b1c9e-2d0a-4b7c-9a57-0c8d6f2e4a11
//! ```
//!
//! ## References
//! Flux, "Post build variable substitution" (the Kustomization's `spec.postBuild`).

use fedward_kit::rule::{Check, Condition, Report, Rule};
use fedward_kit::text::{self, Value};
use fedward_kit::{index, secret};

use crate::fields::{self, Field, Holds};
use crate::settings::Settings;

const PLACEHOLDER: Condition = Condition::warning("placeholder", "the field holds a placeholder");
const FILLED_LATER: Condition = Condition::info("filled-later", "the same, but something in the set will or may put a value there");

/// The rule.
pub const RULE: Rule<Settings> = Rule {
    id: "placeholder-value",
    summary: "an identity field still holds a placeholder",
    conditions: &[PLACEHOLDER, FILLED_LATER],
    supersedes: &[
        "wrong-identity-id",
        "wrong-authority-host",
        "wrong-subject-format",
        "wrong-aws-identity",
        "unusable-issuer",
        "wrong-aks-issuer",
    ],
    check,
};

fn check(cx: &Check<'_, Settings>) {
    for field in fields::all(cx) {
        if is_placeholder(field) {
            report(cx, field);
        }
    }
}

fn is_placeholder(field: &Field<'_>) -> bool {
    let is_placeholder = |text: &str| text::classify(text) == Value::Placeholder;
    match field.holds {
        // Base64 may contain any word by chance.
        Holds::Certificate => {
            let is_base64 = field.text.len() > 60 && field.text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+/=".contains(&byte));
            !is_base64 && is_placeholder(field.text)
        }
        // Groups of directories are often called in capital letters.
        Holds::Principal => is_placeholder(&field.text.to_ascii_lowercase()),
        // Policy variables of IAM.
        _ => field.kind() == Value::Placeholder && !field.text.contains("${aws:"),
    }
}

fn report<'a>(cx: &Check<'a, Settings>, field: &Field<'a>) {
    let is_substituted =
        || field.text.contains("${") && index::flux_substitutions(cx.context, field.node).is_some_and(|list| !list.items.is_empty());
    let (condition, later) = if !cx.request.is_final {
        (&FILLED_LATER, "; the kustomization that patches this object may fill it in")
    } else if is_substituted() {
        (&FILLED_LATER, "; Flux may fill it in after the build")
    } else {
        (&PLACEHOLDER, "")
    };
    let what = if secret::is_secret(cx.object) { "a placeholder".to_owned() } else { format!("the placeholder `{}`", shown(field.text)) };
    cx.report(
        Report::new(condition, field.node, format!("`{}` still holds {what}{later}", field.name))
            .help("put the real value here, or check the files after the step that fills it in"),
    );
}

/// The placeholder itself where it can be told from the text around it; long texts are cut.
fn shown(text: &str) -> String {
    for (open, close) in [("${", "}"), ("#{", "}#"), ("<", ">")] {
        if let Some((_, rest)) = text.split_once(open)
            && let Some((inner, _)) = rest.split_once(close)
        {
            return format!("{open}{inner}{close}");
        }
    }
    if text.chars().count() > 80 { format!("{}…", text.chars().take(80).collect::<String>()) } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::shown;

    #[test]
    fn shows_the_placeholder_itself() {
        assert_eq!(shown("https://dev.azure.com/<organisation>/_git/app"), "<organisation>");
        assert_eq!(shown("a-${B}-c"), "${B}");
        assert_eq!(shown("CLIENT_ID"), "CLIENT_ID");
        assert_eq!(shown(&"X".repeat(100)), format!("{}…", "X".repeat(80)));
    }
}
