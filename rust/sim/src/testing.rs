//! The small venue and scenario of the unit tests.

use crate::scenario::Scenario;
use seawall_core::Config;

pub(crate) fn config() -> Config {
    Config::new(include_str!("../tests/data/venue.json")).unwrap()
}

pub(crate) fn scenario() -> Scenario {
    Scenario::new(include_str!("../tests/data/small.json")).unwrap()
}
