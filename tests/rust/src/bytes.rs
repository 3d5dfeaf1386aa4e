//! Bytes as a world: the first two choose the configuration, every few after them are a command. Any bytes mean
//! something and a changed byte means something near, which is what a fuzzer needs: `make fuzz`.
//!
//! Prices are said relative to the touch and orders by how long ago they came, as the naive venue shows them.

use crate::duel::{Duel, Script};
use crate::naive::words::{command, event, flag, order_type, term};
use crate::naive::{EVERY_ACCOUNT, NO_MARKET, Naive, SLOT_BITS};
use crate::orders::{ACCOUNTS, CELLS, Dialect, TICK, cell, middle, opening};
use seawall_core::Record;
use serde_json::Value;
use std::collections::VecDeque;

/// Bytes beyond these are not read: it is many short worlds that find something.
pub const BYTES_MAX: usize = 1024;
const QTYS: [i64; 16] = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 15, 20, 30, 60, 25];
/// How far from the middle of the touch.
const AWAY: [i64; 16] = [0, -1, 1, -2, 2, 0, -1, 1, -3, 3, -4, 4, -5, 5, -8, 8];
const PHASES: [u16; 16] = [1, 6, 1, 6, 1, 8, 1, 10, 1, 0, 1, 3, 7, 9, 11, 12];
const STRANGE: [i64; 8] = [0, -1, i64::MAX, i64::MIN, 1, 201, 65_536, 1_000_001];
const STEPS: [i64; 4] = [0, 0, 1, 4];

/// What a world came to.
#[derive(Debug, Default)]
pub struct Ran {
    /// Commands carried out.
    pub commands: u64,
    /// Events of all of them.
    pub events: Vec<Record>,
}

/// A difference between the venues.
#[derive(Debug)]
pub struct Finding {
    config: Value,
    script: Script,
    /// What differs, in words.
    pub what: String,
}

impl Finding {
    /// The configuration and the fewest commands found that show it, in words.
    #[must_use]
    pub fn shrunk(&self) -> String {
        format!("{}\n{}", self.config, self.script.shrink(&self.config))
    }
}

/// Which terms an order has, bit by bit as `Reader::terms` reads them.
const COMBINATIONS: [u8; 16] = [1, 1, 1, 2, 2, 4, 8, 16, 16, 32, 3, 5, 17, 20, 18, 22];

/// Runs the world of some bytes in both venues; the core checks itself in full after every command.
///
/// # Errors
/// If the venues differ, or the core panics.
pub fn run(bytes: &[u8]) -> Result<Ran, Box<Finding>> {
    let bytes = &bytes[..bytes.len().min(BYTES_MAX)];
    let mut reader = Reader::new(bytes);
    let (number, seed) = (u64::from(reader.byte()) % CELLS, u64::from(reader.byte()));
    let config = cell(number, seed, Dialect::Full);
    let mut duel = Duel::new(&config);
    reader.begin(duel.naive());
    duel.audit_in_full();
    (duel.depth_every, duel.snapshot_every) = (2, 32);
    let (mut script, mut ran) = (Script::default(), Ran::default());
    while let Some(command) = reader.next(duel.naive()) {
        match duel.apply(&command) {
            Ok(events) => {
                script.push(command, &events);
                reader.learn(&events);
                ran.commands += 1;
                ran.events.extend(events);
            }
            Err(difference) => {
                script.push(command, &[]);
                return Err(Box::new(Finding { config, script, what: difference.what }));
            }
        }
    }
    Ok(ran)
}

/// An order that came, as a later command names it.
#[derive(Debug, Clone, Copy)]
struct Given {
    id: u64,
    client: u64,
    market: u16,
    account: u32,
    price: i64,
    qty: i64,
}

struct Reader<'a> {
    bytes: std::slice::Iter<'a, u8>,
    pending: VecDeque<Record>,
    given: Vec<Given>,
    /// A field of the next command that is not what it should be, and its value.
    strange: Option<(u8, i64)>,
}

