//! One market's open orders: those that rest in price-time queues, and those that wait for a trigger.
//!
//! Shown orders stand in queues by price: best price first, then in the order in which they came to rest; hidden
//! ones stand behind the shown ones of their price. Knows no money, no phases and no matching: the caller meets
//! incoming orders with [`Book::front`]. The book may stand crossed while the caller does not match.
//!
//! Built for speed. Each side is a ladder of queues with a bitmap of the queues in use. Orders are slots of one
//! slab, linked by slot number; an id carries its slot, and the acceptance number tells an order from others that
//! stood in the slot before. Nothing is allocated once slots, pages and accounts have been seen.
//!
//! Invariant, see [`Book::check`]: a queue is marked if and only if it holds an order, and every slot is resting,
//! waiting, free or reserved by the caller. The open quantity of a side fits in 64 bits.

mod ladder;
mod located;
mod names;
mod node;
mod ordinary;
mod owners;
mod read;
mod store;
mod unpriced;
mod waiting;

pub(crate) use located::Located;
pub(crate) use waiting::{Waiting, Waits};

use crate::config::{self, Allocation};
use crate::order::LIQUIDATION;
use crate::protocol::{DAY, HIDDEN, POST_ONLY, REDUCE_ONLY, SELF_TRADE, SLIDE};
use crate::units::{AccountId, Nanos, OrderId, Price, Qty, Side};
use core::iter::successors;
use ladder::Ladder;
use names::Names;
use node::Node;
use owners::Owners;
use std::collections::BTreeSet;

/// The slot in ids of orders that never rest, and the end of a list. No order stands in it.
pub(crate) const NO_SLOT: u32 = (1 << OrderId::SLOT_BITS) - 1;
pub(crate) const SIDES: [Side; 2] = [Side::Buy, Side::Sell];
/// Flags that leave an order an ordinary one: shown, and in no danger of falling away.
pub(crate) const ORDINARY: u16 = POST_ONLY | SELF_TRADE;
/// Flags that a node has no room for.
const APART: u16 = SLIDE | DAY | LIQUIDATION;

/// A resting order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Resting {
    /// Its id.
    pub id: OrderId,
    /// Its owner.
    pub account: AccountId,
    /// Its side.
    pub side: Side,
    /// Its limit.
    pub price: Price,
    /// Its open quantity, positive: what it shows and what is behind that.
    pub qty: Qty,
    /// What it shows; all of it unless it is an iceberg. Of a hidden order, what stands in the queue.
    pub shown: Qty,
    /// The flags with which it was placed.
    pub flags: u16,
}

/// An order about to rest or to wait.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Arrival {
    pub id: OrderId,
    pub account: AccountId,
    pub side: Side,
    pub price: Price,
    /// Open quantity.
    pub qty: Qty,
    pub flags: u16,
    /// Apart, because few orders have any of it.
    pub rare: Option<Box<Rare>>,
    /// The client's name for it; 0 for none.
    pub client: u64,
}

/// What few orders have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Rare {
    pub display: Option<Qty>,
    pub expiry: Option<Nanos>,
    pub leg: Option<OrderId>,
    pub session: u16,
}

impl Rare {
    /// None if there is nothing rare.
    pub(crate) fn boxed(self) -> Option<Box<Self>> {
        (self != Self::default()).then(|| Box::new(self))
    }
}

/// What a slot keeps of an order that is not an ordinary one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Extra {
    rare: Rare,
    /// Open quantity that is not shown.
    behind: Qty,
    /// Flags that the node has no room for.
    flags: u16,
}

/// What a fill of an order with something rare left behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Filled {
    /// What an iceberg shows now and what is behind it, if it showed its next peak.
    pub peak: Option<(Qty, Qty)>,
    /// The other leg, which is untied now.
    pub leg: Option<OrderId>,
}

/// An open order that was ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Removed {
    /// What it was; the quantity of one that waited is all of it.
    pub order: Resting,
    /// The other leg.
    pub leg: Option<OrderId>,
    /// It waited for a trigger, and was not counted as open.
    pub waited: bool,
}

