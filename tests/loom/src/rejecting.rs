//! Callers whose credential the API did not take.

use std::sync::Arc;

use crate::stage::{Connection, Told};
use crate::threads::{block_on, every_schedule};

/// With the first credential there.
fn opened() -> Connection {
    let connection = Connection::open(&[Ok(())]);
    assert_eq!(block_on(connection.waiter()), Told::Credential(1));
    connection
}

#[test]
fn who_rejects_gets_the_next_one() {
    every_schedule(|| {
        let connection = opened();
        connection.flight.reject(1);
        assert_eq!(block_on(connection.waiter()), Told::Credential(2));
        assert_eq!(connection.end(), 2);
    });
}

/// Also run with a fault. Whoever waits wakes the task, too; here nobody does.
pub(crate) fn the_task_hears_of_a_rejection() {
    every_schedule(|| {
        let connection = opened();
        connection.flight.reject(1);
        block_on(connection.holds(2));
        assert_eq!(connection.end(), 2);
    });
}

#[test]
fn a_rejection_is_dealt_with_though_nobody_waits() {
    the_task_hears_of_a_rejection();
}

#[test]
fn one_that_was_never_given_cannot_be_rejected() {
    every_schedule(|| {
        let connection = opened();
        connection.flight.reject(2);
        connection.flight.reject(1);
        assert_eq!(block_on(connection.waiter()), Told::Credential(2));
        assert_eq!(connection.end(), 2);
    });
}

#[test]
fn two_who_reject_the_same_one_share_one_renewal() {
    every_schedule(|| {
        let connection = opened();
        let (flight, waiter) = (Arc::clone(&connection.flight), connection.waiter());
        let other = loom::thread::spawn(move || {
            flight.reject(1);
            block_on(waiter)
        });
        connection.flight.reject(1);
        let told = [block_on(connection.waiter()), other.join().unwrap()];
        assert_eq!(told, [Told::Credential(2), Told::Credential(2)]);
        assert_eq!(connection.end(), 2);
    });
}

#[test]
fn a_rejection_that_comes_late_does_not_undo_a_later_one() {
    every_schedule(|| {
        let connection = Connection::open(&[Ok(()), Ok(())]);
        let flight = Arc::clone(&connection.flight);
        let other = loom::thread::spawn(move || flight.reject(1));
        block_on(connection.holds(2));
        connection.flight.reject(2);
        assert_eq!(block_on(connection.waiter()), Told::Credential(3));
        other.join().unwrap();
        assert_eq!(connection.end(), 3);
    });
}

#[test]
fn a_rejection_that_comes_late_leaves_the_new_one_alone() {
    every_schedule(|| {
        // A second renewal is due by itself, while somebody rejects the first credential.
        let connection = Connection::open(&[Ok(()), Ok(())]);
        let flight = Arc::clone(&connection.flight);
        let other = loom::thread::spawn(move || flight.reject(1));
        let first = block_on(connection.waiter());
        other.join().unwrap();
        let last = block_on(connection.waiter());
        let (Told::Credential(first), Told::Credential(last)) = (first, last) else {
            panic!("no credential")
        };
        assert!(1 <= first && first <= last && last <= 3, "{last} after {first}");
        assert!(connection.flight.cell.generation() >= Some(last), "taken away");
        connection.end();
    });
}
