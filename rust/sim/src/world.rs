//! One venue and everything around it, moved step by step.
//!
//! A step, at one time stamp: (1) one Pulse, which runs due timers and leftover work; (2) makers see the new index and
//! quote; (3) the index of each market is published, on which the venue marks and liquidates; (4) Pulses while
//! accounts wait in the queue, within a bound; (5) flow trades; (6) the series gets a row. Every command is one that a
//! user could send; its record says source 2. The cost of a step does not depend on the number of accounts.

use crate::flow::{Accounts, Flow, View};
use crate::makers::Makers;
use crate::path;
use crate::policy::{Circular, Desk, Policy, PolicyError, Unplanned};
use crate::population;
use crate::rng::Seed;
use crate::scenario::{Impact, Scenario, ScenarioError, refuse};
use crate::tally::{Series, Summary, Tally};
use seawall_core::{
    AccountId, AssetId, Command, Config, EventDigest, Events, FundId, MOMENTS_MAX, MarketId, Money, Nanos,
    Phase, Price, Qty, Record, Side, Trigger, TriggerError, Venue, Watch,
    config::LiquidationFee,
    no_plan,
    protocol::{FILL_LIQUIDATION, FILL_TAKER, Placing, event, source},
};
use std::collections::VecDeque;

/// Why a world could not be built.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The scenario does not hold together, or not with this venue.
    #[error(transparent)]
    Scenario(#[from] ScenarioError),
    /// The venue refused a command of the set-up.
    #[error(
        "set-up: the venue refused command kind {kind} of account {account} with code {code}; raise the venue's limits (deposits_max, accounts_max, position_max, open_interest_max)"
    )]
    Refused {
        /// Kind of the command.
        kind: u16,
        /// Account of the command.
        account: u32,
        /// Reject code.
        code: u16,
    },
}

/// Which events a world keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Keep {
    /// None.
    #[default]
    None,
    /// Phases, breakers and what they did to orders, funding, margin calls, liquidations, funds, auto-deleveraging,
    /// losses; and the fills of liquidation orders.
    Risk,
    /// All.
    All,
}

impl Keep {
    /// The choice of a name: none, risk, all.
    #[must_use]
    pub fn of(name: &str) -> Option<Self> {
        match name {
            "none" => Some(Self::None),
            "risk" => Some(Self::Risk),
            "all" => Some(Self::All),
            _ => None,
        }
    }

    /// True if an event is to be kept.
    #[must_use]
    pub fn wants(self, record: &Record) -> bool {
        match self {
            Self::None => false,
            Self::All => true,
            Self::Risk => match record.kind {
                event::PHASE_CHANGED
                | event::BREAKER_TRIPPED
                | event::ORDER_BOUNDED
                | event::RULE_SET
                | event::UNCROSSED
                | event::FUNDING_SETTLED => true,
                event::FILL => record.flags & FILL_LIQUIDATION != 0,
                kind => kind >= event::MARGIN_CALLED,
            },
        }
    }
}

/// What a world records besides its series.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Options {
    /// Events to keep until [`World::take_events`].
    pub events: Keep,
    /// Keep every command, so that the run can be repeated without the world: [`World::take_journal`].
    pub journal: bool,
}

/// What the world knows of one market.
#[derive(Debug, Clone)]
struct MarketState {
    /// Input path, one value per step, from `start` on.
    input: Vec<i64>,
    /// The path without the cascade's share; empty if impact is off.
    fundamental: Vec<f64>,
    /// The index that was published.
    index: Vec<i64>,
    tick_value: i64,
    order_qty_max: i64,
    /// Notional of the open interest at the start.
    open_interest: f64,
    /// Decayed signed liquidation notional: sales positive.
    pressure: f64,
    /// Population accounts that may close by buying and by selling.
    speculators: [Vec<u32>; 2],
}

