//! A line that says how far a long run is: on a terminal, after a second, gone when the run ends.

use std::io::{IsTerminal as _, Write as _, stderr};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// Runs `work` with a counter that it may increase; the count is shown, as `doing: 12 things`, if it takes longer than a second.
pub(crate) fn shown<T>(quiet: bool, doing: &str, things: &str, work: impl FnOnce(&AtomicUsize) -> T) -> T {
    let count = AtomicUsize::new(0);
    if quiet || !stderr().is_terminal() {
        return work(&count);
    }
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let line = scope.spawn(|| {
            let start = Instant::now();
            let mut written = false;
            while !done.load(Ordering::Relaxed) {
                thread::park_timeout(Duration::from_millis(100));
                if start.elapsed() > Duration::from_secs(1) {
                    written = true;
                    let _ = write!(stderr(), "\r\x1b[K{doing}: {} {things}", count.load(Ordering::Relaxed));
                }
            }
            if written {
                let _ = write!(stderr(), "\r\x1b[K");
            }
        });
        let result = work(&count);
        done.store(true, Ordering::Relaxed);
        line.thread().unpark();
        result
    })
}
