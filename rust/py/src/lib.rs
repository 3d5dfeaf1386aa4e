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
    use crate::bench::{bench_book, bench_cascade, bench_commands, bench_marks};
    #[pymodule_export]
    use crate::conform::largest_remainder;
    #[pymodule_export]
    use crate::venue::{Deltas, JournalWriter, Venue, replay_journal};
    #[pymodule_export]
    use crate::world::World;
    #[allow(non_upper_case_globals, reason = "the Python name")]
    #[pymodule_export]
    const __version__: &str = env!("CARGO_PKG_VERSION");
}
