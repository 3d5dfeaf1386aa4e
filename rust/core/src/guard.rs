//! The guard index: which accounts a new price can endanger, without looking at the others.
//!
//! Every account's slack (equity less the requirement that it has to fear next) is shared out to its legs: its
//! positions, keyed on marks, and its other assets, keyed on indices. A leg's guard is the last price at which it
//! has used up no more than its share; so while no price is beyond a guard, no account's slack is below zero.
//! With one leg the share is the whole slack and the guard is exact. Guards are not state: they are rebuilt from
//! ledger and prices, and what they find is sorted by the venue, so that nothing depends on how slack is split.

use crate::config::Config;
use crate::ledger::Ledger;
use crate::margin::{Asset, Followed, Rules};
use crate::mark::Prices;
use crate::units::{AccountId, MarketId, Money, Price, Sum, VALUATION, exposure_weight};
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// The requirement that an account has to fear next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fear {
    /// The call requirement.
    Call,
    /// Maintenance.
    Liquidation,
    /// Nothing: it is in liquidation already, or cannot be liquidated.
    Nothing,
}

/// Steps towards a guard before its price is found by halving.
const GUARD_STEPS_MAX: usize = 8;

#[derive(Debug, Clone, Copy, Default)]
struct Leg {
    /// Last safe price, negative for legs that fear a rise; 0 for none.
    guard: i64,
    /// Keys of this leg in the two heaps, 0 for none: at least as tight as the guard.
    live_fall: u32,
    live_rise: u32,
}

/// Guards of one price: a market's mark or a market's index.
#[derive(Debug, Clone, Default)]
struct Track {
    legs: Vec<Leg>,
    /// Legs that fear a fall, highest guard first, and those that fear a rise, lowest first.
    falls: BinaryHeap<u64>,
    rises: BinaryHeap<Reverse<u64>>,
}

/// The guards of all accounts.
#[derive(Debug, Clone)]
pub(crate) struct Guards {
    /// One per market for its mark, one for its index, and one for its mark as the price of other assets.
    tracks: Vec<Track>,
    /// Highest price by market.
    domains: Vec<Price>,
    /// Prices that some asset's value can follow, and their tracks.
    followed: Vec<(Followed, usize)>,
    /// Reused while an account's slack is shared out.
    shares: Vec<Share>,
}

/// One leg of an account while its slack is shared out.
#[derive(Debug, Clone, Copy)]
struct Share {
    track: usize,
    kind: LegKind,
    value: Money,
    size: Money,
    /// One, or by size if there are several legs.
    weight: u64,
}

#[derive(Debug, Clone, Copy)]
enum LegKind {
    Position(MarketId),
    /// Every other asset whose value this price now decides.
    Collateral(Followed),
}

fn key(price: u32, account: AccountId) -> u64 {
    (u64::from(price) << 32) | u64::from(account.get())
}

fn unkey(key: u64) -> (u32, AccountId) {
    let low = u32::try_from(key & u64::from(u32::MAX)).expect("masked to 32 bits");
    (u32::try_from(key >> 32).expect("shifted to 32 bits"), AccountId::new(low))
}

impl Track {
    fn leg(&mut self, account: AccountId) -> &mut Leg {
        if account.index() >= self.legs.len() {
            self.legs.resize(account.index() + 1, Leg::default());
        }
        &mut self.legs[account.index()]
    }

    /// Sets a guard; a key that is tighter than the new guard stays, a looser one is added to.
    fn set(&mut self, account: AccountId, guard: i64) {
        if guard == 0 && account.index() >= self.legs.len() {
            return;
        }
        let leg = self.leg(account);
        leg.guard = guard;
        let price = u32::try_from(guard.unsigned_abs()).expect("prices have 24 bits");
        if guard > 0 && (leg.live_fall == 0 || price > leg.live_fall) {
            leg.live_fall = price;
            self.falls.push(key(price, account));
        } else if guard < 0 && (leg.live_rise == 0 || price < leg.live_rise) {
            leg.live_rise = price;
            self.rises.push(Reverse(key(price, account)));
        }
    }

