"""Published figures of recorded events."""

from typing import Final

from seawall.errors import VectorError
from seawall.vectors.cases import Answer, Case, Scale, Topic

__all__ = ["TOPICS"]


def _fact(case: Case, _: Scale) -> Answer:
    from seawall.scorecard import published_fact  # noqa: PLC0415 - pydantic is needed for records only

    value = published_fact(**case.given)
    if value is None:
        raise VectorError("no scenario's scorecard holds this figure; add it to [[published]] of the scenario")
    return {"value": value}


TOPICS: Final[dict[str, Topic]] = {
    "event.fact": Topic(
        function="seawall.scorecard.published_fact",
        given=frozenset({"event", "measure", "market", "burst_rank"}),
        expect=frozenset({"value"}),
        run=_fact,
    ),
}
