//! Funding and the mark.

use crate::error::VectorError;
use crate::guarded::released;
use pyo3::prelude::*;
use seawall_core::{Contract, Nanos, Ppb, Ppm, Price, Qty, TickValue};

fn positive(name: &str, value: i64) -> PyResult<()> {
    if value > 0 { Ok(()) } else { Err(VectorError::new_err(format!("{name}: {value}: must be positive"))) }
}

fn not_negative(name: &str, value: i64) -> PyResult<()> {
    if value >= 0 {
        Ok(())
    } else {
        Err(VectorError::new_err(format!("{name}: {value}: must not be negative")))
    }
}

/// `seawall_core::premium_towards_zero` of one lot: ppb.
#[pyfunction]
pub(crate) fn premium_towards_zero(py: Python<'_>, bid: i64, ask: i64, index: i64) -> PyResult<i64> {
    positive("index_price", index)?;
    released(py, move || seawall_core::premium_towards_zero(bid, ask, Price::new(index), Qty::new(1)).get())
}

/// `seawall_core::funding_rate`: ppb; no cap is the largest one.
#[pyfunction]
pub(crate) fn funding_rate(
    py: Python<'_>,
    premium: i64,
    interest: i64,
    clamp: i64,
    cap: Option<i64>,
) -> PyResult<i64> {
    not_negative("clamp", clamp)?;
    not_negative("cap", cap.unwrap_or(0))?;
    let [premium, interest, clamp, cap] = [premium, interest, clamp, cap.unwrap_or(i64::MAX)].map(Ppb::new);
    released(py, move || seawall_core::funding_rate(premium, interest, clamp, cap).get())
}

/// `seawall_core::padded_median_towards_zero`: ppb.
#[pyfunction]
pub(crate) fn padded_median_towards_zero(py: Python<'_>, votes: Vec<i64>, least: u32) -> PyResult<i64> {
    released(py, move || {
        let votes: Vec<Ppb> = votes.into_iter().map(Ppb::new).collect();
        seawall_core::padded_median_towards_zero(&votes, least).get()
    })
}

/// `seawall_core::funding_payment_up`: minor units that a signed position pays; times as (elapsed, period).
#[pyfunction]
pub(crate) fn funding_payment_up(
    py: Python<'_>,
    base: i64,
    price: i64,
    tick: i64,
    rate: i64,
    time: (i64, i64),
) -> PyResult<i64> {
    not_negative("elapsed_s", time.0)?;
    positive("rate_period_s", time.1)?;
    let time = (Nanos::new(time.0), Nanos::new(time.1));
    released(py, move || {
        let (base, contract) = (Qty::new(base), Contract::linear(TickValue::new(tick)));
        seawall_core::funding_payment_up(base, Price::new(price), &contract, Ppb::new(rate), time).get()
    })
}

/// `seawall_core::funding_index_delta_towards_zero`: units; scale as (units, ticks), times as (elapsed, period).
#[pyfunction]
pub(crate) fn funding_index_delta_towards_zero(
    py: Python<'_>,
    rate: i64,
    price: i64,
    scale: (i64, i64),
    time: (i64, i64),
) -> PyResult<i64> {
    not_negative("elapsed_s", time.0)?;
    positive("rate_period_s", time.1)?;
    positive("index_scale", scale.0)?;
    let time = (Nanos::new(time.0), Nanos::new(time.1));
    released(py, move || {
        seawall_core::funding_index_delta_towards_zero(Ppb::new(rate), Price::new(price), scale, time)
    })
}

/// `seawall_core::slew_limit`: the next price in ticks.
#[pyfunction]
pub(crate) fn slew_limit(py: Python<'_>, last: i64, target: i64, most: i64) -> PyResult<i64> {
    positive("start_price", last)?;
    positive("target_price", target)?;
    not_negative("max_fraction", most)?;
    released(py, move || seawall_core::slew_limit(Price::new(last), Price::new(target), Ppm::new(most)).get())
}
