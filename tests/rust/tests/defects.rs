//! Defects that matching engines are known for, one small example each, against the core venue.
//!
//! Accounts are numbers from 0, orders are named by acceptance number. An event reads as [`text_of`] writes it.

use seawall_core::{Audit, Config, Deltas, Events, MarketId, Record, Reject, Side, Venue};
use seawall_tests::naive::NO_MARKET;
use seawall_tests::naive::words::{command, flag, phase, term};
use seawall_tests::stream::unit;
use serde_json::{Value, json};

const BUY: u8 = 0;
const SELL: u8 = 1;
const IOC: u16 = 1;
const FOK: u16 = 2;
const MARKET: u16 = 3;
/// Self-trade modes as flags of a Place.
const NEWEST: u16 = 1 << 5;
const OLDEST: u16 = 2 << 5;
const BOTH: u16 = 3 << 5;
const DECREMENT: u16 = 4 << 5;
/// No order has this number.
const NOBODY: u64 = 1 << 60;

/// A venue with six accounts, 4 and 5 of one party, and the ids that it gave.
#[derive(Clone)]
struct Desk {
    venue: Venue,
    at: i64,
    ids: Vec<u64>,
}

/// A limit order.
fn limit(account: u32, side: u8, qty: i64, price: i64) -> Record {
    Record { kind: command::PLACE, account, side, qty, price, ..Record::default() }
}

/// An order of another type.
fn typed(code: u16, account: u32, side: u8, qty: i64, price: i64) -> Record {
    Record { code, ..limit(account, side, qty, price) }
}

fn flagged(flags: u16, order: Record) -> Record {
    Record { flags: order.flags | flags, ..order }
}

fn named(client: u64, order: Record) -> Record {
    Record { order: client, ..order }
}

fn index(price: i64) -> Record {
    Record { kind: command::INDEX, price, ..Record::default() }
}

fn set_phase(code: u16) -> Record {
    Record { kind: command::SET_PHASE, code, ..Record::default() }
}

/// A trigger at a price of trades.
fn stop(price: i64) -> (u16, Record) {
    (term::STOP, Record { price, ..Record::default() })
}

fn peak(qty: i64) -> (u16, Record) {
    (term::DISPLAY, Record { qty, ..Record::default() })
}

/// An event in words.
fn text_of(e: &Record) -> String {
    let order = format!("#{}", e.order >> 24);
    let lots = format!("{} @ {}", e.qty, e.price);
    let side = if e.side == BUY { "buy" } else { "sell" };
    let reasons = [
        "?",
        "user",
        "rest",
        "liquidation",
        "breaker",
        "expired",
        "reduce",
        "self-trade",
        "refused",
        "leg",
        "requoted",
        "operator",
    ];
    match e.kind {
        100 => {
            let name = Reject::ALL.iter().find(|r| r.code() == e.code);
            format!("refused {}", name.map_or_else(|| e.code.to_string(), |r| format!("{r:?}")))
        }
        110 => format!("phase {}", e.code),
        200 if e.flags & flag::WAITS != 0 => format!("waits {order} {side} {lots}"),
        200 => format!("accepted {order} {side} {lots}"),
        201 => format!("triggered {order} @ {}", e.price),
        202 => format!("cancelled {order} {} {}", e.qty, reasons[usize::from(e.code)]),
        203 => format!("replaced {order} {lots} {}", if e.flags == 1 { "kept" } else { "moved" }),
        204 => format!("shown {order} {} and {}", e.qty, e.amount),
        205 => format!("armed {order}"),
        210 => format!("fill {order} {lots}"),
        300 => format!("uncrossed {lots}"),
        400 => format!("marked {}", e.price),
        other => format!("event {other}"),
    }
}

impl Desk {
    /// The first market of the unit configuration, bare, with hashed client ids.
    fn new() -> Self {
        Self::with(|_| {})
    }

    /// The same with margin, and an index of 100.
    fn cleared() -> Self {
        let mut desk = Self::with(|config| config["markets"][0]["cleared"] = json!(true));
        assert_eq!(desk.send(index(100)), ["marked 100"]);
        desk
    }

    fn pro_rata(top_order: bool) -> Self {
        Self::with(|config| {
            config["markets"][0]["allocation"] =
                json!({"type": "pro_rata", "top_order": top_order, "lead": [], "fifo_ppm": 0, "minimum": 1});
        })
    }

    fn with(change: impl FnOnce(&mut Value)) -> Self {
        let mut config = unit();
        config["markets"][0]["cleared"] = json!(false);
        config["markets"][0]["client_ids"] = json!("hashed");
        change(&mut config);
        let mut venue = Venue::new(Config::new(&config.to_string()).expect("a valid configuration"));
        venue.set_audit(Audit::Full);
        let mut desk = Self { venue, at: 1, ids: vec![0] };
        for (account, group) in (0..).zip([0, 0, 0, 0, 9, 9]) {
            let (market, amount) = (NO_MARKET, 100_000);
            desk.send(Record { kind: command::OPEN_ACCOUNT, market, order: group, ..Record::default() });
            desk.send(Record { kind: command::DEPOSIT, market, account, amount, ..Record::default() });
        }
        desk
    }

    fn events(&mut self, command: Record) -> Vec<Record> {
        let mut events = Events::new();
        self.venue.apply_record(&Record { at: self.at, ..command }, &mut events);
        let new = events.as_slice().iter().filter(|e| e.kind == 200).map(|e| e.order);
        for id in new {
            if id >> 24 == self.ids.len() as u64 {
                self.ids.push(id);
            }
        }
        events.into_vec()
    }

