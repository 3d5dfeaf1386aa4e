"""Levels of margin as people write them, and open margin calls as a risk desk sees them."""

from typing import Any

import pytest

import seawall
from seawall import EventKind, MarginLevel, Phase, commands
from seawall.errors import ConfigError
from seawall.models import VenueProfile, load_profile

USD = 10**6


def profile(**change: Any) -> VenueProfile:
    """Return the reference profile with keys of the venue set over it."""
    return VenueProfile.model_validate(load_profile("reference").model_dump(mode="json") | change)


def test_levels_are_exact_fractions_and_left_out_where_there_are_none() -> None:
    assert {"levels", "margin_call_grace_ns"} & profile().config().keys() == set()
    written = profile(
        margin_call_grace="15m",
        backstop=3,
        levels={"fill": "0.5", "close_out": {"below": "4/5", "book": False}, "backstop": "2/3"},
    )
    config = written.config()
    assert config["margin_call_grace_ns"] == 15 * 60 * 10**9
    assert config["levels"] == {
        "fill": {"num": 1, "den": 2},
        "close_out": {"below": {"num": 4, "den": 5}, "book": False},
        "backstop": {"num": 2, "den": 3},
    }
    assert VenueProfile.model_validate_json(written.model_dump_json()) == written
    assert seawall.Venue(written).profile == written


@pytest.mark.parametrize(
    ("levels", "why"),
    [
        ({"fill": 0.5}, r"levels\.fill: 0\.5 is not exact; write it as a string, like \"2/3\""),
        ({"fill": "half"}, r"levels\.fill: 'half' is not a share; write it like \"2/3\" or \"0\.5\""),
        ({"fill": "1/0"}, r"levels\.fill: '1/0' is not a share"),
        ({"fill": "3/2"}, r"levels\.fill: 3/2: must be 0 to 1"),
        ({"fill": "-1/2"}, r"levels\.fill: -1/2: must be 0 to 1"),
        ({"fill": "1/1000001"}, r"levels\.fill: 1/1000001: its denominator is above 1000000"),
        ({"backstop": "0"}, r"levels\.backstop"),
        ({"backstop": "2/3"}, r"levels\.backstop: needs an account that takes over; set backstop"),
        ({"close_out": {"book": True}}, r"levels\.close_out\.below: is missing; add it"),
        ({"open": "1/2"}, r"levels: unknown key 'open'; known: fill, close_out, backstop"),
    ],
)
def test_levels_that_cannot_be_are_refused_by_field(levels: dict[str, Any], why: str) -> None:
    data = load_profile("reference").model_dump(mode="json") | {"levels": levels, "backstop": None}
    with pytest.raises(ConfigError, match=why):
        seawall.Venue(data)


def test_a_grace_needs_calls() -> None:
    data = load_profile("reference").model_dump(mode="json") | {"margin_call": "0", "margin_call_grace": "1h"}
    with pytest.raises(ConfigError, match=r"margin_call_grace_ns: needs calls; set margin_call_ppm"):
        seawall.Venue(data)
    with pytest.raises(ConfigError, match=r"margin_call_grace: 5 has no unit"):
        load_profile(data | {"margin_call_grace": 5})


def test_a_desk_sees_who_is_called_for_how_much_until_when() -> None:
    # 10 BTC at 60,000: 1 % of it is 6,000, and a quarter more 7,500, of which they have 6,300.
    venue = seawall.Venue(
        "reference", set=["margin_call_grace=1h", "markets.BTC.tiers=[{lower='0',initial='0.01',maintenance='0.01'}]"]
    )
    venue.apply(
        commands.batch(
            commands.open_account(at=1, group=[0, 0, 0]),
            commands.deposit(at=1, account=[0, 1, 2], amount=[6_300 * USD, 6_200 * USD, 10**6 * USD]),
            commands.index(at=1, market=[0, 1], price=[600_000, 300_000]),
            commands.set_phase(at=1, market=[0, 1], phase=Phase.CONTINUOUS),
            commands.block(at=2, market=0, buyer=[0, 1], seller=2, price=600_000, qty=10_000),
            commands.deposit(at=3, account=1, amount=100 * USD),
        )
    )
    calls = venue.margin_calls()
    assert tuple(calls) == ("account", "equity", "requirement", "missing", "due")
    hour = 3_600 * 10**9
    assert calls["account"].tolist() == [0, 1]
    assert calls["requirement"].tolist() == [7_500 * USD] * 2
    assert calls["missing"].tolist() == [1_200 * USD] * 2
    assert calls["due"].tolist() == [hour + 2] * 2
    events = venue.apply(commands.deposit(at=5, account=1, amount=1_200 * USD))
    assert events["kind"].tolist() == [EventKind.DEPOSITED, EventKind.MARGIN_CALL_CLEARED]
    accounts = venue.accounts()
    assert accounts["called"].tolist() == [True, False, False]
    assert accounts["call_due"].tolist() == [hour + 2, 0, 0]
    assert accounts["call"].tolist()[:2] == [7_500 * USD] * 2
    events = venue.apply(commands.pulse(at=hour + 2))
    started = events[events["kind"] == EventKind.LIQUIDATION_STARTED]
    assert (started["account"].tolist(), started["flags"].tolist()) == ([0], [1])
    assert venue.margin_calls().height == 0
    again = seawall.EventTable(events).of("liquidation_started")
    assert again["for_call"].tolist() == [1]


def test_levels_have_names() -> None:
    assert [level.name for level in MarginLevel] == ["CLOSE_OUT", "BACKSTOP"]
