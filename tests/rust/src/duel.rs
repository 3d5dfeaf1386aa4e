//! The core venue against the naive one: the same commands, the same events.
//!
//! Order ids differ in their slots alone, so commands carry the naive venue's ids and are translated on their way
//! to the core. A difference is shrunk before it is told.

use crate::naive::words::{command, event, term};
use crate::naive::{Naive, SLOT_BITS};
use seawall_core::{Audit, Config, Deltas, Events, MarketId, Record, Side, Venue};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};

const DEPTH: usize = 64;
const SLOT_MASK: u64 = (1 << SLOT_BITS) - 1;
/// Commands that shrinking keeps.
const FUNDS: [u16; 2] = [command::OPEN_ACCOUNT, command::DEPOSIT];
/// Commands that shrinking may run in all.
const SHRINK_COMMANDS: usize = 2_000_000;

/// Events whose order id the venue gave.
#[must_use]
pub fn has_given_id(kind: u16) -> bool {
    use event::{ACCEPTED, ARMED, CANCELLED, FILL, REPLACED, SHOWN, TRIGGERED};
    [ACCEPTED, TRIGGERED, CANCELLED, REPLACED, SHOWN, ARMED, FILL].contains(&kind)
}

/// True if a command's `order` is an id that the venue gave.
#[must_use]
pub fn names_order(r: &Record) -> bool {
    match r.kind {
        command::CANCEL | command::REPLACE => r.flags & 1 == 0,
        command::TERM => r.code == term::OTHER_LEG,
        _ => false,
    }
}

/// An event without what may differ: the slot of an id that the venue gave, and a refused command's own `order`.
fn comparable(event: &Record, command: &Record) -> Record {
    let order = if has_given_id(event.kind) {
        event.order >> SLOT_BITS
    } else if event.kind == event::REJECTED {
        // A refusal repeats the command as its venue got it.
        u64::from(event.order == command.order)
    } else {
        event.order
    };
    Record { order, ..*event }
}

/// Ids of the orders that events bring, from an acceptance number on; a fired order is accepted a second time.
fn new_orders(events: &[Record], first: u64) -> Vec<u64> {
    let accepted = events.iter().filter(|e| e.kind == event::ACCEPTED).map(|e| e.order);
    let mut new: Vec<u64> = accepted.filter(|order| order >> SLOT_BITS >= first).collect();
    // It may have fired within the step that brought it.
    new.sort_unstable();
    new.dedup();
    assert!((first..).zip(&new).all(|(nth, order)| nth == order >> SLOT_BITS), "no gaps: {new:?}");
    new
}

/// A difference between two venues.
#[derive(Debug)]
pub struct Difference {
    /// What differs, in words.
    pub what: String,
}

/// Both venues.
#[derive(Debug)]
pub struct Duel {
    naive: Naive,
    core: Venue,
    /// Slot of each acceptance number.
    slots: Vec<u64>,
    events: Events,
    /// What a public feed would know: changes folded from the events alone, and the lots that they leave.
    deltas: Deltas,
    feed: BTreeMap<(u16, u8, i64), i64>,
    count: usize,
    audit: Audit,
    /// Depth is compared after every so many commands.
    pub depth_every: usize,
    /// The core goes on from its own snapshot after every so many commands.
    pub snapshot_every: usize,
}

impl Duel {
    /// Two venues of one configuration.
    #[must_use]
    pub fn new(config: &Value) -> Self {
        let core = Config::new(&config.to_string()).unwrap_or_else(|e| panic!("{e}: {config}"));
        Self {
            naive: Naive::new(config),
            core: Venue::new(core),
            slots: vec![0],
            events: Events::new(),
            deltas: Deltas::new(),
            feed: BTreeMap::new(),
            count: 0,
            audit: Audit::Cheap,
            depth_every: 16,
            snapshot_every: 1000,
        }
    }

    /// The naive venue.
    #[must_use]
    pub fn naive(&self) -> &Naive {
        &self.naive
    }

    /// From now on the core checks itself in full after every command.
    pub fn audit_in_full(&mut self) {
        self.audit = Audit::Full;
        self.core.set_audit(Audit::Full);
    }

