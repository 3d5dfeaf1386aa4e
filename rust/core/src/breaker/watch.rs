//! What references are made of: one state for each reference of a market, fed at the end of a step.

use super::bounds::Spot;
use super::rule::Standing;
use crate::codec::{CodecError, Reader, Writer};
use crate::config::{Reference, Watched};
use crate::stairs::{Stairs, TAKEN_MAX};
use crate::units::{Nanos, Ppm, Price, Ratio, Side, deviation_down, slew_limit};
use std::collections::VecDeque;

/// The prices of a step: the lowest, the highest, the last, their sum and number.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Seen {
    pub(super) low: Price,
    pub(super) high: Price,
    pub(super) last: Price,
    /// In range: prices have 24 bits, and a step has fewer fills than there are acceptance numbers, 40 bits.
    sum: i64,
    count: u64,
}

impl Seen {
    pub(super) const fn one(price: Price) -> Self {
        Self { low: price, high: price, last: price, sum: price.get(), count: 1 }
    }

    /// Prices from a first to a last one that went one way, with their sum and number.
    #[inline(always)]
    pub(super) fn from_to(first: Price, last: Price, (sum, count): (i64, u64)) -> Self {
        Self { low: first.min(last), high: first.max(last), last, sum, count }
    }

    #[inline(always)]
    pub(super) fn add(&mut self, price: Price) {
        if self.count == 0 {
            *self = Self::one(price);
            return;
        }
        self.low = self.low.min(price);
        self.high = self.high.max(price);
        self.last = price;
        self.sum += price.get();
        self.count += 1;
    }

    /// True if there is a price.
    #[inline(always)]
    pub(super) fn is_some(&self) -> bool {
        self.count > 0
    }

    #[inline(always)]
    pub(super) fn forget(&mut self) {
        self.count = 0;
    }
}

/// The prices of a step and its time.
pub(super) type Step = (Nanos, Seen);

/// Steps that are told together. Room for them is made at once, so that nothing is called to note one.
#[derive(Debug, Clone, Default)]
pub(super) struct Steps {
    steps: Vec<Step>,
    count: usize,
}

impl Steps {
    /// With room for steps, if there will be any.
    pub(super) fn new(any: bool) -> Self {
        Self { steps: vec![Step::default(); if any { TAKEN_MAX } else { 0 }], count: 0 }
    }

    /// Adds a step; false if there is no room.
    #[inline(always)]
    pub(super) fn put(&mut self, step: Step) -> bool {
        let Some(room) = self.steps.get_mut(self.count) else { return false };
        *room = step;
        self.count += 1;
        true
    }

    pub(super) fn is_empty(&self) -> bool {
        self.count == 0
    }

    pub(super) fn all(&self) -> &[Step] {
        &self.steps[..self.count]
    }

    pub(super) fn clear(&mut self) {
        self.count = 0;
    }
}

/// Appends the last prices of some steps; of steps at one time the last one counts.
fn note_lasts(list: &mut VecDeque<(Nanos, Price)>, steps: &[Step]) {
    if list.back().is_some_and(|(at, _)| *at == steps[0].0) {
        list.pop_back();
    }
    let mut lasts = [(Nanos::ZERO, Price::ZERO); TAKEN_MAX];
    let mut count = 0;
    for pair in steps.windows(2) {
        let [(at, seen), (next, _)] = pair else { continue };
        lasts[count] = (*at, seen.last);
        count += usize::from(at != next);
    }
    let (at, seen) = &steps[steps.len() - 1];
    lasts[count] = (*at, seen.last);
    list.extend(&lasts[..=count]);
}

/// Lowest and highest prices of the last while, and the price that stood before it.
#[derive(Debug, Clone, Default)]
struct Window {
    /// The price standing before the window.
    standing: Option<Price>,
    /// Last price of each step in the window, oldest first.
    lasts: VecDeque<(Nanos, Price)>,
    stairs: Stairs<Price>,
}

impl Window {
    fn expire(&mut self, edge: Nanos) {
        while let Some(&(_, price)) = self.lasts.front().filter(|(at, _)| *at <= edge) {
            self.standing = Some(price);
            self.lasts.pop_front();
        }
        self.stairs.expire(edge);
    }

