//! One market's price-time book.
//!
//! Orders stand in queues by price: best price first, then in the order in which they came to rest. Knows no
//! money, no phases and no matching: the caller meets incoming orders with [`Book::front`]. The book may stand
//! crossed while the caller does not match.
//!
//! Built for speed. Each side is a ladder of queues in pages that are made when a price is first used, with a
//! bitmap of the queues in use; keys are mirrored so that the best price of either side is the lowest key.
//! Orders are slots of one slab, linked by slot number; an id carries its slot, and the acceptance number
//! tells an order from others that stood in the slot before. Nothing is allocated once slots, pages and
//! accounts have been seen.
//!
//! Invariant, see [`Book::check`]: a queue is marked if and only if it holds an order, and every slot is
//! resting, free or reserved by the caller. The open quantity of a side fits in 64 bits.

use crate::codec::{CodecError, Reader, Writer};
use crate::units::{AccountId, OrderId, Price, Qty, Side, TickValue};
use core::iter::successors;

/// The slot in ids of orders that never rest, and the end of a list. No order stands in it.
pub(crate) const NO_SLOT: u32 = (1 << OrderId::SLOT_BITS) - 1;
/// The end of a ladder.
const NO_KEY: u32 = u32::MAX;
/// A page that was not made yet.
const NO_PAGE: u32 = u32::MAX;
/// The stamp of a slot without a resting order: acceptance numbers have 40 bits, so none equals it.
const NO_STAMP: u64 = u64::MAX;
/// The most accounts that a configuration allows.
const ACCOUNTS_MAX: u32 = 1 << 28;
/// Queues of a page, as a power of two.
const PAGE_BITS: u32 = 9;
const PAGE_LEN: usize = 1 << PAGE_BITS;
/// Layers of 64-ary bitmap: 64^4 keys are the widest price domain.
const LAYERS: usize = 4;
const WORD_BITS: u32 = 6;
const SIDES: [Side; 2] = [Side::Buy, Side::Sell];

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
    /// Its open quantity, positive.
    pub qty: Qty,
    /// Whether a replace must not take.
    pub post_only: bool,
}

/// All orders of one side at one price.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Level {
    /// The price.
    pub price: Price,
    /// Open quantity.
    pub qty: Qty,
    /// Number of orders.
    pub orders: u32,
}

/// A number of 32 bits as an index.
#[allow(clippy::as_conversions, reason = "an index has at least 32 bits wherever this crate is built")]
const fn at(number: u32) -> usize {
    number as usize
}

/// What matching reads of an order: 24 bytes, so that a deep book stays in the second-level cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Node {
    qty: Qty,
    /// The order behind it in its queue; of a free slot the next free one.
    next: u32,
    /// The order before it in its queue.
    prev: u32,
    account: AccountId,
    /// Key in the ladder (24 bits), side, post-only.
    tag: u32,
}

impl Node {
    const EMPTY: Self =
        Self { qty: Qty::ZERO, next: NO_SLOT, prev: NO_SLOT, account: AccountId::new(0), tag: 0 };
    const KEY_MASK: u32 = (1 << 24) - 1;
    const SELL: u32 = 1 << 24;
    const POST_ONLY: u32 = 1 << 25;

    const fn tag(side: Side, key: u32, post_only: bool) -> u32 {
        let side = match side {
            Side::Buy => 0,
            Side::Sell => Self::SELL,
        };
        key | side | if post_only { Self::POST_ONLY } else { 0 }
    }

    const fn key(self) -> u32 {
        self.tag & Self::KEY_MASK
    }

    const fn side(self) -> Side {
        if self.tag & Self::SELL == 0 { Side::Buy } else { Side::Sell }
    }

    const fn is_post_only(self) -> bool {
        self.tag & Self::POST_ONLY != 0
    }
}

const _: () = assert!(size_of::<Node>() == 24);

/// What only ids and accounts need of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Link {
    /// Acceptance number of the resting order, or [`NO_STAMP`].
    stamp: u64,
    /// Neighbours in the list of the account's orders.
    next: u32,
    prev: u32,
}

impl Link {
    const EMPTY: Self = Self { stamp: NO_STAMP, next: NO_SLOT, prev: NO_SLOT };
}

/// The orders of one side at one price, longest resting first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Queue {
    qty: Qty,
    head: u32,
    tail: u32,
    count: u32,
}

impl Queue {
    const EMPTY: Self = Self { qty: Qty::ZERO, head: NO_SLOT, tail: NO_SLOT, count: 0 };
}

/// The queues of one side by key; the lowest key is the best price.
#[derive(Debug, Clone)]
struct Ladder {
    /// Lowest marked key, or [`NO_KEY`].
    best: u32,
    /// Layer 0 has a bit per key, each layer above a bit per word of the layer below it.
    marks: [Vec<u64>; LAYERS],
    /// Page of each run of keys, or [`NO_PAGE`].
    table: Vec<u32>,
    pages: Vec<[Queue; PAGE_LEN]>,
}

impl Ladder {
    fn new(keys: u32) -> Self {
        let mut words = at(keys);
        let marks = core::array::from_fn(|_| {
            words = (words + 63) >> WORD_BITS;
            vec![0; words]
        });
        let table = vec![NO_PAGE; (at(keys) + PAGE_LEN - 1) >> PAGE_BITS];
        Self { best: NO_KEY, marks, table, pages: Vec::new() }
    }

    /// Best key of all.
    fn first(&self) -> Option<u32> {
        (self.best != NO_KEY).then_some(self.best)
    }

    /// Best key after this one.
    fn next_after(&self, key: u32) -> Option<u32> {
        let mut bit = key;
        for (layer, words) in self.marks.iter().enumerate() {
            let later = words[at(bit >> WORD_BITS)] & ((u64::MAX - 1) << (bit & 63));
            if later != 0 {
                let found = (bit & !63) | later.trailing_zeros();
                let down = self.marks[..layer].iter().rev();
                return Some(down.fold(found, |b, words| (b << WORD_BITS) | words[at(b)].trailing_zeros()));
            }
            bit >>= WORD_BITS;
        }
        None
    }

    /// Keys in use, best first.
    fn keys(&self) -> impl Iterator<Item = u32> {
        successors(self.first(), |&key| self.next_after(key))
    }