    /// The core venue.
    #[must_use]
    pub fn core(&self) -> &Venue {
        &self.core
    }

    fn translated(&self, r: &Record) -> Record {
        let slot = usize::try_from(r.order >> SLOT_BITS).ok().and_then(|n| self.slots.get(n));
        match slot {
            Some(slot) if names_order(r) => Record { order: r.order ^ slot, ..*r },
            _ => *r,
        }
    }

    /// Carries a command out in both and gives the naive events.
    ///
    /// # Errors
    /// If the core gives other events, another depth or changes of it, or panics.
    pub fn apply(&mut self, r: &Record) -> Result<Vec<Record>, Difference> {
        let theirs = self.translated(r);
        let wanted = self.naive.apply(r);
        self.events.clear();
        let (core, events) = (&mut self.core, &mut self.events);
        let ran = catch_unwind(AssertUnwindSafe(|| core.apply_record(&theirs, events)));
        let got = self.events.as_slice();
        let same = wanted.len() == got.len()
            && wanted.iter().zip(got).all(|(a, b)| comparable(a, r) == comparable(b, &theirs));
        if ran.is_err() || !same {
            let mut what = String::from(if ran.is_err() { "the core panicked\n" } else { "" });
            let _ = writeln!(what, "command {}", told(r));
            for (who, events) in [("naive", &wanted[..]), ("core ", got)] {
                for e in events {
                    let _ = writeln!(what, "  {who} {}", told(e));
                }
            }
            return Err(Difference { what });
        }
        for order in new_orders(got, self.slots.len() as u64) {
            self.slots.push(order & SLOT_MASK);
        }
        self.fold();
        self.count += 1;
        if self.count.is_multiple_of(self.depth_every) {
            self.compare_depth(r)?;
        }
        if self.count.is_multiple_of(self.snapshot_every) {
            self.go_on_from_snapshot()
                .map_err(|what| Difference { what: format!("{what} after {}\n", told(r)) })?;
        }
        Ok(wanted)
    }

    /// Takes the step's changes of depth into the feed.
    fn fold(&mut self) {
        let mut changes = Vec::new();
        self.deltas.update(self.events.as_slice(), &mut changes);
        for d in changes {
            let key = (d.market.get(), d.side.code(), d.price.get());
            if d.qty.is_zero() {
                self.feed.remove(&key);
            } else {
                self.feed.insert(key, d.qty.get());
            }
        }
    }

    fn go_on_from_snapshot(&mut self) -> Result<(), String> {
        let copy = Venue::restore(&self.core.snapshot()).map_err(|e| e.to_string())?;
        if copy.digest() != self.core.digest() {
            return Err("a restored venue differs".to_owned());
        }
        self.core = copy;
        self.core.set_audit(self.audit);
        Ok(())
    }

    fn compare_depth(&self, r: &Record) -> Result<(), Difference> {
        for market in (0..).take(self.naive.rules().markets.len()) {
            for (number, side) in [(0, Side::Buy), (1, Side::Sell)] {
                let got = self.core.depth(MarketId::new(market), side, DEPTH);
                let got: Vec<_> = got.iter().map(|l| (l.price.get(), l.qty.get(), l.orders)).collect();
                let wanted = self.naive.depth(market, number);
                let levels = wanted.iter().map(|level| ((market, number, level.0), level.1));
                let levels: BTreeMap<_, _> = levels.collect();
                let here = (market, number, i64::MIN)..=(market, number, i64::MAX);
                let fed: BTreeMap<_, _> = self.feed.range(here).map(|(k, qty)| (*k, *qty)).collect();
                if fed != levels {
                    let what = format!(
                        "after {}\nfeed of market {market}, {side:?}\n  naive {levels:?}\n  feed  {fed:?}\n",
                        told(r)
                    );
                    return Err(Difference { what });
                }
                if got != wanted {
                    let what = format!(
                        "after {}\ndepth of market {market}, {side:?}\n  naive {wanted:?}\n  core  {got:?}\n",
                        told(r)
                    );
                    return Err(Difference { what });
                }
            }
        }
        Ok(())
    }
}

