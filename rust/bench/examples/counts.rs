//! Instructions per message, counted by callgrind: they repeat to a fraction of a per cent where times do not.
//!
//! Without arguments it runs itself under valgrind, once for each row, and prints a table; `make bench-counts`
//! does that. With the arguments PROFILE ENGINE IDS it drives that workload once, in [`timed_part`], which is what
//! callgrind collects.

use seawall_bench::{Features, Forms, Generator, Ids, Message, Null, Params, Stage, Tracks};
use seawall_core::Venue;
use std::process::{Command, ExitCode};

const MESSAGES: usize = 30_000;
const PROFILES: [&str; 4] = ["touch50", "shallow", "wide", "crash"];
/// Engine and ids of a column; what the engine without matching takes is part of every other column.
const COLUMNS: [(&str, &str); 5] =
    [("null", "venue"), ("idle", "venue"), ("idle", "given"), ("idle", "hashed"), ("full", "venue")];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let done = match arguments.as_slice() {
        [profile, engine, ids] => run(profile, engine, ids),
        _ => table(),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("error: {why}");
            ExitCode::from(2)
        }
    }
}

fn run(profile: &str, engine: &str, ids: &str) -> Result<(), String> {
    let params = Params::of(profile).ok_or_else(|| format!("{profile:?}: no such profile"))?;
    let workload = Generator::workload(profile, Params { timed: MESSAGES, ..params });
    let features = if engine == "full" { Features::Full } else { Features::Idle };
    let ids = Ids::of(ids).map_err(|e| e.to_string())?;
    let stage = workload.and_then(|w| Stage::new(w, features, ids)).map_err(|e| e.to_string())?;
    let mut tracks = Tracks::default();
    if engine == "null" {
        tracks.drive(&mut Null::default(), stage.forms(), stage.timed());
        without_matching(&mut tracks, stage.forms(), stage.timed());
        return Ok(());
    }
    let mut venue = stage.venue();
    tracks.drive(&mut venue, stage.forms(), stage.prefill());
    let tape = timed_part(&mut tracks, &mut venue, stage.forms(), stage.timed());
    stage.check(&venue, &tape).map_err(|e| e.to_string())
}

#[inline(never)]
fn timed_part(
    tracks: &mut Tracks,
    venue: &mut Venue,
    forms: &Forms,
    messages: &[Message],
) -> seawall_bench::Tape {
    std::hint::black_box(tracks.drive(venue, forms, messages))
}

#[inline(never)]
fn without_matching(tracks: &mut Tracks, forms: &Forms, messages: &[Message]) {
    std::hint::black_box(tracks.drive(&mut Null::default(), forms, messages));
}

fn table() -> Result<(), String> {
    let installed = Command::new("valgrind").arg("--version").output();
    if !installed.is_ok_and(|output| output.status.success()) {
        return Err(
            "valgrind is not installed; install it (apt-get install valgrind, dnf install valgrind) \
                    and try again"
                .to_owned(),
        );
    }
    println!("instructions per message, {MESSAGES} messages after the book is built");
    let heads = COLUMNS.map(|(engine, ids)| format!("{:>14}", format!("{engine}/{ids}")));
    println!("{:10}{}", "", heads.concat());
    for profile in PROFILES {
        print!("{profile:10}");
        for (engine, ids) in COLUMNS {
            print!("{:>14}", instructions(&[profile, engine, ids])? / MESSAGES);
        }
        println!();
    }
    Ok(())
}

/// Instructions that this program's timed part takes with some arguments.
fn instructions(arguments: &[&str]) -> Result<usize, String> {
    let own = std::env::current_exe().map_err(|e| e.to_string())?;
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .args(["--toggle-collect=*timed_part*", "--toggle-collect=*without_matching*"])
        .arg(own)
        .args(arguments)
        .output()
        .map_err(|e| e.to_string())?;
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    let collected = told.lines().find_map(|line| line.split("Collected : ").nth(1));
    match collected.and_then(|count| count.trim().parse().ok()) {
        Some(count) if output.status.success() && count > 0 => Ok(count),
        _ => Err(format!("callgrind counted nothing:\n{told}")),
    }
}
