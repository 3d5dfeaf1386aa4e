//! The price of auctions against an oracle that looks at every price, for every preset; and whole venues against both.
//! A failure names its seed.

use seawall_core::config::Auction;
use seawall_core::protocol::{FILL_LIQUIDATION, event};
use seawall_core::{
    Audit, Clearing, Command, Config, Deltas, Doubled, Events, Interest, Level, MarketId, Nanos, Phase,
    Price, Qty, Record, Side, Venue, clearing,
};
use seawall_tests::called::{Bid, Called, Decided, Quote};
use seawall_tests::stream::{Rng, World, calling, refused, unit};
use serde_json::{Value, json};
use std::collections::BTreeMap;

const BOOKS: u64 = 100_000;
/// Prices of random books are 1 to this less 1; the mirror of a price is this less it.
const MIRROR: i64 = 24;

/// Every preset, today's rule, and rules that no preset has.
fn rules() -> Vec<(String, Value, Auction)> {
    let presets = ["xetra", "euronext", "asx", "nasdaq", "bnb", "vega", "luld"];
    let mut forms: Vec<(String, Value)> =
        presets.iter().map(|name| ((*name).to_owned(), json!({ "preset": name }))).collect();
    forms.push(("today".to_owned(), json!({})));
    forms.push(("clamp up".to_owned(), json!({"candidates": "grid", "tie": "clamp", "rounding": "up"})));
    forms.push(("middle".to_owned(), json!({"candidates": "grid", "tie": "middle", "surplus": "any"})));
    let expanded = forms.into_iter().map(|(name, form)| {
        let rule: Auction = serde_json::from_value(form).expect("a rule");
        (name, serde_json::to_value(rule).expect("a rule as JSON"), rule)
    });
    expanded.collect()
}

/// A small crowded book: prices on the step but for a few.
fn book(rng: &mut Rng) -> (Vec<Bid>, Option<i64>, i64) {
    let step = rng.pick(&[1, 1, 1, 2, 3]);
    let kind = rng.within(0, 9);
    let orders = (0..rng.within(1, 8)).map(|_| {
        let unpriced = rng.chance(if kind == 0 { 100 } else { 15 });
        let price = rng.within(1, MIRROR.div_euclid(step) - 1) * step;
        let off = i64::from(rng.chance(5));
        let limit = (!unpriced).then_some((price + off).min(MIRROR - 1));
        let buys = if kind == 1 { true } else { rng.chance(50) };
        Bid { buys, limit, lots: rng.within(1, 4) }
    });
    let orders: Vec<Bid> = orders.collect();
    let reference = rng.chance(90).then(|| rng.within(2, 2 * MIRROR - 2));
    (orders, reference, step)
}

/// The levels of one side, best first, and its lots without a price.
fn side(orders: &[Bid], buys: bool) -> (Vec<Level>, Qty) {
    let mut levels: BTreeMap<i64, (i64, u32)> = BTreeMap::new();
    let mut unpriced = 0;
    for order in orders.iter().filter(|order| order.buys == buys) {
        match order.limit {
            None => unpriced += order.lots,
            Some(price) => {
                let level = levels.entry(price).or_default();
                *level = (level.0 + order.lots, level.1 + 1);
            }
        }
    }
    let rows = levels.into_iter();
    let mut levels: Vec<Level> = rows
        .map(|(price, (qty, orders))| Level { price: Price::new(price), qty: Qty::new(qty), orders })
        .collect();
    if buys {
        levels.reverse();
    }
    (levels, Qty::new(unpriced))
}

fn cleared(rule: &Auction, orders: &[Bid], reference: Option<i64>, step: i64) -> Option<Quote> {
    let ((bids, market_buys), (asks, market_sells)) = (side(orders, true), side(orders, false));
    let interest = Interest { bids: &bids, asks: &asks, market_buys, market_sells };
    let reference = reference.map(Doubled::new);
    let grid = interest.span(Price::new(step), (Price::new(1), Price::new(MIRROR - 1)), reference);
    clearing(rule, &interest, reference, &grid).map(|Clearing { price, volume, surplus }| Quote {
        price: price.get(),
        volume: volume.get(),
        surplus: surplus.get(),
    })
}

