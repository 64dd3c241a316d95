//! Where secret values stand, so that no output shows them.
//!
//! | what | what is hidden |
//! |---|---|
//! | a map of `kind: Secret`, wherever it stands in a document, and what an admission request for a Secret has as one | every value in `data` and `stringData` |
//! | a key that stands twice in such a Secret | all of what it stands in: the tree has no trace of its first value |
//! | text with a Secret in it: a document that does not parse, a manifest inside a string | all of it |
//! | `secretGenerator` of a kustomization | its `literals` |
//! | an environment variable that is called like a secret, or that a rule takes for one | its `value` |
//! | an entry of a `ConfigMap`'s `data` that is called like a secret | its value |
//! | a URL with a password | all of it |
//! | text with a `clientSecret` or a `private_key` | the rest of its line |
//! | the default of a secure parameter of an ARM template | its value |
//! | what Terraform prints | everything but the values of resources that are read, and of these what is marked as sensitive |
//! | an alias of one of them, or what one of them is an alias of | the same value in that document, and in what is said of the file |

mod reuse;

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use fedward_manifest::{Document, Limit, Node, ProblemKind, Span};
use fedward_outcome::Outcome;
use rayon::prelude::*;

use crate::input::looks_like_manifest;
use crate::lift::terraform;
use crate::load::{Loaded, text};

const FIELDS: [&str; 2] = ["data", "stringData"];
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// Puts the spans of what must not be shown into an outcome, for the files that it shows something of, and takes from its texts the
/// values that a rule saw elsewhere. `everywhere`: in all files, since what is shown instead of some of them is not known yet.
pub(crate) fn hide(loaded: &[Loaded], outcome: &mut Outcome, everywhere: bool) {
    let places =
        outcome.findings.iter().flat_map(|finding| finding.related.iter().map(|related| &related.location).chain([&finding.location]));
    let places = places.chain(outcome.not_evaluated.iter().map(|one| &one.location));
    let shown: HashSet<&str> = places.map(|location| &**location.source.name()).collect();
    let variables = variables(outcome);
    let of = |one: &Loaded| {
        let text = one.source.slice(one.chunk.span);
        let variables = variables.get(&**one.source.name());
        let terraform = one.document.as_ref().map(Document::root).filter(|root| terraform::looks_like(*root));
        if terraform.is_none() && variables.is_none() && !WORDS.iter().any(|word| text.contains(word)) {
            return None;
        }
        let mut spans = Vec::new();
        match &one.document {
            Some(document) => walk(one, document.root(), variables, &mut spans),
            None if may_hold_secret(text) => spans.push(one.chunk.span),
            None => {}
        }
        if let Some(root) = terraform {
            terraform::secrets(root, &mut spans);
        }
        let values = reuse::values(one, &mut spans);
        (!spans.is_empty()).then(|| (Arc::clone(one.source.name()), spans, values))
    };
    let parts: Vec<_> = loaded.par_iter().filter(|one| everywhere || shown.contains(&**one.source.name())).filter_map(of).collect();
    let mut values: HashMap<Arc<str>, BTreeSet<String>> = HashMap::new();
    for (file, mut spans, reused) in parts {
        if !reused.is_empty() {
            values.entry(Arc::clone(&file)).or_default().extend(reused);
        }
        outcome.secrets.entry(file).or_default().append(&mut spans);
    }
    reuse::hide(&values, outcome);
}

/// The rule that says of an environment variable that it holds a credential, whatever its name.
const OF_VARIABLES: &str = "static-credential-variable";

/// Where the variables begin that a rule takes for credentials, by file.
fn variables(outcome: &Outcome) -> HashMap<Arc<str>, HashSet<u32>> {
    let mut found: HashMap<Arc<str>, HashSet<u32>> = HashMap::new();
    for finding in outcome.findings.iter().filter(|finding| finding.rule == OF_VARIABLES) {
        for location in finding.related.iter().map(|related| &related.location).chain([&finding.location]) {
            found.entry(Arc::clone(location.source.name())).or_default().insert(location.span.start);
        }
    }
    found
}

/// A text without any of them has no secret that is looked for: most documents end here. Parts of words, for any case of their first
/// letter; with a backslash a string may be written in other letters than it has.
const WORDS: [&str; 19] = [
    "ecureString",
    "ecureObject",
    "ecurestring",
    "ecureobject",
    "ecret",
    "ECRET",
    "assw",
    "ASSW",
    "oken",
    "OKEN",
    "_KEY",
    "_key",
    "_Key",
    "redential",
    "REDENTIAL",
    "_PAT",
    "ONNECTION_STRING",
    "@",
    "\\",
];

