//! A module that is ready to run: compiled, its imports known, its exports checked.

#[cfg(unix)]
use std::io::{Read, Seek};
use std::sync::Arc;
use std::time::{Duration, Instant};

use wasmtime::{ExternType, InstancePre, Linker, ModuleExport, Store, ValType};

use crate::config::{chain, engine_error, invalid};
use crate::state::State;
use crate::{Evaluator, Folder, Host, Limits, LoadError, Strategy, wapc, wasi};

/// The functions that a module may have run before its first call, in this order. `_initialize` is what a module has that is no
/// program but a library, Go's `-buildmode=c-shared` for one.
pub(crate) const STARTERS: [&str; 3] = ["_initialize", "_start", "wapc_init"];

/// Where a module's machine code came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// Compiled ahead of time.
    Precompiled,
    /// Taken from a [`Cache`](crate::Cache).
    Cached,
    /// Compiled by this process.
    Compiled,
}

/// A module, and what it took to get there. Each time is wall time of one attempt.
pub struct Timed {
    /// The module.
    pub module: Module,
    /// Compiling, on all cores, without setting the engine up.
    pub compile: Duration,
    /// Loading the compiled form and resolving the imports, as a process does that finds it in a cache.
    pub load: Duration,
    /// Bytes of the compiled form.
    pub compiled_bytes: usize,
}

/// A module of one [`Host`], shared by threads; clones are cheap.
#[derive(Clone)]
pub struct Module {
    shared: Arc<Shared>,
}

pub(crate) struct Shared {
    pub(crate) pre: InstancePre<State>,
    pub(crate) strategy: Strategy,
    pub(crate) guest_call: ModuleExport,
    pub(crate) starters: Vec<ModuleExport>,
    pub(crate) memory: ModuleExport,
    host: Host,
    origin: Origin,
}

impl Module {
    /// Takes a module that [`precompile`](crate::precompile) compiled, or compiles `wasm` if `compiled` is of another version of
    /// Wasmtime, of another configuration or for another machine; [`Module::origin`] says which. Loading costs one copy of
    /// `compiled` and nothing that grows with the number of functions.
    ///
    /// # Safety
    /// `compiled` must be what [`precompile`](crate::precompile) returned, in any version, unchanged: bytes that were embedded in
    /// the program at build time. It is machine code, and made-up bytes can do whatever machine code can do.
    ///
    /// # Errors
    /// As for [`Module::from_wasm`].
    #[expect(unsafe_code, reason = "machine code can only be taken on trust, and only the caller knows where it is from")]
    pub unsafe fn from_precompiled(host: &Host, strategy: Strategy, compiled: &[u8], wasm: &[u8]) -> Result<Self, LoadError> {
        let engine = host.engine(strategy)?;
        // SAFETY: passed on to the caller. Wasmtime itself refuses other versions, configurations and targets.
        match unsafe { wasmtime::Module::deserialize(&engine, compiled) } {
            Ok(module) => Self::new(host, strategy, &module, Origin::Precompiled),
            Err(_) => Self::from_wasm(host, strategy, wasm),
        }
    }

    /// Takes a module that [`precompile`](crate::precompile) compiled, where there is nothing to fall back on.
    ///
    /// # Safety
    /// As for [`Module::from_precompiled`].
    ///
    /// # Errors
    /// [`LoadError::Engine`] if `compiled` is of another version, configuration or machine; otherwise as for [`Module::from_wasm`].
    #[expect(unsafe_code, reason = "machine code can only be taken on trust, and only the caller knows where it is from")]
    pub unsafe fn from_compiled(host: &Host, strategy: Strategy, compiled: &[u8]) -> Result<Self, LoadError> {
        let engine = host.engine(strategy)?;
        // SAFETY: passed on to the caller.
        let module = unsafe { wasmtime::Module::deserialize(&engine, compiled) }.map_err(engine_error)?;
        Self::new(host, strategy, &module, Origin::Precompiled)
    }

