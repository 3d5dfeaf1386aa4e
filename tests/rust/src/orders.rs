//! Random commands for markets: near the touch, with own orders in the way, stops near the price, ids that repeat
//! and values of every wrong kind. The next command is written from what the naive venue shows and from its events.

use crate::naive::words::{command, event, flag, order_type, phase, term};
use crate::naive::{EVERY_ACCOUNT, NO_MARKET, Naive, SLOT_BITS};
use crate::stream::Rng;
use seawall_core::Record;
use serde_json::{Value, json};
use std::collections::VecDeque;

/// Nanoseconds of a step of time.
pub const TICK: i64 = 1_000_000;
/// Accounts that a world opens.
pub const ACCOUNTS: u32 = 6;
/// Different cells.
pub const CELLS: u64 = 24;

const ENDED_MAX: usize = 16;

/// What the venue under test knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// Types 0 to 3 with post-only, and reduce-only of those that do not rest; one cleared market in price-time.
    Plain,
    /// Everything of docs/mechanics.md.
    Full,
}

/// The configuration of a cell: allocation x client ids x cleared x entry limits for each of two markets; the seed
/// decides the rest.
#[must_use]
pub fn cell(number: u64, seed: u64, dialect: Dialect) -> Value {
    let mut rng = Rng::new(seed ^ (number << 32) ^ 0xce11);
    let mut config = json!({
        "schema_version": 1, "name": "cell", "venue": 3, "seed": 0, "margin_call_ppm": 0, "backstop": null,
        "last_resort": "remainder",
        "limits": {
            "accounts_max": ACCOUNTS, "orders_max": 30, "liquidation_rounds_per_step": 1,
            "funding_accounts_per_step": 100, "adl_closes_per_round": 1, "adl_rank_max": 1,
        },
        "assets": [{"name": "USD", "decimals": 0, "deposits_max": 1_000_000_000_000_000_i64, "collateral": null}],
        "funds": [{"name": "main"}],
        "markets": [market(&mut rng, "A"), market(&mut rng, "B")],
    });
    let mut breakers = Vec::new();
    for _ in 0..rng.pick(&[0, 1, 2]) {
        let action = rng.pick(&["cap", "cap", "reject"]);
        let width = if rng.chance(20) { None } else { Some(rng.pick(&[40_000, 60_000, 150_000])) };
        breakers.push(crate::band("band", rng.pick(&[&[0][..], &[0, 1][..]]), width, action));
    }
    config["breakers"] = json!(breakers);
    if dialect == Dialect::Full {
        config["limits"]["triggers_per_step"] = json!(rng.pick(&[1, 2, 16]));
        let markets = config["markets"].as_array_mut().expect("a list");
        for (market, number) in markets.iter_mut().zip([number, number * 7 + 5]) {
            extend(&mut rng, market, number % CELLS);
        }
    }
    config
}

fn market(rng: &mut Rng, name: &str) -> Value {
    let low = rng.chance(15);
    json!({
        "name": name, "tick_value": rng.within(1, 3), "price_max": if low { 14 } else { 200 },
        "order_qty_max": 60, "position_max": 80, "open_interest_max": rng.pick(&[60, 160]),
        "fees": {"maker_ppm": rng.pick(&[-200, 0, 300]), "taker_ppm": rng.pick(&[0, 500])},
        "tiers": [{"lower": 0, "initial_ppm": 2, "maintenance_ppm": 1}],
        "mark": {"method": rng.pick(&["index", "index", "last", "median"]), "basis_samples": rng.within(1, 3)},
        "funding": null, "fund": 0, "phase": rng.pick(&["continuous", "continuous", "call_auction", "pre_open"]),
        "reopen_auction_ns": rng.pick(&[0, 5 * TICK]),
        "liquidation": {"enabled": false, "slice_ppm": 1_000_000, "slice_qty_min": 1, "full_below": 0, "fee_ppm": 0,
            "fund_limit_ppm": 0},
        "adl": {"enabled": false, "method": "queue", "price": "bankruptcy", "band_ppm": null},
    })
}

