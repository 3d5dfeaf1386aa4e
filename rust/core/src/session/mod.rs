//! The loop around a venue: apply commands until something that somebody waits for, and write down what was applied.
//!
//! `journal` is the record of a run, `watch` the predicates that are looked at between two steps. Neither changes what a
//! step does: a policy acts by commands, which are journaled like all others, so that a replay needs no policy.

mod journal;
mod watch;

pub use journal::{Journal, JournalWriter};
pub use watch::{Fired, MovedPrice, PLAN_AWAITED, Trigger, TriggerError, Watch};

use crate::floor::Told;
use crate::protocol::{Events, Record, command, source};
use crate::units::{MarketId, Nanos, Price};
use crate::venue::{Stops, Venue};

/// How often in a row a policy is asked after one command of others, before it counts as running in circles: its own
/// commands fire its triggers again.
pub const MOMENTS_MAX: usize = 1000;

/// The command of a policy that has no plan for the round that is awaited: the venue uses the market's fallback.
#[must_use]
pub fn no_plan(venue: &Venue) -> Option<Record> {
    let (market, round): (MarketId, u64) = venue.plan_awaited()?;
    let (at, source) = (venue.now().get(), source::POLICY);
    let kind = command::PLAN_COMMIT;
    Some(Record { kind, at, source, market: market.get(), order: round, code: 1, ..Record::default() })
}

/// Applies commands in order until a trigger fires or none is left, and returns how many were applied. What fired is
/// in [`Watch::fired`]: nothing if all were applied and nobody has to be asked.
///
/// ```
/// use seawall_core::{Command, Config, Events, Nanos, Trigger, Venue, Watch, run_until};
/// # let json = include_str!("../../tests/data/example.json");
/// let mut venue = Venue::new(Config::new(json)?);
/// let every = Trigger::Every { ns: Nanos::new(10) };
/// let mut watch = Watch::new(&venue, &[every])?;
/// let pulses: Vec<_> = (1..20).map(|at| Command::Pulse.encode(Nanos::new(at))).collect();
/// let mut events = Events::new();
/// assert_eq!(run_until(&mut venue, &mut watch, &pulses, &mut events), 10);
/// assert_eq!(watch.fired()[0].at, Nanos::new(10));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[inline(never)]
pub fn run_until(venue: &mut Venue, watch: &mut Watch, records: &[Record], events: &mut Events) -> usize {
    watch.forget();
    if watch.is_empty() {
        venue.apply_batch(records, events);
        return records.len();
    }
    venue.apply_until(records, events, &mut Watching::<true>(watch))
}

/// A watch that is told of a run, and stops it or not.
struct Watching<'a, const STOPS: bool>(&'a mut Watch);

impl<const STOPS: bool> Told for Watching<'_, STOPS> {
    const ASKS: bool = true;

    #[inline(always)]
    fn passes(&mut self, market: MarketId, last: Option<Price>, now: Nanos) -> bool {
        self.0.passes(market, last, now)
    }
}

impl<const STOPS: bool> Stops for Watching<'_, STOPS> {
    #[inline(always)]
    fn due(&self) -> Nanos {
        self.0.due()
    }

    #[inline(always)]
    fn stops(&mut self, venue: &Venue, record: &Record, events: &Events, before: usize) -> bool {
        self.0.observe(venue, record, events, before) && STOPS
    }
}

/// Applies all of some commands, those of a policy say. What fired meanwhile is in [`Watch::fired`].
#[inline(never)]
pub fn run_through(venue: &mut Venue, watch: &mut Watch, records: &[Record], events: &mut Events) {
    watch.forget();
    venue.apply_until(records, events, &mut Watching::<false>(watch));
}
