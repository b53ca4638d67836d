//! The exports of `wit/async/provider.wit` as wasmtime sees them. Its imports are bound by wasmtime's own crates.

wasmtime::component::bindgen!({
    inline: "
        package keyless:host;
        world provider {
            export keyless:credentials-async/credential-provider@0.1.0;
        }
    ",
    path: "../../wit/async",
    world: "keyless:host/provider",
    exports: { default: async | store },
});

pub(crate) use self::exports::keyless::credentials_async::credential_provider::{
    ConnectionPlan, Credential, Error, Status,
};
pub(crate) use self::keyless::credentials::types::{Phase, Problem};
