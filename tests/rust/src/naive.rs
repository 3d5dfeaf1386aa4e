//! A naive venue, written from docs/mechanics.md and from nothing else: sorted lists, everything looked up anew.
//!
//! It knows orders, books, triggers, phases, marks and positions. It knows no money: a configuration under test
//! has deposits so large that margin never binds, and neither funding nor rules of type move. Its order ids are
//! `acceptance number << 24`: a slot other than 0 names no order.

mod admit;
mod auction;
mod manage;
mod meet;
pub mod rules;
pub mod seen;
mod waiting;
pub mod words;

use rules::{MarketRules, Rules};
use seawall_core::Record;
use seen::{Seen, Situation};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use words::{command, event, flag, order_type, phase, reason, reject};

/// Market of an event or command that means none or every one.
pub const NO_MARKET: u16 = u16::MAX;
/// Account of a `CancelAll` of everyone.
pub const EVERY_ACCOUNT: u32 = u32::MAX;
/// Bits of an order id below the acceptance number.
pub const SLOT_BITS: u32 = 24;

/// Why a command is refused: a reject code.
type Refused<T = ()> = Result<T, u16>;

/// What a waiting order waits for.
#[derive(Debug, Clone, Copy)]
struct Trigger {
    /// 1 stop, 2 take-profit, 3 trailing stop.
    kind: u16,
    /// 0 last, 1 mark, 2 index.
    watched: u16,
    /// Trigger price, or the offset of a trailing stop.
    price: i64,
    /// The best price that a trailing stop has seen.
    best: Option<i64>,
    /// It has fired and is queued.
    fired: bool,
}

/// How a market order's limit follows from the touch.
#[derive(Debug, Clone, Copy)]
enum Protection {
    Ticks(i64),
    Ppm(i64),
}

/// Where an order is.
#[derive(Debug, Clone, Copy)]
enum Stand {
    Incoming,
    Resting,
    Waiting(Trigger),
}

/// An order that may still trade.
#[derive(Debug, Clone)]
struct Order {
    id: u64,
    account: u32,
    side: u8,
    code: u16,
    flags: u16,
    /// Its limit; 0 of a market order.
    price: i64,
    /// How far it may trade; none of a market order that nothing binds.
    limit: Option<i64>,
    /// Lots that trade next: shown ones, all of a hidden order or of one that does not rest.
    front: i64,
    /// Lots of an iceberg behind the shown ones.
    behind: i64,
    display: Option<i64>,
    expiry: Option<i64>,
    minimum: i64,
    protection: Option<Protection>,
    leg: Option<u64>,
    client: u64,
    session: i64,
    quote: Option<u16>,
    slid: bool,
    /// When it took its place in the queue of its price.
    arrival: u64,
    stand: Stand,
}

impl Order {
    fn open(&self) -> i64 {
        self.front + self.behind
    }

    fn has(&self, bit: u16) -> bool {
        self.flags & bit != 0
    }

    fn rests(&self) -> bool {
        matches!(self.stand, Stand::Resting)
    }

    fn waits(&self) -> bool {
        matches!(self.stand, Stand::Waiting(_))
    }

    fn shows(&self) -> bool {
        self.rests() && !self.has(flag::HIDDEN)
    }

    /// Sorts the orders of one side: better price, then shown before hidden, then longest resting.
    fn rank(&self) -> (i64, bool, u64) {
        let price = if self.side == 0 { -self.price } else { self.price };
        (price, self.has(flag::HIDDEN), self.arrival)
    }

    /// Type 0 without the reduce-only flag: counted as open.
    fn counts(&self) -> bool {
        self.code == order_type::LIMIT && !self.has(flag::REDUCE_ONLY) && !self.waits()
    }
}

/// One account.
#[derive(Debug, Clone)]
struct Account {
    group: u64,
    mode: u16,
}

/// One market.
#[derive(Debug)]
struct Market {
    rules: MarketRules,
    phase: u16,
    /// 0 for none.
    phase_end: i64,
    index: Option<i64>,
    mark: Option<i64>,
    last: Option<i64>,
    basis: Vec<i64>,
    /// Trade prices that waiting orders have not observed, with the last acceptance number at that time.
    trades: Vec<(i64, u64)>,
    /// True after an accepted index, until it is observed.
    told: bool,
    top: [Option<u64>; 2],
    arrivals: u64,
    orders: BTreeMap<u64, Order>,
    /// Signed lots by account.
    base: Vec<i64>,
    /// Client ids that were given once, for counting how often one is used again.
    used: BTreeSet<(u32, u64)>,
}

impl Market {
    fn new(rules: MarketRules) -> Self {
        Self {
            phase: rules.phase,
            rules,
            phase_end: 0,
            index: None,
            mark: None,
            last: None,
            basis: Vec::new(),
            trades: Vec::new(),
            told: false,
            top: [None, None],
            arrivals: 0,
            orders: BTreeMap::new(),
            base: Vec::new(),
            used: BTreeSet::new(),
        }
    }

