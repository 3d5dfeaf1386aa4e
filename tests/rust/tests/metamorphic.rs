//! What must follow when a stream is changed: no second venue is needed to know it. A failure names its seed.

use seawall_core::Record;
use seawall_tests::duel::told;
use seawall_tests::naive::words::{command, event, flag, order_type, phase, term};
use seawall_tests::naive::{NO_MARKET, SLOT_BITS};
use seawall_tests::orders::{ACCOUNTS, CELLS, Dialect, cell};
use seawall_tests::stream::Rng;
use seawall_tests::tape::{Tape, pulse_before, stream};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

const STREAMS: u64 = 300;
const LENGTH: usize = 500;
const SLOT_MASK: u64 = (1 << SLOT_BITS) - 1;
/// The account that only the changed run uses.
const STRANGER: u32 = ACCOUNTS;

/// A configuration of a random cell, changed for every market.
fn config_of(seed: u64, change: impl Fn(&mut Value)) -> Value {
    let mut config = cell(seed % CELLS, seed, Dialect::Full);
    config["markets"].as_array_mut().expect("a list").iter_mut().for_each(change);
    config
}

/// Events without what a changed run may number otherwise.
fn unnumbered(events: &[Record]) -> Vec<Record> {
    events.iter().map(|e| Record { seq: 0, ..*e }).collect()
}

fn assert_same(seed: u64, command: &Record, wanted: &[Record], got: &[Record]) {
    if wanted != got {
        let text = |events: &[Record]| events.iter().map(told).collect::<Vec<_>>().join("\n    ");
        let (wanted, got) = (text(wanted), text(got));
        panic!("seed {seed}: {}\n  wanted\n    {wanted}\n  got\n    {got}", told(command));
    }
}

/// Adds up what traded.
#[derive(Debug, Default)]
struct Traded {
    fills: usize,
    commands: usize,
}

impl Traded {
    fn add(&mut self, events: &[Record]) {
        self.commands += 1;
        self.fills += events.iter().filter(|e| e.kind == event::FILL).count();
    }

    fn enough(&self) {
        println!("{} commands, {} fills", self.commands, self.fills);
        assert!(self.fills * 20 > self.commands, "{self:?}");
    }
}

/// Swaps a side.
fn other_side(side: u8) -> u8 {
    if side > 1 { side } else { 1 - side }
}

/// A command seen in a mirror: prices p become max + 1 - p, buys become sells.
fn mirrored(r: &Record, price_max: &[i64]) -> Record {
    let Some(max) = price_max.get(usize::from(r.market)) else {
        return Record { side: mirrored_side(r), ..*r };
    };
    let mirror = |price: i64| (max + 1).saturating_sub(price);
    let priced = match r.kind {
        command::PLACE => r.code != order_type::MARKET,
        command::TERM => matches!(r.code, term::STOP | term::TAKE_PROFIT),
        command::REPLACE | command::INDEX => true,
        _ => false,
    };
    Record { price: if priced { mirror(r.price) } else { r.price }, side: mirrored_side(r), ..*r }
}

fn mirrored_side(r: &Record) -> u8 {
    let sided = matches!(r.kind, command::PLACE) || (r.kind == command::CANCEL_ALL && r.flags & 1 != 0);
    if sided { other_side(r.side) } else { r.side }
}

/// An event seen in a mirror, with the command that it follows.
fn mirrored_event(e: &Record, r: &Record, price_max: &[i64]) -> Record {
    if e.kind == event::REJECTED {
        let sent = mirrored(r, price_max);
        return Record { price: sent.price, side: sent.side, ..*e };
    }
    let Some(max) = price_max.get(usize::from(e.market)) else { return *e };
    let offset = e.kind == event::ARMED && e.code == term::TRAILING;
    // Market orders have price 0.
    let priced = e.price != 0 && !offset;
    let price = if priced { max + 1 - e.price } else { e.price };
    let (side, amount) = match e.kind {
        event::MARKED => (e.side, max + 1 - e.amount),
        event::PHASE_CHANGED => (e.side, e.amount),
        _ => (other_side(e.side), e.amount),
    };
    let plain = matches!(e.kind, event::PHASE_CHANGED | event::ACCOUNT_OPENED | event::DEPOSITED);
    if plain { *e } else { Record { price, side, amount, ..*e } }
}

