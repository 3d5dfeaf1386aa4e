//! Which orders are certain to be accepted as they are, in markets with margin.
//!
//! Most are: limit orders of which nothing more is said than a self-trade mode, inside all bounds, of accounts that cover
//! them. One look at an order and its account tells them from the others. All refusals are left to the steps of the
//! venue, and every order of which more has to be asked; so there is no rule here that is not there as well.

use super::{Floor, LIQUIDATED, Market, bit};
use crate::order::Order;
use crate::protocol::{OrderType, Placing, Record, SELF_TRADE};
use crate::units::{MarketId, Price, Qty};

impl Market {
    /// True if the configuration and the phase ask nothing of an order without flags and terms but its size, its name,
    /// room in the book, bounds and margin.
    pub(super) fn asks_margin_only(&self) -> bool {
        let admits_all = self.admits.matches && self.admits.place == Placing::All;
        admits_all && self.plain_entry && self.config.cleared && !self.breakers.refuses_sweeps()
    }
}

impl Floor {
    /// The order of a Place without terms by a known account in a known market, if it is certain to be accepted as it is.
    #[inline(always)]
    pub(crate) fn certain(&mut self, market: MarketId, r: &Record) -> Option<Order> {
        let bare = r.flags & !SELF_TRADE == 0 && r.amount == 0;
        if !bare || !self.market(market).margin_only || r.code > OrderType::ImmediateOrCancel.code() {
            return None;
        }
        self.look_at_bounds(market);
        let m = self.market(market);
        let order = Order::read(&Record { amount: 0, flags: r.flags & SELF_TRADE, ..*r }).ok()?;
        let Order { account, side, .. } = order;
        let (qty, price) = (Qty::new(r.qty), Price::new(r.price));
        let fits = qty >= m.config.entry.qty_min && qty <= m.config.order_qty_max && m.config.has(price);
        if !fits || m.book.is_full() || self.prices.mark(market).is_none() {
            return None;
        }
        if bit(self.ledger.tag(account).flags, LIQUIDATED) {
            return None;
        }
        let named = m.book.keeps_names()
            && !(m.book.admits_name(order.client) && m.book.named(account, order.client).is_none());
        let bounded = m.breakers.has_entry()
            && m.breakers.judge_entry(side, Some(price), order.flow(), || true).is_some();
        if named || bounded {
            return None;
        }
        let held = self.ledger.position(account, market);
        self.check_order(account, market, (side, qty, Some(price)), held).ok()?;
        Some(order)
    }
}
