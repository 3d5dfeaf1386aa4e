//! Parts of rules, and rules of a market, that cannot be meant together.

use super::{Action, Breaker, Range, Reference, Rounding, Test, When, Width};
use crate::config::{ConfigError, Market, refuse};
use crate::protocol::Phase;
use crate::units::{MILLION, Nanos, Price};

/// The lowest and the highest price inside.
type Inside = (i128, i128);

impl Breaker {
    /// An end that never comes, a part that is never used, a time that no day has; `at` names the rule.
    pub(super) fn prove_use(
        &self,
        field: &impl Fn(&str) -> String,
        markets: &[Market],
    ) -> Result<(), ConfigError> {
        let exit = self.exit.as_ref();
        let after = exit.and_then(|exit| exit.after_ns);
        if self.action == (Action::Interrupt { phase: Phase::Closed }) && after.is_some() {
            let why = "a closed market does not open when its time is over; give null, until a command";
            return refuse(field("exit.after_ns"), why);
        }
        if let Action::Schedule { rows } = &self.action {
            let never = |row: &super::LevelRow| row.phase == Some(Phase::Closed) && row.after_ns.is_some();
            if let Some(row) = rows.iter().position(never) {
                let why = "a closed market does not open when its time is over; give null, until a command";
                return refuse(field(&format!("action.rows[{row}].after_ns")), why);
            }
        }
        let reopens = self.markets.iter().any(|m| markets[m.index()].reopen_auction_ns.is_positive());
        if !self.ends_in_auction(reopens) {
            let why = "no auction ends this interruption; leave it out, or give the halt an auction_ns";
            if exit.is_some_and(|exit| exit.extension.is_some()) {
                return refuse(field("exit.extension"), why);
            }
            if exit.is_some_and(|exit| exit.meanwhile.mark.asks_auction()) {
                return refuse(field("exit.meanwhile.mark"), why);
            }
            if self.rearm.auction {
                return refuse(field("rearm.auction"), why);
            }
        }
        let moves = exit.and_then(|exit| exit.extension).is_some_and(|by| by.re_reference.is_some());
        let shares = matches!(
            self.ranges.as_slice(),
            [Range { width: Width::Ppm { of: None, step: None, .. }, reach: None, .. }]
        );
        if moves && !shares {
            let why = "moves one range whose width is ppm of its own reference, without step and reach; give \
                       such a range alone, or leave it out";
            return refuse(field("exit.extension.re_reference"), why);
        }
        let anew = self.ranges.iter().any(|range| has(range, starts_anew));
        // The price of the last auction is one from an auction in any case.
        let auction = self.ranges.iter().any(|range| has(range, |of| *of == Reference::Auction));
        let asked =
            [("rearm.restart", self.rearm.restart), ("rearm.auction", self.rearm.auction && !auction)];
        if let Some((name, _)) = asked.into_iter().find(|(_, asked)| *asked && !anew) {
            let why =
                "none of its references starts anew: last, aged, mean, window and slewed do; leave it out";
            return refuse(field(name), why);
        }
        let day = self.markets.iter().map(|m| markets[m.index()].day.length_ns).min();
        self.prove_times(field, day.unwrap_or(Nanos::MAX))
    }

    /// True if an auction may follow what it does; `reopens` if a market has one of its own after a halt.
    fn ends_in_auction(&self, reopens: bool) -> bool {
        let own = self.exit.as_ref().and_then(|exit| exit.auction_ns);
        let after_halt = own.map_or(reopens, Nanos::is_positive);
        match &self.action {
            Action::Interrupt { phase: Phase::CallAuction } | Action::Gaps { .. } => true,
            Action::Interrupt { phase: Phase::Halted | Phase::Pause } | Action::LimitState { .. } => {
                after_halt
            }
            Action::Schedule { rows } => {
                rows.iter().any(|row| row.phase == Some(Phase::CallAuction) || row.auction_ns.is_positive())
            }
            Action::Interrupt { .. } | Action::Reject | Action::Cap | Action::Stop => false,
        }
    }

