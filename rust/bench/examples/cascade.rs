//! Scratch.
#![allow(clippy::all, clippy::pedantic)]
use seawall_bench::{Cascade, CascadeOptions};
fn main() {
    let a: Vec<u32> = std::env::args().skip(1).map(|x| x.parse().unwrap()).collect();
    let r = Cascade::run(CascadeOptions { accounts: a[0], jump_accounts: a[1] }).unwrap();
    println!("{}", serde_json::to_string_pretty(&r).unwrap());
}
