"""Golden stories: the text tables of ``tests/golden`` read, run against any venue, and written.

A line is words; which words there are is said by ``tests/golden/vocabulary.json``, which the Rust runner reads
too. Unknown words are errors with file and line. See ``tests/golden/README.md``.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cache
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol, Self

import numpy as np

import seawall

from tests.oracle.venue import FEES, FIELDS, SHORTFALL, OracleVenue

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

Record = dict[str, int]
Config = dict[str, Any]

GOLDEN: Final = Path(__file__).resolve().parent.parent / "golden"
SLOT_BITS: Final = 24
NO_MARKET: Final = 65535
NONSENSE: Final = 9
REJECTED: Final = 100
ACCOUNT_OPENED: Final = 101
ACCEPTED: Final = 200
LIQUIDATION_ORDER: Final = 511
TERM: Final = 6
QUOTE: Final = 7
OTHER_LEG: Final = 7
CONDITION: Final = "condition"
"""The kind of number that is a set of bits, written as names with + between them."""
WITH_ORDER_ID: Final = (112, 200, 201, 202, 203, 204, 205, 210, 511)
"""Events that carry an order's id."""
_FIELDS_OF: Final = itemgetter(*FIELDS)
REPEATED: Final = ("market", "account", "order", "side", "price", "qty", "amount")
"""Fields of a refused command that its Rejected repeats."""


def names_order(command: Record) -> bool:
    """Tell whether a command names an order by its id: Cancel and Replace not by client id, and an other leg."""
    if command["kind"] == TERM:
        return command["code"] == OTHER_LEG
    return command["kind"] in (2, 3) and command["flags"] & 1 == 0


class StoryError(Exception):
    """A story that cannot be read, or that did not go as it says."""


class StoryVenue(Protocol):
    """What a story needs of a venue."""

    def apply(self, records: list[Record]) -> list[Record]:
        """Apply commands in order and return their events."""

    def balance(self, account: int) -> int:
        """Return an account's balance of the first asset."""

    def equity(self, account: int) -> int:
        """Return an account's equity."""

    def position(self, account: int, market: int) -> tuple[int, int]:
        """Return an account's lots and entry cost."""

    def totals(self) -> dict[str, int]:
        """Return ``funds``, ``fees``, ``shortfall``, and ``users <asset>`` for every asset."""

    def is_conserved(self) -> bool:
        """Tell whether all money and all positions add up."""


class OracleStory:
    """The oracle as the venue of a story."""

    def __init__(self, config: Config) -> None:
        self.oracle = OracleVenue(config)

    @classmethod
    def of(cls, oracle: OracleVenue) -> Self:
        """Wrap an oracle that has already run."""
        wrapped = cls.__new__(cls)
        wrapped.oracle = oracle
        return wrapped

    def apply(self, records: list[Record]) -> list[Record]:
        return [event for record in records for event in self.oracle.apply(record)]

    def balance(self, account: int) -> int:
        return self.oracle.balances(account)[0]

    def equity(self, account: int) -> int:
        return self.oracle.equity(account)

    def position(self, account: int, market: int) -> tuple[int, int]:
        base, cost = self.oracle.positions(account)[market]
        return base, cost

    def totals(self) -> dict[str, int]:
        oracle = self.oracle
        users = [oracle.balances(account.number) for account in oracle.accounts]
        return {
            "funds": sum(oracle.fund(number) for number in range(oracle.fund_count)),
            "fees": oracle.balance(FEES),
            "shortfall": -oracle.balance(SHORTFALL),
            **{
                f"rounding {m['name']}": oracle.balance(("rounding", i)) for i, m in enumerate(oracle.config["markets"])
            },
            **{f"users {asset['name']}": sum(row[i] for row in users) for i, asset in enumerate(oracle.assets)},
        }

    def is_conserved(self) -> bool:
        """Tell that all is well: the oracle asserts it in every step."""
        return True


