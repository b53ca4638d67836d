//! What lies in the memory of this process stays there, and goes with what held it.

use std::alloc::System;

use zeroizing_alloc::ZeroAlloc;

/// Wipes whatever is freed. Our own types wipe secrets anyway; HTTP, TLS and WebAssembly libraries leave copies of them
/// in their buffers.
#[global_allocator]
static ALLOCATOR: ZeroAlloc<System> = ZeroAlloc(System);

/// No core dump of this process is written, and other processes of the same user cannot read its memory or trace it. A
/// program that is started from it is not concerned.
#[cfg(target_os = "linux")]
pub(crate) fn keep_private() {
    use rustix::process::{DumpableBehavior, set_dumpable_behavior};

    // It fails for a behaviour that does not exist, only.
    let _done = set_dumpable_behavior(DumpableBehavior::NotDumpable);
}

/// Linux alone can be asked for it.
#[cfg(not(target_os = "linux"))]
pub(crate) fn keep_private() {}
