//! What most commands are in markets with margin: limit orders of which nothing more is said than a self-trade mode, inside
//! all bounds, of accounts that cover them; and cancels of ordinary orders.
//!
//! One look at a command and its account tells them from the others. As in `plain`, what is done here is done whole, all
//! refusals are left to the steps of the venue, and so is every command of which more has to be asked.

use super::plain::accept;
use super::{Floor, LIQUIDATED, Market, bit};
use crate::order::Order;
use crate::protocol::{BY_CLIENT_ID, Events, OrderType, Placing, REDUCE_ONLY, Record, SELF_TRADE, command};
use crate::units::{AccountId, MarketId};

impl Market {
    /// True if the configuration and the phase ask nothing of an order without flags and terms but its size, its name,
    /// room in the book, bounds and margin.
    pub(super) fn asks_margin_only(&self) -> bool {
        let admits_all = self.admits.matches && self.admits.place == Placing::All;
        admits_all && self.plain_entry && self.config.cleared && !self.breakers.refuses_sweeps()
    }
}

impl Floor {
    /// Does a command in a market with margin at a time at which nothing is due, if it trades nothing; false if it takes
    /// more.
    #[inline(never)]
    pub(super) fn does_with_margin(&mut self, r: &Record, events: &mut Events) -> bool {
        if !self.markets.get(usize::from(r.market)).is_some_and(|m| m.config.cleared) {
            return false;
        }
        match r.kind {
            command::PLACE if r.code == OrderType::Limit.code() => self.rests(r, events),
            command::CANCEL => self.cancels(r, events),
            _ => false,
        }
    }

    /// A Place of an order that is certain to come to rest as it is.
    #[inline(always)]
    fn rests(&mut self, r: &Record, events: &mut Events) -> bool {
        let market = MarketId::new(r.market);
        // A touch that breakers look at is looked at at the end of a step.
        if self.market(market).breakers.has_quotes() {
            return false;
        }
        let Some(order) = self.certain(market, r) else { return false };
        let Order { account, side, price, qty, flags, client, .. } = order;
        let Self { markets, ledger, accepted, .. } = self;
        let book = &mut markets[market.index()].book;
        let (key, reach) = book.keys(side, price);
        if book.is_within(side.opposite(), u64::from(reach)) {
            return false;
        }
        let (owner, size) = ((account, side), (key, qty));
        let id = match book.follow(accepted, owner, size, flags) {
            Some(id) => {
                if book.keeps_more() {
                    book.enrol(id.slot(), account, client);
                }
                id
            }
            None if book.has_room() => {
                let id = book.next_id(accepted);
                book.add(id, owner, size, flags, client);
                id
            }
            None => return false,
        };
        ledger.position_mut(account, market).add_open(side, qty);
        accept(r, id, events);
        true
    }

    /// A Cancel of an ordinary order by its owner.
    #[inline(always)]
    fn cancels(&mut self, r: &Record, events: &mut Events) -> bool {
        let Self { markets, ledger, .. } = self;
        let market = MarketId::new(r.market);
        let m = &mut markets[market.index()];
        let gone = match r.flags {
            0 => m.cancel_plainly::<false>(r, events),
            BY_CLIENT_ID => m.cancel_plainly::<true>(r, events),
            _ => None,
        };
        let Some(gone) = gone else { return false };
        if gone.flags() & REDUCE_ONLY == 0 {
            ledger.position_mut(gone.account(), market).add_open(gone.side(), -gone.shown());
        }
        true
    }

    /// The order of a Place without terms in a known market, if it is certain to be accepted as it is.
    #[inline(always)]
    pub(crate) fn certain(&mut self, market: MarketId, r: &Record) -> Option<Order> {
        let bare =
            r.flags & !SELF_TRADE == 0 && r.amount == 0 && r.code <= OrderType::ImmediateOrCancel.code();
        let m = self.market(market);
        if !bare || !m.margin_only || !self.ledger.knows(AccountId::new(r.account)) {
            return None;
        }
        self.look_at_bounds(market);
        if self.market(market).breakers.has_quotes() {
            self.ask_touches();
        }
        let m = self.market(market);
        let order = Order::read(&Record { amount: 0, flags: r.flags & SELF_TRADE, ..*r }).ok()?;
        let Order { account, side, price, qty, client, .. } = order;
        let fits = qty >= m.config.entry.qty_min && qty <= m.config.order_qty_max && m.config.has(price);
        let free = !bit(self.ledger.tag(account).flags, LIQUIDATED);
        if !fits || !free || m.book.is_full() || self.prices.mark(market).is_none() {
            return None;
        }
        if m.book.keeps_names() && !m.book.has_free_name(account, client) {
            return None;
        }
        if m.breakers.has_entry()
            && m.breakers.judge_entry(side, Some(price), order.flow(), || true).is_some()
        {
            return None;
        }
        let held = self.ledger.position(account, market);
        self.check_order((m, market), account, (side, qty, Some(price)), held).ok()?;
        Some(order)
    }
}
