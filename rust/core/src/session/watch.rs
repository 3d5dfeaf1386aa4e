//! Triggers: cheap predicates over a run, looked at after each step. docs/policies.md says when each one fires.
//!
//! Knows a venue by what can be read of it and by the events of the step. Nothing here is state of the venue.

use crate::config::AdlMethod;
use crate::protocol::{Events, FILL_LIQUIDATION, Record, command, event, source};
use crate::stairs::{Stairs, TAKEN_MAX};
use crate::units::{FundId, MarketId, Money, Nanos, Ppm, Price, Qty};
use crate::venue::Venue;
use serde::Deserialize;
use std::collections::VecDeque;

/// Triggers of one watch.
const TRIGGERS_MAX: usize = 64;

/// Which price of a market is watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MovedPrice {
    /// The last trade in the book.
    Last,
    /// The mark.
    Mark,
    /// The index.
    Index,
}

/// When a run stops for somebody to act. No market means any market, each by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Trigger {
    /// A price is at least `ppm` below the highest, or above the lowest, price that stood within the window.
    PriceMove {
        /// Market.
        market: Option<MarketId>,
        /// Which price.
        price: MovedPrice,
        /// Width.
        ppm: Ppm,
        /// Length of the window.
        window_ns: Nanos,
    },
    /// So many accounts joined the liquidation queue within the window.
    Liquidations {
        /// Number of accounts.
        count: u32,
        /// Length of the window.
        window_ns: Nanos,
    },
    /// So many liquidation orders were sent within the window.
    LiquidationOrders {
        /// Market.
        market: Option<MarketId>,
        /// Number of orders.
        count: u32,
        /// Length of the window.
        window_ns: Nanos,
    },
    /// Liquidation orders and take-overs closed so much within the window.
    LiquidatedNotional {
        /// Market.
        market: Option<MarketId>,
        /// Minor units of the valuation asset, at the prices of the closes.
        amount: Money,
        /// Length of the window.
        window_ns: Nanos,
    },
    /// So many winners were deleveraged within the window.
    AdlCloses {
        /// Market.
        market: Option<MarketId>,
        /// Number of closes and haircuts.
        count: u32,
        /// Length of the window.
        window_ns: Nanos,
    },
    /// A fund is below an amount and was not before.
    FundBelow {
        /// Fund.
        fund: FundId,
        /// Minor units.
        amount: Money,
    },
    /// A fund is at least so much below its highest balance within the window.
    FundFell {
        /// Fund.
        fund: FundId,
        /// Minor units.
        amount: Money,
        /// Length of the window.
        window_ns: Nanos,
    },
    /// The first step at or after each whole multiple of a length of time since the epoch.
    Every {
        /// The length.
        ns: Nanos,
    },
    /// A step that lets waiting work go on has left some.
    PulsePending,
    /// A market entered a phase, unless a policy told it to.
    PhaseChanged {
        /// Market.
        market: Option<MarketId>,
    },
    /// A breaker acted, unless a policy told it to.
    BreakerTripped {
        /// Market.
        market: Option<MarketId>,
    },
}

/// A trigger that cannot work.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {why}")]
pub struct TriggerError {
    /// Which trigger and which of its fields.
    pub field: String,
    /// Its value and what to do.
    pub why: String,
}

/// [`Fired::trigger`] of a plan that is awaited: no trigger of the list, but looked for wherever a market's
/// auto-deleveraging is planned from outside.
pub const PLAN_AWAITED: usize = usize::MAX;

/// A trigger that fired.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fired {
    /// Number of the trigger in the list that the watch was made from.
    pub trigger: usize,
    /// Market, or [`MarketId::NONE`].
    pub market: MarketId,
    /// Time of the step.
    pub at: Nanos,
    /// Number of the last event of the step.
    pub seq: u64,
    /// What was seen: a price, a count, an amount, a time, accounts that wait, a phase, a rule.
    pub value: i64,
    /// What it was held against: an extreme or a bound; the phase before; the price that tripped.
    pub reference: i64,
}

