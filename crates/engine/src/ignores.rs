//! Ignore entries: comments beside a line, and entries of the configuration. A module never sees them.

use std::collections::HashMap;
use std::sync::Arc;

use fedward_kit::policy::RuleDescriptor;
use fedward_kit::rule::Condition;
use fedward_kit::suggest;
use fedward_kit::text::Glob;
use fedward_manifest::{Document, Source, Span};
use fedward_outcome::{Finding, Location, Outcome, Suppression, SuppressionKind};

use crate::Options;
use crate::input::Report;
use crate::load::Loaded;

const UNUSED: Condition = Condition::info("unused", "nothing that the entry names was found");
const EXPIRED: Condition = Condition::warning("expired", "the entry's date has passed: it no longer applies");
const NO_REASON: Condition = Condition::warning("no-reason", "an inline entry gives no reason: it does not apply");
const UNKNOWN_RULE: Condition = Condition::warning("unknown-rule", "the entry names a rule that does not exist");
const MALFORMED: Condition = Condition::warning("malformed", "a comment begins like an inline entry, but is none");

/// The page of this rule is in `input/stale_ignore.rs`.
pub(crate) const RULE: RuleDescriptor = RuleDescriptor {
    id: "stale-ignore",
    summary: "an ignore entry is unused, expired, without reason, malformed or names no rule",
    conditions: &[UNUSED, EXPIRED, NO_REASON, UNKNOWN_RULE, MALFORMED],
    supersedes: &[],
};

/// An ignore entry of the configuration.
#[derive(Debug, Clone)]
pub struct Ignore {
    /// The rule.
    pub rule: String,
    /// Which files; any if `None`.
    pub path: Option<Glob>,
    /// Which objects, as `Kind namespace/name` or `Kind name` (in any namespace, or in none); any if `None`.
    pub object: Option<Glob>,
    /// Why.
    pub reason: String,
    /// The last day on which it applies, `YYYY-MM-DD`.
    pub expires: Option<String>,
    /// Where the entry stands.
    pub source: Arc<Source>,
    /// Where in it.
    pub span: Span,
}

/// What is known of rules.
#[derive(Debug, Clone, Copy)]
pub struct Rules<'r> {
    /// Those of this run.
    pub runs: &'r [String],
    /// Further ones that there are.
    pub known: &'r [String],
    /// Whether some of what could be judged is not: what would use an entry may be among that.
    pub is_narrowed: bool,
}

impl Rules<'_> {
    fn run(&self, rule: &str) -> bool {
        self.runs.iter().any(|known| known == rule)
    }

    /// A report's text if there is no such rule.
    fn unknown(&self, rule: &str) -> Option<String> {
        let all = || self.runs.iter().chain(self.known).map(String::as_str);
        if all().any(|known| known == rule) {
            return None;
        }
        let meant = suggest::nearest(rule, all()).map(|known| format!("; did you mean `{known}`?"));
        Some(format!("there is no rule `{rule}`{}", meant.unwrap_or_default()))
    }
}

/// What an inline entry begins with.
const NAME: &str = "fedward";

/// How an inline entry is written.
const FORM: &str = "`# fedward: ignore[rule-id] why it is right here`";

/// An inline entry.
struct Inline {
    source: Arc<Source>,
    span: Span,
    rules: Vec<String>,
    reason: String,
    used: bool,
}

/// The inline entries of some documents, and which apply to which line.
#[derive(Default)]
pub struct Inlines {
    entries: Vec<Inline>,
    /// By the name of a source and a line.
    by_line: HashMap<(Arc<str>, u32), Vec<usize>>,
}

impl Inlines {
    /// Whether a text may have entries: most have none, and need not be read for them.
    pub fn may_be_in(text: &str) -> bool {
        text.as_bytes().windows(NAME.len()).any(|word| word.eq_ignore_ascii_case(NAME.as_bytes()))
    }

