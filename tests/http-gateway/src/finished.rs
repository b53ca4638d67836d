//! The finished gateway: its authority is its import list, so the list is pinned.

use keyless_http_gateway::{HTTP_GATEWAY, HTTP_GATEWAY_ALONE};
use wasmtime::Engine;
use wasmtime::component::Component;

/// All of the authority: that of the provider, and the environment.
const IMPORTS: [&str; 10] = [
    "wasi:cli/environment@0.2.0",
    "wasi:clocks/monotonic-clock@0.2.0",
    "wasi:clocks/wall-clock@0.2.0",
    "wasi:filesystem/preopens@0.2.0",
    "wasi:filesystem/types@0.2.0",
    "wasi:http/outgoing-handler@0.2.0",
    "wasi:http/types@0.2.0",
    "wasi:io/error@0.2.0",
    "wasi:io/poll@0.2.0",
    "wasi:io/streams@0.2.0",
];

/// Records and errors only, no functions: the component model lists it among the imports of whatever uses it.
const TYPES: &str = "keyless:credentials/types@0.1.0";

/// What the gateway brings along, before it is composed.
const ALONE: [&str; 8] = [
    "keyless:credentials/credential-provider@0.1.0",
    "wasi:cli/environment@0.2.0",
    "wasi:clocks/monotonic-clock@0.2.0",
    "wasi:http/outgoing-handler@0.2.0",
    "wasi:http/types@0.2.0",
    "wasi:io/error@0.2.0",
    "wasi:io/poll@0.2.0",
    "wasi:io/streams@0.2.0",
];

const EXPORTS: [&str; 1] = ["wasi:http/incoming-handler@0.2.0"];

#[test]
fn it_imports_and_exports_exactly_its_world() {
    let engine = Engine::default();
    for (bytes, imports) in [(HTTP_GATEWAY, IMPORTS.as_slice()), (HTTP_GATEWAY_ALONE, ALONE.as_slice())] {
        let component = Component::from_binary(&engine, bytes).unwrap();
        let kind = component.component_type();
        assert_eq!(names(kind.imports(&engine).map(|(name, _)| name)), imports);
        assert_eq!(names(kind.exports(&engine).map(|(name, _)| name)), EXPORTS);
    }
}

fn names<'n>(all: impl Iterator<Item = &'n str>) -> Vec<&'n str> {
    let mut names: Vec<_> = all.filter(|name| *name != TYPES).collect();
    names.sort_unstable();
    names
}

#[test]
fn it_is_small() {
    for (bytes, largest) in [(HTTP_GATEWAY, 409_000), (HTTP_GATEWAY_ALONE, 102_000)] {
        assert!(bytes.len() <= largest, "{} bytes, more than {largest}", bytes.len());
    }
}

#[test]
fn it_names_no_place_of_the_machine_that_built_it() {
    for place in ["/root", "/home/", "/Users/", ".cargo/registry", ".rustup/"] {
        let at = HTTP_GATEWAY.windows(place.len()).position(|window| window == place.as_bytes());
        let context =
            at.map(|at| String::from_utf8_lossy(&HTTP_GATEWAY[at..HTTP_GATEWAY.len().min(at + 100)]));
        assert!(context.is_none(), "{context:?}");
    }
}
