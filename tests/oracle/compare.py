"""Runs one world through the oracle and a venue, and shrinks what they differ on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest
from random import Random
from typing import Protocol

from . import orders as o
from . import venue as v
from .orders import Config, Record
from .reached import ORDER_EVENTS, reached
from .venue import OracleVenue
from .worlds import random_commands, random_config, vary


class Venue(Protocol):
    """What takes a batch of commands and gives their events."""

    def apply(self, records: list[Record]) -> list[Record]:
        """Apply the commands in order; Cancel, Replace and Term name an order by acceptance number << 24."""


VenueFactory = Callable[[Config], Venue]


def comparable(event: Record) -> Record:
    """Return an event with its order id cut to the acceptance number; slots are the venue's own matter."""
    names_order = event["kind"] in ORDER_EVENTS
    if event["kind"] == v.REJECTED and event["flags"] in (v.CANCEL, v.REPLACE, v.TERM):
        names_order = True
    order = event["order"] >> o.SLOT_BITS if names_order else event["order"]
    return {**{name: int(event[name]) for name in v.FIELDS}, "order": int(order)}


def first_difference(oracle_events: Sequence[Record], venue_events: Sequence[Record]) -> tuple[int, str] | None:
    """Return where two runs of events first differ and how, None when they are equal."""
    pairs = zip_longest(oracle_events, venue_events)
    for i, (expected, got) in enumerate(pairs):
        left = None if expected is None else comparable(expected)
        right = None if got is None else comparable(got)
        if left == right:
            continue
        fields = []
        if left is not None and right is not None:
            fields = [f"{name} {left[name]} / {right[name]}" for name in v.FIELDS if left[name] != right[name]]
        return i, f"event {i} differs: {', '.join(fields)}\n  oracle: {shown(left)}\n  venue:  {shown(right)}"
    return None


def compare(oracle_events: Sequence[Record], venue_events: Sequence[Record]) -> str | None:
    """Return the first difference in words, None when the events are equal."""
    found = first_difference(oracle_events, venue_events)
    return None if found is None else found[1]


def shown(event: Record | None) -> str:
    """Write an event on one line without its empty fields."""
    if event is None:
        return "(no event)"
    return " ".join(f"{name}={event[name]}" for name in v.FIELDS if event[name] != 0)


@dataclass
class Result:
    """What became of one world."""

    seed: int
    config: Config
    commands: list[Record]
    difference: str | None = None
    command_index: int | None = None
    """The command whose events differ first, or at which a side failed."""
    states: set[str] = field(default_factory=set)
    event_count: int = 0

    @property
    def equal(self) -> bool:
        """Tell whether both sides agree."""
        return self.difference is None

    def shrink(self, venue_factory: VenueFactory | None) -> Result:
        """Return a result with as few commands as still make a difference."""
        return shrink(self, venue_factory)

    def report(self) -> str:
        """Write the result for people."""
        if self.equal:
            return f"seed {self.seed}: {len(self.commands)} commands, {self.event_count} events, equal"
        lines = [f"seed {self.seed}: {self.difference}", f"config: {self.config}"]
        for i, record in enumerate(self.commands):
            mark = ">" if i == self.command_index else " "
            lines.append(f"{mark}{i:4} {shown(record)}")
        return "\n".join(lines)


class _Run:
    """The oracle's side of a world, command by command."""

    def __init__(self, config: Config) -> None:
        self.oracle = OracleVenue(config)
        self.commands: list[Record] = []
        self.events: list[Record] = []
        self.ends: list[int] = []
        """Number of events after each command."""
        self.states: set[str] = set()
        """States that the events alone do not show."""
        self.failure: str | None = None

    def step(self, record: Record) -> bool:
        """Apply a command; tell whether the oracle's own assertions held."""
        self.commands.append(record)
        try:
            events = self.oracle.apply(record)
        except AssertionError as error:
            self.failure = f"the oracle failed: {error!r}"
            return False
        self.events += events
        self.ends.append(len(self.events))
        if self.oracle.parked:
            self.states.add("parked")
        for before, event in zip([None, *events], events, strict=False):
            tripped = before is not None and before["kind"] == v.BREAKER_TRIPPED
            if event["kind"] == v.PHASE_CHANGED and record["kind"] != v.SET_PHASE and not tripped:
                self.states.add("timer_phase")
        # What a Place is accepted as comes before what it fires.
        first = next((event for event in events if event["kind"] == v.ACCEPTED), record)
        may_slide = bool(first["flags"] & o.SLIDE)
        if record["kind"] == v.PLACE and first["price"] != record["price"] and not may_slide:
            self.states.add("capped_by_band")
        return True

    def result(self, seed: int, config: Config, venue_factory: VenueFactory | None) -> Result:
        """Let the venue take the same commands and compare."""
        states = reached(self.events, config) | self.states | self.oracle.notes
        result = Result(seed, config, self.commands, states=states, event_count=len(self.events))
        if self.failure is not None:
            result.difference = self.failure
            result.command_index = len(self.commands) - 1
        elif venue_factory is not None:
            self.compare_with(venue_factory(config), result)
        return result

    def compare_with(self, venue: Venue, result: Result) -> None:
        """Put the first difference with a venue into a result."""
        try:
            events = venue.apply(self.commands)
        except Exception as error:  # noqa: BLE001 - whatever stops a venue is a difference
            result.difference = f"the venue failed: {error!r}"
            return
        found = first_difference(self.events, events)
        if found is not None:
            where, result.difference = found
            past = (i for i, end in enumerate(self.ends) if where < end)
            result.command_index = next(past, len(self.commands) - 1)


def run_world(seed: int, venue_factory: VenueFactory | None = None) -> Result:
    """Run the world of a seed.

    Parameters
    ----------
    seed
        It decides the configuration and every command.
    venue_factory
        Makes the venue to compare with; without it the oracle runs alone.
    """
    rng = Random(seed)  # noqa: S311 - it has to repeat, not to be secret
    config = random_config(rng)
    vary(config, seed)
    run = _Run(config)
    for record in random_commands(rng, config, run.oracle):
        if not run.step(record):
            break
    return run.result(seed, config, venue_factory)


def replay(seed: int, config: Config, commands: Sequence[Record], venue_factory: VenueFactory | None) -> Result:
    """Run given commands, without the generator."""
    run = _Run(config)
    for record in commands:
        if not run.step(record):
            break
    return run.result(seed, config, venue_factory)


def shrink(result: Result, venue_factory: VenueFactory | None) -> Result:
    """Drop commands while a difference remains, ever smaller runs of them, until no single one can go.

    Cancel and Replace name acceptance numbers, which shift when a Place goes; what counts is that the two
    sides still differ, not that the story is the same.
    """
    if result.equal:
        return result
    smallest = result
    if result.command_index is not None:
        commands = result.commands[: result.command_index + 1]
        cut = replay(result.seed, result.config, commands, venue_factory)
        smallest = result if cut.equal else cut
    size = max(1, len(smallest.commands) // 2)
    while True:
        start, dropped = 0, False
        while start < len(smallest.commands):
            commands = smallest.commands[:start] + smallest.commands[start + size :]
            attempt = replay(result.seed, result.config, commands, venue_factory)
            if attempt.equal:
                start += size
            else:
                smallest, dropped = attempt, True
        if size > 1:
            size //= 2
        elif not dropped:
            return smallest
