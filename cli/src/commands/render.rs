//! `fedward render`.

mod application;

use std::path::{Component, Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use fedward_config::around;
use fedward_render::{Failed, Helm, Jsonnet, Kind, Kustomize, Outcome, Renderer, Source, Values, Variable};
use fedward_report::printable;

use crate::args::Render;
use crate::exit::Exit;
use crate::inputs;
use crate::outputs;
use crate::setup::unreadable;

pub(crate) fn run(args: &Render) -> Result<Exit> {
    if let Some(name) = &args.app {
        return application::print(args, name);
    }
    if args.list {
        return application::list(args);
    }
    if !args.known.is_empty() {
        bail!(
            "`--repo`, `--revision`, `--clusters`, `--generators`, `--helm-repo-cache` and `--plugin` are for what Argo CD deploys: give `--app` or `--list`, too"
        );
    }
    // The command line is refused without it.
    let Some(given) = &args.path else { bail!("PATH is required") };
    let working = std::env::current_dir().context("the working directory cannot be found")?;
    let (_, root, inside) = placed(given, args.root.as_deref())?;
    let renderer = Renderer::open(&root).map_err(|error| unreadable(&root, &error))?;
    let source = match renderer.detect(&inside) {
        Some(Kind::Helm) => Source::Helm(helm(args, inside, relative(&root, &working))?),
        Some(Kind::Kustomize) => Source::Kustomize(Kustomize { folder: inside, ..Kustomize::default() }),
        Some(Kind::Jsonnet) => Source::Jsonnet(jsonnet(args, inside, &root)?),
        None => bail!("`{}` is no chart, has no kustomization and is no .jsonnet file", given.display()),
    };
    match renderer.render(&source) {
        Outcome::Rendered(rendered) => {
            outputs::print(&rendered.text())?;
            Ok(Exit::Clean)
        }
        Outcome::Deferred(reason) => {
            anstream::eprintln!("{}: not rendered: {reason}", given.display());
            Ok(Exit::NotJudged)
        }
        Outcome::Failed(failed) if is_wrong_usage(&failed) => bail!("{}", outside(&failed.message, args)),
        Outcome::Failed(failed) => {
            anstream::eprintln!("{}: {failed}", given.display());
            Ok(Exit::NotJudged)
        }
    }
}

/// Whether the command line is at fault, not the chart: Helm reads the values that it gives before anything of the chart, whose own errors begin
/// otherwise.
fn is_wrong_usage(failed: &Failed) -> bool {
    !failed.limit && ["failed parsing --set", "invalid kube version "].iter().any(|start| failed.message.starts_with(start))
}

/// A message on a file that `--set-file` names: the renderer has the root alone, where there is none of that name.
fn outside(message: &str, args: &Render) -> String {
    let files = args.set_file.iter().flat_map(|text| text.split(',')).filter_map(|pair| pair.split_once('=')).map(|(_, file)| file);
    let leads_out = |file: &&str| Path::new(file).is_absolute() || Path::new(file).components().any(|part| part == Component::ParentDir);
    let mut named = files.filter(|file| message.contains(&format!("open {}:", file.trim_start_matches('/')))).filter(leads_out);
    match named.next() {
        Some(file) => format!(
            "`--set-file`: `{}` leads out of the root, outside of which nothing is read (`--root` names another folder)",
            printable(file)
        ),
        None => message.to_owned(),
    }
}

/// A path without links, the folder outside of which nothing is read, and the path from there.
fn placed(given: &Path, root: Option<&Path>) -> Result<(PathBuf, PathBuf, String)> {
    let path = absolute(given)?;
    let root = root.map_or_else(|| Ok(around(&path)), absolute)?;
    let Some(inside) = relative(&root, &path) else {
        bail!("`{}` is not in `{}`, outside of which nothing is read (`--root` names another folder)", given.display(), root.display());
    };
    Ok((path, root, inside))
}

fn absolute(path: &Path) -> Result<PathBuf> {
    path.canonicalize().map_err(|error| unreadable(path, &error))
}

/// A path as renderers know it, if it is in the root.
fn relative(root: &Path, path: &Path) -> Option<String> {
    let names: Option<Vec<&str>> = path.strip_prefix(root).ok()?.components().map(|name| name.as_os_str().to_str()).collect();
    Some(names?.join("/"))
}

fn helm(args: &Render, chart: String, working: Option<String>) -> Result<Helm> {
    let mut values = Vec::new();
    for file in &args.values {
        let name = file.display().to_string();
        values.push(if name.contains("://") {
            Values::File(name)
        } else {
            let bytes = inputs::small(file).map_err(|error| unreadable(file, &error))?;
            let text = String::from_utf8(bytes).with_context(|| format!("`{}` is not UTF-8", file.display()))?;
            Values::Text { name, text }
        });
    }
    Ok(Helm {
        chart,
        release_name: args.release_name.clone(),
        namespace: args.namespace.clone(),
        kube_version: args.kube_version.clone(),
        api_versions: args.api_versions.clone(),
        values,
        set_json: args.set_json.clone(),
        set: args.set.clone(),
        set_string: args.set_string.clone(),
        set_file: args.set_file.clone(),
        set_literal: args.set_literal.clone(),
        folder: working,
        include_crds: args.include_crds,
        skip_tests: args.skip_tests,
        skip_schema_validation: args.skip_schema_validation,
    })
}

fn jsonnet(args: &Render, file: String, root: &Path) -> Result<Jsonnet> {
    let variables = |texts: &[String], codes: &[String]| {
        let given = texts.iter().map(|text| (text, false)).chain(codes.iter().map(|text| (text, true)));
        given
            .map(|(text, code)| match text.split_once('=') {
                Some((name, value)) => Ok(Variable { name: name.to_owned(), value: value.to_owned(), code }),
                None => bail!("`{text}` has no `=`: a variable is NAME=VALUE"),
            })
            .collect::<Result<Vec<_>>>()
    };
    let mut libs = Vec::new();
    for folder in &args.jpath {
        let Some(lib) = relative(root, &absolute(folder)?) else {
            bail!(
                "`{}` is not in `{}`, outside of which nothing is read (`--root` names another folder)",
                folder.display(),
                root.display()
            );
        };
        libs.push(lib);
    }
    Ok(Jsonnet { file, ext_vars: variables(&args.ext_str, &args.ext_code)?, tlas: variables(&args.tla_str, &args.tla_code)?, libs })
}
