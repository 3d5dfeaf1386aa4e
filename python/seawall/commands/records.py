"""Arrays of commands: checked, broadcast, joined."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from seawall.errors import CommandError
from seawall.protocol import COMMAND, NO_MARKET, CommandKind

Integers: TypeAlias = int | Sequence[int] | NDArray[Any]
"""An integer, or several."""

Records: TypeAlias = NDArray[np.void]
"""A one-dimensional structured array of dtype ``COMMAND`` or ``EVENT``."""


def integers(name: str, value: Integers, field: str) -> NDArray[Any]:
    """Return the values as an array of integers that the field can hold; `name` is how an error calls them."""
    array = np.asarray(value)
    if array.size and array.dtype.kind not in "iu":
        message = f"{name}: expected integers, got {value!r}; convert prices to ticks and amounts to minor units"
        raise CommandError(message)
    limits = np.iinfo(COMMAND[field])
    if array.size and (int(array.min()) < limits.min or int(array.max()) > limits.max):
        worst = int(array.min()) if int(array.min()) < limits.min else int(array.max())
        raise CommandError(f"{name}: {worst} is outside the field's range {limits.min} to {limits.max}")
    return array


def shape_of(arrays: Mapping[str, NDArray[Any]]) -> tuple[int, ...]:
    """Return the common shape of arguments by name: () or one dimension."""
    try:
        shape = np.broadcast_shapes(*(a.shape for a in arrays.values()))
    except ValueError:
        sizes = ", ".join(f"{n} {a.shape}" for n, a in arrays.items() if a.shape)
        raise CommandError(f"{sizes}: lengths differ; give each argument one value or as many as the others") from None
    if len(shape) > 1:
        raise CommandError(f"expected lists of one dimension, got shape {shape}; flatten them first")
    return shape


def records(
    kind: CommandKind,
    *,
    count: int = 1,
    called: Mapping[str, str] | None = None,
    beside: Mapping[str, NDArray[Any]] | None = None,
    **fields: Integers,
) -> Records:
    """Return one record per value.

    Parameters
    ----------
    kind
        Their kind.
    count
        How many there are if every value is single.
    called
        Field to name of the argument, where they differ.
    beside
        Further arguments that say how many there are.
    **fields
        Field to values.
    """
    called = called or {}
    arrays = {name: integers(called.get(name, name), value, name) for name, value in fields.items()}
    shape = shape_of({**{called.get(name, name): array for name, array in arrays.items()}, **(beside or {})})
    out = np.zeros(shape or (count,), dtype=COMMAND)
    out["kind"] = kind
    if "market" not in arrays:
        out["market"] = NO_MARKET
    for name, array in arrays.items():
        out[name] = array
    return out


def batch(*parts: Records) -> Records:
    """Put commands into one array, in order.

    Parameters
    ----------
    *parts
        Arrays of dtype ``COMMAND``.

    Returns
    -------
    Records
        One array; empty without parts.

    Raises
    ------
    CommandError
        If a part is not of dtype ``COMMAND``.
    """
    for number, part in enumerate(parts):
        if getattr(part, "dtype", None) != COMMAND:
            got = getattr(part, "dtype", type(part).__name__)
            raise CommandError(f"part {number}: expected dtype seawall.COMMAND, got {got}; use seawall.commands")
    return np.concatenate(parts) if parts else np.zeros(0, dtype=COMMAND)
