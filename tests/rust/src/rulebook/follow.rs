//! One command and its events, in the order of a step: time, the command, references, counts, touches.

use super::bounds::{Begun, EVERYTHING};
use super::{
    Acting, BUY, COUNTED, FlowKind, Inside, NEVER, Resting, Rulebook, SELL, Stop, TESTS, Trip, asked,
    collects, joined, matches, phase, phase_of, severity, trades, whole,
};
use seawall_core::Record;
use seawall_core::protocol::{command, event};
use serde_json::Value;

const AUCTION: u16 = 4;
const LIMIT: u16 = 0;
const FOK: u16 = 2;
const MARKET: u16 = 3;
const BAND_REFUSES: u16 = 211;
const WOULD_TAKE: u16 = 212;
const NOT_FILLABLE: u16 = 213;
/// What an order is refused for after its bands were asked.
const LATER: [u16; 5] = [WOULD_TAKE, NOT_FILLABLE, 301, 302, 303];
const STOPPED: u16 = 4;
const IN_LIQUIDATION: u16 = 208;
const GATED: u16 = 227;

/// The events of one command, and how far they were followed.
pub(super) struct Log<'a> {
    events: &'a [Record],
    at: usize,
}

/// The limit of an order that is admitted; none of a market order that nothing limits.
struct Limit(Option<i64>);

/// An order that meets the book.
#[derive(Debug, Clone, Copy)]
struct Order {
    market: usize,
    id: u64,
    side: u8,
    limit: Option<i64>,
    qty: i64,
    flow: FlowKind,
    shown: i64,
}

pub(super) fn step(book: &mut Rulebook, command: &Record, events: &[Record]) {
    let mut log = Log { events, at: 0 };
    let before = std::mem::replace(&mut book.now, command.at);
    book.run_timers(&mut log);
    if before > 0 && command.at > before {
        book.gaps(command.at - before, &mut log);
    }
    book.follow(command, &mut log);
    book.is_held = None;
    book.rest(&mut log);
    book.observe();
    book.counts(&mut log);
    book.touches(&mut log);
    if let Some(left) = log.peek() {
        book.fail(&format!("{left:?} was not to be expected"));
    }
}

impl Log<'_> {
    fn peek(&self) -> Option<Record> {
        self.events.get(self.at).copied()
    }

    /// The next event, if it is of a kind.
    fn take(&mut self, kind: u16) -> Option<Record> {
        let found = self.peek().filter(|e| e.kind == kind)?;
        self.at += 1;
        Some(found)
    }
}

impl Rulebook {
    fn fail(&self, why: &str) -> ! {
        let events: Vec<String> = self.log.1.iter().map(|e| format!("  {e:?}")).collect();
        panic!("{why}\n{:?}\n{}", self.log.0, events.join("\n"))
    }

    pub(super) fn expect(&self, log: &mut Log<'_>, kind: u16, why: &str) -> Record {
        match log.take(kind) {
            Some(event) => event,
            None => self.fail(&format!("{why}, not {:?}", log.peek())),
        }
    }

    pub(super) fn check<T: Copy + PartialEq + std::fmt::Debug>(&self, what: &str, wanted: T, got: T) {
        if wanted != got {
            self.fail(&format!("{what}: {wanted:?} wanted, {got:?} found"));
        }
    }

    // Phases.

    /// The market enters a phase; an auction comes first where it begins to match.
    pub(super) fn enter(&mut self, m: usize, next: u16, end: i64, acting: Option<Acting>, log: &mut Log<'_>) {
        if matches(next) && !matches(self.markets[m].phase) {
            self.uncross(m, log);
        }
        let told = self.expect(log, event::PHASE_CHANGED, &format!("phase {next} until {end}"));
        let wanted = (m, next, self.markets[m].phase, end);
        let got = (usize::from(told.market), told.code, told.flags, told.amount);
        self.check("market, phase, old phase, end", wanted, got);
        let market = &mut self.markets[m];
        (market.phase, market.end, market.acting) = (next, end, acting);
        self.count(format!("phase {next}"));
    }

