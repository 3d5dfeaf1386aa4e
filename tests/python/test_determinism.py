"""The same commands give the same bytes: in one process, in two, however the batch is cut, and after a restore."""

import io
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import seawall
from seawall import JournalWriter, Venue, commands
from seawall.commands import Records
from seawall.errors import JournalError
from seawall.models import load_scenario
from seawall.run import world_of

from conftest import SMALL

HALT = (
    'venue.breakers=[{name = "halt", markets = ["BTC"], ranges = [{reference = {type = "window", window = "5m"}, '
    'width = {type = "share", share = "0.03"}}], inclusive = false, test = {type = "trade"}, '
    'action = {type = "interrupt", phase = "halted"}, exit = {after = "1m"}, rearm = {restart = true}}]'
)
INFINITE = (
    'venue.breakers=[{name = "band", markets = ["BTC", "ETH"], ranges = [{reference = {type = "mark"}, '
    'width = {type = "infinite"}}], test = {type = "entry"}, action = {type = "reject"}}]'
)


def journaled(*overrides: str) -> tuple[Venue, Records, Records]:
    """Return a fresh venue and the commands and events of a small replay."""
    scenario, profile = load_scenario(SMALL, set=overrides)
    world = world_of(scenario, profile, accounts=500, events="all", journal=True)
    while not world.run_steps(100):
        pass
    return Venue(profile), world.take_journal(), world.take_events()


@pytest.fixture(scope="module")
def story() -> tuple[Venue, Records, Records]:
    return journaled(HALT)


def test_the_same_seed_gives_the_same_digest_and_another_seed_another() -> None:
    first, second = (seawall.replay(SMALL, accounts=500) for _ in range(2))
    assert first.digest == second.digest
    assert first.facts == second.facts
    assert seawall.replay(SMALL, seed=2, accounts=500).digest != first.digest


def test_two_processes_give_the_same_digest() -> None:
    code = f"import seawall; print(seawall.replay({str(SMALL)!r}, accounts=500).digest)"
    printed = {
        subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout for _ in "ab"
    }
    assert printed == {seawall.replay(SMALL, accounts=500).digest + "\n"}


def test_a_batch_may_be_cut_anywhere(story: tuple[Venue, Records, Records]) -> None:
    venue, batch, events = story
    whole = Venue.restore(venue.snapshot())
    assert (whole.apply(batch) == events).all()
    seed = 20251010
    cuts = np.sort(np.random.default_rng(seed).integers(0, len(batch), 40))
    parts = Venue.restore(venue.snapshot())
    got = np.concatenate([parts.apply(part) for part in np.split(batch, cuts)])
    assert (got == events).all(), f"cut with seed {seed}"
    assert parts.digest() == whole.digest()


def test_snapshot_and_tail_equal_the_whole(story: tuple[Venue, Records, Records]) -> None:
    venue, batch, events = story
    for part in (0.3, 0.7, 0.97):
        cut = int(part * len(batch))
        head = Venue.restore(venue.snapshot())
        first = head.apply(batch[:cut])
        tail = Venue.restore(head.snapshot())
        second = tail.apply(batch[cut:])
        assert (np.concatenate([first, second]) == events).all()
        head.apply(batch[cut:])
        assert tail.digest() == head.digest()
        assert tail.snapshot() == head.snapshot()


def test_the_story_reaches_what_matters(story: tuple[Venue, Records, Records]) -> None:
    counts = seawall.EventTable(story[2]).counts()
    for kind in ("breaker_tripped", "phase_changed", "liquidation_order", "fund_paid", "adl_fill", "cancelled"):
        assert counts.get(kind, 0) > 0, kind


def test_a_journal_replays_and_a_torn_last_frame_is_dropped(story: tuple[Venue, Records, Records]) -> None:
    fresh, batch, events = story
    file = io.BytesIO()
    venue = Venue.restore(fresh.snapshot())
    journal = JournalWriter(venue, file)
    for part in np.array_split(batch, 7):
        journal.write(part)
        venue.apply(part)
    again = seawall.replay_journal(file.getvalue())
    assert (again.events == events).all()
    assert (again.venue.digest(), again.torn) == (venue.digest(), 0)
    torn = seawall.replay_journal(file.getvalue()[:-1])
    assert torn.torn > 0
    assert len(torn.events) < len(events)
    assert (torn.events == events[: len(torn.events)]).all()


