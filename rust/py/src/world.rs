//! A world behind a lock, stepped in chunks so that Python can show progress and be interrupted in between.

use crate::error::{ConfigError, PolicyError, ScenarioError, command_error};
use crate::guarded::{Guarded, released};
use crate::records;
use crate::session::{Asked, refused};
use crate::venue::{Venue, audit};
use numpy::IntoPyArray;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use seawall_core::{Config, Trigger, hex};
use seawall_sim::{Keep, Options, Scenario};

/// One venue and everything around it.
#[pyclass(frozen, module = "seawall._core")]
pub(crate) struct World {
    state: Guarded<seawall_sim::World>,
}

/// A run that goes no further.
#[derive(Debug)]
struct Stopped;

impl std::fmt::Display for Stopped {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the world stopped when its policy failed; replay the scenario anew")
    }
}

impl std::error::Error for Stopped {}

/// Why a world could not be built: the venue's part or the scenario's.
enum Refusal {
    Venue(String),
    Scenario(String),
}

fn build(config: &str, scenario: &str, seed: u64, accounts: u32, options: Options) -> Result<World, Refusal> {
    let config = Config::new(config).map_err(|e| Refusal::Venue(e.to_string()))?;
    let scenario = Scenario::new(scenario).map_err(|e| Refusal::Scenario(e.to_string()))?;
    seawall_sim::World::with(config, scenario, seed, accounts, options)
        .map(|world| World { state: Guarded::new("world", world) })
        .map_err(|e| Refusal::Scenario(e.to_string()))
}

impl From<Refusal> for PyErr {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Venue(why) => ConfigError::new_err(why),
            Refusal::Scenario(why) => ScenarioError::new_err(why),
        }
    }
}

#[pymethods]
impl World {
    #[new]
    #[pyo3(signature = (config, scenario, seed, accounts, *, events = "none", journal = false))]
    fn new(
        py: Python<'_>,
        config: &str,
        scenario: &str,
        seed: u64,
        accounts: u32,
        events: &str,
        journal: bool,
    ) -> PyResult<Self> {
        let events = Keep::of(events)
            .ok_or_else(|| command_error(format!("events: {events:?} is neither none nor risk nor all")))?;
        let options = Options { events, journal };
        Ok(released(py, || build(config, scenario, seed, accounts, options))??)
    }

    fn run_steps(&self, py: Python<'_>, count: usize) -> PyResult<bool> {
        let (done, failure) = self.state.with(py, |world| {
            if world.is_stopped() {
                return (false, Some(Stopped.into()));
            }
            (world.run_steps(count), world.take_failure())
        })?;
        match failure.map(|failure: seawall_sim::PolicyError| failure.downcast::<PyErr>()) {
            None => Ok(done),
            Some(Ok(raised)) => Err(*raised),
            Some(Err(other)) => Err(PolicyError::new_err(other.to_string())),
        }
    }

    /// Lets a policy act: `ask` is called after each step in which one of the triggers fires.
    fn attach(&self, py: Python<'_>, triggers: &str, ask: Py<PyAny>) -> PyResult<()> {
        let asked = self.state.at_once(|world| Asked::new(py, ask, world.venue()))??;
        self.state
            .at_once(|world| Trigger::list(triggers).and_then(|t| world.attach(&t, Box::new(asked))))?
            .map_err(|e| refused(&e))
    }

    #[getter]
    fn step(&self, py: Python<'_>) -> PyResult<usize> {
        self.state.with(py, |world| world.step_number())
    }

    #[getter]
    fn steps(&self, py: Python<'_>) -> PyResult<usize> {
        self.state.with(py, |world| world.steps())
    }

    fn summary(&self, py: Python<'_>) -> PyResult<String> {
        self.state
            .with(py, |world| serde_json::to_string(&world.summary()))?
            .map_err(|e| ScenarioError::new_err(e.to_string()))
    }

    fn series<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let (names, columns) = self
            .state
            .with(py, |world| (world.series().names().to_vec(), world.series().columns().to_vec()))?;
        let table = PyDict::new(py);
        for (name, column) in names.into_iter().zip(columns) {
            table.set_item(name, column.into_pyarray(py))?;
        }
        Ok(table)
    }

    fn hedges<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        Ok(self.state.with(py, |world| world.hedges().to_vec())?.into_pyarray(py).into_any())
    }

    fn input<'py>(&self, py: Python<'py>, market: usize) -> PyResult<Bound<'py, PyAny>> {
        let path = self.state.with(py, |world| {
            (market < world.venue().config().markets.len()).then(|| world.input(market).to_vec())
        })?;
        let path = path.ok_or_else(|| command_error(format!("market: {market} is not there")))?;
        Ok(path.into_pyarray(py).into_any())
    }

    fn take_events<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let events = self.state.with(py, seawall_sim::World::take_events)?;
        records::events(py, events)
    }

    fn take_journal<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let commands = self.state.with(py, seawall_sim::World::take_journal)?;
        records::events(py, commands)
    }

    fn digest(&self, py: Python<'_>) -> PyResult<String> {
        self.state.with(py, |world| hex(&world.digest()))
    }

    fn audit(&self, py: Python<'_>) -> PyResult<String> {
        self.state.with(py, |world| audit(world.venue()).to_string())
    }

    fn venue(&self, py: Python<'_>) -> PyResult<Venue> {
        self.state.with(py, |world| Venue::of(world.venue().clone()))
    }
}
