//! The guard index: which accounts a new price can endanger, without looking at the others.
//!
//! An account's slack is its equity less the requirement that it has to fear next; it is its balance and the values
//! of its legs: its positions, at marks, and its other assets, at indices. Each leg has a guard, a price on its
//! adverse side such that the balance and the values of all legs at their guards, the account's reserve, are not
//! negative. A leg's value never rises in its adverse direction; so while no price is beyond a guard, slack is at
//! least the reserve, and nobody needs to look. That alone makes the index right: how slack is split between legs
//! only decides how often it is looked at in vain. A trade or a payment that leaves the reserve positive is safe
//! without an exact check.
//!
//! Guards are not state: they are rebuilt from ledger and prices, and what they find is sorted by the venue. Of the
//! margin rules this file knows a leg's value at a price and a bound of how fast it falls, no more.

mod ladder;

use crate::config::Config;
use crate::ledger::{Holding, Ledger, Position};
use crate::margin::{Asset, Followed, Grids, Level, Rules};
use crate::mark::Prices;
use crate::units::{AccountId, Flat, MarketId, Money, Ppm, Price, Side, Sum, VALUATION, exposure_weight};
use ladder::Ladder;

/// The requirement that an account has to fear next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Fear {
    /// The call requirement.
    Call,
    /// Maintenance.
    Liquidation,
    /// Nothing: it is in liquidation already, or cannot be liquidated.
    #[default]
    Nothing,
}

impl Fear {
    fn level(self) -> Level {
        match self {
            Self::Call => Level::Call,
            Self::Liquidation | Self::Nothing => Level::Maintenance,
        }
    }
}

/// Why an account's guards are set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cause {
    /// Its balance or a position changed, and may soon change again: some slack is kept in reserve.
    Touch,
    /// A price crossed one of its guards.
    Price,
}

/// Steps towards the exact end of a leg's share before it is found by halving.
const EXACT_STEPS_MAX: usize = 8;
/// Slack is kept in reserve so many parts of which one.
const RESERVE_PART: u64 = 16;

/// What the guard index has done: a measure of work that noise cannot move.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct GuardWork {
    /// Accounts that were looked at because a price crossed one of their guards.
    pub reevaluations: u64,
    /// Keys that were put into the index.
    pub inserts: u64,
}

/// One leg of one account. Prices are positive if it fears a fall, negative if it fears a rise, 0 for none; so of two
/// on one side the greater is the tighter. Half a line of the cache.
#[derive(Debug, Clone, Copy, Default)]
#[repr(align(32))]
struct Leg {
    guard: i32,
    /// The keys that count in the two ladders: at least as tight as the guard.
    live: [i32; 2],
    /// The requirement that the account has to fear, in its first leg.
    fear: Fear,
    /// In the first leg: what the positions add is summed up, and not changed but by what is known.
    is_summed: bool,
    /// What a position adds to slack at the guard.
    worth: Money,
    /// In the first leg: the sum of that over all positions, once it was asked. No overflow: values, requirements and
    /// entry costs each stay below the amount that the configuration proves.
    sum: Money,
}

const _: () = assert!(size_of::<Leg>() == 32);

/// The lowest and the highest price that crosses no guard: of a market's mark, and of its index.
#[derive(Debug, Clone, Copy)]
struct Quiet {
    mark: (i64, i64),
    index: (i64, i64),
}

/// What moves a leg.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// A market's mark moves the position in it.
    Position(MarketId),
    /// A price moves every other asset whose value it decides now.
    Collateral(Followed),
}

/// The legs of all accounts that one price moves.
#[derive(Debug, Clone)]
struct Track {
    kind: Kind,
    /// Lowest and highest price.
    prices: (i64, i64),
    /// Keys of legs that fear a fall, and of those that fear a rise.
    ladders: [Ladder; 2],
}

/// The guards of all accounts.
#[derive(Debug, Clone)]
pub(crate) struct Guards {
    /// By market.
    quiet: Vec<Quiet>,
    /// One per market for its mark, then one for each price that the value of an asset can follow.
    tracks: Vec<Track>,
    /// By market: the tracks of its index and of its mark as prices of other assets.
    followed: Vec<[Option<usize>; 2]>,
    /// By account, then track.
    legs: Vec<Leg>,
    work: GuardWork,
    /// Reused while an account's slack is shared out.
    shares: Vec<Share>,
}

