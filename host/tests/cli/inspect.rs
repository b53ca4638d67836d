//! `keyless inspect`, and running another component.

use crate::harness::{Scratch, keyless};

#[test]
fn what_the_built_in_component_is() {
    let info = keyless(["inspect", "--json"]).json();
    assert_eq!(info["sha256"].as_str().unwrap().len(), 64);
    assert!(info["size"].as_u64().unwrap() > 10_000);
    let imports: Vec<_> =
        info["imports"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
    assert!(imports.contains(&"wasi:http/outgoing-handler@0.2.0"), "{imports:?}");
    assert!(!imports.iter().any(|name| name.contains("sockets") || name.contains("cli")), "{imports:?}");
    assert_eq!(info["exports"][0], "keyless:credentials/credential-provider@0.1.0");

    let text = keyless(["inspect"]).success();
    assert!(text.starts_with("component  built in\nsha256     "), "{text}");
    assert!(text.contains(info["sha256"].as_str().unwrap()) && text.contains("\nimports\n"), "{text}");
}

#[test]
fn what_is_no_component_is_refused() {
    let scratch = Scratch::new();
    scratch.file("not.wasm", "text");
    scratch.keyless(["inspect", "--component", "not.wasm"]).outcome().failure(2, "component-invalid");
    scratch
        .keyless(["inspect"])
        .env("KEYLESS_COMPONENT", "none.wasm")
        .outcome()
        .failure(2, "component-unreadable");
}

#[test]
fn a_component_that_wants_more_is_not_granted_it() {
    let scratch = Scratch::new();
    scratch.file("greedy.wat", r#"(component (import "wasi:sockets/tcp@0.2.0" (instance)))"#);
    let outcome = scratch.keyless(["inspect", "--component", "greedy.wat"]).outcome();
    // The text format is read only if this build of wasmtime knows it; the binary form of the same is below.
    assert_ne!(outcome.code, 0, "{outcome:?}");
    let mut binary = b"\0asm\x0d\0\x01\0".to_vec();
    binary.extend(b"\x07\x03\x01\x42\x00"); // types: one empty instance type
    let name = b"wasi:sockets/tcp@0.2.0";
    binary.extend([0x0a, u8::try_from(name.len() + 5).unwrap(), 1, 0, u8::try_from(name.len()).unwrap()]);
    binary.extend(name);
    binary.extend([5, 0]); // import: instance of type 0
    scratch.file("greedy.wasm", binary);
    scratch
        .keyless(["inspect", "--component", "greedy.wasm"])
        .outcome()
        .failure(3, "component-import-denied")
        .says("wasi:sockets/tcp@0.2.0");
}

#[test]
fn the_cache_is_where_it_is_told() {
    let scratch = Scratch::new();
    scratch.keyless(["inspect", "--cache-dir", "cache"]).outcome().success();
    assert!(scratch.path().join("cache").read_dir().unwrap().next().is_some());

    let empty = Scratch::new();
    empty.keyless(["inspect", "--no-cache", "--cache-dir", "cache"]).outcome().success();
    assert_eq!(empty.path().read_dir().unwrap().count(), 0);
    empty
        .keyless(["inspect"])
        .env("KEYLESS_NO_CACHE", "1")
        .env("KEYLESS_CACHE_DIR", "cache")
        .outcome()
        .success();
    assert_eq!(empty.path().read_dir().unwrap().count(), 0);

    empty.file("file", "");
    empty
        .keyless(["inspect", "--cache-dir", "file"])
        .outcome()
        .failure(2, "cache-directory")
        .says("--no-cache");
}
