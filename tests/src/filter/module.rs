//! The filter, compiled and linked once.

use std::borrow::Cow;
use std::sync::OnceLock;
use std::{env, fs};

use wasmtime::{Engine, InstancePre, Linker, Module};

use super::vm::Vm;
use super::{calls, wasi};
use crate::counts::fuel;

/// The finished one; or the file that `$KEYLESS_ENVOY_FILTER_FILE` names.
pub(super) fn bytes() -> &'static [u8] {
    static BYTES: OnceLock<Cow<'static, [u8]>> = OnceLock::new();
    BYTES.get_or_init(|| match env::var_os("KEYLESS_ENVOY_FILTER_FILE") {
        Some(file) => fs::read(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display())).into(),
        None => keyless_envoy_filter::ENVOY_FILTER.into(),
    })
}

pub(super) fn prepared() -> &'static InstancePre<Vm> {
    static PREPARED: OnceLock<InstancePre<Vm>> = OnceLock::new();
    PREPARED.get_or_init(|| {
        let engine = Engine::new(&fuel::counted()).unwrap();
        let module = Module::from_binary(&engine, bytes()).unwrap();
        let mut linker = Linker::new(&engine);
        calls::link(&mut linker).unwrap();
        wasi::link(&mut linker).unwrap();
        linker.instantiate_pre(&module).unwrap()
    })
}
