//! The naive venue by hand: what the page says in small numbers, where its own words could be misread.

use super::*;
use crate::orders::{Dialect, cell};
use serde_json::json;

/// A bare market A in price-time, ids hashed, and a venue with four accounts; 2 and 3 are one party.
fn venue(change: impl Fn(&mut Value)) -> Naive {
    let mut config = cell(0, 1, Dialect::Full);
    for market in config["markets"].as_array_mut().expect("a list") {
        market["phase"] = json!("continuous");
        market["price_max"] = json!(200);
        market["cleared"] = json!(false);
        market["client_ids"] = json!("hashed");
        market["allocation"] = json!({"type": "price_time"});
        market["entry"] = json!({});
    }
    config["breakers"] = json!([]);
    config["limits"]["triggers_per_step"] = json!(1);
    change(&mut config["markets"][0]);
    let mut venue = Naive::new(&config);
    for order in [0, 0, 7, 7] {
        venue.apply(&Record { kind: command::OPEN_ACCOUNT, market: NO_MARKET, order, ..Record::default() });
    }
    venue
}

fn limit(account: u32, side: u8, qty: i64, price: i64) -> Record {
    Record { kind: command::PLACE, account, side, qty, price, ..Record::default() }
}

fn with_term(venue: &mut Naive, code: u16, value: Record, order: Record) -> Vec<Record> {
    let term = Record { kind: command::TERM, code, account: order.account, market: order.market, ..value };
    assert_eq!(venue.apply(&term), []);
    venue.apply(&order)
}

/// Kind, acceptance number, lots and price of events.
fn short(events: &[Record]) -> Vec<(u16, u64, i64, i64)> {
    events.iter().map(|e| (e.kind, e.order >> SLOT_BITS, e.qty, e.price)).collect()
}

#[test]
fn a_peak_goes_behind_the_others_of_its_price() {
    let mut v = venue(|_| {});
    let peak = Record { qty: 2, ..Record::default() };
    let events = with_term(&mut v, 4, peak, limit(0, 1, 5, 100));
    assert_eq!(short(&events), [(200, 1, 5, 100), (204, 1, 2, 100)]);
    v.apply(&limit(1, 1, 1, 100));
    assert_eq!(v.depth(0, 1), [(100, 3, 2)]);
    let events = v.apply(&limit(2, 0, 4, 100));
    let wanted = [
        (200, 3, 4, 100),
        (210, 1, 2, 100),
        (210, 3, 2, 100),
        (204, 1, 2, 100),
        (210, 2, 1, 100),
        (210, 3, 1, 100),
        (210, 1, 1, 100),
        (210, 3, 1, 100),
    ];
    assert_eq!(short(&events), wanted);
    assert_eq!(v.depth(0, 1), [(100, 1, 1)]);
}

#[test]
fn pro_rata_takes_its_steps_one_after_the_other() {
    // 10 lots for 20: the top order 2, the lead a quarter of 8, a quarter of 6 in turn, then proportions.
    let mut v = venue(|m| {
        m["allocation"] = json!({"type": "pro_rata", "top_order": true, "fifo_ppm": 250_000, "minimum": 2,
            "lead": [{"account": 3, "share_ppm": 250_000}]});
    });
    for (account, qty) in [(0, 2), (1, 6), (3, 8), (0, 4)] {
        v.apply(&limit(account, 1, qty, 100));
    }
    let events = v.apply(&limit(2, 0, 10, 100));
    // The lead belongs to the party of the incoming order, whose mode is none.
    // Top 2, lead 2 of 8, fifo 1 to the second; 5 left for 5, 6 and 4: 1 (nothing), 2, 1 (nothing); 3 in turn.
    let makers: Vec<(u64, i64)> = events
        .iter()
        .filter(|e| e.kind == 210 && e.flags == 0)
        .map(|e| (e.order >> SLOT_BITS, e.qty))
        .collect();
    assert_eq!(makers, [(1, 2), (2, 4), (3, 4)]);
}

