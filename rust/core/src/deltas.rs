//! Changes of depth, folded from events alone: what a public feed would carry.
//!
//! Knows nothing of a venue's state. After the events of a step, the folded levels are those of [`crate::Venue::depth`].

use crate::protocol::{
    HIDDEN, LIQUIDATION_RESTS, OrderType, REPLACED_KEPT, REPLACED_PRICED, Record, WAITING, event,
};
use crate::units::{MarketId, Price, Qty, Side};
use std::collections::BTreeMap;

/// One level of depth after a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Delta {
    /// Number of the event that changed it.
    pub seq: u64,
    /// The market.
    pub market: MarketId,
    /// The side of the book.
    pub side: Side,
    /// The price.
    pub price: Price,
    /// Lots shown there now; zero if the level is gone.
    pub qty: Qty,
}

/// What the fold knows of an open order.
#[derive(Debug, Clone, Copy)]
struct Open {
    market: MarketId,
    side: Side,
    price: Price,
    /// Open quantity, and how much of it stands in depth.
    qty: Qty,
    shown: Qty,
    hidden: bool,
}

/// Folds events into changes of depth.
///
/// ```
/// use seawall_core::{Config, Deltas, Events, Record, Venue, protocol::command};
/// # let json = include_str!("../tests/data/example.json");
/// let (mut venue, mut events) = (Venue::new(Config::new(json)?), Events::new());
/// venue.apply_record(&Record { kind: command::OPEN_ACCOUNT, ..Record::default() }, &mut events);
/// let mut deltas = Vec::new();
/// Deltas::new().update(events.as_slice(), &mut deltas);
/// assert!(deltas.is_empty());
/// # Ok::<(), seawall_core::ConfigError>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct Deltas {
    orders: BTreeMap<u64, Open>,
    levels: BTreeMap<(MarketId, u8, Price), Qty>,
    /// The order that is being matched: what is left of it comes to rest when its events are over.
    entering: Option<u64>,
}

impl Deltas {
    /// A fold of nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes events in, in order, and appends the changes of depth that they say. Where a list of events ends, its
    /// last order counts as having come to rest.
    pub fn update(&mut self, events: &[Record], into: &mut Vec<Delta>) {
        for record in events {
            self.take(record, into);
        }
        if let Some(last) = events.last() {
            self.settle(last.seq, into);
        }
    }

    fn take(&mut self, r: &Record, into: &mut Vec<Delta>) {
        let qty = Qty::new(r.qty);
        let is_of_a_match = matches!(
            r.kind,
            event::FILL
                | event::SHOWN
                | event::CANCELLED
                | event::BREAKER_TRIPPED
                | event::ORDER_BOUNDED
                | event::PHASE_CHANGED
        );
        if !is_of_a_match {
            self.settle(r.seq, into);
        }
        match r.kind {
            event::ACCEPTED if r.code == OrderType::Limit.code() && r.flags & WAITING == 0 => {
                self.enter(r, r.flags & HIDDEN != 0);
            }
            event::LIQUIDATION_ORDER if r.flags == LIQUIDATION_RESTS => self.enter(r, false),
            event::REPLACED => {
                if r.flags == REPLACED_PRICED {
                    return self.enter(r, false);
                }
                let Some(old) = self.orders.get(&r.order).copied() else { return };
                if r.flags == REPLACED_KEPT {
                    self.lose(r.order, old.qty - qty, r.seq, into);
                } else {
                    self.lose(r.order, old.qty, r.seq, into);
                    self.enter(r, old.hidden);
                }
            }
            event::FILL => {
                let Some(open) = self.orders.get(&r.order).copied() else { return };
                // What trades is what was shown.
                let shown = open.shown.min(qty);
                self.show(r.order, open.shown - shown, r.seq, into);
                self.reduce(r.order, qty);
            }
            event::CANCELLED => self.lose(r.order, qty, r.seq, into),
            event::SHOWN => {
                self.entering = self.entering.filter(|order| *order != r.order);
                self.show(r.order, qty, r.seq, into);
            }
            _ => {}
        }
    }

    fn enter(&mut self, r: &Record, hidden: bool) {
        let (market, price, qty) = (MarketId::new(r.market), Price::new(r.price), Qty::new(r.qty));
        let side = if r.side == Side::Buy.code() { Side::Buy } else { Side::Sell };
        self.orders.insert(r.order, Open { market, side, price, qty, shown: Qty::ZERO, hidden });
        self.entering = Some(r.order);
    }

    /// The order that was being matched has come to rest.
    fn settle(&mut self, seq: u64, into: &mut Vec<Delta>) {
        let Some(order) = self.entering.take() else { return };
        let Some(open) = self.orders.get(&order).copied() else { return };
        self.show(order, open.qty, seq, into);
    }

    /// An order loses open quantity without a trade: first what it does not show.
    fn lose(&mut self, order: u64, qty: Qty, seq: u64, into: &mut Vec<Delta>) {
        let Some(open) = self.orders.get(&order).copied() else { return };
        self.show(order, open.shown.min(open.qty - qty), seq, into);
        self.reduce(order, qty);
    }

    fn reduce(&mut self, order: u64, qty: Qty) {
        let Some(open) = self.orders.get_mut(&order) else { return };
        open.qty -= qty;
        if !open.qty.is_positive() {
            self.orders.remove(&order);
        }
    }

    /// An order shows another quantity.
    fn show(&mut self, order: u64, shown: Qty, seq: u64, into: &mut Vec<Delta>) {
        let Some(open) = self.orders.get_mut(&order).filter(|open| !open.hidden) else { return };
        let change = shown - open.shown;
        open.shown = shown;
        if change.is_zero() {
            return;
        }
        let &mut Open { market, side, price, .. } = open;
        let key = (market, side.code(), price);
        let level = self.levels.entry(key).or_default();
        *level += change;
        let qty = *level;
        if qty.is_zero() {
            self.levels.remove(&key);
        }
        into.push(Delta { seq, market, side, price, qty });
    }
}