/// One leg of an account while its slack is shared out.
#[derive(Debug, Clone, Copy)]
struct Share {
    track: usize,
    now: Price,
    /// What it adds to slack now.
    value: Money,
    weighed: Money,
    /// By what is weighed, once there are several.
    weight: u64,
    rises: bool,
}

/// What the values of an account's legs depend on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct View<'a> {
    pub(crate) rules: &'a Rules,
    pub(crate) ledger: &'a Ledger,
    pub(crate) prices: &'a Prices,
}

impl Guards {
    pub(crate) fn new(config: &Config, rules: &Rules) -> Self {
        let count = config.markets.len();
        let track = |kind, market: usize| {
            let (least, most) = config.markets[market].prices();
            let ladder = |rises| Ladder::new(rises, narrow(most.get()).unsigned_abs());
            Track { kind, prices: (least.get(), most.get()), ladders: [ladder(false), ladder(true)] }
        };
        let position = |m| track(Kind::Position(MarketId::from_index(m)), m);
        let mut tracks: Vec<Track> = (0..count).map(position).collect();
        let mut followed = vec![[None; 2]; count];
        for price in rules.assets().iter().flat_map(Asset::followed) {
            let (market, which) = match price {
                Followed::Index(market) => (market.index(), 0),
                Followed::Mark(market) => (market.index(), 1),
            };
            if followed[market][which].is_none() {
                followed[market][which] = Some(tracks.len());
                tracks.push(track(Kind::Collateral(price), market));
            }
        }
        let all = (0, i64::MAX);
        Self {
            quiet: vec![Quiet { mark: all, index: all }; count],
            tracks,
            followed,
            legs: Vec::new(),
            work: GuardWork::default(),
            shares: Vec::new(),
        }
    }

    pub(crate) fn work(&self) -> GuardWork {
        self.work
    }

    /// Bytes kept.
    pub(crate) fn bytes(&self) -> usize {
        let ladders: usize = self.tracks.iter().flat_map(|t| &t.ladders).map(Ladder::bytes).sum();
        self.legs.capacity() * size_of::<Leg>() + ladders
    }

    /// Something of what is asked of an account when it has traded in a market: reading it brings the rest nearer.
    #[inline(always)]
    pub(crate) fn glance(&self, account: AccountId, market: MarketId) -> i64 {
        let leg = account.index() * self.tracks.len() + market.index();
        self.legs.get(leg).map_or(0, |leg| leg.worth.get())
    }

    /// True if a market's new mark and index cross no guard.
    #[inline]
    pub(crate) fn is_quiet(&self, market: MarketId, mark: Price, index: Price) -> bool {
        let quiet = &self.quiet[market.index()];
        let within = |price: Price, of: (i64, i64)| of.0 <= price.get() && price.get() <= of.1;
        within(mark, quiet.mark) && within(index, quiet.index)
    }

    /// Appends the accounts that a market's new mark and index may endanger; an account can come twice.
    #[inline]
    pub(crate) fn crossed(&mut self, market: MarketId, mark: Price, index: Price, into: &mut Vec<AccountId>) {
        if !self.is_quiet(market, mark, index) {
            self.find(market, mark, index, into);
        }
    }

    #[inline(never)]
    fn find(&mut self, market: MarketId, mark: Price, index: Price, into: &mut Vec<AccountId>) {
        let before = into.len();
        let mut of_mark = self.take(market.index(), mark, into);
        let [by_index, by_mark] = self.followed[market.index()];
        if let Some(track) = by_mark {
            let others = self.take(track, mark, into);
            of_mark = (of_mark.0.max(others.0), of_mark.1.min(others.1));
        }
        self.quiet[market.index()].mark = of_mark;
        if let Some(track) = by_index {
            self.quiet[market.index()].index = self.take(track, index, into);
        }
        self.work.reevaluations += u64::try_from(into.len() - before).expect("64 bits");
    }

