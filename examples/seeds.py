"""Replay 10 October 2025 on many seeds, with and without liquidations, and 3 November beside it.

Run it with ``python examples/seeds.py [seeds] [accounts]``; it ends with 1 if a target is missed. ``make seeds`` runs
it with ten seeds and 100,000 accounts. Medians are means of the middle two.
"""

import sys
from collections.abc import Mapping
from statistics import median
from typing import Any

import seawall

Summary = Mapping[str, Any]


def rise(summary: Summary, calm: Summary, market: str, price: str) -> float:
    """Return by how much a low is higher without liquidations, in per cent."""
    key = f"{price}_low"
    return 100.0 * float(calm["markets"][market][key] / summary["markets"][market][key] - 1)


def main(seeds: str = "2", accounts: str = "10000") -> int:
    """Print minimum, median and maximum of each figure, and whether the targets are met."""
    figures: dict[str, list[float]] = {}
    fired = fell = november = deeper = 0
    for seed in range(1, int(seeds) + 1):
        size = int(accounts)
        run = seawall.replay("oct10-2025", seed=seed, accounts=size, events="none").summary
        calm = seawall.replay("oct10-2025", seed=seed, accounts=size, events="none", liquidations=False).summary
        nov = seawall.replay("nov03-2025", seed=seed, accounts=size, events="none").summary
        rises = {f"{m} {p}": rise(run, calm, m, p) for m in ("BTC", "ETH") for p in ("index", "mark", "last")}
        deeper += min(rises.values()) >= 1
        fired += run["adl_notional_usd"] > 0
        fell += run["fund_end_usd"] < run["fund_start_usd"]
        november += nov["adl_notional_usd"] > 0
        row = {f"{name} low higher without liquidations, %": value for name, value in rises.items()}
        row |= {f"{m} {p} low, USD": run["markets"][m][f"{p}_low"] for m in ("BTC", "ETH") for p in ("index", "last")}
        row |= {
            "liquidated, USD million": run["liquidated_notional_usd"] / 1e6,
            "long share of it": run["liquidated_long_share"],
            "auto-deleveraged, USD million": run["adl_notional_usd"] / 1e6,
            "fund falls by, USD million": (run["fund_start_usd"] - run["fund_end_usd"]) / 1e6,
            "open interest change, %": 100 * (run["open_interest_end_usd"] / run["open_interest_start_usd"] - 1),
            "3 November: liquidated, USD million": nov["liquidated_notional_usd"] / 1e6,
            "3 November: auto-deleveraged, USD million": nov["adl_notional_usd"] / 1e6,
        }
        for name, value in row.items():
            figures.setdefault(name, []).append(float(value))
    print(f"{seeds} seeds, {accounts} accounts{'':25} minimum     median    maximum")
    for name, values in figures.items():
        print(f"{name:45} {min(values):12,.2f} {median(values):10,.2f} {max(values):10,.2f}")
    print(f"every low at least 1 % higher without liquidations: {deeper} of {seeds} seeds")
    print(f"the fund falls: {fell} of {seeds}; auto-deleveraging fires: {fired} of {seeds}; in November: {november}")
    most = int(seeds) - int(seeds) // 10
    return 0 if deeper == int(seeds) and min(fired, fell) >= most and november == 0 else 1


if __name__ == "__main__":
    if missed := main(*sys.argv[1:]):
        sys.exit(missed)
