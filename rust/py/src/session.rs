//! Sessions: runs that stop for a policy. The policy is asked in Python, between two steps; no step waits for Python.

use crate::error::{CommandError, PolicyError, SeawallError};
use crate::guarded::Guarded;
use crate::records;
use crate::venue::Venue;
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use seawall_core::{
    Events, Fired, MOMENTS_MAX, Record, Trigger, TriggerError, Watch, run_through, run_until,
};
use seawall_sim::{Circular, Policy, PolicyError as Failure};

/// Commands between two looks for an interrupt.
const CHUNK: usize = 1 << 16;

/// A trigger that fired: number, market, time, event number, value, reference.
pub(crate) type Firing = (usize, u16, i64, u64, i64, i64);

/// A trigger of no list: a plan that is awaited.
const TRIGGERS_END: usize = 1 << 32;

pub(crate) fn firing(fired: &Fired) -> Firing {
    (
        fired.trigger.min(TRIGGERS_END),
        fired.market.get(),
        fired.at.get(),
        fired.seq,
        fired.value,
        fired.reference,
    )
}

pub(crate) fn refused(error: &TriggerError) -> PyErr {
    CommandError::new_err(error.to_string())
}

struct State {
    watch: Watch,
    events: Events,
    /// Commands of the present batch that were applied.
    done: usize,
    /// Answers of the policy since the last of them.
    answers: usize,
}

/// Applies commands to a venue until a trigger fires; `seawall.Session` is the documented face of it.
#[pyclass(frozen, module = "seawall._core")]
pub(crate) struct Session {
    venue: Py<Venue>,
    state: Guarded<State>,
}

#[pymethods]
impl Session {
    #[new]
    fn new(py: Python<'_>, venue: Py<Venue>, triggers: &str) -> PyResult<Self> {
        let watch = venue.get().state.with(py, |state| {
            Trigger::list(triggers).and_then(|triggers| Watch::new(&state.venue, &triggers))
        })?;
        let watch = watch.map_err(|e| refused(&e))?;
        Ok(Self {
            venue,
            state: Guarded::new("session", State { watch, events: Events::new(), done: 0, answers: 0 }),
        })
    }

    /// Applies commands from `start` on until a trigger fires; what fired. Looks for an interrupt now and then, and
    /// tells `progress` how many were applied.
    #[pyo3(signature = (commands, start, progress = None))]
    fn run(
        &self,
        py: Python<'_>,
        commands: &Bound<'_, PyAny>,
        start: usize,
        progress: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Vec<Firing>> {
        self.state.with(py, |state| (state.done, state.answers) = (start, 0))?;
        let commands = records::commands(commands)?;
        let mut done = start.min(commands.len());
        while done < commands.len() {
            let chunk = &commands[done..commands.len().min(done + CHUNK)];
            let (applied, fired) = self.apply(py, |venue, state| {
                let applied = run_until(venue, &mut state.watch, chunk, &mut state.events);
                state.done += applied;
                (applied, state.watch.fired().iter().map(firing).collect::<Vec<_>>())
            })?;
            done += applied;
            if let Some(progress) = progress {
                progress.call1((done, commands.len()))?;
            }
            if !fired.is_empty() {
                return Ok(fired);
            }
            py.check_signals()?;
        }
        Ok(Vec::new())
    }

    /// Applies all of a policy's commands; what fired meanwhile.
    fn act(&self, py: Python<'_>, commands: &Bound<'_, PyAny>) -> PyResult<Vec<Firing>> {
        let commands = records::commands(commands)?;
        let answers = self.state.with(py, |state| {
            state.answers += 1;
            state.answers
        })?;
        if answers > MOMENTS_MAX {
            let at = self.venue.get().state.with(py, |state| state.venue.now().get())?;
            return Err(PolicyError::new_err(Circular { at }.to_string()));
        }
        self.apply(py, |venue, state| {
            run_through(venue, &mut state.watch, &commands, &mut state.events);
            state.watch.fired().iter().map(firing).collect()
        })
    }

    /// Commands of the present batch that were applied.
    #[getter]
    fn done(&self, py: Python<'_>) -> PyResult<usize> {
        self.state.with(py, |state| state.done)
    }

    /// The events since the last call.
    fn take_events<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let events = self.state.with(py, |state| std::mem::take(&mut state.events))?;
        records::events(py, events.into_vec())
    }
}

impl Session {
    fn apply<R: Send + pyo3::marker::Ungil>(
        &self,
        py: Python<'_>,
        work: impl FnOnce(&mut seawall_core::Venue, &mut State) -> R + Send + pyo3::marker::Ungil,
    ) -> PyResult<R> {
        let venue = &self.venue.get().state;
        self.state.with(py, |state| venue.at_once(|v| work(&mut v.venue, state)))?
    }
}

/// A policy in Python: asks it with the world's venue lent to it for the time of the call.
pub(crate) struct Asked {
    ask: Py<PyAny>,
    lent: Py<Venue>,
}

impl Asked {
    /// `ask` takes the number of a trigger that fired, its facts and the venue, and returns the bytes of commands.
    pub(crate) fn new(py: Python<'_>, ask: Py<PyAny>, venue: &seawall_core::Venue) -> PyResult<Self> {
        let empty = seawall_core::Venue::new(venue.config().clone());
        Ok(Self { ask, lent: Py::new(py, Venue::of(empty))? })
    }

    fn call(&self, py: Python<'_>, fired: &Fired) -> PyResult<Vec<Record>> {
        let answer = self.ask.bind(py).call1((&self.lent, firing(fired)))?;
        let bytes = answer.cast_into::<PyBytes>().map_err(|e| SeawallError::new_err(e.to_string()))?;
        Ok(records::of_bytes(bytes.as_bytes())?.into_owned())
    }
}

impl Policy for Asked {
    fn act(&mut self, venue: &mut seawall_core::Venue, fired: &Fired) -> Result<Vec<Record>, Failure> {
        Python::attach(|py| {
            let lend = |venue: &mut seawall_core::Venue| {
                self.lent.get().state.at_once(|state| std::mem::swap(&mut state.venue, venue))
            };
            lend(venue)?;
            let answer = self.call(py, fired);
            lend(venue)?;
            answer
        })
        .map_err(Into::into)
    }
}
