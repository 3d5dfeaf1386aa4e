//! The stage of auto-deleveraging (ADL): what is left of a liquidation is closed against winners, or they pay for it.
//!
//! Reads the accounts as candidates, asks [`adl`](crate::adl) for a plan and carries it out on the floor. Knows nothing
//! of the stages before and after it. Asserted on every close: the other side only, never past flat, never more than
//! is left, nobody below zero.

use crate::adl::{
    self, Apportionment, Candidate, Claim, Counterparties, Frame, Hedged, Liable, Marks, Stake, StepCheck,
    Transfer,
};
use crate::config::{Adl, AdlFallback, AdlMethod, AdlPrice, AdlScore, AdlTrigger, Counted, Hedge};
use crate::floor::Floor;
use crate::insurance;
use crate::ledger::Place;
use crate::protocol::{Events, Record, event, event_of};
use crate::units::{
    AccountId, Fine, MILLION, MarketId, Money, Price, Qty, Ratio, Side, Sum, VALUATION, draw, whole_units,
};

/// What is left of a liquidation.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Residual {
    pub(crate) account: AccountId,
    pub(crate) market: MarketId,
    /// Side of the position.
    pub(crate) side: Side,
    /// Lots to close.
    pub(crate) lots: Qty,
    pub(crate) bankruptcy: Price,
    pub(crate) mark: Price,
    /// Nothing of the account stands behind the position.
    pub(crate) insolvent: bool,
    /// What the fund may pay.
    pub(crate) fund: Money,
}

/// What a round of auto-deleveraging did.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Deleveraged {
    /// Lots closed.
    pub(crate) closed: Qty,
    /// What the fund is to pay the account, not negative.
    pub(crate) shortage: Money,
    /// Of a haircut: what nobody paid of the deficit.
    pub(crate) uncovered: Money,
}

/// An account's place among those that would be deleveraged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LightRow {
    /// The account.
    pub account: AccountId,
    /// Side of its position.
    pub side: Side,
    /// Place among the positions of that side, from 1.
    pub rank: u32,
    /// Its indicator light; 1 goes first.
    pub light: u32,
}

/// A round under way.
struct Round<'a> {
    floor: &'a mut Floor,
    residual: Residual,
    rule: Adl,
    terms: Transfer,
    events: &'a mut Events,
}

/// Stage J; none if the market's rule or phase does not admit it.
pub(crate) fn run(floor: &mut Floor, residual: Residual, events: &mut Events) -> Option<Deleveraged> {
    let m = floor.market(residual.market);
    let rule = m.config.adl.clone();
    let triggered = residual.insolvent || rule.trigger == AdlTrigger::Unfilled;
    if !rule.enabled || !m.admits.adl || !triggered {
        return None;
    }
    let index = floor.prices.index(residual.market).unwrap_or(residual.mark);
    let marks = Marks { bankruptcy: residual.bankruptcy, mark: residual.mark, index };
    let contract = *floor.contract(residual.market);
    let terms_of = |price| adl::transfer_terms(price, marks, residual.side.opposite(), &contract);
    let payable = |terms: &Transfer| {
        insurance::payable(residual.fund, Fine::ZERO, terms.shortage_per_lot, residual.lots, &contract)
    };
    let mut terms = terms_of((rule.price, rule.band_ppm));
    if rule.fallback == AdlFallback::Bankruptcy && payable(&terms).is_zero() {
        terms = terms_of((AdlPrice::Bankruptcy, None));
    }
    events.push(Record {
        account: residual.account.get(),
        side: residual.side.opposite().code(),
        price: terms.price.get(),
        qty: residual.lots.get(),
        ..event_of(event::ADL_STARTED, residual.market)
    });
    let lots = payable(&terms);
    let mut round = Round { floor, residual, rule, terms, events };
    Some(match round.rule.method {
        AdlMethod::Queue => round.settle(lots, Round::close_queue),
        AdlMethod::ProRata => {
            round.settle(lots, |r, lots| r.share_out(Apportionment::LargestRemainder, lots))
        }
        AdlMethod::Webster => round.settle(lots, |r, lots| r.share_out(Apportionment::Webster, lots)),
        AdlMethod::MinMax => round.settle(lots, |r, lots| r.share_out(Apportionment::MinMax, lots)),
        AdlMethod::HedgeAware => round.settle(lots, Round::close_hedge_aware),
        AdlMethod::Offset => Deleveraged { closed: round.offset(), ..Deleveraged::default() },
        AdlMethod::HaircutQueue | AdlMethod::HaircutProRata => round.haircut(lots),
    })
}

