//! The insurance fund's arithmetic: what it earns from a liquidation, what it can and may pay for, and how a loss that
//! it cannot pay is shared.
//!
//! The ledger holds the money and never lets a fund fall below zero; of state there are only the drawdowns.

use crate::codec::{CodecError, Reader, Writer};
use crate::config::{Config, Drawdown, RateRounding};
use crate::units::{Contract, Fine, FundId, MarketId, Money, Nanos, Ppm, Price, Qty, Ratio, Side, Sum};

/// What closing lots in the book brings the fund.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Delta {
    /// What moves to the fund; negative: what it would have to pay.
    pub amount: Money,
    /// Whether the fund can pay it.
    pub allowed: bool,
    /// The fund's balance then.
    pub fund_after: Money,
}

/// The fund's part of lots that were closed for `value`, which the bankruptcy price values at `quote`; both with the
/// sign of the position. Above it the surplus, at most `ceil(|value| fee_max)`, so that a fee alone never makes an
/// account bankrupt; below it the loss, which is allowed if the fund does not end below zero (dYdX v4, 2026).
#[must_use]
pub fn fund_delta(value: Money, quote: Money, fee_max: Ppm, fund: Money) -> Delta {
    let amount = (value - quote).min(value.abs().ppm_up(fee_max));
    let allowed = !(fund + amount).is_negative();
    Delta { amount, allowed, fund_after: if allowed { fund + amount } else { fund } }
}

/// The fund's fee as a share of the value closed: 95 % of the margin that closing freed beyond the shortage,
/// `0.95 (margin - liquidator_fee - shortage / value)` within 0 and `fee_max` (Drift v2, 2026). The value is positive.
#[must_use]
pub fn fund_fee(shortage: Sum, value: Money, margin: Ppm, liquidator_fee: Ppm, fee_max: Ppm) -> Ratio {
    Ratio::margin_left(shortage, value, margin, [liquidator_fee, fee_max])
}

/// What one lot of a position of this side costs the fund if it is closed at `price` instead of its bankruptcy price.
#[must_use]
pub(crate) fn cost_per_lot(side: Side, bankruptcy: Price, price: Price, contract: &Contract) -> Fine {
    contract.gain_per_lot(side, price, bankruptcy).max(Fine::ZERO)
}

/// Lots that a balance pays for, beside what it has been spent on; all of them if they cost nothing.
#[must_use]
pub(crate) fn payable(
    balance: Money,
    spent: Fine,
    cost_per_lot: Fine,
    lots: Qty,
    contract: &Contract,
) -> Qty {
    if cost_per_lot.is_positive() {
        lots.min(contract.affordable(balance, spent, cost_per_lot))
    } else {
        lots
    }
}

/// How a market's loss is shared between its fund and others.
#[derive(Debug, Clone, Copy)]
pub struct Drawn {
    /// Minus the loss as a share of the fund's highest balance.
    pub ratio: Ratio,
    /// Whether the trigger is on.
    pub active: bool,
    /// The fund's part.
    pub fund_pays: Money,
    /// The others' part.
    pub winners_pay: Money,
}

/// The drawdown trigger of a pool: fires if the loss is above the trigger (or at it, if `inclusive`), stays on while
/// the loss is at or above the stop. While it is on the fund pays up to `floor(peak trigger)` (Bybit, December 2025).
#[must_use]
pub fn drawdown(peak: Money, loss: Money, rule: &Drawdown, was_active: bool) -> Drawn {
    let lost = Ratio::new(Sum::of(loss), Sum::of(peak));
    let (trigger, stop) = (Ratio::of_rate(rule.trigger_ppm), Ratio::of_rate(rule.stop_ppm));
    let fires = lost > trigger || (rule.inclusive && lost == trigger);
    let active = if was_active { lost >= stop } else { fires };
    let fund_pays = if active { loss.min(peak.ppm_down(rule.trigger_ppm)) } else { loss };
    let ratio = Ratio::new(-Sum::of(loss), Sum::of(peak));
    Drawn { ratio, active, fund_pays, winners_pay: loss - fund_pays }
}

