//! Envoy's side of proxy-wasm ABI 0.2.1 (github.com/proxy-wasm/spec, `abi-versions/v0.2.1`), as far as it is used here.
//!
//! By hand and not from the `proxy-wasm` crate, because that exports every callback there is, and Envoy calls each one that
//! is exported, for each request.

use alloc::alloc::{alloc, handle_alloc_error};
use alloc::string::String;
use alloc::vec::Vec;
use core::alloc::Layout;
use core::ptr;

use keyless_engine::io::Now;
use keyless_engine::secret::SecretBytes;

use crate::room::ROOM;

mod imports {
    #[link(wasm_import_module = "env")]
    unsafe extern "C" {
        pub(super) fn proxy_log(level: u32, message: *const u8, size: usize) -> u32;
        pub(super) fn proxy_set_tick_period_milliseconds(period: u32) -> u32;
        pub(super) fn proxy_set_effective_context(context: u32) -> u32;
        pub(super) fn proxy_continue_stream(stream: u32) -> u32;
        pub(super) fn proxy_get_buffer_bytes(
            buffer: u32,
            start: usize,
            max_size: usize,
            data: *mut *mut u8,
            size: *mut usize,
        ) -> u32;
        pub(super) fn proxy_get_header_map_pairs(map: u32, data: *mut *mut u8, size: *mut usize) -> u32;
        pub(super) fn proxy_get_header_map_value(
            map: u32,
            name: *const u8,
            name_size: usize,
            value: *mut *mut u8,
            size: *mut usize,
        ) -> u32;
        pub(super) fn proxy_replace_header_map_value(
            map: u32,
            name: *const u8,
            name_size: usize,
            value: *const u8,
            value_size: usize,
        ) -> u32;
        pub(super) fn proxy_remove_header_map_value(map: u32, name: *const u8, name_size: usize) -> u32;
        pub(super) fn proxy_send_local_response(
            status: u32,
            details: *const u8,
            details_size: usize,
            body: *const u8,
            body_size: usize,
            headers: *const u8,
            headers_size: usize,
            grpc_status: i32,
        ) -> u32;
        pub(super) fn proxy_get_property(
            path: *const u8,
            path_size: usize,
            value: *mut *mut u8,
            size: *mut usize,
        ) -> u32;
        pub(super) fn proxy_http_call(
            cluster: *const u8,
            cluster_size: usize,
            headers: *const u8,
            headers_size: usize,
            body: *const u8,
            body_size: usize,
            trailers: *const u8,
            trailers_size: usize,
            timeout_ms: u32,
            token: *mut u32,
        ) -> u32;
        pub(super) fn proxy_get_shared_data(
            key: *const u8,
            key_size: usize,
            value: *mut *mut u8,
            size: *mut usize,
            cas: *mut u32,
        ) -> u32;
        pub(super) fn proxy_set_shared_data(
            key: *const u8,
            key_size: usize,
            value: *const u8,
            value_size: usize,
            cas: u32,
        ) -> u32;
        pub(super) fn proxy_define_metric(kind: u32, name: *const u8, name_size: usize, id: *mut u32) -> u32;
        pub(super) fn proxy_increment_metric(id: u32, offset: i64) -> u32;
        pub(super) fn proxy_record_metric(id: u32, value: u64) -> u32;
    }

    // Of WASI preview 1, as every proxy-wasm host offers it: the clock that nobody sets, and the plugin's variables.
    #[link(wasm_import_module = "wasi_snapshot_preview1")]
    unsafe extern "C" {
        pub(super) fn clock_time_get(clock: u32, precision: u64, nanoseconds: *mut u64) -> u32;
        pub(super) fn random_get(data: *mut u8, size: usize) -> u32;
        pub(super) fn environ_sizes_get(count: *mut usize, size: *mut usize) -> u32;
        pub(super) fn environ_get(pointers: *mut *mut u8, data: *mut u8) -> u32;
    }
}

const OK: u32 = 0;

/// What severity a line has.
#[derive(Clone, Copy)]
pub(crate) enum Level {
    Info = 2,
    Warn = 3,
    Error = 4,
}