/// Every account that a market's rule would take, longs before shorts, each side in the order of its score.
pub(crate) fn lights(floor: &Floor, market: MarketId) -> Vec<LightRow> {
    let mut rows = Vec::new();
    for side in [Side::Buy, Side::Sell] {
        let found = candidates(floor, market, side);
        let ranked = rank(floor, market, side, &found, found.len());
        let lots = |account: &AccountId| floor.ledger.position(*account, market).base.abs();
        let shown =
            adl::lights(floor.market(market).config.adl.lights, &ranked.iter().map(lots).collect::<Vec<_>>());
        rows.extend((1..).zip(ranked).zip(shown).map(|((rank, account), light)| LightRow {
            account,
            side,
            rank,
            light,
        }));
    }
    rows
}

/// The account as a candidate: a position on that side, solvent, not in liquidation, and in profit if the rule asks it.
fn candidate(floor: &Floor, market: MarketId, side: Side, account: AccountId) -> Option<Candidate> {
    let p = floor.ledger.position(account, market);
    if p.base.is_zero() || Side::of(p.base) != side || floor.is_liquidated(account) {
        return None;
    }
    let m = floor.market(market);
    let (mark, contract, rule) = (floor.prices.known(market), &m.contract, &m.config.adl);
    let profit = p.profit(mark, contract);
    if !adl::is_wanted(rule, profit) {
        return None;
    }
    let equity = floor.equity(account);
    if !equity.is_positive() {
        return None;
    }
    let lots = p.base.abs();
    let maintenance = if rule.score == AdlScore::ProfitMarginRatio {
        floor.health(account).maintenance.saturate()
    } else {
        Money::ZERO
    };
    let hedge = |h: &Hedge| floor.ledger.position(account, h.market).base.ppm_towards_zero(h.lots_ppm);
    Some(Candidate {
        account,
        lots,
        cost: contract.up(p.cost.abs()),
        notional: floor.rules.notional(market, p.base, mark),
        profit,
        equity: equity.saturate(),
        maintenance,
        hedge: rule.hedges.iter().map(hedge).sum(),
    })
}

fn candidates(floor: &Floor, market: MarketId, side: Side) -> Vec<Candidate> {
    let held = floor.ledger.market_positions(market);
    held.filter(|(_, p)| !p.base.is_zero() && Side::of(p.base) == side)
        .filter_map(|(account, _)| candidate(floor, market, side, account))
        .collect()
}

/// The first `max` of some candidates, highest score first.
fn rank(floor: &Floor, market: MarketId, side: Side, found: &[Candidate], max: usize) -> Vec<AccountId> {
    let seed = draw(floor.config.seed, &[u64::from(market.get()), floor.now.get().cast_unsigned()]);
    let inverse = floor.contract(market).is_inverse();
    let frame =
        Frame { side, inverse, one: Money::one(floor.config.assets[VALUATION.index()].decimals), seed };
    let rule = floor.market(market).config.adl.score;
    adl::rank(found.iter().map(|c| (adl::score(rule, c, &frame), c.account)).collect(), max)
}

