//! Market orders that wait for an auction: they have a place among the open orders and no price. Where an order of the
//! book is asked for that may be one of them, its price is zero.

use super::{Arrival, Book, Filled, Node, Rare, Removed, Resting, SIDES, Waits, at};
use crate::order::{LIQUIDATION, Order, Terms};
use crate::units::{OrderId, Price, Qty, Side};

impl Waits {
    /// The order as one of the book, with a price of zero.
    pub(crate) fn standing(&self) -> Resting {
        let Order { account, side, qty, flags, .. } = self.order;
        Resting { id: self.id, account, side, price: Price::ZERO, qty, shown: qty, flags }
    }
}

impl Book {
    /// Lets a market order wait for an auction, in a slot that is reserved.
    pub(crate) fn wait_unpriced(&mut self, id: OrderId, order: &Order) {
        let Order { account, side, price, qty, flags, client, session, .. } = *order;
        let rare = Rare { session, ..Rare::default() }.boxed();
        let arrival = Arrival { id, account, side, price, qty, flags, rare, client };
        let waits = Waits { id, order: *order, terms: Terms::NONE, best: None, fired: None };
        self.wait(&arrival, waits);
    }

    /// True if a market order waits for an auction.
    pub(crate) fn has_unpriced(&self) -> bool {
        SIDES.into_iter().any(|side| self.waiting().unpriced_lots(side).is_positive())
    }

    /// The order with this id that may trade in an auction: a resting one, or a market order.
    #[inline]
    pub(crate) fn get_any(&self, id: OrderId) -> Option<Resting> {
        self.get(id).or_else(|| {
            let waits = self.waiting().get(id.acceptance())?;
            (waits.id == id && waits.is_unpriced()).then(|| waits.standing())
        })
    }

    /// True for an order that the venue sent for an account in liquidation.
    pub(crate) fn is_offered(&self, id: OrderId) -> bool {
        let slot = at(id.slot());
        self.nodes.get(slot).is_some_and(Node::has_extra) && self.extras[slot].flags & LIQUIDATION != 0
    }

    /// The order of a side that an auction serves first: a market order if it has any, else that with [`Book::front`].
    #[inline(always)]
    pub(crate) fn foremost(&self, side: Side) -> Option<Resting> {
        if self.waiting().unpriced_lots(side).is_zero() {
            self.front(side)
        } else {
            self.waiting().unpriced(side).next().map(Waits::standing)
        }
    }

    /// Appends the orders that stand in one queue with [`Book::foremost`], in the order in which they are served.
    pub(crate) fn foremost_queue(&self, side: Side, into: &mut Vec<Resting>) {
        if self.waiting().unpriced_lots(side).is_zero() {
            self.front_queue(side, into);
        } else {
            into.extend(self.waiting().unpriced(side).map(Waits::standing));
        }
    }

    /// Trades a quantity of an order that [`Book::get_any`] found.
    #[inline(always)]
    pub(crate) fn fill_any(&mut self, order: &Resting, qty: Qty) -> Option<Filled> {
        if order.price.is_positive() {
            let located = self.find(order.id).expect("the order rests");
            return self.fill(&located, qty);
        }
        self.lose_unpriced(order.id, qty);
        None
    }

    /// Takes open quantity off an order that [`Book::get_any`] found; less than all of it.
    pub(crate) fn cut_any(&mut self, order: &Resting, qty: Qty) {
        if order.price.is_positive() {
            return self.cut(order.id, qty);
        }
        self.waiting_mut().cut_unpriced(order.id.acceptance(), qty);
    }

    /// Ends an open order that waits or has something rare.
    #[inline(never)]
    pub(super) fn remove_rare(&mut self, id: OrderId) -> Removed {
        let (slot, leg) = (id.slot(), self.rare(id).leg);
        let node = self.nodes[at(slot)];
        let mut waited = false;
        let order = if node.is_resting() {
            let gone = self.resting(slot, node);
            self.unlink(slot, node);
            gone
        } else {
            let waits = self.waiting.remove(id.acceptance()).expect("an open order rests or waits");
            waited = !waits.is_unpriced();
            Resting { price: waits.order.price, ..waits.standing() }
        };
        self.retire(id, order.account);
        Removed { order, leg, waited }
    }

    fn lose_unpriced(&mut self, id: OrderId, qty: Qty) {
        let open = self.get_any(id).expect("the order waits").qty;
        assert!(qty.is_positive() && qty <= open);
        if qty == open {
            self.remove(id);
        } else {
            self.waiting_mut().cut_unpriced(id.acceptance(), qty);
        }
    }

    /// Turns a market order that waits into a limit order that rests at a price; its id stays.
    pub(crate) fn rest_unpriced(&mut self, id: OrderId, price: Price) {
        let (_, arrival) = self.stop_waiting(id.acceptance()).expect("the order waits");
        debug_assert!(self.nodes[at(id.slot())].is_vacant());
        self.rest_again(&Arrival { price, ..arrival });
    }
}
