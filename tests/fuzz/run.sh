#!/bin/sh
# Fuzzes the comparison of the core venue with the naive one for some seconds: sh tests/fuzz/run.sh SECONDS
#
# Everything is kept below target: the fuzzer in target/tools, the corpus and findings in target/fuzz.
set -eu
seconds=$1
cd "$(dirname "$0")/../.."
root=$(pwd)
fuzz=$root/target/fuzz
version=0.18.2
manifest=tests/fuzz/Cargo.toml

# cargo-afl keeps AFL++ where this says, and looks for it there.
XDG_DATA_HOME=$root/target/tools/share
PATH=$root/target/tools/bin:$PATH
export XDG_DATA_HOME PATH
unset CARGO_TARGET_DIR RUSTFLAGS
mkdir -p "$fuzz" "$XDG_DATA_HOME"

# A toolchain has its own AFL++; config --build complains where it is built already.
case $(cargo afl --version 2>/dev/null || true) in
"cargo-afl $version "*) ;;
*) cargo install --quiet --locked --root target/tools --version $version cargo-afl ;;
esac
cargo afl config --build >"$fuzz/tools.log" 2>&1 || grep -q 'already built' "$fuzz/tools.log" || {
    cat "$fuzz/tools.log" >&2
    exit 2
}
cargo afl build --quiet --locked --release --manifest-path $manifest --target-dir "$fuzz/build"
program=$fuzz/build/release/seawall-fuzz

[ -n "$(ls -A "$fuzz/corpus" 2>/dev/null)" ] || "$program" --corpus "$fuzz/corpus"
rm -rf "$fuzz/out"
echo "fuzzing for $seconds s, from $(ls "$fuzz/corpus" | wc -l | tr -d ' ') worlds in target/fuzz/corpus"
status=0
AFL_NO_UI=1 AFL_NO_AFFINITY=1 AFL_SKIP_CPUFREQ=1 AFL_I_DONT_CARE_ABOUT_MISSING_CRASHES=1 AFL_QUIET=1 \
    AFL_CRASHING_SEEDS_AS_NEW_CRASH=1 \
    cargo afl fuzz -V "$seconds" -t 10000 -G 1024 -i "$fuzz/corpus" -o "$fuzz/out" "$program" \
    >"$fuzz/fuzzer.log" 2>&1 || status=$?
stats=$fuzz/out/default/fuzzer_stats
[ -f "$stats" ] || {
    tail -n 30 "$fuzz/fuzzer.log" >&2
    exit 2
}

# What was found to reach something new is the corpus of the next run.
rm -rf "$fuzz/next"
mkdir "$fuzz/next"
number=0
for file in "$fuzz"/out/default/queue/id*; do
    number=$((number + 1))
    cp "$file" "$fuzz/next/$number"
done
rm -rf "$fuzz/corpus"
mv "$fuzz/next" "$fuzz/corpus"

stat() { sed -n "s/^$1  *: *//p" "$stats"; }
mkdir -p "$fuzz/findings"
findings=0
for file in "$fuzz"/out/default/crashes/id* "$fuzz"/out/default/hangs/id*; do
    [ -f "$file" ] || continue
    findings=$((findings + 1))
    name=target/fuzz/findings/$(cksum <"$file" | cut -d ' ' -f 1)
    cp "$file" "$name"
    echo "finding: cargo run --release --manifest-path $manifest --target-dir target/fuzz/plain -- $name"
done
echo "$(stat execs_done) executions, $(stat execs_per_sec) per second," \
    "$(stat edges_found) of $(stat total_edges) edges, $number worlds in the corpus, $findings findings"
[ "$findings" -eq 0 ] && exit "$status"
exit 1