    /// Takes out every key that a price has crossed; returns between which prices it can move now.
    fn take(&mut self, track: usize, price: Price, into: &mut Vec<AccountId>) -> (i64, i64) {
        let stride = self.tracks.len();
        let Self { tracks, legs, work, .. } = self;
        let price = narrow(price.get());
        for (side, mark) in [(0, price), (1, -price)] {
            let ladder = &mut tracks[track].ladders[side];
            while let Some((key, account)) = ladder.next_above(mark) {
                let leg = &mut legs[account.index() * stride + track];
                if leg.live[side] != key {
                    // It was given up for a tighter one.
                    continue;
                }
                leg.live[side] = 0;
                let guard = leg.guard;
                if guard == 0 || (guard > 0) != (key > 0) {
                    continue;
                }
                if guard > mark {
                    into.push(account);
                } else {
                    // It stayed behind when the guard became looser.
                    leg.live[side] = guard;
                    work.inserts += 1;
                    ladder.push(guard, account, is_live(legs, stride, track, side));
                }
            }
        }
        self.bounds(track)
    }

    /// Between which prices nobody has to be looked at.
    fn bounds(&self, track: usize) -> (i64, i64) {
        let [falls, rises] = &self.tracks[track].ladders;
        (falls.bound().map_or(0, i64::from), rises.bound().map_or(i64::MAX, |key| -i64::from(key)))
    }

    /// Sets a guard; a key that is at least as tight stays, a looser one is given up.
    fn set(&mut self, account: AccountId, track: usize, guard: i32) {
        let stride = self.tracks.len();
        let leg = &mut self.legs[account.index() * stride + track];
        leg.guard = guard;
        let side = usize::from(guard < 0);
        let (least, most) = self.tracks[track].prices;
        // No price is beyond the end of the domain.
        if guard == 0 || i64::from(guard) == least || -i64::from(guard) == most {
            return;
        }
        if leg.live[side] != 0 && leg.live[side] >= guard {
            return;
        }
        leg.live[side] = guard;
        self.work.inserts += 1;
        let Self { tracks, legs, quiet, .. } = self;
        tracks[track].ladders[side].push(guard, account, is_live(legs, stride, track, side));
        let of = match tracks[track].kind {
            Kind::Position(market) | Kind::Collateral(Followed::Mark(market)) => {
                &mut quiet[market.index()].mark
            }
            Kind::Collateral(Followed::Index(market)) => &mut quiet[market.index()].index,
        };
        let price = i64::from(guard.unsigned_abs());
        if side == 0 { of.0 = of.0.max(price) } else { of.1 = of.1.min(price) }
    }

    /// True if an account's guards alone prove that it is neither to be called nor to be liquidated: the reserve is not
    /// negative. No price is beyond a guard of an account that has guards: whoever sets a price asks who is crossed.
    /// Balances may have changed since the last answer, and the position in the market `changed`.
    #[inline(always)]
    pub(crate) fn prove(&mut self, view: View<'_>, account: AccountId, changed: MarketId) -> bool {
        let stride = self.tracks.len();
        let Some(legs) = self.legs.get_mut(account.index() * stride..).and_then(|l| l.get_mut(..stride))
        else {
            return false;
        };
        let fear = legs[0].fear;
        if fear == Fear::Nothing {
            return false;
        }
        let View { rules, ledger, .. } = view;
        if rules.grids_of(ledger, account).is_some() {
            return self.prove_portfolio(view, account, fear);
        }
        if !legs[0].is_summed {
            let Some(sum) = sum_up(view, account, legs, fear) else { return false };
            (legs[0].sum, legs[0].is_summed) = (sum, true);
        } else if changed != MarketId::NONE {
            let leg = &mut legs[changed.index()];
            let Some(worth) = worth_at(rules, changed, ledger.position(account, changed), leg.guard, fear)
            else {
                return false;
            };
            let before = std::mem::replace(&mut leg.worth, worth);
            legs[0].sum += worth - before;
        }
        debug_assert_eq!(
            sum_up(view, account, &mut legs.to_vec(), fear),
            Some(legs[0].sum),
            "account {account}"
        );
        let mut reserve = Sum::of(ledger.balance(account, VALUATION)) + Sum::of(legs[0].sum);
        if !rules.assets().is_empty() {
            let Some(others) = self.collateral_reserve(view, account) else { return false };
            reserve += others + undecided(view, account);
        }
        !reserve.is_negative()
    }

