//! What liquidations cost a venue: a fall that liquidates half of the accounts mark by mark, and one jump that
//! makes a whole crowd liquidatable at once.
//!
//! The fall: as many longs as shorts, every long with money that is used up at a mark of its own among a hundred of
//! -0.5 % each. Makers bid for four fifths of what has to be sold; what the book does not take is closed with the
//! fund's money, then against the shorts. Who is liquidated at which mark is computed apart from the venue. The jump:
//! one mark; everybody is found, and waits in the queue worst first.

use crate::bench::timed;
use crate::crowd::{self, START, wrong};
use crate::generate::mixed;
use crate::workload::BenchError;
use seawall_core::protocol::{OrderType, command, event};
use seawall_core::{AccountId, Events, Record, Side, Venue};
use serde::Serialize;

/// Marks of the fall, and how far each one goes, in ppm.
const MARKS: u32 = 100;
const FALL: i64 = 5_000;
/// Lots of a long at least, and how many sizes there are.
const LOTS: i64 = 5;
const SIZES: u64 = 8;
/// Maintenance rate of the first tier, in ppm; the second has twice as much.
const MAINTENANCE: i64 = 10_000;
/// Accounts that bid, their share of what has to be sold, in fifths, and the prices between two bids.
const MAKERS: u32 = 16;
const BID_FIFTHS: i64 = 4;
const BID_STEP: i64 = 500;
/// The fund at first, as a part of the notional of all longs.
const FUND_PART: i64 = 2_000;

/// What to measure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CascadeOptions {
    /// Accounts of the fall, half of which are liquidated; an even number.
    pub accounts: u32,
    /// Accounts of the jump.
    pub jump_accounts: u32,
}

/// What was measured.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CascadeReport {
    /// Accounts of the fall.
    pub accounts: u32,
    /// Seconds of its marks through the venue, with liquidations, fund, ADL and events.
    pub seconds: f64,
    /// Seconds of the slowest mark.
    pub worst_mark_seconds: f64,
    /// Accounts that were liquidated, as computed apart from the venue.
    pub liquidated: u64,
    /// Trades in the book.
    pub trades: u64,
    /// Payments of the fund.
    pub fund_payments: u64,
    /// Positions of winners that were closed or cut.
    pub adl_closes: u64,
    /// Events.
    pub events: u64,
    /// Accounts of the jump.
    pub jump_accounts: u32,
    /// Seconds of its one mark: everybody found, and queued worst first.
    pub jump_seconds: f64,
}

/// The part that comes next.
#[derive(Debug, Clone, Copy)]
enum Part {
    Fall,
    Jump,
}

/// The benchmark of liquidations under way.
///
/// ```
/// use seawall_bench::{Cascade, CascadeOptions};
/// let report = Cascade::run(CascadeOptions { accounts: 2000, jump_accounts: 1000 })?;
/// assert_eq!(report.liquidated, 1000);
/// # Ok::<(), seawall_bench::BenchError>(())
/// ```
#[derive(Debug)]
pub struct Cascade {
    part: Part,
    report: CascadeReport,
}

/// A long of the fall: lots, money, and the mark at which it is liquidated.
#[derive(Debug, Clone, Copy)]
struct Long {
    lots: i64,
    money: i64,
}

impl Long {
    /// The long of a number: its money is used up somewhere on the way down.
    fn of(number: u32, longs: u32) -> Self {
        let lots = LOTS + i64::try_from(mixed(u64::from(number)) % SIZES).expect("a small number");
        // Evenly over the marks, each in the middle of its fall.
        let mark = 1 + i64::from(number) * i64::from(MARKS) / i64::from(longs);
        let price = i64::midpoint(fallen(mark), fallen(mark - 1));
        Self { lots, money: lots * (START - price) + requirement(lots * price) }
    }

    /// Equity below the maintenance requirement.
    fn is_liquidatable(self, price: i64) -> bool {
        self.money + self.lots * (price - START) < requirement(self.lots * price)
    }
}

/// Of a notional in the two tiers of [`crowd::market`]: 1 %, or 2 % less 1 % of five millions if that is more.
fn requirement(notional: i64) -> i64 {
    let up = |rate: i64| -(-notional * rate).div_euclid(1_000_000);
    up(MAINTENANCE).max(up(2 * MAINTENANCE) - 50_000)
}

/// The price after so many marks.
fn fallen(marks: i64) -> i64 {
    (0..marks).fold(START, |price, _| price - price * FALL / 1_000_000)
}