    /// Appends the accounts whose guard the price has crossed.
    fn crossed(&mut self, price: Price, into: &mut Vec<AccountId>) {
        let price = u32::try_from(price.get()).expect("prices have 24 bits");
        while let Some(&top) = self.falls.peek() {
            let (live, account) = unkey(top);
            if live <= price {
                break;
            }
            self.falls.pop();
            let leg = &mut self.legs[account.index()];
            if leg.live_fall != live {
                continue;
            }
            leg.live_fall = 0;
            if leg.guard > i64::from(price) {
                into.push(account);
            } else if leg.guard > 0 {
                let guard = leg.guard;
                self.set(account, guard);
            }
        }
        while let Some(&Reverse(top)) = self.rises.peek() {
            let (live, account) = unkey(top);
            if live >= price {
                break;
            }
            self.rises.pop();
            let leg = &mut self.legs[account.index()];
            if leg.live_rise != live {
                continue;
            }
            leg.live_rise = 0;
            if leg.guard < 0 && -leg.guard < i64::from(price) {
                into.push(account);
            } else if leg.guard < 0 {
                let guard = leg.guard;
                self.set(account, guard);
            }
        }
        self.compact();
    }

    /// Drops stale keys once they outnumber what accounts can have.
    fn compact(&mut self) {
        let room = 2 * self.legs.len() + 1024;
        if self.falls.len() > room {
            let legs = &self.legs;
            self.falls.retain(|&k| legs[unkey(k).1.index()].live_fall == unkey(k).0);
        }
        if self.rises.len() > room {
            let legs = &self.legs;
            self.rises.retain(|&Reverse(k)| legs[unkey(k).1.index()].live_rise == unkey(k).0);
        }
    }
}

impl Guards {
    pub(crate) fn new(config: &Config, rules: &Rules) -> Self {
        let markets = config.markets.len();
        let mut followed: Vec<(Followed, usize)> = Vec::new();
        for price in rules.assets().iter().flat_map(Asset::followed) {
            let track = match price {
                Followed::Index(market) => markets + market.index(),
                Followed::Mark(market) => 2 * markets + market.index(),
            };
            if !followed.contains(&(price, track)) {
                followed.push((price, track));
            }
        }
        Self {
            tracks: vec![Track::default(); 3 * markets],
            domains: config.markets.iter().map(|m| m.price_max).collect(),
            followed,
            shares: Vec::new(),
        }
    }

    /// Appends the accounts that a market's new mark and index may endanger; an account can come twice.
    pub(crate) fn crossed(&mut self, market: MarketId, mark: Price, index: Price, into: &mut Vec<AccountId>) {
        let markets = self.domains.len();
        self.tracks[market.index()].crossed(mark, into);
        self.tracks[markets + market.index()].crossed(index, into);
        self.tracks[2 * markets + market.index()].crossed(mark, into);
    }

    /// Sets an account's guards anew from its positions, its assets and the current prices.
    pub(crate) fn arm(
        &mut self,
        rules: &Rules,
        ledger: &Ledger,
        prices: &Prices,
        account: AccountId,
        fear: Fear,
    ) {
        let mut shares = std::mem::take(&mut self.shares);
        shares.clear();
        let mut slack = Sum::of(ledger.balance(account, VALUATION));
        for (i, p) in ledger.positions(account).iter().enumerate() {
            if p.base.is_zero() {
                self.tracks[i].set(account, 0);
                continue;
            }
            let market = MarketId::from_index(i);
            let price = prices.known(market);
            let kind = LegKind::Position(market);
            let value = leg_value(rules, ledger, prices, account, kind, fear, price);
            let size = price.value(p.base, rules.tick(market));
            slack += value;
            shares.push(Share { track: i, kind, value, size, weight: 1 });
        }
        // What cannot fall has no leg.
        for asset in rules.assets() {
            let held = ledger.balance(account, asset.id);
            if !held.is_zero() && asset.decided_by(held, prices).is_none() {
                slack += asset.value(held, prices);
            }
        }
        for &(followed, track) in &self.followed {
            let kind = LegKind::Collateral(followed);
            let value = price_of(followed, prices)
                .map_or(Money::ZERO, |price| leg_value(rules, ledger, prices, account, kind, fear, price));
            if value.is_zero() {
                self.tracks[track].set(account, 0);
                continue;
            }
            slack += value;
            shares.push(Share { track, kind, value, size: value, weight: 1 });
        }
        if shares.len() > 1 {
            for share in &mut shares {
                share.weight = exposure_weight(share.size);
            }
        }
        let armed = fear != Fear::Nothing && !slack.is_negative();
        let total: u128 = shares.iter().map(|s| u128::from(s.weight)).sum();
        for share in &shares {
            let guard = if armed {
                let part = Sum::new(i128::from(share.weight));
                let whole = Sum::new(i128::try_from(total).expect("a sum of few weights"));
                let own = if shares.len() == 1 { slack.saturate() } else { slack.share_down(part, whole) };
                self.guard_of(rules, ledger, prices, account, share, fear, own)
            } else {
                0
            };
            self.tracks[share.track].set(account, guard);
        }
        self.shares = shares;
    }

