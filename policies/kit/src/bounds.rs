//! How much of an answer a cluster takes, and what is left of a longer one: the beginning, and a count of the rest.
//!
//! Sources, of Kubernetes 1.36: a warning with a control character is dropped (`apimachinery`, `net/http.go`); if all warnings of a request
//! have more than 4096 characters, each is cut after 256 of them and what comes later is dropped (`apiserver`, `filters/warning.go`). Of its
//! own policies' audit annotations the API server keeps 10 KiB (`policy/validating/dispatcher.go`), of those of webhooks everything; but an
//! event that is larger than 100 KiB can be dropped as a whole (`--audit-log-truncate-enabled`, `options/audit.go`).

use crate::finding::{Finding, Severity};
use crate::json;

/// How much of a list of lines a cluster takes.
pub(crate) struct Bounds {
    /// Characters of a line.
    line: usize,
    /// Lines.
    lines: usize,
    /// Bytes of all.
    bytes: usize,
    /// What a line is.
    noun: &'static str,
}

/// So many warnings of that length are all that a request can have.
pub(crate) const WARNINGS: Bounds = Bounds { line: 256, lines: 16, bytes: usize::MAX, noun: "warnings" };
/// The message of a rejection is stored in the audit scanner's report on the object.
pub(crate) const REASONS: Bounds = Bounds { line: 4 << 10, lines: usize::MAX, bytes: 16 << 10, noun: "reasons" };
/// Bytes of the annotation. Those of all policies together fit into an event.
const ANNOTATION: usize = 10 << 10;
/// What the mark behind a cut text takes, whatever the number in it.
const MARK: usize = 32;

/// A text that may be cut, but for so many bytes at its end.
pub(crate) struct Line {
    pub(crate) text: String,
    pub(crate) end: usize,
}

impl Line {
    /// With at most so many characters, of which the end has one for each byte.
    fn within(&self, most: usize) -> String {
        let (text, end) = self.text.split_at_checked(self.text.len() - self.end).unwrap_or_default();
        let (all, room) = (text.chars().count(), most.saturating_sub(self.end));
        if all <= room {
            return self.text.clone();
        }
        let kept = room.saturating_sub(MARK);
        let at = text.char_indices().nth(kept).map_or(0, |(at, _)| at);
        format!("{}… ({} more characters){end}", text.get(..at).unwrap_or_default(), all - kept)
    }
}

/// As many lines as a cluster takes, and the number of the others.
pub(crate) fn bounded(lines: &[Line], bounds: &Bounds) -> Vec<String> {
    let mut out = Vec::new();
    let mut room = bounds.bytes;
    for line in lines {
        let line = line.within(bounds.line);
        let is_last = out.len() + 1 == bounds.lines && lines.len() > bounds.lines;
        if is_last || line.len() > room {
            break;
        }
        room -= line.len();
        out.push(line);
    }
    if lines.len() > out.len() {
        out.push(format!("and {} more {}", lines.len() - out.len(), bounds.noun));
    }
    out
}

/// A text of one line.
pub(crate) fn flat(text: &str) -> String {
    text.chars().map(|char| if char.is_control() { ' ' } else { char }).collect()
}

/// The gravest findings as a JSON list, and how many are not in it.
pub(crate) fn annotation(findings: &[&Finding]) -> (String, usize) {
    let mut out = "[".to_owned();
    let mut left_out = 0;
    for severity in [Severity::Error, Severity::Warning, Severity::Info] {
        for finding in findings.iter().filter(|finding| finding.severity == severity) {
            let before = out.len();
            if before > 1 {
                out.push(',');
            }
            finding.write(&mut out);
            // The list still has to end.
            if out.len() >= ANNOTATION {
                out.truncate(before);
                left_out += 1;
            }
        }
    }
    out.push(']');
    (out, left_out)
}

/// All findings as a JSON list, in their order.
pub(crate) fn all(findings: &[&Finding]) -> String {
    let mut out = String::new();
    json::write_list(findings, &mut out, |finding, out| finding.write(out));
    out
}

