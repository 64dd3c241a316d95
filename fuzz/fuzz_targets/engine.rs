//! Everything between files and reports, on texts: the policies run natively.
#![no_main]

use fedward_engine::Options;
use fedward_fuzz::{check, files, judge};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Some((flags, rest)) = bytes.split_first() else { return };
    let Ok(text) = std::str::from_utf8(rest) else { return };
    let options = Options { closed_world: flags & 1 != 0, indexed: flags & 2 == 0, ..Options::default() };
    check(&judge(files(text), options));
});
