//! The engine's own functions, for conformance vectors: never a second implementation. One file per file of vectors.

mod adl;
mod funding;
mod margin;

pub(crate) use adl::largest_remainder;
pub(crate) use funding::{
    funding_index_delta_towards_zero, funding_payment_up, funding_rate, padded_median_towards_zero,
    premium_towards_zero, slew_limit,
};
pub(crate) use margin::{
    bankruptcy_quote, deposit_weight, initial_margin, liquidation_price, open_orders_margin, size_weight,
    tier_margin,
};
