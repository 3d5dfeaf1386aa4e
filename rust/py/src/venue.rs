//! The venue behind a lock: batches in, arrays out.

use crate::error::{ConfigError, JournalError, SnapshotError, command_error};
use crate::guarded::{Guarded, released};
use crate::records;
use numpy::IntoPyArray;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};
use seawall_core::{
    AccountId, Config, Deltas as CoreDeltas, Events, FundId, Journal, JournalWriter as CoreJournalWriter,
    MarketId, Money, Nanos, Price, Record, Side, hex, protocol::HIDDEN,
};

/// Round, market, account, side of the winners; lots, transfer price, mark.
type Facts = ((u64, u16, u32, u8), (i64, i64, i64));

/// So many commands are done before the interpreter could be released and taken again.
const FEW: usize = 32;

/// One deterministic venue; `seawall.Venue` is the documented face of it.
#[pyclass(frozen, module = "seawall._core")]
pub(crate) struct Venue {
    pub(crate) state: Guarded<State>,
}

pub(crate) struct State {
    pub(crate) venue: seawall_core::Venue,
    /// Events that did not fit into the caller's array.
    waiting: Vec<Record>,
}

impl State {
    fn apply(&mut self, commands: &[Record]) -> Vec<Record> {
        let mut events = Events::with_capacity(2 * commands.len());
        self.venue.apply_batch(commands, &mut events);
        if self.waiting.is_empty() {
            return events.into_vec();
        }
        let mut all = std::mem::take(&mut self.waiting);
        all.extend_from_slice(events.as_slice());
        all
    }
}

impl Venue {
    pub(crate) fn of(venue: seawall_core::Venue) -> Self {
        Self { state: Guarded::new("venue", State { venue, waiting: Vec::new() }) }
    }

    /// The market of a number.
    fn known(&self, py: Python<'_>, market: u16) -> PyResult<MarketId> {
        let markets = self.state.with(py, |state| state.venue.config().markets.len())?;
        if usize::from(market) < markets {
            return Ok(MarketId::new(market));
        }
        Err(command_error(format!("market: {market} is not there; markets are 0 to {}", markets - 1)))
    }

    /// The account of a number.
    fn opened(&self, py: Python<'_>, account: u32) -> PyResult<AccountId> {
        let accounts = self.state.with(py, |state| state.venue.accounts())?;
        let account = AccountId::new(account);
        if account.index() < accounts {
            return Ok(account);
        }
        Err(command_error(format!(
            "account: {account} is not there; {accounts} were opened, numbered from 0"
        )))
    }

    fn table<'py, Row: Send>(
        &self,
        py: Python<'py>,
        rows: impl FnOnce(&seawall_core::Venue) -> Vec<Row> + Send,
        columns: impl FnOnce(&Bound<'py, PyDict>, &[Row]) -> PyResult<()>,
    ) -> PyResult<Bound<'py, PyDict>> {
        let rows = self.state.with(py, |state| rows(&state.venue))?;
        let table = PyDict::new(py);
        columns(&table, &rows)?;
        Ok(table)
    }
}

/// Adds a column: one value of every row.
fn column<Row, T: numpy::Element>(
    table: &Bound<'_, PyDict>,
    name: &str,
    rows: &[Row],
    value: impl Fn(&Row) -> T,
) -> PyResult<()> {
    let values: Vec<T> = rows.iter().map(value).collect();
    table.set_item(name, values.into_pyarray(table.py()))
}

#[pymethods]
impl Venue {
    #[new]
    fn new(py: Python<'_>, config: &str) -> PyResult<Self> {
        released(py, || Config::new(config).map(|config| Self::of(seawall_core::Venue::new(config))))?
            .map_err(|e| ConfigError::new_err(e.to_string()))
    }

    #[staticmethod]
    fn restore(py: Python<'_>, snapshot: &[u8]) -> PyResult<Self> {
        released(py, || seawall_core::Venue::restore(snapshot).map(Self::of))?
            .map_err(|e| SnapshotError::new_err(e.to_string()))
    }