/// Goes through every value of a document. Its depth is bounded by the reader.
fn walk(one: &Loaded, node: Node<'_>, variables: Option<&HashSet<u32>>, spans: &mut Vec<Span>) {
    if let Some(value) = node.as_str() {
        if may_hold_secret(value) || has_password(value) {
            spans.push(node.span());
        } else if FIELDS_IN_TEXT.iter().any(|field| value.contains(field)) {
            in_text(one, node.span(), spans);
        }
        return;
    }
    if node.is_map() {
        if is_of_secret(node) {
            of_request(one, node, spans);
        }
        let kind = text(node, "kind");
        if kind == Some("Secret") {
            secret(one, node, spans);
        } else if let (Some(name), Some(value)) = (text(node, "name"), node.get("value"))
            && (is_secret_name(name) || variables.is_some_and(|starts| starts.contains(&node.span().start)))
        {
            collect(value, spans);
        }
        if let (Some(kind), Some(value)) = (text(node, "type"), node.get("defaultValue"))
            && ["secureString", "secureObject"].iter().any(|secure| kind.eq_ignore_ascii_case(secure))
        {
            collect(value, spans);
        }
        if let (Some("ConfigMap"), Some(data)) = (kind, node.get("data")) {
            data.entries().filter(|entry| is_secret_name(entry.key)).for_each(|entry| collect(entry.value, spans));
        }
    }
    for entry in node.entries() {
        if entry.key == "secretGenerator" {
            entry.value.items().filter_map(|generator| generator.get("literals")).for_each(|literals| collect(literals, spans));
        }
        walk(one, entry.value, variables, spans);
    }
    // The items of a map are its values, which were met above.
    if !node.is_map() {
        for item in node.items() {
            walk(one, item, variables, spans);
        }
    }
}

/// Whether a map is an admission request for a Secret, by what it says of itself.
fn is_of_secret(node: Node<'_>) -> bool {
    let says = |fields: [&str; 2], key, value| fields.iter().any(|field| node.get(field).and_then(|of| text(of, key)) == Some(value));
    says(["kind", "requestKind"], "kind", "Secret") || says(["resource", "requestResource"], "resource", "secrets")
}

/// The objects of such a request, which are Secrets whatever they say of themselves.
fn of_request(one: &Loaded, node: Node<'_>, spans: &mut Vec<Span>) {
    for object in ["object", "oldObject"].iter().filter_map(|field| node.get(field)) {
        if object.is_map() { secret(one, object, spans) } else { collect(object, spans) }
    }
}

fn secret(one: &Loaded, node: Node<'_>, spans: &mut Vec<Span>) {
    for values in FIELDS.iter().filter_map(|field| node.get(field)) {
        if duplicates(one, values.span()).next().is_some() {
            spans.push(values.span());
        } else {
            collect(values, spans);
        }
    }
    // A copy of the whole object.
    if let Some(copy) = node.get("metadata").and_then(|metadata| metadata.get("annotations")?.get(LAST_APPLIED)) {
        collect(copy, spans);
    }
    let is_field = |key: Span| FIELDS.contains(&one.source.slice(key).trim_matches(['"', '\'']));
    if has_more_problems(one) || duplicates(one, node.span()).any(is_field) {
        spans.push(node.span());
    }
}

/// Fields of documents inside strings whose values are secret.
const FIELDS_IN_TEXT: [&str; 2] = ["clientSecret", "private_key"];

/// Hides what follows such a field: to the end of its line, or of the string where its lines are not those of the file.
fn in_text(one: &Loaded, span: Span, spans: &mut Vec<Span>) {
    let written = one.source.slice(span);
    if !FIELDS_IN_TEXT.iter().any(|field| written.contains(field)) {
        // Written with escapes, or an alias.
        spans.push(span);
        return;
    }
    let is_block = written.starts_with('|');
    let mut from = 0;
    while let Some(rest) = written.get(from..) {
        let Some(end) = FIELDS_IN_TEXT.iter().filter_map(|field| Some(rest.find(field)? + field.len())).min() else { return };
        let tail = rest.get(end..).unwrap_or("");
        let length = if is_block { tail.find('\n').unwrap_or(tail.len()) } else { tail.len() };
        // A reference to a Secret says where the value is, and nothing of it.
        let is_reference = tail.trim_start_matches(['"', '\'', ':', ' ']).starts_with('$');
        let start = span.start + u32::try_from(from + end).unwrap_or(0);
        if !is_reference {
            spans.push(Span::new(start, start + u32::try_from(length).unwrap_or(0)));
        }
        from += end + length;
    }
}

