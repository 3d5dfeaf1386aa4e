//! Meeting the book: docs/mechanics.md sections 6 and 6.2 to 6.4.

use super::rules::Allocation;
use super::seen::Situation;
use super::words::{event, fill, flag, order_type, reason, term};
use super::{Naive, Order, SLOT_BITS, index};
use seawall_core::Record;

/// One trade of two orders.
#[derive(Debug, Clone, Copy)]
pub(super) struct Meeting {
    pub(super) price: i64,
    pub(super) qty: i64,
}

/// What an order may do with an own order in its way.
mod mode {
    pub(super) const NEWEST: u16 = 1;
    pub(super) const OLDEST: u16 = 2;
    pub(super) const BOTH: u16 = 3;
}

/// A share of some lots, rounded down.
fn share(lots: i64, ppm: i64) -> i64 {
    i64::try_from(i128::from(lots) * i128::from(ppm) / 1_000_000).expect("not more than the lots")
}

/// Lots of an incoming order while they are shared out.
struct Pool {
    /// What is still open of each order.
    open: Vec<i64>,
    left: i64,
    marks: Vec<Situation>,
}

impl Pool {
    /// Gives one order so many lots at most.
    fn give(&mut self, i: usize, most: i64) -> i64 {
        let lots = most.min(self.open[i]).min(self.left);
        self.open[i] -= lots;
        self.left -= lots;
        lots
    }

    /// Gives lots to the longest resting first.
    fn in_turn(&mut self, mut most: i64, step: Situation) {
        if most > 0 {
            self.marks.push(step);
        }
        for i in 0..self.open.len() {
            most -= self.give(i, most);
        }
    }

    /// Gives each order its proportion of what is left, unless that is less than `minimum`.
    fn in_proportion(&mut self, minimum: i64) {
        let (q, sum) = (i128::from(self.left), self.open.iter().map(|&o| i128::from(o)).sum::<i128>());
        let shares: Vec<i128> = self.open.iter().map(|&o| q * i128::from(o) / sum.max(1)).collect();
        for (i, lots) in shares.into_iter().enumerate() {
            let lots = i64::try_from(lots).expect("not more than is open");
            if lots >= minimum {
                self.give(i, lots);
            } else if lots > 0 {
                self.marks.push(Situation::MinimumShare);
            }
        }
    }
}

impl Naive {
    /// True if both belong to one party.
    pub(super) fn one_party(&self, a: &Order, b: &Order) -> bool {
        let group = |o: &Order| self.accounts[index(o.account)].group;
        a.account == b.account || (group(a) != 0 && group(a) == group(b))
    }

    fn inside(order: &Order, price: i64) -> bool {
        order.limit.is_none_or(|limit| if order.side == 0 { price <= limit } else { price >= limit })
    }

    /// An incoming order meets the other side until nothing is left or nothing is in reach.
    pub(super) fn meet_book(&mut self, m: usize, id: u64) {
        loop {
            let Some(incoming) = self.markets[m].orders.get(&id) else { return };
            let Some(first) = self.markets[m].first(1 - incoming.side) else { return };
            if !Self::inside(incoming, first.price) {
                return;
            }
            let first = (first.id, first.price, first.has(flag::HIDDEN));
            match self.markets[m].rules.allocation {
                Allocation::PriceTime => self.meet_one(m, id, first.0),
                Allocation::ProRata { .. } => self.meet_part(m, id, first.1, first.2),
            }
        }
    }

    fn meet_one(&mut self, m: usize, id: u64, resting: u64) {
        if self.prevent(m, id, resting) || !self.still_reduces(m, resting) {
            return;
        }
        let orders = &self.markets[m].orders;
        let (incoming, resting_order) = (&orders[&id], &orders[&resting]);
        let meeting = Meeting { price: resting_order.price, qty: incoming.open().min(resting_order.front) };
        self.trade(m, id, resting, meeting);
    }

