//! Which files below a folder are wanted: names and globs, for folders on disk and for those of a revision.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use globset::{Glob, GlobSet, GlobSetBuilder};

use crate::inputs::Request;

/// The globs of the command line and of the configuration.
pub(crate) struct Filter {
    globs: Globs,
    config_globs: Globs,
    /// The folder of the configuration, without links.
    pub(crate) folder: Option<PathBuf>,
    hidden: bool,
}

impl Filter {
    pub(crate) fn new(request: &Request<'_>) -> Result<Self> {
        let globs = |include: &[String], exclude: &[String]| -> Result<Globs> {
            Ok(Globs { include: set(include)?, exclude: set(exclude)?, any: !include.is_empty() })
        };
        Ok(Filter {
            globs: globs(request.include, request.exclude)?,
            config_globs: globs(request.config_include, request.config_exclude)?,
            folder: request.folder.and_then(|folder| folder.canonicalize().ok()),
            hidden: request.hidden,
        })
    }

    /// What is wanted below a folder, which is given without links.
    pub(crate) fn below(&self, root: &Path) -> Below {
        let prefix = self.folder.as_deref().and_then(|folder| root.strip_prefix(folder).ok()).unwrap_or(Path::new("")).to_owned();
        Below { globs: self.globs.clone(), config_globs: self.config_globs.clone(), prefix, hidden: self.hidden }
    }
}

/// What is wanted below one folder. All paths are relative to it. By default every manifest is.
#[derive(Clone, Default)]
pub(crate) struct Below {
    globs: Globs,
    config_globs: Globs,
    /// What the globs of the configuration see before a path.
    prefix: PathBuf,
    hidden: bool,
}

impl Below {
    /// Whether nothing excludes a file or folder, where nothing excludes the folders that it is in.
    pub(crate) fn enters(&self, relative: &Path) -> bool {
        !self.globs.exclude.is_match(relative) && !self.config_globs.exclude.is_match(self.prefix.join(relative))
    }

    /// Whether a file in folders that are entered is read.
    pub(crate) fn takes(&self, relative: &Path) -> bool {
        is_manifest_name(relative) && self.globs.takes(relative) && self.config_globs.takes(&self.prefix.join(relative))
    }

    /// Whether a file is a packed chart that the globs choose. What a chart depends on comes with that chart.
    pub(crate) fn is_chart(&self, relative: &Path) -> bool {
        let is_packed = relative.file_name().is_some_and(|name| name.to_string_lossy().to_ascii_lowercase().ends_with(".tgz"));
        let is_dependency = || relative.parent().is_some_and(|folder| folder.file_name().is_some_and(|name| name == "charts"));
        is_packed && !is_dependency() && self.globs.takes(relative) && self.config_globs.takes(&self.prefix.join(relative))
    }

    /// Whether a walk that comes by would read a file of this name: one that is not on disk cannot be walked to.
    pub(crate) fn would_take(&self, relative: &Path) -> bool {
        let is_hidden = |path: &Path| path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
        let mut on_the_way = relative.ancestors().filter(|path| *path != Path::new(""));
        self.takes(relative) && on_the_way.all(|path| (self.hidden || !is_hidden(path)) && self.enters(path))
    }
}

#[derive(Clone, Default)]
struct Globs {
    include: GlobSet,
    exclude: GlobSet,
    any: bool,
}

impl Globs {
    fn takes(&self, path: &Path) -> bool {
        !self.exclude.is_match(path) && (!self.any || self.include.is_match(path))
    }
}

fn set(globs: &[String]) -> Result<GlobSet> {
    let mut builder = GlobSetBuilder::new();
    for glob in globs {
        builder.add(Glob::new(glob).map_err(|error| anyhow::anyhow!("`{glob}` is no glob: {}", error.kind()))?);
    }
    match builder.build() {
        Ok(set) => Ok(set),
        Err(error) => bail!("globs: {error}"),
    }
}

fn is_manifest_name(path: &Path) -> bool {
    path.extension()
        .and_then(|extension| extension.to_str())
        .is_some_and(|extension| ["yaml", "yml", "json"].iter().any(|known| extension.eq_ignore_ascii_case(known)))
}
