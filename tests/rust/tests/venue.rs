//! Properties of the whole venue on random streams of commands. A failure names its seed.

use seawall_core::{
    AccountId, Audit, Command, Config, EventDigest, Events, Journal, JournalWriter, MarketId, Nanos, Phase,
    Ppm, Price, Qty, Record, Reject, Venue, hex, protocol::command,
};
use seawall_tests::stream::{Counts, Rng, World, daring, lively, refused, unit};
use serde_json::{Value, json};

const SEEDS: u64 = 100;
const LENGTH: usize = 400;

fn venue_of(config: &Value) -> Venue {
    let mut venue = Venue::new(Config::new(&config.to_string()).expect("a valid configuration"));
    venue.set_audit(Audit::Full);
    venue
}

fn world(seed: u64, length: usize) -> World {
    World::run(seed, length, venue_of(&lively(seed)), |_, _, _| {})
}

fn apply(venue: &mut Venue, record: &Record) -> Vec<Record> {
    let mut events = Events::new();
    venue.apply_record(record, &mut events);
    events.into_vec()
}

#[test]
fn money_and_guards_hold_after_every_command() {
    // Audit::Full counts money and positions anew and compares the guard index with a scan for liquidations; the
    // scan for calls is made here.
    let mut counts = Counts::default();
    for seed in 1..=SEEDS {
        let look = |venue: &Venue, command: &Record, events: &[Record]| {
            assert!(venue.conservation().ok, "seed {seed}: {command:?}");
            let spoken = events.iter().all(|e| e.venue == 0 && e.source == command.source);
            assert!(spoken, "seed {seed}: {command:?} {events:?}");
            for account in (0..venue.accounts()).map(AccountId::from_index) {
                let missed = venue.health(account).is_callable() && !venue.is_called(account);
                assert!(!missed, "seed {seed}: account {account} is not called after {command:?}");
            }
        };
        let world = World::run(seed, LENGTH, venue_of(&lively(seed)), look);
        let numbers = world.events.iter().map(|e| e.seq);
        assert!(numbers.eq(1..=world.venue.seq()), "seed {seed}: events are numbered without gaps");
        counts.add(&world.events);
    }
    report(&counts);
}

/// Prints what was reached, and fails for what was not.
fn report(counts: &Counts) {
    let kinds = [
        (101, "opened"),
        (102, "deposited"),
        (103, "withdrawn"),
        (104, "funded"),
        (110, "phase"),
        (111, "tripped"),
        (200, "accepted"),
        (202, "cancelled"),
        (203, "replaced"),
        (210, "fill"),
        (300, "uncrossed"),
        (400, "marked"),
        (410, "funding"),
        (411, "funding paid"),
        (500, "called"),
        (501, "cleared"),
        (510, "liquidation"),
        (511, "closing"),
        (512, "ended"),
        (513, "taken over"),
        (520, "fund paid"),
        (521, "fund received"),
        (522, "collateral sold"),
        (530, "adl"),
        (531, "adl fill"),
        (532, "adl rest"),
        (540, "socialised"),
        (541, "bad debt"),
    ];
    for (kind, name) in kinds {
        println!("{name:16} {:6}", counts.of(kind));
        assert!(counts.of(kind) > 0, "no event {kind} ({name}) was reached");
    }
    for code in Reject::ALL {
        println!("{:20} {:6}", format!("{code:?}"), counts.rejected(code.code()));
    }
}

#[test]
fn a_snapshot_in_the_middle_changes_nothing_that_follows() {
    for seed in 1..=SEEDS {
        let world = world(seed, LENGTH);
        let mut rng = Rng::new(seed);
        let mut venue = venue_of(&world.config);
        let mut events = Vec::new();
        for command in &world.commands {
            if rng.chance(3) {
                let copy = Venue::restore(&venue.snapshot()).expect("its own snapshot");
                assert_eq!(copy.digest(), venue.digest(), "seed {seed}");
                assert_eq!(copy.snapshot(), venue.snapshot(), "seed {seed}");
                venue = copy;
            }
            events.extend(apply(&mut venue, command));
        }
        // Slots are part of these bytes: later ids are the same as well.
        assert!(events == world.events, "seed {seed}: events differ after a restore");
        assert_eq!(venue.digest(), world.venue.digest(), "seed {seed}");
    }
}