/// All shown orders of one side at one price.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Level {
    /// The price.
    pub price: Price,
    /// Shown quantity.
    pub qty: Qty,
    /// Number of orders.
    pub orders: u32,
}

/// The ladder of a side's shown orders; that of its hidden ones is the next.
fn shown(side: Side) -> usize {
    usize::from(side.code()) * 2
}

/// Makes the neighbours of a node in its queue neighbours of one another.
#[inline(always)]
fn bridge(nodes: &mut [Node], slot: u32, node: Node) {
    let (next, prev) = (node.next(), node.prev());
    if prev != NO_SLOT {
        nodes[at(prev)].set_next(slot, next);
    }
    if next != NO_SLOT {
        nodes[at(next)].set_prev(slot, prev);
    }
}

/// A number of 32 bits as an index.
#[allow(clippy::as_conversions, reason = "an index has at least 32 bits wherever this crate is built")]
const fn at(number: u32) -> usize {
    number as usize
}

/// What a book has done, counted in builds with debug assertions: a measure of work that noise cannot move.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Work {
    /// Steps from one price level to the next.
    pub levels: u64,
    /// Slots that were read or written.
    pub nodes: u64,
}

/// One market's book.
#[derive(Debug, Clone)]
pub(crate) struct Book {
    price_max: u32,
    orders_max: u32,
    /// Resting orders that may fall away, or of which there is more than they show.
    odd: u32,
    /// The slot freed last, or [`NO_SLOT`].
    free: u32,
    nodes: Vec<Node>,
    /// Up to the highest slot that ever needed it.
    extras: Vec<Extra>,
    names: Names,
    owners: Owners,
    /// Open orders of each account, where that is limited.
    counts: Option<Vec<u32>>,
    /// Shown orders, then hidden ones, of the buys, then of the sells.
    ladders: [Ladder; 4],
    waiting: Waiting,
    expiries: BTreeSet<(Nanos, OrderId)>,
    /// The top order of each side, where allocation looks at it; it may be gone.
    tops: Option<[OrderId; 2]>,
    /// Something is kept of every open order beside its node: a name, a count, whether it is a top order, a place in the
    /// list of its account.
    keeps_more: bool,
    #[cfg(debug_assertions)]
    work: Work,
}

impl Book {
    /// An empty book with at most `orders_max` resting and waiting orders.
    pub(crate) fn new(market: &config::Market, orders_max: u32) -> Self {
        let price_max = u32::try_from(market.price_max.get()).expect("the configuration bounds prices");
        assert!((1..=1 << 24).contains(&price_max));
        assert!(orders_max < NO_SLOT);
        let counts = market.entry.open_orders_max.map(|_| Vec::new());
        let has_top = matches!(market.allocation, Allocation::ProRata { top_order: true, .. });
        let names = Names::new(market.client_ids);
        Self {
            price_max,
            orders_max,
            odd: 0,
            free: NO_SLOT,
            nodes: Vec::new(),
            extras: Vec::new(),
            keeps_more: names.are_kept() || counts.is_some() || has_top,
            names,
            owners: Owners::default(),
            counts,
            // The ladders of hidden orders are made when the first one comes.
            ladders: [Ladder::new(price_max), Ladder::new(0), Ladder::new(price_max), Ladder::new(0)],
            waiting: Waiting::default(),
            expiries: BTreeSet::new(),
            tops: has_top.then(Default::default),
            #[cfg(debug_assertions)]
            work: Work::default(),
        }
    }

    /// What was done so far; nothing in builds that do not count.
    #[allow(clippy::unused_self, reason = "used where there is something to read")]
    pub(crate) fn work(&self) -> Work {
        #[cfg(debug_assertions)]
        return self.work;
        #[cfg(not(debug_assertions))]
        Work::default()
    }

    /// Counts slots and steps between levels.
    #[inline(always)]
    fn count(&mut self, nodes: u64, levels: u64) {
        #[cfg(debug_assertions)]
        {
            self.work.nodes += nodes;
            self.work.levels += levels;
        }
        #[cfg(not(debug_assertions))]
        let _ = (nodes, levels);
    }

