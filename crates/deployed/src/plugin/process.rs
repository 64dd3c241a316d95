//! A program, run within limits of time and output, and ended with all that it started.

use std::io::{self, Read};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

/// Bytes of standard error that are kept, from the end.
const SAID: usize = 16 << 10;
/// How long the end of a program is not noticed, at most.
const NAP: Duration = Duration::from_millis(20);

/// How a program ended.
#[derive(Debug)]
pub(super) enum Ended {
    /// With success: what it printed.
    Well(Vec<u8>),
    /// It was never there.
    NotStarted(io::Error),
    /// Otherwise: how, and the end of what it said on standard error.
    Badly(ExitStatus, Vec<u8>),
    /// It did not, and was stopped.
    Late,
    /// It printed more than is taken, and was stopped.
    TooMuch,
}

/// How a status is told.
pub(super) fn told(status: ExitStatus) -> String {
    #[cfg(unix)]
    if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
        return format!("signal {signal}");
    }
    status.code().map_or_else(|| "no exit code".to_owned(), |code| format!("exit code {code}"))
}

/// Runs a program to its end, or to that of its time.
pub(super) fn run(mut command: Command, time: Duration, output_bytes: usize) -> Ended {
    // A group of its own: what it starts ends with it.
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let until = Instant::now() + time;
    let mut child = match command.spawn() {
        Ok(child) => child,
        Err(error) => return Ended::NotStarted(error),
    };
    let is_too_much = Arc::new(AtomicBool::new(false));
    let printed = child.stdout.take().map(|pipe| {
        let is_too_much = Arc::clone(&is_too_much);
        apart(move || printed(pipe, output_bytes, &is_too_much))
    });
    let said = child.stderr.take().map(|pipe| apart(move || said(pipe)));
    let (Some(Ok(printed)), Some(Ok(said))) = (printed, said) else {
        end(&mut child);
        return Ended::NotStarted(io::Error::other("its output cannot be read"));
    };
    let mut nap = Duration::from_millis(1);
    let is_late = loop {
        if has_ended(&mut child) {
            break false;
        }
        if is_too_much.load(Ordering::Relaxed) || Instant::now() >= until {
            break true;
        }
        thread::sleep(nap);
        nap = (nap * 2).min(NAP);
    };
    // Once the first of them has ended, too: what it left running would keep the pipes open, or run on.
    let status = end(&mut child);
    if is_too_much.load(Ordering::Relaxed) {
        return Ended::TooMuch;
    }
    let Some(status) = status.filter(|_| !is_late) else { return Ended::Late };
    // What has left the group may hold the pipes for as long as it likes.
    let rest = || until.saturating_duration_since(Instant::now()).max(NAP);
    match (printed.recv_timeout(rest()), said.recv_timeout(rest())) {
        _ if is_too_much.load(Ordering::Relaxed) => Ended::TooMuch,
        (Ok(printed), Ok(_)) if status.success() => Ended::Well(printed),
        (_, Ok(said)) if !status.success() => Ended::Badly(status, said),
        _ => Ended::Late,
    }
}

/// What a thread of its own comes to.
fn apart<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> io::Result<Receiver<T>> {
    let (sender, receiver) = mpsc::channel();
    thread::Builder::new().spawn(move || _ = sender.send(work()))?;
    Ok(receiver)
}

/// What is printed, as far as it is taken. What cannot be read is the end.
fn printed(pipe: impl Read, limit: usize, is_too_much: &AtomicBool) -> Vec<u8> {
    let mut bytes = Vec::new();
    let _ = pipe.take((limit as u64).saturating_add(1)).read_to_end(&mut bytes);
    is_too_much.store(bytes.len() > limit, Ordering::Relaxed);
    bytes
}

/// The end of what is said.
fn said(mut pipe: impl Read) -> Vec<u8> {
    let mut kept = Vec::new();
    let mut bytes = [0; 4096];
    loop {
        match pipe.read(&mut bytes) {
            Ok(0) => break,
            Ok(count) => kept.extend_from_slice(bytes.get(..count).unwrap_or_default()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => break,
        }
        if kept.len() > 2 * SAID {
            kept.drain(..kept.len() - SAID);
        }
    }
    kept.drain(..kept.len().saturating_sub(SAID));
    kept
}

/// Whether a program has ended. It is not waited for yet, so that nothing else gets its number.
#[cfg(unix)]
fn has_ended(child: &mut Child) -> bool {
    use rustix::process::{WaitId, WaitIdOptions, waitid};
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
    // If that cannot be asked, there is nothing that could be waited for.
    group(child).is_none_or(|id| waitid(WaitId::Pid(id), options).is_ok_and(|status| status.is_some()))
}

#[cfg(not(unix))]
fn has_ended(child: &mut Child) -> bool {
    matches!(child.try_wait(), Ok(Some(_)))
}

/// Ends a program with all of its group, and says how it ended.
fn end(child: &mut Child) -> Option<ExitStatus> {
    #[cfg(unix)]
    if let Some(id) = group(child) {
        let _ = rustix::process::kill_process_group(id, rustix::process::Signal::KILL);
    }
    #[cfg(not(unix))]
    let _ = child.kill();
    child.wait().ok()
}

#[cfg(unix)]
fn group(child: &Child) -> Option<rustix::process::Pid> {
    rustix::process::Pid::from_raw(i32::try_from(child.id()).ok()?)
}
