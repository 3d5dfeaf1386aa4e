//! The book as bytes, read back with every check, and its own audit.

use super::{Arrival, Book, NO_SLOT, OrderId, Rare, SIDES, Waits, at};
use crate::codec::{CodecError, Reader, Writer};
use crate::config::{self, ClientIds, MarketOrders};
use crate::order::{LIQUIDATION, Order, Terms};
use crate::protocol::{HIDDEN, OrderType, SELF_TRADE_SHIFT};
use crate::units::{AccountId, Nanos, Price, Qty, Side};
use std::collections::{BTreeMap, BTreeSet};

impl Rare {
    fn encode(&self, w: &mut Writer) {
        w.option(self.display.map(Qty::get));
        w.option(self.expiry.map(Nanos::get));
        w.order(self.leg.unwrap_or_default());
        w.u16(self.session);
    }

    fn decode(r: &mut Reader<'_>) -> Result<Self, CodecError> {
        let (display, expiry) = (r.option()?.map(Qty::new), r.option()?.map(Nanos::new));
        let leg = Some(r.order()?).filter(|leg| *leg != OrderId::default());
        let session = r.u16()?;
        if display.is_some_and(|display| !display.is_positive()) {
            return Err(r.invalid("a display quantity is not positive; take another copy"));
        }
        Ok(Self { display, expiry, leg, session })
    }
}

/// What the bytes of a book must agree with.
struct Bounds {
    /// Lowest and highest price.
    prices: (Price, Price),
    qty_max: Qty,
    accounts: usize,
    /// Market orders may wait for an auction.
    unpriced: bool,
    /// The venue may offer positions in an auction.
    offers: bool,
}

impl Bounds {
    fn check(&self, order: &Arrival, r: &Reader<'_>) -> Result<(), CodecError> {
        let number = order.id.acceptance();
        if number == 0 {
            return Err(r.invalid("an order has acceptance number 0, the first is 1"));
        }
        if order.account.index() >= self.accounts {
            return Err(r.invalid(format!("order {number}: no account has number {}", order.account)));
        }
        if !order.qty.is_positive() || order.qty > self.qty_max {
            return Err(r.invalid(format!("order {number}: quantity {} is not possible", order.qty)));
        }
        let known = if self.offers { order.flags & !LIQUIDATION } else { order.flags };
        if known >> SELF_TRADE_SHIFT > 5 {
            return Err(r.invalid(format!("order {number}: flags {} are unknown", order.flags)));
        }
        Ok(())
    }
}

/// Bytes and validation.
impl Book {
    /// Writes the orders of each side in priority order and those that wait; then, unless canonical, the free slots.
    pub(crate) fn encode(&self, w: &mut Writer) {
        for side in SIDES {
            w.len(self.orders(side).count());
            for order in self.orders(side) {
                w.order(order.id);
                w.u32(order.account.get());
                w.i64(order.price.get());
                w.i64(order.qty.get());
                w.i64(order.shown.get());
                w.u16(order.flags);
                self.rare(order.id).encode(w);
                w.u64(self.names.of(order.id.slot()));
            }
        }
        w.len(self.waiting.len());
        for waits in self.waiting.iter() {
            w.order(waits.id);
            waits.order.encode(w);
            waits.terms.encode(w);
            w.option(waits.best.map(Price::get));
            w.option(waits.fired.map(Price::get));
            self.rare(waits.id).encode(w);
        }
        for top in self.tops.iter().flatten() {
            let stands = self.get(*top).is_some();
            w.order(if stands { *top } else { OrderId::default() });
        }
        if !w.is_canonical() {
            w.len(self.chained(self.free).count());
            for slot in self.chained(self.free) {
                w.u32(slot);
            }
        }
    }