#[test]
fn a_journal_replays_to_the_same_bytes_wherever_batches_were_cut() {
    for seed in 1..=SEEDS {
        let world = world(seed, LENGTH);
        let mut rng = Rng::new(seed);
        let config = Config::new(&world.config.to_string()).expect("a valid configuration");
        let (mut writer, mut bytes) = JournalWriter::of(&Venue::new(config.clone())).expect("a new venue");
        assert!(JournalWriter::of(&world.venue).is_none(), "a journal cannot begin in the middle");
        let mut rest = &world.commands[..];
        let mut ends = Vec::new();
        while !rest.is_empty() {
            let (batch, tail) = rest.split_at((1 + rng.below(40)).min(rest.len()));
            bytes.extend(writer.frame(batch));
            ends.push((bytes.len(), batch.len()));
            rest = tail;
        }
        let journal = Journal::read(&bytes).expect("its own journal");
        let (venue, events) = journal.replay();
        assert_eq!((journal.torn, &journal.commands), (0, &world.commands), "seed {seed}");
        assert!(events.as_slice() == world.events, "seed {seed}: events differ after a replay");
        assert_eq!(venue.digest(), world.venue.digest(), "seed {seed}");
        // A last frame that was not written whole is dropped and counted.
        let (end, count) = ends[ends.len() - 1];
        let torn = Journal::read(&bytes[..end - 1]).expect("only the last frame is torn");
        assert_eq!(torn.commands.len(), world.commands.len() - count, "seed {seed}");
        assert!(torn.torn > 0, "seed {seed}");
    }
}

#[test]
fn an_infinite_band_gives_the_same_event_bytes_as_no_breaker() {
    for seed in 1..=SEEDS {
        let world = world(seed, LENGTH);
        for action in ["cap", "reject"] {
            let mut config = world.config.clone();
            let list = config["breakers"].as_array_mut().expect("a list");
            list.push(seawall_tests::band("infinite", &[0, 1], None, action));
            let mut venue = venue_of(&config);
            let events: Vec<Record> = world.commands.iter().flat_map(|c| apply(&mut venue, c)).collect();
            assert!(
                events == world.events,
                "seed {seed}: an infinite band that would {action} changed something"
            );
        }
    }
}

#[test]
fn seeds_differ_and_repeat() {
    assert_eq!(world(1, LENGTH).venue.digest(), world(1, LENGTH).venue.digest());
    assert_ne!(world(1, LENGTH).venue.digest(), world(2, LENGTH).venue.digest());
}

#[test]
fn one_world_has_the_events_that_it_always_had() {
    // It changes with what the venue does, and then in a commit that says why.
    let mut digest = EventDigest::new();
    digest.update(&world(1, LENGTH).events);
    assert_eq!(hex(&digest.finish()), "8db3fa615199bff0db0f1f3f23dc855bf9ab458174a8ab341a8c44ee0c4cac7b");
}

