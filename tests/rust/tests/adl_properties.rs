//! The property table of docs/adl.md, cell by cell.
//!
//! One predicate per property. Where the table says that a property holds, it holds on ten thousand random rounds of the
//! mechanism: to one minor unit per account, of lots to the lot. Where it says that it does not, the file
//! `adl_counterexamples.json` has a round on which the same predicate fails, so no predicate is one that cannot. Where a
//! condition stands, it holds on ten thousand rounds that meet the condition, and a counterexample does not meet it.

use seawall_core::adl::{Adl, AdlRisk, Candidate, Frame, Liable, Marks, Round, haircut, risk_weight};
use seawall_core::config::RateRounding;
use seawall_core::{AccountId, Contract, Money, Price, Qty, Side, TickValue, two_sided_loss};
use seawall_tests::repository;
use seawall_tests::stream::Rng;
use serde_json::{Value, json};

const CASES: usize = 10_000;
const MARK: i64 = 100;
/// Lots of the continuous mechanism are counted in millionths.
const MICRO: i64 = 1_000_000;

/// A column of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Mechanism {
    QueueRatio,
    QueueProfit,
    LotsContinuous,
    LotsRemainder,
    LotsWebster,
    Profit,
    CappedProfit,
    RiskAware,
    GainsHaircut,
    TwoSidedLoss,
}
use Mechanism::{
    CappedProfit, GainsHaircut, LotsContinuous, LotsRemainder, LotsWebster, Profit, QueueProfit, QueueRatio,
    RiskAware, TwoSidedLoss,
};

impl Mechanism {
    const ALL: [(Self, &'static str); 10] = [
        (QueueRatio, "queue, profit x leverage"),
        (QueueProfit, "haircut queue, profit"),
        (LotsContinuous, "pro rata, lots, exact"),
        (LotsRemainder, "pro rata, lots"),
        (LotsWebster, "Webster, lots"),
        (Profit, "haircut pro rata"),
        (CappedProfit, "haircut pro rata, capped"),
        (RiskAware, "haircut pro rata, risk"),
        (GainsHaircut, "gains haircut"),
        (TwoSidedLoss, "two-sided loss"),
    ];

    fn takes_money(self) -> bool {
        matches!(self, QueueProfit | Profit | CappedProfit | RiskAware | GainsHaircut | TwoSidedLoss)
    }

    /// The unit to which a property holds, per account.
    fn unit(self) -> i64 {
        i64::from(self.takes_money() || self == LotsContinuous)
    }

    /// The rule as a venue's configuration spells it.
    fn rule(self, price: &str, eligible: &str) -> Value {
        let (method, more) = match self {
            QueueRatio => ("queue", json!({"score": "profit_leverage"})),
            QueueProfit => ("haircut_queue", json!({"score": "profit"})),
            LotsContinuous | LotsRemainder => ("pro_rata", json!({})),
            LotsWebster => ("webster", json!({})),
            RiskAware => ("haircut_pro_rata", json!({"risk": {"type": "power", "exponent": 1}})),
            Profit | CappedProfit | GainsHaircut | TwoSidedLoss => ("haircut_pro_rata", json!({})),
        };
        let mut rule = json!({"enabled": true, "method": method, "price": price, "band_ppm": null, "eligible": eligible});
        for (key, value) in more.as_object().expect("an object") {
            rule[key] = value.clone();
        }
        rule
    }
}

/// A row of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Property {
    Conserves,
    OnlyWinnersPay,
    NeverAboveProfit,
    OrderIndependent,
    ScaleInvariant,
    MoreNeverTakesLess,
    LeaverNeverHelps,
    SurvivorsKeepOrder,
    ProportionalSplit,
    UnevenSplit,
    Merge,
    Continuous,
    MinMaxHaircut,
    TouchesFew,
}
use Property::{
    Conserves, Continuous, LeaverNeverHelps, Merge, MinMaxHaircut, MoreNeverTakesLess, NeverAboveProfit,
    OnlyWinnersPay, OrderIndependent, ProportionalSplit, ScaleInvariant, SurvivorsKeepOrder, TouchesFew,
    UnevenSplit,
};

/// What a cell of the table says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cell {
    Yes,
    No,
    /// Holds where this is so.
    If(&'static str),
    /// Is not asked.
    Apart,
}
use Cell::{Apart, If, No, Yes};

const PROFIT_ONLY: Cell = If("eligible: in profit");
const REALISING: Cell = If("eligible: realising");
const NO_TIE: Cell = If("no other score is equal");
const ONE_LOT: Cell = If("to one lot");
const ONE_SIGN: Cell = If("profits of one sign");
const RATE_STEP: Cell = If("to one step of the rate per lot");
const MONEY_SCALE: Cell = If("money, not lots");
const SAME_SIDE: Cell = If("positions of one side");
const WEIGHED: Cell = If("every weight above zero");

