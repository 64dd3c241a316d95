//! Reports sign-in hosts that tokens should not be sent to.
//!
//! ## What it does
//! Judges `AZURE_AUTHORITY_HOST` of containers and of Argo CD's cluster Secrets, and KEDA's `identityAuthorityHost`: it has to be an
//! `https` URL of a host of Microsoft Entra, without a path. Reported as errors: another scheme, a host that looks like one of Entra's and
//! is not, a tenant behind the host (SDKs append it themselves). Reported as warnings: a host without `https://`, which only some SDKs
//! accept, and an unknown host, unless the setting `allowedAuthorityHosts` names it (Azure Stack, AD FS, new clouds).
//!
//! ## Why it is bad
//! The SDK posts the projected token to this host. Whoever answers there can exchange it for the identity's access tokens.
//!
//! ## Example
//! ```yaml
//! env:
//!   - name: AZURE_AUTHORITY_HOST
//!     value: http://login.microsoftonline.com/
//! ```
//!
//! ## Use instead
//! ```yaml
//! env:
//!   - name: AZURE_AUTHORITY_HOST
//!     value: https://login.microsoftonline.com/
//! ```
//!
//! ## Settings
//! `allowedAuthorityHosts`
//!
//! ## References
//! Azure SDK for Go, azidentity (`setAuthorityHost`: "cannot use an authority host without https"; the tenant is joined to the host); Azure
//! SDK for Python, azure-identity (`normalize_authority` adds the scheme); MSAL's list of authority hosts.

use fedward_kit::finding::PatchStep;
use fedward_kit::rule::{Check, Condition, Report, Rule};
use fedward_kit::text::{self, Value, any_matches};
use fedward_kit::{audience, url};

use crate::fields::{self, Field, Holds};
use crate::settings::Settings;

const NOT_HTTPS: Condition = Condition::error("not-https", "the URL is not an https URL");
const LOOKALIKE: Condition = Condition::error("lookalike", "the host resembles one of Entra's and is another");
const PATH: Condition = Condition::error("path", "something stands behind the host");
const NO_SCHEME: Condition = Condition::warning("no-scheme", "the host stands there without `https://`");
const UNKNOWN: Condition = Condition::warning("unknown-host", "the host is none of Entra's, and no setting allows it");

/// The rule.
pub const RULE: Rule<Settings> = Rule {
    id: "wrong-authority-host",
    summary: "a sign-in host is not one that tokens should be sent to",
    conditions: &[NOT_HTTPS, LOOKALIKE, PATH, NO_SCHEME, UNKNOWN],
    supersedes: &[],
    check,
};

fn check(cx: &Check<'_, Settings>) {
    for field in fields::all(cx) {
        if field.holds == Holds::Authority && text::classify(field.text) == Value::Plain {
            judge(cx, field);
        }
    }
}

fn judge<'a>(cx: &Check<'a, Settings>, field: &Field<'a>) {
    let (name, value) = (field.name, field.shown(cx.object));
    let with_scheme = format!("https://{}", field.text);
    let (parts, has_scheme) = match url::split(field.text) {
        Some(parts) => (parts, true),
        None => match url::split(&with_scheme) {
            Some(parts) if parts.host.contains('.') => (parts, false),
            _ => {
                let message = format!("`{name}` is not an https URL{value}");
                return cx.report(Report::new(&NOT_HTTPS, field.node, message).help("write `https://login.microsoftonline.com/`"));
            }
        },
    };
    let host = parts.host.to_ascii_lowercase();
    if let Some(slip) = audience::authority_slip(&host) {
        let meant = format!("https://{}/", slip.meant);
        let message = format!("the host of `{name}` resembles one of Microsoft Entra's and is another{value}");
        let report = Report::new(&LOOKALIKE, field.node, message).help(format!("did you mean `{meant}`?"));
        return cx.report(if slip.certain { report.fix(PatchStep::set(field.node, &meant)) } else { report });
    }
    let is_known = audience::is_authority(&host);
    let bare = format!("https://{host}/");
    let fix = if is_known { PatchStep::set(field.node, &bare) } else { Vec::new() };
    if has_scheme && !parts.scheme.eq_ignore_ascii_case("https") {
        let message = format!("`{name}` is not an https URL{value}");
        cx.report(Report::new(&NOT_HTTPS, field.node, message).help("the token would travel in the clear").fix(fix));
    } else if is_known && (parts.path.len() > 1 || !parts.tail.is_empty() || !parts.user_info.is_empty()) {
        let message = format!("`{name}` is more than a scheme and a host{value}");
        cx.report(Report::new(&PATH, field.node, message).help("SDKs append the tenant themselves").fix(fix));
    } else if !is_known && !any_matches(&cx.settings.allowed_authority_hosts, &host) {
        let message = format!("`{name}` sends tokens to a host that is none of Microsoft Entra's{value}");
        cx.report(Report::new(&UNKNOWN, field.node, message).help("if it is yours, name the host in the setting `allowedAuthorityHosts`"));
    } else if !has_scheme {
        let message = format!("`{name}` lacks `https://`, which most SDKs require{value}");
        cx.report(Report::new(&NO_SCHEME, field.node, message).help("put `https://` in front").fix(fix));
    }
}
