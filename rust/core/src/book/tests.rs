//! The book against a naive one, and its edges.

use super::*;
use crate::codec::{CodecError, Reader, Writer};
use crate::config::Config;
use crate::protocol::POST_ONLY;

/// Accounts that a decoded book may name.
const ACCOUNTS: usize = 1 << 12;
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

/// A market of the example with a price domain and a largest order of its own.
fn market(price_max: i64) -> config::Market {
    let mut config = Config::new(include_str!("../../tests/data/example.json")).unwrap();
    let mut market = config.markets.remove(0);
    (market.price_max, market.order_qty_max) = (Price::new(price_max), Qty::new(1000));
    market
}

/// The book as a venue with ordinary orders uses it.
impl Book {
    fn of(price_max: i64, orders_max: u32) -> Self {
        Self::new(&market(price_max), orders_max)
    }

    fn rest_new(&mut self, order: Resting) {
        self.rest(&arrival(order));
    }

    fn gone(&mut self, id: OrderId) -> Option<Resting> {
        self.remove(id).map(|removed| removed.order)
    }

    fn taken_out(&mut self, id: OrderId) -> Option<Resting> {
        let order = self.get(id)?;
        self.take_out(id);
        Some(order)
    }

    fn fill_front(&mut self, side: Side, qty: Qty) {
        let front = self.front_within(side, i64::MAX).unwrap();
        assert_eq!(Some(self.resting_of(&front)), self.front(side));
        self.fill(&front, qty);
    }

    fn decrease(&mut self, id: OrderId, qty: Qty) {
        let open = self.get(id).unwrap().qty;
        self.cut(id, open - qty);
    }
}

fn arrival(order: Resting) -> Arrival {
    let Resting { id, account, side, price, qty, flags, .. } = order;
    Arrival { id, account, side, price, qty, flags, rare: None, client: 0 }
}

/// A book with its acceptance counter.
struct Desk {
    book: Book,
    accepted: u64,
}

impl Desk {
    fn new(price_max: i64) -> Self {
        Self { book: Book::of(price_max, 100), accepted: 0 }
    }

    fn place(&mut self, account: u32, side: Side, qty: i64, price: i64) -> OrderId {
        self.accepted += 1;
        let id = OrderId::new(self.accepted, self.book.reserve());
        self.book.rest_new(resting(id, account, side, qty, price));
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
    let flags = if id.acceptance() & 1 == 1 { POST_ONLY } else { 0 };
    Resting { id, account, side, price, qty, shown: qty, flags }
}

fn bytes(book: &Book) -> Vec<u8> {
    let mut w = Writer::new();
    book.encode(&mut w);
    w.finish()
}

fn reread(book: &Book, price_max: i64) -> Book {
    let bytes = bytes(book);
    let mut r = Reader::new(&bytes, "book");
    let copy = Book::decode(&market(price_max), book.orders_max, ACCOUNTS, &mut r).unwrap();
    assert_eq!(r.left(), 0);
    copy
}

#[test]
fn cancel_in_mid_queue_keeps_the_followers() {
    let mut desk = Desk::new(1000);
    let ids: Vec<OrderId> = (0..4).map(|i| desk.place(i, BUY, 5, 100)).collect();
    assert_eq!(desk.book.gone(ids[1]).map(|order| order.account), Some(AccountId::new(1)));
    assert_eq!(desk.ids(BUY), [ids[0], ids[2], ids[3]]);
    desk.book.gone(ids[3]);
    desk.book.gone(ids[0]);
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
    desk.book.gone(best);
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
    assert_eq!((desk.book.get(id), desk.book.gone(id), desk.book.taken_out(id)), (None, None, None));
    let mut ids = vec![];
    desk.book.orders_of(AccountId::new(0), &mut ids);
    assert_eq!(ids, []);
    desk.book.check();
}

#[test]
fn an_id_is_not_valid_after_its_slot_is_reused() {
    let mut desk = Desk::new(1000);
    let old = desk.place(0, BUY, 5, 100);
    desk.book.gone(old);
    // Neither while the slot is free nor after; nor are ids that were never given.
    assert_eq!(desk.book.get(OrderId::new(0, old.slot())), None);
    let new = desk.place(0, BUY, 5, 100);
    assert_eq!(new.slot(), old.slot());
    assert_eq!(desk.book.gone(old), None);
    for id in [OrderId::new(0, 0), OrderId::new(2, 1), OrderId::new(2, NO_SLOT), OrderId::from_raw(u64::MAX)]
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
    let order = desk.book.taken_out(first).unwrap();
    assert_eq!(desk.book.get(first), None);
    desk.book.rest_again(&arrival(order));
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
    let mut book = Book::of(10, 2);
    for number in 1..=2 {
        assert!(!book.is_full());
        let id = OrderId::new(number, book.reserve());
        book.rest_new(resting(id, 0, SELL, 1, 10));
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
            assert_eq!(desk.book.gone(high).map(|order| order.price), Some(Price::new(price_max)));
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
        desk.book.gone(ids[i]);
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
        one.book.gone(ids[0][i]);
        two.book.gone(ids[1][1 - i]);
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
    let order = desk.book.taken_out(a).unwrap();
    desk.book.rest_again(&arrival(order));
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
    desk.book.gone(ask);
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
    desk.book.gone(ids[1]);
    desk.book.gone(ids[5]);
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
        let id = OrderId::new((1 << 40) - 2 - number, book.reserve());
        book.rest_new(resting(id, 1, SIDES[usize::from(number & 1 == 0)], 1, 500));
    }
    for id in ids {
        book.gone(id);
    }
    while let Some(order) = book.front(BUY).or_else(|| book.front(SELL)) {
        book.fill_front(order.side, order.qty);
    }
    book.check();
    assert_eq!(book.len(), 0);
}

fn decode(bytes: &[u8]) -> Result<Book, CodecError> {
    Book::decode(&market(1000), 8, ACCOUNTS, &mut Reader::new(bytes, "book"))
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
            w.i64(qty);
            w.u16(0);
            w.option(None);
            w.option(None);
            w.u64(0);
            w.u16(0);
            w.u64(0);
        }
        w.len(0);
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
        (vec![order(1, 0, 5, 0)], vec![], "quantity 0 is not possible"),
        (vec![order(1, 0, 5, -1)], vec![], "quantity -1 is not possible"),
        (vec![order(1, 0, 5, 1), order(2, 1, 6, 1)], vec![], "better than the one before"),
        (vec![order(1, 0, 5, 1001), order(2, 1, 5, 1)], vec![], "quantity 1001 is not possible"),
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
        let order = queue.iter_mut().find(|other| other.id == order.id).unwrap();
        (order.qty, order.shown) = (qty, qty);
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
        let book = Book::of(price_max, Self::ORDERS_MAX);
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
        self.book.rest_new(order);
        self.naive.rest(order);
    }

    fn replace(&mut self) {
        let id = self.some_id();
        let taken = self.book.taken_out(id);
        assert_eq!(taken, self.naive.take_out(id));
        if let Some(order) = taken {
            let (price, qty) = (Price::new(self.price()), Qty::new(self.random.signed(1, 9)));
            let again = Resting { price, qty, shown: qty, ..order };
            self.book.rest_again(&arrival(again));
            self.naive.rest(again);
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
                assert_eq!(self.book.gone(id), self.naive.remove(id));
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
        if self.random.below(4) == 0 {
            self.book.list_orders(account, &mut ids);
        } else {
            self.book.orders_of(account, &mut ids);
        }
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
