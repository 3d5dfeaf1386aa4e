//! Plans of auto-deleveraging from outside, on random worlds: what is asked, what is refused, what moves.

use seawall_core::adl::{self, AdlMethod, Apportionment};
use seawall_core::protocol::{command, event};
use seawall_core::{
    AccountId, AdlRound, Audit, Config, Events, MarketId, Money, Position, Qty, Record, Reject, Venue,
    no_plan,
};
use seawall_tests::stream::{Rng, Stream, lively, refused};
use serde_json::{Value, json};
use std::collections::BTreeMap;

const SEEDS: u64 = 150;
const LENGTH: usize = 400;

/// [`lively`] with plans from outside in both markets.
fn config(seed: u64) -> Value {
    let mut rng = Rng::new(seed ^ 0x91a4);
    let mut config = lively(seed);
    for market in config["markets"].as_array_mut().expect("a list") {
        market["adl"]["method"] = json!("external");
        market["adl"]["plan_fallback"] =
            json!(rng.pick(&["queue", "pro_rata", "pro_rata", "webster", "offset", "haircut_pro_rata"]));
        market["adl"]["trigger"] = json!(rng.pick(&["insolvent", "unfilled"]));
        market["adl"]["eligible"] = json!(rng.pick(&["in_profit", "anyone"]));
    }
    for fund in config["funds"].as_array_mut().expect("a list") {
        fund["cap"] = json!(rng.within(50, 500));
    }
    config
}

struct Desk {
    venue: Venue,
    at: i64,
    reached: BTreeMap<&'static str, usize>,
    seed: u64,
}

impl Desk {
    fn reach(&mut self, what: &'static str) {
        *self.reached.entry(what).or_default() += 1;
    }

    fn send(&mut self, record: &Record) -> Vec<Record> {
        let mut events = Events::new();
        self.venue.apply_record(record, &mut events);
        assert!(self.venue.conservation().ok, "seed {}: {record:?}", self.seed);
        events.into_vec()
    }

    fn command(&self, kind: u16, of: (MarketId, u64)) -> Record {
        let at = self.venue.now().get();
        Record { kind, at, market: of.0.get(), order: of.1, ..Record::default() }
    }

    /// Sends a plan; the events of its commit.
    fn plan(&mut self, of: (MarketId, u64), rows: &[(AccountId, i64)]) -> Vec<Record> {
        assert_eq!(self.send(&self.command(command::PLAN_BEGIN, of)), []);
        for (account, qty) in rows {
            let row = Record { account: account.get(), qty: *qty, ..self.command(command::PLAN_ROW, of) };
            assert_eq!(self.send(&row), []);
            self.restore();
        }
        self.send(&self.command(command::PLAN_COMMIT, of))
    }

    /// Goes on from a snapshot, wherever it is.
    fn restore(&mut self) {
        let digest = self.venue.digest();
        self.venue = Venue::restore(&self.venue.snapshot()).expect("a snapshot can be restored");
        self.venue.set_audit(Audit::Full);
        assert_eq!(self.venue.digest(), digest, "seed {}", self.seed);
    }

    fn positions(&self, market: MarketId) -> Vec<(Position, Money)> {
        let account = |i| {
            let account = AccountId::from_index(i);
            (self.venue.position(account, market), self.venue.balance(account, seawall_core::AssetId::new(0)))
        };
        (0..self.venue.accounts()).map(account).collect()
    }

    /// A plan that cannot be carried out is refused as a whole, and is still awaited.
    fn refuse(&mut self, of: (MarketId, u64), rows: &[(AccountId, i64)], why: Reject) {
        let before = self.positions(of.0);
        let events = self.plan(of, rows);
        assert_eq!(events.len(), 1, "seed {}: {rows:?} {events:?}", self.seed);
        assert_eq!((events[0].kind, events[0].code), (event::REJECTED, why.code()), "seed {}", self.seed);
        assert_eq!(self.positions(of.0), before);
        assert_eq!(self.venue.plan_awaited(), Some(of));
    }

