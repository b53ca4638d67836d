//! What lies in the memory of another process: what a core dump of it would hold.

use std::fs::{File, read_to_string};
use std::os::unix::fs::FileExt as _;

/// Read at a time.
const WINDOW: usize = 1 << 20;

/// Where in the memory of a process a text lies: the name of the mapping, once for each copy.
///
/// Everything that can be read is searched, but for files that are mapped as they are on disk.
pub(crate) fn copies(pid: u32, text: &str) -> Vec<String> {
    let memory = File::open(format!("/proc/{pid}/mem")).unwrap();
    let maps = read_to_string(format!("/proc/{pid}/maps")).unwrap();
    let mut found = Vec::new();
    for mapping in maps.lines() {
        let fields: Vec<_> = mapping.split_whitespace().collect();
        let (range, rights, name) = (fields[0], fields[1], fields.get(5).copied().unwrap_or("anonymous"));
        let as_on_disk = name.starts_with('/') && !rights.contains('w');
        if !rights.starts_with('r') || as_on_disk || name.starts_with("[v") {
            continue;
        }
        let (start, end) = range.split_once('-').unwrap();
        let [start, end] = [start, end].map(|text| u64::from_str_radix(text, 16).unwrap());
        found.resize(found.len() + count(&memory, start, end, text.as_bytes()), name.to_owned());
    }
    found
}

fn count(memory: &File, start: u64, end: u64, text: &[u8]) -> usize {
    let mut window = vec![0; WINDOW + text.len() - 1];
    let (mut at, mut found) = (start, 0);
    while at < end {
        let length = usize::try_from(end - at).unwrap().min(window.len());
        memory.read_exact_at(&mut window[..length], at).unwrap();
        let begins = window[..length].windows(text.len());
        found += begins.filter(|here| here[0] == text[0] && *here == text).count();
        at += WINDOW as u64;
    }
    found
}
