//! Every test of the whole venue in one program: linked once, and its tests share the machine's cores.
//! `cargo test -p seawall-tests guard::` runs one file of them.

mod adl_properties;
mod auction;
mod book;
mod breakers;
mod bytes;
mod contracts;
mod defects;
mod falsifiers;
mod guard;
mod levels;
mod margin;
mod metamorphic;
mod plan;
mod policies;
mod portfolio;
mod prices;
mod rulebook;
mod stories;
mod tidy;
mod venue;
mod waterfall;
