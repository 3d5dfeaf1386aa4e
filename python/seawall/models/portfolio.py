"""Portfolio margin, as people write it: groups of markets and their scenarios."""

from collections.abc import Callable
from decimal import Decimal
from typing import Annotated, Any

from pydantic import Field

from seawall.models.exact import Exact, Model, NonNegative, Positive, ppm

__all__ = ["Portfolio", "PriceScenario"]

Move = Annotated[Exact, Field(ge=-1, le=10)]
"""What a price moves by, as a share of it."""


class PriceScenario(Model):
    """What happens to the prices of a group."""

    move: Move | None = None
    """The move of every price; or `moves`."""
    moves: tuple[Move, ...] = ()
    """The move of each market's price, in their order."""
    weight: Positive = Decimal(1)
    """Share of the loss that counts."""


class Portfolio(Model):
    """Linear markets that accounts with portfolio margin hold as one."""

    name: str
    """Name."""
    markets: tuple[str, ...]
    """Names of the markets, in their order in the venue."""
    scenarios: tuple[PriceScenario, ...] = ()
    """Scenarios: the largest weighted loss counts."""
    net: NonNegative = Decimal(0)
    """Least requirement: this share of the net value of all positions, and ``hedged`` of what they hedge."""
    hedged: NonNegative = Decimal(0)
    """Share of the value that is hedged: half of what the sizes are above the net value."""
    contract: NonNegative = Decimal(0)
    """Charged on the size of every position, whatever the scenario."""
    maintenance: Positive
    """Maintenance margin as a share of initial margin."""

    def config(self, market_id: Callable[[str, str], int]) -> dict[str, Any]:
        """Return what the core reads."""
        at = f"portfolios.{self.name}"

        def moves(number: int, scenario: PriceScenario) -> list[int]:
            field = f"{at}.scenarios[{number}]"
            if (scenario.move is None) == (not scenario.moves):
                raise ValueError(f"{field}: give one of move and moves")
            if scenario.move is not None:
                return [ppm(scenario.move, f"{field}.move")] * len(self.markets)
            return [ppm(move, f"{field}.moves") for move in scenario.moves]

        return {
            "name": self.name,
            "markets": [market_id(name, f"{at}.markets") for name in self.markets],
            "scenarios": [
                {
                    "moves_ppm": moves(number, scenario),
                    "weight_ppm": ppm(scenario.weight, f"{at}.scenarios[{number}].weight"),
                }
                for number, scenario in enumerate(self.scenarios)
            ],
            "net_ppm": ppm(self.net, f"{at}.net"),
            "hedged_ppm": ppm(self.hedged, f"{at}.hedged"),
            "contract_ppm": ppm(self.contract, f"{at}.contract"),
            "maintenance_ppm": ppm(self.maintenance, f"{at}.maintenance"),
        }
