"""A venue in Python: batches of commands in, arrays of events out."""

import json
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple, Self

from seawall import _core
from seawall.commands import Records
from seawall.errors import CommandError
from seawall.table import Table

if TYPE_CHECKING:
    from pathlib import Path

    from seawall.models import VenueProfile

__all__ = ["JournalWriter", "Replayed", "Venue", "replay_journal"]

_DEPTH_LEVELS = 10


class Venue:
    """One deterministic venue.

    Calls that work on the venue release the interpreter; a second one from another thread meanwhile raises
    `BusyError`.

    Parameters
    ----------
    profile
        Name of a venue profile of the package, path of a TOML file, its content, or a `VenueProfile`.
    set
        Overrides like ``"markets.BTC.fees.taker=0.0004"``.

    Raises
    ------
    ConfigError
        If the profile is not there or cannot work; names field, value and remedy.

    Examples
    --------
    >>> from seawall import Venue, commands
    >>> venue = Venue("reference")
    >>> events = venue.apply(commands.open_account(at=0, count=2))
    >>> events["account"].tolist()
    [0, 1]
    """

    __slots__ = ("_core", "profile")

    profile: "VenueProfile | None"
    """The profile, where the venue was made from one: it knows ticks, lots and minor units."""

    def __init__(
        self,
        profile: "str | Path | Mapping[str, Any] | VenueProfile",
        *,
        set: Iterable[str] = (),  # noqa: A002
    ) -> None:
        from seawall.models import VenueProfile, load_profile  # noqa: PLC0415 - pydantic is loaded when needed

        overrides = list(set)
        if not isinstance(profile, VenueProfile):
            profile = load_profile(profile, set=overrides)
        elif overrides:
            profile = load_profile(profile.model_dump(mode="json"), set=overrides)
        self.profile = profile
        self._core = _core.Venue(profile.to_json())

    @classmethod
    def from_config(cls, config: str | Mapping[str, Any]) -> Self:
        """Make a venue from the integers of docs/mechanics.md section 12, as JSON text or as a dict.

        Raises
        ------
        ConfigError
            If the configuration cannot work; names field, value and remedy.
        """
        return cls._of(_core.Venue(config if isinstance(config, str) else json.dumps(config)))

    @classmethod
    def restore(cls, snapshot: bytes) -> Self:
        """Make a venue from a snapshot.

        Raises
        ------
        SnapshotError
            If the bytes were cut short or damaged, or another version wrote them.
        """
        return cls._of(_core.Venue.restore(snapshot))

    @classmethod
    def _of(cls, core: _core.Venue, profile: "VenueProfile | None" = None) -> Self:
        venue = cls.__new__(cls)
        venue.profile = profile
        venue._core = core  # noqa: SLF001 - its own
        return venue

    def apply(self, commands: Records | bytes | bytearray | memoryview) -> Records:
        """Apply commands in order and return their events.

        Parameters
        ----------
        commands
            One-dimensional contiguous array of dtype ``COMMAND``, or bytes of whole records. Copied once.

        Returns
        -------
        Records
            New array of dtype ``EVENT``, which owns its memory.

        Raises
        ------
        CommandError
            If the argument does not hold records. Nothing is applied then.
        BusyError
            If another thread is using the venue. Nothing is applied then.
        """
        return self._core.apply(commands)

    def apply_into(self, commands: Records | bytes | bytearray | memoryview, events: Records) -> int:
        """Apply commands and write their events to the front of an array.

        Events that do not fit wait in the venue and come first in the next call; `waiting` counts them.

        Parameters
        ----------
        commands
            As for `apply`.
        events
            Writable one-dimensional contiguous array of dtype ``EVENT``.

        Returns
        -------
        int
            Number of events written.

        Raises
        ------
        CommandError
            If an argument does not hold records or cannot be written. Nothing is applied then.
        """
        return self._core.apply_into(commands, events)

    @property
    def waiting(self) -> int:
        """Number of events that did not fit into the array of the last `apply_into`."""
        return self._core.waiting

    def snapshot(self) -> bytes:
        """Return the whole state as bytes with a checksum."""
        return self._core.snapshot()

    def digest(self) -> str:
        """Return the digest of the state: 64 hexadecimal digits."""
        return self._core.digest()

    def accounts(self) -> Table:
        """Return one row per account, in order of number.

        Returns
        -------
        Table
            ``account``, ``equity``, ``balance`` (of the valuation asset), ``maintenance``, ``initial`` (minor
            units), ``called``, ``in_liquidation``.
        """
        return Table(self._core.accounts())

    def positions(self) -> Table:
        """Return one row per position or resting quantity, in order of account and market.

        Returns
        -------
        Table
            ``account``, ``market``, ``base`` (signed lots), ``cost`` (minor units paid for what is open),
            ``open_buys``, ``open_sells`` (lots).
        """
        return Table(self._core.positions())

    def depth(self, market: int | str = 0, *, levels: int = _DEPTH_LEVELS) -> dict[str, Table]:
        """Return the best price levels of a market's book.

        Parameters
        ----------
        market
            Number of the market, or its name where the venue was made from a profile.
        levels
            Most levels per side.

        Returns
        -------
        dict
            ``bids`` and ``asks``, best first: ``price`` (ticks), ``qty`` (lots), ``orders``.

        Raises
        ------
        CommandError
            If there is no such market.
        """
        if isinstance(market, str):
            names = [] if self.profile is None else [m.name for m in self.profile.markets]
            if market not in names:
                raise CommandError(f"market: {market!r} is not there; known: {', '.join(names) or 'numbers only'}")
            market = names.index(market)
        return {"bids": Table(self._core.depth(market, 0, levels)), "asks": Table(self._core.depth(market, 1, levels))}

    def audit(self) -> dict[str, Any]:
        """Return the proof of conservation.

        Returns
        -------
        dict
            ``ok``; ``assets``: per asset what users, funds, fees and the venue hold, and deposits less withdrawals;
            ``markets``: per market the sum of positions, which is zero.
        """
        audit: dict[str, Any] = json.loads(self._core.audit())
        return audit

    @property
    def now(self) -> int:
        """Time of the venue in nanoseconds since the Unix epoch."""
        return self._core.now()


