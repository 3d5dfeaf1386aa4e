//! The requirement of a notional: tiers, and the rates that it does not fall below.

use crate::config::{self, OpenInterestScale, SizeRule, Tier};
use crate::units::{
    Contract, Money, Ppm, Price, Qty, Size, open_interest_rate_down, size_premium_down, size_slope_up,
    tier_deduction, tier_requirement_up,
};

/// Which of the two rates of a tier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rate {
    /// To open.
    Initial,
    /// To keep.
    Maintenance,
}

#[derive(Debug, Clone, Copy)]
struct Row {
    lower: Money,
    rate: Ppm,
    deduction: Money,
}

impl Row {
    #[inline(always)]
    fn requirement(&self, notional: Money) -> Money {
        tier_requirement_up(notional, self.rate, self.deduction)
    }
}

/// What an initial requirement depends on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Exposure<'a> {
    /// Lots of the position with its open orders, at most.
    pub(crate) size: Qty,
    /// What the lots are worth at a price.
    pub(crate) contract: &'a Contract,
    /// The mark.
    pub(crate) price: Price,
    /// Open interest of the market.
    pub(crate) open: Qty,
    /// The rate that the account chose for itself; zero for none.
    pub(crate) own: Ppm,
}

/// The initial requirement of one market's positions, for whoever has to know it before there is a venue.
#[derive(Debug, Clone)]
pub struct InitialMargin {
    tiers: Tiers,
    contract: Contract,
}

impl InitialMargin {
    /// The rules of a market of a [`config::Config`].
    #[must_use]
    pub fn new(market: &config::Market) -> Self {
        Self { tiers: Tiers::new(&market.tiers, &market.margin, Ppm::ONE), contract: market.contract() }
    }

    /// Requirement of a signed position at a mark in a market with so much open interest, without open orders and
    /// without a leverage of the account's own. Rounded up.
    #[must_use]
    pub fn requirement(&self, base: Qty, mark: Price, open_interest: Qty) -> Money {
        let size = base.abs();
        if size.is_zero() {
            return Money::ZERO;
        }
        let contract = &self.contract;
        self.tiers.initial(&Exposure { size, contract, price: mark, open: open_interest, own: Ppm::ZERO })
    }
}

/// One market's rates with the deductions that make requirements join at the tiers' bounds.
#[derive(Debug, Clone)]
pub(crate) struct Tiers {
    initial: Vec<Row>,
    maintenance: Vec<Row>,
    /// Maintenance times the call factor, where rates and deductions are whole; else the factor is applied anew.
    call: Option<Vec<Row>>,
    factor: Ppm,
    open_interest: Option<OpenInterestScale>,
    size: Option<SizeRule>,
    account_leverage: bool,
    /// No maintenance rate by size is above it: times the call factor it stays below one.
    size_max: Ppm,
    /// The only tier, if there is no rate beside it but an account's own.
    flat: Option<Row>,
}

impl Tiers {
    /// The tiers of a market and the rules beside them; whole deductions are proven by the configuration.
    #[must_use]
    pub(crate) fn new(tiers: &[Tier], rules: &config::Margin, factor: Ppm) -> Self {
        let rows = |rate_of: fn(&Tier) -> Ppm| {
            let mut rows: Vec<Row> = Vec::with_capacity(tiers.len());
            for tier in tiers {
                let rate = rate_of(tier);
                let deduction = rows.last().map_or(Money::ZERO, |before| {
                    let whole = tier_deduction(before.deduction, tier.lower, rate - before.rate);
                    whole.expect("the configuration proved whole deductions")
                });
                rows.push(Row { lower: tier.lower, rate, deduction });
            }
            rows
        };
        let (initial, maintenance) = (rows(|t| t.initial_ppm), rows(|t| t.maintenance_ppm));
        let scaled = |row: &Row| {
            let rate = row.rate.scaled_exact(factor)?;
            Some(Row { lower: row.lower, rate, deduction: row.deduction.ppm_exact(factor)? })
        };
        let call = maintenance.iter().map(scaled).collect();
        let size_max = Ppm::highest_below_one(factor);
        let config::Margin { open_interest, size, account_leverage, .. } = *rules;
        let is_flat = tiers.len() == 1 && open_interest.is_none() && size.is_none();
        let flat = initial.first().copied().filter(|_| is_flat);
        Self { initial, maintenance, call, factor, open_interest, size, account_leverage, size_max, flat }
    }

