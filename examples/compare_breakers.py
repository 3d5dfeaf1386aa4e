"""Compare a crash with and without a halt: same scenario, same seed, same draws.

Run it with ``python examples/compare_breakers.py [scenario] [accounts]``.
"""

import sys

import seawall


def main(scenario: str = "oct10-2025", accounts: str = "10000") -> None:
    """Replay twice and print what differs."""
    runs = {
        "no breaker": seawall.replay(scenario, accounts=int(accounts)),
        "halt after 5 % in 5 minutes": seawall.replay(scenario, accounts=int(accounts), set=["venue=guarded"]),
    }
    for name, run in runs.items():
        trips = run.events.of("breaker_tripped")
        print(f"{name}: {trips.height} trips")
        for key in ("liquidated_notional_usd", "adl_notional_usd", "fund_end_usd"):
            print(f"  {key} {run.summary[key]:,.0f}")


if __name__ == "__main__":
    main(*sys.argv[1:])
