//! What a read of the credential costs in the host library, in things that can be counted.

mod clocks;
mod endpoint;

use std::hint::black_box;

use allocation_counter::measure;

use self::clocks::Counted;

const READS: u64 = 10_000;

/// A connection that holds a credential of an hour, in a thread that has read it before.
fn held() -> (keyless::Connection, Counted) {
    let clocks = Counted::new();
    let connection = endpoint::connection(clocks.clone());
    assert_eq!(connection.credential().unwrap().generation(), 1);
    clocks.reads();
    (connection, clocks)
}

/// What that many reads do.
fn read(connection: &keyless::Connection) {
    for _ in 0..READS {
        assert!(black_box(connection.credential()).is_some());
    }
}

#[test]
fn a_read_allocates_nothing() {
    let (connection, clocks) = held();
    // Neither in the same tick nor in the next.
    for _ in 0..2 {
        let allocated = measure(|| read(&connection));
        assert_eq!((allocated.count_total, allocated.count_current), (0, 0));
        clocks.tick();
    }
    let something = measure(|| drop(black_box(Box::new(1))));
    assert_eq!(something.count_total, 1, "allocations are counted");
}

#[test]
fn a_read_asks_one_clock_and_the_other_once_in_a_tick() {
    let (connection, clocks) = held();
    read(&connection);
    assert_eq!(clocks.reads(), (READS, 0));
    for _ in 0..3 {
        clocks.tick();
        read(&connection);
        assert_eq!(clocks.reads(), (READS, 1));
    }
}
