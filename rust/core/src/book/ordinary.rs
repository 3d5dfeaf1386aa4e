//! The short way of ordinary orders, where nothing has to be made or taken down: they join a queue with others in it, or
//! leave one that goes on.
//!
//! Nothing is called on this way, and what cannot happen ends in a panic that is told nothing: so the compiler keeps
//! all that it has at hand in registers.

use super::{Book, Located, NO_SLOT, Node, ORDINARY, at, shown};
use crate::units::{AccountId, OrderId, Qty, Side};
use core::hint::select_unpredictable;

#[cold]
#[inline(never)]
fn broken() -> ! {
    panic!("a link of the book leads nowhere");
}

/// The node of a slot that a link names.
#[inline(always)]
fn linked(nodes: &mut [Node], slot: u32) -> &mut Node {
    match nodes.get_mut(at(slot)) {
        Some(node) => node,
        None => broken(),
    }
}

/// A meeting with the order at the front of a side.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Met {
    /// The order as it stood before.
    pub(crate) order: Located,
    /// What was traded of it.
    pub(crate) qty: Qty,
    /// Nothing is left of it.
    pub(crate) goes: bool,
    /// Nobody is left at its price.
    pub(crate) ends: bool,
}

impl Book {
    /// True if something is kept of every open order beside its node, or may be.
    #[inline(always)]
    pub(crate) fn keeps_more(&self) -> bool {
        self.keeps_more
    }

    /// The id of an order about to be accepted, whose number is the next and whose slot is reserved. The caller made sure
    /// that there is room.
    #[inline(always)]
    pub(crate) fn next_id(&mut self, accepted: &mut u64) -> OrderId {
        // Ids keep it in 40 bits, which snapshots check: it is far from the end of 64.
        *accepted = accepted.wrapping_add(1);
        OrderId::new(*accepted, self.take_slot())
    }

    /// True if there is a slot for an order about to be accepted that may come to rest; no other needs one.
    #[inline(always)]
    pub(crate) fn has_room_if(&mut self, rests: bool) -> bool {
        !self.is_out() || self.add_slot_if(rests)
    }

    #[inline(never)]
    fn add_slot_if(&mut self, rests: bool) -> bool {
        !rests || self.has_room()
    }

    /// A slot for it, none for others, without a branch: whether an order rests is the flip of a coin.
    #[inline(always)]
    pub(crate) fn reserve_if(&mut self, rests: bool) -> u32 {
        let slot = self.free;
        let next = self.nodes.get(at(slot)).map_or(NO_SLOT, Node::next);
        self.free = select_unpredictable(rests, next, slot);
        select_unpredictable(rests, slot, NO_SLOT)
    }

    /// Puts a new order with ordinary flags and nothing rare at the back of the queue of its key; the slot in its id is
    /// reserved.
    #[inline(always)]
    pub(crate) fn add(
        &mut self,
        id: OrderId,
        owner: (AccountId, Side),
        size: (u32, Qty),
        flags: u16,
        client: u64,
    ) {
        debug_assert!(flags & !ORDINARY == 0);
        let slot = id.slot();
        if self.keeps_more {
            self.note_top(id, owner.1, size.0);
        }
        self.enrol(slot, owner.0, client);
        self.queue_up(slot, Node::new(id, owner, size.1, size.0, flags));
    }

    /// Puts a new order with ordinary flags behind others in its queue: its id, whose number is the next. None, and nothing
    /// is done, if no slot is free or it would be the first there.
    #[inline(always)]
    pub(crate) fn follow(
        &mut self,
        accepted: &mut u64,
        owner: (AccountId, Side),
        size: (u32, Qty),
        flags: u16,
    ) -> Option<OrderId> {
        debug_assert!(flags & !ORDINARY == 0);
        let Self { nodes, ladders, free, .. } = self;
        let (slot, key, qty) = (*free, size.0, size.1);
        let queue = ladders[shown(owner.1)].made(key)?;
        let prev = queue.tail;
        let nodes = nodes.as_mut_slice();
        // No slot is beyond all nodes.
        if at(slot) >= nodes.len() || at(prev) >= nodes.len() {
            return None;
        }
        queue.tail = slot;
        queue.gain(qty);
        let node = linked(nodes, slot);
        *free = node.next();
        // Ids keep it in 40 bits, which snapshots check: it is far from the end of 64.
        let number = accepted.wrapping_add(1);
        *accepted = number;
        *node = Node::last(number, prev, owner, (qty, flags), key);
        linked(nodes, prev).set_next(NO_SLOT, slot);
        self.count(2, 0);
        Some(OrderId::new(number, slot))
    }