    /// The last price at which a leg has used up no more than its share, signed by what it fears; 0 if none is.
    #[allow(clippy::too_many_arguments, reason = "the read-only surroundings of one leg")]
    fn guard_of(
        &self,
        rules: &Rules,
        ledger: &Ledger,
        prices: &Prices,
        account: AccountId,
        share: &Share,
        fear: Fear,
        own: Money,
    ) -> i64 {
        let target = Sum::of(share.value) - Sum::of(own);
        let spare = |price: i64| {
            Sum::of(leg_value(rules, ledger, prices, account, share.kind, fear, Price::new(price))) - target
        };
        let (now, away, end) = match share.kind {
            LegKind::Position(market) if ledger.position(account, market).base.is_negative() => {
                (prices.known(market), 1, self.domains[market.index()].get())
            }
            LegKind::Position(market) => (prices.known(market), -1, 1),
            LegKind::Collateral(followed) => (price_of(followed, prices).expect("it has a value"), -1, 1),
        };
        let steepest = leg_steepest(rules, ledger, prices, account, share.kind, fear);
        // From one safe price to another: as far as the spare value lasts at the steepest, then tick by tick.
        let mut safe = now.get();
        debug_assert!(!spare(safe).is_negative());
        if !spare(end).is_negative() {
            // Safe to the end of the domain: nothing to fear.
            return 0;
        }
        for _ in 0..GUARD_STEPS_MAX {
            let sure = spare(safe).whole_down(steepest);
            if sure == 0 && spare(safe + away).is_negative() {
                return -safe * away;
            }
            safe += sure.max(1) * away;
        }
        // A leg much flatter than its steepest tick: halving what is left is sooner done.
        let (mut inside, mut beyond) = (0, (end - safe) * away);
        while beyond - inside > 1 {
            let middle = i64::midpoint(inside, beyond);
            if spare(safe + middle * away).is_negative() { beyond = middle } else { inside = middle }
        }
        -(safe + inside * away) * away
    }
}

/// The price that an asset's value follows, as it stands.
fn price_of(followed: Followed, prices: &Prices) -> Option<Price> {
    match followed {
        Followed::Index(market) => prices.index(market),
        Followed::Mark(market) => prices.mark(market),
    }
}

/// Balances of the assets whose value a price now decides.
fn decided<'a>(
    rules: &'a Rules,
    ledger: &'a Ledger,
    prices: &'a Prices,
    account: AccountId,
    followed: Followed,
) -> impl Iterator<Item = (&'a Asset, Money)> {
    let held = rules.assets().iter().map(move |asset| (asset, ledger.balance(account, asset.id)));
    held.filter(move |(asset, held)| !held.is_zero() && asset.decided_by(*held, prices) == Some(followed))
}

/// What a leg adds to slack at a price, other prices as they stand; never rises towards what it fears, because rates
/// stay below one.
fn leg_value(
    rules: &Rules,
    ledger: &Ledger,
    prices: &Prices,
    account: AccountId,
    kind: LegKind,
    fear: Fear,
    price: Price,
) -> Money {
    match kind {
        LegKind::Position(market) => {
            let p = ledger.position(account, market);
            let requirement = match fear {
                Fear::Call => rules.call(market, p.base, price),
                Fear::Liquidation | Fear::Nothing => rules.maintenance(market, p.base, price),
            };
            p.profit(price, rules.tick(market)) - requirement
        }
        LegKind::Collateral(followed) => {
            let assets = decided(rules, ledger, prices, account, followed);
            assets.map(|(asset, held)| asset.value_at(held, followed, price)).sum()
        }
    }
}

/// The most that a leg can lose from one tick to the next.
fn leg_steepest(
    rules: &Rules,
    ledger: &Ledger,
    prices: &Prices,
    account: AccountId,
    kind: LegKind,
    fear: Fear,
) -> Money {
    let steepest = match kind {
        LegKind::Position(market) => {
            let base = ledger.position(account, market).base;
            let value = Price::new(1).value(base.abs(), rules.tick(market));
            // A long's requirement falls with the price; a short's rises, by the highest rate at most.
            if base.is_positive() {
                value
            } else {
                value + value.ppm_up(rules.rate_max(market, base, fear == Fear::Call))
            }
        }
        LegKind::Collateral(followed) => {
            let assets = decided(rules, ledger, prices, account, followed);
            assets.map(|(asset, held)| asset.steepest(held, followed)).sum()
        }
    };
    steepest.max(Money::new(1))
}
