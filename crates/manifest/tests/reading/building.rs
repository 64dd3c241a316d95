use std::sync::Arc;

use fedward_manifest::{BuildError, Builder, Encoding, Format, Limits, ProblemKind, Source, Span, parse, split};

use crate::{json, one};

#[test]
fn parts_keep_their_places() {
    let text = "{\"props\": {\"na\\u006de\": \"x\\ty\", \"n\": 1.5, \"list\": [{\"deep\": null}]}}";
    let document = one(text);
    let source = Arc::clone(document.source());
    let limits = Limits::default();
    let props = document.root().find("/props").unwrap();
    let mut builder = Builder::new(&source, &limits);
    builder.map(Span::new(0, 9)).key("kind", Span::new(1, 8)).string("Lifted", Span::new(1, 8));
    builder.key("spec", props.key_span().unwrap()).copy(props);
    builder.key("also", Span::at(3)).list(Span::new(2, 4)).int(-7, Span::at(1)).bool(true, Span::at(1)).null(Span::at(1));
    builder.copy(props.find("/list").unwrap()).end().end();
    let built = builder.finish().unwrap();
    assert_eq!(built.problems, []);
    let built = built.document.unwrap();
    assert_eq!(
        json(built.root()),
        r#"{"kind":"Lifted","spec":{"name":"x\ty","n":1.5,"list":[{"deep":null}]},"also":[-7,true,null,[{"deep":null}]]}"#
    );
    let at = |pointer: &str| built.source().slice(built.root().find(pointer).unwrap().place());
    assert_eq!(at("/spec/n"), "1.5");
    assert_eq!(at("/spec/name"), "\"x\\ty\"");
    assert_eq!(at("/also/3/0/deep"), "null");
    assert_eq!(at("/kind"), "\"props\"");
    let key = built.root().find("/spec/name").unwrap().key_span().unwrap();
    assert_eq!(built.source().slice(key), "\"na\\u006de\"");
}

#[test]
fn parts_of_embedded_documents_too() {
    let outer = one("a: |\n  k: {v: [yes, \"z\"]}\n");
    let limits = Limits::default();
    let inner = outer.root().find("/a").unwrap().embedded(Encoding::Text, Format::Yaml, &limits).unwrap();
    let node = inner[0].document.as_ref().unwrap().root().find("/k").unwrap();
    let mut builder = Builder::new(outer.source(), &limits);
    builder.copy(node);
    let built = builder.finish().unwrap().document.unwrap();
    assert_eq!(json(built.root()), r#"{"v":[true,"z"]}"#);
    assert_eq!(built.source().slice(built.root().find("/v/1").unwrap().span()), "\"z\"");
    assert_eq!(built.source().slice(built.root().find("/v").unwrap().key_span().unwrap()), "v");
}

#[test]
fn what_is_copied_may_be_embedded_and_merged() {
    let outer = one("base: &b {x: 1, t: \"p: \\u0071\"}\nuse:\n  <<: *b\n  x: 2\n");
    let limits = Limits::default();
    let mut builder = Builder::new(outer.source(), &limits);
    builder.copy(outer.root().find("/use").unwrap());
    let built = builder.finish().unwrap().document.unwrap();
    assert_eq!(json(built.root()), r#"{"t":"p: q","x":2}"#);
    let inner = built.root().find("/t").unwrap().embedded(Encoding::Text, Format::Yaml, &limits).unwrap();
    let node = inner[0].document.as_ref().unwrap().root().find("/p").unwrap();
    assert_eq!(outer.source().slice(node.span()), "\\u0071");
}

#[test]
fn mistakes_are_errors() {
    let source = Arc::new(Source::from_text("t", "[[[1]]]".to_owned()).unwrap());
    let limits = Limits { depth: 3, nodes: 50, ..Limits::default() };
    let place = Span::at(0);
    let build = |calls: &dyn Fn(&mut Builder<'_>)| {
        let mut builder = Builder::new(&source, &limits);
        calls(&mut builder);
        builder.finish().map(|parsed| (json(parsed.document.unwrap().root()), parsed.problems))
    };
    assert_eq!(build(&|_| {}), Err(BuildError::Unbalanced));
    assert_eq!(build(&|b| _ = b.map(place)), Err(BuildError::Unbalanced));
    assert_eq!(build(&|b| _ = b.map(place).end().end()), Err(BuildError::Unbalanced));
    assert_eq!(build(&|b| _ = b.null(place).null(place)), Err(BuildError::Unbalanced));
    assert_eq!(build(&|b| _ = b.map(place).key("a", place).end()), Err(BuildError::Unbalanced));
    assert_eq!(build(&|b| _ = b.map(place).null(place).end()), Err(BuildError::MissingKey));
    assert_eq!(build(&|b| _ = b.list(place).key("a", place).end()), Err(BuildError::UnexpectedKey));
    assert_eq!(build(&|b| _ = b.key("a", place)), Err(BuildError::UnexpectedKey));
    let deep = build(&|b| _ = b.list(place).list(place).list(place).list(place));
    assert!(matches!(deep, Err(BuildError::Limit(problem)) if problem.message == "nested more than 3 deep"));
    let chunk = split(&source, &limits).chunks[0];
    let nested = parse(&source, chunk, &limits).document.unwrap();
    let deep = build(&|b| _ = b.list(place).copy(nested.root()).end());
    assert!(matches!(deep, Err(BuildError::Limit(_))));
    let wide = build(&|b| _ = (0..50).fold(b.list(place), |b, _| b.null(place)).end());
    assert!(matches!(wide, Err(BuildError::Limit(problem)) if problem.message == "more than 50 values in one document"));
    let (text, problems) = build(&|b| _ = b.map(place).key("a", place).int(1, place).key("a", place).int(2, place).end()).unwrap();
    assert_eq!((text.as_str(), problems[0].kind), ("{\"a\":2}", ProblemKind::DuplicateKey));
}
