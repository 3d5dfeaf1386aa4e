"""Pause a market whose mark moves more in a second than six standard deviations of the minutes before.

Run it with ``python examples/policy_volatility_trigger.py [scenario]``.
"""

import sys

import numpy as np

import seawall
from seawall import MINUTE, SECOND, Phase, Policy, Trigger, commands


class VolatilityTrigger(Policy):
    """A width that follows the market: calm markets are paused early, wild ones late."""

    triggers = (Trigger.every(SECOND),)
    marks = np.zeros((0, 2))

    def on_trigger(self, view: seawall.View, _: seawall.Fired) -> commands.Records:
        """Compare the last move of each mark with those of five minutes."""
        self.marks = np.vstack([self.marks, np.log(view.markets()["mark"])])[-300:]
        moves = np.abs(np.diff(self.marks, axis=0, prepend=self.marks[:1]))
        wild = np.flatnonzero((moves[-1] > 6 * moves.std(axis=0)) & (len(moves) > 60))
        return commands.set_phase(at=view.now, market=wild, phase=Phase.PAUSE, until=view.now + MINUTE)


if __name__ == "__main__":
    print(seawall.replay((sys.argv[1:] or ["oct10-2025"])[0], policy=VolatilityTrigger()).summary)