    /// Compiles a module in the binary format.
    ///
    /// # Errors
    /// [`LoadError`]: not a module, imports or exports that do not fit waPC, or no engine.
    pub fn from_wasm(host: &Host, strategy: Strategy, wasm: &[u8]) -> Result<Self, LoadError> {
        check_size(host, wasm)?;
        let module = wasmtime::Module::from_binary(&host.engine(strategy)?, wasm).map_err(invalid)?;
        Self::new(host, strategy, &module, Origin::Compiled)
    }

    /// Compiles a module in the binary format and loads the result, with the time of each. For benches.
    ///
    /// # Errors
    /// As for [`Module::from_wasm`].
    #[expect(unsafe_code, reason = "the machine code is made here and goes nowhere else")]
    pub fn timed(host: &Host, strategy: Strategy, wasm: &[u8]) -> Result<Timed, LoadError> {
        check_size(host, wasm)?;
        let engine = host.engine(strategy)?;
        let start = Instant::now();
        let compiled = engine.precompile_module(wasm).map_err(invalid)?;
        let compile = start.elapsed();
        let start = Instant::now();
        // SAFETY: the same engine has just compiled these bytes.
        let module = unsafe { wasmtime::Module::deserialize(&engine, &compiled) }.map_err(engine_error)?;
        let module = Self::new(host, strategy, &module, Origin::Compiled)?;
        Ok(Timed { module, compile, load: start.elapsed(), compiled_bytes: compiled.len() })
    }

    /// Takes a module out of a file of the cache; `None` if Wasmtime refuses the file.
    ///
    /// # Safety
    /// The file must hold what [`Module::serialize`] returned and must not change as long as the process lives.
    #[cfg(unix)]
    #[expect(unsafe_code, reason = "machine code can only be taken on trust, and only the caller knows where it is from")]
    pub(crate) unsafe fn from_cached(host: &Host, strategy: Strategy, file: std::fs::File) -> Option<Result<Self, LoadError>> {
        // SAFETY: passed on to the caller.
        unsafe { Self::from_file(host, strategy, file, Origin::Cached) }
    }

    /// Takes a module out of a file; `None` if Wasmtime refuses it.
    ///
    /// # Safety
    /// As for [`Module::from_cached`].
    #[cfg(unix)]
    #[expect(unsafe_code, reason = "machine code can only be taken on trust, and only the caller knows where it is from")]
    pub(crate) unsafe fn from_file(
        host: &Host,
        strategy: Strategy,
        file: std::fs::File,
        origin: Origin,
    ) -> Option<Result<Self, LoadError>> {
        let engine = host.engine(strategy).ok()?;
        let mut copied = file.try_clone().ok()?;
        // SAFETY: passed on to the caller.
        let mapped = unsafe { wasmtime::Module::deserialize_open_file(&engine, file) };
        let module = mapped.or_else(|_| {
            // A file system may forbid to run what is mapped from it (`noexec`).
            let mut bytes = Vec::new();
            copied.rewind()?;
            copied.read_to_end(&mut bytes)?;
            // SAFETY: passed on to the caller.
            unsafe { wasmtime::Module::deserialize(&engine, bytes) }
        });
        Some(Self::new(host, strategy, &module.ok()?, origin))
    }

    /// The compiled form, for the cache.
    #[cfg(unix)]
    pub(crate) fn serialize(&self) -> Result<Vec<u8>, LoadError> {
        self.shared.pre.module().serialize().map_err(engine_error)
    }

