//! What most commands are in markets with margin: limit orders of which nothing more is said than a self-trade mode, inside
//! all bounds, of accounts that cover them; and cancels of ordinary orders.
//!
//! One look at a command and its account tells them from the others. As in `plain`, what is done here is done whole, all
//! refusals are left to the steps of the venue, and so is every command of which more has to be asked. Whom a trade has
//! touched is asked for a proof by its guards at once; only who has none is left for the end of the step.

use super::plain::{accept, report_cancelled, report_fill};
use super::{CALLED, Floor, Flow, Incoming, LIQUIDATED, Market, ROOM, bit};
use crate::book::NO_SLOT;
use crate::config::Allocation;
use crate::ledger::Position;
use crate::order::{FlowKind, Order, prevents, self_trade};
use crate::protocol::{
    BY_CLIENT_ID, CancelReason, Events, FILL_TAKER, OrderType, Placing, REDUCE_ONLY, Record, command,
};
use crate::units::{AccountId, Cover, MarketId, Money, Nanos, OrderId, Ppm, Price, Qty, Side, Sum};

/// What a market with margin asks of an order of which nothing more is said than a self-trade mode, as it stands.
#[derive(Debug, Clone, Copy, Default)]
#[allow(clippy::struct_excessive_bools, reason = "each answers a question once for every order")]
pub(super) struct Sure {
    /// Nothing but its size, its name, room in the book, bounds and margin.
    entry: bool,
    /// Breakers look at the touch at the end of a step.
    quotes: bool,
    /// Nothing of orders that trade either, but whose the resting order is.
    trades: bool,
    /// Orders have names.
    names: bool,
    qty: (Qty, Qty),
    price: (Price, Price),
}

impl Sure {
    pub(super) fn of(m: &Market) -> Self {
        let (config, breakers) = (&m.config, &m.breakers);
        let admits_all = m.admits.matches && m.admits.place == Placing::All;
        let entry = admits_all && m.plain_entry && config.cleared && !breakers.refuses_sweeps();
        let shares_out = matches!(config.allocation, Allocation::ProRata { .. });
        let watched = breakers.has_trade() || breakers.watches_trades() || breakers.has_quotes();
        Self {
            entry,
            quotes: breakers.has_quotes(),
            trades: entry && !shares_out && !watched,
            names: m.book.keeps_names(),
            qty: (config.entry.qty_min, config.order_qty_max),
            price: config.prices(),
        }
    }
}

/// What became of a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Done {
    /// Nothing: the steps of the venue do it.
    Not,
    /// All of it.
    Whole,
    /// All but what is left for the end of a step.
    Stirred,
}

impl From<bool> for Done {
    #[inline(always)]
    fn from(done: bool) -> Self {
        if done { Self::Whole } else { Self::Not }
    }
}

impl Floor {
    /// Does a command in a market with margin at a time at which nothing is due. There is [`ROOM`] for its part.
    #[inline(never)]
    pub(super) fn does_with_margin(&mut self, r: &Record, events: &mut Events) -> Done {
        if !self.markets.get(usize::from(r.market)).is_some_and(|m| m.config.cleared) {
            return Done::Not;
        }
        match r.kind {
            command::PLACE => self.places(r, events),
            command::CANCEL => self.cancels(r, events),
            _ => Done::Not,
        }
    }

    /// A Place in a market with margin at a time at which nothing is due, of an order that is certain to be accepted.
    #[inline(always)]
    fn places(&mut self, r: &Record, events: &mut Events) -> Done {
        let market = MarketId::new(r.market);
        // A touch that breakers look at is looked at at the end of a step.
        if self.market(market).sure.quotes {
            return Done::Not;
        }
        let Some(side) = self.certain(market, r) else { return Done::Not };
        let Self { markets, ledger, accepted, .. } = self;
        let book = &mut markets[market.index()].book;
        let (key, reach) = book.keys(side, Price::new(r.price));
        if book.is_within(side.opposite(), u64::from(reach) | u64::from(r.code) << 32) {
            return self.takes(r, side, events);
        }
        let (account, qty) = (AccountId::new(r.account), Qty::new(r.qty));
        let (owner, size) = ((account, side), (key, qty));
        let id = match book.follow(accepted, owner, size, r.flags) {
            Some(id) => {
                if book.keeps_more() {
                    book.enrol(id.slot(), account, r.order);
                }
                id
            }
            None if book.has_room() => {
                let id = book.next_id(accepted);
                book.add(id, owner, size, r.flags, r.order);
                id
            }
            None => return Done::Not,
        };
        ledger.position_mut(account, market).add_open(side, qty);
        accept(r, id, events);
        Done::Whole
    }

