//! The engine's own functions, for conformance vectors: never a second implementation. One file per file of vectors.

mod adl;
mod fund;
mod funding;
mod liquidation;
mod margin;

use crate::error::VectorError;
use pyo3::prelude::*;
use seawall_core::Ratio;

pub(crate) use adl::largest_remainder;
pub(crate) use fund::{drawdown, fund_delta, negative_pnl, two_sided_loss};
pub(crate) use funding::{
    funding_index_delta_towards_zero, funding_payment_up, funding_rate, padded_median_towards_zero,
    premium_towards_zero, slew_limit,
};
pub(crate) use liquidation::{
    dutch_price, fillable_price, fund_fee, ramp_share, schedule, share_step, size_to_close,
};
pub(crate) use margin::{
    bankruptcy_quote, deposit_weight, initial_margin, liquidation_price, open_orders_margin, size_weight,
    tier_margin,
};

/// An exact fraction: numerator and denominator.
type Fraction = (i128, u128);

fn exact(ratio: &Ratio) -> Fraction {
    (ratio.numerator(), ratio.denominator())
}

/// Refuses arguments that the engine is never asked with.
fn demand(is_met: bool, what: &'static str) -> PyResult<()> {
    if is_met { Ok(()) } else { Err(VectorError::new_err(what)) }
}
