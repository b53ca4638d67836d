//! The finished components: their authority is their import lists, so the lists are pinned.

use keyless_machine::CREDENTIAL_MACHINE;
use wasmtime::Engine;
use wasmtime::component::Component;

use crate::component::file;

/// All of the authority, but for the one import that the second component has more.
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

fn names<'n>(all: impl Iterator<Item = &'n str>) -> Vec<&'n str> {
    let mut names: Vec<_> = all.filter(|name| *name != TYPES).collect();
    names.sort_unstable();
    names
}

/// The finished components: what they import beside [`IMPORTS`], and how large they may be, in bytes.
fn finished() -> [(&'static [u8], Option<&'static str>, usize); 2] {
    let source = "keyless:credentials/subject-token-source@0.1.0";
    [(file::bytes(), None, 300_000), (file::bytes_with_source(), Some(source), 301_000)]
}

#[test]
fn a_component_imports_and_exports_exactly_its_world() {
    let engine = Engine::default();
    for (bytes, source, _) in finished() {
        let component = Component::from_binary(&engine, bytes).unwrap();
        let kind = component.component_type();
        let mut expected: Vec<_> = IMPORTS.into_iter().chain(source).collect();
        expected.sort_unstable();
        assert_eq!(names(kind.imports(&engine).map(|(name, _)| name)), expected);
        assert_eq!(names(kind.exports(&engine).map(|(name, _)| name)), EXPORTS);
    }
}

#[test]
fn the_machine_imports_nothing_and_exports_itself() {
    let engine = Engine::default();
    let component = Component::from_binary(&engine, CREDENTIAL_MACHINE).unwrap();
    let kind = component.component_type();
    assert_eq!(names(kind.imports(&engine).map(|(name, _)| name)), Vec::<&str>::new());
    let exports = names(kind.exports(&engine).map(|(name, _)| name));
    assert_eq!(exports, ["keyless:credentials/machine@0.1.0"]);
}

#[test]
fn a_component_is_small() {
    let sizes = finished().map(|(bytes, _, largest)| (bytes.len(), largest));
    for (size, largest) in sizes.into_iter().chain([(CREDENTIAL_MACHINE.len(), 271_000)]) {
        assert!(size <= largest, "{size} bytes, more than {largest}");
    }
}

#[test]
fn a_component_names_no_place_of_the_machine_that_built_it() {
    for bytes in finished().map(|(bytes, ..)| bytes).into_iter().chain([CREDENTIAL_MACHINE]) {
        assert_names_no_place(bytes);
    }
}

pub(crate) fn assert_names_no_place(bytes: &[u8]) {
    for place in ["/root", "/home/", "/Users/", ".cargo/registry", ".rustup/"] {
        let at = bytes.windows(place.len()).position(|window| window == place.as_bytes());
        let context = at.map(|at| String::from_utf8_lossy(&bytes[at..bytes.len().min(at + 100)]));
        assert!(context.is_none(), "{context:?}");
    }
}