fn mirror(order: &Bid) -> Bid {
    Bid { buys: !order.buys, limit: order.limit.map(|price| MIRROR - price), ..*order }
}

/// What holds of every clearing, whatever the rule.
fn check_quote(called: &Called<'_>, quote: Option<Quote>, place: &str) {
    let most = called.candidates().into_iter().map(|price| called.at(price).volume).max().unwrap_or(0);
    let unlimited = called.orders.iter().all(|order| order.limit.is_none());
    let Some(quote) = quote else {
        assert!(most == 0, "{place}: {most} lots could trade");
        return;
    };
    assert!(unlimited || quote.volume == most, "{place}: {quote:?} trades less than {most}");
    assert_eq!(called.at(quote.price), quote, "{place}: not what trades at its price");
    // One side is served whole, so nobody who is left would trade with anybody else at the price.
    let (demand, supply) = (quote.volume + quote.surplus.max(0), quote.volume - quote.surplus.min(0));
    assert_eq!(demand.min(supply), quote.volume, "{place}");
}

#[test]
fn every_rule_agrees_with_looking_at_every_price() {
    let rules = rules();
    let mut counts: BTreeMap<(&str, Decided), u64> = BTreeMap::new();
    let (mut one_sided, mut unpriced_only, mut off_step) = (0, 0, 0);
    for seed in 1..=BOOKS {
        let mut rng = Rng::new(seed);
        let (orders, reference, step) = book(&mut rng);
        let all = |test: &dyn Fn(&Bid) -> bool| orders.iter().all(test);
        one_sided += u64::from(all(&|order| order.buys) || all(&|order| !order.buys));
        unpriced_only += u64::from(all(&|order| order.limit.is_none()));
        off_step += u64::from(orders.iter().any(|order| order.limit.is_some_and(|price| price % step != 0)));
        for (name, spelled, rule) in &rules {
            let place =
                format!("seed {seed}, {name}, step {step}, twice the reference {reference:?}: {orders:?}");
            let called = Called {
                rule: spelled,
                orders: &orders,
                reference,
                step,
                price_max: MIRROR - 1,
                mirrored: false,
            };
            let (expected, decided) = called.found();
            let got = cleared(rule, &orders, reference, step);
            assert_eq!(got, expected, "{place}");
            check_quote(&called, got, &place);
            *counts.entry((name.as_str(), decided)).or_default() += 1;
        }
    }
    for ((name, decided), count) in &counts {
        println!("{name:10} {decided:?}: {count}");
    }
    println!(
        "{BOOKS} books by {} rules; {one_sided} one-sided, {unpriced_only} of market orders only, {off_step} with limits off the step",
        rules.len()
    );
    assert!(one_sided > 5_000 && unpriced_only > 5_000 && off_step > 5_000);
    let least = |name: &str, decided: Decided, least: u64| {
        let count =
            counts.iter().find(|((n, d), _)| *n == name && *d == decided).map_or(0, |(_, count)| *count);
        assert!(count >= least, "{name}: {decided:?} was reached {count} times, below {least}");
    };
    for (name, _, _) in &rules {
        least(name, Decided::Nothing, 10_000);
        least(name, Decided::Reference, 1_000);
        least(name, Decided::Volume, 1_000);
    }
    for name in ["xetra", "euronext", "asx", "nasdaq", "luld", "today"] {
        least(name, Decided::Surplus, 500);
        least(name, Decided::Edge, 1_000);
    }
    for name in ["xetra", "euronext", "nasdaq", "luld", "today"] {
        least(name, Decided::Nearest(false), 1_000);
    }
    for (name, count) in [("xetra", 50), ("today", 50), ("nasdaq", 200), ("euronext", 200)] {
        least(name, Decided::Nearest(true), count);
    }
    for inside in [false, true] {
        least("asx", Decided::Clamp(inside), 1_000);
        least("clamp up", Decided::Clamp(inside), 1_000);
        least("bnb", Decided::Bounded(inside), 200);
        least("vega", Decided::Middle(inside), 500);
        least("middle", Decided::Middle(inside), 500);
    }
}

