//! Reports URLs with a password in them.
//!
//! ## What it does
//! Looks at every string of an object that is, as a whole, an address such as `https://user:password@host/…` (`http`, `https`, `git`,
//! `oci`). A user name alone is nothing: `https://org@dev.azure.com` is what Azure DevOps itself prints.
//!
//! Left out are passwords that somebody still has to fill in or that a template does (`$(VAR)`, `{{…}}`, `${…}`), descriptions and
//! messages, schemas in a CustomResourceDefinition, fields of issuers (which `unusable-issuer` judges), and all Secrets but Argo CD's: the
//! values of a Secret are secret already.
//!
//! ## Why it is bad
//! An address is shown everywhere: in logs, in error messages, in the user interface of whatever uses it. Everybody who sees it has the
//! password.
//!
//! ## Example
//! ```yaml
//! kind: Application
//! spec:
//!   source:
//!     repoURL: https://robot:…@git.example/shop/deploy
//! ```
//!
//! ## Use instead
//! ```yaml
//! kind: Application
//! spec:
//!   source:
//!     repoURL: https://git.example/shop/deploy
//! ```
//!
//! ## References
//! RFC 3986, section 3.2.1 ("userinfo": applications should not render the password).

use fedward_kit::finding::PatchStep;
use fedward_kit::node::Node;
use fedward_kit::rule::{Check, Condition, Report, Rule};
use fedward_kit::url::Url;
use fedward_kit::value::Value;
use fedward_kit::{secret, text, url};

use crate::settings::Settings;
use crate::stored;

const PASSWORD: Condition = Condition::error("password", "a URL has a password");

/// The rule.
pub const RULE: Rule<Settings> =
    Rule { id: "credentials-in-url", summary: "a URL has a password in it", conditions: &[PASSWORD], supersedes: &[], check };

/// How deep a string may lie: nothing that anybody writes is deeper, and the stack of a module is small.
const MAX_DEPTH: usize = 64;
/// Fields whose text is for people, or judged by another rule.
const SKIPPED: [&str; 6] = ["description", "message", "summary", "issuer", "issuerUri", "issuerURL"];

fn check<'a>(cx: &Check<'a, Settings>) {
    if cx.is("", "Secret") {
        let address = secret::value(cx.object, "url");
        if stored::secret_under(cx).is_some() && !secret::argocd_type(cx.object).is_empty() {
            report(cx, address);
        }
    } else if cx.request.kind != "CustomResourceDefinition" && cx.object.value().is_some_and(|object| has_any(object, 0)) {
        walk(cx, cx.object, 0);
    }
}

/// Whether there is anything to report: most objects end here, and nothing is made for them.
fn has_any(value: &Value<'_>, depth: usize) -> bool {
    match value {
        Value::Str(text) => password(text).is_some(),
        Value::Seq(items) if depth < MAX_DEPTH => items.iter().any(|item| has_any(item, depth + 1)),
        Value::Map(entries) if depth < MAX_DEPTH => entries.iter().any(|(_, value)| has_any(value, depth + 1)),
        _ => false,
    }
}

fn walk<'a>(cx: &Check<'a, Settings>, node: Node<'a>, depth: usize) {
    if depth > MAX_DEPTH || !node.value().is_some_and(|value| has_any(value, depth)) {
        return;
    }
    report(cx, node);
    for item in node.peek_items() {
        walk(cx, item, depth + 1);
    }
    for (_, value) in node.peek_entries().filter(|(key, _)| !SKIPPED.contains(key)) {
        walk(cx, value, depth + 1);
    }
}

fn report<'a>(cx: &Check<'a, Settings>, node: Node<'a>) {
    let Some(text) = node.peek_str() else { return };
    let Some(parts) = password(text) else { return };
    let Url { scheme, host, port, path, tail, .. } = parts;
    let colon = if port.is_empty() { "" } else { ":" };
    let without = format!("{scheme}://{host}{colon}{port}{path}{tail}");
    cx.report(
        Report::new(&PASSWORD, node, format!("the address of `{host}` has a password in it"))
            .help("take it out, and let whatever uses the address sign in by itself")
            .fix(PatchStep::set(node, &without)),
    );
}

/// The parts of a text that is a URL with a password.
fn password(text: &str) -> Option<Url<'_>> {
    if !text.contains('@') || text.contains(char::is_whitespace) {
        return None;
    }
    let parts = url::split(text).filter(|parts| matches!(parts.scheme, "http" | "https" | "git" | "oci"))?;
    let (user, password) = parts.user_info.split_once(':')?;
    let is_plain = |part: &str| !part.contains('$') && text::classify(part) == text::Value::Plain;
    // `*****` is how programs print a password.
    let is_hidden = password.bytes().all(|byte| byte == b'*' || byte == b'x' || byte == b'.');
    (!password.is_empty() && !is_hidden && is_plain(password) && (user.is_empty() || is_plain(user))).then_some(parts)
}

#[cfg(test)]
mod tests {
    use super::password;

    #[test]
    fn tells_passwords_from_what_is_none() {
        for text in ["https://robot:hunter2@git.example/shop", "http://:hunter2@a.example", "oci://a:b@c.example:5000/d"] {
            assert!(password(text).is_some(), "{text}");
        }
        for text in [
            "https://org@dev.azure.com/org/shop",
            "https://robot:@git.example",
            "https://robot:$(PASSWORD)@git.example",
            "https://robot:${PASSWORD}@git.example",
            "https://robot:{{password}}@git.example",
            "https://robot:<password>@git.example",
            "https://robot:*****@git.example",
            "https://USER_NAME:hunter2@git.example",
            "https://git.example/a:b@c",
            "see https://robot:hunter2@git.example",
            "postgres://shop:hunter2@db.example/shop",
        ] {
            assert!(password(text).is_none(), "{text}");
        }
    }
}
