//! Outcomes built by hand.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::io::{self, Write};
use std::sync::Arc;

use fedward_kit::finding::{ObjectId, PatchStep, Severity};
use fedward_manifest::{Source, Span};
use fedward_outcome::{
    Deployed, Edit, Finding, Location, Manifest, NotEvaluated, Outcome, Related, Skipped, State, Suppression, SuppressionKind, Unread,
};

use crate::{Gate, Options, RuleInfo, Tool, human, json, sarif};

pub(crate) const TOOL: Tool<'static> = Tool { name: "fedward", version: "1.2.3", home: Some("https://docs.example/fedward/") };

pub(crate) const RULES: &[RuleInfo<'static>] = &[
    RuleInfo {
        id: "unrelated-rule",
        policy: "another-policy",
        summary: "something else is right",
        default_severity: Severity::Warning,
        docs: "rules/unrelated-rule.md",
        page: "",
    },
    RuleInfo {
        id: "missing-label",
        policy: "require-labels",
        summary: "pods that use an identity carry the label",
        default_severity: Severity::Error,
        docs: "rules/missing-label.md",
        page: "# missing-label\n\nReports pods without the label.\n",
    },
];

pub(crate) const WEB: &str = "\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  template:
    metadata:
      labels:
        app: web
    spec:
      serviceAccountName: web
";

pub(crate) fn source(name: &str, text: &str) -> Arc<Source> {
    Arc::new(Source::from_text(name, text.to_owned()).unwrap())
}

/// The first occurrence of a text.
pub(crate) fn find(source: &Source, needle: &str) -> Span {
    let start = source.text().find(needle).unwrap();
    Span::new(u32::try_from(start).unwrap(), u32::try_from(start + needle.len()).unwrap())
}

pub(crate) fn place(source: &Arc<Source>, needle: &str) -> Location {
    Location { source: Arc::clone(source), span: find(source, needle), pointer: "/spec/template".into() }
}

pub(crate) fn at(name: &str, text: &str, needle: &str) -> Location {
    place(&source(name, text), needle)
}

pub(crate) fn related(location: Location, message: &str) -> Related {
    Related { location, message: message.into() }
}

pub(crate) fn finding(location: Location) -> Finding {
    Finding {
        rule: "missing-label".into(),
        condition: "missing".into(),
        policy: "require-labels".into(),
        severity: Severity::Error,
        message: "the label `example/use` is missing".into(),
        help: "add `example/use: \"true\"` to the pod template".into(),
        docs: "rules/missing-label.md".into(),
        location,
        related: Vec::new(),
        related_more: 0,
        object: Some(object()),
        fix: Vec::new(),
        edits: Vec::new(),
        suppressed: None,
        rendered: None,
        manifests: Vec::new(),
    }
}

/// A policy that shares its module with another.
pub(crate) fn manifest(namespace: &str, name: &str) -> Arc<Manifest> {
    let kind = if namespace.is_empty() { "ClusterAdmissionPolicy" } else { "AdmissionPolicy" };
    let text = format!("---\nkind: {kind}\nname: {name}\n");
    let location = at("policies/labels.yaml", &text, "kind");
    Arc::new(Manifest { kind, namespace: namespace.into(), name: name.into(), location, shares_module: true })
}

pub(crate) fn object() -> ObjectId {
    ObjectId { api_version: "apps/v1".into(), kind: "Deployment".into(), namespace: "shop".into(), name: "web".into() }
}

pub(crate) fn outcome(findings: Vec<Finding>) -> Outcome {
    Outcome { findings, files: 1, objects: 1, evaluated: 1, ..Outcome::default() }
}

