//! Where renderers run: one module for the process, instances of it with the files of one folder.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread;
use std::time::Duration;

use fedward_host::{CallError, Evaluator, Folder, Host, HostCalls, Module, Strategy};

use crate::answer::{Answer, Failed, Kind, Outcome, Rendered};
use crate::detect::{Kind as Detected, detect};
use crate::paths::MOUNT;
use crate::request::request;
use crate::source::Source;
use crate::words;

const MIB: usize = 1 << 20;

/// Native stack of guest code. Helm notices a template that includes itself a thousand times, which needs more than half of this.
const STACK: usize = 2 * MIB;

/// What one render may use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Wall time. Default 20 s.
    pub time: Duration,
    /// Bytes of the instance's memory. Default 512 MiB.
    pub memory_bytes: usize,
    /// Bytes of the output. Default 64 MiB.
    pub output_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { time: Duration::from_secs(20), memory_bytes: 512 * MIB, output_bytes: 64 * MIB }
    }
}

/// Renders out of one folder. It may be called from several threads at the same time.
pub struct Renderer {
    folder: Arc<dyn Folder>,
    limits: fedward_host::Limits,
    /// Instances that have built kustomizations of this folder, and have read Kubernetes' API for it: ten times faster than new ones.
    warm: Mutex<Vec<Evaluator>>,
}

impl Renderer {
    /// A renderer that reads the files of `folder`, and no others.
    #[must_use]
    pub fn new(folder: Arc<dyn Folder>, limits: Limits) -> Self {
        let mut bounds = fedward_host::Limits::default();
        bounds.call_time = limits.time;
        bounds.init_time = limits.time;
        bounds.memory_bytes = limits.memory_bytes;
        bounds.response_bytes = limits.output_bytes;
        bounds.kept_memory_bytes = limits.memory_bytes / 2;
        Self { folder, limits: bounds, warm: Mutex::default() }
    }

    /// What would render `path`; `None` if nothing would.
    #[must_use]
    pub fn detect(&self, path: &str) -> Option<Detected> {
        detect(&*self.folder, path)
    }

    /// Renders `source`.
    #[must_use]
    pub fn render(&self, source: &Source) -> Outcome {
        let failed = |message: String, limit| Outcome::Failed(Failed { renderer: source.renderer(), message, limit });
        let payload = match request(source) {
            Ok(payload) => payload.to_string(),
            Err(path) => return failed(format!("`{path}` leads out of the repository"), false),
        };
        let module = match module() {
            Ok(module) => module,
            Err(reason) => return Outcome::Deferred(reason.to_owned()),
        };
        // A thread of its own has the stack that is needed, whoever calls.
        let mut log = FirstWords::default();
        let answered = thread::scope(|scope| {
            let thread = thread::Builder::new().name("render".into()).stack_size(STACK + 2 * MIB);
            let spawned = thread.spawn_scoped(scope, || self.call(module, source, payload.as_bytes(), &mut log));
            spawned.ok().and_then(|running| running.join().ok())
        });
        match answered {
            None => failed("no thread to render in".into(), false),
            Some(Err(error)) => {
                let (message, limit) = words::ended(&error, &log.0);
                failed(message, limit)
            }
            Some(Ok(Answer { error: Some(failure), .. })) => match failure.kind {
                Kind::Deferred => Outcome::Deferred(words::reworded(&failure.message)),
                Kind::Failed | Kind::Refused => failed(words::reworded(&failure.message), false),
                Kind::Panic => failed(format!("the renderer broke down: {}", words::reworded(&failure.message)), false),
            },
            Some(Ok(Answer { documents, error: None })) => Outcome::Rendered(Rendered { documents: documents.unwrap_or_default() }),
        }
    }

    /// Helm and Jsonnet get a new instance each: templates are programs, and one must not find what another left behind. Kustomize runs
    /// none, and is slow to start.
    fn call(&self, module: &Module, source: &Source, payload: &[u8], log: &mut FirstWords) -> Result<Answer, CallError> {
        let keeps = matches!(source, Source::Kustomize(_));
        let warm = if keeps { self.warm.lock().unwrap_or_else(PoisonError::into_inner).pop() } else { None };
        let mut instance = warm.unwrap_or_else(|| module.evaluator_with_files(self.limits.clone(), MOUNT, self.folder.clone()));
        let response = instance.call("render", payload, log)?;
        let answer: Answer = serde_json::from_slice(response)
            .map_err(|error| CallError::Guest { text: format!("the renderer's answer is not understood: {error}") })?;
        if keeps && !answer.error.as_ref().is_some_and(|failure| failure.kind == Kind::Panic) {
            self.warm.lock().unwrap_or_else(PoisonError::into_inner).push(instance);
        }
        Ok(answer)
    }
}

/// The beginning of what a guest logs: a Go program that breaks down says why first, and then what every goroutine was doing.
#[derive(Default)]
struct FirstWords(String);

impl HostCalls for FirstWords {
    fn call(&mut self, binding: &str, _namespace: &str, _operation: &str, _payload: &[u8]) -> Result<Arc<[u8]>, String> {
        Err(format!("unknown binding: {binding}"))
    }

    fn log(&mut self, text: &str) {
        const ENOUGH: usize = 4096;
        let room = ENOUGH.saturating_sub(self.0.len());
        self.0.push_str(text.get(..text.floor_char_boundary(room)).unwrap_or_default());
    }
}

/// The module, unpacked when the first source of the process is rendered; or why there is none.
fn module() -> Result<&'static Module, &'static str> {
    static MODULE: OnceLock<Result<Module, String>> = OnceLock::new();
    MODULE.get_or_init(load).as_ref().map_err(String::as_str)
}

fn load() -> Result<Module, String> {
    if !fedward_renderers::available() {
        return Err("this program was built without renderers: build it where Go is installed".into());
    }
    let [_, size] = fedward_renderers::SIZES;
    let compiled = zstd::bulk::decompress(fedward_renderers::COMPRESSED, size)
        .map_err(|error| format!("the renderers cannot be unpacked: {error}"))?;
    let mut limits = fedward_host::Limits::default();
    limits.stack_bytes = STACK;
    #[expect(unsafe_code, reason = "the bytes are the build script's")]
    // SAFETY: `crates/renderers` embeds what `precompile` returned, compressed; a checksum is not needed for what is in the program.
    unsafe { Module::from_compiled(&Host::new(limits), Strategy::Kept, &compiled) }
        .map_err(|error| format!("the renderers cannot be loaded: {error}"))
}