    /// Reads what [`Book::encode`] wrote in full form; the book then behaves like the one that was written.
    ///
    /// # Errors
    /// [`CodecError`] for bytes that no book of this market writes.
    pub(crate) fn decode(
        market: &config::Market,
        orders_max: u32,
        accounts: usize,
        r: &mut Reader<'_>,
    ) -> Result<Self, CodecError> {
        let (prices, qty_max) = (market.prices(), market.order_qty_max);
        let unpriced = market.auction.market_orders != MarketOrders::Refused;
        let offers = market.auction.liquidations;
        let bounds = Bounds { prices, qty_max, accounts, unpriced, offers };
        let mut orders = Vec::new();
        for side in SIDES {
            Self::decode_side(side, &bounds, r, &mut orders)?;
        }
        let waiting = Self::decode_waiting(&bounds, r)?;
        let mut book = Self::new(market, orders_max);
        let mut tops = book.tops;
        for top in tops.iter_mut().flatten() {
            *top = r.order()?;
        }
        let mut free = Vec::new();
        for _ in 0..r.len()? {
            free.push(r.u32()?);
        }

        let arrivals = || orders.iter().map(|(order, _)| order).chain(waiting.iter().map(|(order, _)| order));
        let slots = orders.len() + waiting.len() + free.len();
        if slots > at(orders_max) {
            return Err(r.invalid(format!("{slots} slots of orders, the configuration allows {orders_max}")));
        }
        let mut seen = vec![false; slots];
        for slot in arrivals().map(|order| order.id.slot()).chain(free.iter().copied()) {
            match seen.get_mut(at(slot)) {
                Some(seen) if !*seen => *seen = true,
                _ => return Err(r.invalid(format!("slot {slot} is used twice or is not below {slots}"))),
            }
        }
        let leg_of = |order: &Arrival| order.rare.as_ref().and_then(|rare| rare.leg);
        let mut by_id = BTreeMap::new();
        for order in arrivals() {
            let number = order.id.acceptance();
            if by_id.insert(number, order).is_some() {
                return Err(r.invalid(format!("two orders have acceptance number {number}")));
            }
        }
        for order in arrivals() {
            let Some(leg) = leg_of(order) else { continue };
            let tied = by_id.get(&leg.acceptance()).filter(|other| {
                other.id == leg && other.account == order.account && leg_of(other) == Some(order.id)
            });
            if tied.is_none() {
                let number = order.id.acceptance();
                return Err(r.invalid(format!("order {number}: its other leg is not tied to it")));
            }
        }

        let mut names = BTreeSet::new();
        for order in arrivals().filter(|order| order.client != 0 && book.keeps_names()) {
            if !book.admits_name(order.client) {
                return Err(r.invalid(format!("client id {} is not possible here", order.client)));
            }
            let whose = matches!(market.client_ids, ClientIds::Hashed).then_some(order.account);
            if !names.insert((whose, order.client)) {
                return Err(r.invalid(format!("two orders have client id {}", order.client)));
            }
        }

        // From here on nothing fails.
        book.nodes = vec![super::Node::EMPTY; slots];
        for (order, shown) in orders {
            book.enrol(order.id.slot(), order.account, order.client);
            book.stand(&order, shown);
        }
        for (order, waits) in waiting {
            book.wait(&order, waits);
        }
        for &slot in free.iter().rev() {
            book.release(slot);
        }
        book.tops = tops;
        Ok(book)
    }

    /// Reads the orders of one side and checks each by itself and against the one before it.
    fn decode_side(
        side: Side,
        bounds: &Bounds,
        r: &mut Reader<'_>,
        into: &mut Vec<(Arrival, Qty)>,
    ) -> Result<(), CodecError> {
        let mut total = 0i64;
        let mut last: Option<(Price, bool)> = None;
        for _ in 0..r.len()? {
            let (id, account) = (r.order()?, AccountId::new(r.u32()?));
            let (price, qty) = (Price::new(r.i64()?), Qty::new(r.i64()?));
            let (shown, flags) = (Qty::new(r.i64()?), r.u16()?);
            let (rare, client) = (Rare::decode(r)?, r.u64()?);
            let display = rare.display;
            let rare = rare.boxed();
            let order = Arrival { id, account, side, price, qty, flags, rare, client };
            bounds.check(&order, r)?;
            let number = id.acceptance();
            let (least, most) = bounds.prices;
            if price < least || price > most {
                let why = format!("order {number}: price {price} is not within {least} to {most}");
                return Err(r.invalid(why));
            }
            let hidden = flags & HIDDEN != 0;
            if last.is_some_and(|(before, after_shown)| {
                side.gain(before, price).is_positive() || (before == price && after_shown && !hidden)
            }) {
                return Err(
                    r.invalid(format!("order {number}: price {price} is better than the one before it"))
                );
            }
            last = Some((price, hidden));
            let possible = shown.is_positive()
                && shown <= qty
                && (shown == qty || display.is_some_and(|display| shown <= display));
            if !possible {
                return Err(r.invalid(format!("order {number}: it cannot show {shown} of {qty}")));
            }
            total = total
                .checked_add(qty.get())
                .ok_or_else(|| r.invalid(format!("order {number}: quantities up to it are out of range")))?;
            into.push((order, shown));
        }
        Ok(())
    }