/// The highest and lowest value that stood within a window.
#[derive(Debug, Clone, Default)]
struct Extremes {
    /// The value that stands.
    standing: Option<i64>,
    /// Values that stood until a time.
    stood: Stairs<i64>,
    /// The lowest and the highest value with which no trigger fires, whatever else of them stood; all that did is between.
    calm: Option<(i64, i64)>,
    /// Values that stood until a time and are not among those yet, oldest first.
    untaken: Vec<(Nanos, i64)>,
}

impl Extremes {
    fn of(standing: Option<i64>) -> Self {
        Self { standing, ..Self::default() }
    }

    /// A value that differs from the one that stands: the lowest and highest that stood after `edge`, that one included.
    /// None for the first value.
    fn change(&mut self, value: i64, now: Nanos, edge: Nanos) -> Option<(i64, i64)> {
        let before = self.standing.replace(value)?;
        self.untaken.push((now, before));
        self.stood.take(&self.untaken, |(until, value)| (*until, *value, *value));
        self.untaken.clear();
        // The value that stood until now is among them and is not too old.
        self.stood.expire(edge);
        Some(self.stood.extremes().unwrap_or((before, before)))
    }

    /// True if a price is the one that stands, or no trigger fires with it for certain.
    #[inline(always)]
    fn passes(&mut self, price: Option<Price>, now: Nanos) -> bool {
        let value = price.map(Price::get);
        value == self.standing || self.slips(value, now)
    }

    /// A value that differs from the one that stands, if no trigger fires with it for certain.
    #[inline(always)]
    fn slips(&mut self, value: Option<i64>, now: Nanos) -> bool {
        let (Some(value), Some(before), Some((low, high))) = (value, self.standing, self.calm) else {
            return false;
        };
        // One of them is taken with the next value that does not slip.
        if value < low || high < value || self.untaken.len() >= TAKEN_MAX - 1 {
            return false;
        }
        self.standing = Some(value);
        self.untaken.push((now, before));
        true
    }

    /// Finds what is calm: everything that stood in the window and stands, and a margin on both sides, if a price may go from
    /// one end to the other without a move of the width.
    fn find_calm(&mut self, (low, high): (i64, i64), value: i64, width: Ppm) {
        let (low, high) = (low.min(value), high.max(value));
        let of = |shift: &u32| (low - (low >> shift), high + (low >> shift));
        self.calm = [4, 8, 12].iter().map(of).find(|(low, high)| {
            let (low, high) = (Price::new(*low), Price::new(*high));
            !low.is_fall_of(width, high) && !high.is_rise_of(width, low)
        });
    }
}

/// A sum over a window.
#[derive(Debug, Clone, Default)]
struct Flow {
    seen: VecDeque<(Nanos, i128)>,
    sum: i128,
}

impl Flow {
    fn add(&mut self, amount: i128, now: Nanos, window: Nanos) {
        let edge = now - window;
        while let Some((_, old)) = self.seen.front().copied().filter(|(at, _)| *at <= edge) {
            self.sum -= old;
            self.seen.pop_front();
        }
        self.sum += amount;
        match self.seen.back_mut() {
            Some(entry) if entry.0 == now => entry.1 += amount,
            _ => self.seen.push_back((now, amount)),
        }
    }
}

/// What of a step's events a trigger counts.
#[derive(Debug, Clone, Copy)]
enum Counted {
    Accounts,
    Orders,
    Notional,
    Closes,
    Phases,
    Trips,
}

/// One predicate with what it remembers; a trigger of any market is one per market.
#[derive(Debug, Clone)]
enum Predicate {
    Price {
        market: MarketId,
        price: MovedPrice,
        width: Ppm,
        window: Nanos,
        seen: Extremes,
    },
    Fund {
        fund: FundId,
        amount: Money,
        armed: bool,
    },
    Fell {
        fund: FundId,
        amount: Money,
        window: Nanos,
        seen: Extremes,
    },
    Every {
        ns: Nanos,
        next: Nanos,
    },
    Pending,
    /// The last round whose plan was awaited.
    Plan(u64),
    Events {
        market: Option<MarketId>,
        counted: Counted,
        most: i128,
        window: Nanos,
        flow: Flow,
    },
}

