//! Which value was put into a line of a template.

use std::sync::Arc;

use fedward_gitops::Value;
use fedward_manifest::{Document, Encoding, Format, Limits, Node, Source, Span};
use fedward_outcome::{Location, Related};

use super::Origins;
use super::charts::{self, Chart};
use crate::Deployed;
use crate::pieces::{Piece, Release};

/// Files of values that one value is looked for in: charts may take over values from one another in any number.
const MAX_FILES: usize = 1_000;

/// Where keys lead.
enum Found {
    /// To a scalar, with this text.
    Value(Location, String),
    /// To something else, or to nothing although weaker values have it: nobody knows.
    Unknown,
}

/// Where the value of `template`, a line with `{{ .Values.a.b }}` in it and no other action, is written, if `rendered` shows that value.
pub(super) fn trace(origins: &mut Origins<'_>, piece: &Piece, release: &Release, rendered: &str, template: &str) -> Option<Related> {
    let (keys, value) = scalar(rendered, template)?;
    let (called, _) = charts::parts(&piece.name);
    let chart = origins.chart(release);
    let made_by = origins.deployer(piece.source.name());
    let mut lookup = Lookup { origins, made_by, release, left: MAX_FILES };
    for path in paths(&called, &keys) {
        match lookup.given(&path).or_else(|| lookup.default(&chart, &path)) {
            Some(Found::Value(location, found)) => {
                let message = format!("`{}` is set here", path.join("."));
                return (found == value).then_some(Related { location, message });
            }
            Some(Found::Unknown) => return None,
            None => {}
        }
    }
    None
}

/// Where the value that keys lead to is set, for a chart that is called so in those that build on it. `made_by`: the Application that the release is
/// of, and which of its sources.
pub(crate) fn place(
    origins: &mut Origins<'_>,
    release: &Release,
    made_by: Option<(usize, usize)>,
    called: &[&str],
    keys: &[&str],
) -> Option<Location> {
    let chart = origins.chart(release);
    let mut lookup = Lookup { origins, made_by, release, left: MAX_FILES };
    let found = paths(called, keys).into_iter().find_map(|path| lookup.given(&path).or_else(|| lookup.default(&chart, &path)));
    match found? {
        Found::Value(location, _) => Some(location).filter(|location| !location.source.text().is_empty()),
        Found::Unknown => None,
    }
}

