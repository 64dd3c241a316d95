//! The engines of a process, made when first needed.

use std::sync::{Arc, Mutex, PoisonError};

use wasmtime::Engine;

use crate::config::engine;
use crate::{Limits, LoadError, Strategy, ticker};

/// Runs modules. A process makes one and clones it; clones share everything.
///
/// Making one is free: the engine of each [`Strategy`], and the thread that moves their clocks, start with the first module that
/// needs them and end with the last clone, module and evaluator.
#[derive(Clone)]
pub struct Host {
    shared: Arc<Shared>,
}

struct Shared {
    limits: Limits,
    engines: Mutex<Engines>,
}

#[derive(Default)]
struct Engines {
    fresh: Option<Engine>,
    kept: Option<Engine>,
}

impl Host {
    /// A host whose evaluators have `limits` unless they are given others.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self { shared: Arc::new(Shared { limits, engines: Mutex::default() }) }
    }

    /// The limits that the host was made with.
    #[must_use]
    pub fn limits(&self) -> &Limits {
        &self.shared.limits
    }

    /// The engine for `strategy`.
    ///
    /// # Errors
    /// [`LoadError::Engine`].
    pub(crate) fn engine(&self, strategy: Strategy) -> Result<Engine, LoadError> {
        // A thread that panicked here left `None` or a whole engine behind.
        let mut engines = self.shared.engines.lock().unwrap_or_else(PoisonError::into_inner);
        let place = match strategy {
            Strategy::Fresh => &mut engines.fresh,
            Strategy::Kept => &mut engines.kept,
        };
        if let Some(engine) = place {
            return Ok(engine.clone());
        }
        let engine = engine(strategy, &self.shared.limits)?;
        ticker::drive(&engine).map_err(|error| LoadError::Engine { message: error.to_string() })?;
        Ok(place.insert(engine).clone())
    }
}
