//! Scratch.
#![allow(clippy::all, clippy::pedantic)]
use seawall_bench::{Marks, MarksOptions};
fn main() {
    let a: Vec<u32> = std::env::args().skip(1).map(|x| x.parse().unwrap()).collect();
    let r = Marks::run(MarksOptions { accounts: a[0], markets: a[1] as u16, steps: a[2] }).unwrap();
    println!("{}", serde_json::to_string_pretty(&r).unwrap());
}