class CoreStory:
    """``seawall.Venue`` as the venue of a story, or of a world.

    Commands name orders by acceptance number; the ids come from the venue's own events.
    """

    def __init__(self, config: Config) -> None:
        self.venue = seawall.Venue.from_config(config)
        self.assets: list[str] = [asset["name"] for asset in config["assets"]]
        self.ids: dict[int, int] = {}
        """Order ids as the venue gave them, by acceptance number."""

    def apply(self, records: list[Record]) -> list[Record]:
        events: list[Record] = []
        batch: list[Record] = []
        for record in records:
            if names_order(record):
                events += self.flush(batch)
                number = record["order"] >> SLOT_BITS
                batch = [{**record, "order": self.ids.get(number, record["order"])}]
            else:
                batch.append(record)
        return events + self.flush(batch)

    def flush(self, batch: list[Record]) -> list[Record]:
        """Apply commands whose ids are known."""
        array = np.array([_FIELDS_OF(record) for record in batch], dtype=seawall.COMMAND)
        events = self.venue.apply(array)
        accepted = events["order"][np.isin(events["kind"], (ACCEPTED, LIQUIDATION_ORDER))].tolist()
        self.ids.update((order >> SLOT_BITS, order) for order in accepted)
        return [dict(zip(FIELDS, row, strict=True)) for row in events.tolist()]

    def balance(self, account: int) -> int:
        return int(self.venue.accounts()["balance"][account])

    def equity(self, account: int) -> int:
        return int(self.venue.accounts()["equity"][account])

    def position(self, account: int, market: int) -> tuple[int, int]:
        rows = self.venue.positions()
        here = (rows["account"] == account) & (rows["market"] == market)
        return int(rows["base"][here].sum()), int(rows["cost"][here].sum())

    def totals(self) -> dict[str, int]:
        audit = self.venue.audit()
        first = audit["assets"][self.assets[0]]
        users = {f"users {name}": int(audit["assets"][name]["users"]) for name in self.assets}
        left = {f"rounding {name}": int(market["rounding"]) for name, market in audit["markets"].items()}
        return {"funds": first["funds"], "fees": first["fees"], "shortfall": audit["shortfall"], **users, **left}

    def is_conserved(self) -> bool:
        return bool(self.venue.audit()["ok"])


# ---------------------------------------------------------------------------------------------------------
# Words
# ---------------------------------------------------------------------------------------------------------


class Template(NamedTuple):
    """One form of a line: literal words and fields, and fields that it fixes."""

    kind: int
    words: tuple[str | tuple[str, str], ...]
    fixed: Record


class Vocabulary(NamedTuple):
    """Every form of a command and of an event, and the names of numbers."""

    names: dict[str, dict[str, int]]
    commands: list[Template]
    events: list[Template]


@cache
def vocabulary() -> Vocabulary:
    """Return the words of the stories."""
    raw = json.loads((GOLDEN / "vocabulary.json").read_text(encoding="utf-8"))

    def template(row: dict[str, Any]) -> Template:
        words: list[str | tuple[str, str]] = []
        for word in row["text"].split():
            if word.startswith("{"):
                name, _, kind = word.strip("{}").partition(":")
                words.append((name, kind or name))
            else:
                words.append(word)
        return Template(row["kind"], tuple(words), row.get("fixed", {}))

    return Vocabulary(raw["names"], [template(r) for r in raw["commands"]], [template(r) for r in raw["events"]])