    /// [`Guards::prove`] of an account that has traded in a market and has its balance and position there at hand, where
    /// what is required is simple: false says nothing. Other assets only add to a reserve.
    #[inline(always)]
    pub(crate) fn prove_traded(
        &mut self,
        flat: &Flat,
        of: (AccountId, MarketId),
        held: &Holding<'_>,
    ) -> bool {
        let (stride, Position { base, cost, .. }) = (self.tracks.len(), *held.position);
        let legs = self.legs.get_mut(of.0.index() * stride..).and_then(|l| l.get_mut(..stride));
        let Some([first, ..]) = legs.as_deref() else { return false };
        let (fear, sum, is_summed) = (first.fear, first.sum, first.is_summed);
        let Some(leg) = legs.and_then(|legs| legs.get_mut(of.1.index())) else { return false };
        // Both on one side, without a branch: which one is the flip of a coin.
        let fits = base.get() != 0 && leg.guard != 0 && base.is_negative() == leg.guard.is_negative();
        if fear == Fear::Nothing || !is_summed || !fits {
            return false;
        }
        let price = Price::new(i64::from(leg.guard.unsigned_abs()));
        let worth = flat.kept_value(base, cost, price, fear == Fear::Call);
        let sum = sum + (worth - leg.worth);
        leg.worth = worth;
        self.legs[of.0.index() * stride].sum = sum;
        held.cash.covers(sum)
    }

    /// The same of an account with portfolio margin, whose requirement belongs to several positions at once: nothing of its
    /// reserve is kept.
    #[inline(never)]
    fn prove_portfolio(&mut self, view: View<'_>, account: AccountId, fear: Fear) -> bool {
        let View { rules, ledger, .. } = view;
        let Some(grids) = rules.grids_of(ledger, account) else { return false };
        let stride = self.tracks.len();
        self.legs[account.index() * stride].is_summed = false;
        let legs = &self.legs[account.index() * stride..][..stride];
        let at = |m: MarketId| Price::new(i64::from(legs[m.index()].guard).abs());
        let mut reserve = Sum::of(ledger.balance(account, VALUATION));
        for (i, p) in ledger.positions(account).iter().enumerate().filter(|(_, p)| !p.base.is_zero()) {
            let market = MarketId::from_index(i);
            let guard = legs[i].guard;
            if p.base.is_positive() != (guard > 0) || guard == 0 {
                return false;
            }
            reserve += if grids.covers(market) {
                p.profit(at(market), rules.contract(market))
            } else {
                position_value(rules, market, p, fear, at(market))
            };
        }
        // It falls behind the values of its positions, so it is least covered with all of them at their guards.
        reserve -= grids.total(fear.level(), |m| ledger.position(account, m).base, at);
        if !rules.assets().is_empty() {
            let Some(others) = self.collateral_reserve(view, account) else { return false };
            reserve += others + undecided(view, account);
        }
        !reserve.is_negative()
    }

    /// What the assets whose values follow prices add to the reserve; none if a price is beyond a guard.
    fn collateral_reserve(&self, view: View<'_>, account: AccountId) -> Option<Sum> {
        let stride = self.tracks.len();
        let legs = &self.legs[account.index() * stride..][..stride];
        let mut reserve = Sum::ZERO;
        for (track, leg) in self.tracks.iter().zip(legs).skip(view.ledger.markets()) {
            let Kind::Collateral(followed) = track.kind else { continue };
            // Without a guard it counts nothing, which is never too much.
            if leg.guard > 0 {
                let guard = Price::new(i64::from(leg.guard));
                if price_of(followed, view.prices).is_none_or(|price| price < guard) {
                    return None;
                }
                reserve += collateral_value(view, account, followed, guard);
            }
        }
        Some(reserve)
    }

    /// What an account's positions require has changed, or several of them have: they have to be summed up again.
    pub(crate) fn forget(&mut self, account: AccountId) {
        if let Some(leg) = self.legs.get_mut(account.index() * self.tracks.len()) {
            leg.is_summed = false;
        }
    }

    /// The requirement that an account feared when its guards were set.
    #[inline]
    pub(crate) fn fear(&self, account: AccountId) -> Fear {
        self.legs.get(account.index() * self.tracks.len()).map_or(Fear::Nothing, |leg| leg.fear)
    }

