//! Margin, weights, and the prices of liquidation and bankruptcy.

use super::{demand, exact};
use crate::error::VectorError;
use crate::guarded::released;
use pyo3::prelude::*;
use seawall_core::{
    Closing, Contract, Exposed, Money, Position, Ppb, Ppm, Price, Qty, Side, Size, Sum, TickValue,
};

/// `seawall_core::open_interest_rate_down`, and the margin of a notional at that rate: ppm, minor units.
#[pyfunction]
#[pyo3(signature = (base, scale, notional))]
pub(crate) fn initial_margin(
    py: Python<'_>,
    base: i64,
    scale: Option<(i64, i64, i64)>,
    notional: i64,
) -> PyResult<(i64, i64)> {
    demand(
        base >= 0 && notional >= 0 && scale.is_none_or(|(_, lower, upper)| lower >= 0 && upper > lower),
        "base and notional must not be negative, and the upper cap is above the lower one",
    )?;
    released(py, move || {
        let base = Ppm::new(base);
        let rate = scale.map_or(base, |(open, lower, upper)| {
            let [open, lower, upper] = [open, lower, upper].map(Money::new);
            seawall_core::open_interest_rate_down(base, open, lower, upper)
        });
        (rate.get(), Money::new(notional).ppm_up(rate).get())
    })
}

/// `seawall_core::tier_deduction` and `tier_requirement_up`: minor units.
#[pyfunction]
pub(crate) fn tier_margin(
    py: Python<'_>,
    notional: i64,
    lower: i64,
    previous: (i64, i64),
    rate: i64,
) -> PyResult<(i64, i64)> {
    let (before, deduction) = previous;
    let whole = released(py, move || {
        let step = Ppm::new(rate) - Ppm::new(before);
        let deduction = seawall_core::tier_deduction(Money::new(deduction), Money::new(lower), step)?;
        let margin = seawall_core::tier_requirement_up(Money::new(notional), Ppm::new(rate), deduction);
        Some((deduction.get(), margin.get()))
    })?;
    whole.ok_or_else(|| VectorError::new_err("the deduction is not whole minor units"))
}

/// `seawall_core::size_discount_down` and `size_premium_down`: ppm.
#[pyfunction]
pub(crate) fn size_weight(
    py: Python<'_>,
    discount: bool,
    base: i64,
    factor: i64,
    size: (i64, i64),
) -> PyResult<i64> {
    let (count, unit) = size;
    demand(
        base >= 0 && factor >= 0 && count >= 0 && unit >= 1,
        "base, factor and size must not be negative",
    )?;
    released(py, move || {
        let (base, factor, size) = (Ppm::new(base), Ppb::new(factor), Size { count, unit });
        let weigh = if discount { seawall_core::size_discount_down } else { seawall_core::size_premium_down };
        weigh(base, factor, size).get()
    })
}

/// `seawall_core::deposit_scaled`: numerator and denominator.
#[pyfunction]
pub(crate) fn deposit_weight(py: Python<'_>, base: i64, total: i64, start: i64) -> PyResult<(i128, u128)> {
    demand(
        base >= 0 && total >= 0 && start >= 1,
        "base and deposits must not be negative, and the scale starts above zero",
    )?;
    released(py, move || {
        exact(&seawall_core::deposit_scaled(Ppm::new(base), Money::new(total), Money::new(start)))
    })
}

/// `seawall_core::Position::reach` and `room` of both sides, and the requirement of the greater one.
#[pyfunction]
#[pyo3(signature = (position, open_orders, price, rate, limit))]
pub(crate) fn open_orders_margin(
    py: Python<'_>,
    position: i64,
    open_orders: (i64, i64),
    price: (i64, i64),
    rate: i64,
    limit: Option<i64>,
) -> PyResult<([i64; 2], i64, Option<[i64; 2]>)> {
    let (price, tick) = price;
    demand(
        open_orders.0 >= 0 && open_orders.1 >= 0 && price >= 0 && tick >= 1 && rate >= 0,
        "open orders, price and fraction must not be negative",
    )?;
    released(py, move || {
        let (open_buys, open_sells) = (Qty::new(open_orders.0), Qty::new(open_orders.1));
        let held = Position { base: Qty::new(position), open_buys, open_sells, ..Position::default() };
        let sides = [Side::Buy, Side::Sell];
        let notional = Price::new(price).value(held.exposure(), TickValue::new(tick));
        let requirement = seawall_core::tier_requirement_up(notional, Ppm::new(rate), Money::ZERO);
        let room = limit.map(|limit| sides.map(|side| held.room(side, Qty::new(limit)).get()));
        (sides.map(|side| held.reach(side).get()), requirement.get(), room)
    })
}

/// `seawall_core::Exposed::liquidation_price`: numerator and denominator, none if it is not positive; of an inverse
/// contract the position is its value at a price of one tick, and its value.
#[pyfunction]
pub(crate) fn liquidation_price(
    py: Python<'_>,
    inverse: bool,
    long: bool,
    position: (i64, i64),
    equity: i64,
    tier: (i64, i64),
    other: i64,
) -> PyResult<Option<(i128, u128)>> {
    let (size, notional) = position;
    let (rate, deduction) = tier;
    demand(
        size >= 1 && notional >= 0 && (0..1_000_000).contains(&rate),
        "size must be positive, the price not negative, the maintenance fraction below 1",
    )?;
    released(py, move || {
        let exposed = Exposed {
            side: if long { Side::Buy } else { Side::Sell },
            contract: if inverse {
                Contract::inverse(size, 1)
            } else {
                Contract::linear(TickValue::new(size))
            },
            lots: Qty::new(1),
            notional: Money::new(notional),
            equity: Sum::of(Money::new(equity)),
            other: Sum::of(Money::new(other)),
        };
        exposed.liquidation_price(Ppm::new(rate), Money::new(deduction)).map(|price| exact(&price))
    })
}

/// `seawall_core::Closing::bankruptcy_quote_up`: minor units, none if the lots are not in (0, held].
#[pyfunction]
pub(crate) fn bankruptcy_quote(
    py: Python<'_>,
    lots: (i64, i64),
    value: i64,
    equity: i64,
    maintenance: (i64, i64),
) -> PyResult<Option<i64>> {
    demand(maintenance.0 >= 0 && maintenance.1 >= 1, "maintenance must be positive")?;
    released(py, move || {
        let closing = Closing {
            lots: (Qty::new(lots.0), Qty::new(lots.1)),
            value: Money::new(value),
            maintenance: Money::new(maintenance.0),
            equity: Sum::of(Money::new(equity)),
            total: Sum::of(Money::new(maintenance.1)),
        };
        closing.bankruptcy_quote_up().map(Money::get)
    })
}
