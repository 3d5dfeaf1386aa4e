//! The core venue run twice: once on a stream, once on the stream changed in a way whose effect is known.
//!
//! A stream names orders by the acceptance numbers of its own run. A changed run gives other numbers, so a tape
//! translates both ways; orders that only the changed run has stay out of the stream's numbers.

use crate::duel::{has_given_id, names_order};
use crate::naive::words::{command, event};
use crate::naive::{NO_MARKET, Naive, SLOT_BITS};
use crate::orders::{Dialect, Writer};
use seawall_core::{Config, Events, Record, Venue};
use serde_json::Value;
use std::collections::BTreeMap;

const SLOT_MASK: u64 = (1 << SLOT_BITS) - 1;
/// No order has this id.
const NO_ORDER: u64 = u64::MAX >> 1;

/// A random stream for a configuration; `keep` may change a command before it counts, or leave it out.
pub fn stream(
    config: &Value,
    seed: u64,
    length: usize,
    keep: impl Fn(&Record) -> Option<Record>,
) -> Vec<Record> {
    let mut naive = Naive::new(config);
    let mut writer = Writer::new(seed, Dialect::Full);
    let mut commands = Vec::new();
    while commands.len() < length {
        let r = writer.next(&naive);
        let r = keep(&r).unwrap_or_else(|| pulse_before(&r));
        writer.learn(&naive.apply(&r));
        commands.push(r);
    }
    commands
}

/// A Pulse at the time of a command, by its sender.
#[must_use]
pub fn pulse_before(r: &Record) -> Record {
    Record { kind: command::PULSE, market: NO_MARKET, at: r.at, source: r.source, ..Record::default() }
}

/// One run of the core.
#[derive(Debug)]
pub struct Tape {
    venue: Venue,
    /// Ids of this run by the stream's acceptance number; from 1.
    given: Vec<u64>,
    /// The stream's acceptance number by this run's; 0 for orders that the stream has not.
    stream_of: BTreeMap<u64, u64>,
    events: Events,
}

impl Tape {
    /// A run that begins.
    #[must_use]
    pub fn new(config: &Value) -> Self {
        let config = Config::new(&config.to_string()).unwrap_or_else(|e| panic!("{e}: {config}"));
        Self {
            venue: Venue::new(config),
            given: vec![NO_ORDER],
            stream_of: BTreeMap::new(),
            events: Events::new(),
        }
    }

    /// The id in this run of an order of the stream.
    #[must_use]
    pub fn id(&self, order: u64) -> u64 {
        let nth = usize::try_from(order >> SLOT_BITS).ok();
        nth.and_then(|n| self.given.get(n)).copied().unwrap_or(NO_ORDER) ^ (order & SLOT_MASK)
    }

    /// A command of the stream and its events, with the stream's numbers.
    pub fn play(&mut self, r: &Record) -> Vec<Record> {
        let sent = if names_order(r) { Record { order: self.id(r.order), ..*r } } else { *r };
        let mut events = self.send(&sent, true);
        for e in events.iter_mut().filter(|e| e.kind == event::REJECTED && e.order == sent.order) {
            e.order = r.order;
        }
        events
    }

    /// A command that the stream has not, and its events; orders of the stream have the stream's numbers, others 0.
    pub fn insert(&mut self, r: &Record) -> Vec<Record> {
        self.send(r, false)
    }

    /// The id of the newest order of this run.
    #[must_use]
    pub fn newest(&self) -> Option<u64> {
        self.events.as_slice().iter().rev().find(|e| e.kind == event::ACCEPTED).map(|e| e.order)
    }

    /// Makes an order of the stream one that this run has not under this number.
    pub fn skip_number(&mut self) {
        self.given.push(NO_ORDER);
    }

    fn send(&mut self, r: &Record, of_stream: bool) -> Vec<Record> {
        self.events.clear();
        self.venue.apply_record(r, &mut self.events);
        let mut events = self.events.as_slice().to_vec();
        for e in events.iter_mut().filter(|e| has_given_id(e.kind)) {
            let acceptance = e.order >> SLOT_BITS;
            if e.kind == event::ACCEPTED && !self.stream_of.contains_key(&acceptance) {
                let number = if of_stream { self.given.len() as u64 } else { 0 };
                if of_stream {
                    self.given.push(e.order);
                }
                self.stream_of.insert(acceptance, number);
            }
            // A block carries no order.
            e.order = self.stream_of.get(&acceptance).copied().unwrap_or(0);
        }
        events
    }
}
