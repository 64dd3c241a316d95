//! What a call lends to the guest's imports, for exactly as long as guest code runs.
//!
//! A Wasmtime store owns its data and asks for `'static`, but a payload and a [`HostCalls`] are borrowed for one call. Copying the
//! first would be a waste and owning the second would push reference counting on every caller, so the borrow's lifetime is erased
//! here, in the only place that can set the pointer, and the pointer is gone before the borrow ends.

use std::marker::PhantomData;
use std::ptr::NonNull;

use wasmtime::Store;

use crate::HostCalls;
use crate::state::State;

/// One call's borrowed parts.
pub(crate) struct Lent<'a> {
    pub(crate) operation: &'a str,
    pub(crate) payload: &'a [u8],
    pub(crate) host: &'a mut dyn HostCalls,
}

/// A place for what is lent; empty outside a call.
#[derive(Default)]
pub(crate) struct Loan(Option<NonNull<Lent<'static>>>);

#[expect(unsafe_code, reason = "the pointer inside is only ever set while a `Lending` borrows the store that holds it")]
// SAFETY: a store moves to another thread only when no `Lending` borrows it, and then the pointer is `None`.
unsafe impl Send for Loan {}

impl Loan {
    /// Hands what is lent to `act`; `None` if no call is running.
    pub(crate) fn with<R>(&mut self, act: impl FnOnce(&mut Lent<'_>) -> R) -> Option<R> {
        let mut pointer = self.0?;
        #[expect(unsafe_code, reason = "the lifetime was erased in `Lending::new`")]
        // SAFETY: the pointer is set only between `Lending::new` and its drop, while the `Lending` holds the exclusive borrow that
        // the pointer was made from, so it is valid and nobody else reads it; `&mut self` keeps this the only reference made from
        // it. `act` must work for every lifetime and so cannot keep anything.
        let lent = unsafe { pointer.as_mut() };
        Some(act(lent))
    }
}

/// A store with something lent to it. Dropping it takes the loan back, during unwinding too.
pub(crate) struct Lending<'s, 'l> {
    store: &'s mut Store<State>,
    lent: PhantomData<&'l mut Lent<'l>>,
}

impl<'s, 'l> Lending<'s, 'l> {
    pub(crate) fn new(store: &'s mut Store<State>, lent: &'l mut Lent<'_>) -> Self {
        store.data_mut().loan = Loan(Some(NonNull::from(lent).cast()));
        Self { store, lent: PhantomData }
    }

    pub(crate) fn store(&mut self) -> &mut Store<State> {
        self.store
    }
}

impl Drop for Lending<'_, '_> {
    fn drop(&mut self) {
        self.store.data_mut().loan = Loan(None);
    }
}
