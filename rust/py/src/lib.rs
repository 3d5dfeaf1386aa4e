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
mod venue;
mod world;

use pyo3::prelude::*;

/// The compiled part of Seawall.
#[pymodule]
mod _core {
    #[pymodule_export]
    use crate::adl::adl_round;
    #[pymodule_export]
    use crate::bench::{bench_book, bench_commands};
    #[pymodule_export]
    use crate::conform::adl::{
        adl_allocate, adl_haircut, adl_haircut_queue, adl_hedge_aware, adl_lights, adl_offset, adl_queue,
        adl_rank, adl_score, adl_settle, adl_step_check,
    };
    #[pymodule_export]
    use crate::venue::{Deltas, JournalWriter, Venue, replay_journal};
    #[pymodule_export]
    use crate::world::World;
    #[allow(non_upper_case_globals, reason = "the Python name")]
    #[pymodule_export]
    const __version__: &str = env!("CARGO_PKG_VERSION");
}
