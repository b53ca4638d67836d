//! The exports of `wit/provider.wit` as wasmtime sees them. Generated; everything else in this crate uses the plain types
//! of its own modules, because these derive a `Debug` that would show secrets.
//!
//! The imports are left out on purpose: wasmtime's own crates bind them, and `component` links them one by one.

wasmtime::component::bindgen!({
    inline: "
        package keyless:host;
        world provider {
            export keyless:credentials/credential-provider@0.1.0;
        }
    ",
    path: "wit",
    world: "keyless:host/provider",
    exports: { default: async },
});

/// The component of the source `custom`: `wit/source.wit`.
pub(crate) mod source {
    wasmtime::component::bindgen!({
        inline: "
            package keyless:host;
            world source {
                export keyless:credentials/subject-token-source@0.1.0;
            }
        ",
        path: "wit",
        world: "keyless:host/source",
        exports: { default: async },
    });
}

pub(crate) use exports::keyless::credentials::credential_provider::Status;
// `self::`, because rustdoc also knows a crate of that name: this one.
pub(crate) use self::keyless::credentials::types::{
    Account, AccountStanding, ConnectionPlan, Credential, Endpoint, Error, Header, Prune, SourceComponent,
    Warning,
};