    fn apply<'py>(&self, py: Python<'py>, commands: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        let commands = records::commands(commands)?;
        let events = self.state.with(py, |state| state.apply(&commands))?;
        records::events(py, events)
    }

    fn apply_bytes<'py>(&self, py: Python<'py>, commands: &[u8]) -> PyResult<Bound<'py, PyBytes>> {
        let records = records::of_bytes(commands)?;
        let events = if records.len() <= FEW {
            self.state.at_once(|state| state.apply(&records))?
        } else {
            self.state.with(py, |state| state.apply(&records))?
        };
        Ok(PyBytes::new(py, bytemuck::cast_slice(&events)))
    }

    fn apply_into(
        &self,
        py: Python<'_>,
        commands: &Bound<'_, PyAny>,
        events: &Bound<'_, PyAny>,
    ) -> PyResult<usize> {
        let commands = records::commands(commands)?;
        let room = records::room(events)?;
        let front = self.state.with(py, |state| {
            let mut all = state.apply(&commands);
            state.waiting = all.split_off(room.min(all.len()));
            all
        })?;
        if let Err(error) = records::fill(events, &front) {
            // The commands were applied: their events wait for the next call.
            self.state.with(py, |state| {
                let mut front = front;
                front.append(&mut state.waiting);
                state.waiting = front;
            })?;
            return Err(error);
        }
        Ok(front.len())
    }

    #[getter]
    fn waiting(&self, py: Python<'_>) -> PyResult<usize> {
        self.state.with(py, |state| state.waiting.len())
    }

    fn snapshot<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        let bytes = self.state.with(py, |state| state.venue.snapshot())?;
        Ok(PyBytes::new(py, &bytes))
    }

    fn digest(&self, py: Python<'_>) -> PyResult<String> {
        self.state.with(py, |state| hex(&state.venue.digest()))
    }

    fn config(&self, py: Python<'_>) -> PyResult<String> {
        self.state.with(py, |state| state.venue.config().canonical())
    }

    fn now(&self, py: Python<'_>) -> PyResult<i64> {
        self.state.with(py, |state| state.venue.now().get())
    }

    fn markets<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        self.table(
            py,
            |venue| venue.market_rows().collect(),
            |table, rows| {
                let price = |price: Option<Price>| price.map_or(0, Price::get);
                column(table, "market", rows, |r| r.market.get())?;
                column(table, "phase", rows, |r| r.phase.code())?;
                column(table, "until", rows, |r| r.until.get())?;
                column(table, "index", rows, |r| price(r.index))?;
                column(table, "mark", rows, |r| price(r.mark))?;
                column(table, "last", rows, |r| price(r.last))?;
                column(table, "bid", rows, |r| price(r.bid))?;
                column(table, "ask", rows, |r| price(r.ask))?;
                column(table, "open_interest", rows, |r| r.open_interest.get())
            },
        )
    }

    fn funds<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        self.table(
            py,
            |venue| (0..venue.config().funds.len()).map(|f| venue.fund(FundId::from_index(f))).collect(),
            |table, rows: &[Money]| column(table, "balance", rows, |r| r.get()),
        )
    }

    #[getter]
    fn in_queue(&self, py: Python<'_>) -> PyResult<(usize, usize)> {
        self.state.with(py, |state| (state.venue.queue_len(), state.venue.parked_len()))
    }

    fn accounts<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        self.table(
            py,
            |venue| venue.account_rows().collect(),
            |table, rows| {
                column(table, "account", rows, |r| r.account.get())?;
                column(table, "equity", rows, |r| r.equity.get())?;
                column(table, "balance", rows, |r| r.balance.get())?;
                column(table, "maintenance", rows, |r| r.maintenance.get())?;
                column(table, "initial", rows, |r| r.initial.get())?;
                column(table, "call", rows, |r| r.call.get())?;
                column(table, "called", rows, |r| r.called)?;
                column(table, "call_due", rows, |r| r.call_due.get())?;
                column(table, "in_liquidation", rows, |r| r.in_liquidation)?;
                column(table, "portfolio", rows, |r| r.portfolio)
            },
        )
    }

    fn margin_calls<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        self.table(py, seawall_core::Venue::call_rows, |table, rows| {
            column(table, "account", rows, |r| r.account.get())?;
            column(table, "equity", rows, |r| r.equity.get())?;
            column(table, "requirement", rows, |r| r.requirement.get())?;
            column(table, "missing", rows, |r| r.missing.get())?;
            column(table, "due", rows, |r| r.due.get())
        })
    }

    fn positions<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        self.table(
            py,
            |venue| venue.position_rows().collect(),
            |table, rows| {
                column(table, "account", rows, |r| r.account.get())?;
                column(table, "market", rows, |r| r.market.get())?;
                column(table, "base", rows, |r| r.base.get())?;
                column(table, "cost", rows, |r| r.cost.get())?;
                column(table, "open_buys", rows, |r| r.open_buys.get())?;
                column(table, "open_sells", rows, |r| r.open_sells.get())
            },
        )
    }

    fn room(&self, py: Python<'_>, account: u32, market: u16) -> PyResult<(i64, i64)> {
        let (account, market) = (self.opened(py, account)?, self.known(py, market)?);
        self.state.with(py, |state| {
            let room = |side| state.venue.room(account, market, side).get();
            (room(Side::Buy), room(Side::Sell))
        })
    }

    fn liquidation_prices<'py>(&self, py: Python<'py>, account: u32) -> PyResult<Bound<'py, PyDict>> {
        let account = self.opened(py, account)?;
        self.table(
            py,
            |venue| venue.liquidation_rows(account).collect(),
            |table, rows| {
                column(table, "market", rows, |r| r.0.get())?;
                column(table, "price", rows, |r| r.1.map_or(0, Price::get))
            },
        )
    }

    fn depth<'py>(
        &self,
        py: Python<'py>,
        market: u16,
        side: u8,
        levels: usize,
    ) -> PyResult<Bound<'py, PyDict>> {
        let side =
            Side::from_code(side).ok_or_else(|| command_error(format!("side: {side} is neither 0 nor 1")))?;
        let market = self.known(py, market)?;
        self.table(
            py,
            |venue| venue.depth(market, side, levels),
            |table, rows| {
                column(table, "price", rows, |r| r.price.get())?;
                column(table, "qty", rows, |r| r.qty.get())?;
                column(table, "orders", rows, |r| r.orders)
            },
        )
    }

    fn orders<'py>(&self, py: Python<'py>, market: u16) -> PyResult<Bound<'py, PyDict>> {
        let market = self.known(py, market)?;
        self.table(
            py,
            |venue| venue.order_rows(market).collect(),
            |table, rows| {
                column(table, "account", rows, |r| r.order.account.get())?;
                column(table, "order", rows, |r| r.order.id.raw())?;
                column(table, "side", rows, |r| r.order.side.code())?;
                column(table, "price", rows, |r| r.order.price.get())?;
                column(table, "qty", rows, |r| r.order.qty.get())?;
                column(table, "shown", rows, |r| {
                    if r.order.flags & HIDDEN == 0 { r.order.shown.get() } else { 0 }
                })?;
                column(table, "position", rows, |r| r.position)?;
                column(table, "client_id", rows, |r| r.client)?;
                column(table, "session", rows, |r| r.session)?;
                column(table, "flags", rows, |r| r.order.flags)?;
                column(table, "expiry", rows, |r| r.expiry.map_or(0, Nanos::get))
            },
        )
    }

    fn waiting_orders<'py>(&self, py: Python<'py>, market: u16) -> PyResult<Bound<'py, PyDict>> {
        let market = self.known(py, market)?;
        self.table(
            py,
            |venue| venue.waiting_rows(market).collect(),
            |table, rows| {
                column(table, "account", rows, |r| r.account.get())?;
                column(table, "order", rows, |r| r.id.raw())?;
                column(table, "side", rows, |r| r.side.code())?;
                column(table, "type", rows, |r| r.kind.code())?;
                column(table, "price", rows, |r| r.price.get())?;
                column(table, "qty", rows, |r| r.qty.get())?;
                column(table, "term", rows, |r| r.term)?;
                column(table, "watched", rows, |r| r.watched)?;
                column(table, "trigger", rows, |r| r.trigger.map_or(0, Price::get))?;
                column(table, "client_id", rows, |r| r.client)
            },
        )
    }

    fn adl_lights<'py>(&self, py: Python<'py>, market: u16) -> PyResult<Bound<'py, PyDict>> {
        let market = self.known(py, market)?;
        self.table(
            py,
            |venue| venue.adl_lights(market),
            |table, rows| {
                column(table, "account", rows, |r| r.account.get())?;
                column(table, "side", rows, |r| r.side.code())?;
                column(table, "rank", rows, |r| r.rank)?;
                column(table, "light", rows, |r| r.light)
            },
        )
    }

    fn adl_round<'py>(&self, py: Python<'py>) -> PyResult<Option<(Facts, Bound<'py, PyDict>)>> {
        let Some(round) = self.state.with(py, |state| state.venue.adl_round())? else { return Ok(None) };
        let facts = (
            (round.round, round.market.get(), round.account.get(), round.winner.code()),
            (round.lots.get(), round.price.get(), round.mark.get()),
        );
        let (table, rows) = (PyDict::new(py), round.candidates);
        column(&table, "account", &rows, |r| r.0.account.get())?;
        column(&table, "lots", &rows, |r| r.0.lots.get())?;
        column(&table, "cap", &rows, |r| r.1.get())?;
        column(&table, "cost", &rows, |r| r.0.cost.get())?;
        column(&table, "notional", &rows, |r| r.0.notional.get())?;
        column(&table, "profit", &rows, |r| r.0.profit.get())?;
        column(&table, "equity", &rows, |r| r.0.equity.get())?;
        Ok(Some((facts, table)))
    }

    fn plan_awaited(&self, py: Python<'_>) -> PyResult<Option<(u16, u64)>> {
        self.state.with(py, |state| state.venue.plan_awaited().map(|(market, round)| (market.get(), round)))
    }

    fn liquidation_map<'py>(&self, py: Python<'py>, market: u16) -> PyResult<Bound<'py, PyDict>> {
        let market = self.known(py, market)?;
        self.table(
            py,
            |venue| venue.liquidation_map(market),
            |table, rows| {
                column(table, "price", rows, |r| r.price.get())?;
                column(table, "side", rows, |r| r.side.code())?;
                column(table, "accounts", rows, |r| r.accounts)?;
                column(table, "lots", rows, |r| r.lots.get())?;
                column(table, "notional", rows, |r| r.notional.get())
            },
        )
    }

    fn audit(&self, py: Python<'_>) -> PyResult<String> {
        self.state.with(py, |state| audit(&state.venue).to_string())
    }
}