    /// Sets an account's guards anew from its positions, its assets and the current prices. False if it has none:
    /// its slack is negative, or it fears nothing.
    pub(crate) fn arm(&mut self, view: View<'_>, account: AccountId, fear: Fear, cause: Cause) -> bool {
        let stride = self.tracks.len();
        let room = (account.index() + 1) * stride;
        if self.legs.len() < room {
            self.legs.resize(room, Leg::default());
        }
        let mut shares = std::mem::take(&mut self.shares);
        let slack =
            if fear == Fear::Nothing { Sum::ZERO } else { self.legs_of(view, account, fear, &mut shares) };
        let armed = fear != Fear::Nothing && !slack.is_negative();
        let legs = &mut self.legs[account.index() * stride..][..stride];
        (legs[0].fear, legs[0].is_summed) = (if armed { fear } else { Fear::Nothing }, false);
        for leg in legs {
            leg.guard = 0;
        }
        if armed {
            let kept = match cause {
                Cause::Touch => Sum::of(slack.part_down(1, RESERVE_PART)),
                Cause::Price => Sum::ZERO,
            };
            // A requirement over several positions is rounded: what each may lose adds up to one unit less.
            let rounded = view.rules.grids_of(view.ledger, account).map_or(Sum::ZERO, Grids::roundings);
            let left = (slack - kept - rounded).max(Sum::ZERO);
            if let [only] = shares.as_slice() {
                let exact = cause == Cause::Price;
                let own = if exact { slack - kept } else { left };
                let guard = self.guard_of(view, account, only, fear, own.saturate(), exact);
                self.set(account, only.track, guard);
            } else {
                for share in &mut shares {
                    share.weight = exposure_weight(share.weighed);
                }
                let whole: u64 = shares.iter().map(|s| s.weight).sum();
                for share in &shares {
                    let own = left.part_down(share.weight, whole);
                    let guard = self.guard_of(view, account, share, fear, own, false);
                    self.set(account, share.track, guard);
                }
            }
            debug_assert!(
                self.prove(view, account, MarketId::NONE),
                "guards of account {account} do not prove that it is healthy"
            );
        }
        self.shares = shares;
        armed
    }

    /// [`Guards::arm`] of an account that has traded in the only market there is, and has its balance and position there at
    /// hand, where what is required is simple and nothing else is held: false, and nothing is set, if its slack is negative
    /// or it fears nothing, or if a leg may be something else.
    pub(crate) fn arm_traded(
        &mut self,
        (flat, now): (&Flat, Price),
        account: AccountId,
        held: &Holding<'_>,
        fear: Fear,
    ) -> bool {
        let [track] = self.tracks.as_slice() else { return false };
        let Position { base, cost, .. } = *held.position;
        let (call, (least, most)) = (fear == Fear::Call, track.prices);
        let value_at =
            |price| if base.is_zero() { Money::ZERO } else { flat.kept_value(base, cost, price, call) };
        let Some(slack) = held.cash.spare(value_at(now)).filter(|_| fear != Fear::Nothing) else {
            return false;
        };
        let spare = slack - Sum::of(slack).part_down(1, RESERVE_PART);
        let price = flat.reach((now, (Price::new(least), Price::new(most))), base, spare, call);
        let (worth, guard) = (value_at(price), narrow(price.get()));
        if self.legs.len() <= account.index() {
            self.legs.resize(account.index() + 1, Leg::default());
        }
        let leg = &mut self.legs[account.index()];
        (leg.fear, leg.is_summed, leg.worth, leg.sum) = (fear, true, worth, worth);
        let guard = Side::of(base).pick(guard, -guard);
        self.set(account, 0, if base.is_zero() { 0 } else { guard });
        true
    }

    /// Lists an account's legs; returns its slack.
    fn legs_of(&self, view: View<'_>, account: AccountId, fear: Fear, shares: &mut Vec<Share>) -> Sum {
        let View { rules, ledger, prices } = view;
        shares.clear();
        let mut slack = Sum::of(ledger.balance(account, VALUATION));
        if let Some(grids) = rules.grids_of(ledger, account) {
            slack -= grids.total(fear.level(), |m| ledger.position(account, m).base, |m| prices.known(m));
        }
        for (i, p) in ledger.positions(account).iter().enumerate().filter(|(_, p)| !p.base.is_zero()) {
            let market = MarketId::from_index(i);
            let now = prices.known(market);
            let value = if rules.is_grouped(ledger, account, market) {
                slack += p.profit(now, rules.contract(market));
                alone_value(view, account, market, fear, now)
            } else {
                let value = position_value(rules, market, p, fear, now);
                slack += value;
                value
            };
            let weighed = rules.notional(market, p.base, now);
            shares.push(Share { track: i, now, value, weighed, weight: 0, rises: p.base.is_negative() });
        }
        slack += undecided(view, account);
        for (i, track) in self.tracks.iter().enumerate().skip(ledger.markets()) {
            let Kind::Collateral(followed) = track.kind else { continue };
            let Some(now) = price_of(followed, prices) else { continue };
            let value = collateral_value(view, account, followed, now);
            if !value.is_zero() {
                slack += value;
                shares.push(Share { track: i, now, value, weighed: value, weight: 0, rises: false });
            }
        }
        slack
    }

