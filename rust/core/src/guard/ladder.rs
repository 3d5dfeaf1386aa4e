//! Keys of one price and one direction, the tightest of which are found first.
//!
//! A key is a price with an account, negated if it fears a rise: so of two keys the greater is the tighter, and a
//! price `p` has crossed those above `p` (above `-p`). Keys lie without order in buckets as wide as a few parts in
//! ten thousand of the price; only the bucket in which the price stands becomes a heap. Keys that an account has
//! given up stay until they are met, or until their bucket would have to grow.

use crate::units::AccountId;
use std::collections::BinaryHeap;

/// Leading bits of a price that tell its bucket: lower prices have one each, of higher ones each is 1.2 to 2.4 parts
/// in ten thousand wide.
const FINE_BITS: u32 = 12;
/// How many buckets the price may leave the front behind before its keys go back to theirs.
const STRAY_BUCKETS: u32 = 16;
/// Bits of the number of a bit in a word.
const WORD_BITS: u32 = u64::BITS.ilog2();

/// The bucket of a price.
fn bucket_of(price: u32) -> u32 {
    let shift = (u32::BITS - price.leading_zeros()).saturating_sub(FINE_BITS);
    (shift << (FINE_BITS - 1)) + (price >> shift)
}

/// The lowest and the highest price of a bucket.
fn prices_of(bucket: u32) -> (u32, u32) {
    let shift = (bucket >> (FINE_BITS - 1)).saturating_sub(1);
    let first = bucket - (shift << (FINE_BITS - 1));
    (first << shift, ((first + 1) << shift) - 1)
}

#[allow(clippy::as_conversions, reason = "an index has at least 32 bits wherever this crate is built")]
const fn at(number: u32) -> usize {
    number as usize
}

/// A key and its account in one word, ordered as the keys are.
fn packed(key: i32, account: AccountId) -> u64 {
    (u64::from(key.cast_unsigned() ^ 1 << 31) << 32) | u64::from(account.get())
}

fn unpacked(word: u64) -> (i32, AccountId) {
    let half = |word: u64| u32::try_from(word & u64::from(u32::MAX)).expect("masked to 32 bits");
    ((half(word >> 32) ^ 1 << 31).cast_signed(), AccountId::new(half(word)))
}

/// The word that a number's bit is in, and the bit.
const fn place(number: u32) -> (usize, u64) {
    (at(number >> WORD_BITS), 1 << (number & (u64::BITS - 1)))
}

/// Which numbers below a bound are in a set; the greatest is found in three steps.
#[derive(Debug, Clone, Default)]
struct Bits([Vec<u64>; 3]);

impl Bits {
    fn new(count: u32) -> Self {
        let words = |level: u32| vec![0; at(((count - 1) >> (level * WORD_BITS)) + 1)];
        Self([words(1), words(2), words(3)])
    }

    fn insert(&mut self, number: u32) {
        let mut number = number;
        for level in &mut self.0 {
            let (word, bit) = place(number);
            level[word] |= bit;
            number >>= WORD_BITS;
        }
    }

    fn remove(&mut self, number: u32) {
        let mut number = number;
        for level in &mut self.0 {
            let (word, bit) = place(number);
            level[word] &= !bit;
            if level[word] != 0 {
                return;
            }
            number >>= WORD_BITS;
        }
    }

    fn greatest(&self) -> Option<u32> {
        // Bounded prices have fewer than 64^3 buckets: the last level is one word.
        let mut number = 0;
        for level in self.0.iter().rev() {
            let word = level.get(at(number)).copied().unwrap_or_default();
            number = (number << WORD_BITS) + word.checked_ilog2()?;
        }
        Some(number)
    }
}

/// All keys of one direction.
#[derive(Debug, Clone)]
pub(super) struct Ladder {
    /// Keys are negative.
    rises: bool,
    /// The bucket of the highest price.
    last: u32,
    /// The list of each bucket that ever had a key, counted from 1; empty until the first key comes. Zeros cost
    /// nothing before they are written.
    lists: Vec<u32>,
    buckets: Vec<Vec<u64>>,
    filled: Bits,
    /// The keys of this bucket and of tighter ones, while there are any.
    front_bucket: u32,
    front: BinaryHeap<u64>,
    /// Keys that were crossed with their whole bucket.
    crossed: Vec<u64>,
}

