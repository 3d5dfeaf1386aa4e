//! Golden stories: the text tables of `tests/golden` read and run against the core venue.
//!
//! A line is words; which words there are is said by `tests/golden/vocabulary.json`, which the Python runner reads
//! too. Unknown words are errors with file and line. See `tests/golden/README.md`.

use seawall_core::{
    AccountId, AssetId, Audit, Config, Events, FundId, MarketId, OrderId, Place, Record, Venue,
};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

pub mod bytes;
pub mod called;
pub mod duel;
pub mod naive;
pub mod orders;
pub mod rulebook;
pub mod stream;
pub mod tape;

/// An error in words.
pub type Told<T> = Result<T, String>;

const NO_MARKET: u16 = 65535;
const NONSENSE: u16 = 9;
const TERM: u16 = 6;
const QUOTE: u16 = 7;
const OTHER_LEG: u16 = 7;
const REJECTED: u16 = 100;
const SECOND: i64 = 1_000_000_000;
const MILLISECOND: i64 = 1_000_000;
/// The kind of number that is a set of bits, written as names with + between them.
const CONDITION: &str = "condition";
/// Events that carry an order's id.
const WITH_ORDER_ID: [u16; 9] = [112, 200, 201, 202, 203, 204, 205, 210, 511];

/// True for a command that names an order by its id: Cancel and Replace not by client id, and an other leg.
const fn names_order(command: &Record) -> bool {
    match command.kind {
        2 | 3 => command.flags & 1 == 0,
        TERM => command.code == OTHER_LEG,
        _ => false,
    }
}

/// A set of bits as names in order of value, `=n` if they do not say all of it.
fn spelled(names: BTreeMap<String, i64>, value: i64) -> String {
    let mut names: Vec<(i64, String)> = names.into_iter().map(|(name, bits)| (bits, name)).collect();
    names.sort();
    let (mut rest, mut words) = (value, Vec::new());
    for (bits, name) in names.into_iter().rev() {
        if bits & rest == bits {
            rest -= bits;
            words.push(name);
        }
    }
    words.reverse();
    if words.is_empty() || rest != 0 { format!("={value}") } else { words.join("+") }
}

/// What a Rejected repeats of one side of a Quote.
fn quoted_side(event: &Record, command: &Record) -> Record {
    let side = Record { side: event.side, order: 0, amount: 0, ..*command };
    if event.side == 0 {
        return side;
    }
    let qty = i64::try_from(command.order).unwrap_or(i64::MAX);
    Record { price: command.amount, qty, ..side }
}

/// The root of the repository.
#[must_use]
pub fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The text of a file of `tests/golden`.
///
/// # Errors
/// If it cannot be read.
pub fn golden(name: &str) -> Told<String> {
    let path = repository().join("tests/golden").join(name);
    std::fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display()))
}

// Words.

/// A word of a form: itself, or a field and what kind of number stands there.
#[derive(Debug, Clone)]
enum Word {
    Literal(String),
    Field(String, String),
}

/// One form of a line.
#[derive(Debug, Clone)]
struct Template {
    words: Vec<Word>,
    /// What the record has before its fields are read: its kind and the fields that the form fixes.
    blank: Record,
    opens: bool,
}

/// Every form of a command and of an event, and the names of numbers.
#[derive(Debug)]
pub struct Vocabulary {
    names: BTreeMap<String, BTreeMap<String, i64>>,
    commands: Vec<Template>,
    events: Vec<Template>,
}

impl Vocabulary {
    /// Reads `tests/golden/vocabulary.json`.
    ///
    /// # Errors
    /// If it is not there or not in its form.
    pub fn load() -> Told<Self> {
        let raw: Value = serde_json::from_str(&golden("vocabulary.json")?).map_err(|e| e.to_string())?;
        let names = serde_json::from_value(raw["names"].clone()).map_err(|e| e.to_string())?;
        let templates = |list: &str| -> Told<Vec<Template>> {
            raw[list].as_array().ok_or("not a list")?.iter().map(template).collect()
        };
        Ok(Self { names, commands: templates("commands")?, events: templates("events")? })
    }
}