/// Rules that tell up from down are left out: bands and protection in ppm, fees and notional limits (they are
/// shares of a price), averaged basis (rounds down), auctions (the higher of two prices as near; buys before sells),
/// quotes and blocks (the buy goes first). Steps of prices stay, for they divide the length of the domain.
#[test]
fn a_mirrored_stream_has_mirrored_events() {
    let mut traded = Traded::default();
    for seed in 1..=STREAMS {
        let mut config = config_of(seed, |market| {
            market["price_max"] = json!(if market["price_max"] == 14 { 15 } else { 199 });
            market["fees"] = json!({"maker_ppm": 0, "taker_ppm": 0});
            market["phase"] = json!("continuous");
            market["mark"]["method"] = json!(if seed % 2 == 0 { "index" } else { "last" });
            market["reopen_auction_ns"] = json!(0);
            if !market["entry"].is_null() {
                market["entry"]["notional_min"] = json!(0);
                market["entry"]["notional_max"] = Value::Null;
            }
        });
        config["breakers"] = json!([]);
        let markets = config["markets"].as_array().expect("a list");
        let price_max: Vec<i64> = markets.iter().map(|m| m["price_max"].as_i64().expect("a price")).collect();
        let commands = stream(&config, seed, LENGTH, |r| match (r.kind, r.code) {
            (command::QUOTE | command::BLOCK, _) => None,
            (command::SET_PHASE, phase::PRE_OPEN | phase::CALL_AUCTION) => {
                Some(Record { code: phase::REDUCE_ONLY, ..*r })
            }
            (command::TERM, term::PROTECTION_PPM) => {
                Some(Record { code: term::PROTECTION_TICKS, price: 2, ..*r })
            }
            _ => Some(*r),
        });
        let (mut plain, mut mirror) = (Tape::new(&config), Tape::new(&config));
        for r in &commands {
            let events = plain.play(r);
            let wanted: Vec<Record> = events.iter().map(|e| mirrored_event(e, r, &price_max)).collect();
            assert_same(seed, r, &wanted, &mirror.play(&mirrored(r, &price_max)));
            traded.add(&events);
        }
    }
    traded.enough();
}

/// A command with its prices moved, or one of its events; `r` is the command.
fn shifted(x: &Record, r: &Record, by: i64) -> Record {
    let command = x.kind < 100;
    let rejected = x.kind == event::REJECTED;
    let kind = if rejected { r.kind } else { x.kind };
    let moved = |price: i64| if price == 0 { 0 } else { price.saturating_add(by) };
    let trigger = matches!(x.code, term::STOP | term::TAKE_PROFIT);
    let (price, amount) = match kind {
        command::TERM if command && !trigger => (false, false),
        command::TERM if rejected => (matches!(r.code, term::STOP | term::TAKE_PROFIT), false),
        // The ask of a quote; a refused side repeats one price.
        command::QUOTE | event::MARKED => (true, true),
        event::ARMED => (trigger, false),
        command::SET_PHASE
        | command::CANCEL_ALL
        | command::PULSE
        | event::PHASE_CHANGED
        | command::OPEN_ACCOUNT
        | command::DEPOSIT
        | command::CANCEL => (false, false),
        _ => (true, false),
    };
    let price = if price { moved(x.price) } else { x.price };
    let amount = if amount { moved(x.amount) } else { x.amount };
    Record { price, amount, ..*x }
}

