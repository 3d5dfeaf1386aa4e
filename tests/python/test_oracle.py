"""The venue against the oracle: random small worlds, event by event.

``SEAWALL_WORLDS`` and ``SEAWALL_SEED`` choose how many worlds and the seed of the first.
"""

import json
import os
from collections import Counter
from random import Random

import pytest

import seawall

from story import Config, CoreStory, OracleStory, Record, written
from tests.oracle import compare, worlds
from tests.oracle import venue as v

WORLDS = int(os.environ.get("SEAWALL_WORLDS", "3000"))
SEED = int(os.environ.get("SEAWALL_SEED", "1"))

LEAST = {
    **dict.fromkeys(worlds.STATES, 0.005),
    **dict.fromkeys(("breaker_by_liquidation", "rejected:AccountsFull", "rejected:AmountOutOfRange"), 0.002),
    **dict.fromkeys(("rejected:UnknownFund", "rejected:UnknownMarket", "rejected:UnknownAsset"), 0.002),
    "rejected:NoMark": 0.001,
    "liquidation": 0.90,
    "adl": 0.50,
}
"""Least share of the worlds for every state."""

ACCOUNT_FIELDS = ("balance", "equity", "maintenance", "initial", "called", "in_liquidation")
POSITION_FIELDS = ("account", "market", "base", "cost", "open_buys", "open_sells")


def state_of_core(core: CoreStory) -> dict[str, object]:
    """Return what can be compared of the venue's final state."""
    accounts, positions = core.venue.accounts(), core.venue.positions()
    return {
        "accounts": list(zip(*(accounts[name].tolist() for name in ACCOUNT_FIELDS), strict=True)),
        "positions": list(zip(*(positions[name].tolist() for name in POSITION_FIELDS), strict=True)),
        "totals": core.totals(),
    }


def state_of_oracle(oracle: v.OracleVenue) -> dict[str, object]:
    """Return the same of the oracle."""
    accounts, positions = [], []
    for a in oracle.accounts:
        margins = (oracle.equity(a.number), oracle.maintenance(a.number), oracle.initial(a.number))
        accounts.append((oracle.balances(a.number)[0], *margins, a.called, a.in_liquidation))
        for m, held in enumerate(a.positions):
            row = (*held, a.open[v.BUY][m], a.open[v.SELL][m])
            if any(row):
                positions.append((a.number, m, *row))
    return {"accounts": accounts, "positions": positions, "totals": OracleStory.of(oracle).totals()}


def inclined(config: Config, seed: int) -> Config:
    """Return a configuration that is likelier to get as far as ADL, in three worlds of four."""
    if seed % 4 != 0:
        for market in config["markets"]:
            market["liquidation"]["enabled"] = market["adl"]["enabled"] = True
    if seed % 4 in (1, 2):
        config["backstop"] = None
    return config


def run_world(seed: int) -> compare.Result:
    """Run the world of a seed through both, and compare the events and then the final states."""
    rng = Random(seed)  # noqa: S311 - it has to repeat, not to be secret
    config = inclined(worlds.random_config(rng), seed)
    run = compare._Run(config)
    for record in worlds.random_commands(rng, config, run.oracle):
        if not run.step(record):
            break
    cores: list[CoreStory] = []

    def make(config: Config) -> CoreStory:
        cores.append(CoreStory(config))
        return cores[-1]

    result = run.result(seed, config, make)
    if result.equal:
        told, seen = state_of_oracle(run.oracle), state_of_core(cores[0])
        if told != seen:
            result.difference = f"final states differ\n  oracle: {told}\n  venue:  {seen}"
    return result


def failure_of(result: compare.Result) -> str:
    """Write what differs, how to repeat it, and the shrunk world as a story with its configuration."""
    small = result if result.command_index is None else compare.shrink(result, CoreStory)
    name = f"world{small.seed}"
    return "\n".join(
        (
            f"seed {small.seed}: {small.difference}",
            f"repeat: SEAWALL_SEED={small.seed} SEAWALL_WORLDS=1 python -m pytest tests/python/test_oracle.py",
            f"as a story, with the events of the oracle; tests/golden/{name}.json: {json.dumps(small.config)}",
            "",
            written(name, small.config, small.commands),
        )
    )


def test_the_venue_agrees_with_the_oracle(capsys: pytest.CaptureFixture[str]) -> None:
    counts: Counter[str] = Counter()
    commands = events = 0
    for seed in range(SEED, SEED + WORLDS):
        result = run_world(seed)
        if not result.equal:
            pytest.fail(failure_of(result), pytrace=False)
        counts.update(result.states)
        commands += len(result.commands)
        events += result.event_count
    with capsys.disabled():
        rows = [f"{state:32} {counts[state]:6} {counts[state] / WORLDS:7.1%}" for state in worlds.STATES]
        print("", *rows, sep="\n")  # noqa: T201 - the counts are what this test is judged by
        print(f"{WORLDS} worlds from seed {SEED}: {commands} commands, {events} events, equal")  # noqa: T201
    if WORLDS >= 1000:
        rare = {state: counts[state] for state in worlds.STATES if counts[state] < LEAST[state] * WORLDS}
        assert not rare, f"too rarely reached: {rare}"


def test_a_difference_is_found_and_told_as_a_story(monkeypatch: pytest.MonkeyPatch) -> None:
    apply = CoreStory.apply

    def one_tick_off(self: CoreStory, records: list[Record]) -> list[Record]:
        found = apply(self, records)
        return [{**event, "price": event["price"] + (event["kind"] == v.FILL)} for event in found]

    monkeypatch.setattr(CoreStory, "apply", one_tick_off)
    result = next(result for seed in range(1, 100) if not (result := run_world(seed)).equal)
    text = failure_of(result)
    assert "differs: price" in text
    assert f"SEAWALL_SEED={result.seed}" in text
    assert "\n> fill " in text
    assert "unspeakable" not in text


def test_every_world_can_be_told_as_a_story() -> None:
    for seed in range(1, 101):
        result = compare.run_world(seed)
        assert "unspeakable" not in written(f"world{seed}", result.config, result.commands), f"seed {seed}"


def test_a_cut_of_the_batch_and_a_snapshot_keep_the_digest() -> None:
    result = compare.run_world(SEED)
    first, second = CoreStory(result.config), CoreStory(result.config)
    first.apply(result.commands)
    for record in result.commands:
        second.apply([record])
    assert first.venue.digest() == second.venue.digest()
    assert seawall.Venue.restore(first.venue.snapshot()).digest() == first.venue.digest()
