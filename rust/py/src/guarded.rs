//! A lock around what Python shares: one call at a time, the interpreter free meanwhile, no panic across the border.

use crate::error::{BusyError, SeawallError, internal};
use pyo3::marker::Ungil;
use pyo3::prelude::*;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, TryLockError};

/// A value that one thread at a time works on.
pub(crate) struct Guarded<T> {
    inner: Mutex<T>,
    name: &'static str,
}

impl<T: Send> Guarded<T> {
    /// Guards a value; `name` is what messages call it.
    pub(crate) fn new(name: &'static str, value: T) -> Self {
        Self { inner: Mutex::new(value), name }
    }

    /// Works on the value with the interpreter released.
    ///
    /// A panic is a bug of ours: it becomes an exception, and the value stays locked away for good, since its
    /// state is unknown.
    pub(crate) fn with<R: Ungil + Send>(
        &self,
        py: Python<'_>,
        work: impl FnOnce(&mut T) -> R + Ungil + Send,
    ) -> PyResult<R> {
        py.detach(|| self.at_once(work))
    }

    /// Works on the value without releasing the interpreter, which would take longer than the work.
    pub(crate) fn at_once<R>(&self, work: impl FnOnce(&mut T) -> R) -> PyResult<R> {
        catch_unwind(AssertUnwindSafe(|| match self.inner.try_lock() {
            Ok(mut value) => Ok(work(&mut value)),
            Err(TryLockError::WouldBlock) => Err(BusyError::new_err(format!(
                "{}: another thread is using it; give each thread its own",
                self.name
            ))),
            Err(TryLockError::Poisoned(_)) => Err(SeawallError::new_err(format!(
                "{}: stopped by an earlier internal error; go on from a snapshot",
                self.name
            ))),
        }))
        .unwrap_or_else(|payload| Err(internal(&*payload)))
    }
}

/// Runs work that holds no lock, with the interpreter released and panics told as exceptions.
pub(crate) fn released<R: Ungil + Send>(
    py: Python<'_>,
    work: impl FnOnce() -> R + Ungil + Send,
) -> PyResult<R> {
    py.detach(|| catch_unwind(AssertUnwindSafe(work)).map_err(|payload| internal(&*payload)))
}
