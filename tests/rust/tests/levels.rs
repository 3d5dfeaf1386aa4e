//! Levels of margin on random streams: calls with deadlines, the fill level, close-out and backstop. What they did is
//! compared with what a look at every account before and after each command says. A failure names its seed.

use seawall_core::{
    AccountId, AssetId, Audit, Command, Config, Events, Health, MarketId, Money, Nanos, OrderType, Price,
    Qty, Record, Side, Venue, protocol::command, protocol::event,
};
use seawall_tests::stream::{Rng, World, calling, daring, refused, strained, unit};
use serde_json::{Value, json};
use std::collections::BTreeMap;

const SEEDS: u64 = 600;
const LENGTH: usize = 400;
const MILLISECOND: i64 = 1_000_000;
/// Cancelled for want of margin.
const MARGIN: u16 = 13;

/// How often each state has to be reached at least.
const REACHED: [(&str, u64); 14] = [
    ("calls with a deadline", 1_000),
    ("calls cured before it", 100),
    ("calls liquidated at it", 300),
    ("calls cured by prices at it", 20),
    ("calls made anew", 10),
    ("calls cut short by maintenance", 100),
    ("outcomes foreseen", 200),
    ("orders cancelled at the fill level", 100),
    ("the same in an auction", 10),
    ("fill-or-kill orders beside it", 20),
    ("rounds below close-out", 100),
    ("rounds below backstop", 100),
    ("whole accounts taken over first", 10),
    ("rounds foreseen to be below no level", 100),
];

/// A world with levels; the seed decides which.
fn leveled(seed: u64) -> Value {
    let mut rng = Rng::new(seed ^ 0x001e_7e15);
    let mut config = match seed % 3 {
        0 => daring(seed),
        1 => strained(seed),
        _ => calling(seed),
    };
    let mut whole = false;
    for market in config["markets"].as_array_mut().expect("a list") {
        market["allocation"] = json!({"type": "price_time"});
        whole |= market["liquidation"]["policy"]["type"] == "portfolio_share";
        if rng.chance(20) {
            market["liquidation"]["enabled"] = json!(false);
        }
    }
    let mut some = |percent: i64, value: Value| if rng.chance(percent) { value } else { Value::Null };
    config["backstop"] = some(60, json!(1));
    let backstop = if config["backstop"].is_null() { 0 } else { 80 };
    let fill = some(70, json!({"num": seed % 4, "den": 3 + seed % 2}));
    let close_out = some(
        if whole { 0 } else { 60 },
        json!({"below": {"num": 1 + seed % 4, "den": 4}, "book": !seed.is_multiple_of(3)}),
    );
    config["levels"] = json!({
        "fill": fill, "close_out": close_out, "backstop": some(backstop, json!({"num": 2, "den": 3})),
    });
    if !whole {
        config["margin_call_ppm"] = json!(rng.pick(&[1_250_000, 1_500_000]));
        config["margin_call_grace_ns"] = json!(rng.pick(&[0, 2, 5, 20]) * MILLISECOND);
    }
    config
}

