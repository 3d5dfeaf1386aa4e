//! Margin rules on random streams and fixed price paths: the guard index finds what a scan finds, liquidation prices
//! are met to the tick, and more collateral or a lower requirement never liquidates earlier. A failure names its seed.

use seawall_core::{
    AccountId, AssetId, Audit, Command, Config, Events, MarketId, Money, Nanos, Price, Qty, Record, Side,
    Venue, protocol::command, protocol::event,
};
use seawall_tests::stream::{Counts, Rng, Stream, refused, strained, unit};
use serde_json::{Value, json};

const SEEDS: u64 = 200;
const LENGTH: usize = 300;
const STARTED: u16 = 510;
const BTC: MarketId = MarketId::new(0);
const ALICE: AccountId = AccountId::new(0);
const BOB: AccountId = AccountId::new(1);

fn venue_of(config: &Value) -> Venue {
    let mut venue = Venue::new(Config::new(&config.to_string()).expect("a valid configuration"));
    venue.set_audit(Audit::Full);
    venue
}

/// The next command of a stream, in a world where most accounts are one group, and now and then a leverage or
/// a transfer instead.
fn next(stream: &mut Stream, rng: &mut Rng, venue: &Venue) -> Record {
    let record = stream.next(venue);
    if record.kind == command::OPEN_ACCOUNT {
        let group = u64::from(venue.accounts() % 4 != 3);
        return Record { order: group, ..record };
    }
    if venue.accounts() < 8 || !rng.chance(6) {
        return record;
    }
    let account = |rng: &mut Rng| AccountId::from_index(rng.below(8));
    let instead = if rng.chance(50) {
        let market = MarketId::from_index(rng.below(2));
        Command::SetLeverage { market, account: account(rng), leverage: rng.within(0, 12) }
    } else {
        let (asset, amount) = (AssetId::new(rng.pick(&[0, 0, 1])), Money::new(rng.within(1, 30)));
        Command::Transfer { account: account(rng), to: account(rng), asset, amount }
    };
    instead.encode(venue.now())
}

#[test]
fn guards_equal_a_full_scan_whatever_the_margin_rules() {
    // Audit::Full compares the guard index with a scan for liquidations; the scan for calls is made here.
    let mut counts = Counts::default();
    for seed in 1..=SEEDS {
        let mut venue = venue_of(&strained(seed));
        let (mut stream, mut rng) = (Stream::new(seed), Rng::new(seed ^ 0x77));
        let mut events = Events::new();
        for _ in 0..LENGTH {
            let command = next(&mut stream, &mut rng, &venue);
            venue.apply_record(&command, &mut events);
            assert!(venue.conservation().ok, "seed {seed}: {command:?}");
            for account in (0..venue.accounts()).map(AccountId::from_index) {
                let missed = venue.health(account).is_callable() && !venue.is_called(account);
                assert!(!missed, "seed {seed}: account {account} is not called after {command:?}");
            }
        }
        let restored = Venue::restore(&venue.snapshot()).expect("its own snapshot");
        assert_eq!(restored.digest(), venue.digest(), "seed {seed}");
        counts.add(events.as_slice());
    }
    let reached = [
        (105, "leverage", 200),
        (106, "transferred", 50),
        (500, "called", 50),
        (STARTED, "liquidation", 400),
        (512, "ended", 300),
        (522, "sold", 15),
    ];
    for (kind, name, least) in reached {
        println!("{name:12} {:6}", counts.of(kind));
        assert!(counts.of(kind) > least, "too few events {kind} ({name})");
    }
}

fn run(venue: &mut Venue, command: &Command) -> bool {
    let mut events = Events::new();
    venue.apply(Nanos::ZERO, command, &mut events);
    events.as_slice().iter().any(|e| e.kind == STARTED && e.account == ALICE.get())
}

