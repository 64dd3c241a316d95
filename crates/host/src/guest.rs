//! The guest's memory, as an import sees it: every pointer and length checked.

use wasmtime::{Caller, Extern};

use crate::CallError;
use crate::state::State;

/// The memory and the state behind `caller`, both at once.
///
/// # Errors
/// [`CallError::Pointer`] if the module has no memory; loading has checked that, so only a module that was never loaded could.
pub(crate) fn split<'c>(caller: &'c mut Caller<'_, State>, import: &'static str) -> Result<(Guest<'c>, &'c mut State), CallError> {
    let memory = match caller.data().memory {
        Some(memory) => memory,
        // A start section runs before instantiation has returned and the handle could be stored.
        None => match caller.get_export("memory") {
            Some(Extern::Memory(memory)) => {
                caller.data_mut().memory = Some(memory);
                memory
            }
            _ => return Err(CallError::Pointer { import }),
        },
    };
    let (bytes, state) = memory.data_and_store_mut(caller);
    Ok((Guest { bytes, import }, state))
}

/// The memory of the guest during one import, which errors name.
pub(crate) struct Guest<'c> {
    bytes: &'c mut [u8],
    import: &'static str,
}

impl Guest<'_> {
    /// The bytes at `pointer`.
    ///
    /// # Errors
    /// [`CallError::Pointer`] unless all of them lie in the memory.
    pub(crate) fn read(&self, pointer: i32, length: i32) -> Result<&[u8], CallError> {
        let error = CallError::Pointer { import: self.import };
        let start = address(pointer);
        start.checked_add(address(length)).and_then(|end| self.bytes.get(start..end)).ok_or(error)
    }

    /// The text at `pointer`.
    ///
    /// # Errors
    /// [`CallError::Pointer`]; [`CallError::Text`] if it is not UTF-8.
    pub(crate) fn text(&self, pointer: i32, length: i32) -> Result<&str, CallError> {
        std::str::from_utf8(self.read(pointer, length)?).map_err(|_| CallError::Text { import: self.import })
    }

    /// The bytes at `pointer`, to be written to.
    ///
    /// # Errors
    /// [`CallError::Pointer`] unless all of them lie in the memory.
    pub(crate) fn slot(&mut self, pointer: i32, length: usize) -> Result<&mut [u8], CallError> {
        let error = CallError::Pointer { import: self.import };
        let start = address(pointer);
        start.checked_add(length).and_then(|end| self.bytes.get_mut(start..end)).ok_or(error)
    }

    /// Copies `source` to `pointer`.
    ///
    /// # Errors
    /// [`CallError::Pointer`].
    pub(crate) fn write(&mut self, pointer: i32, source: &[u8]) -> Result<(), CallError> {
        self.slot(pointer, source.len())?.copy_from_slice(source);
        Ok(())
    }
}

/// A WebAssembly address or length: 32 bits without a sign, whatever the type of the parameter says.
pub(crate) fn address(value: i32) -> usize {
    // A `u32` fits a `usize` wherever Wasmtime runs.
    value.cast_unsigned() as usize
}