/// Whether a list is one that a cluster takes.
pub(crate) fn fits(annotation: &str) -> bool {
    annotation.len() <= ANNOTATION
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

    use crate::finding::Place;

    use super::*;

    fn line(text: &str) -> Line {
        let end = " [some-rule]";
        Line { text: format!("{text}{end}"), end: end.len() }
    }

    fn warnings(lines: Vec<Line>) -> Vec<String> {
        bounded(&lines, &WARNINGS)
    }

    fn message(lines: Vec<Line>) -> Vec<String> {
        bounded(&lines, &REASONS)
    }

    fn finding(severity: Severity, message: &str) -> Finding {
        Finding {
            rule: "some-rule".into(),
            condition: "some".into(),
            severity,
            place: Place::new(None, "/spec".into()),
            message: message.into(),
            help: String::new(),
            docs: "docs/rules/some-rule.md".into(),
            related: Vec::new(),
            related_more: 0,
            fix: Vec::new(),
            mends: false,
        }
    }

    #[test]
    fn a_long_warning_keeps_its_beginning_its_rule_and_a_count() {
        // Characters of several bytes: Kubernetes counts characters.
        let text = "ä".repeat(244);
        assert_eq!(warnings(vec![line(&text)]), [format!("{text} [some-rule]")]);
        let [cut] = <[String; 1]>::try_from(warnings(vec![line(&"ä".repeat(245))])).unwrap();
        assert_eq!(cut, format!("{}… (33 more characters) [some-rule]", "ä".repeat(212)));
        for length in [245, 300, 100_000, 1_234_567] {
            let told = warnings(vec![line(&"x".repeat(length))]).remove(0);
            let kept = told.chars().take_while(|char| *char == 'x').count();
            assert!(told.chars().count() <= 256 && told.contains(&format!("({} more characters)", length - kept)), "{told}");
        }
        // An end that leaves no room for the text.
        let line = Line { text: format!("abc{}", "e".repeat(300)), end: 300 };
        assert_eq!(line.within(256), format!("… (3 more characters){}", "e".repeat(300)));
    }

    #[test]
    fn control_characters_would_lose_the_warning() {
        assert_eq!(flat("a\nb\tc\u{85}d\u{7f}ä"), "a b c d ä");
    }

    #[test]
    fn a_request_has_room_for_so_many_warnings() {
        let told = |count: usize| warnings((0..count).map(|_| line(&"x".repeat(300))).collect());
        assert_eq!(told(16).len(), 16);
        for count in [16, 17, 500] {
            let all = told(count);
            assert!(all.iter().map(|warning| warning.chars().count()).sum::<usize>() <= 4096);
            assert_eq!(all.last().unwrap().starts_with("and "), count > 16);
        }
        assert_eq!(told(17)[15], "and 2 more warnings");
    }

    #[test]
    fn a_message_has_as_many_reasons_as_fit_and_the_number_of_the_others() {
        assert_eq!(message(vec![line("a\nb"), line("c")]), ["a\nb [some-rule]", "c [some-rule]"]);
        let told = message((0..100).map(|_| line(&"x".repeat(1000))).collect());
        assert_eq!(told.len(), 17);
        assert_eq!(told[16], "and 84 more reasons");
        assert!(told.iter().map(String::len).sum::<usize>() <= REASONS.bytes + 32);
        assert!(message(vec![line(&"x".repeat(100_000))])[0].ends_with("more characters) [some-rule]"));
    }

    #[test]
    fn the_gravest_findings_are_in_the_annotation() {
        let kinds = [Severity::Info, Severity::Warning, Severity::Error];
        let findings: Vec<Finding> = (0..150).map(|number| finding(kinds[number % 3], &format!("number {number}"))).collect();
        let findings: Vec<&Finding> = findings.iter().collect();
        assert!(!fits(&all(&findings)) && fits(&all(&findings[..10])));
        let (list, left_out) = annotation(&findings);
        assert!(fits(&list));
        let kept: Vec<Finding> = serde_json::from_str(&list).unwrap();
        assert_eq!(kept.len() + left_out, 150);
        assert!(kept[..50].iter().all(|finding| finding.severity == Severity::Error), "all errors have room");
        assert!(kept[50..].iter().all(|finding| finding.severity == Severity::Warning) && kept.len() > 50);
        // One that is too large for itself leaves the others in.
        let (large, small) = (finding(Severity::Error, &"x".repeat(20_000)), finding(Severity::Info, "small"));
        let (list, left_out) = annotation(&[&large, &small]);
        assert_eq!((serde_json::from_str::<Vec<Finding>>(&list).unwrap(), left_out), (vec![small.clone()], 1));
        assert_eq!(annotation(&[&large]), ("[]".to_owned(), 1));
    }
}
