"""Double a price band when the mark moves half of its least width in a minute, and halve it every minute."""

import sys

import seawall
from seawall import MINUTE, Policy, RuleParameter, Trigger, commands

RANGE = '{reference = {type = "mark"}, width = {type = "share", share = "0.01"}}'
RULE = (
    f'name = "band", markets = ["BTC", "ETH"], ranges = [{RANGE}], test = {{type = "entry"}}, action = {{type = "cap"}}'
)
SET = [f"venue.breakers=[{{{RULE}}}]"]


class WideningBand(Policy):
    """Doubles up to eight per cent, halves down to one."""

    triggers = (Trigger.price_move(ppm=5_000, window_ns=MINUTE), Trigger.every(MINUTE))
    width = 10_000

    def on_trigger(self, view: seawall.View, fired: seawall.Fired) -> commands.Records:
        """Give the band its new width in both markets."""
        self.width = min(2 * self.width, 80_000) if fired.trigger == self.triggers[0] else max(self.width // 2, 10_000)
        return commands.set_rule(at=view.now, rule=0, parameter=RuleParameter.WIDTH, value=self.width)


if __name__ == "__main__":
    run = seawall.replay((sys.argv[1:] or ["oct10-2025"])[0], set=SET, policy=WideningBand(), events="all")
    print(f"set {run.events.of('rule_set').height} times, capped {run.events.of('order_bounded').height} orders")