/// Predicates over one venue's run, with what they have seen of it.
#[derive(Debug, Clone)]
pub struct Watch {
    predicates: Vec<(usize, Predicate)>,
    fired: Vec<Fired>,
    /// The next time that a predicate waits for.
    due: Nanos,
    /// Prices are all that is watched.
    only_prices: bool,
}

fn refuse<T>(number: usize, field: &str, why: String) -> Result<T, TriggerError> {
    Err(TriggerError { field: format!("triggers[{number}].{field}"), why })
}

fn positive(number: usize, field: &str, value: i64) -> Result<(), TriggerError> {
    if value > 0 { Ok(()) } else { refuse(number, field, format!("{value}: must be positive")) }
}

impl Trigger {
    /// Reads a list of triggers as JSON.
    ///
    /// # Errors
    /// [`TriggerError`] for text that is not such a list.
    pub fn list(json: &str) -> Result<Vec<Self>, TriggerError> {
        serde_json::from_str(json)
            .map_err(|e| TriggerError { field: "triggers".to_owned(), why: e.to_string() })
    }

    fn check(&self, number: usize, venue: &Venue) -> Result<(), TriggerError> {
        let config = venue.config();
        let market = match *self {
            Self::PriceMove { market, .. }
            | Self::LiquidationOrders { market, .. }
            | Self::LiquidatedNotional { market, .. }
            | Self::AdlCloses { market, .. }
            | Self::PhaseChanged { market }
            | Self::BreakerTripped { market } => market,
            Self::Liquidations { .. }
            | Self::FundBelow { .. }
            | Self::FundFell { .. }
            | Self::Every { .. }
            | Self::PulsePending => None,
        };
        if let Some(market) = market.filter(|m| m.index() >= config.markets.len()) {
            return refuse(number, "market", format!("{market}: is no market of the venue"));
        }
        if let Self::FundBelow { fund, .. } | Self::FundFell { fund, .. } = *self
            && fund.index() >= config.funds.len()
        {
            return refuse(number, "fund", format!("{fund}: is no fund of the venue"));
        }
        match *self {
            Self::PriceMove { ppm, window_ns, .. } => {
                positive(number, "ppm", ppm.get())?;
                positive(number, "window_ns", window_ns.get())
            }
            Self::Liquidations { count, window_ns }
            | Self::LiquidationOrders { count, window_ns, .. }
            | Self::AdlCloses { count, window_ns, .. } => {
                positive(number, "count", count.into())?;
                positive(number, "window_ns", window_ns.get())
            }
            Self::LiquidatedNotional { amount, window_ns, .. } | Self::FundFell { amount, window_ns, .. } => {
                positive(number, "amount", amount.get())?;
                positive(number, "window_ns", window_ns.get())
            }
            Self::FundBelow { amount, .. } => positive(number, "amount", amount.get()),
            Self::Every { ns } => positive(number, "ns", ns.get()),
            Self::PulsePending | Self::PhaseChanged { .. } | Self::BreakerTripped { .. } => Ok(()),
        }
    }

