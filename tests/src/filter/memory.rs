//! The module's memory, from outside.

use wasmtime::{Caller, Memory, Result, ensure, format_err};

use super::vm::Vm;

/// Allocates what the host returns. It belongs to the module.
const ALLOCATE: &str = "proxy_on_memory_allocate";

fn of(caller: &mut Caller<'_, Vm>) -> Result<Memory> {
    let memory = caller.get_export("memory").and_then(wasmtime::Extern::into_memory);
    memory.ok_or_else(|| format_err!("the module exports no memory"))
}

pub(super) fn read(caller: &mut Caller<'_, Vm>, at: u32, size: u32) -> Result<Vec<u8>> {
    let mut bytes = vec![0; size as usize];
    // A pointer to nothing may be anything.
    if size > 0 {
        of(caller)?.read(&caller, at as usize, &mut bytes)?;
    }
    Ok(bytes)
}

pub(super) fn text(caller: &mut Caller<'_, Vm>, at: u32, size: u32) -> Result<String> {
    Ok(String::from_utf8(read(caller, at, size)?)?)
}

pub(super) fn write(caller: &mut Caller<'_, Vm>, at: u32, bytes: &[u8]) -> Result<()> {
    Ok(of(caller)?.write(caller, at as usize, bytes)?)
}

/// Returns a value: where it is and how long it is, at the two places that the module names. Nothing is allocated for
/// nothing.
pub(super) fn give(caller: &mut Caller<'_, Vm>, value: &[u8], pointer_at: u32, size_at: u32) -> Result<()> {
    let size = u32::try_from(value.len())?;
    let mut at = 0;
    if size > 0 {
        let allocate = caller.get_export(ALLOCATE).and_then(wasmtime::Extern::into_func);
        let allocate = allocate.ok_or_else(|| format_err!("the module exports no {ALLOCATE}"))?;
        at = allocate.typed::<u32, u32>(&caller)?.call(&mut *caller, size)?;
        // Envoy would answer the call with a failure.
        ensure!(at != 0, "the module has no room for {size} bytes");
        write(caller, at, value)?;
    }
    write(caller, pointer_at, &at.to_le_bytes())?;
    write(caller, size_at, &size.to_le_bytes())
}
