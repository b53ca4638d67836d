//! The component's allocator, natively before the system's: nobody is given what another still has.

// What the component uses, tried where a mistake can be seen.
#[path = "../../guest/component/src/allocator.rs"]
mod lists;

use std::alloc::{GlobalAlloc as _, Layout, System};

use keyless_engine::entropy::Entropy;
use lists::Lists;

/// A block that somebody has, filled with a byte of his own.
struct Block {
    pointer: *mut u8,
    layout: Layout,
    mark: u8,
}

#[expect(unsafe_code, reason = "an allocator cannot be called otherwise")]
impl Block {
    fn new(lists: &Lists<System>, layout: Layout, mark: u8) -> Self {
        // SAFETY: no size here is 0.
        let pointer = unsafe { lists.alloc(layout) };
        assert!(!pointer.is_null() && pointer.addr().is_multiple_of(layout.align()), "{layout:?}");
        Self { pointer, layout, mark }.filled()
    }

    fn filled(self) -> Self {
        // SAFETY: all of it is this block's.
        unsafe { self.pointer.write_bytes(self.mark, self.layout.size()) };
        self
    }

    /// As its owner left it, the first `length` bytes.
    fn is_whole(&self, length: usize) -> bool {
        // SAFETY: it was filled, and is this block's.
        let bytes = unsafe { std::slice::from_raw_parts(self.pointer, length) };
        bytes.iter().all(|byte| *byte == self.mark)
    }

    fn resized(self, lists: &Lists<System>, size: usize) -> Self {
        // SAFETY: as it was asked for; `size` is not 0.
        let pointer = unsafe { lists.realloc(self.pointer, self.layout, size) };
        let layout = Layout::from_size_align(size, self.layout.align()).unwrap();
        let block = Self { pointer, layout, mark: self.mark };
        assert!(block.is_whole(size.min(self.layout.size())), "{:?} to {size}", self.layout);
        block.filled()
    }

    fn freed(self, lists: &Lists<System>) {
        assert!(self.is_whole(self.layout.size()), "{:?}", self.layout);
        // SAFETY: as it was asked for, and nobody has it any more.
        unsafe { lists.dealloc(self.pointer, self.layout) };
    }
}

#[test]
fn nobody_is_given_what_another_has() {
    let (lists, mut dice) = (Lists::new(System), Entropy::default());
    let mut below = |most: u64| usize::try_from(dice.up_to(most - 1)).unwrap();
    let mut held: Vec<Block> = Vec::new();
    for step in 0..200_000_u32 {
        let mark = step.to_le_bytes()[0];
        // Around the ends of every list; sometimes far beyond.
        let size = 1 + if below(8) == 0 { below(90_000) } else { below(2_100) };
        match below(4) {
            0 | 1 if held.len() < 300 => {
                let layout = Layout::from_size_align(size, 1 << below(5)).unwrap();
                held.push(Block::new(&lists, layout, mark));
            }
            2 if !held.is_empty() => {
                let block = held.swap_remove(below(held.len() as u64));
                held.push(block.resized(&lists, size));
            }
            _ if !held.is_empty() => held.swap_remove(below(held.len() as u64)).freed(&lists),
            _ => {}
        }
    }
    held.into_iter().for_each(|block| block.freed(&lists));
}

#[test]
fn what_was_freed_is_given_again() {
    let (lists, layout) = (Lists::new(System), Layout::from_size_align(1_207, 1).unwrap());
    let block = Block::new(&lists, layout, 1);
    let first = block.pointer;
    block.freed(&lists);
    let again = Block::new(&lists, Layout::from_size_align(1_201, 16).unwrap(), 2);
    assert_eq!(again.pointer, first);
    again.freed(&lists);
}
