//! Portfolio margin against plain numbers: initial margin is that of the worst of all combinations of fills, and orders
//! and changes of mode are refused exactly where it says so. That the guard index finds whom a look at everybody finds is
//! in `guard.rs`. A failure names its seed.

use seawall_core::config::Portfolio;
use seawall_core::{
    AccountId, AssetId, Audit, Command, Config, Events, MarketId, Money, Nanos, Ppm, Price, Qty, Record,
    Reject, Side, Venue, protocol::event,
};
use seawall_tests::stream::{Rng, World, daring, refused, unit};
use serde_json::{Value, json};

const ALICE: AccountId = AccountId::new(0);
const BOB: AccountId = AccountId::new(1);

fn group(markets: &[usize]) -> Value {
    let moved = |by: i64| json!({"moves_ppm": vec![by; markets.len()], "weight_ppm": 1_000_000});
    json!({
        "name": "coins", "markets": markets, "scenarios": [moved(-200_000), moved(200_000)], "net_ppm": 100_000,
        "hedged_ppm": 40_000, "contract_ppm": 0, "maintenance_ppm": 500_000,
    })
}

fn with(portfolios: Value) -> Value {
    let mut config = unit();
    config["portfolios"] = portfolios;
    config
}

fn random(rng: &mut Rng) -> Value {
    let mut config = unit();
    let mut third = config["markets"][1].clone();
    third["name"] = json!("SOL");
    config["markets"].as_array_mut().expect("a list").push(third);
    let markets: &[usize] = rng.pick(&[&[0, 1, 2], &[0, 2], &[1]]);
    let mut scenarios = Vec::new();
    for _ in 0..rng.within(0, 5) {
        let moves: Vec<i64> = markets.iter().map(|_| rng.within(-500_000, 900_000)).collect();
        scenarios.push(json!({"moves_ppm": moves, "weight_ppm": rng.pick(&[1_000_000, 333_333, 24_000])}));
    }
    let net = rng.pick(&[0, 20_000, 200_000]);
    config["portfolios"] = json!([{
        "name": "some", "markets": markets, "scenarios": scenarios, "net_ppm": net,
        "hedged_ppm": rng.within(0, 2 * net), "contract_ppm": rng.pick(&[0, 7, 30_000]),
        "maintenance_ppm": rng.pick(&[500_000, 900_000]),
    }]);
    config
}

fn sent(venue: &mut Venue, command: &Command) -> Vec<Record> {
    let mut events = Events::new();
    venue.apply(venue.now(), command, &mut events);
    events.into_vec()
}

fn ppm(rate: Ppm) -> i128 {
    i128::from(rate.get())
}

/// Initial requirement of a group of values, in plain numbers: whole minor units, up.
fn requirement(portfolio: &Portfolio, values: &[i128]) -> i128 {
    let scan = portfolio.scenarios.iter().map(|s| {
        let moved: i128 = values.iter().zip(&s.moves_ppm).map(|(v, m)| v * ppm(*m)).sum();
        -moved * ppm(s.weight_ppm)
    });
    let scan = scan.max().unwrap_or(0).max(0);
    let (sum, sizes) = (values.iter().sum::<i128>().abs(), values.iter().map(|v| v.abs()).sum::<i128>());
    let least = (2 * ppm(portfolio.net_ppm) * sum + ppm(portfolio.hedged_ppm) * (sizes - sum)) * 1_000_000;
    let risk = least.max(2 * scan) + 2 * ppm(portfolio.contract_ppm) * sizes * 1_000_000;
    if sizes == 0 { 0 } else { (-(-risk).div_euclid(2_000_000_000_000)).max(1) }
}

/// Alice's initial requirement with some lots more open on a side, by trying every combination of fills; the markets
/// outside of the group by their single tier.
fn by_trying(venue: &Venue, more: Option<(MarketId, Side, i64)>) -> i128 {
    let config = venue.config();
    let portfolio = &config.portfolios[0];
    let ends = |m: MarketId| {
        let p = venue.position(ALICE, m);
        let mark = i128::from(venue.mark(m).unwrap_or_default().get());
        let extra = |side| more.map_or(0, |(at, s, qty)| if at == m && s == side { qty } else { 0 });
        let (buys, sells) = (p.open_buys.get() + extra(Side::Buy), p.open_sells.get() + extra(Side::Sell));
        [p.base.get(), p.base.get() + buys, p.base.get() - sells].map(|lots| i128::from(lots) * mark)
    };
    let group: Vec<[i128; 3]> = portfolio.markets.iter().map(|m| ends(*m)).collect();
    let count = 3usize.pow(u32::try_from(group.len()).expect("few"));
    let combination = |n: usize| {
        let place = |i: usize| n / 3usize.pow(u32::try_from(i).expect("few")) % 3;
        let values: Vec<i128> = group.iter().enumerate().map(|(i, ends)| ends[place(i)]).collect();
        requirement(portfolio, &values)
    };
    let mut need = (0..count).map(combination).max().expect("there is one");
    for i in 0..config.markets.len() {
        let market = MarketId::from_index(i);
        if !portfolio.markets.contains(&market) {
            let most = ends(market).iter().map(|v| v.abs()).max().expect("three");
            need += -(-most).div_euclid(10);
        }
    }
    need
}

