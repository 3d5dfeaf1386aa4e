"""Saved runs: one line that says what a run was, then its journal; enough to repeat it to the last event.

The line is a JSON object: scenario, seed, accounts, digest of the events, and the units of the venue's integers. The
journal holds the configuration and every command, those of a policy included, so nothing else is needed: neither the
scenario nor the policy.
"""

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal, Self

from seawall import _core
from seawall.commands import Records
from seawall.errors import JournalError
from seawall.models import VenueProfile
from seawall.venue import Venue

__all__ = ["Repeated", "RunWriter", "SavedRun", "load_run"]

_FORMAT = "seawall-run"
_VERSION = 1
_HEAD = 4096
_HEAD_MAX = 1 << 20
_CHUNK = 1 << 16
_DIGEST = 64


class RunWriter:
    """Writes a run as it goes, beside its place; `finish` renames it, so that nobody sees half of it.

    Parameters
    ----------
    path
        The file.
    config
        The venue's configuration as it began.
    profile
        The venue profile: it knows the units.
    facts
        What the run was: scenario, seed, accounts.

    Raises
    ------
    JournalError
        If the file cannot be written.
    """

    def __init__(self, path: Path, config: str, profile: VenueProfile, facts: dict[str, Any]) -> None:
        self._path = path
        self._beside = path.with_name(f".{path.name}.{os.getpid()}.part")
        self._head = {
            "format": _FORMAT,
            "version": _VERSION,
            **facts,
            "units": _units(profile),
            "digest": "0" * _DIGEST,
        }
        self._size = -(-len(self._line(0)) // _HEAD) * _HEAD
        self._journal = _core.JournalWriter(_core.Venue(config))
        try:
            self._file = self._beside.open("wb")
            self._file.write(self._line(self._size))
            self._file.write(self._journal.header())
        except OSError as error:
            raise self._refused(error) from None

    def add(self, commands: Records) -> None:
        """Append commands as a frame."""
        if len(commands):
            try:
                self._file.write(self._journal.frame(commands))
            except OSError as error:
                raise self._refused(error) from None

    def finish(self, digest: str) -> None:
        """Write the digest of the events into the first line and put the file in its place."""
        self._head["digest"] = digest
        try:
            self._file.seek(0)
            self._file.write(self._line(self._size))
            self._file.close()
            self._beside.replace(self._path)
        except OSError as error:
            raise self._refused(error) from None

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Remove what was not finished."""
        self._file.close()
        self._beside.unlink(missing_ok=True)

    def _line(self, size: int) -> bytes:
        return json.dumps(self._head).encode().ljust(size - 1) + b"\n"

    def _refused(self, error: OSError) -> JournalError:
        return JournalError(f"save: {self._path}: cannot be written: {error.strerror}; choose another place")


def _units(profile: VenueProfile) -> dict[str, Any]:
    return {
        "asset": {"name": profile.assets[0].name, "decimals": profile.assets[0].decimals},
        "markets": [
            {"name": m.name, "tick_size": str(m.tick_size), "lot_size": str(m.lot_size)} for m in profile.markets
        ],
    }


@dataclass(frozen=True)
class Repeated:
    """A run that was applied anew."""

    digest: str
    """Digest of its events."""
    commands: int
    """Number of commands."""
    count: int
    """Number of events."""
    torn: int
    """Bytes of a last frame that was not written whole, and was dropped."""
    venue: Venue
    """The venue after the last command."""
    events: Records
    """The events that were kept."""
    near: Records
    """The commands near the time that was asked for."""


@dataclass(frozen=True, repr=False)
class SavedRun:
    """A run as it was saved; see `load_run`."""

    path: Path
    """Where it was read from."""
    facts: dict[str, Any]
    """What its first line says; empty for a bare journal."""
    journal: bytes
    """The journal."""

    def __repr__(self) -> str:
        """Return path and digest."""
        return f"SavedRun({self.path}, digest={self.digest[:16]})"

    @property
    def digest(self) -> str:
        """Digest of the events when it was saved; empty for a bare journal."""
        return str(self.facts.get("digest", ""))

    def repeat(
        self,
        *,
        events: Literal["none", "risk", "all"] = "none",
        around: tuple[int, int] | None = None,
        progress: Callable[[int, int], object] | None = None,
    ) -> Repeated:
        """Apply every command anew to a new venue; needs neither the scenario nor a policy.

        Parameters
        ----------
        events
            Which events to keep, as for `seawall.replay`.
        around
            Two times in nanoseconds between which all events are kept, and the commands beside them.
        progress
            Called now and then with the number of commands applied and of all.

        Raises
        ------
        JournalError
            If the journal was damaged before its last frame.
        """
        replay = _core.Replay(self.journal, events=events, around=around)
        done = False
        while not done:
            done = replay.run(_CHUNK)
            if progress is not None:
                progress(*replay.counts[:2])
        _, commands, count, torn = replay.counts
        venue = Venue._of(replay.venue())  # noqa: SLF001 - the same package
        return Repeated(replay.digest(), commands, count, torn, venue, replay.take_events(), replay.take_commands())

    def price(self, market: int, ticks: int) -> Fraction | None:
        """Return a price in units of money, or None where the file does not know them."""
        return None if not self.facts else Fraction(self.facts["units"]["markets"][market]["tick_size"]) * ticks


def load_run(path: str | Path) -> SavedRun:
    """Read a run that ``seawall replay --save`` or ``seawall.replay(save=...)`` wrote, or a bare journal.

    Raises
    ------
    JournalError
        If the file cannot be read, or is neither.

    Examples
    --------
    >>> import seawall, tempfile
    >>> from pathlib import Path
    >>> file = Path(tempfile.mkdtemp()) / "run.seawall"
    >>> run = seawall.replay("calm", accounts=100, save=file)
    >>> seawall.load_run(file).repeat().digest == run.digest
    True
    """
    path = Path(path)
    try:
        data = path.read_bytes()
    except OSError as error:
        raise JournalError(f"run: {path}: cannot be read: {error.strerror}") from None
    if not data.startswith(b"{"):
        return SavedRun(path, {}, data)
    line, _, journal = data.partition(b"\n")
    try:
        facts = json.loads(line[:_HEAD_MAX])
    except ValueError:
        facts = {}
    if facts.get("format") != _FORMAT:
        raise JournalError(f"run: {path}: is neither a saved run nor a journal; save one with seawall replay --save")
    if facts.get("version") != _VERSION:
        raise JournalError(f"run: {path}: version {facts.get('version')} is unknown; this build reads {_VERSION}")
    return SavedRun(path, facts, journal)