fn template(row: &Value) -> Told<Template> {
    let kind = row["kind"].as_i64().ok_or("a form has a kind")?;
    let mut blank = Record { market: NO_MARKET, ..Record::default() };
    set(&mut blank, "kind", kind)?;
    for (name, value) in row["fixed"].as_object().into_iter().flatten() {
        set(&mut blank, name, value.as_i64().ok_or("a fixed field is a number")?)?;
    }
    let words = row["text"].as_str().ok_or("a form has a text")?.split_whitespace().map(|word| {
        let Some(inner) = word.strip_prefix('{').and_then(|w| w.strip_suffix('}')) else {
            return Word::Literal(word.to_owned());
        };
        let (name, kind) = inner.split_once(':').unwrap_or((inner, inner));
        Word::Field(name.to_owned(), kind.to_owned())
    });
    let words: Vec<Word> = words.collect();
    let opens = words.iter().any(|w| matches!(w, Word::Field(_, kind) if kind == "new"));
    Ok(Template { words, blank, opens })
}

fn set(record: &mut Record, field: &str, value: i64) -> Told<()> {
    let narrow = |e: std::num::TryFromIntError| format!("{field} {value}: {e}");
    match field {
        "kind" => record.kind = value.try_into().map_err(narrow)?,
        "flags" => record.flags = value.try_into().map_err(narrow)?,
        "market" => record.market = value.try_into().map_err(narrow)?,
        "side" => record.side = value.try_into().map_err(narrow)?,
        "code" => record.code = value.try_into().map_err(narrow)?,
        "account" => record.account = value.try_into().map_err(narrow)?,
        "order" => record.order = value.try_into().map_err(narrow)?,
        "price" => record.price = value,
        "qty" => record.qty = value,
        "amount" => record.amount = value,
        _ => return Err(format!("no field {field}")),
    }
    Ok(())
}

fn get(record: &Record, field: &str) -> Told<i64> {
    Ok(match field {
        "flags" => record.flags.into(),
        "market" => record.market.into(),
        "side" => record.side.into(),
        "code" => record.code.into(),
        "account" => record.account.into(),
        "order" => record.order.try_into().map_err(|e| format!("order: {e}"))?,
        "price" => record.price,
        "qty" => record.qty,
        "amount" => record.amount,
        _ => return Err(format!("no field {field}")),
    })
}

/// A whole number in its canonical form.
fn number(word: &str) -> Option<i64> {
    word.parse().ok().filter(|n: &i64| n.to_string() == word)
}

/// The names of one story: those of its configuration and those of its accounts.
#[derive(Debug)]
struct Scope<'a> {
    vocabulary: &'a Vocabulary,
    config: Value,
    accounts: Vec<String>,
}