    /// True if no further order may rest or wait: every slot that there may be is in use. None is reserved when this is
    /// asked.
    #[inline(always)]
    pub(crate) fn is_full(&self) -> bool {
        self.is_out() && self.nodes.len() >= at(self.orders_max)
    }

    /// Resting and waiting orders of an account; 0 where they are not limited.
    pub(crate) fn open_orders(&self, account: AccountId) -> u32 {
        self.counts.as_ref().and_then(|counts| counts.get(account.index())).copied().unwrap_or(0)
    }

    /// True where orders have names.
    pub(crate) fn keeps_names(&self) -> bool {
        self.names.are_kept()
    }

    /// True if an order may have this name, or none.
    pub(crate) fn admits_name(&self, name: u64) -> bool {
        self.names.admit(name)
    }

    /// Orders that wait for a trigger.
    pub(crate) fn waiting(&self) -> &Waiting {
        &self.waiting
    }

    /// Orders that wait for a trigger, to show them a price.
    pub(crate) fn waiting_mut(&mut self) -> &mut Waiting {
        &mut self.waiting
    }

    /// The earliest expiry of an open order.
    pub(crate) fn next_expiry(&self) -> Option<Nanos> {
        self.expiries.first().map(|entry| entry.0)
    }

    /// The order that expires first, lowest acceptance number first, if its time has come.
    pub(crate) fn expired(&self, due: Nanos) -> Option<OrderId> {
        self.expiries.first().filter(|entry| entry.0 <= due).map(|entry| entry.1)
    }

    // Coming and going.

    /// True if there is a slot for an order about to be accepted.
    #[inline(always)]
    pub(crate) fn has_room(&mut self) -> bool {
        !self.is_out() || self.add_slot()
    }

    /// True if no slot is free, so that the next order needs a new one.
    #[inline(always)]
    pub(crate) fn is_out(&self) -> bool {
        self.free == NO_SLOT
    }

    /// Makes a free slot, the only one; false if the book is full.
    #[inline(never)]
    fn add_slot(&mut self) -> bool {
        if self.is_full() {
            return false;
        }
        self.free = u32::try_from(self.nodes.len()).expect("slots are limited");
        self.nodes.push(Node::EMPTY);
        true
    }

    /// A slot for an order about to be accepted: the one freed last, else a new one. The book must not be full.
    #[inline(always)]
    pub(crate) fn reserve(&mut self) -> u32 {
        assert!(self.has_room(), "the book is full");
        self.take_slot()
    }

    /// The free slot that there is.
    #[inline(always)]
    fn take_slot(&mut self) -> u32 {
        let slot = self.free;
        self.free = self.nodes[at(slot)].next();
        slot
    }

    /// Gives a reserved slot back in which no order stood.
    #[inline(always)]
    pub(crate) fn release(&mut self, slot: u32) {
        debug_assert!(self.nodes[at(slot)].is_vacant(), "the slot of an open order");
        self.give_back(slot);
    }

    #[inline(always)]
    fn give_back(&mut self, slot: u32) {
        self.nodes[at(slot)].vacate(self.free);
        self.free = slot;
    }

    /// Puts a new order at the back of its queue; the slot in its id is reserved. What an iceberg shows, and what
    /// is behind it.
    #[inline(always)]
    pub(crate) fn rest(&mut self, order: &Arrival) -> Option<(Qty, Qty)> {
        self.enrol(order.id.slot(), order.account, order.client);
        self.rest_again(order)
    }

    /// Puts an order that was taken out, or that waited, at the back of a queue.
    #[inline(always)]
    pub(crate) fn rest_again(&mut self, order: &Arrival) -> Option<(Qty, Qty)> {
        let Some(display) = order.rare.as_ref().and_then(|rare| rare.display) else {
            self.stand(order, order.qty);
            return None;
        };
        let shown = display.min(order.qty);
        self.stand(order, shown);
        Some((shown, order.qty - shown))
    }