    /// The queue of a key in use.
    fn queue(&self, key: u32) -> &Queue {
        &self.pages[at(self.table[at(key >> PAGE_BITS)])][at(key) & (PAGE_LEN - 1)]
    }

    /// The queue of a key in use.
    fn queue_mut(&mut self, key: u32) -> &mut Queue {
        &mut self.pages[at(self.table[at(key >> PAGE_BITS)])][at(key) & (PAGE_LEN - 1)]
    }

    /// The queue of any key.
    fn open(&mut self, key: u32) -> &mut Queue {
        let page = at(key >> PAGE_BITS);
        if self.table[page] == NO_PAGE {
            self.table[page] = u32::try_from(self.pages.len()).expect("fewer pages than keys");
            self.pages.push([Queue::EMPTY; PAGE_LEN]);
        }
        self.queue_mut(key)
    }

    fn mark(&mut self, key: u32) {
        let mut bit = key;
        for words in &mut self.marks {
            let word = &mut words[at(bit >> WORD_BITS)];
            let was_empty = *word == 0;
            *word |= 1 << (bit & 63);
            if !was_empty {
                break;
            }
            bit >>= WORD_BITS;
        }
        self.best = self.best.min(key);
    }

    fn unmark(&mut self, key: u32) {
        let mut bit = key;
        for words in &mut self.marks {
            let word = &mut words[at(bit >> WORD_BITS)];
            *word &= !(1 << (bit & 63));
            if *word != 0 {
                break;
            }
            bit >>= WORD_BITS;
        }
        if self.best == key {
            self.best = self.next_after(key).unwrap_or(NO_KEY);
        }
    }
}

/// One market's book.
#[derive(Debug, Clone)]
pub(crate) struct Book {
    price_max: u32,
    orders_max: u32,
    /// Resting orders.
    len: u32,
    /// The slot freed last, or [`NO_SLOT`].
    free: u32,
    nodes: Vec<Node>,
    links: Vec<Link>,
    /// One of each account's orders, where its list begins. Inverted, so that an account without orders is 0
    /// and a large table read from bytes costs no memory before it is used.
    heads: Vec<u32>,
    /// By [`Side::code`].
    ladders: [Ladder; 2],
}

impl Book {
    /// An empty book for prices from 1 to `price_max` and at most `orders_max` resting orders.
    pub(crate) fn new(price_max: Price, orders_max: u32) -> Self {
        let price_max = u32::try_from(price_max.get()).expect("the configuration bounds prices");
        assert!(price_max >= 1);
        assert!(price_max <= Node::KEY_MASK + 1);
        assert!(orders_max < NO_SLOT);
        Self {
            price_max,
            orders_max,
            len: 0,
            free: NO_SLOT,
            nodes: Vec::new(),
            links: Vec::new(),
            heads: Vec::new(),
            ladders: [Ladder::new(price_max), Ladder::new(price_max)],
        }
    }

    /// Number of resting orders.
    pub(crate) fn len(&self) -> u32 {
        self.len
    }

    /// True if no further order may rest.
    pub(crate) fn is_full(&self) -> bool {
        self.len >= self.orders_max
    }

    /// A slot for an order about to be accepted: the one freed last, else a new one. The book must not be full.
    pub(crate) fn reserve(&mut self) -> u32 {
        let slot = self.free;
        if slot != NO_SLOT {
            self.free = self.nodes[at(slot)].next;
            return slot;
        }
        let slot = u32::try_from(self.nodes.len()).expect("slots are limited");
        assert!(slot < self.orders_max, "the book is full");
        self.nodes.push(Node::EMPTY);
        self.links.push(Link::EMPTY);
        slot
    }

    /// Gives a reserved slot back.
    pub(crate) fn release(&mut self, slot: u32) {
        assert!(self.links[at(slot)].stamp == NO_STAMP, "the slot of a resting order");
        self.nodes[at(slot)].next = self.free;
        self.free = slot;
    }

    /// Puts an order at the back of its queue; the slot in its id is reserved.
    pub(crate) fn rest(&mut self, order: Resting) {
        assert!(order.qty.is_positive());
        let slot = order.id.slot();
        let key = self.key(order.side, order.price);

        let ladder = &mut self.ladders[usize::from(order.side.code())];
        let queue = ladder.open(key);
        let prev = queue.tail;
        queue.tail = slot;
        queue.qty += order.qty;
        queue.count += 1;
        if prev == NO_SLOT {
            queue.head = slot;
            ladder.mark(key);
        } else {
            self.nodes[at(prev)].next = slot;
        }
        let tag = Node::tag(order.side, key, order.post_only);
        self.nodes[at(slot)] = Node { qty: order.qty, next: NO_SLOT, prev, account: order.account, tag };

        if order.account.index() >= self.heads.len() {
            self.heads.resize(order.account.index() + 1, 0);
        }
        let head = &mut self.heads[order.account.index()];
        let next = *head ^ NO_SLOT;
        *head = slot ^ NO_SLOT;
        if next != NO_SLOT {
            self.links[at(next)].prev = slot;
        }
        let link = &mut self.links[at(slot)];
        assert!(link.stamp == NO_STAMP, "the slot of a resting order");
        *link = Link { stamp: order.id.acceptance(), next, prev: NO_SLOT };
        self.len += 1;
    }

    /// The resting order with this id.
    pub(crate) fn get(&self, id: OrderId) -> Option<Resting> {
        self.holds(id).then(|| self.resting(id.slot()))
    }

    /// Takes an order out and frees its slot.
    pub(crate) fn remove(&mut self, id: OrderId) -> Option<Resting> {
        let order = self.take_out(id)?;
        self.release(id.slot());
        Some(order)
    }

    /// Takes an order out; its slot stays reserved.
    pub(crate) fn take_out(&mut self, id: OrderId) -> Option<Resting> {
        let order = self.get(id)?;
        self.unlink(id.slot());
        Some(order)
    }