def test_a_damaged_frame_before_the_last_is_refused(story: tuple[Venue, Records, Records]) -> None:
    file = io.BytesIO()
    journal = JournalWriter(Venue.restore(story[0].snapshot()), file)
    for part in np.array_split(story[1][:100], 2):
        journal.write(part)
    bad = bytearray(file.getvalue())
    bad[-64 * 60] ^= 1
    with pytest.raises(seawall.JournalError, match="checksum"):
        seawall.replay_journal(bytes(bad))


def test_an_infinite_band_gives_the_events_of_no_breaker() -> None:
    assert seawall.replay(SMALL, accounts=500, set=[INFINITE]).digest == seawall.replay(SMALL, accounts=500).digest


def infinite(name: str, test: str, action: str, after: str = "") -> str:
    return (
        f'{{name = "{name}", markets = ["BTC", "ETH"], ranges = [{{reference = {{type = "window", window = "1m"}}, '
        f'width = {{type = "infinite"}}}}], test = {{type = "{test}"}}, action = {action}{after}}}'
    )


def test_infinite_bands_of_every_kind_give_the_events_of_no_breaker_on_the_whole_crash_day() -> None:
    halt, until = '{type = "interrupt", phase = "halted"}', ', exit = {after = "1m"}, rearm = {restart = true}'
    rules = [
        infinite("reject", "entry", '{type = "reject"}'),
        infinite("cap", "entry", '{type = "cap"}'),
        infinite("whole", "trade", '{type = "reject"}'),
        infinite("stop", "trade", '{type = "stop"}'),
        infinite("trade", "trade", halt, until),
        infinite("mark", "mark", halt, until),
        infinite("index", "index", halt, until),
        infinite("quote", "quote", '{type = "limit_state", hold = "15s"}', until),
    ]
    plain = seawall.replay("oct10-2025", accounts=10_000)
    banded = seawall.replay("oct10-2025", accounts=10_000, set=[f"venue.breakers=[{', '.join(rules)}]"])
    assert banded.digest == plain.digest
    assert len(banded.profile.breakers) == len(rules)
    # A day on which breakers would have had something to do.
    assert plain.facts["liquidations"] > 500


def test_a_venue_ends_with_the_time_of_its_last_command(venue: Venue) -> None:
    venue.apply(commands.pulse(at=5))
    assert venue.now == 5


def test_the_order_of_tests_and_the_place_of_the_file_do_not_matter(tmp_path: Path) -> None:
    copy = tmp_path / "elsewhere.toml"
    copy.write_bytes(SMALL.read_bytes())
    assert seawall.replay(copy, accounts=500).digest == seawall.replay(SMALL, accounts=500).digest


def test_a_journal_begins_before_the_first_command() -> None:
    venue = Venue("reference")
    venue.apply(commands.open_account(at=0))
    with pytest.raises(JournalError, match="the venue has already taken commands; begin the journal before"):
        JournalWriter(venue, io.BytesIO())


class Full(io.RawIOBase):
    """A file that takes little at a time, and from some length on nothing for once."""

    def __init__(self, room: int) -> None:
        self.taken = bytearray()
        self.room = room

    def write(self, data: Any) -> int:
        if self.room <= 0:
            self.room = 10_000
            raise OSError(28, "no space left on device")
        part = bytes(data)[: min(100, self.room)]
        self.room -= len(part)
        self.taken += part
        return len(part)


def test_after_a_failed_write_a_journal_takes_no_more_and_can_still_be_read() -> None:
    venue, file = Venue("reference"), Full(100_000)
    journal = JournalWriter(venue, file)  # type: ignore[arg-type]
    first = commands.open_account(at=0, count=3)
    journal.write(first)
    file.room = 150
    second = commands.deposit(at=0, account=[0, 1, 2], amount=5)
    with pytest.raises(OSError, match="no space left"):
        journal.write(second)
    written = bytes(file.taken)
    for _ in range(2):
        with pytest.raises(JournalError, match="an earlier write failed"):
            journal.write(second)
    assert bytes(file.taken) == written
    again = seawall.replay_journal(written)
    venue.apply(first)
    assert (again.venue.digest(), again.torn) == (venue.digest(), 150)


def test_a_command_that_is_none_does_not_stop_a_journal() -> None:
    venue, file = Venue("reference"), io.BytesIO()
    journal = JournalWriter(venue, file)
    with pytest.raises(seawall.CommandError):
        journal.write(b"x")
    journal.write(commands.open_account(at=0))
    assert seawall.replay_journal(file.getvalue()).torn == 0
