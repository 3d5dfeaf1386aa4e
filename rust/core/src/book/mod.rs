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
        self.len() >= self.orders_max
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

    /// Open lots of each of the first `accounts` accounts, counted anew from the orders: buys and sells.
    pub(crate) fn open_lots(&self, accounts: usize) -> Vec<[Qty; 2]> {
        let mut open = vec![[Qty::ZERO; 2]; accounts];
        for order in SIDES.into_iter().flat_map(|side| self.orders(side)) {
            open[order.account.index()][usize::from(order.side.code())] += order.qty;
        }
        open
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
    /// `accounts` is how many there are. Whether quantities are within the market's maximum is for the caller to check.
    ///
    /// # Errors
    /// [`CodecError`] for bytes that no book writes.
    pub(crate) fn decode(
        price_max: Price,
        orders_max: u32,
        accounts: usize,
        r: &mut Reader<'_>,
    ) -> Result<Self, CodecError> {
        let mut orders = Vec::new();
        for side in SIDES {
            Self::decode_side(side, (price_max, accounts), r, &mut orders)?;
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
        bounds: (Price, usize),
        r: &mut Reader<'_>,
        into: &mut Vec<Resting>,
    ) -> Result<(), CodecError> {
        let (price_max, accounts) = bounds;
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
            if account.index() >= accounts {
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
mod tests;