    /// Takes the entries of a document: a comment after content counts for its own line, one that stands alone for the next line that is no
    /// comment.
    pub fn add(&mut self, document: &Document) {
        let source = document.source();
        for comment in document.comments() {
            let Some((rules, reason)) = parse(comment.text) else { continue };
            let mut line = source.position(comment.span.start).line;
            if comment.own_line {
                let is_comment = |line: u32| source.line_text(line).trim_start().starts_with('#');
                line += 1;
                while line < source.line_count() && is_comment(line) {
                    line += 1;
                }
            }
            self.by_line.entry((Arc::clone(source.name()), line)).or_default().push(self.entries.len());
            self.entries.push(Inline { source: Arc::clone(source), span: comment.span, rules, reason, used: false });
        }
    }

    /// Applies the entries of its line to a finding.
    pub fn apply(&mut self, finding: &mut Finding) {
        let location = finding.location.clone();
        self.apply_at(&location, finding);
    }

    /// Applies the entries of a line to a finding that is because of what stands there.
    pub fn apply_at(&mut self, location: &Location, finding: &mut Finding) {
        let here = self.by_line.get(&(Arc::clone(location.source.name()), location.start().line)).map(Vec::as_slice).unwrap_or_default();
        for index in here {
            if let Some(entry) = self.entries.get_mut(*index).filter(|entry| entry.rules.contains(&finding.rule)) {
                entry.used = true;
                if !entry.reason.is_empty() {
                    finding.suppressed = Some(Suppression { kind: SuppressionKind::Inline, reason: entry.reason.clone() });
                }
            }
        }
    }

    /// Where entries stand that apply to something: the file and the place in it.
    pub fn used(&self) -> impl Iterator<Item = (Arc<str>, Span)> {
        self.entries.iter().filter(|entry| entry.used).map(|entry| (Arc::clone(entry.source.name()), entry.span))
    }

    /// Reports entries that are stale.
    pub fn stale(&self, rules: &Rules<'_>) -> Vec<Finding> {
        let mut stale = Vec::new();
        for entry in &self.entries {
            let unknown = entry.rules.iter().find_map(|rule| rules.unknown(rule));
            let report = |condition, message| Report::new(&RULE, condition, entry.span, message).finding(&entry.source, None);
            if let Some(message) = unknown {
                stale.push(report(&UNKNOWN_RULE, message));
            } else if entry.rules.is_empty() {
                stale.push(report(&MALFORMED, format!("this comment ignores nothing: an entry is written {FORM}")));
            } else if entry.reason.is_empty() {
                stale.push(report(&NO_REASON, format!("an ignore entry needs a reason: {FORM}")));
            } else if !rules.is_narrowed && !entry.used && entry.rules.iter().all(|rule| rules.run(rule)) {
                stale.push(report(&UNUSED, "nothing on this line is ignored: the entry can go".to_owned()));
            }
        }
        stale
    }
}

/// Applies both kinds of entries, and reports those that are stale.
pub(crate) fn apply(outcome: &mut Outcome, loaded: &[Loaded], options: &Options, rules: &Rules<'_>) {
    let Options { ignores: entries, ignore_names: names, today, .. } = options;
    let mut inline = Inlines::default();
    for one in loaded {
        // One that is the text of another has no lines of its own.
        if let Some(document) = one.document.as_ref().filter(|document| Arc::ptr_eq(document.source(), &one.source)) {
            inline.add(document);
        }
    }
    let mut used = vec![false; entries.len()];
    for finding in &mut outcome.findings {
        inline.apply(finding);
        for (entry, used) in entries.iter().zip(&mut used).filter(|(entry, _)| entry.rule == finding.rule) {
            if matches(entry, finding, names) {
                *used = true;
                if !is_expired(entry, today) && finding.suppressed.is_none() {
                    finding.suppressed = Some(Suppression { kind: SuppressionKind::Config, reason: entry.reason.clone() });
                }
            }
        }
    }
    let mut stale = inline.stale(rules);
    for (entry, used) in entries.iter().zip(used) {
        let report = |condition, message| Report::new(&RULE, condition, entry.span, message).finding(&entry.source, None);
        if let Some(message) = rules.unknown(&entry.rule) {
            stale.push(report(&UNKNOWN_RULE, message));
        } else if is_expired(entry, today) {
            stale.push(report(&EXPIRED, format!("the entry for `{}` expired on {}", entry.rule, entry.expires.as_deref().unwrap_or(""))));
        } else if !rules.is_narrowed && !used && rules.run(&entry.rule) {
            stale.push(report(&UNUSED, format!("the entry for `{}` ignores nothing: it can go", entry.rule)));
        }
    }
    outcome.findings.extend(stale);
}