    /// Takes the prices of some steps, oldest first.
    fn observe(&mut self, steps: &[Step]) {
        self.stairs.take(steps, |(at, seen)| (*at, seen.low, seen.high));
        note_lasts(&mut self.lasts, steps);
    }

    /// The lowest and the highest price of what has not expired, the price that stood before it included.
    fn extremes(&self) -> Option<(Price, Price)> {
        match (self.standing, self.stairs.extremes()) {
            (Some(s), Some((l, h))) => Some((s.min(l), s.max(h))),
            (Some(s), None) => Some((s, s)),
            (None, extremes) => extremes,
        }
    }

    /// When the extremes may change by time alone. The price that stood before the window matters only while it is one of
    /// them: what takes its place is within those that are left.
    fn changes(&self, length: Nanos) -> Nanos {
        let front = |list: &VecDeque<(Nanos, Price)>| list.front().map_or(Nanos::MAX, |e| e.0.later(length));
        let next = front(&self.stairs.highs).min(front(&self.stairs.lows));
        let decides = self.standing.zip(self.stairs.extremes()).is_some_and(|(s, (l, h))| s < l || s > h);
        if decides { next.min(front(&self.lasts)) } else { next }
    }

    fn restart(&mut self, standing: Price) {
        *self = Self { standing: Some(standing), ..Self::default() };
    }
}

/// The time of a step, its sum and count: in range as those of [`Seen`] are.
type Summed = (Nanos, i64, u64);

/// Sums over the last while.
#[derive(Debug, Clone, Default)]
struct Sums {
    steps: VecDeque<Summed>,
    /// Steps of one price each, whose squares are summed as well.
    squared: bool,
    sum: i128,
    squares: i128,
    count: u64,
}

impl Sums {
    fn new(squared: bool) -> Self {
        Self { squared, ..Self::default() }
    }

    /// What a step adds to the squares.
    fn square(&self, sum: i64) -> i128 {
        if self.squared { i128::from(sum) * i128::from(sum) } else { 0 }
    }

    /// Takes some steps, oldest first: room is made for all at once.
    fn add<T>(&mut self, steps: &[T], of: impl Fn(&T) -> Summed) {
        self.steps.extend(steps.iter().map(&of));
        let all = steps.iter().map(&of);
        let (sum, count) = all.clone().fold((0, 0), |(sum, count), step| (sum + step.1, count + step.2));
        self.sum += i128::from(sum);
        self.count += count;
        if self.squared {
            self.squares += all.map(|step| self.square(step.1)).sum::<i128>();
        }
    }

    fn expire(&mut self, edge: Nanos) {
        while let Some(&(_, sum, count)) = self.steps.front().filter(|s| s.0 <= edge) {
            self.sum -= i128::from(sum);
            self.squares -= self.square(sum);
            self.count -= count;
            self.steps.pop_front();
        }
    }

    fn mean(&self) -> Option<Ratio> {
        (self.count > 0).then(|| Ratio::mean(self.sum, self.count))
    }

    fn changes(&self, length: Nanos) -> Nanos {
        self.steps.front().map_or(Nanos::MAX, |s| s.0.later(length))
    }
}

/// Prices between which everything is that was seen in the last while, and perhaps in a little more: no mean of it is
/// outside, whatever of it falls out.
#[derive(Debug, Clone, Copy)]
struct Hull {
    /// The prices since a time, and those of a while before it.
    since: Nanos,
    young: Room,
    old: Room,
}

impl Hull {
    const NOTHING: Self = Self { since: Nanos::new(i64::MIN), young: Room::NOTHING, old: Room::NOTHING };

    fn add(&mut self, at: Nanos, seen: Room, window: Nanos) {
        if at >= self.since.later(window) {
            *self = Self { since: at, young: Room::NOTHING, old: self.young };
        }
        self.young = self.young.or(&seen);
    }

    fn all(&self) -> Room {
        self.young.or(&self.old)
    }
}

