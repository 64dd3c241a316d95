//! Objects that modules may ask for, apart from a run of the engine: for tools that call modules themselves.

use std::sync::Arc;

use fedward_host::HostCalls;
use fedward_outcome::Outcome;

use crate::answers::{Answers, Shared};
use crate::gather::{Gathered, gather};
use crate::metadata::Metadata;
use crate::world::World;
use crate::{Input, Options};

/// Objects that modules may ask for.
pub struct Context {
    world: World,
    shared: Shared,
}

impl Context {
    /// The objects of inputs. What is wrong with these is in the outcome, which has nothing else.
    pub fn new(inputs: Vec<Input>, options: &Options) -> (Self, Outcome) {
        let mut outcome = Outcome::default();
        let Gathered { loaded, objects, kinds, truncated, .. } = gather(inputs, options, &mut outcome);
        let world = World::new(loaded, objects, Vec::new(), kinds, options.closed_world && !truncated);
        (Context { world, shared: Shared::default() }, outcome)
    }

    /// What answers a module (in the binary format), as a run would; one for each thread.
    pub fn host(&self, wasm: &[u8]) -> impl HostCalls + use<'_> {
        let is_ours = fedward_modules::ALL.iter().chain([&fedward_modules::SUITE]).any(|builtin| builtin.wasm == wasm);
        let knows_gaps = is_ours || matches!(Metadata::of_module(wasm), Ok(Some(metadata)) if metadata.is_for_offline());
        // No object asks, so that none is nearer than another.
        Caller(Answers { asker: usize::MAX, knows_gaps, ..Answers::new(&self.world, &self.shared) })
    }
}

/// Answers without end, of which nothing is kept.
struct Caller<'c>(Answers<'c>);

impl HostCalls for Caller<'_> {
    fn call(&mut self, binding: &str, namespace: &str, operation: &str, payload: &[u8]) -> Result<Arc<[u8]>, String> {
        self.0.given.clear();
        self.0.log.clear();
        self.0.call(binding, namespace, operation, payload)
    }

    fn log(&mut self, _text: &str) {}
}
