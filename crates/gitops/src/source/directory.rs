//! Plain manifests: which files of a folder count, and what is in them.

use std::sync::Arc;

use fedward_manifest::{Chunk, Document, Format, Node, parse};

use super::plain::{self, Taken, is_meant, is_nothing, object_problem};
use super::{At, Ignored};
use crate::checkout::{Entry, Lost};
use crate::glob::Glob;
use crate::manifest::Manifest;
use crate::path;
use crate::place::Place;
use crate::reason::Stop;
use crate::renderer::{Jsonnet, Render, SourceRequest, Tool, Variable};
use crate::value::Value;

/// Reads the manifests of a folder.
pub(super) fn read(source: &Value, at: &At<'_>, ignored: &mut Vec<Ignored>) -> Result<Vec<Manifest>, Stop> {
    let empty = Value::map(&source.place);
    let directory = source.get("directory").unwrap_or(&empty);
    let place = source.get("path").map_or(&source.place, |path| &path.place);
    let folder = Folder { at, directory, place };
    let mut manifests = Vec::new();
    // All files are looked at before any is read into objects.
    for file in folder.files(ignored)? {
        if file.ends_with(".jsonnet") {
            manifests.extend(folder.jsonnet(&file)?);
        } else if file.ends_with(".json") {
            manifests.extend(folder.json(&file)?);
        } else {
            manifests.extend(folder.yaml(&file, ignored)?);
        }
        if manifests.len() > at.around.limits.objects {
            return Err(Stop::deferred(place, format!("more than {} objects", at.around.limits.objects)));
        }
    }
    Ok(manifests)
}

/// Which files below a folder a source with plain manifests takes, as far as names and patterns tell.
pub(crate) fn takes(source: &Value, folder: &str) -> impl Fn(&str) -> bool {
    let directory = source.get("directory");
    let text = |key: &str| directory.map(|directory| directory.text(key)).filter(|pattern| !pattern.is_empty());
    let glob = |key: &str| text(key).map(|pattern| Glob::crossing(pattern).ok());
    let (include, exclude) = (glob("include"), glob("exclude"));
    let flag = |key: &str| directory.is_some_and(|directory| directory.flag(key));
    let (recurse, all_names) = (flag("recurse"), flag("disableExtensionFilter"));
    let folder = folder.to_owned();
    move |file: &str| {
        let Some(relative) = path::below(&folder, file) else { return false };
        let hits = |glob: &Option<Glob>| glob.as_ref().is_some_and(|glob| glob.matches(relative));
        let is_named = (recurse || path::folder(file) == folder) && (all_names || crate::plain::is_manifest(path::name(file)));
        is_named && !exclude.as_ref().is_some_and(hits) && include.as_ref().is_none_or(hits)
    }
}

struct Folder<'a> {
    at: &'a At<'a>,
    directory: &'a Value,
    place: &'a Place,
}

