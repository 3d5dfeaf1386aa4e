//! Stages H and I, second part: volunteers take over what is left, each as far as its margin allows.

use super::Slice;
use super::fund::pay_fund;
use crate::config::AssignmentOrder;
use crate::floor::Floor;
use crate::ledger;
use crate::protocol::{Events, Record, event, event_of};
use crate::units::{AccountId, Price, Qty, largest_remainder};

/// Assigns lots to volunteers, and says what none of them took.
pub(super) fn assign(floor: &mut Floor, slice: &mut Slice, events: &mut Events) {
    let m = floor.market(slice.market);
    let Some(rule) = m.config.liquidation.assignment else { return };
    if !m.admits.liquidation {
        return;
    }
    let terms = super::takeover_terms(floor, slice, rule.price, events);
    if let Some((price, lots, paid_per_lot)) = terms {
        let mut taken = Qty::ZERO;
        for (volunteer, lots) in shares(floor, slice, rule.order, (price, lots)) {
            taken += lots;
            take(floor, slice, volunteer, (price, lots), events);
        }
        slice.lots -= taken;
        pay_fund(floor, slice.account, slice.market, -slice.contract.up(paid_per_lot.times(taken)), events);
    }
    if slice.lots.is_positive() {
        events.push(Record {
            account: slice.account.get(),
            qty: slice.lots.get(),
            ..event_of(event::ASSIGNMENT_REMAINDER, slice.market)
        });
    }
}

/// Who takes how many of some lots at a price; nobody takes none.
fn shares(
    floor: &Floor,
    slice: &Slice,
    order: AssignmentOrder,
    trade: (Price, Qty),
) -> Vec<(AccountId, Qty)> {
    let volunteers = &floor.market(slice.market).volunteers;
    let may =
        |(volunteer, _): &(AccountId, Qty)| *volunteer != slice.account && !floor.is_liquidated(*volunteer);
    let cap = |volunteer, capacity: Qty, most: Qty| {
        bearable(floor, slice, volunteer, (trade.0, capacity.min(most)))
    };
    let taken: Vec<(AccountId, Qty)> = match order {
        AssignmentOrder::Queue => {
            let mut left = trade.1;
            let each = volunteers.by_place().into_iter().filter(may).map(|(volunteer, capacity)| {
                let lots = if left.is_positive() { cap(volunteer, capacity, left) } else { Qty::ZERO };
                left -= lots;
                (volunteer, lots)
            });
            each.collect()
        }
        AssignmentOrder::ProRata => {
            let all: Vec<(AccountId, Qty)> = volunteers.by_number().into_iter().filter(may).collect();
            let weights: Vec<i64> = all.iter().map(|(_, capacity)| capacity.get()).collect();
            let caps: Vec<i64> = all.iter().map(|(v, capacity)| cap(*v, *capacity, trade.1).get()).collect();
            let lots = largest_remainder(trade.1.get(), &weights, &caps);
            all.into_iter().zip(lots).map(|((v, _), lots)| (v, Qty::new(lots))).collect()
        }
    };
    taken.into_iter().filter(|(_, lots)| lots.is_positive()).collect()
}

/// The most lots, up to some, that an account has room for and carries at a price, by halving: all of them if it carries
/// all.
fn bearable(floor: &Floor, slice: &Slice, account: AccountId, trade: (Price, Qty)) -> Qty {
    let held = floor.ledger.position(account, slice.market);
    let most = trade.1.min(held.room(slice.side, floor.market(slice.market).config.position_max));
    let carries = |lots: Qty| {
        let after = ledger::traded(*held, slice.side.signed(lots), trade.0, &slice.contract);
        floor.rules.carries(&floor.ledger, &floor.prices, account, slice.market, &after)
    };
    most.greatest_by_halving(carries)
}

/// One volunteer takes lots over.
fn take(floor: &mut Floor, slice: &Slice, volunteer: AccountId, trade: (Price, Qty), events: &mut Events) {
    let side = slice.side.opposite();
    floor.pass(slice.market, (slice.account, side), volunteer, trade);
    assert!(!floor.equity(volunteer).is_negative(), "an assignment put account {volunteer} into debt");
    let volunteers = &mut floor.market_mut(slice.market).volunteers;
    let left = volunteers.capacity(volunteer) - trade.1;
    volunteers.set(volunteer, left);
    events.push(Record {
        account: slice.account.get(),
        order: u64::from(volunteer.get()),
        side: side.code(),
        price: trade.0.get(),
        qty: trade.1.get(),
        amount: left.get(),
        ..event_of(event::ASSIGNED, slice.market)
    });
}