@dataclass
class Scope:
    """The names of one story: those of its configuration and those of its accounts."""

    config: Config
    accounts: list[str] = field(default_factory=list)

    def names(self, kind: str) -> dict[str, int] | None:
        """Return the names of a kind of number, None if it is written as a number."""
        if kind == "account":
            return {name: i for i, name in enumerate(self.accounts)}
        listed = {"market": "markets", "asset": "assets", "fund": "funds", "rule": "breakers"}.get(kind)
        if listed is not None:
            return {row["name"]: i for i, row in enumerate(self.config[listed])}
        return vocabulary().names.get(kind)

    def read(self, kind: str, word: str) -> int | None:
        """Return the number that a word stands for, None if it stands for none."""
        if kind == "order":
            return parsed(word[1:], 1 << SLOT_BITS) if word.startswith("#") else None
        if kind == "time":
            units = {"ms": 1_000_000, "s": 1_000_000_000}
            unit = next((u for u in units if word.endswith(u)), "")
            return parsed(word.removesuffix(unit), units.get(unit, 1))
        names = self.names(kind)
        if names is None:
            return parsed(word, 1)
        if word.startswith("="):
            return parsed(word[1:], 1)
        if kind == CONDITION:
            bits = [names.get(part) for part in word.split("+")]
            return None if None in bits else sum(bit for bit in bits if bit is not None)
        return names.get(word)

    def write(self, kind: str, number: int) -> str:
        """Return the word for a number."""
        if kind == "order":
            return f"#{number >> SLOT_BITS}"
        if kind == "time":
            if number % 1_000_000 != 0:
                return str(number)
            return f"{number // 10**9}s" if number % 10**9 == 0 else f"{number // 10**6}ms"
        names = self.names(kind)
        if names is None:
            return str(number)
        if kind == CONDITION:
            return spelled(names, number)
        return next((name for name, value in names.items() if value == number), f"={number}")

    def parse(self, templates: Iterable[Template], line: str) -> Record | None:
        """Return the record that a line stands for, None if it is in no known form."""
        words = line.split()
        for template in templates:
            record = self.match(template, words)
            if record is not None:
                if ("account", "new") in template.words:
                    self.accounts.append(words[-1])
                return record
        return None

    def match(self, template: Template, words: Sequence[str]) -> Record | None:
        """Return the record that the words stand for in one form, None if they are not in it."""
        if len(words) != len(template.words):
            return None
        record = dict.fromkeys(FIELDS, 0) | {"kind": template.kind, "market": NO_MARKET} | template.fixed
        for word, form in zip(words, template.words, strict=True):
            if isinstance(form, str):
                if word != form:
                    return None
                continue
            name, kind = form
            if kind == "new":
                if not word.isalnum() or word in self.accounts:
                    return None
                continue
            number = self.read(kind, word)
            if number is None:
                return None
            record[name] = number
        return record

    def format(self, templates: Iterable[Template], record: Record) -> str:
        """Return the first form of a line that says all of a record, besides time, number, venue and source."""
        payload = {**record, "at": 0, "seq": 0, "venue": 0, "source": 0}
        for template in templates:
            if template.kind == record["kind"] and ("account", "new") not in template.words:
                words = [w if isinstance(w, str) else self.write(w[1], record[w[0]]) for w in template.words]
                if self.match(template, words) == payload:
                    return " ".join(words)
        return "unspeakable " + " ".join(f"{name}={record[name]}" for name in FIELDS if record[name] != 0)


def spelled(names: dict[str, int], number: int) -> str:
    """Return a set of bits as names in order of value, ``=n`` if they do not say all of it."""
    rest, words = number, []
    for name, value in sorted(names.items(), key=itemgetter(1), reverse=True):
        if value & rest == value:
            rest -= value
            words.append(name)
    return "+".join(reversed(words)) if words and rest == 0 else f"={number}"


def parsed(word: str, unit: int) -> int | None:
    """Return a whole number in its canonical form times a unit, None if the word is not one."""
    try:
        number = int(word)
    except ValueError:
        return None
    return number * unit if str(number) == word else None


# ---------------------------------------------------------------------------------------------------------
# Stories
# ---------------------------------------------------------------------------------------------------------


@dataclass
class Step:
    """A command with the events that it must have, or a check."""

    where: str
    text: str
    record: Record | None
    expected: list[str] = field(default_factory=list)


@dataclass
class Story:
    """One story, read."""

    claim: str
    where: str
    scope: Scope
    steps: list[Step] = field(default_factory=list)


def read_stories(path: Path) -> list[Story]:
    """Read the stories of a file."""
    stories: list[Story] = []
    reader: _Reader | None = None
    for number, raw in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        line, where = raw.strip(), f"{path.name}:{number}"
        word, _, rest = line.partition(" ")
        if not line or line.startswith("#"):
            continue
        if word == "story":
            reader = _Reader(Story(rest, where, Scope({})))
            stories.append(reader.story)
        elif reader is None:
            raise StoryError(f"{where}: a file begins with a story")
        else:
            reader.take(where, word, rest, line)
    return stories


