//! Records in and out of numpy arrays: one copy of commands on the way in, none of events on the way out.

use crate::error::command_error;
use numpy::{
    IntoPyArray, PyArray1, PyArrayDescr, PyArrayDescrMethods, PyArrayMethods, PyUntypedArray,
    PyUntypedArrayMethods,
};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use seawall_core::Record;
use std::borrow::Cow;

static DTYPE: PyOnceLock<Py<PyArrayDescr>> = PyOnceLock::new();

/// `seawall.protocol.EVENT`.
fn dtype(py: Python<'_>) -> PyResult<&Bound<'_, PyArrayDescr>> {
    DTYPE
        .get_or_try_init(py, || {
            let event = py.import("seawall.protocol")?.getattr("EVENT")?;
            Ok(event.cast_into::<PyArrayDescr>()?.unbind())
        })
        .map(|dtype| dtype.bind(py))
}

/// A one-dimensional, contiguous array of records as bytes, without a copy.
fn bytes_of<'py>(object: &Bound<'py, PyAny>, name: &str) -> PyResult<Bound<'py, PyArray1<u8>>> {
    let py = object.py();
    let Ok(array) = object.cast::<PyUntypedArray>() else {
        let bytes = py.import("numpy")?.call_method1("frombuffer", (object, "u1")).map_err(|_| {
            let kind = object.get_type().name().map_or_else(|_| "object".to_owned(), |n| n.to_string());
            command_error(format!(
                "{name}: expected an array of dtype seawall.COMMAND or bytes, got {kind}; build it with seawall.commands"
            ))
        })?;
        let bytes = bytes.cast_into::<PyArray1<u8>>()?;
        let length = bytes.len();
        if length % size_of::<Record>() != 0 {
            return Err(command_error(format!(
                "{name}: expected records of 64 bytes, got {length} bytes, {} more than whole records; \
                 build them with seawall.COMMAND",
                length % size_of::<Record>()
            )));
        }
        return Ok(bytes);
    };
    let got = array.dtype();
    if !got.is_equiv_to(dtype(py)?) {
        return Err(command_error(if got.itemsize() == size_of::<Record>() {
            format!(
                "{name}: expected dtype seawall.COMMAND, got {}; build them with seawall.COMMAND",
                got.str()?
            )
        } else {
            format!(
                "{name}: expected records of 64 bytes, got {}; build them with seawall.COMMAND",
                got.itemsize()
            )
        }));
    }
    if array.ndim() != 1 {
        return Err(command_error(format!(
            "{name}: expected one dimension, got {}; flatten it with .reshape(-1)",
            array.ndim()
        )));
    }
    if !array.is_c_contiguous() {
        return Err(command_error(format!(
            "{name}: expected a contiguous array, got records {} bytes apart; copy it with numpy.ascontiguousarray",
            array.strides()[0]
        )));
    }
    Ok(array.call_method1("view", ("u1",))?.cast_into::<PyArray1<u8>>()?)
}

/// Commands from an array or from bytes.
pub(crate) fn commands(object: &Bound<'_, PyAny>) -> PyResult<Vec<Record>> {
    records(object, "commands")
}

/// Commands from plain bytes, without a copy where they lie well.
pub(crate) fn of_bytes(bytes: &[u8]) -> PyResult<Cow<'_, [Record]>> {
    let over = bytes.len() % size_of::<Record>();
    if over != 0 {
        return Err(command_error(format!(
            "commands: expected records of 64 bytes, got {} bytes, {over} more than whole records; \
             build them with seawall.commands",
            bytes.len()
        )));
    }
    Ok(match bytemuck::try_cast_slice(bytes) {
        Ok(records) => Cow::Borrowed(records),
        Err(_) => Cow::Owned(bytemuck::allocation::pod_collect_to_vec(bytes)),
    })
}

/// Records from an array or from bytes, by the name of the argument.
pub(crate) fn records(object: &Bound<'_, PyAny>, name: &str) -> PyResult<Vec<Record>> {
    let bytes = bytes_of(object, name)?.try_readonly().map_err(|_| in_use(name))?;
    let bytes = bytes.as_slice().map_err(|_| in_use(name))?;
    Ok(bytemuck::allocation::pod_collect_to_vec(bytes))
}

/// Events as an array that owns them.
pub(crate) fn events(py: Python<'_>, records: Vec<Record>) -> PyResult<Bound<'_, PyAny>> {
    bytemuck::allocation::cast_vec::<Record, u64>(records)
        .into_pyarray(py)
        .call_method1("view", (dtype(py)?,))
}

/// Number of records that a caller's array holds, checked for [`fill`].
pub(crate) fn room(object: &Bound<'_, PyAny>) -> PyResult<usize> {
    if object.cast::<PyUntypedArray>().is_err() {
        return Err(command_error(
            "events: expected an array of dtype seawall.EVENT; make it with numpy.empty".to_owned(),
        ));
    }
    let bytes = bytes_of(object, "events")?;
    bytes
        .try_readwrite()
        .map_err(|_| command_error("events: the array cannot be written; copy it first".to_owned()))?;
    Ok(bytes.len() / size_of::<Record>())
}

/// Writes records to the front of a caller's array, which has room for them.
pub(crate) fn fill(object: &Bound<'_, PyAny>, records: &[Record]) -> PyResult<()> {
    let mut bytes = bytes_of(object, "events")?.try_readwrite().map_err(|_| in_use("events"))?;
    let target = bytes.as_slice_mut().map_err(|_| in_use("events"))?;
    // Another thread may have changed the array while the venue worked.
    let front = target.get_mut(..size_of_val(records)).ok_or_else(|| in_use("events"))?;
    front.copy_from_slice(bytemuck::cast_slice(records));
    Ok(())
}

fn in_use(name: &str) -> PyErr {
    command_error(format!("{name}: the array is in use elsewhere; pass a copy"))
}