    /// Resting orders of a side in order of priority.
    fn side(&self, side: u8) -> Vec<&Order> {
        let mut orders: Vec<&Order> = self.orders.values().filter(|o| o.rests() && o.side == side).collect();
        orders.sort_by_key(|o| o.rank());
        orders
    }

    /// The first resting order of a side.
    fn first(&self, side: u8) -> Option<&Order> {
        self.orders.values().filter(|o| o.rests() && o.side == side).min_by_key(|o| o.rank())
    }

    /// The best price of a side, hidden orders included.
    fn best(&self, side: u8) -> Option<i64> {
        self.first(side).map(|o| o.price)
    }

    /// The best shown price of a side.
    fn best_shown(&self, side: u8) -> Option<i64> {
        self.orders.values().filter(|o| o.shows() && o.side == side).min_by_key(|o| o.rank()).map(|o| o.price)
    }

    fn watched_price(&self, watched: u16) -> Option<i64> {
        match watched {
            0 => self.last,
            1 => self.mark,
            _ => self.index,
        }
    }

    /// What an account may still trade to make its position smaller with an order of `side`.
    fn reducible(&self, account: u32, side: u8) -> i64 {
        let base = self.base_of(account);
        if (side == 0 && base < 0) || (side == 1 && base > 0) { base.abs() } else { 0 }
    }

    fn base_of(&self, account: u32) -> i64 {
        self.base[index(account)]
    }

    /// Lots that count as open on a side of an account, besides those of one order.
    fn open_lots(&self, account: u32, side: u8, besides: u64) -> i64 {
        let counted = |o: &&Order| o.account == account && o.side == side && o.id != besides && o.counts();
        self.orders.values().filter(counted).map(Order::open).sum()
    }

    fn open_interest(&self) -> i64 {
        self.base.iter().filter(|&&b| b > 0).sum()
    }
}

fn index(number: u32) -> usize {
    usize::try_from(number).expect("32 bits fit")
}

/// The terms gathered so far.
#[derive(Debug, Clone, Default)]
struct Terms {
    /// Market and account of the first one.
    of: Option<(u16, u32)>,
    list: Vec<Record>,
    broken: bool,
}

/// A waiting order that fired and was not sent yet.
#[derive(Debug, Clone, Copy)]
struct Fired {
    market: usize,
    id: u64,
    price: i64,
}

/// One price level as others see it: price, shown lots, orders.
pub type ShownLevel = (i64, i64, u32);

/// The naive venue.
#[derive(Debug)]
pub struct Naive {
    rules: Rules,
    now: i64,
    seq: u64,
    acceptances: u64,
    accounts: Vec<Account>,
    deposited: Vec<i64>,
    markets: Vec<Market>,
    terms: Terms,
    queue: Vec<Fired>,
    /// True while a fired order is being sent, for counting cascades.
    cascading: bool,
    source: u8,
    out: Vec<Record>,
    /// What was reached so far.
    pub seen: Seen,
}

impl Naive {
    /// A venue without accounts.
    #[must_use]
    pub fn new(config: &Value) -> Self {
        let rules = Rules::new(config);
        Self {
            now: 0,
            seq: 0,
            acceptances: 0,
            accounts: Vec::new(),
            deposited: vec![0; rules.deposits_max.len()],
            markets: rules.markets.iter().cloned().map(Market::new).collect(),
            rules,
            terms: Terms::default(),
            queue: Vec::new(),
            cascading: false,
            source: 0,
            out: Vec::new(),
            seen: Seen::default(),
        }
    }

    /// The rules that it follows.
    #[must_use]
    pub fn rules(&self) -> &Rules {
        &self.rules
    }

    /// The venue's time.
    #[must_use]
    pub fn now(&self) -> i64 {
        self.now
    }

    /// The shown levels of a side, best first.
    #[must_use]
    pub fn depth(&self, market: u16, side: u8) -> Vec<ShownLevel> {
        let mut levels: Vec<ShownLevel> = Vec::new();
        for o in self.markets[usize::from(market)].side(side).iter().filter(|o| o.shows()) {
            match levels.last_mut() {
                Some(level) if level.0 == o.price => *level = (o.price, level.1 + o.front, level.2 + 1),
                _ => levels.push((o.price, o.front, 1)),
            }
        }
        levels
    }

    /// Signed lots of an account.
    #[must_use]
    pub fn position(&self, market: u16, account: u32) -> i64 {
        self.markets[usize::from(market)].base_of(account)
    }

    /// The last trade, the mark and the index of a market.
    #[must_use]
    pub fn prices(&self, market: u16) -> [Option<i64>; 3] {
        let market = &self.markets[usize::from(market)];
        [market.last, market.mark, market.index]
    }

