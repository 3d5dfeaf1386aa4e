//! Funds and shared losses.

use super::{Fraction, demand, exact};
use crate::guarded::released;
use pyo3::prelude::*;
use seawall_core::config::{Drawdown, RateRounding};
use seawall_core::{
    Debt, Money, Nanos, Ppm, Price, Qty, TickValue, drawdown as core_drawdown, fund_delta as core_fund_delta,
    negative_pnl as core_negative_pnl, two_sided_loss as core_two_sided_loss,
};

/// `seawall_core::fund_delta` of a fill (signed lots, price, tick value): amount, allowed, fund after.
#[pyfunction]
pub(crate) fn fund_delta(
    py: Python<'_>,
    fill: (i64, i64, i64),
    quote: i64,
    fee_max_ppm: i64,
    fund: i64,
) -> PyResult<(i64, bool, i64)> {
    demand(fee_max_ppm >= 0 && fund >= 0, "the largest fee and the fund must not be negative")?;
    released(py, move || {
        let (lots, price, tick) = fill;
        let value = Price::new(price).value(Qty::new(lots), TickValue::new(tick));
        let delta = core_fund_delta(value, Money::new(quote), Ppm::new(fee_max_ppm), Money::new(fund));
        (delta.amount.get(), delta.allowed, delta.fund_after.get())
    })
}

/// `seawall_core::drawdown`: ratio, active, the fund's part, the winners' part; `rates` are trigger and stop.
#[pyfunction]
pub(crate) fn drawdown(
    py: Python<'_>,
    peak: i64,
    loss: i64,
    rates: (i64, i64),
    inclusive: bool,
    was_active: bool,
) -> PyResult<(Fraction, bool, i64, i64)> {
    demand(peak > 0 && loss >= 0 && rates.0 >= 0, "the pool must be positive, loss and rates not negative")?;
    let rule = Drawdown {
        trigger_ppm: Ppm::new(rates.0),
        stop_ppm: Ppm::new(rates.1),
        inclusive,
        window_ns: Nanos::MAX,
    };
    released(py, move || {
        let drawn = core_drawdown(Money::new(peak), Money::new(loss), &rule, was_active);
        (exact(&drawn.ratio), drawn.active, drawn.fund_pays.get(), drawn.winners_pay.get())
    })
}

/// `seawall_core::two_sided_loss`: paid by the pool, charge per lot (none without lots), charges.
#[pyfunction]
pub(crate) fn two_sided_loss(
    py: Python<'_>,
    loss: i64,
    pool: i64,
    lots: Vec<i64>,
    step: i64,
    ceil: bool,
) -> PyResult<(i64, Option<i64>, Vec<i64>)> {
    demand(
        loss >= 0 && step > 0 && lots.iter().all(|&n| n >= 0),
        "the step must be positive, loss and sizes not negative",
    )?;
    released(py, move || {
        let lots: Vec<Qty> = lots.into_iter().map(Qty::new).collect();
        let rounding = if ceil { RateRounding::Ceil } else { RateRounding::Floor };
        let spread =
            core_two_sided_loss(Money::new(loss), Money::new(pool), &lots, Money::new(step), rounding);
        let charges = spread.charges.iter().map(|c| c.get()).collect();
        (spread.from_pool.get(), spread.rate.map(Money::get), charges)
    })
}

/// `seawall_core::negative_pnl`: settled, fund's payment, taken over, socialised, balance and profit after. `of` are
/// balance, profit, other health, fund, and the limits of settling and taking over; `rates` are the prices of the
/// settled and of the fund's asset and the weights above and below zero.
#[pyfunction]
pub(crate) fn negative_pnl(py: Python<'_>, of: [i64; 6], rates: [i64; 4]) -> PyResult<[i64; 6]> {
    demand(
        rates.iter().all(|&r| r > 0) && of[3..].iter().all(|&a| a >= 0),
        "prices and weights must be positive, the fund and limits not negative",
    )?;
    let [settle_balance, perp_pnl, other_health, fund, settle_limit, takeover_limit] = of.map(Money::new);
    let [settle_price, fund_price, asset_weight, liability_weight] = rates.map(Ppm::new);
    let debt = Debt {
        settle_balance,
        perp_pnl,
        other_health,
        settle_price,
        fund_price,
        asset_weight,
        liability_weight,
        fund,
        settle_limit,
        takeover_limit,
    };
    released(py, move || {
        let r = core_negative_pnl(&debt);
        [r.settled, r.fund_paid, r.taken_over, r.socialised, r.settle_after, r.perp_after].map(Money::get)
    })
}