/// One line in Envoy's log.
pub(crate) fn log(level: Level, message: &str) {
    // SAFETY: pointer and size are of a text that lives through the call. The host reads it and keeps nothing.
    unsafe { imports::proxy_log(level as u32, message.as_ptr(), message.len()) };
}

/// Both clocks of the host.
pub(crate) fn now() -> Now {
    const REAL_TIME: u32 = 0;
    const MONOTONIC: u32 = 1;
    let read = |clock| {
        let mut nanoseconds = 0_u64;
        // SAFETY: the host writes eight bytes to a number of ours, which it has for the call alone.
        unsafe { imports::clock_time_get(clock, 1, &raw mut nanoseconds) };
        nanoseconds / 1_000_000
    };
    Now { wall_ms: read(REAL_TIME), monotonic_ms: read(MONOTONIC) }
}

/// A number that no other instance of this module has.
pub(crate) fn random() -> u64 {
    let mut bytes = [0; 8];
    // SAFETY: the host writes as many bytes as there are to an array of ours, which it has for the call alone.
    unsafe { imports::random_get(bytes.as_mut_ptr(), bytes.len()) };
    u64::from_le_bytes(bytes)
}

/// The variables that the operator granted: `vm_config.environment_variables`.
pub(crate) fn variables() -> Vec<(String, String)> {
    let (mut count, mut size) = (0, 0);
    // SAFETY: the host writes two numbers of ours.
    if unsafe { imports::environ_sizes_get(&raw mut count, &raw mut size) } != OK {
        return Vec::new();
    }
    let mut pointers = vec![ptr::null_mut(); count];
    let mut data = SecretBytes::from(vec![0; size]);
    // SAFETY: both have the room that the host has just asked for, and it keeps neither.
    if unsafe { imports::environ_get(pointers.as_mut_ptr(), data.as_mut_ptr()) } != OK {
        return Vec::new();
    }
    // Each ends in a zero; where it begins is not asked, so that no pointer of the host's has to be trusted.
    let lines = data.split(|byte| *byte == 0).filter_map(|line| str::from_utf8(line).ok());
    lines.filter_map(|line| line.split_once('=')).map(|(name, value)| (name.into(), value.into())).collect()
}

/// Calls [`crate::on_tick`] after so many milliseconds, again and again. 0: never.
pub(crate) fn set_tick_period(ms: u32) {
    // SAFETY: plain numbers.
    unsafe { imports::proxy_set_tick_period_milliseconds(ms) };
}

/// From here on, calls are about that context. False: it is gone.
pub(crate) fn act_for(context: u32) -> bool {
    // SAFETY: plain numbers.
    unsafe { imports::proxy_set_effective_context(context) == OK }
}

/// Lets a request go on that was held back.
pub(crate) fn resume_request() {
    const REQUEST: u32 = 0;
    // SAFETY: plain numbers.
    unsafe { imports::proxy_continue_stream(REQUEST) };
}

/// Puts a header of the request in the place of all that have its name.
pub(crate) fn set_request_header(name: &str, value: &str) {
    // SAFETY: pointers and sizes are of texts that live through the call. The host copies both.
    unsafe {
        imports::proxy_replace_header_map_value(
            Headers::Request as u32,
            name.as_ptr(),
            name.len(),
            value.as_ptr(),
            value.len(),
        )
    };
}

/// The first header of that name, in lower case, of the request.
pub(crate) fn request_header(name: &str) -> Option<SecretBytes> {
    // SAFETY: name as above; the host writes the two numbers, and `given` takes over what it allocated.
    given(|value, size| unsafe {
        let map = Headers::Request as u32;
        imports::proxy_get_header_map_value(map, name.as_ptr(), name.len(), value, size)
    })
}

/// Takes every header of that name out of the request.
pub(crate) fn remove_request_header(name: &str) {
    // SAFETY: pointer and size are of a text that lives through the call.
    unsafe { imports::proxy_remove_header_map_value(Headers::Request as u32, name.as_ptr(), name.len()) };
}

#[derive(Clone, Copy)]
enum Headers {
    Request = 0,
    Response = 2,
    CallResponse = 6,
}

