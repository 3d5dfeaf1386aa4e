//! Auto-deleveraging (ADL): at which price, who first, how many lots or how much money.
//!
//! Pure: candidates in, plans out; the waterfall moves lots and money. The formulas of docs/mechanics.md section 8,
//! in the order in which a round asks for them: [`transfer_terms`] the price, [`score`] and [`rank`] the order,
//! [`allocate`], [`queue`], [`rank_bands`] and [`hedge_aware`] the lots, [`haircut`] and [`haircut_queue`] the money, [`offset`] closes at the bankrupt
//! account's own quote, [`step_check`] says when to stop. [`Round`] is a whole round without a venue.

mod allocate;
mod limits;
mod round;
mod score;
mod settle;
mod wealth;

pub use allocate::{
    Apportionment, Claim, Hedged, TwoPass, allocate, allocate_with_carry, hedge_aware, leg_risk, queue,
    rank_bands,
};
pub use limits::is_wanted;
pub use round::{Outcome, Round};
pub use score::{Frame, lights, rank, score};
pub use settle::{Counterparties, Marks, Stake, StepCheck, Transfer, offset, step_check, transfer_terms};
pub use wealth::{Liable, haircut, haircut_queue, risk_weight};

pub use crate::config::{
    Adl, AdlFallback, AdlLights, AdlMethod, AdlPrice, AdlRisk, AdlScore, AdlTrigger, AdlWeight, Eligible,
    Exempt, Hedge, LightMethod, SizeBand,
};

use crate::units::{AccountId, Contract, Fine, Money, Qty};

/// An account that could be deleveraged: its position in the market, and what of the account the rules ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Candidate {
    /// The account.
    pub account: AccountId,
    /// Lots of its position, without sign.
    pub lots: Qty,
    /// Entry cost, without sign.
    pub cost: Money,
    /// Value of the position at the mark.
    pub notional: Money,
    /// Unrealised profit at the mark; negative for a loss.
    pub profit: Money,
    /// Equity of the account, positive.
    pub equity: Money,
    /// Maintenance requirement of the account; read by [`AdlScore::ProfitMarginRatio`](crate::config::AdlScore) only.
    pub maintenance: Money,
    /// Lots that the size band still lets rounds close; none without a band.
    pub room: Option<Qty>,
    /// Its positions in hedging markets, as signed lots of this one; read by [`hedge_aware`] only.
    pub hedge: Qty,
}

impl Candidate {
    /// Lots that may be closed at a cost per lot: the account must not end below zero. Where values are rounded, it keeps
    /// one minor unit for that.
    #[must_use]
    pub fn cap(&self, cost_per_lot: Fine, contract: &Contract) -> Qty {
        if !cost_per_lot.is_positive() {
            return self.lots;
        }
        let kept = Money::new(i64::from(!contract.is_whole()));
        let spends = (self.equity - kept).max(Money::ZERO);
        self.lots.min(contract.affordable(spends, Fine::ZERO, cost_per_lot))
    }
}
