//! What belongs to one instance: the waPC slots, the counters, the limits.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use wasmtime::{Memory, ResourceLimiter};

use crate::lending::Loan;
use crate::wasi::Wasi;
use crate::{CallError, Limits, Phase};

/// Tables that one module may have. Toolchains emit one; the rest is room for reference types.
pub(crate) const MAX_TABLES: usize = 4;

/// How much of the log an error repeats.
const TAIL_LINES: usize = 8;
const TAIL_LINE_BYTES: usize = 400;

/// What one evaluation used. The initialisation of a new instance counts with the call that needed it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Stats {
    /// Host calls that the guest made.
    pub host_calls: u32,
    /// Bytes of their payloads and names.
    pub host_request_bytes: u64,
    /// Bytes of the answers, host error texts not included.
    pub host_response_bytes: u64,
    /// Bytes of log text.
    pub log_bytes: usize,
    /// Lines of log text.
    pub log_lines: u32,
    /// Size of the guest's memory after the call.
    pub memory_bytes: usize,
    /// Whether this call had to make an instance.
    pub instantiated: bool,
}

/// The data of a store.
pub(crate) struct State {
    pub(crate) limits: Limits,
    pub(crate) loan: Loan,
    pub(crate) phase: Phase,
    pub(crate) deadline: Instant,
    /// The guest's memory, once somebody has looked for it.
    pub(crate) memory: Option<Memory>,
    pub(crate) response: Vec<u8>,
    /// Whether the guest has responded: an empty response is one.
    pub(crate) responded: bool,
    pub(crate) guest_error: Option<String>,
    pub(crate) host_response: Option<Arc<[u8]>>,
    pub(crate) host_error: Option<String>,
    pub(crate) stats: Stats,
    /// The last lines of the log, oldest first.
    log_tail: VecDeque<String>,
    pub(crate) wasi: Wasi,
}

impl State {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self {
            limits: limits.clone(),
            loan: Loan::default(),
            phase: Phase::Init,
            deadline: Instant::now(),
            memory: None,
            response: Vec::new(),
            responded: false,
            guest_error: None,
            host_response: None,
            host_error: None,
            stats: Stats::default(),
            log_tail: VecDeque::new(),
            wasi: Wasi::default(),
        }
    }

    /// Starts the clock for `phase`.
    pub(crate) fn begin(&mut self, phase: Phase) {
        self.phase = phase;
        // A limit too large for the clock means no practical limit; a century stands for it.
        const CENTURY: Duration = Duration::from_secs(100 * 365 * 24 * 3600);
        self.deadline = Instant::now() + self.time_limit().min(CENTURY);
    }

    /// Empties the waPC slots, as before every call.
    pub(crate) fn clear_slots(&mut self) {
        self.response.clear();
        self.responded = false;
        self.guest_error = None;
        self.host_response = None;
        self.host_error = None;
    }

    /// Starts counting anew.
    pub(crate) fn clear_counters(&mut self) {
        self.stats = Stats::default();
        self.log_tail.clear();
    }

    fn time_limit(&self) -> Duration {
        match self.phase {
            Phase::Init => self.limits.init_time,
            Phase::Call => self.limits.call_time,
        }
    }

    /// The error for a clock that has run out.
    pub(crate) fn out_of_time(&self) -> CallError {
        CallError::Deadline { limit: self.time_limit(), phase: self.phase }
    }

    /// Passes `text` to the host's log and remembers its end.
    ///
    /// # Errors
    /// The log limits.
    pub(crate) fn log(&mut self, text: &str) -> Result<(), CallError> {
        let Limits { log_bytes, log_lines, .. } = self.limits;
        self.stats.log_bytes = self.stats.log_bytes.saturating_add(text.len());
        if self.stats.log_bytes > log_bytes {
            return Err(CallError::LogBytes { limit: log_bytes });
        }
        // An empty text is a line too.
        for line in text.strip_suffix('\n').unwrap_or(text).split('\n') {
            self.stats.log_lines = self.stats.log_lines.saturating_add(1);
            if self.stats.log_lines > log_lines {
                return Err(CallError::LogLines { limit: log_lines });
            }
            if self.log_tail.len() == TAIL_LINES {
                self.log_tail.pop_front();
            }
            let end = line.floor_char_boundary(TAIL_LINE_BYTES);
            self.log_tail.push_back(line.get(..end).unwrap_or_default().to_owned());
        }
        self.loan.with(|lent| lent.host.log(text));
        Ok(())
    }

    /// The last lines of the log, oldest first.
    pub(crate) fn log_tail(&self) -> Vec<String> {
        self.log_tail.iter().cloned().collect()
    }
}

/// Growing beyond a limit ends the call at once: a guest that is told "no" only panics, and its panic would hide the reason.
impl ResourceLimiter for State {
    fn memory_growing(&mut self, _current: usize, desired: usize, _maximum: Option<usize>) -> wasmtime::Result<bool> {
        let limit = self.limits.memory_bytes;
        if desired > limit { Err(CallError::Memory { limit }.into()) } else { Ok(true) }
    }

    fn table_growing(&mut self, _current: usize, desired: usize, _maximum: Option<usize>) -> wasmtime::Result<bool> {
        let limit = self.limits.table_elements;
        if desired > limit { Err(CallError::Table { limit }.into()) } else { Ok(true) }
    }

    fn instances(&self) -> usize {
        1
    }

    fn tables(&self) -> usize {
        MAX_TABLES
    }

    fn memories(&self) -> usize {
        1
    }
}