    /// The predicates that it stands for, as the venue is.
    fn predicates(self, venue: &Venue, into: &mut Vec<Predicate>) {
        let events = |market, counted, most, window| Predicate::Events {
            market,
            counted,
            most,
            window,
            flow: Flow::default(),
        };
        let each = |market: Option<MarketId>| {
            let all = (0..venue.config().markets.len()).map(MarketId::from_index);
            all.filter(move |m| market.is_none_or(|one| one == *m))
        };
        match self {
            Self::PriceMove { market, price, ppm, window_ns } => into.extend(each(market).map(|market| {
                let seen = Extremes::of(price.of(venue, market).map(Price::get));
                Predicate::Price { market, price, width: ppm, window: window_ns, seen }
            })),
            Self::Liquidations { count, window_ns } => {
                into.push(events(None, Counted::Accounts, count.into(), window_ns));
            }
            Self::LiquidationOrders { market, count, window_ns } => {
                into.extend(each(market).map(|m| events(Some(m), Counted::Orders, count.into(), window_ns)));
            }
            Self::LiquidatedNotional { market, amount, window_ns } => into.extend(
                each(market).map(|m| events(Some(m), Counted::Notional, amount.get().into(), window_ns)),
            ),
            Self::AdlCloses { market, count, window_ns } => {
                into.extend(each(market).map(|m| events(Some(m), Counted::Closes, count.into(), window_ns)));
            }
            Self::FundBelow { fund, amount } => {
                into.push(Predicate::Fund { fund, amount, armed: venue.fund(fund) >= amount });
            }
            Self::FundFell { fund, amount, window_ns } => {
                let seen = Extremes::of(Some(venue.fund(fund).get()));
                into.push(Predicate::Fell { fund, amount, window: window_ns, seen });
            }
            Self::Every { ns } => {
                into.push(Predicate::Every { ns, next: Nanos::ZERO.end_of_day(ns, venue.now()) });
            }
            Self::PulsePending => into.push(Predicate::Pending),
            Self::PhaseChanged { market } => into.push(events(market, Counted::Phases, 1, Nanos::new(1))),
            Self::BreakerTripped { market } => into.push(events(market, Counted::Trips, 1, Nanos::new(1))),
        }
    }
}

impl MovedPrice {
    #[inline(always)]
    fn of(self, venue: &Venue, market: MarketId) -> Option<Price> {
        match self {
            Self::Last => venue.last(market),
            Self::Mark => venue.mark(market),
            Self::Index => venue.index(market),
        }
    }
}

impl Counted {
    /// What an event counts for, and what a trigger that it fires tells: a value and a reference.
    fn amount(self, venue: &Venue, e: &Record) -> i128 {
        let is_own = e.source == source::POLICY;
        let counts = match self {
            Self::Accounts => e.kind == event::LIQUIDATION_STARTED,
            Self::Orders => e.kind == event::LIQUIDATION_ORDER,
            Self::Closes => matches!(e.kind, event::ADL_FILL | event::ADL_HAIRCUT),
            Self::Phases => e.kind == event::PHASE_CHANGED && !is_own,
            Self::Trips => e.kind == event::BREAKER_TRIPPED && !is_own,
            Self::Notional => {
                let closes =
                    e.kind == event::TAKEN_OVER || e.kind == event::FILL && e.flags & FILL_LIQUIDATION != 0;
                if !closes {
                    return 0;
                }
                let contract = venue.config().markets[usize::from(e.market)].contract();
                return contract.notional_up(Price::new(e.price), Qty::new(e.qty)).get().into();
            }
        };
        i128::from(counts)
    }
}

impl Watch {
    /// A watch over a venue from now on.
    ///
    /// # Errors
    /// [`TriggerError`] for an unknown market or fund, or a bound that is not positive.
    pub fn new(venue: &Venue, triggers: &[Trigger]) -> Result<Self, TriggerError> {
        if triggers.len() > TRIGGERS_MAX {
            let why = format!("{} of them: must be at most {TRIGGERS_MAX}", triggers.len());
            return Err(TriggerError { field: "triggers".to_owned(), why });
        }
        let mut predicates = Vec::new();
        // First: nothing else can be commanded before the plan.
        if venue.config().markets.iter().any(|m| m.adl.method == AdlMethod::External) {
            predicates.push((PLAN_AWAITED, Predicate::Plan(0)));
        }
        for (number, trigger) in triggers.iter().enumerate() {
            trigger.check(number, venue)?;
            let mut made = Vec::new();
            trigger.predicates(venue, &mut made);
            predicates.extend(made.into_iter().map(|predicate| (number, predicate)));
        }
        let only_prices = predicates.iter().all(|(_, p)| matches!(p, Predicate::Price { .. }));
        let mut watch = Self { predicates, fired: Vec::new(), due: Nanos::MAX, only_prices };
        watch.set_due();
        Ok(watch)
    }

    fn set_due(&mut self) {
        let next = |(_, predicate): &(usize, Predicate)| match predicate {
            Predicate::Every { next, .. } => Some(*next),
            _ => None,
        };
        self.due = self.predicates.iter().filter_map(next).min().unwrap_or(Nanos::MAX);
    }

