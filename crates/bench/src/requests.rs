//! Files to requests.

use std::sync::Arc;

use fedward_engine::Input;
use fedward_manifest::{Document, Limits, Node, Source, parse, split};
use serde_json::{Map, Value};

use crate::{BenchError, Failure, Skipped, shown};

/// The most requests of a run: each has times of its own.
pub const MAX_REQUESTS: usize = 10_000;

/// The most bytes of them, settings included: they all stay in memory.
pub const MAX_BYTES: usize = 1 << 30;

/// A request as the module gets it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The file, with the line if the file holds several.
    pub name: String,
    /// `{"settings":…,"request":…}`.
    pub payload: Vec<u8>,
    /// Where in the payload the settings stand.
    settings: std::ops::Range<usize>,
}

impl Request {
    fn new(name: String, settings: &[u8], request: &[u8]) -> Self {
        let payload = [BEFORE, settings, BETWEEN, request, b"}"].concat();
        Request { name, payload, settings: BEFORE.len()..BEFORE.len() + settings.len() }
    }

    /// Its settings as JSON.
    pub fn settings(&self) -> &[u8] {
        self.payload.get(self.settings.clone()).unwrap_or_default()
    }

    /// The request without its settings.
    pub(crate) fn request(&self) -> &[u8] {
        self.payload.get(self.settings.end..).unwrap_or_default()
    }
}

const BEFORE: &[u8] = br#"{"settings":"#;
const BETWEEN: &[u8] = br#","request":"#;

/// What files hold.
#[derive(Debug, Default)]
pub struct Found {
    /// In the order of the files and of their text.
    pub requests: Vec<Request>,
    /// What cannot be read.
    pub failed: Vec<Failure>,
    /// What is something else.
    pub skipped: Vec<Skipped>,
}

/// Takes admission requests, AdmissionReviews, payloads (`{"request": …, "settings": …}`) and Kubernetes objects out of YAML and JSON,
/// lists and several documents included. An object becomes the request to create it that `fedward check` would make.
///
/// `settings` are those of every request; without any, a payload has its own and the others have `{}`.
///
/// # Errors
/// [`BenchError::TooManyRequests`].
pub fn read(files: Vec<Input>, settings: Option<&Map<String, Value>>) -> Result<Found, BenchError> {
    let text = settings.map_or_else(|| b"{}".to_vec(), |settings| Value::Object(settings.clone()).to_string().into_bytes());
    let mut reader = Reader { settings: text, is_given: settings.is_some(), bytes: 0, found: Found::default() };
    for file in files {
        let from = reader.found.requests.len();
        let name = shown(&file.name);
        match Source::new(file.name, file.bytes) {
            Ok(source) => reader.source(&Arc::new(source))?,
            Err(error) => reader.found.failed.push(Failure { name: name.clone(), reason: error.to_string() }),
        }
        // A file with one request needs no line to find it.
        if let Some([only]) = reader.found.requests.get_mut(from..) {
            only.name = name;
        }
    }
    Ok(reader.found)
}

struct Reader {
    /// As JSON.
    settings: Vec<u8>,
    /// Whether the settings replace those of payloads.
    is_given: bool,
    /// Bytes of all payloads.
    bytes: usize,
    found: Found,
}

impl Reader {
    fn source(&mut self, source: &Arc<Source>) -> Result<(), BenchError> {
        let limits = Limits::default();
        let split = split(source, &limits);
        let mut problems = split.problems;
        for chunk in split.chunks {
            let parsed = parse(source, chunk, &limits);
            match parsed.document {
                Some(document) => self.document(&document, source.slice(chunk.span))?,
                None => problems.extend(parsed.problems.into_iter().find(|problem| problem.kind.is_fatal())),
            }
        }
        for problem in problems {
            self.found.failed.push(Failure { name: place(source, problem.span.start), reason: shown(&problem.message) });
        }
        Ok(())
    }