fn extend(rng: &mut Rng, market: &mut Value, number: u64) {
    let pro_rata = number % 2 == 1;
    market["allocation"] = if pro_rata {
        json!({
            "type": "pro_rata", "top_order": rng.chance(60),
            "lead": rng.pick(&[&[][..], &[(1, 200_000)][..], &[(2, 300_000), (0, 400_000), (2, 300_000)][..]])
                .iter().map(|(account, ppm)| json!({"account": account, "share_ppm": ppm})).collect::<Vec<_>>(),
            "fifo_ppm": rng.pick(&[0, 250_000, 400_000]), "minimum": rng.pick(&[1, 1, 2, 3]),
        })
    } else {
        json!({"type": "price_time"})
    };
    market["client_ids"] = match number / 2 % 3 {
        0 => json!("none"),
        1 => json!("hashed"),
        _ => json!({"dense": {"max": 12}}),
    };
    market["cleared"] = json!((number / 6).is_multiple_of(2));
    market["day"] = json!({"start_ns": 7 * TICK, "length_ns": 50 * TICK});
    if number / 12 == 1 {
        market["entry"] = json!({
            "price_step": rng.pick(&[1, 2]), "qty_step": rng.pick(&[1, 2]), "qty_min": rng.pick(&[1, 2, 3]),
            "notional_min": rng.pick(&[0, 250]), "notional_max": rng.pick(&[4000, 12_000]), "open_orders_max": 7,
        });
    }
}

/// Opens an account of a world and gives it more money than it can need.
#[must_use]
pub fn opening(account: u32, dialect: Dialect) -> [Record; 2] {
    // Accounts 4 and 5 are one party; 1 cancels its newest, 2 its oldest, 3 takes both off.
    let (code, order) = match account {
        _ if dialect == Dialect::Plain => (0, 0),
        1 => (1, 0),
        2 => (2, 0),
        3 => (4, 0),
        4 | 5 => (u16::try_from(account - 3).expect("small"), 77),
        _ => (0, 0),
    };
    let (market, amount) = (NO_MARKET, 100_000_000_000);
    [
        Record { kind: command::OPEN_ACCOUNT, market, code, order, ..Record::default() },
        Record { kind: command::DEPOSIT, market, account, amount, ..Record::default() },
    ]
}

/// Where a market is: the middle of the touch, or else the mark, the last trade, or half of its prices.
#[must_use]
pub fn middle(venue: &Naive, market: u16) -> i64 {
    let touch = [0, 1].map(|side| venue.depth(market, side).first().map(|level| level.0));
    let price_max = venue.rules().markets[usize::from(market)].price_max;
    let [last, mark, _] = venue.prices(market);
    match touch {
        [Some(bid), Some(ask)] => i64::midpoint(bid, ask),
        [Some(one), None] | [None, Some(one)] => one,
        [None, None] => mark.or(last).unwrap_or(price_max / 2),
    }
}

/// An open order as its events tell of it.
#[derive(Debug, Clone, Copy)]
struct Known {
    id: u64,
    market: u16,
    account: u32,
    side: u8,
    client: u64,
    price: i64,
    open: i64,
}

/// What a plan places.
#[derive(Debug, Clone, Copy)]
struct Draft {
    market: u16,
    account: u32,
    side: u8,
    price: i64,
    qty: i64,
    code: u16,
    flags: u16,
}

/// Writes the commands of one world.
#[derive(Debug)]
pub struct Writer {
    rng: Rng,
    dialect: Dialect,
    pending: VecDeque<Record>,
    open: Vec<Known>,
    ended: VecDeque<Known>,
    opened: u32,
}

impl Writer {
    /// The writer of a seed.
    #[must_use]
    pub fn new(seed: u64, dialect: Dialect) -> Self {
        Self {
            rng: Rng::new(seed ^ 0x0bde),
            dialect,
            pending: VecDeque::new(),
            open: Vec::new(),
            ended: VecDeque::new(),
            opened: 0,
        }
    }

