"""Scorecards: published figures of an event beside those of a run.

A row says of which kind its figure is: ``input`` (the replay was given it), ``calibrated`` (a parameter was fitted to
it) or ``predicted`` (neither). Agreement of an input says nothing about the model.
"""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any, TypedDict

from seawall.models import ScenarioModel, load_scenario, scenario_names
from seawall.models.exact import iso

__all__ = ["Row", "published_fact", "score"]


class Row(TypedDict):
    """One row of a scorecard."""

    metric: str
    """What is compared."""
    published: float | str
    """The published value; a time in ISO 8601."""
    measured: float | str | None
    """The value of the run; None if the run does not measure it."""
    error: float | None
    """Measured / published - 1; for times, seconds late; for a published zero, the difference."""
    kind: str
    """``input``, ``calibrated`` or ``predicted``."""
    source: str
    """Who published it, with a note where there is one."""


def score(scenario: ScenarioModel, measures: Mapping[str, Any]) -> list[Row]:
    """Compare a scenario's published figures with the measures of a run.

    Parameters
    ----------
    scenario
        The scenario.
    measures
        Values by name of the metric.

    Returns
    -------
    list of Row
        In the order of the scenario.
    """
    rows: list[Row] = []
    for figure in scenario.published:
        published: float | str = iso(figure.at) if figure.at is not None else _number(figure.value)
        measured = measures.get(figure.metric)
        rows.append(
            {
                "metric": figure.metric,
                "published": published,
                "measured": measured,
                "error": _error(published, measured),
                "kind": figure.kind,
                "source": f"{figure.source}; {figure.note}" if figure.note else figure.source,
            }
        )
    return rows


def published_fact(*, event: str, measure: str, market: str | None, burst_rank: int | None) -> Fraction | None:
    """Return a recorded fact as the scorecards of the package's scenarios hold it; None if none does.

    Parameters
    ----------
    event, measure, market, burst_rank
        As in a conformance vector of topic ``event.fact``.
    """
    wanted = {"event": event, "measure": measure, "market": market, "burst_rank": burst_rank}
    for name in scenario_names():
        scenario, _ = load_scenario(name)
        for figure in scenario.published:
            if figure.fact is not None and figure.fact.model_dump() == wanted and figure.value is not None:
                return Fraction(figure.value)
    return None


def _number(value: Decimal | None) -> float:
    number = float(value or 0)
    return int(number) if number.is_integer() else number


def _error(published: float | str, measured: float | str | None) -> float | None:
    if measured is None:
        return None
    if isinstance(published, str) or isinstance(measured, str):
        times = [datetime.fromisoformat(str(value)) for value in (published, measured)]
        return (times[1] - times[0]).total_seconds()
    return measured / published - 1 if published else measured - published
