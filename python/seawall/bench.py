"""How fast the venue is, and that its answers are right: its book, its marks, its liquidations.

`book`: a workload is a file of ``benches/workload_gen.py`` with its sidecar, or one of `PROFILES`, which are generated
bit for bit like the files. An untimed first run compares what the venue does with every message; every timed sample
compares trades, digest and the book at the end. The engine without matching runs in the same loop right before and
after each sample, because machines throttle: shares of it can be compared between runs, rates cannot.

`rules` measures what breakers cost an order flow that none of them stops, and a policy whose trigger rests.

`marks` and `cascade` open a crowd of leveraged accounts through the venue's commands and move the price; what the venue
finds is compared with a look at every account.
"""

import json
from collections.abc import Callable, Iterable
from typing import Any, Final, NamedTuple

from seawall import _core
from seawall.commands import Records
from seawall.errors import SeawallError
from seawall.models import load_profile, load_rules, rule_names

__all__ = ["PROFILES", "BenchError", "Staged", "WrongAnswerError", "book", "cascade", "marks", "rules", "staged"]

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


def marks(
    *, accounts: int, markets: int = 1, steps: int = 100_000, progress: Callable[[int, int], object] | None = None
) -> dict[str, Any]:
    """Measure what marks cost a venue of many accounts.

    Every account has a position of 1 to 16 lots in every market, long or short by chance, and a leverage of 1 to 16,
    6 in the mean; called at their maintenance requirement, nobody liquidated, so that the guard index is measured and
    not the waterfall. Quiet marks are measured in blocks of 1,000, one tick up and down. In a step of the walk every
    market moves 4 basis points with all others and 3 of its own, up or down by chance, and is marked. The crash falls
    by 30 % in 1,000 steps in every market. Times of quiet marks alone are those of the question whether a price
    endangers anybody; all others go through the whole venue, with its events.

    Parameters
    ----------
    accounts
        An even number of accounts.
    markets
        Markets.
    steps
        Steps of the walk.
    progress
        Called with the steps taken and their number.

    Returns
    -------
    dict
        What ``seawall bench marks --json`` prints.

    Raises
    ------
    BenchError
        If an option cannot work.
    WrongAnswerError
        If somebody was not found, or a quiet mark was not quiet.

    Examples
    --------
    >>> from seawall import bench
    >>> report = bench.marks(accounts=200, markets=2, steps=100)
    >>> report["accounts"], report["walk_called"], report["crash_called"]
    (200, 0, 44)
    """
    report: dict[str, Any] = json.loads(
        _core.bench_marks(accounts=accounts, markets=markets, steps=steps, progress=progress)
    )
    return report


def cascade(
    *, accounts: int, jump_accounts: int | None = None, progress: Callable[[int, int], object] | None = None
) -> dict[str, Any]:
    """Measure what liquidations cost a venue.

    The fall: half of the accounts are long, each with money that is used up at one of 100 marks of -0.5 %. Makers bid
    for four fifths of what has to be sold; the rest is closed with the fund's money, then against the shorts. The
    jump: one mark makes every account of another crowd liquidatable.

    Parameters
    ----------
    accounts
        An even number of accounts of the fall.
    jump_accounts
        Accounts of the jump; ten times as many if left out.
    progress
        Called with the steps taken and their number.

    Returns
    -------
    dict
        What ``seawall bench cascade --json`` prints.

    Raises
    ------
    BenchError
        If an option cannot work.
    WrongAnswerError
        If another number of accounts is liquidated than computed apart from the venue, or the queue of the jump is not
        worst first.

    Examples
    --------
    >>> from seawall import bench
    >>> report = bench.cascade(accounts=2000)
    >>> report["liquidated"], report["jump_accounts"]
    (1000, 20000)
    """
    jump = 10 * accounts if jump_accounts is None else jump_accounts
    report: dict[str, Any] = json.loads(_core.bench_cascade(accounts=accounts, jump_accounts=jump, progress=progress))
    return report


def rules(
    presets: Iterable[str] | None = None,
    *,
    workload: str = "touch50",
    n: int | None = None,
    seed: int | None = None,
    features: str = "idle",
    repeat: int = 5,
    progress: Callable[[int, int], object] | None = None,
) -> dict[str, Any]:
    """Measure what rules cost an order flow that none of them stops.

    Each preset alone watches the market, then all of them together watch another market of the venue, where nothing
    happens, against a venue with both markets and no rules; last, a trigger of a policy watches a price. A run with
    rules stands between two without, and the median of their ratios is the row's ``share``. A message comes every
    millisecond, a mark at the middle of the book every 1,024 messages; the price of a day before or of an auction is
    told. Every run has to give the workload's answer.

    Parameters
    ----------
    presets
        Names of `seawall.models.rule_names`; all that have breakers if left out.
    workload, n, seed, features
        As for `book`; a profile.
    repeat
        Runs of each row.
    progress
        Called with the rows measured and their number.

    Returns
    -------
    dict
        What ``seawall bench rules --json`` prints: ``tests`` counts prices, limits, touches, gaps between commands and
        counts that rules were asked about (an index or a mark is asked about when it comes, a gap with every command),
        ``evaluations`` how often a rule's bounds were computed.

    Raises
    ------
    BenchError
        If an option cannot work.
    WrongAnswerError
        If rules changed an answer.

    Examples
    --------
    >>> from seawall import bench
    >>> report = bench.rules(["deribit"], n=2000, repeat=1)
    >>> [(row["name"], row["attached"]) for row in report["rows"]][:2]
    [('deribit', 'here'), ('all presets', 'elsewhere')]
    """
    # Prices of a cent, at which every published width is a whole number of ticks.
    profile = load_profile("reference", set=["markets.BTC.tick_size=0.01", "markets.BTC.price_max=160_000"])
    rows = []
    for name in rule_names() if presets is None else presets:
        preset = load_rules(name)
        if preset.breakers:
            breakers = profile.model_copy(update={"breakers": preset.of(["BTC"])}).config()["breakers"]
            rows.append((name, json.dumps(breakers)))
    report: dict[str, Any] = json.loads(
        _core.bench_rules(workload, n=n, seed=seed, features=features, repeat=repeat, presets=rows, progress=progress)
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
