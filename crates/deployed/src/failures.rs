//! Where renders fail: what Helm and Kustomize say names templates, values and resources, in which a person mends it.

use std::collections::HashMap;
use std::sync::Arc;

use fedward_gitops::{Checkout, Entry, SourceType, State, Stop, path};
use fedward_manifest::{Node, Source, Span};
use fedward_outcome::{Location, NativeFinding, Rendered};
use fedward_render::KUSTOMIZATIONS;

use crate::Deployed;
use crate::fold::NAMED;
use crate::loose::Loose;
use crate::origins::{Origins, charts, content, join, values};

/// The rule that finds Applications that do not render.
const RULE: &str = "unrenderable-application";

/// Where a finding is, and what it says.
type Where = (Arc<str>, Span, String);

/// A source that does not render.
struct Failure<'f> {
    checkout: &'f Arc<Checkout>,
    folder: &'f str,
    is_chart: bool,
    /// The name of the Application; empty for a folder that is rendered by itself.
    application: &'f str,
    /// The Application and which of its sources it is.
    made_by: Option<(usize, usize)>,
    /// What the tool says.
    text: &'f str,
}

/// Moves findings about Applications that do not render to the files that are the reason, with the names of the Applications; what several
/// Applications fail at is told once.
pub(crate) fn place(deployed: &Deployed, findings: &mut Vec<NativeFinding>) {
    let mut origins = Origins::new(deployed);
    let mut failed: HashMap<(Arc<str>, Span, &str), Vec<usize>> = HashMap::new();
    for (number, application) in deployed.discovery.applications.iter().enumerate() {
        if let State::Failed(reason) = &application.state {
            let place = reason.place.as_ref().unwrap_or(application.place());
            let key = (Arc::clone(place.source().name()), place.span(), reason.text.as_str());
            failed.entry(key).or_default().push(number);
        }
    }
    // Findings that were moved, by where they are now, with the Applications.
    let mut moved: HashMap<Where, (usize, Vec<usize>)> = HashMap::new();
    let mut kept: Vec<NativeFinding> = Vec::new();
    for mut native in std::mem::take(findings) {
        let finding = &mut native.finding;
        let key = (Arc::clone(finding.location.source.name()), finding.location.span, finding.message.as_str());
        let numbers = failed.get(&key).filter(|_| finding.rule == RULE);
        let location = numbers.and_then(|numbers| of_application(&mut origins, *numbers.first()?, &finding.message));
        if let Some((numbers, location)) = numbers.zip(location) {
            finding.location = location;
            let key = (Arc::clone(finding.location.source.name()), finding.location.span, finding.message.clone());
            let at = kept.len();
            let (first, all) = moved.entry(key).or_insert((at, Vec::new()));
            all.extend(numbers);
            if *first != at {
                continue;
            }
        }
        kept.push(native);
    }
    for (at, mut numbers) in moved.into_values() {
        numbers.sort_unstable();
        numbers.dedup();
        let Some(native) = kept.get_mut(at) else { continue };
        let by = numbers.iter().filter_map(|number| deployed.title(*number)).take(NAMED).collect();
        native.finding.rendered = Some(Rendered { by, count: numbers.len(), text: String::new(), exact: true });
    }
    *findings = kept;
}

/// Where an Application fails to render.
pub(crate) fn of_application(origins: &mut Origins<'_>, number: usize, text: &str) -> Option<Location> {
    let application = origins.deployed.discovery.applications.get(number)?;
    let mut sources = application.sources.iter().enumerate();
    let is_it = |source: &fedward_gitops::Source| matches!(&source.result, Err(Stop::Failed(reason)) if reason.text == text);
    let (index, source) = sources.find(|(_, source)| is_it(source))?;
    let (checkout, folder) = source.place.as_ref()?;
    let is_chart = match source.kind? {
        SourceType::Helm => true,
        SourceType::Kustomize => false,
        _ => return None,
    };
    let made_by = Some((number, index));
    at(origins, &Failure { checkout, folder, is_chart, application: &application.name, made_by, text })
}