/// The table of docs/adl.md, in the order of [`Mechanism::ALL`].
const TABLE: [(Property, &str, [Cell; 10]); 14] = [
    (Conserves, "conserves", [Yes, Yes, Yes, Yes, Yes, Yes, Yes, Yes, Yes, RATE_STEP]),
    (
        OnlyWinnersPay,
        "only winners pay",
        [PROFIT_ONLY, Yes, PROFIT_ONLY, PROFIT_ONLY, PROFIT_ONLY, Yes, Yes, Yes, Yes, No],
    ),
    (
        NeverAboveProfit,
        "never above profit",
        [REALISING, Yes, REALISING, REALISING, REALISING, Yes, Yes, Yes, Yes, No],
    ),
    (OrderIndependent, "order independent", [Yes; 10]),
    (
        ScaleInvariant,
        "scale invariant",
        [Yes, Yes, Yes, MONEY_SCALE, MONEY_SCALE, Yes, Yes, Yes, Yes, RATE_STEP],
    ),
    (MoreNeverTakesLess, "more to cover never takes less", [Yes, Yes, Yes, No, Yes, Yes, Yes, Yes, Yes, Yes]),
    (
        LeaverNeverHelps,
        "one leaves, nobody else pays less",
        [Yes, Yes, Yes, No, Yes, Yes, Yes, Yes, Yes, Yes],
    ),
    (SurvivorsKeepOrder, "survivors keep their order", [No, No, Yes, Yes, Yes, Yes, No, No, Yes, Apart]),
    (
        ProportionalSplit,
        "proportional split neutral",
        [NO_TIE, No, Yes, ONE_LOT, ONE_LOT, Yes, Yes, Yes, Yes, Yes],
    ),
    (
        UnevenSplit,
        "split with uneven collateral neutral",
        [No, No, Yes, ONE_LOT, ONE_LOT, ONE_SIGN, No, No, ONE_SIGN, Yes],
    ),
    (Merge, "merge neutral", [No, No, Yes, ONE_LOT, ONE_LOT, No, No, No, No, SAME_SIDE]),
    (Continuous, "continuous", [No, No, Yes, ONE_LOT, ONE_LOT, Yes, Yes, WEIGHED, Yes, RATE_STEP]),
    (MinMaxHaircut, "min-max haircut", [No, No, No, No, No, Yes, Yes, No, Yes, No]),
    (TouchesFew, "touches few", [Yes, Yes, No, No, No, No, No, No, No, No]),
];

/// An account: short, so that its cost is its notional and its profit together. Money in minor units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Account {
    id: u32,
    lots: i64,
    notional: i64,
    profit: i64,
    equity: i64,
    /// Of the position: 1 or -1. Only the two-sided loss has both.
    side: i64,
}

impl Account {
    fn cost(&self) -> i64 {
        self.notional + self.profit
    }

    fn candidate(&self) -> Candidate {
        Candidate {
            account: AccountId::new(self.id),
            lots: Qty::new(self.lots),
            cost: Money::new(self.cost()),
            notional: Money::new(self.notional),
            profit: Money::new(self.profit),
            equity: Money::new(self.equity),
            ..Candidate::default()
        }
    }

    fn scaled(&self, money: i64, lots: i64) -> Self {
        Self {
            lots: self.lots * lots,
            notional: self.notional * money,
            profit: self.profit * money,
            equity: self.equity * money,
            ..*self
        }
    }

    /// This account and another one as one; opposite positions net out.
    fn and(&self, other: &Self) -> Self {
        let base = self.side * self.lots + other.side * other.lots;
        Self {
            id: self.id,
            lots: base.abs(),
            notional: self.notional + other.notional,
            profit: self.profit + other.profit,
            equity: self.equity + other.equity,
            side: if base < 0 { -1 } else { 1 },
        }
    }
}

/// A round, and what a property changes about it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Case {
    accounts: Vec<Account>,
    /// Lots to close, or money to raise.
    amount: i64,
    /// How much more there is to cover, how often everything is multiplied, or by how much a weight moves.
    by: i64,
    /// The place of the account that leaves, is split, merged or moved.
    place: usize,
    /// What the second of two parts has, or another account to be merged with.
    part: Account,
}

/// What a predicate found.
#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    Holds,
    Broken(String),
    /// The round does not meet the condition of the cell.
    Outside,
}
use Verdict::{Broken, Holds, Outside};

/// How a mechanism is asked beside the accounts.
#[derive(Debug, Clone, Copy)]
struct Terms {
    price: &'static str,
    eligible: &'static str,
}

const PLAIN: Terms = Terms { price: "mark", eligible: "in_profit" };
/// Lots are shared out among whoever holds some.
const ANYONE: Terms = Terms { price: "mark", eligible: "anyone" };

