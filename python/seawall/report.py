"""The report page of a run: one HTML file that needs nothing else."""

from collections.abc import Iterator
from html import escape
from itertools import cycle, pairwise
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from seawall.models.exact import iso
from seawall.protocol import Phase
from seawall.spelling import HONESTY, money, spell, spell_error
from seawall.table import library

if TYPE_CHECKING:
    from seawall.run import Run

__all__ = ["page"]

_INDEX, _MARK, _LAST = "#8a94a6", "#1f5fbf", "#e07b00"
_LONG, _SHORT, _ADL, _FUND = "#c8323c", "#0f8f83", "#7b3fb5", "#2f7d32"
_MARKET_COLOURS: Final = ("#1f5fbf", "#e07b00", "#2f7d32", "#7b3fb5")
_PHASE_COLOURS: Final = {
    Phase.PRE_OPEN: "#b9c0cc",
    Phase.CONTINUOUS: "#8fc79a",
    Phase.LIMIT_STATE: "#f2d16b",
    Phase.STRADDLE: "#f2d16b",
    Phase.GUARDED: "#f2d16b",
    Phase.COOLING_OFF: "#f2d16b",
    Phase.CALL_AUCTION: "#f0a63a",
    Phase.PAUSE: "#e3742f",
    Phase.REDUCE_ONLY: "#a97bd1",
    Phase.CLOSE_ONLY: "#a97bd1",
    Phase.HALTED: "#c8323c",
    Phase.CLOSED: "#5b6472",
    Phase.SETTLEMENT: "#5b6472",
}
_HALF_MINUTE: Final = np.timedelta64(30, "s")
_POINTS_MAX: Final = 6_000

_STYLE: Final = """
:root { color-scheme: light; }
body { font: 15px/1.5 system-ui, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; color: #1c2530;
  background: #f5f6f8; margin: 0; }
main { max-width: 1180px; margin: 0 auto; padding: 28px 24px 48px; }
h1 { font-size: 25px; margin: 0 0 2px; } h2 { font-size: 18px; margin: 34px 0 8px; }
p { margin: 4px 0 10px; } .sub { color: #5b6472; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(200px, 1fr)); gap: 12px; margin: 18px 0; }
.tile, .card { background: #fff; border: 1px solid #e1e5eb; border-radius: 8px; }
.tile { padding: 10px 14px; } .tile b { display: block; font-size: 19px; font-variant-numeric: tabular-nums; }
.tile span { color: #5b6472; font-size: 13px; } .card { padding: 6px 10px; overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: 14px; }
th { text-align: left; color: #5b6472; font-weight: 600; border-bottom: 1px solid #cfd5de; padding: 7px 8px; }
td { border-bottom: 1px solid #edf0f4; padding: 6px 8px; vertical-align: top; }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
td.s { color: #5b6472; font-size: 13px; max-width: 480px; }
.kind { border-radius: 4px; padding: 1px 7px; font-size: 12px; white-space: nowrap; }
.input { background: #e6e9ee; color: #3c4654; } .calibrated { background: #fdf0cf; color: #6d5200; }
.predicted { background: #d9f0dc; color: #1d5a24; }
code { font-size: 12.5px; overflow-wrap: anywhere; } ul { padding-left: 20px; margin: 4px 0; }
"""


def page(run: "Run") -> str:
    """Return the HTML page of a run, scripts included.

    Raises
    ------
    MissingExtraError
        If Plotly is not installed.
    """
    figure = _figure(run)
    chart = figure.to_html(full_html=False, include_plotlyjs=True, config={"displaylogo": False, "responsive": True})
    scenario = run.scenario
    title = escape(scenario.title or scenario.name)
    what = (
        f"scenario {scenario.name}, venue {run.profile.name}, {iso(scenario.start)} to {iso(scenario.end)}, seed "
        f"{run.seed}, {run.accounts:,} accounts, {run.steps:,} steps, {run.summary['orders']:,} orders"
    )
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{title}</title><style>{_STYLE}</style></head><body><main>"
        f'<h1>{title}</h1><p class="sub">{escape(what)}</p>'
        f"{_tiles(run)}"
        f'<div class="card">{chart}</div>'
        f"{_scorecard(run)}{_provenance(run)}{_proof(run)}"
        "</main></body></html>\n"
    )