/// Where values of a chart stand, from the first chart on, the strongest first: those of a chart in a chart are under its name, and global ones
/// are those of all charts above it, too.
fn paths<'k>(called: &[&'k str], keys: &[&'k str]) -> Vec<Vec<&'k str>> {
    let below = |depth: usize| called.iter().take(depth).chain(keys).copied().collect();
    let is_global = keys.first() == Some(&"global");
    // What another chart has for global is somebody else's.
    if keys.iter().skip(1).any(|key| *key == "global") {
        return Vec::new();
    }
    if is_global { (0..=called.len()).map(below).collect() } else { vec![below(called.len())] }
}

struct Lookup<'o, 'd> {
    origins: &'o mut Origins<'d>,
    made_by: Option<(usize, usize)>,
    release: &'o Release,
    /// How many more files are looked at.
    left: usize,
}

impl<'d> Lookup<'_, 'd> {
    /// What the Application says, or one of its files, in the order of their force.
    fn given(&mut self, keys: &[&str]) -> Option<Found> {
        self.parameter(keys).or_else(|| self.own(keys)).or_else(|| {
            let names: Vec<String> = self.release.helm.values_files.iter().rev().map(|file| file.name.clone()).collect();
            names.iter().find_map(|name| {
                let source = self.origins.shown(name)?;
                look_up(&self.origins.documents(&source), keys).map(|at| at.found(&source))
            })
        })
    }

    /// What `parameters` say.
    fn parameter(&mut self, keys: &[&str]) -> Option<Found> {
        let helm = &self.release.helm;
        if helm.file_parameters.iter().any(|(name, _)| meets(name, keys).is_some()) {
            return Some(Found::Unknown);
        }
        // Those that are strings come last.
        let strings = [true, false].into_iter();
        let parameters = strings.flat_map(|force| helm.parameters.iter().rev().filter(move |parameter| parameter.force_string == force));
        let (parameter, is_it) = parameters.filter_map(|parameter| Some((parameter, meets(&parameter.name, keys)?))).next()?;
        let mut written = || {
            let list = self.block()?.get("parameters")?.as_list()?;
            let is_same = |entry: &&Value| entry.text("name") == parameter.name && entry.flag("forceString") == parameter.force_string;
            let value = list.iter().rev().find(is_same)?.get("value")?;
            Some(Found::Value(self.edited(location(value))?, value.as_str()?.to_owned()))
        };
        Some(if is_it { written() } else { None }.unwrap_or(Found::Unknown))
    }

    /// What `valuesObject` or `values` says.
    fn own(&mut self, keys: &[&str]) -> Option<Found> {
        let source = self.release.values()?;
        let documents = self.origins.documents(&source);
        let text = match look_up(&documents, keys)? {
            At::Scalar(_, text) => text,
            At::Other => return Some(Found::Unknown),
        };
        let written = || {
            let helm = self.block()?;
            if let Some(object) = helm.get("valuesObject") {
                return object.at(keys).map(location);
            }
            let values = helm.get("values")?;
            Some(inside(values, keys).unwrap_or_else(|| location(values)))
        };
        let written = written();
        Some(written.and_then(|location| self.edited(location)).map_or(Found::Unknown, |location| Found::Value(location, text)))
    }

    /// The `helm` block of the source that was rendered.
    fn block(&self) -> Option<&'d Value> {
        let (application, source) = self.made_by?;
        let deployed: &'d Deployed = self.origins.deployed;
        let application = deployed.discovery.applications.get(application)?;
        application.sources.get(source)?.effective.get("helm")
    }

    /// A place in an Application, in the file that a person edits: the Application may itself be rendered. `None` where the line is not known.
    fn edited(&mut self, location: Location) -> Option<Location> {
        if let Some(placed) = self.origins.place(&location, None) {
            return placed.exact.then_some(placed.location);
        }
        // As outputs name it.
        let source = self.origins.shown(location.source.name()).filter(|source| source.text().len() == location.source.text().len());
        Some(Location { source: source.unwrap_or_else(|| Arc::clone(&location.source)), ..location })
    }

    /// What charts have where nobody says anything: what stands in the file of the chart, in that of the one below it, or what it takes over.
    fn default(&mut self, chart: &Chart, keys: &[&str]) -> Option<Found> {
        self.below(chart, keys).or_else(|| {
            let mut imports = chart.imports();
            imports.find_map(|import| {
                let to: Vec<&str> = import.to.iter().map(String::as_str).collect();
                let rest = keys.strip_prefix(to.as_slice())?;
                let from: Vec<&str> = import.from.iter().map(String::as_str).chain(rest.iter().copied()).collect();
                self.below(chart, &from)
            })
        })
    }

    /// What stands in the file of a chart, or in that of the one that the first key is the name of.
    fn below(&mut self, chart: &Chart, keys: &[&str]) -> Option<Found> {
        let Some(left) = self.left.checked_sub(1) else { return Some(Found::Unknown) };
        self.left = left;
        if let Some(values) = chart.values()
            && let Some(at) = look_up(&self.origins.documents(&values.source), keys)
        {
            // Of a file in an archive there is only its name.
            return Some(match at {
                At::Scalar(_, text) if values.is_packed => {
                    Found::Value(Location { source: values.shown(), span: Span::at(0), pointer: String::new() }, text)
                }
                at => at.found(&values.source),
            });
        }
        let (first, rest) = keys.split_first().filter(|(first, rest)| chart.has(first) && !rest.is_empty())?;
        chart.child(first).map_or(Some(Found::Unknown), |child| self.default(child, rest))
    }
}

/// Whether a parameter sets what keys lead to (`true`), or something above or below it.
fn meets(name: &str, keys: &[&str]) -> Option<bool> {
    let mut own = name.split('.');
    let mut keys = keys.iter();
    loop {
        match (own.next(), keys.next()) {
            (None, None) => return Some(true),
            (Some(own), Some(key)) if own == *key => {}
            // An index, or a dot that separates nothing.
            (Some(own), Some(key)) if own.contains(['[', '\\']) && own.starts_with(key) => return Some(false),
            (Some(_), Some(_)) => return None,
            _ => return Some(false),
        }
    }
}

fn location(value: &Value) -> Location {
    Location { source: Arc::clone(value.place.source()), span: value.place.span(), pointer: String::new() }
}

/// Where keys lead in a text of values that stands in a file.
fn inside(values: &Value, keys: &[&str]) -> Option<Location> {
    let node = values.place.node();
    // A template may have made another text of it.
    if node.as_str() != values.as_str() {
        return None;
    }
    let parsed = node.embedded(Encoding::Text, Format::Yaml, &Limits::default()).ok()?;
    let documents: Vec<Document> = parsed.into_iter().filter_map(|parsed| parsed.document).collect();
    match look_up(&documents, keys)? {
        At::Scalar(span, _) => Some(Location { source: Arc::clone(values.place.source()), span, pointer: String::new() }),
        At::Other => None,
    }
}

