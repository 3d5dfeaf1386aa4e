"""One rule as data and as a policy: 60 liquidation orders within a minute halt a market for two.

Run it with ``python examples/rule_twice.py [scenario] [accounts]``: the events differ in who commanded the halts.
"""

import sys

import seawall
from seawall import MINUTE, Phase, Policy, Trigger, commands

RULE = (
    'venue.breakers=[{name = "pressure", active = %s, markets = ["BTC", "ETH"], '
    'test = {type = "count", of = "liquidations", window = "1m", least = "60"}, '
    'action = {type = "interrupt", phase = "halted"}, exit = {after = "2m"}}]'
)


class Pressure(Policy):
    """The rule in Python; the one of the venue is off, and lends its name to the events."""

    triggers = (Trigger.liquidation_orders(count=60, window_ns=MINUTE),)

    def on_trigger(self, view: seawall.View, fired: seawall.Fired) -> commands.Records:
        """Do what a trip of the rule does."""
        halt = {"at": view.now, "market": fired.market, "phase": Phase.HALTED, "end": view.now + 2 * MINUTE}
        return commands.interrupt(rule=0, price=fired.value, reference=fired.reference, **halt)


if __name__ == "__main__":
    scenario, accounts = sys.argv[1:] or ("oct10-2025", "5000")
    data = seawall.replay(scenario, accounts=int(accounts), set=[RULE % "true"], events="all")
    python = seawall.replay(scenario, accounts=int(accounts), set=[RULE % "false"], events="all", policy=Pressure())
    differ = [name for name in data.events if (data.events[name] != python.events[name]).any()]
    print(f"{data.events.height} events, {data.events.of('breaker_tripped').height} trips; what differs: {differ}")
