//! Room for the status of an answer, so that neither the allocator nor what wipes its memory has anything to do for it: the
//! status of every answer is looked at.

use core::cell::{Cell, UnsafeCell};
use core::ptr;

const SIZE: usize = 3;

pub(crate) struct Room {
    bytes: UnsafeCell<[u8; SIZE]>,
    lent: Cell<bool>,
}

// SAFETY: as of `Instance`: there is one thread, and nothing is ever shared between two.
unsafe impl Sync for Room {}

pub(crate) static ROOM: Room = Room { bytes: UnsafeCell::new([0; SIZE]), lent: Cell::new(false) };

impl Room {
    /// From here on the host gets this memory, and no other, for what it returns.
    pub(crate) fn lend(&self) {
        self.lent.set(true);
    }

    /// What the host has written. To be called when its function has returned.
    pub(crate) fn take_back(&self) -> [u8; SIZE] {
        self.lent.set(false);
        // SAFETY: a host of this ABI writes what it returns before its function does, and only to memory that it got
        // during it; and no reference to these bytes is ever made. So nobody writes to them now.
        unsafe { *self.bytes.get() }
    }

    /// None: it is not lent. Null, which the host takes for a failure: it is too small.
    pub(crate) fn for_so_many(&self, size: usize) -> Option<*mut u8> {
        self.lent.get().then(|| if size <= SIZE { self.bytes.get().cast() } else { ptr::null_mut() })
    }
}