    /// A price at which a leg has used up no more than its share; the last one, if it has to be exact.
    fn guard_of(
        &self,
        view: View<'_>,
        account: AccountId,
        share: &Share,
        fear: Fear,
        own: Money,
        exact: bool,
    ) -> i32 {
        let Share { now, value, rises, .. } = *share;
        let Track { kind, prices, .. } = self.tracks[share.track];
        let way = Way { now, end: Price::new(if rises { prices.1 } else { prices.0 }) };
        let leg = Watched { view, account, kind, fear };
        let price =
            if exact { way.last_safe(value, own, &leg) } else { way.to(leg.reach(now, Sum::of(own))) };
        let price = price.get();
        narrow(if rises { -price } else { price })
    }
}

/// Prices are bounded by the configuration.
fn narrow(price: i64) -> i32 {
    i32::try_from(price).expect("the configuration bounds prices")
}

/// Which keys of a ladder count.
fn is_live(legs: &[Leg], stride: usize, track: usize, side: usize) -> impl Fn(i32, AccountId) -> bool {
    move |key, account| legs[account.index() * stride + track].live[side] == key
}

/// The way from a price to the end of the domain that a leg fears.
#[derive(Debug, Clone, Copy)]
struct Way {
    now: Price,
    end: Price,
}

impl Way {
    /// A price further on, or the end.
    fn to(self, price: i128) -> Price {
        Price::limited(price, (self.now.min(self.end), self.now.max(self.end)))
    }

    /// The next tick, or the end.
    fn next(self) -> Price {
        let tick = Price::new(1);
        if self.end < self.now { (self.now - tick).max(self.end) } else { (self.now + tick).min(self.end) }
    }

    /// The last price on the way at which a leg has lost no more than `left` of what it is worth now.
    fn last_safe(self, now: Money, left: Money, leg: &Watched<'_>) -> Price {
        let target = Sum::of(now) - Sum::of(left);
        let spare = |price| Sum::of(leg.value(price)) - target;
        debug_assert!(!left.is_negative() && leg.value(self.now) == now);
        let (mut safe, mut left) = (self, Sum::of(left));
        for _ in 0..EXACT_STEPS_MAX {
            let far = safe.to(leg.reach(safe.now, left));
            // A step of one tick more may be safe as well; at the end there is none.
            let next = if far == safe.now { safe.next() } else { far };
            if next == safe.now {
                return safe.now;
            }
            left = spare(next);
            if left.is_negative() {
                return safe.now;
            }
            safe.now = next;
        }
        // Much flatter than its steepest tick: halving what is left is sooner done.
        if !spare(self.end).is_negative() {
            return self.end;
        }
        let (mut inside, mut beyond) = (safe.now.get(), self.end.get());
        while inside.abs_diff(beyond) > 1 {
            let middle = i64::midpoint(inside, beyond);
            if spare(Price::new(middle)).is_negative() { beyond = middle } else { inside = middle }
        }
        Price::new(inside)
    }
}

/// One leg of an account, at any price.
#[derive(Debug, Clone, Copy)]
struct Watched<'a> {
    view: View<'a>,
    account: AccountId,
    kind: Kind,
    fear: Fear,
}

