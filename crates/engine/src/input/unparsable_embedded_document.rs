//! Reports documents inside strings that do not parse.
//!
//! ## What it does
//! Some strings are documents of their own: the `config` of an Argo CD cluster Secret (JSON), the `manifest` of a Workflow's resource
//! template, a Sensor's inline source, `podSpecPatch`, the role mappings of `aws-auth` (YAML). One that does not parse is reported
//! where it breaks, in the line of the outer file. Texts with template expressions are left alone.
//!
//! ## Why it is bad
//! Whoever reads the string fails at run time, or ignores it. JSON is read strictly: a comment or a trailing comma is fatal there.
//!
//! ## Example
//! ```yaml
//! kind: Secret
//! metadata:
//!   labels:
//!     argocd.argoproj.io/secret-type: cluster
//! stringData:
//!   config: |
//!     {"tlsClientConfig": {"insecure": false,}}
//! ```
//!
//! ## Use instead
//! ```yaml
//! kind: Secret
//! metadata:
//!   labels:
//!     argocd.argoproj.io/secret-type: cluster
//! stringData:
//!   config: |
//!     {"tlsClientConfig": {"insecure": false}}
//! ```
//!
//! ## References
//! Argo CD `util/db/cluster.go` (encoding/json); Argo Workflows' resource templates.

use fedward_kit::policy::RuleDescriptor;
use fedward_kit::rule::Condition;
use fedward_manifest::{Encoding, Format, Limits, Node, ProblemKind};

use super::Report;
use crate::load::{Object, text};

const BROKEN: Condition = Condition::error("syntax", "a document inside a string does not parse");

pub(super) const RULE: RuleDescriptor = RuleDescriptor {
    id: "unparsable-embedded-document",
    summary: "a document inside a string does not parse",
    conditions: &[BROKEN],
    supersedes: &[],
};

/// More strings than this in one object are not opened.
const MAX_TEXTS: usize = 1000;

pub(super) fn check(object: &Object, root: Node<'_>, limits: &Limits) -> Vec<Report<'static>> {
    let mut found = Vec::new();
    for (node, encoding, format) in texts(object, root).into_iter().take(MAX_TEXTS) {
        let templated = node.as_str().is_some_and(|text| text.contains("{{"));
        if templated {
            continue;
        }
        let Ok(parsed) = node.embedded(encoding, format, limits) else { continue };
        let problem = parsed
            .iter()
            .flat_map(|parsed| &parsed.problems)
            .find(|problem| problem.kind.is_fatal() && problem.kind != ProblemKind::TemplateSyntax);
        if let Some(problem) = problem {
            let what = if format == Format::Json { "JSON" } else { "YAML" };
            let key = node.key().unwrap_or("this string");
            let mut report = Report::new(&RULE, &BROKEN, problem.span, format!("`{key}` is not valid {what}: {}", problem.message));
            if format == Format::Json {
                report = report.help("it is read as strict JSON: no comments, no trailing commas, double quotes only");
            }
            found.push(report);
        }
    }
    found
}

/// The strings of an object that are documents.
fn texts<'d>(object: &Object, root: Node<'d>) -> Vec<(Node<'d>, Encoding, Format)> {
    let mut found = Vec::new();
    let label = |key: &str| root.get("metadata").and_then(|metadata| metadata.get("labels")).and_then(|labels| text(labels, key));
    let field = |path: &[&str]| path.iter().try_fold(root, |node, key| node.get(key));
    match (object.group.as_str(), object.kind.as_str()) {
        ("", "Secret") if label("argocd.argoproj.io/secret-type") == Some("cluster") => {
            found.extend(field(&["stringData", "config"]).map(|node| (node, Encoding::Text, Format::Json)));
            found.extend(field(&["data", "config"]).map(|node| (node, Encoding::Base64, Format::Json)));
        }
        ("", "ConfigMap") if object.name == "aws-auth" => {
            for key in ["mapRoles", "mapUsers", "mapAccounts"] {
                found.extend(field(&["data", key]).map(|node| (node, Encoding::Text, Format::Yaml)));
            }
        }
        ("argoproj.io", kind) if kind.ends_with("Workflow") || kind.ends_with("WorkflowTemplate") => {
            let spec = if kind == "CronWorkflow" { field(&["spec", "workflowSpec"]) } else { root.get("spec") };
            let Some(spec) = spec else { return found };
            found.extend(spec.get("podSpecPatch").map(|node| (node, Encoding::Text, Format::Yaml)));
            for template in spec.get("templates").into_iter().flat_map(Node::items) {
                found.extend(template.get("podSpecPatch").map(|node| (node, Encoding::Text, Format::Yaml)));
                found.extend(
                    template.get("resource").and_then(|resource| resource.get("manifest")).map(|node| (node, Encoding::Text, Format::Yaml)),
                );
            }
        }
        ("argoproj.io", "Sensor") => {
            for trigger in field(&["spec", "triggers"]).into_iter().flat_map(Node::items).filter_map(|trigger| trigger.get("template")) {
                for way in ["k8s", "argoWorkflow"] {
                    let inline = trigger.get(way).and_then(|way| way.get("source")).and_then(|source| source.get("inline"));
                    found.extend(inline.map(|node| (node, Encoding::Text, Format::Yaml)));
                }
            }
        }
        _ => {}
    }
    found.retain(|(node, ..)| node.as_str().is_some());
    found
}
