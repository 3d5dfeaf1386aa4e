//! The list that a batch's events are written into.

use super::Record;
#[cfg(doc)]
use super::word;
use crate::units::Nanos;

/// The events of a batch, in order, with what every event of a step has in common.
#[derive(Debug, Default, Clone)]
pub struct Events {
    records: Vec<Record>,
    venue: u16,
    /// The venue where it stands in the first word of an event.
    head: u64,
    source: u8,
    at: i64,
    /// Number of the first event of the list.
    first: u64,
}

impl Events {
    /// An empty list.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty list with room for `capacity` events.
    #[must_use]
    pub fn with_capacity(capacity: usize) -> Self {
        Self { records: Vec::with_capacity(capacity), ..Self::default() }
    }

    /// The events so far.
    #[must_use]
    pub fn as_slice(&self) -> &[Record] {
        &self.records
    }

    /// Number of events.
    #[must_use]
    pub fn len(&self) -> usize {
        self.records.len()
    }

    /// True without events.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// Forgets the events and keeps the room.
    pub fn clear(&mut self) {
        self.first = self.next_seq();
        self.records.clear();
    }

    /// The events as a vector.
    #[must_use]
    pub fn into_vec(self) -> Vec<Record> {
        self.records
    }

    /// Sets what the following events share: venue, time, source and the number of the last event.
    #[inline(always)]
    pub fn begin(&mut self, venue: u16, at: Nanos, source: u8, seq: u64) {
        self.venue = venue;
        self.head = u64::from(venue) << 32;
        self.stamp(at, source);
        // Wrapping: the list may hold more events than were numbered before.
        self.first = seq.wrapping_add(1).wrapping_sub(number(self.records.len()));
    }

    /// Sets time and source of the following events.
    #[inline(always)]
    pub(crate) fn stamp(&mut self, at: Nanos, source: u8) {
        self.at = at.get();
        self.source = source;
    }

    /// The number of the last event.
    #[inline(always)]
    pub(crate) fn seq(&self) -> u64 {
        self.next_seq().wrapping_sub(1)
    }

    /// The number of the next event.
    #[inline(always)]
    fn next_seq(&self) -> u64 {
        // Wrapping: the sum is one more than the number of the last event, and 64 bits number more than there can be.
        self.first.wrapping_add(number(self.records.len()))
    }

    /// Appends an event: stamps `record`'s kind and payload with the step's header.
    #[inline(always)]
    pub fn push(&mut self, record: Record) {
        let seq = self.next_seq();
        let Self { venue, source, at, .. } = *self;
        self.records.push(Record { venue, at, seq, source, ..record });
    }

    /// Makes room for so many events more.
    #[inline(always)]
    pub(crate) fn make_room(&mut self, events: usize) {
        self.records.reserve(events);
    }

    /// Appends an event that is given as words: see [`word`]. Venue and number are filled in, and there is room for it: so
    /// nothing is called, and nobody has to keep what they have at hand safe from it.
    #[inline(always)]
    pub(crate) fn write(&mut self, words: [u64; 8]) {
        let [head, at, _, rest @ ..] = words;
        let head = head | self.head;
        let [who, order, price, qty, amount] = rest;
        let seq = self.next_seq();
        if self.records.len() == self.records.capacity() {
            no_room();
        }
        self.records.push(bytemuck::cast([head, at, seq, who, order, price, qty, amount]));
    }

    /// Takes back the last event, which nobody has seen.
    #[inline(always)]
    pub(crate) fn take_back(&mut self) {
        self.records.pop();
    }
}

#[cold]
#[inline(never)]
fn no_room() -> ! {
    panic!("no room was made for an event");
}

/// A length as a number of 64 bits.
#[inline(always)]
fn number(length: usize) -> u64 {
    u64::try_from(length).expect("lengths have at most 64 bits")
}