impl Scope<'_> {
    /// The names of a kind of number by number; none if it is written as a number.
    fn names(&self, kind: &str) -> Option<BTreeMap<String, i64>> {
        let numbered = |names: &mut dyn Iterator<Item = String>| names.zip(0..).collect();
        let list = match kind {
            "account" => return Some(numbered(&mut self.accounts.iter().cloned())),
            "market" => "markets",
            "asset" => "assets",
            "fund" => "funds",
            "rule" => "breakers",
            _ => return self.vocabulary.names.get(kind).cloned(),
        };
        let rows = self.config[list].as_array().into_iter().flatten();
        Some(numbered(&mut rows.map(|row| row["name"].as_str().unwrap_or_default().to_owned())))
    }

    fn read(&self, kind: &str, word: &str) -> Option<i64> {
        match kind {
            "order" => number(word.strip_prefix('#')?).map(|n| n << OrderId::SLOT_BITS),
            "time" => match (word.strip_suffix("ms"), word.strip_suffix('s')) {
                (Some(count), _) => number(count).map(|n| n * MILLISECOND),
                (None, Some(count)) => number(count).map(|n| n * SECOND),
                (None, None) => number(word),
            },
            _ => match self.names(kind) {
                None => number(word),
                Some(names) => match word.strip_prefix('=') {
                    Some(raw) => number(raw),
                    None if kind == CONDITION => word.split('+').map(|part| names.get(part)).sum(),
                    None => names.get(word).copied(),
                },
            },
        }
    }

    fn write(&self, kind: &str, value: i64) -> String {
        match kind {
            "order" => format!("#{}", value >> OrderId::SLOT_BITS),
            "time" if value % SECOND == 0 => format!("{}s", value / SECOND),
            "time" if value % MILLISECOND == 0 => format!("{}ms", value / MILLISECOND),
            "time" => value.to_string(),
            _ => match self.names(kind) {
                None => value.to_string(),
                Some(names) if kind == CONDITION => spelled(names, value),
                Some(names) => names
                    .into_iter()
                    .find(|(_, n)| *n == value)
                    .map_or_else(|| format!("={value}"), |(name, _)| name),
            },
        }
    }

    fn matches(&self, template: &Template, words: &[&str]) -> Option<Record> {
        if words.len() != template.words.len() {
            return None;
        }
        let mut record = template.blank;
        for (word, form) in words.iter().zip(&template.words) {
            match form {
                Word::Literal(literal) => (literal == word).then_some(())?,
                Word::Field(_, kind) if kind == "new" => {
                    let fresh = !self.accounts.iter().any(|a| a == word);
                    (fresh && word.chars().all(char::is_alphanumeric)).then_some(())?;
                }
                Word::Field(name, kind) => set(&mut record, name, self.read(kind, word)?).ok()?,
            }
        }
        Some(record)
    }

    /// The record that a line stands for in one of the forms.
    fn parse(&mut self, templates: &[Template], line: &str) -> Option<Record> {
        let words: Vec<&str> = line.split_whitespace().collect();
        let (template, record) = templates.iter().find_map(|t| Some((t, self.matches(t, &words)?)))?;
        if template.opens {
            self.accounts.push((*words.last()?).to_owned());
        }
        Some(record)
    }

    /// The first form of a line that says all of a record, besides time, number, venue and source.
    fn format(&self, templates: &[Template], record: &Record) -> Told<String> {
        let payload = Record { at: 0, seq: 0, venue: 0, source: 0, ..*record };
        for template in templates.iter().filter(|t| t.blank.kind == record.kind && !t.opens) {
            let mut line = String::new();
            for word in &template.words {
                let text = match word {
                    Word::Literal(literal) => literal.clone(),
                    Word::Field(name, kind) => self.write(kind, get(record, name)?),
                };
                let gap = if line.is_empty() { "" } else { " " };
                write!(line, "{gap}{text}").map_err(|e| e.to_string())?;
            }
            let words: Vec<&str> = line.split_whitespace().collect();
            if self.matches(template, &words) == Some(payload) {
                return Ok(line);
            }
        }
        Ok(format!("unspeakable {record:?}"))
    }
}

// Stories.

#[derive(Debug)]
enum Deed {
    Command { record: Record, expected: Vec<String> },
    Check,
}

#[derive(Debug)]
struct Step {
    place: String,
    text: String,
    deed: Deed,
}

/// One story, read.
#[derive(Debug)]
pub struct Story<'a> {
    /// What it shows.
    pub claim: String,
    scope: Scope<'a>,
    at: i64,
    steps: Vec<Step>,
}

/// Reads the stories of a file of `tests/golden`.
///
/// # Errors
/// For the first line that is in no known form, with its place.
pub fn read_stories<'a>(vocabulary: &'a Vocabulary, name: &str) -> Told<Vec<Story<'a>>> {
    let mut stories: Vec<Story<'a>> = Vec::new();
    for (i, line) in golden(name)?.lines().map(str::trim).enumerate() {
        let place = format!("{name}:{}", i + 1);
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if let Some(claim) = line.strip_prefix("story ") {
            let scope = Scope { vocabulary, config: Value::Null, accounts: Vec::new() };
            stories.push(Story { claim: claim.to_owned(), scope, at: 0, steps: Vec::new() });
        } else {
            let story = stories.last_mut().ok_or_else(|| format!("{place}: a file begins with a story"))?;
            story.take(&place, line).map_err(|why| format!("{place}: {why}"))?;
        }
    }
    Ok(stories)
}

