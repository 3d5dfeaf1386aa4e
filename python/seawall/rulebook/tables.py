"""What rules show on a terminal."""

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from rich.console import Group, RenderableType
from rich.table import Table as RichTable
from rich.text import Text

from seawall.models import RulePreset, load_rules
from seawall.rulebook.compare import RuleComparison, RuleOutcome
from seawall.spelling import money
from seawall.terminal import figures_table

__all__ = ["NO_EVIDENCE", "comparison_tables", "numbers", "preset_tables"]

NO_EVIDENCE: Final = (
    "This compares rules and is no evidence on any: one seed, one path that already contains the day's liquidations, "
    "and traders who do not react to a rule. A claim needs hundreds of paired seeds and agents that react."
)
"""What to know about a comparison."""

_COLUMNS: Final = (
    "trips: interruptions. bounded: orders refused, capped or stopped. kept: times that a limit of a period kept "
    "liquidations or ADL back, a drawdown trigger turned or withdrawals were gated. halted, slowed: seconds in which a "
    "market matched nothing, or with restrictions, summed over markets. last, mark: the farthest that last trade and "
    "mark stood below the index, in the market where it was most. Millions of dollars: liquidated: notional closed of "
    "accounts in liquidation. ADL: notional closed by auto-deleveraging. fund: at the end. given: given up by winners, "
    "against the mark. shared: charged to others. nobody: losses that nobody carried, and what accounts owe at the end."
)


def numbers(name: str) -> dict[str, Any]:
    """Return every value of a preset by its path; breakers by their names.

    Raises
    ------
    ConfigError
        If there is no such preset.
    """
    return dict(_numbers(load_rules(name)))


def _numbers(preset: RulePreset) -> Iterator[tuple[str, Any]]:
    for rule in preset.breakers:
        parts = {key: value for key, value in rule.items() if key != "name"}
        yield from _flat(parts, f"breakers.{rule.get('name')}")
    for table in ("venue", "fund", "market"):
        yield from _flat(getattr(preset, table), table)


def _flat(value: Any, at: str) -> Iterator[tuple[str, Any]]:  # noqa: ANN401 - any TOML value
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from _flat(item, f"{at}.{key}")
    elif isinstance(value, list) and any(isinstance(item, Mapping) for item in value):
        for number, item in enumerate(value):
            yield from _flat(item, f"{at}[{number}]")
    else:
        yield at, value


def preset_tables(preset: RulePreset) -> RenderableType:
    """Return a preset for people: source, numbers, gaps."""
    table = RichTable("parameter", "value", box=None, pad_edge=False)
    for path, value in _numbers(preset):
        table.add_row(Text(path), Text(value if isinstance(value, str) else json.dumps(value)))
    gaps = [Text(f"- {gap}") for gap in preset.gaps]
    return Group(
        Text(preset.description, style="bold"),
        Text(f"as of {preset.as_of}; source: {preset.source}\n"),
        table,
        Text("\nWhat the venue does, and what happens here instead", style="bold"),
        *(gaps or [Text("nothing is known to be missing")]),
    )


def comparison_tables(comparison: RuleComparison) -> RenderableType:
    """Return a comparison for people: two tables per scenario, and what the columns mean."""
    parts: list[RenderableType] = [Text(f"seed {comparison.seed}, {comparison.accounts:,} accounts")]
    for scenario in dict.fromkeys(row.scenario for row in comparison.outcomes):
        rows = [row for row in comparison.outcomes if row.scenario == scenario]
        fund = f"{scenario}, a fund of {money(rows[0].means_start_usd)}"
        parts += [Text(f"\n{fund}", style="bold"), _did(rows), Text(""), _cost(rows)]
    ok = "[green]yes[/]" if comparison.conserved else "[red]NO[/]"
    parts += [Text("\n" + _COLUMNS, style="dim"), Text(NO_EVIDENCE, style="dim")]
    return Group(*parts, Text.from_markup(f"every cent accounted for: {ok}"))


def _did(rows: list[RuleOutcome]) -> RichTable:
    table = figures_table("rules", "trips", "bounded", "kept", "halted", "slowed", "last", "mark")
    for row in rows:
        counts = (sum(row.trips.values()), row.bounded, row.kept_back)
        seconds = (sum(row.halted_seconds.values()), sum(row.slowed_seconds.values()))
        below = (min(row.last_below_index.values()), min(row.mark_below_index.values()))
        table.add_row(row.rules, *(f"{count:,.0f}" for count in counts + seconds), *(f"{share:.2%}" for share in below))
    return table


def _cost(rows: list[RuleOutcome]) -> RichTable:
    table = figures_table("rules", "liquidated", "ADL", "fund", "given", "shared", "nobody")
    for row in rows:
        carried = (row.means_end_usd, row.given_usd, row.socialised_usd, row.uncovered_usd)
        amounts = (row.liquidated_usd, row.adl_usd, *carried)
        table.add_row(row.rules, *(f"{amount / 1e6:,.2f}" for amount in amounts))
    return table