    /// The initial rate of a leverage that an account sets for itself, zero for none; `None` if the market does not
    /// take it.
    #[must_use]
    pub(crate) fn own_rate(&self, leverage: i64) -> Option<Ppm> {
        if !self.account_leverage || leverage < 0 {
            return None;
        }
        if leverage == 0 {
            return Some(Ppm::ZERO);
        }
        Some(Ppm::of_leverage_up(leverage)).filter(|rate| *rate >= self.initial[0].rate)
    }

    /// The initial, the maintenance and the call rate of every position; none if they depend on more.
    #[must_use]
    pub(crate) fn flat_rates(&self) -> Option<(Ppm, [Ppm; 2])> {
        let initial = self.flat.filter(|_| !self.account_leverage)?.rate;
        let of = |rows: &[Row]| rows.first().map(|row| row.rate);
        Some((initial, [of(&self.maintenance)?, of(self.call.as_ref()?)?]))
    }

    /// Initial requirement: that of the tier, and at least the notional times every rate beside the tiers.
    #[must_use]
    #[inline(always)]
    pub(crate) fn initial(&self, exposure: &Exposure<'_>) -> Money {
        let notional = exposure.contract.notional_up(exposure.price, exposure.size);
        match &self.flat {
            Some(row) if exposure.own.is_zero() => row.requirement(notional),
            _ => self.initial_by_rates(exposure, notional),
        }
    }

    #[inline(never)]
    fn initial_by_rates(&self, exposure: &Exposure<'_>, notional: Money) -> Money {
        let tiered = row(&self.initial, notional).requirement(notional);
        let base = self.initial[0].rate;
        let mut rate = exposure.own;
        if let Some(scale) = &self.open_interest {
            rate = rate.max(open_interest_rate_down(
                base,
                exposure.contract.notional_up(exposure.price, exposure.open),
                scale.lower,
                scale.upper,
            ));
        }
        if let Some(rule) = &self.size {
            rate = rate.max(by_size(rule, Rate::Initial, base, exposure.size));
        }
        if rate.is_zero() { tiered } else { tiered.max(notional.ppm_up(rate.min(Ppm::ONE))) }
    }

    /// Maintenance requirement: that of the tier, and at least the notional times the rate by size.
    #[must_use]
    #[inline]
    pub(crate) fn maintenance(&self, notional: Money, size: Qty) -> Money {
        let tiered = row(&self.maintenance, notional).requirement(notional);
        match self.rate_by_size(size) {
            Some(rate) => tiered.max(notional.ppm_up(rate)),
            None => tiered,
        }
    }

    /// The maintenance requirement times the call factor, rounded once, so that it never grows faster than the
    /// notional.
    #[must_use]
    #[inline]
    pub(crate) fn call(&self, notional: Money, size: Qty) -> Money {
        let tiered = if let Some(rows) = &self.call {
            row(rows, notional).requirement(notional)
        } else {
            let row = row(&self.maintenance, notional);
            notional.scaled_requirement_up(row.rate, row.deduction, self.factor)
        };
        match self.rate_by_size(size) {
            Some(rate) => tiered.max(notional.scaled_requirement_up(rate, Money::ZERO, self.factor)),
            None => tiered,
        }
    }

    #[inline]
    fn rate_by_size(&self, size: Qty) -> Option<Ppm> {
        let rule = self.size.as_ref()?;
        Some(by_size(rule, Rate::Maintenance, self.maintenance[0].rate, size).min(self.size_max))
    }

    /// The highest maintenance rate at a size, times the call factor if asked for, rounded up.
    #[must_use]
    pub(crate) fn rate_max(&self, size: Qty, call: bool) -> Ppm {
        let tiered = self.maintenance.last().expect("there is a tier").rate;
        let rate = self.rate_by_size(size).map_or(tiered, |rate| rate.max(tiered));
        if call { rate.scaled_up(self.factor) } else { rate }
    }

