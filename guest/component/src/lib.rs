//! Keyless as a WASI 0.2 component: `wit/provider.wit` on the outside, the engine on the inside.
//!
//! All policy is in the engine. What is here turns its effects into calls of its imports ([`files`], [`requests`],
//! [`source`]), its types into the contract's ([`convert`]), and lets a renewal go on between calls ([`driver`]): a request
//! that was started belongs to the host and proceeds while nobody is in the guest, so no call has to wait for it.

#![cfg_attr(target_arch = "wasm32", no_std)]

#[cfg_attr(target_arch = "wasm32", macro_use)]
extern crate alloc;

mod convert;
mod driver;
mod files;
mod requests;
mod source;

use alloc::string::String;
use alloc::vec::Vec;
use core::cell::RefCell;

use keyless_engine::{Machine, Variables};

use bindings::exports::keyless::credentials::credential_provider::{
    Connection as ConnectionHandle, ConnectionPlan, Credential, Error, Guest, GuestConnection, Status,
};
use driver::Driver;

#[expect(unsafe_code, reason = "generated")]
mod bindings {
    /// The two worlds differ in one import.
    macro_rules! bind {
        ($world:literal, $($feature:literal),*) => {
            wit_bindgen::generate!({
                path: "../../wit",
                world: $world,
                features: [$($feature),*],
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

    #[cfg(not(feature = "custom-source"))]
    bind!("provider",);
    #[cfg(feature = "custom-source")]
    bind!("provider-with-source", "custom-source");

    export!(Provider with_types_in self);

    use super::Provider;
}

/// Without std, because std's panics bring their messages along, and nobody would read them: a panic is a trap, and the
/// host replaces the instance. It makes the component a tenth smaller.
#[cfg(target_arch = "wasm32")]
mod alone {
    #[global_allocator]
    static ALLOCATOR: dlmalloc::GlobalDlmalloc = dlmalloc::GlobalDlmalloc;

    #[panic_handler]
    fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
        core::arch::wasm32::unreachable()
    }
}

struct Provider;

impl Guest for Provider {
    type Connection = Connection;

    fn variables(document: String) -> Result<Vec<String>, Error> {
        let document = convert::Wiped::new(document);
        keyless_engine::variables(&document).map_err(convert::error)
    }

    fn plan(document: String, variables: Vec<(String, String)>) -> Result<ConnectionPlan, Error> {
        let document = convert::Wiped::new(document);
        let variables = Variables::from_iter(variables);
        keyless_engine::plan(&document, &variables).map(convert::plan).map_err(convert::error)
    }
}

struct Connection(RefCell<Driver>);

impl GuestConnection for Connection {
    fn open(document: String, variables: Vec<(String, String)>) -> Result<ConnectionHandle, Error> {
        let document = convert::Wiped::new(document);
        let machine = Machine::open(&document, &Variables::from_iter(variables)).map_err(convert::error)?;
        Ok(ConnectionHandle::new(Self(RefCell::new(Driver::new(machine)))))
    }

    fn credential(&self) -> Result<Credential, Error> {
        self.0.borrow_mut().credential()
    }

    fn renew(&self) -> Result<Credential, Error> {
        self.0.borrow_mut().renew()
    }

    fn reject(&self, generation: u64) {
        self.0.borrow_mut().reject(generation);
    }

    fn status(&self) -> Status {
        self.0.borrow().status()
    }

    fn close(connection: ConnectionHandle) -> Result<(), Error> {
        // No exchange of today mints anything that outlives its token: dropping the connection is all there is to it.
        drop(connection);
        Ok(())
    }
}