#[derive(Debug, Default)]
struct Counts(BTreeMap<&'static str, u64>);

impl Counts {
    fn add(&mut self, what: &'static str, times: bool) {
        *self.0.entry(what).or_default() += u64::from(times);
    }
}

/// What is known of the venue before a command.
#[derive(Default)]
struct Before {
    health: Vec<Health>,
    due: BTreeMap<u32, i64>,
    /// Lots of orders that have to be filled whole, by id.
    whole: BTreeMap<u64, i64>,
}

fn accounts(venue: &Venue) -> impl Iterator<Item = AccountId> + use<> {
    (0..venue.accounts()).map(AccountId::from_index)
}

fn is_below(health: &Health, level: &Value) -> bool {
    let part = |name: &str| i128::from(level[name].as_i64().expect("a number"));
    !level.is_null() && health.equity.get() * part("den") < health.maintenance.get() * part("num")
}

/// Every account has the deadline that the rules give it.
fn check_state(venue: &Venue, seed: u64) {
    let has_grace = venue.config().margin_call_grace_ns.get() > 0;
    for account in accounts(venue) {
        let (due, called) = (venue.call_due(account), venue.is_called(account));
        let free = !venue.is_in_liquidation(account);
        assert!(due.is_none() || (called && free && has_grace), "seed {seed}: {account} has a deadline");
        if free {
            assert!(!venue.health(account).is_callable() || called, "seed {seed}: {account} is not called");
            assert_eq!(due.is_some(), called && has_grace, "seed {seed}: account {account}");
        }
        let late = due.is_some_and(|due| due <= venue.now()) && !venue.timers_pending();
        assert!(!late, "seed {seed}: the deadline of {account} is over");
    }
    let rows = venue.call_rows();
    assert!(
        rows.iter().all(|row| venue.is_called(row.account) && row.missing == row.requirement - row.equity)
    );
    assert!(rows.is_sorted_by_key(|row| (row.due.is_zero(), row.due)), "seed {seed}");
}

/// Deadlines that passed before anything else happened led to what the account's health says.
fn check_deadlines(before: &Before, events: &[Record], seed: u64, counts: &mut Counts) {
    let mut calm = true;
    for (i, e) in events.iter().enumerate() {
        let due = before.due.get(&e.account).is_some_and(|due| *due <= e.at);
        let health = usize::try_from(e.account).ok().and_then(|a| before.health.get(a));
        let short = health.is_some_and(Health::is_callable);
        match e.kind {
            event::MARGIN_CALL_CLEARED => {
                counts.add("calls cured by prices at it", due && calm);
                counts.add("calls cured before it", !due && before.due.contains_key(&e.account));
                assert!(!(due && calm && short), "seed {seed}: {e:?} has not cured its call");
                counts.add("outcomes foreseen", due && calm);
            }
            event::LIQUIDATION_STARTED if e.flags == 1 => {
                assert!(due, "seed {seed}: {e:?} before its deadline");
                counts.add("calls liquidated at it", true);
                assert!(!calm || short, "seed {seed}: {e:?} has cured its call");
                counts.add("outcomes foreseen", calm);
            }
            event::LIQUIDATION_STARTED => {
                counts.add("calls cut short by maintenance", before.due.contains_key(&e.account));
                calm = false;
            }
            event::MARGIN_CALLED => counts.add("calls made anew", due && calm),
            event::MARGIN_CALL_DUE => {
                let called = &events[i - 1];
                assert_eq!((called.kind, called.account), (event::MARGIN_CALLED, e.account), "seed {seed}");
                assert_eq!(e.qty, called.qty - called.amount, "seed {seed}: {e:?}");
                assert!(e.qty > 0 && e.amount > e.at, "seed {seed}: {e:?}");
                counts.add("calls with a deadline", true);
            }
            event::WITHDRAWALS_GATED => {}
            _ => calm = false,
        }
    }
}

/// In a step that begins with one round: which levels it says it is below is what health before the step says.
fn check_levels(config: &Value, before: &Before, events: &[Record], seed: u64, counts: &mut Counts) {
    let quiet = |e: &Record| e.kind == event::CANCELLED;
    let first = events.iter().find(|e| !quiet(e));
    let Some(first) = first else { return };
    if !matches!(first.kind, event::LEVEL_REACHED | event::LIQUIDATION_ORDER) {
        return;
    }
    let Some(health) = usize::try_from(first.account).ok().and_then(|a| before.health.get(a)) else { return };
    let levels = &config["levels"];
    let backstop = is_below(health, &levels["backstop"]);
    let close_out = is_below(health, &levels["close_out"]["below"]);
    let told = first.kind == event::LEVEL_REACHED;
    assert_eq!(told, backstop || close_out, "seed {seed}: {first:?} with {health:?}");
    counts.add("rounds foreseen to be below no level", !told);
    let taken = |e: &Record| e.kind == event::TAKEN_OVER && e.account == first.account;
    let early = !levels["backstop"].is_null() && !backstop && events.iter().any(taken);
    assert!(!early, "seed {seed}: {first:?} was taken over with {health:?}");
    if told {
        assert_eq!(first.code, if backstop { 2 } else { 1 }, "seed {seed}: {first:?} with {health:?}");
        let said = (i128::from(first.amount), i128::from(first.qty));
        assert_eq!(said, (health.equity.get(), health.maintenance.get()), "seed {seed}: {first:?}");
    }
}

fn check_events(config: &Value, events: &[Record], seed: u64, counts: &mut Counts) {
    let levels = &config["levels"];
    let auction = events.iter().any(|e| e.kind == event::UNCROSSED);
    for (i, e) in events.iter().enumerate() {
        match e.kind {
            event::CANCELLED if e.code == MARGIN => {
                assert!(!levels["fill"].is_null(), "seed {seed}: {e:?}");
                counts.add("orders cancelled at the fill level", true);
                counts.add("the same in an auction", auction);
            }
            event::LEVEL_REACHED => {
                counts
                    .add(if e.code == 1 { "rounds below close-out" } else { "rounds below backstop" }, true);
                let next = events.get(i + 1..).unwrap_or_default();
                let taken = next.iter().take_while(|n| n.kind == event::TAKEN_OVER).count();
                let ends = next.get(taken).is_some_and(|n| n.kind == event::LIQUIDATION_ENDED && n.code == 2);
                counts.add("whole accounts taken over first", e.code == 2 && taken > 0 && ends);
                let order = next.iter().find(|n| n.account == e.account);
                let book = levels["close_out"]["book"] == true;
                let offered = order.is_some_and(|n| n.kind == event::LIQUIDATION_ORDER && n.flags == 0);
                assert!(e.code == 2 || book || !offered, "seed {seed}: {e:?} was followed by {order:?}");
            }
            _ => {}
        }
    }
}

/// An order that has to be filled whole and was accepted is.
fn check_whole(before: &mut Before, command: &Record, events: &[Record], seed: u64, counts: &mut Counts) {
    let is_whole = command.kind == command::PLACE && command.code == OrderType::FillOrKill.code();
    for e in events {
        match e.kind {
            event::ACCEPTED if is_whole && e.flags & 256 == 0 => _ = before.whole.insert(e.order, e.qty),
            event::FILL => {
                if let Some(left) = before.whole.get_mut(&e.order) {
                    *left -= e.qty;
                }
            }
            _ => {}
        }
    }
    for (order, left) in std::mem::take(&mut before.whole) {
        assert_eq!(left, 0, "seed {seed}: order {order} was not filled whole after {command:?}");
        counts.add("fill-or-kill orders beside it", true);
    }
}

#[test]
fn levels_do_what_a_look_at_every_account_says() {
    let mut counts = Counts::default();
    for seed in 1..=SEEDS {
        let config = leveled(seed);
        let mut venue =
            Venue::new(Config::new(&config.to_string()).unwrap_or_else(|e| panic!("{e}: {config}")));
        venue.set_audit(Audit::Full);
        let mut before = Before::default();
        let one = config["limits"]["liquidation_rounds_per_step"] == 1 && config["block_limits"].is_null();
        let look = |venue: &Venue, command: &Record, events: &[Record]| {
            assert!(venue.conservation().ok, "seed {seed}: {command:?}");
            check_state(venue, seed);
            check_deadlines(&before, events, seed, &mut counts);
            check_events(&config, events, seed, &mut counts);
            if one && command.kind == command::PULSE {
                check_levels(&config, &before, events, seed, &mut counts);
            }
            if !config["levels"]["fill"].is_null() {
                check_whole(&mut before, command, events, seed, &mut counts);
            }
            before.health = accounts(venue).map(|a| venue.health(a)).collect();
            let due = accounts(venue).filter_map(|a| Some((a.get(), venue.call_due(a)?.get())));
            before.due = due.collect();
        };
        let world = World::run(seed, LENGTH, venue, look);
        let restored = Venue::restore(&world.venue.snapshot()).expect("its own snapshot");
        assert_eq!(restored.digest(), world.venue.digest(), "seed {seed}");
        assert_eq!(restored.call_rows(), world.venue.call_rows(), "seed {seed}");
    }
    let mut short = Vec::new();
    for (what, least) in REACHED {
        let times = counts.0.get(what).copied().unwrap_or_default();
        println!("{what:40} {times:7}, at least {least}");
        if times < least {
            short.push(what);
        }
    }
    assert!(short.is_empty(), "not reached often enough: {short:?}");
}

const BTC: MarketId = MarketId::new(0);
const ALICE: AccountId = AccountId::new(0);
const BOB: AccountId = AccountId::new(1);

fn sent(venue: &mut Venue, command: &Command) -> Vec<Record> {
    let mut events = Events::new();
    venue.apply(venue.now(), command, &mut events);
    events.into_vec()
}

/// `ceil(a / b)`, b positive.
fn up(a: i64, b: i64) -> i64 {
    -(-a).div_euclid(b)
}

/// Alice's order for `qty` rests at a price with so much money beside a position of hers, then the mark moves and Bob
/// takes some of it; true if it traded.
fn meets(config: &Value, case: &[i64; 6], side: Side) -> Option<bool> {
    let [held, cash, qty, price, mark, taken] = *case;
    let mut venue = Venue::new(Config::new(&config.to_string()).expect("a valid configuration"));
    for (account, amount) in [(ALICE, cash), (BOB, 900_000)] {
        sent(&mut venue, &Command::OpenAccount);
        sent(&mut venue, &Command::Deposit { account, asset: AssetId::new(0), amount: Money::new(amount) });
    }
    sent(&mut venue, &Command::Index { market: BTC, price: Price::new(100) });
    if held != 0 {
        let (buyer, seller) = if held > 0 { (ALICE, BOB) } else { (BOB, ALICE) };
        let (price, qty) = (Price::new(100), Qty::new(held.abs()));
        let seller = seller.get().into();
        sent(&mut venue, &Command::Block { market: BTC, buyer, seller, price, qty });
    }
    let place = |account, side: Side, qty| Command::Place {
        market: BTC,
        account,
        side: side.code(),
        code: 0,
        flags: 0,
        price: Price::new(price),
        qty: Qty::new(qty),
    };
    sent(&mut venue, &place(ALICE, side, qty));
    sent(&mut venue, &Command::Index { market: BTC, price: Price::new(mark) });
    if venue.open_orders(ALICE, BTC).is_empty() || venue.position(ALICE, BTC).base != Qty::new(held) {
        return None;
    }
    let events = sent(&mut venue, &place(BOB, side.opposite(), taken));
    let traded = events.iter().any(|e| e.kind == event::FILL && e.account == ALICE.get());
    let went = events.iter().any(|e| e.kind == event::CANCELLED && e.code == MARGIN);
    assert!(traded != went, "{case:?} {side:?}: {events:?}");
    assert!(venue.conservation().ok);
    Some(traded)
}

#[test]
fn a_resting_order_trades_exactly_if_its_account_carries_what_it_shows() {
    let mut rng = Rng::new(7);
    let [mut traded, mut went, mut at_once, mut edge] = [0; 4];
    for _ in 0..30_000 {
        let mut config = unit();
        let (num, den) = (rng.within(0, 4), 4);
        config["levels"]["fill"] = json!({"num": num, "den": den});
        let fee = rng.pick(&[0, 0, -1_000, 3_000]);
        config["markets"][0]["fees"]["maker_ppm"] = json!(fee);
        config["markets"][0]["liquidation"]["enabled"] = json!(false);
        let side = rng.pick(&[Side::Buy, Side::Sell]);
        let sign = if side == Side::Buy { 1 } else { -1 };
        let case @ [held, cash, qty, price, mark, _] = [
            rng.pick(&[0, 0, 1, -1]) * rng.within(0, 12),
            rng.within(20, 300),
            rng.within(1, 12),
            100 + rng.within(-3, 3),
            100 - sign * rng.within(0, 20),
            rng.within(1, 12),
        ];
        let Some(done) = meets(&config, &case, side) else { continue };
        // In plain numbers: all of the order at its price, everything at the mark.
        let end = held + sign * qty;
        let equity =
            cash + held * (mark - 100) + sign * qty * (mark - price) - up(price * qty * fee, 1_000_000);
        let (initial, maintenance) = (up(end.abs() * mark, 10), up(end.abs() * mark, 20));
        let need = maintenance + up((initial - maintenance) * num, den);
        let grows = end.abs() > held.abs();
        assert_eq!(done, !grows || equity >= need, "{case:?} {side:?}: {equity} of {need}");
        traded += usize::from(done && grows);
        went += usize::from(!done);
        at_once += usize::from(done && !grows && equity < need);
        edge += usize::from(grows && equity == need);
    }
    println!("traded {traded}, went {went}, reduced below the level {at_once}, at the level {edge}");
    assert!(traded > 2_000 && went > 2_000 && at_once > 50 && edge > 50);
}

#[test]
fn calls_and_deadlines_go_on_in_every_phase() {
    for phase in 0..=12 {
        let mut config = unit();
        config["margin_call_ppm"] = json!(1_250_000);
        config["margin_call_grace_ns"] = json!(10);
        let mut venue = Venue::new(Config::new(&config.to_string()).expect("a valid configuration"));
        venue.set_audit(Audit::Full);
        for (account, amount) in [(ALICE, 200), (BOB, 9_000)] {
            sent(&mut venue, &Command::OpenAccount);
            sent(
                &mut venue,
                &Command::Deposit { account, asset: AssetId::new(0), amount: Money::new(amount) },
            );
        }
        for market in [BTC, MarketId::new(1)] {
            sent(&mut venue, &Command::Index { market, price: Price::new(100) });
            let (buyer, seller) = (ALICE, BOB.get().into());
            let (price, qty) = (Price::new(100), Qty::new(10));
            sent(&mut venue, &Command::Block { market, buyer, seller, price, qty });
        }
        sent(&mut venue, &Command::SetPhase { market: BTC, code: phase, end: Nanos::ZERO });
        assert_eq!(venue.phase(BTC).code(), phase);
        // The other market's mark takes her from 200 to 110, of 1000 x 5 % + 910 x 5 % and a quarter more.
        let index = Command::Index { market: MarketId::new(1), price: Price::new(91) };
        let told = sent(&mut venue, &index);
        let due: Vec<(i64, i64)> =
            told.iter().filter(|e| e.kind == event::MARGIN_CALL_DUE).map(|e| (e.qty, e.amount)).collect();
        assert_eq!(due, [(10, 10)], "phase {phase}");
        let mut events = Events::new();
        venue.apply(Nanos::new(10), &Command::Pulse, &mut events);
        let started = |e: &&Record| e.kind == event::LIQUIDATION_STARTED && e.flags == 1;
        assert_eq!(events.as_slice().iter().filter(started).count(), 1, "phase {phase}");
        assert!(venue.is_in_liquidation(ALICE) && venue.call_rows().is_empty());
    }
}

#[test]
fn a_venue_without_levels_has_the_text_and_the_state_that_it_always_had() {
    let text = Config::new(&unit().to_string()).expect("a valid configuration").canonical();
    assert!(!text.contains("grace") && !text.contains("levels"), "{text}");
    for key in ["margin_call_grace_ns", "levels"] {
        let mut config = unit();
        config.as_object_mut().expect("an object").remove(key);
        assert_eq!(Config::new(&config.to_string()).expect("a valid configuration").canonical(), text);
    }
}

#[test]
fn levels_that_cannot_work_are_refused_by_field() {
    refused(&["margin_call_grace_ns"], json!(-1), "margin_call_grace_ns: -1: must be 0 (none) or positive");
    refused(&["margin_call_grace_ns"], json!(5), "margin_call_grace_ns: needs calls; set margin_call_ppm");
    let part = |num: i64, den: i64| json!({"num": num, "den": den});
    let bounds = "must be from 0 to 1, with a den of 1 to 1000000";
    refused(&["levels", "fill"], part(3, 2), &format!("levels.fill: 3 / 2: {bounds}"));
    refused(&["levels", "fill"], part(0, 0), &format!("levels.fill: 0 / 0: {bounds}"));
    refused(&["levels", "fill"], part(1, 1_000_001), "levels.fill: 1 / 1000001");
    refused(&["levels", "fill"], json!(0.5), "config: invalid type");
    refused(
        &["levels", "backstop"],
        part(2, 3),
        "levels.backstop: needs an account that takes over; set backstop",
    );
    refused(&["levels", "backstop"], part(0, 3), "levels.backstop: 0 / 3: must be above 0 to 1");
    refused(
        &["levels", "close_out"],
        json!({"below": part(0, 1), "book": true}),
        "levels.close_out.below: 0 / 1: must be above 0 to 1",
    );
    refused(&["levels", "open"], part(1, 2), "unknown field `open`");
    let mut config = unit();
    config["levels"]["fill"] = part(1, 2);
    config["markets"][1]["allocation"] =
        json!({"type": "pro_rata", "top_order": false, "lead": [], "fifo_ppm": 0, "minimum": 1});
    let told = Config::new(&config.to_string()).expect_err("shares count on every order").to_string();
    assert!(told.starts_with("levels.fill: does not go with the pro_rata allocation of ETH"), "{told}");
    for (key, value) in [
        ("levels", json!({"close_out": {"below": part(1, 2), "book": true}})),
        ("margin_call_grace_ns", json!(5)),
    ] {
        let mut config = unit();
        config["margin_call_ppm"] = json!(1_250_000);
        for market in config["markets"].as_array_mut().expect("a list") {
            market["liquidation"]["policy"] = json!({"type": "portfolio_share", "step_ppm": 200_000, "target_ppm": 900_000, "penalty_ppm": 0});
        }
        config[key] = value;
        let told = Config::new(&config.to_string()).expect_err("a share of everything").to_string();
        assert!(told.starts_with(key) && told.contains("portfolio_share"), "{told}");
    }
}

#[test]
fn a_deadline_survives_a_snapshot() {
    let mut config = unit();
    config["margin_call_ppm"] = json!(1_250_000);
    config["margin_call_grace_ns"] = json!(10);
    let mut venue = Venue::new(Config::new(&config.to_string()).expect("a valid configuration"));
    for (account, amount) in [(ALICE, 100), (BOB, 9_000)] {
        sent(&mut venue, &Command::OpenAccount);
        sent(&mut venue, &Command::Deposit { account, asset: AssetId::new(0), amount: Money::new(amount) });
    }
    sent(&mut venue, &Command::Index { market: BTC, price: Price::new(100) });
    let (price, qty) = (Price::new(100), Qty::new(10));
    sent(&mut venue, &Command::Block { market: BTC, buyer: ALICE, seller: BOB.get().into(), price, qty });
    sent(&mut venue, &Command::Index { market: BTC, price: Price::new(95) });
    assert_eq!(venue.call_due(ALICE), Some(Nanos::new(10)));
    let restored = Venue::restore(&venue.snapshot()).expect("its own snapshot");
    assert_eq!(restored.call_due(ALICE), Some(Nanos::new(10)));
    assert_eq!(restored.digest(), venue.digest());
}