class _Reader:
    """Reads one story, line by line."""

    def __init__(self, story: Story) -> None:
        self.story = story
        self.at = 0

    def take(self, where: str, word: str, rest: str, line: str) -> None:
        """Read a line."""
        scope, steps = self.story.scope, self.story.steps
        if word == "config":
            scope.config = json.loads((GOLDEN / f"{rest}.json").read_text(encoding="utf-8"))
        elif not scope.config:
            raise StoryError(f"{where}: config comes first")
        elif word == "set":
            path, _, value = rest.partition(" ")
            override(scope.config, path, value, where)
        elif word == "at":
            at = scope.read("time", rest)
            if at is None:
                raise StoryError(f"{where}: not a time: {rest}")
            self.at = at
        elif word == "given":
            self.give(where, rest)
        elif word == "check":
            steps.append(Step(where, rest, None))
        elif word == ">":
            if not steps or steps[-1].record is None:
                raise StoryError(f"{where}: an event follows a command")
            if scope.parse(vocabulary().events, rest) is None:
                raise StoryError(f"{where}: no event reads like this: {rest}")
            steps[-1].expected.append(" ".join(rest.split()))
        else:
            self.command(where, line)

    def command(self, where: str, line: str) -> None:
        """Read a command."""
        record = self.story.scope.parse(vocabulary().commands, line)
        if record is None:
            raise StoryError(f"{where}: no command reads like this: {line}")
        record["at"] = self.at
        self.story.steps.append(Step(where, line, record))

    def give(self, where: str, rest: str) -> None:
        """Read ``given name amount``: an account that is opened and funded, and nothing else happens."""
        name, _, amount = rest.partition(" ")
        asset = self.story.scope.config["assets"][0]["name"]
        self.command(where, f"open {name}")
        self.story.steps[-1].expected.append(f"opened {name}")
        self.command(where, f"deposit {name} {amount} {asset}")
        self.story.steps[-1].expected.append(f"deposited {name} {amount} {asset}")


def override(config: Config, path: str, value: str, where: str) -> None:
    """Set one value of a configuration; the rows of a list go by name."""
    at: Any = config
    *parts, last = path.split(".")
    for part in parts:
        at = next((row for row in at if row["name"] == part), None) if isinstance(at, list) else at.get(part)
        if at is None:
            raise StoryError(f"{where}: the configuration has no {part} in {path}")
    if last not in at:
        raise StoryError(f"{where}: the configuration has no {last} in {path}")
    at[last] = json.loads(value)


# ---------------------------------------------------------------------------------------------------------
# Running
# ---------------------------------------------------------------------------------------------------------


class _Run:
    """One story against one venue."""

    def __init__(self, story: Story, venue: StoryVenue) -> None:
        self.story = story
        self.venue = venue
        self.now = 0
        self.seq = 0

    def events_of(self, command: Record) -> list[str]:
        """Apply a command and return its events in words, their headers checked."""
        scope = self.story.scope
        if command["kind"] != NONSENSE:
            self.now = max(self.now, command["at"])
        lines = []
        for event in self.venue.apply([command]):
            self.seq += 1
            header = (event["seq"], event["at"], event["venue"], event["source"])
            if header != (self.seq, self.now, scope.config["venue"], command["source"]):
                raise StoryError(f"header of an event (seq, at, venue, source) is {header}: {event}")
            lines.append(scope.format(vocabulary().events, canonical(event, command)))
        return lines

    def look(self, step: Step) -> None:
        """Run a check."""
        *words, last = step.text.split()
        account = self.story.scope.names("account")
        markets = self.story.scope.names("market")
        assert account is not None
        assert markets is not None
        match words:
            case [name, "balance"] if name in account:
                found = self.venue.balance(account[name])
            case [name, "equity"] if name in account:
                found = self.venue.equity(account[name])
            case [name, "position", market] if name in account and market in markets:
                found = self.venue.position(account[name], markets[market])[0]
            case [name, "cost", market] if name in account and market in markets:
                found = self.venue.position(account[name], markets[market])[1]
            case _ if " ".join(words) in self.venue.totals():
                found = self.venue.totals()[" ".join(words)]
            case _:
                raise StoryError(f"no check reads like this: {step.text}")
        if str(found) != last:
            raise StoryError(f"{' '.join(words)}: expected {last}, got {found}")