    /// Makes the open quantity of a resting order smaller; it keeps its place.
    pub(crate) fn decrease(&mut self, id: OrderId, qty: Qty) {
        assert!(self.holds(id), "no resting order has this id");
        let node = &mut self.nodes[at(id.slot())];
        assert!(qty.is_positive());
        assert!(qty <= node.qty);
        let queue = self.ladders[usize::from(node.side().code())].queue_mut(node.key());
        queue.qty -= node.qty - qty;
        node.qty = qty;
    }

    /// Best price of a side.
    pub(crate) fn best(&self, side: Side) -> Option<Price> {
        self.ladder(side).first().map(|key| self.price(side, key))
    }

    /// The order of a side that is matched first.
    pub(crate) fn front(&self, side: Side) -> Option<Resting> {
        let ladder = self.ladder(side);
        ladder.first().map(|key| self.resting(ladder.queue(key).head))
    }

    /// Takes a quantity off [`Book::front`]; at zero the order is gone and its slot is free.
    pub(crate) fn fill_front(&mut self, side: Side, qty: Qty) {
        assert!(qty.is_positive());
        let ladder = &mut self.ladders[usize::from(side.code())];
        let key = ladder.first().expect("a side that is filled has an order");
        let queue = ladder.queue_mut(key);
        let slot = queue.head;
        let node = &mut self.nodes[at(slot)];
        assert!(qty <= node.qty);
        if qty < node.qty {
            node.qty -= qty;
            queue.qty -= qty;
        } else {
            self.unlink(slot);
            self.release(slot);
        }
    }

    /// Levels of a side, best first.
    pub(crate) fn levels(&self, side: Side) -> impl Iterator<Item = Level> {
        let ladder = self.ladder(side);
        ladder.keys().map(move |key| {
            let queue = ladder.queue(key);
            Level { price: self.price(side, key), qty: queue.qty, orders: queue.count }
        })
    }

    /// Orders of a side in the order in which they are matched.
    pub(crate) fn orders(&self, side: Side) -> impl Iterator<Item = Resting> {
        let ladder = self.ladder(side);
        ladder.keys().flat_map(move |key| self.queued(ladder.queue(key))).map(|slot| self.resting(slot))
    }

    /// Appends the ids of an account's resting orders, highest acceptance number first.
    pub(crate) fn orders_of(&self, account: AccountId, into: &mut Vec<OrderId>) {
        let start = into.len();
        let head = self.heads.get(account.index()).map_or(NO_SLOT, |head| head ^ NO_SLOT);
        into.extend(self.listed(head).map(|slot| OrderId::new(self.links[at(slot)].stamp, slot)));
        // An order that was taken out and rested again comes before younger ones in the list.
        into[start..].sort_unstable_by(|a, b| b.cmp(a));
    }

    /// Sum of price x quantity for taking `qty` lots from this side, best first; `None` if it holds fewer.
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

    /// True if the best bid is at or above the best ask.
    pub(crate) fn is_crossed(&self) -> bool {
        match (self.best(Side::Buy), self.best(Side::Sell)) {
            (Some(bid), Some(ask)) => bid >= ask,
            _ => false,
        }
    }

    fn ladder(&self, side: Side) -> &Ladder {
        &self.ladders[usize::from(side.code())]
    }

    /// Place of a price in its ladder, 0 for the best that there can be.
    fn key(&self, side: Side, price: Price) -> u32 {
        let ticks = u32::try_from(price.get()).unwrap_or(0);
        assert!((1..=self.price_max).contains(&ticks), "a price outside the domain");
        match side {
            Side::Buy => self.price_max - ticks,
            Side::Sell => ticks - 1,
        }
    }

    fn price(&self, side: Side, key: u32) -> Price {
        Price::new(i64::from(match side {
            Side::Buy => self.price_max - key,
            Side::Sell => key + 1,
        }))
    }

    fn holds(&self, id: OrderId) -> bool {
        self.links.get(at(id.slot())).is_some_and(|link| link.stamp == id.acceptance())
    }

    /// The order of a slot in use.
    fn resting(&self, slot: u32) -> Resting {
        let node = self.nodes[at(slot)];
        let side = node.side();
        Resting {
            id: OrderId::new(self.links[at(slot)].stamp, slot),
            account: node.account,
            side,
            price: self.price(side, node.key()),
            qty: node.qty,
            post_only: node.is_post_only(),
        }
    }

    /// Takes the order of a slot out of its queue and its account's list.
    fn unlink(&mut self, slot: u32) {
        let node = self.nodes[at(slot)];
        let ladder = &mut self.ladders[usize::from(node.side().code())];
        let queue = ladder.queue_mut(node.key());
        queue.qty -= node.qty;
        queue.count -= 1;
        let is_last = queue.count == 0;
        if node.prev == NO_SLOT {
            queue.head = node.next;
        } else {
            self.nodes[at(node.prev)].next = node.next;
        }
        if node.next == NO_SLOT {
            queue.tail = node.prev;
        } else {
            self.nodes[at(node.next)].prev = node.prev;
        }
        if is_last {
            ladder.unmark(node.key());
        }

        let Link { next, prev, .. } = self.links[at(slot)];
        self.links[at(slot)].stamp = NO_STAMP;
        if prev == NO_SLOT {
            self.heads[node.account.index()] = next ^ NO_SLOT;
        } else {
            self.links[at(prev)].next = next;
        }
        if next != NO_SLOT {
            self.links[at(next)].prev = prev;
        }
        self.len -= 1;
    }

    /// Slots of a queue, front first.
    fn queued(&self, queue: &Queue) -> impl Iterator<Item = u32> {
        self.chained(queue.head)
    }

    /// Slots from one onwards along `next`: the rest of a queue or of the free list.
    fn chained(&self, first: u32) -> impl Iterator<Item = u32> {
        let slot = |number| (number != NO_SLOT).then_some(number);
        successors(slot(first), move |&number| slot(self.nodes[at(number)].next))
    }

    /// Slots from one onwards in the list of its account.
    fn listed(&self, first: u32) -> impl Iterator<Item = u32> {
        let slot = |number| (number != NO_SLOT).then_some(number);
        successors(slot(first), move |&number| slot(self.links[at(number)].next))
    }
}