    fn uncross(&mut self, m: usize, log: &mut Log<'_>) {
        while let Some(price) = self.auction_price(m) {
            let told = self.expect(log, event::UNCROSSED, "an auction");
            self.check("price of an auction", price, told.price);
            let mut left = told.qty;
            while left > 0 {
                let buy = self.expect(log, event::FILL, "the buy of a meeting");
                let sell = self.expect(log, event::FILL, "the sell of a meeting");
                self.check("flags", (AUCTION, AUCTION), (buy.flags & AUCTION, sell.flags & AUCTION));
                self.lose(buy.order, buy.qty);
                self.lose(sell.order, buy.qty);
                left -= buy.qty;
            }
            let market = &mut self.markets[m];
            market.traded.push(price);
            market.last = Some(price);
            market.history.auction = Some(price);
            let begun = market.acting.map(|a| a.rule);
            let anew = begun.filter(|r| {
                self.rules[*r]["rearm"]["auction"] == true && self.markets[m].rules.contains_key(r)
            });
            if let Some(r) = anew {
                self.begin_anew(m, r, price, self.now);
                self.count("references from an auction");
            }
        }
    }

    fn lose(&mut self, id: u64, qty: i64) {
        let Some(order) = self.book.get_mut(&id) else { return };
        order.qty -= qty;
        if order.qty <= 0 {
            self.book.remove(&id);
        }
    }

    fn begin_anew(&mut self, m: usize, r: usize, price: i64, at: i64) {
        let market = &mut self.markets[m];
        let begun = Begun {
            trades: market.history.trades.len(),
            marks: market.history.marks.len(),
            indices: market.history.indices.len(),
            price,
            at,
        };
        market.rules.get_mut(&r).expect("it is watched").begun = Some(begun);
    }

    pub(super) fn acting_of(&self, trip: &Trip) -> Acting {
        let exit = &self.rules[trip.rule]["exit"];
        Acting {
            rule: trip.rule,
            inside: trip.inside,
            reference: trip.reference,
            side: trip.side,
            confines: trip.phase == phase::COOLING_OFF,
            extensions: 0,
            auction: trip.auction.or_else(|| exit["auction_ns"].as_i64()),
        }
    }

    /// A trip is reported and counted.
    pub(super) fn note(&mut self, m: usize, trip: &Trip, at: i64, log: &mut Log<'_>) {
        let told = self.expect(log, event::BREAKER_TRIPPED, &format!("a trip {trip:?}"));
        let known = |bound: i64, none: i64| if bound == none { 0 } else { bound.max(0) };
        let lowest = known(trip.inside.0, EVERYTHING.0).unsigned_abs();
        let highest = u32::try_from(known(trip.inside.1, EVERYTHING.1)).unwrap_or(u32::MAX);
        let end = if trip.end == NEVER { 0 } else { trip.end };
        let rule = u16::try_from(trip.rule).expect("few");
        self.check("market and rule of a trip", (m, rule), (usize::from(told.market), told.code));
        self.check(
            "where, price, side, reference, lowest and highest inside, end",
            (trip.asked, trip.price, trip.side, trip.reference, lowest, highest, end),
            (told.flags, told.price, told.side, told.qty, told.order, told.account, told.amount),
        );
        self.check("nothing inside or both ends inside", true, {
            trip.inside.0 > trip.inside.1 || lowest == 0 || highest == 0 || lowest <= u64::from(highest)
        });
        let day = self.day(m, at);
        let rearm = self.rules[trip.rule]["rearm"].clone();
        let scheduled = self.rules[trip.rule]["action"]["type"] == "schedule";
        let level = if scheduled { self.level(m, trip.rule, trip.price) } else { 0 };
        let market = &mut self.markets[m];
        market.tripped |= [asked::TRADE, asked::MARK, asked::INDEX, 3].contains(&trip.asked);
        let rule = market.rules.get_mut(&trip.rule).expect("it is watched");
        rule.trips += 1;
        rule.today = (day, if rule.today.0 == day { rule.today.1 + 1 } else { 1 });
        if scheduled && (1..=market.price_max).contains(&trip.price) {
            if rule.levels.0 != day {
                rule.levels = (day, Vec::new());
            }
            rule.levels.1.push(level);
        }
        if let Some(cooldown) = rearm["cooldown_ns"].as_i64().filter(|c| *c > 0) {
            rule.armed = at + cooldown;
        }
        if rearm["restart"] == true && (1..=market.price_max).contains(&trip.price) {
            self.begin_anew(m, trip.rule, trip.price, at);
        }
        self.count_trip(trip);
    }