impl Cascade {
    /// Begins a benchmark.
    ///
    /// # Errors
    /// [`BenchError::Option`] for what cannot be measured.
    pub fn new(options: CascadeOptions) -> Result<Self, BenchError> {
        let CascadeOptions { accounts, jump_accounts } = options;
        if !(1_000..=1_000_000).contains(&accounts) || accounts % 2 != 0 {
            return crowd::refuse("accounts", format!("{accounts}: must be an even number, 1000 to 1000000"));
        }
        if !(1..=10_000_000).contains(&jump_accounts) {
            return crowd::refuse("jump_accounts", format!("{jump_accounts}: must be 1 to 10000000"));
        }
        let report = CascadeReport {
            accounts,
            seconds: 0.0,
            worst_mark_seconds: 0.0,
            liquidated: 0,
            trades: 0,
            fund_payments: 0,
            adl_closes: 0,
            events: 0,
            jump_accounts,
            jump_seconds: 0.0,
        };
        Ok(Self { part: Part::Fall, report })
    }

    /// Measures from beginning to end.
    ///
    /// # Errors
    /// As [`Cascade::new`] and [`Cascade::step`].
    pub fn run(options: CascadeOptions) -> Result<CascadeReport, BenchError> {
        let mut cascade = Self::new(options)?;
        loop {
            if let Some(report) = cascade.step()? {
                return Ok(report);
            }
        }
    }

    /// Steps taken, of how many.
    #[must_use]
    pub fn progress(&self) -> (usize, usize) {
        match self.part {
            Part::Fall => (0, 2),
            Part::Jump => (1, 2),
        }
    }

    /// Takes the next step; the report after the last one.
    ///
    /// # Errors
    /// [`BenchError::Answer`] if somebody is liquidated who should not be, or the other way round.
    pub fn step(&mut self) -> Result<Option<CascadeReport>, BenchError> {
        match self.part {
            Part::Fall => {
                self.fall()?;
                self.part = Part::Jump;
                Ok(None)
            }
            Part::Jump => {
                self.jump()?;
                Ok(Some(self.report.clone()))
            }
        }
    }

    /// The venue before the fall: longs are even accounts, shorts odd ones, makers after them.
    fn venue(&self, longs: &[Long]) -> Result<Venue, BenchError> {
        let accounts = self.report.accounts;
        let lots: i64 = longs.iter().map(|long| long.lots).sum();
        let markets = [crowd::market(0, 4 * lots, true)];
        let mut venue = Venue::new(crowd::config(&markets, accounts + MAKERS, false, u32::MAX)?);
        crowd::apply(&mut venue, [crowd::index(0, START, 0)].into_iter())?;
        let pairs = || (0u32..).step_by(2).zip(longs);
        crowd::apply(
            &mut venue,
            pairs().flat_map(|(a, long)| {
                let short = crowd::open(a + 1, long.lots * START);
                crowd::open(a, long.money).into_iter().chain(short)
            }),
        )?;
        crowd::apply(&mut venue, pairs().map(|(a, long)| crowd::block(0, a, a + 1, long.lots)))?;
        let makers = accounts..accounts + MAKERS;
        crowd::apply(&mut venue, makers.flat_map(|a| crowd::open(a, lots * START)))?;
        crowd::apply(&mut venue, bids(accounts, lots))?;
        let fund =
            Record { kind: command::FUND_DEPOSIT, amount: lots * START / FUND_PART, ..Record::default() };
        crowd::apply(&mut venue, [fund].into_iter())?;
        Ok(venue)
    }

    fn fall(&mut self) -> Result<(), BenchError> {
        let count = self.report.accounts / 2;
        let longs: Vec<Long> = (0..count).map(|i| Long::of(i, count)).collect();
        let mut venue = self.venue(&longs)?;
        let mut events = Events::with_capacity(1 << 20);
        // One that recovers by a part of a sale may be liquidated again; it counts once.
        let mut seen = vec![false; venue.accounts()];
        for mark in 1..=i64::from(MARKS) {
            let price = fallen(mark);
            events.clear();
            let record = crowd::index(0, price, mark);
            let ((), seconds) = timed(|| venue.apply_record(&record, &mut events));
            self.count(&events, seconds, &mut seen);
            let expected = longs.iter().filter(|long| long.is_liquidatable(price)).count();
            let expected = u64::try_from(expected).expect("64 bits");
            if self.report.liquidated != expected {
                let what =
                    format!("mark {mark}: {} accounts liquidated, not {expected}", self.report.liquidated);
                return Err(wrong("cascade", what));
            }
            endangered(&venue)?;
        }
        let proof = venue.conservation();
        if proof.ok { Ok(()) } else { Err(wrong("cascade", format!("money is not conserved: {proof:?}"))) }
    }