    fn send(&mut self, command: Record) -> Vec<String> {
        self.events(command).iter().map(text_of).collect()
    }

    /// Sends an order after its terms.
    fn send_with<const N: usize>(&mut self, terms: [(u16, Record); N], order: Record) -> Vec<String> {
        self.say(terms, &order);
        self.send(order)
    }

    fn say<const N: usize>(&mut self, terms: [(u16, Record); N], order: &Record) {
        for (code, value) in terms {
            let (kind, account) = (command::TERM, order.account);
            assert_eq!(self.send(Record { kind, account, code, ..value }), [""; 0]);
        }
    }

    /// Sends orders of which nothing but that they rest is of interest.
    fn rest<const N: usize>(&mut self, orders: [Record; N]) {
        for order in orders {
            let said = self.send(order);
            assert!(said.len() == 1 && said[0].starts_with("accepted"), "{said:?}");
        }
    }

    fn id(&self, acceptance: u64) -> u64 {
        usize::try_from(acceptance).ok().and_then(|n| self.ids.get(n)).copied().unwrap_or(acceptance)
    }

    fn cancel(&self, account: u32, acceptance: u64) -> Record {
        let order = self.id(acceptance);
        Record { kind: command::CANCEL, account, order, ..Record::default() }
    }

    fn replace(&self, account: u32, acceptance: u64, qty: i64, price: i64) -> Record {
        let order = self.id(acceptance);
        Record { kind: command::REPLACE, account, order, qty, price, ..Record::default() }
    }

    fn leg(&self, acceptance: u64) -> (u16, Record) {
        (term::OTHER_LEG, Record { order: self.id(acceptance), ..Record::default() })
    }

    /// Price and shown lots of a side.
    fn depth(&self, side: u8) -> Vec<(i64, i64)> {
        let side = if side == BUY { Side::Buy } else { Side::Sell };
        self.venue
            .depth(MarketId::new(0), side, 100_000)
            .iter()
            .map(|l| (l.price.get(), l.qty.get()))
            .collect()
    }

    fn snapshot(&mut self) {
        self.venue = Venue::restore(&self.venue.snapshot()).expect("its own snapshot");
        self.venue.set_audit(Audit::Full);
    }

    /// A command is refused with a code and leaves the state that a command of no known kind leaves.
    fn refuses(&mut self, label: &str, command: Record, code: Reject) {
        let mut other = self.clone();
        other.send(Record { kind: 99, ..Record::default() });
        assert_eq!(self.send(command), [format!("refused {code:?}")], "{label}");
        assert_eq!(self.venue.digest(), other.venue.digest(), "{label} left a trace");
    }
}

/// The limits of the unit configuration with so many orders, and fired orders sent in a step.
fn limits(orders_max: i64, triggers_per_step: i64) -> Value {
    let mut limits = unit()["limits"].clone();
    limits["orders_max"] = json!(orders_max);
    limits["triggers_per_step"] = json!(triggers_per_step);
    limits
}

/// The fills of an order among events in words.
fn filled(events: &[String], acceptance: u64) -> i64 {
    let begin = format!("fill #{acceptance} ");
    let lots = events.iter().filter_map(|e| e.strip_prefix(&begin)?.split(' ').next()?.parse::<i64>().ok());
    lots.sum()
}

#[test]
fn a_trade_has_the_price_of_the_resting_order() {
    let mut desk = Desk::new();
    desk.rest([limit(0, SELL, 5, 100)]);
    let events = desk.send(limit(1, BUY, 3, 105));
    assert_eq!(events, ["accepted #2 buy 3 @ 105", "fill #1 3 @ 100", "fill #2 3 @ 100"]);
}

#[test]
fn nothing_fills_beyond_its_own_limit() {
    let mut desk = Desk::new();
    desk.rest([limit(0, SELL, 1, 100), limit(0, SELL, 1, 101), limit(0, SELL, 1, 102)]);
    let events = desk.send(limit(1, BUY, 3, 101));
    assert_eq!(filled(&events, 4), 2);
    assert_eq!((desk.depth(BUY), desk.depth(SELL)), (vec![(101, 1)], vec![(102, 1)]));
}

#[test]
fn the_rest_of_an_immediate_order_never_rests() {
    let mut desk = Desk::new();
    desk.rest([limit(0, SELL, 2, 100)]);
    let events = desk.send(typed(IOC, 1, BUY, 5, 100));
    assert_eq!(events[3..], ["cancelled #2 3 rest"]);
    assert_eq!(desk.send(typed(MARKET, 1, BUY, 5, 0)), ["accepted #3 buy 5 @ 0", "cancelled #3 5 rest"]);
    assert_eq!((desk.depth(BUY), desk.depth(SELL)), (vec![], vec![]));
}

#[test]
fn a_replace_that_crosses_trades() {
    let mut desk = Desk::new();
    desk.rest([limit(0, SELL, 5, 102), limit(1, BUY, 3, 100)]);
    let replace = desk.replace(1, 2, 7, 103);
    let events = desk.send(replace);
    assert_eq!(events, ["replaced #2 7 @ 103 moved", "fill #1 5 @ 102", "fill #2 5 @ 102"]);
    assert_eq!((desk.depth(BUY), desk.depth(SELL)), (vec![(103, 2)], vec![]));
}

