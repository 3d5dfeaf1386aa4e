//! A round of auto-deleveraging whose plan comes from outside, by commands: what is asked, the rows so far, and the rest
//! of the round.
//!
//! Invariant: while a plan is awaited no account gets a round, and no price, position or balance of a candidate changes
//! but by timers; a plan is checked against the venue as it stands when it is committed.

use super::fund::budget_seen;
use super::{Queue, Slice, count_closed, deleverage_by, residual};
use crate::codec::{CodecError, Reader, Writer};
use crate::config::{AdlMethod, Config};
use crate::deleverage::{self, AdlRound, Answer, Residual};
use crate::floor::Floor;
use crate::protocol::{Events, Record, Reject, event, event_of};
use crate::units::{AccountId, MarketId, Money, Price, Qty, Side, Sum};

/// Plans that are asked for.
#[derive(Debug, Clone, Default)]
pub(crate) struct Plans {
    /// Number of the last request.
    asked: u64,
    awaited: Option<Box<Awaited>>,
}

/// A request without an answer.
#[derive(Debug, Clone)]
struct Awaited {
    /// What is left of the slice; mark and fund are read anew.
    residual: Residual,
    /// The round has closed lots already.
    closed: bool,
    /// What the account lacked when the round began.
    before: Sum,
    /// The rows so far; none before the plan has begun.
    rows: Option<Vec<(AccountId, Qty)>>,
    /// A row was refused: the plan is not what somebody meant.
    broken: bool,
}

/// True if some market's plans come from outside.
fn is_kept(config: &Config) -> bool {
    config.markets.iter().any(|m| m.adl.method == AdlMethod::External)
}

impl Plans {
    /// True while a plan is awaited.
    pub(crate) fn awaits(&self) -> bool {
        self.awaited.is_some()
    }

    /// Market and number of the request under way.
    pub(crate) fn awaited(&self) -> Option<(MarketId, u64)> {
        self.awaited.as_ref().map(|awaited| (awaited.residual.market, self.asked))
    }

    /// The account whose round waits.
    pub(super) fn account(&self) -> Option<AccountId> {
        self.awaited.as_ref().map(|awaited| awaited.residual.account)
    }

    /// Asks for a plan for what is left of a slice, if the market's rule wants one; true if it does.
    pub(super) fn ask(
        &mut self,
        floor: &mut Floor,
        slice: &Slice,
        so_far: (bool, Sum),
        events: &mut Events,
    ) -> bool {
        let residual = residual(floor, slice);
        let Some(round) = deleverage::asked(floor, &residual, self.asked + 1) else { return false };
        self.asked = round.round;
        events.push(Record {
            account: round.account.get(),
            side: round.winner.code(),
            order: round.round,
            price: round.price.get(),
            qty: round.lots.get(),
            amount: i64::try_from(round.candidates.len()).expect("accounts are numbered in 32 bits"),
            ..event_of(event::ADL_REQUESTED, round.market)
        });
        let (closed, before) = so_far;
        self.awaited = Some(Box::new(Awaited { residual, closed, before, rows: None, broken: false }));
        true
    }

    /// The request under way, if a command is about it.
    fn of(&mut self, market: MarketId, round: u64) -> Result<&mut Awaited, Reject> {
        let last = self.asked;
        let awaited = self.awaited.as_deref_mut().filter(|a| a.residual.market == market && round == last);
        awaited.ok_or(Reject::NoPlanAwaited)
    }

    /// What is asked, as the venue stands; none if there is nothing left to be planned.
    pub(crate) fn round(&self, floor: &Floor) -> Option<AdlRound> {
        let awaited = self.awaited.as_ref()?;
        deleverage::asked(floor, &awaited.now(floor)?, self.asked)
    }

    /// A plan begins; rows that came before are gone.
    pub(crate) fn begin(&mut self, market: MarketId, round: u64) -> Result<(), Reject> {
        let awaited = self.of(market, round)?;
        (awaited.rows, awaited.broken) = (Some(Vec::new()), false);
        Ok(())
    }

    /// One winner; the row is looked at when the plan is whole.
    pub(crate) fn row(
        &mut self,
        floor: &Floor,
        of: (MarketId, u64),
        account: AccountId,
        lots: Qty,
    ) -> Result<(), Reject> {
        let awaited = self.of(of.0, of.1)?;
        let known = floor.ledger.knows(account);
        let rows = awaited.rows.as_mut().ok_or(Reject::BadField)?;
        // A plan has no more rows than there are accounts.
        if !known || rows.len() >= floor.ledger.accounts() {
            awaited.broken = true;
            return Err(if known { Reject::PlanNotCandidate } else { Reject::UnknownAccount });
        }
        rows.push((account, lots));
        Ok(())
    }

    pub(super) fn encode(&self, config: &Config, w: &mut Writer) {
        if !is_kept(config) {
            return;
        }
        w.u64(self.asked);
        w.bool(self.awaited.is_some());
        let Some(awaited) = &self.awaited else { return };
        let Residual { account, market, side, lots, bankruptcy, insolvent, .. } = awaited.residual;
        w.u32(account.get());
        w.u16(market.get());
        w.u8(side.code());
        w.i64(lots.get());
        w.i64(bankruptcy.get());
        w.bool(insolvent);
        w.bool(awaited.closed);
        w.i128(awaited.before.get());
        w.bool(awaited.broken);
        w.bool(awaited.rows.is_some());
        let rows = awaited.rows.as_deref().unwrap_or_default();
        w.len(rows.len());
        for (account, lots) in rows {
            w.u32(account.get());
            w.i64(lots.get());
        }
    }