/// A venue in its world.
#[derive(Debug)]
pub struct World {
    scenario: Scenario,
    venue: Venue,
    options: Options,
    markets: Vec<MarketState>,
    makers: Makers,
    flow: Flow,
    accounts: Accounts,
    population: u32,
    hedges: Vec<u32>,
    step: usize,
    steps: usize,
    events: Events,
    kept: Vec<Record>,
    journal: Vec<Record>,
    digest: EventDigest,
    commands: Vec<Command>,
    tally: Tally,
    series: Series,
    desk: Option<Desk>,
    failure: Option<PolicyError>,
    stopped: bool,
}

impl World {
    /// A world that keeps neither events nor commands; see [`World::with`].
    ///
    /// # Errors
    /// As [`World::with`].
    pub fn new(config: Config, scenario: Scenario, seed: u64, accounts: u32) -> Result<Self, Error> {
        Self::with(config, scenario, seed, accounts, Options::default())
    }

    /// Builds the venue, opens and funds all accounts and their positions, and publishes the first index.
    ///
    /// With `switches.liquidations` off the venue's configuration gets `liquidation.enabled = false` in every market;
    /// population, draws and all else are the same. If the venue has a backstop, that is an account of its own, the last
    /// one, whatever number the configuration gives, and what the scenario gives to funds goes to it instead: so venues
    /// differ in their rules and not in their means. Where the venue pays a liquidator, that is the same account.
    ///
    /// # Errors
    /// [`Error`] if scenario and venue do not fit or the venue refuses a part of the set-up.
    pub fn with(
        mut config: Config,
        scenario: Scenario,
        seed: u64,
        accounts: u32,
        options: Options,
    ) -> Result<Self, Error> {
        scenario.check()?;
        check_markets(&config, &scenario)?;
        if !scenario.switches.liquidations {
            config.markets.iter_mut().for_each(|market| market.liquidation.enabled = false);
        }
        let seed = Seed(seed);
        let mut markets = draw_paths(&config, &scenario, seed);
        let starts: Vec<i64> = markets.iter().map(|m| m.input[0]).collect();
        let population = population::draw(&scenario, &config, seed, accounts, &starts)?;
        for (market, speculators) in markets.iter_mut().zip(population.speculators.iter()) {
            market.speculators.clone_from(speculators);
        }
        let noise = scenario.makers.accounts;
        let single = noise + scenario.flow.noise.accounts;
        let numbers = Accounts {
            noise,
            momentum: single,
            arbitrage: single + 1,
            exogenous: single + 2,
            population: single + 3,
        };
        if config.backstop.is_some() {
            let backstop = Some(AccountId::new(numbers.population + accounts));
            config.backstop = backstop;
            for market in &mut config.markets {
                if let LiquidationFee::MarginLeft { liquidator, .. } = &mut market.liquidation.fee_rule {
                    *liquidator = liquidator.and(backstop);
                }
            }
        }
        let names: Vec<String> = config.markets.iter().map(|m| m.name.clone()).collect();
        let depths: Vec<_> = config
            .markets
            .iter()
            .map(|m| (scenario.markets[&m.name].depth.clone(), m.tick_value.get(), m.order_qty_max.get()))
            .collect();
        let makers =
            Makers::new(scenario.makers, scenario.switches.maker_withdrawal, 0, scenario.step_ns, &depths);
        let flow =
            Flow::new(scenario.flow.clone(), scenario.switches, seed, numbers, scenario.step_ns, &names);
        let ticks: Vec<i64> = config.markets.iter().map(|m| m.tick_value.get()).collect();
        let steps = scenario.steps();
        let mut world = Self {
            tally: Tally::new(&names, &ticks, scenario.start),
            series: Series::new(&names, steps + 1),
            venue: Venue::new(config),
            scenario,
            options,
            markets,
            makers,
            flow,
            accounts: numbers,
            population: accounts,
            hedges: population.hedges.iter().map(|hedge| numbers.population + hedge).collect(),
            step: 0,
            steps,
            events: Events::new(),
            kept: Vec::new(),
            journal: Vec::new(),
            digest: EventDigest::new(),
            commands: Vec::new(),
            desk: None,
            failure: None,
            stopped: false,
        };
        world.set_up(&population)?;
        Ok(world)
    }

