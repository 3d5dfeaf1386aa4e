//! Auctions.

use super::demand;
use crate::error::VectorError;
use crate::guarded::released;
use pyo3::prelude::*;
use seawall_core::config::Auction;
use seawall_core::{Doubled, Grid, Interest, Level, Price, Qty, clearing as core_clearing};
use std::collections::BTreeMap;

/// The largest price and the largest sum of lots that the function is asked with.
const MOST: i64 = 1 << 60;

/// A price, none of a market order, and lots.
type Order = (Option<i64>, i64);

/// The levels of one side, best first, and its lots without a price.
fn side(orders: Vec<Order>, buys: bool) -> PyResult<(Vec<Level>, Qty)> {
    let fits = |order: &Order| order.0.is_none_or(|p| p.abs() < MOST) && (1..MOST).contains(&order.1);
    demand(orders.iter().all(fits), "prices must be below 2^60, and lots positive and below 2^60")?;
    let total: i128 = orders.iter().map(|order| i128::from(order.1)).sum();
    demand(total < i128::from(MOST), "the lots of a side must sum to less than 2^60")?;
    let mut unpriced = Qty::ZERO;
    let mut by_price = BTreeMap::<i64, Level>::new();
    for (price, lots) in orders {
        let Some(price) = price else {
            unpriced += Qty::new(lots);
            continue;
        };
        let empty = Level { price: Price::new(price), qty: Qty::ZERO, orders: 0 };
        let level = by_price.entry(price).or_insert(empty);
        level.qty += Qty::new(lots);
        level.orders += 1;
    }
    let mut levels: Vec<Level> = by_price.into_values().collect();
    if buys {
        levels.reverse();
    }
    Ok((levels, unpriced))
}

/// `seawall_core::clearing`: price, volume and surplus; `rule` is a configuration's `auction`, `reference` in half
/// ticks, `grid` step, lowest and highest price (none: from the limits and the reference).
#[pyfunction]
pub(crate) fn auction_clearing(
    py: Python<'_>,
    rule: &str,
    bids: Vec<Order>,
    asks: Vec<Order>,
    reference: Option<i64>,
    step: i64,
    grid: Option<(i64, i64)>,
) -> PyResult<Option<(i64, i64, i64)>> {
    let rule: Auction = serde_json::from_str(rule).map_err(|why| VectorError::new_err(why.to_string()))?;
    let (bids, market_buys) = side(bids, true)?;
    let (asks, market_sells) = side(asks, false)?;
    demand(
        (1..MOST).contains(&step) && reference.is_none_or(|r| r.abs() < MOST),
        "the step must be positive, and step and reference below 2^60",
    )?;
    let (low, high) = grid.unwrap_or_default();
    demand(low.abs() < MOST && high.abs() < MOST, "the grid must be below 2^60")?;
    let (step, reference) = (Price::new(step), reference.map(Doubled::new));
    released(py, move || {
        let interest = Interest { bids: &bids, asks: &asks, market_buys, market_sells };
        let grid = match grid {
            Some((low, high)) => Grid { step, low: Price::new(low), high: Price::new(high) },
            None => interest.span(step, (Price::new(1), Price::new(MOST)), reference),
        };
        core_clearing(&rule, &interest, reference, &grid)
            .map(|c| (c.price.get(), c.volume.get(), c.surplus.get()))
    })
}
