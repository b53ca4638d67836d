//! The host's snapshot cell and its single flight, run through every order in which two or three threads can take their
//! steps, with up to three switches in places where the thread could have gone on ([`threads::every_schedule`]). The code
//! is `host/src/flight`, file by file; loom chooses the order.
//!
//! What is shown is the protocol, on primitives that keep their word ([`flight`]). That the tests can fail is shown with
//! primitives that do not ([`faults`]).

// Helpers of tests count as tests, which clippy cannot know of a file outside `#[test]`.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "nothing but tests in this crate")]

mod closing;
mod faults;
mod flight;
mod reading;
mod rejecting;
mod stage;
mod threads;
mod waiting;