#[test]
fn initial_margin_is_that_of_the_worst_combination_of_fills() {
    let (mut rng, mut events) = (Rng::new(11), 0);
    let [mut orders, mut short, mut free, mut traded, mut hedged] = [0; 5];
    for seed in 0..400 {
        let mut venue =
            Venue::new(Config::new(&random(&mut rng).to_string()).expect("a valid configuration"));
        venue.set_audit(Audit::Full);
        for (account, amount) in [(ALICE, rng.within(200, 2_000)), (BOB, 900_000)] {
            sent(&mut venue, &Command::OpenAccount);
            let (asset, amount) = (AssetId::new(0), Money::new(amount));
            sent(&mut venue, &Command::Deposit { account, asset, amount });
        }
        for i in 0..3 {
            let price = Price::new(rng.within(90, 110));
            sent(&mut venue, &Command::Index { market: MarketId::from_index(i), price });
        }
        sent(&mut venue, &Command::SetMarginMode { account: ALICE, portfolio: true });
        assert!(venue.has_portfolio_margin(ALICE));
        for _ in 0..40 {
            let market = MarketId::from_index(rng.below(3));
            if rng.chance(10) {
                let price = venue.mark(market).expect("it has one").get() + rng.within(-2, 2);
                sent(&mut venue, &Command::Index { market, price: Price::new(price.max(1)) });
            }
            let (account, side) = (rng.pick(&[ALICE, ALICE, BOB]), rng.pick(&[Side::Buy, Side::Sell]));
            let mark = venue.mark(market).expect("it has one").get();
            let (price, qty) = (mark + rng.within(-3, 3), rng.within(1, 12));
            let (before, after) = (by_trying(&venue, None), by_trying(&venue, Some((market, side, qty))));
            assert_eq!(venue.initial(ALICE).get(), before, "world {seed}");
            let sign = if side == Side::Buy { 1 } else { -1 };
            let loss = i128::from((sign * (price - mark)).max(0) * qty);
            let covered = venue.equity(ALICE).get() - loss >= after;
            let liquidated = venue.is_in_liquidation(ALICE);
            let told = sent(
                &mut venue,
                &Command::Place {
                    market,
                    account,
                    side: side.code(),
                    code: 0,
                    flags: 0,
                    price: Price::new(price),
                    qty: Qty::new(qty),
                },
            );
            events += told.len();
            if account == BOB || liquidated {
                continue;
            }
            let refused = told[0].kind == event::REJECTED;
            assert!(!refused || told[0].code == Reject::MarginShort.code(), "world {seed}: {told:?}");
            assert_eq!(refused, after > before && !covered, "world {seed}: {before} to {after}, {told:?}");
            orders += 1;
            short += usize::from(refused);
            free += usize::from(!refused && after <= before);
            traded += usize::from(told.iter().any(|e| e.kind == event::FILL));
            let held =
                venue.config().portfolios[0].markets.iter().map(|m| venue.position(ALICE, *m).base.get());
            let held: Vec<i64> = held.collect();
            hedged += usize::from(held.iter().any(|b| *b > 0) && held.iter().any(|b| *b < 0));
        }
        assert!(venue.conservation().ok, "world {seed}");
    }
    println!(
        "{orders} orders, {short} refused, {free} that asked for nothing, {traded} traded, {hedged} hedged; {events} events"
    );
    assert!(orders > 8_000 && short > 1_000 && free > 1_000 && traded > 1_000 && hedged > 1_500);
}

#[test]
fn accounts_with_portfolio_margin_go_through_every_waterfall() {
    let [mut taken, mut ended, mut adl, mut modes] = [0; 4];
    for seed in 1..=500 {
        let mut config = daring(seed);
        config["portfolios"] = json!([group(&[0, 1])]);
        config["backstop"] = if seed % 2 == 0 { json!(1) } else { Value::Null };
        let mut venue =
            Venue::new(Config::new(&config.to_string()).unwrap_or_else(|e| panic!("{e}: {config}")));
        venue.set_audit(Audit::Full);
        for account in 0..8 {
            sent(&mut venue, &Command::OpenAccount);
            if account % 3 > 0 {
                sent(
                    &mut venue,
                    &Command::SetMarginMode { account: AccountId::new(account), portfolio: true },
                );
            }
        }
        let look = |venue: &Venue, command: &Record, events: &[Record]| {
            assert!(venue.conservation().ok, "seed {seed}: {command:?}");
            let of = |e: &&Record| venue.has_portfolio_margin(AccountId::new(e.account));
            let count = |kind| events.iter().filter(|e| e.kind == kind).filter(of).count();
            taken += count(event::TAKEN_OVER);
            ended += count(event::LIQUIDATION_ENDED);
            adl += count(event::ADL_FILL);
        };
        modes += (0..8).filter(|a| venue.has_portfolio_margin(AccountId::new(*a))).count();
        let world = World::run(seed, 400, venue, look);
        let restored = Venue::restore(&world.venue.snapshot()).expect("its own snapshot");
        assert_eq!(restored.digest(), world.venue.digest(), "seed {seed}");
        assert!(
            world.venue.has_portfolio_margin(AccountId::new(1))
                && restored.has_portfolio_margin(AccountId::new(1))
        );
    }
    println!("{modes} accounts, liquidations ended {ended}, taken over {taken}, deleveraged {adl}");
    assert!(modes == 500 * 5 && ended > 100 && taken > 20 && adl > 40);
}

