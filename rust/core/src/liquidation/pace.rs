//! The times of a liquidation: when it began and when it last closed a part. Kept for policies that ask for them.

use crate::codec::{CodecError, Reader, Writer};
use crate::config::{Config, During, SlicePolicy};
use crate::floor::Floor;
use crate::units::{AccountId, MarketId, Nanos, Price, Sum};
use std::collections::BTreeMap;

/// What a policy knows of the rounds before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Pace {
    /// When the present liquidation first came to this position, and the mark then.
    pub(crate) began: Option<(Nanos, Price)>,
    /// Shortage that it has made up for.
    pub(crate) freed: Sum,
    /// When a slice last closed a part of the position.
    pub(crate) sliced: Option<Nanos>,
}

/// Paces by account and market.
#[derive(Debug, Clone, Default)]
pub(crate) struct Paces {
    by: BTreeMap<(AccountId, MarketId), Pace>,
}

/// Where an account is in its cooldown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cooldown {
    /// No slice was made.
    None,
    /// The last slice is less than the cooldown ago.
    Lasts,
    /// It is over.
    Over,
}

/// True if any market asks for paces.
fn is_kept(config: &Config) -> bool {
    config.markets.iter().any(|m| m.liquidation.is_paced())
}

impl Paces {
    /// The pace of a position; the liquidation begins now if it has not.
    pub(crate) fn begin(&mut self, floor: &Floor, account: AccountId, market: MarketId) -> Pace {
        let fresh = Pace { began: Some((floor.now, floor.prices.known(market))), ..Pace::default() };
        if !floor.market(market).config.liquidation.is_paced() {
            return fresh;
        }
        let pace = self.by.entry((account, market)).or_insert(fresh);
        if pace.began.is_none() {
            pace.began = fresh.began;
        }
        *pace
    }

    /// A round has closed a part of a position, or all of it, and made up for a part of the shortage.
    pub(crate) fn close(&mut self, floor: &Floor, at: (AccountId, MarketId), freed: Sum) {
        if let Some(pace) = self.by.get_mut(&at) {
            pace.freed += freed;
            if !floor.ledger.position(at.0, at.1).base.is_zero() && cools(floor, at.1) {
                pace.sliced = Some(floor.now);
            }
        }
    }

    /// Where an account is in a cooldown: its last slice in any market counts.
    pub(crate) fn cooldown(&self, account: AccountId, now: Nanos, length: Nanos) -> Cooldown {
        let of = self.by.range((account, MarketId::new(0))..=(account, MarketId::NONE));
        match of.filter_map(|(_, pace)| pace.sliced).max() {
            None => Cooldown::None,
            Some(sliced) if now.since(sliced) < length => Cooldown::Lasts,
            Some(_) => Cooldown::Over,
        }
    }

    /// The account left the queue: what binds its next liquidation stays.
    pub(crate) fn leave(&mut self, floor: &Floor, account: AccountId) {
        let keys: Vec<_> = self
            .by
            .range((account, MarketId::new(0))..=(account, MarketId::NONE))
            .map(|(key, _)| *key)
            .collect();
        for key in keys {
            let sliced = self.by.remove(&key).and_then(|pace| pace.sliced);
            if sliced.is_some_and(|sliced| binds(floor, key.1, sliced)) {
                self.by.insert(key, Pace { sliced, ..Pace::default() });
            }
        }
    }

    /// Forgets cooldowns that are over.
    pub(crate) fn prune(&mut self, floor: &Floor) {
        self.by.retain(|(_, market), pace| {
            pace.began.is_some() || pace.sliced.is_some_and(|sliced| binds(floor, *market, sliced))
        });
    }

    pub(crate) fn encode(&self, config: &Config, w: &mut Writer) {
        if !is_kept(config) {
            return;
        }
        w.len(self.by.len());
        for ((account, market), pace) in &self.by {
            w.u32(account.get());
            w.u16(market.get());
            w.option(pace.began.map(|(at, _)| at.get()));
            w.i64(pace.began.map_or(0, |(_, mark)| mark.get()));
            w.i128(pace.freed.get());
            w.option(pace.sliced.map(Nanos::get));
        }
    }

    pub(crate) fn decode(floor: &Floor, r: &mut Reader<'_>) -> Result<Self, CodecError> {
        let mut paces = Self::default();
        if !is_kept(&floor.config) {
            return Ok(paces);
        }
        for _ in 0..r.len()? {
            let key = (AccountId::new(r.u32()?), MarketId::new(r.u16()?));
            if !floor.ledger.knows(key.0) || !floor.knows_market(key.1) {
                return Err(r.invalid("the pace of an unknown account or market; take another copy"));
            }
            let (began, mark) = (r.option()?.map(Nanos::new), Price::new(r.i64()?));
            let (freed, sliced) = (Sum::new(r.i128()?), r.option()?.map(Nanos::new));
            let has_mark = floor.market(key.1).config.has(mark);
            let past = [began, sliced].into_iter().flatten().all(|at| at <= floor.now && !at.is_negative());
            if began.is_some() != has_mark || freed.is_negative() || !past {
                return Err(r.invalid("the pace of a liquidation is out of range; take another copy"));
            }
            paces.by.insert(key, Pace { began: began.map(|at| (at, mark)), freed, sliced });
        }
        Ok(paces)
    }
}

/// True if a slice in a market begins a cooldown.
fn cools(floor: &Floor, market: MarketId) -> bool {
    let policy = floor.market(market).config.liquidation.policy;
    matches!(policy, SlicePolicy::Schedule { cooldown_ns, .. } if cooldown_ns.is_positive())
}

/// True if a slice made then still binds an account that is liquidated anew.
fn binds(floor: &Floor, market: MarketId, sliced: Nanos) -> bool {
    match floor.market(market).config.liquidation.policy {
        SlicePolicy::Schedule { cooldown_ns, during: During::Whole | During::Wait, .. } => {
            floor.now.since(sliced) < cooldown_ns
        }
        _ => false,
    }
}