def _tiles(run: "Run") -> str:
    s = run.summary
    share = s["liquidated_long_share"]
    change = run.measures["open_interest_change"]
    tiles = [
        ("liquidated", money(s["liquidated_notional_usd"])),
        ("of it long positions", "-" if share is None else f"{share:.1%}"),
        ("accounts liquidated", f"{s['accounts_liquidated']:,}"),
        ("auto-deleveraged", money(s["adl_notional_usd"])),
        ("accounts deleveraged", f"{s['adl_accounts']:,}"),
        ("insurance fund, start", money(s["fund_start_usd"])),
        ("insurance fund, end", money(s["fund_end_usd"])),
        ("bad debt", money(s["bad_debt_usd"])),
        ("open interest, start", money(s["open_interest_start_usd"])),
        ("open interest, change", "-" if change is None else f"{change:+.1%}"),
    ]
    cells = "".join(f'<div class="tile"><b>{value}</b><span>{label}</span></div>' for label, value in tiles)
    return f'<div class="tiles">{cells}</div>'


def _figure(run: "Run") -> Any:  # noqa: ANN401 - Plotly has no types
    library("plotly", extra="report")
    make_subplots = library("plotly.subplots", extra="report").make_subplots
    names = [market.name for market in run.profile.markets]
    by_market = ", ".join(_ink(name, colour) for name, colour in zip(names, _colours(), strict=False))
    titles = [
        *(f"{name}: {_ink('index', _INDEX)}, {_ink('mark', _MARK)}, {_ink('last trade', _LAST)}" for name in names),
        f"Liquidations per minute: {_ink('longs', _LONG)} up, {_ink('shorts', _SHORT)} down",
        f"{_ink('Auto-deleveraging', _ADL)} per minute",
        f"{_ink('Insurance fund', _FUND)}",
        f"Open interest, share of the start: {by_market}",
        f"Bids quoted within 1 % of the index, share of the start: {by_market}",
        f"Phase of the market: {_phase_names(run, names)}",
    ]
    heights = [2.4] + [1.7] * (len(names) - 1) + [1.5, 1.0, 1.0, 1.0, 1.0, 0.2 + 0.18 * len(names)]
    figure = make_subplots(
        rows=len(titles), cols=1, shared_xaxes=True, vertical_spacing=0.028, row_heights=heights, subplot_titles=titles
    )
    rows = {title: number for number, title in enumerate(titles, start=1)}
    first = len(names)
    _prices(figure, run, names)
    _bars(figure, run, names, row=first + 1)
    _lines(figure, run, names, row=first + 3)
    _phases(figure, run, names, row=len(rows))
    figure.update_layout(
        height=int(150 * sum(heights)) + 120,
        barmode="relative",
        bargap=0.05,
        hovermode="x unified",
        template="plotly_white",
        margin={"l": 70, "r": 20, "t": 40, "b": 40},
        showlegend=False,
        font={"family": "system-ui, Segoe UI, Roboto, Helvetica Neue, Arial, sans-serif", "size": 12.5},
    )
    figure.update_annotations(font_size=14, x=0, xanchor="left")
    figure.update_xaxes(showticklabels=True, tickformat="%H:%M", hoverformat="%H:%M:%S", ticklabelstandoff=4)
    figure.update_yaxes(ticklabelstandoff=4)
    times = _times(run)
    figure.update_xaxes(range=[times[0], times[-1]])
    figure.update_xaxes(title_text="UTC", row=len(rows), col=1)
    return figure


def _ink(text: str, colour: str) -> str:
    return f'<span style="color:{colour}"><b>{text}</b></span>'


def _colours() -> Iterator[str]:
    return cycle(_MARKET_COLOURS)


def _phase_names(run: "Run", names: list[str]) -> str:
    seen = sorted({int(phase) for name in names for phase in np.unique(run.series[f"{name}.phase"])})
    return ", ".join(_ink(_phase_name(Phase(code)), _PHASE_COLOURS[Phase(code)]) for code in seen)


def _phase_name(phase: Phase) -> str:
    return phase.name.lower().replace("_", " ")


