"""What several tests start from."""

from pathlib import Path
from typing import Any

import pytest

import seawall
from seawall import Phase, commands
from seawall.commands import Records
from seawall.models import VenueProfile, load_profile

SMALL = Path(__file__).parent / "data" / "small.toml"
"""A scenario of ten minutes with a fall of six per cent."""


@pytest.fixture(scope="session")
def small() -> Path:
    return SMALL


@pytest.fixture(scope="session")
def run() -> seawall.Run:
    """Return one replay that reaches liquidation and ADL."""
    return seawall.replay(SMALL, accounts=2000)


@pytest.fixture(scope="session")
def profile() -> VenueProfile:
    return load_profile("reference")


@pytest.fixture(scope="session")
def config(profile: VenueProfile) -> dict[str, Any]:
    return profile.config()


@pytest.fixture
def venue() -> seawall.Venue:
    """Return a venue with two funded accounts, open for trading at 60,000 dollars."""
    venue = seawall.Venue("reference")
    venue.apply(opening())
    return venue


def opening() -> Records:
    return commands.batch(
        commands.open_account(at=1, count=2),
        commands.deposit(at=1, account=[0, 1], amount=100_000_000_000),
        commands.index(at=1, market=[0, 1], price=[600_000, 300_000]),
        commands.set_phase(at=1, market=[0, 1], phase=Phase.CONTINUOUS),
    )
