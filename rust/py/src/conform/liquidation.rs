//! Liquidation.

use super::{Fraction, demand, exact};
use crate::guarded::released;
use pyo3::prelude::*;
use seawall_core::config::Curve;
use seawall_core::{
    Contract, Fine, Freed, Money, Nanos, Ppm, Price, Qty, Ramp, Steps, Sum, TickValue,
    dutch_price as core_dutch_price, fillable_price as core_fillable_price, fund_fee as core_fund_fee,
    ramp_share as core_ramp_share, schedule as core_schedule, share_step as core_share_step,
    size_to_close as core_size_to_close,
};

/// The largest rate that these functions are asked with: a configuration admits no more.
const RATE_MAX: i64 = 10_000_000;

fn is_rate(rate: i64) -> bool {
    (0..=RATE_MAX).contains(&rate)
}

/// `seawall_core::schedule`: the next slice of what is left; `bounds` are least, most and `full_below`.
#[pyfunction]
pub(crate) fn schedule(
    py: Python<'_>,
    left: i64,
    share_ppm: i64,
    bounds: (i64, Option<i64>, i64),
    lot: i64,
) -> PyResult<i64> {
    let (least, most, full_below) = bounds;
    demand(
        left >= 0 && is_rate(share_ppm) && least >= 0 && most.unwrap_or(0) >= 0 && lot > 0,
        "quantities and the share must not be negative, and the lot positive",
    )?;
    let steps = Steps {
        share: Ppm::new(share_ppm),
        least: Qty::new(least),
        most: most.map(Qty::new),
        full_below: Qty::new(full_below),
        lot: Qty::new(lot),
    };
    released(py, move || core_schedule(Qty::new(left), &steps).get())
}

/// `seawall_core::size_to_close`: lots, for the value of one lot; `rates` are the price of the asset paid in, margin,
/// liquidator's and fund's fee.
#[pyfunction]
pub(crate) fn size_to_close(
    py: Python<'_>,
    shortage: i64,
    per_lot: i64,
    rates: [i64; 4],
) -> PyResult<Option<i64>> {
    demand(
        shortage >= 0 && per_lot > 0 && rates.into_iter().all(is_rate),
        "the shortage and rates must not be negative, and the price positive",
    )?;
    let [quote, margin, liquidator_fee, fund_fee] = rates.map(Ppm::new);
    let freed = Freed { per_lot: Fine::new(per_lot), scale: 1, quote, margin, liquidator_fee, fund_fee };
    released(py, move || core_size_to_close(Money::new(shortage), &freed).map(Qty::get))
}

/// `seawall_core::fund_fee`: a fraction of the value of `lots` at a price; `rates` are margin, liquidator's fee, most.
#[pyfunction]
pub(crate) fn fund_fee(
    py: Python<'_>,
    shortage: i64,
    closed: (i64, i64, i64),
    rates: [i64; 3],
) -> PyResult<Fraction> {
    let (price, lots, tick) = closed;
    demand(
        price > 0 && lots > 0 && tick > 0 && rates.into_iter().all(is_rate),
        "price and size must be positive, and rates not negative",
    )?;
    let [margin, liquidator_fee, fee_max] = rates.map(Ppm::new);
    released(py, move || {
        let value = Price::new(price).value(Qty::new(lots), TickValue::new(tick));
        exact(&core_fund_fee(Sum::new(shortage.into()), value, margin, liquidator_fee, fee_max))
    })
}

/// `seawall_core::ramp_share`: a fraction; a slot is a nanosecond.
#[pyfunction]
pub(crate) fn ramp_share(
    py: Python<'_>,
    margin: (i64, i64, i64),
    slots: (i64, i64),
    initial_ppm: i64,
) -> PyResult<Fraction> {
    let (shortage, freed, full_below) = margin;
    let (elapsed, duration) = slots;
    demand(
        shortage > 0 && freed >= 0 && elapsed >= 0 && duration > 0 && is_rate(initial_ppm),
        "shortage and duration must be positive, and the rest not negative",
    )?;
    let ramp = Ramp {
        duration: Nanos::new(duration),
        initial: Ppm::new(initial_ppm),
        full_below: Sum::new(full_below.into()),
    };
    released(py, move || {
        let (shortage, freed) = (Sum::new(shortage.into()), Sum::new(freed.into()));
        exact(&core_ramp_share(shortage, freed, Nanos::new(elapsed), &ramp))
    })
}