/// What each account gives: lots, millionths of lots, or minor units.
fn run(mechanism: Mechanism, terms: Terms, accounts: &[Account], amount: i64) -> Vec<i64> {
    match mechanism {
        LotsContinuous => {
            let weigh = |a: &Account| if is_eligible(terms, a) { a.lots } else { 0 };
            // The exact shares before they are made whole, of lots instead of profits.
            let liable = |a| Liable { profit: Money::new(weigh(a)), cap: Money::new(weigh(a)), weight: 1 };
            let liable: Vec<Liable> = accounts.iter().map(liable).collect();
            haircut(Money::new(amount), &liable).iter().map(|share| share.whole).collect()
        }
        TwoSidedLoss => two_sided(accounts, amount),
        _ => {
            let rule = mechanism
                .rule(if mechanism.takes_money() { "bankruptcy" } else { terms.price }, terms.eligible);
            let rule: Adl = serde_json::from_value(rule).expect("a rule");
            // A lot lacks one minor unit at the mark.
            let marks =
                Marks { bankruptcy: Price::new(MARK + 1), mark: Price::new(MARK), index: Price::new(MARK) };
            let frame = Frame { side: Side::Sell, inverse: false, one: Money::new(1), seed: 1 };
            let round = Round {
                rule: &rule,
                marks,
                contract: Contract::linear(TickValue::new(1)),
                frame,
                residual: Qty::new(amount),
            };
            let candidates: Vec<Candidate> = accounts.iter().map(Account::candidate).collect();
            let done = round.plan(&candidates).expect("not an offset");
            if mechanism.takes_money() {
                assert_eq!(done.uncovered.get() + done.paid.iter().map(|m| m.get()).sum::<i64>(), amount);
                done.paid.into_iter().map(Money::get).collect()
            } else {
                assert_eq!(
                    done.uncovered_lots.get() + done.closed.iter().map(|q| q.get()).sum::<i64>(),
                    amount
                );
                done.closed.into_iter().map(Qty::get).collect()
            }
        }
    }
}

/// The loss per lot rounded up, on every lot of both sides.
fn two_sided(accounts: &[Account], loss: i64) -> Vec<i64> {
    let lots: Vec<Qty> = accounts.iter().map(|a| Qty::new(a.lots)).collect();
    let (step, rounding) = (Money::new(1), RateRounding::Ceil);
    let spread = two_sided_loss(Money::new(loss), Money::ZERO, &lots, step, rounding);
    // Without a position nothing is shared.
    spread.charges.into_iter().map(Money::get).collect()
}

fn is_eligible(terms: Terms, a: &Account) -> bool {
    match terms.eligible {
        "anyone" => true,
        "realising" => a.profit > 0 && a.cost() >= (MARK + 1) * a.lots,
        _ => a.profit > 0,
    }
}

/// The most that an account can give.
fn cap(mechanism: Mechanism, a: &Account) -> i64 {
    match mechanism {
        TwoSidedLoss => i64::MAX,
        _ if mechanism.takes_money() => a.profit.min(a.equity).max(0),
        _ => a.lots,
    }
}

/// What an account is ranked by where order is kept: what it has of what is taken.
fn held(mechanism: Mechanism, a: &Account) -> i64 {
    if mechanism.takes_money() { a.profit.max(0) } else { a.lots }
}

/// The key by which a mechanism treats accounts alike, for counting ties.
fn key(mechanism: Mechanism, a: &Account) -> (i128, i128) {
    match mechanism {
        // profit / cost x notional / equity, compared as a fraction in lowest terms.
        QueueRatio => {
            let (n, d) =
                (i128::from(a.profit) * i128::from(a.notional), i128::from(a.cost()) * i128::from(a.equity));
            let by = gcd(n.unsigned_abs(), d.unsigned_abs()).max(1);
            (n / i128::try_from(by).expect("small"), d / i128::try_from(by).expect("small"))
        }
        TwoSidedLoss => (i128::from(a.lots), 0),
        _ => (i128::from(held(mechanism, a)), 0),
    }
}

fn gcd(a: u128, b: u128) -> u128 {
    if b == 0 { a } else { gcd(b, a % b) }
}

fn claim(holds: bool, told: impl FnOnce() -> String) -> Verdict {
    if holds { Holds } else { Broken(told()) }
}

/// The first account of which something does not hold.
fn each(all: &[Account], holds: impl Fn(usize) -> bool, told: impl Fn(usize) -> String) -> Verdict {
    (0..all.len()).find(|&i| !holds(i)).map_or(Holds, |i| Broken(told(i)))
}

