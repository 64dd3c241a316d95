//! What no output may show of the files that rendered texts were made of: the secrets of what is rendered, wherever they stand there.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use aho_corasick::AhoCorasick;
use fedward_engine::HIDDEN;
use fedward_manifest::{Source, Span, decode_base64};
use fedward_outcome::{Location, Outcome};
use fedward_render::KUSTOMIZATIONS;

use crate::Deployed;
use crate::origins::{Origins, join};
use crate::pieces::Made;

/// Values that must not be shown, by the file that may hold them.
#[derive(Default)]
pub(crate) struct Hidden(BTreeMap<String, BTreeSet<String>>);

/// What is shorter is found anywhere, and hides nothing of use: the line that it stands on is hidden as a whole instead.
const SHORTEST: usize = 3;

impl Hidden {
    /// The secrets of what is rendered, which the engine found.
    pub(crate) fn new(deployed: &Deployed, origins: &mut Origins<'_>, outcome: &Outcome) -> Self {
        let mut files: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for piece in deployed.sandbox.pieces() {
            let Some(spans) = outcome.secrets.get(piece.source.name()).filter(|spans| !spans.is_empty()) else { continue };
            let values: BTreeSet<String> = spans.iter().flat_map(|span| spellings(piece.source.slice(*span))).collect();
            let mut names = Vec::new();
            names.extend(piece.file.iter().chain(&piece.changed_by).map(|file| piece.checkout.shown(file)));
            match &piece.made {
                Made::Helm(release) => {
                    names.extend(release.helm.values_files.iter().map(|file| file.name.clone()));
                    let own = origins.chart(release).all_values();
                    own.iter().for_each(|file| files.entry(file.name().to_string()).or_default().extend(values.iter().cloned()));
                }
                Made::Kustomize(folder) => {
                    names.extend(KUSTOMIZATIONS.map(|name| piece.checkout.shown(&join(folder, name))));
                }
                Made::Plugin(place) => names.push(place.source().name().to_string()),
                Made::Jsonnet => {}
            }
            // What an Application itself sets may be such a value, too.
            let deployers = origins.deployers(piece.source.name()).iter().filter_map(|number| deployed.discovery.applications.get(*number));
            names.extend(deployers.map(|application| application.place().source().name().to_string()));
            for name in names {
                files.entry(deployed.name(&name)).or_default().extend(values.iter().cloned());
            }
        }
        Hidden(files)
    }

    /// Hides them in all files that an outcome shows something of.
    pub(crate) fn apply(&self, outcome: &mut Outcome) {
        let mut shown: HashMap<Arc<str>, Arc<Source>> = HashMap::new();
        let findings = outcome.findings.iter();
        let places = findings.flat_map(|finding| finding.related.iter().map(|related| &related.location).chain([&finding.location]));
        for Location { source, .. } in places {
            shown.entry(Arc::clone(source.name())).or_insert_with(|| Arc::clone(source));
        }
        for (name, source) in shown {
            let mut spans = Vec::new();
            if let Some(values) = self.0.get(&*name) {
                occurrences(&source, values, &mut spans);
            }
            if source.text().contains("{{") {
                secret_templates(&source, &mut spans);
            }
            if !spans.is_empty() {
                outcome.secrets.entry(name).or_default().append(&mut spans);
            }
        }
    }
}

/// A line without what is secret in it.
pub(crate) fn line(source: &Source, number: u32, secrets: &[Span]) -> String {
    let whole = source.line_span(number);
    let mut hidden: Vec<Span> = secrets.iter().copied().filter(|span| span.start < whole.end && span.end > whole.start).collect();
    hidden.sort_unstable();
    let (mut out, mut at) = (String::new(), whole.start);
    for span in hidden {
        if span.start >= at {
            out.push_str(source.slice(Span::new(at, span.start)));
            out.push_str(HIDDEN);
        }
        at = at.max(span.end.min(whole.end));
    }
    out.push_str(source.slice(Span::new(at, whole.end.max(at))));
    out.trim().to_owned()
}

/// How a secret may be written: each of its lines without quotes, and what they decode to.
fn spellings(text: &str) -> Vec<String> {
    let bare = |line: &str| line.trim().trim_matches(['"', '\'']).to_owned();
    let lines: Vec<String> = text.lines().map(bare).filter(|line| !matches!(line.as_str(), "|" | "|-" | ">" | ">-" | "|+" | "")).collect();
    let decoded = lines.iter().filter_map(|line| String::from_utf8(decode_base64(line)?).ok());
    let decoded: Vec<String> = decoded.flat_map(|text| text.lines().map(bare).collect::<Vec<_>>()).collect();
    lines.into_iter().chain(decoded).filter(|line| !line.is_empty()).collect()
}

