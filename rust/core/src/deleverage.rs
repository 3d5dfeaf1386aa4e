//! The stage of auto-deleveraging (ADL): what is left of a liquidation is closed against winners, or they pay for it.
//!
//! Reads the accounts as candidates, asks [`adl`](crate::adl) for a plan and carries it out on the floor. Knows nothing
//! of the stages before and after it. Asserted on every close: the other side only, never past flat, never more than
//! is left, nobody below zero.

use crate::adl::{
    self, Apportionment, Candidate, Claim, Counterparties, Frame, Hedged, Liable, Marks, Stake, StepCheck,
    Transfer,
};
use crate::blocks::Limit;
use crate::config::{Adl, AdlFallback, AdlMethod, AdlPrice, AdlScore, AdlTrigger, Counted, Exempt, Hedge};
use crate::floor::Floor;
use crate::insurance;
use crate::ledger::Place;
use crate::protocol::{Events, Record, Reject, event, event_of};
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

/// What a round of an external rule is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AdlRound {
    /// Number of the request, from 1.
    pub round: u64,
    /// The liquidated account.
    pub account: AccountId,
    /// Market.
    pub market: MarketId,
    /// Side of the winners' positions.
    pub winner: Side,
    /// Lots that a plan may close.
    pub lots: Qty,
    /// Transfer price.
    pub price: Price,
    /// The mark.
    pub mark: Price,
    /// The candidates by account, and how many lots of each a plan may close.
    pub candidates: Vec<(Candidate, Qty)>,
}