    /// A Cancel of an ordinary order by its owner.
    #[inline(always)]
    fn cancels(&mut self, r: &Record, events: &mut Events) -> Done {
        let Self { markets, ledger, .. } = self;
        let market = MarketId::new(r.market);
        let m = &mut markets[market.index()];
        let gone = match r.flags {
            0 => m.cancel_plainly::<false>(r, events),
            BY_CLIENT_ID => m.cancel_plainly::<true>(r, events),
            _ => None,
        };
        let Some(gone) = gone else { return Done::Not };
        if gone.flags() & REDUCE_ONLY == 0 {
            ledger.position_mut(gone.account(), market).add_open(gone.side(), -gone.shown());
        }
        Done::Whole
    }

    /// The side of a Place without terms in a known market, if its order is certain to be accepted as it is, but for room in
    /// the book.
    #[inline(always)]
    pub(crate) fn certain(&mut self, market: MarketId, r: &Record) -> Option<Side> {
        let m = self.market(market);
        if !m.sure.entry || !Order::is_bare(r) {
            return None;
        }
        self.look_at_bounds(market);
        let m = self.market(market);
        let side = Side::of_bit(r.side != Side::Buy.code());
        let (price, qty) = (Price::new(r.price), Qty::new(r.qty));
        let Sure { names, qty: (least, most), price: (lowest, highest), .. } = m.sure;
        let fits = least <= qty && qty <= most && lowest <= price && price <= highest;
        if !fits || !m.breakers.leaves(side, price) {
            return None;
        }
        if names && !m.book.has_free_name(AccountId::new(r.account), r.order) {
            return None;
        }
        let of = (AccountId::new(r.account), market);
        self.is_carried(m, of, (side, qty, price)).then_some(side)
    }

    /// True if an account is there and free, and covers an order.
    #[inline(always)]
    fn is_carried(&self, m: &Market, of: (AccountId, MarketId), order: (Side, Qty, Price)) -> bool {
        let ((account, market), (side, qty, price)) = (of, order);
        let Some(held) = self.ledger.holding(account, market) else { return false };
        if bit(held.tag.flags, LIQUIDATED) {
            return false;
        }
        let Some(flat) = &m.flat else { return self.carries(of, order) };
        let Position { base, cost, .. } = *held.position;
        // Other assets only add to it.
        let mut cash = held.cash;
        if self.markets.len() > 1 {
            let others = self.rules.spare_of_others(&self.ledger, &self.prices, account, market);
            cash = (Sum::of(cash) + others).saturate();
        }
        let end = held.position.end(side) + qty;
        let open = self.ledger.open_interest(market) + qty;
        let fits = end <= m.config.position_max && open <= m.config.open_interest_max;
        if fits && flat.surely_covers(&Cover { cash, base, cost, side, price, qty, end }) {
            debug_assert!(self.carries(of, order));
            return true;
        }
        self.carries(of, order)
    }

    /// The same of an order that is not covered at first sight.
    #[inline(never)]
    fn carries(&self, of: (AccountId, MarketId), order: (Side, Qty, Price)) -> bool {
        let ((account, market), (side, qty, price)) = (of, order);
        if self.prices.mark(market).is_none() {
            return false;
        }
        let held = self.ledger.position(account, market);
        self.check_order((self.market(market), market), account, (side, qty, Some(price)), held).is_ok()
    }

    /// A Place that is certain to be accepted, and trades or does not rest.
    #[inline(never)]
    fn takes(&mut self, r: &Record, side: Side, events: &mut Events) -> Done {
        let market = MarketId::new(r.market);
        let (account, price) = (AccountId::new(r.account), Price::new(r.price));
        let rests = r.code == OrderType::Limit.code();
        let m = &mut self.markets[market.index()];
        let asks = !m.sure.trades || m.book.waiting().watches_trades() || self.rules.has_fill_level();
        if asks || !m.book.is_plain() || (rests && !m.book.has_room()) {
            return Done::Not;
        }
        let slot = if rests { m.book.reserve() } else { NO_SLOT };
        let (own, reach) = m.book.keys(side, price);
        let id = self.next_id(slot);
        accept(r, id, events);

        let of_account = self.ledger.tag(account).prevention;
        let prevents = prevents(r.flags, of_account);
        let mut left = self.meet_plainly(r, (id, side), reach, prevents, events);
        if rests && left.is_positive() {
            self.ledger.position_mut(account, market).add_open(side, left);
        }
        if prevents
            && left.is_positive()
            && self.market(market).book.is_within(side.opposite(), u64::from(reach))
        {
            left = self.meet_own(r, (id, side), left, events);
        }
        let book = &mut self.markets[market.index()].book;
        events.make_room(1 + ROOM);
        if left.is_positive() {
            if rests {
                book.add(id, (account, side), (own, left), r.flags, r.order);
            } else {
                report_cancelled(r, id.raw(), side, ((price, left), CancelReason::Immediate), events);
            }
        } else if rests {
            book.release(id.slot());
        }
        if self.is_stirred {
            return Done::Stirred;
        }
        self.ledger.audit_trades(market);
        Done::Whole
    }

