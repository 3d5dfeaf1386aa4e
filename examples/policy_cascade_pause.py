"""Pause every market for half a minute when a hundred accounts were liquidated within a minute.

Run it with ``python examples/policy_cascade_pause.py [scenario] [accounts]``.
"""

import sys

import seawall
from seawall import MINUTE, SECOND, Phase, Policy, Trigger, commands


class CascadePause(Policy):
    """Gives makers and arbitrageurs a moment between two waves."""

    triggers = (Trigger.liquidations(count=100, window_ns=MINUTE),)

    def on_trigger(self, view: seawall.View, _: seawall.Fired) -> commands.Records:
        """Pause whatever trades."""
        trading = view.markets()["market"][view.markets()["phase"] == Phase.CONTINUOUS]
        return commands.set_phase(at=view.now, market=trading, phase=Phase.PAUSE, until=view.now + 30 * SECOND)


if __name__ == "__main__":
    scenario, accounts = sys.argv[1:] or ("oct10-2025", "10000")
    for policy in (None, CascadePause()):
        run = seawall.replay(scenario, accounts=int(accounts), policy=policy)
        print(f"asked {len(run.moments)} times, liquidated {run.summary['liquidated_notional_usd']:,.0f} dollars")