    /// Learns which orders there are.
    pub fn learn(&mut self, events: &[Record]) {
        for e in events {
            // A fired order is accepted a second time.
            if e.kind == event::ACCEPTED && self.open.iter().all(|k| k.id != e.order) {
                let client = e.amount.cast_unsigned();
                let (id, market, account, side) = (e.order, e.market, e.account, e.side);
                self.open.push(Known { id, market, account, side, client, price: e.price, open: e.qty });
            }
            let Some(i) = self.open.iter().position(|k| k.id == e.order) else { continue };
            match e.kind {
                event::FILL | event::CANCELLED => self.open[i].open -= e.qty,
                event::REPLACED => (self.open[i].price, self.open[i].open) = (e.price, e.qty),
                _ => {}
            }
            if self.open[i].open <= 0 {
                self.ended.push_front(self.open.remove(i));
                self.ended.truncate(ENDED_MAX);
            }
        }
    }

    /// The next command for a venue in this state.
    pub fn next(&mut self, venue: &Naive) -> Record {
        while self.pending.is_empty() {
            self.plan(venue);
        }
        let mut record = self.pending.pop_front().expect("something is planned");
        let rng = &mut self.rng;
        let step = rng.pick(&[0, 0, 0, 0, 0, 1, 1, 2]) * TICK;
        let late = if rng.chance(1) { 20 * TICK } else { 0 };
        record.at = venue.now() + step + late;
        record.source = u8::try_from(rng.within(0, 2)).expect("small");
        // Accounts without money would ask for margin.
        let begins = matches!(record.kind, command::OPEN_ACCOUNT | command::DEPOSIT);
        if !begins && rng.chance(3) {
            self.spoil(&mut record);
        }
        record
    }

    fn push(&mut self, record: Record) {
        self.pending.push_back(record);
    }

    fn full(&self) -> bool {
        self.dialect == Dialect::Full
    }

    fn plan(&mut self, venue: &Naive) {
        if self.opened < ACCOUNTS {
            return self.begin();
        }
        let market = u16::from(self.rng.chance(35));
        let now_in = venue.phase(market);
        let rules = &venue.rules().markets[usize::from(market)];
        if rules.cleared && venue.prices(market)[2].is_none() && self.rng.chance(20) {
            return self.tell_index(venue, market);
        }
        if !phase::matches(now_in) && self.rng.chance(8) {
            let kind = command::SET_PHASE;
            return self.push(Record { kind, market, code: phase::CONTINUOUS, ..Record::default() });
        }
        if self.full() {
            match self.rng.within(0, 99) {
                0..=7 => return self.quote(venue, market),
                8..=10 => return self.stops(venue, market),
                11..=14 => return self.reducers(venue, market),
                15..=16 => return self.legs(venue, market),
                17 => return self.noise(market),
                18 => return self.reducing_auction(venue, market),
                _ => {}
            }
        }
        match self.rng.within(0, 99) {
            0..=59 => self.order(venue, market),
            60..=71 => self.cancel(market),
            72..=83 => self.replace(venue, market),
            84..=85 => self.cancel_all(market),
            86..=88 => self.block(venue, market),
            89..=94 => self.tell_index(venue, market),
            95..=96 => self.set_phase(venue, market),
            97 => self.sweep(venue, market),
            98 => self.strange_money(),
            _ => self.push(Record { kind: command::PULSE, market: NO_MARKET, ..Record::default() }),
        }
    }

    fn begin(&mut self) {
        self.pending.extend(opening(self.opened, self.dialect));
        self.opened += 1;
    }

    /// Money and accounts that are refused, mostly.
    fn strange_money(&mut self) {
        let market = NO_MARKET;
        if self.rng.chance(50) {
            let code = if self.full() { self.rng.pick(&[0, 4, 5, u16::MAX]) } else { 0 };
            let order = if self.full() { self.rng.pick(&[0, 1 << 32, u64::MAX]) } else { 0 };
            return self.push(Record {
                kind: command::OPEN_ACCOUNT,
                market,
                code,
                order,
                ..Record::default()
            });
        }
        let account = self.rng.pick(&[0, 5, 6, u32::MAX]);
        let (code, amount) = (self.rng.pick(&[0, 1]), self.rng.pick(&[1, 0, -1, i64::MAX]));
        self.push(Record { kind: command::DEPOSIT, market, account, code, amount, ..Record::default() });
    }

