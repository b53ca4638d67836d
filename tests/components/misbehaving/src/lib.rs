//! Does what its audience says, none of it what a source should do.

#![cfg(target_arch = "wasm32")]

use wasi::cli::environment::get_environment;
use wasi::clocks::monotonic_clock;
use wasi::filesystem::preopens::get_directories;

#[expect(unsafe_code, reason = "generated")]
#[allow(missing_docs, reason = "generated")]
mod bindings {
    wit_bindgen::generate!({
        inline: "
            package keyless:credentials@0.1.0;

            interface subject-token-source {
              token: func(audience: option<string>) -> result<string, string>;
            }

            world source {
              export subject-token-source;
            }
        ",
    });

    export!(Misbehaving with_types_in self);

    use super::Misbehaving;
}

struct Misbehaving;

impl bindings::exports::keyless::credentials::subject_token_source::Guest for Misbehaving {
    fn token(audience: Option<String>) -> Result<String, String> {
        match audience.as_deref() {
            Some("trap") => core::arch::wasm32::unreachable(),
            Some("loop") => loop {
                std::hint::spin_loop();
            },
            Some("memory") => Ok("x".repeat(64 << 20)),
            Some("long") => Ok("x".repeat(1 << 20)),
            Some("wait") => {
                monotonic_clock::subscribe_duration(3_600_000_000_000).block();
                Ok(String::new())
            }
            Some("look") => {
                let directories: Vec<_> = get_directories().into_iter().map(|(_, name)| name).collect();
                Err(format!("it sees {directories:?} and {:?}", get_environment()))
            }
            other => Err(format!("out of order\n{other:?}")),
        }
    }
}
