"""Breakers that cannot be meant: each is refused with the rule's name, the field, the value, and what to do."""

import json
import re

import pytest

from seawall import _core
from seawall.errors import ConfigError
from seawall.models import load_profile

MARK = '{reference = {type = "mark"}, width = {type = "share", share = "0.05"}}'
PARTS = {
    "name": '"halt"',
    "markets": '["BTC"]',
    "ranges": f"[{MARK}]",
    "test": '{type = "trade"}',
    "action": '{type = "interrupt", phase = "halted"}',
    "exit": '{after = "1m"}',
}


def rule(**parts: str | None) -> str:
    """Return a rule that works, with some parts replaced or left out."""
    return "{" + ", ".join(f"{name} = {part}" for name, part in (PARTS | parts).items() if part) + "}"


def told(price: int, share: str) -> str:
    return f'[{{reference = {{type = "set", price = {price}}}, width = {{type = "share", share = "{share}"}}}}]'


def load(*rules: str) -> None:
    profile = load_profile("reference", set=[f"breakers=[{', '.join(rules)}]"])
    _core.Venue(profile.to_json())


def test_the_rule_that_the_others_are_made_from_works() -> None:
    load(rule())


def test_a_rule_multiplies_margin_and_cuts_leverage_in_exact_shares() -> None:
    margin = '{initial = "1.5", maintenance = "1.25", leverage_max = 10}'
    given = rule(exit=f'{{after = "1m", meanwhile = {{margin = {margin}}}}}')
    config = json.loads(load_profile("reference", set=[f"breakers=[{given}]"]).to_json())
    held = config["breakers"][0]["exit"]["meanwhile"]["margin"]
    assert held == {"initial_ppm": 1_500_000, "maintenance_ppm": 1_250_000, "leverage_max": 10}


def test_tests_of_depth_are_exact_shares_and_amounts() -> None:
    thin = rule(
        name='"thin"',
        ranges=None,
        test='{type = "depth", width = "0.02", below = {type = "mean", share = "0.3", window = "10m"}}',
    )
    load_ = rule(name='"load"', ranges=None, test='{type = "pending", width = "0.02", share = "1.5"}')
    few = rule(
        name='"few"',
        ranges=None,
        test='{type = "depth", width = "0.02", below = {type = "value", least = "1_000_000"}}',
    )
    config = json.loads(load_profile("reference", set=[f"breakers=[{thin}, {load_}, {few}]"]).to_json())
    assert [row["test"] for row in config["breakers"]] == [
        {
            "type": "depth",
            "width_ppm": 20_000,
            "below": {"type": "mean", "share_ppm": 300_000, "window_ns": 600_000_000_000},
        },
        {"type": "pending", "width_ppm": 20_000, "share_ppm": 1_500_000},
        {"type": "depth", "width_ppm": 20_000, "below": {"type": "value", "least": 10**12}},
    ]