    fn account(&mut self) -> u32 {
        u32::try_from(self.rng.within(0, i64::from(ACCOUNTS) - 1)).expect("small")
    }

    fn side(&mut self) -> u8 {
        self.rng.pick(&[0, 1])
    }

    /// A price of the market's domain near the middle, mostly on its step.
    fn near(&mut self, venue: &Naive, market: u16, away: i64) -> i64 {
        let rules = &venue.rules().markets[usize::from(market)];
        let price = middle(venue, market) + self.rng.within(-away, away);
        let step = rules.price_step;
        let price = if self.rng.chance(95) { price / step * step } else { price };
        if self.rng.chance(1) {
            return self.rng.pick(&[1, rules.price_max, 0, -1, rules.price_max + 1]);
        }
        price.clamp(step, rules.price_max / step * step)
    }

    fn lots(&mut self, venue: &Naive, market: u16) -> i64 {
        let rules = &venue.rules().markets[usize::from(market)];
        let most = self.rng.pick(&[3, 8, 8, 8, 20]);
        let lots = self.rng.within(1, most);
        if self.rng.chance(5) {
            return lots;
        }
        (lots.max(rules.qty_min) + rules.qty_step - 1) / rules.qty_step * rules.qty_step
    }

    fn place(&mut self, draft: Draft, client: u64) {
        let amount = if self.full() && self.rng.chance(30) { self.rng.within(1, 3) } else { 0 };
        let Draft { market, account, side, price, qty, code, flags } = draft;
        let (kind, order) = (command::PLACE, client);
        self.push(Record {
            kind,
            market,
            account,
            side,
            price,
            qty,
            code,
            flags,
            order,
            amount,
            ..Record::default()
        });
    }

    fn client(&mut self) -> u64 {
        if !self.full() || self.rng.chance(50) {
            return 0;
        }
        if self.rng.chance(2) {
            return self.rng.pick(&[13, u64::MAX, 1 << 63]);
        }
        u64::try_from(self.rng.within(1, 12)).expect("positive")
    }

    fn draft(&mut self, venue: &Naive, market: u16) -> Draft {
        let (account, side) = (self.account(), self.side());
        let code = self.rng.pick(&[0, 0, 0, 0, 0, 0, 0, 1, 2, 3]);
        let away = if code == order_type::LIMIT && self.rng.chance(60) { self.rng.within(1, 4) } else { 0 };
        let step = venue.rules().markets[usize::from(market)].price_step;
        let away = if side == 0 { -away * step } else { away * step };
        let price = if code == order_type::MARKET { 0 } else { self.near(venue, market, 3) + away };
        let qty = self.lots(venue, market);
        let mut flags = 0;
        if code == order_type::LIMIT {
            flags |= if self.rng.chance(12) { flag::POST_ONLY } else { 0 };
            if self.full() {
                flags |= if flags != 0 && self.rng.chance(60) { flag::SLIDE } else { 0 };
                flags |= if self.rng.chance(15) { flag::HIDDEN } else { 0 };
                flags |= if self.rng.chance(5) { flag::DAY } else { 0 };
            }
        }
        let may_reduce = self.full() || code != order_type::LIMIT;
        flags |= if may_reduce && self.rng.chance(4) { flag::REDUCE_ONLY } else { 0 };
        if self.full() && self.rng.chance(30) {
            flags |= u16::try_from(self.rng.within(1, 5)).expect("small") << flag::MODE_SHIFT;
        }
        Draft { market, account, side, price, qty, code, flags }
    }

    /// An order, perhaps with terms.
    fn order(&mut self, venue: &Naive, market: u16) {
        let mut draft = self.draft(venue, market);
        if self.full() {
            if self.rng.chance(10) {
                draft = self.armed(venue, draft);
            }
            self.further_terms(venue, draft);
        }
        let client = self.client();
        self.place(draft, client);
    }