/// Whether a property holds of a mechanism in a round; `meant` asks only for what the condition of the cell promises.
fn check(property: Property, mechanism: Mechanism, case: &Case, meant: bool) -> Verdict {
    match property {
        Conserves => conserves(mechanism, case, meant),
        OnlyWinnersPay => only_winners_pay(mechanism, case, meant),
        NeverAboveProfit => never_above_profit(mechanism, case, meant),
        OrderIndependent => order_independent(mechanism, case),
        ScaleInvariant => scale_invariant(mechanism, case, meant),
        MoreNeverTakesLess => more_never_takes_less(mechanism, case),
        LeaverNeverHelps => leaver_never_helps(mechanism, case),
        SurvivorsKeepOrder => survivors_keep_order(mechanism, case),
        ProportionalSplit | UnevenSplit | Merge => parts(property, mechanism, case, meant),
        Continuous => continuous(mechanism, case, meant),
        MinMaxHaircut => min_max(mechanism, case),
        TouchesFew => touches_few(mechanism, case),
    }
}

fn conserves(mechanism: Mechanism, case: &Case, meant: bool) -> Verdict {
    let (all, amount) = (&case.accounts, case.amount);
    let x = run(mechanism, PLAIN, all, amount);
    let sum: i64 = x.iter().sum();
    if mechanism == TwoSidedLoss {
        let step = if meant { all.iter().map(|a| a.lots).sum() } else { 1 };
        return claim((amount..amount + step).contains(&sum), || format!("{sum} of {amount}"));
    }
    let able = all.iter().filter(|a| is_eligible(PLAIN, a));
    let most = able.map(|a| cap(mechanism, a)).sum::<i64>().min(amount);
    // The exact shares are cut to millionths here, not by the mechanism.
    let cut = if mechanism == LotsContinuous { i64::try_from(all.len()).expect("few") } else { 0 };
    if sum > most || sum < most - cut {
        return Broken(format!("{sum} of {most}"));
    }
    each(all, |i| x[i] >= 0 && x[i] <= cap(mechanism, &all[i]), |i| format!("{} gives {}", all[i].id, x[i]))
}

fn only_winners_pay(mechanism: Mechanism, case: &Case, meant: bool) -> Verdict {
    let all = &case.accounts;
    let x = run(mechanism, if meant { PLAIN } else { ANYONE }, all, case.amount);
    each(
        all,
        |i| x[i] == 0 || all[i].profit > 0,
        |i| format!("{} has no profit and gives {}", all[i].id, x[i]),
    )
}

fn never_above_profit(mechanism: Mechanism, case: &Case, meant: bool) -> Verdict {
    let all = &case.accounts;
    if mechanism.takes_money() {
        let x = run(mechanism, PLAIN, all, case.amount);
        return each(all, |i| x[i] <= all[i].profit.max(0), |i| format!("{} gives {}", all[i].id, x[i]));
    }
    let eligible = if meant { "realising" } else { "in_profit" };
    let x = run(mechanism, Terms { price: "bankruptcy", eligible }, all, case.amount);
    let realised = |i: usize| all[i].cost() - (MARK + 1) * all[i].lots;
    each(all, |i| x[i] == 0 || realised(i) >= 0, |i| format!("{} is closed at a loss", all[i].id))
}

fn order_independent(mechanism: Mechanism, case: &Case) -> Verdict {
    let x = run(mechanism, PLAIN, &case.accounts, case.amount);
    let mut turned = case.accounts.clone();
    turned.reverse();
    turned.rotate_left(case.place);
    let mut y = run(mechanism, PLAIN, &turned, case.amount);
    y.rotate_right(case.place);
    y.reverse();
    claim(x == y, || format!("{x:?} {y:?}"))
}

fn scale_invariant(mechanism: Mechanism, case: &Case, meant: bool) -> Verdict {
    let (all, amount, by) = (&case.accounts, case.amount, case.by);
    let x = run(mechanism, PLAIN, all, amount);
    let money: Vec<Account> = all.iter().map(|a| a.scaled(by, 1)).collect();
    if mechanism.takes_money() {
        let y = run(mechanism, PLAIN, &money, amount * by);
        let most = |i: usize| by * if mechanism == TwoSidedLoss && meant { all[i].lots } else { 1 };
        return each(
            all,
            |i| (y[i] - by * x[i]).abs() <= most(i),
            |i| format!("{}: {} became {}", all[i].id, x[i], y[i]),
        );
    }
    let y = run(mechanism, PLAIN, &money, amount);
    if x != y {
        return Broken(format!("{x:?} became {y:?} as all money was multiplied"));
    }
    if meant {
        return Holds;
    }
    let lots: Vec<Account> = all.iter().map(|a| a.scaled(by, by)).collect();
    let z = run(mechanism, PLAIN, &lots, amount * by);
    each(
        all,
        |i| (z[i] - by * x[i]).abs() <= by * mechanism.unit(),
        |i| format!("{}: {} became {} as all lots were multiplied", all[i].id, x[i], z[i]),
    )
}

