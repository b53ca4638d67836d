//! What the filter can call of WASI preview 1: clocks, randomness and variables, as every host of proxy-wasm offers them.

use wasmtime::{Caller, Linker, Result, bail};

use super::memory;
use super::vm::Vm;

const WASI: &str = "wasi_snapshot_preview1";

const SUCCESS: u32 = 0;

pub(super) fn link(linker: &mut Linker<Vm>) -> Result<()> {
    linker.func_wrap(
        WASI,
        "clock_time_get",
        |mut vm: Caller<'_, Vm>, clock: u32, _precision: u64, at: u32| -> Result<u32> {
            let now = vm.data().process.borrow().time.now();
            let ms = match clock {
                0 => now.wall_ms,
                1 => now.monotonic_ms,
                _ => bail!("clock {clock}"),
            };
            memory::write(&mut vm, at, &(ms * 1_000_000).to_le_bytes())?;
            Ok(SUCCESS)
        },
    )?;
    linker.func_wrap(WASI, "random_get", |mut vm: Caller<'_, Vm>, at: u32, size: u32| -> Result<u32> {
        let mut bytes = Vec::new();
        while bytes.len() < size as usize {
            bytes.extend(vm.data().process.borrow_mut().random().to_le_bytes());
        }
        bytes.truncate(size as usize);
        memory::write(&mut vm, at, &bytes)?;
        Ok(SUCCESS)
    })?;
    linker.func_wrap(
        WASI,
        "environ_sizes_get",
        |mut vm: Caller<'_, Vm>, count_at: u32, size_at: u32| -> Result<u32> {
            let lines = lines(&vm);
            let size: usize = lines.iter().map(Vec::len).sum();
            memory::write(&mut vm, count_at, &u32::try_from(lines.len())?.to_le_bytes())?;
            memory::write(&mut vm, size_at, &u32::try_from(size)?.to_le_bytes())?;
            Ok(SUCCESS)
        },
    )?;
    linker.func_wrap(
        WASI,
        "environ_get",
        |mut vm: Caller<'_, Vm>, mut pointers_at: u32, mut at: u32| -> Result<u32> {
            for line in lines(&vm) {
                memory::write(&mut vm, pointers_at, &at.to_le_bytes())?;
                memory::write(&mut vm, at, &line)?;
                pointers_at += 4;
                at += u32::try_from(line.len())?;
            }
            Ok(SUCCESS)
        },
    )?;
    Ok(())
}

/// `NAME=value` and a zero.
fn lines(vm: &Caller<'_, Vm>) -> Vec<Vec<u8>> {
    let line = |(name, value): &(String, String)| format!("{name}={value}\0").into_bytes();
    vm.data().variables.iter().map(line).collect()
}