/// Orders refused for what they ask at entry, each behind the commands that it comes with: the names, steps and
/// limits of the second market, prices that fired already, times that have passed.
fn wrong_entries(venue: &Venue) -> Vec<Vec<Record>> {
    let market = MarketId::new(1);
    let now = venue.now();
    let mark = venue.mark(market).unwrap_or(Price::new(100));
    let even = Price::new(mark.get() & !1);
    let mut all = Vec::new();
    for account in (0..venue.accounts()).map(AccountId::from_index) {
        let place = |price, qty| {
            let (code, flags, qty) = (0, 0, Qty::new(qty));
            Command::Place { market, account, side: 0, code, flags, price, qty }.encode(now)
        };
        let term = |code| Record {
            kind: command::TERM,
            code,
            price: 0,
            qty: 0,
            order: 0,
            amount: 0,
            ..place(even, 0)
        };
        let stop = Record { price: 1, flags: 1, ..term(1) };
        let late = Record { amount: now.get().max(1), ..term(5) };
        all.extend([
            vec![place(Price::new(even.get() | 1), 2)],
            vec![place(even, 3)],
            vec![place(even, 500)],
            vec![place(even, 2)],
            vec![stop, place(even, 2)],
            vec![late, place(even, 2)],
            vec![late, stop, place(even, 2)],
            // Terms that are broken, or another market's.
            vec![stop, stop, place(even, 2)],
            vec![stop, Record { market: 0, ..place(even, 2) }],
        ]);
        let named = Record { order: 9, ..place(Price::new(2), 2) };
        all.push(vec![named, named]);
    }
    all
}

/// A command for every way to be refused, whatever the state of the venue.
fn wrong_commands(venue: &Venue) -> Vec<Record> {
    let now = venue.now();
    let market = MarketId::new(0);
    let account = AccountId::new(0);
    let mark = venue.mark(market).unwrap_or(Price::new(100));
    let one = Qty::new(1);
    let place = |account, side, code, flags, price, qty| {
        Command::Place { market, account, side, code, flags, price, qty }.encode(now)
    };
    let far = |side: u8| if side == 0 { Price::new(10_000) } else { Price::new(1) };
    let mut all = vec![
        Record { kind: 99, at: now.get(), ..Record::default() },
        Record { at: now.get() - 1, ..Command::Pulse.encode(now) },
        Record { market: 7, ..place(account, 0, 0, 0, mark, one) },
        place(AccountId::new(99), 0, 0, 0, mark, one),
        place(account, 2, 0, 0, mark, one),
        place(account, 0, 0, 0, mark, Qty::ZERO),
        place(account, 0, 0, 0, Price::ZERO, one),
        Command::OpenAccount.encode(now),
        Record {
            code: 9,
            ..Command::Deposit { account, asset: 0.into_asset(), amount: 1.into_money() }.encode(now)
        },
        Command::Deposit { account, asset: 0.into_asset(), amount: 0.into_money() }.encode(now),
        Record {
            code: 9,
            ..Command::FundDeposit { fund: 0.into_fund(), amount: 1.into_money() }.encode(now)
        },
        Command::SetPhase { market, code: 13, end: Nanos::ZERO }.encode(now),
        Command::Index { market, price: Price::ZERO }.encode(now),
        Record { kind: 30, code: 99, at: now.get(), ..Record::default() },
        Command::Volunteer { market, account, lots: one }.encode(now),
        Command::Settle { market, at: Nanos::ZERO }.encode(now),
        Command::SetMultiplier { market, initial: Ppm::ZERO, maintenance: Ppm::new(1_000_000) }.encode(now),
    ];
    // A crossed source, two that are too old or too young, one that is not there, and a price that is none.
    let told = |code, price, qty, amount| {
        let (at, market) = (now.get(), market.get());
        Record { kind: command::SOURCE, market, at, code, price, qty, amount, ..Record::default() }
    };
    all.extend([
        told(0, 101, 100, 0),
        told(0, 100, 0, 1),
        told(0, 100, 0, now.get() + 1),
        told(9, 100, 0, 0),
        told(0, 0, 0, 0),
    ]);
    for account in (0..venue.accounts()).map(AccountId::from_index) {
        let other = AccountId::from_index((account.index() + 1) % venue.accounts());
        for side in [0, 1] {
            let sweeps = [(0, 1), (2, 0), (0, 0), (1, 0), (1, 2), (3, 0)];
            for (code, flags) in sweeps {
                let price = if code == 3 { Price::ZERO } else { far(side) };
                for qty in [1, 50, 400, 1000] {
                    all.push(place(account, side, code, flags, price, Qty::new(qty)));
                }
            }
            all.push(place(account, side, 0, 0, mark, one));
        }
        let trade = |qty| {
            let (price, qty) = (mark, Qty::new(qty));
            Command::Block { market, buyer: account, seller: other.get().into(), price, qty }.encode(now)
        };
        all.extend([trade(1), trade(60), trade(700), trade(1000)]);
        for amount in [1, 1_000_000] {
            let (asset, amount) = (0.into_asset(), amount.into_money());
            all.push(Command::Withdraw { account, asset, amount }.encode(now));
        }
        for order in venue.open_orders(account, market) {
            all.push(Command::Cancel { market, account: other, order: order.id }.encode(now));
            let wrong = seawall_core::OrderId::new(order.id.acceptance(), order.id.slot() ^ 1);
            all.push(Command::Cancel { market, account, order: wrong }.encode(now));
            for (price, qty) in
                [(far(order.side.code()), order.qty), (order.price, Qty::new(1000)), (mark, one)]
            {
                all.push(Command::Replace { market, account, order: order.id, price, qty }.encode(now));
            }
        }
    }
    all
}

