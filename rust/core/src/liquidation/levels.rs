//! Levels below maintenance: where the backstop is asked before the book, and where positions are closed whole.

use super::{Queue, Stage, count_closed, may_close, slice, to_backstop, within_limits};
use crate::floor::Floor;
use crate::margin::Health;
use crate::protocol::{Events, Record, event, event_of};
use crate::units::{AccountId, MarketId};

/// A level below maintenance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Level {
    CloseOut,
    Backstop,
}

impl Level {
    const fn code(self) -> u16 {
        match self {
            Self::CloseOut => 1,
            Self::Backstop => 2,
        }
    }
}

/// How positions are closed of an account that is below its close-out level.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct CloseOut {
    /// The book is offered them first.
    pub(super) book: bool,
}

fn report(account: AccountId, level: Level, health: &Health, events: &mut Events) {
    events.push(Record {
        account: account.get(),
        code: level.code(),
        amount: health.equity.saturate().get(),
        qty: health.maintenance.saturate().get(),
        ..event_of(event::LEVEL_REACHED, MarketId::NONE)
    });
}

/// How an account's positions are closed if it is below the close-out level.
pub(super) fn closes_out(
    floor: &Floor,
    account: AccountId,
    health: &Health,
    events: &mut Events,
) -> Option<CloseOut> {
    let rule = floor.config.levels.close_out?;
    if !health.equity.is_below(health.maintenance, rule.below) {
        return None;
    }
    report(account, Level::CloseOut, health, events);
    Some(CloseOut { book: rule.book })
}

/// True if the backstop may take an account over: below its level, where there is one.
pub(super) fn is_backed(floor: &Floor, health: &Health) -> bool {
    floor.config.levels.backstop.is_none_or(|below| health.equity.is_below(health.maintenance, below))
}

impl Queue {
    /// Below the backstop level: stage H for every position that may be closed, whole, with the health of the round's
    /// beginning; the last market in which something was taken over.
    pub(super) fn take_over_first(
        &mut self,
        floor: &mut Floor,
        account: AccountId,
        health: &Health,
        events: &mut Events,
    ) -> Option<MarketId> {
        if floor.config.levels.backstop.is_none() || !is_backed(floor, health) {
            return None;
        }
        report(account, Level::Backstop, health, events);
        let mut taken = None;
        for market in floor.market_ids() {
            if !may_close(floor, account, market) {
                continue;
            }
            let pace = self.paces.begin(floor, account, market);
            let mut slice = slice(floor, account, market, (health, &pace));
            slice.lots = within_limits(floor, (account, market), slice.lots, events);
            let lots = slice.lots;
            if slice.enters(Stage::Backstop) {
                to_backstop(floor, &mut slice, events);
            }
            let closed = lots - slice.lots;
            count_closed(floor, (account, market), closed);
            if closed.is_positive() {
                taken = Some(market);
            }
        }
        taken
    }
}
