"""What the laboratory shows on a terminal."""

from collections.abc import Iterator
from typing import Final

from rich.console import Group, RenderableType
from rich.table import Table as RichTable
from rich.text import Text

from seawall.adl.lab import MECHANISMS, Comparison
from seawall.adl.study import NO_RERUN, Study, spell

__all__ = ["comparison_tables", "study_tables"]

_READ: Final = {"re-added": "green", "records": "yellow"}
_PRICES: Final = {"bankruptcy": "bankruptcy price", "mark": "mark"}
_NOTES: Final = (
    "closed, open: lots closed, lots of the residual left open. cost: given up against the mark, or taken. unpaid: of "
    "the money to raise. in part: closed, or paid their profit, in part. max haircut: greatest share of a profit that "
    "was given up. top left: greatest profit left. Gini, HHI, top 10: of lots, or of money where it is taken. turned: "
    "neighbours by profit (by lots) that stand in the opposite order afterwards. leg risk: lots of net risk created."
)


def study_tables(study: Study) -> RenderableType:
    """Return the published waves for people: what is re-added beside what was published, and what it means."""
    return Group(*_study(study))


def _study(study: Study) -> Iterator[RenderableType]:
    yield Text("10 October 2025, Hyperliquid: the published waves, re-added\n", style="bold")
    yield Text(NO_RERUN + "\n")
    policies = RichTable(box=None, pad_edge=False)
    policies.add_column("policy")
    for column in ("tracking", "fairness", "total"):
        policies.add_column(column, justify="right")
    policies.add_column("to the cent")
    for policy in study.policies:
        cells = [spell(getattr(policy, name), "usd") for name in policy.published]
        policies.add_row(policy.name, *cells, "[green]yes[/]" if policy.agrees else "[red]NO[/]")
        policies.add_row("  published", *(f"${figure:,}" for figure in policy.published.values()), style="dim")
    yield policies
    yield Text("")
    figures = RichTable(box=None, pad_edge=False)
    figures.add_column("figure")
    figures.add_column("re-added", justify="right")
    figures.add_column("published", justify="right", style="dim")
    figures.add_column("agrees")
    figures.add_column("source", style="dim")
    for figure in study.figures:
        agrees = {True: "[green]yes[/]", False: "[red]NO[/]", None: ""}[figure.agrees]
        published = "" if figure.published is None else f"{figure.published:,f}"
        figures.add_row(figure.label, spell(figure.value, figure.unit), published, agrees, figure.source)
    yield figures
    yield Text("\nWhat the figures mean", style="bold")
    yield Text(
        "re-added: every figure comes from the files of this package; records: quoted, not re-added\n", style="dim"
    )
    readings = RichTable(box=None, pad_edge=False, show_header=False, padding=(0, 2, 1, 0))
    readings.add_column(max_width=34)
    readings.add_column()
    readings.add_column()
    for reading in study.readings:
        readings.add_row(Text(reading.claim), Text(reading.basis, style=_READ[reading.basis]), Text(reading.meaning))
    yield readings
    yield Text("Sources: " + "; ".join(f"{name}: {where}" for name, where in study.sources.items()) + "\n", style="dim")
    yield Text("Seawall's own mechanisms on a synthetic round: nothing in it is data\n", style="bold")


def comparison_tables(comparison: Comparison) -> RenderableType:
    """Return a comparison for people: a line per mechanism, and what the columns mean."""
    one = comparison.round
    head = Text(f"{one.name}\n", style="bold")
    band = "" if one.band is None else f", within {float(one.band):.4%} of the mark"
    about = Text(
        f"{len(one.candidates):,} candidates, {one.side}; {one.residual:,} lots to close; "
        f"mark {float(one.mark):,.10g}, bankruptcy price {float(one.bankruptcy):,.10g}, "
        f"deficit {float(one.deficit):,.2f}; transfer at the {_PRICES[one.price]}{band}\n"
    )
    table = RichTable(box=None, pad_edge=False)
    table.add_column("mechanism", no_wrap=True)
    columns = ("closed", "open", "cost", "unpaid", "touched", "in part", "max haircut", "top left", "Gini", "HHI")
    for column in (*columns, "top 10", "turned", "turned lots", "leg risk"):
        table.add_column(column, justify="right")
    for outcome in comparison.outcomes:
        fair, spread = outcome.fairness, outcome.concentration
        table.add_row(
            outcome.mechanism,
            f"{sum(outcome.closed):,}",
            f"{outcome.uncovered_lots:,}",
            f"{float(outcome.cost):,.2f}",
            f"{float(outcome.uncovered):,.2f}",
            f"{spread.touched:,}",
            f"{outcome.partial:,}",
            f"{float(fair.max_haircut):.1%}",
            f"{float(fair.top_survivor):,.2f}",
            *("-" if share is None else f"{float(share):.3f}" for share in (spread.gini, spread.hhi, spread.top_10)),
            f"{outcome.inversions:,}",
            f"{outcome.inversions_lots:,}",
            f"{outcome.leg_risk:,}",
        )
    what = RichTable(box=None, pad_edge=False, show_header=False, style="dim")
    for outcome in comparison.outcomes:
        what.add_row(outcome.mechanism, MECHANISMS[outcome.mechanism])
    notes = Text("\n" + _NOTES + "\n", style="dim")
    return Group(head, about, table, notes, what)
