//! What can be read of the book beyond its front: levels, orders, whose they are, what it weighs.

use super::ladder::Ladder;
use super::{Book, Extra, Level, Located, NO_SLOT, Node, Resting, SIDES, Waits, at, shown};
use crate::protocol::REDUCE_ONLY;
use crate::units::{AccountId, OrderId, Qty, Side, TickValue};

/// Accounts that are told of ahead at most: more would leave the first-level cache before they are met.
const FIRST_MAX: usize = 16;

impl Book {
    /// Shown levels of a side, best first.
    pub(crate) fn levels(&self, side: Side) -> impl Iterator<Item = Level> {
        let ladder = self.ladder(side);
        ladder.keys().map(move |key| {
            let queue = ladder.queue(key);
            Level { price: self.price(side, key), qty: queue.qty, orders: queue.count }
        })
    }

    /// Orders of a side in the order in which they are matched, icebergs once.
    pub(crate) fn orders(&self, side: Side) -> impl Iterator<Item = Resting> {
        let (shown, hidden) = (self.ladder(side), &self.ladders[shown(side) + 1]);
        let (mut next, mut next_hidden) = (shown.first(), hidden.first());
        core::iter::from_fn(move || {
            let is_shown = match (next, next_hidden) {
                (None, None) => return None,
                (Some(key), Some(other)) => key <= other,
                (key, _) => key.is_some(),
            };
            let (ladder, cursor) = if is_shown { (shown, &mut next) } else { (hidden, &mut next_hidden) };
            let key = (*cursor)?;
            *cursor = ladder.next_after(key);
            Some(ladder.queue(key).head)
        })
        .flat_map(|head| self.chained(head))
        .map(|slot| self.standing(slot))
    }

    /// Number of resting orders. Costs in proportion to the levels.
    pub(crate) fn len(&self) -> u32 {
        self.ladders.iter().map(|ladder| ladder.keys().map(|key| ladder.queue(key).count).sum::<u32>()).sum()
    }

    /// True if every resting order is shown whole and cannot fall away.
    pub(crate) fn is_plain(&self) -> bool {
        self.odd == 0
    }

    /// True if an account may give an order this name, or orders have none here.
    #[inline(always)]
    pub(crate) fn has_free_name(&self, account: AccountId, name: u64) -> bool {
        self.admits_name(name) && self.named(account, name).is_none()
    }

    /// The open order with a client's name.
    #[inline(always)]
    pub(crate) fn named(&self, account: AccountId, name: u64) -> Option<Located> {
        self.named_at_all(account, name).filter(|found| !found.node.is_vacant())
    }

    /// The same, or a vacant slot that waits for the order with this name: nothing that rests.
    #[inline(always)]
    pub(crate) fn named_at_all(&self, account: AccountId, name: u64) -> Option<Located> {
        let slot = self.names.find(account, name)?;
        self.nodes.get(at(slot)).map(|&node| Located { slot, node })
    }

    /// Something of an order that a Cancel names by its id or by its client's name, to bring it nearer.
    #[inline(always)]
    pub(crate) fn glance(&self, account: AccountId, order: u64, by_name: bool) -> i64 {
        let slot =
            if by_name { self.names.find(account, order) } else { Some(OrderId::from_raw(order).slot()) };
        let node = |slot: u32| self.nodes.get(at(slot));
        // Its neighbours are told that it goes.
        slot.and_then(node).map_or(0, |order| {
            let [before, behind] = [order.prev(), order.next()].map(node);
            before.map_or(0, |node| node.qty().get()) ^ behind.map_or(0, |node| node.qty().get())
        })
    }

    /// The accounts of the first orders of a side at its best price, as many as it takes to fill a quantity and a few at
    /// most.
    pub(crate) fn first_accounts(&self, side: Side, qty: Qty) -> impl Iterator<Item = AccountId> {
        let ladder = &self.ladders[shown(side)];
        let mut slot = ladder.first().map_or(NO_SLOT, |key| ladder.queue(key).head);
        let mut left = qty;
        let orders = core::iter::from_fn(move || {
            let node = self.nodes.get(at(slot)).filter(|_| left.is_positive())?;
            left = left.minus_proven(node.qty());
            slot = node.next();
            Some(node.account())
        });
        orders.take(FIRST_MAX)
    }

