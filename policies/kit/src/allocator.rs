//! The allocator of a module: short and fast, for requests that take and give back about the same each time.
//!
//! Sizes are rounded up to powers of two, and what is given back waits in the list of its size for the next that wants it. Nothing is
//! ever joined, so the memory of an instance is what each size took at its most, and then stays flat.

use std::alloc::{GlobalAlloc, Layout};
use std::cell::Cell;
use std::ptr;

/// WebAssembly grows its memory by pages.
pub(crate) const PAGE: usize = 1 << 16;
/// Pages that are taken at once.
const STEP: usize = 4;
/// Every block begins at a multiple of it and is at least as large: nothing in a module wants more.
const ALIGN: usize = 16;

/// An allocator for one thread.
pub(crate) struct Allocator {
    /// By the logarithm of the size: the first free block. Its first bytes are the address of the next one.
    free: [Cell<*mut u8>; usize::BITS as usize],
    /// What was never given out begins here.
    fresh: Cell<*mut u8>,
    left: Cell<usize>,
    /// Adds that many pages and answers where they begin, or null.
    grow: fn(usize) -> *mut u8,
}

impl Allocator {
    pub(crate) const fn new(grow: fn(usize) -> *mut u8) -> Self {
        Self {
            free: [const { Cell::new(ptr::null_mut()) }; usize::BITS as usize],
            fresh: Cell::new(ptr::null_mut()),
            left: Cell::new(0),
            grow,
        }
    }

    #[cold]
    #[inline(never)]
    fn take(&self, size: usize) -> *mut u8 {
        if self.left.get() < size {
            let pages = size.div_ceil(PAGE).max(STEP);
            let start = (self.grow)(pages);
            if start.is_null() {
                return start;
            }
            // Mostly the pages follow the last ones; if not, what is left of those is lost.
            let follow = self.fresh.get().wrapping_add(self.left.get()) == start;
            if !follow {
                self.fresh.set(start);
                self.left.set(0);
            }
            self.left.set(self.left.get() + pages * PAGE);
        }
        let start = self.fresh.get();
        self.fresh.set(start.wrapping_add(size));
        self.left.set(self.left.get() - size);
        start
    }
}

/// The logarithm of the size of the block for it.
fn class(size: usize) -> usize {
    size.max(ALIGN).next_power_of_two().trailing_zeros() as usize
}

#[expect(unsafe_code, reason = "what an allocator is")]
// SAFETY: blocks are disjoint, since each is cut off what is fresh, whose pages belong to nobody else, and is in a list or given out,
// never both; a block of a list is as large as its class says; fresh blocks of at least `ALIGN` bytes keep the alignment of pages.
unsafe impl GlobalAlloc for Allocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let class = class(layout.size());
        let Some(first) = self.free.get(class).filter(|_| layout.align() <= ALIGN) else { return ptr::null_mut() };
        let block = first.get();
        if block.is_null() {
            return self.take(1 << class);
        }
        // SAFETY: a free block holds the address of the next, and is aligned for it.
        first.set(unsafe { *block.cast() });
        block
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        if let Some(first) = self.free.get(class(layout.size())) {
            // SAFETY: the block is the caller's to give, has room for an address and is aligned for it.
            unsafe { *block.cast() = first.get() };
            first.set(block);
        }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        if class(layout.size()) == class(size) {
            return block;
        }
        // SAFETY: the caller's size and the alignment of a layout make a layout.
        let wanted = unsafe { Layout::from_size_align_unchecked(size, layout.align()) };
        // SAFETY: what is copied fits both blocks, which are disjoint.
        unsafe {
            let moved = self.alloc(wanted);
            if !moved.is_null() {
                ptr::copy_nonoverlapping(block, moved, layout.size().min(size));
                self.dealloc(block, layout);
            }
            moved
        }
    }
}

#[cfg(target_arch = "wasm32")]
mod module {
    use super::{Allocator, PAGE};

    #[expect(unsafe_code, reason = "a module has one thread")]
    // SAFETY: it is never shared between threads.
    unsafe impl Sync for Allocator {}

    #[global_allocator]
    static ALLOCATOR: Allocator = Allocator::new(|pages| {
        // Beyond the largest memory the answer is `usize::MAX`.
        let before = core::arch::wasm32::memory_grow::<0>(pages);
        if before == usize::MAX { std::ptr::null_mut() } else { std::ptr::with_exposed_provenance_mut(before * PAGE) }
    });
}

#[cfg(test)]
mod tests {
    #![allow(unsafe_code, clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

    use std::alloc::System;

    use super::*;

    fn pages(pages: usize) -> *mut u8 {
        if pages > 1000 {
            return ptr::null_mut();
        }
        // SAFETY: the size is not 0.
        unsafe { System.alloc(Layout::from_size_align(pages * PAGE, PAGE).unwrap()) }
    }

    fn layout(size: usize) -> Layout {
        Layout::from_size_align(size, 8).unwrap()
    }

    #[test]
    fn blocks_are_aligned_apart_and_keep_what_is_in_them() {
        let allocator = Allocator::new(pages);
        let mut live: Vec<(*mut u8, usize, u8)> = Vec::new();
        let mut state = 1_u32;
        let mut random = |below: usize| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) as usize % below
        };
        for round in 0..20_000 {
            let mark = round as u8;
            let size = 1 << random(14);
            let size = size + random(size);
            // SAFETY: every block is used within its size and given back once, with its layout.
            unsafe {
                match random(3) {
                    0 if !live.is_empty() => {
                        let (block, size, mark) = live.swap_remove(random(live.len()));
                        assert!((0..size).all(|at| *block.add(at) == mark));
                        allocator.dealloc(block, layout(size));
                    }
                    1 if !live.is_empty() => {
                        let index = random(live.len());
                        let (block, before, old) = live[index];
                        let block = allocator.realloc(block, layout(before), size);
                        assert!((0..before.min(size)).all(|at| *block.add(at) == old));
                        block.write_bytes(mark, size);
                        live[index] = (block, size, mark);
                    }
                    _ => {
                        let block = allocator.alloc(layout(size));
                        assert!(block.addr().is_multiple_of(ALIGN));
                        block.write_bytes(mark, size);
                        live.push((block, size, mark));
                    }
                }
            }
        }
        // SAFETY: as above.
        assert!(live.iter().all(|(block, size, mark)| (0..*size).all(|at| unsafe { *block.add(at) } == *mark)));
    }

    #[test]
    fn what_was_given_back_is_given_out_again() {
        let allocator = Allocator::new(pages);
        // SAFETY: blocks are given back once, with their layouts.
        unsafe {
            let (one, other) = (allocator.alloc(layout(100)), allocator.alloc(layout(128)));
            assert_ne!(one, other);
            allocator.dealloc(one, layout(100));
            assert_eq!(allocator.alloc(layout(65)), one);
            assert_eq!(allocator.realloc(one, layout(65), 127), one);
        }
    }

    #[test]
    fn what_cannot_be_had_is_null() {
        let allocator = Allocator::new(pages);
        // SAFETY: nothing is used.
        unsafe {
            assert!(allocator.alloc(layout(1 << 30)).is_null());
            assert!(allocator.alloc(Layout::from_size_align(8, 4096).unwrap()).is_null());
            assert!(!allocator.alloc(layout(1000 * PAGE / 2)).is_null());
        }
    }
}
