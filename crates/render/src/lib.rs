//! Charts, kustomizations and Jsonnet files to manifests, by the libraries of Helm, Kustomize and Jsonnet themselves.
//!
//! They are one WebAssembly module (`renderers/`), which reads the files of one folder and nothing else: no network, no other file, no
//! program. Time, memory, stack and output are bounded. This crate knows nothing of Argo CD and nothing of rules.
//!
//! ```no_run
//! use fedward_render::{Helm, Outcome, Renderer, Source};
//!
//! # fn main() -> std::io::Result<()> {
//! let renderer = Renderer::open("path/of/a/checkout".as_ref())?;
//! match renderer.render(&Source::Helm(Helm { chart: "charts/web".into(), ..Helm::default() })) {
//!     Outcome::Rendered(rendered) => println!("{}", rendered.text()),
//!     Outcome::Deferred(reason) => println!("not rendered: {reason}"),
//!     Outcome::Failed(failed) => println!("{failed}"),
//! }
//! # Ok(())
//! # }
//! ```

mod answer;
mod cache;
mod detect;
mod folder;
mod kustomize;
mod paths;
mod request;
mod sandbox;
mod source;
mod template;
mod unpacked;
mod words;

use std::io;
use std::path::Path;
use std::sync::Arc;

pub use answer::{Document, Failed, Outcome, Rendered};
pub use cache::{Cache, CacheError, Counts};
pub use detect::{KUSTOMIZATIONS, Kind, detect};
pub use fedward_host::{FileError, FileType, Folder, Stat};
pub use fedward_renderers::{SIZES, VERSIONS, available};
pub use folder::Disk;
pub use kustomize::{Kustomize, Patch};
pub use sandbox::{Limits, Renderer};
pub use source::{Helm, Jsonnet, Source, Values, Variable};
pub use template::{Filled, Templates};
pub use unpacked::{keep_unpacked_in, not_kept};

/// Renders `source` out of the folder `root`. Whoever renders more than once out of a folder keeps a [`Renderer`].
///
/// # Errors
/// `root` is no folder that can be opened.
pub fn render(root: &Path, source: &Source) -> io::Result<Outcome> {
    Ok(Renderer::open(root)?.render(source))
}

impl Renderer {
    /// A renderer that reads the files of the folder `root`.
    ///
    /// # Errors
    /// `root` is no folder that can be opened.
    pub fn open(root: &Path) -> io::Result<Self> {
        Ok(Self::new(Arc::new(Disk::open(root)?), Limits::default()))
    }
}
