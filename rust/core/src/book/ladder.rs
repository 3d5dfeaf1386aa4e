//! One side of a book: queues by price in pages that are made when a price is first used, with a bitmap of the
//! queues in use. Keys are mirrored so that the best price of either side is the lowest key.

use super::{NO_SLOT, at};
use crate::units::Qty;
use core::iter::successors;

/// The end of a ladder.
const NO_KEY: u32 = u32::MAX;
/// Queues of a page, as a power of two.
const PAGE_BITS: u32 = 9;
const PAGE_LEN: usize = 1 << PAGE_BITS;
/// Layers of 64-ary bitmap: 64^4 keys are the widest price domain.
const LAYERS: usize = 4;
const WORD_BITS: u32 = 6;

/// The orders of one side at one price, longest resting first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Queue {
    pub(super) qty: Qty,
    pub(super) head: u32,
    pub(super) tail: u32,
    pub(super) count: u32,
}

impl Queue {
    pub(super) const EMPTY: Self = Self { qty: Qty::ZERO, head: NO_SLOT, tail: NO_SLOT, count: 0 };

    /// An order more. In range without a check: the configuration proves that the sum of `orders_max` orders of the
    /// largest quantity fits, and slots have 24 bits.
    #[inline(always)]
    pub(super) fn gain(&mut self, qty: Qty) {
        self.qty = self.qty.plus_proven(qty);
        self.count = self.count.wrapping_add(1);
    }

    /// An order less, one of those that were gained: nothing goes below zero.
    #[inline(always)]
    pub(super) fn lose(&mut self, qty: Qty) {
        debug_assert!(self.count > 0);
        self.qty = self.qty.minus_proven(qty);
        self.count = self.count.wrapping_sub(1);
    }
}

/// A run of queues.
type Page = [Queue; PAGE_LEN];

/// The queues of one side by key; the lowest key is the best price.
#[derive(Debug, Clone)]
pub(super) struct Ladder {
    /// Lowest marked key, or [`NO_KEY`].
    best: u32,
    /// Layer 0 has a bit per key, each layer above a bit per word of the layer below it.
    marks: [Vec<u64>; LAYERS],
    /// The queues of each run of keys, made when one of them is first used.
    pages: Vec<Option<Box<Page>>>,
}

impl Ladder {
    pub(super) fn new(keys: u32) -> Self {
        let mut words = at(keys);
        let marks = core::array::from_fn(|_| {
            words = (words + 63) >> WORD_BITS;
            vec![0; words]
        });
        let pages = vec![None; (at(keys) + PAGE_LEN - 1) >> PAGE_BITS];
        Self { best: NO_KEY, marks, pages }
    }

    /// Best key of all.
    #[inline(always)]
    pub(super) fn first(&self) -> Option<u32> {
        (self.best != NO_KEY).then_some(self.best)
    }

    /// Best key of all, or beyond all keys.
    #[inline(always)]
    pub(super) fn best(&self) -> u32 {
        self.best
    }

    /// Best key after this one.
    pub(super) fn next_after(&self, key: u32) -> Option<u32> {
        let mut bit = key;
        for (layer, words) in self.marks.iter().enumerate() {
            let later = words[at(bit >> WORD_BITS)] & ((u64::MAX - 1) << (bit & 63));
            if later != 0 {
                let found = (bit & !63) | later.trailing_zeros();
                let down = self.marks[..layer].iter().rev();
                return Some(down.fold(found, |b, words| (b << WORD_BITS) | words[at(b)].trailing_zeros()));
            }
            bit >>= WORD_BITS;
        }
        None
    }

    /// Keys in use, best first.
    pub(super) fn keys(&self) -> impl Iterator<Item = u32> {
        successors(self.first(), |&key| self.next_after(key))
    }

    /// The queue of a key in use.
    #[inline(always)]
    pub(super) fn queue(&self, key: u32) -> &Queue {
        let page = self.pages[at(key >> PAGE_BITS)].as_ref().expect("a key in use has a page");
        &page[at(key) & (PAGE_LEN - 1)]
    }

    /// The queue of a key in use.
    #[inline(always)]
    pub(super) fn queue_mut(&mut self, key: u32) -> &mut Queue {
        let page = self.pages[at(key >> PAGE_BITS)].as_mut().expect("a key in use has a page");
        &mut page[at(key) & (PAGE_LEN - 1)]
    }

    /// The queue of a key, if its page is there.
    #[inline(always)]
    pub(super) fn made(&mut self, key: u32) -> Option<&mut Queue> {
        let page = self.pages.get_mut(at(key >> PAGE_BITS))?.as_mut()?;
        Some(&mut page[at(key) & (PAGE_LEN - 1)])
    }

    /// The queue of any key.
    #[inline(always)]
    pub(super) fn open(&mut self, key: u32) -> &mut Queue {
        let page = self.pages[at(key >> PAGE_BITS)].get_or_insert_with(new_page);
        &mut page[at(key) & (PAGE_LEN - 1)]
    }

    pub(super) fn mark(&mut self, key: u32) {
        let mut bit = key;
        for words in &mut self.marks {
            let word = &mut words[at(bit >> WORD_BITS)];
            let was_empty = *word == 0;
            *word |= 1 << (bit & 63);
            if !was_empty {
                break;
            }
            bit >>= WORD_BITS;
        }
        self.best = self.best.min(key);
    }

    pub(super) fn unmark(&mut self, key: u32) {
        let mut bit = key;
        for words in &mut self.marks {
            let word = &mut words[at(bit >> WORD_BITS)];
            *word &= !(1 << (bit & 63));
            if *word != 0 {
                break;
            }
            bit >>= WORD_BITS;
        }
        if self.best == key {
            self.best = self.next_after(key).unwrap_or(NO_KEY);
        }
    }
}

#[inline(never)]
fn new_page() -> Box<Page> {
    Box::new([Queue::EMPTY; PAGE_LEN])
}

impl Ladder {
    /// Makes a ladder of no keys one of so many.
    pub(super) fn make(&mut self, keys: u32) {
        if self.pages.is_empty() {
            *self = Self::new(keys);
        }
    }

    /// True if no queue holds an order.
    pub(super) fn is_empty(&self) -> bool {
        self.best == NO_KEY
    }

    /// Bytes of pages and bitmaps.
    pub(super) fn bytes(&self) -> usize {
        let words: usize = self.marks.iter().map(Vec::len).sum();
        words * size_of::<u64>()
            + self.pages.len() * size_of::<Option<Box<Page>>>()
            + self.pages.iter().flatten().count() * size_of::<Page>()
    }

    /// Asserts that a queue is marked if and only if it holds an order.
    pub(super) fn check(&self) {
        let mut queues = 0;
        for (run, page) in self.pages.iter().enumerate() {
            for (i, queue) in page.iter().flat_map(|page| page.iter()).enumerate() {
                let key = (run << PAGE_BITS) | i;
                let marked =
                    self.marks[0].get(key >> WORD_BITS).is_some_and(|word| word >> (key & 63) & 1 == 1);
                assert_eq!(marked, queue.count > 0, "key {key}: the mark is wrong");
                assert!(marked || *queue == Queue::EMPTY, "key {key}: something is left behind");
                queues += usize::from(marked);
            }
        }
        assert_eq!(self.keys().count(), queues);
        assert!(self.keys().is_sorted());
    }
}
