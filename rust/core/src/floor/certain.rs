//! What most commands are in markets with margin: limit orders of which nothing more is said than a self-trade mode, inside
//! all bounds, of accounts that cover them; and cancels of ordinary orders.
//!
//! One look at a command and its account tells them from the others. As in `plain`, what is done here is done whole, all
//! refusals are left to the steps of the venue, and so is every command of which more has to be asked. Whom a trade has
//! touched is asked for a proof by its guards at once; only who has none is left for the end of the step.

use super::plain::{Sizes, accept, bare_side, reach_of, report_cancelled, report_fill};
use super::{CALLED, Done, Floor, Flow, Incoming, LIQUIDATED, Market, ROOM, bit};
use crate::ledger::Position;
use crate::order::{FlowKind, Order, prevents, self_trade};
use crate::protocol::{
    BY_CLIENT_ID, CancelReason, Events, FILL_TAKER, OrderType, Placing, REDUCE_ONLY, Record, command,
};
use crate::units::{AccountId, Cover, MarketId, Money, Nanos, OrderId, Ppm, Price, Qty, Side};

/// What a market with margin asks of an order of which nothing more is said than a self-trade mode, as it stands.
#[derive(Debug, Clone, Copy, Default)]
#[allow(clippy::struct_excessive_bools, reason = "each answers a question once for every order")]
pub(super) struct Sure {
    /// Nothing but its size, its name, room in the book, bounds and margin.
    entry: bool,
    /// Breakers look at the touch at the end of a step.
    quotes: bool,
    /// Nothing of orders that trade either, but prices between bounds and whose the resting order is.
    trades: bool,
    sizes: Sizes,
}

impl Sure {
    pub(super) fn of(m: &Market) -> Self {
        let (config, breakers) = (&m.config, &m.breakers);
        let admits_all = m.admits.matches && m.admits.place == Placing::All;
        let entry = admits_all && m.plain_entry && config.cleared && !breakers.refuses_sweeps();
        Self {
            entry,
            quotes: breakers.has_quotes(),
            trades: entry && !config.allocation.shares_out(),
            sizes: Sizes::of(m),
        }
    }
}

impl Market {
    /// True for a Place of an order of which nothing is asked but its account, its name, margin, and room in the book. The
    /// bounds are as of the last look.
    #[inline(always)]
    fn asks_no_more(&self, r: &Record) -> bool {
        let Sure { entry, sizes, .. } = &self.sure;
        let leaves = || self.breakers.leaves(bare_side(r), Price::new(r.price));
        *entry && Order::is_bare(r) && sizes.have(r) && leaves()
    }

    /// True if an order at a price leaves a touch that breakers look at at its ease: else it is looked at at the end of a step.
    #[inline(always)]
    fn keeps_touch(&self, price: Price) -> bool {
        !self.sure.quotes || self.breakers.stays_at_ease(price)
    }
}

impl Floor {
    /// Does a command in a market with margin at a time at which nothing is due. There is [`ROOM`] for its part.
    #[inline(always)]
    pub(super) fn does_with_margin(&mut self, r: &Record, events: &mut Events) -> Done {
        let m = &self.markets[usize::from(r.market)];
        match r.kind {
            command::PLACE if m.book.keeps_more() => self.places::<true>(r, events),
            command::PLACE => self.places::<false>(r, events),
            command::CANCEL => self.cancels(r, events),
            _ => Done::Not,
        }
    }

    /// A Place in a market with margin at a time at which nothing is due, of an order that is certain to be accepted. More
    /// is kept of orders, or not. What is not told at one look, or has to be made first, is done by functions at the end
    /// of the way.
    #[inline(always)]
    fn places<const MORE: bool>(&mut self, r: &Record, events: &mut Events) -> Done {
        let (account, market, side) = (AccountId::new(r.account), MarketId::new(r.market), bare_side(r));
        let (price, qty) = (Price::new(r.price), Qty::new(r.qty));
        let m = &self.markets[market.index()];
        let is_plain = m.asks_no_more(r) && !m.breakers.is_stale(self.now) && m.keeps_touch(price);
        if !is_plain || !self.is_sure(m, (account, market), (side, qty, price)) {
            return self.places_exactly(r, events);
        }
        let Self { markets, ledger, accepted, .. } = self;
        let m = &mut markets[market.index()];
        m.breakers.note_entry();
        let book = &mut m.book;
        if MORE && !book.has_free_name(account, r.order) {
            return Done::Not;
        }
        let (key, reach) = book.keys(side, price);
        if book.is_within(side.opposite(), reach_of(r, reach)) {
            return self.takes(r, events);
        }
        let Some(id) = book.follow(accepted, (account, side), (key, qty), r.flags) else {
            return self.leads(r, events);
        };
        if MORE {
            book.enrol_more(id.slot(), account, r.order);
        }
        ledger.position_mut(account, market).add_open(side, qty);
        accept(r, id, events);
        Done::Plainly
    }

    /// The same where it takes more than a look.
    #[inline(never)]
    fn places_exactly(&mut self, r: &Record, events: &mut Events) -> Done {
        let market = MarketId::new(r.market);
        if !self.is_certain(market, r) || !self.market(market).keeps_touch(Price::new(r.price)) {
            return Done::Not;
        }
        self.market_mut(market).breakers.note_entry();
        let book = &self.market(market).book;
        let (_, reach) = book.keys(bare_side(r), Price::new(r.price));
        if book.is_within(bare_side(r).opposite(), reach_of(r, reach)) {
            self.takes(r, events)
        } else {
            self.leads(r, events)
        }
    }