#[test]
fn a_cancel_in_the_queue_keeps_its_followers() {
    let mut desk = Desk::new();
    desk.rest([
        limit(0, SELL, 1, 100),
        limit(1, SELL, 1, 100),
        limit(2, SELL, 1, 100),
        limit(3, SELL, 1, 100),
    ]);
    assert_eq!(desk.send(desk.cancel(1, 2)), ["cancelled #2 1 user"]);
    assert_eq!(desk.depth(SELL), [(100, 3)]);
    let events = desk.send(limit(4, BUY, 3, 100));
    let makers = [1, 3, 4].map(|n| format!("fill #{n} 1 @ 100"));
    assert_eq!([&events[1], &events[3], &events[5]], [&makers[0], &makers[1], &makers[2]]);
}

#[test]
fn an_emptied_level_is_gone() {
    let mut desk = Desk::new();
    desk.rest([limit(0, SELL, 2, 100), limit(0, SELL, 2, 101), limit(0, SELL, 2, 103)]);
    desk.send(limit(1, BUY, 2, 100));
    assert_eq!(desk.depth(SELL), [(101, 2), (103, 2)]);
    desk.send(desk.cancel(0, 2));
    assert_eq!(desk.depth(SELL), [(103, 2)]);
    let replace = desk.replace(0, 3, 2, 105);
    desk.send(replace);
    assert_eq!(desk.depth(SELL), [(105, 2)]);
    assert_eq!(desk.venue.best(MarketId::new(0), Side::Sell).map(seawall_core::Price::get), Some(105));
}

#[test]
fn a_partial_fill_keeps_its_place_and_lowers_depth() {
    let mut desk = Desk::new();
    desk.rest([limit(0, SELL, 5, 100), limit(1, SELL, 5, 100)]);
    desk.send(limit(2, BUY, 2, 100));
    assert_eq!(desk.depth(SELL), [(100, 8)]);
    let events = desk.send(limit(2, BUY, 4, 100));
    assert_eq!((filled(&events, 1), filled(&events, 2)), (3, 1));
    assert_eq!(desk.depth(SELL), [(100, 4)]);
}

#[test]
fn a_filled_order_cannot_be_cancelled() {
    let mut desk = Desk::new();
    desk.rest([named(7, limit(0, SELL, 5, 100))]);
    desk.send(limit(1, BUY, 5, 100));
    let (cancel, replace) = (desk.cancel(0, 1), desk.replace(0, 1, 4, 100));
    let by_name = Record { order: 7, flags: 1, ..cancel };
    desk.refuses("a late cancel", cancel, Reject::UnknownOrder);
    desk.refuses("a late cancel by client id", by_name, Reject::UnknownOrder);
    desk.refuses("a late replace", replace, Reject::UnknownOrder);
    desk.refuses("a late cancel of the incoming order", desk.clone().cancel(1, 2), Reject::UnknownOrder);
}

#[test]
fn the_id_of_an_order_that_ended_never_names_another() {
    let mut desk = Desk::new();
    desk.rest([limit(0, SELL, 1, 100)]);
    desk.send(desk.cancel(0, 1));
    // The second may have the slot of the first, and trades; the third may have it again.
    desk.rest([limit(0, SELL, 1, 100)]);
    desk.send(limit(1, BUY, 1, 100));
    desk.rest([limit(0, SELL, 1, 100)]);
    for old in [1, 2] {
        desk.refuses("an old id", desk.clone().cancel(0, old), Reject::UnknownOrder);
        desk.refuses("an old id", desk.clone().replace(0, old, 1, 100), Reject::UnknownOrder);
    }
    assert_eq!(desk.send(desk.cancel(0, 4)), ["cancelled #4 1 user"]);
}

#[test]
fn a_client_id_is_free_after_every_end_of_its_order() {
    for ids in [json!("hashed"), json!({"dense": {"max": 8}})] {
        let mut desk = Desk::with(|config| config["markets"][0]["client_ids"] = ids.clone());
        let order = named(8, limit(0, SELL, 2, 100));
        for end in ["cancel", "fill", "replace and fill", "operator", "expiry", "self-trade"] {
            if end == "expiry" {
                let amount = desk.at + 1;
                desk.say([(term::EXPIRY, Record { amount, ..Record::default() })], &order);
            }
            let said = desk.send(order);
            assert!(said[0].starts_with("accepted"), "after {end} with {ids}: {said:?}");
            let newest = desk.ids.len() as u64 - 1;
            let price = 99;
            let command = match end {
                "cancel" => Record { flags: 1, order: 8, ..desk.cancel(0, newest) },
                "fill" => limit(1, BUY, 2, 100),
                "replace and fill" => {
                    let moved = Record { flags: 1, order: 8, ..desk.replace(0, newest, 2, price) };
                    assert_eq!(desk.send(moved).len(), 1);
                    limit(1, BUY, 2, 100)
                }
                "operator" => Record { kind: command::CANCEL_ALL, account: u32::MAX, ..Record::default() },
                "self-trade" => flagged(BOTH, limit(0, BUY, 1, 100)),
                _ => {
                    desk.at += 1;
                    Record { kind: command::PULSE, market: NO_MARKET, ..Record::default() }
                }
            };
            desk.send(command);
            assert_eq!(desk.depth(SELL), [], "{end}");
        }
    }
}