/// The greatest of a value over the present eighth of a window and the seven before it.
#[derive(Debug, Clone, Default)]
struct Peaks {
    eighth: i64,
    value: Money,
    /// The present eighth first.
    greatest: [Money; 8],
}

impl Peaks {
    fn advance(&mut self, now: Nanos, window: Nanos) {
        let eighth = now.eighths_of(window);
        // The value stood while nothing was said of it.
        for _ in 0..(eighth - self.eighth).clamp(0, 8) {
            self.greatest.rotate_right(1);
            self.greatest[0] = self.value;
        }
        self.eighth = eighth;
    }

    fn set(&mut self, now: Nanos, window: Nanos, value: Money) {
        self.advance(now, window);
        self.value = value;
        self.greatest[0] = self.greatest[0].max(value);
    }

    fn peak(&mut self, now: Nanos, window: Nanos) -> Money {
        self.advance(now, window);
        self.greatest.into_iter().max().expect("there are eight")
    }

    fn encode(&self, w: &mut Writer) {
        w.i64(self.eighth);
        w.i64(self.value.get());
        self.greatest.iter().for_each(|g| w.i64(g.get()));
    }

    fn decode(r: &mut Reader<'_>) -> Result<Self, CodecError> {
        let mut peaks = Self { eighth: r.i64()?, value: Money::new(r.i64()?), ..Self::default() };
        for greatest in &mut peaks.greatest {
            *greatest = Money::new(r.i64()?);
        }
        let amounts = peaks.greatest.iter().chain([&peaks.value]);
        let wide = amounts.into_iter().any(|a| a.get().unsigned_abs() > i64::MAX.unsigned_abs() >> 1);
        if wide || peaks.eighth.is_negative() {
            return Err(r.invalid("a fund's highest balance is out of range; take another copy"));
        }
        Ok(peaks)
    }
}

/// What one market has cost its fund.
#[derive(Debug, Clone, Default)]
struct Line {
    /// Received less paid, and its peaks.
    flow: Peaks,
    active: bool,
}

/// Drawdowns of the markets whose fund has a trigger.
#[derive(Debug, Clone)]
pub(crate) struct Pools {
    rules: Vec<Option<Drawdown>>,
    balances: Vec<Peaks>,
    lines: Vec<Line>,
}

impl Pools {
    /// Pools that nothing was paid from.
    #[must_use]
    pub(crate) fn new(config: &Config) -> Self {
        let rules: Vec<_> = config.funds.iter().map(|f| f.drawdown).collect();
        let any = rules.iter().any(Option::is_some);
        let of = |count| if any { count } else { 0 };
        Self {
            balances: vec![Peaks::default(); of(config.funds.len())],
            lines: vec![Line::default(); of(config.markets.len())],
            rules,
        }
    }

    /// A fund has another balance.
    pub(crate) fn note_balance(&mut self, now: Nanos, fund: FundId, balance: Money) {
        if let Some(rule) = self.rules[fund.index()] {
            self.balances[fund.index()].set(now, rule.window_ns, balance);
        }
    }

    /// A market brought its fund money, or cost it.
    pub(crate) fn note_flow(&mut self, now: Nanos, fund: FundId, market: MarketId, received: Money) {
        if let Some(rule) = self.rules[fund.index()] {
            let flow = &mut self.lines[market.index()].flow;
            flow.set(now, rule.window_ns, flow.value + received);
        }
    }

    /// The drawdown of a market if it cost its fund `more`; none without a trigger. With it the fund's highest
    /// balance and the loss so far.
    pub(crate) fn drawn(
        &mut self,
        now: Nanos,
        (fund, market): (FundId, MarketId),
        more: Money,
    ) -> Option<(Drawn, Money, Money)> {
        let rule = self.rules[fund.index()]?;
        let peak = self.balances[fund.index()].peak(now, rule.window_ns);
        let line = &mut self.lines[market.index()];
        let loss = line.flow.peak(now, rule.window_ns) - line.flow.value;
        Some((drawdown(peak, loss + more, &rule, line.active), peak, loss))
    }

