//! The types and calls of `wit/machine.wit`, generated.

#![expect(missing_docs, reason = "generated")]

wasmtime::component::bindgen!({
    inline: "package keyless:small; world loaded { export keyless:credentials/machine@0.1.0; }",
    path: "../../../wit",
    world: "keyless:small/loaded",
});
