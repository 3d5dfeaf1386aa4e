//! A venue for a workload: its configuration, its accounts, and the commands that the messages become.
//!
//! Orders are shared out to accounts, buys to even and sells to odd numbers: so no account meets itself, and
//! self-trade prevention is looked at without changing the answer. Limits are wide: nothing is refused but the
//! cancels of orders that are gone.

use crate::book::{Engine, Tape};
use crate::generate::mixed;
use crate::workload::{BenchError, CANCEL, Expected, Message, PRICE_MAX, QTY_MAX, Workload};
use seawall_core::protocol::{command, event};
use seawall_core::{Config, Events, MarketId, OrderId, OrderType, Price, Record, Side, Venue};
use serde_json::{Value, json};

/// The one market.
const MARKET: MarketId = MarketId::new(0);
/// The time of every command.
const AT: i64 = 1;
/// Orders that may rest.
const ORDERS_MAX: u32 = 1 << 22;
/// Lots that an account or the market may hold.
const LOTS_MAX: i64 = 100_000_000_000;
/// Money of each account, in minor units.
const DEPOSIT: i64 = 1_000_000_000_000;
/// Self-trade mode of an order: what rests is cancelled.
const CANCEL_OLDEST: u16 = 2 << 5;

/// What the venue does besides matching.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Features {
    /// Nothing: a market that is not cleared, 1,000 accounts.
    Idle,
    /// A cleared market with fees, a price band, margin checks, self-trade prevention and 100,000 funded accounts.
    Full,
}

impl Features {
    /// The features of a name.
    ///
    /// # Errors
    /// [`BenchError::Option`] for another name.
    pub fn of(name: &str) -> Result<Self, BenchError> {
        match name {
            "idle" => Ok(Self::Idle),
            "full" => Ok(Self::Full),
            _ => option("features", format!("{name:?}: must be idle or full")),
        }
    }

    /// The name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::Full => "full",
        }
    }

    const fn accounts(self) -> u32 {
        match self {
            Self::Idle => 1_000,
            Self::Full => 100_000,
        }
    }
}

/// By which id a cancel names its order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ids {
    /// By the workload's, as a dense client id.
    Given,
    /// By the venue's.
    Venue,
    /// By the workload's scrambled to 64 bits, as a client id.
    Hashed,
}

impl Ids {
    /// The ids of a name.
    ///
    /// # Errors
    /// [`BenchError::Option`] for another name.
    pub fn of(name: &str) -> Result<Self, BenchError> {
        match name {
            "given" => Ok(Self::Given),
            "venue" => Ok(Self::Venue),
            "hashed" => Ok(Self::Hashed),
            _ => option("ids", format!("{name:?}: must be given, venue or hashed")),
        }
    }

    /// The name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Given => "given",
            Self::Venue => "venue",
            Self::Hashed => "hashed",
        }
    }
}

fn option<T>(field: &str, why: String) -> Result<T, BenchError> {
    Err(BenchError::Option { field: field.to_owned(), why })
}

/// Messages as commands: what is the same in each, by kind of message.
#[derive(Debug, Clone, Copy)]
pub struct Forms([Record; 4]);

impl Forms {
    fn new(features: Features, ids: Ids) -> Self {
        let base = Record { at: AT, market: MARKET.get(), ..Record::default() };
        let prevention = if features == Features::Full { CANCEL_OLDEST } else { 0 };
        let place =
            |kind: OrderType| Record { kind: command::PLACE, code: kind.code(), flags: prevention, ..base };
        let cancel = Record { kind: command::CANCEL, flags: u16::from(ids != Ids::Venue), ..base };
        Self([place(OrderType::Limit), cancel, place(OrderType::ImmediateOrCancel), base])
    }

    /// The command of a prepared message.
    #[must_use]
    #[inline]
    pub fn command(&self, message: &Message) -> Record {
        // Four forms, so that no kind is out of bounds.
        let mut record = self.0[usize::from(message.kind & 3)];
        record.side = message.side;
        record.account = message.account;
        record.order = message.id;
        record.price = message.price;
        record.qty = message.qty.cast_signed();
        record
    }
}

/// A workload ready to be driven through venues that all begin alike.
#[derive(Debug, Clone)]
pub struct Stage {
    name: String,
    config: Config,
    opening: Vec<Record>,
    messages: Vec<Message>,
    prefill: usize,
    expected: Expected,
    forms: Forms,
}