impl Watched<'_> {
    /// What it adds to slack; never rises towards what it fears, because rates stay below one.
    fn value(&self, price: Price) -> Money {
        let Self { view, account, kind, fear } = *self;
        match kind {
            Kind::Position(market) if view.rules.is_grouped(view.ledger, account, market) => {
                alone_value(view, account, market, fear, price)
            }
            Kind::Position(market) => {
                position_value(view.rules, market, view.ledger.position(account, market), fear, price)
            }
            Kind::Collateral(followed) => collateral_value(view, account, followed, price),
        }
    }

    /// How far a price can go from `now` towards what the leg fears until it has surely lost no more than `spare`.
    fn reach(&self, now: Price, spare: Sum) -> i128 {
        let Self { view, account, kind, fear } = *self;
        match kind {
            Kind::Position(market) => {
                let base = view.ledger.position(account, market).base;
                let contract = view.rules.contract(market);
                let grids = view.rules.grids_of(view.ledger, account).filter(|grids| grids.covers(market));
                if let Some(grids) = grids {
                    // On either side, since the scenario that decides may be one in which it gains.
                    let rate = grids.rate_max(market, fear == Fear::Call);
                    return contract.reach(now, base, spare.less_rate(rate), Ppm::ZERO);
                }
                // A long's requirement falls with the price, but for an inverse contract.
                let rate = if base.is_negative() || contract.is_inverse() {
                    view.rules.rate_max(market, base, fear == Fear::Call)
                } else {
                    Ppm::ZERO
                };
                contract.reach(now, base, spare, rate)
            }
            Kind::Collateral(followed) => {
                let assets = decided(view, account).filter(|(_, _, by)| *by == Some(followed));
                let steepest: Money = assets.map(|(asset, held, _)| asset.steepest(held, followed)).sum();
                i128::from(now.get()) - i128::from(spare.whole_down(steepest.max(Money::new(1))))
            }
        }
    }
}

/// The price that an asset's value follows, as it stands.
fn price_of(followed: Followed, prices: &Prices) -> Option<Price> {
    match followed {
        Followed::Index(market) => prices.index(market),
        Followed::Mark(market) => prices.mark(market),
    }
}

/// What an account's positions add to slack at their guards; none if a position has no guard on its adverse side.
#[inline(never)]
fn sum_up(view: View<'_>, account: AccountId, legs: &mut [Leg], fear: Fear) -> Option<Money> {
    let mut sum = Money::ZERO;
    for ((i, p), leg) in view.ledger.positions(account).iter().enumerate().zip(legs) {
        leg.worth = worth_at(view.rules, MarketId::from_index(i), p, leg.guard, fear)?;
        sum += leg.worth;
    }
    Some(sum)
}

/// What a position of a group adds to slack at a price, without the other positions of it.
fn alone_value(view: View<'_>, account: AccountId, market: MarketId, fear: Fear, price: Price) -> Money {
    let p = view.ledger.position(account, market);
    let grids = view.rules.grids_of(view.ledger, account).expect("the caller found the group");
    p.profit(price, view.rules.contract(market)) - grids.alone(fear.level(), market, p.base, price)
}

/// What a position adds to slack at a guard; none if that is not on its adverse side.
#[inline(always)]
fn worth_at(rules: &Rules, market: MarketId, p: &Position, guard: i32, fear: Fear) -> Option<Money> {
    if p.base.is_zero() {
        return Some(Money::ZERO);
    }
    let fits = if p.base.is_positive() { guard > 0 } else { guard < 0 };
    let price = Price::new(i64::from(guard.unsigned_abs()));
    fits.then(|| position_value(rules, market, p, fear, price))
}

/// What a position is worth at a price less its entry cost and what it requires there.
#[inline(always)]
fn position_value(rules: &Rules, market: MarketId, p: &Position, fear: Fear, price: Price) -> Money {
    let requirement = match fear {
        Fear::Call => rules.call(market, p.base, price),
        Fear::Liquidation | Fear::Nothing => rules.maintenance(market, p.base, price),
    };
    p.profit(price, rules.contract(market)) - requirement
}

/// Balances of other assets, each with the price that decides its value now; none where no price can take it down.
fn decided(view: View<'_>, account: AccountId) -> impl Iterator<Item = (&Asset, Money, Option<Followed>)> {
    let held = view.rules.assets().iter().map(move |asset| (asset, view.ledger.balance(account, asset.id)));
    held.filter(|(_, held)| !held.is_zero())
        .map(move |(asset, held)| (asset, held, asset.decided_by(held, view.prices)))
}

/// What the assets whose value a price decides now are worth at a price: no more than their value, other prices as
/// they stand.
fn collateral_value(view: View<'_>, account: AccountId, followed: Followed, price: Price) -> Money {
    let assets = decided(view, account).filter(|(_, _, by)| *by == Some(followed));
    assets.map(|(asset, held, _)| asset.value_at(held, followed, price)).sum()
}

/// What the assets are worth that no price can take down.
fn undecided(view: View<'_>, account: AccountId) -> Sum {
    let assets = decided(view, account).filter(|(_, _, by)| by.is_none());
    assets.fold(Sum::ZERO, |sum, (asset, held, _)| sum + Sum::of(asset.value(held, view.prices)))
}