/// The mean of a window's trades (their sum and number), and whether it takes the place of the reference: if it differs
/// by at least the first number of `rule` and the reference is at least as old as the second (limit up-limit down).
/// Without a trade there is none, and the reference stays.
#[must_use]
pub fn mean_reference(
    reference: &Ratio,
    age: Nanos,
    trades: (i128, u64),
    rule: (Ppm, Nanos),
) -> (Option<Ratio>, bool) {
    let (sum, count) = trades;
    if count == 0 {
        return (None, false);
    }
    let candidate = Ratio::mean(sum, count);
    (Some(candidate), age >= rule.1 && candidate.differs_by(rule.0, reference))
}

#[derive(Debug, Clone)]
enum State {
    /// Mark, index, touch: kept elsewhere.
    Nothing,
    /// One price.
    One(Option<Price>),
    /// Prices that are not old enough yet, the newest that is, and the first ever.
    Aged {
        old: Option<Price>,
        first: Option<Price>,
        young: VecDeque<(Nanos, Price)>,
    },
    Mean {
        sums: Sums,
        reference: Option<(Ratio, Nanos)>,
        /// What follows from the sums: where their prices are.
        hull: Hull,
    },
    Window(Window),
    Sums(Sums),
}

/// How many prices that are not old enough are looked at ahead.
const AHEAD: usize = 64;

/// Prices that are told at the end of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Feed {
    /// None of them.
    Nothing,
    Trades,
    Marks,
}

/// What has become of the price of a reference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Moved {
    /// It is what it was.
    Not,
    /// It is another one, with which everything is still inside that bounds of its room have inside.
    Within,
    /// It is another one.
    Beyond,
}

/// The prices between which a reference may move, lowest and highest, before bounds have to be evaluated anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Room {
    pub(super) low: Price,
    pub(super) high: Price,
}

impl Room {
    /// No price.
    pub(super) const NOTHING: Self = Self { low: Price::MAX, high: Price::new(i64::MIN) };

    /// So many ticks around what upper bounds are measured from, and lower ones.
    pub(super) fn around(spot: &Spot, ticks: Price) -> Self {
        let (up, down) = (spot.ticks(Side::Buy), spot.ticks(Side::Sell));
        Self { low: up.min(down) - ticks, high: up.max(down) + ticks }
    }

    #[inline(always)]
    pub(super) fn has(&self, price: Price) -> bool {
        self.low <= price && price <= self.high
    }

    /// True if everything in another is in it.
    fn holds(&self, other: &Self) -> bool {
        self.low <= other.low && other.high <= self.high
    }

    /// The least that has both in it.
    fn or(&self, other: &Self) -> Self {
        Self { low: self.low.min(other.low), high: self.high.max(other.high) }
    }

    /// What is in both.
    pub(super) fn and(&self, other: &Self) -> Self {
        Self { low: self.low.max(other.low), high: self.high.min(other.high) }
    }

    fn has_all(&self, quick: &Quick) -> bool {
        match quick {
            Quick::Prices(Some((low, high))) => self.holds(&Self { low: *low, high: *high }),
            Quick::Mean(Some(mean)) => mean.is_between(self.low, self.high),
            Quick::Prices(None) | Quick::Mean(None) | Quick::Sums(..) => false,
        }
    }
}

/// A reference of one market, and the state that it needs.
#[derive(Debug, Clone)]
pub(super) struct Watch {
    pub(super) reference: Reference,
    /// The rule that is told its price, or whose trip starts it anew; such a reference is not shared.
    pub(super) owner: Option<u16>,
    pub(super) feed: Feed,
    state: State,
    /// The price may be another than when the rules looked at it last.
    pub(super) is_new: bool,
    /// What the price followed from when it was looked at last.
    stood: Quick,
    /// Where bounds allow for its moves; none where every one counts.
    pub(super) room: Option<Room>,
}

