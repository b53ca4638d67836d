//! WebAssembly instructions, as wasmtime's fuel: one for each that a call runs, but for those that only give structure.
//! Of the same bytes and the same input it is the same number on every machine.

use wasmtime::{Config, Store};

/// More than any play takes.
const FULL: u64 = u64::MAX;

pub(crate) fn counted() -> Config {
    let mut config = Config::new();
    config.consume_fuel(true);
    config
}

pub(crate) fn filled<T>(mut store: Store<T>) -> Store<T> {
    store.set_fuel(FULL).expect("an engine that counts");
    store
}

pub(crate) fn spent<T>(store: &Store<T>) -> u64 {
    FULL - store.get_fuel().expect("an engine that counts")
}
