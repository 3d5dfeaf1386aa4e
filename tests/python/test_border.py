"""The border: arrays in and out, and arguments that are not commands."""

import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import seawall
from seawall import COMMAND, EVENT, EventTable, Reject, Side, commands
from seawall.errors import BusyError, CommandError, ConfigError, JournalError, SeawallError, SnapshotError

from conftest import opening


def test_events_own_their_memory_and_have_the_dtype(venue: seawall.Venue) -> None:
    events = venue.apply(commands.open_account(at=2, count=3))
    assert events.dtype == EVENT
    assert events.flags.writeable
    assert events["account"].tolist() == [2, 3, 4]


def test_bytes_and_arrays_mean_the_same(venue: seawall.Venue) -> None:
    other = seawall.Venue.restore(venue.snapshot())
    batch = commands.place(at=2, market=0, account=0, side=Side.BUY, price=599_000, qty=[1, 2, 3])
    assert (venue.apply(batch) == other.apply(batch.tobytes())).all()
    unaligned = np.frombuffer(b"x" + batch.tobytes(), dtype=COMMAND, offset=1)
    assert len(seawall.Venue("reference").apply(unaligned)) == 3


@pytest.mark.parametrize(
    ("argument", "parts"),
    [
        (np.zeros(2, dtype="V60"), ["expected records of 64 bytes, got 60", "seawall.COMMAND"]),
        (np.zeros(2), ["expected records of 64 bytes, got 8", "seawall.COMMAND"]),
        (np.zeros(2, dtype="V64"), ["expected dtype seawall.COMMAND, got |V64"]),
        (np.zeros((2, 2), dtype=COMMAND), ["expected one dimension, got 2", "reshape"]),
        (np.zeros(4, dtype=COMMAND)[::2], ["expected a contiguous array, got records 128 bytes apart"]),
        (np.zeros(4, dtype=COMMAND)[::-1], ["expected a contiguous array, got records -64 bytes apart"]),
        (b"x" * 100, ["expected records of 64 bytes, got 100 bytes", "36 more"]),
        ([1, 2], ["got list", "seawall.commands"]),
        (None, ["got NoneType", "seawall.commands"]),
    ],
    ids=str,
)
def test_what_is_not_commands_is_refused_and_changes_nothing(
    venue: seawall.Venue, argument: Any, parts: list[str]
) -> None:
    before = venue.digest()
    with pytest.raises(CommandError) as caught:
        venue.apply(argument)
    for part in ["commands: ", *parts]:
        assert part in str(caught.value)
    assert venue.digest() == before


def test_a_zero_quantity_and_an_off_range_price_are_refused_by_an_event(venue: seawall.Venue) -> None:
    before = venue.digest()
    batch = commands.place(at=1, market=0, account=0, side=Side.BUY, price=[599_000, 0, -1], qty=[0, 1, 1])
    refused = EventTable(venue.apply(batch)).of("rejected")
    assert refused["reject"].tolist() == [
        Reject.QTY_OUT_OF_RANGE,
        Reject.PRICE_OUT_OF_RANGE,
        Reject.PRICE_OUT_OF_RANGE,
    ]
    after = seawall.Venue.restore(venue.snapshot())
    assert venue.positions().height == 0
    assert after.digest() == venue.digest() != before  # the event counter moved, nothing else


def test_any_bytes_are_commands_or_refusals_but_never_a_panic(config: dict[str, Any]) -> None:
    random = np.random.default_rng(7)
    venue = seawall.Venue.from_config(config)
    venue.apply(opening())
    noise = np.frombuffer(random.bytes(64 * 5000), dtype=COMMAND).copy()
    kinds = np.array([1, 1, 1, 2, 3, 4, 5, 6, 6, 7, 10, 11, 12, 13, 20, 21, 22, 99], dtype=np.uint16)
    noise["kind"] = random.choice(kinds, len(noise))
    for name, most in (("market", 3), ("account", 3), ("side", 3), ("code", 10), ("flags", 300)):
        noise[name] = random.integers(0, most, len(noise))
    half = random.random(len(noise)) < 0.5
    for name, most in (("price", 700_000), ("qty", 1000), ("amount", 10**9)):
        noise[name][half] = random.integers(0, most, int(half.sum()))
    noise["at"] = np.sort(random.integers(0, 10**6, len(noise)))
    assert len(venue.apply(noise)) >= len(noise) // 2
    assert venue.audit()["ok"]


