//! An incoming order meets the book: price by price, order by order.

use super::{Floor, Flow, Incoming, Party, Swept};
use crate::allocation;
use crate::book::{Filled, Located, Resting};
use crate::insurance;
use crate::protocol::{
    CancelReason, Events, FILL_LIQUIDATION, FILL_TAKER, Placing, REDUCE_ONLY, Record, SelfTrade,
};
use crate::units::{Fine, MarketId, Money, Ppm, Price, Qty, Side};

/// Both sides of a trade: the resting order's, then the incoming one's.
#[inline(always)]
fn parties(order: &Incoming, resting: &Located) -> [Party; 2] {
    let flags = FILL_TAKER | if order.flow.is_liquidation() { FILL_LIQUIDATION } else { 0 };
    [
        Party { account: resting.account(), id: resting.id(), side: resting.side(), flags: 0 },
        Party { account: order.account, id: order.id, side: order.side, flags },
    ]
}

/// What is to be done about the order at the front.
enum Before {
    /// They meet, for so much at most.
    Meet(Qty),
    /// Something changed.
    LookAgain,
    /// No more matching.
    End,
}

impl Floor {
    /// Steps 4 and 5: the order meets the book. A breaker that trips has interrupted the market when this returns.
    pub(crate) fn sweep(&mut self, order: &Incoming, events: &mut Events) -> Swept {
        let mut swept = Swept {
            filled: Qty::ZERO,
            left: order.qty,
            value: Fine::ZERO,
            cost: Fine::ZERO,
            tripped: false,
            may_rest: false,
            leg: order.leg,
        };
        if !self.market(order.market).admits.matches {
            return swept;
        }
        let asks = self.market(order.market).breakers.has_trade() && {
            self.glance_at_bounds(order.market);
            let now = self.now;
            let asks = !self.market_mut(order.market).lets_sweep(now, order.side, order.limit);
            if asks {
                self.look_at_bounds(order.market);
            }
            asks
        };
        let m = self.market(order.market);
        let opposite = order.side.opposite();
        let reach = m.book.reach(opposite, order.limit);
        // Whether anything is asked about a meeting but who stands there and how much.
        let is_watched = asks
            || self.asks_fills(order.market)
            || m.config.allocation.shares_out()
            || matches!(order.flow, Flow::Backed { .. });
        let prevents = order.prevention != SelfTrade::Allowed;
        let mut asked = None;
        while swept.left.is_positive() {
            let Some(front) = self.market(order.market).book.front_within(opposite, reach) else { break };
            let mut qty = front.shown().min(swept.left);
            let is_own = || prevents && self.is_party(order.account, front.account());
            if is_watched || front.flags() & REDUCE_ONLY != 0 || is_own() {
                match self.before_meeting(order, front, &mut asked, &mut swept, events) {
                    Before::Meet(most) => qty = qty.min(most),
                    Before::LookAgain => continue,
                    Before::End => break,
                }
            }
            self.meet(order, front, qty, &mut swept, events);
        }
        swept
    }

    /// What is asked before an order meets the one at the front, in order: the breakers once for each price,
    /// allocation, self-trade prevention, the fill level of the resting account, the fund of a backed order, the position of a reduce-only one.
    #[inline(never)]
    fn before_meeting(
        &mut self,
        order: &Incoming,
        front: Located,
        asked: &mut Option<Price>,
        swept: &mut Swept,
        events: &mut Events,
    ) -> Before {
        let m = self.market(order.market);
        let resting = m.book.resting_of(&front);
        let price = resting.price;
        let shares_out = m.config.allocation.shares_out();
        if m.breakers.has_trade() && *asked != Some(price) {
            let breakers = &mut self.markets[order.market.index()].breakers;
            if !breakers.lets_trade(price) && self.ends_match(order, price, swept, events) {
                return Before::End;
            }
            *asked = Some(price);
        }
        if shares_out {
            let goes_on = self.share_out(order, resting, swept, events);
            return if goes_on { Before::LookAgain } else { Before::End };
        }
        if order.prevention != SelfTrade::Allowed && self.is_party(order.account, front.account()) {
            self.prevent(order, resting, swept, events);
            return Before::LookAgain;
        }
        if self.asks_fills(order.market) && !self.carries_fill(order.market, &resting, price, Qty::ZERO) {
            self.lose(order.market, &resting, Some((order, swept)), CancelReason::Margin, events);
            return Before::LookAgain;
        }
        let qty = self.payable(order, price, swept.cost, front.shown().min(swept.left));
        if qty.is_zero() {
            return Before::End;
        }
        // If it is cut: what is left of it, or who stands behind it, is looked at anew.
        match self.reduced(order.market, resting, Some((order, swept)), events) {
            Some(left) if left == resting => Before::Meet(qty),
            _ => Before::LookAgain,
        }
    }