#[test]
fn neither_arrival_nor_the_splitting_of_orders_changes_a_price() {
    let rules = rules();
    for seed in 1..=BOOKS.div_euclid(10) {
        let mut rng = Rng::new(seed);
        let (orders, reference, step) = book(&mut rng);
        let mut other: Vec<Bid> = Vec::new();
        for order in orders.iter().rev() {
            let part = rng.within(1, order.lots);
            other.push(Bid { lots: part, ..*order });
            other.extend((part < order.lots).then_some(Bid { lots: order.lots - part, ..*order }));
        }
        for (name, _, rule) in &rules {
            let (one, two) =
                (cleared(rule, &orders, reference, step), cleared(rule, &other, reference, step));
            assert_eq!(one, two, "seed {seed}, {name}: {orders:?}");
        }
    }
}

#[test]
fn a_mirrored_book_has_the_mirrored_price_but_for_ties_and_rounding() {
    let rules = rules();
    let (mut cleared_count, mut turned) = (0, 0);
    for seed in 1..=BOOKS.div_euclid(5) {
        let mut rng = Rng::new(seed);
        let (orders, reference, step) = book(&mut rng);
        // A share of a price has no mirror, and the steps have one where they divide it.
        if MIRROR % step != 0 {
            continue;
        }
        let Some(reference) = reference else { continue };
        let image: Vec<Bid> = orders.iter().map(mirror).collect();
        for (name, spelled, rule) in rules.iter().filter(|rule| rule.0 != "bnb") {
            let called = Called {
                rule: spelled,
                orders: &orders,
                reference: Some(reference),
                step,
                price_max: MIRROR - 1,
                mirrored: true,
            };
            let expected = called.found().0.map(|quote| Quote {
                price: MIRROR - quote.price,
                surplus: -quote.surplus,
                ..quote
            });
            let got = cleared(rule, &image, Some(2 * MIRROR - reference), step);
            assert_eq!(got, expected, "seed {seed}, {name}, step {step}: {orders:?}");
            cleared_count += u64::from(got.is_some());
            let plain = cleared(rule, &orders, Some(reference), step).map(|quote| MIRROR - quote.price);
            turned += u64::from(plain != got.map(|quote| quote.price));
        }
    }
    println!(
        "{cleared_count} mirrored auctions cleared, {turned} of them elsewhere because of a tie or a rounding"
    );
    assert!(cleared_count > 20_000 && turned > 500 && turned * 4 < cleared_count);
}

// Whole venues.

const BTC: MarketId = MarketId::new(0);
const TRADERS: u32 = 5;

fn venue_of(config: &Value) -> Venue {
    let mut venue = Venue::new(Config::new(&config.to_string()).expect("a valid configuration"));
    venue.set_audit(Audit::Full);
    venue
}

fn apply(venue: &mut Venue, record: &Record) -> Vec<Record> {
    let mut events = Events::new();
    venue.apply_record(record, &mut events);
    events.into_vec()
}

/// An order of a call, whose it is, and what it shows.
#[derive(Debug, Clone, Copy)]
struct Sent {
    bid: Bid,
    account: u32,
    /// Lots that it shows; none for all of them, 0 if it is hidden.
    shows: Option<i64>,
}

