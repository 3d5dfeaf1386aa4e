//! What happened: counts and sums taken from events, one row of a series per step, a summary at the end.
//!
//! All amounts are integers: prices in ticks, quantities in lots, money in minor units of asset 0. Liquidated notional
//! is what was closed of accounts in liquidation, at the price of the closing trade: in the book, by take-over and by
//! auto-deleveraging. Impact and makers see the book part only.

use seawall_core::{FundId, MarketId, Price, Record, Side, Venue, protocol, protocol::event};
use serde::Serialize;
use std::collections::BTreeMap;

/// Notional of closed longs and closed shorts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Closed {
    /// Longs closed by sales.
    pub long: i64,
    /// Shorts closed by purchases.
    pub short: i64,
}

impl Closed {
    fn add(&mut self, side: u8, notional: i64) {
        if side == Side::Sell.code() { self.long += notional } else { self.short += notional }
    }
}

/// Lowest price and when it was first seen.
#[derive(Debug, Clone, Copy)]
struct Low {
    price: i64,
    at: i64,
}

impl Low {
    const NONE: Self = Self { price: i64::MAX, at: 0 };

    fn take(&mut self, price: i64, at: i64) {
        if price < self.price {
            *self = Self { price, at };
        }
    }
}

/// Sums of one market.
#[derive(Debug, Clone)]
struct MarketTally {
    name: String,
    tick_value: i64,
    /// Liquidations in the book, in this step and in the step before it.
    book: Closed,
    book_before: Closed,
    /// All liquidations in this step.
    closed: Closed,
    adl: i64,
    total: [i128; 2],
    book_total: i128,
    adl_total: i128,
    adl_qty: i64,
    adl_fills: u64,
    volume: i128,
    index: Low,
    mark: Low,
    last: Low,
    open_interest_start: i64,
    price_start: i64,
}

/// Everything counted so far.
#[derive(Debug, Clone)]
pub struct Tally {
    markets: Vec<MarketTally>,
    start: i64,
    started: bool,
    fund_start: i128,
    fund_least: i128,
    orders: u64,
    fills: u64,
    commands_refused: u64,
    refused: Record,
    liquidations: u64,
    liquidated: Bits,
    deleveraged: Bits,
    adl_fills: u64,
    liquidation_fills: u64,
    bad_debt: i128,
    socialised: i128,
    bankrupt: u64,
    fund_paid: i128,
    fund_received: i128,
    first_liquidation: Option<i64>,
    first_adl: Option<i64>,
    last_adl: Option<i64>,
    minutes: BTreeMap<i64, i128>,
}

/// A set of account numbers.
#[derive(Debug, Clone, Default)]
struct Bits {
    words: Vec<u64>,
    count: u64,
}

impl Bits {
    fn insert(&mut self, number: u32) {
        let (word, bit) = (number as usize / 64, 1u64 << (number % 64));
        if self.words.len() <= word {
            self.words.resize(word + 1, 0);
        }
        if self.words[word] & bit == 0 {
            self.words[word] |= bit;
            self.count += 1;
        }
    }
}