    fn answer(&mut self, rng: &mut Rng, of: (MarketId, u64)) {
        self.reach("awaited");
        let Some(asked) = self.venue.adl_round() else {
            self.reach("nothing left to plan");
            let events = self.plan(of, &[]);
            assert_eq!(events[0].kind, event::ADL_PLANNED);
            return;
        };
        let caps: Vec<(AccountId, i64)> =
            asked.candidates.iter().map(|(c, cap)| (c.account, cap.get())).collect();
        let first = caps[0];
        match rng.below(9) {
            0 => {
                self.reach("too large");
                let mut rows = caps.clone();
                let all: i64 = rows.iter().map(|row| row.1).sum();
                if all > asked.lots.get() {
                    self.refuse(of, &rows, Reject::PlanTooLarge);
                } else {
                    rows[0].1 += 1;
                    self.refuse(of, &rows, Reject::PlanBeyondCap);
                }
            }
            1 => {
                self.reach("beyond a cap");
                let lots = rng.pick(&[0, -1, i64::MIN, first.1 + 1, i64::MAX]);
                self.refuse(of, &[(first.0, lots)], Reject::PlanBeyondCap);
            }
            2 => {
                self.reach("stranger");
                let rows = [(asked.account, 1)];
                self.refuse(of, &rows, Reject::PlanNotCandidate);
                self.refuse(of, &[(first.0, 1), (first.0, 1)], Reject::PlanNotCandidate);
            }
            3 => {
                self.reach("unknown account");
                let row = Record { account: 99, qty: 1, ..self.command(command::PLAN_ROW, of) };
                self.send(&self.command(command::PLAN_BEGIN, of));
                assert_eq!(self.send(&row)[0].code, Reject::UnknownAccount.code());
                let commit = self.send(&self.command(command::PLAN_COMMIT, of));
                assert_eq!(commit[0].code, Reject::BadField.code(), "a broken plan is none");
            }
            4 => {
                self.reach("another round");
                let other = (of.0, of.1 + 1);
                assert_eq!(
                    self.send(&self.command(command::PLAN_BEGIN, other))[0].code,
                    Reject::NoPlanAwaited.code()
                );
            }
            5 => {
                self.reach("fallback");
                self.fall_back(&asked);
            }
            _ => {
                self.reach("planned");
                self.carry_out(rng, &asked, &caps);
            }
        }
    }

    fn fall_back(&mut self, asked: &AdlRound) {
        let rule = self.venue.config().markets[asked.market.index()].adl.clone();
        let commit = no_plan(&self.venue).expect("a plan is awaited");
        let events = self.send(&commit);
        assert_eq!((events[0].kind, events[0].code), (event::ADL_PLANNED, 1));
        assert_eq!((events[1].kind, events[1].price), (event::ADL_STARTED, asked.price.get()));
        if rule.plan_fallback == Some(AdlMethod::ProRata) {
            // By the public function, from what was shown to whoever plans.
            let claims: Vec<adl::Claim> = asked
                .candidates
                .iter()
                .map(|(c, cap)| adl::Claim { weight: c.lots.get(), cap: *cap })
                .collect();
            let takes = adl::allocate(Apportionment::LargestRemainder, asked.lots, &claims);
            let told = fills(&events);
            let due = asked.candidates.iter().zip(takes).filter(|(_, take)| take.is_positive());
            assert_eq!(told, due.map(|((c, _), take)| (c.account.get(), take.get())).collect::<Vec<_>>());
            self.reach("fallback as its function says");
        }
    }

    /// A plan within its bounds is carried out to the lot, in its order, and nobody ends in debt.
    fn carry_out(&mut self, rng: &mut Rng, asked: &AdlRound, caps: &[(AccountId, i64)]) {
        let of = (asked.market, asked.round);
        let mut left = asked.lots.get();
        let mut rows = Vec::new();
        for &(account, cap) in caps.iter().rev() {
            let lots = rng.within(0, cap.min(left));
            let lots = if rng.chance(50) { cap.min(left) } else { lots };
            if lots > 0 {
                rows.push((account, lots));
                left -= lots;
            }
        }
        let before = self.positions(of.0);
        let events = self.plan(of, &rows);
        assert_eq!((events[0].kind, events[0].code), (event::ADL_PLANNED, 0), "seed {}", self.seed);
        assert_eq!(events[0].qty, rows.iter().map(|row| row.1).sum::<i64>());
        let told = fills(&events);
        assert_eq!(told, rows.iter().map(|(a, lots)| (a.get(), *lots)).collect::<Vec<_>>());
        let after = self.positions(of.0);
        for (account, lots) in &rows {
            let [was, is] = [&before, &after].map(|all| all[account.index()].0.base.get());
            assert_eq!(was.abs() - lots, is.abs(), "seed {}: account {account}", self.seed);
            assert!(was.signum() == asked.winner.signed(Qty::new(1)).get(), "the other side only");
            assert!(!self.venue.equity(*account).is_negative(), "seed {}: {account} in debt", self.seed);
        }
        if left > 0 && events.iter().any(|e| e.kind == event::ADL_REMAINDER) {
            self.reach("remainder");
        }
    }
}

