//! The `wapc` imports, as the `wapc` crate's host answers them, with every pointer checked.

use wasmtime::{Caller, Linker, Result};

use crate::guest::{address, split};
use crate::state::State;
use crate::{CallError, Limits};

/// The import module's name.
pub(crate) const MODULE: &str = "wapc";

/// Defines the nine functions.
///
/// # Errors
/// A name that is already defined.
pub(crate) fn define(linker: &mut Linker<State>) -> Result<()> {
    linker.func_wrap(MODULE, "__guest_request", guest_request)?;
    linker.func_wrap(MODULE, "__guest_response", guest_response)?;
    linker.func_wrap(MODULE, "__guest_error", guest_error)?;
    linker.func_wrap(MODULE, "__host_call", host_call)?;
    linker.func_wrap(MODULE, "__host_response_len", |caller: Caller<'_, State>| {
        length(caller.data().host_response.as_deref().unwrap_or_default())
    })?;
    linker.func_wrap(MODULE, "__host_response", |mut caller: Caller<'_, State>, pointer: i32| -> Result<()> {
        let (mut guest, state) = split(&mut caller, "__host_response")?;
        Ok(guest.write(pointer, state.host_response.as_deref().unwrap_or_default())?)
    })?;
    linker.func_wrap(MODULE, "__host_error_len", |caller: Caller<'_, State>| {
        length(caller.data().host_error.as_deref().unwrap_or_default().as_bytes())
    })?;
    linker.func_wrap(MODULE, "__host_error", |mut caller: Caller<'_, State>, pointer: i32| -> Result<()> {
        let (mut guest, state) = split(&mut caller, "__host_error")?;
        Ok(guest.write(pointer, state.host_error.as_deref().unwrap_or_default().as_bytes())?)
    })?;
    linker.func_wrap(MODULE, "__console_log", console_log)?;
    Ok(())
}

/// A length as the guest reads it. What is longer than an address space never gets here: answers are bounded by [`Limits`].
fn length(bytes: &[u8]) -> i32 {
    u32::try_from(bytes.len()).unwrap_or(u32::MAX).cast_signed()
}

fn guest_request(mut caller: Caller<'_, State>, operation: i32, payload: i32) -> Result<()> {
    let (mut guest, state) = split(&mut caller, "__guest_request")?;
    let written = state.loan.with(|lent| {
        guest.write(payload, lent.payload)?;
        guest.write(operation, lent.operation.as_bytes())
    });
    Ok(written.unwrap_or(Ok(()))?)
}

fn guest_response(mut caller: Caller<'_, State>, pointer: i32, length: i32) -> Result<()> {
    let (guest, state) = split(&mut caller, "__guest_response")?;
    let limit = state.limits.response_bytes;
    if address(length) > limit {
        return Err(CallError::ResponseTooLarge { limit }.into());
    }
    let bytes = guest.read(pointer, length)?;
    state.response.clear();
    state.response.extend_from_slice(bytes);
    state.responded = true;
    Ok(())
}

fn guest_error(mut caller: Caller<'_, State>, pointer: i32, length: i32) -> Result<()> {
    let (guest, state) = split(&mut caller, "__guest_error")?;
    let limit = state.limits.response_bytes;
    if address(length) > limit {
        return Err(CallError::ResponseTooLarge { limit }.into());
    }
    state.guest_error = Some(guest.text(pointer, length)?.to_owned());
    Ok(())
}

fn console_log(mut caller: Caller<'_, State>, pointer: i32, length: i32) -> Result<()> {
    let (guest, state) = split(&mut caller, "__console_log")?;
    let limit = state.limits.log_bytes;
    if address(length) > limit {
        return Err(CallError::LogBytes { limit }.into());
    }
    // A log line with a broken character is still worth reading.
    let text = String::from_utf8_lossy(guest.read(pointer, length)?);
    Ok(state.log(&text)?)
}

/// Answers 1 if the host call has a response, 0 if it has an error.
#[expect(clippy::too_many_arguments, reason = "the signature is waPC's")]
fn host_call(
    mut caller: Caller<'_, State>,
    binding: i32,
    binding_length: i32,
    namespace: i32,
    namespace_length: i32,
    operation: i32,
    operation_length: i32,
    payload: i32,
    payload_length: i32,
) -> Result<i32> {
    let (guest, state) = split(&mut caller, "__host_call")?;
    let Limits { host_calls, host_request_bytes, host_response_bytes, .. } = state.limits;
    state.host_response = None;
    state.host_error = None;

    state.stats.host_calls = state.stats.host_calls.saturating_add(1);
    if state.stats.host_calls > host_calls {
        return Err(CallError::HostCalls { limit: host_calls }.into());
    }
    let size = [binding_length, namespace_length, operation_length, payload_length].into_iter().map(address).fold(0, usize::saturating_add);
    if size > host_request_bytes {
        return Err(CallError::HostRequestTooLarge { limit: host_request_bytes }.into());
    }
    state.stats.host_request_bytes = state.stats.host_request_bytes.saturating_add(size as u64);

    let binding = guest.text(binding, binding_length)?;
    let namespace = guest.text(namespace, namespace_length)?;
    let operation = guest.text(operation, operation_length)?;
    let payload = guest.read(payload, payload_length)?;
    let answer = state.loan.with(|lent| lent.host.call(binding, namespace, operation, payload));
    match answer.unwrap_or_else(|| Err("no call is running".into())) {
        Ok(response) if response.len() > host_response_bytes => Err(CallError::HostResponseTooLarge { limit: host_response_bytes }.into()),
        Ok(response) => {
            state.stats.host_response_bytes = state.stats.host_response_bytes.saturating_add(response.len() as u64);
            state.host_response = Some(response);
            Ok(1)
        }
        Err(text) => {
            state.host_error = Some(text);
            Ok(0)
        }
    }
}
