//! Calling a module.

use std::sync::Arc;
use std::time::{Duration, Instant};

use wasmtime::{AsContextMut, Instance, Store, Trap, TypedFunc, UpdateDeadline};

use crate::config::chain;
use crate::lending::{Lending, Lent};
use crate::module::Shared;
use crate::state::{State, Stats};
use crate::wasi::files::Mount;
use crate::{CallError, Folder, HostCalls, Limits, Phase, Strategy, wasi};

/// Calls one module, from one thread at a time. Under [`Strategy::Kept`] it owns the instance.
pub struct Evaluator {
    module: Arc<Shared>,
    limits: Limits,
    /// The files that the guest may read.
    mount: Option<Mount>,
    /// Whether instances have a time of their own.
    owns_time: bool,
    kept: Option<Running>,
    /// The last response; also the buffer for the next.
    response: Vec<u8>,
    stats: Stats,
}

/// How much of a response's buffer is kept for the next.
const KEPT_RESPONSE: usize = 1 << 16;

/// `__guest_call`, with the lengths of the operation and of the payload.
type GuestCall = TypedFunc<(i32, i32), i32>;

/// An instance that has been initialised.
struct Running {
    store: Store<State>,
    instance: Instance,
    guest_call: GuestCall,
}

impl Evaluator {
    pub(crate) fn new(module: Arc<Shared>, limits: Limits) -> Self {
        Self { module, limits, mount: None, owns_time: false, kept: None, response: Vec::new(), stats: Stats::default() }
    }

    /// Shows `folder` to every instance from the next on.
    pub(crate) fn set_files(&mut self, path: &str, folder: Arc<dyn Folder>) {
        self.mount = Some(Mount { path: path.to_owned(), folder });
    }

    /// Gives every instance from the next on a time of its own, which is the same in every run.
    pub(crate) fn own_time(&mut self) {
        self.owns_time = true;
    }

    /// The instance that the last call left behind.
    pub(crate) fn kept(&mut self) -> Option<(&mut Store<State>, Instance)> {
        self.kept.as_mut().map(|running| (&mut running.store, running.instance))
    }

    /// Runs `operation` on `payload`. Host calls and log lines of the guest go to `host`, those of its initialisation too.
    ///
    /// # Errors
    /// [`CallError::Guest`] if the guest says so; every other variant if it broke a limit or a rule, or trapped. Then the instance
    /// is dropped, and the next call starts with a new one.
    pub fn call(&mut self, operation: &str, payload: &[u8], host: &mut dyn HostCalls) -> Result<&[u8], CallError> {
        self.stats = Stats::default();
        self.response.clear();
        self.response.shrink_to(KEPT_RESPONSE);
        // Taken out: an error on the way, or a panic of `host`, drops it.
        let (mut running, instantiated) = match self.kept.take() {
            Some(mut running) => {
                running.store.data_mut().clear_counters();
                (running, false)
            }
            None => (self.instantiate(host)?, true),
        };
        std::mem::swap(&mut running.store.data_mut().response, &mut self.response);
        let outcome = running.call(operation, payload, host);
        let memory_bytes = running.memory_bytes();
        let state = running.store.data_mut();
        std::mem::swap(&mut state.response, &mut self.response);
        state.host_response = None;
        self.stats = Stats { memory_bytes, instantiated, ..state.stats };
        let sound = matches!(outcome, Ok(()) | Err(CallError::Guest { .. }));
        if sound && self.module.strategy == Strategy::Kept && memory_bytes <= self.limits.kept_memory_bytes {
            self.kept = Some(running);
        }
        outcome.map(|()| self.response.as_slice())
    }

    /// Asks for the version of the policy protocol: a JSON string.
    ///
    /// # Errors
    /// As for [`Evaluator::call`].
    pub fn protocol_version(&mut self, host: &mut dyn HostCalls) -> Result<&[u8], CallError> {
        self.call("protocol_version", b"", host)
    }

    /// Has the module check its `settings`, a JSON object; the answer is a `SettingsValidationResponse` as JSON.
    ///
    /// # Errors
    /// As for [`Evaluator::call`].
    pub fn validate_settings(&mut self, settings: &[u8], host: &mut dyn HostCalls) -> Result<&[u8], CallError> {
        self.call("validate_settings", settings, host)
    }

    /// Has the module judge `{"request": …, "settings": …}`; the answer is a `ValidationResponse` as JSON.
    ///
    /// # Errors
    /// As for [`Evaluator::call`].
    pub fn validate(&mut self, request: &[u8], host: &mut dyn HostCalls) -> Result<&[u8], CallError> {
        self.call("validate", request, host)
    }

    /// Gives the calls that follow another [`Limits::call_time`].
    pub fn set_call_time(&mut self, time: Duration) {
        self.limits.call_time = time;
        if let Some(running) = &mut self.kept {
            running.store.data_mut().limits.call_time = time;
        }
    }

