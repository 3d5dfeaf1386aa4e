//! The engine's own functions, for conformance vectors: never a second implementation. One file per file of vectors.

pub(crate) mod adl;
pub(crate) mod auction;
pub(crate) mod breaker;
pub(crate) mod fund;
pub(crate) mod funding;
pub(crate) mod liquidation;
pub(crate) mod margin;

use crate::error::VectorError;
use pyo3::prelude::*;
use seawall_core::Ratio;

/// An exact fraction: numerator and denominator.
type Fraction = (i128, u128);

fn exact(ratio: &Ratio) -> Fraction {
    (ratio.numerator(), ratio.denominator())
}

/// Refuses arguments that the engine is never asked with.
fn demand(is_met: bool, what: &'static str) -> PyResult<()> {
    if is_met { Ok(()) } else { Err(VectorError::new_err(what)) }
}