impl Watch {
    pub(super) fn new(reference: Reference, owner: Option<u16>) -> Self {
        let state = match reference {
            Reference::Set { price } => State::One(price),
            Reference::Auction | Reference::Last { .. } | Reference::Slewed { .. } => State::One(None),
            Reference::Aged { .. } => State::Aged { old: None, first: None, young: VecDeque::new() },
            Reference::Mean { .. } => {
                State::Mean { sums: Sums::default(), reference: None, hull: Hull::NOTHING }
            }
            Reference::Window { .. } => State::Window(Window::default()),
            Reference::IndexPremium { .. } => State::Sums(Sums::new(false)),
            Reference::Deviation { .. } => State::Sums(Sums::new(true)),
            Reference::Mark | Reference::Index | Reference::Touch | Reference::Mid => State::Nothing,
        };
        let feed = match reference {
            Reference::Last { prices }
            | Reference::Aged { prices, .. }
            | Reference::Window { prices, .. } => match prices {
                Watched::Trade => Feed::Trades,
                Watched::Mark => Feed::Marks,
            },
            Reference::Mean { .. } => Feed::Trades,
            Reference::Deviation { .. } => Feed::Marks,
            _ => Feed::Nothing,
        };
        Self { reference, owner, feed, state, is_new: true, stood: Quick::Prices(None), room: None }
    }

    /// True if a step may move its price a little.
    pub(super) fn moves(reference: &Reference) -> bool {
        matches!(
            reference,
            Reference::Last { .. }
                | Reference::Aged { .. }
                | Reference::Window { .. }
                | Reference::Mean { .. }
        )
    }

    /// True if it follows from a price that is kept elsewhere and is another now.
    pub(super) fn stands_anew(&self, before: &Standing, now: &Standing) -> bool {
        match self.reference {
            Reference::Mark => before.mark != now.mark,
            Reference::Index | Reference::IndexPremium { .. } => before.index != now.index,
            Reference::Touch | Reference::Mid => (before.bid, before.ask) != (now.bid, now.ask),
            _ => false,
        }
    }

    /// True if its price follows from the mark or the index as it stands.
    pub(super) fn follows_prices(&self) -> bool {
        matches!(self.reference, Reference::Mark | Reference::Index) || self.watches_index()
    }

    /// True if it needs every index.
    pub(super) fn watches_index(&self) -> bool {
        matches!(self.reference, Reference::Slewed { .. } | Reference::IndexPremium { .. })
    }

    /// Takes the trades or marks of some steps, oldest first, at least one.
    pub(super) fn observe(&mut self, steps: &[Step]) -> Moved {
        let (at, seen) = &steps[steps.len() - 1];
        match (&mut self.state, &self.reference) {
            (State::Window(window), Reference::Window { window_ns, .. }) => {
                window.observe(steps);
                window.expire(at.earlier(*window_ns));
            }
            (State::One(last), _) => *last = Some(seen.last),
            (State::Aged { first, young, .. }, _) => {
                first.get_or_insert(steps[0].1.last);
                note_lasts(young, steps);
            }
            (State::Mean { sums, hull, .. }, Reference::Mean { window_ns, .. }) => {
                sums.add(steps, |(at, seen)| (*at, seen.sum, seen.count));
                let rooms = steps.iter().map(|(_, seen)| Room { low: seen.low, high: seen.high });
                let all = rooms.fold(Room::NOTHING, |all, room| all.or(&room));
                hull.add(*at, all, *window_ns);
                // Steps before the last one were calm: the mean did not take the reference's place, or does so with each.
                self.let_go(*at);
                self.renew(*at);
            }
            (State::Sums(sums), _) => {
                sums.add(steps, |(at, seen)| (*at, seen.last.get(), 1));
                self.let_go(*at);
            }
            (State::Nothing | State::Window(_) | State::Mean { .. }, _) => {}
        }
        self.settle()
    }

    /// The prices that steps may have, and until when, so that the price stays in its room with them; none if every step has
    /// to be told at once.
    pub(super) fn admits(&self) -> Option<(Room, Nanos)> {
        let room = self.room?;
        match (&self.state, &self.reference) {
            (
                State::Mean { reference: Some((price, since)), hull, .. },
                Reference::Mean { hysteresis_ppm, life_ns, .. },
            ) => {
                let inner = match (hysteresis_ppm.is_zero(), life_ns.is_zero()) {
                    // What differs too little does not take its place at any age.
                    (false, _) => near(price, *hysteresis_ppm, &room),
                    // It takes its place with every step.
                    (true, true) => room,
                    (true, false) => Room::NOTHING,
                };
                // A mean of prices is between them.
                Some(if inner.holds(&hull.all()) {
                    (inner, Nanos::MAX)
                } else {
                    (room, since.later(*life_ns))
                })
            }
            (State::Mean { .. }, _) => None,
            _ => Some((room, Nanos::MAX)),
        }
    }