    fn term(&mut self, draft: Draft, code: u16, value: Record) {
        let Draft { market, account, .. } = draft;
        self.push(Record { kind: command::TERM, market, account, code, ..value });
    }

    /// Makes a stop, take-profit or trailing stop of an order; mostly one that is not beyond its trigger.
    fn armed(&mut self, venue: &Naive, draft: Draft) -> Draft {
        let code = self.rng.pick(&[term::STOP, term::STOP, term::TAKE_PROFIT, term::TRAILING]);
        let watched = self.rng.pick(&[0_u16, 0, 1, 2]);
        let price = venue.prices(draft.market)[usize::from(watched)];
        let price = price.unwrap_or_else(|| middle(venue, draft.market));
        let least = if self.rng.chance(10) { -2 } else { 1 };
        let away = self.rng.within(least, 4);
        let upwards = (draft.side == 0) == (code == term::STOP);
        let trigger = if code == term::TRAILING {
            self.rng.within(1, 4)
        } else if upwards {
            price + away
        } else {
            price - away
        };
        self.term(draft, code, Record { price: trigger, flags: watched, ..Record::default() });
        let kind = self.rng.pick(&[order_type::LIMIT, order_type::IOC, order_type::FOK, order_type::MARKET]);
        // Flags that do not go with a type are tried, but seldom.
        let keeps = if self.rng.chance(3) {
            draft.flags
        } else {
            draft.flags & !(flag::POST_ONLY | flag::SLIDE | flag::HIDDEN)
        };
        match kind {
            order_type::LIMIT => draft,
            order_type::MARKET => Draft { code: kind, price: 0, flags: keeps, ..draft },
            _ => Draft { code: kind, price: self.near(venue, draft.market, 5), flags: keeps, ..draft },
        }
    }

    fn further_terms(&mut self, venue: &Naive, draft: Draft) {
        let limit = draft.code == order_type::LIMIT;
        let shown = draft.flags & flag::HIDDEN == 0;
        let wrong = self.rng.chance(1);
        if (limit && shown && self.rng.chance(20)) || wrong {
            let qty = self.rng.within(1, 3);
            self.term(draft, term::DISPLAY, Record { qty, ..Record::default() });
        }
        if limit && self.rng.chance(10) && (draft.flags & flag::DAY == 0 || self.rng.chance(5)) {
            let least = if self.rng.chance(10) { -1 } else { 1 };
            let amount = venue.now() + self.rng.within(least, 12) * TICK;
            self.term(draft, term::EXPIRY, Record { amount, ..Record::default() });
        }
        let takes = draft.code != order_type::FOK && draft.flags & flag::POST_ONLY == 0;
        if takes && self.rng.chance(6) {
            let qty = self.rng.within(1, draft.qty.max(1));
            self.term(draft, term::MINIMUM, Record { qty, ..Record::default() });
        }
        let tied = if draft.flags & flag::REDUCE_ONLY == 0 { 10 } else { 40 };
        if limit && self.rng.chance(tied) {
            let order = self.name_order(draft.market, Some(draft.account)).map_or(5 << SLOT_BITS, |k| k.id);
            self.term(draft, term::OTHER_LEG, Record { order, ..Record::default() });
        }
        if draft.code == order_type::MARKET && self.rng.chance(60) {
            if self.rng.chance(50) {
                let price = self.rng.within(1, 4);
                self.term(draft, term::PROTECTION_TICKS, Record { price, ..Record::default() });
            } else {
                let amount = self.rng.pick(&[1, 10_000, 30_000, 1_000_000]);
                self.term(draft, term::PROTECTION_PPM, Record { amount, ..Record::default() });
            }
        }
    }

    /// An order of an account, mostly; sometimes of another, and sometimes one that has ended.
    fn name_order(&mut self, market: u16, account: Option<u32>) -> Option<Known> {
        if self.rng.chance(8) && !self.ended.is_empty() {
            let i = self.rng.below(self.ended.len());
            return Some(self.ended[i]);
        }
        let strict = self.rng.chance(92);
        let fits = |k: &&Known| k.market == market && (!strict || account.is_none_or(|a| a == k.account));
        let found: Vec<Known> = self.open.iter().filter(fits).copied().collect();
        if found.is_empty() { None } else { Some(found[self.rng.below(found.len())]) }
    }

