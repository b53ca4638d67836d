//! Keyless as a component: a world of `wit/` on the outside, the engine on the inside.
//!
//! All policy is in the engine. What is here turns its types into the contract's ([`convert`]) and its effects into what the
//! world has for them. In the worlds with WASI 0.2 (`wasi_02`) that is calls of the imports, and a renewal goes on between
//! calls: a request that was started belongs to the host and proceeds while nobody is in the guest, so no call has to wait for
//! it. In the world with WASI 0.3 (`wasi_03`) calls overlap, and one task works for all of them. In the world without imports
//! (`machine`) effects are handed to the host as they are.

#![cfg_attr(target_arch = "wasm32", no_std)]

extern crate alloc;

#[cfg(target_arch = "wasm32")]
mod allocator;
mod convert;
#[cfg(not(feature = "machine"))]
mod faults;
#[cfg(feature = "machine")]
mod machine;
#[cfg(not(feature = "machine"))]
mod target;
#[cfg(not(any(feature = "machine", feature = "wasi-03")))]
mod wasi_02;
#[cfg(all(feature = "wasi-03", not(feature = "machine")))]
mod wasi_03;

/// WASI at the level of the world.
#[cfg(not(any(feature = "machine", feature = "wasi-03")))]
use ::wasi;
#[cfg(all(feature = "wasi-03", not(feature = "machine")))]
use bindings::wasi;

/// Nothing here has constructors that would have to run before the first call, so no call asks whether they did.
#[expect(unsafe_code, reason = "generated")]
mod bindings {
    /// The two worlds differ in one import.
    #[cfg(not(any(feature = "machine", feature = "wasi-03")))]
    macro_rules! bind {
        ($world:literal, $($feature:literal),*) => {
            wit_bindgen::generate!({
                path: "../../wit",
                world: $world,
                features: [$($feature),*],
                disable_run_ctors_once_workaround: true,
                with: {
                    "wasi:clocks/monotonic-clock@0.2.0": wasi::clocks::monotonic_clock,
                    "wasi:clocks/wall-clock@0.2.0": wasi::clocks::wall_clock,
                    "wasi:filesystem/preopens@0.2.0": wasi::filesystem::preopens,
                    "wasi:filesystem/types@0.2.0": wasi::filesystem::types,
                    "wasi:http/outgoing-handler@0.2.0": wasi::http::outgoing_handler,
                    "wasi:http/types@0.2.0": wasi::http::types,
                    "wasi:io/error@0.2.0": wasi::io::error,
                    "wasi:io/poll@0.2.0": wasi::io::poll,
                    "wasi:io/streams@0.2.0": wasi::io::streams,
                },
            });
        };
    }

    #[cfg(not(any(feature = "custom-source", feature = "machine", feature = "wasi-03")))]
    bind!("provider",);
    #[cfg(all(feature = "custom-source", not(any(feature = "machine", feature = "wasi-03"))))]
    bind!("provider-with-source", "custom-source");
    #[cfg(feature = "machine")]
    wit_bindgen::generate!({
        path: "../../wit",
        world: "machine-only",
        features: ["machine"],
        disable_run_ctors_once_workaround: true,
    });
    #[cfg(all(feature = "wasi-03", not(feature = "machine")))]
    wit_bindgen::generate!({
        path: "../../wit/async",
        world: "provider",
        features: ["async-provider"],
        generate_all,
        disable_run_ctors_once_workaround: true,
    });

    export!(Exported with_types_in self);

    use super::Exported;
}

/// What exports the interface of the world: `wasi_02`, `wasi_03` or `machine` does.
struct Exported;

/// Without std, because std's panics bring their messages along, and nobody would read them: a panic is a trap, and the
/// host replaces the instance. It makes the component a tenth smaller.
#[cfg(target_arch = "wasm32")]
mod alone {
    use crate::allocator::{Lists, Pages};

    #[global_allocator]
    static ALLOCATOR: Lists<Pages> = Lists::new(Pages::new());

    #[panic_handler]
    fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
        core::arch::wasm32::unreachable()
    }
}
