//! Keyless inside Envoy: the engine as an HTTP filter for proxy-wasm, in the listener's filter chain or in a cluster's.
//!
//! ```text
//!  request ──▶ on_request_headers ── a credential is held: set it, go on            (nothing else happens here)
//!                     │ none
//!                     ▼
//!                  waiting ◀──resume── plugin ──▶ engine ──effects──▶ calls ──▶ clusters of Envoy
//!                                        │ ▲
//!                                        ▼ │   one leader makes the exchange, all others look
//!                                      shared ◀──▶ the other workers
//! ```
//!
//! All policy is in the engine. What is here reads the plugin's configuration ([`settings`], [`clusters`]), turns effects
//! into calls ([`calls`]), and lets the workers of one Envoy, each with a memory of its own, share one lease ([`shared`],
//! [`plugin`]).

#![cfg_attr(target_arch = "wasm32", no_std)]

#[macro_use]
extern crate alloc;

#[expect(unsafe_code, reason = "names that Envoy looks for must not be mangled")]
mod callbacks;
mod calls;
mod clusters;
#[expect(unsafe_code, reason = "the ABI is pointers and numbers; each block says why it is sound")]
mod host;
#[expect(unsafe_code, reason = "a global value; it says why it is sound")]
mod instance;
mod metrics;
mod plugin;
mod plugins;
mod protobuf;
mod ready;
mod reply;
#[expect(unsafe_code, reason = "a global value that the host writes to; it says why it is sound")]
mod room;
mod service;
mod settings;
mod shared;
mod waiting;

/// Without std: a panic is a trap, after which Envoy makes a new instance (`FAIL_RELOAD`).
#[cfg(target_arch = "wasm32")]
mod alone {
    #[global_allocator]
    static ALLOCATOR: rlsf::SmallGlobalTlsf = rlsf::SmallGlobalTlsf::new();

    #[panic_handler]
    fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
        core::arch::wasm32::unreachable()
    }
}