    /// What is left of an order that is about to meet one of its own party, after it has met the book.
    #[inline(never)]
    fn meet_own(&mut self, r: &Record, (id, side): (OrderId, Side), qty: Qty, events: &mut Events) -> Qty {
        events.stamp(Nanos::new(r.at), r.source);
        let rests = r.code == OrderType::Limit.code();
        let incoming = Incoming {
            id,
            market: MarketId::new(r.market),
            account: AccountId::new(r.account),
            side,
            limit: Some(Price::new(r.price)),
            qty,
            flow: Flow::User { counted: rests },
            shown_price: Price::new(r.price),
            prevention: self_trade(r.flags, self.ledger.tag(AccountId::new(r.account)).prevention),
            leg: None,
            kind: FlowKind { immediate: !rests, ..FlowKind::default() },
        };
        self.sweep(&incoming, events).left
    }

    /// An incoming order meets orders that are shown whole and cannot fall away, price by price, until one of its own party
    /// stands in its way: what is left of it.
    #[inline(always)]
    fn meet_plainly(
        &mut self,
        r: &Record,
        (id, side): (OrderId, Side),
        reach: u32,
        prevents: bool,
        events: &mut Events,
    ) -> Qty {
        let (market, account, opposite) =
            (MarketId::new(r.market), AccountId::new(r.account), side.opposite());
        let group = self.ledger.tag(account).group;
        let qty = Qty::new(r.qty);
        let mut left = qty;
        while left.is_positive() {
            let Self { markets, ledger, .. } = self;
            let m = &mut markets[market.index()];
            let is_other = |of| !prevents || (of != account && (group == 0 || ledger.tag(of).group != group));
            let Some(met) = m.book.meet_if(opposite, reach, left, is_other) else { break };
            left = left.minus_proven(met.qty);
            let maker = met.order.account();
            let price = m.book.price_of(&met.order);
            if met.ends {
                m.book.close(opposite);
            }
            if m.book.keeps_more() && met.qty == met.order.shown() {
                m.book.forget(met.order, None);
            }
            m.mark.trade(price);

            let (fees, contract) = (&m.config.fees, &m.contract);
            let value = contract.fine(price, met.qty);
            let signed = |side: Side| (side.signed(met.qty), side.signed_value(value));
            let fee = |rate: Ppm| if rate.is_zero() { Money::ZERO } else { contract.rate_of_up(value, rate) };
            let at = (price, contract);
            // With what may come after the last trade.
            events.make_room(3);
            let paid = fee(fees.maker_ppm);
            ledger.fill(maker, market, signed(opposite), met.qty, at);
            if !paid.is_zero() {
                ledger.charge(maker, paid);
            }
            report_fill(r, (met.order.id(), maker, opposite, 0), (price, met.qty), paid, events);
            let paid = fee(fees.taker_ppm);
            ledger.fill(account, market, signed(side), Qty::ZERO, at);
            if !paid.is_zero() {
                ledger.charge(account, paid);
            }
            report_fill(r, (id, account, side, FILL_TAKER), (price, met.qty), paid, events);
            self.look_after(maker, market);
        }
        if left < qty {
            self.look_after(account, market);
        }
        left
    }

    /// An account has traded in a market: if its guards do not prove that it is healthy, the end of the step looks at it.
    #[inline(always)]
    fn look_after(&mut self, account: AccountId, market: MarketId) {
        let Self { guards, ledger, markets, .. } = self;
        let is_proven = match (ledger.holding(account, market), &markets[market.index()].flat) {
            (Some(held), Some(flat)) if !bit(held.tag.flags, CALLED | LIQUIDATED) => {
                guards.prove_traded(flat, (account, market), &held)
            }
            _ => false,
        };
        if !is_proven {
            return self.look_after_more(account, market);
        }
        debug_assert!(!self.rules.assets().is_empty() || self.is_guarded(account, market));
    }

    #[inline(never)]
    fn look_after_more(&mut self, account: AccountId, market: MarketId) {
        let flags = self.ledger.tag(account).flags;
        // What happens to an account in liquidation is the business of its rounds.
        if !bit(flags, LIQUIDATED) && (bit(flags, CALLED) || !self.is_guarded(account, market)) {
            self.touch_in(account, market);
        }
    }
}