trait Into0 {
    fn into_asset(self) -> seawall_core::AssetId;
    fn into_fund(self) -> seawall_core::FundId;
    fn into_money(self) -> seawall_core::Money;
}

impl Into0 for i64 {
    fn into_asset(self) -> seawall_core::AssetId {
        seawall_core::AssetId::new(u16::try_from(self).expect("small"))
    }
    fn into_fund(self) -> seawall_core::FundId {
        seawall_core::FundId::new(u16::try_from(self).expect("small"))
    }
    fn into_money(self) -> seawall_core::Money {
        seawall_core::Money::new(self)
    }
}

#[test]
fn a_refused_command_changes_nothing() {
    // Two commands refused at the venue's own time, with no timer due, must leave the same state: a command of an
    // unknown kind, which is refused before anything else and only counts its event, and whatever else is refused.
    let mut counts = Counts::default();
    for seed in 1..=SEEDS / 5 {
        let mut config = lively(seed);
        config["markets"][0]["position_max"] = json!(500);
        config["markets"][0]["open_interest_max"] = json!(600);
        config["markets"][0]["margin"]["multipliers"] = json!(true);
        config["limits"]["orders_max"] = json!(if seed % 3 == 0 { 6 } else { 40 });
        config["markets"][1]["client_ids"] = json!("hashed");
        config["markets"][1]["entry"] = json!({
            "price_step": 2, "qty_step": 2, "qty_min": 1, "notional_min": 0, "notional_max": 40_000,
            "open_orders_max": 2,
        });
        config["assets"][0]["deposits_max"] = json!(20_000);
        config["withdrawal_gate"] = json!({"duration_ns": 20_000_000, "trigger": "negative_equity"});
        let mut step = 0;
        World::run(seed, LENGTH, venue_of(&config), |venue, _, _| {
            step += 1;
            if step % 20 != 0 && step > 3 {
                return;
            }
            let unknown = Record { kind: 99, at: venue.now().get(), ..Record::default() };
            let mut untouched = venue.clone();
            apply(&mut untouched, &unknown);
            if venue.timers_pending() {
                // The settlement goes on first, whatever the command is.
                let mut one = venue.clone();
                let events = apply(&mut one, &Command::OpenAccount.encode(venue.now()));
                counts.add(&events);
                return;
            }
            let digest = untouched.digest();
            let orders = wrong_commands(venue).into_iter().map(|command| vec![command]);
            for commands in orders.chain(wrong_entries(venue)) {
                let (command, before) = commands.split_last().expect("it has a command");
                let mut tried = venue.clone();
                for command in before {
                    apply(&mut tried, command);
                }
                let digest = if before.is_empty() {
                    digest
                } else {
                    let mut untouched = tried.clone();
                    apply(&mut untouched, &unknown);
                    untouched.digest()
                };
                let events = apply(&mut tried, command);
                // A breaker that refuses an order, and nobody else, says so before.
                let refused = match events[..] {
                    [event] if event.code != Reject::BandRefuses.code() => Some(event),
                    [bound, event] if bound.kind == 112 && bound.flags == 0 => {
                        assert_eq!(event.code, Reject::BandRefuses.code(), "seed {seed}: {event:?}");
                        Some(event)
                    }
                    _ => None,
                };
                assert!(
                    refused.is_some()
                        || events.iter().all(|e| e.kind != 100 || e.code != 211 || e.flags == 7),
                    "seed {seed}: {command:?} is refused by a band that says nothing, {events:?}"
                );
                if let Some(event) = refused.filter(|event| event.kind == 100) {
                    counts.add(&events);
                    let digest = if events.len() == 2 {
                        // What was said has its number.
                        let mut untouched = venue.clone();
                        for command in before {
                            apply(&mut untouched, command);
                        }
                        apply(&mut untouched, &unknown);
                        apply(&mut untouched, &unknown);
                        untouched.digest()
                    } else {
                        digest
                    };
                    assert_eq!(tried.digest(), digest, "seed {seed}: {command:?} left a trace, {event:?}");
                    let repeats =
                        (event.account, event.order, event.price, event.qty, event.amount, event.flags);
                    let sent = (
                        command.account,
                        command.order,
                        command.price,
                        command.qty,
                        command.amount,
                        command.kind,
                    );
                    assert_eq!(repeats, sent, "seed {seed}");
                }
            }
        });
    }
    // What concerns a plan from outside is counted in tests/plan.rs.
    for code in Reject::ALL.into_iter().filter(|code| !(250..=254).contains(&code.code())) {
        println!("{:20} {:6}", format!("{code:?}"), counts.rejected(code.code()));
        assert!(counts.rejected(code.code()) > 0, "{code:?} was not reached");
    }
}