/// Who says what a round does.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Answer<'a> {
    /// The market's rule.
    Rule,
    /// The rule for when no plan can be used.
    Fallback,
    /// A plan that was checked.
    Plan(&'a [(AccountId, Qty)]),
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

/// Rule, terms and lots of stage J; none if the market's rule or phase does not admit it.
fn terms(floor: &Floor, residual: &Residual) -> Option<(Adl, Transfer, Qty)> {
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
    let lots = payable(&terms);
    Some((rule, terms, lots))
}

/// The limit that keeps the market from another round for now.
fn held(floor: &Floor, residual: &Residual, rule: &Adl) -> Option<Limit> {
    if floor.market(residual.market).history.cools(floor.now, rule.cooldown_ns) {
        return Some(Limit::AdlCooldown);
    }
    let exhausted = floor.config.block_limits.is_some_and(|rules| !floor.blocks.may_deleverage(&rules));
    exhausted.then_some(Limit::AdlRounds)
}

/// What somebody else is asked about stage J, as the venue stands; none where the market's own rule decides, where
/// nothing may be closed, or where there is nobody to close.
pub(crate) fn asked(floor: &Floor, residual: &Residual, round: u64) -> Option<AdlRound> {
    if floor.market(residual.market).config.adl.method != AdlMethod::External {
        return None;
    }
    let (rule, terms, lots) = terms(floor, residual)?;
    if held(floor, residual, &rule).is_some() {
        return None;
    }
    let all = candidates(floor, residual.market, terms.winner);
    let candidates: Vec<(Candidate, Qty)> = all
        .into_iter()
        .map(|c| (c, c.closable(&rule, &terms)))
        .filter(|(c, cap)| {
            cap.is_positive()
                && c.account != residual.account
                && !is_exempt(floor, residual, &rule, c.account)
        })
        .collect();
    let Residual { account, market, mark, .. } = *residual;
    let round =
        AdlRound { round, account, market, winner: terms.winner, lots, price: terms.price, mark, candidates };
    (lots.is_positive() && !round.candidates.is_empty()).then_some(round)
}

impl AdlRound {
    /// Whether a plan can be carried out as a whole: candidates only, each once, at least one lot of each and no more
    /// than its cap, and no more in all than the round's lots.
    pub(crate) fn check(&self, plan: &[(AccountId, Qty)]) -> Result<(), Reject> {
        let mut named: Vec<AccountId> = plan.iter().map(|row| row.0).collect();
        named.sort_unstable();
        if named.windows(2).any(|pair| pair[0] == pair[1]) {
            return Err(Reject::PlanNotCandidate);
        }
        let mut left = self.lots;
        for (account, lots) in plan {
            let found = self.candidates.binary_search_by_key(account, |(c, _)| c.account);
            let (_, cap) = self.candidates[found.map_err(|_| Reject::PlanNotCandidate)?];
            if !lots.is_positive() || *lots > cap {
                return Err(Reject::PlanBeyondCap);
            }
            if *lots > left {
                return Err(Reject::PlanTooLarge);
            }
            left -= *lots;
        }
        Ok(())
    }
}

/// Stage J; none if the market's rule or phase does not admit it.
pub(crate) fn run(
    floor: &mut Floor,
    residual: Residual,
    answer: Answer<'_>,
    events: &mut Events,
) -> Option<Deleveraged> {
    let (mut rule, terms, lots) = terms(floor, &residual)?;
    if let Some(limit) = held(floor, &residual, &rule) {
        Floor::report_limit(residual.market, residual.account, limit, residual.lots, events);
        return None;
    }
    if let Some((rules, blocks)) = floor.limited() {
        blocks.deleverage(&rules);
    }
    if let (Some(fallback), Answer::Rule | Answer::Fallback) = (rule.plan_fallback, answer) {
        rule.method = fallback;
    }
    events.push(Record {
        account: residual.account.get(),
        side: residual.side.opposite().code(),
        price: terms.price.get(),
        qty: residual.lots.get(),
        ..event_of(event::ADL_STARTED, residual.market)
    });
    let now = floor.now;
    floor.market_mut(residual.market).history.begin(&rule, now);
    let mut round = Round { floor, residual, rule, terms, events };
    if let Answer::Plan(plan) = answer {
        return Some(round.settle(lots, |r, _| r.close_plan(plan)));
    }
    Some(match round.rule.method {
        AdlMethod::External => unreachable!("a fallback was put in its place"),
        AdlMethod::Queue => round.settle(lots, Round::close_queue),
        AdlMethod::ProRata if round.rule.carry => round.settle(lots, Round::share_out_with_carry),
        AdlMethod::ProRata => {
            round.settle(lots, |r, lots| r.share_out(Apportionment::LargestRemainder, lots))
        }
        AdlMethod::Webster => round.settle(lots, |r, lots| r.share_out(Apportionment::Webster, lots)),
        AdlMethod::MinMax => round.settle(lots, |r, lots| r.share_out(Apportionment::MinMax, lots)),
        AdlMethod::RankBands => round.settle(lots, Round::close_by_bands),
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
    let room = rule.size_band.map(|band| m.history.room(&band, account, lots, floor.now));
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
        room,
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

/// True if a rule leaves an account alone in the round of another.
fn is_exempt(floor: &Floor, residual: &Residual, rule: &Adl, account: AccountId) -> bool {
    rule.exempt.iter().any(|exempt| match exempt {
        Exempt::Group => floor.is_party(account, residual.account),
        Exempt::Backstop => floor.config.backstop == Some(account),
    })
}

impl Round<'_> {
    fn winner(&self) -> Side {
        self.terms.winner
    }

    fn candidate(&self, account: AccountId) -> Option<Candidate> {
        candidate(self.floor, self.residual.market, self.winner(), account)
            .filter(|c| c.account != self.residual.account && !self.is_exempt(c.account))
    }

    fn candidates(&self) -> Vec<Candidate> {
        let all = candidates(self.floor, self.residual.market, self.winner());
        if self.rule.exempt.is_empty() {
            return all;
        }
        all.into_iter().filter(|c| !self.is_exempt(c.account)).collect()
    }

    fn is_exempt(&self, account: AccountId) -> bool {
        is_exempt(self.floor, &self.residual, &self.rule, account)
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
        self.note(winner, lots);
        self.floor.pass(market, (account, side.opposite()), winner, (self.terms.price, lots));
        self.report(winner, lots, self.terms.given_up(lots));
    }

    /// Lots of a winner are about to be closed: the size band counts them.
    fn note(&mut self, winner: AccountId, lots: Qty) {
        let held = self.floor.ledger.position(winner, self.residual.market).base.abs();
        let market = self.floor.market_mut(self.residual.market);
        if self.rule.size_band.is_some() {
            market.history.close(winner, held, lots);
        }
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
        let asked = ranking.iter().rev().filter(|account| !self.is_exempt(**account));
        let next = asked.take(self.closes_max()).map(|&account| {
            let found = self.candidate(account).unwrap_or(Candidate { account, ..Candidate::default() });
            let cap = self.cap(&found);
            examined.push((found, cap));
            cap
        });
        let takes = adl::queue(lots, next);
        let plan: Vec<(Candidate, Qty)> = examined.iter().map(|(c, _)| *c).zip(takes).collect();
        let kept = self.within_correction(&plan);
        let mut left = lots;
        let mut gone = Vec::new();
        for ((c, take), (_, cap)) in plan.iter().take(kept).zip(&examined) {
            if take.is_positive() {
                self.close_at_price(c.account, *take);
                left -= *take;
            }
            // Only an account that is left open because the round is done stays first.
            let stays = take < cap || (left.is_zero() && *cap < c.lots);
            if !stays {
                gone.push(c.account);
            }
        }
        if self.rule.exempt.is_empty() {
            ranking.truncate(ranking.len() - gone.len());
        } else {
            // Who is exempt from this round stands between them.
            gone.sort_unstable();
            ranking.retain(|account| gone.binary_search(account).is_err());
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
            // Of everyone: who is exempt from this round is not from others.
            let all = candidates(self.floor, market, side);
            let mut ranked = rank(self.floor, market, side, &all, max);
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

    /// What a plan says, in its order.
    fn close_plan(&mut self, plan: &[(AccountId, Qty)]) -> Qty {
        for (account, lots) in plan {
            self.close_at_price(*account, *lots);
        }
        plan.iter().map(|(_, lots)| *lots).sum()
    }

    /// Everyone in proportion, with the fractions of the rounds before.
    fn share_out_with_carry(&mut self, lots: Qty) -> Qty {
        let (market, side) = (self.residual.market, usize::from(self.winner().code()));
        let all = self.candidates();
        let claims: Vec<Claim> = all.iter().map(|c| c.claim(&self.rule, &self.terms)).collect();
        let kept = &self.floor.market(market).history.carried[side];
        let carried: Vec<i64> = all.iter().map(|c| kept.get(&c.account).copied().unwrap_or(0)).collect();
        let (takes, carries) = adl::allocate_with_carry(lots, &claims, &carried);
        // Who is no candidate any more is forgotten.
        let carries = all.iter().map(|c| c.account).zip(carries).filter(|(_, carry)| *carry != 0).collect();
        self.floor.market_mut(market).history.carried[side] = carries;
        self.close_all(all, &takes)
    }

    /// Bands of the ranking, each in proportion.
    fn close_by_bands(&mut self, lots: Qty) -> Qty {
        let (market, side) = (self.residual.market, self.winner());
        let found = self.candidates();
        let ranked = rank(self.floor, market, side, &found, found.len());
        let all: Vec<Candidate> = ranked.into_iter().filter_map(|account| self.candidate(account)).collect();
        let claims: Vec<Claim> = all.iter().map(|c| c.claim(&self.rule, &self.terms)).collect();
        let bands = adl::lights(self.rule.lights, &all.iter().map(|c| c.lots).collect::<Vec<_>>());
        let takes = adl::rank_bands(lots, &claims, &bands);
        self.close_all(all, &takes)
    }

    /// What nothing hedges first, then the rest.
    fn close_hedge_aware(&mut self, lots: Qty) -> Qty {
        let all = self.candidates();
        let hedged: Vec<Hedged> = all.iter().map(|c| c.hedged(&self.rule, &self.terms)).collect();
        let takes = adl::hedge_aware(self.winner(), lots, &hedged).closed();
        self.close_all(all, &takes)
    }

    /// Closes in the order of the candidates.
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
        self.floor.touch_in(c.account, market);
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
            let Floor { rules, ledger, prices, .. } = &*self.floor;
            let (base, health) = (ledger.position(account, market).base, self.floor.health(account));
            let held = Sum::of(rules.part(ledger, prices, account, market));
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
        self.note(name, lots);
        let contract = *self.floor.contract(market);
        let value = contract.value(mark, side.signed(lots));
        for (account, closed, proceeds) in [(account, side.opposite(), quote), (name, side, -quote)] {
            self.floor.ledger.close(account, market, closed.signed(lots), (proceeds, &contract));
            self.floor.touch_in(account, market);
        }
        self.report(name, lots, quote - value);
    }
}
