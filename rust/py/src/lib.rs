//! The border to Python: argument checks, arrays in and out, exceptions. No rule of the venue lives here.
//!
//! Every call works behind a lock with the interpreter released, and no panic crosses.
#![forbid(unsafe_code)]

mod adl;
mod bench;
mod conform;
mod error;
mod guarded;
mod records;
mod replay;
mod session;
mod venue;
mod world;

use pyo3::prelude::*;

/// The compiled part of Seawall.
#[pymodule]
mod _core {
    #[pymodule_export]
    use crate::adl::adl_round;
    #[pymodule_export]
    use crate::bench::{bench_book, bench_cascade, bench_commands, bench_marks, bench_rules};
    #[pymodule_export]
    use crate::conform::adl::{
        adl_allocate, adl_haircut, adl_haircut_queue, adl_hedge_aware, adl_lights, adl_offset, adl_queue,
        adl_rank, adl_score, adl_settle, adl_step_check,
    };
    #[pymodule_export]
    use crate::conform::auction::auction_clearing;
    #[pymodule_export]
    use crate::conform::breaker::{
        breaker_admit, breaker_bounds, breaker_collar, breaker_end, breaker_gap, breaker_left,
        breaker_levels, breaker_mean, breaker_quote, breaker_re_reference,
    };
    #[pymodule_export]
    use crate::conform::fund::{drawdown, fund_delta, negative_pnl, two_sided_loss};
    #[pymodule_export]
    use crate::conform::funding::{
        funding_index_delta_towards_zero, funding_payment_up, funding_rate, padded_median_towards_zero,
        premium_towards_zero, slew_limit,
    };
    #[pymodule_export]
    use crate::conform::liquidation::{
        dutch_price, fillable_price, fund_fee, ramp_share, schedule, share_step, size_to_close,
    };
    #[pymodule_export]
    use crate::conform::margin::{
        bankruptcy_quote, deposit_weight, initial_margin, liquidation_price, open_orders_margin, size_weight,
        tier_margin,
    };
    #[pymodule_export]
    use crate::replay::Replay;
    #[pymodule_export]
    use crate::session::Session;
    #[pymodule_export]
    use crate::venue::{Deltas, JournalWriter, Venue, replay_journal};
    #[pymodule_export]
    use crate::world::World;
    #[allow(non_upper_case_globals, reason = "the Python name")]
    #[pymodule_export]
    const __version__: &str = env!("CARGO_PKG_VERSION");
}