/// The keys of the one value that a line of a template puts in, and what stands there in the rendered line.
fn scalar<'t>(rendered: &'t str, template: &'t str) -> Option<(Vec<&'t str>, String)> {
    let (before, rest) = template.trim().split_once("{{")?;
    let (action, after) = rest.split_once("}}")?;
    if after.contains("{{") {
        return None;
    }
    let mut words = action.trim_matches(['-', ' ']).split('|').map(str::trim);
    let path = words.next()?.trim_start_matches('$').strip_prefix(".Values.")?;
    let is_key = |key: &str| !key.is_empty() && key.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_');
    let keys: Vec<&str> = path.split('.').collect();
    if !keys.iter().all(|key| is_key(key)) || !words.all(|word| matches!(word, "quote" | "squote" | "toString" | "trim")) {
        return None;
    }
    let value = rendered.trim().strip_prefix(before.trim_end())?.trim_start().strip_suffix(after.trim())?;
    Some((keys, value.trim().trim_matches(['"', '\'']).to_owned()))
}

/// What keys lead to in a file of values.
enum At {
    /// A scalar with a text.
    Scalar(Span, String),
    /// Something else, or a value that ends them early.
    Other,
}

impl At {
    fn found(self, source: &Arc<Source>) -> Found {
        match self {
            At::Scalar(span, text) => Found::Value(Location { source: Arc::clone(source), span, pointer: String::new() }, text),
            At::Other => Found::Unknown,
        }
    }
}

/// Where keys lead in a file of values; `None` if it says nothing of them.
fn look_up(documents: &[Document], keys: &[&str]) -> Option<At> {
    let mut node = documents.iter().map(Document::root).find(|root| root.is_map())?;
    for key in keys {
        // A null takes away what weaker values have there, and anything else takes its place.
        if !node.is_map() {
            return Some(At::Other);
        }
        node = node.get(key)?;
    }
    if node.is_map() || node.is_seq() || node.is_null() {
        return Some(At::Other);
    }
    Some(At::Scalar(node.place(), written(node)))
}

fn written(node: Node<'_>) -> String {
    node.as_str().map_or_else(
        || {
            let mut json = Vec::new();
            node.write_json(&mut json);
            String::from_utf8(json).unwrap_or_default()
        },
        str::to_owned,
    )
}

#[cfg(test)]
mod tests {
    use super::{meets, paths, scalar};

    #[test]
    fn only_a_value_by_itself_is_traced() {
        let found = |rendered, template| scalar(rendered, template).map(|(keys, value)| (keys.join("."), value));
        assert_eq!(found("a: b", "a: {{ .Values.x.y }}"), Some(("x.y".to_owned(), "b".to_owned())));
        assert_eq!(found("a: \"b\"", "a: {{- $.Values.x | quote }}"), Some(("x".to_owned(), "b".to_owned())));
        assert_eq!(found("image: web:1.0", "image: web:{{ .Values.tag }}"), Some(("tag".to_owned(), "1.0".to_owned())));
        for template in [
            "a: {{ .Values.x | default \"b\" }}",
            "a: {{ include \"x\" . }}",
            "a: {{ .Values.x }}{{ .Values.y }}",
            "a: b",
            "{{ .Values.x-y }}",
        ] {
            assert_eq!(found("a: b", template), None, "{template}");
        }
    }

    #[test]
    fn values_of_charts_in_charts_are_under_their_names() {
        let found = |called: &[&str], keys: &[&str]| paths(called, keys).iter().map(|path| path.join(".")).collect::<Vec<_>>();
        assert_eq!(found(&[], &["x"]), ["x"]);
        assert_eq!(found(&["db", "log"], &["x", "y"]), ["db.log.x.y"]);
        assert_eq!(found(&["db", "log"], &["global", "x"]), ["global.x", "db.global.x", "db.log.global.x"]);
        assert!(found(&[], &["db", "global", "x"]).is_empty());
    }

    #[test]
    fn a_parameter_sets_a_value_or_what_is_around_it() {
        for (name, expected) in [
            ("a.b", Some(true)),
            ("a", Some(false)),
            ("a.b.c", Some(false)),
            ("a[0].b", Some(false)),
            ("a\\.b", Some(false)),
            ("a.c", None),
            ("ab.b", None),
            ("b", None),
        ] {
            assert_eq!(meets(name, &["a", "b"]), expected, "{name}");
        }
    }
}
