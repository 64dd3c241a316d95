//! Objects that the module may ask for.

use fedward_engine::{Input, Options};
use fedward_host::HostCalls;

use crate::answers::Unseen;
use crate::{Failure, digest};

/// Objects that the module may ask for, as `fedward check` has them with `--context`.
pub struct Context {
    objects: fedward_engine::Context,
    sha256: String,
}

impl Context {
    /// The objects of files, and what cannot be read of them.
    pub fn read(files: Vec<Input>) -> (Self, Vec<Failure>) {
        let sha256 = digest::files(&files);
        let (objects, outcome) = fedward_engine::Context::new(files, &Options::default());
        let failed = outcome.findings.iter().filter(|finding| finding.severity == fedward_kit::finding::Severity::Error);
        let failure = |finding: &fedward_outcome::Finding| {
            let name = format!("{}:{}", finding.location.source.name(), finding.location.start().line);
            Failure::new(&name, &finding.message)
        };
        (Context { objects, sha256 }, failed.map(failure).collect())
    }

    /// What tells it from others.
    pub(crate) fn sha256(&self) -> &str {
        &self.sha256
    }
}

/// What answers the module: the objects of a context, or nothing.
pub(crate) fn host<'c>(context: Option<&'c Context>, wasm: &[u8]) -> Box<dyn HostCalls + 'c> {
    match context {
        Some(context) => Box::new(context.objects.host(wasm)),
        None => Box::new(Unseen::default()),
    }
}
