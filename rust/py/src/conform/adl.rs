//! Auto-deleveraging: `seawall_core::adl`, a number of units at a time.

use super::exact;
use crate::error::VectorError;
use crate::guarded::released;
use pyo3::prelude::*;
use seawall_core::adl::{
    self, Apportionment, Candidate, Claim, Counterparties, Frame, Hedged, Liable, Marks, Stake, StepCheck,
};
use seawall_core::config::{AdlLights, AdlPrice, AdlScore};
use seawall_core::{AccountId, Contract, Money, Ppm, Price, Qty, Ratio, Share, Side, Sum, TickValue};
use serde::de::DeserializeOwned;

/// A name as the configuration spells it.
fn named<T: DeserializeOwned>(name: &str) -> PyResult<T> {
    serde_json::from_value(serde_json::Value::from(name))
        .map_err(|e| VectorError::new_err(format!("{name}: {e}")))
}

fn side_of(code: u8) -> PyResult<Side> {
    Side::from_code(code).ok_or_else(|| VectorError::new_err(format!("side: {code} is neither 0 nor 1")))
}

fn units(numbers: Vec<Qty>) -> Vec<i64> {
    numbers.into_iter().map(Qty::get).collect()
}

/// What the functions take for granted, as the venue's configuration proves it.
fn not_negative(numbers: impl IntoIterator<Item = i64>) -> PyResult<()> {
    if numbers.into_iter().any(|n| n < 0) {
        return Err(VectorError::new_err("a quantity, an amount or a cap is negative; give 0 or more"));
    }
    Ok(())
}

/// `seawall_core::adl::score` of (profit, cost, notional, equity, maintenance): numerator and denominator.
#[pyfunction]
pub(crate) fn adl_score(
    py: Python<'_>,
    rule: &str,
    side: u8,
    amounts: (i64, i64, i64, i64, i64),
    one: i64,
) -> PyResult<(i128, u128)> {
    let rule: AdlScore = named(rule)?;
    let (profit, cost, notional, equity, maintenance) = amounts;
    not_negative([cost, notional, maintenance])?;
    let candidate = Candidate {
        profit: Money::new(profit),
        cost: Money::new(cost),
        notional: Money::new(notional),
        equity: Money::new(equity),
        maintenance: Money::new(maintenance),
        ..Candidate::default()
    };
    let frame = Frame { side: side_of(side)?, inverse: false, one: Money::new(one), seed: 0 };
    let score = released(py, move || adl::score(rule, &candidate, &frame))?;
    Ok(exact(&score))
}

/// `seawall_core::adl::rank`: accounts by score.
#[pyfunction]
pub(crate) fn adl_rank(py: Python<'_>, scored: Vec<(i64, u32)>) -> PyResult<Vec<u32>> {
    let whole = |score: i64| Ratio::new(Sum::new(score.into()), Sum::new(1));
    released(py, move || {
        let count = scored.len();
        let scored = scored.into_iter().map(|(score, account)| (whole(score), AccountId::new(account)));
        adl::rank(scored.collect(), count).into_iter().map(AccountId::get).collect()
    })
}

/// `seawall_core::adl::lights` of lots in the order of their rank.
#[pyfunction]
pub(crate) fn adl_lights(py: Python<'_>, method: &str, levels: u32, ranked: Vec<i64>) -> PyResult<Vec<u32>> {
    not_negative(ranked.iter().copied())?;
    if levels == 0 {
        return Err(VectorError::new_err("levels: 0 is too few; give 1 or more"));
    }
    let rule = AdlLights { method: named(method)?, levels };
    released(py, move || adl::lights(rule, &ranked.into_iter().map(Qty::new).collect::<Vec<_>>()))
}

/// `seawall_core::adl::allocate` over (weight, cap): lots per claim.
#[pyfunction]
pub(crate) fn adl_allocate(
    py: Python<'_>,
    method: &str,
    residual: i64,
    claims: Vec<(i64, i64)>,
) -> PyResult<Vec<i64>> {
    let rule = match method {
        "largest_remainder" => Apportionment::LargestRemainder,
        "webster" => Apportionment::Webster,
        "min_max" => Apportionment::MinMax,
        _ => return Err(VectorError::new_err(format!("method: {method} is unknown"))),
    };
    not_negative(claims.iter().flat_map(|&(weight, cap)| [weight, cap]).chain([residual]))?;
    released(py, move || {
        let claims: Vec<Claim> =
            claims.into_iter().map(|(weight, cap)| Claim { weight, cap: Qty::new(cap) }).collect();
        units(adl::allocate(rule, Qty::new(residual), &claims))
    })
}