fn matches(entry: &Ignore, finding: &Finding, names: &HashMap<String, String>) -> bool {
    let shown = finding.location.source.name();
    let path = names.get(&**shown).map_or(&**shown, String::as_str);
    let is_object = |glob: &Glob| {
        finding.object.as_ref().is_some_and(|object| {
            glob.matches(&format!("{} {}", object.kind, object.name))
                || !object.namespace.is_empty() && glob.matches(&format!("{} {}/{}", object.kind, object.namespace, object.name))
        })
    };
    entry.path.as_ref().is_none_or(|glob| glob.matches(path)) && entry.object.as_ref().is_none_or(is_object)
}

fn is_expired(entry: &Ignore, today: &str) -> bool {
    // Dates of this form sort as text.
    entry.expires.as_deref().is_some_and(|last| last < today)
}

/// `fedward: ignore[rule-id, other-rule] reason`. What only begins like that has no rules.
fn parse(comment: &str) -> Option<(Vec<String>, String)> {
    let (name, rest) = comment.trim_start().split_at_checked(NAME.len())?;
    if !name.eq_ignore_ascii_case(NAME) {
        return None;
    }
    let verb = rest.trim_start_matches([' ', ':', '-', '_']);
    let word = verb.split(|letter: char| !letter.is_ascii_alphabetic()).next().unwrap_or_default();
    let is_meant = ["ignore", "disable", "noqa", "skip", "allow"].iter().any(|known| word.eq_ignore_ascii_case(known))
        || verb.strip_prefix(word).is_some_and(|rest| rest.starts_with('['));
    // Ordinary prose begins with `fedward`, too.
    if verb.len() == rest.len() || !is_meant {
        return None;
    }
    let entry = rest.strip_prefix(':').filter(|_| name == NAME).and_then(|rest| rest.trim_start().strip_prefix("ignore["));
    let Some((rules, reason)) = entry.and_then(|entry| entry.split_once(']')) else { return Some((Vec::new(), String::new())) };
    let rules = rules.split(',').map(|rule| rule.trim().to_owned()).filter(|rule| !rule.is_empty()).collect();
    Some((rules, reason.trim().to_owned()))
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn reads_inline_entries() {
        let entry = |rules: &[&str], reason: &str| Some((rules.iter().map(|&rule| rule.to_owned()).collect(), reason.to_owned()));
        assert_eq!(parse(" fedward: ignore[a, b] why not"), entry(&["a", "b"], "why not"));
        assert_eq!(parse("fedward: ignore[a]"), entry(&["a"], ""));
        for malformed in [
            " fedward: ignored[a] x",
            "fedward:ignore a",
            "fedward-ignore[a] x",
            "fedward ignore[a] x",
            "fedward: ignore [a]",
            "fedward: disable=a",
            "Fedward: ignore[a] x",
            "FEDWARD: IGNORE[a] x",
            "fedward: Ignore[a] x",
        ] {
            assert_eq!(parse(malformed), entry(&[], ""), "{malformed}");
        }
        for other in [
            " something else",
            " fedward is a linter",
            "fedward skips these",
            "fedwardignore",
            "use fedward: ignore[a] like this",
            "Fedward ignores this",
            "fedwär",
        ] {
            assert_eq!(parse(other), None, "{other}");
        }
    }
}
