//! What a policy found in a request, and Kubewarden's answer that says so.

use std::borrow::Cow;

use crate::bounds::{self, Line};
use crate::finding::{Finding, Severity};
use crate::text::ByName;
use crate::{json, order};

/// What was found in a request.
#[derive(Default)]
pub struct Judged {
    /// What counts.
    pub new: Vec<Finding>,
    /// What the object had before an update, too: warnings at most.
    pub before: Vec<Finding>,
}

impl Judged {
    /// Findings of an update that the object did not have before (`old` has those), and the others.
    pub(crate) fn compare(findings: Vec<Finding>, old: &[Finding]) -> Self {
        let mut known = ByName::new();
        for finding in old {
            known.insert(same(finding), 0);
        }
        let (mut before, new): (Vec<_>, Vec<_>) = findings.into_iter().partition(|finding| known.contains_key(&same(finding)));
        for finding in &mut before {
            finding.severity = finding.severity.min(Severity::Warning);
        }
        Judged { new, before }
    }
}

/// What makes a finding the same one before and after an update. Not its place: list elements move.
fn same(finding: &Finding) -> Cow<'static, str> {
    // No rule and no condition has a space in its name.
    Cow::Owned(format!("{} {} {}", finding.rule, finding.condition, finding.message))
}

/// Orders findings by place, drops repetitions, and those that a more specific rule makes superfluous at the same place.
pub fn settle(mut findings: Vec<Finding>, supersedes: &dyn Fn(&str) -> &'static [&'static str]) -> Vec<Finding> {
    if findings.is_empty() {
        return findings;
    }
    order::sort(&mut findings, &|one, other| {
        (&one.place, &one.rule, &one.condition, &one.message).cmp(&(&other.place, &other.rule, &other.condition, &other.message))
    });
    findings.dedup_by(|later, earlier| {
        later.place == earlier.place
            && later.rule == earlier.rule
            && later.condition == earlier.condition
            && later.message == earlier.message
    });
    // Findings at one place follow one another, and there those of one rule.
    let beaten: Vec<bool> = findings
        .chunk_by(|one, other| one.place == other.place)
        .flat_map(|here| {
            let rules = here.chunk_by(|one, other| one.rule == other.rule).filter_map(<[Finding]>::first);
            let losers: Vec<&str> = rules.flat_map(|finding| supersedes(&finding.rule)).copied().collect();
            here.iter().map(move |finding| losers.contains(&&*finding.rule))
        })
        .collect();
    let mut beaten = beaten.into_iter();
    findings.retain(|_| !beaten.next().unwrap_or_default());
    findings
}

/// Kubewarden's `ValidationResponse`. Findings are in the annotation `findings`, from which the engine makes places. It gets all of them
/// (`whole`); a cluster gets what it takes, and how many more there are.
pub(crate) fn respond(judged: &Judged, whole: bool) -> Vec<u8> {
    let Judged { new: findings, before } = judged;
    let line = |finding: &Finding, end: &str| {
        let help = if finding.help.is_empty() { String::new() } else { format!(" ({})", finding.help) };
        let text = format!("{}: {}{help} [{}]{end}", finding.place.path, finding.message, finding.rule);
        Line { text, end: finding.rule.len() + " []".len() + end.len() }
    };
    let of = |severity| findings.iter().filter(move |finding| finding.severity == severity).map(|finding| line(finding, ""));
    let told = |lines: Vec<Line>, bounds| {
        if whole { lines.into_iter().map(|line| line.text).collect() } else { bounds::bounded(&lines, bounds) }
    };
    let mut out = response("accepted", &told(of(Severity::Error).collect(), &bounds::REASONS));
    let old = before.iter().filter(|finding| finding.severity >= Severity::Warning);
    let warnings = of(Severity::Warning).chain(old.map(|finding| line(finding, " (was so before this change)")));
    let warnings = told(warnings.collect(), &bounds::WARNINGS);
    let findings: Vec<&Finding> = findings.iter().chain(before).collect();
    if !findings.is_empty() {
        let mut left_out = 0;
        let mut all = bounds::all(&findings);
        if !whole && !bounds::fits(&all) {
            (all, left_out) = bounds::annotation(&findings);
        }
        out.truncate(out.len() - 1);
        out.push_str(",\"audit_annotations\":{\"findings\":");
        json::write_string(&all, &mut out);
        if left_out > 0 {
            out.push_str(",\"findings-left-out\":");
            json::write_string(&left_out.to_string(), &mut out);
        }
        out.push('}');
        if !warnings.is_empty() {
            out.push_str(",\"warnings\":");
            let flat = |text: &String| if whole { text.clone() } else { bounds::flat(text) };
            json::write_list(&warnings, &mut out, |warning, out| json::write_string(&flat(warning), out));
        }
        out.push('}');
    }
    out.into_bytes()
}

/// The same with an object, as JSON, that is to be admitted in the place of the request's.
pub(crate) fn with_object(mut response: Vec<u8>, object: &str) -> Vec<u8> {
    // The brace that closes it.
    response.pop();
    for part in [",\"mutated_object\":", object, "}"] {
        response.extend_from_slice(part.as_bytes());
    }
    response
}

/// Kubewarden's `ValidationResponse` and `SettingsValidationResponse`: whether there are no errors, and the errors.
pub(crate) fn response(ok: &str, errors: &[String]) -> String {
    let mut out = format!("{{\"{ok}\":{}", errors.is_empty());
    if !errors.is_empty() {
        out.push_str(",\"message\":");
        json::write_string(&errors.join("\n"), &mut out);
    }
    out.push('}');
    out
}