/// `seawall_core::adl::queue` over caps in the order of their rank; nothing for those after the last that is looked at.
#[pyfunction]
pub(crate) fn adl_queue(py: Python<'_>, residual: i64, caps: Vec<i64>) -> PyResult<Vec<i64>> {
    not_negative(caps.iter().copied().chain([residual]))?;
    released(py, move || {
        let count = caps.len();
        let mut taken = units(adl::queue(Qty::new(residual), caps.into_iter().map(Qty::new)));
        taken.resize(count, 0);
        taken
    })
}

/// `seawall_core::adl::hedge_aware` of (lots, other): first pass, second pass, and the leg risk of both.
#[pyfunction]
pub(crate) fn adl_hedge_aware(
    py: Python<'_>,
    side: u8,
    residual: i64,
    positions: Vec<(i64, i64)>,
) -> PyResult<(Vec<i64>, Vec<i64>, i64)> {
    let side = side_of(side)?;
    not_negative(positions.iter().map(|p| p.0).chain([residual]))?;
    released(py, move || {
        let of = |(lots, other)| Hedged { lots: Qty::new(lots), cap: Qty::new(lots), other: Qty::new(other) };
        let positions: Vec<Hedged> = positions.into_iter().map(of).collect();
        let plan = adl::hedge_aware(side, Qty::new(residual), &positions);
        let risk = adl::leg_risk(side, &positions, &plan.closed()).get();
        (units(plan.first), units(plan.second), risk)
    })
}

/// `seawall_core::adl::haircut` of (profit, cap, weight): whole units, and the numerator and denominator of the rest.
#[pyfunction]
pub(crate) fn adl_haircut(
    py: Python<'_>,
    budget: i64,
    liable: Vec<(i64, i64, u64)>,
) -> PyResult<Vec<(i64, u128, u128)>> {
    not_negative([budget])?;
    released(py, move || {
        let of = |(profit, cap, weight)| Liable { profit: Money::new(profit), cap: Money::new(cap), weight };
        let liable: Vec<Liable> = liable.into_iter().map(of).collect();
        let shares = adl::haircut(Money::new(budget), &liable);
        shares.into_iter().map(|Share { whole, rest, of }| (whole, rest, of)).collect()
    })
}

/// `seawall_core::adl::haircut_queue` over caps in the order of their rank; nothing for those after the last.
#[pyfunction]
pub(crate) fn adl_haircut_queue(py: Python<'_>, budget: i64, caps: Vec<i64>) -> PyResult<Vec<i64>> {
    not_negative(caps.iter().copied().chain([budget]))?;
    released(py, move || {
        let count = caps.len();
        let taken = adl::haircut_queue(Money::new(budget), caps.into_iter().map(Money::new));
        let mut taken: Vec<i64> = taken.into_iter().map(Money::get).collect();
        taken.resize(count, 0);
        taken
    })
}

/// Price, then what each fill realises and gives up, and what all lots lack.
type Settled = (i64, Vec<(i64, i64)>, i64);

/// `seawall_core::adl::transfer_terms` of (mark, bankruptcy price), and the terms of fills of (entry cost, lots).
#[pyfunction]
pub(crate) fn adl_settle(
    py: Python<'_>,
    side: u8,
    rule: &str,
    band: Option<i64>,
    marks: (i64, i64),
    fills: Vec<(i64, i64)>,
) -> PyResult<Settled> {
    let (side, rule): (Side, AdlPrice) = (side_of(side)?, named(rule)?);
    let (mark, bankruptcy) = (Price::new(marks.0), Price::new(marks.1));
    released(py, move || {
        let marks = Marks { bankruptcy, mark, index: mark };
        let terms = adl::transfer_terms(
            (rule, band.map(Ppm::new)),
            marks,
            side,
            &Contract::linear(TickValue::new(1)),
        );
        let of = |&(cost, lots): &(i64, i64)| {
            let lots = Qty::new(lots);
            (terms.realised(Money::new(cost), lots).get(), terms.given_up(lots).get())
        };
        let all = Qty::new(fills.iter().map(|fill| fill.1).sum());
        (terms.price.get(), fills.iter().map(of).collect(), terms.shortage(all).get())
    })
}