/// Prices stay away from both ends of the domain, which do not move. Rules that are shares of a price are left out:
/// bands, protection in ppm, fees, notional limits. The shift is a multiple of the price steps. Auctions, quotes,
/// blocks and every mark take part.
#[test]
fn a_stream_at_other_prices_has_the_same_events_there() {
    const BY: i64 = 120;
    let mut traded = Traded::default();
    for seed in 1..=STREAMS {
        let change = |market: &mut Value| {
            market["price_max"] = json!(600);
            market["fees"] = json!({"maker_ppm": 0, "taker_ppm": 0});
            if !market["entry"].is_null() {
                market["entry"]["notional_min"] = json!(0);
                market["entry"]["notional_max"] = Value::Null;
            }
        };
        let mut config = config_of(seed, change);
        config["breakers"] = json!([]);
        let commands = stream(&config, seed, LENGTH, |r| {
            let inside = |price: i64| price.clamp(50, 400);
            Some(match (r.kind, r.code) {
                (command::TERM, term::PROTECTION_PPM) => {
                    Record { code: term::PROTECTION_TICKS, price: 2, ..*r }
                }
                (command::TERM, term::STOP | term::TAKE_PROFIT) | (command::REPLACE | command::BLOCK, _) => {
                    Record { price: inside(r.price), ..*r }
                }
                (command::PLACE, code) if code != order_type::MARKET => {
                    Record { price: inside(r.price), ..*r }
                }
                (command::INDEX, _) => Record { price: r.price.clamp(190, 210), ..*r },
                (command::QUOTE, _) => Record { price: inside(r.price), amount: inside(r.amount), ..*r },
                _ => *r,
            })
        });
        let (mut plain, mut high) = (Tape::new(&config), Tape::new(&config));
        for r in &commands {
            let events = plain.play(r);
            let wanted: Vec<Record> = events.iter().map(|e| shifted(e, r, BY)).collect();
            assert_same(seed, r, &wanted, &high.play(&shifted(r, r, BY)));
            traded.add(&events);
        }
    }
    traded.enough();
}

/// Lots by market, account, side and price of the fills of some events.
fn lots_of(events: &[Record]) -> BTreeMap<(u16, u32, u8, i64), i64> {
    let mut lots = BTreeMap::new();
    for e in events.iter().filter(|e| e.kind == event::FILL) {
        *lots.entry((e.market, e.account, e.side, e.price)).or_default() += e.qty;
    }
    lots
}

/// The stream with a Pulse before every command that does not follow a Term: timers and fired orders have had their
/// turn when a changed run puts something in.
fn calm(commands: &[Record]) -> Vec<Record> {
    let mut calm = Vec::new();
    for (i, r) in commands.iter().enumerate() {
        if i == 0 || commands[i - 1].kind != command::TERM {
            calm.push(pulse_before(r));
        }
        calm.push(*r);
    }
    calm
}

/// Prevention of self-trades (two orders are not cancelled for one), other legs and client ids (they name one order)
/// are left out, as are limits that count orders; every market is in price-time. Half of the plain orders that come
/// to rest whole, are not reduce-only and are never replaced, are split.
#[test]
fn two_neighbours_trade_like_the_one_order_that_they_were() {
    let mut traded = Traded::default();
    let mut splits = 0;
    for seed in 1..=STREAMS {
        let mut rng = Rng::new(seed);
        let mut config = config_of(seed, |market| {
            market["allocation"] = json!({"type": "price_time"});
            market["client_ids"] = json!("none");
            market.as_object_mut().expect("a table").remove("entry");
        });
        config["limits"]["orders_max"] = json!(5000);
        config["limits"]["triggers_per_step"] = json!(5000);
        let commands = stream(&config, seed, LENGTH, |r| match (r.kind, r.code) {
            (command::OPEN_ACCOUNT, _) => Some(Record { code: 0, order: 0, ..*r }),
            (command::PLACE, _) => Some(Record { flags: r.flags & 31, order: 0, ..*r }),
            (command::QUOTE, _) => Some(Record { flags: r.flags & 5, ..*r }),
            (command::TERM, term::OTHER_LEG) => None,
            _ => Some(*r),
        });
        let commands = calm(&commands);
        let replaced: BTreeSet<u64> =
            commands.iter().filter(|r| r.kind == command::REPLACE).map(|r| r.order >> SLOT_BITS).collect();
        let (mut plain, mut split) = (Tape::new(&config), Tape::new(&config));
        let mut halves: BTreeMap<u64, [u64; 2]> = BTreeMap::new();
        for (i, r) in commands.iter().enumerate() {
            let events = plain.play(r);
            let number = events.first().filter(|e| e.kind == event::ACCEPTED).map_or(0, |e| e.order);
            let after_term = i > 0 && commands[i - 1].kind == command::TERM;
            let plain_order = r.kind == command::PLACE && r.flags & flag::REDUCE_ONLY == 0 && !after_term;
            let rests = events.len() == 1 && plain_order && r.qty > 1;
            let got = if rests && number > 0 && !replaced.contains(&number) && rng.chance(50) {
                let first = rng.within(1, r.qty - 1);
                let ids = [first, r.qty - first].map(|qty| {
                    let events = split.insert(&Record { qty, ..*r });
                    assert_eq!(events.len(), 1, "seed {seed}: half of {} does not rest", told(r));
                    split.newest().expect("it was accepted")
                });
                split.skip_number();
                halves.insert(number, ids);
                splits += 1;
                Vec::new()
            } else if let (command::CANCEL, Some(ids)) = (r.kind, halves.get(&(r.order >> SLOT_BITS))) {
                // A wrong slot stays wrong.
                let named = |id: &u64| Record { order: id ^ (r.order & SLOT_MASK), ..*r };
                ids.iter().flat_map(|id| split.insert(&named(id))).collect()
            } else {
                split.play(r)
            };
            if lots_of(&got) != lots_of(&events) {
                assert_same(seed, r, &events, &got);
            }
            traded.add(&events);
        }
    }
    println!("{splits} orders were split");
    assert!(splits > 1000);
    traded.enough();
}