    /// Lets a new order wait for its trigger.
    pub(crate) fn wait(&mut self, order: &Arrival, waits: Waits) {
        self.enrol(order.id.slot(), order.account, order.client);
        let slot = order.id.slot();
        let mut node = Node::new(order.id, (order.account, order.side), Qty::ZERO, 0, order.flags);
        if order.rare.is_some() || order.flags & APART != 0 {
            self.keep_extra(order, Qty::ZERO);
            node.mark_extra();
        }
        self.nodes[at(slot)] = node;
        self.waiting.insert(waits);
    }

    /// Takes an order from those that wait; its slot and name stay its own.
    pub(crate) fn stop_waiting(&mut self, number: u64) -> Option<(Waits, Arrival)> {
        let waits = self.waiting.remove(number)?;
        let arrival = self.arrival(waits.id.slot());
        self.nodes[at(waits.id.slot())].vacate(NO_SLOT);
        Some((waits, Arrival { price: waits.order.price, qty: waits.order.qty, ..arrival }))
    }

    /// Books a new order among the open ones.
    #[inline(always)]
    pub(crate) fn enrol(&mut self, slot: u32, account: AccountId, client: u64) {
        if self.keeps_more {
            self.enrol_more(slot, account, client);
        }
    }

    /// The same where more is kept.
    #[inline(always)]
    pub(crate) fn enrol_more(&mut self, slot: u32, account: AccountId, client: u64) {
        self.names.give(slot, account, client);
        if let Some(counts) = &mut self.counts {
            let index = account.index();
            if index >= counts.len() {
                counts.resize(index + 1, 0);
            }
            counts[index] += 1;
        }
        self.owners.note(slot);
    }

    /// Notes what is not ordinary about an order, and when it expires; its node is to be marked.
    #[inline(never)]
    fn keep_extra(&mut self, order: &Arrival, behind: Qty) {
        let flags = order.flags & APART;
        let rare = order.rare.as_deref().copied().unwrap_or_default();
        let slot = at(order.id.slot());
        if slot >= self.extras.len() {
            self.extras.resize(slot + 1, Extra::default());
        }
        self.extras[slot] = Extra { rare, behind, flags };
        if let Some(expiry) = rare.expiry {
            self.expiries.insert((expiry, order.id));
        }
    }

    #[inline(always)]
    fn stand(&mut self, order: &Arrival, shown: Qty) {
        debug_assert!(shown.is_positive());
        let slot = order.id.slot();
        let key = self.key(order.side, order.price);
        debug_assert!(self.nodes[at(slot)].is_vacant(), "the slot of an open order");
        let mut node = Node::new(order.id, (order.account, order.side), shown, key, order.flags);
        if order.rare.is_some() || order.flags & APART != 0 {
            self.keep_extra(order, order.qty - shown);
            node.mark_extra();
        }
        if order.flags & HIDDEN == 0 {
            self.note_top(order.id, order.side, key);
        }
        if node.is_odd() {
            self.odd += 1;
            if order.flags & HIDDEN != 0 {
                self.ladders[node.ladder()].make(self.price_max);
            }
        }
        self.queue_up(slot, node);
    }

    /// A shown order that betters its side is its top order.
    #[inline(always)]
    fn note_top(&mut self, id: OrderId, side: Side, key: u32) {
        let Some(tops) = &mut self.tops else { return };
        if self.ladders[shown(side)].first().is_none_or(|best| key < best) {
            tops[usize::from(side.code())] = id;
        }
    }

    /// Puts a node at the back of the queue of its key, in a slot.
    #[inline(always)]
    fn queue_up(&mut self, slot: u32, node: Node) {
        let nodes = self.nodes.as_mut_slice();
        let ladder = &mut self.ladders[node.ladder()];
        let queue = ladder.open(node.key());
        let prev = queue.tail;
        queue.tail = slot;
        queue.gain(node.qty());
        if prev == NO_SLOT {
            queue.head = slot;
            ladder.mark(node.key());
        } else {
            nodes[at(prev)].set_next(NO_SLOT, slot);
        }
        nodes[at(slot)] = node.behind(prev);
        self.count(1 + u64::from(prev != NO_SLOT), 0);
    }

