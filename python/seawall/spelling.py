"""How figures are written for people: on the terminal and on the report page."""

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from seawall.run import Run
    from seawall.scorecard import Row

__all__ = ["HONESTY", "money", "spell", "spell_error", "summary_lines"]

HONESTY: Final = (
    "input: given to the replay, so agreement says nothing; calibrated: a parameter was chosen to meet it; predicted: "
    "neither. The recorded index already contains the historical cascade. error = measured / published - 1; for times, "
    "seconds late."
)
"""What to know about a scorecard."""

_UNITS: Final = ((1e9, "B"), (1e6, "M"), (1e3, "k"))


def money(value: float) -> str:
    """Return dollars with three to five digits and a unit, for example ``$1.234 B``."""
    for size, unit in _UNITS:
        if abs(value) >= size:
            return f"${value / size:,.3f} {unit}"
    return f"${value:,.2f}"


def spell(value: float | str | None) -> str:
    """Return a number with separators, a time without its date, or a dash."""
    if value is None:
        return "-"
    if isinstance(value, str):
        return value.partition("T")[2].removesuffix("Z") or value
    if abs(value) < 10 and not float(value).is_integer():
        return f"{value:.4f}"
    return f"{value:,.0f}" if float(value).is_integer() or abs(value) >= 1e6 else f"{value:,.2f}"


def spell_error(row: "Row") -> str:
    """Return a row's error: a percentage, seconds for times, or a dash."""
    if row["error"] is None:
        return "-"
    return f"{row['error']:+,.0f} s" if isinstance(row["published"], str) else f"{row['error']:+.1%}"


def summary_lines(run: "Run") -> list[tuple[str, str]]:
    """Return the summary of a run as labels and values."""
    s = run.summary
    share = s["liquidated_long_share"]
    return [
        ("liquidated notional", money(s["liquidated_notional_usd"])),
        ("  of it long", "-" if share is None else f"{share:.1%}"),
        ("accounts liquidated", f"{s['accounts_liquidated']:,}"),
        ("auto-deleveraged notional", money(s["adl_notional_usd"])),
        ("accounts deleveraged", f"{s['adl_accounts']:,}"),
        ("insurance fund", f"{money(s['fund_start_usd'])} -> {money(s['fund_end_usd'])}"),
        ("bad debt", money(s["bad_debt_usd"])),
        ("socialised", money(s["socialised_usd"])),
        ("open interest", f"{money(s['open_interest_start_usd'])} -> {money(s['open_interest_end_usd'])}"),
    ]
