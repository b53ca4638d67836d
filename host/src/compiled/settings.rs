//! How wasmtime is set up: what components of our kind do not need is switched off.
//!
//! Depends on wasmtime alone, so that `tests/benches` measures these settings and no copy of them.

use wasmtime::{Config, OptLevel, RegallocAlgorithm};

/// Which of the two is to be short.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Haste {
    /// The time to compile.
    Compiling,
    /// The time that the code takes.
    Running,
}

/// For components that may have so many bytes of memory.
pub(crate) fn settings(memory: usize, haste: Haste) -> Config {
    let mut config = Config::new();
    if haste == Haste::Compiling {
        config
            .cranelift_opt_level(OptLevel::None)
            .cranelift_regalloc_algorithm(RegallocAlgorithm::SinglePass);
    }
    config
        // Host calls are async; concurrent guest tasks are not wanted, and cost every call.
        .concurrency_support(false)
        .epoch_interruption(true)
        // Guest stacks hold tokens.
        .async_stack_zeroing(true)
        .wasm_backtrace_max_frames(None)
        // Both serve backtraces only, and are an eighth of the code. Windows cannot do without the second.
        .generate_address_map(false)
        .native_unwind_info(cfg!(windows))
        // Enough for any instance, and 4 GiB less address space than the default.
        .memory_reservation(u64::try_from(memory).unwrap_or(u64::MAX))
        .memory_may_move(false)
        .wasm_simd(false)
        .wasm_relaxed_simd(false)
        .wasm_memory64(false)
        .wasm_multi_memory(false)
        .wasm_tail_call(false)
        .wasm_extended_const(false);
    config
}
