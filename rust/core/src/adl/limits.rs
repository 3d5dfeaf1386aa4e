//! What a rule lets one round take of a candidate.

use super::{Candidate, Claim, Hedged, Liable, Transfer, risk_weight};
use crate::config::{Adl, AdlWeight, Eligible};
use crate::units::{Money, Qty};

/// Whether a rule takes a position of this profit at all.
#[must_use]
pub fn is_wanted(rule: &Adl, profit: Money) -> bool {
    rule.eligible == Eligible::Anyone || profit.is_positive()
}

impl Candidate {
    /// Lots that the rule lets a round touch, whatever they cost.
    #[must_use]
    pub fn part(&self, rule: &Adl, terms: &Transfer) -> Qty {
        let realises = !terms.realised(self.cost, self.lots).is_negative();
        if rule.eligible == Eligible::Realising && !realises {
            return Qty::ZERO;
        }
        let part = rule.fraction_ppm.map_or(self.lots, |fraction| self.lots.ppm_down(fraction));
        self.room.map_or(part, |room| part.min(room))
    }

    /// Lots that a round may close: of the part above, those that do not put the account into debt.
    #[must_use]
    pub fn closable(&self, rule: &Adl, terms: &Transfer) -> Qty {
        self.cap(terms.cost_per_lot, &terms.contract).min(self.part(rule, terms))
    }

    /// What it counts for where lots are shared out.
    #[must_use]
    pub fn claim(&self, rule: &Adl, terms: &Transfer) -> Claim {
        let weight = match rule.weight {
            AdlWeight::Lots => self.lots.get(),
            AdlWeight::Profit => self.profit.get(),
            AdlWeight::Equity => self.equity.get(),
            AdlWeight::Notional => self.notional.get(),
        };
        Claim { weight, cap: self.closable(rule, terms) }
    }

    /// Its position with what hedges it.
    #[must_use]
    pub fn hedged(&self, rule: &Adl, terms: &Transfer) -> Hedged {
        Hedged { lots: self.lots, cap: self.closable(rule, terms), other: self.hedge }
    }

    /// What it can be asked for where money is taken: at most the rule's fraction of its profit, and no more than it has.
    #[must_use]
    pub fn liable(&self, rule: &Adl, terms: &Transfer) -> Liable {
        let profit = self.profit.max(Money::ZERO);
        let part = rule.fraction_ppm.map_or(profit, |fraction| profit.ppm_down(fraction));
        let cap = if self.part(rule, terms).is_zero() { Money::ZERO } else { part.min(self.equity) };
        Liable { profit, cap, weight: risk_weight(rule.risk, self.notional, self.equity) }
    }
}