    /// Names an order in a command: by its id, by its client id, or wrongly.
    fn named(&mut self, kind: u16, known: Known) -> Record {
        let by_client = self.full() && (known.client != 0 && self.rng.chance(40) || self.rng.chance(2));
        let order = if by_client { known.client } else { known.id };
        let account = if self.rng.chance(5) { self.account() } else { known.account };
        // A slot that is not the order's names nothing.
        let order = order ^ u64::from(!by_client && self.rng.chance(2));
        let (market, flags) = (known.market, u16::from(by_client));
        Record { kind, market, account, order, flags, ..Record::default() }
    }

    fn cancel(&mut self, market: u16) {
        if let Some(known) = self.name_order(market, None) {
            let record = self.named(command::CANCEL, known);
            self.push(record);
        }
    }

    fn replace(&mut self, venue: &Naive, market: u16) {
        if let Some(known) = self.name_order(market, None) {
            let record = self.named(command::REPLACE, known);
            let keeps = self.rng.chance(40);
            let price = if keeps { known.price } else { self.near(venue, market, 3) };
            let qty = match self.rng.within(0, 3) {
                0 => known.open,
                1 => self.lots(venue, market),
                2 => self.rng.within(1, known.open.max(1)),
                _ => known.open + self.rng.within(-2, 2),
            };
            self.push(Record { price, qty, ..record });
        }
    }

    fn cancel_all(&mut self, market: u16) {
        let flags = if self.full() { self.rng.pick(&[0, 1, 2, 3, 1, 2, 3, 4]) } else { 0 };
        let everyone = self.full() && self.rng.chance(12);
        let account = if everyone { EVERY_ACCOUNT } else { self.account() };
        let (side, amount) = (self.side(), if flags & 2 != 0 { self.rng.within(0, 3) } else { 0 });
        let market = if self.rng.chance(20) { NO_MARKET } else { market };
        let kind = command::CANCEL_ALL;
        self.push(Record { kind, market, account, flags, side, amount, ..Record::default() });
    }

    fn block(&mut self, venue: &Naive, market: u16) {
        let (account, order) = (self.account(), u64::from(self.account()));
        let (price, qty) = (self.near(venue, market, 2), self.rng.within(1, 30));
        self.push(Record { kind: command::BLOCK, market, account, order, price, qty, ..Record::default() });
    }

    fn tell_index(&mut self, venue: &Naive, market: u16) {
        let price_max = venue.rules().markets[usize::from(market)].price_max;
        let old = venue.prices(market)[2].unwrap_or(price_max / 2);
        let home = (price_max / 2 - old).signum();
        let away = self.rng.pick(&[1, 2, 6]);
        let price = (old + self.rng.within(-away, away) + home * self.rng.within(0, 1)).clamp(1, price_max);
        self.push(Record { kind: command::INDEX, market, price, ..Record::default() });
    }

    fn set_phase(&mut self, venue: &Naive, market: u16) {
        let kind = command::SET_PHASE;
        let code = self.rng.pick(&[0, 1, 2, 3, 4, 5, 6, 6, 6, 6, 7, 8, 8, 8, 9, 9, 10, 10, 11, 12]);
        let amount = if self.rng.chance(60) { venue.now() + self.rng.within(-1, 20) * TICK } else { 0 };
        self.push(Record { kind, market, code, amount: amount.max(0), ..Record::default() });
        for _ in 0..self.rng.within(2, 12) {
            if self.rng.chance(70) {
                self.order(venue, market);
            } else {
                self.cancel(market);
            }
        }
        if self.rng.chance(80) {
            self.push(Record { kind, market, code: phase::CONTINUOUS, ..Record::default() });
        }
    }

    /// A large order through several levels.
    fn sweep(&mut self, venue: &Naive, market: u16) {
        let draft = self.draft(venue, market);
        let price = self.near(venue, market, 9);
        let qty = self.rng.within(15, 60);
        self.place(Draft { price, qty, code: self.rng.clone().pick(&[0, 1, 2]), flags: 0, ..draft }, 0);
    }