    fn decode_waiting(bounds: &Bounds, r: &mut Reader<'_>) -> Result<Vec<(Arrival, Waits)>, CodecError> {
        let mut waiting = Vec::new();
        for _ in 0..r.len()? {
            let id = r.order()?;
            let order = Order::decode(r)?;
            let terms = Terms::decode(bounds.prices.1, r)?;
            let (best, fired) = (r.option()?.map(Price::new), r.option()?.map(Price::new));
            let rare = Rare::decode(r)?;
            let Order { account, side, price, qty, flags, client, .. } = order;
            let arrival = Arrival { id, account, side, price, qty, flags, rare: rare.boxed(), client };
            bounds.check(&arrival, r)?;
            let number = id.acceptance();
            let within = |price: &Price| bounds.prices.0 <= *price && *price <= bounds.prices.1;
            let prices = [order.limit(), best, fired];
            let unpriced = bounds.unpriced && order.kind == OrderType::Market && terms == Terms::NONE;
            let waits = terms.trigger.is_some() || unpriced;
            if !prices.iter().flatten().all(within) || !waits || terms.leg.is_some() {
                return Err(r.invalid(format!("order {number} cannot wait so; take another copy")));
            }
            waiting.push((arrival, Waits { id, order, terms, best, fired }));
        }
        Ok(waiting)
    }

    /// Checks every link and sum; no slot may be reserved. Linear in slots, accounts and pages.
    pub(crate) fn check(&self) {
        let resting: usize = SIDES.iter().map(|&side| self.check_side(side)).sum();
        let waiting = self.waiting.len();
        for waits in self.waiting.iter() {
            assert!(self.owner(waits.id).is_some() && self.get(waits.id).is_none());
            assert_eq!(waits.terms.leg, None);
        }
        assert!(resting + waiting <= at(self.orders_max));

        let mut free = 0;
        for slot in self.chained(self.free) {
            assert!(self.nodes[at(slot)].is_vacant(), "free slot {slot} holds an order");
            free += 1;
            assert!(free <= self.nodes.len(), "the free list is a ring");
        }
        assert_eq!(resting + waiting + free, self.nodes.len(), "a slot is lost or still reserved");
        self.check_open();
    }

    /// Checks one side and counts its orders.
    fn check_side(&self, side: Side) -> usize {
        let mut count = 0;
        for ladder in [super::shown(side), super::shown(side) + 1] {
            self.ladders[ladder].check();
            for key in self.ladders[ladder].keys() {
                count += self.check_queue(ladder, key);
            }
        }
        count
    }

    /// Checks one queue and counts its orders.
    fn check_queue(&self, ladder: usize, key: u32) -> usize {
        let queue = self.ladders[ladder].queue(key);
        let (mut prev, mut qty, mut count) = (NO_SLOT, Qty::ZERO, 0);
        for slot in self.chained(queue.head) {
            let node = self.nodes[at(slot)];
            assert_eq!((node.ladder(), node.key(), node.prev()), (ladder, key, prev));
            assert!(node.qty().is_positive());
            assert!(!node.is_vacant(), "slot {slot} is free but stands in a queue");
            prev = slot;
            qty += node.qty();
            count += 1;
        }
        assert_eq!((queue.tail, queue.qty, queue.count), (prev, qty, count));
        at(count)
    }

    /// Checks owners, counts, names, legs and expiries against the open orders.
    fn check_open(&self) {
        let mut ids = Vec::new();
        self.all_orders(&mut ids);
        self.owners.check();
        let mut expiries = 0;
        let mut odd = 0;
        for &id in &ids {
            let account = self.owner(id).expect("an open order has an owner");
            assert!(self.owners.knows(id.slot(), account), "order {id:?} is not among its account's");
            let name = self.names.of(id.slot());
            assert!(name == 0 || self.named(account, name).is_some_and(|found| found.id() == id));
            let rare = self.rare(id);
            assert!(rare.leg.is_none_or(|leg| self.rare(leg).leg == Some(id)), "a leg is tied to nothing");
            if let Some(expiry) = rare.expiry {
                assert!(self.expiries.contains(&(expiry, id)));
                expiries += 1;
            }
            let node = self.nodes[at(id.slot())];
            odd += u32::from(node.is_resting() && node.is_odd());
        }
        assert_eq!((expiries, odd), (self.expiries.len(), self.odd));
        for (account, count) in self.counts.iter().flatten().enumerate() {
            let open =
                ids.iter().filter(|id| self.owner(**id).map(AccountId::index) == Some(account)).count();
            assert_eq!(open, at(*count), "open orders of account {account}");
        }
    }
}