/// What the table in docs/mechanics.md section 5 says: place (a: all, r: limit may rest, d: reducing, n: none),
/// matches, replace (y: yes, d: pure decrease, n: no), block, index, liquidation, ADL.
const PHASES: [(Phase, &str); 13] = [
    (Phase::PreOpen, "r n y y y n n"),
    (Phase::Continuous, "a y y y y y y"),
    (Phase::LimitState, "a y y n y y n"),
    (Phase::Straddle, "a y y y y y y"),
    (Phase::Guarded, "d y d n y y y"),
    (Phase::CoolingOff, "a y y n y y y"),
    (Phase::CallAuction, "r n y n y n n"),
    (Phase::Pause, "n n n n y n n"),
    (Phase::ReduceOnly, "d y d n y y y"),
    (Phase::CloseOnly, "d y d n y y y"),
    (Phase::Halted, "n n n n y n n"),
    (Phase::Closed, "n n n n n n n"),
    (Phase::Settlement, "n n n n n n n"),
];

/// Alice (0) is long 10 against Bob (1), Carol (2) is flat; Bob bids for 5, Carol offers 5; all in BTC at 100.
fn phase_world() -> (Venue, Vec<Record>) {
    let mut venue = venue_of(&unit());
    let at = Nanos::new(1);
    let market = MarketId::new(0);
    let (price, qty) = (Price::new(100), Qty::new(10));
    let account = AccountId::new;
    let mut events = Events::new();
    for (number, amount) in [(0, 100), (1, 10_000), (2, 10_000)] {
        venue.apply(at, &Command::OpenAccount, &mut events);
        let deposit =
            Command::Deposit { account: account(number), asset: 0.into_asset(), amount: amount.into_money() };
        venue.apply(at, &deposit, &mut events);
    }
    let bid = |account, side, price| Command::Place {
        market,
        account,
        side,
        code: 0,
        flags: 0,
        price: Price::new(price),
        qty: Qty::new(5),
    };
    for command in [
        Command::Index { market, price },
        Command::Index { market: MarketId::new(1), price },
        Command::Block { market, buyer: account(0), seller: 1, price, qty },
        bid(account(1), 0, 80),
        bid(account(2), 1, 120),
    ] {
        venue.apply(at, &command, &mut events);
    }
    assert!(events.as_slice().iter().all(|e| e.kind != 100), "the world is set up: {:?}", events.as_slice());
    (venue, events.into_vec())
}

