//! Orders that wait: for a trigger, with which prices fire which of them, or, without a price, for an auction.

use crate::order::{Order, Terms, Trigger, TriggerKind, Watched};
use crate::units::{OrderId, Price, Qty, Side};
use std::collections::{BTreeMap, BTreeSet};

/// An order that waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Waits {
    pub id: OrderId,
    pub order: Order,
    /// Without the other leg, which the book keeps.
    pub terms: Terms,
    /// Of a trailing stop, the best price that it has seen.
    pub best: Option<Price>,
    /// The observed price that fired it, once it is queued to be sent.
    pub fired: Option<Price>,
}

impl Waits {
    pub(crate) fn trigger(&self) -> Trigger {
        self.terms.trigger.expect("only orders with a trigger are watched")
    }

    /// True for a market order that waits for an auction.
    pub(crate) fn is_unpriced(&self) -> bool {
        self.terms.trigger.is_none()
    }
}

/// Fixed triggers of one watched price, and trailing stops, by acceptance number.
#[derive(Debug, Clone, Default)]
struct Watch {
    /// Fire when the price is at the trigger or above.
    rising: BTreeSet<(Price, u64)>,
    /// Fire when it is at the trigger or below.
    falling: BTreeSet<(Price, u64)>,
    trailing: BTreeSet<u64>,
}

/// All waiting orders of one market.
#[derive(Debug, Clone, Default)]
pub(crate) struct Waiting {
    orders: BTreeMap<u64, Waits>,
    watches: [Watch; 3],
    /// Some order that did not fire watches trades.
    watches_trades: bool,
    /// Market orders that wait for an auction, buys and sells, with their lots.
    unpriced: [BTreeSet<u64>; 2],
    unpriced_lots: [Qty; 2],
}

impl Waiting {
    pub(crate) fn is_empty(&self) -> bool {
        self.orders.is_empty()
    }

    pub(crate) fn len(&self) -> usize {
        self.orders.len()
    }

    pub(crate) fn get(&self, number: u64) -> Option<&Waits> {
        self.orders.get(&number)
    }

    /// Every waiting order, by acceptance number.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Waits> {
        self.orders.values()
    }

    /// True if some order that did not fire watches trades.
    pub(crate) fn watches_trades(&self) -> bool {
        self.watches_trades
    }

    pub(super) fn insert(&mut self, waits: Waits) {
        let number = waits.id.acceptance();
        if waits.is_unpriced() {
            let side = usize::from(waits.order.side.code());
            self.unpriced[side].insert(number);
            self.unpriced_lots[side] += waits.order.qty;
        } else if waits.fired.is_none() {
            self.watch(&waits, true);
        }
        self.orders.insert(number, waits);
    }

    pub(super) fn remove(&mut self, number: u64) -> Option<Waits> {
        let waits = self.orders.remove(&number)?;
        if waits.is_unpriced() {
            let side = usize::from(waits.order.side.code());
            self.unpriced[side].remove(&number);
            self.unpriced_lots[side] += -waits.order.qty;
        } else if waits.fired.is_none() {
            self.watch(&waits, false);
        }
        Some(waits)
    }

    /// Market orders of a side that wait for an auction, by acceptance number.
    pub(crate) fn unpriced(&self, side: Side) -> impl Iterator<Item = &Waits> {
        self.unpriced[usize::from(side.code())].iter().map(|number| &self.orders[number])
    }

    /// Lots of the market orders of a side that wait for an auction.
    pub(crate) fn unpriced_lots(&self, side: Side) -> Qty {
        self.unpriced_lots[usize::from(side.code())]
    }

    /// Takes lots off a market order that waits for an auction; less than all of them.
    pub(super) fn cut_unpriced(&mut self, number: u64, qty: Qty) {
        let waits = self.orders.get_mut(&number).expect("the order waits");
        assert!(waits.is_unpriced() && qty < waits.order.qty);
        waits.order.qty += -qty;
        self.unpriced_lots[usize::from(waits.order.side.code())] += -qty;
    }

    /// Puts an order among those that a price may fire, or takes it from them.
    fn watch(&mut self, waits: &Waits, on: bool) {
        self.set_watched(waits, on);
        let trades = &self.watches[usize::from(Watched::Last.code())];
        self.watches_trades =
            !(trades.rising.is_empty() && trades.falling.is_empty() && trades.trailing.is_empty());
    }

    fn set_watched(&mut self, waits: &Waits, on: bool) {
        let (trigger, number) = (waits.trigger(), waits.id.acceptance());
        let watch = &mut self.watches[usize::from(trigger.watched.code())];
        let by_price = match trigger.kind {
            TriggerKind::Trailing => {
                if on {
                    watch.trailing.insert(number);
                } else {
                    watch.trailing.remove(&number);
                }
                return;
            }
            TriggerKind::Stop | TriggerKind::TakeProfit if trigger.rises(waits.order.side) => {
                &mut watch.rising
            }
            TriggerKind::Stop | TriggerKind::TakeProfit => &mut watch.falling,
        };
        if on {
            by_price.insert((trigger.price, number));
        } else {
            by_price.remove(&(trigger.price, number));
        }
    }

    /// Shows a price to the orders up to an acceptance number; those that it fires are appended to `fired`, by
    /// acceptance number. Linear in the trailing stops.
    pub(crate) fn observe(&mut self, watched: Watched, price: Price, up_to: u64, fired: &mut Vec<u64>) {
        let first = fired.len();
        let watch = &self.watches[usize::from(watched.code())];
        fired.extend(watch.rising.range(..=(price, u64::MAX)).map(|entry| entry.1));
        fired.extend(watch.falling.range((price, 0)..).map(|entry| entry.1));
        for &number in &watch.trailing {
            let waits = self.orders.get_mut(&number).expect("watched orders wait");
            if number <= up_to && waits.trails(price) {
                fired.push(number);
            }
        }
        // The newest are few: orders that were armed after the price was made.
        let mut kept = first;
        for i in first..fired.len() {
            if fired[i] <= up_to {
                fired[kept] = fired[i];
                kept += 1;
            }
        }
        fired.truncate(kept);
        fired[first..].sort_unstable();
        for &number in &fired[first..] {
            let waits = self.orders[&number];
            self.watch(&waits, false);
            self.orders.insert(number, Waits { fired: Some(price), ..waits });
        }
    }
}

impl Waits {
    /// The price that fires it, as it stands; none of a trailing stop that has seen no price.
    pub(crate) fn level(&self) -> Option<Price> {
        let trigger = self.trigger();
        match trigger.kind {
            TriggerKind::Stop | TriggerKind::TakeProfit => Some(trigger.price),
            TriggerKind::Trailing => self.best.map(|best| match self.order.side {
                Side::Sell => best - trigger.price,
                Side::Buy => best + trigger.price,
            }),
        }
    }

    /// Shows a price to a trailing stop: true if it fires; otherwise the best price moves with it.
    fn trails(&mut self, price: Price) -> bool {
        let offset = self.trigger().price;
        let Some(best) = self.best else {
            self.best = Some(price);
            return false;
        };
        let (fires, better) = match self.order.side {
            Side::Sell => (price <= best - offset, best.max(price)),
            Side::Buy => (price >= best + offset, best.min(price)),
        };
        if !fires {
            self.best = Some(better);
        }
        fires
    }
}