/// Whether a text has a URL with a password in it.
fn has_password(value: &str) -> bool {
    value.split("://").skip(1).any(|rest| {
        let authority = rest.split(|letter: char| letter.is_whitespace() || "/?#\"'<>".contains(letter)).next().unwrap_or("");
        authority.rsplit_once('@').is_some_and(|(user, _)| user.split_once(':').is_some_and(|(_, password)| !password.is_empty()))
    })
}

/// Whether a text may have a Secret's manifest in it.
fn may_hold_secret(value: &str) -> bool {
    value.contains("Secret") && looks_like_manifest(value)
}

/// Whether an environment variable of that name holds a secret itself, not where one is found.
pub(crate) fn is_secret_name(name: &str) -> bool {
    let name = name.to_ascii_uppercase();
    let has = |words: &[&str]| words.iter().any(|word| name.contains(word));
    let ends = |words: &[&str]| words.iter().any(|word| name.ends_with(word));
    name.ends_with("_PAT")
        || has(&[
            "SECRET",
            "PASSWORD",
            "PASSWD",
            "TOKEN",
            "PRIVATE_KEY",
            "ACCESS_KEY",
            "API_KEY",
            "STORAGE_KEY",
            "CREDENTIAL",
            "CONNECTION_STRING",
        ]) && !ends(&["_FILE", "_PATH", "_URL", "_URI", "_ENDPOINT", "_NAME", "_ID", "_AUDIENCE", "_EXPIRATION", "_CREDENTIALS"])
}

/// The keys in a stretch of a document that stand there for a second time.
fn duplicates(one: &Loaded, within: Span) -> impl Iterator<Item = Span> {
    let keys = one.problems.iter().filter(|problem| problem.kind == ProblemKind::DuplicateKey).map(|problem| problem.span);
    keys.filter(move |key| key.start >= within.start && key.end <= within.end)
}

/// Whether there are more problems than are listed: any of them may be a key that stands twice.
fn has_more_problems(one: &Loaded) -> bool {
    one.problems.iter().any(|problem| matches!(problem.kind, ProblemKind::Limit(Limit::Problems(_))))
}

fn collect(node: Node<'_>, spans: &mut Vec<Span>) {
    if node.is_map() || node.is_seq() {
        node.entries().map(|entry| entry.value).chain(node.items()).for_each(|child| collect(child, spans));
    } else if !node.span().is_empty() {
        spans.push(node.span());
    }
}

#[cfg(test)]
mod tests {
    use super::{has_password, is_secret_name};

    #[test]
    fn names_of_secrets() {
        let passes = |text: &str| super::WORDS.iter().any(|word| text.contains(word));
        assert!(passes(r#"kind: "\x53\x65\x63ret""#) && passes("kind: Secret") && !passes("kind: Deployment"));
        for name in [
            "AZURE_CLIENT_SECRET",
            "AWS_SECRET_ACCESS_KEY",
            "db_password",
            "GITHUB_TOKEN",
            "AWS_SESSION_TOKEN",
            "clientSecret",
            "dbPassword",
            "AZURE_DEVOPS_EXT_PAT",
            "AZURE_STORAGE_KEY",
            "AZURE_STORAGE_CONNECTION_STRING",
        ] {
            assert!(is_secret_name(name) && passes(name), "{name}");
        }
        for name in [
            "AZURE_CLIENT_ID",
            "AZURE_FEDERATED_TOKEN_FILE",
            "AWS_WEB_IDENTITY_TOKEN_FILE",
            "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
            "AWS_CONTAINER_CREDENTIALS_FULL_URI",
            "GOOGLE_APPLICATION_CREDENTIALS",
            "SECRET_NAME",
        ] {
            assert!(!is_secret_name(name), "{name}");
        }
    }

    #[test]
    fn urls_with_passwords() {
        for text in ["https://u:p@a.example", "see https://:p@a.example/x", "https://a.example https://u:p@b.example"] {
            assert!(has_password(text), "{text}");
        }
        for text in ["https://u@a.example", "https://u:@a.example", "https://a.example:80/b:c@d", "u:p@a.example"] {
            assert!(!has_password(text), "{text}");
        }
    }
}