/// Where a folder fails to render.
pub(crate) fn of_folder(origins: &mut Origins<'_>, loose: &Loose, text: &str) -> Option<Location> {
    let Loose { checkout, folder, .. } = loose;
    at(origins, &Failure { checkout, folder, is_chart: loose.kind == "chart", application: "", made_by: None, text })
}

fn at(origins: &mut Origins<'_>, failure: &Failure<'_>) -> Option<Location> {
    let (source, span) = if failure.is_chart { in_chart(origins, failure)? } else { in_kustomization(origins, failure)? };
    Some(Location { source, span, pointer: String::new() })
}

/// The place of a line, or of a file whose line is not known.
fn line_of(source: Arc<Source>, line: Option<u32>) -> (Arc<Source>, Span) {
    let line = line.filter(|line| (1..=source.line_count()).contains(line));
    let span = line.map_or(Span::at(0), |line| content(&source, line));
    (source, span)
}

fn in_chart(origins: &mut Origins<'_>, failure: &Failure<'_>) -> Option<(Arc<Source>, Span)> {
    let release = origins.deployed.sandbox.failed(failure.application, failure.text)?;
    let (_, text) = failure.text.split_once(": ")?;
    if let Some(rest) = text.strip_prefix("failed to parse ") {
        let file =
            release.helm.values_files.iter().find(|file| rest.strip_prefix(&file.name).is_some_and(|rest| rest.starts_with(": ")))?;
        return Some(line_of(origins.shown(&file.name)?, yaml_line(rest)));
    }
    if let Some(rest) = text.strip_prefix("cannot load values.yaml: ") {
        let source = origins.file(failure.checkout, &join(failure.folder, "values.yaml"))?;
        return Some(line_of(source, yaml_line(rest)));
    }
    let chart = origins.chart(&release);
    if text.starts_with("values don't meet the specifications") {
        let mut called = None;
        for line in text.lines().skip(1) {
            if let Some(name) = line.strip_suffix(':').filter(|line| !line.starts_with('-')) {
                called = chart.path_to(name);
            } else if let Some((called, pointer)) = called.as_ref().zip(line.strip_prefix("- at '").and_then(|rest| rest.split_once('\'')))
            {
                let keys: Vec<&str> = pointer.0.split('/').skip(1).collect();
                let found = values::place(origins, &release, failure.made_by, called, &keys).filter(|_| !keys.is_empty());
                if let Some(location) = found {
                    return Some((location.source, location.span));
                }
            }
        }
        return None;
    }
    // The last one that is named is the one that fails, called by those before it.
    let named =
        text.split(|letter: char| letter.is_whitespace() || "()<>\"'`,".contains(letter)).filter(|word| word.contains("/templates/"));
    let mut found: Vec<(Arc<Source>, Option<u32>)> = Vec::new();
    for word in named {
        let mut parts = word.trim_end_matches(':').split(':');
        let (name, line) = (parts.next().unwrap_or_default(), parts.next().and_then(|line| line.parse().ok()));
        let (called, inside) = charts::parts(name);
        let holder = called.iter().try_fold(&*chart, |chart, called| chart.child(called)).and_then(charts::Chart::folder);
        let source = holder.and_then(|folder| origins.file(failure.checkout, &join(folder, inside)));
        found.extend(source.map(|source| (source, line)));
    }
    let last = found.iter().rposition(|(_, line)| line.is_some()).or(found.len().checked_sub(1))?;
    let (source, line) = found.swap_remove(last);
    Some(line_of(source, line))
}

/// The line that an error of a YAML reader names.
fn yaml_line(text: &str) -> Option<u32> {
    let (_, rest) = text.split_once("yaml: line ")?;
    rest.split(':').next()?.parse().ok()
}

