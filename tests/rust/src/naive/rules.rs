//! A venue's configuration as the naive venue reads it: docs/mechanics.md section 12, optional keys included.

use super::words::phase;
use serde_json::Value;

/// Which client ids a market admits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClientIds {
    /// They are not read.
    None,
    /// Any number but 0, unique among an account's open orders.
    Hashed,
    /// 1 to this number, unique among all open orders.
    Dense(u64),
}

/// How lots are allocated at a price.
#[derive(Debug, Clone)]
pub enum Allocation {
    /// Longest resting first.
    PriceTime,
    /// In steps, in proportion to what is open.
    ProRata {
        /// Whether the top order comes first.
        top_order: bool,
        /// Accounts and their shares in ppm, in order.
        lead: Vec<(u32, i64)>,
        /// Share in ppm that goes longest resting first.
        fifo_ppm: i64,
        /// Least share of the proportional step.
        minimum: i64,
    },
}

/// How a mark is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MarkMethod {
    /// The index.
    Index,
    /// The last trade.
    Last,
    /// The middle one of three.
    Median,
}

/// A band around the mark at entry.
#[derive(Debug, Clone, Copy)]
pub struct Band {
    /// Its number in the configuration.
    pub rule: u16,
    /// Half width; none is infinite.
    pub width_ppm: Option<i64>,
    /// Refuses what it would otherwise cap.
    pub rejects: bool,
}

/// One market's rules.
#[derive(Debug, Clone)]
#[allow(missing_docs, reason = "the fields are those of docs/mechanics.md section 12")]
pub struct MarketRules {
    pub tick_value: i64,
    pub price_max: i64,
    pub order_qty_max: i64,
    pub position_max: i64,
    pub open_interest_max: i64,
    pub maker_ppm: i64,
    pub taker_ppm: i64,
    pub mark: MarkMethod,
    pub basis_samples: usize,
    pub phase: u16,
    pub reopen_auction_ns: i64,
    pub cleared: bool,
    pub client_ids: ClientIds,
    pub allocation: Allocation,
    pub day_start_ns: i64,
    pub day_length_ns: i64,
    pub price_step: i64,
    pub qty_step: i64,
    pub qty_min: i64,
    pub notional_min: i64,
    pub notional_max: Option<i64>,
    pub open_orders_max: Option<i64>,
    pub bands: Vec<Band>,
}

/// A venue's rules.
#[derive(Debug, Clone)]
#[allow(missing_docs, reason = "the fields are those of docs/mechanics.md section 12")]
pub struct Rules {
    pub venue: u16,
    pub accounts_max: usize,
    pub orders_max: usize,
    pub triggers_per_step: usize,
    pub deposits_max: Vec<i64>,
    pub markets: Vec<MarketRules>,
}

fn whole(value: &Value) -> i64 {
    value.as_i64().unwrap_or_else(|| panic!("{value} is not a whole number"))
}

fn whole_or(value: &Value, otherwise: i64) -> i64 {
    if value.is_null() { otherwise } else { whole(value) }
}

fn small<T: TryFrom<i64>>(value: i64) -> T {
    T::try_from(value).ok().unwrap_or_else(|| panic!("{value} is out of range"))
}

fn phase_of(name: &Value) -> u16 {
    match name.as_str() {
        Some("pre_open") => phase::PRE_OPEN,
        Some("continuous") => phase::CONTINUOUS,
        Some("call_auction") => phase::CALL_AUCTION,
        Some("halted") => phase::HALTED,
        other => panic!("the naive venue does not begin in {other:?}"),
    }
}

fn allocation_of(value: &Value) -> Allocation {
    match value["type"].as_str() {
        None | Some("price_time") => Allocation::PriceTime,
        Some(_) => Allocation::ProRata {
            top_order: value["top_order"].as_bool().expect("yes or no"),
            lead: value["lead"]
                .as_array()
                .expect("a list")
                .iter()
                .map(|row| (small(whole(&row["account"])), whole(&row["share_ppm"])))
                .collect(),
            fifo_ppm: whole(&value["fifo_ppm"]),
            minimum: whole(&value["minimum"]),
        },
    }
}

fn client_ids_of(value: &Value) -> ClientIds {
    match value.as_str() {
        Some("hashed") => ClientIds::Hashed,
        Some(_) => ClientIds::None,
        None if value.is_null() => ClientIds::None,
        None => ClientIds::Dense(small(whole(&value["dense"]["max"]))),
    }
}

impl MarketRules {
    fn new(market: &Value, bands: Vec<Band>) -> Self {
        let (entry, day) = (&market["entry"], &market["day"]);
        Self {
            tick_value: whole(&market["tick_value"]),
            price_max: whole(&market["price_max"]),
            order_qty_max: whole(&market["order_qty_max"]),
            position_max: whole(&market["position_max"]),
            open_interest_max: whole(&market["open_interest_max"]),
            maker_ppm: whole(&market["fees"]["maker_ppm"]),
            taker_ppm: whole(&market["fees"]["taker_ppm"]),
            mark: match market["mark"]["method"].as_str() {
                Some("index") => MarkMethod::Index,
                Some("last") => MarkMethod::Last,
                _ => MarkMethod::Median,
            },
            basis_samples: small(whole(&market["mark"]["basis_samples"])),
            phase: phase_of(&market["phase"]),
            reopen_auction_ns: whole(&market["reopen_auction_ns"]),
            cleared: market["cleared"].as_bool().unwrap_or(true),
            client_ids: client_ids_of(&market["client_ids"]),
            allocation: allocation_of(&market["allocation"]),
            day_start_ns: whole_or(&day["start_ns"], 0),
            day_length_ns: whole_or(&day["length_ns"], 86_400_000_000_000),
            price_step: whole_or(&entry["price_step"], 1),
            qty_step: whole_or(&entry["qty_step"], 1),
            qty_min: whole_or(&entry["qty_min"], 1),
            notional_min: whole_or(&entry["notional_min"], 0),
            notional_max: entry["notional_max"].as_i64(),
            open_orders_max: entry["open_orders_max"].as_i64(),
            bands,
        }
    }
}

impl Rules {
    /// Reads a configuration.
    #[must_use]
    pub fn new(config: &Value) -> Self {
        let breakers = config["breakers"].as_array().expect("a list");
        let bands_of = |market: i64| {
            let here = |(_, b): &(u16, &Value)| {
                let named = b["markets"].as_array().expect("a list").iter().any(|m| whole(m) == market);
                named && b["test"]["type"] == "entry"
            };
            let band = |(rule, b): (u16, &Value)| Band {
                rule,
                width_ppm: b["ranges"][0]["width"]["ppm"].as_i64(),
                rejects: b["action"]["type"] == "reject",
            };
            (0..).zip(breakers).filter(here).map(band).collect()
        };
        let limits = &config["limits"];
        let markets = config["markets"].as_array().expect("a list");
        let assets = config["assets"].as_array().expect("a list");
        Self {
            venue: small(whole(&config["venue"])),
            accounts_max: small(whole(&limits["accounts_max"])),
            orders_max: small(whole(&limits["orders_max"])),
            triggers_per_step: small(whole_or(&limits["triggers_per_step"], 16)),
            deposits_max: assets.iter().map(|a| whole(&a["deposits_max"])).collect(),
            markets: markets.iter().zip(0..).map(|(m, i)| MarketRules::new(m, bands_of(i))).collect(),
        }
    }
}
