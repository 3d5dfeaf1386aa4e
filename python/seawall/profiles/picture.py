"""The picture of a comparison: who carried the losses under each profile, and what hedges lost."""

from pathlib import Path
from typing import Any, Final

from seawall.adl.picture import check_picture, save_figure
from seawall.profiles.compare import Comparison, Outcome
from seawall.table import library

__all__ = ["write_picture"]

_PAYERS: Final = {
    "fund or backstop": ("#2f7d32", lambda row: max(0.0, row.means_start_usd - row.means_end_usd)),
    "winners, against the mark": ("#7b3fb5", lambda row: row.given_usd),
    "shared among others": ("#e07b00", lambda row: row.socialised_usd),
    "nobody": ("#c8323c", lambda row: row.uncovered_usd),
}
_HEDGES: Final = {
    "against the mark": ("#7b3fb5", lambda row: row.hedges.against_mark_usd),
    "haircuts and shared losses": ("#e07b00", lambda row: row.hedges.taken_usd),
    "other leg until hedged anew": ("#1f5fbf", lambda row: row.hedges.unhedged_usd),
    "cost of hedging anew": ("#8a94a6", lambda row: row.hedges.rehedge_usd),
}


def write_picture(comparison: Comparison, path: Path) -> None:
    """Write a picture of a comparison: a page for ``.html``, else an image.

    Above, who carried losses; below, what hedges lost, in parts.

    Raises
    ------
    MissingExtraError
        If Plotly is not installed.
    LabError
        If it cannot be written; images need Plotly's Kaleido and a Chrome.
    """
    check_picture(path)
    save_figure(_figure(comparison), path)


def _figure(comparison: Comparison) -> Any:  # noqa: ANN401 - Plotly has no types
    library("plotly", extra="report")
    make_subplots = library("plotly.subplots", extra="report").make_subplots
    rows = comparison.outcomes
    figure = make_subplots(
        rows=2,
        cols=1,
        vertical_spacing=0.16,
        subplot_titles=("Who carried the losses of liquidated accounts", "What those who hedge here lost by it"),
    )
    _bars(figure, rows, _PAYERS, 1)
    _bars(figure, rows, _HEDGES, 2)
    figure.update_layout(
        title={
            "text": f"{comparison.scenario}, seed {comparison.seed}, {comparison.accounts:,} accounts: "
            "the same accounts under each venue's rules; no evidence on a venue"
        },
        barmode="relative",
        height=280 + 56 * len(rows),
        template="plotly_white",
        margin={"l": 110, "r": 30, "t": 90, "b": 40},
        font={"family": "system-ui, Segoe UI, Roboto, Helvetica Neue, Arial, sans-serif", "size": 12.5},
        legend={"y": 0.99},
        legend2={"y": 0.42},
    )
    figure.update_annotations(font_size=14, x=0, xanchor="left")
    figure.update_xaxes(tickprefix="$", tickformat="~s")
    figure.update_yaxes(autorange="reversed")
    return figure


def _bars(figure: Any, rows: tuple[Outcome, ...], parts: dict[str, Any], row: int) -> None:  # noqa: ANN401 - Plotly
    for label, (colour, amount) in parts.items():
        figure.add_bar(
            x=[amount(outcome) for outcome in rows],
            y=[outcome.profile for outcome in rows],
            name=label,
            orientation="h",
            marker={"color": colour},
            hovertemplate=f"%{{y}}, {label}: $%{{x:,.0f}}<extra></extra>",
            legend="legend" if row == 1 else "legend2",
            row=row,
            col=1,
        )
