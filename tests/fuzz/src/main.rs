//! The core venue against the naive one, on bytes: under a fuzzer, or on files of bytes that one found.
//!
//! Without arguments it takes bytes from the fuzzer; with `FILE...` it runs those and tells the fewest commands that
//! show a difference; with `--corpus DIR` it writes bytes for a fuzzer to begin with.

use seawall_tests::bytes;
use seawall_tests::stream::Rng;
use std::path::Path;
use std::process::ExitCode;

const SEEDS: u64 = 72;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match &arguments[..] {
        [] => fuzz(),
        [flag, folder] if flag == "--corpus" => {
            write_corpus(Path::new(folder));
            ExitCode::SUCCESS
        }
        files => {
            let differ = files.iter().filter(|file| differs(file)).count();
            ExitCode::from(u8::from(differ > 0))
        }
    }
}

#[cfg(fuzzing)]
fn fuzz() -> ExitCode {
    afl::fuzz!(|data: &[u8]| {
        if let Err(finding) = bytes::run(data) {
            panic!("{}", finding.what);
        }
    });
    ExitCode::SUCCESS
}

/// The fuzzer's symbols are there only when it builds this.
#[cfg(not(fuzzing))]
fn fuzz() -> ExitCode {
    eprintln!("say which files to run, or build it with `make fuzz`");
    ExitCode::from(2)
}

/// Runs a file of bytes and tells what comes of it.
fn differs(file: &str) -> bool {
    let read = std::fs::read(file).unwrap_or_else(|e| panic!("{file}: {e}"));
    match bytes::run(&read) {
        Ok(ran) => println!("{file}: {} commands, {} events, no difference", ran.commands, ran.events.len()),
        Err(finding) => {
            println!("{file}: {}\n{}", finding.what, finding.shrunk());
            return true;
        }
    }
    false
}

/// Random bytes, some for each cell.
fn write_corpus(folder: &Path) {
    std::fs::create_dir_all(folder).expect("the folder can be made");
    for seed in 0..SEEDS {
        let mut rng = Rng::new(seed);
        let byte = |n: i64| u8::try_from(n).expect("a byte");
        let mut bytes = vec![byte(i64::try_from(seed % 24).expect("small")), byte(rng.within(0, 255))];
        bytes.extend((0..rng.within(60, 300)).map(|_| byte(rng.within(0, 255))));
        std::fs::write(folder.join(format!("seed-{seed}")), bytes).expect("the file can be written");
    }
}