#[test]
fn fill_or_kill_is_judged_on_every_level() {
    let mut desk = Desk::new();
    desk.rest([
        limit(0, SELL, 2, 100),
        limit(0, SELL, 2, 101),
        flagged(flag::HIDDEN, limit(0, SELL, 2, 102)),
    ]);
    desk.refuses("too many lots", typed(FOK, 1, BUY, 7, 102), Reject::NotFillable);
    desk.refuses("too low a limit", typed(FOK, 1, BUY, 5, 101), Reject::NotFillable);
    let events = desk.send(typed(FOK, 1, BUY, 5, 102));
    assert_eq!(filled(&events, 4), 5);
    assert_eq!(events.len(), 7);
}

#[test]
fn fill_or_kill_counts_no_peak_that_comes_after_an_own_order() {
    // Two lots are shown, then the own order would end the match: the seven behind come too late.
    let mut desk = Desk::new();
    desk.send_with([peak(2)], limit(0, SELL, 9, 100));
    desk.rest([limit(4, SELL, 3, 100)]);
    for mode in [NEWEST, BOTH, DECREMENT] {
        let order = flagged(mode, typed(FOK, 5, BUY, 3, 100));
        desk.refuses("three lots", order, Reject::NotFillable);
    }
    let events = desk.send(flagged(OLDEST, typed(FOK, 5, BUY, 9, 100)));
    assert_eq!(filled(&events, 3), 9);
}

#[test]
fn a_minimum_does_not_count_the_other_leg_of_the_order() {
    // Its first trade takes the other leg away.
    let mut desk = Desk::new();
    desk.rest([limit(0, SELL, 1, 100), limit(1, SELL, 5, 101)]);
    let order = limit(1, BUY, 6, 101);
    let minimum = (term::MINIMUM, Record { qty: 2, ..Record::default() });
    desk.say([minimum, desk.clone().leg(2)], &order);
    assert_eq!(desk.send(order), ["refused NotFillable"]);
}

#[test]
fn an_order_that_a_breaker_ends_takes_its_other_leg_along() {
    let mut desk = Desk::with(|config| {
        config["breakers"] = json!([seawall_tests::halt("halt", &[0], "trade", 50_000, 1000, 1000)]);
    });
    desk.rest([limit(0, SELL, 1, 100)]);
    desk.send(limit(2, BUY, 1, 100));
    let (mut feed, mut changes) = (Deltas::new(), Vec::new());
    for resting in [limit(0, SELL, 5, 110), limit(1, BUY, 3, 99)] {
        feed.update(&desk.events(resting), &mut changes);
    }
    changes.clear();
    let order = limit(1, BUY, 5, 110);
    desk.say([desk.clone().leg(4)], &order);
    let events = desk.events(order);
    feed.update(&events, &mut changes);
    let changes: Vec<(i64, i64)> = changes.iter().map(|d| (d.price.get(), d.qty.get())).collect();
    assert_eq!(changes, [(99, 0)], "what never rested was never shown");
    let events: Vec<String> = events.iter().map(text_of).collect();
    assert_eq!(events[0], "accepted #5 buy 5 @ 110");
    assert_eq!(events[events.len() - 2..], ["cancelled #5 5 breaker", "cancelled #4 3 leg"]);
    assert_eq!(desk.depth(BUY), []);
}

#[test]
fn orders_of_one_price_fill_in_the_order_of_their_arrival() {
    let mut desk = Desk::new();
    for _ in 0..20 {
        desk.rest([limit(0, SELL, 1, 100)]);
    }
    for n in [20, 1, 10, 11, 19] {
        desk.send(desk.cancel(0, n));
    }
    desk.rest([limit(0, SELL, 1, 100)]);
    let events = desk.events(limit(1, BUY, 16, 100));
    let makers: Vec<u64> =
        events.iter().filter(|e| e.kind == 210 && e.account == 0).map(|e| e.order >> 24).collect();
    assert_eq!(makers, [2, 3, 4, 5, 6, 7, 8, 9, 12, 13, 14, 15, 16, 17, 18, 21]);
}

#[test]
fn no_fill_has_zero_lots() {
    // Shares of less than a lot, orders cut to nothing and own orders taken off: no empty fill, no empty cancel.
    let mut desk = Desk::pro_rata(false);
    for account in [0, 1, 2, 3, 4, 0, 1, 2, 3, 4] {
        desk.rest([limit(account, SELL, 1, 100)]);
    }
    let mut events = desk.events(flagged(DECREMENT, limit(5, BUY, 4, 100)));
    events.extend(desk.events(flagged(OLDEST, limit(5, BUY, 100, 100))));
    assert!(events.iter().filter(|e| e.kind == 210).count() >= 8);
    let mut desk = Desk::cleared();
    desk.send(limit(0, SELL, 2, 100));
    desk.send(limit(1, BUY, 2, 100));
    for price in [101, 102] {
        desk.send(flagged(flag::REDUCE_ONLY, limit(1, SELL, 2, price)));
    }
    events.extend(desk.events(limit(2, BUY, 5, 102)));
    assert!(events.iter().all(|e| e.qty > 0), "{events:?}");
}

#[test]
fn a_sweep_through_a_large_book_ends() {
    const LEVELS: i64 = 20_000;
    let mut desk = Desk::with(|config| {
        config["limits"] = limits(2 * LEVELS, 1);
        config["markets"][0]["price_max"] = json!(LEVELS);
        config["markets"][0]["order_qty_max"] = json!(10 * LEVELS);
    });
    desk.venue.set_audit(Audit::Cheap);
    for price in 1..=LEVELS {
        desk.rest([limit(0, SELL, 1, price), limit(0, SELL, 1, LEVELS)]);
    }
    let events = desk.send(typed(IOC, 1, BUY, 2 * LEVELS, LEVELS));
    assert_eq!(events[0], "accepted #40001 buy 40000 @ 20000");
    assert_eq!(events.len(), 1 + 4 * usize::try_from(LEVELS).expect("small"));
    assert_eq!((desk.depth(BUY), desk.depth(SELL)), (vec![], vec![]));
}