    /// Takes a node out of its queue.
    #[inline(always)]
    fn unqueue(&mut self, slot: u32, node: Node) {
        bridge(&mut self.nodes, slot, node);
        self.leave_queue(node);
    }

    /// The queue of a node whose neighbours do not know it any more.
    #[inline(always)]
    fn leave_queue(&mut self, node: Node) {
        let (next, prev) = (node.next(), node.prev());
        let ladder = &mut self.ladders[node.ladder()];
        let queue = ladder.queue_mut(node.key());
        queue.lose(node.qty());
        if prev == NO_SLOT {
            queue.head = next;
        }
        if next == NO_SLOT {
            queue.tail = prev;
            if prev == NO_SLOT {
                ladder.unmark(node.key());
            }
        }
        let neighbours = u64::from(prev != NO_SLOT) + u64::from(next != NO_SLOT);
        self.count(1 + neighbours, u64::from(neighbours == 0));
    }

    /// Takes a resting order out of its queue; it is still enrolled, and its slot has to be vacated.
    #[inline(always)]
    fn unlink(&mut self, slot: u32, node: Node) {
        self.unqueue(slot, node);
        self.odd -= u32::from(node.is_odd());
    }

    /// The resting order with this id.
    pub(crate) fn get(&self, id: OrderId) -> Option<Resting> {
        let node = self.nodes.get(at(id.slot()))?;
        (node.holds(id) && node.is_resting()).then(|| self.resting(id.slot(), *node))
    }

    /// The open order with this id, resting or waiting.
    #[inline(always)]
    pub(crate) fn find(&self, id: OrderId) -> Option<Located> {
        let slot = id.slot();
        self.nodes.get(at(slot)).filter(|node| node.holds(id)).map(|&node| Located { slot, node })
    }

    /// Owner of the open order with this id, resting or waiting.
    #[inline(always)]
    pub(crate) fn owner(&self, id: OrderId) -> Option<AccountId> {
        self.find(id).map(|found| found.account())
    }

    /// What is rare about an open order.
    #[inline(always)]
    pub(crate) fn rare(&self, id: OrderId) -> Rare {
        if self.nodes[at(id.slot())].has_extra() { self.extras[at(id.slot())].rare } else { Rare::default() }
    }

    /// The client's name of an open order.
    pub(crate) fn name_of(&self, id: OrderId) -> u64 {
        self.names.of(id.slot())
    }

    /// True for an open order, resting or waiting, with the reduce-only flag.
    pub(crate) fn is_reduce_only(&self, id: OrderId) -> bool {
        let node = self.nodes.get(at(id.slot())).filter(|node| node.holds(id));
        node.is_some_and(|node| node.flags() & REDUCE_ONLY != 0)
    }

    /// Side of an open order.
    pub(crate) fn side_of(&self, id: OrderId) -> Option<Side> {
        self.nodes.get(at(id.slot())).filter(|node| node.holds(id)).map(Node::side)
    }

    /// Ends an open order.
    #[inline(always)]
    pub(crate) fn remove(&mut self, id: OrderId) -> Option<Removed> {
        let found = self.find(id)?;
        if !found.is_ordinary() {
            return Some(self.remove_rare(id));
        }
        let order = self.resting_of(&found);
        self.remove_found(&found);
        Some(Removed { order, leg: None, waited: false })
    }

    /// Ends an open order with nothing rare.
    #[inline(always)]
    pub(crate) fn remove_found(&mut self, order: &Located) {
        debug_assert!(order.is_ordinary() && self.nodes[at(order.slot)] == order.node);
        let &Located { slot, node } = order;
        self.strike(slot, node.account());
        self.unqueue(slot, node);
        if node.is_odd() {
            self.odd -= 1;
        }
    }

    /// Strikes an order that neither rests nor waits any more off the open ones; its slot is free.
    #[inline(always)]
    pub(crate) fn retire(&mut self, id: OrderId, account: AccountId) {
        let slot = id.slot();
        if self.nodes[at(slot)].has_extra() {
            self.drop_extra(id);
        }
        self.strike(slot, account);
    }