/// The proof of conservation with the names of assets and markets.
pub(crate) fn audit(venue: &seawall_core::Venue) -> serde_json::Value {
    let proof = venue.conservation();
    let config = venue.config();
    let assets: serde_json::Map<String, serde_json::Value> = std::iter::zip(&config.assets, &proof.assets)
        .map(|(asset, totals)| {
            let row = serde_json::json!({
                "users": wide(totals.users.get()),
                "funds": wide(totals.funds.get()),
                "fees": totals.fees.get(),
                "venue": wide(totals.venue.get()),
                "deposits_less_withdrawals": totals.deposits.get(),
            });
            (asset.name.clone(), row)
        })
        .collect();
    let sums = std::iter::zip(&proof.net, &proof.rounding);
    let markets: serde_json::Map<String, serde_json::Value> = std::iter::zip(&config.markets, sums)
        .map(|(market, (net, rounding))| {
            let row = serde_json::json!({"net_position": net.get(), "rounding": rounding.get()});
            (market.name.clone(), row)
        })
        .collect();
    serde_json::json!({
        "ok": proof.ok, "assets": assets, "markets": markets, "shortfall": proof.shortfall.get(),
    })
}

/// A total as a number where it fits, which the configuration proves.
fn wide(total: i128) -> i64 {
    i64::try_from(total).unwrap_or(if total < 0 { i64::MIN } else { i64::MAX })
}