    /// Self-trade prevention between an incoming order and a resting one; true if it acted.
    fn prevent(&mut self, m: usize, id: u64, resting: u64) -> bool {
        let (incoming, other) = (&self.markets[m].orders[&id], &self.markets[m].orders[&resting]);
        if !self.one_party(incoming, other) {
            return false;
        }
        let acts = self.mode_of(incoming);
        if acts == 0 {
            self.seen.mark(Situation::OwnMet);
            return false;
        }
        if incoming.account != other.account {
            self.seen.mark(Situation::SelfByGroup);
        }
        if incoming.flags >> flag::MODE_SHIFT == 0 {
            self.seen.mark(Situation::SelfByAccountMode);
        }
        match acts {
            mode::NEWEST => {
                self.seen.mark(Situation::SelfNewest);
                self.cancel(m, id, reason::SELF_TRADE, 0);
            }
            mode::OLDEST => {
                self.seen.mark(Situation::SelfOldest);
                self.cancel(m, resting, reason::SELF_TRADE, 0);
            }
            mode::BOTH => {
                self.seen.mark(Situation::SelfBoth);
                self.cancel(m, resting, reason::SELF_TRADE, 0);
                self.cancel(m, id, reason::SELF_TRADE, 0);
            }
            _ => {
                let (mine, theirs) = (incoming.open(), other.open());
                self.seen.mark(Situation::SelfDecrement);
                if theirs > mine {
                    self.seen.mark(Situation::DecrementLeftResting);
                }
                if mine > theirs {
                    self.seen.mark(Situation::DecrementLeftIncoming);
                }
                self.cut(m, resting, mine.min(theirs), reason::SELF_TRADE);
                // It is gone already if the resting order was its other leg.
                if self.markets[m].orders.contains_key(&id) {
                    self.cut(m, id, mine.min(theirs), reason::SELF_TRADE);
                }
            }
        }
        true
    }

    /// Cuts a reduce-only order to what still reduces; false if nothing of it is left.
    pub(super) fn still_reduces(&mut self, m: usize, id: u64) -> bool {
        let order = &self.markets[m].orders[&id];
        if !order.has(flag::REDUCE_ONLY) {
            return true;
        }
        let (open, reducible) = (order.open(), self.markets[m].reducible(order.account, order.side));
        if reducible >= open {
            return true;
        }
        self.seen.mark(if reducible == 0 { Situation::ReduceCancelled } else { Situation::ReduceCut });
        self.cut(m, id, open - reducible, reason::REDUCE_ONLY);
        reducible > 0
    }

    /// A trade of an incoming order with a resting one, and what follows from it.
    fn trade(&mut self, m: usize, id: u64, resting: u64, meeting: Meeting) {
        assert!(meeting.qty > 0, "no phantom trades");
        let orders = &self.markets[m].orders;
        let legs = [orders[&resting].leg, orders[&id].leg];
        if orders[&resting].has(flag::HIDDEN) {
            self.seen.mark(Situation::HiddenFilled);
        }
        if orders[&id].code == order_type::MARKET {
            self.seen.mark(Situation::MarketFilled);
        }
        let rates = (self.markets[m].rules.maker_ppm, self.markets[m].rules.taker_ppm);
        self.fill(m, resting, meeting, 0, rates.0);
        self.fill(m, id, meeting, fill::TAKER, rates.1);
        self.markets[m].last = Some(meeting.price);
        self.markets[m].trades.push((meeting.price, self.acceptances));
        self.refresh(m, resting);
        self.forget_filled(m, id);
        self.drop_legs(m, legs);
    }

    /// After a meeting the other legs of its orders go.
    pub(super) fn drop_legs(&mut self, m: usize, legs: [Option<u64>; 2]) {
        for leg in legs.into_iter().flatten() {
            if self.markets[m].orders.contains_key(&leg) {
                self.seen.mark(Situation::LegByTrade);
                self.cancel_leg(m, leg);
            }
        }
    }