    /// A Place that comes to rest where it is not put behind others in passing.
    #[inline(never)]
    fn leads(&mut self, r: &Record, events: &mut Events) -> Done {
        let (account, market, side) = (AccountId::new(r.account), MarketId::new(r.market), bare_side(r));
        let Self { markets, ledger, accepted, .. } = self;
        let book = &mut markets[market.index()].book;
        if !book.has_room() {
            return Done::Not;
        }
        let id = book.next_id(accepted);
        let size = (book.key(side, Price::new(r.price)), Qty::new(r.qty));
        book.add(id, (account, side), size, r.flags, r.order);
        ledger.position_mut(account, market).add_open(side, size.1);
        accept(r, id, events);
        Done::Plainly
    }

    /// A Cancel of an ordinary order by its owner.
    #[inline(always)]
    fn cancels(&mut self, r: &Record, events: &mut Events) -> Done {
        let Self { markets, ledger, .. } = self;
        let market = MarketId::new(r.market);
        let m = &mut markets[market.index()];
        let gone = match r.flags {
            _ if m.looks_at_cancels() => None,
            0 => m.cancel_plainly::<false, true>(r, events),
            BY_CLIENT_ID => m.cancel_plainly::<true, true>(r, events),
            _ => None,
        };
        let Some(gone) = gone else { return Done::Not };
        if gone.flags() & REDUCE_ONLY == 0 {
            ledger.position_mut(gone.account(), market).add_open(gone.side(), -gone.shown());
        }
        Done::Plainly
    }

    /// True for a Place without terms in a known market whose order is certain to be accepted as it is, but for room in the
    /// book.
    #[inline(always)]
    pub(crate) fn is_certain(&mut self, market: MarketId, r: &Record) -> bool {
        self.glance_at_bounds(market);
        let m = self.market(market);
        let (account, side) = (AccountId::new(r.account), bare_side(r));
        if !m.asks_no_more(r) || !m.book.has_free_name(account, r.order) || !self.ledger.knows(account) {
            return false;
        }
        let (held, flags) = (self.ledger.position(account, market), self.ledger.tag(account).flags);
        let order = (side, Qty::new(r.qty), Some(Price::new(r.price)));
        let is_free = !bit(flags, LIQUIDATED) && self.prices.mark(market).is_some();
        is_free && self.check_order((m, market), account, order, held).is_ok()
    }

    /// True if the account of an order is there and free and covers it, as far as one sum tells: what
    /// [`Floor::is_certain`] asks of it. False says nothing.
    #[inline(always)]
    fn is_sure(&self, m: &Market, of: (AccountId, MarketId), order: (Side, Qty, Price)) -> bool {
        let ((account, market), (side, qty, price)) = (of, order);
        let (Some(held), Some(flat)) = (self.ledger.holding(account, market), &m.flat) else { return false };
        // What the other markets of an account ask for is not told at one look.
        if bit(held.tag.flags, LIQUIDATED) || self.markets.len() > 1 {
            return false;
        }
        let Position { base, cost, .. } = *held.position;
        let end = held.position.end(side) + qty;
        let open = self.ledger.open_interest(market) + qty;
        let fits = end <= m.config.position_max && open <= m.config.open_interest_max;
        let cover = Cover { cash: held.cash, base, cost, side, price, qty, end };
        let is_sure = fits && flat.surely_covers(&cover);
        debug_assert!(
            !is_sure
                || self.check_order((m, market), account, (side, qty, Some(price)), held.position).is_ok()
        );
        is_sure
    }

    /// A Place that is certain to be accepted, and trades or does not rest.
    #[inline(never)]
    fn takes(&mut self, r: &Record, events: &mut Events) -> Done {
        let (market, side) = (MarketId::new(r.market), bare_side(r));
        let (account, price) = (AccountId::new(r.account), Price::new(r.price));
        let rests = r.code == OrderType::Limit.code();
        let m = &mut self.markets[market.index()];
        let asks = !m.sure.trades
            || m.book.waiting().watches_trades()
            || self.rules.has_fill_level()
            || m.breakers.has_trade() && !m.lets_sweep(self.now, side, Some(price));
        if asks || !m.book.is_plain() || !m.book.has_room_if(rests) {
            return Done::Not;
        }
        let slot = m.book.reserve_if(rests);
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
            // Orders of either side may be gone: the end of the step looks at the touch.
            self.is_stirred |= self.market(market).sure.quotes;
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
            return Done::Unfinished;
        }
        self.ledger.audit_trades(market);
        self.end_taking(r, events)
    }

    /// The end of a step in which an order has traded and nothing else is left to do: references take its trades.
    #[inline(always)]
    fn end_taking(&mut self, r: &Record, events: &mut Events) -> Done {
        if self.has_news {
            self.observe();
        }
        let m = &self.markets[usize::from(r.market)];
        if m.sure.quotes { self.ease(r, events) } else { Done::Taken }
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
            if met.goes && m.book.keeps_more() {
                m.book.forget(met.order, None);
            }
            if met.ends {
                m.book.close(opposite);
            }
            m.mark.trade(price);
            self.has_news |= m.breakers.trade(price);

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
        if bit(flags, LIQUIDATED) {
            return;
        }
        let is_called = bit(flags, CALLED);
        if is_called || !(self.arms_plainly(account, market) || self.is_guarded(account, market)) {
            self.touch_in(account, market);
        }
    }

    /// Sets the guard anew of an account that has traded and is not called, where that is simple.
    #[inline(always)]
    fn arms_plainly(&mut self, account: AccountId, market: MarketId) -> bool {
        let fear = self.fear(account);
        let Self { guards, ledger, markets, prices, rules, .. } = self;
        let (Some(held), Some(flat)) = (ledger.holding(account, market), &markets[market.index()].flat)
        else {
            return false;
        };
        rules.assets().is_empty() && guards.arm_traded((flat, prices.known(market)), account, &held, fear)
    }
}
