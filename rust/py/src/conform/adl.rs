//! Auto-deleveraging.

use crate::error::VectorError;
use crate::guarded::released;
use pyo3::prelude::*;

/// `seawall_core::largest_remainder`: lots per account.
#[pyfunction]
pub(crate) fn largest_remainder(
    py: Python<'_>,
    total: i64,
    weights: Vec<i64>,
    caps: Vec<i64>,
) -> PyResult<Vec<i64>> {
    if weights.len() != caps.len() || total < 0 || weights.iter().chain(&caps).any(|&n| n < 0) {
        let message = "total, weights and caps must not be negative, and there is one cap for each weight";
        return Err(VectorError::new_err(message));
    }
    released(py, move || seawall_core::largest_remainder(total, &weights, &caps))
}