    /// One side of a trade: position, lots and the Fill.
    pub(super) fn fill(&mut self, m: usize, id: u64, meeting: Meeting, flags: u16, rate: i64) {
        let market = &mut self.markets[m];
        let order = market.orders.get_mut(&id).expect("it trades");
        assert!(meeting.qty <= order.front, "a fill of {meeting:?} for {order:?}");
        order.front -= meeting.qty;
        // The tie has done its work: what is left of the other leg goes after the meeting.
        order.leg = None;
        let order = order.clone();
        let mut amount = 0;
        if market.rules.cleared {
            let signed = if order.side == 0 { meeting.qty } else { -meeting.qty };
            market.base[index(order.account)] += signed;
            let value = i128::from(meeting.price)
                * i128::from(meeting.qty)
                * i128::from(market.rules.tick_value)
                * i128::from(rate);
            amount = i64::try_from(-(-value).div_euclid(1_000_000)).expect("a small fee");
        }
        let more = Record { price: meeting.price, qty: meeting.qty, amount, flags, ..Record::default() };
        self.tell(event::FILL, m, &order, more);
    }

    /// A resting order after a fill: forgotten, or its next peak goes to the back of the queue.
    pub(super) fn refresh(&mut self, m: usize, id: u64) {
        let market = &mut self.markets[m];
        let order = market.orders.get_mut(&id).expect("it traded");
        if order.front > 0 {
            self.seen.mark(Situation::PartialFill);
        } else if order.behind > 0 {
            market.arrivals += 1;
            order.arrival = market.arrivals;
            order.front = order.display.expect("only an iceberg has lots behind").min(order.behind);
            order.behind -= order.front;
            let top = &mut market.top[usize::from(order.side)];
            if *top == Some(id) {
                *top = None;
            }
            self.seen.mark(Situation::IcebergRefreshed);
            self.tell_shown(m, id);
        } else {
            self.take_out(m, id);
        }
    }

    fn forget_filled(&mut self, m: usize, id: u64) {
        if self.markets[m].orders[&id].open() == 0 {
            self.take_out(m, id);
        }
    }

    // Pro rata.

    /// The shown or the hidden orders of a price, longest resting first.
    fn part(&self, m: usize, side: u8, price: i64, hidden: bool) -> Vec<u64> {
        let side = self.markets[m].side(side);
        side.iter().filter(|o| o.price == price && o.has(flag::HIDDEN) == hidden).map(|o| o.id).collect()
    }

    /// An incoming order meets the shown or the hidden orders of a price once.
    fn meet_part(&mut self, m: usize, id: u64, price: i64, hidden: bool) {
        let side = 1 - self.markets[m].orders[&id].side;
        for resting in self.part(m, side, price, hidden) {
            let orders = &self.markets[m].orders;
            if !orders.contains_key(&id) {
                return;
            }
            if orders.contains_key(&resting) {
                self.prevent(m, id, resting);
            }
        }
        if !self.markets[m].orders.contains_key(&id) {
            return;
        }
        for (resting, lots) in self.share_out(m, id, &self.part(m, side, price, hidden)) {
            let orders = &self.markets[m].orders;
            if !orders.contains_key(&id) {
                return;
            }
            if lots == 0 || !orders.contains_key(&resting) || !self.still_reduces(m, resting) {
                continue;
            }
            // A cut may have taken the incoming order along, as the other leg.
            let orders = &self.markets[m].orders;
            let Some(incoming) = orders.get(&id) else { return };
            let qty = lots.min(orders[&resting].front).min(incoming.open());
            self.trade(m, id, resting, Meeting { price, qty });
        }
        if let Some(incoming) = self.markets[m].orders.get(&id)
            && Self::inside(incoming, price)
            && !self.part(m, side, price, hidden).is_empty()
        {
            self.seen.mark(Situation::SharedAgain);
        }
    }

