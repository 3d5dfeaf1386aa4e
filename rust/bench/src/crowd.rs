//! A crowd: leveraged accounts with positions in every market of a venue, opened through its commands.
//!
//! Everything is drawn from numbers by [`mixed`], so a crowd is the same in every run. Each pair of accounts trades
//! with itself by Block: what one is long the other is short.

use crate::generate::mixed;
use crate::workload::BenchError;
use seawall_core::protocol::{command, event};
use seawall_core::{Config, Events, Record, Venue};
use serde_json::{Value, json};

/// The price at which everybody trades.
pub(crate) const START: i64 = 1_000_000;
/// Highest price of each market.
const PRICE_MAX: i64 = 1 << 24;
/// A leverage of one.
const SHARES: i64 = 1 << 10;
/// Money that may come into the venue.
const DEPOSITS_MAX: i64 = 1 << 59;
/// Commands of which the events are kept at a time.
const PIECE: usize = 4096;

/// Who is in the crowd.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Crowd {
    /// Accounts, an even number.
    pub(crate) accounts: u32,
    /// Markets.
    pub(crate) markets: u16,
}

/// A market's configuration with what differs between benchmarks. Initial margin is no more than maintenance, so that
/// an account can be opened as close to its liquidation as it should be.
pub(crate) fn market(number: u16, open_interest: i64, enabled: bool) -> Value {
    json!({
        "name": format!("M{number}"), "tick_value": 1, "price_max": PRICE_MAX, "order_qty_max": open_interest,
        "position_max": open_interest, "open_interest_max": open_interest,
        "fees": {"maker_ppm": 0, "taker_ppm": 0},
        "tiers": [{"lower": 0, "initial_ppm": 10_000, "maintenance_ppm": 10_000},
                  {"lower": 5_000_000, "initial_ppm": 20_000, "maintenance_ppm": 20_000}],
        "mark": {"method": "index", "basis_samples": 1}, "funding": null, "fund": 0,
        "phase": "continuous", "reopen_auction_ns": 0,
        "liquidation": {"enabled": enabled, "slice_ppm": 1_000_000, "slice_qty_min": 1, "full_below": 0,
                        "fee_ppm": 0, "fund_limit_ppm": 50_000},
        "adl": {"enabled": enabled, "method": "queue", "price": "bankruptcy", "band_ppm": null},
    })
}

/// A venue's configuration: calls at the maintenance requirement or none, so many liquidation rounds in a step.
pub(crate) fn config(
    markets: &[Value],
    accounts: u32,
    calls: bool,
    rounds: u32,
) -> Result<Config, BenchError> {
    let text = json!({
        "schema_version": 1, "name": "bench", "venue": 0, "seed": 0,
        "margin_call_ppm": if calls { 1_000_000 } else { 0 }, "backstop": null, "last_resort": "remainder",
        "limits": {"accounts_max": accounts, "orders_max": 1 << 20, "liquidation_rounds_per_step": rounds,
                   "funding_accounts_per_step": 1000, "adl_closes_per_round": 1000, "adl_rank_max": 1000},
        "assets": [{"name": "USD", "decimals": 6, "deposits_max": DEPOSITS_MAX, "collateral": null}],
        "funds": [{"name": "main"}], "markets": markets, "breakers": [],
    });
    Config::new(&text.to_string())
        .map_err(|e| BenchError::Option { field: "accounts".to_owned(), why: e.to_string() })
}

/// A new mark, by way of the index.
pub(crate) fn index(market: u16, price: i64, at: i64) -> Record {
    Record { kind: command::INDEX, market, price, at, ..Record::default() }
}

/// Opens and funds an account.
pub(crate) fn open(account: u32, money: i64) -> [Record; 2] {
    let open = Record { kind: command::OPEN_ACCOUNT, ..Record::default() };
    [open, Record { kind: command::DEPOSIT, account, amount: money, ..Record::default() }]
}

/// A trade at the starting price.
pub(crate) fn block(market: u16, buyer: u32, seller: u32, qty: i64) -> Record {
    let order = u64::from(seller);
    Record { kind: command::BLOCK, market, account: buyer, order, price: START, qty, ..Record::default() }
}

/// Applies commands of which none may be refused.
pub(crate) fn apply(venue: &mut Venue, commands: impl Iterator<Item = Record>) -> Result<(), BenchError> {
    let mut events = Events::with_capacity(2 * PIECE);
    let mut commands = commands.peekable();
    while commands.peek().is_some() {
        events.clear();
        for record in commands.by_ref().take(PIECE) {
            venue.apply_record(&record, &mut events);
        }
        if let Some(e) = events.as_slice().iter().find(|e| e.kind == event::REJECTED) {
            return Err(wrong("crowd", format!("a command is refused: {e:?}")));
        }
    }
    Ok(())
}

/// An answer that is not the expected one.
pub(crate) fn wrong(workload: &str, what: String) -> BenchError {
    BenchError::Answer { workload: workload.to_owned(), what }
}

/// An option that cannot work.
pub(crate) fn refuse<T>(field: &str, why: String) -> Result<T, BenchError> {
    Err(BenchError::Option { field: field.to_owned(), why })
}

impl Crowd {
    /// A venue in which accounts are called at their maintenance requirement and never liquidated: what its guard
    /// index does stays apart from what a liquidation does.
    pub(crate) fn venue(self) -> Result<Venue, BenchError> {
        let lots = i64::from(self.accounts) * 16;
        let markets: Vec<Value> = (0..self.markets).map(|m| market(m, lots, false)).collect();
        let mut venue = Venue::new(config(&markets, self.accounts, true, 1)?);
        apply(&mut venue, (0..self.markets).map(|m| index(m, START, 0)))?;
        apply(&mut venue, (0..self.accounts).flat_map(|a| open(a, self.money(a))))?;
        let pairs = (0..self.accounts).step_by(2);
        apply(&mut venue, pairs.flat_map(|a| (0..self.markets).map(move |m| trade(a, m))))?;
        Ok(venue)
    }

    /// What an account has: the notional of its positions divided by a leverage between 1 and 16, low ones more often
    /// than high ones: the mean is 6.
    fn money(self, account: u32) -> i64 {
        let lots: i64 = (0..self.markets).map(|m| trade(account & !1, m).qty).sum();
        let drawn = i64::try_from(mixed(u64::from(account) ^ 0x5EA) >> 54).expect("ten bits");
        lots * START * SHARES / (SHARES + 15 * drawn * drawn / SHARES)
    }
}

/// A pair's trade in a market: 1 to 16 lots, either one the buyer.
fn trade(first: u32, market: u16) -> Record {
    let drawn = mixed(u64::from(first) << 16 | u64::from(market));
    let (buyer, seller) = if drawn & 1 == 0 { (first, first + 1) } else { (first + 1, first) };
    block(market, buyer, seller, 1 + i64::try_from(drawn >> 60).expect("four bits"))
}
