"""A venue in Python: batches of commands in, arrays of events out."""

import json
import operator
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple, Self

import numpy as np

from seawall import _core
from seawall.commands import Records
from seawall.errors import CommandError, JournalError
from seawall.protocol import DELTA, NO_MARKET
from seawall.table import Table

if TYPE_CHECKING:
    from pathlib import Path

    from seawall._core import Venue as CoreVenue
    from seawall.models import VenueProfile
    from seawall.policy import AdlRound, Answer, Policy, Trigger
    from seawall.session import Ran

__all__ = ["Deltas", "JournalWriter", "Replayed", "Venue", "View", "replay_journal"]

_DEPTH_LEVELS = 10
_LEVELS_MAX = 2**31 - 1
_ACCOUNTS_END = 2**32


def _whole(value: object, name: str, remedy: str) -> int:
    """Return an argument as an int, whatever kind of whole number it is."""
    try:
        return operator.index(value)  # type: ignore[arg-type] # that it may not be one is the point
    except TypeError:
        raise CommandError(f"{name}: {value!r} is not a whole number; {remedy}") from None


def _account(account: object) -> int:
    number = _whole(account, "account", "give the number that AccountOpened told")
    if not 0 <= number < _ACCOUNTS_END:
        raise CommandError(f"account: {number} is not there; give the number that AccountOpened told")
    return number