/// What a run comes to, in minor units, ticks, lots and ns.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// Steps done.
    pub steps: usize,
    /// Notional closed of accounts in liquidation.
    pub liquidated_notional: i128,
    /// The part of it that was long.
    pub liquidated_long_notional: i128,
    /// The part of it that the book took.
    pub liquidated_book_notional: i128,
    /// Accounts that were in liquidation at least once.
    pub accounts_liquidated: u64,
    /// Liquidations that began.
    pub liquidations: u64,
    /// Accounts whose liquidation ended bankrupt, counted by endings.
    pub bankruptcies: u64,
    /// Fills of accounts in liquidation: by liquidation orders in the book and, each counted once more here, by
    /// auto-deleveraging.
    pub liquidation_fills: u64,
    /// Notional closed by auto-deleveraging.
    pub adl_notional: i128,
    /// Winners that were deleveraged at least once.
    pub adl_accounts: u64,
    /// Fills of winners by auto-deleveraging.
    pub adl_fills: u64,
    /// All funds at the start.
    pub fund_start: i128,
    /// All funds now.
    pub fund_end: i128,
    /// All funds at their lowest, by step.
    pub fund_least: i128,
    /// Paid out of funds.
    pub fund_paid: i128,
    /// Paid into funds by liquidations.
    pub fund_received: i128,
    /// Losses that nobody carried.
    pub bad_debt: i128,
    /// Losses that winners carried.
    pub socialised: i128,
    /// Notional of open interest at the start, at the start index.
    pub open_interest_start: i128,
    /// Notional of open interest now, at the index now.
    pub open_interest_end: i128,
    /// Orders accepted, set-up included: in the book, of liquidations, and one of each party of a block.
    pub orders: u64,
    /// Trades in the book and blocks, set-up included; each counts once.
    pub fills: u64,
    /// Commands that the venue refused after the set-up.
    pub refused: u64,
    /// Time of the first liquidation.
    pub first_liquidation_at: Option<i64>,
    /// Time of the first auto-deleveraging fill.
    pub first_adl_at: Option<i64>,
    /// Time of the last auto-deleveraging fill.
    pub last_adl_at: Option<i64>,
    /// Beginning of the minute with most liquidated notional.
    pub peak_minute_at: Option<i64>,
    /// Its liquidated notional.
    pub peak_minute_notional: i128,
    /// By market.
    pub markets: BTreeMap<String, MarketSummary>,
}

/// What a run comes to in one market.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MarketSummary {
    /// Index at the start.
    pub index_start: i64,
    /// Index now.
    pub index_end: i64,
    /// Lowest index; 0 before the first.
    pub index_low: i64,
    /// When.
    pub index_low_at: i64,
    /// Lowest mark; 0 before the first.
    pub mark_low: i64,
    /// When.
    pub mark_low_at: i64,
    /// Lowest trade in the book; 0 before the first.
    pub last_low: i64,
    /// When.
    pub last_low_at: i64,
    /// Last trade; 0 if none.
    pub last_end: i64,
    /// Open interest at the start, lots.
    pub open_interest_start: i64,
    /// Open interest now, lots.
    pub open_interest_end: i64,
    /// Notional closed of accounts in liquidation.
    pub liquidated_notional: i128,
    /// The part of it that was long.
    pub liquidated_long_notional: i128,
    /// Notional closed by auto-deleveraging.
    pub adl_notional: i128,
    /// Lots closed by auto-deleveraging.
    pub adl_qty: i64,
    /// Fills of winners by auto-deleveraging.
    pub adl_fills: u64,
    /// Notional traded in the book.
    pub volume: i128,
}

impl Tally {
    /// Nothing yet, for markets by name and tick value.
    #[must_use]
    pub fn new(names: &[String], tick_values: &[i64], start: i64) -> Self {
        let markets = names.iter().zip(tick_values).map(|(name, &tick_value)| MarketTally {
            name: name.clone(),
            tick_value,
            book: Closed::default(),
            book_before: Closed::default(),
            closed: Closed::default(),
            adl: 0,
            total: [0; 2],
            book_total: 0,
            adl_total: 0,
            adl_qty: 0,
            adl_fills: 0,
            volume: 0,
            index: Low::NONE,
            mark: Low::NONE,
            last: Low::NONE,
            open_interest_start: 0,
            price_start: 0,
        });
        Self {
            markets: markets.collect(),
            start,
            started: false,
            fund_start: 0,
            fund_least: 0,
            orders: 0,
            fills: 0,
            commands_refused: 0,
            refused: Record::default(),
            liquidations: 0,
            liquidated: Bits::default(),
            deleveraged: Bits::default(),
            adl_fills: 0,
            liquidation_fills: 0,
            bad_debt: 0,
            socialised: 0,
            bankrupt: 0,
            fund_paid: 0,
            fund_received: 0,
            first_liquidation: None,
            first_adl: None,
            last_adl: None,
            minutes: BTreeMap::new(),
        }
    }

