//! Which files are read: walking as people expect it, never out of the given roots.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::{fs, io};

use anyhow::{Context as _, Result, bail};
use fedward_engine::Input;
use fedward_outcome::Skipped;
use globset::{Glob, GlobSet, GlobSetBuilder};
use ignore::WalkBuilder;

/// A file larger than this is not read: no manifest is.
const MAX_FILE: u64 = 512 << 20;

/// What the command line asks for.
pub(crate) struct Request<'a> {
    pub(crate) paths: &'a [PathBuf],
    pub(crate) context: &'a [PathBuf],
    pub(crate) stdin_filename: &'a str,
    pub(crate) include: &'a [String],
    pub(crate) exclude: &'a [String],
    /// The configuration file, which is no input.
    pub(crate) config: Option<&'a Path>,
}

/// Reads everything asked for, in the order asked for, folders sorted by path. A file is read once, however often it is named.
pub(crate) fn read(request: &Request<'_>) -> Result<(Vec<Input>, Vec<Skipped>)> {
    let globs = Globs { include: set(request.include)?, exclude: set(request.exclude)?, any: !request.include.is_empty() };
    let mut reader = Reader {
        globs,
        inputs: Vec::new(),
        skipped: Vec::new(),
        seen: request.config.and_then(|file| file.canonicalize().ok()).into_iter().collect(),
    };
    for (paths, judged) in [(request.paths, true), (request.context, false)] {
        for path in paths {
            if path == Path::new("-") {
                let mut bytes = Vec::new();
                io::stdin().take(MAX_FILE).read_to_end(&mut bytes).context("cannot read standard input")?;
                reader.inputs.push(Input { name: request.stdin_filename.to_owned(), bytes, named: true, judged });
            } else if path.is_dir() {
                reader.walk(path, judged)?;
            } else {
                reader.file(path, true, judged).with_context(|| format!("cannot read `{}`", path.display()))?;
            }
        }
    }
    Ok((reader.inputs, reader.skipped))
}

struct Globs {
    include: GlobSet,
    exclude: GlobSet,
    any: bool,
}

struct Reader {
    globs: Globs,
    inputs: Vec<Input>,
    skipped: Vec<Skipped>,
    seen: std::collections::HashSet<PathBuf>,
}

impl Reader {
    fn walk(&mut self, root: &Path, judged: bool) -> Result<()> {
        let canonical = root.canonicalize().with_context(|| format!("cannot read `{}`", root.display()))?;
        // `.gitignore` counts outside a checkout, too; links are followed by hand, so that none leads out of the root.
        let walk = WalkBuilder::new(root).require_git(false).follow_links(false).sort_by_file_path(Path::cmp).build();
        for entry in walk {
            let entry = match entry {
                Ok(entry) => entry,
                Err(error) => bail!("cannot walk `{}`: {error}", root.display()),
            };
            let path = entry.path();
            let relative = path.strip_prefix(root).unwrap_or(path);
            if !is_manifest_name(path)
                || self.globs.exclude.is_match(relative)
                || (self.globs.any && !self.globs.include.is_match(relative))
            {
                continue;
            }
            let kind = entry.file_type();
            if kind.is_some_and(|kind| kind.is_symlink()) {
                match path.canonicalize() {
                    Ok(target) if target.starts_with(&canonical) && target.is_file() => {}
                    Ok(target) if target.is_dir() => continue,
                    Ok(_) => {
                        self.skip(path, "a link that leads out of the folder");
                        continue;
                    }
                    Err(_) => {
                        self.skip(path, "a link that leads nowhere");
                        continue;
                    }
                }
            } else if !kind.is_some_and(|kind| kind.is_file()) {
                continue;
            }
            if let Err(error) = self.file(path, false, judged) {
                bail!("cannot read `{}`: {error:#}", path.display());
            }
        }
        Ok(())
    }

    fn file(&mut self, path: &Path, named: bool, judged: bool) -> Result<()> {
        if !self.seen.insert(path.canonicalize()?) {
            return Ok(());
        }
        let length = fs::metadata(path)?.len();
        if length > MAX_FILE {
            bail!("larger than {MAX_FILE} bytes");
        }
        self.inputs.push(Input { name: shown(path), bytes: fs::read(path)?, named, judged });
        Ok(())
    }

    fn skip(&mut self, path: &Path, reason: &str) {
        self.skipped.push(Skipped { file: shown(path), line: None, reason: reason.to_owned() });
    }
}

fn set(globs: &[String]) -> Result<GlobSet> {
    let mut builder = GlobSetBuilder::new();
    for glob in globs {
        builder.add(Glob::new(glob).with_context(|| format!("`{glob}` is no glob"))?);
    }
    Ok(builder.build()?)
}

fn is_manifest_name(path: &Path) -> bool {
    path.extension()
        .and_then(|extension| extension.to_str())
        .is_some_and(|extension| ["yaml", "yml", "json"].iter().any(|known| extension.eq_ignore_ascii_case(known)))
}

/// The path as outputs show it: relative to the working directory where it is below it, with `/`.
fn shown(path: &Path) -> String {
    let text = path.to_string_lossy().replace('\\', "/");
    text.strip_prefix("./").map_or(text.clone(), str::to_owned)
}