/// Writes a journal of one venue; `seawall.JournalWriter` is the documented face of it.
#[pyclass(frozen, module = "seawall._core")]
pub(crate) struct JournalWriter {
    state: Guarded<CoreJournalWriter>,
    header: Vec<u8>,
}

#[pymethods]
impl JournalWriter {
    #[new]
    fn new(py: Python<'_>, venue: &Venue) -> PyResult<Self> {
        let begun = venue.state.with(py, |state| CoreJournalWriter::of(&state.venue))?;
        let (writer, header) = begun.ok_or_else(|| {
            JournalError::new_err(
                "the venue has already taken commands; begin the journal before the first one, or restore a \
                 snapshot beside it",
            )
        })?;
        Ok(Self { state: Guarded::new("journal", writer), header })
    }

    fn header<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &self.header)
    }

    fn frame<'py>(&self, py: Python<'py>, commands: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyBytes>> {
        let commands = records::commands(commands)?;
        let bytes = self.state.with(py, |writer| writer.frame(&commands))?;
        Ok(PyBytes::new(py, &bytes))
    }
}

/// Folds events into changes of depth; `seawall.Deltas` is the documented face of it.
#[pyclass(frozen, module = "seawall._core")]
pub(crate) struct Deltas {
    state: Guarded<CoreDeltas>,
}

#[pymethods]
impl Deltas {
    #[new]
    fn new() -> Self {
        Self { state: Guarded::new("deltas", CoreDeltas::new()) }
    }

    fn update<'py>(&self, py: Python<'py>, events: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyDict>> {
        let events = records::records(events, "events")?;
        let rows = self.state.with(py, |state| {
            let mut rows = Vec::new();
            state.update(&events, &mut rows);
            rows
        })?;
        let table = PyDict::new(py);
        column(&table, "seq", &rows, |r| r.seq)?;
        column(&table, "market", &rows, |r| r.market.get())?;
        column(&table, "side", &rows, |r| r.side.code())?;
        column(&table, "price", &rows, |r| r.price.get())?;
        column(&table, "qty", &rows, |r| r.qty.get())?;
        Ok(table)
    }
}

/// Replays a journal: the venue, its events, the bytes of a torn last frame.
#[pyfunction]
pub(crate) fn replay_journal<'py>(
    py: Python<'py>,
    journal: &[u8],
) -> PyResult<(Venue, Bound<'py, PyAny>, usize)> {
    let (venue, events, torn) = released(py, || {
        let journal = Journal::read(journal)?;
        let (venue, events) = journal.replay();
        Ok::<_, seawall_core::CodecError>((venue, events, journal.torn))
    })?
    .map_err(|e| JournalError::new_err(e.to_string()))?;
    Ok((Venue::of(venue), records::events(py, events.into_vec())?, torn))
}