    /// Lets a policy act from now on, after each step of the venue in which one of these triggers fires.
    ///
    /// # Errors
    /// [`TriggerError`] for a trigger that does not fit the venue.
    pub fn attach(&mut self, triggers: &[Trigger], policy: Box<dyn Policy>) -> Result<(), TriggerError> {
        let watch = Watch::new(&self.venue, triggers)?;
        self.desk = Some(Desk { watch, policy, due: VecDeque::new() });
        Ok(())
    }

    /// Why the policy failed, once. The world has stopped then: its venue stands between two commands, as the policy
    /// saw it.
    pub fn take_failure(&mut self) -> Option<PolicyError> {
        self.failure.take()
    }

    /// True if the policy has failed: no more commands are sent.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        self.stopped
    }

    /// Number of steps done.
    #[must_use]
    pub fn step_number(&self) -> usize {
        self.step
    }

    /// Number of steps in all.
    #[must_use]
    pub fn steps(&self) -> usize {
        self.steps
    }

    /// True when every step is done.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.step == self.steps
    }

    /// The venue.
    #[must_use]
    pub fn venue(&self) -> &Venue {
        &self.venue
    }

    /// The scenario.
    #[must_use]
    pub fn scenario(&self) -> &Scenario {
        &self.scenario
    }

    /// The accounts that are short here to hedge what they hold elsewhere, in order of number.
    #[must_use]
    pub fn hedges(&self) -> &[u32] {
        &self.hedges
    }

    /// The input path of a market: what the index is with impact switched off.
    #[must_use]
    pub fn input(&self, market: usize) -> &[i64] {
        &self.markets[market].input
    }

    /// One row per step, the first at the start.
    #[must_use]
    pub fn series(&self) -> &Series {
        &self.series
    }

    /// What happened so far.
    #[must_use]
    pub fn summary(&self) -> Summary {
        self.tally.summary(&self.venue, self.step)
    }

    /// Digest of all events so far, order ids without their slots.
    #[must_use]
    pub fn digest(&self) -> [u8; 32] {
        self.digest.finish()
    }

    /// The events kept since the last call.
    pub fn take_events(&mut self) -> Vec<Record> {
        core::mem::take(&mut self.kept)
    }

    /// Every command since the last call, if [`Options::journal`] is set: a venue of the same configuration that applies
    /// them in order emits the same events.
    pub fn take_journal(&mut self) -> Vec<Record> {
        core::mem::take(&mut self.journal)
    }

    /// Does up to `count` steps; true when all are done. Does no more once the policy has failed.
    pub fn run_steps(&mut self, count: usize) -> bool {
        for _ in 0..count {
            if self.is_done() || self.stopped {
                break;
            }
            self.step();
        }
        self.is_done()
    }

    /// Does one step. Does nothing when all are done, or once the policy has failed.
    pub fn step(&mut self) {
        if self.is_done() || self.stopped {
            return;
        }
        self.step += 1;
        let at = self.now();
        self.tally.begin_step();
        self.send(at, &Command::Pulse);
        self.finish_timers(at);
        for m in 0..self.markets.len() {
            let index = self.next_index(m);
            self.markets[m].index.push(index);
        }
        self.quote(at);
        for m in 0..self.markets.len() {
            let price = Price::new(self.markets[m].index[self.step]);
            self.send(at, &Command::Index { market: MarketId::from_index(m), price });
        }
        for _ in 0..self.scenario.work.pulses_per_step_max {
            if self.venue.queue_len() == 0 && !self.venue.timers_pending() {
                break;
            }
            self.send(at, &Command::Pulse);
        }
        self.trade(at);
        self.record(at);
    }

    fn now(&self) -> i64 {
        self.scenario.start + i64::try_from(self.step).unwrap_or(i64::MAX) * self.scenario.step_ns
    }

    /// Funding of a large venue takes several steps; nothing else is admitted meanwhile.
    fn finish_timers(&mut self, at: i64) {
        for _ in 0..1_000_000 {
            if !self.venue.timers_pending() {
                break;
            }
            self.send(at, &Command::Pulse);
        }
    }

    /// The index of this step: the input path, or the fundamental path less the response to liquidations so far.
    fn next_index(&mut self, m: usize) -> i64 {
        let impact = self.scenario.impact;
        let step_ns = self.scenario.step_ns;
        let liquidated = self.tally.liquidated_before(m);
        let market = &mut self.markets[m];
        if !self.scenario.switches.impact {
            return market.input[self.step];
        }
        let keep = libm::exp(-(step_ns as f64) / impact.decay_ns as f64);
        market.pressure = market.pressure * keep + (liquidated.long - liquidated.short) as f64;
        let response = response(&impact, market.pressure, market.open_interest);
        path::round(market.fundamental[self.step] * (1.0 - response)).max(1)
    }

    fn quote(&mut self, at: i64) {
        if !self.scenario.switches.makers {
            return;
        }
        let mut commands = core::mem::take(&mut self.commands);
        for m in 0..self.markets.len() {
            let index = self.markets[m].index[self.step];
            let liquidated = self.tally.liquidated_before(m);
            self.makers.observe(m, index, liquidated.long + liquidated.short);
            let placing = self.venue.phase(MarketId::from_index(m)).admits().place;
            if matches!(placing, Placing::All | Placing::Resting) {
                self.makers.quote(m, index, self.step, &self.venue, &mut commands);
            }
        }
        self.send_all(at, commands);
    }

    fn trade(&mut self, at: i64) {
        for m in 0..self.markets.len() {
            if self.venue.phase(MarketId::from_index(m)).admits().place != Placing::All {
                continue;
            }
            let mut commands = core::mem::take(&mut self.commands);
            let market = &self.markets[m];
            let view = View {
                market: m,
                index: &market.index,
                tick_value: market.tick_value,
                order_qty_max: market.order_qty_max,
                open_interest: market.open_interest,
                speculators: [&market.speculators[0], &market.speculators[1]],
                band: band(&self.venue, MarketId::from_index(m)),
            };
            self.flow.trade(view, self.step, at, &self.venue, &mut commands);
            self.send_all(at, commands);
        }
    }

    fn send_all(&mut self, at: i64, mut commands: Vec<Command>) {
        for command in &commands {
            self.send(at, command);
        }
        commands.clear();
        self.commands = commands;
    }

    fn send(&mut self, at: i64, command: &Command) {
        let record = Record { source: source::WORLD, ..command.encode(Nanos::new(at)) };
        self.apply(&record);
    }

    /// Applies a command, then whatever the policy makes of it.
    fn apply(&mut self, record: &Record) {
        if self.stopped {
            return;
        }
        self.apply_one(record);
        self.consult();
        // Nobody has planned the round that the waterfall waits for.
        if let Some(commit) = no_plan(&self.venue) {
            self.apply_one(&commit);
            if !self.stopped && self.desk.is_some() {
                self.failure = Some(Box::new(Unplanned { at: commit.at }));
                self.stopped = true;
            }
        }
    }

    /// Asks the policy about whatever fired, and applies its answers.
    fn consult(&mut self) {
        let Some(mut desk) = self.desk.take() else { return };
        let mut asked = 0;
        while let Some(answer) = desk.ask(&mut self.venue) {
            asked += 1;
            let failure = match answer {
                Ok(_) if asked > MOMENTS_MAX => Box::new(Circular { at: self.venue.now().get() }),
                Err(failure) => failure,
                Ok(commands) => {
                    self.desk = Some(desk);
                    for command in &commands {
                        self.apply_one(command);
                    }
                    desk = self.desk.take().expect("it was put there");
                    continue;
                }
            };
            (self.failure, self.stopped) = (Some(failure), true);
            break;
        }
        self.desk = Some(desk);
    }

    fn apply_one(&mut self, record: &Record) {
        if self.options.journal {
            self.journal.push(*record);
        }
        let mut events = core::mem::take(&mut self.events);
        self.venue.apply_record(record, &mut events);
        self.digest.update(events.as_slice());
        if let Some(desk) = &mut self.desk {
            desk.observe(&self.venue, record, &events);
        }
        for e in events.as_slice() {
            self.tally.take(e);
            if e.kind == event::FILL {
                self.pass_on(e);
            }
            if self.options.events.wants(e) {
                self.kept.push(*e);
            }
        }
        events.clear();
        self.events = events;
    }

    /// Tells makers and closing holders of their fills.
    fn pass_on(&mut self, fill: &Record) {
        let market = usize::from(fill.market);
        let notional = fill.price * fill.qty * self.markets[market].tick_value;
        let Some(side) = Side::from_code(fill.side) else { return };
        if self.makers.owns(fill.account) && fill.flags & FILL_TAKER == 0 {
            self.makers.filled(market, side, notional);
        }
        if fill.account >= self.accounts.population && fill.flags == FILL_TAKER {
            self.flow.closed(market, side, notional);
        }
    }

    /// Sends a command of the set-up, which the venue must accept.
    fn open(&mut self, command: &Command) -> Result<(), Error> {
        let before = self.tally.rejected();
        self.send(self.scenario.start, command);
        if self.tally.rejected() == before {
            return Ok(());
        }
        let refused = self.tally.last_rejected();
        Err(Error::Refused { kind: refused.flags, account: refused.account, code: refused.code })
    }

    fn set_up(&mut self, population: &population::Population) -> Result<(), Error> {
        for m in 0..self.markets.len() {
            let index = self.markets[m].input[0];
            self.markets[m].index.push(index);
            self.open(&Command::Index { market: MarketId::from_index(m), price: Price::new(index) })?;
        }
        let first = self.accounts.population;
        let backstop = self.venue.config().backstop;
        for _ in 0..first + self.population + u32::from(backstop.is_some()) {
            self.open(&Command::OpenAccount)?;
        }
        for account in 0..first {
            let amount = self.capital(account);
            self.deposit(account, amount)?;
        }
        for (account, &amount) in (first..).zip(&population.deposits) {
            if amount > 0 {
                self.deposit(account, amount)?;
            }
        }
        for block in &population.blocks {
            self.open(&Command::Block {
                market: MarketId::new(block.market),
                buyer: AccountId::new(first + block.buyer),
                seller: u64::from(first + block.seller),
                price: Price::new(block.price),
                qty: Qty::new(block.qty),
            })?;
        }
        self.fill_funds()?;
        for m in 0..self.markets.len() {
            let market = MarketId::from_index(m);
            if self.venue.phase(market) == Phase::PreOpen {
                let code = Phase::Continuous.code();
                self.open(&Command::SetPhase { market, code, end: Nanos::ZERO })?;
            }
        }
        self.tally.start(&self.venue);
        self.record(self.scenario.start);
        Ok(())
    }

    fn deposit(&mut self, account: u32, amount: i64) -> Result<(), Error> {
        let (account, asset) = (AccountId::new(account), AssetId::new(0));
        self.open(&Command::Deposit { account, asset, amount: Money::new(amount) })
    }

    fn capital(&self, account: u32) -> i64 {
        let (flow, numbers) = (&self.scenario.flow, self.accounts);
        match account {
            a if a < numbers.noise => self.scenario.makers.capital,
            a if a < numbers.momentum => flow.noise.capital,
            a if a == numbers.momentum => flow.momentum.capital,
            a if a == numbers.arbitrage => flow.arbitrage.capital,
            _ => flow.exogenous_capital,
        }
    }

    fn fill_funds(&mut self) -> Result<(), Error> {
        for f in 0..self.venue.config().funds.len() {
            let fund = FundId::from_index(f);
            let behind: f64 = self
                .markets
                .iter()
                .zip(&self.venue.config().markets)
                .filter(|(_, config)| config.fund == fund)
                .map(|(market, _)| market.open_interest)
                .sum();
            let amount = path::round(behind * self.scenario.fund.to_open_interest);
            if amount <= 0 {
                continue;
            }
            match self.venue.config().backstop {
                Some(backstop) => self.deposit(backstop.get(), amount)?,
                None => self.open(&Command::FundDeposit { fund, amount: Money::new(amount) })?,
            }
        }
        Ok(())
    }

    fn record(&mut self, at: i64) {
        let depths: Vec<[i64; 2]> = (0..self.markets.len()).map(|m| self.makers.depth_near(m)).collect();
        self.series.push(at, &self.venue, &mut self.tally, &depths);
    }
}

