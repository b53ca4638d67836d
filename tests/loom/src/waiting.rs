//! Callers that wait for the same attempt.

use std::sync::Arc;

use crate::flight::{Flight, Outcome, Verdict, Writer};
use crate::stage::{Answer, Connection, Failure, Patient, Slip, Told};
use crate::threads::{block_on, every_schedule, give_up_after};

/// Two callers wait while attempts end like that, the first one last. What each is told, and the exchanges made.
fn two_callers(due: &[Answer]) -> ([Told; 2], usize) {
    let connection = Connection::open(due);
    let waiter = connection.waiter();
    let other = loom::thread::spawn(|| block_on(waiter));
    let told = [block_on(connection.waiter()), other.join().unwrap()];
    (told, connection.end())
}

/// Also run with a fault.
pub(crate) fn one_exchange_serves_all() {
    every_schedule(|| {
        let one = Told::Credential(1);
        assert_eq!(two_callers(&[Ok(())]), ([one, Told::Credential(1)], 1));
    });
}

#[test]
fn all_who_wait_share_one_exchange() {
    one_exchange_serves_all();
}

#[test]
fn a_failure_that_passes_keeps_a_caller_waiting() {
    every_schedule(|| {
        let connection = Connection::open(&[Ok(()), Err(Failure::Passing)]);
        assert_eq!(block_on(connection.waiter()), Told::Credential(1));
        assert_eq!(connection.end(), 2);
    });
}

#[test]
fn a_failure_that_lasts_is_told_to_all() {
    every_schedule(|| {
        let failure = Told::Failure(Failure::Lasting);
        assert_eq!(two_callers(&[Err(Failure::Lasting)]), ([failure, Told::Failure(Failure::Lasting)], 1));
    });
}

#[test]
fn a_failure_is_told_only_when_nothing_is_to_come() {
    every_schedule(|| {
        let flight = Arc::new(Flight::new(Some(Failure::Lasting)));
        let mut writer = Writer::new(Arc::clone(&flight));
        let verdict = || flight.verdict(&Patient);
        writer.begin(None, |_| {});
        assert!(verdict().is_none(), "an attempt is under way");
        writer.land(true, Some(Failure::Lasting));
        assert!(matches!(verdict(), Some(Verdict::Failed(Failure::Lasting))));
        writer.begin(None, |_| {});
        assert!(verdict().is_none(), "another attempt is under way");
        writer.land(true, Some(Failure::Lasting));
        writer.show(Outcome::Credential(Slip::new(1)));
        flight.reject(1);
        assert!(verdict().is_none(), "the task was not told of the rejection yet");
        writer.begin(Some(1), |_| {});
        writer.land(false, Some(Failure::Lasting));
        assert!(verdict().is_none(), "the renewal that was forced is still to come");
        writer.land(true, Some(Failure::Lasting));
        assert!(matches!(verdict(), Some(Verdict::Ready(1))), "it failed, and the old one is in use again");
        writer.show(Outcome::Nothing);
        assert!(matches!(verdict(), Some(Verdict::Failed(Failure::Lasting))), "it is not in use any more");
    });
}

#[test]
fn an_older_credential_is_not_believed() {
    every_schedule(|| {
        let flight = Arc::new(Flight::new(None::<Failure>));
        let mut writer = Writer::new(Arc::clone(&flight));
        assert!(writer.show(Outcome::Credential(Slip::new(2))));
        assert!(!writer.show(Outcome::Credential(Slip::new(2))), "it is there already");
        assert!(!writer.show(Outcome::Credential(Slip::new(1))));
        assert!(!writer.show(Outcome::Nothing), "nobody rejected it");
        assert_eq!(flight.cell.generation(), Some(2));
    });
}

#[test]
fn who_gives_up_disturbs_nobody() {
    every_schedule(|| {
        let connection = Connection::open(&[Ok(())]);
        let waiter = connection.waiter();
        let other = loom::thread::spawn(|| give_up_after(1, waiter));
        assert_eq!(block_on(connection.waiter()), Told::Credential(1));
        assert!([None, Some(Told::Credential(1))].contains(&other.join().unwrap()));
        assert_eq!(connection.end(), 1);
    });
}
