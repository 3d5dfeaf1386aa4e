"""What profiles show on a terminal."""

import json
from collections.abc import Iterator
from typing import Any, Final

from rich.console import Group, RenderableType
from rich.table import Table as RichTable
from rich.text import Text

from seawall.profiles.compare import Comparison
from seawall.profiles.describe import Description
from seawall.spelling import money
from seawall.terminal import figures_table

__all__ = ["NOT_EVIDENCE", "comparison_table", "description_tables"]

_CONFIDENCE: Final = {
    "code": "green",
    "document": "green",
    "secondary": "yellow",
    "assumption": "red",
    "override": "magenta",
}

CONFIDENCES: Final = (
    "code: the venue's source was read; document: the venue's own document; secondary: somebody else's text or copy; "
    "assumption: chosen here, the note says why; override: set over the file, without a source."
)
"""What the levels of confidence mean."""

NOT_EVIDENCE: Final = (
    "The same accounts, makers and input path for each, with the rules of each venue as far as its profile has them: "
    "this compares rules, and is no evidence of what a venue did or would do."
)
"""What to know about a comparison."""

_COLUMNS: Final = (
    "liquidated: notional closed of accounts in liquidation. ADL: notional closed by auto-deleveraging. fund: "
    "insurance fund, or the backstop's equity, at start and end. given up: by winners, against the mark. shared: "
    "losses that others were charged. uncovered: losses nobody carried, and what accounts owe at the end. hedges: "
    "what those who are short here and long elsewhere lost by the losses of others: given up against the mark and "
    "taken, the other leg until it was hedged anew, the cost of that."
)


def description_tables(told: Description) -> RenderableType:
    """Return a profile for people: parameters with their origins, gaps, sources."""
    return Group(*_description(told))


def _description(told: Description) -> Iterator[RenderableType]:
    profile = told.profile
    day = "no date: describes no venue" if profile.date is None else f"as known on {profile.date}"
    yield Text(f"{profile.name}: {profile.description}", style="bold")
    yield Text(f"{day}\n")
    table = RichTable(box=None, pad_edge=False)
    table.add_column("parameter", no_wrap=True)
    table.add_column("value", overflow="fold", max_width=34)
    for column in ("confidence", "date", "source"):
        table.add_column(column, no_wrap=True)
    for row in told.parameters:
        origin = row.origin
        cells = ("", "", "") if origin is None else (origin.confidence, str(origin.date), origin.source or "-")
        style = "" if origin is None else _CONFIDENCE[origin.confidence]
        table.add_row(row.path, Text(_spell(row.value)), Text(cells[0], style=style), *cells[1:])
    yield table
    if profile.date is None:
        return
    yield Text("\n" + CONFIDENCES + "\n", style="dim")
    yield Text("Notes", style="bold")
    notes = RichTable(box=None, pad_edge=False, show_header=False)
    notes.add_column(overflow="fold", ratio=1)
    notes.add_column(overflow="fold", ratio=2)
    for origin in profile.origins:
        if origin.note:
            notes.add_row(Text(", ".join(origin.paths), style="dim"), Text(origin.note))
    yield notes
    yield Text("\nWhat the venue does and this profile does not", style="bold")
    gaps = RichTable(box=None, pad_edge=False)
    gaps.add_column("rule", overflow="fold", ratio=3)
    gaps.add_column("kind", no_wrap=True)
    gaps.add_column("instead", overflow="fold", ratio=3)
    for gap in profile.gaps:
        gaps.add_row(Text(gap.rule), Text(gap.kind.replace("_", " ")), Text(gap.instead))
    yield gaps
    yield Text("\nSources", style="bold")
    sources = RichTable(box=None, pad_edge=False, show_header=False)
    for name, source in profile.sources.items():
        sources.add_row(Text(name), Text(f"{source.title}. {source.address}"))
    yield sources


def comparison_table(comparison: Comparison) -> RenderableType:
    """Return a comparison for people: a line per profile, and what the columns mean."""
    head = Text(
        f"{comparison.scenario}, seed {comparison.seed}, {comparison.accounts:,} accounts; hedged anew after "
        f"{comparison.rehedge_seconds:g} s at {comparison.rehedge_cost_bps:g} bp\n"
    )
    closed = figures_table("profile", "liquidated", "accounts", "ADL", "accounts")
    losses = figures_table("profile", "fund", "to", "given up", "shared", "uncovered", "hedges")
    for row in comparison.outcomes:
        counts = (f"{row.accounts_liquidated:,}", f"{row.adl_accounts:,}")
        closed.add_row(row.profile, money(row.liquidated_usd), counts[0], money(row.adl_usd), counts[1])
        amounts = (row.means_start_usd, row.means_end_usd, row.given_usd, row.socialised_usd, row.uncovered_usd)
        losses.add_row(row.profile, *map(money, amounts), money(row.hedges.total_usd))
    ok = "[green]yes[/]" if comparison.conserved else "[red]NO[/]"
    return Group(
        head,
        closed,
        Text(""),
        losses,
        Text("\n" + _COLUMNS, style="dim"),
        Text(NOT_EVIDENCE, style="dim"),
        Text.from_markup(f"every cent accounted for: {ok}"),
    )


def _spell(value: Any) -> str:  # noqa: ANN401 - any JSON
    return value if isinstance(value, str) else json.dumps(value)