impl Round<'_> {
    fn winner(&self) -> Side {
        self.terms.winner
    }

    fn candidate(&self, account: AccountId) -> Option<Candidate> {
        candidate(self.floor, self.residual.market, self.winner(), account)
            .filter(|c| c.account != self.residual.account)
    }

    fn candidates(&self) -> Vec<Candidate> {
        candidates(self.floor, self.residual.market, self.winner())
    }

    /// Lots of a candidate that this round may close.
    fn cap(&self, c: &Candidate) -> Qty {
        c.closable(&self.rule, &self.terms)
    }

    /// Closes lots by a plan; the fund pays what they lack.
    fn settle(&mut self, lots: Qty, close: impl FnOnce(&mut Self, Qty) -> Qty) -> Deleveraged {
        let closed = if lots.is_positive() { close(self, lots) } else { Qty::ZERO };
        assert!(closed <= lots, "more lots were closed than were left");
        Deleveraged {
            closed,
            shortage: self.terms.shortage(closed).max(Money::ZERO),
            ..Deleveraged::default()
        }
    }

    /// Closes lots of one winner against the account at the transfer price.
    fn close_at_price(&mut self, winner: AccountId, lots: Qty) {
        let Residual { account, market, side, .. } = self.residual;
        self.check(winner, lots);
        self.floor.pass(market, (account, side.opposite()), winner, (self.terms.price, lots));
        self.report(winner, lots, self.terms.given_up(lots));
    }

    /// What holds before any close.
    fn check(&self, winner: AccountId, lots: Qty) {
        let held = |account| self.floor.ledger.position(account, self.residual.market).base;
        let (theirs, ours) = (held(winner), held(self.residual.account));
        assert!(
            winner != self.residual.account && Side::of(theirs) == self.winner(),
            "a winner of the other side"
        );
        assert!(lots.is_positive() && lots <= theirs.abs() && lots <= ours.abs(), "no close goes past flat");
    }

    fn report(&mut self, winner: AccountId, lots: Qty, given_up: Money) {
        assert!(!self.floor.equity(winner).is_negative(), "deleveraging put account {winner} into debt");
        let market = self.residual.market;
        let value = self.floor.contract(market).notional_up(self.terms.price, lots);
        self.floor.count(market, Counted::Deleveraged, value.get());
        self.events.push(Record {
            account: winner.get(),
            side: self.residual.side.code(),
            price: self.terms.price.get(),
            qty: lots.get(),
            amount: given_up.get(),
            ..event_of(event::ADL_FILL, self.residual.market)
        });
    }

    /// How many of some closes, in order, stay inside the correction band: each has to lower the winners' profit as a share
    /// of their notional before the round, and not below the floor.
    fn within_correction(&self, closes: &[(Candidate, Qty)]) -> usize {
        let Some(floor) = self.rule.correction_floor_ppm else { return closes.len() };
        let Residual { market, mark, .. } = self.residual;
        let contract = self.floor.contract(market);
        let (mut profit, mut notional) = (Sum::ZERO, Sum::ZERO);
        for (_, p) in self.floor.ledger.market_positions(market) {
            if !p.base.is_zero() && Side::of(p.base) == self.winner() {
                profit += p.profit(mark, contract).max(Money::ZERO);
                notional += self.floor.rules.notional(market, p.base, mark);
            }
        }
        let floor = Ratio::new(Sum::new(floor.get().into()), Sum::new(MILLION.into()));
        let stands = |(c, lots): &&(Candidate, Qty)| {
            let before = Ratio::new(profit, notional);
            profit -= c.profit.max(Money::ZERO).share_towards_zero(*lots, c.lots);
            let after = Ratio::new(profit, notional);
            lots.is_zero() || adl::step_check(before, after, floor) == StepCheck::Accepted
        };
        closes.iter().take_while(stands).count()
    }

    /// Closes in the order of a ranking that lasts until the next index.
    fn close_queue(&mut self, lots: Qty) -> Qty {
        let mut ranking = self.take_ranking();
        let mut examined = Vec::new();
        let next = ranking.iter().rev().take(self.closes_max()).map(|&account| {
            let found = self.candidate(account).unwrap_or(Candidate { account, ..Candidate::default() });
            let cap = self.cap(&found);
            examined.push((found, cap));
            cap
        });
        let takes = adl::queue(lots, next);
        let plan: Vec<(Candidate, Qty)> = examined.iter().map(|(c, _)| *c).zip(takes).collect();
        let kept = self.within_correction(&plan);
        let mut left = lots;
        for ((c, take), (_, cap)) in plan.iter().take(kept).zip(&examined) {
            if take.is_positive() {
                self.close_at_price(c.account, *take);
                left -= *take;
            }
            // Only an account that is left open because the round is done stays first.
            let stays = take < cap || (left.is_zero() && *cap < c.lots);
            if !stays {
                ranking.pop();
            }
        }
        self.keep_ranking(ranking);
        lots - left
    }

    fn closes_max(&self) -> usize {
        usize::try_from(self.floor.config.limits.adl_closes_per_round).expect("32 bits fit")
    }

    /// The ranking of the winners' side, the next one last; made if there is none.
    fn take_ranking(&mut self) -> Vec<AccountId> {
        let (market, side) = (self.residual.market, self.winner());
        let kept = self.floor.market_mut(market).ranking[usize::from(side.code())].take();
        kept.unwrap_or_else(|| {
            let max = usize::try_from(self.floor.config.limits.adl_rank_max).expect("32 bits fit");
            let mut ranked = rank(self.floor, market, side, &self.candidates(), max);
            ranked.reverse();
            ranked
        })
    }

    /// An empty ranking counts as none: the next round makes another.
    fn keep_ranking(&mut self, ranking: Vec<AccountId>) {
        let side = usize::from(self.winner().code());
        self.floor.market_mut(self.residual.market).ranking[side] = (!ranking.is_empty()).then_some(ranking);
    }

    /// Everyone in proportion.
    fn share_out(&mut self, rule: Apportionment, lots: Qty) -> Qty {
        let all = self.candidates();
        let claims: Vec<Claim> = all.iter().map(|c| c.claim(&self.rule, &self.terms)).collect();
        let takes = adl::allocate(rule, lots, &claims);
        self.close_all(all, &takes)
    }

    /// What nothing hedges first, then the rest.
    fn close_hedge_aware(&mut self, lots: Qty) -> Qty {
        let all = self.candidates();
        let hedged: Vec<Hedged> = all.iter().map(|c| c.hedged(&self.rule, &self.terms)).collect();
        let takes = adl::hedge_aware(self.winner(), lots, &hedged).closed();
        self.close_all(all, &takes)
    }

    /// Closes by account number.
    fn close_all(&mut self, all: Vec<Candidate>, takes: &[Qty]) -> Qty {
        let plan: Vec<(Candidate, Qty)> = all.into_iter().zip(takes.iter().copied()).collect();
        let kept = self.within_correction(&plan);
        let mut closed = Qty::ZERO;
        for (c, take) in plan.into_iter().take(kept).filter(|(_, take)| take.is_positive()) {
            self.close_at_price(c.account, take);
            closed += take;
        }
        closed
    }

    /// Closes against winners in the order of their score, each at a quote that both sides carry.
    fn offset(&mut self) -> Qty {
        let (market, side) = (self.residual.market, self.winner());
        let names = rank(self.floor, market, side, &self.candidates(), self.closes_max());
        let (lots, basis) = (self.residual.lots, self.rule.price);
        lots - adl::offset(basis, lots, names, self).expect("a slice is a part of the position")
    }

    /// Winners give up profit and keep their positions.
    fn haircut(&mut self, lots: Qty) -> Deleveraged {
        let budget = self.terms.given_up(lots).max(Money::ZERO);
        let mut all = self.candidates();
        let taken = if self.rule.method == AdlMethod::HaircutQueue {
            let ranked = rank(self.floor, self.residual.market, self.winner(), &all, self.closes_max());
            all = ranked.into_iter().filter_map(|account| self.candidate(account)).collect();
            adl::haircut_queue(budget, all.iter().map(|c| self.liable(c).cap))
        } else {
            let liable: Vec<Liable> = all.iter().map(|c| self.liable(c)).collect();
            whole_units(&adl::haircut(budget, &liable)).into_iter().map(Money::new).collect()
        };
        let mut raised = Money::ZERO;
        for (c, amount) in all.iter().zip(taken).filter(|(_, amount)| amount.is_positive()) {
            self.seize(c, amount);
            raised += amount;
        }
        let shortage = self.terms.shortage(lots).max(Money::ZERO);
        let deficit = self.terms.given_up(self.residual.lots) + self.terms.shortage(self.residual.lots);
        Deleveraged { closed: Qty::ZERO, shortage, uncovered: (deficit - raised - shortage).max(Money::ZERO) }
    }

    fn liable(&self, c: &Candidate) -> Liable {
        c.liable(&self.rule, &self.terms)
    }

    /// A part of a winner's profit is realised and goes to the account.
    fn seize(&mut self, c: &Candidate, amount: Money) {
        let Residual { account, market, .. } = self.residual;
        assert!(c.account != account && amount <= c.profit, "a haircut takes profit of others only");
        let contract = *self.floor.contract(market);
        self.floor.ledger.realise(c.account, market, amount, &contract);
        let (from, to) = (Place::User(c.account, VALUATION), Place::User(account, VALUATION));
        self.floor.ledger.transfer(from, to, amount);
        self.floor.touch(c.account);
        assert!(!self.floor.equity(c.account).is_negative(), "a haircut put account {} into debt", c.account);
        self.events.push(Record {
            account: c.account.get(),
            amount: amount.get(),
            ..event_of(event::ADL_HAIRCUT, market)
        });
    }
}