    /// Asks the breakers about a price outside the bounds of some of them; true if the match ends before it.
    #[inline(never)]
    fn ends_match(&mut self, order: &Incoming, price: Price, swept: &mut Swept, events: &mut Events) -> bool {
        let m = self.market(order.market);
        if !m.phase.is_trading() {
            return false;
        }
        let verdict = m.breakers.judge_trade(self.now, price, order.kind);
        if let Some(bound) = verdict.stop.filter(|_| verdict.trips.is_empty()) {
            events.push(Record {
                account: order.account.get(),
                order: order.id.raw(),
                ..bound.record(order.market, order.side, order.shown_price, 2)
            });
        }
        if !verdict.trips.is_empty() {
            self.interrupt(order.market, &verdict.trips, events);
            swept.may_rest = verdict.rests && self.market(order.market).admits.place == Placing::Resting;
        }
        swept.tripped = verdict.ends();
        swept.tripped
    }

    /// Lots that a backed order can pay for at a price; all of them of any other order.
    #[inline(always)]
    fn payable(&self, order: &Incoming, price: Price, spent: Fine, qty: Qty) -> Qty {
        let Flow::Backed { budget, bankruptcy } = order.flow else { return qty };
        let contract = self.contract(order.market);
        let cost = insurance::cost_per_lot(order.side.opposite(), bankruptcy, price, contract);
        insurance::payable(budget, spent, cost, qty, contract)
    }

    /// Shares a quantity out among the orders that stand first; false if nothing can be paid for.
    #[inline(never)]
    fn share_out(
        &mut self,
        order: &Incoming,
        front: Resting,
        swept: &mut Swept,
        events: &mut Events,
    ) -> bool {
        let opposite = front.side;
        let mut queue = std::mem::take(&mut self.queue);
        queue.clear();
        self.market(order.market).book.front_queue(opposite, &mut queue);
        let own = order.prevention != SelfTrade::Allowed
            && queue.iter().any(|resting| self.is_party(order.account, resting.account));
        let mut goes_on = true;
        if own {
            for resting in &queue {
                let own = self.is_party(order.account, resting.account);
                // Its other leg may have gone with the one before it.
                if own && swept.left.is_positive() && self.market(order.market).book.get(resting.id).is_some()
                {
                    self.prevent(order, *resting, swept, events);
                }
            }
        } else {
            let qty = self.payable(order, front.price, swept.cost, swept.left);
            goes_on = qty.is_positive();
            let mut shares = std::mem::take(&mut self.shares);
            let m = self.market(order.market);
            allocation::shares(qty, &queue, m.book.top(opposite), &m.config.allocation, &mut shares);
            for (resting, &share) in queue.iter().zip(&shares).filter(|(_, share)| share.is_positive()) {
                if swept.left.is_zero() {
                    break;
                }
                // A meeting may have cancelled the other leg of an order that was to come.
                let Some(resting) = self.market(order.market).book.get(resting.id) else { continue };
                let met = self.reduced(order.market, resting, Some((order, &mut *swept)), events);
                let Some(resting) = met else { continue };
                let qty = share.min(resting.shown).min(swept.left);
                if qty.is_positive() {
                    let found = self.market(order.market).book.find(resting.id).expect("it rests");
                    self.meet(order, found, qty, swept, events);
                }
            }
            self.shares = shares;
        }
        self.queue = queue;
        goes_on
    }

    /// An order is about to meet one of its own party.
    #[inline(never)]
    fn prevent(&mut self, order: &Incoming, resting: Resting, swept: &mut Swept, events: &mut Events) {
        let (market, reason) = (order.market, CancelReason::SelfTrade);
        match order.prevention {
            SelfTrade::Allowed => {}
            SelfTrade::CancelNewest => self.drop_rest(order, swept, reason, events),
            SelfTrade::CancelOldest => self.lose(market, &resting, Some((order, swept)), reason, events),
            SelfTrade::CancelBoth => {
                self.lose(market, &resting, Some((order, &mut *swept)), reason, events);
                self.drop_rest(order, swept, reason, events);
            }
            SelfTrade::Decrement => {
                let qty = swept.left.min(resting.qty);
                self.lose(market, &Resting { qty, ..resting }, Some((order, &mut *swept)), reason, events);
                let all = swept.left;
                swept.left = qty.min(all);
                self.drop_rest(order, swept, reason, events);
                swept.left = (all - qty).max(Qty::ZERO);
            }
        }
        if swept.left.is_zero() {
            self.end_leg(order, swept, events);
        }
    }

    /// An incoming order is cancelled: so is its other leg.
    pub(crate) fn end_leg(&mut self, order: &Incoming, swept: &mut Swept, events: &mut Events) {
        if let Some(leg) = swept.leg.take() {
            self.cancel_leg(order.market, leg, events);
        }
    }

    /// What is left of an incoming order is cancelled; matching ends then.
    pub(crate) fn drop_rest(
        &mut self,
        order: &Incoming,
        swept: &mut Swept,
        reason: CancelReason,
        events: &mut Events,
    ) {
        if swept.left.is_zero() {
            return;
        }
        if order.flow == (Flow::User { counted: true }) {
            self.ledger.position_mut(order.account, order.market).add_open(order.side, -swept.left);
        }
        Self::report_cancelled(order.market, &order.rest(swept.left), reason, events);
        swept.left = Qty::ZERO;
    }

