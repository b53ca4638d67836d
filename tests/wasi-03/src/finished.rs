//! The finished component: its authority is its import list, so the list is pinned.

use wasmtime::component::Component;

use crate::host::{ENGINE, linker};

const COMPONENT: &[u8] = keyless_provider_async::CREDENTIAL_PROVIDER_ASYNC;

/// All of the authority. The two `types` beside `wasi:http` and the clocks are what the others are made of.
const IMPORTS: [&str; 7] = [
    "wasi:clocks/monotonic-clock@0.3.0",
    "wasi:clocks/system-clock@0.3.0",
    "wasi:clocks/types@0.3.0",
    "wasi:filesystem/preopens@0.3.0",
    "wasi:filesystem/types@0.3.0",
    "wasi:http/client@0.3.0",
    "wasi:http/types@0.3.0",
];

/// Records and errors only, no functions: the component model lists it among the imports of whatever exports it.
const TYPES: &str = "keyless:credentials/types@0.1.0";

const EXPORTS: [&str; 1] = ["keyless:credentials-async/credential-provider@0.1.0"];

#[test]
fn it_imports_and_exports_exactly_its_world() {
    let component = Component::from_binary(&ENGINE, COMPONENT).unwrap();
    let kind = component.component_type();
    assert_eq!(names(kind.imports(&ENGINE).map(|(name, _)| name)), IMPORTS);
    assert_eq!(names(kind.exports(&ENGINE).map(|(name, _)| name)), EXPORTS);
}

#[test]
fn wasmtime_has_all_that_it_imports_at_these_types() {
    let component = Component::from_binary(&ENGINE, COMPONENT).unwrap();
    let prepared = linker().instantiate_pre(&component).unwrap();
    crate::bindings::ProviderPre::new(prepared).unwrap();
}

#[test]
fn it_is_small() {
    assert!(COMPONENT.len() <= 345_000, "{} bytes", COMPONENT.len());
}

#[test]
fn it_names_no_place_of_the_machine_that_built_it() {
    for place in ["/root", "/home/", "/Users/", ".cargo/registry", ".rustup/"] {
        assert!(!COMPONENT.windows(place.len()).any(|window| window == place.as_bytes()), "{place}");
    }
}

fn names<'n>(all: impl Iterator<Item = &'n str>) -> Vec<&'n str> {
    let mut names: Vec<_> = all.filter(|name| *name != TYPES).collect();
    names.sort_unstable();
    names
}