    fn count(&mut self, events: &Events, seconds: f64, seen: &mut [bool]) {
        let report = &mut self.report;
        report.seconds += seconds;
        report.worst_mark_seconds = report.worst_mark_seconds.max(seconds);
        for e in events.as_slice() {
            report.events += 1;
            match e.kind {
                event::LIQUIDATION_STARTED => {
                    let seen = &mut seen[AccountId::new(e.account).index()];
                    report.liquidated += u64::from(!std::mem::replace(seen, true));
                }
                event::FILL => report.trades += u64::from(e.side == Side::Buy.code()),
                event::FUND_PAID => report.fund_payments += 1,
                event::ADL_FILL => report.adl_closes += 1,
                _ => {}
            }
        }
    }

    /// Everybody is long against one account, with a little money each, and the price falls by a fifth.
    fn jump(&mut self) -> Result<(), BenchError> {
        let accounts = self.report.jump_accounts;
        let lots = |a: u32| 1 + i64::try_from(mixed(u64::from(a)) % SIZES).expect("a small number");
        // Between 3 and 15 % of the notional: less than what is lost.
        let money =
            |a: u32| lots(a) * START / 100 * (3 + i64::try_from(mixed(!u64::from(a)) % 13).expect("small"));
        let all: i64 = (0..accounts).map(lots).sum();
        let markets = [crowd::market(0, 2 * all, true)];
        let mut venue = Venue::new(crowd::config(&markets, accounts + 1, false, 1)?);
        crowd::apply(&mut venue, [crowd::index(0, START, 0)].into_iter())?;
        crowd::apply(&mut venue, (0..accounts).flat_map(|a| crowd::open(a, money(a))))?;
        crowd::apply(&mut venue, crowd::open(accounts, all * START).into_iter())?;
        crowd::apply(&mut venue, (0..accounts).map(|a| crowd::block(0, a, accounts, lots(a))))?;
        let mut events = Events::with_capacity(0);
        let record = crowd::index(0, START / 5 * 4, 1);
        let ((), seconds) = timed(|| venue.apply_record(&record, &mut events));
        self.report.jump_seconds = seconds;
        let started: Vec<&Record> =
            events.as_slice().iter().filter(|e| e.kind == event::LIQUIDATION_STARTED).collect();
        if u32::try_from(started.len()) != Ok(accounts) {
            return Err(wrong("cascade", format!("{} of {accounts} accounts found", started.len())));
        }
        // Equity, then requirement; ties by account.
        let is_worse = |a: &Record, b: &Record| {
            let (left, right) =
                (i128::from(a.amount) * i128::from(b.qty), i128::from(b.amount) * i128::from(a.qty));
            left < right || left == right && a.account < b.account
        };
        if started.windows(2).any(|pair| !is_worse(pair[0], pair[1])) {
            return Err(wrong("cascade", "the queue is not worst first".to_owned()));
        }
        Ok(())
    }
}

/// Bids of the makers over the whole way down, four fifths of all lots.
fn bids(accounts: u32, lots: i64) -> impl Iterator<Item = Record> {
    let last = fallen(i64::from(MARKS));
    let count = (START - last) / BID_STEP;
    let each = lots * BID_FIFTHS / 5 / count + 1;
    (0..count).map(move |i| Record {
        kind: command::PLACE,
        code: OrderType::Limit.code(),
        account: accounts + u32::try_from(i).expect("few bids") % MAKERS,
        side: Side::Buy.code(),
        price: START - (i + 1) * BID_STEP,
        qty: each,
        ..Record::default()
    })
}

/// Nobody may be liquidatable who is not in liquidation.
fn endangered(venue: &Venue) -> Result<(), BenchError> {
    let missed = (0..venue.accounts())
        .map(AccountId::from_index)
        .find(|a| venue.health(*a).is_liquidatable() && !venue.is_in_liquidation(*a));
    missed.map_or(Ok(()), |a| Err(wrong("cascade", format!("account {a} is endangered and was not found"))))
}
