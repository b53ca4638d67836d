//! Waiting for something that another task brings about.

use alloc::vec::Vec;
use core::cell::{Cell, RefCell};
use core::future::poll_fn;
use core::task::{Poll, Waker};

/// Rung by whoever changed something; heard by all who wait for it.
#[derive(Default)]
pub(crate) struct Bell {
    seats: Cell<u64>,
    listening: RefCell<Vec<(u64, Waker)>>,
}

impl Bell {
    /// Asks now, and again whenever it rings, until there is an answer.
    pub(crate) async fn until<T>(&self, mut ask: impl FnMut() -> Option<T>) -> T {
        let seat = Seat::of(self);
        poll_fn(|context| match ask() {
            Some(answer) => Poll::Ready(answer),
            None => {
                seat.listen(context.waker());
                Poll::Pending
            }
        })
        .await
    }

    pub(crate) fn ring(&self) {
        for (_, waker) in self.listening.take() {
            waker.wake();
        }
    }
}

/// One who waits. Who is called off leaves: a bell must not wake a task that is no more.
struct Seat<'b> {
    bell: &'b Bell,
    number: u64,
}

impl<'b> Seat<'b> {
    fn of(bell: &'b Bell) -> Self {
        let number = bell.seats.get();
        bell.seats.set(number + 1);
        Self { bell, number }
    }

    fn listen(&self, waker: &Waker) {
        let mut listening = self.bell.listening.borrow_mut();
        match listening.iter_mut().find(|(number, _)| *number == self.number) {
            Some((_, known)) => known.clone_from(waker),
            None => listening.push((self.number, waker.clone())),
        }
    }
}

impl Drop for Seat<'_> {
    fn drop(&mut self) {
        self.bell.listening.borrow_mut().retain(|(number, _)| *number != self.number);
    }
}