    /// Until when time alone does not take the price out of its room, whatever is seen in it from now on.
    pub(super) fn stays_until(&self, now: Nanos) -> Nanos {
        match (&self.state, &self.reference, &self.room) {
            // What falls out of a window leaves what is between the others.
            (State::Window(_), _, Some(_)) => Nanos::MAX,
            (State::Aged { young, .. }, Reference::Aged { age_ns, .. }, Some(room)) => {
                let out = young.iter().take(AHEAD).find(|(_, price)| !room.has(*price));
                let next = out.or_else(|| young.get(AHEAD)).map_or(now, |(at, _)| *at);
                next.later(*age_ns)
            }
            _ => self.changes(),
        }
    }

    /// Notes what the price follows from now, and how that is to what it followed from.
    pub(super) fn settle(&mut self) -> Moved {
        let now = self.quick();
        if self.stood.is(&now) {
            return Moved::Not;
        }
        (self.stood, self.is_new) = (now, true);
        if self.room.is_some_and(|room| room.has_all(&now)) { Moved::Within } else { Moved::Beyond }
    }

    /// The rules have looked at it, and its bounds allow for moves in a room.
    pub(super) fn settle_in(&mut self, room: Option<Room>) {
        (self.stood, self.is_new, self.room) = (self.quick(), false, room);
    }

    /// What the price follows from, where that is quickly said.
    #[inline]
    fn quick(&self) -> Quick {
        match (&self.state, &self.reference) {
            (State::One(price), _) => Quick::Prices(price.map(|p| (p, p))),
            (State::Window(window), _) => Quick::Prices(window.extremes()),
            (State::Aged { old, first, .. }, Reference::Aged { or_first, .. }) => {
                Quick::Prices(old.or(first.filter(|_| *or_first)).map(|p| (p, p)))
            }
            (State::Mean { reference, .. }, _) => Quick::Mean(reference.map(|(price, _)| price)),
            (State::Sums(sums), _) => Quick::Sums(sums.sum, sums.squares, sums.count),
            _ => Quick::Prices(None),
        }
    }

    /// Lets go of what is too old at a time.
    pub(super) fn expire(&mut self, now: Nanos) -> Moved {
        if now < self.changes() {
            return Moved::Not;
        }
        self.let_go(now);
        self.settle()
    }

    /// Lets go of what is too old at a time. What is left depends on the time alone and not on who looked before.
    fn let_go(&mut self, now: Nanos) {
        match (&mut self.state, self.reference) {
            (State::Window(window), Reference::Window { window_ns, .. }) => {
                window.expire(now.earlier(window_ns));
            }
            (State::Aged { old, young, .. }, Reference::Aged { age_ns, .. }) => {
                while let Some(&(_, price)) = young.front().filter(|(at, _)| *at <= now.earlier(age_ns)) {
                    *old = Some(price);
                    young.pop_front();
                }
            }
            (
                State::Sums(sums),
                Reference::IndexPremium { window_ns } | Reference::Deviation { window_ns },
            )
            | (State::Mean { sums, .. }, Reference::Mean { window_ns, .. }) => {
                sums.expire(now.earlier(window_ns));
            }
            _ => {}
        }
    }

    /// The mean of the trades takes the place of the reference, if it is time.
    fn renew(&mut self, now: Nanos) {
        let (State::Mean { sums, reference, .. }, Reference::Mean { hysteresis_ppm, life_ns, .. }) =
            (&mut self.state, &self.reference)
        else {
            return;
        };
        let mean = match reference {
            None => sums.mean(),
            Some((_, since)) if now.since(*since) < *life_ns => None,
            // Every mean differs by nothing at least.
            Some(_) if hysteresis_ppm.is_zero() => sums.mean(),
            Some((price, since)) => {
                let (age, rule) = (now.since(*since), (*hysteresis_ppm, *life_ns));
                match mean_reference(price, age, (sums.sum, sums.count), rule) {
                    (mean, true) => mean,
                    _ => None,
                }
            }
        };
        if let Some(mean) = mean {
            *reference = Some((mean, now));
        }
    }

