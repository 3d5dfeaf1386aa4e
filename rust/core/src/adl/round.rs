//! A round as a whole, apart from any venue: what a rule closes, or takes, of given candidates.
//!
//! The laboratory of docs/adl.md and the test of its property table ask it. It is put together of the same parts as the
//! waterfall's round, and moves nothing; the fund pays whatever is short.

use super::{
    Apportionment, Candidate, Claim, Frame, Hedged, Liable, Marks, Transfer, allocate, haircut,
    haircut_queue, hedge_aware, is_wanted, lights, queue, rank, rank_bands, score, transfer_terms,
};
use crate::config::{Adl, AdlMethod};
use crate::units::{Contract, Money, Price, Qty, whole_units};

/// What a round is about.
#[derive(Debug, Clone, Copy)]
pub struct Round<'a> {
    /// The rule of the market. Its trigger, hedges, cooldown, exemptions, carry and correction floor are not read.
    pub rule: &'a Adl,
    /// Bankruptcy price, mark and index.
    pub marks: Marks,
    /// The market's contract.
    pub contract: Contract,
    /// Side of the candidates, least balance, seed.
    pub frame: Frame,
    /// Lots that must be closed, or whose deficit must be raised.
    pub residual: Qty,
}

/// What a round did, a row per candidate in their order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// Transfer price.
    pub price: Price,
    /// Lots closed; none where money is taken.
    pub closed: Vec<Qty>,
    /// Given up against the mark by what was closed, negative for a gain; or money taken.
    pub paid: Vec<Money>,
    /// What the fund pays because the transfer price is worse than the bankruptcy price, not negative.
    pub fund: Money,
    /// Lots of the residual that stay open; none where money is taken.
    pub uncovered_lots: Qty,
    /// What nobody paid of what was to be raised, where money is taken; else nothing.
    pub uncovered: Money,
}

impl Round<'_> {
    /// What the rule does with these candidates, in any order: ties go to the lower account. None for
    /// [`AdlMethod::Offset`], whose quotes depend on all that an account has.
    #[must_use]
    pub fn plan(&self, candidates: &[Candidate]) -> Option<Outcome> {
        let Self { rule, residual, .. } = *self;
        let terms = transfer_terms((rule.price, rule.band_ppm), self.marks, self.frame.side, &self.contract);
        let wanted = |&i: &usize| is_wanted(rule, candidates[i].profit) && candidates[i].equity.is_positive();
        let mut places: Vec<usize> = (0..candidates.len()).filter(wanted).collect();
        places.sort_by_key(|&i| candidates[i].account);
        if matches!(rule.method, AdlMethod::Queue | AdlMethod::RankBands | AdlMethod::HaircutQueue) {
            places = self.ranked(&places, candidates);
        }
        let chosen: Vec<&Candidate> = places.iter().map(|&i| &candidates[i]).collect();
        let shared = |how| {
            let claims: Vec<Claim> = chosen.iter().map(|c| c.claim(rule, &terms)).collect();
            allocate(how, residual, &claims)
        };
        let takes = match rule.method {
            AdlMethod::Queue => queue(residual, chosen.iter().map(|c| c.closable(rule, &terms))),
            AdlMethod::ProRata => shared(Apportionment::LargestRemainder),
            AdlMethod::Webster => shared(Apportionment::Webster),
            AdlMethod::MinMax => shared(Apportionment::MinMax),
            AdlMethod::RankBands => {
                let claims: Vec<Claim> = chosen.iter().map(|c| c.claim(rule, &terms)).collect();
                let bands = lights(rule.lights, &chosen.iter().map(|c| c.lots).collect::<Vec<_>>());
                rank_bands(residual, &claims, &bands)
            }
            AdlMethod::HedgeAware => {
                let hedged: Vec<Hedged> = chosen.iter().map(|c| c.hedged(rule, &terms)).collect();
                hedge_aware(self.frame.side, residual, &hedged).closed()
            }
            AdlMethod::HaircutQueue | AdlMethod::HaircutProRata => {
                let taken = self.taken(&chosen, &terms);
                return Some(self.outcome(&terms, &[], &spread(&places, taken, candidates.len())));
            }
            // A quote of everything that an account has; a plan that somebody else makes.
            AdlMethod::Offset | AdlMethod::External => return None,
        };
        Some(self.outcome(&terms, &spread(&places, takes, candidates.len()), &[]))
    }

    /// The candidates in the order of their scores; they are given by account.
    fn ranked(&self, places: &[usize], candidates: &[Candidate]) -> Vec<usize> {
        let scored =
            |&i: &usize| (score(self.rule.score, &candidates[i], &self.frame), candidates[i].account);
        let find = |account| places.binary_search_by_key(&account, |&i| candidates[i].account);
        let order = rank(places.iter().map(scored).collect(), places.len());
        order.into_iter().map(|account| places[find(account).expect("it was ranked")]).collect()
    }

    fn taken(&self, chosen: &[&Candidate], terms: &Transfer) -> Vec<Money> {
        let budget = terms.given_up(self.residual).max(Money::ZERO);
        let liable = chosen.iter().map(|c| c.liable(self.rule, terms));
        if self.rule.method == AdlMethod::HaircutQueue {
            return haircut_queue(budget, liable.map(|l| l.cap));
        }
        whole_units(&haircut(budget, &liable.collect::<Vec<Liable>>())).into_iter().map(Money::new).collect()
    }

    /// One of the two lists is empty: lots are closed, or money is taken.
    fn outcome(&self, terms: &Transfer, closed: &[Qty], taken: &[Money]) -> Outcome {
        let takes_money = closed.is_empty();
        let lots: Qty = closed.iter().copied().sum();
        let raised: Money = taken.iter().copied().sum();
        let settled = if takes_money { self.residual } else { lots };
        let missing = terms.given_up(self.residual).max(Money::ZERO) - raised;
        Outcome {
            price: terms.price,
            closed: if takes_money { vec![Qty::ZERO; taken.len()] } else { closed.to_vec() },
            paid: if takes_money {
                taken.to_vec()
            } else {
                closed.iter().map(|k| terms.given_up(*k)).collect()
            },
            fund: terms.shortage(settled).max(Money::ZERO),
            uncovered_lots: if takes_money { Qty::ZERO } else { self.residual - lots },
            uncovered: if takes_money { missing } else { Money::ZERO },
        }
    }
}

/// What was given out in the order of some places, at those places; nothing elsewhere.
fn spread<T: Copy + Default>(places: &[usize], given: Vec<T>, count: usize) -> Vec<T> {
    let mut all = vec![T::default(); count];
    for (&place, part) in places.iter().zip(given) {
        all[place] = part;
    }
    all
}