/// Alice holds a position from an index of 1000 against Bob, with so much of the first asset and of the second.
fn holding(config: &Value, base: i64, money: (i64, i64)) -> Venue {
    let mut venue = venue_of(config);
    run(&mut venue, &Command::OpenAccount);
    run(&mut venue, &Command::OpenAccount);
    for (account, asset, amount) in [(ALICE, 0, money.0), (ALICE, 1, money.1), (BOB, 0, 900_000)] {
        let (asset, amount) = (AssetId::new(asset), Money::new(amount));
        run(&mut venue, &Command::Deposit { account, asset, amount });
    }
    run(&mut venue, &Command::Index { market: BTC, price: Price::new(1000) });
    let (buyer, seller) = if base > 0 { (ALICE, BOB) } else { (BOB, ALICE) };
    let (price, qty) = (Price::new(1000), Qty::new(base.abs()));
    run(&mut venue, &Command::Block { market: BTC, buyer, seller: seller.get().into(), price, qty });
    assert_eq!(venue.position(ALICE, BTC).base, Qty::new(base), "she could afford it");
    venue
}

/// The first index, step by step in a direction, at which Alice's liquidation starts.
fn first_liquidation(mut venue: Venue, step: i64) -> Option<i64> {
    let mut index = 1000;
    while (1..=2500).contains(&index) {
        if run(&mut venue, &Command::Index { market: BTC, price: Price::new(index) }) {
            return Some(index);
        }
        index += step;
    }
    None
}

fn sized(rng: &mut Rng) -> Value {
    let mut config = unit();
    let kind = rng.pick(&["root", "linear"]);
    let factor = if kind == "root" { rng.within(0, 20_000_000) } else { rng.within(0, 1_000_000) };
    config["markets"][0]["margin"] = json!({
        "size": {"type": kind, "initial_ppb": factor, "maintenance_ppb": factor, "unit": 1},
    });
    config["markets"][0]["tiers"] = json!([
        {"lower": 0, "initial_ppm": 100_000, "maintenance_ppm": 50_000},
        {"lower": 40_000, "initial_ppm": 150_000, "maintenance_ppm": 120_000},
    ]);
    config
}

#[test]
fn a_liquidation_price_is_met_to_the_tick() {
    let mut met = 0;
    for seed in 1..=60 {
        let mut rng = Rng::new(seed);
        let config = sized(&mut rng);
        let base = rng.within(1, 80) * rng.pick(&[1, -1]);
        let money = base.abs() * 1000 * rng.within(35, 90) / 100;
        let venue = holding(&config, base, (money, 0));
        let (numerator, denominator) = venue
            .liquidation_price(ALICE, BTC)
            .map_or((0, 1), |price| (price.numerator(), price.denominator()));
        let denominator = i128::try_from(denominator).expect("small");
        // Strictly beyond the price: below it for a long, above it for a short.
        let (step, first) = if base > 0 {
            (-1, (numerator - 1).div_euclid(denominator))
        } else {
            (1, numerator.div_euclid(denominator) + 1)
        };
        let first = i64::try_from(first).expect("small");
        let expected = (1..=2500).contains(&first).then_some(first);
        assert_eq!(first_liquidation(venue, step), expected, "seed {seed}: {base} lots, {money}");
        met += usize::from(expected.is_some());
    }
    assert!(met > 40, "only {met} of 60 positions were liquidated");
}

/// How far a path goes before the liquidation: more is later.
fn lasts(config: &Value, base: i64, money: (i64, i64)) -> i64 {
    let step = if base > 0 { -1 } else { 1 };
    first_liquidation(holding(config, base, money), step).map_or(i64::MAX, |index| (index - 1000).abs())
}

