//! Where the modules of policies come from.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use fedward_host::{Cache, Host};
use fedward_kit::policy::Builtin;

use crate::policies::Code;

/// Where the modules of policy manifests come from.
pub trait Modules {
    /// The module behind a reference with its scheme (`registry://…`, `https://…`, `file://…`) in the manifest of that name.
    ///
    /// # Errors
    /// Why there is none, and what to do.
    fn find(&self, reference: &str, manifest: &str) -> Result<Found, String>;

    /// Keeps what compiling modules costs.
    fn cache(&self) -> Option<&Cache> {
        None
    }

    /// Keeps the modules themselves, for several runs.
    fn codes(&self) -> Option<&Codes> {
        None
    }
}

/// Modules that are ready to run, by reference; those of files with the folder of the manifest. Each is looked for once.
#[derive(Default)]
pub struct Codes(Mutex<HashMap<String, Slot>>);

/// A module, once somebody has looked for it.
type Slot = Arc<OnceLock<Result<Code, String>>>;

impl Codes {
    /// The module behind a reference in the manifest of that name.
    ///
    /// # Errors
    /// Why there is none.
    pub(crate) fn get(&self, host: &Host, modules: &dyn Modules, reference: &str, manifest: &str) -> Result<Code, String> {
        let key = Codes::key(reference, manifest);
        let slot = Arc::clone(self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(key).or_default());
        let find = || modules.find(reference, manifest).and_then(|found| Code::new(host, modules.cache(), found));
        slot.get_or_init(find).clone()
    }

    /// What is the same for references to one module: a path is relative to the folder of the manifest.
    pub(crate) fn key(reference: &str, manifest: &str) -> String {
        let folder = manifest.rsplit_once('/').map_or("", |(folder, _)| folder);
        if reference.starts_with("file://") { format!("{folder} {reference}") } else { reference.to_owned() }
    }
}

/// A module as it was found.
pub enum Found {
    /// One that comes with the program.
    Builtin(&'static Builtin),
    /// Any other, in the binary format.
    Wasm(Vec<u8>),
}
