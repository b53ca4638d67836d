//! An instance of a prepared component, made and dropped, with the library's own settings.

use std::pin::pin;
use std::task::{Context, Poll, Waker};

use wasmtime::component::{Component, Linker};
use wasmtime::{Engine, Store};

use crate::measure::median;

#[path = "../../../host/src/compiled/settings.rs"]
mod settings;

use settings::{Haste, settings};

/// As the library's default.
const MEMORY: usize = 16 << 20;

/// A component with one core instance, which has one memory, as large as ours begins with, and nothing else.
const EMPTY: &[u8] = b"\0asm\x0d\0\x01\0\x01\x0d\0asm\x01\0\0\0\x05\x03\x01\0\x11\x02\x04\x01\0\0\0";

pub(crate) fn ours() -> f64 {
    instance(keyless_artifact::CREDENTIAL_PROVIDER)
}

/// What wasmtime takes where there is nothing to do.
pub(crate) fn empty() -> f64 {
    instance(EMPTY)
}

fn instance(component: &[u8]) -> f64 {
    let engine = Engine::new(&settings(MEMORY, Haste::Running)).expect("an engine");
    let component = Component::from_binary(&engine, component).expect("a component");
    let mut linker = Linker::<()>::new(&engine);
    // No import is called before an export is.
    linker.define_unknown_imports_as_traps(&component).expect("imports");
    let prepared = linker.instantiate_pre(&component).expect("all imports");
    median(|| {
        let mut store = Store::new(&engine, ());
        store.set_epoch_deadline(1);
        let instance = pin!(prepared.instantiate_async(&mut store));
        match instance.poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(instance) => instance.expect("an instance"),
            Poll::Pending => panic!("it waits for nothing"),
        }
    })
}
