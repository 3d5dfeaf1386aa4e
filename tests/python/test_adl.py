"""Every rule of auto-deleveraging against the oracle, in random small worlds; the lights of a venue."""

import json
from collections import Counter
from random import Random
from typing import Any

import pytest

import seawall
from seawall import commands
from seawall.errors import CommandError, ConfigError
from test_oracle import SEED, WORLDS, failure_of, inclined, run_world

from story import GOLDEN, Config
from tests.oracle import adl

METHODS = (
    "queue",
    "pro_rata",
    "webster",
    "min_max",
    "hedge_aware",
    "offset",
    "haircut_queue",
    "haircut_pro_rata",
)
SCORES = (
    "profit_leverage",
    "profit_margin_ratio",
    "price_ratio_literal",
    "price_ratio_signed",
    "profit",
    "profit_ratio",
    "leverage",
    "notional",
    "equity",
    "random",
)
RISKS: tuple[dict[str, Any], ...] = (
    {"type": "none"},
    {"type": "power", "exponent": 1},
    {"type": "power", "exponent": 2},
    {"type": "threshold", "above_ppm": 800_000},
)


def varied(config: Config, seed: int) -> Config:
    """Return a configuration whose rules of auto-deleveraging are drawn from all that there are."""
    rng = Random(f"adl {seed}")  # noqa: S311 - it has to repeat, not to be secret
    config = inclined(config, seed)
    config["seed"] = rng.randrange(2**40)
    for number, market in enumerate(config["markets"]):
        method = rng.choice(METHODS)
        others = [n for n, other in enumerate(config["markets"]) if n != number and other.get("cleared", True)]
        in_steps = method != "offset" and not method.startswith("haircut")
        market["adl"] |= {
            "enabled": True,
            "method": method,
            "price": rng.choice(("bankruptcy", "bankruptcy", "mark", "index")),
            "trigger": rng.choice(("insolvent", "insolvent", "unfilled")),
            "eligible": rng.choice(("in_profit", "realising", "anyone")),
            "score": rng.choice(SCORES),
            "weight": rng.choice(("lots", "profit", "equity", "notional")),
            "fraction_ppm": rng.choice((None, 500_000, 100_000)),
            "correction_floor_ppm": rng.choice((None, None, 0, 50_000, 200_000)) if in_steps else None,
            "hedges": [{"market": n, "lots_ppm": rng.choice((1_000_000, -500_000, 333_333))} for n in others],
            "risk": rng.choice(RISKS),
        }
    return config


def test_every_rule_agrees_with_the_oracle(capsys: pytest.CaptureFixture[str]) -> None:
    closes: Counter[str] = Counter()
    for seed in range(SEED, SEED + WORLDS // 4):
        result = run_world(seed, varied)
        if not result.equal:
            pytest.fail(failure_of(result), pytrace=False)
        closes.update(result.states & {f"adl_{method}" for method in METHODS})
    with capsys.disabled():
        print("", closes)  # noqa: T201 - the counts are what this test is judged by
    if WORLDS >= 1000:
        assert min(closes[f"adl_{method}"] for method in METHODS) >= WORLDS // 200, closes


def unit(**change: Any) -> Config:
    config: Config = json.loads((GOLDEN / "unit.json").read_text(encoding="utf-8"))
    config["markets"][0]["adl"] |= change
    return config


@pytest.mark.parametrize(
    ("change", "part"),
    [
        ({"fraction_ppm": 0}, "adl.fraction_ppm: 0: must be 1 to 1000000"),
        ({"method": "offset", "correction_floor_ppm": 1}, "adl.correction_floor_ppm"),
        ({"correction_floor_ppm": -1}, "adl.correction_floor_ppm: -1"),
        ({"lights": {"method": "equal_count", "levels": 0}}, "adl.lights.levels: 0: must be 1 to 1000"),
        ({"risk": {"type": "power", "exponent": 3}}, "adl.risk.exponent: 3: must be 1 or 2"),
        ({"risk": {"type": "threshold", "above_ppm": -1}}, "adl.risk.above_ppm: -1"),
        ({"hedges": [{"market": 0, "lots_ppm": 1}]}, r"adl.hedges\[0\].market: 0: must be another market"),
        ({"hedges": [{"market": 7, "lots_ppm": 1}]}, r"adl.hedges\[0\].market: 7"),
        ({"hedges": [{"market": 1, "lots_ppm": 1}] * 2}, r"adl.hedges\[1\].market: 1: is named twice"),
        ({"hedges": [{"market": 1, "lots_ppm": 0}]}, r"adl.hedges\[0\].lots_ppm: 0"),
        ({"score": "dice"}, "dice"),
    ],
)
def test_a_rule_that_cannot_work_is_refused(change: dict[str, Any], part: str) -> None:
    with pytest.raises(ConfigError, match=part):
        seawall.Venue.from_config(unit(**change))


def test_a_hedge_stays_in_range() -> None:
    config = unit(hedges=[{"market": 1, "lots_ppm": 2**40}])
    config["markets"][1]["open_interest_max"] = 2**40
    with pytest.raises(ConfigError, match=r"adl.hedges\[0\].lots_ppm: 1099511627776: must not be 0"):
        seawall.Venue.from_config(config)


def test_keys_that_are_left_out_leave_the_configuration_as_it_was() -> None:
    told = {"trigger": "insolvent", "eligible": "in_profit", "score": "profit_leverage", "weight": "lots", "hedges": []}
    assert seawall.Venue.from_config(unit(**told)).digest() == seawall.Venue.from_config(unit()).digest()


def test_lights_follow_the_queue_and_its_lots() -> None:
    # As in the first story of adl.story: Alice is long 10; at 85 the scores of the shorts are Bob's 0.05 for 4 lots,
    # Carol's 0.32 for 4 and Dave's 0.18 for 2. Eve, long 1 from 80 against Bob, is the only long with a profit.
    venue = seawall.Venue.from_config(unit(lights={"method": "cumulative_quantity", "levels": 5}))
    deposits = (100_000, 1000, 100, 100, 1000)
    venue.apply(
        commands.batch(
            *(commands.open_account(at=0) for _ in deposits),
            *(commands.deposit(at=0, account=n, amount=amount) for n, amount in enumerate(deposits)),
            commands.index(at=0, market=0, price=100),
            commands.block(at=0, market=0, buyer=0, seller=1, price=100, qty=4),
            commands.block(at=0, market=0, buyer=0, seller=2, price=100, qty=4),
            commands.block(at=0, market=0, buyer=0, seller=3, price=98, qty=2),
            commands.block(at=0, market=0, buyer=4, seller=1, price=80, qty=1),
            commands.index(at=1, market=0, price=85),
        )
    )
    rows = venue.adl_lights(0)
    told = list(zip(rows["account"], rows["side"], rows["rank"], rows["light"], strict=True))
    # Carol's lots are 4 of 11: ceil(5 x 4 / 11) = 2; with Dave's 6: 3; with Bob's 11: 5.
    assert told == [(4, 0, 1, 5), (2, 1, 1, 2), (3, 1, 2, 3), (1, 1, 3, 5)]
    assert len(venue.adl_lights(1)["account"]) == 0
    with pytest.raises(CommandError):
        venue.adl_lights("DOGE")


def test_a_draw_is_that_of_the_published_generator() -> None:
    # SplitMix64 from state 1234567 gives 6457827717110365317 first.
    assert adl.draw(1_234_567, 0) == 6_457_827_717_110_365_317
