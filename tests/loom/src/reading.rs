//! Readers of the cell.

use std::sync::Arc;

use loom::thread;

use crate::flight::Flight;
use crate::stage::Slip;
use crate::threads::every_schedule;

/// What two looks at the cell show, by a reader that runs beside the writer.
fn two_looks(flight: &Flight<Slip, ()>) -> [u64; 2] {
    [flight.cell.load().read(), flight.cell.load().read()]
}

/// Also run with a fault.
pub(crate) fn snapshots_are_whole_and_never_go_back() {
    every_schedule(|| {
        let flight = Arc::new(Flight::<Slip, _>::new(()));
        let reader = {
            let flight = Arc::clone(&flight);
            thread::spawn(move || two_looks(&flight))
        };
        let other = {
            let flight = Arc::clone(&flight);
            thread::spawn(move || two_looks(&flight))
        };
        flight.cell.publish(Slip::in_two_steps(1));
        flight.cell.publish(Slip::in_two_steps(2));
        for [first, second] in [reader.join().unwrap(), other.join().unwrap()] {
            assert!(first <= second, "{second} after {first}");
        }
    });
}

#[test]
fn a_reader_sees_whole_snapshots_that_never_go_back() {
    snapshots_are_whole_and_never_go_back();
}

#[test]
fn what_was_taken_away_stays_away() {
    every_schedule(|| {
        let flight = Arc::new(Flight::<Slip, _>::new(()));
        flight.cell.publish(Slip::in_two_steps(1));
        let reader = {
            let flight = Arc::clone(&flight);
            thread::spawn(move || two_looks(&flight))
        };
        flight.cell.retire();
        flight.cell.publish(Slip::in_two_steps(2));
        let looks = reader.join().unwrap();
        assert!([[1, 1], [1, 0], [1, 2], [0, 0], [0, 2], [2, 2]].contains(&looks), "{looks:?}");
    });
}