    /// The phase of a market.
    #[must_use]
    pub fn phase(&self, market: u16) -> u16 {
        self.markets[usize::from(market)].phase
    }

    /// Carries one command out and gives its events.
    pub fn apply(&mut self, record: &Record) -> Vec<Record> {
        self.source = record.source;
        let gathered = self.terms.clone();
        if record.kind != command::TERM {
            self.terms = Terms::default();
        }
        let outcome = if !command::ALL.contains(&record.kind) {
            Err(reject::UNKNOWN_COMMAND)
        } else if record.at < self.now {
            Err(reject::TIME_BACKWARDS)
        } else {
            self.now = record.at;
            self.run_timers();
            self.carry_out(record, &gathered)
        };
        match outcome {
            Ok(()) => self.observe_and_send(),
            Err(code) => {
                self.terms.broken |= record.kind == command::TERM;
                self.refuse(record, code);
            }
        }
        std::mem::take(&mut self.out)
    }

    fn carry_out(&mut self, record: &Record, gathered: &Terms) -> Refused {
        match record.kind {
            command::PLACE => self.place(record, gathered),
            command::CANCEL => self.cancel_one(record),
            command::REPLACE => self.replace(record),
            command::CANCEL_ALL => self.cancel_all(record),
            command::BLOCK => self.block(record),
            command::TERM => self.gather(record),
            command::QUOTE => self.quote(record),
            command::OPEN_ACCOUNT => self.open_account(record),
            command::DEPOSIT => self.deposit(record),
            command::INDEX => self.index(record),
            command::SET_PHASE => self.set_phase(record),
            command::PULSE => Ok(()),
            other => panic!("the naive venue has no command {other}"),
        }
    }

    // Events.

    fn emit(&mut self, event: Record) {
        self.seq += 1;
        let (venue, at, seq, source) = (self.rules.venue, self.now, self.seq, self.source);
        self.out.push(Record { venue, at, seq, source, ..event });
    }

    fn refuse(&mut self, record: &Record, code: u16) {
        self.emit(Record { kind: event::REJECTED, flags: record.kind, code, ..*record });
    }

    /// An event about an order.
    fn tell(&mut self, kind: u16, m: usize, order: &Order, more: Record) {
        self.emit(Record {
            kind,
            market: number(m),
            account: order.account,
            order: order.id << SLOT_BITS,
            side: order.side,
            ..more
        });
    }

    // Looking things up.

    fn market_of(&self, market: u16) -> Refused<usize> {
        let m = usize::from(market);
        if m < self.markets.len() { Ok(m) } else { Err(reject::UNKNOWN_MARKET) }
    }

    fn known(&self, account: u32) -> Refused {
        if index(account) < self.accounts.len() { Ok(()) } else { Err(reject::UNKNOWN_ACCOUNT) }
    }

    // Time.

    /// Runs what is due, by (due time, market, expiry before phase).
    fn run_timers(&mut self) {
        loop {
            let mut due: Vec<(i64, usize, u8)> = Vec::new();
            for (m, market) in self.markets.iter().enumerate() {
                due.extend(market.orders.values().filter_map(|o| o.expiry).map(|at| (at, m, 0)));
                if phase::ends(market.phase) && market.phase_end != 0 {
                    due.push((market.phase_end, m, 1));
                }
            }
            match due.into_iter().filter(|d| d.0 <= self.now).min() {
                None => return,
                Some((at, m, 0)) => self.expire(at, m),
                Some((at, m, _)) => self.end_phase(at, m),
            }
        }
    }

    fn expire(&mut self, at: i64, m: usize) {
        let due: Vec<u64> =
            self.markets[m].orders.values().filter(|o| o.expiry == Some(at)).map(|o| o.id).collect();
        for id in due {
            // The first of two legs that expire together takes the other one along.
            if let Some(order) = self.markets[m].orders.get(&id) {
                let day = order.has(flag::DAY);
                let waits = order.waits();
                self.seen.mark(if waits { Situation::ExpiredWaiting } else { Situation::ExpiredResting });
                if day {
                    self.seen.mark(Situation::DayExpired);
                }
                self.cancel(m, id, reason::EXPIRED, 0);
            }
        }
    }

    fn end_phase(&mut self, at: i64, m: usize) {
        let market = &self.markets[m];
        let reopens = matches!(market.phase, phase::HALTED | phase::PAUSE);
        let length = market.rules.reopen_auction_ns;
        if reopens && length > 0 {
            self.enter_phase(m, phase::CALL_AUCTION, at + length);
        } else if phase::closes(market.phase) {
            self.enter_phase(m, phase::CLOSED, 0);
        } else {
            self.enter_phase(m, phase::CONTINUOUS, 0);
        }
    }

