//! The clock behind deadlines: one thread for the process moves the epoch of every engine.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use wasmtime::{Engine, EngineWeak};

/// How often guest code looks at the clock, and so about how late a deadline can be noticed. A tick costs a few microseconds of
/// one core; a guest that runs when it comes pays one clock reading.
pub(crate) const TICK: Duration = Duration::from_millis(1);

static ENGINES: Mutex<Engines> = Mutex::new(Engines { ticking: false, engines: Vec::new() });

struct Engines {
    ticking: bool,
    engines: Vec<EngineWeak>,
}

fn engines() -> MutexGuard<'static, Engines> {
    // Nothing in this file panics while it holds the lock, and the list would still be whole.
    ENGINES.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Moves `engine`'s epoch on from now, until the engine is dropped. Starts the thread if it does not run.
///
/// # Errors
/// The thread cannot be started.
pub(crate) fn drive(engine: &Engine) -> std::io::Result<()> {
    let mut guard = engines();
    guard.engines.push(engine.weak());
    if !guard.ticking {
        thread::Builder::new().name("wasm-ticker".into()).spawn(tick)?;
        guard.ticking = true;
    }
    Ok(())
}

/// Ticks until no engine is left.
fn tick() {
    loop {
        thread::sleep(TICK);
        let mut guard = engines();
        guard.engines.retain(|engine| match engine.upgrade() {
            Some(engine) => {
                engine.increment_epoch();
                true
            }
            None => false,
        });
        if guard.engines.is_empty() {
            guard.ticking = false;
            return;
        }
    }
}