    /// Turns a market's trigger on or off; true if that is new.
    pub(crate) fn switch(&mut self, market: MarketId, active: bool) -> bool {
        std::mem::replace(&mut self.lines[market.index()].active, active) != active
    }

    pub(crate) fn encode(&self, w: &mut Writer) {
        self.balances.iter().for_each(|b| b.encode(w));
        for line in &self.lines {
            line.flow.encode(w);
            w.bool(line.active);
        }
    }

    pub(crate) fn decode(&mut self, r: &mut Reader<'_>) -> Result<(), CodecError> {
        for balance in &mut self.balances {
            *balance = Peaks::decode(r)?;
        }
        for line in &mut self.lines {
            *line = Line { flow: Peaks::decode(r)?, active: r.bool()? };
        }
        Ok(())
    }
}

/// A debt, and what there is to pay it with. Prices and weights are in ppm; prices and weights are positive.
#[derive(Debug, Clone, Copy)]
pub struct Debt {
    /// Balance of the asset in which it is settled.
    pub settle_balance: Money,
    /// Profit in the market, negative: the debt, in the same asset.
    pub perp_pnl: Money,
    /// Health of everything else, in value.
    pub other_health: Money,
    /// Price of the asset.
    pub settle_price: Ppm,
    /// Price of the fund's asset.
    pub fund_price: Ppm,
    /// Weight of a balance above zero.
    pub asset_weight: Ppm,
    /// Weight of a balance below zero.
    pub liability_weight: Ppm,
    /// The fund's balance.
    pub fund: Money,
    /// Most that the account may settle at once.
    pub settle_limit: Money,
    /// Most that may be taken over at once.
    pub takeover_limit: Money,
}

/// Who carries a debt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Resolved {
    /// By the account, out of its balance.
    pub settled: Money,
    /// By the fund, in its own asset.
    pub fund_paid: Money,
    /// The part of the debt that the fund's money covers.
    pub taken_over: Money,
    /// The part that is left to the last resort.
    pub socialised: Money,
    /// The account's balance then.
    pub settle_after: Money,
    /// Its profit then.
    pub perp_after: Money,
}

/// Who carries a debt: the account as far as its health allows, then the fund, then, if the fund is exhausted, others
/// (Mango v4, 2026). The balance that the account has to keep and what the fund pays are rounded up, what the fund's
/// money is worth down.
#[must_use]
pub fn negative_pnl(debt: &Debt) -> Resolved {
    let weight = if debt.other_health.is_negative() { debt.asset_weight } else { debt.liability_weight };
    let keeps = (-debt.other_health).weighted_balance_up(debt.settle_price, weight);
    let owed = (-debt.perp_pnl).max(Money::ZERO);
    let free = (debt.settle_balance - keeps).max(Money::ZERO);
    let settled = owed.min(debt.settle_limit).min(free);
    let (settle_after, left) = (debt.settle_balance - settled, owed - settled);
    let excess = (keeps - settle_after + left).max(Money::ZERO).min(left);
    let payable = debt.fund.converted_down(debt.fund_price, debt.settle_price);
    let taken_over = excess.min(debt.takeover_limit).min(payable);
    let fund_paid = taken_over.converted_up(debt.settle_price, debt.fund_price);
    let socialised = if taken_over == payable { excess - taken_over } else { Money::ZERO };
    let perp_after = debt.perp_pnl + settled + taken_over + socialised;
    Resolved { settled, fund_paid, taken_over, socialised, settle_after, perp_after }
}

/// A loss that every position of a market carries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spread {
    /// Paid out of the fees earned.
    pub from_pool: Money,
    /// Charge per lot; none without an open position.
    pub rate: Option<Money>,
    /// What each position pays, in their order.
    pub charges: Vec<Money>,
}