class View:
    """What can be read of a venue; a `Venue` is one, and what a policy gets is one."""

    __slots__ = ("_core", "profile")

    _core: "CoreVenue"
    profile: "VenueProfile | None"
    """The profile, where the venue was made from one: it knows ticks, lots and minor units."""

    @classmethod
    def _of(cls, core: "CoreVenue", profile: "VenueProfile | None" = None) -> Self:
        view = cls.__new__(cls)
        view.profile = profile
        view._core = core  # noqa: SLF001 - its own
        return view

    def snapshot(self) -> bytes:
        """Return the whole state as bytes with a checksum."""
        return self._core.snapshot()

    def digest(self) -> str:
        """Return the digest of the state: 64 hexadecimal digits."""
        return self._core.digest()

    def markets(self) -> Table:
        """Return one row per market, in order of number.

        Returns
        -------
        Table
            ``market``, ``phase`` (`Phase`), ``until`` (nanoseconds; 0: until it is changed), ``index``, ``mark``,
            ``last``, ``bid``, ``ask`` (ticks, shown prices; 0 where there is none), ``open_interest`` (lots).
        """
        return Table(self._core.markets())

    def funds(self) -> Table:
        """Return one row per insurance fund, in order of number.

        Returns
        -------
        Table
            ``balance`` (minor units).
        """
        return Table(self._core.funds())

    @property
    def in_liquidation(self) -> "InLiquidation":
        """Number of accounts that wait for a round of liquidation, and for a new mark."""
        return InLiquidation(*self._core.in_queue)

    def accounts(self) -> Table:
        """Return one row per account, in order of number.

        Returns
        -------
        Table
            ``account``, ``equity``, ``balance`` (of the valuation asset), ``maintenance``, ``initial``, ``call``
            (requirement below which it is called; all minor units), ``called``, ``call_due`` (nanoseconds; 0
            without a deadline), ``in_liquidation``, ``portfolio`` (margined in groups of markets).
        """
        return Table(self._core.accounts())

    def margin_calls(self) -> Table:
        """Return the open margin calls: first due first, those without a deadline last.

        Accounts in liquidation are not among them.

        Returns
        -------
        Table
            ``account``, ``equity``, ``requirement``, ``missing`` (minor units; zero or less if prices have cured
            the call and nothing has touched the account since), ``due`` (nanoseconds; 0 without a deadline).
        """
        return Table(self._core.margin_calls())

    def positions(self) -> Table:
        """Return one row per position or resting quantity, in order of account and market.

        Returns
        -------
        Table
            ``account``, ``market``, ``base`` (signed lots), ``cost`` (minor units paid for what is open),
            ``open_buys``, ``open_sells`` (lots).
        """
        return Table(self._core.positions())

    def room(self, account: int, market: int | str = 0) -> "Room":
        """Return how many lots an account may still order on each side within the market's ``position_max``.

        Parameters
        ----------
        account
            Number of the account.
        market
            As for `depth`.

        Returns
        -------
        Room
            ``buy`` and ``sell``, in lots.

        Raises
        ------
        CommandError
            If there is no such account or market.
        """
        return Room(*self._core.room(_account(account), self._market(market)))

    def liquidation_prices(self, account: int) -> Table:
        """Return where the mark of each of an account's positions would make it liquidatable.

        Parameters
        ----------
        account
            Number of the account.

        Returns
        -------
        Table
            One row per position: ``market``, ``price`` (ticks): the first mark, if no other price moves, at which the
            account's equity is below its maintenance requirement; 0 where no price of the market does it.

        Raises
        ------
        CommandError
            If there is no such account.
        """
        return Table(self._core.liquidation_prices(_account(account)))

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
            If there is no such market, or the number of levels is negative.
        """
        number = self._market(market)
        most = _whole(levels, "levels", "give a whole number of at least 0")
        if most < 0:
            raise CommandError(f"levels: {most} is negative; give a whole number of at least 0")
        most = min(most, _LEVELS_MAX)
        return {"bids": Table(self._core.depth(number, 0, most)), "asks": Table(self._core.depth(number, 1, most))}

    def best(self, market: int | str = 0) -> "Best":
        """Return the best shown prices of a market's book, in ticks.

        Parameters
        ----------
        market
            As for `depth`.

        Returns
        -------
        Best
            ``bid`` and ``ask``; None where a side is empty.

        Raises
        ------
        CommandError
            If there is no such market.
        """
        sides = self.depth(market, levels=1).values()
        return Best(*(int(side["price"][0]) if side.height else None for side in sides))

    def orders(self, market: int | str = 0) -> Table:
        """Return every resting order of a market: the operator's view, with what icebergs and hidden orders hold.

        Parameters
        ----------
        market
            As for `depth`.

        Returns
        -------
        Table
            One row per order, bids before asks, each best price first and in the queue's order: ``account``,
            ``order``, ``side``, ``price``, ``qty`` (open lots), ``shown`` (lots of them that others see),
            ``position`` (place in the queue at the price, from 0), ``client_id``, ``session``, ``flags``
            (`OrderFlag`), ``expiry`` (nanoseconds; 0 for none).

        Raises
        ------
        CommandError
            If there is no such market.
        """
        return Table(self._core.orders(self._market(market)))

    def liquidation_map(self, market: int | str = 0) -> Table:
        """Return what would be liquidated at which mark, for the population as it stands.

        Each account with a position in the market stands at the first mark that would make it liquidatable if no
        other price moved, the market's index included. Accounts in liquidation, those that cannot be liquidated and
        those that no mark endangers are left out. Takes time in proportion to the accounts.

        Parameters
        ----------
        market
            As for `depth`.

        Returns
        -------
        Table
            One row per price, lowest first: ``price`` (ticks), ``side`` of the positions (longs below the present
            mark, shorts above it), ``accounts``, ``lots``, ``notional`` (minor units, at this price).

        Raises
        ------
        CommandError
            If there is no such market.
        """
        return Table(self._core.liquidation_map(self._market(market)))

    def waiting_orders(self, market: int | str = 0) -> Table:
        """Return every order of a market that waits for its trigger, in order of acceptance.

        Parameters
        ----------
        market
            As for `depth`.

        Returns
        -------
        Table
            ``account``, ``order``, ``side``, ``type`` (`OrderType`), ``price``, ``qty``, ``term`` (`TermCode`),
            ``watched`` (`Watched`), ``trigger`` (ticks; of a trailing stop where it stands now, 0 before it has seen a
            price), ``client_id``.

        Raises
        ------
        CommandError
            If there is no such market.
        """
        return Table(self._core.waiting_orders(self._market(market)))

    def adl_lights(self, market: int | str = 0) -> Table:
        """Return the queue of auto-deleveraging of a market: who would be closed, in which order, and its light.

        Parameters
        ----------
        market
            As for `depth`.

        Returns
        -------
        Table
            ``account``, ``side`` (of its position), ``rank`` (from 1, per side), ``light`` (1 goes first): longs before
            shorts, each side in the order of the market's score. Accounts that its rule would not take are not in it.

        Raises
        ------
        CommandError
            If there is no such market.
        """
        return Table(self._core.adl_lights(self._market(market)))

    def adl_round(self) -> "AdlRound | None":
        """Return what a plan of auto-deleveraging is awaited for, as the venue stands; None without one."""
        from seawall.policy import AdlRound  # noqa: PLC0415 - it imports this module

        asked = self._core.adl_round()
        return None if asked is None else AdlRound(*asked[0][0], *asked[0][1], Table(asked[1]))

    def _market(self, market: int | str) -> int:
        names = [] if self.profile is None else [m.name for m in self.profile.markets]
        known = f"known: {', '.join(names) or 'numbers only'}"
        if isinstance(market, str):
            if market not in names:
                raise CommandError(f"market: {market!r} is not there; {known}")
            return names.index(market)
        number = _whole(market, "market", known)
        if not 0 <= number < NO_MARKET:
            raise CommandError(f"market: {number} is not there; {known}")
        return number

    def audit(self) -> dict[str, Any]:
        """Return the proof of conservation.

        Returns
        -------
        dict
            ``ok``; ``assets``: per asset what users, funds, fees and the venue hold, and deposits less withdrawals;
            ``markets``: per market the sum of positions, which is zero, and what rounding left behind.
        """
        audit: dict[str, Any] = json.loads(self._core.audit())
        return audit

    @property
    def now(self) -> int:
        """Time of the venue in nanoseconds since the Unix epoch."""
        return self._core.now()


class Venue(View):
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

    __slots__ = ()

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

    def apply_bytes(self, commands: bytes) -> bytes:
        """Apply commands given as bytes and return their events as bytes.

        The way with the least to do per call, for programs that send one command at a time; `apply` is the one for
        batches.

        Parameters
        ----------
        commands
            Whole records of 64 bytes, as ``seawall.commands`` builds them: ``commands.pulse(at=0).tobytes()``.

        Returns
        -------
        bytes
            Records of dtype ``EVENT``; read them with ``numpy.frombuffer(events, seawall.EVENT)`` or ``struct``.

        Raises
        ------
        CommandError
            If the bytes are not whole records. Nothing is applied then.
        BusyError
            If another thread is using the venue. Nothing is applied then.

        Examples
        --------
        >>> import numpy as np
        >>> from seawall import EVENT, Venue, commands
        >>> events = Venue("reference").apply_bytes(commands.open_account(at=0).tobytes())
        >>> len(events), int(np.frombuffer(events, EVENT)["kind"][0])
        (64, 101)
        """
        return self._core.apply_bytes(commands)

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

    def run(
        self,
        commands: Records,
        *,
        triggers: "Sequence[Trigger]" = (),
        policy: "Policy | Answer | None" = None,
        journal: "JournalWriter | None" = None,
        progress: "Callable[[int, int], object] | None" = None,
    ) -> "Ran":
        """Apply commands until a trigger fires; with a policy, let it act and go on.

        One call of a `Session`, which is what to use for several batches under one policy.

        Parameters
        ----------
        commands
            As for `apply`.
        triggers
            When to stop; those of the policy if left out.
        policy
            A `Policy`, or a function like its ``on_trigger``. Without one the run stops where a trigger fires.
        journal
            Writes down every command that was applied, those of the policy included.
        progress
            Called now and then with the number of commands applied and of all.

        Returns
        -------
        Ran
            ``events``, ``done`` (number of commands applied) and ``fired`` (why it stopped; empty if all were applied).

        Raises
        ------
        CommandError
            If an argument does not hold records, or a trigger does not fit the venue.
        PolicyError
            If the policy's answer cannot be used.
        Exception
            Whatever the policy raises. The venue stands after the command that it was asked about.

        Examples
        --------
        >>> from seawall import Trigger, Venue, commands
        >>> venue = Venue("reference")
        >>> crash = commands.index(at=[1, 2, 3], market=0, price=[600_000, 500_000, 400_000])
        >>> ran = venue.run(crash, triggers=[Trigger.price_move(ppm=100_000, window_ns=10**9)])
        >>> ran.done, ran.fired[0].value, ran.fired[0].reference
        (2, 500000, 600000)
        """
        from seawall.session import Session  # noqa: PLC0415 - it imports this module

        session = Session(self, policy=policy, triggers=triggers or None, journal=journal)
        return session.run(commands, progress=progress)

    @property
    def waiting(self) -> int:
        """Number of events that did not fit into the array of the last `apply_into`."""
        return self._core.waiting


class Room(NamedTuple):
    """Lots that an account may still order in a market."""

    buy: int
    """In buys."""
    sell: int
    """In sells."""


class Best(NamedTuple):
    """The best shown prices of a book, in ticks."""

    bid: int | None
    """Highest price of a buy; None without one."""
    ask: int | None
    """Lowest price of a sell; None without one."""


class InLiquidation(NamedTuple):
    """Accounts in liquidation."""

    waiting: int
    """They wait for a round."""
    parked: int
    """They wait for a new mark."""


class Deltas:
    """Folds a venue's events into what others see of its books: the changes of the lots shown at each price.

    Feed it every event of a venue, from the first one on and in order, in batches that end where a command's events
    end, as those of `Venue.apply` do. Hidden orders change nothing, an iceberg changes what it shows.

    Examples
    --------
    >>> from seawall import Deltas, Phase, Side, Venue, commands
    >>> venue, deltas = Venue("reference"), Deltas()
    >>> batch = [
    ...     commands.open_account(at=0),
    ...     commands.deposit(at=0, account=0, amount=10**12),
    ...     commands.index(at=0, market=0, price=600_000),
    ...     commands.set_phase(at=0, market=0, phase=Phase.CONTINUOUS),
    ...     commands.place(at=0, market=0, account=0, side=Side.BUY, price=[599_000, 599_000], qty=[5, 7]),
    ... ]
    >>> deltas.update(venue.apply(commands.batch(*batch)))[["side", "price", "qty"]].tolist()
    [(0, 599000, 5), (0, 599000, 12)]
    """

    __slots__ = ("_core",)

    def __init__(self) -> None:
        self._core = _core.Deltas()

    def update(self, events: Records) -> Records:
        """Take events and return the changes that they make.

        Parameters
        ----------
        events
            Array of dtype ``EVENT``: those that follow the events of the last call.

        Returns
        -------
        Records
            Array of dtype ``DELTA``: ``seq`` of the event, ``market``, ``side``, ``price`` (ticks) and ``qty``, the
            lots shown at that price from then on; 0 where the level is gone.

        Raises
        ------
        CommandError
            If the argument does not hold events.
        """
        columns = self._core.update(events)
        out = np.empty(len(columns["seq"]), dtype=DELTA)
        for name in DELTA.names or ():
            out[name] = columns[name]
        return out


class JournalWriter:
    """Writes every batch of a new venue's commands, so that the run can be repeated.

    Parameters
    ----------
    venue
        The venue, before its first command.
    file
        Binary file open for writing; it is flushed after every batch and not closed.

    Raises
    ------
    JournalError
        If the venue has already taken commands.
    OSError
        If the file cannot be written.

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

    __slots__ = ("_core", "_failed", "_file")

    def __init__(self, venue: Venue, file: BinaryIO) -> None:
        self._core = _core.JournalWriter(venue._core)  # noqa: SLF001 - both are faces of one core
        self._file = file
        self._failed = False
        self._append(self._core.header())

    def write(self, commands: Records | bytes | bytearray | memoryview) -> None:
        """Append commands as one frame with a checksum.

        Raises
        ------
        CommandError
            If the argument does not hold records. Nothing is written then.
        JournalError
            If an earlier write failed.
        OSError
            If the file cannot be written. The writer refuses to go on then.
        """
        if self._failed:
            raise JournalError(
                "an earlier write failed, and the file may end within a frame; "
                "begin another journal with a new venue, or go on from a snapshot"
            )
        self._append(self._core.frame(commands))

    def _append(self, data: bytes) -> None:
        """Write bytes whole; from a failure on, nothing more is written."""
        self._failed = True
        rest = memoryview(data)
        while rest:
            # Files without a buffer may take a part.
            taken = self._file.write(rest)
            if not taken:
                raise JournalError(f"the file took none of {len(rest)} bytes; give a file that blocks")
            rest = rest[taken:]
        self._file.flush()
        self._failed = False


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