    /// The same for an order with nothing rare.
    #[inline(always)]
    fn strike(&mut self, slot: u32, account: AccountId) {
        if self.keeps_more {
            self.forget_more(slot, account, None);
        }
        self.give_back(slot);
    }

    /// Forgets what is kept of an order beside its node, where it is. The client's name of it, if it is at hand.
    #[inline(always)]
    fn forget_more(&mut self, slot: u32, account: AccountId, name: Option<u64>) {
        self.names.forget(slot, name);
        if let Some(counts) = &mut self.counts {
            counts[account.index()] -= 1;
        }
    }

    /// Forgets what was rare about the order of a vacated slot.
    #[inline(never)]
    fn drop_extra(&mut self, id: OrderId) {
        let slot = at(id.slot());
        if let Some(expiry) = self.extras[slot].rare.expiry {
            self.expiries.remove(&(expiry, id));
        }
        self.extras[slot] = Extra::default();
    }

    /// Takes a resting order out; its slot and name stay its own.
    pub(crate) fn take_out(&mut self, id: OrderId) -> Arrival {
        assert!(self.get(id).is_some(), "no resting order has this id");
        let arrival = self.arrival(id.slot());
        self.unlink(id.slot(), self.nodes[at(id.slot())]);
        self.nodes[at(id.slot())].vacate(NO_SLOT);
        self.untop(id);
        arrival
    }

    /// Takes open quantity off a resting order, behind first; it keeps its place. Less than all of it.
    pub(crate) fn cut(&mut self, id: OrderId, qty: Qty) {
        let slot = at(id.slot());
        let node = &mut self.nodes[slot];
        assert!(node.holds(id) && node.is_resting(), "no resting order has this id");
        assert!(!qty.is_negative());
        let mut left = qty;
        if node.has_extra() {
            let behind = &mut self.extras[slot].behind;
            let hidden = left.min(*behind);
            *behind -= hidden;
            left -= hidden;
        }
        assert!(left < node.qty());
        node.set_qty(node.qty() - left);
        let (ladder, key) = (node.ladder(), node.key());
        self.ladders[ladder].queue_mut(key).qty -= left;
    }

    /// Ties an open order to its other leg, or unties it.
    pub(crate) fn set_leg(&mut self, id: OrderId, leg: Option<OrderId>) {
        let node = self.nodes[at(id.slot())];
        if !node.holds(id) || (leg.is_none() && !node.has_extra()) {
            return;
        }
        let slot = at(id.slot());
        if slot >= self.extras.len() {
            self.extras.resize(slot + 1, Extra::default());
        }
        self.extras[slot].rare.leg = leg;
        self.nodes[slot].mark_extra();
        if node.is_resting() {
            self.odd += u32::from(!node.is_odd());
        }
    }

    // Meeting.

    /// Best shown price of a side.
    pub(crate) fn best(&self, side: Side) -> Option<Price> {
        self.ladder(side).first().map(|key| self.price(side, key))
    }

    /// The ladder and key of the queue of a side that is matched first.
    #[inline(always)]
    fn first(&self, side: Side) -> Option<(usize, u32)> {
        let shown = shown(side);
        let best = self.ladders[shown].first();
        if self.ladders[shown + 1].is_empty() {
            return best.map(|key| (shown, key));
        }
        let hidden = self.ladders[shown + 1].first()?;
        match best {
            Some(best) if best <= hidden => Some((shown, best)),
            _ => Some((shown + 1, hidden)),
        }
    }

    /// Best price of a side, hidden orders included.
    #[inline(always)]
    pub(crate) fn touch(&self, side: Side) -> Option<Price> {
        self.first(side).map(|(_, key)| self.price(side, key))
    }

    /// True if an order of the other side with this limit would meet an order of this side.
    #[inline(always)]
    pub(crate) fn is_reached(&self, side: Side, limit: Price) -> bool {
        self.is_reached_from(side.opposite(), self.key(side.opposite(), limit))
    }