    /// What is kept of an order beside its node is forgotten, where it is kept. The client's name of it, if it is at hand.
    #[inline(always)]
    pub(crate) fn forget(&mut self, order: Located, name: Option<u64>) {
        self.forget_more(order.slot, order.account(), name);
    }

    /// Ends the only order of a queue.
    #[inline(never)]
    pub(crate) fn end(&mut self, order: Located) {
        self.remove_found(&order);
    }

    /// Takes an order with nothing rare out of a queue with others in it; false, and nothing is done, if it is the only
    /// one there.
    #[inline(always)]
    pub(crate) fn leave(&mut self, order: &Located) -> bool {
        let &Located { slot, node } = order;
        if order.is_alone() {
            return false;
        }
        let (next, prev) = (node.next(), node.prev());
        let Self { nodes, ladders, free, odd, .. } = self;
        if node.is_odd() {
            *odd -= 1;
        }
        let Some(queue) = ladders[node.ladder()].made(node.key()) else { broken() };
        queue.lose(node.qty());
        let nodes = nodes.as_mut_slice();
        linked(nodes, slot).vacate(*free);
        *free = slot;
        // No slot is beyond all nodes.
        match nodes.get_mut(at(prev)) {
            Some(before) => before.set_next(slot, next),
            None => queue.head = next,
        }
        match nodes.get_mut(at(next)) {
            Some(behind) => behind.set_prev(slot, prev),
            None => queue.tail = prev,
        }
        self.count(1 + u64::from(prev != NO_SLOT) + u64::from(next != NO_SLOT), 0);
        true
    }

    /// Trades with the order at the front of a side of a plain book, up to a quantity, if its key is not beyond a reach. An
    /// order with nothing left is gone; [`Book::close`] is called if it was the last at its price.
    #[inline(always)]
    pub(crate) fn meet(&mut self, side: Side, reach: u32, most: Qty) -> Option<Met> {
        self.meet_if(side, reach, most, |_| true)
    }

    /// The same if they may meet, which the account of the order at the front decides.
    #[inline(always)]
    pub(crate) fn meet_if(
        &mut self,
        side: Side,
        reach: u32,
        most: Qty,
        may: impl Fn(AccountId) -> bool,
    ) -> Option<Met> {
        debug_assert!(self.odd == 0 && most.is_positive());
        let Self { nodes, ladders, free, .. } = self;
        let ladder = &mut ladders[shown(side)];
        let key = ladder.best();
        if key > reach {
            return None;
        }
        let Some(queue) = ladder.made(key) else { broken() };
        let nodes = nodes.as_mut_slice();
        let slot = queue.head;
        let first = linked(nodes, slot);
        let order = Located { slot, node: *first };
        if !may(order.account()) {
            return None;
        }
        let shown = order.shown();
        if most < shown {
            first.set_qty(shown.minus_proven(most));
            queue.qty = queue.qty.minus_proven(most);
            self.count(1, 0);
            return Some(Met { order, qty: most, goes: false, ends: false });
        }
        first.vacate(*free);
        *free = slot;
        queue.lose(shown);
        let next = order.node.next();
        queue.head = next;
        let ends = next == NO_SLOT;
        if ends {
            queue.tail = NO_SLOT;
        } else {
            linked(nodes, next).set_prev(slot, NO_SLOT);
        }
        self.count(1 + u64::from(!ends), u64::from(ends));
        Some(Met { order, qty: shown, goes: true, ends })
    }

    /// The best price of a side has no orders any more.
    #[inline(never)]
    pub(crate) fn close(&mut self, side: Side) {
        let ladder = &mut self.ladders[shown(side)];
        ladder.unmark(ladder.best());
    }
}