#[test]
fn fill_or_kill_counts_no_peak_that_comes_after_an_own_order() {
    let mut v = venue(|_| {});
    with_term(&mut v, 4, Record { qty: 2, ..Record::default() }, limit(0, 1, 9, 100));
    v.apply(&limit(2, 1, 3, 100));
    let fok = |qty, flags| Record { code: 2, flags, ..limit(3, 0, qty, 100) };
    // Newest: it would end at the own order, after two lots.
    assert_eq!(short(&v.apply(&fok(3, 1 << 5)))[0].0, 100);
    // Oldest: the own order goes, and the iceberg has nine.
    assert_eq!(short(&v.apply(&fok(9, 2 << 5)))[0].0, 200);
    assert_eq!(v.orders(0), 0);
}

#[test]
fn a_stop_that_a_fired_stop_fires_waits_for_its_turn() {
    let mut v = venue(|_| {});
    for price in [99, 98, 97] {
        v.apply(&limit(0, 0, 1, price));
    }
    for trigger in [99, 98] {
        let stop = Record { price: trigger, ..Record::default() };
        let order = Record { code: 3, price: 0, ..limit(1, 1, 1, 0) };
        assert_eq!(short(&with_term(&mut v, 1, stop, order)).len(), 2);
    }
    let events = v.apply(&Record { code: 3, ..limit(2, 1, 1, 0) });
    // The trade at 99 fires the first, whose trade at 98 fires the second: one is sent in a step.
    assert_eq!(events.iter().filter(|e| e.kind == 201).count(), 1);
    let events = v.apply(&Record { kind: command::PULSE, market: NO_MARKET, ..Record::default() });
    assert_eq!(events[0].kind, 201);
    assert_eq!(events.iter().map(|e| e.price).collect::<Vec<_>>(), [98, 0, 97, 97]);
}

#[test]
fn a_trailing_stop_follows_and_works_again_for_the_next_one() {
    let mut v = venue(|_| {});
    for _ in 0..2 {
        let trail = Record { price: 3, flags: 2, ..Record::default() };
        let index = |price| Record { kind: command::INDEX, price, ..Record::default() };
        v.apply(&index(100));
        let order = Record { code: 3, price: 0, ..limit(1, 1, 1, 0) };
        with_term(&mut v, 3, trail, order);
        let fired = [104, 102, 101].map(|price| v.apply(&index(price)).iter().any(|e| e.kind == 201));
        assert_eq!(fired, [false, false, true]);
    }
}

#[test]
fn of_two_legs_one_stays() {
    let mut v = venue(|_| {});
    v.apply(&limit(0, 0, 5, 90));
    let leg = Record { order: 1 << SLOT_BITS, ..Record::default() };
    with_term(&mut v, 7, leg, limit(0, 1, 5, 110));
    let events = v.apply(&limit(1, 0, 2, 110));
    assert_eq!(short(&events[1..]), [(210, 2, 2, 110), (210, 3, 2, 110), (202, 1, 5, 90)]);
    assert_eq!((events[3].code, v.orders(0)), (9, 1));
}

#[test]
fn an_auction_repeats_when_orders_fell_away() {
    // Account 1 is short 2 and has reduce-only buys for 2 and 2.
    let mut v = venue(|m| m["cleared"] = json!(true));
    v.apply(&Record { kind: command::INDEX, price: 100, ..Record::default() });
    v.apply(&Record { kind: command::BLOCK, account: 0, order: 1, price: 100, qty: 2, ..Record::default() });
    v.apply(&Record { kind: command::SET_PHASE, code: phase::CALL_AUCTION, ..Record::default() });
    for price in [104, 103] {
        v.apply(&Record { flags: flag::REDUCE_ONLY, ..limit(1, 0, 2, price) });
    }
    v.apply(&limit(2, 0, 1, 101));
    v.apply(&limit(0, 1, 4, 100));
    let events = v.apply(&Record { kind: command::SET_PHASE, code: 1, ..Record::default() });
    let kinds: Vec<u16> = events.iter().map(|e| e.kind).collect();
    // Four lots at 103, where one order falls away; then what is left at a lower price.
    assert_eq!(kinds, [300, 210, 210, 202, 300, 210, 210, 110]);
    assert_eq!((events[0].price, events[4].price), (103, 100));
}