def test_apply_into_fills_the_array_and_keeps_what_does_not_fit(venue: seawall.Venue) -> None:
    target = np.empty(3, dtype=EVENT)
    assert venue.apply_into(commands.open_account(at=2, count=5), target) == 3
    assert target["account"].tolist() == [2, 3, 4]
    assert venue.waiting == 2
    assert venue.apply_into(b"", target) == 2
    assert target["account"][:2].tolist() == [5, 6]
    assert venue.waiting == 0


def test_apply_into_refuses_an_array_that_cannot_be_written(venue: seawall.Venue) -> None:
    before = venue.digest()
    locked = np.empty(3, dtype=EVENT)
    locked.flags.writeable = False
    for target, part in ((locked, "cannot be written"), (np.empty(3), "64 bytes, got 8"), ([], "seawall.EVENT")):
        with pytest.raises(CommandError, match=part):
            venue.apply_into(commands.open_account(at=2), target)  # type: ignore[arg-type]
    assert venue.digest() == before


def persistent(call: Callable[[], object]) -> None:
    while True:
        try:
            call()
        except BusyError:
            continue
        return


def test_a_second_call_at_the_same_time_is_busy(config: dict[str, Any]) -> None:
    venue = seawall.Venue.from_config(config)
    work = commands.open_account(at=0, count=400_000)
    worker = threading.Thread(target=persistent, args=(lambda: venue.apply(work),))
    worker.start()
    busy = 0
    while worker.is_alive():
        try:
            venue.digest()
        except BusyError as error:
            assert "another thread" in str(error)  # noqa: PT017 - the error may or may not come
            busy += 1
    worker.join()
    assert busy > 0


def damaged(snapshot: bytes, place: int) -> bytes:
    return snapshot[:place] + bytes([snapshot[place] ^ 0x10]) + snapshot[place + 1 :]


@pytest.mark.parametrize(
    "harm",
    [
        lambda s: s[:-1],
        lambda s: s[: len(s) // 2],
        lambda _: b"",
        lambda s: s + b"\0",
        lambda s: damaged(s, 0),
        lambda s: damaged(s, 9),
        lambda s: damaged(s, len(s) // 2),
        lambda s: damaged(s, len(s) - 1),
    ],
    ids=["one byte short", "half", "empty", "one byte long", "first", "version", "middle", "last"],
)
def test_a_harmed_snapshot_is_refused(venue: seawall.Venue, harm: Callable[[bytes], bytes]) -> None:
    with pytest.raises(SnapshotError, match="snapshot"):
        seawall.Venue.restore(harm(venue.snapshot()))


def test_every_flipped_byte_of_a_snapshot_is_noticed(venue: seawall.Venue) -> None:
    snapshot = venue.snapshot()
    for place in range(0, len(snapshot), 97):
        with pytest.raises(SnapshotError):
            seawall.Venue.restore(damaged(snapshot, place))


def test_a_config_that_is_not_one_is_refused() -> None:
    for text, part in (("{}", "schema_version"), ("[]", "config"), ("", "config"), ('{"a": 1}', "unknown field")):
        with pytest.raises(ConfigError, match=part):
            seawall.Venue.from_config(text)


def test_bytes_that_are_no_journal_are_refused() -> None:
    with pytest.raises(JournalError, match="journal"):
        seawall.replay_journal(b"not a journal at all")


@pytest.mark.parametrize(
    ("build", "part"),
    [
        (lambda: commands.deposit(at=0, account=0, amount=1.5), "amount: expected integers, got 1.5"),  # type: ignore[arg-type]
        (lambda: commands.deposit(at=0, account=-1, amount=1), "account: -1 is outside"),
        (lambda: commands.index(at=0, market=70_000, price=1), "market: 70000 is outside"),
        (lambda: commands.index(at=[0, 1], market=[0, 1, 2], price=1), "lengths differ"),
        (lambda: commands.batch(np.zeros(3)), "part 0: expected dtype seawall.COMMAND"),  # type: ignore[arg-type]
    ],
    ids=["float", "negative", "too large", "lengths", "part"],
)
def test_builders_refuse_what_a_field_cannot_hold(build: Callable[[], NDArray[Any]], part: str) -> None:
    with pytest.raises(CommandError, match=part):
        build()


def test_every_error_is_under_one_parent() -> None:
    errors = [getattr(seawall, name) for name in seawall.__all__ if name.endswith("Error")]
    assert len(errors) == 10
    assert all(issubclass(error, SeawallError) for error in errors)