/// Share of the price by which the index is lower for a decayed liquidation notional.
fn response(impact: &Impact, pressure: f64, open_interest: f64) -> f64 {
    let relative = pressure.abs() / open_interest.max(1.0);
    if relative <= 0.0 {
        return 0.0;
    }
    let size = (impact.coefficient * libm::pow(relative, impact.exponent)).min(impact.response_max);
    if pressure > 0.0 { size } else { -size }
}

/// Lowest and highest limit that no band of the venue refuses or moves, whatever the side.
fn band(venue: &Venue, market: MarketId) -> (i64, i64) {
    let inside = venue.untouched_limits(market);
    (inside.lower.get().max(1), inside.upper.get())
}

fn check_markets(config: &Config, scenario: &Scenario) -> Result<(), ScenarioError> {
    for market in &config.markets {
        if !scenario.markets.contains_key(&market.name) {
            return refuse(format!("markets.{}", market.name), "is missing; the venue has this market");
        }
        if market.tick_value.is_zero() {
            let why =
                "the venue's contract is not linear, and agents count in tick values; use a linear market";
            return refuse(format!("markets.{}", market.name), why);
        }
    }
    for (name, market) in &scenario.markets {
        let Some(venue) = config.markets.iter().find(|m| m.name == *name) else {
            return refuse(format!("markets.{name}"), "is not a market of the venue");
        };
        let highest = market.path.iter().flat_map(|s| &s.bars).map(|bar| bar[1]).max().unwrap_or(0);
        if highest > venue.price_max.get() / 2 {
            let why = format!(
                "reaches {highest} ticks; the venue's price_max {} must be at least twice that",
                venue.price_max
            );
            return refuse(format!("markets.{name}.path"), why);
        }
    }
    Ok(())
}