    fn count_trip(&mut self, trip: &Trip) {
        self.count(format!("trip by {}", TESTS[usize::from(trip.asked)]));
        if trip.inside.0 > trip.inside.1 {
            self.count("trip with nothing inside");
        }
        let rule = self.rules[trip.rule].clone();
        for range in rule["ranges"].as_array().into_iter().flatten() {
            self.count(format!("trip from {}", range["reference"]["type"].as_str().expect("a name")));
            self.count(format!("trip at {}", range["width"]["type"].as_str().expect("a name")));
        }
    }

    /// The level that a price has reached.
    fn level(&self, m: usize, r: usize, price: i64) -> usize {
        let levels = self.eye(m, r).levels(&self.rules[r]).unwrap_or_default();
        levels.iter().filter(|level| **level >= price.into()).count()
    }

    /// Rules that trip by one event act together.
    pub(super) fn act(&mut self, m: usize, trips: &[Trip], log: &mut Log<'_>) {
        if trips.is_empty() {
            return;
        }
        for trip in trips {
            self.note(m, trip, self.now, log);
        }
        if trips.len() > 1 {
            self.count("several trips at once");
        }
        for target in 0..self.markets.len() {
            let concerned: Vec<Trip> = trips
                .iter()
                .filter(|trip| {
                    let scope = &self.rules[trip.rule]["interrupts"];
                    let group = scope["group"].as_array().into_iter().flatten();
                    target == m
                        || scope == "venue"
                        || group.into_iter().any(|g| g.as_u64() == Some(target as u64))
                })
                .copied()
                .collect();
            if !concerned.is_empty() {
                self.interrupt(target, target == m, &concerned, log);
            }
        }
    }

    /// Section 9.5.
    fn interrupt(&mut self, m: usize, own: bool, trips: &[Trip], log: &mut Log<'_>) {
        let market = &self.markets[m];
        let (was, acting) = (market.phase, market.acting);
        let stands = if market.end > 0 { market.end } else { NEVER };
        if acting.is_none() && !trades(was) {
            self.count("the operator's phase stays");
            return;
        }
        let mut strongest = trips[0];
        for trip in trips {
            if (severity(trip.phase), trip.end) > (severity(strongest.phase), strongest.end) {
                strongest = *trip;
            }
        }
        let mut end = trips.iter().map(|trip| trip.end).max().expect("some");
        let mut next = self.acting_of(&strongest);
        if !own {
            (next.inside, next.confines) = (EVERYTHING, false);
            self.count("a linked market");
        }
        let mut into = strongest.phase;
        if acting.is_none() && severity(was) >= severity(into) {
            self.count("the operator's phase stays");
            return;
        }
        if let Some(acting) = acting.filter(|_| was != phase::STRADDLE) {
            if severity(was) >= severity(into) {
                if end <= stands {
                    self.count("an end that is not later");
                    return;
                }
                self.count("a later end");
                (into, next) = (was, acting);
            } else if matches(was) == matches(into) {
                end = end.max(stands);
            }
        }
        self.enter(m, into, if end == NEVER { 0 } else { end }, Some(next), log);
    }

    // The command.

    fn follow(&mut self, r: &Record, log: &mut Log<'_>) {
        let m = usize::from(r.market);
        match r.kind {
            command::PLACE => self.place(m, r, log),
            command::REPLACE => self.replace(m, r, log),
            command::INDEX => self.index(m, r, log),
            command::SET_PHASE if log.peek().is_some_and(|e| e.kind != event::REJECTED) => {
                self.enter(m, r.code, r.amount, None, log);
            }
            command::SET_RULE => self.set_rule(r, log),
            command::WITHDRAW => {
                let gates = |m: usize| self.meanwhile(m)["gates_withdrawals"] == true;
                let gated = (0..self.markets.len()).any(gates);
                // What is asked before the gate, and after it.
                let why = log.peek().filter(|e| e.kind == event::REJECTED).map(|e| e.code);
                if why.is_none_or(|why| IN_LIQUIDATION != why) {
                    self.check("a gate for withdrawals", gated, why == Some(GATED));
                    self.count(if gated { "withdrawal refused" } else { "withdrawal" });
                }
            }
            command::INTERRUPT if log.peek().is_some_and(|e| e.kind != event::REJECTED) => {
                let bound = |told: i64, none: i64| if told == 0 { none } else { told };
                let lowest = i64::try_from(r.order).expect("a price");
                let rule = usize::from(r.code);
                let test = self.rules[rule]["test"]["type"].as_str().expect("a name");
                let asked = TESTS.iter().position(|known| *known == test).expect("a test");
                let trip = Trip {
                    rule,
                    asked: u16::try_from(asked).expect("few"),
                    price: r.price,
                    side: r.side,
                    reference: r.qty,
                    inside: (bound(lowest, EVERYTHING.0), bound(r.account.into(), EVERYTHING.1)),
                    phase: r.flags,
                    end: if r.amount == 0 { NEVER } else { r.amount },
                    auction: None,
                };
                self.act(m, &[trip], log);
                self.markets[m].tripped = true;
            }
            _ => {}
        }
    }

