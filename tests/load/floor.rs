//! The least that a filter can be: it has the header ready and sets it, whatever comes. What Envoy may call of it is chosen
//! when it is compiled (`floor.py`), so that each callback has a price.

#![no_std]

use core::ptr;

/// What a client would have to send. As long as tokens are, and in the module, so that nothing is left to look up.
const CREDENTIAL: &str = env!("CREDENTIAL");

const REQUEST: u32 = 0;
const RESPONSE: u32 = 2;

#[link(wasm_import_module = "env")]
unsafe extern "C" {
    fn proxy_replace_header_map_value(
        map: u32,
        name: *const u8,
        size: usize,
        value: *const u8,
        size: usize,
    ) -> u32;
    fn proxy_get_header_map_value(
        map: u32,
        name: *const u8,
        size: usize,
        value: *mut *mut u8,
        size: *mut usize,
    ) -> u32;
}

#[unsafe(no_mangle)]
extern "C" fn proxy_abi_version_0_2_1() {}

/// Always the same room: enough for a status, and nothing else is ever returned.
#[unsafe(no_mangle)]
extern "C" fn proxy_on_memory_allocate(_size: usize) -> *mut u8 {
    static mut ROOM: [u8; 16] = [0; 16];
    (&raw mut ROOM).cast()
}

#[cfg(request)]
#[unsafe(no_mangle)]
extern "C" fn proxy_on_request_headers(_stream: u32, _headers: u32, _end: u32) -> u32 {
    let name = "authorization";
    unsafe {
        proxy_replace_header_map_value(
            REQUEST,
            name.as_ptr(),
            name.len(),
            CREDENTIAL.as_ptr(),
            CREDENTIAL.len(),
        )
    };
    0
}

#[cfg(any(response, status))]
#[unsafe(no_mangle)]
extern "C" fn proxy_on_response_headers(_stream: u32, _headers: u32, _end: u32) -> u32 {
    if cfg!(status) {
        let (name, mut value, mut size) = (":status", ptr::null_mut(), 0);
        unsafe {
            proxy_get_header_map_value(RESPONSE, name.as_ptr(), name.len(), &raw mut value, &raw mut size)
        };
    }
    0
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    core::arch::wasm32::unreachable()
}
