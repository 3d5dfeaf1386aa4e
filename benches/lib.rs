//! Workloads for the benchmarks: deterministic, and with an answer to assert.

use seawall_core::protocol::command;
use seawall_core::{Config, Events, Record, Venue};

/// A venue with one market, `accounts` funded accounts that hold alternating positions, and an index at 100,000 ticks.
///
/// Every account is far from its maintenance requirement: a mark that moves by a few ticks endangers nobody.
///
/// # Panics
/// If the venue refuses a command of the set-up.
#[must_use]
pub fn quiet_population(accounts: u32) -> Venue {
    let json = include_str!("../rust/core/tests/data/example.json")
        .replace("\"accounts_max\": 1000", "\"accounts_max\": 2000000");
    let mut venue = Venue::new(Config::new(&json).expect("the example is valid"));
    let mut events = Events::new();
    let index = Record { kind: command::INDEX, at: 1, price: 100_000, ..Record::default() };
    venue.apply_record(&index, &mut events);
    for account in 0..accounts {
        let open = Record { kind: command::OPEN_ACCOUNT, at: 1, ..Record::default() };
        let amount = 300_000_000 + i64::from(account % 1000) * 1_000_000;
        let deposit = Record { kind: command::DEPOSIT, at: 1, account, amount, ..Record::default() };
        venue.apply_record(&open, &mut events);
        venue.apply_record(&deposit, &mut events);
        if account % 2 == 1 {
            let block = Record {
                kind: command::BLOCK,
                at: 1,
                account,
                order: u64::from(account - 1),
                price: 100_000,
                qty: 100,
                ..Record::default()
            };
            events.clear();
            venue.apply_record(&block, &mut events);
            assert_eq!(events.len(), 2, "the block was refused: {:?}", events.as_slice());
        }
    }
    venue
}

/// Orders around one price from one account: places, cancels of the order before, and a sweep now and then.
///
/// # Panics
/// If the venue answers an order with something else than an acceptance.
pub fn order_mix(venue: &mut Venue, events: &mut Events, count: u32) -> u64 {
    let deposit = Record { kind: command::DEPOSIT, at: 1, amount: 100_000_000_000, ..Record::default() };
    venue.apply_record(&deposit, events);
    let mut fills = 0;
    for i in 0..count {
        let side = u8::try_from(i % 2).expect("a bit");
        let away = i64::from(i % 16) * if side == 0 { -1 } else { 1 };
        let sweep = i % 16 == 15;
        let price = 100_000 + if sweep { -away } else { away };
        let order = Record { kind: command::PLACE, at: 1, side, price, qty: 1, ..Record::default() };
        events.clear();
        venue.apply_record(&order, events);
        let accepted = events.as_slice()[0];
        assert_eq!(accepted.kind, seawall_core::protocol::event::ACCEPTED);
        fills += u64::try_from(events.len() / 2).expect("few");
        if i % 3 != 0 {
            let cancel = Record { kind: command::CANCEL, at: 1, order: accepted.order, ..Record::default() };
            events.clear();
            venue.apply_record(&cancel, events);
        }
    }
    fills
}

/// [`quiet_population`] of 1,000 accounts in a call of `orders` limit orders of one lot, half of them buys, whose prices
/// overlap: most of them trade when the call ends. The rule is a preset.
///
/// # Panics
/// If the venue refuses a command of the set-up.
#[must_use]
pub fn called_population(preset: &str, orders: u32) -> Venue {
    const ACCOUNTS: u32 = 1_000;
    let rule = format!("\"auction\": {{\"preset\": \"{preset}\", \"indicative\": \"pulse\"}}, \"fees\"");
    let json = include_str!("../rust/core/tests/data/example.json").replacen("\"fees\"", &rule, 1);
    let mut venue = Venue::new(Config::new(&json).expect("the example is valid"));
    let mut events = Events::new();
    let index = Record { kind: command::INDEX, at: 1, price: 100_000, ..Record::default() };
    venue.apply_record(&index, &mut events);
    for account in 0..ACCOUNTS {
        let open = Record { kind: command::OPEN_ACCOUNT, at: 1, ..Record::default() };
        let deposit =
            Record { kind: command::DEPOSIT, at: 1, account, amount: 1_000_000_000, ..Record::default() };
        venue.apply_record(&open, &mut events);
        venue.apply_record(&deposit, &mut events);
    }
    let call = Record { kind: command::SET_PHASE, at: 1, code: 6, ..Record::default() };
    venue.apply_record(&call, &mut events);
    for i in 0..orders {
        let side = u8::try_from(i % 2).expect("a bit");
        // Buys stand from 99,900 to 101,900, sells from 98,100 to 100,100: nine tenths overlap.
        let away = i64::from(i / 2 * 7 % 2_001);
        let price = if side == 0 { 99_900 + away } else { 100_100 - away };
        let account = i % ACCOUNTS;
        let order = Record { kind: command::PLACE, at: 1, side, account, price, qty: 1, ..Record::default() };
        events.clear();
        venue.apply_record(&order, &mut events);
        assert_eq!(events.len(), 1, "an order was refused: {:?}", events.as_slice());
    }
    venue
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_workloads_run_small() {
        let mut venue = quiet_population(4);
        assert!(order_mix(&mut venue, &mut Events::new(), 500) > 0);
        assert!(venue.conservation().ok);
    }
}