    fn set_rule(&mut self, r: &Record, log: &mut Log<'_>) {
        if log.take(event::RULE_SET).is_none() {
            return;
        }
        self.count(format!("rule set {}", r.flags));
        let asked = |m: usize| r.market == u16::MAX || usize::from(r.market) == m;
        for (_, market) in self.markets.iter_mut().enumerate().filter(|(m, _)| asked(*m)) {
            let Some(rule) = market.rules.get_mut(&usize::from(r.code)) else { continue };
            match r.flags {
                0 => rule.enabled = r.amount == 1,
                1 => rule.share = Some(r.amount),
                _ => rule.told = Some(r.amount),
            }
        }
    }

    fn index(&mut self, m: usize, r: &Record, log: &mut Log<'_>) {
        let later = log.events[log.at..].iter();
        let Some(marked) = later.copied().find(|e| e.kind == event::MARKED) else { return };
        let (index, mark) = (r.price, marked.price);
        let stood = self.markets[m].history.mark.filter(|_| self.meanwhile(m)["mark"] == "stands");
        let mut trips = Vec::new();
        for (test, place, price) in [("index", asked::INDEX, index), ("mark", asked::MARK, mark)] {
            if test == "mark" && (stood.is_some() || !trades(self.markets[m].phase)) {
                continue;
            }
            for rule in self.testing(m, test) {
                if !self.is_armed(m, rule, self.now) {
                    continue;
                }
                if self.rules[rule]["action"]["type"] == "schedule" {
                    trips.extend(self.scheduled(m, rule, price));
                } else if let Some(side) = self.outside(m, rule, price) {
                    trips.push(self.trip(m, rule, place, price, side, self.now));
                }
            }
        }
        if let Some(stood) = stood {
            self.check("a mark that stands", stood, mark);
            self.count("the mark stands");
        }
        let mid = self.best(m, BUY).zip(self.best(m, SELL)).map(|(bid, ask)| bid + ask);
        let market = &mut self.markets[m];
        market.history.indices.push((self.now, index, mid));
        market.history.mark = Some(mark);
        market.marked = Some(mark);
        self.act(m, &trips, log);
        self.expect(log, event::MARKED, "the mark");
    }

    fn scheduled(&self, m: usize, r: usize, price: i64) -> Option<Trip> {
        let level = self.level(m, r, price);
        let rule = &self.markets[m].rules[&r];
        if level == 0 || rule.levels.0 == self.day(m, self.now) && rule.levels.1.contains(&level) {
            return None;
        }
        let eye = self.eye(m, r);
        let rows = self.rules[r]["action"]["rows"].as_array().expect("rows");
        let here = rows.iter().filter(|row| row["level"].as_u64() == Some(level as u64));
        let row =
            here.filter(|row| whole(&row["from_ns"]) <= eye.time).max_by_key(|row| whole(&row["from_ns"]))?;
        if row["phase"].is_null() {
            return None;
        }
        let levels = eye.levels(&self.rules[r])?;
        let at = levels[level - 1];
        Some(Trip {
            rule: r,
            asked: asked::INDEX,
            price,
            side: SELL,
            reference: self.reference(m, r, SELL),
            // The lowest price above the level.
            inside: (at.ceil() + i64::from(at.is_whole()), EVERYTHING.1),
            phase: phase_of(&row["phase"]),
            end: row["after_ns"].as_i64().map_or(NEVER, |after| self.now + after),
            auction: row["auction_ns"].as_i64(),
        })
    }

