"""Where the parameters of a venue profile come from: sources, origins and gaps, and the check that none is without.

A profile that bears a date describes a venue as it was known on that day. Each of its parameters has an origin, which
says where it comes from; what the venue does and the profile does not is a gap.
"""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Annotated, Any, Final, Literal, NamedTuple, Self

from pydantic import BaseModel, BeforeValidator, Field, PlainSerializer, WithJsonSchema, model_validator

from seawall.models.exact import Model

__all__ = [
    "CalendarDay",
    "Confidence",
    "Gap",
    "Origin",
    "Parameter",
    "Source",
    "check_origins",
    "is_sourced",
    "parameters",
]


def _day(value: object) -> object:
    if isinstance(value, str):
        try:
            return date.fromisoformat(value)
        except ValueError:
            raise ValueError(f"{value!r} is not a day; write it like 2025-10-10") from None
    # A datetime is a date to Python; a time of day means nothing here.
    if type(value) is not date:
        raise ValueError(f"{value!r} is not a day; write it like 2025-10-10")
    return value


CalendarDay = Annotated[
    date,
    BeforeValidator(_day),
    PlainSerializer(date.isoformat, return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "format": "date"}),
]
"""A day, written like 2025-10-10."""

Confidence = Literal["code", "document", "secondary", "assumption", "override"]
"""How well a parameter is known: the venue's source code was read, the venue's own document, somebody else's text or
copy, a choice of the profile's author; or it was set over the file and has no source any more."""

_SHOWN: Final = 3
_FILE: Final = frozenset(
    ("schema_version", "name", "description", "date", "sources", "origins", "gaps", "venue", "seed", "limits")
)
"""Keys of a profile that say nothing about the venue: what the file is, and bounds and numbers of Seawall's own."""
_PLAIN: Final = frozenset(("name", "enabled"))
"""Keys of its parts that say nothing about the venue."""


class Source(Model):
    """A text that parameters come from."""

    title: str
    """What it is."""
    address: str = ""
    """Where it was found: an address, or a repository with its commit and paths."""


class Origin(Model):
    """Where parameters come from. Of several origins of a parameter the last one in the file counts."""

    paths: tuple[str, ...] = Field(min_length=1)
    """Parameters, like ``markets.BTC.fees``, with all that is below them; ``*`` stands for one name."""
    confidence: Confidence
    """How well they are known."""
    date: CalendarDay
    """Day of the source: when it said so, or when it was read if it does not tell."""
    source: str | None = None
    """Name of the source; absent for an assumption."""
    note: str = ""
    """How the figure follows from the source, or why it was chosen."""

    @model_validator(mode="after")
    def _says_why(self) -> Self:
        if self.confidence in ("assumption", "override"):
            if self.source is not None:
                raise ValueError(
                    f"source: {self.source!r}: {self.confidence} has no source; leave it out, say why in note"
                )
            if not self.note:
                raise ValueError(f"note: is missing; an {self.confidence} says why")
        elif self.source is None:
            raise ValueError(f"source: is missing; confidence {self.confidence!r} needs one of `sources`")
        return self


class Gap(Model):
    """What the venue does and the profile does not."""

    rule: str
    """What the venue does."""
    kind: Literal["not_published", "not_expressible", "simplified"]
    """Its figures are not published; Seawall has no such rule; or the profile has a simpler one in its place."""
    instead: str
    """What the profile does, and what that changes."""
    source: str | None = None
    """Name of the source that tells of the rule; absent if the lack of one is the gap."""


class Parameter(NamedTuple):
    """One parameter of a profile as it was written."""

    path: str
    """Its path; items of lists go by name, or by number."""
    value: Any
    """Its value as people write it: a decimal string, a duration with its unit, a name, a number, a list."""
    origin: Origin | None
    """Where it comes from; None in a profile without a date."""


def parameters(profile: Model) -> list[Parameter]:
    """Return every parameter that a profile sets, in the order of the model, with its origin."""
    origins: tuple[Origin, ...] = getattr(profile, "origins", ())
    told = [(path.split("."), origin) for origin in reversed(origins) for path in origin.paths]
    rows = []
    for keys, value, by_default in _leaves(profile, profile.model_dump(mode="json"), ()):
        origin = next((origin for path, origin in told if _covers(path, keys)), None)
        # Who writes a profile out writes defaults too, of which nobody said anything.
        if origin is not None or not by_default:
            rows.append(Parameter(".".join(keys), value, origin))
    return rows


def is_sourced(path: str) -> bool:
    """Return whether a parameter needs an origin: not what names the file, nor bounds and numbers of Seawall's own."""
    keys = path.split(".")
    return keys[0] not in _FILE and keys[-1] not in _PLAIN


def check_origins(profile: Model, sources: Mapping[str, Source], origins: tuple[Origin, ...], day: date | None) -> None:
    """Refuse a profile whose origins do not cover it, or name what is not there.

    Raises
    ------
    ValueError
        Names the field and what to do.
    """
    if day is None:
        if sources or origins:
            raise ValueError("date: is missing; a profile with sources says which day it describes")
        return
    rows = parameters(profile)
    for number, origin in enumerate(origins):
        at = f"origins[{number}]"
        if origin.source is not None and origin.source not in sources:
            raise ValueError(f"{at}.source: {origin.source!r} is not there; known: {', '.join(sources) or 'none'}")
        if origin.date > day:
            raise ValueError(
                f"{at}.date: {origin.date} is after {day}, the day of the profile; move the profile's date"
            )
        for path in origin.paths:
            keys = path.split(".")
            if not any(_covers(keys, row.path.split(".")) for row in rows):
                raise ValueError(f"{at}.paths: {path!r} is no parameter that the file sets")
    bare = [row.path for row in rows if row.origin is None]
    if bare:
        more = f" and {len(bare) - _SHOWN} more" if len(bare) > _SHOWN else ""
        raise ValueError(f"{', '.join(bare[:_SHOWN])}{more}: has no source; add it to the paths of an origin")


def _covers(path: list[str], keys: list[str] | tuple[str, ...]) -> bool:
    return len(path) <= len(keys) and all(a in ("*", b) for a, b in zip(path, keys, strict=False))


def _leaves(
    value: object,
    written: Any,  # noqa: ANN401 - any JSON
    at: tuple[str, ...],
    by_default: bool = False,
) -> Iterator[tuple[tuple[str, ...], Any, bool]]:
    """Yield path and value, as it is written, of everything that was set, and whether it would be so anyway."""
    if isinstance(value, BaseModel):
        for name, field in type(value).model_fields.items():
            if name in value.model_fields_set and name not in (_PLAIN if at else _FILE):
                item = getattr(value, name)
                yield from _leaves(item, written[name], (*at, name), not field.is_required() and item == field.default)
    elif isinstance(value, tuple) and value and all(isinstance(item, BaseModel) for item in value):
        for number, item in enumerate(value):
            yield from _leaves(item, written[number], (*at, str(getattr(item, "name", number))))
    else:
        yield at, written, by_default