    /// Both sides of a quote, often the same again with a small change.
    fn quote(&mut self, venue: &Naive, market: u16) {
        let (account, code) = (self.account(), self.rng.pick(&[0_u16, 0, 0, 9]));
        let mine = |side: u8| {
            self.open.iter().find(|k| k.account == account && k.market == market && k.side == side)
        };
        let old = [mine(0).copied(), mine(1).copied()];
        let middle = self.near(venue, market, 2);
        let mut sides = [(middle - self.rng.within(0, 2), 0), (middle + self.rng.within(0, 2), 0)];
        for (side, old) in sides.iter_mut().zip(old) {
            side.1 = if self.rng.chance(10) { 0 } else { self.lots(venue, market) };
            if let Some(old) = old
                && self.rng.chance(60)
            {
                *side = (old.price, (old.open + self.rng.pick(&[0, 0, -1, -2, 1])).max(0));
            }
        }
        let mut flags = self.rng.pick(&[0, 0, flag::POST_ONLY, flag::POST_ONLY | flag::SLIDE, flag::SLIDE]);
        if self.rng.chance(20) {
            flags |= u16::try_from(self.rng.within(1, 6)).expect("small") << flag::MODE_SHIFT;
        }
        let [(price, qty), (amount, asks)] = sides;
        let order = u64::try_from(asks).expect("not negative");
        let kind = command::QUOTE;
        self.push(Record {
            kind,
            market,
            account,
            code,
            flags,
            price,
            qty,
            amount,
            order,
            ..Record::default()
        });
    }

    /// Some stops of several accounts close together, then a trade or an index that may fire them all.
    fn stops(&mut self, venue: &Naive, market: u16) {
        let side = self.side();
        for _ in 0..self.rng.within(2, 5) {
            let draft = Draft { side, ..self.draft(venue, market) };
            let draft = self.armed(venue, draft);
            self.further_terms(venue, draft);
            let client = self.client();
            self.place(draft, client);
        }
        if self.rng.chance(50) {
            let price_max = venue.rules().markets[usize::from(market)].price_max;
            let old = venue.prices(market)[2].unwrap_or(price_max / 2);
            let price = if side == 0 { old + 4 } else { old - 4 }.clamp(1, price_max);
            self.push(Record { kind: command::INDEX, market, price, ..Record::default() });
        } else {
            self.sweep(venue, market);
        }
    }

    /// Reduce-only orders of an account that together may be more than its position.
    fn reducers(&mut self, venue: &Naive, market: u16) {
        let account = self.account();
        let base = venue.position(market, account);
        let side = u8::from(base > 0);
        for _ in 0..self.rng.within(1, 3) {
            let most = base.abs().clamp(1, 60);
            let draft = Draft { account, side, ..self.draft(venue, market) };
            let qty = if self.rng.chance(40) { most } else { self.rng.within(1, most) };
            let draft = Draft { qty, flags: draft.flags | flag::REDUCE_ONLY, ..draft };
            self.further_terms(venue, draft);
            let client = self.client();
            self.place(draft, client);
        }
    }

    /// Orders that reduce, collected beside others for an auction in which they reduce too much.
    fn reducing_auction(&mut self, venue: &Naive, market: u16) {
        let (kind, account) = (command::SET_PHASE, self.account());
        let base = venue.position(market, account);
        let side = u8::from(base > 0);
        let middle = middle(venue, market);
        self.push(Record { kind, market, code: phase::CALL_AUCTION, ..Record::default() });
        for reduces in [true, true, false, true, false, false] {
            let draft = Draft { code: order_type::LIMIT, ..self.draft(venue, market) };
            let away = self.rng.within(0, 3);
            let side = if reduces { side } else { 1 - side };
            let price = if side == 0 { middle + away } else { middle - away };
            let draft = Draft { side, price, ..draft };
            let flags = draft.flags & !(flag::POST_ONLY | flag::SLIDE | flag::REDUCE_ONLY);
            let draft = if reduces {
                let qty = self.rng.within(1, base.abs().clamp(1, 60));
                Draft { account, qty, flags: flags | flag::REDUCE_ONLY, ..draft }
            } else {
                Draft { flags, ..draft }
            };
            self.further_terms(venue, draft);
            self.place(draft, 0);
        }
        self.push(Record { kind, market, code: phase::CONTINUOUS, ..Record::default() });
    }