    /// Lots for each order of a price, in order of resting.
    fn share_out(&mut self, m: usize, id: u64, part: &[u64]) -> Vec<(u64, i64)> {
        let market = &self.markets[m];
        let orders: Vec<&Order> = part.iter().map(|id| &market.orders[id]).collect();
        let left = market.orders[&id].open();
        let lots: Vec<i64> = orders.iter().map(|o| o.front).collect();
        if left >= lots.iter().sum() {
            return part.iter().copied().zip(lots).collect();
        }
        let Allocation::ProRata { top_order, lead, fifo_ppm, minimum } = &market.rules.allocation else {
            unreachable!("the market shares out");
        };
        let mut pool = Pool { open: lots.clone(), left, marks: vec![Situation::SharedOut] };
        let top = market.top[usize::from(orders[0].side)];
        if *top_order && let Some(i) = orders.iter().position(|o| top == Some(o.id)) {
            pool.give(i, left);
            pool.marks.push(Situation::TopShare);
        }
        let base = pool.left;
        for (account, ppm) in lead {
            let mut most = share(base, *ppm);
            for (i, _) in orders.iter().enumerate().filter(|(_, o)| o.account == *account) {
                most -= pool.give(i, most);
                pool.marks.push(Situation::LeadShare);
            }
        }
        pool.in_turn(share(pool.left, *fifo_ppm), Situation::FifoShare);
        pool.in_proportion(*minimum);
        pool.in_turn(pool.left, Situation::RestShare);
        if orders[0].has(flag::HIDDEN) {
            pool.marks.push(Situation::HiddenSharedOut);
        }
        for situation in pool.marks {
            self.seen.mark(situation);
        }
        part.iter().zip(lots).zip(pool.open).map(|((id, lots), open)| (*id, lots - open)).collect()
    }

    // What can be filled now.

    /// Lots that an order is sure to fill: docs/mechanics.md section 6.3.
    pub(super) fn fillable(&self, m: usize, order: &Order) -> i64 {
        let market = &self.markets[m];
        if !super::words::phase::matches(market.phase) {
            return 0;
        }
        let acts = self.mode_of(order);
        let ends = |o: &Order| acts != 0 && acts != mode::OLDEST && self.one_party(order, o);
        let passed = |o: &Order| {
            let own = acts == mode::OLDEST && self.one_party(order, o);
            let named = order.leg.is_some_and(|leg| leg >> SLOT_BITS == o.id);
            own || named || o.has(flag::REDUCE_ONLY) || o.leg.is_some()
        };
        let side = market.side(1 - order.side);
        let mut rest = &side[..];
        let mut count = 0;
        while let Some(first) = rest.first() {
            if !Self::inside(order, first.price) {
                break;
            }
            let same = |o: &Order| o.price == first.price && o.has(flag::HIDDEN) == first.has(flag::HIDDEN);
            let (part, others) = rest.split_at(rest.iter().take_while(|o| same(o)).count());
            if let Some(own) = part.iter().position(|o| ends(o)) {
                // What is shown before the own order is met before it, and no peak that follows.
                if matches!(market.rules.allocation, Allocation::PriceTime) {
                    count += part[..own].iter().filter(|o| !passed(o)).map(|o| o.front).sum::<i64>();
                }
                break;
            }
            count += part.iter().filter(|o| !passed(o)).map(|o| o.open()).sum::<i64>();
            rest = others;
        }
        count
    }

    /// Counts a fired order by its kind and watched price.
    pub(super) fn mark_fired(&mut self, kind: u16, watched: u16) {
        use Situation as S;
        let rows = [
            (term::STOP, [S::StopLast, S::StopMark, S::StopIndex]),
            (term::TAKE_PROFIT, [S::TakeProfitLast, S::TakeProfitMark, S::TakeProfitIndex]),
            (term::TRAILING, [S::TrailingLast, S::TrailingMark, S::TrailingIndex]),
        ];
        let (_, row) = rows.iter().find(|(k, _)| *k == kind).expect("one of three");
        self.seen.mark(row[usize::from(watched)]);
    }
}
