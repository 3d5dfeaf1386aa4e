//! Instructions per message with each set of rules, counted by callgrind: they repeat where times do not.
//!
//! `rules FILE` runs itself under valgrind and prints a table; FILE is a JSON list of presets, each a pair of a name and
//! its breakers as text. With a word for the features behind it every row is run once, which is what callgrind collects.

use seawall_bench::{Features, RulesBench, RulesOptions};
use std::process::{Command, ExitCode};

const MESSAGES: usize = 30_000;
/// How the lines begin that the others are held against.
const NO_RULES: &str = "no rules";

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

/// Runs every row once, each behind the same markets without rules, and prints what the breakers did.
fn rows(file: &str, features: &str) -> Result<(), String> {
    let text = std::fs::read_to_string(file).map_err(|e| format!("{file}: {e}"))?;
    let presets = serde_json::from_str(&text).map_err(|e| format!("{file}: {e}"))?;
    let features = Features::of(features).map_err(|e| e.to_string())?;
    let (workload, n) = ("touch50".to_owned(), Some(MESSAGES));
    let options = RulesOptions { workload, n, seed: None, features, repeat: 1, presets };
    let mut bench = RulesBench::new(options).map_err(|e| e.to_string())?;
    let names: Vec<(String, &str)> = bench.names().map(|(name, how)| (name.to_owned(), how)).collect();
    let mut print = |row: usize, ruled: bool, name: &str| {
        let work = bench.once(row, ruled).map_err(|e| e.to_string())?;
        println!("{name:32}{:>10}{:>14}", work.tests, work.evaluations);
        Ok::<(), String>(())
    };
    for (row, (name, how)) in names.iter().enumerate() {
        // What the rows behind it are held against.
        match (row, *how) {
            (0, _) => print(row, false, NO_RULES)?,
            (_, "elsewhere") => print(row, false, &format!("{NO_RULES}, two markets"))?,
            (_, "policy") if names[row - 1].1 != "policy" => print(row, false, NO_RULES)?,
            _ => {}
        }
        print(row, true, &format!("{name}, {how}"))?;
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
    let mut without = 0;
    for (line, count) in printed.lines().zip(&counts) {
        if line.starts_with(NO_RULES) {
            without = *count;
        }
        println!("{line}{:>14}{:>8.3}", count / MESSAGES, without as f64 / *count as f64);
    }
    Ok(())
}