#[test]
fn more_collateral_never_liquidates_earlier_and_a_higher_requirement_never_later() {
    let (mut later, mut earlier) = (0, 0);
    for seed in 1..=25 {
        let mut rng = Rng::new(seed);
        let mut config = sized(&mut rng);
        let base = rng.within(5, 60) * rng.pick(&[1, -1]);
        let money = base.abs() * 1000 * rng.within(40, 70) / 100;
        config["assets"][1]["collateral"]["price"] = json!(rng.pick(&["index", "mark"]));
        config["assets"][1]["collateral"]["price_floor"] = json!(rng.within(1, 900));
        let before = lasts(&config, base, (money, 10));
        let more = [(money + rng.within(1, 500), 10), (money, 10 + rng.within(1, 50))];
        for money in more {
            let after = lasts(&config, base, money);
            assert!(after >= before, "seed {seed}: more collateral");
            later += usize::from(after > before);
        }
        config["markets"][0]["tiers"][0]["maintenance_ppm"] = json!(25 * rng.within(2_001, 4_000));
        config["markets"][0]["tiers"][1]["maintenance_ppm"] = json!(130_000);
        let after = lasts(&config, base, (money, 10));
        assert!(after <= before, "seed {seed}: a higher rate");
        earlier += usize::from(after < before);
    }
    println!("more collateral: later in {later} of 50; a higher rate: earlier in {earlier} of 25");
    assert!(later >= 20 && earlier >= 15, "later {later} of 50, earlier {earlier} of 25");
}

#[test]
fn room_is_what_the_position_limit_leaves() {
    // Position 12 of at most 1000, 20 bid and 5 offered.
    let mut venue = holding(&unit(), 12, (100_000, 0));
    for (side, price, qty) in [(Side::Buy, 900, 20), (Side::Sell, 1100, 5)] {
        let (price, qty) = (Price::new(price), Qty::new(qty));
        let side = side.code();
        run(&mut venue, &Command::Place { market: BTC, account: ALICE, side, code: 0, flags: 0, price, qty });
    }
    let room = |side| venue.room(ALICE, BTC, side).get();
    assert_eq!((room(Side::Buy), room(Side::Sell)), (968, 1007));
}

#[test]
fn margin_rules_that_cannot_work_are_refused_by_their_field() {
    let scale = |lower: i64, upper: i64| json!({"lower": lower, "upper": upper});
    let size = |initial: i64, maintenance: i64, unit: i64| json!({"type": "root", "initial_ppb": initial, "maintenance_ppb": maintenance, "unit": unit});
    let margin = |name| ["markets", "0", "margin", name];
    refused(&margin("open_interest"), scale(5, 5), "margin.open_interest: 5 and 5");
    refused(&margin("open_interest"), scale(-1, 5), "margin.open_interest: -1 and 5");
    refused(&margin("size"), size(1, 2, 1), "size.initial_ppb: 1: must be at least maintenance_ppb 2");
    refused(&margin("size"), size(1_000_000_001, 2, 1), "size.initial_ppb: 1000000001");
    refused(&margin("size"), size(1, -1, 1), "size.maintenance_ppb: -1");
    refused(&margin("size"), size(1, 1, 0), "size.unit: 0");
    refused(&["liquidation_exit_ppm"], json!(999_999), "liquidation_exit_ppm: 999999");
    refused(&["withdrawal_notional_ppm"], json!(1_000_001), "withdrawal_notional_ppm: 1000001");
    let collateral = |name| ["assets", "1", "collateral", name];
    let redeemed = |market: Value, num: i64| json!({"market": market, "value_num": num, "value_den": 1});
    refused(&collateral("price"), json!("redemption"), "collateral.redemption: is null");
    refused(&collateral("price_floor"), json!(10_001), "collateral.price_floor: 10001: must be 1 to 10000");
    refused(&collateral("price_floor"), json!(0), "collateral.price_floor: 0");
    refused(&collateral("redemption"), redeemed(json!(2), 1), "collateral.redemption.market: 2");
    refused(&collateral("redemption"), redeemed(Value::Null, 0), "redemption.value_num: 0");
    refused(&collateral("redemption"), redeemed(Value::Null, i64::MAX), "lower");
    refused(&collateral("cap"), json!(0), "collateral.cap: 0");
    refused(&collateral("deposit_scale_start"), json!(-1), "collateral.deposit_scale_start: -1");
    refused(
        &collateral("size_discount"),
        json!({"factor_ppb": -1, "unit": 1}),
        "size_discount.factor_ppb: -1",
    );
    refused(&collateral("size_discount"), json!({"factor_ppb": 1, "unit": 0}), "size_discount.unit: 0");
}

