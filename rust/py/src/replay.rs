//! A saved run once more: its journal applied in chunks, so that Python can show progress and be interrupted.

use crate::error::{JournalError, command_error};
use crate::guarded::{Guarded, released};
use crate::records;
use crate::venue::Venue;
use pyo3::prelude::*;
use seawall_core::{EventDigest, Events, Journal, Record, hex};
use seawall_sim::Keep;

struct State {
    venue: seawall_core::Venue,
    commands: Vec<Record>,
    done: usize,
    torn: usize,
    keep: Keep,
    /// Between these times all events are kept, and the commands with them.
    around: (i64, i64),
    events: Events,
    kept: Vec<Record>,
    sent: Vec<Record>,
    count: u64,
    digest: EventDigest,
}

impl State {
    fn apply(&mut self, count: usize) {
        let end = self.commands.len().min(self.done.saturating_add(count));
        for command in &self.commands[self.done..end] {
            self.venue.apply_record(command, &mut self.events);
            let events = self.events.as_slice();
            self.digest.update(events);
            self.count += events.len() as u64;
            let near = self.around.0 <= command.at && command.at <= self.around.1;
            if near {
                self.sent.push(*command);
            }
            self.kept.extend(events.iter().filter(|e| near || self.keep.wants(e)));
            self.events.clear();
        }
        self.done = end;
    }
}

/// A journal that is applied anew; `seawall.SavedRun` is the documented face of it.
#[pyclass(frozen, module = "seawall._core")]
pub(crate) struct Replay {
    state: Guarded<State>,
}

#[pymethods]
impl Replay {
    #[new]
    #[pyo3(signature = (journal, *, events = "none", around = None))]
    fn new(py: Python<'_>, journal: &[u8], events: &str, around: Option<(i64, i64)>) -> PyResult<Self> {
        let keep = Keep::of(events)
            .ok_or_else(|| command_error(format!("events: {events:?} is neither none nor risk nor all")))?;
        let journal =
            released(py, || Journal::read(journal))?.map_err(|e| JournalError::new_err(e.to_string()))?;
        let state = State {
            venue: seawall_core::Venue::new(journal.config),
            commands: journal.commands,
            done: 0,
            torn: journal.torn,
            keep,
            around: around.unwrap_or((i64::MAX, i64::MIN)),
            events: Events::new(),
            kept: Vec::new(),
            sent: Vec::new(),
            count: 0,
            digest: EventDigest::new(),
        };
        Ok(Self { state: Guarded::new("replay", state) })
    }

    /// Applies up to `count` commands; true when all are applied.
    fn run(&self, py: Python<'_>, count: usize) -> PyResult<bool> {
        self.state.with(py, |state| {
            state.apply(count);
            state.done == state.commands.len()
        })
    }

    /// Commands applied, commands in all, events so far, bytes of a torn last frame.
    #[getter]
    fn counts(&self, py: Python<'_>) -> PyResult<(usize, usize, u64, usize)> {
        self.state.with(py, |state| (state.done, state.commands.len(), state.count, state.torn))
    }

    fn digest(&self, py: Python<'_>) -> PyResult<String> {
        self.state.with(py, |state| hex(&state.digest.finish()))
    }

    fn take_events<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let events = self.state.with(py, |state| std::mem::take(&mut state.kept))?;
        records::events(py, events)
    }

    /// The commands near the time that was asked for.
    fn take_commands<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let commands = self.state.with(py, |state| std::mem::take(&mut state.sent))?;
        records::events(py, commands)
    }

    fn venue(&self, py: Python<'_>) -> PyResult<Venue> {
        self.state.with(py, |state| Venue::of(state.venue.clone()))
    }
}