/// A record in one line, with the fields that are not 0.
#[must_use]
pub fn told(r: &Record) -> String {
    let mut line = format!("{:3} at {}", r.kind, r.at);
    let mut say = |name: &str, value: i128| {
        if value != 0 {
            let _ = write!(line, " {name} {value}");
        }
    };
    say("market", r.market.into());
    say("account", r.account.into());
    say("code", r.code.into());
    say("flags", r.flags.into());
    say("side", r.side.into());
    say("price", r.price.into());
    say("qty", r.qty.into());
    say("amount", r.amount.into());
    if r.order & SLOT_MASK != r.order {
        let _ = write!(line, " order #{}/{}", r.order >> SLOT_BITS, r.order & SLOT_MASK);
    } else if r.order != 0 {
        let _ = write!(line, " order {}", r.order);
    }
    line
}

/// A command of a script, and which accepted order it names: the command that brought it, and which of its orders.
#[derive(Debug, Clone, Copy)]
struct Line {
    record: Record,
    names: Option<(usize, usize)>,
}

/// Commands that can be run again with some left out.
#[derive(Debug, Clone, Default)]
pub struct Script {
    lines: Vec<Line>,
    /// Command and place of each acceptance number, from 1.
    brought: Vec<(usize, usize)>,
}

impl Script {
    /// Adds a command and its naive events.
    pub fn push(&mut self, record: Record, events: &[Record]) {
        let nth = usize::try_from(record.order >> SLOT_BITS).unwrap_or(0);
        let names = if names_order(&record) && nth > 0 { self.brought.get(nth - 1).copied() } else { None };
        let at = self.lines.len();
        self.lines.push(Line { record, names });
        let accepted = new_orders(events, self.brought.len() as u64 + 1).len();
        self.brought.extend((0..accepted).map(|i| (at, i)));
    }

    /// Runs the lines that are kept in fresh venues.
    fn run(&self, config: &Value, kept: &[usize]) -> Option<(usize, Difference, Vec<Record>)> {
        let mut duel = Duel::new(config);
        (duel.depth_every, duel.snapshot_every) = (1, 1);
        let mut given: Vec<((usize, usize), u64)> = Vec::new();
        let mut records = Vec::new();
        for (done, &i) in kept.iter().enumerate() {
            let line = &self.lines[i];
            let mut record = line.record;
            if let Some(names) = line.names {
                let id = given.iter().find(|(brought, _)| *brought == names).map_or(u64::MAX >> 1, |g| g.1);
                record.order = (id & !SLOT_MASK) | (record.order & SLOT_MASK);
            }
            records.push(record);
            match duel.apply(&record) {
                Err(difference) => return Some((done + 1, difference, records)),
                Ok(events) => {
                    let accepted = new_orders(&events, given.len() as u64 + 1);
                    given.extend(accepted.iter().enumerate().map(|(nth, order)| ((i, nth), *order)));
                }
            }
        }
        None
    }

    /// The shortest script found that still shows a difference, in words.
    #[must_use]
    pub fn shrink(&self, config: &Value) -> String {
        let mut kept: Vec<usize> = (0..self.lines.len()).collect();
        let mut budget = SHRINK_COMMANDS;
        let Some((_, mut difference, mut records)) = self.run(config, &kept) else {
            return "the difference does not come again".to_owned();
        };
        let mut chunk = kept.len() / 2;
        while chunk > 0 {
            let mut begin = 0;
            while begin < kept.len() && budget > kept.len() {
                let end = (begin + chunk).min(kept.len());
                // An account without money would be refused for another reason.
                let funds = |i: &&usize| FUNDS.contains(&self.lines[**i].record.kind);
                let needed: Vec<usize> = kept[begin..end].iter().filter(funds).copied().collect();
                let without = [&kept[..begin], &needed, &kept[end..]].concat();
                budget -= without.len();
                match self.run(config, &without) {
                    Some((used, found, lines)) if needed.len() < end - begin => {
                        kept = without[..used].to_vec();
                        (difference, records) = (found, lines);
                    }
                    _ => begin = end,
                }
            }
            chunk /= 2;
        }
        let mut text = format!("{} commands show it:\n", kept.len());
        for r in &records {
            let _ = writeln!(text, "    {}", told(r));
        }
        text + &difference.what
    }
}