/// A venue in a call with these orders, in this order; the id of each by its place.
fn call(rule: &Value, orders: &[Sent], index: i64, step: i64) -> (Venue, Vec<u64>) {
    let mut config = unit();
    config["markets"][0]["auction"] = rule.clone();
    config["markets"][0]["phase"] = json!("call_auction");
    config["markets"][0]["entry"]["price_step"] = json!(step);
    let mut venue = venue_of(&config);
    let no_market = MarketId::NONE.get();
    for account in 0..TRADERS {
        apply(&mut venue, &Record { kind: 10, market: no_market, ..Record::default() });
        apply(
            &mut venue,
            &Record { kind: 11, market: no_market, account, amount: 100_000, ..Record::default() },
        );
    }
    apply(&mut venue, &Record { kind: 20, price: index, ..Record::default() });
    let mut ids = Vec::new();
    for Sent { bid, account, shows } in orders {
        if let Some(display) = shows.filter(|lots| *lots > 0) {
            apply(
                &mut venue,
                &Record { kind: 6, account: *account, code: 4, qty: display, ..Record::default() },
            );
        }
        let place = Record {
            kind: 1,
            account: *account,
            side: u8::from(!bid.buys),
            code: if bid.limit.is_some() { 0 } else { 3 },
            flags: if *shows == Some(0) { 8 } else { 0 },
            price: bid.limit.unwrap_or(0),
            qty: bid.lots,
            ..Record::default()
        };
        let events = apply(&mut venue, &place);
        assert_eq!(events[0].kind, event::ACCEPTED, "{bid:?}: {events:?}");
        ids.push(events[0].order);
    }
    (venue, ids)
}

/// Lots of each order by time priority: docs/mechanics.md section 6.9, for orders that show all they have.
fn by_priority(orders: &[Sent], quote: &Quote) -> Vec<i64> {
    let mut fills = vec![0; orders.len()];
    for buys in [true, false] {
        let reaches = |order: &Sent| {
            order.bid.buys == buys
                && order.bid.limit.is_none_or(|p| if buys { p >= quote.price } else { p <= quote.price })
        };
        let mut line: Vec<usize> = (0..orders.len()).filter(|i| reaches(&orders[*i])).collect();
        // A stable sort: market orders, then the better price, then arrival.
        line.sort_by_key(|i| orders[*i].bid.limit.map(|price| if buys { -price } else { price }));
        let mut left = quote.volume;
        for i in line {
            fills[i] = orders[i].bid.lots.min(left);
            left -= fills[i];
        }
        assert_eq!(left, 0);
    }
    fills
}