    fn document(&mut self, document: &Document, text: &str) -> Result<(), BenchError> {
        // The engine makes requests of all objects of a text at once, in this order.
        let mut created = None;
        let mut objects = 0;
        for object in document.objects().objects {
            let node = object.node;
            let number = objects;
            let is_object = is_object(node);
            objects += usize::from(is_object);
            let name = place(document.source(), node.span().start);
            let request = match sort(node) {
                Sort::Request(request) => Request::new(name, &self.settings, &json(request)),
                Sort::Payload(request, own) => {
                    let own = own.filter(|own| !own.is_null() && !self.is_given);
                    match own {
                        Some(own) => Request::new(name, &json(own), &json(request)),
                        None => Request::new(name, &self.settings, &json(request)),
                    }
                }
                Sort::Object => {
                    let payloads = created.get_or_insert_with(|| fedward_engine::payloads(text, &Value::Object(Map::new())));
                    let payload = payloads.get_mut(number).map(std::mem::take).unwrap_or_default();
                    let without = [BEFORE, b"{}", BETWEEN].concat();
                    let Some(request) = payload.strip_prefix(&*without).and_then(|rest| rest.strip_suffix(b"}")) else { continue };
                    Request::new(name, &self.settings, request)
                }
                Sort::Other(reason) => {
                    self.found.skipped.push(Skipped { name, reason: reason.to_owned() });
                    continue;
                }
            };
            self.bytes += request.payload.len();
            if self.found.requests.len() >= MAX_REQUESTS || self.bytes > MAX_BYTES {
                return Err(BenchError::TooManyRequests);
            }
            self.found.requests.push(request);
        }
        Ok(())
    }
}

