//! The workload made on the fly: bit for bit what `benches/workload_gen.py` writes, messages and answer.
//!
//! Its docstring describes the model. The matcher in here is another style than the venue's book on purpose: a
//! tree of queues by price whose finished orders are skipped when they come to the front. Memory grows with the
//! orders ever sent.

use crate::workload::{BenchError, CANCEL, Expected, IOC, Message, NEW, PRICE_MAX, Workload};
use std::collections::{BTreeMap, VecDeque};

/// The step of the counter and of the seed.
const GAMMA: u64 = 0x9E37_79B9_7F4A_7C15;
/// The digest of no trades.
pub const DIGEST_OF_NOTHING: u64 = 0xCBF2_9CE4_8422_2325;
const DIGEST_PRIME: u64 = 0x0000_0100_0000_01B3;
/// Finished orders that stale cancels draw from: at this many the older half is forgotten.
const FINISHED_MAX: usize = 4096;
/// Timed messages that a generated workload may have: 3.2 GB of them.
pub const TIMED_MAX: usize = 100_000_000;

/// Adds a trade to a digest.
#[must_use]
pub const fn folded(digest: u64, trade: [u64; 4]) -> u64 {
    let [maker, taker, price, qty] = trade;
    let digest = (digest ^ maker).wrapping_mul(DIGEST_PRIME);
    let digest = (digest ^ taker).wrapping_mul(DIGEST_PRIME);
    let digest = (digest ^ price).wrapping_mul(DIGEST_PRIME);
    (digest ^ qty).wrapping_mul(DIGEST_PRIME)
}

