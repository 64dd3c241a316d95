//! `--cache`: what was rendered before.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Result, anyhow};
use fedward_config::words;
use fedward_render::{Cache, CacheError, Counts};
use fedward_report::printable;

/// The cache that a person names, if any, for one run.
pub(crate) struct Kept<'a>(Option<(&'a Path, Arc<Cache>)>);

impl<'a> Kept<'a> {
    /// Opens it.
    ///
    /// # Errors
    /// It is no folder, or one with other files in it.
    pub(crate) fn open(folder: Option<&'a Path>) -> Result<Self> {
        Ok(Kept(folder.map(|folder| open(folder).map(|cache| (folder, cache))).transpose()?))
    }

    pub(crate) fn cache(&self) -> Option<&Arc<Cache>> {
        self.0.as_ref().map(|(_, cache)| cache)
    }

    /// Ends its use.
    pub(crate) fn finish(&self, verbose: bool) {
        if let Some((folder, cache)) = &self.0 {
            finish(cache, folder, verbose);
        }
    }
}

/// The cache in a folder.
///
/// # Errors
/// It is no folder, or one with other files in it.
fn open(folder: &Path) -> Result<Arc<Cache>> {
    Cache::open(folder).map(Arc::new).map_err(|error| {
        let why = if let CacheError::Io(error) = &error { format!("cannot be opened: {}", words::io(error)) } else { error.to_string() };
        anyhow!("`--cache`: `{}` {why}", folder.display())
    })
}

/// Ends the use of a cache, and says on standard error what was in its way, and with `verbose` of what use it was: outputs are the same with a
/// cache and without.
fn finish(cache: &Cache, folder: &Path, verbose: bool) {
    if let Some(why) = cache.finish() {
        anstream::eprintln!("note: the cache `{}` is of no use: {}", printable(&folder.to_string_lossy()), printable(&why));
    }
    if verbose {
        let Counts { found, rendered } = cache.counts();
        anstream::eprintln!("rendered {rendered}, taken from the cache {found}");
    }
}
