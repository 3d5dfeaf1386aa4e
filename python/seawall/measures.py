"""What a scorecard can compare: figures of a run by name.

Names are those of the summary, ``MARKET.`` names for one market, and the ones below. Times are ISO 8601 strings.

- ``open_interest_change``: of the notional; ``MARKET.open_interest_change``: of the quantity, ``..._usd``: of the
  notional. Shares of the start.
- ``MARKET.depth_bid_least_share``, ``MARKET.depth_ask_least_share``: least depth within 1 % of the index, as a share of
  that in the first minute.
- ``adl_to_liquidated_share``: notional closed by auto-deleveraging as a share of all that was closed of accounts in
  liquidation.
- ``liquidation_fills``: fills of liquidation orders, and of auto-deleveraging, which the Hyperliquid records also count
  as such.
- ``timestamps_with_both_kinds``: times at which both kinds of fills happened. A run's times are its steps.
- ``timestamps_liquidations_all_first``: those at which every liquidation fill came before all of auto-deleveraging.
- ``burst1.adl_fills``, ``burst1.liquidation_fills``, ``burst1.markets``: the time with most fills of auto-deleveraging.
"""

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from seawall.models.exact import iso
from seawall.protocol import EventKind, FillFlag

if TYPE_CHECKING:
    from seawall.run import Run

__all__ = ["measures"]

_FIRST_MINUTE: Final = slice(1, 61)


def measures(run: "Run") -> dict[str, Any]:
    """Return everything that a scorecard can compare, by name; what a run cannot say is left out."""
    facts, summary = run.facts, run.summary
    liquidated = summary["liquidated_notional_usd"]
    out: dict[str, Any] = {key: value for key, value in summary.items() if key != "markets"}
    out |= {
        "liquidations": facts["liquidations"],
        "bankruptcies": facts["bankruptcies"],
        "adl_fills": facts["adl_fills"],
        "fund_least_usd": run.usd(facts["fund_least"]),
        "fund_paid_usd": run.usd(facts["fund_paid"]),
        "peak_minute_usd": run.usd(facts["peak_minute_notional"]),
        "open_interest_change": _change(summary["open_interest_start_usd"], summary["open_interest_end_usd"]),
        "adl_to_liquidated_share": summary["adl_notional_usd"] / liquidated if liquidated else None,
    }
    for name in ("first_liquidation_at", "first_adl_at", "last_adl_at", "peak_minute_at"):
        out[name] = None if facts[name] is None else iso(facts[name])
    for name, market in summary["markets"].items():
        start, end = market["open_interest_start"], market["open_interest_end"]
        out |= {f"{name}.{key}": value for key, value in market.items()}
        out[f"{name}.open_interest_change"] = _change(start, end)
        out[f"{name}.open_interest_change_usd"] = _change(start * market["index_start"], end * market["index_end"])
        for side in ("bid", "ask"):
            depth = run.series[f"{name}.depth_{side}"][1:]
            normal = np.median(run.series[f"{name}.depth_{side}"][_FIRST_MINUTE])
            out[f"{name}.depth_{side}_least_share"] = float(depth.min() / normal) if normal else None
    if run.events.height:
        out |= _bursts(run)
    return out


def _bursts(run: "Run") -> dict[str, int]:
    records = run.events.records
    forced = (records["kind"] == EventKind.FILL) & (records["flags"] & FillFlag.LIQUIDATION > 0)
    adl = records["kind"] == EventKind.ADL_FILL
    out = {"liquidation_fills": int(forced.sum() + adl.sum()), "timestamps_with_both_kinds": 0}
    out["timestamps_liquidations_all_first"] = 0
    both = np.intersect1d(records["at"][forced], records["at"][adl])
    for at in both:
        now = records["at"] == at
        first = np.flatnonzero(now & adl)[0] > np.flatnonzero(now & forced)[-1]
        out["timestamps_with_both_kinds"] += 1
        out["timestamps_liquidations_all_first"] += int(first)
    if adl.any():
        times, counts = np.unique(records["at"][adl], return_counts=True)
        burst = records["at"] == times[counts.argmax()]
        out["burst1.adl_fills"] = int(counts.max())
        out["burst1.liquidation_fills"] = int((burst & (forced | adl)).sum())
        out["burst1.markets"] = len(np.unique(records["market"][burst & adl]))
    return out


def _change(start: float, end: float) -> float | None:
    return end / start - 1 if start else None
