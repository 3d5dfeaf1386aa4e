//! Everybody else who trades: noise, a trend follower, an arbitrageur, holders who close, exogenous flow.
//!
//! All of them send immediate-or-cancel orders; each kind has its own switch and its own keys, so that switching one
//! off changes no draw of another.

use crate::path::round;
use crate::rng::{Seed, agent, lognormal, purpose};
use crate::scenario::{Flow as Model, Switches};
use seawall_core::{AccountId, Command, MarketId, Price, Qty, Side, Venue, protocol};

/// How far through the index a flow order reaches: beyond every level that makers quote.
const REACH: f64 = 0.06;
/// Most noise orders, and most attempts to close, per side, market and step.
const ORDERS_MAX: u64 = 4096;

/// One market as flow sees it in one step.
#[derive(Debug, Clone, Copy)]
pub struct View<'a> {
    /// Market number.
    pub market: usize,
    /// The index so far, one value per step, the newest last.
    pub index: &'a [i64],
    /// Minor units per tick and lot.
    pub tick_value: i64,
    /// Largest order in lots.
    pub order_qty_max: i64,
    /// Open interest at the start, notional in minor units.
    pub open_interest: f64,
    /// Accounts that may close by buying (shorts) and by selling (longs), counted from [`Accounts::population`].
    pub speculators: [&'a [u32]; 2],
    /// Lowest and highest price that the venue does not refuse, ticks; traders know its rules.
    pub band: (i64, i64),
}

/// Which account is whose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Accounts {
    /// First noise trader.
    pub noise: u32,
    /// The trend follower.
    pub momentum: u32,
    /// The arbitrageur.
    pub arbitrage: u32,
    /// The exogenous trader.
    pub exogenous: u32,
    /// First account of the population.
    pub population: u32,
}

/// What holders of one market want to close.
#[derive(Debug, Clone, Copy, Default)]
struct Closing {
    /// Deepest fall below the start so far, in percent.
    fall: f64,
    /// Notional decided on, not yet due.
    decided: f64,
    /// Notional due and not yet traded: purchases, sales.
    due: [f64; 2],
}

/// All flow of a world.
#[derive(Debug, Clone)]
pub struct Flow {
    model: Model,
    switches: Switches,
    seed: Seed,
    accounts: Accounts,
    step_ns: i64,
    /// What holders want to close, per market.
    closing: Vec<Closing>,
    /// Exogenous entries by market number.
    exogenous: Vec<(usize, usize)>,
}

impl Flow {
    /// Flow over markets by name.
    #[must_use]
    pub fn new(
        model: Model,
        switches: Switches,
        seed: Seed,
        accounts: Accounts,
        step_ns: i64,
        names: &[String],
    ) -> Self {
        let exogenous = model
            .exogenous
            .iter()
            .enumerate()
            .filter_map(|(i, e)| names.iter().position(|n| *n == e.market).map(|m| (m, i)))
            .collect();
        Self {
            model,
            switches,
            seed,
            accounts,
            step_ns,
            closing: vec![Closing::default(); names.len()],
            exogenous,
        }
    }

    /// Takes in a fill of an incoming order of the population outside liquidation.
    pub fn closed(&mut self, market: usize, side: Side, notional: i64) {
        self.closing[market].due[usize::from(side.code())] -= notional as f64;
    }

    /// Appends one step's orders in one market.
    pub fn trade(
        &mut self,
        view: View<'_>,
        step: usize,
        at: i64,
        venue: &Venue,
        commands: &mut Vec<Command>,
    ) {
        if self.switches.profit_taking {
            self.close(view, step, venue, commands);
        }
        if self.switches.noise {
            self.noise(view, step, commands);
        }
        if self.switches.momentum {
            self.momentum(view, venue, commands);
        }
        if self.switches.arbitrage {
            self.arbitrage(view, venue, commands);
        }
        if self.switches.exogenous {
            self.exogenous(view, at, commands);
        }
    }

    fn noise(&self, view: View<'_>, step: usize, commands: &mut Vec<Command>) {
        let model = &self.model.noise;
        let agent = agent::FLOW + view.market as u32;
        let mean = model.orders_per_second * self.step_ns as f64 / 1e9;
        let whole = libm::floor(mean);
        let extra = self.seed.uniform(agent, purpose::NOISE_COUNT, step as u64) < mean - whole;
        let count = (whole as u64 + u64::from(extra)).min(ORDERS_MAX);
        for i in 0..count {
            let decision = (step as u64 * ORDERS_MAX + i) * 2;
            let (u, v) = self.seed.pair(agent, purpose::NOISE_ORDER, decision);
            let w = self.seed.uniform(agent, purpose::NOISE_ORDER, decision + 1);
            let account = self.accounts.noise + (w * f64::from(model.accounts)) as u32;
            let side = if u < 0.5 { Side::Buy } else { Side::Sell };
            let notional = model.size_median as f64 * lognormal(v, model.size_sigma);
            commands.extend(order(view, account, side, notional, REACH, 0));
        }
    }

    fn momentum(&self, view: View<'_>, venue: &Venue, commands: &mut Vec<Command>) {
        let model = &self.model.momentum;
        let window = usize::try_from(model.window_ns / self.step_ns).unwrap_or(1).max(1);
        let Some(before) = view.index.len().checked_sub(window + 1).map(|i| view.index[i]) else { return };
        let change = 1e4 * libm::log(newest(view) / before as f64);
        if change.abs() < model.threshold_bps {
            return;
        }
        let side = if change > 0.0 { Side::Buy } else { Side::Sell };
        let room = room(view, venue, self.accounts.momentum, side, model.position_max);
        let size = model.size as f64 * self.step_ns as f64 / 1e9;
        commands.extend(order(view, self.accounts.momentum, side, size.min(room), REACH, 0));
    }