    /// The next time that a predicate waits for.
    #[inline(always)]
    pub(super) fn due(&self) -> Nanos {
        self.due
    }

    /// True if an order that has traded in a market fires nothing, whose last price stands since a time: prices are all
    /// that is watched, and it moves no mark and no index.
    #[inline(always)]
    pub(super) fn passes(&mut self, market: MarketId, last: Option<Price>, now: Nanos) -> bool {
        self.only_prices
            && self.predicates.iter_mut().all(|(_, predicate)| match predicate {
                Predicate::Price { market: of, price: MovedPrice::Last, seen, .. } if *of == market => {
                    seen.passes(last, now)
                }
                _ => true,
            })
    }

    /// True if nothing is watched.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.predicates.is_empty()
    }

    /// What fired since [`Watch::forget`], in order of the steps and in each in the order of the triggers.
    #[must_use]
    pub fn fired(&self) -> &[Fired] {
        &self.fired
    }

    /// Forgets what fired.
    pub fn forget(&mut self) {
        self.fired.clear();
    }

    /// Looks at a step that was just made, by its command and its events, those behind the first `before`; true if
    /// something fired.
    #[inline(always)]
    pub fn observe(&mut self, venue: &Venue, record: &Record, events: &Events, before: usize) -> bool {
        // An order or a cancel has one event of its own. Without another it moved no price, no fund and no account.
        let is_quiet = events.len() - before <= 1 && command::is_frequent(record.kind);
        if is_quiet && venue.now() < self.due || self.only_prices && self.is_calm(venue) {
            return false;
        }
        self.look(venue, record, &events.as_slice()[before..], events.seq())
    }

    /// True if every price that is watched stands where it stood, or where no trigger fires.
    #[inline(always)]
    fn is_calm(&mut self, venue: &Venue) -> bool {
        self.predicates.iter_mut().all(|(_, predicate)| match predicate {
            Predicate::Price { market, price, seen, .. } => {
                seen.passes(price.of(venue, *market), venue.now())
            }
            _ => false,
        })
    }

    #[inline(never)]
    fn look(&mut self, venue: &Venue, record: &Record, events: &[Record], seq: u64) -> bool {
        let before = self.fired.len();
        for (number, predicate) in &mut self.predicates {
            let hit = match predicate {
                Predicate::Price { market, price, width, window, seen } => {
                    let price = price.of(venue, *market);
                    if seen.passes(price, venue.now()) {
                        continue;
                    }
                    moved(price.map(Price::get), seen, (*width, *window), venue.now())
                        .map(|hit| (*market, hit))
                }
                Predicate::Events { market, counted, most, window, flow } => {
                    counts((*market, *counted), (*most, *window), flow, venue, events)
                }
                Predicate::Fund { fund, amount, armed } => {
                    let below = venue.fund(*fund) < *amount;
                    let fires = below && *armed;
                    *armed = !below;
                    fires.then(|| (MarketId::NONE, (venue.fund(*fund).get(), amount.get())))
                }
                Predicate::Fell { fund, amount, window, seen } => {
                    fell(venue.fund(*fund), *amount, seen, (venue.now(), *window))
                }
                Predicate::Every { ns, next } => (venue.now() >= *next).then(|| {
                    let due = std::mem::replace(next, Nanos::ZERO.end_of_day(*ns, venue.now()));
                    (MarketId::NONE, (venue.now().get(), due.get()))
                }),
                Predicate::Pending => pending(venue, record),
                Predicate::Plan(last) => {
                    venue.plan_awaited().filter(|of| of.1 != *last).map(|(market, round)| {
                        *last = round;
                        (market, (i64::try_from(round).unwrap_or(i64::MAX), 0))
                    })
                }
            };
            if let Some((market, (value, reference))) = hit {
                let at = venue.now();
                self.fired.push(Fired { trigger: *number, market, at, seq, value, reference });
            }
        }
        if venue.now() >= self.due {
            self.set_due();
        }
        self.fired.len() > before
    }
}

type Hit = (MarketId, (i64, i64));

