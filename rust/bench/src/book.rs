//! The loop: messages become commands in a small buffer, the engine answers them, the answer is read.
//!
//! One generic function drives every engine, so that the venue and the engine without matching differ by the
//! engine alone: same messages, commands, batches, list of events and reader of them.

use crate::generate::{DIGEST_OF_NOTHING, folded};
use crate::setup::Forms;
use crate::workload::Message;
use quanta::Clock;
use seawall_core::protocol::{FILL_TAKER, event};
use seawall_core::{Events, Nanos, OrderId, Record, Venue};
use std::hint::black_box;
use std::ops::RangeInclusive;

/// Commands of a batch: they and their events stay in the first-level cache.
pub const BATCH: usize = 64;
/// Events that a batch has room for; a sweep of a whole book stays below it.
const EVENTS: usize = 1 << 14;

/// Events, by kind, of which nothing is read.
const QUIET: RangeInclusive<u16> = event::ACCEPTED..=event::CANCELLED;

/// What answers commands with events.
pub trait Engine {
    /// Applies commands in order and appends their events.
    fn apply(&mut self, commands: &[Record], events: &mut Events);
}

impl Engine for Venue {
    fn apply(&mut self, commands: &[Record], events: &mut Events) {
        self.apply_batch(commands, events);
    }
}

/// The engine without matching: it answers every command with one event and remembers nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Null {
    seq: u64,
}

impl Engine for Null {
    fn apply(&mut self, commands: &[Record], events: &mut Events) {
        let Some(first) = commands.first() else { return };
        events.begin(0, Nanos::new(first.at), first.source, self.seq);
        for command in commands {
            events.push(Record { kind: event::ACCEPTED, ..*command });
        }
        self.seq += u64::try_from(commands.len()).expect("64 bits");
    }
}

/// What was read from the events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tape {
    /// Events.
    pub events: u64,
    /// Trades.
    pub trades: u64,
    /// Refused commands.
    pub refused: u64,
    /// Hash of the trades, with acceptance numbers for ids: they are the workload's, because every order is
    /// accepted in its turn.
    pub digest: u64,
    maker: u64,
}

impl Default for Tape {
    fn default() -> Self {
        Self { events: 0, trades: 0, refused: 0, digest: DIGEST_OF_NOTHING, maker: 0 }
    }
}

impl Tape {
    /// Reads the events of a batch: first which of them are fills, without a branch on what comes by chance, then these.
    #[inline]
    pub fn read(&mut self, events: &[Record]) {
        self.events += u64::try_from(events.len()).expect("64 bits");
        for events in events.chunks(BATCH) {
            let (mut found, mut count) = ([0; BATCH], 0);
            for (i, event) in (0_u8..).zip(events) {
                found[count & (BATCH - 1)] = i;
                count += usize::from(!QUIET.contains(&event.kind));
            }
            for &i in &found[..count] {
                let event = &events[usize::from(i)];
                match event.kind {
                    event::FILL => self.read_fill(event),
                    event::REJECTED => self.refused += 1,
                    _ => {}
                }
            }
        }
    }

    #[inline]
    fn read_fill(&mut self, event: &Record) {
        let number = OrderId::from_raw(event.order).acceptance();
        if event.flags & FILL_TAKER == 0 {
            self.maker = number;
            return;
        }
        let trade = [self.maker, number, event.price.cast_unsigned(), event.qty.cast_unsigned()];
        self.digest = folded(self.digest, trade);
        self.trades += 1;
    }
}

/// The buffers of the loop, made once and reused.
#[derive(Debug)]
pub struct Tracks {
    commands: Vec<Record>,
    events: Events,
}

impl Default for Tracks {
    fn default() -> Self {
        Self { commands: vec![Record::default(); BATCH], events: Events::with_capacity(EVENTS) }
    }
}

impl Tracks {
    /// Drives messages through an engine in batches.
    #[inline(never)]
    pub fn drive<E: Engine>(&mut self, engine: &mut E, forms: &Forms, messages: &[Message]) -> Tape {
        let mut tape = Tape::default();
        for batch in messages.chunks(BATCH) {
            let commands = &mut self.commands[..batch.len()];
            for (command, message) in commands.iter_mut().zip(batch) {
                *command = forms.command(message);
            }
            self.events.clear();
            engine.apply(commands, &mut self.events);
            tape.read(self.events.as_slice());
        }
        black_box(tape)
    }

    /// Drives messages one by one; writes the nanoseconds of each: from a reading of the processor's counter before the
    /// command is given to the engine to one after its events are in the list. The counter's own time is included; making
    /// the command and reading its events are not the engine's.
    #[inline(never)]
    pub fn drive_each<E: Engine>(
        &mut self,
        engine: &mut E,
        forms: &Forms,
        messages: &[Message],
        nanos: &mut [u32],
    ) -> Tape {
        let (mut tape, clock) = (Tape::default(), Clock::new());
        let narrow = |ticks: u64| u32::try_from(ticks).unwrap_or(u32::MAX);
        for (message, ticks) in messages.iter().zip(&mut *nanos) {
            self.events.clear();
            let command = [forms.command(message)];
            let begin = clock.raw();
            engine.apply(&command, &mut self.events);
            *ticks = narrow(clock.raw().wrapping_sub(begin));
            tape.read(self.events.as_slice());
        }
        for ticks in nanos {
            *ticks = narrow(clock.delta_as_nanos(0, u64::from(*ticks)));
        }
        black_box(tape)
    }

    /// Copies records into the buffer of a batch, over and over: what moving them costs at least.
    #[inline(never)]
    pub fn copy(&mut self, records: &[Record]) {
        for batch in records.chunks(BATCH) {
            self.commands[..batch.len()].copy_from_slice(batch);
            black_box(&mut self.commands);
        }
    }
}