impl Story<'_> {
    fn take(&mut self, place: &str, line: &str) -> Told<()> {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        match word {
            "config" => {
                let text = golden(&format!("{rest}.json"))?;
                self.scope.config = serde_json::from_str(&text).map_err(|e| e.to_string())?;
            }
            _ if self.scope.config.is_null() => return Err("config comes first".to_owned()),
            "set" => set_value(&mut self.scope.config, rest)?,
            "at" => self.at = self.scope.read("time", rest).ok_or_else(|| format!("not a time: {rest}"))?,
            "given" => self.give(place, rest)?,
            "check" => {
                self.steps.push(Step { place: place.to_owned(), text: rest.to_owned(), deed: Deed::Check });
            }
            ">" => self.expect(rest)?,
            _ => self.command(place, line, Vec::new())?,
        }
        Ok(())
    }

    fn command(&mut self, place: &str, line: &str, expected: Vec<String>) -> Told<()> {
        let record = self.scope.parse(&self.scope.vocabulary.commands, line);
        let record = record.ok_or_else(|| format!("no command reads like this: {line}"))?;
        let deed = Deed::Command { record: Record { at: self.at, ..record }, expected };
        self.steps.push(Step { place: place.to_owned(), text: line.to_owned(), deed });
        Ok(())
    }

    fn expect(&mut self, line: &str) -> Told<()> {
        let read = self.scope.parse(&self.scope.vocabulary.events, line);
        read.ok_or_else(|| format!("no event reads like this: {line}"))?;
        match self.steps.last_mut().map(|s| &mut s.deed) {
            Some(Deed::Command { expected, .. }) => {
                expected.push(line.split_whitespace().collect::<Vec<_>>().join(" "));
                Ok(())
            }
            _ => Err("an event follows a command".to_owned()),
        }
    }

    /// `given name amount`: an account that is opened and funded, and nothing else happens.
    fn give(&mut self, place: &str, rest: &str) -> Told<()> {
        let (name, amount) = rest.split_once(' ').ok_or("given name amount")?;
        let asset = self.scope.write("asset", 0);
        self.command(place, &format!("open {name}"), vec![format!("opened {name}")])?;
        let deposited = vec![format!("deposited {name} {amount} {asset}")];
        self.command(place, &format!("deposit {name} {amount} {asset}"), deposited)
    }

    /// Runs the story against a venue that checks itself after every step, then once more with a snapshot and a
    /// restore before every command.
    ///
    /// # Errors
    /// The first place where it did not go as told.
    pub fn run(&self) -> Told<()> {
        self.run_once(false)?;
        self.run_once(true).map_err(|why| format!("restored before every command: {why}"))
    }

    fn run_once(&self, restored: bool) -> Told<()> {
        let config = Config::new(&self.scope.config.to_string()).map_err(|e| e.to_string())?;
        let mut venue = Venue::new(config);
        venue.set_audit(Audit::Full);
        let mut run = Run { story: self, venue, restored, ids: BTreeMap::new(), now: 0, seq: 0 };
        for step in &self.steps {
            let place = |why: String| format!("{}: {why}", step.place);
            match &step.deed {
                Deed::Check => run.check(&step.text).map_err(place)?,
                Deed::Command { record, expected } => {
                    let got = run.apply(record).map_err(place)?;
                    if got != *expected {
                        let told = expected.join("\n  told > ");
                        let seen = got.join("\n  seen > ");
                        return Err(place(format!("{}\n  told > {told}\n  seen > {seen}", step.text)));
                    }
                }
            }
        }
        if run.venue.conservation().ok { Ok(()) } else { Err(format!("{:?}", run.venue.conservation())) }
    }
}

/// `path value`: sets one value of a configuration; the rows of a list go by name.
fn set_value(config: &mut Value, line: &str) -> Told<()> {
    let (path, value) = line.split_once(' ').ok_or("set path value")?;
    let mut at = config;
    for part in path.split('.') {
        let found = match at {
            Value::Array(rows) => rows.iter_mut().find(|row| row["name"] == part),
            other => other.get_mut(part),
        };
        at = found.ok_or_else(|| format!("the configuration has no {part} in {path}"))?;
    }
    *at = serde_json::from_str(value).map_err(|e| format!("{value}: {e}"))?;
    Ok(())
}

/// One story against one venue.
struct Run<'a> {
    story: &'a Story<'a>,
    venue: Venue,
    restored: bool,
    /// Order ids as the venue gave them, by acceptance number.
    ids: BTreeMap<u64, u64>,
    now: i64,
    seq: u64,
}