    fn place(&mut self, m: usize, r: &Record, log: &mut Log<'_>) {
        let limit = (r.code != MARKET).then_some(r.price);
        let flow = FlowKind {
            liquidation: false,
            reduce_only: r.flags & 2 != 0,
            post_only: r.flags & 1 != 0,
            immediate: r.code != LIMIT,
        };
        let order = Order { market: m, id: 0, side: r.side, limit, qty: r.qty, flow, shown: r.price };
        let Some(Limit(limit)) = self.admit(&order, r, log) else { return };
        let accepted = self.expect(log, event::ACCEPTED, "an order");
        if r.code != MARKET {
            self.check("limit of an accepted order", limit, Some(accepted.price));
        }
        if r.code == FOK {
            self.check(
                "what an order that is filled whole can fill",
                true,
                self.fillable(&order, limit) >= r.qty,
            );
        }
        self.meet(&Order { id: accepted.order, limit, ..order }, accepted.price, log);
    }

    fn replace(&mut self, m: usize, r: &Record, log: &mut Log<'_>) {
        let Some(old) = self.book.get(&r.order).copied() else { return };
        if r.price == old.price && r.qty <= old.qty {
            if log.take(event::REPLACED).is_some() {
                self.book.get_mut(&r.order).expect("it rests").qty = r.qty;
            }
            return;
        }
        // It keeps its flags.
        let flow = FlowKind { post_only: old.post_only, ..FlowKind::default() };
        let limit = Some(r.price);
        let order = Order { market: m, id: r.order, side: old.side, limit, qty: r.qty, flow, shown: r.price };
        let Some(Limit(limit)) = self.admit(&order, r, log) else { return };
        let told = self.expect(log, event::REPLACED, "a replaced order");
        self.check("limit of a replaced order", limit, Some(told.price));
        self.book.remove(&r.order);
        self.meet(&Order { limit, ..order }, told.price, log);
    }

