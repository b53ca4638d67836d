//! The component's memory: a block that was freed waits in the list of its size for the next that is wanted so large.
//!
//! A general allocator looks for a block that fits, splits it, and joins neighbours when it is freed: some 250 instructions for
//! every text of a credential, which is copied for each caller. What is asked for here has a few sizes, over and over, and
//! taking a block from a list takes ten. Blocks in a list are never joined, so memory is bounded by the most that was in use
//! of each size, not of all together; the host bounds it for good.

use core::alloc::{GlobalAlloc, Layout};
use core::cell::UnsafeCell;
use core::ptr;

/// Sizes are rounded up to a multiple of this.
const STEP: usize = 16;

/// Up to 2 KiB: a token of the usual length with its scheme. What is larger goes to the general allocator.
const LISTS: usize = 128;

/// What every block is aligned to: as much as any of our types wants.
const ALIGN: usize = 8;

/// Lists of free blocks before a general allocator.
pub(crate) struct Lists<A> {
    general: A,
    free: UnsafeCell<[*mut Free; LISTS]>,
}

/// A block that waits. The rest of it is what its last owner left.
struct Free {
    next: *mut Self,
}

impl<A> Lists<A> {
    pub(crate) const fn new(general: A) -> Self {
        Self { general, free: UnsafeCell::new([ptr::null_mut(); LISTS]) }
    }

    /// The list for such a block, and how it is asked of the general allocator: alike for all that the list is for.
    fn list(&self, layout: Layout) -> Option<(*mut *mut Free, Layout)> {
        let index = layout.size().wrapping_sub(1) / STEP;
        if index >= LISTS || layout.align() > ALIGN {
            return None;
        }
        let list = self.free.get().cast::<*mut Free>().wrapping_add(index);
        Some((list, Layout::from_size_align((index + 1) * STEP, ALIGN).ok()?))
    }
}

#[expect(unsafe_code, reason = "WebAssembly without threads: nobody is in here twice")]
// SAFETY: an instance of the component has one thread, and what is called here calls nothing back.
unsafe impl<A> Sync for Lists<A> {}

#[expect(unsafe_code, reason = "an allocator is made of this; each step says why it may")]
// SAFETY: a block is either in one list or with one owner. It got in by `dealloc`, so its owner is done with it, and
// with the layout that it was asked for with, so it is in the list that `alloc` looks into for such a layout; all blocks of
// a list have the size and the alignment of the largest layout that it is for. What is not for a list is the general
// allocator's from its beginning to its end, because that depends on the layout alone.
unsafe impl<A: GlobalAlloc> GlobalAlloc for Lists<A> {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let Some((list, block)) = self.list(layout) else {
            // SAFETY: the caller's layout, as it is.
            return unsafe { self.general.alloc(layout) };
        };
        // SAFETY: `list` is one of ours, which nobody else has a reference to.
        let first = unsafe { *list };
        if first.is_null() {
            // SAFETY: its size is a multiple of `STEP`, and not 0.
            return unsafe { self.general.alloc(block) };
        }
        // SAFETY: what is in a list was put there by `dealloc`, which wrote a `Free` into it.
        unsafe { *list = (*first).next };
        first.cast()
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        let Some((list, _)) = self.list(layout) else {
            // SAFETY: as it was asked for: the same layout was not for a list then.
            return unsafe { self.general.dealloc(pointer, layout) };
        };
        let block = pointer.cast::<Free>();
        // SAFETY: the block is the caller's until now, at least `STEP` bytes long and aligned for a pointer.
        unsafe {
            block.write(Free { next: *list });
            *list = block;
        }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: the caller guarantees that the size, rounded up to the alignment, is no overflow.
        let wanted = unsafe { Layout::from_size_align_unchecked(size, layout.align()) };
        match (self.list(layout), self.list(wanted)) {
            // SAFETY: both are the general allocator's.
            (None, None) => return unsafe { self.general.realloc(pointer, layout, size) },
            // The block has room for all that its list is for.
            (Some((before, _)), Some((after, _))) if before == after => return pointer,
            _ => {}
        }
        // SAFETY: the caller asks for such a layout, and `size` is not 0.
        let moved = unsafe { self.alloc(wanted) };
        if !moved.is_null() {
            // SAFETY: two blocks, both as long as what is copied; the old one is the caller's.
            unsafe {
                ptr::copy_nonoverlapping(pointer, moved, layout.size().min(size));
                self.dealloc(pointer, layout);
            }
        }
        moved
    }
}