fn in_kustomization(origins: &mut Origins<'_>, failure: &Failure<'_>) -> Option<(Arc<Source>, Span)> {
    let checkout = failure.checkout;
    let mut folder = failure.folder.to_owned();
    // The folder that the last one is named in, and how it is named there.
    let mut last: Option<(String, &str)> = None;
    // Each is written in the one before it.
    for named in failure.text.split(" from '").skip(1).filter_map(|rest| rest.split('\'').next()) {
        let Some(there) = path::join(&folder, named) else { break };
        match checkout.follow(&there) {
            Ok((real, Entry::Folder)) => last = Some((std::mem::replace(&mut folder, real), named)),
            Ok((real, _)) => return Some(line_of(origins.file(checkout, &real)?, yaml_line(failure.text))),
            Err(_) => return entry(origins, checkout, &folder, |root| item(root, named)),
        }
    }
    if let Some((_, rest)) = failure.text.split_once("cycle detected: candidate root '") {
        // One that a component closes has no name of its own.
        let (holder, named) = last.filter(|_| rest.split('\'').next().and_then(path::clean).as_deref() == Some(folder.as_str()))?;
        return entry(origins, checkout, &holder, |root| item(root, named));
    }
    if let Some((_, rest)) = failure.text.split_once("loading KV pairs: ") {
        let (_, rest) = rest.split_once("evalsymlink failure on '")?;
        let missing = path::clean(rest.split('\'').next()?)?;
        return entry(origins, checkout, &folder, |root| generated(root, &folder, &missing));
    }
    if let Some(file) = failure.text.split("in File: ").nth(1).and_then(|rest| rest.split_whitespace().next()) {
        return Some(line_of(origins.file(checkout, &path::join(&folder, file)?)?, yaml_line(failure.text)));
    }
    if failure.text.ends_with("kustomization.yaml is empty") {
        return Some(line_of(kustomization(origins, checkout, &folder)?, None));
    }
    let (_, rest) = failure.text.split_once("invalid Kustomization: ")?;
    let key = rest.split_once("unknown field \"").and_then(|(_, rest)| rest.split('"').next());
    entry(origins, checkout, &folder, |root| {
        Some(key.and_then(|key| root.get(key)).map_or(Span::at(0), |node| node.key_span().unwrap_or(node.place())))
    })
}

/// A place in the kustomization of a folder.
fn entry(
    origins: &mut Origins<'_>,
    checkout: &Arc<Checkout>,
    folder: &str,
    find: impl Fn(Node<'_>) -> Option<Span>,
) -> Option<(Arc<Source>, Span)> {
    let source = kustomization(origins, checkout, folder)?;
    let documents = origins.documents(&source);
    let span = documents.iter().find_map(|document| find(document.root()))?;
    Some((source, span))
}

fn kustomization(origins: &mut Origins<'_>, checkout: &Arc<Checkout>, folder: &str) -> Option<Arc<Source>> {
    let file = KUSTOMIZATIONS.iter().map(|name| join(folder, name)).find(|file| checkout.is_file(file))?;
    origins.file(checkout, &file)
}

/// Where a kustomization names a file or a folder.
fn item(root: Node<'_>, named: &str) -> Option<Span> {
    let lists = ["resources", "bases", "components", "crds"].into_iter().filter_map(|key| root.get(key));
    lists.flat_map(Node::items).find(|item| item.as_str() == Some(named)).map(Node::place)
}

/// Where a generator of the kustomization in a folder names a file.
fn generated(root: Node<'_>, folder: &str, missing: &str) -> Option<Span> {
    let generators = || ["configMapGenerator", "secretGenerator"].into_iter().filter_map(|key| root.get(key)).flat_map(Node::items);
    let is_it = |file: &str| path::join(folder, file).as_deref() == Some(missing);
    let files = generators().filter_map(|generator| generator.get("files")).flat_map(Node::items);
    // A key may stand before the path.
    let file = files.map(|file| (file, file.as_str().map(|text| text.split_once('=').map_or(text, |(_, path)| path))));
    let lists = generators().filter_map(|generator| generator.get("envs")).flat_map(Node::items);
    let envs = lists.chain(generators().filter_map(|generator| generator.get("env"))).map(|env| (env, env.as_str()));
    file.chain(envs).find(|(_, path)| path.is_some_and(is_it)).map(|(node, _)| node.place())
}