@pytest.mark.parametrize(
    ("parts", "why"),
    [
        # A width that admits nothing.
        ({"ranges": MARK.replace("0.05", "0").join("[]")}, "(halt).ranges[0].width.share.share: '0': input should be"),
        ({"ranges": None}, "(halt).ranges: is empty; give a reference and a width"),
        ({"ranges": told(1_500_000, "0.05")}, "(halt).ranges: no price of market BTC is inside"),
        # An exit that can never come.
        ({"exit": None}, "(halt).exit: is missing; say how the interruption ends"),
        ({"exit": '{after = "0s"}'}, "(halt).exit.after_ns: 0: must be positive, or null until a command"),
        ({"action": '{type = "interrupt", phase = "closed"}'}, "(halt).exit.after_ns: a closed market does not open"),
        (
            {
                "action": '{type = "interrupt", phase = "reduce_only"}',
                "exit": '{after = "1m", extension = {after = "1m"}}',
            },
            "(halt).exit.extension: no auction ends this interruption",
        ),
        # Bounds that an extension cannot move, and a reach of levels.
        (
            {
                "ranges": f"[{MARK}, {MARK}]",
                "action": '{type = "interrupt", phase = "call_auction"}',
                "exit": '{after = "1m", extension = {after = "1m", re_reference = "1"}}',
            },
            "(halt).exit.extension.re_reference: moves one range whose width is ppm of its own reference",
        ),
        (
            {
                "ranges": '[{reference = {type = "index"}, width = {type = "levels", shares = ["0.07"]}, '
                'reach = {type = "mark"}}]',
                "test": '{type = "index"}',
                "action": '{type = "schedule", rows = [{level = 1, from = "0s", phase = "halted", after = "1m"}]}',
                "exit": None,
            },
            "(halt).ranges[0].reach: levels reach as far as they say; leave it out",
        ),
        # Margin rates that are none meanwhile.
        (
            {"exit": '{after = "1m", meanwhile = {margin = {maintenance = 3}}}'},
            "(halt).exit.meanwhile.margin: market 0 (BTC): its multiplied rates are no whole ppm, out of range",
        ),
        (
            {"exit": '{after = "1m", meanwhile = {margin = {initial = 0}}}'},
            "(halt).exit.meanwhile.margin.initial: 0: input should be greater than 0",
        ),
        (
            {"exit": '{after = "1m", meanwhile = {margin = {initial = "1.00000001"}}}'},
            "breakers.halt.exit.meanwhile.margin.initial: 1.00000001 is not a whole number of steps",
        ),
        # A mark made of an auction that never comes.
        (
            {
                "action": '{type = "interrupt", phase = "guarded"}',
                "exit": '{after = "1m", meanwhile = {mark = "auction"}}',
            },
            "(halt).exit.meanwhile.mark: no auction ends this interruption; leave it out",
        ),
        ({"exit": '{after = "1m", meanwhile = {mark = "twice"}}'}, "(halt).exit.meanwhile.mark: 'twice'"),
        # A re-arm that re-arms nothing, or never.
        ({"rearm": "{restart = true}"}, "(halt).rearm.restart: none of its references starts anew"),
        ({"rearm": "{per_day = 0}"}, "(halt).rearm.per_day: 0: input should be greater than 0"),
        # Parts that contradict each other.
        ({"action": '{type = "cap"}', "exit": None}, "(halt).action: does not go with the test"),
        ({"action": '{type = "stop"}'}, "(halt).exit: a constraint has no end; leave it out"),
        ({"action": '{type = "interrupt", phase = "continuous"}'}, "(halt).action.interrupt.phase: 'continuous'"),
        # An unknown scope, market or key.
        ({"markets": '["DOGE"]'}, "breakers.halt.markets: 'DOGE' is not there; known: BTC, ETH"),
        ({"markets": "[]"}, "(halt).markets: is empty; name at least one market"),
        ({"interrupts": '["DOGE"]'}, "breakers.halt.interrupts: 'DOGE' is not there; known: BTC, ETH"),
        ({"exempt": '["robots"]'}, "(halt).exempt[0]: 'robots': input should be 'liquidation', 'reduce_only'"),
        ({"colour": '"red"'}, "(halt): unknown key 'colour'; known: name, enabled"),
        ({"test": '{type = "dice"}'}, "(halt).test: {'type': 'dice'}"),
        # Depth of nothing, below nothing, of a book without bounds.
        (
            {"ranges": None, "test": '{type = "depth", width = "1.5", below = {type = "value", least = 1}}'},
            "(halt).test.width_ppm: 1500000: must be 1 to 1000000",
        ),
        (
            {"ranges": None, "test": '{type = "depth", width = "0.02", below = {type = "value", least = 0}}'},
            "(halt).test.depth.below.value.least: 0: input should be greater than 0",
        ),
        (
            {"ranges": None, "test": '{type = "depth", width = "0.02", below = {type = "value", least = "0.0000001"}}'},
            "breakers.halt.test.below.least: 1E-7 is not a whole number",
        ),
        (
            {
                "ranges": None,
                "test": '{type = "depth", width = "0.02", below = {type = "mean", share = "1.1", window = "1m"}}',
            },
            "(halt).test.below.share_ppm: 1100000: must be 1 to 1000000",
        ),
        (
            {
                "ranges": None,
                "test": '{type = "depth", width = "0.02", below = {type = "mean", share = "0.3", window = "0s"}}',
            },
            "(halt).test.below.window_ns: 0: must be positive",
        ),
        (
            {"test": '{type = "pending", width = "0.02", share = "0.5"}'},
            "(halt).ranges: a rule without a price has none",
        ),
        (
            {"ranges": None, "test": '{type = "pending", width = "0.02", share = "0.5"}', "rearm": "{restart = true}"},
            "(halt).rearm: a rule without references has none to start anew",
        ),
    ],
)
def test_a_rule_that_cannot_be_meant_is_refused_by_name_and_field(parts: dict[str, str | None], why: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(why)):
        load(rule(**parts))


def test_rules_that_leave_no_price_between_them_are_refused_by_both_names() -> None:
    first, second = (
        rule(name=f'"{name}"', ranges=told(price, "0.05")) for name, price in (("a", 60_000), ("b", 90_000))
    )
    load(first)
    why = re.escape("breakers[1] (b).ranges: leave no price inside with those of breakers[0] (a)")
    with pytest.raises(ConfigError, match=why):
        load(first, second)