fn more_never_takes_less(mechanism: Mechanism, case: &Case) -> Verdict {
    let all = &case.accounts;
    let x = run(mechanism, PLAIN, all, case.amount);
    let y = run(mechanism, PLAIN, all, case.amount + case.by);
    each(
        all,
        |i| y[i] >= x[i] - mechanism.unit(),
        |i| format!("{} gives {} and then {}", all[i].id, x[i], y[i]),
    )
}

fn leaver_never_helps(mechanism: Mechanism, case: &Case) -> Verdict {
    let mut rest = case.accounts.clone();
    let mut before = run(mechanism, PLAIN, &rest, case.amount);
    rest.remove(case.place);
    before.remove(case.place);
    let after = run(mechanism, PLAIN, &rest, case.amount);
    each(
        &rest,
        |i| after[i] >= before[i] - mechanism.unit(),
        |i| format!("{} gives {} and then {}", rest[i].id, before[i], after[i]),
    )
}

fn survivors_keep_order(mechanism: Mechanism, case: &Case) -> Verdict {
    let all = &case.accounts;
    let x = run(mechanism, PLAIN, all, case.amount);
    let had = |i: usize| held(mechanism, &all[i]);
    let has = |i: usize| had(i) - x[i];
    let turned = |i: usize| (0..all.len()).find(|&j| had(i) > had(j) && has(i) < has(j) - mechanism.unit());
    each(
        all,
        |i| turned(i).is_none(),
        |i| {
            let j = turned(i).expect("it was found");
            format!("{} had {} to {}, and has {} to {}", all[i].id, had(i), had(j), has(i), has(j))
        },
    )
}

fn continuous(mechanism: Mechanism, case: &Case, meant: bool) -> Verdict {
    let (all, by, unit) = (&case.accounts, case.by, mechanism.unit());
    let mut moved = all.clone();
    let weight = &mut moved[case.place];
    if matches!(mechanism, LotsContinuous | LotsRemainder | LotsWebster | TwoSidedLoss) {
        weight.lots += by;
    } else {
        // A position that cost less has more profit, and its account more equity.
        weight.profit += by;
        weight.equity += by;
    }
    let risk: AdlRisk = match &mechanism.rule("mark", "in_profit")["risk"] {
        Value::Null => AdlRisk::None,
        told => serde_json::from_value(told.clone()).expect("a risk"),
    };
    let weighs = |a: &Account| risk_weight(risk, Money::new(a.notional), Money::new(a.equity)) > 0;
    if meant && !moved.iter().chain(all).all(weighs) {
        return Outside;
    }
    let x = run(mechanism, PLAIN, all, case.amount);
    let y = run(mechanism, PLAIN, &moved, case.amount);
    // Each side of the comparison is rounded, and so much the weight itself moved.
    let most = |i: usize| match (mechanism, meant) {
        (TwoSidedLoss, true) => all[i].lots + x[i] / all[i].lots,
        (LotsRemainder | LotsWebster, true) => 1,
        // Its weight is profit over the square of equity.
        (RiskAware, true) => 1 + 3 * by,
        _ => unit + by * unit,
    };
    each(
        all,
        |i| (y[i] - x[i]).abs() <= most(i),
        |i| format!("{} gives {} and then {}", all[i].id, x[i], y[i]),
    )
}

fn touches_few(mechanism: Mechanism, case: &Case) -> Verdict {
    let x = run(mechanism, PLAIN, &case.accounts, case.amount);
    let part = |&i: &usize| x[i] > 0 && x[i] < cap(mechanism, &case.accounts[i]);
    let partial = (0..x.len()).filter(part).count();
    claim(partial <= 1, || format!("{partial} accounts give a part: {x:?}"))
}