    /// Two orders of an account, tied: a take-profit that rests and a stop that waits, or two that rest.
    fn legs(&mut self, venue: &Naive, market: u16) {
        let mut draft = Draft { code: order_type::LIMIT, ..self.draft(venue, market) };
        draft.price = self.near(venue, market, 3);
        draft.flags &= !flag::REDUCE_ONLY;
        let account = draft.account;
        if let Some(known) = self.name_order(market, Some(account)) {
            if self.rng.chance(50) {
                draft = self.armed(venue, Draft { side: known.side, ..draft });
            }
            self.term(draft, term::OTHER_LEG, Record { order: known.id, ..Record::default() });
        }
        if draft.code == order_type::LIMIT && draft.flags & flag::DAY == 0 && self.rng.chance(40) {
            let amount = venue.now() + self.rng.within(1, 8) * TICK;
            self.term(draft, term::EXPIRY, Record { amount, ..Record::default() });
        }
        let client = self.client();
        self.place(draft, client);
    }

    /// A term that goes nowhere, or joins another's.
    fn noise(&mut self, market: u16) {
        let code = u16::try_from(self.rng.within(0, 10)).expect("small");
        let account = self.account();
        let (flags, price) = (self.rng.pick(&[0, 1, 2, 3]), self.rng.within(0, 20));
        let (qty, amount, order) = (self.rng.within(0, 3), self.rng.within(0, 1_000_001), 1 << SLOT_BITS);
        let kind = command::TERM;
        self.push(Record {
            kind,
            market,
            account,
            code,
            flags,
            price,
            qty,
            amount,
            order,
            ..Record::default()
        });
    }

    /// Makes a command wrong in one field, or strange.
    fn spoil(&mut self, record: &mut Record) {
        let full = self.full();
        let rng = &mut self.rng;
        match rng.below(10) {
            0 => record.market = rng.pick(&[2, 65535, 1]),
            1 => record.account = rng.pick(&[0, 7, 99, if full { u32::MAX } else { 8 }]),
            2 => record.side = 2,
            3 => record.code = rng.pick(&[2, 3, 4, 13, u16::MAX]),
            4 if full => record.flags = rng.pick(&[1, 2, 3, 4, 8, 12, 16, 32, 192, 224, 256, u16::MAX]),
            5 => record.price = rng.pick(&[0, -1, 15, 201, 10_001, i64::MAX, i64::MIN]),
            6 => record.qty = rng.pick(&[0, -1, 61, 1001, i64::MAX, i64::MIN]),
            7 => record.amount = rng.pick(&[0, -1, 65536, 1_000_001, i64::MAX, i64::MIN]),
            8 => record.at -= 3 * TICK,
            _ => record.kind = rng.pick(&[0, 8, 99, 200, u16::MAX]),
        }
        let refuses_all = matches!(record.kind, command::WITHDRAW | command::FUND_DEPOSIT);
        assert!(!refuses_all, "money stays out of these worlds");
        if !full {
            if record.kind == command::PLACE && record.code == order_type::LIMIT {
                record.flags &= flag::POST_ONLY;
            }
            let clear = !matches!(record.kind, command::PLACE);
            record.flags = if clear { 0 } else { record.flags & 3 };
            let unread = matches!(record.kind, command::CANCEL_ALL | command::OPEN_ACCOUNT);
            record.side = if unread { 0 } else { record.side };
            record.code = if record.kind == command::OPEN_ACCOUNT { 0 } else { record.code };
            record.order = if record.kind == command::OPEN_ACCOUNT { 0 } else { record.order };
            record.amount = if record.kind == command::PLACE { 0 } else { record.amount };
        }
    }
}