#[test]
fn a_venue_trades_at_the_price_and_fills_in_priority_order() {
    let rules: Vec<(String, Value)> = rules()
        .into_iter()
        .map(|(name, mut rule, _)| {
            rule["market_orders"] = json!("cancelled");
            // The oracle knows no collar.
            rule["collar"] = json!({"around": "touch", "width_ppm": 1_000_000_000, "action": "confine"});
            (name, rule)
        })
        .collect();
    let (mut uncrossed, mut rationed, mut icebergs, mut unpriced) = (0, 0, 0, 0);
    for seed in 1..=4_000_u64 {
        let mut rng = Rng::new(seed ^ 0x5eed);
        let (bids, _, step) = book(&mut rng);
        let whole = rng.chance(50);
        let orders: Vec<Sent> = bids
            .iter()
            .map(|bid| {
                let limit = bid.limit.map(|price| (price - price.rem_euclid(step)).max(step));
                let shows = if whole || limit.is_none() {
                    None
                } else {
                    rng.pick(&[None, Some(0), Some(1), Some(2)])
                };
                let account = u32::try_from(rng.within(0, TRADERS.into()) % i64::from(TRADERS)).expect("few");
                Sent { bid: Bid { limit, ..*bid }, account, shows }
            })
            .collect();
        let bids: Vec<Bid> = orders.iter().map(|order| order.bid).collect();
        let index = rng.within(step, MIRROR - 1);
        let (name, rule) = &rules[rng.below(rules.len())];
        let place = format!("seed {seed}, {name}, step {step}, index {index}: {orders:?}");
        let called = Called {
            rule,
            orders: &bids,
            reference: Some(2 * index),
            step,
            price_max: 10_000,
            mirrored: false,
        };
        let expected = called.found().0;
        let (mut venue, ids) = call(rule, &orders, index, step);
        // A snapshot in the middle of the call goes on alike.
        let restored = Venue::restore(&venue.snapshot()).expect("a snapshot");
        assert_eq!(restored.digest(), venue.digest(), "{place}");
        let open = Command::SetPhase { market: BTC, code: Phase::Continuous.code(), end: Nanos::ZERO };
        let open = open.encode(Nanos::ZERO);
        let events = apply(&mut venue, &open);
        let mut again = restored;
        assert_eq!(apply(&mut again, &open), events, "{place}");
        let found: Vec<Quote> = events
            .iter()
            .filter(|e| e.kind == event::UNCROSSED)
            .map(|e| Quote { price: e.price, volume: e.qty, surplus: e.amount })
            .collect();
        assert_eq!(found, expected.into_iter().collect::<Vec<_>>(), "{place}");
        let mut fills = vec![0; orders.len()];
        for fill in events.iter().filter(|e| e.kind == event::FILL) {
            let i = ids.iter().position(|id| *id == fill.order).expect("an order of the call");
            fills[i] += fill.qty;
            let beyond =
                |limit: i64| if orders[i].bid.buys { fill.price > limit } else { fill.price < limit };
            assert!(!orders[i].bid.limit.is_some_and(beyond), "{place}: {fill:?}");
        }
        let [bought, sold] = [true, false].map(|buys| {
            orders.iter().zip(&fills).filter(|(o, _)| o.bid.buys == buys).map(|(_, lots)| lots).sum::<i64>()
        });
        let volume = expected.map_or(0, |quote| quote.volume);
        assert_eq!((bought, sold), (volume, volume), "{place}");
        let touch = [Side::Buy, Side::Sell].map(|side| venue.depth(BTC, side, 1).first().map(|l| l.price));
        assert!(touch[0].zip(touch[1]).is_none_or(|(bid, ask)| bid < ask), "{place}: crossed");
        if let Some(quote) = expected.filter(|_| orders.iter().all(|order| order.shows.is_none())) {
            assert_eq!(fills, by_priority(&orders, &quote), "{place}");
            rationed += u64::from(quote.surplus != 0);
        }
        // The other way round: other orders may be filled, at the same price and for the same volume.
        let backwards: Vec<Sent> = orders.iter().rev().copied().collect();
        let (mut other, _) = call(rule, &backwards, index, step);
        let theirs = apply(&mut other, &open);
        let told = |events: &[Record]| {
            let uncrossed = events.iter().find(|e| e.kind == event::UNCROSSED);
            uncrossed.map(|e| (e.price, e.qty, e.amount))
        };
        assert_eq!(told(&theirs), told(&events), "{place}");
        uncrossed += u64::from(expected.is_some());
        icebergs += u64::from(expected.is_some() && !whole);
        unpriced += u64::from(expected.is_some() && bids.iter().any(|bid| bid.limit.is_none()));
    }
    println!(
        "{uncrossed} calls uncrossed: {rationed} rationed, {icebergs} with icebergs or hidden orders, {unpriced} with market orders"
    );
    assert!(uncrossed > 1_500 && rationed > 400 && icebergs > 500 && unpriced > 500);
}