    /// Marks the end of the set-up.
    pub(crate) fn start(&mut self, venue: &Venue) {
        self.started = true;
        self.fund_start = funds(venue);
        self.fund_least = self.fund_start;
        self.commands_refused = 0;
        for (m, market) in self.markets.iter_mut().enumerate() {
            let id = MarketId::from_index(m);
            market.open_interest_start = venue.open_interest(id).get();
            market.price_start = ticks(venue.index(id));
            market.volume = 0;
        }
    }

    /// Number of commands refused.
    pub(crate) fn rejected(&self) -> u64 {
        self.commands_refused
    }

    /// The last refusal.
    pub(crate) fn last_rejected(&self) -> Record {
        self.refused
    }

    /// Liquidations that the book took in the step before this one.
    pub(crate) fn liquidated_before(&self, market: usize) -> Closed {
        self.markets[market].book_before
    }

    /// Starts a step's sums anew.
    pub(crate) fn begin_step(&mut self) {
        for market in &mut self.markets {
            market.book_before = market.book;
            (market.book, market.closed, market.adl) = (Closed::default(), Closed::default(), 0);
        }
    }

    /// Takes in one event.
    pub fn take(&mut self, e: &Record) {
        match e.kind {
            event::REJECTED => {
                self.commands_refused += 1;
                self.refused = *e;
            }
            event::ACCEPTED | event::LIQUIDATION_ORDER => self.orders += 1,
            event::FILL => self.take_fill(e),
            event::MARKED => {
                let market = &mut self.markets[usize::from(e.market)];
                market.mark.take(e.price, e.at);
                market.index.take(e.amount, e.at);
            }
            event::LIQUIDATION_STARTED => {
                self.liquidations += 1;
                self.liquidated.insert(e.account);
                self.first_liquidation.get_or_insert(e.at);
            }
            event::LIQUIDATION_ENDED if e.code == 3 => self.bankrupt += 1,
            event::TAKEN_OVER => self.close(e, e.side),
            event::FUND_PAID => self.fund_paid += i128::from(e.amount),
            event::FUND_RECEIVED => self.fund_received += i128::from(e.amount),
            event::ADL_FILL => self.take_adl(e),
            event::SOCIALISED => self.socialised += i128::from(e.amount),
            event::BAD_DEBT => self.bad_debt += i128::from(e.amount),
            _ => {}
        }
    }

    fn take_fill(&mut self, e: &Record) {
        let liquidation = e.flags & protocol::FILL_LIQUIDATION != 0;
        let block = e.flags & protocol::FILL_BLOCK != 0;
        let market = &mut self.markets[usize::from(e.market)];
        let notional = e.price * e.qty * market.tick_value;
        // A block is an order of each party. Each trade has two records; the buyer's is counted.
        self.orders += u64::from(block);
        if e.side == Side::Buy.code() {
            self.fills += 1;
            if !block {
                market.volume += i128::from(notional);
            }
        }
        if !block {
            market.last.take(e.price, e.at);
        }
        if liquidation {
            self.liquidation_fills += 1;
            market.book.add(e.side, notional);
            market.book_total += i128::from(notional);
            self.close(e, e.side);
        }
    }

    fn take_adl(&mut self, e: &Record) {
        let market = &mut self.markets[usize::from(e.market)];
        let notional = e.price * e.qty * market.tick_value;
        market.adl += notional;
        market.adl_total += i128::from(notional);
        market.adl_qty += e.qty;
        market.adl_fills += 1;
        self.adl_fills += 1;
        self.liquidation_fills += 1;
        self.deleveraged.insert(e.account);
        self.first_adl.get_or_insert(e.at);
        self.last_adl = Some(e.at);
        // The winner's side is the other side of the account that is closed.
        self.close(e, 1 - e.side.min(1));
    }