    pub(crate) fn new(host: &Host, strategy: Strategy, module: &wasmtime::Module, origin: Origin) -> Result<Self, LoadError> {
        let guest_call = function(module, "__guest_call", 2, 1, "a function from two 32-bit integers to one")?
            .ok_or(LoadError::MissingExport { name: "__guest_call" })?;
        let mut starters = Vec::new();
        for name in STARTERS {
            starters.extend(function(module, name, 0, 0, "a function without parameters and results")?);
        }
        let memory = match module.get_export("memory") {
            Some(ExternType::Memory(_)) => module.get_export_index("memory"),
            Some(_) => {
                return Err(LoadError::ExportType { name: "memory", expected: "a memory" });
            }
            None => None,
        };
        let memory = memory.ok_or(LoadError::MissingExport { name: "memory" })?;

        let pre = link(module)?;
        Ok(Self { shared: Arc::new(Shared { pre, strategy, guest_call, starters, memory, host: host.clone(), origin }) })
    }

    /// Where the machine code came from.
    #[must_use]
    pub fn origin(&self) -> Origin {
        self.shared.origin
    }

    /// The bounds that its host was made with.
    #[must_use]
    pub fn limits(&self) -> &Limits {
        self.shared.host.limits()
    }

    /// Something to call the module with, under the host's limits. Make one for each thread.
    #[must_use]
    pub fn evaluator(&self) -> Evaluator {
        self.evaluator_with(self.shared.host.limits().clone())
    }

    /// Something to call the module with, under `limits`; only [`Limits::stack_bytes`] and [`Limits::module_bytes`] stay the
    /// host's.
    #[must_use]
    pub fn evaluator_with(&self, mut limits: Limits) -> Evaluator {
        limits.stack_bytes = self.shared.host.limits().stack_bytes;
        Evaluator::new(self.shared.clone(), limits)
    }

    /// The same for a module that may read the files of `folder`, through WASI and under the path `mount`.
    #[must_use]
    pub fn evaluator_with_files(&self, limits: Limits, mount: &str, folder: Arc<dyn Folder>) -> Evaluator {
        let mut evaluator = self.evaluator_with(limits);
        evaluator.set_files(mount, folder);
        evaluator
    }
}

/// Refuses a module that is larger than the host takes, before anything is done with it.
fn check_size(host: &Host, wasm: &[u8]) -> Result<(), LoadError> {
    let (size, limit) = (wasm.len(), host.limits().module_bytes);
    if size > limit { Err(LoadError::TooLarge { size, limit }) } else { Ok(()) }
}

/// Resolves the imports. What is in no host that a policy may meet is named, all of it at once.
fn link(module: &wasmtime::Module) -> Result<InstancePre<State>, LoadError> {
    let engine = module.engine();
    let mut linker = Linker::new(engine);
    let mut defined = wapc::define(&mut linker);
    if module.imports().any(|import| import.module() == wasi::MODULE) {
        defined = defined.and_then(|()| wasi::define(&mut linker));
    }
    defined.map_err(engine_error)?;

    let mut store = Store::new(engine, State::new(&Limits::default()));
    let mut names: Vec<String> = Vec::new();
    for import in module.imports() {
        let name = format!("{}.{}", import.module(), import.name());
        if linker.get_by_import(&mut store, &import).is_none() && !names.contains(&name) {
            names.push(name);
        }
    }
    if !names.is_empty() {
        return Err(LoadError::UnknownImports { names });
    }
    linker.instantiate_pre(module).map_err(|error| LoadError::ImportType { message: chain(&error) })
}

/// The exported function `name` of that many 32-bit integers; `None` if nothing of that name is exported.
fn function(
    module: &wasmtime::Module,
    name: &'static str,
    params: usize,
    results: usize,
    expected: &'static str,
) -> Result<Option<ModuleExport>, LoadError> {
    let Some(export) = module.get_export(name) else {
        return Ok(None);
    };
    let fits = export.func().is_some_and(|ty| {
        ty.params().len() == params
            && ty.results().len() == results
            && ty.params().chain(ty.results()).all(|value| matches!(value, ValType::I32))
    });
    if fits { Ok(module.get_export_index(name)) } else { Err(LoadError::ExportType { name, expected }) }
}