/// Whether the answer has this status, without an allocation: this runs for every answer.
pub(crate) fn response_status_is(status: [u8; 3]) -> bool {
    let name = ":status";
    let (mut data, mut size) = (ptr::null_mut(), 0);
    ROOM.lend();
    // SAFETY: name as above; the host writes the two numbers, and the value to the room, as it gets no other memory.
    let found = unsafe {
        let map = Headers::Response as u32;
        imports::proxy_get_header_map_value(map, name.as_ptr(), name.len(), &raw mut data, &raw mut size)
    };
    let room = ROOM.take_back();
    found == OK && size == status.len() && room == status
}

/// The headers of the answer to a call of ours, names in lower case.
pub(crate) fn call_response_headers() -> Vec<(String, String)> {
    // SAFETY: the host writes the two numbers, and `given` takes over what it allocated.
    let pairs = given(|data, size| unsafe {
        imports::proxy_get_header_map_pairs(Headers::CallResponse as u32, data, size)
    });
    pairs.map(|pairs| split_pairs(&pairs).unwrap_or_default()).unwrap_or_default()
}

/// What a buffer holds.
#[derive(Clone, Copy)]
pub(crate) enum Buffer {
    /// The body of the answer to a call of ours.
    CallResponse = 4,
    /// The configuration of the plugin.
    PluginConfiguration = 7,
}

/// The first `size` bytes of it.
pub(crate) fn buffer(buffer: Buffer, size: usize) -> SecretBytes {
    // SAFETY: the host writes the two numbers, and `given` takes over what it allocated.
    given(|data, found| unsafe { imports::proxy_get_buffer_bytes(buffer as u32, 0, size, data, found) })
        .unwrap_or_default()
}

/// A property of the stream or the plugin, by its one-word name.
pub(crate) fn property(name: &str) -> Option<SecretBytes> {
    // SAFETY: name as above; the host writes the two numbers, and `given` takes over what it allocated.
    given(|data, size| unsafe { imports::proxy_get_property(name.as_ptr(), name.len(), data, size) })
}

/// Answers the request in place of the API.
pub(crate) fn send_local_response(status: u32, details: &str, headers: &[(&str, &str)], body: &[u8]) {
    let headers = join_pairs(headers.iter().copied());
    // SAFETY: pointers and sizes are of what lives through the call. The host copies all of it.
    unsafe {
        imports::proxy_send_local_response(
            status,
            details.as_ptr(),
            details.len(),
            body.as_ptr(),
            body.len(),
            headers.as_ptr(),
            headers.len(),
            // gRPC's "unavailable" (14) follows from the status 503.
            -1,
        )
    };
}

/// Sends a request to a cluster. The answer comes under the number that is returned. None: Envoy does not take it.
pub(crate) fn call<'h>(
    cluster: &str,
    headers: impl Iterator<Item = (&'h str, &'h str)> + Clone,
    body: &[u8],
    timeout_ms: u64,
) -> Option<u32> {
    let headers = join_pairs(headers);
    let timeout_ms = u32::try_from(timeout_ms).unwrap_or(u32::MAX);
    let mut token = 0;
    // SAFETY: pointers and sizes are of what lives through the call; the host copies all of it and writes one number.
    let status = unsafe {
        imports::proxy_http_call(
            cluster.as_ptr(),
            cluster.len(),
            headers.as_ptr(),
            headers.len(),
            body.as_ptr(),
            body.len(),
            ptr::null(),
            0,
            timeout_ms,
            &raw mut token,
        )
    };
    (status == OK).then_some(token)
}

/// What all instances under one `vm_id` share: the value and what names its version.
pub(crate) fn shared(key: &str) -> Option<(SecretBytes, u32)> {
    let mut cas = 0;
    // SAFETY: key as above; the host writes three numbers, and `given` takes over what it allocated.
    let value = given(|data, size| unsafe {
        imports::proxy_get_shared_data(key.as_ptr(), key.len(), data, size, &raw mut cas)
    })?;
    Some((value, cas))
}

/// Writes it if it still is of that version; 0: in any case. False if it is not.
pub(crate) fn share(key: &str, value: &[u8], cas: u32) -> bool {
    // SAFETY: pointers and sizes are of what lives through the call. The host copies both.
    let status =
        unsafe { imports::proxy_set_shared_data(key.as_ptr(), key.len(), value.as_ptr(), value.len(), cas) };
    status == OK
}

