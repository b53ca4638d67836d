//! For how long somebody may be silent. As in the proxy of `keyless serve`; a host may have less patience.

use wasi::clocks::monotonic_clock;
use wasi::io::poll::{self, Pollable};

/// The client, in the middle of its request, in seconds.
pub(crate) const UPLOAD: u64 = 60;

/// The API, before its answer begins and in the middle of it, in seconds: as long as a model thinks.
pub(crate) const ANSWER: u64 = 600;

/// The client, while it reads nothing of what is there for it, in seconds.
pub(crate) const READING: u64 = 120;

/// Until one of them is ready. False: none was, for so many seconds.
pub(crate) fn wait(pollables: [Option<Pollable>; 2], seconds: u64) -> bool {
    let until = monotonic_clock::now().saturating_add(seconds.saturating_mul(1_000_000_000));
    let limit = monotonic_clock::subscribe_instant(until);
    let pollables: Vec<Pollable> = pollables.into_iter().flatten().collect();
    let all: Vec<&Pollable> = pollables.iter().chain([&limit]).collect();
    poll::poll(&all).iter().any(|ready| usize::try_from(*ready).is_ok_and(|ready| ready < pollables.len()))
}