#[test]
fn groups_that_cannot_work_are_refused_by_field() {
    let at = "portfolios[0] (coins)";
    let told = |change: &dyn Fn(&mut Value), why: &str| {
        let mut config = with(json!([group(&[0, 1])]));
        change(&mut config);
        let error = Config::new(&config.to_string()).expect_err(why).to_string();
        assert!(error.starts_with(&format!("{at}.{why}")), "{error}");
    };
    told(&|c| c["portfolios"][0]["markets"] = json!([]), "markets: 0 of them: must be 1 to 16");
    told(
        &|c| c["portfolios"][0]["markets"] = json!([1, 0]),
        "markets: 2 of them: must be 1 to 16, each once, rising",
    );
    told(&|c| c["portfolios"][0]["markets"] = json!([0, 7]), "markets: 7: no such market");
    told(&|c| c["markets"][1]["cleared"] = json!(false), "markets: ETH: must be linear and cleared");
    told(
        &|c| c["portfolios"][0]["scenarios"][0]["moves_ppm"] = json!([1]),
        "scenarios[0].moves_ppm: 1 of them: must be one for each of the 2 markets",
    );
    told(
        &|c| c["portfolios"][0]["scenarios"][0]["moves_ppm"] = json!([-1_000_001, 0]),
        "scenarios[0].moves_ppm: -1000001: must be -1000000 to 10000000",
    );
    told(
        &|c| c["portfolios"][0]["scenarios"][1]["weight_ppm"] = json!(0),
        "scenarios[1].weight_ppm: 0: must be 1 to 1000000",
    );
    told(&|c| c["portfolios"][0]["net_ppm"] = json!(-1), "net_ppm: -1: must be 0 to 1000000");
    told(
        &|c| c["portfolios"][0]["hedged_ppm"] = json!(200_001),
        "hedged_ppm: 200001: must be 0 to 200000, twice net_ppm",
    );
    told(
        &|c| c["portfolios"][0]["contract_ppm"] = json!(1_000_001),
        "contract_ppm: 1000001: must be 0 to 1000000",
    );
    told(&|c| c["portfolios"][0]["maintenance_ppm"] = json!(0), "maintenance_ppm: 0: must be 1 to 1000000");
    // A fall of all of the price, with half of it for maintenance, is called at twice that.
    told(
        &|c| {
            c["portfolios"][0]["scenarios"][0]["moves_ppm"] = json!([-1_000_000, 0]);
            c["margin_call_ppm"] = json!(2_000_000);
        },
        "maintenance_ppm: 500000: times the steepest weighted fall",
    );
    let mut config = with(json!([group(&[0]), group(&[0, 1])]));
    let error = Config::new(&config.to_string()).expect_err("a market in two groups").to_string();
    assert!(error.starts_with("portfolios[1] (coins).markets: BTC: is in another group already"), "{error}");
    config["portfolios"] = json!([group(&[0]), group(&[1])]);
    assert!(Config::new(&config.to_string()).is_ok());
    refused(&["portfolios"], json!([{"name": "x"}]), "config: missing field");
}

#[test]
fn a_mode_is_refused_where_there_are_no_groups_and_text_and_state_stay_as_they_were() {
    let plain = Config::new(&unit().to_string()).expect("a valid configuration");
    assert!(!plain.canonical().contains("portfolios"));
    let mut venue = Venue::new(plain);
    sent(&mut venue, &Command::OpenAccount);
    let bytes = venue.snapshot();
    let told = sent(&mut venue, &Command::SetMarginMode { account: ALICE, portfolio: true });
    assert_eq!((told[0].kind, told[0].code), (event::REJECTED, Reject::BadField.code()));
    let told = sent(&mut venue, &Command::SetMarginMode { account: BOB, portfolio: true });
    assert_eq!(told[0].code, Reject::UnknownAccount.code());
    assert_eq!(venue.snapshot().len(), bytes.len());
    let mut grouped =
        Venue::new(Config::new(&with(json!([group(&[0, 1])])).to_string()).expect("a valid configuration"));
    sent(&mut grouped, &Command::OpenAccount);
    let mut events = Events::new();
    let odd =
        Record { code: 2, ..Command::SetMarginMode { account: ALICE, portfolio: true }.encode(Nanos::ZERO) };
    grouped.apply_record(&odd, &mut events);
    assert_eq!(events.as_slice()[0].code, Reject::BadField.code());
}