    /// Notional closed of an account in liquidation that traded on a side.
    fn close(&mut self, e: &Record, side: u8) {
        let market = &mut self.markets[usize::from(e.market)];
        let notional = e.price * e.qty * market.tick_value;
        market.closed.add(side, notional);
        market.total[usize::from(side.min(1))] += i128::from(notional);
        let minute = self.start + (e.at - self.start).div_euclid(60_000_000_000) * 60_000_000_000;
        *self.minutes.entry(minute).or_default() += i128::from(notional);
    }

    /// The summary of what was taken in, with what the venue says now.
    #[must_use]
    pub fn summary(&self, venue: &Venue, steps: usize) -> Summary {
        let markets: BTreeMap<String, MarketSummary> = self
            .markets
            .iter()
            .enumerate()
            .map(|(m, market)| (market.name.clone(), market.summary(m, venue)))
            .collect();
        let end = |m: &MarketTally| {
            let s = &markets[&m.name];
            i128::from(s.open_interest_end) * i128::from(s.index_end) * i128::from(m.tick_value)
        };
        let start = |m: &MarketTally| {
            i128::from(m.open_interest_start) * i128::from(m.price_start) * i128::from(m.tick_value)
        };
        let peak = self.minutes.iter().rev().max_by_key(|&(_, &notional)| notional);
        Summary {
            steps,
            liquidated_notional: self.markets.iter().map(|m| m.total[0] + m.total[1]).sum(),
            liquidated_long_notional: self.markets.iter().map(|m| m.total[1]).sum(),
            liquidated_book_notional: self.markets.iter().map(|m| m.book_total).sum(),
            accounts_liquidated: self.liquidated.count,
            liquidations: self.liquidations,
            liquidation_fills: self.liquidation_fills,
            bankruptcies: self.bankrupt,
            adl_notional: self.markets.iter().map(|m| m.adl_total).sum(),
            adl_accounts: self.deleveraged.count,
            adl_fills: self.adl_fills,
            fund_start: self.fund_start,
            fund_end: funds(venue),
            fund_least: self.fund_least.min(funds(venue)),
            fund_paid: self.fund_paid,
            fund_received: self.fund_received,
            bad_debt: self.bad_debt,
            socialised: self.socialised,
            open_interest_start: self.markets.iter().map(start).sum(),
            open_interest_end: self.markets.iter().map(end).sum(),
            orders: self.orders,
            fills: self.fills,
            refused: self.commands_refused,
            first_liquidation_at: self.first_liquidation,
            first_adl_at: self.first_adl,
            last_adl_at: self.last_adl,
            peak_minute_at: peak.map(|(&at, _)| at),
            peak_minute_notional: peak.map_or(0, |(_, &notional)| notional),
            markets,
        }
    }

    fn see_fund(&mut self, fund: i128) {
        self.fund_least = self.fund_least.min(fund);
    }
}

impl MarketTally {
    fn summary(&self, m: usize, venue: &Venue) -> MarketSummary {
        let id = MarketId::from_index(m);
        let low = |low: Low| if low.price == i64::MAX { 0 } else { low.price };
        MarketSummary {
            index_start: self.price_start,
            index_end: ticks(venue.index(id)),
            index_low: low(self.index),
            index_low_at: self.index.at,
            mark_low: low(self.mark),
            mark_low_at: self.mark.at,
            last_low: low(self.last),
            last_low_at: self.last.at,
            last_end: ticks(venue.last(id)),
            open_interest_start: self.open_interest_start,
            open_interest_end: venue.open_interest(id).get(),
            liquidated_notional: self.total[0] + self.total[1],
            liquidated_long_notional: self.total[1],
            adl_notional: self.adl_total,
            adl_qty: self.adl_qty,
            adl_fills: self.adl_fills,
            volume: self.volume,
        }
    }
}

fn funds(venue: &Venue) -> i128 {
    (0..venue.config().funds.len()).map(|f| i128::from(venue.fund(FundId::from_index(f)).get())).sum()
}