/// Found by a mutant: nothing told an auction that fills its market orders to the last lot from one that leaves some.
#[test]
fn market_orders_are_left_only_beyond_the_volume() {
    let rule = json!({"candidates": "grid", "market_orders": "limit", "indicative": "command"});
    for (buys, lots, code) in [(true, 5, 0), (true, 4, 2), (false, 5, 0), (false, 4, 2)] {
        let order = Sent { bid: Bid { buys, limit: None, lots: 5 }, account: 0, shows: None };
        let (mut venue, _) = call(&rule, &[order], 100, 1);
        let side = u8::from(buys);
        let place = Record { kind: 1, account: 1, side, price: 100, qty: lots, ..Record::default() };
        let events = apply(&mut venue, &place);
        let told: Vec<(u16, i64)> =
            events.iter().filter(|e| e.kind == event::INDICATIVE).map(|e| (e.code, e.qty)).collect();
        assert_eq!(told, [(code, lots)], "buys: {buys}, {lots} lots: {events:?}");
    }
}

/// A book of orders that are what they show has a way of its own; one of them as an iceberg that shows all it has takes
/// the other way, and nothing else may differ.
#[test]
fn whole_orders_uncross_as_those_of_a_book_with_an_iceberg() {
    let (mut uncrossed, mut fills, mut parts) = (0, 0, 0);
    for seed in 1..=4_000_u64 {
        let mut rng = Rng::new(seed ^ 0x1ce);
        let (bids, _, step) = book(&mut rng);
        let orders: Vec<Sent> = bids
            .iter()
            .map(|bid| {
                let price = bid.limit.unwrap_or_else(|| rng.within(step, MIRROR - 1));
                let limit = Some((price - price.rem_euclid(step)).max(step));
                let account = u32::try_from(rng.below(5)).expect("few");
                Sent { bid: Bid { limit, ..*bid }, account, shows: None }
            })
            .collect();
        let mut other = orders.clone();
        let one = rng.below(other.len());
        other[one].shows = Some(other[one].bid.lots);
        let (_, rule, _) = &rules()[rng.below(10)];
        let index = rng.within(step, MIRROR - 1);
        let place = format!("seed {seed}, step {step}, index {index}, iceberg {one}: {orders:?}");
        let open = Command::SetPhase { market: BTC, code: Phase::Continuous.code(), end: Nanos::ZERO };
        let events = [&orders, &other].map(|orders| {
            let (mut venue, ids) = call(rule, orders, index, step);
            let before = venue.digest();
            let mut events = apply(&mut venue, &open.encode(Nanos::ZERO));
            assert!(venue.digest() != before && ids.len() == orders.len());
            // An iceberg has told what it shows.
            let first = events[0].seq;
            for event in &mut events {
                event.seq -= first;
            }
            events
        });
        assert_eq!(events[0], events[1], "{place}");
        let filled: Vec<&Record> = events[0].iter().filter(|e| e.kind == event::FILL).collect();
        uncrossed += u64::from(!filled.is_empty());
        fills += filled.len();
        let part = |fill: &&&Record| {
            let again = filled.iter().filter(|other| other.order == fill.order).count();
            again > 1
        };
        parts += filled.iter().filter(part).count();
    }
    println!("{uncrossed} calls uncrossed both ways: {fills} fills, {parts} of them of orders with several");
    assert!(uncrossed > 1_500 && fills > 4_000 && parts > 1_000);
}

/// What random venues with calls have to reach.
#[derive(Debug, Default)]
struct Reached {
    uncrossed: usize,
    unpriced_fills: usize,
    priced: usize,
    unpriced_cancels: usize,
    offers: usize,
    offer_fills: usize,
    collar_cancels: usize,
    held: usize,
    indicative: [usize; 4],
}

