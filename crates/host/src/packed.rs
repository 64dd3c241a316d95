//! A compiled module that is in the program, but not as it is run: packed, since machine code is large.

use std::io;

use crate::config::engine_error;
use crate::{Host, LoadError, Module, Origin, Strategy};

/// A compiled module, and how it is unpacked.
pub struct Packed<'p> {
    /// What [`compiled_key`](crate::compiled_key) called it.
    pub key: &'p str,
    /// Bytes of the compiled form.
    pub size: usize,
    /// Gives them.
    pub unpack: &'p Unpack<'p>,
}

/// Gives the bytes of something to the function that it is called with, in any order and from any thread.
pub type Unpack<'u> = dyn Fn(&Put<'_>) -> io::Result<()> + Sync + 'u;

/// Takes bytes, with the place of the first.
pub type Put<'p> = dyn Fn(usize, &[u8]) -> io::Result<()> + Sync + 'p;

impl Module {
    /// Unpacks a compiled module. Where the system has files in memory, it is mapped from one: nothing is copied, and instances share the
    /// memory that they begin with.
    ///
    /// # Safety
    /// `packed` must give what [`precompile`](crate::precompile) returned, for which see [`Module::from_precompiled`].
    ///
    /// # Errors
    /// [`LoadError::Engine`] if it cannot be unpacked, or is of another version, configuration or machine; otherwise as for
    /// [`Module::from_wasm`].
    #[expect(unsafe_code, reason = "machine code can only be taken on trust, and only the caller knows where it is from")]
    pub unsafe fn from_packed(host: &Host, strategy: Strategy, packed: &Packed<'_>) -> Result<Self, LoadError> {
        #[cfg(target_os = "linux")]
        if let Ok(file) = in_memory(packed) {
            // SAFETY: passed on to the caller; nobody else can reach the file.
            if let Some(module) = unsafe { Self::from_file(host, strategy, file, Origin::Precompiled) } {
                return module;
            }
        }
        let bytes = std::sync::Mutex::new(vec![0; packed.size]);
        let put = |offset: usize, part: &[u8]| {
            let mut bytes = bytes.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            let place = bytes.get_mut(offset..offset.saturating_add(part.len())).ok_or(io::ErrorKind::InvalidData)?;
            place.copy_from_slice(part);
            Ok(())
        };
        (packed.unpack)(&put).map_err(|error| engine_error(error.into()))?;
        // SAFETY: passed on to the caller.
        unsafe { Self::from_compiled(host, strategy, &bytes.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner)) }
    }
}

/// A file in memory that holds it.
#[cfg(target_os = "linux")]
fn in_memory(packed: &Packed<'_>) -> io::Result<std::fs::File> {
    use rustix::fs::{MemfdFlags, memfd_create};
    let file = std::fs::File::from(memfd_create("fedward-module", MemfdFlags::CLOEXEC)?);
    fill(&file, packed.size, packed.unpack)?;
    Ok(file)
}

/// Fills an empty file with so many bytes. Pages of nothing but zeros take no room in it.
#[cfg(unix)]
pub(crate) fn fill(file: &std::fs::File, size: usize, unpack: &Unpack<'_>) -> io::Result<()> {
    use std::os::unix::fs::FileExt as _;
    file.set_len(size as u64)?;
    unpack(&|offset, bytes| {
        for (start, run) in not_empty(bytes) {
            file.write_all_at(run, offset.saturating_add(start) as u64)?;
        }
        Ok(())
    })
}

/// The parts of `bytes` that are not empty, with the place of each. They begin and end with a page.
pub(crate) fn not_empty(bytes: &[u8]) -> impl Iterator<Item = (usize, &[u8])> {
    const PAGE: usize = 4096;
    let is_empty = |page: &[u8]| page.iter().all(|byte| *byte == 0);
    let mut offset = 0_usize;
    std::iter::from_fn(move || {
        let rest = bytes.get(offset..)?;
        let skipped: usize = rest.chunks(PAGE).take_while(|page| is_empty(page)).map(<[u8]>::len).sum();
        let start = offset.saturating_add(skipped);
        let rest = bytes.get(start..).filter(|rest| !rest.is_empty())?;
        let length: usize = rest.chunks(PAGE).take_while(|page| !is_empty(page)).map(<[u8]>::len).sum();
        offset = start.saturating_add(length);
        Some((start, rest.get(..length)?))
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::indexing_slicing, reason = "tests")]

    use super::*;

    #[test]
    fn pages_of_zeros_are_left_out() {
        let mut bytes = vec![0; 5 * 4096 + 10];
        for place in [4096, 2 * 4096 + 1, 5 * 4096 + 9] {
            bytes[place] = 1;
        }
        let found: Vec<(usize, usize)> = not_empty(&bytes).map(|(start, run)| (start, run.len())).collect();
        assert_eq!(found, [(4096, 2 * 4096), (5 * 4096, 10)]);
        assert_eq!(not_empty(&[0; 9000]).count(), 0);
        assert_eq!(not_empty(&[]).count(), 0);
    }
}