impl Stage {
    /// Prepares the messages: accounts, ids. Drives them through a venue once, untimed, which gives the venue's
    /// ids and compares what every single message does.
    ///
    /// # Errors
    /// [`BenchError::Answer`] if the venue does something else with a message than the workload says.
    pub fn new(workload: Workload, features: Features, ids: Ids) -> Result<Self, BenchError> {
        let orders = workload.orders();
        let config = config(features, ids, orders);
        let Workload { name, messages, prefill, expected } = workload;
        let mid = starting_mid(&messages[..prefill]);
        let mut stage = Self {
            config: Config::new(&config.to_string())
                .map_err(|e| BenchError::Option { field: "workload".to_owned(), why: e.to_string() })?,
            opening: opening(features, mid),
            forms: Forms::new(features, ids),
            name,
            messages,
            prefill,
            expected,
        };
        stage.share_out(features.accounts(), orders);
        stage.rehearse(ids, orders)?;
        Ok(stage)
    }

    /// Name of the workload.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The answer.
    #[must_use]
    pub fn expected(&self) -> &Expected {
        &self.expected
    }

    /// The venue's configuration.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The commands that open and fund the accounts.
    #[must_use]
    pub fn opening(&self) -> &[Record] {
        &self.opening
    }

    /// The prepared messages that build the book.
    #[must_use]
    pub fn prefill(&self) -> &[Message] {
        &self.messages[..self.prefill]
    }

    /// The prepared messages that are timed.
    #[must_use]
    pub fn timed(&self) -> &[Message] {
        &self.messages[self.prefill..]
    }

    /// How messages become commands.
    #[must_use]
    pub fn forms(&self) -> &Forms {
        &self.forms
    }

    /// A venue with its accounts and an empty book.
    #[must_use]
    pub fn venue(&self) -> Venue {
        self.venue_of(self.config.clone())
    }

    /// The same of another configuration, which differs in what the opening does not meet.
    #[must_use]
    pub fn venue_of(&self, config: Config) -> Venue {
        let mut venue = Venue::new(config);
        let mut events = Events::with_capacity(self.opening.len());
        Engine::apply(&mut venue, &self.opening, &mut events);
        let refused = events.as_slice().iter().find(|e| e.kind == event::REJECTED);
        assert!(refused.is_none(), "the opening is refused: {refused:?}");
        venue
    }

    /// Compares what a venue made of the timed part, and where it stands after it, with the answer.
    ///
    /// # Errors
    /// [`BenchError::Answer`] naming what differs.
    pub fn check(&self, venue: &Venue, tape: &Tape) -> Result<(), BenchError> {
        let Expected { trades, resting, best_bid, best_ask, stale_cancels, digest } = &self.expected;
        self.equal("trades", &tape.trades, trades)?;
        self.equal("digest", &format!("{:016x}", tape.digest), digest)?;
        self.equal("refused commands", &tape.refused, stale_cancels)?;
        self.equal("resting", &resting_orders(venue), resting)?;
        self.equal("best_bid", &venue.best(MARKET, Side::Buy).map(Price::get), best_bid)?;
        self.equal("best_ask", &venue.best(MARKET, Side::Sell).map(Price::get), best_ask)
    }

    fn equal<T: PartialEq + std::fmt::Debug>(&self, what: &str, got: &T, want: &T) -> Result<(), BenchError> {
        if got == want {
            return Ok(());
        }
        let what = format!("{what}: {got:?}, expected {want:?}");
        Err(BenchError::Answer { workload: self.name.clone(), what })
    }

    /// Gives every message its account; a cancel that of its order, whatever it says itself.
    fn share_out(&mut self, accounts: u32, orders: usize) {
        let pairs = u64::from(accounts >> 1);
        let mut owners: Vec<u32> = Vec::with_capacity(orders);
        for message in &mut self.messages {
            if message.kind == CANCEL {
                message.account = owners[index(message.id)];
                // A cancel has neither.
                message.side = 0;
                message.price = 0;
            } else {
                let pair = ((mixed(message.id) >> 32) * pairs) >> 32;
                let pair = u32::try_from(pair).expect("below the number of accounts");
                message.account = 2 * pair + u32::from(message.side);
                owners.push(message.account);
            }
        }
    }

    /// The untimed first run: every order is accepted in its turn, and cancels get the id to name.
    fn rehearse(&mut self, ids: Ids, orders: usize) -> Result<(), BenchError> {
        let mut venue = self.venue();
        let mut events = Events::with_capacity(1024);
        let mut tape = Tape::default();
        let mut venue_ids: Vec<u64> = Vec::with_capacity(if ids == Ids::Venue { orders } else { 0 });
        let mut accepted = 0;
        for record in 0..self.messages.len() {
            let mut message = self.messages[record];
            message.id = match ids {
                Ids::Given => message.id,
                Ids::Hashed => mixed(message.id),
                Ids::Venue if message.kind == CANCEL => venue_ids[index(message.id)],
                Ids::Venue => 0,
            };
            self.messages[record] = message;
            if record == self.prefill {
                tape = Tape::default();
            }
            events.clear();
            Engine::apply(&mut venue, &[self.forms.command(&message)], &mut events);
            tape.read(events.as_slice());
            if message.kind == CANCEL {
                continue;
            }
            accepted += 1;
            let first = events.as_slice().first().copied().unwrap_or_default();
            if first.kind != event::ACCEPTED || OrderId::from_raw(first.order).acceptance() != accepted {
                let what = format!("record {record}: order {accepted} is not accepted but {first:?}");
                return Err(BenchError::Answer { workload: self.name.clone(), what });
            }
            if ids == Ids::Venue {
                venue_ids.push(first.order);
            }
        }
        self.check(&venue, &tape)
    }
}

