"""Portfolio margin as people write it, and the command that sets how an account is margined."""

from typing import Any

import pytest

import seawall
from seawall import CommandKind, EventKind, MarginMode, Reject, commands
from seawall.errors import ConfigError
from seawall.models import VenueProfile, load_profile

GROUP: dict[str, Any] = {
    "name": "coins",
    "markets": ["BTC", "ETH"],
    "scenarios": [{"move": "-0.2"}, {"moves": ["0.5", "0.25"], "weight": "0.36"}],
    "net": "0.02",
    "hedged": "0.01",
    "contract": "0.001",
    "maintenance": "0.5",
}


def written(**change: Any) -> dict[str, Any]:
    """Return the reference profile with a group."""
    return load_profile("reference").model_dump(mode="json") | {"portfolios": [GROUP | change]}


def test_a_group_is_exact_and_left_out_where_there_is_none() -> None:
    assert "portfolios" not in load_profile("reference").config()
    profile = VenueProfile.model_validate(written())
    assert profile.config()["portfolios"] == [
        {
            "name": "coins",
            "markets": [0, 1],
            "scenarios": [
                {"moves_ppm": [-200_000, -200_000], "weight_ppm": 1_000_000},
                {"moves_ppm": [500_000, 250_000], "weight_ppm": 360_000},
            ],
            "net_ppm": 20_000,
            "hedged_ppm": 10_000,
            "contract_ppm": 1_000,
            "maintenance_ppm": 500_000,
        }
    ]
    assert VenueProfile.model_validate_json(profile.model_dump_json()) == profile


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"markets": ["BTC", "SOL"]}, r"portfolios\.coins\.markets: 'SOL' is not there; known: BTC, ETH"),
        ({"scenarios": [{}]}, r"portfolios\.coins\.scenarios\[0\]: give one of move and moves"),
        ({"scenarios": [{"move": "-2"}]}, r"portfolios\[0\]\.scenarios\[0\]\.move"),
        ({"scenarios": [{"move": -0.2}]}, r"-0\.2 is not exact; write it as a string"),
        ({"scenarios": [{"move": "0.0000001"}]}, r"scenarios\[0\]\.move: .* is not a whole number of steps"),
        (
            {"scenarios": [{"moves": ["0.1"]}]},
            r"scenarios\[0\]\.moves_ppm: 1 of them: must be one for each",
        ),
        ({"hedged": "0.05"}, r"hedged_ppm: 50000: must be 0 to 40000, twice net_ppm"),
        ({"maintenance": "0"}, r"portfolios\[0\]\.maintenance"),
        ({"size": "1"}, r"unknown key 'size'"),
    ],
)
def test_a_group_that_cannot_be_is_refused_by_field(change: dict[str, Any], why: str) -> None:
    with pytest.raises(ConfigError, match=why):
        seawall.Venue(written(**change))


def test_an_account_chooses_how_it_is_margined() -> None:
    venue = seawall.Venue(written())
    venue.apply(
        commands.batch(
            commands.open_account(at=1, group=[0, 0]), commands.index(at=1, market=[0, 1], price=[600_000, 300_000])
        )
    )
    records = commands.set_margin_mode(at=2, account=[0, 1, 2], mode=[MarginMode.PORTFOLIO, 2, 1])
    assert records["kind"].tolist() == [CommandKind.SET_MARGIN_MODE] * 3
    events = venue.apply(records)
    assert events["kind"].tolist() == [EventKind.MARGIN_MODE_SET, EventKind.REJECTED, EventKind.REJECTED]
    assert events["code"].tolist() == [1, Reject.BAD_FIELD, Reject.UNKNOWN_ACCOUNT]
    assert venue.accounts()["portfolio"].tolist() == [True, False]
