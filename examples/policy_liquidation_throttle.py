"""Let liquidations close a million dollars a second: whoever is beyond it waits for the next second.

Run it with ``python examples/policy_liquidation_throttle.py [scenario] [accounts]``.
"""

import sys

import seawall
from seawall import SECOND, Phase, Policy, Trigger, commands


class LiquidationThrottle(Policy):
    """Pauses a market for what is left of a second in which too much was liquidated."""

    triggers = (Trigger.liquidated_notional(amount=1_000_000 * 10**6, window_ns=SECOND),)

    def on_trigger(self, view: seawall.View, fired: seawall.Fired) -> commands.Records:
        """Pause until the next full second."""
        until = (view.now // SECOND + 1) * SECOND
        return commands.set_phase(at=view.now, market=fired.market, phase=Phase.PAUSE, until=until)


if __name__ == "__main__":
    scenario, accounts = sys.argv[1:] or ("oct10-2025", "10000")
    run = seawall.replay(scenario, accounts=int(accounts), policy=LiquidationThrottle())
    print(f"throttled {len(run.moments)} times, fund at the end {run.summary['fund_end_usd']:,.0f} dollars")
