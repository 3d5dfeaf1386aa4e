"""Levels of margin beside initial and maintenance, as people write them."""

from fractions import Fraction
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, PlainSerializer, WithJsonSchema

from seawall.models.exact import Model

__all__ = ["CloseOut", "Levels"]

_DENOMINATOR_MAX = 1_000_000


def _share(value: object) -> object:
    if isinstance(value, bool | float):
        raise ValueError(f'{value!r} is not exact; write it as a string, like "2/3" or "0.5"')
    if isinstance(value, str | int):
        try:
            value = Fraction(str(value))
        except (ValueError, ZeroDivisionError):
            raise ValueError(f'{value!r} is not a share; write it like "2/3" or "0.5"') from None
    if isinstance(value, Fraction):
        if not 0 <= value <= 1:
            raise ValueError(f"{value}: must be 0 to 1")
        if value.denominator > _DENOMINATOR_MAX:
            raise ValueError(f"{value}: its denominator is above {_DENOMINATOR_MAX}; use fewer digits")
    return value


Share = Annotated[
    Fraction,
    BeforeValidator(_share),
    PlainSerializer(str, return_type=str, when_used="json"),
    WithJsonSchema({"type": ["string", "integer"], "pattern": r"^([0-9]+/[0-9]+|[0-9]*\.?[0-9]+)$"}),
]
"""A share from 0 to 1, written as a decimal or as a fraction of whole numbers."""

PositiveShare = Annotated[Share, Field(gt=0)]
"""A share above 0."""


class CloseOut(Model):
    """The level below which positions are closed whole."""

    below: PositiveShare
    """The share of maintenance margin."""
    book: bool = True
    """Whether the book is offered them first."""


class Levels(Model):
    """Levels of an account's margin, each absent where a venue has none."""

    fill: Share | None = None
    """How far from maintenance (0) to initial margin (1) an account is covered after a resting order of it trades."""
    close_out: CloseOut | None = None
    """Where positions are closed whole."""
    backstop: PositiveShare | None = None
    """Share of maintenance margin below which the backstop is asked for the whole account before the book."""

    def config(self) -> dict[str, Any]:
        """Return what the core reads."""

        def fraction(share: Fraction | None) -> dict[str, int] | None:
            return None if share is None else {"num": share.numerator, "den": share.denominator}

        out = self.close_out
        return {
            "fill": fraction(self.fill),
            "close_out": out and {"below": fraction(out.below), "book": out.book},
            "backstop": fraction(self.backstop),
        }