/// Bytes and validation.
impl Book {
    /// Writes the orders of each side in priority order; then, unless canonical, the free slots.
    pub(crate) fn encode(&self, w: &mut Writer) {
        for side in SIDES {
            w.len(self.levels(side).map(|level| at(level.orders)).sum());
            for order in self.orders(side) {
                w.order(order.id);
                w.u32(order.account.get());
                w.i64(order.price.get());
                w.i64(order.qty.get());
                w.bool(order.post_only);
            }
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
    /// Whether the accounts exist and the quantities are within the market's maximum is for the caller to check.
    ///
    /// # Errors
    /// [`CodecError`] for bytes that no book writes.
    pub(crate) fn decode(price_max: Price, orders_max: u32, r: &mut Reader<'_>) -> Result<Self, CodecError> {
        let mut orders = Vec::new();
        for side in SIDES {
            Self::decode_side(side, price_max, r, &mut orders)?;
        }
        let mut free = Vec::new();
        for _ in 0..r.len()? {
            free.push(r.u32()?);
        }

        let slots = orders.len() + free.len();
        if slots > at(orders_max) {
            return Err(r.invalid(format!("{slots} slots of orders, the configuration allows {orders_max}")));
        }
        let mut seen = vec![false; slots];
        for slot in orders.iter().map(|order| order.id.slot()).chain(free.iter().copied()) {
            match seen.get_mut(at(slot)) {
                Some(seen) if !*seen => *seen = true,
                _ => return Err(r.invalid(format!("slot {slot} is used twice or is not below {slots}"))),
            }
        }
        let mut accepted: Vec<u64> = orders.iter().map(|order| order.id.acceptance()).collect();
        accepted.sort_unstable();
        if let Some([number, ..]) = accepted.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(r.invalid(format!("two orders have acceptance number {number}")));
        }

        // From here on nothing fails.
        let mut book = Self::new(price_max, orders_max);
        book.nodes = vec![Node::EMPTY; slots];
        book.links = vec![Link::EMPTY; slots];
        book.heads = vec![0; orders.iter().map(|order| order.account.index() + 1).max().unwrap_or(0)];
        for order in orders {
            book.rest(order);
        }
        for &slot in free.iter().rev() {
            book.release(slot);
        }
        Ok(book)
    }

    /// Reads the orders of one side and checks each by itself and against the one before it.
    fn decode_side(
        side: Side,
        price_max: Price,
        r: &mut Reader<'_>,
        into: &mut Vec<Resting>,
    ) -> Result<(), CodecError> {
        let mut total = 0i64;
        let mut last = None;
        for _ in 0..r.len()? {
            let order = Resting {
                id: r.order()?,
                account: AccountId::new(r.u32()?),
                side,
                price: Price::new(r.i64()?),
                qty: Qty::new(r.i64()?),
                post_only: r.bool()?,
            };
            let Resting { id, account, price, qty, .. } = order;
            let number = id.acceptance();
            if number == 0 {
                return Err(r.invalid("an order has acceptance number 0, the first is 1"));
            }
            if false {
                return Err(r.invalid(format!("order {number}: no account has number {account}")));
            }
            if price.get() < 1 || price > price_max {
                return Err(
                    r.invalid(format!("order {number}: price {price} is not within 1 to {price_max}"))
                );
            }
            if last.is_some_and(|last| side.gain(last, price).is_positive()) {
                return Err(
                    r.invalid(format!("order {number}: price {price} is better than the one before it"))
                );
            }
            last = Some(price);
            if !qty.is_positive() {
                return Err(r.invalid(format!("order {number}: quantity {qty} is not positive")));
            }
            total = total
                .checked_add(qty.get())
                .ok_or_else(|| r.invalid(format!("order {number}: quantities up to it are out of range")))?;
            into.push(order);
        }
        Ok(())
    }

    /// Checks every link and sum; no slot may be reserved. Linear in slots, accounts and pages.
    pub(crate) fn check(&self) {
        assert!(self.len <= self.orders_max);
        assert_eq!(self.nodes.len(), self.links.len());
        let resting: usize = SIDES.iter().map(|&side| self.check_side(side)).sum();
        assert_eq!(resting, at(self.len));

        let mut free = 0;
        for slot in self.chained(self.free) {
            assert_eq!(self.links[at(slot)].stamp, NO_STAMP, "free slot {slot} holds an order");
            free += 1;
            assert!(free <= self.nodes.len(), "the free list is a ring");
        }
        assert_eq!(resting + free, self.nodes.len(), "a slot is lost or still reserved");
        self.check_accounts();
    }

    /// Checks one side and counts its orders.
    fn check_side(&self, side: Side) -> usize {
        let ladder = self.ladder(side);
        let mut queues = 0;
        for (run, &page) in ladder.table.iter().enumerate().filter(|(_, page)| **page != NO_PAGE) {
            for (i, queue) in ladder.pages[at(page)].iter().enumerate() {
                let key = (run << PAGE_BITS) | i;
                let marked =
                    ladder.marks[0].get(key >> WORD_BITS).is_some_and(|word| word >> (key & 63) & 1 == 1);
                assert_eq!(marked, queue.count > 0, "{side:?} key {key}: the mark is wrong");
                assert!(marked || *queue == Queue::EMPTY, "{side:?} key {key}: something is left behind");
                queues += usize::from(marked);
            }
        }
        assert_eq!(ladder.keys().count(), queues);
        assert!(ladder.keys().is_sorted());
        ladder.keys().map(|key| self.check_queue(side, key)).sum()
    }

    /// Checks one queue and counts its orders.
    fn check_queue(&self, side: Side, key: u32) -> usize {
        let queue = self.ladder(side).queue(key);
        let (mut prev, mut qty, mut count) = (NO_SLOT, Qty::ZERO, 0);
        for slot in self.queued(queue) {
            let node = self.nodes[at(slot)];
            assert_eq!((node.side(), node.key(), node.prev), (side, key, prev));
            assert!(node.qty.is_positive());
            assert_ne!(self.links[at(slot)].stamp, NO_STAMP, "slot {slot} is free but stands in a queue");
            prev = slot;
            qty += node.qty;
            count += 1;
        }
        assert_eq!((queue.tail, queue.qty, queue.count), (prev, qty, count));
        at(count)
    }

    fn check_accounts(&self) {
        let mut listed = 0;
        for (account, &head) in self.heads.iter().enumerate() {
            let mut prev = NO_SLOT;
            for slot in self.listed(head ^ NO_SLOT) {
                assert_eq!(self.links[at(slot)].prev, prev);
                assert_eq!(self.nodes[at(slot)].account.index(), account);
                assert_ne!(
                    self.links[at(slot)].stamp,
                    NO_STAMP,
                    "slot {slot} is free but an account lists it"
                );
                prev = slot;
                listed += 1;
            }
        }
        assert_eq!(listed, at(self.len));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::{BTreeMap, VecDeque};

    const BUY: Side = Side::Buy;
    const SELL: Side = Side::Sell;

    /// Small deterministic generator (xorshift).
    struct Random(u64);

    impl Random {
        /// A number from 0 to `count - 1`.
        fn below(&mut self, count: u64) -> u64 {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            (self.0 >> 32).wrapping_mul(count) >> 32
        }

        fn signed(&mut self, low: i64, high: i64) -> i64 {
            low + i64::try_from(self.below(u64::try_from(high - low + 1).unwrap())).unwrap()
        }

        fn side(&mut self) -> Side {
            if self.below(2) == 0 { BUY } else { SELL }
        }
    }

    /// A book with its acceptance counter.
    struct Desk {
        book: Book,
        accepted: u64,
    }

    impl Desk {
        fn new(price_max: i64) -> Self {
            Self { book: Book::new(Price::new(price_max), 100), accepted: 0 }
        }

        fn place(&mut self, account: u32, side: Side, qty: i64, price: i64) -> OrderId {
            self.accepted += 1;
            let id = OrderId::new(self.accepted, self.book.reserve());
            self.book.rest(resting(id, account, side, qty, price));
            self.book.check();
            id
        }

        fn ids(&self, side: Side) -> Vec<OrderId> {
            self.book.orders(side).map(|order| order.id).collect()
        }

        fn levels(&self, side: Side) -> Vec<(i64, i64, u32)> {
            self.book.levels(side).map(|level| (level.price.get(), level.qty.get(), level.orders)).collect()
        }
    }

    fn resting(id: OrderId, account: u32, side: Side, qty: i64, price: i64) -> Resting {
        let (account, price, qty) = (AccountId::new(account), Price::new(price), Qty::new(qty));
        Resting { id, account, side, price, qty, post_only: id.acceptance() & 1 == 1 }
    }

    fn bytes(book: &Book) -> Vec<u8> {
        let mut w = Writer::new();
        book.encode(&mut w);
        w.finish()
    }

    fn reread(book: &Book, price_max: i64) -> Book {
        let bytes = bytes(book);
        let mut r = Reader::new(&bytes, "book");
        let copy = Book::decode(Price::new(price_max), book.orders_max, &mut r).unwrap();
        assert_eq!(r.left(), 0);
        copy
    }

    #[test]
    fn cancel_in_mid_queue_keeps_the_followers() {
        let mut desk = Desk::new(1000);
        let ids: Vec<OrderId> = (0..4).map(|i| desk.place(i, BUY, 5, 100)).collect();
        assert_eq!(desk.book.remove(ids[1]).map(|order| order.account), Some(AccountId::new(1)));
        assert_eq!(desk.ids(BUY), [ids[0], ids[2], ids[3]]);
        desk.book.remove(ids[3]);
        desk.book.remove(ids[0]);
        assert_eq!(desk.ids(BUY), [ids[2]]);
        assert_eq!(desk.levels(BUY), [(100, 5, 1)]);
        desk.book.check();
    }

    #[test]
    fn an_emptied_best_level_is_not_visible() {
        let mut desk = Desk::new(1000);
        let best = desk.place(0, SELL, 5, 7);
        desk.place(0, SELL, 5, 900);
        assert_eq!(desk.book.best(SELL), Some(Price::new(7)));
        desk.book.remove(best);
        assert_eq!(desk.book.best(SELL), Some(Price::new(900)));
        assert_eq!(desk.levels(SELL), [(900, 5, 1)]);
        desk.book.fill_front(SELL, Qty::new(5));
        assert_eq!((desk.book.best(SELL), desk.book.front(SELL)), (None, None));
        assert_eq!((desk.levels(SELL), desk.book.len()), (vec![], 0));
        desk.book.check();
    }

    #[test]
    fn a_partial_fill_keeps_priority_and_reduces_depth() {
        let mut desk = Desk::new(1000);
        let (first, second) = (desk.place(0, SELL, 5, 100), desk.place(1, SELL, 5, 100));
        desk.book.fill_front(SELL, Qty::new(4));
        assert_eq!(desk.book.front(SELL), Some(resting(first, 0, SELL, 1, 100)));
        assert_eq!(desk.levels(SELL), [(100, 6, 2)]);
        desk.book.fill_front(SELL, Qty::new(1));
        assert_eq!(desk.book.front(SELL), Some(resting(second, 1, SELL, 5, 100)));
        desk.book.check();
    }

    #[test]
    fn a_late_cancel_of_a_filled_order_finds_nothing() {
        let mut desk = Desk::new(1000);
        let id = desk.place(0, BUY, 5, 100);
        desk.book.fill_front(BUY, Qty::new(5));
        assert_eq!((desk.book.get(id), desk.book.remove(id), desk.book.take_out(id)), (None, None, None));
        let mut ids = vec![];
        desk.book.orders_of(AccountId::new(0), &mut ids);
        assert_eq!(ids, []);
        desk.book.check();
    }

    #[test]
    fn an_id_is_not_valid_after_its_slot_is_reused() {
        let mut desk = Desk::new(1000);
        let old = desk.place(0, BUY, 5, 100);
        desk.book.remove(old);
        // Neither while the slot is free nor after; nor are ids that were never given.
        assert_eq!(desk.book.get(OrderId::new(0, old.slot())), None);
        let new = desk.place(0, BUY, 5, 100);
        assert_eq!(new.slot(), old.slot());
        assert_eq!(desk.book.remove(old), None);
        for id in
            [OrderId::new(0, 0), OrderId::new(2, 1), OrderId::new(2, NO_SLOT), OrderId::from_raw(u64::MAX)]
        {
            assert_eq!(desk.book.get(id), None);
        }
        assert_eq!(desk.ids(BUY), [new]);
        desk.book.check();
    }

    #[test]
    fn a_decrease_keeps_priority() {
        let mut desk = Desk::new(1000);
        let (first, second) = (desk.place(0, BUY, 5, 100), desk.place(1, BUY, 5, 100));
        desk.book.decrease(first, Qty::new(2));
        desk.book.decrease(second, Qty::new(5));
        assert_eq!(desk.ids(BUY), [first, second]);
        assert_eq!(desk.levels(BUY), [(100, 7, 2)]);
        desk.book.check();
    }

    #[test]
    fn an_order_that_rests_again_goes_behind_its_level_under_the_same_id() {
        let mut desk = Desk::new(1000);
        let (first, second) = (desk.place(0, BUY, 5, 100), desk.place(0, BUY, 5, 100));
        let order = desk.book.take_out(first).unwrap();
        assert_eq!(desk.book.get(first), None);
        desk.book.rest(order);
        assert_eq!(desk.ids(BUY), [second, first]);
        desk.book.check();
    }

    #[test]
    fn a_slot_given_back_is_the_next_one_handed_out() {
        let mut desk = Desk::new(1000);
        desk.place(0, BUY, 5, 100);
        let slot = desk.book.reserve();
        desk.book.release(slot);
        assert_eq!(desk.place(0, BUY, 5, 100).slot(), slot);
    }

    #[test]
    fn a_full_book_says_so() {
        let mut book = Book::new(Price::new(10), 2);
        for number in 1..=2 {
            assert!(!book.is_full());
            let id = OrderId::new(number, book.reserve());
            book.rest(resting(id, 0, SELL, 1, 10));
        }
        assert!(book.is_full());
        book.fill_front(SELL, Qty::new(1));
        assert!(!book.is_full());
    }

    #[test]
    fn prices_at_both_edges_of_the_domain_are_kept() {
        for price_max in [1, 2, 63, 64, 65, 511, 512, 513, 4096, 4097, 262_144, 262_145, 1 << 24] {
            let mut desk = Desk::new(price_max);
            for side in SIDES {
                let (low, high) = (desk.place(0, side, 1, 1), desk.place(0, side, 2, price_max));
                let best = if side == BUY { price_max } else { 1 };
                assert_eq!(desk.book.best(side), Some(Price::new(best)), "{side:?} of 1 to {price_max}");
                assert_eq!(desk.book.levels(side).count(), if price_max == 1 { 1 } else { 2 });
                assert_eq!(desk.book.get(low).map(|order| order.price), Some(Price::new(1)));
                assert_eq!(desk.book.remove(high).map(|order| order.price), Some(Price::new(price_max)));
                assert_eq!(desk.book.best(side), Some(Price::new(1)));
                desk.book.check();
            }
        }
    }

    #[test]
    #[should_panic(expected = "a price outside the domain")]
    fn a_price_beyond_the_domain_is_a_bug_of_the_caller() {
        Desk::new(1000).place(0, BUY, 1, 1001);
    }

    #[test]
    fn the_free_list_survives_encode_and_decode() {
        let mut desk = Desk::new(1000);
        let ids: Vec<OrderId> = (0..6).map(|i| desk.place(i, SELL, 5, 100 + i64::from(i))).collect();
        for i in [4, 1, 3] {
            desk.book.remove(ids[i]);
        }
        let mut copy = reread(&desk.book, 1000);
        copy.check();
        let slots = |book: &mut Book| [(); 4].map(|()| book.reserve());
        assert_eq!(slots(&mut copy), [3, 1, 4, 6]);
        assert_eq!(slots(&mut desk.book), [3, 1, 4, 6]);
    }

    #[test]
    fn the_canonical_form_does_not_depend_on_slots() {
        let (mut one, mut two) = (Desk::new(1000), Desk::new(1000));
        let ids = [&mut one, &mut two].map(|desk| [(); 3].map(|()| desk.place(0, BUY, 5, 100)));
        for i in [0, 1] {
            one.book.remove(ids[0][i]);
            two.book.remove(ids[1][1 - i]);
        }
        one.place(0, BUY, 5, 100);
        two.place(0, BUY, 5, 100);
        let canonical = |book: &Book| {
            let mut w = Writer::canonical();
            book.encode(&mut w);
            w.finish()
        };
        assert_eq!(canonical(&one.book), canonical(&two.book));
        assert_ne!(bytes(&one.book), bytes(&two.book));
    }

    #[test]
    fn orders_of_an_account_come_highest_acceptance_number_first() {
        let mut desk = Desk::new(1000);
        let (a, _) = (desk.place(7, BUY, 1, 5), desk.place(8, BUY, 1, 6));
        let (b, c) = (desk.place(7, SELL, 1, 900), desk.place(7, BUY, 1, 4));
        let order = desk.book.take_out(a).unwrap();
        desk.book.rest(order);
        let before = OrderId::new(1, 1);
        let mut ids = vec![before];
        desk.book.orders_of(AccountId::new(7), &mut ids);
        assert_eq!(ids, [before, c, b, a]);
        desk.book.orders_of(AccountId::new(1_000_000), &mut ids);
        assert_eq!(ids.len(), 4);
    }

    #[test]
    fn impact_is_summed_best_first_and_needs_enough_depth() {
        let mut desk = Desk::new(1000);
        desk.place(0, SELL, 5, 100);
        desk.place(0, SELL, 5, 110);
        assert_eq!(desk.book.impact_sum(SELL, Qty::new(3)), Some(300));
        assert_eq!(desk.book.impact_sum(SELL, Qty::new(7)), Some(720));
        assert_eq!(desk.book.impact_sum(SELL, Qty::new(10)), Some(1050));
        assert_eq!(desk.book.impact_sum(SELL, Qty::new(11)), None);
        assert_eq!(desk.book.impact_sum(BUY, Qty::new(1)), None);
    }

    #[test]
    fn a_book_is_crossed_when_bid_and_ask_meet() {
        let mut desk = Desk::new(1000);
        desk.place(0, BUY, 5, 100);
        let ask = desk.place(0, SELL, 5, 101);
        assert!(!desk.book.is_crossed());
        desk.book.remove(ask);
        desk.place(0, SELL, 5, 100);
        assert!(desk.book.is_crossed());
    }

    /// A small book with queues, two sides and free slots, as bytes.
    fn snapshot() -> Vec<u8> {
        let mut desk = Desk::new(1000);
        let ids = [(BUY, 3), (BUY, 1000), (BUY, 3), (SELL, 1), (SELL, 600), (BUY, 4)].map(|(side, price)| {
            let account = u32::try_from(price >> 3).unwrap();
            desk.place(account, side, 10, price)
        });
        desk.book.remove(ids[1]);
        desk.book.remove(ids[5]);
        bytes(&desk.book)
    }

    /// Does everything that a venue does to a book that it read.
    fn use_up(mut book: Book) {
        book.check();
        let mut ids = vec![];
        for side in SIDES {
            for account in book.orders(side).map(|order| order.account).collect::<Vec<_>>() {
                book.orders_of(account, &mut ids);
            }
            book.impact_sum(side, Qty::new(35));
            book.is_crossed();
        }
        book = reread(&book, 1000);
        for number in 0.. {
            if book.is_full() {
                break;
            }
            let id = OrderId::new((1 << 40) - 1 - number, book.reserve());
            book.rest(resting(id, 1, SIDES[usize::from(number & 1 == 0)], 1, 500));
        }
        for id in ids {
            book.remove(id);
        }
        while let Some(order) = book.front(BUY).or_else(|| book.front(SELL)) {
            book.fill_front(order.side, order.qty);
        }
        book.check();
        assert_eq!(book.len(), 0);
    }

    fn decode(bytes: &[u8]) -> Result<Book, CodecError> {
        Book::decode(Price::new(1000), 8, &mut Reader::new(bytes, "book"))
    }

    #[test]
    fn truncated_bytes_are_refused() {
        let whole = snapshot();
        use_up(decode(&whole).unwrap());
        for length in 0..whole.len() {
            assert!(decode(&whole[..length]).is_err(), "cut to {length} of {} bytes", whole.len());
        }
    }

    #[test]
    fn flipped_bytes_are_refused_or_make_a_sound_book() {
        let whole = snapshot();
        let mut read = 0;
        for i in 0..whole.len() {
            for mask in [1, 2, 128, 255] {
                let mut bytes = whole.clone();
                bytes[i] ^= mask;
                if let Ok(book) = decode(&bytes) {
                    read += 1;
                    use_up(book);
                }
            }
        }
        assert!(read > 0, "some flips only change a number");
    }

    #[test]
    fn what_no_book_writes_is_refused() {
        let order = |number, slot, price: i64, qty: i64| (OrderId::new(number, slot), 1, price, qty);
        let refused = |bids: &[(OrderId, u32, i64, i64)], free: &[u32]| {
            let mut w = Writer::new();
            w.len(bids.len());
            for &(id, account, price, qty) in bids {
                w.order(id);
                w.u32(account);
                w.i64(price);
                w.i64(qty);
                w.bool(false);
            }
            w.len(0);
            w.len(free.len());
            for &slot in free {
                w.u32(slot);
            }
            decode(&w.finish()).map_or_else(|e| e.to_string(), |_| String::new())
        };
        assert_eq!(refused(&[order(1, 0, 5, 1), order(2, 2, 5, 1)], &[1]), "");
        for (bids, free, why) in [
            (vec![order(0, 0, 5, 1)], vec![], "acceptance number 0"),
            (vec![order(1, 0, 0, 1)], vec![], "price 0 is not within"),
            (vec![order(1, 0, 1001, 1)], vec![], "price 1001 is not within"),
            (vec![order(1, 0, 5, 0)], vec![], "quantity 0 is not positive"),
            (vec![order(1, 0, 5, -1)], vec![], "quantity -1 is not positive"),
            (vec![order(1, 0, 5, 1), order(2, 1, 6, 1)], vec![], "better than the one before"),
            (vec![order(1, 0, 5, i64::MAX), order(2, 1, 5, 1)], vec![], "out of range"),
            (vec![order(1, 0, 5, 1), order(2, 0, 5, 1)], vec![], "slot 0 is used twice"),
            (vec![order(1, 0, 5, 1), order(1, 1, 5, 1)], vec![], "have acceptance number 1"),
            (vec![order(1, 1, 5, 1)], vec![], "not below 1"),
            (vec![order(1, 0, 5, 1)], vec![0], "slot 0 is used twice"),
            (vec![order(1, 0, 5, 1)], vec![NO_SLOT], "not below 2"),
            (vec![], (0..9).collect(), "9 slots of orders"),
            (vec![(OrderId::new(1, 0), u32::MAX, 5, 1)], vec![], "no account has number"),
        ] {
            let text = refused(&bids, &free);
            assert!(text.contains(why), "expected '{why}', got '{text}'");
        }
    }

    /// The same rules without any speed.
    #[derive(Default)]
    struct Naive {
        sides: [BTreeMap<i64, VecDeque<Resting>>; 2],
        free: Vec<u32>,
        slots: u32,
    }

    impl Naive {
        fn reserve(&mut self) -> u32 {
            self.free.pop().unwrap_or_else(|| {
                self.slots += 1;
                self.slots - 1
            })
        }

        fn rest(&mut self, order: Resting) {
            self.sides[usize::from(order.side.code())].entry(order.price.get()).or_default().push_back(order);
        }

        fn orders(&self, side: Side) -> Vec<Resting> {
            let levels = self.sides[usize::from(side.code())].values();
            match side {
                BUY => levels.rev().flatten().copied().collect(),
                SELL => levels.flatten().copied().collect(),
            }
        }

        fn take_out(&mut self, id: OrderId) -> Option<Resting> {
            let order = SIDES.iter().flat_map(|&side| self.orders(side)).find(|order| order.id == id)?;
            let side = &mut self.sides[usize::from(order.side.code())];
            let queue = side.get_mut(&order.price.get()).unwrap();
            queue.retain(|order| order.id != id);
            if queue.is_empty() {
                side.remove(&order.price.get());
            }
            Some(order)
        }

        fn remove(&mut self, id: OrderId) -> Option<Resting> {
            let order = self.take_out(id)?;
            self.free.push(id.slot());
            Some(order)
        }

        fn set_qty(&mut self, order: Resting, qty: Qty) {
            let queue = self.sides[usize::from(order.side.code())].get_mut(&order.price.get()).unwrap();
            queue.iter_mut().find(|other| other.id == order.id).unwrap().qty = qty;
        }

        fn fill_front(&mut self, side: Side, qty: Qty) {
            let front = self.orders(side)[0];
            if qty == front.qty {
                self.remove(front.id);
            } else {
                self.set_qty(front, front.qty - qty);
            }
        }
    }

    /// Both books, driven by the same draws.
    struct Pair {
        book: Book,
        naive: Naive,
        random: Random,
        price_max: i64,
        accepted: u64,
        /// Ids ever given, those of orders that are gone included.
        ids: Vec<OrderId>,
        steps: u64,
        /// How often the book was found full and empty.
        extremes: [u32; 2],
    }

    impl Pair {
        const ORDERS_MAX: u32 = 24;

        fn new(seed: u64, price_max: i64) -> Self {
            let book = Book::new(Price::new(price_max), Self::ORDERS_MAX);
            let random = Random(seed);
            let naive = Naive::default();
            Self { book, naive, random, price_max, accepted: 0, ids: vec![], steps: 0, extremes: [0; 2] }
        }

        /// Mostly near the middle, sometimes anywhere.
        fn price(&mut self) -> i64 {
            let middle = (self.price_max >> 1) + 1;
            let around = if self.random.below(4) == 0 { self.price_max } else { 3 };
            self.random.signed((middle - around).max(1), (middle + around).min(self.price_max))
        }

        fn some_id(&mut self) -> OrderId {
            // Of the last forty some rest and some are gone.
            let late = u64::try_from(self.ids.len().min(40)).unwrap();
            if late == 0 {
                return OrderId::new(1, 0);
            }
            self.ids[self.ids.len() - 1 - usize::try_from(self.random.below(late)).unwrap()]
        }

        fn place(&mut self) {
            if self.book.is_full() {
                self.extremes[0] += 1;
                return;
            }
            let slot = self.book.reserve();
            assert_eq!(slot, self.naive.reserve());
            if self.random.below(8) == 0 {
                self.book.release(slot);
                self.naive.free.push(slot);
                return;
            }
            self.accepted += 1;
            let id = OrderId::new(self.accepted, slot);
            let account = u32::try_from(self.random.below(4)).unwrap();
            let (qty, price) = (self.random.signed(1, 9), self.price());
            let order = resting(id, account, self.random.side(), qty, price);
            self.ids.push(id);
            self.book.rest(order);
            self.naive.rest(order);
        }

        fn replace(&mut self) {
            let id = self.some_id();
            let taken = self.book.take_out(id);
            assert_eq!(taken, self.naive.take_out(id));
            if let Some(order) = taken {
                let (price, qty) = (Price::new(self.price()), Qty::new(self.random.signed(1, 9)));
                self.book.rest(Resting { price, qty, ..order });
                self.naive.rest(Resting { price, qty, ..order });
            }
        }

        fn decrease(&mut self) {
            let id = self.some_id();
            if let Some(order) = self.book.get(id) {
                let qty = Qty::new(self.random.signed(1, order.qty.get()));
                self.book.decrease(id, qty);
                self.naive.set_qty(order, qty);
            }
        }

        fn fill(&mut self) {
            let side = self.random.side();
            if let Some(order) = self.book.front(side) {
                let most = order.qty.get();
                let qty = if self.random.below(2) == 0 { most } else { self.random.signed(1, most) };
                self.book.fill_front(side, Qty::new(qty));
                self.naive.fill_front(side, Qty::new(qty));
            } else if self.book.len() == 0 {
                self.extremes[1] += 1;
            }
        }

        fn step(&mut self) {
            // The book grows for a while, then it shrinks.
            self.steps += 1;
            match self.random.below(16) {
                0..=6 if self.steps >> 8 & 1 == 0 => self.place(),
                0..=2 => self.place(),
                7..=10 => {
                    let id = self.some_id();
                    assert_eq!(self.book.remove(id), self.naive.remove(id));
                }
                3..=6 | 11..=12 => self.fill(),
                13 => self.replace(),
                14 => self.decrease(),
                _ if self.random.below(8) == 0 => self.book = reread(&self.book, self.price_max),
                _ => {}
            }
        }

        fn compare(&mut self) {
            let id = self.some_id();
            for side in SIDES {
                let expected = self.naive.orders(side);
                assert!(self.book.orders(side).eq(expected.iter().copied()));
                assert_eq!(self.book.front(side), expected.first().copied());
                assert_eq!(self.book.best(side), expected.first().map(|order| order.price));
                let levels = self.book.levels(side).map(|level| (level.price, level.qty, level.orders));
                let expected = expected.chunk_by(|a, b| a.price == b.price).map(|queue| {
                    let qty = queue.iter().map(|order| order.qty).sum();
                    (queue[0].price, qty, u32::try_from(queue.len()).unwrap())
                });
                assert!(levels.eq(expected));
            }
            let orders = || SIDES.iter().flat_map(|&side| self.naive.orders(side));
            assert_eq!(at(self.book.len()), orders().count());
            let account = AccountId::new(u32::try_from(self.accepted & 3).unwrap());
            let mut expected: Vec<OrderId> =
                orders().filter(|order| order.account == account).map(|order| order.id).collect();
            expected.sort_by_key(|id| core::cmp::Reverse(id.acceptance()));
            let mut ids = vec![];
            self.book.orders_of(account, &mut ids);
            assert_eq!(ids, expected);
            assert_eq!(self.book.get(id), orders().find(|order| order.id == id));
        }
    }

    #[test]
    fn the_book_agrees_with_a_naive_one_after_every_operation() {
        for (seed, price_max) in [(1, 1), (2, 5), (3, 64), (4, 700), (5, 100_000), (6, 1 << 24)] {
            let mut pair = Pair::new(seed, price_max);
            for _ in 0..600 {
                for _ in 0..64 {
                    pair.step();
                    pair.compare();
                }
                pair.book.check();
            }
            assert!(pair.extremes.iter().all(|&count| count > 100), "seed {seed}: {:?}", pair.extremes);
        }
    }
}