    /// What the last call used; nothing if it failed during initialisation.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.stats
    }

    /// A new instance whose starters have run.
    fn instantiate(&self, host: &mut dyn HostCalls) -> Result<Running, CallError> {
        let mut store = Store::new(self.module.pre.module().engine(), State::new(&self.limits));
        store.limiter(|state| state);
        store.epoch_deadline_callback(|store| {
            let state = store.data();
            if Instant::now() >= state.deadline { Err(state.out_of_time().into()) } else { Ok(UpdateDeadline::Continue(1)) }
        });
        store.set_epoch_deadline(1);
        store.data_mut().begin(Phase::Init);
        store.data_mut().wasi.mount(self.mount.clone());
        if self.owns_time {
            store.data_mut().wasi.own_time();
        }

        let lent = Lent { operation: "", payload: &[], host };
        let (instance, guest_call) = run(&mut store, lent, |store| start(&self.module, store))?;
        Ok(Running { store, instance, guest_call })
    }
}

/// Lets guest code run with `lent` at hand.
fn run<R>(
    store: &mut Store<State>,
    mut lent: Lent<'_>,
    guest: impl FnOnce(&mut Store<State>) -> wasmtime::Result<R>,
) -> Result<R, CallError> {
    let mut lending = Lending::new(store, &mut lent);
    let returned = guest(lending.store());
    let flushed = wasi::flush(lending.store().data_mut());
    drop(lending);
    let value = returned.map_err(|error| classify(error, store.data()))?;
    flushed.map(|()| value)
}

/// Instantiates and runs the starters.
fn start(module: &Shared, store: &mut Store<State>) -> wasmtime::Result<(Instance, GuestCall)> {
    let instance = module.pre.instantiate(store.as_context_mut()).map_err(no_room)?;
    store.data_mut().memory = instance.get_module_export(&mut *store, &module.memory).and_then(wasmtime::Extern::into_memory);
    for starter in &module.starters {
        match function::<(), ()>(&instance, store, starter)?.call(&mut *store, ()) {
            Err(error) if matches!(error.downcast_ref(), Some(CallError::Exit { status: 0, .. })) => {}
            result => result?,
        }
    }
    let guest_call = function(&instance, store, &module.guest_call)?;
    Ok((instance, guest_call))
}

fn function<P: wasmtime::WasmParams, R: wasmtime::WasmResults>(
    instance: &Instance,
    store: &mut Store<State>,
    export: &wasmtime::ModuleExport,
) -> wasmtime::Result<TypedFunc<P, R>> {
    let function = instance.get_module_export(&mut *store, export).and_then(wasmtime::Extern::into_func);
    // Loading has checked that the export is there and what it is.
    function.ok_or_else(|| wasmtime::Error::msg("an export disappeared"))?.typed(store)
}

impl Running {
    fn call(&mut self, operation: &str, payload: &[u8], host: &mut dyn HostCalls) -> Result<(), CallError> {
        let state = self.store.data_mut();
        state.clear_slots();
        state.begin(Phase::Call);
        self.store.set_epoch_deadline(1);
        let lengths = (length(operation.len()), length(payload.len()));
        let lent = Lent { operation, payload, host };
        let returned = run(&mut self.store, lent, |store| self.guest_call.call(store, lengths))?;
        let state = self.store.data_mut();
        // What the guest must have said, and what its silence means, is upstream's (`wapc`'s host).
        let silence = match returned {
            0 => "No error message set for call failure",
            _ if state.responded => return Ok(()),
            _ => "No error message OR response set for call success",
        };
        Err(CallError::Guest { text: state.guest_error.take().unwrap_or_else(|| silence.to_owned()) })
    }

    fn memory_bytes(&self) -> usize {
        self.store.data().memory.map_or(0, |memory| memory.data_size(&self.store))
    }
}

/// A length as the guest reads it: 32 bits without a sign. A longer payload could not be in its memory, and writing it there fails.
fn length(length: usize) -> i32 {
    u32::try_from(length).unwrap_or(u32::MAX).cast_signed()
}

/// Tells a machine that has no room for an instance from a guest that does not start.
fn no_room(error: wasmtime::Error) -> wasmtime::Error {
    if error.is::<CallError>() || error.is::<Trap>() { error } else { CallError::NoRoom { message: chain(&error) }.into() }
}

/// Turns what ended the guest into our words.
fn classify(error: wasmtime::Error, state: &State) -> CallError {
    let log = state.log_tail();
    let error = match error.downcast::<CallError>() {
        Ok(CallError::Exit { status, .. }) => return CallError::Exit { status, log },
        Ok(ours) => return ours,
        Err(error) => error,
    };
    match error.downcast_ref::<Trap>() {
        Some(Trap::StackOverflow) => CallError::Stack { limit: state.limits.stack_bytes, log },
        Some(trap) => {
            let message = trap.to_string();
            CallError::Trap { message: message.trim_start_matches("wasm trap: ").to_owned(), log }
        }
        None => CallError::Trap { message: chain(&error), log },
    }
}