/// One account against its parts.
fn parts(property: Property, mechanism: Mechanism, case: &Case, meant: bool) -> Verdict {
    // A part of a position may show a loss: what is shared out by lots does not ask.
    let asks_profit = property == ProportionalSplit || mechanism.takes_money() || mechanism == QueueRatio;
    let terms = if asks_profit { PLAIN } else { ANYONE };
    let (place, part) = (case.place, case.part);
    let (mut whole, mut split) = (case.accounts.clone(), case.accounts.clone());
    if property == Merge {
        whole[place] = whole[place].and(&part);
        split.push(part);
        if meant && mechanism == TwoSidedLoss && split[place].side != part.side {
            return Outside;
        }
        // Opposite positions may be nothing together.
        whole.retain(|a| a.lots > 0);
    } else {
        let rest = &mut split[place];
        rest.lots -= part.lots;
        rest.notional -= part.notional;
        rest.profit -= part.profit;
        rest.equity -= part.equity;
        let rest = *rest;
        split.push(part);
        let asks_sign = property == UnevenSplit && matches!(mechanism, Profit | GainsHaircut);
        if meant && asks_sign && (rest.profit < 0) != (part.profit < 0) {
            return Outside;
        }
        let tied =
            |a: &Account| a.id != whole[place].id && key(mechanism, a) == key(mechanism, &whole[place]);
        if meant && mechanism == QueueRatio && whole.iter().any(tied) {
            return Outside;
        }
    }
    let (x, y) = (run(mechanism, terms, &whole, case.amount), run(mechanism, terms, &split, case.amount));
    let of = |accounts: &[Account], x: &[i64], id: u32| {
        accounts.iter().zip(x).find(|(a, _)| a.id == id).map_or(0, |(_, x)| *x)
    };
    let id = case.accounts[place].id;
    let (one, two) = (of(&whole, &x, id), of(&split, &y, id) + of(&split, &y, part.id));
    // Two parts are rounded twice, and the whole once.
    let lots = i64::from(meant && matches!(mechanism, LotsRemainder | LotsWebster));
    if (one - two).abs() > 2 * mechanism.unit() + lots {
        return Broken(format!("{id} gives {one} as one and {two} as two"));
    }
    let change = |i: usize| {
        let id = case.accounts[i].id;
        (of(&whole, &x, id), of(&split, &y, id))
    };
    let same = |i: usize| (change(i).0 - change(i).1).abs() <= mechanism.unit() + lots;
    each(
        &case.accounts,
        |i| i == place || same(i),
        |i| format!("{} gives {:?}", case.accounts[i].id, change(i)),
    )
}

/// Whether no way of raising as much has a smaller greatest haircut, to one unit of who has it.
fn min_max(mechanism: Mechanism, case: &Case) -> Verdict {
    let (all, wide) = (&case.accounts, i128::from);
    let x = run(mechanism, PLAIN, all, case.amount);
    if let Some(i) = (0..all.len()).find(|&i| x[i] > 0 && all[i].profit <= 0) {
        return Broken(format!("{} has no profit and gives {}", all[i].id, x[i]));
    }
    let burden =
        |i: usize, j: usize| (wide(x[i]) * wide(all[j].profit)).cmp(&(wide(x[j]) * wide(all[i].profit)));
    let paying = (0..all.len()).filter(|&i| x[i] > 0);
    let Some(worst) = paying.max_by(|&i, &j| burden(i, j)) else { return Holds };
    let (given, profit) = (wide(x[worst]) - 1, wide(all[worst].profit));
    // At a haircut of (x - 1) / u for everybody, under the caps, this much could be raised; lots in whole ones.
    let most = |a: &Account| {
        let level = given * wide(a.profit.max(0));
        let level = if mechanism.takes_money() { level } else { level / profit * profit };
        level.min(wide(cap(mechanism, a)) * profit)
    };
    let raised: i128 = all.iter().filter(|a| a.profit > 0).map(most).sum();
    let needed = wide(case.amount) * profit - i128::from(!mechanism.takes_money());
    claim(raised <= needed, || {
        format!("{} bears {}/{}, and less would do", all[worst].id, x[worst], all[worst].profit)
    })
}

/// What made rounds interesting.
#[derive(Debug, Clone, Copy, Default)]
struct Reached {
    /// Somebody gives all that it may, and somebody else is asked for more.
    capped: usize,
    /// Somebody gives a part.
    partial: usize,
    /// Two accounts are alike.
    tied: usize,
    /// All together cannot give as much.
    short: usize,
}

impl Reached {
    fn note(&mut self, mechanism: Mechanism, case: &Case) {
        let x = run(mechanism, PLAIN, &case.accounts, case.amount);
        let caps: Vec<i64> = case.accounts.iter().map(|a| cap(mechanism, a)).collect();
        let full = (0..x.len()).any(|i| x[i] > 0 && x[i] == caps[i]);
        let partial = (0..x.len()).any(|i| x[i] > 0 && x[i] < caps[i]);
        let keys: Vec<_> = case.accounts.iter().map(|a| key(mechanism, a)).collect();
        self.capped += usize::from(full && partial);
        self.partial += usize::from(partial);
        self.tied += usize::from((0..keys.len()).any(|i| keys[..i].contains(&keys[i])));
        self.short +=
            usize::from(caps.iter().map(|c| i128::from(*c)).sum::<i128>() < i128::from(case.amount));
    }

    /// How often each must have been reached in [`CASES`]; one that a mechanism cannot reach is 0.
    fn least(property: Property, mechanism: Mechanism) -> [usize; 4] {
        let capped = match mechanism {
            // Caps are sizes there and reached by all at once, or there are none.
            LotsContinuous | LotsRemainder | LotsWebster | Profit | GainsHaircut | TwoSidedLoss => 0,
            RiskAware | CappedProfit | QueueRatio | QueueProfit => 1000,
        };
        let tied = if property == ProportionalSplit && mechanism == QueueRatio { 0 } else { 1000 };
        let short = if mechanism == TwoSidedLoss || is_slight(property, mechanism) { 0 } else { 500 };
        [capped, 4000, tied, short]
    }
}

