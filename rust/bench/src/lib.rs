//! How fast the venue's book is, measured on a common workload with a known answer.
//!
//! [`workload`] holds the messages and their answer, read from a file or made by [`generate`]; [`setup`] opens a
//! venue for them; [`book`] is the one loop that drives the venue and an engine that does not match; [`mod@bench`]
//! takes the samples and reports. Knows no rule of the venue. Every sample's answer is compared.
//!
//! Beside the book: [`marks`] measures what marks cost a venue of many accounts, and [`cascade`] what liquidations do;
//! both open their crowd through the venue's commands. [`mod@rules`] measures what breakers cost that stop nobody.
#![forbid(unsafe_code)]

pub mod workload;

pub mod generate;

pub mod setup;

pub mod book;

pub mod bench;

mod crowd;

pub mod cascade;

pub mod marks;

pub mod rules;

pub use bench::{Bench, Latency, Options, Report, Sample};
pub use book::{Engine, Null, Tape, Tracks};
pub use cascade::{Cascade, CascadeOptions, CascadeReport};
pub use generate::{Generator, PROFILES, Params};
pub use marks::{Marks, MarksOptions, MarksReport};
pub use rules::{RulesBench, RulesOptions, RulesReport, RulesRow};
pub use setup::{Features, Forms, Ids, Stage};
pub use workload::{BenchError, Expected, Message, Workload};