#[test]
fn a_full_book_refuses_and_drops_nothing() {
    let mut desk = Desk::with(|config| config["limits"]["orders_max"] = json!(3));
    desk.rest([limit(0, BUY, 1, 90), limit(0, BUY, 1, 91)]);
    desk.send_with([stop(110)], limit(0, BUY, 1, 110));
    desk.refuses("a fourth order", limit(1, BUY, 1, 92), Reject::BookFull);
    desk.refuses("one that would trade", limit(1, SELL, 1, 90), Reject::BookFull);
    assert_eq!(desk.send(typed(IOC, 1, SELL, 1, 91)).len(), 3);
    for n in [1, 3] {
        assert_eq!(desk.send(desk.cancel(0, n)), [format!("cancelled #{n} 1 user")]);
    }
    assert_eq!((desk.depth(BUY), desk.depth(SELL)), (vec![], vec![]));
}

#[test]
fn both_edges_of_the_prices_trade() {
    const HIGHEST: i64 = 10_000;
    for (price, side) in [(1, SELL), (1, BUY), (HIGHEST, SELL), (HIGHEST, BUY)] {
        let mut desk = Desk::new();
        desk.rest([limit(0, side, 2, price)]);
        assert_eq!(filled(&desk.send(limit(1, 1 - side, 1, price)), 1), 1);
        assert_eq!(desk.depth(side), [(price, 1)]);
        // Nothing is short of a sell at 1 or of a buy at the highest price.
        let slides = flagged(flag::POST_ONLY | flag::SLIDE, limit(1, 1 - side, 1, price));
        if (price == 1) == (side == SELL) {
            desk.refuses("slides out", slides, Reject::WouldTake);
        } else {
            assert_eq!(desk.send(slides).len(), 1);
        }
        for price in [0, -1, HIGHEST + 1, i64::MAX, i64::MIN] {
            desk.refuses("outside", limit(1, side, 1, price), Reject::PriceOutOfRange);
        }
    }
}

#[test]
fn a_protection_at_the_edge_of_the_prices_stays_inside() {
    let mut desk = Desk::new();
    desk.rest([limit(0, BUY, 1, 2), limit(0, BUY, 1, 1)]);
    let ticks = (term::PROTECTION_TICKS, Record { price: 10_000, ..Record::default() });
    let events = desk.send_with([ticks], typed(MARKET, 1, SELL, 3, 0));
    assert_eq!((filled(&events, 3), events.len()), (2, 6));
    desk.rest([limit(0, BUY, 1, 1)]);
    let whole = (term::PROTECTION_PPM, Record { amount: 1_000_000, ..Record::default() });
    assert_eq!(filled(&desk.send_with([whole], typed(MARKET, 1, SELL, 3, 0)), 5), 1);
}

#[test]
fn every_match_ends() {
    // Two icebergs of one lot, in the book and in an auction; a market order without an opposite side.
    let mut desk = Desk::new();
    desk.send_with([peak(1)], limit(0, SELL, 1000, 100));
    let events = desk.send_with([peak(1)], limit(1, BUY, 1000, 100));
    assert_eq!((filled(&events, 2), desk.depth(SELL)), (1000, vec![]));
    desk.send(set_phase(phase::CALL_AUCTION));
    desk.send_with([peak(1)], limit(0, SELL, 1000, 100));
    desk.send_with([peak(1)], limit(1, BUY, 999, 100));
    let events = desk.send(set_phase(phase::CONTINUOUS));
    assert_eq!((filled(&events, 3), filled(&events, 4), desk.depth(SELL)), (999, 999, vec![(100, 1)]));
    assert_eq!(desk.send(typed(MARKET, 1, SELL, 1, 0)).len(), 2);
    for mode in [0, NEWEST, OLDEST, BOTH, DECREMENT] {
        let events = desk.send(flagged(mode, limit(0, BUY, 1, 100)));
        assert!(events.len() < 4, "{events:?}");
        desk.send(Record { kind: command::CANCEL_ALL, account: u32::MAX, ..Record::default() });
        desk.rest([limit(0, SELL, 1, 100)]);
    }
}

#[test]
fn a_cascade_of_stops_goes_on_step_by_step() {
    // Each stop sells one lot further down, which fires the next one.
    const STOPS: i64 = 50;
    let mut desk = Desk::with(|config| config["limits"] = limits(200, 20));
    for n in 0..=STOPS {
        desk.rest([limit(0, BUY, 1, 100 - n)]);
    }
    for n in 0..STOPS {
        let said = desk.send_with([stop(100 - n)], typed(MARKET, 1, SELL, 1, 0));
        assert!(said[0].starts_with("waits"), "{said:?}");
    }
    let pulse = Record { kind: command::PULSE, market: NO_MARKET, ..Record::default() };
    let mut sent = Vec::new();
    for command in [typed(MARKET, 2, SELL, 1, 0), pulse, pulse, pulse] {
        let events = desk.send(command);
        let triggered: Vec<String> = events.into_iter().filter(|e| e.starts_with("triggered")).collect();
        sent.push(triggered.len());
        if let Some(first) = triggered.first() {
            let before: i64 = sent[..sent.len() - 1].iter().map(|&n| i64::try_from(n).expect("small")).sum();
            assert_eq!(*first, format!("triggered #{} @ {}", 52 + before, 100 - before));
        }
    }
    assert_eq!((sent, desk.depth(BUY)), (vec![20, 20, 10, 0], vec![]));
}