/// The finalizer of splitmix64: scrambles 64 bits, one to one.
#[must_use]
pub const fn mixed(number: u64) -> u64 {
    let z = (number ^ (number >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// What a workload is drawn from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Params {
    /// Timed messages.
    pub timed: usize,
    /// Orders that build the book, and about which the number of resting orders hovers.
    pub depth: usize,
    /// Width of the prices on each side of the mid.
    pub band: u64,
    /// The mid at the beginning.
    pub mid: i64,
    /// The mid moves once in so many messages.
    pub moves: u64,
    /// Orders whose rest is dropped, per thousand messages.
    pub ioc: u64,
    /// One in so many of them has a hundredfold quantity.
    pub sweep: u64,
    /// Cancels of orders that are gone, per thousand cancels.
    pub stale: u64,
    /// Ticks by which the mid falls over the middle third.
    pub crash: i64,
    /// Seed of everything random.
    pub seed: u64,
}

const TOUCH50: Params = Params {
    timed: 3_000_000,
    depth: 50_000,
    band: 50,
    mid: 50_000,
    moves: 1024,
    ioc: 100,
    sweep: 1000,
    stale: 10,
    crash: 0,
    seed: 1,
};

/// The workloads with a name: four that are measured, and one to show that size does not matter.
pub const PROFILES: [(&str, Params); 5] = [
    ("touch50", TOUCH50),
    ("shallow", Params { depth: 10_000, ..TOUCH50 }),
    ("wide", Params { band: 2000, ..TOUCH50 }),
    ("crash", Params { depth: 20_000, band: 500, moves: 64, sweep: 100, crash: 15_000, ..TOUCH50 }),
    ("million", Params { depth: 1_000_000, band: 2_000_000, mid: 5_000_000, ..TOUCH50 }),
];

impl Params {
    /// The profile of a name.
    #[must_use]
    pub fn of(profile: &str) -> Option<Self> {
        PROFILES.iter().find(|(name, _)| *name == profile).map(|(_, params)| *params)
    }

    /// The same with another number of timed messages and another seed, where they are given.
    pub(crate) fn with(self, n: Option<usize>, seed: Option<u64>) -> Self {
        Self { timed: n.unwrap_or(self.timed), seed: seed.unwrap_or(self.seed), ..self }
    }

    /// The words of a record.
    fn words(&self, record: u64) -> [u64; 3] {
        let base = self.seed.wrapping_mul(GAMMA);
        [1, 2, 3].map(|j| mixed(base.wrapping_add((3 * record + j).wrapping_mul(GAMMA))))
    }
}

/// A new order: what was sent of it and what still rests.
#[derive(Debug, Clone, Copy)]
struct Order {
    price: i64,
    /// Open quantity; 0 if it does not rest.
    open: u64,
    /// Its place among those that rest.
    place: usize,
    side: u8,
}

/// The orders of one side at one price; some of them may be gone.
#[derive(Debug, Default)]
struct Queue {
    ids: VecDeque<u64>,
    resting: usize,
}

/// Makes a workload message by message, and knows its answer at the end.
#[derive(Debug)]
pub struct Generator {
    name: String,
    params: Params,
    messages: Vec<Message>,
    mid: i64,
    /// By id less one.
    orders: Vec<Order>,
    /// Ids of resting orders, in no order that matters but this one.
    live: Vec<u64>,
    finished: Vec<u64>,
    /// By side.
    levels: [BTreeMap<i64, Queue>; 2],
    digest: u64,
    trades: u64,
    stale: u64,
}

impl Generator {
    /// Begins a workload of a profile; `name` is for people.
    ///
    /// # Errors
    /// [`BenchError::Option`] for a number of messages that is 0 or above [`TIMED_MAX`].
    pub fn new(name: &str, params: Params) -> Result<Self, BenchError> {
        if !(1..=TIMED_MAX).contains(&params.timed) {
            let why = format!("{}: must be 1 to {TIMED_MAX} timed messages", params.timed);
            return Err(BenchError::Option { field: "n".to_owned(), why });
        }
        Ok(Self {
            name: name.to_owned(),
            params,
            messages: Vec::with_capacity(params.depth + params.timed),
            mid: params.mid,
            orders: Vec::new(),
            live: Vec::with_capacity(2 * params.depth),
            finished: Vec::with_capacity(2 * FINISHED_MAX),
            levels: [BTreeMap::new(), BTreeMap::new()],
            digest: DIGEST_OF_NOTHING,
            trades: 0,
            stale: 0,
        })
    }

    /// Makes a whole workload.
    ///
    /// ```
    /// use seawall_bench::{Generator, Params};
    /// let params = Params { timed: 1000, depth: 100, ..Params::of("touch50").expect("it has a name") };
    /// let workload = Generator::workload("touch50", params)?;
    /// assert_eq!((workload.prefill, workload.timed().len()), (100, 1000));
    /// # Ok::<(), seawall_bench::BenchError>(())
    /// ```
    ///
    /// # Errors
    /// As [`Generator::new`] and [`Generator::extend`].
    pub fn workload(name: &str, params: Params) -> Result<Workload, BenchError> {
        let mut generator = Self::new(name, params)?;
        generator.extend(usize::MAX)?;
        Ok(generator.finish())
    }

    /// Messages made so far, of how many.
    #[must_use]
    pub fn progress(&self) -> (usize, usize) {
        (self.messages.len(), self.params.depth + self.params.timed)
    }

    /// Makes up to so many further messages.
    ///
    /// # Errors
    /// [`BenchError::Option`] if a price leaves the domain.
    pub fn extend(&mut self, count: usize) -> Result<(), BenchError> {
        let (done, all) = self.progress();
        for record in done..all.min(done.saturating_add(count)) {
            let message = self.message(record)?;
            self.messages.push(message);
        }
        Ok(())
    }

    /// The workload, once every message is made.
    #[must_use]
    pub fn finish(self) -> Workload {
        let (done, all) = self.progress();
        assert!(done == all, "{done} of {all} messages are made");
        let expected = Expected {
            trades: self.trades,
            resting: u64::try_from(self.live.len()).expect("64 bits"),
            best_bid: self.best(0),
            best_ask: self.best(1),
            stale_cancels: self.stale,
            digest: format!("{:016x}", self.digest),
        };
        Workload { name: self.name, messages: self.messages, prefill: self.params.depth, expected }
    }

    fn best(&self, side: usize) -> Option<i64> {
        let mut prices = self.levels[side].keys().copied();
        if side == 0 { prices.next_back() } else { prices.next() }
    }

    fn message(&mut self, record: usize) -> Result<Message, BenchError> {
        let [a, b, c] = self.params.words(u64::try_from(record).expect("64 bits"));
        let mut kind = NEW;
        if let Some(t) = record.checked_sub(self.params.depth) {
            self.move_mid(a, t);
            let r = a & 0xFFFF_FFFF;
            let share_new = if self.live.len() < self.params.depth { 70 } else { 30 };
            kind = if r % 1000 < self.params.ioc {
                IOC
            } else if (r / 1000) % 100 < share_new || self.live.is_empty() {
                NEW
            } else {
                CANCEL
            };
        }
        if kind == CANCEL { Ok(self.cancel(b, c)) } else { self.place(kind, [a, b, c]) }
    }

    /// The mid before timed message `t`.
    fn move_mid(&mut self, word: u64, t: usize) {
        let params = &self.params;
        match (word >> 48) % (2 * params.moves) {
            0 => self.mid += 1,
            1 => self.mid -= 1,
            _ => {}
        }
        let (begin, end) = (params.timed / 3, 2 * params.timed / 3);
        if params.crash != 0 && (begin..end).contains(&t) {
            let fallen = |steps: usize| {
                let steps = i64::try_from(steps).expect("bounded by TIMED_MAX");
                steps * params.crash / i64::try_from(end - begin).expect("bounded by TIMED_MAX")
            };
            self.mid -= fallen(t - begin + 1) - fallen(t - begin);
        }
    }

    fn cancel(&mut self, b: u64, c: u64) -> Message {
        let message = Message { kind: CANCEL, ..Message::default() };
        if !self.finished.is_empty() && (c & 0xFFFF) % 1000 < self.params.stale {
            self.stale += 1;
            let id = self.finished[drawn(b >> 8, self.finished.len())];
            return Message { id, ..message };
        }
        let id = self.live[drawn(b, self.live.len())];
        let Order { price, side, .. } = self.orders[at(id)];
        self.drop_order(id);
        Message { side, id, price, ..message }
    }

    fn place(&mut self, kind: u8, [a, b, c]: [u64; 3]) -> Result<Message, BenchError> {
        let Params { band, sweep, .. } = self.params;
        let is_buy = (a >> 32) & 1 == 0;
        let side = u8::from(!is_buy);
        let mut qty = 1 + (c >> 16) % if kind == IOC { 50 } else { 100 };
        let away = if kind == IOC {
            if (c >> 40) % sweep == 0 {
                qty *= 100;
            }
            -i64::try_from(band).expect("a band is within the domain")
        } else {
            let near = ((b & 0xFFFF_FFFF) % band).min((b >> 32) % band);
            1 + i64::try_from(near).expect("a band is within the domain")
        };
        let price = if is_buy { self.mid - away } else { self.mid + away };
        if !(1..=PRICE_MAX).contains(&price) {
            let why = format!("{price}: the mid moved until a price left 1 to {PRICE_MAX}; lower n");
            return Err(BenchError::Option { field: "n".to_owned(), why });
        }
        let id = u64::try_from(self.orders.len()).expect("64 bits") + 1;
        self.orders.push(Order { price, open: 0, place: 0, side });
        let left = self.meet(id, side, price, qty);
        if kind == IOC {
            self.finished.push(id);
        } else if left > 0 {
            self.orders[at(id)].open = left;
            self.orders[at(id)].place = self.live.len();
            self.live.push(id);
            let queue = self.levels[usize::from(side)].entry(price).or_default();
            queue.ids.push_back(id);
            queue.resting += 1;
        }
        Ok(Message { kind, side, padding: 0, account: 0, id, price, qty })
    }

    /// Matches an order by price, then time; returns what is left of it.
    fn meet(&mut self, taker: u64, side: u8, limit: i64, qty: u64) -> u64 {
        let opposite = usize::from(1 - side);
        let mut left = qty;
        while left > 0 {
            let Some(best) = self.best(opposite) else { break };
            if if side == 0 { best > limit } else { best < limit } {
                break;
            }
            let queue = self.levels[opposite].get_mut(&best).expect("the best price has a queue");
            let maker = *queue.ids.front().expect("a queue with a resting order");
            let open = self.orders[at(maker)].open;
            if open == 0 {
                queue.ids.pop_front();
                continue;
            }
            let lots = open.min(left);
            self.digest = folded(self.digest, [maker, taker, best.cast_unsigned(), lots]);
            self.trades += 1;
            left -= lots;
            if lots == open {
                queue.ids.pop_front();
                self.drop_order(maker);
            } else {
                self.orders[at(maker)].open -= lots;
            }
        }
        left
    }

    /// A resting order is gone; its queue forgets it later.
    fn drop_order(&mut self, id: u64) {
        let Order { price, place, side, .. } = self.orders[at(id)];
        self.orders[at(id)].open = 0;
        self.live.swap_remove(place);
        if let Some(&moved) = self.live.get(place) {
            self.orders[at(moved)].place = place;
        }
        self.finished.push(id);
        if self.finished.len() > FINISHED_MAX {
            self.finished.drain(..FINISHED_MAX / 2);
        }
        let levels = &mut self.levels[usize::from(side)];
        let queue = levels.get_mut(&price).expect("a resting order has a queue");
        queue.resting -= 1;
        if queue.resting == 0 {
            levels.remove(&price);
        }
    }
}

/// The place of an order in a list by id.
fn at(id: u64) -> usize {
    usize::try_from(id - 1).expect("ids count orders")
}

/// A place in a list of so many.
fn drawn(word: u64, count: usize) -> usize {
    let count = u64::try_from(count).expect("64 bits");
    usize::try_from(word % count).expect("below a length")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the documents of the workload give for seed 1 and 3,000,000 messages.
    const KNOWN: [(&str, u64, &str); 4] = [
        ("touch50", 596_423, "08fd8166fd59db3f"),
        ("shallow", 483_584, "4ea40ded513a80f5"),
        ("wide", 459_703, "e7b7ffc8da8a5f63"),
        ("crash", 869_513, "6adf8fb688eb3e97"),
    ];

    #[test]
    fn the_profiles_at_full_size_have_the_known_answers() {
        for (name, trades, digest) in KNOWN {
            let workload = Generator::workload(name, Params::of(name).unwrap()).unwrap();
            assert_eq!(
                (workload.expected.trades, workload.expected.digest.as_str()),
                (trades, digest),
                "{name}"
            );
        }
    }

    #[test]
    fn pieces_make_the_same_workload_as_one_go() {
        let params = Params { timed: 5000, depth: 500, seed: 7, ..TOUCH50 };
        let mut pieces = Generator::new("touch50", params).unwrap();
        while pieces.progress().0 < pieces.progress().1 {
            pieces.extend(777).unwrap();
        }
        assert_eq!(pieces.finish(), Generator::workload("touch50", params).unwrap());
    }

    #[test]
    fn a_number_of_messages_that_cannot_be_is_refused() {
        for timed in [0, TIMED_MAX + 1] {
            let told = Generator::new("x", Params { timed, ..TOUCH50 }).unwrap_err().to_string();
            assert!(told.contains(&format!("n: {timed}: must be 1 to")), "{told}");
        }
    }

    #[test]
    fn a_price_that_leaves_the_domain_is_refused() {
        let params = Params { mid: 10, ..TOUCH50 };
        let told = Generator::workload("x", params).unwrap_err().to_string();
        assert!(told.contains("left 1 to"), "{told}");
    }
}
