//! Breakers recomputed from the log of a venue: what every rule has to do, by docs/mechanics.md sections 4, 5 and 9.
//!
//! It knows nothing of the venue but its configuration, commands and events. It keeps all prices that were ever seen
//! and measures every bound anew from them. What a rule did too early, too late, or not at all, is a panic.
//! Left out: orders with terms, reduce-only orders that rest, hidden ones, self-trade prevention, rules of auctions.

mod bounds;
mod follow;
mod fraction;
mod time;

use bounds::{Begun, EVERYTHING, Eye, History, Inside, Spots, joined, whole};
use seawall_core::Record;
use serde_json::Value;
use std::collections::BTreeMap;

const NEVER: i64 = i64::MAX;
const BUY: u8 = 0;
const SELL: u8 = 1;
/// Phases by number.
pub(crate) mod phase {
    pub(crate) const PRE_OPEN: u16 = 0;
    pub(crate) const CONTINUOUS: u16 = 1;
    pub(crate) const LIMIT_STATE: u16 = 2;
    pub(crate) const STRADDLE: u16 = 3;
    pub(crate) const GUARDED: u16 = 4;
    pub(crate) const COOLING_OFF: u16 = 5;
    pub(crate) const CALL_AUCTION: u16 = 6;
    pub(crate) const PAUSE: u16 = 7;
    pub(crate) const REDUCE_ONLY: u16 = 8;
    pub(crate) const CLOSE_ONLY: u16 = 9;
    pub(crate) const HALTED: u16 = 10;
    pub(crate) const CLOSED: u16 = 11;
    pub(crate) const SETTLEMENT: u16 = 12;
}
/// Places where a rule is asked, as events number them.
pub(crate) mod asked {
    pub(crate) const TRADE: u16 = 0;
    pub(crate) const MARK: u16 = 1;
    pub(crate) const QUOTE: u16 = 4;
    pub(crate) const AUCTION: u16 = 5;
    pub(crate) const INDEX: u16 = 6;
    pub(crate) const GAP: u16 = 7;
    pub(crate) const COUNT: u16 = 8;
}
const TESTS: [&str; 9] = ["trade", "mark", "entry", "manual", "quote", "auction", "index", "gap", "count"];
/// What counting rules count.
const COUNTED: [&str; 5] = ["liquidations", "liquidated", "deleveraged", "fund_paid", "drawdowns"];

/// Phases in order of severity, least first: docs/mechanics.md section 5.
const SEVERITY: [&[u16]; 12] = [
    &[phase::PRE_OPEN, phase::CONTINUOUS],
    &[phase::STRADDLE],
    &[phase::LIMIT_STATE],
    &[phase::COOLING_OFF],
    &[phase::GUARDED],
    &[phase::REDUCE_ONLY],
    &[phase::CLOSE_ONLY],
    &[phase::CALL_AUCTION],
    &[phase::PAUSE],
    &[phase::HALTED],
    &[phase::CLOSED],
    &[phase::SETTLEMENT],
];

fn severity(of: u16) -> usize {
    SEVERITY.iter().position(|row| row.contains(&of)).expect("every phase has one")
}

fn matches(of: u16) -> bool {
    use phase::{CLOSE_ONLY, CONTINUOUS, COOLING_OFF, GUARDED, LIMIT_STATE, REDUCE_ONLY, STRADDLE};
    [CONTINUOUS, STRADDLE, LIMIT_STATE, COOLING_OFF, GUARDED, REDUCE_ONLY, CLOSE_ONLY].contains(&of)
}

fn trades(of: u16) -> bool {
    matches(of) && ![phase::REDUCE_ONLY, phase::CLOSE_ONLY].contains(&of)
}

fn collects(of: u16) -> bool {
    [phase::PRE_OPEN, phase::CALL_AUCTION].contains(&of)
}

/// The phase of a name.
fn phase_of(name: &Value) -> u16 {
    const NAMES: [&str; 13] = [
        "pre_open",
        "continuous",
        "limit_state",
        "straddle",
        "guarded",
        "cooling_off",
        "call_auction",
        "pause",
        "reduce_only",
        "close_only",
        "halted",
        "closed",
        "settlement",
    ];
    let at = NAMES.iter().position(|known| name == known).expect("a phase");
    u16::try_from(at).expect("few")
}

/// The rule that put a market in its phase.
#[derive(Debug, Clone, Copy)]
struct Acting {
    rule: usize,
    inside: Inside,
    reference: i64,
    side: u8,
    confines: bool,
    extensions: i64,
    auction: Option<i64>,
}