impl Ladder {
    pub(super) fn new(rises: bool, price_max: u32) -> Self {
        Self {
            rises,
            last: bucket_of(price_max),
            lists: Vec::new(),
            buckets: Vec::new(),
            filled: Bits::default(),
            front_bucket: u32::MAX,
            front: BinaryHeap::new(),
            crossed: Vec::new(),
        }
    }

    /// The bucket of a key, higher ones tighter.
    fn bucket(&self, key: i32) -> u32 {
        let bucket = bucket_of(key.unsigned_abs());
        if self.rises { self.last - bucket } else { bucket }
    }

    /// Adds a key; `is_live` says which keys an account still has.
    pub(super) fn push(&mut self, key: i32, account: AccountId, is_live: impl Fn(i32, AccountId) -> bool) {
        let is_live = |word: &u64| {
            let (key, account) = unpacked(*word);
            is_live(key, account)
        };
        let bucket = self.bucket(key);
        if bucket >= self.front_bucket {
            if self.front.len() == self.front.capacity() {
                self.front.retain(is_live);
                self.front.reserve(self.front.len() + 1);
            }
            return self.front.push(packed(key, account));
        }
        if self.lists.is_empty() {
            self.lists = vec![0; at(self.last + 1)];
            self.filled = Bits::new(self.last + 1);
        }
        let list = &mut self.lists[at(bucket)];
        if *list == 0 {
            self.buckets.push(Vec::new());
            *list += u32::try_from(self.buckets.len()).expect("fewer buckets than prices");
        }
        let keys = &mut self.buckets[at(*list - 1)];
        if keys.is_empty() {
            self.filled.insert(bucket);
        } else if keys.len() == keys.capacity() {
            keys.retain(is_live);
            keys.reserve(keys.len() + 1);
        }
        keys.push(packed(key, account));
    }

    /// Takes a key out that is above `mark`: the price, negated as the keys are. None if no more is.
    pub(super) fn next_above(&mut self, mark: i32) -> Option<(i32, AccountId)> {
        let here = self.bucket(mark);
        loop {
            if let Some(word) = self.crossed.pop() {
                return Some(unpacked(word));
            }
            if let Some(&top) = self.front.peek() {
                if self.front_bucket > here {
                    self.crossed.extend(self.front.drain());
                    self.front_bucket = u32::MAX;
                    continue;
                }
                let found = unpacked(top);
                if found.0 <= mark {
                    if self.front_bucket + STRAY_BUCKETS < here {
                        self.disband();
                    }
                    return None;
                }
                self.front.pop();
                return Some(found);
            }
            self.front_bucket = u32::MAX;
            let bucket = self.filled.greatest().filter(|bucket| *bucket >= here)?;
            self.filled.remove(bucket);
            let keys = &mut self.buckets[at(self.lists[at(bucket)] - 1)];
            if bucket > here {
                std::mem::swap(&mut self.crossed, keys);
            } else {
                self.front.extend(keys.drain(..));
                self.front_bucket = bucket;
            }
        }
    }

    /// No key is above this; it may be that none comes near. None without keys.
    pub(super) fn bound(&self) -> Option<i32> {
        if let Some(&top) = self.front.peek() {
            return Some(unpacked(top).0);
        }
        let bucket = self.filled.greatest()?;
        let (low, high) = prices_of(if self.rises { self.last - bucket } else { bucket });
        Some(if self.rises { -low.cast_signed() } else { high.cast_signed() })
    }

    /// The front's keys go back to their buckets.
    fn disband(&mut self) {
        self.front_bucket = u32::MAX;
        for word in std::mem::take(&mut self.front).into_vec() {
            let (key, account) = unpacked(word);
            self.push(key, account, |_, _| true);
        }
    }

    /// Bytes kept.
    pub(super) fn bytes(&self) -> usize {
        let words = self.buckets.iter().map(Vec::capacity).sum::<usize>();
        let words = words + self.front.capacity() + self.crossed.capacity();
        let tables =
            self.lists.capacity() * size_of::<u32>() + self.buckets.capacity() * size_of::<Vec<u64>>();
        words * size_of::<u64>() + tables
    }
}
