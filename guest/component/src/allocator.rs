//! The component's memory: a block that was freed waits in the list of its size for the next that is wanted so large.
//!
//! A general allocator looks for a block that fits, splits it, and joins neighbours when it is freed: some 250 instructions for
//! every text of a credential, which is copied for each caller. What is asked for here has a few sizes, over and over, and
//! taking a block from a list takes ten. Blocks are never split or joined, so memory is bounded by the most that was in use
//! of each size, not of all together; the host bounds it for good.

use core::alloc::{GlobalAlloc, Layout};
use core::cell::UnsafeCell;
use core::ptr;

/// What every block is aligned to, and the smallest: more than any of our types wants.
const STEP: usize = 16;

/// Up to here there is a list for each multiple of [`STEP`]: a token of the usual length with its scheme.
const SMALL: usize = 2048;
const SMALL_LISTS: usize = SMALL / STEP;

/// Beyond, for each power of two. How much an instance may have in all is for the host to say.
const LARGE: u32 = SMALL.ilog2() + 1;
const LARGEST: u32 = 30;
const LISTS: usize = SMALL_LISTS + (LARGEST - LARGE + 1) as usize;

/// Lists of free blocks, and where fresh ones come from: they are never given back there.
pub(crate) struct Lists<A> {
    fresh: A,
    free: UnsafeCell<[*mut Free; LISTS]>,
}

/// A block that waits. The rest of it is what its last owner left.
struct Free {
    next: *mut Self,
}

impl<A> Lists<A> {
    pub(crate) const fn new(fresh: A) -> Self {
        Self { fresh, free: UnsafeCell::new([ptr::null_mut(); LISTS]) }
    }

    fn list(&self, index: usize) -> *mut *mut Free {
        self.free.get().cast::<*mut Free>().wrapping_add(index)
    }
}

/// Which list is for that, and how large its blocks are. `None`: nobody needs such a block.
fn place(layout: Layout) -> Option<(usize, usize)> {
    let last = layout.size().wrapping_sub(1);
    if layout.align() > STEP || last >= 1 << LARGEST {
        return None;
    }
    if last < SMALL {
        return Some((last / STEP, (last / STEP + 1) * STEP));
    }
    let bits = last.ilog2() + 1;
    Some((SMALL_LISTS + (bits - LARGE) as usize, 1 << bits))
}

#[expect(unsafe_code, reason = "WebAssembly without threads: nobody is in here twice")]
// SAFETY: an instance of the component has one thread, and what is called here calls nothing back.
unsafe impl<A> Sync for Lists<A> {}

#[expect(unsafe_code, reason = "an allocator is made of this; each step says why it may")]
// SAFETY: a block is either in one list or with one owner. It got in by `dealloc`, so its owner is done with it, and
// with the layout that it was asked for with, so it is in the list that `alloc` looks into for such a layout: `place` depends
// on the layout alone. All blocks of a list have the same size, at least that of any layout that it is for, and are aligned to
// `STEP`, which is at least what any layout wants that has a place.
unsafe impl<A: GlobalAlloc> GlobalAlloc for Lists<A> {
    // Not inlined: it would be copied to wherever something is allocated; likewise below.
    #[inline(never)]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let Some((index, size)) = place(layout) else { return ptr::null_mut() };
        let list = self.list(index);
        // SAFETY: `place` gives an index below `LISTS`, and nobody else has a reference into the lists.
        let first = unsafe { *list };
        if first.is_null() {
            // SAFETY: `STEP` is a power of two, and no size is 0 or near the end of the address space.
            return unsafe { self.fresh.alloc(Layout::from_size_align_unchecked(size, STEP)) };
        }
        // SAFETY: what is in a list was put there by `dealloc`, which wrote a `Free` into it.
        unsafe { *list = (*first).next };
        first.cast()
    }

    #[inline(never)]
    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // Always: it was asked for with that layout, and given.
        let Some((index, _)) = place(layout) else { return };
        let (list, block) = (self.list(index), pointer.cast::<Free>());
        // SAFETY: the block is the caller's until now, at least `STEP` bytes long and aligned for a pointer.
        unsafe {
            block.write(Free { next: *list });
            *list = block;
        }
    }
}

/// The memory of an instance, from its end on: every block behind the one before.
#[cfg(target_arch = "wasm32")]
pub(crate) struct Pages {
    /// Where the next block begins, and where the memory ends.
    rest: UnsafeCell<(usize, usize)>,
}

#[cfg(target_arch = "wasm32")]
impl Pages {
    pub(crate) const fn new() -> Self {
        Self { rest: UnsafeCell::new((0, 0)) }
    }
}

#[cfg(target_arch = "wasm32")]
#[expect(unsafe_code, reason = "as above")]
// SAFETY: what was given begins where no block was given before, in memory that is there: it grew by what is given and more.
// Pages begin at multiples of 64 KiB and only multiples of `STEP` are asked for, so all blocks are aligned to it.
unsafe impl GlobalAlloc for Pages {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        const PAGE: usize = 64 * 1024;
        // SAFETY: one thread, and nothing in here calls back.
        let (next, end) = unsafe { &mut *self.rest.get() };
        if *end - *next < layout.size() {
            let before = core::arch::wasm32::memory_grow::<0>(layout.size().div_ceil(PAGE));
            if before == usize::MAX {
                return ptr::null_mut();
            }
            if before * PAGE != *end {
                *next = before * PAGE;
            }
            *end = before * PAGE + layout.size().div_ceil(PAGE) * PAGE;
        }
        let block = *next;
        *next += layout.size();
        ptr::with_exposed_provenance_mut(block)
    }

    unsafe fn dealloc(&self, _: *mut u8, _: Layout) {}
}