/// A rule that acts.
#[derive(Debug, Clone, Copy)]
struct Trip {
    rule: usize,
    asked: u16,
    price: i64,
    side: u8,
    reference: i64,
    inside: Inside,
    phase: u16,
    end: i64,
    auction: Option<i64>,
}

/// A limit, the rule that it is of, and its reference.
type Cap = (i64, usize, i64);
/// The rule that stops an order, its bound and its reference.
type Stop = (usize, i64, i64);

/// A rule in a market.
#[derive(Debug)]
struct Rule {
    enabled: bool,
    share: Option<i64>,
    told: Option<i64>,
    trips: u64,
    today: (i64, i64),
    armed: i64,
    levels: (i64, Vec<usize>),
    counted: Vec<(i64, i64)>,
    begun: Option<Begun>,
}

#[derive(Debug, Clone, Copy)]
struct Resting {
    market: usize,
    side: u8,
    price: i64,
    qty: i64,
    post_only: bool,
}

#[derive(Debug)]
struct Market {
    phase: u16,
    end: i64,
    reopen: i64,
    day: (i64, i64),
    price_max: i64,
    acting: Option<Acting>,
    history: History,
    last: Option<i64>,
    rules: BTreeMap<usize, Rule>,
    // Of the step.
    traded: Vec<i64>,
    marked: Option<i64>,
    tripped: bool,
    counts: [i64; 5],
}

/// What the flow of an order is, for exemptions.
#[derive(Debug, Clone, Copy, Default)]
#[allow(clippy::struct_excessive_bools, reason = "a row of yes-no answers")]
struct FlowKind {
    liquidation: bool,
    reduce_only: bool,
    post_only: bool,
    immediate: bool,
}

/// The log so far.
pub struct Rulebook {
    seed: u64,
    now: i64,
    rules: Vec<Value>,
    markets: Vec<Market>,
    book: BTreeMap<u64, Resting>,
    /// How often each thing was seen.
    pub seen: BTreeMap<String, u32>,
    log: (Record, Vec<Record>),
    /// Rounds that the step may have, and orders that it sent.
    is_held: Option<(i64, i64)>,
}

impl Rulebook {
    /// Before the first command.
    #[must_use]
    pub fn new(config: &Value) -> Self {
        let rules = config["breakers"].as_array().expect("a list").clone();
        let markets = config["markets"].as_array().expect("a list").iter().enumerate();
        let markets = markets.map(|(m, market)| {
            let watched = |rule: &&(usize, &Value)| {
                rule.1["markets"].as_array().expect("a list").iter().any(|of| of.as_u64() == Some(m as u64))
            };
            let here = rules.iter().enumerate().collect::<Vec<_>>();
            let here = here.iter().filter(watched).map(|(r, rule)| (*r, Rule::new(rule)));
            Market {
                phase: phase_of(&market["phase"]),
                end: 0,
                reopen: whole(&market["reopen_auction_ns"]),
                day: (whole(&market["day"]["start_ns"]), whole(&market["day"]["length_ns"])),
                price_max: whole(&market["price_max"]),
                acting: None,
                history: History::default(),
                last: None,
                rules: here.collect(),
                traded: Vec::new(),
                marked: None,
                tripped: false,
                counts: [0; 5],
            }
        });
        let markets = markets.collect();
        let seed = config["seed"].as_u64().expect("a seed");
        Self {
            seed,
            now: 0,
            rules,
            markets,
            book: BTreeMap::new(),
            seen: BTreeMap::new(),
            log: (Record::default(), Vec::new()),
            is_held: None,
        }
    }

    fn count(&mut self, what: impl Into<String>) {
        *self.seen.entry(what.into()).or_default() += 1;
    }

    fn best(&self, m: usize, side: u8) -> Option<i64> {
        let prices = self.book.values().filter(|r| r.market == m && r.side == side).map(|r| r.price);
        if side == BUY { prices.max() } else { prices.min() }
    }