fn ticks(price: Option<Price>) -> i64 {
    price.map_or(0, Price::get)
}

/// Columns per market, in order.
const MARKET_COLUMNS: [&str; 12] = [
    "index",
    "mark",
    "last",
    "bid",
    "ask",
    "open_interest",
    "depth_bid",
    "depth_ask",
    "phase",
    "liquidated_long",
    "liquidated_short",
    "adl",
];
/// Columns of the venue after those of the markets, in order.
const VENUE_COLUMNS: [&str; 11] = [
    "fund",
    "queue",
    "parked",
    "liquidations",
    "accounts_liquidated",
    "adl_fills",
    "bad_debt",
    "socialised",
    "orders",
    "fills",
    "refused",
];

/// One row per step, by column: integers in ticks, lots, minor units and ns; 0 where there is no value.
///
/// Columns: `at`; for each market `NAME.index`, `.mark`, `.last`, `.bid`, `.ask` (ticks), `.open_interest` (lots),
/// `.depth_bid`, `.depth_ask` (quoted notional within 1 % of the index when the step ends), `.phase` (code),
/// `.liquidated_long`, `.liquidated_short`, `.adl` (notional of the step); then, as totals so far, `fund` (now),
/// `queue`, `parked` (now), `liquidations`, `accounts_liquidated`, `adl_fills`, `bad_debt`, `socialised`, `orders`,
/// `fills`, `refused`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Series {
    names: Vec<String>,
    columns: Vec<Vec<i64>>,
}

impl Series {
    /// An empty series with room for `rows`.
    #[must_use]
    pub fn new(markets: &[String], rows: usize) -> Self {
        let mut names = vec!["at".to_owned()];
        for market in markets {
            names.extend(MARKET_COLUMNS.iter().map(|column| format!("{market}.{column}")));
        }
        names.extend(VENUE_COLUMNS.iter().map(|&column| column.to_owned()));
        let columns = names.iter().map(|_| Vec::with_capacity(rows)).collect();
        Self { names, columns }
    }

    /// Names of the columns.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The columns, in the order of their names.
    #[must_use]
    pub fn columns(&self) -> &[Vec<i64>] {
        &self.columns
    }

    /// A column by name.
    #[must_use]
    pub fn column(&self, name: &str) -> Option<&[i64]> {
        self.names.iter().position(|n| n == name).map(|i| self.columns[i].as_slice())
    }

    /// Number of rows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.columns[0].len()
    }

    /// True without rows.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Appends the row of a step that ended at `at`; `depths` are bids and asks by market.
    pub(crate) fn push(&mut self, at: i64, venue: &Venue, tally: &mut Tally, depths: &[[i64; 2]]) {
        let narrow = |wide: i128| i64::try_from(wide).unwrap_or(i64::MAX);
        let count = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
        let size = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
        let mut row = Vec::with_capacity(self.columns.len());
        row.push(at);
        for (m, market) in tally.markets.iter().enumerate() {
            let id = MarketId::from_index(m);
            row.extend([
                ticks(venue.index(id)),
                ticks(venue.mark(id)),
                ticks(venue.last(id)),
                ticks(venue.best(id, Side::Buy)),
                ticks(venue.best(id, Side::Sell)),
                venue.open_interest(id).get(),
                depths[m][0],
                depths[m][1],
                i64::from(venue.phase(id).code()),
                market.closed.long,
                market.closed.short,
                market.adl,
            ]);
        }
        let fund = funds(venue);
        tally.see_fund(fund);
        row.extend([
            narrow(fund),
            size(venue.queue_len()),
            size(venue.parked_len()),
            count(tally.liquidations),
            count(tally.liquidated.count),
            count(tally.adl_fills),
            narrow(tally.bad_debt),
            narrow(tally.socialised),
            count(tally.orders),
            count(tally.fills),
            count(tally.commands_refused),
        ]);
        for (column, value) in self.columns.iter_mut().zip(row) {
            column.push(value);
        }
    }
}