/// Shares a loss out over positions of both sides by lots: the pool pays first, the rest per lot in whole steps
/// (Drift v2, 2026). Without an open position nobody bears the rest.
#[must_use]
pub fn two_sided_loss(loss: Money, pool: Money, lots: &[Qty], step: Money, rounding: RateRounding) -> Spread {
    let from_pool = loss.min(pool.max(Money::ZERO));
    let rest = loss - from_pool;
    let all: i128 = lots.iter().map(|q| i128::from(q.get())).sum();
    let rate = (all > 0).then(|| match rounding {
        RateRounding::Ceil => rest.per_lot_up(all, step),
        RateRounding::Floor => rest.per_lot_down(all, step),
    });
    let charge = |q: &Qty| rate.map_or(Money::ZERO, |rate| rate.times(*q));
    Spread { from_pool, rate, charges: lots.iter().map(charge).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fee_is_cut_to_the_surplus() {
        let of = |side: Side, value, bankruptcy| {
            let signed = |amount| side.signed(Qty::new(amount)).get();
            let (value, quote) = (Money::new(signed(value)), Money::new(signed(bankruptcy)));
            fund_delta(value, quote, Ppm::new(10_000), Money::ZERO).amount.max(Money::ZERO).get()
        };
        // One per cent of 1,000 is 10. A long sold for 1,000: surplus 40, 4 and none.
        assert_eq!(
            (of(Side::Buy, 1000, 960), of(Side::Buy, 1000, 996), of(Side::Buy, 1000, 1010)),
            (10, 4, 0)
        );
        assert_eq!((of(Side::Sell, 1000, 1040), of(Side::Sell, 1000, 996)), (10, 0));
    }

    #[test]
    fn a_fund_may_end_at_zero_and_not_below() {
        let of = |fund| fund_delta(Money::new(90), Money::new(100), Ppm::ZERO, Money::new(fund));
        assert_eq!((of(10).allowed, of(10).fund_after), (true, Money::ZERO));
        assert_eq!((of(9).allowed, of(9).fund_after, of(9).amount), (false, Money::new(9), Money::new(-10)));
    }

    #[test]
    fn a_fee_for_margin_left_is_clamped_at_both_ends() {
        let of = |shortage, liquidator| {
            let rate = fund_fee(
                Sum::new(shortage),
                Money::new(1000),
                Ppm::new(50_000),
                Ppm::new(liquidator),
                Ppm::new(30_000),
            );
            Money::new(1000).ratio_up(rate).get()
        };
        // 95 % of (50 - 10 - 20) of a thousand are 19; of (50 - 10 - 21) 18.05, up; nothing left; at most 30.
        assert_eq!(
            (of(20, 10_000), of(21, 10_000), of(40, 10_000), of(99, 10_000), of(0, 0)),
            (19, 19, 0, 0, 30)
        );
    }

    #[test]
    fn a_trigger_has_two_ends() {
        let rule = |inclusive| Drawdown {
            trigger_ppm: Ppm::new(300_000),
            stop_ppm: Ppm::new(250_000),
            inclusive,
            window_ns: Nanos::new(8),
        };
        let of = |loss, inclusive, was| {
            let d = drawdown(Money::new(1000), Money::new(loss), &rule(inclusive), was);
            (d.active, d.fund_pays.get(), d.winners_pay.get())
        };
        assert_eq!((of(299, true, false), of(300, true, false)), ((false, 299, 0), (true, 300, 0)));
        assert_eq!((of(300, false, false), of(301, false, false)), ((false, 300, 0), (true, 300, 1)));
        assert_eq!((of(250, false, true), of(249, true, true)), ((true, 250, 0), (false, 249, 0)));
    }

    #[test]
    fn highest_values_are_those_of_eight_eighths() {
        let (mut peaks, window) = (Peaks::default(), Nanos::new(80));
        peaks.set(Nanos::new(5), window, Money::new(100));
        peaks.set(Nanos::new(9), window, Money::new(40));
        // The eighth that began at 0 counts until 79; the one that began at 10 began with 40.
        let at = |peaks: &mut Peaks, now| peaks.peak(Nanos::new(now), window).get();
        assert_eq!((at(&mut peaks, 9), at(&mut peaks, 79), at(&mut peaks, 80)), (100, 100, 40));
        peaks.set(Nanos::new(81), window, Money::new(-7));
        assert_eq!((at(&mut peaks, 159), at(&mut peaks, 160), at(&mut peaks, 10_000)), (40, -7, -7));
    }

    #[test]
    fn a_debt_is_paid_in_its_order() {
        let debt = Debt {
            settle_balance: Money::new(40),
            perp_pnl: Money::new(-50),
            other_health: Money::new(-36),
            settle_price: Ppm::new(2_000_000),
            fund_price: Ppm::new(3_000_000),
            asset_weight: Ppm::new(900_000),
            liability_weight: Ppm::new(1_100_000),
            fund: Money::new(6),
            settle_limit: Money::MAX,
            takeover_limit: Money::MAX,
        };
        // The account has to keep 20 of its 40, so it settles 20; 30 are left, of which the fund covers 6 x 3 / 2.
        let r = negative_pnl(&debt);
        assert_eq!(
            (r.settled.get(), r.taken_over.get(), r.fund_paid.get(), r.socialised.get()),
            (20, 9, 6, 21)
        );
        // A limit is no exhaustion: nothing is shared. An empty fund is.
        let limited = negative_pnl(&Debt { takeover_limit: Money::new(8), ..debt });
        assert_eq!((limited.taken_over.get(), limited.fund_paid.get(), limited.socialised.get()), (8, 6, 0));
        let empty = negative_pnl(&Debt { fund: Money::ZERO, ..debt });
        assert_eq!((empty.taken_over.get(), empty.socialised.get(), empty.perp_after.get()), (0, 30, 0));
        // Health of its own of 11 carries a debt of 5 at a weight of 1.1 and a price of 2.
        let healthy =
            negative_pnl(&Debt { other_health: Money::new(11), settle_balance: Money::ZERO, ..debt });
        assert_eq!((healthy.settled.get(), healthy.taken_over.get(), healthy.socialised.get()), (5, 9, 36));
    }

    #[test]
    fn a_loss_of_both_sides_is_charged_by_lots() {
        let of = |loss, pool, lots: &[i64], step, rounding| {
            let lots: Vec<Qty> = lots.iter().map(|&q| Qty::new(q)).collect();
            let s = two_sided_loss(Money::new(loss), Money::new(pool), &lots, Money::new(step), rounding);
            (s.from_pool.get(), s.rate.map(Money::get), s.charges.iter().map(|c| c.get()).sum::<i64>())
        };
        let (up, down) = (RateRounding::Ceil, RateRounding::Floor);
        assert_eq!(
            (of(10, 0, &[2, 1], 1, up), of(10, 0, &[2, 1], 1, down)),
            ((0, Some(4), 12), (0, Some(3), 9))
        );
        assert_eq!(
            (of(10, 4, &[2, 1], 5, up), of(10, 4, &[2, 1], 5, down)),
            ((4, Some(5), 15), (4, Some(0), 0))
        );
        assert_eq!((of(10, 99, &[3], 1, up), of(10, -5, &[5], 1, up)), ((10, Some(0), 0), (0, Some(2), 10)));
        assert_eq!(of(10, 5, &[], 1, up), (5, None, 0));
    }

    #[test]
    fn a_fund_pays_whole_lots_only() {
        let contract = Contract::linear(crate::units::TickValue::new(2));
        let cost = cost_per_lot(Side::Buy, Price::new(100), Price::new(97), &contract);
        assert_eq!(cost, Fine::new(6));
        assert_eq!(payable(Money::new(26), cost, cost, Qty::new(9), &contract), Qty::new(3));
        assert_eq!(payable(Money::new(20), cost, Fine::ZERO, Qty::new(9), &contract), Qty::new(9));
    }
}
