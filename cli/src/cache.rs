//! `--cache`: what was rendered before.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Result, anyhow};
use fedward_config::words;
use fedward_render::{Cache, CacheError, Counts};
use fedward_report::printable;

/// The cache in a folder.
///
/// # Errors
/// It is no folder, or one with other files in it.
pub(crate) fn open(folder: &Path) -> Result<Arc<Cache>> {
    Cache::open(folder).map(Arc::new).map_err(|error| {
        let why = if let CacheError::Io(error) = &error { format!("cannot be opened: {}", words::io(error)) } else { error.to_string() };
        anyhow!("`--cache`: `{}` {why}", folder.display())
    })
}

/// Ends the use of a cache, and says on standard error what was in its way, and with `verbose` of what use it was: outputs are the same with a
/// cache and without.
pub(crate) fn finish(cache: &Cache, folder: &Path, verbose: bool) {
    if let Some(why) = cache.finish() {
        anstream::eprintln!("note: the cache `{}` is of no use: {}", printable(&folder.to_string_lossy()), printable(&why));
    }
    if verbose {
        let Counts { found, rendered } = cache.counts();
        anstream::eprintln!("rendered {rendered}, taken from the cache {found}");
    }
}