#[test]
fn a_cascade_of_thousands_of_stops_does_not_recurse() {
    const STOPS: i64 = 20_000;
    let mut desk = Desk::with(|config| {
        config["limits"] = limits(2 * STOPS + 2, STOPS);
        config["markets"][0]["price_max"] = json!(STOPS + 1);
    });
    desk.venue.set_audit(Audit::Cheap);
    for price in 1..=STOPS + 1 {
        desk.rest([limit(0, BUY, 1, price)]);
    }
    for price in 2..=STOPS + 1 {
        desk.send_with([stop(price)], typed(MARKET, 1, SELL, 1, 0));
    }
    let events = desk.send(typed(MARKET, 2, SELL, 1, 0));
    let triggered = events.iter().filter(|e| e.starts_with("triggered")).count();
    assert_eq!(i64::try_from(triggered).expect("small"), STOPS);
    assert_eq!(desk.depth(BUY), []);
}

#[test]
fn fill_or_kill_is_refused_where_self_trade_prevention_would_stop_it() {
    let mut desk = Desk::new();
    desk.rest([limit(0, SELL, 2, 100), limit(4, SELL, 2, 100), limit(0, SELL, 2, 101)]);
    let order = |mode, qty| flagged(mode, typed(FOK, 5, BUY, qty, 101));
    for mode in [NEWEST, BOTH, DECREMENT] {
        desk.refuses("three lots", order(mode, 3), Reject::NotFillable);
        let mut other = desk.clone();
        assert_eq!(other.send(order(mode, 2)).len(), 3);
    }
    desk.refuses("five lots", order(OLDEST, 5), Reject::NotFillable);
    let mut other = desk.clone();
    let events = other.send(order(OLDEST, 4));
    assert_eq!((filled(&events, 4), &events[3][..]), (4, "cancelled #2 2 self-trade"));
    // Without prevention the party trades with itself.
    assert_eq!(filled(&desk.send(order(0, 6)), 4), 6);
}

#[test]
fn post_only_looks_at_own_orders_as_at_any_other() {
    let mut desk = Desk::new();
    desk.rest([limit(0, SELL, 2, 100)]);
    for mode in [0, NEWEST, OLDEST, BOTH, DECREMENT] {
        let order = flagged(mode | flag::POST_ONLY, limit(0, BUY, 1, 100));
        desk.refuses("post-only", order, Reject::WouldTake);
        let mut other = desk.clone();
        assert_eq!(other.send(flagged(flag::SLIDE, order)), ["accepted #2 buy 1 @ 99"]);
    }
    // A hidden order is in the way as well.
    desk.rest([flagged(flag::HIDDEN, limit(0, SELL, 1, 98))]);
    desk.refuses("post-only", flagged(flag::POST_ONLY, limit(1, BUY, 1, 98)), Reject::WouldTake);
    assert_eq!(desk.send(flagged(5, limit(1, BUY, 1, 99))), ["accepted #3 buy 1 @ 97"]);
}

#[test]
fn an_iceberg_fills_what_it_was_placed_for() {
    let mut desk = Desk::new();
    assert_eq!(
        desk.send_with([peak(3)], limit(0, SELL, 10, 100)),
        ["accepted #1 sell 10 @ 100", "shown #1 3 and 7"]
    );
    desk.rest([limit(1, SELL, 1, 100)]);
    assert_eq!(desk.depth(SELL), [(100, 4)]);
    let mut total = 0;
    let events = desk.send(typed(IOC, 2, BUY, 2, 100));
    total += filled(&events, 1);
    assert_eq!((total, desk.depth(SELL)), (2, vec![(100, 2)]));
    // The last lot of the peak, the order behind it, then the next peaks.
    let events = desk.send(typed(IOC, 2, BUY, 6, 100));
    assert_eq!(
        events[1..],
        [
            "fill #1 1 @ 100",
            "fill #4 1 @ 100",
            "shown #1 3 and 4",
            "fill #2 1 @ 100",
            "fill #4 1 @ 100",
            "fill #1 3 @ 100",
            "fill #4 3 @ 100",
            "shown #1 3 and 1",
            "fill #1 1 @ 100",
            "fill #4 1 @ 100",
        ]
    );
    total += filled(&events, 1);
    // A decrease takes lots behind first, then shown ones.
    let decrease = desk.replace(0, 1, 2, 100);
    assert_eq!(desk.send(decrease), ["replaced #1 2 @ 100 kept"]);
    assert_eq!((total, desk.depth(SELL)), (7, vec![(100, 2)]));
    assert_eq!(desk.send(desk.cancel(0, 1)), ["cancelled #1 2 user"]);
}