impl Reached {
    fn add(&mut self, events: &[Record], unpriced: &[u64]) {
        let count = |test: &dyn Fn(&Record) -> bool| events.iter().filter(|e| test(e)).count();
        self.uncrossed += count(&|e| e.kind == event::UNCROSSED);
        self.unpriced_fills += count(&|e| e.kind == event::FILL && unpriced.contains(&e.order));
        self.priced += count(&|e| e.kind == event::REPLACED && e.flags == 2);
        self.unpriced_cancels +=
            count(&|e| e.kind == event::CANCELLED && e.code == 2 && unpriced.contains(&e.order));
        self.offers += count(&|e| e.kind == event::LIQUIDATION_ORDER && e.flags == 2);
        let closing = FILL_LIQUIDATION | 4;
        self.offer_fills += count(&|e| e.kind == event::FILL && e.flags == closing);
        self.collar_cancels += usize::from(events.iter().any(|e| e.kind == event::UNCROSSED))
            * count(&|e| e.kind == event::CANCELLED && e.code == 4);
        self.held +=
            count(&|e| e.kind == event::PHASE_CHANGED && e.code == e.flags && e.amount == 0 && e.code == 6);
        for (code, reached) in self.indicative.iter_mut().enumerate() {
            *reached += count(&|e| e.kind == event::INDICATIVE && usize::from(e.code) == code);
        }
    }
}

#[test]
fn money_depth_and_snapshots_hold_in_venues_with_calls() {
    let mut reached = Reached::default();
    for seed in 1..=200 {
        let mut depth: BTreeMap<(u16, u8, i64), i64> = BTreeMap::new();
        let mut fold = Deltas::new();
        let look = |venue: &Venue, command: &Record, events: &[Record]| {
            let place = format!("seed {seed}: {command:?}");
            assert!(venue.conservation().ok, "{place}");
            let mut changes = Vec::new();
            fold.update(events, &mut changes);
            for change in changes {
                let key = (change.market.get(), change.side.code(), change.price.get());
                if change.qty.is_zero() {
                    depth.remove(&key)
                } else {
                    depth.insert(key, change.qty.get())
                };
            }
            let rows =
                (0..2).flat_map(|m| [Side::Buy, Side::Sell].map(|side| (m, side))).flat_map(|(m, side)| {
                    let levels = venue.depth(MarketId::new(m), side, usize::MAX);
                    levels
                        .into_iter()
                        .map(move |level| ((m, side.code(), level.price.get()), level.qty.get()))
                });
            assert_eq!(rows.collect::<BTreeMap<_, _>>(), depth, "{place}");
            let restored =
                Venue::restore(&venue.snapshot()).unwrap_or_else(|error| panic!("{place}: {error}"));
            assert_eq!(restored.digest(), venue.digest(), "{place}");
            for m in [BTC, MarketId::new(1)] {
                let touch =
                    [Side::Buy, Side::Sell].map(|side| venue.depth(m, side, 1).first().map(|l| l.price));
                let crossed = touch[0].zip(touch[1]).is_some_and(|(bid, ask)| bid >= ask);
                assert!(!crossed || !venue.phase(m).admits().matches, "{place}: crossed");
            }
        };
        let world = World::run(seed, 300, venue_of(&calling(seed)), look);
        let types =
            world.events.iter().filter(|e| e.kind == event::ACCEPTED && e.code == 3 && e.flags & 256 == 0);
        let unpriced: Vec<u64> = types.map(|e| e.order).collect();
        reached.add(&world.events, &unpriced);
    }
    println!("{reached:?}");
    let Reached { uncrossed, priced, unpriced_cancels, offers, offer_fills, held, indicative, .. } = reached;
    assert!(uncrossed > 200 && priced > 8 && unpriced_cancels > 100);
    assert!(offers > 60 && offer_fills > 2 && held > 5);
    assert!(indicative.iter().all(|count| *count > 0), "{indicative:?}");
}