    /// Times of the day that the shortest day of its markets does not have.
    fn prove_times(&self, field: &impl Fn(&str) -> String, day: Nanos) -> Result<(), ConfigError> {
        let never = |time: Nanos| format!("{time}: never comes, a day lasts {day}");
        match &self.action {
            Action::LimitState { close_ns: Some(close), .. } if *close > day => {
                return refuse(field("action.close_ns"), never(*close));
            }
            Action::Schedule { rows } => {
                if let Some(i) = rows.iter().position(|row| row.from_ns >= day) {
                    return refuse(field(&format!("action.rows[{i}].from_ns")), never(rows[i].from_ns));
                }
            }
            _ => {}
        }
        for (i, range) in self.ranges.iter().enumerate() {
            if let Some(from) = range.width.latest_hour().filter(|from| *from >= day) {
                return refuse(field(&format!("ranges[{i}].width")), never(from));
            }
        }
        Ok(())
    }

    /// What is inside, as far as it is fixed: ranges around a price that is told in the configuration.
    fn fixed(&self) -> Option<Inside> {
        let all = self.when == When::OutsideAny || self.ranges.len() == 1;
        if self.rounding != Rounding::Inward || !all {
            return None;
        }
        let fixed = self.ranges.iter().filter_map(|range| fixed(range, self.inclusive));
        fixed.reduce(|a, b| (a.0.max(b.0), a.1.min(b.1)))
    }

    /// True if it keeps prices inside before they trade.
    fn confines(&self) -> bool {
        self.enabled && matches!(self.test, Test::Entry { .. } | Test::Trade { .. })
    }
}

/// Rules that leave no price inside, alone or with one before them.
pub(in crate::config) fn prove_together(breakers: &[Breaker], markets: &[Market]) -> Result<(), ConfigError> {
    for (i, rule) in breakers.iter().enumerate() {
        let at = format!("breakers[{i}] ({}).ranges", rule.name);
        let Some(inside) = rule.fixed() else { continue };
        if inside.0 > inside.1 {
            return refuse(at, "leave no price inside; widen them");
        }
        for market in rule.markets.iter().map(|m| &markets[m.index()]) {
            if inside.0 > market.price_max.get().into() || inside.1 < 1 {
                let why =
                    format!("no price of market {} is inside {} to {}", market.name, inside.0, inside.1);
                return refuse(at, why);
            }
        }
        for (j, other) in breakers[..i].iter().enumerate().filter(|(_, b)| b.confines() && rule.confines()) {
            let Some(before) = other.fixed() else { continue };
            let shared = rule.markets.iter().any(|m| other.markets.contains(m));
            if shared && inside.0.max(before.0) > inside.1.min(before.1) {
                let why = format!("leave no price inside with those of breakers[{j}] ({})", other.name);
                return refuse(at, why);
            }
        }
    }
    Ok(())
}

/// The prices inside a range around a told price by a plain width.
fn fixed(range: &Range, inclusive: bool) -> Option<Inside> {
    let Reference::Set { price: Some(price) } = range.reference else { return None };
    let parts = |price: Price| i128::from(price.get()) * i128::from(MILLION);
    let distance = match &range.width {
        Width::Ticks { ticks } => parts(*ticks),
        Width::Ppm { ppm, of: None, step: None } => i128::from(price.get()) * i128::from(ppm.get()),
        _ => return None,
    };
    if range.reach.is_some() {
        return None;
    }
    let (lower, upper) = (parts(price) - distance, parts(price) + distance);
    let million = i128::from(MILLION);
    // A strict bound is a part further in.
    let strict = i128::from(!inclusive);
    Some((-(-(lower + strict)).div_euclid(million), (upper - strict).div_euclid(million)))
}

/// True if a reference of a range, or of its width, is such a one.
fn has(range: &Range, such: impl Fn(&Reference) -> bool) -> bool {
    let mut found = false;
    range.map(&mut |reference: &Reference| found |= such(reference));
    found
}

/// True if a reference can start anew.
fn starts_anew(reference: &Reference) -> bool {
    matches!(
        reference,
        Reference::Last { .. }
            | Reference::Aged { .. }
            | Reference::Mean { .. }
            | Reference::Window { .. }
            | Reference::Slewed { .. }
    )
}
