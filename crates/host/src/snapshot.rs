//! A module as it is after it has started: with the memory and the globals that its starters, and calls of one's choice, left behind.
//!
//! What a language does before the first call is done once, when a program is built, and no instance does it again. The idea is Wizer's. Its
//! crate (`wasmtime-wizer`) is asynchronous, knows neither our WASI nor its clocks, and wants other features of what Wasmtime is made of, which
//! would build Wasmtime anew; what is needed of it for a module of one memory, whose tables never change, is this file.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use wasm_encoder::{
    ConstExpr, DataSection, ExportKind, ExportSection, GlobalSection, GlobalType, MemorySection, MemoryType, Module as Encoder, RawSection,
    SectionId, ValType,
};
use wasmtime::wasmparser::{self, ExternalKind, Operator, Parser, Payload, TypeRef};
use wasmtime::{Instance, Store, Val};

use crate::config::{invalid, quick_engine};
use crate::module::STARTERS;
use crate::packed::not_empty;
use crate::state::State;
use crate::{CallError, Folder, Host, Limits, LoadError, Module, NoHostCalls, Origin, Strategy, ticker};

/// Why there is no snapshot.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SnapshotError {
    /// The module cannot be used at all.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// It did not start, or failed at a call.
    #[error("the module fails before its snapshot: {0}")]
    Call(#[from] CallError),
    /// There is no thread to run it in.
    #[error("no thread for a module before its snapshot: {0}")]
    Thread(#[source] std::io::Error),
    /// It keeps something that a snapshot does not hold.
    #[error("no snapshot of this module: {0}")]
    Unsuitable(&'static str),
}

/// What a starter or a call may take. The code is compiled in a hurry, and slow.
const TIME: Duration = Duration::from_secs(300);

/// Native stack of the guest: code that is compiled in a hurry takes more.
const STACK: usize = 16 << 20;

/// Bytes of memory that the module may have in the end.
const MEMORY: usize = 1 << 30;

/// Names under which the instance shows its globals.
const GLOBAL: &str = "fedward.global.";

/// The module `wasm` after its starters and then `calls`, each an operation and its payload, in one instance that may read `folder` under
/// the path `mount`. Instances of the result have to be given a folder under the same path: what is in it may differ.
///
/// The same arguments make the same bytes: no clock and no randomness of the machine gets in.
///
/// # Errors
/// [`SnapshotError`]: among others a module that changes its tables, drops parts of itself, or has files open in the end.
pub fn snapshot(wasm: &[u8], mount: &str, folder: Arc<dyn Folder>, calls: &[(&str, &[u8])]) -> Result<Vec<u8>, SnapshotError> {
    let parts = Parts::of(wasm)?;
    let mut limits = Limits { call_time: TIME, init_time: TIME, stack_bytes: STACK, ..Limits::default() };
    limits.memory_bytes = MEMORY;
    limits.kept_memory_bytes = MEMORY;
    std::thread::scope(|scope| {
        // The stack of the thread that calls may be smaller than what the guest may use.
        let thread = std::thread::Builder::new().stack_size(STACK + (4 << 20));
        let running = thread.spawn_scoped(scope, || parts.after(mount, folder, calls, limits)).map_err(SnapshotError::Thread)?;
        running.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

/// A module in pieces.
struct Parts<'w> {
    wasm: &'w [u8],
    /// Sections in their order, as they are, with their numbers.
    sections: Vec<(u8, Range<usize>)>,
    memory: Option<wasmparser::MemoryType>,
    globals: Vec<wasmparser::Global<'w>>,
    exports: Vec<wasmparser::Export<'w>>,
}

impl<'w> Parts<'w> {
    fn of(wasm: &'w [u8]) -> Result<Self, SnapshotError> {
        let mut parts = Parts { wasm, sections: Vec::new(), memory: None, globals: Vec::new(), exports: Vec::new() };
        for payload in Parser::new(0).parse_all(wasm) {
            let payload = payload.map_err(unreadable)?;
            match &payload {
                Payload::ImportSection(section) => {
                    for import in section.clone().into_imports() {
                        if !matches!(import.map_err(unreadable)?.ty, TypeRef::Func(_)) {
                            return Err(SnapshotError::Unsuitable("it imports something that is no function"));
                        }
                    }
                }
                Payload::MemorySection(section) => {
                    for memory in section.clone() {
                        let memory = memory.map_err(unreadable)?;
                        if parts.memory.replace(memory).is_some() {
                            return Err(SnapshotError::Unsuitable("it has several memories"));
                        }
                        if memory.memory64 {
                            return Err(SnapshotError::Unsuitable("its memory has addresses of 64 bits"));
                        }
                        if memory.shared {
                            return Err(SnapshotError::Unsuitable("its memory is shared by threads"));
                        }
                        if memory.page_size_log2.is_some() {
                            return Err(SnapshotError::Unsuitable("its memory has pages of a size of their own"));
                        }
                    }
                }
                Payload::GlobalSection(section) => {
                    parts.globals = section.clone().into_iter().collect::<Result<_, _>>().map_err(unreadable)?;
                }
                Payload::ExportSection(section) => {
                    parts.exports = section.clone().into_iter().collect::<Result<_, _>>().map_err(unreadable)?;
                }
                Payload::CodeSectionEntry(body) => {
                    for operator in body.get_operators_reader().map_err(unreadable)? {
                        check(&operator.map_err(unreadable)?)?;
                    }
                }
                _ => {}
            }
            parts.sections.extend(payload.as_section());
        }
        Ok(parts)
    }

    /// The module after its starters and `calls`.
    fn after(&self, mount: &str, folder: Arc<dyn Folder>, calls: &[(&str, &[u8])], limits: Limits) -> Result<Vec<u8>, SnapshotError> {
        let engine = quick_engine(&limits)?;
        ticker::drive(&engine).map_err(|error| LoadError::Engine { message: error.to_string() })?;
        let module = wasmtime::Module::from_binary(&engine, &self.with_globals_shown()?).map_err(invalid)?;
        let module = Module::new(&Host::new(limits.clone()), Strategy::Kept, &module, Origin::Compiled)?;
        let mut evaluator = module.evaluator_with_files(limits, mount, folder);
        evaluator.own_time();
        for (operation, payload) in calls {
            evaluator.call(operation, payload, &mut NoHostCalls)?;
        }
        let (store, instance) = evaluator.kept().ok_or(SnapshotError::Unsuitable("nothing was called"))?;
        if !store.data().wasi.is_as_new() {
            return Err(SnapshotError::Unsuitable("it has files open, or has waited for too long"));
        }
        let globals = self.values(store, &instance)?;
        let memory = store.data().memory.ok_or(SnapshotError::Unsuitable("it has no memory"))?;
        self.written(memory.data(&store), &globals)
    }

    /// The same module, with globals exported so that they can be read.
    fn with_globals_shown(&self) -> Result<Vec<u8>, SnapshotError> {
        let mut exports = ExportSection::new();
        for export in &self.exports {
            exports.export(export.name, kind(export)?, export.index);
        }
        for (index, global) in (0..).zip(&self.globals) {
            if global.ty.mutable {
                exports.export(&format!("{GLOBAL}{index}"), ExportKind::Global, index);
            }
        }
        let mut encoder = Encoder::new();
        for (id, range) in self.kept_sections() {
            if id == SectionId::Export as u8 {
                encoder.section(&exports);
            } else {
                encoder.section(&RawSection { id, data: self.bytes(range) });
            }
        }
        Ok(encoder.finish())
    }

    /// What every global that can change is now.
    fn values(&self, store: &mut Store<State>, instance: &Instance) -> Result<Vec<Option<ConstExpr>>, SnapshotError> {
        let mut values = Vec::new();
        for (index, global) in self.globals.iter().enumerate() {
            if !global.ty.mutable {
                values.push(None);
                continue;
            }
            let shown = instance.get_global(&mut *store, &format!("{GLOBAL}{index}"));
            values.push(Some(match shown.map(|shown| shown.get(&mut *store)) {
                Some(Val::I32(value)) => ConstExpr::i32_const(value),
                Some(Val::I64(value)) => ConstExpr::i64_const(value),
                Some(Val::F32(bits)) => ConstExpr::f32_const(f32::from_bits(bits).into()),
                Some(Val::F64(bits)) => ConstExpr::f64_const(f64::from_bits(bits).into()),
                _ => return Err(SnapshotError::Unsuitable("a global that can change is no number")),
            }));
        }
        Ok(values)
    }

    /// The module with this memory and these globals, and without what has run.
    fn written(&self, memory: &[u8], values: &[Option<ConstExpr>]) -> Result<Vec<u8>, SnapshotError> {
        let mut globals = GlobalSection::new();
        for (global, value) in self.globals.iter().zip(values) {
            let val_type = match global.ty.content_type {
                wasmparser::ValType::I32 => ValType::I32,
                wasmparser::ValType::I64 => ValType::I64,
                wasmparser::ValType::F32 => ValType::F32,
                wasmparser::ValType::F64 => ValType::F64,
                _ => return Err(SnapshotError::Unsuitable("a global is no number")),
            };
            let as_it_was = || {
                let expression = self.bytes(global.init_expr.get_binary_reader().range());
                ConstExpr::raw(expression.strip_suffix(&[END]).unwrap_or(expression).iter().copied())
            };
            let ty = GlobalType { val_type, mutable: global.ty.mutable, shared: false };
            globals.global(ty, &value.clone().unwrap_or_else(as_it_was));
        }
        let mut exports = ExportSection::new();
        for export in self.exports.iter().filter(|export| !STARTERS.contains(&export.name)) {
            exports.export(export.name, kind(export)?, export.index);
        }
        let maximum = self.memory.and_then(|memory| memory.maximum);
        let minimum = (memory.len() / PAGE) as u64;
        let mut memories = MemorySection::new();
        memories.memory(MemoryType { minimum, maximum, memory64: false, shared: false, page_size_log2: None });
        let mut encoder = Encoder::new();
        for (id, range) in self.kept_sections() {
            match id {
                id if id == SectionId::Memory as u8 => encoder.section(&memories),
                id if id == SectionId::Global as u8 => encoder.section(&globals),
                id if id == SectionId::Export as u8 => encoder.section(&exports),
                // Left out: the starter, and data as they were at the start, with their number.
                id if id == SectionId::Start as u8 || id == SectionId::Data as u8 || id == SectionId::DataCount as u8 => &mut encoder,
                id => encoder.section(&RawSection { id, data: self.bytes(range) }),
            };
        }
        // The last section of all.
        encoder.section(&data(memory));
        Ok(encoder.finish())
    }

    /// All sections that say something to a machine.
    fn kept_sections(&self) -> impl Iterator<Item = (u8, Range<usize>)> {
        self.sections.iter().filter(|(id, _)| *id != SectionId::Custom as u8).cloned()
    }

    fn bytes(&self, range: Range<usize>) -> &'w [u8] {
        self.wasm.get(range).unwrap_or_default()
    }
}

/// Bytes of a page of memory.
const PAGE: usize = 1 << 16;

/// What ends an expression.
const END: u8 = 0x0b;

/// What is in memory, without pieces of nothing.
fn data(memory: &[u8]) -> DataSection {
    let mut section = DataSection::new();
    for (offset, bytes) in not_empty(memory) {
        // An address: 32 bits without a sign, written as if they had one.
        section.active(0, &ConstExpr::i32_const((offset as u32).cast_signed()), bytes.iter().copied());
    }
    section
}

/// Refuses what changes something that is neither memory nor a global.
fn check(operator: &Operator<'_>) -> Result<(), SnapshotError> {
    match operator {
        Operator::TableSet { .. }
        | Operator::TableGrow { .. }
        | Operator::TableFill { .. }
        | Operator::TableCopy { .. }
        | Operator::TableInit { .. }
        | Operator::ElemDrop { .. } => Err(SnapshotError::Unsuitable("it changes its tables")),
        Operator::MemoryInit { .. } | Operator::DataDrop { .. } => Err(SnapshotError::Unsuitable("it has data that it reads later")),
        _ => Ok(()),
    }
}

fn kind(export: &wasmparser::Export<'_>) -> Result<ExportKind, SnapshotError> {
    match export.kind {
        ExternalKind::Func => Ok(ExportKind::Func),
        ExternalKind::Table => Ok(ExportKind::Table),
        ExternalKind::Memory => Ok(ExportKind::Memory),
        ExternalKind::Global => Ok(ExportKind::Global),
        _ => Err(SnapshotError::Unsuitable("an export is none of WebAssembly's first four kinds")),
    }
}

fn unreadable(error: wasmparser::BinaryReaderError) -> SnapshotError {
    LoadError::Invalid { message: error.to_string() }.into()
}