    fn arbitrage(&self, view: View<'_>, venue: &Venue, commands: &mut Vec<Command>) {
        let model = &self.model.arbitrage;
        let market = MarketId::from_index(view.market);
        let edge = model.threshold_bps / 1e4;
        let cheap = |p: Price| (p.get() as f64) < newest(view) * (1.0 - edge);
        let dear = |p: Price| (p.get() as f64) > newest(view) * (1.0 + edge);
        let side = if venue.best(market, Side::Sell).is_some_and(cheap) {
            Side::Buy
        } else if venue.best(market, Side::Buy).is_some_and(dear) {
            Side::Sell
        } else {
            return;
        };
        let room = room(view, venue, self.accounts.arbitrage, side, model.position_max);
        commands.extend(order(view, self.accounts.arbitrage, side, (model.size as f64).min(room), -edge, 0));
    }

    /// Shorts buy back and longs sell as long as notional is due; who does is drawn, the whole position goes.
    fn close(&mut self, view: View<'_>, step: usize, venue: &Venue, commands: &mut Vec<Command>) {
        let model = self.model.profit_taking;
        let closing = &mut self.closing[view.market];
        let fall = 100.0 * (1.0 - newest(view) / view.index[0] as f64);
        closing.decided += view.open_interest * model.share_per_percent * (fall - closing.fall).max(0.0);
        closing.fall = closing.fall.max(fall);
        let notional = closing.decided * (1.0 - libm::exp(-(self.step_ns as f64) / model.delay_ns as f64));
        closing.decided -= notional;
        let market = MarketId::from_index(view.market);
        let agent = agent::FLOW + view.market as u32;
        for side in [Side::Buy, Side::Sell] {
            let s = usize::from(side.code());
            closing.due[s] += notional;
            let mut open = closing.due[s];
            for i in 0..ORDERS_MAX {
                let candidates = view.speculators[s];
                if open <= 0.0 || candidates.is_empty() {
                    break;
                }
                let decision = (step as u64 * ORDERS_MAX + i) * 2 + s as u64;
                let u = self.seed.uniform(agent, purpose::CLOSING, decision);
                let account = self.accounts.population + candidates[(u * candidates.len() as f64) as usize];
                let base = venue.position(AccountId::new(account), market).base.get();
                if base == 0 || (base > 0) == (side == Side::Buy) {
                    continue;
                }
                let value = base.abs() as f64 * newest(view) * view.tick_value as f64;
                // Who has next to nothing left would end in debt; that is the venue's business, not a choice.
                let equity = venue.equity(AccountId::new(account)).get() as f64;
                if equity < 2.0 * value * model.limit_bps / 1e4 {
                    continue;
                }
                open -= value;
                commands.extend(order(
                    view,
                    account,
                    side,
                    value,
                    model.limit_bps / 1e4,
                    protocol::REDUCE_ONLY,
                ));
            }
        }
    }

    fn exogenous(&self, view: View<'_>, at: i64, commands: &mut Vec<Command>) {
        for &(market, i) in &self.exogenous {
            let entry = &self.model.exogenous[i];
            let now = at.clamp(entry.start, entry.end);
            let before = (at - self.step_ns).clamp(entry.start, entry.end);
            if market != view.market || now == before {
                continue;
            }
            // What is traded up to a time is rounded once, so that the parts sum to the whole.
            let upto = |time: i64| {
                i128::from(entry.qty) * i128::from(time - entry.start) / i128::from(entry.end - entry.start)
            };
            let lots = i64::try_from(upto(now) - upto(before)).unwrap_or(0);
            let side = if lots > 0 { Side::Buy } else { Side::Sell };
            let value = lots.abs() as f64 * newest(view) * view.tick_value as f64;
            commands.extend(order(view, self.accounts.exogenous, side, value, REACH, 0));
        }
    }
}

fn newest(view: View<'_>) -> f64 {
    view.index.last().map_or(1.0, |&i| i as f64)
}

/// Notional that an account may still add on a side.
fn room(view: View<'_>, venue: &Venue, account: u32, side: Side, position_max: i64) -> f64 {
    let base = venue.position(AccountId::new(account), MarketId::from_index(view.market)).base.get();
    let held = base as f64 * newest(view) * view.tick_value as f64;
    let signed = if side == Side::Buy { held } else { -held };
    (position_max as f64 - signed).max(0.0)
}

/// An immediate-or-cancel order for a notional, at most `reach` beyond the index and inside the venue's band; none below
/// half a lot.
fn order(view: View<'_>, account: u32, side: Side, notional: f64, reach: f64, flags: u16) -> Option<Command> {
    let index = newest(view);
    let qty = round(notional / (index * view.tick_value as f64)).min(view.order_qty_max);
    let price = match side {
        Side::Buy => libm::floor(index * (1.0 + reach)).min(view.band.1 as f64),
        Side::Sell => libm::ceil(index * (1.0 - reach)).max(view.band.0 as f64),
    };
    (qty > 0 && price >= 1.0).then(|| Command::Place {
        market: MarketId::from_index(view.market),
        account: AccountId::new(account),
        side: side.code(),
        code: 1,
        flags,
        price: Price::new(price as i64),
        qty: Qty::new(qty),
    })
}
