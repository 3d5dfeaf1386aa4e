"""What commands share: where results and errors go, progress, tables and JSON."""

import functools
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated, Any, Final, ParamSpec, Protocol, TypeVar

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table as RichTable

from seawall.errors import SeawallError

__all__ = [
    "ACCOUNTS",
    "AsJson",
    "Set",
    "Show",
    "advised",
    "err",
    "figures_table",
    "listing",
    "out",
    "plain",
    "print_json",
    "progress_bar",
]

P = ParamSpec("P")
R = TypeVar("R")

out = Console(emoji=False)
"""Where results go."""
err = Console(stderr=True, emoji=False)
"""Where progress and errors go."""

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of tables.")]
Set = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="A.B=VALUE", help="Override a value of the file; repeat for more."),
]
ACCOUNTS: Final = 100_000
"""Leveraged accounts of a run where nothing else is said."""


def advised(command: Callable[P, R]) -> Callable[P, R]:
    """Turn errors into advice on standard error and exit codes."""

    @functools.wraps(command)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return command(*args, **kwargs)
        except SeawallError as error:
            err.print(f"[bold red]error:[/] {plain(str(error))}", soft_wrap=True, highlight=False)
            raise typer.Exit(2) from None
        except KeyboardInterrupt:
            err.print("interrupted")
            raise typer.Exit(130) from None

    return wrapper


def plain(text: str) -> str:
    """Return a text in which nothing is markup."""
    return text.replace("[", r"\[")


def print_json(value: object) -> None:
    """Print one JSON value."""
    sys.stdout.write(json.dumps(value, indent=2, allow_nan=False) + "\n")


class Show(Protocol):
    """Shows progress."""

    def __call__(self, done: int, total: int, what: str | None = None) -> None:
        """Show how much of how much is done, and what is being done."""


@contextmanager
def progress_bar(title: str, unit: str = "steps") -> Iterator[Show | None]:
    """Yield a function that shows progress, or None where nobody watches."""
    if not err.is_terminal:
        yield None
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn(unit),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=err, transient=True) as bar:
        task = bar.add_task(title, total=None)

        def show(done: int, total: int, what: str | None = None) -> None:
            bar.update(task, completed=done, total=total, description=what or title)

        yield show


def figures_table(rows: str, *columns: str) -> RichTable:
    """Return an empty table: a column of names under the title `rows`, and figures to the right of it."""
    table = RichTable(box=None, pad_edge=False)
    table.add_column(rows, no_wrap=True)
    for column in columns:
        table.add_column(column, justify="right", no_wrap=True)
    return table


def listing(rows: list[dict[str, Any]], *columns: str, as_json: bool) -> None:
    """Print rows: whole as JSON, or some columns for people."""
    if as_json:
        print_json(rows)
        return
    table = RichTable(*columns, box=None, pad_edge=False)
    for row in rows:
        cells = (row[column] for column in columns)
        table.add_row(*(plain(", ".join(cell) if isinstance(cell, list) else str(cell)) for cell in cells))
    out.print(table)