#[test]
fn a_reduce_only_order_is_cut_when_it_is_met() {
    // Account 1 is long 4 and offers 4 twice; the first is met after two lots were sold elsewhere.
    let mut desk = Desk::cleared();
    desk.send(limit(0, SELL, 4, 100));
    desk.send(limit(1, BUY, 4, 100));
    desk.rest([101, 102].map(|price| flagged(flag::REDUCE_ONLY, limit(1, SELL, 4, price))));
    desk.rest([limit(2, BUY, 2, 99)]);
    desk.send(limit(1, SELL, 2, 99));
    let events = desk.send(limit(2, BUY, 5, 102));
    assert_eq!(
        events,
        [
            "accepted #7 buy 5 @ 102",
            "cancelled #3 2 reduce",
            "fill #3 2 @ 101",
            "fill #7 2 @ 101",
            "cancelled #4 4 reduce",
        ]
    );
    assert_eq!(desk.depth(SELL), []);
    let flat = flagged(flag::REDUCE_ONLY, limit(1, SELL, 1, 100));
    desk.refuses("nothing to reduce", flat, Reject::NotReducing);
}

#[test]
fn a_snapshot_keeps_the_queue() {
    for pro_rata in [false, true] {
        let mut desk = if pro_rata { Desk::pro_rata(true) } else { Desk::new() };
        desk.rest([limit(0, SELL, 3, 100)]);
        desk.send_with([peak(2)], limit(1, SELL, 8, 100));
        desk.rest([flagged(flag::HIDDEN, limit(2, SELL, 4, 100)), limit(3, SELL, 5, 100)]);
        // The iceberg loses its place, and an order that waits is tied to one that rests.
        desk.send(typed(IOC, 4, BUY, 5, 100));
        desk.send_with([stop(101), desk.clone().leg(4)], typed(MARKET, 3, BUY, 1, 0));
        let trail = (term::TRAILING, Record { price: 2, flags: 2, ..Record::default() });
        desk.send_with([trail], typed(MARKET, 2, SELL, 1, 0));
        desk.send(index(103));
        desk.rest([limit(0, SELL, 2, 100), limit(1, SELL, 1, 102), limit(0, BUY, 5, 90)]);
        let mut copy = desk.clone();
        copy.snapshot();
        assert_eq!(copy.venue.digest(), desk.venue.digest());
        for command in [limit(4, BUY, 4, 100), index(101), limit(4, BUY, 30, 102), index(110)] {
            assert_eq!(copy.events(command), desk.events(command), "{command:?}");
            copy.snapshot();
        }
        assert_eq!(copy.venue.digest(), desk.venue.digest());
    }
}

#[test]
fn a_snapshot_keeps_a_client_id_that_the_market_does_not_read() {
    let mut desk = Desk::with(|config| config["markets"][0]["client_ids"] = json!("none"));
    desk.rest([named(7, limit(0, BUY, 1, 90))]);
    desk.send_with([stop(110)], named(7, typed(MARKET, 1, BUY, 1, 0)));
    let digest = desk.venue.digest();
    desk.snapshot();
    assert_eq!(desk.venue.digest(), digest);
    let events = desk.events(Record { kind: command::CANCEL_ALL, account: u32::MAX, ..Record::default() });
    assert_eq!(events.len(), 2);
}

#[test]
fn a_trailing_stop_works_more_than_once() {
    let mut desk = Desk::new();
    desk.rest([limit(0, BUY, 9, 50)]);
    let trail = (term::TRAILING, Record { price: 5, flags: 2, ..Record::default() });
    desk.send(index(100));
    for n in 0..3 {
        desk.send_with([trail], typed(MARKET, 1, SELL, 1, 0));
        // Up, back by less than the offset, up again, back by the offset.
        for price in [103, 99, 110, 106] {
            assert_eq!(desk.send(index(price)), [format!("marked {price}")]);
        }
        let order = 2 + n;
        let events = desk.send(index(105));
        assert_eq!(events[1], format!("triggered #{order} @ 105"));
        assert_eq!(filled(&events, order), 1);
        desk.send(index(100));
    }
}

#[test]
fn a_top_order_that_moved_is_top_no_more() {
    // The second order had the best price, then went back behind the first.
    let mut desk = Desk::pro_rata(true);
    desk.rest([limit(0, SELL, 8, 100), limit(1, SELL, 8, 99)]);
    let replace = desk.replace(1, 2, 8, 100);
    desk.send(replace);
    let events = desk.send(limit(2, BUY, 8, 100));
    assert_eq!((filled(&events, 1), filled(&events, 2)), (4, 4));
}