/// Every rule takes part; a table of leading accounts is renamed with them.
#[test]
fn other_numbers_of_accounts_give_the_same_events_with_them() {
    let mut traded = Traded::default();
    for seed in 1..=STREAMS {
        let mut rng = Rng::new(seed);
        let mut names: Vec<u32> = (0..ACCOUNTS).collect();
        for i in (1..names.len()).rev() {
            names.swap(i, rng.below(i + 1));
        }
        let renamed = |account: u32| {
            usize::try_from(account).ok().and_then(|a| names.get(a)).copied().unwrap_or(account)
        };
        let config = cell(seed % CELLS, seed, Dialect::Full);
        let mut other = config.clone();
        for market in other["markets"].as_array_mut().expect("a list") {
            for row in market["allocation"]["lead"].as_array_mut().into_iter().flatten() {
                let account = row["account"].as_u64().and_then(|a| u32::try_from(a).ok());
                row["account"] = json!(renamed(account.expect("an account")));
            }
        }
        let commands = stream(&config, seed, LENGTH, |r| Some(*r));
        let (setup, commands) = commands.split_at(2 * usize::try_from(ACCOUNTS).expect("few"));
        let (mut plain, mut changed) = (Tape::new(&config), Tape::new(&other));
        // Accounts open in the order of their new numbers.
        for account in 0..ACCOUNTS {
            let old = names.iter().position(|n| *n == account).expect("a permutation");
            let place = 2 * usize::try_from(account).expect("few");
            for (r, s) in setup[2 * old..].iter().take(2).zip(&setup[place..]) {
                changed.insert(&Record { account: renamed(r.account), at: s.at, source: s.source, ..*r });
            }
        }
        for r in setup {
            plain.play(r);
        }
        for r in commands {
            let (account, mut order) = (renamed(r.account), r.order);
            if r.kind == command::BLOCK {
                order = u32::try_from(order).map_or(order, |seller| renamed(seller).into());
            }
            let events = plain.play(r);
            let rename = |e: &Record| {
                let blocks = e.kind == event::REJECTED && r.kind == command::BLOCK;
                let about = !matches!(e.kind, event::PHASE_CHANGED | event::UNCROSSED | event::MARKED);
                let account = if about { renamed(e.account) } else { e.account };
                // A command of no account repeats what stood there.
                Record { account, order: if blocks { order } else { e.order }, ..*e }
            };
            let wanted: Vec<Record> = events.iter().map(rename).collect();
            assert_same(seed, r, &wanted, &changed.play(&Record { account, order, ..*r }));
            traded.add(&events);
        }
    }
    traded.enough();
}