fn is_slight(property: Property, mechanism: Mechanism) -> bool {
    property == Continuous && matches!(mechanism, LotsRemainder | LotsWebster | TwoSidedLoss)
}

/// A random round: two to six accounts, sizes alike or far apart, with a change that suits the property.
fn draw(property: Property, mechanism: Mechanism, rng: &mut Rng) -> Case {
    let few = rng.chance(50);
    let size = if few { 6 } else { rng.pick(&[40, 1000]) };
    // A weight that moves a little: by one lot of millions, while few lots are shared out.
    let slight = is_slight(property, mechanism);
    let fine = if mechanism == LotsContinuous || slight { MICRO } else { 1 };
    let count = 2 + rng.below(5);
    let mut ids: Vec<u32> = (0..20).collect();
    let mut accounts: Vec<Account> = Vec::new();
    for _ in 0..count {
        let id = ids.remove(rng.below(ids.len()));
        // One account in three is like one before it.
        let twin = (!accounts.is_empty() && rng.chance(33)).then(|| accounts[rng.below(accounts.len())]);
        accounts.push(twin.unwrap_or_else(|| account(property, mechanism, size, fine, rng)).named(id));
    }
    let place = rng.below(count);
    let spare = ids[rng.below(ids.len())];
    let mut part = account(property, mechanism, size, fine, rng).named(spare);
    if property == ProportionalSplit {
        let (a, b) = (rng.within(1, 3), rng.within(1, 3));
        part = accounts[place].scaled(b, b).named(spare);
        accounts[place] = accounts[place].scaled(a + b, a + b);
    } else if property == UnevenSplit {
        part = piece(mechanism, &mut accounts[place], rng).named(spare);
    }
    let most: i64 = match mechanism {
        TwoSidedLoss => 50 * size,
        _ => accounts.iter().map(|a| cap(mechanism, a)).sum(),
    };
    let most = match mechanism {
        TwoSidedLoss => most * fine,
        _ if slight => 10 * size,
        _ => most,
    };
    let amount = if rng.chance(12) { most + rng.within(1, size) } else { rng.within(0, most) };
    let by = match property {
        Continuous => 1,
        ScaleInvariant => rng.within(2, 7),
        _ => rng.within(1, size) * fine,
    };
    Case { accounts, amount, by, place, part }
}

/// An account as a property needs it. Equity covers profit but where caps are to differ.
fn account(property: Property, mechanism: Mechanism, size: i64, fine: i64, rng: &mut Rng) -> Account {
    let odd = if fine > 1 { rng.within(0, fine - 1) } else { 0 };
    let lots = rng.within(1, size) * fine + odd;
    let notional = lots * MARK;
    // Entries are far enough from the mark for a profit at the bankruptcy price, or not.
    let per_lot = if rng.chance(30) { rng.within(0, 2) } else { rng.within(1, MARK) };
    let loses = matches!(property, OnlyWinnersPay | Conserves | Merge) && rng.chance(25);
    let profit = if loses { -lots * rng.within(0, MARK / 2) } else { lots * per_lot + rng.within(0, 3) };
    let profit = if mechanism == QueueRatio || loses { profit } else { profit.max(1) };
    let room = 1 + rng.within(0, 4 * notional);
    let equity = match mechanism {
        CappedProfit if rng.chance(50) => 1 + rng.within(0, profit.max(1)),
        _ => profit.max(0) + room,
    };
    let side = if mechanism == TwoSidedLoss && rng.chance(50) { -1 } else { 1 };
    Account { id: 0, lots, notional, profit, equity, side }
}

/// Cuts a part off an account: lots, profit and equity each in its own proportion; the profits may differ in sign.
fn piece(mechanism: Mechanism, whole: &mut Account, rng: &mut Rng) -> Account {
    whole.lots += 1;
    whole.notional += MARK;
    let lots = rng.within(1, whole.lots - 1);
    let profit =
        if rng.chance(70) { rng.within(0, whole.profit.max(0)) } else { whole.profit + rng.within(1, 50) };
    if mechanism != CappedProfit {
        // What each part has covers its profit, so that only its sign matters.
        whole.equity += profit.max(0);
    }
    let least = profit.clamp(1, whole.equity - 1);
    let most = (whole.equity - (whole.profit - profit).max(1)).max(least);
    let equity = rng.within(least, most);
    Account { lots, notional: lots * MARK, profit, equity, ..*whole }
}

impl Account {
    fn named(self, id: u32) -> Self {
        Self { id, ..self }
    }
}