impl Counterparties for Round<'_> {
    type Name = AccountId;

    fn open(&self) -> Qty {
        self.floor.ledger.position(self.residual.account, self.residual.market).base.abs()
    }

    fn lots(&mut self, name: AccountId) -> Qty {
        self.candidate(name).map_or(Qty::ZERO, |c| c.part(&self.rule, &self.terms))
    }

    fn stakes(&self, name: AccountId, lots: Qty) -> (Stake, Stake) {
        let Residual { market, mark, .. } = self.residual;
        let of = |account| {
            let (base, health) =
                (self.floor.ledger.position(account, market).base, self.floor.health(account));
            let held = Sum::of(self.floor.rules.maintenance(market, base, mark));
            Stake {
                equity: health.equity,
                value: self.floor.contract(market).value(mark, Side::of(base).signed(lots)),
                part: held.times(lots),
                whole: health.maintenance.times(base.abs()),
            }
        };
        (of(self.residual.account), of(name))
    }

    fn close(&mut self, name: AccountId, lots: Qty, quote: Money) {
        let Residual { account, market, side, mark, .. } = self.residual;
        self.check(name, lots);
        let contract = *self.floor.contract(market);
        let value = contract.value(mark, side.signed(lots));
        for (account, closed, proceeds) in [(account, side.opposite(), quote), (name, side, -quote)] {
            self.floor.ledger.close(account, market, closed.signed(lots), (proceeds, &contract));
            self.floor.touch(account);
        }
        self.report(name, lots, quote - value);
    }
}