    /// A rule of a market looked at now.
    fn eye(&self, m: usize, r: usize) -> Eye<'_> {
        let market = &self.markets[m];
        Eye {
            history: &market.history,
            begun: market.rules[&r].begun,
            told: market.rules[&r].told,
            now: self.now,
            time: (self.now - market.day.0).rem_euclid(market.day.1),
            bid: self.best(m, BUY),
            ask: self.best(m, SELL),
        }
    }

    fn is_any(&self, r: usize) -> bool {
        self.rules[r]["when"] != "outside_all"
    }

    /// What is inside each range; none if the rule rests.
    fn ranges(&self, m: usize, r: usize) -> Option<Vec<Inside>> {
        let rule = &self.markets[m].rules[&r];
        self.eye(m, r).ranges(&self.rules[r], rule.share).filter(|_| rule.enabled)
    }

    /// The bounds of a rule.
    fn inside(&self, m: usize, r: usize) -> Inside {
        self.ranges(m, r).map_or(EVERYTHING, |ranges| joined(&ranges, self.is_any(r)))
    }

    /// The side on which a price is outside a rule.
    fn outside(&self, m: usize, r: usize, price: i64) -> Option<u8> {
        let ranges = self.ranges(m, r)?;
        let out = |range: &&Inside| price < range.0 || price > range.1;
        let first = ranges.iter().find(out)?;
        let enough = self.is_any(r) || ranges.iter().all(|range| out(&range));
        enough.then_some(if price < first.0 { SELL } else { BUY })
    }

    /// The reference of a rule as events show it.
    fn reference(&self, m: usize, r: usize, side: u8) -> i64 {
        let first: Option<Spots> = match &self.rules[r]["ranges"][0]["reference"] {
            Value::Null => None,
            reference => self.eye(m, r).spots(reference),
        };
        first.map_or(0, |spots| if side == BUY { spots.0.floor() } else { spots.1.floor() })
    }

    fn day(&self, m: usize, at: i64) -> i64 {
        let (start, length) = self.markets[m].day;
        (at - start).div_euclid(length)
    }

    fn is_armed(&self, m: usize, r: usize, at: i64) -> bool {
        let rule = &self.markets[m].rules[&r];
        let most = self.rules[r]["rearm"]["per_day"].as_i64();
        let spent = most.is_some_and(|most| rule.today.0 == self.day(m, at) && rule.today.1 >= most);
        rule.enabled && at >= rule.armed && !spent
    }

    fn binds(&self, m: usize, r: usize, flow: FlowKind) -> bool {
        let exempt =
            |name: &str| self.rules[r]["exempt"].as_array().into_iter().flatten().any(|of| of == name);
        self.markets[m].rules[&r].enabled
            && !(flow.liquidation && exempt("liquidation"))
            && !(flow.reduce_only && exempt("reduce_only"))
            && !(flow.post_only && exempt("post_only"))
    }

    /// Rules of a market with a test.
    fn testing(&self, m: usize, test: &str) -> Vec<usize> {
        let here = self.markets[m].rules.keys().copied();
        here.filter(|r| self.rules[*r]["test"]["type"] == test).collect()
    }

    /// The end that a rule asks for.
    fn end_of(&self, m: usize, r: usize, from: i64) -> i64 {
        let exit = &self.rules[r]["exit"];
        let Some(after) = exit["after_ns"].as_i64() else { return NEVER };
        let random = exit["random_ns"].as_i64().unwrap_or(0);
        let keys = [m as u64, r as u64, self.markets[m].rules[&r].trips];
        let drawn = u128::from(drawn(self.seed, &keys));
        let part = (drawn * (u128::from(random.unsigned_abs()) + 1)) >> 64;
        from + after + i64::try_from(part).expect("short")
    }

    fn trip(&self, m: usize, r: usize, asked: u16, price: i64, side: u8, from: i64) -> Trip {
        Trip {
            rule: r,
            asked,
            price,
            side,
            reference: self.reference(m, r, side),
            inside: self.inside(m, r),
            phase: phase_of(&self.rules[r]["action"]["phase"]),
            end: self.end_of(m, r, from),
            auction: None,
        }
    }

    /// What the rules say before an order trades at a price: those that trip, and whether it is stopped.
    fn verdict(&self, m: usize, price: i64, flow: FlowKind) -> (Vec<Trip>, Option<Stop>) {
        let (mut trips, mut stop) = (Vec::new(), None);
        if !trades(self.markets[m].phase) {
            return (trips, stop);
        }
        for r in self.testing(m, "trade") {
            let Some(side) = self.outside(m, r, price).filter(|_| self.binds(m, r, flow)) else { continue };
            let interrupts = self.rules[r]["action"]["type"] == "interrupt";
            if interrupts && !self.is_armed(m, r, self.now) {
                continue;
            }
            if !interrupts || (flow.immediate && self.rules[r]["test"]["immediate"] == "spared") {
                stop = stop.or_else(|| Some((r, self.bound(m, r, side), self.reference(m, r, side))));
            } else {
                trips.push(self.trip(m, r, asked::TRADE, price, side, self.now));
            }
        }
        (trips, stop)
    }

    /// The tightest limit of an order: refused by a rule, or a price, the rule and its reference.
    fn entry(
        &self,
        m: usize,
        side: u8,
        limit: Option<i64>,
        flow: FlowKind,
    ) -> Result<Option<Cap>, (i64, usize)> {
        let market = &self.markets[m];
        let of = |inside: Inside| if side == BUY { inside.1 } else { inside.0 };
        let tighter = |a: i64, b: i64| if side == BUY { a < b } else { a > b };
        let beyond = |bound: i64| limit.is_none_or(|limit| tighter(bound, limit));
        let none = of(EVERYTHING);
        let mut found: Option<Cap> = None;
        if let Some(acting) = market.acting.filter(|a| a.confines)
            && of(acting.inside) != none
            && beyond(of(acting.inside))
        {
            found = Some((of(acting.inside), acting.rule, acting.reference));
        }
        for &r in market.rules.keys() {
            let test = &self.rules[r]["test"];
            let entry = test["type"] == "entry";
            if !(entry || test["type"] == "quote" && trades(market.phase)) || !self.binds(m, r, flow) {
                continue;
            }
            let bound = of(self.inside(m, r));
            let passive = limit.is_some_and(|limit| {
                let best = self.best(m, 1 - side).filter(|_| matches(market.phase));
                test["passive"] == true && best.is_none_or(|best| tighter(limit, best))
            });
            if bound == none || !beyond(bound) || passive {
                continue;
            }
            if limit.is_some() && self.rules[r]["action"]["type"] == "reject" {
                return Err((bound, r));
            }
            if found.is_none_or(|f| tighter(bound, f.0)) {
                found = Some((bound, r, self.reference(m, r, side)));
            }
        }
        Ok(found)
    }

    /// The price of an auction now: section 6.8.
    fn auction_price(&self, m: usize) -> Option<i64> {
        let here = || self.book.values().filter(|r| r.market == m);
        let sum = |side: u8, inside: &dyn Fn(i64) -> bool| -> i64 {
            here().filter(|r| r.side == side && inside(r.price)).map(|r| r.qty).sum()
        };
        let demand = |p: i64| sum(BUY, &|limit| limit >= p);
        let supply = |p: i64| sum(SELL, &|limit| limit <= p);
        let volume = |p: i64| demand(p).min(supply(p));
        let mut prices: Vec<i64> = here().map(|r| r.price).collect();
        let most = prices.iter().map(|p| volume(*p)).max().filter(|v| *v > 0)?;
        prices.retain(|p| volume(*p) == most);
        let surplus = |p: i64| demand(p) - supply(p);
        let least = prices.iter().map(|p| surplus(*p).abs()).min()?;
        prices.retain(|p| surplus(*p).abs() == least);
        prices.sort_unstable();
        if prices.iter().all(|p| surplus(*p) > 0) {
            return prices.last().copied();
        }
        if prices.iter().all(|p| surplus(*p) < 0) {
            return prices.first().copied();
        }
        let reference = self.markets[m].history.mark.or(self.markets[m].last).unwrap_or(0);
        prices.into_iter().min_by_key(|p| ((p - reference).abs(), -p))
    }

    /// The phase of a market.
    #[must_use]
    pub fn phase(&self, market: usize) -> u16 {
        self.markets[market].phase
    }

    /// Follows one command and its events.
    ///
    /// # Panics
    /// If a rule did not do what it had to do.
    pub fn step(&mut self, command: &Record, events: &[Record]) {
        self.log = (*command, events.to_vec());
        follow::step(self, command, events);
    }
}

impl Rule {
    fn new(rule: &Value) -> Self {
        Self {
            enabled: rule["enabled"] != false,
            share: None,
            told: None,
            trips: 0,
            today: (0, 0),
            armed: i64::MIN,
            levels: (0, Vec::new()),
            counted: Vec::new(),
            begun: None,
        }
    }
}

/// The venue's keyed draw: section 9.4.
fn drawn(seed: u64, keys: &[u64]) -> u64 {
    let mix = |z: u64| {
        let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    };
    keys.iter().fold(seed, |z, key| mix(z.wrapping_add(0x9e37_79b9_7f4a_7c15).wrapping_add(*key)))
}
