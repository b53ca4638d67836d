//! What this process has used, as the kernel counts it.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// Memory that is its own, and its share of what it shares (PSS), in bytes.
pub(crate) fn memory() -> u64 {
    let text = std::fs::read_to_string("/proc/self/smaps_rollup").expect("Linux");
    let kib = text.lines().find_map(|line| line.strip_prefix("Pss:")?.trim().strip_suffix("kB"));
    let kib: u64 = kib.and_then(|kib| kib.trim().parse().ok()).unwrap_or_else(|| panic!("a number: {text}"));
    1024 * kib
}

/// Processor time of all its threads.
pub(crate) fn time() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    let part = |number| u64::try_from(number).expect("not negative");
    Duration::from_secs(part(time.tv_sec)) + Duration::from_nanos(part(time.tv_nsec))
}