/// The reject code of a command in a venue, 0 if it is accepted, and whether it traded.
fn outcome(venue: &Venue, command: &Command) -> (u16, bool) {
    let mut events = Events::new();
    let mut venue = venue.clone();
    venue.apply(venue.now(), command, &mut events);
    let refused = events.as_slice().iter().find(|e| e.kind == 100).map_or(0, |e| e.code);
    (refused, events.as_slice().iter().any(|e| e.kind == 210))
}

#[test]
#[allow(clippy::too_many_lines, reason = "a table of every phase and every command")]
fn every_phase_admits_what_the_table_says() {
    let (base, events) = phase_world();
    let id = |nth: usize| {
        let accepted = events.iter().filter(|e| e.kind == 200).nth(nth).expect("two orders rest");
        seawall_core::OrderId::from_raw(accepted.order)
    };
    let (market, other) = (MarketId::new(0), MarketId::new(1));
    let [alice, bob, carol] = [0, 1, 2].map(AccountId::new);
    let refused = Reject::PhaseRefuses.code();
    let mut checked = 0;
    for (phase, row) in PHASES {
        let [place, matches, replace, block, index, liquidation, adl] =
            row.split(' ').collect::<Vec<_>>().try_into().expect("seven columns");
        let mut venue = base.clone();
        let set = Command::SetPhase { market, code: phase.code(), end: Nanos::ZERO };
        assert_eq!(outcome(&venue, &set).0, 0, "{phase:?}");
        venue.apply(venue.now(), &set, &mut Events::new());
        let order = |account, side, code, price| Command::Place {
            market,
            account,
            side,
            code,
            flags: 0,
            price: Price::new(price),
            qty: Qty::new(2),
        };
        let mut check = |what: &str, command: &Command, code: u16, trades: bool| {
            assert_eq!(outcome(&venue, command), (code, trades), "{phase:?}: {what}");
            checked += 1;
        };
        let yes = |flag: &str| if flag == "y" { 0 } else { refused };
        // Orders: a limit order, one that opens and one that closes at once, each crossing a resting order.
        let limit = if matches!(place, "a" | "r") { 0 } else { refused };
        check("a limit order", &order(carol, 1, 0, 80), limit, limit == 0 && matches == "y");
        check("a limit order that closes", &order(alice, 1, 0, 80), limit, limit == 0 && matches == "y");
        for (kind, price) in [(1, 80), (2, 80), (3, 0)] {
            let opens = match place {
                "a" => 0,
                "d" => Reject::NotReducing.code(),
                _ => refused,
            };
            check("an order that opens at once", &order(carol, 1, kind, price), opens, opens == 0);
            let closes = if matches!(place, "a" | "d") { 0 } else { refused };
            check("an order that closes at once", &order(alice, 1, kind, price), closes, closes == 0);
        }
        // Cancels are admitted always.
        check("a cancel", &Command::Cancel { market, account: bob, order: id(0) }, 0, false);
        check("cancel all", &Command::CancelAll { market: MarketId::NONE, account: bob }, 0, false);
        let change = |price, qty| Command::Replace {
            market,
            account: bob,
            order: id(0),
            price: Price::new(price),
            qty: Qty::new(qty),
        };
        let decrease = if replace == "n" { refused } else { 0 };
        check("a pure decrease", &change(80, 4), decrease, false);
        check("a larger order", &change(80, 6), yes(replace), false);
        check("a crossing replace", &change(120, 5), yes(replace), replace == "y" && matches == "y");
        let trade =
            Command::Block { market, buyer: carol, seller: 1, price: Price::new(100), qty: Qty::new(1) };
        check("a block", &trade, yes(block), block == "y");
        check("an index", &Command::Index { market, price: Price::new(101) }, yes(index), false);
        check("an index elsewhere", &Command::Index { market: other, price: Price::new(101) }, 0, false);
        let (asset, amount) = (0.into_asset(), 1.into_money());
        for command in [
            Command::OpenAccount,
            Command::Deposit { account: bob, asset, amount },
            Command::Withdraw { account: bob, asset, amount },
            Command::FundDeposit { fund: 0.into_fund(), amount },
            Command::SetPhase { market, code: 1, end: Nanos::ZERO },
            Command::Pulse,
        ] {
            check("what concerns no market", &command, 0, false);
        }
        check_waterfall(&base, phase, liquidation == "y", adl == "y");
    }
    println!("{checked} pairs of phase and command");
}