pub(crate) fn human_text(outcome: &Outcome, options: Options) -> String {
    let mut out = Vec::new();
    human(outcome, &GATE, &options, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

/// The findings alone.
pub(crate) fn blocks(findings: Vec<Finding>) -> String {
    human_text(&outcome(findings), Options { quiet: true, width: 100, ..Options::default() })
}

pub(crate) fn json_text(outcome: &Outcome) -> String {
    let mut out = Vec::new();
    json(outcome, &GATE, &TOOL, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

pub(crate) fn sarif_text(outcome: &Outcome) -> String {
    let mut out = Vec::new();
    sarif(outcome, &GATE, &TOOL, RULES, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

/// Something of everything.
pub(crate) fn everything() -> Outcome {
    let web = source("apps/web.yaml", WEB);
    let mut full = finding(place(&web, "labels:"));
    full.related = vec![related(at("rbac.yaml", "kind: ClusterRoleBinding\n", "ClusterRoleBinding"), "bound here")];
    full.related_more = 2;
    let path = "/spec/template/metadata/labels/example~1use".to_owned();
    full.fix = vec![PatchStep::Add { path, value: "true".into() }, PatchStep::Remove { path: "/spec/x".into() }];
    full.edits = vec![Edit { span: Span::at(find(&web, "labels:").end), text: "\n        example/use: \"true\"".into() }];
    let mut warning = finding(place(&web, "name: web"));
    warning.severity = Severity::Warning;
    warning.object = None;
    warning.help.clear();
    warning.manifests = vec![manifest("shop", "labels"), manifest("", "labels-everywhere")];
    let mut ignored = finding(place(&web, "app: web"));
    ignored.severity = Severity::Info;
    ignored.suppressed = Some(Suppression { kind: SuppressionKind::Inline, reason: "labels come from the chart".into() });
    let mut excepted = finding(place(&web, "app: web"));
    excepted.suppressed = Some(Suppression { kind: SuppressionKind::Config, reason: "until the move".into() });
    let not_evaluated = NotEvaluated {
        location: place(&web, "apiVersion"),
        object: Some(object()),
        policy: "require-labels".into(),
        reason: "ran longer than 2 s".into(),
    };
    let skipped = |file: &str, line, reason: &str| Skipped { file: file.into(), line, reason: reason.into() };
    Outcome {
        findings: vec![full, warning, ignored, excepted],
        not_evaluated: vec![not_evaluated],
        unread: vec![Unread { file: "locked".into(), reason: "permission denied".into() }],
        skipped: vec![
            skipped("chart/values.yaml", None, "values of a chart"),
            skipped("notes.yaml", Some(7), "not a Kubernetes object"),
            skipped("more.yaml", None, "not a Kubernetes object"),
        ],
        notes: vec!["the ignore entry for `old/*.yaml` matches nothing".into()],
        files: 3,
        objects: 2,
        evaluated: 1,
        ..Outcome::default()
    }
}

/// An Application, and what became of it.
pub(crate) fn deployed(name: &str, state: State) -> Deployed {
    Deployed {
        kind: "Application",
        name: name.into(),
        destination: String::new(),
        state,
        reasons: vec!["the repository is not here".into()],
        location: None,
        cause: None,
        objects: 0,
    }
}

pub(crate) const GATE: Gate = Gate { fail_on: Severity::Error, allow_empty: false, strict: false };

/// What a format writes.
pub(crate) fn text(write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> String {
    let mut out = Vec::new();
    write(&mut out).unwrap();
    String::from_utf8(out).unwrap()
}

/// Commands of CI systems, of terminals and of Markdown, wherever text of the input goes: a finding, one that was not judged, a file that was not
/// read, a note.
pub(crate) fn hostile() -> Outcome {
    let bad = "100%25 \u{1b}[31m\u{202e}red\r\n::error::forged\n##[add-mask]x\n####vso[task.setvariable variable=x;]forged [a](https://b.example) <b>";
    let mut hostile = finding(at("a,line=9::b%0A;c].yaml", WEB, "name: web"));
    hostile.message = bad.into();
    hostile.help = bad.into();
    hostile.rule = format!("rule]{bad}");
    hostile.object = Some(ObjectId { name: bad.into(), ..object() });
    hostile.manifests = vec![manifest(bad, bad)];
    let not_evaluated =
        NotEvaluated { location: at("b.yaml", WEB, "name: web"), object: hostile.object.clone(), policy: bad.into(), reason: bad.into() };
    let deployed = Deployed {
        kind: "Application",
        name: bad.into(),
        destination: String::new(),
        state: State::Partial,
        reasons: vec![bad.into()],
        location: Some(at("b.yaml", WEB, "name: web")),
        cause: None,
        objects: 0,
    };
    Outcome {
        deployed: vec![deployed],
        not_evaluated: vec![not_evaluated],
        unread: vec![Unread { file: format!("c\n::error file=x::y{bad}"), reason: bad.into() }],
        notes: vec![bad.into()],
        ..outcome(vec![hostile])
    }
}