/// `seawall_core::share_step`: the share in ppm; penalty, maintenance, equity and ratio after; `rates` are step,
/// target and penalty.
#[pyfunction]
pub(crate) fn share_step(
    py: Python<'_>,
    maintenance: i64,
    equity: i64,
    rates: [i64; 3],
) -> PyResult<(i64, Vec<Fraction>, Option<Fraction>)> {
    let [step, target, penalty] = rates;
    demand(
        maintenance >= 0 && step > 0 && 1_000_000 % step == 0 && is_rate(target) && is_rate(penalty),
        "maintenance, target and penalty must not be negative, and the step divides one",
    )?;
    released(py, move || {
        let (maintenance, equity) = (Sum::new(maintenance.into()), Sum::new(equity.into()));
        let found = core_share_step(maintenance, equity, Ppm::new(step), Ppm::new(target), Ppm::new(penalty));
        let amounts = [found.penalty, found.maintenance_after, found.equity_after];
        (found.share.get(), amounts.iter().map(exact).collect(), found.ratio_after.as_ref().map(exact))
    })
}

/// `seawall_core::fillable_price` of one of several positions (size, price, maintenance rate); `rates` are adjustment
/// and spread.
#[pyfunction]
pub(crate) fn fillable_price(
    py: Python<'_>,
    cash: i64,
    positions: Vec<(i64, i64, i64)>,
    which: usize,
    rates: [i64; 2],
    tick: i64,
) -> PyResult<i128> {
    demand(
        which < positions.len()
            && tick > 0
            && rates.into_iter().all(is_rate)
            && positions.iter().all(|p| p.0 != 0 && p.1 > 0 && is_rate(p.2)),
        "prices and rates must not be negative, sizes not zero, and the market one of the positions",
    )?;
    released(py, move || {
        let contract = Contract::linear(TickValue::new(tick));
        let (mut equity, mut maintenance) = (Sum::new(cash.into()), Sum::ZERO);
        let mut need = Money::ZERO;
        for (place, &(size, price, rate)) in positions.iter().enumerate() {
            let value = contract.value(Price::new(price), Qty::new(size));
            let margin = value.abs().ppm_up(Ppm::new(rate));
            equity += value;
            maintenance += margin;
            if place == which {
                need = margin;
            }
        }
        let (size, price, _) = positions[which];
        let rates = (Ppm::new(rates[0]), Ppm::new(rates[1]));
        let position = (Qty::new(size), &contract);
        core_fillable_price(Price::new(price), (equity, maintenance), need, rates, position)
    })
}

/// `seawall_core::dutch_price`; `curve` is a factor in ppm and the time of a step, or no factor and the time to zero.
#[pyfunction]
pub(crate) fn dutch_price(
    py: Python<'_>,
    start: i64,
    curve: (Option<i64>, i64),
    elapsed: i64,
) -> PyResult<i64> {
    let (factor, time) = curve;
    demand(
        start >= 0 && elapsed >= 0 && time > 0 && factor.is_none_or(|f| (0..=1_000_000).contains(&f)),
        "price and times must not be negative, and a factor is at most one",
    )?;
    let curve = match factor {
        Some(factor) => Curve::Stairstep { factor_ppm: Ppm::new(factor), step_ns: Nanos::new(time) },
        None => Curve::Linear { duration_ns: Nanos::new(time) },
    };
    released(py, move || core_dutch_price(Price::new(start), &curve, Nanos::new(elapsed)).get())
}
