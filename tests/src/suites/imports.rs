//! The finished component: its authority is its import list, so the list is pinned.

use wasmtime::Engine;
use wasmtime::component::Component;

use crate::hosts::component::file;

/// All of the authority.
const IMPORTS: [&str; 9] = [
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

/// Records and errors only, no functions: the component model lists it among the imports of whatever exports it.
const TYPES: &str = "keyless:credentials/types@0.1.0";

const EXPORTS: [&str; 1] = ["keyless:credentials/credential-provider@0.1.0"];

/// In bytes.
const LARGEST: usize = 290_000;

fn names<'n>(all: impl Iterator<Item = &'n str>) -> Vec<&'n str> {
    let mut names: Vec<_> = all.filter(|name| *name != TYPES).collect();
    names.sort_unstable();
    names
}

#[test]
fn the_component_imports_and_exports_exactly_its_world() {
    let engine = Engine::default();
    let component = Component::from_binary(&engine, file::bytes()).unwrap();
    let kind = component.component_type();
    assert_eq!(names(kind.imports(&engine).map(|(name, _)| name)), IMPORTS);
    assert_eq!(names(kind.exports(&engine).map(|(name, _)| name)), EXPORTS);
}

#[test]
fn the_component_is_small() {
    let size = file::bytes().len();
    assert!(size <= LARGEST, "{size} bytes, more than {LARGEST}");
}

#[test]
fn the_component_names_no_place_of_the_machine_that_built_it() {
    let bytes = file::bytes();
    for place in ["/root", "/home/", "/Users/", ".cargo/registry", ".rustup/"] {
        let at = bytes.windows(place.len()).position(|window| window == place.as_bytes());
        let context = at.map(|at| String::from_utf8_lossy(&bytes[at..bytes.len().min(at + 100)]));
        assert!(context.is_none(), "{context:?}");
    }
}