/// The place of an id in a list by id.
fn index(id: u64) -> usize {
    usize::try_from(id - 1).expect("ids count orders")
}

/// Orders in the book.
#[must_use]
pub fn resting_orders(venue: &Venue) -> u64 {
    let levels = [Side::Buy, Side::Sell].map(|side| venue.depth(MARKET, side, usize::MAX));
    levels.iter().flatten().map(|level| u64::from(level.orders)).sum()
}

/// Bytes that the book holds, free room included.
#[must_use]
pub fn book_bytes(venue: &Venue) -> u64 {
    u64::try_from(venue.book_bytes(MARKET)).expect("64 bits")
}

/// Between the best bid and ask of the messages that build the book.
fn starting_mid(prefill: &[Message]) -> i64 {
    let prices = |side| prefill.iter().filter(move |m| m.side == side).map(|m| m.price);
    let (bid, ask) = (prices(0).max(), prices(1).min());
    let (bid, ask) = (bid.or(ask).unwrap_or(1), ask.or(bid).unwrap_or(1));
    i64::midpoint(bid, ask).max(1)
}

fn config(features: Features, ids: Ids, orders: usize) -> Value {
    let full = features == Features::Full;
    let client_ids = match ids {
        Ids::Given => json!({"dense": {"max": orders}}),
        Ids::Venue => json!("none"),
        Ids::Hashed => json!("hashed"),
    };
    let market = json!({
        "name": "BENCH", "cleared": full, "client_ids": client_ids, "tick_value": 1, "price_max": PRICE_MAX, "order_qty_max": QTY_MAX,
        "position_max": LOTS_MAX, "open_interest_max": LOTS_MAX,
        "fees": {"maker_ppm": 0, "taker_ppm": if full { 500 } else { 0 }},
        "tiers": [{"lower": 0, "initial_ppm": 20_000, "maintenance_ppm": 10_000}],
        "mark": {"method": "index", "basis_samples": 1}, "funding": null, "fund": 0,
        "phase": "continuous", "reopen_auction_ns": 0,
        "liquidation": {"enabled": full, "slice_ppm": 1_000_000, "slice_qty_min": 1, "full_below": 0,
                        "fee_ppm": 0, "fund_limit_ppm": 0},
        "adl": {"enabled": full, "method": "queue", "price": "bankruptcy", "band_ppm": null},
    });
    // Twice the mark is far away from every profile's prices, and yet every order is held against it.
    let band = json!({"name": "band", "markets": [0],
        "ranges": [{"reference": {"type": "mark"}, "width": {"type": "ppm", "ppm": 1_000_000}}],
        "test": {"type": "entry"}, "action": {"type": "reject"}});
    json!({
        "schema_version": 1, "name": "bench", "venue": 0, "seed": 0,
        "margin_call_ppm": if full { 1_250_000 } else { 0 }, "backstop": null, "last_resort": "remainder",
        "limits": {"accounts_max": features.accounts(), "orders_max": ORDERS_MAX,
                   "liquidation_rounds_per_step": 16, "funding_accounts_per_step": 1000,
                   "adl_closes_per_round": 1000, "adl_rank_max": 1000},
        "assets": [{"name": "USD", "decimals": 6, "deposits_max": 100_000 * DEPOSIT, "collateral": null}],
        "funds": [{"name": "main"}], "markets": [market],
        "breakers": if full { json!([band]) } else { json!([]) },
    })
}

fn opening(features: Features, mid: i64) -> Vec<Record> {
    let base = Record { at: AT, ..Record::default() };
    let open = Record { kind: command::OPEN_ACCOUNT, ..base };
    let deposit = |account| Record { kind: command::DEPOSIT, account, amount: DEPOSIT, ..base };
    let accounts = features.accounts();
    let mut commands = vec![open; usize::try_from(accounts).expect("32 bits fit")];
    if features == Features::Full {
        commands.extend((0..accounts).map(deposit));
        commands.push(Record { kind: command::INDEX, market: MARKET.get(), price: mid, ..base });
    }
    commands
}