/// Alice falls far below zero during a halt; in the next phase she is closed, or is not.
fn check_waterfall(base: &Venue, phase: Phase, liquidation: bool, adl: bool) {
    let (market, other) = (MarketId::new(0), MarketId::new(1));
    let mut venue = base.clone();
    let mut events = Events::new();
    let at = venue.now();
    for command in [
        Command::CancelAll { market, account: AccountId::new(1) },
        Command::SetPhase { market, code: Phase::Halted.code(), end: Nanos::ZERO },
        Command::Index { market, price: Price::new(70) },
        Command::SetPhase { market, code: phase.code(), end: Nanos::ZERO },
    ] {
        venue.apply(at, &command, &mut events);
    }
    events.clear();
    venue.apply(at, &Command::Index { market: other, price: Price::new(101) }, &mut events);
    let seen = |kind| events.as_slice().iter().any(|e| e.kind == kind);
    assert_eq!(
        (seen(511), seen(530), seen(531)),
        (liquidation, adl, adl),
        "{phase:?}: {:?}",
        events.as_slice()
    );
}

/// Splits a snapshot into its header (magic, version), its checksum and its body.
fn parts(snapshot: &[u8]) -> (&[u8], u64, &[u8]) {
    let sum = u64::from_le_bytes(snapshot[12..20].try_into().expect("eight bytes"));
    (&snapshot[..12], sum, &snapshot[20..])
}

/// The checksum of some bytes, a multiple of 64: that of a journal's frame with these bytes as its commands.
fn checksum(bytes: &[u8], config: &Config) -> u64 {
    let records: Vec<Record> = bytes.chunks_exact(64).map(record_of).collect();
    let frame = JournalWriter::begin(config).0.frame(&records);
    u64::from_le_bytes(frame[12..20].try_into().expect("eight bytes"))
}

fn record_of(bytes: &[u8]) -> Record {
    let short = |at: usize| u16::from_le_bytes(bytes[at..at + 2].try_into().expect("two bytes"));
    let long = |at: usize| i64::from_le_bytes(bytes[at..at + 8].try_into().expect("eight bytes"));
    let order = u64::from_le_bytes(bytes[32..40].try_into().expect("eight bytes"));
    let seq = u64::from_le_bytes(bytes[16..24].try_into().expect("eight bytes"));
    let account = u32::from_le_bytes(bytes[28..32].try_into().expect("four bytes"));
    Record {
        kind: short(0),
        flags: short(2),
        venue: short(4),
        market: short(6),
        at: long(8),
        seq,
        source: bytes[24],
        side: bytes[25],
        code: short(26),
        account,
        order,
        price: long(40),
        qty: long(48),
        amount: long(56),
    }
}