    /// The lower bound of a notional's tier, and the maintenance rate of the notional and the size.
    #[must_use]
    pub(crate) fn tier(&self, notional: Money, size: Qty) -> (Money, Ppm) {
        let row = row(&self.maintenance, notional);
        (row.lower, self.rate_by_size(size).map_or(row.rate, |rate| rate.max(row.rate)))
    }

    /// Rate and deduction of every line whose greatest value is the maintenance requirement of a size.
    pub(crate) fn lines(&self, size: Qty) -> impl Iterator<Item = (Ppm, Money)> {
        let tiered = self.maintenance.iter().map(|row| (row.rate, row.deduction));
        tiered.chain(self.rate_by_size(size).map(|rate| (rate, Money::ZERO)))
    }
}

/// The rate of a size, not below the rate of the first tier but for the rounding of the rule.
#[inline(never)]
fn by_size(rule: &SizeRule, which: Rate, base: Ppm, size: Qty) -> Ppm {
    let of = |unit: Qty| Size { count: size.get(), unit: unit.get() };
    let pick = |initial, maintenance| match which {
        Rate::Initial => initial,
        Rate::Maintenance => maintenance,
    };
    match *rule {
        SizeRule::Root { initial_ppb, maintenance_ppb, unit } => {
            size_premium_down(base, pick(initial_ppb, maintenance_ppb), of(unit))
        }
        SizeRule::Linear { initial_ppb, maintenance_ppb, unit } => {
            size_slope_up(base, pick(initial_ppb, maintenance_ppb), of(unit))
        }
    }
}

/// The row of the tier that a notional falls in.
#[inline]
fn row(rows: &[Row], notional: Money) -> &Row {
    let mut row = &rows[0];
    for next in &rows[1..] {
        if notional < next.lower {
            break;
        }
        row = next;
    }
    row
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tier(lower: i64, initial: i64, maintenance: i64) -> Tier {
        Tier {
            lower: Money::new(lower),
            initial_ppm: Ppm::new(initial),
            maintenance_ppm: Ppm::new(maintenance),
        }
    }

    const UNIT: Contract = Contract::linear(crate::units::TickValue::new(1));

    fn lots(size: i64, price: i64) -> Exposure<'static> {
        let (size, price) = (Qty::new(size), Price::new(price));
        Exposure { size, contract: &UNIT, price, open: Qty::ZERO, own: Ppm::ZERO }
    }

    #[test]
    fn requirements_join_at_the_bounds_of_tiers() {
        let tiers = Tiers::new(
            &[tier(0, 20_000, 10_000), tier(1_000_000, 50_000, 25_000), tier(3_000_000, 100_000, 50_000)],
            &config::Margin::default(),
            Ppm::new(1_250_000),
        );
        let of = |notional| tiers.maintenance(Money::new(notional), Qty::new(1)).get();
        // 1 % to a million; then 2.5 % less 15,000; then 5 % less 90,000.
        assert_eq!((of(999_999), of(1_000_000), of(3_000_000)), (10_000, 10_000, 60_000));
        assert_eq!((of(1), of(2_000_000), of(4_000_000)), (1, 35_000, 110_000));
        assert_eq!(tiers.initial(&lots(2, 1_000_000)).get(), 70_000);
    }

    #[test]
    fn a_rate_by_size_stays_below_one_and_initial_margin_at_one() {
        let slope = crate::units::Ppb::new(1_000_000_000);
        let size = SizeRule::Linear { initial_ppb: slope, maintenance_ppb: slope, unit: Qty::new(1) };
        let rules = config::Margin { size: Some(size), ..config::Margin::default() };
        let tiers = Tiers::new(&[tier(0, 20_000, 10_000)], &rules, Ppm::new(1_250_000));
        let (notional, size) = (Money::new(1_000_000), Qty::new(500));
        assert_eq!(tiers.initial(&lots(500, 2_000)), notional);
        assert_eq!(tiers.maintenance(notional, size).get(), 799_999);
        assert_eq!(tiers.call(notional, size).get(), 999_999);
    }
}