/// Each order of an uncross is touched a few times, however many prices lie between the limits.
#[test]
#[cfg(debug_assertions)]
fn the_work_of_an_uncross_is_in_proportion_to_its_orders() {
    let work_of = |orders: i64, spread: i64| {
        let mut config = unit();
        config["limits"]["orders_max"] = json!(orders);
        config["markets"][0]["price_max"] = json!(1 << 21);
        for (name, most) in [("open_interest_max", 100_000), ("position_max", 100_000)] {
            config["markets"][0][name] = json!(most);
        }
        config["markets"][0]["auction"] = json!({"preset": "euronext"});
        config["markets"][0]["cleared"] = json!(false);
        config["markets"][0]["phase"] = json!("call_auction");
        let mut venue = venue_of(&config);
        venue.set_audit(Audit::Off);
        apply(&mut venue, &Record { kind: 10, market: MarketId::NONE.get(), ..Record::default() });
        for i in 0..orders {
            let side = u8::try_from(i % 2).expect("a bit");
            let away = i.div_euclid(2) % 500 * spread;
            let price = if side == 0 { 1_000_000 + away } else { 1_000_000 - away };
            apply(&mut venue, &Record { kind: 1, side, price, qty: 2, ..Record::default() });
        }
        let before = venue.work(BTC);
        let open = Command::SetPhase { market: BTC, code: Phase::Continuous.code(), end: Nanos::ZERO };
        let events = apply(&mut venue, &open.encode(Nanos::ZERO));
        assert_eq!(
            events.iter().filter(|e| e.kind == event::FILL).count(),
            usize::try_from(orders).expect("few")
        );
        let after = venue.work(BTC);
        (after.nodes - before.nodes, after.levels - before.levels)
    };
    let (near, far, double) = (work_of(10_000, 1), work_of(10_000, 1_000), work_of(20_000, 1));
    println!(
        "10,000 orders: {near:?} nodes and levels, at a thousand times the distance {far:?}; 20,000: {double:?}"
    );
    assert!(near.0 <= 3 * 10_000 && near.1 <= 10_000);
    assert_eq!(near, far);
    assert!(double.0 <= 2 * near.0 + 2_000 && double.1 <= 2 * near.1);
}

#[test]
fn rules_that_contradict_themselves_are_refused_by_field() {
    let rule = ["markets", "0", "auction"];
    refused(
        &rule,
        json!({"pressure": {"bounded": {"limit_ppm": 0}}}),
        "auction.pressure.bounded.limit_ppm: 0: must be 1",
    );
    let collar = |width_ppm: i64, width_min: i64| {
        json!({"collar": {
            "around": "touch", "width_ppm": width_ppm, "width_min": width_min, "action": "refuse",
        }})
    };
    refused(&rule, collar(-1, 0), "auction.collar.width_ppm: -1: must be 0");
    refused(&rule, collar(0, 10_001), "auction.collar.width_min: 10001: must be 0 to price_max 10000");
    refused(&rule, json!({"preset": "frankfurt"}), "unknown variant `frankfurt`");
    refused(&rule, json!({"colour": "red"}), "unknown field `colour`");
    let mut config = unit();
    for market in config["markets"].as_array_mut().expect("a list") {
        market["liquidation"]["policy"] = json!({"type": "portfolio_share", "step_ppm": 200_000, "target_ppm": 900_000, "penalty_ppm": 500_000});
        market["auction"] = json!({"liquidations": true});
    }
    let error = Config::new(&config.to_string()).expect_err("they do not go together").to_string();
    assert!(error.contains("auction.liquidations"), "{error}");
}

#[test]
fn a_preset_is_a_name_for_its_parameters_and_today_leaves_no_trace() {
    let canonical = |rule: Value| {
        let mut config = unit();
        config["markets"][0]["auction"] = rule;
        Config::new(&config.to_string()).expect("a valid configuration").canonical().clone()
    };
    assert!(!canonical(json!({})).contains("\"auction\""), "today's rule is left out");
    for (name, spelled, _) in rules().into_iter().filter(|(name, ..)| !name.contains(' ') && name != "middle")
    {
        if name != "today" {
            assert_eq!(canonical(json!({ "preset": name })), canonical(spelled), "{name}");
        }
    }
    let other = canonical(json!({"preset": "vega", "tie": "nearest"}));
    assert!(other.contains("\"tie\":\"nearest\"") && other.contains("\"surplus\":\"any\""), "{other}");
}