/// A snapshot of a world whose body is a multiple of 64 bytes, which the name of the venue sees to.
fn padded_snapshot(seed: u64) -> (Config, Vec<u8>) {
    for pad in 0..64 {
        let mut config = if seed.is_multiple_of(2) { daring(seed) } else { lively(seed) };
        config["name"] = json!("x".repeat(pad));
        let world = World::run(seed, 150, venue_of(&config), |_, _, _| {});
        let snapshot = world.venue.snapshot();
        if (snapshot.len() - 20).is_multiple_of(64) {
            return (world.venue.config().clone(), snapshot);
        }
    }
    panic!("one of 64 names has the right length");
}

#[test]
fn a_snapshot_cut_short_or_with_one_changed_byte_is_refused() {
    let snapshot = world(3, 150).venue.snapshot();
    assert!(Venue::restore(&snapshot).is_ok());
    for length in 0..snapshot.len() {
        let error = Venue::restore(&snapshot[..length]).expect_err("it is cut short").to_string();
        assert!(error.contains("snapshot"), "{length}: {error}");
    }
    let mut rng = Rng::new(3);
    for at in 0..snapshot.len() {
        for bit in [0, 7, rng.below(8)] {
            let mut changed = snapshot.clone();
            changed[at] ^= 1 << bit;
            assert!(Venue::restore(&changed).is_err(), "byte {at}, bit {bit}");
        }
    }
    let mut longer = snapshot.clone();
    longer.push(0);
    assert!(Venue::restore(&longer).is_err());
    println!("{} bytes, {} cuts and {} changes refused", snapshot.len(), snapshot.len(), 3 * snapshot.len());
}

#[test]
fn restore_never_panics_even_when_the_checksum_is_right() {
    let (mut refused, mut restored) = (0, 0);
    for seed in 1..=6 {
        let (config, snapshot) = padded_snapshot(seed);
        let (header, sum, body) = parts(&snapshot);
        assert_eq!(checksum(body, &config), sum, "seed {seed}: the checksum is that of a frame");
        let mut rng = Rng::new(seed);
        for at in 0..body.len() {
            for change in [1 << rng.below(8), 0xff, 0x80] {
                let mut body = body.to_vec();
                body[at] ^= change;
                let mut bytes = header.to_vec();
                bytes.extend(checksum(&body, &config).to_le_bytes());
                bytes.extend(body);
                let Ok(taken) = std::panic::catch_unwind(|| Venue::restore(&bytes).is_ok()) else {
                    panic!("seed {seed}: restore panicked with byte {at} changed by {change:#x}");
                };
                if taken { restored += 1 } else { refused += 1 }
            }
        }
    }
    println!("{refused} refused, {restored} restored");
}

#[test]
fn a_configuration_that_could_overflow_is_refused() {
    let most = i64::MAX;
    refused(&["markets", "0", "tick_value"], json!(most), "lower");
    refused(&["markets", "0", "tick_value"], json!(0), "tick_value");
    refused(&["markets", "0", "price_max"], json!(most), "price_max");
    refused(&["markets", "0", "open_interest_max"], json!(most), "open_interest_max");
    refused(&["markets", "0", "open_interest_max"], json!(most / 4), "lower");
    refused(&["markets", "0", "position_max"], json!(most / 4), "lower");
    refused(&["markets", "0", "order_qty_max"], json!(most / 4), "order_qty_max");
    refused(&["assets", "0", "deposits_max"], json!(most), "lower");
    refused(&["assets", "1", "deposits_max"], json!(most), "lower");
    refused(&["assets", "1", "collateral", "value_num"], json!(most), "lower");
    refused(&["markets", "0", "tiers", "0", "initial_ppm"], json!(1_000_001), "initial_ppm");
    refused(&["markets", "0", "tiers", "0", "maintenance_ppm"], json!(1_000_000), "maintenance");
    refused(&["markets", "0", "fees", "taker_ppm"], json!(most), "taker_ppm");
    refused(&["limits", "orders_max"], json!(1 << 24), "orders_max");
    refused(&["limits", "accounts_max"], json!(u32::MAX), "accounts_max");
    refused(&["unknown"], json!(1), "unknown");
    refused(&["markets", "0", "price_max"], json!(1.5), "1.5");
}
