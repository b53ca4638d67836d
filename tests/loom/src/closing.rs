//! The end of a connection.

use std::sync::Arc;

use crate::flight::{Flight, Outcome, Verdict, Writer, oneshot};
use crate::stage::{Connection, Failure, Patient, Slip, Told};
use crate::threads::{block_on, every_schedule};

#[test]
fn closing_ends_all_who_wait() {
    every_schedule(|| {
        let connection = Connection::open(&[Err(Failure::Passing)]);
        let waiter = connection.waiter();
        let other = loom::thread::spawn(|| block_on(waiter));
        let (reply, answer) = oneshot::channel();
        assert!(connection.close.send(reply).is_ok());
        block_on(answer).unwrap();
        assert_eq!(other.join().unwrap(), Told::Closed);
        assert_eq!(connection.flight.cell.generation(), None);
        connection.task.join();
    });
}

#[test]
fn a_task_that_is_cut_off_leaves_nothing_behind() {
    every_schedule(|| {
        let connection = Connection::open(&[Ok(())]);
        let flight = Arc::clone(&connection.flight);
        connection.task.abort();
        block_on(flight.stopped());
        assert_eq!(flight.cell.generation(), None);
        assert_eq!(block_on(connection.waiter()), Told::Closed);
        connection.task.join();
        assert_eq!(flight.cell.generation(), None);
    });
}

#[test]
fn a_closed_connection_says_so_whatever_there_was() {
    every_schedule(|| {
        let flight = Arc::new(Flight::new(Some(Failure::Lasting)));
        let mut writer = Writer::new(Arc::clone(&flight));
        writer.show(Outcome::Credential(Slip::new(1)));
        writer.land(true, Some(Failure::Lasting));
        writer.close(|_| {});
        assert!(flight.progress().is_over());
        assert!(matches!(flight.verdict(&Patient), Some(Verdict::Closed)));
        assert_eq!(flight.cell.generation(), None);
    });
}