    /// Takes a new index, and the middle of the book in half ticks.
    pub(super) fn index(&mut self, at: Nanos, index: Price, mid: Option<i64>) {
        self.is_new = true;
        match (&mut self.state, self.reference) {
            (State::One(last), Reference::Slewed { most_ppm }) => {
                *last = Some(last.map_or(index, |last| slew_limit(last, index, most_ppm)));
            }
            (State::Sums(sums), Reference::IndexPremium { .. }) => {
                if let Some(mid) = mid {
                    sums.add(&[mid - 2 * index.get()], |sum| (at, *sum, 2));
                }
                self.let_go(at);
            }
            _ => {}
        }
    }

    /// Takes the price of an auction.
    pub(super) fn auction(&mut self, price: Price) {
        self.is_new = true;
        if let (State::One(last), Reference::Auction) = (&mut self.state, self.reference) {
            *last = Some(price);
        }
    }

    /// Takes a price that is told.
    pub(super) fn set(&mut self, price: Price) -> bool {
        let (State::One(told), Reference::Set { .. }) = (&mut self.state, self.reference) else {
            return false;
        };
        *told = Some(price);
        self.is_new = true;
        true
    }

    /// Begins anew with one price.
    pub(super) fn restart(&mut self, now: Nanos, price: Price) {
        self.is_new = true;
        match &mut self.state {
            // A price that is told, or that of an auction, stays.
            State::One(_) if matches!(self.reference, Reference::Set { .. } | Reference::Auction) => {}
            State::One(last) => *last = Some(price),
            State::Aged { old, first, young } => {
                (*old, *first) = (Some(price), Some(price));
                young.clear();
            }
            State::Mean { sums, reference, hull } => {
                (*sums, *hull) = (Sums::default(), Hull::NOTHING);
                *reference = Some((Ratio::of_price(price), now));
            }
            State::Window(window) => window.restart(price),
            State::Sums(_) | State::Nothing => {}
        }
    }

    /// The price; `outside` gives what is kept elsewhere. What is too old has expired before.
    pub(super) fn spot(&self, outside: impl Fn(&Reference) -> Option<Spot>) -> Option<Spot> {
        let one = |price: Price| Spot::at(Ratio::of_price(price));
        match (&self.state, &self.reference) {
            (State::Nothing, reference) => outside(reference),
            (State::One(price), _) => price.map(one),
            (State::Aged { old, first, .. }, Reference::Aged { or_first, .. }) => {
                old.or(first.filter(|_| *or_first)).map(one)
            }
            (State::Aged { old, .. }, _) => old.map(one),
            (State::Mean { reference, .. }, _) => reference.map(|(price, _)| Spot::at(price)),
            (State::Window(window), _) => window
                .extremes()
                .map(|(low, high)| Spot { up: Ratio::of_price(low), down: Ratio::of_price(high) }),
            (State::Sums(sums), Reference::Deviation { .. }) => {
                (sums.count > 0).then(|| Spot::at(deviation_down(sums.sum, sums.squares, sums.count)))
            }
            (State::Sums(sums), _) => {
                let index = outside(&Reference::Index)?;
                // Without a sample the premium is zero.
                Some(sums.mean().map_or(index, |premium| Spot::at(index.of_index().plus(premium))))
            }
        }
    }

    /// When the price changes by time alone.
    pub(super) fn changes(&self) -> Nanos {
        match (&self.state, self.reference) {
            (State::Window(window), Reference::Window { window_ns, .. }) => window.changes(window_ns),
            (State::Aged { young, .. }, Reference::Aged { age_ns, .. }) => {
                young.front().map_or(Nanos::MAX, |(at, _)| at.later(age_ns))
            }
            (
                State::Sums(sums),
                Reference::IndexPremium { window_ns } | Reference::Deviation { window_ns },
            ) => sums.changes(window_ns),
            _ => Nanos::MAX,
        }
    }