def canonical(event: Record, command: Record) -> Record:
    """Return an event without slots and without what a Rejected repeats, which is checked."""
    if event["kind"] in WITH_ORDER_ID:
        return {**event, "order": event["order"] >> SLOT_BITS << SLOT_BITS}
    if event["kind"] == REJECTED:
        if names_order(command):
            # An id may be made up: slots are left out of what was sent, too.
            event, command = ({**r, "order": r["order"] >> SLOT_BITS << SLOT_BITS} for r in (event, command))
        bare = {**event, **dict.fromkeys(REPEATED, 0), "market": NO_MARKET}
        if all(event[name] == command[name] for name in REPEATED):
            return bare
        side = quoted_side(event, command)
        if command["kind"] != QUOTE or any(event[name] != side[name] for name in REPEATED):
            raise StoryError(f"a Rejected repeats its command: {event}")
        return {**bare, **{name: event[name] for name in ("side", "price", "qty")}}
    return event


def quoted_side(event: Record, command: Record) -> Record:
    """Return what a Rejected repeats of one side of a Quote."""
    if event["side"] == 0:
        return {**command, "order": 0, "amount": 0}
    return {**command, "side": 1, "price": command["amount"], "qty": command["order"], "order": 0, "amount": 0}


def run(story: Story, venue: StoryVenue) -> None:
    """Run a story against a venue; an error says where it did not go as told."""
    runner = _Run(story, venue)
    for step in story.steps:
        try:
            if step.record is None:
                runner.look(step)
                continue
            got = runner.events_of(step.record)
        except StoryError as error:
            raise StoryError(f"{step.where}: {error}") from None
        if got != step.expected:
            told = "".join(f"\n  told > {line}" for line in step.expected)
            seen = "".join(f"\n  seen > {line}" for line in got)
            raise StoryError(f"{step.where}: {step.text}{told}{seen}")
        if not venue.is_conserved():
            raise StoryError(f"{step.where}: money or positions do not add up after: {step.text}")


def spoken(record: Record) -> Record:
    """Return a command as a story can say it: without fields that are not read, every unknown kind as ``nonsense``."""
    known = {template.kind for template in vocabulary().commands}
    kind = record["kind"] if record["kind"] in known else NONSENSE
    read = {"at"}
    for template in vocabulary().commands:
        if template.kind == kind:
            read |= {word[0] for word in template.words if not isinstance(word, str) and word[1] != "new"}
            read |= template.fixed.keys()
    return {
        name: kind if name == "kind" else record[name] if name in read else NO_MARKET if name == "market" else 0
        for name in FIELDS
    }


def written(name: str, config: Config, commands: Iterable[Record]) -> str:
    """Write commands as a story, with the events that the oracle gives and the configuration ``name``."""
    scope, oracle = Scope(config), OracleVenue(config)
    lines, at = [f"story {name}", f"config {name}"], 0
    for command in map(spoken, commands):
        if command["at"] != at:
            at = command["at"]
            lines.append(f"at {scope.write('time', at)}")
        events = oracle.apply(command)
        if any(event["kind"] == ACCOUNT_OPENED for event in events):
            # The forms of a named account end in its name.
            scope.accounts.append(f"a{len(scope.accounts)}")
            lines.append(f"{scope.format(vocabulary().commands, command)} {scope.accounts[-1]}")
        else:
            lines.append(scope.format(vocabulary().commands, command))
        lines += ["> " + scope.format(vocabulary().events, canonical(event, command)) for event in events]
    return "\n".join(lines) + "\n"