#[test]
fn wrong_input_is_refused_and_leaves_no_trace() {
    let mut desk = Desk::cleared();
    desk.rest([named(5, limit(0, SELL, 5, 101)), limit(1, BUY, 5, 99)]);
    desk.send(limit(2, BUY, 1, 101));
    desk.at = 10;
    desk.send(Record { kind: command::PULSE, market: NO_MARKET, ..Record::default() });
    let [foreign, unknown] = [desk.replace(1, 1, 4, 102), desk.replace(0, NOBODY, 4, 102)];
    let strange = Record { order: foreign.order ^ 1, account: 0, ..foreign };
    let block =
        Record { kind: command::BLOCK, account: 0, order: 1, price: 100, qty: 1, ..Record::default() };
    let quote =
        Record { kind: command::QUOTE, account: 3, price: 90, qty: 1, amount: 110, order: 1, ..block };
    let rows = [
        ("a second order of a client id", named(5, limit(0, SELL, 1, 105)), Reject::DuplicateClientId),
        (
            "the same for an order that would not rest",
            named(5, typed(IOC, 0, SELL, 1, 105)),
            Reject::DuplicateClientId,
        ),
        ("a replace of another's order", foreign, Reject::NotYourOrder),
        ("a cancel of another's order", desk.cancel(1, 1), Reject::NotYourOrder),
        ("a replace of no order", unknown, Reject::UnknownOrder),
        ("an id with another slot", strange, Reject::UnknownOrder),
        ("a client id of another", Record { order: 5, flags: 1, ..desk.cancel(1, 1) }, Reject::UnknownOrder),
        ("no client id", Record { order: 0, flags: 1, ..desk.cancel(1, 1) }, Reject::UnknownOrder),
        ("unknown flags of a cancel", Record { flags: 2, ..desk.cancel(0, 1) }, Reject::BadField),
        ("no lots", limit(0, BUY, 0, 90), Reject::QtyOutOfRange),
        ("negative lots", limit(0, BUY, -1, 90), Reject::QtyOutOfRange),
        ("too many lots", limit(0, BUY, 1001, 90), Reject::QtyOutOfRange),
        ("all the lots of the world", limit(0, BUY, i64::MAX, 90), Reject::QtyOutOfRange),
        ("their opposite", limit(0, BUY, i64::MIN, 90), Reject::QtyOutOfRange),
        ("a replace to too many lots", desk.replace(0, 1, i64::MAX, 101), Reject::QtyOutOfRange),
        ("a price of 0", limit(0, BUY, 1, 0), Reject::PriceOutOfRange),
        ("a price above all", limit(0, BUY, 1, i64::MAX), Reject::PriceOutOfRange),
        ("a replace to a price above all", desk.replace(0, 1, 5, i64::MAX), Reject::PriceOutOfRange),
        ("a market order with a price", typed(MARKET, 0, BUY, 1, 100), Reject::BadField),
        ("a type that there is not", typed(4, 0, BUY, 1, 100), Reject::BadField),
        ("a third side", limit(0, 2, 1, 100), Reject::BadField),
        ("a flag too high", flagged(flag::WAITS, limit(0, BUY, 1, 90)), Reject::BadField),
        ("a sixth mode", flagged(6 << 5, limit(0, BUY, 1, 90)), Reject::BadField),
        ("slide without post-only", flagged(flag::SLIDE, limit(0, BUY, 1, 90)), Reject::BadField),
        (
            "a hidden order that does not rest",
            flagged(flag::HIDDEN, typed(IOC, 0, BUY, 1, 90)),
            Reject::BadField,
        ),
        ("a day order that does not rest", flagged(flag::DAY, typed(FOK, 0, BUY, 1, 90)), Reject::BadField),
        ("a session too high", Record { amount: 65_536, ..limit(0, BUY, 1, 90) }, Reject::BadField),
        ("a block with oneself", Record { order: 0, ..block }, Reject::BadField),
        ("a block with nobody", Record { order: u64::MAX, ..block }, Reject::UnknownAccount),
        ("a crossed quote", Record { price: 110, ..quote }, Reject::BadField),
        ("a quote for too many", Record { order: u64::MAX, ..quote }, Reject::BadField),
        ("a term of no kind", Record { kind: command::TERM, code: 10, qty: 1, ..block }, Reject::BadField),
        (
            "a time that is over",
            Record { kind: command::PULSE, at: -1, ..Record::default() },
            Reject::TimeBackwards,
        ),
    ];
    for (label, command, code) in rows {
        let now = desk.at;
        desk.at += command.at;
        if command.kind == command::TERM {
            assert_eq!(desk.clone().send(command), [format!("refused {code:?}")], "{label}");
        } else if command.at < 0 {
            assert_eq!(desk.send(command), [format!("refused {code:?}")], "{label}");
        } else {
            desk.refuses(label, command, code);
        }
        desk.at = now;
    }
    // With terms before them.
    let expiry = |amount| (term::EXPIRY, Record { amount, ..Record::default() });
    let mark = |price| (term::STOP, Record { price, flags: 1, ..Record::default() });
    let minimum = |qty| (term::MINIMUM, Record { qty, ..Record::default() });
    let leg = |order| (term::OTHER_LEG, Record { order, ..Record::default() });
    let rows = [
        ("a buy stop below the last trade", stop(101), typed(MARKET, 0, BUY, 1, 0), Reject::TriggerBeyond),
        ("a sell stop above the mark", mark(100), typed(MARKET, 0, SELL, 1, 0), Reject::TriggerBeyond),
        ("an expiry now", expiry(10), limit(0, BUY, 1, 90), Reject::ExpiryPast),
        ("an expiry in the past", expiry(1), limit(0, BUY, 1, 90), Reject::ExpiryPast),
        ("an expiry of an order that does not rest", expiry(99), typed(IOC, 0, BUY, 1, 90), Reject::BadField),
        ("an expiry and a day", expiry(99), flagged(flag::DAY, limit(0, BUY, 1, 90)), Reject::BadField),
        ("a peak of a hidden order", peak(1), flagged(flag::HIDDEN, limit(0, BUY, 1, 90)), Reject::BadField),
        ("a minimum above the order", minimum(2), limit(0, BUY, 1, 101), Reject::BadField),
        ("a minimum that is not there", minimum(5), limit(3, BUY, 5, 101), Reject::NotFillable),
        ("a leg that is not there", leg(NOBODY), limit(0, BUY, 1, 90), Reject::UnknownOrder),
        ("a leg of another", leg(desk.id(1)), limit(1, BUY, 1, 90), Reject::NotYourOrder),
    ];
    for (label, said, order, code) in rows {
        desk.say([said], &order);
        desk.refuses(label, order, code);
        assert_eq!((desk.depth(BUY), desk.depth(SELL)), (vec![(99, 5)], vec![(101, 4)]), "{label}");
    }
}