impl Run<'_> {
    fn apply(&mut self, command: &Record) -> Told<Vec<String>> {
        let mut command = *command;
        if names_order(&command) {
            let number = OrderId::from_raw(command.order).acceptance();
            command.order = self.ids.get(&number).copied().unwrap_or(command.order);
        }
        if command.kind != NONSENSE {
            self.now = self.now.max(command.at);
        }
        if self.restored {
            self.venue = Venue::restore(&self.venue.snapshot()).map_err(|e| e.to_string())?;
            self.venue.set_audit(Audit::Full);
        }
        let mut events = Events::new();
        self.venue.apply_record(&command, &mut events);
        let mut lines = Vec::new();
        for event in events.as_slice() {
            self.seq += 1;
            let header = (event.seq, event.at, event.venue, event.source);
            if header != (self.seq, self.now, self.venue.config().venue, command.source) {
                return Err(format!("header of an event (seq, at, venue, source) is {header:?}: {event:?}"));
            }
            let event = self.canonical(event, &command)?;
            lines.push(self.story.scope.format(&self.story.scope.vocabulary.events, &event)?);
        }
        Ok(lines)
    }

    /// An event without slots and without what a Rejected repeats, both checked.
    fn canonical(&mut self, event: &Record, command: &Record) -> Told<Record> {
        if WITH_ORDER_ID.contains(&event.kind) {
            let number = OrderId::from_raw(event.order).acceptance();
            self.ids.insert(number, event.order);
            return Ok(Record { order: OrderId::new(number, 0).raw(), ..*event });
        }
        if event.kind == REJECTED {
            let Record { kind, at, seq, venue, source, flags, code, side, price, qty, .. } = *event;
            let repeats =
                |told: Record| *event == Record { kind, at, seq, venue, source, flags, code, ..told };
            let bare = Record { kind, flags, code, market: NO_MARKET, ..Record::default() };
            if repeats(*command) {
                return Ok(bare);
            }
            if command.kind == QUOTE && repeats(quoted_side(event, command)) {
                return Ok(Record { side, price, qty, ..bare });
            }
            return Err(format!("a Rejected repeats its command: {event:?}"));
        }
        Ok(*event)
    }

    fn check(&self, text: &str) -> Told<()> {
        let scope = &self.story.scope;
        let words: Vec<&str> = text.split_whitespace().collect();
        let account = |name| {
            let number = scope.read("account", name).and_then(|n| u32::try_from(n).ok());
            number.map(AccountId::new).ok_or_else(|| format!("no account {name}"))
        };
        let market = |name| {
            let number = scope.read("market", name).and_then(|n| u16::try_from(n).ok());
            number.map(MarketId::new).ok_or_else(|| format!("no market {name}"))
        };
        let proof = self.venue.conservation();
        let found: i128 = match words[..] {
            ["funds", _] => (0..self.venue.config().funds.len())
                .map(|f| i128::from(self.venue.fund(FundId::from_index(f)).get()))
                .sum(),
            ["rounding", m, _] => self.venue.money(Place::Rounding(market(m)?)).get().into(),
            ["fees", _] => self.venue.money(Place::Fees).get().into(),
            ["shortfall", _] => proof.shortfall.get().into(),
            ["users", asset, _] => {
                let index = scope.read("asset", asset).and_then(|n| u16::try_from(n).ok());
                proof.assets[AssetId::new(index.ok_or("no such asset")?).index()].users.get()
            }
            [name, "balance", _] => self.venue.balance(account(name)?, AssetId::new(0)).get().into(),
            [name, "equity", _] => self.venue.equity(account(name)?).get(),
            [name, "position", m, _] => self.venue.position(account(name)?, market(m)?).base.get().into(),
            [name, "cost", m, _] => self.venue.position(account(name)?, market(m)?).cost.get().into(),
            _ => return Err(format!("no check reads like this: {text}")),
        };
        let told = words.last().copied().unwrap_or_default();
        if found.to_string() == told { Ok(()) } else { Err(format!("{text}: got {found}")) }
    }
}

/// A band around the mark at entry; without a width it is infinite.
#[must_use]
pub fn band(name: &str, markets: &[u16], width: Option<i64>, action: &str) -> Value {
    let width = width.map_or(json!({"type": "infinite"}), |ppm| json!({"type": "ppm", "ppm": ppm}));
    json!({
        "name": name, "markets": markets, "ranges": [{"reference": {"type": "mark"}, "width": width}],
        "test": {"type": "entry"}, "action": {"type": action},
    })
}

/// A halt after a move of at least `ppm` of the lowest or highest price (`source`: trade or mark) of a while.
#[must_use]
pub fn halt(name: &str, markets: &[u16], source: &str, ppm: i64, window: i64, duration: i64) -> Value {
    let reference = json!({"type": "window", "prices": source, "window_ns": window});
    json!({
        "name": name, "markets": markets, "ranges": [{"reference": reference, "width": {"type": "ppm", "ppm": ppm}}],
        "inclusive": false, "test": {"type": source}, "action": {"type": "interrupt", "phase": "halted"},
        "exit": {"after_ns": duration}, "rearm": {"restart": true},
    })
}
