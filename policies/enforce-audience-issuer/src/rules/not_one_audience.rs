//! Reports federated credentials that have not exactly one audience.
//!
//! ## What it does
//! The audiences of a federated credential are a list, but Azure accepts only lists of one.
//!
//! ## Why it is bad
//! Azure refuses the credential ("must have exactly one audience"), so that whatever makes it fails on every attempt.
//!
//! ## Example
//! ```yaml
//! audiences: [api://AzureADTokenExchange, vault]
//! ```
//!
//! ## Use instead
//! ```yaml
//! audiences: [api://AzureADTokenExchange]
//! ```
//!
//! ## References
//! Microsoft Entra workload identity federation, "Important considerations and restrictions"; Microsoft Graph,
//! `federatedIdentityCredential` ("can only accept a single value").

use fedward_kit::audience;
use fedward_kit::finding::PatchStep;
use fedward_kit::node::Node;
use fedward_kit::rule::{Check, Condition, Report, Rule};
use fedward_kit::trust::Credential;

use crate::settings::Settings;

const NONE: Condition = Condition::error("none", "there is no audience");
const SEVERAL: Condition = Condition::error("several", "there is more than one audience");

/// The rule.
pub const RULE: Rule<Settings> = Rule {
    id: "not-one-audience",
    summary: "a federated credential has not exactly one audience",
    conditions: &[NONE, SEVERAL],
    supersedes: &[],
    check,
};

fn check(cx: &Check<'_, Settings>) {
    let Some(credential) = Credential::of(cx.object) else { return };
    let list = credential.audience_list();
    let filled: Vec<Node<'_>> = list.iter().copied().filter(|item| item.is_present() && item.peek_str() != Some("")).collect();
    let node = credential.audiences;
    if filled.is_empty() {
        // A value of a wrong type is `wrong-field-type`'s matter.
        let is_empty = node.is_absent() || node.peek_str() == Some("") || matches!(node.value(), Some(fedward_kit::value::Value::Seq(_)));
        if is_empty && !credential.observed {
            cx.report(
                Report::new(&NONE, node, "there is no audience, but a federated credential needs exactly one")
                    .help(format!("add `{}`, or the audience of your cloud", audience::AZURE_PUBLIC)),
            );
        }
        return;
    }
    if list.len() == 1 {
        return;
    }
    let report = Report::new(&SEVERAL, node, format!("there are {} audiences, but Azure accepts exactly one", list.len()));
    let texts: Vec<&str> = filled.iter().filter_map(|item| item.peek_str()).collect();
    let azure: Vec<&str> = texts.iter().copied().filter(|text| audience::is_azure(text)).collect();
    let is_repeated = texts.first().is_some_and(|first| texts.len() == list.len() && texts.iter().all(|text| text == first));
    let only = if is_repeated || azure.len() == 1 { if is_repeated { texts.first() } else { azure.first() } } else { None };
    cx.report(match only {
        Some(only) => report.help(format!("keep only `{only}`")).fix(PatchStep::set_value(node, vec![*only].into())),
        None => report.help("keep the one that the tokens carry, and make a credential of another identity for each other one"),
    });
}
