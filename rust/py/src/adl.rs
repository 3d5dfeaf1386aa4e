//! One round of auto-deleveraging, for the laboratory.

use crate::error::VectorError;
use crate::guarded::released;
use pyo3::prelude::*;
use seawall_core::adl::{Adl, Candidate, Frame, Hedged, Marks, Round, leg_risk};
use seawall_core::{AccountId, Contract, Money, Price, Qty, Side, TickValue};

/// Account, lots, entry cost, equity, maintenance, signed lots elsewhere.
type Row = (u32, i64, i64, i64, i64, i64);
/// Transfer price, lots closed, paid, paid by the fund, lots and money uncovered, leg risk.
type Done = (i64, Vec<i64>, Vec<i64>, i64, i64, i64, i64);

/// `seawall_core::adl::Round::plan` on integers: prices in ticks, money in minor units.
#[pyfunction]
#[pyo3(signature = (rule, *, side, residual, mark, bankruptcy, tick_value, one, rows))]
#[allow(clippy::too_many_arguments, reason = "keywords only")]
pub(crate) fn adl_round(
    py: Python<'_>,
    rule: &str,
    side: u8,
    residual: i64,
    mark: i64,
    bankruptcy: i64,
    tick_value: i64,
    one: i64,
    rows: Vec<Row>,
) -> PyResult<Done> {
    let rule: Adl = serde_json::from_str(rule).map_err(|e| VectorError::new_err(format!("rule: {e}")))?;
    let side = if side == 0 { Side::Buy } else { Side::Sell };
    let (mark, contract) = (Price::new(mark), Contract::linear(TickValue::new(tick_value)));
    let plan = released(py, move || {
        let candidates: Vec<Candidate> =
            rows.into_iter().map(|row| candidate(side, contract.value(mark, Qty::new(row.1)), row)).collect();
        let marks = Marks { bankruptcy: Price::new(bankruptcy), mark, index: mark };
        let frame = Frame { side, inverse: false, one: Money::new(one), seed: 0 };
        let round = Round { rule: &rule, marks, contract, frame, residual: Qty::new(residual) };
        let hedged: Vec<Hedged> =
            candidates.iter().map(|c| Hedged { lots: c.lots, cap: c.lots, other: c.hedge }).collect();
        round.plan(&candidates).map(|done| (leg_risk(side, &hedged, &done.closed), done))
    })?;
    let (risk, done) =
        plan.ok_or_else(|| VectorError::new_err("method: offset needs a venue; choose another"))?;
    Ok((
        done.price.get(),
        done.closed.into_iter().map(Qty::get).collect(),
        done.paid.into_iter().map(Money::get).collect(),
        done.fund.get(),
        done.uncovered_lots.get(),
        done.uncovered.get(),
        risk.get(),
    ))
}

fn candidate(side: Side, notional: Money, row: Row) -> Candidate {
    let (account, lots, cost, equity, maintenance, hedge) = row;
    let cost = Money::new(cost);
    Candidate {
        room: None,
        account: AccountId::new(account),
        lots: Qty::new(lots),
        cost,
        notional,
        profit: if side == Side::Buy { notional - cost } else { cost - notional },
        equity: Money::new(equity),
        maintenance: Money::new(maintenance),
        hedge: Qty::new(hedge),
    }
}