class JournalWriter:
    """Writes every batch of a new venue's commands, so that the run can be repeated.

    Parameters
    ----------
    venue
        The venue, before its first command.
    file
        Binary file open for writing; it is flushed after every batch and not closed.

    Examples
    --------
    >>> import io
    >>> from seawall import JournalWriter, Venue, commands, replay_journal
    >>> venue, file = Venue("reference"), io.BytesIO()
    >>> journal = JournalWriter(venue, file)
    >>> batch = commands.open_account(at=0, count=3)
    >>> journal.write(batch)
    >>> events = venue.apply(batch)
    >>> again = replay_journal(file.getvalue())
    >>> again.venue.digest() == venue.digest(), again.torn
    (True, 0)
    """

    __slots__ = ("_core", "_file")

    def __init__(self, venue: Venue, file: BinaryIO) -> None:
        self._core = _core.JournalWriter(venue._core)  # noqa: SLF001 - both are faces of one core
        self._file = file
        file.write(self._core.header())

    def write(self, commands: Records | bytes | bytearray | memoryview) -> None:
        """Append commands as one frame with a checksum.

        Raises
        ------
        CommandError
            If the argument does not hold records. Nothing is written then.
        """
        self._file.write(self._core.frame(commands))
        self._file.flush()


class Replayed(NamedTuple):
    """What a journal comes to."""

    venue: Venue
    """The venue after the last command."""
    events: Records
    """All events, array of dtype ``EVENT``."""
    torn: int
    """Bytes of a last frame that was not written whole, and was dropped."""


def replay_journal(journal: bytes) -> Replayed:
    """Apply every command of a journal to a new venue.

    Parameters
    ----------
    journal
        Bytes that a `JournalWriter` wrote.

    Returns
    -------
    Replayed
        The venue, its events, and how many bytes of a torn last frame were dropped.

    Raises
    ------
    JournalError
        If the bytes are not a journal or were damaged before the last frame.
    """
    core, events, torn = _core.replay_journal(journal)
    return Replayed(Venue._of(core), events, torn)  # noqa: SLF001 - this module
