"""The book on a common workload: how fast it is, and that its answer is right.

A workload is a file of ``benches/workload_gen.py`` with its sidecar, or one of `PROFILES`, which are generated bit
for bit like the files. An untimed first run compares what the venue does with every message; every timed sample
compares trades, digest and the book at the end. The engine without matching runs in the same loop right before
and after each sample, because machines throttle: shares of it can be compared between runs, rates cannot.
"""

import json
from collections.abc import Callable
from typing import Any, Final, NamedTuple

from seawall import _core
from seawall.commands import Records
from seawall.errors import SeawallError

__all__ = ["PROFILES", "BenchError", "Staged", "WrongAnswerError", "book", "staged"]

PROFILES: Final = ("touch50", "shallow", "wide", "crash", "million")
"""Names of the generated workloads; ``million`` is one with a million resting orders."""


class BenchError(SeawallError, ValueError):
    """An option that cannot work, or a file that is no workload; names file, record, field, value and remedy."""


class WrongAnswerError(SeawallError):
    """The venue's trades or its book differ from the workload's answer."""


class Staged(NamedTuple):
    """A workload as commands for a venue."""

    config: str
    """The venue's configuration, for `seawall.Venue.from_config`."""
    opening: Records
    """Commands that open and fund the accounts."""
    prefill: Records
    """Commands that build the book."""
    timed: Records
    """Commands that are timed."""
    expected: dict[str, Any]
    """The answer: trades and digest of the timed part, orders that rest and best prices at the end."""


def book(
    workload: str,
    *,
    n: int | None = None,
    seed: int | None = None,
    features: str = "idle",
    ids: str = "venue",
    repeat: int = 5,
    latency: bool = False,
    progress: Callable[[int, int], object] | None = None,
) -> dict[str, Any]:
    """Measure the venue's book on a workload.

    Parameters
    ----------
    workload
        Path of a file, or one of `PROFILES`.
    n, seed
        Timed messages and seed of a profile; 3,000,000 and 1 if left out. A file has its own.
    features
        ``idle``: matching and nothing else. ``full``: a cleared market with fees, a price band, margin checks and
        self-trade prevention for 100,000 funded accounts.
    ids
        By which id a cancel names its order: ``given`` (the workload's, as dense client ids), ``venue`` (the
        venue's own) or ``hashed`` (client ids of 64 bits).
    repeat
        Samples, of which the median counts.
    latency
        Also time every single message.
    progress
        Called with the steps taken and their number.

    Returns
    -------
    dict
        What ``seawall bench book --json`` prints.

    Raises
    ------
    BenchError
        If an option cannot work or a file is no workload.
    WrongAnswerError
        If the venue's answer differs from the workload's.

    Examples
    --------
    >>> from seawall import bench
    >>> report = bench.book("shallow", n=1000, repeat=1)
    >>> report["messages"], report["trades"], report["digest"]
    (1000, 166, '00f9ecf5114bb376')
    """
    report: dict[str, Any] = json.loads(
        _core.bench_book(
            workload,
            n=n,
            seed=seed,
            features=features,
            ids=ids,
            repeat=repeat,
            latency=latency,
            progress=progress,
        )
    )
    return report


def staged(
    workload: str, *, n: int | None = None, seed: int | None = None, features: str = "idle", ids: str = "venue"
) -> Staged:
    """Return the commands that `book` drives through the venue, for timing other ways in.

    Parameters
    ----------
    workload, n, seed, features, ids
        As for `book`.

    Returns
    -------
    Staged
        Configuration, commands and answer.

    Examples
    --------
    >>> import seawall
    >>> from seawall import bench
    >>> stage = bench.staged("shallow", n=1000)
    >>> venue = seawall.Venue.from_config(stage.config)
    >>> _ = venue.apply(stage.opening), venue.apply(stage.prefill)
    >>> events = seawall.EventTable(venue.apply(stage.timed))
    >>> events.counts()["fill"] == 2 * stage.expected["trades"]
    True
    """
    config, opening, prefill, timed, expected = _core.bench_commands(
        workload, n=n, seed=seed, features=features, ids=ids
    )
    return Staged(config, opening, prefill, timed, json.loads(expected))
