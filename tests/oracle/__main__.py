"""Runs worlds through the oracle alone: ``python -m tests.oracle --worlds 2000 --seed 1``."""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter

from .compare import run_world
from .reached import FURTHER_STATES, LEAST, RULE_STATES, STATES, WATERFALL_STATES


def say(line: str) -> None:
    """Write a line."""
    sys.stdout.write(line + "\n")


def main() -> int:
    """Run the worlds, print what they reached, and return the number of those that failed."""
    parser = argparse.ArgumentParser(prog="tests.oracle", description=__doc__)
    parser.add_argument("--worlds", type=int, default=2000, help="how many worlds")
    parser.add_argument("--seed", type=int, default=1, help="seed of the first world")
    arguments = parser.parse_args()

    counts: Counter[str] = Counter()
    commands = events = failures = 0
    start = time.perf_counter()
    for seed in range(arguments.seed, arguments.seed + arguments.worlds):
        result = run_world(seed)
        counts.update(result.states)
        commands += len(result.commands)
        events += result.event_count
        if not result.equal:
            failures += 1
            say(result.report())
    elapsed = time.perf_counter() - start

    for state in STATES:
        share = counts[state] / max(1, arguments.worlds)
        rare = "" if share >= LEAST[state] else f"  less than {LEAST[state]:.1%}"
        say(f"{state:32} {counts[state]:6} {share:7.1%}{rare}")
    unknown = sorted(set(counts) - {*STATES, *WATERFALL_STATES, *FURTHER_STATES, *RULE_STATES})
    assert not unknown, f"states without a minimum: {unknown}"
    say(f"{arguments.worlds} worlds, {commands} commands, {events} events, {failures} failed, {elapsed:.1f} s")
    return failures


if __name__ == "__main__":
    raise SystemExit(min(1, main()))
