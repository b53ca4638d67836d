//! The one value that lives from callback to callback.

use core::cell::RefCell;

use crate::plugins::Plugins;

struct Instance(RefCell<Plugins>);

// SAFETY: a WebAssembly module without the threads proposal, as this one is built and as every host of this ABI runs it,
// has one thread: nothing is ever shared between two. Built for anything else, it is only compiled, never run.
unsafe impl Sync for Instance {}

static INSTANCE: Instance = Instance(RefCell::new(Plugins::new()));

/// Gives it to `act`. `busy` is for a callback within a callback, which hosts of this ABI do not make.
#[inline]
pub(crate) fn with<T>(busy: T, act: impl FnOnce(&mut Plugins) -> T) -> T {
    match INSTANCE.0.try_borrow_mut() {
        Ok(mut plugins) => act(&mut plugins),
        Err(_) => busy,
    }
}
