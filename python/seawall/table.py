"""Tables: named columns, and their way into Polars and pandas where those are installed."""

from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from seawall.commands import Records
from seawall.errors import CommandError, MissingExtraError
from seawall.protocol import EVENT, EVENT_COLUMNS, EventKind

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl

__all__ = ["EventTable", "Table"]


def library(name: str, *, extra: str = "") -> Any:  # noqa: ANN401 - a module
    """Import an optional library; MissingExtraError with the extra that brings it if it is not there."""
    try:
        return import_module(name)
    except ImportError as error:
        message = f"{name} is not installed; install it with: pip install 'seawall[{extra or name}]'"
        raise MissingExtraError(message) from error


class Table(Mapping[str, NDArray[Any]]):
    """Named numpy columns of one length, in order.

    Parameters
    ----------
    columns
        Name to one-dimensional array. The arrays are kept, not copied.

    Examples
    --------
    >>> import numpy as np
    >>> table = Table({"t_s": np.array([0, 1]), "mark": np.array([100, 99])})
    >>> table["mark"].tolist(), table.height
    ([100, 99], 2)
    """

    __slots__ = ("_columns",)

    def __init__(self, columns: Mapping[str, NDArray[Any]]) -> None:
        lengths = {len(column) for column in columns.values()}
        if len(lengths) > 1:
            raise ValueError(f"columns have different lengths: {sorted(lengths)}")
        self._columns = dict(columns)

    def __getitem__(self, name: str) -> NDArray[Any]:
        """Return a column."""
        return self._columns[name]

    def __iter__(self) -> Iterator[str]:
        """Iterate over the names of the columns."""
        return iter(self._columns)

    def __len__(self) -> int:
        """Return the number of columns."""
        return len(self._columns)

    def __repr__(self) -> str:
        """Return the shape and the names."""
        return f"{type(self).__name__}({self.height} rows: {', '.join(self._columns)})"

    @property
    def height(self) -> int:
        """Number of rows."""
        return next((len(column) for column in self._columns.values()), 0)

    def to_polars(self) -> "pl.DataFrame":
        """Return a Polars data frame.

        Raises
        ------
        MissingExtraError
            If Polars is not installed.
        """
        frame: pl.DataFrame = library("polars").DataFrame(
            {name: np.ascontiguousarray(column) for name, column in self._columns.items()}
        )
        return frame

    def to_pandas(self) -> "pd.DataFrame":
        """Return a pandas data frame.

        Raises
        ------
        MissingExtraError
            If pandas is not installed.
        """
        frame: pd.DataFrame = library("pandas").DataFrame(self._columns)
        return frame


class EventTable(Table):
    """Events as a table: one column per field of the record, each a view of the records.

    Parameters
    ----------
    records
        One-dimensional array of dtype ``EVENT``. It is kept, not copied.
    """

    __slots__ = ("records",)

    records: Records
    """The events as they came from the venue."""

    def __init__(self, records: Records) -> None:
        if records.dtype != EVENT:
            raise CommandError(f"events: expected dtype seawall.EVENT, got {records.dtype}")
        super().__init__({name: records[name] for name in EVENT.names or ()})
        self.records = records

    def of(self, kind: EventKind | str) -> Table:
        """Return the events of one kind, with columns named for what they mean there.

        Parameters
        ----------
        kind
            An `EventKind` or its name in any case, for example ``"fill"``.

        Returns
        -------
        Table
            Columns ``at`` (datetime64[ns], UTC), ``seq`` and those of ``EVENT_COLUMNS``.

        Raises
        ------
        KeyError
            If no kind has this name.
        """
        wanted = EventKind[kind.upper()] if isinstance(kind, str) else EventKind(kind)
        rows = self.records[self.records["kind"] == wanted]
        columns: dict[str, NDArray[Any]] = {"at": rows["at"].view("datetime64[ns]"), "seq": rows["seq"]}
        columns.update({name: rows[field] for name, field in EVENT_COLUMNS[wanted].items()})
        return Table(columns)

    def counts(self) -> dict[str, int]:
        """Return how many events of each kind there are, by name in lower case."""
        kinds, counts = np.unique(self.records["kind"], return_counts=True)
        return {EventKind(int(k)).name.lower(): int(n) for k, n in zip(kinds, counts, strict=True)}
