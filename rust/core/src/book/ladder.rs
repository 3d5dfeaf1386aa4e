//! One side of a book: queues by price in pages that are made when a price is first used, with a bitmap of the
//! queues in use. Keys are mirrored so that the best price of either side is the lowest key.

use super::{NO_SLOT, at};
use crate::units::Qty;
use core::iter::successors;

/// The end of a ladder.
const NO_KEY: u32 = u32::MAX;
/// A page that was not made yet.
const NO_PAGE: u32 = u32::MAX;
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
}

/// The queues of one side by key; the lowest key is the best price.
#[derive(Debug, Clone)]
pub(super) struct Ladder {
    /// Lowest marked key, or [`NO_KEY`].
    best: u32,
    /// Layer 0 has a bit per key, each layer above a bit per word of the layer below it.
    marks: [Vec<u64>; LAYERS],
    /// Where the page of each run of keys begins, or [`NO_PAGE`].
    table: Vec<u32>,
    /// The pages, one behind the other.
    queues: Vec<Queue>,
}

impl Ladder {
    pub(super) fn new(keys: u32) -> Self {
        let mut words = at(keys);
        let marks = core::array::from_fn(|_| {
            words = (words + 63) >> WORD_BITS;
            vec![0; words]
        });
        let table = vec![NO_PAGE; (at(keys) + PAGE_LEN - 1) >> PAGE_BITS];
        Self { best: NO_KEY, marks, table, queues: Vec::new() }
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
        &self.queues[at(self.table[at(key >> PAGE_BITS)]) + (at(key) & (PAGE_LEN - 1))]
    }

    /// The queue of a key in use.
    #[inline(always)]
    pub(super) fn queue_mut(&mut self, key: u32) -> &mut Queue {
        &mut self.queues[at(self.table[at(key >> PAGE_BITS)]) + (at(key) & (PAGE_LEN - 1))]
    }

    /// The queue of any key.
    #[inline(always)]
    pub(super) fn open(&mut self, key: u32) -> &mut Queue {
        let mut page = self.table[at(key >> PAGE_BITS)];
        if page == NO_PAGE {
            page = self.add_page(key);
        }
        &mut self.queues[at(page) + (at(key) & (PAGE_LEN - 1))]
    }

    #[inline(never)]
    fn add_page(&mut self, key: u32) -> u32 {
        let page = u32::try_from(self.queues.len()).expect("as many queues as keys at most, and a page");
        self.table[at(key >> PAGE_BITS)] = page;
        self.queues.resize(at(page) + PAGE_LEN, Queue::EMPTY);
        page
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

impl Ladder {
    /// Makes a ladder of no keys one of so many.
    pub(super) fn make(&mut self, keys: u32) {
        if self.table.is_empty() {
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
            + self.table.len() * size_of::<u32>()
            + self.queues.len() * size_of::<Queue>()
    }

    /// Asserts that a queue is marked if and only if it holds an order.
    pub(super) fn check(&self) {
        let mut queues = 0;
        for (run, &page) in self.table.iter().enumerate().filter(|(_, page)| **page != NO_PAGE) {
            for (i, queue) in self.queues[at(page)..][..PAGE_LEN].iter().enumerate() {
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
