//! Instructions per message with each set of rules, counted by callgrind: they repeat where times do not.
//!
//! `rules FILE` runs itself under valgrind and prints a table; FILE is a JSON list of presets, each a pair of a name and
//! its breakers as text. With a word for the features
//! behind it every row is run once, which is what callgrind collects.

use seawall_bench::{Features, RulesBench, RulesOptions};
use std::process::{Command, ExitCode};

const MESSAGES: usize = 30_000;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let done = match arguments.as_slice() {
        [file] => ["idle", "full"].iter().try_for_each(|features| table(file, features)),
        [file, features] => rows(file, features),
        _ => Err("name a file of presets".to_owned()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("error: {why}");
            ExitCode::from(2)
        }
    }
}

/// Runs every row once, the messages without rules first, and prints what the breakers did.
fn rows(file: &str, features: &str) -> Result<(), String> {
    let text = std::fs::read_to_string(file).map_err(|e| format!("{file}: {e}"))?;
    let presets = serde_json::from_str(&text).map_err(|e| format!("{file}: {e}"))?;
    let features = Features::of(features).map_err(|e| e.to_string())?;
    let (workload, n) = ("touch50".to_owned(), Some(MESSAGES));
    let options = RulesOptions { workload, n, seed: None, features, repeat: 1, presets };
    let mut bench = RulesBench::new(options).map_err(|e| e.to_string())?;
    let names: Vec<String> = bench.names().map(|(name, attached)| format!("{name}, {attached}")).collect();
    for (row, name) in std::iter::once("no rules").chain(names.iter().map(String::as_str)).enumerate() {
        let work = bench.once(row.checked_sub(1)).map_err(|e| e.to_string())?;
        println!("{name:32}{:>10}{:>14}", work.tests, work.evaluations);
    }
    Ok(())
}

#[allow(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
fn table(file: &str, features: &str) -> Result<(), String> {
    let folder = std::env::temp_dir().join(format!("seawall-rules-{}", std::process::id()));
    std::fs::create_dir_all(&folder).map_err(|e| e.to_string())?;
    let own = std::env::current_exe().map_err(|e| e.to_string())?;
    let output = Command::new("valgrind")
        .arg("--tool=callgrind")
        .arg(format!("--callgrind-out-file={}", folder.join("counts").display()))
        .args(["--toggle-collect=*RulesBench*drive*", "--dump-before=*Stage*check*"])
        .arg(own)
        .args([file, features])
        .output()
        .map_err(|e| format!("valgrind: {e}; install it and try again"))?;
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    let counts = printed.lines().enumerate().map(|(row, _)| {
        let dump = std::fs::read_to_string(folder.join(format!("counts.{}", row + 3))).ok()?;
        dump.lines().find_map(|line| line.strip_prefix("totals: "))?.trim().parse::<usize>().ok()
    });
    let counts: Option<Vec<usize>> = counts.collect();
    std::fs::remove_dir_all(&folder).map_err(|e| e.to_string())?;
    let Some(counts) = counts.filter(|counts| output.status.success() && !counts.is_empty()) else {
        return Err(format!("callgrind counted nothing:\n{told}"));
    };
    println!("instructions per message of touch50, {features}, {MESSAGES} messages after the book is built");
    println!("{:32}{:>10}{:>14}{:>14}{:>8}", "", "tests", "evaluations", "instructions", "share");
    for (line, count) in printed.lines().zip(&counts) {
        println!("{line}{:>14}{:>8.3}", count / MESSAGES, counts[0] as f64 / *count as f64);
    }
    Ok(())
}