/// Where values stand in a text. They are looked for all at once: a file of values may hold thousands.
fn occurrences(source: &Source, values: &BTreeSet<String>, spans: &mut Vec<Span>) {
    let number = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
    let (long, short): (Vec<&str>, Vec<&str>) = values.iter().map(String::as_str).partition(|value| value.len() >= SHORTEST);
    let Ok(searcher) = AhoCorasick::new(&long) else {
        // More than can be looked for: nothing of the text is shown.
        return spans.push(Span::new(0, number(source.text().len())));
    };
    for found in searcher.find_overlapping_iter(source.text()) {
        let found = Span::new(number(found.start()), number(found.end()));
        match spans.last_mut().filter(|last| found.start <= last.end) {
            // Ends only rise.
            Some(last) => *last = Span::new(last.start.min(found.start), found.end),
            None => spans.push(found),
        }
    }
    if short.is_empty() {
        return;
    }
    for line in 1..=source.line_count() {
        let rest = source.line_text(line).split_once([':', '=']).map_or("", |(_, rest)| rest);
        if short.binary_search(&rest.trim().trim_matches(['"', '\''])).is_ok() {
            spans.push(source.line_span(line));
        }
    }
}

/// The data of Secrets in templates, rendered or not.
fn secret_templates(source: &Source, spans: &mut Vec<Span>) {
    let mut is_secret = false;
    let mut data: Option<usize> = None;
    let end_of_document = |line: &str| line.starts_with("---");
    let lines: Vec<&str> = (1..=source.line_count()).map(|line| source.line_text(line)).collect();
    let starts: Vec<usize> =
        (0..lines.len()).filter(|index| *index == 0 || lines.get(*index).is_some_and(|line| end_of_document(line))).collect();
    for (index, line) in lines.iter().enumerate() {
        if let Ok(found) = starts.binary_search(&index) {
            let end = starts.get(found + 1).copied().unwrap_or(lines.len());
            let own = lines.get(index..end).unwrap_or_default();
            is_secret = own.iter().any(|line| line.trim().trim_matches(['"', '\'']).replace(['"', '\''], "") == "kind: Secret");
            data = None;
        }
        if !is_secret {
            continue;
        }
        let indent = line.len() - line.trim_start().len();
        if data.is_some_and(|above| indent <= above && !line.trim().is_empty() && !line.trim_start().starts_with("{{")) {
            data = None;
        }
        if data.is_some() && !line.trim().is_empty() {
            let whole = source.line_span(u32::try_from(index + 1).unwrap_or(u32::MAX));
            let key = line.find(": ").map_or(0, |at| at + 2);
            spans.push(Span::new(whole.start.saturating_add(u32::try_from(key).unwrap_or(0)), whole.end));
        } else if matches!(line.trim(), "data:" | "stringData:") {
            data = Some(indent);
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn a_secret_is_hidden_in_all_its_spellings() {
        assert_eq!(spellings("\"aHVudGVyMg==\""), ["aHVudGVyMg==", "hunter2"]);
        let source =
            Source::from_text("a", "kind: Secret\nstringData:\n  a: {{ .Values.a | default \"x\" }}\nother: 1\n".to_owned()).unwrap();
        let mut spans = Vec::new();
        secret_templates(&source, &mut spans);
        assert_eq!(spans.iter().map(|span| source.slice(*span).trim_end()).collect::<Vec<_>>(), ["{{ .Values.a | default \"x\" }}"]);
        let source = Source::from_text("a", "a: hunter2\nb: 'x1'\nc: xx1 unter2hunter\n".to_owned()).unwrap();
        let values = ["hunter", "hunter2", "ter2h", "x1"].map(str::to_owned).into();
        let mut spans = Vec::new();
        occurrences(&source, &values, &mut spans);
        assert_eq!(spans.iter().map(|span| source.slice(*span).trim_end()).collect::<Vec<_>>(), ["hunter2", "ter2hunter", "b: 'x1'"]);
        let rendered = Source::from_text("a", "  password: hunter2\n".to_owned()).unwrap();
        assert_eq!(line(&rendered, 1, &[Span::new(12, 19)]), "password: (hidden)");
    }
}
