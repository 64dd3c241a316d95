//! Severities of rules that are no policy's, as the configuration sets them: those of the reader, and native ones of others.

use std::collections::HashSet;
use std::sync::Arc;

use fedward_kit::finding::{ObjectId, Severity};
use fedward_outcome::{Finding, Native, NotEvaluated, Outcome};

use crate::Options;
use crate::input::{INPUT_RULES, leaves_unjudged};

/// Which findings are of native rules and leave something unjudged, by their numbers.
pub(crate) type Leaving = HashSet<usize>;

/// Adds what native rules found.
pub(crate) fn add(outcome: &mut Outcome, native: &Native) -> Leaving {
    let before = outcome.findings.len();
    outcome.findings.extend(native.findings.iter().map(|native| native.finding.clone()));
    let leaving = native.findings.iter().enumerate().filter(|(_, native)| native.leaves_unjudged);
    leaving.map(|(index, _)| before + index).collect()
}

/// Gives findings of native rules the severities that the configuration sets, and drops those that it turns off. What is not judged
/// because of one stays so, whether or not the finding is an error any more.
pub(crate) fn set(outcome: &mut Outcome, leaving: &Leaving, options: &Options) {
    let is_own = |rule: &str| INPUT_RULES.iter().any(|own| own.id == rule) || options.native.rules.contains(&rule);
    let mut unjudged = Unjudged::default();
    let mut number = 0;
    outcome.findings.retain_mut(|finding| {
        let is_leaving = leaving.contains(&number) || leaves_unjudged(finding);
        number += 1;
        let set = options.input_severities.get(&finding.rule).filter(|_| is_own(&finding.rule));
        let why = match set {
            Some(None) => Some("and is off".to_owned()),
            _ if finding.suppressed.is_some() => Some("and is ignored here".to_owned()),
            Some(Some(severity)) if *severity < Severity::Error => Some(format!("as `{}` only", severity.name())),
            _ => None,
        };
        if let Some(why) = why.filter(|_| is_leaving) {
            unjudged.add(finding, &why);
        }
        if let Some(Some(severity)) = set {
            finding.severity = *severity;
        }
        set != Some(&None)
    });
    outcome.not_evaluated.extend(unjudged.entries);
}

/// What is not judged although no finding counts for it: once for each policy, and for each place otherwise.
#[derive(Default)]
struct Unjudged {
    entries: Vec<NotEvaluated>,
    met: HashSet<(String, Arc<str>, Option<ObjectId>, u32)>,
}

impl Unjudged {
    fn add(&mut self, finding: &Finding, why: &str) {
        let place = if finding.object.is_some() { 0 } else { finding.location.span.start };
        let source = Arc::clone(finding.location.source.name());
        if self.met.insert((finding.rule.clone(), source, finding.object.clone(), place)) {
            self.entries.push(NotEvaluated {
                location: finding.location.clone(),
                object: finding.object.clone(),
                policy: finding.policy.clone(),
                reason: format!("`{}` says what is wrong, {why}", finding.rule),
            });
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use std::sync::atomic::AtomicUsize;

    use fedward_manifest::{Source, Span};
    use fedward_outcome::{Location, NativeFinding, SuppressionKind};

    use super::*;
    use crate::{Ignore, Input, Role, run};

    const TEXT: &str =
        "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata:\n  name: shop # fedward: ignore[lost] the folder comes later\n";

    /// A finding of a native rule on line 4.
    fn found(rule: &str, leaves_unjudged: bool) -> NativeFinding {
        let source = Arc::new(Source::from_text("app.yaml", TEXT.to_owned()).unwrap());
        let start = u32::try_from(TEXT.find("shop").unwrap()).unwrap();
        let location = Location { source, span: Span { start, end: start + 4 }, pointer: "/metadata/name".to_owned() };
        let finding = Finding {
            rule: rule.to_owned(),
            condition: "c".to_owned(),
            policy: "repository".to_owned(),
            severity: Severity::Error,
            message: "wrong".to_owned(),
            help: String::new(),
            docs: String::new(),
            location,
            related: Vec::new(),
            related_more: 0,
            object: None,
            fix: Vec::new(),
            edits: Vec::new(),
            suppressed: None,
            rendered: None,
            manifests: Vec::new(),
        };
        NativeFinding { finding, leaves_unjudged }
    }

    /// Findings as `rule severity`, with a word if an entry ignores one, and reasons why something is not judged.
    fn outcome(findings: Vec<NativeFinding>, severities: &[(&str, Option<Severity>)], ignores: Vec<Ignore>) -> (Vec<String>, Vec<String>) {
        let native = Native { rules: vec!["lost", "odd"], findings };
        let input_severities = severities.iter().map(|(rule, severity)| ((*rule).to_owned(), *severity)).collect();
        let options = Options { native, input_severities, ignores, threads: 1, ..Options::default() };
        let input = Input { name: "app.yaml".to_owned(), bytes: TEXT.as_bytes().to_vec(), named: true, role: Role::Judged };
        let (outcome, _) = run(vec![input], &[], &options, &AtomicUsize::new(0));
        let kind = |finding: &Finding| match &finding.suppressed {
            Some(suppression) if suppression.kind == SuppressionKind::Inline => " inline",
            Some(_) => " config",
            None => "",
        };
        let line = |finding: &Finding| format!("{} {}{}", finding.rule, finding.severity.name(), kind(finding));
        let why = |not: &NotEvaluated| format!("{}: {}", not.policy, not.reason);
        (outcome.findings.iter().map(line).collect(), outcome.not_evaluated.iter().map(why).collect())
    }

    #[test]
    fn what_is_found_elsewhere_has_severities_and_ignore_entries() {
        let (findings, unjudged) = outcome(vec![found("lost", false), found("odd", false)], &[("odd", Some(Severity::Info))], Vec::new());
        assert_eq!(findings, ["lost error inline", "odd info"]);
        assert_eq!(unjudged, Vec::<String>::new());
        let entry = Ignore {
            rule: "odd".to_owned(),
            path: None,
            object: None,
            reason: "why not".to_owned(),
            expires: None,
            source: Arc::new(Source::from_text("fedward.yaml", String::new()).unwrap()),
            span: Span::at(0),
        };
        let (findings, _) = outcome(vec![found("lost", false), found("odd", false)], &[("lost", None)], vec![entry.clone()]);
        assert_eq!(findings, ["odd error config"]);
        // The entries of rules that ran and found nothing are told; those in the text, too.
        let (findings, _) = outcome(Vec::new(), &[], vec![entry]);
        assert_eq!(findings, ["stale-ignore info", "stale-ignore info"]);
    }

    #[test]
    fn what_is_not_judged_stays_so() {
        let unjudged = |rule: &str, severities: &[(&str, Option<Severity>)]| outcome(vec![found(rule, true)], severities, Vec::new()).1;
        assert_eq!(unjudged("odd", &[]), Vec::<String>::new());
        assert_eq!(unjudged("odd", &[("odd", None)]), ["repository: `odd` says what is wrong, and is off"]);
        assert_eq!(unjudged("odd", &[("odd", Some(Severity::Warning))]), ["repository: `odd` says what is wrong, as `warning` only"]);
        assert_eq!(unjudged("lost", &[]), ["repository: `lost` says what is wrong, and is ignored here"]);
    }
}
