//! What Envoy calls, and nothing more: each callback that is exported is called for every request or every answer, and
//! getting into the instance is what a filter costs.

use crate::host::{self, Buffer, Level};
use crate::instance;
use crate::plugin::{self, Verdict};
use crate::reply;

/// "Go on with the next filter."
const CONTINUE: u32 = 0;

/// "Keep all of it, and stop reading when it gets too much." What stops only the headers lets a body resume them.
const STOP_ALL_AND_WATERMARK: u32 = 4;

/// The configuration of a plugin. 0: it is wrong, and Envoy does not take it.
#[unsafe(no_mangle)]
extern "C" fn proxy_on_configure(root: u32, size: usize) -> u32 {
    let configuration = host::buffer(Buffer::PluginConfiguration, size);
    instance::with(0, |plugins| match plugins.add(root, &configuration) {
        Ok(()) => 1,
        Err(error) => {
            plugin::say(Level::Error, error.code().as_str(), error.message());
            0
        }
    })
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_tick(root: u32) {
    instance::with((), |plugins| {
        if let Some(plugin) = plugins.of_root(root) {
            plugin.tick();
        }
    });
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_request_headers(stream: u32, _headers: u32, _end: u32) -> u32 {
    let verdict = instance::with(None, |plugins| plugins.of_stream().map(|plugin| plugin.request(stream)));
    match verdict {
        Some(Verdict::GoesOn) => CONTINUE,
        Some(Verdict::Stays) => STOP_ALL_AND_WATERMARK,
        // Nothing goes on without a credential.
        None => {
            reply::unavailable(&reply::not_yet("Envoy has not configured this plugin"));
            STOP_ALL_AND_WATERMARK
        }
    }
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_response_headers(stream: u32, _headers: u32, _end: u32) -> u32 {
    if host::response_status_is(*b"401") {
        instance::with((), |plugins| {
            if let Some(plugin) = plugins.of_stream() {
                plugin.rejected(stream);
            }
        });
    }
    CONTINUE
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_http_call_response(
    root: u32,
    token: u32,
    headers: u32,
    body_size: usize,
    _trailers: u32,
) {
    instance::with((), |plugins| {
        if let Some(plugin) = plugins.of_root(root) {
            plugin.answer(token, headers, body_size);
        }
    });
}