/// A price has changed: the extreme that it left, if it went far enough. The window begins anew then.
#[inline(never)]
fn moved(value: Option<i64>, seen: &mut Extremes, of: (Ppm, Nanos), now: Nanos) -> Option<(i64, i64)> {
    let price = value?;
    let (low, high) = seen.change(price, now, now - of.1)?;
    let fell = Price::new(price).is_fall_of(of.0, Price::new(high));
    if !fell && !Price::new(price).is_rise_of(of.0, Price::new(low)) {
        seen.find_calm((low, high), price, of.0);
        return None;
    }
    *seen = Extremes::of(Some(price));
    Some((price, if fell { high } else { low }))
}

fn fell(fund: Money, amount: Money, seen: &mut Extremes, of: (Nanos, Nanos)) -> Option<Hit> {
    let value = fund.get();
    if seen.standing == Some(value) {
        return None;
    }
    let (_, high) = seen.change(value, of.0, of.0 - of.1)?;
    (Money::new(high) - fund >= amount).then(|| {
        *seen = Extremes::of(Some(value));
        (MarketId::NONE, (value, high))
    })
}

/// A step that lets work go on has left some: accounts in the queue, or a settlement under way.
fn pending(venue: &Venue, record: &Record) -> Option<Hit> {
    let resolves = matches!(record.kind, command::INDEX | command::SOURCE | command::PULSE);
    let waiting = venue.queue_len();
    (resolves && (waiting > 0 || venue.timers_pending()))
        .then(|| (MarketId::NONE, (i64::try_from(waiting).unwrap_or(i64::MAX), 0)))
}

/// Counts what a step's events bring; fires at a sum of `most` within the window, which begins anew then.
#[inline]
fn counts(
    of: (Option<MarketId>, Counted),
    bound: (i128, Nanos),
    flow: &mut Flow,
    venue: &Venue,
    events: &[Record],
) -> Option<Hit> {
    let mut last = None;
    let mut amount = 0;
    for e in events.iter().filter(|e| of.0.is_none_or(|market| e.market == market.get())) {
        let counted = of.1.amount(venue, e);
        if counted != 0 {
            amount += counted;
            last = Some(*e);
        }
    }
    let last = last?;
    flow.add(amount, venue.now(), bound.1);
    if flow.sum < bound.0 {
        return None;
    }
    let sum = i64::try_from(std::mem::take(flow).sum).unwrap_or(i64::MAX);
    Some(match of.1 {
        Counted::Phases => (MarketId::new(last.market), (last.code.into(), last.flags.into())),
        Counted::Trips => (MarketId::new(last.market), (last.code.into(), last.price)),
        Counted::Accounts | Counted::Orders | Counted::Notional | Counted::Closes => {
            let bound = i64::try_from(bound.0).unwrap_or(i64::MAX);
            (of.0.unwrap_or(MarketId::NONE), (sum, bound))
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::draw;

    #[test]
    fn prices_that_are_calm_fire_nothing_and_are_remembered() {
        let (mut calm, mut hits) = (0, 0);
        for seed in 1..=200 {
            let (width, window) = (Ppm::new(30_000), Nanos::new(500));
            let (mut quick, mut exact) = (Extremes::of(Some(10_000)), Extremes::of(Some(10_000)));
            let mut price = 10_000;
            for step in 1..2_000_u64 {
                let drawn = draw(seed, &[step]);
                let far = if (drawn >> 32).is_multiple_of(128) { 12 } else { 1 };
                price = (price + far * (i64::try_from(drawn & 31).unwrap() - 15)).clamp(8_000, 12_000);
                let now = Nanos::new(i64::try_from(step).unwrap());
                if Some(price) == exact.standing {
                    continue;
                }
                let wanted = moved(Some(price), &mut exact, (width, window), now);
                exact.calm = None;
                let slips = quick.slips(Some(price), now);
                let got = if slips { None } else { moved(Some(price), &mut quick, (width, window), now) };
                assert_eq!(got, wanted, "seed {seed}, step {step}");
                calm += u32::from(slips);
                hits += u32::from(wanted.is_some());
            }
        }
        println!("{calm} calm prices, {hits} moves of the width");
        assert!(calm > 100_000 && hits > 500);
    }
}
