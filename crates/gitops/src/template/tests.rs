#![allow(clippy::panic, clippy::unwrap_used, reason = "tests")]

use std::sync::Mutex;

use super::*;
use crate::renderer::{NoRenderer, Render, SourceRequest};
use crate::test_text::value;

fn parameters(json: &str) -> Parameters {
    Parameters::new(serde_json::from_str(json).unwrap())
}

#[test]
fn tags_are_replaced_by_strings_and_stay_otherwise() {
    let parameters = parameters(r#"{"a":"x","a b":"y","path[0]":"z","n":5,"m":{"k":"v"},"recursive":"{{a}}"}"#);
    for (text, expected) in [
        ("plain", "plain"),
        ("{{a}}-{{ a }}", "x-x"),
        ("{{a b}}", "y"),
        ("{{path[0]}}", "z"),
        ("{{ missing }}", "{{ missing }}"),
        ("{{n}} {{m.k}}", "{{n}} {{m.k}}"),
        ("{{}} {{ }}", "{{}} {{ }}"),
        ("{{recursive}}", "{{a}}"),
        ("{{{a}}}", "{{{a}}}"),
        ("a\n{{a}}\n", "a\nx\n"),
        // Not on one line: nothing is replaced.
        ("{{\na}}", "{{\na}}"),
        ("a }} {{", "a }} {{"),
    ] {
        assert_eq!(fast(text, &parameters, 1000).as_deref(), Ok(expected), "{text}");
    }
    assert_eq!(fast("{{a}} {{", &parameters, 1000), Err("`{{` without `}}`".to_owned()));
    assert_eq!(fast("{{a}}{{a}}", &parameters, 1), Err("the template makes more than 1 bytes".to_owned()));
}

#[test]
fn tags_that_are_left() {
    assert_eq!(tags("a {{ b }} {{c}} {{").collect::<Vec<_>>(), ["b", "c"]);
}

/// A double for Go's templates that only knows `{{ .name }}`, and writes down what it was asked.
#[derive(Default)]
struct Dots(Mutex<Vec<String>>);

impl Renderer for Dots {
    fn render(&self, _: &SourceRequest<'_>) -> Render {
        Render::Deferred("not asked for".to_owned())
    }

    fn fill(&self, request: &TemplateRequest<'_>) -> Result<Vec<Result<String, String>>, String> {
        let fill = |text: &&str| {
            self.0.lock().unwrap().push((*text).to_owned());
            let mut out = (*text).to_owned();
            for (key, value) in request.parameters {
                out = out.replace(&format!("{{{{ .{key} }}}}"), value.as_str().unwrap_or_default());
            }
            if out.contains("{{") { Err("no such parameter".to_owned()) } else { Ok(out) }
        };
        Ok(request.texts.iter().map(fill).collect())
    }
}

#[test]
fn go_templates_are_asked_for_only_where_there_is_an_action() {
    let dots = Dots::default();
    let engine = Engine { go: true, options: Vec::new(), renderer: &dots, max_bytes: 1000, budget: Cell::new(10_000) };
    let (document, template) = value("{a: plain, '{{ .k }}': ['{{ .v }}', 5, null], n: null, keep: {x: '{{ .v }}'}}");
    let parameters = parameters(r#"{"k":"key","v":"value"}"#);
    let filled = engine.fill_value(&template, &parameters, &["/keep".to_owned()]).unwrap();
    assert_eq!(filled.to_json().to_string(), r#"{"a":"plain","keep":{"x":"{{ .v }}"},"key":["value",5,null]}"#);
    assert_eq!(*dots.0.lock().unwrap(), ["{{ .k }}", "{{ .v }}"]);
    // What was filled in keeps the place of its template.
    let item = filled.get("key").unwrap().as_list().unwrap().first().unwrap();
    assert_eq!(document.source().slice(item.place.node().span()), "'{{ .v }}'");
}

#[test]
fn what_is_wrong_has_its_place() {
    let dots = Dots::default();
    let engine = Engine { go: true, options: Vec::new(), renderer: &dots, max_bytes: 1000, budget: Cell::new(10_000) };
    let (_, template) = value("a: x\nb: '{{ .no }}'\n");
    let Err(Stop::Failed(reason)) = engine.fill_value(&template, &Parameters::default(), &[]) else { panic!("it failed") };
    assert_eq!(reason.text, "no such parameter");
    assert_eq!(reason.place.unwrap().position().line, 2);
}

#[test]
fn without_a_renderer_go_templates_are_deferred() {
    let engine = Engine { go: true, options: Vec::new(), renderer: &NoRenderer, max_bytes: 1000, budget: Cell::new(10_000) };
    let (_, template) = value("{a: x, b: '{{ .k }}'}");
    let stop = engine.fill_value(&template, &Parameters::default(), &[]).unwrap_err();
    assert!(matches!(&stop, Stop::Deferred(reason) if reason.text == "Go templates are not built in here"), "{stop:?}");
    let (_, template) = value("{a: x, b: y}");
    assert!(engine.fill_value(&template, &Parameters::default(), &[]).is_ok());
}

#[test]
fn templates_make_only_so_much() {
    let engine = Engine { go: false, options: Vec::new(), renderer: &NoRenderer, max_bytes: 1000, budget: Cell::new(10) };
    let (_, template) = value("{a: '{{ k }}{{ k }}', b: '{{ k }}'}");
    let stop = engine.fill_value(&template, &parameters(r#"{"k":"1234"}"#), &[]).unwrap_err();
    assert_eq!(stop.reason().text, "the templates of the set make too much text");
}
