"""Venue profiles: what a dated profile says and where from, and what each would have done on a crash day.

Examples
--------
>>> from seawall import profiles
>>> told = profiles.describe("hyperliquid")
>>> told.parameter("markets.BTC.tiers.0.maintenance").value
'0.0125'
"""

from seawall.profiles.compare import Comparison, Outcome, compare
from seawall.profiles.describe import Description, describe
from seawall.profiles.hedge import REHEDGE_COST_BPS, REHEDGE_SECONDS, HedgeLoss, hedge_loss
from seawall.profiles.picture import write_picture

__all__ = [
    "REHEDGE_COST_BPS",
    "REHEDGE_SECONDS",
    "Comparison",
    "Description",
    "HedgeLoss",
    "Outcome",
    "compare",
    "describe",
    "hedge_loss",
    "write_picture",
]