    /// The state at a time, as if everybody had looked.
    pub(super) fn encode(&self, now: Nanos, w: &mut Writer) {
        let mut at_now = self.clone();
        at_now.let_go(now);
        match &at_now.state {
            State::Nothing => {}
            State::One(price) => w.option(price.map(Price::get)),
            State::Aged { old, first, young } => {
                w.option(old.map(Price::get));
                w.option(first.map(Price::get));
                encode_prices(young, w);
            }
            State::Mean { sums, reference, .. } => {
                encode_sums(sums, w);
                w.bool(reference.is_some());
                if let Some((price, since)) = reference {
                    w.i128(price.numerator());
                    w.i128(price.denominator().cast_signed());
                    w.i64(since.get());
                }
            }
            State::Window(window) => {
                w.option(window.standing.map(Price::get));
                for list in [&window.lasts, &window.stairs.highs, &window.stairs.lows] {
                    encode_prices(list, w);
                }
            }
            State::Sums(sums) => encode_sums(sums, w),
        }
    }

    pub(super) fn decode(&mut self, price_max: Price, r: &mut Reader<'_>) -> Result<(), CodecError> {
        match &mut self.state {
            State::Nothing => {}
            State::One(price) => *price = decode_price(price_max, r)?,
            State::Aged { old, first, young } => {
                *old = decode_price(price_max, r)?;
                *first = decode_price(price_max, r)?;
                decode_prices(young, price_max, r)?;
            }
            State::Mean { sums, reference, hull } => {
                decode_sums(sums, r)?;
                // The mean of each step is between its prices, and no mean of several is beyond those.
                for (at, sum, count) in &sums.steps {
                    let mean = Ratio::mean((*sum).into(), *count);
                    let seen =
                        Room { low: mean.inward(Side::Buy, false), high: mean.inward(Side::Sell, false) };
                    if let Reference::Mean { window_ns, .. } = self.reference {
                        hull.add(*at, seen, window_ns);
                    }
                }
                if r.bool()? {
                    let (n, d, since) = (r.i128()?, r.i128()?, Nanos::new(r.i64()?));
                    if d <= 0 || n <= 0 || n > i128::from(i64::MAX) * d.min(1 << 40) || d > 1 << 64 {
                        return Err(r.invalid("a mean is out of range; take another copy"));
                    }
                    *reference = Some((Ratio::exact(n, d), since));
                }
            }
            State::Window(window) => {
                window.standing = decode_price(price_max, r)?;
                for list in [&mut window.lasts, &mut window.stairs.highs, &mut window.stairs.lows] {
                    decode_prices(list, price_max, r)?;
                }
            }
            State::Sums(sums) => decode_sums(sums, r)?,
        }
        Ok(())
    }
}

/// The prices of a room that differ from a mean by less than a share of it.
fn near(mean: &Ratio, share: Ppm, room: &Room) -> Room {
    let far = mean.times_ppm(share);
    // Strictly: a price at the end differs enough.
    let (low, high) = (mean.minus(far).inward(Side::Sell, true), mean.plus(far).inward(Side::Buy, true));
    room.and(&Room { low, high })
}

/// What a price follows from.
#[derive(Debug, Clone, Copy)]
enum Quick {
    /// The lowest and the highest of some prices.
    Prices(Option<(Price, Price)>),
    /// A mean.
    Mean(Option<Ratio>),
    /// A sum, that of squares, and their number.
    Sums(i128, i128, u64),
}

impl Quick {
    /// True if they are written alike: what differs only in how it is written counts as another.
    #[inline]
    fn is(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Prices(a), Self::Prices(b)) => a == b,
            (Self::Mean(Some(a)), Self::Mean(Some(b))) => {
                (a.numerator(), a.denominator()) == (b.numerator(), b.denominator())
            }
            (Self::Mean(None), Self::Mean(None)) => true,
            (Self::Sums(a, b, c), Self::Sums(d, e, f)) => (a, b, c) == (d, e, f),
            _ => false,
        }
    }
}

impl Spot {
    fn of_index(&self) -> Ratio {
        self.up
    }

