//! The finished filter: its authority is its import list, and what it costs is which callbacks it exports. So both are
//! pinned.

use wasmtime::{Engine, ExternType, Module};

use super::module::bytes;

const IMPORTS: [&str; 21] = [
    "env proxy_continue_stream",
    "env proxy_define_metric",
    "env proxy_get_buffer_bytes",
    "env proxy_get_header_map_pairs",
    "env proxy_get_header_map_value",
    "env proxy_get_property",
    "env proxy_get_shared_data",
    "env proxy_http_call",
    "env proxy_increment_metric",
    "env proxy_log",
    "env proxy_record_metric",
    "env proxy_remove_header_map_value",
    "env proxy_replace_header_map_value",
    "env proxy_send_local_response",
    "env proxy_set_effective_context",
    "env proxy_set_shared_data",
    "env proxy_set_tick_period_milliseconds",
    "wasi_snapshot_preview1 clock_time_get",
    "wasi_snapshot_preview1 environ_get",
    "wasi_snapshot_preview1 environ_sizes_get",
    "wasi_snapshot_preview1 random_get",
];

/// Envoy calls each callback that is among these, for each request or answer. The first two are the linker's.
const EXPORTS: [&str; 10] = [
    "__data_end",
    "__heap_base",
    "memory",
    "proxy_abi_version_0_2_1",
    "proxy_on_configure",
    "proxy_on_http_call_response",
    "proxy_on_memory_allocate",
    "proxy_on_request_headers",
    "proxy_on_response_headers",
    "proxy_on_tick",
];

/// In bytes.
const LARGEST: usize = 285_000;

/// What it begins with, in pages of 64 KiB. What a play makes of them is limited in `host.rs`.
const MOST_PAGES: u64 = 8;

fn module() -> Module {
    Module::from_binary(&Engine::default(), bytes()).unwrap()
}

#[test]
fn the_filter_imports_and_exports_exactly_this() {
    let module = module();
    let imports = module.imports().map(|import| format!("{} {}", import.module(), import.name()));
    assert_eq!(sorted(imports), IMPORTS);
    assert_eq!(sorted(module.exports().map(|export| export.name().to_owned())), EXPORTS);
}

fn sorted(names: impl Iterator<Item = String>) -> Vec<String> {
    let mut names: Vec<_> = names.collect();
    names.sort_unstable();
    names
}

#[test]
fn the_filter_is_small() {
    assert!(bytes().len() <= LARGEST, "{} bytes, more than {LARGEST}", bytes().len());
    let module = module();
    let memory = module.exports().find_map(|export| match export.ty() {
        ExternType::Memory(memory) => Some(memory),
        _ => None,
    });
    let pages = memory.expect("a memory").minimum();
    assert!(pages <= MOST_PAGES, "{pages} pages of memory, more than {MOST_PAGES}");
}

#[test]
fn the_filter_names_no_place_of_the_machine_that_built_it() {
    crate::imports::assert_names_no_place(bytes());
}