/// The far order is of an account of its own. Limits that count orders are left out, and so is what the far order
/// changes by standing there when its side is empty otherwise: the averaged basis, and protection from the touch.
/// Streams in which something reaches it are left, and counted.
#[test]
fn a_far_order_that_comes_and_goes_changes_nothing_else() {
    let mut traded = Traded::default();
    let (mut inserted, mut reached) = (0, 0);
    for seed in 1..=STREAMS {
        let mut rng = Rng::new(seed);
        let mut config = config_of(seed, |market| {
            market["price_max"] = json!(200);
            market["position_max"] = json!(1000);
            market["open_interest_max"] = json!(100_000);
            market["mark"]["method"] = json!(if seed % 2 == 0 { "index" } else { "last" });
            market.as_object_mut().expect("a table").remove("entry");
        });
        config["breakers"] = json!([]);
        config["limits"]["orders_max"] = json!(5000);
        config["limits"]["triggers_per_step"] = json!(5000);
        let commands = stream(&config, seed, LENGTH, |r| {
            let near = |price: i64| price.clamp(2, 199);
            Some(match (r.kind, r.code) {
                // Nothing reaches so far.
                (command::PLACE, order_type::MARKET) => Record { code: order_type::IOC, price: 100, ..*r },
                (command::TERM, term::PROTECTION_PPM | term::PROTECTION_TICKS) => pulse_before(r),
                (command::PLACE | command::REPLACE, _) => Record { price: near(r.price), ..*r },
                (command::QUOTE, _) => Record { price: near(r.price), amount: near(r.amount), ..*r },
                (command::OPEN_ACCOUNT, _) if r.code > 4 => pulse_before(r),
                _ => *r,
            })
        });
        let commands = calm(&commands);
        let mut wider = config.clone();
        wider["limits"]["accounts_max"] = json!(ACCOUNTS + 1);
        let (mut plain, mut changed) = (Tape::new(&wider), Tape::new(&wider));
        let stranger = Record { market: NO_MARKET, account: STRANGER, ..Record::default() };
        let mut far: Vec<Record> = Vec::new();
        let mut opened = false;
        for (i, r) in commands.iter().enumerate() {
            let theirs = |e: &&Record| e.account != STRANGER || e.kind == event::MARKED;
            let after_term = i > 0 && commands[i - 1].kind == command::TERM;
            if !opened && i > 4 * usize::try_from(ACCOUNTS).expect("few") && !after_term {
                opened = true;
                for run in [&mut plain, &mut changed] {
                    run.insert(&Record { kind: command::OPEN_ACCOUNT, at: r.at, ..stranger });
                    let amount = 100_000_000_000;
                    run.insert(&Record { kind: command::DEPOSIT, amount, at: r.at, ..stranger });
                }
            }
            let quiet = |p: &Record| p.kind == command::PULSE && p.at == r.at;
            if opened && !after_term && quiet(&commands[i.max(1) - 1]) && rng.chance(20) {
                let (side, market) = (rng.pick(&[0, 1]), rng.pick(&[0, 1]));
                let price = if side == 0 { 1 } else { 200 };
                let flags = rng.pick(&[0, flag::HIDDEN, flag::POST_ONLY]);
                let (kind, qty) = (command::PLACE, rng.within(1, 9));
                let order =
                    Record { kind, market, side, price, flags, qty, at: r.at, source: r.source, ..stranger };
                if changed.insert(&order).iter().any(|e| e.kind == event::ACCEPTED) {
                    inserted += 1;
                    far.push(Record { order: changed.newest().expect("it was accepted"), ..order });
                }
            }
            let wanted = plain.play(r);
            let got = changed.play(r);
            if got.iter().any(|e| e.kind == event::FILL && e.account == STRANGER) {
                reached += 1;
                break;
            }
            let wanted: Vec<Record> = wanted.iter().filter(theirs).copied().collect();
            let got: Vec<Record> = got.iter().filter(theirs).copied().collect();
            assert_same(seed, r, &unnumbered(&wanted), &unnumbered(&got));
            traded.add(&wanted);
            if !far.is_empty() && r.kind != command::TERM && rng.chance(30) {
                let order = far.swap_remove(rng.below(far.len()));
                let cancel =
                    Record { kind: command::CANCEL, flags: 0, at: r.at, qty: 0, price: 0, side: 0, ..order };
                changed.insert(&cancel);
            }
        }
    }
    println!("{inserted} far orders, {reached} streams were left");
    assert!(inserted > 1000 && reached * 10 < STREAMS);
    traded.enough();
}
