//! What is due: phases that end, auctions that go on, gaps between commands.

use super::bounds::EVERYTHING;
use super::follow::Log;
use super::{Acting, BUY, NEVER, Rulebook, SELL, Trip, asked, phase, trades, whole};

impl Rulebook {
    pub(super) fn run_timers(&mut self, log: &mut Log<'_>) {
        loop {
            let ends = |phase: u16| ![phase::CONTINUOUS, phase::CLOSED, phase::SETTLEMENT].contains(&phase);
            let due = (0..self.markets.len())
                .filter(|m| self.markets[*m].end > 0 && ends(self.markets[*m].phase))
                .map(|m| (self.markets[m].end, m))
                .min();
            let Some((at, m)) = due.filter(|due| due.0 <= self.now) else { return };
            self.end_phase(m, at, log);
        }
    }

    fn end_phase(&mut self, m: usize, due: i64, log: &mut Log<'_>) {
        let (was, acting) = (self.markets[m].phase, self.markets[m].acting);
        match was {
            phase::HALTED | phase::PAUSE => {
                let own = acting
                    .and_then(|a| a.auction.or_else(|| self.rules[a.rule]["exit"]["auction_ns"].as_i64()));
                let length = own.unwrap_or(self.markets[m].reopen);
                if length > 0 {
                    self.enter(m, phase::CALL_AUCTION, due + length, acting, log);
                    self.count("reopening");
                } else {
                    self.enter(m, phase::CONTINUOUS, 0, None, log);
                }
            }
            phase::CLOSE_ONLY => self.enter(m, phase::CLOSED, 0, None, log),
            phase::LIMIT_STATE if acting.is_some() => {
                let rule = &self.rules[acting.expect("it acts").rule];
                let (start, length) = self.markets[m].day;
                let time = (due - start).rem_euclid(length);
                let left = rule["action"]["close_ns"].as_i64().map(|close| close - time);
                let close_only = whole(&rule["action"]["close_only_ns"]);
                let (next, end) = match left {
                    Some(left) if left <= close_only => {
                        (phase::CLOSE_ONLY, if left > 0 { due + left } else { 0 })
                    }
                    _ => (phase::PAUSE, rule["exit"]["after_ns"].as_i64().map_or(0, |after| due + after)),
                };
                self.count(if next == phase::PAUSE { "limit state: pause" } else { "limit state: close" });
                self.enter(m, next, end, acting, log);
            }
            phase::CALL_AUCTION if self.extends(m, due, log) => {}
            _ => self.enter(m, phase::CONTINUOUS, 0, None, log),
        }
    }

    /// True if an auction goes on.
    fn extends(&mut self, m: usize, due: i64, log: &mut Log<'_>) -> bool {
        let Some(price) = self.auction_price(m) else { return false };
        let acting = self.markets[m].acting;
        let (mut trips, mut next) = (Vec::new(), acting);
        if let Some((trip, goes_on)) = acting.and_then(|acting| self.extension(m, acting, due, price)) {
            trips.push(trip);
            next = Some(goes_on);
            self.count("extension");
        }
        for r in self.testing(m, "trade") {
            let asks = self.rules[r]["test"]["auction"] == true
                && self.rules[r]["action"]["phase"] == "call_auction"
                && acting.is_none_or(|acting| acting.rule != r);
            let side = self.outside(m, r, price).filter(|_| asks && self.is_armed(m, r, due));
            if let Some(side) = side {
                trips.push(self.trip(m, r, asked::AUCTION, price, side, due));
                self.count("extension by another rule");
            }
        }
        let Some(end) = trips.iter().map(|trip| trip.end).max() else { return false };
        for trip in &trips {
            self.note(m, trip, due, log);
        }
        let first = trips[0];
        let next = next.unwrap_or_else(|| self.acting_of(&first));
        self.enter(m, phase::CALL_AUCTION, if end == NEVER { 0 } else { end }, Some(next), log);
        true
    }

    /// The extension of the rule that began an auction, and how the rule goes on.
    fn extension(&self, m: usize, acting: Acting, due: i64, price: i64) -> Option<(Trip, Acting)> {
        let extension = &self.rules[acting.rule]["exit"]["extension"];
        let after =
            extension["after_ns"].as_i64().filter(|_| self.markets[m].rules.contains_key(&acting.rule))?;
        if extension["most"].as_i64().is_some_and(|most| acting.extensions >= most) {
            return None;
        }
        let (mut low, mut high) = acting.inside;
        let collar = &extension["collar"];
        if let Some(step) = collar["step_ppm"].as_i64() {
            // Steps of whole ppm, rounded inwards: no rounding of its own in these tests.
            let times = acting.extensions + 1;
            if acting.side == BUY && high != EVERYTHING.1 {
                high += (high * step * times).div_euclid(1_000_000);
            }
            if acting.side == SELL && low != EVERYTHING.0 {
                low = (low - (low * step * times).div_euclid(1_000_000)).max(1);
            }
        }
        if low <= price && price <= high {
            return None;
        }
        let mut next = Acting { extensions: acting.extensions + 1, ..acting };
        let width = &self.rules[acting.rule]["ranges"][0]["width"];
        if let (Some(tick), Some(ppm)) = (extension["re_reference"].as_i64(), width["ppm"].as_i64()) {
            let ppm = self.markets[m].rules[&acting.rule].share.unwrap_or(ppm);
            let edges = |r: i64| {
                let of = |ppm: i64| i128::from(r) * i128::from(ppm);
                let (unit, whole) = (1_000_000 * i128::from(tick), i128::from(tick));
                let narrow = |x: i128| i64::try_from(x * whole).expect("a price");
                let up = -(-of(1_000_000 - ppm)).div_euclid(unit);
                (narrow(up), narrow(of(1_000_000 + ppm).div_euclid(unit)))
            };
            let (below, above) = edges(acting.reference);
            let edge = if price > above { above } else { below };
            if below <= above && (price > above || price < below) && edge != acting.reference {
                next.reference = edge;
                next.inside = edges(edge);
            }
        }
        let trip = Trip {
            rule: acting.rule,
            asked: asked::AUCTION,
            price,
            side: if price < low { SELL } else { BUY },
            reference: acting.reference,
            inside: (low, high),
            phase: phase::CALL_AUCTION,
            end: due + after,
            auction: None,
        };
        Some((trip, next))
    }

    pub(super) fn gaps(&mut self, gap: i64, log: &mut Log<'_>) {
        for m in 0..self.markets.len() {
            if !trades(self.markets[m].phase) {
                continue;
            }
            let mut trips = Vec::new();
            for r in self.testing(m, "gap") {
                let rows = self.rules[r]["action"]["rows"].as_array().expect("rows").clone();
                let row = rows.iter().rfind(|row| whole(&row["gap_ns"]) <= gap);
                let Some(row) = row.filter(|_| self.is_armed(m, r, self.now)) else { continue };
                trips.push(Trip {
                    rule: r,
                    asked: asked::GAP,
                    price: gap,
                    side: BUY,
                    reference: whole(&row["gap_ns"]),
                    inside: EVERYTHING,
                    phase: phase::CALL_AUCTION,
                    end: self.now + whole(&row["after_ns"]),
                    auction: None,
                });
            }
            self.act(m, &trips, log);
        }
    }
}