fn fills(events: &[Record]) -> Vec<(u32, i64)> {
    events.iter().filter(|e| e.kind == event::ADL_FILL).map(|e| (e.account, e.qty)).collect()
}

#[test]
fn a_plan_is_carried_out_or_refused_as_a_whole_whatever_it_says() {
    let mut reached: BTreeMap<&str, usize> = BTreeMap::new();
    for seed in 1..=SEEDS {
        let mut venue = Venue::new(Config::new(&config(seed).to_string()).expect("a valid configuration"));
        venue.set_audit(Audit::Full);
        let (mut stream, mut rng) = (Stream::new(seed), Rng::new(seed ^ 0xad1));
        let mut desk = Desk { venue, at: 0, reached: std::mem::take(&mut reached), seed };
        for _ in 0..LENGTH {
            match desk.venue.plan_awaited() {
                Some(of) if !desk.venue.timers_pending() && rng.chance(70) => desk.answer(&mut rng, of),
                awaited => {
                    let record = stream.next(&desk.venue);
                    let waits = desk.venue.timers_pending();
                    let events = desk.send(&record);
                    let told = events
                        .iter()
                        .any(|e| e.code == Reject::AwaitingPlan.code() && e.kind == event::REJECTED);
                    let admitted =
                        [command::CANCEL, command::CANCEL_ALL, command::PULSE].contains(&record.kind);
                    let late = record.at < desk.at || !command::is_known(record.kind);
                    if awaited.is_some() && !late && !waits {
                        let pending = events.iter().any(|e| e.code == Reject::TimersPending.code());
                        assert!(told != (admitted || pending), "seed {seed}: {record:?} {events:?}");
                        desk.reach(if told { "held" } else { "let through" });
                        assert_eq!(desk.venue.plan_awaited(), awaited);
                    }
                    if awaited.is_none() {
                        assert!(!told, "seed {seed}: {record:?}");
                    }
                }
            }
            desk.at = desk.venue.now().get();
            if rng.chance(5) {
                desk.restore();
                if desk.venue.plan_awaited().is_some() {
                    desk.reach("restored while awaited");
                }
            }
        }
        reached = desk.reached;
    }
    println!("{reached:?}");
    for (what, least) in [
        ("awaited", 300),
        ("planned", 100),
        ("fallback", 30),
        ("fallback as its function says", 10),
        ("too large", 30),
        ("beyond a cap", 30),
        ("stranger", 30),
        ("unknown account", 30),
        ("another round", 30),
        ("held", 100),
        ("let through", 30),
        ("remainder", 30),
        ("restored while awaited", 20),
    ] {
        assert!(reached.get(what).copied().unwrap_or(0) >= least, "{what}: {reached:?}");
    }
}

#[test]
fn a_rule_that_cannot_work_with_plans_is_refused_by_field() {
    let adl = |extra: Value| {
        let mut rule =
            json!({"enabled": true, "method": "external", "price": "bankruptcy", "band_ppm": null});
        rule.as_object_mut().expect("an object").extend(extra.as_object().expect("an object").clone());
        rule
    };
    let path = ["markets", "0", "adl"];
    refused(&path, adl(json!({})), "markets[0] (BTC).adl.plan_fallback: is missing");
    refused(
        &path,
        adl(json!({"plan_fallback": "external"})),
        "markets[0] (BTC).adl.plan_fallback: is missing",
    );
    refused(
        &path,
        adl(json!({"plan_fallback": "queue", "method": "queue"})),
        "markets[0] (BTC).adl.plan_fallback: is for",
    );
    let floor = json!({"plan_fallback": "queue", "correction_floor_ppm": 1});
    refused(&path, adl(floor), "markets[0] (BTC).adl.correction_floor_ppm");
    let offset = json!({"plan_fallback": "offset", "fallback": "bankruptcy"});
    refused(&path, adl(offset), "markets[0] (BTC).adl.fallback");
    let mut config = seawall_tests::stream::unit();
    config["markets"][0]["adl"] = adl(json!({"plan_fallback": "queue"}));
    for market in config["markets"].as_array_mut().expect("a list") {
        market["liquidation"]["policy"] = json!({
            "type": "portfolio_share", "step_ppm": 200_000, "target_ppm": 900_000, "penalty_ppm": 0,
        });
    }
    let why = Config::new(&config.to_string()).expect_err("they do not go together").to_string();
    assert!(why.contains("markets[0] (BTC).adl.method: external: does not go with portfolio_share"), "{why}");
}
