"""Exact values at the edge: decimal strings, durations and instants that become integers without rounding."""

import difflib
import re
from collections.abc import Collection, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from typing import Annotated, Any, Final

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    ValidationError,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
    model_validator,
)

__all__ = [
    "Count",
    "Duration",
    "Exact",
    "Instant",
    "Model",
    "NonNegative",
    "Positive",
    "advice",
    "iso",
    "meant",
    "ppb",
    "ppm",
    "whole",
]

_MILLIONTH = Decimal("0.000001")
_BILLIONTH = Decimal("0.000000001")

NANOS: Final = {
    "d": 86_400 * 10**9,
    "h": 3_600 * 10**9,
    "m": 60 * 10**9,
    "s": 10**9,
    "ms": 10**6,
    "us": 10**3,
    "ns": 1,
}
_DURATION: Final = re.compile(r"\s*(\d+(?:\.\d+)?)\s*(d|h|m|s|ms|us|ns)\s*")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


_WHOLE_MAX: Final = 2**63 - 1
_SEED_MAX: Final = 2**64 - 1
_EXPONENT_MAX = 40
"""Largest power of ten of a number: exact arithmetic on more would take for ever and fit nowhere."""


def _decimal(value: object) -> object:
    if isinstance(value, bool | float):
        raise ValueError(f'{value!r} is not exact; write it as a string, for example "{value}"')
    if isinstance(value, str):
        try:
            value = Decimal(value.replace("_", ""))
        except InvalidOperation:
            raise ValueError(f'{value!r} is not a decimal number; write it like "0.05"') from None
    if isinstance(value, int):
        value = Decimal(value)
    if isinstance(value, Decimal) and not value.is_finite():
        raise ValueError(f"{value} is not finite; give a number")
    if isinstance(value, Decimal) and abs(value.adjusted()) > _EXPONENT_MAX:
        raise ValueError(f"{value:.3e} is out of range; give a number of at most {_EXPONENT_MAX} digits")
    return value


def _duration(value: object) -> object:
    if isinstance(value, str):
        match = _DURATION.fullmatch(value)
        if match is None:
            raise ValueError(f'{value!r} is not a duration; write it like "8h", "5m", "1.5s" or "250ms"')
        return whole(Decimal(match[1]), Fraction(1, NANOS[match[2]]), "a duration", "nanosecond")
    if isinstance(value, float | Decimal) or (isinstance(value, int) and value != 0):
        raise ValueError(f'{value} has no unit; write it like "8h", "5m" or "1.5s"')
    return value


def _instant(value: object) -> object:
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            raise ValueError(f"{value!r} is not a time; write it like 2025-10-10T21:00:00Z") from None
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise ValueError(f"{value.isoformat()} has no time zone; write it like {value.isoformat()}Z")
        return (value - _EPOCH) // timedelta(microseconds=1) * 1_000
    raise ValueError(f"{value!r} is not a time; write it like 2025-10-10T21:00:00Z")


def _spell_duration(nanos: int) -> str:
    unit = next(unit for unit, size in NANOS.items() if nanos % size == 0)
    return f"{nanos // NANOS[unit]}{unit}"


def iso(nanos: int) -> str:
    """Return a time in nanoseconds since the Unix epoch in ISO 8601, UTC, to the microsecond."""
    seconds, rest = divmod(nanos, 10**9)
    text = (_EPOCH + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%S")
    return text + (f".{rest // 1_000:06d}" if rest else "") + "Z"


Exact = Annotated[
    Decimal,
    BeforeValidator(_decimal),
    PlainSerializer(lambda value: format(value, "f"), return_type=str, when_used="json"),
    WithJsonSchema({"type": ["string", "integer"], "pattern": r"^[+-]?[0-9_]*\.?[0-9]+$"}),
]
"""A decimal number, written as a string or an integer; never a float."""

Positive = Annotated[Exact, Field(gt=0)]
"""An exact number above zero."""

NonNegative = Annotated[Exact, Field(ge=0)]
"""An exact number of at least zero."""

Duration = Annotated[
    int,
    BeforeValidator(_duration),
    PlainSerializer(_spell_duration, return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "pattern": r"^[0-9]+(\.[0-9]+)? *(d|h|m|s|ms|us|ns)$"}),
]
"""A length of time in nanoseconds, written with its unit."""