    /// A side's price in whole ticks, for events: down.
    pub(super) fn ticks(&self, side: Side) -> Price {
        match side {
            Side::Buy => self.up.step_down(Price::new(1)),
            Side::Sell => self.down.step_down(Price::new(1)),
        }
    }
}

fn encode_prices(list: &VecDeque<(Nanos, Price)>, w: &mut Writer) {
    w.len(list.len());
    for (at, price) in list {
        w.i64(at.get());
        w.i64(price.get());
    }
}

fn decode_price(price_max: Price, r: &mut Reader<'_>) -> Result<Option<Price>, CodecError> {
    let price = r.option()?.map(Price::new);
    match price {
        Some(p) if !p.is_positive() || p > price_max => {
            Err(r.invalid("a price of a breaker is outside its domain; take another copy"))
        }
        price => Ok(price),
    }
}

fn decode_prices(
    list: &mut VecDeque<(Nanos, Price)>,
    price_max: Price,
    r: &mut Reader<'_>,
) -> Result<(), CodecError> {
    for _ in 0..r.len()? {
        let (at, price) = (Nanos::new(r.i64()?), Price::new(r.i64()?));
        if !price.is_positive() || price > price_max || list.back().is_some_and(|last| at < last.0) {
            return Err(r.invalid("prices of a breaker are outside their domain; take another copy"));
        }
        list.push_back((at, price));
    }
    Ok(())
}

fn encode_sums(sums: &Sums, w: &mut Writer) {
    w.len(sums.steps.len());
    for (at, sum, count) in &sums.steps {
        w.i64(at.get());
        w.i128((*sum).into());
        w.i128(sums.square(*sum));
        w.u64(*count);
    }
}

fn decode_sums(sums: &mut Sums, r: &mut Reader<'_>) -> Result<(), CodecError> {
    /// Squares of prices are below it: so many of them as there may be add up.
    const SQUARE_MAX: i128 = 1 << 80;
    for _ in 0..r.len()? {
        let (at, sum, squares, count) = (Nanos::new(r.i64()?), r.i128()?, r.i128()?, r.u64()?);
        let is_next = sums.steps.back().is_none_or(|last| at >= last.0) && (1..1 << 32).contains(&count);
        let fits = |sum: &i64| is_next && squares < SQUARE_MAX && squares == sums.square(*sum);
        let Some(sum) = i64::try_from(sum).ok().filter(fits) else {
            return Err(r.invalid("sums of a breaker are out of range; take another copy"));
        };
        sums.add(&[(at, sum, count)], |step| *step);
    }
    Ok(())
}

#[cfg(test)]
impl Watch {
    /// Since when a mean is the reference, and its least age.
    pub(super) fn reference_since(&self) -> Option<(Nanos, Nanos)> {
        match (&self.state, &self.reference) {
            (State::Mean { reference: Some((_, since)), .. }, Reference::Mean { life_ns, .. }) => {
                Some((*since, *life_ns))
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_forgets_extremes_and_keeps_the_standing_price() {
        let mut w = Window::default();
        for (at, price) in [(1, 100), (2, 120), (3, 90)] {
            w.observe(&[(Nanos::new(at), Seen::one(Price::new(price)))]);
        }
        let mut since = |edge| {
            w.expire(Nanos::new(edge));
            w.extremes().map(|(low, high)| (low.get(), high.get()))
        };
        // 120 stood when the window after 2 began, so it still counts; 100 does not.
        assert_eq!([0, 2, 3].map(&mut since), [Some((90, 120)), Some((90, 120)), Some((90, 90))]);
    }

    #[test]
    fn squares_that_no_prices_have_are_refused_before_they_are_added_up() {
        for (price, fits) in [(1 << 31, true), (1 << 62, false)] {
            let mut kept = Sums::new(true);
            kept.steps.extend([(Nanos::new(1), price, 1); 2]);
            let mut w = Writer::new();
            encode_sums(&kept, &mut w);
            let read = decode_sums(&mut Sums::new(true), &mut Reader::new(&w.finish(), "sums"));
            assert_eq!(read.is_ok(), fits, "{price}");
        }
    }
}
