//! The tests notice primitives that do not keep their word.

use crate::flight::{Fault, with_fault};
use crate::{reading, rejecting, waiting};

#[test]
#[should_panic(expected = "Causality violation")]
fn a_snapshot_that_is_published_before_it_is_written() {
    with_fault(Fault::Torn, reading::snapshots_are_whole_and_never_go_back);
}

#[test]
#[should_panic(expected = "deadlock")]
fn a_word_that_is_lost() {
    with_fault(Fault::Unheard, rejecting::the_task_hears_of_a_rejection);
}

#[test]
#[should_panic(expected = "deadlock")]
fn a_change_that_is_not_seen() {
    with_fault(Fault::Unseen, waiting::one_exchange_serves_all);
}