    fn enter_phase(&mut self, m: usize, new: u16, end: i64) {
        let old = self.markets[m].phase;
        if phase::matches(new) && !phase::matches(old) {
            self.uncross(m);
        }
        self.markets[m].phase = new;
        self.markets[m].phase_end = end;
        self.emit(Record {
            kind: event::PHASE_CHANGED,
            market: number(m),
            code: new,
            flags: old,
            amount: end,
            ..Record::default()
        });
    }

    // Taking orders out.

    /// Takes an order out whole, and what is tied to it.
    fn cancel(&mut self, m: usize, id: u64, why: u16, amount: i64) {
        let Some(order) = self.take_out(m, id) else { return };
        let more = Record { price: order.price, qty: order.open(), code: why, amount, ..Record::default() };
        self.tell(event::CANCELLED, m, &order, more);
        if let Some(leg) = order.leg
            && self.markets[m].orders.contains_key(&leg)
        {
            self.seen.mark(match why {
                reason::USER => Situation::LegByUser,
                reason::EXPIRED => Situation::LegByExpiry,
                reason::REDUCE_ONLY => Situation::LegByReduce,
                reason::SELF_TRADE => Situation::LegBySelfTrade,
                reason::REQUOTED => Situation::LegByRequote,
                reason::OPERATOR => Situation::LegByOperator,
                _ => unreachable!("nothing else ends a tied order: {why}"),
            });
            self.cancel_leg(m, leg);
        }
    }

    /// Cancels what is left of the other one of two tied orders.
    fn cancel_leg(&mut self, m: usize, leg: u64) {
        if let Some(order) = self.markets[m].orders.get_mut(&leg) {
            // Its tie ends with it: the order that caused this has its own event.
            order.leg = None;
            if matches!(order.stand, Stand::Incoming) {
                self.seen.mark(Situation::LegOfIncoming);
            }
            self.cancel(m, leg, reason::OTHER_LEG, 0);
        }
    }

    /// Takes lots off an order without a trade: those behind first, its place is kept.
    fn cut(&mut self, m: usize, id: u64, lots: i64, why: u16) {
        let order = &self.markets[m].orders[&id];
        assert!(lots > 0 && lots <= order.open(), "{lots} lots of {order:?}");
        if lots == order.open() {
            return self.cancel(m, id, why, 0);
        }
        let more = Record { price: order.price, qty: lots, code: why, ..Record::default() };
        let order = order.clone();
        self.tell(event::CANCELLED, m, &order, more);
        self.lower(m, id, lots);
    }

    fn lower(&mut self, m: usize, id: u64, lots: i64) {
        let order = self.markets[m].orders.get_mut(&id).expect("it is there");
        let behind = lots.min(order.behind);
        order.behind -= behind;
        order.front -= lots - behind;
    }

    /// Forgets an order wherever it is.
    fn take_out(&mut self, m: usize, id: u64) -> Option<Order> {
        let market = &mut self.markets[m];
        let order = market.orders.remove(&id)?;
        let top = &mut market.top[usize::from(order.side)];
        if *top == Some(id) {
            *top = None;
        }
        let queued = self.queue.len();
        self.queue.retain(|f| f.id != id);
        if self.queue.len() < queued {
            self.seen.mark(Situation::QueueCancelled);
        }
        Some(order)
    }

    /// What is left of an order that has met what it could: rests, or is cancelled.
    fn settle_rest(&mut self, m: usize, id: u64) {
        let Some(order) = self.markets[m].orders.get(&id) else { return };
        if order.code != order_type::LIMIT {
            return self.cancel(m, id, reason::IMMEDIATE, 0);
        }
        let (side, price, shown) = (order.side, order.rank().0, !order.has(flag::HIDDEN));
        let market = &mut self.markets[m];
        let better =
            !market.orders.values().any(|o| o.shows() && o.side == side && o.id != id && o.rank().0 <= price);
        if shown && better {
            market.top[usize::from(side)] = Some(id);
        }
        market.arrivals += 1;
        let order = market.orders.get_mut(&id).expect("it is there");
        order.stand = Stand::Resting;
        order.arrival = market.arrivals;
        if let Some(display) = order.display {
            let open = order.open();
            order.front = display.min(open);
            order.behind = open - order.front;
            self.seen.mark(Situation::IcebergRested);
            self.tell_shown(m, id);
        }
    }

    fn tell_shown(&mut self, m: usize, id: u64) {
        let order = self.markets[m].orders[&id].clone();
        let more = Record { price: order.price, qty: order.front, amount: order.behind, ..Record::default() };
        self.tell(event::SHOWN, m, &order, more);
    }
}

/// A market's number in a record.
fn number(m: usize) -> u16 {
    u16::try_from(m).expect("few markets")
}

#[cfg(test)]
mod tests;
