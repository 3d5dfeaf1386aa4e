//! What `make fuzz` runs, on some bytes: they reach every kind of command, and the venues agree.

use seawall_tests::bytes;
use seawall_tests::stream::Rng;
use std::collections::BTreeMap;

const WORLDS: u64 = 300;

#[test]
fn worlds_of_random_bytes_give_the_events_of_the_naive_venue() {
    let (mut commands, mut kinds, mut rejects) = (0, BTreeMap::new(), BTreeMap::new());
    for seed in 1..=WORLDS {
        let mut rng = Rng::new(seed);
        let length = rng.within(50, 600);
        let read: Vec<u8> = (0..length).map(|_| u8::try_from(rng.within(0, 255)).expect("a byte")).collect();
        let ran = bytes::run(&read).unwrap_or_else(|f| panic!("seed {seed}\n{}\n{}", f.what, f.shrunk()));
        commands += ran.commands;
        for e in ran.events {
            *kinds.entry(e.kind).or_insert(0) += 1;
            if e.kind == 100 {
                *rejects.entry(e.code).or_insert(0) += 1;
            }
        }
    }
    println!("{commands} commands, events {kinds:?}, rejects {rejects:?}");
    for kind in [100, 110, 200, 201, 202, 203, 204, 205, 210, 300, 400] {
        assert!(kinds.get(&kind).is_some_and(|n| *n >= 20), "event {kind}: {:?}", kinds.get(&kind));
    }
    assert!(commands > 20_000 && rejects.values().sum::<u64>() * 2 < commands);
    assert!(rejects.len() >= 18, "codes of rejects: {rejects:?}");
}
