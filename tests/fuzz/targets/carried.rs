//! What one machine hands to another: it comes from memory that others could write to. The first two bytes are how long ago.

#![no_main]

use keyless_engine::io::Now;
use keyless_engine::{Answered, Error, Machine, Variables};
use keyless_fuzz::connections::LEASES;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Some((ago, carried)) = bytes.split_first_chunk() else { return };
    let minutes = u64::from(u16::from_le_bytes(*ago));
    let now = Now { wall_ms: 1_800_000_000_000 + minutes * 60_000, monotonic_ms: minutes * 60_000 };
    let (Ok(mut first), Ok(mut second)) = (open(), open()) else { return };
    if !first.adopt(carried) {
        assert_eq!(first.carry().as_slice(), second.carry().as_slice(), "what is refused changes nothing");
        return;
    }
    assert!(second.adopt(&first.carry()), "what was adopted can be handed on");
    assert_eq!(first.carry().as_slice(), second.carry().as_slice());
    for machine in [&first, &second] {
        if let Answered::Ready(credential) = machine.credential(now) {
            assert!(credential.expires_at.is_none_or(|end| now.wall_ms < end), "it has ended");
        }
        assert!(!machine.busy(), "an attempt is its owner's");
    }
    let (one, other) = (first.status(now), second.status(now));
    assert_eq!((one.phase, one.next_attempt_at), (other.phase, other.next_attempt_at));
    assert_eq!((first.due(now), first.wake_at(now)), (second.due(now), second.wake_at(now)));
});

fn open() -> Result<Machine, Error> {
    let [connection, ..] = &LEASES;
    Machine::open(connection.document, &Variables::default())
}