    /// What the rules at entry make of an order: its limit, or none if it is refused.
    fn admit(&mut self, order: &Order, r: &Record, log: &mut Log<'_>) -> Option<Limit> {
        let m = order.market;
        let refused = log.events[log.at..].iter().find(|e| e.kind == event::REJECTED).map(|e| e.code);
        if refused.is_some_and(|code| code != BAND_REFUSES && !LATER.contains(&code)) {
            return None;
        }
        let bounded = |what: u16, rule: usize, price: i64, reference: i64| {
            let rule = u16::try_from(rule).expect("few");
            (what, rule, price, reference, order.side, order.shown)
        };
        let told = |e: &Record| (e.flags, e.code, e.price, e.amount, e.side, e.qty);
        let barred = |book: &mut Self, bound: i64, rule: usize, side: u8, log: &mut Log<'_>| {
            let event = book.expect(log, event::ORDER_BOUNDED, "a refusal by a rule");
            let reference = book.reference(m, rule, side);
            book.check("what is said of a refused order", bounded(0, rule, bound, reference), told(&event));
            let code = book.expect(log, event::REJECTED, "an order refused by a rule").code;
            book.check("why", BAND_REFUSES, code);
            book.count(if r.kind == command::REPLACE { "refused replace" } else { "refused at entry" });
        };
        let found = match self.entry(m, order.side, order.limit, order.flow) {
            Err((bound, rule)) => {
                barred(self, bound, rule, order.side, log);
                return None;
            }
            Ok(found) => found,
        };
        let limit = found.map_or(order.limit, |(price, ..)| Some(price));
        if refused == Some(WOULD_TAKE) {
            return None;
        }
        if refused == Some(NOT_FILLABLE) {
            self.check("what it can fill", true, self.fillable(order, limit) < order.qty);
            self.count("not fillable");
            return None;
        }
        // The worst price that it would trade at.
        let sweeps = trades(self.markets[m].phase);
        let worst = self.levels(order, limit, order.qty).last().map(|level| level.0);
        for rule in self.testing(m, "trade") {
            let rejects = self.rules[rule]["action"]["type"] == "reject" && self.binds(m, rule, order.flow);
            let Some(worst) = worst.filter(|_| rejects && sweeps) else { continue };
            let Some(side) = self.outside(m, rule, worst) else { continue };
            let bound = self.bound(m, rule, side);
            barred(self, bound, rule, side, log);
            self.count("refused sweep");
            return None;
        }
        if refused.is_some() {
            self.check("a band did not refuse", false, refused == Some(BAND_REFUSES));
            return None;
        }
        if let Some((price, rule, reference)) = found.filter(|_| order.limit.is_some()) {
            let event = self.expect(log, event::ORDER_BOUNDED, "a cap");
            self.check("what is said of a capped order", bounded(1, rule, price, reference), told(&event));
            let cooling = self.markets[m].acting.is_some_and(|a| a.confines);
            self.count(if cooling { "capped in a cooling-off" } else { "capped at entry" });
        }
        Some(Limit(limit))
    }

    /// The bound of a rule that a price has left, or of its first range that has one.
    pub(super) fn bound(&self, m: usize, r: usize, side: u8) -> i64 {
        let of = |inside: Inside| if side == BUY { inside.1 } else { inside.0 };
        let ranges = self.ranges(m, r).unwrap_or_default();
        let own = Some(of(joined(&ranges, self.is_any(r)))).filter(|bound| *bound != of(EVERYTHING));
        let first = || ranges.iter().map(|range| of(*range)).find(|bound| *bound != of(EVERYTHING));
        own.or_else(first).expect("a bound was left")
    }

    /// Levels that an order would reach, best first.
    fn levels(&self, order: &Order, limit: Option<i64>, qty: i64) -> Vec<(i64, i64)> {
        let mut levels = std::collections::BTreeMap::new();
        for r in self.book.values().filter(|r| r.market == order.market && r.side != order.side) {
            *levels.entry(r.price).or_insert(0) += r.qty;
        }
        let mut levels: Vec<(i64, i64)> = levels.into_iter().collect();
        if order.side == SELL {
            levels.reverse();
        }
        let beyond = |p: i64| limit.is_some_and(|l| if order.side == BUY { p > l } else { p < l });
        let mut left = qty;
        levels.retain(|(price, lots)| {
            let here = left > 0 && !beyond(*price);
            left -= lots;
            here
        });
        levels
    }

    /// Lots that an order could fill before a rule acts.
    fn fillable(&self, order: &Order, limit: Option<i64>) -> i64 {
        let mut lots = 0;
        for (price, qty) in self.levels(order, limit, i64::MAX) {
            let (trips, stop) = self.verdict(order.market, price, order.flow);
            if !trips.is_empty() || stop.is_some() {
                break;
            }
            lots += qty;
        }
        lots
    }

    /// An order meets the book; `price` is where it rests.
    fn meet(&mut self, order: &Order, price: i64, log: &mut Log<'_>) {
        let m = order.market;
        let mut left = order.qty;
        let mut ended: Option<(Vec<Trip>, Option<Stop>)> = None;
        if matches(self.markets[m].phase) {
            // Rules stand as they stood when the order came.
            let asked = self.levels(order, order.limit, order.qty);
            let verdicts: Vec<_> = asked.iter().map(|(p, _)| self.verdict(m, *p, order.flow)).collect();
            for ((level, mut lots), (trips, stop)) in asked.into_iter().zip(verdicts) {
                if !trips.is_empty() || stop.is_some() {
                    ended = Some((trips, stop));
                    break;
                }
                self.count_near(m, level);
                while lots > 0 && left > 0 {
                    let maker = self.expect(log, event::FILL, &format!("a trade at {level}"));
                    let taker = self.expect(log, event::FILL, "its other side");
                    self.check("price of a trade", (level, level), (maker.price, taker.price));
                    self.check("who takes", order.id, taker.order);
                    self.lose(maker.order, maker.qty);
                    (lots, left) = (lots - maker.qty, left - maker.qty);
                    self.markets[m].traded.push(level);
                    self.markets[m].last = Some(level);
                    self.count("trade");
                    if order.flow.liquidation {
                        self.markets[m].counts[1] += level * maker.qty;
                    }
                }
            }
        }
        let mut rests = !order.flow.immediate && ended.is_none();
        if let Some((trips, stop)) = &ended {
            if trips.is_empty() {
                let event = self.expect(log, event::ORDER_BOUNDED, "a stop");
                let (rule, bound, reference) = stop.expect("a rule stops it");
                let got = (event.flags, usize::from(event.code), event.price, event.amount);
                self.check("the rule that stops, its bound and reference", (2, rule, bound, reference), got);
                self.check("the order that is stopped", order.id, event.order);
                self.count(if order.flow.liquidation { "stopped liquidation" } else { "stopped" });
            } else {
                if order.flow.liquidation {
                    self.count("trip by a liquidation");
                }
                self.act(m, trips, log);
                let may = trips.iter().any(|t| self.rules[t.rule]["test"]["rest"] == "rests");
                rests = !order.flow.immediate && may && collects(self.markets[m].phase);
                self.count(if rests { "rest after a trip" } else { "cancelled after a trip" });
            }
        }
        if left == 0 {
            return;
        }
        if rests {
            let post_only = order.flow.post_only;
            let resting = Resting { market: m, side: order.side, price, qty: left, post_only };
            self.book.insert(order.id, resting);
            return;
        }
        let told = self.expect(log, event::CANCELLED, "the rest of an order");
        let reason = if ended.is_some() { STOPPED } else { 2 };
        self.check("rest of an order", (order.id, left, reason), (told.order, told.qty, told.code));
    }

    /// Prices from which the next one would be outside.
    fn count_near(&mut self, m: usize, level: i64) {
        for r in self.testing(m, "trade") {
            if [level - 1, level + 1].iter().any(|p| self.outside(m, r, *p).is_some()) {
                self.count("trade at a bound");
            }
        }
    }

    /// What holds while the rule that acts in a market does.
    fn meanwhile(&self, m: usize) -> &Value {
        self.markets[m].acting.map_or(&Value::Null, |a| &self.rules[a.rule]["exit"]["meanwhile"])
    }

    /// Rounds of liquidations that a step may have.
    fn rounds(&self) -> Option<i64> {
        (0..self.markets.len()).filter_map(|m| self.meanwhile(m)["liquidation_rounds"].as_i64()).min()
    }

    /// What is left of the events of the step: liquidations, cancels.
    fn rest(&mut self, log: &mut Log<'_>) {
        while let Some(e) = log.peek() {
            let m = usize::from(e.market);
            match e.kind {
                event::BREAKER_TRIPPED | event::PHASE_CHANGED => return,
                event::ORDER_BOUNDED => {
                    log.at += 1;
                    let sent = log.peek().filter(|next| next.kind == event::LIQUIDATION_ORDER);
                    let Some(sent) = sent else { self.fail("an order is bounded that nobody sends") };
                    self.close(m, &sent, Some(e), log);
                }
                event::LIQUIDATION_ORDER => self.close(m, &e, None, log),
                event::CANCELLED => {
                    self.lose(e.order, e.qty);
                    log.at += 1;
                }
                event::ADL_FILL | event::FUND_PAID | event::DRAWDOWN_CHANGED => {
                    let counts = &mut self.markets[m].counts;
                    match e.kind {
                        event::ADL_FILL => counts[2] += e.price * e.qty,
                        event::FUND_PAID => counts[3] += e.amount,
                        _ => counts[4] += i64::from(e.flags),
                    }
                    log.at += 1;
                }
                _ => log.at += 1,
            }
        }
    }

    /// A liquidation order.
    fn close(&mut self, m: usize, sent: &Record, bounded: Option<Record>, log: &mut Log<'_>) {
        // Without a fund and a backstop a round sends one order.
        if self.is_held.is_none() {
            self.is_held = Some((self.rounds().unwrap_or(i64::MAX), 0));
        }
        let (most, sent_so_far) = self.is_held.expect("set above");
        self.is_held = Some((most, sent_so_far + 1));
        self.check("rounds of liquidations", true, sent_so_far < most);
        log.at += 1;
        let flow = FlowKind { liquidation: true, immediate: true, ..FlowKind::default() };
        self.markets[m].counts[0] += 1;
        let own = sent.flags & 1 == 0;
        let found = self.entry(m, sent.side, None, flow).expect("a liquidation is never refused");
        let tighter = |bound: i64| if sent.side == BUY { bound < sent.amount } else { bound > sent.amount };
        if own {
            let capped = found.filter(|found| tighter(found.0));
            self.check("limit of a liquidation", capped.map_or(sent.amount, |c| c.0), sent.price);
            let told = bounded.map(|e| (e.flags, usize::from(e.code), e.price, e.amount, e.qty, e.order));
            let wanted = capped.map(|c| (1, c.1, c.0, c.2, sent.amount, sent.order));
            self.check("what is said of a capped liquidation", wanted, told);
            self.count(if capped.is_some() { "capped liquidation" } else { "liquidation" });
        }
        let order = Order {
            market: m,
            id: sent.order,
            side: sent.side,
            limit: Some(sent.price),
            qty: sent.qty,
            flow,
            shown: sent.price,
        };
        self.meet(&order, sent.price, log);
    }

    // The end of a step.

    fn observe(&mut self) {
        for market in &mut self.markets {
            let (traded, marked) = (std::mem::take(&mut market.traded), market.marked.take());
            if std::mem::take(&mut market.tripped) {
                continue;
            }
            if !traded.is_empty() {
                market.history.trades.push((self.now, traded));
            }
            market.history.marks.extend(marked.map(|mark| (self.now, vec![mark])));
        }
    }

    fn counts(&mut self, log: &mut Log<'_>) {
        for m in 0..self.markets.len() {
            let counts = std::mem::take(&mut self.markets[m].counts);
            let mut trips = Vec::new();
            for r in self.testing(m, "count") {
                let test = self.rules[r]["test"].clone();
                let place = COUNTED.iter().position(|of| test["of"] == *of).expect("a name");
                if counts[place] == 0 {
                    continue;
                }
                let rule = self.markets[m].rules.get_mut(&r).expect("it is watched");
                rule.counted.push((self.now, counts[place]));
                let edge = self.now - whole(&test["window_ns"]);
                let total: i64 = rule.counted.iter().filter(|c| c.0 > edge).map(|c| c.1).sum();
                let least = whole(&test["least"]);
                if total >= least && self.is_armed(m, r, self.now) {
                    let trip = self.trip(m, r, asked::COUNT, total, BUY, self.now);
                    trips.push(Trip { reference: least, ..trip });
                    self.count(format!("count of {}", COUNTED[place]));
                }
            }
            self.act(m, &trips, log);
        }
    }

    /// Limit states and straddles.
    fn touches(&mut self, log: &mut Log<'_>) {
        for m in 0..self.markets.len() {
            let was = self.markets[m].phase;
            let looks = [phase::CONTINUOUS, phase::STRADDLE, phase::LIMIT_STATE].contains(&was);
            let rules = self.testing(m, "quote");
            if !looks || rules.is_empty() || self.markets[m].acting.is_none() && was != phase::CONTINUOUS {
                continue;
            }
            let (bid, ask) = (self.best(m, BUY), self.best(m, SELL));
            let mut found = None;
            for r in rules {
                let (low, high) = self.inside(m, r);
                let (low, high) =
                    (Some(low).filter(|p| *p != EVERYTHING.0), Some(high).filter(|p| *p != EVERYTHING.1));
                let crossed = bid.zip(ask).is_some_and(|(bid, ask)| bid > ask);
                let armed = was == phase::LIMIT_STATE || self.is_armed(m, r, self.now);
                let limit = if crossed {
                    None
                } else if ask.is_some() && ask == low {
                    Some((SELL, ask))
                } else if bid.is_some() && bid == high {
                    Some((BUY, bid))
                } else {
                    None
                };
                let below = bid.zip(low).is_some_and(|(bid, low)| bid < low);
                let above = ask.zip(high).is_some_and(|(ask, high)| ask > high);
                if limit.is_some() && !armed {
                    self.count("a limit that begins nothing");
                } else if let Some((side, price)) = limit {
                    found = Some((r, phase::LIMIT_STATE, side, price));
                } else if below || above {
                    found = Some((r, phase::STRADDLE, if below { SELL } else { BUY }, None));
                }
                if found.is_some() {
                    break;
                }
            }
            match found {
                Some((_, state, ..)) if state == was => {}
                None if was == phase::CONTINUOUS => {}
                None => self.enter(m, phase::CONTINUOUS, 0, None, log),
                Some((r, state, side, price)) => {
                    let ranges: Vec<Inside> = self.ranges(m, r).unwrap_or_default();
                    let trip = Trip {
                        rule: r,
                        asked: asked::QUOTE,
                        price: price.unwrap_or(0),
                        side,
                        reference: self.reference(m, r, side),
                        inside: joined(&ranges, self.is_any(r)),
                        phase: phase::LIMIT_STATE,
                        end: self.now + whole(&self.rules[r]["action"]["hold_ns"]),
                        auction: None,
                    };
                    if state == phase::LIMIT_STATE {
                        self.act(m, &[trip], log);
                    } else {
                        let acting = Acting { auction: None, ..self.acting_of(&trip) };
                        self.enter(m, phase::STRADDLE, 0, Some(acting), log);
                    }
                }
            }
        }
    }
}