/// The rounds of `adl_counterexamples.json`, with what is shown, by cell.
fn counterexamples() -> Vec<(Property, Mechanism, Case, String)> {
    let file = repository().join("tests/rust/data/adl_counterexamples.json");
    let text = std::fs::read_to_string(&file).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
    let rows: Vec<Value> = serde_json::from_str(&text).expect("a list");
    rows.iter()
        .map(|row| {
            let property = TABLE.iter().find(|(_, name, _)| row["property"] == *name);
            let mechanism = Mechanism::ALL.iter().find(|(_, name)| row["mechanism"] == *name);
            let account = |a: &Value| {
                let number = |name: &str| a[name].as_i64();
                let lots = number("lots").unwrap_or_else(|| panic!("lots: {row}"));
                Account {
                    id: u32::try_from(number("id").unwrap_or_default()).expect("an id"),
                    lots,
                    notional: number("notional").unwrap_or(lots * MARK),
                    profit: number("profit").unwrap_or_else(|| panic!("profit: {row}")),
                    equity: number("equity").unwrap_or_else(|| panic!("equity: {row}")),
                    side: number("side").unwrap_or(1),
                }
            };
            let accounts: Vec<Account> =
                row["accounts"].as_array().expect("accounts").iter().map(account).collect();
            let case = Case {
                amount: row["amount"].as_i64().expect("an amount"),
                by: row["by"].as_i64().unwrap_or(1),
                place: usize::try_from(row["place"].as_u64().unwrap_or(0)).expect("a place"),
                part: row.get("part").map_or(accounts[0], account),
                accounts,
            };
            let shows = row["shows"].as_str().expect("what it shows").to_owned();
            (property.expect("a row").0, mechanism.expect("a column").0, case, shows)
        })
        .collect()
}

#[test]
fn every_cell_that_says_no_or_has_a_condition_is_shown_by_a_counterexample() {
    let told = counterexamples();
    for (property, name, row) in TABLE {
        for ((mechanism, column), cell) in Mechanism::ALL.into_iter().zip(row) {
            let mut found = told.iter().filter(|(p, m, ..)| (*p, *m) == (property, mechanism));
            if matches!(cell, Yes | Apart) {
                assert_eq!(found.next(), None, "{name}, {column}: there is a counterexample");
                continue;
            }
            let Some((.., case, shows)) = found.next() else { panic!("{name}, {column}: no counterexample") };
            let verdict = check(property, mechanism, case, false);
            assert_eq!(verdict, Broken(shows.clone()), "{name}, {column}: {case:?}");
            // Where the condition is a finer demand rather than a set of rounds, it holds there too.
            if let If(condition) = cell {
                assert!(
                    !matches!(check(property, mechanism, case, true), Broken(_)),
                    "{name}, {column}: {condition}"
                );
            }
        }
    }
}

#[test]
fn every_cell_that_says_yes_holds_and_every_condition_is_enough() {
    for (property, name, row) in TABLE {
        for ((mechanism, column), cell) in Mechanism::ALL.into_iter().zip(row) {
            let meant = match cell {
                Yes => false,
                If(_) => true,
                No | Apart => continue,
            };
            let (mut rng, mut reached) = (Rng::new(1), Reached::default());
            let (mut held, mut outside) = (0, 0);
            while held < CASES {
                let case = draw(property, mechanism, &mut rng);
                match check(property, mechanism, &case, meant) {
                    Holds => {
                        held += 1;
                        reached.note(mechanism, &case);
                    }
                    Outside => outside += 1,
                    Broken(why) => panic!("{name}, {column}: {why}; round {held}: {case:?}"),
                }
                assert!(outside < 20 * CASES, "{name}, {column}: the condition is hardly ever met");
            }
            let seen = [reached.capped, reached.partial, reached.tied, reached.short];
            println!(
                "{name}, {column}: {held} rounds, {outside} outside; capped, partial, tied, short: {seen:?}"
            );
            let least = Reached::least(property, mechanism);
            assert!(
                seen.iter().zip(least).all(|(s, l)| *s >= l),
                "{name}, {column}: {seen:?} of at least {least:?}"
            );
        }
    }
}

#[test]
fn the_page_shows_the_table() {
    let page = std::fs::read_to_string(repository().join("docs/adl.md")).expect("docs/adl.md");
    let line = |first: &str, cells: &[String]| format!("| {first} | {} |", cells.join(" | "));
    let head: Vec<String> = Mechanism::ALL.iter().map(|(_, name)| (*name).to_owned()).collect();
    let told = |cell: Cell| match cell {
        Yes => "yes".to_owned(),
        No => "no".to_owned(),
        If(condition) => format!("({condition})"),
        Apart => "-".to_owned(),
    };
    let rows = TABLE.iter().map(|(_, name, row)| line(name, &row.map(told)));
    for row in std::iter::once(line("property", &head)).chain(rows) {
        assert!(page.contains(&row), "docs/adl.md lacks the row {row}");
    }
}