    /// A resting order loses `resting.qty` of its open quantity without a trade. If that is all, its other leg is
    /// cancelled, be it a resting order or the incoming one.
    pub(super) fn lose(
        &mut self,
        market: MarketId,
        resting: &Resting,
        incoming: Option<(&Incoming, &mut Swept)>,
        reason: CancelReason,
        events: &mut Events,
    ) {
        let book = &mut self.market_mut(market).book;
        let open = book.get_any(resting.id).expect("the order rests").qty;
        let mut leg = None;
        if resting.qty < open {
            book.cut_any(resting, resting.qty);
        } else {
            leg = book.remove(resting.id).and_then(|gone| gone.leg);
        }
        self.count_open(market, (resting.account, resting.side, resting.flags), -resting.qty);
        Self::report_cancelled(market, resting, reason, events);
        let Some(leg) = leg else { return };
        match incoming {
            Some((order, swept)) if order.id == leg => {
                swept.leg = None;
                self.drop_rest(order, swept, CancelReason::OtherLeg, events);
            }
            _ => self.cancel_leg(market, leg, events),
        }
    }

    /// A resting order as it may trade now: a reduce-only order is cut to what reduces the position; `None` if
    /// that is nothing.
    #[inline(never)]
    pub(super) fn reduced(
        &mut self,
        market: MarketId,
        resting: Resting,
        incoming: Option<(&Incoming, &mut Swept)>,
        events: &mut Events,
    ) -> Option<Resting> {
        if resting.flags & REDUCE_ONLY == 0 {
            return Some(resting);
        }
        let base = self.ledger.position(resting.account, market).base;
        let opposite = !base.is_zero() && Side::of(base) != resting.side;
        let room = if opposite { base.abs() } else { Qty::ZERO };
        if room >= resting.qty {
            return Some(resting);
        }
        let lost = Resting { qty: resting.qty - room, ..resting };
        self.lose(market, &lost, incoming, CancelReason::ReduceOnly, events);
        self.market(market).book.get_any(resting.id)
    }

    /// One meeting of the incoming order with a resting one.
    #[inline(always)]
    fn meet(&mut self, order: &Incoming, resting: Located, qty: Qty, swept: &mut Swept, events: &mut Events) {
        let m = &mut self.markets[order.market.index()];
        let trade = (m.book.price_of(&resting), qty);
        let cleared = m.config.cleared;
        if !cleared {
            for of in parties(order, &resting) {
                Self::report_fill(order.market, &of, trade, Money::ZERO, events);
            }
        }
        let filled = m.book.fill(&resting, qty);
        self.note_trade(order.market, trade.0);
        // Parts of the order's quantity.
        swept.filled = swept.filled.plus_proven(qty);
        swept.left = swept.left.minus_proven(qty);
        if cleared {
            self.clear(order, resting, trade, swept, events);
        }
        if filled.is_some() || swept.leg.is_some() {
            let maker = &parties(order, &resting)[0];
            self.end_meeting(order, maker, trade.0, &filled.unwrap_or_default(), swept, events);
        }
    }

    /// Step 5 of one meeting: what is open, positions, fees; the resting side first.
    #[inline(never)]
    fn clear(
        &mut self,
        order: &Incoming,
        resting: Located,
        trade: (Price, Qty),
        swept: &mut Swept,
        events: &mut Events,
    ) {
        let (price, qty) = trade;
        let m = &self.markets[order.market.index()];
        let (fees, contract) = (m.config.fees, m.contract);
        let [maker, taker] = parties(order, &resting);
        swept.value += contract.fine(price, qty);
        if resting.flags() & REDUCE_ONLY == 0 {
            self.ledger.position_mut(maker.account, order.market).add_open(maker.side, -qty);
        }
        self.book_trade(order.market, &maker, trade, (fees.maker_ppm, &contract), events);
        let rate = match order.flow {
            Flow::User { counted } => {
                if counted {
                    self.ledger.position_mut(order.account, order.market).add_open(order.side, -qty);
                }
                fees.taker_ppm
            }
            Flow::Backed { bankruptcy, .. } => {
                swept.cost += insurance::cost_per_lot(maker.side, bankruptcy, price, &contract).times(qty);
                Ppm::ZERO
            }
            Flow::Liquidation => Ppm::ZERO,
        };
        self.book_trade(order.market, &taker, trade, (rate, &contract), events);
    }

    /// After a meeting: the next peak, and the other legs of both orders.
    #[inline(never)]
    fn end_meeting(
        &mut self,
        order: &Incoming,
        maker: &Party,
        price: Price,
        filled: &Filled,
        swept: &mut Swept,
        events: &mut Events,
    ) {
        Self::report_peak(order.market, maker, price, filled, events);
        match filled.leg {
            Some(leg) if leg == order.id => {
                swept.leg = None;
                self.drop_rest(order, swept, CancelReason::OtherLeg, events);
                // The other way round, too: what is left of the one that it met.
                self.cancel_leg(order.market, maker.id, events);
                return;
            }
            Some(leg) => self.cancel_leg(order.market, leg, events),
            None => {}
        }
        self.end_leg(order, swept, events);
    }
}