Count = Annotated[int, Field(ge=0, le=2**32 - 1)]
"""A number of things, or the number of one, in 32 bits."""

Instant = Annotated[
    int,
    BeforeValidator(_instant),
    PlainSerializer(iso, return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]
"""A time in nanoseconds since the Unix epoch, written in ISO 8601 with its zone."""


def whole(value: Decimal, unit: Decimal | Fraction, field: str, unit_name: str) -> int:
    """Return how many units a value holds, refusing what is not whole.

    Parameters
    ----------
    value
        The value as written.
    unit
        Size of one unit, above zero.
    field
        Name of the field, for the message.
    unit_name
        Name of the unit, for the message.

    Raises
    ------
    ValueError
        If the value is not a whole number of units, with the two nearest that are, or if they are too many.
    """
    size = Fraction(unit)
    count = Fraction(value) / size
    if abs(count) > _WHOLE_MAX:
        raise ValueError(f"{field}: {_short(value)} is more {unit_name}s than fit in 64 bits; give a smaller number")
    if count.denominator == 1:
        return count.numerator
    below = count.numerator // count.denominator
    near = " or ".join(_spell(size * n) for n in (below, below + 1))
    raise ValueError(f"{field}: {value} is not a whole number of {unit_name}s of {_spell(size)}; use {near}")


def _spell(value: Fraction) -> str:
    return format((Decimal(value.numerator) / Decimal(value.denominator)).normalize(), "f")


class Model(BaseModel):
    """A frozen model that refuses unknown keys and says which keys it knows."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True, allow_inf_nan=False)

    @field_validator("*", mode="after")
    @classmethod
    def _fits(cls, value: Any, info: ValidationInfo) -> Any:  # noqa: ANN401 - whatever was written
        if isinstance(value, int) and abs(value) > (_SEED_MAX if info.field_name == "seed" else _WHOLE_MAX):
            raise ValueError(f"{_short(value)} does not fit in 64 bits; give a smaller number")
        return value

    @model_validator(mode="before")
    @classmethod
    def _known_keys(cls, data: Any) -> Any:  # noqa: ANN401 - whatever was written
        if isinstance(data, Mapping):
            known = [field.alias or name for name, field in cls.model_fields.items()]
            for key in data:
                if key not in known:
                    hint = meant(str(key), known).rstrip() or "known: " + ", ".join(known)
                    raise ValueError(f"unknown key {key!r}; {hint}")
        return data


def meant(name: str, known: Collection[str]) -> str:
    """Return "did you mean ...? " with the known name nearest to another; nothing if none is near."""
    near = difflib.get_close_matches(name, known, n=1)
    return f"did you mean {near[0]}? " if near else ""


def advice(error: ValidationError, data: object = None) -> str:
    """Return a validation error as one line per field: path, value, what is wrong. `data` has the names of breakers."""
    lines = []
    for item in error.errors(include_url=False):
        path = ""
        for part in item["loc"]:
            path += f"[{part}]" if isinstance(part, int) else f".{part}" if path else str(part)
            path += _named(data, part) if path == f"breakers[{part}]" else ""
        message = item["msg"].removeprefix("Value error, ")
        if item["type"] == "missing":
            message = "is missing; add it"
        elif item["type"] != "value_error":
            message = f"{_short(item['input'])}: {message[0].lower()}{message[1:]}"
        lines.append(f"{path}: {message}" if path else message)
    return "\n".join(lines)


def _named(data: object, place: int | str) -> str:
    """Return the name of a breaker, as the core says it."""
    try:
        return f" ({data['breakers'][place]['name']})"  # type: ignore[index]
    except (TypeError, KeyError, IndexError):
        return ""


def _short(value: object) -> str:
    text = str(value) if isinstance(value, Decimal) else repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def ppm(value: Decimal, field: str) -> int:
    """Return a share in millionths; ValueError if it is not whole."""
    return whole(value, _MILLIONTH, field, "step")


def ppb(value: Decimal, field: str) -> int:
    """Return a share in thousand-millionths; ValueError if it is not whole."""
    return whole(value, _BILLIONTH, field, "step")
