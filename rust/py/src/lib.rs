//! The border to Python: argument checks, arrays in and out, exceptions. No rule of the venue lives here.
//!
//! Every call works behind a lock with the interpreter released, and no panic crosses.
#![forbid(unsafe_code)]

mod bench;
mod conform;
mod error;
mod guarded;
mod records;
mod venue;
mod world;

use pyo3::prelude::*;

/// The compiled part of Seawall.
#[pymodule]
mod _core {
    #[pymodule_export]
    use crate::bench::{bench_book, bench_commands};
    #[pymodule_export]
    use crate::conform::{
        bankruptcy_quote, deposit_weight, funding_index_delta_towards_zero, funding_payment_up, funding_rate,
        initial_margin, liquidation_price, open_orders_margin, padded_median_towards_zero,
        premium_towards_zero, size_weight, slew_limit, tier_margin,
    };
    #[pymodule_export]
    use crate::conform::{
        drawdown, dutch_price, fillable_price, fund_delta, fund_fee, largest_remainder, negative_pnl,
        ramp_share, schedule, share_step, size_to_close, two_sided_loss,
    };
    #[pymodule_export]
    use crate::venue::{Deltas, JournalWriter, Venue, replay_journal};
    #[pymodule_export]
    use crate::world::World;
    #[allow(non_upper_case_globals, reason = "the Python name")]
    #[pymodule_export]
    const __version__: &str = env!("CARGO_PKG_VERSION");
}
