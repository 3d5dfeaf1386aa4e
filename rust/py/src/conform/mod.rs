//! The engine's own functions, for conformance vectors: never a second implementation. One file per file of vectors.

mod adl;
mod margin;

pub(crate) use adl::largest_remainder;
pub(crate) use margin::{
    bankruptcy_quote, deposit_weight, initial_margin, liquidation_price, open_orders_margin, size_weight,
    tier_margin,
};
