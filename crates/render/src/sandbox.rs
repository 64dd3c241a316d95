//! Where renderers run: one module for the process, instances of it with the files of one folder.

use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use fedward_host::{CallError, Evaluator, Folder, HostCalls, Module};

use crate::answer::{Answer, Failed, Kind, Outcome, Rendered};
use crate::cache::{self, Cache, Kept};
use crate::detect::{Kind as Detected, detect};
use crate::paths::MOUNT;
use crate::request::request;
use crate::source::Source;
use crate::template::{Filled, Templates};
use crate::unpacked::module;
use crate::words;

const MIB: usize = 1 << 20;

/// Native stack of guest code. Helm notices a template that includes itself a thousand times, which needs more than half of this.
pub(crate) const STACK: usize = 2 * MIB;

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
    /// As guests see it.
    folder: Arc<dyn Folder>,
    limits: fedward_host::Limits,
    /// What was rendered before, if that is kept.
    cache: Option<Kept>,
    /// Instances that have built kustomizations or filled in templates of this folder, to be used again.
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
        Self { folder, limits: bounds, cache: None, warm: Mutex::default() }
    }

    /// The same, with results taken from a cache and put there.
    #[must_use]
    pub fn with_cache(self, cache: Arc<Cache>) -> Self {
        let (kept, folder) = Kept::new(cache, self.folder, &self.limits);
        Self { folder, limits: self.limits, cache: Some(kept), warm: Mutex::default() }
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
        let words = if matches!(source, Source::Helm(_)) { cache::TIME } else { cache::NONE };
        match self.ask(&payload, matches!(source, Source::Kustomize(_)), words) {
            Ok(Answer { documents, .. }) => Outcome::Rendered(Rendered { documents: documents.unwrap_or_default() }),
            Err(Unanswered::Deferred(reason)) => Outcome::Deferred(reason),
            Err(Unanswered::Failed(message, limit)) => failed(message, limit),
        }
    }

    /// Fills in Go templates, as the controller of Argo CD's ApplicationSets does.
    ///
    /// # Errors
    /// It cannot be known here what they come to; why.
    pub fn fill(&self, templates: &Templates<'_>) -> Result<Vec<Filled>, String> {
        let payload = templates.request().to_string();
        match self.ask(&payload, true, cache::TIME_AND_CHANCE) {
            Ok(Answer { texts, .. }) => Ok(texts.unwrap_or_default().into_iter().map(Into::into).collect()),
            Err(Unanswered::Deferred(reason) | Unanswered::Failed(reason, _)) => Err(reason),
        }
    }

    /// The module's answer, or the one that is kept. An error of its own is none of this program's. What uses one of `words` may be answered
    /// otherwise the next time.
    fn ask(&self, payload: &str, keeps: bool, words: cache::Words) -> Result<Answer, Unanswered> {
        let kept = self.cache.as_ref().filter(|_| fedward_renderers::available()).map(|kept| (kept, kept.key(payload, &self.limits)));
        if let Some(answer) = kept.as_ref().and_then(|(kept, key)| kept.find(key, |response| serde_json::from_str(response).ok())) {
            return said(answer);
        }
        let module = module().map_err(|reason| Unanswered::Deferred(reason.to_owned()))?;
        // A thread of its own has the stack that is needed, whoever calls.
        let mut log = FirstWords::default();
        let answered = thread::scope(|scope| {
            let thread = thread::Builder::new().name("render".into()).stack_size(STACK + 2 * MIB);
            let spawned = thread.spawn_scoped(scope, || {
                let recording = kept.as_ref().map(|(kept, _)| kept.record(words, payload));
                let keep = |response: &[u8]| {
                    if let (Some((kept, key)), Some(recording)) = (&kept, recording) {
                        kept.keep(key, recording, response);
                    }
                };
                self.call(module, keeps, payload.as_bytes(), &mut log, keep)
            });
            match spawned.map(thread::ScopedJoinHandle::join) {
                Ok(answered) => answered.map_err(|_| "the renderer's host broke down".to_owned()),
                Err(error) => Err(format!("no thread to render in: {error}")),
            }
        });
        match answered {
            Err(why) => Err(Unanswered::Failed(why, false)),
            Ok(Err(error)) => {
                let (message, limit) = words::ended(&error, &log.0);
                Err(Unanswered::Failed(message, limit))
            }
            Ok(Ok(answer)) => said(answer),
        }
    }

    /// Helm and Jsonnet get a new instance each: templates are programs, and one must not find what another left behind. Kustomize runs
    /// none, and Go templates leave nothing behind. No instance that is kept may remember a file: what an answer depends on is what was read
    /// for it.
    fn call(
        &self,
        module: &Module,
        keeps: bool,
        payload: &[u8],
        log: &mut FirstWords,
        keep: impl FnOnce(&[u8]),
    ) -> Result<Answer, CallError> {
        let warm = if keeps { self.warm.lock().unwrap_or_else(PoisonError::into_inner).pop() } else { None };
        let mut instance = warm.unwrap_or_else(|| module.evaluator_with_files(self.limits.clone(), MOUNT, self.folder.clone()));
        let response = instance.call("render", payload, log)?;
        let answer: Answer = serde_json::from_slice(response)
            .map_err(|error| CallError::Guest { text: format!("the renderer's answer is not understood: {error}") })?;
        if answer.error.as_ref().is_some_and(|failure| failure.kind == Kind::Panic) {
            return Ok(answer);
        }
        keep(response);
        if keeps {
            self.warm.lock().unwrap_or_else(PoisonError::into_inner).push(instance);
        }
        Ok(answer)
    }
}

/// The answer, or what the module says of why there is none.
fn said(answer: Answer) -> Result<Answer, Unanswered> {
    let Some(failure) = &answer.error else { return Ok(answer) };
    let message = words::reworded(&failure.message);
    Err(match failure.kind {
        Kind::Deferred => Unanswered::Deferred(message),
        Kind::Failed | Kind::Refused => Unanswered::Failed(message, false),
        Kind::Panic => Unanswered::Failed(format!("the renderer broke down: {message}"), false),
    })
}

/// Why there is no answer.
enum Unanswered {
    Deferred(String),
    /// The words, and whether it was a limit.
    Failed(String, bool),
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
