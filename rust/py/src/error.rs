//! Errors of the core as exceptions of the one tree in `seawall.errors`.

use pyo3::PyErr;
use std::any::Any;

mod exceptions {
    #![allow(missing_docs, reason = "documented in python/seawall/errors.py and bench.py")]
    pyo3::import_exception!(seawall.bench, BenchError);
    pyo3::import_exception!(seawall.bench, WrongAnswerError);
    pyo3::import_exception!(seawall.errors, BusyError);
    pyo3::import_exception!(seawall.errors, CommandError);
    pyo3::import_exception!(seawall.errors, ConfigError);
    pyo3::import_exception!(seawall.errors, JournalError);
    pyo3::import_exception!(seawall.errors, PolicyError);
    pyo3::import_exception!(seawall.errors, ScenarioError);
    pyo3::import_exception!(seawall.errors, SeawallError);
    pyo3::import_exception!(seawall.errors, SnapshotError);
    pyo3::import_exception!(seawall.errors, VectorError);
}
pub(crate) use exceptions::{
    BenchError, BusyError, CommandError, ConfigError, JournalError, PolicyError, ScenarioError, SeawallError,
    SnapshotError, VectorError, WrongAnswerError,
};

/// A refusal of an argument: the field, then its value and what to do.
pub(crate) fn command_error(message: String) -> PyErr {
    CommandError::new_err(message)
}

/// A broken invariant of ours: told as such, never as a panic.
pub(crate) fn internal(payload: &(dyn Any + Send)) -> PyErr {
    let reason = payload
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| payload.downcast_ref::<&str>().copied())
        .unwrap_or("unknown reason");
    SeawallError::new_err(format!(
        "internal error: {reason}; this object has stopped, go on from a snapshot and please report it"
    ))
}