impl Folder<'_> {
    fn shown(&self, file: &str) -> String {
        self.at.checkout.shown(file)
    }

    fn fail(&self, file: &str, what: impl std::fmt::Display) -> Stop {
        Stop::failed(self.place, format!("`{}` {what}", self.shown(file)))
    }

    /// A pattern of the source. One that is no pattern matches nothing.
    fn glob(&self, key: &str) -> Option<Option<Glob>> {
        let pattern = self.directory.text(key);
        (!pattern.is_empty()).then(|| Glob::crossing(pattern).ok())
    }

    /// The files that count, in the order of a walk.
    fn files(&self, ignored: &mut Vec<Ignored>) -> Result<Vec<String>, Stop> {
        let (checkout, settings) = (self.at.checkout, self.at.around.settings);
        let (include, exclude) = (self.glob("include"), self.glob("exclude"));
        let (recurse, all_names) = (self.directory.flag("recurse"), self.directory.flag("disableExtensionFilter"));
        let mut bytes: u64 = 0;
        let mut files = Vec::new();
        for (file, entry) in checkout.below(self.at.folder) {
            let is_deep = path::folder(file) != self.at.folder;
            if *entry == Entry::Folder || is_deep && !recurse || !all_names && !plain::is_manifest(path::name(file)) {
                continue;
            }
            let mut pass_over =
                |reason: &str| ignored.push(Ignored { file: checkout.shown(file), reason: reason.to_owned(), looks_like_manifest: false });
            match checkout.follow(file) {
                Ok((_, Entry::File)) => {}
                Ok(_) => {
                    pass_over("not an ordinary file");
                    continue;
                }
                Err(Lost::Missing) => {
                    pass_over("a link that leads nowhere");
                    continue;
                }
                Err(lost) => return Err(self.fail(file, lost)),
            }
            let relative = path::below(self.at.folder, file).unwrap_or(file);
            let hits = |glob: &Option<Glob>| glob.as_ref().is_some_and(|glob| glob.matches(relative));
            if exclude.as_ref().is_some_and(hits) || include.as_ref().is_some_and(|glob| !hits(glob)) {
                continue;
            }
            let content = checkout.bytes(file).map_err(|lost| match lost {
                Lost::TooLarge(_) => Stop::deferred(self.place, format!("`{}` {lost}", checkout.shown(file))),
                lost => self.fail(file, lost),
            })?;
            if plain::is_skipped(&content) {
                continue;
            }
            if plain::is_counted(file) {
                bytes = bytes.saturating_add(content.len() as u64);
                if settings.combined_bytes != 0 && bytes > settings.combined_bytes {
                    let what = format!("its manifests have more than {} bytes together", settings.combined_bytes);
                    return Err(Stop::failed(self.place, what));
                }
            }
            files.push(file.to_owned());
        }
        Ok(files)
    }

    fn yaml(&self, file: &str, ignored: &mut Vec<Ignored>) -> Result<Vec<Manifest>, Stop> {
        let parsed = match self.at.checkout.documents(file) {
            Ok(parsed) => parsed,
            Err(Lost::NotText) => return self.not_text(file, ignored),
            Err(lost) => return Err(self.fail(file, lost)),
        };
        match Taken::of(&parsed) {
            Taken::Objects => {}
            Taken::Wrong(span, message) => {
                let line = parsed.source.position(span.start).line;
                return Err(self.fail(file, format!("cannot be read, line {line}: {message}")));
            }
            Taken::Other { reason, looks_like_manifest } => {
                ignored.push(Ignored { file: self.shown(file), reason, looks_like_manifest });
                return Ok(Vec::new());
            }
        }
        let mut manifests = Vec::new();
        for document in parsed.parts.iter().filter_map(|part| part.document.as_ref().ok()).filter(|document| !is_nothing(document)) {
            manifests.extend(objects(document).map_err(|what| self.fail(file, what))?);
        }
        Ok(manifests)
    }

    /// Argo CD reads UTF-16, too, which nothing else here does; and what is no text at all is no YAML.
    fn not_text(&self, file: &str, ignored: &mut Vec<Ignored>) -> Result<Vec<Manifest>, Stop> {
        let content = self.at.checkout.bytes(file).map_err(|lost| self.fail(file, lost))?;
        if matches!(content.as_slice(), [0xff, 0xfe, ..] | [0xfe, 0xff, ..]) {
            return Err(Stop::deferred(self.place, format!("`{}` is UTF-16", self.shown(file))));
        }
        if is_meant(&content) {
            return Err(self.fail(file, Lost::NotText));
        }
        ignored.push(Ignored { file: self.shown(file), reason: Lost::NotText.to_string(), looks_like_manifest: false });
        Ok(Vec::new())
    }

    /// A file of JSON holds one object.
    fn json(&self, file: &str) -> Result<Vec<Manifest>, Stop> {
        let parsed = self.at.checkout.documents(file).map_err(|lost| self.fail(file, lost))?;
        let source = &parsed.source;
        let first = match parsed.parts.as_slice() {
            [] => return Err(self.fail(file, "is empty: a file of JSON holds one object")),
            [only] => only,
            // What stands behind the first is not even read.
            _ => return Err(self.fail(file, "holds several objects: a file of JSON holds one")),
        };
        let strict = parse(source, Chunk { format: Format::Json, ..first.chunk }, &self.at.around.limits.documents);
        let (Some(_), Ok(document)) = (strict.document, &first.document) else {
            let problem = strict.problems.first();
            let line = problem.map_or(1, |problem| source.position(problem.span.start).line);
            let message = problem.map_or("cannot be read", |problem| problem.message.as_str());
            return Err(self.fail(file, format!("is no JSON, line {line}: {message}")));
        };
        if let Some((_, message)) = object_problem(document) {
            return Err(self.fail(file, format!("fails the whole Application: {message}")));
        }
        objects(document).map_err(|what| self.fail(file, what))
    }

    fn jsonnet(&self, file: &str) -> Result<Vec<Manifest>, Stop> {
        let options = self.directory.get("jsonnet");
        let variables = |key: &str| -> Vec<Variable> {
            let list = options.into_iter().flat_map(|options| options.list(key));
            list.map(|variable| Variable {
                name: variable.text("name").to_owned(),
                value: self.at.environment.expand(variable.text("value")),
                code: variable.flag("code"),
            })
            .collect()
        };
        let mut libraries = plain::libraries(self.at.folder);
        for library in options.into_iter().flat_map(|options| options.list("libs")) {
            let text = library.as_str().unwrap_or_default();
            let folder = path::clean(text).filter(|folder| !matches!(self.at.checkout.follow(folder), Err(Lost::Outside | Lost::Loop)));
            libraries.push(folder.ok_or_else(|| Stop::failed(&library.place, format!("`{text}` leads out of the repository")))?);
        }
        let request = Jsonnet { file: file.to_owned(), libraries, external: variables("extVars"), arguments: variables("tlas") };
        let request = SourceRequest {
            checkout: self.at.checkout,
            path: self.at.folder,
            application: self.at.owner.name,
            tool: Tool::Jsonnet(&request),
        };
        match self.at.around.renderer.render(&request) {
            Render::Done(manifests) => Ok(manifests),
            Render::Deferred(why) => Err(Stop::deferred(self.place, format!("`{}`: {why}", self.shown(file)))),
            Render::Failed(why) => Err(self.fail(file, format!("cannot be evaluated: {why}"))),
        }
    }
}

/// The objects of a document. A list without items is none; each item of another must be an object.
pub(crate) fn objects(document: &Arc<Document>) -> Result<Vec<Manifest>, String> {
    let root = document.root();
    let is_null_list = root.get("items").is_some_and(Node::is_null) && root.get("spec").is_none() && root.get("status").is_none();
    if is_null_list {
        return Ok(Vec::new());
    }
    // Whatever has a list of items is a list.
    let Some(items) = root.get("items").filter(|items| items.is_seq()) else { return Ok(vec![Manifest::new(document, root)]) };
    let is_object = |item: &Node<'_>| item.get("kind").and_then(Node::as_str).is_some_and(|kind| !kind.is_empty());
    match items.items().find(|item| !is_object(item)) {
        Some(item) => {
            let line = document.source().position(item.span().start).line;
            Err(format!("has an item in its list that is no object with a `kind`, line {line}"))
        }
        None => Ok(items.items().map(|item| Manifest::new(document, item)).collect()),
    }
}