impl<'a> Reader<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        Self { bytes: bytes.iter(), pending: VecDeque::new(), given: Vec::new(), strange: None }
    }

    /// Every world begins with its accounts and an index.
    fn begin(&mut self, venue: &Naive) {
        self.pending.extend((0..ACCOUNTS).flat_map(|account| opening(account, Dialect::Full)));
        for market in [0, 1] {
            let price = middle(venue, market);
            self.push(Record { kind: command::INDEX, market, price, ..Record::default() });
        }
    }

    /// The next byte; 0 beyond the last.
    fn byte(&mut self) -> u8 {
        self.bytes.next().copied().unwrap_or(0)
    }

    /// Two numbers of four bits.
    fn nibbles(&mut self) -> (i64, i64) {
        let byte = self.byte();
        (i64::from(byte & 15), i64::from(byte >> 4))
    }

    /// Learns which orders there are.
    fn learn(&mut self, events: &[Record]) {
        for e in events.iter().filter(|e| e.kind == event::ACCEPTED) {
            // A fired order is accepted a second time.
            if self.given.iter().all(|g| g.id != e.order) {
                let client = e.amount.cast_unsigned();
                let (id, market, account) = (e.order, e.market, e.account);
                self.given.push(Given { id, client, market, account, price: e.price, qty: e.qty });
            }
        }
    }

    fn next(&mut self, venue: &Naive) -> Option<Record> {
        let mut step = 0;
        while self.pending.is_empty() {
            let byte = *self.bytes.next()?;
            step = STEPS[usize::from(byte >> 5 & 3)] * TICK;
            self.plan(venue, byte & 15, u16::from(byte >> 4 & 1));
        }
        let mut record = self.pending.pop_front()?;
        record.at = venue.now() + step;
        if !matches!(record.kind, command::OPEN_ACCOUNT | command::DEPOSIT)
            && let Some((field, value)) = self.strange.take()
        {
            spoil(&mut record, field, value);
        }
        Some(record)
    }

    fn push(&mut self, record: Record) {
        self.pending.push_back(record);
    }

    fn plan(&mut self, venue: &Naive, what: u8, market: u16) {
        match what {
            0..=4 => self.place(venue, market, false),
            5 | 6 => self.place(venue, market, true),
            7 => self.cancel(),
            8 => self.replace(),
            9 => self.cancel_all(market),
            10 => self.block(venue, market),
            11 => self.quote(venue, market),
            12 => self.index(venue, market),
            13 => self.set_phase(venue, market),
            14 => self.lone_term(market),
            _ => {
                let (field, value) = self.nibbles();
                let index = usize::try_from(value & 7).expect("three bits");
                match value {
                    8.. => self.push(Record { kind: command::PULSE, market: NO_MARKET, ..Record::default() }),
                    _ => self.strange = Some((u8::try_from(field).expect("four bits"), STRANGE[index])),
                }
            }
        }
    }

    /// Five bytes, and those of its terms before it.
    fn place(&mut self, venue: &Naive, market: u16, with_terms: bool) {
        let who = self.byte();
        // Twice as often the types that rest.
        let code = [order_type::LIMIT, order_type::LIMIT, 0, 0, 0, 1, 2, 3][usize::from(who >> 4 & 7)];
        let (account, side) = (u32::from(who & 7) % ACCOUNTS, who >> 3 & 1);
        let (away, qty) = self.nibbles();
        let price = if code == order_type::MARKET {
            0
        } else {
            middle(venue, market) + AWAY[usize::try_from(away).expect("four bits")]
        };
        // No flags in three quarters of the bytes; nonsense in few.
        let byte = self.byte();
        let mut flags = if byte & 0xc0 == 0 { u16::from(byte & 31) } else { 0 };
        if byte & 32 == 0 {
            flags |= if flags & flag::SLIDE != 0 { flag::POST_ONLY } else { 0 };
            flags &= if code == order_type::LIMIT { flags } else { flag::REDUCE_ONLY };
        }
        let (client, session) = self.nibbles();
        let client = client % 14;
        if session & 4 != 0 {
            flags |= (1 + u16::try_from(session & 3).expect("two bits")) << flag::MODE_SHIFT;
        }
        let qty = QTYS[usize::try_from(qty).expect("four bits")];
        let mut draft = Record { market, account, side, price, qty, code, flags, ..Record::default() };
        if with_terms {
            self.terms(venue, &mut draft);
        }
        let (kind, order) = (command::PLACE, client.cast_unsigned());
        let amount = if session & 8 != 0 { session & 3 } else { 0 };
        self.push(Record { kind, order, amount, ..draft });
    }

    /// A byte that says which terms, and one for each. The order is made one that may have them, mostly.
    fn terms(&mut self, venue: &Naive, draft: &mut Record) {
        let Record { market, account, .. } = *draft;
        let which = self.byte();
        let which = if which < 8 { which << 3 } else { COMBINATIONS[usize::from(which & 15)] };
        if which == 32 {
            (draft.code, draft.price) = (order_type::MARKET, 0);
            draft.flags &= flag::REDUCE_ONLY;
        } else if which & 0x17 > 1 {
            (draft.code, draft.flags) = (order_type::LIMIT, draft.flags & !(flag::HIDDEN | flag::DAY));
            draft.price = if draft.price == 0 { middle(venue, market) } else { draft.price };
        }
        let blank = Record { kind: command::TERM, market, account, ..Record::default() };
        if which & 1 != 0 {
            let (kind, away) = self.nibbles();
            let code = [term::STOP, term::TAKE_PROFIT, term::TRAILING, term::STOP]
                [usize::try_from(kind & 3).expect("two bits")];
            let watched = u16::try_from(kind >> 2).expect("two bits") % 3;
            let now = venue.prices(market)[usize::from(watched)].unwrap_or_else(|| middle(venue, market));
            let upwards = (draft.side == 0) == (code == term::STOP);
            let away = if away == 0 { -1 } else { 1 + (away >> 2) };
            let price = match (code == term::TRAILING, upwards) {
                (true, _) => away,
                (_, true) => now + away,
                (_, false) => now - away,
            };
            self.push(Record { code, flags: watched, price, ..blank });
        }
        if which & 2 != 0 {
            let qty = i64::from(self.byte() & 7);
            self.push(Record { code: term::DISPLAY, qty, ..blank });
        }
        if which & 4 != 0 {
            let amount = venue.now() + i64::from(self.byte() & 15) * TICK;
            self.push(Record { code: term::EXPIRY, amount, ..blank });
        }
        if which & 8 != 0 {
            let byte = i64::from(self.byte());
            let qty = if byte < 16 { byte } else { 1 + byte % draft.qty.max(1) };
            self.push(Record { code: term::MINIMUM, qty, ..blank });
        }
        if which & 16 != 0 {
            let byte = self.byte();
            let own = self.given.iter().rev().filter(|g| g.market == market && g.account == account);
            let own: Vec<u64> = own.map(|g| g.id).take(8).collect();
            let order = match own.len() {
                0 => self.name(byte).map_or(5 << SLOT_BITS, |g| g.id),
                count => own[usize::from(byte) % count],
            };
            self.push(Record { code: term::OTHER_LEG, order, ..blank });
        }
        if which & 32 != 0 {
            let (price, share) = self.nibbles();
            if share < 8 {
                self.push(Record { code: term::PROTECTION_TICKS, price, ..blank });
            } else {
                self.push(Record { code: term::PROTECTION_PPM, amount: (share - 7) * 10_000, ..blank });
            }
        }
    }

    /// An order by how long ago it came; it may be gone.
    fn name(&self, byte: u8) -> Option<Given> {
        let ago = usize::from(byte & 31) % self.given.len().max(1);
        self.given.iter().rev().nth(ago).copied()
    }

    /// A byte that names an order: by its id, by its client id, or as another account.
    fn named(&mut self, kind: u16) -> Option<(Record, Given)> {
        let byte = self.byte();
        let given = self.name(byte)?;
        let by_client = byte & 32 != 0 && given.client != 0;
        let account = if byte & 0xc0 == 0xc0 { (given.account + 1) % ACCOUNTS } else { given.account };
        let order = if by_client { given.client } else { given.id };
        let (market, flags) = (given.market, u16::from(by_client));
        Some((Record { kind, market, account, order, flags, ..Record::default() }, given))
    }

    fn cancel(&mut self) {
        if let Some((record, _)) = self.named(command::CANCEL) {
            self.push(record);
        }
    }

    fn replace(&mut self) {
        if let Some((record, given)) = self.named(command::REPLACE) {
            let (away, qty) = self.nibbles();
            let away = if away < 8 { 0 } else { away - 12 };
            let qty = if qty < 8 { given.qty + qty - 5 } else { 2 * (qty - 7) };
            self.push(Record { price: given.price + away, qty, ..record });
        }
    }

    fn cancel_all(&mut self, market: u16) {
        let byte = self.byte();
        let account = match byte & 7 {
            7 => EVERY_ACCOUNT,
            account => u32::from(account),
        };
        let (flags, side) = (u16::from(byte >> 3 & 3), byte >> 5 & 1);
        let amount = if flags & 2 == 0 { 0 } else { i64::from(byte >> 6) };
        let market = if byte & 0xc0 == 0xc0 { NO_MARKET } else { market };
        self.push(Record {
            kind: command::CANCEL_ALL,
            market,
            account,
            flags,
            side,
            amount,
            ..Record::default()
        });
    }

    fn block(&mut self, venue: &Naive, market: u16) {
        let (byte, (away, qty)) = (self.byte(), self.nibbles());
        let (account, order) = (u32::from(byte & 7) % ACCOUNTS, u64::from(byte >> 3 & 7));
        let price = middle(venue, market) + away - 8;
        let qty = 1 + qty;
        self.push(Record { kind: command::BLOCK, market, account, order, price, qty, ..Record::default() });
    }

    fn quote(&mut self, venue: &Naive, market: u16) {
        let (byte, (bids, asks), (below, width)) = (self.byte(), self.nibbles(), self.nibbles());
        let (account, code) = (u32::from(byte & 7) % ACCOUNTS, u16::from(byte >> 3 & 1));
        let flags = [0, 0, 0, flag::POST_ONLY, flag::POST_ONLY | flag::SLIDE, 0, 0, flag::SLIDE];
        let mode = u16::from(byte >> 7) * 3;
        let flags = flags[usize::from(byte >> 4 & 7)] | (mode << flag::MODE_SHIFT);
        let price = middle(venue, market) - below / 2;
        self.push(Record {
            kind: command::QUOTE,
            market,
            account,
            code,
            flags,
            price,
            qty: bids,
            amount: price + width - 1,
            order: asks.cast_unsigned(),
            ..Record::default()
        });
    }

    fn index(&mut self, venue: &Naive, market: u16) {
        let byte = self.byte();
        let price_max = venue.rules().markets[usize::from(market)].price_max;
        let old = venue.prices(market)[2].unwrap_or(price_max >> 1);
        let price = if byte < 16 { price_max >> 1 } else { (old + i64::from(byte & 15) - 8).max(1) };
        self.push(Record { kind: command::INDEX, market, price, ..Record::default() });
    }

    fn set_phase(&mut self, venue: &Naive, market: u16) {
        let (code, end) = self.nibbles();
        let code = PHASES[usize::try_from(code).expect("four bits")];
        let amount = if end < 8 || code == 1 { 0 } else { venue.now() + (end - 3) * TICK };
        self.push(Record { kind: command::SET_PHASE, market, code, amount, ..Record::default() });
    }

    /// A term, whatever comes after it; or, mostly, time that passes.
    fn lone_term(&mut self, market: u16) {
        if self.byte() > 40 {
            return self.push(Record { kind: command::PULSE, market: NO_MARKET, ..Record::default() });
        }
        let ((code, account), value) = (self.nibbles(), i64::from(self.byte()));
        let (code, account) = (code.cast_unsigned(), account.cast_unsigned());
        self.push(Record {
            kind: command::TERM,
            market,
            code: u16::try_from(code).expect("four bits"),
            account: u32::try_from(account).expect("four bits") % ACCOUNTS,
            price: value,
            qty: value,
            amount: value * TICK,
            order: value.cast_unsigned() << SLOT_BITS,
            ..Record::default()
        });
    }
}

/// Makes one field of a command strange.
fn spoil(record: &mut Record, field: u8, value: i64) {
    let small = u16::from(value.to_le_bytes()[0]);
    match field {
        0 => record.market = small,
        1 => record.account = u32::from(small),
        2 => record.side = 2,
        3 => record.code = small,
        4 => record.flags = small,
        5 | 6 => record.price = value,
        7 | 8 => record.qty = value,
        9 | 10 => record.amount = value,
        11 | 12 => record.order = value.cast_unsigned(),
        13 => record.at -= TICK,
        14 => record.order ^= 1,
        _ => record.kind = [0, 8, 99, 200][usize::from(small & 3)],
    }
}
