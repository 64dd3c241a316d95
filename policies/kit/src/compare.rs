//! `memcmp` of a module. The one that comes with the compiler goes byte by byte, and a module calls it for whatever two texts of the same length are
//! compared.

use std::cmp::Ordering;

/// Bytes that are compared at once.
const WORD: usize = 8;

/// Compares `length` bytes as numbers without a sign: below zero, zero, or above it.
///
/// # Safety
/// Both sides must be readable for `length` bytes.
#[expect(unsafe_code, reason = "what a function of C is")]
#[cfg_attr(target_arch = "wasm32", unsafe(no_mangle))]
pub(crate) unsafe extern "C" fn memcmp(one: *const u8, other: *const u8, length: usize) -> i32 {
    // SAFETY: the caller's.
    let byte = |at: usize| unsafe { (one.add(at).read(), other.add(at).read()) };
    // SAFETY: the caller's, for all `at` that are `WORD` below `length` or less.
    let word = |at: usize| unsafe { (one.add(at).cast::<u64>().read_unaligned(), other.add(at).cast::<u64>().read_unaligned()) };
    let mut at = 0;
    while at + WORD <= length {
        let (left, right) = word(at);
        if left != right {
            // The first byte counts most.
            return sign(left.swap_bytes().cmp(&right.swap_bytes()));
        }
        at += WORD;
    }
    if at > 0 && at < length {
        // The last word, of which the beginning is equal.
        let (left, right) = word(length - WORD);
        return sign(left.swap_bytes().cmp(&right.swap_bytes()));
    }
    while at < length {
        let (left, right) = byte(at);
        if left != right {
            return sign(left.cmp(&right));
        }
        at += 1;
    }
    0
}

fn sign(ordering: Ordering) -> i32 {
    ordering as i32
}

#[cfg(test)]
mod tests {
    #![allow(unsafe_code, clippy::indexing_slicing, reason = "tests")]

    use super::{memcmp, sign};

    fn compared(one: &[u8], other: &[u8]) -> i32 {
        assert_eq!(one.len(), other.len());
        // SAFETY: both are as long.
        unsafe { memcmp(one.as_ptr(), other.as_ptr(), one.len()) }
    }

    #[test]
    fn every_length_and_every_place_is_compared_as_slices_are() {
        let text: Vec<u8> = (0..40_u8).map(|byte| byte.wrapping_mul(37)).collect();
        for length in 0..text.len() {
            let one = &text[..length];
            assert_eq!(compared(one, one), 0);
            for first in 0..length {
                for second in first..length {
                    for (byte, at) in [(1, first), (0x80, first), (0xff, second)] {
                        let mut other = one.to_vec();
                        other[at] ^= byte;
                        other[second] = other[second].wrapping_add(1);
                        assert_eq!(compared(one, &other), sign(one.cmp(&other)), "{one:?} {other:?}");
                    }
                }
            }
        }
    }
}
