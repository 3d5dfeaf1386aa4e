//! How fast the venue's book is, measured on a common workload with a known answer.
//!
//! [`workload`] holds the messages and their answer, read from a file or made by [`generate`]; [`setup`] opens a
//! venue for them; [`book`] is the one loop that drives the venue and an engine that does not match; [`mod@bench`]
//! takes the samples and reports. Knows no rule of the venue. Every sample's answer is compared.
#![forbid(unsafe_code)]

pub mod workload;

pub mod generate;

pub mod setup;

pub mod book;

pub mod bench;

pub use bench::{Bench, Latency, Options, Report, Sample};
pub use book::{Engine, Null, Tape, Tracks};
pub use generate::{Generator, PROFILES, Params};
pub use setup::{Features, Forms, Ids, Stage};
pub use workload::{BenchError, Expected, Message, Workload};