/// Lots that auto-deleveraging closes on a falling path with bids of somebody else below each mark, for a fund of a
/// size. The seed draws crowd and path.
fn deleveraged(seed: u64, crowd: usize, fund: i64) -> i64 {
    let mut rng = Rng::new(seed);
    let mut venue = venue_of(&unit());
    let mut events = Events::new();
    let mut send = |venue: &mut Venue, command: Command| venue.apply(Nanos::ZERO, &command, &mut events);
    let maker = AccountId::from_index(crowd + 1);
    for account in (0..crowd + 2).map(AccountId::from_index) {
        send(&mut venue, Command::OpenAccount);
        let amount = Money::new(if account.index() < crowd { 6_000 } else { 200_000 });
        send(&mut venue, Command::Deposit { account, asset: AssetId::new(0), amount });
    }
    if fund > 0 {
        send(
            &mut venue,
            Command::FundDeposit { fund: seawall_core::FundId::new(0), amount: Money::new(fund) },
        );
    }
    send(&mut venue, Command::Index { market: BTC, price: Price::new(1000) });
    for buyer in (0..crowd).map(AccountId::from_index) {
        let (price, qty) = (Price::new(1000), Qty::new(rng.within(15, 55)));
        let seller = AccountId::from_index(crowd).get().into();
        send(&mut venue, Command::Block { market: BTC, buyer, seller, price, qty });
    }
    let mut index = 1000;
    for _ in 0..10 {
        index -= rng.within(10, 70);
        let (price, qty) = (Price::new(index - rng.within(0, 20)), Qty::new(rng.within(1, 30)));
        let side = Side::Buy.code();
        send(&mut venue, Command::Place { market: BTC, account: maker, side, code: 0, flags: 0, price, qty });
        send(&mut venue, Command::Index { market: BTC, price: Price::new(index) });
        for _ in 0..2 * crowd {
            send(&mut venue, Command::Pulse);
        }
    }
    assert!(venue.conservation().ok);
    events.as_slice().iter().filter(|e| e.kind == event::ADL_FILL).map(|e| e.qty).sum()
}

#[test]
fn a_larger_fund_never_means_more_deleveraging_of_one_account() {
    let mut spared = 0;
    for seed in 1..=400 {
        let lots = [0, 50, 300, 1_000, 4_000, 20_000].map(|fund| deleveraged(seed, 1, fund));
        assert!(lots.windows(2).all(|pair| pair[1] <= pair[0]), "seed {seed}: {lots:?}");
        spared += usize::from(lots[5] < lots[0]);
    }
    println!("spared {spared} of 400");
    assert!(spared > 50, "a fund spared winners in {spared} of 400 worlds only");
}

#[test]
fn a_larger_fund_can_mean_more_deleveraging_of_many() {
    // It sells one account's lots into bids that the next one's bankruptcy price would have reached.
    assert_eq!([300, 1_000].map(|fund| deleveraged(6, 8, fund)), [233, 248]);
    let [mut less, mut same, mut more] = [0; 3];
    for seed in 1..=60 {
        let [small, large] = [300, 1_000].map(|fund| deleveraged(seed, 8, fund));
        less += usize::from(large < small);
        same += usize::from(large == small);
        more += usize::from(large > small);
    }
    println!("of 60 crowds of eight: less deleveraging {less}, the same {same}, more {more}");
    assert!(less > more && more > 0, "less {less}, more {more}");
}