    /// Levels of a side with all that is open at them, hidden orders included, best first.
    pub(crate) fn whole_levels(&self, side: Side) -> Vec<Level> {
        if self.is_plain() {
            return self.levels(side).collect();
        }
        let mut levels: Vec<Level> = Vec::new();
        for order in self.orders(side) {
            match levels.last_mut().filter(|level| level.price == order.price) {
                Some(level) => {
                    level.qty += order.qty;
                    level.orders += 1;
                }
                None => levels.push(Level { price: order.price, qty: order.qty, orders: 1 }),
            }
        }
        levels
    }

    /// Appends the ids of an account's open orders, highest acceptance number first. Looks at every order that came
    /// since lists were written, too: [`Book::list_orders`] is for those who ask often.
    pub(crate) fn orders_of(&self, account: AccountId, into: &mut Vec<OrderId>) {
        let start = into.len();
        let slots = self.owners.of(&self.nodes, account).filter(|slot| self.nodes[at(*slot)].is_of(account));
        into.extend(slots.map(|slot| self.nodes[at(slot)].id(slot)));
        into[start..].sort_unstable_by(|a, b| b.cmp(a));
        // A slot may be listed and fresh.
        into.dedup();
    }

    /// The same, after the accounts' lists were brought up to date.
    pub(crate) fn list_orders(&mut self, account: AccountId, into: &mut Vec<OrderId>) {
        self.owners.write_down(&self.nodes, account);
        self.keeps_more = true;
        self.orders_of(account, into);
    }

    /// Appends the ids of every open order, highest acceptance number first.
    pub(crate) fn all_orders(&self, into: &mut Vec<OrderId>) {
        let start = into.len();
        into.extend(SIDES.into_iter().flat_map(|side| self.orders(side)).map(|order| order.id));
        into.extend(self.waiting.iter().map(|waits| waits.id));
        into[start..].sort_unstable_by(|a, b| b.cmp(a));
    }

    /// Open lots of each of the first `accounts` accounts, counted anew from the orders that count as open.
    pub(crate) fn open_lots(&self, accounts: usize) -> Vec<[Qty; 2]> {
        let mut open = vec![[Qty::ZERO; 2]; accounts];
        let resting = SIDES.into_iter().flat_map(|side| self.orders(side));
        let unpriced = SIDES.into_iter().flat_map(|side| self.waiting().unpriced(side)).map(Waits::standing);
        for order in resting.chain(unpriced).filter(|order| order.flags & REDUCE_ONLY == 0) {
            open[order.account.index()][usize::from(order.side.code())] += order.qty;
        }
        open
    }

    /// Sum of price x quantity for taking `qty` shown lots from this side, best first; `None` if it shows fewer.
    pub(crate) fn impact_sum(&self, side: Side, qty: Qty) -> Option<i64> {
        let (mut left, mut sum) = (qty, 0);
        for level in self.levels(side) {
            let taken = level.qty.min(left);
            // At most price_max x position_max, which the configuration keeps in range.
            sum += level.price.value(taken, TickValue::new(1)).get();
            left -= taken;
            if left.is_zero() {
                break;
            }
        }
        left.is_zero().then_some(sum)
    }

    /// True if the best bid is at or above the best ask, hidden orders included.
    pub(crate) fn is_crossed(&self) -> bool {
        match (self.touch(Side::Buy), self.touch(Side::Sell)) {
            (Some(bid), Some(ask)) => bid >= ask,
            _ => false,
        }
    }

    /// Bytes that the book keeps: slots, tables, pages.
    pub(crate) fn bytes(&self) -> usize {
        self.nodes.capacity() * size_of::<Node>()
            + self.extras.capacity() * size_of::<Extra>()
            + self.owners.bytes()
            + self.names.bytes()
            + self.ladders.iter().map(Ladder::bytes).sum::<usize>()
    }
}
