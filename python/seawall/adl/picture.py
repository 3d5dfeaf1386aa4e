"""The picture of a comparison: who gives up how much under each mechanism."""

from pathlib import Path
from typing import Any, Final

from seawall.adl.lab import Comparison
from seawall.adl.measures import LabError
from seawall.table import library

__all__ = ["check_picture", "save_figure", "write_picture"]

_IMAGES: Final = (".png", ".svg", ".pdf")
_SHOWN_MAX: Final = 200
_COLOURS: Final = ("#1f5fbf", "#e07b00", "#2f7d32", "#7b3fb5", "#c8323c", "#0f8f83", "#8a94a6", "#b58900")
_DASHES: Final = ("solid", "dash", "dot")


def check_picture(path: Path) -> None:
    """Refuse a picture that could not be written, before the work is done.

    Raises
    ------
    MissingExtraError
        If Plotly is not installed.
    LabError
        If the ending is unknown or the folder is not there.
    """
    library("plotly", extra="report")
    if path.suffix.lower() not in (".html", *_IMAGES):
        raise LabError(f"picture: {path}: ends in none of .html, {', '.join(_IMAGES)}; rename it, .html always works")
    if not path.parent.is_dir():
        raise LabError(f"picture: {path}: there is no folder {path.parent}; make the folder first")


def write_picture(comparison: Comparison, path: Path) -> None:
    """Write a picture of a comparison: a page for ``.html``, else an image.

    Above, the haircut of every account (share of its profit), accounts from the greatest profit to the least; in the
    middle, how concentrated the burden is (share of it borne by the accounts that bear most); below, the greatest
    haircut and the Gini coefficient of each mechanism.

    Raises
    ------
    MissingExtraError
        If Plotly is not installed.
    LabError
        If it cannot be written; images need Plotly's Kaleido and a Chrome.
    """
    check_picture(path)
    save_figure(_figure(comparison), path)


def save_figure(figure: Any, path: Path) -> None:  # noqa: ANN401 - Plotly has no types
    """Write a figure of Plotly: a page for ``.html``, else an image.

    Raises
    ------
    LabError
        If it cannot be written; images need Plotly's Kaleido and a Chrome.
    """
    try:
        if path.suffix.lower() == ".html":
            figure.write_html(path, include_plotlyjs=True, config={"displaylogo": False, "responsive": True})
        else:
            figure.write_image(path, width=1180, height=figure.layout.height, scale=2)
    except (OSError, RuntimeError, ValueError) as error:
        why = str(error).strip().partition("\n")[0]
        raise LabError(f"picture: {path}: {why}; install Kaleido and Chrome for images, or write an .html") from None


def _figure(comparison: Comparison) -> Any:  # noqa: ANN401 - Plotly has no types
    library("plotly", extra="report")
    make_subplots = library("plotly.subplots", extra="report").make_subplots
    one, outcomes = comparison.round, comparison.outcomes
    names = [outcome.mechanism for outcome in outcomes]
    profits = [float(one.profit(candidate)) for candidate in one.candidates]
    order = sorted(range(len(profits)), key=lambda place: -profits[place])[:_SHOWN_MAX]
    more = len(profits) - len(order)
    figure = make_subplots(
        rows=3,
        cols=1,
        row_heights=[60 + 26 * len(names), 340, 60 + 24 * len(names)],
        vertical_spacing=0.08,
        subplot_titles=(
            "Share of its profit that each account gives up, greatest profit first"
            + (f" (the first {len(order)} of {len(profits):,})" if more else ""),
            "Share of the burden borne by the accounts that bear most",
            "Greatest haircut (bars) and Gini coefficient of the burden (dots)",
        ),
    )
    haircuts = [[float(o.paid[i]) / profits[i] if profits[i] > 0 else None for i in order] for o in outcomes]
    who = [f"account {one.candidates[i].id}: profit {profits[i]:,.2f}" for i in order]
    told = [
        [f"{name}, {o.closed[i]:,} lots, {float(o.paid[i]):,.2f} paid" for name, i in zip(who, order, strict=True)]
        for o in outcomes
    ]
    figure.add_heatmap(
        x=[str(one.candidates[i].id) for i in order],
        y=names,
        z=haircuts,
        text=told,
        hovertemplate="%{y}<br>%{text}<br>haircut %{z:.1%}<extra></extra>",
        zmin=0,
        zmax=1,
        xgap=1,
        ygap=2,
        colorscale=[[0, "#f2f4f7"], [0.02, "#d5e3f5"], [0.25, "#6ea0dc"], [0.6, "#e0a03a"], [1, "#c8323c"]],
        colorbar={"title": {"text": "haircut, red: all"}, "tickformat": ".0%", "len": 0.35, "y": 0.84, "thickness": 12},
        row=1,
        col=1,
    )
    for number, outcome in enumerate(outcomes):
        borne = sorted(map(float, outcome.paid if outcome.takes_money else outcome.closed), reverse=True)
        total, running, line = sum(borne), 0.0, [0.0]
        for amount in borne:
            running += amount
            line.append(running / total if total else 0.0)
        style = {"color": _COLOURS[number % len(_COLOURS)], "dash": _DASHES[number // len(_COLOURS) % len(_DASHES)]}
        figure.add_scatter(
            x=[place / len(borne) for place in range(len(line))],
            y=line,
            name=outcome.mechanism,
            mode="lines",
            line=style,
            hovertemplate=f"{outcome.mechanism}: %{{x:.0%}} of the accounts bear %{{y:.1%}}<extra></extra>",
            row=2,
            col=1,
        )
    worst = [float(outcome.fairness.max_haircut) for outcome in outcomes]
    gini = [None if o.concentration.gini is None else float(o.concentration.gini) for o in outcomes]
    figure.add_bar(
        x=worst,
        y=names,
        orientation="h",
        marker={"color": "#9db8dc"},
        text=[f"{share:.0%}" for share in worst],
        textposition="outside",
        hovertemplate="%{y}: greatest haircut %{x:.1%}<extra></extra>",
        showlegend=False,
        row=3,
        col=1,
    )
    figure.add_scatter(
        x=gini,
        y=names,
        mode="markers",
        marker={"color": "#c8323c", "size": 9},
        hovertemplate="%{y}: Gini %{x:.3f}<extra></extra>",
        showlegend=False,
        row=3,
        col=1,
    )
    figure.update_layout(
        title={"text": f"{one.name}: {one.residual:,} lots to close, deficit {float(one.deficit):,.2f}"},
        height=760 + 50 * len(names),
        template="plotly_white",
        margin={"l": 190, "r": 30, "t": 90, "b": 50},
        legend={"y": 0.5, "yanchor": "middle", "font": {"size": 11}},
        font={"family": "system-ui, Segoe UI, Roboto, Helvetica Neue, Arial, sans-serif", "size": 12.5},
    )
    figure.update_annotations(font_size=14, x=0, xanchor="left")
    figure.update_xaxes(type="category", title_text="account", row=1, col=1)
    figure.update_xaxes(tickformat=".0%", title_text="accounts", row=2, col=1)
    figure.update_yaxes(tickformat=".0%", row=2, col=1)
    figure.update_xaxes(tickformat=".0%", row=3, col=1)
    for row in (1, 3):
        figure.update_yaxes(autorange="reversed", row=row, col=1)
    return figure
