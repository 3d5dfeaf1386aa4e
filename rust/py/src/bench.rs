//! The benchmark of the book, step by step so that Python can show progress and be interrupted in between.

use crate::error::{BenchError, WrongAnswerError};
use crate::guarded::released;
use crate::records;
use pyo3::prelude::*;
use seawall_bench::{
    Bench, Cascade, CascadeOptions, Features, Ids, Marks, MarksOptions, Options, RulesBench, RulesOptions,
};

fn told(error: &seawall_bench::BenchError) -> PyErr {
    match error {
        seawall_bench::BenchError::Answer { .. } => WrongAnswerError::new_err(error.to_string()),
        _ => BenchError::new_err(error.to_string()),
    }
}

fn begun(
    workload: &str,
    (n, seed): (Option<usize>, Option<u64>),
    (features, ids): (&str, &str),
) -> Result<Options, seawall_bench::BenchError> {
    let (features, ids) = (Features::of(features)?, Ids::of(ids)?);
    Ok(Options { n, seed, features, ids, ..Options::new(workload) })
}

/// A benchmark that advances in steps; the last one gives the report as JSON.
trait Steps: Send {
    fn step(&mut self) -> Result<Option<String>, seawall_bench::BenchError>;
    fn progress(&self) -> (usize, usize);
}

/// The same two methods for each kind of benchmark.
macro_rules! steps {
    ($($bench:ty),*) => {$(
        impl Steps for $bench {
            fn step(&mut self) -> Result<Option<String>, seawall_bench::BenchError> {
                let report = <$bench>::step(self)?;
                Ok(report.map(|r| serde_json::to_string(&r).expect("numbers and names are JSON")))
            }
            fn progress(&self) -> (usize, usize) {
                <$bench>::progress(self)
            }
        }
    )*};
}

steps!(Bench, Marks, Cascade, RulesBench);

/// One step with the interpreter released, then a look at signals, then the progress.
fn advance(
    py: Python<'_>,
    bench: &mut impl Steps,
    progress: Option<&Bound<'_, PyAny>>,
) -> PyResult<Option<String>> {
    let report = released(py, || bench.step())?.map_err(|e| told(&e))?;
    py.check_signals()?;
    if let Some(progress) = progress {
        progress.call1(bench.progress())?;
    }
    Ok(report)
}

/// Every step, to the report.
fn finish(
    py: Python<'_>,
    bench: Result<impl Steps, seawall_bench::BenchError>,
    progress: Option<&Bound<'_, PyAny>>,
) -> PyResult<String> {
    let mut bench = bench.map_err(|e| told(&e))?;
    loop {
        if let Some(report) = advance(py, &mut bench, progress)? {
            return Ok(report);
        }
    }
}

/// Measures the venue's book on a workload: the report as JSON.
#[pyfunction]
#[pyo3(signature = (workload, *, n = None, seed = None, features = "idle", ids = "venue", repeat = 5,
    latency = false, progress = None))]
#[allow(clippy::too_many_arguments, reason = "keyword arguments of a Python function")]
pub(crate) fn bench_book(
    py: Python<'_>,
    workload: &str,
    n: Option<usize>,
    seed: Option<u64>,
    features: &str,
    ids: &str,
    repeat: usize,
    latency: bool,
    progress: Option<&Bound<'_, PyAny>>,
) -> PyResult<String> {
    let options = begun(workload, (n, seed), (features, ids)).map_err(|e| told(&e))?;
    finish(py, Bench::new(Options { repeat, latency, ..options }), progress)
}

/// Measures what marks cost a venue of many accounts: the report as JSON.
#[pyfunction]
#[pyo3(signature = (*, accounts, markets, steps, progress = None))]
pub(crate) fn bench_marks(
    py: Python<'_>,
    accounts: u32,
    markets: u16,
    steps: u32,
    progress: Option<&Bound<'_, PyAny>>,
) -> PyResult<String> {
    finish(py, Marks::new(MarksOptions { accounts, markets, steps }), progress)
}

/// Measures what liquidations cost a venue: the report as JSON.
#[pyfunction]
#[pyo3(signature = (*, accounts, jump_accounts, progress = None))]
pub(crate) fn bench_cascade(
    py: Python<'_>,
    accounts: u32,
    jump_accounts: u32,
    progress: Option<&Bound<'_, PyAny>>,
) -> PyResult<String> {
    finish(py, Cascade::new(CascadeOptions { accounts, jump_accounts }), progress)
}

/// Measures what rules cost that stop nobody: the report as JSON.
#[pyfunction]
#[pyo3(signature = (workload, *, n = None, seed = None, features = "idle", repeat = 5, presets, progress = None))]
#[allow(clippy::too_many_arguments, reason = "keyword arguments of a Python function")]
pub(crate) fn bench_rules(
    py: Python<'_>,
    workload: &str,
    n: Option<usize>,
    seed: Option<u64>,
    features: &str,
    repeat: usize,
    presets: Vec<(String, String)>,
    progress: Option<&Bound<'_, PyAny>>,
) -> PyResult<String> {
    let features = Features::of(features).map_err(|e| told(&e))?;
    let options = RulesOptions { workload: workload.to_owned(), n, seed, features, repeat, presets };
    let bench = released(py, || RulesBench::new(options))?;
    finish(py, bench, progress)
}

/// Configuration, opening, messages that build the book, timed messages, the expected answer.
type Commands<'py> = (String, Bound<'py, PyAny>, Bound<'py, PyAny>, Bound<'py, PyAny>, String);

/// A workload as commands: what [`bench_book`] drives through the venue.
#[pyfunction]
#[pyo3(signature = (workload, *, n = None, seed = None, features = "idle", ids = "venue"))]
pub(crate) fn bench_commands<'py>(
    py: Python<'py>,
    workload: &str,
    n: Option<usize>,
    seed: Option<u64>,
    features: &str,
    ids: &str,
) -> PyResult<Commands<'py>> {
    let options = begun(workload, (n, seed), (features, ids)).map_err(|e| told(&e))?;
    let mut bench = Bench::new(options).map_err(|e| told(&e))?;
    let stage = loop {
        if let Some(stage) = bench.stage() {
            break stage;
        }
        advance(py, &mut bench, None)?;
    };
    let commands = |messages: &[_]| messages.iter().map(|m| stage.forms().command(m)).collect();
    let expected = serde_json::to_string(stage.expected()).map_err(|e| BenchError::new_err(e.to_string()))?;
    Ok((
        stage.config().canonical(),
        records::events(py, stage.opening().to_vec())?,
        records::events(py, commands(stage.prefill()))?,
        records::events(py, commands(stage.timed()))?,
        expected,
    ))
}