/// Cash, and per position whether it is in the market, lots, and price and maintenance per lot.
type Party = (i64, Vec<(bool, i64, i64, i64)>);

/// Two sides of an offset as plain numbers.
struct Parties {
    liquidated: Party,
    counterparties: Vec<Party>,
    closed: Vec<i64>,
}

/// The position in the market: lots and price per lot.
fn held(party: &Party) -> (i64, i64) {
    party.1.iter().find(|p| p.0).map_or((0, 0), |p| (p.1, p.2))
}

fn stake(party: &Party, lots: Qty) -> Stake {
    let wide = |n: i64| i128::from(n);
    let (open, price) = held(party);
    let of = |p: &(bool, i64, i64, i64)| wide(p.1.abs()) * wide(p.3);
    let in_market = party.1.iter().filter(|p| p.0).map(of).sum();
    let all: i128 = party.1.iter().map(of).sum();
    Stake {
        equity: Sum::new(wide(party.0) + party.1.iter().map(|p| wide(p.1) * wide(p.2)).sum::<i128>()),
        value: Price::new(price).value(Side::of(Qty::new(open)).signed(lots), TickValue::new(1)),
        part: Sum::new(in_market).times(lots),
        whole: Sum::new(all).times(Qty::new(open.abs())),
    }
}

fn close(party: &mut Party, lots: Qty, received: Money) {
    party.0 += received.get();
    if let Some(position) = party.1.iter_mut().find(|p| p.0) {
        position.1 -= Side::of(Qty::new(position.1)).signed(lots).get();
    }
}

impl Counterparties for Parties {
    type Name = usize;

    fn open(&self) -> Qty {
        Qty::new(held(&self.liquidated).0.abs())
    }

    fn lots(&mut self, name: usize) -> Qty {
        let (ours, theirs) = (held(&self.liquidated).0, held(&self.counterparties[name]).0);
        if ours.signum() == -theirs.signum() { Qty::new(theirs.abs()) } else { Qty::ZERO }
    }

    fn stakes(&self, name: usize, lots: Qty) -> (Stake, Stake) {
        (stake(&self.liquidated, lots), stake(&self.counterparties[name], lots))
    }

    fn close(&mut self, name: usize, lots: Qty, quote: Money) {
        close(&mut self.liquidated, lots, quote);
        close(&mut self.counterparties[name], lots, -quote);
        self.closed[name] = lots.get();
    }
}

/// Lots closed and cash by counterparty, cash of the liquidated account, lots left.
type Offset = (Vec<i64>, Vec<i64>, i64, i64);

/// `seawall_core::adl::offset`; none for a size that is not a part of the position.
#[pyfunction]
pub(crate) fn adl_offset(
    py: Python<'_>,
    basis: &str,
    lots: i64,
    liquidated: Party,
    counterparties: Vec<Party>,
) -> PyResult<Option<Offset>> {
    let basis: AdlPrice = named(basis)?;
    released(py, move || {
        let names = 0..counterparties.len();
        let mut parties = Parties { liquidated, closed: vec![0; counterparties.len()], counterparties };
        let left = adl::offset(basis, Qty::new(lots), names, &mut parties)?;
        let cash = parties.counterparties.iter().map(|p| p.0).collect();
        Some((parties.closed, cash, parties.liquidated.0, left.get()))
    })
}

/// `seawall_core::adl::step_check` of ratios in the same units.
#[pyfunction]
pub(crate) fn adl_step_check(py: Python<'_>, before: i64, after: i64, floor: i64) -> PyResult<&'static str> {
    let of = |ratio: i64| Ratio::new(Sum::new(ratio.into()), Sum::new(1));
    let decision = released(py, move || adl::step_check(of(before), of(after), of(floor)))?;
    Ok(match decision {
        StepCheck::Accepted => "accepted",
        StepCheck::OverCorrected => "over_corrected",
        StepCheck::NotLower => "not_lower",
    })
}