    pub(super) fn decode(floor: &Floor, r: &mut Reader<'_>) -> Result<Self, CodecError> {
        let mut plans = Self::default();
        if !is_kept(&floor.config) {
            return Ok(plans);
        }
        plans.asked = r.u64()?;
        if !r.bool()? {
            return Ok(plans);
        }
        let (account, market) = (AccountId::new(r.u32()?), MarketId::new(r.u16()?));
        if !floor.ledger.knows(account) || !floor.knows_market(market) {
            return Err(r.invalid("a plan is awaited for an unknown account or market; take another copy"));
        }
        let external = floor.market(market).config.adl.method == AdlMethod::External;
        let side = Side::from_code(r.u8()?).filter(|_| external && floor.prices.mark(market).is_some());
        let side = side.ok_or_else(|| r.invalid("a plan is awaited where none can be; take another copy"))?;
        let (lots, bankruptcy, insolvent) = (Qty::new(r.i64()?), Price::new(r.i64()?), r.bool()?);
        let config = &floor.market(market).config;
        let fits = lots.is_positive() && lots <= config.position_max.max(config.open_interest_max);
        if !fits || !bankruptcy.is_positive() || bankruptcy > config.price_max {
            return Err(r.invalid("a plan is awaited for a slice out of range; take another copy"));
        }
        let (closed, before, broken, begun) = (r.bool()?, Sum::new(r.i128()?), r.bool()?, r.bool()?);
        let mut rows = Vec::new();
        for _ in 0..r.len()? {
            let (account, lots) = (AccountId::new(r.u32()?), Qty::new(r.i64()?));
            if !floor.ledger.knows(account) {
                return Err(r.invalid("a plan names an unknown account; take another copy"));
            }
            rows.push((account, lots));
        }
        let (mark, fund) = (floor.prices.known(market), Money::ZERO);
        let residual = Residual { account, market, side, lots, bankruptcy, mark, insolvent, fund };
        let rows = begun.then_some(rows);
        plans.awaited = Some(Box::new(Awaited { residual, closed, before, rows, broken }));
        Ok(plans)
    }
}

impl Awaited {
    /// What is left to close, as the venue stands: timers may have moved a position or a fund meanwhile.
    fn now(&self, floor: &Floor) -> Option<Residual> {
        let Residual { account, market, side, lots, .. } = self.residual;
        let base = floor.ledger.position(account, market).base;
        let lots = if !base.is_zero() && Side::of(base) == side { lots.min(base.abs()) } else { Qty::ZERO };
        let (mark, fund) = (floor.prices.known(market), budget_seen(floor, account, market));
        lots.is_positive().then_some(Residual { lots, mark, fund, ..self.residual })
    }
}

impl Queue {
    /// What is asked of whoever plans; none if no plan is awaited.
    pub(crate) fn plans(&self) -> &Plans {
        &self.plans
    }

    pub(crate) fn plans_mut(&mut self) -> &mut Plans {
        &mut self.plans
    }

    /// A plan is whole, or none comes: checks it, carries it out or the fallback, and ends the round that waited for it.
    pub(crate) fn commit_plan(
        &mut self,
        floor: &mut Floor,
        of: (MarketId, u64),
        falls_back: bool,
        events: &mut Events,
    ) -> Result<(), Reject> {
        let (market, round) = of;
        let awaited = self.plans.of(market, round)?;
        if !falls_back {
            let rows = awaited.rows.clone().filter(|_| !awaited.broken).ok_or(Reject::BadField)?;
            match self.plans.round(floor) {
                Some(asked) => asked.check(&rows)?,
                None if rows.is_empty() => {}
                None => return Err(Reject::PlanTooLarge),
            }
        }

        // From here on nothing fails.
        let awaited = self.plans.awaited.take().expect("a plan is awaited");
        let residual = awaited.now(floor);
        let account = awaited.residual.account;
        let rows = awaited.rows.filter(|_| !falls_back).unwrap_or_default();
        events.push(Record {
            account: account.get(),
            order: round,
            code: u16::from(falls_back),
            qty: rows.iter().map(|(_, lots)| *lots).sum::<Qty>().get(),
            amount: i64::try_from(rows.len()).expect("accounts are numbered in 32 bits"),
            ..event_of(event::ADL_PLANNED, market)
        });
        let answer = if falls_back { Answer::Fallback } else { Answer::Plan(&rows) };
        let lots = residual.map_or(Qty::ZERO, |left| deleverage_by(floor, left, answer, events));
        count_closed(floor, (account, market), lots);
        let closed = awaited.closed || lots.is_positive();
        self.keep_pace(floor, (account, market), closed, awaited.before);
        self.end_round(floor, (account, market), closed, events);
        self.after_round(floor, account, events);
        Ok(())
    }
}