/// What a document is.
enum Sort<'d> {
    /// An admission request.
    Request(Node<'d>),
    /// A request with its settings, if it has some.
    Payload(Node<'d>, Option<Node<'d>>),
    /// A Kubernetes object.
    Object,
    /// Something else, and why.
    Other(&'static str),
}

fn sort(node: Node<'_>) -> Sort<'_> {
    let is_review = node.get("kind").and_then(Node::as_str) == Some("AdmissionReview");
    match (node.get("request"), is_review) {
        (Some(request), true) if request.is_map() => Sort::Request(request),
        (_, true) => Sort::Other("an AdmissionReview without a request"),
        // An object of some kind may have a field of that name.
        (Some(request), false) if !is_object(node) => Sort::Payload(request, node.get("settings")),
        _ if is_object(node) => Sort::Object,
        // Requests that are kept for tests often leave out what their policy does not look at.
        _ if node.get("kind").is_some_and(Node::is_map)
            && ["operation", "object", "oldObject"].iter().any(|key| node.get(key).is_some()) =>
        {
            Sort::Request(node)
        }
        _ => Sort::Other("neither a request nor a Kubernetes object"),
    }
}

/// Whether the engine takes it for an object.
fn is_object(node: Node<'_>) -> bool {
    let has = |key| node.get(key).and_then(Node::as_str).is_some_and(|text| !text.is_empty());
    has("apiVersion") && has("kind")
}

fn json(node: Node<'_>) -> Vec<u8> {
    let mut out = Vec::new();
    node.write_json(&mut out);
    out
}

fn place(source: &Source, offset: u32) -> String {
    format!("{}:{}", shown(source.name()), source.position(offset).line)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

    use serde_json::json;

    use super::*;

    fn found(text: &str, settings: Option<Value>) -> Found {
        let input = Input { name: "a.yaml".to_owned(), bytes: text.as_bytes().to_vec(), named: true, role: fedward_engine::Role::Judged };
        read(vec![input], settings.as_ref().and_then(Value::as_object)).unwrap()
    }

    /// The payloads, by name.
    fn payloads(text: &str, settings: Option<Value>) -> Vec<(String, Value)> {
        let requests = found(text, settings).requests;
        requests.into_iter().map(|request| (request.name, serde_json::from_slice(&request.payload).unwrap())).collect()
    }

    const REQUEST: &str =
        r#"{"uid": "1", "operation": "CREATE", "kind": {"group": "", "version": "v1", "kind": "Pod"}, "object": {"apiVersion": "v1"}}"#;

    #[test]
    fn a_request_is_the_same_in_every_wrapping() {
        let review = format!(r#"{{"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": {REQUEST}}}"#);
        let payload = format!(r#"{{"request": {REQUEST}, "settings": null}}"#);
        let request: Value = serde_json::from_str(REQUEST).unwrap();
        let expected = json!({ "settings": {}, "request": request });
        for text in [REQUEST, &review, &payload, &format!("[{REQUEST}]")] {
            assert_eq!(payloads(text, None), [("a.yaml".to_owned(), expected.clone())], "{text}");
        }
    }

    #[test]
    fn a_request_need_not_be_complete() {
        for (text, count) in [
            (r#"{"kind": {"kind": "Ingress"}, "object": {}}"#, 1),
            (r#"{"kind": {"kind": "Ingress"}, "oldObject": {}, "uid": "1"}"#, 1),
            (r#"{"kind": {"kind": "Ingress"}}"#, 0),
            (r#"{"kind": "Ingress", "object": {}}"#, 0),
            (r#"{"object": {}}"#, 0),
            ("1", 0),
        ] {
            assert_eq!(found(text, None).requests.len(), count, "{text}");
        }
    }

    #[test]
    fn a_payload_has_its_own_settings_unless_others_are_given() {
        let text = r#"{"settings": {"own": true}, "request": {"raw": 1}}"#;
        assert_eq!(payloads(text, None)[0].1, json!({ "settings": { "own": true }, "request": { "raw": 1 } }));
        assert_eq!(payloads(text, Some(json!({})))[0].1["settings"], json!({}));
        assert_eq!(found(text, None).requests[0].settings(), br#"{"own":true}"#);
        assert_eq!(found(text, None).requests[0].request(), found(text, Some(json!({ "a": 1 }))).requests[0].request());
    }

    #[test]
    fn objects_become_requests_to_create_them() {
        let text = "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\n---\n# nothing\n---\napiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: Pod, metadata: {name: b}}\n- note: none\n- {apiVersion: apps/v1, kind: Deployment, metadata: {name: c}}\n";
        let payloads = payloads(text, Some(json!({ "a": [1] })));
        let names: Vec<&str> = payloads.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["a.yaml:1", "a.yaml:10", "a.yaml:12"]);
        for ((_, payload), name) in payloads.iter().zip(["a", "b", "c"]) {
            assert_eq!(payload.pointer("/request/object/metadata/name"), Some(&name.into()));
            assert_eq!(payload.pointer("/request/operation"), Some(&"CREATE".into()));
            assert_eq!(payload["settings"], json!({ "a": [1] }));
        }
        let found = found(text, Some(json!({ "a": [1] })));
        assert_eq!(found.requests[1].settings(), br#"{"a":[1]}"#);
        assert_eq!(
            found.skipped,
            [Skipped { name: "a.yaml:11".to_owned(), reason: "neither a request nor a Kubernetes object".to_owned() }]
        );
    }

    #[test]
    fn what_does_not_parse_is_told_and_the_rest_is_read() {
        let found = found("kind: [\n---\napiVersion: v1\nkind: Pod\n---\nkind: AdmissionReview\n", None);
        assert_eq!(found.requests.len(), 1);
        assert_eq!(found.failed.len(), 1);
        assert!(found.failed[0].name.starts_with("a.yaml:"), "{:?}", found.failed);
        assert_eq!(found.skipped[0].reason, "an AdmissionReview without a request");
        let binary = Input { name: "b\u{1b}.json".to_owned(), bytes: vec![0xff], named: true, role: fedward_engine::Role::Judged };
        assert_eq!(read(vec![binary], None).unwrap().failed[0].name, "b\u{241b}.json");
    }

    #[test]
    fn there_is_an_end_to_requests() {
        let text = "apiVersion: v1\nkind: Pod\n---\n".repeat(MAX_REQUESTS + 1);
        let input = Input { name: "a.yaml".to_owned(), bytes: text.into_bytes(), named: true, role: fedward_engine::Role::Judged };
        assert!(matches!(read(vec![input], None), Err(BenchError::TooManyRequests)));
    }
}
