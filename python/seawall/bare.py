"""The least that a venue can be: one market without fees, margin to speak of, liquidation or rules.

What studies one thing, such as a recorded book or one worked calculation, changes what it is about and leaves the
rest. In the integers of docs/mechanics.md section 12.
"""

from collections.abc import Mapping
from typing import Any

__all__ = ["bare_market", "bare_venue"]


def bare_market(name: str, *, price_max: int, lots: int, **changes: object) -> dict[str, Any]:
    """Return the configuration of a market.

    Parameters
    ----------
    name
        Its name.
    price_max
        Highest price, in ticks.
    lots
        Largest order, position and open interest.
    changes
        Rows to put in the place of these, or beside them.
    """
    return {
        "name": name,
        "tick_value": 1,
        "price_max": price_max,
        "order_qty_max": lots,
        "position_max": lots,
        "open_interest_max": lots,
        "fees": {"maker_ppm": 0, "taker_ppm": 0},
        "tiers": [{"lower": 0, "initial_ppm": 1, "maintenance_ppm": 1}],
        "mark": {"method": "index", "basis_samples": 1},
        "funding": None,
        "fund": 0,
        "phase": "continuous",
        "reopen_auction_ns": 0,
        "liquidation": {
            "enabled": False,
            "slice_ppm": 1_000_000,
            "slice_qty_min": 1,
            "full_below": 0,
            "fee_ppm": 0,
            "fund_limit_ppm": 0,
        },
        "adl": {"enabled": False, "method": "queue", "price": "bankruptcy", "band_ppm": None},
        **changes,
    }


def bare_venue(
    name: str, market: Mapping[str, Any], *, accounts: int, orders: int, money: int, **changes: object
) -> dict[str, Any]:
    """Return the configuration of a venue with one market and one asset of whole units.

    Parameters
    ----------
    name
        Its name.
    market
        The market.
    accounts
        Most accounts.
    orders
        Most resting orders.
    money
        Most deposits.
    changes
        Rows to put in the place of these, or beside them.
    """
    return {
        "schema_version": 1,
        "name": name,
        "venue": 0,
        "seed": 0,
        "margin_call_ppm": 0,
        "backstop": None,
        "last_resort": "remainder",
        "limits": {
            "accounts_max": accounts,
            "orders_max": orders,
            "liquidation_rounds_per_step": 1,
            "funding_accounts_per_step": 1,
            "adl_closes_per_round": 1,
            "adl_rank_max": 1,
        },
        "assets": [{"name": "money", "decimals": 0, "deposits_max": money, "collateral": None}],
        "funds": [{"name": "fund"}],
        "markets": [market],
        "breakers": [],
        **changes,
    }