/// Paths of all markets in the venue's order; those without a lead are drawn first.
fn draw_paths(config: &Config, scenario: &Scenario, seed: Seed) -> Vec<MarketState> {
    let draw = |m: usize, lead: Option<&[i64]>| {
        let market = &scenario.markets[&config.markets[m].name];
        path::path(
            market,
            scenario.bridge,
            scenario.step_ns,
            seed,
            u32::try_from(m).unwrap_or(u32::MAX),
            lead,
        )
    };
    let lead_of = |m: usize| {
        let lead = scenario.markets[&config.markets[m].name].lead.as_ref()?;
        config.markets.iter().position(|other| other.name == *lead)
    };
    let count = config.markets.len();
    let mut paths: Vec<Vec<i64>> =
        (0..count).map(|m| if lead_of(m).is_none() { draw(m, None) } else { Vec::new() }).collect();
    for m in 0..count {
        if let Some(lead) = lead_of(m) {
            paths[m] = draw(m, Some(&paths[lead]));
        }
    }
    let window =
        usize::try_from(scenario.impact.overshoot_window_ns / scenario.step_ns).unwrap_or(usize::MAX / 2);
    paths
        .into_iter()
        .zip(&config.markets)
        .map(|(input, venue)| {
            let tick_value = venue.tick_value.get();
            let lots = scenario.markets[&venue.name].open_interest;
            let fundamental = if scenario.switches.impact {
                path::fundamental(&input, window, scenario.impact.cascade_share)
            } else {
                Vec::new()
            };
            MarketState {
                open_interest: lots as f64 * input[0] as f64 * tick_value as f64,
                fundamental,
                index: Vec::with_capacity(input.len()),
                input,
                tick_value,
                order_qty_max: venue.order_qty_max.get(),
                pressure: 0.0,
                speculators: [Vec::new(), Vec::new()],
            }
        })
        .collect()
}