    /// True if an order of a side with this key would meet an order of the other side.
    #[inline(always)]
    pub(crate) fn is_reached_from(&self, side: Side, key: u32) -> bool {
        self.is_within(side.opposite(), u64::from(self.price_max.wrapping_sub(key).wrapping_sub(1)))
    }

    /// True if an order of a side has this key or a better one; for a reach beyond all keys, whether or not there are any.
    #[inline(always)]
    pub(crate) fn is_within(&self, side: Side, reach: u64) -> bool {
        let shown = shown(side);
        // The end of a ladder is beyond every key.
        u64::from(self.ladders[shown].best().min(self.ladders[shown + 1].best())) <= reach
    }

    /// The keys of a price on a side, and on the other one: how far an order with this limit reaches there.
    #[inline(always)]
    pub(crate) fn keys(&self, side: Side, price: Price) -> (u32, u32) {
        let (buys, sells) = (self.key(Side::Buy, price), self.key(Side::Sell, price));
        (side.pick(buys, sells), side.pick(sells, buys))
    }

    /// The order of a side that is matched first.
    #[inline(always)]
    pub(crate) fn front(&self, side: Side) -> Option<Resting> {
        self.first(side).map(|(ladder, key)| self.standing(self.ladders[ladder].queue(key).head))
    }

    /// How far into a side an order of the other side with this limit reaches, as a key.
    #[inline(always)]
    pub(crate) fn reach(&self, side: Side, limit: Option<Price>) -> i64 {
        let Some(limit) = limit else { return i64::MAX };
        // Buys have the key price_max - price, sells price - 1. Limits are prices, or a few ticks beyond the domain.
        side.pick(i64::from(self.price_max).wrapping_sub(limit.get()), limit.get().wrapping_sub(1))
    }

    /// The order of a side that is matched first, if an incoming order reaches it.
    #[inline(always)]
    pub(crate) fn front_within(&self, side: Side, reach: i64) -> Option<Located> {
        let (ladder, key) = self.first(side)?;
        if i64::from(key) > reach {
            return None;
        }
        let slot = self.ladders[ladder].queue(key).head;
        Some(Located { slot, node: self.nodes[at(slot)] })
    }

    /// The limit of a resting order.
    #[inline(always)]
    pub(crate) fn price_of(&self, order: &Located) -> Price {
        self.price(order.side(), order.node.key())
    }

    /// True if a shown order stands at the best price of its side.
    #[inline(always)]
    pub(crate) fn is_at_best(&self, order: &Located) -> bool {
        self.ladder(order.side()).best() == order.node.key()
    }

    /// All of a resting order.
    #[inline(always)]
    pub(crate) fn resting_of(&self, order: &Located) -> Resting {
        self.resting(order.slot, order.node)
    }

    /// Appends the orders that stand in one queue with [`Book::front`], longest resting first.
    pub(crate) fn front_queue(&self, side: Side, into: &mut Vec<Resting>) {
        let Some((ladder, key)) = self.first(side) else { return };
        into.extend(self.chained(self.ladders[ladder].queue(key).head).map(|slot| self.standing(slot)));
    }

    /// The top order of a side: it may be gone.
    pub(crate) fn top(&self, side: Side) -> Option<OrderId> {
        self.tops.map(|tops| tops[usize::from(side.code())])
    }

    /// Trades a quantity of a resting order, not more than it shows; an order with nothing left is gone, and its
    /// slot free.
    #[inline(always)]
    pub(crate) fn fill(&mut self, order: &Located, qty: Qty) -> Option<Filled> {
        let &Located { slot, node } = order;
        let shown = node.qty();
        assert!(qty.is_positive());
        assert!(qty <= shown);
        debug_assert_eq!(self.nodes[at(slot)], node, "the order changed since it was looked at");
        if qty < shown {
            self.nodes[at(slot)].set_qty(shown.minus_proven(qty));
            let queue = self.ladders[node.ladder()].queue_mut(node.key());
            queue.qty = queue.qty.minus_proven(qty);
            self.count(1, 0);
            return node.has_extra().then(|| Filled { peak: None, leg: self.untie(slot) });
        }
        if node.has_extra() {
            return Some(self.fill_extra(order));
        }
        self.remove_found(order);
        None
    }

