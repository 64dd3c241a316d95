//! Waiting, which must not outlast the deadline.

use std::time::{Duration, Instant};

use wasmtime::{Caller, Result};

use super::{BAD_DESCRIPTOR, INVALID, MAX_VECTORS, SUCCESS, number};
use crate::guest::{address, split};
use crate::state::State;

/// The size of a `subscription`, and of an `event`.
const SUBSCRIPTION: usize = 48;
const EVENT: usize = 32;

/// Waits for the first of the clocks. The standard streams are always ready, so that with one of them there is no wait. A wait that
/// would pass the deadline ends there, with the deadline's error.
pub(super) fn poll_oneoff(mut caller: Caller<'_, State>, subscriptions: i32, events: i32, count: i32, written: i32) -> Result<i32> {
    let (mut guest, state) = split(&mut caller, "poll_oneoff")?;
    if !(1..=MAX_VECTORS).contains(&address(count)) {
        return Ok(INVALID);
    }
    let mut ready: Vec<[u8; EVENT]> = Vec::new();
    let mut waits: Vec<(Duration, [u8; EVENT])> = Vec::new();
    for subscription in guest.read(subscriptions, count.saturating_mul(SUBSCRIPTION as i32))?.chunks_exact(SUBSCRIPTION) {
        match wait(subscription, state) {
            (None, event) => ready.push(event),
            (Some(time), event) => waits.push((time, event)),
        }
    }
    if let (true, Some(shortest)) = (ready.is_empty(), waits.iter().map(|(time, _)| *time).min()) {
        let left = state.deadline.saturating_duration_since(Instant::now());
        state.wasi.sleep(shortest.min(left));
        if shortest >= left {
            return Err(state.out_of_time().into());
        }
        ready.extend(waits.into_iter().filter(|(time, _)| *time <= shortest).map(|(_, event)| event));
    }
    guest.write(events, ready.as_flattened())?;
    guest.write(written, &u32::try_from(ready.len()).unwrap_or(u32::MAX).to_le_bytes())?;
    Ok(SUCCESS)
}

/// How long until a subscription's event, nothing if it is ready now, and the event.
fn wait(subscription: &[u8], state: &mut State) -> (Option<Duration>, [u8; EVENT]) {
    const CLOCK: u8 = 0;
    const READ: u8 = 1;
    const WRITE: u8 = 2;
    const ABSOLUTE: i32 = 1;
    let kind = subscription.get(8).copied().unwrap_or(u8::MAX);
    // Offsets 16 on: a descriptor; or a clock's number, time, precision and flags.
    let subject = number(subscription, 16);
    let now = state.wasi.now(subject);
    let (wait, error) = match (kind, now) {
        (CLOCK, Some(now)) => {
            let low = u64::from(number(subscription, 24).cast_unsigned());
            let time = low | u64::from(number(subscription, 28).cast_unsigned()) << 32;
            let absolute = number(subscription, 40) & ABSOLUTE != 0;
            (Some(Duration::from_nanos(if absolute { time.saturating_sub(now) } else { time })), SUCCESS)
        }
        (CLOCK, None) => (None, INVALID),
        (READ, _) if subject == 0 => (None, SUCCESS),
        (WRITE, _) if subject == 1 || subject == 2 => (None, SUCCESS),
        (READ | WRITE, _) => (None, BAD_DESCRIPTOR),
        _ => (None, INVALID),
    };
    let mut event = [0; EVENT];
    for (place, byte) in event.iter_mut().zip(subscription.iter().take(8)) {
        *place = *byte;
    }
    event[8..10].copy_from_slice(&(error as u16).to_le_bytes());
    event[10] = kind;
    (wait, event)
}