/// What a metric is.
#[derive(Clone, Copy)]
pub(crate) enum MetricKind {
    Counter = 0,
    Gauge = 1,
}

/// Defines one, or finds it where another instance has.
pub(crate) fn metric(kind: MetricKind, name: &str) -> u32 {
    let mut id = 0;
    // SAFETY: name as above; the host writes one number.
    unsafe { imports::proxy_define_metric(kind as u32, name.as_ptr(), name.len(), &raw mut id) };
    id
}

/// Adds to a counter.
pub(crate) fn count(id: u32) {
    // SAFETY: plain numbers.
    unsafe { imports::proxy_increment_metric(id, 1) };
}

/// Sets a gauge.
pub(crate) fn gauge(id: u32, value: u64) {
    // SAFETY: plain numbers.
    unsafe { imports::proxy_record_metric(id, value) };
}

/// Takes over what the host allocated through [`proxy_on_memory_allocate`] to return it, and wipes it in the end.
fn given(ask: impl FnOnce(*mut *mut u8, *mut usize) -> u32) -> Option<SecretBytes> {
    let (mut data, mut size) = (ptr::null_mut(), 0);
    if ask(&raw mut data, &raw mut size) != OK {
        return None;
    }
    if data.is_null() || size == 0 {
        return Some(SecretBytes::default());
    }
    // SAFETY: a host of this ABI returns values in memory that it has got from `proxy_on_memory_allocate`, with the size
    // that it asked for there, all of it written, and hands it over: `data` is from the global allocator with the layout
    // of `size` bytes of alignment 1, as a vector's of that capacity, and nobody else has it.
    Some(SecretBytes::from(unsafe { Vec::from_raw_parts(data, size, size) }))
}

/// Memory for what the host returns.
#[unsafe(no_mangle)]
extern "C" fn proxy_on_memory_allocate(size: usize) -> *mut u8 {
    if let Some(room) = ROOM.for_so_many(size) {
        return room;
    }
    let Ok(layout) = Layout::array::<u8>(size.max(1)) else { return ptr::null_mut() };
    // SAFETY: the layout is of at least one byte.
    let memory = unsafe { alloc(layout) };
    if memory.is_null() { handle_alloc_error(layout) } else { memory }
}

/// Which ABI this is: there is nothing to do, the name says it.
#[unsafe(no_mangle)]
extern "C" fn proxy_abi_version_0_2_1() {}

/// How the ABI writes a list of pairs: how many, all sizes, then name and value of each, both with a zero behind.
fn join_pairs<'p>(pairs: impl Iterator<Item = (&'p str, &'p str)> + Clone) -> SecretBytes {
    let number = |out: &mut Vec<u8>, number: usize| {
        out.extend_from_slice(&u32::try_from(number).unwrap_or(u32::MAX).to_le_bytes());
    };
    let room = 4 + pairs.clone().map(|(name, value)| 10 + name.len() + value.len()).sum::<usize>();
    let mut out = SecretBytes::from(Vec::with_capacity(room));
    number(&mut out, pairs.clone().count());
    for (name, value) in pairs.clone() {
        number(&mut out, name.len());
        number(&mut out, value.len());
    }
    for (name, value) in pairs {
        for text in [name, value] {
            out.extend_from_slice(text.as_bytes());
            out.push(0);
        }
    }
    out
}

/// The other way round. What is not UTF-8 is replaced: it is a header's value, for people.
fn split_pairs(mut rest: &[u8]) -> Option<Vec<(String, String)>> {
    let number = |bytes: &mut &[u8]| {
        let (number, rest) = bytes.split_first_chunk()?;
        *bytes = rest;
        usize::try_from(u32::from_le_bytes(*number)).ok()
    };
    let count = number(&mut rest)?;
    let mut sizes = Vec::new();
    for _ in 0..count {
        sizes.push((number(&mut rest)?, number(&mut rest)?));
    }
    let mut text = |size: usize| {
        let (text, after) = rest.split_at_checked(size)?;
        rest = after.get(1..)?;
        Some(String::from_utf8_lossy(text).into_owned())
    };
    sizes.into_iter().map(|(name, value)| Some((text(name)?, text(value)?))).collect()
}