def _times(run: "Run") -> NDArray[np.datetime64]:
    times: NDArray[np.datetime64] = run.series["at"].astype("datetime64[ms]")
    return times


def _sampled(column: NDArray[Any]) -> NDArray[np.intp]:
    """Return the steps to draw: all, or the lowest and the highest of every few, so that no extreme is lost."""
    steps = np.arange(len(column))
    if len(column) <= _POINTS_MAX:
        return steps
    keep = [np.array([0, len(column) - 1])]
    for part in np.array_split(steps, _POINTS_MAX // 2):
        finite = part[np.isfinite(column[part])]
        if finite.size:
            keep.append(finite[[column[finite].argmin(), column[finite].argmax()]])
    return np.unique(np.concatenate(keep))


def _line(figure: Any, run: "Run", column: NDArray[Any], row: int, **line: Any) -> None:  # noqa: ANN401 - Plotly
    steps = _sampled(column)
    figure.add_scatter(x=_times(run)[steps], y=column[steps], mode="lines", row=row, col=1, **line)


def _prices(figure: Any, run: "Run", names: list[str]) -> None:  # noqa: ANN401 - Plotly
    published = {row["metric"]: row["published"] for row in run.scorecard}
    for row, name in enumerate(names, start=1):
        for kind, colour, width in (("last", _LAST, 1.0), ("index", _INDEX, 1.4), ("mark", _MARK, 1.4)):
            column = run.series[f"{name}.{kind}"]
            style = {"line": {"color": colour, "width": width}, "name": kind}
            _line(figure, run, column, row, hovertemplate="%{y:,.2f}", **style)
        low = published.get(f"{name}.last_low")
        if isinstance(low, int | float):
            figure.add_hline(
                y=low,
                row=row,
                col=1,
                line={"color": _LAST, "width": 1, "dash": "dot"},
                annotation={
                    "text": f"published low of last, {low:,.1f}",
                    "font": {"size": 11, "color": _LAST},
                    "xanchor": "left",
                    "x": 0,
                    "yanchor": "bottom",
                },
            )
        figure.update_yaxes(tickprefix="$", tickformat=",", row=row, col=1)


def _per_minute(run: "Run", names: list[str], kind: str) -> tuple[NDArray[Any], NDArray[np.float64]]:
    minutes = run.series["at"].astype("datetime64[m]")
    amounts = np.sum([run.series[f"{name}.{kind}"] for name in names], axis=0)
    starts, places = np.unique(minutes, return_inverse=True)
    totals = np.zeros(len(starts))
    np.add.at(totals, places, amounts)
    return starts, totals


def _bars(figure: Any, run: "Run", names: list[str], *, row: int) -> None:  # noqa: ANN401 - Plotly
    for kind, label, colour, sign, place in (
        ("liquidated_long", "longs liquidated", _LONG, 1, row),
        ("liquidated_short", "shorts liquidated", _SHORT, -1, row),
        ("adl", "deleveraged", _ADL, 1, row + 1),
    ):
        starts, amounts = _per_minute(run, names, kind)
        figure.add_bar(
            x=(starts + _HALF_MINUTE).astype("datetime64[ms]"),
            y=sign * amounts,
            customdata=amounts,
            name=label,
            marker={"color": colour, "line": {"width": 0}},
            hovertemplate="$%{customdata:,.4s}",
            row=place,
            col=1,
        )
        figure.update_yaxes(tickprefix="$", tickformat="~s", row=place, col=1)


def _lines(figure: Any, run: "Run", names: list[str], *, row: int) -> None:  # noqa: ANN401 - Plotly
    fund = {"line": {"color": _FUND, "width": 1.6}, "fill": "tozeroy", "fillcolor": "rgba(47,125,50,0.12)"}
    _line(figure, run, run.series["fund"], row, name="fund", hovertemplate="$%{y:,.4s}", **fund)
    figure.update_yaxes(tickprefix="$", tickformat="~s", rangemode="tozero", row=row, col=1)
    for place, kind, label in ((row + 1, "open_interest", "open interest"), (row + 2, "depth_bid", "bids")):
        for name, colour in zip(names, _colours(), strict=False):
            column = run.series[f"{name}.{kind}"]
            # Makers quote from the first step on; what stands in the row before it is no withdrawal.
            start = column[1:2] if kind == "depth_bid" else column[:1]
            share = column / start if start.size and start[0] else column
            share[: 1 if kind == "depth_bid" else 0] = np.nan
            style = {"line": {"color": colour, "width": 1.4}}
            _line(figure, run, share, place, name=f"{name} {label}", hovertemplate="%{y:.1%}", **style)
        figure.update_yaxes(tickformat=".0%", row=place, col=1)
    figure.update_yaxes(rangemode="tozero", row=row + 2, col=1)


def _spells(phases: NDArray[np.int64]) -> Iterator[tuple[int, int, Phase]]:
    """Yield first step, step after the last, and phase of every uninterrupted stretch."""
    edges = [0, *(np.flatnonzero(np.diff(phases)) + 1).tolist(), len(phases)]
    for begin, end in pairwise(edges):
        yield begin, end, Phase(int(phases[begin]))


def _phases(figure: Any, run: "Run", names: list[str], *, row: int) -> None:  # noqa: ANN401 - Plotly
    times = _times(run)
    for name in reversed(names):
        for begin, end, phase in _spells(run.series[f"{name}.phase"]):
            until = times[min(end, len(times) - 1)]
            label = _phase_name(phase)
            figure.add_bar(
                base=[times[begin]],
                x=[int((until - times[begin]) / np.timedelta64(1, "ms"))],
                y=[name],
                orientation="h",
                name=label,
                marker={"color": _PHASE_COLOURS[phase], "line": {"width": 0}},
                hovertemplate=f"{name}: {label} from %{{base|%H:%M:%S}}<extra></extra>",
                row=row,
                col=1,
            )
    figure.update_xaxes(type="date", row=row, col=1)


def _scorecard(run: "Run") -> str:
    if not run.scorecard:
        return ""
    rows = "".join(
        f"<tr><td>{escape(row['metric'])}</td><td class=n>{spell(row['published'])}</td>"
        f"<td class=n>{spell(row['measured'])}</td><td class=n>{spell_error(row)}</td>"
        f'<td><span class="kind {row["kind"]}">{row["kind"]}</span></td>'
        f"<td class=s>{escape(row['source'])}</td></tr>"
        for row in run.scorecard
    )
    return (
        f"<h2>Scorecard</h2><p>{escape(HONESTY)}</p><div class=card><table><tr><th>metric<th class=n>published"
        f"<th class=n>measured<th class=n>error<th>kind<th>source</tr>{rows}</table></div>"
    )


def _provenance(run: "Run") -> str:
    scenario = run.scenario
    calibrated = [entry for entry in scenario.provenance if entry.kind == "calibrated"]
    if not calibrated and not scenario.sources:
        return ""
    chosen = "".join(
        f"<tr><td><code>{escape(entry.path)}</code></td><td>{escape(entry.reason)}</td></tr>" for entry in calibrated
    )
    sources = "".join(f"<li>{escape(source.name)}. {escape(source.note)}</li>" for source in scenario.sources)
    table = f"<div class=card><table><tr><th>figure<th>why this value</tr>{chosen}</table></div>" if chosen else ""
    return (
        "<h2>What was chosen, and what was given</h2>"
        "<p>This is one simple world, not a reconstruction: one venue stands for many, the index is a proxy, and "
        "accounts, makers and flow are drawn from distributions. These figures were chosen rather than recorded:</p>"
        f"{table}<h2>Sources of the inputs</h2><ul>{sources}</ul>"
    )


def _proof(run: "Run") -> str:
    unit = 10 ** run.profile.assets[0].decimals
    totals = run.conservation["assets"][run.profile.assets[0].name]
    cells = "".join(
        f"<tr><td>{escape(name.replace('_', ' '))}</td><td class=n>${amount / unit:,.6f}</td></tr>"
        for name, amount in totals.items()
    )
    verdict = "holds" if run.conservation["ok"] else "DOES NOT HOLD"
    return (
        f"<h2>Conservation {verdict}</h2><p>users + funds + fees + venue = deposits - withdrawals, to the last unit; "
        f"positions of every market net to zero.</p><div class=card><table>{cells}</table></div>"
        f"<p class=sub>digest of all events <code>{run.digest}</code></p>"
    )