    /// All that an order with something rare shows was traded.
    #[inline(never)]
    fn fill_extra(&mut self, order: &Located) -> Filled {
        let leg = self.untie(order.slot);
        if self.extras[at(order.slot)].behind.is_positive() {
            return Filled { peak: Some(self.next_peak(order.id())), leg };
        }
        self.unlink(order.slot, order.node);
        self.retire(order.id(), order.account());
        Filled { peak: None, leg }
    }

    fn untie(&mut self, slot: u32) -> Option<OrderId> {
        self.extras[at(slot)].rare.leg.take()
    }

    /// Shows the next peak of an iceberg, at the back of its queue.
    #[inline(never)]
    fn next_peak(&mut self, id: OrderId) -> (Qty, Qty) {
        let slot = id.slot();
        let mut node = self.nodes[at(slot)];
        self.unqueue(slot, node);
        let Extra { rare, behind, .. } = self.extras[at(slot)];
        let shown = rare.display.unwrap_or(behind).min(behind);
        self.extras[at(slot)].behind = behind - shown;
        node.set_qty(shown);
        self.queue_up(slot, node);
        self.untop(id);
        (shown, behind - shown)
    }

    /// An order that loses its place is not the top order any more.
    fn untop(&mut self, id: OrderId) {
        for top in self.tops.iter_mut().flatten().filter(|top| **top == id) {
            *top = OrderId::default();
        }
    }

    fn ladder(&self, side: Side) -> &Ladder {
        &self.ladders[shown(side)]
    }

    /// Place of a price in its ladder, 0 for the best that there can be.
    #[inline(always)]
    pub(crate) fn key(&self, side: Side, price: Price) -> u32 {
        let is_price = price.is_positive() && price.get() <= i64::from(self.price_max);
        debug_assert!(is_price, "a price outside the domain");
        self.mirrored(side, price.ticks())
    }

    /// `price_max - ticks` for buys, `ticks - 1` for sells: its own inverse but for one. Both are in range by the
    /// check of the price, and wrapping keeps the choice free of branches: a side is the flip of a coin.
    #[inline(always)]
    fn mirrored(&self, side: Side, ticks: u32) -> u32 {
        let (buys, sells) = (self.price_max.wrapping_sub(ticks), ticks.wrapping_sub(1));
        side.pick(buys, sells)
    }

    #[inline(always)]
    fn price(&self, side: Side, key: u32) -> Price {
        let (buys, sells) = (self.price_max.wrapping_sub(key), key.wrapping_add(1));
        Price::new(i64::from(side.pick(buys, sells)))
    }

    /// The resting order that stands in a slot.
    #[inline(always)]
    fn standing(&self, slot: u32) -> Resting {
        self.resting(slot, self.nodes[at(slot)])
    }

    /// The resting order of a slot and its node.
    #[inline(always)]
    fn resting(&self, slot: u32, node: Node) -> Resting {
        let side = node.side();
        let (mut qty, mut flags) = (node.qty(), node.flags());
        if node.has_extra() {
            let extra = &self.extras[at(slot)];
            qty += extra.behind;
            flags |= extra.flags;
        }
        let price = self.price(side, node.key());
        Resting { id: node.id(slot), account: node.account(), side, price, qty, shown: node.qty(), flags }
    }

    /// The open order of a slot as it would come again; of a waiting one without price and quantity.
    fn arrival(&self, slot: u32) -> Arrival {
        let Resting { id, account, side, price, qty, flags, .. } = self.standing(slot);
        let (rare, client) = (Rare::boxed(self.rare(id)), self.names.of(slot));
        Arrival { id, account, side, price, qty, flags, rare, client }
    }

    /// Slots from one onwards along `next`: the rest of a queue or of the free list.
    fn chained(&self, first: u32) -> impl Iterator<Item = u32> {
        let slot = |number| (number != NO_SLOT).then_some(number);
        successors(slot(first), move |&number| slot(self.nodes[at(number)].next()))
    }
}

#[cfg(test)]
mod tests;
