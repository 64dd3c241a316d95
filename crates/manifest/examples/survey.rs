//! What is wrong with the manifests under some folders: every `.yaml`, `.yml` and `.json` file is read.
//! `cargo run --release -p fedward-manifest --example survey -- DIR...`
#![allow(clippy::unwrap_used, reason = "an example")]

use std::{collections::BTreeMap, fs, path::Path, sync::Arc};

use fedward_manifest::{Limits, ProblemKind, Source, parse, split};

#[derive(Default)]
struct Survey {
    files: usize,
    documents: usize,
    empty: usize,
    comments: usize,
    problems: BTreeMap<&'static str, usize>,
}

fn main() {
    let mut survey = Survey::default();
    for root in std::env::args().skip(1) {
        survey.walk(Path::new(&root));
    }
    let Survey { files, documents, empty, comments, problems } = survey;
    println!("{files} files, {documents} documents with content, {empty} without, {comments} comments, problems: {problems:?}");
}

impl Survey {
    fn walk(&mut self, path: &Path) {
        if path.is_dir() && !path.is_symlink() {
            let mut paths: Vec<_> = fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()).collect();
            paths.sort();
            paths.iter().for_each(|path| self.walk(path));
        } else if path.is_file() && path.extension().is_some_and(|end| end == "yaml" || end == "yml" || end == "json") {
            self.read(path);
        }
    }

    fn read(&mut self, path: &Path) {
        self.files += 1;
        let name = path.display().to_string();
        let source = match Source::new(name.as_str(), fs::read(path).unwrap()) {
            Ok(source) => Arc::new(source),
            Err(error) => return self.problem("Source", &name, &error.to_string()),
        };
        let limits = Limits::default();
        let split = split(&source, &limits);
        let mut problems = split.problems;
        for chunk in split.chunks {
            let parsed = parse(&source, chunk, &limits);
            problems.extend(parsed.problems);
            let Some(document) = parsed.document else { continue };
            *(if document.is_empty() { &mut self.empty } else { &mut self.documents }) += 1;
            self.comments += document.comments().count();
            document.root().write_json(&mut Vec::new());
        }
        for problem in problems {
            let at = source.position(problem.span.start);
            self.problem(kind(problem.kind), &format!("{name}:{}:{}", at.line, at.column), &problem.message);
        }
    }

    fn problem(&mut self, kind: &'static str, place: &str, message: &str) {
        *self.problems.entry(kind).or_default() += 1;
        println!("{kind} {place}: {message}");
    }
}

fn kind(kind: ProblemKind) -> &'static str {
    match kind {
        ProblemKind::Syntax => "Syntax",
        ProblemKind::TemplateSyntax => "TemplateSyntax",
        ProblemKind::Alias => "Alias",
        ProblemKind::Limit(_) => "Limit",
        ProblemKind::DuplicateKey => "DuplicateKey",
        ProblemKind::Key => "Key",
        ProblemKind::Merge => "Merge",
        ProblemKind::Value => "Value",
        _ => "Other",
    }
}
